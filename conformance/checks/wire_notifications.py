"""Level 1, calls of JSON-RPC without an id: each is turned down and, whatever it would do, has done nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.wire_envelope import a_text_setter, json_call, json_formats
from xenconform.conformance.codec import Param, codec_for
from xenconform.models.api import Message
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, RefTo, SetOf, Str
from xenconform.models.values import Ref

WAYS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "no id": {"id": ...},
        "the id null": {"id": None},
        "an ID in capital letters": {"id": ..., "ID": 1},
    }
)
"""What is wrong with the id, and the members of the call that are changed for it: `...` leaves one out.

Names of members are compared exactly: what is written otherwise is another member.
"""
How: TypeAlias = tuple[Format, str, Mapping[str, Any]]
"""A format, and one of those ways."""


def notifications_are_refused(bench: Bench) -> None:
    """A call whose id is missing or null is refused and has no effect. Source: wire protocol."""
    for fmt in json_formats(bench):
        with bench.judging("WIRE-JSON-NO-NOTIFICATION", "server", fmt) as judge:
            obj, setter = a_text_setter(bench)
            for what, changes in WAYS.items():
                how = (fmt, what, changes)
                _judge_sets_nothing(bench, judge, (obj, setter), how)
                for verb in ("add", "add_to"):
                    _judge_adds_nothing(bench, judge, (obj, verb), how)
                for prefix in ("", "Async."):
                    _judge_creates_nothing(bench, judge, f"{prefix}{obj.cls}.create", how)
                _judge_destroys_nothing(bench, judge, obj, how)


def _notify(bench: Bench, judge: Judge, how: How, message: str, params: list[Param]) -> Exchange:
    """Send a call without an id and assert that it was not carried out.

    An answer without a body, as to a notification, carries out nothing.
    """
    fmt, what, changes = how
    body = codec_for(fmt).encode_call(message, params, api=bench.api)
    exchange = json_call(bench, fmt, message, json.loads(body)["params"], **changes)
    refused = not isinstance(exchange.reply.outcome, Success)
    judge.true(refused, f"a call with {what} is refused", describe(exchange), exchange)
    return exchange


def _judge_sets_nothing(bench: Bench, judge: Judge, at: tuple[Obj, str], how: How) -> None:
    (obj, setter), fmt = at, how[0]
    getter = setter.replace(".set_", ".get_")
    before, _ = bench.ask(fmt, getter, obj.ref)
    new = f"xenconform {bench.stock.number()}"
    exchange = _notify(bench, judge, how, setter, [(RefTo(obj.cls), obj.ref), (Str(), new)])
    after, seen = bench.ask(fmt, getter, obj.ref)
    judge.same(Str(), before, after, exchange, seen)


def _accessor(bench: Bench, cls: str, verb: str) -> Message | None:
    """Return a class's message that adds to, or removes from, a set or map of free text."""
    of = bench.api.classes[cls]
    plain = (SetOf(Str()), MapOf(Str(), Str()))
    found = (m for m in of.messages.values() if m.implicit and m.verb == verb and of.fields[m.field].type in plain)
    return next(found, None)


def _judge_adds_nothing(bench: Bench, judge: Judge, at: tuple[Obj, str], how: How) -> None:
    """Judge an addition, and then the removal of what was added properly."""
    (obj, verb), (fmt, what, _) = at, how
    add = _accessor(bench, obj.cls, verb)
    remove = _accessor(bench, obj.cls, {"add": "remove", "add_to": "remove_from"}[verb])
    if add is None or remove is None or add.field != remove.field:
        return
    new, getter = f"xenconform {bench.stock.number()}", f"{obj.cls}.get_{add.field}"
    values = (new,) if verb == "add" else (new, "x")
    self: Param = (RefTo(obj.cls), obj.ref)
    exchange = _notify(bench, judge, how, add.full_name, [self, *((Str(), each) for each in values)])
    after, seen = bench.ask(fmt, getter, obj.ref)
    judge.true(new not in after, f"{add.full_name} with {what} adds nothing", "it added", exchange, seen)
    if new not in after and not isinstance(bench.call(fmt, add.full_name, obj.ref, *values).reply.outcome, Success):
        return
    exchange = _notify(bench, judge, how, remove.full_name, [self, (Str(), new)])
    after, seen = bench.ask(fmt, getter, obj.ref)
    judge.true(new in after, f"{remove.full_name} with {what} removes nothing", "it removed", exchange, seen)
    bench.call(fmt, remove.full_name, obj.ref, new)


def _is_made_of(bench: Bench, fmt: Format, obj: tuple[str, Ref], record: dict[str, Any]) -> bool:
    """Whether a new object is the one of a record, and not one that somebody else made meanwhile."""
    cls, ref = obj
    if "name_label" not in record:
        return True
    seen = bench.call(fmt, f"{cls}.get_name_label", ref, probe=True).reply.outcome
    return isinstance(seen, Success) and seen.value == record["name_label"]


def _judge_creates_nothing(bench: Bench, judge: Judge, create: str, how: How) -> None:
    fmt, what, _ = how
    cls = create.removeprefix("Async.").partition(".")[0]
    of, listing = bench.api.classes[cls], f"{cls}.get_all"
    if "get_all" not in of.messages or not of.constructors or not of.constructors[0].record:
        return
    before, _ = bench.ask(fmt, listing)
    record = bench.stock.exemplar(cls)
    exchange = _notify(bench, judge, how, create, [(of.constructors[0].message.params[0].type, record)])
    after, seen = bench.ask(fmt, listing)
    new = {ref for ref in set(after) - set(before) if _is_made_of(bench, fmt, (cls, ref), record)}
    judge.true(not new, f"{create} with {what} makes nothing", f"it made {len(new)}", exchange, seen)
    outcome = exchange.reply.outcome
    for ref in new:
        if "name_label" in record or (isinstance(outcome, Success) and outcome.value == ref):
            bench.stock.remove(bench.stock.adopt_ref(cls, ref))


def _judge_destroys_nothing(bench: Bench, judge: Judge, like: Obj, how: How) -> None:
    fmt, what, _ = how
    of = bench.api.classes[like.cls]
    if of.destructor != "destroy" or "get_uuid" not in of.messages:
        return
    try:
        obj = bench.stock.make(like.cls)
    except Unavailable:
        return  # Without one to spare there is nothing to end; what else a call may do is judged all the same.
    exchange = _notify(bench, judge, how, f"{obj.cls}.destroy", [(RefTo(obj.cls), obj.ref)])
    seen = bench.call(fmt, f"{obj.cls}.get_uuid", obj.ref, probe=True)
    alive = isinstance(seen.reply.outcome, Success)
    judge.true(alive, f"{obj.cls}.destroy with {what} destroys nothing", describe(seen), exchange, seen)
    if alive:
        bench.stock.remove(obj)
    else:
        bench.stock.forget(obj)


CHECKS: tuple[Check, ...] = (Check("WIRE-JSON-NO-NOTIFICATION", per_server=notifications_are_refused),)
