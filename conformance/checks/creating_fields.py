"""Level 3, constructors: each value that one takes comes back, whatever it is and whichever constructor takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn, made_by_task
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import (
    further,
    given_fields,
    has_constructor,
    make_by,
    make_or_say_why,
    read_field,
)
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Judge, Unavailable, result_of, show
from xenconform.conformance.checks.refs import filled
from xenconform.conformance.checks.stock import TAG
from xenconform.models.api import ApiClass, Constructor, Qualifier
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.exemplars import exemplar
from xenconform.models.types import NULL_REF, Bool, RefTo, Str, Type
from xenconform.models.values import Ref, Value, same
from xenconform.strategies.bold import KINDS, bold


def varied(
    bench: Bench, of: ApiClass, variant: int, constructor: Constructor | None = None, *, mixed: bool = False
) -> dict[str, Value]:
    """Return values for a constructor that differ from the defaults and from those of other variants.

    `mixed`: fields of one type differ from each other as well, bools in one of a few variants; a server that holds
    fields against each other may have its reasons to refuse that.

    Raises:
        Unavailable: what the constructor needs cannot be had.
    """
    constructor = constructor or bench.stock.constructor(of.name)
    values = bench.stock.exemplar(of.name, constructor)
    ranks = Counter[Type]()
    for name, field in given_fields(of, constructor):
        listed = bench.profile.domain(of.name, field.name).values is not None
        if field.name == "uuid" or (isinstance(field.type, RefTo) and not listed):
            continue
        rank = ranks[field.type] if mixed else 0
        ranks[field.type] += 1
        with suppress(Unavailable):
            choice = plain_values(bench, of.name, field, field.type, 3 + rank)
            # Of two bools there is a digit in which their numbers differ.
            shift = rank >> variant // 2 % 3 if isinstance(field.type, Bool) else rank
            values |= {name: choice[(variant + shift) % len(choice)]} if choice else {}
    return values


def created_fields_come_back(bench: Bench, of: ApiClass) -> None:
    """Create takes all RW and RO/constructor fields, and each comes back as given. Source: introduction.

    Fields of one type have values of their own, where the server takes that, so that none goes to another field.
    """
    for at, fmt in enumerate(bench.formats):
        for variant in (at, at + 1):
            with bench.judging("CREATE-FIELDS", of.name, fmt) as judge:
                try:
                    values, exchange = _made_varied(bench, judge, (of, fmt), variant)
                except Unavailable as why:
                    judge.untested(str(why))
                    break
                if exchange is None:
                    break
                _compare_created(bench, of, fmt, values, (result_of(exchange), exchange))
                judge.asserted += 1
            for constructor, plain in further(bench, of):
                _created_otherwise(bench, (of, fmt), constructor, (variant, plain))
        for number in range(KINDS) if bench.budget.boundaries else (at,):
            _created_boldly(bench, of, fmt, number)
        for variant in range(2) if bench.profile.exemplars.get(of.name) else ():
            with suppress(Unavailable):
                _created_as_usual(bench, of, fmt, variant)
    for fmt in in_turn(bench, of):
        with suppress(Unavailable):
            _created_of_a_whole_record(bench, of, fmt)
        for variant in range(2):
            with suppress(Unavailable):
                values = varied(bench, of, variant, mixed=True)
                made = made_by_task(bench, of, fmt, values)
                _compare_created(bench, of, fmt, values, (made.ref,))
                bench.stock.remove(made)


def _created_of_a_whole_record(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Give a constructor the record of an object, with its uuid and what the server decides, and other values in it.

    A server may refuse what no constructor takes; else that is left out, and the rest comes back.

    Raises:
        Unavailable: what the constructor needs cannot be had.
    """
    if not bench.stock.constructor(of.name).record or "get_record" not in of.messages:
        return
    read = bench.call(bench.other(fmt), f"{of.name}.get_record", bench.stock.own(of.name).ref).reply.outcome
    values = varied(bench, of, 1, mixed=True)
    given = {**(read.value if isinstance(read, Success) else {}), **bench.stock.exemplar(of.name), **values}
    exchange = bench.stock.try_make(of.name, given, fmt=fmt, probe=True)
    if isinstance(exchange.reply.outcome, Success):
        made = bench.stock.adopt(of.name, exchange)
        _compare_created(bench, of, fmt, values, (made.ref, exchange))
        bench.stock.remove(made)


