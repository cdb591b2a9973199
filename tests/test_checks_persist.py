"""Restarts and pure reads: what is lost or changed is found, and what others or the server itself may do is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from object_faults import Fault, FaultyWorld, ok, put
from state_bench import API, Stage

from xenconform.conformance.checks import CHECKS
from xenconform.conformance.checks.awkward import KINDS, MEMBERS, awkward
from xenconform.conformance.checks.judging import Unavailable
from xenconform.models.api import Qualifier
from xenconform.models.calls import Call
from xenconform.models.lasting import lasting_fields, may_end, stands
from xenconform.models.profiles import Scope
from xenconform.models.types import Float, Int, MapOf, SetOf, Str, parse
from xenconform.models.values import Handle, Value, null, same
from xenconform.models.verdicts import Verdict
from xenconform.models.world import Branch, World
from xenconform.strategies.boundary import MANY

PERSIST, READS = "PERSIST", "STATE-READ-ONLY-READS"
Change = Callable[[World], World]


def restarting(change: Change = lambda world: world, scope: Scope = Scope.ALL) -> Stage:
    stage = Stage(PERSIST, scope, restarted=change)
    stage.bench.restart = stage.restart
    return stage


def each_value(change: Callable[[str, Any], Any]) -> Change:
    """Every field of every object as `change(field, value)` has it."""
    return lambda world: replace(world, objects={
        cls: {n: {f: change(f, v) for f, v in row.items()} for n, row in rows.items()}
        for cls, rows in world.objects.items()
    })  # fmt: skip


def without(cls: str, which: Callable[[list[int]], list[int]]) -> Change:
    """Some objects of a class are gone, and what names them is as it was."""

    def change(world: World) -> World:
        gone = which(sorted(world.objects[cls]))
        kept = {n: row for n, row in world.objects[cls].items() if n not in gone}
        return replace(world, objects={**world.objects, cls: kept})

    return change


@pytest.mark.parametrize("scope", list(Scope))
def test_a_server_that_keeps_everything_passes(scope: Scope) -> None:
    """Nothing fails, every class is judged over every format, and what is new is judged too."""
    stage = restarting(scope=scope)
    ran = stage.run()
    assert ran.clauses(Verdict.FAIL) | ran.clauses(Verdict.UNTESTED) == set()
    judged = {(judgement.element, judgement.format) for judgement in ran.judgements}
    classes = {name for name, of in API.classes.items() if "get_record" in of.messages and name != "session"}
    assert {(cls, fmt) for cls in classes for fmt in stage.bench.formats} <= judged
    assert ("new network", "") in judged


LOSSES: dict[str, tuple[Change, set[str]]] = {
    "ints of 53 bits": (each_value(lambda _f, v: int(float(v)) if type(v) is int else v), {"VM", "PVS_cache_storage"}),
    "a default, and one of an object that nobody made": (
        each_value({"managed": True, "iscsi_iqn": ""}.get), {"network", "host"},
    ),
    "maps emptied, large sets cut": (
        each_value(lambda f, v: {} if f == "VCPUs_params" else v[:255] if f == "tags" else v), {"VM", "network", "VDI"},
    ),
    "no fractions of seconds, derived ends lost": (
        each_value(lambda f, v: v.replace(microsecond=0) if f == "last_run_time" else () if f == "VIFs" else v),
        {"VMSS", "network", "VM"},
    ),
    "uuids new": (each_value(lambda f, v: v[::-1] if f == "uuid" else v), {"pool", "host", "role"}),
    "a seeded object lost": (without("VMSS", lambda found: found[:1]), {"VMSS"}),
    "the newest lost": (without("secret", lambda found: found[-1:]), {"secret"}),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_found_in_its_class(name: str) -> None:
    """What a restart loses fails in the classes that lost it, over every format."""
    change, classes = LOSSES[name]
    stage = restarting(change)
    failed = stage.run().failed(PERSIST)
    assert {(cls, fmt) for cls in classes for fmt in stage.bench.formats} <= {(j.element, j.format) for j in failed}


def test_what_was_destroyed_stays_gone_and_nothing_gets_its_name() -> None:
    """A destroyed object that comes back fails, and so does a number that is given out again."""
    seen: dict[str, list[World]] = {}
    stage = restarting()
    destroy = stage.bench.stock.remove

    def remember(obj: Any) -> bool:
        seen.setdefault(obj.cls, []).append(stage.service.state.world)
        return destroy(obj)

    stage.bench.stock.remove = remember  # type: ignore[method-assign]

    def again(world: World) -> World:
        """The last secret is back, and numbers go on from before the first object that was destroyed last of its class.

        One number more goes to the session that is opened after the restart.
        """
        lost = {cls: then[-1].objects[cls].keys() - world.objects[cls] for cls, then in seen.items() if cls != "task"}
        objects = {**world.objects, "secret": seen["secret"][-1].objects["secret"]}
        return replace(world, objects=objects, last=min(n for numbers in lost.values() for n in numbers) - 2)

    stage.restarted = again
    failed = {judgement.element for judgement in stage.run().failed(PERSIST)}
    assert "secret" in failed
    assert any(element.startswith("new ") for element in failed)


LEGAL: dict[str, Change] = {
    "runtime fields": each_value(lambda f, v: 77 if f in {"domid", "memory_overhead"} else v),
    "sets in another order": each_value(lambda f, v: v[::-1] if f in {"tags", "VIFs"} else v),
    "no metrics": each_value(lambda f, v: null(f"{v.cls}") if f == "metrics" else v),
    "metrics gone": without("VM_metrics", list),
    "tasks gone": without("task", list),
}


def test_what_a_restart_may_change_is_no_finding() -> None:
    """RO/runtime fields, the order of sets, and what ends by itself are left alone."""

    def change(world: World) -> World:
        for each in LEGAL.values():
            world = each(world)
        return world

    assert restarting(change).run().failed(PERSIST) == []


@pytest.mark.parametrize(("which", "found"), [(slice(None, 1), False), (slice(-1, None), True)], ids=["theirs", "ours"])
def test_a_class_in_which_others_are_busy_is_left_to_our_own_objects(which: slice, found: bool) -> None:
    """An object of others that vanished is no finding where others made objects meanwhile; one of ours still is."""
    stage = restarting(without("network", lambda numbers: numbers[which]))
    make = stage.bench.stock.make
    theirs: list[str] = []

    def busy(cls: str, *args: Any, **named: Any) -> Any:
        if cls == "network" and len(theirs) < 3:
            theirs.append(cls)
            branch = stage.service.state.world.create("network", {})
            stage.service.state.adopt(branch.world, branch.touched)
        return make(cls, *args, **named)

    stage.bench.stock.make = busy  # type: ignore[method-assign]
    assert bool([each for each in stage.run().failed(PERSIST) if each.element == "network"]) == found
    assert theirs


def test_without_a_way_to_restart_there_is_a_reason_and_nothing_is_written() -> None:
    """The check says what is missing before it makes anything."""
    stage = Stage(PERSIST)
    before = stage.service.state.world.last
    with pytest.raises(Unavailable, match="--restart-command"):
        stage.run()
    assert stage.service.state.world.last == before


def test_only_what_ends_sessions_is_last() -> None:
    """PERSIST is behind every other check."""
    assert {check.clause for check in CHECKS if check.last} >= {PERSIST}
    assert CHECKS[-1].clause == PERSIST


# ---------------------------------------------------------------------------------------------------------- the table


def test_the_table_has_what_clients_have_a_say_in() -> None:
    """RW and RO/constructor fields, uuids and bound ends stand still; of others' objects a server's own do not."""
    for of in API.classes.values():
        named = {field.name for field in lasting_fields(API, of, own=True)}
        assert {f.name for f in of.fields.values() if f.qualifier is not Qualifier.RUNTIME} - named <= {
            f.name for f in of.fields.values() if f.lifecycle.state == "removed"
        }
    vm = API.classes["VM"]
    own, theirs = ({field.name for field in lasting_fields(API, vm, own=own)} for own in (True, False))
    assert {"uuid", "VIFs", "appliance", "tags", "power_state", "bios_strings"} <= own
    assert {"resident_on", "domid", "allowed_operations", "consoles"} & own == set()
    assert own - theirs >= {"power_state", "memory_target", "bios_strings"}
    assert may_end("task", own=True)
    assert may_end("VM_metrics", own=False)
    assert not may_end("VM_metrics", own=True)


def test_a_hosts_clock_is_no_clients_value() -> None:
    """Two keys of host.other_config may differ, any other may not, nor may those of other classes."""
    host, vm = API.classes["host"], API.classes["VM"]
    assert stands(host, host.fields["other_config"], {"a": "1", "boot_time": "1"}, {"a": "1", "boot_time": "2"})
    assert not stands(host, host.fields["other_config"], {"a": "1"}, {"a": "2"})
    assert not stands(vm, vm.fields["other_config"], {"boot_time": "1"}, {"boot_time": "2"})


@pytest.mark.parametrize("text", ["string", "int", "float", "datetime", "string set", "(string -> string) map"])
def test_awkward_values_differ_by_kind(text: str) -> None:
    """Each kind has a value of its own of each type, and among them are a large and an empty collection."""
    of = parse(text)
    values: list[Value] = [awkward(of, kind) for kind in range(KINDS)]
    assert all(not same(of, a, b) for at, a in enumerate(values) for b in values[:at])
    if isinstance(of, SetOf | MapOf):
        assert (len(values[0]), len(values[1])) == (len(MEMBERS) + MANY, 0)
    if of in {Int(), Float(), Str()}:
        assert {Int(): 2**53 + 1, Float(): 5e-324, Str(): ""}[of] in values


# --------------------------------------------------------------------------------------------------------- pure reads


def on_read(message: str, **fields: Callable[[Any], Any]) -> Fault:
    """A getter that changes fields of the newest object of its class."""
    cls = message.partition(".")[0]

    def fault(_world: FaultyWorld, call: Call, branch: Branch) -> Branch:
        if call.message != message or not ok(branch):
            return branch
        handle: Handle = branch.world.handles(cls)[-1]
        record = branch.world.record(handle) or {}
        changed = {name: change(record[name]) for name, change in fields.items()}
        return replace(branch, world=put(branch.world, handle, **changed), touched=(handle,))

    return fault


@pytest.mark.parametrize("cls", ["network", "VM", "VIF", "secret", "pool", "LVHD"])
def test_sound_getters_pass(cls: str) -> None:
    """Nothing fails and nothing is untested, with an object of our own or without."""
    stage = Stage(READS)
    ran = stage.run(cls)
    # Of a VM it is judged in each of three power states besides.
    assert [judgement.verdict for judgement in ran.judgements] == [Verdict.PASS] * (6 if cls == "VM" else 3)


WRITERS: dict[str, Fault] = {
    "counts in a map": on_read("network.get_MTU", other_config=lambda old: {**old, f"n{len(old)}": ""}),
    "tidies a name": on_read("network.get_name_label", name_label=str.strip),
    "clears a set": on_read("network.get_uuid", tags=lambda _old: ()),
    "listing drops a value": on_read("network.get_all_records", name_description=lambda _old: ""),
    "look-up renames": on_read("network.get_by_uuid", name_label=lambda old: f"{old}'"),
    "the record counts": on_read("network.get_record", MTU=lambda old: old - 1),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_getter_that_writes_is_found(name: str) -> None:
    """A getter, listing or look-up that changes the object fails, and no call of ours is blamed for it."""
    stage = Stage(READS)
    ran = stage.run("network", fault=WRITERS[name])
    assert ran.failed(READS)
    assert ran.clauses(Verdict.ERROR) == set()


def test_the_getter_is_named() -> None:
    """The finding names the message that did it, where it does it again."""
    stage = Stage(READS)
    ran = stage.run("network", fault=WRITERS["counts in a map"])
    assert "called alone, network.get_MTU does it" in ran.failed(READS)[0].actual


def test_what_others_write_meanwhile_is_no_finding() -> None:
    """A field of an object that is not ours may change while it is read, if it does so without the getters too."""
    turns = iter(range(10_000))

    def moves(_world: FaultyWorld, call: Call, branch: Branch) -> Branch:
        pool = branch.world.handles("pool")[0]
        label = f"written by others {next(turns)} times, now by {call.message}"
        return replace(branch, world=put(branch.world, pool, name_label=label), touched=(pool,))

    stage = Stage(READS, Scope.OWN)
    ran = stage.run("pool", fault=moves)
    assert ran.failed(READS) == []
    assert ran.clauses(Verdict.PASS) == {READS}
