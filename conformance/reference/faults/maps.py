"""Faults of map fields: pairs added and removed, and keys that are there already."""

from __future__ import annotations

from collections.abc import Callable

from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, fault
from xenconform.conformance.reference.faults.seams import after, calls, code_of, failures, fields_of, putting, refusing
from xenconform.models.calls import Call, Failure, Format
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch

Old = Callable[[Call], Branch]
Pairs = dict[Value, Value]
DUPLICATE = "MAP_DUPLICATE_KEY"


def field_of(call: Call) -> str:
    """Return the field that a call adds a pair to or takes one from."""
    return call.message.partition(".")[2].removeprefix("add_to_").removeprefix("remove_from_")


def pairs(s: Server, call: Call) -> Pairs:
    """Return what the map that a call names holds; nothing where there is no such object."""
    record = fields_of(s, call.args[0]) if isinstance(call.args[0], Handle) else {}
    return dict(record.get(field_of(call), {}))


def kept(s: Server, call: Call, value: Pairs) -> Branch:
    """Return what a server does that leaves a map with these pairs."""
    return s.state.world.write(call.args[0], field_of(call), value)


# ----------------------------------------------------------------------------------------------------------------- add


@fault("MAP-ADD", "VIF", HARD)
def pair_without_a_value_is_dropped(s: Server) -> None:
    """Adding a key with an empty value to a VIF's map does nothing."""
    calls(
        s, lambda old, call: s.state.world.stay(None) if not call.args[2] and not code_of(old(call)) else old(call),
        "VIF.add_to_*",
    )  # fmt: skip


@fault("MAP-ADD", "secret", HARD)
def ninth_pair_pushes_out_the_first(s: Server) -> None:
    """A secret's other_config holds 8 pairs that are added one by one: the ninth pushes out the oldest."""

    def add(call: Call, branch: Branch) -> Branch:
        old = pairs(s, call)
        if len(old) < 8:
            return branch
        return putting(branch, call.args[0], other_config={**dict(list(old.items())[1:]), call.args[1]: call.args[2]})

    after(s, add, "secret.add_to_other_config")


@fault("MAP-ADD", "VM", MEDIUM)
def pair_replaces_the_map_over_json1(s: Server) -> None:
    """Over JSON-RPC 1.0 adding a pair to a VM's platform leaves that pair alone."""

    def add(call: Call, branch: Branch) -> Branch:
        alone = {call.args[1]: call.args[2]}
        return putting(branch, call.args[0], platform=alone) if s.is_over(Format.JSONRPC1) else branch

    after(s, add, "VM.add_to_platform")


@fault("MAP-ADD", "VLAN", HARD)
def longer_key_replaces_the_shorter(s: Server) -> None:
    """Adding a key to a VLAN's other_config takes away a key that is the beginning of it."""

    def add(call: Call, branch: Branch) -> Branch:
        old = {k: v for k, v in pairs(s, call).items() if not call.args[1].startswith(k)}
        return putting(branch, call.args[0], other_config={**old, call.args[1]: call.args[2]})

    after(s, add, "VLAN.add_to_other_config")


@fault("MAP-ADD", "task", HARD)
def added_again_it_has_its_old_value(s: Server) -> None:
    """A key that was removed from a task's other_config and is added again has the value that it had before."""
    first: dict[tuple[Handle, Value], Value] = {}

    def add(call: Call, branch: Branch) -> Branch:
        value = first.setdefault((call.args[0], call.args[1]), call.args[2])
        return putting(branch, call.args[0], other_config={**pairs(s, call), call.args[1]: value})

    after(s, add, "task.add_to_other_config")


@fault("MAP-ADD", "VM", HARD)
def operation_is_kept_for_all(s: Server) -> None:
    """Blocking a second operation of a VM gives the first one the second one's reason."""

    def add(call: Call, branch: Branch) -> Branch:
        alike = dict.fromkeys((*pairs(s, call), call.args[1]), call.args[2])
        return putting(branch, call.args[0], blocked_operations=alike)

    after(s, add, "VM.add_to_blocked_operations")


# ------------------------------------------------------------------------------------------------ a key that is there


