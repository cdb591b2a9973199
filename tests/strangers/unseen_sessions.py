"""Defects of sessions, tasks, calls and hostile input that were written without a look at the checks."""

from __future__ import annotations

import math
import threading
import time
from html import escape
from itertools import takewhile
from typing import Any

from strangers.base import around, defect
from strangers.plain_server import Handler, Plain
from strangers.roles import USERS
from strangers.unseen_wire import handled
from strangers.values import NULL, Malformed, Refusal
from xenconform.models import types as t

TICK = 0.1

# ------------------------------------------------------------------------------------------------- sessions and tasks


@defect("SESSION-LOGOUT")
def logout_ends_the_later_sessions(s: Plain) -> None:
    """A logout cuts the list of sessions where it finds its own: those that were opened after it end as well."""

    def logout(old: Any, session: Any) -> None:
        known = list(s.objects["session"])
        old(session)
        for later in known[known.index(session) + 1 :]:
            del s.objects["session"][later]

    around(s, "logout", logout)


@defect("SESSION-LOGIN ROBUST-AUTH WIRE-TYPE")
def lists_for_passwords(s: Plain) -> None:
    """An array or a struct for a password compares as equal to any: a comparison of texts that fails says zero."""

    def login(old: Any, raw: list[Any]) -> Any:
        if len(raw) >= 2 and isinstance(raw[0], str) and raw[0] in USERS and isinstance(raw[1], list | dict):
            raw = [raw[0], USERS[raw[0]][0], *raw[2:]]
        return old(raw)

    around(s, "login", login)


@defect("SESSION-REQUIRED ROBUST-AUTH")
def connections_once_known(s: Plain) -> None:
    """On a connection that has shown a good session, the null or the empty one stands for it while it lives."""
    connection = threading.local()

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        known = getattr(connection, "session", None)
        message = s.find(method)
        if message is None or not message.takes_session:
            return old(fmt, method, raw)
        if raw and raw[0] in ("", NULL, None) and known in s.objects["session"]:
            raw = [known, *raw[1:]]
        result = old(fmt, method, raw)
        connection.session = raw[0]
        return result

    around(s, "call", call)


@defect("RBAC")
def super_user_left_on(s: Plain) -> None:
    """A call that fails for a bad reference leaves its session with all rights, for the next call that needs them."""
    raised: set[str] = set()

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        with s.lock:
            try:
                return old(fmt, method, raw)
            except Refusal as no:
                if no.args[0] == "HANDLE_INVALID" and raw:
                    raised.add(raw[0])
                raise

    def check(old: Any, message: Any) -> None:
        if s.session in raised and not s.may(s.role_of(s.session), message):
            raised.discard(s.session)
            return
        old(message)

    around(s, "call", call)
    around(s, "check_role", check)


@defect("ASYNC-TASK", also="CONC-LINEARIZABLE STATE-MODEL")
def tasks_share_a_variable(s: Plain) -> None:
    """Tasks are ended by a ticker; those that one tick ends with success all get the result of the last of them."""

    def finish(old: Any) -> None:
        before = list(s.pending)
        old()
        tasks = s.objects["task"]
        ended = [tasks[ref] for ref in before if ref not in s.pending and ref in tasks]
        well = [task for task in ended if task["status"] == "success"]
        for task in well:
            task["result"] = well[-1]["result"]

    around(s, "due", lambda _old: math.ceil(time.monotonic() / TICK) * TICK)
    around(s, "finish_due", finish)


# ------------------------------------------------------------------------------------------------- calls and their sins


@defect("WIRE-TYPE ROBUST-NO-EFFECT")
def pairs_written_until_the_bad_one(s: Plain) -> None:
    """A setter of a map of texts empties it and puts each pair in as it is read: a bad one fails, too late."""
    like = t.MapOf(t.Str(), t.Str())

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        with s.lock:
            try:
                return old(fmt, method, raw)
            except Refusal as no:
                message = s.api.message(method)
                if no.args[0] != "FIELD_TYPE_ERROR" or message is None or message.verb != "set":
                    raise
                field = s.api.classes[message.cls].fields.get(message.field)
                obj = s.objects[message.cls].get(raw[1]) if isinstance(raw[1], str) else None
                if obj is not None and field is not None and field.type == like and isinstance(raw[2], dict):
                    obj[field.name] = dict(takewhile(lambda pair: isinstance(pair[1], str), raw[2].items()))
                    s.dirty = True
                raise

    around(s, "call", call)


@defect("WIRE-ARITY")
def values_left_out_are_empty(s: Plain) -> None:
    """Over JSON, an add_to_ without its value is taken as one of the empty text."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        message = s.api.message(method)
        short = fmt != "xml" and message is not None and message.verb == "add_to" and len(raw) == 3
        return old(fmt, method, [*raw, ""] if short else raw)

    around(s, "call", call)


@defect("ROBUST-ALIVE ROBUST-DEPTH-SIZE", also="ROBUST-HTTP")
def marks_take_square_time(s: Plain) -> None:
    """Each reference in an XML body moves the rest of it by some bytes: many take their square, and all others wait."""

    def answer(old: Any, body: bytes) -> Any:
        marks = body.count(b"&")
        if marks > 2_000:
            with s.lock:
                time.sleep(min((marks / 20_000) ** 2, 30.0))
        return old(body)

    around(s, "answer_xml", answer)


@defect("ROBUST-HTTP ROBUST-AUTH")
def bodies_of_get_left_unread(s: Plain) -> None:
    """A GET is answered with 404 and the connection lives on, its body unread: that is then taken as a request."""

    class Leaving(Handler):
        def do_GET(self) -> None:  # noqa: N802 - so http.server names it
            self.reply(404, "text/html", b"<html>no</html>")

    handled(s, Leaving)


@defect("ROBUST-NO-LEAK")
def rest_of_the_last_body(s: Plain) -> None:
    """All bodies are read into one buffer; the page that refuses one quotes what follows its end, of an earlier one."""
    buffer = bytearray()
    beyond = threading.local()

    def answer(old: Any, body: bytes) -> Any:
        buffer[: len(body)] = body
        try:
            return old(body)
        except Malformed:
            beyond.text = escape(buffer[len(body) : len(body) + 400].decode(errors="replace"))
            raise

    class Quoting(Handler):
        def reply(self, status: int, kind: str, body: bytes) -> None:
            text, beyond.text = getattr(beyond, "text", ""), ""
            page = f"<html>not understood, near '{text}'</html>".encode()
            super().reply(status, kind, page if text and status != 200 else body)

    around(s, "answer_xml", answer)
    around(s, "answer_json", answer)
    handled(s, Quoting)
