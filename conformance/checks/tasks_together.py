"""Level 4, tasks beside others: two that run at once, one whose session has ended, and errors with all they say.

A task keeps its own result, stays when others go, and does, once, all that the plain form does with all it was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.destroying import is_held
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, is_refusal, show, unheard
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.sessionless import can_come_and_go, is_it
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.surrounding import holders
from xenconform.conformance.checks.tally import draw
from xenconform.conformance.checks.tasks import CLAUSE, destructor, judge_format, something
from xenconform.models.api import Api, ApiClass, Message
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.refusals import MISSING_CODES
from xenconform.models.types import MapOf, SetOf, Str
from xenconform.models.values import Ref, Value, is_null_text, same

FREE = "INTERNAL_ERROR"
"""A code whose parameters are words that may be others each time."""


def _over(bench: Bench, of: ApiClass) -> Format:
    return bench.formats[draw(bench.seed, CLAUSE, of.name) % len(bench.formats)]


def _begun(bench: Bench, call: Exchange) -> Ref:
    """Return the task that a call began.

    Raises:
        Unanswered: the server does not have this form, or gave no readable answer.
        Unavailable: it gave no task; counted where one is begun alone.
    """
    outcome = call.reply.outcome
    if isinstance(outcome, Success) and isinstance(outcome.value, str) and not is_null_text(outcome.value):
        return outcome.value
    if isinstance(outcome, Failure) and outcome.code not in MISSING_CODES:
        raise Unavailable(f"no task was begun: {describe(call)}; counted under the making of one")
    raise Unanswered(call, missing=bench.is_missing(call) or isinstance(outcome, Failure))


# ------------------------------------------------------------------------------------------------------ two at once


def two_tasks_keep_their_own(bench: Bench, of: ApiClass) -> None:
    """Of two tasks begun together each makes one object, with all that it was given. Source: wire protocol.

    A third is begun by a call equal to the first one: where the server lets both succeed, it makes an object as well.
    """
    for fmt in bench.formats if bench.budget.boundaries else (_over(bench, of),):
        with bench.judging(CLAUSE, f"{of.name} two at once", fmt) as judge:
            if not _judge_two(bench, judge, of, [_filled(bench, of) for _ in range(2)]):
                # What the exemplar leaves empty may have to be.
                _judge_two(bench, judge, of, [bench.stock.exemplar(of.name) for _ in range(2)])
            if not judge.asserted:
                raise Unavailable("the two did not succeed; counted under the making of one")


def _filled(bench: Bench, of: ApiClass) -> dict[str, Value]:
    """Return an exemplar whose empty sets and maps of texts have something in them, where any text will do."""
    given = bench.stock.exemplar(of.name)
    for name, field in given_fields(of, bench.stock.constructor(of.name)):
        texts = field.type in {SetOf(Str()), MapOf(Str(), Str())}
        if texts and name in given and not given[name] and bench.profile.domain(of.name, field.name).is_free:
            given[name] = next(iter(plain_values(bench, of.name, field, field.type, 1)), given[name])
    return given


def _judge_two(bench: Bench, judge: Judge, of: ApiClass, given: list[dict[str, Value]]) -> bool:
    """Make two objects at once and judge them; return whether both could be made."""
    constructor, fmt = bench.stock.constructor(of.name), judge_over(judge)
    message = constructor.message
    if message.full_name in bench.profile.never:
        raise Unavailable(f"the profile {bench.profile.name} says never to call {message.full_name}")
    before = set(bench.stock.all_refs(of.name))
    given = [*given, given[0]]
    args = [(each,) if constructor.record else tuple(each[p.name] for p in message.params) for each in given]
    calls = [bench.call(fmt, f"Async.{message.full_name}", *each) for each in args]
    begun = {at: _begun(bench, call) for at, call in enumerate(calls) if not is_refusal(call) or bench.is_missing(call)}
    judge.true(len(set(begun.values())) == len(begun), "a task for each call", show(list(begun.values())), *calls)
    first = {task: at for at, task in reversed(begun.items())}
    ended = {at: Async(bench, judge, fmt, message).follow(calls[at], task) for task, at in first.items()}
    made = {at: each.value for at, each in ended.items() if each is not None and each.succeeded}
    after = [ref for ref in bench.stock.all_refs(of.name) if ref not in before]
    objs = [bench.stock.adopt_ref(of.name, ref) for ref in dict.fromkeys(made.values())]
    try:
        if not {0, 1} <= made.keys() or None in ended.values():
            return False
        judge.true(len(objs) == len(made), "a result for each", show(list(made.values())), *calls)
        for at, ref in made.items():
            _judge_given(bench, judge, of, ref, given[at])
            twins = [other for other in after if other not in made.values() and is_it(bench, of, other, given[at])]
            judge.true(not twins, f"one {of.name} a task", f"{len(twins)} besides", *calls)
            for other in twins:
                bench.stock.remove(bench.stock.adopt_ref(of.name, other))
    finally:
        for obj in objs:
            bench.stock.remove(obj)
    return True


def _judge_given(bench: Bench, judge: Judge, of: ApiClass, ref: Ref, given: Mapping[str, Value]) -> None:
    """What a task made has what was given; a server whose plain form shows something else is let alone."""
    record, reading = bench.ask(bench.other(judge_over(judge)), f"{of.name}.get_record", ref)
    fields = {name: field for name, field in given_fields(of, bench.stock.constructor(of.name)) if name in given}
    odd = {n: f for n, f in fields.items() if f.name in record and not same(f.type, given[n], record[f.name])}
    if not odd:
        judge.true(True, "", "")
        return
    fellow = bench.stock.make(of.name, {name: given[name] for name in odd})
    plainly, _ = bench.ask(bench.formats[0], f"{of.name}.get_record", fellow.ref)
    bench.stock.remove(fellow)
    for name, field in odd.items():
        kept = same(field.type, given[name], plainly.get(field.name))
        shown = show(record[field.name])
        judge.true(not kept, f"{field.name} {show(given[name])}, as the plain form gives it", shown, reading)


def judge_over(judge: Judge) -> Format:
    """Return the format that a block judges."""
    return Format(judge.format)


# ------------------------------------------------------------------------------------------------- errors, and sessions


def refusals_say_all(bench: Bench, of: ApiClass) -> None:
    """Where the plain form refuses to end what another refers to, the task fails so too. Source: wire protocol."""
    holder = next(iter(holders(bench.api, of)))
    fmt = _over(bench, of)
    with bench.judging(CLAUSE, f"{of.name} refused", fmt) as judge:
        target = bench.stock.make(of.name)
        other = bench.stock.make(holder.cls, {holder.name: target.ref})
        try:
            _judge_refused(bench, judge, destructor(of), target.ref)
        finally:
            bench.stock.remove(other)
            bench.stock.remove(target)


def _judge_refused(bench: Bench, judge: Judge, message: Message, ref: Ref) -> None:
    fmt = judge_over(judge)
    before = bench.call(bench.other(fmt), message.full_name, ref, probe=True)
    outcome = before.reply.outcome
    if not isinstance(outcome, Failure):
        raise Unavailable("the plain form is not refused; counted under DESTROY-REFERENCED")
    ended = Async(bench, judge, fmt, message).run(ref)
    again = bench.call(bench.other(fmt), message.full_name, ref, probe=True)
    if ended is None or again.reply.outcome != outcome:
        return
    steady = outcome.code != FREE and not any(message.name in str(each) for each in outcome.params)
    wanted = {outcome.code, *(map(str, outcome.params) if steady else ())}
    fits = not ended.succeeded and wanted <= ended.error
    judge.true(fits, f"a failure, {sorted(wanted)}", ended.describe(), *ended.seen, before)


def tasks_outlive_their_session(bench: Bench) -> None:
    """A task goes on when the session that began it is logged out, and can be read. Source: wire protocol."""
    for fmt in bench.formats:
        with bench.judging(CLAUSE, "server, session ended", fmt) as judge:
            obj = something(bench)
            session = opened(bench, fmt)
            message = destructor(bench.api.classes[obj.cls])
            call = bench.call(fmt, f"Async.{message.full_name}", obj.ref, session=session)
            bench.call(fmt, "session.logout", session=session)
            try:
                ended = Async(bench, judge, fmt, message).follow(call, _begun(bench, call))
                if ended is not None:
                    dead = "SESSION_INVALID" in ended.error
                    judge.true(not dead, "an end as in a session that lives", ended.describe(), *ended.seen)
            finally:
                bench.stock.remove(obj)


def tasks_are_seen_by_every_session(bench: Bench) -> None:
    """While it lives a task is listed, and another session reads it over another format. Source: wire protocol."""
    for fmt in bench.formats:
        with bench.judging(CLAUSE, "server", fmt) as judge:
            obj = something(bench)
            other = opened(bench, bench.other(fmt))
            try:
                message = destructor(bench.api.classes[obj.cls])
                Async(bench, judge, fmt, message, partial(_look, bench, judge, other)).run(obj.ref)
            finally:
                bench.call(fmt, "session.logout", session=other)
                bench.stock.remove(obj)


def _look(bench: Bench, judge: Judge, session: Ref, ref: Ref) -> None:
    over = bench.other(judge_format(judge))
    listed = bench.call(over, "task.get_all")
    if isinstance(listed.reply.outcome, Success):
        judge.true(ref in listed.reply.outcome.value, f"task.get_all lists {ref}", describe(listed), listed)
    read = bench.call(over, "task.get_record", ref, session=session)
    judge.true(isinstance(read.reply.outcome, Success), "another session reads the task", describe(read), read)


# --------------------------------------------------------------------------------------------------- one after another


def ended_tasks_go_one_by_one(bench: Bench, _of: ApiClass) -> None:
    """Destroying an ended task leaves another ended one. Source: introduction, destructors."""
    for fmt in bench.formats:
        with bench.judging("DESTROY-NO-CASCADE", "task", fmt) as judge:
            first, second = something(bench), something(bench)
            try:
                look = partial(_outlives, bench, judge, second)
                message = destructor(bench.api.classes[first.cls])
                Async(bench, unheard(fmt), fmt, message, look).run(first.ref)
            finally:
                bench.stock.remove(first)
                bench.stock.remove(second)


def _outlives(bench: Bench, judge: Judge, obj: Obj, ref: Ref) -> None:
    """End an object of ours by a task, which is destroyed then, while another task that has ended is there."""
    fmt, message = judge_format(judge), destructor(bench.api.classes[obj.cls])
    if Async(bench, unheard(fmt), fmt, message).run(obj.ref) is not None:
        seen = bench.call(bench.other(fmt), "task.get_record", ref, probe=True)
        there = isinstance(seen.reply.outcome, Success)
        judge.true(there, f"the task {ref} is still there after the end of another", describe(seen), seen)


def _is_task(_api: Api, of: ApiClass) -> bool:
    return of.name == "task"


CHECKS: tuple[Check, ...] = (
    Check(CLAUSE, per_class=two_tasks_keep_their_own, applies=can_come_and_go),
    Check(CLAUSE, per_class=refusals_say_all, applies=is_held),
    Check("DESTROY-NO-CASCADE", per_class=ended_tasks_go_one_by_one, applies=_is_task),
    Check(CLAUSE, per_server=tasks_outlive_their_session),
    Check(CLAUSE, per_server=tasks_are_seen_by_every_session),
)