def overwriting(s: Server, names: str, when: Callable[[Call, Pairs], bool]) -> None:
    """Let calls write a pair over a present one where a test on the call and the map holds."""

    def add(old: Old, call: Call) -> Branch:
        there = pairs(s, call)
        if call.args[1] in there and when(call, there):
            return kept(s, call, {**there, call.args[1]: call.args[2]})
        return old(call)

    calls(s, add, names)


@fault("MAP-DUPLICATE-KEY", "network", HARD)
def key_with_an_empty_value_is_free(s: Server) -> None:
    """A key of a network's other_config whose value is empty may be added again."""
    overwriting(s, "network.add_to_other_config", lambda call, there: not there[call.args[1]])


@fault("MAP-DUPLICATE-KEY", "VM", MEDIUM)
def equal_reason_is_no_duplicate(s: Server) -> None:
    """Over JSON-RPC 2.0 a VM's operation may be blocked again for the same reason."""
    overwriting(
        s, "VM.add_to_blocked_operations",
        lambda call, there: there[call.args[1]] == call.args[2] and s.is_over(Format.JSONRPC2),
    )  # fmt: skip


@fault("MAP-DUPLICATE-KEY", "VBD", HARD)
def duplicate_is_found_among_eight(s: Server) -> None:
    """A key of a VBD's map may be added again where 8 others come before it."""
    overwriting(s, "VBD.add_to_*", lambda call, there: call.args[1] not in list(there)[:8])


@fault("MAP-DUPLICATE-KEY", "PIF", HARD)
def key_of_another_format_is_free(s: Server) -> None:
    """A key of a PIF's other_config that was added over XML-RPC may be added again over JSON-RPC."""
    over: dict[tuple[Handle, Value], bool] = {}

    def add(old: Old, call: Call) -> Branch:
        key, there = (call.args[0], call.args[1]), pairs(s, call)
        if call.args[1] in there and over.get(key) and not s.is_over(Format.XMLRPC):
            return kept(s, call, {**there, call.args[1]: call.args[2]})
        if call.args[1] not in there:
            over[key] = s.is_over(Format.XMLRPC)
        return old(call)

    calls(s, add, "PIF.add_to_other_config")


@fault("MAP-DUPLICATE-KEY", "SR", HARD)
def duplicate_has_another_code_beside_tags(s: Server) -> None:
    """Adding a present key to an SR's sm_config with the value that it has fails as a wrong value."""

    def add(old: Old, call: Call) -> Branch:
        equal = pairs(s, call).get(call.args[1]) == call.args[2]
        return refusing(s, "INVALID_VALUE", "sm_config", call.args[2]) if equal else old(call)

    calls(s, add, "SR.add_to_sm_config")


# ------------------------------------------------------------------------------------------------- and what it leaves


def refused_but(s: Server, names: str, left: Callable[[Call, Pairs], Pairs], *formats: Format) -> None:
    """Let a refused duplicate leave a map with other pairs."""

    def add(old: Old, call: Call) -> Branch:
        branch = old(call)
        if code_of(branch) != DUPLICATE or not s.is_over(*formats):
            return branch
        world = kept(s, call, left(call, pairs(s, call)))
        return Branch(branch.outcome, world.world, world.touched)

    calls(s, add, names)


@fault("MAP-DUPLICATE-UNCHANGED", "VDI", MEDIUM)
def refused_pair_is_written(s: Server) -> None:
    """Over XML-RPC a refused pair of a VDI's sm_config is written all the same."""
    refused_but(s, "VDI.add_to_sm_config", lambda call, old: {**old, call.args[1]: call.args[2]}, Format.XMLRPC)


@fault("MAP-DUPLICATE-UNCHANGED", "network", HARD, also="MAP-DUPLICATE-KEY")
def second_refusal_drops_the_key(s: Server) -> None:
    """The second refusal of a key takes it out of a network's other_config."""
    refused: set[tuple[Handle, Value]] = set()

    def left(call: Call, old: Pairs) -> Pairs:
        again = (call.args[0], call.args[1]) in refused
        refused.add((call.args[0], call.args[1]))
        return {k: v for k, v in old.items() if not again or k != call.args[1]}

    refused_but(s, "network.add_to_other_config", left)


