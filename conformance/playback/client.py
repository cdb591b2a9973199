"""A client whose server is a log: what it sends is looked up there, and read by today's codec as if it came now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Self

from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.client import Client
from xenconform.conformance.client.reading import Carried, Sending
from xenconform.conformance.client.redaction import Secrets
from xenconform.conformance.playback.deck import Card, Deck, key_of
from xenconform.conformance.playback.tape import exchange_of
from xenconform.conformance.transport import HttpReply, Result, TransportTrouble, Trouble
from xenconform.models.calls import Breach, Format
from xenconform.models.events import encode_event
from xenconform.models.exchange import Exchange

_SHOWN = re.compile(rb"SESSION-([0-9]+)(?:\[([0-9]*):([0-9]*)\])?")
_STANDS_FOR = re.compile(r"OpaqueRef:[0-9a-f]{8}-5e55-4000-8000-([0-9]{12})")
_FILE = re.compile(r"file:///[^\"'<>\s]*/canary")


def session_ref(number: int) -> str:
    """Return what stands for a session that the log hides as SESSION-number: as long as most servers' refs are."""
    # They differ from the first digit on, as a server's do: one is no beginning of another.
    return f"OpaqueRef:{sha256(str(number).encode()).hexdigest()[:8]}-5e55-4000-8000-{number:012d}"


@dataclass(slots=True)
class PlayedSecrets(Secrets):
    """Sessions get the numbers again that the log hides them by; `texts` are those that were seen, by number."""

    texts: dict[int, str] = field(default_factory=dict, repr=False)

    def add_session(self, session: str) -> None:
        """Hide a session ref from now on."""
        found = _STANDS_FOR.fullmatch(session)
        if found and session not in self.sessions:
            self._numbered = int(found[1]) - 1
        Secrets.add_session(self, session)
        self.texts.setdefault(self._numbered, session)

    def revealed(self, said: bytes) -> bytes:
        """Return bytes of a log with what stands for a session in the place of each that is hidden."""
        if b"SESSION-" not in said:
            return said

        def stand_in(found: re.Match[bytes]) -> bytes:
            number = int(found[1])
            if number not in self.texts:
                self.add_session(session_ref(number))
            ref = self.texts[number]
            return ref[int(found[2] or 0) : int(found[3] or len(ref))].encode("utf-8", "surrogatepass")

        return _SHOWN.sub(stand_in, said)

    def at_least(self, number: int) -> None:
        """Take note that the log has hidden so many sessions."""
        self._numbered = max(self._numbered, number)


@dataclass(slots=True)
class Player:
    """What is played now, for the client and all its siblings, and nature as it was then."""

    deck: Deck
    secrets: PlayedSecrets = field(default_factory=PlayedSecrets)

    def now(self) -> float:
        """Return no time: the log tells only when one was over."""
        return 0.0

    def over(self, _until: float) -> bool:
        """Return whether the log tells that a time was over here."""
        return self.deck.over()

    def pause(self, _seconds: float) -> None:
        """Take no time: what was waited for comes at once."""

    @contextmanager
    def file_of(self, _text: str) -> Iterator[str]:
        """Give the URI that the log has; what was in the file nobody reads."""
        found = (_FILE.search(card.line.decode("ascii")) for card in self.deck.unplayed())
        uri = next((each[0] for each in found if each), "")
        if not uri:
            raise Unavailable("the log names no file")
        yield uri

    def socket(self, _seconds: float) -> Any:
        """Return a bare connection to what the log has."""
        return _Socket(self)


@dataclass(slots=True)
class _Socket:
    """A connection over which what the log has for the bytes that were sent comes back."""

    player: Player
    sent: bytes = b""
    over: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        pass

    def sendall(self, piece: bytes) -> None:
        """Send some bytes."""
        self.sent += piece

    def shutdown(self, _how: int) -> None:
        """Send no more."""

    def settimeout(self, _seconds: float) -> None:
        """Wait for nothing."""

    def recv(self, _most: int) -> bytes:
        """Return all that came, and then nothing."""
        if self.over:
            return b""
        self.over = True
        for card in self.player.deck.unplayed():
            if not card.message and card.key[1] == self.sent:
                return exchange_of(card.line).received
        return b""


@dataclass(slots=True)
class PlayedClient(Client):
    """Sends to a log; see the module."""

    player: Player | None = None
    played: tuple[Card, Exchange] | None = field(default=None, init=False)

    @property
    def deck(self) -> Deck:
        """What is played now."""
        assert self.player is not None, "a played client has a player"
        return self.player.deck

    def note(self, format: Format, sent: bytes, received: bytes, elapsed: float) -> Exchange:  # noqa: A002, ARG002 - as the client's
        """Return what the log has of bytes that went over a connection of their own."""
        key, _ = key_of(format, self.secrets.redact_by_hand(sent), by_hand=True)
        _, exchange = self.deck.play(key, by_hand=True, what=f"{sent[:60]!r}")
        return exchange

    def _carry(self, sending: Sending, deadline: float) -> Carried:  # noqa: ARG002 - a log needs none
        by_hand = not sending.message
        hidden = (self.secrets.redact_by_hand if by_hand else self.secrets.redact_bytes)(sending.body)
        key, _ = key_of(sending.format, hidden, by_hand=by_hand)
        what = sending.message or f"{hidden[:60]!r}"
        self.played = card, exchange = self.deck.play(key, by_hand=by_hand, what=what)
        assert self.player is not None, "a played client has a player"
        return Carried(result_of(exchange, self.player.secrets), exchange.seq, card.ident)

    def _tell(self, exchange: Exchange) -> Exchange:
        """Keep how the reply is read today where that is otherwise than the log has it."""
        assert self.played is not None, "what is told was played"
        card, recorded = self.played
        reply = self.secrets.redact_exchange(exchange).reply
        if reply != recorded.reply:
            card.now = encode_event(replace(recorded, reply=reply)).encode()
        return exchange


def result_of(exchange: Exchange, secrets: PlayedSecrets) -> Result:
    """Return what the transport brought, from what a log has of it."""
    outcome = exchange.reply.outcome
    received = secrets.revealed(exchange.received)
    if not exchange.status and isinstance(outcome, Breach):
        kind, _, detail = outcome.detail.partition(": ")
        known = Trouble(kind) if kind in set(Trouble) else Trouble.CLOSED_EARLY
        return TransportTrouble(known, detail, exchange.elapsed, received)
    flaws = [flaw.detail for flaw in exchange.reply.flaws if flaw.kind.startswith("http-")]
    reason = _reason([outcome.detail.partition(": ")[0]] if isinstance(outcome, Breach) else flaws, exchange.status)
    headers = tuple((name, secrets.revealed(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass"))
                    for name, text in exchange.headers)  # fmt: skip
    return HttpReply(
        exchange.status, reason, headers, received, exchange.elapsed,
        surplus=any(each.startswith("more bytes than") for each in flaws),
        unsolicited=any(each.startswith("bytes on the connection") for each in flaws),
    )  # fmt: skip


def _reason(told: list[str], status: int) -> str:
    start = f"HTTP {status} "
    return next((each.removeprefix(start) for each in told if each.startswith(start)), "")
