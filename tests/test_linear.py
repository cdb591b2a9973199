"""The search for an order of calls made at the same time, against every order there is."""

from __future__ import annotations

import itertools
import random
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xenconform.models.api import Api
from xenconform.models.belief import Belief, firm_fields
from xenconform.models.calls import Call, Failure, Format, Success
from xenconform.models.cases import Step, Wanted
from xenconform.models.exemplars import exemplar
from xenconform.models.joint import joint_outcomes
from xenconform.models.linear import Answer, Op, after, linearize, parts, unordered, with_uuids
from xenconform.models.profiles import Profile
from xenconform.models.values import Handle, UuidOf
from xenconform.models.world import World

API = Api.load()
PROFILE = Profile.load("reference")
N, M, NEW = Handle("network", 1), Handle("network", 2), Handle("network", 50)
NETWORK = {**exemplar(API, PROFILE, "network", 1, tag="t"), "name_label": "a"}


def believed(*handles: Handle) -> Belief:
    """Return what is believed of networks that were just made."""
    belief = Belief(World(API), firm_fields(API, PROFILE))
    for handle in handles:
        belief = belief.follow(Call("network.create", (NETWORK,)), Success(handle), handle)
    return belief


VIF = {**exemplar(API, PROFILE, "VIF", 1, tag="t"), "network": N, "VM": Handle("VM", 0)}
ONE, TWO = believed(N), believed(N, M)


def step(thread: int, message: str, *args: Any, makes: Handle | None = None) -> Step:
    """Return a step of a thread; thread 0 is for the reads after it."""
    return Step(Call(message, args), Format.XMLRPC, makes=makes, thread=thread, together=thread == 0)


def history(*lines: tuple[int, str, tuple[Any, ...], Any]) -> tuple[Op, ...]:
    """Return a history, all of whose threads were under way at once: thread, message, arguments, outcome."""
    ops = []
    for thread, message, args, came in lines:
        outcome = came if isinstance(came, Failure) else Success(came)
        makes = came if message.endswith(".create") and isinstance(came, Handle) else None
        ops.append(Op(step(thread, message, *args, makes=makes), outcome, 0, 0))
    return unordered(ops)


def answer(belief: Belief, *lines: tuple[int, str, tuple[Any, ...], Any]) -> Answer:
    """Return whether such a history has an order."""
    return linearize(belief, history(*lines)).answer


KEY_TWICE = Failure("MAP_DUPLICATE_KEY")
ADD, ADD_TO, TAGS = "network.add_tags", "network.add_to_other_config", "network.get_tags"


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ([(1, ADD, (N, "x"), None), (2, ADD, (N, "y"), None), (0, TAGS, (N,), ("y", "x"))], Answer.YES),
        ([(1, ADD, (N, "x"), None), (2, ADD, (N, "y"), None), (0, TAGS, (N,), ("x",))], Answer.NO),
        ([(1, ADD_TO, (N, "k", "1"), None), (2, ADD_TO, (N, "k", "2"), KEY_TWICE)], Answer.YES),
        ([(1, ADD_TO, (N, "k", "1"), None), (2, ADD_TO, (N, "k", "1"), None)], Answer.NO),
        ([(1, ADD_TO, (N, "k", "1"), KEY_TWICE), (2, ADD_TO, (N, "k", "2"), KEY_TWICE)], Answer.NO),
        ([(1, ADD_TO, (N, "k", "1"), Failure("OTHER_OPERATION_IN_PROGRESS"))], Answer.YES),
        ([(1, ADD, (N, "x"), Failure("VALUE_NOT_SUPPORTED")), (0, TAGS, (N,), ())], Answer.YES),
        ([(1, ADD, (N, "x"), Failure("VALUE_NOT_SUPPORTED")), (0, TAGS, (N,), ("x",))], Answer.NO),
        ([(1, ADD, (N, "x"), Failure("INTERNAL_ERROR"))], Answer.NO),
        ([(1, "network.destroy", (N,), None), (2, ADD, (N, "x"), Failure("HANDLE_INVALID"))], Answer.YES),
        ([(1, "network.destroy", (N,), None), (0, TAGS, (N,), ())], Answer.NO),
        (
            [
                (1, "network.set_name_label", (N, "b"), None),
                (2, "network.get_by_name_label", ("b",), (N,)),
                (2, "network.get_by_name_label", ("b",), ()),
            ],
            Answer.NO,
        ),
    ],
)
def test_known_histories(lines: list[tuple[int, str, tuple[Any, ...], Any]], wanted: Answer) -> None:
    """Lost additions, a key that two calls add, and effects that come and go have no order; what is allowed has one."""
    assert answer(ONE, *lines) is wanted


