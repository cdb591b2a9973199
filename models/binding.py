"""Bound fields: how one end of a pair follows the other, and who refers to whom.

Laws: the owner end is written; at every moment b is in a's derived field exactly when a's end names b. Writing a
derived end writes the owners. A reference is owned by any field that is not the derived end of a bound pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from xenconform.models.api import Api, Relation
from xenconform.models.types import Type, refs_in
from xenconform.models.values import Handle, Value, map_refs, null

Record: TypeAlias = Mapping[str, Value]
Objects: TypeAlias = Mapping[str, Mapping[int, Record]]


class _Bonds:
    """A model's relations by each of their ends, and its owning fields by the class they refer to."""

    def __init__(self, api: Api) -> None:
        self.by_owner = {(r.owner_cls, r.owner_field): r for r in api.relations}
        self.by_derived = {(r.derived_cls, r.derived_field): r for r in api.relations}
        self.owning: dict[str, list[tuple[str, str]]] = {}
        for of in api.classes.values():
            for field in of.fields.values():
                if (of.name, field.name) not in self.by_derived:
                    for target in refs_in(field.type):
                        self.owning.setdefault(target, []).append((of.name, field.name))


_KEEP: dict[int, tuple[Api, _Bonds]] = {}


def bonds(api: Api) -> _Bonds:
    """Return the relations of a model by their ends; computed once a model."""
    kept = _KEEP.get(id(api))
    if kept is None or kept[0] is not api:
        kept = _KEEP[id(api)] = (api, _Bonds(api))
    return kept[1]


class Draft:
    """Objects under change: copies what it touches, once, and leaves the rest shared with the world it came from."""

    def __init__(self, api: Api, objects: Objects) -> None:
        self._api = api
        self._bonds = bonds(api)
        self._own_classes: dict[str, dict[int, Record]] = {}
        self._own_records: dict[Handle, dict[str, Value]] = {}
        self._gone: list[Handle] = []
        self.objects: dict[str, Mapping[int, Record]] = dict(objects)

    def touched(self) -> tuple[Handle, ...]:
        """Return every object that was made, changed or ended."""
        return (*self._own_records, *self._gone)

    def insert(self, handle: Handle, record: dict[str, Value]) -> None:
        """Add an object with the fields as they are: its references are not bound yet; use `write` for those."""
        self._class(handle.cls)[handle.n] = record
        self._own_records[handle] = record

    def write(self, handle: Handle, name: str, value: Value) -> None:
        """Change a field; where it is an end of a pair, the far end follows."""
        record = self._record(handle)
        relation = self._bonds.by_owner.get((handle.cls, name))
        if relation is not None:
            before, after = _targets(record[name]), _targets(value)
            for far in before - after:
                self._leave(far, relation.derived_field, handle)
            for far in after - before:
                self._enter(far, relation.derived_field, handle)
        derived = self._bonds.by_derived.get((handle.cls, name))
        if derived is not None:
            self._rebind_owners(handle, derived, _targets(record[name]), _targets(value))
        record[name] = value

    def delete(self, handle: Handle) -> None:
        """Take an object out, and out of every derived end that shows it."""
        record = self._record(handle)
        for (cls, name), relation in self._bonds.by_owner.items():
            if cls == handle.cls:
                for far in _targets(record[name]):
                    self._leave(far, relation.derived_field, handle)
        del self._class(handle.cls)[handle.n]
        del self._own_records[handle]
        self._gone.append(handle)

    def _rebind_owners(self, handle: Handle, relation: Relation, before: set[Handle], after: set[Handle]) -> None:
        for owner in before - after:
            old = self._record(owner)[relation.owner_field]
            self._record(owner)[relation.owner_field] = (
                tuple(h for h in old if h != handle) if relation.many_owner else null(handle.cls)
            )
        for owner in after - before:
            old = self._record(owner)[relation.owner_field]
            if not relation.many_owner:
                for far in _targets(old):
                    self._leave(far, relation.derived_field, owner)
            self._record(owner)[relation.owner_field] = (*old, handle) if relation.many_owner else handle

    def _leave(self, far: Handle, name: str, who: Handle) -> None:
        record = self._record(far)
        record[name] = tuple(h for h in record[name] if h != who)

    def _enter(self, far: Handle, name: str, who: Handle) -> None:
        record = self._record(far)
        if who not in record[name]:
            record[name] = (*record[name], who)

    def _class(self, cls: str) -> dict[int, Record]:
        own = self._own_classes.get(cls)
        if own is None:
            own = self._own_classes[cls] = self.objects[cls] = dict(self.objects.get(cls, {}))
        return own

    def _record(self, handle: Handle) -> dict[str, Value]:
        if handle not in self._own_records:
            own = dict(self.objects[handle.cls][handle.n])
            self._class(handle.cls)[handle.n] = own
            self._own_records[handle] = own
        return self._own_records[handle]


def _targets(value: Value) -> set[Handle]:
    many = value if isinstance(value, tuple) else (value,)
    return {each for each in many if not each.is_null}


def referrers(api: Api, objects: Objects, handle: Handle) -> Iterator[tuple[Handle, str]]:
    """Yield each object, other than itself, and each owning field of it that refers to `handle`."""
    for cls, name in bonds(api).owning.get(handle.cls, ()):
        of = api.classes[cls].fields[name].type
        for n, record in objects.get(cls, {}).items():
            if Handle(cls, n) != handle and handle in _refs(of, record[name]):
                yield Handle(cls, n), name


def referrer(api: Api, objects: Objects, handle: Handle) -> str | None:
    """Return `Class#n.field` of an object, other than itself, whose owning field refers to `handle`, or None."""
    return next((f"{holder}.{name}" for holder, name in referrers(api, objects, handle)), None)


def _refs(of: Type, value: Value) -> list[Handle]:
    if isinstance(value, Handle):
        return [value]
    found: list[Handle] = []

    def keep(_cls: str, ref: Handle) -> Handle:
        found.append(ref)
        return ref

    if value:
        map_refs(of, value, keep)
    return found
