"""Copies of VMs and disks: what a copy has, what its source keeps, going back to a snapshot, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from reference_caller import API
from worlds import (
    SEEDED,
    ask,
    assert_refused,
    changed,
    fields,
    filled,
    flaws,
    made,
    told,
    told_wrongly,
)

from xenconform.models.calls import Failure, Success
from xenconform.models.copying import COPYINGS, STAYS, UNSETTLED_BY_REVERT, Copying
from xenconform.models.duplicate import FIELDS, Copied
from xenconform.models.values import Handle, default_of, null
from xenconform.models.world import Branch, World

STATES = ("Halted", "Paused", "Running", "Suspended")
HERE, THERE = SEEDED.handles("SR")[:2]
HOST = SEEDED.handles("host")[0]

# From Halted, Paused, Running and Suspended: the copy's power state, or "-".
EXPECTED = {
    "clone": ("Halted", "-", "-", "Suspended"),
    "copy": ("Halted", "-", "-", "Suspended"),
    "snapshot": ("Halted", "Halted", "Halted", "Halted"),
    "checkpoint": ("Halted", "Halted", "Suspended", "Suspended"),
}
# What a new object has, whatever its source has.
ANEW = {
    "VM": """allowed_operations appliance attached_PCIs blobs blocked_operations current_operations domarch domid
        generation_id guest_metrics ha_always_run is_a_snapshot is_default_template is_snapshot_from_vmpp
        is_vmss_snapshot metrics order parent pending_guidances pending_guidances_full pending_guidances_recommended
        protection_policy requires_reboot resident_on scheduled_to_be_resident_on shutdown_delay snapshot_info
        snapshot_metadata snapshot_of snapshot_schedule snapshot_time start_delay suspend_SR suspend_VDI
        transportable_snapshot_id version
        consoles crash_dumps VUSBs VTPMs VGPUs snapshots children""",
    "VBD": """allowed_operations current_operations currently_attached metrics runtime_properties status_code
        status_detail storage_lock""",
    "VIF": """allowed_operations current_operations currently_attached metrics runtime_properties status_code
        status_detail""",
    "VDI": """allowed_operations cbt_enabled current_operations is_a_snapshot location metadata_latest
        metadata_of_pool parent snapshot_of snapshot_time storage_lock
        VBDs crash_dumps snapshots""",
}


def anew(cls: str) -> dict[str, Any]:
    """Return the fields that begin anew, as the model's defaults or the plainest value of their type have them."""
    of = API.classes[cls].fields
    names = ANEW[cls].split()
    return {name: of[name].default if of[name].has_default else default_of(of[name].type) for name in names}


def machine(state: str, **more: Any) -> tuple[World, Handle]:
    """Return a world with a VM, all of whose fields are its own, with two disks, two CD drives and two VIFs."""
    world, image = made(SEEDED, "VDI", **filled("VDI", SR=HERE))
    given = {"power_state": state, "is_a_template": False, "is_a_snapshot": False, "is_control_domain": False}
    given |= {"resident_on": HOST if state in {"Paused", "Running"} else null("host"), "snapshot_of": null("VM")}
    given["suspend_VDI"] = image if state == "Suspended" else null("VDI")
    world, vm = made(world, "VM", **filled("VM", **{**given, **more}))
    for at, (kind, sr) in enumerate([("Disk", HERE), ("Disk", THERE), ("CD", THERE), ("CD", None)]):
        vdi = null("VDI")
        if sr is not None:
            world, vdi = made(world, "VDI", **filled("VDI", SR=sr))
        values = filled("VBD", world, VM=vm, VDI=vdi, type=kind, empty=sr is None, userdevice=str(at))
        world, _ = made(world, "VBD", **values)
    for at in range(2):
        world, _ = made(world, "VIF", **filled("VIF", VM=vm, device=str(at), MAC=f"02:00:00:00:00:0{at}"))
    return world, vm


def call(world: World, vm: Handle, name: str) -> Branch:
    rest: dict[str, tuple[Any, ...]] = {"snapshot": ((),), "copy": (null("SR"),)}
    return ask(world, f"VM.{name}", vm, f"{name} of it", *rest.get(name, ()))


def differences(expected: dict[str, Any], world: World, handle: Handle) -> list[str]:
    """Return the fields of an object that are not as expected, uuids aside."""
    have = fields(world, handle)
    return [f"{handle}.{name}" for name in have if name != "uuid" and have[name] != expected[name]]


