"""Held-out defects of what a server does with broken or hostile input."""

from __future__ import annotations

import json
import re
import threading
import time
import traceback
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree as ET

from strangers.base import around, defect
from strangers.plain_server import Handler, Plain


def handled_by(s: Plain, handler: type[Handler]) -> None:
    """Let another handler serve the connections."""

    def serve(old: Any) -> None:
        old()
        s.http.RequestHandlerClass = handler

    around(s, "serve", serve)


@defect("WIRE-XML-CONTENT-TYPE")
def failures_over_xml_are_html(s: Plain) -> None:
    """A failure over XML-RPC names text/html as its content type."""

    class Own(Handler):
        def reply(self, status: int, kind: str, body: bytes) -> None:
            super().reply(status, "text/html" if b"ErrorDescription" in body and kind == "text/xml" else kind, body)

    handled_by(s, Own)


@defect("ROBUST-HTTP")
def length_counts_before_chunks(s: Plain) -> None:
    """A request with a length and chunks is read by its length, and what is left counts as the next request."""

    class Own(Handler):
        def do_POST(self) -> None:  # noqa: N802 - the base class's name
            self.both = {"Content-Length", "Transfer-Encoding"} <= set(self.headers)
            if self.both:
                del self.headers["Transfer-Encoding"]
            super().do_POST()

        def refuse(self) -> None:
            if self.both:
                self.reply(500, "text/html", b"<html>no</html>")
            else:
                super().refuse()

    handled_by(s, Own)


@defect("ROBUST-HTTP")
def first_of_two_lengths_counts(s: Plain) -> None:
    """Of two different lengths the first counts, and what is left is the next request."""

    class Own(Handler):
        def do_POST(self) -> None:  # noqa: N802 - the base class's name
            lengths = self.headers.get_all("Content-Length", [])
            del self.headers["Content-Length"]
            if lengths:
                self.headers["Content-Length"] = lengths[0]
            super().do_POST()

    handled_by(s, Own)


@defect("ROBUST-HTTP")
def one_slow_sender_holds_all(s: Plain) -> None:
    """While the body of one request is on its way, no other is answered."""
    lock = threading.Lock()

    class Body:
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def __getattr__(self, name: str) -> Any:
            return getattr(self.stream, name)

        def read(self, size: int) -> Any:
            with lock:
                return self.stream.read(size)

    class Own(Handler):
        def setup(self) -> None:
            super().setup()
            self.rfile: Any = Body(self.rfile)

    handled_by(s, Own)


@defect("ROBUST-NO-LEAK")
def malformed_shows_the_stack(s: Plain) -> None:
    """Malformed JSON is answered with a page that shows the stack."""

    class Own(Handler):
        def refuse(self) -> None:
            self.close_connection = True
            stack = "".join(traceback.format_stack())
            self.reply(500, "text/html", f"<html><pre>{stack}</pre></html>".encode())

    handled_by(s, Own)


@defect("ROBUST-ALIVE")
def broken_bytes_slow_the_next(s: Plain) -> None:
    """The call after a document that is no UTF-8 takes some seconds."""
    bad = [0]

    def answer(old: Any, body: bytes) -> Any:
        wait, bad[0] = bad[0], 0
        time.sleep(4.0 * wait)
        try:
            body.decode()
        except UnicodeError:
            bad[0] = 1
        return old(body)

    around(s, "answer_xml", answer)
    around(s, "answer_json", answer)


@defect("ROBUST-BATCH")
def first_of_a_batch_carried_out(s: Plain) -> None:
    """Of an array of calls the first is carried out and answered alone."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            calls = json.loads(body)
        except ValueError:
            return old(body)
        return old(json.dumps(calls[0]).encode() if isinstance(calls, list) and calls else body)

    around(s, "answer_json", answer)


@defect("ROBUST-UNICODE")
def lone_surrogates_replaced(s: Plain) -> None:
    """A lone surrogate in JSON becomes U+FFFD."""
    around(s, "text", lambda old, raw: old(re.sub("[\ud800-\udfff]", "\ufffd", raw)))


@defect("ROBUST-UNICODE")
def broken_bytes_dropped(s: Plain) -> None:
    """Bytes in JSON that are no UTF-8 are dropped."""
    around(s, "answer_json", lambda old, body: old(body.decode(errors="ignore").encode()))


@defect("ROBUST-UNICODE")
def broken_bytes_replaced_over_xml(s: Plain) -> None:
    """Bytes in XML that are no UTF-8 become U+FFFD."""
    around(s, "answer_xml", lambda old, body: old(body.decode(errors="replace").encode()))


@defect("ROBUST-DEPTH-SIZE")
def time_grows_with_depth(s: Plain) -> None:
    """The time that an answer takes grows with the square of the depth of a document."""

    def answer(old: Any, body: bytes) -> Any:
        deep = max(body.count(b"["), body.count(b"<array>")) / 1000
        time.sleep(min(deep * deep, 20.0) if deep > 1 else 0.0)
        return old(body)

    around(s, "answer_json", answer)
    around(s, "answer_xml", answer)


@defect("ROBUST-XML-ENTITIES")
def internal_entities_expanded(s: Plain) -> None:
    """Entities that a document itself defines are expanded."""

    def answer(old: Any, body: bytes) -> Any:
        with suppress(ET.ParseError):
            if b"<!DOCTYPE" in body and b"SYSTEM" not in body:
                body = ET.tostring(ET.fromstring(body))
        return old(body)

    around(s, "answer_xml", answer)


@defect("ROBUST-AUTH", also="SESSION-REQUIRED")
def underscore_needs_no_session(s: Plain) -> None:
    """A method whose name is written network_get_all takes any session."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if "." in method or "_" not in method:
            return old(fmt, method, raw)
        valid = next(iter(s.objects["session"]), "")
        return old(fmt, method.replace("_", ".", 1), [valid, *raw[1:]])

    around(s, "call", call)


@defect("ROBUST-AUTH SESSION-REQUIRED")
def session_in_any_case(s: Plain) -> None:
    """A session is taken whatever the case of its letters, and whatever the space around it."""

    def check(old: Any, session: Any) -> None:
        known = {each.lower() for each in s.objects["session"]}
        if not isinstance(session, str) or session.strip().lower() not in known:
            old(session)

    around(s, "check_session", check)
