"""How far a server got: what a run shows of each level, and the level that it reached.

The rules:
1. A level is held where every required clause of it was in the run, nothing of these failed or went wrong, and no part
   of them is untested. What was waived, or is no duty of the server, does not count against it.
2. The level reached is the last of those that are held one after the other from level 1 on.
3. Only a whole run shows a level: none is reached where the run is incomplete, was of some classes alone, or sent
   hostile input. PERSIST needs a server that can be restarted, so a level is held without it, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from xenconform.models.calls import Format
from xenconform.models.clauses import LEVELS, catalogue
from xenconform.models.results import ClauseResult, Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.words import plural

BY_REQUEST = frozenset({"PERSIST"})
"""Clauses that are in a run only where somebody asks for them."""


class Standing(StrEnum):
    """What a run shows of a level."""

    HELD = "held"
    FAILED = "failed"
    OPEN = "not wholly tested"
    IN_PART = "in part"
    ABSENT = "not in this run"


@dataclass(frozen=True, slots=True)
class Level:
    """A level: what the run shows of it, why in a few words, and how many of its clauses were in the run."""

    number: int
    name: str
    standing: Standing
    why: str
    selected: int
    known: int


def levels_of(results: Results) -> tuple[Level, ...]:
    """Return every level of the catalogue, by number."""
    return tuple(_level(number, name, results) for number, name in LEVELS.items())


def _level(number: int, name: str, results: Results) -> Level:
    known = [each for each in catalogue().values() if each.level == number]
    selected = [each for each in results.clauses if each.clause.level == number]
    standing, why = _standing(selected, {each.id for each in known if each.required})
    short = _short(results)
    if short and standing is Standing.HELD:
        standing, why = Standing.IN_PART, short
    return Level(number, name, standing, why, len(selected), len(known))


def _standing(selected: Sequence[ClauseResult], owed: set[str]) -> tuple[Standing, str]:
    required = [each for each in selected if each.clause.required]
    if not required:
        return Standing.ABSENT, "no required clause of it was in this run"
    failed = [each for each in required if each.verdict in {Verdict.FAIL, Verdict.ERROR}]
    if failed:
        return Standing.FAILED, f"{len(failed)} of {plural(len(required), 'required clause')} failed"
    untested = sum(each.counts[Verdict.UNTESTED] + (not each.parts) for each in required)
    if untested:
        return Standing.OPEN, f"nothing required failed, {plural(untested, 'part')} untested"
    missing = owed - {each.clause.id for each in required}
    if missing - BY_REQUEST:
        return Standing.IN_PART, f"{len(owed) - len(missing)} of its {plural(len(owed), 'required clause')} in this run"
    waived = sum(each.counts[Verdict.WAIVED] for each in required)
    told = [f"without {', '.join(sorted(missing))}"] * bool(missing) + [f"{plural(waived, 'part')} waived"] * bool(
        waived
    )
    return Standing.HELD, "; ".join(told) or f"all {plural(len(required), 'required clause')} held"


def reached(results: Results) -> tuple[int, str]:
    """Return the level reached, 0 for none, and why it is no higher or what it does not include, "" for nothing."""
    short = _short(results)
    if short:
        return 0, f"a level takes a whole run: {short}"
    level = 0
    for each in levels_of(results):
        if each.standing is not Standing.HELD:
            return level, f"level {each.number}, {each.name}: {each.standing}, {each.why}"
        level = each.number
    return level, "" if not _left_out(
        results
    ) else f"without {', '.join(_left_out(results))}, which was not in this run"


def _short(results: Results) -> str:
    """Return why a run shows no level whatever held in it, "" where it does."""
    if results.problem:
        return "this one is incomplete"
    if results.start.kind == "fuzz":
        return "this one sent hostile input alone"
    return f"this one was of {', '.join(results.start.classes)} alone" if results.start.classes else ""


def is_partial(results: Results) -> bool:
    """Whether a run left out, by choice, what a whole one has: classes, formats, or clauses that are required."""
    selected = {each.clause.id for each in results.clauses}
    owed = {each.id for each in catalogue().values() if each.required} - BY_REQUEST
    start = results.start
    return start.kind != "fuzz" and bool(start.classes or owed - selected or {*Format} - {*start.formats})


def _left_out(results: Results) -> list[str]:
    selected = {each.clause.id for each in results.clauses}
    return sorted(name for name in BY_REQUEST if name not in selected)
