"""What a hunt found, who is told of it, and when it is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Final

from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.sending import Sender
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.models.verdicts import Judgement, Verdict

NO_EFFECT: Final = "ROBUST-NO-EFFECT"
AUTH: Final = "ROBUST-AUTH"
ENTITIES: Final = "ROBUST-XML-ENTITIES"
APART: Final = 48
"""So many attempts that are looked at wait for each other, to be sent beside those about other objects."""


@dataclass(slots=True)
class Found:
    """One finding: what is wrong, the attempt that shows it, and how often the same was seen, where."""

    wrong: Wrong
    attempt: Attempt
    times: int = 0
    formats: set[str] = field(default_factory=set)
    layers: set[str] = field(default_factory=set)


Told = Callable[[Wrong, Attempt, Sender], str]
"""Makes a finding small, writes its case and returns the case's name."""


def no_case(_wrong: Wrong, _attempt: Attempt, _sender: Sender) -> str:
    """Write no case."""
    return ""


@dataclass(frozen=True, slots=True)
class Enough:
    """When a hunt is over before its time: with the `first` finding, or after `size` bytes.

    `at_once` is how many attempts wait for each other at most, to be sent together.
    """

    first: bool = False
    size: float = inf
    at_once: int = APART


TIME_ALONE: Final = Enough()


def finding(wrong: Wrong, attempt: Attempt, seqs: tuple[int, ...], case: str) -> Judgement:
    """Return the judgement that an attempt shows what is wrong; `seqs` number the exchanges, `case` names the case."""
    return Judgement(
        wrong.clause,
        f"{attempt.layer}: {wrong.cause}",
        str(attempt.format),
        Verdict.FAIL,
        expected=wrong.expected,
        actual=wrong.actual,
        exchanges=seqs,
        case=case,
    )


def doubt(clause: str, reason: str) -> Judgement:
    """Return the judgement on what was seen, and is nobody's doing that can be shown."""
    return Judgement(clause, "server", "", Verdict.UNTESTED, reason=reason)


def passes(judged: Iterable[tuple[str, str, str]], found: Iterable[Found]) -> Iterator[Judgement]:
    """Yield a PASS for each clause, layer and format that was judged, but where that clause was broken in the layer."""
    failed = {(each.wrong.clause, layer) for each in found for layer in each.layers}
    for clause, layer, fmt in sorted(judged):
        if (clause, layer) not in failed:
            yield Judgement(clause, layer, fmt, Verdict.PASS)
