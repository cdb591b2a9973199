"""Defects of kinds that servers in other languages had and the checks missed: bonds moved by name, siblings' flags."""

from __future__ import annotations

from typing import Any

from strangers.base import around, defect
from strangers.defects_bonds import far
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal


@defect("BIND-MOVE", also="BIND-SYMMETRY", cls="VIF")
def a_moved_vif_is_in_two_networks(s: Plain) -> None:
    """VIF.move enters the new network and leaves the old one as it was, which goes on to show the VIF."""
    left: dict[str, list[str]] = {}

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.full_name != "VIF.move":
            return old(message, args)
        ref, network = args
        row = s.object(s.api.classes["VIF"], ref)
        if network not in s.objects["network"]:
            raise Refusal("HANDLE_INVALID", "network", network)
        left.setdefault(row["network"], []).append(ref)
        row["network"] = network
        return None

    def change(relation: Any, ref: str, found: list[str]) -> list[str]:
        if (relation.owner_cls, relation.owner_field) != ("VIF", "network"):
            return found
        stale = [each for each in left.get(ref, ()) if each in s.objects["VIF"] and each not in found]
        return [*found, *dict.fromkeys(stale)]

    around(s, "run", run)
    far(s, change)


@defect("BIND-SYMMETRY", also="BIND-MOVE", cls="PGPU")
def a_removed_type_keeps_its_gpu(s: Plain) -> None:
    """A type that PGPU.remove_enabled_VGPU_types takes out still shows the GPU in enabled_on_PGPUs. There is one."""
    kinds = [s.make(s.api.classes["VGPU_type"], {}) for _ in range(2)]
    s.make(s.api.classes["PGPU"], {"supported_VGPU_types": kinds, "enabled_VGPU_types": kinds})
    left: dict[str, list[str]] = {}

    def remove(old: Any, ref: str, obj: dict[str, Any], value: str) -> None:
        if value in obj["enabled_VGPU_types"]:
            left.setdefault(value, []).append(ref)
        old(value)

    def change(relation: Any, ref: str, found: list[str]) -> list[str]:
        if (relation.owner_cls, relation.owner_field) != ("PGPU", "enabled_VGPU_types"):
            return found
        return [*found, *(each for each in dict.fromkeys(left.get(ref, ())) if each not in found)]

    doing(s, "remove", "PGPU", "enabled_VGPU_types", remove)
    far(s, change)


@defect("SET-ONLY-THAT", cls="VBD")
def one_drive_of_a_vm_is_the_one_to_boot_from(s: Plain) -> None:
    """VBD.set_bootable to true takes the flag from the other VBDs of the VM, as of a choice among them."""

    def put(old: Any, ref: str, obj: dict[str, Any], value: bool) -> None:
        old(value)
        for other, row in s.objects["VBD"].items() if value and obj["VM"] != NULL else ():
            if other != ref and row["VM"] == obj["VM"]:
                row["bootable"] = False

    doing(s, "set", "VBD", "bootable", put)


@defect("SET-ONLY-THAT", cls="VMSS")
def the_last_schedule_stays_on(s: Plain) -> None:
    """VMSS.set_enabled to false switches on another schedule that was off, where none would be on else."""

    def put(old: Any, ref: str, _obj: dict[str, Any], value: bool) -> None:
        old(value)
        others = [row for other, row in s.objects["VMSS"].items() if other != ref]
        if not value and others and not any(row["enabled"] for row in others):
            others[-1]["enabled"] = True

    doing(s, "set", "VMSS", "enabled", put)


@defect("SET-ONLY-THAT", cls="GPU_group")
def one_group_alone_is_filled_up(s: Plain) -> None:
    """GPU_group.set_allocation_algorithm to depth_first puts the group before that had it back to breadth_first."""

    def put(old: Any, ref: str, _obj: dict[str, Any], value: str) -> None:
        old(value)
        for other, row in s.objects["GPU_group"].items() if value == "depth_first" else ():
            if other != ref and row["allocation_algorithm"] == "depth_first":
                row["allocation_algorithm"] = "breadth_first"

    doing(s, "set", "GPU_group", "allocation_algorithm", put)


