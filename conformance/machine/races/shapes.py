"""Races as numbers: how many threads, what kind of call each makes next, how far behind the others it starts.

Small integers and no more, so that drawing costs little and nothing of a server's enters what is drawn; what the
numbers stand for is worked out by conformance/machine/races/composing.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

Move = tuple[int, int]
"""The kind of a call, 0 to 15, and which field, key or value of a few, 0 to 63."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A race as numbers.

    Attributes:
        branches: the moves of each thread.
        delays: how far each thread starts behind the others.
        fmt: the first thread's format.
        objects: how many objects there are besides the first.
        crossed: whether every other thread takes the fields the other way round.
        filled: whether sets and maps have members when the race begins.
        apart: whether each thread keeps to one field of its own.
    """

    branches: tuple[tuple[Move, ...], ...]
    delays: tuple[int, ...] = (0, 0, 0, 0)
    fmt: int = 0
    objects: int = 0
    crossed: bool = False
    filled: bool = False
    apart: bool = False


_DUEL: Final = ((0, 0), (0, 0), (0, 2), (0, 2))
_APART: Final = ((0, 0), (9, 0), (0, 2), (9, 0))
_REMOVING: Final = ((6, 2), (6, 2), (0, 0), (6, 3))
_SECOND: Final = 16
"""Added to a value, it names the second object."""
_APIECE: Final = ((0, 0), (6, 0), (0, 2), (0, 1))
_ONCE: Final = ((0, 0), (0, 0))
DUELS: Final = (
    Shape((_DUEL, _DUEL)),
    Shape((_APART, _APART), fmt=1, crossed=True),
    Shape((_DUEL, ((9, 0),) * 4), fmt=2),
    Shape((_REMOVING, _REMOVING), filled=True),
    Shape((_APIECE, tuple((kind, value + _SECOND) for kind, value in _APIECE)), fmt=1, objects=1),
    Shape((_ONCE, _ONCE), fmt=2),
)
"""Two threads on the same object: both add, the same key first, then one of their own; each writes one field and reads
the other's; one only reads; both remove. Two threads on the same field of two objects. And two that write each field
once: what is lost or left over then, no later write mends."""
_OWN: Final = ((6, 0), (8, 0), (0, 0), (8, 0), (6, 1), (0, 1))
SPREAD: Final = Shape((_OWN,) * 4, filled=True, apart=True)
"""Threads that remove from, read and write a field each, of the same object: none may see anything of the others."""
MEETINGS: Final = (
    Shape((((0, 0), (6, 0)), ((0, 0), (6, 0)))),
    Shape((((4, 0), (6, 1)), ((4, 0), (6, 1))), fmt=1),
    Shape((((8, 0), (0, 0)), ((12, 0),), ((8, 0), (8, 0), (0, 0))), fmt=2),
    Shape((((4, 0), (4, 1)), ((11, 0), (8, 0))), delays=(0, 1, 0, 0)),
    Shape((((0, 0), (0, 0), (11, 0)), ((6, 0), (6, 4), (6, 0), (6, 4))), fmt=1),
    Shape((((0, 0), (11, _SECOND), (0, 0), (4, _SECOND)), ((7, 0),) * 6), objects=1),
    Shape((((11, _SECOND), (0, 0)), ((0, 0), (0, 0)), ((8, 0), (7, 0)) * 3), fmt=2, objects=1),
    Shape((((6, 0), (6, 4)), ((0, 0),) * 4, ((6, 4), (6, 8))), delays=(0, 1, 0, 0), fmt=1),
    Shape((((11, _SECOND),), ((11, _SECOND),)), objects=1),
    Shape((((4, 0), (4, 1), (4, 0)), ((6, 0), (6, 4), (6, 8))), fmt=2),
)
"""Threads that make objects and look them up; that name one object and look it up; that make, a little later, objects
which need another that one of them ends; that name an object which one of them ends; that list the class while objects
are made and one ends; that read an object, and look it up by its uuid, while others are made and end; that begin to
list the class in every way just before several objects are made; that end the same object; that name an
object while the class is listed."""

_branches = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 63)), min_size=1, max_size=4).map(tuple)
shapes: Final = st.builds(
    Shape,
    branches=st.lists(_branches, min_size=2, max_size=4).map(tuple),
    delays=st.tuples(*[st.integers(0, 3)] * 4),
    fmt=st.integers(0, 2),
    objects=st.integers(0, 2),
    crossed=st.booleans(),
    filled=st.booleans(),
)
"""Two to four threads of one to four calls each. Shrinks towards two threads that write one field at the same time."""


def drawn(number: int, start: int) -> Iterator[Shape]:
    """Yield as many shapes, the same for the same seed; nothing that comes of them enters the drawing."""
    for batch in count():
        found: list[Shape] = []
        _draw(found, min(number, BATCH), start + batch)
        yield from found
        number -= len(found)
        if number <= 0 or not found:
            return


BATCH: Final = 50
"""How many shapes are drawn at a time."""


def _draw(found: list[Shape], number: int, start: int) -> None:
    chosen = settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )

    @seed(start % 2**64)
    @chosen
    @given(shapes)
    def draw(shape: Shape) -> None:
        found.append(shape)

    draw()
