"""Which clause a finding of the state machine is about, besides STATE-MODEL: what the server broke, in one table.

The last step of a reduced sequence is the reply that the rules do not allow; the step before it that changed, or should
have changed, what it tells is the cause. Both together name the clause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from xenconform.models.acts import changes_power, is_act
from xenconform.models.api import Api, Message, Relation
from xenconform.models.belief import Belief
from xenconform.models.binding import bonds
from xenconform.models.calls import Call, Failure, Outcome, Success
from xenconform.models.cases import Step, Wanted
from xenconform.models.matching import differing, handles_in
from xenconform.models.query import where_message
from xenconform.models.values import Handle

WRITTEN: Final[Mapping[str, str]] = {
    "set": "SET-VALUE",
    "add": "SET-ADD",
    "remove": "SET-REMOVE",
    "add_to": "MAP-ADD",
    "remove_from": "MAP-REMOVE",
}
"""By the verb of the accessor that wrote the field which then reads wrong."""
OF_POWER: Final = frozenset({"power_state", "resident_on"})
"""The fields of a VM that the messages of the power states change; another one that they change is nobody's rule."""
LOGOUT: Final = "session.logout"
LISTINGS: Final = frozenset({"get_all", "get_all_records", "get_all_records_where"})
BOUND: Final[Mapping[str, str]] = {"create": "BIND-CREATE", "destroy": "BIND-DESTROY", "write": "BIND-MOVE"}
"""By what was done last to an end of a pair, where an end then reads wrong."""


@dataclass(frozen=True, slots=True)
class Blame:
    """A clause, or "" where none but STATE-MODEL speaks of it, and the element: a field, or a class."""

    clause: str
    element: str


@dataclass(frozen=True, slots=True)
class Story:
    """What led to a finding: the steps, what was believed before each, and what the last brought, its refs inward."""

    api: Api
    steps: tuple[Step, ...]
    beliefs: tuple[Belief, ...]
    outcome: Outcome
    formats_matter: bool = False
    """Whether the last step tells the truth over another format."""
    plainer_is_right: bool = False
    """Whether the call of `plainer_reader`, in place of the last step, tells the truth."""

    @property
    def last(self) -> Step:
        """The step that failed."""
        return self.steps[-1]

    @property
    def made(self) -> frozenset[Handle]:
        """The objects that the steps made."""
        return frozenset(step.makes for step in self.steps if step.makes is not None)

    def had(self, at: int) -> bool:
        """Whether the set that a step adds to was known to hold the value already."""
        step = self.steps[at]
        handle, value = step.call.args
        record = self.beliefs[at].world.record(handle) or {}
        message = self.api.message(step.call.message)
        return message is not None and value in record.get(message.field, ())


def blame(story: Story) -> Blame:
    """Return what is to blame for the last step of a story."""
    api, steps, outcome, last = story.api, story.steps, story.outcome, story.last
    message = api.message(last.call.message) or where_message(api, last.call.message)
    if message is None or last.expect is None:
        return Blame("", "server")
    if last.session in _ended_sessions(steps[:-1]):
        return Blame("SESSION-LOGOUT", message.full_name)
    if last.expect.wanted is Wanted.NEW and isinstance(outcome, Success):
        return Blame("CREATE-NEW", message.cls)
    if story.formats_matter and isinstance(outcome, Success) and _reads(message):
        return Blame("WIRE-AGREE", _element(story, message))
    if changes_power(message):
        return Blame("LIFECYCLE-VM", message.full_name)
    if isinstance(outcome, Failure):
        return _refused(story, message)
    if last.expect.wanted is Wanted.NOTHING:
        return _carried_out(story, message)
    return _misread(story, message)


def _reads(message: Message) -> bool:
    return message.name.startswith("get_")


