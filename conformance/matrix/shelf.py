"""The rows of a matrix on disk, one file each, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from xenconform.conformance.matrix.trial import Plan, suite_digest
from xenconform.models.kills import Fate, Row, Subject, row_from_json, row_to_json


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder `rows` of a matrix. `fresh` takes a row as there only if today's state of the suite made it."""

    folder: Path
    fresh: bool = False

    def keep(self, row: Row) -> None:
        """Write a row, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        path = self._path(row.subject, Plan(row.budget, row.seed, own=row.alone), row.classes)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_text(row_to_json(row), encoding="utf-8")
        part.replace(path)

    def find(self, subject: Subject, plan: Plan) -> Row | None:
        """Return the row of a subject under a plan, None where it has to be made: a fault that changed is made anew.

        A row of all clauses serves where the fault's own is asked for alone; of that alone, one that caught it does.
        """
        wide = self.find(subject, replace(plan, own=False)) if plan.own else None
        if wide is not None:
            return wide
        path = self._path(subject, plan, () if plan.whole else (subject.cls,))
        row = _read(path)
        if row is not None and row.alone and row.fate is not Fate.CAUGHT:
            return None
        if row is None or row.subject != subject or (self.fresh and row.suite != suite_digest()):
            return None
        return row

    def rows(self) -> Iterator[Row]:
        """Yield every row there is."""
        for path in sorted((self.folder / "rows").glob("*.json")):
            row = _read(path)
            if row is not None:
                yield row

    def _path(self, subject: Subject, plan: Plan, classes: tuple[str, ...]) -> Path:
        name = f"{subject.name or 'sound'}.{'+'.join(classes) or 'all'}.{plan.budget}.{plan.seed}"
        return self.folder / "rows" / f"{name}{'.own' * plan.own}.json"


def _read(path: Path) -> Row | None:
    """Return the row of a file; None where there is none, or one that another version wrote."""
    try:
        return row_from_json(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
