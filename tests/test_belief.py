"""What may be believed of a server: each law on top of models/belief.py, by a case."""

from __future__ import annotations

from typing import Any

import pytest

from xenconform.models.api import Api
from xenconform.models.belief import Belief, firm_fields
from xenconform.models.calls import Call, Failure, Success
from xenconform.models.cases import Expect, Wanted
from xenconform.models.exemplars import exemplar
from xenconform.models.matching import meets
from xenconform.models.profiles import Profile
from xenconform.models.values import Handle, UuidOf, Value, null
from xenconform.models.world import World

API = Api.load()
PROFILE = Profile.load("reference")
FIRM = firm_fields(API, PROFILE)
NET, OTHER, VM, APPLIANCE = Handle("network", 1), Handle("network", 2), Handle("VM", 3), Handle("VM_appliance", 4)
UUID = "11111111-2222-4333-8444-555555555555"


def record(cls: str, **given: Value) -> dict[str, Value]:
    values = exemplar(API, PROFILE, cls, 1)
    return {name: given.get(name, value) for name, value in values.items()}


def made(belief: Belief, handle: Handle, **given: Value) -> Belief:
    call = Call(f"{handle.cls}.create", (record(handle.cls, **given),))
    return belief.follow(call, Success(handle), handle)


def after(belief: Belief, message: str, *args: Value, value: Value = None) -> Belief:
    return belief.follow(Call(message, args), Success(value))


def expect(belief: Belief, message: str, *args: Value) -> Expect:
    return belief.expect(Call(message, args))


def allows(belief: Belief, expected: Expect, outcome: Any) -> bool:
    return meets(API, expected, outcome, belief.made)


NOTHING = Belief(World(API), FIRM)
ONE = made(NOTHING, NET, name_label="one", tags=("p",), other_config={"k": "v"})
BOTH = made(made(ONE, VM), APPLIANCE)
FOUND = NOTHING.adopt(OTHER)


@pytest.mark.parametrize(
    ("place", "firm"),
    [
        (("network", "name_label"), True),
        (("network", "bridge"), True),
        (("network", "uuid"), True),
        (("network", "VIFs"), True),
        (("VM_appliance", "VMs"), True),
        (("VM", "power_state"), True),
        (("VM", "resident_on"), False),
        (("host", "resident_VMs"), False),
        (("network", "blobs"), False),
        (("VM", "allowed_operations"), False),
    ],
)
def test_what_is_firm(place: tuple[str, str], firm: bool) -> None:
    """Law 1: what clients write, the uuid, ends whose owner is firm and what rules govern; all else is the server's."""
    assert (place in FIRM) == firm


def test_what_a_profile_skips_is_not_firm() -> None:
    """Law 1: a field that a profile says to skip is the server's own."""
    profile = Profile.load("xapi")
    assert ("blob", "last_updated") not in firm_fields(API, profile)


def test_a_field_of_the_servers_own_may_be_anything() -> None:
    """Law 1: any value is expected of a field that is not firm, and none is believed."""
    asked = expect(BOTH, "VM.get_allowed_operations", VM)
    assert asked.wanted is Wanted.ANY
    told = after(BOTH, "VM.get_allowed_operations", VM, value=("start",))
    assert expect(told, "VM.get_allowed_operations", VM).wanted is Wanted.ANY


def test_what_was_given_is_expected() -> None:
    """Law 2: a field that the constructor was given in full has that value, over the getter and the record."""
    assert expect(ONE, "network.get_tags", NET) == Expect(
        API.classes["network"].fields["tags"].type, Wanted.VALUE, ("p",)
    )
    whole = expect(ONE, "network.get_record", NET)
    assert (whole.value["name_label"], whole.value["tags"]) == ("one", ("p",))


