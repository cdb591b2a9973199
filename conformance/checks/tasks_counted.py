"""Level 1, asynchronous calls with a wrong number of parameters: they fail, at once or by their tasks."""

from __future__ import annotations

from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.explicit import SURPLUS
from xenconform.conformance.checks.judging import Judge
from xenconform.conformance.checks.sessionless import can_come_and_go
from xenconform.conformance.checks.tally import draw
from xenconform.models.api import ApiClass
from xenconform.models.calls import Format
from xenconform.models.values import Value, is_null_text

CLAUSE = "WIRE-ARITY"


def asynchronous_calls_count_parameters(bench: Bench, of: ApiClass) -> None:
    """Too few or too many parameters of an asynchronous constructor fail. Source: error list, wire protocol."""
    formats = bench.formats if bench.budget.boundaries else bench.formats[:1]
    for at, fmt in enumerate(formats, draw(bench.seed, CLAUSE, of.name)):
        with bench.judging(CLAUSE, f"{of.name} task", fmt) as judge:
            constructor, given = bench.stock.constructor(of.name), bench.stock.exemplar(of.name)
            good = (given,) if constructor.record else tuple(given[p.name] for p in constructor.message.params)
            surplus = SURPLUS[at % len(SURPLUS)]
            _must_fail(bench, judge, of, (fmt, (*good, *surplus), f"too many parameters: {surplus!r} at the end"))
            _must_fail(bench, judge, of, (fmt, good[:-1], "too few parameters"))


def _must_fail(bench: Bench, judge: Judge, of: ApiClass, call: tuple[Format, tuple[Value, ...], str]) -> None:
    fmt, args, what = call
    asynchronous = Async(bench, judge, fmt, bench.stock.constructor(of.name).message)
    ended = asynchronous.run(*args)
    if ended is None:
        return
    judge.true(not ended.succeeded, f"a failure of {asynchronous.name} with {what}", ended.describe(), *ended.seen)
    if ended.succeeded and isinstance(ended.value, str) and not is_null_text(ended.value):
        bench.stock.remove(bench.stock.adopt_ref(of.name, ended.value))


CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_class=asynchronous_calls_count_parameters, applies=can_come_and_go),)
