"""`xenconform fuzz` against servers that turn bad: it ends by itself, in time, with no traceback, and never with 0."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias

import pytest
import trustme
from forking import Forker
from fronts import Way, context_for, front
from hostile import OK, TROUBLES, answer, at_once, flood, reset, stall
from turncoat import PASSWORD, TREASONS, Treason, Turn, Turncoat, body, fails, http, like, says, turncoat

from xenconform.conformance.reference.service import HttpAnswer

SECONDS = 120
"""The longest that a run of three seconds may take."""
AFTER = 60
"""So many good answers come first: the stage is set with fewer."""
LANES = 4
"""So many runs at a time; they wait more than they work."""
OPTIONS = ("--time", "3s", "--deadline", "0.5", "--seed", "1")


Forkers: TypeAlias = "SimpleQueue[Forker]"


@pytest.fixture(scope="module")
def forkers() -> Iterator[Forkers]:
    """Processes to run the command in, for those who come first."""
    waiting: Forkers = SimpleQueue()
    with ExitStack() as after:
        for _ in range(LANES):
            waiting.put(after.enter_context(Forker()))
        yield waiting


@dataclass(frozen=True)
class Told:
    """What a run of the command came to."""

    code: int
    said: str
    results: dict[str, Any]
    seconds: float

    def is_borne(self) -> None:
        """Assert what any server owes nothing for: the run ends in time and in order, and is no success."""
        assert "Traceback" not in self.said, self.said
        assert self.code in {1, 3, 4}, self.said
        assert self.seconds < SECONDS
        assert self.results.get("errors", []) == []
        if self.code == 1:
            assert self.results["findings"]
        if self.code == 3:
            assert self.reason()

    def reason(self) -> str:
        """Return the one line that says why the run could not be finished."""
        lines = [line for line in self.said.splitlines() if line.startswith("xenconform: ")]
        assert len(lines) == 1, self.said
        return lines[0].removeprefix("xenconform: ")

    def clauses(self) -> set[str]:
        return {finding["clause"] for finding in self.results.get("findings", [])}


def fuzz(forkers: Forkers, url: str, out: Path, *options: str) -> Told:
    """Run the command on a server for three seconds, with a short deadline."""
    password, said, told = out / "password", out / "said", out / "results.json"
    password.write_text(PASSWORD)
    forker = forkers.get()
    try:
        began = time.monotonic()
        code = forker.run(
            ["fuzz", url, *OPTIONS, *options, "--password-file", str(password), "--out", str(out)], said, 2 * SECONDS
        )
        seconds = time.monotonic() - began
    finally:
        forkers.put(forker)
    results = json.loads(told.read_text()) if told.exists() else {}
    return Told(code, said.read_text(), results, seconds)


# ------------------------------------------------------------------------------------------------- what servers turn to


def another_id(turn: Turn) -> bytes:
    """The reply with an id that nobody gave, in JSON; in XML the text of a fault."""
    said = re.sub(rb'("id": ?)("[^"]*"|\d+)', rb"\g<1>987654321", turn.answer.body)
    return said if turn.is_json else said.replace(b"methodResponse", b"methodCall")


def one_of(every: int, treason: Treason) -> Treason:
    """Turn for one request in so many, and be good for the others."""
    numbers = count(1)
    return lambda turn: treason(turn) if next(numbers) % every == 0 else says(lambda turn: http(turn.answer))(turn)


def if_hostile(treason: Treason) -> Treason:
    """Turn for what is not answered with a success."""
    good = says(lambda turn: http(turn.answer))
    return lambda turn: (
        good(turn) if b"Success" in turn.answer.body or b'"result"' in turn.answer.body else treason(turn)
    )


def of_value(xml: bytes, jsn: bytes) -> Treason:
    """A proper reply whose value is as written, in XML and in JSON."""
    of_xml = (
        b"<methodResponse><params><param><value><struct><member><name>Status</name><value>Success</value></member>"
        b"<member><name>Value</name><value>%s</value></member></struct></value></param></params></methodResponse>"
    )
    of_json = b'{"jsonrpc":"2.0","id":1,"result":%s}'
    return body(lambda turn: of_json % jsn if turn.is_json else of_xml % xml)


def stalls_for(seconds: float) -> Treason:
    """Answer well, but late."""

    def betray(turn: Turn) -> bool:
        turn.stop.wait(seconds)
        turn.sock.sendall(http(turn.answer))
        return True

    return betray


def zipped(size: int) -> bytes:
    return http(HttpAnswer(200, "text/xml", gzip.compress(b" " * size)), "Content-Encoding: gzip")


LAUGHS = (
    b'<!DOCTYPE a [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]><methodResponse><params><param><value>&a11;</value></param></params></methodResponse>"
)
BEHAVIOURS: dict[str, Treason] = {
    **TREASONS,
    **{
        name: like(TROUBLES[name][1])
        for name in (
            "stalls within the head", "length long", "drips chunks", "closes after the request", "cut in a chunk",
            "interim only", "resets after the request", "two lengths", "negative length", "bad chunk size",
            "header with NUL", "tls to plain", "a request back", "1 MiB header", "endless chunks", "endless trailers",
            "endless interim",
        )
    },
    "another id": body(another_id),
    "two whole replies": says(lambda turn: http(turn.answer) * 2),
    "a thousand replies": says(lambda turn: http(turn.answer) * 1000),
    "a reply before each request": like(at_once(OK)),
    "one reply in three of another call": one_of(3, says(lambda turn: http(turn.before))),
    "stalls at one request in ten": one_of(10, TREASONS["stalls"]),
    "closes at one request in five": one_of(5, TREASONS["closes at once"]),
    "stalls at what it refuses": if_hostile(TREASONS["stalls"]),
    "drips at what it refuses": if_hostile(TREASONS["drips body"]),
    "answers late": stalls_for(0.45),
    "answers too late": stalls_for(0.8),
    "no session any more": fails("SESSION_INVALID", "OpaqueRef:gone"),
    "no object any more": fails("HANDLE_INVALID", "VM", "OpaqueRef:gone"),
    "an error without a name": fails(""),
    "a zip bomb": says(lambda _: zipped(100 * 2**20)),
    "a billion laughs": body(lambda _: LAUGHS, "text/xml"),
    "a number of 100,000 digits": of_value(b"<int>" + b"9" * 100_000 + b"</int>", b"9" * 100_000),
    "numbers that are none": of_value(b"<double>nan</double>", b"NaN"),
    "half a pair of surrogates": of_value(b"&#xD800;", b'"\\ud800"'),
    "a member 10,000 times": of_value(
        b"<struct>" + b"<member><name>a</name><value>b</value></member>" * 10_000 + b"</struct>",
        b"{" + b",".join([b'"a":"b"'] * 10_000) + b"}",
    ),
    "a status of five figures": says(lambda turn: http(turn.answer, status="20000 OK")),
    "20,000 headers": says(lambda turn: http(turn.answer, *(f"X-{n}: y" for n in range(20_000)))),
    "a media type of 60 KiB": body(lambda turn: turn.answer.body, "text/" + "x" * 60_000),
}  # fmt: skip
"""Every way to turn, by name."""


def goes_away(server: Turncoat) -> Treason:
    """Stop listening, so that nobody gets a connection any more."""

    def betray(turn: Turn) -> bool:
        with suppress(OSError):
            server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        return TREASONS["closes at once"](turn)

    return betray


@pytest.fixture(scope="module")
def betrayed(forkers: Forkers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Told]]]:
    """A run for each behaviour, several at a time."""

    def run(name: str, out: Path) -> Told:
        with turncoat(BEHAVIOURS[name], after=AFTER) as server:
            return fuzz(forkers, server.url, out)

    with ThreadPoolExecutor(LANES) as pool:
        yield {name: pool.submit(run, name, tmp_path_factory.mktemp("out")) for name in BEHAVIOURS}


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_a_server_that_turns_bad_is_borne(name: str, betrayed: dict[str, Future[Told]]) -> None:
    """Whatever a server begins to do, the run ends soon and in order, and does not end well."""
    betrayed[name].result().is_borne()


# --------------------------------------------------------------------------------------------------- when servers turn


@pytest.fixture(scope="module")
def early(forkers: Forkers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, int], Future[Told]]]:
    """A run for each time at which a server turns while the stage is set, and as soon as it is."""

    def run(key: tuple[str, int], out: Path) -> Told:
        with turncoat(TREASONS[key[0]], after=key[1]) as server:
            return fuzz(forkers, server.url, out)

    with ThreadPoolExecutor(LANES) as pool:
        yield {key: pool.submit(run, key, tmp_path_factory.mktemp("out")) for key in EARLY}


EARLY = [("the reply of the call before", after) for after in (1, 5, 7, 8, 9)]
EARLY += [("HTTP 500 for all", after) for after in (1, 6, 8)] + [("cut in the body", after) for after in (2, 7)]


@pytest.mark.parametrize(("name", "after"), EARLY)
def test_a_server_may_turn_at_any_time(name: str, after: int, early: dict[tuple[str, int], Future[Told]]) -> None:
    """A server that turns bad before anything hostile was sent is told so as well."""
    early[name, after].result().is_borne()


def test_a_server_that_goes_away_is_a_finding(forkers: Forkers, tmp_path: Path) -> None:
    """Where nobody listens any more, what was found stays, and the end of the server is found too."""
    with turncoat(None, after=AFTER) as server:
        server.treason = goes_away(server)
        told = fuzz(forkers, server.url, tmp_path)
    told.is_borne()
    assert told.code == 1
    assert "ROBUST-ALIVE" in told.clauses()
    assert any("the server is gone" in finding["element"] for finding in told.results["findings"])


@pytest.mark.parametrize("name", ["stalls", "closes at once", "HTTP 500 for all", "a web page", "http/2", "ssh banner"])
def test_a_server_that_lets_nobody_in_cannot_be_fuzzed(name: str, forkers: Forkers, tmp_path: Path) -> None:
    """A server that never answered well is exit code 3, in one line that says what came."""
    with turncoat(TREASONS[name]) as server:
        told = fuzz(forkers, server.url, tmp_path)
    told.is_borne()
    assert told.code == 3
    assert told.reason().startswith("cannot log in at http://127.0.0.1")
    assert "no answer" in told.reason()


def test_a_server_that_is_not_there_cannot_be_fuzzed(forkers: Forkers, tmp_path: Path) -> None:
    """Where nobody listens, over TCP or at a path, that is said in one line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    for each in (url, f"unix://{tmp_path}/none.sock"):
        told = fuzz(forkers, each, tmp_path)
        assert told.code == 3
        assert "cannot log in" in told.reason()
        assert re.search("nobody listens|cannot connect", told.reason())


