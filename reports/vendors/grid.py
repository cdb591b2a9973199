"""Implementations beside each other, and what changed of each since its run before.

The rules: runs of one name are runs of one implementation, in the order in which they began, and the last one stands
for it. A finding is new where the run before has none of that clause, element and format; it is gone where the last
run, being whole, judged its clause and has none. `xenconform diff` tells of one pair of runs in full.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xenconform.models.clauses import Clause, catalogue
from xenconform.models.verdicts import Verdict
from xenconform.reports.causes import Finding
from xenconform.reports.vendors.told import Row, Told


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the run before: findings that are new and gone, clauses that were tested in one run alone."""

    new: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    untested: tuple[str, ...]
    tested: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.gone or self.untested or self.tested)


@dataclass(frozen=True, slots=True)
class Implementation:
    """One implementation, its runs, the oldest first, at least one, and what changed in the last of several."""

    name: str
    runs: tuple[Told, ...]
    changes: Changes | None

    @property
    def latest(self) -> Told:
        """The run that stands for it."""
        return self.runs[-1]

    @property
    def previous(self) -> Told | None:
        """The run before, None where there is none."""
        return self.runs[-2] if len(self.runs) > 1 else None

    def verdict(self, clause: str) -> Verdict | None:
        """Return the verdict on a clause, None where it was not selected."""
        row = self.latest.rows.get(clause)
        return row.verdict if row else None


@dataclass(frozen=True, slots=True)
class Grid:
    """All of a matrix: implementations by name, the clauses that any was judged by, and the wire formats."""

    implementations: tuple[Implementation, ...]
    clauses: tuple[Clause, ...]
    formats: tuple[str, ...]


def grid_of(told: Iterable[Told]) -> Grid:
    """Return the matrix of some runs.

    Raises:
        ValueError: a run is one of the fuzzer, or two of one implementation began at the same time; the text names it.
    """
    runs: dict[str, dict[str, Told]] = {}
    for each in told:
        if not each.about["budget"]:
            raise ValueError(f"{each.source} is a run of the fuzzer; a matrix is of runs of certify")
        started = each.about["started"]
        twin = runs.setdefault(each.name, {}).setdefault(started, each)
        if twin is not each:
            raise ValueError(
                f"{twin.source} and {each.source} are both of {each.name} and began at {started}; "
                "give each implementation a name of its own (NAME=PATH), and each run once"
            )
    found = [_implementation(name, tuple(of[at] for at in sorted(of))) for name, of in sorted(runs.items())]
    named = {name: row.clause for each in found for name, row in each.latest.rows.items()}
    order = {name: at for at, name in enumerate(catalogue())}
    clauses = sorted(named.values(), key=lambda clause: (order.get(clause.id, len(order)), clause.id))
    formats = dict.fromkeys(fmt for each in found for fmt in each.latest.about["formats"])
    return Grid(tuple(found), tuple(clauses), tuple(formats))


def _implementation(name: str, runs: tuple[Told, ...]) -> Implementation:
    return Implementation(name, runs, _changes(*runs[-2:]) if len(runs) > 1 else None)


def _changes(old: Told, new: Told) -> Changes:
    were, are = {_key(each) for each in old.findings}, {_key(each) for each in new.findings}
    judged = {name for name, row in new.rows.items() if new.is_whole and _is_tested(row)}
    before = {name for name, row in old.rows.items() if old.is_whole and _is_tested(row)}
    return Changes(
        new=tuple(each for each in new.findings if _key(each) not in were),
        gone=tuple(each for each in old.findings if _key(each) not in are and each.clause.id in judged),
        untested=tuple(name for name in old.rows if new.is_whole and name in before - judged),
        tested=tuple(name for name in new.rows if old.is_whole and name in judged - before),
    )


def _key(finding: Finding) -> tuple[str, str, str]:
    return (finding.clause.id, finding.element, finding.format)


def _is_tested(row: Row) -> bool:
    return row.verdict in {Verdict.PASS, Verdict.FAIL, Verdict.WAIVED}
