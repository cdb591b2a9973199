"""What results.json tells of one run, read back for a matrix: a file of some kilobytes, where a log has gigabytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from xenconform.models.clauses import Clause, Severity, catalogue
from xenconform.models.verdicts import Verdict, worst
from xenconform.reports.causes import Finding
from xenconform.reports.machine import schema


@dataclass(frozen=True, slots=True)
class Row:
    """One clause of a run: its verdict, that of its parts over each format ("" for none), and how many came out how."""

    clause: Clause
    verdict: Verdict
    formats: Mapping[str, Verdict]
    counts: Mapping[Verdict, int]
    counts_by_format: Mapping[str, Mapping[Verdict, int]]


@dataclass(frozen=True, slots=True)
class Told:
    """One run of an implementation: `source` is where its results were read from, `about` the rest of what they say."""

    name: str
    source: str
    about: Mapping[str, Any]
    rows: Mapping[str, Row]
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """The verdict on the server, as a word."""
        return str(self.about["verdict"])

    @property
    def is_whole(self) -> bool:
        """Whether the run came to its end."""
        return not self.about["problem"]

    @property
    def level(self) -> int:
        """The level that was reached, 0 for none."""
        return int(self.about["level"])

    @property
    def untested(self) -> int:
        """How many parts were not tested; a clause that was not run counts as one."""
        return sum(row.counts[Verdict.UNTESTED] or not row.formats for row in self.rows.values())

    @property
    def failed(self) -> tuple[str, ...]:
        """The required clauses that failed."""
        return tuple(name for name, row in self.rows.items() if row.verdict is Verdict.FAIL and row.clause.required)


def told_of(text: str, source: str, name: str = "") -> Told:
    """Return what results.json says; the implementation is called `name`, or by its target.

    Raises:
        ValueError: the text is no results.json of this version; the text says what is wrong with it.
    """
    try:
        data = json.loads(text)
    except ValueError as why:
        raise ValueError(f"no JSON: {why}") from why
    wrong = next(iter(_validator().iter_errors(data)), None)
    if wrong is not None:
        where = "/".join(map(str, wrong.absolute_path)) or "the whole"
        raise ValueError(f"no results.json of this version, at {where}: {wrong.message[:200]}")
    rows = {each["id"]: _row(each) for each in data["clauses"]}
    findings = tuple(_finding(each, rows) for each in data["findings"])
    return Told(name or data["target"] or source, source, data, rows, findings)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def _row(data: Mapping[str, Any]) -> Row:
    by_format = {fmt: _counts(counts) for fmt, counts in data["formats"].items()}
    known = catalogue().get(data["id"])
    clause = known or Clause(
        data["id"], data["level"], Severity(data["severity"]), "not in this version's catalogue", ""
    )
    verdicts = {fmt: worst([each for each in Verdict if counts[each]]) for fmt, counts in by_format.items()}
    return Row(clause, Verdict(data["verdict"]), verdicts, _counts(data["counts"]), by_format)


def _counts(data: Mapping[str, int]) -> dict[Verdict, int]:
    return {verdict: data.get(verdict.value, 0) for verdict in Verdict}


def _finding(data: Mapping[str, Any], rows: Mapping[str, Row]) -> Finding:
    return Finding(
        rows[data["clause"]].clause, data["element"], data["format"], data["expected"], data["actual"],
        tuple(data["exchanges"]), data["case"], data["calls"], data["seconds"],
    )  # fmt: skip
