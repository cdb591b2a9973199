"""A connection of its own to the server of a run, over which bytes go that the client would not send so."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.codec import codec_for
from xenconform.models.calls import Format
from xenconform.models.exchange import Exchange

SILENCE = 0.3
"""Seconds without a byte after which no further reply is waited for."""


def head(bench: Bench, fmt: Format, *lines: str, method: str = "POST", path: str = "", typed: bool = True) -> bytes:
    """Return the head of a request to a format's path, or to another, with lines besides those that all have."""
    target = bench.client.target
    first = f"{method} {path or target.path_for(fmt)} HTTP/1.1"
    kind = [f"Content-Type: {codec_for(fmt).content_type}"] if typed else []
    return "\r\n".join([first, f"Host: {target.host or 'localhost'}", *kind, *lines, "", ""]).encode()


def talk(bench: Bench, fmt: Format, pieces: Sequence[bytes], patience: float, *, half_close: bool = False) -> Exchange:
    """Send pieces over a connection of their own and return all that came back until silence or the end.

    `patience` is how long is waited for the first byte, in seconds.

    Raises:
        Unavailable: no such connection can be made.
    """
    began = nature.now()
    received = bytearray()
    try:
        with bench.dial(patience) as sock:
            for piece in pieces:
                sock.sendall(piece)
            if half_close:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                received += piece
                sock.settimeout(SILENCE)
    except TimeoutError:
        pass  # What has come is all that comes: it is judged by what it holds.
    except OSError as why:
        if not received and not isinstance(why, ConnectionError):
            raise Unavailable(f"no bare connection: {why}") from why
    return bench.client.note(fmt, b"".join(pieces), bytes(received), nature.now() - began)
