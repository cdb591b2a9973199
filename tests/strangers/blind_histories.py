"""Blind defects of state over time: sessions, tasks, events, roles, power states, restarts, histories of calls.

They were written without a look at the checks, to learn what the suite misses.
"""

from __future__ import annotations

import json
import time
from typing import Any

from strangers.base import after, around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.roles import USERS
from strangers.values import NULL, Refusal
from xenconform.models import types as t

WRITERS = ("set", "add", "remove", "add_to", "remove_from")
OBSERVED = ("hosts", "enabled", "attributes", "endpoints", "components")


def workers(s: Plain) -> list[Any]:
    """Return a list that holds something as long as the work of a task is being done."""
    busy: list[Any] = []

    def carry_out(old: Any, job: Any) -> Any:
        busy.append(job)
        try:
            return old(job)
        finally:
            busy.pop()

    around(s, "carry_out", carry_out)
    return busy


# ---------------------------------------------------------------------------------------------------------------- easy


@defect("SESSION-LOGOUT", cls="pool")
def sessions_end_by_user(s: Plain) -> None:
    """A logout ends every session of the same user, because sessions are removed by the user's name."""
    owners: dict[str, str] = {}

    def login(old: Any, raw: Any) -> str:
        ref = str(old(raw))
        owners[ref] = raw[0]
        return ref

    def logout(session: Any) -> None:
        for ref in [each for each in s.objects["session"] if owners.get(each) == owners.get(session)]:
            del s.objects["session"][ref]

    around(s, "login", login)
    after(s, "logout", logout)


@defect("MAP-ADD", cls="VM")
def removed_keys_stay_taken(s: Plain) -> None:
    """A key that was removed from a map cannot be added again, because its row is only marked as deleted."""
    marked: set[tuple[str, str, Any]] = set()

    def remove(old: Any, of: Any, ref: str, obj: Any, field: Any, key: Any) -> None:
        if key in obj[field.name]:
            marked.add((ref, field.name, key))
        old(of, ref, obj, field, key)

    def add(old: Any, of: Any, ref: str, obj: Any, field: Any, *pair: Any) -> None:
        if (ref, field.name, pair[0]) in marked:
            raise Refusal("MAP_DUPLICATE_KEY", of.name, field.name, ref, str(pair[0]))
        old(of, ref, obj, field, *pair)

    around(s, "do_remove_from", remove)
    around(s, "do_add_to", add)


@defect("ASYNC-TASK", cls="VMSS")
def results_in_the_callers_format(s: Plain) -> None:
    """The result of a task that was begun over JSON-RPC is JSON text in quotes instead of an XML-RPC value."""

    def result_text(old: Any, of: Any, value: Any) -> str:
        return str(old(of, value)) if s.fmt == "xml" or of == t.Void() else json.dumps(s.json(of, value))

    around(s, "result_text", result_text)


@defect("LIFECYCLE-VM", cls="VM")
def start_boots_the_suspended(s: Plain) -> None:
    """VM.start of a suspended VM succeeds and boots it afresh, because it looks for a domain and not at the state."""

    def power(old: Any, name: str, ref: str, rest: Any) -> None:
        vm = s.objects["VM"].get(ref)
        if vm and name == "start" and vm["power_state"] == "Suspended" and not vm["is_a_template"]:
            s.settle(vm, "Halted", NULL)
        old(name, ref, rest)

    around(s, "power", power)


@defect("EVENT-FROM", cls="network")
def pairs_make_no_event(s: Plain) -> None:
    """A pair added to or removed from a map makes no event, because the watcher compares rows of the main table."""

    def unseen(of: Any, ref: str, obj: Any, *_: Any) -> None:
        if ref in s.shadow.get(of.name, {}):
            s.shadow[of.name][ref] = dict(obj)

    after(s, "do_add_to", unseen)
    after(s, "do_remove_from", unseen)


