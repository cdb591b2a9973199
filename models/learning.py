"""How a belief changes with what a server answered, beyond what the World says: what is learnt, what is in doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xenconform.models.acts import KEPT, REVERT, unsettled
from xenconform.models.api import Api, Message, Qualifier
from xenconform.models.binding import bonds
from xenconform.models.calls import Call
from xenconform.models.power import SUSPENDED
from xenconform.models.types import Type
from xenconform.models.values import Handle, Value, map_refs

if TYPE_CHECKING:
    from xenconform.models.belief import Belief

Unread = frozenset[tuple[Handle, str]]
"""Fields of objects."""


def is_derived(api: Api, cls: str, name: str) -> bool:
    """Whether a field is the derived end of a bound pair."""
    return (cls, name) in bonds(api).by_derived


def learned(belief: Belief, message: Message, call: Call, value: Value) -> Belief:
    """Return the belief after a getter or get_record told fields of an object."""
    handle: Handle = call.args[0]
    seen = value if message.name == "get_record" else {message.field: value}
    after = _with_uuid(belief, handle, seen)
    fields = belief.api.classes[handle.cls].fields
    for name, each in seen.items():
        if (handle, name) in after.unknown and _all_there(after, fields[name].type, each):
            world = after.world.write(handle, name, each).world
            after = replace(after, world=world, unknown=after.unknown - {(handle, name)})
    return after


def _with_uuid(belief: Belief, handle: Handle, seen: Value) -> Belief:
    if not isinstance(seen.get("uuid"), str) or any(h == handle for h, _ in belief.uuids):
        return belief
    return replace(belief, uuids=(*belief.uuids, (handle, seen["uuid"])))


def made(belief: Belief, handle: Handle, message: Message, call: Call) -> Belief:
    """Return the belief with an object of our making, which the World has: what it was not given is unknown."""
    of = belief.api.classes[handle.cls]
    constructor = next((c for c in of.constructors if c.message.name == message.name), None)
    if constructor is None:
        given: set[str] = set()
    elif constructor.record:
        given = {n for n in call.args[0] if n in of.fields and of.fields[n].qualifier is not Qualifier.RUNTIME}
    else:
        given = {n for n in constructor.fields if n}
    unread = _firm(belief, handle, (n for n in of.fields if n not in given))
    return replace(belief, known=belief.known | {handle}, unknown=belief.unknown | unread)


def _firm(belief: Belief, handle: Handle, names: Value) -> Unread:
    """Return which of an object's fields are firm, the uuid and the derived ends left out."""
    api, cls = belief.api, handle.cls
    kept = (n for n in names if (cls, n) in belief.firm and n != "uuid" and not is_derived(api, cls, n))
    return frozenset((handle, n) for n in kept)


def acted(after: Belief, before: Belief, message: Message, call: Call, makes: Handle | None) -> Belief:
    """Return the belief after an act, `after` being what the rule says (models/acts.py, laws 3 and 4)."""
    if makes is not None:
        doubtful = {name for handle, name in before.unknown if handle == call.args[0] and handle.cls == makes.cls}
        source = before.world.record(call.args[0]) or {}
        if source.get("is_a_snapshot"):  # nobody says whether what is cloned from a snapshot is a template still
            doubtful.add("is_a_template")
        if source.get("power_state") == SUSPENDED and message.name != "checkpoint":  # its memory may not be copied
            doubtful |= {"power_state", "suspend_VDI"}
        unread = _firm(after, makes, doubtful | set(unsettled(makes.cls)))
        return replace(after, known=after.known | {makes}, unknown=after.unknown | unread)
    handle: Handle = call.args[0]
    fields = set(after.api.classes[handle.cls].fields) - KEPT
    if message.full_name == REVERT:
        handle = (before.world.record(handle) or {})["snapshot_of"]
        gone = {h for h in before.known if before.alive(h) and not after.alive(h)}
        after = replace(after, known=after.known - gone)
        return replace(after, unknown=after.unknown | _firm(after, handle, fields))
    old, new = before.world.record(handle) or {}, after.world.record(handle) or {}
    promised = {n for n in new if new[n] != old.get(n)}
    return replace(after, unknown=after.unknown | _firm(after, handle, fields - promised))


def in_doubt(belief: Belief, message: Message, call: Call) -> Belief:
    """Return the belief after something happened of which there is no rule: its object is to be read anew."""
    if not call.args or not isinstance(call.args[0], Handle):
        return belief
    handle = call.args[0]
    of = belief.api.classes[handle.cls]
    if message.name == of.destructor and belief.alive(handle):
        return replace(belief, world=belief.world.destroy(handle).world)
    return replace(belief, unknown=belief.unknown | _firm(belief, handle, of.fields))


def _all_there(belief: Belief, of: Type, value: Value) -> bool:
    """Whether every reference in a value is null or of an object that is known to be there."""
    found: list[Value] = []

    def keep(_cls: str, ref: Value) -> Value:
        found.append(ref)
        return ref

    map_refs(of, value, keep)
    return all(isinstance(ref, Handle) and (ref.is_null or belief.alive(ref)) for ref in found)
