"""Defects of values and sessions that only a sequence of calls shows; see defects_sequences."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from strangers.base import after, around
from strangers.defects_sequences import making, sequence, shown, writing
from strangers.plain_server import Plain
from strangers.values import Refusal

# ------------------------------------------------------------------------------------------------------ sets and maps


@sequence("MAP-DUPLICATE-KEY", 4)
def removed_key_taken_twice(s: Plain) -> None:
    """A key that was removed once is taken though it is there again.

    Create with a pair, remove, add, add.
    """
    removed: set[tuple[str, str]] = set()

    def remove(old: Any, ref: str, obj: Any, key: str) -> None:
        if key in obj["other_config"]:
            removed.add((ref, key))
        old()

    def add(old: Any, ref: str, obj: Any, key: str, value: str) -> None:
        if (ref, key) in removed:
            obj["other_config"] = {**obj["other_config"], key: value}
        else:
            old()

    writing(s, "remove_from", "other_config", remove)
    writing(s, "add_to", "other_config", add)


@sequence("MAP-ADD", 4)
def removed_key_comes_back(s: Plain) -> None:
    """A removed key is back when another is added.

    Create with a pair, remove it, add another, read.
    """
    removed: dict[str, dict[str, str]] = defaultdict(dict)

    def remove(old: Any, ref: str, obj: Any, key: str) -> None:
        if key in obj["other_config"]:
            removed[ref][key] = obj["other_config"][key]
        old()

    def add(old: Any, ref: str, obj: Any, key: str, _value: str) -> None:
        old()
        obj["other_config"] = {**{k: v for k, v in removed.pop(ref, {}).items() if k != key}, **obj["other_config"]}

    writing(s, "remove_from", "other_config", remove)
    writing(s, "add_to", "other_config", add)


@sequence("MAP-REMOVE", 4)
def second_removal_of_a_key_empties(s: Plain) -> None:
    """Removing a key that was removed before empties the map.

    Create with two pairs, remove one, remove it again, read.
    """
    removed: set[tuple[str, str]] = set()

    def remove(old: Any, ref: str, obj: Any, key: str) -> None:
        if key in obj["other_config"]:
            removed.add((ref, key))
        elif (ref, key) in removed:
            obj["other_config"] = {}
        old()

    writing(s, "remove_from", "other_config", remove)


@sequence("MAP-ADD", 3)
def keys_merged_by_case(s: Plain) -> None:
    """Of two keys that differ in case alone, the one added first is lost.

    Create with a pair, add in the other case, read.
    """

    def add(old: Any, _ref: str, obj: Any, key: str, _value: str) -> None:
        old()
        kept = {k: v for k, v in obj["other_config"].items() if k == key or k.lower() != key.lower()}
        obj["other_config"] = kept

    writing(s, "add_to", "other_config", add)


@sequence("SET-VALUE", 3)
def map_merged_where_a_key_is_shared(s: Plain) -> None:
    """A map is merged into the one of before where they share a key.

    Create with two pairs, set one of them, read.
    """

    def write(old: Any, _ref: str, obj: Any, value: dict[str, str]) -> None:
        old({**obj["other_config"], **value} if obj["other_config"].keys() & value.keys() else value)

    writing(s, "set", "other_config", write)


@sequence("MAP-DUPLICATE-UNCHANGED SET-ONLY-THAT", 4)
def refused_pair_written_later(s: Plain) -> None:
    """A pair that was refused is written with the next value of MTU.

    Create with a pair, add it again, set the MTU, read the map.
    """
    waiting: dict[str, tuple[str, str]] = {}

    def add(old: Any, ref: str, _obj: Any, key: str, value: str) -> None:
        try:
            old()
        except Refusal:
            waiting[ref] = (key, value)
            raise

    def set_mtu(old: Any, ref: str, obj: Any, _value: int) -> None:
        old()
        if ref in waiting:
            obj["other_config"] = {**obj["other_config"], **dict([waiting.pop(ref)])}

    writing(s, "add_to", "other_config", add)
    writing(s, "set", "MTU", set_mtu)


@sequence("SET-ADD", 4)
def add_after_a_remove_lost(s: Plain) -> None:
    """What is added to a set just after a removal is lost.

    Create, remove, add, read.
    """
    removed: set[str] = set()

    def remove(old: Any, ref: str, _obj: Any, _value: str) -> None:
        old()
        removed.add(ref)

    def add(old: Any, ref: str, _obj: Any, _value: str) -> None:
        if ref not in removed:
            old()
        removed.discard(ref)

    writing(s, "remove", "tags", remove)
    writing(s, "add", "tags", add)


@sequence("SET-ADD", 4)
def set_full_at_four_after_a_remove(s: Plain) -> None:
    """A set from which a member was removed takes no fifth.

    Create with five, remove one, add it, read.
    """
    removed: set[str] = set()

    def remove(old: Any, ref: str, obj: Any, value: str) -> None:
        if value in obj["tags"]:
            removed.add(ref)
        old()

    writing(s, "remove", "tags", remove)
    writing(s, "add", "tags", lambda old, ref, obj, _value: (
        None if ref in removed and len(obj["tags"]) > 3 else old()))  # fmt: skip


@sequence("SET-REMOVE", 4)
def second_remove_empties(s: Plain) -> None:
    """The second removal from a set empties it.

    Create with two members, remove one, remove it again, read.
    """
    times: Counter[str] = Counter()

    def remove(old: Any, ref: str, obj: Any, _value: str) -> None:
        old()
        times[ref] += 1
        if times[ref] == 2:
            obj["tags"] = []

    writing(s, "remove", "tags", remove)


@sequence("SET-ADD-DEDUP", 5)
def second_add_of_a_removed_member_toggles(s: Plain) -> None:
    """Adding a member that is there takes it out if it was removed before.

    Create, remove, add, add, read.
    """
    removed: set[tuple[str, str]] = set()

    def remove(old: Any, ref: str, _obj: Any, value: str) -> None:
        old()
        removed.add((ref, value))

    def add(old: Any, ref: str, obj: Any, value: str) -> None:
        if value in obj["tags"] and (ref, value) in removed:
            obj["tags"] = [each for each in obj["tags"] if each != value]
        else:
            old()

    writing(s, "remove", "tags", remove)
    writing(s, "add", "tags", add)


# -------------------------------------------------------------------------------------------------------------- values


@sequence("SET-ONLY-THAT", 4)
def mtu_resets_a_written_description(s: Plain) -> None:
    """Setting the MTU brings back the description that the object was made with.

    Create, describe, set the MTU, read the description.
    """
    first: dict[str, str] = {}
    making(s, "network", lambda ref: first.update({ref: s.objects["network"][ref]["name_description"]}))

    def set_mtu(old: Any, ref: str, obj: Any, _value: int) -> None:
        old()
        obj["name_description"] = first.get(ref, obj["name_description"])

    writing(s, "set", "MTU", set_mtu)


@sequence("SET-ONLY-THAT", 4, cls="VDI")
def read_only_ends_sharing(s: Plain) -> None:
    """Making a disk read-only makes it not sharable.

    Create the SR and a sharable disk, set read-only, read sharable.
    """

    def set_read_only(old: Any, _ref: str, obj: Any, value: bool) -> None:
        old()
        obj["sharable"] = obj.get("sharable", False) and not value

    writing(s, "set", "read_only", set_read_only, "VDI")


@sequence("SET-VALUE", 4)
def second_empty_text_ignored(s: Plain) -> None:
    """An empty description is not written over one that was set.

    Create, describe, set it to nothing, read.
    """
    times: Counter[str] = Counter()

    def describe(old: Any, ref: str, _obj: Any, value: str) -> None:
        times[ref] += 1
        if value or times[ref] == 1:
            old()

    writing(s, "set", "name_description", describe)


@sequence("SET-VALUE", 4)
def int_cut_when_written_again(s: Plain) -> None:
    """From the second time on, an MTU is cut to 31 bits.

    Create, set, set a large one, read.
    """
    times: Counter[str] = Counter()

    def set_mtu(old: Any, ref: str, _obj: Any, value: int) -> None:
        times[ref] += 1
        old(value if times[ref] == 1 else value % 2**31)

    writing(s, "set", "MTU", set_mtu)


@sequence("SET-VALUE", 3)
def written_for_one_session_alone(s: Plain) -> None:
    """A description written in a session that is not the first is seen in that session alone.

    Create, set in another session, read in the first.
    """
    own: dict[tuple[str, str], str] = {}

    def describe(old: Any, ref: str, _obj: Any, value: str) -> None:
        if s.session == next(iter(s.objects["session"])):
            old()
        else:
            own[s.session, ref] = value

    writing(s, "set", "name_description", describe)
    shown(s, "network", "name_description", lambda value, ref: own.get((s.session, ref), value))


@sequence("WIRE-AGREE", 4)
def value_kept_by_each_format(s: Plain) -> None:
    """What was read over a format is what it shows until something is written over that format.

    Create, read, set over another format, read over the first.
    """
    kept: dict[tuple[str, str], str] = {}

    def describe(old: Any, ref: str, _obj: Any, _value: str) -> None:
        old()
        kept.pop((s.fmt, ref), None)

    writing(s, "set", "name_description", describe)
    shown(s, "network", "name_description", lambda value, ref: kept.setdefault((s.fmt, ref), value))


@sequence("SET-VALUE GET-RECORD-AGREES", 4)
def record_kept_from_a_listing(s: Plain) -> None:
    """Once records were listed, get_record shows the description of then.

    Create, list the records, describe, read the record.
    """
    kept: dict[str, Any] = {}
    listing: list[str] = []

    def get_all_records(old: Any, of: Any) -> Any:
        listing.append("")
        found = old(of)
        listing.pop()
        if of.name == "network":
            kept.update({ref: row["name_description"] for ref, row in found.items()})
        return found

    def get_record(old: Any, of: Any, ref: str) -> Any:
        record = old(of, ref)
        return record if listing or ref not in kept else record | {"name_description": kept[ref]}

    around(s, "get_all_records", get_all_records)
    around(s, "get_record", get_record)


# ------------------------------------------------------------------------------------------------ sessions and machines


@sequence("SESSION-REQUIRED", 4)
def refused_writes_carried_out(s: Plain) -> None:
    """A setter with a session that was logged out is refused and carried out.

    Create, log out, set with that session, read.
    """
    ended: set[str] = set()
    after(s, "logout", ended.add)

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if ".set_" in method and raw and raw[0] in ended:
            old(fmt, method, [next(iter(s.objects["session"])), *raw[1:]])
        return old(fmt, method, raw)

    around(s, "call", call)


@sequence("SESSION-LOGOUT", 3)
def logout_ends_the_one_before(s: Plain) -> None:
    """Logging out ends the session that was opened just before, the first left out.

    Any call in a session, log another out, any call in the first of the two.
    """

    def logout(old: Any, session: str) -> None:
        there = list(s.objects["session"])
        before = there[there.index(session) - 1] if session in there else ""
        old(session)
        if before in there[1:]:
            s.objects["session"].pop(before, None)

    around(s, "logout", logout)


@sequence("SET-ONLY-THAT", 6, cls="VM")
def renamed_sleeper_shows_halted(s: Plain) -> None:
    """A suspended VM is halted when its name changes.

    Create, find a host, start, suspend, rename, read the power state.
    """

    def rename(old: Any, _ref: str, obj: Any, _value: str) -> None:
        old()
        if obj.get("power_state") == "Suspended":
            obj["power_state"] = "Halted"

    writing(s, "set", "name_label", rename, "VM")


@sequence("LIFECYCLE-VM", 6, cls="VM")
def once_paused_starts_paused(s: Plain) -> None:
    """A VM that was paused before is paused when it is started again.

    Create, find a host, start paused, shut down, start, read the power state.
    """
    paused: set[int] = set()

    def settle(old: Any, vm: Any, to: str, host: str) -> None:
        was = vm["power_state"]
        old(vm, "Paused" if (was, to) == ("Halted", "Running") and id(vm) in paused else to, host)
        if to == "Paused":
            paused.add(id(vm))

    making(s, "VM", lambda ref: paused.discard(id(s.objects["VM"][ref])))
    around(s, "settle", settle)
