"""Flowcharts of Mermaid's simplest form as pictures, made at build time: a site without scripts of others shows them.

    flowchart TD
        conformance --> strategies & reports --> models

The pages keep Mermaid's text, which code hosts draw. Lines take the colour of the text, so both light and dark do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise, product

from xenconform.models.layout import Layout, layout

_HEIGHT, _CHAR, _PAD, _BETWEEN, _MARGIN = 34.0, 8.0, 14.0, 56.0, 10.0


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        return self.y + _HEIGHT / 2


def lines_of(flowchart: str) -> list[tuple[str, str]]:
    """Return the arrows of a flowchart, each from one name to another, in their order and each once.

    Raises:
        ValueError: it has something else than a first line and arrows between plain names.
    """
    first, *rest = [line.strip() for line in flowchart.strip().splitlines()]
    if not re.fullmatch(r"flowchart (TD|LR)", first):
        raise ValueError(f"only flowcharts are drawn, and not {first!r}; begin with `flowchart TD`")
    arrows: dict[tuple[str, str], None] = {}
    for line in rest:
        groups = [[name.strip() for name in part.split("&")] for part in line.split("-->")]
        if len(groups) < 2 or not all(re.fullmatch(r"[\w ]+", name) for group in groups for name in group):
            raise ValueError(f"no arrow between plain names: {line!r}; write `a --> b & c`")
        arrows |= dict.fromkeys(pair for left, right in pairwise(groups) for pair in product(left, right))
    return list(arrows)


def svg(flowchart: str, label: str) -> str:
    """Return a flowchart as the text of an SVG element that stands in a page; the same text gives the same picture."""
    arrows = lines_of(flowchart)
    names = list(dict.fromkeys(name for pair in arrows for name in pair))
    placed = layout(dict.fromkeys(names, _HEIGHT), arrows)
    boxes, width = _boxes(names, placed)
    height = placed.height + 2 * _MARGIN
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="flowchart" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" style="min-width:min(34rem,{width:.0f}px)" role="img" aria-label="{escape(label)}">'
        ),
        (
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
            '<path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>'
        ),
        *(_arrow(number, pair, boxes, placed) for number, pair in enumerate(arrows)),
        *(part for name in names for part in _box(name, boxes[name])),
        "</svg>",
    ]
    return "\n".join(parts)


def _boxes(names: list[str], placed: Layout) -> tuple[dict[str, _Box], float]:
    columns: dict[int, list[str]] = {}
    for name in names:
        columns.setdefault(placed.column[name], []).append(name)
    x = _MARGIN
    found: dict[str, _Box] = {}
    for at in sorted(columns):
        width = max(len(name) for name in columns[at]) * _CHAR + 2 * _PAD
        found |= {name: _Box(x, placed.top[name,] + _MARGIN, width) for name in columns[at]}
        x += width + _BETWEEN
    return found, x - _BETWEEN + _MARGIN


def _box(name: str, box: _Box) -> Iterator[str]:
    yield (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{_HEIGHT:.0f}" rx="5" '
        'fill="none" stroke="currentColor" stroke-width="1.5"/>'
    )
    yield (
        f'<text x="{box.x + box.width / 2:.1f}" y="{box.middle + 5:.1f}" text-anchor="middle" fill="currentColor" '
        f'font-size="14">{escape(name)}</text>'
    )


def _arrow(number: int, pair: tuple[str, str], boxes: dict[str, _Box], placed: Layout) -> str:
    start, end = boxes[pair[0]], boxes[pair[1]]
    x, y = start.x + start.width, start.middle
    d = f"M{x:.1f} {y:.1f}"
    for node in placed.waypoints[number]:
        column = [box for name, box in boxes.items() if placed.column[name] == int(node[1])]
        left, right = column[0].x, column[0].x + column[0].width
        at = placed.top[node] + _MARGIN + 6
        d += f"{_bend(x, y, left, at)}H{right:.1f}"
        x, y = right, at
    return f'<path d="{d}{_bend(x, y, end.x, end.middle)}" fill="none" stroke="currentColor" marker-end="url(#tip)"/>'


def _bend(x: float, y: float, to_x: float, to_y: float) -> str:
    middle = (x + to_x) / 2
    return f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
