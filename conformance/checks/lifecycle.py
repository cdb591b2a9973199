"""Level 4, power states: each message that changes one works from the states meant for it, and from no other.

The table is models/power.py. A VM of our own is walked from state to state with the messages that are being judged; a
state that no message leads to on this server leaves what starts there untested, with the server's reason.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import OUR_FAULT
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Api, ApiClass, Message, State
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.lasting import lasting_fields, stands
from xenconform.models.power import HALTED, PAUSED, RUNNING, SUSPENDED, TRANSITIONS, Residence
from xenconform.models.types import NULL_REF
from xenconform.models.values import Ref, Value

CLAUSE = "LIFECYCLE-VM"
STATES = (HALTED, RUNNING, PAUSED, SUSPENDED)
PATIENCE = 6
"""So many times the deadline of a call has a message that starts, stops or moves a whole machine."""
MOST_STEPS = 20
"""More steps than there are messages lead nowhere: a server's VM changes its state by itself."""
NOWHERE = frozenset({NULL_REF, ""})


def has_power(_api: Api, of: ApiClass) -> bool:
    """Whether this is the class whose objects have power states."""
    return of.name == "VM" and any(name in of.messages for name in TRANSITIONS)


def power_states_are_obeyed(bench: Bench, of: ApiClass) -> None:
    """Each message of the table is judged from each state over each format. Source: class reference, VM.

    With a message that may start a VM paused, that is judged too; so is a template in place of a VM.
    """
    walk = Walk(bench, of)
    try:
        for state in STATES:
            for message in walk.messages():
                for fmt in bench.formats:
                    with bench.judging(CLAUSE, f"{message.full_name} from {state}", fmt) as judge:
                        _judge(walk, judge, Step(message, state, fmt))
                    if state in TRANSITIONS[message.name].before and "start_paused" in _params(message):
                        with bench.judging(CLAUSE, f"{message.full_name} paused from {state}", fmt) as judge:
                            _judge(walk, judge, Step(message, state, fmt, paused=True))
        _templates(walk)
    finally:
        walk.end()


@dataclass(frozen=True, slots=True)
class Step:
    """A message of the table from a power state over a format; `paused` asks for a VM that starts paused."""

    message: Message
    state: str
    fmt: Format
    paused: bool = False

    @property
    def after(self) -> str:
        """The power state that follows."""
        return PAUSED if self.paused else TRANSITIONS[self.message.name].after