def _refused(story: Story, message: Message) -> Blame:
    """A call that should have succeeded was refused, or one was refused with a code that is not allowed."""
    api, steps, last = story.api, story.steps, story.last
    assert last.expect is not None
    if last.session and isinstance(story.outcome, Failure) and story.outcome.code == "SESSION_INVALID":
        return Blame(_session_lost(story), message.full_name)
    own = set(handles_in(last.call.args))
    ended = [step for step in steps[:-1] if _ends(api, step) and not own & set(handles_in(step.call.args))]
    lost = isinstance(story.outcome, Failure) and story.outcome.code == "HANDLE_INVALID"
    if message.name == "get_by_uuid":
        return Blame("UUID-LOOKUP", message.cls)
    if own and ended and (lost or _reads(message)):
        return Blame("DESTROY-NO-CASCADE", message.cls)
    if "MAP_DUPLICATE_KEY" in last.expect.codes and last.expect.wanted is Wanted.NOTHING:
        return Blame("MAP-DUPLICATE-KEY", _field(message))
    if message.verb == "add" and story.had(len(steps) - 1):
        return Blame("SET-ADD-DEDUP", _field(message))
    if message.verb in WRITTEN:
        return Blame(WRITTEN[message.verb], _field(message))
    return Blame("GET-EVERY-FIELD" if message.verb == "get" else "", _field(message))


def _session_lost(story: Story) -> str:
    """Return the clause by which a session that nobody ended should serve."""
    if any(step.call.message == LOGOUT for step in story.steps):
        return "SESSION-LOGOUT"
    formats = {step.format for step in story.steps if step.session == story.last.session}
    return "WIRE-SESSION-SHARED" if len(formats) > 1 else ""


def _carried_out(story: Story, message: Message) -> Blame:
    """A call that should have failed succeeded."""
    api, steps, last = story.api, story.steps, story.last
    assert last.expect is not None
    if "MAP_DUPLICATE_KEY" in last.expect.codes:
        return Blame("MAP-DUPLICATE-KEY", _field(message))
    if message.name == "get_by_uuid":
        return Blame("UUID-UNKNOWN", message.cls)
    own = set(handles_in(last.call.args))
    if any(_ends(api, step) and own & set(handles_in(step.call.args)) for step in steps[:-1]):
        again = message.name == api.classes[message.cls].destructor
        return Blame("DESTROY-AGAIN" if again else "DESTROY-GONE", message.cls if again else _field(message))
    if message.name == api.classes[message.cls].destructor:
        return Blame("DESTROY-REFERENCED", message.cls)
    return Blame("", _field(message))


def _misread(story: Story, message: Message) -> Blame:
    """A reader told something else than what was written."""
    api, steps = story.api, story.steps
    if message.name == "get_by_name_label":
        return Blame("LABEL-LOOKUP", message.cls)
    if message.name == "get_by_uuid":
        return Blame("UUID-LOOKUP", message.cls)
    place = _place(story, message)
    if place is None:
        return Blame(
            _mislisted(story) if any(_ends(api, step) for step in steps[:-1]) else "GET-ALL-AGREES", message.cls
        )
    handle, name = place
    element = f"{message.cls}.{name}"
    if story.plainer_is_right:
        return Blame("GET-ALL-AGREES" if message.name in LISTINGS else "GET-RECORD-AGREES", element)
    causes = [at for at, step in enumerate(steps[:-1]) if not step.call.message.partition(".")[2].startswith("get_")]
    if not causes:
        return Blame("GET-RECORD-AGREES", element)
    if name == "uuid":
        return Blame("SET-ONLY-THAT", element)
    return Blame(_cause(story, causes[-1], handle, name), element)


def _mislisted(story: Story) -> str:
    """Return the clause of a listing that is wrong after objects were ended: it lacks one, or has one too many."""
    assert isinstance(story.outcome, Success)
    assert story.last.expect is not None
    lacks = any(handle not in story.outcome.value for handle in story.last.expect.value)
    return "DESTROY-NO-CASCADE" if lacks else "DESTROY-GONE"


