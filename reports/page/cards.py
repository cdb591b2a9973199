"""A finding's card: where it was seen, what shows it, byte by byte, and what can be copied to see it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from markupsafe import escape

from xenconform.models import cases, rawcases
from xenconform.models.calls import Breach
from xenconform.models.clauses import Clause
from xenconform.models.exchange import Exchange
from xenconform.models.results import Results
from xenconform.reports.causes import Cause
from xenconform.reports.page.commands import curl_of, script_of
from xenconform.reports.page.marks import Piece, marks_of, pieces_of
from xenconform.reports.page.units import duration

ELEMENTS = 60
"""Elements that a card names."""
STEPS = 40
"""Steps of a case that a card shows."""
COPIED = 900_000
"""Letters that all scripts and shell lines of a page have together at most, as they stand in it."""
TEXT = 1_500
"""Letters of what was expected and what came."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An exchange as it is shown. `marked` says why bytes of the reply are marked, "" where none are."""

    seq: int
    message: str
    format: str
    status: int
    elapsed: str
    request: tuple[Piece, ...]
    reply: tuple[Piece, ...]
    marked: str
    flaws: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A cause as it is shown. `script` and `curl` are "" where there is nothing to copy, `before` are exchanges."""

    id: str
    number: int
    clause: Clause
    count: int
    elements: tuple[str, ...]
    more: int
    formats: tuple[str, ...]
    example: str
    expected: str
    actual: str
    since: str
    exchange: Shown | None
    before: tuple[int, ...]
    case: str
    case_of: str
    steps: tuple[str, ...]
    script: str
    curl: str


def card_of(number: int, cause: Cause, results: Results) -> Card:
    """Return the card of a cause."""
    example = cause.example
    telling = results.exchanges.get(example.exchanges[-1]) if example.exchanges else None
    target = results.start.target
    saved = next((each for each in cause.findings if each.case in results.cases), example)
    files = results.cases[saved.case].files if saved.case in results.cases else {}
    raw = rawcases.is_raw(files.get(".json", ""))
    curl = "" if raw else files.get(".sh", "")
    return Card(
        id=f"finding-{number}",
        number=number,
        clause=example.clause,
        count=len(cause.findings),
        elements=cause.elements[:ELEMENTS],
        more=max(0, len(cause.elements) - ELEMENTS),
        formats=cause.formats,
        example=example.label,
        expected=_short(example.expected),
        actual=_short(example.actual),
        since=f"call {example.calls:,}, {duration(example.seconds)} into the run" if example.calls else "",
        exchange=_shown(telling, cause) if telling is not None else None,
        before=example.exchanges[:-1],
        case=saved.case,
        case_of=saved.label,
        steps=tuple(_steps(files.get(".json", ""), raw=raw)),
        script=copyable(files.get(".py", "") or (script_of(telling, target) if telling else "")),
        curl=copyable(curl or (curl_of(telling, target) if telling else "")),
    )


def within(cards: Iterable[Card]) -> tuple[Card, ...]:
    """Return the cards with as many scripts and shell lines as a page may hold; those that are saved are in `cases`."""
    kept: list[Card] = []
    room = COPIED
    for card in cards:
        size = sum(len(escape(text)) for text in (card.script, card.curl))
        fits = size <= room
        room -= size if fits else 0
        kept.append(card if fits else replace(card, script="", curl=""))
    return tuple(kept)


def copyable(text: str) -> str:
    """Return a text that a page can give back as it is, "" where it has characters that no page carries."""
    return text if all(char.isprintable() or char in "\n\t" for char in text) else ""


def _short(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[:TEXT]} … [{len(text):,} letters in all, see results.json]"


def _shown(exchange: Exchange, cause: Cause) -> Shown:
    marks = marks_of(exchange, cause.example)
    flaws = exchange.reply.flaws
    by_decoder = bool(flaws) or isinstance(exchange.reply.outcome, Breach)
    return Shown(
        exchange.seq,
        exchange.message,
        str(exchange.format),
        exchange.status,
        duration(exchange.elapsed),
        pieces_of(exchange.sent),
        pieces_of(exchange.received, marks),
        ("where the bytes break the rule" if by_decoder else "what the finding names") if marks else "",
        tuple(dict.fromkeys(f"{each.kind}: {each.detail} {each.where}".strip() for each in flaws))[:5],
    )


def _steps(text: str, *, raw: bool) -> Iterator[str]:
    """Yield the steps of a case, a line each, or the pieces of a raw one."""
    if not text:
        return
    try:
        if raw:
            yield from (piece[:400] for piece in rawcases.from_json(text).pieces[:STEPS])
            return
        case = cases.from_json(text)
    except ValueError:
        return
    for step in case.steps[:STEPS]:
        made = f"{step.makes} = " if step.makes is not None else ""
        beside = f" in thread {step.thread}" if step.thread else ""
        session = f", session {step.session}" if step.session else ""
        wanted = f" — must be: {step.expect}" if step.expect is not None else ""
        args = ", ".join(cases.shown(each) for each in step.call.args)
        yield f"{made}{step.call.message}({args}) over {step.format}{session}{beside}{wanted}"
    if len(case.steps) > STEPS:
        yield f"… {len(case.steps) - STEPS} more"
