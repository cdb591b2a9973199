"""One process of a run, played: it logs in, judges item after item, and removes what it made, all on paper."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import BUDGETS, Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.health import TargetGoneError
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.logins import RoleLogin, RoleSessions
from xenconform.conformance.checks.offered import as_offered
from xenconform.conformance.client.reading import Expected, read_result
from xenconform.conformance.codec import codec_for
from xenconform.conformance.playback.client import PlayedClient, Player, result_of
from xenconform.conformance.playback.deck import SPARE, Card, Deck, Key
from xenconform.conformance.playback.tape import Reel, exchange_of
from xenconform.conformance.suite.dying import Recent
from xenconform.conformance.suite.one import judge, tell_silent
from xenconform.conformance.suite.restart import Restart
from xenconform.conformance.suite.settings import EMBEDDED_PASSWORD
from xenconform.models import events
from xenconform.models.calls import Format, Success
from xenconform.models.events import CLOSING, OPENING, Item, RunStart, SavedCase, TimeOver, encode_event
from xenconform.models.integrity import day_of
from xenconform.models.profiles import waived
from xenconform.models.target import Target, parse_target
from xenconform.models.types import RefTo
from xenconform.models.verdicts import Judgement, Verdict

if TYPE_CHECKING:
    from xenconform.conformance.playback.run import Playback

STAND_IN = "xenconform-rejudged"
"""What stands for every password: the log does not have them."""
_NOBODY = "http://127.0.0.1:1"
"""The embedded server's address, as far as requests show it."""


