"""All that the page says, as plain values: the template has no more to do than to lay it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from xenconform.models.clauses import LEVELS, catalogue
from xenconform.models.results import ClauseResult, Overall, Results
from xenconform.models.traffic import quantile
from xenconform.models.verdicts import Verdict
from xenconform.reports.causes import Cause, Reason, causes_of, findings_of, reasons_of, remarks_of
from xenconform.reports.page import heat, plots
from xenconform.reports.page.cards import Card, card_of, within
from xenconform.reports.page.commands import repeat
from xenconform.reports.page.harm import Harm, harm_of
from xenconform.reports.page.levels import Rung, is_partial, reached, rungs_of
from xenconform.reports.page.units import duration
from xenconform.reports.words import headline, plural, settings, totals

CARDS = 100
"""Causes that have a card; results.json has every finding."""
FIRST = 10
"""Clauses that are named under what to fix first."""
REASONS = 200
"""Reasons of one verdict that are told."""
TONES = {
    Overall.CONFORMANT: "good",
    Overall.NOTHING_FOUND: "good",
    Overall.NOT_CONFORMANT: "bad",
    Overall.INCOMPLETE: "odd",
    Overall.UNTESTED_PARTS: "warn",
}
TOLD = (
    (Verdict.ERROR, "Errors of the suite itself", "Never held against the server; the run has no verdict for them."),
    (Verdict.UNTESTED, "Untested", "Could not be exercised, for the reason given. Never counted as a pass."),
    (Verdict.WAIVED, "Waived", "Failed just as a waiver of the profile says it does."),
    (Verdict.UNSUPPORTED, "Not offered", "The server does not offer it, and no clause obliges it to."),
)


@dataclass(frozen=True, slots=True)
class Row:
    """How many parts of some clauses came out how, in the order of the verdicts, and their sum."""

    name: str
    clauses: int
    counts: tuple[int, ...]
    sum: int


@dataclass(frozen=True, slots=True)
class Told:
    """Parts that came out in one way, by reason; `more` are the reasons left out."""

    verdict: str
    title: str
    law: str
    parts: int
    reasons: tuple[Reason, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Times:
    """How long calls over a format took; `plot` shows it."""

    name: str
    calls: str
    median: str
    p95: str
    p99: str
    plot: Markup


@dataclass(frozen=True, slots=True)
class Page:
    """Everything on the page."""

    title: str
    tone: str
    only: bool
    verdict: str
    exit_code: int
    headline: str
    level: int
    level_name: str
    level_why: str
    levels: tuple[Rung, ...]
    settings: tuple[tuple[str, str], ...]
    started: str
    gaps: tuple[str, ...]
    partial: tuple[str, ...]
    columns: tuple[Verdict, ...]
    rows: tuple[Row, ...]
    all: Row
    told: tuple[Told, ...]
    causes: int
    findings: int
    deciding: int
    cards: tuple[Card, ...]
    first: tuple[tuple[Card, int], ...]
    more_first: int
    clauses: tuple[ClauseResult, ...]
    classes: tuple[heat.Line, ...]
    messages: heat.Messages
    times: tuple[Times, ...]
    course: Markup | None
    slowest: tuple[tuple[str, int, str, str], ...]
    harm: Harm
    repeat: str
    sparse: bool


def page_of(results: Results) -> Page:
    """Return what the page of a run says."""
    causes = causes_of(findings_of(results))
    cards = within(card_of(number, each, results) for number, each in _chosen(causes))
    api = heat.api_of(results.start.release)
    first = _first(cards, causes)
    level, why = reached(results)
    sums = totals(results)
    columns = tuple(each for each in Verdict if sums[each] or each in {Verdict.PASS, Verdict.FAIL, Verdict.UNTESTED})
    return Page(
        title=f"{results.verdict}: {results.start.target or 'a server'}",
        tone="warn" if is_partial(results) and not results.verdict.exit_code else TONES[results.verdict],
        only=is_partial(results),
        verdict=str(results.verdict),
        exit_code=results.verdict.exit_code,
        headline=headline(results),
        level=level,
        level_name=LEVELS.get(level, ""),
        level_why=why,
        levels=rungs_of(results),
        settings=tuple((name, text) for name, text in settings(results) if name != "level"),
        started=results.start.started.replace("T", " ").replace("+00:00", " UTC"),
        gaps=tuple(_gaps(results)),
        partial=tuple(_partial(results)),
        columns=columns,
        rows=tuple(_rows(results, columns)),
        all=Row("all levels", len(results.clauses), tuple(sums[each] for each in columns), sum(sums.values())),
        told=tuple(_told(results)),
        causes=len(causes),
        findings=sum(len(each.findings) for each in causes),
        deciding=sum(each.example.clause.required for each in causes),
        cards=cards,
        first=first[:FIRST],
        more_first=max(0, len(first) - FIRST),
        clauses=results.clauses,
        classes=heat.by_class(results, api),
        messages=heat.by_message(results, api, causes),
        times=tuple(_times(results)),
        course=plots.course(stretches) if len(stretches := results.traffic.stretches) > 1 else None,
        slowest=tuple(
            (duration(a), b, c, d) for a, b, c, d in sorted(results.traffic.slowest, key=lambda e: (-e[0], e[1]))
        ),
        harm=harm_of(results),
        repeat=repeat(results.start),
        sparse=results.start.kind == "fuzz",
    )


def _chosen(causes: Sequence[Cause]) -> list[tuple[int, Cause]]:
    """Return the causes that have a card, numbered, in their order: the first of each clause before any second one."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int]] = []
    for at, cause in enumerate(causes):
        name = cause.example.clause.id
        ranked.append((seen[name], at))
        seen[name] += 1
    kept = sorted(at for _, at in sorted(ranked)[:CARDS])
    return [(number, causes[at]) for number, at in enumerate(kept, 1)]


