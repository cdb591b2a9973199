"""Which messages follow from a class and its fields, and which explicit messages are shaped like them.

The law: a class of which objects exist has, for every field f, get_f; and for every field that any client may write,
the writing accessors of the field's kind. Set and map fields have their item-wise accessors beside set_f. Of the
messages on whole objects a class has those that it lists. Nothing else follows from a field.

Source: the API document's introduction, sections on fields and on classes; that set_f exists for sets and maps too
is seen in the published reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from xenconform.models.api import Field, Lifecycle, Message, Parameter, Qualifier
from xenconform.models.types import MapOf, RecordOf, RefTo, SetOf, Str, Type, Void

Shape: TypeAlias = tuple[tuple[Parameter, ...], Type]
"""The parameters of a message and its result."""


@dataclass(frozen=True, slots=True)
class Accessor:
    """A rule for fields: a prefix, what it does, for which kinds of field, and whether the field must be RW.

    `takes` names the parameters after self; each is of the field's type, its item type, its key or its value type,
    """

    prefix: str
    verb: str
    kinds: frozenset[str]
    writes: bool
    takes: tuple[str, ...]


_ANY, _SET, _MAP = frozenset({"plain", "set", "map"}), frozenset({"set"}), frozenset({"map"})

ACCESSORS: tuple[Accessor, ...] = (
    Accessor("get_", "get", _ANY, writes=False, takes=()),
    Accessor("set_", "set", _ANY, writes=True, takes=("value",)),
    Accessor("add_to_", "add_to", _MAP, writes=True, takes=("key", "item")),
    Accessor("remove_from_", "remove_from", _MAP, writes=True, takes=("key",)),
    Accessor("add_", "add", _SET, writes=True, takes=("item",)),
    Accessor("remove_", "remove", _SET, writes=True, takes=("item",)),
)
"""The rules for fields; the longer prefix stands first where one begins another."""

_ITEMWISE_ON_SETS = (
    Accessor("add_to_", "add", _SET, writes=True, takes=("item",)),
    Accessor("remove_from_", "remove", _SET, writes=True, takes=("item",)),
)
"""Names that only explicit messages bear: subject.add_to_roles adds to a set."""

GENERIC: Mapping[str, Callable[[str], Shape]] = {
    "get_all": lambda cls: ((), SetOf(RefTo(cls))),
    "get_all_records": lambda cls: ((), MapOf(RefTo(cls), RecordOf(cls))),
    "get_all_records_where": lambda cls: ((Parameter("expr", Str()),), MapOf(RefTo(cls), RecordOf(cls))),
    "get_by_uuid": lambda cls: ((Parameter("uuid", Str()),), RefTo(cls)),
    "get_by_name_label": lambda cls: ((Parameter("label", Str()),), SetOf(RefTo(cls))),
    "get_record": lambda cls: ((Parameter("self", RefTo(cls)),), RecordOf(cls)),
    "create": lambda cls: ((Parameter("args", RecordOf(cls)),), RefTo(cls)),
    "destroy": lambda cls: ((Parameter("self", RefTo(cls)),), Void()),
}
"""The messages on whole objects, by name. A class lists those that it has; one that lists get_record has objects."""


def kind(of: Type) -> str:
    """Return the kind of a field for these rules: set, map or plain."""
    match of:
        case SetOf():
            return "set"
        case MapOf():
            return "map"
        case _:
            return "plain"


def _part(of: Type, name: str) -> Type:
    """Return the type of an accessor's parameter: the whole value, or a set's or map's item, or a map's key."""
    match of, name:
        case SetOf(item), "item":
            return item
        case MapOf(_, item), "item":
            return item
        case MapOf(key, _), "key":
            return key
        case _:
            return of


def accessors_of(cls: str, field: Field, roles: Mapping[str, frozenset[str]]) -> Iterator[Message]:
    """Yield the implicit accessors of a field.

    Args:
        cls: the field's class.
        field: the field.
        roles: who may call them: `get` for the getter, `set` for all that write.
    """
    self = Parameter("self", RefTo(cls))
    for rule in ACCESSORS:
        if kind(field.type) not in rule.kinds or (rule.writes and field.qualifier is not Qualifier.RW):
            continue
        takes = tuple(Parameter("key" if t == "key" else "value", _part(field.type, t)) for t in rule.takes)
        yield Message(
            cls,
            rule.prefix + field.name,
            (self, *takes),
            Void() if rule.writes else field.type,
            field.lifecycle,
            implicit=True,
            roles=roles["set" if rule.writes else "get"],
            field=field.name,
            verb=rule.verb,
        )


def generic(cls: str, name: str, roles: frozenset[str], lifecycle: Lifecycle) -> Message:
    """Return one of the implicit messages on whole objects; `name` is a key of GENERIC."""
    params, result = GENERIC[name](cls)
    return Message(cls, name, params, result, lifecycle, implicit=True, roles=roles)


def marked(message: Message, fields: Mapping[str, Field]) -> Message:
    """Return an explicit message with `field` and `verb` set if it is shaped like an accessor of a field, else itself.

    The shape: the name of an accessor; an object of the class, whatever that parameter is called; then parameters of
    exactly the types that the accessor takes; and the accessor's result.
    """
    if not message.params or message.params[0].type != RefTo(message.cls):
        return message
    types = tuple(param.type for param in message.params[1:])
    for rule in (*ACCESSORS, *_ITEMWISE_ON_SETS):
        field = fields.get(message.name.removeprefix(rule.prefix)) if message.name.startswith(rule.prefix) else None
        if field is None or kind(field.type) not in rule.kinds:
            continue
        result = Void() if rule.writes else field.type
        if message.result == result and types == tuple(_part(field.type, name) for name in rule.takes):
            return replace(message, field=field.name, verb=rule.verb)
    return message