def disk_wrong(world: World, after: World, source: Handle, copy: Handle, **more: Any) -> list[str]:
    """Compare a copy of a VDI, whole, with what its source says."""
    return differences({**fields(world, source), **anew("VDI"), **more}, after, copy)


def copy_wrong(world: World, vm: Handle, name: str, state: str) -> list[str]:
    """Return all that is wrong with one message from one power state."""
    wanted, branch = EXPECTED[name][STATES.index(state)], call(world, vm, name)
    if wanted == "-":
        code = branch.outcome.code if isinstance(branch.outcome, Failure) else "success"
        return [] if code == "VM_BAD_POWER_STATE" and branch.world is world else [f"{name} from {state}: {code}"]
    if not isinstance(branch.outcome, Success):
        return [f"{name} from {state}: {branch.outcome.code}"]
    copy, after = branch.outcome.value, branch.world
    wrong = [
        *flaws(after),
        *changed(world, after),
        *told_wrongly(world, branch),
        *devices_wrong(world, after, vm, copy),
    ]
    snapshot = name in {"snapshot", "checkpoint"}
    own: dict[str, Any] = {"name_label": f"{name} of it", "power_state": wanted}
    own |= {each: fields(after, copy)[each] for each in ("VBDs", "VIFs")}
    if snapshot:
        own |= {"is_a_template": True, "is_a_snapshot": True, "snapshot_of": vm}
        own["snapshot_info"] = {"power-state-at-snapshot": state}
    if (state, wanted) == ("Suspended", "Suspended"):
        own["suspend_VDI"] = image = fields(after, copy)["suspend_VDI"]
        wrong += image_wrong(world, after, vm, image, snapshot=snapshot)
    if (copy in fields(after, vm)["snapshots"]) != snapshot:
        wrong.append("the source's snapshots")
    return wrong + differences({**fields(world, vm), **anew("VM"), **own}, after, copy)


def image_wrong(world: World, after: World, vm: Handle, image: Handle, *, snapshot: bool) -> list[str]:
    if image.is_null:
        return ["no image of the memory"]
    source = fields(world, vm)["suspend_VDI"]
    return disk_wrong(
        world, after, source, image, **({"is_a_snapshot": True, "snapshot_of": source} if snapshot else {})
    )


def devices_wrong(world: World, after: World, vm: Handle, copy: Handle) -> list[str]:
    """Compare the VBDs, their disks and the VIFs of a copy with those of its source, pair by pair."""
    wrong = []
    snapshot, had, has = fields(after, copy)["is_a_snapshot"], fields(world, vm), fields(after, copy)
    if (len(has["VBDs"]), len(has["VIFs"])) != (4, 2):
        return ["the number of devices"]
    for old, new in zip(had["VBDs"], has["VBDs"], strict=True):
        source, disk = fields(world, old)["VDI"], fields(after, new)["VDI"]
        wrong += differences({**fields(world, old), **anew("VBD"), "VM": copy, "VDI": disk}, after, new)
        if fields(world, old)["type"] != "Disk":
            wrong += [f"{new} shares no CD"] if disk != source else []
            continue
        own = {"is_a_snapshot": True, "snapshot_of": source} if snapshot else {}
        wrong += [] if disk != source else ["a disk is shared"]
        wrong += disk_wrong(world, after, source, disk, VBDs=(new,), **own)
    for old, new in zip(had["VIFs"], has["VIFs"], strict=True):
        own = {} if snapshot else {"MAC": fields(after, new)["MAC"], "MAC_autogenerated": True}
        wrong += differences({**fields(world, old), **anew("VIF"), "VM": copy, **own}, after, new)
        if (fields(world, old)["MAC"] == fields(after, new)["MAC"]) != snapshot:
            wrong.append(f"the MAC of {new}")
    return wrong


def all_wrong(*names: str) -> list[str]:
    """Return all that is wrong with these messages, from every power state."""
    return [each for name in names for state in STATES for each in copy_wrong(*machine(state), name, state)]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", EXPECTED)
def test_a_copy_has_what_its_source_has(name: str, state: str) -> None:
    """From every power state: the copy whole, its devices and disks, and nothing else changed; or it is refused."""
    assert copy_wrong(*machine(state), name, state) == []


