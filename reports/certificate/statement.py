"""What a certificate says: an in-toto Statement v1 with a test-result predicate v0.1.

By in-toto/attestation, spec/v1/statement.md and spec/predicates/test-result.md:

- `subject`: each file of the folder but the certificate, by name and SHA-256;
- `configuration`: the run's settings, as the log's first line has them, and the profile, each by its digest; what they
  come to in `annotations`;
- `passedTests`, `warnedTests`, `failedTests`: clauses by their ids. Failed: a required clause that failed. Warned: a
  SHOULD clause that failed, one with a waived part, and a required one that is untested in part. Passed: the others
  that passed. A clause of which nothing was tested is in none of the three;
- `result`: PASSED where a whole run found the server conformant, with nothing to be warned of; WARNED where it did with
  warnings, or is not whole; FAILED for all else, untested parts of required clauses included;
- `xenconform`, an extension field: the verdict, levels, what was not tested, and in what the run is not whole.

All of it comes of the log and the digests, so that who has the folder can make it again. The schema is
`certificate.schema.json` in the folder above.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any

from xenconform.models.events import RunStart, encode_event
from xenconform.models.extent import Limit
from xenconform.models.integrity import waivers_of
from xenconform.models.levels import level_reached, levels_of
from xenconform.models.profiles import Waiver
from xenconform.models.results import ClauseResult, Overall, Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.words import totals

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
SETTINGS = "run_start"
"""The name of the descriptor of the settings."""


@dataclass(frozen=True, slots=True)
class Certified:
    """What a certificate is made of: a run's results, in what the run is not whole, the files' digests by name."""

    results: Results
    limits: tuple[Limit, ...]
    digests: Mapping[str, str]


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the Statement of a certificate."""
    text = files("xenconform.reports").joinpath("certificate.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def render_statement(certified: Certified) -> bytes:
    """Return the Statement as bytes to sign: the same for the same run and files."""
    return json.dumps(statement_of(certified), separators=(",", ":"), ensure_ascii=True).encode()


def statement_of(certified: Certified) -> dict[str, Any]:
    """Return the Statement as JSON values."""
    results = certified.results
    passed, warned, failed = tests_of(results)
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(certified.digests.items())],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": _result(certified),
            "configuration": [_settings(results.start), *_profile(results.start)],
            "passedTests": passed,
            "warnedTests": warned,
            "failedTests": failed,
            "xenconform": _found(certified),
        },
    }


def tests_of(results: Results) -> tuple[list[str], list[str], list[str]]:
    """Return the clauses that passed, those to be warned of, and those that failed, as the rules on top say."""
    sorted_out: tuple[list[str], list[str], list[str]] = ([], [], [])
    for each in results.clauses:
        place = _place(each)
        if place is not None:
            sorted_out[place].append(each.clause.id)
    return sorted_out


def _place(result: ClauseResult) -> int | None:
    counts, required = result.counts, result.clause.required
    if counts[Verdict.FAIL] or counts[Verdict.ERROR]:
        return 2 if required else 1
    if counts[Verdict.WAIVED] or (counts[Verdict.PASS] and counts[Verdict.UNTESTED] and required):
        return 1
    return 0 if counts[Verdict.PASS] else None


def applied_waivers(results: Results) -> dict[Waiver, tuple[str, ...]]:
    """Return the waivers that parts of a run rest on, each with those parts: `SET-ADD network.tags[xmlrpc]`."""
    found: dict[Waiver, list[str]] = {}
    for part in results.parts(Verdict.WAIVED):
        for judgement in part.because:
            for waiver in waivers_of(results.start, judgement):
                found.setdefault(waiver, []).append(f"{part.clause.id} {part.label}")
    return {waiver: tuple(dict.fromkeys(parts)) for waiver, parts in found.items()}


def _result(certified: Certified) -> str:
    if certified.results.verdict is not Overall.CONFORMANT:
        return "FAILED"
    _, warned, _ = tests_of(certified.results)
    return "WARNED" if warned or certified.limits else "PASSED"


def _settings(start: RunStart) -> dict[str, Any]:
    """Return the descriptor of the settings: the digest is that of the log's first line, without its line end."""
    return {
        "name": SETTINGS,
        "mediaType": "application/json",
        "digest": {"sha256": sha256(encode_event(start).encode()).hexdigest()},
        "annotations": {
            "version": start.version,
            "kind": start.kind,
            "target": start.target,
            "started": start.started,
            "release": start.release,
            "profile": start.profile,
            "scope": start.scope,
            "budget": start.budget,
            "seed": start.seed,
            "formats": list(start.formats),
            "clauses": list(start.clauses),
            "classes": list(start.classes),
            "fault": start.fault,
        },
    }


def _profile(start: RunStart) -> list[dict[str, Any]]:
    """Return the descriptor of the profile, none where its digest is not known."""
    digest = start.profile_digest
    return [{"name": start.profile, "mediaType": "application/toml", "digest": {"sha256": digest}}] if digest else []


def _found(certified: Certified) -> dict[str, Any]:
    """Return what the predicate has no field for."""
    results = certified.results
    return {
        "verdict": results.verdict.value,
        "exit_code": results.verdict.exit_code,
        "level": level_reached(results),
        "levels": [
            {"level": each.number, "name": each.name, "standing": each.standing.value, "because": list(each.because)}
            for each in levels_of(results)
        ],
        "whole": not certified.limits,
        "limits": {each.extent.value: list(each.names) for each in certified.limits},
        "counts": {verdict.value: number for verdict, number in totals(results).items()},
        "untested_clauses": [each.clause.id for each in results.clauses if each.verdict is Verdict.UNTESTED],
        "untested_in_part": [
            each.clause.id
            for each in results.clauses
            if each.verdict is not Verdict.UNTESTED and each.counts[Verdict.UNTESTED]
        ],
        "unsupported_clauses": [each.clause.id for each in results.clauses if each.verdict is Verdict.UNSUPPORTED],
        "waivers": [
            {
                "clause": waiver.clause,
                "element": waiver.element,
                "failure": waiver.failure,
                "reason": waiver.reason,
                "link": waiver.link,
                "expires": waiver.expires.isoformat(),
                "parts": list(parts),
            }
            for waiver, parts in applied_waivers(results).items()
        ],
        "calls": results.calls,
        "seconds": results.seconds,
    }
