"""A sixth blind set, levels 3 to 5: tables and joins, work queues, event stores, one process a class."""

from __future__ import annotations

import time
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing, made
from strangers.plain_server import Plain
from strangers.roles import ROLES
from strangers.values import NULL, Refusal

# ---------------------------------------------------------------------------------------------------- level 3: objects


@defect("CREATE-FIELDS", cls="SDN_controller")
def ports_are_small_ints(s: Plain) -> None:
    """SDN_controller.introduce with a port above 32767 gives 32767: the column is a SMALLINT that clamps."""
    made(s, "SDN_controller", lambda given: given | {"port": max(-(2**15), min(2**15 - 1, given["port"]))})


@defect("CREATE-NEW", also="DESTROY-GONE", cls="GPU_group")
def the_row_number_of_the_last_row_comes_again(s: Plain) -> None:
    """A GPU_group made after the newest one was destroyed has its ref: refs are row numbers, the highest plus one."""
    free: list[str] = []

    def destroy(old: Any, of: Any, ref: str) -> None:
        newest = next(reversed(s.objects[of.name]), "")
        old(of, ref)
        if of.name == "GPU_group" and ref == newest:
            free[:] = [ref]

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref: str = old(of, given)
        if of.name == "GPU_group" and free:
            rows = s.objects[of.name]
            again = free.pop()
            rows[again] = rows.pop(ref)
            return again
        return ref

    around(s, "destroy", destroy)
    around(s, "make", make)


@defect("CREATE-BAD", also="ROBUST-NO-EFFECT", cls="VGPU")
def a_row_stays_when_its_links_fail(s: Plain) -> None:
    """VGPU.create with an unknown GPU_group or type fails, and leaves a new VGPU: the insert is not rolled back."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            with s.lock:
                if method == "VGPU.create" and no.args[0] == "HANDLE_INVALID" and raw[1] in s.objects["VM"]:
                    s.make(s.api.classes["VGPU"], {"VM": raw[1]})
            raise

    around(s, "call", call)


@defect("LABEL-LOOKUP", cls="Repository")
def labels_are_compared_by_the_prefix_in_the_index(s: Plain) -> None:
    """Repository.get_by_name_label finds labels that agree in the first 255 characters: the index has no more."""

    def by_label(old: Any, of: Any, label: str) -> list[str]:
        if of.name != "Repository":
            return list(old(of, label))
        return [ref for ref, row in s.objects[of.name].items() if row["name_label"][:255] == label[:255]]

    around(s, "by_label", by_label)


@defect("UUID-UNKNOWN DESTROY-GONE", cls="PVS_site")
def forgotten_uuids_stay_in_the_read_model(s: Plain) -> None:
    """get_by_uuid still gives the ref of what was forgotten, say a PVS_site: the read model hears of destroy alone."""
    ghosts: dict[tuple[str, str], str] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = s.objects[of.name].get(ref, {})
        old(of, ref)
        if of.destructor == "forget":
            ghosts[of.name, row["uuid"]] = ref

    def by_uuid(old: Any, of: Any, text: str) -> str:
        return ghosts.get((of.name, text)) or str(old(of, text))

    around(s, "destroy", destroy)
    around(s, "by_uuid", by_uuid)


@defect("DESTROY-REFERENCED", also="DESTROY-NO-CASCADE DESTROY-GONE STATE-MODEL", cls="SR")
def a_foreign_key_is_set_null(s: Plain) -> None:
    """An SR can be destroyed while it is the suspend_SR of a VM, which has none then: ON DELETE SET NULL."""

    def users_of(old: Any, of: Any, ref: str) -> list[str]:
        found: list[str] = old(of, ref)
        return [each for each in found if each not in s.objects["VM"]] if of.name == "SR" else found

    def destroy(old: Any, of: Any, ref: str) -> None:
        old(of, ref)
        for row in s.objects["VM"].values() if of.name == "SR" else ():
            row["suspend_SR"] = NULL if row["suspend_SR"] == ref else row["suspend_SR"]

    around(s, "users_of", users_of)
    around(s, "destroy", destroy)


@defect("DESTROY-NO-CASCADE", cls="VUSB")
def an_orphaned_group_is_removed(s: Plain) -> None:
    """Destroying the last VUSB of a USB_group destroys the group: the mapper removes parents that have no children."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        group = s.objects[of.name].get(ref, {}).get("USB_group", NULL)
        old(of, ref)
        if of.name == "VUSB" and not s.users_of(s.api.classes["USB_group"], group):
            s.objects["USB_group"].pop(group, None)

    around(s, "destroy", destroy)


@defect("BIND-MOVE BIND-SYMMETRY", also="STATE-MODEL", cls="VM")
def a_link_once_removed_stays_removed(s: Plain) -> None:
    """A VM put back into a VMSS that it has left is not in VMSS.VMs: INSERT OR IGNORE meets the soft-deleted link."""
    dead: set[tuple[str, str]] = set()

    def link(old: Any, ref: str, obj: Any, value: str) -> None:
        if obj["snapshot_schedule"] != value:
            dead.add((obj["snapshot_schedule"], ref))
        old(value)

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        return [vm for vm in value if (ref, vm) not in dead] if (of.name, field.name) == ("VMSS", "VMs") else value

    doing(s, "set", "VM", "snapshot_schedule", link)
    around(s, "get", get)