class Worker:
    """One process of a run, played: its client, its bench, and what carries over from one item to the next."""

    def __init__(self, playback: Playback) -> None:
        start, self.playback = playback.tape.start, playback
        self.gone = ""
        self.silent: dict[str, str] = {}
        self.recent = Recent()
        self._judged: set[str] = set()
        self._spare: dict[Key, list[Card]] = {}
        self._flushed = 0
        self._seconds = 0.0
        self._calls = 0
        self._day = day_of(start)
        self.player = Player(Deck(Reel(Item(OPENING, "", "", 0, "")), {}))
        self.secrets = self.player.secrets
        self.client = PlayedClient(
            target_of(start) or parse_target(_NOBODY), playback.api, formats=_formats(start), deadline=start.deadline,
            secrets=self.secrets, player=self.player,
        )  # fmt: skip
        self.bench = Bench(
            api=playback.api,
            client=self.client,
            profile=playback.profile,
            formats=_formats(start),
            budget=BUDGETS[start.budget],
            seed=start.seed,
            record=self.record,
            clauses=[clause.id for clause in playback.clauses],
            classes=start.classes,
            save_case=playback.save_case,
        )
        self.bench.dial = self.player.socket
        roles = {role: RoleLogin(user, STAND_IN) for role, user in start.roles.items()}
        self.bench.roles = RoleSessions(roles)
        self.password = EMBEDDED_PASSWORD if target_of(start) is None else STAND_IN
        user, formats = start.user, _formats(start)
        if start.restarts:
            self.bench.restart = Restart(_again, self.client, formats, user, self.password)

    def play(self, reel: Reel) -> None:
        """Judge one item again and write what comes of it."""
        item, account = reel.item, self.playback.counts
        self.player.deck = deck = Deck(reel, self._spare)
        self._flushed = 0
        self.playback.write(encode_event(item))
        with nature.in_place_of_nature(self.player):
            nature.salted(item.salt)
            self.bench.stock.numbered = item.number
            match item.clause:
                case events.OPENING:
                    self._log_in()
                case events.CLOSING:
                    tell_silent(self, self._judged)
                    self._clean_up()
                case _:
                    self._judge(item, deck)
        self._flush_to(len(deck.cards))
        self.secrets.at_least(reel.sessions)
        rest = deck.unplayed()
        account.exchanges += sum(isinstance(each, Card) for each in deck.cards)
        account.replayed += sum(isinstance(each, Card) and each.used for each in deck.cards)
        for card in rest:
            if card.message.rpartition(".")[2] in SPARE:
                self._spare.setdefault(card.key, []).append(card)
        if deck.ever_lost and item.clause != CLOSING:
            account.lost[name_of(item.clause, item.by, item.of)] = deck.ever_lost

    def _log_in(self) -> None:
        start = self.playback.tape.start
        for fmt in _formats(start):
            try:
                if isinstance(self.client.login(fmt, start.user, self.password).reply.outcome, Success):
                    self.bench.hold_to(as_offered(self.client, self.playback.api, fmt))
                    return
            except Unavailable:
                continue
        self.gone = "the log does not tell how the run logged in"

    def _clean_up(self) -> None:
        try:
            self.bench.stock.clear()
            self.client.logout_all()
        except (TargetGoneError, Unavailable) as why:
            self.gone = self.gone or str(why)

    def _judge(self, item: Item, deck: Deck) -> None:
        account, name = self.playback.counts, name_of(item.clause, item.by, item.of)
        found = self.playback.found(item)
        if found is None:
            account.gone.append(name)
        elif found[0].timed:
            account.taken_over.append(name)
            self._take_over(found[0], deck)
            self.silent.update(dict.fromkeys(set(found[0].clauses) & self.bench.clauses - self.silent.keys(), ""))
        else:
            account.played += 1
            judge(self, *found)

    def _take_over(self, check: Check, deck: Deck) -> None:
        """Keep what an item judged, and look at its replies for flaws once more."""
        for case in deck.reel.told:
            if isinstance(case, SavedCase):
                self.playback.add_case(case)
        for at, each in enumerate(deck.cards):
            deck.at = at + 1
            if isinstance(each, Card):
                self._read_again(each)
            elif isinstance(each, Judgement) and each.clause in check.clauses:
                self.playback.counts.kept += 1
                self._flush_to(deck.at)
                if each.clause in self.bench.clauses:
                    self._judged.add(each.clause)
                    self.playback.judged(each)

    def _read_again(self, card: Card) -> None:
        exchange = exchange_of(card.line)
        message = self.playback.api.message(exchange.message.removeprefix("Async."))
        if not card.message or message is None:
            return
        result = RefTo("task") if exchange.message.startswith("Async.") else message.result
        got = result_of(exchange, self.secrets)
        reply = read_result(got, Expected(codec_for(exchange.format), result, card.ident), self.playback.api)
        seen = replace(exchange, reply=reply, received=self.secrets.revealed(exchange.received))
        hidden = self.secrets.redact_exchange(seen).reply
        if hidden != exchange.reply:
            card.now = encode_event(replace(exchange, reply=hidden)).encode()
        try:
            self.bench.watch(seen)
        except TargetGoneError as why:
            self.gone = str(why)

    def record(self, judgement: Judgement) -> None:
        """Write a judgement of today: what was judged where the log holds less than was asked is untested."""
        deck = self.player.deck
        if deck.lost and judgement.verdict is not Verdict.ERROR:
            judgement = Judgement(
                judgement.clause, judgement.element, judgement.format, Verdict.UNTESTED, reason=deck.lost
            )
        judgement = self.secrets.redact_judgement(judgement)
        self._seconds = deck.when(judgement, self._seconds)
        deck.judged(judgement)
        self._flush_to(deck.at)
        judgement = replace(judgement, seconds=self._seconds)
        self._judged.add(judgement.clause)
        if judgement.verdict is Verdict.FAIL:
            judgement = waived(replace(judgement, calls=self._calls), self.playback.tape.start.waivers, self._day)
        self.playback.judged(judgement)

    def _flush_to(self, at: int) -> None:
        """Write the exchanges that lie before a place in the item, those that were not written yet."""
        for each in self.player.deck.cards[self._flushed : at]:
            if isinstance(each, Card):
                self._calls += 1
                self.playback.write((each.now or each.line).decode("ascii"))
            elif isinstance(each, TimeOver):
                self.playback.write(encode_event(each))
        self._flushed = max(self._flushed, at)


def _again() -> None:
    """The server was restarted then."""


def _formats(start: RunStart) -> tuple[Format, ...]:
    return tuple(Format(each) for each in start.formats)


def target_of(start: RunStart) -> Target | None:
    """Return the server of a run, None where that was the embedded one."""
    return None if start.target.startswith("embedded ") else parse_target(start.target)


def name_of(clause: str, by: str, of: str) -> str:
    """Return an item's name for people."""
    return f"{clause}[{of or 'server'}] {by}"
