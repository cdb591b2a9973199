"""Nothing that comes in, cut, deep, huge or malicious, makes a codec raise, hang or look outside."""

from __future__ import annotations

from typing import Any

import pytest
from codec_world import API, MODE, SAMPLE
from hypothesis import given
from hypothesis import strategies as st

from xenconform.conformance.codec import (
    MAX_REPLY_BYTES,
    RAW,
    Array,
    BadText,
    DecodedCall,
    Scalar,
    Struct,
    WrongType,
    codec_for,
    read_param,
)
from xenconform.conformance.codec.tree import MAX_PARTS
from xenconform.models.calls import Breach, Failure, Format, Reply, Success
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

FORMATS = list(Format)
JSON = [Format.JSONRPC1, Format.JSONRPC2]
XML_HEAD = b"<methodResponse><params><param><value>"
XML_TAIL = b"</value></param></params></methodResponse>"
DEEP = 100_000


def breach(over: Format, body: bytes, of: Type | None = None) -> str:
    """The kind of breach that a reply is."""
    outcome = codec_for(over).decode_reply(body, of, 1, API).outcome
    assert isinstance(outcome, Breach), outcome
    return outcome.kind


@pytest.mark.parametrize("over", FORMATS)
def test_every_cut_of_a_reply_is_a_breach(over: Format) -> None:
    """No prefix of a reply passes for a reply."""
    codec = codec_for(over)
    for outcome in (Success(SAMPLE), Failure("E", ("ü",))):
        body = codec.encode_reply(outcome, RecordOf("thing"), 1, API)
        for end in range(len(body)):
            breach(over, body[:end], RecordOf("thing"))


@pytest.mark.parametrize("over", FORMATS)
@given(body=st.binary())
def test_any_bytes_are_a_breach_or_a_reply(over: Format, body: bytes) -> None:
    """No bytes make a codec raise."""
    codec = codec_for(over)
    assert isinstance(codec.decode_reply(body, Str(), 1, API, "x/y"), Reply)
    assert isinstance(codec.decode_call(body), DecodedCall | Breach)


@pytest.mark.parametrize("over", FORMATS)
@given(data=st.data())
def test_a_damaged_reply_never_raises(over: Format, data: st.DataObject) -> None:
    """A reply with some bytes changed is read or a breach, whatever was changed."""
    codec = codec_for(over)
    body = bytearray(codec.encode_reply(Success(SAMPLE), RecordOf("thing"), 1, API))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(codec.decode_reply(bytes(body), RecordOf("thing"), 1, API), Reply)


def test_a_document_type_is_refused_before_it_is_parsed() -> None:
    """No entity is expanded and no file is read: a DOCTYPE in the prolog is a breach, in any disguise."""
    bomb = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">'.encode() for n in range(9)
    )
    assert breach(Format.XMLRPC, bomb + b"]>" + XML_HEAD + b"&a9;" + XML_TAIL) == "xml-doctype"
    outside = b'<?xml version="1.0"?><!-- <a> --> <!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    assert breach(Format.XMLRPC, outside + XML_HEAD + b"&x;" + XML_TAIL) == "xml-doctype"
    assert breach(Format.XMLRPC, (outside + XML_HEAD + XML_TAIL).decode().encode("utf-16")) == "invalid-utf8"
    seven = outside.decode().replace("1.0", '1.0" encoding="utf-7') + XML_HEAD.decode() + XML_TAIL.decode()
    assert breach(Format.XMLRPC, seven.encode("utf-7")) in {"xml-syntax", "xml-doctype"}
    assert breach(Format.XMLRPC, XML_HEAD + b"&undeclared;" + XML_TAIL) == "xml-syntax"


def test_the_word_doctype_in_a_text_is_only_text() -> None:
    """A value may speak of document types."""
    body = codec_for(Format.XMLRPC).encode_reply(Success("<!DOCTYPE a>"), Str())
    raw = body.replace(b"&lt;!DOCTYPE a&gt;", b"<![CDATA[<!DOCTYPE a>]]>")
    assert raw != body
    assert codec_for(Format.XMLRPC).decode_reply(raw, Str()) == Reply(Success("<!DOCTYPE a>"))


