"""Verdicts and findings: what was judged, of what, and how it came out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ANYTHING: Final = "anything"
"""The element of a clause of which a process of the run, though its checks were through, came to judge nothing."""


class Verdict(StrEnum):
    """How one clause × element × format came out, from best to worst in the order of `worst`."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNTESTED = "UNTESTED"
    """Could not be exercised; always with the reason."""
    WAIVED = "WAIVED"
    """Failed as a waiver of the profile says it does."""
    UNSUPPORTED = "UNSUPPORTED"
    """The server does not offer what no clause obliges it to."""
    ERROR = "ERROR"
    """Our own fault, never the server's."""


_RANK = (Verdict.UNSUPPORTED, Verdict.UNTESTED, Verdict.PASS, Verdict.WAIVED, Verdict.FAIL, Verdict.ERROR)


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return the verdict that stands for several judgements of the same thing: one pass outweighs any untested."""
    return max(verdicts, key=_RANK.index, default=Verdict.UNTESTED)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One verdict on one clause × element × format.

    `element` names what was judged: `network.tags`, `VIF.network<->network.VIFs`, `VM`, or `server`. `format` is a
    wire format's name or "" where the verdict is of no single one. `reason` says why for everything but PASS.
    `expected`, `actual` and `exchanges` (numbers of the run's exchanges, the telling one last) are set on FAIL. `case`
    names the saved case that shows the failure by itself, where there is one. `seconds` tells how far the run was when
    it was judged, 0 in logs that do not say, and `calls` the same of a FAIL.
    """

    clause: str
    element: str
    format: str
    verdict: Verdict
    reason: str = ""
    expected: str = ""
    actual: str = ""
    exchanges: tuple[int, ...] = ()
    case: str = ""
    calls: int = 0
    seconds: float = 0.0

    @property
    def key(self) -> tuple[str, str, str]:
        """What this is a verdict on."""
        return (self.clause, self.element, self.format)