def test_a_null_ref_may_be_refused_by_an_act_alone() -> None:
    """A server may refuse to make a VIF of no VM; a setter takes the null ref, and no other ref is null."""
    null, other = Failure("HANDLE_INVALID", ("VM", "OpaqueRef:NULL")), Failure("HANDLE_INVALID", ("VM", "x"))
    act = Op(step(1, "VIF.create", VIF, makes=Handle("VIF", 1)), null, 0, 1)
    assert after(ONE, act, ()) == ONE
    assert after(ONE, replace(act, outcome=other), ()) is None
    assert after(ONE, Op(step(1, ADD, N, "x"), null, 0, 1), ()) is None


def test_real_time() -> None:
    """A read made after an addition was answered shows it; one that overlapped it need not."""
    add = Op(step(1, ADD, N, "x"), Success(None), 0, 10)
    blind = Op(step(2, TAGS, N), Success(()), 20, 30)
    assert linearize(ONE, (add, blind)).answer is Answer.NO
    assert linearize(ONE, (add, replace(blind, invoked=10))).answer is Answer.YES
    assert linearize(ONE, unordered((add, blind))).answer is Answer.YES


def test_a_new_object_is_new() -> None:
    """Two creations that give one object, or two objects of one uuid, have no order."""
    other = Handle("network", 70)
    read = (0, "network.get_by_uuid", (UuidOf(NEW),))
    made = [(1, "network.create", (NETWORK,), NEW), (2, "network.create", (NETWORK,), other)]
    apart = with_uuids(ONE, {N: "u1", NEW: "u2", other: "u3"})
    assert answer(apart, *made, (*read, NEW)) is Answer.YES
    same_ref = history(*made)
    same_ref = (same_ref[0], replace(same_ref[1], outcome=Success(NEW)))
    assert linearize(apart, same_ref).answer is Answer.NO
    record = {**dict(believed(N, NEW, other).world.record(other) or {}), "uuid": "u2"}
    doubled = with_uuids(ONE, {N: "u1", NEW: "u2", other: "u2"})
    read_other = (0, "network.get_record", (other,), record)
    assert answer(doubled, *made, read_other) is Answer.NO
    assert answer(with_uuids(ONE, {N: "u1", NEW: "u9", other: "u2"}), *made, read_other) is Answer.YES


def test_parts() -> None:
    """Calls on objects that have nothing to do with each other are judged apart; a listing joins its class."""
    lines = [(1, ADD, (N, "x"), None), (2, ADD, (M, "x"), None), (1, TAGS, (M,), ("x",))]
    assert parts(TWO, history(*lines)) == ((0,), (1, 2))
    listed = [*lines, (0, "network.get_all", (), (N, M))]
    assert parts(TWO, history(*listed)) == ((0, 1, 2, 3),)
    wrong = linearize(TWO, history(*lines, (0, TAGS, (N,), ())))
    assert (wrong.answer, wrong.part) == (Answer.NO, (0, 3))


def test_giving_up() -> None:
    """A search that may look at few states, or is late, says that it does not know."""
    lines = [(thread, ADD, (N, f"{thread}"), None) for thread in range(1, 9)]
    ops = history(*lines, (0, TAGS, (N,), ()))
    assert linearize(ONE, ops, limit=20).answer is Answer.UNKNOWN
    assert linearize(ONE, ops, late=lambda: True).answer is Answer.UNKNOWN
    whole = linearize(ONE, ops)
    assert (whole.answer, whole.states) == (Answer.NO, 2**8)


