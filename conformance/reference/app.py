"""The ASGI application around a Service: bodies collected with a limit, event calls awaited without blocking others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from xenconform.conformance.codec import MAX_CALL_BYTES
from xenconform.conformance.reference.service import HttpAnswer, Parked, Service, page

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Gone(Exception):  # noqa: N818 - the client left; that is no error of anyone's
    """The client closed before its request was whole."""


class App:
    """A Service as an ASGI application."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._waiting: set[asyncio.Event] = set()
        self._stopping = False

    def stop(self) -> None:
        """Let every call that waits be answered now, for the server is to end."""
        self._stopping = True
        self._wake()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            raise ValueError(f"no {scope['type']} here")
        try:
            answer = await self._answer(scope, receive)
        except Gone:
            return
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            (b"cache-control", b"no-cache, no-store"),
        ]
        if answer.close:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> HttpAnswer:
        body = await _body(receive)
        if body is None:
            return page(413, f"a call may have {MAX_CALL_BYTES} bytes")
        return await self._begin(scope, receive, body)

    async def _begin(self, scope: Scope, receive: Receive, body: bytes) -> HttpAnswer:
        service = self._service
        before = service.state.version
        answer = service.begin(scope["path"], "", body, scope["method"])
        if service.state.version != before:
            self._wake()
        return answer if isinstance(answer, HttpAnswer) else await self._wait(answer, receive)

    async def _wait(self, parked: Parked, receive: Receive) -> HttpAnswer:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + parked.seconds
        news = asyncio.Event()
        self._waiting.add(news)
        left = asyncio.ensure_future(receive())
        try:
            while True:
                news.clear()
                over = self._stopping or loop.time() >= deadline
                answer = parked.resume(over)
                if answer is not None:
                    return answer
                told = asyncio.ensure_future(news.wait())
                await asyncio.wait({told, left}, timeout=deadline - loop.time(), return_when=asyncio.FIRST_COMPLETED)
                told.cancel()
                if left.done():
                    raise Gone
        finally:
            left.cancel()
            self._waiting.discard(news)

    def _wake(self) -> None:
        for news in self._waiting:
            news.set()


async def _body(receive: Receive) -> bytes | None:
    """Return a request's body, None where it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_CALL_BYTES:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)
