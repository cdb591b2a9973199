"""Tasks that are begun at the same time, and power states that several calls change at the same time.

Tasks: each call begins one of its own, which ends with an object of its own. Power states: of several calls that each
lead away from a state, one succeeds; a server where the second of two in turn succeeds as well is another clause's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, result_of, show, unheard
from xenconform.conformance.checks.lifecycle import has_power
from xenconform.conformance.checks.power_walk import Walk
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.tasks import something
from xenconform.conformance.client import Client
from xenconform.conformance.machine.races.at_once import all_at_once, clients
from xenconform.conformance.machine.races.witness import CLAUSE
from xenconform.models.api import ApiClass, Message
from xenconform.models.calls import Success
from xenconform.models.exchange import Exchange
from xenconform.models.power import HALTED, PAUSED, RUNNING, SUSPENDED
from xenconform.models.values import Value, is_null_text

TIMES: Final = 8
"""How often tasks are begun at once."""
TURNS: Final = 4
"""How often a power state is changed by several calls at once."""
LEAVING: Final = ((HALTED, "start"), (RUNNING, "suspend"), (SUSPENDED, "resume"), (PAUSED, "unpause"))
"""Power states, each with a message that leads away from it and does not work where it leads."""


def tasks_are_each_their_own(bench: Bench) -> None:
    """Calls that begin tasks at the same time begin one each, which makes an object each. Source: wire protocol."""
    with bench.judging(CLAUSE, "Async") as judge, clients(bench) as several:
        obj = something(bench)
        bench.stock.remove(obj)
        constructor = bench.stock.constructor(obj.cls)
        message = constructor.message
        for turn in range(TIMES):
            if judge.failed:
                return
            given = [bench.stock.exemplar(obj.cls) for _ in several]
            args = [(each,) if constructor.record else tuple(each[p.name] for p in message.params) for each in given]
            calls = [
                partial(client.call, bench.other(bench.formats[0], turn + at), f"Async.{message.full_name}", args[at])
                for at, client in enumerate(several)
            ]
            _judge_tasks(bench, judge, message, (all_at_once(bench, calls), given))


def _judge_tasks(
    bench: Bench, judge: Judge, message: Message, told: tuple[Sequence[Exchange], Sequence[dict[str, Value]]]
) -> None:
    begun = [(each, given) for each, given in zip(*told, strict=True) if isinstance(each.reply.outcome, Success)]
    if len(begun) < 2:
        raise Unavailable(f"tasks at the same time: {describe(told[0][0])}; counted under ASYNC-TASK")
    tasks = [str(result_of(each)) for each, _ in begun]
    own = judge.true(len(set(tasks)) == len(tasks), "a task for each call", show(tasks), *told[0])
    made: dict[str, str] = {}
    for each, given in begun:
        if str(result_of(each)) not in tasks:
            continue
        tasks = [task for task in tasks if task != result_of(each)]
        ended = Async(bench, unheard(each.format), each.format, message).follow(each, str(result_of(each)))
        if ended is None or not ended.succeeded or is_null_text(str(ended.value)):
            continue
        obj = bench.stock.adopt_ref(message.cls, str(ended.value))
        if own and "name_label" in given:
            _judge_object(bench, judge, obj, str(given["name_label"]), each)
        judge.true(obj.ref not in made, "an object for each task", f"{obj.ref} for two", *told[0])
        made[obj.ref] = obj.cls
    for ref, cls in made.items():
        bench.stock.remove(bench.stock.object_of(cls, ref))


def _judge_object(bench: Bench, judge: Judge, obj: Obj, label: str, begun: Exchange) -> None:
    seen = bench.call(bench.other(begun.format), f"{obj.cls}.get_name_label", obj.ref, probe=True)
    if isinstance(seen.reply.outcome, Success):
        shown = seen.reply.outcome.value
        judge.true(shown == label, f"the object that was asked for, {label!r}", show(shown), begun, seen)


# --------------------------------------------------------------------------------------------------- power states


def one_of_several_changes_the_power_state(bench: Bench, of: ApiClass) -> None:
    """Of calls at the same time that each lead a VM away from its power state one succeeds. Source: introduction."""
    walk = Walk(bench, of)
    try:
        for state, name in LEAVING:
            message = of.messages.get(name)
            if message is None or message.full_name in bench.profile.never:
                continue
            try:
                walk.reach(state)
                if not isinstance(walk.call(message, bench.formats[0], probe=True).reply.outcome, Success):
                    continue  # told by LIFECYCLE-VM, as is a state that is out of reach
            except (Unavailable, Unanswered):
                continue
            with bench.judging(CLAUSE, f"{message.full_name} at once") as judge, clients(bench) as several:
                for turn in range(TURNS if bench.budget.boundaries else 1):
                    if not judge.failed:
                        _judge_power(walk, judge, (message, state), several, turn)
    finally:
        walk.end()


def _judge_power(walk: Walk, judge: Judge, what: tuple[Message, str], several: Sequence[Client], turn: int) -> None:
    (message, state), bench = what, walk.bench
    walk.reach(state)
    args = tuple(walk.args(message))
    calls = [
        partial(client.call, bench.other(bench.formats[0], turn + at), message.full_name, args)
        for at, client in enumerate(several)
    ]
    told = all_at_once(bench, calls)
    done = [each for each in told if isinstance(each.reply.outcome, Success)]
    if not done:
        raise Unavailable(f"{message.full_name}: {describe(told[0])}; counted under LIFECYCLE-VM")
    if len(done) == 1:
        judge.true(True, "", "")
        return
    walk.reach(state)
    in_turn = [walk.call(message, bench.formats[0], probe=True) for _ in range(2)]
    if isinstance(in_turn[1].reply.outcome, Success):
        raise Unavailable(f"{message.full_name} succeeds twice in turn; counted under LIFECYCLE-VM")
    judge.fail(f"one of {len(told)} calls that find the VM {state} succeeds", f"{len(done)} did", *told, *in_turn)


CHECKS: tuple[Check, ...] = (
    Check(CLAUSE, per_server=tasks_are_each_their_own, timed=True),
    Check(CLAUSE, per_class=one_of_several_changes_the_power_state, applies=has_power, timed=True),
)
"""The rows of the suite's table."""
