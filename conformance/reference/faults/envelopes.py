"""Faults of what stands around a result or an error: envelopes, media types, ids, the empty result."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from xenconform.conformance.codec import Codec, DecodedCall
from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import bodies, json_replies, replies
from xenconform.conformance.reference.service import HttpAnswer
from xenconform.models.calls import Failure, Format
from xenconform.models.types import Void

XML, JSON1, JSON2 = Format


# ---------------------------------------------------------------------------------------------------------------- XML


@fault("WIRE-XML-ENVELOPE", "VIF", MEDIUM)
def failed_setter_has_a_value_over_xml(s: Server) -> None:
    """Over XML-RPC a VIF's setter that fails answers with an empty Value beside the ErrorDescription."""
    value = b"<member><name>Value</name><value/></member><member><name>ErrorDescription</name>"
    bodies(s, lambda body: body.replace(b"<member><name>ErrorDescription</name>", value)
           if s.method.startswith("VIF.set_") else body, XML)  # fmt: skip


@fault("WIRE-XML-ENVELOPE", "SR", MEDIUM)
def counts_in_an_error_are_ints_over_xml(s: Server) -> None:
    """Over XML-RPC the numbers among an error's parameters travel as int, not as strings."""
    counted = re.compile(rb"(MESSAGE_PARAMETER_COUNT_MISMATCH.*)<value>(-?\d+)</value><value>(-?\d+)</value>")
    typed = rb"\1<value><int>\2</int></value><value><int>\3</int></value>"
    bodies(s, lambda body: counted.sub(typed, body), XML)


@fault("WIRE-XML-ENVELOPE", "host", MEDIUM)
def unknown_method_is_a_fault(s: Server) -> None:
    """Over XML-RPC an unknown method is answered with XML-RPC's own fault, not with a Status struct."""
    page = (
        b"<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>faultCode</name><value><int>1</int>"
        b"</value></member><member><name>faultString</name><value>no such method</value></member></struct></value>"
        b"</fault></methodResponse>"
    )
    bodies(s, lambda body: page if b"MESSAGE_METHOD_UNKNOWN" in body else body, XML)


@fault("WIRE-XML-ENVELOPE", "secret", HARD)
def destroy_answers_without_a_value(s: Server) -> None:
    """Over XML-RPC the reply to a destroy that succeeds has a Status and no Value."""
    value = b"<member><name>Value</name><value></value></member>"
    bodies(s, lambda body: body.replace(value, b"") if s.method.endswith(".destroy") else body, XML)


@fault("WIRE-XML-ENVELOPE", "VM", HARD)
def large_xml_replies_are_cut(s: Server) -> None:
    """Over XML-RPC a record or a list of records loses what is beyond 65,535 bytes of the document."""
    bodies(s, lambda body: body[:65535] if ".get_all_records" in s.method else body, XML)


@fault("WIRE-XML-ENVELOPE", "PIF", HARD)
def errors_are_not_escaped_over_xml(s: Server) -> None:
    """Over XML-RPC an ampersand in an error's parameter is written as it is, so that the reply is no XML."""
    bodies(s, lambda body: body.replace(b"&amp;", b"&") if b"<value>Failure</value>" in body else body, XML)


# ---------------------------------------------------------------------------------------------------------- media type


def typed(s: Server, media: str, of: Callable[[bytes], bool]) -> None:
    """Give XML-RPC replies whose bodies fit another media type."""
    replies(s, lambda a, _: replace(a, content_type=media) if a.status == 200 and s.fmt is XML and of(a.body) else a)


@fault("WIRE-XML-CONTENT-TYPE", "PVS_site", MEDIUM)
def failures_are_typed_as_html(s: Server) -> None:
    """Over XML-RPC a failure because of a bad ref is typed as text/html."""
    typed(s, "text/html; charset=utf-8", lambda body: b"HANDLE_INVALID" in body)


@fault("WIRE-XML-CONTENT-TYPE", "network", HARD)
def long_replies_are_typed_as_octets(s: Server) -> None:
    """Over XML-RPC a reply of more than 4 KiB is typed as application/octet-stream."""
    typed(s, "application/octet-stream", lambda body: len(body) > 4096)


@fault("WIRE-XML-CONTENT-TYPE", "VMSS", MEDIUM)
def empty_results_are_typed_as_text(s: Server) -> None:
    """Over XML-RPC a reply without a result is typed as text/plain."""
    typed(s, "text/plain", lambda body: b"<name>Value</name><value></value>" in body and is_void(s))


# ----------------------------------------------------------------------------------------------------------- JSON-RPC


