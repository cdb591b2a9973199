"""Level 4, events of no class: how event.from waits and wakes, its tokens, and the older ways of being told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, result_of
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.tasks import SEEN_ON, something
from xenconform.conformance.checks.watch import FROM, SLACK, WAIT, Watch, call_waiting, change, describe_all
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Value

CLAUSE = "EVENT-FROM"
QUIET = 0.1
"""Seconds to wait for nothing."""
WAITS = (WAIT, 5 * WAIT)
"""Seconds that a call waits for a change; where it is not woken the longer one tells it from a server that is busy."""
NEXT_TRIES = 5
"""How often event.next is called for one event; what it tells besides is others'."""
Act = Callable[[Bench, Judge, Obj, Format], None]


def events_of_no_class(bench: Bench) -> None:
    """event.from waits, wakes and goes on as asked; the older messages tell too. Source: class reference, event."""
    judge_acts(bench, ACTS)


def judge_acts(bench: Bench, acts: Mapping[str, Act]) -> None:
    """Judge each act over each format, with an object of its own that is made for it; the key names the element."""
    for fmt in bench.formats:
        for element, act in acts.items():
            with bench.judging(CLAUSE, element, fmt) as judge:
                obj = something(bench)
                try:
                    act(bench, judge, obj, fmt)
                finally:
                    bench.stock.remove(obj)


def _other(bench: Bench, fmt: Format, obj: Obj) -> Value:
    """Change an object over another format than the one that is judged; return the value."""
    return change(bench, bench.other(fmt), obj)[1]


# ----------------------------------------------------------------------------------------------------------- event.from


