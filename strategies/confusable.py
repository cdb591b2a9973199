"""Values that careless servers take for one another: in another case, with spaces, as parts, patterns and numbers.

A server that keeps a set as one text, looks members up in an index of its own, or asks a database with a pattern mixes
these up, one with another, though it keeps each of them well alone.
"""

from __future__ import annotations

from xenconform.models import types as t
from xenconform.models.types import Type
from xenconform.models.values import Value
from xenconform.strategies.boundary import MANY, boundaries, numbered

TEXTS: tuple[str, ...] = (
    "xc1x", "xc1/x", "xc1.x", "constructor", "xc1", "XC1", "c1", " xc1", "xc1 ", "xc1,c1", "0", "x%", "x*", "x.1",
    "01", "1",
)  # fmt: skip
"""Texts of which each may be taken for another one; a longer one stands before its parts, and what is below another."""
FOREIGN: tuple[str, ...] = (
    "cafe\u0301",
    "caf\u00e9",
    "cafe",
    "\u65e5\U0001f600",
    "\u65e5\U0001f511",
    "__proto__",
    "$o'x\"\\;%41+?~1&lt;{0}#|:=/\n\t_",
)
"""Texts beyond ASCII: one in two spellings that look alike, one that they are taken for, two beyond 16 bits.

And a name that a language has for its own, and the signs that have a meaning somewhere.
"""
RARE: tuple[str, ...] = ("k" * 256 + "1", "k" * 256, "k" * 255, "")
"""More such texts, which a server may have reasons to refuse: at the limits of columns, and none at all."""
JOINED: tuple[str, ...] = ("xc8,c8", "xc8;c8|c8", "xc8 c8", "xc8\tc8\nc8", "xc8:c8=c8&c8/c8")
"""Texts with what may stand between the members of a set, or the pairs of a map, that is kept as one text."""
WORDS: tuple[str, ...] = ("0", "01", "null", "1e3", "true")
"""Texts that look like values of other types."""


def confusables(of: Type) -> tuple[Value, ...]:
    """Return different values of a type that are easily confused, more than 8 of them where the type has so many."""
    match of:
        case t.Str():
            return TEXTS
        case t.Enum():
            return boundaries(of)[: len(TEXTS)]
        case _:
            return numbered(of, len(TEXTS))


def lookalikes(of: Type) -> tuple[tuple[Value, ...], ...]:
    """Return rows of values of which each may be taken for the one before it: longer, a number, in another spelling.

    There are such texts and ints; no values of other types.
    """
    match of:
        case t.Str():
            return (("xc7", "xc70", "xc7", "xc7 "), ("1", "01", "0", "null"), ("cafe\u0301", "caf\u00e9"))
        case t.Int():
            return ((7, 7 + 2**32), (7 + 2**53, 8 + 2**53))
        case _:
            return ()


def crowd(of: Type) -> tuple[Value, ...]:
    """Return more different values of a type than one byte can count, fewer where the type has fewer."""
    return numbered(of, MANY)


def paired(keys: tuple[Value, ...], of: Type) -> dict[Value, Value]:
    """Return a map of these keys: the first value is the plainest, which may be empty, and every value comes twice.

    Of texts the next ones are `WORDS`.
    """
    plain = numbered(of, len(keys)) or boundaries(of)
    found = (boundaries(of)[0], *(WORDS if isinstance(of, t.Str) else ()), *plain)
    return {key: found[(at // 2) % len(found)] for at, key in enumerate(keys)}


def boldest_first(of: Type) -> tuple[tuple[Value, ...], ...]:
    """Return the values that are easily confused, with all that a server may refuse besides, with less, and alone.

    The empty one stands last.
    """
    plain = confusables(of)
    return ((*plain, *FOREIGN, *RARE), (*plain, *FOREIGN), plain) if isinstance(of, t.Str) else (plain,)