def _first(cards: Sequence[Card], causes: Sequence[Cause]) -> tuple[tuple[Card, int], ...]:
    """Return the most frequent cause of each clause, and how many more the clause has."""
    counted = Counter(each.example.clause.id for each in causes)
    firsts = {each.clause.id: each for each in reversed(cards)}
    return tuple((firsts[name], number - 1) for name, number in counted.items() if name in firsts)


def _gaps(results: Results) -> list[str]:
    """Return what was not tested, in a few lines for the first screen."""
    gaps = []
    required = [each for each in results.clauses if each.clause.required]
    untested = sum(each.counts[Verdict.UNTESTED] for each in required)
    of_none = [each.clause.id for each in required if not each.parts]
    optional = totals(results)[Verdict.UNTESTED] - untested - len(of_none)
    if of_none:
        gaps.append(f"{plural(len(of_none), 'required clause')} not run: {_few(of_none)}")
    if untested:
        gaps.append(f"{plural(untested, 'part')} of required clauses untested")
    if optional:
        gaps.append(f"{plural(optional, 'part')} of SHOULD clauses untested")
    waived = totals(results)[Verdict.WAIVED]
    if waived:
        gaps.append(f"{plural(waived, 'part')} waived by the profile")
    absent = totals(results)[Verdict.UNSUPPORTED]
    if absent:
        gaps.append(f"{plural(absent, 'part')} that the server does not offer and need not")
    return gaps


def _partial(results: Results) -> list[str]:
    """Return in what the run was of less than all."""
    start, told = results.start, []
    if start.kind == "fuzz":
        return ["what hostile input does not show: certify tells that"]
    outside = [name for name in catalogue() if name not in {each.clause.id for each in results.clauses}]
    if outside:
        told.append(f"{plural(len(outside), 'clause')} of {len(catalogue())} not in this run: {_few(outside)}")
    if start.classes:
        told.append(f"all classes but {', '.join(start.classes)}")
    missing = [name for name in ("xmlrpc", "jsonrpc1", "jsonrpc2") if name not in start.formats]
    if missing and start.formats:
        told.append(f"nothing over {', '.join(missing)}")
    return told


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 5 else ""
    return ", ".join(names[: 4 if more else 5]) + more


def _rows(results: Results, columns: tuple[Verdict, ...]) -> list[Row]:
    rows = []
    for level in sorted({each.clause.level for each in results.clauses}):
        group = [each for each in results.clauses if each.clause.level == level]
        counts = {verdict: sum(each.counts[verdict] for each in group) for verdict in Verdict}
        counts[Verdict.UNTESTED] += sum(not each.parts for each in group)
        name = f"{level} {LEVELS.get(level, 'unknown clauses')}"
        rows.append(Row(name, len(group), tuple(counts[each] for each in columns), sum(counts.values())))
    return rows


def _told(results: Results) -> list[Told]:
    told = []
    for verdict, title, law in TOLD:
        reasons = reasons_of(remarks_of(results, verdict))
        if reasons:
            parts = sum(each.parts for each in reasons)
            told.append(Told(str(verdict), title, law, parts, reasons[:REASONS], max(0, len(reasons) - REASONS)))
    return told


def _times(results: Results) -> list[Times]:
    times = []
    span = plots.span_of(results.traffic.times.values()) if results.traffic.times else (0, 1)
    for name, counts in sorted(results.traffic.times.items()):
        median, p95, p99 = (duration(quantile(counts, share)) for share in (0.5, 0.95, 0.99))
        told = f"{plural(sum(counts), 'call')}, half within {median}, 95 % within {p95}, 99 % within {p99}"
        times.append(Times(name, f"{sum(counts):,}", median, p95, p99, plots.histogram(name, counts, span, told)))
    return times
