"""Level 4, restarts: after one every object is there with its fields, and what was destroyed stays gone.

What a restart may change is the table of models/lasting.py. A format is held to what it told itself before, and a
message to what it found then: what was wrong before is no restart's doing. Objects that are not ours may be changed by
others at any time: of those only what stood still while our own objects were made is compared, and a class whose
objects come and go in that time is left to our own.
"""

from __future__ import annotations

from contextlib import ExitStack

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.findable import ways
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, result_of, show
from xenconform.conformance.checks.lacking import no_restart
from xenconform.conformance.checks.outliving import (
    DESTROYED,
    LOOKED_UP,
    Found,
    Kept,
    asked_for,
    prepare,
    read,
    rounds_of,
)
from xenconform.conformance.checks.snapshots import (
    Record,
    Records,
    busy_classes,
    changes,
    read_all,
)
from xenconform.models.api import ApiClass, State
from xenconform.models.calls import Format, Success
from xenconform.models.lasting import may_end
from xenconform.models.types import RefTo, SetOf
from xenconform.models.values import Ref

CLAUSE = "PERSIST"
SHOWN = 5
"""How many differences of a class a finding tells; the exchanges have the rest."""
LISTED = "listed"
"""The way in which an object is found in what its class has."""


def a_restart_keeps_everything(bench: Bench) -> None:
    """After a restart of the server all objects are there with all their fields. Source: introduction."""
    if bench.restart is no_restart:
        bench.restart()
    for turn in range(rounds_of(bench)):
        with ExitStack() as afterwards:
            kept = prepare(bench, turn, afterwards)
            bench.restart()
            bench.births.forget()
            busy = busy_classes(kept.first, kept.last, kept.own | _refs(kept.gone))
            # All is read before anything is looked up: what a look-up changes is no restart's doing.
            after = [(of, fmt, read(kept, of, fmt)) for of in kept.classes for fmt in bench.formats]
            # A number that is given again goes to whoever asks first: it is to be an object made to find that out.
            for of in bench.classes:
                if of.name in kept.gone:
                    with bench.judging(CLAUSE, f"new {of.name}") as judge:
                        _new_ones_are_new(kept, judge, of)
            for of, fmt, found in after:
                with bench.judging(CLAUSE, of.name, fmt) as judge:
                    _compare(kept, judge, of, (fmt, found), busy)


def _refs(records: dict[str, dict[Ref, Record]]) -> set[tuple[str, Ref]]:
    return {(cls, ref) for cls, rows in records.items() for ref in rows}


def _compare(kept: Kept, judge: Judge, of: ApiClass, told: tuple[Format, Found], busy: set[str]) -> None:
    (fmt, now), cls = told, of.name
    then = kept.told[cls, fmt]
    if cls not in kept.last or isinstance(then, Exception):
        if of.lifecycle.state is State.REMOVED:
            judge.unsupported("removed in this release, and not read before the restart either")
            return
        raise Unavailable(f"the objects of {cls} could not be read before the restart")
    if isinstance(now, Exception):
        raise now
    after, seen = now
    gone, wrong = kept.gone.get(cls, {}), list[str]()
    for ref in kept.last[cls].keys() & then[0].keys() - gone.keys():
        own = (cls, ref) in kept.own
        if not own and (cls in busy or ref not in kept.first.get(cls, {})):
            continue
        judge.asserted += 1
        if ref not in after:
            wrong += [] if may_end(cls, own=own) else [f"{ref} is gone"]
            continue
        expected = _without_gone(kept, of, ref, then[0][ref])
        said = changes(kept.bench.api, of, expected, after[ref], own=own, without=kept.moving(of, ref, busy))
        wrong += [f"{ref}: {each}" for each in said]
    more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    if wrong:
        judge.fail("every object as before the restart", "; ".join(wrong[:SHOWN]) + more, *seen[-1:])
    _find_what_stays(kept, judge, of, fmt)
    _find_by_what_was(kept, judge, of, fmt)
    _find_what_went(kept, judge, of, fmt, after)
    if not judge.asserted:
        raise Unavailable(f"the server has no {cls} that stood still before the restart, and none could be made")


