"""The matrix as one page that needs nothing else: neither network nor other files nor scripts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from xenconform.models.clauses import LEVELS, Clause
from xenconform.models.verdicts import Verdict
from xenconform.reports.causes import Cause, causes_of
from xenconform.reports.pages import render_page
from xenconform.reports.vendors.grid import Grid, Implementation
from xenconform.reports.vendors.history import BASE, HEIGHT, WIDTH, bars

SIGNS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.UNTESTED: "?",
    Verdict.WAIVED: "w",
    Verdict.UNSUPPORTED: "–",
    Verdict.ERROR: "!",
}
"""The sign of each verdict, so that no colour is needed to tell them apart."""
SHORT = {"xmlrpc": "X", "jsonrpc1": "1", "jsonrpc2": "2", "": ""}
"""The letter of each wire format, where they differ."""
LISTED = 8
"""So many elements of a cause are named."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One implementation × clause as it is shown: signs with their kinds, a text for who hears it, where it leads."""

    kind: str
    signs: tuple[tuple[str, str], ...]
    told: str
    link: str
    mark: str


def render_html(grid: Grid) -> str:
    """Return the page: the same for the same runs."""
    return render_page(
        "vendors",
        bars=bars,
        some=_some,
        width=WIDTH,
        height=HEIGHT,
        base=BASE,
        grid=grid,
        signs=[(SIGNS[each], each.value) for each in Verdict],
        short=[(letter, name) for name, letter in SHORT.items() if name in grid.formats],
        levels=[
            (number, LEVELS.get(number, "unknown clauses"), [(clause, _cells(grid, clause)) for clause in group])
            for number, group in groupby(grid.clauses, key=lambda clause: clause.level)
        ],
        failures={of.name: _failures(of) for of in grid.implementations},
        anchors={of.name: f"i{at}" for at, of in enumerate(grid.implementations)},
    )


def _cells(grid: Grid, clause: Clause) -> list[Cell]:
    return [_cell(of, clause, f"i{at}", grid.formats) for at, of in enumerate(grid.implementations)]


def _cell(of: Implementation, clause: Clause, anchor: str, formats: tuple[str, ...]) -> Cell:
    row = of.latest.rows.get(clause.id)
    if row is None:
        return Cell("none", (("", "none"),), f"{of.name}, {clause.id}: not selected", "", "")
    shown = [(fmt, row.formats[fmt]) for fmt in (*formats, "") if fmt in row.formats]
    if len({verdict for _, verdict in shown}) > 1:
        signs = tuple((SHORT.get(fmt, fmt) + SIGNS[each], _kind(each, required=clause.required)) for fmt, each in shown)
    else:
        signs = ((SIGNS[row.verdict], _kind(row.verdict, required=clause.required)),)
    said = ", ".join(f"{verdict}{f' over {fmt}' if fmt else ''}" for fmt, verdict in shown)
    failed = row.verdict is Verdict.FAIL
    mark = _mark(of, clause.id)
    told = f"{of.name}, {clause.id}: {said or 'not run'}{f'; {mark} since the run before' if mark else ''}"
    return Cell(_kind(row.verdict, required=clause.required), signs, told, f"{anchor}-{clause.id}" * failed, mark)


def _kind(verdict: Verdict, *, required: bool) -> str:
    return "should" if verdict is Verdict.FAIL and not required else verdict.value.lower()


def _mark(of: Implementation, clause: str) -> str:
    """Return "worse" or "better" where findings of a clause are new or gone since the run before, else ""."""
    changes = of.changes
    if changes is None:
        return ""
    if any(each.clause.id == clause for each in changes.new) or clause in changes.untested:
        return "worse"
    return "better" if any(each.clause.id == clause for each in changes.gone) or clause in changes.tested else ""


def _failures(of: Implementation) -> list[tuple[Clause, list[Cause]]]:
    causes = causes_of(of.latest.findings)
    grouped: dict[str, list[Cause]] = {}
    for cause in causes:
        grouped.setdefault(cause.example.clause.id, []).append(cause)
    return [(found[0].example.clause, found) for found in grouped.values()]


def _some(names: tuple[str, ...]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
