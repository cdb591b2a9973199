"""Level 4, events of no class, several watches and their tokens: what one of them knows must not depend on another."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, result_of, show, unheard
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.watch import (
    FROM,
    SLACK,
    WAIT,
    Told,
    Watch,
    change,
    changeable,
    describe_all,
)
from xenconform.conformance.checks.watching_registered import register_two
from xenconform.conformance.checks.watching_server import CLAUSE, QUIET, Act, beside, judge_acts, sibling
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Str

MANY = ("pool", "host", "SR", "PIF", "task", "message", "VBD", "VIF", "VDI", "console", "role", "PBD")
"""Classes to watch besides, so that those that count stand last in a long list."""
MANY_CHANGES = 300
"""How many changes are made after the first token, so that it is an old one."""
MANY_MADE, FEW_MADE = 130, 20
"""So many objects are made between two batches: more than the 128 that a queue may hold, in the quick budget fewer."""


@dataclass(frozen=True, slots=True)
class Early:
    """A token from early in a run, over which format it came, and what was made just after it."""

    token: str
    fmt: Format
    obj: Obj


_FIRST: WeakKeyDictionary[Bench, Early] = WeakKeyDictionary()


def watches_do_not_mix(bench: Bench) -> None:
    """Watches are told what they asked for, however many there are. Source: class reference, event (SHOULD)."""
    judge_acts(bench, ACTS)


def _both_told(judge: Judge, watch: Watch, objs: Sequence[Obj]) -> None:
    wanted = {("mod", each.ref) for each in objs}
    told = watch.until(lambda news: wanted <= {(each.operation, each.ref) for each in news})
    seen = {(each.operation, each.ref) for each in told}
    judge.true(wanted <= seen, f"mod of {' and of '.join(o.ref for o in objs)}", describe_all(told), watch.exchange)


def _many_classes(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """A watch of a dozen classes and more tells of the last of them as of the first."""
    other = beside(bench, obj)
    listed = tuple(cls for cls in MANY if cls in bench.api.classes and cls not in {obj.cls, other.cls})
    watch = Watch(bench, judge, fmt, (other.cls, *listed, obj.cls))
    started = {each.ref for each in watch.read(WAIT)}
    missing = [each.ref for each in (obj, other) if each.ref not in started]
    judge.true(not missing, "every object of the classes", f"nothing of {missing}", watch.exchange)
    for each in (obj, other):
        change(bench, bench.other(fmt), each)
    _both_told(judge, watch, (obj, other))


def _two_objects(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """A watch of two objects of a class tells of both, and of no third; what is named twice is told once."""
    second, third = bench.stock.make(obj.cls), bench.stock.make(obj.cls)
    try:
        names = tuple(f"{obj.cls}/{each.ref}" for each in (obj, second, second))
        watch = Watch(bench, judge, fmt, names)
        watch.read(QUIET)
        for each in (third, obj, second):
            change(bench, bench.other(fmt), each)
        _both_told(judge, watch, (obj, second))
        strangers = [each for each in watch.told if each.ref == third.ref]
        judge.true(not strangers, f"nothing of {third.ref}", describe_all(strangers), watch.exchange)
        twice = [each for each in watch.told if each.operation == "add" and each.ref == second.ref]
        judge.true(len(twice) <= 1, f"one add of {second.ref}", describe_all(twice), watch.exchange)
    finally:
        bench.stock.remove(second)
        bench.stock.remove(third)


def _moves(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """A token serves over every format, whichever gave it."""
    watch = Watch(bench, judge, fmt, (f"{obj.cls}/{obj.ref}",))
    watch.read(QUIET)
    for step in range(1, len(bench.formats)):
        given, watch.fmt = watch.fmt, bench.other(fmt, step)
        change(bench, fmt, obj)
        try:
            _both_told(judge, watch, (obj,))
        except Unanswered as why:
            over, watch.fmt = watch.fmt, given
            watch.read(QUIET)  # where no format takes it that is no matter of the format
            judge.fail(f"a token of {given} serves over {over}", describe(why.exchange), why.exchange, watch.exchange)
            return
        moved = [each for each in watch.told if each.operation == "add"]
        judge.true(len(moved) <= 1, f"{obj.ref} told as added once", describe_all(moved), watch.exchange)
        watch.told.clear()


def _old_token(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """A token from early in the run tells of what came just after it, unless the server says that it has forgotten."""
    early = _FIRST.get(bench)
    if early is None:
        watch = Watch(bench, judge, fmt, (obj.cls,))
        watch.read(WAIT)
        early = _FIRST[bench] = Early(watch.token, fmt, bench.stock.make(obj.cls))
        texts = [field.name for field in changeable(bench.api.classes[obj.cls]) if field.type == Str()]
        for at in range(MANY_CHANGES if texts else 0):
            bench.call(fmt, f"{obj.cls}.set_{texts[0]}", obj.ref, f"change {at}")
    for wanted in (early.obj, obj):
        again = Watch(bench, judge, early.fmt, (wanted.cls,), early.token)
        try:
            told = again.read(WAIT)
        except Unanswered as why:
            raise Unavailable(f"the first token of the run: {describe(why.exchange)}") from why
        seen = [each for each in told if each.ref == wanted.ref]
        judge.true(bool(seen), f"{wanted.ref}, which was made after the token", describe_all(seen), again.exchange)


def _task_is_told(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """What a task does is told as if it were done by a plain call."""
    made = bench.stock.make(obj.cls, fmt=bench.other(fmt))
    watch = Watch(bench, judge, fmt, (obj.cls,))
    watch.read(WAIT)  # of what came and went between two readings a server need not tell
    destructor = bench.api.classes[obj.cls].destructor
    task, _ = bench.ask(bench.other(fmt), f"Async.{obj.cls}.{destructor}", made.ref)
    try:
        told = watch.until_told("del", made.ref)
        record, reading = bench.ask(fmt, "task.get_record", task)
        if record.get("status") != "success":
            raise Unavailable(f"the task: {describe(reading)}; counted under ASYNC-TASK")
        ended = [each.operation for each in told][-1:]
        if ended != ["del"] and made.ref in bench.stock.all_refs(obj.cls):
            raise Unavailable(f"the task ended without ending the {obj.cls}; counted under ASYNC-TASK")
        judge.true(ended == ["del"], f"del of {made.ref}, which a task ended", describe_all(told), watch.exchange)
    finally:
        bench.stock.remove(made)
        bench.stock.remove(bench.stock.adopt_ref("task", task))


def _made_by_a_task(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """What a task makes is told as added."""
    watch = Watch(bench, judge, fmt, (obj.cls,))
    watch.read(WAIT)
    constructor, given = bench.stock.constructor(obj.cls), bench.stock.exemplar(obj.cls)
    args = (given,) if constructor.record else tuple(given[p.name] for p in constructor.message.params)
    over = bench.other(fmt)
    ended = Async(bench, unheard(over), over, constructor.message).run(*args)
    if ended is None or not ended.succeeded or not isinstance(ended.value, str):
        raise Unavailable("no task made an object; counted under ASYNC-TASK")
    made = bench.stock.adopt_ref(obj.cls, ended.value)
    try:
        told = watch.until_told("add", made.ref)
        operations = [each.operation for each in told]
        judge.true("add" in operations, f"add of {made.ref}, which a task made", describe_all(told), watch.exchange)
    finally:
        bench.stock.remove(made)


def _many_at_once(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """Of many objects that were made since, and then ended, each is told of, in as many batches as the server likes."""
    watch = Watch(bench, judge, fmt, (obj.cls,))
    watch.read(WAIT)
    made = [bench.stock.make(obj.cls) for _ in range(MANY_MADE if bench.budget.boundaries else FEW_MADE)]
    try:
        _all_told(judge, watch, {("add", each.ref) for each in made})
    finally:
        ended = {("del", each.ref) for each in made if bench.stock.remove(each)}
    _all_told(judge, watch, ended)


def _all_told(judge: Judge, watch: Watch, wanted: set[tuple[str, str]]) -> None:
    told = watch.until(partial(_has_all, wanted))
    lost = sorted(wanted - {(each.operation, each.ref) for each in told})
    judge.true(not lost, f"each of {len(wanted)} events", f"none of {show(lost[:3])}", watch.exchange)


def _changed_at_once(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """What is made, and changed before anybody asks, is told as added: changes may be told as one, a birth is told."""
    watch = Watch(bench, judge, fmt, (obj.cls,))
    watch.read(WAIT)
    made = bench.stock.make(obj.cls, fmt=bench.other(fmt))
    try:
        change(bench, fmt, made)
        told = watch.until_told("add", made.ref)
        operations = [each.operation for each in told]
        judge.true(operations[:1] == ["add"], f"add of {made.ref}, first", describe_all(told), watch.exchange)
    finally:
        bench.stock.remove(made)


def _in_two_sessions(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """What one session was told another is told as well, whichever asks first."""
    session = opened(bench, fmt)
    watches = [Watch(bench, judge, fmt, (obj.cls,)), Watch(bench, judge, fmt, (obj.cls,), session=session)]
    try:
        for watch in watches:
            watch.read(WAIT)
        for order in (watches, watches[::-1]):
            made = bench.stock.make(obj.cls, fmt=bench.other(fmt))
            for watch in order:  # what is made and ended between two looks need not be told
                watch.until_told("add", made.ref)
            change(bench, bench.other(fmt), obj)
            gone = bench.stock.remove(made)
            wanted = {("mod", obj.ref), *([("del", made.ref)] if gone else [])}
            for watch in order:
                told = watch.until(partial(_has_all, wanted))
                seen = {(each.operation, each.ref) for each in told}
                expected = f"mod of {obj.ref} and del of {made.ref}, which each session is told"
                judge.true(wanted <= seen, expected, describe_all(told), watch.exchange)
    finally:
        bench.call(fmt, "session.logout", session=session)


def _has_all(wanted: set[tuple[str, str]], news: Sequence[Told]) -> bool:
    return wanted <= {(each.operation, each.ref) for each in news}


def _at_the_same_time(bench: Bench, judge: Judge, obj: Obj, fmt: Format) -> None:
    """Two calls that wait in one session are told what each asked for, and nothing of the other's."""
    both = (obj, beside(bench, obj))
    watches = [Watch(bench, judge, fmt, (f"{each.cls}/{each.ref}",)) for each in both]
    for watch in watches:
        watch.read(QUIET)
    heard: list[Exchange] = []
    with sibling(bench, heard) as one, sibling(bench, heard) as other, ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(partial(client.call, fmt, FROM, (w.wanted, w.token, WAIT), deadline=WAIT + SLACK))
            for client, w in zip((one, other), watches, strict=True)
        ]
        try:
            bench.call(bench.other(fmt), f"{obj.cls}.get_record", obj.ref)
            for each in both:
                change(bench, bench.other(fmt), each)
        finally:
            answers = [each.result() for each in calls]
    for each, exchange in zip(both, answers, strict=True):
        if not isinstance(exchange.reply.outcome, Success):
            raise Unavailable(f"{describe(exchange)}; counted under the wait of one")
        refs = {event.get("ref") for event in result_of(exchange)["events"]}
        judge.true(refs <= {each.ref}, f"nothing but {each.ref}", show(sorted(refs)), exchange)
        late = exchange.elapsed >= WAIT
        judge.true(bool(refs) or not late, f"{each.ref} is told", f"nothing after {exchange.elapsed:.1f} s", exchange)


ACTS: dict[str, Act] = {
    "event.from many classes": _many_classes,
    "event.from objects": _two_objects,
    "event.from over formats": _moves,
    "event.from old token": _old_token,
    "event.from task": _task_is_told,
    "event.from task makes": _made_by_a_task,
    "event.from many at once": _many_at_once,
    "event.from changed at once": _changed_at_once,
    "event.from sessions": _in_two_sessions,
    "event.from at the same time": _at_the_same_time,
    "event.register": register_two,
}
"""What is judged for the server as a whole, by element."""

CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_server=watches_do_not_mix),)
