"""What an audit of the clauses on objects asked for: how objects are made, where nobody had looked."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import made
from strangers.plain_server import Plain
from strangers.tasks import Job
from strangers.values import NULL, Refusal
from xenconform.models import types as t


def by_task(s: Plain) -> list[str]:
    """Return a list that holds the name of the message that a task carries out, as long as it does."""
    now: list[str] = []

    def carry_out(old: Any, job: Job) -> Any:
        now.append(job.message.full_name)
        try:
            return old(job)
        finally:
            now.pop()

    around(s, "carry_out", carry_out)
    return now


# --------------------------------------------------------------------------------------------------- what is given


@defect("CREATE-FIELDS", also="ASYNC-TASK", cls="VIF")
def workers_read_no_maps(s: Plain) -> None:
    """A VIF that Async.VIF.create makes has an empty other_config: the worker's arguments are flat."""
    now = by_task(s)
    made(s, "VIF", lambda given: given | ({"other_config": {}} if now else {}))


@defect("CREATE-FIELDS", cls="Observer")
def join_table_filled_by_the_setter_alone(s: Plain) -> None:
    """Observer.create leaves hosts empty, as its rows are in a table that set_hosts alone writes."""
    made(s, "Observer", lambda given: given | {"hosts": []})


@defect("CREATE-FIELDS", cls="VBD")
def disks_can_be_unplugged(s: Plain) -> None:
    """A VBD of the type Disk is unpluggable whatever its record says."""
    made(s, "VBD", lambda given: given | ({"unpluggable": True} if given["type"] == "Disk" else {}))


@defect("CREATE-FIELDS", cls="VDI")
def types_of_disks_by_a_short_table(s: Plain) -> None:
    """VDI.create knows the types system and user alone; the others become user."""
    made(s, "VDI", lambda given: given | {"type": given["type"] if given["type"] == "system" else "user"})


@defect("CREATE-FIELDS", cls="VM")
def affinity_is_set_later(s: Plain) -> None:
    """VM.create ignores the affinity of its record."""
    made(s, "VM", lambda given: {n: v for n, v in given.items() if n != "affinity"})


@defect("CREATE-FIELDS", cls="VGPU")
def first_slot_for_all(s: Plain) -> None:
    """VGPU.create ignores the device that it is given: each is in slot 0."""
    made(s, "VGPU", lambda given: given | {"device": "0"})


@defect("CREATE-NEW CREATE-FIELDS", also="STATE-MODEL CREATE-BAD", cls="VIF")
def newcomer_takes_the_others_pairs(s: Plain) -> None:
    """A new VIF of a VM empties the other_config of those that the VM has: the rows are written by their VM."""

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        if of.name == "VIF":
            for row in s.objects["VIF"].values():
                if row["VM"] == given.get("VM"):
                    row["other_config"] = {}
        return str(old(of, given))

    around(s, "make", make)


# ----------------------------------------------------------------------------------------------------- what is left out


@defect("CREATE-DEFAULTS", cls="network")
def record_is_read_into_the_last_one(s: Plain) -> None:
    """What a record leaves out has the value of the last record of the class: one struct is decoded into each time."""
    last: dict[str, dict[str, Any]] = {}

    def create(old: Any, of: Any, raw: dict[str, Any]) -> str:
        optional = {n for n, f in of.fields.items() if f.has_default}
        ref = str(old(of, {n: v for n, v in last.get(of.name, {}).items() if n in optional} | raw))
        last[of.name] = last.get(of.name, {}) | raw
        return ref

    around(s, "create", create)


@defect("CREATE-DEFAULTS", cls="network")
def workers_know_no_defaults(s: Plain) -> None:
    """What Async.network.create leaves out is false, 0 or empty."""
    now = by_task(s)

    def default(old: Any, field: Any) -> Any:
        return old(replace(field, has_default=False) if now else field)

    around(s, "default", default)


# ------------------------------------------------------------------------------------------------------- what is new


