"""What a run comes to: a verdict on every clause and one on the server.

The rules, in this order; each says what it takes away from the ones after it:

1. Judgements on the same clause, element and format become one by `verdicts.worst`: a part that passed once counts
   as tested, a part that failed once has failed.
2. A clause's verdict is the worst of its parts. So parts that passed stand for the clause where others could not be
   tested, and those are counted and listed; a clause of which nothing was recorded is UNTESTED: not run.
3. The server's verdict and the exit code, over the selected clauses:
   - 3 INCOMPLETE: the log breaks off, somebody stopped the run, an error was our own, or nothing was judged at all;
     what was found until then is listed, and yet it is no verdict. So it is where nothing failed and a waiver covers
     nothing any more: the profile tells of a failure that the server does not have, see models/idle_waivers.py;
   - 1 NOT CONFORMANT: a part of a MUST or ROBUST clause failed;
   - 4 UNTESTED PARTS: none failed, and a part of a MUST or ROBUST clause was not tested;
   - 0 CONFORMANT: all of these passed, were waived, or are no duty of this server. SHOULD clauses never decide. Of a
     run of the fuzzer it is NOTHING FOUND: that hostile input shows no defect makes no server conform.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from xenconform.models.clauses import Clause, Severity, catalogue
from xenconform.models.exchange import Exchange
from xenconform.models.idle_waivers import idle_waivers
from xenconform.models.run import Run, RunStart, SavedCase
from xenconform.models.traffic import Traffic
from xenconform.models.verdicts import ANYTHING, Judgement, Verdict, worst

NOT_RUN = "not run"
"""The reason of a selected clause of which the log has nothing."""
_Timed: TypeAlias = tuple[Judgement, float]
"""A judgement, and how many seconds it took."""


class Overall(StrEnum):
    """The verdict on a server."""

    CONFORMANT = "CONFORMANT"
    NOTHING_FOUND = "NOTHING FOUND"
    NOT_CONFORMANT = "NOT CONFORMANT"
    INCOMPLETE = "INCOMPLETE"
    UNTESTED_PARTS = "UNTESTED PARTS"

    @property
    def exit_code(self) -> int:
        """The exit code of a run that ends so; 2 is kept for errors of usage, which have no run."""
        return {"NOT CONFORMANT": 1, "INCOMPLETE": 3, "UNTESTED PARTS": 4}.get(self.value, 0)


@dataclass(frozen=True, slots=True)
class Part:
    """One element × format of a clause: its verdict, and the judgements that make it so, at least one.

    `seconds` are those that it took, each judgement from the one before it in the log; 0 where the log does not say.
    """

    clause: Clause
    element: str
    format: str
    verdict: Verdict
    because: tuple[Judgement, ...]
    seconds: float = 0.0

    @property
    def at(self) -> float:
        """How many seconds the run was old when it was last judged so; 0 where the log does not say."""
        return max(each.seconds for each in self.because)

    @property
    def label(self) -> str:
        """The element with its format: `network.tags[xmlrpc]`."""
        return f"{self.element}[{self.format}]" if self.format else self.element


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """A clause with its verdict and its parts, by element and format."""

    clause: Clause
    verdict: Verdict
    parts: tuple[Part, ...]

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many parts came out how, with every verdict present."""
        seen = Counter(part.verdict for part in self.parts)
        return {verdict: seen[verdict] for verdict in Verdict}


@dataclass(frozen=True, slots=True)
class Results:
    """A run's outcome: all that any report tells."""

    start: RunStart
    clauses: tuple[ClauseResult, ...]
    exchanges: Mapping[int, Exchange]
    calls: int
    seconds: float
    problem: str
    """Why the run is incomplete, or ""."""
    left: tuple[str, ...] | None = None
    """What the run left behind; None where its log does not say."""
    cases: Mapping[str, SavedCase] = field(default_factory=dict)
    traffic: Traffic = field(default_factory=Traffic, compare=False, repr=False)

    @property
    def verdict(self) -> Overall:
        """The verdict on the server."""
        required = [each for each in self.clauses if each.clause.required]
        if self.problem:
            return Overall.INCOMPLETE
        if any(each.counts[Verdict.FAIL] for each in required):
            return Overall.NOT_CONFORMANT
        if any(each.counts[Verdict.UNTESTED] or not each.parts for each in required):
            return Overall.UNTESTED_PARTS
        return Overall.NOTHING_FOUND if self.start.kind == "fuzz" else Overall.CONFORMANT

    def parts(self, verdict: Verdict) -> tuple[Part, ...]:
        """Return the parts that came out so, in the order of the clauses."""
        return tuple(part for each in self.clauses for part in each.parts if part.verdict is verdict)


