"""Made-up runs that the tests of both matrices share: of implementations, and of faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from xenconform.models.clauses import catalogue
from xenconform.models.kills import Catch, Matrix, Row, Subject
from xenconform.models.results import summarise
from xenconform.models.run import Run, RunEnd, RunStart
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.machine import render_json as render_results
from xenconform.reports.vendors.grid import Grid, grid_of
from xenconform.reports.vendors.told import Told, told_of

FORMATS = ("xmlrpc", "jsonrpc1", "jsonrpc2")
ALL = tuple(catalogue())
HOSTILE = "\x1b[31m</script><b onload=x>]]>&\u202e'\""
Changed = Mapping[tuple[str, str], Verdict]


def run(
    day: int, changed: Changed | None = None, *, target: str = "http://a", ended: bool = True, said: str = ""
) -> Run:
    """A run of every clause over every format, in which some clauses came out otherwise over some of them."""
    judgements = tuple(
        judgement(clause, fmt, (changed or {}).get((clause, fmt), Verdict.PASS), said)
        for clause in ALL
        for fmt in FORMATS
    )
    start = RunStart(
        "1.0", 7, target, "24.18.0", "xapi", "own", "quick", FORMATS, ALL, f"2026-01-{day:02}T03:04:05+00:00"
    )  # fmt: skip
    return Run(start, {}, judgements, RunEnd(10, 1.0) if ended else None, 10)


def judgement(clause: str, fmt: str, verdict: Verdict, said: str) -> Judgement:
    """A judgement with what belongs to its verdict."""
    if verdict is Verdict.FAIL:
        return Judgement(clause, "VM.a", fmt, verdict, expected=f"one {said}", actual=f"another {said}")
    return Judgement(clause, "VM.a", fmt, verdict, "" if verdict is Verdict.PASS else "so it is")


def told(name: str, of: Run) -> Told:
    return told_of(render_results(summarise(of)), f"runs/{name}", name)


def grid() -> Grid:
    """Two implementations; one has a run before, and lost and won something since."""
    return grid_of(
        [
            told("B", run(2, {("SET-VALUE", "xmlrpc"): Verdict.FAIL, ("WIRE-MAP", "jsonrpc2"): Verdict.WAIVED})),
            told("A", run(1, {("GET-EVERY-FIELD", "xmlrpc"): Verdict.FAIL})),
            told("B", run(1, {("WIRE-SET", "jsonrpc1"): Verdict.FAIL, ("SET-VALUE", "jsonrpc1"): Verdict.UNTESTED})),
        ]
    )


def hostile_grid() -> Grid:
    """One implementation all of whose words are out to do harm."""
    hostile = run(1, {("SET-VALUE", "xmlrpc"): Verdict.FAIL}, target=f"http://{HOSTILE}", said=HOSTILE)
    return grid_of([told_of(render_results(summarise(hostile)), "runs/hostile")])


SUBJECT = Subject("bent", "setters", "SET-VALUE", ("CREATE-FIELDS",), "network", "hard", "What is <set> is bent.")


def row(*failed: str, subject: Subject = SUBJECT, problem: str = "") -> Row:
    """What a fault's run showed: the clauses that failed, one after the other."""
    catches = tuple(Catch(name, 1, 10 * at, 0.5, "network.MTU[xmlrpc]", "1", "2", ("a & b",)) for at, name in
                    enumerate(failed, 1))  # fmt: skip
    return Row(subject, "quick", 1, ("network",), "abc", 100, 2.0, catches, problem)


def kills() -> Matrix:
    """A fault of every fate, and a false alarm."""
    sound = Subject("", cls="network")
    rows = [row("SET-VALUE", "MAP-ADD"), row(), row("CREATE-FIELDS"), row(problem="no end within 5 s")]
    named = [replace(each, subject=replace(SUBJECT, name=f"bent_{at}")) for at, each in enumerate(rows)]
    return Matrix.of([*named, row("MAP-ADD", subject=sound)], ["SET-VALUE", "MAP-ADD", "CREATE-FIELDS"])
