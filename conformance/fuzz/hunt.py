"""The hunt: attempts are sent, and judged by their replies, by what they changed, and by how others fared meanwhile.

What is found is told once for each clause and cause. A change that nobody owns up to, and a good call that was held up,
are traced to the attempt that did it by sending those before it again, one by one.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

from xenconform.conformance.checks.bench import ENVELOPES
from xenconform.conformance.checks.judging import Unanswered, Unavailable, show
from xenconform.conformance.fuzz.attempts import Attempt, Wrote
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
from xenconform.conformance.fuzz.onlooker import Onlooker
from xenconform.conformance.fuzz.stage import CANARY, REST, Stage
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.flaws import KINDS, clause_of
from xenconform.models.values import Value, same
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.strategies.plain import tame

BATCH: Final = 25
"""After so many attempts at most it is looked whether one of them changed anything."""
AT_ONCE: Final = 4
"""So many connections of their own are open at a time: fewer than the smallest queues of servers hold."""
RECENT: Final = 50
"""So many attempts are tried again where a good call was held up."""
NO_EFFECT: Final = "ROBUST-NO-EFFECT"
TYPED: Final = {
    fmt: frozenset(clause_of(kind, fmt) for kind in KINDS if clause_of(kind, fmt).startswith("WIRE-")) for fmt in Format
}
"""The clauses that the bytes of a good reply may break, over each format."""
LARGE: Final = 2_000
"""Values of calls over so many bytes are not left where they were written."""
ALWAYS: Final = (NO_EFFECT, "ROBUST-ALIVE", "ROBUST-NO-LEAK", "ROBUST-XML-ENTITIES", "ROBUST-HTTP")
"""Clauses that any attempt may break."""


@dataclass(slots=True)
class Found:
    """One finding: what is wrong, the attempt that shows it, and how often the same was seen."""

    wrong: Wrong
    attempt: Attempt
    exchanges: tuple[int, ...]
    times: int = 1
    formats: set[str] = field(default_factory=set)


class Hunt:
    """One hunt over one stage.

    Attributes:
        found: what was found, by clause and cause.
        first: whether the hunt is over with the first finding.
        sent: how many attempts were sent.
        classes: how often each class of reply came.
        judged: for which clauses, layers and formats something was judged.
    """

    def __init__(
        self,
        stage: Stage,
        onlooker: Onlooker,
        told: Callable[[Found], str] = lambda _found: "",
        *,
        first: bool = False,
    ) -> None:
        self.stage, self.onlooker, self.first = stage, onlooker, first
        self.found: dict[tuple[str, str], Found] = {}
        self.sent = 0
        self.classes: Counter[str] = Counter()
        self.judged: set[tuple[str, str, str]] = set()
        self.gone = ""
        self._told = told
        self._recent: deque[Attempt] = deque(maxlen=RECENT)
        self._batch: list[Attempt] = []
        self._before: Mapping[str, Value] = stage.digest()

    def run(self, attempts: Iterable[Attempt], until: float = float("inf")) -> None:
        """Send attempts until there are no more, or until a time of `time.monotonic`."""
        talks: list[Attempt] = []
        for attempt in attempts:
            if time.monotonic() >= until or self.gone or (self.first and self.found):
                break
            if attempt.end:
                talks.append(attempt)
                if len(talks) >= AT_ONCE:
                    self._talk(talks)
                    talks = []
            else:
                self.post(attempt)
        if talks and not self.gone:
            self._talk(talks)
        self.settle()

    def post(self, attempt: Attempt) -> Exchange:
        """Post one attempt's body, and judge what came back."""
        exchange = self._send(attempt)
        self.classes[class_of(exchange)] += 1
        for wrong in judge_post(attempt, exchange, self._secrets()):
            self._tell(wrong, attempt, exchange.seq)
        self._note(attempt)
        if isinstance(exchange.reply.outcome, Success):
            if attempt.message:
                self.judged.update((clause, attempt.layer, str(attempt.format)) for clause in TYPED[attempt.format])
            if attempt.wrote is not None:
                self._read_back(attempt, attempt.wrote, exchange.seq)
        outcomes = outcomes_of_post(exchange)
        if was_refused(attempt, outcomes, answered=exchange.status != 0):
            self._batch.append(attempt)
            if len(self._batch) >= BATCH:
                self.settle()
        elif may_have_written(attempt, outcomes):
            self.settle(written=True)
        return exchange

    def settle(self, *, written: bool = False) -> None:
        """See whether a refused attempt changed anything, and whether others were held up; put the text back.

        `written` says that an attempt since may have written the text by right.
        """
        batch, self._batch = self._batch, []
        if not batch and not written:
            return
        now = self._look()
        if now is None:
            return
        if written:
            self._has_acted(now)
            if now.get(self.stage.field) != REST:
                self.stage.rest()
            now = {**now, self.stage.field: REST}
        changed = self._changed(now)
        if changed:
            self._trace_change(batch)
            self.stage.rest()
            self._before = self.stage.digest()
        self._see_others()

    def _read_back(self, attempt: Attempt, wrote: Wrote, seq: int) -> None:
        for fmt in self.stage.bench.formats:
            seen = self.stage.bench.client.call(fmt, wrote.getter, (wrote.ref,))
            for wrong in judge_read_back(wrote, seen.reply.outcome):
                self._tell(wrong, attempt, seq, seen.seq)
        if len(attempt.data) > LARGE:
            # What is large makes every record and listing slow from now on.
            self.stage.bench.client.call(attempt.format, attempt.message, (wrote.ref, tame(wrote.type, 1)))

    # ------------------------------------------------------------------------------------------------------- sending

    def _send(self, attempt: Attempt) -> Exchange:
        self.sent += 1
        client = self.stage.bench.client
        message = self.stage.bench.api.message(attempt.message)
        result = message.result if message else None
        return client.raw(attempt.format, attempt.data, attempt.content_type, attempt.path, result=result)

    def _talk(self, attempts: list[Attempt]) -> None:
        """Send attempts over connections of their own, side by side."""
        patience = self.stage.patience

        def one(attempt: Attempt) -> Heard:
            return talk(self.stage.bench.dial, attempt, patience)

        with ThreadPoolExecutor(len(attempts)) as pool:
            heard = list(pool.map(one, attempts))
        written = False
        for attempt, each in zip(attempts, heard, strict=True):
            self.sent += 1
            client = self.stage.bench.client
            exchange = client.note(attempt.format, attempt.data, each.received, each.seconds)
            self.classes[f"{attempt.format} {each.replies.statuses} {each.closed}"] += 1
            outcomes = outcomes_of(attempt, each, self.stage.bench.api)
            for wrong in judge_talk(attempt, each, outcomes, self._secrets()):
                self._tell(wrong, attempt, exchange.seq)
            self._note(attempt)
            if was_refused(attempt, outcomes, answered=bool(each.replies.whole)):
                self._batch.append(attempt)
            else:
                written = written or may_have_written(attempt, outcomes)
        self.settle(written=written)

    def _note(self, attempt: Attempt) -> None:
        self._recent.append(attempt)
        for clause in (attempt.clause, *ALWAYS, *(() if attempt.end else (ENVELOPES[attempt.format],))):
            self.judged.add((clause, attempt.layer, str(attempt.format)))

    def _secrets(self) -> tuple[bytes, ...]:
        return (self.stage.other.encode(),)

    # ------------------------------------------------------------------------------------------------------- changes

    def _look(self) -> Mapping[str, Value] | None:
        """Return the digest as it is now; None where the server no longer gives it, which is told."""
        try:
            return self.stage.digest()
        except (Unanswered, Unavailable) as why:
            self._is_gone(str(why))
            return None

    def _has_acted(self, now: Mapping[str, Value]) -> None:
        """Tell of an entity that was acted on, and shows in what was written."""
        joined = "".join(CANARY)
        if joined in str(now.get(self.stage.field)) and self._recent:
            last = self._recent[-1]
            expected = f"{last.what} is not acted on"
            self._tell(
                Wrong("ROBUST-XML-ENTITIES", "an entity that is acted on", expected, f"{joined} is written"), last
            )

    def _changed(self, now: Mapping[str, Value]) -> tuple[str, ...]:
        fields = self.stage.bench.api.classes[self.stage.obj.cls].fields
        return tuple(
            name
            for name, value in now.items()
            if name in fields and name in self._before and not same(fields[name].type, self._before[name], value)
        )

    def _trace_change(self, batch: list[Attempt]) -> None:
        """Send refused attempts again, one by one, and tell of each that changes something."""
        for attempt in batch:
            self.stage.rest()
            self._before = self.stage.digest()
            seqs = self._again(attempt)
            now = self.stage.digest()
            if seqs is not None and (again := self._changed(now)):
                said = ", ".join(f"{name} {show(now[name])}" for name in again)
                wrong = Wrong(
                    NO_EFFECT, f"written, {attempt.layer}", f"{attempt.what} is refused and writes nothing", said
                )
                self._tell(wrong, attempt, *seqs)
                return

    def _again(self, attempt: Attempt) -> tuple[int, ...] | None:
        """Send an attempt again; return its exchange's number, None where it was carried out."""
        if not attempt.end:
            exchange = self._send(attempt)
            refused = was_refused(attempt, outcomes_of_post(exchange), answered=exchange.status != 0)
            return (exchange.seq,) if refused else None
        heard = talk(self.stage.bench.dial, attempt, self.stage.patience)
        self.sent += 1
        seq = self.stage.bench.client.note(attempt.format, attempt.data, heard.received, heard.seconds).seq
        outcomes = outcomes_of(attempt, heard, self.stage.bench.api)
        return (seq,) if was_refused(attempt, outcomes, answered=bool(heard.replies.whole)) else None

    # -------------------------------------------------------------------------------------------------------- others

    def _see_others(self) -> None:
        """Find out who held others up, if somebody did."""
        patience = self.stage.patience
        if self.onlooker.take_worst() <= patience:
            return
        for attempt in reversed(list(self._recent)):
            if self.onlooker.ask() > patience:
                break
            slow = 0
            for _ in range(2):
                self._again(attempt)
                slow += self.onlooker.ask() > patience
            if slow == 2:
                wrong = Wrong(
                    "ROBUST-ALIVE",
                    f"others are held up, {attempt.layer}",
                    f"a good call is answered as usual after {attempt.what}",
                    f"not within {patience:.1f} s, twice",
                )
                self._tell(wrong, attempt)
                return
        self.onlooker.take_worst()

    def _is_gone(self, why: str) -> None:
        self.gone = f"the server no longer answers: {why}"
        wrong = Wrong("ROBUST-ALIVE", "the server is gone", "a good call is answered after hostile input", why)
        self._tell(wrong, self._recent[-1])

    # ------------------------------------------------------------------------------------------------------- telling

    def _tell(self, wrong: Wrong, attempt: Attempt, *seqs: int) -> None:
        if wrong.clause not in self.stage.bench.clauses:
            wrong = replace(wrong, clause=ENVELOPES[attempt.format])
        key = (wrong.clause, wrong.cause)
        if key in self.found:
            self.found[key].times += 1
            self.found[key].formats.add(str(attempt.format))
            return
        found = self.found[key] = Found(wrong, attempt, seqs, formats={str(attempt.format)})
        case = self._told(found)
        self.stage.bench.record(
            Judgement(
                wrong.clause,
                f"{attempt.layer}: {wrong.cause}",
                str(attempt.format),
                Verdict.FAIL,
                expected=wrong.expected,
                actual=wrong.actual,
                exchanges=seqs,
                case=case,
            )
        )

    def passes(self) -> Iterator[Judgement]:
        """Yield a PASS for each clause, layer and format of which something was judged and nothing found."""
        failed = {(found.wrong.clause, found.attempt.layer) for found in self.found.values()}
        for clause, layer, fmt in sorted(self.judged):
            if (clause, layer) not in failed:
                yield Judgement(clause, layer, fmt, Verdict.PASS)
