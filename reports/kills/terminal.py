"""What `xenconform faults matrix` prints at its end."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from xenconform.models.kills import Fate, Matrix, Row
from xenconform.reports.kills.told import shares
from xenconform.reports.words import plural


def print_matrix(matrix: Matrix, console: Console) -> None:
    """Print the shares by area, what went wrong in full, and the sums last."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("area", "caught", "of"):
        table.add_column(name, no_wrap=True, justify="left" if name == "area" else "right")
    for each in (*shares(matrix, "area"), *shares(matrix, "difficulty")):
        table.add_row(
            each.name, Text(str(each.caught), "green" if each.caught == each.count else "red"), str(each.count)
        )
    console.print(table)
    for row in matrix.rows:
        if row.fate is not Fate.CAUGHT:
            console.print(_told(row, str(row.fate), "red"))
    for row in matrix.straying:
        console.print(_told(row, f"unrelated clauses failed too: {', '.join(row.strays)}", "yellow"))
    for row in matrix.false_alarms:
        where = " ".join(row.classes) or "all classes"
        console.print(Text(f"false alarm on the sound server, {where}: {', '.join(row.strays)}", "red"))
    alone = sum(row.alone for row in matrix.rows)
    if alone:
        console.print(Text(f"{plural(alone, 'fault')} judged by their own clause alone", "dim"))
    elif matrix.redundant:
        console.print(Text(f"no fault's only catcher: {', '.join(matrix.redundant)}", "yellow"))
    caught, count = len(matrix.of_fate(Fate.CAUGHT)), len(matrix.rows)
    console.print(
        Text.assemble(
            (f"{caught} of {plural(count, 'fault')}", "bold green" if caught == count else "bold red"),
            f" caught by their clause, {len(matrix.straying)} with unrelated clauses beside it, "
            f"{plural(len(matrix.false_alarms), 'false alarm')} in {plural(len(matrix.sound), 'sound run')}",
        )
    )


def _told(row: Row, what: str, style: str) -> Text:
    others = ", ".join(each.clause for each in row.catches) or "nothing"
    problem = f"; {row.problem}" if row.problem else ""
    return Text.assemble(
        (row.subject.name, "bold"), f" ({row.subject.clause}, {row.subject.cls}): ", (what, style),
        f"; failed: {others}{problem}",
    )  # fmt: skip