def test_deep_nesting_is_refused() -> None:
    """A hundred thousand levels are a breach, in replies and in calls, not the end of the stack."""
    deep = XML_HEAD + b"<array><data><value>" * DEEP + b"</value></data></array>" * DEEP + XML_TAIL
    assert breach(Format.XMLRPC, deep) == "document-too-deep"
    modest = XML_HEAD + b"<array><data><value>" * 70 + b"</value></data></array>" * 70 + XML_TAIL
    assert breach(Format.XMLRPC, modest) == "document-too-deep"
    for over in JSON:
        assert breach(over, b'{"result":' + b"[" * DEEP + b"]" * DEEP + b"}") == "document-too-deep"
        assert breach(over, b'{"result":' + b'{"a":' * 70 + b"1" + b"}" * 71) == "document-too-deep"
        assert isinstance(codec_for(over).decode_call(b"[" * DEEP), Breach)


def test_long_numbers_are_read_in_time() -> None:
    """A million digits are no int, and cost no more than their length."""
    digits = b"9" * 10**6
    assert breach(Format.JSONRPC1, b'{"result":' + digits + b',"error":null,"id":1}', Int()) == "int-unreadable"
    assert isinstance(
        codec_for(Format.JSONRPC1).decode_reply(b'{"result":' + digits + b',"error":null,"id":1}', Float()), Reply
    )
    codec = codec_for(Format.JSONRPC2)
    assert isinstance(codec.decode_call(b'{"jsonrpc":"2.0","method":"a","id":' + digits + b"}"), Breach)


def test_too_many_parts_are_refused_before_they_are_built() -> None:
    """A few megabytes that would make a tree of gigabytes are a breach."""
    many = MAX_PARTS + 1
    assert breach(Format.XMLRPC, XML_HEAD + b"<a/>" * many + XML_TAIL) == "reply-too-large"
    assert breach(Format.JSONRPC1, b'{"result":[' + b"[]," * many + b"[]]}") == "reply-too-large"
    assert breach(Format.JSONRPC1, b" " * (MAX_REPLY_BYTES + 1)) == "reply-too-large"


@pytest.mark.parametrize(
    ("over", "body", "kind"),
    [
        (Format.XMLRPC, b"", "reply-empty"),
        (Format.XMLRPC, b"<html></html>", "xml-structure"),
        (Format.XMLRPC, XML_HEAD + b"\xff" + XML_TAIL, "invalid-utf8"),
        (Format.XMLRPC, XML_HEAD + b"&#0;" + XML_TAIL, "xml-syntax"),
        (Format.XMLRPC, XML_HEAD + b"\x01" + XML_TAIL, "xml-syntax"),
        (Format.XMLRPC, XML_HEAD + b"a<string>b</string>" + XML_TAIL, "xml-structure"),
        (Format.XMLRPC, XML_HEAD + XML_TAIL + b"<a/>", "xml-syntax"),
        (Format.JSONRPC1, b"[]", "envelope-shape"),
        (Format.JSONRPC1, b"null", "envelope-shape"),
        (Format.JSONRPC1, b'{"result":"\xff"}', "invalid-utf8"),
        (Format.JSONRPC2, b'{"result":1} {}', "json-syntax"),
        (Format.JSONRPC2, b"{'result':1}", "json-syntax"),
        (Format.JSONRPC2, b"\xef\xbb\xbf{}", "json-syntax"),
    ],
)
def test_broken_documents_are_named(over: Format, body: bytes, kind: str) -> None:
    """Each broken document is a breach of its kind."""
    assert breach(over, body) == kind


def test_a_breach_says_at_which_byte() -> None:
    """The offset of a breach is that of the byte, not of the character."""
    outcome = codec_for(Format.JSONRPC1).decode_reply('{"ü":x}'.encode(), None).outcome
    assert isinstance(outcome, Breach)
    assert outcome.offset == 6


@pytest.mark.parametrize(
    "body",
    [
        b'{"method":"a","params":[]}',
        b'{"method":"a","params":[],"id":null}',
        b'{"method":"a","params":[],"id":1.5}',
        b'{"method":"a","params":[],"id":true}',
        b'{"method":"a","params":[],"id":[]}',
        b'{"method":"a","params":{},"id":1}',
        b'{"method":5,"params":[],"id":1}',
        b'{"params":[],"id":1}',
        b'{"jsonrpc":"1.0","method":"a","params":[],"id":1}',
        b'{"jsonrpc":2.0,"method":"a","params":[],"id":1}',
        b'{"jsonrpc":null,"method":"a","params":[],"id":1}',
        b'{"method":"a","method":"b","params":[],"id":1}',
        b'[{"method":"a","params":[],"id":1}]',
    ],
)
def test_bad_json_calls_are_refused(body: bytes) -> None:
    """No id, an odd id, parameters by name, another version, a member twice, a batch: no call."""
    assert isinstance(codec_for(Format.JSONRPC2).decode_call(body), Breach)


