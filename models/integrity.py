"""A log read as strictly as it was written: whether it is what one whole run writes, line by line.

`models.run` reads whatever a hard stop has left of a log. This reads what a certificate stands on, and refuses:

1. bytes that `encode_event` would not have written: a cut or blank line, another spelling, members that are unknown or
   there twice;
2. a log that does not begin with its only start and end with its only end;
3. an exchange whose number was there before, and numbers that were skipped in a run that failed nothing: where a
   server went away, a call that was on its way may never have been told;
4. other counts of calls, judgements and marks than the end tells;
5. judgements that contradict themselves or the run: of a clause or format that was not selected, a PASS that says
   what went wrong, a verdict that needs no failure with what only a failure has, an exchange that is not there, and
   a WAIVED that no waiver of the run covers on the day it began.

So a line that was taken out, doubled or turned into another verdict is seen in the log itself, whoever signed it
after that. What is consistent in itself can still be made up: against that stands the signature alone.
The fuzzer's logs have only some exchanges, so of them rule 3 keeps the first half, and calls are not counted.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from xenconform.models.events import Event, Item, RunEnd, RunStart, TimeOver, decode_event, encode_event
from xenconform.models.exchange import Exchange
from xenconform.models.profiles import Waiver
from xenconform.models.run import Run
from xenconform.models.traffic import Traffic
from xenconform.models.verdicts import Judgement, Verdict

_FAILED = frozenset({Verdict.FAIL, Verdict.WAIVED})
"""The verdicts that come of a failure, and tell it."""


class LogError(ValueError):
    """A log that is not what one whole run writes; the text names the line and what is wrong with it."""


def read_strictly(lines: Iterable[bytes], *, keep: Container[int] = ()) -> Run:
    """Return the run of a log's lines, each with its line end, holding the exchanges whose numbers are in `keep`.

    Raises:
        LogError: the log breaks one of the rules on top.
    """
    return Run.from_lines(_Reader().checked(lines), keep=keep, traffic=Traffic())


def waivers_of(start: RunStart, judgement: Judgement) -> tuple[Waiver, ...]:
    """Return the waivers of a run that cover what a judgement tells, and had not expired when the run began."""
    began = day_of(start)
    return tuple(
        each
        for each in start.waivers
        if each.covers(judgement.clause, judgement.element, judgement.actual) and not each.has_expired(began)
    )


def day_of(start: RunStart) -> date:
    """Return the day on which a run began.

    Raises:
        LogError: its start tells no instant.
    """
    try:
        return datetime.fromisoformat(start.started).date()
    except ValueError:
        raise LogError(f"line 1: the run began at {start.started!r}, which is no instant") from None


@dataclass(slots=True)
class _Reader:
    """What is known of a log at one of its lines."""

    line: int = 0
    start: RunStart | None = None
    end: RunEnd | None = None
    seen: set[int] = field(default_factory=set)
    cited: dict[int, int] = field(default_factory=dict)
    """The exchanges that judgements cite, each with the first line that does."""
    judgements: int = 0
    marks: int = 0
    failed: bool = False

    def checked(self, lines: Iterable[bytes]) -> Iterator[str]:
        """Yield the lines as text, each once it is checked."""
        for raw in lines:
            self.line += 1
            text, event = self._read(raw)
            self._place(event)
            match event:
                case Exchange():
                    self._exchange(event)
                case Judgement():
                    self._judgement(event)
                case RunStart():
                    self.start = event
                    day_of(event)
                case RunEnd():
                    self.end = event
                case Item() | TimeOver():
                    self.marks += 1
            yield text
        self._whole()

    def _read(self, raw: bytes) -> tuple[str, Event]:
        try:
            text = raw.decode("ascii")
            event = decode_event(text)
        except (ValueError, RecursionError) as why:
            raise self._error(f"no event of a log: {why}") from why
        if encode_event(event) + "\n" != text:
            raise self._error("not as a run of this version writes it")
        return text[:-1], event

    def _place(self, event: Event) -> None:
        if (self.start is None) is not isinstance(event, RunStart):
            raise self._error("the log does not begin with the run's start, or has a second one")
        if self.end is not None:
            raise self._error("there is more behind the run's end")

    def _exchange(self, event: Exchange) -> None:
        if event.seq in self.seen:
            raise self._error(f"exchange {event.seq} was there before")
        self.seen.add(event.seq)

    def _judgement(self, event: Judgement) -> None:
        assert self.start is not None, "a log begins with its start"
        self.judgements += 1
        self.failed = self.failed or event.verdict is Verdict.FAIL
        for seq in event.exchanges:
            self.cited.setdefault(seq, self.line)
        what = " ".join(filter(None, event.key))
        for name, told, selected in (
            ("clause", event.clause, self.start.clauses),
            ("format", event.format, (*self.start.formats, "")),
        ):
            if told not in selected:
                raise self._error(f"judges the {name} {told!r}, which the run did not select")
        if event.verdict not in _FAILED and (event.expected or event.actual or event.calls or event.case):
            raise self._error(f"{what} is {event.verdict}, and tells a failure")
        if event.verdict is Verdict.PASS and (event.reason or event.exchanges):
            raise self._error(f"{what} is PASS, and tells what went wrong")
        if event.verdict is Verdict.WAIVED and not waivers_of(self.start, event):
            raise self._error(f"{what} is WAIVED, and no waiver of the run covers it")

    def _whole(self) -> None:
        start, end = self.start, self.end
        if start is None or end is None:
            raise self._error("the log breaks off before the run's end" if start else "the log is empty")
        counted: Mapping[str, tuple[int, int | None]] = {
            "calls": (len(self.seen), end.calls if start.kind == "certify" else len(self.seen)),
            "judgements": (self.judgements, end.judgements),
            "marks": (self.marks, end.marks or 0),
        }
        for name, (found, told) in counted.items():
            if found != told:
                raise self._error(f"the run's end tells {told} {name}, and the log has {found}")
        missing = [seq for seq in self.cited if seq not in self.seen]
        if missing:
            self.line = self.cited[missing[0]]
            raise self._error(f"judges by exchange {missing[0]}, which the log does not have")
        if start.kind == "certify" and not self.failed and self.seen and max(self.seen) != len(self.seen):
            skipped = next(seq for seq in range(1, len(self.seen) + 1) if seq not in self.seen)
            raise self._error(f"exchange {skipped} is not there, and later ones are")

    def _error(self, why: str) -> LogError:
        return LogError(f"line {self.line}: {why}")
