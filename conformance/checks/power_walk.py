"""A VM of our own on its way through the power states, with the messages that are being judged.

A state that no message leads to on this server leaves what starts there untested, with the server's reason.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unanswered, Unavailable, describe, unheard
from xenconform.conformance.checks.lost import is_refused
from xenconform.conformance.checks.stock import TAG, Obj
from xenconform.models.api import ApiClass, Message, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.power import CONTESTED, HALTED, PAUSED, RUNNING, TRANSITIONS
from xenconform.models.types import NULL_REF
from xenconform.models.values import Ref, Value

PATIENCE = 6
"""So many times the deadline of a call has a message that starts, stops or moves a whole machine."""
MOST_STEPS = 20
"""More steps than there are messages lead nowhere: a server's VM changes its state by itself."""
BAD_STATE = "VM_BAD_POWER_STATE"
"""What a message fails with that does not work from a power state."""
NOWHERE = frozenset({NULL_REF, ""})
FLAGS = ("start_paused", "force")
"""Parameters that no state is left out by: a message that is refused is so whatever they say."""


@dataclass(frozen=True, slots=True)
class Step:
    """A message of the table from a power state over a format; `paused` asks for a VM that starts paused."""

    message: Message
    state: str
    fmt: Format
    paused: bool = False

    @property
    def said(self) -> str:
        """The message and the state, as an element of a finding has them."""
        return f"{self.message.full_name}{' paused' * self.paused} from {self.state}"

    @property
    def after(self) -> str:
        """The power state that follows."""
        return PAUSED if self.paused else TRANSITIONS[self.message.name].after

    @property
    def is_contested(self) -> bool:
        """Whether a server may refuse it from this state as well."""
        return self.state in CONTESTED.get(self.message.name, ())


