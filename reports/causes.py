"""Findings and what is untested, grouped so that a person sees the causes first.

The law: two findings have one cause when they break the same clause and their expected and actual texts are the same
but for names, refs, numbers and values. Error codes are kept, for they tell causes apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from xenconform.models.clauses import Clause
from xenconform.models.results import NOT_RUN, Part, Results
from xenconform.models.verdicts import Verdict

_VARYING = re.compile(
    r"""
    OpaqueRef:[\w-]+                               # a ref
    | \b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b   # a uuid
    | '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*"        # a quoted value
    | \b[A-Za-z]\w*\#(?:\d+|null)                  # an object by its handle
    | (?<![\w.])[A-Za-z]\w*\.[A-Za-z]\w*           # a field or a message
    | (?<!\w)[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?!\w)   # a number
    """,
    re.VERBOSE,
)
_LISTING = re.compile(r"[\[({][^\[\](){}]*[\])}]")
_CODE = re.compile(r"['\"]?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+['\"]?")
_NO_CODE = re.compile(r"[^\[\](){},]+")


def pattern_of(text: str) -> str:
    """Return the text with names, refs, numbers and values left out, codes kept: equal for texts of one cause."""
    text = _VARYING.sub(lambda found: found[0].strip("'\"") if _CODE.fullmatch(found[0]) else "*", text)
    return _LISTING.sub(_codes_only, text)


def _codes_only(listing: re.Match[str]) -> str:
    """Return a bracketed list with its error codes alone."""
    codes = [word.strip() for word in _NO_CODE.findall(listing[0]) if _CODE.fullmatch(word.strip())]
    return f"<{' '.join(codes)}*>"


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which one clause × element × format failed.

    `exchanges` are numbers, the telling one last; `case` names the saved case that shows it by itself, or is "".
    `calls` and `seconds` tell how far the run was when it was first seen.
    """

    clause: Clause
    element: str
    format: str
    expected: str
    actual: str
    exchanges: tuple[int, ...]
    case: str = ""
    calls: int = 0
    seconds: float = 0.0

    @property
    def label(self) -> str:
        """The element with its format: `network.tags[xmlrpc]`."""
        return f"{self.element}[{self.format}]" if self.format else self.element

    @property
    def cause(self) -> tuple[str, str, str]:
        """What findings of one cause have in common."""
        return (self.clause.id, pattern_of(self.expected), pattern_of(self.actual))


@dataclass(frozen=True, slots=True)
class Cause:
    """Findings of one cause, at least one; the first is the example."""

    findings: tuple[Finding, ...]

    @property
    def example(self) -> Finding:
        """The finding that stands for all."""
        return self.findings[0]

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements it was seen on, each once."""
        return tuple(dict.fromkeys(each.element for each in self.findings))

    @property
    def formats(self) -> tuple[str, ...]:
        """The wire formats it was seen over, each once."""
        return tuple(sorted({each.format for each in self.findings if each.format}))


def findings_of(results: Results) -> tuple[Finding, ...]:
    """Return the findings in the order of the clauses; a part that failed in one way many times gives one."""
    found: dict[tuple[object, ...], Finding] = {}
    for part in results.parts(Verdict.FAIL):
        for each in part.because:
            finding = Finding(
                part.clause, part.element, part.format,
                each.expected or each.reason, each.actual, each.exchanges, each.case, each.calls, each.seconds,
            )  # fmt: skip
            found.setdefault((*finding.cause, part.element, part.format), finding)
    return tuple(found.values())


def causes_of(findings: Iterable[Finding]) -> tuple[Cause, ...]:
    """Return the causes: those of clauses that decide the certificate first, then by level, clause and number."""
    grouped: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.cause, []).append(finding)
    clauses = list(dict.fromkeys(group[0].clause.id for group in grouped.values()))
    causes = [Cause(tuple(group)) for group in grouped.values()]
    return tuple(
        sorted(
            causes,
            key=lambda each: (
                not each.example.clause.required,
                clauses.index(each.example.clause.id),
                -len(each.findings),
            ),
        )
    )


@dataclass(frozen=True, slots=True)
class Remark:
    """A part with the reason of its verdict: untested, waived, or an error of our own."""

    clause: Clause
    element: str
    format: str
    reason: str


def remarks_of(results: Results, verdict: Verdict) -> tuple[Remark, ...]:
    """Return the parts that came out so, with the first reason of each; untested clauses without parts are not run."""
    remarks: list[Remark] = []
    for each in results.clauses:
        remarks += [_remark(part) for part in each.parts if part.verdict is verdict]
        if not each.parts and verdict is Verdict.UNTESTED:
            remarks.append(Remark(each.clause, "", "", NOT_RUN))
    return tuple(remarks)


def _remark(part: Part) -> Remark:
    return Remark(
        part.clause, part.element, part.format, next((each.reason for each in part.because if each.reason), "")
    )


@dataclass(frozen=True, slots=True)
class Reason:
    """Parts that share a reason: the reason of the first, how many there are, and how many of each clause."""

    text: str
    parts: int
    clauses: tuple[tuple[str, int], ...]


def reasons_of(remarks: Iterable[Remark]) -> tuple[Reason, ...]:
    """Return the reasons, the most frequent first; reasons that differ in names and values alone are one."""
    grouped: dict[str, list[Remark]] = {}
    for remark in remarks:
        grouped.setdefault(pattern_of(remark.reason), []).append(remark)
    reasons = [
        Reason(
            group[0].reason or "no reason was given",
            len(group),
            tuple(Counter(each.clause.id for each in group).most_common()),
        )
        for group in grouped.values()
    ]
    return tuple(sorted(reasons, key=lambda each: -each.parts))
