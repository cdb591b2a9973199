"""Held-out defects of a house built by templates: accessors made from the class model, a key-value store, caches.

Written without a look at the checks; the rows, the indices and the records in front of the store go wrong here.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

from strangers.base import after, around, defect
from strangers.heldout_base import doing, made
from strangers.plain_server import Plain
from strangers.power import MOVES
from strangers.values import NULL, Refusal

KEY_LENGTH, CACHED_ROWS, UNLOCKED_SECONDS = 40, 3, 0.002

# ---------------------------------------------------------------------------------------------------------- accessors


@defect("SET-ONLY-THAT", cls="blob")
def a_renamed_blob_is_private_again(s: Plain) -> None:
    """blob.set_name_label writes a row made from the constructor's template, so that public is false afterwards."""

    def rename(old: Any, _ref: str, obj: dict[str, Any], value: str) -> None:
        old(value)
        obj["public"] = False

    doing(s, "set", "blob", "name_label", rename)


@defect("MAP-REMOVE", cls="tunnel")
def a_key_of_a_tunnel_takes_longer_ones_along(s: Plain) -> None:
    """tunnel.remove_from_status deletes by a prefix scan: the keys that begin with the one removed go as well."""

    def remove(_old: Any, _ref: str, obj: dict[str, Any], key: str) -> None:
        obj["status"] = {k: v for k, v in obj["status"].items() if not k.startswith(key)}

    doing(s, "remove_from", "tunnel", "status", remove)


@defect("SET-ADD", cls="pool")
def tags_of_a_pool_that_differ_in_case_are_one(s: Plain) -> None:
    """pool.add_tags looks for the tag in a column that compares without case: "Blue" is not added beside "blue"."""

    def add(old: Any, _ref: str, obj: dict[str, Any], value: str) -> None:
        if value.lower() not in {each.lower() for each in obj["tags"]}:
            old(value)

    doing(s, "add", "pool", "tags", add)


@defect("MAP-DUPLICATE-UNCHANGED", cls="user")
def a_refused_pair_of_a_user_is_written(s: Plain) -> None:
    """user.add_to_other_config of a key that is there fails as it must, but the store has put the new value before."""

    def add_to(old: Any, _ref: str, obj: dict[str, Any], key: str, value: str) -> None:
        before, obj["other_config"] = obj["other_config"], {**obj["other_config"], key: value}
        if key not in before:
            obj["other_config"] = before
        old(key, value)

    doing(s, "add_to", "user", "other_config", add_to)


@defect("GET-RECORD-AGREES STATE-MODEL", also="GET-ALL-AGREES", cls="VGPU")
def the_record_of_a_vgpu_misses_pairs(s: Plain) -> None:
    """VGPU records are cached; the setters drop the cached one, add_to_ and remove_from_ other_config do not."""
    records: dict[str, dict[str, Any]] = {}

    def get_record(old: Any, of: Any, ref: str) -> Any:
        record = old(of, ref)
        return records.setdefault(ref, record) if of.name == "VGPU" else record

    around(s, "get_record", get_record)
    after(s, "do_set", lambda _of, ref, *_: records.pop(ref, None))


# ---------------------------------------------------------------------------------- objects, look-ups, bound references


@defect("CREATE-FIELDS", cls="PVS_server")
def a_pvs_server_has_one_port(s: Plain) -> None:
    """PVS_server.introduce keeps first_port as last_port too: a line of the template that was copied."""
    made(s, "PVS_server", lambda given: {**given, "last_port": given["first_port"]})


@defect("LABEL-LOOKUP", cls="GPU_group")
def long_labels_of_gpu_groups_share_a_key(s: Plain) -> None:
    """GPU_group.get_by_name_label looks in an index whose keys are cut after 40 characters, and trusts it."""

    def by_label(old: Any, of: Any, label: str) -> Any:
        if of.name != "GPU_group":
            return old(of, label)
        key, rows = label[:KEY_LENGTH], s.objects[of.name].items()
        return [ref for ref, row in rows if row["name_label"][:KEY_LENGTH] == key]

    around(s, "by_label", by_label)


