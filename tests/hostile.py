"""A TCP server that misbehaves in named ways, for tests of whatever talks to servers."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeAlias

from listening import Listening, listener_at, running

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 5\r\n\r\nhello"
Behaviour: TypeAlias = "Callable[[socket.socket, threading.Event], None]"


@dataclass(kw_only=True)
class Hostile(Listening):
    """A running server of one behaviour."""

    behaviour: Behaviour
    context: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def serve(self, sock: socket.socket) -> None:
        with suppress(OSError), sock:
            sock.settimeout(10)
            if self.context is None:
                self.behaviour(sock, self.stop)
                return
            with self.context.wrap_socket(sock, server_side=True) as secure:
                self.behaviour(secure, self.stop)


@contextmanager
def serving(behaviour: Behaviour, context: ssl.SSLContext | None = None, unix: str = "") -> Iterator[Hostile]:
    """Run a server with one behaviour until the block ends."""
    with running(Hostile(listener=listener_at(unix=unix), behaviour=behaviour, context=context)) as server:
        yield server


def read_request(sock: socket.socket) -> bytes:
    """Read one request; the bytes of its body, or raise OSError where the client went away or gave no plain length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(sock)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = re.findall(rb"(?m)^content-length: *([^\r\n]*)", head.lower())
    if len(lengths) != 1 or not re.fullmatch(rb"\d{1,12}", lengths[0]) or b"transfer-encoding" in head.lower():
        raise ConnectionResetError
    length = int(lengths[0])
    while len(body) < length:
        body += _some(sock)
    return body


