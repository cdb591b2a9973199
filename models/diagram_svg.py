"""The bound relations as an SVG picture: a box a class with its bound fields, crow's feet at the lines' ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from xenconform.models.api import Relation
from xenconform.models.diagram import rows_of
from xenconform.models.layout import Layout, layout

_HEAD, _ROW, _CHAR, _PAD, _COLUMN_GAP, _TOP, _MARGIN = 26, 19, 7.3, 14, 170, 74, 30
_COLOURS = (
    "#1f6fb2",
    "#b3541e",
    "#2b7a4b",
    "#8a3f9e",
    "#a8324a",
    "#5c6b16",
    "#0f7c83",
    "#6a5acd",
    "#8c6d1f",
    "#51606e",
)
_STYLE = """
text { font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1d2733 }
.title { font: 600 18px system-ui, 'DejaVu Sans', sans-serif } .note { font: 12px system-ui, 'DejaVu Sans', sans-serif }
.cls { font-weight: 700; fill: #fff } .box { fill: #fff; stroke: #34495e } .head { fill: #34495e }
.line, .foot { fill: none; stroke-width: 1.6 } .ring { stroke-width: 1.6 }
"""


@dataclass(frozen=True, slots=True)
class _Box:
    name: str
    rows: Sequence[str]
    x: float
    y: float
    width: float

    @property
    def height(self) -> float:
        return _height(self.rows)

    def row(self, field: str) -> float:
        """Return the middle of a field's row."""
        return self.y + _HEAD + (self.rows.index(field) + 0.5) * _ROW


def svg(relations: Sequence[Relation], title: str) -> str:
    """Return the relations as the text of an SVG document; the same relations give the same text."""
    rows = rows_of(relations)
    placed = layout(
        {cls: _height(fields) for cls, fields in rows.items()}, [(r.owner_cls, r.derived_cls) for r in relations]
    )
    boxes, lefts = _boxes(rows, placed)
    width = max([box.x + box.width + _MARGIN + 40 for box in boxes.values()] + [760])
    height = placed.height + _TOP + _MARGIN
    colours = {
        cls: _COLOURS[at % len(_COLOURS)] for at, cls in enumerate(dict.fromkeys(r.derived_cls for r in relations))
    }
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}">'
        ),
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fbfcfd"/>',
        f'<text class="title" x="{_MARGIN}" y="32">{escape(title)}</text>',
        *_legend(),
    ]
    for number, each in enumerate(relations):
        parts += _line(each, number, boxes, placed, lefts, colours[each.derived_cls])
    parts += [part for box in boxes.values() for part in _box(box)]
    return "\n".join([*parts, "</svg>", ""])


def _height(rows: Sequence[str]) -> float:
    return _HEAD + _ROW * len(rows) + 6


def _boxes(rows: Mapping[str, Sequence[str]], placed: Layout) -> tuple[dict[str, _Box], list[tuple[float, float]]]:
    """Return the boxes, and the left and right edge of each column."""
    width = {cls: max(len(cls) * 1.15, *map(len, fields)) * _CHAR + 2 * _PAD for cls, fields in rows.items()}
    edges: list[tuple[float, float]] = []
    x = float(_MARGIN)
    for at in range(max(placed.column.values(), default=-1) + 1):
        widest = max(width[cls] for cls, column in placed.column.items() if column == at)
        edges.append((x, x + widest))
        x += widest + _COLUMN_GAP
    boxes = {
        cls: _Box(cls, fields, edges[placed.column[cls]][0], placed.top[cls,] + _TOP, _widest(placed, width, cls))
        for cls, fields in rows.items()
    }
    return boxes, edges


def _widest(placed: Layout, width: Mapping[str, float], cls: str) -> float:
    return max(width[other] for other, column in placed.column.items() if column == placed.column[cls])