@defect("LABEL-LOOKUP", also="STATE-MODEL", cls="Observer")
def an_observer_that_was_missed_stays_missed(s: Plain) -> None:
    """Observer.get_by_name_label remembers labels that nobody has; create forgets to drop them, set_name_label does."""
    missed: set[str] = set()

    def by_label(old: Any, of: Any, label: str) -> Any:
        if of.name != "Observer":
            return old(of, label)
        found = [] if label in missed else old(of, label)
        missed.update(() if found else (label,))
        return found

    around(s, "by_label", by_label)
    after(s, "do_set", lambda _of, _ref, _obj, f, _v: missed.clear() if f.name == "name_label" else None)


@defect("UUID-UNKNOWN", cls="PVS_server")
def a_pvs_server_is_found_by_a_sites_uuid(s: Plain) -> None:
    """The uuids of PVS_site and PVS_server are one index: PVS_server.get_by_uuid answers a site's uuid with its ref."""

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        try:
            return old(of, text)
        except Refusal:
            if of.name != "PVS_server":
                raise
            return old(s.api.classes["PVS_site"], text)

    around(s, "by_uuid", by_uuid)


@defect("DESTROY-REFERENCED", also="DESTROY-GONE", cls="Repository")
def a_repository_in_use_can_be_forgotten(s: Plain) -> None:
    """Repository.forget asks for single references to it only, not for pool.repositories, and leaves that dangling."""

    def users_of(old: Any, of: Any, ref: str) -> Any:
        return [each for each in old(of, ref) if of.name != "Repository" or each not in s.objects["pool"]]

    around(s, "users_of", users_of)


@defect("BIND-MOVE BIND-SYMMETRY", cls="VM")
def a_vm_that_leaves_its_schedule_stays_in_it(s: Plain) -> None:
    """VM.set_snapshot_schedule to the null reference keeps the VM in the old VMSS.VMs; to another schedule it moves."""
    left: dict[str, str] = {}

    def move(old: Any, ref: str, obj: dict[str, Any], value: str) -> None:
        left.pop(ref, None)
        if value == NULL != obj["snapshot_schedule"]:
            left[ref] = obj["snapshot_schedule"]
        old(value)

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        found = old(of, obj, ref, f)
        if (of.name, f.name) != ("VMSS", "VMs"):
            return found
        return found + [vm for vm, at in left.items() if at == ref and vm in s.objects["VM"]]

    doing(s, "set", "VM", "snapshot_schedule", move)
    around(s, "get", get)


@defect("BIND-CREATE BIND-SYMMETRY", also="STATE-MODEL", cls="PVS_proxy")
def a_site_that_was_read_knows_no_new_proxies(s: Plain) -> None:
    """PVS_site.proxies is cached at its first read; destroy of a proxy drops it, PVS_proxy.create does not."""
    cached: dict[str, list[str]] = {}

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        found = old(of, obj, ref, f)
        return cached.setdefault(ref, found) if (of.name, f.name) == ("PVS_site", "proxies") else found

    around(s, "get", get)
    after(s, "destroy", lambda of, _ref: cached.clear() if of.name == "PVS_proxy" else None)


# ----------------------------------------------------------------------------------------------------- state over time


def flag_tasks(s: Plain) -> set[str]:
    """Return a set that is not empty while the work of a task is done."""
    at_work: set[str] = set()

    def carry_out(old: Any, job: Any) -> Any:
        at_work.add(job.message.full_name)
        try:
            return old(job)
        finally:
            at_work.clear()

    around(s, "carry_out", carry_out)
    return at_work


@defect("ASYNC-TASK", also="CREATE-FIELDS", cls="blob")
def a_blob_made_by_a_task_is_never_public(s: Plain) -> None:
    """Async.blob.create hands on its first parameter alone: the blob is private whatever the caller says."""
    at_work = flag_tasks(s)
    made(s, "blob", lambda given: {**given, "public": given["public"] and not at_work})


