"""Ctrl-C between calls, never within one: what a call has made is known before the run ends and removes it.

SIGTERM, by which jobs are cancelled, does as ctrl-C does: a server under test keeps nothing of a run that was stopped.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any, Self

from xenconform.conformance.transport import Result, Transport

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Stop:
    """Whether somebody pressed ctrl-C or cancelled the job: a KeyboardInterrupt may be lost on its way, this is not."""

    asked: bool = False


@contextmanager
def terminable() -> Iterator[Stop]:
    """Let SIGTERM raise KeyboardInterrupt in the block, as SIGINT does; yield what remembers it."""
    stop = Stop()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.asked = True
        raise KeyboardInterrupt

    before = {each: signal.signal(each, on_signal) for each in SIGNALS}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@dataclass(slots=True)
class Interrupts:
    """Holds a first signal back until the next call is about to be sent; a second one ends the run at once."""

    _asked: bool = False
    _before: dict[signal.Signals, Any] = field(default_factory=dict, repr=False)

    def __enter__(self) -> Self:
        # Python takes signals in the main thread alone; in any other the run cannot be interrupted anyway.
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._on_signal) for each in SIGNALS}
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        for each, before in self._before.items():
            signal.signal(each, before)
        self._before = {}

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def check(self) -> None:
        """Raise what was held back.

        Raises:
            KeyboardInterrupt: somebody pressed ctrl-C, or cancelled the job, since the last look.
        """
        if self._asked:
            self._asked = False
            raise KeyboardInterrupt


@dataclass(slots=True)
class Interruptible:
    """A transport that looks for a held ctrl-C before each post."""

    inner: Transport
    interrupts: Interrupts

    def post(self, path: str, body: bytes, content_type: str, deadline: float) -> Result:
        """Post as the transport within does.

        Raises:
            KeyboardInterrupt: somebody pressed ctrl-C since the last post.
        """
        self.interrupts.check()
        return self.inner.post(path, body, content_type, deadline)

    def close(self) -> None:
        """Close the transport within."""
        self.inner.close()
