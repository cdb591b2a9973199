"""How a clause is filed in Allure: severity, suites, behaviours, packages, tags, description and link."""

from __future__ import annotations

from urllib.parse import quote

from allure_commons.model2 import Label, Link
from allure_commons.types import LabelType, LinkType, Severity

from xenconform.models.clauses import LEVELS, Clause
from xenconform.reports.markdown import plain
from xenconform.reports.words import printable

SEVERITIES = {
    1: Severity.BLOCKER,
    2: Severity.CRITICAL,
    3: Severity.CRITICAL,
    4: Severity.CRITICAL,
    5: Severity.NORMAL,
}
"""The severity of a required clause by its level: without the wire nothing works; the last is about hostile input."""


def severity_of(clause: Clause) -> Severity:
    """Return how grave a breach of a clause is: a SHOULD is minor, or trivial where it is about an error code alone."""
    if clause.required:
        return SEVERITIES.get(clause.level, Severity.NORMAL)
    return Severity.TRIVIAL if clause.id.endswith("-CODE") else Severity.MINOR


def level_of(clause: Clause) -> str:
    """Return the name that a clause's level has in Allure."""
    return f"Level {clause.level}: {LEVELS.get(clause.level, 'unknown clauses')}"


def path_of(clause: Clause, of: str) -> list[str]:
    """Return where a test stands in the tree of suites: its level, its clause, and its class or the server."""
    return [level_of(clause), printable(clause.id), of]


def filed(clause: Clause, of: str) -> list[tuple[str, str]]:
    """Return the labels of a clause on a class, or on the server: Suites go by level, Behaviors by class."""
    parent, suite, sub = path_of(clause, of)
    return [
        (LabelType.PARENT_SUITE, parent),
        (LabelType.SUITE, suite),
        (LabelType.SUB_SUITE, sub),
        (LabelType.EPIC, of),
        (LabelType.FEATURE, parent),
        (LabelType.STORY, suite),
        (LabelType.SEVERITY, severity_of(clause).value),
        (LabelType.TAG, clause.severity.value),
    ]


def labels_of(clause: Clause, of: str, element: str, verdicts: list[str]) -> list[Label]:
    """Return all labels of a test; each of its verdicts is a tag, by which it is found."""
    level = LEVELS.get(clause.level, "unknown").replace(" ", "-")
    named = [
        *filed(clause, of),
        *((LabelType.TAG, verdict) for verdict in verdicts),
        (LabelType.FRAMEWORK, "xenconform"),
        ("package", f"xenconform.{level}.{printable(clause.id)}"),
        ("testClass", of),
        ("testMethod", element),
    ]
    return [Label(name=str(name), value=value) for name, value in named]


def description_of(clause: Clause) -> str:
    """Return what a clause says and where that comes from, as Markdown."""
    source = f"\n\nSource: {plain(clause.source)}" if clause.source else ""
    return f"**{plain(clause.id)}** ({clause.severity}, level {clause.level})\n\n> {plain(clause.rule)}{source}"


def links_of(clause: Clause, template: str) -> list[Link]:
    """Return the link to a clause's page, none where nobody said where the pages are.

    `template` is an address with `{clause}` where the clause's id belongs.
    """
    if not template:
        return []
    return [
        Link(
            type=LinkType.TEST_CASE,
            url=template.replace("{clause}", quote(clause.id, errors="backslashreplace")),
            name=printable(clause.id),
        )
    ]