@dataclass(slots=True)
class Walk:
    """A VM on its way through the power states; `closed` holds why a step leads nowhere.

    `runs` says, of a VM that is to be left alone, that it was seen running. `by_task` says that the next ways are gone
    by tasks, where the server lets them, `aside` that they are in a session besides the run's: what a message
    believes of a state has to follow them too. `paused_ways` says that starts that end Paused are ways as well, in turn
    with pause. `amiss` holds the steps that did not lead where they lead from the state that the VM was seen in, with
    what came.
    """

    bench: Bench
    of: ApiClass
    closed: dict[str, str] = field(default_factory=dict)
    runs: bool = False
    by_task: bool = False
    aside: Ref = ""
    paused_ways: bool = False
    amiss: list[tuple[Step, str, Exchange]] = field(default_factory=list)
    _turn: int = 0
    _vm: Obj | None = None
    _snapshot: Obj | None = None
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

    def call(
        self,
        message: Message,
        fmt: Format,
        *,
        paused: bool = False,
        force: bool = False,
        probe: bool = False,
        vm: Ref = "",
    ) -> Exchange:
        """Send a message of the table, with the time that it may take; to another VM where one is named."""
        args = self.args(message, paused=paused, force=force, vm=vm)
        deadline = PATIENCE * self.bench.client.deadline
        return self.bench.call(fmt, message.full_name, *args, probe=probe, deadline=deadline)

    def args(self, message: Message, *, paused: bool = False, force: bool = False, vm: Ref = "") -> list[Value]:
        """Return the arguments of a message of the table."""
        values: dict[str, Value] = {"vm": vm or self.vm.ref, "start_paused": paused, "force": force}
        if "host" in params(message):
            values["host"] = self.host()
        return [values[name] for name in params(message)]

    def host(self) -> Ref:
        """Return the host that messages name: the one that the last start chose, as that one can run the VM."""
        if not self._host:
            self._host = self.bench.stock.readable("host")[0].ref
        return self._host

    def snapshot(self, fmt: Format) -> Ref:
        """Return a snapshot of the VM, which is halted; taken when first asked for.

        Raises:
            Unavailable: the server takes none.
        """
        if self._snapshot is None:
            self.reach(HALTED)
            values: dict[str, Value] = {"vm": self.vm.ref, "new_name": f"{TAG} snapshot"}
            message = self.of.messages.get("snapshot")
            if message is None or message.full_name in self.bench.profile.never:
                raise Unavailable("no message takes a snapshot")
            args = [values.get(name, ()) for name in params(message)]
            exchange = self.bench.call(fmt, message.full_name, *args)
            if not isinstance(exchange.reply.outcome, Success):
                raise Unavailable(f"no snapshot: {describe(exchange)}")
            self._snapshot = self.bench.stock.adopt("VM", exchange)
        return self._snapshot.ref

    def reach(self, state: str) -> None:
        """Bring the VM into a state, by whatever way the server lets it go.

        Raises:
            Unavailable: there is none, with the reason.
        """
        fmt = self.bench.formats[0]
        now = self.state(fmt)[0]
        for _ in range(MOST_STEPS):
            if now == state:
                return
            way = self._paused_way(now, state, fmt) or self._way(now, state, fmt)
            if way is None:
                why = "; ".join(dict.fromkeys(self.closed.values())) or f"no message leads from {now} there"
                raise Unavailable(f"no VM of this run gets {state}: {why}")
            if self.by_task and self._went_by_task(way):
                now = way.after
                continue
            exchange = self._go(way)
            now = got = self.state(fmt)[0]
            if not isinstance(exchange.reply.outcome, Success):
                self.closed[way.said] = f"{way.said}: {describe(exchange)}"
                if is_refused(exchange, BAD_STATE) and got == way.state and not way.is_contested:
                    self.amiss.append((way, describe(exchange), exchange))
            elif got != way.after:
                self.closed[way.said] = f"{way.said} led to {got}"
                self.amiss.append((way, f"power_state {got}", exchange))
            elif got == RUNNING:
                with suppress(Unanswered):
                    lives = self.bench.ask(fmt, "VM.get_resident_on", self.vm.ref)[0]
                    self._host = self._host if lives in NOWHERE else lives
        raise Unavailable(f"no VM of this run gets {state} in {MOST_STEPS} steps")

    def _go(self, way: Step) -> Exchange:
        """Send a message in the other session if there is one; where that has ended, in the run's from then on."""
        if not self.aside:
            return self.call(way.message, way.fmt, paused=way.paused)
        deadline = PATIENCE * self.bench.client.deadline
        args = self.args(way.message, paused=way.paused)
        exchange = self.bench.call(way.fmt, way.message.full_name, *args, session=self.aside, deadline=deadline)
        if not is_refused(exchange, "SESSION_INVALID"):
            return exchange
        self.aside = ""
        return self._go(way)

    def _went_by_task(self, way: Step) -> bool:
        """Send a message as a task and await its end; whether it led where the message leads."""
        with suppress(Unanswered, Unavailable):
            args = self.args(way.message, paused=way.paused)
            ended = Async(self.bench, unheard(way.fmt), way.fmt, way.message).run(*args)
            if ended is not None and ended.succeeded:
                return self.state(way.fmt)[0] == way.after
        return False

    def _paused_way(self, now: str, wanted: str, fmt: Format) -> Step | None:
        """Return a way to Paused by a start that ends there, by each such message in turn and then by none."""
        if not self.paused_ways or wanted != PAUSED:
            return None
        steps = [Step(each, now, fmt, paused=True) for each in self.messages() if "start_paused" in params(each)]
        steps = [each for each in steps if now in TRANSITIONS[each.message.name].before and self._is_open(each)]
        self._turn += 1
        return [*steps, None][(self._turn - 1) % (len(steps) + 1)]

    def _is_open(self, way: Step) -> bool:
        return way.said not in self.closed and way.message.full_name not in self.bench.profile.never

    def _way(self, now: str, wanted: str, fmt: Format) -> Step | None:
        """Return the first step of the shortest way between two states, None where there is no way left."""
        found: dict[str, Step | None] = {now: None}
        queue = deque([now])
        while queue and wanted not in found:
            state = queue.popleft()
            for message in self.messages():
                step, row = Step(message, state, fmt), TRANSITIONS[message.name]
                if state in row.before and self._is_open(step) and row.after not in found:
                    found[row.after] = found[state] or step
                    queue.append(row.after)
        return found.get(wanted)

    def end(self) -> None:
        """Halt the VM, so that it can be destroyed, and destroy it; what the server will not let go stays noted."""
        if self._vm is None:
            return
        with suppress(Unavailable, Unanswered):
            self.reach(HALTED)
        if self._snapshot is not None:
            with suppress(Unavailable):
                self.bench.stock.remove(self._snapshot)
        with suppress(Unavailable):
            self.bench.stock.remove(self._vm)


def params(message: Message) -> tuple[str, ...]:
    """Return the names of a message's parameters, the session left out."""
    return tuple(param.name for param in message.params)
