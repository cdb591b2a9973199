"""Objects that are as alike as a server lets them be: made one after the other from the same values, name included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.roundtrip import constructor_place
from xenconform.conformance.checks.stock import TAG, Obj

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench


def twins(bench: Bench, cls: str, count: int = 2) -> tuple[Obj, ...]:
    """Make up to `count` objects of a class with one name; fewer where the server refuses more.

    Raises:
        Unavailable: not even one can be made.
    """
    of = bench.api.classes[cls]
    place = constructor_place(of, of.fields["name_label"]) if "name_label" in of.fields else None
    values = {place[1]: f"{TAG}-twin-{bench.stock.number()}"} if place is not None else {}
    made: list[Obj] = []
    for _ in range(count):
        try:
            made.append(bench.stock.make(cls, values))
        except Unavailable:
            if not made:
                raise
            break
    return tuple(made)
