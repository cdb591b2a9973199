"""Copies of a VM: one table of the messages that make one, and going back to a snapshot.

Laws (the messages' own descriptions, the errors that they declare, and the fields of a VM):
1. A message works from the power states of its row alone; from any other it fails with VM_BAD_POWER_STATE as in
   models/power.py. Next, a control domain fails with OPERATION_NOT_ALLOWED.
2. The copy is a new VM of the given name and of the power state that the row gives for the source's. Its other fields
   are as models/duplicate.py says. A copy of a template is a template.
3. A snapshot is also a template and a snapshot, it names its source in snapshot_of, so that the source's snapshots
   show it, and snapshot_info tells the source's power state.
4. Every VBD and VIF of the source has its like at the copy. A disk gets a VDI of its own, in the same SR or in the one
   that VM.copy names: a snapshot of the source's VDI if the VM is a snapshot, else a plain copy. What is no disk (a CD)
   is shared. Disks that VM.snapshot is told to ignore are left out, with their VBDs.
   A VIF of a snapshot keeps its MAC; that of any other copy gets a new one, for two may not have the same on a network.
   Whether devices of other kinds are copied is not said, and they are not.
5. Else the source is unchanged.
6. revert gives a VM the fields of its snapshot, as far as a snapshot keeps them, and its power state; it lives nowhere.
   It keeps its uuid and whatever says that it is no snapshot. Its VBDs and VIFs are made anew from the snapshot's, on
   plain copies of the snapshot's disks; all snapshots of the disk that was there become snapshots of the new one, and
   the old disk ends unless something else refers to it. The image of a VM's memory is such a disk. A device that
   something else refers to stays. Whether its name, its tags and its affinity go back is not
   said: live servers take the name of that time and keep the other two; here all three stay.
7. provision takes a Halted template, no snapshot, and makes it a VM that is none.
There is no clock here: whoever has one writes snapshot_time afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xenconform.models.calls import Failure
from xenconform.models.duplicate import FIELDS, duplicate, kept
from xenconform.models.power import ALL_STATES, HALTED, PAUSED, RUNNING, SUSPENDED, bad_power_state, of_control_domain
from xenconform.models.steps import OwnRule, Steps, named
from xenconform.models.storage import DISK, copy_disk
from xenconform.models.values import Handle, Value, null

if TYPE_CHECKING:
    from xenconform.models.api import Message
    from xenconform.models.world import Branch, World


@dataclass(frozen=True, slots=True)
class Copying:
    """A row of the table.

    Attributes:
        states: the copy's power state for each of the source's that the message works from.
        snapshot: whether the copy is a snapshot of the source.
    """

    states: Mapping[str, str]
    snapshot: bool


COPYINGS: Final[Mapping[str, Copying]] = {
    "clone": Copying({HALTED: HALTED, SUSPENDED: SUSPENDED}, snapshot=False),
    "copy": Copying({HALTED: HALTED, SUSPENDED: SUSPENDED}, snapshot=False),
    "snapshot": Copying(dict.fromkeys(ALL_STATES, HALTED), snapshot=True),
    "checkpoint": Copying({HALTED: HALTED, PAUSED: HALTED, SUSPENDED: SUSPENDED, RUNNING: SUSPENDED}, snapshot=True),
}
"""By the name of the message of class VM."""

STAYS: Final = frozenset({"affinity", "is_a_template", "name_label", "tags"})
"""The fields of a VM that a snapshot keeps and revert leaves alone."""
UNSETTLED_BY_REVERT: Final = FIELDS["VM"].unsettled | STAYS
"""The fields of a VM of which nobody says what revert does to them."""


def _copy(world: World, message: Message, args: tuple[Value, ...]) -> Branch | Failure:
    row, given, steps = COPYINGS[message.name], named(message, args), Steps(world)
    vm: Handle = given["vm"]
    source = steps.fields(vm)
    state: str = source["power_state"]
    if state not in row.states:
        return bad_power_state(vm, tuple(row.states), state)
    if source["is_control_domain"]:
        return of_control_domain(message)
    fields: dict[str, Value] = {"name_label": given["new_name"], "power_state": row.states[state]}
    if row.snapshot:
        fields |= {"is_a_template": True, "is_a_snapshot": True, "snapshot_of": vm}
        fields["snapshot_info"] = {"power-state-at-snapshot": state}
    made = duplicate(steps, vm, fields)
    sr = given.get("sr", null("SR"))
    plan = _Disks(snapshot=row.snapshot, sr=None if sr.is_null else sr, ignored=given.get("ignore_vdis", ()))
    _copy_devices(steps, vm, made, plan)
    if row.states[state] == SUSPENDED and not source["suspend_VDI"].is_null:
        steps.write(made, {"suspend_VDI": copy_disk(steps, source["suspend_VDI"], snapshot=row.snapshot, sr=plan.sr)})
    return steps.done(made)


@dataclass(frozen=True, slots=True)
class _Disks:
    """How the disks of a VM are copied: as snapshots or not, into which SR, and which not at all."""

    snapshot: bool
    sr: Handle | None = None
    ignored: tuple[Handle, ...] = ()
    keep_mac: bool = False


def _copy_devices(steps: Steps, source: Handle, to: Handle, plan: _Disks) -> dict[Handle, Handle]:
    """Give a VM the likes of another's VBDs and VIFs; return the new disks by the old ones."""
    disks: dict[Handle, Handle] = {}
    for vbd in _owned(steps, "VBD", source):
        vdi: Handle = steps.fields(vbd)["VDI"]
        if vdi in plan.ignored and not vdi.is_null:
            continue
        new = vdi
        if steps.fields(vbd)["type"] == DISK and not vdi.is_null:
            new = disks[vdi] = copy_disk(steps, vdi, snapshot=plan.snapshot, sr=plan.sr)
        duplicate(steps, vbd, {"VM": to, "VDI": new})
    for vif in _owned(steps, "VIF", source):
        made = duplicate(steps, vif, {"VM": to})
        if not (plan.snapshot or plan.keep_mac):
            steps.write(made, {"MAC": _mac(steps.world.uuid_of(made.n)), "MAC_autogenerated": True})
    return disks


