"""References to send: bad ones of every kind, and those that an exemplar leaves open."""

from __future__ import annotations

from collections.abc import Callable

from xenconform.conformance.checks import nature
from xenconform.models.exemplars import Need
from xenconform.models.types import NULL_REF
from xenconform.models.values import Handle, Ref, Value


def unknown_ref() -> Ref:
    """Return a ref that no server has given out."""
    return f"OpaqueRef:{nature.new_uuid()}"


BAD_REFS = ("unknown", "null", "empty")


def bad_ref(kind: str) -> Ref:
    """Return a ref of one of the `BAD_REFS` kinds."""
    return {"unknown": unknown_ref(), "null": NULL_REF, "empty": ""}[kind]


def filled(value: Value, ref_of: Callable[[Need], Ref], uuid_of: Callable[[Need], str]) -> Value:
    """Return a value of an exemplar with an object in each place that needs one, and null handles as their text."""
    match value:
        case Need():
            return uuid_of(value) if value.as_uuid else ref_of(value)
        case Handle():
            return NULL_REF
        case tuple():
            return tuple(filled(each, ref_of, uuid_of) for each in value)
        case dict():
            return {filled(key, ref_of, uuid_of): filled(each, ref_of, uuid_of) for key, each in value.items()}
        case _:
            return value
