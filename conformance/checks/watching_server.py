"""Level 4, events of no class: how event.from waits and wakes, its tokens, and the older ways of being told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.sessions import opened
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.tasks import SEEN_ON, something
from xenconform.conformance.checks.watch import FROM, WAIT, Watch, change, describe_all
from xenconform.models.calls import Breach, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Value

CLAUSE = "EVENT-FROM"
QUIET = 0.1
"""Seconds to wait for nothing."""
SLACK = 5.0
"""Seconds more than it was asked to that a server may take to answer."""
NEXT_TRIES = 5
"""How often event.next is called for one event; what it tells besides is others'."""
Act = Callable[[Bench, Judge, Obj, Format], None]


def events_of_no_class(bench: Bench) -> None:
    """event.from waits, wakes and goes on as asked; the older messages tell too. Source: class reference, event."""
    for fmt in bench.formats:
        for element, act in ACTS.items():
            with bench.judging(CLAUSE, element, fmt) as judge:
                obj = something(bench)
                try:
                    act(bench, judge, obj, fmt)
                finally:
                    bench.stock.remove(obj)


def _call(bench: Bench, fmt: Format, seconds: float, message: str, *args: Value, **options: Any) -> Exchange:
    """Call what may wait, with a deadline of its own: that it was too slow is for this clause to say.

    Raises:
        Unavailable: the profile does not allow it.
        Unanswered: the server does not offer it, or gave no readable answer in time.
    """
    if message in bench.profile.never:
        raise Unavailable(f"the profile {bench.profile.name} says never to call {message}")
    deadline = seconds + min(SLACK, bench.client.deadline)
    exchange = bench.client.call(fmt, message, args, deadline=deadline, **options)
    if isinstance(exchange.reply.outcome, Breach) and exchange.reply.outcome.kind == "http-timeout":
        return exchange
    bench.watch(exchange)
    if not isinstance(exchange.reply.outcome, Success):
        raise Unanswered(exchange, domain=bench.is_domain_refusal(exchange), missing=bench.is_missing(exchange))
    return exchange


def _in_time(judge: Judge, exchange: Exchange, seconds: float) -> bool:
    """Assert that a call that may wait was answered in time."""
    answered = isinstance(exchange.reply.outcome, Success)
    return judge.true(answered, f"an answer to {exchange.message} within {seconds:g} s", describe(exchange), exchange)


def _other(bench: Bench, fmt: Format, obj: Obj) -> Value:
    """Change an object over another format than the one that is judged; return the value."""
    return change(bench, bench.other(fmt), obj)[1]


# ----------------------------------------------------------------------------------------------------------- event.from


