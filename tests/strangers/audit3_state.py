"""Defects of state over time that a third audit of the checks thought of.

Each stands for a dimension that no check varied before: what ended is ended again by a task, what failed before a task
is begun, what was refused before a restart, what is left when all of a class is gone, who does the same at once.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from strangers.audit2_state import revive
from strangers.audit_state_meeting import let_others
from strangers.base import after, around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal

# ---------------------------------------------------------------------------------------------------------- tasks


@defect("ASYNC-TASK", cls="network")
def results_are_told_once(s: Plain) -> None:
    """A task's result is taken out of its future by the first who reads it by get_result."""

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) == ("task", "result") and not s.__dict__.get("whole"):
            obj["result"] = ""
        return value

    def get_record(old: Any, of: Any, ref: str) -> Any:
        s.__dict__["whole"] = True
        try:
            return old(of, ref)
        finally:
            s.__dict__["whole"] = False

    around(s, "get", get)
    around(s, "get_record", get_record)


@defect("ASYNC-TASK", cls="network")
def tasks_count_the_living(s: Plain) -> None:
    """A task's ref is the number of tasks there are: after one was destroyed the next takes a living one's place."""

    def new_ref(old: Any, cls: str) -> str:
        return f"OpaqueRef:task-{len(s.objects['task'])}" if cls == "task" else str(old(cls))

    around(s, "new_ref", new_ref)


@defect("ASYNC-TASK", cls="network")
def ended_twice_by_tasks(s: Plain) -> None:
    """Async.network.destroy of what was destroyed already is a success."""
    gone: set[str] = set()

    def carry_out(old: Any, job: Any) -> Any:
        if job.message.full_name == "network.destroy" and job.raw[0] in gone:
            return None
        return old(job)

    around(s, "carry_out", carry_out)
    after(s, "destroy", lambda _of, ref: gone.add(ref))


@defect("ASYNC-TASK", cls="VM")
def explicit_failures_are_swallowed(s: Plain) -> None:
    """A task of an explicit message other than accessors is a success, whatever came of it."""

    def work(old: Any, job: Any) -> Any:
        ended = old(job)
        act = not (job.message.implicit or job.message.verb) and job.message.full_name not in {
            "VM.create",
            "VM.destroy",
        }
        if act and ended["status"] == "failure" and ended["error_info"][0] == "HANDLE_INVALID":
            return {"status": "success", "progress": 1.0, "result": ""}
        return ended

    around(s, "work", work)


# --------------------------------------------------------------------------------------------------------- power


@defect("LIFECYCLE-VM", cls="VM")
def a_setter_resets_the_state(s: Plain) -> None:
    """VM.set_name_label of a suspended one saves the row as it was started: running."""

    def do_set(old: Any, of: Any, ref: str, obj: Any, field: Any, value: Any) -> None:
        old(of, ref, obj, field, value)
        if of.name == "VM" and obj["power_state"] == "Suspended":
            obj["power_state"] = "Running"

    around(s, "do_set", do_set)


# ------------------------------------------------------------------------------------------------------- restart


@defect("PERSIST", cls="network")
def hashes_begin_remarks(s: Plain) -> None:
    """What follows a space and a hash is a remark."""
    revive(s, "network", lambda text: text.partition(" #")[0])


@defect("PERSIST", cls="network")
def yes_is_true(s: Plain) -> None:
    """YAML: yes and no come back as true and false."""
    revive(s, "network", lambda text: {"yes": "true", "no": "false", "on": "true", "off": "false"}.get(text, text))


@defect("PERSIST", cls="network")
def refused_pairs_are_replayed(s: Plain) -> None:
    """The journal has calls before they are checked: a refused pair is there after a restart."""
    log: list[tuple[Any, str, str, Any, Any]] = []

    def add_to(old: Any, of: Any, ref: str, obj: Any, field: Any, *pair: Any) -> None:
        try:
            old(of, ref, obj, field, *pair)
        except Refusal:
            log.append((of.name, ref, field.name, *pair))
            raise

    def revived(old: Any, c: str, ref: str, row: Any) -> Any:
        row = old(c, ref, row)
        for cls, r, name, key, value in log:
            if (cls, r) == (c, ref):
                row = row | {name: {**row[name], key: value}}
        return row

    around(s, "do_add_to", add_to)
    around(s, "revived", revived)


