"""Every way in which the bytes of a reply break a rule: its name, the clause that it breaks over each format, a line.

One table. `Breach.kind` and `Flaw.kind` are names in it; a check turns them into findings by `clause_of`. A kind
whose clause differs between the formats names all three. The clauses' own text is in models/data/clauses.toml.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from types import MappingProxyType

from xenconform.models import types as t
from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.values import Value


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of flaw: its name, what is wrong in a line, and the clause it breaks over each format."""

    name: str
    line: str
    xmlrpc: str
    jsonrpc1: str
    jsonrpc2: str

    def clause(self, over: Format) -> str:
        """Return the id of the clause that this kind breaks over a format."""
        return {Format.XMLRPC: self.xmlrpc, Format.JSONRPC1: self.jsonrpc1, Format.JSONRPC2: self.jsonrpc2}[over]


_ENVELOPE = ("WIRE-XML-ENVELOPE", "WIRE-JSON1-ENVELOPE", "WIRE-JSON2-ENVELOPE")
_INT = ("WIRE-INT-XML", "WIRE-INT-JSON", "WIRE-INT-JSON")


def _same(clause: str) -> tuple[str, str, str]:
    return (clause, clause, clause)


_ROWS: tuple[tuple[str, tuple[str, str, str], str], ...] = (
    # No answer, or none of HTTP's good ones: seen by the transport.
    ("http-no-answer", _ENVELOPE, "the connection ended before an answer came"),
    ("http-timeout", _same("ROBUST-ALIVE"), "no answer came within the deadline"),
    ("http-malformed", _same("ROBUST-HTTP"), "what came back is not an HTTP response"),
    ("http-status", _ENVELOPE, "a well-formed call got an HTTP status other than 200"),
    ("reply-too-large", _ENVELOPE, "the reply is larger than any honest one"),
    # The document.
    ("reply-empty", _ENVELOPE, "the reply has no body"),
    ("invalid-utf8", _same("WIRE-STRING"), "the reply's bytes are not UTF-8"),
    ("document-too-deep", _ENVELOPE, "the reply nests deeper than any value of the API"),
    ("xml-syntax", _ENVELOPE, "the reply is not well-formed XML"),
    ("xml-doctype", _ENVELOPE, "the reply carries a document type declaration"),
    ("xml-structure", _ENVELOPE, "the elements are not those of an XML-RPC response"),
    ("xml-fault", _ENVELOPE, "the reply is an XML-RPC fault; failures of the API travel in a Status struct"),
    ("json-syntax", _ENVELOPE, "the reply is not JSON"),
    ("xml-content-type", _same("WIRE-XML-CONTENT-TYPE"), "the reply's media type is not text/xml"),
    # The envelope.
    ("envelope-shape", _ENVELOPE, "the reply is no struct or object, so its outcome cannot be known"),
    ("envelope-no-outcome", _ENVELOPE, "neither a result nor an error can be found"),
    ("envelope-duplicate-member", _ENVELOPE, "a member of the envelope occurs twice"),
    ("envelope-extra-member", _ENVELOPE, "the envelope has a member that the protocol does not name"),
    ("envelope-missing-member", _ENVELOPE, "a member that must be there is not"),
    ("envelope-both", _ENVELOPE, "the reply gives a result and an error at once"),
    ("xml-status", _ENVELOPE, "Status is neither Success nor Failure"),
    ("error-shape", _ENVELOPE, "the error has not the form that the protocol gives it"),
    ("error-empty", _ENVELOPE, "the error names no code"),
    ("error-not-text", _ENVELOPE, "the error's code or a parameter of it is not a string"),
    ("error-code-form", _ENVELOPE, "what stands for the error's code is prose, or a code in another case"),
    ("error-code", _ENVELOPE, "error.code is not a non-zero integer"),
    ("jsonrpc-version", _ENVELOPE, 'the member jsonrpc is not exactly "2.0"'),
    ("id-not-echoed", _same("WIRE-JSON-ID-ECHO"), "the reply's id differs from the call's in type or value"),
    # The values.
    ("void-not-empty", _same("WIRE-VOID"), "a void result is not the empty string"),
    ("int-tag", _INT, "an int travels as another kind of value: <i4>, a boolean, a double"),
    ("int-form", _INT, "an int's text is not plain decimal digits"),
    ("int-as-float", _INT, "an int travels with a point or an exponent"),
    ("int-range", _INT, "an int is outside the signed 64 bits"),
    ("int-unreadable", _INT, "no int can be read"),
    ("float-tag", _same("WIRE-FLOAT"), "a float does not travel as double or number"),
    ("float-form", _same("WIRE-FLOAT"), "a float's text is not a decimal number"),
    (
        "float-special",
        _same("WIRE-FLOAT-SPECIAL"),
        "a float that is NaN or infinite was written as a JSON number, or as one beyond a double",
    ),
    ("float-unreadable", _same("WIRE-FLOAT"), "no float can be read"),
    ("bool-tag", _same("WIRE-BOOL"), "a bool travels as an int or a string"),
    ("bool-form", _same("WIRE-BOOL"), "a boolean's text is neither 0 nor 1"),
    ("bool-unreadable", _same("WIRE-BOOL"), "no bool can be read"),
    ("datetime-tag", _same("WIRE-DATETIME"), "a datetime does not travel as dateTime.iso8601 or JSON string"),
    ("datetime-unreadable", _same("WIRE-DATETIME"), "no instant can be read"),
    ("string-tag", _same("WIRE-STRING"), "text travels as another kind of value"),
    ("string-unreadable", _same("WIRE-STRING"), "no text can be read"),
    ("ref-tag", _same("GET-EVERY-FIELD"), "a reference does not travel as text"),
    ("ref-unreadable", _same("GET-EVERY-FIELD"), "no reference can be read"),
    ("enum-tag", _same("WIRE-ENUM"), "an enum value does not travel as text"),
    ("enum-value", _same("WIRE-ENUM"), "a value outside its enum"),
    ("enum-unreadable", _same("WIRE-ENUM"), "no enum value can be read"),
    ("set-not-array", _same("WIRE-SET"), "a set does not travel as an array"),
    ("set-duplicate", _same("SET-NO-DUPLICATES"), "a set shows a value twice"),
    ("map-not-struct", _same("WIRE-MAP"), "a map does not travel as a struct or object"),
    ("map-duplicate-key", _same("WIRE-MAP"), "a map shows a key twice"),
    ("map-key-form", _same("WIRE-MAP"), "a map's key is not the text of a value of the key's type"),
    ("record-not-struct", _same("GET-EVERY-FIELD"), "a record does not travel as a struct or object"),
    ("record-duplicate-member", _same("WIRE-MAP"), "a record shows a field twice"),
    ("record-missing-field", _same("GET-RECORD-AGREES"), "a record lacks a field of its class"),
    ("record-extra-field", _same("GET-RECORD-AGREES"), "a record has a member that is no field of its class"),
    ("events-shape", _same("EVENT-FROM"), "an event batch has not its three members in their form"),
)

