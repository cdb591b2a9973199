"""results.sarif: what failed, as code hosts list it; a rule a clause, a result a cause. Source: SARIF 2.1.0 (OASIS).

A finding is of no line of source: it is placed in its saved case, or in the log where there is none, and named by its
element. What a code host needs to know it again from run to run is what findings of one cause have in common.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from xenconform.models.clauses import Clause
from xenconform.models.results import Results
from xenconform.reports.causes import Cause, causes_of, findings_of
from xenconform.reports.words import plural, printable

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
TEXT_LIMIT = 1_000
"""Characters of a text of the server's that are shown."""
PLACES = 20
"""So many elements of a cause are named."""


def render_sarif(results: Results) -> str:
    """Return results.sarif as text: the same for the same run."""
    return json.dumps(to_sarif(results), indent=1) + "\n"


def to_sarif(results: Results) -> dict[str, Any]:
    """Return the content of results.sarif."""
    causes = causes_of(findings_of(results))
    clauses = list(dict.fromkeys(cause.example.clause for cause in causes))
    start = results.start
    done: dict[str, Any] = {"executionSuccessful": not results.problem, "exitCode": results.verdict.exit_code}
    if results.problem:
        done["exitCodeDescription"] = printable(results.problem)
    about = {"target": start.target, "release": start.release, "seed": start.seed, "verdict": results.verdict.value}
    driver = {"name": "xenconform", "version": start.version, "rules": [_rule(each) for each in clauses]}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {name: value for name, value in driver.items() if value != ""}},
                "invocations": [done],
                "results": [_result(cause, clauses.index(cause.example.clause)) for cause in causes],
                "columnKind": "unicodeCodePoints",
                "properties": about,
            }
        ],
    }


def _rule(clause: Clause) -> dict[str, Any]:
    said = {"shortDescription": {"text": clause.rule}}
    if clause.source:
        said["help"] = {"text": f"Source: {clause.source}"}
    level = {"defaultConfiguration": {"level": _level(clause)}}
    return {"id": clause.id, **said, **level, "properties": {"level": clause.level, "severity": clause.severity.value}}


def _level(clause: Clause) -> str:
    return "error" if clause.required else "note"


def _result(cause: Cause, at: int) -> dict[str, Any]:
    example = cause.example
    clause = example.clause
    told = f"{example.label}: expected {example.expected}, got {example.actual}"
    number = f" ({plural(len(cause.findings), 'finding')})" if len(cause.findings) > 1 else ""
    named = [{"fullyQualifiedName": printable(each), "kind": "member"} for each in cause.elements[:PLACES]]
    same = hashlib.sha256("\0".join(example.cause).encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "ruleId": clause.id,
        "ruleIndex": at,
        "level": _level(clause),
        "message": {"text": printable(told[:TEXT_LIMIT]) + number},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": f"cases/{example.case}.py" if example.case else "run.jsonl"},
                    "region": {"startLine": 1},
                },
                "logicalLocations": named,
            }
        ],
        "partialFingerprints": {"cause/v1": same},
        "occurrenceCount": len(cause.findings),
        "properties": {"formats": list(cause.formats)},
    }
