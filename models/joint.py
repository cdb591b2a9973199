"""Every outcome that calls made at the same time may have as a whole, one for each order that tells another story.

Domain refusals are left out: a server that refuses one of the calls for a reason of its own tells nothing here.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from xenconform.models.belief import Belief
from xenconform.models.calls import Failure, Success
from xenconform.models.cases import Outcomes, Step, Wanted
from xenconform.models.linear import Keys, keys_of
from xenconform.models.types import MapOf, RecordOf, Type
from xenconform.models.values import Handle, UuidOf, Value, canonical

MOST: Final = 500
"""How many outcomes a case lists at most; of more than these none is listed, for a person reads no such list."""
STATES: Final = 20_000
"""How many states are looked at before it is given up."""


def joint_outcomes(start: Belief, steps: Sequence[Step], *, most: int = MOST) -> tuple[Outcomes, ...]:
    """Return what concurrent steps and the `together` steps after them may come to, in the order of the steps.

    Empty where that cannot be told: there are more than `most`, or a reply is one that the rules leave open. A failure
    of code `*` stands for any failure; a step that makes an object succeeds with its handle, and uuids are UuidOf.
    """
    telling = _Telling(_tokens(start, steps), tuple(steps))
    try:
        found = telling.run(most)
    except _Open:
        return ()
    return tuple(tuple(telling.plain(each) for each in outcomes) for outcomes in found)


class _Open(Exception):  # noqa: N818 - the way out of the search
    """There is no telling."""


@dataclass(frozen=True, slots=True)
class _State:
    places: tuple[int, ...]
    belief: Belief
    outcomes: tuple[Success | Failure | None, ...]
    told: tuple[Hashable, ...]


class _Telling:
    def __init__(self, start: Belief, steps: tuple[Step, ...]) -> None:
        self._start = start
        self._steps = steps
        self._keys: Keys = keys_of(start, steps)
        threads: dict[int, list[int]] = {}
        for at, step in enumerate(steps):
            threads.setdefault(step.thread, []).append(at)
        self._after = threads.pop(0, [])
        self._threads = tuple(threads.values())

    def run(self, most: int) -> list[tuple[Success | Failure, ...]]:
        blank = (None,) * len(self._steps)
        stack = [_State((0,) * (len(self._threads) + 1), self._start, blank, blank)]
        found: dict[Hashable, tuple[Success | Failure, ...]] = {}
        seen: set[Hashable] = set()
        while stack:
            state = stack.pop()
            ready = self._ready(state.places)
            if not ready:
                found.setdefault(state.told, tuple([each for each in state.outcomes if each is not None]))
            for thread, at in reversed(ready):
                then = self._moved(state, thread, at)
                key = (then.places, then.told, self._keys.of(then.belief))
                if key not in seen:
                    seen.add(key)
                    stack.append(then)
            if len(found) > most or len(seen) > STATES:
                raise _Open
        return list(found.values())

    def _ready(self, places: tuple[int, ...]) -> list[tuple[int, int]]:
        ready = [
            (thread, steps[place])
            for thread, (steps, place) in enumerate(zip(self._threads, places, strict=False))
            if place < len(steps)
        ]
        if not ready and places[-1] < len(self._after):
            ready = [(len(self._threads), self._after[places[-1]])]
        return ready

    def _moved(self, state: _State, thread: int, at: int) -> _State:
        step = self._steps[at]
        outcome, told, belief = self._foretold(state.belief, step)
        places = (*state.places[:thread], state.places[thread] + 1, *state.places[thread + 1 :])
        return _State(
            places,
            belief,
            (*state.outcomes[:at], outcome, *state.outcomes[at + 1 :]),
            (*state.told[:at], told, *state.told[at + 1 :]),
        )

    def _foretold(self, belief: Belief, step: Step) -> tuple[Success | Failure, Hashable, Belief]:
        expect = belief.expect(step.call, step.makes)
        if expect.wanted is Wanted.ANY:
            raise _Open
        if expect.wanted is Wanted.NOTHING:
            code = expect.codes[0]
            return Failure(code), ("fails", code), belief
        outcome = Success(step.makes if expect.wanted is Wanted.NEW else expect.value)
        told = (True, _canonical(belief, expect.type, outcome.value))
        return outcome, told, belief.follow(step.call, outcome, step.makes)

    def plain(self, outcome: Success | Failure) -> Success | Failure:
        """Return an outcome with uuids as UuidOf."""
        if isinstance(outcome, Failure):
            return outcome
        return Success(_named(outcome.value, {text: UuidOf(handle) for handle, text in self._start.uuids}))


def _canonical(belief: Belief, of: Type, value: Value) -> Hashable:
    match of:
        case RecordOf(cls):
            fields = belief.api.classes[cls].fields
            return frozenset((n, canonical(fields[n].type, v)) for n, v in value.items())
        case MapOf(_, RecordOf() as item):
            return frozenset((k, _canonical(belief, item, v)) for k, v in value.items())
        case _:
            return canonical(of, value) if value is not None else None


def _tokens(start: Belief, steps: Sequence[Step]) -> Belief:
    """Return the belief with a word of its own for each uuid."""
    handles: set[Handle] = {*start.known, *(step.makes for step in steps if step.makes is not None)}
    return replace(start, uuids=tuple((each, f"the {UuidOf(each)}") for each in sorted(handles)))


def _named(value: Value, uuids: dict[str, UuidOf]) -> Value:
    match value:
        case str():
            return uuids.get(value, value)
        case tuple():
            return tuple(_named(each, uuids) for each in value)
        case dict():
            return {_named(key, uuids): _named(each, uuids) for key, each in value.items()}
        case _:
            return value
