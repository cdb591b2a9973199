"""Which tags each format allows for each kind of value, the readers' shared contract, and trees as plain Python."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from xenconform.conformance.codec.times import parse_datetime
from xenconform.conformance.codec.tree import Array, Node, Scalar, Struct
from xenconform.models.api import Api
from xenconform.models.calls import Flaw
from xenconform.models.types import Bool, DateTime, Float, Int, Type
from xenconform.models.values import Value

DIGITS = re.compile(r"-?[0-9]+")
"""An int as the wire must write it."""

LOOSE_DIGITS = re.compile(r"\s*[-+]?[0-9]+\s*", re.ASCII)
"""An int as it can be understood."""

DECIMAL = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
"""A finite number in any decimal form."""

TRUTH = {"1": True, "0": False, "true": True, "false": False}
_MOST_DIGITS = 400
_INT_TAGS = frozenset({"int", "i4", "i8", "i1", "i2"})


class Unreadable(Exception):  # noqa: N818 - it is the value that cannot be read; nothing here went wrong
    """A value from which nothing of its type can be read. `kind` is a name in `models.flaws.KINDS`."""

    def __init__(self, kind: str, detail: str, where: str) -> None:
        """Take what a `Flaw` needs."""
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.where = where


@dataclass(frozen=True, slots=True)
class Spelling:
    """The tags that a format allows for each kind of value."""

    text: frozenset[str]
    int: frozenset[str]
    float: frozenset[str]
    datetime: frozenset[str]
    key_tag: str
    specials: bool = False
    """Whether a document with a NaN or an infinity among its numbers can still be parsed."""


XML_SPELLING = Spelling(
    text=frozenset({"", "string"}),
    int=frozenset({"", "string"}),
    float=frozenset({"double"}),
    datetime=frozenset({"dateTime.iso8601"}),
    key_tag="",
    specials=True,
)
JSON_SPELLING = Spelling(
    text=frozenset({"string"}),
    int=frozenset({"int", "string"}),
    float=frozenset({"int", "double"}),
    datetime=frozenset({"string"}),
    key_tag="string",
)


class Reader(Protocol):
    """What the readers of single types need of the one that they are part of."""

    spelling: Spelling
    api: Api | None
    flaws: list[Flaw]

    def read(self, of: Type, node: Node, where: str = "") -> Value:
        """Return the value of a type that a node holds; `Unreadable` where it holds none."""

    def read_or_note(self, of: Type, node: Node, where: str) -> tuple[bool, Value]:
        """Return whether a value could be read, and the value; note it where not."""

    def note(self, kind: str, detail: str, where: str) -> None:
        """Add a flaw."""

    def another(self) -> Reader:
        """Return a reader like this one with no flaws yet."""


def number_of(node: Scalar) -> int | None:
    """Return the whole number that a scalar denotes however it is spelled, or None."""
    text = node.text
    if len(text) > _MOST_DIGITS:
        return None
    if LOOSE_DIGITS.fullmatch(text):
        return int(text)
    if node.tag == "boolean" and text in TRUTH:
        return int(TRUTH[text])
    if DECIMAL.fullmatch(text) and abs(float(text)) < 1e19 and float(text).is_integer():
        try:
            exact = Decimal(text)
            return int(exact) if exact == int(exact) else None
        except ArithmeticError:  # an exponent beyond what Decimal takes
            return None
    return None


def read_key(of: Type, name: str) -> Value:
    """Return the value of a map's key from its text.

    Raises:
        ValueError: the text denotes no value of the key's type.
    """
    match of:
        case Int():
            if len(name) > _MOST_DIGITS or not LOOSE_DIGITS.fullmatch(name):
                raise ValueError(f"the key {name[:60]!r} is no int")
            return int(name)
        case Float():
            if not DECIMAL.fullmatch(name):
                raise ValueError(f"the key {name[:60]!r} is no float")
            return float(name)
        case Bool():
            if name not in TRUTH:
                raise ValueError(f"the key {name[:60]!r} is no bool")
            return TRUTH[name]
        case DateTime():
            return parse_datetime(name)
        case _:
            return name


def plain(node: Node) -> Value:
    """Return a tree as plain Python, by its tags alone: of a name that occurs twice the first value."""
    if type(node) is Array:
        return tuple([plain(each) for each in node.items])
    if type(node) is Struct:
        found: dict[str, Value] = {}
        for name, each in node.members:
            found.setdefault(name, plain(each))
        return found
    assert isinstance(node, Scalar)
    tag, text = node
    if tag in _INT_TAGS and len(text) <= _MOST_DIGITS and DIGITS.fullmatch(text):
        return int(text)
    if tag == "double" and DECIMAL.fullmatch(text):
        return float(text)
    if tag == "boolean" and text in TRUTH:
        return TRUTH[text]
    return None if tag == "nil" else text
