"""What of a kill matrix is told, in terms that the page, the heat map, JSON and the terminal share."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from xenconform.models.clauses import catalogue
from xenconform.models.kills import EVERYTHING, Fate, Matrix, Row


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the faults of a kind were caught by their clause."""

    name: str
    caught: int
    count: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One fault × clause that is not blank.

    `kind` is own, also, model (STATE-MODEL), stray, or missed, where the fault's own clause did not fail. `calls` are
    those until the clause failed.
    """

    clause: str
    kind: str
    calls: int


def shares(matrix: Matrix, attribute: str) -> tuple[Share, ...]:
    """Return the shares by `area`, `difficulty` or another attribute of the faults, in the order of first sight."""
    grouped: dict[str, list[Row]] = {}
    for row in matrix.rows:
        grouped.setdefault(getattr(row.subject, attribute), []).append(row)
    return tuple(Share(name, sum(row.fate is Fate.CAUGHT for row in rows), len(rows)) for name, rows in grouped.items())


def cells(row: Row) -> tuple[Cell, ...]:
    """Return the cells of a fault's row."""
    found = [Cell(each.clause, kind_of(row, each.clause), each.calls) for each in row.catches]
    return tuple(found) if row.own else (*found, Cell(row.subject.clause, "missed", 0))


def kind_of(row: Row, clause: str) -> str:
    """Return what a clause that failed is to a fault: own, also, model or stray."""
    if clause == row.subject.clause:
        return "own"
    if clause in row.subject.also:
        return "also"
    return "model" if clause == EVERYTHING else "stray"


def summary(matrix: Matrix) -> dict[str, Any]:
    """Return the counts that a reader wants first."""
    rows = matrix.rows
    return {
        "faults": len(rows),
        **{fate.name.lower(): len(matrix.of_fate(fate)) for fate in Fate},
        "judged_by_their_own_clause_alone": sum(row.alone for row in rows),
        "straying": len(matrix.straying),
        "sound_runs": len(matrix.sound),
        "false_alarms": len(matrix.false_alarms),
        "clauses": len(matrix.clauses),
        "clauses_without_an_only_catch": len(matrix.redundant),
        "clean": matrix.is_clean,
        "calls": sum(row.calls for row in (*rows, *matrix.sound)),
        "budgets": sorted({row.budget for row in rows}),
        "seeds": sorted({row.seed for row in rows}),
        "suites": sorted({row.suite for row in rows}),
    }


def to_json(matrix: Matrix) -> dict[str, Any]:
    """Return the content of matrix.json."""
    levels = catalogue()
    return {
        "summary": summary(matrix),
        "survivors": [row.subject.name for row in matrix.rows if row.fate is not Fate.CAUGHT],
        "straying": {row.subject.name: list(row.strays) for row in matrix.straying},
        "false_alarms": {" ".join(row.classes) or "all": list(row.strays) for row in matrix.false_alarms},
        "clauses": [
            {"id": name, "level": levels[name].level if name in levels else 0, "only_catcher_of": list(faults)}
            for name, faults in matrix.only_catchers.items()
        ],
        "faults": [_row(row) for row in matrix.rows],
        "sound": [_row(row) for row in matrix.sound],
    }


def _row(row: Row) -> dict[str, Any]:
    return {**asdict(row), "fate": row.fate.name.lower() if row.subject.name else "", "strays": list(row.strays)}
