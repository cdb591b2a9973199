"""Defects of power states, of restarts, and of getters that write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from strangers.base import after, around, defect
from strangers.plain_server import Plain
from strangers.power import MOVES
from strangers.values import NULL, Refusal

# -------------------------------------------------------------------------------------------------------- power states


def moved(s: Plain, name: str, froms: str, to: str = "") -> None:
    """Let a message work from other states, or lead to another."""
    around(s, "move", lambda old, asked: (froms, to or MOVES[name][1]) if asked == name else old(asked))


@defect("LIFECYCLE-VM", cls="VM")
def pause_from_halted(s: Plain) -> None:
    """A halted VM can be paused."""
    moved(s, "pause", "Running Halted")


@defect("LIFECYCLE-VM", cls="VM")
def hard_reboot_from_suspended(s: Plain) -> None:
    """A suspended VM can be rebooted."""
    moved(s, "hard_reboot", "Running Paused Suspended")


@defect("LIFECYCLE-VM", cls="VM")
def unpause_of_paused_refused(s: Plain) -> None:
    """A paused VM cannot be unpaused."""
    moved(s, "unpause", "Running")


@defect("LIFECYCLE-VM", cls="VM")
def shutdown_of_suspended_refused(s: Plain) -> None:
    """A suspended VM cannot be shut down by hard_shutdown."""
    moved(s, "hard_shutdown", "Running Paused")


@defect("LIFECYCLE-VM", cls="VM")
def suspend_halts(s: Plain) -> None:
    """A VM is halted after suspend."""
    moved(s, "suspend", "Running", "Halted")


@defect("LIFECYCLE-VM", cls="VM")
def suspended_lives_somewhere(s: Plain) -> None:
    """A suspended VM stays on its host."""
    around(s, "settle", lambda old, vm, to, on: old(vm, to, vm["resident_on"] if to == "Suspended" else on))


@defect("LIFECYCLE-VM", cls="VM")
def started_lives_nowhere(s: Plain) -> None:
    """A running VM has no host."""
    around(s, "settle", lambda old, vm, to, _on: old(vm, to, NULL))


@defect("LIFECYCLE-VM", cls="VM")
def start_paused_ignored(s: Plain) -> None:
    """start_paused is ignored."""
    around(s, "settle", lambda old, vm, to, on: old(
        vm, "Running" if (vm["power_state"], to) == ("Halted", "Paused") else to, on))  # fmt: skip


@defect("LIFECYCLE-VM", cls="VM", also="STATE-MODEL SET-ONLY-THAT GET-ALL-AGREES")
def refused_start_renames(s: Plain) -> None:
    """A start that is refused changes the VM's description."""

    def power(old: Any, name: str, ref: str, rest: list[Any]) -> None:
        try:
            old(name, ref, rest)
        except Refusal:
            if ref in s.objects["VM"]:
                s.objects["VM"][ref]["name_description"] += "!"
            raise

    around(s, "power", power)


@defect("LIFECYCLE-VM", cls="VM")
def bad_state_is_no_error(s: Plain) -> None:
    """What cannot be done in a power state succeeds and does nothing."""

    def power(old: Any, *args: Any) -> None:
        try:
            old(*args)
        except Refusal as no:
            if no.args[0] != "VM_BAD_POWER_STATE":
                raise

    around(s, "power", power)


@defect("LIFECYCLE-VM", cls="VM")
def bad_state_by_another_name(s: Plain) -> None:
    """A bad power state is an INTERNAL_ERROR."""
    around(s, "bad_state", lambda _old, *_args: Refusal("INTERNAL_ERROR", "bad state"))


@defect("LIFECYCLE-VM", cls="VM")
def bad_state_the_wrong_way_round(s: Plain) -> None:
    """VM_BAD_POWER_STATE names the expected state last."""
    around(s, "bad_state", lambda _old, ref, froms, now: Refusal("VM_BAD_POWER_STATE", ref, now, froms.split()[0]))


@defect("LIFECYCLE-VM", cls="VM")
def templates_start(s: Plain) -> None:
    """A template can be started."""

    def power(old: Any, name: str, ref: str, rest: list[Any]) -> None:
        vm = s.objects["VM"].get(ref, {"is_a_template": False})
        kept, vm["is_a_template"] = vm["is_a_template"], False
        try:
            old(name, ref, rest)
        finally:
            vm["is_a_template"] = kept

    around(s, "power", power)


