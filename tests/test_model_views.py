"""The API as of earlier releases."""

from __future__ import annotations

from itertools import pairwise

import pytest

from xenconform.models.api import Api, State
from xenconform.models.diff import Change, Kind, diff
from xenconform.models.types import refs_in

API = Api.load()
RELEASES = [release.name for release in API.releases]


def counts(api: Api) -> tuple[int, int, int]:
    classes = api.classes.values()
    return len(classes), sum(len(c.fields) for c in classes), sum(len(c.messages) for c in classes)


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("stockholm", "stockholm"),
        ("8.2", "stockholm"),
        ("Citrix Hypervisor 8.2", "stockholm"),
        ("citrix hypervisor 8.2", "stockholm"),
        ("8.2 Hotfix 2", "stockholm_psr"),
        ("7.0", "dundee"),
        ("6.5 SP1", "cream"),
        ("7", "lima"),
        ("rio", "rio"),
        ("1.250.0", "1.250.0"),
        ("24.10", "24.10.0"),
        ("24.18", "24.18.0"),
        ("24.18.0", "24.18.0"),
        (" 24 ", "24.18.0"),
        ("XenServer 8", "24.18.0"),
    ],
)
def test_a_release_is_found_by_name_product_or_version(text: str, release: str) -> None:
    """Each way to name a release finds it; of several that match, the last."""
    assert API.at(text).release == release


@pytest.mark.parametrize("text", ["", "9.9", "stockhol", "8.", "8.2.1", ".", "[", "24.18.0.1"])
def test_an_unknown_release_is_refused_with_near_names(text: str) -> None:
    """The message names releases that there are."""
    with pytest.raises(ValueError, match=r"no release .*; near names: ") as caught:
        API.at(text)
    assert any(name in str(caught.value) for name in RELEASES)


def test_the_misspelt_release_is_offered_in_its_right_spelling() -> None:
    """The nearest name comes first."""
    with pytest.raises(ValueError, match="near names: stockholm,"):
        API.at("stockhol")


def test_the_newest_release_is_the_whole_model() -> None:
    """At the newest release nothing is left out."""
    assert API.at(RELEASES[-1]) == API
    assert API.at("24.18.0") == Api.load()


def test_every_release_has_at_least_what_the_one_before_had() -> None:
    """Classes, fields and messages only grow in number, as removed ones stay with that state."""
    seen = [counts(API.at(name)) for name in RELEASES]
    for before, after in pairwise(seen):
        assert all(old <= new for old, new in zip(before, after, strict=True))
    assert seen[0] == (26, 294, 587)
    assert seen[RELEASES.index("stockholm")] == (64, 778, 1689)
    assert seen[-1] == (67, 846, 1835)


def test_what_came_later_is_absent() -> None:
    """The first release has no pool updates, appliances or tags, and no constructor of theirs."""
    rio = API.at("rio")
    assert not {"pool_update", "VM_appliance", "GPU_group", "VTPM", "VUSB"} & set(rio.classes)
    assert "tags" not in rio.classes["VM"].fields
    assert "add_tags" not in rio.classes["VM"].messages
    assert "VM" in rio.classes
    assert "VIF.VM<->VM.VIFs" in {str(each) for each in rio.relations}


def test_states_are_those_of_then() -> None:
    """A class that was removed later is published at first."""
    then = API.at("cowley").classes["VMPP"].lifecycle
    assert then.state is State.PUBLISHED
    assert then.transitions == (("published", "cowley"),)
    assert API.at("clearwater").classes["VMPP"].lifecycle.state is State.REMOVED


@pytest.mark.parametrize("name", RELEASES)
def test_every_view_is_whole(name: str) -> None:
    """Relations, accessors, constructors and destructors of a view name only what is in it."""
    api = API.at(name)
    for each in api.relations:
        assert each.owner_field in api.classes[each.owner_cls].fields
        assert each.derived_field in api.classes[each.derived_cls].fields
    for cls in api.classes.values():
        assert not cls.destructor or cls.destructor in cls.messages
        for message in cls.messages.values():
            assert not message.implicit or not message.field or message.field in cls.fields
        for made in cls.constructors:
            assert cls.messages[made.message.name] == made.message
            assert set(made.fields) <= {*cls.fields, ""}


def test_few_fields_are_published_before_the_class_that_they_refer_to() -> None:
    """Three fields of VM alone refer to a class that a view lacks; nothing can be in them there."""
    ahead = {
        f"{cls.name}.{field.name}"
        for api in map(API.at, RELEASES)
        for cls in api.classes.values()
        for field in cls.fields.values()
        if refs_in(field.type) - set(api.classes)
    }
    assert ahead == {"VM.VUSBs", "VM.VTPMs", "VM.appliance"}


def test_a_release_differs_from_itself_in_nothing() -> None:
    """Equal views have no changes."""
    assert diff(API, API) == ()
    assert diff(API.at("8.2"), API.at("stockholm")) == ()


def test_the_changes_of_one_release() -> None:
    """All changes between two releases, compared whole."""
    assert diff(API.at("7.6"), API.at("8.0")) == tuple(
        Change(Kind.ADDED, what, name, "published naples")
        for what, name in [
            ("field", "VM.NVRAM"),
            ("message", "VM.set_NVRAM"),
            ("message", "VM.add_to_NVRAM"),
            ("message", "VM.remove_from_NVRAM"),
        ]
    )


def test_changes_backwards_mirror_the_changes_forwards() -> None:
    """What was added on the way forth is removed on the way back."""
    old, new = API.at("8.2"), API.at("24.18")
    forth = {(c.what, c.name) for c in diff(old, new) if c.kind is Kind.ADDED}
    back = {(c.what, c.name) for c in diff(new, old) if c.kind is Kind.REMOVED}
    assert forth == back
    assert ("class", "Observer") in forth
    kinds = {c.kind for c in diff(old, new)}
    assert kinds >= {Kind.ADDED, Kind.DEPRECATED, Kind.CHANGED}


def test_a_removed_class_is_a_removal() -> None:
    """A class whose state became removed counts as removed, though its files keep it."""
    assert Change(Kind.REMOVED, "class", "VMPP", "removed clearwater") in {
        Change(c.kind, c.what, c.name, "removed clearwater") for c in diff(API.at("cowley"), API.at("clearwater"))
    }
