"""Defects in how objects are made, found, bound and ended; written without a look at the checks."""

from __future__ import annotations

import re
from collections import deque
from typing import Any

from strangers.base import after, around, defect
from strangers.heldout_base import doing, made
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal

QUARANTINE = 4
SHORTEST = 4

# ----------------------------------------------------------------------------------------------------- making objects


@defect("CREATE-FIELDS", also="STATE-MODEL", cls="VMSS")
def zero_values_count_as_left_out(s: Plain) -> None:
    """VMSS.create takes a false or a 0 for a field that was left out: enabled false comes back as the default, true."""
    made(s, "VMSS", lambda given: {n: v for n, v in given.items() if v or n not in {"enabled", "retained_snapshots"}})


@defect("CREATE-NEW", also="DESTROY-GONE DESTROY-AGAIN STATE-MODEL EVENT-FROM", cls="secret")
def references_of_the_dead_are_given_again(s: Plain) -> None:
    """The slots of destroyed secrets go to the end of a list: while five are free, a new secret gets the oldest one."""
    free: deque[str] = deque()

    def new_ref(old: Any, cls: str) -> Any:
        return free.popleft() if cls == "secret" and len(free) > QUARANTINE else old(cls)

    after(s, "destroy", lambda of, ref: free.append(ref) if of.name == "secret" else None)
    around(s, "new_ref", new_ref)


@defect("CREATE-DEFAULTS SET-ONLY-THAT", also="SET-ADD STATE-MODEL CREATE-FIELDS", cls="network")
def the_default_is_one_list_for_all(s: Plain) -> None:
    """Networks made without tags share the default: a tag added to one is in the others, and in each made later."""
    shared: dict[str, list[Any]] = {"tags": []}

    def make(old: Any, of: Any, given: dict[str, Any]) -> Any:
        ref = old(of, given)
        if of.name == "network" and "tags" not in given:
            s.objects["network"][ref]["tags"] = shared["tags"]
        return ref

    def add(old: Any, _ref: str, obj: dict[str, Any], value: Any) -> None:
        before = obj["tags"]
        old(value)
        if before is shared["tags"]:
            shared["tags"] = obj["tags"]
            for row in s.objects["network"].values():
                if row["tags"] is before:
                    row["tags"] = obj["tags"]

    around(s, "make", make)
    doing(s, "add", "network", "tags", add)