KINDS: Mapping[str, Kind] = MappingProxyType({name: Kind(name, line, *clauses) for name, clauses, line in _ROWS})
"""Every kind by its name."""


def clause_of(kind: str, over: Format) -> str:
    """Return the id of the clause that a kind of flaw breaks over a format.

    Raises:
        KeyError: there is no such kind.
    """
    return KINDS[kind].clause(over)


_OF: Mapping[type, str] = MappingProxyType(
    {
        t.Str: "string-tag", t.Int: "int-tag", t.Float: "float-tag", t.Bool: "bool-tag", t.DateTime: "datetime-tag",
        t.Void: "void-not-empty", t.Enum: "enum-tag", t.SetOf: "set-not-array", t.MapOf: "map-not-struct",
    }
)  # fmt: skip
"""A kind of flaw that values of each type may have."""


def clauses_on(of: t.Type, value: Value, api: Api, over: Format) -> frozenset[str]:
    """Return the ids of the WIRE clauses that a value of a type was read by; of many items the first stands for all."""
    return frozenset(KINDS[kind].clause(over) for kind in _shown(of, value, api))


def _shown(of: t.Type, value: Value, api: Api) -> Iterator[str]:
    if type(of) in _OF:
        yield _OF[type(of)]
    match of, value:
        case t.Float(), float() if not isfinite(value):
            yield "float-special"
        case t.Option(item), _ if value is not None:
            yield from _shown(item, value, api)
        case t.SetOf(item), tuple():
            for each in value[:1]:
                yield from _shown(item, each, api)
        case t.MapOf(key, item), dict():
            for name, each in islice(value.items(), 1):
                yield from _shown(key, name, api)
                yield from _shown(item, each, api)
        case t.RecordOf(cls), dict():
            for field in api.classes[cls].fields.values():
                if field.name in value:
                    yield from _shown(field.type, value[field.name], api)


def wire_values(formats: Collection[Format]) -> frozenset[str]:
    """Return the ids of all clauses that `clauses_on` may return over some formats."""
    return frozenset(clause_of(kind, over) for kind in (*_OF.values(), "float-special") for over in formats)
