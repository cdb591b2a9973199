"""Level 4, restarts: after one every object is there with its fields, and what was destroyed stays gone.

What a restart may change is the table of models/lasting.py. Objects that are not ours may be changed by others at any
time: of those only what stood still while our own objects were made is compared, and a class whose objects come and go
in that time is left to our own.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from xenconform.conformance.checks.awkward import KINDS, fill, make_awkward, put_back_later
from xenconform.conformance.checks.bench import Bench, no_restart
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, result_of, show
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
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.lasting import ENDING, has_not_ended, may_end
from xenconform.models.profiles import Scope
from xenconform.models.types import RefTo, SetOf
from xenconform.models.values import Ref, same

CLAUSE = "PERSIST"
DESTROYED = 2
"""So many objects of a class are destroyed before, and so many made after: a server that counts on from the objects
it finds would give a ref again."""
SHOWN = 5
"""How many differences of a class a finding tells; the exchanges have the rest."""
UNKNOWN = frozenset({"UUID_INVALID", "HANDLE_INVALID"})
"""With these a look-up says that there is no such object."""
LOOKED_UP = 3
"""So many objects of a class are looked up by uuid and name."""


Found: TypeAlias = "tuple[Records, tuple[Exchange, ...]] | Exception"
"""The records of a class with the exchanges that told them, or why there are none."""


@dataclass(slots=True)
class Kept:
    """What is to be there after a restart.

    `first` and `last` are what the server showed before and after our own objects were made; `gone` are the objects
    that were destroyed then, with their last records.
    """

    bench: Bench
    first: Snapshot
    last: Snapshot
    gone: dict[str, dict[Ref, Record]] = field(default_factory=dict)

    @property
    def own(self) -> set[tuple[str, Ref]]:
        """The objects that this run made."""
        return {(obj.cls, obj.ref) for obj in self.bench.stock.made}

    def is_about(self, of: ApiClass) -> bool:
        """Whether a class is one of the run's, or one of which objects were made for those."""
        return of in self.bench.classes or any(obj.cls == of.name for obj in self.bench.stock.made)

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
            about = [of for of in bench.api.classes.values() if has_objects(of) and kept.is_about(of)]
            read = [(of, fmt) for of in about for fmt in bench.formats]
            # All is read before anything is looked up: what a look-up changes is no restart's doing.
            after = [_read(kept, of, fmt) for of, fmt in read]
            for (of, fmt), found in zip(read, after, strict=True):
                with bench.judging(CLAUSE, of.name, fmt) as judge:
                    _compare(kept, judge, of, (fmt, found), busy)
            for of in bench.classes:
                if of.name in kept.gone:
                    with bench.judging(CLAUSE, f"new {of.name}") as judge:
                        _new_ones_are_new(kept, judge, of)


def _refs(records: dict[str, dict[Ref, Record]]) -> set[tuple[str, Ref]]:
    return {(cls, ref) for cls, rows in records.items() for ref in rows}


def _prepare(bench: Bench, afterwards: ExitStack) -> Kept:
    """Make objects, write to them, destroy the newest; the destroys are the last that the server is told.

    The first of those that stay has what its constructor gave it and no more; the last is like the second in all that
    it is given, its name too.

    Objects that were there before are written, where they may be, before the first look at them.
    """
    fmt, classes = bench.formats[0], bench.classes
    for of in classes:
        if has_objects(of) and not of.constructors and bench.profile.scope is not Scope.OWN:
            with suppress(Unavailable):
                _write_existing(bench, of, afterwards)
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
    for obj in doomed:
        record = kept.last.get(obj.cls, {}).get(obj.ref)
        with suppress(Unavailable):
            if record is not None and bench.stock.remove(obj):
                kept.gone.setdefault(obj.cls, {})[obj.ref] = record
    return kept


def _write_existing(bench: Bench, of: ApiClass, afterwards: ExitStack) -> None:
    obj = bench.stock.writable(of.name)
    put_back_later(bench, of, obj, afterwards)
    fill(bench, of, obj, 2)


