"""What tests of the World share: asking it, and looking over all of it for what no world may show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from reference_caller import API

from xenconform.conformance.reference.seed import seeded
from xenconform.models import types as t
from xenconform.models.calls import Call, Failure, Success
from xenconform.models.values import Handle, map_refs
from xenconform.models.world import Branch, World

SEEDED = seeded(API)
DERIVED = {(r.derived_cls, r.derived_field) for r in API.relations}


def ask(world: World, message: str, *args: Any) -> Branch:
    """Return the reference's branch of a call."""
    return world.predict(Call(message, args)).first


def told(branch: Branch) -> Any:
    """Return the value of a call that succeeded."""
    assert isinstance(branch.outcome, Success), branch.outcome
    return branch.outcome.value


def fields(world: World, handle: Handle) -> dict[str, Any]:
    """Return an object's fields."""
    record = world.record(handle)
    assert record is not None, handle
    return dict(record)


def made(world: World, cls: str, **values: Any) -> tuple[World, Handle]:
    """Return a world with one more object, and that object."""
    branch = world.create(cls, values)
    return branch.world, told(branch)


def everything(world: World) -> list[Handle]:
    """Return all objects of a world."""
    return [handle for cls in API.classes for handle in world.handles(cls)]


def assert_refused(world: World, branch: Branch, code: str, *params: Any) -> None:
    """A refusal with exactly this error, after which the world is the same."""
    assert branch.outcome == Failure(code, params)
    assert branch.world is world
    assert branch.touched == ()


def flaws(world: World) -> list[str]:
    """Return what no world may show: ends of a pair that disagree, references to nothing, a uuid twice."""
    found = [*_one_sided(world), *_dangling(world)]
    uuids = [fields(world, handle).get("uuid") for handle in everything(world)]
    if len(set(uuids)) < len(uuids):
        found.append("a uuid twice")
    return found


def told_wrongly(before: World, branch: Branch) -> list[str]:
    """Return the objects that changed without being told of, or were told of without a change, or twice."""
    both = {*everything(before), *everything(branch.world)}
    changed = {handle for handle in both if before.record(handle) != branch.world.record(handle)}
    wrong = [str(handle) for handle in changed ^ set(branch.touched)]
    return wrong if len(set(branch.touched)) == len(branch.touched) else [*wrong, "one twice"]


def changed(before: World, after: World) -> list[str]:
    """Return `Class#n.field` of every older object whose field is another now, derived ends aside."""
    found = []
    for handle in everything(before):
        old, new = fields(before, handle), after.record(handle)
        if new is None:
            found.append(f"{handle} ended")
        else:
            found += [f"{handle}.{n}" for n in old if old[n] != new[n] and (handle.cls, n) not in DERIVED]
    return found


def filled(cls: str, world: World = SEEDED, **given: Any) -> dict[str, Any]:
    """Return values for all fields of a class that are no derived end, each another than a new object's; then `given`.

    References are to the class's last object in `world`.
    """
    plain = fields(*made(World(API), cls))
    values = {}
    for field in API.classes[cls].fields.values():
        if field.name != "uuid" and (cls, field.name) not in DERIVED:
            values[field.name] = _other(field.type, plain[field.name], field.name, world)
            assert values[field.name] != plain[field.name] or field.name in given, (cls, field.name)
    return {**values, **given}


def _other(of: t.Type, plain: Any, name: str, world: World) -> Any:
    match of:
        case t.Str():
            return f"of {name}"
        case t.Int() | t.Float():
            return plain + 5
        case t.Bool():
            return not plain
        case t.DateTime():
            return datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
        case t.RefTo(cls):
            return world.handles(cls)[-1]
        case t.Enum(_, values):
            return next(value for value in reversed(values) if value != plain)
        case t.SetOf(item):
            return (_other(item, "", name, world),)
        case t.MapOf(key, item):
            return {_other(key, "", name, world): _other(item, "", name, world)}
        case _:
            raise AssertionError(of)


def _one_sided(world: World) -> Iterator[str]:
    for r in API.relations:
        shown: dict[Handle, list[Handle]] = {far: [] for far in world.handles(r.derived_cls)}
        for owner in world.handles(r.owner_cls):
            value = fields(world, owner)[r.owner_field]
            for far in value if isinstance(value, tuple) else (value,):
                if far in shown:
                    shown[far].append(owner)
        for far, owners in shown.items():
            if sorted(fields(world, far)[r.derived_field]) != sorted(owners):
                yield f"{far}.{r.derived_field} is not what {r.owner_cls}.{r.owner_field} says"


def _dangling(world: World) -> Iterator[str]:
    for handle in everything(world):
        record = fields(world, handle)
        if list(record) != list(API.classes[handle.cls].fields):
            yield f"{handle} has other fields than its class"
        for name, value in record.items():
            for ref in _refs(API.classes[handle.cls].fields[name].type, value):
                if not ref.is_null and world.record(ref) is None:
                    yield f"{handle}.{name} refers to {ref}, which is not there"


def _refs(of: t.Type, value: Any) -> list[Handle]:
    found: list[Handle] = []

    def keep(_cls: str, ref: Handle) -> Handle:
        found.append(ref)
        return ref

    map_refs(of, value, keep)
    return found