def plainer_reader(story: Story) -> Call | None:
    """Return the call that reads a wrong field of a record alone, or a wrong record of a listing; None for others."""
    message = story.api.message(story.last.call.message)
    read = message is not None and (message.name in LISTINGS or message.name == "get_record")
    if message is None or not read or not isinstance(story.outcome, Success) or story.last.expect is None:
        return None
    place = _place(story, message)
    if place is None:
        return None
    handle, name = place
    return Call(f"{message.cls}.{'get_record' if message.name in LISTINGS else f'get_{name}'}", (handle,))


def _place(story: Story, message: Message) -> tuple[Handle, str] | None:
    """Return the field that a reader told wrong, and of which object; None where it listed the wrong objects."""
    last, outcome = story.last, story.outcome
    assert isinstance(outcome, Success)
    assert last.expect is not None
    if message.name not in LISTINGS:
        return last.call.args[0], _field_name(story, message)
    want, got = last.expect.value, outcome.value
    if not isinstance(want, dict) or not isinstance(got, dict) or (story.made & got.keys()) != want.keys() & story.made:
        return None
    for handle, record in want.items():
        for name in differing(story.api, message.cls, record, got.get(handle, {}), story.made):
            return handle, name
    return None


def _cause(story: Story, at: int, handle: Handle, name: str) -> str:
    """Return the clause by what was done last before a field of an object read wrong."""
    api, cause = story.api, story.steps[at]
    found = api.message(cause.call.message)
    if cause.session in _ended_sessions(story.steps[:at]):
        return "SESSION-REQUIRED"
    # What a copy is like is no constructor's business.
    if found is None or cause.call.message == LOGOUT or (cause.makes is not None and is_act(api, found)):
        return ""
    if changes_power(found):
        return "LIFECYCLE-VM" if name in OF_POWER else ""
    relation = bonds(api).by_derived.get((handle.cls, name)) or bonds(api).by_owner.get((handle.cls, name))
    if cause.makes is not None:
        return BOUND["create"] if relation and cause.makes != handle else "CREATE-FIELDS"
    refused = cause.expect is not None and cause.expect.wanted is Wanted.NOTHING
    if _ends(api, cause):
        return "DESTROY-REFERENCED-UNCHANGED" if refused else BOUND["destroy"] if relation else "DESTROY-NO-CASCADE"
    if relation and (found.cls, found.field) in _both_ends(relation):
        return BOUND["write"]
    if not found.verb:
        return ""
    if (found.field, cause.call.args[0]) != (name, handle):
        return "SET-ONLY-THAT"
    if found.verb == "add_to" and refused:
        return "MAP-DUPLICATE-UNCHANGED"
    return "SET-ADD-DEDUP" if found.verb == "add" and story.had(at) else WRITTEN.get(found.verb, "")


def _ended_sessions(steps: tuple[Step, ...]) -> frozenset[int]:
    return frozenset(step.session for step in steps if step.call.message == LOGOUT)


def _both_ends(relation: Relation) -> tuple[tuple[str, str], tuple[str, str]]:
    return ((relation.owner_cls, relation.owner_field), (relation.derived_cls, relation.derived_field))


def _ends(api: Api, step: Step) -> bool:
    cls, _, name = step.call.message.partition(".")
    return cls in api.classes and name == api.classes[cls].destructor


def _field(message: Message) -> str:
    return f"{message.cls}.{message.field}" if message.field else message.full_name


def _element(story: Story, message: Message) -> str:
    name = _field_name(story, message)
    return f"{message.cls}.{name}" if name else message.cls


def _field_name(story: Story, message: Message) -> str:
    """Return the field that a reader told wrong: a getter's own, of a record the first that differs."""
    expect, outcome = story.last.expect, story.outcome
    if message.name != "get_record" or not isinstance(outcome, Success) or expect is None:
        return message.field
    return next(iter(differing(story.api, message.cls, expect.value or {}, outcome.value, story.made)), "")