# ------------------------------------------------------------------------------------------------------------ restarts


def values_read(s: Plain, change: Callable[[str, Any], Any]) -> None:
    """Change each value when it is read after a restart: `change(field, value)`."""
    around(s, "revived", lambda old, cls, ref, row: {k: change(k, v) for k, v in old(cls, ref, row).items()})


def objects_loaded(s: Plain, change: Callable[[dict[str, dict[str, Any]]], object]) -> None:
    """Change what is loaded after a restart, in place."""

    def load(old: Any, objects: Any) -> Any:
        loaded = old(objects)
        change(loaded)
        return loaded

    around(s, "load", load)


@defect("PERSIST", cls="task")
def floats_rounded_on_disk(s: Plain) -> None:
    """Floats are kept with six digits."""
    values_read(s, lambda _f, v: float(f"{v:.6g}") if isinstance(v, float) else v)


@defect("PERSIST", cls="task")
def small_floats_are_nothing_on_disk(s: Plain) -> None:
    """Floats below the smallest normal one are kept as zero."""
    values_read(s, lambda _f, v: 0.0 if isinstance(v, float) and 0 < abs(v) < 1e-307 else v)


@defect("PERSIST", cls="VM")
def ints_of_53_bits_on_disk(s: Plain) -> None:
    """Ints are kept as doubles."""
    values_read(s, lambda _f, v: int(float(v)) if type(v) is int and abs(v) < 2**62 else v)


@defect("PERSIST", cls="VMSS")
def fractions_of_seconds_lost_on_disk(s: Plain) -> None:
    """Datetimes are kept to the second."""
    values_read(s, lambda _f, v: v.replace(microsecond=0) if hasattr(v, "microsecond") else v)


@defect("PERSIST")
def text_stripped_on_disk(s: Plain) -> None:
    """Texts lose the spaces at their ends."""
    values_read(s, lambda f, v: v.strip() if isinstance(v, str) and f == "name_label" else v)


@defect("PERSIST", cls="VM")
def one_field_is_new_again(s: Plain) -> None:
    """VM.user_version has its default after a restart."""
    values_read(s, lambda f, v: 0 if f == "user_version" else v)


@defect("PERSIST")
def maps_emptied_by_restart(s: Plain) -> None:
    """other_config is empty after a restart."""
    values_read(s, lambda f, v: {} if f == "other_config" else v)


@defect("PERSIST")
def large_sets_cut_on_disk(s: Plain) -> None:
    """Sets are kept with 255 members."""
    values_read(s, lambda _f, v: v[:255] if isinstance(v, list) else v)


@defect("PERSIST")
def sets_folded_on_disk(s: Plain) -> None:
    """Members of sets that differ in case alone are one after a restart."""
    values_read(s, lambda f, v: list({each.lower(): each for each in v}.values()) if f == "tags" else v)


@defect("PERSIST")
def uuids_are_new_after_restart(s: Plain) -> None:
    """Objects get new uuids."""
    values_read(s, lambda f, v: s.new_uuid() if f == "uuid" else v)


@defect("PERSIST", cls="VIF")
def references_lost_by_restart(s: Plain) -> None:
    """A VIF names no network after a restart."""
    values_read(s, lambda f, v: NULL if f == "network" else v)


