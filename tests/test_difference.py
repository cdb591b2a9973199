"""What changed from one run to the next: each kind of change, what is no change, and what cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from xenconform.models.difference import Asked, Difference, Kind, Outcome, compare
from xenconform.models.run import Run, RunEnd, RunStart
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.models.weakness import MEANING

P, F, U, W, N, E = Verdict
MUST, SHOULD, ROBUST = "SET-VALUE", "WHERE", "ROBUST-ALIVE"
START = RunStart(
    "1.0", 7, "http://h", "24.18.0", "xapi", "own", "quick", ("xmlrpc", "jsonrpc1"), (), "2026-01-02T03:04:05Z"
)
END = RunEnd(100, 10.0)


def said(verdict: Verdict, element: str = "VM.a", clause: str = MUST, wire: str = "xmlrpc") -> Judgement:
    reason = "" if verdict in {P, F} else f"{element} says no"
    wrong = ("a", "b") if verdict is F else ("", "")
    return Judgement(clause, element, wire, verdict, reason, *wrong)


def run(*judgements: Judgement, start: RunStart = START, end: RunEnd | None = END) -> Run:
    """A run that judged something more, so that it is whole where it has nothing else."""
    return Run(start, {}, (*judgements, said(P, "server", "SESSION-LOGIN", "")), end, 100)


def told(difference: Difference) -> list[tuple[Kind, str, Verdict | None, Verdict | None]]:
    return [(each.kind, each.label, each.was, each.now) for each in difference.changes]


BECAME: Sequence[tuple[Verdict | None, Verdict | None, Kind | None, int]] = [
    (P, F, Kind.NEW_FAILURE, 1),
    (U, F, Kind.NEW_FAILURE, 1),
    (N, F, Kind.NEW_FAILURE, 1),
    (None, F, Kind.NEW_FAILURE, 1),
    (W, F, Kind.UNWAIVED, 1),
    (F, F, Kind.STILL_FAILING, 0),
    (F, P, Kind.FIXED, 0),
    (W, P, Kind.FIXED, 0),
    (P, P, None, 0),
    (U, P, Kind.WON, 0),
    (N, P, Kind.WON, 0),
    (None, P, Kind.WON, 0),
    (P, W, Kind.WAIVED, 0),
    (F, W, Kind.WAIVED, 0),
    (None, W, Kind.WAIVED, 0),
    (W, W, None, 0),
    (P, U, Kind.UNTESTED, 1),
    (F, U, Kind.UNTESTED, 1),
    (W, U, Kind.UNTESTED, 1),
    (U, U, None, 0),
    (N, U, None, 0),
    (None, U, None, 0),
    (P, N, Kind.LOST, 1),
    (F, N, Kind.LOST, 1),
    (U, N, None, 0),
    (None, N, None, 0),
    (P, None, Kind.LOST, 1),
    (F, None, Kind.LOST, 1),
    (W, None, Kind.LOST, 1),
    (U, None, None, 0),
    (N, None, None, 0),
]


@pytest.mark.parametrize(("was", "now", "kind", "code"), BECAME)
def test_what_became_of_a_part(was: Verdict | None, now: Verdict | None, kind: Kind | None, code: int) -> None:
    """A part's two verdicts say what became of it, and of a required clause whether that is a regression."""
    old, new = (run(*([said(each)] if each else [])) for each in (was, now))
    difference = compare(old, new)
    assert told(difference) == ([(kind, "VM.a[xmlrpc]", was, now)] if kind else [])
    assert difference.outcome.exit_code == code


@pytest.mark.parametrize(("was", "now"), [(P, F), (W, F), (P, U), (P, N), (P, None)])
def test_clauses_that_do_not_decide_are_no_regression(was: Verdict, now: Verdict | None) -> None:
    """What changes of a SHOULD clause is told and counts only where that is asked for; ROBUST clauses count."""
    for clause, asked, code in (
        (SHOULD, Asked(), 0),
        (SHOULD, Asked(strict=True), 1),
        (ROBUST, Asked(), 1),
    ):
        old = run(said(was, clause=clause))
        difference = compare(old, run(*([said(now, clause=clause)] if now else [])), asked)
        assert len(difference.changes) == 1
        assert difference.outcome.exit_code == code


