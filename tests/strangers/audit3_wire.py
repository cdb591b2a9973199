"""Defects of levels 1 and 5, and of sessions, that a third audit thought of: a place or spelling that nobody asked."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from strangers.audit_wire import json_calls, json_replies
from strangers.base import after, around, defect
from strangers.plain_server import Handler, Plain
from strangers.roles import USERS
from strangers.unseen_wire import handled
from strangers.values import Refusal
from xenconform.models import types as t

JVM = "java.lang.NullPointerException\n\tat org.poold.Tasks.run(Unknown Source)"
ERL = '{badmatch,[{poold_token,parse,1,[{file,"src/poold_token.erl"},{line,31}]}]}'
WHERE = ".get_all_records_where"


# ------------------------------------------------------------------------------------------------------- the envelopes


@defect("WIRE-JSON-ID-ECHO", cls="event")
def long_polls_forget_the_id_of_failures(s: Plain) -> None:
    """A failure of event.from has the id null."""
    json_replies(s, lambda reply, method: reply | {"id": None} if (
        method == "event.from" and reply.get("error") is not None) else reply)  # fmt: skip


@defect("WIRE-JSON-ID-ECHO", cls="network")
def ids_like_instants_are_rewritten(s: Plain) -> None:
    """The JSON reader takes texts that look like instants for such, ids too, and writes them as it writes instants."""

    def rewritten(reply: Any, _method: str) -> Any:
        ident = reply.get("id")
        if isinstance(ident, str) and re.match(r"\d{4}-\d\d-\d\dT", ident):
            with suppress(ValueError):
                return reply | {"id": datetime.fromisoformat(ident).astimezone(UTC).isoformat()}
        return reply

    json_replies(s, rewritten)


@defect("WIRE-JSON-VERSION", also="WIRE-JSON2-ENVELOPE WIRE-AGREE WIRE-SESSION-SHARED", cls="network")
def sessions_keep_the_version_of_their_login(s: Plain) -> None:
    """A session that JSON-RPC 1.0 opened is answered in 1.0, whatever its calls say."""
    old_ones: set[str] = set()

    def login(old: Any, raw: Any) -> str:
        ref = str(old(raw))
        if s.fmt == "json1":
            old_ones.add(ref)
        return ref

    around(s, "login", login)

    def answer(old: Any, body: bytes) -> str:
        with suppress(ValueError, RecursionError, AttributeError, KeyError):
            call = json.loads(body)
            if call["params"] and call["params"][0] in old_ones:
                call.pop("jsonrpc", None)
                return str(old(json.dumps(call).encode()))
        return str(old(body))

    around(s, "answer_json", answer)


@defect("WIRE-JSON-NO-NOTIFICATION", cls="network")
def members_are_found_in_any_case(s: Plain) -> None:
    """The decoder of JSON finds members whatever their case, as that of Go does: "ID" is the id."""

    def read(call: Any, _method: str) -> Any:
        lower: dict[str, Any] = {}
        for name, value in call.items():
            lower[name.lower()] = value
        return lower

    json_calls(s, read)


# -------------------------------------------------------------------------------------------------- values in replies


@defect("WIRE-VOID", cls="event")
def registering_is_null(s: Plain) -> None:
    """event.register and event.unregister return null over JSON."""
    json_replies(s, lambda reply, method: reply | {"result": None} if (
        method in {"event.register", "event.unregister"} and reply.get("result") == "") else reply)  # fmt: skip


@defect("WIRE-INT-JSON", cls="VM")
def queried_ints_are_texts(s: Plain) -> None:
    """get_all_records_where writes ints over JSON as decimal texts; all else writes numbers."""

    def call(old: Any, fmt: str, method: str, raw: Any) -> Any:
        s.where_now = method.endswith(WHERE)  # type: ignore[attr-defined]
        return old(fmt, method, raw)

    around(s, "call", call)
    around(
        s,
        "json",
        lambda old, of, value: (
            str(value) if isinstance(of, t.Int) and getattr(s, "where_now", False) else old(of, value)
        ),
    )


@defect("WIRE-DATETIME", also="SET-VALUE CREATE-FIELDS STATE-MODEL", cls="VMSS")
def the_hour_that_comes_twice_is_the_first(s: Plain) -> None:
    """Instants are kept as local times of Central Europe: of the hour that comes twice it is the first."""

    def date(old: Any, raw: Any) -> Any:
        at = old(raw)
        last = max(
            datetime(at.year, 10, d, 1, tzinfo=UTC)
            for d in range(25, 32)
            if datetime(at.year, 10, d, tzinfo=UTC).weekday() == 6
        )
        return at - timedelta(hours=1) if last <= at < last + timedelta(hours=1) else at

    around(s, "date", date)


# ------------------------------------------------------------------------------------------------- calls and parameters


@defect("WIRE-METHOD-UNKNOWN", also="ROBUST-AUTH", cls="VDI")
def methods_are_found_in_any_style(s: Plain) -> None:
    """VDI.getUuid is VDI.get_uuid: names are folded to the style of the language."""

    def find(old: Any, method: str) -> Any:
        cls, dot, name = method.partition(".")
        return old(f"{cls}{dot}{re.sub('(?<=[a-z])([A-Z])', lambda f: '_' + f[1].lower(), name)}")

    around(s, "find", find)


@defect("WIRE-METHOD-UNKNOWN", cls="VDI")
def every_object_has_a_constructor(s: Plain) -> None:
    """Handlers are members of plain objects of a script: VDI.constructor and VDI.toString are found, and return."""

    def call(old: Any, fmt: str, method: str, raw: Any) -> Any:
        cls, _, name = method.partition(".")
        if cls in s.api.classes and name in {"constructor", "toString", "hasOwnProperty", "valueOf"}:
            return t.Str(), "[object Object]"
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("WIRE-ARITY", cls="event")
def event_from_has_defaults(s: Plain) -> None:
    """event.from may be called without its timeout, and without its token."""

    def filled(raw: Any) -> Any:
        return [*raw, *["", 0.0][len(raw) - 2 :]] if 2 <= len(raw) < 4 else raw

    def call(old: Any, fmt: str, method: str, raw: Any) -> Any:
        return old(fmt, method, filled(raw) if method == "event.from" else raw)

    around(s, "call", call)


@defect("WIRE-TYPE", cls="event")
def a_class_is_a_set_of_classes(s: Plain) -> None:
    """event.from takes a text for its classes, and a number of text for its timeout."""

    def call(old: Any, fmt: str, method: str, raw: Any) -> Any:
        if method == "event.from" and len(raw) == 4 and isinstance(raw[1], str):
            raw = [raw[0], [raw[1]], *raw[2:]]
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("WIRE-TYPE", also="WIRE-ENUM CREATE-BAD", cls="VM")
def enums_are_integers_too(s: Plain) -> None:
    """A JSON integer in an enum's place is the number of its name."""

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        if isinstance(of, t.Enum) and type(raw) is int and 0 <= raw < len(of.values):
            return of.values[raw]
        return old(of, raw)

    around(s, "read", read)