def _owned(steps: Steps, cls: str, vm: Handle) -> tuple[Handle, ...]:
    """Return the devices of a class that a VM has, oldest first."""
    return tuple(each for each in steps.world.handles(cls) if steps.fields(each)["VM"] == vm)


def _mac(uuid: str) -> str:
    """Return a MAC, unicast and of local administration, that follows from a uuid."""
    return ":".join(("02", *(uuid[at : at + 2] for at in (24, 26, 28, 30, 32))))


def _revert(world: World, message: Message, args: tuple[Value, ...]) -> Branch | Failure:
    steps, snapshot = Steps(world), args[0]
    fields = steps.fields(snapshot)
    vm: Handle = fields["snapshot_of"]
    if not fields["is_a_snapshot"]:
        return Failure("OPERATION_NOT_ALLOWED", ("the VM is no snapshot",))
    if world.record(vm) is None:
        return Failure("VM_REVERT_FAILED", (vm, snapshot))
    if steps.fields(vm)["is_control_domain"]:
        return of_control_domain(message)
    back = {name: value for name, value in kept(steps, snapshot).items() if name not in STAYS}
    steps.write(vm, {**back, "resident_on": null("host"), "scheduled_to_be_resident_on": null("host")})
    for device in (*_owned(steps, "VBD", vm), *_owned(steps, "VIF", vm)):
        steps.destroy_unless_used(device)
    for old, new in _copy_devices(steps, snapshot, vm, _Disks(snapshot=False, keep_mac=True)).items():
        _take_the_place(steps, steps.fields(old)["snapshot_of"], new)
    _put_back_memory(steps, fields["suspend_VDI"], vm)
    return steps.done()


def _put_back_memory(steps: Steps, image: Handle, vm: Handle) -> None:
    """Give a VM a plain copy of a snapshot's image of its memory, or none, in place of the one that it has."""
    before: Handle = steps.fields(vm)["suspend_VDI"]
    if image.is_null:
        steps.write(vm, {"suspend_VDI": image})
    else:
        new = copy_disk(steps, image, snapshot=False)
        steps.write(vm, {"suspend_VDI": new})
        _take_the_place(steps, steps.fields(image)["snapshot_of"], new)
    steps.destroy_unless_used(before)


def _take_the_place(steps: Steps, before: Handle, disk: Handle) -> None:
    """Let a disk be what the snapshots of another are snapshots of, and end that other one."""
    if steps.world.record(before) is not None:
        for each in steps.world.handles("VDI"):
            if steps.fields(each)["snapshot_of"] == before:
                steps.write(each, {"snapshot_of": disk})
        steps.destroy_unless_used(before)


def _provision(world: World, message: Message, args: tuple[Value, ...]) -> Branch | Failure:
    steps, vm = Steps(world), args[0]
    fields = steps.fields(vm)
    if fields["power_state"] != HALTED:
        return bad_power_state(vm, (HALTED,), fields["power_state"])
    if fields["is_control_domain"]:
        return of_control_domain(message)
    if fields.get("is_a_snapshot", False):
        return Failure("OPERATION_NOT_ALLOWED", ("the VM is a snapshot",))
    if not fields["is_a_template"]:
        return Failure("PROVISION_ONLY_ALLOWED_ON_TEMPLATE")
    steps.write(vm, {"is_a_template": False})
    return steps.done()


RULES: Final[dict[str, OwnRule]] = {
    **{f"VM.{name}": _copy for name in COPYINGS},
    "VM.revert": _revert,
    "VM.provision": _provision,
}
"""By full name."""
