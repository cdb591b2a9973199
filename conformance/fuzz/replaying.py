"""A raw case is sent again: does it still show what was wrong?"""

from __future__ import annotations

from contextlib import ExitStack

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.found import NO_EFFECT
from xenconform.conformance.fuzz.onlooker import Onlooker
from xenconform.conformance.fuzz.raw import attempt_of
from xenconform.conformance.fuzz.sending import Sender
from xenconform.conformance.fuzz.stage import Stage, staged
from xenconform.models.calls import Outcome
from xenconform.models.rawcases import RawCase
from xenconform.strategies.hostile import SLOW


def again(bench: Bench, case: RawCase) -> tuple[str, list[Outcome]]:
    """Send a case; return what it shows, "" where it shows nothing any more, and what the replies say.

    Raises:
        Unavailable: what it needs cannot be had here.
    """
    with staged(bench) as stage, ExitStack() as after:
        attempt = attempt_of(case, stage)
        sender = Sender(stage)
        after.callback(sender.close)
        before = stage.digest()
        tried = sender.send(attempt)
        outcomes = list(tried.outcomes)
        for wrong in tried.wrongs:
            if (wrong.clause, wrong.cause) == (case.clause, case.cause):
                return wrong.actual, outcomes
        try:
            changed = {name for name, value in stage.digest().items() if value != before.get(name)}
        except Unavailable as why:
            return f"the server no longer answers: {why}", outcomes
        stage.rest()
        if case.clause == NO_EFFECT and tried.refused and changed:
            return f"it was refused, and changed {', '.join(sorted(changed))}", outcomes
        is_about_others = case.clause == "ROBUST-ALIVE" or case.drip >= SLOW
        return (_held_up(stage, sender, attempt) if is_about_others else ""), outcomes


def _held_up(stage: Stage, sender: Sender, attempt: Attempt) -> str:
    """Return how long a good call took beside an attempt and after it, "" where that was as usual."""
    bench = stage.bench
    with Onlooker(bench.client, bench.formats[0], stage.listing) as onlooker:
        sender.send(attempt)
        took = onlooker.look()
    return f"a good call took {took:.1f} s" if took > stage.patience else ""
