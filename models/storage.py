"""Disks: the messages that copy and resize a VDI, and those that put one into a drive and take it out.

Laws (the messages' own descriptions, and the errors that they declare):
1. snapshot and clone make a VDI in the same SR. A snapshot is one by is_a_snapshot and names its source in snapshot_of;
   a clone or copy is no snapshot and names nobody.
2. copy makes the VDI in the SR that it names. Where it names a VDI to copy into, that one is the result and nothing is
   made; it fails with VDI_READONLY or VDI_TOO_SMALL where that VDI cannot take the contents.
3. resize gives virtual_size. A negative size fails; a smaller one may be refused by a server, not here.
4. insert takes an empty VBD that is no disk, eject one that is not empty.
5. Otherwise the source is unchanged. There is no clock here: whoever has one writes snapshot_time afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from xenconform.models.calls import Failure
from xenconform.models.duplicate import duplicate
from xenconform.models.steps import OwnRule, Steps, named
from xenconform.models.values import Handle, Value, null

if TYPE_CHECKING:
    from xenconform.models.api import Message
    from xenconform.models.world import Branch, World

DISK: Final = "Disk"


def copy_disk(steps: Steps, vdi: Handle, *, snapshot: bool, sr: Handle | None = None) -> Handle:
    """Make a copy of a VDI, in the SR of its source where `sr` is None."""
    given: dict[str, Value] = {"is_a_snapshot": True, "snapshot_of": vdi} if snapshot else {}
    if sr is not None:
        given["SR"] = sr
    return duplicate(steps, vdi, given)


def _snapshot(world: World, _message: Message, args: tuple[Value, ...]) -> Branch:
    steps = Steps(world)
    return steps.done(copy_disk(steps, args[0], snapshot=True))


def _clone(world: World, _message: Message, args: tuple[Value, ...]) -> Branch:
    steps = Steps(world)
    return steps.done(copy_disk(steps, args[0], snapshot=False))


def _copy(world: World, message: Message, args: tuple[Value, ...]) -> Branch | Failure:
    steps, given = Steps(world), named(message, args)
    vdi, sr, into = given["vdi"], given["sr"], given.get("into_vdi", null("VDI"))
    if into.is_null:
        if sr.is_null:
            return Failure("HANDLE_INVALID", ("SR", sr))
        return steps.done(copy_disk(steps, vdi, snapshot=False, sr=sr))
    least: int = steps.fields(vdi)["virtual_size"]
    if steps.fields(into)["read_only"]:
        return Failure("VDI_READONLY", (into,))
    if steps.fields(into)["virtual_size"] < least:
        return Failure("VDI_TOO_SMALL", (into, str(least)))
    return steps.done(into)


def _resize(world: World, _message: Message, args: tuple[Value, ...]) -> Branch | Failure:
    vdi, size = args
    if size < 0:
        return Failure("INVALID_VALUE", ("size", str(size)))
    steps = Steps(world)
    steps.write(vdi, {"virtual_size": size})
    return steps.done()


def _insert(world: World, _message: Message, args: tuple[Value, ...]) -> Branch | Failure:
    vbd, vdi = args
    steps = Steps(world)
    if steps.fields(vbd)["type"] == DISK:
        return Failure("VBD_NOT_REMOVABLE_MEDIA", (vbd,))
    if not steps.fields(vbd)["empty"]:
        return Failure("VBD_NOT_EMPTY", (vbd,))
    if vdi.is_null:
        return Failure("HANDLE_INVALID", ("VDI", vdi))
    steps.write(vbd, {"VDI": vdi, "empty": False})
    return steps.done()


def _eject(world: World, _message: Message, args: tuple[Value, ...]) -> Branch | Failure:
    steps = Steps(world)
    if steps.fields(args[0])["type"] == DISK:
        return Failure("VBD_NOT_REMOVABLE_MEDIA", (args[0],))
    if steps.fields(args[0])["empty"]:
        return Failure("VBD_IS_EMPTY", (args[0],))
    steps.write(args[0], {"VDI": null("VDI"), "empty": True})
    return steps.done()


RULES: Final[dict[str, OwnRule]] = {
    "VDI.snapshot": _snapshot,
    "VDI.clone": _clone,
    "VDI.copy": _copy,
    "VDI.resize": _resize,
    "VDI.resize_online": _resize,
    "VBD.insert": _insert,
    "VBD.eject": _eject,
}
"""By full name."""