@defect("CREATE-BAD", also="ROBUST-NO-EFFECT", cls="Observer")
def the_first_of_the_references_is_checked(s: Plain) -> None:
    """Observer.create looks up the first of its hosts alone: an unknown reference behind a good one is stored."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        hosts = raw.get("hosts")
        if of.name != "Observer" or not isinstance(hosts, list) or not all(isinstance(each, str) for each in hosts):
            return old(of, raw)
        ref = old(of, {**raw, "hosts": hosts[:1]})
        s.objects["Observer"][ref]["hosts"] = list(dict.fromkeys(hosts))
        return ref

    around(s, "create", create)


# ---------------------------------------------------------------------------------------------------- finding objects


@defect("UUID-LOOKUP", also="STATE-MODEL", cls="VDI")
def what_is_introduced_is_not_indexed(s: Plain) -> None:
    """VDI.introduce forgets the index of uuids that VDI.create fills: get_by_uuid does not find what it made."""
    missing: set[str] = set()

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        result = old(message, args)
        if message.full_name == "VDI.introduce":
            missing.add(result)
        return result

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        ref = old(of, text)
        if ref in missing:
            raise Refusal("UUID_INVALID", of.name, text)
        return ref

    around(s, "run", run)
    around(s, "by_uuid", by_uuid)
    after(s, "load", lambda _objects: missing.clear())


@defect("UUID-UNKNOWN", cls="Repository")
def the_beginning_of_a_uuid_will_do(s: Plain) -> None:
    """Repository.get_by_uuid takes short ids: the first digits of a uuid, four or more, find it if only one fits."""

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        if of.name == "Repository" and len(text) >= SHORTEST:
            fits = [ref for ref, row in s.objects["Repository"].items() if row["uuid"].startswith(text)]
            if len(fits) == 1:
                return fits[0]
        return old(of, text)

    around(s, "by_uuid", by_uuid)


@defect("LABEL-LOOKUP", also="STATE-MODEL", cls="USB_group")
def a_rename_to_the_same_label_unlists(s: Plain) -> None:
    """USB_group.set_name_label enters the new label, then takes out the old: the label that it had is found no more."""
    unlisted: set[str] = set()

    def rename(old: Any, ref: str, obj: dict[str, Any], label: str) -> None:
        (unlisted.add if obj["name_label"] == label else unlisted.discard)(ref)
        old(label)

    doing(s, "set", "USB_group", "name_label", rename)
    around(s, "by_label", lambda old, of, label: [ref for ref in old(of, label) if ref not in unlisted])


@defect("WHERE", cls="PVS_site")
def the_index_of_a_query_is_of_the_first_labels(s: Plain) -> None:
    """PVS_site.get_all_records_where asks an index that only introduce fills: it goes by the label before a rename."""
    first: dict[str, str] = {}

    def make(old: Any, of: Any, given: dict[str, Any]) -> Any:
        ref = old(of, given)
        if of.name == "PVS_site":
            first[ref] = s.objects["PVS_site"][ref]["name_label"]
        return ref

    def where(old: Any, of: Any, query: str) -> Any:
        asked = re.fullmatch(r'field "name_label" = "(.*)"', query, re.DOTALL)
        if of.name != "PVS_site" or asked is None:
            return old(of, query)
        rows = s.get_all_records(of).items()
        return {ref: row for ref, row in rows if first.get(ref, row["name_label"]) == asked[1]}

    around(s, "make", make)
    around(s, "where", where)


# ---------------------------------------------------------------------------------------------------------- the bonds


@defect("BIND-CREATE BIND-SYMMETRY", also="STATE-MODEL", cls="VBD")
def drives_without_a_disk_are_joined_away(s: Plain) -> None:
    """VM.VBDs is read with an inner join on the VDIs: a VBD made without one, an empty drive, is not in it."""

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) != ("VM", "VBDs"):
            return value
        return [each for each in value if s.objects["VBD"][each]["VDI"] != NULL]

    around(s, "get", get)


@defect("BIND-MOVE BIND-SYMMETRY", also="STATE-MODEL", cls="VM")
def a_schedule_keeps_who_leaves_for_none(s: Plain) -> None:
    """VM.set_snapshot_schedule updates the old far end where it has a new one: set to null, VMSS.VMs keeps the VM."""
    left: dict[str, str] = {}

    def move(old: Any, ref: str, obj: dict[str, Any], to: str) -> None:
        before = obj["snapshot_schedule"]
        old(to)
        if to != NULL:
            left.pop(ref, None)
        elif before != NULL:
            left[ref] = before

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) != ("VMSS", "VMs"):
            return value
        return [*value, *(vm for vm, was in left.items() if was == ref and vm in s.objects["VM"])]

    doing(s, "set", "VM", "snapshot_schedule", move)
    around(s, "get", get)


@defect("BIND-DESTROY DESTROY-GONE", also="BIND-SYMMETRY STATE-MODEL", cls="PVS_server")
def a_site_remembers_forgotten_servers(s: Plain) -> None:
    """PVS_server.forget removes the row alone: PVS_site.servers goes on to name it."""
    servers: dict[str, list[str]] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        site = s.objects["PVS_server"].get(ref, {}).get("site", NULL) if of.name == "PVS_server" else NULL
        old(of, ref)
        if site != NULL:
            servers.setdefault(site, []).append(ref)

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        return [*value, *servers.get(ref, ())] if (of.name, field.name) == ("PVS_site", "servers") else value

    around(s, "destroy", destroy)
    around(s, "get", get)


# ----------------------------------------------------------------------------------------------------- ending objects


@defect("DESTROY-REFERENCED", also="STATE-MODEL", cls="VIF")
def references_without_a_bond_do_not_hold(s: Plain) -> None:
    """VIF.destroy asks the bound fields alone: a VIF that a PVS_proxy names goes, and PVS_proxy.VIF dangles."""

    def users_of(old: Any, of: Any, ref: str) -> Any:
        found = old(of, ref)
        return [each for each in found if each not in s.objects["PVS_proxy"]] if of.name == "VIF" else found

    around(s, "users_of", users_of)


@defect("DESTROY-REFERENCED-UNCHANGED", also="ROBUST-NO-EFFECT STATE-MODEL", cls="SR")
def a_refused_destroy_has_emptied_side_tables(s: Plain) -> None:
    """SR.destroy deletes from the tables of tags and maps before the row; refused there, the SR has lost them all."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        try:
            old(of, ref)
        except Refusal:
            if of.name == "SR" and ref in s.objects["SR"]:
                s.objects["SR"][ref] |= {"tags": [], "other_config": {}, "sm_config": {}}
            raise

    around(s, "destroy", destroy)


@defect("DESTROY-NO-CASCADE", also="STATE-MODEL", cls="VUSB")
def the_last_one_takes_its_group_along(s: Plain) -> None:
    """USB groups are counted references: the destroy of the last VUSB of a group destroys the group too."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        group = s.objects["VUSB"].get(ref, {}).get("USB_group", NULL) if of.name == "VUSB" else NULL
        old(of, ref)
        if group in s.objects["USB_group"] and not s.users_of(s.api.classes["USB_group"], group):
            del s.objects["USB_group"][group]

    around(s, "destroy", destroy)


@defect("DESTROY-AGAIN DESTROY-GONE", also="STATE-MODEL", cls="SDN_controller")
def forgetting_twice_is_fine(s: Plain) -> None:
    """SDN_controller.forget deletes where the reference matches and counts no rows: a second one succeeds."""
    gone: set[str] = set()
    asked = {"forget": False}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        with s.lock:
            asked["forget"] = method.endswith("SDN_controller.forget")
            try:
                return old(fmt, method, raw)
            finally:
                asked["forget"] = False

    def destroy(old: Any, of: Any, ref: str) -> None:
        if of.name != "SDN_controller":
            old(of, ref)
        elif ref not in gone:
            old(of, ref)
            gone.add(ref)

    def read(old: Any, of: Any, raw: Any) -> Any:
        return raw if asked["forget"] and isinstance(raw, str) and raw in gone else old(of, raw)

    around(s, "call", call)
    around(s, "destroy", destroy)
    around(s, "read", read)