def test_what_was_not_given_is_learnt_once() -> None:
    """Law 2: a firm field that was not given is unknown until it is read; then it stays."""
    place = (NET, "default_locking_mode")
    assert place in ONE.unknown
    assert expect(ONE, "network.get_default_locking_mode", NET).wanted is Wanted.ANY
    told = after(ONE, "network.get_default_locking_mode", NET, value="disabled")
    assert expect(told, "network.get_default_locking_mode", NET).value == "disabled"
    assert not allows(told, expect(told, "network.get_default_locking_mode", NET), Success("unlocked"))


def test_a_write_settles_what_was_unknown() -> None:
    """Law 2: after a setter the field is known, read or not."""
    told = after(ONE, "network.set_default_locking_mode", NET, "disabled")
    assert expect(told, "network.get_default_locking_mode", NET).value == "disabled"


def test_a_found_object_is_its_servers_own() -> None:
    """Law 3: of an object that we found only the ends bound to ours are firm."""
    assert expect(FOUND, "network.get_name_label", OTHER).wanted is Wanted.ANY
    bound = made(made(FOUND, VM), Handle("VIF", 5), network=OTHER, VM=VM)
    assert expect(bound, "network.get_VIFs", OTHER).value == (Handle("VIF", 5),)
    assert not allows(bound, expect(bound, "network.get_VIFs", OTHER), Success(()))
    assert allows(bound, expect(bound, "network.get_VIFs", OTHER), Success((Handle("VIF", 5), "somebody's")))


@pytest.mark.parametrize("code", ["OPERATION_NOT_ALLOWED", "VALUE_NOT_SUPPORTED", "LICENCE_RESTRICTION", "FEATURE_X"])
def test_a_write_may_be_refused_for_the_domain(code: str) -> None:
    """Law 4: what succeeds by the rules may be refused for a reason of the domain, and then nothing has changed."""
    call = Call("network.set_MTU", (NET, 3))
    assert allows(ONE, ONE.expect(call), Failure(code))
    assert ONE.follow(call, Failure(code)) is ONE


@pytest.mark.parametrize("code", ["INTERNAL_ERROR", "HANDLE_INVALID", "SESSION_INVALID", "MAP_DUPLICATE_KEY"])
def test_a_write_may_not_be_refused_for_nothing(code: str) -> None:
    """Law 4: other codes are no reason to refuse what the rules allow."""
    assert not allows(ONE, expect(ONE, "network.set_MTU", NET, 3), Failure(code))


def test_a_reader_may_not_be_refused() -> None:
    """Law 4: a getter of an object that is there has no reason to fail."""
    assert not allows(ONE, expect(ONE, "network.get_MTU", NET), Failure("OPERATION_NOT_ALLOWED"))


def test_what_fails_may_fail_with_any_code_but_may_not_succeed() -> None:
    """Law 4: with an object gone a call fails, with what code is left to the server."""
    gone = after(ONE, "network.destroy", NET)
    asked = expect(gone, "network.get_MTU", NET)
    assert allows(gone, asked, Failure("HANDLE_INVALID"))
    assert allows(gone, asked, Failure("INTERNAL_ERROR"))
    assert not allows(gone, asked, Success(1500))


def test_a_duplicate_key_is_said_by_itself() -> None:
    """Law 4: MAP_DUPLICATE_KEY alone, or a reason of the domain, answers the adding of a key that is there."""
    asked = expect(ONE, "network.add_to_other_config", NET, "k", "w")
    assert allows(ONE, asked, Failure("MAP_DUPLICATE_KEY"))
    assert not allows(ONE, asked, Failure("INTERNAL_ERROR"))
    assert not allows(ONE, asked, Success(None))
    assert allows(ONE, expect(ONE, "network.add_to_other_config", NET, "K", "w"), Success(None))


def test_a_message_that_is_not_offered_tells_nothing_of_keys() -> None:
    """A server need not offer an explicit message; that is no answer to a duplicate key of an implicit one."""
    vmss = made(NOTHING, Handle("VMSS", 1), schedule={"hour": "1"})
    asked = expect(vmss, "VMSS.add_to_schedule", Handle("VMSS", 1), "hour", "1")
    assert allows(vmss, asked, Failure("NOT_IMPLEMENTED"))
    assert not allows(ONE, expect(ONE, "network.add_to_other_config", NET, "k", "w"), Failure("NOT_IMPLEMENTED"))


