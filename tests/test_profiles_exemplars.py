"""Claims about exemplars: what constructors are given, and the values that a domain allows."""

from __future__ import annotations

import re
import struct
from datetime import datetime
from typing import Any

import pytest

from xenconform.models import types as t
from xenconform.models.api import Api, Qualifier
from xenconform.models.exemplars import Need, alternatives, base, constructor_of, exemplar, typed, variables
from xenconform.models.profile_check import writable
from xenconform.models.profiles import Domain, Profile, Scope, shipped_profiles
from xenconform.models.types import Type
from xenconform.models.values import Handle, null

API = Api.load()
MADE = [
    (cls.name, constructor.message.name, constructor)
    for cls in API.classes.values()
    for constructor in cls.constructors
]
REFERENCE, XAPI = Profile.load("reference"), Profile.load("xapi")


def fits(of: Type, value: Any) -> bool:
    match of:
        case t.RefTo(cls):
            return (isinstance(value, Need) and value.cls == cls and not value.as_uuid) or value == null(cls)
        case t.Str():
            return isinstance(value, str) or (isinstance(value, Need) and value.as_uuid)
        case t.Enum(_, names):
            return value in names
        case t.Int():
            return type(value) is int
        case t.Float():
            return type(value) is float
        case t.Bool():
            return type(value) is bool
        case t.DateTime():
            return isinstance(value, datetime) and value.tzinfo is not None
        case t.SetOf(item):
            return isinstance(value, tuple) and all(fits(item, each) for each in value)
        case t.MapOf(key, item):
            return isinstance(value, dict) and all(fits(key, k) and fits(item, each) for k, each in value.items())
        case _:
            return False


def admits(domain: Domain, value: Any) -> bool:
    low, high, step = domain.minimum, domain.maximum, domain.multiple_of
    return (low is None or low <= value) and (high is None or value <= high) and (step is None or value % step == 0)


def own_profile(**domains: Domain) -> Profile:
    return Profile("own", "24.18.0", (), Scope.OWN, domains={"VM": domains})


@pytest.mark.parametrize("profile", [REFERENCE, XAPI], ids=lambda profile: profile.name)
@pytest.mark.parametrize(("cls", "name", "constructor"), MADE, ids=[f"{cls}.{name}" for cls, name, _ in MADE])
def test_every_constructor_has_complete_typed_values(profile: Profile, cls: str, name: str, constructor: Any) -> None:
    """A record has every field that a client may write, a parameter list every parameter, each of its type."""
    given = exemplar(API, profile, cls, 7, constructor=constructor)
    if constructor.record:
        fields = API.classes[cls].fields.values()
        wanted = {each.name: each.type for each in fields if each.qualifier is not Qualifier.RUNTIME}
    else:
        wanted = {each.name: each.type for each in constructor.message.params}
    assert list(given) == list(wanted), name
    assert [field for field, of in wanted.items() if not fits(of, given[field])] == []


def test_the_base_names_only_what_constructors_take() -> None:
    """No line of the base exemplars is of an unknown class, field or parameter, and no constructor is without."""
    assert [(cls, name) for cls, table in base().items() for name in table if name not in writable(API, cls)] == []
    assert set(base()) == {cls for cls, _, _ in MADE}


def test_a_vm_has_its_limits_in_order() -> None:
    """Memory limits and numbers of CPUs are in the order that hypervisors ask for."""
    given = exemplar(API, XAPI, "VM", 1)
    memory = [given[f"memory_{name}"] for name in ("static_min", "dynamic_min", "dynamic_max", "static_max")]
    assert memory == sorted(memory)
    assert 1 <= given["VCPUs_at_startup"] <= given["VCPUs_max"]


def test_no_single_variation_puts_a_live_vm_out_of_order() -> None:
    """Whichever limit is varied alone, within its domain, the four stay in order and CPUs enough."""
    names = [f"memory_{name}" for name in ("static_min", "dynamic_min", "dynamic_max", "static_max")]
    given = exemplar(API, XAPI, "VM", 1)
    for name in names:
        for value in alternatives(API, XAPI, "VM", name):
            memory = [value if each == name else given[each] for each in names]
            assert memory == sorted(memory), (name, value)
    for value in alternatives(API, XAPI, "VM", "VCPUs_max"):
        assert value >= given["VCPUs_at_startup"]
    for value in alternatives(API, XAPI, "VM", "VCPUs_at_startup"):
        assert 1 <= value <= given["VCPUs_max"]


@pytest.mark.parametrize("profile", [REFERENCE, XAPI], ids=lambda profile: profile.name)
def test_exemplars_are_inside_the_profiles_domains(profile: Profile) -> None:
    """The base value of a field is one that the profile's own domain allows."""
    for cls, fields in profile.domains.items():
        given = exemplar(API, profile, cls, 5) if constructor_of(API, profile, cls) else {}
        for name, domain in fields.items():
            value = given.get(name)
            if value is None or domain.skip:
                continue
            assert admits(domain, value), (cls, name)
            assert domain.values is None or value in alternatives(API, profile, cls, name, n=5), (cls, name)
            assert not domain.pattern or re.fullmatch(domain.pattern, str(value)), (cls, name)


