"""From judgements to a verdict on each clause and on the server."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from xenconform.models.calls import Format
from xenconform.models.events import Rejudged, RunStart
from xenconform.models.profiles import Waiver
from xenconform.models.results import Overall, Results, summarise
from xenconform.models.run import Run, RunEnd
from xenconform.models.verdicts import ANYTHING, Judgement, Verdict

P, F, U, W, N, E = Verdict
MUST, SHOULD, ROBUST = "SET-VALUE", "WHERE", "ROBUST-ALIVE"


def judged(*verdicts: Verdict, clause: str = MUST, same: bool = False) -> tuple[Judgement, ...]:
    return tuple(Judgement(clause, "VM.a" if same else f"VM.f{n}", "xmlrpc", each) for n, each in enumerate(verdicts))


def run(*judgements: Judgement, clauses: tuple[str, ...] = (MUST,)) -> Run:
    return Run(RunStart(clauses=clauses), {}, judgements, RunEnd(1, 1.0), 1)


def outcome(results: Results) -> tuple[Overall, int]:
    return results.verdict, results.verdict.exit_code


@pytest.mark.parametrize(
    ("verdicts", "clause"),
    [
        ((P, P), P),
        ((P, U), P),
        ((U, U), U),
        ((U, N), U),
        ((N, N), N),
        ((P, N), P),
        ((P, W), W),
        ((W, F), F),
        ((P, F, U), F),
        ((F, E), E),
        ((), U),
    ],
)
def test_a_clause_is_as_bad_as_its_worst_part(verdicts: tuple[Verdict, ...], clause: Verdict) -> None:
    """Errors outweigh failures, failures waivers, waivers passes, passes what is untested or unsupported."""
    result = summarise(run(*judged(*verdicts))).clauses[0]
    assert result.verdict is clause
    assert sum(result.counts.values()) == len(verdicts)
    assert set(result.counts) == set(Verdict)


def test_judgements_on_one_thing_become_one_part() -> None:
    """A part that was untested in one check and passed in another counts once, as passed; a failure prevails."""
    assert summarise(run(*judged(U, P, U, same=True))).clauses[0].counts == {P: 1, F: 0, U: 0, W: 0, N: 0, E: 0}
    assert summarise(run(*judged(P, F, P, same=True))).clauses[0].counts[F] == 1


@pytest.mark.parametrize(
    ("judgements", "verdict", "code"),
    [
        (judged(P, P), Overall.CONFORMANT, 0),
        (judged(P, N, W), Overall.CONFORMANT, 0),
        (judged(P, F, U), Overall.NOT_CONFORMANT, 1),
        (judged(P, U), Overall.UNTESTED_PARTS, 4),
        (judged(P) + judged(F, U, clause=SHOULD), Overall.CONFORMANT, 0),
        (judged(P) + judged(F, clause=ROBUST), Overall.NOT_CONFORMANT, 1),
        (judged(P) + judged(U, clause=ROBUST), Overall.UNTESTED_PARTS, 4),
        (judged(P, F) + judged(E, clause=SHOULD), Overall.INCOMPLETE, 3),
    ],
)
def test_the_verdict_on_the_server(judgements: tuple[Judgement, ...], verdict: Overall, code: int) -> None:
    """MUST and ROBUST clauses decide, SHOULD clauses never; an error of our own leaves no verdict."""
    clauses = tuple(dict.fromkeys(each.clause for each in judgements))
    assert outcome(summarise(run(*judgements, clauses=clauses))) == (verdict, code)


def test_a_selected_clause_without_judgements_is_untested() -> None:
    """A MUST clause that was selected and never ran leaves required parts untested; a SHOULD does not."""
    assert outcome(summarise(run(*judged(P), clauses=(MUST, "SET-ADD")))) == (Overall.UNTESTED_PARTS, 4)
    assert outcome(summarise(run(*judged(P), clauses=(MUST, SHOULD)))) == (Overall.CONFORMANT, 0)


def test_that_nothing_was_judged_counts_where_it_is_all() -> None:
    """One worker's having nothing to judge of a clause is its verdict, unless another worker judged something."""
    nothing = Judgement(MUST, ANYTHING, "", U, reason="no VM can be made")
    assert outcome(summarise(run(nothing, clauses=(MUST,)))) == (Overall.UNTESTED_PARTS, 4)
    assert [part.because for part in summarise(run(nothing)).parts(U)] == [(nothing,)]
    assert outcome(summarise(run(nothing, *judged(P), clauses=(MUST,)))) == (Overall.CONFORMANT, 0)


