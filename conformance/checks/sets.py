"""Level 2, sets: one value added or removed at a time, over every format.

Three plain members come first. Then, where a set takes them, many members that are easily confused with one another:
they are first set at once and read back, so that a text which a server cannot carry is no matter here.
"""

from __future__ import annotations

from functools import partial

from xenconform.conformance.checks.born import born_with
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import (
    ABSENT,
    Place,
    alike,
    at_length,
    compare,
    has_sets,
    is_free,
    over_fields,
    plain_values,
    readily,
    takes_whole,
    turned,
)
from xenconform.conformance.checks.judging import Judge, Unavailable, show
from xenconform.models.calls import Success
from xenconform.models.types import SetOf, Str, Type
from xenconform.models.values import Value, same
from xenconform.strategies.confusable import JOINED, boldest_first, confusables, crowd


def add_adds_and_keeps(place: Place, judge: Judge) -> None:
    """add_f adds the value and keeps the rest. Source: introduction, accessors of sets."""
    first, second, third = alike(place, members_of(place))
    place.do("set", (first,))
    wrote = [place.do("add", second), place.do("add", third)]
    actual, seen = place.read()
    compare(place, judge, (first, second, third), tuple(dict.fromkeys(actual)), (*wrote, seen))
    with readily():
        _add_to_emptied(place, judge, (first, second))
    with readily():
        _add_one_by_one(place, judge)
        _add_to_many(place, judge)
    with readily():
        _add_to_another(place, judge, (first, second))


def _add_to_emptied(place: Place, judge: Judge, members: tuple[Value, Value]) -> None:
    """Add to what the removal of its last member has emptied."""
    place.do("set", members[:1])
    gone = place.do("remove", members[0])
    place.call("remove", members[1])  # which is not there, and may be added all the same
    left, _ = place.read()
    if left:
        return  # counted under SET-REMOVE
    back = place.do("add", members[1])
    actual, seen = place.read()
    compare(place, judge, members[1:], tuple(dict.fromkeys(actual)), (gone, back, seen))


def _add_one_by_one(place: Place, judge: Judge) -> None:
    """Begin with none, add what is easily confused, over two formats by turns, and put back what was taken away."""
    odd = _odd(place)
    if isinstance(item_of(place), Str) and odd != boldest_first(Str())[0]:
        _add_what_looks_like_many(place, judge)
    if not odd:
        return
    place.do("set", ())
    turns = (place, turned(place, 1))
    wrote = [turns[at % 2].do("add", each) for at, each in enumerate(odd)]
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


def _add_what_looks_like_many(place: Place, judge: Judge) -> None:
    """Add texts that look like several members: each is one, and the others stay; a server may refuse them."""
    if not is_free(place) or not at_length(place):
        return
    place.do("set", ())
    for text in JOINED:
        before, _ = place.read()
        wrote = place.call("add", text)
        if isinstance(wrote.reply.outcome, Success):
            actual, seen = place.read()
            more = set(actual) - set(before)
            well = len(more) <= 1 and set(before) <= set(actual)
            judge.true(well, f"{show(before)} and {text!r}", show(actual), wrote, seen)


def _add_to_another(place: Place, judge: Judge, members: tuple[Value, Value]) -> None:
    """Add a member that one object has to another one: members are an object's own."""
    if not at_length(place):
        return
    place.do("set", members)
    with born_with(place, members[:1]) as other:
        wrote = other.do("add", members[1])
        actual, seen = other.read()
        compare(other, judge, members, tuple(dict.fromkeys(actual)), (wrote, seen))


def _add_to_many(place: Place, judge: Judge) -> None:
    many = taken(place, crowd(item_of(place))[:-1])
    if len(many) < len(confusables(item_of(place))):
        return
    last = crowd(item_of(place))[-1]
    wrote = place.do("add", last)
    actual, seen = place.read()
    compare(place, judge, (*many, last), tuple(dict.fromkeys(actual)), (wrote, seen))


def add_of_a_member_has_no_effect(place: Place, judge: Judge) -> None:
    """Adding a value that is already there changes nothing and is no error. Source: introduction."""
    first, second, _ = members_of(place)
    place.do("set", (first, second))
    for member in (first, second):
        wrote = place.do("add", member)
        actual, seen = place.read()
        judge.true(len(actual) == 2, f"the 2 members, once each: {show((first, second))}", show(actual), wrote, seen)
        judge.same(place.field.type, (first, second), actual, wrote, seen)
    with readily():
        _add_what_is_back(place, judge, (first, second))
        _add_what_is_there(place, judge)
    if at_length(place):
        with readily(), born_with(place, (first, second)) as other:
            wrote = other.do("add", first)
            actual, seen = other.read()
            judge.true(len(actual) == 2, "the 2 members that it was made with", show(actual), wrote, seen)


