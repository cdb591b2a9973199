"""How fast the fuzzer goes, and what it shows of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, Self

from rich.console import Console

from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.hunt import Hunt

EVERY: Final = 2.0
"""Seconds between two lines of progress, where no terminal redraws them."""


class Pace:
    """Keeps to so many requests a second at most, and shows the progress meanwhile."""

    def __init__(self, hunt: Hunt, until: float, rate: float | None, console: Console) -> None:
        self._hunt, self._until, self._rate, self._console = hunt, until, rate, console
        self._began = self._shown = time.monotonic()
        self._steps = 0
        self._status = console.status("")

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _why: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._status.stop()

    def kept(self, given: Iterable[Attempt]) -> Iterator[Attempt]:
        """Yield attempts, each when it may be sent."""
        for attempt in given:
            self.step(attempt.layer)
            yield attempt

    def step(self, layer: str) -> None:
        """Wait until another request of a layer may be sent."""
        if self._rate:
            # The rate is what was asked for.
            time.sleep(max(0.0, self._began + self._steps / self._rate - time.monotonic()))
        self._steps += 1
        now = time.monotonic()
        if now - self._shown >= (0.2 if self._console.is_terminal else EVERY):
            self._shown = now
            self._show(layer, now)

    def _show(self, layer: str, now: float) -> None:
        hunt, sender = self._hunt, self._hunt.sender
        rate = sender.sent / (now - self._began)
        line = (
            f"{sender.sent:,} requests, {rate:,.0f} a second, {len(sender.classes)} kinds of replies, "
            f"{len(hunt.found)} findings, {max(0.0, self._until - now):.0f} s left, {layer}"
        )
        if self._console.is_terminal:
            self._status.update(line)
        else:
            self._console.print(line, highlight=False, soft_wrap=True)
