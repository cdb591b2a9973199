"""What several tests share: the embedded server, run as a user runs it."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

READY_SECONDS = 30.0


@contextmanager
def serving(*options: str, program: Sequence[str] = (sys.executable, "-m", "xenconform")) -> Iterator[str]:
    """Run `python -m xenconform serve` on a free port and give its URL once it says that it listens.

    `program` takes the place of `python -m xenconform`.

    Raises:
        AssertionError: the server ended, or said nothing of the kind in time; its output is in the text.
    """
    command = [*program, "serve", "--port", "0", *options]
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert server.stdout is not None
    deadline = threading.Timer(READY_SECONDS, server.kill)
    deadline.start()
    # Nothing the server says later may fill the pipe and stop it.
    drain = threading.Thread(target=server.stdout.read, daemon=True)
    try:
        said: list[str] = []
        for line in server.stdout:
            said.append(line)
            if found := re.search(r"listening on (http\S+)", line):
                break
        else:
            raise AssertionError(f"{' '.join(command)} did not come up; it said: {''.join(said) or 'nothing'}")
        deadline.cancel()
        drain.start()
        yield found[1]
    finally:
        deadline.cancel()
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        if drain.ident is not None:
            drain.join()
        server.stdout.close()


@pytest.fixture(scope="session")
def served_url() -> Iterator[str]:
    """The URL of a reference server in a process of its own; root / password."""
    with serving() as url:
        yield url
