"""What a transport is: it carries one body to the server and brings back what came, whatever that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

MAX_BODY = 64 * 2**20
"""The most bytes of a reply's body that are taken, where nothing else is said."""

MAX_HEAD = 64 * 2**10
"""The most bytes before a reply's body: status line, headers and interim replies together."""

PARTIAL_KEPT = 64 * 2**10
"""The most bytes that are kept of what came before the trouble."""


class Trouble(StrEnum):
    """The ways in which no HTTP reply comes."""

    REFUSED = "refused"
    """Nobody listens at the address."""
    UNREACHABLE = "unreachable"
    """There is no way to the address: no such name, no route, no such socket file."""
    TLS = "tls"
    """The server's certificate is not trusted, or the bytes are no TLS."""
    RESET = "reset"
    """The server broke the connection off."""
    CLOSED_EARLY = "closed-early"
    """The server closed the connection before the reply was whole."""
    TIMEOUT = "timeout"
    """The reply was not whole at the deadline."""
    BAD_HTTP = "bad-http"
    """The bytes are no HTTP/1 reply."""
    TOO_LARGE = "too-large"
    """The reply's head or body is over the bound."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole HTTP reply.

    `headers` are in the order received, the names as written, a name that came twice twice. `elapsed` is in seconds.
    `surplus` tells that more bytes came than the reply's framing allows. `unsolicited` tells that bytes lay waiting
    on the connection before this request was sent: more than the reply before this one was to have. In both cases
    the connection was dropped, so that no reply is taken for the answer to another request.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    elapsed: float
    surplus: bool = False
    unsolicited: bool = False

    def header(self, name: str) -> str | None:
        """Return the first header of a name, whatever its case; None where there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class TransportTrouble:
    """No reply came. `detail` says why for people; `partial` is the start of the bytes that did come, head included."""

    kind: Trouble
    detail: str
    elapsed: float
    partial: bytes = b""


Result: TypeAlias = HttpReply | TransportTrouble


class Transport(Protocol):
    """A way to one server. A transport serves one thread; each thread has its own."""

    def post(self, path: str, body: bytes, content_type: str, deadline: float) -> Result:
        """Post a body and return what came within `deadline` seconds, connecting included.

        Nothing that a server does raises.

        Raises:
            ValueError: `path` or `content_type` has characters that a request line or header cannot carry.
        """
        ...

    def close(self) -> None:
        """Close the connection; the next post opens a new one."""
        ...
