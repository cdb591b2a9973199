"""Calls that must fail: each kind of message of a class, for each kind of reason, aimed at objects of ours alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from xenconform.conformance.checks.aimed import blind, why_not
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.good_calls import free_members, on, typed
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.stops import NO_SUCH, Stop
from xenconform.conformance.checks.wire_calls import NIL
from xenconform.conformance.client import UNSET
from xenconform.conformance.codec import Array, Param, Scalar
from xenconform.models import types as t
from xenconform.models.api import ApiClass, Message, State
from xenconform.models.calls import Success
from xenconform.models.values import same

BAD_RECORD: Param = (t.MapOf(t.Str(), t.Bool()), {"name_label": True, "other_config": True})
"""A record for a constructor, with members that have no such type in any class."""
NO_VALUE: Param = (None, Array((Array((Scalar("boolean", "1"),)),)))
"""A value of no type of the API's fields."""
EXTRA: Param = (t.Str(), "extra")


def refusals(bench: Bench, of: ApiClass, obj: Obj | None) -> Iterator[Stop]:
    """Yield calls that must fail, of each kind of message and for each kind of reason; aimed at the object, if any."""
    yield from _refused_readings(of)
    yield from _refused_watching(bench, of)
    if "get_all_records" in of.messages:
        query: Param = (t.Str(), 'field "uuid" = "')
        yield Stop(f"{of.name}.get_all_records_where", (query,), "half a query", good=False)
    yield from _refused_making(bench, of)
    for message in _one_of_each(of):
        yield from _refused_writing(bench, of, message, obj)
    if obj is not None:
        with suppress(Unavailable):
            yield from _refused_members(bench, of, obj)
        yield from _refused_values(bench, of, obj)
        yield from refused_refs(bench, of, obj)
    yield Stop(f"{of.name}.no_such_message", what="no such message", good=False)


def _refused_readings(of: ApiClass) -> Iterator[Stop]:
    getter = next((m for m in of.messages.values() if m.verb == "get" and m.implicit), None)
    for name in filter(None, ("get_record" if "get_record" in of.messages else "", getter.name if getter else "")):
        self: Param = (t.RefTo(of.name), unknown_ref())
        yield Stop(f"{of.name}.{name}", (self,), "an unknown ref", good=False)
        yield Stop(f"{of.name}.{name}", ((None, Array((Scalar("string", unknown_ref()),))),), "no ref", good=False)
        yield Stop(f"{of.name}.{name}", (), "no parameters", good=False)
        yield Stop(f"{of.name}.{name}", (self,), "an unknown session", session=unknown_ref(), good=False)
    for name, params in (("get_by_uuid", ((t.Str(), NO_SUCH),)), ("get_all", (EXTRA,)), ("get_all_records", (EXTRA,))):
        if name in of.messages:
            yield Stop(f"{of.name}.{name}", params, "a wrong parameter", good=False)
    if "get_all" in of.messages:
        yield Stop(f"{of.name}.get_all", (), "no session at all", session=None, good=False)


def _refused_watching(bench: Bench, of: ApiClass) -> Iterator[Stop]:
    """Yield calls for events, which a server may answer by a way of their own: with no token, and with no classes."""
    message = of.messages.get("from") if of.name == "event" else None
    if message is None or why_not(bench, message):
        return
    name, (classes, token, _) = message.full_name, message.params
    no_wait: Param = (t.Float(), 0.0)
    yield Stop(name, ((classes.type, ("task",)), (token.type, NO_SUCH), no_wait), "what is no token", good=False)
    yield Stop(name, (NO_VALUE, (token.type, ""), no_wait), "what are no classes", good=False)


def _one_of_each(of: ApiClass) -> Iterator[Message]:
    """Yield one implicit message of each verb that writes, the one that makes and the one that ends."""
    found: dict[str, Message] = {}
    for message in of.messages.values():
        kind = message.verb or (message.name if message.name in {"create", of.destructor} else "")
        if message.implicit and kind and kind != "get" and message.lifecycle.state is not State.REMOVED:
            found.setdefault(kind, message)
    yield from found.values()


def _refused_making(bench: Bench, of: ApiClass) -> Iterator[Stop]:
    """Yield calls of a constructor whose parameters are fields: of another number, and without a session."""
    with suppress(Unavailable):
        constructor, given = bench.stock.constructor(of.name), bench.stock.exemplar(of.name)
        message = constructor.message
        if constructor.record or not of.destructor:
            return
        params = typed(message, tuple(given[p.name] for p in message.params))
        base = Stop(message.full_name, params, "an unknown session", unknown_ref(), good=False, makes=of.name)
        yield base
        yield replace(base, params=(*params, EXTRA), what="a parameter too many", session=UNSET)


