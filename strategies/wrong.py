"""Values of the wrong type that no server may accept, on any wire format.

Only what is wrong beyond doubt is here. Left out, because one format or another reads it as right: a decimal string
for an int (ints travel as text), an int for a float, an int for a string (as the API writes it both are text), any
text for a reference, a datetime for a string, and numerals that common parsers of decimal text also take (`0x10`,
`1_000`, ` 1 `; see `debatable_ints`).
"""

from __future__ import annotations

from collections.abc import Iterator

from xenconform.models import types as t
from xenconform.models.types import Type
from xenconform.models.values import Value
from xenconform.strategies.plain import tame

Typed = tuple[Type, Value]
"""A value with the type that it is to be encoded as."""

_STR, _INT, _FLOAT, _BOOL = t.Str(), t.Int(), t.Float(), t.Bool()
_TEXTS: tuple[Typed, ...] = ((_STR, "nine"), (_STR, ""))
_BOOLS: tuple[Typed, ...] = ((_BOOL, True),)
_FLOATS: tuple[Typed, ...] = ((_FLOAT, 1.5),)
_ARRAYS: tuple[Typed, ...] = ((t.SetOf(_STR), ("a",)),)
_STRUCTS: tuple[Typed, ...] = ((t.MapOf(_STR, _STR), {"a": "b"}),)


def wrong_typed(of: Type) -> tuple[Typed, ...]:
    """Return values of other types than `of`, each with the type to encode it as, that every server must refuse.

    Empty for types that no parameter has (void, event batch).
    """
    return tuple(_wrong(of))


def debatable_ints() -> tuple[Typed, ...]:
    """Return texts that are no decimal ints by the letter, yet that many number parsers accept."""
    return tuple((_STR, text) for text in ("0x10", "0b1", "0o7", "1_000", " 1", "1 ", "+1", "1e3", "1.0"))


def nearly_names(of: t.Enum) -> tuple[str, ...]:
    """Return texts that a careless parser takes for names of an enum, which are none of them.

    Names in other letters, with spaces, cut short, longer and with another dash; the numbers of names; the empty text.
    """
    first, last = of.values[0], of.values[-1]
    spelled = next((name for name in reversed(of.values) if "_" in name), first)
    found = (
        last.swapcase(), f"{last}_or_not", "1", "", first.upper(), f" {first}", f"{last} ", last[:-1], "0",
        first.swapcase(), spelled.replace("_", "-"), last.capitalize(), first.lower(),
    )  # fmt: skip
    return tuple(text for text in dict.fromkeys(found) if text not in of.values)


def is_a_name(of: Type, other: Type | None) -> bool:
    """Whether a value of another type is text where an enum's name belongs: if it is one, is for WIRE-ENUM to say."""
    match of, other:
        case (t.Enum(), t.Str()) | (t.SetOf(t.Enum()), t.SetOf(t.Str())) | (t.MapOf(t.Enum(), _), t.MapOf(t.Str(), _)):
            return True
        case _:
            return False


def _wrong(of: Type) -> Iterator[Typed]:
    match of:
        case t.Str() | t.RefTo():
            yield from (*_BOOLS, *_FLOATS, *_wrapped(of))
        case t.Int():
            yield from (*_TEXTS, (_STR, "1.5"), (_STR, str(t.INT_MAX + 1)), (_STR, str(t.INT_MIN - 1)))
            yield from (*_FLOATS, *_BOOLS, *_wrapped(of))
        case t.Float():
            yield from (*_TEXTS, (_STR, "1,5"), *_BOOLS, *_wrapped(of))
        case t.DateTime():
            yield from (
                *_TEXTS,
                (_STR, "20241301T12:00:00Z"),
                (_STR, "20240230T12:00:00Z"),
                *_BOOLS,
                *_FLOATS,
                *_wrapped(of),
            )
        case t.Bool():
            yield from (*_TEXTS, (_STR, "true"), (_INT, 2), *_FLOATS, *_wrapped(of))
        case t.Enum(_, names):
            yield (_STR, "no_such_value")
            yield from (text for text in _TEXTS if text[1] not in names)
            yield from (*_BOOLS, *_FLOATS, *_wrapped(of))
        case t.SetOf(item):
            yield from (*_TEXTS, *_BOOLS, *_FLOATS, (t.MapOf(_STR, _STR), {}), _numbered(item))
            yield from ((t.SetOf(other), (value,)) for other, value in _wrong(item))
        case t.MapOf(key, item):
            yield from (*_TEXTS, *_BOOLS, *_FLOATS, *_ARRAYS, (t.SetOf(_STR), ()))
            yield from _wrong_members(key, item)
        case t.RecordOf():
            yield from (_TEXTS[0], *_BOOLS, *_FLOATS, *_ARRAYS)
        case t.Option(item):
            yield from _wrong(item)
        case _:
            return


def _wrapped(of: Type) -> tuple[Typed, ...]:
    """Return an array and a struct of a single right value: servers are known to take such for the value itself."""
    if t.refs_in(of) or (isinstance(of, t.Enum) and not of.values):
        return (*_ARRAYS, *_STRUCTS)
    value = tame(of, 0)
    return (t.SetOf(of), (value,)), (t.MapOf(_STR, of), {"a": value})


def _numbered(item: Type) -> Typed:
    """Return a struct of one member whose name is the place that it would have in an array."""
    refs = t.refs_in(item) or (isinstance(item, t.Enum) and not item.values)
    return (t.MapOf(_STR, _STR), {"0": "b"}) if refs else (t.MapOf(_STR, item), {"0": tame(item, 0)})


def _wrong_members(key: Type, item: Type) -> Iterator[Typed]:
    """Maps with one value of the wrong type, or one key that its type does not have; members' names are text."""
    if not t.refs_in(key):
        yield from ((t.MapOf(key, other), {tame(key, 0): value}) for other, value in _wrong(item))
    if not t.refs_in(item) and not isinstance(item, t.RecordOf):
        keys = (value for other, value in _wrong(key) if other == _STR)
        yield from ((t.MapOf(_STR, item), {value: tame(item, 0)}) for value in keys)