@pytest.mark.parametrize(
    ("end", "cut", "more"),
    [
        (None, False, ()),
        (END, True, ()),
        (RunEnd(1, 1.0, interrupted=True), False, ()),
        (RunEnd(1, 1.0, error="the server went away"), False, ()),
        (END, False, (said(E, "SR.b"),)),
    ],
)
def test_a_run_that_is_not_whole_shows_failures_alone(
    end: RunEnd | None, cut: bool, more: tuple[Judgement, ...]
) -> None:
    """A run that was stopped fixes, wins and loses nothing; the comparison ends with 3, whichever run it is."""
    some = run(said(P, "VM.fixed"), said(F, "VM.bad"), said(P, "VM.won"), said(W, "VM.x"), said(U, "VM.u"), *more)
    whole = run(said(F, "VM.fixed"), said(P, "VM.bad"), said(P, "VM.lost"), said(F, "VM.x"), said(P, "VM.u"))
    broken = replace(some, end=end, cut=cut)
    difference = compare(whole, broken)
    assert told(difference) == [(Kind.NEW_FAILURE, "VM.bad[xmlrpc]", P, F)]
    assert difference.outcome is Outcome.NOT_COMPARABLE
    assert difference.outcome.exit_code == 3
    assert [each.name for each in difference.weaknesses] == ["new run"]
    back = compare(broken, whole)
    assert back.outcome is Outcome.NOT_COMPARABLE
    assert [each.name for each in back.weaknesses] == ["old run"]
    assert Kind.WON not in {each.kind for each in back.changes}
    assert (Kind.NEW_FAILURE, "VM.fixed[xmlrpc]", P, F) in told(back)


def test_a_run_that_judged_nothing_is_not_comparable() -> None:
    """Two runs that ended well and judged nothing give 3, not 0."""
    nothing = Run(START, {}, (), END, 1)
    assert compare(nothing, nothing).outcome.exit_code == 3


def changes(old: Sequence[Judgement], new: Sequence[Judgement], seed: int = 7) -> list[tuple[Kind, str]]:
    """What changed from judgements to others, the new ones of a seed."""
    difference = compare(run(*old), run(*new, start=replace(START, seed=seed)))
    return [(each.kind, each.element) for each in difference.changes]


