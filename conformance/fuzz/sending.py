"""Attempts are sent here, alone or side by side, and judged by what came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from xenconform.conformance.checks.bench import ENVELOPES
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.connections import Heard, talk
from xenconform.conformance.fuzz.judging import (
    Wrong,
    class_of,
    judge_post,
    judge_read_back,
    judge_talk,
    may_have_written,
    outcomes_of,
    outcomes_of_post,
    was_refused,
)
from xenconform.conformance.fuzz.stage import Stage
from xenconform.models.calls import Outcome, Success
from xenconform.strategies.plain import tame

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

    @property
    def refused(self) -> bool:
        """Whether it was turned down, so that it may have changed nothing."""
        return was_refused(self.attempt, self.outcomes, answered=self.answered)

    @property
    def may_have_written(self) -> bool:
        """Whether it may have written something by right."""
        return not self.refused and may_have_written(self.attempt, self.outcomes)

    @property
    def is_read(self) -> bool:
        """Whether a reply was read by its types, and is a success."""
        return bool(self.attempt.message) and isinstance(self.outcomes[0], Success)


class Sender:
    """Sends attempts to a stage's server. `sent` counts them, `classes` the classes of replies that came."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.sent = 0
        self.classes: Counter[str] = Counter()

    def send(self, attempt: Attempt) -> Tried:
        """Send one attempt and judge what comes back.

        Raises:
            Unavailable: no connection of its own came about.
        """
        return self._talked(attempt, self._talk(attempt)) if attempt.end else self._posted(attempt)

    def send_together(self, attempts: Sequence[Attempt]) -> list[Tried]:
        """Send attempts over connections of their own, at the same time."""
        with ThreadPoolExecutor(len(attempts)) as pool:
            heard = list(pool.map(self._talk, attempts))
        return [self._talked(attempt, each) for attempt, each in zip(attempts, heard, strict=True)]

    def _posted(self, attempt: Attempt) -> Tried:
        self.sent += 1
        bench = self.stage.bench
        message = bench.api.message(attempt.message)
        result = message.result if message else None
        exchange = bench.client.raw(
            attempt.format, attempt.data, attempt.content_type, attempt.path, result=result, deadline=attempt.deadline
        )
        is_new = self._is_new(class_of(exchange))
        wrongs, seqs = list(judge_post(attempt, exchange, self._secrets())), [exchange.seq]
        if attempt.wrote is not None and isinstance(exchange.reply.outcome, Success):
            for fmt in bench.formats:
                seen = bench.client.call(fmt, attempt.wrote.getter, (attempt.wrote.ref,))
                found = list(judge_read_back(attempt.wrote, seen.reply.outcome))
                wrongs += found
                seqs += [seen.seq] if found else []
            if len(attempt.data) > LARGE:
                # What is large makes every record and listing slow from now on.
                wrote = attempt.wrote
                bench.client.call(attempt.format, attempt.message, (wrote.ref, tame(wrote.type, 1)))
        outcomes = outcomes_of_post(exchange)
        wrong = self._selected(attempt, wrongs)
        return Tried(attempt, tuple(seqs), outcomes, exchange.status != 0, wrong, exchange.elapsed, is_new)

    def _is_new(self, kind: str) -> bool:
        self.classes[kind] += 1
        return self.classes[kind] == 1

    def _talk(self, attempt: Attempt) -> Heard:
        return talk(self.stage.bench.dial, attempt, self.stage.patience, self.stage.silence)

    def _talked(self, attempt: Attempt, heard: Heard) -> Tried:
        self.sent += 1
        bench = self.stage.bench
        exchange = bench.client.note(attempt.format, attempt.data, heard.received, heard.seconds)
        is_new = self._is_new(f"{attempt.format} {heard.replies.statuses} {heard.closed}")
        outcomes = outcomes_of(attempt, heard, bench.api)
        wrongs = list(judge_talk(attempt, heard, outcomes, self._secrets()))
        wrong = self._selected(attempt, wrongs)
        return Tried(attempt, (exchange.seq,), outcomes, bool(heard.replies.whole), wrong, 0.0, is_new)

    def _selected(self, attempt: Attempt, wrongs: Sequence[Wrong]) -> tuple[Wrong, ...]:
        """Return what is wrong, told under a clause of this run."""
        clauses = self.stage.bench.clauses
        return tuple(
            wrong if wrong.clause in clauses or not clauses else replace(wrong, clause=ENVELOPES[attempt.format])
            for wrong in wrongs
        )

    def _secrets(self) -> tuple[bytes, ...]:
        return (self.stage.other.encode(),)
