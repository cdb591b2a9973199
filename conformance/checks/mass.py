"""Level 2, records with more than a constructor may take: what the server alone decides is not stored from them.

A server may overlook such members or refuse the record. Source: introduction, field qualifiers.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn, made_by_task
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Unavailable, describe, show
from xenconform.models.api import Api, ApiClass, Field, Qualifier, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import NULL_REF, Int, MapOf, RefTo, SetOf, Str, refs_in
from xenconform.models.values import Value, same
from xenconform.strategies.plain import tame

CLAUSE = "QUAL-RO-RUNTIME"
LOOKS = 4
"""So many readings show that a field stands still."""


def records_write_no_runtime_field(bench: Bench, of: ApiClass) -> None:
    """Members of a record that only the server decides are not stored. Source: introduction, field qualifiers."""
    given = _given(of)
    for fmt in bench.formats:
        with bench.judging(CLAUSE, f"{of.name} (record)", fmt) as judge:
            wrote = bench.stock.try_make(of.name, given, fmt=fmt)
            if not isinstance(wrote.reply.outcome, Success):
                plain = bench.stock.try_make(of.name, fmt=fmt)
                if not isinstance(plain.reply.outcome, Success):
                    raise Unavailable(f"no {of.name} can be made: {describe(plain)}")
                bench.stock.remove(bench.stock.adopt(of.name, plain))
                judge.true(True, "", "")
                continue
            obj = bench.stock.adopt(of.name, wrote)
            for name, value in given.items():
                now, seen = bench.ask(fmt, f"{of.name}.get_{name}", obj.ref)
                stored = same(of.fields[name].type, value, now)
                judge.true(not stored, f"{name} is none of the constructor's", f"{show(now)} is stored", wrote, seen)
            bench.stock.remove(obj)
    for fmt in in_turn(bench, of):
        with suppress(Unavailable):
            _no_task_stores(bench, of, given, fmt)
    _follows_no_record(bench, of)


def _no_task_stores(bench: Bench, of: ApiClass, given: Mapping[str, Value], fmt: Format) -> None:
    """Nor does the asynchronous form of the constructor store them.

    Raises:
        Unavailable: no task makes one of such a record.
    """
    obj = made_by_task(bench, of, fmt, given)
    with bench.judging(CLAUSE, f"{of.name} (record)", fmt) as judge:
        record, seen = bench.ask(fmt, f"{of.name}.get_record", obj.ref)
        for name in given.keys() & record.keys():
            stored = same(of.fields[name].type, given[name], record[name])
            judge.true(not stored, f"{name} is none of the constructor's", f"{show(record[name])} is stored", seen)
    bench.stock.remove(obj)


def _follows_no_record(bench: Bench, of: ApiClass) -> None:
    """Nor are those of few values, such as flags, or of refs: objects made with two different ones do not follow.

    They are given all at once, or where that is refused one by one, over one format or another.
    """
    few = {field.name: pair for field in _few(of) if len(pair := two_values(bench, field)) > 1}
    if few and not _judge_pairs(bench, of, few, bench.formats[-1]):
        for at, (name, pair) in enumerate(few.items()):
            _judge_pairs(bench, of, {name: pair}, bench.formats[at % len(bench.formats)])


def _judge_pairs(bench: Bench, of: ApiClass, few: Mapping[str, tuple[Value, ...]], fmt: Format) -> bool:
    """Make two objects, look at each field several times, as a server may change it; return whether both were made."""
    stored: dict[str, list[Exchange]] = {name: [] for name in few}
    for turn in range(2):
        wrote = bench.stock.try_make(of.name, {name: pair[turn] for name, pair in few.items()}, fmt=fmt)
        if not isinstance(wrote.reply.outcome, Success):
            return False
        obj = bench.stock.adopt(of.name, wrote)
        for name in tuple(stored):
            looks = [bench.call(fmt, f"{of.name}.get_{name}", obj.ref) for _ in range(LOOKS)]
            if all(_shows(of.fields[name], each, few[name][turn]) for each in looks):
                stored[name] += [wrote, looks[-1]]
            else:
                del stored[name]
        bench.stock.remove(obj)
    with bench.judging(CLAUSE, f"{of.name} (record)", fmt) as judge:
        judge.asserted += len(few)
        for name, seen in stored.items():
            told = f"new objects show {' and then '.join(map(show, few[name]))}, as their records said"
            judge.fail(f"{name} is none of the constructor's", told, *seen)
    return True


def _shows(field: Field, seen: Exchange, value: Value) -> bool:
    outcome = seen.reply.outcome
    return isinstance(outcome, Success) and same(field.type, value, outcome.value)


def _few(of: ApiClass) -> list[Field]:
    """Return the fields of the server's own that `_odd` has no value for."""
    own = (each for each in of.fields.values() if each.qualifier is Qualifier.RUNTIME and _odd(each) is None)
    return [f for f in own if f"get_{f.name}" in of.messages and f.lifecycle.state is not State.REMOVED]


def two_values(bench: Bench, field: Field) -> tuple[Value, ...]:
    """Return two different plain values of a field, fewer where there are no objects to refer to."""
    refs = {}
    for cls in refs_in(field.type):
        try:
            refs[cls] = [obj.ref for obj in bench.stock.readable(cls)]
        except Unavailable:
            return ()
    if isinstance(field.type, RefTo):
        return (refs[field.type.cls][0], NULL_REF)
    if refs and isinstance(field.type, SetOf):
        return ((refs[next(iter(refs))][0],), ())
    values = tuple(tame(field.type, n, refs=refs) for n in range(2))
    return values if not same(field.type, *values) else ()


def _given(of: ApiClass) -> dict[str, Value]:
    """Return values for fields of the server's own that it would not come upon by itself."""
    found = {f.name: _odd(f) for f in of.fields.values() if f.qualifier is Qualifier.RUNTIME}
    read = {n: v for n, v in found.items() if v is not None and f"get_{n}" in of.messages}
    return {n: v for n, v in read.items() if of.fields[n].lifecycle.state is not State.REMOVED}


def _odd(field: Field) -> Value:
    text = nature.new_uuid()
    match field.type:
        case Str():
            return text
        case Int():
            return 739_115_573
        case SetOf(Str()):
            return (text,)
        case MapOf(Str(), Str()):
            return {"xenconform": text}
        case _:
            return None


def takes_a_record(_api: Api, of: ApiClass) -> bool:
    """Whether objects are made of records, and the server decides fields of them."""
    return bool(of.constructors) and of.constructors[0].record and bool(_given(of))


CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_class=records_write_no_runtime_field, applies=takes_a_record),)
