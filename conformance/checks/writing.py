"""Level 2, writing: a setter does nothing else than write its own field, over every format.

Only plain values are used here: what hard values do on the wire is level 1's business, so that a finding names the
rule that is broken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import MappingProxyType

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.creating_fields import varied
from xenconform.conformance.checks.elsewhere import nothing_elsewhere
from xenconform.conformance.checks.fields import (
    Place,
    has_written,
    is_free,
    one_by_one,
    written,
)
from xenconform.conformance.checks.judging import Judge, Unavailable, show
from xenconform.conformance.checks.own_field import OWN, add_members, tell_own_clause, write_plainly
from xenconform.conformance.checks.snapshots import Record, take
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.surrounding import surrounded
from xenconform.conformance.checks.twins import twins
from xenconform.models.api import ApiClass, Qualifier
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.lasting import lasting_fields
from xenconform.models.types import NULL_REF, Bool, Enum, Int, MapOf, RefTo, SetOf, Str, refs_in
from xenconform.models.values import Ref, Value, same

NOTHING: Mapping[type, Value] = MappingProxyType({Str: "", Int: 0, RefTo: NULL_REF, SetOf: (), MapOf: {}})
"""By type, the value with nothing in it."""
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
    with the same values, and of a neighbour. First the objects are new, two of them without what has a default: what
    they share, and what a setter spoils once and for all, shows then. In further rounds their fields are full, so that
    what is emptied shows. Each of the twins is written in its round; others refer to the first of them.
    """
    try:
        made = twins(
            bench, of.name, THREE, [_fixed(bench, of, variant) for variant in range(2)], without=_collections(of)
        )
    except Unavailable:
        made = ()
    with ExitStack() as stack:
        try:
            watched = _watched(bench, of, made)
            if made:
                for obj in stack.enter_context(surrounded(bench, of, 1, made[0].ref)):
                    write_plainly(bench, bench.api.classes[obj.cls], obj)
        except Unavailable as why:
            for each in written(of):
                with bench.judging("SET-ONLY-THAT", f"{of.name}.{each.name}") as judge:
                    judge.untested(str(why))
            return
        for each in written(of):
            stack.enter_context(bench.restoring(watched.obj, each.name))
        before = take(bench, bench.formats[0])
        _rounds(watched, made)
        nothing_elsewhere(bench, of, watched.obj, before, take(bench, bench.formats[0]))
    for obj in made:
        bench.stock.remove(obj)


def _fixed(bench: Bench, of: ApiClass, variant: int) -> dict[str, Value]:
    """Return values for what the constructor alone gives, each flag up in one variant: a reset to a default shows."""
    if not of.constructors:
        return {}
    free = {
        name
        for name, each in given_fields(of, bench.stock.constructor(of.name))
        if each.qualifier is Qualifier.CONSTRUCTOR and not refs_in(each.type) and not isinstance(each.type, Enum)
    }
    return {name: value for name, value in varied(bench, of, variant, mixed=True).items() if name in free}


def _collections(of: ApiClass) -> list[str]:
    """Return the sets and maps that a record may lack: the default is to be each object's own."""
    return [each.name for each in written(of) if each.has_default and isinstance(each.type, SetOf | MapOf)]


def _watched(bench: Bench, of: ApiClass, made: Sequence[Obj]) -> Watched:
    obj = made[0] if made else bench.stock.writable(of.name)
    own = {each.ref for each in made}
    found = bench.stock.all_refs(of.name) if of.name != "session" else (bench.onlooker.ref(bench),)
    others = [ref for ref in found if ref and ref not in own and ref != obj.ref][:1]
    return Watched(bench, of, obj, tuple(others), tuple(others))


def _rounds(watched: Watched, made: Sequence[Obj]) -> None:
    bench = watched.bench
    formats = bench.formats if bench.budget.boundaries else (bench.other(bench.formats[0]),)
    if len(made) == THREE:
        add_members(bench, watched.of, made[-1])
    for number, fmt in enumerate((bench.formats[0], *formats)):
        if number:
            _fill(watched, made or (watched.obj,), number)
        if made:
            # The next one, watched together with those before and behind it.
            watched.obj = made[number % len(made)]
            watched.others = (*(obj.ref for obj in made if obj != watched.obj), *watched.strangers)
        watched.records = {}
        for at, each in enumerate(written(watched.of)):
            # A session that keeps rows is not to write what it read before the other one wrote.
            place = Place(bench, watched.of, each, watched.obj, fmt, elsewhere=number > 0 and (at + number) % 2 == 0)
            with bench.judging("SET-ONLY-THAT", f"{watched.of.name}.{each.name}", fmt) as judge:
                _only_that(place, judge, watched, number)
            if number and made and isinstance(each.type, Str) and not place.elsewhere:
                _put_back(place, watched, made)


