"""A log judged again: each item is played by today's check, and what comes of it makes another log.

What cannot be played is not made up: of a check that hangs on which call comes first the judgements are taken over, and
every reply of it is read again; of a check that asks otherwise than the log has it, what follows is untested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from xenconform import __version__
from xenconform.conformance.checks.check import Check
from xenconform.conformance.playback.tape import Tape
from xenconform.conformance.playback.worker import Worker, name_of, target_of
from xenconform.conformance.suite.one import SERVER
from xenconform.conformance.suite.selection import offered, selection
from xenconform.models.api import Api, ApiClass
from xenconform.models.cases import Case
from xenconform.models.clauses import Clause, catalogue, mark
from xenconform.models.events import OPENING, Item, Rejudged, RunStart, SavedCase, encode_event
from xenconform.models.levels import RESTARTED
from xenconform.models.profiles import Profile
from xenconform.models.rejudgement import NOT_ASKED, Account
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.cases.save import read_case, save_case, write_files
from xenconform.reports.progress import Progress

_MARKS = ('{"event":"item"', '{"event":"over"')


@dataclass(slots=True)
class Counts:
    """What becomes an `Account` once all is played."""

    played: int = 0
    exchanges: int = 0
    replayed: int = 0
    kept: int = 0
    lost: dict[str, str] = field(default_factory=dict)
    taken_over: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    not_asked: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Playback:
    """Plays a tape by today's suite; `lines` yields the log that comes of it. Cases are written into a folder.

    `progress` is told of each item that was played.
    """

    tape: Tape
    profile: Profile
    api: Api
    folder: Path
    progress: Progress
    counts: Counts = field(default_factory=Counts)
    clauses: tuple[Clause, ...] = field(init=False)
    checks: Mapping[tuple[str, str, str], tuple[Check, ApiClass | None]] = field(init=False)
    judgements: int = 0
    failures: int = 0
    marks: int = 0
    _cases: set[str] = field(default_factory=set)
    _out: list[str] = field(default_factory=list)
    _seen: set[tuple[str, str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        start = self.tape.start
        self.clauses = selected(start, self.api)
        self.checks = {
            (check.clause, check.by, of.name if of else ""): (check, of)
            for check, of in selection(self.api, self.clauses, start.classes)
        }

    def lines(self) -> Iterator[str]:
        """Yield the lines of the log of today's judgements, without line ends."""
        start, end = self.tape.start, self.tape.end
        rules = {clause.id: mark(clause) for clause in offered(self.api, start.classes)}
        rejudged = Rejudged(self.tape.sha256, start.version)
        yield encode_event(
            replace(
                start,
                version=__version__,
                clauses=tuple(clause.id for clause in self.clauses),
                rules=rules,
                rejudged=rejudged,
            )
        )
        worker: Worker | None = None
        for number, reel in enumerate(self.tape.items(), 1):
            if reel.item.clause == OPENING or worker is None:
                worker = Worker(self)
            worker.play(reel)
            yield from self.flushed()
            played, share = self.counts.exchanges, self.counts.exchanges / max(1, end.calls)
            name = name_of(reel.item.clause, "", reel.item.of).strip()
            self.progress.update(number, played, self.failures, name, share=share)
        self._not_asked()
        yield from self.flushed()
        yield encode_event(replace(end, judgements=self.judgements, marks=self.marks))

    @property
    def account(self) -> Account:
        """How it was judged, once all is played."""
        of = self.counts
        told = (of.exchanges, of.replayed, of.played, of.kept)
        return Account(*told, dict(of.lost), tuple(of.taken_over), tuple(of.gone), tuple(of.not_asked))

    def save_case(self, case: Case) -> str:
        """Write the files of a case and return its name."""
        target = target_of(self.tape.start)
        name = save_case(case, self.folder, self.api, str(target) if target else None)
        self.add_case(SavedCase(name, read_case(self.folder, name)))
        return name

    def add_case(self, case: SavedCase) -> None:
        """Add a case to the log, once, and its files to the folder."""
        if case.name not in self._cases:
            self._cases.add(case.name)
            write_files(self.folder, case.name, case.files)
            self.write(encode_event(case))

    def flushed(self) -> Iterator[str]:
        """Yield the lines that have come up, and forget them."""
        yield from self._out
        self._out.clear()

    def write(self, line: str) -> None:
        """Add a line to the log."""
        self.marks += line.startswith(_MARKS)
        self._out.append(line)

    def found(self, item: Item) -> tuple[Check, ApiClass | None] | None:
        """Return the check of today that an item was of, by another name too where there is but one; None for none."""
        key = (item.clause, item.by, item.of)
        if key not in self.checks:
            alike = [each for each in self.checks if (each[0], each[2]) == (item.clause, item.of)]
            if len(alike) != 1 or alike[0] in self._seen:
                return None
            key = alike[0]
        self._seen.add(key)
        return self.checks[key]

    def _not_asked(self) -> None:
        for key, (check, of) in self.checks.items():
            if key not in self._seen:
                self.counts.not_asked.append(name_of(*key))
                for clause in set(check.clauses) & {each.id for each in self.clauses}:
                    self.judged(Judgement(clause, of.name if of else SERVER, "", Verdict.UNTESTED, reason=NOT_ASKED))

    def judged(self, judgement: Judgement) -> None:
        """Add a judgement to the log."""
        self.judgements += 1
        self.failures += judgement.verdict is Verdict.FAIL
        self.write(encode_event(judgement))


def selected(start: RunStart, api: Api) -> tuple[Clause, ...]:
    """Return the clauses of today that a run's log is judged by.

    They are those of the run that there still are, and, where it was for all that there were then, all that there are.
    """
    known = [clause for clause in catalogue().values() if clause.id in start.clauses]
    if set(start.clauses) >= set(start.rules) - RESTARTED:
        new = [clause for clause in offered(api, start.classes) if clause.id not in start.rules]
        known = [clause for clause in catalogue().values() if clause in (*known, *new)]
    return tuple(known)
