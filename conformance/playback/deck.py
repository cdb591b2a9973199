"""One item of a log, to be asked: each request is answered with what the same request was answered with.

The rules:

1. Requests of the main thread are looked for in the order of the log. What lies before the one that is found may be
   passed over only if it reads: what was written in between would show in what is read later. No more is passed over
   than the block of judgements that is open has.
2. What is not found was not asked in that run. Then nothing more is answered until the next judgement is recorded that
   the log has too: there the two are at the same place again. After what only reads any judgement will do. What is
   judged meanwhile counts as untested.
3. Requests of other threads are looked for without that order, and get their answer once the main thread has come by
   where it lies in the log.
4. What only looks for objects, or makes one, and lies in an item that could not be played to its end, is found later.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn

from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.client.redaction import MASK
from xenconform.conformance.playback.tape import Reel, exchange_of
from xenconform.models.calls import Format
from xenconform.models.events import SavedCase, TimeOver
from xenconform.models.exchange import Exchange
from xenconform.models.rejudgement import NOT_ASKED
from xenconform.models.verdicts import Judgement, Verdict

SPARE = ("create", "introduce", "get_all", "get_uuid", "get_record", "get_by_uuid", "login_with_password")
"""The messages by which checks come by their objects, or see whether they still have them."""
LONGEST = 10.0
"""Seconds for which another thread's answer is held back at most, beyond any order of the log."""
_READS = ("get_", "from", "login", "logout", "list", "is_", "assert_")
_IDENT = re.compile(rb',"id":([0-9]+)\}$')

Key = tuple[Format, bytes]


class NotAsked(Unavailable):
    """What a check asks now and the log does not hold."""


@dataclass(slots=True)
class Card:
    """One exchange of a log: its line, by what it is known, whether it only reads, and whether it was played."""

    line: bytes
    key: Key
    message: str
    masked: bool
    ident: int
    used: bool = False
    now: bytes = b""
    """The line that stands for it today, where its reply is read otherwise."""

    @property
    def reads(self) -> bool:
        """Whether it changed nothing, as far as its message says."""
        return self.message.partition(".")[2].startswith(_READS)

    def fits(self, key: Key) -> bool:
        """Whether a request is this one: the same bytes, but for what the log hides of it."""
        if key == self.key or not self.masked or key[0] is not self.key[0]:
            return key == self.key
        parts = [re.escape(part) for part in self.key[1].split(MASK.encode())]
        return re.fullmatch(rb"[^<>\"]*?".join(parts), key[1], re.DOTALL) is not None


def key_of(fmt: Format, sent: bytes, *, by_hand: bool) -> tuple[Key, int]:
    """Return by what a request is known, its id left out where it has one of the client's, and that id or 0."""
    found = None if by_hand else _IDENT.search(sent)
    return ((fmt, sent), 0) if found is None else ((fmt, sent[: found.start()]), int(found[1]))


@dataclass(slots=True)
class Deck:
    """The cards of one item; see the module. `spare` are those of items before that could not be played."""

    reel: Reel
    spare: dict[Key, list[Card]]
    cards: list[Card | Judgement | TimeOver] = field(default_factory=list)
    at: int = 0
    lost: str = ""
    ever_lost: str = ""
    _only_read: bool = False
    _moved: threading.Condition = field(default_factory=threading.Condition)
    _main: int = field(default_factory=threading.get_ident)

    def __post_init__(self) -> None:
        for each in self.reel.told:
            if isinstance(each, bytes):
                self.cards.append(card_of(each))
            elif not isinstance(each, SavedCase):
                self.cards.append(each)

    def play(self, key: Key, *, by_hand: bool, what: str) -> tuple[Card, Exchange]:
        """Return the card of a request, and its exchange as the log has it.

        Raises:
            NotAsked: the log does not hold it, or not here.
        """
        with self._moved:
            main = threading.get_ident() == self._main
            card = (self._next(key) or self._spare(key)) if main else self._wait_for(key)
            if card is None:
                self._miss(what)
            card.used = True
            exchange = exchange_of(card.line)
            if by_hand is not (not card.message):
                self._miss(what)
            self._moved.notify_all()
            return card, exchange

    def _next(self, key: Key) -> Card | None:
        if self.lost:
            raise NotAsked(self.lost)
        passed = False
        for at in range(self.at, len(self.cards)):
            card = self.cards[at]
            if isinstance(card, Judgement):
                if passed:
                    return None
            elif isinstance(card, Card) and not card.used:
                if card.fits(key):
                    self.at = at + 1
                    return card
                if not card.reads:
                    return None
                passed = True
        return None

    def _spare(self, key: Key) -> Card | None:
        found = self.spare.get(key, [])
        while found:
            card = found.pop(0)
            if not card.used:
                return card
        return None

    def _wait_for(self, key: Key) -> Card | None:
        for at in range(self.at, len(self.cards)):
            card = self.cards[at]
            if isinstance(card, Card) and not card.used and card.fits(key):
                card.used = True
                self._moved.wait_for(partial(self._come_by, at), LONGEST)
                return card
        return None

    def _come_by(self, at: int) -> bool:
        """Whether the main thread has asked for all that lies before a place, or asks for nothing more."""
        left = (isinstance(each, Card) and not each.used for each in self.cards[self.at : at])
        return bool(self.lost) or not any(left)

    def _miss(self, what: str) -> NoReturn:
        self.lost = f"{NOT_ASKED}: {what}"
        self.ever_lost = self.ever_lost or self.lost
        self._only_read = what.partition(".")[2].startswith(_READS)
        self._moved.notify_all()
        raise NotAsked(self.lost)

    def judged(self, judgement: Judgement) -> None:
        """Take note of a judgement of today: where the log has it too, playing goes on behind it."""
        if judgement.verdict is Verdict.FAIL and not self.lost:
            return  # a flaw is told in the middle of a block
        for at in range(self.at, len(self.cards)):
            card = self.cards[at]
            if isinstance(card, Judgement):
                if card.key == judgement.key and (self.lost or card.verdict is not Verdict.FAIL):
                    self._go_on(at + 1)
                    return
            elif isinstance(card, Card) and not self.lost and not card.used and not card.reads:
                return
        if self.lost and self._only_read:
            self._go_on(self.at)

    def _go_on(self, at: int) -> None:
        with self._moved:
            self.at, self.lost = at, ""
            self._moved.notify_all()

    def when(self, judgement: Judgement, before: float) -> float:
        """Return the seconds at which the log has a judgement; where it has none, those of the last one before."""
        for at in range(self.at, len(self.cards)):
            card = self.cards[at]
            if isinstance(card, Judgement) and card.key == judgement.key:
                return card.seconds
        for at in range(self.at - 1, -1, -1):
            card = self.cards[at]
            if isinstance(card, Judgement):
                return card.seconds
        return before

    def over(self) -> bool:
        """Return whether a check's time was over here, or nothing more is answered."""
        for at in range(self.at, len(self.cards)):
            card = self.cards[at]
            if isinstance(card, TimeOver):
                self.at = at + 1
                return True
            if isinstance(card, Card) and not card.used:
                return bool(self.lost)
        return True

    def unplayed(self) -> list[Card]:
        """Return the cards that nobody asked for."""
        return [each for each in self.cards if isinstance(each, Card) and not each.used]


def card_of(line: bytes) -> Card:
    """Return the card of an exchange's line."""
    exchange = exchange_of(line)
    key, ident = key_of(exchange.format, exchange.sent, by_hand=not exchange.message)
    return Card(line, key, exchange.message, MASK.encode() in exchange.sent, ident)
