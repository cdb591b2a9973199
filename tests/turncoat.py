"""A reference server on a socket that turns: it answers as it should until its time comes, or its message."""

from __future__ import annotations

import gzip
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import hostile
from listening import Listening, listener_at, running

from xenconform.conformance.codec import codec_for
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import HttpAnswer, Service
from xenconform.conformance.reference.state import State
from xenconform.models.api import Api
from xenconform.models.calls import Breach, Failure, Format

USER, PASSWORD = "root", "password"
_METHOD = re.compile(rb"<methodName>([^<]*)</methodName>|\"method\":\s*\"([^\"]*)\"")


@dataclass(frozen=True)
class Turn:
    """A request whose time has come: what was asked, and the sound answer, that of the request before it too."""

    sock: socket.socket
    stop: threading.Event
    raw: bytes
    answer: HttpAnswer
    before: HttpAnswer

    @property
    def is_json(self) -> bool:
        return self.raw.partition(b"\r\n\r\n")[2].lstrip().startswith(b"{")


Treason: TypeAlias = Callable[[Turn], bool]
"""Answers a request in a bad way; returns whether the connection may be used again."""


@dataclass(kw_only=True)
class Turncoat(Listening):
    """A running server: its service, the messages asked for in order, and when and how it turns."""

    treason: Treason | None
    after: int
    only: str
    service: Service
    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: list[str] = field(default_factory=list)
    calls: list[tuple[str, bytes, HttpAnswer]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_time(self, message: str) -> bool:
        return self.treason is not None and len(self.asked) > self.after and (not self.only or message == self.only)

    def serve(self, sock: socket.socket) -> None:
        with suppress(OSError), sock:
            sock.settimeout(10)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self.stop.is_set() and self.one(sock):
                pass

    def one(self, sock: socket.socket) -> bool:
        """Answer one request; return whether the connection stays."""
        reader = _Recorder(sock)
        body = hostile.read_request(cast("socket.socket", reader))
        found = _METHOD.search(body)
        message = (found[1] or found[2] or b"").decode(errors="replace") if found else ""
        words = bytes(reader.seen).split(b" ", 2)
        if len(words) < 3:
            raise ConnectionResetError  # no request line
        path = words[1].decode("latin-1")  # any bytes may come
        with self.lock:
            before = self.calls[-1][2] if self.calls else HttpAnswer(200, "text/xml", b"")
            answer = self.service.handle(path, "", body)
            self.asked.append(message)
            self.calls.append((message, body, answer))
            turned = self.is_time(message)
        if turned and self.treason is not None:
            return self.treason(Turn(sock, self.stop, bytes(reader.seen), answer, before))
        sock.sendall(http(answer))
        return not answer.close


class _Recorder:
    """A socket that keeps what was read from it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.seen = sock, bytearray()

    def recv(self, count: int) -> bytes:
        data = self.sock.recv(count)
        self.seen += data
        return data


class _Replayed:
    """A socket from which what was read already is read once more."""

    def __init__(self, turn: Turn) -> None:
        self._sock, self._rest = turn.sock, turn.raw

    def recv(self, count: int) -> bytes:
        if self._rest:
            data, self._rest = self._rest[:count], self._rest[count:]
            return data
        return self._sock.recv(count)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


@contextmanager
def turncoat(treason: Treason | None = None, *, after: int = 0, only: str = "", port: int = 0) -> Iterator[Turncoat]:
    """Run a server that turns after so many requests, on every message or on one alone, until the block ends."""
    service = Service(State(seeded(Api.load(), 0)))
    listener = listener_at(port)
    with running(Turncoat(listener=listener, treason=treason, after=after, only=only, service=service)) as server:
        yield server


def http(answer: HttpAnswer, *headers: str, status: str = "") -> bytes:
    """An answer as bytes of HTTP."""
    lines = [
        f"HTTP/1.1 {status or answer.status}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        *headers,
        *(["Connection: close"] if answer.close else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body


def like(behaviour: hostile.Behaviour) -> Treason:
    """Misbehave as a hostile server does."""

    def betray(turn: Turn) -> bool:
        behaviour(cast("socket.socket", _Replayed(turn)), turn.stop)
        return False

    return betray


def says(change: Callable[[Turn], bytes], *, keep: bool = True) -> Treason:
    """Send bytes made of the request and its sound answer."""

    def betray(turn: Turn) -> bool:
        turn.sock.sendall(change(turn))
        return keep

    return betray


def body(of: Callable[[Turn], bytes], content_type: str = "", status: str = "200 OK") -> Treason:
    """Answer with another body under proper HTTP."""
    return says(lambda turn: http(HttpAnswer(200, content_type or turn.answer.content_type, of(turn)), status=status))


def fails(code: str, *params: str) -> Treason:
    """A proper failure of the API, whatever was asked."""

    def of(turn: Turn) -> bytes:
        request = turn.raw.partition(b"\r\n\r\n")[2]
        codec = codec_for(Format.JSONRPC2 if turn.is_json else Format.XMLRPC)
        call = codec.decode_call(request)
        if isinstance(call, Breach):
            return turn.answer.body  # what is no call is refused in any case
        return codec_for(call.version).encode_reply(Failure(code, params), None, call.ident)

    return body(of)


def nested(depth: int) -> Treason:
    """A reply nested so deep, in XML a fifth of that."""
    xml = b"<methodResponse><params><param>" + b"<value><array><data>" * (depth // 5)
    json = b'{"jsonrpc":"2.0","id":1,"result":' + b"[" * depth + b"]" * depth + b"}"
    return body(lambda turn: json if turn.is_json else xml)


def huge(size: int) -> Treason:
    """A proper reply with so many bytes of text as its value."""

    def of(turn: Turn) -> bytes:
        text = b"x" * size
        if turn.is_json:
            return b'{"jsonrpc":"2.0","id":1,"result":"%s"}' % text
        members = (
            b"<member><name>Status</name><value>Success</value></member>"
            b"<member><name>Value</name><value>%s</value></member>"
        )
        return (
            b"<methodResponse><params><param><value><struct>%s</struct></value></param></params></methodResponse>"
            % (members % text)
        )

    return body(of)


PAGE = b"<html><body><h1>It works!</h1></body></html>"
TROUBLES = (
    "stalls", "stalls within the body", "drips body", "drips interim", "closes at once", "cut in the head",
    "cut in the body", "no last chunk", "resets within the body", "length and chunked", "length beyond 64 bits",
    "garbage status line", "http/2", "ssh banner", "switches protocols", "endless header", "endless body",
    "huge length",
)  # fmt: skip
"""The troubles of HTTP that are tried end to end; the transport's tests have all of them."""
TREASONS: dict[str, Treason] = {
    **{name: like(hostile.TROUBLES[name][1]) for name in TROUBLES},
    "bytes dripped": like(hostile.REPLIES["byte by byte"]),
    "65 MiB of text": huge(65 * 2**20),
    "nested 100,000 deep": nested(100_000),
    "invalid UTF-8": body(lambda turn: turn.answer.body[:40] + b"\xff\xc0\x80" + turn.answer.body[40:]),
    "empty body": body(lambda _: b""),
    "a web page": body(lambda _: PAGE, "text/html"),
    "JSON of another kind": body(lambda _: b'{"error":{"class":"oops"}}', "application/json"),
    "HTTP 500 for all": body(lambda _: PAGE, "text/html", "500 Internal Server Error"),
    "HTTP 401 for all": body(lambda _: PAGE, "text/html", "401 Unauthorized"),
    "HTTP 204": says(lambda _: b"HTTP/1.1 204 No Content\r\n\r\n"),
    "redirects": says(lambda turn: http(turn.answer, "Location: http://127.0.0.1:9/", status="302 Found")),
    "redirects to itself": says(lambda _: b"HTTP/1.1 301 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
    "gzip unasked": says(
        lambda turn: http(
            HttpAnswer(200, turn.answer.content_type, gzip.compress(turn.answer.body)), "Content-Encoding: gzip"
        )
    ),
    "the reply of the call before": says(lambda turn: http(turn.before)),
    "half of the reply": body(lambda turn: turn.answer.body[: len(turn.answer.body) // 2]),
    "the reply twice": body(lambda turn: turn.answer.body * 2),
    "UTF-16": body(lambda turn: turn.answer.body.decode().encode("utf-16")),
    "NULs": body(lambda _: b"\0" * 5000),
    "an XML bomb": body(
        lambda _: (
            b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
            b"<methodResponse><params><param><value>&b;</value></param></params></methodResponse>"
        )
    ),
    "the null session for everything": body(
        lambda turn: b'{"jsonrpc":"2.0","id":null,"result":null,"error":null}' if turn.is_json else b"<value/>"
    ),
}
"""Ways to turn that no client can take for a conforming server."""

HARMLESS: dict[str, Treason] = {
    "closes after each reply": says(lambda turn: http(turn.answer, "Connection: close"), keep=False),
    "closes without a word": says(lambda turn: http(turn.answer), keep=False),
    "many headers": says(lambda turn: http(turn.answer, *(f"X-{n}: y" for n in range(200)))),
}
"""Habits that no rule forbids."""
