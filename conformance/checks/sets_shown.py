"""Level 2, sets: no reply shows a value twice, however the set came by its values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn, made_by_task
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import Place, has_sets, over_fields, plain_values, write_some
from xenconform.conformance.checks.judging import Judge, Unavailable, show
from xenconform.conformance.checks.roundtrip import constructor_place, writer
from xenconform.conformance.checks.sets import item_of, members_of, taken
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.surrounding import surrounded
from xenconform.models.api import Api, ApiClass, Field, Qualifier, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import RefTo, SetOf
from xenconform.models.values import Ref, Value
from xenconform.strategies.confusable import crowd


def no_set_shows_a_value_twice(place: Place, judge: Judge) -> None:
    """No reply shows a set with a value twice, however it was written. Source: introduction, sets."""
    first, second, _ = members_of(place)
    many = taken(place, crowd(item_of(place)))
    for doubled in ((first, second, first), (first, first, first, second), (*many, *many[:1], *many[-2:])):
        place.do("set", ())  # so that what follows is a change, whatever a server takes for none
        wrote = place.bench.call(place.fmt, place.message("set"), place.obj.ref, doubled, probe=True)
        for fmt in place.bench.formats:
            actual, seen = place.bench.ask(fmt, place.message("get"), place.obj.ref)
            judge.true(len(actual) == len(set(actual)), "each value once", show(actual), wrote, seen)
            record, whole = place.bench.ask(fmt, f"{place.of.name}.get_record", place.obj.ref)
            shown = record.get(place.field.name, ())
            judge.true(len(shown) == len(set(shown)), "each value once in the record", show(shown), wrote, whole)
    _created_with(place, judge, (first, second, first))


def _created_with(place: Place, judge: Judge, doubled: Sequence[Value]) -> None:
    """Give a constructor a set with a value twice; refused or not, no reply may show it."""
    bench, of = place.bench, place.of
    where = constructor_place(of, place.field)
    if where is None:
        return
    if place.fmt in in_turn(bench, of):
        with suppress(Unavailable):
            by_task = made_by_task(bench, of, place.fmt, {where[1]: tuple(doubled)})
            actual, seen = bench.ask(place.fmt, place.message("get"), by_task.ref)
            judge.true(len(actual) == len(set(actual)), "each value once, of what a task made", show(actual), seen)
            bench.stock.remove(by_task)
    made = bench.stock.try_make(of.name, {where[1]: tuple(doubled)}, fmt=place.fmt)
    if not isinstance(made.reply.outcome, Success):
        return
    obj = bench.stock.adopt(of.name, made)
    _each_once(bench, judge, (of, place.field, obj.ref), made)
    bench.stock.remove(obj)


def _each_once(bench: Bench, judge: Judge, at: tuple[ApiClass, Field, Ref], wrote: Exchange) -> None:
    of, field, ref = at
    for fmt in bench.formats:
        actual, seen = bench.ask(fmt, f"{of.name}.get_{field.name}", ref)
        judge.true(len(actual) == len(set(actual)), f"each value once after {wrote.message}", show(actual), wrote, seen)


def no_given_set_shows_a_value_twice(bench: Bench, of: ApiClass) -> None:
    """The same of sets that are written by constructors and explicit messages alone. Source: introduction, sets."""
    over_fields(bench, of, clause="SET-NO-DUPLICATES", kind=SetOf, act=no_set_shows_a_value_twice)
    for field in given_sets(of):
        for fmt in bench.formats:
            _judge_given(bench, (of, field, fmt))
    _records_show_each_once(bench, of)


def _judge_given(bench: Bench, at: tuple[ApiClass, Field, Format]) -> None:
    """Judge one such set; where every way to give a value twice is refused there is nothing to judge, nor to tell."""
    of, field, fmt = at
    try:
        whole = next((each for each in plain_values(bench, of.name, field, field.type, 2) if each), ())
        obj = bench.stock.writable(of.name)
        with bench.restoring(obj, field.name):
            written = tuple(_given_twice(Place(bench, of, field, obj, fmt), (*whole, *whole)))
            if written:
                with bench.judging("SET-NO-DUPLICATES", f"{of.name}.{field.name}", fmt) as judge:
                    for wrote, ref in written:
                        _each_once(bench, judge, (of, field, ref), wrote)
    except Unavailable:
        return


def _given_twice(place: Place, doubled: Sequence[Value]) -> Iterator[tuple[Exchange, Ref]]:
    """Give each value twice, to a constructor and to the explicit setter; return which did, and to which object."""
    bench, of = place.bench, place.of
    where = constructor_place(of, place.field)
    if where is not None:
        made = bench.stock.try_make(of.name, {where[1]: tuple(doubled)}, fmt=place.fmt)
        if isinstance(made.reply.outcome, Success):
            yield made, bench.stock.adopt(of.name, made).ref
    setter = writer(bench, of, place.field.name, "set")
    if setter is not None and len(setter.params) == 2:
        wrote = bench.call(place.fmt, setter.full_name, place.obj.ref, tuple(doubled), probe=True)
        if isinstance(wrote.reply.outcome, Success):
            yield wrote, place.obj.ref


def given_sets(of: ApiClass) -> Iterator[Field]:
    """Return the sets of a class that are not RW and that a constructor or an explicit message writes whole."""
    for field in of.fields.values():
        if field.qualifier is Qualifier.RW or field.lifecycle.state is State.REMOVED:
            continue
        if not isinstance(field.type, SetOf) or f"get_{field.name}" not in of.messages:
            continue
        if constructor_place(of, field) or any((m.field, m.verb) == (field.name, "set") for m in of.messages.values()):
            yield field


def _records_show_each_once(bench: Bench, of: ApiClass) -> None:
    """Look at every set of every record, with one of ours to which other objects of ours refer, two of each kind."""
    if not has_listed_sets(of):
        return
    with _written_again(bench, of):
        for fmt in bench.formats:
            with bench.judging("SET-NO-DUPLICATES", of.name, fmt) as judge:
                records, seen = bench.ask(fmt, f"{of.name}.get_all_records")
                twice = [f"{name} of {ref}: {each}" for ref, name, each in _repeated(of, records)]
                judge.true(not twice, "each value of a set once", "; ".join(twice[:3]), seen)


@contextmanager
def _written_again(bench: Bench, of: ApiClass) -> Iterator[None]:
    """Surround an object of ours; write each reference to it, and its label, once more as they are, and more fields."""
    with ExitStack() as stack:
        with suppress(Unavailable):
            if of.constructors and of.destructor:
                obj = bench.stock.make(of.name)
                stack.callback(bench.stock.remove, obj)
                for number, other in enumerate(stack.enter_context(surrounded(bench, of, 2, obj.ref))):
                    _same_refs_again(bench, of, other)
                    if number % 2:
                        write_some(bench, bench.api.classes[other.cls], bench.formats[0], other)
                _same_label_again(bench, of, obj.ref)
        yield


def _same_refs_again(bench: Bench, of: ApiClass, other: Obj) -> None:
    for field in bench.api.classes[other.cls].fields.values():
        setter = writer(bench, bench.api.classes[other.cls], field.name, "set")
        if field.type == RefTo(of.name) and setter is not None and len(setter.params) == 2:
            now = bench.call(bench.formats[0], f"{other.cls}.get_{field.name}", other.ref).reply.outcome
            if isinstance(now, Success):
                bench.call(bench.formats[-1], setter.full_name, other.ref, now.value)


def _same_label_again(bench: Bench, of: ApiClass, ref: Ref) -> None:
    """Rename an object to what it is called: a look-up has it once."""
    setter = writer(bench, of, "name_label", "set")
    if setter is None or not {"get_name_label", "get_by_name_label"} <= of.messages.keys():
        return
    now = bench.call(bench.formats[0], f"{of.name}.get_name_label", ref).reply.outcome
    if not isinstance(now, Success):
        return
    wrote = bench.call(bench.formats[-1], setter.full_name, ref, now.value)
    for fmt in bench.formats:
        with bench.judging("SET-NO-DUPLICATES", of.name, fmt) as judge:
            found, seen = bench.ask(fmt, f"{of.name}.get_by_name_label", now.value)
            judge.true(len(found) == len(set(found)), "each object once by its label", show(found), wrote, seen)


def _repeated(of: ApiClass, records: dict[Ref, dict[str, Value]]) -> Iterator[tuple[Ref, str, str]]:
    for ref, record in records.items():
        for name, field in of.fields.items():
            if isinstance(field.type, SetOf) and name in record:
                more = [each for each, count in Counter(map(repr, record[name])).items() if count > 1]
                yield from ((ref, name, each) for each in more)


def has_listed_sets(of: ApiClass) -> bool:
    """Whether the records of a class have a set and can be read all at once."""
    return "get_all_records" in of.messages and any(isinstance(field.type, SetOf) for field in of.fields.values())


def has_shown_sets(api: Api, of: ApiClass) -> bool:
    """Whether clients write any set of a class, in whatever way, or see one in its records."""
    return has_sets(api, of) or has_listed_sets(of) or any(True for _ in given_sets(of))


CHECKS = (Check("SET-NO-DUPLICATES", per_class=no_given_set_shows_a_value_twice, applies=has_shown_sets),)