def _box(box: _Box) -> Iterator[str]:
    size = f'width="{box.width:.1f}" height="{box.height:.1f}"'
    yield f'<rect class="box" x="{box.x:.1f}" y="{box.y:.1f}" {size} rx="4"/>'
    yield (
        f'<path class="head" d="M{box.x:.1f} {box.y + _HEAD:.1f}v{-_HEAD + 4}q0 -4 4 -4h{box.width - 8:.1f}'
        f'q4 0 4 4v{_HEAD - 4}z"/>'
    )
    yield f'<text class="cls" x="{box.x + _PAD:.1f}" y="{box.y + 18:.1f}">{escape(box.name)}</text>'
    for field in box.rows:
        yield f'<text x="{box.x + _PAD:.1f}" y="{box.row(field) + 4:.1f}">{escape(field)}</text>'


def _line(
    each: Relation,
    number: int,
    boxes: Mapping[str, _Box],
    placed: Layout,
    edges: Sequence[tuple[float, float]],
    colour: str,
) -> Iterator[str]:
    """Yield a relation's line with its two ends: from the right side of the left box to the left side of the right."""
    ends = [
        (boxes[each.owner_cls], each.owner_field, (True, True)),
        (boxes[each.derived_cls], each.derived_field, (each.many_owner, False)),
    ]
    ends.sort(key=lambda end: placed.column[end[0].name])
    (left, left_field, left_end), (right, right_field, right_end) = ends
    x1, y1, y2 = left.x + left.width, left.row(left_field), right.row(right_field)
    name = f"<title>{escape(str(each))}</title>"
    if left.x == right.x:
        d = f"M{x1:.1f} {y1:.1f}c60 0 60 {y2 - y1:.1f} 0 {y2 - y1:.1f}"
        yield f'<path class="line" stroke="{colour}" d="{d}">{name}</path>'
        yield from _foot(x1, y1, 1, left_end, colour)
        yield from _foot(x1, y2, 1, right_end, colour)
        return
    d, x, y = f"M{x1:.1f} {y1:.1f}", x1, y1
    for node in placed.waypoints[number]:
        start, end = edges[int(node[1])]
        at = placed.top[node] + _TOP + 6
        d += f"{_bend(x, y, start, at)}H{end:.1f}"
        x, y = end, at
    d += _bend(x, y, right.x, y2)
    yield f'<path class="line" stroke="{colour}" d="{d}">{name}</path>'
    yield from _foot(x1, y1, 1, left_end, colour)
    yield from _foot(right.x, y2, -1, right_end, colour)


def _bend(x: float, y: float, to_x: float, to_y: float) -> str:
    flat = 18
    middle = (x + to_x) / 2
    return f"H{x + flat:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x - flat:.1f} {to_y:.1f}H{to_x:.1f}"


def _foot(x: float, y: float, way: int, end: tuple[bool, bool], colour: str) -> Iterator[str]:
    """Yield the end of a line at a box's side; `way` is 1 where it leaves to the right, -1 to the left.

    `end` says whether the end is many, and whether it owns the relation.
    """
    many, owns = end
    fill = colour if owns else "#fff"
    if many:
        yield f'<path class="foot" stroke="{colour}" d="M{x:.1f} {y - 5:.1f}l{11 * way} 5l{-11 * way} 5"/>'
    else:
        yield f'<path class="foot" stroke="{colour}" d="M{x + 5 * way:.1f} {y - 5:.1f}v10"/>'
    middle = x + (14 if many else 10) * way
    yield f'<circle class="ring" stroke="{colour}" fill="{fill}" cx="{middle:.1f}" cy="{y:.1f}" r="3.2"/>'


def _legend() -> Iterator[str]:
    marks = (
        ((True, True), "none or many"),
        ((False, False), "none or one"),
        ((True, True), "filled: the end that is written"),
    )
    for at, (end, words) in zip((0, 140, 270), marks, strict=True):
        yield from _foot(_MARGIN + at, 50, 1, end, "#34495e")
        yield f'<text class="note" x="{_MARGIN + at + 24}" y="54">{words}</text>'
