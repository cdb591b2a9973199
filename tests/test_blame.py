"""Which clause a finding of the state machine is about: a row of the table a case."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from xenconform.models.api import Api
from xenconform.models.belief import Belief, firm_fields
from xenconform.models.blame import Blame, Story, blame, plainer_reader
from xenconform.models.calls import Call, Failure, Format, Outcome, Success
from xenconform.models.cases import Expect, Step, Wanted
from xenconform.models.clauses import catalogue
from xenconform.models.exemplars import exemplar
from xenconform.models.profiles import Profile
from xenconform.models.types import Void
from xenconform.models.values import Handle, UuidOf, Value, null
from xenconform.models.world import World

API = Api.load()
PROFILE = Profile.load("reference")
NET, OTHER, VM, APP = Handle("network", 1), Handle("network", 2), Handle("VM", 3), Handle("VM_appliance", 4)
HOST = Handle("host", 5)
ENDED = Expect(Void(), Wanted.NOTHING, codes=("*",))


@dataclass(slots=True)
class Tale:
    """A sequence on a server that conforms, up to its last step."""

    belief: Belief = field(default_factory=lambda: Belief(World(API), firm_fields(API, PROFILE)))
    steps: list[Step] = field(default_factory=list)
    beliefs: list[Belief] = field(default_factory=list)
    ended: set[int] = field(default_factory=set)

    def make(self, handle: Handle, **given: Value) -> Tale:
        values = exemplar(API, PROFILE, handle.cls, handle.n)
        return self.call(f"{handle.cls}.create", {**values, **given}, makes=handle, value=handle)

    def call(
        self, message: str, *args: Value, value: Value = None, makes: Handle | None = None, session: int = 0
    ) -> Tale:
        call = Call(message, args)
        step = Step(call, Format.XMLRPC, session, makes, self.belief.expect(call, makes))
        if message == "session.logout":
            step = replace(step, expect=Expect(Void(), Wanted.ANY))
        elif session in self.ended:
            step = replace(step, expect=ENDED)
        self.steps.append(step)
        self.beliefs.append(self.belief)
        refused = step.expect is not None and step.expect.wanted is Wanted.NOTHING
        if message == "session.logout":
            self.ended.add(session)
        elif not refused:
            self.belief = self.belief.follow(call, Success(value), makes)
        return self

    def ends(self, outcome: Outcome, *, formats_matter: bool = False) -> Blame:
        return blame(Story(API, tuple(self.steps), tuple(self.beliefs), outcome, formats_matter))


def net(**given: Value) -> Tale:
    return Tale().make(NET, **given)


def both() -> Tale:
    return Tale().make(VM).make(APP)


READ_WRONG: list[tuple[Tale, Success, str, str]] = [
    (net().call("network.get_MTU", NET), Success(3), "CREATE-FIELDS", "network.MTU"),
    (net().call("network.set_MTU", NET, 3).call("network.get_MTU", NET), Success(1), "SET-VALUE", "network.MTU"),
    (net().call("network.set_MTU", NET, 3).call("network.get_tags", NET), Success(("p",)), "SET-ONLY-THAT",
     "network.tags"),
    (net().make(OTHER).call("network.set_MTU", OTHER, 3).call("network.get_MTU", NET), Success(3), "SET-ONLY-THAT",
     "network.MTU"),
    (net().call("network.add_tags", NET, "p").call("network.get_tags", NET), Success(()), "SET-ADD", "network.tags"),
    (net(tags=("p",)).call("network.add_tags", NET, "p").call("network.get_tags", NET), Success(()), "SET-ADD-DEDUP",
     "network.tags"),
    (net(tags=("p",)).call("network.remove_tags", NET, "p").call("network.get_tags", NET), Success(("p",)),
     "SET-REMOVE", "network.tags"),
    (net().call("network.add_to_other_config", NET, "k", "v").call("network.get_other_config", NET), Success({}),
     "MAP-ADD", "network.other_config"),
    (net(other_config={"k": "v"}).call("network.add_to_other_config", NET, "k", "w").call(
        "network.get_other_config", NET), Success({"k": "w"}), "MAP-DUPLICATE-UNCHANGED", "network.other_config"),
    (net(other_config={"k": "v"}).call("network.remove_from_other_config", NET, "k").call(
        "network.get_other_config", NET), Success({"k": "v"}), "MAP-REMOVE", "network.other_config"),
    (net().make(OTHER).call("network.destroy", OTHER).call("network.get_MTU", NET), Success(3), "DESTROY-NO-CASCADE",
     "network.MTU"),
    (both().call("VM.set_appliance", VM, APP).call("VM_appliance.get_VMs", APP), Success(()), "BIND-MOVE",
     "VM_appliance.VMs"),
    (Tale().make(APP).make(VM, appliance=APP).call("VM_appliance.get_VMs", APP), Success(()), "BIND-CREATE",
     "VM_appliance.VMs"),
    (Tale().make(APP).make(VM, appliance=APP).call("VM.destroy", VM).call("VM_appliance.get_VMs", APP),
     Success((VM,)), "BIND-DESTROY", "VM_appliance.VMs"),
    (Tale().make(APP).make(VM, appliance=APP).call("VM_appliance.destroy", APP).call("VM.get_appliance", VM),
     Success(null("VM_appliance")), "DESTROY-REFERENCED-UNCHANGED", "VM.appliance"),
    (net().call("network.get_by_name_label", "x"), Success((NET,)), "LABEL-LOOKUP", "network"),
    (net().call("network.get_uuid", NET, value="u").call("network.get_by_uuid", UuidOf(NET)), Success(OTHER),
     "UUID-LOOKUP", "network"),
    (net().call("network.get_all"), Success(()), "GET-ALL-AGREES", "network"),
    (net().call("network.destroy", NET).call("network.get_all"), Success((NET,)), "DESTROY-GONE", "network"),
    (net().call("session.logout", session=1).call("network.set_MTU", NET, 3, session=1).call("network.get_MTU", NET),
     Success(3), "SESSION-REQUIRED", "network.MTU"),
    (net().make(OTHER).call("network.destroy", OTHER).call("network.get_all"), Success(()), "DESTROY-NO-CASCADE",
     "network"),
    (net().call("network.get_uuid", NET), Success("u"), "CREATE-NEW", "network"),
]  # fmt: skip


@pytest.mark.parametrize(("tale", "outcome", "clause", "element"), READ_WRONG)
def test_a_reader_that_tells_wrong(tale: Tale, outcome: Success, clause: str, element: str) -> None:
    """The write before a reader that tells wrong names the clause; the field that it tells wrong is the element."""
    assert tale.ends(outcome) == Blame(clause, element)
    assert clause in catalogue()


def test_of_a_record_the_field_that_differs_counts() -> None:
    """A record, alone or in a listing, is blamed as the getter of its first field that differs would be."""
    told = net().call("network.set_MTU", NET, 3)
    record = {**dict(told.belief.world.record(NET) or {}), "MTU": 1}
    assert told.call("network.get_record", NET, value={}).ends(Success(record)) == Blame("SET-VALUE", "network.MTU")
    listed = net().call("network.set_MTU", NET, 3).call("network.get_all_records")
    assert listed.ends(Success({NET: record})) == Blame("SET-VALUE", "network.MTU")
    assert listed.ends(Success({})) == Blame("GET-ALL-AGREES", "network")


def test_a_record_is_blamed_where_a_getter_tells_the_truth() -> None:
    """Where a field's getter is right its record is at fault, and where a record is right the listing of them."""
    told = net().call("network.set_MTU", NET, 3)
    record = {**dict(told.belief.world.record(NET) or {}), "MTU": 1}
    told.call("network.get_record", NET, value={})
    story = Story(API, tuple(told.steps), tuple(told.beliefs), Success(record))
    assert plainer_reader(story) == Call("network.get_MTU", (NET,))
    assert blame(replace(story, plainer_is_right=True)) == Blame("GET-RECORD-AGREES", "network.MTU")
    told.call("network.get_all_records")
    story = Story(API, tuple(told.steps), tuple(told.beliefs), Success({NET: record}))
    assert plainer_reader(story) == Call("network.get_record", (NET,))
    assert blame(replace(story, plainer_is_right=True)) == Blame("GET-ALL-AGREES", "network.MTU")
    assert plainer_reader(replace(story, outcome=Success({}))) is None


