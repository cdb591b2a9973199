"""A log as a tape to play: whole, of this version or one before, cut into the items that its checks were.

A tape is read twice: once to see that it can be played, once item by item, so that no more than one item is held.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from xenconform import __version__
from xenconform.models.events import Event, Item, RunEnd, RunStart, SavedCase, TimeOver, decode_event
from xenconform.models.exchange import Exchange
from xenconform.models.verdicts import Judgement

FIX = "give the run.jsonl of xenconform certify, or its folder"
_EXCHANGE, _ITEM, _JUDGEMENT = (f'{{"event":"{name}"'.encode() for name in ("exchange", "item", "judgement"))
_HIDDEN_SESSION = re.compile(rb"SESSION-([0-9]+)")


class TapeError(ValueError):
    """A log that cannot be judged again; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Tape:
    """A log that can be played: its file, the SHA-256 of its bytes in hexadecimal, its start and its end.

    `length` is how many items it has.
    """

    path: Path
    sha256: str
    start: RunStart
    end: RunEnd
    length: int

    def items(self) -> Iterator[Reel]:
        """Yield the items in the order of the log, each with all that was told in it."""
        reel: Reel | None = None
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.startswith(_ITEM):
                    if reel is not None:
                        yield reel
                    reel = Reel(_that(Item, line, number))
                elif reel is not None and number > 1:
                    reel.take(line, number)
        if reel is not None:
            yield reel


@dataclass(slots=True)
class Reel:
    """What a log has of one item: the lines of exchanges, and judgements and cases, in their order."""

    item: Item
    told: list[bytes | Judgement | SavedCase | TimeOver] = field(default_factory=list)
    sessions: int = 0
    """The highest number of a session that is hidden in it."""

    def take(self, line: bytes, number: int) -> None:
        """Add a line of the log.

        Raises:
            TapeError: it is none of this log format.
        """
        if line.startswith(_EXCHANGE):
            self.told.append(line.rstrip(b"\n"))
            self.sessions = max([self.sessions, *map(int, _HIDDEN_SESSION.findall(line))])
            return
        event = _event_of(line, number)
        if isinstance(event, Judgement | SavedCase | TimeOver):
            self.told.append(event)


def open_tape(path: Path) -> Tape:
    """Return a log as a tape.

    Raises:
        TapeError: it is cut, of a newer version, of a run that cannot be played, or no log at all.
        OSError: it cannot be read.
    """
    digest, items = hashlib.sha256(), 0
    counts = {_EXCHANGE: 0, _JUDGEMENT: 0}
    first = last = b""
    number = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):  # noqa: B007 - the number of the last line is told
            digest.update(line)
            first, last = first or line, line
            items += line.startswith(_ITEM)
            for kind in counts:
                counts[kind] += line.startswith(kind)
    if not first:
        raise TapeError(f"the log is empty; {FIX}")
    start = _start_of(first)
    if not items:
        raise TapeError(
            f"the log, made by version {start.version}, does not tell which check asked what, as those of its time; "
            "run certify again"
        )
    end = _end_of(last, number)
    if (counts[_EXCHANGE], counts[_JUDGEMENT]) != (end.calls, end.judgements):
        raise TapeError(
            f"the run's end tells {end.calls} calls and {end.judgements} judgements, and the log has "
            f"{counts[_EXCHANGE]} and {counts[_JUDGEMENT]}: lines are missing; give the log as the run wrote it"
        )
    return Tape(path, digest.hexdigest(), start, end, items)


def _start_of(line: bytes) -> RunStart:
    try:
        data = json.loads(line)
        version = str(data["version"]) if data["event"] == "run_start" else None
    except (ValueError, KeyError, TypeError):
        version = None
    if version is None:
        raise TapeError(f"no log of a run, for it has no start; {FIX}")
    if _numbers(version) > _numbers(__version__):
        raise TapeError(
            f"the log was made by version {version}, which is newer than this, {__version__}; judge it with that one"
        )
    start = _that(RunStart, line, 1)
    if start.kind != "certify":
        raise TapeError(
            f"a run of xenconform {start.kind} keeps few of its exchanges and cannot be judged again; {FIX}"
        )
    return start


def _end_of(line: bytes, number: int) -> RunEnd:
    try:
        if line.endswith(b"\n"):
            return _that(RunEnd, line, number)
    except TapeError:
        pass
    raise TapeError(f"the log breaks off at line {number}, before the run's end; what is not there cannot be judged")


_E = TypeVar("_E", RunStart, RunEnd, Item)


def _that(kind: type[_E], line: bytes, number: int) -> _E:
    event = _event_of(line, number)
    if not isinstance(event, kind):
        raise TapeError(f"line {number} is a {type(event).__name__}, where a {kind.__name__} was to be; {FIX}")
    return event


def _event_of(line: bytes, number: int) -> Event:
    try:
        return decode_event(line.decode("ascii"))
    except (ValueError, RecursionError) as why:
        raise TapeError(f"line {number} is no event of a log: {why}; give the log as the run wrote it") from None


def exchange_of(line: bytes) -> Exchange:
    """Return the exchange of a line of a reel.

    Raises:
        TapeError: the line is none.
    """
    event = decode_event(line.decode("ascii"))
    if not isinstance(event, Exchange):
        raise TapeError(f"no exchange: {line[:80]!r}")
    return event


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"[0-9]+", version.partition("+")[0])[:3])
