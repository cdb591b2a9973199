"""Level 4, power states: each message that changes one works from the states meant for it, and from no other.

The table is models/power.py. A VM of our own is walked from state to state with the messages that are being judged,
while another one runs and is to be left alone.
"""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import cycle

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import OUR_FAULT
from xenconform.conformance.checks.judging import Judge, NotOffered, Unanswered, Unavailable, describe, show
from xenconform.conformance.checks.lost import is_refused
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.power_walk import BAD_STATE, FLAGS, NOWHERE, Step, Walk, params
from xenconform.conformance.checks.watch import change
from xenconform.models.api import Api, ApiClass, Message
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.lasting import lasting_fields, stands
from xenconform.models.power import HALTED, PAUSED, RUNNING, SUSPENDED, TRANSITIONS, Residence
from xenconform.models.values import Ref

CLAUSE = "LIFECYCLE-VM"
STATES = (HALTED, RUNNING, PAUSED, SUSPENDED)


def has_power(_api: Api, of: ApiClass) -> bool:
    """Whether this is the class whose objects have power states."""
    return of.name == "VM" and any(name in of.messages for name in TRANSITIONS)


def power_states_are_obeyed(bench: Bench, of: ApiClass) -> None:
    """Each message of the table is judged from each state over each format. Source: class reference, VM.

    With a message that may start a VM paused, that is judged too; so is a template in place of a VM.
    """
    walk, other = Walk(bench, of, paused_ways=True), Walk(bench, of)
    session = ""
    try:
        with suppress(Unavailable):
            session = opened(bench, bench.formats[0])
        with suppress(Unavailable, Unanswered):
            other.reach(RUNNING)
            other.runs = True
        for state in STATES:
            for at, message in enumerate(walk.messages()):
                for fmt in bench.formats:
                    # What leads to where it is judged are plain calls, tasks, and calls in another session, in turn.
                    walk.by_task = fmt is bench.other(bench.formats[0], len(message.name))
                    walk.aside = session if fmt is bench.other(bench.formats[0], len(message.name) + 1) else ""
                    if fmt is bench.formats[-1] and RUNNING == state in TRANSITIONS[message.name].before:
                        _has_been_elsewhere(walk, message, at)
                    with bench.judging(CLAUSE, Step(message, state, fmt).said, fmt) as judge:
                        _judge(walk, judge, Step(message, state, fmt))
                        _runs_on(other, judge, walk, Step(message, state, fmt))
                    if state in TRANSITIONS[message.name].before and "start_paused" in params(message):
                        with bench.judging(CLAUSE, Step(message, state, fmt, paused=True).said, fmt) as judge:
                            _judge(walk, judge, Step(message, state, fmt, paused=True))
        for state, fmt in zip(STATES, cycle(bench.formats), strict=False):
            with bench.judging(CLAUSE, f"VM {state} written", fmt) as judge:
                _stays_when_written(walk, judge, state)
        _templates(walk)
        _snapshots(walk)
        _ways_lead_there(walk)
    finally:
        walk.by_task, walk.aside = False, ""
        walk.end()
        other.end()
        if session:
            bench.call(bench.formats[0], "session.logout", session=session)


def _stays_when_written(walk: Walk, judge: Judge, state: str) -> None:
    """Judge that a VM to which a field is written stays as it is; twice, for it may stop by itself."""
    bench, fmt = walk.bench, Format(judge.format)
    for _ in range(2):
        walk.reach(state)
        field, value = change(bench, fmt, walk.vm)
        now, seen = walk.state(bench.other(fmt))
        if now == state:
            judge.true(True, "", "")
            return
    judge.fail(f"{state}, after {field.name} was set to {show(value)} too", now, seen)


def _has_been_elsewhere(walk: Walk, message: Message, turn: int) -> None:
    """Suspend the VM, or pause it, before it is to run: what follows need not follow where it was just started."""
    others = [state for state in (PAUSED, SUSPENDED) if state != TRANSITIONS[message.name].after]
    with suppress(Unavailable, Unanswered):
        walk.reach(others[turn % len(others)])


