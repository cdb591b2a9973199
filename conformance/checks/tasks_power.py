"""Level 4, tasks that change a VM's power state or copy an object: they do what the plain form does, and refuse so.

Where the plain form cannot be tried either, its own clause tells why, and nothing is said here.
"""

from __future__ import annotations

from collections.abc import Iterator

from xenconform.conformance.checks.awaiting import Async, judge_error
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.births import COPIES
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe
from xenconform.conformance.checks.lifecycle import has_power
from xenconform.conformance.checks.power_walk import Step, Walk
from xenconform.conformance.checks.stock import TAG, Obj
from xenconform.conformance.checks.tasks import CLAUSE, judge_format
from xenconform.models.api import Api, ApiClass, Message, State
from xenconform.models.calls import Failure, Success
from xenconform.models.power import HALTED, RUNNING, TRANSITIONS
from xenconform.models.types import MapOf, RefTo, Str
from xenconform.models.values import Value, is_null_text


def tasks_change_power_states(bench: Bench, of: ApiClass) -> None:
    """A message that changes a power state does so as a task, from one state meant for it and one that is not.

    Source: wire protocol.
    """
    walk = Walk(bench, of)
    try:
        for at, message in enumerate(walk.messages()):
            meant = TRANSITIONS[message.name].before
            other = [state for state in (HALTED, RUNNING) if state not in meant]
            fmt = bench.formats[(bench.seed + at) % len(bench.formats)]
            for state in (meant[0], *other[:1]) if message.full_name not in bench.profile.never else ():
                try:
                    walk.reach(state)
                except (Unavailable, Unanswered):
                    continue
                with bench.judging(CLAUSE, f"{message.full_name} from {state}", fmt) as judge:
                    _judge(walk, judge, Step(message, state, fmt))
    finally:
        walk.end()


def _judge(walk: Walk, judge: Judge, step: Step) -> None:
    """Judge a task from a state; one that the plain form is refused from too is to fail like it."""
    bench, fmt, message = walk.bench, step.fmt, step.message
    if step.state not in TRANSITIONS[message.name].before:
        plain = walk.call(message, fmt, probe=True)
        if bench.is_missing(plain):
            raise Unanswered(plain, missing=True)
        if not isinstance(plain.reply.outcome, Failure):
            raise Unavailable(f"the plain form: {describe(plain)}; counted under LIFECYCLE-VM")
        ended = Async(bench, judge, fmt, message).run(*walk.args(message))
        if ended is not None:
            judge_error(judge, ended, plain)
            state, seen = walk.state(bench.other(fmt))
            judge.true(state == step.state, f"power_state {step.state}, as before", f"it is {state}", *ended.seen, seen)
        return
    ended = Async(bench, judge, fmt, message).run(*walk.args(message))
    if ended is None:
        return
    state, seen = walk.state(bench.other(fmt))
    if ended.succeeded and state == step.after:
        judge.true(True, "", "")
        return
    walk.reach(step.state)
    plain = walk.call(message, fmt)
    if not ended.succeeded and not isinstance(plain.reply.outcome, Success):
        judge_error(judge, ended, plain)
        return
    if ended.succeeded and (not isinstance(plain.reply.outcome, Success) or walk.state(fmt)[0] == state):
        raise Unavailable(f"the plain form: {describe(plain)}; counted under LIFECYCLE-VM")
    actual = f"{ended.describe()}, and it is {state}"
    judge.fail(f"power_state {step.after}, as after the plain form", actual, *ended.seen, seen, plain)


# --------------------------------------------------------------------------------------------------------- copies


def has_copies(_api: Api, of: ApiClass) -> bool:
    """Whether objects of a class can be made, ended and copied."""
    return bool(of.constructors and of.destructor) and any(True for _ in _copies(of))


def _copies(of: ApiClass) -> Iterator[Message]:
    for message in of.messages.values():
        known = all(p.type in {RefTo(of.name), Str(), MapOf(Str(), Str())} for p in message.params)
        live = message.lifecycle.state is not State.REMOVED
        if message.name in COPIES and known and live and message.result == RefTo(of.name):
            yield message


def tasks_copy_objects(bench: Bench, of: ApiClass) -> None:
    """A message that copies an object ends, as a task, with the copy. Source: wire protocol."""
    for at, message in enumerate(_copies(of)):
        fmt = bench.formats[(bench.seed + at) % len(bench.formats)]
        if message.full_name in bench.profile.never:
            continue
        try:
            source = bench.stock.make(of.name)
        except Unavailable:
            return  # counted under the making of one
        plain = bench.call(fmt, message.full_name, *_args(message, source), probe=True)
        if isinstance(plain.reply.outcome, Success):
            bench.stock.remove(bench.stock.adopt(of.name, plain))
            with bench.judging(CLAUSE, message.full_name, fmt) as judge:
                _judge_copy(bench, judge, message, source)
        bench.stock.remove(source)


def _args(message: Message, source: Obj) -> list[Value]:
    given: dict[object, Value] = {RefTo(source.cls): source.ref, Str(): f"{TAG} copy"}
    return [given.get(param.type, {}) for param in message.params]


def _judge_copy(bench: Bench, judge: Judge, message: Message, source: Obj) -> None:
    fmt = judge_format(judge)
    before = set(bench.stock.all_refs(source.cls))
    ended = Async(bench, judge, fmt, message).run(*_args(message, source))
    if ended is None:
        return
    new = ended.succeeded and not is_null_text(str(ended.value)) and ended.value not in before
    if judge.true(new, f"a new {source.cls}, as the plain form makes", ended.describe(), *ended.seen):
        copy = bench.stock.adopt_ref(source.cls, str(ended.value))
        seen = bench.call(bench.other(fmt), f"{source.cls}.get_uuid", copy.ref, probe=True)
        judge.true(isinstance(seen.reply.outcome, Success), f"{copy.ref} is there", describe(seen), *ended.seen, seen)
        bench.stock.remove(copy)


CHECKS: tuple[Check, ...] = (
    Check(CLAUSE, per_class=tasks_change_power_states, applies=has_power),
    Check(CLAUSE, per_class=tasks_copy_objects, applies=has_copies),
)
