"""Faults of set fields: one value added or removed at a time, and no value twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from xenconform.conformance.codec import Struct
from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import after, calls, fields_of, putting, refusing
from xenconform.models.calls import Call, Format, Success
from xenconform.models.types import RecordOf, SetOf, Type
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch

Old = Callable[[Call], Branch]
Test = Callable[[tuple[Value, ...], Value], bool]
"""Whether something is so of a set before a call, and the call's value."""


def members(s: Server, call: Call) -> tuple[Value, ...]:
    """Return what the set that a call names holds; nothing where there is no such object."""
    name = call.message.partition("_")[2]
    found: tuple[Value, ...] = fields_of(s, call.args[0]).get(name, ()) if isinstance(call.args[0], Handle) else ()
    return found


def idle(s: Server, names: str, when: Test, *formats: Format) -> None:
    """Let calls do nothing, and succeed, where a test holds."""

    def rule(old: Old, call: Call) -> Branch:
        branch = old(call)
        skipped = branch.touched and s.is_over(*formats) and when(members(s, call), call.args[1])
        return s.state.world.stay(None) if skipped else branch

    calls(s, rule, names)


# ----------------------------------------------------------------------------------------------------------------- add


@fault("SET-ADD", "network", HARD)
def beginning_of_a_member_counts_as_a_member(s: Server) -> None:
    """Adding a tag to a network does nothing where one that is there begins with it."""
    idle(s, "network.add_tags", lambda old, value: any(each.startswith(value) for each in old))


@fault("SET-ADD", "SR", HARD)
def ninth_member_is_not_kept(s: Server) -> None:
    """An SR takes no more tags one at a time once it has 8; set at once they are all kept."""
    idle(s, "SR.add_tags", lambda old, _: len(old) >= 8)


@fault("SET-ADD", "pool", MEDIUM)
def first_member_is_lost_over_json2(s: Server) -> None:
    """Over JSON-RPC 2.0 adding a tag to a pool that has none does nothing."""
    idle(s, "pool.add_tags", lambda old, _: not old, Format.JSONRPC2)


@fault("SET-ADD", "VM", HARD)
def member_that_was_there_stays_away(s: Server) -> None:
    """A tag that was removed from a VM one at a time cannot be added again."""
    gone: set[tuple[Handle, Value]] = set()

    def note(call: Call, branch: Branch) -> Branch:
        gone.add((call.args[0], call.args[1]))
        return branch

    def add(old: Old, call: Call) -> Branch:
        branch = old(call)
        return s.state.world.stay(None) if (call.args[0], call.args[1]) in gone and branch.touched else branch

    after(s, note, "VM.remove_tags")
    calls(s, add, "VM.add_tags")


@fault("SET-ADD", "VDI", HARD)
def members_with_a_comma_fall_apart(s: Server) -> None:
    """A tag with a comma that is added to a VDI becomes a tag for each part; set_tags keeps it whole."""

    def add(call: Call, branch: Branch) -> Branch:
        old, value = members(s, call), call.args[1]
        return putting(branch, call.args[0], tags=tuple(dict.fromkeys((*old, *value.split(",")))))

    after(s, add, "VDI.add_tags")


# ------------------------------------------------------------------------------------------------ what is there already


@fault("SET-ADD-DEDUP", "host", MEDIUM)
def member_is_refused_over_json2(s: Server) -> None:
    """Over JSON-RPC 2.0 adding a tag that a host has already fails."""

    def add(old: Old, call: Call) -> Branch:
        there = call.args[1] in members(s, call) and s.is_over(Format.JSONRPC2)
        return refusing(s, "DB_UNIQUENESS_CONSTRAINT_VIOLATION", "host", "tags", call.args[1]) if there else old(call)

    calls(s, add, "host.add_tags")


@fault("SET-ADD-DEDUP", "network", HARD)
def ninth_member_is_toggled(s: Server) -> None:
    """Adding a tag that a network has removes it where it is the ninth or a later one."""

    def add(old: Old, call: Call) -> Branch:
        there = members(s, call)
        if call.args[1] not in there[8:]:
            return old(call)
        return s.state.world.write(call.args[0], "tags", tuple(each for each in there if each != call.args[1]))

    calls(s, add, "network.add_tags")


@fault("SET-ADD-DEDUP", "VDI", HARD)
def member_of_another_format_is_refused(s: Server) -> None:
    """Adding a tag to a VDI fails where it is there already and was added over another format."""
    over: dict[tuple[Handle, Value], Format] = {}

    def add(old: Old, call: Call) -> Branch:
        key = (call.args[0], call.args[1])
        foreign = call.args[1] in members(s, call) and over.get(key, s.fmt) is not s.fmt
        over.setdefault(key, s.fmt)
        return refusing(s, "INTERNAL_ERROR", "Duplicate") if foreign else old(call)

    calls(s, add, "VDI.add_tags")


@fault("SET-ADD-DEDUP", "SR", HARD)
def member_from_set_is_moved_out(s: Server) -> None:
    """Adding the last tag of several of an SR once more takes the first one away, as if the set were full."""

    def add(old: Old, call: Call) -> Branch:
        there = members(s, call)
        if len(there) < 3 or call.args[1] != there[-1]:
            return old(call)
        return s.state.world.write(call.args[0], "tags", there[1:])

    calls(s, add, "SR.add_tags")


# ----------------------------------------------------------------------------------------------------------- each once


