"""Level 3, look-ups by query.

The query language is not published but for its simplest form, a field and a value; what a server does not understand
it may refuse. What it answers has to be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.asking import find, query
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.destroying import value_of
from xenconform.conformance.checks.fields import plain_values, written
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, show
from xenconform.conformance.checks.querying_fields import by_other_fields
from xenconform.conformance.checks.writing import changed_by_clients
from xenconform.models.api import Api, ApiClass
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import refs_in
from xenconform.models.values import Ref, Value


def is_listed(_api: Api, of: ApiClass) -> bool:
    """Whether the class lists its objects with their records."""
    return {"get_all", "get_all_records", "get_uuid"} <= of.messages.keys()


def queries_return_what_matches(bench: Bench, of: ApiClass) -> None:
    """get_all_records_where returns exactly the records that match. Source: error list (SHOULD)."""
    for fmt in bench.formats:
        with bench.judging("WHERE", of.name, fmt) as judge:
            (obj,) = bench.stock.readable(of.name)
            text, _ = bench.ask(fmt, f"{of.name}.get_uuid", obj.ref)
            exchange = query(bench, of, fmt, f'field "uuid" = "{text}"')
            outcome = exchange.reply.outcome
            if isinstance(outcome, Failure) and outcome.code in {"MESSAGE_METHOD_UNKNOWN", "NOT_IMPLEMENTED"}:
                judge.unsupported(describe(exchange))
                continue
            if not isinstance(outcome, Success):
                judge.true(False, f"the record of uuid {text}", describe(exchange), exchange)
                continue
            none = query(bench, of, fmt, f'field "uuid" = "{nature.new_uuid()}"')
            found = none.reply.outcome
            judge.true(
                isinstance(found, Success) and not found.value, "no record of an unknown uuid", describe(none), none
            )
            shows_alone(bench, judge, (of, fmt), obj.ref, exchange)
            _more_queries(bench, judge, (of, fmt), obj.ref, text)
            _after_a_write(bench, judge, (of, fmt))
            _own_labels(bench, judge, (of, fmt))
            with suppress(Unavailable):
                by_other_fields(bench, judge, (of, fmt))


def shows_alone(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], ref: Ref, exchange: Exchange) -> None:
    """Judge that a query found one object, with the record that it has now."""
    of, fmt = at
    outcome = exchange.reply.outcome
    found: dict[Ref, dict[str, Value]] = outcome.value if isinstance(outcome, Success) else {}
    record, seen = bench.ask(fmt, f"{of.name}.get_record", ref)
    judge.true(set(found) == {ref}, f"{ref} alone", show(sorted(found)), exchange)
    shown = found.get(ref)
    differ = changed_by_clients(of, shown, record) | (shown.keys() ^ record.keys()) if shown is not None else set()
    judge.true(not differ, "the object's record", f"other {sorted(differ)}", exchange, seen)


def _more_queries(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], ref: Ref, text: str) -> None:
    """Put the condition on a uuid into wider queries, each over one of the formats.

    What a server does not understand it may refuse.
    """
    of, fmt = at
    is_it = f'field "uuid" = "{text}"'
    queries = (
        ("true", True),
        (f"{is_it} and true", True),
        (f"not {is_it}", False),
        (f"not ({is_it})", False),
        (f"({is_it}) or ({is_it})", True),
        (f"{is_it} and false", False),
    )
    for asked, holds in queries[bench.formats.index(fmt) :: len(bench.formats)]:
        exchange = query(bench, of, fmt, asked)
        outcome = exchange.reply.outcome
        if isinstance(outcome, Success):
            expected = f"a result {'with' if holds else 'without'} {ref} for {asked}"
            judge.true((ref in outcome.value) == holds, expected, show(sorted(outcome.value)), exchange)
            if asked == "true":
                there = bench.stock.known_refs(of.name) & set(bench.stock.all_refs(of.name))
                lost = there - set(outcome.value)
                judge.true(not lost, "every object for true", f"without {sorted(lost)[:3]}", exchange)
                dead = [each for each in outcome.value if bench.births.has_ended(of.name, each)]
                judge.true(not dead, "none that was destroyed for true", f"it shows {dead[:3]}", exchange)
            elif holds:
                judge.true(set(outcome.value) <= {ref}, f"{ref} alone", show(sorted(outcome.value)), exchange)


def _after_a_write(bench: Bench, judge: Judge, at: tuple[ApiClass, Format]) -> None:
    """Find an object by its uuid before and after one of its fields is written over another format."""
    of, fmt = at
    field = next((each for each in written(of) if not refs_in(each.type)), None)
    if field is None:
        return
    with suppress(Unavailable):
        obj = bench.stock.writable(of.name)
        text, _ = bench.ask(fmt, f"{of.name}.get_uuid", obj.ref)
        with bench.restoring(obj, field.name):
            pair = plain_values(bench, of.name, field, field.type, 2)
            # The other way round over every other format, so that it does not end with what it began with.
            for value in pair[:: -1 if bench.formats.index(fmt) % 2 else 1]:
                query(bench, of, fmt, f'field "uuid" = "{text}"')
                bench.call(bench.other(fmt), f"{of.name}.set_{field.name}", obj.ref, value)
            shows_alone(bench, judge, at, obj.ref, query(bench, of, fmt, f'field "uuid" = "{text}"'))


def _own_labels(bench: Bench, judge: Judge, at: tuple[ApiClass, Format]) -> None:
    """Find two objects of ours by the label that they have in common, and not by one that is like it.

    Then one of them gets a label by which none was found, or is ended over every other format: each is found by what
    it is called now, whatever was found before.
    """
    of, fmt = at
    if "set_name_label" not in of.messages:
        return
    try:
        pair = (bench.stock.make(of.name), bench.stock.make(of.name))
    except Unavailable:
        return
    label, later = (f"xcQuery {nature.new_uuid()}" for _ in range(2))
    turn = bench.formats.index(fmt) % 2
    for obj in pair:
        bench.ask(bench.other(fmt), f"{of.name}.set_name_label", obj.ref, label)
    field = _spelled(bench, of, fmt, label)
    steps: list[tuple[str, set[Ref]]] = [(label, {obj.ref for obj in pair}), (label.upper(), set())]
    find(bench, judge, (at, field), [*steps, (f"{label} " if turn else later, set())])
    find(bench, judge, (at, field), [(f"{label[:-1]}{'%' if turn else '_'}", set())])
    _joined(bench, judge, at, (field, label, [obj.ref for obj in pair]))
    first, second = pair
    if turn:
        if bench.stock.remove(first):
            find(bench, judge, (at, field), [(label, {second.ref})])
    else:
        bench.ask(bench.other(fmt), f"{of.name}.set_name_label", first.ref, later)
        find(bench, judge, (at, field), [(label, {second.ref}), (later, {first.ref})])
        bench.stock.remove(first)
    bench.stock.remove(second)


def _joined(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], named: tuple[str, str, Sequence[Ref]]) -> None:
    """Join conditions on two objects of one label, another pair of queries over another format."""
    of, fmt = at
    field, label, (first, second) = named
    one, two = (f'field "uuid" = "{value_of(bench, fmt, f"{of.name}.get_uuid", ref)}"' for ref in (first, second))
    both, none = f'field "{field}" = "{label}"', f'field "{field}" = "{label}x"'
    queries: tuple[tuple[str, set[Ref]], ...] = (
        (f"({one}) or ({two})", {first, second}),
        (f"({one}) and ({two})", set()),
        (f"({one}) and ({both})", {first}),
        (f"({both}) and ({two})", {second}),
        (f"({none}) or ({one})", {first}),
        (f"({both}) and (not ({one}))", {second}),
    )
    for text, expected in queries[bench.formats.index(fmt) :: len(bench.formats)]:
        exchange = query(bench, of, fmt, text)
        outcome = exchange.reply.outcome
        if isinstance(outcome, Success):
            judge.true(set(outcome.value) == expected, f"{sorted(expected)}", show(sorted(outcome.value)), exchange)


def _spelled(bench: Bench, of: ApiClass, fmt: Format, label: str) -> str:
    """Return how the server spells the field in a query: live servers double the underscore, others may not."""
    for field in ("name__label", "name_label"):
        outcome = query(bench, of, fmt, f'field "{field}" = "{label}"').reply.outcome
        if isinstance(outcome, Success) and outcome.value:
            return field
    return "name__label"


CHECKS = (Check("WHERE", per_class=queries_return_what_matches, applies=is_listed),)
