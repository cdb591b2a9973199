"""The executable specification: which objects there are, and what each message answers and changes.

A `World` is a value. `world.predict(call)` says, before anything is sent, what may come back and which world each
answer leads to. The reference server takes the first branch of every prediction; a judge accepts any of them.

Laws (the API document's introduction, read as this project reads it):
1. A getter gives the field; a setter changes that field of that object and nothing else, bound ends aside.
2. add_ of a present value and remove_ of an absent one change nothing and succeed.
3. add_to_ of a present key fails with MAP_DUPLICATE_KEY and changes nothing, whatever the value.
4. A bound pair has one written end, the owner; the derived end follows at once (models/binding.py).
5. destroy of an object that another object's owning field refers to fails; a destroyed object leaves every
   derived end, and its handle is never used again.
6. A refused call changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xenconform.models.api import Api, ApiClass, Message, Qualifier
from xenconform.models.binding import Draft, Objects, Record
from xenconform.models.calls import Call, Failure, Success
from xenconform.models.query import where_message
from xenconform.models.semantics import Refused, rule_for
from xenconform.models.types import MapOf, SetOf, Type
from xenconform.models.values import Handle, Value, default_of, map_refs

NAMESPACE = uuid.UUID("6f0d4b52-6a0e-5d0e-9d0b-0c1c7a6c5f10")
"""Under which uuids of objects are derived from a world's salt and the object's number."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One thing that may happen: the outcome, the world after it, and the objects that it touched."""

    outcome: Success | Failure
    world: World
    touched: tuple[Handle, ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """All that the document allows for one call; the first is what the reference server does."""

    branches: tuple[Branch, ...]

    @property
    def first(self) -> Branch:
        """The branch that the reference server takes."""
        return self.branches[0]


def _no_objects() -> Objects:
    return {}


@dataclass(frozen=True, slots=True)
class World:
    """The objects of one server. `last` is the highest handle number ever given out; `salt` makes uuids unique."""

    api: Api = field(repr=False)
    objects: Objects = field(default_factory=_no_objects, repr=False)
    last: int = 0
    salt: str = ""

    def record(self, handle: Handle) -> Record | None:
        """Return the fields of an object, or None where there is none of that handle."""
        return self.objects.get(handle.cls, {}).get(handle.n)

    def handles(self, cls: str) -> tuple[Handle, ...]:
        """Return every object of a class, oldest first."""
        return tuple(Handle(cls, n) for n in self.objects.get(cls, {}))

    def uuid_of(self, number: int) -> str:
        """Return the uuid that the object of that number gets, in OSF DCE form."""
        return str(uuid.uuid5(NAMESPACE, f"{self.salt}/{number}"))

    def predict(self, call: Call) -> Prediction:
        """Return what may come of a call whose arity and types are right.

        A reference in `call.args` is a Handle; text in its place denotes a ref that this world does not know.
        """
        message = self.api.message(call.message) or where_message(self.api, call.message)
        if message is None:
            return self._refuse(Failure("MESSAGE_METHOD_UNKNOWN", (call.message,)))
        try:
            self._check_refs(message, call.args)
            return Prediction((rule_for(message)(self, message, call.args),))
        except Refused as refused:
            return self._refuse(refused.failure)

    def create(self, cls: str, values: Mapping[str, Value]) -> Branch:
        """Return the world with one more object: `values` and, for every other field, its default or plainest value.

        Its number is the one after `last`; whoever wants another number sets `last` to the one before it.
        """
        api_class = self.api.classes[cls]
        handle = Handle(cls, self.last + 1)
        record: dict[str, Value] = {
            f.name: f.default if f.has_default else default_of(f.type) for f in api_class.fields.values()
        }
        if "uuid" in record:
            record["uuid"] = self.uuid_of(handle.n)
        draft = Draft(self.api, self.objects)
        draft.insert(handle, record)
        for name, value in values.items():
            draft.write(handle, name, distinct(api_class.fields[name].type, value))
        return Branch(Success(handle), replace(self._after(draft), last=handle.n), draft.touched())

    def write(self, handle: Handle, name: str, value: Value) -> Branch:
        """Return the world in which one field of an object has a new value and the far ends have followed."""
        draft = Draft(self.api, self.objects)
        draft.write(handle, name, distinct(self.api.classes[handle.cls].fields[name].type, value))
        return Branch(Success(None), self._after(draft), draft.touched())

    def destroy(self, handle: Handle) -> Branch:
        """Return the world without an object, which nothing may still refer to."""
        draft = Draft(self.api, self.objects)
        draft.delete(handle)
        return Branch(Success(None), self._after(draft), draft.touched())

    def stay(self, value: Value) -> Branch:
        """Return this world with an answer that changes nothing."""
        return Branch(Success(value), self)

    def _after(self, draft: Draft) -> World:
        return replace(self, objects=draft.objects)

    def _refuse(self, failure: Failure) -> Prediction:
        return Prediction((Branch(failure, self),))

    def _check_refs(self, message: Message, args: tuple[Value, ...]) -> None:
        for at, (param, arg) in enumerate(zip(message.params, args, strict=False)):
            self._check_known(param.type, arg, null_allowed=at > 0 or param.name != "self")

    def _check_known(self, of: Type, value: Value, *, null_allowed: bool) -> None:
        def check(cls: str, ref: Handle | str) -> Handle | str:
            known = isinstance(ref, Handle) and (null_allowed if ref.is_null else self.record(ref) is not None)
            if not known or (isinstance(ref, Handle) and ref.cls != cls):
                raise Refused("HANDLE_INVALID", cls, ref)
            return ref

        map_refs(of, value, check)

    def check_record(self, of: ApiClass, given: Mapping[str, Value]) -> dict[str, Value]:
        """Return the constructor's fields of a record, defaults not filled in.

        Unknown and RO/runtime members are ignored.
        """
        record = {}
        for each in of.fields.values():
            if each.qualifier is Qualifier.RUNTIME:
                continue
            if each.name in given:
                self._check_known(each.type, given[each.name], null_allowed=True)
                record[each.name] = given[each.name]
            elif not each.has_default:
                raise Refused("FIELD_TYPE_ERROR", each.name)
        return record


def distinct(of: Type, value: Value) -> Value:
    """Return the value with every repetition inside its sets taken out."""
    match of:
        case SetOf(item):
            return tuple(dict.fromkeys(distinct(item, each) for each in value))
        case MapOf(_, item) if isinstance(item, SetOf | MapOf):
            return {k: distinct(item, v) for k, v in value.items()}
        case _:
            return value
