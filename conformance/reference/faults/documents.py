"""Faults of reading a request: documents that are no calls, ids that are not there, versions that nobody speaks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from xenconform.conformance.codec import codec_for
from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import replies, requests
from xenconform.conformance.reference.service import Answer, HttpAnswer
from xenconform.models.calls import Breach, Format

XML, JSON1, JSON2 = Format


def is_json(body: bytes) -> bool:
    """Whether a body is meant to be JSON."""
    return body.lstrip()[:1] == b"{"


def mended(s: Server, mend: Callable[[bytes], bytes], *, json_: bool) -> None:
    """Read a document that is no call of JSON, or of XML, as what a mended one says."""

    def change(body: bytes) -> bytes:
        if is_json(body) is not json_:
            return body
        decoded = codec_for(JSON2 if json_ else XML).decode_call(body)
        return mend(body) if isinstance(decoded, Breach) else body

    requests(s, change)


def outside_texts(body: bytes, pattern: bytes, new: bytes | Callable[[re.Match[bytes]], bytes]) -> bytes:
    """Return JSON with what fits a pattern replaced, but for what stands within texts: a ref may begin with zeros."""
    pieces = re.split(rb'("(?:[^"\\]|\\.)*")', body)
    return b"".join(piece if at % 2 else re.sub(pattern, new, piece) for at, piece in enumerate(pieces))


def members(s: Server, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the members of each JSON call before it is judged."""

    def changed(body: bytes) -> bytes:
        with suppress(ValueError):
            call = json.loads(body) if is_json(body) else None
            if isinstance(call, dict) and change(call) is not call:
                return json.dumps(change(call)).encode()
        return body

    requests(s, changed)


# ---------------------------------------------------------------------------------------------------------- malformed


@fault("WIRE-MALFORMED", "network", MEDIUM)
def end_tags_may_be_missing(s: Server) -> None:
    """An XML-RPC call that lacks its last end tag is carried out."""
    mended(s, lambda body: body[: body.rfind(b"</params>") + 9] + b"</methodCall>"
           if body.rstrip().endswith((b"</params>", b"</methodCall")) else body, json_=False)  # fmt: skip


@fault("WIRE-MALFORMED", "network", MEDIUM)
def numbers_may_begin_with_zeros(s: Server) -> None:
    """A JSON number with leading zeros is read as if it had none."""
    mended(s, lambda body: outside_texts(body, rb"([:,\[]\s*-?)0+(?=\d)", rb"\1"), json_=True)


@fault("WIRE-MALFORMED", "network", HARD)
def last_comma_inside_is_overlooked(s: Server) -> None:
    """In JSON a comma after the last member of an array or object within the parameters is overlooked."""
    mended(s, lambda body: outside_texts(body, rb",\s*([\]}])(?!\s*$)", rb"\1"), json_=True)


@fault("WIRE-MALFORMED", "network", MEDIUM)
def literals_in_any_case_are_read(s: Server) -> None:
    """In JSON the words True, False, None and NULL are read as what they are in other languages."""
    words = {b"true": b"true", b"false": b"false", b"null": b"null", b"none": b"null"}
    mended(s, lambda body: outside_texts(body, rb"(?i)(?<=[:,\[ ])(true|false|null|none)\b",
                                         lambda m: words[m[0].lower()]), json_=True)  # fmt: skip


@fault("WIRE-MALFORMED", "network", HARD)
def member_without_a_value_is_empty(s: Server) -> None:
    """In XML-RPC a struct's member that has a name and no value is read as the empty text."""
    mended(s, lambda body: body.replace(b"</name></member>", b"</name><value/></member>"), json_=False)


@fault("WIRE-MALFORMED", "network", HARD)
def first_of_two_types_is_read(s: Server) -> None:
    """In XML-RPC a value that holds two elements is read as the first of them."""
    mended(s, lambda body: re.sub(rb"<value>(<(string|int)>[^<]*</\2>)<\w+>[^<]*</\w+></value>", rb"<value>\1</value>",
                                  body), json_=False)  # fmt: skip


@fault("WIRE-MALFORMED", "network", HARD, also="ROBUST-NO-EFFECT")
def call_is_run_before_its_end_is_read(s: Server) -> None:
    """A JSON call with garbage behind it is carried out, and then refused as malformed."""

    def begin(old: Any, path: str, content_type: str, body: bytes, http_method: str = "POST") -> Answer:
        answer: Answer = old(path, content_type, body, http_method)
        with suppress(ValueError):
            text = body.decode()
            end = json.JSONDecoder().raw_decode(text)[1]
            if is_json(body) and text[end:].strip():
                old(path, content_type, body[:end], http_method)
        return answer

    around(s.service, "begin", begin)


