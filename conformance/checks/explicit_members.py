"""Level 2, sets and maps that explicit messages write: one value added or removed at a time, over every format.

These messages have reasons of their own to refuse, and where they do there is nothing to judge, nor to tell; what they
accept has to be in, and nothing else may change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.born import born_with
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import Place, compare, has_maps, has_sets, is_free, plain_values
from xenconform.conformance.checks.judging import Unavailable, describe, show
from xenconform.conformance.checks.roundtrip import constructor_place, writer
from xenconform.models.api import Api, ApiClass, Field, Message, Qualifier, State
from xenconform.models.calls import Failure, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, SetOf
from xenconform.models.values import Value, same

Member = tuple[Value, ...]
"""The values that an addition takes: a set's member, or a key and its value."""
CLAUSES: Mapping[type, Sequence[str]] = MappingProxyType(
    {
        SetOf: ("SET-ADD", "SET-REMOVE", "SET-ADD-DEDUP"),
        MapOf: ("MAP-ADD", "MAP-REMOVE", "MAP-DUPLICATE-KEY", "MAP-DUPLICATE-UNCHANGED"),
    }
)


def given_by_members(of: ApiClass, kind: type) -> Iterator[Field]:
    """Return the sets or maps of a class that are not RW and that explicit messages write one by one."""
    for field in of.fields.values():
        if field.qualifier is Qualifier.RW or field.lifecycle.state is State.REMOVED:
            continue
        verbs = {m.verb for m in of.messages.values() if m.field == field.name and not m.implicit}
        if isinstance(field.type, kind) and f"get_{field.name}" in of.messages and verbs & {"add", "add_to"}:
            yield field


def explicit_messages_write_one_by_one(bench: Bench, of: ApiClass, kind: type) -> None:
    """Explicit messages of an accessor's shape add and remove what they are given. Source: introduction, accessors."""
    verbs = ("add_to", "remove_from") if kind is MapOf else ("add", "remove")
    judged = False
    for field in given_by_members(of, kind):
        adder, remover = (writer(bench, of, field.name, verb) for verb in verbs)
        if adder is None or remover is None or len(adder.params) != (3 if kind is MapOf else 2):
            continue
        for fmt in bench.formats:
            with suppress(Unavailable):
                place = Place(bench, of, field, bench.stock.writable(of.name), fmt)
                judged |= _one_by_one(place, adder, remover)
    if not judged and not (has_maps if kind is MapOf else has_sets)(bench.api, of):
        for clause in CLAUSES[kind]:
            with bench.judging(clause, of.name) as judge:
                judge.unsupported("no explicit message that adds takes two values here, nor need it")


def _one_by_one(place: Place, adder: Message, remover: Message) -> bool:
    """Add two members and remove them; return whether the server took them, so that something was judged.

    Where the domain has no more there may be one alone.
    """
    members = _members(place)
    base = _value(place)
    if len(members) < (2 if isinstance(base, dict) else 1) or (
        not place.obj.own and any(member[0] in base for member in members)
    ):
        return False
    for member in members[:2]:
        if member[0] in base and not _done(_call(place, remover, member[:1])):
            return False
    base = _value(place)
    wrote = [_call(place, adder, member) for member in members[:2]]
    if not all(map(_done, wrote)):
        return False
    clauses = CLAUSES[type(place.field.type)]
    _judge(place, clauses[0], _with(base, members[:2]), wrote)
    _adds_what_is_there(place, adder, members, _with(base, members[:2]))
    _adds_to_another(place, adder, members[0])
    gone = [_call(place, remover, members[0][:1])]
    if all(map(_done, gone)):
        _judge(place, clauses[1], _with(base, members[1:2]), gone)
        again = _call(place, remover, members[0][:1])
        _judge(place, clauses[1], _with(base, members[1:2]), (*gone, again))
        if isinstance(base, dict) and members[-1][0] == members[0][0] and members[-1][1] != members[0][1]:
            back = [_call(place, adder, members[-1])]
            if all(map(_done, back)):
                _judge(place, clauses[0], _with(base, (*members[1:2], members[-1])), (*gone, *back))
            _call(place, remover, members[0][:1])
    for member in members[1:2]:
        _call(place, remover, member[:1])
    with suppress(Unavailable):
        _given_otherwise(place, adder, remover, members)
    return True


def _given_otherwise(place: Place, adder: Message, remover: Message, members: Sequence[Member]) -> None:
    """Add and remove what no addition has put there: a setter has, or a constructor, over the formats by turns."""
    bench, (of, name) = place.bench, (place.of, place.field.name)
    setter = writer(bench, of, name, "set")
    ways: list[Message | None] = [setter] if setter is not None and len(setter.params) == 2 else []
    ways += [None] if place.obj.own and constructor_place(of, place.field) else []
    if not ways:
        return
    way = ways[bench.formats.index(place.fmt) % len(ways)]
    given = _with({} if isinstance(place.field.type, MapOf) else (), members[:2])
    if way is None:
        with born_with(place, given) as other:
            _judge_given(other, (adder, remover), members, given)
        return
    before = _value(place)
    if _done(_call(place, way, (given,))) and same(place.field.type, given, _value(place)):
        _judge_given(place, (adder, remover), members, given)
    _call(place, way, (before,))


def _judge_given(place: Place, messages: tuple[Message, Message], members: Sequence[Member], given: Value) -> None:
    """Add the first member again and remove the last one, which nothing has added."""
    adder, remover = messages
    _adds_what_is_there(place, adder, members if isinstance(given, dict) else members[:1], given)
    last = members[:2][-1]
    gone = _call(place, remover, last[:1])
    if _done(gone):
        _judge(place, CLAUSES[type(place.field.type)][1], _with(type(given)(), members[:2][:-1]), [gone])


