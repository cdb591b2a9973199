"""Level 2, maps: keys that are there already are refused, by the right error, and the map stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from xenconform.conformance.checks.born import born_with
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import (
    Place,
    at_length,
    compare,
    has_maps,
    over_fields,
    readily,
    takes_whole,
    turned,
)
from xenconform.conformance.checks.judging import Judge, Unavailable, show
from xenconform.conformance.checks.maps import DUPLICATE, Pair, Pairs, map_type, odd_pairs, pairs_of
from xenconform.models.calls import Failure, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf
from xenconform.models.values import Value, same
from xenconform.strategies.confusable import crowd, paired


def add_to_of_a_present_key_fails(place: Place, judge: Judge) -> None:
    """add_to_f of a present key fails with MAP_DUPLICATE_KEY, whatever the value, and changes nothing.

    Source: introduction, accessors of maps; the parameters are those of the error list, where the object's ref or its
    uuid may stand for the object.
    """
    first, second, (_, other) = pairs_of(place)
    place.do("set", dict([first, second]))
    for pair in (first, (first[0], other)):
        refused = _refuse(place, judge, [pair])
        _duplicate_params(place, refused)
        _duplicate_unchanged(place, refused, dict([first, second]), listed=pair != first)
    with readily():
        _is_not_written_later(place, refused, (first[0], other))
    with readily():
        _refuse_what_is_back(place, judge, [first, second], other)
    with readily():
        _refuse_what_is_there(place, judge)
    with readily():
        _refuse_what_it_was_made_with(place, judge, [first, second], other)


def _refuse(place: Place, judge: Judge, pairs: Sequence[Pair]) -> list[Exchange]:
    """Add pairs whose keys are there; each has to fail with the right code."""
    refused = []
    for pair in pairs:
        exchange = place.call("add_to", *pair)
        judge.code(exchange, DUPLICATE)
        refused.append(exchange)
    return refused


def _refuse_what_is_back(place: Place, judge: Judge, pairs: Sequence[Pair], other: Value) -> None:
    """Add once more what was removed and added again: the same call, no repetition of the one before, and another.

    What a refusal undoes may be the addition before it, so it is looked at before anything else is written.
    """
    pair = pairs[0]
    _put_again(place, pair)
    _refuse(place, judge, [pair])
    if not same(place.field.type, dict(pairs), place.read()[0]):
        _put_again(place, pair)
        if not same(place.field.type, dict(pairs), place.read()[0]):
            return  # without a refusal as well; counted under MAP-ADD and MAP-REMOVE
        _stays(place, _refuse(place, judge, [pair]), dict(pairs))
    _refuse(place, judge, [pair, (pair[0], other)] if at_length(place) else [pair])


def _is_not_written_later(place: Place, refused: Sequence[Exchange], pair: Pair) -> None:
    """What was refused last does not come with the next pair that is added."""
    third = pairs_of(place)[2]
    if not at_length(place) or not all(isinstance(each.reply.outcome, Failure) for each in refused):
        return
    wrote = place.do("add_to", *third)
    actual, seen = place.read()
    late = pair[0] in actual and same(map_type(place).value, pair[1], actual[pair[0]])
    with place.bench.judging("MAP-DUPLICATE-UNCHANGED", f"{place.of.name}.{place.field.name}", place.fmt) as judge:
        expected = f"{show(pair[0])} as it was before it was refused"
        judge.true(not late, expected, f"{show(pair[1])}, once {show(third[0])} was added", *refused, wrote, seen)
    place.do("remove_from", third[0])


def _put_again(place: Place, pair: Pair) -> None:
    place.do("remove_from", pair[0])
    place.do("add_to", *pair)


def _refuse_what_is_there(place: Place, judge: Judge) -> None:
    """Add keys again that were set over one format and added over another, with the present value and another one."""
    odd, over = odd_pairs(place), turned(place, 1)
    if not odd:
        return
    keys = list(odd)
    over.do("set", {key: odd[key] for key in keys[::2]})
    for key in keys[1::2]:
        over.do("add_to", key, odd[key])
    if not same(place.field.type, odd, place.read()[0]):
        return  # counted under MAP-ADD
    others = [next((v for v in odd.values() if not same(map_type(place).value, v, odd[key])), odd[key]) for key in keys]
    turns = [(key, odd[key] if at % 2 else other) for at, (key, other) in enumerate(zip(keys, others, strict=True))]
    turns += [(keys[at], others[at]) for at in (1, len(keys) - 1)] + [(keys[-1], odd[keys[-1]])]
    refused = _refuse(place, judge, turns[:1])
    _stays(place, refused, odd)
    refused += _refuse(place, judge, turns[1:])
    _duplicate_params(place, refused)
    _duplicate_unchanged(place, refused, odd)
    keys = list(crowd(map_type(place).key))
    many = paired(tuple(keys), map_type(place).value)
    if len(many) > len(odd) and takes_whole(place, many):
        _duplicate_unchanged(place, _refuse(place, judge, [(keys[-1], many[keys[0]])]), many)


def _refuse_what_it_was_made_with(place: Place, judge: Judge, pairs: Sequence[Pair], value: Value) -> None:
    """Add keys again that an object was made with; nothing comes of it there nor at one that has the same keys."""
    if not at_length(place):
        return
    place.do("set", dict(pairs))
    with born_with(place, dict(pairs)) as other:
        refused = _refuse(other, judge, [(pairs[0][0], value), pairs[1]])
        _duplicate_params(other, refused)
        for each in (other, place):
            _duplicate_unchanged(each, refused, dict(pairs))


def _duplicate_params(place: Place, refused: Sequence[Exchange]) -> None:
    with place.bench.judging("MAP-DUPLICATE-PARAMS", f"{place.of.name}.{place.field.name}", place.fmt) as judge:
        told = [(each, each.reply.outcome) for each in refused]
        told = [(each, outcome) for each, outcome in told if isinstance(outcome, Failure) and outcome.code == DUPLICATE]
        if not told:
            raise Unavailable(f"the call did not fail with {DUPLICATE}")
        shown = [outcome.params[2] for _, outcome in told if isinstance(outcome, Failure) and len(outcome.params) > 2]
        names = () if all(each == place.obj.ref for each in shown) else _names(place)
        for exchange, outcome in told:
            params = outcome.params if isinstance(outcome, Failure) else ()
            named = params[2] if len(params) > 2 and params[2] in names else place.obj.ref
            judge.code(exchange, DUPLICATE, place.of.name, place.field.name, str(named), str(exchange.args[1]))


def _names(place: Place) -> tuple[Value, ...]:
    """Return what may stand for the object: its ref, and its uuid where it has one."""
    ref = place.obj.ref
    if "get_uuid" not in place.of.messages:
        return (ref,)
    outcome = place.bench.call(place.fmt, f"{place.of.name}.get_uuid", ref).reply.outcome
    return (ref, outcome.value) if isinstance(outcome, Success) else (ref,)


def _stays(place: Place, refused: Sequence[Exchange], before: Pairs) -> None:
    """The map is as before by its getter; where the call was not refused, that is told elsewhere."""
    if not any(isinstance(each.reply.outcome, Success) for each in refused):
        with place.bench.judging("MAP-DUPLICATE-UNCHANGED", f"{place.of.name}.{place.field.name}", place.fmt) as judge:
            actual, seen = place.read()
            compare(place, judge, before, actual, (*refused, seen))


def _duplicate_unchanged(place: Place, refused: Sequence[Exchange], before: Pairs, *, listed: bool = False) -> None:
    """The map is as before by its getter, and where that says so by the record too, `listed` among all."""
    bench, of = place.bench, place.of
    with bench.judging("MAP-DUPLICATE-UNCHANGED", f"{of.name}.{place.field.name}", place.fmt) as judge:
        if any(isinstance(each.reply.outcome, Success) for each in refused):
            raise Unavailable("the call succeeded; counted under MAP-DUPLICATE-KEY")
        actual, seen = place.read()
        compare(place, judge, before, actual, (*refused[-3:], seen))
        if judge.failed or "get_record" not in of.messages:
            return
        if listed and "get_all_records" in of.messages:
            records, whole = bench.ask(bench.other(place.fmt), f"{of.name}.get_all_records")
            record = records.get(place.obj.ref, {})
        else:
            record, whole = bench.ask(bench.other(place.fmt), f"{of.name}.get_record", place.obj.ref)
        if place.field.name in record:
            judge.same(place.field.type, before, record[place.field.name], *refused[-3:], whole)


CHECKS = (
    Check(
        "MAP-DUPLICATE-KEY",
        per_class=partial(over_fields, clause="MAP-DUPLICATE-KEY", kind=MapOf, act=add_to_of_a_present_key_fails),
        applies=has_maps,
        also=("MAP-DUPLICATE-PARAMS", "MAP-DUPLICATE-UNCHANGED"),
    ),
)
