"""The state machine: Hypothesis draws what is done, a Walk does it, and what is found is kept for the reducer.

Few rules and static strategies: every rule draws a few small integers and no more, which costs little, shrinks to
nothing and is never flaky. Hypothesis explores and remembers (its database tries last night's failures first); it does
not shrink, for that would take it thousands of calls: conformance/machine/reducing.py needs a few hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.database import ExampleDatabase
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.machine.choosing import FOCUSES, About, How
from xenconform.conformance.machine.plan import Abilities, needing
from xenconform.conformance.machine.player import Mismatch, Stopped
from xenconform.conformance.machine.walk import Walk
from xenconform.models.acts import changes_power
from xenconform.models.belief import Belief
from xenconform.models.cases import Step
from xenconform.models.types import RefTo
from xenconform.strategies.seeded import by_seed_alone

BATCH = 9
"""How many sequences are explored between two looks at the clock.

Fewer than ten: only among its first ten does Hypothesis draw every example anew; later ones are mostly changed copies
of one before, which say little of a server, and in a run of less than ten none is kept small.
"""

_small = st.integers(0, 7)
_kinds = st.integers(0, 31)
_focuses = st.integers(0, FOCUSES - 1)
_wide = st.integers(0, 63)
_hows = st.builds(How, fmt=st.integers(0, 2), session=st.integers(0, 5))


@dataclass(frozen=True, slots=True)
class Found:
    """A reply that the rules do not allow, and the steps that led there, it the last."""

    mismatch: Mismatch
    steps: tuple[Step, ...]
    beliefs: tuple[Belief, ...]


@dataclass(slots=True)
class Exploration:
    """What one machine explores, around one class or "" for all alike, and what came of it so far.

    `examples` sequences of up to `length` moves, `seconds` at most; `muted` are messages and classes that are left
    out from now on, for they are known to be broken.
    """

    bench: Bench
    plan: Mapping[str, Abilities]
    cls: str
    examples: int
    length: int
    seconds: float
    seed: int
    database: ExampleDatabase | None = None
    muted: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    moves: int = 0
    replies: int = 0
    stopped: dict[str, int] = field(default_factory=dict)
    found: Found | None = None

    def take(self) -> Found | None:
        """Return what the last batch found, and forget it."""
        found, self.found = self.found, None
        return found

    def walk(self, focus: int) -> Walk:
        """Begin a sequence."""
        return Walk(self.bench, self.plan, About(self.cls, focus, frozenset(self.muted)))

    def end(self, walk: Walk) -> None:
        """Note what a sequence came to, and remove what it made."""
        self.moves += walk.moves
        self.replies += len(walk.player.exchanges)
        self.refused.update(walk.refused)
        self.made.update(handle.cls for handle in walk.belief.made)
        walk.player.close()


def explore(this: Exploration) -> Iterator[Found]:
    """Run a machine until its examples or its time are used up; yield what it finds, once each.

    Whoever takes a finding adds to `muted` what would find the same again.
    """
    yield from _taken(this, _tours(this))
    machine = _machine(this)
    until = nature.now() + this.seconds
    done = 0
    while done < this.examples and not nature.over(until):
        batch = min(BATCH, this.examples - done)
        _run(machine, this, batch, first=done == 0)
        done += batch
        found = this.take()
        if found is not None:
            yield found
    # Last, as these are long before anything of them shows: what the others find too is found small by them.
    yield from _taken(this, _rounds(this))


def _tours(this: Exploration) -> Iterator[Callable[[Walk], None]]:
    """Yield the sequences that are not drawn: they write every field, which drawn ones do not."""
    if not this.cls:
        return
    how = How(this.seed % 3, 0)
    acts = this.plan[this.cls].acts
    yield partial(Walk.tour, copying=None, cls=this.cls, how=how)
    for act in acts:
        if act.result == RefTo(this.cls) and act.full_name not in this.muted:
            yield partial(Walk.tour, copying=act, cls=this.cls, how=how)
    if any(changes_power(act) for act in acts):
        yield partial(Walk.states, cls=this.cls, how=how)


def _rounds(this: Exploration) -> Iterator[Callable[[Walk], None]]:
    """Yield the sequences that write many objects, and that write and end what is around one.

    The latter of the class, and of each that needs it.
    """
    if this.cls:
        yield partial(Walk.crowd, cls=this.cls, how=How(this.seed % 3, 0))
    for name in needing(this.bench.api, this.bench.profile, this.cls, this.plan) if this.cls else ():
        yield partial(Walk.around, cls=name, how=How(this.seed % 3, 0))


def _taken(this: Exploration, sequences: Iterator[Callable[[Walk], None]]) -> Iterator[Found]:
    for each in sequences:
        found = _take(this, each)
        if found is not None:
            yield found


def _take(this: Exploration, tour: Callable[[Walk], None]) -> Found | None:
    """Play a sequence that is not drawn."""
    walk = this.walk(FOCUSES - 1)
    try:
        tour(walk)
        walk.finish()
    except Stopped as why:
        this.stopped[str(why)] = this.stopped.get(str(why), 0) + 1
    except Mismatch as wrong:
        return Found(wrong, tuple(walk.player.steps), tuple(walk.player.beliefs))
    finally:
        this.end(walk)
    return None


def _run(machine: type[RuleBasedStateMachine], this: Exploration, batch: int, *, first: bool) -> None:
    phases = [Phase.reuse, Phase.generate] if first and this.database is not None else [Phase.generate]
    chosen = settings(
        max_examples=batch,
        stateful_step_count=this.length,
        deadline=None,
        database=this.database,
        phases=phases,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    seed((this.seed + this.moves) % 2**64)(machine)
    try:
        with by_seed_alone():
            run_state_machine_as_test(machine, settings=chosen)
    except (Mismatch, Flaky, ExceptionGroup):
        # The first mismatch is kept as it was seen; that the replay told otherwise is for the reducer to find out.
        if this.found is None:
            raise


def _machine(this: Exploration) -> type[RuleBasedStateMachine]:
    class Sequence(RuleBasedStateMachine):
        """One sequence; every rule is one move of its walk."""

        def __init__(self) -> None:
            super().__init__()
            self.walk: Walk | None = None
            self.over = False

        @initialize(focus=_focuses, classes=st.tuples(_small, _small), value=_wide, how=_hows)
        def begin(self, focus: int, classes: tuple[int, int], value: int, how: How) -> None:
            self.walk = this.walk(focus)
            for at, cls in enumerate(classes):
                number = 0 if this.cls and at == 0 else cls
                self._try(partial(Walk.make_more, cls=number, value=value + at, how=how))

        def _try(self, move: Callable[[Walk], None]) -> None:
            if self.over or self.walk is None:
                return
            try:
                move(self.walk)
            except Stopped as why:
                self.over = not str(why).endswith("left out")
                this.stopped[str(why)] = this.stopped.get(str(why), 0) + 1
            except Mismatch as wrong:
                self.over = True
                if this.found is None:
                    this.found = Found(wrong, tuple(self.walk.player.steps), tuple(self.walk.player.beliefs))
                raise

        @rule(kind=_kinds, numbers=st.tuples(_kinds, _wide, _wide), how=_hows)
        def move(self, kind: int, numbers: tuple[int, int, int], how: How) -> None:
            self._try(lambda walk: walk.move(kind, numbers, how))

        def teardown(self) -> None:
            if self.walk is None:
                return
            try:
                self._try(lambda walk: walk.finish())
            finally:
                this.end(self.walk)

    return Sequence
