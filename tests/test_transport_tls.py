"""The transports over TLS, over unix sockets and through a proxy."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme
from hostile import OK, answer, at_once, head, read_request, serving, stall

from xenconform.conformance.transport import (
    HttpReply,
    RequestsTransport,
    SocketTransport,
    Tls,
    Transport,
    TransportTrouble,
)
from xenconform.models.target import Target, parse_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BOTH = pytest.mark.parametrize(
    "make",
    [SocketTransport, lambda target, tls: RequestsTransport(target, tls=tls)],
    ids=["sockets", "requests"],
)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def context(authority: trustme.CA) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(made)
    return made


@pytest.fixture
def cafile(authority: trustme.CA, tmp_path: Path) -> Iterator[str]:
    with authority.cert_pem.tempfile(dir=str(tmp_path)) as name:
        yield name


@BOTH
def test_a_ca_file_is_trusted(make: Callable[[Target, Tls], Transport], context: ssl.SSLContext, cafile: str) -> None:
    """A server whose certificate comes from the given CA is talked to, over one connection."""
    with serving(answer(OK, then_close=False), context) as server:
        transport = make(parse_target(server.url), Tls(cafile=cafile))
        results = [transport.post("/", b"x", "text/xml", 5) for _ in range(5)]
        transport.close()
    assert [isinstance(result, HttpReply) and result.body for result in results] == [b"hello"] * 5
    assert server.connections == 1


@BOTH
def test_an_unknown_certificate_is_refused(make: Callable[[Target, Tls], Transport], context: ssl.SSLContext) -> None:
    """Without the CA file the same server is not trusted."""
    with serving(answer(OK), context) as server:
        transport = make(parse_target(server.url), Tls())
        result = transport.post("/", b"x", "text/xml", 5)
        transport.close()
    assert isinstance(result, TransportTrouble)
    assert result.kind == "tls"


def test_the_refusal_names_the_remedy(context: ssl.SSLContext) -> None:
    """The words for a certificate that is not trusted say what to give."""
    with serving(answer(OK), context) as server:
        result = SocketTransport(parse_target(server.url)).post("/", b"x", "text/xml", 5)
    assert isinstance(result, TransportTrouble)
    assert "CA file" in result.detail
    assert "insecure" in result.detail


@BOTH
def test_a_certificate_of_another_name_is_refused(
    make: Callable[[Target, Tls], Transport], authority: trustme.CA, cafile: str
) -> None:
    """A certificate of the right CA for another host is not trusted."""
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(other)
    with serving(answer(OK), other) as server:
        transport = make(parse_target(server.url), Tls(cafile=cafile))
        result = transport.post("/", b"x", "text/xml", 5)
        transport.close()
    assert isinstance(result, TransportTrouble)
    assert result.kind == "tls"


@BOTH
@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_insecure_takes_any_certificate(make: Callable[[Target, Tls], Transport], context: ssl.SSLContext) -> None:
    """On request any certificate is taken."""
    with serving(answer(OK), context) as server:
        transport = make(parse_target(server.url), Tls(insecure=True))
        result = transport.post("/", b"x", "text/xml", 5)
        transport.close()
    assert isinstance(result, HttpReply)
    assert result.body == b"hello"


@BOTH
@pytest.mark.parametrize("sent", [b"SSH-2.0-x\r\n", b"\x16\x03\x03\xff\xff" + b"x" * 99, OK])
def test_bytes_that_are_no_tls(make: Callable[[Target, Tls], Transport], sent: bytes) -> None:
    """A server that does not speak TLS at an https address is trouble of the kind tls."""
    with serving(at_once(sent)) as server:
        transport = make(parse_target(server.url.replace("http:", "https:")), Tls())
        result = transport.post("/", b"x", "text/xml", 5)
        transport.close()
    assert isinstance(result, TransportTrouble)
    assert result.kind == "tls"


@BOTH
def test_a_handshake_ends_at_the_deadline(make: Callable[[Target, Tls], Transport]) -> None:
    """A server that takes the connection and never shakes hands is a timeout."""
    with serving(stall(read=False)) as server:
        transport = make(parse_target(server.url.replace("http:", "https:")), Tls())
        result = transport.post("/", b"x", "text/xml", 0.3)
        transport.close()
    assert isinstance(result, TransportTrouble)
    assert result.kind == "timeout"
    assert result.elapsed < 1


@pytest.mark.parametrize(
    ("sent", "kind"), [(OK[:-1], "closed-early"), (b"", "closed-early"), (b"junk\r\n", "bad-http")]
)
def test_troubles_inside_tls(context: ssl.SSLContext, cafile: str, sent: bytes, kind: str) -> None:
    """Inside TLS the same troubles have the same kinds."""
    with serving(answer(sent), context) as server:
        result = SocketTransport(parse_target(server.url), Tls(cafile=cafile)).post("/", b"x", "text/xml", 5)
    assert isinstance(result, TransportTrouble)
    assert result.kind == kind


def test_a_tls_server_that_closes_is_connected_to_again(context: ssl.SSLContext, cafile: str) -> None:
    """A server that says it closes after each reply gets a new connection each time."""
    reply = head("Connection: close", "Content-Length: 0")
    with serving(answer(reply), context) as server:
        transport = SocketTransport(parse_target(server.url), Tls(cafile=cafile))
        assert all(isinstance(transport.post("/", b"x", "text/xml", 5), HttpReply) for _ in range(5))
        transport.close()
    assert server.connections == 5


@BOTH
def test_bad_tls_settings(make: Callable[[Target, Tls], Transport], tmp_path: Path) -> None:
    """A CA file that is missing or empty, or beside insecure, is refused by name."""
    target = parse_target("https://127.0.0.1:1")
    (tmp_path / "empty.pem").write_text("")
    for tls in (Tls(cafile="nowhere.pem"), Tls(cafile=str(tmp_path / "empty.pem")), Tls("ca.pem", insecure=True)):
        with pytest.raises(ValueError, match=r"\.pem"):
            make(target, tls)


def test_unix_socket(tmp_path: Path) -> None:
    """A unix socket carries requests, with the Host localhost, over one connection."""
    heads: list[bytes] = []

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        while not stop.is_set():
            heads.append(sock.recv(65536))
            if not heads[-1]:
                return
            sock.sendall(OK)

    path = str(tmp_path / "server.sock")
    with serving(behave, unix=path):
        transport = SocketTransport(parse_target(f"unix://{path}"))
        results = [transport.post("/", b"x", "text/xml", 5) for _ in range(3)]
        transport.close()
    assert all(isinstance(result, HttpReply) for result in results)
    assert b"\r\nHost: localhost\r\n" in heads[0]
    assert transport.connections == 1


def test_a_unix_socket_that_the_server_closes(tmp_path: Path) -> None:
    """A server that closes a unix socket after each reply is posted to again."""
    path = str(tmp_path / "server.sock")
    with serving(answer(OK), unix=path):
        transport = SocketTransport(parse_target(f"unix://{path}"))
        results = [transport.post("/", b"x", "text/xml", 5) for _ in range(3)]
        transport.close()
    missing = SocketTransport(parse_target(f"unix://{tmp_path}/none.sock")).post("/", b"x", "text/xml", 5)
    assert all(isinstance(result, HttpReply) for result in results)
    assert isinstance(missing, TransportTrouble)
    assert missing.kind == "unreachable"


@pytest.mark.parametrize("wait", [0, 0.5], ids=["at once", "long after it was acknowledged"])
@pytest.mark.parametrize("family", ["unix", "tcp"])
def test_a_request_that_was_not_read_is_sent_again(family: str, wait: float, tmp_path: Path) -> None:
    """Where a kept connection is closed with the request unread, the request goes out once more."""
    seen: list[bytes] = []

    def behave(sock: socket.socket, stop: threading.Event) -> None:
        seen.append(read_request(sock))
        sock.sendall(OK)
        select.select([sock], [], [], 5)  # the next request is here, and stays unread
        stop.wait(wait)

    path = str(tmp_path / "server.sock") if family == "unix" else ""
    with serving(behave, unix=path) as server:
        transport = SocketTransport(parse_target(f"unix://{path}" if path else server.url))
        results = [transport.post("/", number, "text/xml", 5) for number in (b"1", b"2")]
        transport.close()
    assert all(isinstance(result, HttpReply) for result in results)
    assert seen == [b"1", b"2"]
    assert transport.connections == 2


def test_through_a_proxy() -> None:
    """With a proxy the request goes to the proxy, for the target's URL, and nothing comes from the environment."""
    lines: list[bytes] = []

    def behave(sock: socket.socket, _stop: threading.Event) -> None:
        lines.append(sock.recv(65536).split(b"\r\n")[0])
        sock.sendall(OK)

    with serving(behave) as proxy:
        transport = RequestsTransport(parse_target("http://server.invalid/api"), proxy=proxy.url)
        result = transport.post("/api", b"x", "text/xml", 5)
        transport.close()
    assert isinstance(result, HttpReply)
    assert lines == [b"POST http://server.invalid:80/api HTTP/1.1"]


def test_redirects_are_not_followed() -> None:
    """A redirect is a reply; the request goes nowhere else."""
    reply = head("Content-Length: 0", "Location: http://127.0.0.1:1/").replace(b"200 OK", b"307 Elsewhere")
    with serving(answer(reply)) as server:
        transport = RequestsTransport(parse_target(server.url))
        result = transport.post("/", b"x", "text/xml", 5)
        transport.close()
    assert isinstance(result, HttpReply)
    assert result.status == 307


def test_a_unix_socket_has_no_proxy() -> None:
    """Requests is refused for unix sockets, with the reason."""
    with pytest.raises(ValueError, match="unix socket"):
        RequestsTransport(parse_target("unix:///run/server.sock"))


def test_read_request_reads_whole_bodies() -> None:
    """The helper that the servers here rest on reads a body that comes in parts."""
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab")
        left.sendall(b"cd")
        assert read_request(right) == b"abcd"
