"""Level 3, constructors: what create takes comes back, each object is new, and a bad record creates nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, result_of, show
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.models.api import Api, ApiClass, Constructor, Field, Qualifier, State
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Bool, Enum, Int, MapOf, RefTo, SetOf, Str, Type
from xenconform.models.values import Value

UNIMPLEMENTED = frozenset({"MESSAGE_METHOD_UNKNOWN", "NOT_IMPLEMENTED", "MESSAGE_REMOVED", "MESSAGE_DEPRECATED"})
OUR_FAULT = frozenset(
    {
        "MESSAGE_METHOD_UNKNOWN",
        "MESSAGE_PARAMETER_COUNT_MISMATCH",
        "INTERNAL_ERROR",
        "FIELD_TYPE_ERROR",
        "HANDLE_INVALID",
    }
)
"""With these a constructor refuses a good record without a reason of its domain."""


def implicit(of: ApiClass) -> Constructor | None:
    """Return the constructor that takes a record, if the class has it."""
    return next((c for c in of.constructors if c.record), None)


def has_constructor(_api: Api, of: ApiClass) -> bool:
    """Whether the model knows how an object of the class is made."""
    return bool(of.constructors)


def has_record_constructor(_api: Api, of: ApiClass) -> bool:
    """Whether the class has the implicit create."""
    return implicit(of) is not None


def given_fields(of: ApiClass, constructor: Constructor | None = None) -> Iterator[tuple[str, Field]]:
    """Return each value that a constructor, the first if none is given, takes: its name there, the field it sets."""
    constructor = constructor or of.constructors[0]
    if constructor.record:
        for field in of.fields.values():
            if field.qualifier is not Qualifier.RUNTIME and field.lifecycle.state is not State.REMOVED:
                yield field.name, field
        return
    for param, name in zip(constructor.message.params, constructor.fields, strict=True):
        if name:
            yield param.name, of.fields[name]


def make_or_say_why(
    bench: Bench, judge: Judge, of: ApiClass, fmt: Format, values: Mapping[str, Value]
) -> Exchange | None:
    """Call the first constructor; None where the server refuses, with the judgement on that recorded.

    A refusal of an implicit create of a published class with an error that names no reason of the server's domain is
    a defect; any other refusal leaves the element untested (the reading of the document that this project takes).
    """
    exchange = bench.stock.try_make(of.name, values, fmt=fmt)
    outcome = exchange.reply.outcome
    if isinstance(outcome, Success):
        bench.stock.adopt(of.name, exchange)
        return exchange
    if not isinstance(outcome, Failure):
        raise Unanswered(exchange)
    constructor = bench.stock.constructor(of.name)
    may = bench.profile.may_refuse.get(of.name)
    unimplemented = outcome.code in UNIMPLEMENTED
    plain = constructor.record and of.lifecycle.state is State.PUBLISHED and may is None
    if plain and outcome.code in OUR_FAULT:
        judge.fail(f"{exchange.message} of a complete record succeeds", describe(exchange), exchange)
    elif unimplemented:
        judge.unsupported(f"{exchange.message}: {describe(exchange)}")
    else:
        judge.untested(f"{exchange.message} refused: {describe(exchange)}{f' ({may})' if may else ''}")
    return None


def varied(bench: Bench, of: ApiClass, variant: int) -> dict[str, Value]:
    """Return values for the constructor that differ from the defaults and from those of other variants."""
    values: dict[str, Value] = {}
    base = bench.stock.exemplar(of.name)
    for name, field in given_fields(of, bench.stock.constructor(of.name)):
        if isinstance(field.type, RefTo):
            continue
        try:
            choice = plain_values(bench, of.name, field, field.type, 3)
        except Unavailable:
            continue
        if choice:
            values[name] = choice[variant % len(choice)]
    return {**base, **values}


def created_fields_come_back(bench: Bench, of: ApiClass) -> None:
    """Create takes all RW and RO/constructor fields, and each comes back as given. Source: introduction."""
    for at, fmt in enumerate(bench.formats):
        for variant in (at, at + 1):
            with bench.judging("CREATE-FIELDS", of.name, fmt) as judge:
                try:
                    values = varied(bench, of, variant)
                except Unavailable as why:
                    judge.untested(str(why))
                    break
                exchange = make_or_say_why(bench, judge, of, fmt, values)
                if exchange is None:
                    break
                _compare_created(bench, of, fmt, values, exchange)
                judge.asserted += 1


def _compare_created(bench: Bench, of: ApiClass, fmt: Format, values: Mapping[str, Value], made: Exchange) -> None:
    ref = result_of(made)
    for name, field in given_fields(of, bench.stock.constructor(of.name)):
        if f"get_{field.name}" not in of.messages and "get_record" not in of.messages:
            continue
        with bench.judging("CREATE-FIELDS", f"{of.name}.{field.name}", fmt) as judge:
            actual, seen = read_field(bench, of, field, bench.other(fmt), ref)
            if isinstance(field.type, Str) and values[name] == "" and actual:
                raise Unavailable("given as the empty text, which leaves the value to the server")
            judge.same(field.type, values[name], actual, made, seen)


def read_field(bench: Bench, of: ApiClass, field: Field, fmt: Format, ref: str) -> tuple[Value, Exchange]:
    """Read a field by its getter, or out of the record where the class has no getters."""
    if f"get_{field.name}" in of.messages:
        return bench.ask(fmt, f"{of.name}.get_{field.name}", ref)
    record, exchange = bench.ask(fmt, f"{of.name}.get_record", ref)
    return record[field.name], exchange


def each_object_is_new(bench: Bench, of: ApiClass) -> None:
    """Each create gives a ref and a uuid that no other object has or had. Source: introduction, identity."""
    has_uuid = "get_uuid" in of.messages
    seen_refs = set(bench.stock.existing(of.name)) | bench.stock.known_refs(of.name)
    seen_uuids: set[str] = set()
    for at, fmt in enumerate((*bench.formats, bench.formats[0])):
        with bench.judging("CREATE-NEW", of.name, fmt) as judge:
            made = make_or_say_why(bench, judge, of, fmt, {})
            if made is None:
                continue
            ref = result_of(made)
            judge.true(ref not in seen_refs, "a ref that no object has or had", show(ref), made)
            seen_refs.add(ref)
            if has_uuid:
                uuid, seen = bench.ask(bench.other(fmt), f"{of.name}.get_uuid", ref)
                judge.true(uuid not in seen_uuids, "a uuid that no object has or had", show(uuid), made, seen)
                seen_uuids.add(uuid)
            if at == 0 and of.destructor:
                bench.stock.remove(bench.stock.object_of(of.name, ref))


def left_out_fields_take_their_defaults(bench: Bench, of: ApiClass) -> None:
    """A left-out field with a published default takes it; one without fails. Source: error list (SHOULD)."""
    for at, (name, field) in enumerate(given_fields(of)):
        fmt = bench.formats[at % len(bench.formats)]
        with bench.judging("CREATE-DEFAULTS", f"{of.name}.{field.name}", fmt) as judge:
            record = bench.stock.exemplar(of.name)
            del record[name]
            exchange = bench.call(fmt, f"{of.name}.create", record, probe=True)
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


def bad_records_create_nothing(bench: Bench, of: ApiClass) -> None:
    """A record with an unknown ref, a wrong type or a bad enum value creates nothing and fails. Source: intro."""
    for at, (name, field) in enumerate(given_fields(of)):
        bad = list(_bad_values(field.type))
        formats = bench.formats if bench.budget.boundaries else (bench.formats[at % len(bench.formats)],)
        for fmt in formats if bad else ():
            with bench.judging("CREATE-BAD", f"{of.name}.{field.name}", fmt) as judge:
                good = bench.stock.exemplar(of.name)
                if of.name in bench.stock.refusals:
                    raise Unavailable(bench.stock.refusals[of.name])
                for as_type, value in bad:
                    _refuse_record(bench, judge, (of, name, fmt), (good, as_type, value))


def _refuse_record(
    bench: Bench, judge: Judge, at: tuple[ApiClass, str, Format], bad: tuple[dict[str, Value], Type, Value]
) -> None:
    of, name, fmt = at
    good, as_type, value = bad
    good = _marked(of, good)
    before = bench.stock.all_refs(of.name)
    bent = replace(of, fields={**of.fields, name: replace(of.fields[name], type=as_type)})
    api = replace(bench.api, classes={**bench.api.classes, of.name: bent})
    exchange = bench.call(fmt, f"{of.name}.create", {**good, name: value}, probe=True, api=api)
    judge.refused(exchange, f"create with {name} = {show(value)} as {as_type}")
    if isinstance(exchange.reply.outcome, Success):
        bench.stock.remove(bench.stock.adopt(of.name, exchange))
        return
    appeared = [ref for ref in bench.stock.all_refs(of.name) if ref not in before]
    mark = "name_label" if name != "name_label" and "name_label" in good else "other_config"
    for ref in appeared if mark in good and mark != name else ():
        seen = bench.call(fmt, f"{of.name}.get_{mark}", ref, probe=True)
        if isinstance(seen.reply.outcome, Success) and seen.reply.outcome.value == good[mark]:
            judge.fail("nothing is created", f"a new {of.name} {ref}", exchange, seen)
            bench.stock.remove(bench.stock.adopt_ref(of.name, ref))


def _marked(of: ApiClass, record: dict[str, Value]) -> dict[str, Value]:
    """Return a record by which an object that is made of it is known from those of others."""
    field = of.fields.get("other_config")
    if "other_config" not in record or field is None or field.type != MapOf(Str(), Str()):
        return record
    return {**record, "other_config": {**record["other_config"], "xenconform": str(uuid.uuid4())}}


def _bad_values(of: Type) -> Iterator[tuple[Type, Value]]:
    match of:
        case RefTo(_):
            yield of, unknown_ref()
        case Enum(_, _):
            yield Str(), "no such value"
            yield SetOf(Str()), ("a",)
        case Int():
            yield Str(), "nine"
            yield MapOf(Str(), Str()), {"a": "b"}
        case Bool():
            yield Str(), "maybe"
            yield SetOf(Str()), ("a",)
        case SetOf(RefTo(_)):
            yield of, (unknown_ref(),)
        case SetOf(_):
            yield MapOf(Str(), Str()), {"a": "b"}
        case MapOf(_, _):
            yield SetOf(Str()), ("a",)
        case Str():
            yield SetOf(Str()), ("a",)
            yield MapOf(Str(), Str()), {"a": "b"}
        case _:
            yield MapOf(Str(), Str()), {"a": "b"}


CHECKS = (
    Check("CREATE-FIELDS", per_class=created_fields_come_back, applies=has_constructor),
    Check("CREATE-NEW", per_class=each_object_is_new, applies=has_constructor),
    Check("CREATE-DEFAULTS", per_class=left_out_fields_take_their_defaults, applies=has_record_constructor),
    Check("CREATE-BAD", per_class=bad_records_create_nothing, applies=has_record_constructor),
)
