"""Level 4, many tasks at once: most of them fail, some are removed, and what they were is as it was.

A server has a few workers for all tasks: none of them may be lost with the task that fails.
"""

from __future__ import annotations

from contextlib import ExitStack

from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, is_refusal
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.tasks import CLAUSE, destructor, something
from xenconform.models.api import Message
from xenconform.models.calls import Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Ref, is_null_text

CROWD = 40
"""So many tasks are begun that fail: more than the workers of most servers."""
SPARED = 4
"""Of so many tasks one is left, the others are removed while it lives."""


def failing_tasks_leave_others_be(bench: Bench) -> None:
    """After many tasks have failed, and most were removed, a new one is another and does its work. Source: protocol."""
    fmt = bench.formats[bench.seed % len(bench.formats)]
    with bench.judging(CLAUSE, "server, many that fail", fmt) as judge, ExitStack() as afterwards:
        obj = something(bench)
        afterwards.callback(bench.stock.remove, obj)
        message = destructor(bench.api.classes[obj.cls])
        begun = _begin(bench, judge, message)
        calls = dict(reversed(begun))
        judge.true(len(calls) == len(begun), "a task for each call", f"{len(calls)} of {len(begun)}", begun[-1][1])
        left = dict(begun[::SPARED])
        for ref in (each for each in calls if each not in left):
            bench.stock.remove(bench.stock.adopt_ref("task", ref))
        call = bench.call(fmt, f"Async.{message.full_name}", obj.ref)
        if not isinstance(call.reply.outcome, Success):
            raise Unavailable(f"no task was begun: {describe(call)}; counted where one is begun alone")
        new = call.reply.outcome.value
        judge.true(new not in calls, "a task that there was not", f"{new}, which there was", call, *_of(calls, new))
        one = Async(bench, judge, fmt, message)
        ended = one.follow(call, new) if new not in calls else None
        if ended is not None and not ended.succeeded:
            plain = bench.call(fmt, message.full_name, obj.ref)
            fits = not isinstance(plain.reply.outcome, Success)
            judge.true(fits, f"success, as the plain form: {describe(plain)}", ended.describe(), *ended.seen, plain)
        for ref, first in left.items():
            failed = one.follow(first, ref) if ref != new else None
            if failed is not None:
                judge.true(not failed.succeeded, "a failure still", failed.describe(), first, *failed.seen)


def _of(calls: dict[Ref, Exchange], ref: Ref) -> tuple[Exchange, ...]:
    return (calls[ref],) if ref in calls else ()


def _begin(bench: Bench, judge: Judge, message: Message) -> list[tuple[Ref, Exchange]]:
    """Begin tasks that end what there is not.

    Raises:
        Unavailable: the server refuses such a call at once, or it gave no task.
        Unanswered: it does not have the asynchronous form, or gave no readable answer.
    """
    begun = []
    for at in range(CROWD):
        call = bench.call(bench.formats[at % len(bench.formats)], f"Async.{message.full_name}", unknown_ref())
        outcome = call.reply.outcome
        if is_refusal(call) and not bench.is_missing(call):
            raise Unavailable(f"no task is begun that fails: {describe(call)}")
        if not isinstance(outcome, Success):
            raise Unanswered(call, missing=bench.is_missing(call))
        if not isinstance(outcome.value, str) or is_null_text(outcome.value):
            raise Unavailable("no task was begun; counted where one is begun alone")
        begun.append((outcome.value, call))
    judge.asserted += 1
    return begun


CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_server=failing_tasks_leave_others_be),)
