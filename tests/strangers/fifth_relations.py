"""Defects of references, destroy and bound fields that were written without a look at the checks."""

from __future__ import annotations

import uuid
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.values import NULL

# ------------------------------------------------------------------------------------------------- making and removing


@defect("CREATE-NEW", cls="VIF")
def a_vif_made_again_has_the_uuid_of_the_last(s: Plain) -> None:
    """A VIF's uuid is worked out of its VM and device where it is free: made again after destroy, it is the same."""

    def make(old: Any, of: Any, given: Any) -> Any:
        ref = old(of, given)
        if of.name == "VIF":
            row = s.objects["VIF"][ref]
            text = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{row['VM']}/{row['device']}"))
            if not any(each["uuid"] == text for each in s.objects["VIF"].values()):
                row["uuid"] = text
        return ref

    around(s, "make", make)


@defect("CREATE-BAD", cls="Observer")
def an_observer_takes_hosts_that_there_are_not(s: Plain) -> None:
    """Observer.create follows single references alone: a set of hosts may name any ref, and is stored with it."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        hosts = raw.get("hosts")
        if of.name != "Observer" or not isinstance(hosts, list) or not all(isinstance(each, str) for each in hosts):
            return old(of, raw)
        ref = old(of, raw | {"hosts": []})
        s.objects["Observer"][ref]["hosts"] = list(dict.fromkeys(hosts))
        return ref

    around(s, "create", create)


@defect("UUID-UNKNOWN DESTROY-GONE", cls="SDN_controller")
def a_forgotten_controller_stays_in_the_index(s: Plain) -> None:
    """SDN_controller.get_by_uuid still gives the old ref after forget: only destroy takes a uuid out of the index."""
    index: dict[str, str] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        text = s.objects[of.name].get(ref, {}).get("uuid", "")
        old(of, ref)
        if of.name == "SDN_controller":
            index[text] = ref

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        return index[text] if of.name == "SDN_controller" and text in index else old(of, text)

    around(s, "destroy", destroy)
    around(s, "by_uuid", by_uuid)


@defect("DESTROY-REFERENCED", cls="VDI")
def a_vdi_that_a_vm_is_suspended_in_can_be_destroyed(s: Plain) -> None:
    """VDI.destroy asks for the VBDs and crash dumps of the VDI and overlooks a VM whose suspend_VDI it is."""

    def users_of(old: Any, of: Any, ref: str) -> list[str]:
        found: list[str] = old(of, ref)
        return [each for each in found if each not in s.objects["VM"]] if of.name == "VDI" else found

    around(s, "users_of", users_of)


@defect("DESTROY-REFERENCED-UNCHANGED", cls="VMSS")
def a_schedule_that_cannot_be_destroyed_is_disabled(s: Plain) -> None:
    """VMSS.destroy switches the schedule off first, and leaves it off when a VM that follows it forbids the rest."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        if of.name == "VMSS" and ref in s.objects["VMSS"]:
            s.objects["VMSS"][ref]["enabled"] = False
        old(of, ref)

    around(s, "destroy", destroy)


@defect("DESTROY-NO-CASCADE", cls="Cluster_host")
def a_cluster_ends_with_its_last_host(s: Plain) -> None:
    """Cluster_host.destroy of the last host of a cluster removes the Cluster too."""
    cluster_class = s.api.classes["Cluster"]

    def destroy(old: Any, of: Any, ref: str) -> None:
        cluster = s.objects[of.name].get(ref, {}).get("cluster", NULL)
        old(of, ref)
        if of.name == "Cluster_host" and cluster != NULL and not s.users_of(cluster_class, cluster):
            s.objects["Cluster"].pop(cluster, None)

    around(s, "destroy", destroy)


# -------------------------------------------------------------------------------------------------------- bound fields


@defect("GET-RECORD-AGREES BIND-SYMMETRY", also="BIND-CREATE", cls="VDI")
def the_record_of_a_vdi_shows_attached_vbds_alone(s: Plain) -> None:
    """VDI.get_record's VBDs are those that are attached at the moment, while get_VBDs gives them all."""

    def get_record(old: Any, of: Any, ref: str) -> dict[str, Any]:
        record: dict[str, Any] = old(of, ref)
        if of.name == "VDI":
            rows = s.objects["VBD"]
            record["VBDs"] = [each for each in record["VBDs"] if rows[each]["currently_attached"]]
        return record

    around(s, "get_record", get_record)


@defect("BIND-MOVE BIND-SYMMETRY", cls="VM")
def a_vm_without_a_schedule_stays_with_its_last(s: Plain) -> None:
    """VM.set_snapshot_schedule to the null ref clears the VM's end alone; the VMSS still shows the VM."""
    left: dict[str, list[str]] = {}

    def put(old: Any, ref: str, obj: Any, value: str) -> None:
        before = obj["snapshot_schedule"]
        old(value)
        if value == NULL and before != NULL:
            left.setdefault(before, []).append(ref)

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        found = old(of, obj, ref, field)
        if (of.name, field.name) != ("VMSS", "VMs"):
            return found
        rows = s.objects["VM"]
        stale = [each for each in left.get(ref, ()) if rows.get(each, {}).get("snapshot_schedule") == NULL]
        return [*found, *dict.fromkeys(each for each in stale if each not in found)]

    doing(s, "set", "VM", "snapshot_schedule", put)
    around(s, "get", get)


@defect("BIND-CREATE BIND-SYMMETRY", also="BIND-DESTROY WIRE-AGREE DESTROY-GONE", cls="PVS_server")
def the_servers_of_a_site_are_cached_by_format(s: Plain) -> None:
    """Each wire format caches PVS_site.servers once read; a server that comes or goes empties its own format's."""
    cache: dict[tuple[str, str], list[str]] = {}

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        if (of.name, field.name) != ("PVS_site", "servers"):
            return old(of, obj, ref, field)
        return cache.setdefault((s.fmt, ref), old(of, obj, ref, field))

    def forget(cls: str) -> None:
        for key in [key for key in cache if key[0] == s.fmt and cls == "PVS_server"]:
            del cache[key]

    def make(old: Any, of: Any, given: Any) -> Any:
        forget(of.name)
        return old(of, given)

    def destroy(old: Any, of: Any, ref: str) -> None:
        forget(of.name)
        old(of, ref)

    around(s, "get", get)
    around(s, "make", make)
    around(s, "destroy", destroy)


@defect("BIND-DESTROY DESTROY-GONE", also="ASYNC-TASK", cls="VTPM")
def a_vtpm_destroyed_by_a_task_stays_with_its_vm(s: Plain) -> None:
    """Async.VTPM.destroy removes the VTPM and leaves it in VM.VTPMs; the plain destroy clears both."""
    ghosts: dict[str, list[str]] = {}

    def carry_out(old: Any, job: Any) -> Any:
        ref = job.raw[0] if job.message.full_name == "VTPM.destroy" else None
        vm = s.objects["VTPM"].get(ref, {}).get("VM", NULL) if isinstance(ref, str) else NULL
        result = old(job)
        if isinstance(ref, str):
            ghosts.setdefault(vm, []).append(ref)
        return result

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        found = old(of, obj, ref, field)
        return [*found, *ghosts.get(ref, ())] if (of.name, field.name) == ("VM", "VTPMs") else found

    around(s, "carry_out", carry_out)
    around(s, "get", get)