def _some(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    if not data:
        raise ConnectionResetError
    return data


def answer(*replies: bytes, then_close: bool = True) -> Behaviour:
    """Answer each request with the next of the replies; the last one again and again unless told to close."""

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        for reply in replies:
            read_request(sock)
            sock.sendall(reply)
        while not then_close and not stop.is_set():
            read_request(sock)
            sock.sendall(replies[-1])

    return behave


def drip(start: bytes, endless: bytes) -> Behaviour:
    """Send a start, then one byte after another for ever."""

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        read_request(sock)
        sock.sendall(start)
        while not stop.wait(0.02):
            for at in range(len(endless)):
                sock.sendall(endless[at : at + 1])
                if stop.wait(0.02):
                    return

    return behave


def flood(start: bytes, endless: bytes) -> Behaviour:
    """Send a start, then the same bytes for ever, as fast as they go."""

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        read_request(sock)
        sock.sendall(start)
        while not stop.is_set():
            sock.sendall(endless)

    return behave


def stall(sent: bytes = b"", *, read: bool = True) -> Behaviour:
    """Send some bytes, then nothing more, and keep the connection."""

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        if read:
            read_request(sock)
        sock.sendall(sent)
        stop.wait(10)

    return behave


def reset(sent: bytes = b"") -> Behaviour:
    """Read the request, send some bytes, break the connection off."""

    def behave(sock: socket.socket, _stop: threading.Event) -> None:
        read_request(sock)
        sock.sendall(sent)
        time.sleep(0.02 if sent else 0)  # so that the client can take what was sent before the reset empties its buffer
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def at_once(sent: bytes = b"") -> Behaviour:
    """Send some bytes without waiting for a request, and close."""

    def behave(sock: socket.socket, _stop: threading.Event) -> None:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            read_request(sock)

    return behave


def answers_but_takes_nothing(reply: bytes) -> Behaviour:
    """Answer after the head of a request, never read its body."""

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        sock.recv(100)
        sock.sendall(reply)
        stop.wait(10)

    return behave


def head(*lines: str) -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", *lines, "", "")).encode("latin-1")


_CHUNKED = head("Transfer-Encoding: chunked")

REPLIES: dict[str, Behaviour] = {
    "plain": answer(OK),
    "http/1.0, length": answer(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    "http/1.0, until close": answer(b"HTTP/1.0 200 OK\r\n\r\nhello"),
    "http/1.1, until close": answer(head("Connection: close") + b"hello"),
    "chunked": answer(_CHUNKED + b"2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: t\r\n\r\n"),
    "interim": answer(b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
    "interim with headers": answer(b"HTTP/1.1 103 Early Hints\r\nContent-Length: 99\r\nLink: x\r\n\r\n" + OK),
    "two": answer(OK + OK),
    "length short": answer(head("Content-Length: 5") + b"hello and more"),
    "garbage after": answer(OK + b"\0\0\0garbage"),
    "before the request": at_once(OK),
    "no reason": answer(b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello"),
    "byte by byte": drip(b"", OK),
}
"""Behaviours that still make a whole reply with the body hello."""

TROUBLES: dict[str, tuple[str, Behaviour]] = {
    "stalls": ("timeout", stall()),
    "never reads": ("timeout", stall(read=False)),
    "stalls within the head": ("timeout", stall(OK[:20])),
    "stalls within the body": ("timeout", stall(OK[:-2])),
    "length long": ("timeout", stall(head("Content-Length: 9") + b"hello")),
    "drips header": ("timeout", drip(b"HTTP/1.1 200 OK\r\nX: ", b"x")),
    "drips body": ("timeout", drip(head("Content-Length: 99999"), b"x")),
    "drips chunks": ("timeout", drip(_CHUNKED, b"1\r\nx\r\n")),
    "drips interim": ("timeout", drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
    "closes at once": ("closed-early", at_once()),
    "closes after the request": ("closed-early", answer(b"")),
    "cut in the status line": ("closed-early", answer(OK[:7])),
    "cut in the head": ("closed-early", answer(OK[:30])),
    "cut in the body": ("closed-early", answer(OK[:-1])),
    "cut in a chunk": ("closed-early", answer(_CHUNKED + b"9\r\nhello")),
    "no last chunk": ("closed-early", answer(_CHUNKED + b"5\r\nhello\r\n")),
    "interim only": ("closed-early", answer(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "resets after the request": ("reset", reset()),
    "resets within the body": ("reset", reset(OK[:-2])),
    "length and chunked": (
        "bad-http",
        answer(head("Content-Length: 5", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n"),
    ),
    "two lengths": ("bad-http", answer(head("Content-Length: 5", "Content-Length: 6") + b"hello")),
    "negative length": ("bad-http", answer(head("Content-Length: -5") + b"hello")),
    "length beyond 64 bits": ("bad-http", answer(head("Content-Length: " + "9" * 30) + b"hello")),
    "bad chunk size": ("bad-http", answer(_CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n")),
    "garbage status line": ("bad-http", answer(b"HTTP/1.1 OK 200\r\n\r\n")),
    "http/2": ("bad-http", answer(b"HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")),
    "header with NUL": ("bad-http", answer(head("X: a\0b", "Content-Length: 5") + b"hello")),
    "header without colon": ("bad-http", answer(head("nonsense", "Content-Length: 5") + b"hello")),
    "ssh banner": ("bad-http", at_once(b"SSH-2.0-OpenSSH_9.9\r\n")),
    "tls to plain": ("bad-http", answer(b"\x15\x03\x01\x00\x02\x02\x46")),
    "a request back": ("bad-http", answer(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")),
    "switches protocols": ("bad-http", answer(b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")),
    "1 MiB header": ("too-large", answer(head("X: " + "x" * 2**20, "Content-Length: 0"))),
    "endless header": ("too-large", flood(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 4096)),
    "endless headers": ("too-large", flood(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 512)),
    "endless interim": ("too-large", flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 64)),
    "endless body": ("too-large", flood(head("Connection: close"), b"x" * 65536)),
    "endless chunks": ("too-large", flood(_CHUNKED, b"1\r\nx\r\n" * 4096)),
    "endless trailers": ("too-large", flood(_CHUNKED + b"0\r\n", b"X: y\r\n" * 512)),
    "huge length": ("too-large", stall(head("Content-Length: 99999999999"))),
}
"""Behaviours that make no whole reply, each with the kind of trouble that it is."""