def _ways_lead_there(walk: Walk) -> None:
    """Tell of each step on the way that did not lead where it does when it is judged: whatever came before, it is to.

    A refusal for a reason of the server's domain is none of these.
    """
    for step, actual, exchange in walk.amiss:
        with walk.bench.judging(CLAUSE, step.said, step.fmt) as judge:
            judge.fail(f"power_state {step.after}", actual, exchange)


def _runs_on(other: Walk, judge: Judge, walk: Walk, step: Step) -> None:
    """Judge that another VM, where one can be made to run, still does.

    It may stop by itself: a finding is only what the message does a second time.
    """
    fmt = walk.bench.other(step.fmt)
    with suppress(Unavailable, Unanswered):
        if not other.runs or other.state(fmt)[0] == RUNNING:
            return
        other.runs = False
        walk.reach(step.state)
        other.reach(RUNNING)
        other.runs = True
        if other.state(fmt)[0] == RUNNING:
            exchange = walk.call(step.message, step.fmt, paused=step.paused, probe=True)
            state, seen = other.state(fmt)
            judge.true(state == RUNNING, "another VM Running, as before", f"it is {state}", exchange, seen)


def _judge(walk: Walk, judge: Judge, step: Step) -> None:
    if step.message.full_name in walk.bench.profile.never:
        raise Unavailable(f"the profile {walk.bench.profile.name} says never to call {step.message.full_name}")
    walk.reach(step.state)
    if step.state in TRANSITIONS[step.message.name].before:
        _works(walk, judge, step)
    else:
        _is_refused(walk, judge, step)


def _works(walk: Walk, judge: Judge, step: Step) -> None:
    """Judge a message from a state that is meant for it.

    A refusal with any other code than VM_BAD_POWER_STATE is the server's domain (hardware, memory, no disk to boot
    from, a licence), unless it is one that tells of a bad call: ours is good.
    """
    bench, row = walk.bench, TRANSITIONS[step.message.name]
    before, _ = bench.ask(step.fmt, "VM.get_resident_on", walk.vm.ref)
    exchange = walk.call(step.message, step.fmt, paused=step.paused)
    outcome = exchange.reply.outcome
    if is_refused(exchange, BAD_STATE) and step.is_contested:
        raise NotOffered(describe(exchange))
    ours = OUR_FAULT | {BAD_STATE}
    if isinstance(outcome, Failure) and outcome.code == "VM_IS_TEMPLATE":
        ours |= set() if bench.ask(step.fmt, "VM.get_is_a_template", walk.vm.ref)[0] else {"VM_IS_TEMPLATE"}
    if isinstance(outcome, Failure) and outcome.code not in ours:
        raise Unanswered(exchange, domain=True, missing=bench.is_missing(exchange))
    if not isinstance(outcome, Success):
        raise Unanswered(exchange, missing=bench.is_missing(exchange))
    read = bench.other(step.fmt)
    state, seen = walk.state(read)
    judge.true(state == step.after, f"power_state {step.after}", f"power_state {state}", exchange, seen)
    lives, seen = bench.ask(read, "VM.get_resident_on", walk.vm.ref)
    match row.residence:
        case Residence.CLEARED:
            judge.true(lives in NOWHERE, "resident_on null", f"resident_on {lives}", exchange, seen)
        case Residence.FIRST:
            judge.true(lives not in NOWHERE, "resident_on a host", f"resident_on {lives}", exchange, seen)
        case Residence.GIVEN:
            judge.true(lives == walk.host(), f"resident_on {walk.host()}", f"resident_on {lives}", exchange, seen)
        case Residence.KEPT:
            judge.true(lives == before, f"resident_on {before}", f"resident_on {lives}", exchange, seen)


def _is_refused(walk: Walk, judge: Judge, step: Step) -> None:
    """Judge a message from a state that is not meant for it: the error, its parameters, and that nothing changed."""
    bench, vm = walk.bench, walk.vm.ref
    read = bench.other(step.fmt)
    before, _ = bench.ask(read, "VM.get_record", vm)
    given = [set(), set(FLAGS) & set(params(step.message))]
    for flags in given if given[1] else given[:1]:
        exchange = walk.call(step.message, step.fmt, paused="start_paused" in flags, force="force" in flags, probe=True)
        if bench.is_missing(exchange):
            raise Unanswered(exchange, missing=True)
        said = "".join(f" with {flag}" for flag in sorted(flags))
        if judge.refused(exchange, f"{step.message.full_name}{said} of a VM that is {step.state}"):
            _bad_power_state(judge, exchange, vm, step)
    after, seen = bench.ask(read, "VM.get_record", vm)
    fields = {each.name: each for each in lasting_fields(bench.api, walk.of, own=True)}
    fields |= {"resident_on": walk.of.fields["resident_on"]}
    for name in sorted(fields.keys() & before.keys() & after.keys()):
        if not stands(walk.of, fields[name], before[name], after[name]):
            judge.fail(f"{name} {before[name]!r}, as before", f"{name} {after[name]!r}", exchange, seen)


