"""Hand-chosen boundary values of every type, the plainest first.

Source of the choices: the limits of the types (64-bit ints, IEEE doubles, XML and JSON text) and the places where
servers are known to trip: escaping, white space, normalisation, length limits, number conversions.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Hashable, Iterable
from datetime import UTC, datetime

from xenconform.models import types as t
from xenconform.models.types import Type
from xenconform.models.values import Value, canonical
from xenconform.strategies.texts import LONG_TEXT, TEXTS

MANY = 300
"""How many members a large set or map has: past every limit of one byte."""

LARGE = 1_100
"""How many members the largest set or map has: past a thousand, and no multiple of a power of two."""

INTS: tuple[int, ...] = (
    0,
    1,
    -1,
    2**31 - 1,
    2**31,
    -(2**31),
    -(2**31) - 1,
    2**32,
    2**53 - 1,
    2**53,
    2**53 + 1,
    -(2**53) - 1,
    10,
    256,
    2**15,
    2**32 - 1,
    10**6,
    10**18,
    t.INT_MAX,
    t.INT_MIN,
)
FLOATS: tuple[float, ...] = (
    0.0,
    1.0,
    -1.0,
    0.5,
    -0.0,
    0.1,
    1 / 3,
    math.pi,
    123456789.123456789,
    2.0**53 + 1.0,
    1e21,
    1e22,
    1e16,
    1e-7,
    -0.1,
    0.1 + 0.2,
    5e-324,
    sys.float_info.min,
    sys.float_info.max,
    -sys.float_info.max,
)
DATETIMES: tuple[datetime, ...] = (
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2000, 2, 29, tzinfo=UTC),
    datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    # Beyond what 64 bits of nanoseconds reach on either side, and other clocks and calendars that begin late.
    datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC),
    datetime(1600, 2, 29, 12, tzinfo=UTC),
    datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC),
    # A day that may be a month; summer; the hours of twelve; a year's last day, whose week is the next year's, and a
    # first one, whose week is the last year's; past the 32 bits without sign, and the leap year that 2100 is not.
    datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC),
    datetime(2024, 7, 1, 0, 30, 10, tzinfo=UTC),
    datetime(2024, 12, 31, 12, 0, 1, tzinfo=UTC),
    datetime(2023, 1, 1, 1, 1, 1, tzinfo=UTC),
    datetime(2107, 3, 1, 6, 7, 8, tzinfo=UTC),
    # The second of two hours that clocks on the wall show alike in autumn: of Central Europe, of New York.
    datetime(2024, 10, 27, 1, 30, tzinfo=UTC),
    datetime(2024, 11, 3, 6, 30, tzinfo=UTC),
)
_SPECIAL_KEYS: tuple[str, ...] = (
    "key",
    "KEY",
    " key",
    "key ",
    "k e y",
    "k<e>y",
    "k&y",
    '"k"',
    "k\\y",
    "k/y.z:0-1_2",
    "\u00e9",
    "e\u0301",
    "\U0001f511",
    "0",
    "true",
)


def boundaries(of: Type) -> tuple[Value, ...]:  # noqa: PLR0911 - one return a type
    """Return the boundary values of a type, the plainest first, none twice in the API's sense.

    References have none (only the caller knows objects), so neither have collections of them but the empty one.
    """
    match of:
        case t.Str():
            return TEXTS
        case t.Int():
            return INTS
        case t.Float():
            return FLOATS
        case t.Bool():
            return (False, True)
        case t.DateTime():
            return DATETIMES
        case t.Enum(_, names):
            return names
        case t.SetOf(item):
            return _distinct(of, _sets(item))
        case t.MapOf(key, item):
            return _distinct(of, _maps(key, item))
        case t.Option(item):
            return (None, *boundaries(item))
        case t.Void():
            return (None,)
        case _:
            return ()


def special_floats() -> tuple[float, ...]:
    """Return the doubles that JSON and XML-RPC have no notation for: both infinities and a NaN."""
    return (math.inf, -math.inf, math.nan)


def hostile_keys() -> tuple[str, ...]:
    """Return map keys that a server may trip over or rightly refuse: the empty key first."""
    return ("", " ", "\n", "\r\n", "a\tb", "__proto__", "$where", "../..", "]]>", "OpaqueRef:NULL", "k" * LONG_TEXT)


def numbered(of: Type, count: int) -> tuple[Value, ...]:
    """Return up to `count` different values of a plain type; fewer where the type has fewer."""
    match of:
        case t.Str():
            return tuple(f"m{n}" for n in range(count))
        case t.Int():
            return tuple(range(count))
        case t.Float():
            return tuple(n + 0.5 for n in range(count))
        case t.DateTime():
            return tuple(datetime.fromtimestamp(n * 86_400, UTC) for n in range(count))
        case _:
            return boundaries(of)[:count]


def _sets(item: Type) -> Iterable[tuple[Value, ...]]:
    single = boundaries(item)
    yield ()
    if not single:
        return
    yield (numbered(item, 1)[0],)
    yield numbered(item, 2)
    yield single[:1]
    if isinstance(item, t.Str):
        yield ("case", "CASE", "Case")
        yield ("space", " space", "space ", "sp ace")
        yield ("\u00e9", "e\u0301")
        yield ("0", "00", "0.0")
    yield tuple(one for one in single if not _is_long(one))
    yield numbered(item, MANY)


def _maps(key: Type, item: Type) -> Iterable[dict[Value, Value]]:
    keys, single = numbered(key, MANY), boundaries(item)
    yield {}
    if not keys or not single:
        return
    plain = numbered(item, MANY) or single
    yield {keys[0]: plain[0]}
    yield dict(zip(keys[:2], plain[:2] if len(plain) > 1 else plain * 2, strict=False))
    if isinstance(key, t.Str):
        yield {"case": plain[0], "CASE": plain[-1]}
        yield {special: plain[at % len(plain)] for at, special in enumerate(_SPECIAL_KEYS)}
    elif not isinstance(key, t.Enum):
        yield {each: plain[at % len(plain)] for at, each in enumerate(boundaries(key))}
    yield {keys[at]: one for at, one in enumerate(single[: len(keys)]) if not _is_long(one)}
    yield {each: plain[at % len(plain)] for at, each in enumerate(keys)}


def _is_long(value: Value) -> bool:
    return isinstance(value, str) and len(value) > MANY


def _distinct(of: Type, found: Iterable[Value]) -> tuple[Value, ...]:
    seen: dict[Hashable, Value] = {}
    for value in found:
        seen.setdefault(canonical(of, value), value)
    return tuple(seen.values())
