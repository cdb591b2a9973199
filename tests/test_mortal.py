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
    """Where a mortal server listens, and the command that starts it there in the background; `deadly` kills it."""

    port: int
    pid: Path

    def command(self, deadly: str = DEADLY.decode()) -> str:
        line = [sys.executable, str(HERE / "mortal.py"), str(self.port), str(self.pid), deadly]
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


def run(mortal: Mortal, out: Path, deadly: str, kind: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Start a mortal server and run a command of xenconform over it."""
    subprocess.run(mortal.command(deadly), shell=True, check=True)
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
    done = run(mortal, out, deadly, "fuzz", "--layer", "json", "--time", "40s", *again)
    assert done.returncode == 1, done.stdout + done.stderr
    (found,) = json.loads((out / "results.json").read_text())["findings"]
    assert found["clause"] == "ROBUST-ALIVE"
    assert "restarted, it was ended again by" in found["actual"], found
    case = json.loads((out / "cases" / f"{found['case']}.json").read_text())
    assert deadly in "".join(case["pieces"])


FATAL = "secret.set_value"
NARROW = (
    "--clause",
    "SET-VALUE",
    "--clause",
    "ROBUST-ALIVE",
    "--class",
    "secret",
    "--budget",
    "quick",
    "--workers",
    "1",
)


def test_a_server_that_proper_calls_end_each_time_is_not_alive(mortal: Mortal, tmp_path: Path) -> None:
    """Restarted and asked the same it dies again: a finding, and a log that tells the same when it is judged again."""
    out = tmp_path / "out"
    done = run(mortal, out, FATAL, "certify", *NARROW, "--restart-command", mortal.command(FATAL))
    assert done.returncode == 1, done.stdout + done.stderr
    (found,) = json.loads((out / "results.json").read_text())["findings"]
    assert found["clause"] == "ROBUST-ALIVE"
    assert found["expected"].startswith("the server goes on answering after the calls of")
    assert "once restarted gone again" in found["actual"], found
    again = subprocess.run(
        [sys.executable, "-m", "xenconform", "rejudge", str(out), "--out", str(tmp_path / "again")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stdout + again.stderr
    assert "every part is judged as it was" in again.stdout


@pytest.mark.parametrize("deadly", ["", DEADLY.decode()], ids=["nobody can restart it", "once restarted it lives"])
def test_a_server_that_may_have_been_ended_by_anybody_is_no_finding(
    deadly: str, mortal: Mortal, tmp_path: Path
) -> None:
    """The run is incomplete, and tells between which calls the server went away."""
    out = tmp_path / "out"
    again = ("--restart-command", mortal.command(deadly)) if deadly else ()
    done = run(mortal, out, FATAL, "certify", *NARROW, *again)
    results = json.loads((out / "results.json").read_text())
    assert (done.returncode, results["findings"]) == (3, []), done.stdout + done.stderr
    assert re.search(r"; it answered [\w.]+ over \w+ last, and no more [\w.]+ over \w+$", results["problem"])
