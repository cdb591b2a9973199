"""From a call's tree to typed values, as a server reads its parameters: each type in every spelling the wire allows.

Ints are taken as decimal strings and as the format's own integer, datetimes in their ISO forms; nothing is guessed
beyond that. Unknown members of a record are ignored, as the protocol lets a server do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from xenconform.conformance.codec.spelling import read_key
from xenconform.conformance.codec.times import parse_datetime
from xenconform.conformance.codec.tree import Array, Node, Scalar, Struct, describe
from xenconform.conformance.codec.xmltree import carriable
from xenconform.models.api import Api
from xenconform.models.types import (
    INT_MAX,
    INT_MIN,
    Bool,
    DateTime,
    Enum,
    EventBatch,
    Float,
    Int,
    MapOf,
    Option,
    RecordOf,
    RefTo,
    SetOf,
    Str,
    Type,
    Void,
)
from xenconform.models.values import Value, canonical

_DIGITS = re.compile(r"-?[0-9]{1,20}")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_TEXT = frozenset({"", "string"})
_INT = frozenset({"", "string", "int", "i4", "i8"})
_FLOAT = frozenset({"", "string", "double", "int", "i4", "i8"})
_DATETIME = frozenset({"", "string", "dateTime.iso8601"})


class WrongType(ValueError):  # noqa: N818 - it names the value, as its use reads
    """A parameter that is no value of its type; the text says which and why."""


class BadText(ValueError):  # noqa: N818 - it names the value, as its use reads
    """A parameter's text has a character that XML cannot carry, so that not every format could give it back."""


def read_param(of: Type, node: Node, api: Api | None) -> Value:
    """Return the value of the type `of` that a parameter's node holds, refs as text.

    Raises:
        WrongType: it holds none.
        BadText: a text in it has a character that XML cannot carry.
    """
    return _READERS[type(of)](of, node, api)


def _scalar(node: Node, tags: frozenset[str], what: str) -> str:
    if type(node) is not Scalar or node.tag not in tags:
        raise WrongType(f"expected {what}, got {describe(node)}")
    return node.text


def checked_text(text: str) -> str:
    """Return the text.

    Raises:
        BadText: it has a character that XML cannot carry.
    """
    if not carriable(text):
        raise BadText("the text has a control character, a lone surrogate or a non-character")
    return text


def _str(_: Type, node: Node, __: Api | None) -> str:
    return checked_text(_scalar(node, _TEXT, "a string"))


def _ref(of: RefTo, node: Node, _: Api | None) -> str:
    return checked_text(_scalar(node, _TEXT, f"a {of.cls} ref"))


def _enum(of: Enum, node: Node, _: Api | None) -> str:
    text = checked_text(_scalar(node, _TEXT, f"a value of {of.name}"))
    if of.values and text not in of.values:
        raise WrongType(f"{text[:60]!r} is no value of the enum {of.name}")
    return text


def _int(_: Type, node: Node, __: Api | None) -> int:
    text = _scalar(node, _INT, "an int")
    value = int(text) if _DIGITS.fullmatch(text) else None
    if value is None or not INT_MIN <= value <= INT_MAX:
        raise WrongType(f"expected an int of 64 bits, got {describe(node)}")
    return value


def _float(_: Type, node: Node, __: Api | None) -> float:
    text = _scalar(node, _FLOAT, "a float")
    value = float(text) if _DECIMAL.fullmatch(text) else None
    if value is None or not isfinite(value):
        raise WrongType(f"expected a finite float, got {describe(node)}")
    return value


def _bool(_: Type, node: Node, __: Api | None) -> bool:
    text = _scalar(node, frozenset({"boolean"}), "a bool")
    if text not in {"0", "1"}:
        raise WrongType(f"expected a bool, got {describe(node)}")
    return text == "1"


def _datetime(_: Type, node: Node, __: Api | None) -> Value:
    text = _scalar(node, _DATETIME, "a datetime")
    try:
        return parse_datetime(text)
    except ValueError as error:
        raise WrongType(str(error)) from None


def _void(_: Type, node: Node, __: Api | None) -> None:
    if node not in (Scalar("", ""), Scalar("string", ""), Scalar("nil", "")):
        raise WrongType(f"expected nothing, got {describe(node)}")


def _set(of: SetOf, node: Node, api: Api | None) -> tuple[Value, ...]:
    if type(node) is not Array:
        raise WrongType(f"expected an array, got {describe(node)}")
    first: dict[Any, Value] = {}
    for each in node.items:
        value = read_param(of.item, each, api)
        first.setdefault(canonical(of.item, value), value)
    return tuple(first.values())


def _map(of: MapOf, node: Node, api: Api | None) -> dict[Value, Value]:
    if type(node) is not Struct:
        raise WrongType(f"expected a struct, got {describe(node)}")
    found: dict[Value, Value] = {}
    for name, each in node.members:
        try:
            key = read_key(of.key, checked_text(name))
        except BadText:
            raise
        except ValueError as error:
            raise WrongType(str(error)) from None
        if isinstance(of.key, Enum) and of.key.values and key not in of.key.values:
            raise WrongType(f"{name[:60]!r} is no value of the enum {of.key.name}")
        if key in found:
            raise WrongType(f"the key {name[:60]!r} occurs twice")
        found[key] = read_param(of.value, each, api)
    return found


def _record(of: RecordOf, node: Node, api: Api | None) -> dict[str, Value]:
    if type(node) is not Struct:
        raise WrongType(f"expected a {of.cls} record, got {describe(node)}")
    fields = api.classes[of.cls].fields if api and of.cls in api.classes else {}
    found: dict[str, Value] = {}
    for name, each in node.members:
        if name in found:
            raise WrongType(f"the field {name} occurs twice")
        if name in fields:
            try:
                found[name] = read_param(fields[name].type, each, api)
            except WrongType as error:
                raise WrongType(f"{name}: {error}") from None
    return found


def _option(of: Option, node: Node, api: Api | None) -> Value:
    if type(node) is Scalar and node.tag == "nil":
        return None
    if type(node) is Array and not isinstance(of.item, SetOf) and len(node.items) <= 1:
        return read_param(of.item, node.items[0], api) if node.items else None
    return read_param(of.item, node, api)


def _events(_: Type, node: Node, __: Api | None) -> Value:
    raise WrongType(f"an event batch is no parameter, got {describe(node)}")


_READERS: Mapping[type, Callable[[Any, Node, Api | None], Value]] = {
    Str: _str,
    Int: _int,
    Float: _float,
    Bool: _bool,
    DateTime: _datetime,
    Void: _void,
    EventBatch: _events,
    RefTo: _ref,
    Enum: _enum,
    RecordOf: _record,
    SetOf: _set,
    Option: _option,
    MapOf: _map,
}
