"""A comparison on a terminal: the two runs, what makes it weak, the changes by kind, and the verdict last."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from xenconform.models.difference import RULES, Difference, Kind, Outcome
from xenconform.reports.difference_words import (
    ABOUT,
    IN_FULL,
    Group,
    beside,
    causes_in_full,
    groups_of,
    headline,
    runs_table,
    slower_text,
    weakness_text,
)
from xenconform.reports.terminal import print_cause, some
from xenconform.reports.words import plural, printable

GROUPS = 20
"""Groups of a kind that are told; the Markdown form has more, the JSON form every change."""

_OUTCOMES: Mapping[Outcome, str] = {
    Outcome.NO_REGRESSION: "green",
    Outcome.REGRESSIONS: "red",
    Outcome.NOT_COMPARABLE: "magenta",
}
_KINDS: Mapping[Kind, str] = {Kind.FIXED: "green", Kind.WON: "green", Kind.WAIVED: "magenta", Kind.DRAWN: "dim"}
_WIDEST = 200
"""Characters of what a group shares; expected and actual texts may be long."""


def print_difference(difference: Difference, console: Console) -> None:
    """Print the whole comparison; fits any width from 60 columns."""
    console.print(_runs(difference))
    if difference.weaknesses:
        console.print(Text("\nThis comparison is weak", "bold yellow"))
        for each in difference.weaknesses:
            console.print(_row("!", Text(printable(weakness_text(each)))))
    for kind in RULES:
        _print_kind(difference, kind, console)
    if difference.slower:
        console.print(Text("\nSlower", "bold red" if difference.asked.fail_slower else "bold yellow"))
        for slow in difference.slower:
            console.print(_row("!", Text(slower_text(slow))))
    console.print()
    console.print(_verdict(difference))


def _runs(difference: Difference) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("", style="dim", no_wrap=True)
    for name in ("old run", "new run"):
        table.add_column(name, overflow="fold")
    for name, old, new in runs_table(difference):
        style = "" if old == new else "bold"
        table.add_row(name, Text(printable(old), style), Text(printable(new), style))
    return table


def _row(mark: str, text: Text) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", min_width=6, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(mark, text)
    return grid


def _print_kind(difference: Difference, kind: Kind, console: Console) -> None:
    changes = difference.of(kind)
    if not changes:
        return
    counting = sum(map(difference.counts, changes))
    colour = "red" if counting else _KINDS.get(kind, "yellow")
    title = f"{kind.capitalize()}: {plural(len(changes), 'part')}"
    if RULES[kind].regression and counting < len(changes):
        title += f", {counting or 'none'} of required clauses"
    console.print(Text(f"\n{title}", f"bold {colour}"))
    if kind in ABOUT:
        console.print(Text(ABOUT[kind], "dim"))
    if kind in IN_FULL:
        _print_causes(difference, kind, console)
        return
    groups = groups_of(difference, kind)
    for group in groups[:GROUPS]:
        console.print(_row(f"{len(group.changes):,}", _told(group, console.width)))
    if len(groups) > GROUPS:
        console.print(_row("…", Text(f"and {plural(len(groups) - GROUPS, 'more group')}", "yellow")))


def _print_causes(difference: Difference, kind: Kind, console: Console) -> None:
    causes = causes_in_full(difference, kind)
    for clause, group in groupby(causes[:GROUPS], key=lambda each: each.example.clause):
        console.print()
        console.print(Text.assemble((clause.id, "bold"), (f"  {clause.severity}, level {clause.level}", "dim")))
        console.print(Padding(Text(clause.rule, "italic"), (0, 0, 0, 2)))
        for cause in group:
            print_cause(cause, difference.new.exchanges, console)
    if len(causes) > GROUPS:
        console.print(Text(f"\n{plural(len(causes) - GROUPS, 'more cause')}", "yellow"))


def _told(group: Group, width: int) -> Text:
    room = max(20, width - 10)
    clauses = group.clauses
    over = f" over {', '.join(group.formats)}" if group.formats else ""
    if len(clauses) == 1:
        name = f"{clauses[0][0]}{'' if group.required else ' (SHOULD)'} on "
        first = Text.assemble((name, "bold"), some(group.elements, room - len(name) - len(over) - 14), over)
    else:
        names = tuple(f"{name} ({number:,})" if number > 1 else name for name, number in clauses)
        first = Text(some(names, room - 14))
    shared = printable(group.text)
    if not shared:
        return first
    return first.append(f"\n{shared[:_WIDEST]}{'…' if len(shared) > _WIDEST else ''}", "dim")


def _verdict(difference: Difference) -> Panel:
    outcome = difference.outcome
    lines = [Text(printable(headline(difference)))]
    lines += [Text(each, "dim") for each in beside(difference)]
    lines.append(Text.assemble(("exit code ", "dim"), str(outcome.exit_code)))
    return Panel(
        Text("\n").join(lines),
        title=Text(f" {outcome} ", f"bold white on {_OUTCOMES[outcome]}"),
        title_align="left",
        border_style=_OUTCOMES[outcome],
        padding=(1, 2),
    )