def test_formats_are_blamed_where_another_tells_the_truth() -> None:
    """A reader that tells the truth over another format breaks the agreement of formats, whatever was written."""
    tale = net().call("network.set_MTU", NET, 3).call("network.get_MTU", NET)
    assert tale.ends(Success(1), formats_matter=True) == Blame("WIRE-AGREE", "network.MTU")


REFUSED: list[tuple[Tale, Failure, str]] = [
    (net().call("network.set_MTU", NET, 3), Failure("INTERNAL_ERROR"), "SET-VALUE"),
    (net(tags=("p",)).call("network.add_tags", NET, "p"), Failure("INTERNAL_ERROR"), "SET-ADD-DEDUP"),
    (net(other_config={"k": "v"}).call("network.add_to_other_config", NET, "k", "w"), Failure("INTERNAL_ERROR"),
     "MAP-DUPLICATE-KEY"),
    (net().call("network.get_uuid", NET, value="u").call("network.get_by_uuid", UuidOf(NET)), Failure("UUID_INVALID"),
     "UUID-LOOKUP"),
    (net().make(OTHER).call("network.destroy", OTHER).call("network.get_MTU", NET), Failure("HANDLE_INVALID"),
     "DESTROY-NO-CASCADE"),
    (net().call("network.get_MTU", NET), Failure("INTERNAL_ERROR"), "GET-EVERY-FIELD"),
    (net().call("network.destroy", NET), Failure("OBJECT_IN_USE"), ""),
    (net().call("network.get_MTU", NET, session=2).call("session.logout", session=1).call(
        "network.get_MTU", NET, session=2), Failure("SESSION_INVALID"), "SESSION-LOGOUT"),
]  # fmt: skip