def _refused_writing(bench: Bench, of: ApiClass, message: Message, obj: Obj | None) -> Iterator[Stop]:
    if why_not(bench, message):
        return
    name = message.full_name
    if message.name == "create":
        yield Stop(name, (BAD_RECORD,), "members of other types", makes=of.name, good=False)
        with suppress(Unavailable):
            good = (message.params[0].type, bench.stock.exemplar(of.name))
            yield Stop(name, (good, EXTRA), "a parameter too many", makes=of.name, good=False)
            yield Stop(name, (good,), "an unknown session", session=unknown_ref(), makes=of.name, good=False)
        return
    rest = typed(message, blind(message).args)[1:]
    yield Stop(name, ((t.RefTo(of.name), unknown_ref()), *rest), "an unknown ref", good=False)
    if obj is None or (message.name == of.destructor and not obj.own):
        return
    aimed = on(of, obj, *rest)
    ends = obj if message.name == of.destructor else None
    field = message.field if message.implicit else ""
    base = Stop(name, aimed, good=False, writes=obj, ends=ends, field=field)
    yield replace(base, params=(*aimed, EXTRA), what="a parameter too many")
    yield replace(base, what="an unknown session", session=unknown_ref())
    if rest:
        yield replace(base, params=aimed[:-1], what="a parameter too few")
        yield replace(base, params=(*aimed[:-1], NO_VALUE), what="a value of another type")


def _refused_values(bench: Bench, of: ApiClass, obj: Obj) -> Iterator[Stop]:
    """Yield the writing of what libraries below may choke on; undo it where it was taken."""
    settable = [f for f in of.fields.values() if f"set_{f.name}" in of.messages]
    ints = [f for f in settable if f.type == t.Int()]
    for field, value, what in (
        *((f, (t.Str(), str(t.INT_MAX + 1)), "a number beyond 64 bits") for f in ints[:1]),
        *((f, (None, NIL), "a null") for f in settable[:1]),
        *((f, (t.Str(), "nine"), "what is no date") for f in settable if f.type == t.DateTime()),
    ):
        getter, setter = f"{of.name}.get_{field.name}", of.messages[f"set_{field.name}"]
        if why_not(bench, setter):
            continue
        before = bench.call(bench.formats[0], getter, obj.ref).reply.outcome
        if isinstance(before, Success):
            yield Stop(setter.full_name, on(of, obj, value), what, good=False, writes=obj, field=field.name)
            if bench.call(bench.formats[0], getter, obj.ref).reply.outcome != before:
                bench.call(bench.formats[0], setter.full_name, obj.ref, before.value)


def refused_refs(bench: Bench, of: ApiClass, obj: Obj) -> Iterator[Stop]:
    """Yield the writing of what is no object's ref where an object's stands, in a set beside those that are there.

    It is undone where it was taken.
    """
    fmt, unknown = bench.formats[0], unknown_ref()
    for field in of.fields.values():
        setter = of.messages.get(f"set_{field.name}")
        many = isinstance(field.type, t.SetOf) and isinstance(field.type.item, t.RefTo)
        if setter is None or not (many or isinstance(field.type, t.RefTo)) or why_not(bench, setter):
            continue
        getter = f"{of.name}.get_{field.name}"
        before = bench.call(fmt, getter, obj.ref).reply.outcome
        if isinstance(before, Success):
            given = (*before.value, unknown) if many else unknown
            params = on(of, obj, (field.type, given))
            yield Stop(setter.full_name, params, "no object's ref", good=False, writes=obj, field=field.name)
            now = bench.call(fmt, getter, obj.ref).reply.outcome
            if isinstance(now, Success) and same(field.type, given, now.value):
                bench.call(fmt, setter.full_name, obj.ref, before.value)


def _refused_members(bench: Bench, of: ApiClass, obj: Obj) -> Iterator[Stop]:
    """Yield the addition of a key that is there; before, it is added, and taken out again in the end."""
    fmt = bench.formats[0]
    for field in of.fields.values():
        adder = of.messages.get(f"add_to_{field.name}") if isinstance(field.type, t.MapOf) else None
        outcome = bench.call(fmt, f"{of.name}.get_{field.name}", obj.ref).reply.outcome if adder else None
        if adder and isinstance(outcome, Success) and outcome.value:
            pair = next(iter(outcome.value.items()))
            key, item = zip((p.type for p in adder.params[1:]), pair, strict=True)
            params = on(of, obj, key, _another(item))
            yield Stop(adder.full_name, params, "a key that is there", good=False, writes=obj, field=field.name)
            break
    for field, add, remove, args in free_members(bench, of):
        bench.call(fmt, f"{of.name}.{add}_{field.name}", params=on(of, obj, *args))
        if add == "add_to":
            name = f"{of.name}.{add}_{field.name}"
            params = on(of, obj, args[0], *map(_another, args[1:]))
            yield Stop(name, params, "a key that is there", good=False, writes=obj, field=field.name)
        for name, what, params, session in (
            (f"{remove}_{field.name}", "a parameter too many", (args[0], EXTRA), UNSET),
            (f"{remove}_{field.name}", "an unknown session", (args[0],), unknown_ref()),
        ):
            aimed = on(of, obj, *params)
            yield Stop(f"{of.name}.{name}", aimed, what, session, good=False, writes=obj, field=field.name)
        bench.call(fmt, f"{of.name}.{remove}_{field.name}", params=on(of, obj, args[0]))


def _another(param: Param) -> Param:
    """Return another value of a text, so that it would show where the refused one was stored."""
    of, value = param
    return (of, f"{value} again") if of == t.Str() and isinstance(value, str) else param
