"""What is known of a server from what was asked of it: a World, and how far it may be relied on.

A World knows everything of its objects; of a server's objects we know what we wrote, what follows from it, and what
we read. A `Belief` says what a call's reply must be (`expect`) and what is known after a reply that was
expected (`follow`).

Laws:
1. A field is firm if clients or the constructor write it, if it is the uuid, or if it is the derived end of a
   relation whose owner end is firm; besides, what the messages of `GOVERNED` change. Everything else is the server's
   own and may change at any time: any value of its type is expected.
2. A firm field of an object that we made and did not give in full is unknown until it is first read; then it stays.
3. Of an object that we found, the ends bound to our own objects are firm and nothing else is.
4. A message that succeeds by the rules may be refused for a reason of the server's domain, and then changes nothing. A
   message that fails by the rules may fail with any code, for the document sets no order among several reasons;
   only MAP_DUPLICATE_KEY is stated by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from xenconform.models.acts import HARDWARE, changes_power, is_act
from xenconform.models.api import Api, Message, Qualifier, State
from xenconform.models.binding import referrers
from xenconform.models.calls import Call, Failure, Success
from xenconform.models.cases import Expect, Wanted
from xenconform.models.learning import acted, in_doubt, is_derived, learned, made
from xenconform.models.profiles import Profile
from xenconform.models.query import where_message
from xenconform.models.refusals import STRICT_CODES, domain_codes
from xenconform.models.types import RefTo, Type, Void
from xenconform.models.values import Handle, UuidOf, Value
from xenconform.models.world import Branch, World

GOVERNED: Final = frozenset(
    {
        ("VM", "power_state"),
        ("VM", "is_a_snapshot"),
        ("VM", "snapshot_of"),
        ("VDI", "is_a_snapshot"),
        ("VDI", "snapshot_of"),
        ("VDI", "on_boot"),
        ("VMSS", "last_run_time"),
        ("network", "default_locking_mode"),
        ("network", "purpose"),
        ("subject", "roles"),
    }
)
"""Runtime fields that only messages with a rule change."""
OPEN_REFUSALS: Final = frozenset({"NOT_IMPLEMENTED", "NO_HOSTS_AVAILABLE"})
"""What a World says where it lacks a rule, or objects of the server's that nobody looked up."""
POWER: Final = ("power_state", "is_a_template")
"""The fields by which a message that changes a power state is allowed or refused."""
ITEMWISE: Final = frozenset({"add", "remove", "add_to", "remove_from"})

Place = tuple[str, str]
"""A class and a field of it."""


def firm_fields(api: Api, profile: Profile) -> frozenset[Place]:
    """Return the fields that law 1 calls firm; fields that a profile says to skip are not."""
    owners = {(r.owner_cls, r.owner_field) for r in api.relations}
    derived = {(r.derived_cls, r.derived_field): (r.owner_cls, r.owner_field) for r in api.relations}

    def firm(place: Place) -> bool:
        if place in derived and place not in owners:
            return firm(derived[place])
        of = api.classes[place[0]].fields[place[1]]
        if profile.domain(*place).skip:
            return False
        return of.qualifier is not Qualifier.RUNTIME or place[1] == "uuid" or place in GOVERNED

    places = ((cls.name, name) for cls in api.classes.values() for name in cls.fields)
    return frozenset(place for place in places if firm(place))