def _add_what_is_back(place: Place, judge: Judge, members: tuple[Value, Value]) -> None:
    """Add once more what was removed and added again."""
    gone = place.do("remove", members[0])
    wrote = [place.do("add", members[0]), place.do("add", members[0])]
    actual, seen = place.read()
    if len(actual) != len(members):
        gone, wrote = place.do("remove", members[0]), [place.do("add", members[0])]
        if set(place.read()[0]) != set(members):
            return  # without a second addition as well; counted under SET-ADD and SET-REMOVE
        wrote.append(place.do("add", members[0]))
        actual, seen = place.read()
    judge.true(
        len(actual) == len(members), f"the 2 members, once each: {show(members)}", show(actual), gone, *wrote, seen
    )


def _add_what_is_there(place: Place, judge: Judge) -> None:
    """Add members again that were set over one format and added over another."""
    odd = _odd(place)
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
        wrote = (over, place)[at % 2].do("add", each)
        if at in {0, len(odd) // 2, len(odd) - 1}:
            actual, seen = place.read()
            judge.same(place.field.type, odd, tuple(actual), wrote, seen)
    many = taken(place, crowd(item_of(place)))
    for each in many[-1:]:
        wrote = place.do("add", each)
        actual, seen = place.read()
        judge.same(place.field.type, many, tuple(actual), wrote, seen)
        judge.true(len(actual) == len(many), f"{len(many)} members", f"{len(actual)} members", wrote, seen)


def remove_removes_that_value_only(place: Place, judge: Judge) -> None:
    """remove_f removes that value only, and nothing where it is absent. Source: introduction."""
    first, second, third = members_of(place)
    place.do("set", (first, second, third))
    wrote = place.do("remove", second)
    actual, seen = place.read()
    compare(place, judge, (first, third), actual, (wrote, seen))
    exchange = place.bench.call(place.fmt, place.message("remove"), place.obj.ref, second)
    actual, seen = place.read()
    compare(place, judge, (first, third), actual, (exchange, seen))
    with readily():
        _remove_what_was_added(place, judge, (first, second, third))
        _remove_all(place, judge)
    if at_length(place):
        with readily(), born_with(place, (first, second)) as other:
            wrote = other.do("remove", first)
            actual, seen = other.read()
            compare(other, judge, (second,), actual, (wrote, seen))


def _remove_what_was_added(place: Place, judge: Judge, members: tuple[Value, Value, Value]) -> None:
    """Remove after an addition over another format: nothing, one that was there before, and the one that was added.

    What takes nothing away may take the write before it back.
    """
    first, second, third = members
    over = turned(place, 1)
    back = over.do("add", second)
    if not same(place.field.type, members, tuple(dict.fromkeys(place.read()[0]))):
        return  # counted under SET-ADD
    if is_free(place) and isinstance(item_of(place), Str):
        over.call("remove", ABSENT)
    for gone, left in ((first, (second, third)), (second, (third,))):
        wrote = place.do("remove", gone)
        actual, seen = place.read()
        compare(place, judge, left, tuple(dict.fromkeys(actual)), (back, wrote, seen))


def _remove_all(place: Place, judge: Judge) -> None:
    """Take one after the other out of what is easily confused, every other one twice; then one out of many."""
    odd = _odd(place)
    for each in reversed(odd):
        wrote = [place.do("remove", each) for _ in range(1 + len(odd) % 2)]
        actual, seen = place.read()
        odd = odd[:-1]
        compare(place, judge, odd, actual, (*wrote, seen))
        if judge.failed:
            return
    many = taken(place, crowd(item_of(place)))
    for each in many[-2:-1]:
        gone = place.do("remove", each)
        actual, seen = place.read()
        compare(place, judge, (*many[:-2], many[-1]), actual, (gone, seen))


def _odd(place: Place) -> tuple[Value, ...]:
    """Set what is easily confused and return it, with what a server may refuse where this one does not."""
    ways = (taken(place, each) for each in boldest_first(item_of(place)))
    return next((each for each in ways if each), ())


def taken(place: Place, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Set these members at once and return them; none where the set does not take them or shows others afterwards."""
    return values if takes_whole(place, values) else ()


def item_of(place: Place) -> Type:
    """Return the type of a set's members."""
    assert isinstance(place.field.type, SetOf), "only places of sets come here"
    return place.field.type.item


def members_of(place: Place) -> tuple[Value, Value, Value]:
    """Return three plain members.

    Raises:
        Unavailable: there are no three.
    """
    item = item_of(place)
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
    Check(
        "SET-REMOVE",
        per_class=partial(over_fields, clause="SET-REMOVE", kind=SetOf, act=remove_removes_that_value_only),
        applies=has_sets,
    ),
)
