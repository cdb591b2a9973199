"""Makes a finding small: calls are dropped, objects joined, formats and values made plain, as long as it still fails.

Delta debugging on recorded steps, in place of Hypothesis's shrinking: some hundred calls instead of many thousand, the
same for any sequence however it was found. Every candidate is played on the server from the start, with objects of its
own, so what is left is a witness that was seen to fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from xenconform.conformance.machine.player import LOGOUT, Mismatch, Played
from xenconform.conformance.machine.rewriting import (
    Steps,
    about,
    field_of,
    folded,
    joined,
    kept,
    plainer,
    reads,
    renamed,
    reopened,
    retold,
    tail,
    texts,
    without,
    writers,
)
from xenconform.models.calls import Success
from xenconform.models.cases import Step
from xenconform.models.matching import handles_in
from xenconform.models.values import Handle

__all__ = ["CALLS", "Reduction", "reads", "reduce", "signature", "without"]
CALLS = 460
"""How many calls a reduction may take, logins and those that remove the candidates' objects included."""
LONG = 4
"""So many times its own length at least, where a sequence is long."""
PAIRS_UP_TO = 8
"""Up to how many steps any two are tried to be left out together."""

Play = Callable[[Steps], Played]


def signature(mismatch: Mismatch) -> tuple[str, str, bool]:
    """Return what makes two findings the same: the message, what was wanted of it, and whether it was refused."""
    expect = mismatch.step.expect
    refused = "code" if hasattr(mismatch.outcome, "code") else "value"
    return (mismatch.step.call.message, str(expect.wanted) if expect else "", refused == "code")


@dataclass(slots=True)
class Reduction:
    """A reduction under way. `best` is the smallest that failed, None before anything did."""

    play: Play
    wanted: tuple[str, str, bool]
    limit: int = CALLS
    spent: int = 0
    best: Played | None = None
    _tried: set[str] = field(default_factory=set)

    @property
    def steps(self) -> Steps:
        """The smallest sequence so far."""
        assert self.best is not None
        return self.best.steps

    def fails(self, steps: Steps) -> bool:
        """Play a candidate; where it fails in the same way, up to its failing step, it is the best from now on."""
        bare = tuple(replace(step, expect=None) for step in steps)
        key = repr(bare)
        cost = _cost(steps)
        if not steps or key in self._tried or self.spent + cost > self.limit:
            return False
        self._tried.add(key)
        played = self.play(bare)
        self.spent += _cost(played.steps)
        if not played.failed or played.mismatch is None or signature(played.mismatch) != self.wanted:
            return False
        self.best = played
        return True


def _cost(steps: Steps) -> int:
    """Return how many calls it takes to play steps, to log in and out, and to remove what they make."""
    return len(steps) + sum(step.makes is not None for step in steps) + 2 * len({s.session for s in steps} - {0})


def reduce(steps: Steps, mismatch: Mismatch, play: Play, *, limit: int = CALLS) -> Reduction:
    """Return the reduction of a sequence whose last step failed; its `best` is None where it never failed again."""
    run = Reduction(play, signature(mismatch), max(limit, LONG * len(steps)))
    seen = _handles_seen(steps[-1], mismatch)
    near = _sliced(steps, seen)
    fields = _fields_told(steps[-1], mismatch)
    late = [tail(steps, size) for size in (4, 12) if size < len(steps)]
    for first in (
        *late,
        about(near, fields),
        about(steps, fields),
        writers(near),
        tail(steps, 24),
        writers(steps),
        near,
        steps,
        steps,
    ):
        run._tried.clear()  # noqa: SLF001 - the same sequence may fail the second time
        if run.fails(first):
            break
    else:
        return run
    run.fails(_in_one_session(run.steps))  # each play logs in less often for it
    before = -1
    while before != len(run.steps):
        before = len(run.steps)
        _drop_objects(run)
        _drop_kinds(run)
        _drop(run)
        _join(run)
        if len(run.steps) <= PAIRS_UP_TO:
            _fold(run)
            _join_texts(run)
            _open_elsewhere(run)
            _drop_pairs(run)
    _plain_ways(run)
    _plain_values(run)
    return run


def _in_one_session(steps: Steps) -> Steps:
    return tuple(replace(step, session=0) for step in steps if step.call.message != LOGOUT)


def _fields_told(last: Step, mismatch: Mismatch) -> set[str]:
    """Return the fields that a failing step is about: its own, or those of a record that are not as expected."""
    wanted = last.expect.value if last.expect else None
    told = mismatch.outcome.value if isinstance(mismatch.outcome, Success) else None
    if isinstance(wanted, dict) and isinstance(told, dict):
        return {name for name, value in wanted.items() if isinstance(name, str) and told.get(name) != value}
    return {field_of(last)}


