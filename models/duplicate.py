"""Which fields a copy of an object takes from its source: one table for VMs, their VBDs and VIFs, and VDIs.

Laws (the API's fields of these classes; the messages that copy are in models/copying.py and models/storage.py):
1. A copy has every field of its source, except those that its row calls fresh and what the message itself gives.
2. A fresh field begins as in any new object: the uuid, what describes a running domain, a plug or a disk's place.
3. The derived end of a bound pair follows from its owners, so that a copy begins with none.
4. The document does not say of every field whether a copy keeps it. Those it leaves open are listed: live servers
   begin some of them anew, or add keys of their own. Nobody is to be held to what is listed there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from xenconform.models.binding import bonds
from xenconform.models.steps import Steps
from xenconform.models.values import Handle, Value


@dataclass(frozen=True, slots=True)
class Copied:
    """A row of the table: the fields that begin anew, and those that a server may keep or not."""

    fresh: frozenset[str]
    unsettled: frozenset[str]


_ANY: Final = frozenset({"uuid", "allowed_operations", "current_operations"})
_PLUGGED: Final = frozenset({"currently_attached", "metrics", "runtime_properties", "status_code", "status_detail"})
_SNAPSHOT: Final = frozenset({"is_a_snapshot", "snapshot_of", "snapshot_time"})
_VM_POLICIES: Final = frozenset(
    {"appliance", "ha_always_run", "order", "protection_policy", "shutdown_delay", "snapshot_schedule", "start_delay"}
)
_VM_RUNTIME: Final = frozenset(
    {
        "attached_PCIs",
        "blobs",
        "domarch",
        "domid",
        "guest_metrics",
        "is_default_template",
        "is_snapshot_from_vmpp",
        "is_vmss_snapshot",
        "metrics",
        "parent",
        "pending_guidances",
        "pending_guidances_full",
        "pending_guidances_recommended",
        "requires_reboot",
        "resident_on",
        "scheduled_to_be_resident_on",
        "snapshot_info",
        "snapshot_metadata",
        "suspend_VDI",
        "transportable_snapshot_id",
    }
)
_VM_BEGINS_ANEW: Final = frozenset({"blocked_operations", "generation_id", "suspend_SR", "version"})

FIELDS: Final[Mapping[str, Copied]] = {
    "VM": Copied(
        fresh=_ANY | _SNAPSHOT | _VM_RUNTIME | _VM_POLICIES | _VM_BEGINS_ANEW,
        unsettled=_VM_POLICIES
        | _VM_BEGINS_ANEW
        | {"NVRAM", "VGPUs", "VTPMs", "is_vmss_snapshot", "other_config", "suspend_VDI"},
    ),
    "VBD": Copied(fresh=_ANY | _PLUGGED | {"storage_lock"}, unsettled=frozenset({"other_config"})),
    "VIF": Copied(fresh=_ANY | _PLUGGED, unsettled=frozenset({"MAC", "other_config"})),
    "VDI": Copied(
        fresh=_ANY
        | _SNAPSHOT
        | {"cbt_enabled", "location", "metadata_latest", "metadata_of_pool", "parent", "storage_lock"},
        unsettled=frozenset({"read_only", "sm_config", "tags"}),
    ),
}
"""By class."""


def kept(steps: Steps, source: Handle) -> dict[str, Value]:
    """Return the fields of an object that a copy of it takes over."""
    derived, row = bonds(steps.world.api).by_derived, FIELDS[source.cls]
    return {
        name: value
        for name, value in steps.fields(source).items()
        if name not in row.fresh and (source.cls, name) not in derived
    }


def duplicate(steps: Steps, source: Handle, given: Mapping[str, Value]) -> Handle:
    """Make a copy of an object: the fields that it keeps, and `given` in place of them."""
    return steps.create(source.cls, {**kept(steps, source), **given})
