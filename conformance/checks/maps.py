"""Level 2, maps: one pair added or removed at a time, over every format.

Three plain pairs come first. Then, where a map takes them, many pairs whose keys are easily confused with one another
and whose values are not all different: they are first set at once and read back, so that a text which a server cannot
carry is no matter here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from xenconform.conformance.checks.born import born_with
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import (
    ABSENT,
    Place,
    alike,
    at_length,
    compare,
    has_maps,
    is_free,
    over_fields,
    plain_values,
    readily,
    takes_whole,
    turned,
)
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, show
from xenconform.models.calls import Failure, Success
from xenconform.models.types import MapOf, Str
from xenconform.models.values import Value, same
from xenconform.strategies.confusable import JOINED, boldest_first, confusables, crowd, paired

Pair = tuple[Value, Value]
Pairs = dict[Value, Value]
DUPLICATE = "MAP_DUPLICATE_KEY"


def add_to_adds_and_keeps(place: Place, judge: Judge) -> None:
    """add_to_f adds the pair and keeps the rest. Source: introduction, accessors of maps."""
    first, second, third = pairs_of(place)
    third = (alike(place, [first[0], second[0], third[0]])[2], third[1])
    place.do("set", dict([first]))
    wrote = [place.do("add_to", *second), place.do("add_to", *third)]
    actual, seen = place.read()
    compare(place, judge, dict([first, second, third]), actual, (*wrote, seen))
    with readily():
        _add_again(place, judge, [first, second, third])
    with readily():
        _add_to_emptied(place, judge, [first, second, third])
    with readily():
        _add_one_by_one(place, judge)
        _add_to_many(place, judge)
    with readily():
        _add_to_another(place, judge, [first, second, third])


def _add_again(place: Place, judge: Judge, pairs: Sequence[Pair]) -> None:
    """Add with another value what was taken away."""
    (key, _), (_, value) = pairs[1:]
    gone = place.do("remove_from", key)
    without, _ = place.read()
    if key in without:
        return  # counted under MAP-REMOVE
    back = place.do("add_to", key, value)
    actual, seen = place.read()
    compare(place, judge, {**without, key: value}, actual, (gone, back, seen))


def _add_to_emptied(place: Place, judge: Judge, pairs: Sequence[Pair]) -> None:
    """Add to what the removal of its last pair has emptied."""
    (key, value), other, _ = pairs
    place.do("set", {key: value})
    gone = place.do("remove_from", key)
    place.call("remove_from", other[0])  # which is not there, and may be added all the same
    left, _ = place.read()
    if left:
        return  # counted under MAP-REMOVE
    back = place.do("add_to", *other)
    actual, seen = place.read()
    compare(place, judge, dict([other]), actual, (gone, back, seen))


def _add_one_by_one(place: Place, judge: Judge) -> None:
    """Begin with none and add, over two formats by turns; add what was taken away again, with another value."""
    odd, of = odd_pairs(place), map_type(place)
    if isinstance(of.key, Str) and tuple(odd) != boldest_first(of.key)[0]:
        _add_what_looks_like_many(place, judge)
    if not odd:
        return
    place.do("set", {})
    turns = (place, turned(place, 1))
    # Shorter keys before those that they are a part of.
    wrote = [turns[at % 2].do("add_to", key, odd[key]) for at, key in enumerate(reversed(odd))]
    actual, seen = place.read()
    compare(place, judge, odd, actual, (*wrote[-3:], seen))
    key, *_, other = odd
    gone = place.do("remove_from", key)
    without, _ = place.read()
    if key in without:
        return  # counted under MAP-REMOVE
    back = place.do("add_to", key, odd[other])
    actual, seen = place.read()
    compare(place, judge, {**without, key: odd[other]}, actual, (gone, back, seen))


def _add_what_looks_like_many(place: Place, judge: Judge) -> None:
    """Add keys and values that look like several pairs: each is one, and the others stay; they may be refused."""
    if not is_free(place) or not at_length(place):
        return
    plain = paired(JOINED, map_type(place).value)
    place.do("set", {})
    for text, value in plain.items():
        before, _ = place.read()
        wrote = place.call("add_to", text, text if isinstance(value, str) else value)
        if isinstance(wrote.reply.outcome, Success):
            actual, seen = place.read()
            well = len(actual) <= len(before) + 1 and all(actual.get(key) == before[key] for key in before)
            judge.true(well, f"{show(before)} and {text!r}", show(actual), wrote, seen)


def _add_to_another(place: Place, judge: Judge, pairs: Sequence[Pair]) -> None:
    """Add a key that one object has to another one: keys are an object's own."""
    if not at_length(place):
        return
    place.do("set", dict(pairs))
    with born_with(place, dict(pairs[:1])) as other:
        wrote = place.bench.call(place.fmt, place.message("add_to"), other.obj.ref, *pairs[1])
        outcome = wrote.reply.outcome
        taken = isinstance(outcome, Failure) and outcome.code == DUPLICATE
        judge.true(
            not taken, f"the key {show(pairs[1][0])}, which another object has, is added", describe(wrote), wrote
        )
        if isinstance(outcome, Success):
            actual, seen = other.read()
            compare(other, judge, dict(pairs[:2]), actual, (wrote, seen))


