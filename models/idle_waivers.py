"""Which waivers of a run cover nothing any more: what they pin was mended, and they wait to hide it when it is back.

Only a run that would have seen the failure tells: of every class and wire format, in standard budget or more, that
asked a server, in which every part that a waiver speaks of was tested and passed. Where one failed otherwise, that
failure decides; where one could not be tested, or a run was kept to some classes, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from xenconform.models.calls import Format
from xenconform.models.integrity import LogError, day_of, waivers_of
from xenconform.models.profiles import Waiver
from xenconform.models.run import Run
from xenconform.models.verdicts import Verdict

if TYPE_CHECKING:
    from xenconform.models.results import ClauseResult


def idle_waivers(run: Run, clauses: Iterable[ClauseResult]) -> tuple[Waiver, ...]:
    """Return the waivers of a run that the run shows to cover nothing; none where it cannot tell."""
    start = run.start
    narrow = start.classes or start.budget not in {"standard", "thorough"} or set(start.formats) != set(Format)
    if not start.waivers or narrow or start.kind != "certify" or start.rejudged is not None:
        return ()
    return tuple(_idle(run, tuple(clauses)))


def _idle(run: Run, clauses: tuple[ClauseResult, ...]) -> Iterator[Waiver]:
    try:
        began = day_of(run.start)
    except LogError:  # a log without an instant is refused where it counts, by `verify`
        return
    used = {
        waiver
        for each in run.judgements
        if each.verdict is Verdict.WAIVED
        for waiver in waivers_of(run.start, each)
    }  # fmt: skip
    for waiver in run.start.waivers:
        verdicts = [
            part.verdict
            for each in clauses
            if each.clause.id == waiver.clause
            for part in each.parts
            if fnmatchcase(part.element, waiver.element)
        ]
        passed = bool(verdicts) and all(verdict is Verdict.PASS for verdict in verdicts)
        if passed and waiver not in used and not waiver.has_expired(began):
            yield waiver
