"""Level 2, listings: the ways to list a class's objects speak of the same ones, and of the same values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from xenconform.conformance.checks.awkward import LONG, make_awkward, settable
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.crowds import all_are_found
from xenconform.conformance.checks.fields import Place, one_by_one
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, show
from xenconform.conformance.checks.onlooker import ask
from xenconform.conformance.checks.reading import STILL
from xenconform.conformance.checks.relations import all_bound
from xenconform.conformance.checks.roundtrip import writer
from xenconform.conformance.checks.states import in_states
from xenconform.conformance.checks.stirring import EMPTY
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.twins import twins
from xenconform.models.api import Api, ApiClass, Qualifier
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import NULL_REF, MapOf, RefTo, SetOf, Str, refs_in
from xenconform.models.values import Ref, Value, same

CROWD, LARGE_CROWD = 10, 27
"""So many objects of our own are listed with those that are there; the larger a budget with boundary values."""
PAGE, FEW_FIELDS = 101, 10
"""More objects than servers tell in a page, of classes with less fields than so many."""
GOES = (2, 2, -2)
"""Which of a crowd is ended, by turns: one in the middle, whose place the last one may take, and then that one."""
WRITES = 3
"""So many ways to write a field are tried."""


def is_listed(_api: Api, of: ApiClass) -> bool:
    """Whether the class publishes both ways to list its objects."""
    return {"get_all", "get_all_records", "get_record"} <= of.messages.keys()


def all_ways_to_list_agree(bench: Bench, of: ApiClass) -> None:
    """get_all and get_all_records name the same objects, each record equal to get_record. Source: introduction.

    More objects than 8 are listed, some of them with one name, one full of awkward values, one of long ones and one
    without any, where the server lets them be made, and some in other states; then each field of one is written, and
    the listing has to show it. What is listed in one session is looked at in the other one too.
    """
    crowd: list[Obj] = []
    with suppress(Unavailable, Unanswered):
        crowd.append(make_awkward(bench, of, 0))
        crowd.append(_blank(bench, of))
        crowd.append(make_awkward(bench, of, LONG))
        crowd += _unbound(bench, of)
        count = max(_crowd(bench, of), bench.budget.objects)
        crowd += twins(bench, of.name, count - len(crowd), all_bound(bench, of))
    try:
        with in_states(bench, of) as moved:
            for at, fmt in enumerate(bench.formats):
                with bench.judging("GET-ALL-AGREES", of.name, fmt) as judge:
                    _compare_listings(bench, judge, of, fmt, moved, elsewhere=at % 2 == 0)
                if len(crowd) > 1:
                    all_are_found(bench, of, crowd, fmt)
                    with suppress(Unavailable):
                        _listing_follows_an_exchange(
                            bench, of, crowd, (fmt, GOES[at % len(GOES)]), elsewhere=at % 2 == 0
                        )
    finally:
        for obj in reversed(crowd):
            bench.stock.remove(obj)
    _listings_follow_writes(bench, of)


def _crowd(bench: Bench, of: ApiClass) -> int:
    """Return how many objects are listed: more than a page where they are rows and nothing else.

    Such are those of few fields that refer to nothing, and that a record makes and an implicit message ends.
    """
    if not bench.budget.boundaries:
        return CROWD
    maker = bench.stock.constructor(of.name)
    rows = maker.record and of.messages[of.destructor].implicit if of.destructor else False
    alone = not any(refs_in(field.type) for _, field in given_fields(of, maker))
    return PAGE if rows and alone and len(of.fields) < FEW_FIELDS else LARGE_CROWD


def _blank(bench: Bench, of: ApiClass) -> Obj:
    """Make an object whose texts and collections are all empty, or as many of them as the server lets be so.

    Raises:
        Unavailable: none can be made.
    """
    taken = given_fields(of, bench.stock.constructor(of.name))
    free = {name: field for name, field in taken if bench.profile.domain(of.name, field.name).is_free}
    empty: dict[str, Value] = {name: () for name, field in free.items() if isinstance(field.type, SetOf)}
    empty |= {name: {} for name, field in free.items() if isinstance(field.type, MapOf)}
    empty |= {name: "" for name, field in free.items() if isinstance(field.type, Str) and name != "uuid"}
    for values in (empty, {name: "" for name in empty if name == "name_label"}):
        exchange = bench.stock.try_make(of.name, values) if values else None
        if exchange is not None and isinstance(exchange.reply.outcome, Success):
            return bench.stock.adopt(of.name, exchange)
    obj = bench.stock.make(of.name)
    if "set_name_label" in of.messages and bench.profile.domain(of.name, "name_label").is_free:
        bench.call(bench.formats[0], f"{of.name}.set_name_label", obj.ref, "")
    return obj


def _unbound(bench: Bench, of: ApiClass) -> Iterator[Obj]:
    """Make an object that refers to as little as the server lets it: a listing that joins tables may leave it out."""
    taken = given_fields(of, bench.stock.constructor(of.name))
    nulls = [name for name, field in taken if isinstance(field.type, RefTo)]
    ways = (EMPTY.get(of.name), dict.fromkeys(nulls, NULL_REF), *({name: NULL_REF} for name in nulls))
    for values in filter(None, ways):
        exchange = bench.stock.try_make(of.name, values)
        if isinstance(exchange.reply.outcome, Success):
            yield bench.stock.adopt(of.name, exchange)
            return


def _compare_listings(
    bench: Bench, judge: Judge, of: ApiClass, fmt: Format, moved: Sequence[Obj], *, elsewhere: bool
) -> None:
    refs, listed = ask(bench, fmt, f"{of.name}.get_all", elsewhere=elsewhere)
    records, exchange = ask(bench, fmt, f"{of.name}.get_all_records", elsewhere=not elsewhere)
    again, later = ask(bench, fmt, f"{of.name}.get_all", elsewhere=elsewhere)
    steady = set(refs) & set(again)
    surplus = records.keys() - (set(refs) | set(again))
    if surplus:  # An object that others made and ended in between is no defect; one that is never listed is.
        surplus &= bench.ask(fmt, f"{of.name}.get_all_records")[0].keys()
        surplus -= set(bench.ask(fmt, f"{of.name}.get_all")[0])
    judge.true(
        steady <= records.keys() and not surplus,
        f"the {len(steady)} objects of get_all",
        f"get_all_records lacks {sorted(steady - records.keys())[:3]}, has besides {sorted(surplus)[:3]}",
        listed,
        exchange,
        later,
    )
    own = bench.stock.known_refs(of.name)
    judge.true(own <= set(again), "every object that was created", f"without {sorted(own - set(again))}", later)
    there = [ref for ref in again if ref in records]
    few = bench.budget.objects
    brought = [obj.ref for obj in moved if obj.ref in records]
    for ref in dict.fromkeys((*there[:few], *there[-few:], *[ref for ref in there if ref in own][:few], *brought)):
        _same_record(bench, judge, of, (fmt, ref), records[ref], exchange)


def _listings_follow_writes(bench: Bench, of: ApiClass) -> None:
    """Each way to write a field shows in the listing as get_record shows it, over one format or another."""
    for at, field in enumerate(settable(bench, of)):
        fmt = bench.formats[at % len(bench.formats)]
        with suppress(Unavailable, Unanswered):  # counted under the clause of the message
            obj = bench.stock.writable(of.name)
            place = Place(bench, of, field, obj, bench.other(fmt))
            with bench.restoring(obj, field.name):
                _listing_follows(place, fmt, elsewhere=at % 2 == 0)


def _listing_follows(place: Place, fmt: Format, *, elsewhere: bool) -> None:
    """Write an object over another format: the listing shows what get_record shows.

    Raises:
        Unavailable: no value of the field is known.
    """
    bench, of, ref = place.bench, place.of, place.obj.ref
    ask(bench, fmt, f"{of.name}.get_all_records", elsewhere=elsewhere)
    for message, args in tuple(_ways_to_write(place))[:WRITES]:
        wrote = bench.call(place.fmt, message, ref, *args)
        if not isinstance(wrote.reply.outcome, Success):
            continue  # counted under the clause that the message has
        with bench.judging("GET-ALL-AGREES", f"{of.name}.{place.field.name}", fmt) as judge:
            records, exchange = ask(bench, fmt, f"{of.name}.get_all_records", elsewhere=elsewhere)
            if ref in records:
                record = _same_record(bench, judge, of, (fmt, ref), records[ref], exchange)
                _not_once_late(place, judge, (fmt, elsewhere), (records[ref], record))
            else:
                judge.asserted += 1  # that it is not listed at all is told of the class


def _not_once_late(
    place: Place,
    judge: Judge,
    how: tuple[Format, bool],
    shown: tuple[dict[str, Value], dict[str, Value]],
) -> None:
    """A listing that shows what was there before a write, if once alone, does so again after the next one.

    `shown` is the record in the listing after it, and the one that was read by itself then.
    """
    (fmt, elsewhere), name = how, place.field.name
    late, now = (record.get(name) for record in shown)
    if place.field.qualifier is not Qualifier.RW or not place.obj.own or same(place.field.type, late, now):
        return
    wrote = place.call("set", late)
    records, exchange = ask(place.bench, fmt, f"{place.of.name}.get_all_records", elsewhere=elsewhere)
    record, single = place.bench.ask(fmt, f"{place.of.name}.get_record", place.obj.ref)
    late, now = (each.get(name) for each in (records.get(place.obj.ref, {}), record))
    if not same(place.field.type, late, now):
        judge.fail(f"{name} = {show(now)}, as it was set", f"{show(late)} in the listing", wrote, exchange, single)


def _ways_to_write(place: Place) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Return messages that write a field, with values that it does not have: accessors, or the explicit setter."""
    now, _ = place.read()
    if place.field.qualifier is Qualifier.RW:
        yield from ((place.message(verb), args) for verb, args in one_by_one(place, now))
        return
    setter = writer(place.bench, place.of, place.field.name, "set")
    if setter is not None and len(setter.params) == 2:
        fresh = (each for each in place.plain(3) if not same(place.field.type, each, now))
        yield from ((setter.full_name, (each,)) for each in tuple(fresh)[:1])


