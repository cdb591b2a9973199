"""Small pools of values for state machines: few enough that values meet again, odd enough to tell them apart.

A machine draws an index, not a value: adding what is there already, removing what was never there and looking up a
name that another object had need values that come back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from xenconform.models import types as t
from xenconform.models.types import INT_MAX, INT_MIN, Type
from xenconform.models.values import Handle, Value, canonical
from xenconform.strategies.boundary import boundaries
from xenconform.strategies.plain import tame

TEXTS = ("a", "b", "A", "", "a ", "é", "<b>&", "a b", "𝄞", "0")
"""Text as it stands in fields; the first four are also the keys and members of collections."""
MEMBERS = 5
"""How many different members and keys a collection's pool has."""
SIZE = 12
"""How many values a pool has at most."""


@cache
def pool(of: Type) -> tuple[Value, ...]:
    """Return the values of a type without references, the plainest first; none where every value has a reference.

    Ints and floats take the ends of their ranges; collections are empty, of one, two and many members.
    """
    match of:
        case t.Str():
            return TEXTS
        case t.Int():
            return (1, 0, 2, -1, 2**31, 2**53 + 1, INT_MAX, INT_MIN)
        case t.Float():
            return (0.5, 0.0, 1.0, -0.0, 0.1, 1e300, 5e-324)
        case t.SetOf(item) if not t.refs_in(item):
            few = members(item)
            return _distinct(of, (few[:1], (), few[:2], few[1:3], few[1::-1], few))
        case t.MapOf(key, item) if not t.refs_in(of):
            keys, items = members(key), members(item)
            one = {keys[0]: items[0]}
            two = {keys[0]: items[-1], keys[1 % len(keys)]: items[0]}
            return _distinct(of, (one, {}, two, {k: items[at % len(items)] for at, k in enumerate(keys)}))
        case t.RefTo() | t.SetOf() | t.MapOf() | t.RecordOf() | t.Void():
            return ()
        case t.DateTime():
            return tuple(tame(of, n) for n in range(3))
        case _:
            return boundaries(of)[:SIZE]


@cache
def members(of: Type) -> tuple[Value, ...]:
    """Return the few values that are members or keys of a collection."""
    return pool(of)[:MEMBERS]


def with_refs(of: Type, objects: Mapping[str, Sequence[Handle]]) -> tuple[Value, ...]:
    """Return the values of a type with references, for these objects by class; null where a single one may be null."""
    match of:
        case t.RefTo(cls):
            return (*objects.get(cls, ()), Handle(cls, 0))
        case t.SetOf(t.RefTo(cls)):
            there = tuple(objects.get(cls, ()))
            return (there[:1], (), there[:2], there[-1:])
        case t.MapOf(key, item):
            keys, items = _either(key, objects), _either(item, objects)
            keys = tuple(each for each in keys if not (isinstance(each, Handle) and each.is_null))
            if not keys or not items:
                return ({},)
            return ({keys[0]: items[0]}, {}, {each: items[at % len(items)] for at, each in enumerate(keys[:3])})
        case t.Option(item):
            return (None, *_either(item, objects))
        case _:
            return ()


def _either(of: Type, objects: Mapping[str, Sequence[Handle]]) -> tuple[Value, ...]:
    return with_refs(of, objects) if t.refs_in(of) else members(of)


def _distinct(of: Type, values: Sequence[Value]) -> tuple[Value, ...]:
    seen: dict[object, Value] = {}
    for each in values:
        seen.setdefault(canonical(of, each), each)
    return tuple(seen.values())