@fault("WIRE-JSON1-ENVELOPE", "VBD", MEDIUM)
def empty_result_drops_the_error(s: Server) -> None:
    """Over JSON-RPC 1.0 a success whose result is the empty text has no member error."""
    json_replies(s, lambda reply: without(reply, "error") if reply["result"] == "" else reply, JSON1)


@fault("WIRE-JSON1-ENVELOPE", "VDI", HARD)
def duplicate_key_error_is_an_object(s: Server) -> None:
    """Over JSON-RPC 1.0 a duplicate key of a map is told by an object of code, message and data, as in 2.0."""

    def change(reply: dict[str, Any]) -> dict[str, Any]:
        code, *params = reply["error"] or [""]
        error = {"code": 1, "message": code, "data": params}
        return reply | {"error": error} if code == "MAP_DUPLICATE_KEY" else reply

    json_replies(s, change, JSON1)


@fault("WIRE-JSON1-ENVELOPE", "PVS_site", MEDIUM)
def failed_constructor_has_an_empty_result(s: Server) -> None:
    """Over JSON-RPC 1.0 a constructor that fails has the empty text for its result, not null."""
    json_replies(s, lambda reply: reply | {"result": ""} if reply["error"] and is_constructor(s) else reply, JSON1)


@fault("WIRE-JSON1-ENVELOPE", "task", MEDIUM)
def counts_in_an_error_are_numbers(s: Server) -> None:
    """Over JSON-RPC 1.0 parameters of an error that are digits travel as numbers."""
    json_replies(s, lambda reply: reply | {"error": [as_number(each) for each in reply["error"]]}
                 if reply["error"] else reply, JSON1)  # fmt: skip


@fault("WIRE-JSON1-ENVELOPE", "role", HARD, also="WIRE-JSON-ID-ECHO")
def quotes_in_errors_are_not_escaped(s: Server) -> None:
    """Over JSON-RPC 1.0 a quote in an error's parameter is written as it is, so that the reply is no JSON."""
    bodies(s, lambda body: body.replace(b'\\"', b'"') if body.startswith(b'{"result":null') else body, JSON1)


@fault("WIRE-JSON2-ENVELOPE", "pool", MEDIUM)
def code_of_a_bad_ref_is_text(s: Server) -> None:
    """Over JSON-RPC 2.0 the error of a bad ref has the text "1" for its code."""
    failing(s, lambda error: error | {"code": "1"} if error["message"] == "HANDLE_INVALID" else error)


@fault("WIRE-JSON2-ENVELOPE", "pool", HARD)
def no_parameters_are_null(s: Server) -> None:
    """Over JSON-RPC 2.0 an error that has no parameters has null for its data."""
    failing(s, lambda error: error | {"data": error["data"] or None})


@fault("WIRE-JSON2-ENVELOPE", "VIF", MEDIUM)
def second_version_keeps_the_first_ones_error(s: Server) -> None:
    """Over JSON-RPC 2.0 a VIF's accessor that succeeds has an error of null beside its result."""
    json_replies(s, lambda reply: {"error": None} | reply if s.method.startswith("VIF.remove_from_") else reply, JSON2)


@fault("WIRE-JSON2-ENVELOPE", "network", HARD)
def error_in_use_is_prose(s: Server) -> None:
    """Over JSON-RPC 2.0 the error of a destroy that is refused has a sentence for its message, the code in data."""
    failing(s, lambda error: error | {"message": "The object could not be destroyed.",
                                      "data": [error["message"], *error["data"]]}
            if s.method == "network.destroy" and error["message"] not in CODED else error)  # fmt: skip


CODED = {"HANDLE_INVALID", "SESSION_INVALID", "MESSAGE_PARAMETER_COUNT_MISMATCH", "RBAC_PERMISSION_DENIED"}
"""Codes of destroys that clauses of their own speak of."""


