"""Defects of state over time that an audit of the checks thought of.

Each stands for a dimension that no check varied before: of reads what is empty, what is large, what nobody can make.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
