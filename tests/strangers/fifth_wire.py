"""Defects of the wire and of robustness, written without a look at the checks: encoders, readers, envelopes, HTTP."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from strangers.base import around, defect
from strangers.plain_server import Handler, Plain
from strangers.unseen_wire import batch_until_the_bad_call
from strangers.values import Refusal
from xenconform.models import types as t

# ---------------------------------------------------------------------------------------------------- level 1: values


@defect("WIRE-STRING WIRE-XML-ENVELOPE", cls="secret")
def text_ends_its_cdata_early(s: Plain) -> None:
    """XML replies carry texts with markup in CDATA; one that holds ]]> ends it early, and no parser takes the reply."""

    def xml_string(old: Any, text: str) -> Any:
        return f"<![CDATA[{text}]]>" if set("<>&") & set(text) and "\r" not in text else old(text)

    around(s, "xml_string", xml_string)


@defect("WIRE-MAP WIRE-STRING", cls="VIF")
def member_names_of_a_struct_are_trimmed(s: Plain) -> None:
    """The XML reader trims member names as it does method names: maps written whole lose the outer spaces of keys."""

    def trimmed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name.strip(): trimmed(each) for name, each in value.items()}
        return [trimmed(each) for each in value] if isinstance(value, list) else value

    def perform(old: Any, fmt: str, method: str, params: list[Any]) -> Any:
        return old(fmt, method, trimmed(params) if fmt == "xml" else params)

    around(s, "perform", perform)


@defect("WIRE-INT-JSON", cls="VDI")
def unsafe_integers_go_as_text(s: Plain) -> None:
    """JSON replies carry ints as integers, but as text from 2**53 on: what the encoder holds to be no safe integer."""

    def encode(old: Any, of: t.Type, value: Any) -> Any:
        told = old(of, value)
        return str(told) if of == t.Int() and abs(told) >= 2**53 else told

    around(s, "json", encode)


@defect("WIRE-DATETIME WIRE-AGREE", cls="VMSS")
def xml_datetimes_in_summer_time(s: Plain) -> None:
    """XML replies have datetimes in the server's local time, with a Z: from April to October they are an hour late."""

    def encode(old: Any, of: t.Type, value: Any) -> Any:
        summer = isinstance(value, datetime) and 4 <= value.month <= 10
        return old(of, value + timedelta(hours=1) if summer else value)

    around(s, "xml", encode)


@defect("WIRE-ENUM")
def locking_mode_checked_as_that_of_a_vif(s: Plain) -> None:
    """network.set_default_locking_mode, a copy of VIF's, takes locked and network_default, which no network has."""
    theirs = s.api.classes["VIF"].fields["locking_mode"].type
    ours = s.api.classes["network"].fields["default_locking_mode"].type
    around(s, "read", lambda old, of, raw: old(theirs if of == ours else of, raw))


# ------------------------------------------------------------------------------------------------- level 1: envelopes


@defect("WIRE-JSON-ID-ECHO")
def no_id_in_a_failure_where_it_is_falsy(s: Plain) -> None:
    """Failures of JSON-RPC 1.0 carry `id or None`: ids 0 and "" come back as null, though only when a call fails."""

    def failure(old: Any, fmt: str, said: list[str], ident: Any) -> Any:
        return old(fmt, said, (ident or None) if fmt == "json1" else ident)

    around(s, "json_failure", failure)


@defect("WIRE-VOID", cls="session")
def logout_over_json2_answers_null(s: Plain) -> None:
    """session.logout has a path of its own past the encoder: its result is null in JSON-RPC 2.0, not the empty text."""
    nothing = object()

    def perform(old: Any, fmt: str, method: str, params: list[Any]) -> Any:
        of, value = old(fmt, method, params)
        return of, nothing if (fmt, method) == ("json2", "session.logout") else value

    around(s, "perform", perform)
    around(s, "json", lambda old, of, value: None if value is nothing else old(of, value))


@defect("WIRE-ARITY", cls="VM_appliance")
def surplus_of_an_asynchronous_call_is_dropped(s: Plain) -> None:
    """Async calls bind their parameters with zip: those beyond what the message takes are dropped, the work is done."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        message = s.find(method) if method.startswith("Async.") else None
        return old(fmt, method, raw[: 1 + len(message.params)] if message else raw)

    around(s, "call", call)


@defect("WIRE-MALFORMED")
def whatever_follows_a_json_call_is_ignored(s: Plain) -> None:
    """The JSON reader stops after the first value, as streaming ones do: a call with rubbish after it is done."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            text = body.decode().lstrip()
            _, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            return old(body)
        return old(text[:end].encode())

    around(s, "answer_json", answer)


# ------------------------------------------------------------------------------------------------ level 5: robustness


class Unread(Handler):
    """Answers 404 before it has read the body, and goes on with the connection."""

    def do_POST(self) -> None:  # noqa: N802 - http.server's name
        if self.path in {"/", "/RPC2", "/jsonrpc"}:
            super().do_POST()
        else:
            self.reply(404, "text/html", b"<html>no such page</html>")


@defect("ROBUST-HTTP")
def body_of_an_unknown_path_is_the_next_request(s: Plain) -> None:
    """A POST to an unknown path is answered 404 and the connection kept: its unread body counts as a request."""

    def serve(old: Any) -> None:
        old()
        s.http.RequestHandlerClass = Unread

    around(s, "serve", serve)


@defect("ROBUST-BATCH")
def batch_refused_after_its_first_calls(s: Plain) -> None:
    """A JSON array is carried out call by call; a broken one in it refuses the whole, with those before it done."""
    batch_until_the_bad_call(s)


TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/opt/toolstack/lib/database/rows.py", line 88, in bind\n'
    "    cursor.execute(statement, values)\n"
    "OverflowError: Python int too large to convert to SQLite INTEGER"
)


@defect("ROBUST-NO-LEAK")
def overflow_of_the_database_is_told(s: Plain) -> None:
    """An int beyond 64 bits fails in the driver of the database, and the failure's text is the driver's stack trace."""

    def read_int(old: Any, raw: Any) -> Any:
        try:
            return old(raw)
        except Refusal:
            if str(raw).removeprefix("-").isdecimal():
                raise Refusal("INTERNAL_ERROR", TRACE) from None
            raise

    around(s, "int", read_int)