# ----------------------------------------------------------------------------------------------------------------- TLS


def handshake_then(way: Way, context: ssl.SSLContext) -> Way:
    """Shake hands, and go a way within TLS."""

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        with context.wrap_socket(sock, server_side=True) as inner:
            way(inner, stop)

    return behave


def cut_tls(context: ssl.SSLContext) -> Way:
    """Take the request within TLS, and close the connection beneath it without a word."""

    def behave(sock: socket.socket, _stop: threading.Event) -> None:
        with context.wrap_socket(sock.dup(), server_side=True) as inner:
            inner.recv(65536)
            inner.detach()
        sock.shutdown(socket.SHUT_RDWR)

    return behave


def answers_after(seconds: float) -> Way:
    """Say nothing for so long, then something that is no TLS."""

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        stop.wait(seconds)
        sock.sendall(OK)

    return behave


@dataclass(frozen=True)
class Hands:
    """The certificates of the TLS tests: one authority, its file, and servers of the right and of another name."""

    cafile: str
    right: ssl.SSLContext
    other: ssl.SSLContext
    unknown: ssl.SSLContext

    def ways(self) -> dict[str, Way]:
        """Return what becomes of connections, by name."""
        return {
            "the handshake stalls": stall(read=False),
            "the handshake stalls half-way": stall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76", read=False),
            "plain HTTP at once": at_once(OK),
            "plain HTTP after a while": answers_after(0.3),
            "an SSH banner": at_once(b"SSH-2.0-OpenSSH_9.9\r\n"),
            "an alert": at_once(b"\x15\x03\x03\x00\x02\x02\x28"),
            "a record of noise": at_once(b"\x16\x03\x03\x40\x00" + b"\x5a" * 16384),
            "noise for ever": flood_at_once(b"\x16\x03\x03\x01\x00" + b"\x00" * 256),
            "closes at once": at_once(),
            "resets at once": reset_at_once,
            "a certificate of another name": handshake_then(answer(OK), self.other),
            "a certificate that nobody knows": handshake_then(answer(OK), self.unknown),
            "closes behind the handshake": handshake_then(at_once(), self.right),
            "stalls behind the handshake": handshake_then(stall(), self.right),
            "cut without a word": cut_tls(self.right),
            "cut within the body": handshake_then(answer(OK[:-2]), self.right),
            "resets within the body": handshake_then(reset(OK[:-2]), self.right),
            "no HTTP within": handshake_then(answer(b"junk\r\n\r\n"), self.right),
            "endless within": handshake_then(flood(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 4096), self.right),
        }


