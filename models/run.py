"""A whole run, read back from its log.

A log is `run_start`, then `exchange` and `judgement` events as they happen, then `run_end`. Every report is made from
a log alone. A log without its end, or whose last line is cut, was stopped hard: it reads as incomplete, never as
done. Nothing here has effects.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from types import MappingProxyType
from typing import Any

from xenconform.models.events import Event, RunEnd, RunStart, decode_event, encode_event, event_of, load_line
from xenconform.models.exchange import Exchange
from xenconform.models.verdicts import Judgement

__all__ = ["Event", "Run", "RunEnd", "RunStart", "cited", "decode_event", "encode_event", "merge"]


@dataclass(frozen=True, slots=True)
class Run:
    """All of a log. `calls` counts its exchanges, kept or not; `cut` says that its last line was not whole."""

    start: RunStart = field(default_factory=RunStart)
    exchanges: Mapping[int, Exchange] = field(default_factory=lambda: MappingProxyType({}))
    judgements: tuple[Judgement, ...] = ()
    end: RunEnd | None = None
    calls: int = 0
    cut: bool = False

    @property
    def incomplete(self) -> bool:
        """Whether the log breaks off before the run was over."""
        return self.cut or self.end is None

    @classmethod
    def from_lines(cls, lines: Iterable[str], *, keep: Container[int] | None = None) -> Run:
        """Return the run of a log's lines.

        Args:
            lines: as `encode_event` wrote them, with or without line ends; the last may be cut.
            keep: the numbers of the exchanges to hold, all by default. A report needs only those that `cited`
                names, which keeps a long log out of memory.

        Raises:
            ValueError: a line before the last is no event; the message has its number.
        """
        start, end, cut, calls = RunStart(), None, False, 0
        exchanges: dict[int, Exchange] = {}
        judgements: list[Judgement] = []
        for data in _events(lines):
            match data if data is None else _keep_event(data, keep):
                case Exchange() as each:
                    exchanges[each.seq] = each
                    calls += 1
                case Judgement() as each:
                    judgements.append(each)
                case RunStart() as each:
                    start = each
                case RunEnd() as each:
                    end = each
                case None:
                    cut, calls = cut or data is None, calls + (data is not None)
        return cls(start, MappingProxyType(exchanges), tuple(judgements), end, calls, cut)

    def lines(self) -> Iterator[str]:
        """Yield a log of this run: what `from_lines` reads back as an equal run."""
        yield encode_event(self.start)
        yield from map(encode_event, self.exchanges.values())
        yield from map(encode_event, self.judgements)
        if self.end is not None:
            yield encode_event(self.end)


def _keep_event(data: dict[str, Any], keep: Container[int] | None) -> Event | None:
    """Return the event, or None for an exchange that is only to be counted."""
    if keep is not None and data.get("event") == "exchange" and data["seq"] not in keep:
        return None
    return event_of(data)


def _events(lines: Iterable[str]) -> Iterator[dict[str, Any] | None]:
    """Yield each line's object; None for a last line that is cut."""
    broken: tuple[int, ValueError] | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if broken:
            raise ValueError(f"line {broken[0]} of the log is no event: {broken[1]}")
        try:
            yield load_line(line)
        except ValueError as fault:
            broken = (number, fault)
    if broken:
        yield None


def cited(lines: Iterable[str]) -> frozenset[int]:
    """Return the numbers of the exchanges that the judgements of a log name."""
    return frozenset(
        seq
        for line in lines
        if line.startswith('{"event":"judgement"') and '"exchanges":[]' not in line
        for seq in _cited_by(line)
    )


def _cited_by(line: str) -> list[int]:
    try:
        return list(json.loads(line)["exchanges"])
    except (ValueError, KeyError):
        return []


def merge(logs: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield one log made of several workers' logs, its lines without line ends.

    Exchanges are numbered anew from 1 in the order of the logs, whatever numbers the workers gave, and judgements
    name them by the new numbers. The first start is kept, with the formats and clauses of the others added. The end
    adds up the calls and takes the longest time; it is left out, which makes the whole incomplete, where a log is cut
    or has a start and no end.
    """
    starts: list[RunStart] = []
    ends: list[RunEnd] = []
    body: list[str] = []
    numbers, whole = count(1), True
    for log in logs:
        known: dict[int, int] = {}
        for data in _events(log):
            if data is None:
                whole = False
            elif data["event"] in {"exchange", "judgement"}:
                body.append(json.dumps(_renumbered(data, known, numbers), separators=(",", ":")))
            else:
                event = event_of(data)
                starts += [event] if isinstance(event, RunStart) else []
                ends += [event] if isinstance(event, RunEnd) else []
    if starts:
        yield encode_event(_merged_start(starts))
    yield from body
    if whole and ends and len(ends) >= len(starts):
        yield encode_event(_merged_end(ends))


def _renumbered(data: dict[str, Any], known: dict[int, int], numbers: Iterator[int]) -> dict[str, Any]:
    """Give an exchange, and every mention of it, the number that its worker's number stands for."""

    def new(seq: int) -> int:
        if seq not in known:
            known[seq] = next(numbers)
        return known[seq]

    if "seq" in data:
        return data | {"seq": new(data["seq"])}
    return data | {"exchanges": [new(seq) for seq in data["exchanges"]]}


def _merged_start(starts: list[RunStart]) -> RunStart:
    return replace(
        starts[0],
        formats=tuple(dict.fromkeys(name for each in starts for name in each.formats)),
        clauses=tuple(dict.fromkeys(name for each in starts for name in each.clauses)),
    )


def _merged_end(ends: list[RunEnd]) -> RunEnd:
    return RunEnd(
        calls=sum(each.calls for each in ends),
        seconds=max(each.seconds for each in ends),
        interrupted=any(each.interrupted for each in ends),
        error="; ".join(dict.fromkeys(each.error for each in ends if each.error)),
    )
