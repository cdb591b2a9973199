"""What is read back after a step: the fields that it changed, and the look-ups that depend on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from xenconform.models.belief import Belief
from xenconform.models.calls import Call
from xenconform.models.values import Handle

ECHOES: Final = 4
"""How many fields are read back after a step; the end of the sequence reads the rest."""


def changed(before: Belief, after: Belief) -> list[tuple[Handle, str]]:
    """Return the firm fields of known objects that differ between two beliefs."""
    found: list[tuple[Handle, str]] = []
    for cls, objects in after.world.objects.items():
        old = before.world.objects.get(cls, {})
        if objects is old:
            continue
        for n, record in objects.items():
            handle, was = Handle(cls, n), old.get(n)
            if record is was or was is None or handle not in after.known:
                continue
            found += [(handle, name) for name, value in record.items() if value is not was[name] and value != was[name]]
    return [(handle, name) for handle, name in found if after.holds(handle, name)]


def echoes(
    before: Belief, after: Belief, place: tuple[Handle, str] | None, makes: Handle | None, *, whole: bool
) -> Iterator[Call]:
    """Yield the calls that read back what came of a step.

    Args:
        before: what was believed before it.
        after: what is believed now.
        place: the field that it was to write.
        makes: the object that it was to make.
        whole: whether fields are read by get_record.
    """
    places = {place: None} if place and after.alive(place[0]) else {}
    if makes is not None and after.alive(makes):
        yield Call(f"{makes.cls}.get_uuid", (makes,))
        yield Call(f"{makes.cls}.get_record", (makes,))
        yield from _look_up(after, makes)
    if after.world is before.world:
        yield from (_read(handle, name, whole=whole) for handle, name in places)
        return
    places |= {each: None for each in changed(before, after) if each[0] != makes}
    yield from dict.fromkeys(_read(handle, name, whole=whole) for handle, name in list(places)[:ECHOES])
    for handle, name in places:
        if name == "name_label":
            yield from _look_up(after, handle)
    for handle in sorted(before.made - before.found, key=lambda h: h.n):
        if before.alive(handle) and not after.alive(handle):
            yield from _look_up(before, handle)


def _read(handle: Handle, name: str, *, whole: bool) -> Call:
    return Call(f"{handle.cls}.get_record" if whole else f"{handle.cls}.get_{name}", (handle,))


def _look_up(belief: Belief, handle: Handle) -> Iterator[Call]:
    """Yield the look-up by the name that an object has or had."""
    label = (belief.world.record(handle) or {}).get("name_label")
    if label is not None and belief.holds(handle, "name_label"):
        yield Call(f"{handle.cls}.get_by_name_label", (label,))