MESSAGES: list[tuple[str, tuple[Any, ...]]] = [
    (ADD, (N, "x")),
    (ADD, (N, "y")),
    ("network.remove_tags", (N, "x")),
    (TAGS, (N,)),
    (ADD_TO, (N, "k", "1")),
    (ADD_TO, (N, "k", "2")),
    ("network.remove_from_other_config", (N, "k")),
    ("network.get_other_config", (N,)),
    ("network.set_name_label", (M, "b")),
    ("network.get_by_name_label", ("b",)),
    ("network.get_record", (N,)),
    ("network.destroy", (M,)),
    ("network.create", (NETWORK,)),
]


def told(belief: Belief, one: Step) -> tuple[Success | Failure, Belief]:
    """Return the reply that the rules give at this place, and what is believed after it."""
    expect = belief.expect(one.call, one.makes)
    if expect.wanted is Wanted.NOTHING:
        return Failure(expect.codes[0]), belief
    outcome = Success(one.makes if expect.wanted is Wanted.NEW else expect.value)
    return outcome, belief.follow(one.call, outcome, one.makes)


@st.composite
def histories(draw: st.DrawFn, *, most: int = 6) -> tuple[Op, ...]:
    """Histories of up to three threads, as some order gives them, some with a reply that belongs elsewhere."""
    ops: list[Op] = []
    belief = TWO
    replies: list[Success | Failure] = []
    for at in range(draw(st.integers(1, most))):
        message, args = draw(st.sampled_from(MESSAGES))
        makes = Handle("network", 60 + at) if message.endswith("create") else None
        one = step(draw(st.integers(1, 3)), message, *args, makes=makes)
        outcome, belief = told(belief, one)
        replies.append(outcome)
        before, behind = draw(st.integers(0, 25)), draw(st.integers(1, 25))
        ops.append(Op(one, outcome, 10 * at - before, 10 * at + behind))
    if draw(st.booleans()):
        at = draw(st.integers(0, len(ops) - 1))
        alike = [r for o, r in zip(ops, replies, strict=True) if o.step.call.message == ops[at].step.call.message]
        spoilt: list[Success | Failure] = [*alike, KEY_TWICE, Success(()), Success(("x",)), Success({})]
        ops[at] = replace(ops[at], outcome=draw(st.sampled_from([r for r in spoilt if _typed(ops[at].step, r)])))
    return tuple(ops)


def _typed(one: Step, outcome: Success | Failure) -> bool:
    found = API.message(one.call.message)
    assert found is not None
    if isinstance(outcome, Failure):
        return True
    by_type = {"tags": tuple, "other_config": dict}
    wanted = by_type.get(found.field) if found.verb == "get" else None
    return isinstance(outcome.value, wanted) if wanted else outcome.value not in ((), ("x",), {})


def in_some_order(start: Belief, ops: Sequence[Op]) -> bool:
    """Whether any of all the orders that there are will do: the definition, word by word."""
    made = start.made | {op.step.makes for op in ops if op.step.makes is not None}

    def legal(order: tuple[int, ...]) -> bool:
        belief: Belief | None = start
        for place, at in enumerate(order):
            for later in order[place + 1 :]:
                if ops[later].responded < ops[at].invoked:
                    return False
                if ops[later].step.thread == ops[at].step.thread and later < at:
                    return False
            belief = after(belief, ops[at], made) if belief is not None else None
        return belief is not None

    return any(legal(order) for order in itertools.permutations(range(len(ops))))


@settings(max_examples=250, deadline=None)
@given(histories())
def test_the_search_agrees_with_all_orders(ops: tuple[Op, ...]) -> None:
    """The search says of a history what going through every order says."""
    ops = tuple(_in_thread_order(ops))
    assert (linearize(TWO, ops).answer is Answer.YES) is in_some_order(TWO, ops)


