"""Types for the values of a call: those of the message's parameters, and guessed ones where it has none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from xenconform.conformance.codec import Array, Param, Scalar, Struct
from xenconform.models.api import Message
from xenconform.models.types import Bool, DateTime, Float, Int, MapOf, SetOf, Str, Type


def typed(known: Message | None, args: Sequence[object]) -> list[Param]:
    """Return the values with the types of a message's parameters, and those beyond them with types of their own."""
    types = [param.type for param in known.params] if known else []
    return [(types[at], value) if at < len(types) else _guessed(value) for at, value in enumerate(args)]


def _guessed(value: object) -> Param:
    """Return a value with the type that its Python type is nearest to."""
    return (None, value) if isinstance(value, Array | Scalar | Struct) else (_type_of(value), value)


def _type_of(value: object) -> Type:
    match value:
        case bool():
            return Bool()
        case int():
            return Int()
        case float():
            return Float()
        case datetime():
            return DateTime()
        case tuple() | list():
            return SetOf(_type_of(value[0]) if value else Str())
        case dict():
            return MapOf(Str(), _type_of(next(iter(value.values()), "")))
        case _:
            return Str()
