"""Processes that have the program loaded and fork for each command, so that many short commands cost little.

with Forker() as forker:
    code = forker.run(["fuzz", url], stdout_path, 30.0)
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self


class Forker:
    """One such process; it runs one command at a time."""

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _why: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._end()

    def run(self, arguments: list[str], said: Path, seconds: float) -> int:
        """Run a command to its end; what it says goes to a file.

        Raises:
            TimeoutError: it took longer; it is killed.
        """
        self._input.write(json.dumps([arguments, str(said)]) + "\n")
        self._input.flush()
        if not select.select([self._output], [], [], seconds)[0]:
            self._end()
            self._start()
            raise TimeoutError(f"{arguments} took over {seconds} s")
        return int(self._output.readline())

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input: IO[str] = self._process.stdin
        self._output: IO[str] = self._process.stdout

    def _end(self) -> None:
        with suppress(OSError):
            os.killpg(self._process.pid, 9)
        self._process.wait()
        self._input.close()
        self._output.close()


def serve() -> list[str]:
    """Fork for each command that is asked for and tell its exit code; return its arguments in the process forked."""
    import xenconform.conformance.cli.fuzz  # noqa: F401 - what takes long is done before the first fork
    from xenconform.strategies.hostile import load

    load()
    for line in sys.stdin:
        arguments, said = json.loads(line)
        pid = os.fork()
        if pid == 0:
            output = os.open(said, os.O_WRONLY | os.O_CREAT)
            for number in (1, 2):
                os.dup2(output, number)
            return list(arguments)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    return []


if __name__ == "__main__" and (asked := serve()):
    from xenconform.conformance.cli import main

    sys.argv[1:] = asked
    main()
