"""Level 3, constructors: what is made is another object than those that are like it, which stay as they are."""

from __future__ import annotations

from contextlib import suppress

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn, made_by_task
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields, implicit
from xenconform.conformance.checks.creating_fields import varied
from xenconform.conformance.checks.judging import Judge, Unavailable, result_of, show
from xenconform.conformance.checks.surrounding import is_destroyed
from xenconform.conformance.checks.writing import changed_by_clients
from xenconform.models.api import ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Str
from xenconform.models.values import Value


def each_object_is_another(bench: Bench, of: ApiClass) -> None:
    """A create makes an object of its own, whatever is or was there that is like it. Source: introduction, identity."""
    for fmt in bench.formats:
        _with_the_same_record(bench, of, fmt)
        _with_the_record_of_one_gone(bench, of, fmt)
        _beside_one_that_is_full(bench, of, fmt)
    for fmt in in_turn(bench, of):
        _by_tasks(bench, of, fmt)


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
                used = bench.ask(bench.other(fmt), f"{of.name}.get_uuid", objects[0].ref)
                _with_a_uuid_of_another(bench, judge, (of, fmt), used)
        for obj in objects:
            bench.stock.remove(obj)


def _with_the_record_of_one_gone(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Make an object, end it and make it again of the same record: what is made is not the one that is gone."""
    with suppress(Unavailable):
        record, had = bench.stock.exemplar(of.name), set[Value]()
        for _ in range(2):
            made = bench.stock.try_make(of.name, record, fmt=fmt)
            if not isinstance(made.reply.outcome, Success):
                return
            obj = bench.stock.adopt(of.name, made)
            with bench.judging("CREATE-NEW", of.name, fmt) as judge:
                told = [(obj.ref, made)]
                told += (
                    [bench.ask(bench.other(fmt), f"{of.name}.get_uuid", obj.ref)] if "get_uuid" in of.messages else []
                )
                # Who introduces what was there before says its uuid.
                for value, seen in (each for each in told if each[0] not in record.values()):
                    judge.true(value not in had, "a ref and a uuid that no object had", show(value), made, seen)
                    had.add(value)
            if not bench.stock.remove(obj):
                return
        if implicit(of) is not None and len(told) > 1:
            with bench.judging("CREATE-NEW", of.name, fmt) as judge:
                _with_a_uuid_of_another(bench, judge, (of, fmt), told[1])


def _with_a_uuid_of_another(
    bench: Bench, judge: Judge, at: tuple[ApiClass, Format], used: tuple[Value, Exchange]
) -> None:
    """Make an object of a record with the uuid of another one, which is there or was: it has one of its own."""
    of, fmt = at
    exchange = bench.call(fmt, f"{of.name}.create", {**bench.stock.exemplar(of.name), "uuid": used[0]}, probe=True)
    if isinstance(exchange.reply.outcome, Success):
        obj = bench.stock.adopt(of.name, exchange)
        uuid, seen = bench.ask(bench.other(fmt), f"{of.name}.get_uuid", obj.ref)
        judge.true(uuid != used[0], "a uuid that no object has or had", show(uuid), used[1], exchange, seen)
        bench.stock.remove(obj)


def _beside_one_that_is_full(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Make an object beside one of the same record that clients have filled: that one stays as it is."""
    with suppress(Unavailable):
        record = varied(bench, of, 1, mixed=True)
        first = bench.stock.try_make(of.name, record, fmt=fmt)
        if not isinstance(first.reply.outcome, Success):
            return
        obj = bench.stock.adopt(of.name, first)
        with bench.judging("CREATE-NEW", of.name, fmt) as judge:
            was, before = bench.ask(bench.other(fmt), f"{of.name}.get_record", obj.ref)
            second = bench.stock.try_make(of.name, {**record, **_named_anew(bench, of)}, fmt=fmt)
            now, after = bench.ask(bench.other(fmt), f"{of.name}.get_record", obj.ref)
            changed = changed_by_clients(of, was, now)
            judge.true(not changed, "the older object as before", f"other {sorted(changed)}", before, second, after)
            if isinstance(second.reply.outcome, Success) and second.reply.outcome.value != obj.ref:
                bench.stock.remove(bench.stock.adopt(of.name, second))
        bench.stock.remove(obj)


def _named_anew(bench: Bench, of: ApiClass) -> dict[str, Value]:
    """Return the plain texts of another object of the class, so that a server takes it beside one that is like it."""
    other, types = bench.stock.exemplar(of.name), dict(given_fields(of, bench.stock.constructor(of.name)))
    return {name: other[name] for name, field in types.items() if isinstance(field.type, Str)}


def _by_tasks(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Let two tasks make an object of one and the same record: there are two, or one of the tasks fails."""
    with suppress(Unavailable):
        record = bench.stock.exemplar(of.name)
        first, second = (made_by_task(bench, of, fmt, record) for _ in range(2))
        with bench.judging("CREATE-NEW", of.name, fmt) as judge:
            judge.true(first.ref != second.ref, "a ref that no object has from the second task", show(second.ref))
        for obj in dict.fromkeys((first, second)):
            bench.stock.remove(obj)


CHECKS = (Check("CREATE-NEW", per_class=each_object_is_another, applies=is_destroyed),)
