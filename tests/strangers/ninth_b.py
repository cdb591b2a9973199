"""Defects of indexes, views, pools and reference counts around a store; written without a look at the checks."""

from __future__ import annotations

import ctypes
import random
import uuid
from contextlib import suppress
from typing import Any

from strangers.base import after, around, defect
from strangers.heldout_base import doing, made
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal
from xenconform.models import types as t

FLOAT32_MOST = 3.4e38

# ------------------------------------------------------------------------------------------------ making, and look-ups


@defect("CREATE-BAD", also="WIRE-ENUM WIRE-TYPE GET-EVERY-FIELD SET-VALUE", cls="VM")
def keys_of_a_record_are_not_validated(s: Plain) -> None:
    """VM.create validates the values of a map but not its keys: blocked_operations takes operations there are not."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        asked = raw.get("blocked_operations")
        if of.name != "VM" or not isinstance(asked, dict):
            return old(of, raw)
        key = of.fields["blocked_operations"].type.key
        odd = {k: v for k, v in asked.items() if k not in key.values and isinstance(v, str)}
        ref = old(of, raw | {"blocked_operations": {k: v for k, v in asked.items() if k not in odd}})
        row = s.objects["VM"][ref]
        row["blocked_operations"] = {**row["blocked_operations"], **odd}
        return ref

    around(s, "create", create)


@defect("CREATE-FIELDS", also="WIRE-FLOAT", cls="Cluster")
def a_coefficient_is_a_single(s: Plain) -> None:
    """Cluster.create keeps token_timeout_coefficient in a float of 32 bits: 1.1 comes back as 1.100000023841858."""

    def single(given: dict[str, Any]) -> dict[str, Any]:
        value = given.get("token_timeout_coefficient", 0.0)
        if abs(value) > FLOAT32_MOST:
            return given
        return given | {"token_timeout_coefficient": ctypes.c_float(value).value} if value else given

    made(s, "Cluster", single)


@defect("CREATE-DEFAULTS", also="CREATE-FIELDS STATE-MODEL", cls="VMPP")
def pooled_records_keep_their_maps(s: Plain) -> None:
    """VMPP.create takes its record from a pool that resets scalars alone: left-out maps have the last one's pairs."""
    left: dict[str, Any] = {}

    def refilled(given: dict[str, Any]) -> dict[str, Any]:
        left.update({name: value for name, value in given.items() if isinstance(value, dict)})
        return given | left

    made(s, "VMPP", refilled)


@defect(
    "CREATE-NEW UUID-FORM",
    also="UUID-LOOKUP UUID-UNKNOWN DESTROY-GONE STATE-MODEL CONC-LINEARIZABLE WIRE-AGREE",
    cls="GPU_group",
)
def forked_workers_share_a_seed(s: Plain) -> None:
    """The XML and the JSON worker were forked from one process: their generators give GPU groups the same uuids."""
    generators = {name: random.Random(11) for name in ("xml", "json")}

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref = str(old(of, given))
        if of.name == "GPU_group":
            bits = generators["xml" if s.fmt == "xml" else "json"].getrandbits(128)
            s.objects["GPU_group"][ref]["uuid"] = str(uuid.UUID(int=bits, version=4))
        return ref

    around(s, "make", make)


@defect("UUID-LOOKUP", also="STATE-MODEL", cls="VDI")
def introduced_disks_are_not_indexed(s: Plain) -> None:
    """The index of uuids is filled by VDI.create; VDI.introduce forgets it, and get_by_uuid knows no such disk."""
    forgotten: set[str] = set()

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        value = old(message, args)
        if message.full_name == "VDI.introduce":
            forgotten.add(value)
        return value

    around(s, "run", run)
    not_found(s, "VDI", forgotten)


def not_found(s: Plain, cls: str, lost: set[str]) -> None:
    """Find the objects of a class by their uuids, but for those that are lost."""

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        ref = old(of, text)
        if of.name == cls and ref in lost:
            raise Refusal("UUID_INVALID", cls, text)
        return ref

    around(s, "by_uuid", by_uuid)


@defect("UUID-UNKNOWN", also="UUID-LOOKUP GET-BAD-REF", cls="PIF")
def uuids_are_parsed_before_they_are_compared(s: Plain) -> None:
    """PIF.get_by_uuid parses what it is given: upper case, braces, urn:uuid: and no dashes at all find the PIF too."""

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        if of.name == "PIF":
            with suppress(ValueError):
                asked = uuid.UUID(text)
                for row in s.objects["PIF"].values():
                    if uuid.UUID(row["uuid"]) == asked:
                        return old(of, row["uuid"])
        return old(of, text)

    around(s, "by_uuid", by_uuid)