def _made_varied(
    bench: Bench, judge: Judge, at: tuple[ApiClass, Format], variant: int
) -> tuple[dict[str, Value], Exchange | None]:
    """Make an object of values that are all different, else, where the server has none of that, of values of a kind."""
    of, fmt = at
    values = varied(bench, of, variant, mixed=True)
    exchange = bench.stock.try_make(of.name, values, fmt=fmt)
    if isinstance(exchange.reply.outcome, Success):
        bench.stock.adopt(of.name, exchange)
        return values, exchange
    values = varied(bench, of, variant)
    return values, make_or_say_why(bench, judge, of, fmt, values)


def _created_otherwise(
    bench: Bench, at: tuple[ApiClass, Format], constructor: Constructor, given: tuple[int, dict[str, Value]]
) -> None:
    """Make an object with a further constructor of a class, of such values as the server lets it be made of."""
    of, fmt = at
    variant, plain = given
    with suppress(Unavailable):
        for mixed in (True, False, None):
            values = plain if mixed is None else varied(bench, of, variant, constructor, mixed=mixed)
            exchange = make_by(bench, constructor, fmt, values)
            if isinstance(exchange.reply.outcome, Success):
                _shows_what_was_given(bench, at, constructor, values, exchange)
                return


def _shows_what_was_given(
    bench: Bench, at: tuple[ApiClass, Format], constructor: Constructor, values: Mapping[str, Value], exchange: Exchange
) -> None:
    of, fmt = at
    obj = bench.stock.adopt(of.name, exchange)
    for name, field in given_fields(of, constructor):
        if f"get_{field.name}" not in of.messages or field.qualifier is Qualifier.RUNTIME or values[name] == "":
            continue
        with bench.judging("CREATE-FIELDS", f"{of.name}.{field.name}", fmt) as judge:
            actual, seen = read_field(bench, of, field, bench.other(fmt), obj.ref)
            judge.same(field.type, values[name], actual, exchange, seen)
    bench.stock.remove(obj)


def as_usual(bench: Bench, cls: str) -> dict[str, Value]:
    """Return what objects of a class are usually made with where the profile has values of its own, {} elsewhere.

    Raises:
        Unavailable: what it needs cannot be had.
    """
    own = bench.profile.exemplars.get(cls, {})
    if not own:
        return {}
    usual = replace(bench.profile, exemplars={})
    constructor = bench.stock.constructor(cls)
    drawn = exemplar(bench.api, usual, cls, bench.stock.number(), tag=TAG, constructor=constructor)
    return {n: filled(drawn[n], bench.stock.need, bench.stock.uuid_of) for n in own if n in drawn}


def _created_as_usual(bench: Bench, of: ApiClass, fmt: Format, variant: int) -> None:
    """Make an object of another kind than the profile has them, if the server lets it be made.

    Raises:
        Unavailable: what the constructor needs cannot be had.
    """
    values = {**varied(bench, of, variant, mixed=True), **as_usual(bench, of.name)}
    made = bench.stock.try_make(of.name, values, fmt=fmt)
    if isinstance(made.reply.outcome, Success):
        obj = bench.stock.adopt(of.name, made)
        _compare_created(bench, of, fmt, values, (obj.ref, made))
        bench.stock.remove(obj)


