"""The matrix for machines: JSON with all of it, and CSV with a line for each implementation, clause and format."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from xenconform.models.verdicts import Verdict
from xenconform.reports.causes import Finding
from xenconform.reports.vendors.grid import Changes, Grid, Implementation
from xenconform.reports.vendors.told import Told

_ABOUT = (
    "verdict",
    "level",
    "target",
    "release",
    "profile",
    "scope",
    "budget",
    "formats",
    "seed",
    "version",
    "started",
)
_HEAD = ("implementation", "release", "started", "level reached", "clause", "severity", "level", "format", "verdict")


def render_json(grid: Grid) -> str:
    """Return the matrix as JSON text: the same for the same runs."""
    return json.dumps(to_json(grid), indent=1) + "\n"


def to_json(grid: Grid) -> dict[str, Any]:
    """Return all of the matrix."""
    return {
        "clauses": [
            {"id": each.id, "level": each.level, "severity": each.severity.value, "rule": each.rule}
            for each in grid.clauses
        ],
        "formats": list(grid.formats),
        "implementations": [_implementation(each) for each in grid.implementations],
    }


def _implementation(of: Implementation) -> dict[str, Any]:
    return {
        "name": of.name,
        "runs": [_run(each) for each in of.runs],
        "clauses": {
            name: {
                "verdict": row.verdict.value,
                "formats": {fmt: verdict.value for fmt, verdict in row.formats.items()},
                "counts": {verdict.value: number for verdict, number in row.counts.items()},
            }
            for name, row in of.latest.rows.items()
        },
        "changes": None if of.changes is None else _changes(of.changes),
    }


def _changes(changes: Changes) -> dict[str, Any]:
    return {
        "new": [_finding(each) for each in changes.new],
        "gone": [_finding(each) for each in changes.gone],
        "newly_untested": list(changes.untested),
        "newly_tested": list(changes.tested),
    }


def _run(told: Told) -> dict[str, Any]:
    about = {name: told.about[name] for name in _ABOUT}
    return {**about, "source": told.source, "failed": list(told.failed), "untested": told.untested}


def _finding(finding: Finding) -> dict[str, str]:
    named = {"clause": finding.clause.id, "element": finding.element, "format": finding.format}
    return {**named, "expected": finding.expected, "actual": finding.actual}


def render_csv(grid: Grid) -> str:
    """Return the matrix as CSV (RFC 4180) with a heading; the format is empty for parts of no single one."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow((*_HEAD, *(verdict.value for verdict in Verdict)))
    for of in grid.implementations:
        told = of.latest
        about = (of.name, told.about["release"], told.about["started"], told.level)
        for name, row in told.rows.items():
            clause = (name, row.clause.severity.value, row.clause.level)
            for fmt, verdict in row.formats.items():
                counts = (row.counts_by_format[fmt][each] for each in Verdict)
                lines.writerow((*about, *clause, fmt, verdict.value, *counts))
            if not row.formats:
                lines.writerow((*about, *clause, "", row.verdict.value, *(0 for _ in Verdict)))
    return text.getvalue()
