"""The codecs carry every value of every type over every format and back, and read what a live server said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from codec_world import ANY_TEXT, API, CARRIABLE, INTS, SAMPLE, exact, typed
from hypothesis import given
from hypothesis import strategies as st

from xenconform.conformance.codec import (
    DecodedCall,
    Scalar,
    Uncarriable,
    carriable,
    codec_for,
    decode_xml_value,
    encode_xml_value,
    read_param,
)
from xenconform.models.api import Api
from xenconform.models.calls import Breach, Failure, Format, Outcome, Reply, Success
from xenconform.models.flaws import KINDS, clause_of
from xenconform.models.types import Float, Int, RecordOf, SetOf, Str, Type, Void

FORMATS = list(Format)
JSON = [Format.JSONRPC1, Format.JSONRPC2]
RECORDED = [
    json.loads(line) for line in (Path(__file__).parent / "data/recorded.jsonl").read_text("utf-8").splitlines()
]
IDENTS: dict[str, int | str] = {"jsonrpc1": "rec-1", "jsonrpc2": 7}


def says(outcome: Outcome) -> str:
    """The outcome in a word: success, breach, or the error's code."""
    match outcome:
        case Success():
            return "success"
        case Failure(code):
            return code
        case Breach():
            return "breach"


def named(exchange: dict[str, Any]) -> str:
    return f"{exchange['n']}-{exchange['over']}-{exchange['why'].replace(' ', '_')}"


def test_all_recorded_exchanges_are_here() -> None:
    """There are 189 recorded exchanges, 11 of them refusals of malformed calls."""
    assert len(RECORDED) == 189
    assert sum(exchange["status"] == 500 for exchange in RECORDED) == 11


@pytest.mark.parametrize("exchange", RECORDED, ids=named)
def test_a_recorded_reply_decodes_to_its_outcome(exchange: dict[str, Any]) -> None:
    """Typed by the shipped model, each recorded reply has the outcome that its bytes say, and a good one no flaw."""
    cls, _, message = exchange["method"].rpartition(".")
    api = Api.load()
    known = api.classes[cls].messages.get(message) if cls in api.classes else None
    reply = codec_for(Format(exchange["over"])).decode_reply(
        exchange["received"].encode(),
        known.result if known else None,
        IDENTS.get(exchange["over"]),
        api,
        exchange["type"] if exchange["status"] == 200 else None,
    )
    assert says(reply.outcome) == exchange["says"]
    assert reply.flaws == ()


@pytest.mark.parametrize("exchange", RECORDED, ids=named)
def test_a_recorded_call_is_read_as_the_live_server_read_it(exchange: dict[str, Any]) -> None:
    """What the live server answered is a call, in the format that it answered; what it refused with 500 is none."""
    call = codec_for(Format(exchange["over"])).decode_call(exchange["sent"].encode())
    if exchange["status"] == 500:
        assert isinstance(call, Breach)
    else:
        assert isinstance(call, DecodedCall)
        assert (call.method, call.version) == (exchange["method"], exchange["over"])


@pytest.mark.parametrize("over", FORMATS)
@given(sample=typed())
def test_a_reply_comes_back_whole(over: Format, sample: tuple[Type, Any]) -> None:
    """decode_reply(encode_reply(v)) is v with no flaw, to the last bit, for every type."""
    of, value = sample
    codec = codec_for(over)
    body = codec.encode_reply(Success(value), of, 5, API)
    reply = codec.decode_reply(body, of, 5, API, codec.content_type)
    assert isinstance(reply.outcome, Success), body
    assert exact(of, reply.outcome.value) == exact(of, value)
    assert reply.flaws == ()


@pytest.mark.parametrize("ints", ["text", "native"])
@pytest.mark.parametrize("over", FORMATS)
@given(sample=typed())
def test_a_call_comes_back_whole(over: Format, ints: Any, sample: tuple[Type, Any]) -> None:
    """read_param gives what encode_call was given, for every type and both spellings of ints."""
    of, value = sample
    codec = codec_for(over)
    call = codec.decode_call(codec.encode_call("a.b", [(Str(), "s"), (of, value)], "i", api=API, ints=ints))
    assert isinstance(call, DecodedCall)
    assert (call.method, call.version) == ("a.b", over)
    assert exact(of, read_param(of, call.params[1], API)) == exact(of, value)


@given(sample=typed())
def test_a_lone_value_comes_back_whole(sample: tuple[Type, Any]) -> None:
    """A task's result, a lone <value>, reads back as it was."""
    of, value = sample
    reply = decode_xml_value(encode_xml_value(of, value, API), of, API)
    assert isinstance(reply.outcome, Success)
    assert exact(of, reply.outcome.value) == exact(of, value)
    assert reply.flaws == ()


@pytest.mark.parametrize("over", JSON)
@given(text=ANY_TEXT)
def test_json_carries_all_text(over: Format, text: str) -> None:
    """JSON carries NUL, control characters and lone surrogates, in ASCII bytes."""
    codec = codec_for(over)
    body = codec.encode_reply(Success(text), Str(), text)
    assert body.isascii()
    assert codec.decode_reply(body, Str(), text) == Reply(Success(text))
    call = codec.decode_call(codec.encode_call("m", [(Str(), text)], text))
    assert call == DecodedCall("m", (Scalar("string", text),), text, over)


