"""Defects of state over time that an audit of the checks thought of.

Each stands for a dimension that no check varied before: of reads what is empty, what is large, what nobody can make;
of restarts which write is the last one, and by which way an object or a member came and went.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from strangers.audit_state_tasks import by_tasks
from strangers.base import around, defect
from strangers.plain_server import Plain

# -------------------------------------------------------------------------------------------------- reads that write


def reading(s: Plain, cls: str, field: str, effect: Callable[[dict[str, Any], Any], object]) -> None:
    """Do something to an object each time that a field of it was read, in a record too."""

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        value = old(of, obj, ref, f)
        if (of.name, f.name) == (cls, field):
            effect(obj, value)
        return value

    around(s, "get", get)


@defect("STATE-READ-ONLY-READS")
def empty_map_is_filled_by_its_getter(s: Plain) -> None:
    """network.other_config is made when first asked for: an empty one gets a key of the server's own."""
    reading(s, "network", "other_config", lambda obj, value: value or obj.update(other_config={"automatic": "true"}))


@defect("STATE-READ-ONLY-READS", cls="VM_appliance")
def empty_description_is_translated(s: Plain) -> None:
    """The getter of an empty description stores the words for none in the language of the server."""
    none = {"name_description": "(none)"}
    reading(s, "VM_appliance", "name_description", lambda obj, value: value or obj.update(none))


@defect("STATE-READ-ONLY-READS", cls="SR")
def twenty_tags_are_kept_by_the_reader(s: Plain) -> None:
    """Reading SR.tags loads a page of twenty, and what is loaded is saved."""
    reading(s, "SR", "tags", lambda obj, value: obj.update(tags=value[:20]))


@defect("STATE-READ-ONLY-READS", cls="VDI")
def false_is_taken_for_unset(s: Plain) -> None:
    """Reading VDI.sharable works it out anew where it is false, for a disk without a description."""

    def effect(obj: dict[str, Any], value: Any) -> None:
        if not value and not obj["name_description"]:
            obj["sharable"] = True

    reading(s, "VDI", "sharable", effect)


@defect("STATE-READ-ONLY-READS", cls="VMSS")
def search_uses_up_what_it_finds(s: Plain) -> None:
    """VMSS.get_all_records_where with a condition moves the schedules out of the records that it returns."""

    def where(old: Any, of: Any, query: str) -> Any:
        found = old(of, query)
        for ref in found if of.name == "VMSS" and query != "true" else ():
            s.objects["VMSS"][ref]["schedule"] = {}
        return found

    around(s, "where", where)


@defect("STATE-READ-ONLY-READS", cls="pool")
def look_at_the_pool_is_noted(s: Plain) -> None:
    """Reading pool.gui_config notes in it that somebody looked: of a class of which no client makes an object."""
    reading(s, "pool", "gui_config", lambda obj, value: obj.update(gui_config={**value, "seen": "yes"}))


# ---------------------------------------------------------------------------------------------------- over a restart

Rows = dict[str, dict[str, dict[str, Any]]]


def on_disk(s: Plain, cls: str, change: Callable[[dict[str, dict[str, Any]]], dict[str, dict[str, Any]]]) -> None:
    """Change what is on the disk of a class when the server ends."""

    def kept(old: Any, objects: Rows) -> Rows:
        rows: Rows = old(objects)
        return {**rows, cls: change(rows[cls])}

    around(s, "kept", kept)


@defect("PERSIST", cls="VMSS")
def tasks_make_in_memory(s: Plain) -> None:
    """A VMSS that a task made is not on the disk: the thread of tasks has a transaction that nobody commits."""
    working, lost = by_tasks(s), set[str]()

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref: str = old(of, given)
        lost.update({ref} if working[0] and of.name == "VMSS" else ())
        return ref

    around(s, "make", make)
    on_disk(s, "VMSS", lambda rows: {ref: row for ref, row in rows.items() if ref not in lost})


@defect("PERSIST", cls="VM_appliance")
def tasks_end_in_memory(s: Plain) -> None:
    """A VM_appliance that a task ended is back after a restart."""
    working, back = by_tasks(s), dict[str, dict[str, Any]]()

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = dict(s.objects[of.name].get(ref, {}))
        old(of, ref)
        back.update({ref: row} if working[0] and of.name == "VM_appliance" else {})

    around(s, "destroy", destroy)
    on_disk(s, "VM_appliance", lambda rows: {**rows, **back})


