"""What `certify` sees of pytest's run: the progress, and why it could not run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

import pytest
from rich.console import Console
from rich.status import Status

from xenconform.conformance.suite.interrupts import Stop
from xenconform.conformance.suite.items import COST, LEFT_BEHIND, RESULTS, RUN
from xenconform.models.results import Results
from xenconform.reports.progress import Progress

ENDING = "removing what was made, merging the log, writing the reports"
WEIGHTS = {"STATE-MODEL": 60.0, "CONC-LINEARIZABLE": 12.0, "PERSIST": 60.0}
"""How much longer than most an item of a clause takes; only for the estimate of the time left."""


LEFT_SHOWN = 5
"""So many of the things left over are told on the terminal, behind the verdict; the report has all."""


def told_left(left: Sequence[str]) -> list[str]:
    """Return lines that tell what a run left over, the first few of many, so that the verdict stays in sight."""
    lines = [each[:1].upper() + each[1:] for each in left[:LEFT_SHOWN]]
    more = len(left) - LEFT_SHOWN
    return lines + [f"So were {more} more, which the report names"] * (more > 0)


def weight(name: str) -> float:
    """Return how long an item takes, in items of the usual kind; `name` is its pytest id."""
    return WEIGHTS.get(_name(name).partition("[")[0], 1.0)


def _name(node: str) -> str:
    """Return an item's name out of its pytest id, to which xdist adds the group behind an @."""
    return node.rpartition("::")[2].partition("@")[0]


@dataclass(slots=True)
class Watch:
    """A pytest plugin that draws the progress of the items on the terminal's error stream."""

    quiet: bool = False
    problem: str = ""
    interrupted: bool = False
    remarks: list[str] = field(default_factory=list)
    results: Results | None = None
    stop: Stop = field(default_factory=Stop)
    _done: int = 0
    _weight: float = 0.0
    _whole: float = 0.0
    _calls: int = 0
    _findings: int = 0
    _terminal: TextIO = field(default_factory=lambda: sys.stderr)
    _progress: Progress | None = None
    _ending: Status | None = None
    _config: pytest.Config | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Begin to show the progress."""
        self._config = session.config
        self._whole = sum(weight(item.nodeid) for item in session.items)
        self._begin(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Begin to show the progress of several workers, which collect each for itself."""
        if self._progress is not None:
            self._progress.total_items = len(ids)
            self._whole = sum(map(weight, ids))

    def _begin(self, items: int) -> None:
        console = Console(file=self._terminal, quiet=self.quiet)
        self._progress = Progress(items, console=console)
        self._progress.__enter__()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Show one item more.

        Raises:
            KeyboardInterrupt: somebody asked to stop, and that was lost on its way.
        """
        if self.stop.asked and not self.interrupted:
            raise KeyboardInterrupt
        if report.when != "call" or self._config is None or self._progress is None:
            return
        self._done += 1
        for name, cost in report.user_properties:
            if name == COST and isinstance(cost, dict):
                self._calls += cost["calls"]
                self._findings += cost["findings"]
        self._weight += weight(report.nodeid)
        share = self._weight / self._whole if self._whole else None
        self._progress.update(self._done, self._calls, self._findings, _name(report.nodeid), share=share)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Put what is done last in the place of the progress, before the run is closed."""
        self._stop()
        console = Console(file=self._terminal, quiet=self.quiet)
        if console.is_terminal:
            self._ending = console.status(ENDING)
            self._ending.start()
        else:
            console.print(ENDING, highlight=False)
        run = session.config.stash.get(RUN, None)
        if run is not None and run.gone:
            self.remarks.append(f"{run.gone}; what was left is untested")

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Take the progress away, however the run ended, and remember what could not be removed."""
        self._stop()
        self.results = config.stash.get(RESULTS, None)
        left = config.stash.get(LEFT_BEHIND, ())
        self.remarks += told_left(left)
        if self.interrupted:
            what = "what could be removed of what was made has been" if left else "what was made has been removed"
            self.remarks.append(f"Interrupted: {what}; the run is no certificate.")

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember why pytest ended early."""
        if isinstance(excinfo.value, pytest.exit.Exception):
            self.problem = str(excinfo.value.msg)
        else:
            self.interrupted = True

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.__exit__(None, None, None)
            self._progress = None
        if self._ending is not None:
            self._ending.stop()
            self._ending = None