@defect("CREATE-NEW", cls="secret")
def uuid_of_the_dead_in_a_record(s: Plain) -> None:
    """secret.create takes the uuid of its record if no secret has it; it may be that of one that was destroyed."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> str:
        ref = str(old(of, raw))
        wanted = raw.get("uuid")
        if of.name == "secret" and wanted and all(row["uuid"] != wanted for row in s.objects["secret"].values()):
            s.objects["secret"][ref]["uuid"] = wanted
        return ref

    around(s, "create", create)


@defect("CREATE-NEW", also="ASYNC-TASK", cls="secret")
def jobs_of_one_content_are_one(s: Plain) -> None:
    """Async.secret.create of a record that a task has made a secret of gives that one: jobs are known by content."""
    known: dict[str, str] = {}

    def carry_out(old: Any, job: Job) -> Any:
        if job.message.full_name != "secret.create":
            return old(job)
        key = str(job.raw)
        if known.get(key) not in s.objects["secret"]:
            known[key] = old(job)
        return known[key]

    around(s, "carry_out", carry_out)


@defect("UUID-FORM CREATE-NEW", cls="secret")
def a_counter_for_each_class(s: Plain) -> None:
    """Uuids are numbers that each class counts for itself, so that the third of each has one and the same."""
    counts: dict[str, int] = {}

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref = str(old(of, given))
        if "uuid" in of.fields and not given.get("uuid"):
            counts[of.name] = counts.get(of.name, 0) + 1
            s.objects[of.name][ref]["uuid"] = str(uuid.UUID(int=(0xA5 << 120) + counts[of.name]))
        return ref

    around(s, "make", make)


@defect("UUID-FORM", cls="blob")
def workers_print_uuids_bare(s: Plain) -> None:
    """A blob that Async.blob.create makes has a uuid without dashes."""
    now = by_task(s)

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref = str(old(of, given))
        if of.name == "blob" and now:
            row = s.objects["blob"][ref]
            row["uuid"] = row["uuid"].replace("-", "")
        return ref

    around(s, "make", make)


# --------------------------------------------------------------------------------------------------------- what is bad


def reading(s: Plain, cls: str, field: str, mend: Any) -> None:
    """Change a value of a record of a class on its way into create."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        wanted = of.name == cls and field in raw
        return old(of, raw | {field: mend(raw[field])} if wanted else raw)

    around(s, "create", create)


@defect("CREATE-BAD", also="WIRE-ENUM WIRE-TYPE", cls="VBD")
def names_by_their_number(s: Plain) -> None:
    """VBD.create takes 0 and 1 for the names of the mode."""
    reading(
        s, "VBD", "mode", lambda value: {"0": "RO", "1": "RW"}.get(value, value) if isinstance(value, str) else value
    )


@defect("CREATE-BAD", cls="VIF")
def uuids_are_refs_too(s: Plain) -> None:
    """VIF.create takes the uuid of a network where its ref belongs."""

    def found(value: Any) -> Any:
        return next((ref for ref, row in s.objects["network"].items() if row["uuid"] == value), value)

    reading(s, "VIF", "network", found)


@defect("CREATE-BAD", cls="PBD")
def refs_are_trimmed(s: Plain) -> None:
    """PBD.create takes a ref of an SR with a space behind it."""
    reading(s, "PBD", "SR", lambda value: value.strip() if isinstance(value, str) else value)


@defect("CREATE-BAD", cls="Observer")
def first_of_the_refs_is_looked_at(s: Plain) -> None:
    """Observer.create looks whether the first of its hosts is there, and at no other."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> str:
        if of.name != "Observer" or not isinstance(raw.get("hosts"), list):
            return str(old(of, raw))
        hosts = raw["hosts"]
        if not all(isinstance(each, str) for each in hosts):
            return str(old(of, raw))
        ref = str(old(of, raw | {"hosts": hosts[:1]}))
        s.objects["Observer"][ref]["hosts"] = list(dict.fromkeys(hosts))
        return ref

    around(s, "create", create)


@defect("CREATE-BAD", also="ASYNC-TASK", cls="VIF")
def workers_trust_refs(s: Plain) -> None:
    """Async.VIF.create takes a network that is not there."""
    now = by_task(s)

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        if "VIF.create" in now and of == t.RefTo("network") and isinstance(raw, str):
            return raw or NULL
        return old(of, raw)

    around(s, "read", read)


@defect("CREATE-BAD", also="LABEL-LOOKUP ROBUST-NO-EFFECT", cls="VMSS")
def entered_by_name_before_it_is_looked_at(s: Plain) -> None:
    """A VMSS whose create is refused is in no listing, but get_by_name_label has it."""
    ghosts: list[tuple[str, str]] = []

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        try:
            return old(of, raw)
        except Refusal:
            if of.name == "VMSS" and isinstance(raw.get("name_label"), str):
                ghosts.append((raw["name_label"], s.new_ref("VMSS")))
            raise

    def by_label(old: Any, of: Any, label: str) -> list[str]:
        return [*old(of, label), *(ref for name, ref in ghosts if name == label and of.name == "VMSS")]

    around(s, "create", create)
    around(s, "by_label", by_label)
