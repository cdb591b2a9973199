"""`xenconform fuzz --restart-command`: which request ended the server, where it died a while later."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from mortal import DEADLY
from turncoat import PASSWORD

HERE = Path(__file__).parent


@pytest.fixture
def start(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """A port, and the command that starts a mortal server there in the background; it is ended afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pid, line = tmp_path / "pid", [sys.executable, str(HERE / "mortal.py"), str(port), str(tmp_path / "pid")]
    yield port, f"{shlex.join(line)} >/dev/null 2>&1 &"
    with suppress(ProcessLookupError):
        os.kill(int(pid.read_text()), signal.SIGKILL)


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


def test_who_ended_the_server_is_found_after_a_restart(start: tuple[int, str], tmp_path: Path) -> None:
    """Of the last requests the one is named, and is the case, after which a restarted server dies again."""
    port, command = start
    subprocess.run(command, shell=True, check=True)
    url, out = f"http://127.0.0.1:{port}", tmp_path / "out"
    said = ["fuzz", url, "--layer", "json", "--time", "40s", "--profile", "reference", "--restart-command", command]
    environment = {**os.environ, "XENCONFORM_PASSWORD": PASSWORD}
    await_port(port)
    done = subprocess.run(
        [sys.executable, "-m", "xenconform", *said, "--scope", "all", "--out", str(out)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    (found,) = json.loads((out / "results.json").read_text())["findings"]
    assert found["clause"] == "ROBUST-ALIVE"
    assert "restarted, it was ended again by" in found["actual"], found
    case = json.loads((out / "cases" / f"{found['case']}.json").read_text())
    assert DEADLY.decode() in "".join(case["pieces"])
