"""Handles of the World and their refs on the wire.

Laws: an object has one ref as long as it lives; a ref looks like OpaqueRef:<uuid> and differs from the object's uuid;
text that is no ref of a living object stays text.
"""

from __future__ import annotations

import uuid
from typing import Any

from xenconform.models import types as t
from xenconform.models.api import Api
from xenconform.models.calls import Failure, Outcome, Success
from xenconform.models.values import Handle, Ref, Value, is_null_text, null
from xenconform.models.world import World

NAMESPACE = uuid.UUID("b1d0a3f7-4d53-5f0c-9a77-3f1f0f2f7e01")


class RefBook:
    """The refs of one server's objects, both ways."""

    def __init__(self, world: World) -> None:
        self._api: Api = world.api
        self._salt = world.salt
        self._ref_of: dict[Handle, Ref] = {}
        self._handle_of: dict[Ref, Handle] = {}
        self._ref_fields = {
            cls: tuple((f.name, f.type) for f in of.fields.values() if t.refs_in(f.type))
            for cls, of in world.api.classes.items()
        }
        for cls in world.objects:
            for handle in world.handles(cls):
                self.add(handle)

    def add(self, handle: Handle) -> Ref:
        """Give an object its ref: that of a session cannot be guessed, others follow from the world's salt."""
        ref = self._ref_of[handle] = f"OpaqueRef:{uuid.uuid4()}" if handle.cls == "session" else self._named(handle)
        self._handle_of[ref] = handle
        return ref

    def _named(self, handle: Handle) -> Ref:
        return f"OpaqueRef:{uuid.uuid5(NAMESPACE, f'{self._salt}/{handle.n}')}"

    def drop(self, handle: Handle) -> None:
        """Forget the ref of an object that is gone."""
        ref = self._ref_of.pop(handle, None)
        if ref is not None:
            del self._handle_of[ref]

    def ref(self, handle: Handle | Ref) -> Ref:
        """Return the ref of a handle, the null ref's text for a null handle; text stays as it is.

        A handle of what is gone, which no sound world holds, has the ref that it had.
        """
        if isinstance(handle, str):
            return handle
        return t.NULL_REF if handle.n == 0 else self._ref_of.get(handle) or self._named(handle)

    def handle(self, ref: Ref) -> Handle | None:
        """Return the living object of a ref."""
        return self._handle_of.get(ref)

    def inward(self, of: t.Type, value: Value) -> Value:
        """Return a decoded value with handles for the refs that are known, null handles for null ones."""
        match of:
            case t.RefTo(cls):
                return null(cls) if is_null_text(value) else self._handle_of.get(value, value)
            case t.SetOf(item) if t.refs_in(item):
                return tuple(self.inward(item, each) for each in value)
            case t.MapOf(key, item) if t.refs_in(of):
                return {self.inward(key, k): self.inward(item, v) for k, v in value.items()}
            case t.RecordOf(cls):
                typed = dict(self._ref_fields.get(cls, ()))
                return {k: self.inward(typed[k], v) if k in typed else v for k, v in value.items()}
            case _:
                return value

    def outward(self, of: t.Type, value: Value) -> Value:
        """Return a value with a ref's text for every handle."""
        match of:
            case t.RefTo():
                return self.ref(value)
            case t.SetOf(t.RefTo()):
                return tuple(map(self.ref, value))
            case t.RecordOf(cls):
                return self.record(cls, value)
            case t.SetOf(item) | t.Option(item) if value:
                return tuple(self.outward(item, each) for each in value) if type(of) is t.SetOf else value
            case t.MapOf(key, item):
                return {self.outward(key, k): self.outward(item, v) for k, v in value.items()}
            case _:
                return value

    def record(self, cls: str, record: Any) -> dict[str, Value]:
        """Return a record of a class with refs for its handles."""
        shown = dict(record)
        for name, of in self._ref_fields[cls]:
            if name in shown:
                shown[name] = self.outward(of, shown[name])
        return shown

    def outcome(self, outcome: Outcome, of: t.Type | None) -> Success | Failure:
        """Return an outcome as the wire shows it."""
        if isinstance(outcome, Failure):
            return Failure(outcome.code, tuple(map(self.ref, outcome.params)))
        if isinstance(outcome, Success):
            return outcome if of is None else Success(self.outward(of, outcome.value))
        raise TypeError(f"a server makes no such outcome: {outcome}")
