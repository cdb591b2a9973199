"""A client like any other, over a connection of its own, that asks the same good question all the time."""

from __future__ import annotations

import _thread
import threading
import time
from contextlib import closing
from math import inf
from types import TracebackType
from typing import Final, Self

from xenconform.conformance.checks.judging import describe
from xenconform.conformance.checks.lost import is_refused
from xenconform.conformance.checks.sessions import INVALID
from xenconform.conformance.client import Client
from xenconform.models.calls import Format, Success

EVERY: Final = 0.1
"""Seconds between two questions."""


class Onlooker:
    """Asks in a thread of its own; `worst` is the longest that an answer took since it was last asked for, in seconds.

    A question that is not answered yet counts with the time that it has taken so far, one that was answered badly as
    one that took forever, but where its session had ended. `questions` counts the answers, `trouble` is the last of
    them that was bad.
    """

    def __init__(self, main: Client, fmt: Format, listing: str) -> None:
        self._main, self._client, self._fmt, self._listing = main, main.sibling(), fmt, listing
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="onlooker", daemon=True)
        self._lock = threading.Condition()
        self._asked: float | None = None
        self._worst = 0.0
        self._refused: set[str] = set()
        self.questions = 0
        self.trouble = ""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _why: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(self._client.deadline + 1)
        self._client.close()

    def take_worst(self) -> float:
        """Return the longest time since the last look, and forget it."""
        with self._lock:
            worst, self._worst = self._worst, 0.0
            # Who had to log in again since has seen that the session was gone, and nobody was held up.
            worst, self._refused = inf if self._main.session in self._refused else worst, set()
            return max(worst, time.monotonic() - self._asked if self._asked is not None else 0.0)

    def look(self) -> float:
        """Ask once more at once, wait for the question that is on its way, and return the longest that one took.

        Whoever comes next may be the one that is held up.
        """
        took, now = self.ask(), time.monotonic()
        with self._lock:
            self._lock.wait_for(lambda: self._asked is None or self._asked > now, self._client.deadline + 1)
        return max(took, self.take_worst())

    def ask(self) -> float:
        """Ask once more at once, and return how long the answer took; infinity where none came."""
        began = time.monotonic()
        with closing(self._main.sibling()) as client:
            answered = isinstance(client.call(self._fmt, self._listing).reply.outcome, Success)
        return time.monotonic() - began if answered else inf

    def _run(self) -> None:
        try:
            self._watch()
        except KeyboardInterrupt:
            _thread.interrupt_main()  # A ctrl-C that was held back until the next call: it is not for this thread.

    def _watch(self) -> None:
        while not self._stop.wait(EVERY):
            began = time.monotonic()
            with self._lock:
                self._asked = began
            session = self._client.session = self._main.session
            exchange = self._client.call(self._fmt, self._listing)
            answered = isinstance(exchange.reply.outcome, Success)
            with self._lock:
                self.trouble = self.trouble if answered else describe(exchange)
                self._asked = None
                if is_refused(exchange, INVALID):
                    self._refused.add(session)
                else:
                    self._worst = max(self._worst, time.monotonic() - began if answered else inf)
                self.questions += 1
                self._lock.notify_all()
