"""Strategies for the values of each type: boundaries, drawn values, plain ones, and values of the wrong type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from xenconform.models import types as t
from xenconform.models.types import Type
from xenconform.models.values import Value, canonical
from xenconform.strategies.boundary import boundaries, hostile_keys, special_floats
from xenconform.strategies.plain import tame
from xenconform.strategies.wrong import wrong_typed

__all__ = [
    "boundaries",
    "carriable_texts",
    "hostile_keys",
    "special_floats",
    "tame",
    "uncarriable_texts",
    "values",
    "wrong_typed",
]

Refs = Mapping[str, Sequence[str]]
"""The references that may be drawn, by class."""

NO_REFS: Refs = MappingProxyType({})
_NONCHARACTERS = "".join(
    chr(point)
    for point in [*range(0xFDD0, 0xFDF0), *(plane << 16 | low for plane in range(17) for low in (0xFFFE, 0xFFFF))]
)
_CONTROLS = "".join(chr(point) for point in range(0x20) if chr(point) not in "\t\n\r")
_LAST_SECOND = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())


def carriable_texts(*, min_size: int = 0, max_size: int = 40) -> SearchStrategy[str]:
    """Draw any Unicode text that XML can carry; shrinks towards the empty text, then few ASCII characters.

    Left out are what XML 1.0 (section 2.2) forbids, and the code points that XML allows but discourages: DEL, the C1
    controls and Unicode's noncharacters. Tab, LF and CR are in.
    """
    characters = st.characters(
        exclude_categories=("Cs", "Cc"), include_characters="\t\n\r", exclude_characters=_NONCHARACTERS
    )
    return st.text(characters, min_size=min_size, max_size=max_size)


def uncarriable_texts() -> SearchStrategy[str]:
    """Draw text with at least one character that XML cannot carry; shrinks towards a lone NUL.

    NUL, the other C0 controls, U+FFFE, U+FFFF and lone surrogates (XML 1.0, section 2.2).
    """
    bad = st.sampled_from("\0" + _CONTROLS[1:] + "\ud800\udbff\udc00\udfff\ufffe\uffff")
    plain = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=4)
    return st.builds("{}{}{}".format, plain, bad, plain)


def values(of: Type, *, refs: Refs = NO_REFS) -> SearchStrategy[Value]:
    """Draw values of a type, boundaries about half of the time; shrinks towards its plainest boundary.

    Args:
        of: the type.
        refs: the references to draw from, by class; none of it is invented, the null reference neither.

    Raises:
        ValueError: at once, not when drawing: the type needs a reference of a class that `refs` does not have, an
            enum without its values, or is one that no request carries.
    """
    match of:
        case t.RefTo(cls):
            return st.sampled_from(_candidates(cls, refs))
        case t.Enum(name, names):
            if not names:
                raise ValueError(f"enum {name} without its values: take the type from an Api, not from parse() alone")
            return st.sampled_from(names)
        case t.SetOf(item):
            return _sets(of, item, refs)
        case t.MapOf(key, item):
            return _maps(of, key, item, refs)
        case t.Option(item):
            return st.none() | values(item, refs=refs)
        case t.RecordOf() | t.EventBatch() | t.Void():
            raise ValueError(f"no values are drawn of {of}: build them from the fields of the class")
        case _:
            return _boundaries(of) | _any(of)


def _boundaries(of: Type) -> SearchStrategy[Value]:
    """Draw a boundary by its number: a strategy that holds long texts itself would print them all in its repr."""
    found = boundaries(of)

    def boundary(at: int) -> Value:
        return found[at]

    return st.sampled_from(range(len(found))).map(boundary)


def _any(of: Type) -> SearchStrategy[Value]:
    match of:
        case t.Str():
            return carriable_texts()
        case t.Int():
            # Each width as often as any other: drawn evenly, nearly every int would have nineteen digits.
            return st.integers(1, 63).flatmap(lambda bits: st.integers(-(2**bits), 2**bits - 1))
        case t.Float():
            return st.floats(allow_nan=False, allow_infinity=False)
        case t.DateTime():
            return st.integers(0, _LAST_SECOND).map(partial(datetime.fromtimestamp, tz=UTC))
        case _:
            return st.booleans()


def _candidates(cls: str, refs: Refs) -> Sequence[str]:
    if not refs.get(cls):
        raise ValueError(f"no reference of class {cls} to draw: give refs={{{cls!r}: [...]}}")
    return refs[cls]


def _drawable(of: Type, refs: Refs) -> bool:
    return all(refs.get(cls) for cls in t.refs_in(of))


def _sets(of: Type, item: Type, refs: Refs) -> SearchStrategy[Value]:
    if not _drawable(item, refs):
        return st.just(())
    drawn = st.lists(values(item, refs=refs), max_size=8, unique_by=partial(canonical, item)).map(tuple)
    return _boundaries(of) | drawn


def _maps(of: Type, key: Type, item: Type, refs: Refs) -> SearchStrategy[Value]:
    if not _drawable(of, refs):
        return st.just({})
    keys = carriable_texts(min_size=1) if isinstance(key, t.Str) else values(key, refs=refs)
    drawn = st.dictionaries(keys, values(item, refs=refs), max_size=8)
    return _boundaries(of).map(dict) | drawn
