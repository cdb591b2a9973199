"""A comparison for machines, as `difference.schema.json` beside this file describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from xenconform.models.difference import RULES, Change, Difference
from xenconform.models.results import Results
from xenconform.models.weakness import settings_of
from xenconform.reports.causes import Finding
from xenconform.reports.difference_words import failures_of, headline, tallies


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a comparison."""
    text = files("xenconform.reports").joinpath("difference.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def to_json(difference: Difference) -> dict[str, Any]:
    """Return the comparison as JSON values."""
    found = dict(tallies(difference))
    old, new = failures_of(difference.old), failures_of(difference.new)
    return {
        "outcome": difference.outcome.value,
        "exit_code": difference.outcome.exit_code,
        "headline": headline(difference),
        "old": _run(difference.old),
        "new": _run(difference.new),
        "weaknesses": [
            {"name": each.name, "old": each.old, "new": each.new, "meaning": each.meaning}
            for each in difference.weaknesses
        ],
        "slower": [
            {"measure": each.measure, "old": each.old, "new": each.new, "factor": each.factor}
            for each in difference.slower
        ],
        "asked": {
            "strict": difference.asked.strict,
            "slower": difference.asked.slower,
            "fail_slower": difference.asked.fail_slower,
        },
        "counts": {kind.value: found.get(kind, 0) for kind in RULES},
        "regressions": len(difference.regressions),
        "changes": [_change(difference, each, old, new) for each in difference.changes],
    }


def render_json(difference: Difference) -> str:
    """Return the comparison as text: the same for the same two logs."""
    return json.dumps(to_json(difference), indent=2) + "\n"


def _run(results: Results) -> dict[str, Any]:
    start = results.start
    return {
        "verdict": results.verdict.value,
        "problem": results.problem,
        "kind": start.kind,
        "started": start.started,
        **settings_of(start),
        "seed": start.seed,
        "formats": list(start.formats),
        "clauses": list(start.clauses),
        "classes": list(start.classes),
        "calls": results.calls,
        "seconds": results.seconds,
    }


def _change(
    difference: Difference,
    change: Change,
    old: Mapping[tuple[str, str, str], Finding],
    new: Mapping[tuple[str, str, str], Finding],
) -> dict[str, Any]:
    finding = new.get(change.key) or old.get(change.key)
    return {
        "kind": change.kind.value,
        "regression": difference.counts(change),
        "clause": change.clause.id,
        "severity": change.clause.severity.value,
        "element": change.element,
        "format": change.format,
        "was": change.was,
        "now": change.now,
        "why": change.why,
        "expected": finding.expected if finding else "",
        "actual": finding.actual if finding else "",
        "exchange": finding.exchanges[-1] if finding and finding.exchanges else None,
        "case": finding.case if finding else "",
    }