RACE = "VM.start || VM.start"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        # The class passed; now a sequence of its fails in its place: one failure, and no lost part beside it.
        ([said(P, "VM")], [said(F, RACE)], [(Kind.NEW_FAILURE, RACE)]),
        # The other way round it is fixed.
        ([said(F, RACE)], [said(P, "VM")], [(Kind.FIXED, RACE), (Kind.WON, "VM")]),
        ([said(F, "VM.start"), said(P, "VM")], [said(P, "VM")], [(Kind.FIXED, "VM.start")]),
        ([said(W, "VM.start"), said(P, "VM")], [said(P, "VM")], [(Kind.FIXED, "VM.start")]),
        # Not where something was left out, not called or not offered.
        (
            [said(F, "VM.start"), said(P, "VM")],
            [said(P, "VM"), said(U, "VM (not called)")],
            [(Kind.UNTESTED, "VM (not called)"), (Kind.UNTESTED, "VM.start")],
        ),
        ([said(F, "VM.start")], [said(P, "VM"), said(N, "VM (not offered)")],
         [(Kind.LOST, "VM.start"), (Kind.WON, "VM")]),
        # Not where others of the class fail.
        ([said(F, "VM.start"), said(F, "VM.stop")], [said(F, "VM.stop")],
         [(Kind.STILL_FAILING, "VM.start"), (Kind.STILL_FAILING, "VM.stop")]),
        ([said(F, "VM.start"), said(F, "VM.stop"), said(P, "VM")], [said(F, "VM.stop"), said(P, "VM")],
         [(Kind.STILL_FAILING, "VM.start"), (Kind.STILL_FAILING, "VM.stop")]),
        # Not what is no member: it is judged by its own name whatever comes of it.
        ([said(F, "VM as vm-admin"), said(P, "VM as read-only")], [said(P, "VM as read-only")],
         [(Kind.LOST, "VM as vm-admin")]),
        # Not where members are judged by their names.
        ([said(F, "VM.a"), said(P, "VM.b")], [said(P, "VM.b")], [(Kind.LOST, "VM.a")]),
        ([said(F, "SR.a"), said(P, "VM.b")], [said(P, "VM.b")], [(Kind.LOST, "SR.a")]),
        # Not where nothing of the class is judged that was, nor by another clause or over another format.
        ([said(F, "VM.start"), said(P, "VM")], [said(P, "SR")],
         [(Kind.LOST, "VM"), (Kind.LOST, "VM.start"), (Kind.WON, "SR")]),
        ([said(F, "VM.start")], [said(P, "VM", "SET-ADD")], [(Kind.LOST, "VM.start"), (Kind.WON, "VM")]),
        ([said(F, "VM.start")], [said(P, "VM", wire="")], [(Kind.LOST, "VM.start"), (Kind.WON, "VM")]),
        # A failure of a class that is not judged at all: seen on the way, gone where the clause passes others.
        ([said(F, "SR.destroy"), said(P, "VM")], [said(P, "VM")], [(Kind.FIXED, "SR.destroy")]),
        # The class's part is lost where the failures of its members are old ones.
        ([said(P, "VM"), said(F, "VM.a")], [said(F, "VM.a")], [(Kind.LOST, "VM"), (Kind.STILL_FAILING, "VM.a")]),
        # A class is no longer called at all, or offered.
        ([said(P, "VM")], [said(U, "VM (not called)")], [(Kind.UNTESTED, "VM")]),
        ([said(P, "VM")], [said(N, "VM (not offered)")], [(Kind.LOST, "VM")]),
        # Something of it is left out that was not.
        ([said(P, "VM")], [said(P, "VM"), said(U, "VM (not called)")], [(Kind.UNTESTED, "VM (not called)")]),
        ([said(P, "VM")], [said(P, "VM"), said(N, "VM (not offered)")], [(Kind.LOST, "VM (not offered)")]),
        ([said(P, "VM"), said(U, "VM (not called)")], [said(P, "VM"), said(U, "VM (not called)")], []),
    ],
)  # fmt: skip
def test_parts_that_are_gone(old: list[Judgement], new: list[Judgement], found: list[tuple[Kind, str]]) -> None:
    """What is judged by the name of its class, and by its own when it fails, is neither lost nor fixed by its name."""
    assert changes(old, new) == found


def test_another_seed_draws_other_parts() -> None:
    """With another seed a part that is gone is lost only if its clause has nothing of its class or of its format."""
    old = [said(F, "VM.a"), said(P, "VM.b"), said(P, "SR.c", wire="jsonrpc1")]
    drawn = [said(P, "VM.b"), said(P, "VM.d"), said(P, "SR.c", wire="jsonrpc1")]
    assert changes(old, drawn) == [(Kind.LOST, "VM.a"), (Kind.WON, "VM.d")]
    assert changes(old, drawn, seed=8) == [(Kind.DRAWN, "VM.a"), (Kind.DRAWN, "VM.d")]
    assert changes(old, [said(P, "VM.b")], seed=8) == [(Kind.LOST, "SR.c"), (Kind.DRAWN, "VM.a")]
    other_format = [said(P, "VM.b"), said(P, "SR.c")]
    assert changes(old, other_format, seed=8)[0] == (Kind.LOST, "SR.c")
    assert changes([said(P, "VM")], [said(P, "VM"), said(U, "VM (not called)")], seed=8) == []
    assert changes([said(P, "VM.b")], [said(U, "VM.d")], seed=8) == [(Kind.LOST, "VM.b")]