@defect("BIND-CREATE BIND-SYMMETRY", cls="VTPM")
def the_unique_ones_are_not_linked(s: Plain) -> None:
    """VM.VTPMs lacks the VTPMs made with is_unique true: that branch of the constructor does not tell the VMs."""

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) != ("VM", "VTPMs"):
            return value
        return [each for each in value if not s.objects["VTPM"][each]["is_unique"]]

    around(s, "get", get)


# ------------------------------------------------------------------------------------------- level 4: state over time


@defect("SESSION-LOGOUT SESSION-REQUIRED", also="STATE-MODEL ROBUST-AUTH", cls="network")
def each_class_keeps_the_sessions_it_has_seen(s: Plain) -> None:
    """A logged-out session still serves for the classes it was used on: their processes ask for a session once."""
    seen: set[tuple[str, str]] = set()
    at = ["session"]

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        with s.lock:
            at[0] = method.removeprefix("Async.").partition(".")[0]
            return old(fmt, method, raw)

    def check_session(old: Any, session: Any) -> None:
        if at[0] == "session" or not isinstance(session, str) or (at[0], session) not in seen:
            old(session)
            seen.add((at[0], session))

    def logout(old: Any, session: Any) -> None:
        at[0] = "session"
        old(session)

    around(s, "call", call)
    around(s, "check_session", check_session)
    around(s, "logout", logout)


@defect("EVENT-FROM", cls="secret")
def rows_of_the_table_of_pairs_publish_nothing(s: Plain) -> None:
    """event.from tells nothing of secret.add_to_other_config: the trigger is on the secrets, not on their pairs."""

    def add_to(old: Any, ref: str, obj: Any, key: str, value: str) -> None:
        old(key, value)
        if s.watched:
            s.shadow.setdefault("secret", {})[ref] = dict(obj)

    doing(s, "add_to", "secret", "other_config", add_to)


@defect("ASYNC-TASK", cls="VMSS")
def a_conflict_counts_as_deleted(s: Plain) -> None:
    """Async.VMSS.destroy of one in use, as of any class, ends in success: the worker takes 404 and 409 for done."""

    def work(old: Any, job: Any) -> dict[str, Any]:
        ended: dict[str, Any] = old(job)
        is_end = job.message.name == s.api.classes[job.message.cls].destructor
        if is_end and ended.get("error_info", [""])[0] in {"OBJECT_IN_USE", "HANDLE_INVALID"}:
            return {"status": "success", "progress": 1.0, "result": ""}
        return ended

    around(s, "work", work)


@defect("RBAC", cls="VM")
def roles_are_ranks(s: Plain) -> None:
    """A vm-operator may call VM.start_on and VM.resume_on, which client-cert may, whose number is higher."""

    def may(old: Any, role: str, message: Any) -> bool:
        if not message.roles:
            return bool(old(role, message))
        return ROLES.index(role) <= max(ROLES.index(each) for each in message.roles)

    around(s, "may", may)


@defect("PERSIST", cls="network")
def removals_of_pairs_are_not_replayed(s: Plain) -> None:
    """After a restart the pairs are back that remove_from_ took out of maps: the log's replay knows no such entry."""
    removed: dict[tuple[str, str], dict[Any, Any]] = {}

    def remove_from(old: Any, of: Any, ref: str, obj: Any, field: Any, key: Any) -> None:
        if key in obj[field.name]:
            removed.setdefault((ref, field.name), {})[key] = obj[field.name][key]
        old(of, ref, obj, field, key)

    def do_set(old: Any, of: Any, ref: str, obj: Any, field: Any, value: Any) -> None:
        removed.pop((ref, field.name), None)
        old(of, ref, obj, field, value)

    def revived(old: Any, cls: str, ref: str, row: dict[str, Any]) -> Any:
        return old(cls, ref, row | {name: back | row[name] for (of, name), back in removed.items() if of == ref})

    around(s, "do_remove_from", remove_from)
    around(s, "do_set", do_set)
    around(s, "revived", revived)


@defect("CONC-LINEARIZABLE", cls="USB_group")
def keys_are_looked_up_before_the_transaction(s: Plain) -> None:
    """Of several USB_group.add_to_other_config with one key at a time many succeed: SELECT, and then an upsert."""

    def add_to(_old: Any, ref: str, obj: Any, key: str, value: str) -> None:
        if key in obj["other_config"]:
            raise Refusal("MAP_DUPLICATE_KEY", "USB_group", "other_config", ref, key)
        s.lock.release()
        time.sleep(0.002)
        s.lock.acquire()
        obj["other_config"] = {**obj["other_config"], key: value}

    doing(s, "add_to", "USB_group", "other_config", add_to)


# ------------------------------------------------------------------------------------------------ level 5: robustness


@defect("ROBUST-AUTH SESSION-REQUIRED", also="STATE-MODEL", cls="network")
def sessions_have_the_collation_of_the_database(s: Plain) -> None:
    """A session in other case, or with spaces after it, is as good as itself: the column's collation says so."""

    def meant(session: Any) -> Any:
        if not isinstance(session, str):
            return session
        folded = session.rstrip(" ").lower()
        return next((each for each in s.objects["session"] if each.lower() == folded), session)

    around(s, "check_session", lambda old, session: old(meant(session)))
    around(s, "logout", lambda old, session: old(meant(session)))
