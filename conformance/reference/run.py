"""Running the application on uvicorn: a TCP port or a unix socket, TLS where asked for, a line when it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import uvicorn

from xenconform.conformance.reference.app import App
from xenconform.conformance.reference.faults import Fault, Server
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import Service
from xenconform.conformance.reference.state import State
from xenconform.conformance.reference.store import Store
from xenconform.conformance.reference.users import Users
from xenconform.models.api import Api

KEEP_ALIVE_SECONDS = 120
SHUTDOWN_SECONDS = 3
_BACKLOG = 256
_INPUT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Settings:
    """Where and what to serve. `unix` takes the place of host and port; `tls` is certificate and key, PEM files.

    `until_eof` stops the server when standard input ends too, as it does when the process at its other end dies.
    """

    host: str = "127.0.0.1"
    port: int = 0
    unix: Path | None = None
    tls: tuple[Path, Path] | None = None
    state: Path | None = None
    users: Users | None = None
    seed: int = 0
    faults: tuple[Fault, ...] = ()
    until_eof: bool = False


def build(settings: Settings) -> tuple[Server, Store | None]:
    """Return the server of these settings, its world read from the state file or made new, its faults switched on.

    Raises:
        ValueError: the state file cannot be used.
    """
    api = Api.load()
    store = Store(settings.state) if settings.state is not None else None
    kept = store.load(api) if store is not None else None
    world = seeded(api, settings.seed) if kept is None else kept
    if store is not None and kept is None:
        store.keep_all(world)
    state = State(world, settings.users, store.keep) if store is not None else State(world, settings.users)
    server = Server(Service(state), restarted=kept is not None)
    for fault in settings.faults:
        fault.install(server)
    return server, store


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, or the end of the input where the settings say so.

    `say` gets one line once connections are accepted.

    Raises:
        OSError: the address cannot be listened on, or the TLS files cannot be read.
        ValueError: the state file cannot be used.
    """
    server, store = build(settings)
    app = server.app
    try:
        listener = _listen(settings)
        with contextlib.closing(listener):
            config = _config(app, settings, server)
            config.load()
            running = _Server(config, app, lambda: say(f"listening on {_url(settings, listener)}"))
            asyncio.run(running.run_on(listener, until_eof=settings.until_eof))
    finally:
        if settings.unix is not None:
            settings.unix.unlink(missing_ok=True)
        if store is not None:
            store.close()


def _config(app: App, settings: Settings, server: Server) -> uvicorn.Config:
    certificate, key = settings.tls or (None, None)
    return uvicorn.Config(
        app,
        http=changing(server.incoming) if server.incoming else "httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="error",
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


def changing(changes: Sequence[Callable[[bytes], bytes]]) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP protocol with changes made to the bytes that come in, for faults of HTTP itself."""
    # uvicorn ships no types for its protocols.
    protocol: Any = import_module("uvicorn.protocols.http.httptools_impl").HttpToolsProtocol

    def data_received(self: Any, data: bytes) -> None:
        for change in changes:
            data = change(data)
        protocol.data_received(self, data)

    return type("ChangingProtocol", (protocol,), {"data_received": data_received})


class _Server(uvicorn.Server):
    """A server that says when it is ready, ends its waiting calls on a signal, and then ends with success."""

    def __init__(self, config: uvicorn.Config, app: App, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._ready = ready

    async def run_on(self, listener: socket.socket, *, until_eof: bool) -> None:
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self._stop)
        if until_eof:
            loop.add_reader(sys.stdin.fileno(), self._on_input)
        await self.serve(sockets=[listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `run_on`: the base class would end the process by the signal once more."""
        yield

    def _on_input(self) -> None:
        if not os.read(sys.stdin.fileno(), _INPUT_BYTES):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self._stop()

    def _stop(self) -> None:
        self.should_exit = True
        self._app.stop()


def _listen(settings: Settings) -> socket.socket:
    if settings.unix is not None:
        return _listen_unix(settings.unix)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, so that delays are off
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _listen_unix(path: Path) -> socket.socket:
    """Listen on a unix socket; a file left by a server that is gone is replaced, one in use is not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if path.is_socket() and probe.connect_ex(str(path)) != 0:
            path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _url(settings: Settings, listener: socket.socket) -> str:
    if settings.unix is not None:
        return f"unix://{settings.unix.absolute()}"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{'https' if settings.tls else 'http'}://{host}:{listener.getsockname()[1]}"