def _bad_token(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """A token that no server gave out is refused."""
    Watch(bench, judge, fmt, (obj.cls,)).read(1.0)
    refused = bench.call(fmt, FROM, (obj.cls,), "nonsense", QUIET, probe=True)
    judge.refused(refused, "event.from with a token that is none")


def _waits(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """Where nothing happens the call ends with nothing, when its time is over."""
    watch = Watch(bench, judge, fmt, (f"{obj.cls}/{obj.ref}",))
    watch.read(QUIET)
    for _ in range(2):
        if not watch.read(QUIET):
            exchange = watch.exchange
            waited = f"after {exchange.elapsed:.3f} s"
            judge.true(exchange.elapsed >= QUIET / 2, f"nothing, after {QUIET} s", f"nothing, {waited}", exchange)
            return
    raise Unavailable(f"the {obj.cls} changes by itself, so that there is always something to tell")


def _wakes(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """A call that waits is answered when something happens; whether it waits already when it happens is no matter."""
    for wait in WAITS:
        exchange, wrote = _woken(bench, judge, (obj, fmt), wait)
        answered = isinstance(exchange.reply.outcome, Success)
        if not judge.true(answered, f"an answer within {wait + SLACK:g} s", describe(exchange), exchange):
            return
        told = [event for event in result_of(exchange)["events"] if event.get("ref") == obj.ref]
        if told and exchange.elapsed < wait:
            return
    if not told and (wrote.elapsed > wait / 2 or exchange.elapsed < wait / 2):
        raise Unavailable("the call was over before the change: it waits for nothing, or others wait for it")
    judge.fail(f"the change is told before {wait:g} s are over", f"{told} after {exchange.elapsed:.1f} s", exchange)


def _woken(bench: Bench, judge: Judge, about: tuple[Obj, Format], wait: float) -> tuple[Exchange, Exchange]:
    """Change an object while a call waits for so many seconds; return that call, and one made before the change."""
    obj, fmt = about
    watch = Watch(bench, judge, fmt, (f"{obj.cls}/{obj.ref}",))
    watch.read(QUIET)
    heard: list[Exchange] = []
    with sibling(bench, heard) as waiting, ThreadPoolExecutor(1) as pool:
        later = pool.submit(waiting.call, fmt, FROM, (watch.wanted, watch.token, wait), deadline=wait + SLACK)
        try:
            wrote = bench.call(bench.other(fmt), f"{obj.cls}.get_record", obj.ref)
            _other(bench, fmt, obj)
        finally:
            exchange = later.result()
    return exchange, wrote


@contextmanager
def sibling(bench: Bench, heard: list[Exchange]) -> Iterator[Any]:
    """Give a client for another thread, whose exchanges are told once it is through: one thread writes the log."""
    client = bench.client.sibling()
    client.on_exchange = heard.append
    try:
        yield client
    finally:
        client.close()
        while heard:  # taken as it is told: two siblings may share one list
            each = heard.pop(0)
            if bench.client.on_exchange is not None:
                bench.client.on_exchange(each)


def _all_classes(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """A watch of everything tells of what is there, and of every class: of two, a change each."""
    _judge_both(bench, judge, obj, Watch(bench, judge, fmt, ("*",)))


def _classes_together(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """A watch of two classes tells of both."""
    _judge_both(bench, judge, obj, Watch(bench, judge, fmt, (obj.cls, beside(bench, obj).cls)))


def _judge_both(bench: Bench, judge: Judge, obj: Obj, watch: Watch) -> None:
    both = (obj, beside(bench, obj))
    started = {each.ref for each in watch.read(WAIT)}
    for each in both:
        judge.true(each.ref in started, f"{each.cls} {each.ref} at the start", "nothing of it", watch.exchange)
        _other(bench, watch.fmt, each)
    wanted = {("mod", each.ref) for each in both}
    told = watch.until(lambda news: wanted <= {(each.operation, each.ref) for each in news})
    seen = [each for each in told if (each.operation, each.ref) in wanted]
    fits = wanted <= {(each.operation, each.ref) for each in seen}
    judge.true(fits, f"mod of {obj.ref} and of {both[1].ref}", describe_all(seen), watch.exchange)


def beside(bench: Bench, obj: Obj) -> Obj:
    """Return an object of ours of another class."""
    return bench.stock.own(next(cls for cls in SEEN_ON if cls != obj.cls))


# ------------------------------------------------------------------------------------------------------ the older ways


def _next(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """event.next tells the registered classes' changes since it was called before."""
    session = opened(bench, fmt)
    try:
        call_waiting(bench, judge, fmt, 0.0, "event.register", (obj.cls,), session=session)
        for _ in range(2):
            _other(bench, fmt, obj)
            told, exchange = _told_next(bench, judge, obj, (fmt, session))
            if not judge.true(set(told) == {"mod"}, f"event.next tells mod of {obj.ref}", f"{told}", exchange):
                return
        call_waiting(bench, judge, fmt, 0.0, "event.unregister", (obj.cls,), session=session)
    finally:
        bench.call(fmt, "session.logout", session=session)


def _told_next(bench: Bench, judge: Judge, obj: Obj, by: tuple[Format, str]) -> tuple[list[str], Exchange]:
    """Call event.next until it tells of an object; return the operations it told, and the last exchange."""
    for left in reversed(range(NEXT_TRIES)):
        exchange = call_waiting(bench, judge, by[0], 0.0, "event.next", session=by[1])
        told = [str(event.get("operation")) for event in result_of(exchange) if event.get("ref") == obj.ref]
        if told or not left:
            return told, exchange
    raise AssertionError("it is called once at least")


def _inject(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """event.inject tells of an object as if it had changed; of one that is not there it fails."""
    watch = Watch(bench, judge, fmt, (f"{obj.cls}/{obj.ref}",))
    watch.read(QUIET)
    bench.ask(bench.other(fmt), "event.inject", obj.cls, obj.ref)
    told = watch.until_told("mod", obj.ref)
    judge.true(bool(told), f"mod of {obj.ref}, which was injected", "nothing of it", watch.exchange)
    refused = bench.call(fmt, "event.inject", obj.cls, unknown_ref(), probe=True)
    judge.refused(refused, "event.inject of a made-up ref")


def _current_id(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """event.get_current_id never goes back."""
    before, _ = bench.ask(fmt, "event.get_current_id")
    _other(bench, fmt, obj)
    after, seen = bench.ask(fmt, "event.get_current_id")
    judge.true(before <= after, f"at least {before}", f"{after}", seen)


ACTS: dict[str, Act] = {
    "event.from token": _bad_token,
    "event.from timeout": _waits,
    "event.from wake": _wakes,
    "event.from *": _all_classes,
    "event.from classes": _classes_together,
    "event.next": _next,
    "event.inject": _inject,
    "event.get_current_id": _current_id,
}
"""What is judged for the server as a whole, by element."""

CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_server=events_of_no_class),)
