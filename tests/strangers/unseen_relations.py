"""Unseen defects of what objects have to do with each other: written without a look at the checks or other defects."""

from __future__ import annotations

from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing, told
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal

# ------------------------------------------------------------------------------------------------ making and ending


@defect("DESTROY-REFERENCED-UNCHANGED", also="ROBUST-NO-EFFECT STATE-MODEL", cls="SR")
def collections_go_before_the_row(s: Plain) -> None:
    """SR.destroy deletes tags, other_config and sm_config first; where the row is refused to go, they are gone."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        try:
            old(of, ref)
        except Refusal as no:
            if of.name == "SR" and no.args[0] == "OBJECT_IN_USE":
                s.objects["SR"][ref] |= {"tags": [], "other_config": {}, "sm_config": {}}
            raise

    around(s, "destroy", destroy)


@defect("DESTROY-NO-CASCADE", also="STATE-MODEL", cls="VUSB")
def groups_end_with_their_last_member(s: Plain) -> None:
    """Destroying the last VUSB of a USB_group removes the group, which is held to be no longer of use."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        group = s.objects["VUSB"].get(ref, {}).get("USB_group", NULL) if of.name == "VUSB" else NULL
        old(of, ref)
        if group != NULL and all(row["USB_group"] != group for row in s.objects["VUSB"].values()):
            s.objects["USB_group"].pop(group, None)

    around(s, "destroy", destroy)


@defect("CREATE-NEW", also="SET-ONLY-THAT CREATE-FIELDS STATE-MODEL", cls="PBD")
def same_pair_is_the_same_row(s: Plain) -> None:
    """PBD.create of a host and an SR that have a PBD updates that PBD, and answers its ref."""

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        if of.name == "PBD" and NULL not in {given["host"], given["SR"]}:
            for ref, row in s.objects["PBD"].items():
                if (row["host"], row["SR"]) == (given["host"], given["SR"]):
                    row.update(given)
                    return ref
        return str(old(of, given))

    around(s, "make", make)


@defect("CREATE-BAD BIND-SYMMETRY ROBUST-NO-EFFECT", also="STATE-MODEL", cls="PVS_proxy")
def site_told_before_the_rest_is_seen(s: Plain) -> None:
    """PVS_proxy.create enters the proxy into its site before it looks for the VIF; a bad one leaves the entry."""
    ghosts: dict[str, list[str]] = {}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            with s.lock:
                if method == "PVS_proxy.create" and no.args[:2] == ("HANDLE_INVALID", "VIF"):
                    ghosts.setdefault(raw[1], []).append(s.new_ref("PVS_proxy"))
            raise

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        return [*value, *ghosts.get(ref, [])] if (of.name, field.name) == ("PVS_site", "proxies") else value

    around(s, "call", call)
    around(s, "get", get)


@defect("ASYNC-TASK DESTROY-REFERENCED", also="STATE-MODEL", cls="VMSS")
def task_asks_nobody(s: Plain) -> None:
    """What refuses to destroy a VMSS that VMs name stands in the synchronous call alone: Async.VMSS.destroy ends it."""

    def carry_out(old: Any, job: Any) -> Any:
        if job.message.full_name != "VMSS.destroy":
            return old(job)
        (ref,) = s.parameters(job.message, job.raw)
        s.object(s.api.classes["VMSS"], ref)
        del s.objects["VMSS"][ref]
        return None

    around(s, "carry_out", carry_out)


# ------------------------------------------------------------------------------------------------------- bound fields


@defect("GET-ALL-AGREES BIND-DESTROY DESTROY-GONE", also="STATE-MODEL BIND-SYMMETRY", cls="PVS_server")
def servers_forgotten_but_in_the_list(s: Plain) -> None:
    """PVS_site.get_all_records reads servers of a table that is only ever added to; forgotten ones stay in it."""
    told_once: list[tuple[str, str]] = []

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref = str(old(of, given))
        if of.name == "PVS_server":
            told_once.append((given["site"], ref))
        return ref

    def get_all_records(old: Any, of: Any) -> dict[str, Any]:
        records: dict[str, Any] = old(of)
        if of.name == "PVS_site":
            for site, record in records.items():
                record["servers"] = [ref for at, ref in told_once if at == site]
        return records

    around(s, "make", make)
    around(s, "get_all_records", get_all_records)


@defect("BIND-CREATE BIND-SYMMETRY", also="STATE-MODEL", cls="VBD")
def empty_drives_fall_out_of_the_join(s: Plain) -> None:
    """VM.VBDs comes of an inner join with VDI: a VBD without one, as an empty drive has it, is not there."""
    told(s, "VM", "VBDs", lambda refs: [ref for ref in refs if s.objects["VBD"][ref]["VDI"] != NULL])


@defect("BIND-MOVE BIND-SYMMETRY", also="STATE-MODEL", cls="VM")
def once_out_of_an_appliance_always_out(s: Plain) -> None:
    """A VM that left an appliance is marked as gone there; when it comes back, VM_appliance.VMs still lacks it."""
    left: set[tuple[str, str]] = set()

    def write(old: Any, ref: str, obj: Any, value: str) -> None:
        if value != obj["appliance"]:
            left.add((obj["appliance"], ref))
        old(value)

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) == ("VM_appliance", "VMs"):
            return [vm for vm in value if (ref, vm) not in left]
        return value

    doing(s, "set", "VM", "appliance", write)
    around(s, "get", get)


@defect("BIND-SYMMETRY", also="STATE-MODEL", cls="VM")
def paused_guests_live_nowhere(s: Plain) -> None:
    """host.resident_VMs lists the running VMs alone: a paused one has its resident_on, and no host has it."""
    told(
        s,
        "host",
        "resident_VMs",
        lambda refs: [ref for ref in refs if s.objects["VM"][ref]["power_state"] == "Running"],
    )