@defect("PERSIST", cls="secret")
def setter_is_written_with_the_next(s: Plain) -> None:
    """What a setter of secret wrote is on the disk when the next secret is written, made or ended."""
    waits: list[tuple[str, str, Any]] = []

    def do_set(old: Any, of: Any, ref: str, obj: Any, f: Any, value: Any) -> None:
        waits[:] = [(ref, f.name, obj[f.name])] if of.name == "secret" else waits
        old(of, ref, obj, f, value)

    def other(old: Any, of: Any, *args: Any) -> Any:
        waits[:] = [] if of.name == "secret" else waits
        return old(of, *args)

    def change(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for ref, name, value in waits:
            rows[ref] |= {name: value}
        return rows

    around(s, "do_set", do_set)
    around(s, "make", other)
    around(s, "destroy", other)
    on_disk(s, "secret", change)


@defect("PERSIST", cls="VMSS")
def newest_is_written_with_the_next(s: Plain) -> None:
    """The newest VMSS is on the disk once another one is made or ended."""
    waits: list[str] = []

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref: str = old(of, given)
        waits[:] = [ref] if of.name == "VMSS" else waits
        return ref

    def destroy(old: Any, of: Any, ref: str) -> None:
        old(of, ref)
        waits[:] = [] if of.name == "VMSS" else waits

    around(s, "make", make)
    around(s, "destroy", destroy)
    on_disk(s, "VMSS", lambda rows: {ref: row for ref, row in rows.items() if ref not in waits})


@defect("PERSIST")
def last_pair_stays_on_disk(s: Plain) -> None:
    """When the last pair of a map of a network is removed there is no row left to write, so the old ones stay."""
    stays: dict[tuple[str, str], Any] = {}

    def remove_from(old: Any, of: Any, ref: str, obj: Any, f: Any, key: Any) -> None:
        before = obj[f.name]
        old(of, ref, obj, f, key)
        stays.pop((ref, f.name), None)
        if of.name == "network" and before and not obj[f.name]:
            stays[ref, f.name] = before

    def change(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for (ref, name), value in stays.items():
            if ref in rows and not rows[ref][name]:
                rows[ref][name] = value
        return rows

    around(s, "do_remove_from", remove_from)
    on_disk(s, "network", change)


@defect("PERSIST", cls="Observer")
def written_ones_rise_from_their_values(s: Plain) -> None:
    """An Observer that was written and then destroyed is back after a restart: its values still stand in a table."""
    written, back = set[str](), dict[str, dict[str, Any]]()

    def do_set(old: Any, of: Any, ref: str, obj: Any, f: Any, value: Any) -> None:
        old(of, ref, obj, f, value)
        written.add(ref)

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = dict(s.objects[of.name].get(ref, {}))
        old(of, ref)
        back.update({ref: row} if of.name == "Observer" and ref in written else {})

    around(s, "do_set", do_set)
    around(s, "destroy", destroy)
    on_disk(s, "Observer", lambda rows: {**rows, **back})


@defect("PERSIST", cls="secret")
def column_of_a_thousand(s: Plain) -> None:
    """A secret's value is cut to a thousand characters on the disk."""
    on_disk(s, "secret", lambda rows: {r: {**row, "value": row["value"][:1000]} for r, row in rows.items()})


@defect("PERSIST")
def added_pairs_stay_in_memory(s: Plain) -> None:
    """A pair that is added to a map of a network, under any key but the empty one, is not on the disk."""
    added: set[tuple[str, str, str]] = set()

    def add_to(old: Any, of: Any, ref: str, obj: Any, f: Any, *pair: Any) -> None:
        old(of, ref, obj, f, *pair)
        added.update({(ref, f.name, pair[0])} if of.name == "network" and pair[0] else ())

    def change(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for ref, name, key in added:
            if ref in rows:
                rows[ref][name] = {k: v for k, v in rows[ref][name].items() if k != key}
        return rows

    around(s, "do_add_to", add_to)
    on_disk(s, "network", change)