def _add_to_many(place: Place, judge: Judge) -> None:
    keys = crowd(map_type(place).key)
    many = paired(keys, map_type(place).value)
    last = many.pop(keys[-1])
    if len(many) > len(confusables(map_type(place).key)) and _taken(place, many):
        wrote = place.do("add_to", keys[-1], last)
        actual, seen = place.read()
        compare(place, judge, {**many, keys[-1]: last}, actual, (wrote, seen))


def remove_from_removes_that_pair_only(place: Place, judge: Judge) -> None:
    """remove_from_f removes that pair only, and nothing where the key is absent. Source: introduction."""
    first, second, third = pairs_of(place)
    place.do("set", dict([first, second, third]))
    wrote = place.do("remove_from", second[0])
    actual, seen = place.read()
    compare(place, judge, dict([first, third]), actual, (wrote, seen))
    again = place.do("remove_from", second[0])
    actual, seen = place.read()
    compare(place, judge, dict([first, third]), actual, (again, seen))
    with readily():
        _remove_what_was_added(place, judge, (first, second, third))
        _remove_all(place, judge)
    if at_length(place):
        with readily(), born_with(place, dict([first, second])) as other:
            gone = other.do("remove_from", first[0])
            actual, seen = other.read()
            compare(other, judge, dict([second]), actual, (gone, seen))


def _remove_what_was_added(place: Place, judge: Judge, pairs: tuple[Pair, Pair, Pair]) -> None:
    """Remove after an addition over another format: nothing, what was there before, and what was added.

    What takes nothing away may take the write before it back.
    """
    first, second, third = pairs
    over = turned(place, 1)
    back = over.do("add_to", *second)
    if not same(place.field.type, dict(pairs), place.read()[0]):
        return  # counted under MAP-ADD
    if is_free(place) and isinstance(map_type(place).key, Str):
        over.call("remove_from", ABSENT)
    for gone, left in ((first, [second, third]), (second, [third])):
        wrote = place.do("remove_from", gone[0])
        actual, seen = place.read()
        compare(place, judge, dict(left), actual, (back, wrote, seen))


def _remove_all(place: Place, judge: Judge) -> None:
    """Take one after the other out of what is easily confused, every other one twice; then one out of many."""
    odd = odd_pairs(place)
    for key in reversed(list(odd)):
        wrote = [place.do("remove_from", key) for _ in range(1 + len(odd) % 2)]
        actual, seen = place.read()
        odd = {k: v for k, v in odd.items() if k != key}
        compare(place, judge, odd, actual, (*wrote, seen))
        if judge.failed:
            return
    many = _taken(place, paired(crowd(map_type(place).key), map_type(place).value))
    for key in list(many)[-2:-1]:
        gone = place.do("remove_from", key)
        actual, seen = place.read()
        compare(place, judge, {k: v for k, v in many.items() if k != key}, actual, (gone, seen))


def odd_pairs(place: Place) -> Pairs:
    """Set pairs that are easily confused and return them, with what a server may refuse where this one does not."""
    of = map_type(place)
    ways = (_taken(place, paired(keys, of.value)) for keys in boldest_first(of.key))
    return next((each for each in ways if each), {})


def _taken(place: Place, pairs: Pairs) -> Pairs:
    """Set these pairs at once and return them; none where the map does not take them or shows others afterwards."""
    return pairs if len(pairs) > 1 and takes_whole(place, pairs) else {}


def map_type(place: Place) -> MapOf:
    """Return the type of a place's map."""
    assert isinstance(place.field.type, MapOf), "only places of maps come here"
    return place.field.type


def pairs_of(place: Place) -> list[Pair]:
    """Return three plain pairs.

    Raises:
        Unavailable: there are no three.
    """
    of = map_type(place)
    domain = place.bench.profile.domain(place.of.name, place.field.name)
    if domain.skip:
        raise Unavailable(f"the profile {place.bench.profile.name} does not vary this field: {domain.skip}")
    keys = plain_values(place.bench, "", place.field, of.key, 3)
    if len(keys) < 3:
        raise Unavailable(f"fewer than three different keys of type {of.key} are at hand")
    values = plain_values(place.bench, "", place.field, of.value, 4)
    return [(key, values[at % len(values)]) for at, key in enumerate(keys)]


CHECKS = (
    Check(
        "MAP-ADD",
        per_class=partial(over_fields, clause="MAP-ADD", kind=MapOf, act=add_to_adds_and_keeps),
        applies=has_maps,
    ),
    Check(
        "MAP-REMOVE",
        per_class=partial(over_fields, clause="MAP-REMOVE", kind=MapOf, act=remove_from_removes_that_pair_only),
        applies=has_maps,
    ),
)