def _adds_what_is_there(place: Place, adder: Message, members: Sequence[Member], there: Value) -> None:
    """Add a key again, which fails, or a value, which is no error though it was there; nothing comes of either."""
    if isinstance(there, dict):
        again = _refuses_a_key(place, adder, members)
        if again is not None and not _done(again):
            _judge(place, "MAP-DUPLICATE-UNCHANGED", there, [again])
        return
    bench = place.bench
    for member in members[:2]:
        again = _call(place, adder, member)
        with bench.judging("SET-ADD-DEDUP", f"{place.of.name}.{place.field.name}", place.fmt) as judge:
            actual, seen = place.read()
            judge.same(place.field.type, there, actual, again, seen)
            judge.true(len(actual) == len(set(actual)), "each member once", show(actual), again, seen)
            taken = _done(again) or _says_that_it_is_there(bench.api, again)
            judge.true(taken, f"{adder.full_name} of what is there succeeds", describe(again), again)


def _says_that_it_is_there(api: Api, exchange: Exchange) -> bool:
    """Whether a message fails with one of the API's errors for what is there already, as for a subject's role."""
    outcome = exchange.reply.outcome
    code = outcome.code if isinstance(outcome, Failure) and outcome.code in api.errors else ""
    return not {"ALREADY", "EXISTS"}.isdisjoint(code.split("_"))


def _adds_to_another(place: Place, adder: Message, member: Member) -> None:
    """Add to a second object of ours what the first one has: members are an object's own."""
    if not place.obj.own:
        return
    with suppress(Unavailable):
        other = replace(place, obj=place.bench.stock.make(place.of.name))
        base = _value(other)
        wrote = _call(other, adder, member)
        if _done(wrote) and member[0] not in base:
            _judge(other, CLAUSES[type(place.field.type)][0], _with(base, [member]), [wrote])
        place.bench.stock.remove(other.obj)


def _refuses_a_key(place: Place, adder: Message, members: Sequence[Member]) -> Exchange | None:
    """Add the first key again with another value, where there is one; return the exchange."""
    key, value = members[0]
    if value == members[-1][1]:
        return None
    again = _call(place, adder, (key, members[-1][1]))
    with place.bench.judging("MAP-DUPLICATE-KEY", f"{place.of.name}.{place.field.name}", place.fmt) as judge:
        judge.true(
            not _done(again), f"{adder.full_name} of the key {show(key)} that is there fails", describe(again), again
        )
    return again


def _judge(place: Place, clause: str, expected: Value, wrote: Sequence[Exchange]) -> None:
    with place.bench.judging(clause, f"{place.of.name}.{place.field.name}", place.fmt) as judge:
        actual, seen = place.read()
        shown = tuple(dict.fromkeys(actual)) if isinstance(place.field.type, SetOf) else actual
        compare(place, judge, expected, shown, (*wrote, seen))


def _with(base: Value, members: Sequence[Member]) -> Value:
    return {**base, **dict(members)} if isinstance(base, dict) else (*base, *(each for (each,) in members))


def _call(place: Place, message: Message, args: Member) -> Exchange:
    return place.bench.call(place.fmt, message.full_name, place.obj.ref, *args)


def _done(exchange: Exchange) -> bool:
    return isinstance(exchange.reply.outcome, Success)


def _value(place: Place) -> Value:
    """Return what the field shows now.

    Raises:
        Unavailable: it cannot be read.
    """
    outcome = place.bench.call(place.bench.other(place.fmt), place.message("get"), place.obj.ref).reply.outcome
    if not isinstance(outcome, Success):
        raise Unavailable(f"{place.of.name}.{place.field.name} cannot be read; counted under GET-EVERY-FIELD")
    return outcome.value


def _members(place: Place) -> list[Member]:
    """Return members of the field's domain; two keys of a map, and at the end the first of them with another value."""
    of, bench = place.field.type, place.bench
    free, whole = is_free(place), [] if is_free(place) else place.plain(3)
    if isinstance(of, SetOf):
        found = plain_values(bench, place.of.name, place.field, of.item, 3) if free else [v for s in whole for v in s]
        return [(each,) for each in dict.fromkeys(found)]
    assert isinstance(of, MapOf), "only sets and maps are written by their members"
    if free:
        keys, values = (plain_values(bench, "", place.field, each, 3) for each in (of.key, of.value))
        whole = [dict.fromkeys(keys, each) for each in values]
    pairs = [(key, value) for each in whole for key, value in each.items()]
    first = list({key: (key, value) for key, value in reversed(pairs)}.values())[::-1][:2]
    return [*first, *[pair for pair in pairs if first and pair[0] == first[0][0] and pair[1] != first[0][1]][:1]]


def _has(_api: Api, of: ApiClass, kind: type) -> bool:
    return any(True for _ in given_by_members(of, kind))


CHECKS = (
    Check(
        "SET-ADD",
        per_class=partial(explicit_messages_write_one_by_one, kind=SetOf),
        applies=partial(_has, kind=SetOf),
        also=("SET-REMOVE", "SET-ADD-DEDUP"),
    ),
    Check(
        "MAP-ADD",
        per_class=partial(explicit_messages_write_one_by_one, kind=MapOf),
        applies=partial(_has, kind=MapOf),
        also=("MAP-DUPLICATE-KEY", "MAP-DUPLICATE-UNCHANGED", "MAP-REMOVE"),
    ),
)
