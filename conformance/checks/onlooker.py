"""A second session of the run's own user: what one session wrote every other one is to see.

A server that keeps rows by session, such as a database layer with a map of its own in each, shows old ones there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.lost import is_refused
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.options import CallOptions
from xenconform.models.calls import Success
from xenconform.models.values import Ref, Value

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench
    from xenconform.models.calls import Format
    from xenconform.models.exchange import Exchange

GONE = "SESSION_INVALID"


@dataclass(slots=True)
class Onlooker:
    """Calls in a second session, opened when it is first needed; the client logs it out as every other.

    Where none can be opened the calls are made in the run's own: who may log in is another clause's.
    """

    _session: Ref = field(default="", repr=False)
    _refused: bool = False
    _turn: int = 0

    def turn(self) -> tuple[bool, int]:
        """Return whether it is the second session's turn, which is every other time, and the number of this turn."""
        self._turn += 1
        return self._turn % 2 == 1, self._turn

    def ref(self, bench: Bench) -> Ref:
        """Return the second session's ref, "" where none can be opened."""
        self._options(bench, bench.formats[0])
        return self._session

    def call(self, bench: Bench, fmt: Format, message: str, *args: Value, probe: bool = False) -> Exchange:
        """Send a call in the second session and return the exchange; a session that was collected is opened again.

        `probe` marks a call that the server should refuse.
        """
        exchange = bench.call(fmt, message, *args, probe=probe, **self._options(bench, fmt))
        if self._session and is_refused(exchange, GONE):
            self._session = ""
            exchange = bench.call(fmt, message, *args, probe=probe, **self._options(bench, fmt))
        return exchange

    def ask(self, bench: Bench, fmt: Format, message: str, *args: Value) -> tuple[Value, Exchange]:
        """Send a call that has to succeed; return its value and the exchange.

        Raises:
            Unanswered: the server refused or did not answer.
        """
        exchange = self.call(bench, fmt, message, *args)
        if isinstance(exchange.reply.outcome, Success):
            return exchange.reply.outcome.value, exchange
        raise Unanswered(exchange, domain=bench.is_domain_refusal(exchange), missing=bench.is_missing(exchange))

    def _options(self, bench: Bench, fmt: Format) -> CallOptions:
        if not self._session and not self._refused:
            try:
                self._session = opened(bench, fmt)
            except Unavailable:
                self._refused = True
        return {"session": self._session} if self._session else {}


def ask(bench: Bench, fmt: Format, message: str, *args: Value, elsewhere: bool = True) -> tuple[Value, Exchange]:
    """Ask in the second session where `elsewhere` says so, else in the run's own.

    Raises:
        Unanswered: the server refused or did not answer.
    """
    return bench.onlooker.ask(bench, fmt, message, *args) if elsewhere else bench.ask(fmt, message, *args)
