"""A run's outcome on a terminal: the clauses, the causes of what failed, what is untested, and the verdict last."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from xenconform.models.clauses import LEVELS
from xenconform.models.exchange import Exchange
from xenconform.models.results import ClauseResult, Overall, Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.causes import Cause, causes_of, findings_of, reasons_of, remarks_of
from xenconform.reports.words import body_text, headline, plural, printable, settings, totals

COLOURS: Mapping[Verdict, str] = {
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
    Verdict.UNTESTED: "yellow",
    Verdict.WAIVED: "magenta",
    Verdict.UNSUPPORTED: "blue",
    Verdict.ERROR: "bold red",
}
_OVERALL: Mapping[Overall, str] = {
    Overall.CONFORMANT: "green",
    Overall.NOTHING_FOUND: "green",
    Overall.NOT_CONFORMANT: "red",
    Overall.INCOMPLETE: "magenta",
    Overall.UNTESTED_PARTS: "yellow",
}
_SHORT: Mapping[Verdict, str] = {Verdict.UNTESTED: "UNTEST", Verdict.UNSUPPORTED: "UNSUPP"}
CAUSES = 20
"""Causes that are told in full; summary.md has them all."""
_BODY_LINES = 4
_PANEL = (("level",), ("target",), ("release", "profile", "scope", "budget"), ("seed", "calls", "time"))


def print_results(results: Results, console: Console) -> None:
    """Print the whole outcome; fits any width from 60 columns."""
    console.print(_table(results))
    _print_findings(results, console)
    for verdict, title in (
        (Verdict.ERROR, "Errors of our own"),
        (Verdict.WAIVED, "Waived"),
        (Verdict.UNSUPPORTED, "Unsupported"),
        (Verdict.UNTESTED, "Untested"),
    ):
        _print_reasons(results, verdict, title, console)
    console.print()
    console.print(_verdict(results))


def _table(results: Results) -> Table:
    sums = totals(results)
    columns = [verdict for verdict in Verdict if sums[verdict] or verdict in {Verdict.PASS, Verdict.FAIL}]
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for name in ("clause", "", "verdict"):
        table.add_column(name, no_wrap=True)
    for verdict in columns:
        table.add_column(_SHORT.get(verdict, verdict), justify="right", no_wrap=True)
    for level, group in groupby(results.clauses, key=lambda each: each.clause.level):
        table.add_row(Text(f"Level {level} · {LEVELS.get(level, 'unknown clauses')}", "bold"))
        for each in group:
            table.add_row(*_row(each, columns))
    return table


def _row(result: ClauseResult, columns: list[Verdict]) -> list[Text]:
    required = result.clause.required
    colour = "yellow" if result.verdict is Verdict.FAIL and not required else COLOURS[result.verdict]
    counts = [
        Text(f"{result.counts[verdict]:,}" if result.counts[verdict] else "·", _count_style(result, verdict))
        for verdict in columns
    ]
    return [
        Text(f"  {result.clause.id}"),
        Text(result.clause.severity.lower(), "dim"),
        Text(result.verdict if result.parts else "not run", colour),
        *counts,
    ]


def _count_style(result: ClauseResult, verdict: Verdict) -> str:
    if not result.counts[verdict]:
        return "dim"
    return "" if verdict is Verdict.PASS else COLOURS[verdict]


def _print_findings(results: Results, console: Console) -> None:
    causes = causes_of(findings_of(results))
    if not causes:
        return
    found = sum(len(each.findings) for each in causes)
    console.print()
    console.print(Text(f"{plural(found, 'finding')} of {plural(len(causes), 'cause')}", "bold red"))
    for clause, group in groupby(causes[:CAUSES], key=lambda each: each.example.clause):
        console.print()
        console.print(Text.assemble((clause.id, "bold"), (f"  {clause.severity}, level {clause.level}", "dim")))
        console.print(Padding(Text(clause.rule, "italic"), (0, 0, 0, 2)))
        for cause in group:
            print_cause(cause, results.exchanges, console)
    if len(causes) > CAUSES:
        console.print(Text(f"\n{plural(len(causes) - CAUSES, 'more cause')}: see summary.md", "yellow"))


def print_cause(cause: Cause, exchanges: Mapping[int, Exchange], console: Console) -> None:
    """Print a cause: how often and where it was seen, an example, and the raw exchange that shows it."""
    example = cause.example
    over = f" over {', '.join(cause.formats)}" if cause.formats else ""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", no_wrap=True, min_width=8)
    grid.add_column(overflow="fold")
    elements = some(cause.elements, max(20, console.width - 20))
    grid.add_row(Text(f"{len(cause.findings):,}×", "red"), Text(f"{elements}{over}"))
    if len(cause.findings) > 1:
        grid.add_row("e.g.", Text(printable(example.label)))
    grid.add_row("expected", Text(printable(example.expected), "green"))
    grid.add_row("actual", Text(printable(example.actual), "red"))
    telling = exchanges.get(example.exchanges[-1]) if example.exchanges else None
    if telling is not None:
        limit = _BODY_LINES * max(30, console.width - 14)
        grid.add_row("request", Text(_clipped(telling.sent, limit), "dim"))
        status = f"HTTP {telling.status} " if telling.status else "(no HTTP answer) "
        grid.add_row("reply", Text(status + _clipped(telling.received, limit), "dim"))
        grid.add_row("log", Text(f"run.jsonl, exchange {telling.seq}", "dim"))
    if example.case:
        grid.add_row("case", Text(f"cases/{example.case}: .json for xenconform replay, .py and .sh stand alone", "dim"))
    console.print(Padding(grid, (1, 0, 0, 2)))


def _clipped(body: bytes, limit: int) -> str:
    """Return a body in a few lines; blank lines and outer spaces are left out."""
    lines = [line.rstrip() for line in body_text(body, limit).splitlines() if line.strip()]
    more = f"\n… {plural(len(lines) - _BODY_LINES, 'more line')}" if len(lines) > _BODY_LINES else ""
    return "\n".join(lines[:_BODY_LINES]) + more


def some(names: tuple[str, ...], width: int) -> str:
    """Return as many names as fit into one line, at least one, and how many more there are."""
    shown: list[str] = []
    for name in names:
        if shown and sum(map(len, shown)) + 2 * len(shown) + len(name) > width:
            break
        shown.append(printable(name))
    more = f" and {len(names) - len(shown):,} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more


def _print_reasons(results: Results, verdict: Verdict, title: str, console: Console) -> None:
    reasons = reasons_of(remarks_of(results, verdict))
    if not reasons:
        return
    console.print()
    console.print(Text(f"{title}: {plural(sum(each.parts for each in reasons), 'part')}", f"bold {COLOURS[verdict]}"))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", min_width=6)
    grid.add_column(overflow="fold")
    for each in reasons:
        clauses = tuple(f"{name} ({number:,})" if number > 1 else name for name, number in each.clauses)
        names = some(clauses, max(20, console.width - 24))
        grid.add_row(f"{each.parts:,}", Text.assemble(printable(each.text), "\n", (names, "dim")))
    console.print(grid)


def _verdict(results: Results) -> Panel:
    verdict = results.verdict
    sums = totals(results)
    counts = Text("  ").join(Text(f"{number:,} {each}", COLOURS[each]) for each, number in sums.items() if number)
    lines = [Text(printable(headline(results))), counts]
    shown = dict(settings(results))
    for names in _PANEL:
        told = [Text.assemble((f"{name} ", "dim"), shown[name]) for name in names if name in shown]
        lines.append(Text("   ").join(told))
    lines.append(Text.assemble(("exit code ", "dim"), str(verdict.exit_code)))
    return Panel(
        Text("\n").join(each for each in lines if each),
        title=Text(f" {verdict} ", f"bold white on {_OVERALL[verdict]}"),
        title_align="left",
        border_style=_OVERALL[verdict],
        padding=(1, 2),
    )
