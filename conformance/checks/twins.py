"""Objects that are as alike as a server lets them be: made one after the other from the same values, name included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.roundtrip import constructor_place
from xenconform.conformance.checks.stock import TAG, Obj
from xenconform.models.calls import Success
from xenconform.models.values import Value

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench


def twins(bench: Bench, cls: str, count: int = 2, differing: Sequence[Mapping[str, Value]] = ()) -> tuple[Obj, ...]:
    """Make up to `count` objects of a class with one name; fewer where the server refuses more.

    Those of `differing`, by turns, are values that they may differ in, where the server takes them.

    Raises:
        Unavailable: not even one can be made.
    """
    of = bench.api.classes[cls]
    place = constructor_place(of, of.fields["name_label"]) if "name_label" in of.fields else None
    values = {place[1]: f"{TAG}-twin-{bench.stock.number()}"} if place is not None else {}
    made: list[Obj] = []
    for number in range(count):
        try:
            more = differing[number % len(differing)] if differing else {}
            exchange = bench.stock.try_make(cls, {**more, **values}) if more else None
            done = exchange is not None and isinstance(exchange.reply.outcome, Success)
            made.append(bench.stock.adopt(cls, exchange) if exchange and done else bench.stock.make(cls, values))
        except Unavailable:
            if not made:
                raise
            break
    return tuple(made)
