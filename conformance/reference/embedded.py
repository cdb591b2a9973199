"""A reference server in a process of its own, started and stopped by the one who needs it.

Should that one be killed, the server sees its standard input end, and ends too.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

READY_SECONDS = 30.0
_READY = re.compile(r"listening on (\S+)")
_STOP_SECONDS = 10.0


class NotReady(RuntimeError):  # noqa: N818 - said of the server
    """The server ended or said nothing in time; the text has what it said."""


@dataclass(slots=True)
class Embedded:
    """A running reference server; a context manager that stops it."""

    url: str
    pid: int
    _process: subprocess.Popen[str]

    def stop(self) -> None:
        """End the server: asked first, killed if it does not listen. Doing it again does nothing."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        _close(self._process.stdin)

    def wait(self, seconds: float) -> int:
        """Return the exit code once the server has ended by itself.

        Raises:
            subprocess.TimeoutExpired: it has not within `seconds`.
        """
        return self._process.wait(seconds)

    def kill(self) -> None:
        """End the server with no chance to do anything more, as a crash would."""
        self._process.kill()
        self._process.wait()
        _close(self._process.stdin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.stop()


def start(options: Sequence[str] = (), *, python: str = sys.executable, seconds: float = READY_SECONDS) -> Embedded:
    """Start `xenconform serve --port 0` with these options and wait until it listens.

    Raises:
        NotReady: it did not come up within `seconds`.
    """
    command = [python, "-m", "xenconform", "serve", "--port", "0", "--until-eof", *options]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    url, said = _first_url(process, process.stdout, seconds)
    # Nothing that the server says later may fill the pipe and stop it.
    drain = threading.Thread(target=_drain, args=(process.stdout,), daemon=True)
    if url:
        drain.start()
        return Embedded(url, process.pid, process)
    process.kill()
    process.wait()
    _close(process.stdin)
    process.stdout.close()
    raise NotReady(f"the reference server did not come up within {seconds:g} s; it said: {said or 'nothing'}")


def _first_url(process: subprocess.Popen[str], stream: IO[str], seconds: float) -> tuple[str, str]:
    """Return the URL that the server says it listens on, or "", and all that it said."""
    deadline = threading.Timer(seconds, process.kill)
    deadline.start()
    said: list[str] = []
    try:
        for line in stream:
            said.append(line)
            if found := _READY.search(line):
                return found[1], "".join(said)
        return "", "".join(said)
    finally:
        deadline.cancel()


def _close(stream: IO[str] | None) -> None:
    if stream is not None:
        stream.close()


def _drain(stream: IO[str]) -> None:
    with stream:
        for _ in stream:
            pass
