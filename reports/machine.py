"""results.json: a run's outcome for machines, as `results.schema.json` beside this file describes it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from xenconform.models.exchange import Exchange
from xenconform.models.levels import level_reached, levels_of
from xenconform.models.results import ClauseResult, Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.causes import Finding, Remark, findings_of, remarks_of
from xenconform.reports.words import body_text

BODY_LIMIT = 20_000
"""Characters of a raw body in results.json; the log has all of it."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of results.json."""
    text = files("xenconform.reports").joinpath("results.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def to_json(results: Results) -> dict[str, Any]:
    """Return the content of results.json."""
    start = results.start
    return {
        "verdict": results.verdict.value,
        "exit_code": results.verdict.exit_code,
        "level": level_reached(results),
        "problem": results.problem,
        "target": start.target,
        "release": start.release,
        "profile": start.profile,
        "scope": start.scope,
        "budget": start.budget,
        "formats": list(start.formats),
        "seed": start.seed,
        "version": start.version,
        "started": start.started,
        "rejudged": {"sha256": of.sha256, "version": of.version} if (of := start.rejudged) else None,
        "calls": results.calls,
        "seconds": results.seconds,
        "levels": [
            {"level": each.number, "name": each.name, "standing": each.standing.value, "because": list(each.because)}
            for each in levels_of(results)
        ],
        "clauses": [
            {
                "id": each.clause.id,
                "level": each.clause.level,
                "severity": each.clause.severity.value,
                "verdict": each.verdict.value,
                "counts": {verdict.value: number for verdict, number in each.counts.items()},
                "formats": _by_format(each),
            }
            for each in results.clauses
        ],
        "findings": [_finding(each, results.exchanges) for each in findings_of(results)],
        "untested": [_remark(each) for each in remarks_of(results, Verdict.UNTESTED)],
        "waived": [_remark(each) for each in remarks_of(results, Verdict.WAIVED)],
        "errors": [_remark(each) for each in remarks_of(results, Verdict.ERROR)],
    }


def render_json(results: Results) -> str:
    """Return results.json as text: the same for the same run."""
    return json.dumps(to_json(results), indent=2) + "\n"


def _by_format(result: ClauseResult) -> dict[str, dict[str, int]]:
    """Return how many parts came out how over each wire format, "" for those of none, without those that none did."""
    counted: dict[str, Counter[str]] = {}
    for part in result.parts:
        counted.setdefault(part.format, Counter())[part.verdict.value] += 1
    order = [verdict.value for verdict in Verdict]
    return {fmt: {each: counted[fmt][each] for each in order if counted[fmt][each]} for fmt in sorted(counted)}


def _finding(finding: Finding, exchanges: Mapping[int, Exchange]) -> dict[str, Any]:
    telling = exchanges.get(finding.exchanges[-1]) if finding.exchanges else None
    return {
        "clause": finding.clause.id,
        "element": finding.element,
        "format": finding.format,
        "expected": finding.expected,
        "actual": finding.actual,
        "exchange": telling and _exchange(telling),
        "exchanges": list(finding.exchanges),
        "case": finding.case,
        "calls": finding.calls,
        "seconds": finding.seconds,
    }


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "seq": exchange.seq,
        "message": exchange.message,
        "format": exchange.format.value,
        "status": exchange.status,
        "request": body_text(exchange.sent, BODY_LIMIT),
        "reply": body_text(exchange.received, BODY_LIMIT),
    }


def _remark(remark: Remark) -> dict[str, str]:
    return {
        "clause": remark.clause.id,
        "element": remark.element,
        "format": remark.format,
        "reason": remark.reason,
    }