@given(text=ANY_TEXT)
def test_xml_carries_text_or_says_so(text: str) -> None:
    """XML gives text back unchanged or refuses to write it; it never changes it."""
    codec = codec_for(Format.XMLRPC)
    try:
        body = codec.encode_call("m", [(Str(), text)])
    except Uncarriable:
        assert not carriable(text)
    else:
        call = codec.decode_call(body)
        assert call == DecodedCall("m", (Scalar("string", text),), 0, Format.XMLRPC)


@pytest.mark.parametrize("over", FORMATS)
@given(code=CARRIABLE.map(lambda text: "".join(text.split())).filter(bool), params=st.lists(CARRIABLE, max_size=3))
def test_a_failure_comes_back_whole(over: Format, code: str, params: list[str]) -> None:
    """An error's code and parameters come back as they were, with no flaw."""
    codec = codec_for(over)
    failure = Failure(code, tuple(params))
    assert codec.decode_reply(codec.encode_reply(failure, Str(), "x"), Str(), "x") == Reply(failure)


@pytest.mark.parametrize("over", FORMATS)
@pytest.mark.parametrize(("code", "flawed"), [("Not found.", True), ("handle_invalid", True), ("my_own.Code-7", False)])
def test_an_error_code_is_no_prose(over: Format, code: str, flawed: bool) -> None:
    """A sentence and a listed code in other letters are no codes; a server's own code may look as it will."""
    codec = codec_for(over)
    reply = codec.decode_reply(codec.encode_reply(Failure(code, ("x",)), Str(), 1), Str(), 1, Api.load())
    assert [flaw.kind for flaw in reply.flaws] == ["error-code-form"] * flawed
    assert reply.outcome == Failure(code, ("x",))


@pytest.mark.parametrize("over", FORMATS)
def test_void_travels_as_the_empty_string(over: Format) -> None:
    """A void result is written as the empty string and read as None."""
    codec = codec_for(over)
    body = codec.encode_reply(Success(None), Void(), 1)
    assert b'"result":""' in body or b"<name>Value</name><value></value>" in body
    assert codec.decode_reply(body, Void(), 1) == Reply(Success(None))


@pytest.mark.parametrize("over", JSON)
@given(ident=st.integers() | st.text())
def test_ids_are_echoed(over: Format, ident: int | str) -> None:
    """An id of any size comes back as it was sent."""
    codec = codec_for(over)
    call = codec.decode_call(codec.encode_call("m", [], ident))
    assert isinstance(call, DecodedCall)
    assert call.ident == ident
    assert codec.decode_reply(codec.encode_reply(Success("x"), Str(), call.ident), Str(), ident).flaws == ()


@pytest.mark.parametrize("over", FORMATS)
@given(value=INTS)
def test_ints_are_exact_in_both_spellings(over: Format, value: int) -> None:
    """An int over all 64 bits is read from decimal text; from JSON's own integer too, with no flaw."""
    codec = codec_for(over)
    assert codec.decode_reply(codec.encode_reply(Success(value), Int(), 1, ints="text"), Int(), 1) == Reply(
        Success(value)
    )
    native = codec.decode_reply(codec.encode_reply(Success(value), Int(), 1, ints="native"), Int(), 1)
    assert native.outcome == Success(value)
    assert [flaw.kind for flaw in native.flaws] == (["int-tag"] if over is Format.XMLRPC else [])


@pytest.mark.parametrize("over", FORMATS)
def test_a_record_has_its_fields_by_type(over: Format) -> None:
    """A record reads as typed fields; a removed field and an absent option may be left out."""
    codec = codec_for(over)
    some = {name: value for name, value in SAMPLE.items() if name != "note"}
    body = codec.encode_reply(Success(some), RecordOf("thing"), 1, API)
    assert codec.decode_reply(body, RecordOf("thing"), 1, API) == Reply(Success(some))


@pytest.mark.parametrize("over", JSON)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_json_replies_never_carry_nan(over: Format, value: float) -> None:
    """JSON has no NaN: a server's codec refuses to write it."""
    with pytest.raises(ValueError, match="JSON has no number"):
        codec_for(over).encode_reply(Success(value), Float())


def test_xml_replies_have_no_space_between_elements_and_status_first() -> None:
    """Old clients look for the first member and break at white space."""
    body = codec_for(Format.XMLRPC).encode_reply(Success((1, 2)), SetOf(Int()))
    assert body == (
        b"<?xml version='1.0'?><methodResponse><params><param><value><struct>"
        b"<member><name>Status</name><value>Success</value></member>"
        b"<member><name>Value</name><value><array><data><value>1</value><value>2</value></data></array></value></member>"
        b"</struct></value></param></params></methodResponse>"
    )


def test_a_bare_reply_is_read_where_it_may_be_bare() -> None:
    """system.listMethods answers in XML-RPC without the Status struct: a breach of any other message."""
    body = (
        b"<methodResponse><params><param><value><array><data><value>a.b</value></data></array></value>"
        b"</param></params></methodResponse>"
    )
    codec = codec_for(Format.XMLRPC)
    assert codec.decode_reply(body, SetOf(Str()), bare_ok=True) == Reply(Success(("a.b",)))
    assert isinstance(codec.decode_reply(body, SetOf(Str())).outcome, Breach)


def test_every_kind_names_a_clause_for_each_format() -> None:
    """Each kind of flaw leads to one clause over each format."""
    assert all(clause_of(kind, over) and kind == each.name for kind, each in KINDS.items() for over in FORMATS)
