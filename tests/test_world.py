"""The World's laws, on the shipped model."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xenconform.conformance.reference.seed import seeded
from xenconform.models.api import Api
from xenconform.models.calls import Call, Failure, Success
from xenconform.models.values import Handle, null
from xenconform.models.world import Branch, World

API = Api.load()
SEEDED = seeded(API)
NO_OBJECTS = {"session", "auth", "event", "sr_stat", "probe_result", "user", "data_source", "vdi_nbd_server_info"}


def ask(world: World, message: str, *args: Any) -> Branch:
    return world.predict(Call(message, args)).first


def value(world: World, message: str, *args: Any) -> Any:
    outcome = ask(world, message, *args).outcome
    assert isinstance(outcome, Success), outcome
    return outcome.value


def code(world: World, message: str, *args: Any) -> str:
    branch = ask(world, message, *args)
    assert isinstance(branch.outcome, Failure), branch.outcome
    assert branch.world is world, "law 6: a refused call changes nothing"
    assert branch.touched == ()
    return branch.outcome.code


def targets(field: Any) -> set[Handle]:
    return {h for h in (field if isinstance(field, tuple) else (field,)) if not h.is_null}


def assert_bound(world: World) -> None:
    """Recompute every derived end from the owners, naively, and compare."""
    for r in API.relations:
        expected: dict[Handle, set[Handle]] = {h: set() for h in world.handles(r.derived_cls)}
        for owner in world.handles(r.owner_cls):
            record = world.record(owner)
            assert record is not None
            for far in targets(record[r.owner_field]):
                expected[far].add(owner)
        for far, owners in expected.items():
            record = world.record(far)
            assert record is not None
            shown = record[r.derived_field]
            assert set(shown) == owners, f"{r} at {far}"
            assert len(shown) == len(set(shown))


def network(world: World, **more: Any) -> tuple[World, Handle]:
    branch = world.create("network", {"name_label": "n", **more})
    assert isinstance(branch.outcome, Success)
    return branch.world, branch.outcome.value


def test_the_seed_has_an_object_of_every_class_that_has_objects() -> None:
    """Only classes without objects of their own, and those that the server itself fills, are empty in the seed."""
    assert {name for name in API.classes if not SEEDED.handles(name)} == NO_OBJECTS


def test_the_seed_is_consistent_and_of_its_types() -> None:
    """Each reference of the seed is live, each bound pair agrees, each record has exactly its class's fields."""
    assert_bound(SEEDED)
    uuids = []
    for cls in API.classes:
        for handle in SEEDED.handles(cls):
            record = SEEDED.record(handle)
            assert record is not None
            assert list(record) == list(API.classes[cls].fields)
            uuids.append(record["uuid"])
    assert len(uuids) == len(set(uuids))


def test_the_same_seed_gives_the_same_world() -> None:
    """Uuids follow from the seed alone."""
    assert seeded(API, 7).objects == seeded(API, 7).objects
    assert seeded(API, 7).objects != seeded(API, 8).objects


def test_every_getter_of_every_seeded_object_agrees_with_its_record() -> None:
    """Law 1, reading: get_f is the record's f."""
    for cls, of in API.classes.items():
        for handle in SEEDED.handles(cls):
            record = value(SEEDED, f"{cls}.get_record", handle)
            for name in of.fields:
                if API.message(f"{cls}.get_{name}"):
                    assert value(SEEDED, f"{cls}.get_{name}", handle) == record[name]


def test_a_setter_changes_that_field_alone() -> None:
    """Law 1, writing."""
    world, one = network(World(API))
    after = ask(world, "network.set_MTU", one, 9000)
    record = after.world.record(one)
    assert record == {**(world.record(one) or {}), "MTU": 9000}
    assert after.touched == (one,)


def test_sets_are_idempotent_and_never_hold_a_value_twice() -> None:
    """Law 2, and set_f and create take repetitions out."""
    world, one = network(World(API), tags=("a", "a"))
    assert value(world, "network.get_tags", one) == ("a",)
    world = ask(world, "network.add_tags", one, "a").world
    world = ask(world, "network.add_tags", one, "b").world
    world = ask(world, "network.remove_tags", one, "zz").world
    assert value(world, "network.get_tags", one) == ("a", "b")
    world = ask(world, "network.set_tags", one, ("x", "x", "y")).world
    assert value(world, "network.get_tags", one) == ("x", "y")
    world = ask(world, "network.remove_tags", one, "x").world
    assert value(world, "network.get_tags", one) == ("y",)


def test_a_key_is_added_once() -> None:
    """Law 3: the same or another value, a present key is refused; removing an absent one is not."""
    world, one = network(World(API), other_config={"k": "1"})
    outcome = ask(world, "network.add_to_other_config", one, "k", "1").outcome
    assert outcome == Failure("MAP_DUPLICATE_KEY", ("network", "other_config", one, "k"))
    assert code(world, "network.add_to_other_config", one, "k", "2") == "MAP_DUPLICATE_KEY"
    world = ask(world, "network.add_to_other_config", one, "", "v").world
    world = ask(world, "network.remove_from_other_config", one, "absent").world
    assert value(world, "network.get_other_config", one) == {"k": "1", "": "v"}


@pytest.mark.parametrize("ref", [Handle("network", 0), Handle("network", 10**6), Handle("VM", 1), "OpaqueRef:x"])
def test_an_unknown_reference_is_refused(ref: Any) -> None:
    """Null, never made, of another class, or text: HANDLE_INVALID with the class and the reference."""
    outcome = ask(SEEDED, "network.get_name_label", ref).outcome
    assert outcome == Failure("HANDLE_INVALID", ("network", ref))


