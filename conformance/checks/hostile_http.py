"""Level 5, broken HTTP: lengths that lie, chunks, halves of requests, and senders that stop or drip.

What must hold is what RFC 9112 says of framing: a request whose length cannot be known is no request, one body is one
request, and one client's half a request is no other client's concern. What such a request would write stays unwritten.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress

from xenconform.conformance.checks.bare import head, talk
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.hostile_leaks import NOWHERE
from xenconform.conformance.checks.hostile_scene import Scene, scene
from xenconform.conformance.checks.judging import Judge, show
from xenconform.models.calls import Success
from xenconform.models.exchange import Exchange

CLAUSE = "ROBUST-HTTP"
LARGE = 64 * 1024
"""The size of large heads, in bytes."""
SLOW = 8
"""So many clients stop half-way at the same time."""


def broken_http_is_refused(bench: Bench) -> None:
    """Broken framing is refused, holds nobody up, makes no body two requests. Source: RFC 9112, sections 6 and 7."""
    fmt = bench.formats[0]
    with bench.judging(CLAUSE, "server", fmt) as judge, scene(bench, judge) as here:
        for what, request in _broken(here):
            _judge_unwritten(judge, here, what, request)
        here.judge_alive(judge, "requests of broken length")
        for what, pieces in _whole(here):
            seen = _talk(here, pieces)
            judge.true(seen.status == 200, f"{what} is answered", _said(seen), seen)
        _judge_pipeline(judge, here)
        for what, request in _large_heads(here):
            _judge_meanwhile(judge, here, what, request)
        for what, begun in _stalled(here):
            _judge_held_up(judge, here, what, begun)


# ---------------------------------------------------------------------------------------------------------- connections


def _talk(here: Scene, pieces: tuple[bytes, ...], *, half_close: bool = False) -> Exchange:
    """Send pieces over a connection of their own and return all that came back until silence or the end."""
    return talk(here.bench, here.fmt, pieces, here.patience, half_close=half_close)


def _said(exchange: Exchange) -> str:
    return (
        show(exchange.received[:100].decode("latin-1")) if exchange.received else "nothing came, or a closed connection"
    )


def _head(here: Scene, *lines: str, method: str = "POST", path: str = "", typed: bool = True) -> bytes:
    return head(here.bench, here.fmt, *lines, method=method, path=path, typed=typed)


def _request(here: Scene, body: bytes, *lines: str) -> bytes:
    return _head(here, f"Content-Length: {len(body)}", *lines) + body


def _chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


# ------------------------------------------------------------------------------------------------------ what is refused


def _broken(here: Scene) -> Iterator[tuple[str, bytes]]:
    """Yield requests whose length is in doubt; each would write, or hides a whole request that would."""
    write = here.writing("written all the same")
    inside = _request(here, write, "Connection: close")
    size = len(write)
    for both in ("Transfer-Encoding: chunked", "Transfer-Encoding:chunked", "transfer-encoding: Chunked"):
        hidden = b"0\r\n\r\n" + inside
        yield (
            f"a request within the body of one with a length and {both!r}",
            (_head(here, f"Content-Length: {len(hidden)}", both) + hidden),
        )
    yield (
        "a length that ends before a request, and chunks that do not",
        (_head(here, "Content-Length: 3", "Transfer-Encoding: chunked") + _chunked(inside)),
    )
    ask = here.asking()
    yield (
        "a call as long as its length, said to be in chunks, and a request behind it",
        (_head(here, f"Content-Length: {len(ask)}", "Transfer-Encoding: chunked") + ask + inside),
    )
    hidden = _chunked(ask) + inside
    yield (
        "a call in chunks, with a length that reaches beyond them, and a request behind it",
        (_head(here, f"Content-Length: {len(hidden)}", "Transfer-Encoding: chunked") + hidden),
    )
    for line in (
        "Transfer_Encoding: chunked",
        "Transfer-Encoding : chunked",
        "X-Folded: x\r\n Transfer-Encoding: chunked",
    ):
        hidden = b"0\r\n\r\n" + inside
        yield (
            f"a request within the body of one with a length and {line!r}",
            _head(here, f"Content-Length: {len(hidden)}", line) + hidden,
        )
    # What is turned down for a line of its head has been read to its end, or is the last of its connection.
    for line in ("Content-Type: image/png", "Content-Type: application/octet-stream", "Expect: xenconform",
                 "Content-Encoding: gzip", "Accept: image/png"):  # fmt: skip
        yield (
            f"a request within the body of one with {line!r}",
            _head(here, f"Content-Length: {len(inside)}", line, typed="Content-Type" not in line) + inside,
        )
    for both in (
        "chunked, identity",
        "xchunked",
        "x-chunked",
        "chunked, chunked",
        "\x0bchunked",
        '"chunked"',
        "chunked;q=1",
    ):
        hidden = b"0\r\n\r\n" + inside
        yield (
            f"a request within the body of one with a length and the coding {both!r}",
            _head(here, f"Content-Length: {len(hidden)}", f"Transfer-Encoding: {both}") + hidden,
        )
    yield "a body without a length", _head(here) + write
    for first, second in ((size, size + len(inside)), (size + len(inside), size), (0, size), (size, size - 1)):
        yield (
            f"two lengths, {first} and {second}",
            (_head(here, f"Content-Length: {first}", f"Content-Length: {second}") + write + inside),
        )
    # A request that is turned down for its path or verb has been read to its end, or is the last of its connection.
    for method, path in (
        ("POST", NOWHERE),
        ("PUT", ""),
        ("GET", ""),
        ("OPTIONS", ""),
        ("NONE", ""),
        ("HEAD", ""),
        ("DELETE", ""),
        ("post", ""),
    ):
        head = _head(here, f"Content-Length: {len(inside)}", method=method, path=path)
        yield f"a request within the body of a {method} to {path or 'the usual path'}", head + inside
    odd = (f"+{size}", f"-{size}", f"{size}, {size + 1}", f"{size} {size}", f"0x{size:x}", f"{size}.0", f"{size}e0")
    for length in (*odd, f"{size}_0", "many", f"{2**64 + size}"):
        yield f"the length {length!r}", _head(here, f"Content-Length: {length}") + write
    yield "a space before the colon of a length", _head(here, f"Content-Length : {size}") + write
    yield "a length longer than the body", _head(here, f"Content-Length: {size + 7}") + write
    for what, chunks in {
        "a chunk's size that is none": b"xyz\r\n" + write + b"\r\n0\r\n\r\n",
        "a chunk's size below nothing": b"-%x\r\n%b\r\n0\r\n\r\n" % (size, write),
        "a chunk's size beyond 64 bits": b"1%016x\r\n%b\r\n0\r\n\r\n" % (size, write),
        "a chunk longer than its size": b"%x\r\n%b\r\n0\r\n\r\n" % (size - 5, write),
        "a chunk that is cut": b"%x\r\n%b" % (size + 50, write),
    }.items():
        yield what, _head(here, "Transfer-Encoding: chunked") + chunks


def _judge_unwritten(judge: Judge, here: Scene, what: str, request: bytes) -> None:
    seen = _talk(here, (request,), half_close=True)
    now, read = here.read()
    judge.true(now == "xenconform", f"{what} writes nothing", f"the text is {show(now)}; {_said(seen)}", seen, read)
    here.write("xenconform")


# ----------------------------------------------------------------------------------------------------- what is answered


def _whole(here: Scene) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    """Yield requests that are good, if oddly cut."""
    ask = here.asking()
    request = _request(here, ask, "Connection: close")
    middle = request.index(b"\r\n\r\n") + 4 + len(ask) // 2
    yield "a request in two pieces", (request[:middle], request[middle:])
    yield "a request cut in its head", (request[:9], request[9:])
    yield "a request cut at the end of its head", (request[: -len(ask)], ask)


def _judge_pipeline(judge: Judge, here: Scene) -> None:
    """Two requests in one piece get two answers, unless the server closes the connection after the first."""
    request = _request(here, here.asking())
    seen = _talk(here, (request + request,))
    answers = seen.received.count(b"HTTP/1.")
    closes = b"connection: close" in seen.received.lower()
    judge.true(answers == 2 or (answers == 1 and closes), "two requests in one piece get two answers",
               f"{answers} answers", seen)  # fmt: skip


# ------------------------------------------------------------------------------------------------------ who is held up


def _stalled(here: Scene) -> Iterator[tuple[str, bytes]]:
    """Yield beginnings of requests, after which the sender stops."""
    whole = _request(here, here.asking())
    yield "clients that connect and send nothing", b""
    yield "clients that stop in the request line", whole[:7]
    yield "clients that stop in a header", whole[: whole.index(b"Content-Type") + 5]
    yield "clients that stop before the body", whole[: whole.index(b"\r\n\r\n") + 4]
    yield "clients that stop in the body", whole[:-3]
    yield "clients that stop in a chunk", _head(here, "Transfer-Encoding: chunked") + b"ff\r\n<"


def _judge_held_up(judge: Judge, here: Scene, what: str, begun: bytes) -> None:
    """Let several clients stop half-way; others must be answered meanwhile, and after they have gone."""
    with ExitStack() as open_ones:
        try:
            for _ in range(SLOW):
                sock = open_ones.enter_context(here.bench.dial(here.patience))
                with suppress(OSError):
                    sock.sendall(begun)
        except OSError as why:
            judge.true(False, f"{SLOW} {what} may connect", str(why))
            return
        here.bench.client.note(here.fmt, begun, b"", 0.0)
        here.onlooker.close()
        here.judge_alive(judge, f"{SLOW} {what}")
    here.judge_alive(judge, f"{SLOW} {what} have gone")


def _large_heads(here: Scene) -> Iterator[tuple[str, bytes]]:
    """Yield requests that are good but for the size of their head: a server may answer or refuse them."""
    ask = here.asking()
    for size in (LARGE // 4, LARGE):
        yield f"a header of {size:,} bytes", _request(here, ask, f"X-Long: {'x' * size}")
    yield "a thousand headers", _request(here, ask, *(f"X-{n}: x" for n in range(1_000)))
    yield "a path of 64 KiB", _head(here, f"Content-Length: {len(ask)}", path="/" + "x" * LARGE) + ask


def _judge_meanwhile(judge: Judge, here: Scene, what: str, request: bytes) -> None:
    """Send a request, twice if need be, and assert that another client is answered as usual while it is looked at."""
    slow: list[Exchange] = []
    for _ in range(2):
        with here.bench.dial(here.patience) as sock:
            with suppress(OSError):  # A server may close before it has read it all.
                sock.sendall(request)
            good = here.good_call()
        if isinstance(good.reply.outcome, Success) and good.elapsed <= here.patience:
            judge.asserted += 1
            return
        slow.append(good)
    said = f"after {slow[-1].elapsed:.1f} s"
    judge.true(False, f"a good call is answered as usual beside {what}", said, *slow)


CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_server=broken_http_is_refused),)
