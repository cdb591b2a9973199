"""Expectations that hold on any server: no uuid that one server chose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xenconform.models.calls import Failure, Success
from xenconform.models.cases import Case, Step, Wanted
from xenconform.models.types import MapOf, RecordOf, RefTo, Str, Type
from xenconform.models.values import Handle, UuidOf, Value

IsOwn = Callable[[Handle, str], bool]
"""Whether a text is the uuid that a server gave an object."""


def settled(case: Case) -> Case:
    """Return a case in which a uuid that must come back is named after its object, where an earlier step reads it.

    A uuid that the case itself gives an object stays as it is.
    """
    given = repr([step.call.args for step in case.steps])
    read: set[Handle] = set()

    names: dict[str, str] = {}

    def is_own(handle: Handle, uuid: str) -> bool:
        if handle not in read or repr(uuid) in given:
            return False
        names[uuid] = str(UuidOf(handle))
        return True

    steps = []
    for step in case.steps:
        steps.append(_settled(step, is_own))
        subject = _subject(step)
        if subject is not None and step.call.message.endswith((".get_uuid", ".get_record")):
            read.add(subject)
    told = [step for step in steps if step.thread or step.together]
    joint = [
        tuple([_outcome(step, each, is_own) for step, each in zip(told, outcomes, strict=False)])
        for outcomes in case.joint
    ]
    expected, actual = case.expected, case.actual
    for uuid, name in names.items():
        expected, actual = (text.replace(repr(uuid), name) for text in (expected, actual))
    return replace(case, steps=tuple(steps), joint=tuple(joint), expected=expected, actual=actual)


def _outcome(step: Step, outcome: Success | Failure, is_own: IsOwn) -> Success | Failure:
    if not isinstance(outcome, Success) or step.expect is None:
        return outcome
    return Success(_value(step, step.expect.type, outcome.value, is_own))


def _settled(step: Step, is_own: IsOwn) -> Step:
    expect = step.expect
    if expect is None or expect.wanted is not Wanted.VALUE:
        return step
    return replace(step, expect=replace(expect, value=_value(step, expect.type, expect.value, is_own)))


def _value(step: Step, of: Type, value: Value, is_own: IsOwn) -> Value:
    if isinstance(of, Str) and not step.call.message.endswith(".get_uuid"):
        return value
    return _own(of, value, _subject(step), is_own)


def _subject(step: Step) -> Handle | None:
    """Return the object that a step is about."""
    return next((arg for arg in step.call.args[:1] if isinstance(arg, Handle)), None)


def _own(of: Type, value: Value, subject: Handle | None, is_own: IsOwn) -> Value:
    match of, value:
        case Str(), str() if subject is not None and is_own(subject, value):
            return UuidOf(subject)
        case RecordOf(), {"uuid": str(uuid)} if subject is not None and is_own(subject, uuid):
            return {**value, "uuid": UuidOf(subject)}
        case MapOf(RefTo(), RecordOf() as item), dict():
            return {key: _own(item, each, key, is_own) for key, each in value.items()}
        case _:
            return value
