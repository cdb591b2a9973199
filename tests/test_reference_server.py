"""The reference server as a process: TCP, TLS, unix sockets, waiting for events, ending, and the state file."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
from datetime import UTC
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
import trustme
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from xenconform.conformance.cli.serve import serve as serve_command
from xenconform.conformance.codec import MAX_CALL_BYTES, codec_for
from xenconform.conformance.reference.embedded import Embedded, NotReady, start
from xenconform.conformance.reference.run import Settings, build
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.store import Store
from xenconform.models import types as t
from xenconform.models.api import Api
from xenconform.models.calls import Format, Success
from xenconform.models.values import Handle, same
from xenconform.models.world import World

API = Api.load()
CODEC = codec_for(Format.JSONRPC2)


class Client:
    """One keep-alive connection and one session."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self.connection = connection
        self.session = ""
        self.session = self.ask("session.login_with_password", "root", "password")

    def post(self, body: bytes) -> bytes:
        self.connection.request("POST", "/jsonrpc", body)
        with self.connection.getresponse() as answer:
            assert answer.status == 200
            return answer.read()

    def ask(self, method: str, *args: Any) -> Any:
        message = API.message(method)
        assert message is not None
        params = [(t.Str(), self.session)] if self.session else []
        typed = zip([p.type for p in message.params], args, strict=False)
        body = self.post(CODEC.encode_call(method, [*params, *typed], 1, api=API))
        outcome = CODEC.decode_reply(body, message.result, 1, API).outcome
        assert isinstance(outcome, Success), outcome
        return outcome.value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def client(server: Embedded) -> Client:
    host, port = re.fullmatch(r"http://(.*):(\d+)", server.url).groups()  # type: ignore[union-attr]
    return Client(http.client.HTTPConnection(host, int(port), timeout=20))


def test_it_is_ready_and_ends_when_asked() -> None:
    """The embedded server says where it listens, serves a kept-alive connection, and ends with success on SIGTERM."""
    with start() as server:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", server.url)
        with client(server) as one:
            networks = one.ask("network.get_all")
            here = one.connection.sock.getsockname()
            assert one.ask("network.get_all") == networks
            assert one.connection.sock.getsockname() == here, "the connection was kept"
        os.kill(server.pid, signal.SIGTERM)
        assert server.wait(10) == 0
    server.stop()


def test_a_server_that_cannot_start_is_told() -> None:
    """NotReady carries what the server said, and no process is left."""
    with pytest.raises(NotReady, match="users"):
        start(["--users", os.devnull])


def test_a_server_ends_with_a_starter_that_is_killed() -> None:
    """A server outlives nobody who started it: killed without a chance to stop it, its connections end too."""
    starter = "from xenconform.conformance.reference.embedded import start; print(start().url, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", starter], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as going:
        assert going.stdout is not None
        where = urlsplit(going.stdout.readline().decode().strip())
        with socket.create_connection((where.hostname, where.port), 10) as connection:
            connection.settimeout(10)
            going.kill()
            assert connection.recv(1) == b"", "the server ended"


def test_a_waiting_call_blocks_nobody_and_ends_with_the_server() -> None:
    """event.from waits while others are served, answers on their change, and on SIGTERM at once."""
    with start() as server, client(server) as waiter, client(server) as other:
        token = waiter.ask("event.from", ("network",), "", 0.0)["token"]
        seen: list[Any] = []
        thread = threading.Thread(target=lambda: seen.append(waiter.ask("event.from", ("network",), token, 60.0)))
        thread.start()
        network = other.ask("network.get_all")[0]
        other.ask("network.add_tags", network, "news")
        thread.join(15)
        assert [e["ref"] for e in seen[0]["events"]] == [network]
        thread = threading.Thread(target=lambda: seen.append(waiter.ask("event.from", ("VM",), seen[0]["token"], 60.0)))
        thread.start()
        other.ask("network.get_all")
        server.stop()
        thread.join(15)
        assert not thread.is_alive()


def test_a_body_over_the_limit_is_refused() -> None:
    """A call larger than the codec reads gets 413 and the server lives on."""
    with start() as server, client(server) as one:
        host, port = one.connection.host, one.connection.port
        with socket.create_connection((host, port), timeout=20) as raw:
            raw.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (MAX_CALL_BYTES + 2))
            raw.sendall(b" " * (MAX_CALL_BYTES + 1))
            assert raw.recv(100).startswith(b"HTTP/1.1 413")
        assert one.ask("network.get_all")


