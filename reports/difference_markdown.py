"""A comparison as Markdown, fit for the summary of a job: the verdict, what makes it weak, the changes by kind."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from xenconform.models.difference import RULES, Difference, Kind
from xenconform.reports.difference_words import (
    ABOUT,
    IN_FULL,
    Group,
    causes_in_full,
    counted,
    groups_of,
    headline,
    runs_table,
    slower_text,
    tallies,
    weakness_text,
)
from xenconform.reports.markdown import cause_lines, plain, some
from xenconform.reports.words import plural

GROUPS = 50
"""Groups of a kind that are told: hosts show a summary of 1 MiB at most. The JSON form has every change."""

_WIDEST = 300


def render_markdown(difference: Difference) -> str:
    """Return the comparison as GitHub-flavoured Markdown: the same for the same two logs."""
    lines = [f"# {difference.outcome}", "", f"{plain(headline(difference))}.", ""]
    lines += [*_weaknesses(difference), *_tallies(difference)]
    for kind in RULES:
        lines += _kind(difference, kind)
    lines += [*_slower(difference), *_runs(difference)]
    return "\n".join(lines).rstrip() + "\n"


def _weaknesses(difference: Difference) -> Iterator[str]:
    if difference.weaknesses:
        yield from ("> [!WARNING]", "> This comparison is weak:", ">")
        yield from (f"> - {plain(weakness_text(each))}" for each in difference.weaknesses)
        yield ""


def _tallies(difference: Difference) -> Iterator[str]:
    found = tallies(difference)
    if found:
        yield from ("| changes | regressions |", "| --- | ---: |")
        for kind, number in found:
            bad = sum(each.kind is kind for each in difference.regressions)
            yield f"| {counted(kind, number)} | {bad or ''} |".replace("  ", " ")
        yield ""


def _kind(difference: Difference, kind: Kind) -> Iterator[str]:
    changes = difference.of(kind)
    if not changes:
        return
    yield from (f"## {kind.capitalize()}: {plural(len(changes), 'part')}", "")
    if kind in ABOUT:
        yield from (f"{ABOUT[kind].capitalize()}.", "")
    if kind in IN_FULL:
        yield from _causes(difference, kind)
        return
    groups = groups_of(difference, kind)
    yield from ("| parts | clauses | on | what |", "| ---: | --- | --- | --- |")
    yield from map(_row, groups[:GROUPS])
    if len(groups) > GROUPS:
        yield f"| … | {plural(len(groups) - GROUPS, 'more group')} | | |"
    yield ""


def _causes(difference: Difference, kind: Kind) -> Iterator[str]:
    causes = causes_in_full(difference, kind)
    for clause, group in groupby(causes[:GROUPS], key=lambda each: each.example.clause):
        yield from (f"### {clause.id} ({clause.severity}, level {clause.level})", "", f"> {plain(clause.rule)}", "")
        for cause in group:
            yield from cause_lines(cause, difference.new.exchanges)
    if len(causes) > GROUPS:
        yield from (f"{plural(len(causes) - GROUPS, 'more cause')}: see the JSON form.", "")


def _row(group: Group) -> str:
    shown = [f"{plain(name)}{f' ({number:,})' * (number > 1)}" for name, number in group.clauses[:12]]
    more = f" and {len(group.clauses) - 12} more" if len(group.clauses) > 12 else ""
    should = "" if group.required else " (SHOULD)"
    over = f" over {', '.join(group.formats)}" if group.formats else ""
    text = plain(group.text[:_WIDEST] + "…" * (len(group.text) > _WIDEST))
    cells = (f"{len(group.changes):,}", ", ".join(shown) + more + should, some(group.elements) + over, text)
    return f"| {' | '.join(cells)} |"


def _slower(difference: Difference) -> Iterator[str]:
    if difference.slower:
        yield from ("## Slower", "")
        yield from (f"- {plain(slower_text(each))}" for each in difference.slower)
        yield ""


def _runs(difference: Difference) -> Iterator[str]:
    yield from ("## The runs", "", "| | old | new |", "| --- | --- | --- |")
    yield from (f"| {name} | {plain(old)} | {plain(new)} |" for name, old, new in runs_table(difference))
