"""What is wrong with a server, as the fuzzer tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong: the clause it breaks, its cause, equal for what is one defect, and what was seen."""

    clause: str
    cause: str
    expected: str
    actual: str


NOTHING = Wrong("", "", "", "")
"""What the case of an attempt shows that shows nothing."""
