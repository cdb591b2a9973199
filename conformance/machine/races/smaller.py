"""What is smaller than a race: a table of the ways to leave something out, each tried in its turn.

From a race and a count, each gives a smaller race, the race itself where there is none at that count, and None where
the count is through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from xenconform.conformance.machine.races.trial import Race
from xenconform.conformance.machine.reducing import without
from xenconform.models.cases import Step
from xenconform.models.matching import handles_in

Smaller = Callable[[Race, int], Race | None]
"""See the module."""


def _one_field(race: Race, at: int) -> Race | None:
    """Keep the calls on one field, or those on no field."""
    fields = list(dict.fromkeys(_field(step) for step in race.racing))
    if at >= len(fields):
        return None
    return _with(race, tuple(tuple(step for step in branch if _field(step) == fields[at]) for branch in race.branches))


def _fewer_threads(race: Race, at: int) -> Race | None:
    """Leave out one thread of more than two."""
    if at >= len(race.branches):
        return None
    return _with(race, tuple(() if place == at else branch for place, branch in enumerate(race.branches)))


def _fewer_calls(race: Race, at: int) -> Race | None:
    """Leave out one call, the last first."""
    places = [(b, c) for b, branch in enumerate(race.branches) for c in range(len(branch))]
    if at >= len(places):
        return None
    gone = places[-1 - at]
    left = tuple(
        without(branch, {c for c in range(len(branch)) if (b, c) == gone}) for b, branch in enumerate(race.branches)
    )
    return _with(race, left)


def _fewer_objects(race: Race, at: int) -> Race | None:
    """Leave out the objects that nothing is about."""
    if at:
        return None
    used = {handle for step in (*race.racing, *race.together) for handle in handles_in(step.call.args)}
    for step in reversed(race.prefix):
        if step.makes in used:
            used.update(handles_in(step.call.args))
    return replace(
        race, prefix=without(race.prefix, {i for i, s in enumerate(race.prefix) if s.makes not in used and s.makes})
    )


def _getters(race: Race, at: int) -> Race | None:
    """Read the field that was written in place of the whole record."""
    if at >= len(race.together):
        return None
    step = race.together[at]
    cls, _, name = step.call.message.partition(".")
    fields = [_field(each) for each in race.racing if _field(each).startswith(f"{cls}.")]
    if name != "get_record" or not fields:
        return race
    getter = replace(step, call=replace(step.call, message=fields[0].replace(".", ".get_", 1)))
    return replace(race, together=(*race.together[:at], getter, *race.together[at + 1 :]))


def _plain_ways(race: Race, at: int) -> Race | None:
    """Use one format, one session, no delays."""
    fmt = race.prefix[0].format if race.prefix else race.racing[0].format
    match at:
        case 0:
            return _changed(_prompt(race), lambda step: replace(step, format=fmt, session=0))
        case 1:
            return _changed(race, lambda step: replace(step, format=fmt))
        case 2:
            return _changed(race, lambda step: replace(step, session=0))
        case 3:
            return _prompt(race)
        case _:
            return None


def _prompt(race: Race) -> Race:
    return replace(race, delays=tuple(0 for _ in race.delays))


def _changed(race: Race, change: Callable[[Step], Step]) -> Race:
    return Race(
        tuple(map(change, race.prefix)),
        tuple(tuple(map(change, branch)) for branch in race.branches),
        tuple(map(change, race.together)),
        race.delays,
    )


def _with(race: Race, branches: tuple[tuple[Step, ...], ...]) -> Race:
    """Return the race with these branches, empty ones and the reads of what is no longer made left out.

    The race itself where fewer than two branches are left.
    """
    if sum(map(bool, branches)) < 2:
        return race
    kept = [(branch, delay) for branch, delay in zip(branches, race.delays, strict=False) if branch]
    branches, delays = tuple(branch for branch, _ in kept), tuple(delay for _, delay in kept)
    made = {step.makes for step in (*race.prefix, *(s for branch in branches for s in branch)) if step.makes}
    together = tuple(step for step in race.together if set(handles_in(step.call.args)) <= made)
    return Race(race.prefix, branches, together, delays)


def _field(step: Step) -> str:
    """Return the field that an accessor is about, with its class, "" for other messages."""
    cls, _, name = step.call.message.partition(".")
    for verb in ("remove_from_", "add_to_", "remove_", "add_", "set_", "get_"):
        if name.startswith(verb) and not name.startswith(("get_record", "get_all", "get_by_")):
            return f"{cls}.{name.removeprefix(verb)}"
    return ""


WAYS: Final[tuple[Smaller, ...]] = (
    _one_field,
    _fewer_threads,
    _fewer_calls,
    _fewer_objects,
    _getters,
    _plain_ways,
)
"""In the order in which they are tried."""