@fault("MAP-DUPLICATE-UNCHANGED", "VM", HARD)
def longer_value_wins(s: Server) -> None:
    """A refused pair of a VM's xenstore_data is written where the value that is there is empty."""

    def left(call: Call, old: Pairs) -> Pairs:
        return old if old[call.args[1]] else {**old, call.args[1]: call.args[2]}

    refused_but(s, "VM.add_to_xenstore_data", left)


# ------------------------------------------------------------------------------------------------- what the error says


def telling(s: Server, start: str, params: Callable[[tuple[str, ...]], tuple[str, ...]], *formats: Format) -> None:
    """Change the parameters of the error that a duplicate key of some messages gets."""

    def told(failure: Failure) -> Failure:
        mine = failure.code == DUPLICATE and s.method.startswith(start) and s.is_over(*formats)
        return Failure(failure.code, params(tuple(map(str, failure.params)))) if mine else failure

    failures(s, told)


@fault("MAP-DUPLICATE-PARAMS", "PBD", EASY)
def duplicate_names_the_table(s: Server) -> None:
    """The error of a duplicate key of a PBD names the field with its class before it."""
    telling(s, "PBD.", lambda p: (p[0], f"{p[0]}__{p[1]}", *p[2:]))


@fault("MAP-DUPLICATE-PARAMS", "tunnel", MEDIUM)
def duplicate_names_no_object(s: Server) -> None:
    """Over JSON-RPC 2.0 the error of a duplicate key of a tunnel has the null reference for the object."""
    telling(s, "tunnel.", lambda p: (*p[:2], "OpaqueRef:NULL", *p[3:]), Format.JSONRPC2)


@fault("MAP-DUPLICATE-PARAMS", "VIF", HARD)
def duplicate_key_is_told_in_small_letters(s: Server) -> None:
    """The error of a duplicate key of a VIF shows the key in small letters."""
    telling(s, "VIF.", lambda p: (*p[:3], p[3].lower()))


# -------------------------------------------------------------------------------------------------------------- remove


def taking(s: Server, names: str, out: Callable[[Call, Value, Value], bool], *formats: Format) -> None:
    """Let calls take out the pairs of which a test on the call, the key and the value holds, besides the right one."""

    def remove(old: Old, call: Call) -> Branch:
        branch, there = old(call), pairs(s, call)
        left = {k: v for k, v in there.items() if k != call.args[1] and not out(call, k, v)}
        wrong = not code_of(branch) and len(left) < len(there) and s.is_over(*formats)
        return kept(s, call, left) if wrong else branch

    calls(s, remove, names)


@fault("MAP-REMOVE", "SM", HARD)
def longer_keys_go_too(s: Server) -> None:
    """Removing a key from an SM's other_config takes out the keys that begin with it as well."""
    taking(s, "SM.remove_from_other_config", lambda call, key, _: str(key).startswith(call.args[1]))


@fault("MAP-REMOVE", "console", HARD)
def equal_values_go_too(s: Server) -> None:
    """Removing a key from a console's other_config takes out every key that has the same value."""
    taking(s, "console.remove_from_*", lambda call, _, value: pairs(s, call).get(call.args[1]) == value)


@fault("MAP-REMOVE", "PCI", MEDIUM)
def removing_an_absent_key_fails(s: Server) -> None:
    """Over JSON-RPC 1.0 removing a key that a PCI's other_config does not have fails."""

    def remove(old: Old, call: Call) -> Branch:
        absent = call.args[1] not in pairs(s, call) and not code_of(old(call)) and s.is_over(Format.JSONRPC1)
        return refusing(s, "INTERNAL_ERROR", "Not_found") if absent else old(call)

    calls(s, remove, "PCI.remove_from_other_config")


@fault("MAP-REMOVE", "user", HARD)
def key_in_another_case_goes(s: Server) -> None:
    """Removing a key that a user's other_config does not have takes out one that differs from it in case alone."""
    taking(s, "user.remove_from_*", lambda call, key, _: str(key).lower() == call.args[1].lower())


@fault("MAP-REMOVE", "GPU_group", HARD)
def last_pair_stays(s: Server) -> None:
    """The only pair of a GPU_group's other_config cannot be removed."""

    def remove(old: Old, call: Call) -> Branch:
        alone = list(pairs(s, call)) == [call.args[1]]
        return s.state.world.stay(None) if alone else old(call)

    calls(s, remove, "GPU_group.remove_from_other_config")
