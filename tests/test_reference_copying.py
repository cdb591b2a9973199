"""Copies, snapshots and re-binding setters of the reference server, over every format, as tasks and on the disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from reference_caller import API, FORMATS, Caller
from worlds import everything, flaws

from xenconform.conformance.codec import decode_xml_value
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import Service
from xenconform.conformance.reference.state import State
from xenconform.conformance.reference.store import Store
from xenconform.models import types as t
from xenconform.models.calls import Failure, Format, Success

NULL = t.NULL_REF


@pytest.fixture
def service() -> Service:
    return Service(State(seeded(API)))


@pytest.fixture(params=FORMATS)
def caller(request: pytest.FixtureRequest, service: Service) -> Caller:
    return Caller(service, request.param)


def named(caller: Caller, cls: str, label: str) -> str:
    ref: str = caller.value(f"{cls}.get_by_name_label", label)[0]
    return ref


def record(caller: Caller, cls: str, ref: str) -> Any:
    return caller.value(f"{cls}.get_record", ref)


def just_now(time: datetime) -> bool:
    return timedelta() <= datetime.now(UTC) - time < timedelta(minutes=1)


def test_a_clone_of_a_template_becomes_a_vm(caller: Caller) -> None:
    """Cloned, provisioned, started; its uuid finds it, and the template is as before."""
    template = named(caller, "VM", "Example Linux 9")
    before = record(caller, "VM", template)
    vm = caller.value("VM.clone", template, "mine")
    assert caller.ask("VM.start", vm, False, False) == Failure("VM_IS_TEMPLATE", (vm,))
    assert caller.value("VM.provision", vm) is None
    assert caller.value("VM.start", vm, False, False) is None
    after = record(caller, "VM", vm)
    assert (after["name_label"], after["power_state"], after["is_a_template"]) == ("mine", "Running", False)
    assert (after["VCPUs_max"], after["HVM_boot_params"]) == (before["VCPUs_max"], before["HVM_boot_params"])
    assert caller.value("VM.get_by_uuid", after["uuid"]) == vm
    assert record(caller, "VM", template) == before
    refused = caller.ask("VM.clone", vm, "untimely")
    assert refused == Failure("VM_BAD_POWER_STATE", (vm, "halted, suspended", "running"))
    assert flaws(caller.service.state.world) == []


def test_a_running_vm_goes_back_to_its_snapshot(caller: Caller) -> None:
    """The snapshot has the time of now, its disks too; going back gives the fields and the disks of then."""
    vm = named(caller, "VM", "guest")
    old = caller.value("VM.get_snapshots", vm)
    args = caller.value("VM.get_PV_args", vm)
    snapshot = caller.value("VM.snapshot", vm, "before", ())
    shown = record(caller, "VM", snapshot)
    assert (shown["snapshot_of"], shown["is_a_snapshot"], shown["power_state"]) == (vm, True, "Halted")
    assert just_now(shown["snapshot_time"])
    assert set(caller.value("VM.get_snapshots", vm)) == {*old, snapshot}
    disks = [caller.value("VBD.get_VDI", vbd) for vbd in shown["VBDs"]]
    disk = next(each for each in disks if each != NULL)
    assert just_now(caller.value("VDI.get_snapshot_time", disk))
    before = caller.value("VDI.get_snapshot_of", disk)
    caller.value("VM.set_PV_args", vm, f"{args} and more")
    assert caller.value("VM.revert", snapshot) is None
    assert caller.value("VM.get_PV_args", vm) == args
    assert caller.value("VM.get_power_state", vm) == "Halted"
    new = caller.value("VDI.get_snapshot_of", disk)
    assert new != before
    assert [caller.value("VBD.get_VM", vbd) for vbd in caller.value("VDI.get_VBDs", new)] == [vm]
    assert caller.ask("VDI.resize_online", new, 1) == Failure("MESSAGE_REMOVED", ())
    assert flaws(caller.service.state.world) == []


def test_a_setter_re_binds_both_ends(caller: Caller) -> None:
    """An explicit setter of a bound field takes the VM out of the old set and puts it into the new."""
    vm = named(caller, "VM", "guest")
    old = caller.value("VM.get_appliance", vm)
    fields = {"name_label": "other", "name_description": ""}
    new = caller.value("VM_appliance.create", fields)
    assert caller.value("VM.set_appliance", vm, new) is None
    assert vm in caller.value("VM_appliance.get_VMs", new)
    assert vm not in caller.value("VM_appliance.get_VMs", old)
    caller.value("VM.set_appliance", vm, NULL)
    assert caller.value("VM_appliance.get_VMs", new) == ()
    vif, network = caller.value("VM.get_VIFs", vm)[0], named(caller, "network", "Overlay")
    caller.value("VIF.move", vif, network)
    assert vif in caller.value("network.get_VIFs", network)
    pgpu, kind = caller.value("PGPU.get_all")[0], caller.value("VGPU_type.get_all")[0]
    caller.value("PGPU.set_enabled_VGPU_types", pgpu, ())
    assert pgpu not in caller.value("VGPU_type.get_enabled_on_PGPUs", kind)
    caller.value("PGPU.add_enabled_VGPU_types", pgpu, kind)
    assert pgpu in caller.value("VGPU_type.get_enabled_on_PGPUs", kind)
    assert flaws(caller.service.state.world) == []


def test_a_snapshot_as_a_task_is_the_same(caller: Caller) -> None:
    """The task's result is the snapshot, with its time; a blob made in passing has one, too."""
    vm = named(caller, "VM", "guest")
    task = caller.value("Async.VM.checkpoint", vm, "later", result=t.RefTo("task"))
    result = decode_xml_value(caller.value("task.get_result", task), t.RefTo("VM")).outcome
    assert isinstance(result, Success)
    shown = record(caller, "VM", result.value)
    assert (shown["name_label"], shown["power_state"], just_now(shown["snapshot_time"])) == ("later", "Suspended", True)
    blob = caller.value("VM.create_new_blob", vm, "notes too", "text/plain", True)
    assert just_now(caller.value("blob.get_last_updated", blob))
    refused = caller.value("Async.VM.clone", vm, "untimely", result=t.RefTo("task"))
    assert caller.value("task.get_error_info", refused)[0] == "VM_BAD_POWER_STATE"


