"""What an audit of the clauses on objects asked for: what is bound, where nobody had looked."""

from __future__ import annotations

from typing import Any

from strangers.audit_objects import by_task
from strangers.audit_objects_found import note_made_by_tasks
from strangers.base import around, defect
from strangers.heldout_base import doing, told
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal

# ------------------------------------------------------------------------------------------------------- what is bound


@defect("BIND-CREATE BIND-SYMMETRY", also="STATE-MODEL BIND-DESTROY", cls="VDI")
def shared_disks_are_elsewhere(s: Plain) -> None:
    """SR.VDIs lacks the VDIs that are made sharable."""
    shared: set[str] = set()

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref = str(old(of, given))
        if of.name == "VDI" and given.get("sharable"):
            shared.add(ref)
        return ref

    around(s, "make", make)
    told(s, "SR", "VDIs", lambda refs: [ref for ref in refs if ref not in shared])


@defect("BIND-CREATE BIND-SYMMETRY", also="STATE-MODEL BIND-DESTROY", cls="VBD")
def fixed_drives_are_no_drives(s: Plain) -> None:
    """VM.VBDs lacks the VBDs that are not unpluggable."""
    told(s, "VM", "VBDs", lambda refs: [ref for ref in refs if s.objects["VBD"][ref]["unpluggable"]])


@defect("BIND-CREATE BIND-SYMMETRY", also="STATE-MODEL BIND-DESTROY", cls="VBD")
def disks_belong_to_drives_of_discs(s: Plain) -> None:
    """VDI.VBDs shows VBDs of the type CD alone."""
    told(s, "VDI", "VBDs", lambda refs: [ref for ref in refs if s.objects["VBD"][ref]["type"] == "CD"])


@defect("BIND-CREATE", also="STATE-MODEL BIND-SYMMETRY", cls="VTPM")
def workers_bind_one_end(s: Plain) -> None:
    """VM.VTPMs lacks a VTPM that a task made."""
    unbound = note_made_by_tasks(s, "VTPM")
    told(s, "VM", "VTPMs", lambda refs: [ref for ref in refs if ref not in unbound])


@defect("BIND-CREATE BIND-SYMMETRY", also="STATE-MODEL BIND-DESTROY", cls="PVS_server")
def two_servers_a_site(s: Plain) -> None:
    """PVS_site.servers shows two servers at most."""
    told(s, "PVS_site", "servers", lambda refs: refs[:2])


@defect("BIND-MOVE BIND-SYMMETRY", also="STATE-MODEL", cls="VM")
def taken_out_before_it_is_looked_at(s: Plain) -> None:
    """VM.set_appliance to one that is not there fails, and yet the VM is out of its appliance's VMs."""
    out: set[tuple[str, str]] = set()

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            if method == "VM.set_appliance" and no.args[:2] == ("HANDLE_INVALID", "VM_appliance"):
                row = s.objects["VM"].get(raw[1], {})
                out.add((raw[1], row.get("appliance", NULL)))
            raise

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        there = (of.name, field.name) == ("VM_appliance", "VMs")
        return [vm for vm in value if (vm, ref) not in out] if there else value

    def write(old: Any, ref: str, _obj: Any, value: str) -> None:
        out.difference_update({(ref, each) for each in s.objects["VM_appliance"]})
        old(value)

    around(s, "call", call)
    around(s, "get", get)
    doing(s, "set", "VM", "appliance", write)


@defect("BIND-MOVE", also="STATE-MODEL BIND-SYMMETRY ASYNC-TASK", cls="VM")
def workers_move_one_end(s: Plain) -> None:
    """A VM that Async.VM.set_appliance moves is in the VMs of the one before as well."""
    now, stale = by_task(s), list[tuple[str, str]]()

    def write(old: Any, ref: str, obj: Any, value: str) -> None:
        if now:
            stale.append((ref, obj["appliance"]))
        old(value)

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        more = [vm for vm, left in stale if left == ref and vm in s.objects["VM"] and vm not in value]
        return [*value, *more] if (of.name, field.name) == ("VM_appliance", "VMs") else value

    doing(s, "set", "VM", "appliance", write)
    around(s, "get", get)


@defect("BIND-DESTROY", also="STATE-MODEL DESTROY-GONE BIND-SYMMETRY", cls="VM")
def first_bond_found_is_cut(s: Plain) -> None:
    """A destroyed VM that is in an appliance and follows a schedule stays in the VMs of the schedule."""
    stale: list[tuple[str, str]] = []

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = s.objects[of.name].get(ref, {})
        old(of, ref)
        if of.name == "VM" and NULL not in {row["appliance"], row["snapshot_schedule"]}:
            stale.append((ref, row["snapshot_schedule"]))

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        there = (of.name, field.name) == ("VMSS", "VMs")
        return [*value, *(vm for vm, left in stale if left == ref)] if there else value

    around(s, "destroy", destroy)
    around(s, "get", get)
