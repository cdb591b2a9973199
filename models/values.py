"""Values of the API in Python, and when two of them are the same.

| type | Python |
| --- | --- |
| string, enum | str |
| int | int |
| float | float |
| bool | bool |
| datetime | datetime with a zone |
| void | None |
| ref | Handle (in the world) or Ref (on the wire) |
| set | tuple, in the order seen |
| map, record | dict |
| option | the value, or None |

Source: the API document's introduction (types); the readings of equality are this project's: sets without order,
datetimes by instant, floats by their bits (every NaN alike), all text exactly.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan
from typing import Any, TypeAlias

from xenconform.models import types as t
from xenconform.models.types import NULL_REF, DateTime, Float, MapOf, Option, RecordOf, RefTo, SetOf, Type

Ref: TypeAlias = str
"""A reference as a server writes it: opaque text."""


@dataclass(frozen=True, slots=True, order=True)
class Handle:
    """An object by a name of our own: its class and a number that is never used again. `n` 0 is the null reference."""

    cls: str
    n: int

    def __str__(self) -> str:
        return f"{self.cls}#{self.n}" if self.n else f"{self.cls}#null"

    @property
    def is_null(self) -> bool:
        """Whether this is the null reference of its class."""
        return self.n == 0


@dataclass(frozen=True, slots=True)
class UuidOf:
    """The uuid of an object, in place of its text: what a server chose, and a case that is run again cannot know."""

    handle: Handle

    def __str__(self) -> str:
        return f"uuid of {self.handle}"


Value: TypeAlias = Any
"""A value as the table above says; a recursive type would make every use of it a cast."""

Param: TypeAlias = str | Handle
"""A parameter of an error: text, or an object that the wire writes as its ref."""


def null(cls: str) -> Handle:
    """Return the null reference of a class."""
    return Handle(cls, 0)


def canonical(of: Type, value: Value) -> Any:
    """Return a hashable form in which equal values of the type `of` are equal, and others are not.

    The value must be of the type.
    """
    match of:
        case SetOf(item):
            return frozenset(canonical(item, each) for each in value)
        case MapOf(key, item):
            return frozenset((canonical(key, k), canonical(item, v)) for k, v in value.items())
        case RecordOf(_):
            return frozenset((k, repr(v)) for k, v in value.items())
        case Option(item):
            return None if value is None else (canonical(item, value),)
        case Float():
            return "nan" if isnan(value) else struct.pack("<d", value)
        case DateTime():
            return value.astimezone(UTC) if isinstance(value, datetime) else value
        case _:
            return value


def same(of: Type, left: Value, right: Value) -> bool:
    """Whether two values of the type `of` are equal in the API's sense."""
    return bool(canonical(of, left) == canonical(of, right))


def map_refs(of: Type, value: Value, change: Callable[[str, Any], Any]) -> Value:
    """Return the value with every reference in it replaced by `change(class, reference)`."""
    match of:
        case RefTo(cls):
            return change(cls, value)
        case SetOf(item):
            return tuple(map_refs(item, each, change) for each in value)
        case Option(item):
            return None if value is None else map_refs(item, value, change)
        case MapOf(key, item):
            return {map_refs(key, k, change): map_refs(item, v, change) for k, v in value.items()}
        case _:
            return value


def is_null_text(ref: Ref) -> bool:
    """Whether a ref's text denotes the null reference; the empty string stands for it in requests of old clients."""
    return ref in {NULL_REF, ""}


def default_of(of: Type, enums: Mapping[str, tuple[str, ...]] | None = None) -> Value:
    """Return the plainest value of a type: empty, zero, false, the null reference, an enum's first name."""
    match of:
        case t.Str():
            return ""
        case t.Int():
            return 0
        case t.Float():
            return 0.0
        case t.Bool():
            return False
        case t.DateTime():
            return datetime.fromtimestamp(0, UTC)
        case t.RefTo(cls):
            return null(cls)
        case t.Enum(name, values):
            return (values or (enums or {})[name])[0]
        case t.SetOf():
            return ()
        case t.MapOf() | t.RecordOf():
            return {}
        case _:
            return None
