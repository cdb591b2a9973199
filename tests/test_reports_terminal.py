"""What a person sees: the outcome and the progress, on terminals of any width and on none."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from xenconform.models.calls import Breach, Format, Reply
from xenconform.models.exchange import Exchange
from xenconform.models.results import summarise
from xenconform.models.run import Run, RunEnd, RunStart
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.progress import Progress
from xenconform.reports.terminal import print_results

CLAUSES = ("SET-ADD-DEDUP", "SET-VALUE", "WHERE")


def printed(run: Run, width: int = 100) -> str:
    out = io.StringIO()
    print_results(summarise(run), Console(file=out, width=width, highlight=False))
    return out.getvalue()


def run(*judgements: Judgement, reply: bytes = b"<r/>", end: RunEnd | None = None) -> Run:
    exchange = Exchange(3, "VM.add_tags", (), Format.XMLRPC, b"<q/>", reply, 200, (), Reply(Breach("x", "")), 0.1)
    return Run(RunStart("1", 7, "http://h", clauses=CLAUSES), {3: exchange}, judgements, end or RunEnd(10, 2.0), 10)


PASSES = tuple(Judgement(clause, "VM.a", "xmlrpc", Verdict.PASS) for clause in CLAUSES)
FAILURES = tuple(
    Judgement("SET-ADD-DEDUP", f"VM.f{n}", "xmlrpc", Verdict.FAIL, "", "no change", f"added [red]{n}[/]", (3,))
    for n in range(60)
)


def test_a_conformant_server() -> None:
    """Without findings there is the table and a clear verdict, and no word of findings or untested parts."""
    text = printed(run(*PASSES))
    assert re.search(r"SET-VALUE +must +PASS +1 +·", text)
    assert "CONFORMANT" in text
    assert "NOT CONFORMANT" not in text
    assert "exit code 0" in text
    assert "finding" not in text
    assert "Untested" not in text


def test_sixty_findings_of_one_cause_are_one_paragraph() -> None:
    """A person sees the cause once, with how often, where, expected, actual, the raw exchange and its place."""
    text = printed(run(*PASSES, *FAILURES))
    assert "60 findings of 1 cause" in text
    assert text.count("no change") == 1
    assert "60×" in text
    assert "added [red]0[/]" in text
    assert "<q/>" in text
    assert "HTTP 200 <r/>" in text
    assert "run.jsonl, exchange 3" in text
    assert "1 required clause failed: SET-ADD-DEDUP" in text
    assert "exit code 1" in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_it_fits_the_terminal(width: int) -> None:
    """No line is wider than the terminal, clause names are whole, and long replies are cut with their size."""
    text = printed(run(*PASSES, *FAILURES, reply=b"\x1b[2J" + b"x" * 9_000), width)
    assert max(map(len, text.splitlines())) <= width
    assert "SET-ADD-DEDUP" in text
    assert "\x1b" not in text
    assert "9,004" in text
    assert len(text.splitlines()) < 70


def test_untested_parts_are_grouped_by_reason() -> None:
    """Each reason comes once, with the number of parts and their clauses."""
    untested = [Judgement("SET-VALUE", f"VM.f{n}", "xmlrpc", Verdict.UNTESTED, f"VM.f{n} refused") for n in range(12)]
    text = printed(run(*PASSES, *untested))
    assert "Untested: 12 parts" in text
    assert re.search(r"12 VM\.f0 refused\s+SET-VALUE \(12\)", text)
    assert "UNTESTED PARTS" in text
    assert "exit code 4" in text


def test_a_should_that_is_not_met_leaves_the_server_conformant() -> None:
    """A failed SHOULD is told as a finding and in the verdict, and decides nothing."""
    text = printed(run(*PASSES, Judgement("WHERE", "VM", "xmlrpc", Verdict.FAIL, "", "a", "b")))
    assert "1 SHOULD clause not met" in text
    assert "exit code 0" in text


def test_an_interrupted_run_says_so() -> None:
    """A run that was stopped shows what was found and that this is no verdict."""
    text = printed(run(*FAILURES, end=RunEnd(1, 1.0, interrupted=True)), 160)
    assert "INCOMPLETE" in text
    assert "the run was interrupted; 1 required clause failed until then" in text
    assert "exit code 3" in text


class Clock:
    """Seconds as the test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_progress_without_a_terminal_is_a_line_every_ten_seconds() -> None:
    """In a build's log there is a line each ten seconds, not one each item."""
    out, clock = io.StringIO(), Clock()
    with Progress(100, Console(file=out), clock) as progress:
        for done in range(100):
            clock.now += 0.25
            progress.update(done + 1, (done + 1) * 50, done // 40, f"SET-VALUE VM.f{done}")
    lines = out.getvalue().splitlines()
    assert lines == [
        "40/100 items (40 %), 200 calls/s, 0 findings, 0:15 left, SET-VALUE VM.f39",
        "80/100 items (80 %), 200 calls/s, 1 finding, 0:05 left, SET-VALUE VM.f79",
    ]


def test_progress_before_anything_is_done() -> None:
    """With nothing done, or nothing to do, the time left is unknown and nothing divides by zero."""
    clock = Clock()
    assert (
        Progress(0, Console(file=io.StringIO()), clock).line()
        == "0/0 items (0 %), 0 calls/s, 0 findings, time left unknown"
    )
    assert "0/5 items" in Progress(5, Console(file=io.StringIO()), clock).line()


def test_progress_on_a_terminal_is_live() -> None:
    """On a terminal the state is drawn in place, control characters of a name escaped, and taken away at the end."""
    out, clock = io.StringIO(), Clock()
    console = Console(file=out, force_terminal=True, width=80)
    with Progress(10, console, clock) as progress:
        clock.now += 3700
        progress.update(5, 7400, 2, "SET-VALUE \x07bell")
        console.print("above")
    shown = out.getvalue()
    assert "5/10" in shown
    assert "2 calls/s" in shown
    assert "2 findings" in shown
    assert "1:01:40 left" in shown
    assert "\\x07bell" in shown
    assert "\x07" not in shown
