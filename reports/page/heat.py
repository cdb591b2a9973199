"""The heat maps as rows of cells: class × clause by verdict, message × format by how often it was called."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import log10

from xenconform.models.api import Api
from xenconform.models.results import Part, Results
from xenconform.models.traffic import OTHER, Tally
from xenconform.models.verdicts import Verdict
from xenconform.reports.causes import Cause
from xenconform.reports.page.units import duration

SERVER = "server"
"""The row of what is judged of no single class."""
TASK = "as a task"
"""The column of what was called as `Async.…`, over any format."""
SHADES = 5
GLYPHS: Mapping[str, tuple[str, str]] = {
    "fail": ("✗", "a part failed"),
    "error": ("!", "an error of the suite itself"),
    "waived": ("w", "a part failed as a waiver says"),
    "some": ("◐", "parts passed, others are untested"),
    "open": ("?", "nothing could be tested"),
    "pass": ("✓", "all that was tried passed"),
    "none": ("–", "not offered by the server, and no duty"),
}
"""Kind of cell to its sign and what that means, for the legend too."""
_CLASS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its kind, the sign that it shows, and what it says in words."""

    kind: str
    sign: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a map."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The messages of a class: how many of how many were called, how often, how many findings show on them."""

    name: str
    lines: tuple[Line, ...]
    called: int
    calls: int
    findings: int


@dataclass(frozen=True, slots=True)
class Messages:
    """The map of messages × formats: its columns, its groups, and how many messages were called of how many."""

    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    called: int
    known: int


def api_of(release: str) -> Api:
    """Return the model as of a run's release; the newest where this version does not know that one."""
    try:
        return Api.load().at(release)
    except ValueError:
        return Api.load()


def class_of(element: str, known: Iterable[str]) -> str:
    """Return the class that an element is of: `VM` of `VM.name_label`, `server` where it is of none."""
    found = _CLASS.match(element)
    return found[0] if found and found[0] in known else SERVER


def by_class(results: Results, api: Api) -> tuple[Line, ...]:
    """Return a row a class that anything was judged of, with a cell for each clause of the run."""
    counts: dict[str, dict[str, Counter[Verdict]]] = defaultdict(lambda: defaultdict(Counter))
    for each in results.clauses:
        for part in each.parts:
            counts[_row_of(part, api)][part.clause.id][part.verdict] += 1
    order = [SERVER, *api.classes]
    names = sorted(counts, key=order.index)
    return tuple(
        Line(name, tuple(_judged(name, each.clause.id, counts[name].get(each.clause.id)) for each in results.clauses))
        for name in names
    )


def _row_of(part: Part, api: Api) -> str:
    return class_of(part.element, api.classes)


def _judged(name: str, clause: str, counts: Counter[Verdict] | None) -> Cell:
    if not counts:
        return Cell("")
    told = ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in Verdict if counts[verdict])
    kind = _kind(counts)
    return Cell(kind, GLYPHS[kind][0], f"{name} × {clause}: {told}")


def _kind(counts: Counter[Verdict]) -> str:
    """Return the kind of a cell; what weighs most comes first."""
    for verdict, kind in ((Verdict.FAIL, "fail"), (Verdict.ERROR, "error"), (Verdict.WAIVED, "waived")):
        if counts[verdict]:
            return kind
    if counts[Verdict.UNTESTED]:
        return "some" if counts[Verdict.PASS] else "open"
    return "pass" if counts[Verdict.PASS] else "none"


def by_message(results: Results, api: Api, causes: Sequence[Cause]) -> Messages:
    """Return a group a class, a row a message of the release, a cell a format, and one for calls as a task."""
    tallies = results.traffic.tallies
    formats = tuple(name for name in ("xmlrpc", "jsonrpc1", "jsonrpc2") if name in {wire for _, wire in tallies})
    shown = _shown(results, causes)
    groups = [
        _group(name, [each.full_name for each in of.messages.values()], formats, tallies, shown)
        for name, of in api.classes.items()
    ]
    named = {each.full_name for of in api.classes.values() for each in of.messages.values()}
    others = sorted({name for name, _ in tallies if name.removeprefix("Async.") not in named})
    if others:
        groups.append(_group(OTHER, others, formats, tallies, shown))
    called = sum(group.called for group in groups if group.name != OTHER)
    return Messages((*formats, TASK), tuple(group for group in groups if group.lines), called, len(named))


def _shown(results: Results, causes: Sequence[Cause]) -> Counter[tuple[str, str]]:
    """Return how many findings each message × format shows by the exchange that tells it."""
    found: Counter[tuple[str, str]] = Counter()
    for finding in (finding for cause in causes for finding in cause.findings):
        telling = results.exchanges.get(finding.exchanges[-1]) if finding.exchanges else None
        if telling is not None:
            name = telling.message.removeprefix("Async.")
            found[name, str(telling.format) if name == telling.message else TASK] += 1
    return found


def _group(
    name: str,
    messages: list[str],
    formats: tuple[str, ...],
    tallies: Mapping[tuple[str, str], Tally],
    shown: Counter[tuple[str, str]],
) -> Group:
    lines: list[Line] = []
    calls = called = 0
    for message in messages:
        apart = [tallies.get((message, wire), Tally()) for wire in formats]
        task = reduce(_added, (tallies.get((f"Async.{message}", wire), Tally()) for wire in formats), Tally())
        counts = [*apart, task]
        columns = (*formats, TASK)
        lines.append(
            Line(message, tuple(_heard(each, shown[message, at]) for at, each in zip(columns, counts, strict=True)))
        )
        calls += sum(each.calls for each in counts)
        called += any(each.calls for each in counts)
    findings = sum(shown[message, at] for message in messages for at in (*formats, TASK))
    return Group(name, tuple(lines), called, calls, findings)


def _added(one: Tally, other: Tally) -> Tally:
    return Tally(
        one.calls + other.calls,
        one.done + other.done,
        one.refused + other.refused,
        one.unread + other.unread,
        one.seconds + other.seconds,
        max(one.longest, other.longest),
    )


def _heard(tally: Tally, findings: int) -> Cell:
    if not tally.calls:
        return Cell("", "·" if not findings else "✗", "")
    told = f"{tally.done:,} done, {tally.refused:,} refused"
    told += f", {tally.unread:,} unreadable" if tally.unread else ""
    told += f"; {duration(tally.seconds / tally.calls)} each, {duration(tally.longest)} at most"
    if findings:
        return Cell("fail", f"✗ {tally.calls:,}", f"{findings:,} findings; {told}")
    return Cell(f"h{min(SHADES, 1 + int(log10(tally.calls)))}", f"{tally.calls:,}", told)
