"""Many messages judged as one part: a class × format, or a class × role, in place of a part for every message.

    with Tally(bench, "WIRE-ARITY", "VM", fmt) as tally:
        tally.fine()
        tally.finding(message, "VM.start with too few parameters fails", exchange)
        tally.skip(message, "names no object")

Leaving it records PASS on the class where something was asserted and nothing found. A finding is a part of its own,
named by its message. What was not called, and what the server does not offer, are parts of their own too, one for
all such messages of the class: a message that was not called must not hide behind those that were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self
from zlib import crc32

from xenconform.conformance.checks.judging import describe
from xenconform.models.api import Message
from xenconform.models.calls import Format
from xenconform.models.exchange import Exchange
from xenconform.models.verdicts import Judgement, Verdict

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench

LISTED = 10
"""How many messages are named where many are told of; the others are counted."""
SHARE = 3
"""In the quick budget one message in so many is called."""


@dataclass(slots=True)
class Tally:
    """Collects what is asserted of the messages of one element; see the module."""

    bench: Bench
    clause: str
    element: str
    fmt: Format | str = ""
    asserted: int = 0
    failed: int = 0
    _skipped: dict[str, list[str]] = field(default_factory=dict)
    _missing: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _why: BaseException | None, _tb: TracebackType | None) -> None:
        if kind is not None:
            return
        if self.asserted and not self.failed:
            self._record(self.element, Verdict.PASS)
        if self._missing:
            self._record(f"{self.element} (not offered)", Verdict.UNSUPPORTED, f"not offered: {some(self._missing)}")
        if self._skipped:
            told = "; ".join(f"{why}: {some(names)}" for why, names in self._skipped.items())
            self._record(f"{self.element} (not called)", Verdict.UNTESTED, told)

    def fine(self) -> None:
        """Note something that holds."""
        self.asserted += 1

    def finding(self, message: Message, expected: str, exchange: Exchange) -> None:
        """Record a breach by one message."""
        self.asserted += 1
        self.failed += 1
        self._record(
            message.full_name, Verdict.FAIL, expected=expected, actual=describe(exchange), exchanges=(exchange.seq,)
        )

    def skip(self, message: Message, why: str) -> None:
        """Note a message that could not be exercised, and why."""
        names = self._skipped.setdefault(why, [])
        if message.name not in names:
            names.append(message.name)

    def missing(self, message: Message) -> None:
        """Note a message that the server does not offer."""
        if message.name not in self._missing:
            self._missing.append(message.name)

    def _record(
        self, element: str, verdict: Verdict, reason: str = "", *, expected: str = "", actual: str = "",
        exchanges: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        fmt = str(self.fmt)
        self.bench.record(Judgement(self.clause, element, fmt, verdict, reason, expected, actual, exchanges))


def some(names: Sequence[str]) -> str:
    """Return the first names of many, and how many more there are."""
    rest = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {rest} more" if rest > 0 else "")


def draw(seed: int, *words: object) -> int:
    """Return a number that the seed and the words give, the same in every process."""
    return crc32(" ".join(map(str, (seed, *words))).encode())


def sampled(bench: Bench, messages: Iterable[Message]) -> list[Message]:
    """Return the messages of a class to call: all, or in the quick budget a third of them, by the seed; at least one.

    Each message has its place in the rotation whatever the class's order, so that a new message moves no other.
    """
    found = list(messages)
    if bench.budget.boundaries:
        return found
    chosen = [each for each in found if draw(bench.seed, each.full_name) % SHARE == 0]
    return chosen or found[:1]
