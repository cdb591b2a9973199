"""Where the boxes of a diagram go: columns from owner to owned, few crossings, lines led round the boxes.

The usual layered drawing: columns by longest path, waypoints where a line crosses a column, the order in a column by
the mean place of the neighbours, then heights pulled towards the neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

Node: TypeAlias = tuple[str, ...]
"""A box, by its name alone; or a waypoint, by the number of its line and of its column."""

_GAP = 26
_WAYPOINT = 12
_SWEEPS = 24
_PULLS = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """The column of each box, the top of each box and waypoint in pixels, and the waypoints of each line."""

    column: Mapping[str, int]
    top: Mapping[Node, float]
    waypoints: Sequence[Sequence[Node]]
    height: float


def layout(heights: Mapping[str, float], lines: Sequence[tuple[str, str]]) -> Layout:
    """Place boxes.

    Args:
        heights: of each box, in pixels.
        lines: pairs of boxes that are joined; the first of a pair goes left where it can.
    """
    column = _columns(heights, lines)
    columns: list[list[Node]] = [[] for _ in range(max(column.values(), default=0) + 1)]
    size: dict[Node, float] = {}
    for name, at in column.items():
        columns[at].append((name,))
        size[name,] = heights[name]
    waypoints: list[list[Node]] = []
    near: dict[Node, list[Node]] = {node: [] for node in size}
    for number, (left, right) in enumerate(lines):
        first, last = sorted((left, right), key=column.__getitem__)
        between: list[Node] = [(str(number), str(at)) for at in range(column[first] + 1, column[last])]
        for at, node in enumerate(between, start=column[first] + 1):
            columns[at].append(node)
            size[node], near[node] = _WAYPOINT, []
        waypoints.append(between)
        if first != last:
            for one, other in pairwise([(first,), *between, (last,)]):
                near[one].append(other)
                near[other].append(one)
    _untangle(columns, near)
    top = _pull(columns, near, size)
    return Layout(column, top, waypoints, max((top[node] + size[node] for node in top), default=0))


def _columns(names: Iterable[str], lines: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return each box's column: left of all that it points to, cycles cut where they close."""
    out: dict[str, list[str]] = {name: [] for name in names}
    for left, right in lines:
        if left != right:
            out[left].append(right)
    rank: dict[str, int] = {}
    open_boxes: set[str] = set()

    def visit(name: str) -> int:
        if name not in rank:
            open_boxes.add(name)
            rank[name] = max((visit(to) + 1 for to in out[name] if to not in open_boxes), default=0)
            open_boxes.discard(name)
        return rank[name]

    for name in out:
        visit(name)
    widest = max(rank.values(), default=0)
    return {name: widest - at for name, at in rank.items()}


def _untangle(columns: list[list[Node]], near: Mapping[Node, Sequence[Node]]) -> None:
    """Order each column by the mean place of the neighbours, to and fro."""
    for sweep in range(_SWEEPS):
        place = {node: at / max(len(nodes), 1) for nodes in columns for at, node in enumerate(nodes)}
        for nodes in columns if sweep % 2 else reversed(columns):
            nodes.sort(key=lambda node: _mean([place[other] for other in near[node]], place[node]))
            place.update({node: at / max(len(nodes), 1) for at, node in enumerate(nodes)})


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _pull(
    columns: list[list[Node]], near: Mapping[Node, Sequence[Node]], size: Mapping[Node, float]
) -> dict[Node, float]:
    """Return the tops: stacked, then pulled towards the neighbours' middles as far as the order and the gaps allow."""
    top: dict[Node, float] = {}
    for nodes in columns:
        at = 0.0
        for node in nodes:
            top[node] = at
            at += size[node] + _GAP
    for _ in range(_PULLS):
        for nodes in columns:
            wish = [_mean([top[o] + size[o] / 2 for o in near[n]], top[n] + size[n] / 2) - size[n] / 2 for n in nodes]
            top.update(zip(nodes, _spaced(wish, [size[n] + _GAP for n in nodes]), strict=True))
    least = min(top.values(), default=0)
    return {node: at - least for node, at in top.items()}


def _spaced(wish: Sequence[float], room: Sequence[float]) -> list[float]:
    """Return places in order, each with its room, as near to the wishes as runs of touching boxes allow."""
    runs: list[tuple[float, float, int]] = []
    for at, needs in zip(wish, room, strict=True):
        start, length, count = at, needs, 1
        while runs and runs[-1][0] + runs[-1][1] > start:
            before, its_length, its_count = runs.pop()
            start = (before * its_count + (start - its_length) * count) / (its_count + count)
            length, count = its_length + length, its_count + count
        runs.append((start, length, count))
    places, rooms = [], iter(room)
    for start, _, count in runs:
        at = start
        for _ in range(count):
            places.append(at)
            at += next(rooms)
    return places