@defect("LABEL-LOOKUP", also="STATE-MODEL SET-VALUE", cls="network")
def the_same_label_again_leaves_the_index(s: Plain) -> None:
    """set_name_label indexes a network under the new label, then takes it out under the old, be they one."""
    lost: set[str] = set()

    def do_set(old: Any, ref: str, obj: dict[str, Any], value: Any) -> None:
        (lost.add if obj["name_label"] == value else lost.discard)(ref)
        old(value)

    def by_label(old: Any, of: Any, label: str) -> Any:
        return [ref for ref in old(of, label) if of.name != "network" or ref not in lost]

    doing(s, "set", "network", "name_label", do_set)
    around(s, "by_label", by_label)


@defect("WHERE", also="STATE-MODEL", cls="Observer")
def results_of_queries_outlive_writes(s: Plain) -> None:
    """Observers that a query found are kept by its text until one is made or destroyed: setters do not end that."""
    kept: dict[str, list[str]] = {}

    def where(old: Any, of: Any, query: str) -> Any:
        if of.name != "Observer":
            return old(of, query)
        if query not in kept:
            kept[query] = list(old(of, query))
        return {ref: s.get_record(of, ref) for ref in kept[query]}

    def forget(of: Any, *_: Any) -> None:
        if of.name == "Observer":
            kept.clear()

    around(s, "where", where)
    after(s, "make", forget)
    after(s, "destroy", forget)


# ------------------------------------------------------------------------------------------------------------ the ends


@defect(
    "DESTROY-REFERENCED-UNCHANGED",
    also="UUID-LOOKUP ROBUST-NO-EFFECT STATE-MODEL DESTROY-REFERENCED",
    cls="SR",
)
def a_refused_end_is_out_of_the_index(s: Plain) -> None:
    """SR.destroy takes the uuid out of the index before it looks for disks; if it is refused get_by_uuid fails on."""
    lost: set[str] = set()

    def destroy(old: Any, of: Any, ref: str) -> None:
        if of.name == "SR" and ref in s.objects["SR"]:
            lost.add(ref)
        old(of, ref)

    around(s, "destroy", destroy)
    not_found(s, "SR", lost)


@defect("DESTROY-REFERENCED", also="DESTROY-GONE STATE-MODEL", cls="VDI")
def references_of_new_objects_are_not_counted(s: Plain) -> None:
    """A disk counts what refers to it by setters: a VM made with it as suspend_VDI does not keep it."""
    uncounted: set[tuple[str, str]] = set()

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref = str(old(of, given))
        if of.name == "VM":
            uncounted.add((ref, given.get("suspend_VDI", NULL)))
        return ref

    def do_set(old: Any, ref: str, obj: dict[str, Any], value: Any) -> None:
        uncounted.discard((ref, obj["suspend_VDI"]))
        old(value)

    def users_of(old: Any, of: Any, ref: str) -> Any:
        return [user for user in old(of, ref) if of.name != "VDI" or (user, ref) not in uncounted]

    around(s, "make", make)
    doing(s, "set", "VM", "suspend_VDI", do_set)
    around(s, "users_of", users_of)


@defect("DESTROY-NO-CASCADE", also="STATE-MODEL DESTROY-GONE BIND-DESTROY BIND-MOVE", cls="VMSS")
def orphans_of_a_stale_collection_are_deleted(s: Plain) -> None:
    """A schedule's loaded collection keeps the VMs that left it; destroyed, it deletes those without a schedule."""
    loaded: dict[str, set[str]] = {}

    def do_set(old: Any, ref: str, obj: dict[str, Any], value: Any) -> None:
        loaded.setdefault(obj["snapshot_schedule"], set()).add(ref)
        old(value)

    def orphans(of: Any, ref: str) -> None:
        virtual = s.api.classes["VM"]
        for vm in loaded.pop(ref, ()) if of.name == "VMSS" else ():
            row = s.objects["VM"].get(vm)
            if row and row["snapshot_schedule"] == NULL and not s.users_of(virtual, vm):
                del s.objects["VM"][vm]

    doing(s, "set", "VM", "snapshot_schedule", do_set)
    after(s, "destroy", orphans)


@defect("DESTROY-AGAIN DESTROY-GONE", also="GET-BAD-REF STATE-MODEL", cls="blob")
def a_second_end_is_taken_for_a_retry(s: Plain) -> None:
    """blob.destroy of a blob that the same session has destroyed before is taken for a retry, and succeeds."""
    gone: set[tuple[Any, Any]] = set()

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            result = old(fmt, method, raw)
        except Refusal as no:
            if method == "blob.destroy" and no.args[0] == "HANDLE_INVALID" and (raw[0], raw[1]) in gone:
                return t.Void(), None
            raise
        if method == "blob.destroy":
            gone.add((raw[0], raw[1]))
        return result

    around(s, "call", call)