def _bad_token(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """A token that no server gave out is refused."""
    Watch(bench, fmt, (obj.cls,)).read(1.0)
    refused = bench.call(fmt, FROM, (obj.cls,), "nonsense", QUIET, probe=True)
    judge.refused(refused, "event.from with a token that is none")


def _waits(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """Where nothing happens the call ends with nothing, when its time is over."""
    watch = Watch(bench, fmt, (f"{obj.cls}/{obj.ref}",))
    watch.read(QUIET)
    for _ in range(2):
        exchange = _call(bench, fmt, QUIET, FROM, watch.wanted, watch.token, QUIET)
        if not _in_time(judge, exchange, QUIET + SLACK):
            return
        assert isinstance(exchange.reply.outcome, Success)
        watch.token, events = exchange.reply.outcome.value["token"], exchange.reply.outcome.value["events"]
        if not events:
            waited = f"after {exchange.elapsed:.3f} s"
            judge.true(exchange.elapsed >= QUIET / 2, f"nothing, after {QUIET} s", f"nothing, {waited}", exchange)
            return
    judge.fail("no events where nothing happened", describe(exchange), exchange)


def _wakes(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """A call that waits is answered when something happens; whether it waits already when it happens is no matter."""
    watch = Watch(bench, fmt, (f"{obj.cls}/{obj.ref}",))
    watch.read(QUIET)
    heard: list[Exchange] = []
    with _sibling(bench, heard) as waiting, ThreadPoolExecutor(1) as pool:
        later = pool.submit(waiting.call, fmt, FROM, (watch.wanted, watch.token, WAIT), deadline=WAIT + SLACK)
        try:
            wrote = bench.call(bench.other(fmt), f"{obj.cls}.get_record", obj.ref)
            _other(bench, fmt, obj)
        finally:
            exchange = later.result()
    if not _in_time(judge, exchange, WAIT + SLACK):
        return
    assert isinstance(exchange.reply.outcome, Success)
    told = [event for event in exchange.reply.outcome.value["events"] if event.get("ref") == obj.ref]
    if not told and (wrote.elapsed > WAIT / 2 or exchange.elapsed < WAIT / 2):
        raise Unavailable("the call was over before the change: it waits for nothing, or others wait for it")
    in_time = bool(told) and exchange.elapsed < WAIT
    judge.true(in_time, f"the change is told before {WAIT:g} s are over", f"{told} after {exchange.elapsed:.1f} s")


@contextmanager
def _sibling(bench: Bench, heard: list[Exchange]) -> Iterator[Any]:
    """Give a client for another thread, whose exchanges are told once it is through: one thread writes the log."""
    client = bench.client.sibling()
    client.on_exchange = heard.append
    try:
        yield client
    finally:
        client.close()
        for each in heard:
            if bench.client.on_exchange is not None:
                bench.client.on_exchange(each)


def _all_classes(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """A watch of everything tells of what is there, and of every class: of two, a change each."""
    _judge_both(bench, judge, obj, Watch(bench, fmt, ("*",)))


def _classes_together(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """A watch of two classes tells of both."""
    _judge_both(bench, judge, obj, Watch(bench, fmt, (obj.cls, _beside(bench, obj).cls)))


def _judge_both(bench: Bench, judge: Judge, obj: Obj, watch: Watch) -> None:
    both = (obj, _beside(bench, obj))
    started = {each.ref for each in watch.read(WAIT)}
    for each in both:
        judge.true(each.ref in started, f"{each.cls} {each.ref} at the start", "nothing of it", watch.exchange)
        _other(bench, watch.fmt, each)
    wanted = {("mod", each.ref) for each in both}
    told = watch.until(lambda news: wanted <= {(each.operation, each.ref) for each in news})
    seen = [each for each in told if (each.operation, each.ref) in wanted]
    fits = wanted <= {(each.operation, each.ref) for each in seen}
    judge.true(fits, f"mod of {obj.ref} and of {both[1].ref}", describe_all(seen), watch.exchange)


def _beside(bench: Bench, obj: Obj) -> Obj:
    """Return an object of ours of another class."""
    return bench.stock.own(next(cls for cls in SEEN_ON if cls != obj.cls))


# ------------------------------------------------------------------------------------------------------ the older ways


def _next(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """event.next tells the registered classes' changes since it was called before."""
    session = opened(bench, fmt)
    try:
        _call(bench, fmt, SLACK, "event.register", (obj.cls,), session=session)
        for _ in range(2):
            _other(bench, fmt, obj)
            told, exchange = _told_next(bench, judge, obj, (fmt, session))
            expected = f"event.next tells mod of {obj.ref}"
            if exchange is None or not judge.true(told == ["mod"], expected, f"{told}", exchange):
                return
        _call(bench, fmt, SLACK, "event.unregister", (obj.cls,), session=session)
    finally:
        bench.call(fmt, "session.logout", session=session)


def _told_next(bench: Bench, judge: Judge, obj: Obj, by: tuple[Format, str]) -> tuple[list[str], Exchange | None]:
    """Call event.next until it tells of an object; return the operations it told, and the last exchange if in time."""
    told: list[str] = []
    for _ in range(NEXT_TRIES):
        exchange = _call(bench, by[0], 0.0, "event.next", session=by[1])
        if not _in_time(judge, exchange, SLACK):
            return told, None
        assert isinstance(exchange.reply.outcome, Success)
        told = [str(event.get("operation")) for event in exchange.reply.outcome.value if event.get("ref") == obj.ref]
        if told:
            break
    return told, exchange


def _inject(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """event.inject tells of an object as if it had changed; of one that is not there it fails."""
    watch = Watch(bench, fmt, (f"{obj.cls}/{obj.ref}",))
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
