"""Strict readers of the types without parts: text, refs, enums, ints, floats, bools, datetimes, void."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from xenconform.conformance.codec.spelling import DECIMAL, DIGITS, LOOSE_DIGITS, TRUTH, Reader, Unreadable, number_of
from xenconform.conformance.codec.times import parse_datetime
from xenconform.conformance.codec.tree import Node, Scalar, describe
from xenconform.models.types import INT_MAX, INT_MIN, Bool, DateTime, Enum, Float, Int, RefTo, Str, Type, Void
from xenconform.models.values import Value

_SPECIAL = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)


def _text(reader: Reader, name: str, node: Node, where: str) -> str:
    if type(node) is Scalar:
        if node.tag in reader.spelling.text:
            return node.text
        reader.note(f"{name}-tag", f"{describe(node)} where text belongs", where)
        return node.text
    raise Unreadable(f"{name}-unreadable", f"{describe(node)} where text belongs", where)


def _str(reader: Reader, _: Type, node: Node, where: str) -> str:
    return _text(reader, "string", node, where)


def _ref(reader: Reader, _: Type, node: Node, where: str) -> str:
    return _text(reader, "ref", node, where)


def _enum(reader: Reader, of: Enum, node: Node, where: str) -> str:
    text = _text(reader, "enum", node, where)
    if of.values and text not in of.values:
        reader.note("enum-value", f"{text!r} is no value of the enum {of.name}", where)
    return text


def _int(reader: Reader, _: Type, node: Node, where: str) -> int:
    if type(node) is not Scalar:
        raise Unreadable("int-unreadable", f"{describe(node)} where an int belongs", where)
    text = node.text
    if node.tag not in reader.spelling.int:
        kind = "int-as-float" if node.tag == "double" else "int-tag"
        reader.note(kind, f"{describe(node)} where an int belongs", where)
    elif not DIGITS.fullmatch(text) and LOOSE_DIGITS.fullmatch(text):
        reader.note("int-form", f"{describe(node)}: not plain decimal digits", where)
    value = number_of(node)
    if value is None:
        raise Unreadable("int-unreadable", f"{describe(node)} where an int belongs", where)
    if not INT_MIN <= value <= INT_MAX:
        reader.note("int-range", f"{describe(node)} is outside 64 bits", where)
    return value


def _float(reader: Reader, _: Type, node: Node, where: str) -> float:
    if type(node) is not Scalar:
        raise Unreadable("float-unreadable", f"{describe(node)} where a float belongs", where)
    text = node.text
    bare = text.strip(" \t\r\n")
    special, spelled = _SPECIAL.fullmatch(bare), node.tag in reader.spelling.float
    # Neither format has a number for what is not finite: it may as well be given back as text.
    if not spelled and not (special and node.tag in reader.spelling.text):
        reader.note("float-tag", f"{describe(node)} where a float belongs", where)
    if bare != text:
        reader.note("float-form", f"{describe(node)}: white space around the number", where)
    if special and spelled and not reader.spelling.specials:
        reader.note("float-special", f"{describe(node)} is no finite number", where)
    elif not special and not DECIMAL.fullmatch(bare):
        raise Unreadable("float-unreadable", f"{describe(node)} where a float belongs", where)
    value = float(bare)
    if value in {float("inf"), float("-inf")} and not special:
        reader.note("float-special", f"{describe(node)} is beyond the range of a double", where)
    return value


def _bool(reader: Reader, _: Type, node: Node, where: str) -> bool:
    value = TRUTH.get(node.text.strip().lower()) if type(node) is Scalar else None
    if value is None:
        raise Unreadable("bool-unreadable", f"{describe(node)} where a bool belongs", where)
    assert isinstance(node, Scalar)
    if node.tag != "boolean":
        reader.note("bool-tag", f"{describe(node)} where a bool belongs", where)
    elif node.text not in {"0", "1"}:
        reader.note("bool-form", f"{describe(node)} is neither 0 nor 1", where)
    return value


def _datetime(reader: Reader, _: Type, node: Node, where: str) -> Value:
    if type(node) is not Scalar:
        raise Unreadable("datetime-unreadable", f"{describe(node)} where a datetime belongs", where)
    try:
        value = parse_datetime(node.text)
    except ValueError as error:
        raise Unreadable("datetime-unreadable", f"{describe(node)}: {error}", where) from None
    if node.tag not in reader.spelling.datetime:
        reader.note("datetime-tag", f"{describe(node)} where a datetime belongs", where)
    return value


def _void(reader: Reader, _: Type, node: Node, where: str) -> None:
    if type(node) is not Scalar or node.tag not in reader.spelling.text or node.text:
        reader.note("void-not-empty", f"{describe(node)} where the empty string belongs", where)


SCALARS: Mapping[type, Callable[[Reader, Any, Node, str], Value]] = {
    Str: _str,
    Int: _int,
    Float: _float,
    Bool: _bool,
    DateTime: _datetime,
    Void: _void,
    RefTo: _ref,
    Enum: _enum,
}
"""The reader of each type."""