def test_a_referenced_object_stays() -> None:
    """Law 5: destroy is refused while an owning field refers to it, and works once none does."""
    world, one = network(World(API))
    vm = world.create("VM", {"name_label": "v"})
    assert isinstance(vm.outcome, Success)
    made = vm.world.create("VIF", {"VM": vm.outcome.value, "network": one})
    assert isinstance(made.outcome, Success)
    vif = made.outcome.value
    assert code(made.world, "network.destroy", one) == "OPERATION_NOT_ALLOWED"
    gone = ask(made.world, "VIF.destroy", vif).world
    assert value(gone, "network.get_VIFs", one) == ()
    assert code(gone, "VIF.get_uuid", vif) == "HANDLE_INVALID"
    last = ask(gone, "network.destroy", one).world
    assert code(last, "network.destroy", one) == "HANDLE_INVALID"
    assert network(last)[1] != one


def test_a_create_record_is_checked_whole() -> None:
    """A left-out field without a default and an unknown reference fail; RO/runtime and unknown members are ignored."""
    full = {"VM": SEEDED.handles("VM")[0], "network": SEEDED.handles("network")[0]}
    given = {**full, "device": "9", "MAC": "", "MTU": 1, "other_config": {}, "qos_algorithm_type": ""}
    given["qos_algorithm_params"] = {}
    made = ask(SEEDED, "VIF.create", {**given, "status_detail": "mine", "nonsense": 1})
    assert isinstance(made.outcome, Success)
    assert value(made.world, "VIF.get_status_detail", made.outcome.value) == ""
    assert code(SEEDED, "VIF.create", {**given, "VM": "OpaqueRef:x"}) == "HANDLE_INVALID"
    del given["MAC"]
    assert code(SEEDED, "VIF.create", given) == "FIELD_TYPE_ERROR"


def test_lookups_match_exactly() -> None:
    """By uuid one object or UUID_INVALID; by label the set of all that have it."""
    world, one = network(World(API), name_label="A")
    world, two = network(world, name_label="A")
    uuid = value(world, "network.get_uuid", two)
    assert value(world, "network.get_by_uuid", uuid) == two
    assert code(world, "network.get_by_uuid", uuid.upper()) == "UUID_INVALID"
    assert code(world, "VM.get_by_uuid", uuid) == "UUID_INVALID"
    assert set(value(world, "network.get_by_name_label", "A")) == {one, two}
    assert value(world, "network.get_by_name_label", "a") == ()


def test_queries_select_records() -> None:
    """get_all_records_where, also for classes that do not publish it; a bad query is refused."""
    found = value(SEEDED, "network.get_all_records_where", 'field "name__label" = "Overlay" or field "MTU"="9000"')
    assert {r["name_label"] for r in found.values()} == {"Overlay", "Pool-wide network associated with eth1"}
    assert len(value(SEEDED, "VM.get_all_records_where", 'not field "is__control__domain" = "true"')) == 3
    assert code(SEEDED, "network.get_all_records_where", "field name") == "INVALID_VALUE"
    assert code(SEEDED, "session.get_all_records_where", "true") == "MESSAGE_METHOD_UNKNOWN"


def test_constructors_with_parameters_bind_too() -> None:
    """An explicit constructor's parameters become fields, and the far ends follow."""
    pif = SEEDED.handles("PIF")[0]
    made = ask(SEEDED, "VLAN.create", pif, 7, SEEDED.handles("network")[0])
    assert isinstance(made.outcome, Success)
    assert made.outcome.value in value(made.world, "PIF.get_VLAN_slave_of", pif)
    assert_bound(made.world)


WRITES = [(r, end) for r in API.relations for end in ("owner", "derived")]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_bound_pairs_agree_after_any_writes(data: st.DataObject) -> None:
    """Law 4: whatever is written to either end, created or destroyed, each derived end is what the owners say."""
    world = SEEDED
    for _ in range(data.draw(st.integers(1, 15))):
        relation, end = data.draw(st.sampled_from(WRITES))
        near, far = (relation.owner_cls, relation.derived_cls)
        name, many = relation.owner_field, relation.many_owner
        if end == "derived":
            near, far, name, many = far, near, relation.derived_field, True
        choices = [*world.handles(far)]
        if not world.handles(near):
            continue
        if many:
            new: Any = tuple(data.draw(st.lists(st.sampled_from(choices), max_size=4))) if choices else ()
        else:
            new = data.draw(st.sampled_from([null(far), *choices]))
        match data.draw(st.sampled_from(["write", "write", "create", "destroy"])):
            case "write":
                world = world.write(data.draw(st.sampled_from(world.handles(near))), name, new).world
            case "create":
                world = world.create(near, {name: new}).world
            case _:
                doomed = data.draw(st.sampled_from(world.handles(near)))
                of = API.classes[near].destructor
                if of in ("destroy", "forget"):
                    world = ask(world, f"{near}.{of}", doomed).world
        assert_bound(world)


def test_the_reference_profile_knows_the_seeded_lvhd() -> None:
    """LVHD has no get_all, so the shipped profile names the seed's object by its uuid."""
    profile = files("xenconform.models").joinpath("data/profiles/reference.toml").read_text()
    (lvhd,) = SEEDED.handles("LVHD")
    assert value(SEEDED, "LVHD.get_by_uuid", tomllib.loads(profile)["known"]["LVHD"]) == lvhd