@fault("WIRE-MALFORMED", "network", EASY)
def short_garbage_gets_an_empty_reply(s: Server) -> None:
    """A body of a few bytes that is no document gets an empty reply with status 200."""
    empty = HttpAnswer(200, "text/plain", b"")
    replies(s, lambda answer, body: empty if answer.status == 500 and 0 < len(body) < 20 else answer)


# ------------------------------------------------------------------------------------------------------- notifications


def unasked(s: Server, names: str, answer: HttpAnswer | None = None, *formats: Format) -> None:
    """Carry out calls without an id whose methods fit a pattern; they are refused, or answered as told."""

    def begin(old: Any, path: str, content_type: str, body: bytes, http_method: str = "POST") -> Answer:
        refused: Answer = old(path, content_type, body, http_method)
        with suppress(ValueError):
            call = json.loads(body) if is_json(body) else None
            if not isinstance(call, dict) or call.get("id") is not None:
                return refused
            over = JSON2 if "jsonrpc" in call else JSON1
            if re.fullmatch(names, str(call.get("method"))) and (not formats or over in formats):
                old(path, content_type, json.dumps(call | {"id": 1}).encode(), http_method)
                return answer or refused
        return refused

    around(s.service, "begin", begin)


NO_CONTENT = HttpAnswer(200, "application/json", b"")


@fault("WIRE-JSON-NO-NOTIFICATION", "network", MEDIUM)
def setters_without_an_id_are_run(s: Server) -> None:
    """Over JSON-RPC 2.0 a setter called without an id is carried out and gets an empty reply."""
    unasked(s, r".*\.set_.*", NO_CONTENT, JSON2)


@fault("WIRE-JSON-NO-NOTIFICATION", "network", HARD)
def destroy_without_an_id_is_run(s: Server) -> None:
    """A destroy without an id is carried out, though it is refused."""
    unasked(s, r".*\.destroy")


@fault("WIRE-JSON-NO-NOTIFICATION", "network", HARD)
def additions_without_an_id_are_run(s: Server) -> None:
    """Over JSON-RPC 1.0 adding to a set or map without an id is carried out, though it is refused."""
    unasked(s, r".*\.add_.*", None, JSON1)


@fault("WIRE-JSON-NO-NOTIFICATION", "network", HARD)
def tasks_without_an_id_are_run(s: Server) -> None:
    """An asynchronous constructor called without an id is carried out, though it is refused."""
    unasked(s, r"Async\..*\.create")


# ------------------------------------------------------------------------------------------------------------ versions


def taken_for_2(s: Server, fits: Callable[[Any], bool]) -> None:
    """Take calls of some versions for calls of 2.0."""
    members(s, lambda call: call | {"jsonrpc": "2.0"} if "jsonrpc" in call and fits(call["jsonrpc"]) else call)


@fault("WIRE-JSON-VERSION", "network", MEDIUM)
def minor_version_is_overlooked(s: Server) -> None:
    """A call of the version "2.1", or any other that begins with "2.", is answered as one of 2.0."""
    taken_for_2(s, lambda version: isinstance(version, str) and version.startswith("2.") and version.strip() == version)


@fault("WIRE-JSON-VERSION", "network", HARD)
def version_may_be_a_number(s: Server) -> None:
    """A call whose version is the number 2.0 is answered as one of 2.0."""
    taken_for_2(s, lambda version: isinstance(version, float))


@fault("WIRE-JSON-VERSION", "network", MEDIUM)
def version_1_1_is_taken(s: Server) -> None:
    """A call of the version "1.1" is answered as one of 1.0."""
    members(s, lambda call: {k: v for k, v in call.items() if k != "jsonrpc"} if call.get("jsonrpc") == "1.1" else call)


@fault("WIRE-JSON-VERSION", "network", HARD)
def version_is_looked_for_in_the_text(s: Server) -> None:
    """A call of 1.0 whose parameters hold the word jsonrpc in quotes is answered as one of 2.0."""

    def change(call: dict[str, Any]) -> dict[str, Any]:
        told = "jsonrpc" not in call and '"jsonrpc"' in json.dumps(call.get("params")).replace('\\"', '"')
        return {"jsonrpc": "2.0"} | call if told else call

    members(s, change)


@fault("WIRE-JSON-VERSION", "network", HARD)
def version_behind_the_parameters_is_overlooked(s: Server) -> None:
    """A call whose member jsonrpc comes last is answered as one of 1.0."""
    members(s, lambda call: {k: v for k, v in call.items() if k != "jsonrpc"} if list(call)[-1:] == ["jsonrpc"]
            else call)  # fmt: skip


@fault("WIRE-JSON-VERSION", "network", HARD)
def version_of_a_setter_is_not_looked_at(s: Server) -> None:
    """A setter is carried out whatever version its call has; other messages mind it."""
    members(s, lambda call: call | {"jsonrpc": "2.0"} if "jsonrpc" in call and ".set_" in str(call.get("method"))
            else call)  # fmt: skip
