"""Level 4, events of a VM's power: that it starts and stops is told, with the power state that it then has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable
from xenconform.conformance.checks.lifecycle import has_power
from xenconform.conformance.checks.power_walk import Walk
from xenconform.conformance.checks.watch import Told, Watch, describe_all
from xenconform.conformance.checks.watching import CLAUSE, MOMENT
from xenconform.models.api import ApiClass
from xenconform.models.power import HALTED, RUNNING


def power_states_are_told(bench: Bench, of: ApiClass) -> None:
    """A change of a VM's power state is told as any other. Source: class reference, event (SHOULD)."""
    walk = Walk(bench, of)
    try:
        for at, state in enumerate((RUNNING, HALTED, RUNNING, HALTED)):
            walk.by_task = at // 2 == 1  # a watcher hears of what tasks do as well
            fmt = bench.formats[(bench.seed + at) % len(bench.formats)]
            with bench.judging(CLAUSE, f"VM becomes {state}{' by a task' * walk.by_task}", fmt) as judge:
                watch = Watch(bench, judge, fmt, (f"VM/{walk.vm.ref}",))
                watch.read(MOMENT)
                _judge(walk, judge, watch, state)
    finally:
        walk.end()


def _judge(walk: Walk, judge: Judge, watch: Watch, state: str) -> None:
    if walk.state(watch.fmt)[0] == state:
        raise Unavailable(f"the VM is {state} already")
    try:
        walk.reach(state)
    except Unanswered as why:
        raise Unavailable(f"{why}; counted under LIFECYCLE-VM") from why
    told = watch.until(partial(_shows, state))
    shown = [each.snapshot.get("power_state", "") for each in told]
    said = f"{describe_all(told)} {shown}"
    judge.true(_shows(state, told), f"mod of {walk.vm.ref}, power_state {state}", said, watch.exchange)


def _shows(state: str, told: Sequence[Told]) -> bool:
    return any(each.operation == "mod" and each.snapshot.get("power_state", state) == state for each in told)


CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_class=power_states_are_told, applies=has_power),)
