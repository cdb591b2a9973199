"""The socket of a server of the tests: it takes connections until it is told to stop, each in a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar


def listener_at(port: int = 0, unix: str = "") -> socket.socket:
    """A socket that listens at a port of loopback, at any one where that is 0, or at a path."""
    listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(unix or ("127.0.0.1", port))
    listener.listen(64)
    return listener


@dataclass(kw_only=True)
class Listening:
    """A server that listens: its port, 0 for a path, how many connections it took, and the threads that serve them."""

    listener: socket.socket
    port: int = field(init=False)
    connections: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        where = self.listener.getsockname()
        self.port = 0 if isinstance(where, str) else int(where[1])

    def serve(self, sock: socket.socket) -> None:
        """Serve one connection, in a thread of its own, and close it."""
        raise NotImplementedError

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.taken(sock)

    def taken(self, sock: socket.socket) -> None:
        """Begin to serve a connection that was taken just now."""
        self.start(self.serve, sock)

    def start(self, what: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=what, args=args)
        self.threads.append(thread)
        thread.start()


L = TypeVar("L", bound=Listening)


@contextmanager
def running(server: L) -> Iterator[L]:
    """Run a server until the block ends; its threads have ended then."""
    accepting = threading.Thread(target=server.run)
    accepting.start()
    try:
        yield server
    finally:
        server.stop.set()
        with suppress(OSError):
            server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        accepting.join(10)
        for thread in server.threads:
            thread.join(15)
