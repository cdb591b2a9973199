"""Level 1, forms: the spellings of ints in requests and replies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import TypeAlias

from xenconform.conformance.checks.asking import query
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, show
from xenconform.conformance.checks.querying import is_listed
from xenconform.conformance.checks.roundtrip import Spot, spot
from xenconform.conformance.checks.wire_explicit_ints import has_explicit_ints, ints_of_explicit_messages
from xenconform.conformance.checks.wire_kinds import parts
from xenconform.conformance.checks.wire_ways import ints_in, result_of, spelling
from xenconform.conformance.codec import Ints, Scalar
from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass, Constructor, Qualifier
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Ref, Value

XML_INTS = ("", "string", "int", "i4", "i8")
"""The tags with which XML-RPC clients send ints; "" is bare text."""
WIDE_XML = (("i4", -1), ("int", -(2**31)), ("i8", 2**53 + 1), ("i8", t.INT_MIN), ("i8", -2))
WIDE_JSON = (("native", -1), ("native", 2**53 + 1), ("native", t.INT_MIN), ("native", t.INT_MAX), ("text", t.INT_MAX))
WIDE = (2**53 + 1, 2**40 + 1)
"""Ints for constructors, beyond those that a double holds, and beyond 32 bits: a size that a disk may have."""
Shown: TypeAlias = Mapping[str, Value]
INT_WRITERS: tuple[Ints, Ints] = ("text", "native")


# --------------------------------------------------------------------------------------------------- WIRE-INT-REQUEST


def int_spots(bench: Bench, of: ApiClass) -> list[Spot]:
    """Return the int fields of a class that have a setter."""
    found = (spot(bench, of, name) for name, field in of.fields.items() if isinstance(field.type, t.Int))
    return [each for each in found if each is not None and each.how == "set"]


def _names(constructor: Constructor, of: ApiClass) -> tuple[str, ...]:
    written = (name for name, field in of.fields.items() if field.qualifier is not Qualifier.RUNTIME)
    return tuple(written) if constructor.record else tuple(filter(None, constructor.fields))


def has_int_setters(_api: Api, of: ApiClass) -> bool:
    """Whether a class has a setter of an int, or a constructor or an explicit message that takes one."""
    if has_explicit_ints(of):
        return True
    made = any(isinstance(of.fields[name].type, t.Int) for each in of.constructors for name in _names(each, of))
    return made or any(m.verb == "set" and isinstance(of.fields[m.field].type, t.Int) for m in of.messages.values())


def ints_are_taken_in_each_spelling(bench: Bench, of: ApiClass) -> None:
    """Ints in requests may be decimal text or the format's own integers; both mean the same. Source: wire protocol."""
    for spot_ in int_spots(bench, of):
        for fmt in bench.formats:
            with bench.judging("WIRE-INT-REQUEST", spot_.element, fmt) as judge:
                obj = bench.stock.writable(of.name)
                before, _ = bench.ask(fmt, f"{of.name}.get_{spot_.field.name}", obj.ref)
                _judge_spellings(spot_, judge, fmt, obj.ref)
                if spot_.is_free and not judge.failed:
                    _judge_wide(spot_, judge, (fmt, obj.ref))
                spot_.put(fmt, before, obj)
    _judge_created(bench, of)
    ints_of_explicit_messages(bench, of)


def _judge_spellings(spot_: Spot, judge: Judge, fmt: Format, ref: Ref) -> None:
    """Judge each spelling against the others: a setter that takes an int in none of them says nothing of spellings.

    Raises:
        Unavailable: no spelling was taken.
    """
    values = spot_.plain()
    tried = [
        (spelled, value, _set_spelled(spot_, (fmt, ref), value, how))
        for (spelled, how), value in zip(_spellings(fmt), cycle(values), strict=False)
    ]
    if not any(isinstance(wrote.reply.outcome, Success) for _, _, (wrote, _) in tried):
        raise Unavailable(f"no int was ever accepted: {describe(tried[0][2][0])}")
    for spelled, value, (wrote, back) in tried:
        if spot_.bench.is_domain_refusal(wrote):
            continue
        taken = isinstance(wrote.reply.outcome, Success)
        judge.true(taken, f"{value} as {spelled} is taken", describe(wrote), wrote)
        if taken and isinstance(back.reply.outcome, Success):
            judge.same(t.Int(), value, back.reply.outcome.value, wrote, back)


