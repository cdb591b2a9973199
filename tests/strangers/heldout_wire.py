"""Held-out defects of envelopes and documents."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

from strangers.base import around, defect
from strangers.plain_server import Plain
from strangers.values import NULL, Malformed, Refusal
from xenconform.models import types as t

# ----------------------------------------------------------------------------------------------------------- envelopes


def json_replies(s: Plain, change: Any) -> None:
    """Change a JSON reply: `change(reply, fmt)`, before it is written."""
    around(s, "json_success", lambda old, fmt, result, ident: change(old(fmt, result, ident), fmt))
    around(s, "json_failure", lambda old, fmt, said, ident: change(old(fmt, said, ident), fmt))


@defect("WIRE-JSON-ID-ECHO")
def id_zero_of_an_error_lost(s: Plain) -> None:
    """The id 0 comes back as null with an error."""
    around(s, "json_failure", lambda old, fmt, said, ident: old(fmt, said, ident or None))


@defect("WIRE-JSON-ID-ECHO")
def digits_of_an_id_are_a_number(s: Plain) -> None:
    """An id that is a text of digits comes back as a number over JSON-RPC 1.0."""
    json_replies(s, lambda reply, fmt: {**reply, "id": int(reply["id"])} if (
        fmt == "json1" and isinstance(reply["id"], str) and reply["id"].isdecimal()) else reply)  # fmt: skip


@defect("WIRE-JSON-ID-ECHO")
def negative_id_without_its_sign(s: Plain) -> None:
    """A negative id comes back without its sign."""
    json_replies(s, lambda reply, _fmt: {**reply, "id": abs(reply["id"])} if isinstance(reply["id"], int) else reply)


@defect("WIRE-JSON-ID-ECHO")
def long_id_cut(s: Plain) -> None:
    """An id that is a text is cut after 64 characters."""
    json_replies(s, lambda reply, _fmt: {**reply, "id": reply["id"][:64]} if isinstance(reply["id"], str) else reply)


@defect("WIRE-JSON1-ENVELOPE")
def counts_in_errors_are_numbers(s: Plain) -> None:
    """The parameters of an error that are digits leave as numbers over JSON-RPC 1.0."""
    around(s, "json_failure", lambda old, fmt, said, ident: old(fmt, [
        int(each) if fmt == "json1" and re.fullmatch("-?[0-9]+", each) else each for each in said], ident))  # fmt: skip


@defect("WIRE-JSON2-ENVELOPE")
def error_code_as_text(s: Plain) -> None:
    """The code of an error is the text 1."""
    json_replies(s, lambda reply, fmt: {**reply, "error": {**reply["error"], "code": "1"}} if (
        fmt == "json2" and "error" in reply) else reply)  # fmt: skip


@defect("WIRE-XML-ENVELOPE")
def duplicate_key_has_a_value(s: Plain) -> None:
    """A reply of MAP_DUPLICATE_KEY has both a Value and an ErrorDescription."""

    def failure(old: Any, said: list[str]) -> str:
        text: str = old(said)
        value = "<member><name>Value</name><value></value></member></struct>"
        return text.replace("</struct>", value) if said[0] == "MAP_DUPLICATE_KEY" else text

    around(s, "xml_failure", failure)


@defect("WIRE-XML-ENVELOPE")
def unknown_method_is_a_fault(s: Plain) -> None:
    """An unknown method is answered with an XML-RPC fault."""

    def answer(old: Any, body: bytes) -> Any:
        text = old(body)
        if "MESSAGE_METHOD_UNKNOWN" not in text:
            return text
        members = [("faultCode", "<value><int>1</int></value>"), ("faultString", "<value>unknown method</value>")]
        return f"<?xml version='1.0'?><methodResponse><fault>{s.struct(members)}</fault></methodResponse>"

    around(s, "answer_xml", answer)


@defect("WIRE-JSON-VERSION")
def version_as_a_number(s: Plain) -> None:
    """The number 2.0 is taken for the version "2.0"."""
    around(s, "answer_json", lambda old, body: old(re.sub(rb'"jsonrpc"\s*:\s*2\.0', b'"jsonrpc": "2.0"', body)))


@defect("WIRE-MALFORMED")
def trailing_commas_taken(s: Plain) -> None:
    """JSON with a comma after the last member is taken."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            return old(body)
        except Malformed:
            return old(re.sub(rb",\s*([\]}])", rb"\1", body))

    around(s, "answer_json", answer)