@dataclass(frozen=True, slots=True)
class Belief:
    """What is known; see the module.

    Attributes:
        world: the objects as far as they are known; its uuids stand for the server's.
        firm: the fields that hold what they hold.
        known: every handle that has or had an object on the server.
        found: those of them that we did not make.
        unknown: firm fields of our objects that nobody read yet.
        uuids: the server's uuids, as far as they were read.
    """

    world: World
    firm: frozenset[Place] = field(repr=False)
    known: frozenset[Handle] = frozenset()
    found: frozenset[Handle] = frozenset()
    unknown: frozenset[tuple[Handle, str]] = frozenset()
    uuids: tuple[tuple[Handle, str], ...] = ()

    @property
    def api(self) -> Api:
        """The model."""
        return self.world.api

    @property
    def made(self) -> frozenset[Handle]:
        """The handles of the objects that we made, those that are gone too."""
        return self.known - self.found

    def alive(self, handle: Handle) -> bool:
        """Whether the object is there, as far as is known."""
        return self.world.record(handle) is not None

    def holds(self, handle: Handle, name: str) -> bool:
        """Whether a field's value is known and firm."""
        place = (handle.cls, name)
        if place not in self.firm or (handle, name) in self.unknown:
            return False
        return handle not in self.found or is_derived(self.api, *place)

    def message(self, call: Call) -> Message | None:
        """Return the message of a call."""
        return self.api.message(call.message) or where_message(self.api, call.message)

    def branch(self, call: Call, makes: Handle | None = None) -> Branch:
        """Return what the rules say of a call; `makes` is the handle of the object that it makes."""
        by_uuid = call.message.endswith(".get_by_uuid")
        args = tuple(self._symbolic(arg) if by_uuid else self._as_read(arg) for arg in call.args)
        call = Call(call.message, args)
        if makes is None:
            return self.world.predict(call).first
        branch = replace(self.world, last=makes.n - 1).predict(call).first
        made = branch.outcome.value if isinstance(branch.outcome, Success) else None
        if isinstance(made, Handle) and made.n > makes.n:  # it makes others before: those get the numbers below
            branch = replace(self.world, last=2 * makes.n - made.n - 1).predict(call).first
        return branch

    def expect(self, call: Call, makes: Handle | None = None) -> Expect:
        """Return what the reply to a call must be."""
        message = self.message(call)
        if message is None:
            return Expect(Void(), Wanted.NOTHING, codes=("*",))
        expected = self._expect(message, call, makes)
        if message.implicit and message.lifecycle.state is State.REMOVED:  # a release may have it still, or no more
            return replace(expected, codes=(*expected.codes, "MESSAGE_REMOVED"))
        return expected

    def _expect(self, message: Message, call: Call, makes: Handle | None) -> Expect:
        branch = self.branch(call, makes)
        if isinstance(branch.outcome, Failure):
            return self._refusal(message, call, branch.outcome)
        of, domain = message.result, domain_codes(message)
        if is_act(self.api, message):
            domain += HARDWARE
        if self._open(message, call):
            return Expect(
                of, Wanted.ANY, codes=(*domain, *(("MAP_DUPLICATE_KEY",) if message.verb == "add_to" else ()))
            )
        if isinstance(of, RefTo) and _is_new(branch.outcome.value, self.known):
            return Expect(of, Wanted.NEW, codes=domain)
        return self._expected_value(message, call, branch.outcome.value, domain)

    def follow(self, call: Call, outcome: Success | Failure, makes: Handle | None = None) -> Belief:
        """Return what is known after a reply that was expected, its refs turned inward."""
        message = self.message(call)
        if message is None or isinstance(outcome, Failure):
            return self
        branch = self.branch(call, makes)
        if isinstance(branch.outcome, Failure):
            return in_doubt(self, message, call)
        if message.name == "get_record" or message.verb == "get":
            return learned(self, message, call, outcome.value)
        if self._open(message, call):
            return self
        after = replace(self, world=branch.world)
        if is_act(self.api, message):
            return acted(after, self, message, call, makes)
        if isinstance(branch.outcome.value, Handle) and makes is not None and makes not in self.known:
            return made(after, makes, message, call)
        if message.verb == "set" and call.args:
            return replace(after, unknown=self.unknown - {(call.args[0], message.field)})
        return after

    def adopt(self, handle: Handle) -> Belief:
        """Return the belief with an object of the server's that was found there."""
        branch = replace(self.world, last=handle.n - 1).create(handle.cls, {})
        world = replace(branch.world, last=max(handle.n, self.world.last))
        return replace(self, world=world, known=self.known | {handle}, found=self.found | {handle})

    # ------------------------------------------------------------------------------------------------------- inside

    def _symbolic(self, value: Value) -> Value:
        """Return what a look-up is for in this world, whose uuids are its own."""
        return self.world.uuid_of(value.handle.n) if isinstance(value, UuidOf) else value

    def _as_read(self, value: Value) -> Value:
        """Return a value with the server's uuids in the places that name them."""
        match value:
            case UuidOf(handle):
                return dict(self.uuids).get(handle, "")
            case tuple():
                return tuple(self._as_read(each) for each in value)
            case dict():
                return {self._as_read(key): self._as_read(each) for key, each in value.items()}
            case _:
                return value

    def _refusal(self, message: Message, call: Call, failure: Failure) -> Expect:
        unsure = changes_power(message) and not all(self.holds(call.args[0], name) for name in POWER)
        if unsure or failure.code in OPEN_REFUSALS or self._is_own_reason(message, failure):
            return Expect(message.result, Wanted.ANY, codes=("*",))
        if failure.code == "MAP_DUPLICATE_KEY":
            if (call.args[0], message.field) in self.unknown:
                return Expect(message.result, Wanted.ANY, codes=("*",))
            return Expect(message.result, Wanted.NOTHING, codes=("MAP_DUPLICATE_KEY", *domain_codes(message)))
        if message.name == self.api.classes[message.cls].destructor and failure.code == "OPERATION_NOT_ALLOWED":
            holders = referrers(self.api, self.world.objects, call.args[0])
            if not any(holder in self.known and self.holds(holder, name) for holder, name in holders):
                return Expect(message.result, Wanted.ANY, codes=("*",))
        return Expect(message.result, Wanted.NOTHING, codes=("*",))

    def _is_own_reason(self, message: Message, failure: Failure) -> bool:
        """Whether an explicit message is refused for a reason that not every server need have."""
        of = self.api.classes[message.cls]
        whole = message.name == of.destructor or any(c.message.name == message.name for c in of.constructors)
        explicit = not message.implicit and not whole and not changes_power(message)
        return explicit and failure.code not in STRICT_CODES

    def _open(self, message: Message, call: Call) -> bool:
        """Whether the rules leave open what comes of a call, for we do not know what it works on."""
        if message.verb == "get" or message.verb in ITEMWISE:
            return not self.holds(call.args[0], message.field) and message.field != "uuid"
        if message.name == "get_by_name_label":
            return any(h.cls == message.cls and name == "name_label" and self.alive(h) for h, name in self.unknown)
        return False

    def _expected_value(self, message: Message, call: Call, value: Value, domain: tuple[str, ...]) -> Expect:
        of: Type = message.result
        if message.field == "uuid" and message.verb == "get":
            known = dict(self.uuids).get(call.args[0])
            if known is not None:
                return Expect(of, Wanted.VALUE, known)
            return Expect(of, Wanted.ANY if call.args[0] in self.found else Wanted.NEW)
        if message.name == "get_record":
            return Expect(of, Wanted.VALUE, self.firm_part(call.args[0], value))
        if message.name in {"get_all_records", "get_all_records_where"}:
            return Expect(of, Wanted.VALUE, {h: self.firm_part(h, r) for h, r in value.items() if h in self.known})
        if not self._named(value):
            return Expect(of, Wanted.ANY, codes=domain)
        return Expect(of, Wanted.VALUE, self._only_named(value), domain)

    def firm_part(self, handle: Handle, record: Value) -> dict[str, Value]:
        """Return the members of a record that are known and firm, the uuid as the server's."""
        firm = {n: v for n, v in record.items() if self.holds(handle, n) and n != "uuid" and self._named(v)}
        part = {n: self._only_named(v) for n, v in firm.items()}
        known = dict(self.uuids).get(handle)
        return part if known is None or "uuid" not in record else {**part, "uuid": known}

    def _only_named(self, value: Value) -> Value:
        """Return a set without the objects that we have no name for."""
        if isinstance(value, tuple) and any(isinstance(each, Handle) for each in value):
            return tuple(each for each in value if not isinstance(each, Handle) or each in self.known)
        return value

    def _named(self, value: Value) -> bool:
        """Whether a value is no single ref of an object that we have no name for."""
        return not isinstance(value, Handle) or value.is_null or value in self.known


def _is_new(value: Value, known: frozenset[Handle]) -> bool:
    return isinstance(value, Handle) and not value.is_null and value not in known
