"""The types of the API's values, as pure data, with a parser and a printer for their published notation.

Source of the notation: the API document's introduction, section on types. `str(parse(text)) == text` for every
type in the published model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

NULL_REF = "OpaqueRef:NULL"
"""The text of the null reference on the wire."""

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
"""The API's ints are 64-bit and signed."""


@dataclass(frozen=True, slots=True)
class Str:
    """Unicode text."""

    def __str__(self) -> str:
        return "string"


@dataclass(frozen=True, slots=True)
class Int:
    """A signed 64-bit integer."""

    def __str__(self) -> str:
        return "int"


@dataclass(frozen=True, slots=True)
class Float:
    """An IEEE 754 double."""

    def __str__(self) -> str:
        return "float"


@dataclass(frozen=True, slots=True)
class Bool:
    """True or false."""

    def __str__(self) -> str:
        return "bool"


@dataclass(frozen=True, slots=True)
class DateTime:
    """An instant; in Python a `datetime` that knows its zone."""

    def __str__(self) -> str:
        return "datetime"


@dataclass(frozen=True, slots=True)
class Void:
    """The result of a message that has none."""

    def __str__(self) -> str:
        return "void"


@dataclass(frozen=True, slots=True)
class EventBatch:
    """The result of event.from: a structure of its own, not a record of a class."""

    def __str__(self) -> str:
        return "an event batch"


@dataclass(frozen=True, slots=True)
class RefTo:
    """A reference to an object of one class, or the null reference."""

    cls: str

    def __str__(self) -> str:
        return f"{self.cls} ref"


@dataclass(frozen=True, slots=True)
class Enum:
    """One of a few names. `values` is empty where a type is parsed without its enum's declaration."""

    name: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"enum {self.name}"


@dataclass(frozen=True, slots=True)
class RecordOf:
    """The record of an object: field name to value."""

    cls: str

    def __str__(self) -> str:
        return f"{self.cls} record"


@dataclass(frozen=True, slots=True)
class SetOf:
    """Values without order and without repetition."""

    item: Type

    def __str__(self) -> str:
        return f"{self.item} set"


@dataclass(frozen=True, slots=True)
class Option:
    """A value or nothing."""

    item: Type

    def __str__(self) -> str:
        return f"{self.item} option"


@dataclass(frozen=True, slots=True)
class MapOf:
    """Keys to values, no key twice."""

    key: Type
    value: Type

    def __str__(self) -> str:
        return f"({self.key} -> {self.value}) map"


Type: TypeAlias = (
    Str | Int | Float | Bool | DateTime | Void | EventBatch | RefTo | Enum | RecordOf | SetOf | Option | MapOf
)

_PLAIN: Mapping[str, Type] = {
    str(plain): plain for plain in (Str(), Int(), Float(), Bool(), DateTime(), Void(), EventBatch())
}
_SUFFIXES: tuple[tuple[str, Callable[[Type], Type]], ...] = ((" set", SetOf), (" option", Option))
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse(text: str, enums: Mapping[str, tuple[str, ...]] | None = None) -> Type:
    """Return the type that `text` denotes in the published notation.

    Args:
        text: for example `(string -> VM ref) map`.
        enums: the values of each enum by its name; an enum that is not in it gets no values.

    Raises:
        ValueError: `text` is not in the notation; the message names the part that is not.
    """
    text = text.strip()
    if text in _PLAIN:
        return _PLAIN[text]
    for suffix, build in _SUFFIXES:
        if text.endswith(suffix):
            return build(parse(text.removesuffix(suffix), enums))
    if text.startswith("(") and text.endswith(") map"):
        key, value = _split_arrow(text[1 : -len(") map")])
        return MapOf(parse(key, enums), parse(value, enums))
    words = text.split(" ")
    if len(words) == 2 and words[0] == "enum" and _NAME.fullmatch(words[1]):
        return Enum(words[1], (enums or {}).get(words[1], ()))
    if len(words) == 2 and words[1] in {"ref", "record"} and _NAME.fullmatch(words[0]):
        return RefTo(words[0]) if words[1] == "ref" else RecordOf(words[0])
    raise ValueError(f"not a type of the API: {text!r}; types are like 'string', 'VM ref set', '(int -> float) map'")


def _split_arrow(text: str) -> tuple[str, str]:
    """Split `key -> value` at the arrow that is inside no parentheses."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0 and text.startswith(" -> ", at):
            return text[:at], text[at + len(" -> ") :]
    raise ValueError(f"a map type without ' -> ': {text!r}")


@cache
def refs_in(of: Type) -> frozenset[str]:
    """Return the classes that a value of this type may refer to."""
    match of:
        case RefTo(cls):
            return frozenset({cls})
        case SetOf(item) | Option(item):
            return refs_in(item)
        case MapOf(key, value):
            return refs_in(key) | refs_in(value)
        case _:
            return frozenset()
