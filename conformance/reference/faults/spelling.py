"""Seams of values on the wire, for the faults of numbers, texts and containers: one kind of value, some formats.

    taken     a value that a call brings, once it was read      shown    a value of a result, before it is written
    spelled   the text that a value of a result is written as   read_as  a parameter's tree, before it is read

Each takes the kind of value that it is about, as a type of the model, and may be narrowed to formats and to methods
whose full names fit a glob. Values in sets, maps and records are met like those that stand alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from xenconform.conformance.codec import Array, Codec, DecodedCall, Node, Struct
from xenconform.conformance.codec.writing import JsonSpeller, Speller, XmlSpeller, key_text, write, write_plain
from xenconform.conformance.reference.faults.base import Server, around
from xenconform.conformance.reference.faults.seams import params, results
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.types import MapOf, RecordOf, SetOf, Type
from xenconform.models.values import Value

JSON = (Format.JSONRPC1, Format.JSONRPC2)
XML = Format.XMLRPC
ONE, TWO = JSON

Texts: TypeAlias = Callable[[Value, str], str]
"""Takes a value and the text that it is written as; gives the text that takes its place."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Which values a fault is about: those of a type, over some formats or all, in calls of some methods or all."""

    of: type[Type]
    formats: tuple[Format, ...] = ()
    names: str = "*"

    def has(self, s: Server, of: Type) -> bool:
        """Whether a value of a type in the call in hand is of the kind."""
        return isinstance(of, self.of) and s.is_over(*self.formats) and fnmatchcase(s.method, self.names)


def taken(s: Server, kind: Kind, change: Callable[[Any], Value]) -> None:
    """Change each value of a kind that a call brings."""
    params(s, lambda of, value: change(value) if kind.has(s, of) else value)


def shown(s: Server, kind: Kind, change: Callable[[Any], Value]) -> None:
    """Change each value of a kind that a result shows."""
    results(s, lambda of, value: change(value) if kind.has(s, of) else value)


def read_as(s: Server, kind: Kind, change: Callable[[Any, Any], Node]) -> None:
    """Change the tree of each parameter, or part of one, that is to be read as a value of a kind; the type is given."""

    def deep(of: Type, node: Any) -> Any:
        match of, node:
            case SetOf(item), Array(items):
                node = Array(tuple(deep(item, each) for each in items))
            case MapOf(_, item), Struct(members):
                node = Struct(tuple((name, deep(item, each)) for name, each in members))
            case RecordOf(cls), Struct(members) if cls in s.api.classes:
                fields = s.api.classes[cls].fields
                node = Struct(tuple((n, deep(fields[n].type, v) if n in fields else v) for n, v in members))
        return change(of, node) if kind.has(s, of) else node

    around(s.service, "_read", lambda old, name, of, node: old(name, of, deep(of, node)))


def spelled(s: Server, kind: Kind, change: Texts) -> None:
    """Change how each value of a kind is written in a result: `<value>…</value>` in XML-RPC, JSON else."""

    def encode(
        old: Any, codec: Codec, call: DecodedCall, outcome: Success | Failure, of: Type | None, **options: Any
    ) -> Any:
        answer = old(codec, call, outcome, of, **options)
        head = b"<name>Value</name>" if codec.format is XML else b'"result":'
        if not isinstance(outcome, Success) or of is None or options.get("bare") or head not in answer.body:
            return answer
        by: Speller = XmlSpeller(bare=True) if codec.format is XML else JsonSpeller("native")
        value = s.service._shown(outcome, of).value  # type: ignore[union-attr]  # noqa: SLF001 - of a success, a success
        start = answer.body.index(head) + len(head)
        end = start + len(write(of, value, by, s.api).encode())
        text = _text(s, of, value, by, lambda each, v, t: change(v, t) if kind.has(s, each) else t)
        body = answer.body[:start] + text.encode("utf-8", "surrogatepass") + answer.body[end:]
        return type(answer)(answer.status, answer.content_type, body, answer.close)

    around(s.service, "_encode", encode)


def _text(s: Server, of: Type, value: Value, by: Speller, change: Callable[[Type, Value, str], str]) -> str:
    """Return the text of a value, with a change made to that of each of its parts and then to the whole."""
    match of:
        case SetOf(item):
            text = by.array([_text(s, item, each, by, change) for each in value])
        case MapOf(key, item):
            text = by.struct([(key_text(key, k), _text(s, item, v, by, change)) for k, v in value.items()])
        case RecordOf(cls) if cls in s.api.classes and isinstance(value, Mapping):
            fields = s.api.classes[cls].fields
            text = by.struct(
                [
                    (n, _text(s, fields[n].type, v, by, change) if n in fields else write_plain(v, by))
                    for n, v in value.items()
                ]
            )
        case _:
            text = write(of, value, by, s.api)
    return change(of, value, text)
