"""Each way to break the wire's rules is seen, named and placed; what a clause allows is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from codec_world import API, MODE

from xenconform.conformance.codec import codec_for
from xenconform.models.calls import Breach, Failure, Format, Reply, Success
from xenconform.models.flaws import KINDS, clause_of
from xenconform.models.types import (
    Bool,
    DateTime,
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

TAGS, COUNTS, REF = SetOf(Str()), MapOf(Int(), Str()), RefTo("thing")
BIG = str(2**63)


def xml(value: str) -> bytes:
    """A success whose Value holds what is given, the inside of a <value>."""
    return (
        "<methodResponse><params><param><value><struct><member><name>Status</name><value>Success</value></member>"
        f"<member><name>Value</name><value>{value}</value></member></struct></value></param></params></methodResponse>"
    ).encode()


def struct(*members: tuple[str, str]) -> str:
    """A struct of names and the insides of values."""
    inner = "".join(f"<member><name>{name}</name><value>{value}</value></member>" for name, value in members)
    return f"<struct>{inner}</struct>"


def array(*items: str) -> str:
    """An array of the insides of values."""
    return "<array><data>" + "".join(f"<value>{item}</value>" for item in items) + "</data></array>"


def read_xml(body: bytes, of: Type) -> Reply:
    """Decode over XML-RPC."""
    return codec_for(Format.XMLRPC).decode_reply(body, of, None, API, "text/xml")


def read_one(members: str, of: Type, ident: Any = 1) -> Reply:
    """Decode over JSON-RPC 1.0 from an object's inside."""
    return codec_for(Format.JSONRPC1).decode_reply(f"{{{members}}}".encode(), of, ident, API)


def read_two(members: str, of: Type, ident: Any = 1) -> Reply:
    """Decode over JSON-RPC 2.0 from an object's inside."""
    return codec_for(Format.JSONRPC2).decode_reply(f"{{{members}}}".encode(), of, ident, API)


def kinds(reply: Reply) -> list[str]:
    """The kinds of all that is wrong, the breach first, each once."""
    breach = [reply.outcome.kind] if isinstance(reply.outcome, Breach) else []
    found = list(dict.fromkeys(breach + [flaw.kind for flaw in reply.flaws]))
    assert all(kind in KINDS for kind in found)
    return found


