"""`xenconform certify` on the class of the fault, in its quick budget and with all clauses.

It starts the server itself, with the fault, for it restarts it too. Its log is read while it is written: an exchange is
a call, and a verdict FAIL is a failure, of whichever severity its clause is. The clock starts with the first call.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from kills_common import Run, Spent, Subject

_START_SECONDS = 60.0
_END_SECONDS = 15.0
_GLANCE = 0.05
"""Seconds between two looks into the log."""


def certify_run(subject: Subject, run: Run) -> None:
    """Run certify until it ends or the budget does."""
    fault = ["--fault", subject.fault] if subject.fault else []
    scope = ["--class", subject.cls, "--budget", "quick", "--workers", "1", "--seed", str(run.budget.seed)]
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        command = [sys.executable, "-m", "xenconform", "certify", *fault, *scope, "--out", folder, "--quiet"]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own command
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            with suppress(Spent):
                _follow(Path(folder) / "run.jsonl", process, run)
        finally:
            _end(process)


def _follow(log: Path, process: subprocess.Popen[bytes], run: Run) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not log.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"certify did not begin: exit code {process.poll()}")
        time.sleep(_GLANCE)
    rest = ""
    with log.open(encoding="utf-8") as lines:
        while True:
            ended = process.poll() is not None
            *whole, rest = (rest + lines.read()).split("\n")
            for line in whole:
                _take(json.loads(line), run)
            if ended:
                return
            if run.calls and run.over:
                raise Spent
            time.sleep(_GLANCE)


def _take(event: dict[str, object], run: Run) -> None:
    if event["event"] == "exchange":
        if not run.calls:
            run.restart()
        run.count()
    elif event["event"] == "judgement" and event["verdict"] == "FAIL":
        run.report(f"{event['clause']} {event['element']} {event['format']}", str(event["actual"]))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt it, so that it stops its server; the second signal ends it at once."""
    for _ in range(2):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS)
    if process.poll() is None:
        process.kill()
        process.wait()
