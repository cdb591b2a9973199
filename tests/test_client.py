"""The low level client against a small server of its own and against hostile ones."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hostile import OK, REPLIES, TROUBLES, head, serving
from hostile import answer as answering

from xenconform.conformance.client import Client
from xenconform.conformance.codec import Scalar, Uncarriable, codec_for
from xenconform.conformance.transport import SocketTransport
from xenconform.models.api import Api
from xenconform.models.calls import Breach, Failure, Flaw, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.flaws import KINDS
from xenconform.models.target import parse_target
from xenconform.models.types import Int, RefTo, Str

API = Api.load()
FORMATS = pytest.mark.parametrize("over", list(Format))
# What is slow is tried over one format: below HTTP the format makes no difference.
SLOW = {name for name, (kind, _) in TROUBLES.items() if kind in {"timeout", "too-large"}}
HOSTILITIES = [
    (over, name) for name in (*REPLIES, *TROUBLES) for over in (list(Format)[:1] if name in SLOW else Format)
]
Answer = Callable[[str, list[object]], Success | Failure]


@dataclass
class Small:
    """Answers calls in all formats from a function; remembers what was asked."""

    answer: Answer
    status: str = "200 OK"
    asked: list[tuple[str, list[object]]] = field(default_factory=list)
    idents: list[object] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def __call__(self, sock: socket.socket, stop: threading.Event) -> None:
        while not stop.is_set():
            data = b""
            while b"\r\n\r\n" not in data:
                if not (more := sock.recv(65536)):
                    return
                data += more
            top, _, body = data.partition(b"\r\n\r\n")
            self.paths.append(top.split()[1].decode())
            length = re.search(rb"Content-Length: (\d+)", top)
            assert length
            while len(body) < int(length[1]):
                body += sock.recv(65536)
            reply, media = self.reply(body)
            start = head(f"Content-Type: {media}", f"Content-Length: {len(reply)}")
            sock.sendall(start.replace(b"200 OK", self.status.encode()) + reply)

    def reply(self, body: bytes) -> tuple[bytes, str]:
        if body.startswith(b"<"):
            over, ident = Format.XMLRPC, 0
            names = re.findall(rb"<methodName>(.*?)</methodName>", body)
            method = names[0].decode()
            params: list[object] = [each.decode() for each in re.findall(rb"<string>(.*?)</string>", body)]
        else:
            call = json.loads(body)
            over, ident = Format.JSONRPC2 if "jsonrpc" in call else Format.JSONRPC1, call["id"]
            method, params = call["method"], call["params"]
        self.asked.append((method, params))
        self.idents.append(ident)
        message = API.message(method)
        outcome = self.answer(method, params)
        codec = codec_for(over)
        return codec.encode_reply(outcome, message.result if message else None, ident, API), codec.content_type


def logging_in(method: str, params: list[object]) -> Success | Failure:
    """The sessions of a server whose password is `password`."""
    if method == "session.login_with_password":
        if params[1] != "password":
            return Failure("SESSION_AUTHENTICATION_FAILED", (str(params[0]),))
        return Success(f"OpaqueRef:session-of-{params[0]}")
    if method == "VM.get_by_name_label":
        return Success(("OpaqueRef:vm",))
    if method == "session.logout":
        return Success(None)
    return Failure("MESSAGE_METHOD_UNKNOWN", (method,))


@FORMATS
def test_a_call_and_its_answer(over: Format) -> None:
    """A call carries the session first, and its exchange has the bytes, the status and the typed outcome."""
    small = Small(logging_in)
    seen: list[Exchange] = []
    with serving(small) as server:
        client = Client(parse_target(server.url), API, on_exchange=seen.append)
        login = client.login(over, "root", "password")
        exchange = client.call(over, "VM.get_by_name_label", ("a",))
        client.close()
    assert login.reply.outcome == Success("OpaqueRef:session-of-root") == Success(client.session)
    assert exchange.reply.outcome == Success(("OpaqueRef:vm",))
    assert exchange.reply.flaws == ()
    assert (exchange.seq, exchange.message, exchange.args, exchange.status) == (2, "VM.get_by_name_label", ("a",), 200)
    assert small.asked == [
        ("session.login_with_password", ["root", "password", "1.0", "xenconform"]),
        ("VM.get_by_name_label", ["OpaqueRef:session-of-root", "a"]),
    ]
    assert small.paths == ["/" if over is Format.XMLRPC else "/jsonrpc"] * 2
    assert [each.seq for each in seen] == [1, 2]
    if over is not Format.XMLRPC:
        assert small.idents == [1, 2]


def test_sessions_can_be_chosen_and_left_out() -> None:
    """The session is the client's own, another, or none; messages that take none get none."""
    small = Small(lambda _method, _params: Success(()))
    with serving(small) as server:
        client = Client(parse_target(server.url), API, session="OpaqueRef:mine")
        client.call(Format.JSONRPC2, "VM.get_all")
        client.call(Format.JSONRPC2, "VM.get_all", session="OpaqueRef:other")
        client.call(Format.JSONRPC2, "VM.get_all", session=None)
        client.call(Format.JSONRPC2, "system.listMethods")
        client.call(Format.JSONRPC2, "No.such", (1, True, 1.5, "x", ("y",), {"k": "v"}))
        client.call(Format.JSONRPC2, "VM.get_all", params=[(Int(), 7), (None, Scalar("string", "z"))], ints="native")
        client.close()
    assert [params for _, params in small.asked] == [
        ["OpaqueRef:mine"],
        ["OpaqueRef:other"],
        [],
        [],
        ["OpaqueRef:mine", "1", True, 1.5, "x", ["y"], {"k": "v"}],
        ["OpaqueRef:mine", 7, "z"],
    ]


