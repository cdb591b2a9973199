"""Faults that only a restart brings out: what is written badly, written late, or read back badly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from unicodedata import normalize

from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import Change, deep, on_disk
from xenconform.conformance.reference.state import Keep
from xenconform.models.types import DateTime, Float, Int, MapOf, SetOf, Str, Type
from xenconform.models.values import Handle, Value
from xenconform.models.world import World


def reloaded(s: Server, change: Change, *classes: str) -> None:
    """Change each value that a restart brings back, of some classes or of all; uuids are left alone."""

    def record(handle: Handle, values: Mapping[str, Value]) -> Mapping[str, Value]:
        fields = s.api.classes[handle.cls].fields
        if classes and handle.cls not in classes:
            return values
        return {n: v if n == "uuid" else deep(s, fields[n].type, v, change) for n, v in values.items()}

    on_disk(s, record)


def texts(s: Server, change: Callable[[str], str], *classes: str) -> None:
    """Change each text that a restart brings back."""
    reloaded(s, lambda of, value: change(value) if isinstance(of, Str) else value, *classes)


def kept(s: Server, new: Callable[[Keep, World, tuple[Handle, ...]], None]) -> None:
    """Change what is written to the disk: given are what writes, the world and the objects that changed."""
    around(s.state, "_keep", new)


# ----------------------------------------------------------------------------------------------- values read back badly


@fault("PERSIST", "network", MEDIUM)
def leading_space_is_lost(s: Server) -> None:
    """A restart takes one space off the front of every text."""
    texts(s, lambda text: text.removeprefix(" "))


@fault("PERSIST", "VM_appliance", MEDIUM)
def line_ends_are_made_alike(s: Server) -> None:
    """After a restart a carriage return in an appliance's text is a line feed."""
    texts(s, lambda text: text.replace("\r\n", "\n").replace("\r", "\n"), "VM_appliance")


@fault("PERSIST", "VM", HARD)
def accents_are_composed(s: Server) -> None:
    """A restart composes the accents of a VM's texts, so that two members of a set may become one."""

    def change(of: Type, value: Value) -> Value:
        if isinstance(of, Str):
            return normalize("NFC", value)
        return tuple(dict.fromkeys(value)) if isinstance(of, SetOf) else value

    reloaded(s, change, "VM")


@fault("PERSIST", "secret", HARD)
def digits_are_read_as_a_number(s: Server) -> None:
    """A secret's value of digits alone loses its leading zeros by a restart."""
    texts(s, lambda text: str(int(text)) if text.isascii() and text.isdigit() else text, "secret")


@fault("PERSIST", "SR", HARD)
def long_text_is_cut_at_a_column_width(s: Server) -> None:
    """A restart cuts the texts of an SR to 255 characters."""
    texts(s, lambda text: text[:255], "SR")


@fault("PERSIST", "VDI", MEDIUM)
def wide_ints_pass_through_a_double(s: Server) -> None:
    """An int of a VDI that no double holds is rounded by a restart."""
    reloaded(s, lambda of, value: int(float(value)) if isinstance(of, Int) and abs(value) < 2**62 else value, "VDI")


@fault("PERSIST", "VM", HARD)
def floats_are_kept_with_six_digits(s: Server) -> None:
    """A restart leaves six digits of a VM's HVM_shadow_multiplier."""
    reloaded(s, lambda of, value: float(f"{value:g}") if isinstance(of, Float) else value, "VM")


@fault("PERSIST", "VMSS", HARD)
def dates_before_1970_lose_their_sign(s: Server) -> None:
    """A restart brings the dates before 1970 back as 1970."""

    def change(of: Type, value: Value) -> Value:
        return max(value, datetime.fromtimestamp(0, value.tzinfo)) if isinstance(of, DateTime) else value

    reloaded(s, change)


@fault("PERSIST", "network", HARD)
def keys_without_a_value_are_not_kept(s: Server) -> None:
    """A restart takes the pairs with an empty value out of a network's other_config."""

    def change(of: Type, value: Value) -> Value:
        return {k: v for k, v in value.items() if v != ""} if isinstance(of, MapOf) else value

    reloaded(s, change, "network")


