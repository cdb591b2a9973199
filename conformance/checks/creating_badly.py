"""Level 3, constructors: what is left out of a record, and what is wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn, made_by_task
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields, has_record_constructor, implicit, read_field
from xenconform.conformance.checks.creating_fields import varied
from xenconform.conformance.checks.creating_nothing import (
    bad_parameters_create_nothing,
    bad_values,
    bent,
    far_ends,
    near_names,
    no_ghosts,
    no_objects,
    nothing_is_left,
)
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, is_refusal, show
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.tally import draw
from xenconform.models.api import Api, ApiClass, Field, Qualifier, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, SetOf, Str, refs_in
from xenconform.models.values import Ref, Value, same
from xenconform.strategies.plain import tame
from xenconform.strategies.wrong import Typed, wrong_typed

# ---------------------------------------------------------------------------------------------------------- left out


def left_out_fields_take_their_defaults(bench: Bench, of: ApiClass) -> None:
    """A left-out field with a published default takes it; one without fails. Source: error list (SHOULD).

    What is given has values of its own, so that an object that has those of the one before it is found out.
    """
    full = _full(bench, of)
    for at, (name, field) in enumerate(given_fields(of)):
        formats = bench.formats if bench.budget.boundaries else (bench.formats[at % len(bench.formats)],)
        for fmt in formats:
            with bench.judging("CREATE-DEFAULTS", f"{of.name}.{field.name}", fmt) as judge:
                _leave_out(bench, judge, (of, name, fmt), field, full)
    for fmt in bench.formats:
        _left_out_together(bench, of, fmt, full)
    for fmt in in_turn(bench, of):
        with suppress(Unavailable):
            _left_out_of_a_task(bench, of, fmt)


def _full(bench: Bench, of: ApiClass) -> dict[str, Value]:
    """Return values that are not the defaults, those of removed fields too if the server takes them.

    There are none where it lets no object be made of them.
    """
    with suppress(Unavailable):
        drawn = varied(bench, of, 1, implicit(of), mixed=True)
        values = {n: drawn[n] for n, field in given_fields(of) if field.has_default and not refs_in(field.type)}
        old = {
            n: v
            for n, field in _removed(bench, of).items()
            for v in plain_values(bench, of.name, field, field.type, 2)[-1:]
        }
        for given in ({**values, **old}, values) if old else (values,):
            made = bench.stock.try_make(of.name, given)
            if isinstance(made.reply.outcome, Success):
                bench.stock.remove(bench.stock.adopt(of.name, made))
                return given
    return {}


def _removed(bench: Bench, of: ApiClass) -> dict[str, Field]:
    """Return the fields of a constructor's record that the release has no more: a server may still keep them."""
    fields = (f for f in of.fields.values() if f.qualifier is not Qualifier.RUNTIME and not refs_in(f.type))
    removed = (f for f in fields if f.has_default and f.lifecycle.state is State.REMOVED)
    return {f.name: f for f in removed if not bench.profile.domain(of.name, f.name).skip}


def _leave_out(
    bench: Bench, judge: Judge, at: tuple[ApiClass, str, Format], field: Field, full: Mapping[str, Value]
) -> None:
    """Leave one field out of a full record; of a plain one where that is refused although it has a default."""
    of, name, fmt = at
    for values in (full, {}) if full and field.has_default else (full,):
        record = {**bench.stock.exemplar(of.name), **values}
        del record[name]
        exchange = bench.call(fmt, f"{of.name}.create", record, probe=True)
        if isinstance(exchange.reply.outcome, Success):
            break
    outcome = exchange.reply.outcome
    if isinstance(outcome, Success):
        obj = bench.stock.adopt(of.name, exchange)
        if judge.true(field.has_default, f"create without {name} fails", describe(exchange), exchange):
            actual, seen = read_field(bench, of, field, bench.other(fmt), obj.ref)
            judge.same(field.type, bench.wire(field.type, field.default), actual, exchange, seen)
        bench.stock.remove(obj)
    elif field.has_default and bench.is_domain_refusal(exchange):
        judge.untested(describe(exchange))
    else:
        judge.true(not field.has_default, f"create without {name} succeeds", describe(exchange), exchange)


