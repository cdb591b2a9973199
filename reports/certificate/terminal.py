"""A certificate on a terminal: that it holds and what it says, or why it is refused."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console, RenderableType
from rich.console import Group as Lines
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from xenconform.models.results import Overall, Results
from xenconform.reports.certificate.refusals import RefusedError
from xenconform.reports.certificate.statement import Certified
from xenconform.reports.certificate.words import named, remarks, summary
from xenconform.reports.words import plural, printable, totals

_COLOURS: Mapping[Overall, str] = {
    Overall.CONFORMANT: "green",
    Overall.NOT_CONFORMANT: "red",
    Overall.UNTESTED_PARTS: "yellow",
    Overall.NOTHING_FOUND: "yellow",
}


def print_certified(certified: Certified, signed: str, console: Console) -> None:
    """Print what a certificate that holds says; `signed` tells by whom."""
    results = certified.results
    counts = "  ".join(f"{number:,} {each}" for each, number in totals(results).items() if number)
    seen = f"{plural(len(certified.digests), 'file')} as signed; {plural(results.calls, 'call')} read again: {counts}"
    rows = [*named(results), ("signed", signed), ("checked", seen)]
    told: list[RenderableType] = [Text(printable(summary(results, certified.limits))), Text(), _grid(rows)]
    told += [Text.assemble(("! ", "yellow"), each) for each in remarks(results)]
    colour = "yellow" if certified.limits else _COLOURS.get(results.verdict, "magenta")
    title = f"{results.verdict}{' IN PART' * bool(certified.limits)}: the certificate holds"
    console.print(_panel(title, colour, told, results.verdict.exit_code))


def print_refused(why: RefusedError, results: Results | None, console: Console) -> None:
    """Print why a certificate is refused, and what it is of, where that is known."""
    told: list[RenderableType] = [
        Text.assemble((why.reason.capitalize(), "bold"), ": ", printable(why.found)),
        Text.assemble(("what to do: ", "dim"), why.fix),
    ]
    if results is not None:
        told += [Text(), _grid(named(results))]
    console.print(_panel("REFUSED", "red", told, why.reason.exit_code))


def _grid(rows: list[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(name, Text(text))
    return grid


def _panel(title: str, colour: str, told: list[RenderableType], code: int) -> Panel:
    told = [*told, Text.assemble(("exit code ", "dim"), str(code))]
    return Panel(
        Lines(*told),
        title=Text(f" {title} ", f"bold white on {colour}"),
        title_align="left",
        border_style=colour,
        padding=(1, 2),
    )
