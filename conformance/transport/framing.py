"""Where a reply ends: bytes in, one HTTP/1 reply out. No sockets here.

The grammar is llhttp's (RFC 9112), by way of httptools; this module adds what a client must decide for itself:
bounds, interim replies, bodies that end with the connection, and bytes after the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import httptools

from xenconform.conformance.transport.base import PARTIAL_KEPT, Trouble


@dataclass(slots=True)
class ReplyReader:
    """Reads one reply. Feed it until `done` or `trouble` is set; call `finish` where the connection ends.

    `keep` tells whether the connection may carry another request. `surplus` tells that bytes came after the end.
    """

    max_body: int
    max_head: int
    status: int = 0
    reason: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: list[bytes] = field(default_factory=list)
    done: bool = False
    keep: bool = False
    surplus: bool = False
    trouble: tuple[Trouble, str] | None = None
    _parser: httptools.HttpResponseParser = field(init=False)
    _seen: list[bytes] = field(default_factory=list)
    _received: int = 0
    _size: int = 0
    _in_body: bool = False
    _trailers: int = 0

    def __post_init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)

    @property
    def partial(self) -> bytes:
        """The start of everything that was fed."""
        return b"".join(self._seen)[:PARTIAL_KEPT]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was fed yet."""
        return not self._received

    def feed(self, data: bytes) -> bool:
        """Take some bytes; return whether the reply is over, well or badly."""
        if self._received < PARTIAL_KEPT:
            self._seen.append(data)
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(Trouble.BAD_HTTP, "the server switches to another protocol, which nobody asked for")
        except httptools.HttpParserError as error:
            if self.done:
                self.surplus = True
            else:
                self._fail(Trouble.BAD_HTTP, f"no HTTP/1 reply: {error}")
        if not self._in_body and not self.done and self._received > self.max_head:
            self._fail(Trouble.TOO_LARGE, f"over {self.max_head} bytes before the body")
        return self.done or self.trouble is not None

    def finish(self) -> None:
        """Take note that the connection ended: that ends a body without length, and cuts short everything else."""
        if self.done or self.trouble:
            return
        if self._in_body and not self._is_framed():
            self.done = True
        elif self._in_body:
            self._fail(Trouble.CLOSED_EARLY, f"closed after {self._size} bytes of a body that was to be longer")
        elif self._received:
            self._fail(Trouble.CLOSED_EARLY, f"closed after {self._received} bytes, within the head")
        else:
            self._fail(Trouble.CLOSED_EARLY, "closed without a byte of a reply")

    def on_message_begin(self) -> None:
        """Called by the parser: the first byte of a reply, or of what follows one."""
        if self.done:
            self.surplus = True

    def on_status(self, text: bytes) -> None:
        """Called by the parser: the reason phrase, or a part of it."""
        if not self.done:
            self.reason += text

    def on_header(self, name: bytes, value: bytes | None) -> None:
        """Called by the parser: a header, or after the body a trailer, which is counted and dropped."""
        if self.done:
            return
        if not self._in_body:
            self.headers.append((name, value or b""))
            return
        self._trailers += len(name) + len(value or b"")
        if self._trailers > self.max_head:
            self._fail(Trouble.TOO_LARGE, f"over {self.max_head} bytes of trailers")

    def on_headers_complete(self) -> None:
        """Called by the parser: the head is whole."""
        if self.done:
            return
        self.status = self._parser.get_status_code()
        version = self._parser.get_http_version()
        if version not in {"1.0", "1.1"}:
            self._fail(Trouble.BAD_HTTP, f"HTTP version {version}")
        if self.status < 200:
            return
        self._in_body = True
        if sum(len(name) + len(value) for name, value in self.headers) > self.max_head:
            self._fail(Trouble.TOO_LARGE, f"over {self.max_head} bytes of headers")
        length = self._header(b"content-length")
        if length.isdigit() and int(length) > self.max_body:
            self._fail(Trouble.TOO_LARGE, f"a body of {length.decode()} bytes; {self.max_body} is the most")

    def on_body(self, data: bytes) -> None:
        """Called by the parser: a part of the body."""
        if self.done or self.trouble:
            return
        self._size += len(data)
        self.body.append(data)
        if self._size > self.max_body:
            self._fail(Trouble.TOO_LARGE, f"a body over {self.max_body} bytes")

    def on_message_complete(self) -> None:
        """Called by the parser: the end of an interim reply or of the reply itself."""
        if self.done:
            return
        if self._in_body:
            self.done = self.trouble is None
            self.keep = self._parser.should_keep_alive()
        else:
            self.headers.clear()
            self.reason = b""

    def _is_framed(self) -> bool:
        """Whether the head says where the body ends (RFC 9112, section 6.3)."""
        coding = self._header(b"transfer-encoding").lower()
        if coding:
            return coding.rpartition(b",")[2].strip() == b"chunked"
        return bool(self._header(b"content-length"))

    def _header(self, name: bytes) -> bytes:
        """Return the last header of a lower-case name, or nothing."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), b"")

    def _fail(self, kind: Trouble, detail: str) -> None:
        if self.trouble is None:
            self.trouble = (kind, detail)
