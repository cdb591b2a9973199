"""A whole run, read back from its log.

A log is `run_start`, then `item`, `exchange`, `over`, `judgement` and `case` events as they happen, then `run_end`.
Every report is made from a log alone. A log without its end, or whose last line is cut, was stopped hard: it reads as
incomplete, never as done. Nothing here has effects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count
from types import MappingProxyType
from typing import Any, TypeAlias

from xenconform.models.events import Event, RunEnd, RunStart, SavedCase, decode_event, encode_event, event_of, load_line
from xenconform.models.exchange import Exchange
from xenconform.models.traffic import Traffic
from xenconform.models.verdicts import Judgement

__all__ = ["Event", "Run", "RunEnd", "RunStart", "SavedCase", "cited", "decode_event", "encode_event", "merge"]


@dataclass(frozen=True, slots=True)
class Run:
    """All of a log. `calls` counts its exchanges, kept or not; `cut` says that its last line was not whole.

    `traffic` sums up all its exchanges, kept or not, where the log was read so; equality leaves it out.
    """

    start: RunStart = field(default_factory=RunStart)
    exchanges: Mapping[int, Exchange] = field(default_factory=lambda: MappingProxyType({}))
    judgements: tuple[Judgement, ...] = ()
    end: RunEnd | None = None
    calls: int = 0
    cut: bool = False
    cases: Mapping[str, SavedCase] = field(default_factory=lambda: MappingProxyType({}))
    traffic: Traffic | None = field(default=None, compare=False, repr=False)

    @property
    def incomplete(self) -> bool:
        """Whether the log breaks off before the run was over."""
        return self.cut or self.end is None

    @classmethod
    def from_lines(
        cls, lines: Iterable[str], *, keep: Container[int] | None = None, traffic: Traffic | None = None
    ) -> Run:
        """Return the run of a log's lines.

        Args:
            lines: as `encode_event` wrote them, with or without line ends; the last may be cut.
            keep: the numbers of the exchanges to hold, all by default. A report needs only those that `cited`
                names, which keeps a long log out of memory.
            traffic: where all exchanges are summed up, kept or not.

        Raises:
            ValueError: a line before the last is no event; the message has its number.
        """
        start, end, cut, calls = RunStart(), None, False, 0
        exchanges: dict[int, Exchange] = {}
        judgements: list[Judgement] = []
        cases: dict[str, SavedCase] = {}
        for line, data in _entries(lines, keep):
            is_exchange = isinstance(data, int) or (data is not None and data["event"] == "exchange")
            calls += is_exchange
            if is_exchange and traffic is not None:
                traffic.note(line)
            cut = cut or data is None
            match data if data is None or isinstance(data, int) else event_of(data):
                case Exchange() as each if keep is None or each.seq in keep:
                    exchanges[each.seq] = each
                case Judgement() as each:
                    judgements.append(each)
                case SavedCase() as each:
                    cases[each.name] = each
                case RunStart() as each:
                    start = each
                case RunEnd() as each:
                    end = each
                case _:
                    pass
        return cls(
            start, MappingProxyType(exchanges), tuple(judgements), end, calls, cut, MappingProxyType(cases), traffic
        )

    def summed(self) -> Traffic:
        """Return what its exchanges come to: all of the log's where it was read so, else those that are held."""
        if self.traffic is not None:
            return self.traffic
        traffic = Traffic()
        for each in self.exchanges.values():
            traffic.note(encode_event(each))
        return traffic

    def lines(self) -> Iterator[str]:
        """Yield a log of this run: what `from_lines` reads back as an equal run."""
        yield encode_event(self.start)
        yield from map(encode_event, self.exchanges.values())
        yield from map(encode_event, self.judgements)
        yield from map(encode_event, self.cases.values())
        if self.end is not None:
            yield encode_event(self.end)


_EXCHANGE = re.compile(r'\{"event":"exchange","seq":([0-9]+)')
"""How the line of an exchange begins: its number can be read, and written anew, without decoding the rest."""


Entry: TypeAlias = dict[str, Any] | int | None
"""What a line holds: its object, the number alone of an exchange that is not kept, None where it is cut."""