def test_an_asynchronous_call_returns_a_task() -> None:
    """Async.C.m takes the parameters of C.m and its result is read as a task's ref."""
    small = Small(lambda _method, _params: Success("OpaqueRef:task"))
    with serving(small) as server:
        client = Client(parse_target(server.url), API, session="s" * 9)
        exchange = client.call(Format.XMLRPC, "Async.VM.clone", ("OpaqueRef:vm", "copy"))
        client.close()
    assert exchange.reply.outcome == Success("OpaqueRef:task")
    assert small.asked == [("Async.VM.clone", ["s" * 9, "OpaqueRef:vm", "copy"])]


def test_the_urls_own_path_is_kept() -> None:
    """A path in the URL is posted to whatever the format, unless a raw call names its own."""
    small = Small(logging_in)
    with serving(small) as server:
        client = Client(parse_target(f"{server.url}/api"), API)
        client.call(Format.XMLRPC, "VM.get_all")
        client.call(Format.JSONRPC1, "VM.get_all")
        client.raw(Format.JSONRPC1, b'{"method":"x","params":[],"id":"a"}', path="/other")
        client.close()
    assert small.paths == ["/api", "/api", "/other"]


@pytest.mark.parametrize(("over", "name"), HOSTILITIES)
def test_nothing_that_a_server_does_raises(over: Format, name: str) -> None:
    """Every hostile behaviour is a breach of a known kind over every format."""
    kind, behaviour = TROUBLES[name] if name in TROUBLES else ("", REPLIES[name])
    with serving(behaviour) as server:
        client = Client(
            parse_target(server.url),
            API,
            lambda target: SocketTransport(target, max_body=2**20),
            deadline=0.2 if kind == "timeout" else 5.0,
        )
        exchange = client.call(over, "VM.get_all", session="OpaqueRef:s")
        client.close()
    outcome = exchange.reply.outcome
    assert isinstance(outcome, Breach)
    assert {outcome.kind, *(flaw.kind for flaw in exchange.reply.flaws)} <= set(KINDS)
    expected = {"timeout": "http-timeout", "bad-http": "http-malformed", "too-large": "reply-too-large"}
    if kind:
        assert outcome.kind == expected.get(kind, "http-no-answer")
        assert outcome.detail.startswith(f"{kind}: ")
        assert exchange.status == 0
    else:
        assert (exchange.status, exchange.received) == (200, b"hello")