def _read(kept: Kept, of: ApiClass, fmt: Format) -> Found:
    """Return what a class has after the restart, or why that cannot be told."""
    try:
        return read_all(kept.bench, of, fmt) if of.name in kept.last else ({}, ())
    except (Unanswered, Unavailable) as why:
        return why


def _compare(kept: Kept, judge: Judge, of: ApiClass, told: tuple[Format, Found], busy: set[str]) -> None:
    (fmt, found), bench, cls = told, kept.bench, of.name
    if cls not in kept.last:
        if of.lifecycle.state is State.REMOVED:
            judge.unsupported("removed in this release, and not read before the restart either")
            return
        raise Unavailable(f"the objects of {cls} could not be read before the restart")
    if isinstance(found, Exception):
        raise found
    after, seen = found
    gone, own = kept.gone.get(cls, {}), kept.own
    wrong: list[str] = []
    for ref, record in kept.last[cls].items():
        if ref in gone:
            continue
        if (cls, ref) not in own and (cls in busy or ref not in kept.first.get(cls, {})):
            continue
        judge.asserted += 1
        if ref not in after:
            wrong += [] if may_end(cls, own=(cls, ref) in own) else [f"{ref} is gone"]
            continue
        expected = _without_gone(kept, of, record)
        moving = kept.moving(of, ref, busy)
        said = changes(bench.api, of, expected, after[ref], own=(cls, ref) in own, without=moving)
        wrong += [f"{ref}: {each}" for each in said]
    wrong += [f"{ref}, which was destroyed, is back" for ref in gone if ref in after]
    more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    if wrong:
        judge.fail("every object as before the restart", "; ".join(wrong[:SHOWN]) + more, *seen[-1:])
    _look_up(kept, judge, of, fmt)
    if not judge.asserted:
        raise Unavailable(f"the server has no {cls} that stood still before the restart, and none could be made")


def _without_gone(kept: Kept, of: ApiClass, record: Record) -> Record:
    """Return an object's record without what was destroyed after it was read."""
    changed = dict(record)
    for name, of_field in of.fields.items():
        match of_field.type:
            case SetOf(RefTo(cls)) if cls in kept.gone and name in record:
                changed[name] = tuple(ref for ref in record[name] if ref not in kept.gone[cls])
            case RefTo(cls) if record.get(name) in kept.gone.get(cls, {}):
                del changed[name]
    return changed


def _look_up(kept: Kept, judge: Judge, of: ApiClass, fmt: Format) -> None:
    """Judge look-ups by uuid and name: of what is there, and of what was destroyed."""
    cls, bench = of.name, kept.bench
    own = [ref for ref in kept.last[cls] if (cls, ref) in kept.own and not may_end(cls, own=True)]
    for ref in own[-LOOKED_UP:]:
        found = _found(bench, of, fmt, kept.last[cls][ref])
        for by, refs in found.items():
            judge.true(ref in refs, f"{ref} by its {by}", show(refs))
    for ref, record in kept.gone.get(cls, {}).items():
        for reader in ("get_uuid", "get_record"):
            if reader in of.messages:
                judge.refused(bench.call(fmt, f"{cls}.{reader}", ref, probe=True), f"{reader} of what was destroyed")
        for by, refs in _found(bench, of, fmt, record).items():
            judge.true(ref not in refs, f"nothing destroyed by its {by}", show(refs))


def _found(bench: Bench, of: ApiClass, fmt: Format, record: Record) -> dict[str, tuple[Ref, ...]]:
    """Return the refs that are found by a record's uuid and name, by what was looked up; none where it is unknown.

    A look-up that is refused for another reason is left out.
    """
    found: dict[str, tuple[Ref, ...]] = {}
    for name in ("uuid", "name_label"):
        if f"get_by_{name}" in of.messages and name in record:
            outcome = bench.call(fmt, f"{of.name}.get_by_{name}", record[name], probe=True).reply.outcome
            if isinstance(outcome, Success):
                found[name] = (outcome.value,) if isinstance(outcome.value, str) else tuple(outcome.value)
            elif isinstance(outcome, Failure) and outcome.code in UNKNOWN:
                found[name] = ()
    return found


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