WAIVER = Waiver(MUST, "VM.*", "the flag", "known", "https://e/1", date(2026, 12, 31))
BROAD = RunStart(
    clauses=(MUST, SHOULD),
    formats=tuple(Format),
    budget="standard",
    started="2026-11-27T10:00:00+00:00",
    waivers=(WAIVER,),
)


@pytest.mark.parametrize(
    ("changed", "verdicts", "idle"),
    [
        ({}, (P, P), True),
        ({}, (P, W), False),
        ({}, (P, U), False),
        ({}, (U, U), False),
        ({}, (P, F), False),
        ({"budget": "thorough"}, (P,), True),
        ({"budget": "quick"}, (P,), False),
        ({"classes": ("VM",)}, (P,), False),
        ({"formats": ("xmlrpc", "jsonrpc2")}, (P,), False),
        ({"kind": "fuzz"}, (P,), False),
        ({"started": "2027-01-01T00:00:00+00:00"}, (P,), False),
        ({"started": ""}, (P,), False),
        ({"rejudged": Rejudged("", "")}, (P,), False),
        ({"waivers": (replace(WAIVER, element="network.*"),)}, (P,), False),
        ({"waivers": (replace(WAIVER, clause=SHOULD),)}, (P,), False),
    ],
)
def test_a_waiver_that_covers_nothing_any_more_leaves_a_whole_run_without_a_verdict(
    changed: dict[str, Any], verdicts: tuple[Verdict, ...], *, idle: bool
) -> None:
    """It says so of a run that would have seen the failure, where all that the waiver speaks of passed."""
    told = tuple(replace(each, actual="the flag" if each.verdict is W else "") for each in judged(*verdicts))
    results = summarise(replace(run(*told), start=replace(BROAD, **changed)))
    assert (results.verdict is Overall.INCOMPLETE) is idle
    assert ("SET-VALUE on VM.*, 'the flag' (https://e/1)" in results.problem) is idle


def test_an_idle_waiver_takes_no_failure_away() -> None:
    """Where a clause failed that no waiver speaks of, that is the verdict."""
    both = (*judged(P), *judged(F, clause=ROBUST))
    start = replace(BROAD, clauses=(MUST, ROBUST))
    assert outcome(summarise(replace(run(*both), start=start))) == (Overall.NOT_CONFORMANT, 1)


def test_judgements_on_clauses_that_were_not_selected_do_not_count() -> None:
    """A failure outside the selection neither shows nor decides."""
    results = summarise(run(*judged(P), *judged(F, clause="SET-ADD")))
    assert outcome(results) == (Overall.CONFORMANT, 0)
    assert [each.clause.id for each in results.clauses] == [MUST]


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (replace(run(*judged(F)), end=None), "the log breaks off before the run's end"),
        (replace(run(*judged(F)), cut=True), "the log breaks off before the run's end"),
        (replace(run(*judged(F)), end=RunEnd(1, 1, interrupted=True)), "the run was interrupted"),
        (replace(run(*judged(P)), end=RunEnd(0, 0, error="no route to host")), "no route to host"),
        (run(*judged(P, E)), "errors of our own in 1 part"),
        (run(), "nothing was judged"),
        (Run(), "the log breaks off before the run's end"),
    ],
)
def test_an_incomplete_run_is_no_verdict(broken: Run, problem: str) -> None:
    """Whatever was found until then, a run that was not finished ends with 3 and says why."""
    results = summarise(broken)
    assert outcome(results) == (Overall.INCOMPLETE, 3)
    assert results.problem == problem


def test_clauses_come_in_the_catalogues_order() -> None:
    """The order of the log does not matter: clauses come by level, parts by element and format."""
    judgements = judged(P, clause=ROBUST) + judged(P, U, clause=MUST) + judged(P, clause="WIRE-VOID")
    forth = summarise(run(*judgements, clauses=()))
    back = summarise(run(*reversed(judgements), clauses=()))
    assert forth.clauses == back.clauses
    assert [each.clause.id for each in forth.clauses] == ["WIRE-VOID", MUST, ROBUST]


def test_a_clause_of_another_version_is_reported_all_the_same() -> None:
    """A log may name a clause that this catalogue lacks: it is kept, at level 0, and decides."""
    results = summarise(run(*judged(F, clause="NEW-RULE"), clauses=("NEW-RULE",)))
    assert outcome(results) == (Overall.NOT_CONFORMANT, 1)
    assert results.clauses[0].clause.level == 0
