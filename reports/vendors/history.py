"""How one implementation came on from run to run: a bar a run, for a picture of `WIDTH` × `HEIGHT` pixels."""

from __future__ import annotations

from dataclasses import dataclass

from xenconform.reports.vendors.grid import Implementation

WIDTH, HEIGHT = 640, 110
"""Pixels of the whole."""
BASE, TOP = 84, 16
"""Where bars stand, and where the longest ends."""
_BAR, _LABEL, _LEAST = 68, 70, 3


@dataclass(frozen=True, slots=True)
class Bar:
    """One run: where its bar is, in pixels, its kind, what stands above it and below, and what it tells in full."""

    x: float
    width: float
    height: float
    kind: str
    above: str
    below: str
    told: str

    @property
    def middle(self) -> float:
        """Where its texts are centred."""
        return self.x + self.width / 2


def bars(of: Implementation) -> list[Bar]:
    """Return a bar for each run: how many required clauses failed in it, under it its day where there is room."""
    most = max(1, *(len(told.failed) for told in of.runs))
    step = min(WIDTH / len(of.runs), _BAR)
    every = max(1, round(_LABEL / step))
    found = []
    for at, told in enumerate(of.runs):
        failed, day = len(told.failed), told.about["started"][:10]
        height = max((BASE - TOP) * failed / most, _LEAST)
        kind = "fail" if failed else "pass" if told.is_whole else "open"
        above = str(failed) if failed else "✓" if told.is_whole else "?"
        below = day[5:] if at % every == 0 else ""
        said = f"{day}: {told.verdict}, level {told.level}, {failed} required clauses failed"
        found.append(Bar(round(at * step, 1), round(step * 0.8, 1), round(height, 1), kind, above, below, said))
    return found
