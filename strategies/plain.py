"""Plain values by number, for checks that are not about hard values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from xenconform.models import types as t
from xenconform.models.types import Type
from xenconform.models.values import Value, default_of

_FIRST_DAY = datetime(2024, 1, 1, 12, tzinfo=UTC)
_NO_REFS: Mapping[str, Sequence[str]] = MappingProxyType({})


def tame(of: Type, n: int, *, refs: Mapping[str, Sequence[str]] = _NO_REFS) -> Value:
    """Return the plain value number `n` of a type: short ASCII text, small numbers, collections that are not empty.

    The same `n` gives the same value. `tame(of, n)` and `tame(of, n + 1)` differ for every type that has two values;
    bools alternate, enums and references cycle. Floats are such as 32 bits do not hold exactly.

    Args:
        of: the type.
        n: which value, from 0.
        refs: the references to take, by class.

    Raises:
        ValueError: a negative `n`, an enum without its values, or a bare reference of a class that `refs` lacks.
    """
    if n < 0:
        raise ValueError(f"the number of a plain value starts at 0, got {n}")
    match of:
        case t.SetOf(item):
            return _members(item, n, refs)
        case t.MapOf(key, item):
            return {} if _lacking(of, refs) else {tame(key, n, refs=refs): tame(item, n, refs=refs)}
        case t.Option(item):
            return tame(item, n, refs=refs)
        case t.RefTo(cls):
            if _lacking(of, refs):
                raise ValueError(f"no reference of class {cls}: give refs={{{cls!r}: [...]}}")
            return refs[cls][n % len(refs[cls])]
        case t.Enum(name, names):
            if not names:
                raise ValueError(f"enum {name} without its values: take the type from an Api, not from parse() alone")
            return names[n % len(names)]
        case _:
            return _scalar(of, n)


def _scalar(of: Type, n: int) -> Value:
    match of:
        case t.Str():
            return f"xc{n}"
        case t.Int():
            return n + 1
        case t.Float():
            return n + 0.1
        case t.Bool():
            return n % 2 == 0
        case t.DateTime():
            return _FIRST_DAY + timedelta(days=n)
        case _:
            return default_of(of)


def _members(item: Type, n: int, refs: Mapping[str, Sequence[str]]) -> tuple[Value, ...]:
    """Two members where they cannot coincide with those of the next number, else one."""
    if _lacking(item, refs):
        return ()
    if isinstance(item, t.Str | t.Int | t.Float | t.DateTime):
        return (tame(item, 2 * n), tame(item, 2 * n + 1))
    return (tame(item, n, refs=refs),)


def _lacking(of: Type, refs: Mapping[str, Sequence[str]]) -> bool:
    return not all(refs.get(cls) for cls in t.refs_in(of))
