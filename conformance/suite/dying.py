"""Who ended a server that is gone: what ends it again, once it is restarted, was our calls, and no accident.

Source: ROBUST-ALIVE, after any input, valid or not, a server goes on answering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.health import DYING, TargetGoneError
from xenconform.conformance.checks.hostile_scene import ALIVE
from xenconform.conformance.checks.judging import NotOffered, Unanswered, Unavailable
from xenconform.conformance.checks.wire_envelope import a_listing
from xenconform.models.verdicts import Judgement, Verdict

LOOKS: Final = 20
"""How often a server is looked at in the time that it may take to die."""


def judge_death(bench: Bench, again: dict[str, Callable[[], None]]) -> None:
    """Restart a server that is gone, where somebody said how, and tell if the same checks end it again.

    What they judge is not heard: of what a crash took with it nothing is known, and so the run is over all the same.

    Args:
        bench: the bench of the run.
        again: the checks that were under way when it went, the last ones first begun, by what they are called.
    """
    tell, bench.tell = bench.tell, lambda _judgement: None
    try:
        why = _ends_again(bench, again.values())
    finally:
        bench.tell = tell
    if why is not None:
        expected = f"the server goes on answering after the calls of {' and '.join(again)}"
        actual = f"gone, and once restarted gone again: {why}"
        seqs = tuple(each.seq for each in why.between)
        bench.record(Judgement(ALIVE, "server", "", Verdict.FAIL, expected=expected, actual=actual, exchanges=seqs))


def _ends_again(bench: Bench, again: Iterable[Callable[[], None]]) -> TargetGoneError | None:
    """Restart the server and do what may have ended it; return how it is gone, None where it is not or none can say."""
    try:
        bench.restart()
        bench.stock.note_end()  # what was made may be lost, and is made anew
        for perform in again:
            _go_through(perform)
        _look_after(bench)
    except TargetGoneError as why:
        return why
    except (Unavailable, Unanswered, NotOffered):
        pass
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
