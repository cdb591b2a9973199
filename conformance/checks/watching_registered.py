"""Level 4, events in the older way: classes that a session registers and unregisters, and event.next."""

from __future__ import annotations

from functools import partial
from typing import Any

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Judge, Unanswered, describe, result_of, show
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.watch import call_waiting, change
from xenconform.conformance.checks.watching_server import NEXT_TRIES, beside
from xenconform.models.calls import Format
from xenconform.models.exchange import Exchange


def register_two(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """event.next tells of every registered class, of what ends too, and no more of one that was unregistered."""
    other = beside(bench, obj)
    session, stranger = opened(bench, fmt), opened(bench, fmt)
    call = partial(call_waiting, bench, judge, fmt, 0.0)
    made = bench.stock.make(obj.cls)
    try:
        call("event.register", (obj.cls,), session=session)
        call("event.register", (other.cls,), session=session)
        call("event.register", (other.cls,), session=stranger)
        bench.stock.remove(made)
        for each in (obj, other):
            change(bench, bench.other(fmt), each)
        told, last = _told_next(call, session, {obj.ref, other.ref})
        judge.true({obj.ref, other.ref} <= set(told), f"{obj.ref} and {other.ref}", show(sorted(told)), last)
        ended = told.get(made.ref, ["del"])[-1]
        judge.true(made.ref in told and ended == "del", f"del of {made.ref}", show(told.get(made.ref)), last)
        call("event.unregister", (obj.cls,), session=session)
        for each in (obj, other):
            change(bench, bench.other(fmt), each)
        try:
            told, last = _told_next(call, session, {other.ref})
        except Unanswered as why:
            judge.fail(f"event.next, for {other.cls} is watched still", describe(why.exchange), why.exchange)
            return
        judge.true(other.ref in told, f"{other.ref}, whose class is watched still", show(sorted(told)), last)
        judge.true(obj.ref not in told, f"nothing of {obj.ref}, whose class is not", show(sorted(told)), last)
    finally:
        for ref in (session, stranger):
            bench.call(fmt, "session.logout", session=ref)


def _told_next(call: Any, session: str, wanted: set[str]) -> tuple[dict[str, list[str]], Exchange]:
    """Call event.next until it tells of all that is wanted; return the operations by ref, and the last exchange."""
    told: dict[str, list[str]] = {}
    for left in reversed(range(NEXT_TRIES)):
        exchange: Exchange = call("event.next", session=session)
        for event in result_of(exchange):
            told.setdefault(str(event.get("ref")), []).append(str(event.get("operation")))
        if wanted <= set(told) or not left:
            break
    return told, exchange