def _judge_wide(spot_: Spot, judge: Judge, at: tuple[Format, Ref]) -> None:
    """Judge negative and wide ints in the format's own spelling, where they are kept when they come as text."""
    for how, value in WIDE_XML if at[0] is Format.XMLRPC else WIDE_JSON:
        wrote, back = _set_spelled(spot_, at, value, how)
        if _is_kept(wrote, back, value):
            judge.asserted += 1
            continue
        plain = _set_spelled(spot_, at, value, "text" if how == "native" else "")
        if _is_kept(*plain, value):
            told = (f"{value} as {how}, like the same as text", f"{describe(wrote)}, {describe(back)}", wrote, back)
            judge.fail(*told)
            if how == "native" and isinstance(wrote.reply.outcome, Success):
                _is_lost(spot_.bench, judge, *told)
            return


def _is_lost(bench: Bench, judge: Judge, expected: str, actual: str, *seen: Exchange) -> None:
    """Tell that an int that was taken as a JSON integer was altered: it travels without loss. Source: wire protocol."""
    with bench.judging("WIRE-INT-JSON", judge.element, judge.format) as loss:
        loss.fail(expected, actual, *seen)


def _is_kept(wrote: Exchange, back: Exchange, value: int) -> bool:
    outcome = back.reply.outcome
    return isinstance(wrote.reply.outcome, Success) and isinstance(outcome, Success) and outcome.value == value


def _judge_created(bench: Bench, of: ApiClass) -> None:
    """Judge the format's own integers in what a constructor is given, where it takes the same ints as text."""
    try:
        constructor = bench.stock.constructor(of.name)
    except Unavailable:
        return
    message = constructor.message
    if not any(isinstance(of.fields[name].type, t.Int) for name in _names(constructor, of)):
        return
    for fmt in bench.formats:
        with bench.judging("WIRE-INT-REQUEST", message.full_name, fmt) as judge:
            (text, _), (native, _) = (_created(bench, of, fmt, ints) for ints in INT_WRITERS)
            if not isinstance(text.reply.outcome, Success):
                raise Unavailable(f"no {of.name} was made: {describe(text)}")
            if bench.is_domain_refusal(native):
                raise Unavailable(f"one {of.name} was made, and then: {describe(native)}")
            taken = isinstance(native.reply.outcome, Success)
            judge.true(taken, f"ints of {message.full_name} in the format's own form", describe(native), native)
            for wide in WIDE if taken else ():
                if _judge_wide_created(bench, judge, (of, fmt), wide):
                    break


def _judge_wide_created(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], wide: int) -> bool:
    """Judge an int that a constructor is given in either spelling; return whether it takes it as text."""
    (text, kept), (native, shown) = (_created(bench, *at, ints, wide) for ints in INT_WRITERS)
    if not isinstance(text.reply.outcome, Success):
        return False
    taken = isinstance(native.reply.outcome, Success)
    judge.true(taken, f"{wide} given to {native.message}, as in text", describe(native), native)
    odd = {name: value for name, value in shown.items() if kept.get(name) == wide != value}
    if odd:
        told = (f"{wide} given to {native.message}, as in text", show(odd), text, native)
        judge.fail(*told)
        if at[1] is not Format.XMLRPC:
            _is_lost(bench, judge, *told)
    return True


def _created(bench: Bench, of: ApiClass, fmt: Format, ints: Ints, wide: int | None = None) -> tuple[Exchange, Shown]:
    """Make an object with ints in a spelling; return that exchange, and what its record shows of the wide ones."""
    constructor, given = bench.stock.constructor(of.name), bench.stock.exemplar(of.name)
    free: dict[str, str] = {}
    if wide is not None:
        fields = given_fields(of, constructor)
        free = {n: f.name for n, f in fields if f.type == t.Int() and bench.profile.domain(of.name, f.name).is_free}
        given |= dict.fromkeys(free, wide)
    message = constructor.message
    args = (given,) if constructor.record else tuple(given[param.name] for param in message.params)
    made = bench.call(fmt, message.full_name, *args, ints=ints)
    if not isinstance(made.reply.outcome, Success):
        return made, {}
    obj = bench.stock.adopt(of.name, made)
    readable = free and "get_record" in of.messages
    seen = bench.call(bench.other(fmt), f"{of.name}.get_record", obj.ref).reply.outcome if readable else None
    bench.stock.remove(obj)
    shown = seen.value if isinstance(seen, Success) else {}
    return made, {name: shown[name] for name in free.values() if name in shown}