@dataclass(slots=True)
class Walk:
    """A VM on its way through the power states; `closed` holds why a message leads nowhere from a state."""

    bench: Bench
    of: ApiClass
    closed: dict[tuple[str, str], str] = field(default_factory=dict)
    _vm: Obj | None = None
    _host: Ref = ""

    @property
    def vm(self) -> Obj:
        """The VM, made when first asked for.

        Raises:
            Unavailable: none can be made.
        """
        if self._vm is None:
            self._vm = self.bench.stock.make("VM")
        return self._vm

    def messages(self) -> Iterator[Message]:
        """Return the messages of the table that the release has."""
        for name in TRANSITIONS:
            message = self.of.messages.get(name)
            if message is not None and message.lifecycle.state is not State.REMOVED:
                yield message

    def state(self, fmt: Format) -> tuple[str, Exchange]:
        """Return the VM's power state."""
        return self.bench.ask(fmt, "VM.get_power_state", self.vm.ref)

    def call(self, message: Message, fmt: Format, *, paused: bool = False, probe: bool = False) -> Exchange:
        """Send a message of the table, with the time that it may take."""
        values: dict[str, Value] = {"vm": self.vm.ref, "start_paused": paused, "force": False}
        if "host" in _params(message):
            values["host"] = self.host()
        args = [values[name] for name in _params(message)]
        deadline = PATIENCE * self.bench.client.deadline
        return self.bench.call(fmt, message.full_name, *args, probe=probe, deadline=deadline)

    def host(self) -> Ref:
        """Return the host that messages name: the one that the last start chose, as that one can run the VM."""
        if not self._host:
            self._host = self.bench.stock.readable("host")[0].ref
        return self._host

    def reach(self, state: str) -> None:
        """Bring the VM into a state, by whatever way the server lets it go.

        Raises:
            Unavailable: there is none, with the reason.
        """
        fmt = self.bench.formats[0]
        for _ in range(MOST_STEPS):
            now = self.state(fmt)[0]
            if now == state:
                return
            way = self._way(now, state)
            if way is None:
                why = "; ".join(dict.fromkeys(self.closed.values())) or f"no message leads from {now} there"
                raise Unavailable(f"no VM of this run gets {state}: {why}")
            exchange = self.call(way, fmt)
            if not isinstance(exchange.reply.outcome, Success):
                self.closed[now, way.name] = f"{way.full_name} from {now}: {describe(exchange)}"
                continue
            got = self.state(fmt)[0]
            if got != TRANSITIONS[way.name].after:
                self.closed[now, way.name] = f"{way.full_name} from {now} led to {got}"
            elif got == RUNNING:
                with suppress(Unanswered):
                    lives = self.bench.ask(fmt, "VM.get_resident_on", self.vm.ref)[0]
                    self._host = self._host if lives in NOWHERE else lives
        raise Unavailable(f"no VM of this run gets {state} in {MOST_STEPS} steps")

    def _way(self, now: str, wanted: str) -> Message | None:
        """Return the first message of the shortest way between two states, None where there is no way left."""
        messages = {message.name: message for message in self.messages()}
        found: dict[str, str] = {now: ""}
        queue = deque([now])
        while queue and wanted not in found:
            state = queue.popleft()
            for name in messages:
                row = TRANSITIONS[name]
                usable = state in row.before and (state, name) not in self.closed
                if usable and f"VM.{name}" not in self.bench.profile.never and row.after not in found:
                    found[row.after] = found[state] or name
                    queue.append(row.after)
        return messages.get(found.get(wanted, ""))

    def end(self) -> None:
        """Halt the VM, so that it can be destroyed, and destroy it; what the server will not let go stays noted."""
        if self._vm is None:
            return
        with suppress(Unavailable, Unanswered):
            self.reach(HALTED)
        with suppress(Unavailable):
            self.bench.stock.remove(self._vm)


def _params(message: Message) -> tuple[str, ...]:
    return tuple(param.name for param in message.params)


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
    if isinstance(outcome, Failure) and outcome.code not in OUR_FAULT | {"VM_BAD_POWER_STATE"}:
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
    exchange = walk.call(step.message, step.fmt, probe=True)
    if bench.is_missing(exchange):
        raise Unanswered(exchange, missing=True)
    if judge.refused(exchange, f"{step.message.full_name} of a VM that is {step.state}"):
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
    judge.code(exchange, "VM_BAD_POWER_STATE", vm, None, None)
    outcome = exchange.reply.outcome
    if judge.failed or not isinstance(outcome, Failure):
        return
    meant = {state.lower() for state in TRANSITIONS[step.message.name].before}
    expected = set(re.findall(r"[a-z]+", str(outcome.params[1]).lower())) & {state.lower() for state in STATES}
    said = describe(exchange)
    judge.true(bool(expected) and expected <= meant, f"expected: {', '.join(sorted(meant))}", said, exchange)
    judge.true(str(outcome.params[2]).lower() == step.state.lower(), f"actual: {step.state}", said, exchange)


def _templates(walk: Walk) -> None:
    """Judge the messages from Halted that declare VM_IS_TEMPLATE on a template, which never starts."""
    bench = walk.bench
    for message in walk.messages():
        if HALTED not in TRANSITIONS[message.name].before or "VM_IS_TEMPLATE" not in message.errors:
            continue
        for fmt in bench.formats:
            with bench.judging(CLAUSE, f"{message.full_name} of a template", fmt) as judge:
                walk.reach(HALTED)
                bench.ask(fmt, "VM.set_is_a_template", walk.vm.ref, True)
                try:
                    _is_no_vm(walk, judge, message, fmt)
                finally:
                    bench.call(fmt, "VM.set_is_a_template", walk.vm.ref, False)


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