@defect("WIRE-SESSION-SHARED", cls="VIF")
def sessions_of_json1_apart(s: Plain) -> None:
    """A session that was opened over JSON-RPC 1.0 is invalid over XML-RPC, where another handler keeps sessions."""
    apart: set[str] = set()

    def login(old: Any, raw: Any) -> str:
        ref = str(old(raw))
        if s.fmt == "json1":
            apart.add(ref)
        return ref

    def check_session(session: Any) -> None:
        if session in apart and s.fmt == "xml":
            raise Refusal("SESSION_INVALID", session)

    def perform(old: Any, fmt: str, method: str, params: Any) -> Any:
        if method != "session.logout":
            return old(fmt, method, params)
        with s.lock:
            s.fmt = fmt
            return old(fmt, method, params)

    around(s, "login", login)
    after(s, "check_session", check_session)
    around(s, "perform", perform)


@defect("UUID-UNKNOWN", also="DESTROY-GONE UUID-UNKNOWN-CODE", cls="VMPP")
def uuids_once_found_stay_found(s: Plain) -> None:
    """A uuid that was looked up while its object lived is still found once the object is destroyed, from a cache."""
    cache: dict[tuple[str, str], str] = {}

    def by_uuid(old: Any, of: Any, text: str) -> str:
        if (of.name, text) not in cache:
            cache[of.name, text] = old(of, text)
        return cache[of.name, text]

    around(s, "by_uuid", by_uuid)


# -------------------------------------------------------------------------------------------------------------- medium


@defect("DESTROY-NO-CASCADE", cls="task")
def finished_tasks_go_together(s: Plain) -> None:
    """The destruction of a task sweeps away every other task that has ended as well."""

    def destroy(of: Any, _ref: str) -> None:
        rows = s.objects["task"]
        for each in [ref for ref, row in rows.items() if row["status"] in {"success", "failure"}]:
            if of.name == "task":
                del rows[each]

    after(s, "destroy", destroy)


@defect("PERSIST", cls="SR")
def commas_split_after_restart(s: Plain) -> None:
    """A member with a comma in a set of strings is two members after a restart, as sets are kept comma-separated."""

    def revived(old: Any, cls: str, ref: str, row: Any) -> Any:
        row = dict(old(cls, ref, row))
        for field in s.api.classes[cls].fields.values():
            if field.type == t.SetOf(t.Str()):
                row[field.name] = list(dict.fromkeys(",".join(row[field.name]).split(","))) if row[field.name] else []
        return row

    around(s, "revived", revived)


@defect("DESTROY-REFERENCED", also="DESTROY-REFERENCED-UNCHANGED ASYNC-TASK BIND-SYMMETRY", cls="network")
def tasks_destroy_what_is_used(s: Plain) -> None:
    """Async.C.destroy removes an object that another one refers to, as only the front end looks for references."""
    busy = workers(s)
    around(s, "users_of", lambda old, of, ref: [] if busy else old(of, ref))


@defect("RBAC", cls="secret")
def getters_are_for_everyone(s: Plain) -> None:
    """A read-only user reads the values of secrets, because every get_ is taken as harmless."""
    around(s, "may", lambda old, role, message: message.name.startswith("get_") or old(role, message))


@defect("SESSION-LOGIN", cls="subject")
def passwords_of_eight_characters(s: Plain) -> None:
    """A password with anything after its first eight characters logs in, as the old crypt ignores the rest."""

    def role_for(old: Any, raw: Any) -> str:
        known = USERS.get(raw[0]) if isinstance(raw[0], str) else None
        if known and isinstance(raw[1], str) and raw[1][:8] == known[0][:8]:
            return known[1]
        return str(old(raw))

    around(s, "role_for", role_for)


@defect("WHERE", cls="VDI")
def queries_keep_their_answer(s: Plain) -> None:
    """A repeated query is answered as at first although fields were set since, until the class gains or loses one."""
    answers: dict[tuple[Any, ...], Any] = {}

    def where(old: Any, of: Any, query: str) -> Any:
        key = (of.name, query, *s.objects[of.name])
        if key not in answers:
            answers[key] = old(of, query)
        return answers[key]

    around(s, "where", where)


