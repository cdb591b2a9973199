"""The kill matrix: what the suite said of servers with one known fault each, and of the sound one.

Laws:
1. A fault is CAUGHT when its own clause failed; ELSEWHERE when only other clauses did; it SURVIVED when none did, and
   is UNFINISHED when the run came to no end of its own and its clause had not failed until then.
2. A clause that failed strays when it is neither the fault's own, nor one that the fault breaks by that clause's own
   rule (`also`), nor STATE-MODEL, whose rule is that every reply fits all the rules.
3. A clause is a fault's only catcher when it is the fault's own and no other failed, STATE-MODEL left aside.
4. Whatever fails on a sound server is a false alarm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from xenconform.models.clauses import catalogue

EVERYTHING: Final = "STATE-MODEL"
"""The clause whose rule holds all replies against all rules."""


class Fate(StrEnum):
    """What became of a fault; see the laws."""

    CAUGHT = "caught"
    ELSEWHERE = "caught by other clauses alone"
    SURVIVED = "survived"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Catch:
    """A clause that failed: its findings, and the first of them.

    Attributes:
        clause: the clause's id.
        findings: how many parts of it failed.
        calls: calls of the run until it first failed.
        seconds: seconds of the run until then.
        element: what it first failed on, with the format.
        expected: what should have been.
        actual: what was.
        case: the smallest case: the request that told, or the steps of a sequence, a line each.
    """

    clause: str
    findings: int
    calls: int
    seconds: float
    element: str
    expected: str
    actual: str
    case: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What was judged: a fault as `xenconform faults show` tells it, or the sound server, whose `name` is ""."""

    name: str
    area: str = ""
    clause: str = ""
    also: tuple[str, ...] = ()
    cls: str = ""
    difficulty: str = ""
    symptom: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One run of the suite: on what, how, and every clause that failed.

    `classes` are those that the run was scoped to, none for all; `suite` is a digest of the suite's code and data;
    `problem` says why the run came to no end of its own, "" where it did. `alone` tells that the fault's own clause
    was run and no other, so that nothing is known of those.
    """

    subject: Subject
    budget: str
    seed: int
    classes: tuple[str, ...]
    suite: str
    calls: int
    seconds: float
    catches: tuple[Catch, ...] = ()
    problem: str = ""
    alone: bool = False

    @property
    def failed(self) -> frozenset[str]:
        """The clauses that failed."""
        return frozenset(each.clause for each in self.catches)

    @property
    def own(self) -> Catch | None:
        """What the fault's own clause says, if it failed."""
        return next((each for each in self.catches if each.clause == self.subject.clause), None)

    @property
    def fate(self) -> Fate:
        """What became of the fault."""
        if self.own is not None:
            return Fate.CAUGHT
        if self.problem:
            return Fate.UNFINISHED
        return Fate.ELSEWHERE if self.catches else Fate.SURVIVED

    @property
    def strays(self) -> tuple[str, ...]:
        """The clauses that failed and have nothing to do with the fault; of a sound server, all that failed."""
        about = {self.subject.clause, *self.subject.also, EVERYTHING} if self.subject.name else set()
        return tuple(sorted(self.failed - about))

    @property
    def is_only_catcher(self) -> bool:
        """Whether no other clause than the fault's own failed, STATE-MODEL left aside."""
        return self.own is not None and not self.alone and self.failed <= {self.subject.clause, EVERYTHING}


@dataclass(frozen=True, slots=True)
class Matrix:
    """All rows, by the order of the faults; those of the sound server stand apart."""

    rows: tuple[Row, ...]
    clauses: tuple[str, ...]
    """The ids of all clauses that the suite can judge, in the catalogue's order."""
    sound: tuple[Row, ...] = field(default=())

    @classmethod
    def of(cls, rows: Iterable[Row], clauses: Iterable[str]) -> Matrix:
        """Return the matrix of rows in any order."""
        every = sorted(rows, key=lambda row: row.classes)
        order = {name: at for at, name in enumerate(catalogue())}
        faulty = sorted(
            (row for row in every if row.subject.name),
            key=lambda row: (order.get(row.subject.clause, len(order)), row.subject.area, row.subject.name),
        )
        judged = {*clauses, *(name for row in every for name in row.failed)}
        return cls(
            tuple(faulty),
            tuple(sorted(judged, key=lambda name: (order.get(name, len(order)), name))),
            tuple(row for row in every if not row.subject.name),
        )

    def of_fate(self, fate: Fate) -> tuple[Row, ...]:
        """Return the rows of faults that came to this."""
        return tuple(row for row in self.rows if row.fate is fate)

    @property
    def straying(self) -> tuple[Row, ...]:
        """The rows of faults on which unrelated clauses failed too."""
        return tuple(row for row in self.rows if row.strays)

    @property
    def false_alarms(self) -> tuple[Row, ...]:
        """The rows of the sound server on which a clause failed."""
        return tuple(row for row in self.sound if row.strays)

    @property
    def only_catchers(self) -> dict[str, tuple[str, ...]]:
        """Every clause, with the faults that it alone caught."""
        return {
            name: tuple(r.subject.name for r in self.rows if r.subject.clause == name and r.is_only_catcher)
            for name in self.clauses
        }

    @property
    def redundant(self) -> tuple[str, ...]:
        """The clauses that are no fault's only catcher."""
        return tuple(name for name, faults in self.only_catchers.items() if not faults)

    @property
    def is_clean(self) -> bool:
        """Whether every fault was caught by its clause, and nothing failed that had nothing to do with it."""
        return not self.straying and not self.false_alarms and all(row.fate is Fate.CAUGHT for row in self.rows)


def row_to_json(row: Row) -> str:
    """Return a row as JSON, which `row_from_json` reads back as an equal row."""
    return json.dumps(asdict(row), indent=1)


def row_from_json(text: str) -> Row:
    """Return the row that JSON text holds.

    Raises:
        ValueError: the text holds none, or one of another form.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        subject = Subject(**(data["subject"] | {"also": tuple(data["subject"]["also"])}))
        catches = tuple(Catch(**(each | {"case": tuple(each["case"])})) for each in data["catches"])
        return Row(**(data | {"subject": subject, "catches": catches, "classes": tuple(data["classes"])}))
    except (KeyError, TypeError) as why:
        raise ValueError(f"no row of a kill matrix: {why!r}") from why
