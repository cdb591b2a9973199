"""Restarting the server under test: with the user's command, or, for the embedded server, by ending its process.

A restart is over when the server lets the user in again; the client then has a new session. Refs that checks keep are
those of before: that they still mean the same objects is what PERSIST judges.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.health import NotBackError
from xenconform.conformance.checks.judging import Unavailable, describe
from xenconform.conformance.client import Client
from xenconform.conformance.reference import embedded
from xenconform.models.calls import Format, Success

TIMEOUT = 120.0
"""Seconds that a restart may take, until the server lets the user in."""
PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between two attempts to log in; the last goes on."""
SHOWN = 400
"""How many characters of a command's output are told, the last ones."""
_MEMORY = Path("/dev/shm")  # noqa: S108 - where a system has it; only as the parent of a private folder


@dataclass(frozen=True, slots=True)
class Restart:
    """Restarts a server when called: `again` ends and starts it, and then the client logs in as soon as it can."""

    again: Callable[[], None]
    client: Client
    formats: Sequence[Format]
    user: str
    password: str = field(repr=False)
    seconds: float = TIMEOUT

    def __call__(self) -> None:
        """Restart and wait.

        Raises:
            Unavailable: the user's command failed.
            NotBackError: the server does not let the user in again within the time.
        """
        self.again()
        end = nature.now() + self.seconds
        pauses = chain(PAUSES, repeat(PAUSES[-1]))
        while said := self._login():
            if nature.over(end):
                break
            nature.pause(next(pauses))
        else:
            return
        raise NotBackError(
            f"the server was restarted and lets nobody in after {self.seconds:g} s: {said}; "
            "--restart-timeout gives it longer"
        )

    def _login(self) -> str:
        """Return "" once logged in, else what was said."""
        said = ""
        for fmt in self.formats:
            exchange = self.client.login(fmt, self.user, self.password)
            if isinstance(exchange.reply.outcome, Success):
                return ""
            said = describe(exchange)
        return said


@dataclass(frozen=True, slots=True)
class Command:
    """The user's command line, run by the shell."""

    line: str
    seconds: float

    def __call__(self) -> None:
        """Run it.

        Raises:
            Unavailable: it ends with an error, or not in time; the text has what it said.
        """
        # A server that the command leaves in the background would keep a pipe open: what is said goes to a file.
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(  # noqa: S602 - it is the user's own command line, meant for their shell
                self.line,
                shell=True,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(self.seconds)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise Unavailable(
                    f"the restart command did not end within {self.seconds:g} s; it said: {_tail(said)}"
                ) from None
            if code:
                raise Unavailable(f"the restart command ended with {code}; it said: {_tail(said)}")


def _tail(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode(errors="replace").strip()[-SHOWN:] or "nothing"


@dataclass(slots=True)
class Local:
    """The embedded server of a run; with `keeps`, its state is in a file of a private folder and outlives restarts.

    Every other restart is a crash: the process gets no chance to write anything more. `fault` names a fault of it.
    """

    seed: int
    keeps: bool
    fault: str = ""
    crash_next: bool = True
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _server: embedded.Embedded | None = None

    @property
    def url(self) -> str:
        """Where it listens; the same after a restart."""
        assert self._server is not None, "the server was not started"
        return self._server.url

    def start(self) -> None:
        """Start it.

        Raises:
            NotReady: it did not come up.
        """
        if self.keeps:
            # In memory where that can be had: a crash of the process leaves the same there, and each write is quicker.
            where = _MEMORY if os.access(_MEMORY, os.W_OK) else None
            self._folder = tempfile.TemporaryDirectory(prefix="xenconform-", dir=where)
        self._server = embedded.start(self._options())

    def _options(self) -> list[str]:
        kept = ["--state", str(Path(self._folder.name, "state"))] if self._folder else []
        faulty = ["--fault", self.fault] if self.fault else []
        return ["--seed", str(self.seed), *kept, *faulty]

    def restart(self) -> None:
        """End it, by a crash every other time, and start it again on the same port and state.

        Raises:
            Unavailable: it keeps no state.
            NotReady: it did not come up again.
        """
        if not self.keeps or self._server is None:
            raise Unavailable("the embedded server was started without a state file")
        port = urlsplit(self.url).port
        if self.crash_next:
            self._server.kill()
        else:
            self._server.stop()
        self.crash_next = not self.crash_next
        self._server = embedded.start(["--port", str(port), *self._options()])

    def stop(self) -> None:
        """End it and remove its state."""
        if self._server is not None:
            self._server.stop()
        if self._folder is not None:
            self._folder.cleanup()
