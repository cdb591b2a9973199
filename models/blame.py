"""Which clause a finding of the state machine is about, besides STATE-MODEL: what the server broke, in one table.

The last step of a reduced sequence is the reply that the rules do not allow; the step before it that changed, or should
have changed, what it tells is the cause. Both together name the clause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from xenconform.models.api import Api, Message
from xenconform.models.binding import bonds
from xenconform.models.calls import Failure, Outcome, Success
from xenconform.models.cases import Step, Wanted
from xenconform.models.matching import differing, handles_in
from xenconform.models.power import TRANSITIONS
from xenconform.models.query import where_message
from xenconform.models.values import Handle, Value

WRITTEN: Final[Mapping[str, str]] = {
    "set": "SET-VALUE",
    "add": "SET-ADD",
    "remove": "SET-REMOVE",
    "add_to": "MAP-ADD",
    "remove_from": "MAP-REMOVE",
}
"""By the verb of the accessor that wrote the field which then reads wrong."""
BOUND: Final[Mapping[str, str]] = {"create": "BIND-CREATE", "destroy": "BIND-DESTROY", "write": "BIND-MOVE"}
"""By what was done last to an end of a pair, where an end then reads wrong."""


@dataclass(frozen=True, slots=True)
class Blame:
    """A clause, or "" where none but STATE-MODEL speaks of it, and the element: a field, or a class."""

    clause: str
    element: str


def blame(api: Api, steps: tuple[Step, ...], outcome: Outcome, made: frozenset[Handle]) -> Blame:
    """Return what is to blame for the last of these steps; `outcome` is what it brought, its refs turned inward."""
    last = steps[-1]
    message = api.message(last.call.message) or where_message(api, last.call.message)
    if message is None or last.expect is None:
        return Blame("", "server")
    if any(step.call.message == "session.logout" and step.session == last.session for step in steps[:-1]):
        return Blame("SESSION-LOGOUT", message.full_name)
    if len({step.format for step in steps}) > 1 and isinstance(outcome, Success) and _reads(message):
        return Blame("WIRE-AGREE", _element(api, message, last, outcome, made))
    if message.cls == "VM" and (message.name in TRANSITIONS or message.field == "power_state"):
        return Blame("LIFECYCLE-VM", message.full_name)
    if isinstance(outcome, Failure):
        return _refused(api, steps, message)
    if last.expect.wanted is Wanted.NEW:
        return Blame("CREATE-NEW", message.cls)
    if last.expect.wanted is Wanted.NOTHING:
        return _carried_out(api, steps, message)
    return _misread(api, steps, message, outcome, made)


def _reads(message: Message) -> bool:
    return message.name.startswith("get_")


def _refused(api: Api, steps: tuple[Step, ...], message: Message) -> Blame:
    """A call that should have succeeded was refused, or one was refused with a code that is not allowed."""
    last = steps[-1]
    assert last.expect is not None
    if "MAP_DUPLICATE_KEY" in last.expect.codes and last.expect.wanted is Wanted.NOTHING:
        return Blame("MAP-DUPLICATE-KEY", _field(message))
    if message.name == "get_by_uuid":
        return Blame("UUID-LOOKUP", message.cls)
    own = set(handles_in(last.call.args))
    ended = [step for step in steps[:-1] if _ends(api, step) and not own & set(handles_in(step.call.args))]
    if ended and _reads(message):
        return Blame("DESTROY-NO-CASCADE", message.cls)
    if message.verb in WRITTEN:
        return Blame(WRITTEN[message.verb], _field(message))
    return Blame("GET-EVERY-FIELD" if message.verb == "get" else "", _field(message))


def _carried_out(api: Api, steps: tuple[Step, ...], message: Message) -> Blame:
    """A call that should have failed succeeded."""
    last = steps[-1]
    assert last.expect is not None
    if "MAP_DUPLICATE_KEY" in last.expect.codes:
        return Blame("MAP-DUPLICATE-KEY", _field(message))
    if message.name == "get_by_uuid":
        return Blame("UUID-UNKNOWN", message.cls)
    own = set(handles_in(last.call.args))
    if any(_ends(api, step) and own & set(handles_in(step.call.args)) for step in steps[:-1]):
        return Blame("DESTROY-GONE", _field(message))
    if message.name == api.classes[message.cls].destructor:
        return Blame("DESTROY-REFERENCED", message.cls)
    return Blame("", _field(message))


def _misread(api: Api, steps: tuple[Step, ...], message: Message, outcome: Outcome, made: frozenset[Handle]) -> Blame:
    """A reader told something else than what was written."""
    if message.name == "get_by_name_label":
        return Blame("LABEL-LOOKUP", message.cls)
    if message.name == "get_by_uuid":
        return Blame("UUID-LOOKUP", message.cls)
    if message.name in {"get_all", "get_all_records"}:
        gone = any(_ends(api, step) for step in steps[:-1])
        return Blame("DESTROY-GONE" if gone else "GET-ALL-AGREES", message.cls)
    last = steps[-1]
    name = _field_name(api, message, last, outcome, made)
    element = f"{message.cls}.{name}"
    cause = next(
        (step for step in reversed(steps[:-1]) if not step.call.message.partition(".")[2].startswith("get_")), None
    )
    if cause is None:
        return Blame("GET-RECORD-AGREES", element)
    if name == "uuid":
        return Blame("SET-ONLY-THAT", element)
    return Blame(_cause(api, cause, (last.call.args[0], name)), element)


def _cause(api: Api, cause: Step, place: tuple[Handle, str]) -> str:
    """Return the clause by what was done last before a field read wrong."""
    found = api.message(cause.call.message)
    if found is None:
        return ""
    handle, name = place
    kept = bonds(api)
    relation = kept.by_derived.get((handle.cls, name)) or kept.by_owner.get((handle.cls, name))
    ends = (
        {(relation.owner_cls, relation.owner_field), (relation.derived_cls, relation.derived_field)}
        if relation
        else set()
    )
    if cause.makes is not None:
        return BOUND["create"] if relation and cause.makes != handle else "CREATE-FIELDS"
    if _ends(api, cause):
        refused = cause.expect is not None and cause.expect.wanted is Wanted.NOTHING
        return "DESTROY-REFERENCED-UNCHANGED" if refused else BOUND["destroy"] if relation else "DESTROY-NO-CASCADE"
    if (found.cls, found.field) in ends:
        return BOUND["write"]
    if (found.field, cause.call.args[0]) != (name, handle):
        return "SET-ONLY-THAT"
    duplicate = cause.expect is not None and cause.expect.wanted is Wanted.NOTHING and found.verb == "add_to"
    return "MAP-DUPLICATE-UNCHANGED" if duplicate else WRITTEN.get(found.verb, "")


def _ends(api: Api, step: Step) -> bool:
    cls, _, name = step.call.message.partition(".")
    return cls in api.classes and name == api.classes[cls].destructor


def _field(message: Message) -> str:
    return f"{message.cls}.{message.field}" if message.field else message.full_name


def _element(api: Api, message: Message, last: Step, outcome: Outcome, made: frozenset[Handle]) -> str:
    name = _field_name(api, message, last, outcome, made)
    return f"{message.cls}.{name}" if name else message.cls


def _field_name(api: Api, message: Message, last: Step, outcome: Outcome, made: frozenset[Handle]) -> str:
    """Return the field that a reader told wrong: a getter's own, of a record the first that differs."""
    if message.name != "get_record" or not isinstance(outcome, Success) or last.expect is None:
        return message.field
    want: Value = last.expect.value or {}
    return next(iter(differing(api, message.cls, want, outcome.value, made)), "")
