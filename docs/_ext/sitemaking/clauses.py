"""A page a clause, and the index of all clauses by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sitemaking import labels
from sitemaking import seen as defects
from sitemaking.checks import Use, uses
from sitemaking.markdown import code, contents, items, link, table, text, title
from sitemaking.seen import Seen
from xenconform.conformance.reference.faults import Fault
from xenconform.conformance.reference.faults import load as load_faults
from xenconform.models.api import Api
from xenconform.models.clauses import LEVELS, Clause, Severity, catalogue

_MEANS: Mapping[Severity, str] = {
    Severity.MUST: "the API document states the rule; a breach fails the certificate",
    Severity.SHOULD: "the document leaves it open and clients rely on it; a breach is listed and fails nothing",
    Severity.ROBUST: "any network server owes it; a breach fails the certificate",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that pages of clauses are made from."""

    api: Api
    clauses: Mapping[str, Clause]
    checks: tuple[Use, ...]
    faults: Mapping[str, Fault]
    seen: tuple[Seen, ...]


def facts(api: Api) -> Facts:
    """Return them as the product has them now."""
    return Facts(api, catalogue(), uses(api), load_faults(), defects.load())


def pages(of: Facts) -> dict[str, str]:
    """Return the text of each page by its file's name."""
    made = {f"{clause.id}.md": _page(clause, of) for clause in of.clauses.values()}
    return {"index.md": _index(of), **made}


def _index(of: Facts) -> str:
    lines = [
        *title("Clauses", "clauses"),
        f"{len(of.clauses)} rules, on five levels. A verdict is given for each clause × element × wire format.",
        "",
        *items(f"**{severity}**: {words}." for severity, words in _MEANS.items()),
        *contents(of.clauses),
    ]
    for level, group in groupby(of.clauses.values(), key=lambda each: each.level):
        rows = [
            (
                link(labels.of_clause(clause.id), clause.id),
                clause.severity.value,
                text(clause.rule),
                str(sum(fault.clause == clause.id for fault in of.faults.values())),
                str(sum(clause.id in each.clauses for each in of.seen) or ""),
            )
            for clause in group
        ]
        lines += [f"## Level {level}: {LEVELS[level]}", ""]
        lines += table(("clause", "severity", "rule", "faults", "seen"), rows)
    return "\n".join(lines)


def _page(clause: Clause, of: Facts) -> str:
    return "\n".join(
        [
            *title(clause.id, labels.of_clause(clause.id)),
            text(clause.rule),
            "",
            *items(
                [
                    f"**Level** {clause.level}, {LEVELS[clause.level]}",
                    f"**Severity** {clause.severity}: {_MEANS[clause.severity]}",
                    f"**Source** {text(clause.source)}",
                ]
            ),
            *_judged_on(clause, of),
            *_checks(clause, of),
            *_faults(clause, of),
            *defects.of_clause(clause.id, of.seen),
            *_neighbours(clause, of),
            "## Run it alone",
            "",
            "```sh",
            f"xenconform certify --clause {clause.id}",
            "```",
            "",
        ]
    )


def _judged_on(clause: Clause, of: Facts) -> list[str]:
    mine = [each for each in of.checks if each.clause == clause.id]
    classes = {name for each in mine for name in each.classes or ()}
    lines = ["## What it is judged on", ""]
    if any(each.classes is None for each in mine):
        lines += ["The server as a whole.", ""]
    if classes:
        named = labels.classes(name for name in of.api.classes if name in classes)
        lines += [f"{len(classes)} of {len(of.api.classes)} classes, or their fields and messages: {named}.", ""]
    return lines


def _checks(clause: Clause, of: Facts) -> list[str]:
    rows = dict.fromkeys(
        (code(each.function), text(each.first), code(each.where)) for each in of.checks if each.clause == clause.id
    )
    return ["## Checks", "", *table(("function", "what it does", "module"), rows)]


def _faults(clause: Clause, of: Facts) -> list[str]:
    """Return the section of the faults whose own clause this is, and of those that break it besides."""
    rows = [
        (
            link(labels.of_fault(each.name), code(each.name)),
            text(each.symptom),
            labels.classes([each.cls]),
            each.difficulty.value,
        )
        for each in of.faults.values()
        if each.clause == clause.id
    ]
    also = [link(labels.of_fault(each.name), code(each.name)) for each in of.faults.values() if clause.id in each.also]
    return [
        "## Faults that prove it",
        "",
        "Defects that can be switched on in the reference server. This clause must catch each of them.",
        "",
        *table(("fault", "what a client sees", "class", "difficulty"), rows),
        *([f"These break it too, beside the clause of their own: {', '.join(also)}.", ""] if also else []),
    ]


def _neighbours(clause: Clause, of: Facts) -> list[str]:
    """Return the section of clauses that are near: of the same name, of the same check, broken by the same faults."""
    family = [name for name in of.clauses if name.split("-")[0] == clause.id.split("-")[0]]
    functions = {each.function for each in of.checks if each.clause == clause.id}
    beside = [each.clause for each in of.checks if each.function in functions]
    both = [
        name
        for each in of.faults.values()
        if clause.id in (each.clause, *each.also)
        for name in (each.clause, *each.also)
    ]
    rows = [("of the same family", family), ("judged by the same function", beside), ("broken by the same fault", both)]
    told = [(what, _but(clause.id, names, of.clauses)) for what, names in rows]
    return ["## Neighbours", "", *(items(f"{what}: {labels.clauses(names)}" for what, names in told if names)
                                   or ["None.", ""])]  # fmt: skip


def _but(own: str, names: Sequence[str], order: Mapping[str, Clause]) -> list[str]:
    return [name for name in order if name in names and name != own]
