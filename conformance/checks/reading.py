"""Level 2, reading: every field has its getter, and all the ways to read an object agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from xenconform.conformance.checks.awkward import KINDS, fill, make_awkward, put_back, settable
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import Place, getters, has_getters, one_by_one, written
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, is_refusal, show
from xenconform.conformance.checks.onlooker import ask
from xenconform.conformance.checks.roundtrip import writer
from xenconform.conformance.checks.states import in_states
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.twins import twins
from xenconform.models.api import ApiClass, Field, Qualifier, State
from xenconform.models.calls import Breach, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import refs_in
from xenconform.models.values import Ref, Value, same

STILL = 6
"""So many further readings show that a field which the server may change itself stands still."""
OTHERS = 3
"""So many objects that were there are read with every getter."""


def every_field_has_a_getter_of_its_type(bench: Bench, of: ApiClass) -> None:
    """get_f of every field answers with a value of the declared type. Source: introduction, accessors.

    An object that was there and one of ours are read over every format, others over a format each, by turns;
    references may be null, so they are read of each of them over every format. Objects of ours in other states are
    read over a format each, some in the run's second session.
    """
    with in_states(bench, of) as moved:
        _every_field(bench, of, moved)


def _every_field(bench: Bench, of: ApiClass, moved: Sequence[Obj]) -> None:
    for at, fmt in enumerate(bench.formats):
        for number, (field, message) in enumerate(getters(of)):
            with bench.judging("GET-EVERY-FIELD", f"{of.name}.{field.name}", fmt) as judge:
                first, *others = _to_read(bench, of)
                always = bool(refs_in(field.type))
                for n, obj in enumerate((first, *others)):
                    if not n or obj.own or always or (n + number + at) % len(bench.formats) == 0:
                        _read_field(bench, judge, (field, message, fmt), obj)
                for n, obj in enumerate(moved):
                    if (n + number + at) % len(bench.formats) == 0:
                        _read_field(bench, judge, (field, message, fmt), obj, elsewhere=n % 2 == 0)


def _to_read(bench: Bench, of: ApiClass) -> tuple[Obj, ...]:
    """Return objects that were there, as many as the budget says, and one of ours where one can be made."""
    found = bench.stock.readable(of.name, min(bench.budget.objects, OTHERS))
    try:
        own = bench.stock.own(of.name)
    except Unavailable:
        return found
    return found if own in found else (*found, own)


def _read_field(
    bench: Bench, judge: Judge, at: tuple[Field, str, Format], obj: Obj, *, elsewhere: bool = False
) -> None:
    field, message, fmt = at
    call = partial(bench.onlooker.call, bench) if elsewhere else bench.call
    exchange = call(fmt, message, obj.ref)
    outcome = exchange.reply.outcome
    if field.lifecycle.state is State.REMOVED and is_refusal(exchange):
        judge.unsupported(f"removed in this release: {describe(exchange)}")
    elif isinstance(outcome, Breach) and not exchange.status:
        judge.untested(f"no answer: {outcome.kind}; counted under the wire clauses")
    else:
        judge.true(isinstance(outcome, Success), f"a value of type {field.type}", describe(exchange), exchange)


def record_agrees_with_the_getters(bench: Bench, of: ApiClass) -> None:
    """get_record has exactly the class's fields, each equal to get_f. Source: introduction, accessors.

    A field that changes by itself is read before and after the record; only a field that stood still is compared.
    Records are read of objects that were there, of one of two that have one name, and of objects full of values that
    a careless writer of records spoils; and of objects in other states, whose records were read before that.
    """
    fields, ours = tuple(getters(of)), settable(bench, of)
    written_ones = [(field, name) for field, name in fields if field in ours]
    with in_states(bench, of, partial(_look, bench, of)) as moved:
        for n, obj in enumerate(moved):
            _compare_record(bench, of, obj, bench.formats[n % len(bench.formats)], fields)
    with _full_objects(bench, of) as full, _namesakes(bench, of) as pair:
        for at, fmt in enumerate(bench.formats):
            for obj in bench.stock.readable(of.name, 2 if bench.budget.boundaries else 1):
                _compare_record(bench, of, obj, fmt, fields)
            for obj in (full * 3)[2 * at : 2 * at + 2]:
                _compare_record(bench, of, obj, fmt, written_ones)
            for obj in pair:
                _compare_record(bench, of, obj, fmt, [each for each in fields if each[0].name == "uuid"])
    records_follow_a_write(bench, of)


def _look(bench: Bench, of: ApiClass, obj: Obj) -> None:
    """Read an object's record over every format, for those that keep what they once read."""
    for fmt in bench.formats:
        bench.call(fmt, f"{of.name}.get_record", obj.ref)


@contextmanager
def _full_objects(bench: Bench, of: ApiClass) -> Iterator[list[Obj]]:
    """Give an object of each awkward kind, ended with the block; where none can be made, one that may be filled."""
    with ExitStack() as stack:
        made: list[Obj] = []
        with suppress(Unavailable, Unanswered):
            for kind in range(KINDS):
                made.append(make_awkward(bench, of, kind))
                stack.callback(bench.stock.remove, made[-1])
        if not made:
            with suppress(Unavailable, Unanswered):
                made.append(bench.stock.writable(of.name))
                for back in put_back(bench, of, made[0]):
                    stack.enter_context(back)
                fill(bench, of, made[0], 0)
        yield made


@contextmanager
def _namesakes(bench: Bench, of: ApiClass) -> Iterator[tuple[Obj, ...]]:
    """Give two objects that only their refs tell apart, where they can be made; they end with the block."""
    made: tuple[Obj, ...] = ()
    with suppress(Unavailable, Unanswered):
        made = twins(bench, of.name)
    yield made
    for obj in made:
        bench.stock.remove(obj)