def _without_gone(kept: Kept, of: ApiClass, ref: Ref, record: Record) -> Record:
    """Return an object's record without what was destroyed after it was read, where its far ends lost that."""
    changed = dict(record)
    for name, of_field in of.fields.items():
        match of_field.type:
            case SetOf(RefTo(cls)) if cls in kept.gone and name in record:
                left = kept.left.get(of.name, {}).get(ref, {}).get(name, ())
                changed[name] = tuple(each for each in record[name] if each not in kept.gone[cls] or each in left)
            case RefTo(cls) if record.get(name) in kept.gone.get(cls, {}):
                del changed[name]
    return changed


def _find_what_stays(kept: Kept, judge: Judge, of: ApiClass, fmt: Format) -> None:
    """Judge that what a message found before the restart it finds after it."""
    for ref in asked_for(kept, of, LOOKED_UP):
        before = kept.found.get((ref, fmt), {})  # none where a ref that was given again is taken for ours
        for message, (found, seen) in ways(kept.bench, of, fmt, ref, kept.last[of.name][ref]).items():
            if message in before and before[message][0]:
                judge.true(found, f"{ref} by {message}, as before", describe(seen), before[message][1], seen)


def _find_by_what_was(kept: Kept, judge: Judge, of: ApiClass, fmt: Format) -> None:
    """Judge that a label that an object was not found by any more does not find it after the restart either."""
    if of.name in kept.renamed:
        ref, label = kept.renamed[of.name]
        found, seen = kept.bench.ask(fmt, f"{of.name}.get_by_name_label", label)
        judge.true(ref not in found, f"{ref} is not found by {label!r}, its label of once", describe(seen), seen)
    if label := kept.refused.get(of.name, ""):
        found, seen = kept.bench.ask(fmt, f"{of.name}.get_by_name_label", label)
        judge.true(not found, f"no {of.name} {label!r}, which was refused", describe(seen), seen)


def _find_what_went(kept: Kept, judge: Judge, of: ApiClass, fmt: Format, after: Records) -> None:
    """Judge that what was destroyed before the restart is found in no way after it.

    A way in which the server also finds what it has just destroyed is another clause's.
    """
    control: dict[str, bool] | None = None
    for ref, record in kept.gone.get(of.name, {}).items():
        found = ways(kept.bench, of, fmt, ref, record)
        back = [LISTED] * (ref in after) + [message for message, (hit, _) in found.items() if hit]
        judge.asserted += 1 + len(found)
        if not back:
            continue
        control = _ended_now(kept, of, fmt) if control is None else control
        for way in back:
            if not control.get(way):
                seen = [exchange for message, (_, exchange) in found.items() if message == way]
                judge.fail(f"{ref} was destroyed and stays gone", f"it is back: {way}", *seen)


def _ended_now(kept: Kept, of: ApiClass, fmt: Format) -> dict[str, bool]:
    """Make an object, destroy it, and return whether it is found all the same, by way; {} where that cannot be done."""
    bench = kept.bench
    try:
        obj = bench.stock.make(of.name)
        record = read_all(bench, of, fmt)[0].get(obj.ref, {})
        if not bench.stock.remove(obj):
            return {}
        found = ways(bench, of, fmt, obj.ref, record)
        return {LISTED: obj.ref in read_all(bench, of, fmt)[0]} | {way: hit for way, (hit, _) in found.items()}
    except (Unanswered, Unavailable):
        return {}


def _new_ones_are_new(kept: Kept, judge: Judge, of: ApiClass) -> None:
    """Judge that what is made after the restart gets refs and uuids that nothing had before it."""
    cls, bench = of.name, kept.bench
    before = {**kept.first.get(cls, {}), **kept.last[cls]}
    uuids = {record.get("uuid", "") for record in before.values()} - {""}
    for _ in range(DESTROYED):
        exchange = bench.stock.try_make(cls)
        if not isinstance(exchange.reply.outcome, Success):
            raise Unavailable(bench.stock.refusal(cls, exchange))
        ref = result_of(exchange)
        if judge.true(ref not in before, "a ref that nothing had before the restart", ref, exchange):
            bench.stock.adopt(cls, exchange)
        if "get_uuid" in of.messages:
            uuid, seen = bench.ask(bench.formats[0], f"{cls}.get_uuid", ref)
            judge.true(uuid not in uuids, "a uuid that nothing had before the restart", show(uuid), exchange, seen)


CHECKS = (Check(CLAUSE, per_server=a_restart_keeps_everything, last=True),)
