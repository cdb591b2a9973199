"""Attempts are sent here, alone or side by side, and judged by what came back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from xenconform.conformance.checks.bench import ENVELOPES
from xenconform.conformance.checks.judging import describe
from xenconform.conformance.checks.lost import is_refused
from xenconform.conformance.checks.role_cells import DENIED
from xenconform.conformance.checks.sessions import INVALID
from xenconform.conformance.client import Client
from xenconform.conformance.fuzz.agreeing import disagreements
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.connections import Heard, talk
from xenconform.conformance.fuzz.effects import Effects
from xenconform.conformance.fuzz.judging import (
    NOTIFICATIONS,
    class_of,
    judge_post,
    judge_talk,
    judged_by,
    may_have_written,
    outcomes_of,
    outcomes_of_post,
    was_refused,
)
from xenconform.conformance.fuzz.spellings import Spellings
from xenconform.conformance.fuzz.stage import Stage
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.models.api import Api
from xenconform.models.calls import Failure, Outcome, Success
from xenconform.models.exchange import Exchange
from xenconform.strategies.hostile import Owed

LANES: Final = 12
"""So many connections carry attempts at a time."""
Seen = list[tuple[Wrong, Exchange]]
"""What is wrong with what an object shows, and the exchanges that show it."""
LARGE: Final = 2_000
"""Values of calls over so many bytes are not left where they were written."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of an attempt: the numbers of the telling exchanges, what the replies say, and what is wrong."""

    attempt: Attempt
    seqs: tuple[int, ...]
    outcomes: Sequence[Outcome]
    answered: bool
    wrongs: tuple[Wrong, ...]
    seconds: float
    is_new: bool = False
    """Whether no reply of this kind came before."""
    doubts: tuple[Wrong, ...] = ()
    """What was wrong while attempts about others were sent, and not again with nothing beside it."""
    is_lost: bool = False
    """Whether it was turned down since its session had ended, which tells nothing."""

    @property
    def refused(self) -> bool:
        """Whether it was turned down, so that it may have changed nothing."""
        return not self.is_lost and was_refused(self.attempt, self.outcomes, answered=self.answered)

    @property
    def is_unanswered(self) -> bool:
        """Whether a body was posted and no answer came."""
        return not self.answered and not self.attempt.end

    @property
    def may_have_written(self) -> bool:
        """Whether it may have written something by right."""
        return not self.is_lost and not self.refused and may_have_written(self.attempt, self.outcomes)

    def judged_by(self, api: Api) -> frozenset[str]:
        """Return the clauses that it was judged by."""
        return frozenset() if self.is_lost else judged_by(self.attempt, self.outcomes, refused=self.refused, api=api)

    @property
    def is_read(self) -> bool:
        """Whether a reply was read by its types, and is a success."""
        return bool(self.attempt.message) and isinstance(self.outcomes[0], Success)