def records_follow_a_write(bench: Bench, of: ApiClass) -> None:
    """After a write, get_record shows what get_f shows, over every format. Source: introduction, accessors.

    Every format reads the record before the write, so that one that keeps what it once read is found out; it comes
    over each format by turns, that one included.
    """
    if "get_record" not in of.messages:
        return
    for number, field in enumerate(written(of)):
        for at, fmt in enumerate(bench.formats):
            with bench.judging("GET-RECORD-AGREES", f"{of.name}.{field.name}", fmt) as judge:
                obj = bench.stock.writable(of.name)
                with bench.restoring(obj, field.name):
                    place = Place(bench, of, field, obj, bench.other(fmt, number + at))
                    _follow_writes(place, judge, fmt, elsewhere=(number + at) % 2 == 0)
    for at, field in enumerate(each for each in settable(bench, of) if each.qualifier is not Qualifier.RW):
        fmt = bench.formats[at % len(bench.formats)]
        with suppress(Unavailable, Unanswered):
            obj = bench.stock.writable(of.name)
            with bench.restoring(obj, field.name):
                _follows_a_message(Place(bench, of, field, obj, bench.other(fmt)), fmt)


def _follows_a_message(place: Place, fmt: Format) -> None:
    """The same of a field that an explicit message sets, where the server lets it.

    Raises:
        Unavailable: no value of it is known.
    """
    bench, of, field = place.bench, place.of, place.field
    setter = writer(bench, of, field.name, "set")
    if setter is None or len(setter.params) != 2:
        return
    values = place.plain(3)
    before = bench.call(fmt, f"{of.name}.get_record", place.obj.ref).reply.outcome
    now = before.value.get(field.name) if isinstance(before, Success) else None
    for value in [each for each in values if not same(field.type, each, now)][:1]:
        bench.call(place.fmt, setter.full_name, place.obj.ref, value)
        _compare_record(bench, of, place.obj, fmt, [(field, place.message("get"))])


def _follow_writes(place: Place, judge: Judge, fmt: Format, *, elsewhere: bool) -> None:
    bench, of, field, ref = place.bench, place.of, place.field, place.obj.ref
    record, _ = ask(bench, fmt, f"{of.name}.get_record", ref, elsewhere=elsewhere)
    for verb, args in one_by_one(place, record.get(field.name)):
        wrote = bench.call(place.fmt, place.message(verb), ref, *args)
        if not isinstance(wrote.reply.outcome, Success):
            continue  # counted under the clause that the verb has
        record, whole = ask(bench, fmt, f"{of.name}.get_record", ref, elsewhere=elsewhere)
        single = _peek(bench, fmt, place.message("get"), ref)
        if field.name in record and single is not None:
            judge.same(field.type, single[0], record[field.name], wrote, single[1], whole)


def _compare_record(bench: Bench, of: ApiClass, obj: Obj, fmt: Format, compared: Sequence[tuple[Field, str]]) -> None:
    message = f"{of.name}.get_record"
    with bench.judging("GET-RECORD-AGREES", of.name, fmt) as judge:
        before = {field.name: _peek(bench, fmt, name, obj.ref) for field, name in compared}
        record, exchange = bench.ask(fmt, message, obj.ref)
        required = {name for name, field in of.fields.items() if field.lifecycle.state is not State.REMOVED}
        missing, extra = required - record.keys(), record.keys() - of.fields.keys()
        judge.true(not missing, "every field of the class", f"without {sorted(missing)}", exchange)
        judge.true(not extra, "no field that the class has not", f"with {sorted(extra)}", exchange)
        for field, name in compared:
            seen = before[field.name]
            if seen is None or field.name not in record or same(field.type, seen[0], record[field.name]):
                continue
            _confirm(bench, judge, (fmt, name, obj.ref), field, record[field.name], exchange)


def _confirm(
    bench: Bench, judge: Judge, ask: tuple[Format, str, Ref], field: Field, in_record: Value, exchange: Exchange
) -> None:
    """Read a field and the record again: judge only what stands still on both sides."""
    fmt, name, ref = ask
    again = _peek(bench, fmt, name, ref)
    cls = name.partition(".")[0]
    record, later = bench.ask(fmt, f"{cls}.get_record", ref)
    if again is None or field.name not in record:
        return
    # Few values by turns may look still by chance: a field that the server may change itself is read more often.
    for _ in range(STILL if field.qualifier is Qualifier.RUNTIME else 1):
        after = _peek(bench, fmt, name, ref)
        record, later = bench.ask(fmt, f"{cls}.get_record", ref)
        if after is None or not same(field.type, again[0], after[0]):
            return
        moved = not same(field.type, in_record, record.get(field.name))
        if moved and field.qualifier is Qualifier.RUNTIME:
            return
    agrees = field.name in record and same(field.type, again[0], record[field.name])
    judge.true(
        agrees,
        f"{field.name} = {show(again[0])}, as get_{field.name} says",
        f"{field.name} = {show(record.get(field.name, in_record))} in the record",
        exchange,
        later,
        again[1],
    )


def _peek(bench: Bench, fmt: Format, message: str, ref: Ref) -> tuple[Value, Exchange] | None:
    exchange = bench.call(fmt, message, ref)
    outcome = exchange.reply.outcome
    return (outcome.value, exchange) if isinstance(outcome, Success) else None


CHECKS = (
    Check("GET-EVERY-FIELD", per_class=every_field_has_a_getter_of_its_type, applies=has_getters),
    Check("GET-RECORD-AGREES", per_class=record_agrees_with_the_getters, applies=has_getters),
)