@defect("PERSIST", cls="SR")
def refused_ends_are_replayed(s: Plain) -> None:
    """A destroy that was refused, as the object was in use, is carried out by the replay of a restart."""
    log: set[str] = set()

    def destroy(old: Any, of: Any, ref: str) -> None:
        try:
            old(of, ref)
        except Refusal:
            log.add(ref)
            raise

    around(s, "destroy", destroy)
    around(
        s,
        "load",
        lambda old, objects: {
            c: {r: row for r, row in rows.items() if r not in log} for c, rows in old(objects).items()
        },
    )


@defect("PERSIST", cls="VMPP")
def refused_records_are_made_by_the_replay(s: Plain) -> None:
    """A create that failed half-way left its row on the disk: it is there after a restart."""
    rows: list[dict[str, Any]] = []

    def create(old: Any, of: Any, raw: Any) -> Any:
        try:
            return old(of, raw)
        except Refusal:
            if of.name == "VMPP":
                rows.append(s.blank(of) | {"name_label": str(raw.get("name_label", ""))})
            raise

    def load(old: Any, objects: Any) -> Any:
        found = old(objects)
        for row in rows:
            found["VMPP"][s.new_ref("VMPP")] = row
        return found

    around(s, "create", create)
    around(s, "load", load)


@defect("PERSIST", cls="VM")
def null_refs_are_not_saved(s: Plain) -> None:
    """A reference that is set to null is as before after a restart."""
    was: dict[tuple[str, str, str], Any] = {}

    def do_set(old: Any, of: Any, ref: str, obj: Any, field: Any, value: Any) -> None:
        if value == NULL and obj[field.name] != NULL:
            was[of.name, ref, field.name] = obj[field.name]
        else:
            was.pop((of.name, ref, field.name), None)
        old(of, ref, obj, field, value)

    def revived(old: Any, c: str, ref: str, row: Any) -> Any:
        row = old(c, ref, row)
        return row | {n: v for (cls, r, n), v in was.items() if (cls, r) == (c, ref)}

    around(s, "do_set", do_set)
    around(s, "revived", revived)


# ------------------------------------------------------------------------------------------------------- at once


@defect("CONC-LINEARIZABLE", cls="secret")
def both_ends_succeed(s: Plain) -> None:
    """Two destroys of one object at the same time both succeed."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        s.object(of, ref)
        let_others(s)
        with suppress(Refusal):
            old(of, ref)

    around(s, "destroy", destroy)


@defect("CONC-LINEARIZABLE", cls="network")
def renamed_ones_are_nowhere(s: Plain) -> None:
    """While a label is set the object is listed nowhere."""
    hidden: set[str] = set()

    def do_set(old: Any, of: Any, ref: str, obj: Any, field: Any, value: Any) -> None:
        hidden.add(ref)
        let_others(s)
        hidden.discard(ref)
        old(of, ref, obj, field, value)

    around(s, "do_set", do_set)
    around(s, "get_all", lambda old, of: [r for r in old(of) if r not in hidden])


# --------------------------------------------------------------------------------------------------------- bonds


@defect("BIND-MOVE", cls="VMSS")
def the_last_one_leaves(s: Plain) -> None:
    """Who moves takes the last of the list out, not itself."""
    lists: dict[str, list[str]] = {}

    def move(old: Any, ref: str, obj: Any, value: str) -> None:
        was = obj["snapshot_schedule"]
        old(value)
        if was == value:
            return
        if lists.get(was):
            lists[was].pop()
        lists.setdefault(value, []).append(ref)

    def make(old: Any, of: Any, given: Any) -> Any:
        ref = old(of, given)
        if of.name == "VM":
            lists.setdefault(s.objects["VM"][ref]["snapshot_schedule"], []).append(ref)
        return ref

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) == ("VMSS", "VMs"):
            return [each for each in lists.get(ref, ()) if each in s.objects["VM"]]
        return value

    doing(s, "set", "VM", "snapshot_schedule", move)
    around(s, "make", make)
    around(s, "get", get)