XML_VALUES: list[tuple[Type, str, Any, list[str]]] = [
    (Int(), "5", 5, []),
    (Int(), "<string>-5</string>", -5, []),
    (Int(), "<i4>5</i4>", 5, ["int-tag"]),
    (Int(), "<int>5</int>", 5, ["int-tag"]),
    (Int(), "<i8>5</i8>", 5, ["int-tag"]),
    (Int(), "<double>5.0</double>", 5, ["int-as-float"]),
    (Int(), "+5", 5, ["int-form"]),
    (Int(), " 5", 5, ["int-form"]),
    (Int(), BIG, 2**63, ["int-range"]),
    (Int(), "nine", None, ["int-unreadable"]),
    (Int(), "5.5", None, ["int-unreadable"]),
    (Int(), "\u0665", None, ["int-unreadable"]),
    (Int(), "", None, ["int-unreadable"]),
    (Float(), "<double>1</double>", 1.0, []),
    (Float(), "<double>1e-7</double>", 1e-7, []),
    (Float(), "<string>1.5</string>", 1.5, ["float-tag"]),
    (Float(), "1.5", 1.5, ["float-tag"]),
    (Float(), "<i4>1</i4>", 1.0, ["float-tag"]),
    (Float(), "<double>inf</double>", float("inf"), []),
    (Float(), "<string>-Infinity</string>", float("-inf"), []),
    (Float(), "<string>1.5</string>", 1.5, ["float-tag"]),
    (Float(), "<double>1_0</double>", None, ["float-unreadable"]),
    (Bool(), "<boolean>1</boolean>", True, []),
    (Bool(), "<boolean>true</boolean>", True, ["bool-form"]),
    (Bool(), "<int>1</int>", True, ["bool-tag"]),
    (Bool(), "false", False, ["bool-tag"]),
    (Bool(), "<boolean>2</boolean>", None, ["bool-unreadable"]),
    (Str(), "a", "a", []),
    (Str(), " a ", " a ", []),
    (Str(), "<int>5</int>", "5", ["string-tag"]),
    (Str(), array(), None, ["string-unreadable"]),
    (REF, "<int>5</int>", "5", ["ref-tag"]),
    (REF, struct(), None, ["ref-unreadable"]),
    (MODE, "on", "on", []),
    (MODE, "ON", "ON", ["enum-value"]),
    (Void(), "", None, []),
    (Void(), "<string></string>", None, []),
    (Void(), "<nil/>", None, ["void-not-empty"]),
    (Void(), "x", None, ["void-not-empty"]),
    (Void(), array(), None, ["void-not-empty"]),
    (TAGS, array("a", "b"), ("a", "b"), []),
    (TAGS, array("a", "a"), ("a", "a"), ["set-duplicate"]),
    (SetOf(Int()), array("<i4>1</i4>", "1"), (1, 1), ["int-tag", "set-duplicate"]),
    (SetOf(Int()), array("1", "x"), (1,), ["int-unreadable"]),
    (TAGS, "", (), ["set-not-array"]),
    (TAGS, struct(), (), ["set-not-array"]),
    (TAGS, "a", None, ["set-not-array"]),
    (COUNTS, struct(("1", "a")), {1: "a"}, []),
    (COUNTS, struct(("1", "a"), ("1", "b")), {1: "a"}, ["map-duplicate-key"]),
    (COUNTS, struct(("+1", "a")), {1: "a"}, ["map-key-form"]),
    (COUNTS, struct(("x", "a")), {}, ["map-key-form"]),
    (COUNTS, array(), {}, ["map-not-struct"]),
    (COUNTS, array("a"), None, ["map-not-struct"]),
    (Option(Str()), "<nil/>", None, []),
    (RecordOf("thing"), "a", None, ["record-not-struct"]),
]


@pytest.mark.parametrize(("of", "inside", "value", "expected"), XML_VALUES)
def test_xml_values_are_judged(of: Type, inside: str, value: Any, expected: list[str]) -> None:
    """Each spelling of a value over XML-RPC is read where it can be, and has the kinds of flaw that it has."""
    reply = read_xml(xml(inside), of)
    assert kinds(reply) == expected
    assert reply.outcome == Success(value) or isinstance(reply.outcome, Breach)


JSON_VALUES: list[tuple[Type, str, Any, list[str]]] = [
    (Int(), "5", 5, []),
    (Int(), '"5"', 5, []),
    (Int(), "9223372036854775807", 2**63 - 1, []),
    (Int(), "5.0", 5, ["int-as-float"]),
    (Int(), "1e3", 1000, ["int-as-float"]),
    (Int(), "9223372036854775807.0", 2**63 - 1, ["int-as-float"]),
    (Int(), '"+5"', 5, ["int-form"]),
    (Int(), BIG, 2**63, ["int-range"]),
    (Int(), "true", 1, ["int-tag"]),
    (Int(), "5.5", None, ["int-unreadable", "int-as-float"]),
    (Int(), "1e-99999999999999999999", None, ["int-unreadable", "int-as-float"]),
    (Int(), "null", None, ["envelope-no-outcome"]),
    (Float(), "1", 1.0, []),
    (Float(), "1.5e3", 1500.0, []),
    (Float(), '"1.5"', 1.5, ["float-tag"]),
    (Float(), "Infinity", float("inf"), ["float-special"]),
    (Float(), '"-Infinity"', float("-inf"), []),
    (Float(), "1e999", float("inf"), ["float-special"]),
    (Bool(), "true", True, []),
    (Bool(), "1", True, ["bool-tag"]),
    (Bool(), '"true"', True, ["bool-tag"]),
    (DateTime(), "5", None, ["datetime-unreadable"]),
    (DateTime(), '"yesterday"', None, ["datetime-unreadable"]),
    (DateTime(), '"20240230T00:00:00Z"', None, ["datetime-unreadable"]),
    (Str(), "5", "5", ["string-tag"]),
    (Str(), "[]", None, ["string-unreadable"]),
    (MODE, '"x"', "x", ["enum-value"]),
    (Void(), '""', None, []),
    (Void(), "null", None, ["void-not-empty"]),
    (Void(), "{}", None, ["void-not-empty"]),
    (TAGS, '["a","a"]', ("a", "a"), ["set-duplicate"]),
    (TAGS, "{}", (), ["set-not-array"]),
    (TAGS, '"a"', None, ["set-not-array"]),
    (COUNTS, '{"1":"a","1":"b"}', {1: "a"}, ["map-duplicate-key"]),
    (COUNTS, "[]", {}, ["map-not-struct"]),
]