def _listing_follows_an_exchange(
    bench: Bench, of: ApiClass, crowd: list[Obj], how: tuple[Format, int], *, elsewhere: bool
) -> None:
    """End an object of our own and make another, so that there are as many: both listings have the new one alone.

    `how` is the format, and which of the crowd is ended; all the others stay listed.

    Raises:
        Unavailable: none can be made.
    """
    fmt, which = how
    listings = [f"{of.name}.get_all", f"{of.name}.get_all_records"]
    for name in listings:
        ask(bench, fmt, name, elsewhere=elsewhere)
    old = crowd.pop(which if len(crowd) > max(GOES) else -1)
    if not bench.stock.remove(old):
        return
    crowd.append(new := bench.stock.make(of.name))
    for name in listings:
        refs, seen = ask(bench, fmt, name, elsewhere=elsewhere)
        with bench.judging("GET-ALL-AGREES", of.name, fmt) as judge:
            told = f"{name} without it, {'with' if old.ref in refs else 'and without'} the one before, {old.ref}"
            judge.true(new.ref in refs, f"{new.ref}, which was made for one that was ended", told, seen)
            lost = sorted(bench.stock.known_refs(of.name) - set(refs))
            judge.true(not lost, f"what is there after {old.ref} was ended", f"{name} lacks {lost[:3]}", seen)