def _spellings(fmt: Format) -> Iterator[tuple[str, str]]:
    if fmt is Format.XMLRPC:
        yield from ((f"<{tag}>" if tag else "bare text", tag) for tag in XML_INTS)
    else:
        yield from (("text", "text"), ("a JSON integer", "native"))


def _set_spelled(spot_: Spot, at: tuple[Format, Ref], value: int, how: str) -> tuple[Exchange, Exchange]:
    """Set an int in a spelling; return that exchange and the one that read it back."""
    fmt, ref = at
    message = f"{spot_.of.name}.set_{spot_.field.name}"
    self = (t.RefTo(spot_.of.name), ref)
    if fmt is Format.XMLRPC:
        wrote = spot_.bench.call(fmt, message, params=[self, (None, Scalar(how, str(value)))])
    else:
        ints: Ints = "native" if how == "native" else "text"
        wrote = spot_.bench.call(fmt, message, params=[self, (t.Int(), value)], ints=ints)
    return wrote, spot_.get(fmt, ref)


# --------------------------------------------------------------------------- WIRE-INT-JSON: one spelling in all replies


def ints_keep_to_one_spelling(bench: Bench) -> None:
    """A server writes ints in JSON either all as integers or all as decimal strings. Source: wire protocol."""
    found: dict[str, tuple[str, Exchange]] = {}
    formats = [fmt for fmt in bench.formats if fmt is not Format.XMLRPC]
    if not formats:
        return
    with bench.judging("WIRE-INT-JSON", "server") as judge:
        for of in bench.api.classes.values():
            ints = [name for name, field in of.fields.items() if any(isinstance(p, t.Int) for p in parts(field.type))]
            if "get_record" not in of.messages or not ints:
                continue
            for fmt in formats:
                for name, how, exchange in _spelled(bench, of, ints, fmt):
                    found.setdefault(how, (f"{of.name}.{name} over {fmt}", exchange))
                    judge.asserted += 1
        if len(found) > 1:
            judge.fail(
                "ints in one spelling",
                "; ".join(f"{k} in {at}" for k, (at, _) in found.items()),
                *(exchange for _, exchange in found.values()),
            )


def _spelled(bench: Bench, of: ApiClass, ints: list[str], fmt: Format) -> Iterator[tuple[str, str, Exchange]]:
    """Yield the int fields of an object and how its record, their getters and the class's listing write them."""
    try:
        (obj,) = bench.stock.readable(of.name)
    except Unavailable:
        return
    exchange = bench.call(fmt, f"{of.name}.get_record", obj.ref)
    yield from _in_record(bench, of, ints, (result_of(exchange), exchange))
    for name in ints:
        if f"get_{name}" in of.messages:
            single = bench.call(fmt, f"{of.name}.get_{name}", obj.ref)
            yield from _in_record(bench, of, [name], ({name: result_of(single)}, single))
    if "get_all_records" in of.messages:
        asked = [bench.call(fmt, f"{of.name}.get_all_records")]
        if is_listed(bench.api, of):
            uuid, _ = bench.ask(fmt, f"{of.name}.get_uuid", obj.ref)
            asked.append(query(bench, of, fmt, f'field "uuid" = "{uuid}"'))
        for listed in asked:
            records = result_of(listed)
            for record in records.values() if isinstance(records, Mapping) else ():
                yield from _in_record(bench, of, ints, (record, listed))


def _in_record(
    bench: Bench, of: ApiClass, ints: list[str], shown: tuple[object, Exchange]
) -> Iterator[tuple[str, str, Exchange]]:
    """Yield how each int of a record is written, those in sets and maps included."""
    record, seen = shown
    if not isinstance(record, Mapping):
        return
    for name in ints:
        for each in ints_in(of.fields[name].type, record.get(name), bench.api):
            if how := spelling(each):
                yield name, how, seen


CHECKS: tuple[Check, ...] = (
    Check(
        "WIRE-INT-REQUEST",
        per_class=ints_are_taken_in_each_spelling,
        applies=has_int_setters,
        also=("WIRE-INT-JSON",),
    ),
    Check("WIRE-INT-JSON", per_server=ints_keep_to_one_spelling),
)