def flood_at_once(endless: bytes) -> Way:
    """Send the same for ever, whatever comes."""

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        while not stop.is_set():
            sock.sendall(endless)

    return behave


def reset_at_once(sock: socket.socket, _stop: threading.Event) -> None:
    """Break the connection off before anything is read."""
    sock.recv(1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture(scope="module")
def hands(tmp_path_factory: pytest.TempPathFactory) -> Hands:
    authority, cafile = trustme.CA(), tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(cafile)
    of = [context_for("127.0.0.1", authority), context_for("other.example", authority)]
    return Hands(str(cafile), of[0], of[1], context_for("127.0.0.1", trustme.CA()))


WAYS = Hands("", *[ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)] * 3).ways()


@pytest.fixture(scope="module")
def over_tls(
    forkers: Forkers, hands: Hands, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, int], Future[Told]]]:
    """A run for each way, from the first connection and from the tenth on, several at a time."""

    def run(name: str, after: int, out: Path) -> Told:
        way = hands.ways()[name]
        with turncoat() as server, front(server.port, hands.right, way=way, after=after) as door:
            return fuzz(forkers, door.url, out, "--ca-file", hands.cafile)

    with ThreadPoolExecutor(LANES) as pool:
        keys = [(name, after) for name in WAYS for after in (0, 10)]
        yield {key: pool.submit(run, *key, tmp_path_factory.mktemp("out")) for key in keys}


@pytest.mark.parametrize("name", WAYS)
def test_tls_that_turns_bad_is_borne(name: str, over_tls: dict[tuple[str, int], Future[Told]]) -> None:
    """Whatever becomes of new connections over TLS after some good ones, the run ends soon, in order, and not well."""
    over_tls[name, 10].result().is_borne()


@pytest.mark.parametrize("name", WAYS)
def test_tls_that_never_comes_about_is_told(name: str, over_tls: dict[tuple[str, int], Future[Told]]) -> None:
    """Where no connection over TLS comes about or none is of use, nobody is let in, in one line that says why."""
    told = over_tls[name, 0].result()
    told.is_borne()
    assert told.code == 3
    assert told.reason().startswith("cannot log in at https://127.0.0.1")