@defect("PERSIST", cls="VIF")
def far_ends_lost_by_restart(s: Plain) -> None:
    """A VM does not show its VIFs after a restart."""
    old: set[str] = set()
    objects_loaded(s, lambda objects: old.update(objects["VIF"]))

    def get(inner: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        found = inner(of, obj, ref, field)
        return [each for each in found if each not in old] if (of.name, field.name) == ("VM", "VIFs") else found

    around(s, "get", get)


@defect("PERSIST", cls="secret")
def the_second_object_is_lost(s: Plain) -> None:
    """Of the secrets the second is gone after a restart."""
    objects_loaded(s, lambda objects: [objects["secret"].pop(each) for each in list(objects["secret"])[1:2]])


@defect("PERSIST")
def the_newest_write_is_lost(s: Plain) -> None:
    """What was destroyed last is back after a restart."""
    gone: list[tuple[str, str, dict[str, Any]]] = []

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = dict(s.object(of, ref))
        old(of, ref)
        gone.append((of.name, ref, row))

    around(s, "destroy", destroy)
    objects_loaded(s, lambda objects: [objects[cls].update({ref: row}) for cls, ref, row in gone[-1:]])


@defect("PERSIST", also="CREATE-NEW")
def refs_counted_from_what_is_there(s: Plain) -> None:
    """After a restart refs count on from the objects that are there, so those of destroyed ones come again."""
    used: dict[str, int] = {}

    def new_ref(_old: Any, cls: str) -> str:
        used[cls] = used.get(cls, 0) + 1
        return f"{cls}/{used[cls]}"

    around(s, "new_ref", new_ref)
    for cls, rows in s.objects.items():
        used[cls] = 1000 + len(rows)

    def count_again(objects: dict[str, dict[str, Any]]) -> None:
        for cls, rows in objects.items():
            used[cls] = max((int(ref.partition("/")[2]) for ref in rows if ref.startswith(f"{cls}/")), default=1000)

    objects_loaded(s, count_again)


@defect("PERSIST")
def objects_not_in_the_index(s: Plain) -> None:
    """After a restart get_by_uuid does not find the objects of before."""
    lost: set[str] = set()
    objects_loaded(
        s, lambda objects: lost.update(r.get("uuid", "") for rows in objects.values() for r in rows.values())
    )

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        if text in lost:
            raise Refusal("UUID_INVALID", of.name, text)
        return old(of, text)

    around(s, "by_uuid", by_uuid)


# ------------------------------------------------------------------------------------------------ getters that write


def getting(s: Plain, name: str, effect: Callable[[dict[str, Any]], None]) -> None:
    """Do something to an object when one of its fields is read by itself."""
    now: list[str] = [""]
    after(s, "find", lambda method: now.insert(0, method))

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        found = old(of, obj, ref, field)
        if now[0] == f"{of.name}.get_{name}":
            effect(obj)
        return found

    around(s, "get", get)


@defect("STATE-READ-ONLY-READS", also="ROBUST-NO-EFFECT CREATE-FIELDS STATE-MODEL")
def reads_are_counted(s: Plain) -> None:
    """Reading the description counts in other_config."""
    getting(s, "name_description", lambda obj: obj.update(
        other_config=obj["other_config"] | {"reads": str(int(obj["other_config"].get("reads", 0)) + 1)}))  # fmt: skip


@defect("STATE-READ-ONLY-READS", also="SET-VALUE WIRE-STRING CREATE-FIELDS LABEL-LOOKUP")
def reading_tidies_the_name(s: Plain) -> None:
    """Reading the name takes the spaces off its ends, for good."""
    getting(s, "name_label", lambda obj: obj.update(name_label=obj["name_label"].strip()))


@defect("STATE-READ-ONLY-READS", also="SET-ADD SET-REMOVE SET-VALUE")
def reading_the_uuid_clears_tags(s: Plain) -> None:
    """Reading the uuid clears the tags."""
    getting(s, "uuid", lambda obj: obj.update(tags=[]))


@defect("STATE-READ-ONLY-READS", also="GET-ALL-AGREES WHERE CREATE-FIELDS PERSIST STATE-MODEL")
def listing_drops_a_description(s: Plain) -> None:
    """get_all_records leaves the newest object without its description."""

    def all_records(old: Any, of: Any) -> Any:
        found = old(of)
        for ref in list(s.objects[of.name])[-1:]:
            if "name_description" in of.fields:
                s.objects[of.name][ref]["name_description"] = ""
        return found

    around(s, "get_all_records", all_records)


@defect("STATE-READ-ONLY-READS", cls="VIF", also="DESTROY-REFERENCED")
def a_look_up_moves_the_neighbour(s: Plain) -> None:
    """get_by_uuid of a VIF renames its network."""

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        ref = old(of, text)
        network = s.objects["network"].get(s.objects["VIF"].get(ref, {}).get("network", ""))
        if network is not None:
            network["name_label"] += "'"
        return ref

    around(s, "by_uuid", by_uuid)
