"""The transports against servers that do everything wrong."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hostile import OK, REPLIES, TROUBLES, answer, answers_but_takes_nothing, head, read_request, serving, stall

from xenconform.conformance.transport import (
    HttpReply,
    RequestsTransport,
    Result,
    SocketTransport,
    Transport,
    TransportTrouble,
)
from xenconform.models.target import Target, parse_target

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE, SLACK = 0.4, 0.6
KINDS: list[Callable[[Target], Transport]] = [
    lambda target: SocketTransport(target, max_body=2**20),
    lambda target: RequestsTransport(target, max_body=2**20),
]
BOTH = pytest.mark.parametrize("make", KINDS, ids=["sockets", "requests"])


def timed(transport: Transport, body: bytes = b"<x/>", deadline: float = DEADLINE) -> Result:
    """Post, and assert that the deadline held."""
    start = time.monotonic()
    try:
        result = transport.post("/", body, "text/xml", deadline)
    finally:
        transport.close()
    assert time.monotonic() - start < deadline + SLACK
    assert result.elapsed < deadline + SLACK
    return result


@pytest.mark.parametrize("name", REPLIES)
def test_whole_replies(name: str) -> None:
    """However a server frames a whole reply, its status and body come through."""
    with serving(REPLIES[name]) as server:
        result = timed(SocketTransport(parse_target(server.url)), deadline=5)
    assert isinstance(result, HttpReply), result
    assert (result.status, result.body) == (200, b"hello")
    assert result.surplus is (name in {"two", "length short", "garbage after"})


@pytest.mark.parametrize("name", TROUBLES)
def test_troubles(name: str) -> None:
    """Whatever else a server does is trouble of the right kind, within the deadline."""
    kind, behaviour = TROUBLES[name]
    with serving(behaviour) as server:
        deadline = 5 if kind == "too-large" else DEADLINE
        result = timed(SocketTransport(parse_target(server.url), max_body=2**20), deadline=deadline)
    assert isinstance(result, TransportTrouble), result
    assert result.kind == kind, result


@pytest.mark.parametrize("name", [*REPLIES, *TROUBLES])
def test_requests_transport_never_raises_or_hangs(name: str) -> None:
    """Through requests, too, every behaviour ends as a reply or as trouble, within the deadline."""
    behaviour = REPLIES[name] if name in REPLIES else TROUBLES[name][1]
    with serving(behaviour) as server:
        result = timed(RequestsTransport(parse_target(server.url), max_body=2**20), deadline=0.7)
    if name in TROUBLES and TROUBLES[name][0] in {"timeout", "reset"}:
        assert isinstance(result, TransportTrouble), result
        assert result.kind == TROUBLES[name][0], result
    if name in {"plain", "chunked", "interim"}:
        assert isinstance(result, HttpReply), result
        assert (result.status, result.body) == (200, b"hello")


def test_every_cut_of_a_reply_is_trouble() -> None:
    """A reply cut anywhere is closed-early, and what came is kept."""
    for cut in range(len(OK)):
        with serving(answer(OK[:cut])) as server:
            result = timed(SocketTransport(parse_target(server.url)))
        assert isinstance(result, TransportTrouble), cut
        assert (result.kind, result.partial) == ("closed-early", OK[:cut])


@BOTH
def test_nobody_listens(make: Callable[[Target], Transport]) -> None:
    """A port without a listener is refused."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        target = parse_target(f"http://127.0.0.1:{free.getsockname()[1]}")
        result = timed(make(target))
    assert isinstance(result, TransportTrouble)
    assert result.kind == "refused"


@BOTH
def test_no_such_name(make: Callable[[Target], Transport]) -> None:
    """A host that has no address is unreachable, or a timeout where the resolver itself is slow."""
    result = timed(make(parse_target("http://no-such-host.invalid")))
    assert isinstance(result, TransportTrouble)
    assert result.kind in {"unreachable", "timeout"}


