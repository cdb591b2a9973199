"""JSON documents to and from the neutral tree: numbers by their lexeme, every member of an object, depth bounded.

Source: RFC 8259. NaN, Infinity and -Infinity are no JSON; they are read as doubles of that text, for the typed reader
to judge.
"""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring_ascii as _quoted_by_json

from xenconform.conformance.codec.tree import MAX_DEPTH, MAX_PARTS, RAW, Array, BadDocument, Node, Scalar, Struct, utf8

_TRUE, _FALSE, _NIL = Scalar("boolean", "1"), Scalar("boolean", "0"), Scalar("nil", "")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


def quoted(text: str) -> str:
    """Return a JSON string of any text, in ASCII alone: lone surrogates and control characters as escapes."""
    return str(_quoted_by_json(text))


def _int(lexeme: str) -> Scalar:
    return Scalar("int", lexeme)


def _double(lexeme: str) -> Scalar:
    return Scalar("double", lexeme)


class _Pairs(list[tuple[str, object]]):
    """An object's members, told from an array by its class."""

    __slots__ = ()


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Pairs,
    parse_int=_int,
    parse_float=_double,
    parse_constant=_double,
)


def read_json(body: bytes, most: int) -> Node:
    """Return the tree of a JSON document of at most `most` bytes.

    Raises:
        BadDocument: no JSON, not UTF-8, too large, or deeper than `MAX_DEPTH`.
    """
    text = utf8(body, most)
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MAX_PARTS:
        raise BadDocument("reply-too-large", f"more than {MAX_PARTS} parts")
    try:
        return _node(_DECODER.decode(text), 0)
    except json.JSONDecodeError as error:
        offset = len(text[: error.pos].encode())
        raise BadDocument("json-syntax", f"{error.msg} at byte {offset}", offset) from None
    except RecursionError:
        raise BadDocument("document-too-deep", f"more than {MAX_DEPTH} levels") from None


def _node(raw: object, depth: int) -> Node:
    kind = type(raw)
    if kind is str:
        return Scalar("string", raw)  # type: ignore[arg-type]  # a str by the line above
    if kind is Scalar:
        return raw  # type: ignore[return-value]  # a Scalar by the line above
    if raw is None:
        return _NIL
    if kind is bool:
        return _TRUE if raw else _FALSE
    if depth >= MAX_DEPTH:
        raise BadDocument("document-too-deep", f"more than {MAX_DEPTH} levels")
    if isinstance(raw, _Pairs):
        return Struct(tuple([(name, _node(each, depth + 1)) for name, each in raw]))
    assert isinstance(raw, list)
    return Array(tuple([_node(each, depth + 1) for each in raw]))


def write_json(node: Node) -> str:
    """Return the JSON text of a tree.

    Numbers are written by their lexeme, or as a string where it is none; a boolean of an odd text as that text, so
    that a hostile document can be composed. dateTime.iso8601 and base64 become strings.
    """
    match node:
        case Array(items):
            return f"[{','.join([write_json(each) for each in items])}]"
        case Struct(members):
            return "{" + ",".join([f"{quoted(name)}:{write_json(each)}" for name, each in members]) + "}"
        case Scalar(tag, text):
            return _scalar(tag, text)


def _scalar(tag: str, text: str) -> str:
    match tag:
        case "int" | "i4" | "i8" | "double":
            return text if _NUMBER.fullmatch(text) or text in {"NaN", "Infinity", "-Infinity"} else quoted(text)
        case "boolean":
            return {"1": "true", "0": "false"}.get(text, text)
        case "nil":
            return "null"
        case _:
            return text if tag == RAW else quoted(text)
