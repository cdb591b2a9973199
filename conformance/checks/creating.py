"""Level 3, constructors: how objects are made, and that each is new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Unpack

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, result_of, show
from xenconform.conformance.checks.opening import another_session
from xenconform.conformance.checks.options import CallOptions
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Api, ApiClass, Constructor, Field, Qualifier, State
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.exemplars import constructor_of
from xenconform.models.values import Ref, Value

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


def further(bench: Bench, of: ApiClass) -> Iterator[tuple[Constructor, dict[str, Value]]]:
    """Return each constructor of a class but the one that its objects are made with, and what it may be given.

    Those that the profile forbids are left out, and those for which something they need cannot be had; all of them
    where nothing ends the objects.
    """
    first = constructor_of(bench.api, bench.profile, of.name)
    for constructor in of.constructors if of.destructor else ():
        message = constructor.message
        if constructor is first or message.full_name in bench.profile.never or message.lifecycle.state is State.REMOVED:
            continue
        with suppress(Unavailable, ValueError):
            yield constructor, bench.stock.exemplar(of.name, constructor)


def make_by(
    bench: Bench,
    constructor: Constructor,
    fmt: Format,
    values: Mapping[str, Value],
    **options: Unpack[CallOptions],
) -> Exchange:
    """Call a constructor with complete values; return the exchange, whatever came. `options` are those of a call."""
    message = constructor.message
    args = (dict(values),) if constructor.record else tuple(values[param.name] for param in message.params)
    return bench.call(fmt, message.full_name, *args, **options)


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
    seen_refs = set(bench.stock.existing(of.name)) | bench.stock.known_refs(of.name)
    for at, fmt in enumerate((*bench.formats, bench.formats[0])):
        with bench.judging("CREATE-NEW", of.name, fmt) as judge:
            made = make_or_say_why(bench, judge, of, fmt, {})
            if made is None:
                continue
            _is_new(bench, judge, of, made, seen_refs)
            if at == 0 and of.destructor:
                bench.stock.remove(bench.stock.object_of(of.name, result_of(made)))
    for fmt in bench.formats if of.destructor else ():
        for constructor, _ in further(bench, of):
            _new_by(bench, of, (constructor, fmt), seen_refs)
    for fmt in in_turn(bench, of):
        with suppress(Unavailable):
            _new_in_another_session(bench, of, fmt, seen_refs)


def _is_new(bench: Bench, judge: Judge, of: ApiClass, made: Exchange, seen_refs: set[Ref]) -> None:
    """Judge that what a call made has a ref and a uuid of its own; no object of the run had that uuid, or has it."""
    ref = result_of(made)
    judge.true(ref not in seen_refs, "a ref that no object has or had", show(ref), made)
    seen_refs.add(ref)
    if "get_uuid" in of.messages:
        uuid, seen = bench.ask(bench.other(made.format), f"{of.name}.get_uuid", ref)
        was = bench.births.holder(of.name, uuid)
        judge.true(was in {None, ref}, "a uuid that no object has or had", f"{show(uuid)}, as {was}", made, seen)


def _new_in_another_session(bench: Bench, of: ApiClass, fmt: Format, seen_refs: set[Ref]) -> None:
    """Make an object in a session of its own, which may count for itself: it is new beside those of the other one.

    Raises:
        Unavailable: there is no session, or no object to be made.
    """
    constructor = bench.stock.constructor(of.name)
    values = bench.stock.exemplar(of.name)
    with another_session(bench, fmt) as session:
        made = make_by(bench, constructor, fmt, values, session=session)
    if isinstance(made.reply.outcome, Success):
        obj = bench.stock.adopt(of.name, made)
        with bench.judging("CREATE-NEW", of.name, fmt) as judge:
            _is_new(bench, judge, of, made, seen_refs)
        bench.stock.remove(obj)


def _new_by(bench: Bench, of: ApiClass, how: tuple[Constructor, Format], seen_refs: set[Ref]) -> None:
    """Make two objects with a further constructor, as far as the server lets them be made: each is new."""
    constructor, fmt = how
    made: list[Obj] = []
    for _ in range(2):
        with suppress(Unavailable):
            exchange = make_by(bench, constructor, fmt, bench.stock.exemplar(of.name, constructor))
            if not isinstance(exchange.reply.outcome, Success):
                break
            made.append(bench.stock.adopt(of.name, exchange))
            with bench.judging("CREATE-NEW", of.name, fmt) as judge:
                _is_new(bench, judge, of, exchange, seen_refs)
    for obj in dict.fromkeys(made):
        bench.stock.remove(obj)


CHECKS = (Check("CREATE-NEW", per_class=each_object_is_new, applies=has_constructor),)