def test_connecting_ends_at_the_deadline() -> None:
    """A listener whose queue is full never completes a connection; the deadline holds for that too."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        result = timed(SocketTransport(parse_target(f"http://127.0.0.1:{full.getsockname()[1]}")))
        for each in waiting:
            each.close()
    assert isinstance(result, TransportTrouble)
    assert result.kind == "timeout"


def test_keep_alive_uses_one_connection() -> None:
    """A hundred posts to a server that keeps the connection open use one connection."""
    with serving(answer(OK, then_close=False)) as server:
        transport = SocketTransport(parse_target(server.url))
        replies = [transport.post("/", b"x", "text/xml", 5) for _ in range(100)]
        transport.close()
    assert all(isinstance(reply, HttpReply) and not reply.surplus for reply in replies)
    assert server.connections == transport.connections == 1


@pytest.mark.parametrize("reply", [OK, head("Connection: close", "Content-Length: 5") + b"hello"])
def test_a_connection_that_the_server_closes_is_replaced(reply: bytes) -> None:
    """A server that closes after each reply, with or without saying so, is posted to again on a new connection."""
    with serving(answer(reply)) as server:
        transport = SocketTransport(parse_target(server.url))
        results = [transport.post("/", b"x", "text/xml", 5) for _ in range(200)]
        transport.close()
    assert all(isinstance(each, HttpReply) for each in results)
    assert server.connections == 200


def test_a_request_that_was_read_is_never_sent_again() -> None:
    """Where a server reads the second request of a connection and closes without an answer, that is trouble."""
    seen: list[bytes] = []

    def behave(sock: socket.socket, _stop: threading.Event) -> None:
        seen.append(read_request(sock))
        sock.sendall(OK)
        seen.append(read_request(sock))

    with serving(behave) as server:
        transport = SocketTransport(parse_target(server.url))
        first = transport.post("/", b"1", "text/xml", 5)
        second = transport.post("/", b"2", "text/xml", 5)
        transport.close()
    assert isinstance(first, HttpReply)
    assert isinstance(second, TransportTrouble)
    assert second.kind == "closed-early"
    assert seen == [b"1", b"2"]


def test_late_bytes_are_not_taken_for_the_next_answer() -> None:
    """What a server sends after its reply is dropped with the connection, and the next reply says so."""
    sent = threading.Event()

    def behave(sock: socket.socket, _stop: threading.Event) -> None:
        number = read_request(sock)
        sock.sendall(OK.replace(b"hello", number * 5))
        if number == b"1":
            sent.wait(5)
            sock.sendall(OK.replace(b"hello", b"wrong"))
            sent.clear()

    with serving(behave) as server:
        transport = SocketTransport(parse_target(server.url))
        transport.post("/", b"1", "text/xml", 5)
        sent.set()
        while sent.is_set():
            time.sleep(0.001)
        result = transport.post("/", b"2", "text/xml", 5)
        transport.close()
    assert isinstance(result, HttpReply)
    assert (result.body, result.unsolicited) == (b"22222", True)


def test_an_answer_before_the_request_was_taken() -> None:
    """A server that answers and takes no more of a large request is heard, and its connection is dropped."""
    with serving(answers_but_takes_nothing(OK)) as server:
        transport = SocketTransport(parse_target(server.url))
        result = timed(transport, b"x" * 2**25, deadline=5)
    assert isinstance(result, HttpReply)
    assert result.body == b"hello"


def test_a_large_request_that_nobody_takes_ends_at_the_deadline() -> None:
    """Sending is under the deadline too."""
    with serving(stall(read=False)) as server:
        result = timed(SocketTransport(parse_target(server.url)), b"x" * 2**25)
    assert isinstance(result, TransportTrouble)
    assert result.kind == "timeout"


@BOTH
def test_large_bodies_both_ways(make: Callable[[Target], Transport]) -> None:
    """A megabyte goes out and comes back unchanged."""
    big = bytes(range(256)) * 4096

    def echo(sock: socket.socket, _stop: threading.Event) -> None:
        body = read_request(sock)
        sock.sendall(head(f"Content-Length: {len(body)}") + body)

    with serving(echo) as server:
        result = timed(make(parse_target(server.url)), big, deadline=10)
    assert isinstance(result, HttpReply)
    assert result.body == big


def test_the_request_on_the_wire() -> None:
    """The request has one Host, the body's length, and the path and content type that were given."""
    lines: list[bytes] = []

    def behave(sock: socket.socket, _stop: threading.Event) -> None:
        lines.extend(sock.recv(65536).split(b"\r\n"))
        sock.sendall(OK)

    with serving(behave) as server:
        transport = SocketTransport(parse_target(server.url))
        transport.post("/jsonrpc?x=1", b"{}", "application/json", 5)
        transport.close()
    assert lines[0] == b"POST /jsonrpc?x=1 HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}".encode() in lines
    assert b"Content-Length: 2" in lines
    assert b"Content-Type: application/json" in lines
    assert lines[-2:] == [b"", b"{}"]


@BOTH
@pytest.mark.parametrize(
    ("path", "content_type"), [("/a b", "x"), ("/a\r\nb", "x"), ("a", "x"), ("/é", "x"), ("/", "x\n")]
)
def test_what_a_head_cannot_carry_is_refused(make: Callable[[Target], Transport], path: str, content_type: str) -> None:
    """A path or content type that would break the request's head is the caller's error."""
    with pytest.raises(ValueError, match="not"):
        make(parse_target("http://127.0.0.1:1")).post(path, b"", content_type, 1)


def test_repeated_headers_are_kept() -> None:
    """Headers keep their order, their case and their repetitions."""
    with serving(answer(head("A: 1", "b: 2", "a: 3", "Content-Length: 0"))) as server:
        result = timed(SocketTransport(parse_target(server.url)))
    assert isinstance(result, HttpReply)
    assert result.headers == (("A", "1"), ("b", "2"), ("a", "3"), ("Content-Length", "0"))
    assert (result.header("B"), result.header("c")) == ("2", None)


def test_an_error_status_is_a_reply() -> None:
    """A status of 500 with a page is a reply like any other."""
    with serving(answer(b"HTTP/1.0 500 Oops\r\n\r\n<html>")) as server:
        result = timed(SocketTransport(parse_target(server.url)))
    assert isinstance(result, HttpReply)
    assert (result.status, result.reason, result.body) == (500, "Oops", b"<html>")