def test_the_tables_are_of_the_model() -> None:
    """Rows are messages of VM, and every name in a row is a field of its class."""
    assert COPYINGS.keys() == EXPECTED.keys()
    assert COPYINGS.keys() <= API.classes["VM"].messages.keys()
    for cls, row in FIELDS.items():
        assert row.fresh | row.unsettled <= API.classes[cls].fields.keys()
    assert API.classes["VM"].fields.keys() >= UNSETTLED_BY_REVERT


def _row_mutants() -> list[Any]:
    found = []
    for name, row in COPYINGS.items():
        found.append(pytest.param(name, Copying(row.states, not row.snapshot), id=f"{name}-snapshot"))
        for state in STATES:
            less = {before: after for before, after in row.states.items() if before != state}
            for after in ("-", "Halted", "Running", "Suspended"):
                states = less if after == "-" else {**less, state: after}
                if states != row.states:
                    found.append(pytest.param(name, Copying(states, row.snapshot), id=f"{name}-{state}-{after}"))
    return found


@pytest.mark.parametrize(("name", "mutant"), _row_mutants())
def test_every_cell_of_the_messages_matters(monkeypatch: pytest.MonkeyPatch, name: str, mutant: Copying) -> None:
    """With one cell of a row changed, something is wrong."""
    monkeypatch.setitem(COPYINGS, name, mutant)
    assert all_wrong(name)


def _field_mutants() -> list[Any]:
    given = {"uuid", "VM.name_label", "VM.power_state", "VM.is_control_domain", "VBD.VM", "VBD.VDI", "VIF.VM"}
    derived = {(r.derived_cls, r.derived_field) for r in API.relations}
    return [
        pytest.param(cls, name, id=f"{cls}.{name}")
        for cls in FIELDS
        for name in API.classes[cls].fields
        if (cls, name) not in derived and not {name, f"{cls}.{name}"} & given
    ]


@pytest.mark.parametrize(("cls", "name"), _field_mutants())
def test_every_field_matters(monkeypatch: pytest.MonkeyPatch, cls: str, name: str) -> None:
    """With one field kept that begins anew, or anew that is kept, something is wrong."""
    monkeypatch.setitem(FIELDS, cls, Copied(FIELDS[cls].fresh ^ {name}, frozenset()))
    snapshot = machine("Halted", is_a_template=True, is_a_snapshot=True, snapshot_of=SEEDED.handles("VM")[0])
    wrong = copy_wrong(*machine("Halted"), "clone", "Halted") + copy_wrong(*snapshot, "clone", "Halted")
    assert wrong + all_wrong("snapshot")


def test_copy_goes_into_the_sr_that_it_names() -> None:
    """With an SR every disk is there, the image of a suspended VM too; a CD is not moved."""
    world, vm = machine("Suspended")
    copy = told(branch := ask(world, "VM.copy", vm, "c", THERE))
    record = fields(branch.world, copy)
    disks = [fields(branch.world, vbd)["VDI"] for vbd in record["VBDs"]]
    shown = [null("SR") if disk.is_null else fields(branch.world, disk)["SR"] for disk in disks]
    assert shown == [THERE, THERE, THERE, null("SR")]
    assert fields(branch.world, record["suspend_VDI"])["SR"] == THERE
    assert flaws(branch.world) == []


def test_a_snapshot_leaves_out_what_it_is_told_to() -> None:
    """A VDI to ignore is not snapshotted, and no VBD of the snapshot stands for it."""
    world, vm = machine("Running")
    first, second, *_ = (fields(world, vbd)["VDI"] for vbd in fields(world, vm)["VBDs"])
    branch = ask(world, "VM.snapshot", vm, "s", (first,))
    vbds = fields(branch.world, told(branch))["VBDs"]
    assert [fields(branch.world, vbd)["userdevice"] for vbd in vbds] == ["1", "2", "3"]
    assert fields(branch.world, first)["snapshots"] == ()
    assert len(fields(branch.world, second)["snapshots"]) == 1


def test_a_control_domain_is_not_copied() -> None:
    """Where its state would allow it: OPERATION_NOT_ALLOWED, of provision too."""
    for name in EXPECTED:
        world, vm = machine("Halted", is_control_domain=True)
        assert_refused(world, call(world, vm, name), "OPERATION_NOT_ALLOWED", f"VM.{name} is not for control domains")
    world, vm = machine("Halted", is_control_domain=True, is_a_template=True)
    refused = ask(world, "VM.provision", vm)
    assert_refused(world, refused, "OPERATION_NOT_ALLOWED", "VM.provision is not for control domains")