@defect("BIND-MOVE", also="BIND-SYMMETRY", cls="VM_appliance")
def null_leaves_the_appliance(s: Plain) -> None:
    """A VM whose appliance is set to the null ref still stands in the old appliance's VMs, as null is passed over."""
    stale: dict[str, str] = {}

    def set_appliance(old: Any, ref: str, obj: Any, value: str) -> None:
        before = obj["appliance"]
        old(value)
        if value != NULL:
            stale.pop(ref, None)
        elif before != NULL:
            stale[ref] = before

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        found = old(of, obj, ref, field)
        if (of.name, field.name) != ("VM_appliance", "VMs"):
            return found
        return [*found, *(vm for vm, at in stale.items() if at == ref and vm in s.objects["VM"])]

    doing(s, "set", "VM", "appliance", set_appliance)
    around(s, "get", get)


@defect("STATE-MODEL", cls="GPU_group")
def sessions_keep_what_they_read(s: Plain) -> None:
    """A session that has read a GPU group never sees what another session writes to it, from its own ORM cache."""
    seen: dict[tuple[str, str, str], Any] = {}

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        if of.name != "GPU_group" or (of.name, field.name) in s.derived:
            return old(of, obj, ref, field)
        return seen.setdefault((s.session, ref, field.name), old(of, obj, ref, field))

    def drop(_of: Any, ref: str, *_: Any) -> None:
        for key in [each for each in seen if each[:2] == (s.session, ref)]:
            del seen[key]

    around(s, "get", get)
    for verb in WRITERS:
        after(s, f"do_{verb}", drop)


# ---------------------------------------------------------------------------------------------------------------- hard


@defect("EVENT-FROM", cls="secret")
def fifty_events_at_most(s: Plain) -> None:
    """Of more than fifty events since a token the later ones are never told, as the new token is past them all."""

    def event_from(old: Any, wanted: Any, token: str, timeout: Any) -> Any:
        batch = old(wanted, token, timeout)
        return batch | {"events": batch["events"][:50]} if token else batch

    around(s, "event_from", event_from)


@defect("PERSIST", also="DESTROY-GONE", cls="USB_group")
def last_of_a_table_returns(s: Plain) -> None:
    """The last object of a class to be destroyed is back after a restart, as an empty table is not written out."""
    left: dict[str, dict[str, Any]] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = s.objects[of.name].get(ref)
        old(of, ref)
        if not s.objects[of.name] and row is not None:
            left[of.name] = {ref: row}

    def kept(old: Any, objects: Any) -> Any:
        return {cls: rows or dict(left.get(cls, {})) for cls, rows in old(objects).items()}

    around(s, "destroy", destroy)
    around(s, "kept", kept)


@defect("MAP-DUPLICATE-UNCHANGED", also="STATE-MODEL ROBUST-NO-EFFECT", cls="SR")
def refused_pairs_are_flushed_later(s: Plain) -> None:
    """The value of a pair refused as a duplicate replaces the old one at the next write to the object."""
    late: dict[str, tuple[str, Any, Any]] = {}

    def flush(_of: Any, ref: str, obj: Any, *_: Any) -> None:
        if ref in late:
            name, key, value = late.pop(ref)
            obj[name] = {**obj[name], key: value}

    def add_to(old: Any, of: Any, ref: str, obj: Any, field: Any, *pair: Any) -> None:
        try:
            old(of, ref, obj, field, *pair)
        except Refusal:
            late[ref] = field.name, pair[0], pair[1]
            raise

    for verb in WRITERS:
        after(s, f"do_{verb}", flush)
    around(s, "do_add_to", add_to)


@defect("SET-ONLY-THAT", also="STATE-MODEL", cls="Observer")
def observers_are_put_whole(s: Plain) -> None:
    """A second setter of an observer undoes the first: it sends the record as made, with one member changed."""
    first: dict[str, dict[str, Any]] = {}

    def make(old: Any, of: Any, given: Any) -> str:
        ref = str(old(of, given))
        if of.name == "Observer":
            first[ref] = {name: s.objects["Observer"][ref][name] for name in OBSERVED}
        return ref

    def put(of: Any, ref: str, obj: Any, field: Any, _value: Any) -> None:
        if of.name == "Observer" and field.name in OBSERVED:
            obj.update({name: value for name, value in first.get(ref, {}).items() if name != field.name})

    around(s, "make", make)
    after(s, "do_set", put)


