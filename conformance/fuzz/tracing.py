"""Which of the last attempts did it: they are sent again, one by one, until what was seen is seen again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from xenconform.conformance.checks.health import DYING, TargetGoneError
from xenconform.conformance.checks.judging import Unavailable, show
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.onlooker import Onlooker
from xenconform.conformance.fuzz.raw import attempt_of, raw_case
from xenconform.conformance.fuzz.sending import Sender
from xenconform.conformance.fuzz.stage import Stage
from xenconform.conformance.fuzz.wrong import NOTHING, Wrong
from xenconform.models.calls import Success
from xenconform.models.rawcases import RawCase
from xenconform.strategies.hostile import SLOW

SEARCH: Final = 15.0
"""So many seconds attempts are sent again to find the one that did something, a third of it once the time is over."""
STAYED: Final = 3
"""So many good calls in a row, held up, are no hiccup."""


@dataclass(slots=True)
class Tracer:
    """Sends attempts again on a stage; `until` is the end of the run, a time of `time.monotonic`."""

    stage: Stage
    sender: Sender
    onlooker: Onlooker
    until: float = inf

    def changing(self, batch: Sequence[Attempt]) -> tuple[Attempt, tuple[int, ...], str] | None:
        """Return the first that is refused and changes something, the exchanges and what changed; None where none is.

        Raises:
            Unavailable: the server does not tell what there is.
        """
        limit = self._limit()
        for attempt in batch:
            if time.monotonic() > limit:
                break
            self.stage.rest()
            before = self.stage.digest()
            again = self.sender.send(attempt)
            now = self.stage.digest()
            if again.refused and (changed := self.stage.changed(before, now)):
                return attempt, again.seqs, ", ".join(f"{name} {show(now[name])}" for name in changed)
        return None

    def holding_up(self, recent: Sequence[Attempt]) -> tuple[Wrong, Attempt] | None:
        """Return the last after which a good call has to wait each time, or that it has to wait without any."""
        limit, patience = self._limit(), self.stage.patience
        for attempt in reversed(recent):
            if time.monotonic() > limit:
                break
            if self.onlooker.ask() > patience and (slow := self._stays_slow()):
                expected = f"a good call is answered within {patience:.1f} s once hostile input has ended"
                return Wrong("ROBUST-ALIVE", "good calls stay slow", expected, slow), recent[-1]
            if all(self._holds_up(attempt) for _ in range(2)):
                expected = f"a good call is answered as usual after {attempt.what}"
                said = f"not within {patience:.1f} s, twice"
                # Who is slow holds up no others: that is for the clause on how requests are sent to say.
                clause = attempt.clause if attempt.drip >= SLOW else "ROBUST-ALIVE"
                return Wrong(clause, f"others are held up, {attempt.layer}", expected, said), attempt
        return None

    def ending_a_session(self, recent: Sequence[Attempt]) -> tuple[Wrong, Attempt] | None:
        """Return the last after which a session that it has no part in serves no longer, sent again in the one now.

        Raises:
            Unavailable: no other session can be opened.
            TargetGoneError: the server no longer answers.
        """
        limit, sessions = self._limit(), self.stage.sessions
        for attempt in reversed(recent):
            if time.monotonic() > limit:
                break
            ours = sessions.note()
            tried = self.sender.send(replace(attempt, pieces=tuple(map(sessions.in_place, attempt.pieces))))
            if sessions.has_ended(ours):
                clause = "ROBUST-NO-EFFECT" if tried.refused else "ROBUST-ALIVE"
                expected = f"{attempt.what} ends no session"
                return Wrong(clause, f"a session ended, {attempt.layer}", expected, "ours serves no longer"), attempt
        return None

    def _stays_slow(self) -> str:
        """Return how long good calls take with nothing beside them, "" where one is as quick as usual."""
        slow = [self.onlooker.ask() for _ in range(STAYED)]
        if min(slow) <= self.stage.patience:
            return ""
        return f"{STAYED} of {STAYED} were not: " + ", ".join(f"{each:.1f} s" for each in slow)

    def ending(self, recent: Sequence[Attempt]) -> tuple[Attempt, str]:
        """Restart the server, and return the one after which it is gone again, found by halves, and what was seen.

        It is the last one where nobody said how to restart it, where it does not come back, and where they do not end
        it again.
        """
        cases = [raw_case(NOTHING, attempt, self.stage) for attempt in recent]
        try:
            if not self._ends(cases):
                return recent[-1], f"restarted, it bears the last {len(cases)} requests"
            while len(cases) > 1:
                half = len(cases) // 2
                cases = cases[:half] if self._ends(cases[:half]) else cases[half:]
            self._restart()
        except (Unavailable, TargetGoneError) as why:
            return recent[-1], f"which of the last {len(recent)} requests did it is not known: {why}"
        return attempt_of(cases[0], self.stage), f"restarted, it was ended again by {cases[0].what}"

    def _ends(self, cases: Sequence[RawCase]) -> bool:
        """Whether a server that was started anew is gone soon after some attempts.

        Raises:
            Unavailable: nobody said how to restart it, or it has nothing to be written any more.
            TargetGoneError: it does not come back.
        """
        self._restart()
        for case in cases:
            self.sender.send(attempt_of(case, self.stage))
        until = time.monotonic() + DYING
        while time.monotonic() < until:
            if not self._is_there():
                return True
            time.sleep(DYING / 20)  # it may die a while after its last answer, and tells nobody when
        return False

    def _is_there(self) -> bool:
        """Whether a good call is answered, in the session that was opened after the last restart."""
        with closing(self.stage.bench.client.sibling()) as client:
            answered = client.call(self.stage.bench.formats[0], self.stage.listing).reply.outcome
        return isinstance(answered, Success)

    def _restart(self) -> None:
        self.stage.bench.restart()
        self.stage.set_again()

    def _holds_up(self, attempt: Attempt) -> bool:
        self.onlooker.take_worst()
        self.sender.send(attempt)
        return self.onlooker.look() > self.stage.patience

    def _limit(self) -> float:
        """Return until when attempts may be sent again in search of one."""
        now = time.monotonic()
        return min(now + SEARCH, max(self.until, now + SEARCH / 3))