def test_an_untimely_copy_says_what_it_wants() -> None:
    """VM_BAD_POWER_STATE has the VM, the states that would do, and the state."""
    world, vm = machine("Running")
    assert_refused(world, call(world, vm, "clone"), "VM_BAD_POWER_STATE", vm, "halted, suspended", "running")
    world, vm = machine("Paused", is_a_template=True)
    assert_refused(world, ask(world, "VM.provision", vm), "VM_BAD_POWER_STATE", vm, "halted", "paused")


def test_provision_makes_a_vm_of_a_template() -> None:
    """A copy of a template is a template and does not start; once provisioned it is none, and not again."""
    template = next(h for h in SEEDED.handles("VM") if fields(SEEDED, h)["is_default_template"])
    branch = ask(SEEDED, "VM.clone", template, "mine")
    vm, world = told(branch), branch.world
    assert_refused(world, ask(world, "VM.start", vm, False, False), "VM_IS_TEMPLATE", vm)
    after = ask(world, "VM.provision", vm)
    assert changed(world, after.world) == [f"{vm}.is_a_template"]
    assert fields(after.world, vm)["is_a_template"] is False
    assert told(ask(after.world, "VM.start", vm, False, False)) is None
    assert_refused(after.world, ask(after.world, "VM.provision", vm), "PROVISION_ONLY_ALLOWED_ON_TEMPLATE")


def test_a_snapshot_neither_starts_nor_is_provisioned() -> None:
    """A snapshot is a template; without that mark it is a snapshot still."""
    world, vm = machine("Running")
    branch = call(world, vm, "snapshot")
    world, snapshot = branch.world, told(branch)
    assert_refused(world, ask(world, "VM.start", snapshot, False, False), "VM_IS_TEMPLATE", snapshot)
    assert_refused(world, ask(world, "VM.provision", snapshot), "OPERATION_NOT_ALLOWED", "the VM is a snapshot")
    bare = ask(world, "VM.set_is_a_template", snapshot, False).world
    started = ask(bare, "VM.start", snapshot, False, False)
    assert_refused(bare, started, "OPERATION_NOT_ALLOWED", "the VM is a snapshot")
    world, vm = machine("Running")
    branch = call(world, vm, "checkpoint")
    down = ask(branch.world, "VM.hard_shutdown", told(branch))
    assert fields(down.world, told(branch))["power_state"] == "Halted"


ANEW_FIELDS = set(ANEW["VM"].split())


def revert_wrong(state: str, name: str) -> list[str]:
    """Take a snapshot, change the VM beyond knowing, go back, and return all that is wrong then."""
    world, vm = machine(state)
    then = fields(world, vm)
    snapshot = told(branch := call(world, vm, name))
    world = branch.world
    disks = [fields(world, vbd)["VDI"] for vbd in then["VBDs"][:2]]
    plain = fields(*made(World(API), "VM"))
    stays = {n: plain[n] for n in ("name_label", "tags", "affinity")}
    for field in {*API.classes["VM"].fields} - ANEW_FIELDS - {"uuid", "VBDs", "VIFs", "is_control_domain"}:
        world = world.write(vm, field, plain[field]).world
    world = ask(world, "VIF.destroy", then["VIFs"][0]).world
    world, more = made(world, "VBD", **filled("VBD", world, VM=vm, VDI=null("VDI"), type="CD", empty=True))
    branch = ask(world, "VM.revert", snapshot)
    if not isinstance(branch.outcome, Success):
        return [branch.outcome.code]
    after, wanted = branch.world, EXPECTED[name][STATES.index(state)]
    now = fields(after, vm)
    expected = {**fields(world, vm), **{n: then[n] for n in then if n not in ANEW_FIELDS}, **stays}
    expected |= {n: now[n] for n in ("VBDs", "VIFs", "suspend_VDI")} | {"power_state": wanted}
    expected |= {"resident_on": null("host"), "scheduled_to_be_resident_on": null("host")}
    wrong = [*flaws(after), *told_wrongly(world, branch), *differences(expected, after, vm)]
    new = [fields(after, vbd)["VDI"] for vbd in now["VBDs"]]
    if len(new) != 4 or len(now["VIFs"]) != 2 or after.record(more) is not None:
        return [*wrong, "the number of devices"]
    wrong += [str(disk) for disk in disks if after.record(disk) is not None]
    source = [fields(world, vbd)["VDI"] for vbd in fields(world, snapshot)["VBDs"]]
    for old, disk in zip(source[:2], new[:2], strict=True):
        vbd = fields(after, disk)["VBDs"]
        wrong += differences({**fields(world, old), **anew("VDI"), "VBDs": vbd, "snapshots": (old,)}, after, disk)
    macs = [fields(after, vif)["MAC"] for vif in now["VIFs"]]
    wrong += [] if macs == ["02:00:00:00:00:00", "02:00:00:00:00:01"] else ["MACs"]
    return wrong + (
        [] if now["suspend_VDI"].is_null == (then["suspend_VDI"].is_null or name == "snapshot") else ["image"]
    )


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", ["snapshot", "checkpoint"])
def test_a_vm_goes_back_to_its_snapshot(name: str, state: str) -> None:
    """Its fields, its devices, its disks' contents and its power state, and both ends of everything."""
    assert revert_wrong(state, name) == []