def _left_out_together(bench: Bench, of: ApiClass, fmt: Format, full: Mapping[str, Value]) -> None:
    """Leave out every field with a default, twice, and then the half of them.

    In between the first object's collections are written to, so that a default that objects share is found out.
    """
    defaulted = {name: field for name, field in given_fields(of) if field.has_default}
    half = {n: f for n, f in defaulted.items() if draw(bench.seed, fmt, n) % 2}
    old, made = {n: f for n, f in _removed(bench, of).items() if n in full}, list[Obj]()
    for fields in (defaulted, defaulted, half) if len(defaulted) > 1 else (defaulted, defaulted):
        try:
            given = {**bench.stock.exemplar(of.name), **full}
            record = {n: v for n, v in given.items() if n not in fields and n not in old}
        except Unavailable:
            break
        exchange = bench.call(fmt, f"{of.name}.create", record, probe=True)
        if not isinstance(exchange.reply.outcome, Success):
            break
        made.append(bench.stock.adopt(of.name, exchange))
        record = _have_their_defaults(bench, (of, fmt), fields, made[-1], exchange)
        for name in [n for n in old.keys() & record.keys() if not same(old[n].type, old[n].default, full[n])]:
            if same(old[name].type, full[name], record[name]):
                with bench.judging("CREATE-DEFAULTS", f"{of.name}.{name}", fmt) as judge:
                    judge.fail("not what another object was given", show(record[name]), exchange)
        if len(made) == 1:
            fill(bench, (of, fmt), fields, made[0])
    for obj in made:
        bench.stock.remove(obj)


