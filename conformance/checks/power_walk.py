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
from xenconform.models.power import HALTED, PAUSED, RUNNING, TRANSITIONS
from xenconform.models.types import NULL_REF
from xenconform.models.values import Ref, Value

PATIENCE = 6
"""So many times the deadline of a call has a message that starts, stops or moves a whole machine."""
MOST_STEPS = 20
"""More steps than there are messages lead nowhere: a server's VM changes its state by itself."""
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
    def after(self) -> str:
        """The power state that follows."""
        return PAUSED if self.paused else TRANSITIONS[self.message.name].after


@dataclass(slots=True)
class Walk:
    """A VM on its way through the power states; `closed` holds why a message leads nowhere from a state.

    `runs` says, of a VM that is to be left alone, that it was seen running. `by_task` says that the next ways are gone
    by tasks, where the server lets them, `aside` that they are in a session besides the run's: what a message
    believes of a state has to follow them too.
    """

    bench: Bench
    of: ApiClass
    closed: dict[tuple[str, str], str] = field(default_factory=dict)
    runs: bool = False
    by_task: bool = False
    aside: Ref = ""
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
        for _ in range(MOST_STEPS):
            now = self.state(fmt)[0]
            if now == state:
                return
            way = self._way(now, state)
            if way is None:
                why = "; ".join(dict.fromkeys(self.closed.values())) or f"no message leads from {now} there"
                raise Unavailable(f"no VM of this run gets {state}: {why}")
            if self.by_task and self._went_by_task(way, fmt):
                continue
            exchange = self._call_aside(way, fmt) if self.aside else self.call(way, fmt)
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

    def _call_aside(self, way: Message, fmt: Format) -> Exchange:
        """Send a message in the other session; where that has ended, in the run's from then on."""
        deadline = PATIENCE * self.bench.client.deadline
        args = self.args(way)
        exchange = self.bench.call(fmt, way.full_name, *args, session=self.aside, deadline=deadline)
        if not is_refused(exchange, "SESSION_INVALID"):
            return exchange
        self.aside = ""
        return self.call(way, fmt)

    def _went_by_task(self, way: Message, fmt: Format) -> bool:
        """Send a message as a task and await its end; whether it led where the message leads."""
        with suppress(Unanswered, Unavailable):
            ended = Async(self.bench, unheard(fmt), fmt, way).run(*self.args(way))
            if ended is not None and ended.succeeded:
                return self.state(fmt)[0] == TRANSITIONS[way.name].after
        return False

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
        if self._snapshot is not None:
            with suppress(Unavailable):
                self.bench.stock.remove(self._snapshot)
        with suppress(Unavailable):
            self.bench.stock.remove(self._vm)


def params(message: Message) -> tuple[str, ...]:
    """Return the names of a message's parameters, the session left out."""
    return tuple(param.name for param in message.params)
