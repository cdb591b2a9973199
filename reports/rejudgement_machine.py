"""Another judgement of a log for machines, as `rejudgement.schema.json` beside this file describes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from xenconform.models.rejudgement import Otherwise, Rejudgement
from xenconform.models.results import Results
from xenconform.models.verdicts import Verdict
from xenconform.models.weakness import Weakness


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a rejudgement."""
    text = files("xenconform.reports").joinpath("rejudgement.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def render_json(logs: Sequence[Rejudgement], rows: Sequence[Otherwise], weak: Sequence[Weakness]) -> str:
    """Return the judgements as text: the same for the same logs and the same version."""
    told = {
        "exit_code": 1 if rows else 0,
        "logs": [_log(each) for each in logs],
        "weaknesses": [{"name": w.name, "old": w.old, "new": w.new, "meaning": w.meaning} for w in weak],
        "differences": [
            {
                "cause": row.cause.value,
                "log": row.log,
                "clause": row.clause,
                "element": row.element,
                "format": row.format,
                "was": row.was,
                "now": row.now,
                "why": row.why,
            }
            for row in rows
        ],
    }
    return json.dumps(told, indent=2) + "\n"


def _log(of: Rejudgement) -> dict[str, Any]:
    account, rejudged = of.account, of.now.start.rejudged
    assert rejudged is not None, "what is told here was judged again"
    return {
        "sha256": rejudged.sha256,
        "then": _side(of.then),
        "now": _side(of.now),
        "rules": [{"clause": r.clause, "was": r.was, "now": r.now, "reworded": r.reworded} for r in of.rules],
        "exchanges": account.exchanges,
        "asked_again": account.replayed,
        "judged_from_bytes": account.played - len(account.lost),
        "taken_over": {"checks": list(account.taken_over), "judgements": account.kept},
        "asked_otherwise": [{"check": name, "missed": why} for name, why in account.lost.items()],
        "checks_gone": list(account.gone),
        "checks_not_asked": list(account.not_asked),
    }


def _side(results: Results) -> dict[str, Any]:
    counts = {verdict.value: sum(each.counts[verdict] for each in results.clauses) for verdict in Verdict}
    return {
        "verdict": results.verdict.value,
        "exit_code": results.verdict.exit_code,
        "version": results.start.version,
        "parts": counts,
    }