@defect("EVENT-FROM", cls="secret")
def maps_of_one_size_are_no_news(s: Plain) -> None:
    """event.from tells of no mod of a secret when other_config is set to other pairs, as many as there were."""

    def note(old: Any) -> None:
        for ref, seen in s.shadow.get("secret", {}).items():
            row = s.objects["secret"].get(ref)
            if row and len(row["other_config"]) == len(seen["other_config"]):
                seen["other_config"] = row["other_config"]
        old()

    around(s, "note", note)


@defect("LIFECYCLE-VM", also="ASYNC-TASK STATE-MODEL", cls="VM")
def what_tasks_do_to_a_vm_is_not_heeded(s: Plain) -> None:
    """Power messages check a cached state that Async.VM.* leaves alone: VM.pause is refused after Async.VM.start."""
    at_work = flag_tasks(s)
    states: dict[str, str] = {}

    def power(old: Any, name: str, ref: str, rest: list[Any]) -> None:
        froms = MOVES[name][0]
        if not at_work and ref in s.objects["VM"] and states.get(ref, froms) not in froms:
            raise s.bad_state(ref, froms, states[ref])
        old(name, ref, rest)
        if not at_work:
            states[ref] = s.objects["VM"][ref]["power_state"]

    around(s, "power", power)


@defect("RBAC", cls="VMSS")
def a_vm_admin_has_all_that_begins_with_vm(s: Plain) -> None:
    """The rights of vm-admin are given by the prefix VM: it may make and change VMSS and VMPP, an operator's matter."""
    around(s, "may", lambda old, role, m: old(role, m) or (role == "vm-admin" and m.cls[:2] == "VM"))


@defect("PERSIST", cls="pool")
def pairs_without_a_value_are_lost_at_a_restart(s: Plain) -> None:
    """The store writes no empty values: pairs of pool.health_check_config with the value "" are gone after it."""

    def revived(old: Any, cls: str, ref: str, row: dict[str, Any]) -> dict[str, Any]:
        row = old(cls, ref, row)
        if cls == "pool":
            row["health_check_config"] = {k: v for k, v in row["health_check_config"].items() if v}
        return row

    around(s, "revived", revived)


@defect("STATE-READ-ONLY-READS STATE-MODEL", also="SET-VALUE GET-ALL-AGREES", cls="USB_group")
def reading_all_usb_groups_writes_back_old_rows(s: Plain) -> None:
    """USB_group.get_all_records flushes the descriptions that its last call has read: what was set since is undone."""
    cached: dict[str, str] = {}

    def get_all_records(old: Any, of: Any) -> Any:
        if of.name == "USB_group":
            rows = s.objects[of.name]
            for ref in cached.keys() & rows.keys():
                rows[ref]["name_description"] = cached[ref]
            cached.clear()
            cached.update({ref: row["name_description"] for ref, row in rows.items()})
        return old(of)

    around(s, "get_all_records", get_all_records)


@defect("STATE-MODEL", cls="VM_appliance")
def a_full_cache_forgets_what_was_written(s: Plain) -> None:
    """Rows that were set and not read since are kept in a cache of three; a fourth VM_appliance pushes one out."""
    dirty: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def do_set(old: Any, of: Any, ref: str, obj: dict[str, Any], f: Any, value: Any) -> None:
        if of.name == "VM_appliance":
            dirty.setdefault(ref, {}).setdefault(f.name, obj[f.name])
            if len(dirty) > CACHED_ROWS:
                lost, row = dirty.popitem(last=False)
                s.objects[of.name].get(lost, {}).update(row)
        old(of, ref, obj, f, value)

    around(s, "do_set", do_set)
    after(s, "get", lambda _of, _obj, ref, _f: dirty.pop(ref, None))


@defect("CONC-LINEARIZABLE", cls="network")
def a_rename_of_a_network_writes_its_whole_row(s: Plain) -> None:
    """network.set_name_label reads the row and writes it back without the lock: what others write meanwhile is lost."""

    def rename(old: Any, _ref: str, obj: dict[str, Any], value: str) -> None:
        row = dict(obj)
        s.lock.release()
        time.sleep(UNLOCKED_SECONDS)
        s.lock.acquire()
        obj.update(row)
        old(value)

    doing(s, "set", "network", "name_label", rename)
