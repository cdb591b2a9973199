"""Level 4, restarts: after one every object is there with its fields, and what was destroyed stays gone.

What a restart may change is the table of models/lasting.py. A format is held to what it told itself before, and a
message to what it found then: what was wrong before is no restart's doing. Objects that are not ours may be changed by
others at any time: of those only what stood still while our own objects were made is compared, and a class whose
objects come and go in that time is left to our own.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from xenconform.conformance.checks.awkward import KINDS, fill_existing, make_awkward
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.findable import Ways, ways
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, result_of, show
from xenconform.conformance.checks.lacking import no_restart
from xenconform.conformance.checks.snapshots import (
    Record,
    Records,
    Snapshot,
    busy_classes,
    changes,
    has_objects,
    read_all,
    take,
)
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import ApiClass, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.lasting import ENDING, has_not_ended, may_end
from xenconform.models.profiles import Scope
from xenconform.models.types import RefTo, SetOf, refs_in
from xenconform.models.values import Ref, same

CLAUSE = "PERSIST"
DESTROYED = 2
"""So many objects of a class are destroyed before, and so many made after: a server that counts on from the objects
it finds would give a ref again."""
SHOWN = 5
"""How many differences of a class a finding tells; the exchanges have the rest."""
LOOKED_UP = 3
"""So many objects of a class are asked for in every way, before and after."""
LISTED = "listed"
"""The way in which an object is found in what its class has."""


Found: TypeAlias = "tuple[Records, tuple[Exchange, ...]] | Exception"
"""The records of a class with the exchanges that told them, or why there are none."""


@dataclass(slots=True)
class Kept:
    """What is to be there after a restart.

    `first` and `last` are what the server showed before and after our own objects were made, over the first format;
    `told` is `last` of the run's classes as each format told it, and `found` are the ways in which it found some of
    our own. `gone` are the objects that were destroyed then, with their last records, and `left` the records of what
    referred to them, as they were after that: a far end that still shows one is another clause's.
    """

    bench: Bench
    first: Snapshot
    last: Snapshot
    told: dict[tuple[str, Format], Found] = field(default_factory=dict)
    found: dict[tuple[Ref, Format], Ways] = field(default_factory=dict)
    gone: dict[str, dict[Ref, Record]] = field(default_factory=dict)
    left: dict[str, Records] = field(default_factory=dict)

    @property
    def own(self) -> set[tuple[str, Ref]]:
        """The objects that this run made."""
        return {(obj.cls, obj.ref) for obj in self.bench.stock.made}

    @property
    def classes(self) -> list[ApiClass]:
        """The run's classes, and those of which objects were made for them."""
        made = {obj.cls for obj in self.bench.stock.made}
        bench = self.bench
        return [of for of in bench.api.classes.values() if has_objects(of) and (of in bench.classes or of.name in made)]

    def moving(self, of: ApiClass, ref: Ref, busy: set[str]) -> set[str]:
        """Return the fields of an object that others, or a task's end, may change: they are not compared."""
        relations = [r for r in self.bench.api.relations if r.derived_cls == of.name and r.owner_cls in busy]
        found = {relation.derived_field for relation in relations}
        if of.name == "task" and has_not_ended(self.last[of.name][ref]):
            found |= ENDING
        if (of.name, ref) not in self.own:
            then, now = self.first[of.name][ref], self.last[of.name][ref]
            found |= {n for n, f in of.fields.items() if not same(f.type, then.get(n), now.get(n))}
        return found


def a_restart_keeps_everything(bench: Bench) -> None:
    """After a restart of the server all objects are there with all their fields. Source: introduction."""
    if bench.restart is no_restart:
        bench.restart()
    for _ in range(1 if bench.budget.name == "quick" else 2):
        with ExitStack() as afterwards:
            kept = _prepare(bench, afterwards)
            bench.restart()
            busy = busy_classes(kept.first, kept.last, kept.own | _refs(kept.gone))
            # All is read before anything is looked up: what a look-up changes is no restart's doing.
            after = [(of, fmt, _read(kept, of, fmt)) for of in kept.classes for fmt in bench.formats]
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


def _prepare(bench: Bench, afterwards: ExitStack) -> Kept:
    """Make objects, write to them, destroy the newest; the destroys are the last that is written.

    The first of those that stay has what its constructor gave it and no more; the last is like the second in all that
    it is given, its name too.

    Objects that were there before are written, where they may be, before the first look at them.
    """
    fmt, classes = bench.formats[0], bench.classes
    for of in classes:
        if has_objects(of) and bench.profile.scope is not Scope.OWN and not _can_make(bench, of):
            with suppress(Unavailable):
                fill_existing(bench, of, afterwards)
    first = take(bench, fmt)
    for of in classes:
        with suppress(Unavailable):
            if of.constructors:
                make_awkward(bench, of, 1, written=False)
                for kind in (*range(KINDS), 0):
                    make_awkward(bench, of, kind)
    doomed: list[Obj] = []
    for of in classes:
        with suppress(Unavailable):
            doomed += [bench.stock.make(of.name) for _ in range(DESTROYED if of.destructor else 0)]
    kept = Kept(bench, first, take(bench, fmt))
    _look_around(kept)
    for obj in doomed:
        record = kept.last.get(obj.cls, {}).get(obj.ref)
        with suppress(Unavailable):
            if record is not None and bench.stock.remove(obj):
                kept.gone.setdefault(obj.cls, {})[obj.ref] = record
    for of in kept.classes:
        if any(isinstance(f.type, SetOf) and refs_in(f.type) & kept.gone.keys() for f in of.fields.values()):
            with suppress(Unanswered, Unavailable):
                kept.left[of.name] = read_all(bench, of, fmt)[0]
    return kept


def _can_make(bench: Bench, of: ApiClass) -> bool:
    with suppress(Unavailable):
        bench.stock.own(of.name)
        return True
    return False


def _look_around(kept: Kept) -> None:
    """Note what each format tells and finds before the restart."""
    for fmt in kept.bench.formats:
        for of in kept.classes:
            for ref in _asked_for(kept, of, LOOKED_UP + DESTROYED):
                kept.found[ref, fmt] = ways(kept.bench, of, fmt, ref, kept.last[of.name][ref])
    for fmt in kept.bench.formats:
        for of in kept.classes:
            kept.told[of.name, fmt] = _read(kept, of, fmt)


def _asked_for(kept: Kept, of: ApiClass, count: int) -> list[Ref]:
    """Return so many of our newest objects of a class that are to stay."""
    lasting = [ref for ref in kept.last.get(of.name, ()) if (of.name, ref) in kept.own]
    return [] if may_end(of.name, own=True) else lasting[-count:]


def _read(kept: Kept, of: ApiClass, fmt: Format) -> Found:
    """Return what a class has after the restart, or why that cannot be told."""
    try:
        return read_all(kept.bench, of, fmt) if of.name in kept.last else ({}, ())
    except (Unanswered, Unavailable) as why:
        return why


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
    for ref in _asked_for(kept, of, LOOKED_UP):
        before = kept.found[ref, fmt]
        for message, (found, seen) in ways(kept.bench, of, fmt, ref, kept.last[of.name][ref]).items():
            if message in before and before[message][0]:
                judge.true(found, f"{ref} by {message}, as before", describe(seen), before[message][1], seen)


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