@defect("WIRE-TYPE", also="CREATE-BAD", cls="network")
def base64_is_text(s: Plain) -> None:
    """What arrives as base64 over XML-RPC is taken for the text of its bytes."""

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        return old(of, raw.decode("latin-1") if isinstance(raw, bytes) else raw)

    around(s, "read", read)


@defect("WIRE-MALFORMED", cls="network")
def parameters_are_found_anywhere(s: Plain) -> None:
    """Parameters are looked for by their tag, wherever they stand: <params> may be missing."""

    def answer(old: Any, body: bytes) -> str:
        if b"<params>" not in body and b"<param>" in body:
            body = body.replace(b"<param>", b"<params><param>", 1).replace(b"</methodCall>", b"</params></methodCall>")
        return str(old(body))

    around(s, "answer_xml", answer)


# ------------------------------------------------------------------------------------------------------------- sessions


@defect("SESSION-REQUIRED", cls="network")
def queries_need_no_session(s: Plain) -> None:
    """get_all_records_where looks at no session."""

    def call(old: Any, fmt: str, method: str, raw: Any) -> Any:
        if method.endswith(WHERE) and len(raw) == 2:
            raw = [next(iter(s.objects["session"]), ""), raw[1]]
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("SESSION-LOGOUT", cls="network")
def queries_serve_the_dead(s: Plain) -> None:
    """get_all_records_where serves sessions that have ended."""
    known: set[str] = set()
    after(s, "check_session", known.add)

    def call(old: Any, fmt: str, method: str, raw: Any) -> Any:
        if method.endswith(WHERE) and len(raw) == 2 and isinstance(raw[0], str) and raw[0] in known:
            raw = [next(iter(s.objects["session"]), ""), raw[1]]
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("SESSION-LOGIN", also="SESSION-REQUIRED ROBUST-AUTH", cls="network")
def emergency_logins_take_any_password(s: Plain) -> None:
    """session.slave_local_login_with_password looks at the user alone."""

    def call(old: Any, fmt: str, method: str, raw: Any) -> Any:
        if method == "session.slave_local_login_with_password" and len(raw) == 2 and raw[0] in USERS:
            with s.lock:
                return t.RefTo("session"), s.login([raw[0], USERS[raw[0]][0]])
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("SESSION-LOGOUT", cls="network")
def registered_sessions_live_on(s: Plain) -> None:
    """event.next looks for a session among those that have registered, not among those that live."""

    def call(old: Any, fmt: str, method: str, raw: Any) -> Any:
        if method == "event.next" and len(raw) == 1 and raw[0] in s.registered and raw[0] not in s.objects["session"]:
            return s.api.message("event.next").result, []  # type: ignore[union-attr]
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("RBAC", cls="network")
def the_first_call_of_a_session_is_free(s: Plain) -> None:
    """The rights of a session are loaded by its first call, behind the look at them."""
    seen: set[str] = set()

    def check(old: Any, message: Any) -> None:
        if s.session in seen:
            old(message)
        seen.add(s.session)

    around(s, "check_role", check)


