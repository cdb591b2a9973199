"""Plays steps on a server: each is expected before it is sent, judged when it comes back, and then believed.

The only place of the machine that makes calls. Handles become the server's refs here and nowhere else.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unavailable, describe
from xenconform.conformance.machine.devices import adopt_devices
from xenconform.conformance.machine.rewriting import renewed
from xenconform.models.acts import REVERT, is_act
from xenconform.models.belief import Belief, firm_fields
from xenconform.models.calls import Breach, Call, Failure, Format, Outcome, Success
from xenconform.models.cases import Case, Expect, Step, Wanted
from xenconform.models.exchange import Exchange
from xenconform.models.matching import allows, in_enums, inward, outward
from xenconform.models.telling import told
from xenconform.models.types import NULL_REF, MapOf, SetOf, Void
from xenconform.models.values import Handle, Ref, Value
from xenconform.models.world import World

LOGIN = "session.login_with_password"
LOGOUT = "session.logout"


class Stopped(Exception):  # noqa: N818 - not an error: why a sequence is not judged any further
    """A sequence ends here without a finding; the text is the reason."""


class Mismatch(AssertionError):  # noqa: N818 - what a machine's example fails with: data for a finding
    """A reply that the rules do not allow."""

    def __init__(self, step: Step, outcome: Outcome, exchange: Exchange, said: tuple[str, str]) -> None:
        self.expected, self.actual = said
        super().__init__(f"{step.call.message}: expected {self.expected}; actual {self.actual}")
        self.step = step
        self.outcome = outcome
        self.exchange = exchange


@dataclass(slots=True)
class Names:
    """Which handle stands for which of the server's refs, the refs of ended objects too, and the uuids read."""

    refs: dict[Handle, Ref] = field(default_factory=dict)
    handles: dict[Ref, Handle] = field(default_factory=dict)
    uuids: dict[Handle, str] = field(default_factory=dict)

    def bind(self, handle: Handle, ref: Ref) -> None:
        """Note that an object is known by a handle from here on."""
        self.refs[handle] = ref
        self.handles[ref] = handle

    def ref(self, handle: Handle) -> Ref:
        """Return the server's ref of an object; KeyError where there is none."""
        return NULL_REF if handle.is_null else self.refs[handle]


