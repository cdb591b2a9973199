"""Objects that are as alike as a server lets them be: made one after the other from the same values, name included."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.roundtrip import constructor_place
from xenconform.conformance.checks.stock import TAG, Obj
from xenconform.models.calls import Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Value

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench


def twins(
    bench: Bench,
    cls: str,
    count: int = 2,
    differing: Sequence[Mapping[str, Value]] = (),
    *,
    without: Collection[str] = (),
) -> tuple[Obj, ...]:
    """Make up to `count` objects of a class with one name; fewer where the server refuses more.

    Those of `differing`, by turns, are values that they may differ in, where the server takes them. All but the last
    are made `without` these members of a record, where that may be: they share what the server puts in their place.

    Raises:
        Unavailable: not even one can be made.
    """
    of = bench.api.classes[cls]
    place = constructor_place(of, of.fields["name_label"]) if "name_label" in of.fields else None
    values = {place[1]: f"{TAG}-twin-{bench.stock.number()}"} if place is not None else {}
    made: list[Obj] = []
    for number in range(count):
        try:
            given = {**(differing[number % len(differing)] if differing else {}), **values}
            exchange = _made_without(bench, cls, given, without) if number < count - 1 else None
            if exchange is None and given != values:
                exchange = bench.stock.try_make(cls, given)
                exchange = exchange if isinstance(exchange.reply.outcome, Success) else None
            made.append(bench.stock.adopt(cls, exchange) if exchange else bench.stock.make(cls, values))
        except Unavailable:
            if not made:
                raise
            break
    return tuple(made)


def _made_without(bench: Bench, cls: str, given: Mapping[str, Value], without: Collection[str]) -> Exchange | None:
    """Make an object of a record that lacks some members; None where that is not done."""
    constructor = bench.stock.constructor(cls)
    if not constructor.record or not without:
        return None
    record = {name: value for name, value in {**bench.stock.exemplar(cls), **given}.items() if name not in without}
    exchange = bench.call(bench.formats[0], constructor.message.full_name, record, probe=True)
    return exchange if isinstance(exchange.reply.outcome, Success) else None