def summarise(run: Run) -> Results:
    """Return what a run comes to, as the rules on top say.

    Judgements on clauses that were not selected are left out; a log that names no selection is taken as one of every
    clause that it judges.
    """
    grouped: dict[str, dict[tuple[str, str], list[_Timed]]] = {name: {} for name in run.start.clauses}
    for judgement, seconds in _timed(run.judgements):
        if judgement.clause in grouped or not run.start.clauses:
            parts = grouped.setdefault(judgement.clause, {})
            parts.setdefault((judgement.element, judgement.format), []).append((judgement, seconds))
    order = {name: at for at, name in enumerate(catalogue())}
    names = sorted(grouped, key=lambda name: (order.get(name, len(order)), name))
    clauses = tuple(_clause_result(_clause(name), grouped[name]) for name in names)
    return Results(
        start=run.start,
        clauses=clauses,
        exchanges=run.exchanges,
        calls=run.end.calls if run.end else run.calls,
        seconds=run.end.seconds if run.end else 0.0,
        problem=_problem(run, clauses),
        left=run.end.left if run.end else None,
        cases=run.cases,
        traffic=run.summed(),
    )


def _clause(name: str) -> Clause:
    """Return the clause, or a stand-in of level 0 for one of a log that another version wrote."""
    return catalogue().get(name) or Clause(name, 0, Severity.MUST, "not in this version's catalogue", "")


def _timed(judgements: Iterable[Judgement]) -> Iterator[_Timed]:
    """Yield each judgement with the seconds from the one before it, 0 where either does not say when it was.

    In a log of several workers one follows the other, each with a clock of its own: the first of each took 0.
    """
    before = 0.0
    for each in judgements:
        yield each, each.seconds - before if 0 < before <= each.seconds else 0.0
        before = each.seconds


def _clause_result(clause: Clause, grouped: Mapping[tuple[str, str], list[_Timed]]) -> ClauseResult:
    """Return a clause's result; that one of several workers had nothing of it to judge counts only where none had."""
    something = {key: grouped[key] for key in grouped if key[0] != ANYTHING}
    grouped = something or grouped
    parts = tuple(_part(clause, *key, grouped[key]) for key in sorted(grouped))
    return ClauseResult(clause, worst([part.verdict for part in parts]), parts)


def _part(clause: Clause, element: str, wire: str, timed: list[_Timed]) -> Part:
    verdict = worst([each.verdict for each, _ in timed])
    because = tuple(dict.fromkeys(each for each, _ in timed if each.verdict is verdict))
    return Part(clause, element, wire, verdict, because, round(sum(seconds for _, seconds in timed), 3))


def _problem(run: Run, clauses: Sequence[ClauseResult]) -> str:
    """Return why a run is incomplete; the plainest reason first."""
    errors = sum(each.counts[Verdict.ERROR] for each in clauses)
    if run.end and run.end.error:
        return run.end.error
    if run.end and run.end.interrupted:
        return "the run was interrupted"
    if run.incomplete:
        return "the log breaks off before the run's end"
    if errors:
        return f"errors of our own in {errors} part{'s' * (errors != 1)}"
    failed = any(each.clause.required and each.counts[Verdict.FAIL] for each in clauses)
    if not failed and (idle := idle_waivers(run, clauses)):
        told = "; ".join(f"{each.clause} on {each.element}, {each.failure!r} ({each.link})" for each in idle)
        return f"waivers that cover nothing any more, take them out of the profile: {told}"
    return "" if run.judgements else "nothing was judged"
