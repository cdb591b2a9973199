"""The transport for networks where only a proxy leads out: `requests`, which knows proxies."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, IncompleteRead, ProtocolError, ReadTimeoutError

from xenconform.conformance.transport.base import (
    MAX_BODY,
    PARTIAL_KEPT,
    HttpReply,
    Result,
    TransportTrouble,
    Trouble,
)
from xenconform.conformance.transport.dial import DEFAULT_TLS, Tls, tls_context
from xenconform.models.target import Target

_PIECE = 64 * 2**10


@dataclass(slots=True)
class RequestsTransport:
    """Posts through a `requests` session, by way of a proxy where one is given.

    Nothing is taken from the environment. Redirects are not followed. Each post runs in a thread of its own, since
    `requests` has a limit on each wait and none on the whole: at the deadline the connection is shut down under it.

    Attributes:
        target: the server; a unix socket has no proxy and is refused.
        proxy: the proxy's URL, or None.
        tls: whom to trust; used where the target's scheme is https.
        max_body: the most bytes of a reply's body.

    Raises:
        ValueError: the target is a unix socket, or `tls` cannot be used.
    """

    target: Target
    proxy: str | None = None
    tls: Tls = DEFAULT_TLS
    max_body: int = MAX_BODY
    _session: requests.Session | None = field(default=None, init=False)
    _adapter: _Adapter | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.target.scheme == "unix":
            raise ValueError(f"{self.target} is a unix socket, which no proxy leads to: leave the proxy out")
        tls_context(self.tls)  # to refuse bad settings here rather than with the first post

    def post(self, path: str, body: bytes, content_type: str, deadline: float) -> Result:
        """Post a body and return what came; see `Transport.post`."""
        if not (path.isascii() and path.isprintable() and path.startswith("/")) or " " in path:
            raise ValueError(f"not the path of a request: {path!r}; begin it with / and write other characters as %XX")
        if not (content_type.isascii() and content_type.isprintable()):
            raise ValueError(f"not a content type: {content_type!r}; printable ASCII only")
        session, adapter = self._open()
        job = _Job(session, self._url(path), body, content_type, time.monotonic(), deadline, self.max_body)
        thread = threading.Thread(target=job.run, name="post", daemon=True)
        thread.start()
        thread.join(deadline)
        if job.result is not None:
            return job.result
        adapter.shut_down()
        self.close()
        detail = "the reply was not whole at the deadline"
        return TransportTrouble(
            Trouble.TIMEOUT, detail, time.monotonic() - job.start, b"".join(job.parts)[:PARTIAL_KEPT]
        )

    def close(self) -> None:
        """Close the connections; the next post opens new ones."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _open(self) -> tuple[requests.Session, _Adapter]:
        if self._session is None or self._adapter is None:
            self._session, self._adapter = requests.Session(), _Adapter(max_retries=0)
            self._session.trust_env = False
            self._session.proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else {}
            self._session.verify = False if self.tls.insecure else (self.tls.cafile or True)
            for scheme in ("http://", "https://"):
                self._session.mount(scheme, self._adapter)
        return self._session, self._adapter

    def _url(self, path: str) -> str:
        host = f"[{self.target.host}]" if ":" in self.target.host else self.target.host
        return f"{self.target.scheme}://{host}:{self.target.port}{path}"


class _Adapter(HTTPAdapter):
    """Keeps the sockets that its pools open, so that a late reply can be cut off."""

    def __init__(self, **options: Any) -> None:
        self.connections: list[Any] = []
        super().__init__(**options)

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Return the pool for a request, which makes connections that are known here."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        make = pool.ConnectionCls
        if "ConnectionCls" not in vars(pool):

            def known(*a: Any, **o: Any) -> Any:
                self.connections.append(connection := make(*a, **o))
                return connection

            vars(pool)["ConnectionCls"] = known
        return pool

    def shut_down(self) -> None:
        """End every connection, whoever waits on it."""
        for connection in self.connections:
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        self.connections.clear()


@dataclass(slots=True)
class _Job:
    """One post, run in its own thread; `result` is set when it is over."""

    session: requests.Session
    url: str
    body: bytes
    content_type: str
    start: float
    deadline: float
    max_body: int
    parts: list[bytes] = field(default_factory=list)
    result: Result | None = None

    def run(self) -> None:
        """Post and read; never raises."""
        try:
            self.result = self._post()
        except Exception as error:  # noqa: BLE001 - the layers below raise many types on odd bytes; each is trouble
            kind = _kind(error)
            self.result = self._trouble(kind, f"{kind}: {_innermost(error)}")

    def _post(self) -> Result:
        headers = {"Content-Type": self.content_type, "User-Agent": "xenconform", "Accept-Encoding": "identity"}
        request = {"data": self.body, "headers": headers, "timeout": self.deadline, "allow_redirects": False}
        with self.session.post(self.url, stream=True, **request) as response:  # type: ignore[arg-type]
            size = 0
            for part in response.raw.stream(_PIECE, decode_content=False):
                size += len(part)
                self.parts.append(part)
                if size > self.max_body:
                    return self._trouble(Trouble.TOO_LARGE, f"a body over {self.max_body} bytes")
            return HttpReply(
                status=response.status_code,
                reason=response.reason or "",
                headers=tuple(response.raw.headers.items()),
                body=b"".join(self.parts),
                elapsed=time.monotonic() - self.start,
            )

    def _trouble(self, kind: Trouble, detail: str) -> TransportTrouble:
        return TransportTrouble(kind, detail, time.monotonic() - self.start, b"".join(self.parts)[:PARTIAL_KEPT])


def _causes(error: BaseException) -> list[BaseException]:
    """Return the exception and everything that it came from, the outermost first."""
    chain: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and each not in chain:
            chain.append(each)
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return chain


def _innermost(error: BaseException) -> str:
    return str(_causes(error)[-1]) or type(error).__name__


def _kind(error: BaseException) -> Trouble:
    """Return what kind of trouble an exception of `requests` tells of."""
    chain = _causes(error)

    def has(*types: type[BaseException]) -> bool:
        return any(isinstance(each, types) for each in chain)

    if has(requests.exceptions.SSLError):
        return Trouble.TLS
    if has(TimeoutError, ReadTimeoutError, requests.exceptions.Timeout):
        return Trouble.TIMEOUT
    if has(ConnectionRefusedError):
        return Trouble.REFUSED
    if has(ConnectionResetError, BrokenPipeError) and not any("without response" in str(each) for each in chain):
        return Trouble.RESET
    if has(IncompleteRead) or any("without response" in str(each) for each in chain):
        return Trouble.CLOSED_EARLY
    if has(ProtocolError, HTTPError, ValueError) and not has(OSError):
        return Trouble.BAD_HTTP
    return Trouble.UNREACHABLE if has(OSError) else Trouble.BAD_HTTP
