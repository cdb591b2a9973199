"""summary.md: a run's outcome for people, as code hosts show it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby

from xenconform.models.clauses import LEVELS
from xenconform.models.exchange import Exchange
from xenconform.models.results import Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.causes import Cause, causes_of, findings_of, reasons_of, remarks_of
from xenconform.reports.words import body_text, headline, plural, printable, settings, totals

BODY_LIMIT = 1_500
"""Characters of a raw body in summary.md."""

CAUSES = 100
"""Causes that are told; results.json has every finding."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_LISTED = 12


def render_markdown(results: Results) -> str:
    """Return summary.md as text: the same for the same run."""
    lines = [f"# {results.verdict}", "", plain(headline(results)) + ".", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {plain(text)} |" for name, text in settings(results)]
    lines += [f"| parts | {_totals(results)} |", f"| exit code | {results.verdict.exit_code} |", ""]
    lines += [*_findings(results), *_reasons(results), *_table(results)]
    return "\n".join(lines).rstrip() + "\n"


def _totals(results: Results) -> str:
    return ", ".join(f"{number:,} {verdict}" for verdict, number in totals(results).items() if number) or "none"


def _table(results: Results) -> Iterator[str]:
    yield "## Clauses"
    for level, group in groupby(results.clauses, key=lambda each: each.clause.level):
        yield from ("", f"### Level {level}: {LEVELS.get(level, 'unknown clauses')}", "")
        shown = list(group)
        columns = [verdict for verdict in Verdict if any(each.counts[verdict] for each in shown)]
        yield f"| clause | | verdict | {' | '.join(columns)} | rule |".replace("|  |", "|")
        yield "| --- | --- | --- | " + "---: | " * len(columns) + "--- |"
        for each in shown:
            counts = "".join(f"{each.counts[verdict] or ''} | " for verdict in columns)
            verdict = f"**{each.verdict}**" if each.verdict in {Verdict.FAIL, Verdict.ERROR} else each.verdict.value
            yield f"| {each.clause.id} | {each.clause.severity} | {verdict} | {counts}{plain(each.clause.rule)} |"


def _findings(results: Results) -> Iterator[str]:
    causes = causes_of(findings_of(results))
    if not causes:
        return
    found = sum(len(each.findings) for each in causes)
    yield from (f"## Findings: {found:,} of {plural(len(causes), 'cause')}", "")
    for clause, group in groupby(causes[:CAUSES], key=lambda each: each.example.clause):
        yield from (f"### {clause.id} ({clause.severity}, level {clause.level})", "", f"> {plain(clause.rule)}", "")
        for cause in group:
            yield from cause_lines(cause, results.exchanges)
    if len(causes) > CAUSES:
        yield from (f"{plural(len(causes) - CAUSES, 'more cause')}: see results.json.", "")


def cause_lines(cause: Cause, exchanges: Mapping[int, Exchange]) -> Iterator[str]:
    """Yield the lines of a cause: where it was seen, an example, and the raw exchange that shows it."""
    example = cause.example
    yield f"**{plural(len(cause.findings), 'finding')}** on {some(cause.elements)}" + (
        f" over {', '.join(cause.formats)}" if cause.formats else ""
    )
    yield from ("", f"- example: `{code(example.label)}`")
    yield f"- expected: {plain(example.expected)}"
    yield f"- actual: {plain(example.actual)}"
    if example.case:
        yield f"- case: `cases/{code(example.case)}` (.json for `xenconform replay`; .py and .sh stand alone)"
    yield ""
    telling = exchanges.get(example.exchanges[-1]) if example.exchanges else None
    if telling is None:
        return
    yield f"<details><summary>exchange {telling.seq}: {plain(telling.message)}, HTTP {telling.status}</summary>"
    yield ""
    for body in (telling.sent, telling.received):
        text = body_text(body, BODY_LIMIT)
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        yield from (fence, text, fence, "")
    yield from ("</details>", "")


def _reasons(results: Results) -> Iterator[str]:
    for verdict, title in (
        (Verdict.ERROR, "Errors of our own"),
        (Verdict.UNTESTED, "Untested"),
        (Verdict.WAIVED, "Waived"),
        (Verdict.UNSUPPORTED, "Unsupported"),
    ):
        reasons = reasons_of(remarks_of(results, verdict))
        if not reasons:
            continue
        yield from (f"## {title}", "", "| parts | reason | clauses |", "| ---: | --- | --- |")
        for each in reasons:
            clauses = ", ".join(f"{name} ({number})" for name, number in each.clauses)
            yield f"| {each.parts:,} | {plain(each.text)} | {clauses} |"
        yield ""


def some(names: tuple[str, ...]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return ", ".join(f"`{code(name)}`" for name in names[:_LISTED]) + more


def plain(text: str) -> str:
    """Return the text so that Markdown shows it as it is, in one line."""
    return _SPECIAL.sub(r"\\\1", printable(text).replace("\n", " "))


def code(text: str) -> str:
    """Return the text as it may stand between backticks, in a table too."""
    return printable(text).replace("\n", " ").replace("`", "'").replace("|", "¦")
