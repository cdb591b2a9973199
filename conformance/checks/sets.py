"""Level 2, sets: one value added or removed at a time, over every format, and no value shown twice.

Three plain members come first. Then, where a set takes them, many members that are easily confused with one another:
they are first set at once and read back, so that a text which a server cannot carry is no matter here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import (
    Place,
    alike,
    at_length,
    compare,
    has_sets,
    is_free,
    over_fields,
    plain_values,
    readily,
    turned,
)
from xenconform.conformance.checks.judging import Judge, Unavailable, show
from xenconform.conformance.checks.roundtrip import constructor_place, writer
from xenconform.models.api import Api, ApiClass, Field, Qualifier, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import SetOf, Type
from xenconform.models.values import Ref, Value, same
from xenconform.strategies.confusable import confusables, crowd


def add_adds_and_keeps(place: Place, judge: Judge) -> None:
    """add_f adds the value and keeps the rest. Source: introduction, accessors of sets."""
    first, second, third = alike(place, _members(place))
    place.do("set", (first,))
    wrote = [place.do("add", second), place.do("add", third)]
    actual, seen = place.read()
    compare(place, judge, (first, second, third), tuple(dict.fromkeys(actual)), (*wrote, seen))
    with readily():
        _add_one_by_one(place, judge)
        _add_to_many(place, judge)


def _add_one_by_one(place: Place, judge: Judge) -> None:
    """Begin with none, add what is easily confused, and put back what was taken away."""
    odd = _taken(place, confusables(_item(place)))
    if not odd:
        return
    place.do("set", ())
    wrote = [place.do("add", each) for each in odd]
    actual, seen = place.read()
    compare(place, judge, odd, tuple(dict.fromkeys(actual)), (*wrote[-3:], seen))
    for each in odd[:1]:
        gone = place.do("remove", each)
        without, _ = place.read()
        if each in without:
            return  # counted under SET-REMOVE
        back = place.do("add", each)
        actual, seen = place.read()
        compare(place, judge, (*without, each), tuple(dict.fromkeys(actual)), (gone, back, seen))


def _add_to_many(place: Place, judge: Judge) -> None:
    many = _taken(place, crowd(_item(place))[:-1])
    if len(many) < len(confusables(_item(place))):
        return
    last = crowd(_item(place))[-1]
    wrote = place.do("add", last)
    actual, seen = place.read()
    compare(place, judge, (*many, last), tuple(dict.fromkeys(actual)), (wrote, seen))


def add_of_a_member_has_no_effect(place: Place, judge: Judge) -> None:
    """Adding a value that is already there changes nothing and is no error. Source: introduction."""
    first, second, _ = _members(place)
    place.do("set", (first, second))
    for member in (first, second):
        wrote = place.do("add", member)
        actual, seen = place.read()
        judge.true(len(actual) == 2, f"the 2 members, once each: {show((first, second))}", show(actual), wrote, seen)
        judge.same(place.field.type, (first, second), actual, wrote, seen)
    with readily():
        _add_what_is_there(place, judge)


def _add_what_is_there(place: Place, judge: Judge) -> None:
    """Add members again that were set over one format and added over another."""
    odd = _taken(place, confusables(_item(place)))
    over = turned(place, 1)
    if not odd:
        return
    over.do("set", odd[::2])
    for each in odd[1::2]:
        over.do("add", each)
    there, _ = place.read()
    if not same(place.field.type, odd, there):
        return  # counted under SET-ADD
    for at, each in enumerate(odd):
        wrote = place.do("add", each)
        if at in {0, len(odd) // 2, len(odd) - 1}:
            actual, seen = place.read()
            judge.same(place.field.type, odd, tuple(actual), wrote, seen)


def no_set_shows_a_value_twice(place: Place, judge: Judge) -> None:
    """No reply shows a set with a value twice, however it was written. Source: introduction, sets."""
    first, second, _ = _members(place)
    many = _taken(place, crowd(_item(place)))
    for doubled in ((first, second, first), (first, first, first, second), (*many, *many[:1], *many[-2:])):
        place.do("set", ())  # so that what follows is a change, whatever a server takes for none
        wrote = place.bench.call(place.fmt, place.message("set"), place.obj.ref, doubled, probe=True)
        for fmt in place.bench.formats:
            actual, seen = place.bench.ask(fmt, place.message("get"), place.obj.ref)
            judge.true(len(actual) == len(set(actual)), "each value once", show(actual), wrote, seen)
            record, whole = place.bench.ask(fmt, f"{place.of.name}.get_record", place.obj.ref)
            shown = record.get(place.field.name, ())
            judge.true(len(shown) == len(set(shown)), "each value once in the record", show(shown), wrote, whole)
    _created_with(place, judge, (first, second, first))


def _created_with(place: Place, judge: Judge, doubled: Sequence[Value]) -> None:
    """Give a constructor a set with a value twice; refused or not, no reply may show it."""
    bench, of = place.bench, place.of
    where = constructor_place(of, place.field)
    if where is None:
        return
    made = bench.stock.try_make(of.name, {where[1]: tuple(doubled)}, fmt=place.fmt)
    if not isinstance(made.reply.outcome, Success):
        return
    obj = bench.stock.adopt(of.name, made)
    _each_once(bench, judge, (of, place.field, obj.ref), made)
    bench.stock.remove(obj)


def _each_once(bench: Bench, judge: Judge, at: tuple[ApiClass, Field, Ref], wrote: Exchange) -> None:
    of, field, ref = at
    for fmt in bench.formats:
        actual, seen = bench.ask(fmt, f"{of.name}.get_{field.name}", ref)
        judge.true(len(actual) == len(set(actual)), f"each value once after {wrote.message}", show(actual), wrote, seen)


def no_given_set_shows_a_value_twice(bench: Bench, of: ApiClass) -> None:
    """The same of sets that are written by constructors and explicit messages alone. Source: introduction, sets."""
    over_fields(bench, of, clause="SET-NO-DUPLICATES", kind=SetOf, act=no_set_shows_a_value_twice)
    for field in given_sets(of):
        for fmt in bench.formats:
            _judge_given(bench, (of, field, fmt))


def _judge_given(bench: Bench, at: tuple[ApiClass, Field, Format]) -> None:
    """Judge one such set; where every way to give a value twice is refused there is nothing to judge, nor to tell."""
    of, field, fmt = at
    try:
        whole = next((each for each in plain_values(bench, of.name, field, field.type, 2) if each), ())
        obj = bench.stock.writable(of.name)
        with bench.restoring(obj, field.name):
            written = tuple(_given_twice(Place(bench, of, field, obj, fmt), (*whole, *whole)))
            if written:
                with bench.judging("SET-NO-DUPLICATES", f"{of.name}.{field.name}", fmt) as judge:
                    for wrote, ref in written:
                        _each_once(bench, judge, (of, field, ref), wrote)
    except Unavailable:
        return


def _given_twice(place: Place, doubled: Sequence[Value]) -> Iterator[tuple[Exchange, Ref]]:
    """Give each value twice, to a constructor and to the explicit setter; return which did, and to which object."""
    bench, of = place.bench, place.of
    where = constructor_place(of, place.field)
    if where is not None:
        made = bench.stock.try_make(of.name, {where[1]: tuple(doubled)}, fmt=place.fmt)
        if isinstance(made.reply.outcome, Success):
            yield made, bench.stock.adopt(of.name, made).ref
    setter = writer(bench, of, place.field.name, "set")
    if setter is not None and len(setter.params) == 2:
        wrote = bench.call(place.fmt, setter.full_name, place.obj.ref, tuple(doubled), probe=True)
        if isinstance(wrote.reply.outcome, Success):
            yield wrote, place.obj.ref


def given_sets(of: ApiClass) -> Iterator[Field]:
    """Return the sets of a class that are not RW and that a constructor or an explicit message writes whole."""
    for field in of.fields.values():
        if field.qualifier is Qualifier.RW or field.lifecycle.state is State.REMOVED:
            continue
        if not isinstance(field.type, SetOf) or f"get_{field.name}" not in of.messages:
            continue
        if constructor_place(of, field) or any((m.field, m.verb) == (field.name, "set") for m in of.messages.values()):
            yield field


def has_written_sets(api: Api, of: ApiClass) -> bool:
    """Whether clients write any set of a class, in whatever way."""
    return has_sets(api, of) or any(True for _ in given_sets(of))


def remove_removes_that_value_only(place: Place, judge: Judge) -> None:
    """remove_f removes that value only, and nothing where it is absent. Source: introduction."""
    first, second, third = _members(place)
    place.do("set", (first, second, third))
    wrote = place.do("remove", second)
    actual, seen = place.read()
    compare(place, judge, (first, third), actual, (wrote, seen))
    exchange = place.bench.call(place.fmt, place.message("remove"), place.obj.ref, second)
    actual, seen = place.read()
    compare(place, judge, (first, third), actual, (exchange, seen))
    with readily():
        _remove_all(place, judge)


def _remove_all(place: Place, judge: Judge) -> None:
    """Take one after the other out of what is easily confused, each of them twice; then one out of many."""
    odd = _taken(place, confusables(_item(place)))
    for each in reversed(odd):
        wrote = [place.do("remove", each), place.do("remove", each)]
        actual, seen = place.read()
        odd = odd[:-1]
        compare(place, judge, odd, actual, (*wrote, seen))
        if judge.failed:
            return
    many = _taken(place, crowd(_item(place)))
    for each in many[-2:-1]:
        gone = place.do("remove", each)
        actual, seen = place.read()
        compare(place, judge, (*many[:-2], many[-1]), actual, (gone, seen))


def _taken(place: Place, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Set these members at once and return them; none where the set does not take them or shows others afterwards."""
    if not is_free(place) or not at_length(place):
        return ()
    wrote = place.bench.call(place.fmt, place.message("set"), place.obj.ref, values)
    if not isinstance(wrote.reply.outcome, Success):
        return ()
    return values if same(place.field.type, values, place.read()[0]) else ()


def _item(place: Place) -> Type:
    assert isinstance(place.field.type, SetOf), "only places of sets come here"
    return place.field.type.item


def _members(place: Place) -> tuple[Value, Value, Value]:
    item = _item(place)
    values = plain_values(place.bench, place.of.name, place.field, item, 3)
    if len(values) < 3:
        raise Unavailable(f"fewer than three different values of {item} are at hand")
    return values[0], values[1], values[2]


CHECKS = (
    Check(
        "SET-ADD",
        per_class=partial(over_fields, clause="SET-ADD", kind=SetOf, act=add_adds_and_keeps),
        applies=has_sets,
    ),
    Check(
        "SET-ADD-DEDUP",
        per_class=partial(over_fields, clause="SET-ADD-DEDUP", kind=SetOf, act=add_of_a_member_has_no_effect),
        applies=has_sets,
    ),
    Check("SET-NO-DUPLICATES", per_class=no_given_set_shows_a_value_twice, applies=has_written_sets),
    Check(
        "SET-REMOVE",
        per_class=partial(over_fields, clause="SET-REMOVE", kind=SetOf, act=remove_removes_that_value_only),
        applies=has_sets,
    ),
)