@defect("CONC-LINEARIZABLE", cls="host")
def rows_are_saved_whole(s: Plain) -> None:
    """A setter undoes a change of another field made at the same time: it saves the whole row as it had read it."""

    def do_set(old: Any, of: Any, ref: str, obj: Any, field: Any, value: Any) -> None:
        row, caller = dict(obj), (s.session, s.fmt)
        s.lock.release()
        time.sleep(0.004)
        s.lock.acquire()
        s.session, s.fmt = caller
        old(of, ref, row, field, value)
        obj.update(row)

    around(s, "do_set", do_set)


@defect("ASYNC-TASK", cls="VTPM")
def workers_die_of_failures(s: Plain) -> None:
    """After eight tasks have failed every later one stays pending, as each failure ends one of the pool's workers."""
    dead: list[Refusal] = []

    def carry_out(old: Any, job: Any) -> Any:
        try:
            return old(job)
        except Refusal as no:
            dead.append(no)
            raise

    around(s, "carry_out", carry_out)
    around(s, "due", lambda old: old() if len(dead) < 8 else float("inf"))
    after(s, "restart", dead.clear)


@defect("CREATE-NEW", cls="SDN_controller")
def forgotten_controllers_revive(s: Plain) -> None:
    """A controller introduced with the address of a forgotten one gets the forgotten one's uuid."""
    bin_: dict[tuple[Any, ...], str] = {}

    def identity(row: Any) -> tuple[Any, ...]:
        return row["protocol"], row["address"], row["port"]

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = s.objects[of.name].get(ref)
        old(of, ref)
        if of.name == "SDN_controller" and row is not None:
            bin_[identity(row)] = row["uuid"]

    def make(old: Any, of: Any, given: Any) -> str:
        ref = str(old(of, given))
        if of.name == "SDN_controller":
            row = s.objects[of.name][ref]
            row["uuid"] = bin_.pop(identity(row), row["uuid"])
        return ref

    around(s, "destroy", destroy)
    around(s, "make", make)


@defect("LABEL-LOOKUP", cls="PVS_site")
def labels_not_found_stay_so(s: Plain) -> None:
    """A site introduced with a label that was looked up in vain before is not found by it, from a negative cache."""
    vain: set[str] = set()

    def by_label(old: Any, of: Any, label: str) -> Any:
        if of.name != "PVS_site":
            return old(of, label)
        found = [] if label in vain else old(of, label)
        if not found:
            vain.add(label)
        return found

    def rename(old: Any, _ref: str, _obj: Any, label: str) -> None:
        old(label)
        vain.discard(label)

    around(s, "by_label", by_label)
    doing(s, "set", "PVS_site", "name_label", rename)


@defect("BIND-DESTROY", also="DESTROY-GONE BIND-SYMMETRY", cls="VUSB")
def tasks_leave_groups_behind(s: Plain) -> None:
    """A VUSB destroyed by Async.VUSB.destroy still stands in its group's VUSBs; the plain destroy takes it out."""
    busy = workers(s)
    ghosts: list[tuple[str, str]] = []

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = s.objects[of.name].get(ref)
        old(of, ref)
        if busy and of.name == "VUSB" and row is not None:
            ghosts.append((row["USB_group"], ref))

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        found = old(of, obj, ref, field)
        if (of.name, field.name) != ("USB_group", "VUSBs"):
            return found
        return [*found, *(vusb for group, vusb in ghosts if group == ref)]

    around(s, "destroy", destroy)
    around(s, "get", get)


@defect("GET-ALL-AGREES", also="WHERE", cls="message")
def twenty_messages_a_page(s: Plain) -> None:
    """Message.get_all_records tells the latest twenty messages only, while get_all names them all."""

    def get_all_records(old: Any, of: Any) -> Any:
        rows = old(of)
        return dict(list(rows.items())[-20:]) if of.name == "message" else rows

    around(s, "get_all_records", get_all_records)