def test_runs_of_the_fuzzer_end_by_the_clock() -> None:
    """How far the fuzzer came is no coverage, but for its layers and formats; a failure not met again is no fix."""
    start = replace(START, kind="fuzz")
    call, other = said(P, "call"), said(P, "call", wire="jsonrpc1")
    bad = said(F, "call: VM.start is refused", ROBUST)
    old = run(call, other, bad, said(P, "http"), said(P, "call", "WIRE-MAP"), start=start)
    new = run(call, said(P, "http", wire="jsonrpc1"), start=start)
    assert [(each.kind, each.clause.id, each.label) for each in compare(old, new).changes] == [
        (Kind.DRAWN, "WIRE-MAP", "call[xmlrpc]"),
        (Kind.DRAWN, MUST, "call[jsonrpc1]"),
        (Kind.DRAWN, MUST, "http[jsonrpc1]"),
        (Kind.DRAWN, MUST, "http[xmlrpc]"),
        (Kind.DRAWN, ROBUST, "call: VM.start is refused[xmlrpc]"),
    ]
    whole = said(P, "call", ROBUST)
    assert compare(old, run(call, other, whole, said(P, "http"), start=start)).of(Kind.FIXED) == ()
    for gone in (said(P, "http"), other):
        lost = compare(run(call, gone, start=start), run(call, start=start))
        assert [(each.kind, each.key) for each in lost.changes] == [(Kind.LOST, gone.key)]
    assert compare(new, old).outcome.exit_code == 1
    with pytest.raises(ValueError, match=r"^the old run is one of certify, the new one of fuzz$"):
        compare(run(), new)


def test_what_went_as_a_whole_is_named() -> None:
    """A lost part names the format, the clause or the class of which nothing is left, the widest of them."""
    old = run(
        *(said(P, f"VM.{name}") for name in "ac"),
        said(P, "VM.a", wire="jsonrpc1"),
        said(P, "VM.a", "WIRE-SET", "jsonrpc1"),
        said(P, "VM", "WIRE-MAP"),
        said(P, "SR.b"),
    )
    difference = compare(old, run(said(P, "VM.a")))
    assert [(each.clause.id, each.label, each.why) for each in difference.of(Kind.LOST)] == [
        ("WIRE-SET", "VM.a[jsonrpc1]", "format jsonrpc1"),
        ("WIRE-MAP", "VM[xmlrpc]", "clause WIRE-MAP"),
        (MUST, "SR.b[xmlrpc]", "class SR"),
        (MUST, "VM.a[jsonrpc1]", "format jsonrpc1"),
        (MUST, "VM.c[xmlrpc]", ""),
    ]


def test_flaky_parts_are_told_beside_their_kind() -> None:
    """Both ways within one run, or FAIL with one seed and PASS with another, is flaky; a new failure stays one."""
    mixed, steady = run(said(P), said(F), said(P)), run(said(P))
    assert [(each.kind, each.why) for each in compare(steady, mixed).changes if each.kind is Kind.FLAKY] == [
        (Kind.FLAKY, "PASS and FAIL within the new run")
    ]
    assert compare(steady, mixed).outcome.exit_code == 1
    assert [each.kind for each in compare(mixed, steady).changes] == [Kind.FLAKY, Kind.FIXED]
    assert (
        compare(mixed, mixed).of(Kind.FLAKY)[0].why
        == "PASS and FAIL within the old run; PASS and FAIL within the new run"
    )
    other = run(said(F), start=replace(START, seed=8))
    difference = compare(steady, other)
    assert [(each.kind, each.why) for each in difference.changes] == [
        (Kind.NEW_FAILURE, ""),
        (Kind.FLAKY, "PASS with seed 7, FAIL with seed 8"),
    ]
    assert difference.outcome.exit_code == 1
    assert compare(steady, run(said(F))).of(Kind.FLAKY) == ()
    assert compare(run(said(U)), other).of(Kind.FLAKY) == ()


