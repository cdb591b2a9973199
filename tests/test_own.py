"""Explicit messages that write fields: every one of the model has a rule or a reason, and does what its row says."""

from __future__ import annotations

from typing import Any

import pytest
from reference_caller import API
from worlds import SEEDED, ask, assert_refused, changed, fields, flaws, made, told, told_wrongly

from xenconform.models import own
from xenconform.models import types as t
from xenconform.models.api import Message, State
from xenconform.models.calls import Failure, Success
from xenconform.models.semantics import has_rule
from xenconform.models.values import Handle, null
from xenconform.models.world import World

PREFIXES = ("set_", "add_", "remove_")
EXPLICIT = [m for of in API.classes.values() for m in of.messages.values() if not m.implicit]
LIVE = [m for m in EXPLICIT if m.lifecycle.state is not State.REMOVED]
SHAPED = [m for m in LIVE if m.verb and m.verb != "get"]

# What each message of several fields, or of another name than its field's, leaves in an object.
SEVERAL: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "VM.set_memory": ((9,), {"memory_static_max": 9, "memory_dynamic_max": 9, "memory_dynamic_min": 9}),
    "VM.set_memory_dynamic_range": ((8, 9), {"memory_dynamic_min": 8, "memory_dynamic_max": 9}),
    "VM.set_memory_static_range": ((8, 9), {"memory_static_min": 8, "memory_static_max": 9}),
    "VM.set_memory_limits": (
        (6, 9, 7, 8),
        {"memory_static_min": 6, "memory_static_max": 9, "memory_dynamic_min": 7, "memory_dynamic_max": 8},
    ),
    "VM.set_shadow_multiplier_live": ((4.5,), {"HVM_shadow_multiplier": 4.5}),
    "VIF.move": ((SEEDED.handles("network")[-1],), {"network": SEEDED.handles("network")[-1]}),
    "host.set_hostname_live": (("h",), {"hostname": "h"}),
    "host.set_power_on_mode": (("wol", {"k": "v"}), {"power_on_mode": "wol", "power_on_config": {"k": "v"}}),
    "PIF.set_property": (("k", "v"), {"properties": {"gro": "on", "k": "v"}}),
    "Bond.set_property": (("k", "v"), {"properties": {"hashing_algorithm": "src_mac", "k": "v"}}),
    "VIF.configure_ipv4": (
        ("Static", "192.0.2.9/24", "192.0.2.1"),
        {
            "ipv4_configuration_mode": "Static",
            "ipv4_addresses": ("192.0.2.9/24",),
            "ipv4_gateway": "192.0.2.1",
        },
    ),
    "VIF.configure_ipv6": (
        ("None", "ignored", "ignored"),
        {"ipv6_configuration_mode": "None", "ipv6_addresses": (), "ipv6_gateway": ""},
    ),
}
SWITCHED = {
    "PBD.plug": ("currently_attached", True),
    "PBD.unplug": ("currently_attached", False),
    "VDI.enable_cbt": ("cbt_enabled", True),
    "VDI.disable_cbt": ("cbt_enabled", False),
    "host.enable": ("enabled", True),
    "host.disable": ("enabled", False),
}


def value_of(of: t.Type, n: int = 0) -> Any:
    """Return a value of a type for the seeded world; two different numbers give two values where there are two."""
    match of:
        case t.Str():
            return f"value {n}"
        case t.Int() | t.Float():
            return 7 + n
        case t.Bool():
            return n % 2 == 0
        case t.RefTo(cls):
            return (SEEDED.handles(cls) * 2)[n]
        case t.Enum(_, values):
            return values[n % len(values)]
        case t.SetOf(item):
            return (value_of(item, n),)
        case t.MapOf(key, item):
            return {value_of(key, n): value_of(item, n)}
        case t.DateTime():
            return fields(SEEDED, SEEDED.handles("message")[0])["timestamp"]
        case _:
            raise AssertionError(of)


def expected(message: Message, old: Any, args: list[Any]) -> Any:
    """Return what a message shaped like an accessor makes of a field's value."""
    match message.verb:
        case "set":
            return args[0]
        case "add":
            return old if args[0] in old else (*old, args[0])
        case "remove":
            return tuple(each for each in old if each != args[0])
        case "add_to":
            return {**old, args[0]: args[1]}
        case _:
            return {key: value for key, value in old.items() if key != args[0]}


