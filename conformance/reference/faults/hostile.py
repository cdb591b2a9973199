"""Faults of bearing up: what hostile input slows, gives away, gets through, or writes though it was refused."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import arrivals, calls, putting, replies, requests, sessions
from xenconform.conformance.reference.service import PATHS, HttpAnswer, page
from xenconform.conformance.reference.sessions import Session
from xenconform.conformance.reference.state import Refusal
from xenconform.models.calls import Call, Failure, Format, Success
from xenconform.models.world import Branch


def is_utf8(body: bytes) -> bool:
    """Whether bytes are UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


# ------------------------------------------------------------------------------------------------------- ROBUST-ALIVE


def lagging(s: Server, is_bad: Any, lag: int) -> None:
    """Answer so many calls late once something bad has come."""
    left = [0]

    async def wait(body: bytes) -> None:
        if is_bad(body):
            left[0] = lag
        elif left[0]:
            left[0] -= 1
            await asyncio.sleep(2.6)

    arrivals(s, wait)


@fault("ROBUST-ALIVE", "network", MEDIUM)
def broken_bytes_slow_what_follows(s: Server) -> None:
    """After a body that is no UTF-8 the next two calls wait for more than two seconds."""
    lagging(s, lambda body: b"a\xf4\x90\x80\x80b" in body, 2)


@fault("ROBUST-ALIVE", "network", HARD)
def unknown_entity_slows_what_follows(s: Server) -> None:
    """After an entity that is not defined the next two calls of any client wait for more than two seconds."""
    named = re.compile(rb"&(?!(?:lt|gt|amp|quot|apos);)[A-Za-z]+;")
    lagging(s, lambda body: b"<!ENTITY" not in body and body[:1] == b"<" and named.search(body) is not None, 2)


# --------------------------------------------------------------------------------------------------- ROBUST-NO-EFFECT


@fault("ROBUST-NO-EFFECT", "network", MEDIUM)
def unknown_path_is_run_and_denied(s: Server) -> None:
    """A call to a path that there is not is answered with 404, and carried out."""

    def begin(old: Any, path: str, kind: str, body: bytes, http_method: str = "POST") -> Any:
        if path in PATHS:
            return old(path, kind, body, http_method)
        old("/", kind, body, http_method)
        return page(404, "not an API path")

    around(s.service, "begin", begin)


@fault("ROBUST-NO-EFFECT", "network", HARD)
def utf16_is_refused_and_run(s: Server) -> None:
    """A call in UTF-16 is refused by an error page, and carried out."""

    def begin(old: Any, path: str, kind: str, body: bytes, http_method: str = "POST") -> Any:
        if body.startswith((b"\xff\xfe", b"\xfe\xff")):
            old(path, kind, body.decode("utf-16", "replace").encode(), http_method)
            return page(500, "not UTF-8")
        return old(path, kind, body, http_method)

    around(s.service, "begin", begin)


# ----------------------------------------------------------------------------------------------------- ROBUST-NO-LEAK


@fault("ROBUST-NO-LEAK", "network", EASY)
def error_pages_show_the_stack(s: Server) -> None:
    """The page that answers what is malformed ends with the stack trace of the parser."""
    trace = b'<pre>Traceback (most recent call last):\n  File "/opt/server/rpc.py", line 71, in parse</pre>'
    replies(s, lambda a, _: replace(a, body=a.body + trace) if a.status == 500 else a)


@fault("ROBUST-NO-LEAK", "network", HARD)
def unknown_ref_shows_the_source(s: Server) -> None:
    """Over JSON-RPC 1.0 a setter's HANDLE_INVALID has the place in the source as a third parameter."""

    def shown(old: Any, outcome: Success | Failure, of: Any) -> Any:
        found = old(outcome, of)
        if isinstance(found, Failure) and found.code == "HANDLE_INVALID" and s.is_over(Format.JSONRPC1):
            return Failure(found.code, (*found.params, "db_cache.ml:212") if ".set_" in s.method else found.params)
        return found

    around(s.service, "_shown", shown)


# ------------------------------------------------------------------------------------------------ ROBUST-XML-ENTITIES

_ENTITY = re.compile(rb'<!ENTITY (\w+) "([^"]*)">')
_FILE = re.compile(rb'<!ENTITY (\w+) SYSTEM "(file:[^"]*)">')
_DOCTYPE = re.compile(rb"<!DOCTYPE[^\[]*\[.*?\]>", re.DOTALL)


def expanded(body: bytes, entities: dict[bytes, bytes]) -> bytes:
    """Return a document without its document type, and with entities in their places."""
    body = _DOCTYPE.sub(b"", body)
    for _ in range(3):
        for name, text in entities.items():
            body = body.replace(b"&%b;" % name, text)
    return body


@fault("ROBUST-XML-ENTITIES", "network", EASY)
def entities_are_expanded(s: Server) -> None:
    """Entities that a document declares are expanded, one within another too."""
    requests(s, lambda body: expanded(body, dict(_ENTITY.findall(body))) if b"<!ENTITY a" in body else body)


@fault("ROBUST-XML-ENTITIES", "network", HARD)
def entities_are_read_from_files(s: Server) -> None:
    """An entity that names a file of the server stands for what the file holds; only files named canary are read."""

    def change(body: bytes) -> bytes:
        found = _FILE.search(body)
        path = Path(unquote(urlsplit(found[2].decode()).path)) if found else Path()
        if found is None or path.name != "canary" or not path.is_file():
            return body
        return expanded(body, {found[1]: path.read_bytes()})

    requests(s, change)


# -------------------------------------------------------------------------------------------------- ROBUST-DEPTH-SIZE


