"""Level 1, the form of values as they stand: in a record, behind a getter, in what lists or finds objects."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeAlias

from xenconform.conformance.checks.asking import query
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe
from xenconform.conformance.checks.querying import is_listed
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.stops import own
from xenconform.conformance.checks.wire_kinds import MAP, SET, Kind
from xenconform.models.api import ApiClass, Field, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.flaws import clause_of

Seen: TypeAlias = Exchange | Unavailable
"""A record as it came, or why none could be read."""


def record(bench: Bench, of: ApiClass, fmt: Format) -> Seen:
    """Return the record of an object of a class, or why there is none."""
    try:
        (obj,) = bench.stock.readable(of.name)
        return bench.call(fmt, f"{of.name}.get_record", obj.ref)
    except Unavailable as why:
        return why


def shown(seen: Seen, field: Field) -> bool:
    """Whether a record could be read and has a field."""
    outcome = seen.reply.outcome if isinstance(seen, Exchange) else None
    return isinstance(outcome, Success) and field.name in outcome.value


def judge_form(
    bench: Bench, of: ApiClass, field: Field, what: tuple[Kind, Format], seen: Seen, *, passing: bool
) -> None:
    """Judge how a field stands in its object's record; `passing` tells that a good form is a pass."""
    kind, fmt = what
    clause = kind.clause(fmt)
    bad = _flaws(seen, clause, field.name)
    if not passing and not bad:
        return
    with bench.judging(clause, f"{of.name}.{field.name}", fmt) as judge:
        if isinstance(seen, Unavailable):
            raise seen
        if not isinstance(seen.reply.outcome, Success):
            judge.untested(f"{seen.message} gave no record: {describe(seen)}; counted under other clauses")
        elif bad:
            judge.fail("the form that the clause says", bad, seen)
        elif field.name in seen.reply.outcome.value:
            judge.asserted += 1
            _judge_getter(bench, judge, of, field)
        else:
            judge.untested("the record lacks the field; counted under GET-RECORD-AGREES")


def _judge_getter(bench: Bench, judge: Judge, of: ApiClass, field: Field) -> None:
    """Judge how the getter of a field that stands well in the record writes it: the two have ways of their own."""
    name, fmt = f"{of.name}.get_{field.name}", Format(judge.format)
    if f"get_{field.name}" not in of.messages or field.lifecycle.state is State.REMOVED:
        return
    (obj,) = bench.stock.readable(of.name)
    exchange = bench.call(fmt, name, obj.ref)
    if bench.flawed(judge.clause, name, fmt):
        judge.fail("the form that the clause says", describe(exchange), exchange)


def _flaws(seen: Seen, clause: str, name: str) -> str:
    """Return the first departure from a clause in a record's field, "" for none."""
    if isinstance(seen, Unavailable):
        return ""
    for flaw in seen.reply.flaws:
        inside = flaw.where == name or flaw.where.startswith((f"{name}[", f"{name}."))
        if inside and clause_of(flaw.kind, seen.format) == clause:
            return f"{flaw.kind}: {flaw.where}: {flaw.detail}"
    return ""


def judge_listing(bench: Bench, of: ApiClass, kind: Kind, fmt: Format) -> None:
    """Judge the messages that list a class's objects: their keys or members are references."""
    for name, args in ((kind.listing, ()), *kind.lookups):
        if name in of.messages:
            message = f"{of.name}.{name}"
            with bench.judging(kind.clause(fmt), message, fmt) as judge:
                exchange = bench.call(fmt, message, *args)
                if not isinstance(exchange.reply.outcome, Success):
                    judge.untested(f"{describe(exchange)}; counted under other clauses")
                elif bench.flawed(kind.clause(fmt), message, fmt):
                    judge.failed = True
                else:
                    judge.asserted += 1
    if kind is SET and "get_by_name_label" in of.messages:
        _find_one(bench, of, fmt)
    if kind is MAP and is_listed(bench.api, of):
        # Who finds nothing has a map all the same; a server that does not know the message, or the query, need not.
        exchange = query(bench, of, fmt, f'field "uuid" = "{unknown_ref()}"')
        if isinstance(exchange.reply.outcome, Success) or bench.flawed(kind.clause(fmt), exchange.message, fmt):
            with bench.judging(kind.clause(fmt), exchange.message, fmt) as judge:
                judge.asserted += 1
                judge.failed = bench.flawed(kind.clause(fmt), exchange.message, fmt)


def _find_one(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Look an object up by its label, which it alone may have: a wrong form of the answer is recorded as it comes."""
    with suppress(Unavailable, Unanswered):
        obj = own(bench, of) or bench.stock.readable(of.name)[0]
        label, _ = bench.ask(fmt, f"{of.name}.get_name_label", obj.ref)
        bench.call(fmt, f"{of.name}.get_by_name_label", label)