def failing(s: Server, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the error object of JSON-RPC 2.0."""
    json_replies(s, lambda reply: reply | {"error": change(reply["error"])} if "error" in reply else reply, JSON2)


def without(reply: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a reply without some members."""
    return {name: value for name, value in reply.items() if name not in names}


def as_number(text: str) -> int | str:
    """Return text as the number that its digits are."""
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else text


def is_constructor(s: Server) -> bool:
    """Whether the call in hand makes an object."""
    return s.method.endswith((".create", ".introduce"))


# ---------------------------------------------------------------------------------------------------------------- ids


def idents(s: Server, change: Callable[[Any, bool], Any], *formats: Format) -> None:
    """Change the id of each JSON reply; given are the id that came, and whether the call failed."""

    def encode(old: Any, codec: Codec, call: DecodedCall, outcome: Any, *args: Any, **options: Any) -> HttpAnswer:
        if codec.format is XML or (formats and codec.format not in formats):
            answer: HttpAnswer = old(codec, call, outcome, *args, **options)
            return answer
        answer = old(codec, call, outcome, *args, **options)
        ident = change(call.ident, isinstance(outcome, Failure))
        if ident is call.ident:
            return answer
        return replace(answer, body=json.dumps(json.loads(answer.body) | {"id": ident}).encode())

    around(s.service, "_encode", encode)


@fault("WIRE-JSON-ID-ECHO", "network", HARD)
def digits_in_an_id_become_a_number(s: Server) -> None:
    """Over JSON-RPC 2.0 a failure has an id that was text of digits as a number."""
    idents(s, lambda i, failed: int(i) if failed and isinstance(i, str) and i.isascii() and i.isdigit() else i, JSON2)


@fault("WIRE-JSON-ID-ECHO", "network", MEDIUM)
def ids_keep_their_low_32_bits(s: Server) -> None:
    """Over JSON-RPC 1.0 an integer id beyond 32 bits comes back as its low 32 bits, signed."""
    idents(s, lambda i, _: (i + 2**31) % 2**32 - 2**31 if isinstance(i, int) and abs(i) > 2**31 else i, JSON1)


@fault("WIRE-JSON-ID-ECHO", "network", HARD)
def ids_of_setters_are_cut_at_255(s: Server) -> None:
    """Over JSON a setter's reply has an id of more than 255 characters cut to so many."""
    idents(s, lambda i, _: i[:255] if isinstance(i, str) and ".set_" in s.method else i)


@fault("WIRE-JSON-ID-ECHO", "network", MEDIUM)
def ids_are_in_lower_case(s: Server) -> None:
    """Over JSON a text id comes back in lower case."""
    idents(s, lambda i, _: i.lower() if isinstance(i, str) else i)


@fault("WIRE-JSON-ID-ECHO", "network", HARD)
def ids_beyond_64_bits_are_rounded(s: Server) -> None:
    """Over JSON-RPC 2.0 an integer id outside the signed 64 bits comes back as a double would hold it."""
    idents(s, lambda i, _: int(float(i)) if isinstance(i, int) and not -(2**63) <= i < 2**63 else i, JSON2)


@fault("WIRE-JSON-ID-ECHO", "VBD", MEDIUM)
def unknown_method_has_no_id(s: Server) -> None:
    """Over JSON-RPC 1.0 the reply to an unknown method has the id null."""
    idents(s, lambda i, failed: None if failed and s.state.plans.get(s.method) is None else i, JSON1)


@fault("WIRE-JSON-ID-ECHO", "network", HARD)
def ids_in_void_replies_are_unescaped_once_more(s: Server) -> None:
    """Over JSON-RPC 1.0 a reply without a result has backslash escapes in a text id undone a second time."""
    idents(s, lambda i, _: re.sub(r"\\(.)", r"\1", i) if isinstance(i, str) and is_void(s) else i, JSON1)


# --------------------------------------------------------------------------------------------------------------- void


def is_void(s: Server) -> bool:
    """Whether the message in hand returns nothing."""
    message = s.api.message(s.method)
    return message is not None and isinstance(message.result, Void)


def voids(s: Server, value: Any, names: str, *formats: Format) -> None:
    """Give another result in JSON for the messages that return nothing and whose names fit a pattern."""
    json_replies(s, lambda reply: reply | {"result": value} if reply.get("result") == "" and is_void(s)
                 and re.fullmatch(names, s.method) else reply, *formats)  # fmt: skip


@fault("WIRE-VOID", "SR", MEDIUM)
def removals_return_null(s: Server) -> None:
    """Over JSON-RPC 2.0 a removal from an SR's set or map returns null."""
    voids(s, None, r"SR\.remove_.*", JSON2)


@fault("WIRE-VOID", "VLAN", MEDIUM)
def destroy_returns_true(s: Server) -> None:
    """Over JSON a VLAN's destroy returns true."""
    voids(s, True, r"VLAN\.destroy")


@fault("WIRE-VOID", "VM", HARD)
def power_messages_return_ok(s: Server) -> None:
    """Over JSON-RPC 1.0 pausing and unpausing a VM return the text OK."""
    voids(s, "OK", r"VM\.(un)?pause", JSON1)


@fault("WIRE-VOID", "VMSS", MEDIUM)
def setters_return_nil_over_xml(s: Server) -> None:
    """Over XML-RPC a VMSS's setter of a map returns nil."""
    nil = b"<name>Value</name><value><nil/></value>"
    bodies(s, lambda body: body.replace(b"<name>Value</name><value></value>", nil)
           if s.method == "VMSS.set_schedule" else body, XML)  # fmt: skip
