"""The hunt: attempts are sent, and judged by their replies, by what they changed, and by how others fared meanwhile.

What is found is told once for each clause and cause. A change that nobody owns up to, and a good call that was held up,
are traced to the attempt that did it by sending those before it again, one by one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from math import inf, isinf
from typing import Final

from xenconform.conformance.checks.health import TargetGoneError
from xenconform.conformance.checks.hostile_entities import CANARY
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.corpus import Corpus
from xenconform.conformance.fuzz.footprint import Footprint
from xenconform.conformance.fuzz.found import (
    APART,
    AUTH,
    ENTITIES,
    NO_EFFECT,
    TIME_ALONE,
    Enough,
    Found,
    Told,
    doubt,
    finding,
    no_case,
    passes,
)
from xenconform.conformance.fuzz.onlooker import Onlooker
from xenconform.conformance.fuzz.sending import Sender, Tried
from xenconform.conformance.fuzz.stage import REST, Stage
from xenconform.conformance.fuzz.tracing import Tracer
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.models.values import Value
from xenconform.models.verdicts import Judgement
from xenconform.strategies.hostile import Owed

BATCH: Final = 25
"""After so many attempts at most it is looked whether one of them changed anything."""
TOGETHER: Final = {"refused": BATCH, "other": BATCH, "apart": APART, "alone": 1}
"""So many attempts of a kind are sent at a time."""
RECENT: Final = 1_000
"""So many attempts are tried again where the server is gone: it may have died a while after what ended it."""
NEAR: Final = 50
"""So many are, where a good call was held up."""
LATE: Final = 3.0
"""So many seconds after a request that was not waited for, it may still be carried out."""


class Hunt:
    """One hunt over one stage.

    Attributes:
        found: what was found, by clause and cause.
        enough: when it is over before its time.
        sender: sends the attempts, and counts them.
        corpus: keeps what gave new kinds of replies.
        footprint: looks at the server's process, None where it is not known.
        gone: why the server no longer answers, "" while it does.
        slow: how often a good call was held up, and by no attempt that does it again.
    """

    def __init__(
        self,
        stage: Stage,
        onlooker: Onlooker,
        told: Told = no_case,
        corpus: Corpus | None = None,
        footprint: Footprint | None = None,
        enough: Enough = TIME_ALONE,
    ) -> None:
        self.stage, self.onlooker, self.enough = stage, onlooker, enough
        self.corpus, self.footprint = corpus or Corpus(), footprint
        self.sender = Sender(stage)
        self._tracer = Tracer(stage, self.sender, onlooker)
        self.found: dict[tuple[str, str], Found] = {}
        self.gone = ""
        self.slow = 0
        self._late = 0.0
        self._lost = 0
        self._told = told
        self._judged: set[tuple[str, str, str]] = set()
        self._recent: deque[Attempt] = deque(maxlen=RECENT)
        self._batch: list[Attempt] = []
        self._suspects: list[Attempt] = []
        self._unsettled = 0
        self._elsewhere = False
        self._slowest = 0.0
        self._before: Mapping[str, Value] = stage.digest()

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be sent."""
        return bool(self.gone or (self.enough.first and self.found)) or self.sender.size >= self.enough.size

    def close(self) -> None:
        """Close the connections."""
        self.sender.close()

    def run(self, attempts: Iterable[Attempt], until: float = inf) -> None:
        """Send attempts until there are no more, until a time of `time.monotonic`, or until the server is gone.

        Raises:
            Unavailable: it was gone before anything was sent.
            TargetGoneError: as above.
        """
        self._tracer.until = until
        try:
            self._run(attempts, until)
        except (Unavailable, TargetGoneError) as why:
            if not self._recent:
                raise
            self._is_gone(str(why))

    def _run(self, attempts: Iterable[Attempt], until: float) -> None:
        waiting: dict[str, list[Attempt]] = {kind: [] for kind in TOGETHER}
        for attempt in attempts:
            if time.monotonic() >= until or self.is_over:
                break
            kind = self._kind(attempt)
            waiting[kind].append(attempt)
            if len(waiting[kind]) >= min(TOGETHER[kind], self.enough.at_once):
                self._send(kind, waiting[kind])
                waiting[kind] = []
        for kind, left in waiting.items():
            self._send(kind, left)
        self.settle()
        self._look_again()

    def _kind(self, attempt: Attempt) -> str:
        """Return what an attempt waits for: what must be refused tells more where nothing beside it may write."""
        if attempt.clause == ENTITIES:
            return "alone"  # what an entity writes shows until something else is written
        if not attempt.is_alone:
            return "refused" if attempt.owed is Owed.REFUSED else "other"
        return "apart" if attempt.about not in {"", self.stage.obj.ref} else "alone"

    def _send(self, kind: str, attempts: list[Attempt]) -> None:
        if not attempts or self.is_over:
            pass
        elif kind == "apart":
            self.take(self.sender.send_apart(attempts))
        elif kind == "alone":
            self.take([self.sender.send(attempts[0])])
        else:
            self.take(self.sender.send_together(attempts))
            self.settle()

    def take(self, tried: list[Tried]) -> None:
        """Tell of what is wrong with what came back, and see what was written where it is time to."""
        for each in tried:
            self._note(each)
        if any(each.is_unanswered for each in tried):
            # Of a server that is gone it is told just that: what it did not answer may have been all right.
            self.stage.digest()
        for each in tried:
            for wrong in each.wrongs:
                self._tell(wrong, each.attempt, *each.seqs)
            for seen in each.doubts:
                self._doubt(seen.clause, f"{each.attempt.what}: {seen.actual}, seen once, and not again alone")
            self._slowest = max(self._slowest, each.seconds)
            if each.is_new:
                self.corpus.keep(each.attempt, self.stage)
        if any(each.attempt.end for each in tried):
            # What was sent and not waited for may be carried out a while later.
            self._late = time.monotonic() + LATE
        ref = self.stage.obj.ref
        # What is read back is written to by us as well.
        ours = any(each.attempt.wrote is not None and each.attempt.wrote.ref == ref for each in tried)
        elsewhere = all(each.attempt.is_alone for each in tried) and not ours
        may = any(each.may_have_written for each in tried)
        self._elsewhere |= elsewhere and may
        if ours or (may and not elsewhere):
            self.settle(written=True)
        elif self._unsettled >= BATCH:
            self.settle()

    def _note(self, tried: Tried) -> None:
        attempt = tried.attempt
        self._recent.append(attempt)
        self._unsettled += 1
        self._batch += [attempt] if tried.refused else []
        clauses = tried.judged_by(self.stage.bench.api)
        self._judged.update((clause, attempt.layer, str(attempt.format)) for clause in clauses)

    def settle(self, *, written: bool = False) -> None:
        """See whether a refused attempt changed anything, and whether others were held up; put the text back.

        `written` says that an attempt since may have written the text by right.
        """
        if not self._unsettled and not written:
            return
        batch, elsewhere = self._batch, self._elsewhere
        self._batch, self._elsewhere, self._unsettled = [], False, 0
        began = time.monotonic()
        now = self.stage.settled()
        self._see_sessions()
        self._slowest = max(self._slowest, time.monotonic() - began)
        if written:
            self._has_acted(now)
            if now.get(self.stage.field) != REST:
                self.stage.rest()
            now = {**now, self.stage.field: REST}
        self._see_changes(now, batch, sure=not (written or elsewhere))
        if written:
            self._suspects += [each for each in batch if not each.is_alone]
        if len(self._suspects) >= BATCH:
            self._look_again()
        self._see_others()
        for wrong in self.footprint.look() if self.footprint is not None else ():
            self._tell(wrong, self._recent[-1])

    def _look_again(self) -> None:
        """Send what was refused once more, where others beside it wrote the text by right."""
        again, self._suspects = self._suspects, []
        tried = self.sender.send_together(again if not self.is_over else [])
        if tried and not any(each.may_have_written for each in tried):
            self._see_changes(self.stage.settled(), again, sure=False)

    def _see_changes(self, now: Mapping[str, Value], batch: list[Attempt], *, sure: bool) -> None:
        """Find out who of some refused attempts changed the object, if any; `sure` says that one did. Put it back."""
        if not (changed := self.stage.changed(self._before, now)):
            return
        found = self._tracer.changing(batch)
        if found is not None:
            attempt, seqs, said = found
            wrong = Wrong(NO_EFFECT, f"written, {attempt.layer}", f"{attempt.what} is refused and writes nothing", said)
            self._tell(wrong, attempt, *seqs)
        elif sure and time.monotonic() > self._late:
            said = f"{', '.join(changed)} changed after {len(batch)} refused requests"
            self._doubt(NO_EFFECT, f"{said}, and none of them, sent again, changed it")
        self.stage.rest()
        self._before = self.stage.digest()

    def _has_acted(self, now: Mapping[str, Value]) -> None:
        """Tell of an entity that was acted on, and shows in what was written."""
        joined = "".join(CANARY)
        if joined in str(now.get(self.stage.field)) and self._recent:
            last = next((each for each in reversed(self._recent) if b"ENTITY" in each.data), self._recent[-1])
            said = (f"{last.what} is not acted on", f"{joined} is written")
            self._tell(Wrong(ENTITIES, "an entity that is acted on", *said), last)

    def _see_sessions(self) -> None:
        """Find out who ended a session of ours, where one has ended and nobody was let in with a text that is none."""
        if len(self.stage.sessions.lost) == self._lost:
            return
        if not any(clause == AUTH for clause, _ in self.found):
            found = self._tracer.ending_a_session(list(self._recent)[-NEAR:])
            if found is not None:
                self._tell(*found)
            else:
                self._doubt(NO_EFFECT, "a session of ours ended, and no request before it, sent again, ended another")
        self._lost = len(self.stage.sessions.lost)

    def _see_others(self) -> None:
        """Find out who held others up, or us, if somebody did."""
        slowest, self._slowest = max(self.onlooker.take_worst(), self._slowest), 0.0
        if slowest <= self.stage.patience:
            return
        found = self._tracer.holding_up(list(self._recent)[-NEAR:])
        if found is not None:
            self._tell(*found)
        else:
            self.slow += 1
            if isinf(slowest):
                said = f"a good call got no answer ({self.onlooker.trouble})"
                self._doubt("ROBUST-ALIVE", f"{said}; none of the {NEAR} requests before it did it again")
        self.onlooker.take_worst()

    def _doubt(self, clause: str, reason: str) -> None:
        self.stage.bench.record(doubt(clause, reason))

    def _is_gone(self, why: str) -> None:
        self.gone = f"the server no longer answers: {why}"
        attempt, seen = self._tracer.ending(list(self._recent))
        expected = "a good call is answered after hostile input"
        self._tell(Wrong("ROBUST-ALIVE", "the server is gone", expected, f"{why}; {seen}"), attempt)

    def _tell(self, wrong: Wrong, attempt: Attempt, *seqs: int) -> None:
        key = (wrong.clause, wrong.cause)
        is_new = key not in self.found
        found = self.found.setdefault(key, Found(wrong, attempt))
        found.times += 1
        found.formats.add(str(attempt.format))
        found.layers.add(attempt.layer)
        if not is_new:
            return
        case = self._told(wrong, attempt, self.sender)
        self.stage.bench.record(finding(wrong, attempt, seqs, case))

    def passes(self) -> Iterator[Judgement]:
        """Return a PASS for each clause, layer and format of which something was judged and nothing found."""
        return passes(self._judged, self.found.values())
