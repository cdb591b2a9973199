"""Whether the server under test still answers: what it left unanswered, and when to stop asking.

A call without an HTTP answer is held back until the server answers another: only then is it the server's doing that
this one got none, and not the end of the server or of the network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from xenconform.models.calls import Breach, Format
from xenconform.models.exchange import Exchange

GONE_AFTER = 5
"""So many calls in a row without an HTTP answer mean that the server is gone; of one message, that it never answers."""
STUCK_AFTER = 2
"""So many time-outs of one message end the calls of that message."""
MAX_TIMEOUTS = 30
UNREADABLE_AFTER = 50
"""So many replies in a row, over every format, of which none can be read mean that no API is spoken there."""
DYING = 2.0
"""So many seconds a server may take to be gone after what ends it."""
_HELD = frozenset({"http-timeout", "http-no-answer"})
_AWAY = ("refused", "unreachable", "tls")
"""Beginnings of the details of troubles that are of the way to a server, and no answer that it owes."""


def is_away(exchange: Exchange) -> bool:
    """Whether the way to the server was closed, as it is where nobody listens."""
    outcome = exchange.reply.outcome
    return isinstance(outcome, Breach) and not exchange.status and outcome.detail.startswith(_AWAY)


class TargetGoneError(Exception):
    """The server under test no longer answers; what is left of the run cannot be exercised.

    `between` are the last exchange that it answered and the first that it did not, where both were seen.
    """

    def __init__(self, said: str, *between: Exchange) -> None:
        names = [f"{each.message or 'bytes of no call'} over {each.format}" for each in between]
        told = f"; it answered {names[0]} last, and no more {names[1]}" if len(names) > 1 else ""
        super().__init__(said + told)
        self.between = between


class NotBackError(TargetGoneError):
    """A server that was restarted lets nobody in: that tells of the restart, and nothing of what came before."""


class Health:
    """Counts what the server of a run leaves unanswered; see the module."""

    def __init__(self, formats: Collection[Format]) -> None:
        self._formats = frozenset(formats)
        self._silent: list[str] = []
        self._answered: Exchange | None = None
        self._first: Exchange | None = None
        self._unanswered: Counter[str] = Counter()
        self._timeouts: Counter[str] = Counter()
        self._unreadable: Counter[Format] = Counter()
        self._held: list[Exchange] = []

    @property
    def answers(self) -> bool:
        """Whether the server answered the last call that it owed an answer."""
        return not self._silent

    def begin_again(self) -> None:
        """Hold nothing more against a server that was restarted of what it left unanswered before."""
        for each in (self._silent, self._unanswered, self._timeouts, self._unreadable, self._held):
            each.clear()

    def is_stuck(self, message: str) -> bool:
        """Whether a message was left unanswered so often that it is not to be called again."""
        return self._timeouts[message] >= STUCK_AFTER or self._unanswered[message] >= GONE_AFTER

    def see(self, exchange: Exchange, *, refused: bool = False) -> tuple[Exchange, ...]:
        """Take note of an exchange; return those of which it is now known that the server owes an answer.

        Args:
            exchange: what came.
            refused: an HTTP error is a proper answer to this call; to bytes that are no call, so is hanging up.

        Raises:
            TargetGoneError: the server no longer answers at all, or in no format.
        """
        outcome = exchange.reply.outcome
        if isinstance(outcome, Breach) and not exchange.status:
            self._first = self._first or exchange
            self._hold(exchange, outcome, owed=not refused)
            return () if refused or outcome.kind in _HELD else (exchange,)
        self._silent.clear()
        self._answered, self._first = exchange, None
        self._read(exchange, refused=refused)
        owed = tuple(each for each in self._held if not self._was_slow_once(each))
        self._held = [each for each in self._held if self._was_slow_once(each)]
        return owed

    def _hold(self, exchange: Exchange, outcome: Breach, *, owed: bool) -> None:
        away = is_away(exchange)
        if owed or away:
            self._silent.append("" if away else exchange.message)
        self._unanswered[exchange.message] += owed
        self._timeouts[exchange.message] += outcome.kind == "http-timeout"
        if owed and outcome.kind in _HELD and not away:
            self._held.append(exchange)
        # One message that is never answered is a defect of a server that is there.
        gone = len(self._silent) >= GONE_AFTER and (away or len(set(self._silent)) > 1)
        if gone or self._timeouts.total() >= MAX_TIMEOUTS:
            between = (each for each in (self._answered, self._first) if each is not None)
            raise TargetGoneError(f"the server no longer answers: {outcome.detail}", *between)

    def _read(self, exchange: Exchange, *, refused: bool) -> None:
        outcome = exchange.reply.outcome
        if not isinstance(outcome, Breach):
            self._unreadable.clear()
        elif not refused:
            self._unreadable[exchange.format] += 1
            if self._unreadable.total() >= UNREADABLE_AFTER and self._formats <= self._unreadable.keys():
                raise TargetGoneError(
                    f"the last {self._unreadable.total()} replies of the server were none: {outcome.detail}"
                )

    def _was_slow_once(self, exchange: Exchange) -> bool:
        """Whether this is the one time-out of its message, which may be a hiccup of the way there."""
        outcome = exchange.reply.outcome
        timed_out = isinstance(outcome, Breach) and outcome.kind == "http-timeout"
        return timed_out and not self.is_stuck(exchange.message)
