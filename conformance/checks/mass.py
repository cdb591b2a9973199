"""Level 2, records with more than a constructor may take: what the server alone decides is not stored from them.

A server may overlook such members or refuse the record. Source: introduction, field qualifiers.
"""

from __future__ import annotations

import uuid

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Unavailable, describe, show
from xenconform.models.api import Api, ApiClass, Field, Qualifier, State
from xenconform.models.calls import Success
from xenconform.models.types import Int, MapOf, SetOf, Str
from xenconform.models.values import Value, same

CLAUSE = "QUAL-RO-RUNTIME"


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


def _given(of: ApiClass) -> dict[str, Value]:
    """Return values for fields of the server's own that it would not come upon by itself."""
    found = {f.name: _odd(f) for f in of.fields.values() if f.qualifier is Qualifier.RUNTIME}
    read = {n: v for n, v in found.items() if v is not None and f"get_{n}" in of.messages}
    return {n: v for n, v in read.items() if of.fields[n].lifecycle.state is not State.REMOVED}


def _odd(field: Field) -> Value:
    text = str(uuid.uuid4())
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