@pytest.mark.parametrize(("tale", "outcome", "clause"), REFUSED)
def test_a_call_that_is_refused(tale: Tale, outcome: Failure, clause: str) -> None:
    """What should have succeeded is blamed on the clause of its message, or on the end of another object or session."""
    assert tale.ends(outcome).clause == clause


CARRIED_OUT: list[tuple[Tale, str]] = [
    (net(other_config={"k": "v"}).call("network.add_to_other_config", NET, "k", "w"), "MAP-DUPLICATE-KEY"),
    (net().call("network.destroy", NET).call("network.get_MTU", NET), "DESTROY-GONE"),
    (net().call("network.destroy", NET).call("network.destroy", NET), "DESTROY-AGAIN"),
    (net().call("network.get_uuid", NET, value="u").call("network.destroy", NET).call(
        "network.get_by_uuid", UuidOf(NET)), "UUID-UNKNOWN"),
    (Tale().make(APP).make(VM, appliance=APP).call("VM_appliance.destroy", APP), "DESTROY-REFERENCED"),
    (net().call("session.logout", session=1).call("network.get_MTU", NET, session=1), "SESSION-LOGOUT"),
    (Tale().make(VM).call("VM.pause", VM), "LIFECYCLE-VM"),
]  # fmt: skip


@pytest.mark.parametrize(("tale", "clause"), CARRIED_OUT)
def test_a_call_that_is_carried_out(tale: Tale, clause: str) -> None:
    """What should have failed is blamed on the reason for which it should have."""
    assert tale.ends(Success(None)).clause == clause


def test_a_session_that_serves_over_one_format_alone() -> None:
    """A session that nobody ended and that is refused over another format than it served over is not shared."""
    tale = net().call("network.get_MTU", NET, session=1).call("network.get_MTU", NET, session=1)
    tale.steps[-1] = replace(tale.steps[-1], format=Format.JSONRPC2)
    assert tale.ends(Failure("SESSION_INVALID")).clause == "WIRE-SESSION-SHARED"


def sleeping() -> Tale:
    tale = Tale().make(VM)
    tale.belief = tale.belief.adopt(HOST)
    return tale.call("VM.start", VM, False, False).call("VM.suspend", VM)


def test_a_power_state_is_blamed_on_what_changed_it() -> None:
    """A power state that is wrong after a message of the life cycle is its fault, after a setter the setter's."""
    tale = sleeping().call("VM.get_power_state", VM)
    assert tale.ends(Success("Halted")).clause == "LIFECYCLE-VM"
    tale = sleeping().call("VM.set_name_label", VM, "x").call("VM.get_power_state", VM)
    assert tale.ends(Success("Halted")) == Blame("SET-ONLY-THAT", "VM.power_state")


def test_nobody_is_blamed_for_what_the_model_does_not_have() -> None:
    """A message that is not in the model is no clause's."""
    assert net().call("network.bless", NET).ends(Success(None)) == Blame("", "server")