class Player:
    """One sequence on one server: the steps played, with what was expected, and what was believed before each."""

    def __init__(self, bench: Bench, *, salt: str = "case") -> None:
        firm = firm_fields(bench.api, bench.profile)
        self.bench = bench
        self.belief = Belief(World(bench.api, salt=salt), firm)
        self.names = Names()
        self.steps: list[Step] = []
        self.beliefs: list[Belief] = []
        self.exchanges: list[Exchange] = []
        self._sessions: dict[int, str] = {}
        self._ended: set[int] = set()
        self._devices: set[Ref] = set()

    def next_handle(self, cls: str) -> Handle:
        """Return a handle for one more object."""
        return Handle(cls, self.belief.world.last + 1)

    def has_ended(self, session: int) -> bool:
        """Whether the session was logged out."""
        return session in self._ended

    def expect(self, step: Step) -> Expect:
        """Return what the reply to a step must be, by what is believed now."""
        if step.session in self._ended:
            return Expect(Void(), Wanted.NOTHING, codes=("*",))
        if step.call.message == LOGOUT:
            return Expect(Void(), Wanted.ANY)
        found = self.belief.message(step.call)
        if step.makes is not None and found is not None and isinstance(found.result, SetOf | MapOf):
            return Expect(found.result, Wanted.ANY)
        return self.belief.expect(step.call, step.makes)

    def play(self, step: Step) -> Outcome:
        """Send a step, judge the reply, believe it; return the outcome, its refs turned inward.

        Raises:
            Mismatch: the rules do not allow the reply.
            Stopped: there is no reply that could be judged, or nothing to send.
        """
        message = self.belief.message(step.call)
        for param, arg in zip(message.params if message else (), step.call.args, strict=False):
            if not in_enums(param.type, arg):
                raise Stopped(f"{arg!r} is no {param.type}: what comes of it is counted under WIRE-ENUM")
        step = replace(step, expect=self.expect(step), refused=False)
        exchange, outcome = self.send(step)
        assert step.expect is not None
        self.steps.append(step)
        self.beliefs.append(self.belief)
        if isinstance(outcome, Breach):
            raise Stopped(f"no readable answer to {step.call.message}: {outcome.kind}; counted under the wire clauses")
        if not self.judge(step, outcome):
            raise Mismatch(step, outcome, exchange, told(self.bench.api, step.expect, outcome, self.belief.made))
        if isinstance(outcome, Failure) and step.expect.wanted is not Wanted.NOTHING:
            self.steps[-1] = replace(step, refused=True)  # a script has no belief: it must know what went which way
        self._believe(step, outcome)
        return outcome

    def judge(self, step: Step, outcome: Outcome) -> bool:
        """Whether a step's outcome is one that it expects."""
        assert step.expect is not None
        if isinstance(outcome, Success) and step.expect.wanted is Wanted.NEW:
            taken = outcome.value in self.names.uuids.values() or not isinstance(outcome.value, str)
            if taken or outcome.value in self.names.handles:
                return False
        return allows(self.bench.api, step.call, step.expect, outcome, self.belief.made)

    def send(self, step: Step) -> tuple[Exchange, Outcome]:
        """Send a step and return the exchange and its outcome turned inward, nothing judged."""
        assert step.expect is not None
        probe = step.expect.wanted is Wanted.NOTHING
        try:
            args = tuple(outward(arg, self.names.ref, self.names.uuids.__getitem__) for arg in step.call.args)
            if step.session:
                session = self._session(step.session, step.format)
                exchange = self.bench.call(step.format, step.call.message, *args, probe=probe, session=session)
            else:
                exchange = self.bench.call(step.format, step.call.message, *args, probe=probe)
        except Unavailable as why:
            raise Stopped(str(why)) from why
        except KeyError as unbound:
            raise Stopped(f"{unbound.args[0]} is known by no ref") from unbound
        self.exchanges.append(exchange)
        return exchange, self.inward(step, exchange.reply.outcome)

    def inward(self, step: Step, outcome: Outcome) -> Outcome:
        """Return an outcome with handles for refs."""
        message = self.belief.message(step.call)
        if not isinstance(outcome, Success) or message is None:
            return outcome
        return Success(inward(self.bench.api, message.result, outcome.value, self.names.handles))

    def _believe(self, step: Step, outcome: Success | Failure) -> None:
        if step.call.message == LOGOUT:
            self._ended.add(step.session)
            return
        if step.session in self._ended or not isinstance(outcome, Success):
            return
        if step.makes is not None:
            self._name(step, outcome.value)
        self._adopt_devices(step)
        self.belief = self.belief.follow(step.call, outcome, step.makes)
        self._note_uuid(step, outcome.value)
        self._note_end(step)

    def _name(self, step: Step, value: Value) -> None:
        assert step.makes is not None
        if isinstance(value, str):
            self.names.bind(step.makes, value)
            if self.belief.branch(step.call, step.makes).touched:
                self.bench.stock.adopt_ref(step.makes.cls, value)
            else:
                self.belief = self.belief.adopt(step.makes)
            return
        unnamed = [ref for ref in value if isinstance(ref, str)]
        if not unnamed:
            raise Stopped(f"{step.call.message} lists no {step.makes.cls} that has no name yet")
        self.names.bind(step.makes, unnamed[0])
        self.belief = self.belief.adopt(step.makes)

    def _adopt_devices(self, step: Step) -> None:
        """Note the devices that a copy of a VM brings with it, so that they are removed at the end; none is named."""
        message = self.belief.message(step.call)
        if message is None or not is_act(self.bench.api, message) or message.cls != "VM":
            return
        vm = step.makes if step.makes is not None else step.call.args[0]
        if message.full_name == REVERT:
            vm = (self.belief.world.record(vm) or {}).get("snapshot_of", vm)
        if (step.makes is not None or message.full_name == REVERT) and vm in self.names.refs:
            self._devices |= adopt_devices(self.bench, self.names.refs[vm], self.names.handles)

    def _note_uuid(self, step: Step, value: Value) -> None:
        _, _, name = step.call.message.partition(".")
        if name == "get_uuid":
            self.names.uuids[step.call.args[0]] = value
        elif name == "get_record" and isinstance(value.get("uuid"), str):
            self.names.uuids[step.call.args[0]] = value["uuid"]

    def _note_end(self, step: Step) -> None:
        cls, _, name = step.call.message.partition(".")
        of = self.bench.api.classes.get(cls)
        if of is not None and name == of.destructor and step.call.args:
            ref = self.names.refs.get(step.call.args[0])
            for obj in [each for each in self.bench.stock.made if (each.cls, each.ref) == (cls, ref)]:
                self.bench.stock.forget(obj)

    def _session(self, number: int, fmt: Format) -> str:
        """Return the ref of a session, logged in now if it never was."""
        if number not in self._sessions:
            known = self.bench.client.credentials
            if known is None:
                raise Stopped("the run has no credentials to open a session with")
            exchange = self.bench.call(
                fmt, LOGIN, known.user, known.password, known.version, known.originator, session=None
            )
            outcome = exchange.reply.outcome
            if not isinstance(outcome, Success):
                raise Stopped(f"no further session: {describe(exchange)}; counted under SESSION-LOGIN")
            self._sessions[number] = str(outcome.value)
        return self._sessions[number]

    def close(self) -> None:
        """Remove what was made, newest first, and log out the further sessions; nothing of it is judged."""
        stock = self.bench.stock
        ours = set(self.names.handles) | self._devices
        left = [obj for obj in reversed(stock.made) if obj.ref in ours]
        for _ in range(2):
            left = [obj for obj in left if not self._removed(obj.cls, obj.ref)]
        for number in self._sessions.keys() - self._ended:
            with suppress(Unavailable):  # a server that leaves logout without an answer keeps its sessions
                self.bench.call(self.bench.formats[0], LOGOUT, session=self._sessions[number], probe=True)

    def _removed(self, cls: str, ref: Ref) -> bool:
        stock = self.bench.stock
        try:
            obj = next(each for each in stock.made if (each.cls, each.ref) == (cls, ref))
            gone = stock.remove(obj)
        except (Unavailable, StopIteration):
            return True
        if gone:
            stock.forget(obj)
        return gone


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a case on a server: `at` is the step that failed, -1 where none did.

    `stopped` says why it could not be played to its end, "" where it was.
    """

    failed: bool
    at: int = -1
    said: str = ""
    stopped: str = ""
    mismatch: Mismatch | None = None
    steps: tuple[Step, ...] = ()
    beliefs: tuple[Belief, ...] = ()
    exchanges: tuple[Exchange, ...] = ()


def play(bench: Bench, case: Case) -> Played:
    """Play a sequential case on a server and clean up behind it.

    Each step is judged by what is believed at that moment on this server, and besides by what the case itself
    expects of the step that fails.
    """
    player = Player(bench)
    try:
        for at, step in enumerate(renewed(bench.api, case.steps)):
            try:
                player.play(step)
            except Mismatch as wrong:
                return _played(player, Played(True, at, str(wrong), mismatch=wrong))
            except Stopped as why:
                return _played(player, Played(False, at, stopped=str(why)))
        return _played(player, Played(False))
    finally:
        player.close()


def _played(player: Player, played: Played) -> Played:
    return replace(played, steps=tuple(player.steps), beliefs=tuple(player.beliefs), exchanges=tuple(player.exchanges))


def call(message: str, *args: Value) -> Call:
    """Return a call, its arguments one by one."""
    return Call(message, args)