class Sender:
    """Sends attempts to a stage's server.

    `sent` counts them, `size` their bytes, `classes` the classes of replies that came.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.sent = self.size = 0
        self._spellings = Spellings(stage.bench.api)
        self.classes: Counter[str] = Counter()
        self._lanes = ThreadPoolExecutor(LANES, thread_name_prefix="lane")
        self._own = threading.local()
        self._clients: list[Client] = []

    def close(self) -> None:
        """Close the connections."""
        self._lanes.shutdown(cancel_futures=True)
        for client in self._clients:
            client.close()

    def send(self, attempt: Attempt) -> Tried:
        """Send one attempt and judge what comes back."""
        if attempt.end:
            return self._talked(attempt, self._talk(attempt))
        return self.post(attempt)[1]

    def post(self, attempt: Attempt) -> tuple[Exchange, Tried]:
        """Post an attempt's body; return the exchange, and it judged.

        Raises:
            ValueError: HTTP cannot carry the attempt's content type or path.
        """
        exchange, seen = self._carried(attempt, self.stage.bench.client)
        return exchange, self._posted(attempt, exchange, seen)

    def send_apart(self, attempts: Sequence[Attempt]) -> list[Tried]:
        """Send attempts that are about an object each; those about one object one after the other.

        What is wrong with what an object shows then is looked for again with nothing beside it: that one object is not
        written by way of another is for other clauses to say.
        """
        chains: dict[str, list[Attempt]] = {}
        for attempt in attempts:
            chains.setdefault(attempt.about, []).append(attempt)
        sent = [each for chain in self._lanes.map(self._chain, chains.values()) for each in chain]
        return [self._apart(*each, alone=len(chains) == 1) for each in sent]

    def _chain(self, attempts: list[Attempt]) -> list[tuple[Attempt, Exchange, Seen]]:
        return [(attempt, *self._carried(attempt, self._client())) for attempt in attempts]

    def _apart(self, attempt: Attempt, exchange: Exchange, seen: Seen, *, alone: bool) -> Tried:
        tried = self._posted(attempt, exchange, seen if alone else [])
        if alone or not seen:
            return tried
        for afresh in (False, True):
            again = self._posted(attempt, *self._carried(attempt, self.stage.bench.client, afresh=afresh))
            if again.wrongs:
                break
        if again.wrongs:
            return replace(again, seqs=(*tried.seqs, *again.seqs), wrongs=(*tried.wrongs, *again.wrongs))
        return replace(tried, doubts=self.selected(attempt, [wrong for wrong, _ in seen]))

    def _carried(self, attempt: Attempt, client: Client, *, afresh: bool = False) -> tuple[Exchange, Seen]:
        """Post an attempt's body, look at what it is about before and after, and tidy up.

        `afresh` writes something else there before.
        """
        bench, seen = self.stage.bench, Seen()
        effects = Effects(bench, client, attempt.wrote, afresh=afresh) if attempt.wrote else None
        exchange = self._post(attempt, client)
        if effects is not None:
            refused_clause = attempt.clause if attempt.clause == NOTIFICATIONS else "ROBUST-NO-EFFECT"
            seen += effects.after(exchange, refused_clause)
            seen += effects.put_back(exchange, large=len(attempt.data) > LARGE)
        message = bench.api.message(attempt.message)
        if attempt.compared and message is not None:
            seen += disagreements(bench, client, message, attempt.compared, exchange)
        if seen and self.stage.sessions.is_over(client):
            seen = []  # The session ended meanwhile: what could not be read in it tells nothing.
        return exchange, seen

    def send_together(self, attempts: Sequence[Attempt]) -> list[Tried]:
        """Send attempts over several connections, some at the same time; judge them in their order."""
        sent = list(self._lanes.map(self._lane, attempts))
        return [
            self._talked(attempt, each) if isinstance(each, Heard) else self._posted(attempt, each)
            for attempt, each in zip(attempts, sent, strict=True)
        ]

    def _lane(self, attempt: Attempt) -> Heard | Exchange:
        if attempt.end:
            return self._talk(attempt)
        return self._post(attempt, self._client())

    def _client(self) -> Client:
        """Return this lane's own client."""
        if not hasattr(self._own, "client"):
            self._own.client = self.stage.bench.client.sibling()
            self._clients.append(self._own.client)
        client: Client = self._own.client
        client.session = self.stage.bench.client.session
        return client

    def _post(self, attempt: Attempt, client: Client) -> Exchange:
        message = self.stage.bench.api.message(attempt.message)
        result = message.result if message else None
        path, kind = attempt.path, attempt.content_type
        return client.raw(attempt.format, attempt.data, kind, path, deadline=attempt.deadline, result=result)

    def _posted(self, attempt: Attempt, exchange: Exchange, seen: Sequence[tuple[Wrong, Exchange]] = ()) -> Tried:
        self.sent, self.size = self.sent + 1, self.size + len(attempt.data)
        is_new = self._is_new(class_of(exchange))
        if is_refused(exchange, INVALID) and self.stage.sessions.is_lost(attempt.data):
            return Tried(attempt, (exchange.seq,), outcomes_of_post(exchange), True, (), exchange.elapsed, is_lost=True)
        wrongs, seqs = list(judge_post(attempt, exchange, self._secrets())), [exchange.seq]
        if attempt.message and isinstance(exchange.reply.outcome, Success):
            wrongs += self._spellings.see(attempt, exchange.received)
        wrongs += self._not_shared(attempt, exchange.reply.outcome)
        wrongs += [wrong for wrong, _ in seen]
        seqs += [each.seq for _, each in seen]
        if isinstance(exchange.reply.outcome, Failure) and exchange.reply.outcome.code == "HANDLE_INVALID":
            self.stage.gone.update(map(str, exchange.reply.outcome.params[1:]))
        if attempt.then is not None:
            attempt.then(exchange.reply.outcome)
        outcomes = outcomes_of_post(exchange)
        selected = self.selected(attempt, wrongs)
        return Tried(attempt, tuple(seqs), outcomes, exchange.status != 0, selected, exchange.elapsed, is_new)

    def _not_shared(self, attempt: Attempt, outcome: Outcome) -> Iterator[Wrong]:
        """Yield that a call is denied in a session of another format, and not in one of its own.

        Source: the clause WIRE-SESSION-SHARED.
        """
        denied = isinstance(outcome, Failure) and outcome.code == DENIED
        sessions = self.stage.sessions.by_format
        own = sessions[self.stage.bench.formats.index(attempt.format)].encode()
        other = next((each for each in map(str.encode, sessions) if each in attempt.data), own)
        if not denied or not attempt.message or other == own:
            return
        again = self._post(replace(attempt, pieces=(attempt.data.replace(other, own),)), self.stage.bench.client)
        if isinstance(again.reply.outcome, Success):
            what = f"{attempt.message} is answered in a session of any format"
            yield Wrong(
                "WIRE-SESSION-SHARED", "denied in another format's session", what, f"only in its own: {describe(again)}"
            )

    def _is_new(self, kind: str) -> bool:
        self.classes[kind] += 1
        return self.classes[kind] == 1

    def _talk(self, attempt: Attempt) -> Heard:
        patience = self.stage.patience if attempt.owed is Owed.ANSWERED else self.stage.brief
        bench = self.stage.bench
        return talk(partial(bench.dial, bench.client.deadline), attempt, patience, self.stage.silence)

    def _talked(self, attempt: Attempt, heard: Heard) -> Tried:
        self.sent, self.size = self.sent + 1, self.size + len(attempt.data)
        bench = self.stage.bench
        exchange = bench.client.note(attempt.format, attempt.data, heard.received, heard.seconds)
        is_new = self._is_new(f"{attempt.format} {heard.replies.statuses} {heard.closed}")
        outcomes = outcomes_of(attempt, heard, bench.api)
        wrongs = list(judge_talk(attempt, heard, outcomes, self._secrets()))
        wrong = self.selected(attempt, wrongs)
        return Tried(attempt, (exchange.seq,), outcomes, bool(heard.replies.whole), wrong, 0.0, is_new)

    def selected(self, attempt: Attempt, wrongs: Sequence[Wrong]) -> tuple[Wrong, ...]:
        """Return what is wrong, told under a clause of this run."""
        clauses = self.stage.bench.clauses
        return tuple(
            wrong if wrong.clause in clauses or not clauses else replace(wrong, clause=ENVELOPES[attempt.format])
            for wrong in wrongs
        )

    def _secrets(self) -> tuple[bytes, ...]:
        return (self.stage.other.encode(),)
