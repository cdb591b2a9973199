"""What came of the kill benchmark: a table, and a plot of the kill rate against the calls made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10
from statistics import median

WIDTH, HEIGHT = 860, 440
LEFT, RIGHT, TOP, BOTTOM = 56, 170, 42, 50
MARKS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
COLOURS = (("#0b61a4", "#6cb6ff"), ("#b3440b", "#f0a35e"), ("#3f7d20", "#8fce6a"), ("#7d3c98", "#d2a8e8"))
"""A line's colour on light and on dark ground."""


@dataclass(frozen=True, slots=True)
class Row:
    """A tool on a fault: by which call and in how many seconds it killed it, None where it did not; what it used."""

    tool: str
    fault: str
    area: str
    cls: str
    killed_at: int | None
    seconds: float
    calls: int
    by: str = ""


def rate(rows: Sequence[Row], calls: int) -> float:
    """Return the share of faults killed by that many calls."""
    return sum(1 for row in rows if row.killed_at is not None and row.killed_at <= calls) / max(1, len(rows))


def table(by_tool: Mapping[str, Sequence[Row]], calls: int) -> str:
    """Return a Markdown table: a line a tool, the share of faults killed by so many calls."""
    marks = [mark for mark in (50, 100, 200, 500, 1000, 2000, 5000) if mark < calls] + [calls]
    head = [
        "tool",
        "faults",
        *(f"{mark:,} calls" for mark in marks),
        "killed",
        "median calls to a kill",
        "seconds a fault",
    ]
    lines = [" | ".join(head), " | ".join(["---"] + ["---:"] * (len(head) - 1))]
    for tool, rows in by_tool.items():
        kills = [row.killed_at for row in rows if row.killed_at is not None]
        middle = f"{median(kills):,.0f}" if kills else "–"
        spent = sum(row.seconds for row in rows) / max(1, len(rows))
        shares = [f"{rate(rows, mark):.0%}" for mark in marks]
        lines.append(" | ".join([tool, str(len(rows)), *shares, str(len(kills)), middle, f"{spent:.1f}"]))
    return "".join(f"| {line} |\n" for line in lines)


def areas(by_tool: Mapping[str, Sequence[Row]]) -> str:
    """Return a Markdown table: a line an area of faults, how many each tool killed."""
    names = list(dict.fromkeys(row.area for rows in by_tool.values() for row in rows))
    lines = [" | ".join(["area", *by_tool]), " | ".join(["---"] + ["---:"] * len(by_tool))]
    for area in names:
        cells = []
        for rows in by_tool.values():
            here = [row for row in rows if row.area == area]
            cells.append(f"{sum(row.killed_at is not None for row in here)} of {len(here)}")
        lines.append(" | ".join([area, *cells]))
    return "".join(f"| {line} |\n" for line in lines)


def plot(by_tool: Mapping[str, Sequence[Row]], calls: int) -> str:
    """Return an SVG image: kill rate against calls, calls on a logarithmic scale."""
    parts = [_head(calls, max(map(len, by_tool.values()), default=0)), *_grid(calls)]
    ends: list[tuple[float, int, str]] = []
    for number, (tool, rows) in enumerate(by_tool.items()):
        kills = sorted(row.killed_at for row in rows if row.killed_at is not None and row.killed_at <= calls)
        share, path = 0.0, f"M{_x(MARKS[0], calls):.1f} {_y(0):.1f}"
        for place, at in enumerate(kills, 1):
            share = place / len(rows)
            path += f"H{_x(at, calls):.1f}V{_y(share):.1f}"
        parts.append(f'<path class="line c{number}" d="{path}H{_x(calls, calls):.1f}"/>')
        ends.append((_y(share), number, f"{tool} {share:.0%}"))
    return "\n".join([*parts, *_labels(ends, calls), "</svg>"]) + "\n"


def _x(calls: int, most: int) -> float:
    low = log10(MARKS[0])
    return LEFT + (log10(max(calls, MARKS[0])) - low) / (log10(most) - low) * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def _head(calls: int, faults: int) -> str:
    light = "".join(f".c{n}{{stroke:{a};fill:{a}}}" for n, (a, _) in enumerate(COLOURS))
    dark = "".join(f".c{n}{{stroke:{b};fill:{b}}}" for n, (_, b) in enumerate(COLOURS))
    ground = "text{fill:#1f2328}.grid{stroke:#d0d7de}.ground{fill:#ffffff}"
    night = "text{fill:#e6edf3}.grid{stroke:#30363d}.ground{fill:#0d1117}"
    title = f"Kill rate against calls, {faults} faults, at most {calls:,} calls each"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">\n'
        f"<title>{title}</title>\n<style>text{{font:13px system-ui,sans-serif}}.grid{{stroke-width:1}}"
        f".line{{fill:none!important;stroke-width:2.5}}.label{{stroke:none!important;font-weight:600}}{ground}{light}"
        f"@media(prefers-color-scheme:dark){{{night}{dark}}}</style>\n"
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>\n<text x="{LEFT}" y="24">{title}</text>'
    )


def _grid(calls: int) -> list[str]:
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _y(share)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    for mark in (mark for mark in MARKS if mark <= calls):
        x = _x(mark, calls)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{mark:,}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [*parts, f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">calls (HTTP requests)</text>']


def _labels(ends: list[tuple[float, int, str]], calls: int) -> list[str]:
    """Return the names of the lines at their right ends, moved apart where they would touch."""
    parts, last = [], -100.0
    for y, number, text in sorted(ends):
        last = max(y, last + 18)
        parts.append(f'<text class="label c{number}" x="{_x(calls, calls) + 8:.1f}" y="{last + 4:.1f}">{text}</text>')
    return parts
