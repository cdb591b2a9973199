"""A door before a server: takes connections over TLS or a unix socket, and passes their bytes on to its port."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import trustme

Way = Callable[[socket.socket, threading.Event], None]
"""What becomes of a connection once a door has turned: the bare socket, and what is set when the door is closed."""


@dataclass
class Front:
    """A running door: how many connections it took, and all that came in over them, without TLS."""

    listener: socket.socket
    port: int
    context: ssl.SSLContext | None
    way: Way | None
    after: int
    connections: int = 0
    seen: bytearray = field(default_factory=bytearray)
    stop: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    @property
    def url(self) -> str:
        where = self.listener.getsockname()
        if isinstance(where, str):
            return f"unix://{where}"
        return f"{'https' if self.context else 'http'}://127.0.0.1:{where[1]}"

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            way = self.way if self.connections > self.after else None
            self.start(self.turned, sock, way) if way else self.start(self.serve, sock)

    def start(self, what: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=what, args=args)
        self.threads.append(thread)
        thread.start()

    def turned(self, sock: socket.socket, way: Way) -> None:
        with suppress(OSError), sock:
            sock.settimeout(10)
            way(sock, self.stop)

    def serve(self, sock: socket.socket) -> None:
        with suppress(OSError), sock:
            sock.settimeout(10)
            inner = self.context.wrap_socket(sock, server_side=True) if self.context else sock
            with inner, socket.create_connection(("127.0.0.1", self.port), timeout=10) as behind:
                behind.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=self.copy, args=(behind, inner))
                back.start()
                self.copy(inner, behind, self.seen)
                back.join(10)

    def copy(self, source: socket.socket, sink: socket.socket, seen: bytearray | None = None) -> None:
        """Pass bytes on until they end, and then the end too."""
        with suppress(OSError):
            while data := source.recv(65536):
                if seen is not None:
                    seen += data
                sink.sendall(data)
        with suppress(OSError):
            # The end of TLS cannot be passed on alone; a connection that the server has ended is over.
            sink.shutdown(socket.SHUT_RDWR if isinstance(sink, ssl.SSLSocket) else socket.SHUT_WR)


@contextmanager
def front(
    port: int, context: ssl.SSLContext | None = None, unix: str = "", way: Way | None = None, after: int = 0
) -> Iterator[Front]:
    """Run a door to a port until the block ends; after so many connections the others go the way that is given."""
    listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    listener.bind(unix or ("127.0.0.1", 0))
    listener.listen(64)
    door = Front(listener, port, context, way, after)
    accepting = threading.Thread(target=door.run)
    accepting.start()
    try:
        yield door
    finally:
        door.stop.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(10)
        for thread in door.threads:
            thread.join(15)


def context_for(name: str, authority: trustme.CA) -> ssl.SSLContext:
    """The TLS of a server whose certificate is for one host."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(made)
    return made