def doubled(s: Server, names: str, twice: Callable[[tuple[Value, ...]], tuple[Value, ...]], field: str) -> None:
    """Let calls that write a whole set keep of what they are given what a faulty search for doubles leaves."""

    def read(old: Any, name: str, of: Type, node: Any) -> Value:
        value = old(name, of, node)
        if not fnmatchcase(s.method, names):
            return value
        if isinstance(of, RecordOf) and isinstance(node, Struct):
            given = next((each for key, each in node.members if key == field), None)
            item = s.api.classes[of.cls].fields[field].type
            return {**value, field: read(old, field, item, given)} if given is not None else value
        return tuple(old(name, of.item, each) for each in node.items) if isinstance(of, SetOf) else value

    def write(old: Old, call: Call) -> Branch:
        branch = old(call)
        creates = isinstance(call.args[0], dict)
        given = call.args[0].get(field) if creates else call.args[1]
        if given is None or not branch.touched:
            return branch
        handle = branch.outcome.value if creates and isinstance(branch.outcome, Success) else call.args[0]
        return putting(branch, handle, **{field: twice(given)}) if isinstance(handle, Handle) else branch

    around(s.service, "_read", read)
    calls(s, write, names)


def neighbours_only(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Take out each value that equals the one before it, as one does in a sorted list."""
    return tuple(each for at, each in enumerate(values) if not at or values[at - 1] != each)


def once_taken_out(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Take out one repetition of each value and no more."""
    kept = list(values)
    for each in dict.fromkeys(values):
        if kept.count(each) > 1:
            kept.remove(each)
    return tuple(kept)


@fault("SET-NO-DUPLICATES", "pool", MEDIUM)
def doubles_apart_stay(s: Server) -> None:
    """set_tags of a pool drops a value only where it stands beside its equal."""
    doubled(s, "pool.set_tags", neighbours_only, "tags")


@fault("SET-NO-DUPLICATES", "SR", HARD)
def third_of_a_kind_stays(s: Server) -> None:
    """set_tags of an SR drops the second of equal values, and of three keeps two."""
    doubled(s, "SR.set_tags", once_taken_out, "tags")


@fault("SET-NO-DUPLICATES", "network", HARD)
def doubles_far_apart_stay(s: Server) -> None:
    """set_tags of a network drops a value only where its equal is among the first 8."""

    def near(values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(each for at, each in enumerate(values) if each not in values[: min(at, 8)])

    doubled(s, "network.set_tags", near, "tags")


@fault("SET-NO-DUPLICATES", "VM", MEDIUM)
def create_keeps_doubles(s: Server) -> None:
    """VM.create keeps a tag that its record has twice."""
    doubled(s, "VM.create", lambda given: given, "tags")


@fault("SET-NO-DUPLICATES", "VIF", HARD)
def addresses_are_kept_twice(s: Server) -> None:
    """VIF.set_ipv6_allowed keeps an address that it is given twice."""
    doubled(s, "VIF.set_ipv6_allowed", lambda given: given, "ipv6_allowed")


@fault("SET-NO-DUPLICATES", "Observer", HARD)
def observer_is_made_with_doubles(s: Server) -> None:
    """Observer.create keeps an endpoint that its record has twice, over JSON-RPC 1.0."""

    def twice(given: tuple[Value, ...]) -> tuple[Value, ...]:
        return given if s.is_over(Format.JSONRPC1) else tuple(dict.fromkeys(given))

    doubled(s, "Observer.create", twice, "endpoints")


# -------------------------------------------------------------------------------------------------------------- remove


def taking(s: Server, names: str, out: Test) -> None:
    """Let calls take each member out of which a test on it and the call's value holds, the value itself always."""

    def rule(old: Old, call: Call) -> Branch:
        branch, there = old(call), members(s, call)
        kept = tuple(each for each in there if each != call.args[1] and not out((each,), call.args[1]))
        if len(kept) == len(there) or not isinstance(branch.outcome, Success):
            return branch
        return replace(s.state.world.write(call.args[0], call.message.partition("_")[2], kept), outcome=branch.outcome)

    calls(s, rule, names)


@fault("SET-REMOVE", "VM", HARD)
def longer_members_go_too(s: Server) -> None:
    """Removing a tag from a VM takes out those that begin with it as well."""
    taking(s, "VM.remove_tags", lambda each, value: each[0].startswith(value))


@fault("SET-REMOVE", "host", HARD)
def removing_forgets_case(s: Server) -> None:
    """Removing a tag from a host takes out those that differ from it in case alone, even where it is not there."""
    taking(s, "host.remove_tags", lambda each, value: each[0].lower() == value.lower())


@fault("SET-REMOVE", "SR", HARD)
def removing_what_is_absent_takes_the_last(s: Server) -> None:
    """Removing a tag that an SR does not have takes out the last one, over JSON-RPC 1.0."""

    def remove(old: Old, call: Call) -> Branch:
        there = members(s, call)
        if not there or call.args[1] in there or not s.is_over(Format.JSONRPC1):
            return old(call)
        return s.state.world.write(call.args[0], "tags", there[:-1])

    calls(s, remove, "SR.remove_tags")


@fault("SET-REMOVE", "pool", MEDIUM)
def last_member_stays(s: Server) -> None:
    """The only tag of a pool cannot be removed: the call succeeds and does nothing."""
    idle(s, "pool.remove_tags", lambda old, _: len(old) == 1)


@fault("SET-REMOVE", "network", HARD)
def removing_looks_at_eight(s: Server) -> None:
    """Removing a tag from a network does nothing where 8 others come before it."""
    idle(s, "network.remove_tags", lambda old, value: value not in old[:8])