@FORMATS
def test_status_other_than_200(over: Format) -> None:
    """An answer under another status is the outcome and a flaw; anything else under it is the breach http-status."""
    small = Small(logging_in, status="500 Internal Server Error")
    with serving(small) as server:
        client = Client(parse_target(server.url), API, session="OpaqueRef:s")
        answered = client.call(over, "VM.get_by_name_label", ("a",))
        client.close()
    with serving(answering(OK.replace(b"200 OK", b"500 Oops"))) as server:
        client = Client(parse_target(server.url), API, session="OpaqueRef:s")
        page = client.call(over, "VM.get_by_name_label", ("a",))
        client.close()
    assert answered.reply.outcome == Success(("OpaqueRef:vm",))
    assert answered.reply.flaws == (Flaw("http-status", "HTTP 500 Internal Server Error"),)
    assert isinstance(page.reply.outcome, Breach)
    assert page.reply.outcome.kind == "http-status"
    assert page.status == 500


def test_surplus_bytes_are_a_flaw() -> None:
    """Bytes beyond a reply do not change its outcome and are noted."""
    body = codec_for(Format.JSONRPC2).encode_reply(Success(()), None, 1)
    reply = head(f"Content-Length: {len(body)}") + body + b"more"
    with serving(answering(reply)) as server:
        client = Client(parse_target(server.url), API, session="OpaqueRef:s")
        exchange = client.call(Format.JSONRPC2, "VM.get_all")
        client.close()
    assert exchange.reply.outcome == Success(())
    assert [flaw.kind for flaw in exchange.reply.flaws] == ["http-malformed"]


def test_what_a_format_cannot_carry_is_the_callers_error() -> None:
    """A control character in XML raises before anything is sent."""
    client = Client(parse_target("http://127.0.0.1:1"), API, session="OpaqueRef:s")
    with pytest.raises(Uncarriable):
        client.call(Format.XMLRPC, "VM.get_by_name_label", ("\0",))


@FORMATS
@pytest.mark.parametrize("password", ["password", 'a"<&>\\b long ü one', "pw"])
def test_no_exchange_that_is_told_has_a_secret(over: Format, password: str) -> None:
    """Passwords and session refs never reach on_exchange, in any field; the caller's exchange keeps them."""
    reflected: list[object] = []

    def answer(method: str, params: list[object]) -> Success | Failure:
        reflected.append(params)
        if method.startswith("session.login"):
            return Success("OpaqueRef:secret-session")
        return Failure("INTERNAL_ERROR", (f"password={password}!", *map(str, params)))

    seen: list[Exchange] = []
    with serving(Small(answer)) as server:
        client = Client(parse_target(server.url), API, on_exchange=seen.append)
        login = client.login(over, "root", password)
        client.call(over, "VM.get_all")
        failed = client.call(over, "session.get_uuid", (client.session,))
        client.raw(over, codec_for(over).encode_call("session.login_with_password", [(Str(), password)]))
        client.close()
    told = repr(seen)
    assert "secret-session" not in repr(client)
    assert repr(password) not in repr((client.credentials, client.secrets))
    assert "secret-session" not in told
    assert login.args[1] == password
    assert failed.args == ("OpaqueRef:secret-session",)
    assert seen[0].args == ("root", "********", "1.0", "xenconform")
    assert seen[0].reply.outcome == Success("SESSION-1")
    assert seen[2].args == ("SESSION-1",)
    assert b"login_with_password" in seen[0].sent
    assert isinstance(seen[1].reply.outcome, Failure)
    assert seen[1].reply.outcome.params[0] == "password=********!" or password == "password"
    assert client.redact(f"{password} {client.session}") == "******** SESSION-1"
    if len(password) > 8:
        assert password not in told
        assert "long" not in told


