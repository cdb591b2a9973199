"""The heat map: a row a fault, a column a clause, as SVG that follows the reader's light or dark."""

from __future__ import annotations

from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from xenconform.models.clauses import catalogue
from xenconform.models.kills import Matrix, Row
from xenconform.reports.kills.told import Cell, cells

SIDE = 11
"""Pixels of a cell."""
LEFT, TOP, GAP = 330, 190, 14
KINDS = {
    "own": "caught by its clause",
    "also": "a clause that it breaks too",
    "model": "STATE-MODEL, which holds everything against all rules",
    "stray": "a clause that has nothing to do with it",
    "missed": "not caught by its clause",
}
"""Kind of cell to what it means, for the legend."""
STYLE = """
text{font:9px ui-monospace,monospace;fill:#333}.title{font-weight:bold}.grid{stroke:#eee}
.own{fill:#1a7f4b}.also{fill:#9fd3b5}.model{fill:#b9c6dd}.stray{fill:#e8710a}.missed{fill:none;stroke:#c5221f;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#ccc}.grid{stroke:#333}.own{fill:#3fbf7f}.also{fill:#2b5c43}.model{fill:#3d4a63}}
"""


def heat_map(matrix: Matrix) -> str:
    """Return the map; each cell has a tooltip with the fault, the clause and the calls until it failed."""
    at = {name: LEFT + number * SIDE for number, name in enumerate(matrix.clauses)}
    parts = [_heading(name, x) for name, x in at.items()]
    y = TOP
    for area, rows in groupby(sorted(matrix.rows, key=lambda row: row.subject.area), key=lambda row: row.subject.area):
        y += GAP
        parts.append(f'<text class="title" x="4" y="{y - 3}">{escape(area)}</text>')
        for row in rows:
            parts += _row(row, at, y)
            y += SIDE
    width, height = LEFT + len(at) * SIDE + 20, y + 30
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="Kill matrix: faults by clauses"><style>{STYLE}</style>'
        f"{_legend()}{''.join(parts)}</svg>\n"
    )


def _heading(name: str, x: int) -> str:
    rule = catalogue()[name].rule if name in catalogue() else ""
    return (
        f'<text transform="translate({x + SIDE - 2},{TOP}) rotate(-90)">{escape(name)}'
        f"<title>{escape(rule)}</title></text>"
    )


def _row(row: Row, at: dict[str, int], y: int) -> list[str]:
    end = max(at.values(), default=LEFT) + SIDE
    name = (
        f'<text x="{LEFT - 6}" y="{y + SIDE - 2}" text-anchor="end">{escape(row.subject.name)}'
        f"<title>{escape(row.subject.symptom)}</title></text>"
    )
    return [
        f'<line class="grid" x1="{LEFT}" x2="{end}" y1="{y + SIDE}" y2="{y + SIDE}"/>',
        name,
        *(_cell(row, each, at[each.clause], y) for each in cells(row) if each.clause in at),
    ]


def _cell(row: Row, cell: Cell, x: int, y: int) -> str:
    told = f"{row.subject.name} × {cell.clause}: {KINDS[cell.kind]}"
    told += f", after {cell.calls:,} calls" if cell.calls else ""
    return (
        f'<rect class={quoteattr(cell.kind)} x="{x + 1}" y="{y + 1}" width="{SIDE - 2}" height="{SIDE - 2}">'
        f"<title>{escape(told)}</title></rect>"
    )


def _legend() -> str:
    return "".join(
        f'<rect class="{kind}" x="6" y="{12 + number * 16}" width="{SIDE - 2}" height="{SIDE - 2}"/>'
        f'<text x="22" y="{20 + number * 16}">{escape(text)}</text>'
        for number, (kind, text) in enumerate(KINDS.items())
    )
