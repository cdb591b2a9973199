"""The transport of the hot path: one raw socket that is kept open, and llhttp to read replies."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import sys
import time
from dataclasses import dataclass, field

from xenconform.conformance.transport.base import (
    MAX_BODY,
    MAX_HEAD,
    HttpReply,
    Result,
    TransportTrouble,
    Trouble,
)
from xenconform.conformance.transport.dial import DEFAULT_TLS, Address, NoConnection, Tls, addresses, dial, tls_context
from xenconform.conformance.transport.framing import ReplyReader
from xenconform.models.target import Target

_PIECE = 64 * 2**10
_BYTES_ACKED = 120
"""Where struct tcp_info of Linux counts the bytes that the peer acknowledged."""


@dataclass(slots=True)
class SocketTransport:
    """Posts over one keep-alive connection: TCP, TLS or a unix socket.

    A request is not sent twice where the server may have read it, as that could write twice. Before a kept
    connection is used again it is looked at: where the server has closed it, or sent what nobody asked for, a new
    one is opened. Where the server closes it at the very moment of sending, the request goes out once more, on a
    new connection, only if nothing of a reply came and the request could not be sent whole, or the system tells that it
    was not read (see `_Exchange.is_left` for what that is worth).

    Attributes:
        target: the server.
        tls: whom to trust; used where the target's scheme is https.
        max_body: the most bytes of a reply's body.
        max_head: the most bytes of a reply's head.
        connections: how many connections were opened so far.

    Raises:
        ValueError: `tls` cannot be used.
    """

    target: Target
    tls: Tls = DEFAULT_TLS
    max_body: int = MAX_BODY
    max_head: int = MAX_HEAD
    connections: int = field(default=0, init=False)
    _sock: socket.socket | None = field(default=None, init=False)
    _poll: select.poll = field(default_factory=select.poll, init=False)
    _context: ssl.SSLContext | None = field(default=None, init=False)
    _where: list[Address] = field(default_factory=list, init=False)
    _heads: dict[tuple[str, str], bytes] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if self.target.scheme == "https":
            self._context = tls_context(self.tls)

    def post(self, path: str, body: bytes, content_type: str, deadline: float) -> Result:
        """Post a body and return what came; see `Transport.post`."""
        head = self._heads.get((path, content_type)) or self._head(path, content_type)
        request = b"%b%d\r\n\r\n%b" % (head, len(body), body)
        start = time.monotonic()
        unsolicited = self._drop_stale()
        exchange = _Exchange(request, start, start + deadline, ReplyReader(self.max_body, self.max_head))
        fresh = self._sock is None
        result = self._attempt(exchange)
        if not fresh and exchange.is_unseen:
            exchange = _Exchange(request, start, start + deadline, ReplyReader(self.max_body, self.max_head))
            result = self._attempt(exchange)
        if result is not None:
            return result
        reader = exchange.reader
        return HttpReply(
            status=reader.status,
            reason=reader.reason.decode("latin-1"),
            headers=tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in reader.headers]),
            body=b"".join(reader.body),
            elapsed=time.monotonic() - start,
            surplus=reader.surplus,
            unsolicited=unsolicited,
        )

    def close(self) -> None:
        """Close the connection; the next post opens a new one."""
        if self._sock is not None:
            self._poll.unregister(self._sock)
            self._sock.close()
            self._sock = None

    def _attempt(self, exchange: _Exchange) -> TransportTrouble | None:
        """Send the request and read the reply on the open connection or a new one; None where a reply came."""
        try:
            sock = self._sock or self._open(exchange.end)
        except NoConnection as error:
            return TransportTrouble(error.kind, error.detail, time.monotonic() - exchange.start)
        reader = exchange.reader
        exchange.run(sock)
        if reader.trouble or not reader.keep or reader.surplus or not exchange.sent_whole:
            self.close()
        if reader.trouble:
            kind, detail = reader.trouble
            return TransportTrouble(kind, detail, time.monotonic() - exchange.start, reader.partial)
        return None

    def _open(self, end: float) -> socket.socket:
        if not self._where:
            self._where = addresses(self.target, end)
        self._sock = dial(self.target, self._where, self._context, end)
        self._poll.register(self._sock, select.POLLIN)
        self.connections += 1
        return self._sock

    def _drop_stale(self) -> bool:
        """Close a kept connection that has something to read; return whether that is more than its end."""
        if self._sock is None or not self._poll.poll(0):
            return False
        try:
            self._sock.settimeout(0)
            data = self._sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False  # records of TLS itself, as session tickets, are no bytes of HTTP
        except OSError:
            data = b""
        self.close()
        return data != b""

    def _head(self, path: str, content_type: str) -> bytes:
        """Return the request up to the value of Content-Length, and keep it."""
        if not (path.isascii() and path.isprintable() and path.startswith("/")) or " " in path:
            raise ValueError(f"not the path of a request: {path!r}; begin it with / and write other characters as %XX")
        if not (content_type.isascii() and content_type.isprintable()):
            raise ValueError(f"not a content type: {content_type!r}; printable ASCII only")
        lines = (
            f"POST {path} HTTP/1.1",
            f"Host: {self.target.authority}",
            "User-Agent: xenconform",
            "Accept: */*",
            f"Content-Type: {content_type}",
            "Content-Length: ",
        )
        head = "\r\n".join(lines).encode("ascii")
        self._heads[path, content_type] = head
        return head


@dataclass(slots=True)
class _Exchange:
    """One request on one connection: sends, reads, and knows whether the server can have seen the request."""

    request: bytes
    start: float
    end: float
    reader: ReplyReader
    sent_whole: bool = False
    is_unseen: bool = False

    def run(self, sock: socket.socket) -> None:
        """Send the request and read until the reader has a reply or a trouble."""
        acked = _acked(sock)
        taken, failed = 0, False
        reader = self.reader
        try:
            taken = self._send(sock)
        except TimeoutError:
            reader.trouble = (Trouble.TIMEOUT, "the server did not take the request in time")
            return
        except OSError:
            failed = True
        self.sent_whole = taken == len(self.request)
        self._read(sock)  # after a failed sending too: a server may answer, then close before it has read all
        self.is_unseen = reader.is_empty and (failed or self.is_left(sock, acked))

    def is_left(self, sock: socket.socket, acked: int | None) -> bool:
        """Whether the connection ended before the server had read the request.

        A reset before any byte of the reply means just that: the peer closed the connection with the request, or a
        part of it, unread. On TCP the kernel may have acknowledged the request all the same, as it does at once on a
        young connection. A regular close carries an acknowledgement of all that arrived before it; without one for
        this request, none of it did. A server that reads a request and then aborts the connection on purpose looks
        like one that closed it with the request unread. The latter is common: it is every server that closes after a
        reply without saying so.

        Source: RFC 9110, section 9.2.2; RFC 9112, section 9.3.1.
        """
        kind = self.reader.trouble[0] if self.reader.trouble else None
        if kind is Trouble.RESET:
            return True
        return kind is Trouble.CLOSED_EARLY and acked is not None and acked == _acked(sock)

    def _send(self, sock: socket.socket) -> int:
        """Send the request, or as much of it as the server takes before it answers; return how many bytes."""
        request = self.request
        sock.settimeout(max(0.001, self.end - time.monotonic()))
        if len(request) <= _PIECE or isinstance(sock, ssl.SSLSocket):
            sock.sendall(request)
            return len(request)
        view = memoryview(request)
        sent = 0
        while sent < len(request):
            remaining = self.end - time.monotonic()
            readable, writable, _ = select.select([sock], [sock], [], max(0.0, remaining))
            if readable:
                break
            if not writable:
                raise TimeoutError
            sent += sock.send(view[sent : sent + _PIECE])
        return sent

    def _read(self, sock: socket.socket) -> None:
        reader = self.reader
        while True:
            remaining = self.end - time.monotonic()
            try:
                if remaining <= 0:
                    raise TimeoutError  # noqa: TRY301 - the same end as a recv that waits too long
                sock.settimeout(remaining)
                data = sock.recv(_PIECE)
            except TimeoutError:
                reader.trouble = (Trouble.TIMEOUT, "the reply was not whole at the deadline")
                return
            except ssl.SSLError as error:
                reader.trouble = (Trouble.TLS, f"no TLS: {error.reason or error}")
                return
            except OSError as error:
                reader.trouble = (Trouble.RESET, f"the connection broke: {error.strerror or error}")
                return
            if not data:
                reader.finish()
                return
            if reader.feed(data):
                return


def _acked(sock: socket.socket) -> int | None:
    """Return how many bytes of ours the peer's kernel acknowledged on a TCP connection; None where not known."""
    if sys.platform != "linux" or sock.family == socket.AF_UNIX:
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_ACKED + 8)
    except OSError:
        return None
    return struct.unpack_from("Q", info, _BYTES_ACKED)[0] or None if len(info) >= _BYTES_ACKED + 8 else None