@defect("WIRE-MALFORMED WIRE-TYPE", cls="VM")
def any_digit_is_a_boolean(s: Plain) -> None:
    """A <boolean> of another digit than 0 and 1 is true."""
    around(s, "answer_xml", lambda old, body: old(re.sub(rb"<boolean>[2-9]</boolean>", b"<boolean>1</boolean>", body)))


@defect("WIRE-VOID", cls="VIF")
def explicit_setter_returns_the_value(s: Plain) -> None:
    """VIF.set_locking_mode returns the new mode."""
    around(s, "run", lambda old, message, args: (old(message, args), args[-1])[1] if (
        message.full_name == "VIF.set_locking_mode") else old(message, args))  # fmt: skip
    around(s, "call", lambda old, fmt, method, raw: (t.Str(), old(fmt, method, raw)[1]) if (
        method == "VIF.set_locking_mode") else old(fmt, method, raw))  # fmt: skip


@defect("WIRE-VOID", cls="secret")
def destroy_returns_true(s: Plain) -> None:
    """secret.destroy returns true over JSON."""
    around(s, "call", lambda old, fmt, method, raw: (old(fmt, method, raw), (t.Bool(), True))[1] if (
        method == "secret.destroy" and fmt != "xml") else old(fmt, method, raw))  # fmt: skip


@defect("WIRE-METHOD-UNKNOWN")
def methods_in_any_case(s: Plain) -> None:
    """Names of methods are taken in any case."""
    names = {
        name.lower(): name for of in s.api.classes.values() for name in (m.full_name for m in of.messages.values())
    }
    around(s, "find", lambda old, method: old(method) or old(names.get(method.lower(), "")))


@defect("WIRE-ARITY", cls="VBD")
def create_ignores_surplus(s: Plain) -> None:
    """Constructors that take a record ignore what comes after it, over JSON-RPC 1.0."""

    def check(old: Any, message: Any, raw: Any, any_at_all: bool) -> None:
        surplus = s.fmt == "json1" and message.implicit and message.name == "create"
        old(message, raw[:1] if surplus else raw, any_at_all)

    around(s, "check_arity", check)


@defect("ROBUST-NO-EFFECT WIRE-ARITY")
def surplus_refused_too_late(s: Plain) -> None:
    """A setter with a parameter too many writes, and is refused."""

    def check(old: Any, message: Any, raw: Any, any_at_all: bool) -> None:
        if message.verb == "set" and len(raw) == len(message.params) + 1:
            s.run(message, [s.read(p.type, r) for p, r in zip(message.params, raw, strict=False)])
        old(message, raw, any_at_all)

    around(s, "check_arity", check)


@defect("WIRE-SESSION-SHARED")
def sessions_of_xml_unknown_over_json1(s: Plain) -> None:
    """A session that was opened over XML-RPC does not serve over JSON-RPC 1.0."""
    of_xml: set[str] = set()

    def login(old: Any, raw: Any) -> Any:
        ref = old(raw)
        of_xml.update({ref} if s.fmt == "xml" else ())
        return ref

    def check(old: Any, session: Any) -> None:
        old(session)
        if s.fmt == "json1" and session in of_xml:
            raise Refusal("SESSION_INVALID", session)

    around(s, "login", login)
    around(s, "check_session", check)


@defect("WIRE-AGREE", cls="VM")
def null_refs_are_empty_over_json1(s: Plain) -> None:
    """The null reference leaves as the empty text over JSON-RPC 1.0."""

    def success(old: Any, fmt: str, result: Any, ident: Any) -> Any:
        if fmt == "json1":
            result = json.loads(json.dumps(result).replace(f'"{NULL}"', '""'))
        return old(fmt, result, ident)

    around(s, "json_success", success)


@defect("WIRE-BOOL GET-ALL-AGREES", cls="VBD")
def bools_listed_as_numbers(s: Plain) -> None:
    """The bools of the records in get_all_records leave as 0 and 1 over JSON-RPC 1.0."""
    asked = threading.local()

    def perform(old: Any, fmt: str, method: str, params: Any) -> Any:
        asked.of = (fmt, method.rpartition(".")[2])
        return old(fmt, method, params)

    def leave(old: Any, of: Any, value: Any) -> Any:
        return int(value) if of == t.Bool() and asked.of == ("json1", "get_all_records") else old(of, value)

    around(s, "perform", perform)
    around(s, "json", leave)