def test_numbers_make_names_and_addresses_unique() -> None:
    """Different numbers give different bridges, MACs, labels and uuids; MACs are locally administered unicast."""
    networks = [exemplar(API, XAPI, "network", n, tag="t") for n in range(1, 50)]
    assert len({each["bridge"] for each in networks}) == len({each["name_label"] for each in networks}) == 49
    assert all(len(each["bridge"]) <= 15 for each in networks)
    macs = [exemplar(API, XAPI, "VIF", n)["MAC"] for n in (1, 255, 256, 65536, 2**24 - 1)]
    assert len(set(macs)) == 5
    assert all(re.fullmatch(r"02(:[0-9a-f]{2}){5}", mac) for mac in macs)
    assert len({variables(n, "t")["uuid"] for n in range(100)}) == 100
    assert variables(1, "a")["uuid"] != variables(1, "b")["uuid"]


def test_needs_say_whether_a_new_object_is_wanted() -> None:
    """@CLASS asks for a new object, @CLASS? takes one that is there, @null the null reference, @uuid: its uuid."""
    assert typed(t.RefTo("VM"), "@VM", 1) == Need("VM")
    assert typed(t.RefTo("VM"), "@VM?", 1) == Need("VM", prefer_existing=True)
    assert typed(t.RefTo("VM"), "@null", 1) == Handle("VM", 0)
    assert typed(t.Str(), "@uuid:VM", 1) == Need("VM", as_uuid=True)
    assert typed(t.SetOf(t.RefTo("PIF")), ["@PIF?"], 1) == (Need("PIF", prefer_existing=True),)
    vif = exemplar(API, REFERENCE, "VIF", 1)
    assert (vif["VM"], vif["network"]) == (Need("VM"), Need("network"))


def test_overrides_win_over_the_base() -> None:
    """A profile's exemplar replaces single values and leaves the others."""
    profile = Profile("own", "24.18.0", (), Scope.OWN, exemplars={"VM": {"VCPUs_max": 9}})
    given = exemplar(API, profile, "VM", 1)
    assert given == {**exemplar(API, REFERENCE, "VM", 1), "VCPUs_max": 9}


def test_constructors_that_are_never_called_are_passed_over() -> None:
    """The first allowed constructor is taken; a class whose constructors are all forbidden has none."""
    first = constructor_of(API, REFERENCE, "VDI")
    assert first is not None
    assert first.message.full_name == "VDI.create"
    assert constructor_of(API, XAPI, "SR") is None
    with pytest.raises(ValueError, match="SR has no constructor that profile xapi allows"):
        exemplar(API, XAPI, "SR", 1)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        (Domain(values=(3, 1, 3)), (3, 1)),
        (Domain(minimum=1, maximum=2), (1, 2)),
        (Domain(minimum=5, maximum=21, multiple_of=4), (8, 20, 12, 16)),
        (Domain(minimum=5), (5, 10, 6, 7, 9)),
        (Domain(maximum=-2), (-7, -2, -6, -5, -3)),
        (Domain(multiple_of=10), (0, 50, 10, 20, 40)),
        (Domain(fixed=True), (0,)),
        (Domain(skip="why"), ()),
        (Domain(), ()),
    ],
)
def test_alternatives_are_the_domains_values(domain: Domain, expected: tuple[int, ...]) -> None:
    """Lists give their values once, bounds their ends and some between, a fixed field its exemplar."""
    profile = own_profile(order=domain)
    assert alternatives(API, profile, "VM", "order") == expected
    assert all(admits(domain, value) for value in expected if not domain.values)


@pytest.mark.parametrize("bounds", [(1, 2), (1, None), (None, 3), (0.5, 0.5)])
def test_bounds_of_a_float_give_one_that_is_long(bounds: tuple[float | None, float | None]) -> None:
    """Between the bounds of a float there is a value that 32 bits do not hold, if there is any."""
    low, high = bounds
    domain = Domain(minimum=low, maximum=high)
    found = alternatives(API, own_profile(HVM_shadow_multiplier=domain), "VM", "HVM_shadow_multiplier")
    assert all(admits(domain, value) for value in found)
    assert low == high or any(struct.unpack("f", struct.pack("f", value))[0] != value for value in found)


@pytest.mark.parametrize("profile", [Profile.load(name) for name in shipped_profiles()], ids=lambda each: each.name)
def test_every_alternative_is_of_the_fields_type(profile: Profile) -> None:
    """Whatever a shipped domain offers is a value of the field."""
    for cls, fields in profile.domains.items():
        for name in fields:
            of = API.classes[cls].fields[name].type
            assert all(fits(of, each) for each in alternatives(API, profile, cls, name)), (cls, name)


@pytest.mark.parametrize(
    ("of", "raw"),
    [
        (t.Int(), True),
        (t.Int(), 2**63),
        (t.Int(), "{tag}"),
        (t.Bool(), 1),
        (t.Str(), 1),
        (t.SetOf(t.Str()), "a"),
        (t.MapOf(t.Str(), t.Int()), {"a": "b"}),
        (t.RefTo("VM"), "@network"),
        (t.Enum("e", ("a",)), "A"),
        (t.DateTime(), "2024-01-01"),
    ],
    ids=str,
)
def test_values_of_another_type_are_refused(of: Type, raw: object) -> None:
    """Nothing is converted that is not of the type."""
    with pytest.raises(ValueError, match="expected"):
        typed(of, raw, 1)
