"""A finding in words: what was expected and what came, of large values only where they differ."""

from __future__ import annotations

from collections.abc import Container, Mapping

from xenconform.models.api import Api
from xenconform.models.calls import Breach, Failure, Outcome
from xenconform.models.cases import Expect, Wanted, shown
from xenconform.models.matching import differing
from xenconform.models.types import MapOf, RecordOf
from xenconform.models.values import Handle, Value

MANY = 6
"""How many objects or members a text names at most."""


def told(api: Api, expect: Expect, outcome: Outcome, made: Container[Handle]) -> tuple[str, str]:
    """Return what was expected and what came, in a line each; refs of objects without a name stay out.

    Args:
        api: tells the fields of records.
        expect: what was expected.
        outcome: what came, its refs turned inward.
        made: the objects that count, as `models.matching.meets` takes them.
    """
    if isinstance(outcome, Breach):
        return str(expect), f"no answer ({outcome.kind}): {outcome.detail}"
    if isinstance(outcome, Failure):
        return str(expect), f"failure {outcome.code} [{', '.join(str(each)[:80] for each in outcome.params)}]"
    if expect.wanted is not Wanted.VALUE:
        return str(expect), f"success {shown(outcome.value)}"
    match expect.type:
        case RecordOf(cls):
            return _records(api, cls, expect.value, outcome.value, made)
        case MapOf(_, RecordOf(cls)):
            return _listings(api, cls, expect.value, outcome.value, made)
        case _:
            return f"success {shown(_named(expect.value))}", f"success {shown(_named(outcome.value))}"


def _records(
    api: Api, cls: str, want: Mapping[str, Value], got: Mapping[str, Value], made: Container[Handle]
) -> tuple[str, str]:
    names = differing(api, cls, want, got, made)[:MANY]
    expected = ", ".join(f"{name} {shown(_named(want[name]))}" for name in names)
    actual = ", ".join(f"{name} {shown(_named(got[name])) if name in got else 'missing'}" for name in names)
    return expected, actual


def _listings(
    api: Api, cls: str, want: Mapping[Handle, Value], got: Mapping[Value, Value], made: Container[Handle]
) -> tuple[str, str]:
    missing = [handle for handle in want if handle not in got]
    surplus = [handle for handle in got if isinstance(handle, Handle) and handle in made and handle not in want]
    if missing or surplus:
        listed = [handle for handle in got if handle in want or handle in surplus]
        return f"a listing of {_few(list(want))}", f"a listing of {_few(listed)}"
    for handle, record in want.items():
        if differing(api, cls, record, got[handle], made):
            expected, actual = _records(api, cls, record, got[handle], made)
            return f"{handle} with {expected}", f"{handle} with {actual}"
    return "the same listing", "the same listing"


def _few(handles: list[Handle]) -> str:
    named = ", ".join(str(each) for each in handles[:MANY]) or "none"
    return f"{named} and {len(handles) - MANY} more" if len(handles) > MANY else named


def _named(value: Value) -> Value:
    """Return a set of refs without those that have no name here; their number tells nothing."""
    if isinstance(value, tuple) and any(isinstance(each, Handle) for each in value):
        return tuple(each for each in value if isinstance(each, Handle))
    return value
