"""A door before a server: takes connections over TLS or a unix socket, and passes their bytes on to its port."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import trustme
from listening import Listening, listener_at, running

Way = Callable[[socket.socket, threading.Event], None]
"""What becomes of a connection once a door has turned: the bare socket, and what is set when the door is closed."""


@dataclass(kw_only=True)
class Front(Listening):
    """A running door to a port `behind`: all that came in over its connections is `seen`, without TLS."""

    behind: int
    context: ssl.SSLContext | None
    way: Way | None
    after: int
    seen: bytearray = field(default_factory=bytearray)

    @property
    def url(self) -> str:
        where = self.listener.getsockname()
        if isinstance(where, str):
            return f"unix://{where}"
        return f"{'https' if self.context else 'http'}://127.0.0.1:{where[1]}"

    def taken(self, sock: socket.socket) -> None:
        if self.way is not None and self.connections > self.after:
            self.start(self.turned, sock, self.way)
        else:
            self.start(self.serve, sock)

    def turned(self, sock: socket.socket, way: Way) -> None:
        with suppress(OSError), sock:
            sock.settimeout(10)
            way(sock, self.stop)

    def serve(self, sock: socket.socket) -> None:
        with suppress(OSError), sock:
            sock.settimeout(10)
            inner = self.context.wrap_socket(sock, server_side=True) if self.context else sock
            with inner, socket.create_connection(("127.0.0.1", self.behind), timeout=10) as behind:
                behind.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.pass_on(inner, behind)

    def pass_on(self, inner: socket.socket, behind: socket.socket) -> None:
        """Pass bytes on both ways until both have ended, each end too; in one thread: TLS does not bear two at once."""
        to = {inner: behind, behind: inner}
        while to:
            ready, _, _ = select.select(list(to), [], [], 10)
            if not ready:
                return
            for source in ready:
                data = self.come_in(source)
                if source is inner:
                    self.seen += data
                if data:
                    to[source].sendall(data)
                    continue
                # The end of TLS cannot be passed on alone; a connection that the server has ended is over.
                sink = to.pop(source)
                sink.shutdown(socket.SHUT_RDWR if isinstance(sink, ssl.SSLSocket) else socket.SHUT_WR)

    @staticmethod
    def come_in(source: socket.socket) -> bytes:
        """All that is there of a connection, of which something is; nothing at its end."""
        data = source.recv(65536)
        while isinstance(source, ssl.SSLSocket) and source.pending():
            data += source.recv(65536)
        return data


@contextmanager
def front(
    port: int, context: ssl.SSLContext | None = None, unix: str = "", way: Way | None = None, after: int = 0
) -> Iterator[Front]:
    """Run a door to a port until the block ends; after so many connections the others go the way that is given."""
    door = Front(listener=listener_at(unix=unix), behind=port, context=context, way=way, after=after)
    with running(door):
        yield door


def context_for(name: str, authority: trustme.CA) -> ssl.SSLContext:
    """The TLS of a server whose certificate is for one host."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(made)
    return made
