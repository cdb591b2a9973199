"""Who ended a server that is gone: what ends it again, once it is restarted, was our calls, and no accident.

Source: ROBUST-ALIVE, after any input, valid or not, a server goes on answering.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.health import DYING, NotBackError, TargetGoneError
from xenconform.conformance.checks.hostile_scene import ALIVE, clause_of_end
from xenconform.conformance.checks.judging import NotOffered, Unanswered, Unavailable
from xenconform.conformance.checks.wire_envelope import a_listing
from xenconform.models.verdicts import Judgement, Verdict

LOOKS: Final = 20
"""How often a server is looked at in the time that it may take to die."""
RECENT: Final = 2
"""So many checks may have ended a server at least, the one under way and the one before."""
MOST: Final = 64
"""And so many at most."""
SHOWN: Final = 3
"""How many of them are named."""


@dataclass(slots=True)
class _Begun:
    name: str
    clause: str
    perform: Callable[[], None]
    ended: float = 0.0


class Recent:
    """The checks that may have ended a server: it may die a while after it answered."""

    def __init__(self) -> None:
        self._begun: deque[_Begun] = deque(maxlen=MOST)

    def begin(self, name: str, clause: str, perform: Callable[[], None]) -> None:
        """Note that a check comes next: how it is called, its clause, and what does it again."""
        if self._begun:
            self._begun[-1].ended = nature.now()
        self._begun.append(_Begun(name, clause, perform))

    def drop_the_old(self) -> None:
        """Leave out what ended so long before that the server would have been gone sooner."""
        while len(self._begun) > RECENT and nature.over(self._begun[0].ended + DYING):
            self._begun.popleft()

    @property
    def clause(self) -> str:
        """The clause of the last one."""
        return self._begun[-1].clause

    def __str__(self) -> str:
        """Tell the last ones."""
        names = list(dict.fromkeys(each.name for each in self._begun))
        more = f", and of {len(names) - SHOWN} more before them" if len(names) > SHOWN else ""
        return " and ".join(names[-SHOWN:]) + more

    def __iter__(self) -> Iterator[Callable[[], None]]:
        """Return what does them again, the first begun first."""
        return (each.perform for each in self._begun)


def judge_death(bench: Bench, recent: Recent) -> None:
    """Restart a server that is gone, where somebody said how, and tell if the same checks end it again.

    What they judge is not heard: of what a crash took with it nothing is known, and so the run is over all the same.

    Args:
        bench: the bench of the run.
        recent: the checks that were under way when it went, and before.
    """
    recent.drop_the_old()
    tell, bench.tell = bench.tell, lambda _judgement: None
    try:
        why = _ends_again(bench, recent)
    finally:
        bench.tell = tell
    if why is not None:
        expected = f"the server goes on answering after the calls of {recent}"
        actual = f"gone, and once restarted gone again: {why}"
        seqs = tuple(each.seq for each in why.between)
        last = clause_of_end(recent.clause)
        clause = last if last in bench.clauses else ALIVE
        bench.record(Judgement(clause, "server", "", Verdict.FAIL, expected=expected, actual=actual, exchanges=seqs))


def _ends_again(bench: Bench, again: Iterable[Callable[[], None]]) -> TargetGoneError | None:
    """Restart the server and do what may have ended it; return how it is gone, None where it is not or none can say."""
    try:
        bench.restart()
        bench.health.begin_again()
        bench.stock.forget_the_lost()  # a server that keeps nothing has nothing of ours any more
    except (TargetGoneError, Unavailable, Unanswered):
        return None
    try:
        for perform in again:
            _go_through(perform)
        _look_after(bench)
    except (NotBackError, Unavailable, Unanswered, NotOffered):
        return None  # a restart that a check is about may be what failed
    except TargetGoneError as why:
        return why
    return None


def _go_through(perform: Callable[[], None]) -> None:
    """Do a check again; what it cannot do any more is left out."""
    try:
        perform()
    except (Unavailable, Unanswered, NotOffered):
        return


def _look_after(bench: Bench) -> None:
    """Ask a while whether the server is still there.

    Raises:
        TargetGoneError: it is gone.
    """
    listing, _ = a_listing(bench)
    until = nature.now() + DYING
    while not nature.over(until):
        bench.call(bench.formats[0], listing)
        nature.pause(DYING / LOOKS)