@defect("BIND-DESTROY", also="BIND-SYMMETRY STATE-MODEL GET-RECORD-AGREES", cls="VIF")
def a_far_end_is_known_by_its_size(s: Plain) -> None:
    """network.VIFs is kept until their number is another: one that went as one came is shown in its place."""
    kept: dict[str, list[str]] = {}

    def change(relation: Any, ref: str, found: list[str]) -> list[str]:
        if relation.derived_field != "VIFs" or relation.derived_cls != "network":
            return found
        if len(kept.setdefault(ref, found)) != len(found):
            kept[ref] = found
        return kept[ref]

    far(s, change)


@defect("DESTROY-GONE GET-ALL-AGREES", also="STATE-MODEL", cls="secret")
def a_listing_is_known_by_its_size(s: Plain) -> None:
    """secret.get_all is kept until the number of secrets is another."""
    kept: list[str] = []

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        value = old(message, args)
        if message.full_name == "secret.get_all":
            if len(value) != len(kept):
                kept[:] = value
            return list(kept)
        return value

    around(s, "run", run)


@defect("EVENT-FROM", cls="network")
def a_batch_has_sixteen_events(s: Plain) -> None:
    """event.from tells of sixteen changes at the most, and its token goes past the others."""
    around(s, "since", lambda old, number, wanted: old(number, wanted)[:16])


@defect("EVENT-FROM", cls="network")
def what_was_born_and_changed_has_changed(s: Plain) -> None:
    """What was made and changed between two calls of event.from is told as changed alone."""

    def since(old: Any, number: int, wanted: Any) -> Any:
        found = old(number, wanted)
        changed = {each.ref for each in found if each.operation == "mod"}
        return [each for each in found if each.operation != "add" or each.ref not in changed]

    around(s, "since", since)


@defect("SET-ADD-DEDUP", also="STATE-MODEL", cls="network")
def a_purpose_is_no_purpose_of_itself(s: Plain) -> None:
    """network.add_purpose of a purpose that is there fails, as if it went ill with itself."""

    def add(old: Any, _ref: str, obj: dict[str, Any], value: str) -> None:
        if value in obj["purpose"]:
            raise Refusal("NETWORK_INCOMPATIBLE_PURPOSES", value, value)
        old(value)

    doing(s, "add", "network", "purpose", add)


@defect("ROBUST-NO-EFFECT", cls="pool")
def a_refused_sr_is_the_default_all_the_same(s: Plain) -> None:
    """pool.set_default_SR of an SR that there is not fails, and is stored before that."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            if method == "pool.set_default_SR" and no.args[:2] == ("HANDLE_INVALID", "SR") and len(raw) == 3:
                s.objects["pool"][raw[1]]["default_SR"] = raw[2]
            raise

    around(s, "call", call)


@defect("UUID-LOOKUP", cls="SR")
def a_refused_introduction_takes_the_uuid_out(s: Plain) -> None:
    """SR.introduce under a uuid in use fails, and no look-up finds the SR of that uuid any more."""
    lost: set[str] = set()

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.full_name == "SR.introduce" and args[0] in {row["uuid"] for row in s.objects["SR"].values()}:
            lost.add(args[0])
            raise Refusal("SR_UUID_EXISTS", args[0])
        if message.full_name == "SR.get_by_uuid" and args[0] in lost:
            raise Refusal("UUID_INVALID", "SR", args[0])
        return old(message, args)

    around(s, "run", run)


@defect("GET-ALL-AGREES", also="BIND-SYMMETRY", cls="VBD")
def a_drive_with_nothing_in_it_is_not_listed(s: Plain) -> None:
    """VBD.get_all_records leaves out the VBDs whose VDI is the null ref, as one that joins the two."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        value = old(message, args)
        if message.full_name == "VBD.get_all_records":
            return {ref: row for ref, row in value.items() if row["VDI"] != NULL}
        return value

    around(s, "run", run)