# ------------------------------------------------------------------------------------------------------------ hostile


@defect("ROBUST-NO-LEAK", cls="network")
def headers_show_the_place(s: Plain) -> None:
    """A refused document is answered with a header that names the place of the exception."""

    class Head(Handler):
        def reply(self, status: int, kind: str, body: bytes) -> None:
            self.failing = status >= 400
            super().reply(status, kind, body)

        def end_headers(self) -> None:
            if getattr(self, "failing", False):
                self.send_header("X-Exception", "ParseError at /srv/poold/wire.py:118")
            super().end_headers()

    handled(s, Head)


@defect("ROBUST-NO-LEAK", cls="VDI")
def tasks_keep_the_trace(s: Plain) -> None:
    """The error of a failed task ends with the stack of the exception."""
    around(s, "error_info", lambda old, no: [*old(no), JVM])


@defect("ROBUST-NO-LEAK", cls="event")
def bad_tokens_show_the_term(s: Plain) -> None:
    """A token that is none is refused with the term of the crash."""

    def number(old: Any, token: str) -> int:
        try:
            return int(old(token))
        except Refusal:
            raise Refusal("EVENT_FROM_TOKEN_PARSE_FAILURE", ERL) from None

    around(s, "number_of", number)


@defect("ROBUST-HTTP", cls="network")
def other_media_are_turned_down_unread(s: Plain) -> None:
    """A request of another media type is a 415 on a connection that lives on; its body is the next request."""

    class Media(Handler):
        def do_POST(self) -> None:  # noqa: N802 - http.server's name
            kind = self.headers.get("Content-Type", "").partition(";")[0]
            if kind in {"application/octet-stream", "image/png"}:
                return self.reply(415, "text/html", b"no")
            return super().do_POST()

    handled(s, Media)


@defect("ROBUST-XML-ENTITIES", cls="network")
def types_are_looked_for_at_the_start(s: Plain) -> None:
    """Document types are looked for in the first thousand bytes; those behind are declared and expanded."""

    def answer(old: Any, body: bytes) -> str:
        at = body.find(b"<!DOCTYPE")
        if at > 1000:
            end = body.find(b"]>", at)
            inner = body[at:end]
            body = body[:at] + body[end + 2 :]
            for name, value in re.findall(rb'<!ENTITY (\w+) "([^"]*)">', inner):
                body = body.replace(b"&" + name + b";", value)
        return str(old(body))

    around(s, "answer_xml", answer)


@defect("ROBUST-DEPTH-SIZE", also="ROBUST-ALIVE", cls="network")
def exponents_are_written_out(s: Plain) -> None:
    """A number with an exponent is made an integer of as many digits: a large one takes its time."""

    def answer(old: Any, body: bytes) -> str:
        if re.search(rb"[0-9][eE]\+?[0-9]{7,}", body):
            with s.lock:
                time.sleep(40)
        return str(old(body))

    around(s, "answer_json", answer)
