"""Level 2, writing: a setter does nothing else than write its own field, over every format.

Only plain values are used here: what hard values do on the wire is level 1's business, so that a finding names the
rule that is broken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import (
    Place,
    has_written,
    one_by_one,
    written,
)
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, show
from xenconform.conformance.checks.snapshots import Record, Snapshot, changes, take
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.surrounding import surrounded
from xenconform.conformance.checks.twins import twins
from xenconform.models.api import ApiClass, Qualifier
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Str
from xenconform.models.values import Ref, same

THREE = 3
"""So many twins are written: a mistake in counting may spare the first two."""


@dataclass(slots=True)
class Watched:
    """The object that is written, and those of its class that are watched with it: a twin, and one that was there.

    `strangers` are those of them that are not ours. `records` is what the last look at each showed.
    """

    bench: Bench
    of: ApiClass
    obj: Obj
    others: tuple[Ref, ...]
    strangers: tuple[Ref, ...]
    records: dict[Ref, Record] = field(default_factory=dict)

    def look(self, fmt: Format) -> dict[Ref, tuple[Record, Exchange]]:
        """Read all of them and remember what they show."""
        found = {ref: self.bench.ask(fmt, f"{self.of.name}.get_record", ref) for ref in (self.obj.ref, *self.others)}
        self.records = {ref: record for ref, (record, _) in found.items()}
        return found


def setter_changes_only_its_field(bench: Bench, of: ApiClass) -> None:
    """set_f, add_f and their like change that field of that object and nothing else. Source: introduction.

    Compared are the fields that only clients change (RW and RO/constructor) of the object, of a twin that was made
    with the same values, and of a neighbour. First the objects are new: what they share, and what a setter spoils
    once and for all, shows then. In further rounds their fields are full, so that what is emptied shows. Each of the
    twins is written in its round; others refer to the first of them.
    """
    try:
        made = twins(bench, of.name, THREE)
    except Unavailable:
        made = ()
    with ExitStack() as stack:
        try:
            watched = _watched(bench, of, made)
            if made:
                stack.enter_context(surrounded(bench, of, 1, made[0].ref))
        except Unavailable as why:
            for each in written(of):
                with bench.judging("SET-ONLY-THAT", f"{of.name}.{each.name}") as judge:
                    judge.untested(str(why))
            return
        for each in written(of):
            stack.enter_context(bench.restoring(watched.obj, each.name))
        before = take(bench, bench.formats[0])
        _rounds(watched, made)
        _nothing_elsewhere(watched, before, take(bench, bench.formats[0]))
    for obj in made:
        bench.stock.remove(obj)


def _watched(bench: Bench, of: ApiClass, made: Sequence[Obj]) -> Watched:
    obj = made[0] if made else bench.stock.writable(of.name)
    own = {each.ref for each in made}
    others = [ref for ref in bench.stock.all_refs(of.name) if ref not in own and ref != obj.ref][:1]
    return Watched(bench, of, obj, tuple(others), tuple(others))


def _rounds(watched: Watched, made: Sequence[Obj]) -> None:
    bench = watched.bench
    formats = bench.formats if bench.budget.boundaries else (bench.other(bench.formats[0]),)
    for number, fmt in enumerate((bench.formats[0], *formats)):
        if number:
            _fill(watched, made or (watched.obj,), number)
        if made:
            # The next one, watched together with those before and behind it.
            watched.obj = made[number % len(made)]
            watched.others = (*(obj.ref for obj in made if obj != watched.obj), *watched.strangers)
        watched.records = {}
        for each in written(watched.of):
            place = Place(bench, watched.of, each, watched.obj, fmt)
            with bench.judging("SET-ONLY-THAT", f"{watched.of.name}.{each.name}", fmt) as judge:
                _only_that(place, judge, watched)
            if number and made and isinstance(each.type, Str):
                _put_back(place, watched, made)


def _fill(watched: Watched, objects: Sequence[Obj], number: int) -> None:
    """Write a plain value to every field; flags differ from their neighbours and from the round before."""
    for at, each in enumerate(written(watched.of)):
        for obj in objects:
            place = Place(
                watched.bench, watched.of, each, obj, watched.bench.formats[number % len(watched.bench.formats)]
            )
            try:
                values = place.plain(2)
            except Unavailable:
                continue
            if values:
                place.bench.call(place.fmt, place.message("set"), obj.ref, values[(at + number) % len(values)])


def _only_that(place: Place, judge: Judge, watched: Watched) -> None:
    fmt = place.bench.other(place.fmt)
    before = watched.records or {ref: record for ref, (record, _) in watched.look(fmt).items()}
    name = place.field.name
    others = [before[ref][name] for ref in watched.others if name in before[ref]]
    for verb, args in one_by_one(place, before[place.obj.ref].get(name), others):
        wrote = place.bench.call(place.fmt, place.message(verb), place.obj.ref, *args)
        if isinstance(wrote.reply.outcome, Failure):
            continue  # counted under the clause that the verb has
        before = watched.records
        for ref, (after, seen) in watched.look(fmt).items():
            if before[ref].get("uuid") != after.get("uuid"):
                continue  # the record of another object; counted under GET-RECORD-AGREES
            mine = ref == place.obj.ref
            changed = changed_by_clients(place.of, before[ref], after) - place.bench.coupled(place.of, place.field)
            changed -= {place.field.name} if mine else set()
            told = _told(changed, before[ref], after, "the object" if mine else "another object")
            judge.true(not changed, f"{verb}_{place.field.name} changes nothing else", told, wrote, seen)
            _tell_constructors(place, changed, (before[ref], after), (wrote, seen))


def _put_back(place: Place, watched: Watched, made: Sequence[Obj]) -> None:
    """Give a text back the value that its twins have: who tells objects apart by it takes them for one another."""
    name, twin = place.field.name, next(obj.ref for obj in made if obj != place.obj)
    value = watched.records.get(twin, {}).get(name)
    wrote = place.bench.call(place.fmt, place.message("set"), place.obj.ref, value) if value is not None else None
    if wrote is not None and isinstance(wrote.reply.outcome, Success):
        watched.records[place.obj.ref] = {**watched.records[place.obj.ref], name: value}


def _told(changed: set[str], before: Record, after: Record, who: str) -> str:
    return "; ".join(f"{n} of {who}: {show(before.get(n))} -> {show(after.get(n))}" for n in sorted(changed))


def _tell_constructors(
    place: Place, changed: set[str], records: tuple[Record, Record], seen: tuple[Exchange, ...]
) -> None:
    """A field that the constructor alone gives its value must not follow a setter: that is a clause of its own."""
    for name in changed:
        if place.of.fields[name].qualifier is Qualifier.CONSTRUCTOR:
            with place.bench.judging("QUAL-RO-CONSTRUCTOR", f"{place.of.name}.{name}", place.fmt) as other:
                other.fail(show(records[0].get(name)), show(records[1].get(name)), *seen)


def _nothing_elsewhere(watched: Watched, before: Snapshot, after: Snapshot) -> None:
    """Every object of another class is as it was, but for the ends of bound pairs.

    What others write is no setter's doing: of an object that is not ours, a setter has to be found that does it again.
    """
    bench, of = watched.bench, watched.of
    made = {(obj.cls, obj.ref) for obj in bench.stock.made}
    for cls in before.keys() & after.keys() - {of.name}:
        for ref in before[cls].keys() & after[cls].keys():
            obj = Obj(cls, ref, own=(cls, ref) in made)
            if not list(_changes(bench, of, obj, before[cls][ref], after[cls][ref])):
                continue
            for each in written(of):
                place = Place(bench, of, each, watched.obj, bench.formats[0])
                for told, wrote in _does_it_again(place, obj):
                    with bench.judging("SET-ONLY-THAT", f"{of.name}.{each.name}", place.fmt) as judge:
                        judge.fail(f"set_{each.name} changes nothing of a {cls}", told, wrote)


def _changes(bench: Bench, of: ApiClass, obj: Obj, before: Record, after: Record) -> Iterator[str]:
    ends = {end for r in bench.api.relations for end in (
        (r.owner_cls, r.owner_field, r.derived_cls), (r.derived_cls, r.derived_field, r.owner_cls))}  # fmt: skip
    bound = {name for cls, name, far in ends if cls == obj.cls and far == of.name}
    yield from changes(bench.api, bench.api.classes[obj.cls], before, after, own=obj.own, without=bound)


AGAIN = 3
"""So often a suspect does both of its writes again, with as many looks at the object before each."""


def _does_it_again(place: Place, obj: Obj) -> Sequence[tuple[str, Exchange]]:
    """Return what the last of several writes changes of an object that stands still but for each of them, else nothing.

    Another client that writes that object all the time is not to meet every one of them by chance.
    """
    bench, read = place.bench, partial(place.bench.ask, place.fmt, f"{obj.cls}.get_record", obj.ref)
    told: list[tuple[str, Exchange]] = []
    try:
        values, (now, _) = place.plain(2), place.read()
        turns = values[::-1] if values and same(place.field.type, values[0], now) else values
        for value in turns * AGAIN:
            first, still = [read()[0] for _ in range(AGAIN)][:: AGAIN - 1]
            wrote = place.do("set", value)
            after, _ = read()
            moved = list(_changes(bench, place.of, obj, first, still))
            said = list(_changes(bench, place.of, obj, still, after))
            if moved or not said:
                return ()
            told = [("; ".join(said), wrote)]
    except (Unanswered, Unavailable):
        return ()
    return told


def changed_by_clients(of: ApiClass, before: Record, after: Record) -> set[str]:
    """Return the fields that only clients change and that differ between two records of an object."""
    return {
        name
        for name, each in of.fields.items()
        if each.qualifier is not Qualifier.RUNTIME
        and name in before
        and name in after
        and not same(each.type, before[name], after[name])
    }


CHECKS = (
    Check(
        "SET-ONLY-THAT",
        per_class=setter_changes_only_its_field,
        applies=has_written,
        also=("QUAL-RO-CONSTRUCTOR",),
    ),
)