@pytest.mark.parametrize(("of", "inside", "value", "expected"), JSON_VALUES)
def test_json_values_are_judged(of: Type, inside: str, value: Any, expected: list[str]) -> None:
    """Each spelling of a value over JSON-RPC is read where it can be, and has the kinds of flaw that it has."""
    reply = read_one(f'"result":{inside},"error":null,"id":1', of)
    assert kinds(reply) == expected
    assert reply.outcome == Success(value) or isinstance(reply.outcome, Breach)


@pytest.mark.parametrize(
    "text",
    [
        "20240101T12:00:00Z",
        "2024-01-01T12:00:00Z",
        "20240101T12:00:00",
        "2024-01-01T12:00:00.000Z",
        "20240101T13:00:00+01:00",
        "20240101T07:30:00-0430",
    ],
)
def test_datetime_forms_denote_one_instant(text: str) -> None:
    """Compact and dashed dates, with Z, an offset or none, are one instant and no flaw."""
    expected = read_xml(xml("<dateTime.iso8601>20240101T12:00:00Z</dateTime.iso8601>"), DateTime())
    assert isinstance(expected.outcome, Success)
    assert read_xml(xml(f"<dateTime.iso8601>{text}</dateTime.iso8601>"), DateTime()) == expected
    assert read_two(f'"jsonrpc":"2.0","result":"{text}","id":1', DateTime()) == expected
    tagless = read_xml(xml(text), DateTime())
    assert (tagless.outcome, kinds(tagless)) == (expected.outcome, ["datetime-tag"])


ENVELOPES_ONE: list[tuple[str, Any, list[str]]] = [
    ('"result":"a","error":null,"id":1', Success("a"), []),
    ('"result":null,"error":["E","p"],"id":1', Failure("E", ("p",)), []),
    ('"result":"a","id":1', Success("a"), ["envelope-missing-member"]),
    ('"error":["E"],"id":1', Failure("E"), ["envelope-missing-member"]),
    ('"result":"a","error":["E"],"id":1', Failure("E"), ["envelope-both"]),
    ('"result":null,"error":null,"id":1', None, ["envelope-no-outcome"]),
    ('"result":"a","error":null', Success("a"), ["id-not-echoed"]),
    ('"result":"a","error":null,"id":"1"', Success("a"), ["id-not-echoed"]),
    ('"result":"a","error":null,"id":1.0', Success("a"), ["id-not-echoed"]),
    ('"result":"a","error":null,"id":1,"jsonrpc":"2.0"', Success("a"), ["envelope-extra-member"]),
    ('"result":"a","error":null,"id":1,"result":"b"', Success("a"), ["envelope-duplicate-member"]),
    ('"result":null,"error":"E","id":1', Failure("E"), ["error-shape"]),
    ('"result":null,"error":[],"id":1', Failure(""), ["error-empty"]),
    ('"result":null,"error":["E",5],"id":1', Failure("E", ("5",)), ["error-not-text"]),
    ('"result":null,"error":{"code":1,"message":"E","data":["p"]},"id":1', Failure("E", ("p",)), ["error-shape"]),
]


