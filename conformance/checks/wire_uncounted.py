"""Level 1, calls of JSON-RPC that are none, of every class: without an id, or of a version that there is not.

Whatever such a call would do, be it to read, to write, to make or to end, it is turned down and has done nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

from xenconform.conformance.checks import good_calls
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, show
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.sessionless import is_it
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.stops import Stop, own, take_json
from xenconform.conformance.checks.wire_envelope import a_listing, json_formats
from xenconform.conformance.checks.wire_json import WRONG_VERSIONS
from xenconform.conformance.checks.wire_replies import DOOR, door, leave
from xenconform.models.api import Api, ApiClass, Qualifier
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Ref, Value, same

Way: TypeAlias = tuple[str, Mapping[str, Any]]
"""What makes a call none, and the members of the call that are changed for it."""
NO_ID: tuple[Way, ...] = (("no id", {"id": ...}), ("the id null", {"id": None}))


def calls_without_id_do_nothing(bench: Bench, of: ApiClass) -> None:
    """A call whose id is missing or null is refused and has no effect, whatever it is. Source: wire protocol."""
    for fmt in json_formats(bench):
        with bench.judging("WIRE-JSON-NO-NOTIFICATION", f"{of.name}, each kind of call", fmt) as judge:
            for way in NO_ID:
                _judge_undone(bench, judge, of, fmt, (way,))


def calls_of_no_version_do_nothing(bench: Bench, of: ApiClass) -> None:
    """A call of another version than 1.0 and 2.0 is refused and has no effect. Source: wire protocol."""
    if Format.JSONRPC2 in bench.formats:
        ways = tuple((f"the version {each!r}", {"jsonrpc": each}) for each in WRONG_VERSIONS)
        with bench.judging("WIRE-JSON-VERSION", f"{of.name}, each kind of call", Format.JSONRPC2) as judge:
            _judge_undone(bench, judge, of, Format.JSONRPC2, ways)


def _calls(bench: Bench, of: ApiClass) -> Iterator[Stop]:
    yield from good_calls.readings(bench, of)
    yield from good_calls.writings(bench, of)
    yield from good_calls.comings_and_goings(bench, of)
    yield from (stop for stop in good_calls.explicit_calls(bench, of) if stop.good)
    yield from good_calls.tasks_begun(bench, of)


def _judge_undone(bench: Bench, judge: Judge, of: ApiClass, fmt: Format, ways: tuple[Way, ...]) -> None:
    """Make every kind of call in some way that makes it none, by turns; each fails, and the class is as it was."""
    obj, refs = own(bench, of), set(bench.stock.all_refs(of.name))
    before = record_of(bench, obj, fmt)
    given: Mapping[str, Value] = {}
    ended: list[Obj] = []
    for at, stop in enumerate(_calls(bench, of)):
        what, changes = ways[at % len(ways)]
        if stop.makes == of.name and isinstance(stop.params[0][1], dict):
            given = stop.params[0][1]
        exchange = take_json(bench, fmt, stop, **changes)
        done = isinstance(exchange.reply.outcome, Success)
        judge.true(not done, f"{stop.message} with {what} is refused", describe(exchange), exchange)
        if stop.ends is not None and not done:
            ended.append(stop.ends)
    judge_same_record(bench, judge, of, obj, (before, record_of(bench, obj, fmt)))
    for each in ended:
        judge.true(is_there(bench, each), f"the {of.name} that was to end is there", "it is gone")
        bench.stock.remove(each)
        bench.stock.forget(each)
    refs |= {each.ref for each in ended}
    _judge_unmade(bench, judge, of, refs, given)


def record_of(bench: Bench, obj: Obj | None, fmt: Format) -> Exchange | None:
    """Read the record of an object, None where there is none to read."""
    if obj is None or "get_record" not in bench.api.classes[obj.cls].messages:
        return None
    return bench.call(fmt, f"{obj.cls}.get_record", obj.ref)


def judge_same_record(
    bench: Bench, judge: Judge, of: ApiClass, obj: Obj | None, seen: tuple[Exchange | None, Exchange | None]
) -> None:
    """Assert that a record of an object shows the same as one before it, but for what may change by itself."""
    before, after = seen
    if before is None or after is None or obj is None:
        return
    was, now = before.reply.outcome, after.reply.outcome
    if not isinstance(was, Success) or not isinstance(now, Success):
        return
    for name, field in of.fields.items():
        still = field.qualifier is not Qualifier.RUNTIME and name in was.value and name in now.value
        if still and not same(field.type, was.value[name], now.value[name]):
            judge.fail(f"{name} stays {show(was.value[name])}", show(now.value[name]), before, after)
            with suppress(Unavailable):
                bench.call(before.format, f"{of.name}.set_{name}", obj.ref, was.value[name])


def is_there(bench: Bench, obj: Obj) -> bool:
    """Whether an object can be read, or cannot be told to be gone."""
    name = next((n for n in ("get_record", "get_uuid") if n in bench.api.classes[obj.cls].messages), "")
    seen = bench.call(bench.formats[0], f"{obj.cls}.{name}", obj.ref, probe=True) if name else None
    return seen is None or isinstance(seen.reply.outcome, Success)


def _judge_unmade(bench: Bench, judge: Judge, of: ApiClass, refs: set[Ref], given: Mapping[str, Value]) -> None:
    """Assert that no new object is what was to be made."""
    if "get_all" not in of.messages or "get_record" not in of.messages or not given:
        return
    new = [ref for ref in bench.stock.all_refs(of.name) if ref not in refs and is_it(bench, of, ref, given)]
    judge.true(not new, f"no {of.name} is made", f"{len(new)} made")
    for ref in new:
        bench.stock.remove(bench.stock.adopt_ref(of.name, ref))


def the_door_counts_none_either(bench: Bench) -> None:
    """Neither login nor logout without an id, or of no version, is carried out. Source: wire protocol."""
    for fmt in json_formats(bench):
        with bench.judging("WIRE-JSON-NO-NOTIFICATION", DOOR, fmt) as judge:
            for way in NO_ID:
                _judge_door(bench, judge, fmt, way)
        if fmt is Format.JSONRPC2:
            with bench.judging("WIRE-JSON-VERSION", f"{DOOR}, no version", fmt) as judge:
                for version in WRONG_VERSIONS[:3]:
                    _judge_door(bench, judge, fmt, (f"the version {version!r}", {"jsonrpc": version}))


def _judge_door(bench: Bench, judge: Judge, fmt: Format, way: Way) -> None:
    what, changes = way
    session = opened(bench, fmt)
    message, _ = a_listing(bench)
    for stop in (*list(door(bench, fmt))[:1], Stop("session.logout", session=session)):
        exchange = take_json(bench, fmt, stop, **changes)
        leave(bench, stop, exchange)
        done = isinstance(exchange.reply.outcome, Success)
        judge.true(not done, f"{stop.message} with {what} is refused", describe(exchange), exchange)
    used = bench.call(fmt, message, session=session)
    lives = isinstance(used.reply.outcome, Success)
    judge.true(lives, f"a session lives on after a logout with {what}", describe(used), used)
    bench.call(fmt, "session.logout", session=session, probe=True)


def has_objects(_api: Api, of: ApiClass) -> bool:
    """Whether a class has objects that can be read, listed or written."""
    return bool({"get_record", "get_all"} & of.messages.keys()) or any(m.verb for m in of.messages.values())


CHECKS: tuple[Check, ...] = (
    Check("WIRE-JSON-NO-NOTIFICATION", per_class=calls_without_id_do_nothing, applies=has_objects),
    Check("WIRE-JSON-NO-NOTIFICATION", per_server=the_door_counts_none_either, also=("WIRE-JSON-VERSION",)),
    Check("WIRE-JSON-VERSION", per_class=calls_of_no_version_do_nothing, applies=has_objects),
)
