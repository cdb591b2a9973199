"""Live progress of a run: items done, calls a second, findings, time left.

On a terminal one line that changes; elsewhere, as in the log of a build, a line of its own every ten seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from xenconform.reports.words import plural, printable

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""


@dataclass(slots=True)
class Progress:
    """Shows how far a run of `total_items` items is, from `with` to its end. `clock` gives seconds.

    After `update` says that nothing is left, or on leaving the `with`, the line is taken away: the results follow.
    """

    total_items: int
    console: Console = field(default_factory=lambda: Console(stderr=True))
    clock: Callable[[], float] = monotonic
    _began: float = field(init=False)
    _told: float = field(init=False)
    _share: float | None = field(init=False, default=None)
    _state: tuple[int, int, int, str] = field(init=False, default=(0, 0, 0, ""))
    _live: Live | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._began = self._told = self.clock()

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(self, console=self.console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def update(
        self, items_done: int, calls: int, findings: int, current: str = "", *, share: float | None = None
    ) -> None:
        """Take the state of the run: items and calls done, findings so far, and what is being tested now.

        `share` is the part of all the work that is done, where items differ much; the time left follows from it.
        """
        self._share = share
        self._state = (items_done, calls, findings, printable(current))
        now = self.clock()
        if self._live is None and now - self._told >= EVERY:
            self._told = now
            self.console.print(Text(self.line()), soft_wrap=True)

    def line(self) -> str:
        """Return the state in one line of plain text."""
        done, _, _, current = self._state
        share = f"{100 * done // self.total_items} %" if self.total_items else "0 %"
        parts = [f"{done:,}/{self.total_items:,} items ({share})", *self._figures()]
        return ", ".join([*parts, current] if current else parts)

    def _figures(self) -> list[str]:
        done, calls, findings, _ = self._state
        spent = self.clock() - self._began
        rate = calls / spent if spent > 0 else 0.0
        share = self._share if self._share is not None else done / self.total_items if self.total_items else 0.0
        left = spent / share * max(0.0, 1.0 - share) if share > 0 else None
        return [
            f"{rate:,.0f} calls/s",
            plural(findings, "finding"),
            f"{_clock_text(left)} left" if left is not None else "time left unknown",
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        done, _, findings, current = self._state
        rate, found, left = self._figures()
        grid = Table.grid(padding=(0, 2))
        grid.add_column(width=max(10, min(40, options.max_width - 62)))
        for _ in range(4):
            grid.add_column(no_wrap=True)
        grid.add_row(
            ProgressBar(total=max(1, self.total_items), completed=done),
            f"{done:,}/{self.total_items:,}",
            rate,
            Text(found, "bold red" if findings else "green"),
            Text(left, "dim"),
        )
        yield grid
        yield Text(current, "dim", no_wrap=True, overflow="ellipsis")


def _clock_text(seconds: float) -> str:
    """Return a time for people: `0:07`, `12:30`, `1:02:03`."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    text = f"{rest // 60:02}:{rest % 60:02}"
    return f"{hours}:{text}" if hours else text.removeprefix("0")