@pytest.mark.parametrize(("members", "outcome", "expected"), ENVELOPES_ONE)
def test_json_one_envelopes_are_judged(members: str, outcome: Any, expected: list[str]) -> None:
    """JSON-RPC 1.0: result, error and id all present, one of the first two null, errors arrays of strings."""
    reply = read_one(members, Str())
    assert kinds(reply) == expected
    assert reply.outcome == outcome or (outcome is None and isinstance(reply.outcome, Breach))


TWO = '"jsonrpc":"2.0","id":1'
ERROR = '"code":1,"message":"E","data":["p"]'
ENVELOPES_TWO: list[tuple[str, Any, list[str]]] = [
    (f'{TWO},"result":"a"', Success("a"), []),
    (f'{TWO},"error":{{{ERROR}}}', Failure("E", ("p",)), []),
    ('"id":1,"result":"a"', Success("a"), ["jsonrpc-version"]),
    ('"jsonrpc":2.0,"id":1,"result":"a"', Success("a"), ["jsonrpc-version"]),
    (TWO, None, ["envelope-no-outcome", "envelope-missing-member"]),
    (f'{TWO},"result":"a","error":null', Success("a"), ["envelope-both"]),
    (f'{TWO},"result":null,"error":{{{ERROR}}}', Failure("E", ("p",)), ["envelope-both"]),
    (f'{TWO},"result":"a","error":{{{ERROR}}}', Failure("E", ("p",)), ["envelope-both"]),
    (f'{TWO},"error":{{"code":0,"message":"E","data":[]}}', Failure("E"), ["error-code"]),
    (f'{TWO},"error":{{"code":"1","message":"E","data":[]}}', Failure("E"), ["error-code"]),
    (f'{TWO},"error":{{"code":1,"message":5,"data":[]}}', Failure("5"), ["error-not-text"]),
    (f'{TWO},"error":{{"code":1,"message":"E"}}', Failure("E"), ["error-shape"]),
    (f'{TWO},"error":{{"code":1,"message":"E","data":"p"}}', Failure("E"), ["error-shape"]),
    (f'{TWO},"error":{{"code":1,"message":"E","data":[5]}}', Failure("E", ("5",)), ["error-not-text"]),
    (f'{TWO},"error":["E","p"]', Failure("E", ("p",)), ["error-shape"]),
    (f'{TWO},"result":"a","extra":1', Success("a"), ["envelope-extra-member"]),
]


@pytest.mark.parametrize(("members", "outcome", "expected"), ENVELOPES_TWO)
def test_json_two_envelopes_are_judged(members: str, outcome: Any, expected: list[str]) -> None:
    """JSON-RPC 2.0: the version exact, one of result and error, the error's three members in their form."""
    reply = read_two(members, Str())
    assert kinds(reply) == expected
    assert reply.outcome == outcome or (outcome is None and isinstance(reply.outcome, Breach))


GOOD, BAD = ("Status", "Success"), ("Status", "Failure")
ENVELOPES_XML: list[tuple[str, Any, list[str]]] = [
    (struct(("Value", "a"), GOOD), Success("a"), []),
    (struct(BAD, ("ErrorDescription", array("E", "p"))), Failure("E", ("p",)), []),
    (struct(GOOD, ("Value", "a"), ("ErrorDescription", array("E"))), Success("a"), ["envelope-both"]),
    (struct(GOOD, ("Value", "a"), ("Extra", "")), Success("a"), ["envelope-extra-member"]),
    (struct(GOOD, GOOD, ("Value", "a")), Success("a"), ["envelope-duplicate-member"]),
    (struct(("Status", "success"), ("Value", "a")), None, ["xml-status"]),
    (struct(("Value", "a")), None, ["envelope-no-outcome"]),
    (struct(GOOD), None, ["envelope-no-outcome", "envelope-missing-member"]),
    (struct(BAD), Failure(""), ["envelope-missing-member"]),
    (struct(BAD, ("ErrorDescription", "E")), Failure("E"), ["error-shape"]),
    (struct(BAD, ("ErrorDescription", array())), Failure(""), ["error-empty"]),
    (struct(BAD, ("ErrorDescription", array("E", "<int>5</int>"))), Failure("E", ("5",)), ["error-not-text"]),
    ("a", None, ["envelope-shape"]),
    (array("a"), None, ["envelope-shape"]),
]