def _fill(watched: Watched, objects: Sequence[Obj], number: int) -> None:
    """Write a plain value to every field; flags differ from their neighbours and from the round before.

    Where a field has few values one of the others differs from the object that is written next: it has what that is
    given then, and what one alone may have would be taken from it; the others show what comes to all.
    What explicit messages write of objects of ours is written as well, once: nobody else does.
    """
    for at, each in enumerate(written(watched.of)):
        apart = 1 + (at // 2 + number) % 2 if isinstance(each.type, Bool | Enum) else len(objects)
        for behind, obj in enumerate(objects):
            place = Place(
                watched.bench, watched.of, each, obj, watched.bench.formats[number % len(watched.bench.formats)]
            )
            try:
                values = place.plain(2)
            except Unavailable:
                continue
            if values:
                step = at + number + ((behind - number) % len(objects) == apart)
                place.bench.call(place.fmt, place.message("set"), obj.ref, values[step % len(values)])
    for obj in objects if number == 1 else ():
        if obj.own:
            write_plainly(watched.bench, watched.of, obj, without_rw=True)


def _only_that(place: Place, judge: Judge, watched: Watched, number: int) -> None:
    """Write a field in the ways of a round: with values of its own, with one that others have, with none at all."""
    fmt = place.bench.other(place.fmt)
    before = watched.records or {ref: record for ref, (record, _) in watched.look(fmt).items()}
    name = place.field.name
    current = before[place.obj.ref].get(name)
    others = [before[ref][name] for ref in watched.others if name in before[ref]]
    ways = [*one_by_one(place, current, others, shared=number > 0)]
    if not number and isinstance(place.field.type, Str) and is_free(place):
        ways.insert(0, ("set", ("1",)))  # where a text is a number, others may be worked out of it
    if number == 1 and isinstance(place.field.type, Str):
        ways += [("set", (theirs,)) for theirs in others if theirs][:1]
    if not number and isinstance(place.field.type, Bool) and ways and current is not None:
        ways.append(("set", (current,)))  # as all others are: what wants one to be otherwise takes the next
    for verb, args in ways:
        _write(place, judge, watched, (verb, args))
    if number == 1 and is_free(place):
        _empty_by_members(place, judge, watched)
    nothing, filled = NOTHING.get(type(place.field.type)), watched.records[place.obj.ref].get(name)
    if number == 2 and nothing is not None and filled and is_free(place):
        _write(place, judge, watched, ("set", (nothing,)))
        _set_unwatched(place, watched, filled)  # what goes when another field is emptied is to show


def _empty_by_members(place: Place, judge: Judge, watched: Watched) -> None:
    """Take the last member out of a set or a map: what goes along with what is empty is to show."""
    verb = {SetOf: "remove", MapOf: "remove_from"}.get(type(place.field.type))
    filled = watched.records[place.obj.ref].get(place.field.name)
    if verb is not None and filled:
        last = next(iter(filled))
        _set_unwatched(place, watched, {last: filled[last]} if isinstance(filled, dict) else (last,))
        _write(place, judge, watched, (verb, (last,)))
        _set_unwatched(place, watched, filled)


def _write(place: Place, judge: Judge, watched: Watched, way: tuple[str, tuple[Value, ...]]) -> None:
    verb, args = way
    wrote = place.call(verb, *args)
    if not isinstance(wrote.reply.outcome, Failure):  # else counted under the clause that the verb has
        _look_around(place, judge, watched, (verb, args, wrote))


def _look_around(place: Place, judge: Judge, watched: Watched, done: tuple[str, tuple[Value, ...], Exchange]) -> None:
    bench, (verb, args, wrote) = place.bench, done
    before = watched.records
    for ref, (after, seen) in watched.look(bench.other(place.fmt)).items():
        if before[ref].get("uuid") != after.get("uuid") and not _is_renamed(place, watched, before, after):
            continue  # the record of another object; counted under GET-RECORD-AGREES
        mine = ref == place.obj.ref
        own = ref not in watched.strangers and place.obj.own
        changed = _changed(place, before[ref], after, own=own) - bench.coupled(place.of, place.field)
        changed -= {place.field.name} if mine else set()
        told = _told(changed, before[ref], after, "the object" if mine else "another object")
        judge.true(not changed, f"{verb}_{place.field.name} changes nothing else", told, wrote, seen)
        _tell_constructors(place, changed, (before[ref], after), (wrote, seen))
        if mine and isinstance(wrote.reply.outcome, Success):
            tell_own_clause(place, (verb, args), (before[ref], after), (wrote, seen))


def _is_renamed(place: Place, watched: Watched, before: dict[Ref, Record], after: Record) -> bool:
    """Whether the written object has a new uuid, that its getter and a look-up show too, and nobody had before."""
    bench, of, new = place.bench, place.of, after.get("uuid")
    if new is None or any(new == record.get("uuid") for record in before.values()) or not place.obj.own:
        return False
    if not {"get_uuid", "get_by_uuid"} <= of.messages.keys():
        return False
    shown = bench.call(place.fmt, f"{of.name}.get_uuid", place.obj.ref).reply.outcome
    found = bench.call(place.fmt, f"{of.name}.get_by_uuid", new, probe=True).reply.outcome
    return shown == Success(new) and found == Success(watched.obj.ref)


def _changed(place: Place, before: Record, after: Record, *, own: bool) -> set[str]:
    """Return the fields that differ of those that clients alone change; of an object of ours these are more."""
    if not own:
        return changed_by_clients(place.of, before, after)
    still = lasting_fields(place.bench.api, place.of, own=True)
    both = [each for each in still if each.name in before and each.name in after]
    return {each.name for each in both if not same(each.type, before[each.name], after[each.name])}


def _put_back(place: Place, watched: Watched, made: Sequence[Obj]) -> None:
    """Give a text back the value that its twins have: who tells objects apart by it takes them for one another."""
    name, twin = place.field.name, next(obj.ref for obj in made if obj != place.obj)
    value = watched.records.get(twin, {}).get(name)
    if value is not None:
        _set_unwatched(place, watched, value)


def _set_unwatched(place: Place, watched: Watched, value: Value) -> None:
    wrote = place.call("set", value)
    if isinstance(wrote.reply.outcome, Success):
        watched.records[place.obj.ref] = {**watched.records[place.obj.ref], place.field.name: value}


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
        also=("QUAL-RO-CONSTRUCTOR", *OWN.values()),
    ),
)