@fault("PERSIST", "network", HARD)
def large_sets_are_read_in_part(s: Server) -> None:
    """A restart brings back the first 256 members of a set of texts."""
    reloaded(s, lambda of, value: value[:256] if isinstance(of, SetOf) and isinstance(of.item, Str) else value)


@fault("PERSIST", "VMSS", HARD)
def false_is_read_as_true(s: Server) -> None:
    """A snapshot schedule that was disabled is enabled after a restart, for any text is true."""
    on_disk(s, lambda h, values: {**values, "enabled": True} if h.cls == "VMSS" else values)


@fault("PERSIST", "VLAN", HARD)
def keys_are_folded_in_maps(s: Server) -> None:
    """Of two keys of a VLAN's other_config that differ in case a restart brings one back."""

    def change(of: Type, value: Value) -> Value:
        if not isinstance(of, MapOf):
            return value
        folded = {key.lower(): key for key in value if isinstance(key, str)}
        return {key: each for key, each in value.items() if not isinstance(key, str) or folded[key.lower()] == key}

    reloaded(s, change, "VLAN")


# ---------------------------------------------------------------------------------------------- objects read back badly


@fault("PERSIST", "PVS_site", HARD)
def second_object_of_a_name_is_taken_for_the_first(s: Server) -> None:
    """Of PVS sites with the same name a restart brings back the last one only."""
    last = {v["name_label"]: h for h, v in _rows(s, "PVS_site")}
    on_disk(s, lambda h, values: None if h.cls == "PVS_site" and last[values["name_label"]] != h else values)


@fault("PERSIST", "VIF", HARD)
def far_ends_are_read_before_their_owners(s: Server) -> None:
    """After a restart a network shows the last of its VIFs only."""
    on_disk(s, lambda h, values: {**values, "VIFs": values["VIFs"][-1:]} if h.cls == "network" else values)


@fault("PERSIST", "VM_appliance", HARD)
def numbers_are_given_again(s: Server) -> None:
    """The first objects made after a restart get the refs and uuids of those destroyed last before it."""
    if s.restarted:
        world = s.state.world
        s.state.world = replace(world, last=max(n for rows in world.objects.values() for n in rows))


@fault("PERSIST", "task", HARD)
def task_forgets_its_progress(s: Server) -> None:
    """A restart gives every task that had ended the status pending."""
    on_disk(s, lambda h, values: {**values, "status": "pending"} if h.cls == "task" else values)


# --------------------------------------------------------------------------------------------------- writing badly


@fault("PERSIST", "blob", HARD)
def destroyed_objects_stay_on_the_disk(s: Server) -> None:
    """A blob that was destroyed is there again after a restart."""
    kept(s, lambda old, world, touched: old(world, tuple(h for h in touched if h.cls != "blob" or world.record(h))))


@fault("PERSIST", "secret", HARD)
def last_change_waits_for_the_next(s: Server) -> None:
    """A change is written when the next one comes, so that a crash loses the last one."""
    waiting: list[Any] = []

    def keep(old: Any, world: World, touched: tuple[Handle, ...]) -> None:
        for each in waiting:
            old(*each)
        waiting[:] = [(world, touched)]

    kept(s, keep)


@fault("PERSIST", "VIF", HARD)
def far_ends_are_not_written(s: Server) -> None:
    """Of the objects that one call changes the first alone is written; far ends are as they were after a restart."""
    kept(s, lambda old, world, touched: old(world, touched[:1]))


@fault("PERSIST", "SR", HARD)
def a_restarted_server_writes_no_more(s: Server) -> None:
    """What is changed after a restart is lost by the next one."""
    if s.restarted:
        kept(s, lambda _old, _world, _touched: None)


def _rows(s: Server, cls: str) -> list[tuple[Handle, Mapping[str, Value]]]:
    """Return the objects of a class, each with its fields."""
    return [(h, s.state.world.record(h) or {}) for h in s.state.world.handles(cls)]