@pytest.mark.parametrize(("inside", "outcome", "expected"), ENVELOPES_XML)
def test_xml_envelopes_are_judged(inside: str, outcome: Any, expected: list[str]) -> None:
    """XML-RPC: a struct of Status and Value, or of Status and ErrorDescription, never both."""
    body = f"<methodResponse><params><param><value>{inside}</value></param></params></methodResponse>"
    reply = read_xml(body.encode(), Str())
    assert kinds(reply) == expected
    assert reply.outcome == outcome or (outcome is None and isinstance(reply.outcome, Breach))


def test_white_space_between_elements_is_no_flaw() -> None:
    """A server may indent its replies; text stays as it is."""
    body = xml(array(" a ", "<string>b</string>")).replace(b"><", b">\n  <").replace(b"<value>\n  </value>", b"")
    assert read_xml(body, TAGS) == Reply(Success((" a ", "b")))


def test_a_fault_is_a_breach_that_tells_its_text() -> None:
    """Failures travel in the Status struct: a fault is no answer of this API."""
    inside = struct(("faultCode", "<int>4</int>"), ("faultString", "too many"))
    reply = read_xml(f"<methodResponse><fault><value>{inside}</value></fault></methodResponse>".encode(), Str())
    assert isinstance(reply.outcome, Breach)
    assert reply.outcome.kind == "xml-fault"
    assert "too many" in reply.outcome.detail


@pytest.mark.parametrize(("media", "expected"), [("text/xml; charset=utf-8", []), ("text/html", ["xml-content-type"])])
def test_the_media_type_of_xml_is_judged(media: str, expected: list[str]) -> None:
    """XML-RPC replies carry text/xml."""
    assert kinds(codec_for(Format.XMLRPC).decode_reply(xml("a"), Str(), content_type=media)) == expected


def test_records_are_judged_field_by_field() -> None:
    """A flaw is placed at its field; a field that cannot be read is left out and the others stay."""
    members = {"uuid": "u", "size": 5.5, "ratio": 1.0, "mode": "on", "tags": ["a", "a"], "extra": {"k": 1}, "more": 1}
    reply = read_two(f'{TWO},"result":{json.dumps(members)}', RecordOf("thing"))
    assert reply.outcome == Success({"uuid": "u", "ratio": 1.0, "mode": "on", "tags": ("a", "a"), "extra": {"k": "1"}})
    assert [(flaw.kind, flaw.where) for flaw in reply.flaws] == [
        ("int-as-float", "size"),
        ("int-unreadable", "size"),
        ("set-duplicate", "tags[1]"),
        ("string-tag", "extra[k]"),
        ("record-extra-field", "more"),
        ("record-missing-field", "live"),
        ("record-missing-field", "born"),
        ("record-missing-field", "owner"),
        ("record-missing-field", "counts"),
    ]


def test_a_flaw_leads_to_its_formats_clause() -> None:
    """The clause of one kind may differ between formats."""
    assert clause_of("int-tag", Format.XMLRPC) == "WIRE-INT-XML"
    assert clause_of("int-tag", Format.JSONRPC1) == "WIRE-INT-JSON"
    assert clause_of("error-shape", Format.JSONRPC2) == "WIRE-JSON2-ENVELOPE"
    assert clause_of("set-duplicate", Format.JSONRPC2) == "SET-NO-DUPLICATES"