def test_logout_all_ends_every_session() -> None:
    """Each session that was opened is logged out, those by hand included; what fails is returned."""

    def answer(method: str, params: list[object]) -> Success | Failure:
        if method == "session.logout" and params == ["OpaqueRef:session-of-b"]:
            return Failure("INTERNAL_ERROR", ("no",))
        if method == "session.logout" and params == ["OpaqueRef:session-of-c"]:
            return Failure("SESSION_INVALID", ("c",))
        return logging_in(method, params)

    small = Small(answer)
    with serving(small) as server:
        client = Client(parse_target(server.url), API, formats=(Format.JSONRPC2,))
        for user in "abc":
            client.login(Format.JSONRPC2, user, "password")
        by_hand = {"method": "session.login_with_password", "params": ["d", "password"], "id": 9, "jsonrpc": "2.0"}
        client.raw(Format.JSONRPC2, json.dumps(by_hand).encode())
        bad = client.login(Format.JSONRPC2, "e", "wrong")
        opened = list(client.opened)
        failed = client.logout_all()
        client.close()
    assert opened == [f"OpaqueRef:session-of-{user}" for user in "abcd"]
    assert bad.reply.outcome == Failure("SESSION_AUTHENTICATION_FAILED", ("e",))
    assert [each.reply.outcome for each in failed] == [Failure("INTERNAL_ERROR", ("no",))]
    assert client.opened == ["OpaqueRef:session-of-b"]


def test_a_session_that_is_gone_is_opened_again() -> None:
    """After SESSION_INVALID the client logs in again as before; any other outcome changes nothing."""
    count = iter(range(9))

    def answer(method: str, params: list[object]) -> Success | Failure:
        if method == "session.login_with_password":
            return Success(f"OpaqueRef:session-{next(count)}")
        return Failure("SESSION_INVALID", (str(params[0]),)) if params[0] == "OpaqueRef:session-0" else Success(())

    with serving(Small(answer)) as server:
        client = Client(parse_target(server.url), API)
        client.login(Format.XMLRPC, "root", "password")
        first = client.call(Format.JSONRPC1, "VM.get_all")
        assert client.ensure_session(first)
        second = client.call(Format.JSONRPC1, "VM.get_all")
        assert not client.ensure_session(second)
        client.close()
    assert client.session == "OpaqueRef:session-1"
    assert client.opened == ["OpaqueRef:session-1"]
    assert second.reply.outcome == Success(())


def test_a_sibling_shares_session_and_numbers() -> None:
    """A client for another thread has its own connection and continues the same numbers."""
    with serving(Small(logging_in)) as server:
        client = Client(parse_target(server.url), API)
        client.login(Format.JSONRPC2, "root", "password")
        other = client.sibling()
        seqs = [each.call(Format.JSONRPC2, "VM.get_all").seq for each in (other, client, other)]
        client.close()
        other.close()
    assert seqs == [2, 3, 4]
    assert other.session == client.session
    assert server.connections == 2


def test_types_may_be_given() -> None:
    """A result's type may be given for a message that the model does not have."""
    with serving(Small(lambda _method, _params: Success("OpaqueRef:x"))) as server:
        client = Client(parse_target(server.url), API)
        exchange = client.call(Format.JSONRPC2, "Own.message", params=[(Str(), "a")], session=None, result=RefTo("VM"))
        client.close()
    assert exchange.reply.outcome == Success("OpaqueRef:x")
    assert exchange.args == ("a",)


@FORMATS
@pytest.mark.parametrize("changed", [True, False])
def test_a_password_is_hidden_once_it_is_one(over: Format, *, changed: bool) -> None:
    """What a change made a password is hidden from its own exchange on; what was refused stays the word that it is."""

    def answer(method: str, _params: list[object]) -> Success | Failure:
        if method == "session.change_password":
            return Success("") if changed else Failure("MESSAGE_PARAMETER_COUNT_MISMATCH", (method, "2", "1"))
        return Success(())

    seen: list[Exchange] = []
    with serving(Small(answer)) as server:
        client = Client(parse_target(server.url), API, session="OpaqueRef:s", on_exchange=seen.append)
        client.call(over, "session.change_password", params=[(Str(), "xc1")])
        client.call(over, "VM.get_by_name_label", ("xc1",))
        client.close()
    hidden = "********" if changed else "xc1"
    assert [each.args for each in seen] == [(hidden,), (hidden,)]
