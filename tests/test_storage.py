"""VDIs that are copied and resized, and drives that are filled and emptied."""

from __future__ import annotations

from typing import Any

import pytest
from reference_caller import API
from worlds import SEEDED, ask, assert_refused, changed, fields, filled, flaws, made, told, told_wrongly

from xenconform.models.calls import Failure, Success
from xenconform.models.storage import RULES
from xenconform.models.values import Handle, default_of, null
from xenconform.models.world import Branch, World

HERE, THERE = SEEDED.handles("SR")[:2]
NONE = null("VDI")
# What a new VDI has, whatever its source has.
NAMES = """allowed_operations cbt_enabled current_operations is_a_snapshot location metadata_latest metadata_of_pool
    parent snapshot_of snapshot_time storage_lock VBDs crash_dumps snapshots"""
FIELDS = API.classes["VDI"].fields
ANEW = {name: FIELDS[name].default or default_of(FIELDS[name].type) for name in NAMES.split()}


def disk(**more: Any) -> tuple[World, Handle]:
    """Return a world with a VDI, all of whose fields are its own."""
    return made(SEEDED, "VDI", **filled("VDI", **{"SR": HERE, "snapshot_of": NONE, "is_a_snapshot": False, **more}))


def drive(world: World, kind: str, vdi: Handle, *, empty: bool) -> tuple[World, Handle]:
    """Return the world with a VBD of a new VM."""
    world, vm = made(world, "VM", name_label="v")
    return made(world, "VBD", VM=vm, VDI=vdi, type=kind, empty=empty)


def sound(world: World, branch: Branch) -> World:
    """Return the world after a call that succeeded, in which nothing is amiss."""
    assert isinstance(branch.outcome, Success), branch.outcome
    assert flaws(branch.world) == []
    assert told_wrongly(world, branch) == []
    return branch.world


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(
    ("name", "rest", "own"),
    [
        ("snapshot", ({"k": "v"},), {"is_a_snapshot": True}),
        ("clone", ({},), {}),
        ("copy", (THERE, NONE, NONE), {"SR": THERE}),
    ],
)
def test_a_copy_has_what_its_source_has(name: str, rest: tuple[Any, ...], own: dict[str, Any], *, again: bool) -> None:
    """The new VDI whole, of a snapshot too; the source has its snapshot more, and nothing else changed."""
    world, vdi = disk(is_a_snapshot=again)
    branch = ask(world, f"VDI.{name}", vdi, *rest)
    after, new = sound(world, branch), told(branch)
    if name == "snapshot":
        own = {**own, "snapshot_of": vdi}
    uuid = fields(after, new)["uuid"]
    assert fields(after, new) == {**fields(world, vdi), **ANEW, "uuid": uuid, **own}
    assert changed(world, after) == []
    assert fields(after, vdi)["snapshots"] == ((new,) if name == "snapshot" else ())
    assert new in fields(after, own.get("SR", HERE))["VDIs"]


def test_a_copy_into_a_vdi_makes_none() -> None:
    """The VDI to copy into is the result and nothing changes; one that cannot take the contents is refused."""
    world, vdi = disk(virtual_size=10)
    for size, read_only, refused in [
        (10, False, None),
        (11, False, None),
        (9, False, ("VDI_TOO_SMALL", "10")),
        (10, True, ("VDI_READONLY",)),
    ]:
        before, into = made(world, "VDI", **filled("VDI", SR=THERE, virtual_size=size, read_only=read_only))
        branch = ask(before, "VDI.copy", vdi, null("SR"), NONE, into)
        if refused:
            assert_refused(before, branch, refused[0], into, *refused[1:])
        else:
            assert told(branch) == into
            assert branch.world is before
    nowhere = ask(world, "VDI.copy", vdi, null("SR"), NONE, NONE)
    assert_refused(world, nowhere, "HANDLE_INVALID", "SR", null("SR"))


@pytest.mark.parametrize("size", [0, 1, 2**40, 2**63 - 1])
def test_resize_gives_the_size(size: int) -> None:
    """Larger, smaller or the same, and nothing else changes; a negative one is refused."""
    world, vdi = disk(virtual_size=2**30)
    after = sound(world, ask(world, "VDI.resize", vdi, size))
    assert fields(after, vdi) == {**fields(world, vdi), "virtual_size": size}
    again = ask(after, "VDI.resize", vdi, size)
    assert again.touched == ()
    assert_refused(after, ask(after, "VDI.resize", vdi, -1), "INVALID_VALUE", "size", "-1")


def test_resizing_a_disk_in_use_is_removed() -> None:
    """In this release the message says so; in one that had it, it resizes."""
    world, vdi = disk(virtual_size=5)
    assert_refused(world, ask(world, "VDI.resize_online", vdi, 9), "MESSAGE_REMOVED")
    old = World(API.at("rio"), {"VDI": {1: {"virtual_size": 5}}}, 1)
    after = ask(old, "VDI.resize_online", Handle("VDI", 1), 9)
    assert after.outcome == Success(None)
    assert after.world.objects["VDI"][1] == {"virtual_size": 9}


@pytest.mark.parametrize("kind", ["CD", "Floppy"])
def test_a_drive_is_filled_and_emptied(kind: str) -> None:
    """An empty drive takes insert, a full one eject; both ends follow, and the other way round is refused."""
    world, vdi = disk()
    world, vbd = drive(world, kind, NONE, empty=True)
    assert_refused(world, ask(world, "VBD.eject", vbd), "VBD_IS_EMPTY", vbd)
    assert_refused(world, ask(world, "VBD.insert", vbd, NONE), "HANDLE_INVALID", "VDI", NONE)
    full = sound(world, ask(world, "VBD.insert", vbd, vdi))
    assert fields(full, vbd) == {**fields(world, vbd), "VDI": vdi, "empty": False}
    assert fields(full, vdi)["VBDs"] == (vbd,)
    assert_refused(full, ask(full, "VBD.insert", vbd, vdi), "VBD_NOT_EMPTY", vbd)
    assert sound(full, ask(full, "VBD.eject", vbd)).objects == world.objects


def test_a_disk_is_no_removable_medium() -> None:
    """Neither insert nor eject takes it, whatever is in it."""
    world, vdi = disk()
    for empty in (True, False):
        before, vbd = drive(world, "Disk", NONE if empty else vdi, empty=empty)
        for name, rest in (("insert", (vdi,)), ("eject", ())):
            assert_refused(before, ask(before, f"VBD.{name}", vbd, *rest), "VBD_NOT_REMOVABLE_MEDIA", vbd)


@pytest.mark.parametrize("name", sorted(set(RULES) - {"VDI.resize_online"}))
def test_an_object_that_is_none_is_refused(name: str) -> None:
    """The null reference and one never made: HANDLE_INVALID, whatever the message."""
    message = API.message(name)
    assert message is not None
    rest = [default_of(param.type) for param in message.params[1:]]
    for number in (0, 10**6):
        one = Handle(message.cls, number)
        assert ask(SEEDED, name, one, *rest).outcome == Failure("HANDLE_INVALID", (message.cls, one))