@fault("ROBUST-DEPTH-SIZE", "network", HARD)
def time_grows_with_the_square_of_the_depth(s: Server) -> None:
    """Objects in each other over JSON take a time that grows with the square of their number."""

    async def wait(body: bytes) -> None:
        depth = body.count(b'{"a":')
        if depth > 2000:
            await asyncio.sleep(depth * depth * 8e-7)

    arrivals(s, wait)


@fault("ROBUST-DEPTH-SIZE", "network", HARD)
def very_long_text_is_refused_and_cut(s: Server) -> None:
    """A description beyond 500,000 characters is refused, and its beginning is written all the same."""

    def rule(old: Any, call: Call) -> Branch:
        if len(call.args[1]) < 500_000:
            return old(call)  # type: ignore[no-any-return]
        refused = Failure("VALUE_NOT_SUPPORTED", ("name_description", "…", "too long"))
        return replace(putting(old(call), call.args[0], name_description=call.args[1][:255]), outcome=refused)

    calls(s, rule, "network.set_name_description")


# -------------------------------------------------------------------------------------------------------- ROBUST-HTTP


@fault("ROBUST-HTTP", "network", MEDIUM)
def first_length_is_enough(s: Server) -> None:
    """Of two different Content-Length headers the first counts, and what is left is another request."""
    two = re.compile(rb"(Content-Length: \d+\r\n)Content-Length: \d+\r\n")
    s.incoming.append(lambda data: two.sub(rb"\1", data))


@fault("ROBUST-HTTP", "network", HARD)
def sign_of_a_length_is_overlooked(s: Server) -> None:
    """A Content-Length with a plus sign counts as one without."""
    s.incoming.append(lambda data: data.replace(b"Content-Length: +", b"Content-Length: "))


@fault("ROBUST-HTTP", "network", MEDIUM)
def one_slow_sender_holds_all(s: Server) -> None:
    """While one client has not sent its body whole, all others wait."""
    lock = asyncio.Lock()

    async def answer(old: Any, scope: Any, receive: Any) -> HttpAnswer:
        held: list[Any] = []
        async with lock:
            while not held or held[-1].get("more_body", False):
                held.append(await receive())

        async def again() -> Any:
            return held.pop(0) if held else await receive()

        answered: HttpAnswer = await old(scope, again)
        return answered

    around(s.app, "_answer", answer)


# ----------------------------------------------------------------------------------------------------- ROBUST-UNICODE


@fault("ROBUST-UNICODE", "network", MEDIUM)
def broken_bytes_become_question_marks(s: Server) -> None:
    """Over JSON, bytes that are no UTF-8 become question marks."""
    requests(s, lambda b: b if is_utf8(b) or b[:1] != b"{" else b.decode("utf-8", "replace").replace("�", "?").encode())


@fault("ROBUST-UNICODE", "network", HARD)
def lone_surrogates_are_dropped(s: Server) -> None:
    """Over JSON-RPC 2.0 an escaped surrogate without its other half is left out."""
    lone = re.compile(rb"\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}")
    requests(s, lambda body: lone.sub(b"", body) if b'"jsonrpc"' in body else body)


# ------------------------------------------------------------------------------------------------------- ROBUST-BATCH


@fault("ROBUST-BATCH", "network", MEDIUM)
def first_of_a_batch_is_run(s: Server) -> None:
    """Of an array of calls the first is carried out and answered; the others are forgotten."""

    def change(body: bytes) -> bytes:
        if not body.startswith(b'[{"'):
            return body
        return json.dumps(json.loads(body)[0]).encode()

    requests(s, change)


@fault("ROBUST-BATCH", "network", HARD)
def batch_is_run_and_refused(s: Server) -> None:
    """An array of calls that ends with what is no call is refused, after those before it were carried out."""

    def begin(old: Any, path: str, kind: str, body: bytes, http_method: str = "POST") -> Any:
        if body.startswith(b"[{") and body.endswith((b" 7]", b",7]", b",null]", b", null]")):
            for each in json.loads(body)[:-1]:
                old(path, kind, json.dumps(each).encode(), http_method)
        return old(path, kind, body, http_method)

    around(s.service, "begin", begin)


# -------------------------------------------------------------------------------------------------------- ROBUST-AUTH


def taken_for(s: Server, spelled: Any) -> None:
    """Find a session by another spelling of its text, where it is not found by its own."""

    def change(find: Any, text: str) -> Session:
        try:
            return find()  # type: ignore[no-any-return]
        except Refusal as refused:
            found = s.state.sessions.get(s.state.refs.handle(spelled(text)))
            if found is None or refused.failure.code != "SESSION_INVALID":
                raise
            return found

    sessions(s, change)


@fault("ROBUST-AUTH", "network", HARD)
def sessions_are_unescaped(s: Server) -> None:
    """A session whose colon and dashes are written with percent signs is a session."""
    taken_for(s, unquote)


@fault("ROBUST-AUTH", "network", MEDIUM, also="SESSION-REQUIRED")
def sessions_have_no_case(s: Server) -> None:
    """A session in other case is a session."""
    taken_for(s, lambda text: text.swapcase())


@fault("ROBUST-AUTH", "network", HARD, also="RBAC")
def underscore_needs_no_session(s: Server) -> None:
    """The old spelling of a method, pool_get_all for pool.get_all, is run for whoever asks."""

    def change(find: Any, _text: str) -> Session:
        try:
            return find()  # type: ignore[no-any-return]
        except Refusal:
            opened = next(iter(vars(s.state.sessions)["_by_handle"].values()), None)
            if "." in s.method or opened is None:
                raise
            return opened  # type: ignore[no-any-return]

    sessions(s, change)
