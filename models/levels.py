"""The levels that a run shows a server to reach.

The rules: a level is met where every required clause of it that the catalogue has was run, none failed and no part was
left untested; a waiver keeps a level, and so does what is no duty of the server. The level that is reached is the
highest one up to which all are met; 0 is none. A run that could not be finished, one of the fuzzer, and one of some
classes alone reach none.
PERSIST needs a restart that not everybody can give: where it was not run, the level says nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from xenconform.models.clauses import LEVELS, catalogue
from xenconform.models.results import Results
from xenconform.models.verdicts import Verdict

RESTARTED = frozenset({"PERSIST"})
"""The clauses that cannot be judged without a restart."""

_OPEN = (Verdict.UNTESTED, Verdict.ERROR)


class Standing(StrEnum):
    """How a server stands on one level; the values are the words shown."""

    MET = "met"
    FAILED = "failed"
    UNTESTED = "untested"
    """Nothing required failed, and some of it was not tested."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level: its number, its name, how the server stands on it, and the clauses that keep it from being met."""

    number: int
    name: str
    standing: Standing
    because: tuple[str, ...] = ()


def levels_of(results: Results) -> tuple[Level, ...]:
    """Return every level, the lowest first."""
    return tuple(_level(results, number, name) for number, name in LEVELS.items())


def level_reached(results: Results) -> int:
    """Return the highest level up to which all are met, 0 where not even the first is."""
    if short_of(results):
        return 0
    reached = 0
    for level in levels_of(results):
        if level.standing is not Standing.MET:
            break
        reached = level.number
    return reached


def short_of(results: Results) -> str:
    """Return why a run reaches no level, whatever is met in it; "" where it may reach one."""
    if results.problem:
        return "the run is incomplete"
    if results.start.kind == "fuzz":
        return "hostile input alone was sent"
    return f"only {', '.join(results.start.classes)} was tested" if results.start.classes else ""


def _level(results: Results, number: int, name: str) -> Level:
    found = {each.clause.id: each for each in results.clauses if each.clause.level == number and each.clause.required}
    failed = tuple(name for name, each in found.items() if each.counts[Verdict.FAIL])
    wanted = {clause.id for clause in catalogue().values() if clause.level == number and clause.required} - RESTARTED
    untested = [name for name, each in found.items() if not each.parts or any(map(each.counts.get, _OPEN))]
    missing = (*untested, *sorted(wanted - found.keys()))
    if failed:
        return Level(number, name, Standing.FAILED, failed)
    return Level(number, name, Standing.UNTESTED if missing else Standing.MET, missing)