def test_every_message_named_like_a_setter_has_a_rule_or_a_reason() -> None:
    """Of all live explicit ones; nothing has both, and the reasons are of messages that there are."""
    called = {m.full_name: m for m in LIVE if m.name.startswith(PREFIXES)}
    without = {name for name, message in called.items() if not has_rule(API, message)}
    assert without == set(own.WITHOUT_RULE)
    assert all(reason for reason in own.WITHOUT_RULE.values())
    for name in without:
        message = called[name]
        args = [value_of(param.type) for param in message.params]
        assert ask(SEEDED, name, *args).outcome == Failure("NOT_IMPLEMENTED", (name,))


def test_the_tables_are_of_the_model() -> None:
    """Every row is an explicit message, its parameters and fields are there, and their types fit."""
    live = {m.full_name: m for m in LIVE}
    assert set(own.RULES) | set(own.ALIASES) <= live.keys()
    for name, row in own.SETTERS.items():
        of = API.classes[live[name].cls].fields
        types = {param.name: param.type for param in live[name].params[1:]}
        assert types.keys() == row.keys()
        assert all(of[field].type == types[param] for param, names in row.items() for field in names)
    assert all(field in API.classes[live[name].cls].fields for name, (_, field) in own.ALIASES.items())


@pytest.mark.parametrize("message", SHAPED, ids=lambda m: str(m.full_name))
@pytest.mark.parametrize("n", [0, 1])
def test_a_setter_named_for_a_field_sets_it(message: Message, n: int) -> None:
    """On a seeded object: the field is as the verb says, both ends agree, and nothing else changed."""
    one = SEEDED.handles(message.cls)[0]
    name, old = message.field, fields(SEEDED, SEEDED.handles(message.cls)[0])[message.field]
    args = [value_of(param.type, n) for param in message.params[1:]]
    world = SEEDED
    if message.full_name == "VM.set_bios_strings":
        world = world.write(one, name, old := {}).world
    branch = ask(world, message.full_name, one, *args)
    if message.full_name == "network.add_purpose" and set(old) - {args[0]}:
        assert_refused(world, branch, "NETWORK_INCOMPATIBLE_PURPOSES", args[0], old[0])
        return
    after = branch.world
    assert branch.outcome == Success(None)
    assert fields(after, one)[name] == expected(message, old, args)
    assert set(changed(world, after)) <= {f"{one}.{name}"}
    assert flaws(after) == []
    assert told_wrongly(world, branch) == []


def several_wrong(name: str) -> list[str]:
    """Return the fields that a message of several leaves otherwise than expected."""
    args, wanted = SEVERAL[name]
    one = SEEDED.handles(name.partition(".")[0])[0]
    branch = ask(SEEDED, name, one, *args)
    if branch.outcome != Success(None):
        return [str(branch.outcome)]
    new, old = fields(branch.world, one), fields(SEEDED, one)
    wrong = [field for field in new if new[field] != {**old, **wanted}[field]]
    return [*wrong, *flaws(branch.world), *told_wrongly(SEEDED, branch)]


@pytest.mark.parametrize("name", SEVERAL)
def test_a_setter_of_several_fields_sets_them_alone(name: str) -> None:
    """Each parameter is in its fields, both ends agree, and the object is otherwise the same."""
    assert several_wrong(name) == []


def test_every_such_setter_is_expected_here() -> None:
    """No row of the table is without an expectation."""
    assert own.SETTERS.keys() <= SEVERAL.keys()
    assert own.SWITCHES == SWITCHED


def _mutants() -> list[Any]:
    found = []
    for name, row in own.SETTERS.items():
        types = {param.name: param.type for param in next(m for m in LIVE if m.full_name == name).params}
        for param, names in row.items():
            others = [each for each in row if each != param and types[each] == types[param]]
            rows = [{**row, param: names[:at] + names[at + 1 :]} for at in range(len(names))]
            rows += [{**row, param: row[other], other: names} for other in others]
            rows += [{**row, param: (*names, "name_label")}] if name.startswith(("VM.", "host.")) else []
            found += [pytest.param(name, mutant, id=f"{name}-{param}-{n}") for n, mutant in enumerate(rows)]
    return found


@pytest.mark.parametrize(("name", "mutant"), _mutants())
def test_every_cell_of_the_setters_matters(
    monkeypatch: pytest.MonkeyPatch, name: str, mutant: dict[str, tuple[str, ...]]
) -> None:
    """With a field left out, another one more, or two parameters the other way round, something is wrong."""
    monkeypatch.setitem(own.SETTERS, name, mutant)
    assert several_wrong(name)