def _in_thread_order(ops: Sequence[Op]) -> list[Op]:
    """Return a history in which a thread's call begins after its last one was answered."""
    free: dict[int, int] = {}
    found = []
    for op in ops:
        invoked = max(op.invoked, free.get(op.step.thread, op.invoked))
        responded = max(op.responded, invoked + 1)
        free[op.step.thread] = responded + 1
        found.append(replace(op, invoked=invoked, responded=responded))
    return found


@settings(max_examples=60, deadline=None)
@given(histories(most=4))
def test_joint_outcomes_are_those_that_have_an_order(ops: tuple[Op, ...]) -> None:
    """The outcomes listed are exactly those that the definition allows when all calls were under way at once."""
    steps = [op.step for op in ops]
    listed = joint_outcomes(TWO, steps)
    assert listed
    for outcomes in listed:
        came = [replace(op, outcome=_plain(each)) for op, each in zip(ops, outcomes, strict=True)]
        assert in_some_order(TWO, unordered(came)), outcomes
    if linearize(TWO, unordered(ops)).answer is Answer.YES:
        assert any(_shown(ops, outcomes) for outcomes in listed)


def _plain(outcome: Success | Failure) -> Success | Failure:
    """Return a listed outcome without the uuids, which these histories do not know."""
    if isinstance(outcome, Failure) or not isinstance(outcome.value, dict):
        return outcome
    return Success({n: v for n, v in outcome.value.items() if n != "uuid"})


def _shown(ops: Sequence[Op], outcomes: Sequence[Success | Failure]) -> bool:
    """Whether what came is one listed outcome, read as a case reads it."""
    for op, wanted in zip(ops, outcomes, strict=True):
        if isinstance(wanted, Failure) or isinstance(op.outcome, Failure):
            if not (isinstance(wanted, Failure) and isinstance(op.outcome, Failure)):
                return False
            if wanted.code not in {"*", op.outcome.code}:
                return False
        elif isinstance(wanted.value, dict):
            got = op.outcome.value
            if any(n not in got or _loose(got[n]) != _loose(v) for n, v in wanted.value.items() if n != "uuid"):
                return False
        elif _loose(wanted.value) != _loose(op.outcome.value):
            return False
    return True


def _loose(value: Any) -> Any:
    return frozenset(value) if isinstance(value, tuple) else value


def test_too_many_outcomes_are_not_listed() -> None:
    """More outcomes than anybody reads, or a reply that the rules leave open, give no list."""
    steps = [step(thread, ADD, N, f"{thread}") for thread in range(1, 7)]
    reads = [step(9, TAGS, N) for _ in range(3)]
    assert joint_outcomes(ONE, [*steps, *reads]) == ()
    assert joint_outcomes(ONE, [step(1, "network.get_uuid", N)]) == ((Success(UuidOf(N)),),)
    assert joint_outcomes(ONE, [step(1, "network.get_MTU", NEW)]) == ((Failure("*"),),)


def test_four_threads_of_four_calls_are_judged_in_few_states() -> None:
    """Histories of the size that the suite makes take some hundred states, found legal or not."""
    seen = []
    for seed in range(30):
        draw = random.Random(seed)
        belief, ops = TWO, []
        for at in range(16):
            message, args = draw.choice(MESSAGES[:11])
            one = step(at % 4 + 1, message, *args)
            outcome, belief = told(belief, one)
            ops.append(Op(one, outcome, 0, 0))
        record = dict(belief.world.record(N) or {})
        lost = {**record, "tags": (*record["tags"], "never added")}
        read = step(0, "network.get_record", N)
        good, bad = (linearize(TWO, unordered([*ops, Op(read, Success(r), 0, 0)])) for r in (record, lost))
        assert (good.answer, bad.answer) == (Answer.YES, Answer.NO)
        seen += [good.states, bad.states]
    assert statistics.median(seen) < 500
    assert max(seen) < 5_000
