"""Whether calls made at the same time acted as if one came after the other: a search for such an order.

Laws:
1. A history is linearizable if its calls can be put in one order in which each reply is what the rules allow at that
   place, a call that was answered before another was made comes before it, and each thread keeps its own order.
2. A refusal for a reason of the server's domain is allowed at any place and changes nothing; so is one that says that
   the server is busy with another call (`BUSY`).
3. Calls on objects that have nothing to do with each other are judged apart: a history is linearizable exactly when
   each of these parts is.

The search is Wing and Gong's with Lowe's memory of what was tried: which calls are placed, and what the server then
holds. What is believed before the history begins must be known whole; the uuids of all objects go in with `with_uuids`.
Source: Wing and Gong, Testing and Verifying Concurrent Objects (1993); Lowe, Testing for Linearizability (2017);
Herlihy and Wing, Linearizability (1990), on parts.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from xenconform.models.belief import Belief
from xenconform.models.calls import Failure, Success
from xenconform.models.cases import Step, Wanted
from xenconform.models.matching import allows, handles_in, meets
from xenconform.models.values import Handle, canonical

BUSY: Final = frozenset({"OTHER_OPERATION_IN_PROGRESS", "TOO_BUSY", "TOO_MANY_PENDING_TASKS"})
"""Codes with which a server refuses a call because of another that is under way."""
STATES: Final = 200_000
"""How many states a search looks at before it gives up."""
LISTINGS: Final = frozenset({"get_all", "get_all_records", "get_all_records_where", "get_by_name_label"})
"""Messages that look at every object of a class."""


@dataclass(frozen=True, slots=True)
class Op:
    """One call of a history: the step, its outcome with Handles for refs, and when it was made and answered.

    Times are of one clock, in any unit. `step.thread` is the thread; those of one thread stand in its order.
    """

    step: Step
    outcome: Success | Failure
    invoked: int
    responded: int


class Answer(StrEnum):
    """What a search came to."""

    YES = "yes"
    """There is such an order."""
    NO = "no"
    """There is none."""
    UNKNOWN = "unknown"
    """The search was given up."""


@dataclass(frozen=True, slots=True)
class Linear:
    """The answer; for NO, the calls of the part that has no order, as their places in the history."""

    answer: Answer
    part: tuple[int, ...] = ()
    states: int = 0


def never() -> bool:
    """Say no: there is always time."""
    return False


def linearize(start: Belief, history: Sequence[Op], *, limit: int = STATES, late: Callable[[], bool] = never) -> Linear:
    """Look for an order of a history.

    Args:
        start: what is believed before its first call.
        history: the calls, each thread's in its order.
        limit: how many states to look at.
        late: says when to give up all the same.
    """
    states = 0
    for part in parts(start, history):
        search = _Search(start, [history[at] for at in part], limit - states, late)
        answer = search.run()
        states += search.states
        if answer is not Answer.YES:
            return Linear(answer, part, states)
    return Linear(Answer.YES, states=states)


def after(belief: Belief, op: Op, made: Container[Handle]) -> Belief | None:
    """Return what is believed after a call of a history, None where its reply is none that is allowed here."""
    call, makes, outcome = op.step.call, op.step.makes, op.outcome
    expect = belief.expect(call, makes)
    if isinstance(outcome, Failure):
        return belief if outcome.code in BUSY or allows(belief.api, call, expect, outcome, made) else None
    fits = outcome.value == makes if expect.wanted is Wanted.NEW else meets(belief.api, expect, outcome, made)
    return belief.follow(call, outcome, makes) if fits else None


def with_uuids(belief: Belief, uuids: Mapping[Handle, str]) -> Belief:
    """Return the belief with the uuids of all objects of a history, those that are only made in it too.

    Where two objects have one uuid, the later one is believed to have another: no order will then do.
    """
    seen: dict[str, Handle] = {}
    told = {h: text if seen.setdefault(text, h) == h else f"not that of {seen[text]}" for h, text in uuids.items()}
    return replace(belief, uuids=tuple(told.items()))


def unordered(history: Sequence[Op]) -> tuple[Op, ...]:
    """Return a history in which the calls of different threads were all under way at once, those of thread 0 after."""
    return tuple(
        replace(op, invoked=2 * at + 2, responded=2 * at + 3)
        if op.step.thread == 0
        else replace(op, invoked=0, responded=1)
        for at, op in enumerate(history)
    )


def parts(start: Belief, history: Sequence[Op]) -> tuple[tuple[int, ...], ...]:
    """Return the places of a history's calls by what they have to do with each other, the parts in the order met."""
    subjects = {handle for op in history for handle in _subjects(op)}
    label = {handle: handle for handle in subjects}

    def root(handle: Handle) -> Handle:
        while label.setdefault(handle, handle) != handle:
            handle = label[handle]
        return handle

    groups: list[list[Handle]] = []
    for op in history:
        cls, _, name = op.step.call.message.partition(".")
        everything = [h for h in subjects if h.cls == cls] if name in LISTINGS else []
        groups.append([*_subjects(op), *handles_in(op.step.call.args), *everything])
    for handle in subjects:
        record = start.world.record(handle) or {}
        groups.append([handle, *(each for each in handles_in(tuple(record.values())) if each in subjects)])
    for group in groups:
        for other in group[1:]:
            label[root(other)] = root(group[0])
    found: dict[Hashable, list[int]] = {}
    for at, op in enumerate(history):
        named = groups[at]
        # A listing of a class that no other call is about stands by itself.
        found.setdefault(root(named[0]) if named else op.step.call.message.partition(".")[0], []).append(at)
    return tuple(tuple(each) for each in found.values())


