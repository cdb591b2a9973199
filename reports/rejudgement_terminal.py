"""Another judgement of a log on a terminal: the verdicts then and now, how it was judged, and what differs by whom."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from xenconform.models.rejudgement import Account, Otherwise, Rejudgement
from xenconform.models.verdicts import Verdict
from xenconform.models.weakness import Weakness
from xenconform.reports.terminal import COLOURS
from xenconform.reports.words import plural, printable

ROWS = 40
"""Parts of a cause that are told; the JSON form has every one."""
_WIDEST = 300
_LISTED = 8


def print_rejudgement(
    logs: Sequence[Rejudgement], rows: Sequence[Otherwise], weak: Sequence[Weakness], console: Console
) -> None:
    """Print the judgements of one log, or of two beside each other."""
    for number, each in enumerate(logs, 1):
        console.print(_verdicts(each, number if len(logs) > 1 else 0))
        _print_account(each.account, console)
        _print_rules(each, console)
    if weak:
        console.print(Text("\nWhat else lies between the two logs", "bold yellow"))
        for setting in weak:
            console.print(Text(printable(f"  {setting.name}: {setting.old or '-'} → {setting.new or '-'}")))
    for cause, some in groupby(rows, key=lambda row: (row.cause, row.log)):
        _print_rows(f"{cause[0].capitalize()}{_of(cause[1], len(logs))}", tuple(some), console)
    console.print()
    console.print(_outcome(rows))


def _verdicts(of: Rejudgement, number: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(f"log {number}" if number else "", style="dim", no_wrap=True)
    table.add_column("then", overflow="fold")
    table.add_column("now", overflow="fold")
    then, now = of.then, of.now
    for name, was, is_now in (
        ("verdict", then.verdict.value, now.verdict.value),
        ("xenconform", then.start.version, now.start.version),
        ("clauses", f"{len(then.clauses):,}", f"{len(now.clauses):,}"),
        *((verdict.value, f"{_count(then, verdict):,}", f"{_count(now, verdict):,}") for verdict in Verdict),
    ):
        if (was, is_now) != ("0", "0"):
            table.add_row(name, Text(was), Text(is_now, "" if was == is_now else "bold"))
    table.add_row("log", Text(printable(of.path)), Text(now.start.rejudged.sha256[:16] if now.start.rejudged else ""))
    return table


def _count(results: object, verdict: Verdict) -> int:
    return sum(each.counts[verdict] for each in results.clauses)  # type: ignore[attr-defined]


def _print_account(of: Account, console: Console) -> None:
    items = of.played + len(of.taken_over) + len(of.gone)
    console.print(
        Text(
            f"\n{of.replayed:,} of {of.exchanges:,} exchanges were asked for again; "
            f"{of.played - len(of.lost):,} of {items:,} checks were judged again from bytes alone"
        )
    )
    for title, some in (
        (f"taken over, with {plural(of.kept, 'judgement')}, for they hang on time", of.taken_over),
        ("asked otherwise now; what the log does not hold is untested", tuple(of.lost)),
        ("no such check any more", of.gone),
        ("not asked in that run", of.not_asked),
    ):
        if some:
            shown = ", ".join(some[:_LISTED]) + (f" and {len(some) - _LISTED} more" if len(some) > _LISTED else "")
            console.print(Text(printable(f"  {len(some):,} {title}: {shown}"), "dim"))


def _print_rules(of: Rejudgement, console: Console) -> None:
    for rule in of.rules:
        said = f"{rule.was or 'not there'} → {rule.now or 'not there'}" + (", reworded" if rule.reworded else "")
        console.print(Text(printable(f"  clause {rule.clause}: {said}"), "yellow"))


def _of(log: int, logs: int) -> str:
    return f", of log {log}" if log and logs > 1 else ""


def _print_rows(title: str, rows: Sequence[Otherwise], console: Console) -> None:
    console.print(Text(f"\n{title}: {plural(len(rows), 'part')}", "bold"))
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("clause", "element", "format", "was", "is", "why"):
        table.add_column(name, overflow="fold")
    for row in rows[:ROWS]:
        table.add_row(
            row.clause, Text(printable(row.element)), row.format, _word(row.was), _word(row.now), _why(row.why)
        )
    console.print(table)
    if len(rows) > ROWS:
        console.print(Text(f"and {plural(len(rows) - ROWS, 'more part')}; --json has them all", "yellow"))


def _why(text: str) -> Text:
    return Text(printable(f"{text[:_WIDEST]}…" if len(text) > _WIDEST else text), "dim")


def _word(verdict: Verdict | None) -> Text:
    return Text("-", "dim") if verdict is None else Text(verdict.value, COLOURS[verdict])


def _outcome(rows: Sequence[Otherwise]) -> Panel:
    counts = [f"{plural(len(tuple(some)), 'part')} {cause}" for cause, some in groupby(rows, key=lambda row: row.cause)]
    text = f"judged otherwise: {', '.join(counts)}" if rows else "every part is judged as it was"
    title, colour = (" DIFFERENT ", "yellow") if rows else (" THE SAME ", "green")
    lines = Text.assemble(text, "\n", ("exit code ", "dim"), "1" if rows else "0")
    return Panel(
        lines, title=Text(title, f"bold white on {colour}"), title_align="left", border_style=colour, padding=(1, 2)
    )
