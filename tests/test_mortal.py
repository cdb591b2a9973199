"""A server that dies of a request: who ended it, as far as a restart tells, and what a run says that cannot restart."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from mortal import DEADLY
from turncoat import PASSWORD

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Mortal:
    """Where a mortal server listens, and the command that starts it there in the background.

    `deadly` is what kills it, so many seconds after its answer.
    """

    port: int
    pid: Path

    def command(self, deadly: str = DEADLY.decode(), after: float = 0.1) -> str:
        line = [sys.executable, str(HERE / "mortal.py"), str(self.port), str(self.pid), deadly, str(after)]
        return f"{shlex.join(line)} >/dev/null 2>&1 &"


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    """A mortal server that is still to be started; it is ended afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    yield Mortal(port, tmp_path / "pid")
    with suppress(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def await_port(port: int) -> None:
    """Wait until somebody listens."""
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            assert time.monotonic() < end, f"nobody listens on port {port}"
            time.sleep(0.05)  # a refused connection is all there is to see of a process that has not come so far
        else:
            return


def run(mortal: Mortal, out: Path, first: str, kind: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Start a mortal server with a command line of its own and run a command of xenconform over it."""
    subprocess.run(first, shell=True, check=True)
    await_port(mortal.port)
    said = (kind, f"http://127.0.0.1:{mortal.port}", "--profile", "reference", "--scope", "all", "--out", str(out))
    return subprocess.run(
        [sys.executable, "-m", "xenconform", *said, *options],
        env={**os.environ, "XENCONFORM_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_who_ended_the_server_is_found_after_a_restart(mortal: Mortal, tmp_path: Path) -> None:
    """Of the last requests the one is named, and is the case, after which a restarted server dies again."""
    out, deadly = tmp_path / "out", DEADLY.decode()
    again = ("--restart-command", mortal.command())
    done = run(mortal, out, mortal.command(), "fuzz", "--layer", "json", "--time", "40s", *again)
    assert done.returncode == 1, done.stdout + done.stderr
    (found,) = json.loads((out / "results.json").read_text())["findings"]
    assert found["clause"] == "ROBUST-ALIVE"
    assert "restarted, it was ended again by" in found["actual"], found
    case = json.loads((out / "cases" / f"{found['case']}.json").read_text())
    assert deadly in "".join(case["pieces"])


FATAL, HOSTILE = "secret.set_value", "&#1114112;"
"""A proper call, and what no XML may hold."""
ONE = ("--budget", "quick", "--workers", "1", "--class", "secret", "--clause", "ROBUST-ALIVE")
NARROW = (*ONE, "--clause", "SET-VALUE")
GONE = re.compile(r"; it answered [\w. ]+ over \w+ last, and no more [\w. ]+ over \w+$")


@pytest.mark.parametrize(("deadly", "after"), [(FATAL, 0), (FATAL, 0.1), (HOSTILE, 0), (HOSTILE, 0.1)])
def test_a_server_that_calls_end_each_time_is_not_alive(
    deadly: str, after: float, mortal: Mortal, tmp_path: Path
) -> None:
    """Restarted and asked the same it dies again: a finding, and a log that tells the same when it is judged again."""
    out, line = tmp_path / "out", mortal.command(deadly, after)
    done = run(mortal, out, line, "certify", *(ONE if deadly == HOSTILE else NARROW), "--restart-command", line)
    assert done.returncode == 1, done.stdout + done.stderr
    (found,) = json.loads((out / "results.json").read_text())["findings"]
    assert found["clause"] == "ROBUST-ALIVE"
    assert found["expected"].startswith("the server goes on answering after the calls of")
    assert "once restarted gone again" in found["actual"], found
    assert_judged_again_as_it_was(out, tmp_path / "again")


def assert_judged_again_as_it_was(out: Path, again: Path) -> None:
    """Judge a log again and compare."""
    done = subprocess.run(
        [sys.executable, "-m", "xenconform", "rejudge", str(out), "--out", str(again)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "every part is judged as it was" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(("deadly", "after"), [(FATAL, 0), (FATAL, 0.1), (HOSTILE, 0)])
@pytest.mark.parametrize("then", ["it stays away", "it lives"])
def test_a_server_that_may_have_been_ended_by_anybody_is_no_finding(
    deadly: str, after: float, then: str, mortal: Mortal, tmp_path: Path
) -> None:
    """The run is incomplete, and tells between which calls the server went away, whatever was under way."""
    out, asked = tmp_path / "out", ONE if deadly == HOSTILE else NARROW
    line, *more = (mortal.command(),) if then == "it lives" else ("true", "--restart-timeout", "1")
    first = mortal.command(deadly, after)
    done = run(mortal, out, first, "certify", *asked, "--restart-command", line, *more)
    results = json.loads((out / "results.json").read_text())
    assert (done.returncode, results["findings"]) == (3, []), done.stdout + done.stderr
    assert GONE.search(results["problem"]), results["problem"]


def test_without_a_restart_proper_calls_are_not_to_blame(mortal: Mortal, tmp_path: Path) -> None:
    """The run is incomplete, and tells between which calls the server went away."""
    out = tmp_path / "out"
    done = run(mortal, out, mortal.command(FATAL, 0), "certify", *NARROW)
    results = json.loads((out / "results.json").read_text())
    assert (done.returncode, results["findings"]) == (3, []), done.stdout + done.stderr
    assert GONE.search(results["problem"]), results["problem"]
    assert_judged_again_as_it_was(out, tmp_path / "again")


def test_without_a_restart_hostile_bytes_are_to_blame(mortal: Mortal, tmp_path: Path) -> None:
    """A server that is gone right behind them is told as they are, and in its log too."""
    out = tmp_path / "out"
    done = run(mortal, out, mortal.command(HOSTILE, 0), "certify", *ONE)
    assert done.returncode == 1, done.stdout + done.stderr
    (found,) = json.loads((out / "results.json").read_text())["findings"]
    assert found["clause"] == "ROBUST-ALIVE"
    assert found["expected"] == "a good call is answered as usual after a reference to character 0x110000"
    assert_judged_again_as_it_was(out, tmp_path / "again")