def test_each_object_of_a_copy_is_an_event(service: Service) -> None:
    """A watcher is told of the new VM, its devices and disks as additions, and of nothing that did not change."""
    caller = Caller(service, Format.JSONRPC2)
    vm, classes = named(caller, "VM", "guest"), ("VM", "VBD", "VIF", "VDI")
    token = caller.value("event.from", classes, "", 0.0)["token"]
    snapshot = caller.value("VM.snapshot", vm, "s", ())
    told = {e["ref"]: e["operation"] for e in caller.value("event.from", classes, token, 0.0)["events"]}
    shown = record(caller, "VM", snapshot)
    made = {snapshot, *shown["VBDs"], *shown["VIFs"]}
    made |= {disk for vbd in shown["VBDs"] if (disk := caller.value("VBD.get_VDI", vbd)) != NULL}
    assert {ref for ref, what in told.items() if what == "add"} == made
    assert told[vm] == "mod"


def test_copies_are_on_the_disk(tmp_path: Path) -> None:
    """After a snapshot, a revert and a clone the state file gives the world that the server has."""
    store = Store(tmp_path / "state.db")
    world = seeded(API)
    store.keep_all(world)
    service = Service(State(world, keep=store.keep))
    caller = Caller(service, Format.XMLRPC)
    vm = named(caller, "VM", "guest")
    snapshot = caller.value("VM.snapshot", vm, "s", ())
    caller.value("VM.revert", snapshot)
    caller.value("VM.copy", vm, "c", NULL)
    kept = store.load(API)
    assert kept is not None
    have = service.state.world
    for handle in everything(have):
        if handle.cls != "session":
            assert kept.record(handle) == have.record(handle)
    assert everything(kept) == [h for h in everything(have) if h.cls != "session"]
    store.close()