def test_slower_counts_only_where_it_is_asked_for() -> None:
    """Fewer calls a second, or more seconds in all, by more than the factor is told, and a regression by option."""
    old = run(said(P))
    slow = run(said(P), end=RunEnd(100, 16.0))
    found = compare(old, slow)
    assert [(each.measure, each.old, each.new, each.factor) for each in found.slower] == [
        ("calls a second", 10.0, 6.25, 1.6),
        ("seconds", 10.0, 16.0, 1.6),
    ]
    assert found.outcome.exit_code == 0
    assert compare(old, slow, Asked(fail_slower=True)).outcome.exit_code == 1
    assert compare(old, slow, Asked(slower=1.6, fail_slower=True)).outcome.exit_code == 0
    assert compare(slow, old).slower == ()
    more = compare(old, run(said(P), end=RunEnd(160, 16.0)))
    assert [each.measure for each in more.slower] == ["seconds"]
    assert compare(old, run(said(P), end=RunEnd(0, 0.0))).slower == ()
    assert compare(old, run(said(P), end=RunEnd(100, 99.0, interrupted=True))).slower == ()
    with pytest.raises(ValueError, match="must be above 1"):
        compare(old, slow, Asked(slower=1.0))


@pytest.mark.parametrize("name", MEANING)
def test_what_makes_it_weak_is_told(name: str) -> None:
    """Each setting that differs is told with both values, and is no regression by itself; none differs else."""
    both = (MUST, "SESSION-LOGIN")
    start = replace(START, clauses=both)
    other: Any = {"formats": ("xmlrpc",), "clauses": (*both, "WHERE"), "classes": ("VM",), "seed": 9}.get(name, "other")
    difference = compare(run(said(P), start=start), run(said(P), start=replace(start, **{name: other})))
    values = {"formats": ("jsonrpc1", ""), "clauses": ("", "WHERE"), "classes": ("", "VM"), "seed": ("7", "9")}
    expected = values.get(name, (getattr(START, name), "other"))
    assert [(each.name, each.old, each.new) for each in difference.weaknesses] == [(name, *expected)]
    assert difference.outcome.exit_code == 0
    assert compare(run(said(P), start=start), run(said(P), start=start)).weaknesses == ()


def test_a_clause_that_is_not_selected_any_more_is_lost() -> None:
    """A narrower selection is lost coverage, though the log still has judgements of the clause."""
    wide = replace(START, clauses=(MUST, ROBUST, "SESSION-LOGIN"))
    judgements = (said(P), said(P, "server", ROBUST))
    difference = compare(run(*judgements, start=wide), run(*judgements, start=replace(wide, clauses=wide.clauses[:1])))
    lost = difference.of(Kind.LOST)
    assert {(each.clause.id, each.why) for each in lost} == {
        (ROBUST, f"clause {ROBUST}"),
        ("SESSION-LOGIN", "clause SESSION-LOGIN"),
    }
    assert difference.outcome.exit_code == 1


def test_the_order_of_the_log_does_not_matter() -> None:
    """Changes come by kind, clause, element and format, in whatever order the logs have them."""
    old = [said(P, f"VM.f{at}", clause) for at in range(3) for clause in (MUST, "WIRE-MAP")]
    new = [said(F, f"VM.f{at}", clause) for at in range(2) for clause in (MUST, "WIRE-MAP")]
    forth, back = compare(run(*old), run(*new)), compare(run(*reversed(old)), run(*reversed(new)))
    assert forth.changes == back.changes
    assert [(each.kind, each.clause.id, each.element) for each in forth.changes][:3] == [
        (Kind.NEW_FAILURE, "WIRE-MAP", "VM.f0"),
        (Kind.NEW_FAILURE, "WIRE-MAP", "VM.f1"),
        (Kind.NEW_FAILURE, MUST, "VM.f0"),
    ]
