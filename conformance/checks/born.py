"""Objects that a constructor gave a field's value, a set or a map that no setter has touched, where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from xenconform.conformance.checks.fields import Place
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.roundtrip import constructor_place
from xenconform.models.calls import Success
from xenconform.models.values import Value, same


@contextmanager
def born_with(place: Place, value: Value) -> Iterator[Place]:
    """Make another object of the class with a value in the field, and remove it behind the block.

    Where no constructor takes the field the new object's is set.

    Raises:
        Unavailable: no object can be made, the server would not, or the field shows another value.
    """
    where, stock = constructor_place(place.of, place.field), place.bench.stock
    if where is None:
        other = replace(place, obj=stock.make(place.of.name, fmt=place.fmt))
        other.call("set", value)
    else:
        exchange = stock.try_make(place.of.name, {where[1]: value}, fmt=place.fmt)
        if not isinstance(exchange.reply.outcome, Success):
            raise Unavailable(stock.refusal(place.of.name, exchange))
        other = replace(place, obj=stock.adopt(place.of.name, exchange))
    try:
        shown, _ = other.read()
        if not same(place.field.type, value, shown):
            raise Unavailable("the constructor does not give the field its value; counted under CREATE-FIELDS")
        yield other
    finally:
        stock.remove(other.obj)
