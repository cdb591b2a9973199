"""All exchanges of a log, summed up in bounded memory: what was called how often, how long it took, what was made.

The law: only what a line holds by its form is counted, and a line is read without being decoded, for a log has
hundreds of thousands. Objects are followed by the model's constructors and destructors: one counts as left where the
log has a call that made it and none that ended it, though ending another object may have taken it along.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from heapq import heappush, heappushpop
from math import log2

from xenconform.models.api import Api

STEPS = 4
"""Buckets of time in which it doubles."""
BUCKETS = 26 * STEPS
"""From a microsecond to a minute."""
SLOWEST = 12
"""How many exchanges are kept for having been slowest."""
STRETCHES = 240
"""Into how many stretches, of as many exchanges each, a run is cut at most."""
OTHER = "(names of no message)"
"""What stands for all that was called and is no message of the API."""

_HEAD = re.compile(r'\{"event":"exchange","seq":([0-9]+),"message":(?:"([^"\\]*)"|.*?),"args":\[("OpaqueRef:[^"\\]*")?')
_BODY = re.compile(r'\],"format":"([a-z0-9]+)","status":([0-9]+),"elapsed":([-+.0-9e]+),"sent":')
_OUTCOME = '],"outcome":{"'
_MADE = re.compile(r'value":"(OpaqueRef:[^"\\]*)"\}')


@dataclass(slots=True)
class Tally:
    """Exchanges of one message over one format: how they were answered, the seconds in all and at most."""

    calls: int = 0
    done: int = 0
    refused: int = 0
    unread: int = 0
    seconds: float = 0.0
    longest: float = 0.0


@dataclass(slots=True)
class Stretch:
    """Some exchanges one after the other in the log: how many, the seconds in all and at most."""

    calls: int = 0
    seconds: float = 0.0
    longest: float = 0.0


@dataclass(slots=True)
class Traffic:
    """What all exchanges of a log come to.

    `times` has a histogram a format: calls by `bucket_of` their seconds. `slowest` are seconds, number, message and
    format. `made`, `ended` and `strangers` count objects by class: made here, ended that were made here, ended that
    were not. `alive` are the refs of what was made and not ended.
    """

    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    times: dict[str, list[int]] = field(default_factory=dict)
    slowest: list[tuple[float, int, str, str]] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    stretch: int = 64
    made: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    strangers: Counter[str] = field(default_factory=Counter)
    alive: dict[str, tuple[str, int]] = field(default_factory=dict)
    logins: int = 0
    logouts: int = 0
    unread: int = 0

    def note(self, line: str) -> None:
        """Count an exchange by its line in the log."""
        head = _HEAD.match(line)
        body = _BODY.search(line, head.end() - 1) if head else None
        if head is None or body is None:
            self.unread += 1
            return
        message, wire, elapsed = _known(head[2]), body[1], float(body[3])
        at = line.find(_OUTCOME, body.end()) + len(_OUTCOME)
        outcome = line[at : at + 1]
        self._count(message, wire, elapsed, outcome)
        self._time(int(head[1]), message, wire, elapsed)
        if outcome == "v":
            self._follow(message, head[3], line, at)

    def _count(self, message: str, wire: str, elapsed: float, outcome: str) -> None:
        tally = self.tallies.get((message, wire))
        if tally is None:
            tally = self.tallies[message, wire] = Tally()
        tally.calls += 1
        tally.seconds += elapsed
        tally.longest = max(tally.longest, elapsed)
        match outcome:
            case "v":
                tally.done += 1
            case "c":
                tally.refused += 1
            case _:
                tally.unread += 1

    def _time(self, seq: int, message: str, wire: str, elapsed: float) -> None:
        histogram = self.times.get(wire)
        if histogram is None:
            histogram = self.times[wire] = [0] * BUCKETS
        histogram[bucket_of(elapsed)] += 1
        if len(self.slowest) < SLOWEST:
            heappush(self.slowest, (elapsed, seq, message, wire))
        elif elapsed > self.slowest[0][0]:
            heappushpop(self.slowest, (elapsed, seq, message, wire))
        if not self.stretches or self.stretches[-1].calls >= self.stretch:
            self._open_stretch()
        last = self.stretches[-1]
        last.calls += 1
        last.seconds += elapsed
        last.longest = max(last.longest, elapsed)

    def _open_stretch(self) -> None:
        """Begin a stretch; where there are too many, two that follow each other become one first."""
        if len(self.stretches) >= STRETCHES:
            pairs = zip(self.stretches[::2], self.stretches[1::2], strict=True)
            self.stretches = [
                Stretch(a.calls + b.calls, a.seconds + b.seconds, max(a.longest, b.longest)) for a, b in pairs
            ]
            self.stretch *= 2
        self.stretches.append(Stretch())

    def _follow(self, message: str, first: str | None, line: str, at: int) -> None:
        """Note what a call that was carried out made or ended."""
        makers, enders = _lives()
        if message in makers and (found := _MADE.match(line, at)):
            cls = makers[message]
            self.made[cls] += 1
            before = self.alive.get(found[1], (cls, 0))
            self.alive[found[1]] = (cls, before[1] + 1)
        elif message in enders and first:
            cls, ref = enders[message], first.strip('"')
            _, number = self.alive.get(ref, (cls, 0))
            (self.ended if number else self.strangers)[cls] += 1
            if number > 1:
                self.alive[ref] = (cls, number - 1)
            elif number:
                del self.alive[ref]
        elif message == "session.login_with_password":
            self.logins += 1
        elif message == "session.logout":
            self.logouts += 1

    @property
    def left(self) -> Counter[str]:
        """How many objects of each class were made and not seen ended."""
        left: Counter[str] = Counter()
        for cls, number in self.alive.values():
            left[cls] += number
        return left


def bucket_of(seconds: float) -> int:
    """Return the bucket of a time; all beyond the last are in the last."""
    return min(BUCKETS - 1, int(STEPS * log2(seconds * 1e6))) if seconds > 1e-6 else 0


def begin_of(bucket: int) -> float:
    """Return the seconds at which a bucket begins."""
    return 1e-6 * float(2 ** (bucket / STEPS))


def end_of(bucket: int) -> float:
    """Return the seconds at which a bucket ends."""
    return begin_of(bucket + 1)


def quantile(histogram: list[int], share: float) -> float:
    """Return the seconds that this share of the calls took at most, to the end of its bucket; 0 where there are none.

    Args:
        histogram: calls by bucket.
        share: from 0 to 1.
    """
    wanted, seen = share * sum(histogram), 0
    for bucket, number in enumerate(histogram):
        seen += number
        if number and seen >= wanted:
            return end_of(bucket)
    return 0.0


def _known(name: str | None) -> str:
    """Return the name if it is a message's, called as a task or not."""
    return name if name and name.removeprefix("Async.") in _names() else OTHER


@cache
def _names() -> frozenset[str]:
    return frozenset(each.full_name for of in Api.load().classes.values() for each in of.messages.values())


@cache
def _lives() -> tuple[dict[str, str], dict[str, str]]:
    """Return the messages that make an object and those that end one, with its class."""
    classes = Api.load().classes
    makers = {made.message.full_name: name for name, of in classes.items() for made in of.constructors}
    enders = {f"{name}.{of.destructor}": name for name, of in classes.items() if of.destructor}
    return makers, enders
