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