def test_both_ends_follow() -> None:
    """A re-binding shows at the near end, at the old far end and at the new one."""
    second = made(BOTH, Handle("VM_appliance", 5))
    first = after(second, "VM.set_appliance", VM, APPLIANCE)
    assert expect(first, "VM_appliance.get_VMs", APPLIANCE).value == (VM,)
    then = after(first, "VM.set_appliance", VM, Handle("VM_appliance", 5))
    assert expect(then, "VM_appliance.get_VMs", APPLIANCE).value == ()
    assert expect(then, "VM_appliance.get_VMs", Handle("VM_appliance", 5)).value == (VM,)
    assert expect(after(then, "VM.set_appliance", VM, null("VM_appliance")), "VM.get_appliance", VM).value.is_null


def test_what_is_referred_to_stays() -> None:
    """A destroy that one of our own objects forbids must fail, and must not once the referrer has let go."""
    held = after(BOTH, "VM.set_appliance", VM, APPLIANCE)
    assert not allows(held, expect(held, "VM_appliance.destroy", APPLIANCE), Success(None))
    free = after(held, "VM.set_appliance", VM, null("VM_appliance"))
    assert allows(free, expect(free, "VM_appliance.destroy", APPLIANCE), Success(None))
    assert not allows(free, expect(free, "VM_appliance.destroy", APPLIANCE), Failure("OBJECT_IN_USE"))


def test_names_are_looked_up_exactly() -> None:
    """A look-up by name tells of all of ours that bear it now, and of none that bore it; others' objects count not."""
    two = made(ONE, OTHER, name_label="one")
    assert expect(two, "network.get_by_name_label", "one").value == (NET, OTHER)
    renamed = after(two, "network.set_name_label", NET, "two")
    asked = expect(renamed, "network.get_by_name_label", "one")
    assert allows(renamed, asked, Success((OTHER, "OpaqueRef:somebody's")))
    assert not allows(renamed, asked, Success((NET, OTHER)))


def test_a_power_state_in_doubt_forbids_nothing() -> None:
    """With no host known nobody can tell whether a start succeeds; after one that did, any message may."""
    vm = made(NOTHING, VM)
    assert not allows(vm, expect(vm, "VM.suspend", VM), Success(None))
    assert allows(vm, expect(vm, "VM.start", VM, False, False), Success(None))
    started = after(vm, "VM.start", VM, False, False)
    assert allows(started, expect(started, "VM.suspend", VM), Success(None))
    assert allows(started, expect(started, "VM.suspend", VM), Failure("VM_BAD_POWER_STATE"))


def test_uuids_are_new_and_stay() -> None:
    """A uuid is one that nobody had; once read it is the same for ever, and is looked up by it."""
    assert expect(ONE, "network.get_uuid", NET).wanted is Wanted.NEW
    told = after(ONE, "network.get_uuid", NET, value=UUID)
    assert expect(told, "network.get_uuid", NET).value == UUID
    assert expect(told, "network.get_by_uuid", UuidOf(NET)).value == NET
    gone = after(told, "network.destroy", NET)
    assert not allows(gone, expect(gone, "network.get_by_uuid", UuidOf(NET)), Success(NET))


def test_an_unknown_message_is_refused() -> None:
    """What the model does not have must fail."""
    assert expect(ONE, "network.bless", NET).wanted is Wanted.NOTHING


def test_a_listing_has_ours_and_not_the_gone() -> None:
    """get_all tells of every object of ours that is there, whatever else it tells."""
    gone = after(made(ONE, OTHER), "network.destroy", NET)
    asked = expect(gone, "network.get_all")
    assert allows(gone, asked, Success((OTHER, "OpaqueRef:x")))
    assert not allows(gone, asked, Success((NET, OTHER)))
    assert not allows(gone, asked, Success(("OpaqueRef:x",)))