@defect("DESTROY-GONE", also="DESTROY-AGAIN MAP-REMOVE GET-BAD-REF STATE-MODEL", cls="console")
def removal_of_no_rows_is_success(s: Plain) -> None:
    """console.remove_from_other_config deletes rows by ref and key: of a console that is gone none, which is fine."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            if method == "console.remove_from_other_config" and no.args[:2] == ("HANDLE_INVALID", "console"):
                return t.Void(), None
            raise

    around(s, "call", call)


# --------------------------------------------------------------------------------------------------------------- bonds


@defect("BIND-CREATE", also="BIND-SYMMETRY GET-RECORD-AGREES STATE-MODEL WIRE-AGREE", cls="PBD")
def the_far_end_waits_for_the_next_write(s: Plain) -> None:
    """PBD.create leaves SR.PBDs to a queue that the next write drains: until then reads of the SR lack the new one."""
    queue: set[str] = set()

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.cls != "event" and not message.name.startswith("get"):
            queue.clear()
        return old(message, args)

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref = str(old(of, given))
        if of.name == "PBD":
            queue.add(ref)
        return ref

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        value = old(of, obj, ref, f)
        return [each for each in value if each not in queue] if (of.name, f.name) == ("SR", "PBDs") else value

    around(s, "run", run)
    around(s, "make", make)
    around(s, "get", get)


@defect(
    "BIND-SYMMETRY",
    also="GET-ALL-AGREES BIND-CREATE BIND-DESTROY DESTROY-GONE STATE-MODEL WHERE",
    cls="PVS_site",
)
def a_view_of_all_sites_is_renewed_by_sites(s: Plain) -> None:
    """PVS_site.get_all_records shows servers from a view that writes to sites renew, and writes to servers do not."""
    view: dict[str, list[str]] = {}

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        value = old(message, args)
        if message.cls == "PVS_site" and not message.name.startswith("get"):
            site = s.api.classes["PVS_site"]
            for ref, row in s.objects["PVS_site"].items():
                view[ref] = s.get(site, row, ref, site.fields["servers"])
        return value

    def get_all_records(old: Any, of: Any) -> Any:
        rows = old(of)
        if of.name != "PVS_site":
            return rows
        return {ref: row | {"servers": view.get(ref, row["servers"])} for ref, row in rows.items()}

    around(s, "run", run)
    around(s, "get_all_records", get_all_records)


@defect(
    "BIND-MOVE BIND-SYMMETRY",
    also="BIND-DESTROY DESTROY-GONE SET-NO-DUPLICATES STATE-MODEL GET-EVERY-FIELD",
    cls="VM_appliance",
)
def members_remember_where_they_were_put(s: Plain) -> None:
    """A VM leaves VM_appliance.VMs by the position it was put at, which is wrong once one before it has left."""
    lists: dict[str, list[str]] = {}
    at: dict[str, int] = {}

    def join(vm: str, appliance: str) -> None:
        if appliance != NULL:
            at[vm] = len(lists.setdefault(appliance, []))
            lists[appliance].append(vm)

    def leave(vm: str, appliance: str) -> None:
        if at.get(vm, 0) < len(lists.get(appliance, ())):
            lists[appliance].pop(at.get(vm, 0))

    def do_set(old: Any, ref: str, obj: dict[str, Any], value: Any) -> None:
        if obj["appliance"] != value:
            leave(ref, obj["appliance"])
            join(ref, value)
        old(value)

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref = str(old(of, given))
        if of.name == "VM":
            join(ref, given.get("appliance", NULL))
        return ref

    def destroy(old: Any, of: Any, ref: str) -> None:
        appliance = s.objects["VM"].get(ref, {}).get("appliance", NULL)
        old(of, ref)
        if of.name == "VM":
            leave(ref, appliance)

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        if (of.name, f.name) == ("VM_appliance", "VMs"):
            return list(lists.get(ref, ()))
        return old(of, obj, ref, f)

    doing(s, "set", "VM", "appliance", do_set)
    around(s, "make", make)
    around(s, "destroy", destroy)
    around(s, "get", get)


@defect("BIND-DESTROY", also="BIND-SYMMETRY DESTROY-GONE BIND-MOVE STATE-MODEL", cls="VBD")
def an_empty_rest_is_not_written(s: Plain) -> None:
    """VBD.destroy writes the rest of VDI.VBDs back if there is a rest: the last VBD of a disk stays in it."""
    left: dict[str, str] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        rows = s.objects["VBD"]
        disk = rows.get(ref, {}).get("VDI", NULL) if of.name == "VBD" else NULL
        alone = [each for each, row in rows.items() if row["VDI"] == disk] == [ref]
        old(of, ref)
        if disk != NULL and alone:
            left[disk] = ref

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        value = old(of, obj, ref, f)
        if (of.name, f.name) != ("VDI", "VBDs") or ref not in left:
            return value
        if value:
            del left[ref]
        return value or [left[ref]]

    around(s, "destroy", destroy)
    around(s, "get", get)