def _subjects(op: Op) -> tuple[Handle, ...]:
    """Return the objects that a call is about: self, the one that it looks up, the one that it makes."""
    first = tuple(handles_in(op.step.call.args[:1]))[:1] if not op.step.makes else ()
    return (*first, *((op.step.makes,) if op.step.makes else ()))


@dataclass(slots=True)
class Keys:
    """Tells beliefs apart by what their objects hold: equal keys exactly where nothing known differs."""

    start: Belief
    handles: tuple[Handle, ...]
    _numbers: dict[Hashable, int] = field(default_factory=dict)
    _records: dict[tuple[Handle, int], tuple[object, int]] = field(default_factory=dict)

    def of(self, belief: Belief) -> Hashable:
        """Return the key of a belief that came of `start`."""
        return tuple([self._number(belief, handle) for handle in self.handles]), belief.unknown

    def _number(self, belief: Belief, handle: Handle) -> int:
        record = belief.world.record(handle)
        if record is None:
            return -1
        known = self._records.get((handle, id(record)))
        if known is None:
            base = self.start.world.record(handle) or {}
            fields = belief.api.classes[handle.cls].fields
            changed = frozenset(
                [(n, canonical(fields[n].type, v)) for n, v in record.items() if n not in base or v is not base[n]]
            )
            number = self._numbers.setdefault((handle, self._without_same(handle, changed)), len(self._numbers))
            known = self._records[handle, id(record)] = (record, number)
        return known[1]

    def _without_same(self, handle: Handle, changed: frozenset[tuple[str, Hashable]]) -> frozenset[Hashable]:
        base = self.start.world.record(handle)
        if base is None:
            return changed
        fields = self.start.api.classes[handle.cls].fields
        return frozenset(each for each in changed if each[1] != canonical(fields[each[0]].type, base[each[0]]))


def keys_of(start: Belief, steps: Sequence[Step]) -> Keys:
    """Return what tells the beliefs apart that these steps lead to."""
    made = {step.makes for step in steps if step.makes is not None}
    return Keys(start, tuple(sorted(start.known | made)))


class _Search:
    """One search over one part of a history. `states` counts what it looked at."""

    def __init__(self, start: Belief, history: Sequence[Op], limit: int, late: Callable[[], bool]) -> None:
        self.states = 0
        self._start = start
        self._limit = limit
        self._late = late
        self._keys = keys_of(start, [op.step for op in history])
        self._made = start.made | {op.step.makes for op in history if op.step.makes is not None}
        threads: dict[int, list[Op]] = {}
        for op in history:
            threads.setdefault(op.step.thread, []).append(op)
        self._threads = tuple(threads.values())
        self._seen: set[Hashable] = set()

    def run(self) -> Answer:
        """Look for an order, depth first, the call that was answered first before the others."""
        stack = [((0,) * len(self._threads), self._start)]
        while stack:
            places, belief = stack.pop()
            if self.states >= self._limit or (self.states % 256 == 255 and self._late()):
                return Answer.UNKNOWN
            self.states += 1
            ready = self._ready(places)
            if not ready:
                return Answer.YES
            for thread, op in ready:
                then = after(belief, op, self._made)
                if then is None:
                    continue
                moved = (*places[:thread], places[thread] + 1, *places[thread + 1 :])
                key = (moved, self._keys.of(then))
                if key not in self._seen:
                    self._seen.add(key)
                    stack.append((moved, then))
        return Answer.NO

    def _ready(self, places: tuple[int, ...]) -> list[tuple[int, Op]]:
        """Return the calls that may come next, the last answered first, for the stack gives them back the other way."""
        pairs = enumerate(zip(self._threads, places, strict=True))
        following = [(thread, ops[place]) for thread, (ops, place) in pairs if place < len(ops)]
        first = min((op.responded for _, op in following), default=0)
        ready = [(thread, op) for thread, op in following if op.invoked <= first]
        return sorted(ready, key=lambda each: -each[1].responded)
