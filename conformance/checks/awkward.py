"""Objects full of awkward values: what a server that stores or reads carelessly loses first.

Nothing is judged here: a value that a server refuses leaves what was there.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import UTC, datetime

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.roundtrip import writer
from xenconform.conformance.checks.stock import Obj
from xenconform.models import types as t
from xenconform.models.api import ApiClass, Field, State
from xenconform.models.calls import Format, Success
from xenconform.models.values import Value
from xenconform.strategies.boundary import MANY, numbered

KINDS = 5
"""So many kinds of awkward object there are; the number of a kind says which values it has."""
TEXTS = (
    "e\u0301 \u00e9 \U0001f600 <&> &amp; \"' \\ \\n ]]> ",
    "",
    "  line\nfeed\tand \u2028 ",
    " long\r\n" + "\u00e9x" * 600 + " ",
    "007",
)
INTS = (2**53 + 1, t.INT_MIN, t.INT_MAX, 2**31, -1)
FLOATS = (-0.0, 0.1 + 0.2, 5e-324, 1e300, -1 / 3)
DATES = (
    datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC),
    datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC),
    datetime(2100, 2, 28, 12, 0, 0, 1, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    datetime(2024, 7, 1, 0, 0, 0, tzinfo=UTC),
)
MEMBERS = (
    "case",
    "CASE",
    " space",
    "space ",
    "e\u0301",
    "\u00e9",
    "0",
    "00",
    "true",
    "null",
    "k" * 300,
    "a\r\nb",
    "x;y,z=1",
    "a.b",
    "yes",
    "a # b",
    "1e5",
    "%41",
)
EMPTY = 1
"""The kind whose collections have no members."""
LARGE = 0
"""The kind whose collections are large."""
SMALL = 2
"""A kind whose collections are neither."""
LONG = 3
"""The kind whose texts are long."""
ADDED = {LARGE: "", SMALL: "added later"}
"""By kind: what is added by itself to sets and maps of texts."""


def make_awkward(bench: Bench, of: ApiClass, kind: int, *, written: bool = True) -> Obj:
    """Make an object with awkward values of the next kind, and write those of a kind to what can be written.

    So what a server was given last is not what it was given first. Each goes over a format of its own. Where the server
    refuses the values the object is a plain one, written all the same. Not `written`, it is as its constructor made it.

    Raises:
        Unavailable: none can be made.
    """
    fmt = bench.formats[kind % len(bench.formats)]
    values = awkward_values(bench, of, kind + 1)
    exchange = bench.stock.try_make(of.name, values, fmt=fmt) if values else None
    made = exchange is not None and isinstance(exchange.reply.outcome, Success)
    obj = bench.stock.adopt(of.name, exchange) if exchange and made else bench.stock.make(of.name, fmt=fmt)
    if written:
        fill(bench, of, obj, kind)
    return obj


def awkward_values(bench: Bench, of: ApiClass, kind: int) -> dict[str, Value]:
    """Return what a constructor may be given of a kind, single references left out.

    Raises:
        Unavailable: the class has no constructor.
    """
    values: dict[str, Value] = {}
    for name, field in given_fields(of, bench.stock.constructor(of.name)):
        if isinstance(field.type, t.RefTo):
            continue
        with suppress(Unavailable):
            values[name] = awkward_value(bench, of, field, kind)
    return values


def fill(bench: Bench, of: ApiClass, obj: Obj, kind: int) -> None:
    """Write awkward values of a kind to every field that a message sets; then take something away.

    In two kinds a member is added by itself. Where collections are large it is "": a server that takes none as a
    member refuses that alone. Members come and go last, once all is set, and in most kinds with the last field
    first: what is kept until a later write of another sort shows whether it is kept.
    """
    written: list[tuple[Field, int]] = []
    for at, field in enumerate(of.fields.values()):
        with suppress(Unavailable):
            if _set(bench, of, (obj, field), (kind, at)):
                written.append((field, at))
    if kind % KINDS >= SMALL:
        written.reverse()
    for field, at in written:
        with suppress(Unavailable):
            _take(bench, of, (obj, field), (kind, at))
    for field, at in written:
        if kind % KINDS in ADDED and bench.profile.domain(of.name, field.name).is_free:
            with suppress(Unavailable):
                fmt = bench.formats[(kind + at) % len(bench.formats)]
                _add(bench, of, (obj, field), (fmt, ADDED[kind % KINDS]))


def settable(bench: Bench, of: ApiClass) -> tuple[Field, ...]:
    """Return the fields that a message sets and another one reads."""
    return tuple(f for f in of.fields.values() if f"get_{f.name}" in of.messages and writer(bench, of, f.name, "set"))


def put_back(bench: Bench, of: ApiClass, obj: Obj) -> tuple[AbstractContextManager[None], ...]:
    """Return what puts each field that `fill` writes back to what it was, for an object that is not ours."""
    return tuple(bench.restoring(obj, field.name) for field in settable(bench, of))


def put_back_later(bench: Bench, of: ApiClass, obj: Obj, afterwards: ExitStack) -> None:
    """Have each field that `fill` writes put back with `afterwards`; that of an object that is gone cannot be.

    Raises:
        Unavailable: a field cannot be read, so the object is not to be written.
    """
    for each in put_back(bench, of, obj):
        each.__enter__()
        afterwards.callback(_leave, each)


def _leave(restoring: AbstractContextManager[None]) -> None:
    with suppress(Unavailable):
        restoring.__exit__(None, None, None)


def _set(bench: Bench, of: ApiClass, what: tuple[Obj, Field], turn: tuple[int, int]) -> bool:
    """Set a field; return whether a message sets it."""
    (obj, field), (kind, at) = what, turn
    setter = writer(bench, of, field.name, "set")
    if setter is None or field.lifecycle.state is State.REMOVED or len(setter.params) != 2:
        return False
    fmt = bench.formats[(kind + at) % len(bench.formats)]
    bench.call(fmt, setter.full_name, obj.ref, awkward_value(bench, of, field, kind))
    return True


def _take(bench: Bench, of: ApiClass, what: tuple[Obj, Field], turn: tuple[int, int]) -> None:
    """Take the last member of a collection away, if it has any."""
    (obj, field), (kind, at) = what, turn
    verb = {t.SetOf: "remove", t.MapOf: "remove_from"}.get(type(field.type))
    taker = writer(bench, of, field.name, verb) if verb else None
    value = awkward_value(bench, of, field, kind) if taker is not None else ()
    if taker is not None and isinstance(value, tuple | dict) and value:
        fmt = bench.formats[(kind + at) % len(bench.formats)]
        bench.call(fmt, taker.full_name, obj.ref, tuple(value)[-1])


def _add(bench: Bench, of: ApiClass, what: tuple[Obj, Field], how: tuple[Format, str]) -> None:
    (obj, field), (fmt, member) = what, how
    rest: tuple[Value, ...] = ()
    match field.type:
        case t.SetOf(t.Str()):
            verb = "add"
        case t.MapOf(t.Str(), item) if not t.refs_in(item):
            verb, rest = "add_to", (_item(item, LARGE, KINDS - 1),)
        case _:
            return
    adder = writer(bench, of, field.name, verb)
    if adder is not None:
        bench.call(fmt, adder.full_name, obj.ref, member, *rest)


def empty_out(bench: Bench, of: ApiClass, obj: Obj) -> None:
    """Take the members of each set and map away one by one, the last too, once there are two; let refs be null."""
    for at, field in enumerate(of.fields.values()):
        fmt, setter = bench.formats[at % len(bench.formats)], writer(bench, of, field.name, "set")
        if isinstance(field.type, t.RefTo) and setter is not None and len(setter.params) == 2:
            with suppress(Unavailable):
                for ref in (*plain_values(bench, of.name, field, field.type, 1), t.NULL_REF):
                    bench.call(fmt, setter.full_name, obj.ref, ref)
        verb = {t.SetOf: "remove", t.MapOf: "remove_from"}.get(type(field.type))
        taker = writer(bench, of, field.name, verb) if verb else None
        if setter is None or taker is None or field.lifecycle.state is State.REMOVED or len(setter.params) != 2:
            continue
        with suppress(Unavailable):
            value = awkward_value(bench, of, field, SMALL)
            some: Value = dict(list(value.items())[:2]) if isinstance(value, dict) else tuple(value)[:2]
            bench.call(fmt, setter.full_name, obj.ref, some)
            for member in some:
                bench.call(fmt, taker.full_name, obj.ref, member)


def awkward_value(bench: Bench, of: ApiClass, field: Field, kind: int) -> Value:
    """Return the awkward value of a kind for a field; one of its domain where it has one, or refers to objects.

    Raises:
        Unavailable: there is none, or the profile does not vary the field.
    """
    if t.refs_in(field.type) or not bench.profile.domain(of.name, field.name).is_free:
        choices = plain_values(bench, of.name, field, field.type, KINDS)
        if not choices:
            raise Unavailable(f"no value of {of.name}.{field.name} is known")
        return choices[kind % len(choices)]
    return awkward(field.type, kind)


def awkward(of: t.Type, kind: int) -> Value:
    """Return the awkward value of a kind of a type without references.

    Collections are large in one kind and empty in another; their members are easily confused in all others.
    """
    match of:
        case t.Str():
            return TEXTS[kind % KINDS]
        case t.Int():
            return INTS[kind % KINDS]
        case t.Float():
            return FLOATS[kind % KINDS]
        case t.Bool():
            return kind % 2 == 0
        case t.DateTime():
            return DATES[kind % KINDS]
        case t.Enum(_, names):
            return names[kind % len(names)]
        case t.SetOf(item):
            return _members(item, kind)
        case t.MapOf(key, item):
            keys = _members(key, kind)
            # Those of a large map would be most of what a run sends and keeps: all but the first are short.
            plain = numbered(item, len(keys))
            short = {at: plain[at] for at in range(len(MEMBERS), len(plain))}
            return {each: short[at] if at in short else _item(item, kind, at) for at, each in enumerate(keys)}
        case _:
            raise Unavailable(f"no awkward value of type {of}")


def _members(of: t.Type, kind: int) -> tuple[Value, ...]:
    if kind % KINDS == EMPTY:
        return ()
    if not isinstance(of, t.Str):
        return numbered(of, MANY)
    if kind % KINDS == LARGE:
        return (*MEMBERS, *numbered(of, MANY))
    # The last one is what `fill` takes away again: a plain one, so that each of the others stays.
    return (f"kind {kind % KINDS}", *MEMBERS, "taken away")


def _item(of: t.Type, kind: int, at: int) -> Value:
    return awkward(of, kind + at) if isinstance(of, t.Str | t.Int | t.Float | t.DateTime) else awkward(of, kind)