def _bad_power_state(judge: Judge, exchange: Exchange, vm: Ref, step: Step) -> None:
    """Assert VM_BAD_POWER_STATE [vm, expected, actual]; states are compared without case.

    A server may name fewer expected states than there are, in any order and with any marks between.
    """
    judge.code(exchange, BAD_STATE, vm, None, None)
    outcome = exchange.reply.outcome
    if judge.failed or not isinstance(outcome, Failure):
        return
    meant = {state.lower() for state in TRANSITIONS[step.message.name].before}
    expected = set(re.findall(r"[a-z]+", str(outcome.params[1]).lower())) & {state.lower() for state in STATES}
    said = describe(exchange)
    judge.true(bool(expected) and expected <= meant, f"expected: {', '.join(sorted(meant))}", said, exchange)
    judge.true(str(outcome.params[2]).lower() == step.state.lower(), f"actual: {step.state}", said, exchange)


def _declining_templates(walk: Walk) -> list[Message]:
    """Return the messages from Halted that declare VM_IS_TEMPLATE."""
    halted = (message for message in walk.messages() if HALTED in TRANSITIONS[message.name].before)
    return [message for message in halted if "VM_IS_TEMPLATE" in message.errors]


def _templates(walk: Walk) -> None:
    """Judge the messages from Halted that declare VM_IS_TEMPLATE on a template, which never starts."""
    bench = walk.bench
    for message in _declining_templates(walk):
        for fmt in bench.formats:
            with bench.judging(CLAUSE, f"{message.full_name} of a template", fmt) as judge:
                walk.reach(HALTED)
                bench.ask(fmt, "VM.set_is_a_template", walk.vm.ref, True)
                try:
                    _is_no_vm(walk, judge, message, fmt)
                finally:
                    bench.call(fmt, "VM.set_is_a_template", walk.vm.ref, False)
            with bench.judging(CLAUSE, f"{message.full_name} of what was a template", fmt) as judge:
                _judge(walk, judge, Step(message, HALTED, fmt))


def _snapshots(walk: Walk) -> None:
    """Judge the same messages on a snapshot, which never starts either, whatever the server says of it."""
    bench = walk.bench
    for message in _declining_templates(walk):
        for fmt in bench.formats:
            with bench.judging(CLAUSE, f"{message.full_name} of a snapshot", fmt) as judge:
                snapshot = walk.snapshot(fmt)
                before, _ = bench.ask(bench.other(fmt), "VM.get_power_state", snapshot)
                exchange = walk.call(message, fmt, probe=True, vm=snapshot)
                judge.refused(exchange, f"{message.full_name} of a snapshot")
                state, seen = bench.ask(bench.other(fmt), "VM.get_power_state", snapshot)
                judge.true(state == before, f"power_state {before}, as before", f"power_state {state}", exchange, seen)


def _is_no_vm(walk: Walk, judge: Judge, message: Message, fmt: Format) -> None:
    exchange = walk.call(message, fmt, probe=True)
    outcome = exchange.reply.outcome
    if isinstance(outcome, Failure) and outcome.code != "VM_IS_TEMPLATE" and outcome.code not in OUR_FAULT:
        raise Unanswered(exchange, domain=True, missing=walk.bench.is_missing(exchange))
    if judge.refused(exchange, f"{message.full_name} of a template"):
        judge.code(exchange, "VM_IS_TEMPLATE", walk.vm.ref)
    state, seen = walk.state(walk.bench.other(fmt))
    judge.true(state == HALTED, f"power_state {HALTED}", f"power_state {state}", exchange, seen)


CHECKS = (Check(CLAUSE, per_class=power_states_are_obeyed, applies=has_power),)
