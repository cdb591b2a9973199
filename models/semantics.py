"""The rules that messages obey, in tables: accessors by their verb, generic messages by their name, a few by full name.

Each rule is a function of the world, the message and its arguments, and gives the branch that the reference takes.
The laws are written above models/world.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from xenconform.models import copying, own, storage
from xenconform.models.api import Api, Constructor, Message, State
from xenconform.models.binding import Record, referrer
from xenconform.models.calls import Failure
from xenconform.models.power import TRANSITIONS, transit
from xenconform.models.query import matches
from xenconform.models.steps import OwnRule, Steps
from xenconform.models.values import Handle, Value, same

if TYPE_CHECKING:
    from xenconform.models.world import Branch, World

Rule: TypeAlias = "Callable[[World, Message, tuple[Value, ...]], Branch]"


class Refused(Exception):  # noqa: N818 - control flow of the rules: a refusal on its way to becoming a Failure
    """A rule's refusal of a call, as the API's error code and its parameters."""

    def __init__(self, code: str, *params: str | Handle) -> None:
        """Take an error code of the list and its parameters."""
        super().__init__(code)
        self.failure = Failure(code, params)


def rule_for(message: Message) -> Rule:
    """Return the rule that a message obeys; the tables below are all there is.

    Implicit messages live as long as their fields do, removed or not; a removed explicit message says that it is.
    """
    if not message.implicit:
        if message.lifecycle.state is State.REMOVED:
            return _explicit
        if message.full_name in _OWN:
            return _OWN[message.full_name]
    if message.verb:
        return _ACCESSORS[message.verb]
    return _GENERIC.get(message.name, _explicit)


def has_rule(api: Api, message: Message) -> bool:
    """Whether a message of a model has a rule; of one that has none the World says that it is not implemented."""
    return rule_for(message) is not _explicit or _constructs(api, message)


def _get(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    return world.stay(_fields(world, args[0])[message.field])


def _set(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    of = world.api.classes[message.cls].fields[message.field].type
    if same(of, _fields(world, args[0])[message.field], args[1]):
        return world.stay(None)
    return world.write(args[0], message.field, args[1])


def _add(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    old = _fields(world, args[0])[message.field]
    return world.stay(None) if args[1] in old else world.write(args[0], message.field, (*old, args[1]))


def _remove(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    old = _fields(world, args[0])[message.field]
    if args[1] not in old:
        return world.stay(None)
    return world.write(args[0], message.field, tuple(each for each in old if each != args[1]))


def _add_to(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    old = _fields(world, args[0])[message.field]
    if args[1] in old:
        raise Refused("MAP_DUPLICATE_KEY", message.cls, message.field, args[0], _text(args[1]))
    return world.write(args[0], message.field, {**old, args[1]: args[2]})


def _remove_from(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    old = _fields(world, args[0])[message.field]
    if args[1] not in old:
        return world.stay(None)
    return world.write(args[0], message.field, {k: v for k, v in old.items() if k != args[1]})


def _get_record(world: World, _message: Message, args: tuple[Value, ...]) -> Branch:
    return world.stay(dict(_fields(world, args[0])))


def _get_all(world: World, message: Message, _args: tuple[Value, ...]) -> Branch:
    return world.stay(world.handles(message.cls))


def _get_all_records(world: World, message: Message, _args: tuple[Value, ...]) -> Branch:
    return world.stay({h: dict(_fields(world, h)) for h in world.handles(message.cls)})


def _get_all_records_where(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    try:
        found = {h: dict(_fields(world, h)) for h in world.handles(message.cls) if matches(args[0], _fields(world, h))}
    except ValueError as why:
        raise Refused("INVALID_VALUE", message.params[0].name, args[0]) from why
    return world.stay(found)


def _get_by_uuid(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    for handle in world.handles(message.cls):
        if _fields(world, handle).get("uuid") == args[0]:
            return world.stay(handle)
    raise Refused("UUID_INVALID", message.cls, args[0])


def _get_by_name_label(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    found = (h for h in world.handles(message.cls) if _fields(world, h)["name_label"] == args[0])
    return world.stay(tuple(found))


def _create(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    of = world.api.classes[message.cls]
    constructor = next(c for c in of.constructors if c.message.name == message.name)
    if constructor.record:
        return world.create(of.name, world.check_record(of, args[0]))
    return world.create(of.name, _mapped(constructor, args))


def _mapped(constructor: Constructor, args: tuple[Value, ...]) -> dict[str, Value]:
    return {name: arg for name, arg in zip(constructor.fields, args, strict=True) if name and name != "uuid"}


def _destroy(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    handle: Handle = args[0]
    holder = referrer(world.api, world.objects, handle)
    if holder is not None:
        raise Refused("OPERATION_NOT_ALLOWED", f"{message.cls} is still referred to by {holder}")
    return world.destroy(handle)


def _message_get(world: World, _message: Message, args: tuple[Value, ...]) -> Branch:
    cls, obj_uuid, since = args
    found = {h: dict(_fields(world, h)) for h in world.handles("message")}
    kept = {h: r for h, r in found.items() if (r["cls"], r["obj_uuid"]) == (cls, obj_uuid) and r["timestamp"] > since}
    return world.stay(kept)


def _message_get_since(world: World, _message: Message, args: tuple[Value, ...]) -> Branch:
    found = {h: dict(_fields(world, h)) for h in world.handles("message")}
    return world.stay({h: r for h, r in found.items() if r["timestamp"] > args[0]})


def _message_destroy_many(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    touched: list[Handle] = []
    for handle in dict.fromkeys(args[0]):
        branch = _destroy(world, message, (handle,))
        world, touched = branch.world, [*touched, *branch.touched]
    return replace(world.stay(None), touched=tuple(touched))


def _task_cancel(world: World, _message: Message, args: tuple[Value, ...]) -> Branch:
    if _fields(world, args[0])["status"] != "pending":
        raise Refused("OPERATION_NOT_ALLOWED", "the task has ended")
    return world.write(args[0], "status", "cancelled")


def _power(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    changed = transit(message, args, _fields(world, args[0]), world.handles("host"))
    if isinstance(changed, Failure):
        raise Refused(changed.code, *changed.params)
    if not changed:
        return world.stay(None)
    steps = Steps(world)
    steps.write(args[0], changed)
    return steps.done()


def _alias(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    verb, name = own.ALIASES[message.full_name]
    return _ACCESSORS[verb](world, replace(message, verb=verb, field=name), args)


def _refusing(rule: OwnRule) -> Rule:
    """Return a rule that looks for its object, and raises what another rule returns as a failure."""

    def run(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
        _fields(world, args[0])
        branch = rule(world, message, args)
        if isinstance(branch, Failure):
            raise Refused(branch.code, *branch.params)
        return branch

    return run


def _explicit(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    if _constructs(world.api, message):
        return _create(world, message, args)
    if message.lifecycle.state is State.REMOVED:
        raise Refused("MESSAGE_REMOVED")
    raise Refused("NOT_IMPLEMENTED", message.full_name)


def _constructs(api: Api, message: Message) -> bool:
    return any(c.message.name == message.name for c in api.classes[message.cls].constructors)


def _fields(world: World, handle: Handle) -> Record:
    record = world.record(handle)
    if record is None:
        raise Refused("HANDLE_INVALID", handle.cls, handle)
    return record


def _text(key: Value) -> str | Handle:
    return key if isinstance(key, Handle) else str(key)


_ACCESSORS: Mapping[str, Rule] = {
    "get": _get,
    "set": _set,
    "add": _add,
    "remove": _remove,
    "add_to": _add_to,
    "remove_from": _remove_from,
}

_GENERIC: Mapping[str, Rule] = {
    "get_record": _get_record,
    "get_all": _get_all,
    "get_all_records": _get_all_records,
    "get_all_records_where": _get_all_records_where,
    "get_by_uuid": _get_by_uuid,
    "get_by_name_label": _get_by_name_label,
    "create": _create,
    "destroy": _destroy,
    "forget": _destroy,
}

_OWN: Mapping[str, Rule] = {
    "message.get": _message_get,
    "message.get_since": _message_get_since,
    "message.destroy_many": _message_destroy_many,
    "task.cancel": _task_cancel,
    **{f"VM.{name}": _power for name in TRANSITIONS},
    **dict.fromkeys(own.ALIASES, _alias),
    **{name: _refusing(rule) for name, rule in (copying.RULES | storage.RULES | own.RULES).items()},
}
