"""Values that constructors trip over: none at all, more than a few, nearly alike, or outside the usual range."""

from __future__ import annotations

from xenconform.models import types as t
from xenconform.models.types import Type
from xenconform.models.values import Value
from xenconform.strategies.boundary import numbered

KINDS = 6
"""How many different values there are of the types that have the most."""
CROWD = 12
"""How many members a collection has that is to be larger than a few."""
_TEXTS = (
    " padded ",
    "x" * 300 + 4_000 * "\u00e9",
    "007",
    "\u00e9\U0001f600 & <b> 'q' \"d\"",
    "e\u0301 \u00c9",
    "two\nlines\tand a tab",
)
_INTS = (0, 2**31 + 7, t.INT_MAX, -1, 2**53 + 1, t.INT_MIN)
_MILD_INTS = (0, 300, 40_000, 1, 129, 65_535)
"""Beyond what each width of a byte or two holds, and yet what ports, tags and priorities may be."""
_FLOATS = (0.0, 0.1, 1e300, -2.25)
_KEYS = ("7", "0", "1", "03", "__proto__", "constructor", "length")
"""Keys that mean something to the arrays, objects and dictionaries of one language or another."""
_ALIKE = ("case", "CASE", " case", "case ", "c\u00e9", "ce\u0301")


def bold(of: Type, n: int, *, mild: bool = False) -> Value:
    """Return value number `n` of the bold ones of a type, None where it has none; numbers beyond the last come round.

    References have none. `mild` leaves out what a server may have a reason of its own not to keep exactly: text,
    numbers out of the ordinary, and members that differ in little.
    """
    match of:
        case t.Str():
            return None if mild else _TEXTS[n % len(_TEXTS)]
        case t.Int():
            ints = _MILD_INTS if mild else _INTS
            return ints[n % len(ints)]
        case t.Float():
            return None if mild else _FLOATS[n % len(_FLOATS)]
        case t.Bool():
            return n % 2 == 1
        case t.Enum(_, names):
            return None if mild or not names else names[n % len(names)]
        case t.SetOf(item) if not t.refs_in(item):
            alike = n % 3 == 2 and isinstance(item, t.Str) and not mild
            return _ALIKE if alike else numbered(item, 0 if n % 3 == 0 else CROWD)
        case t.MapOf(key, item) if not t.refs_in(of):
            return _map(key, item, n, mild=mild)
        case _:
            return None


def _map(key: Type, item: Type, n: int, *, mild: bool) -> Value:
    alike = n % 3 == 2 and isinstance(key, t.Str) and not mild
    keys = (_KEYS if n % 2 else _ALIKE) if alike else numbered(key, 0 if n % 3 == 0 else CROWD)
    items = numbered(item, CROWD)
    return {each: items[at % len(items)] for at, each in enumerate(keys)} if items else None
