"""Level 3, constructors: what create takes comes back, and each object is new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, result_of, show
from xenconform.models.api import Api, ApiClass, Constructor, Field, Qualifier, State
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import NULL_REF, RefTo, Str
from xenconform.models.values import Ref, Value, same
from xenconform.strategies.bold import KINDS, bold

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
        _created_otherwise(bench, of, fmt)
        for number in range(KINDS) if bench.budget.boundaries else (at,):
            _created_boldly(bench, of, fmt, number)


def _created_otherwise(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Make an object with each further constructor of a class, where the server lets it be made so."""
    for constructor in of.constructors[1:] if of.destructor else ():
        message = constructor.message
        if message.full_name in bench.profile.never or message.lifecycle.state is State.REMOVED:
            continue
        try:
            values = bench.stock.exemplar(of.name, constructor)
        except (Unavailable, ValueError):
            continue
        exchange = bench.call(fmt, message.full_name, *(values[param.name] for param in message.params))
        if not isinstance(exchange.reply.outcome, Success):
            continue
        obj = bench.stock.adopt(of.name, exchange)
        for name, field in given_fields(of, constructor):
            if f"get_{field.name}" not in of.messages or field.qualifier is Qualifier.RUNTIME or values[name] == "":
                continue
            with bench.judging("CREATE-FIELDS", f"{of.name}.{field.name}", fmt) as judge:
                actual, seen = read_field(bench, of, field, bench.other(fmt), obj.ref)
                judge.same(field.type, values[name], actual, exchange, seen)
        bench.stock.remove(obj)


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


def _created_boldly(bench: Bench, of: ApiClass, fmt: Format, number: int) -> None:
    """Give a constructor values that are none, many, large or alike, and objects where it had none.

    A server may refuse them; what it accepts has to come back. Where a setter does to a value what the constructor
    did, that is for the clauses on the wire and on setting.
    """
    try:
        values = _bold_values(bench, of, number)
        exchange = bench.stock.try_make(of.name, values, fmt=fmt)
    except Unavailable:
        return
    if not isinstance(exchange.reply.outcome, Success):
        return
    obj = bench.stock.adopt(of.name, exchange)
    seen = bench.call(bench.other(fmt), f"{of.name}.get_record", obj.ref)
    record = seen.reply.outcome.value if isinstance(seen.reply.outcome, Success) else {}
    for name, field in given_fields(of, bench.stock.constructor(of.name)):
        if name not in values or field.name not in record or same(field.type, values[name], record[field.name]):
            continue
        setter = f"{of.name}.set_{field.name}"
        if bench.api.message(setter) is not None:
            bench.call(fmt, setter, obj.ref, values[name])
            again = bench.call(bench.other(fmt), f"{of.name}.get_{field.name}", obj.ref).reply.outcome
            if not isinstance(again, Success) or not same(field.type, values[name], again.value):
                continue
        with bench.judging("CREATE-FIELDS", f"{of.name}.{field.name}", fmt) as judge:
            judge.fail(show(values[name]), show(record[field.name]), exchange, seen)
    bench.stock.remove(obj)


def _bold_values(bench: Bench, of: ApiClass, number: int) -> dict[str, Value]:
    values, base = dict[str, Value](), bench.stock.exemplar(of.name)
    for name, field in given_fields(of, bench.stock.constructor(of.name)):
        domain = bench.profile.domain(of.name, field.name)
        value = bold(field.type, number, mild=f"set_{field.name}" not in of.messages)
        if domain.skip or not domain.is_free:
            continue
        if isinstance(field.type, RefTo) and base[name] == NULL_REF:
            with suppress(Unavailable):
                values[name] = bench.stock.readable(field.type.cls)[0].ref
        elif value is not None:
            values[name] = value
    return values


def read_field(bench: Bench, of: ApiClass, field: Field, fmt: Format, ref: str) -> tuple[Value, Exchange]:
    """Read a field by its getter, or out of the record where the class has no getters."""
    if f"get_{field.name}" in of.messages:
        return bench.ask(fmt, f"{of.name}.get_{field.name}", ref)
    record, exchange = bench.ask(fmt, f"{of.name}.get_record", ref)
    if field.name not in record:
        raise Unavailable(f"records of {of.name} lack {field.name}; counted under GET-RECORD-AGREES")
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
    for fmt in bench.formats if of.destructor else ():
        _with_the_same_record(bench, of, fmt)


def _with_the_same_record(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Make two objects of one and the same record, and one with the uuid of another: neither may be one that is there.

    A server may refuse them for a reason of its domain; what it accepts has to be new.
    """
    with suppress(Unavailable):
        record = bench.stock.exemplar(of.name)
        tried = [bench.stock.try_make(of.name, record, fmt=fmt) for _ in range(2)]
        made = [exchange for exchange in tried if isinstance(exchange.reply.outcome, Success)]
        refs = [result_of(exchange) for exchange in made]
        objects = [bench.stock.adopt_ref(of.name, ref) for ref in dict.fromkeys(refs)]
        if not objects:
            return
        with bench.judging("CREATE-NEW", of.name, fmt) as judge:
            judge.true(len(objects) == len(refs), "a ref that no object has", show(refs[-1]), *made)
            if "get_uuid" in of.messages and len(objects) > 1:
                asked = [bench.ask(bench.other(fmt), f"{of.name}.get_uuid", obj.ref) for obj in objects]
                judge.true(
                    asked[0][0] != asked[1][0], "a uuid that no object has", show(asked[1][0]), *made, asked[1][1]
                )
            if implicit(of) is not None and "get_uuid" in of.messages:
                _with_a_uuid_in_use(bench, judge, (of, fmt), objects[0].ref)
        for obj in objects:
            bench.stock.remove(obj)


def _with_a_uuid_in_use(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], ref: Ref) -> None:
    of, fmt = at
    used, asked = bench.ask(bench.other(fmt), f"{of.name}.get_uuid", ref)
    exchange = bench.call(fmt, f"{of.name}.create", {**bench.stock.exemplar(of.name), "uuid": used}, probe=True)
    if isinstance(exchange.reply.outcome, Success):
        obj = bench.stock.adopt(of.name, exchange)
        uuid, seen = bench.ask(bench.other(fmt), f"{of.name}.get_uuid", obj.ref)
        judge.true(uuid != used, "a uuid that no object has", show(uuid), asked, exchange, seen)
        bench.stock.remove(obj)


CHECKS = (
    Check("CREATE-FIELDS", per_class=created_fields_come_back, applies=has_constructor),
    Check("CREATE-NEW", per_class=each_object_is_new, applies=has_constructor),
)