def test_tls(tmp_path: Path) -> None:
    """With --tls calls travel over HTTPS with that certificate."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with start(["--tls", str(cert), str(key)]) as server:
        port = int(server.url.removeprefix("https://127.0.0.1:"))
        with Client(http.client.HTTPSConnection("localhost", port, timeout=20, context=context)) as one:
            assert one.ask("pool.get_all_records")


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self._path)


def test_unix_socket(tmp_path: Path) -> None:
    """With --unix it listens on a socket file, replaces one that a dead server left, and removes its own."""
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with start(["--unix", str(path)]) as server:
        assert server.url == f"unix://{path}"
        with Client(_Unix(str(path))) as one:
            assert one.ask("pool.get_all_records")
        second = subprocess.run(
            [sys.executable, "-m", "xenconform", "serve", "--unix", str(path)],
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert second.returncode == 2
    assert not path.exists()


def test_a_port_in_use_is_a_usage_error(tmp_path: Path) -> None:
    """The command ends with 2 and a line that names the trouble, also for a state file that is none."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = CliRunner().invoke(serve_command, ["--port", str(taken.getsockname()[1])])
        assert result.exit_code == 2
        assert "in use" in result.output
    (tmp_path / "state").write_bytes(b"not a database, and longer than a header of one" * 100)
    result = CliRunner().invoke(serve_command, ["--state", str(tmp_path / "state")])
    assert result.exit_code == 2
    assert "not a database" in result.output


def everything(one: Client) -> dict[str, Any]:
    """Every object's record, of every class that can list them, by ref."""
    classes = (of for of in API.classes.values() if "get_all_records" in of.messages)
    return {of.name: one.ask(f"{of.name}.get_all_records") for of in classes}


def test_an_acknowledged_write_survives_a_crash(tmp_path: Path) -> None:
    """After kill -9 a server on the same state file has every object and field; sessions are gone; refs stay."""
    options = ["--state", str(tmp_path / "state.db")]
    with start(options) as server, client(server) as one:
        record = {
            "name_label": 'é 🎈 "',
            "name_description": "",
            "MTU": -(2**63),
            "other_config": {"": "x"},
            "tags": (),
        }
        made = one.ask("network.create", record)
        doomed = one.ask("network.create", record)
        one.ask("network.destroy", doomed)
        one.ask("VM.add_tags", one.ask("VM.get_all")[0], "kept")
        before, session = everything(one), one.session
        for at in range(50):
            one.ask("network.set_name_description", made, str(at))
        server.kill()
    before["network"][made]["name_description"] = "49"
    with start(options) as server, client(server) as one:
        assert everything(one) == before
        another = one.ask("network.create", record)
        assert another not in {made, doomed}
        assert one.ask("network.get_uuid", another) != before["network"][made]["uuid"]
        one.session = session
        with pytest.raises(AssertionError, match="SESSION_INVALID"):
            one.ask("network.get_all")


def test_a_state_file_is_for_one_server(tmp_path: Path) -> None:
    """A second server on the same file is refused."""
    _, store = build(Settings(state=tmp_path / "state.db"))
    assert store is not None
    with pytest.raises(ValueError, match="no other server"):
        Store(tmp_path / "state.db")
    store.close()


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    """The form is checked before anything is read."""
    _, store = build(Settings(state=tmp_path / "state.db"))
    assert store is not None
    store.close()
    with sqlite3.connect(tmp_path / "state.db") as db:
        db.execute("update meta set value = '99' where name = 'form'")
    db.close()
    with pytest.raises(ValueError, match="form 99"):
        Store(tmp_path / "state.db")


@settings(max_examples=40, deadline=None)
@given(
    value=st.floats(),
    at=st.datetimes(timezones=st.just(UTC)),
    text=st.text(),
    numbers=st.dictionaries(st.integers(-(2**63), 2**63 - 1), st.floats()),
)
def test_what_is_stored_comes_back_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, value: float, at: Any, text: str, numbers: dict[int, float]
) -> None:
    """Floats, instants, any text and maps read from the file are those that were written."""
    path = tmp_path_factory.mktemp("state") / "state.db"
    made = World(API, salt=text).create(
        "VM_metrics", {"last_updated": at, "VCPUs_utilisation": numbers, "state": (text,), "VCPUs_flags": {1: (text,)}}
    )
    world = made.world.create("host_cpu", {"utilisation": value, "vendor": text}).world
    store = Store(path)
    store.keep_all(world)
    store.close()
    store = Store(path)
    read = store.load(API)
    store.close()
    assert read is not None
    assert (read.last, read.salt) == (world.last, world.salt)
    for handle in (Handle("VM_metrics", 1), Handle("host_cpu", 2)):
        old, new = world.record(handle), read.record(handle)
        assert old is not None
        assert new is not None
        for name, field in API.classes[handle.cls].fields.items():
            assert same(field.type, old[name], new[name]), name


def test_the_whole_seed_is_stored_and_read(tmp_path: Path) -> None:
    """A seeded world read back is equal, object by object."""
    world = seeded(API, 3)
    store = Store(tmp_path / "state.db")
    store.keep_all(world)
    assert store.load(API) == world
    store.close()
