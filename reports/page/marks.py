"""A raw body as pieces to be shown: text, the bytes that a finding is about, and what is left out.

The law: a reply is marked where its decoder says that the bytes break a rule; where it says nothing, at the error code
or the values that the finding's words name and that were not expected. Nothing is marked by guess beyond that.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from xenconform.models.calls import Breach, Failure
from xenconform.models.exchange import Exchange
from xenconform.reports.causes import Finding
from xenconform.reports.words import printable

SHOWN = 2_400
"""Bytes of a body that are shown."""
AROUND = 1_200
"""Bytes shown around a mark that lies further behind."""
MARKS = 20
"""How many marks a body gets at most."""
_TOKEN = re.compile(rb"<[^>]{0,200}>[^<]{0,80}|\"(?:[^\"\\]|\\.){0,200}\"|[^\s<,\]}\"]{1,200}|.", re.DOTALL)
_NAMED = re.compile(
    r"'((?:[^'\\]|\\.)+)'|\"((?:[^\"\\]|\\.)+)\"|\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b|(?<![\w.])(-?\d[\d.]+\d)(?![\w.])"
)
_SHORT = 3
"""Letters below which a value counts only where it is all there is between two tags or quotes."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a body: kind is "" for text, "mark" for what the finding is about, "cut" for a note of what is out."""

    text: str
    kind: str = ""


def marks_of(exchange: Exchange, finding: Finding) -> tuple[tuple[int, int], ...]:
    """Return the stretches of the reply's bytes that a finding is about, in their order, none within another."""
    body, outcome = exchange.received, exchange.reply.outcome
    offsets = [flaw.offset for flaw in exchange.reply.flaws if flaw.offset >= 0]
    if isinstance(outcome, Breach) and outcome.offset >= 0:
        offsets.append(outcome.offset)
    found = {_token(body, at) for at in offsets if at < len(body)}
    if not found:
        named = [outcome.code] if isinstance(outcome, Failure) and outcome.code not in finding.expected else []
        found = set(_places(body, named or _named(finding)))
    return _apart(sorted(found)[:MARKS])


def _token(body: bytes, at: int) -> tuple[int, int]:
    """Return the stretch of what begins at a byte: a tag with its text, a string, a word; of an end tag all of it."""
    start = at - 2 if body[max(0, at - 2) : at] == b"</" else at
    found = _TOKEN.match(body, start)
    return start, found.end() if found else at + 1


def _named(finding: Finding) -> list[str]:
    """Return the codes and quoted values of what came that were not expected, the longest first."""
    words = {next(filter(None, each)) for each in _NAMED.findall(finding.actual)}
    return sorted((word for word in words if word not in finding.expected), key=lambda word: (-len(word), word))


def _places(body: bytes, words: list[str]) -> Iterator[tuple[int, int]]:
    for word in words:
        spellings = {word, html.escape(word, quote=False), json.dumps(word)[1:-1]}
        for spelling in sorted(each.encode("utf-8", "surrogatepass") for each in spellings):
            at = body.find(spelling)
            while at >= 0:
                end = at + len(spelling)
                if _stands_alone(body[max(0, at - 1) : at], body[end : end + 1], len(spelling) < _SHORT):
                    yield at, end
                at = body.find(spelling, end)


def _stands_alone(before: bytes, after: bytes, is_short: bool) -> bool:
    """Whether what lies between two bytes is a value of its own and no piece of a word."""
    if is_short:
        return before in {b">", b'"'} and after in {b"<", b'"'}
    return not (before.isalnum() or before == b"_" or after.isalnum() or after == b"_")


def _apart(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return tuple(kept)


def pieces_of(body: bytes, marks: tuple[tuple[int, int], ...] = ()) -> tuple[Piece, ...]:
    """Return a body as pieces: its beginning, and where the first mark lies further behind, what is around that."""
    first = marks[0][0] if marks else 0
    windows = [(0, SHOWN)]
    if first >= SHOWN - AROUND // 2:
        windows = [(0, SHOWN - AROUND), (max(SHOWN - AROUND, first - AROUND // 2), first + AROUND)]
    pieces: list[Piece] = []
    shown = 0
    for start, end in windows:
        stop = min(len(body), end)
        if start > shown:
            pieces.append(Piece(f"… {start - shown:,} bytes left out …", "cut"))
        pieces += _window(body, start, stop, marks)
        shown = stop
    if shown < len(body):
        pieces.append(Piece(f"… {len(body) - shown:,} more bytes of {len(body):,} in all", "cut"))
    return tuple(pieces)


def _window(body: bytes, start: int, stop: int, marks: tuple[tuple[int, int], ...]) -> Iterator[Piece]:
    at = start
    for begin, end in marks:
        begin, end = max(begin, at), min(end, stop)  # noqa: PLW2901 - a mark as far as it can be seen here
        if begin < end:
            if at < begin:
                yield Piece(_text(body[at:begin]))
            yield Piece(_text(body[begin:end]), "mark")
            at = end
    if at < stop:
        yield Piece(_text(body[at:stop]))


def _text(data: bytes) -> str:
    return printable(data.decode(errors="backslashreplace").replace("\r\n", "\n"))