def _handles_seen(last: Step, mismatch: Mismatch) -> frozenset[Handle]:
    """Return the objects that a failing step names, was to tell of, or told of."""
    told = mismatch.outcome.value if isinstance(mismatch.outcome, Success) else None
    wanted = last.expect.value if last.expect else None
    return frozenset((*handles_in(last.call.args), *handles_in(wanted), *handles_in(told)))


def _sliced(steps: Steps, seen: frozenset[Handle]) -> Steps:
    """Return the last step with what its objects come from, and the steps that touch them."""
    last = steps[-1]
    wanted = set(seen)
    by_handle = {step.makes: step for step in steps if step.makes is not None}
    todo = list(wanted)
    while todo:
        maker = by_handle.get(todo.pop())
        for handle in handles_in(maker.call.args) if maker else ():
            if handle not in wanted:
                wanted.add(handle)
                todo.append(handle)
    own_class = last.call.message.partition(".")[0]

    def near(step: Step) -> bool:
        own = set(handles_in(step.call.args))
        listing = not own and reads(step)
        return step.makes in wanted or bool(own & wanted) or (listing and step.call.message.startswith(own_class + "."))

    gone = {at for at, step in enumerate(steps[:-1]) if not near(step) and step.call.message != LOGOUT}
    kept = without(steps, gone)
    return kept if kept and kept[-1] == last else steps


def _drop_objects(run: Reduction) -> None:
    """Leave out objects, each with all that is done with it, the newest first."""
    for maker in [step.makes for step in reversed(run.steps) if step.makes is not None]:
        run.fails(kept(run.steps, {at for at, step in enumerate(run.steps) if step.makes == maker}))


def _drop_kinds(run: Reduction) -> None:
    """Leave out all calls of a message at once, the most frequent first."""
    kinds = Counter(step.call.message for step in reversed(run.steps[:-1]) if step.makes is None)
    for message, _ in kinds.most_common():
        run.fails(kept(run.steps, {at for at, s in enumerate(run.steps[:-1]) if s.call.message == message}))


def _drop(run: Reduction) -> None:
    """Leave out ever smaller runs of steps, the last first."""
    size = max(1, len(run.steps) // 2)
    while size >= 1:
        end = len(run.steps) - 1
        while end > 0:
            start = max(0, end - size)
            fails = run.fails(kept(run.steps, set(range(start, end))))
            end = min(start, len(run.steps) - 1) if fails else start
        size //= 2


def _drop_pairs(run: Reduction) -> None:
    again = True
    while again:
        count = len(run.steps) - 1
        pairs = ({one, two} for one in range(count) for two in range(one + 1, count))
        again = any(run.fails(kept(run.steps, pair)) for pair in pairs)


def _open_elsewhere(run: Reduction) -> None:
    """Let another step open a session, in the place of one that is there for that alone."""
    again = True
    while again:
        again = any(run.fails(steps) for steps in reopened(run.steps))


def _join(run: Reduction) -> None:
    """Let one object stand for two of its class."""
    again = True
    while again:
        makers = [step.makes for step in run.steps if step.makes is not None]
        twins = ((a, b) for at, a in enumerate(makers) for b in makers[:at] if a.cls == b.cls)
        again = any(run.fails(joined(run.steps, a, b)) for a, b in twins)


def _join_texts(run: Reduction) -> None:
    """Let one text stand for two, everywhere or in one step: a step may then be one too many."""
    every = ((old, new) for given in texts(run.steps).values() for old in given for new in given if old != new)
    for old, new in every:
        if run.fails(renamed(run.steps, old, new)):
            _drop(run)
    for steps in retold(run.steps):
        if run.fails(steps):
            _drop(run)
            break


def _fold(run: Reduction) -> None:
    """Give objects from the start what is written to them later."""
    again = True
    while again:
        again = any(run.fails(steps) for steps in folded(run.steps))


def _plain_ways(run: Reduction) -> None:
    """Play as much as can be in the run's own session and over one format."""
    for fmt in dict.fromkeys(step.format for step in reversed(run.steps)):
        if len({step.format for step in run.steps}) > 1:
            run.fails(tuple(replace(step, format=fmt) for step in run.steps))
    for at, step in enumerate(run.steps):
        if step.session:
            run.fails((*run.steps[:at], replace(step, session=0), *run.steps[at + 1 :]))
    for at in range(len(run.steps) - 1):
        if run.steps[at].format != run.steps[-1].format:
            run.fails((*run.steps[:at], replace(run.steps[at], format=run.steps[-1].format), *run.steps[at + 1 :]))


def _plain_values(run: Reduction) -> None:
    """Put plainer values in the place of those that were drawn; equal ones stay equal."""
    again = True
    while again:
        again = any(run.fails(renamed(run.steps, old, new)) for old, new in plainer(run.steps))
