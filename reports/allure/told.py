"""What a part says in Allure: its status, the line that tests are grouped by, and the words behind it.

The message is the same for all tests of one cause, for it leaves out names, refs, numbers and values; so Allure groups
by cause. What was expected and what came is told in full beside it.
"""

from __future__ import annotations

from typing import Any

from allure_commons.model2 import Status

from xenconform.models.results import Part
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.causes import pattern_of
from xenconform.reports.words import printable

TEXT = 2_000
"""Characters of what was expected and of what came."""
LINE = 300
"""Characters of a message."""
NO_REASON = "no reason was given"
STATUSES = {Verdict.PASS: Status.PASSED, Verdict.FAIL: Status.FAILED, Verdict.ERROR: Status.BROKEN}
"""The status of each verdict; the others are skipped, with the reason."""
ORDER = (Verdict.ERROR, Verdict.FAIL, Verdict.WAIVED, Verdict.UNTESTED, Verdict.UNSUPPORTED, Verdict.PASS)
"""What stands for a test whose formats came out differently: it passed only where all of them did."""


def status_of(verdict: Verdict) -> str:
    """Return the status of a verdict."""
    return str(STATUSES.get(verdict, Status.SKIPPED))


def first_of(parts: list[Part]) -> Part:
    """Return the part that stands for a test."""
    return min(parts, key=lambda part: ORDER.index(part.verdict))


def details_of(parts: list[Part]) -> dict[str, Any] | None:
    """Return the status details of a test, None where all of it passed."""
    first = first_of(parts)
    if first.verdict is Verdict.PASS:
        return None
    told = [f"{over(part)}: {part.verdict}: {words(each)}" for part in parts for each in causes(part)]
    details: dict[str, Any] = {"message": message_of(first), "trace": "\n".join(dict.fromkeys(told))}
    judged = first.because[0]
    if judged.expected:
        details |= {"expected": cut(judged.expected), "actual": cut(judged.actual)}
    if first.verdict is Verdict.WAIVED:
        details["known"] = True
    return details


def message_of(part: Part) -> str:
    """Return the line that a part has in common with those of one cause: categories know it by how it begins."""
    judged = part.because[0]
    failed = part.verdict is Verdict.FAIL
    if failed and judged.expected:
        said = f"got {general(judged.actual)}, expected {general(judged.expected)}"
    else:
        said = general(judged.reason or NO_REASON)
    # Categories take the clause for one word, also where another version, or a hostile log, has named it.
    clause = "_".join(printable(part.clause.id).split())
    return cut(f"{clause} {f'({part.clause.severity}) not met' if failed else part.verdict}: {said}", LINE)


def general(text: str) -> str:
    """Return a text without what differs between findings of one cause."""
    return printable(pattern_of(text[:TEXT])).replace("*", "…").replace("\n", " ")


def words(judged: Judgement) -> str:
    """Return what a judgement says, in one paragraph."""
    if judged.expected:
        why = f" ({judged.reason})" if judged.reason else ""
        return f"expected {cut(judged.expected)}, got {cut(judged.actual)}{why}"
    return cut(judged.reason) or NO_REASON


def causes(part: Part) -> list[Judgement]:
    """Return the judgements of a part that say different things, none of one that passed."""
    if part.verdict is Verdict.PASS:
        return []
    return list({(each.expected, each.actual, each.reason): each for each in reversed(part.because)}.values())[::-1]


def over(part: Part) -> str:
    """Return over what a part was judged, in words."""
    return printable(part.format) or "no format in particular"


def cut(text: str, limit: int = TEXT) -> str:
    """Return a text that can be shown, with a note where it is cut."""
    text = printable(text)
    return text if len(text) <= limit else f"{text[:limit]} … [{len(text):,} characters in all]"