def _same_record(
    bench: Bench, judge: Judge, of: ApiClass, at: tuple[Format, Ref], listed: Value, exchange: Exchange
) -> dict[str, Value]:
    """Compare an object's record in a listing with the one that is read by itself, and return that."""
    fmt, ref = at
    found, single = bench.ask(fmt, f"{of.name}.get_record", ref)
    record: dict[str, Value] = found
    judge.asserted += 1
    differing = differing_fields(of, listed, record)
    if not differing:
        return record
    records, again = bench.ask(fmt, f"{of.name}.get_all_records")
    after, last = bench.ask(fmt, f"{of.name}.get_record", ref)
    for name in differing & differing_fields(of, records.get(ref, {}), after):
        if of.fields[name].qualifier is Qualifier.RUNTIME and not _stands_still(bench, of, (fmt, ref), name, record):
            continue
        if name in record and name in after and same(of.fields[name].type, record[name], after[name]):
            judge.fail(
                f"{name} = {show(after[name])}, as get_record says",
                f"{name} = {show(records.get(ref, {}).get(name))} in get_all_records",
                exchange,
                single,
                last,
                again,
            )
    return record


def _stands_still(bench: Bench, of: ApiClass, at: tuple[Format, Ref], name: str, record: dict[str, Value]) -> bool:
    """Whether a field that the server may change itself shows the same value in records read one after the other."""
    fmt, ref = at
    for _ in range(STILL):
        again, _seen = bench.ask(fmt, f"{of.name}.get_record", ref)
        if name not in again or not same(of.fields[name].type, record.get(name), again[name]):
            return False
    return True


def differing_fields(of: ApiClass, left: dict[str, Value], right: dict[str, Value]) -> set[str]:
    """Return the names of the fields whose values differ between two records, or that only one of them has."""
    return {
        name
        for name, field in of.fields.items()
        if (name in left) != (name in right) or (name in left and not same(field.type, left[name], right[name]))
    }


CHECKS = (
    Check(
        "GET-ALL-AGREES",
        per_class=all_ways_to_list_agree,
        applies=is_listed,
        also=("UUID-LOOKUP", "LABEL-LOOKUP", "WHERE", "BIND-SYMMETRY"),
    ),
)
