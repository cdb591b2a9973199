"""Good calls of each kind that a class has: they read, write, make and end, and begin a task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from xenconform.conformance.checks.aimed import aim, blind, is_maker, names_objects, why_not
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.roundtrip import writer
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.stops import NO_SUCH, Stop, own
from xenconform.conformance.checks.tally import draw
from xenconform.conformance.codec import Param
from xenconform.models import types as t
from xenconform.models.api import ApiClass, Field, Message, State
from xenconform.models.values import Value, same


def readings(bench: Bench, of: ApiClass, *, every_field: bool = False) -> Iterator[Stop]:
    """Yield calls that read: getters, of each field or one a type, the record, listings and lookups."""
    with suppress(Unavailable, Unanswered):
        (obj,) = bench.stock.readable(of.name)
        self: Param = (t.RefTo(of.name), obj.ref)
        met: set[str] = set()
        for field in _live(of):
            if f"get_{field.name}" in of.messages and (every_field or str(field.type) not in met):
                met.add(str(field.type))
                yield Stop(f"{of.name}.get_{field.name}", (self,))
        if "get_record" in of.messages:
            yield Stop(f"{of.name}.get_record", (self,))
        if {"get_by_uuid", "get_uuid"} <= of.messages.keys():
            uuid, _ = bench.ask(bench.formats[0], f"{of.name}.get_uuid", obj.ref)
            yield Stop(f"{of.name}.get_by_uuid", ((t.Str(), uuid),))
    for name in ("get_all", "get_all_records"):
        if name in of.messages:
            yield Stop(f"{of.name}.{name}")
    if "get_by_name_label" in of.messages:
        yield Stop(f"{of.name}.get_by_name_label", ((t.Str(), NO_SUCH),))


def _live(of: ApiClass) -> Iterator[Field]:
    return (field for field in of.fields.values() if field.lifecycle.state is not State.REMOVED)


def writings(bench: Bench, of: ApiClass) -> Iterator[Stop]:
    """Yield calls that write: a setter of each type, additions and removals; of an object of ours, another value.

    An object that is not ours gets the values that it has.
    """
    with suppress(Unavailable, Unanswered):
        obj = own(bench, of) or bench.stock.writable(of.name)
        met: set[str] = set()
        for field in _live(of):
            setter = writer(bench, of, field.name, "set")
            if setter is None or len(setter.params) != 2 or str(field.type) in met:
                continue
            with suppress(Unavailable, Unanswered):
                value = _other_value(bench, of, field, obj)
                yield Stop(setter.full_name, on(of, obj, (field.type, value)), writes=obj)
                met.add(str(field.type))
        yield from _members(bench, of, obj)


def _other_value(bench: Bench, of: ApiClass, field: Field, obj: Obj) -> Value:
    """Return a value that a field of ours does not have, or the one that somebody else's has."""
    now, _ = bench.ask(bench.formats[0], f"{of.name}.get_{field.name}", obj.ref)
    others = plain_values(bench, of.name, field, field.type, 3) if obj.own else []
    return next((each for each in others if not same(field.type, each, now)), now)


def on(of: ApiClass, obj: Obj, *rest: Param) -> tuple[Param, ...]:
    """Return the parameters of a call on an object."""
    return ((t.RefTo(of.name), obj.ref), *rest)


def free_members(bench: Bench, of: ApiClass) -> Iterator[tuple[Field, str, str, tuple[Param, ...]]]:
    """Yield a set and a map of free text, each with the verbs that add to it and take from it, and what to add."""
    text: Param = (t.Str(), NO_SUCH)
    for like, add, remove, args in (
        (t.SetOf(t.Str()), "add", "remove", (text,)),
        (t.MapOf(t.Str(), t.Str()), "add_to", "remove_from", (text, text)),
    ):
        for field in _live(of):
            both = writer(bench, of, field.name, add) and writer(bench, of, field.name, remove)
            if field.type == like and both and bench.profile.domain(of.name, field.name).is_free:
                yield field, add, remove, args
                break


def _members(bench: Bench, of: ApiClass, obj: Obj) -> Iterator[Stop]:
    for field, add, remove, args in free_members(bench, of):
        yield Stop(f"{of.name}.{add}_{field.name}", on(of, obj, *args), writes=obj)
        yield Stop(f"{of.name}.{remove}_{field.name}", on(of, obj, args[0]), writes=obj)


def comings_and_goings(bench: Bench, of: ApiClass) -> Iterator[Stop]:
    """Yield calls that make an object and end one of ours."""
    with suppress(Unavailable, Unanswered):
        constructor, given = bench.stock.constructor(of.name), bench.stock.exemplar(of.name)
        message = constructor.message
        args = (given,) if constructor.record else tuple(given[p.name] for p in message.params)
        params = tuple((p.type, arg) for p, arg in zip(message.params, args, strict=True))
        yield Stop(message.full_name, params, makes=of.name if of.destructor else "")
        if of.destructor and not why_not(bench, of.messages[of.destructor]):
            obj = bench.stock.make(of.name)
            yield Stop(f"{of.name}.{of.destructor}", on(of, obj), ends=obj)


def explicit_calls(bench: Bench, of: ApiClass, most: int | None = None) -> Iterator[Stop]:
    """Yield explicit messages, at most so many, by the seed: they write what is there, or name what does not exist."""
    found = [m for m in of.messages.values() if not m.implicit and m.takes_session and m.verb != "get"]
    found = [m for m in found if m.lifecycle.state is not State.REMOVED and not why_not(bench, m)]
    found = sorted(found, key=lambda m: draw(bench.seed, m.full_name))[:most]
    for message in [m for m in found if m.verb == "set"]:
        aimed = aim(bench, message)
        if aimed.right:
            yield Stop(message.full_name, typed(message, aimed.args), writes=aimed.live)
    for message in [m for m in found if not m.verb and names_objects(m) and not is_maker(bench, m)]:
        yield Stop(message.full_name, typed(message, blind(message).args), "refs that are made up", good=False)


def typed(message: Message, args: tuple[Value, ...]) -> tuple[Param, ...]:
    """Return arguments with the types that a message gives them."""
    return tuple((p.type, arg) for p, arg in zip(message.params, args, strict=True))


def tasks_begun(bench: Bench, of: ApiClass) -> Iterator[Stop]:
    """Yield a call that begins a task: the asynchronous end of an object that there is not."""
    if of.destructor and not why_not(bench, of.messages[of.destructor]):
        params = ((t.RefTo(of.name), unknown_ref()),)
        yield Stop(f"Async.{of.name}.{of.destructor}", params, "an unknown ref", makes="task", good=False)