def _left_out_of_a_task(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Leave every field with a default out of the record that a task makes an object of.

    Raises:
        Unavailable: none comes of it.
    """
    defaulted = {name: field for name, field in given_fields(of) if field.has_default}
    obj = made_by_task(bench, of, fmt, without=defaulted)
    _have_their_defaults(bench, (of, fmt), defaulted, obj)
    bench.stock.remove(obj)


def _have_their_defaults(
    bench: Bench, at: tuple[ApiClass, Format], fields: Mapping[str, Field], obj: Obj, *made: Exchange
) -> dict[str, Value]:
    """Judge an object of which some fields were left out; return its record, {} where it shows none."""
    of, fmt = at
    seen = bench.call(bench.other(fmt), f"{of.name}.get_record", obj.ref)
    record = seen.reply.outcome.value if isinstance(seen.reply.outcome, Success) else {}
    for field in fields.values():
        expected = bench.wire(field.type, field.default)
        if field.name in record and not same(field.type, expected, record[field.name]):
            with bench.judging("CREATE-DEFAULTS", f"{of.name}.{field.name}", fmt) as judge:
                judge.fail(f"the default {show(expected)}", show(record[field.name]), *made, seen)
    return record


def fill(bench: Bench, at: tuple[ApiClass, Format], fields: Mapping[str, Field], obj: Obj, number: int = 1) -> None:
    """Put value number `number` into each of some collections of an object of ours."""
    of, fmt = at
    for field in fields.values():
        domain = bench.profile.domain(of.name, field.name)
        if field.qualifier is not Qualifier.RW or refs_in(field.type) or domain.skip or not domain.is_free:
            continue
        match field.type:
            case MapOf(key, item) if f"add_to_{field.name}" in of.messages:
                bench.call(fmt, f"{of.name}.add_to_{field.name}", obj.ref, tame(key, number), tame(item, number))
            case SetOf(item) if f"add_{field.name}" in of.messages:
                bench.call(fmt, f"{of.name}.add_{field.name}", obj.ref, tame(item, number))


# ------------------------------------------------------------------------------------------------------------- wrong


@dataclass(frozen=True, slots=True)
class _Place:
    """A value of a constructor, by its name there, over one format; `good` are the others, `mark` tells who made it."""

    of: ApiClass
    name: str
    fmt: Format
    good: dict[str, Value]
    mark: str


def is_made_of_something(api: Api, of: ApiClass) -> bool:
    """Whether the class has the implicit create, or another constructor that is given objects."""
    return has_record_constructor(api, of) or any(refs_in(p.type) for c in of.constructors for p in c.message.params)


def bad_records_create_nothing(bench: Bench, of: ApiClass) -> None:
    """A record with a ref to no object, a wrong type or a bad enum value creates nothing and fails. Source: intro.

    The same holds of the parameters of constructors of another form; that wrong types are refused is WIRE-TYPE's there.
    """
    bad_parameters_create_nothing(bench, of)
    record = implicit(of)
    if record is None or record.message.full_name in bench.profile.never:
        return
    others = no_objects(bench, of, record)
    good, tried = _marked(of, bench.stock.exemplar(of.name)), list[Callable[[], Exchange]]()
    there = _elsewhere(bench, of)
    for at, (name, field) in enumerate(given_fields(of)):
        bad = list(bad_values(field.type, others))
        tried += [partial(_send, bench, _Place(of, name, bench.formats[0], good, name), each) for each in bad[:1]]
        wrong = [*wrong_typed(field.type), *near_names(field.type)]
        more = [each for each in wrong if each not in bad and not refs_in(each[0])]
        formats = bench.formats if bench.budget.boundaries else (bench.formats[at % len(bench.formats)],)
        for shift, fmt in enumerate(formats if bad else ()):
            bad = list(bad_values(field.type, others, shift))
            with bench.judging("CREATE-BAD", f"{of.name}.{field.name}", fmt) as judge:
                good = _marked(of, bench.stock.exemplar(of.name))
                if of.name in bench.stock.refusals:
                    raise Unavailable(bench.stock.refusals[of.name])
                mark = "name_label" if name != "name_label" and "name_label" in good else "other_config"
                share = more[shift :: len(formats)]
                _refuse_records(bench, judge, _Place(of, name, fmt, good, mark), [*bad, *share])
    for cls, refs in _elsewhere(bench, of).items():
        if refs - there[cls] - bench.stock.known_refs(cls):
            with bench.judging("CREATE-BAD", f"{of.name} ({cls})", bench.formats[0]) as judge:
                judge.asserted += 1
                nothing_is_left(bench, judge, bench.api.classes[cls], tried)


def _elsewhere(bench: Bench, of: ApiClass) -> dict[str, set[Ref]]:
    """Return the objects of each class that a class refers to: a create may make one along with its own."""
    near = {cls for field in of.fields.values() for cls in refs_in(field.type)} - {of.name, "session", "task"}
    listed = (cls for cls in sorted(near) if "get_all" in bench.api.classes[cls].messages)
    return {cls: set(bench.stock.all_refs(cls)) for cls in listed}


def _refuse_records(bench: Bench, judge: Judge, place: _Place, bad: list[Typed]) -> None:
    of, name, fmt = place.of, place.name, place.fmt
    before = bench.stock.all_refs(of.name)
    ends = far_ends(bench, place.fmt, of, place.good) if refs_in(of.fields[name].type) else {}
    exchanges = []
    for each in bad:
        exchanges.append(exchange := _send(bench, place, each))
        judge.refused(exchange, f"create with {name} = {show(each[1])} as {each[0]}")
        if isinstance(exchange.reply.outcome, Success):
            bench.stock.remove(bench.stock.adopt(of.name, exchange))
    if place.mark == "name_label" != name and not judge.failed:
        found, seen = bench.ask(bench.other(fmt), f"{of.name}.get_by_name_label", place.good["name_label"])
        judge.true(not found, "no object of its label", show(found), *exchanges, seen)
    no_ghosts(bench, judge, of, place.good, ends)
    # What was refused is not to come into being with the next one either, nor to be in the way of it.
    again = bench.stock.try_make(of.name, place.good, fmt=fmt)
    taken = isinstance(again.reply.outcome, Success)
    good = bench.stock.adopt(of.name, again) if taken else bench.stock.make(of.name, fmt=fmt)
    if not taken and not judge.failed and is_refusal(again):
        last = bench.stock.try_make(of.name, place.good, fmt=fmt)
        judge.true(
            not is_refusal(last), "a good record makes an object, though it was bad before", describe(last), last
        )
    new = [ref for ref in bench.stock.all_refs(of.name) if ref not in {*before, good.ref}]
    bench.stock.remove(good)
    for ref in new if place.mark in place.good and place.mark != name else ():
        seen = bench.call(fmt, f"{of.name}.get_{place.mark}", ref, probe=True)
        if isinstance(seen.reply.outcome, Success) and seen.reply.outcome.value == place.good[place.mark]:
            judge.fail("nothing is created", f"a new {of.name} {ref}", *exchanges, seen)
            bench.stock.remove(bench.stock.adopt_ref(of.name, ref))
    if new and not judge.failed:
        nothing_is_left(bench, judge, of, [partial(_send, bench, place, each) for each in bad])


def _send(bench: Bench, place: _Place, bad: Typed) -> Exchange:
    """Call create with a record of which one value is wrong, and is sent as what it is."""
    as_type, value = bad
    of, name = place.of, place.name
    api = bent(bench.api, of, name, as_type)
    return bench.call(place.fmt, f"{of.name}.create", {**place.good, name: value}, probe=True, api=api)


def _marked(of: ApiClass, record: dict[str, Value]) -> dict[str, Value]:
    """Return a record by which an object that is made of it is known from those of others."""
    field = of.fields.get("other_config")
    if "other_config" not in record or field is None or field.type != MapOf(Str(), Str()):
        return record
    return {**record, "other_config": {**record["other_config"], "xenconform": nature.new_uuid()}}


CHECKS = (
    Check("CREATE-DEFAULTS", per_class=left_out_fields_take_their_defaults, applies=has_record_constructor),
    Check("CREATE-BAD", per_class=bad_records_create_nothing, applies=is_made_of_something),
)