def _compare_created(
    bench: Bench, of: ApiClass, fmt: Format, values: Mapping[str, Value], made: tuple[Ref] | tuple[Ref, Exchange]
) -> None:
    ref, *calls = made
    for name, field in given_fields(of, bench.stock.constructor(of.name)):
        if f"get_{field.name}" not in of.messages and "get_record" not in of.messages:
            continue
        with bench.judging("CREATE-FIELDS", f"{of.name}.{field.name}", fmt) as judge:
            actual, seen = read_field(bench, of, field, bench.other(fmt), ref)
            if isinstance(field.type, Str) and values[name] == "" and actual:
                raise Unavailable("given as the empty text, which leaves the value to the server")
            judge.same(field.type, values[name], actual, *calls, seen)


def _created_boldly(bench: Bench, of: ApiClass, fmt: Format, number: int) -> None:
    """Give a constructor values that are none, many, large or alike, and objects where it had none.

    A server may refuse them; what it accepts has to come back. Where a setter does to a value what the constructor
    did, that is for the clauses on the wire and on setting.
    """
    try:
        values, exchange = _made_boldly(bench, of, fmt, number)
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
        shown = bench.call(bench.other(fmt), f"{of.name}.get_{field.name}", obj.ref).reply.outcome
        if isinstance(shown, Success) and same(field.type, values[name], shown.value):
            continue  # counted under GET-RECORD-AGREES
        setter = f"{of.name}.set_{field.name}"
        if bench.api.message(setter) is not None:
            bench.call(fmt, setter, obj.ref, values[name])
            again = bench.call(bench.other(fmt), f"{of.name}.get_{field.name}", obj.ref).reply.outcome
            if not isinstance(again, Success) or not same(field.type, values[name], again.value):
                continue
        elif isinstance(field.type, Str) and not _text_travels(bench, fmt, str(values[name])):
            continue
        with bench.judging("CREATE-FIELDS", f"{of.name}.{field.name}", fmt) as judge:
            judge.fail(show(values[name]), show(record[field.name]), exchange, seen)
    bench.stock.remove(obj)


def _made_boldly(bench: Bench, of: ApiClass, fmt: Format, number: int) -> tuple[dict[str, Value], Exchange]:
    """Make an object of bold values, and of bold texts that no setter sets: of all, else of one, else of none.

    Raises:
        Unavailable: what the constructor needs cannot be had.
    """
    given = given_fields(of, bench.stock.constructor(of.name))
    unset = [name for name, f in given if isinstance(f.type, Str) and f"set_{f.name}" not in of.messages]
    for bare in (unset, unset[number % len(unset) :][:1], []) if unset else ([],):
        values = bold_values(bench, of, number, bare)
        exchange = bench.stock.try_make(of.name, values, fmt=fmt)
        if isinstance(exchange.reply.outcome, Success):
            break
    return values, exchange


def _text_travels(bench: Bench, fmt: Format, text: str) -> bool:
    """Whether a text makes its way over two formats in an object of another class, if there is one that can be written.

    Where it does not, that is for the clauses on the wire.
    """
    with suppress(Unavailable):
        obj = bench.stock.own("network")
        bench.call(fmt, "network.set_name_description", obj.ref, text)
        seen = bench.call(bench.other(fmt), "network.get_name_description", obj.ref).reply.outcome
        return isinstance(seen, Success) and bool(seen.value == text)
    return True


def bold_values(bench: Bench, of: ApiClass, number: int, bare: Sequence[str]) -> dict[str, Value]:
    """Return bold values for what a constructor takes; mild ones for fields without a setter that are not `bare`."""
    values, base = dict[str, Value](), bench.stock.exemplar(of.name)
    for name, field in given_fields(of, bench.stock.constructor(of.name)):
        domain = bench.profile.domain(of.name, field.name)
        value = bold(field.type, number, mild=f"set_{field.name}" not in of.messages and name not in bare)
        if domain.skip or not domain.is_free:
            continue
        if isinstance(field.type, RefTo) and base[name] == NULL_REF:
            with suppress(Unavailable):
                values[name] = bench.stock.readable(field.type.cls)[0].ref
        elif value is not None:
            values[name] = value
    return values


CHECKS = (Check("CREATE-FIELDS", per_class=created_fields_come_back, applies=has_constructor),)
