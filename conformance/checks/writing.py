"""Level 2, writing: what each generic setter does to its own field, over every format.

Only plain values are used here: what hard values do on the wire is level 1's business, so that a finding names the
rule that is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import (
    Act,
    Applies,
    Place,
    compare,
    has_maps,
    has_scalars,
    has_sets,
    has_written,
    over_fields,
    plain_values,
    written,
)
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, show
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import ApiClass, Qualifier
from xenconform.models.calls import Failure, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, SetOf, Str
from xenconform.models.values import Value, same


def set_value_is_read_back(place: Place, judge: Judge) -> None:
    """After set_f(r, v), get_f(r) is v. Source: introduction, accessors of scalar fields."""
    refused: Unanswered | None = None
    accepted = False
    for value in place.plain(3):
        before, _ = place.read()
        try:
            wrote = place.do("set", value)
        except Unanswered as why:
            if not why.domain:
                raise
            refused = why
            after, seen = place.read()
            judge.same(place.field.type, before, after, why.exchange, seen)
            continue
        accepted = True
        actual, seen = place.read()
        compare(place, judge, value, actual, (wrote, seen))
    if refused is not None and not accepted and not judge.failed:
        raise Unavailable(f"no value was ever accepted: {describe(refused.exchange)}")


def setter_changes_only_its_field(bench: Bench, of: ApiClass) -> None:
    """set_f changes that field of that object and nothing else. Source: introduction.

    Compared are the fields that only clients change (RW and RO/constructor) of the object and of a neighbour. The
    object is new: on one that was written before, what a setter spoils once and for all would be spoilt already.
    """
    fresh: Obj | None = None
    for field in written(of):
        for at, fmt in enumerate(bench.formats):
            if at and not bench.budget.boundaries:
                continue
            with bench.judging("SET-ONLY-THAT", f"{of.name}.{field.name}", fmt) as judge:
                fresh = obj = fresh or _new_or_writable(bench, of)
                with bench.restoring(obj, field.name):
                    _only_that(Place(bench, of, field, obj, fmt), judge)


def _new_or_writable(bench: Bench, of: ApiClass) -> Obj:
    try:
        return bench.stock.make(of.name)
    except Unavailable:
        return bench.stock.writable(of.name)


def _only_that(place: Place, judge: Judge) -> None:
    neighbours = [ref for ref in place.bench.stock.all_refs(place.of.name) if ref != place.obj.ref][:1]
    read_over = place.bench.other(place.fmt)
    refs = (place.obj.ref, *neighbours)
    before = {ref: place.bench.ask(read_over, f"{place.of.name}.get_record", ref)[0] for ref in refs}
    values = place.plain(2)
    current = before[place.obj.ref].get(place.field.name)
    value = next((v for v in values if not same(place.field.type, v, current)), values[-1])
    wrote = place.do("set", value)
    for ref in refs:
        after, seen = place.bench.ask(read_over, f"{place.of.name}.get_record", ref)
        ignore = {place.field.name} if ref == place.obj.ref else set()
        changed = changed_by_clients(place.of, before[ref], after) - ignore - place.bench.coupled(place.of, place.field)
        who = "the object" if ref == place.obj.ref else "another object"
        judge.true(
            not changed,
            f"set_{place.field.name} changes nothing else",
            "; ".join(f"{n} of {who}: {show(before[ref].get(n))} -> {show(after.get(n))}" for n in sorted(changed)),
            wrote,
            seen,
        )
        for name in changed:
            if place.of.fields[name].qualifier is Qualifier.CONSTRUCTOR:
                with place.bench.judging("QUAL-RO-CONSTRUCTOR", f"{place.of.name}.{name}", place.fmt) as other:
                    other.fail(show(before[ref].get(name)), show(after.get(name)), wrote, seen)


def changed_by_clients(of: ApiClass, before: dict[str, Value], after: dict[str, Value]) -> set[str]:
    """Return the fields that only clients change and that differ between two records of an object."""
    return {
        name
        for name, field in of.fields.items()
        if field.qualifier is not Qualifier.RUNTIME
        and name in before
        and name in after
        and not same(field.type, before[name], after[name])
    }


def add_adds_and_keeps(place: Place, judge: Judge) -> None:
    """add_f adds the value and keeps the rest. Source: introduction, accessors of sets."""
    first, second, third = _alike(place, _members(place))
    place.do("set", (first,))
    wrote = [place.do("add", second), place.do("add", third)]
    actual, seen = place.read()
    compare(place, judge, (first, second, third), tuple(dict.fromkeys(actual)), (*wrote, seen))


def add_of_a_member_has_no_effect(place: Place, judge: Judge) -> None:
    """Adding a value that is already there changes nothing and is no error. Source: introduction."""
    first, second, _ = _members(place)
    place.do("set", (first, second))
    for member in (first, second):
        wrote = place.do("add", member)
        actual, seen = place.read()
        judge.true(len(actual) == 2, f"the 2 members, once each: {show((first, second))}", show(actual), wrote, seen)
        judge.same(place.field.type, (first, second), actual, wrote, seen)


def no_set_shows_a_value_twice(place: Place, judge: Judge) -> None:
    """No reply shows a set with a value twice, however it was written. Source: introduction, sets."""
    first, second, _ = _members(place)
    wrote = place.bench.call(place.fmt, place.message("set"), place.obj.ref, (first, second, first), probe=True)
    for fmt in place.bench.formats:
        actual, seen = place.bench.ask(fmt, place.message("get"), place.obj.ref)
        judge.true(len(actual) == len(set(actual)), "each value once", show(actual), wrote, seen)
        record, whole = place.bench.ask(fmt, f"{place.of.name}.get_record", place.obj.ref)
        shown = record.get(place.field.name, ())
        judge.true(len(shown) == len(set(shown)), "each value once in the record", show(shown), wrote, whole)
    _created_without_doubles(place, judge, (first, second, first))


def _created_without_doubles(place: Place, judge: Judge, doubled: tuple[Value, ...]) -> None:
    """Give a constructor a set with a value twice; refused or not, no reply may show it."""
    bench, of = place.bench, place.of
    if not any(constructor.record for constructor in of.constructors):
        return
    made = bench.stock.try_make(of.name, {place.field.name: doubled}, fmt=place.fmt)
    if not isinstance(made.reply.outcome, Success):
        return
    obj = bench.stock.adopt(of.name, made)
    for fmt in bench.formats:
        actual, seen = bench.ask(fmt, place.message("get"), obj.ref)
        judge.true(len(actual) == len(set(actual)), "each value once after create", show(actual), made, seen)
    bench.stock.remove(obj)


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


def _members(place: Place) -> tuple[Value, Value, Value]:
    of = place.field.type
    assert isinstance(of, SetOf), "only places of sets come here"
    item = of.item
    values = plain_values(place.bench, place.of.name, place.field, item, 3)
    if len(values) < 3:
        raise Unavailable(f"fewer than three different values of {item} are at hand")
    return values[0], values[1], values[2]


def _alike(place: Place, values: Sequence[Value]) -> Sequence[Value]:
    """Return three values of which the last differs from the first in case alone, where text is free to be any."""
    is_free = place.bench.profile.domain(place.of.name, place.field.name).is_free
    item = place.field.type.key if isinstance(place.field.type, MapOf) else getattr(place.field.type, "item", None)
    return (*values[:2], str(values[0]).swapcase()) if is_free and isinstance(item, Str) else values


def _pairs(place: Place) -> list[tuple[Value, Value]]:
    of = place.field.type
    assert isinstance(of, MapOf)
    domain = place.bench.profile.domain(place.of.name, place.field.name)
    if domain.skip:
        raise Unavailable(f"the profile {place.bench.profile.name} does not vary this field: {domain.skip}")
    keys = plain_values(place.bench, "", place.field, of.key, 3)
    if len(keys) < 3:
        raise Unavailable(f"fewer than three different keys of type {of.key} are at hand")
    values = plain_values(place.bench, "", place.field, of.value, 4)
    return [(key, values[at % len(values)]) for at, key in enumerate(keys)]


def add_to_adds_and_keeps(place: Place, judge: Judge) -> None:
    """add_to_f adds the pair and keeps the rest. Source: introduction, accessors of maps."""
    first, second, third = _pairs(place)
    third = (_alike(place, [first[0], second[0], third[0]])[2], third[1])
    place.do("set", dict([first]))
    wrote = [place.do("add_to", *second), place.do("add_to", *third)]
    actual, seen = place.read()
    compare(place, judge, dict([first, second, third]), actual, (*wrote, seen))


def add_to_of_a_present_key_fails(place: Place, judge: Judge) -> None:
    """add_to_f of a present key fails with MAP_DUPLICATE_KEY, whatever the value, and changes nothing.

    Source: introduction, accessors of maps; the parameters are those of the error list, where the object's ref or its
    uuid may stand for the object.
    """
    first, second, (_, other) = _pairs(place)
    place.do("set", dict([first, second]))
    for pair in (first, (first[0], other)):
        exchange = place.bench.call(place.fmt, place.message("add_to"), place.obj.ref, *pair)
        judge.code(exchange, "MAP_DUPLICATE_KEY")
        _duplicate_params(place, exchange, str(pair[0]))
        _duplicate_unchanged(place, exchange, dict([first, second]))


def _duplicate_params(place: Place, exchange: Exchange, key: str) -> None:
    with place.bench.judging("MAP-DUPLICATE-PARAMS", f"{place.of.name}.{place.field.name}", place.fmt) as judge:
        outcome = exchange.reply.outcome
        if not isinstance(outcome, Failure) or outcome.code != "MAP_DUPLICATE_KEY":
            raise Unavailable("the call did not fail with MAP_DUPLICATE_KEY")
        judge.code(exchange, "MAP_DUPLICATE_KEY", place.of.name, place.field.name, None, key)


def _duplicate_unchanged(place: Place, exchange: Exchange, before: dict[Value, Value]) -> None:
    with place.bench.judging("MAP-DUPLICATE-UNCHANGED", f"{place.of.name}.{place.field.name}", place.fmt) as judge:
        if isinstance(exchange.reply.outcome, Success):
            raise Unavailable("the call succeeded; counted under MAP-DUPLICATE-KEY")
        actual, seen = place.read()
        compare(place, judge, before, actual, (exchange, seen))


def remove_from_removes_that_pair_only(place: Place, judge: Judge) -> None:
    """remove_from_f removes that pair only, and nothing where the key is absent. Source: introduction."""
    first, second, third = _pairs(place)
    place.do("set", dict([first, second, third]))
    wrote = place.do("remove_from", second[0])
    actual, seen = place.read()
    compare(place, judge, dict([first, third]), actual, (wrote, seen))
    exchange = place.bench.call(place.fmt, place.message("remove_from"), place.obj.ref, second[0])
    actual, seen = place.read()
    compare(place, judge, dict([first, third]), actual, (exchange, seen))


def _check(clause: str, kind: type | None, act: Act, applies: Applies, *also: str) -> Check:
    return Check(clause, per_class=partial(over_fields, clause=clause, kind=kind, act=act), applies=applies, also=also)


CHECKS = (
    _check("SET-VALUE", None, set_value_is_read_back, has_scalars),
    Check(
        "SET-ONLY-THAT",
        per_class=setter_changes_only_its_field,
        applies=has_written,
        also=("QUAL-RO-CONSTRUCTOR",),
    ),
    _check("SET-ADD", SetOf, add_adds_and_keeps, has_sets),
    _check("SET-ADD-DEDUP", SetOf, add_of_a_member_has_no_effect, has_sets),
    _check("SET-NO-DUPLICATES", SetOf, no_set_shows_a_value_twice, has_sets),
    _check("SET-REMOVE", SetOf, remove_removes_that_value_only, has_sets),
    _check("MAP-ADD", MapOf, add_to_adds_and_keeps, has_maps),
    _check(
        "MAP-DUPLICATE-KEY",
        MapOf,
        add_to_of_a_present_key_fails,
        has_maps,
        "MAP-DUPLICATE-PARAMS",
        "MAP-DUPLICATE-UNCHANGED",
    ),
    _check("MAP-REMOVE", MapOf, remove_from_removes_that_pair_only, has_maps),
)
