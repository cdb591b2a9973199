"""Calls that must fail for a single value in them: what the reader of a type chokes on, wherever that type stands.

Values stand in parameters of explicit messages, in the record of a constructor, and in what setters and additions are
given. A server reads each type in one place or in many; so each type that a class has comes over every format, and the
messages, records and values take turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from xenconform.conformance.checks.aimed import aim, blind, is_harmless, why_not
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.creating import given_fields, implicit
from xenconform.conformance.checks.creating_nothing import bent
from xenconform.conformance.checks.good_calls import typed
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.stops import Stop
from xenconform.models import types as t
from xenconform.models.api import ApiClass, Field, Message, State
from xenconform.models.calls import Format
from xenconform.strategies.wrong import Typed, wrong_typed

_BEYOND = (str(t.INT_MAX + 1), str(t.INT_MIN - 1))
"""What is an int in text, and more than 64 bits hold."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A value of a type in a message: a parameter by its number, or a field of a constructor's record."""

    message: Message
    of: t.Type
    at: int
    field: Field | None = None


def bad_parts(bench: Bench, of: ApiClass, fmt: Format) -> Iterator[Stop]:
    """Yield calls with a bad value in them for a format; none but a constructor's names an object that is there."""
    turn = bench.formats.index(fmt)
    kinds: dict[type[t.Type], list[_Place]] = {}
    for place in _places(bench, of):
        kinds.setdefault(_inner(place.of), []).append(place)
    for kind, places in kinds.items():
        place = places[(bench.seed + turn) % len(places)]
        bad = [each for each in wrong_typed(place.of) if not t.refs_in(each[0])]
        if kind is t.Int:
            bad = [each for each in bad if any(number in str(each[1]) for number in _BEYOND)] or bad
        # Text is what readers of a type take apart; of what is no text they see the form alone.
        bad = [each for each in bad if each[0] == t.Str()] or bad
        if bad:
            with suppress(Unavailable):
                yield _stop(bench, of, place, bad[(bench.seed + turn) % len(bad)])


def _inner(of: t.Type) -> type[t.Type]:
    """Return the kind of what a collection holds, or else of the type itself."""
    match of:
        case t.SetOf(item) | t.MapOf(_, item) | t.Option(item):
            return _inner(item)
        case _:
            return type(of)


def _places(bench: Bench, of: ApiClass) -> Iterator[_Place]:
    record = implicit(of)
    if record is not None and not why_not(bench, record.message):
        yield from (_Place(record.message, f.type, 0, f) for _, f in given_fields(of, record) if _is_read(f.type))
    for message in of.messages.values():
        if message.lifecycle.state is State.REMOVED or not message.takes_session or why_not(bench, message):
            continue
        # Setters of ints have their turn in bad_calls.py.
        writes = message.implicit and message.verb in {"set", "add", "add_to"}
        if writes or (not message.implicit and is_harmless(bench, message)):
            for at, param in enumerate(message.params):
                if _is_read(param.type) and (message.verb != "set" or param.type != t.Int()):
                    yield _Place(message, param.type, at)


def _is_read(of: t.Type) -> bool:
    """Whether there is more to reading a value of a type than taking a text."""
    return not t.refs_in(of) and _inner(of) not in {t.Str, t.RecordOf}


def _stop(bench: Bench, of: ApiClass, place: _Place, bad: Typed) -> Stop:
    """Return the call; every other value in it is a good one, and refs are made up but a constructor's.

    Raises:
        Unavailable: no record is known.
    """
    as_type, value = bad
    name, what = place.message.full_name, f"{str(value)[:60]!r} for {place.of}"
    makes = of.name if of.destructor and any(c.message.full_name == name for c in of.constructors) else ""
    if place.field is None:
        aimed = aim(bench, place.message) if makes else blind(place.message)
        params = typed(place.message, aimed.args)
        return Stop(name, (*params[: place.at], bad, *params[place.at + 1 :]), what, good=False, makes=makes)
    record = {**bench.stock.exemplar(of.name), place.field.name: value}
    params = typed(place.message, (record,))
    api = bent(bench.api, of, place.field.name, as_type)
    return Stop(name, params, what, good=False, makes=makes, api=api)