REVERTIBLE = set(API.classes["VM"].fields) - ANEW_FIELDS - {"uuid", "VBDs", "VIFs", "is_control_domain", "power_state"}


@pytest.mark.parametrize("name", sorted(REVERTIBLE))
def test_every_field_that_goes_back_matters(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With one field left alone that goes back, or the other way round, something is wrong."""
    monkeypatch.setattr("xenconform.models.copying.STAYS", STAYS ^ {name})
    assert revert_wrong("Halted", "snapshot")


def test_going_back_spares_what_others_use() -> None:
    """A disk that another VM has, too, stays there, and is no longer what the snapshots are snapshots of."""
    world, vm = machine("Halted")
    disk = fields(world, fields(world, vm)["VBDs"][0])["VDI"]
    world, other = made(world, "VM", name_label="other")
    world, vbd = made(world, "VBD", VM=other, VDI=disk, type="Disk")
    branch = call(world, vm, "snapshot")
    after = ask(branch.world, "VM.revert", told(branch)).world
    assert fields(after, disk)["VBDs"] == (vbd,)
    assert fields(after, disk)["snapshots"] == ()
    assert flaws(after) == []


def test_going_back_twice_and_from_a_later_snapshot() -> None:
    """Every snapshot of a VM stays one, and each can be gone back to any number of times."""
    world, vm = machine("Running")
    world = world.write(vm, "PV_args", "first").world
    branch = call(world, vm, "snapshot")
    first, world = told(branch), branch.world.write(vm, "PV_args", "second").world
    branch = call(world, vm, "checkpoint")
    second, world = told(branch), branch.world
    for snapshot, wanted in [(first, "first"), (first, "first"), (second, "second"), (first, "first")]:
        world = ask(world, "VM.revert", snapshot).world
        assert fields(world, vm)["PV_args"] == wanted
        assert fields(world, vm)["snapshots"] == (first, second)
        disk = fields(world, fields(world, vm)["VBDs"][0])["VDI"]
        assert len(fields(world, disk)["snapshots"]) == 2
        assert flaws(world) == []


def test_only_a_snapshot_can_be_gone_back_to() -> None:
    """A VM that is no snapshot is refused, and one that is a snapshot of nothing."""
    world, vm = machine("Halted")
    assert_refused(world, ask(world, "VM.revert", vm), "OPERATION_NOT_ALLOWED", "the VM is no snapshot")
    world, lost = machine("Halted", is_a_snapshot=True)
    assert_refused(world, ask(world, "VM.revert", lost), "VM_REVERT_FAILED", null("VM"), lost)


@pytest.mark.parametrize("name", ["VM.clone", "VM.snapshot", "VM.checkpoint", "VM.copy", "VM.revert", "VM.provision"])
def test_a_vm_that_is_none_is_refused(name: str) -> None:
    """The null reference and one never made: HANDLE_INVALID, whatever the message."""
    message = API.message(name)
    assert message is not None
    rest = [default_of(param.type) for param in message.params[1:]]
    for vm in (null("VM"), Handle("VM", 10**6)):
        assert_refused(SEEDED, ask(SEEDED, name, vm, *rest), "HANDLE_INVALID", "VM", vm)