@pytest.mark.parametrize("name", SWITCHED)
def test_a_switch_gives_its_value(name: str) -> None:
    """On and off, from either; what is so already stays."""
    field, wanted = SWITCHED[name]
    one = SEEDED.handles(name.partition(".")[0])[0]
    for before in (True, False):
        world = SEEDED.write(one, field, before).world
        branch = ask(world, name, one)
        assert branch.outcome == Success(None)
        assert fields(branch.world, one) == {**fields(world, one), field: wanted}
        assert branch.touched == (() if before == wanted else (one,))


@pytest.mark.parametrize("name", sorted(own.NOTHING))
def test_a_look_changes_nothing(name: str) -> None:
    """The World stays the same."""
    branch = ask(SEEDED, name, SEEDED.handles(name.partition(".")[0])[0])
    assert branch.outcome == Success(None)
    assert branch.world is SEEDED


def test_other_names_of_accessors() -> None:
    """They have the accessors' laws: a key is added once, a set holds a value once, and removing is idempotent."""
    vm = SEEDED.handles("VM")[0]
    world = ask(SEEDED, "VM.add_to_VCPUs_params_live", vm, "k", "v").world
    assert fields(world, vm)["VCPUs_params"]["k"] == "v"
    again = ask(world, "VM.add_to_VCPUs_params_live", vm, "k", "w")
    assert_refused(world, again, "MAP_DUPLICATE_KEY", "VM", "VCPUs_params", vm, "k")
    pool, repository = SEEDED.handles("pool")[0], SEEDED.handles("Repository")[-1]
    without = ask(SEEDED, "pool.remove_repository", pool, repository).world
    assert repository not in fields(without, pool)["repositories"]
    once = ask(without, "pool.add_repository", pool, repository).world
    twice = ask(once, "pool.add_repository", pool, repository).world
    assert fields(twice, pool)["repositories"] == (*fields(without, pool)["repositories"], repository)


def test_a_vif_moves_to_a_network_that_is_one() -> None:
    """The old network no longer shows it; nowhere is no network."""
    vif = SEEDED.handles("VIF")[0]
    old, new = fields(SEEDED, vif)["network"], SEEDED.handles("network")[-1]
    after = ask(SEEDED, "VIF.move", vif, new).world
    assert vif in fields(after, new)["VIFs"]
    assert vif not in fields(after, old)["VIFs"]
    nowhere = null("network")
    assert_refused(SEEDED, ask(SEEDED, "VIF.move", vif, nowhere), "HANDLE_INVALID", "network", nowhere)


def test_bios_strings_are_written_once() -> None:
    """The same again is no change; others fail, and the first stay."""
    world, vm = made(World(API), "VM", name_label="v")
    world = ask(world, "VM.set_bios_strings", vm, {"bios-vendor": "a"}).world
    assert ask(world, "VM.set_bios_strings", vm, {"bios-vendor": "a"}).outcome == Success(None)
    assert_refused(world, ask(world, "VM.set_bios_strings", vm, {}), "VM_BIOS_STRINGS_ALREADY_SET")


def test_a_network_has_no_two_purposes_that_contradict() -> None:
    """The second is refused whichever is first; adding the one that is there is no conflict with itself."""
    for first, second in (("nbd", "insecure_nbd"), ("insecure_nbd", "nbd")):
        world, network = made(World(API), "network", name_label="n")
        world = ask(world, "network.add_purpose", network, first).world
        assert ask(world, "network.add_purpose", network, first).outcome == Success(None)
        refused = ask(world, "network.add_purpose", network, second)
        assert_refused(world, refused, "NETWORK_INCOMPATIBLE_PURPOSES", second, first)
        bare = ask(world, "network.remove_purpose", network, first).world
        assert fields(ask(bare, "network.add_purpose", network, second).world, network)["purpose"] == (second,)


@pytest.mark.parametrize("cls", ["SR", "VM", "host", "network", "pool"])
def test_a_new_blob_is_the_object_s(cls: str) -> None:
    """It is a new object with what was given, under its name, beside those that were there."""
    one = SEEDED.handles(cls)[0]
    branch = ask(SEEDED, f"{cls}.create_new_blob", one, "b", "text/plain", True)
    blob: Handle = told(branch)
    record = fields(branch.world, blob)
    assert (record["name_label"], record["mime_type"], record["public"]) == ("b", "text/plain", True)
    assert fields(branch.world, one)["blobs"] == {**fields(SEEDED, one)["blobs"], "b": blob}
    assert SEEDED.record(blob) is None
    assert told_wrongly(SEEDED, branch) == []
