"""The levels as the page tells them: each with what the run shows of it, and the one that is reached.

What a level is and when it is reached is told by models/levels.py; here are the words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from xenconform.models.clauses import catalogue
from xenconform.models.extent import Extent, limits_of
from xenconform.models.levels import RESTARTED, Level, Standing, level_reached, levels_of, short_of
from xenconform.models.results import Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.words import plural


@dataclass(frozen=True, slots=True)
class Rung:
    """A level: its number and name, what the run shows of it in a word, how that is coloured, and why."""

    number: int
    name: str
    standing: str
    tone: str
    why: str


def rungs_of(results: Results) -> tuple[Rung, ...]:
    """Return every level, by number."""
    return tuple(_rung(each, results) for each in levels_of(results))


def _rung(level: Level, results: Results) -> Rung:
    owed = {each.id for each in catalogue().values() if each.level == level.number and each.required}
    found = [each for each in results.clauses if each.clause.id in owed]
    missing = owed - {each.clause.id for each in found}
    if level.standing is Standing.FAILED:
        why = f"{len(level.because)} of {plural(len(owed), 'required clause')} failed"
        return Rung(level.number, level.name, "failed", "bad", why)
    if not found:
        return Rung(level.number, level.name, "not in this run", "dim", "no required clause of it was in this run")
    if missing - RESTARTED:
        why = f"{len(found)} of its {plural(len(owed), 'required clause')} in this run"
        return Rung(level.number, level.name, "in part", "warn", why)
    if level.standing is Standing.UNTESTED:
        parts = sum(each.counts[Verdict.UNTESTED] + each.counts[Verdict.ERROR] + (not each.parts) for each in found)
        why = f"nothing required failed, {plural(parts, 'part')} of {plural(len(level.because), 'clause')} untested"
        return Rung(level.number, level.name, "not wholly tested", "warn", why)
    if short := short_of(results):
        return Rung(level.number, level.name, "in part", "warn", short)
    waived = sum(each.counts[Verdict.WAIVED] for each in found)
    said = [f"without {', '.join(sorted(missing))}"] * bool(missing) + [f"{plural(waived, 'part')} waived"] * bool(
        waived
    )
    why = "; ".join(said) or f"all {plural(len(owed), 'required clause')} held"
    return Rung(level.number, level.name, "met", "good", why)


def reached(results: Results) -> tuple[int, str]:
    """Return the level reached, 0 for none, and why it is no higher or what it does not include, "" for nothing."""
    if short := short_of(results):
        return 0, f"a level takes a whole run: {short}"
    level, rungs = level_reached(results), rungs_of(results)
    if level < len(rungs):
        above = rungs[level]
        return level, f"level {above.number}, {above.name}: {above.standing}, {above.why}"
    without = sorted(RESTARTED - {each.clause.id for each in results.clauses})
    return level, f"without {', '.join(without)}, which was not in this run" if without else ""


def is_partial(results: Results) -> bool:
    """Whether a run left out, by choice, what a whole one has: classes, formats, or clauses that are required."""
    start = replace(results.start, clauses=tuple(each.clause.id for each in results.clauses))
    owed = [each.id for each in catalogue().values() if each.required]
    chosen = {Extent.CLAUSES, Extent.FORMATS, Extent.CLASSES}
    return start.kind != "fuzz" and any(each.extent in chosen for each in limits_of(start, owed))
