"""Bytes over connections of their own: whole requests in pieces, and all the replies that come to them."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import httptools

from xenconform.conformance.fuzz.attempts import Attempt

MOST: Final = 8 * 2**20
"""The most bytes that are taken of what comes back."""


@dataclass(slots=True)
class Replies:
    """Counts the replies in what comes back. `broken` says why the bytes are no HTTP/1 replies."""

    statuses: list[int] = field(default_factory=list)
    broken: str = ""
    whole: int = 0
    _parts: list[list[bytes]] = field(default_factory=list)
    _parser: httptools.HttpResponseParser = field(init=False)

    def __post_init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)

    @property
    def bodies(self) -> list[bytes]:
        """The bodies of the replies, as far as they came."""
        return [b"".join(parts) for parts in self._parts]

    def feed(self, data: bytes) -> None:
        """Take some bytes."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.broken = self.broken or str(error) or type(error).__name__

    def on_message_begin(self) -> None:
        """Called by the parser: a reply begins."""
        self._parts.append([])
        self.statuses.append(0)

    def on_headers_complete(self) -> None:
        """Called by the parser: a reply's head is whole."""
        self.statuses[-1] = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """Called by the parser: a part of a body."""
        self._parts[-1].append(data)

    def on_message_complete(self) -> None:
        """Called by the parser: a reply is whole, interim ones aside."""
        if self.statuses[-1] < 200:
            self.statuses.pop()
            self._parts.pop()
        else:
            self.whole += 1


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: the bytes, the replies in them, whether the server closed, and how long it took, in seconds."""

    received: bytes
    replies: Replies
    closed: bool
    seconds: float


def talk(dial: Callable[[], socket.socket], attempt: Attempt, patience: float, silence: float) -> Heard:
    """Send an attempt's pieces and take all that comes back, for so many seconds of patience at most once all is sent.

    Once a reply has come, no further one is waited for after so many seconds of silence. Where no connection came
    about, nothing came back: whether the server is still there is for a good call to find out.
    """
    began = time.monotonic()
    received, replies, closed = bytearray(), Replies(), False
    try:
        sock = dial()
    except OSError:
        return Heard(b"", replies, True, time.monotonic() - began)
    began = time.monotonic()
    with sock:
        sock.settimeout(patience)
        try:
            _send(sock, attempt)
            sent = time.monotonic()
            while time.monotonic() - sent < patience and len(received) < MOST:
                # Behind a reply that is no last one nothing more need come.
                sock.settimeout(silence if replies.whole else max(0.05, patience - (time.monotonic() - sent)))
                data = sock.recv(65536)
                if not data:
                    closed = True
                    break
                received += data
                replies.feed(data)
        except TimeoutError:
            pass  # What has come is all that comes: it is judged by what it holds.
        except OSError:
            closed = True
    return Heard(bytes(received), replies, closed, time.monotonic() - began)


def _send(sock: socket.socket, attempt: Attempt) -> None:
    """Send the pieces, and end as the attempt says.

    Raises:
        OSError: the server closed before, or takes nothing more.
    """
    for at, piece in enumerate(attempt.pieces):
        if at and attempt.drip:
            time.sleep(attempt.drip)  # a slow sender is what is tried here
        with suppress(BrokenPipeError, ConnectionResetError):  # a reply may have come all the same
            sock.sendall(piece)
    match attempt.end:
        case "half" if not isinstance(sock, ssl.SSLSocket):  # no server of TLS answers one who has closed a side
            with suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
        case "close":
            sock.close()
        case "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        case _:
            pass