def _entries(lines: Iterable[str], keep: Container[int] | None = ()) -> Iterator[tuple[str, Entry]]:
    """Yield each line with what it holds.

    An exchange that is not to be kept is not decoded: that would be most of the time that a long log takes. A line
    that another follows was written whole; only the last may be cut, so that is always decoded.
    """
    broken: tuple[int, ValueError] | None = None
    for number, (line, is_last) in enumerate(_marked(line.strip() for line in lines), 1):
        if not line:
            continue
        if broken:
            raise ValueError(f"line {broken[0]} of the log is no event: {broken[1]}")
        if keep is not None and not is_last and line.endswith("}") and (found := _EXCHANGE.match(line)):
            seq = int(found[1])
            if seq not in keep:
                yield line, seq
                continue
        try:
            yield line, load_line(line)
        except ValueError as fault:
            broken = (number, fault)
    if broken:
        yield "", None


def _marked(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield each line and whether it is the last."""
    before: str | None = None
    for line in lines:
        if before is not None:
            yield before, False
        before = line
    if before is not None:
        yield before, True


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


def merge(logs: Iterable[Iterable[str]], *, interrupted: bool = False) -> Iterator[str]:
    """Yield one log made of several workers' logs, its lines without line ends, a line at a time.

    Exchanges are numbered anew from 1 in the order of the logs, whatever numbers the workers gave, and judgements
    name them by the new numbers. A log's start is its first line. The first start is kept, with the formats and
    clauses of the others added. The end adds up the calls and takes the longest time; it is left out, which makes the
    whole incomplete, where a log is cut or has a start and no end. `interrupted` says that who led the workers was
    stopped: each of them may have come to an end of its own before all was done.
    """
    opened = [_opened(log) for log in logs]
    starts = [start for start, _ in opened if start is not None]
    if starts:
        yield encode_event(_merged_start(starts))
    ends: list[RunEnd] = []
    numbers, whole = count(1), True
    for _, log in opened:
        known: dict[int, int] = {}
        for line, data in _entries(log):
            if data is None:
                whole = False
            elif isinstance(data, int):
                yield _EXCHANGE.sub(f'{{"event":"exchange","seq":{_number(data, known, numbers)}', line, count=1)
            elif data["event"] in {"exchange", "judgement"}:
                yield json.dumps(_renumbered(data, known, numbers), separators=(",", ":"))
            elif data["event"] in {"case", "item", "over"}:
                yield line
            elif isinstance(event := event_of(data), RunEnd):
                ends.append(event)
    if whole and ends and len(ends) >= len(starts):
        yield encode_event(_merged_end(ends, interrupted=interrupted))


def _opened(log: Iterable[str]) -> tuple[RunStart | None, Iterator[str]]:
    """Return the start that a log's first line is, None where it is none, and the lines that are left to read."""
    lines = iter(log)
    first = next(lines, "")
    try:
        event = decode_event(first)
    except ValueError:  # cut within its first line: left to be found so by who reads the lines
        event = None
    if isinstance(event, RunStart):
        return event, lines
    return None, chain([first], lines)


def _number(seq: int, known: dict[int, int], numbers: Iterator[int]) -> int:
    """Return the number that a worker's number stands for, the next one where it is not known yet."""
    if seq not in known:
        known[seq] = next(numbers)
    return known[seq]


def _renumbered(data: dict[str, Any], known: dict[int, int], numbers: Iterator[int]) -> dict[str, Any]:
    """Give an exchange, and every mention of it, the number that its worker's number stands for."""
    if "seq" in data:
        return data | {"seq": _number(data["seq"], known, numbers)}
    return data | {"exchanges": [_number(seq, known, numbers) for seq in data["exchanges"]]}


def _merged_start(starts: list[RunStart]) -> RunStart:
    return replace(
        starts[0],
        formats=tuple(dict.fromkeys(name for each in starts for name in each.formats)),
        clauses=tuple(dict.fromkeys(name for each in starts for name in each.clauses)),
    )


def _merged_end(ends: list[RunEnd], *, interrupted: bool) -> RunEnd:
    return RunEnd(
        calls=sum(each.calls for each in ends),
        seconds=max(each.seconds for each in ends),
        interrupted=interrupted or any(each.interrupted for each in ends),
        error="; ".join(dict.fromkeys(each.error for each in ends if each.error)),
        judgements=None if None in (told := [each.judgements for each in ends]) else sum(filter(None, told)),
        left=_left(ends),
        marks=None if None in (marks := [each.marks for each in ends]) else sum(filter(None, marks)),
    )


def _left(ends: list[RunEnd]) -> tuple[str, ...] | None:
    """Return what all workers left behind, None where one of them does not say."""
    told = [each.left for each in ends if each.left is not None]
    return tuple(chain.from_iterable(told)) if len(told) == len(ends) else None
