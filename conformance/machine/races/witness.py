"""From a failing race to a case that anybody can run, and to the words of a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.machine.races.small import Small
from xenconform.conformance.machine.races.trial import Trial, start_of
from xenconform.models.api import Api
from xenconform.models.calls import Failure, Success
from xenconform.models.cases import Case, Outcomes, Step, shown
from xenconform.models.joint import joint_outcomes
from xenconform.models.linear import Op
from xenconform.models.types import MapOf, RecordOf, RefTo, SetOf, Str, Type, Void
from xenconform.models.values import Handle, UuidOf, Value, null

CLAUSE: Final = "CONC-LINEARIZABLE"
LONGEST: Final = 120
"""Characters that an element has at most; of longer ones the class alone is told."""
FEW: Final = 4
"""How many arguments of a call a finding's text has."""
TOLD: Final = 3
"""How many outcomes are told in a finding's text."""


def case_of(bench: Bench, small: Small) -> Case:
    """Return the case of a race that was made small."""
    trial = small.trial
    ops = trial.history
    steps = tuple(_numbered([op.step for op in ops]))
    joint = joint_outcomes(start_of(bench, trial), steps) if small.at_once else ()
    came = tuple(_inner(bench.api, op, _by_text(trial)) for op in ops)
    return Case(
        clause=CLAUSE,
        element=element_of(ops),
        steps=(*(told.step for told in trial.told), *steps),
        expected=_expected(steps, joint, came),
        actual=_lines(steps, came, joint),
        release=bench.api.release,
        joint=joint,
        repeats=small.repeats,
        note=_note(small, joint),
        came=came,
        spans=spans(ops),
    )


def element_of(history: Sequence[Op]) -> str:
    """Return what raced, `network.add_tags || network.add_tags`; the class alone where that is long."""
    branches: dict[int, dict[str, None]] = {}
    for op in history:
        if op.step.thread:
            branches.setdefault(op.step.thread, {})[op.step.call.message] = None
    text = " || ".join(sorted(", ".join(each) for each in branches.values()))
    if len(text) <= LONGEST:
        return text
    return history[0].step.call.message.partition(".")[0]


def spans(history: Sequence[Op]) -> tuple[tuple[int, int], ...]:
    """Return when each call was made and answered, in microseconds from the first."""
    first = min((op.invoked for op in history), default=0)
    return tuple(((op.invoked - first) // 1000, (op.responded - first) // 1000) for op in history)


def _numbered(steps: Sequence[Step]) -> list[Step]:
    """Return the steps with threads that count from 1."""
    numbers = {0: 0}
    for step in steps:
        numbers.setdefault(step.thread, len(numbers))
    return [replace(step, expect=None, thread=numbers[step.thread]) for step in steps]


def _note(small: Small, joint: Sequence[Outcomes]) -> str:
    if not small.rate:
        return "it did not happen again when the calls were made anew"
    often = f"it failed in {round(100 * small.rate)} of 100 tries"
    if not small.at_once:
        return f"{often}; each reply is allowed in some order of the calls, but in none that keeps to their times"
    return often if joint else f"{often}; what the calls may come to is too much to list"


def _expected(steps: Sequence[Step], joint: Sequence[Outcomes], came: Outcomes) -> str:
    if not 0 < len(joint) <= TOLD:
        return "replies that the calls could have had one after the other"
    return " or ".join(f"({_lines(steps, outcomes, (came, *joint))})" for outcomes in joint)


def _lines(steps: Sequence[Step], outcomes: Outcomes, others: Sequence[Outcomes]) -> str:
    """Return calls and what came of them; of records what other outcomes have otherwise."""
    return "; ".join(
        f"{_name(step)}: {_said(step, outcome, [other[at] for other in others])}"
        for at, (step, outcome) in enumerate(zip(steps, outcomes, strict=True))
    )


def _name(step: Step) -> str:
    args = ["{…}" if isinstance(each, dict) and each else shown(each) for each in step.call.args]
    where = f"thread {step.thread}" if step.thread else "then"
    return f"{where} {step.call.message}({', '.join(args[:FEW])}{', …' if len(args) > FEW else ''})"


def _said(step: Step, outcome: Success | Failure, others: Sequence[Success | Failure]) -> str:
    if isinstance(outcome, Failure):
        return "a failure" if outcome.code == "*" else f"failure {outcome.code}"
    value = outcome.value
    told = [other.value for other in others if isinstance(other, Success)]
    if told and step.call.message.endswith(".get_record"):
        value = {n: v for n, v in value.items() if any(n in other and other[n] != v for other in told)}
        return f"{shown(value)[:-1]}{', ' if value else ''}…}}"
    return "success" if value is None else shown(value)


def _inner(api: Api, op: Op, uuids: Mapping[str, Handle]) -> Success | Failure:
    """Return an outcome without anything that is one server's own: uuids by their objects, refs of others left out."""
    outcome, message = op.outcome, api.message(op.step.call.message)
    if isinstance(outcome, Failure):
        return Failure(outcome.code)
    of = message.result if message is not None else Void()
    return Success(_renamed(api, of, outcome.value, uuids))


def _renamed(api: Api, of: Type, value: Value, uuids: Mapping[str, Handle]) -> Value:
    match of:
        case Str():
            return UuidOf(uuids[value]) if value in uuids else value
        case RefTo(cls):
            return value if isinstance(value, Handle) else null(cls)
        case SetOf(item):
            return tuple(_renamed(api, item, each, uuids) for each in value if not _is_of_others(item, each))
        case MapOf(key, item):
            kept = {k: each for k, each in value.items() if not _is_of_others(key, k)}
            return {k: _renamed(api, item, each, uuids) for k, each in kept.items() if not _is_of_others(item, each)}
        case RecordOf(cls):
            fields = api.classes[cls].fields
            kept = {n: each for n, each in value.items() if n in fields and not _is_of_others(fields[n].type, each)}
            return {n: _renamed(api, fields[n].type, each, uuids) for n, each in kept.items()}
        case _:
            return value


def _is_of_others(of: Type, value: Value) -> bool:
    return isinstance(of, RefTo) and not isinstance(value, Handle)


def _by_text(trial: Trial) -> dict[str, Handle]:
    """Return whose uuid each text is: where two objects have one, the first one's."""
    found: dict[str, Handle] = {}
    for handle, text in trial.uuids:
        found.setdefault(text, handle)
    return found