@pytest.mark.parametrize("body", [b'{"method":"a","id":1}', b'{"method":"a","params":null,"id":1}'])
def test_a_call_may_leave_its_params_out(body: bytes) -> None:
    """Absent or null parameters are none."""
    assert codec_for(Format.JSONRPC2).decode_call(body) == DecodedCall("a", (), 1, Format.JSONRPC1)


WRONG: list[tuple[Type, Any]] = [
    *[(Int(), Scalar("string", text)) for text in ("nine", "1 ", "", "1.0", "+1", "0x1", str(2**63), "\u0665")],
    (Int(), Scalar("boolean", "1")),
    (Int(), Scalar("double", "1.0")),
    (Int(), Scalar("nil", "")),
    (Float(), Scalar("double", "nan")),
    (Float(), Scalar("double", "1e999")),
    (Float(), Scalar("boolean", "1")),
    (Bool(), Scalar("string", "true")),
    (Bool(), Scalar("int", "1")),
    (Bool(), Scalar("boolean", "2")),
    (DateTime(), Scalar("string", "now")),
    (DateTime(), Scalar("int", "5")),
    (Str(), Scalar("int", "5")),
    (Str(), Scalar("boolean", "1")),
    (RefTo("thing"), Array(())),
    (MODE, Scalar("string", "ON")),
    (SetOf(Str()), Scalar("string", "")),
    (SetOf(Str()), Struct(())),
    (MapOf(Str(), Str()), Array(())),
    (MapOf(Str(), Str()), Struct((("a", Scalar("", "1")), ("a", Scalar("", "2"))))),
    (MapOf(Int(), Str()), Struct((("a", Scalar("", "1")),))),
    (RecordOf("thing"), Struct((("size", Scalar("", "x")),))),
    (Void(), Scalar("", "x")),
]


@pytest.mark.parametrize(("of", "node"), WRONG)
def test_a_server_refuses_a_wrong_type(of: Type, node: Any) -> None:
    """A parameter that is no value of its type is refused, in words."""
    with pytest.raises(WrongType, match=r".+"):
        read_param(of, node, API)


@pytest.mark.parametrize("text", ["\x00", "\x1b", "\ud800", "\ufffe", "\uffff"])
def test_a_server_refuses_text_that_not_every_format_carries(text: str) -> None:
    """Text that XML cannot carry is refused wherever it stands."""
    node = Scalar("string", text)
    for of, each in ((Str(), node), (SetOf(Str()), Array((node,))), (MapOf(Str(), Str()), Struct(((text, node),)))):
        with pytest.raises(BadText):
            read_param(of, each, API)


def test_a_server_reads_leniently() -> None:
    """Duplicates collapse, unknown members are ignored, ints and floats come in each spelling, options may be nil."""
    two = Array((Scalar("", "a"), Scalar("string", "a"), Scalar("", "b")))
    assert read_param(SetOf(Str()), two, API) == ("a", "b")
    assert read_param(RecordOf("thing"), Struct((("nope", two), ("size", Scalar("i8", "7")))), API) == {"size": 7}
    assert read_param(Float(), Scalar("string", "1.5"), API) == 1.5
    assert read_param(Float(), Scalar("i4", "1"), API) == 1.0
    assert read_param(Option(Str()), Scalar("nil", ""), API) is None
    assert read_param(RefTo("thing"), Scalar("", ""), API) == ""


@pytest.mark.parametrize("over", FORMATS)
def test_hostile_calls_can_be_composed(over: Format) -> None:
    """A parameter may be any tree, in any spelling, or raw text that breaks the document."""
    codec = codec_for(over)
    node = Struct((("a", Scalar("boolean", "1")), ("a", Array((Scalar("int", "5"), Scalar("nil", ""))))))
    call = codec.decode_call(codec.encode_call("m", [(None, node)]))
    assert isinstance(call, DecodedCall)
    assert call.params == (node,)
    assert isinstance(codec.decode_call(codec.encode_call("m", [(None, Scalar(RAW, "<"))])), Breach)
