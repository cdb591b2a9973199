"""Restarting a server: the user's command, the embedded server's crash, and what certify says of either."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from strangers.certify import certify
from strangers.plain_server import Plain

from xenconform.conformance.checks.health import TargetGoneError
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.client import Client
from xenconform.conformance.suite.restart import Command, Local, Restart
from xenconform.conformance.suite.selection import selection
from xenconform.conformance.suite.settings import ConfigError, Options, Settings, check_workers
from xenconform.models.api import Api
from xenconform.models.calls import Format, Success
from xenconform.models.clauses import catalogue
from xenconform.models.target import parse_target

API = Api.load()
URL = "http://127.0.0.1:9"
PASSWORD = {"XENCONFORM_PASSWORD": "x"}


def settings(*, url: str = URL, clauses: tuple[str, ...] = (), command: str = "", seconds: float = 1.0) -> Settings:
    options = Options(url=url, clauses=clauses, restart_command=command, restart_timeout=seconds)
    return Settings.of(options, PASSWORD)


# --------------------------------------------------------------------------------------------------------- the command


def test_a_command_that_fails_is_told_with_what_it_said() -> None:
    """The exit code and the output are in the reason."""
    with pytest.raises(Unavailable, match=r"ended with 3; it said: no such unit"):
        Command("echo no such unit >&2; exit 3", 5)()
    with pytest.raises(Unavailable, match="it said: nothing"):
        Command("false", 5)()


def test_a_command_that_hangs_is_ended_with_all_that_it_started() -> None:
    """After the time the command's processes are gone, and the reason says so."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        hold = f"import socket; s = socket.create_connection(('127.0.0.1', {port})); s.recv(1)"
        with pytest.raises(Unavailable, match=r"did not end within 1 s"):
            Command(f'{sys.executable} -c "{hold}"; true', 1)()
        server.settimeout(5)
        held, _ = server.accept()
        with held:
            held.settimeout(5)
            assert held.recv(1) == b""


def test_a_server_left_in_the_background_holds_nothing_up() -> None:
    """A command may start the server in the background and end; nobody waits for what that says."""
    began = time.monotonic()
    Command("sleep 3 & exit 0", 2)()
    assert time.monotonic() - began < 2


# ------------------------------------------------------------------------------------------------- the embedded server


def test_the_embedded_server_keeps_its_state_through_a_crash_and_a_stop() -> None:
    """A write is there after a kill and after a stop, at the same URL; the old session is not; nothing is left."""
    local = Local(3, keeps=True)
    local.start()
    folder, url = local._folder, local.url
    client = Client(parse_target(url), API, deadline=5)
    try:
        restart = Restart(local.restart, client, (Format.JSONRPC2,), "root", "password", 20)
        restart_pids = []
        client.login(Format.JSONRPC2, "root", "password")
        made = client.call(Format.JSONRPC2, "secret.create", [{"value": "0", "other_config": {}}]).reply.outcome
        assert isinstance(made, Success)
        for turn in ("crash", "stop"):
            assert local.crash_next == (turn == "crash")
            client.call(Format.JSONRPC2, "secret.set_value", [made.value, turn])
            before = client.session
            restart()
            assert local._server is not None
            restart_pids.append(local._server.pid)
            assert client.session not in {"", before}
            assert client.call(Format.XMLRPC, "secret.get_value", [made.value]).reply.outcome == Success(turn)
            assert local.url == url
        assert len(set(restart_pids)) == 2
    finally:
        client.close()
        local.stop()
    assert folder is not None
    assert not Path(folder.name).exists()


def test_without_a_state_file_there_is_no_restart() -> None:
    """A server that would lose everything is not restarted."""
    with pytest.raises(Unavailable, match="without a state file"):
        Local(1, keeps=False).restart()


def test_a_server_that_does_not_come_back_is_gone() -> None:
    """Nobody is let in within the time: the target is gone, and the option that gives more is named."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    client = Client(parse_target(f"http://127.0.0.1:{port}"), API, deadline=1)
    began = time.monotonic()
    with pytest.raises(TargetGoneError, match=r"lets nobody in after 0\.3 s.*--restart-timeout"):
        Restart(lambda: None, client, tuple(Format), "root", "x", 0.3)()
    assert time.monotonic() - began < 3


# ------------------------------------------------------------------------------------------------------------- settings


def test_persist_is_part_of_a_run_that_can_restart_or_that_names_it() -> None:
    """Without a command for a URL the clause is left out and the settings say so; named, it stays."""
    assert "PERSIST" not in {clause.id for clause in settings().clauses}
    assert settings().without_restart
    for other in (settings(command="true"), settings(clauses=("PERSIST",)), settings(url="")):
        assert "PERSIST" in {clause.id for clause in other.clauses}
        assert not other.without_restart


@pytest.mark.parametrize(
    ("url", "command", "seconds", "said"),
    [("", "true", 1.0, "embedded server needs none"), (URL, "true", 0.0, "--restart-timeout 0: no time for a restart")],
)
def test_restart_options_that_cannot_be_used_are_wrong_usage(url: str, command: str, seconds: float, said: str) -> None:
    """A command without a server of the user's, and no time at all, are told before anything is sent."""
    with pytest.raises(ConfigError, match=said):
        settings(url=url, command=command, seconds=seconds)


def test_several_workers_may_not_restart_one_server() -> None:
    """Workers would take the server away from each other: wrong usage, in the command too."""
    check_workers(settings(command="true"), 1)
    check_workers(settings(), 4)
    with pytest.raises(ConfigError, match="--workers 1"):
        check_workers(settings(command="true"), 2)
    done = subprocess.run(
        [sys.executable, "-m", "xenconform", "certify", URL, "--restart-command", "true", "--workers", "2"],
        env={**PASSWORD, "PATH": ""}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--workers 1" in done.stderr


def test_persist_is_the_last_item() -> None:
    """Whatever level another check has, the restart comes behind it."""
    chosen = [check.clause for check, _ in selection(API, catalogue().values(), ("network",))]
    assert chosen[-1] == "PERSIST"


# ------------------------------------------------------------------------------------------------------------ as a user


def test_a_command_restarts_a_server_and_its_failure_is_told() -> None:
    """A server that keeps everything passes; a failing command leaves the clause untested with what it said."""
    with Plain({"sessions_last"}) as server:
        options = ("--scope", "all", "--budget", "quick", "--clause", "PERSIST", "--class", "network")
        code, told = certify(server, *options)
        _, untested = certify(server, *options, "--restart-command", "echo broken unit; exit 5")
    assert (code, told["findings"], told["errors"]) == (0, [], [])
    # VIFs, which hold a network, and their VMs are made too, and looked at.
    assert {each["id"]: each["counts"]["PASS"] for each in told["clauses"]} == {"PERSIST": 10}
    assert ["broken unit" in each["reason"] for each in untested["untested"]] == [True]
