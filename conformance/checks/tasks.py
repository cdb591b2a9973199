"""Level 4, tasks: what is called asynchronously ends as the plain form does.

Only what leaves nothing behind is called: constructors and ends of objects of our own, explicit setters of theirs,
and ends of objects that there never were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from xenconform.conformance.checks.awaiting import Async, Ended, judge_error
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, is_refusal, show
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Api, ApiClass, Message, State
from xenconform.models.calls import Breach, Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.refusals import MISSING_CODES
from xenconform.models.types import NULL_REF, RefTo
from xenconform.models.values import Ref, Value, is_null_text, same

CLAUSE = "ASYNC-TASK"
Act = Callable[[Bench, ApiClass, Format, Judge], None]
ALL_OVER = 6
"""So many acts of a class are over every format, the other setters over one each in turn."""
SEEN_ON = ("network", "secret", "VM", "VDI")
"""Classes of which one is made for what is of no class, the first that can be made."""


def has_tasks(_api: Api, of: ApiClass) -> bool:
    """Whether a class has a constructor or an end, which all have an asynchronous form."""
    return bool(of.constructors or of.destructor)


def asynchronous_calls_end_as_plain_ones(bench: Bench, of: ApiClass) -> None:
    """Async.c.m gives a task, which ends with the result or the error of c.m, and its effect. Source: wire protocol."""
    for at, (element, act) in enumerate(_acts(bench, of)):
        everywhere = at < ALL_OVER or bench.budget.name == "thorough"
        for fmt in bench.formats if everywhere else [bench.formats[at % len(bench.formats)]]:
            with bench.judging(CLAUSE, element, fmt) as judge:
                act(bench, of, fmt, judge)


def _acts(bench: Bench, of: ApiClass) -> Iterator[tuple[str, Act]]:
    if of.constructors:
        yield f"{of.name} create", _create
    if of.destructor:
        if of.constructors:
            yield f"{of.name} {of.destructor}", _end
        yield f"{of.name} error", _error
    if of.constructors:
        explicit = list(setters(bench, of))
        for message in explicit if bench.budget.boundaries else explicit[:1]:
            yield f"{of.name} {message.name}", _setter(message)
        if "get_uuid" in of.messages and bench.budget.boundaries:
            yield f"{of.name} get_uuid", _getter


# ------------------------------------------------------------------------------------------------------------- creating


def _create(bench: Bench, of: ApiClass, fmt: Format, judge: Judge) -> None:
    """A constructor's task ends with the new object, or with the error of the plain form."""
    constructor = bench.stock.constructor(of.name)
    given = bench.stock.exemplar(of.name)
    args: list[Value] = [given] if constructor.record else [given[p.name] for p in constructor.message.params]
    _look_up(bench, of, bench.other(fmt, 2), str(given.get("name_label", "")))
    ended = Async(bench, judge, fmt, constructor.message).run(*args)
    if ended is None:
        _adopt_labelled(bench, of, given)
        return
    if not ended.succeeded:
        plain = bench.stock.try_make(of.name, given, fmt=fmt)
        if isinstance(plain.reply.outcome, Success):
            bench.stock.remove(bench.stock.adopt(of.name, plain))
            judge.fail(f"success, as the plain form: {describe(plain)}", ended.describe(), *ended.seen, plain)
            return
        judge_error(judge, ended, plain)
        return
    if not judge.true(not is_null_text(ended.value), f"the new {of.name}'s ref", ended.describe(), *ended.seen):
        _adopt_labelled(bench, of, given)
        return
    made = bench.stock.adopt_ref(of.name, ended.value)
    _judge_made(bench, judge, ended, made, str(given.get("name_label", "")))
    bench.stock.remove(made)


def _look_up(bench: Bench, of: ApiClass, over: Format, label: str) -> None:
    """Ask what a task is to change, so that what a server keeps of its answers is there and has to follow the task."""
    if "get_all" in of.messages:
        bench.call(over, f"{of.name}.get_all")
    if label and "get_by_name_label" in of.messages:
        bench.call(over, f"{of.name}.get_by_name_label", label)


def _judge_made(bench: Bench, judge: Judge, ended: Ended, made: Obj, label: str) -> None:
    """The object is there, has its label, and there is one of it."""
    of, over = bench.api.classes[made.cls], bench.other(judge_format(judge), 2)
    if "get_record" not in of.messages:
        raise Unavailable(f"a {of.name} cannot be read")
    reading = bench.call(over, f"{of.name}.get_record", made.ref)
    outcome = reading.reply.outcome
    if isinstance(outcome, Breach):
        raise Unanswered(reading)
    if not judge.true(isinstance(outcome, Success), f"{made.ref} is there", describe(reading), *ended.seen, reading):
        bench.stock.forget(made)
        return
    if "get_all" in of.messages:
        listed = bench.call(over, f"{of.name}.get_all")
        there = not isinstance(listed.reply.outcome, Success) or made.ref in listed.reply.outcome.value
        judge.true(there, f"{made.ref} is listed", describe(listed), *ended.seen, listed)
    if not label or "get_by_name_label" not in of.messages:
        return
    found = bench.call(over, f"{of.name}.get_by_name_label", label)
    if isinstance(found.reply.outcome, Success):
        refs = found.reply.outcome.value
        judge.true(refs == (made.ref,), f"one {of.name} {label!r}: {made.ref}", show(refs), *ended.seen, found)
        _adopt_all(bench, of, refs)


def judge_format(judge: Judge) -> Format:
    """Return the format that a block judges."""
    return Format(judge.format)


def _adopt_labelled(bench: Bench, of: ApiClass, given: dict[str, Value]) -> None:
    """Take what a task made and did not tell of into the stock, so that it is removed."""
    label = str(given.get("name_label", ""))
    if label and "get_by_name_label" in of.messages:
        found = bench.call(bench.formats[0], f"{of.name}.get_by_name_label", label).reply.outcome
        if isinstance(found, Success):
            _adopt_all(bench, of, found.value)


def _adopt_all(bench: Bench, of: ApiClass, refs: tuple[Ref, ...]) -> None:
    for ref in set(refs) - bench.stock.known_refs(of.name):
        bench.stock.remove(bench.stock.adopt_ref(of.name, ref))


# --------------------------------------------------------------------------------------------------- ending, and errors


def destructor(of: ApiClass) -> Message:
    """Return the message that ends objects of a class."""
    return of.messages[of.destructor]


def _end(bench: Bench, of: ApiClass, fmt: Format, judge: Judge) -> None:
    """An end's task ends with the object gone, or with the error of the plain form."""
    obj = bench.stock.make(of.name)
    reader = next((name for name in ("get_record", "get_uuid") if name in of.messages), None)
    if reader is not None:
        bench.call(bench.other(fmt, 2), f"{of.name}.{reader}", obj.ref)
    ended = Async(bench, judge, fmt, destructor(of)).run(obj.ref)
    if ended is None:
        bench.stock.remove(obj)
        return
    if not ended.succeeded:
        plain = bench.call(fmt, destructor(of).full_name, obj.ref)
        if isinstance(plain.reply.outcome, Success):
            bench.stock.forget(obj)
            judge.fail(f"success, as the plain form: {describe(plain)}", ended.describe(), *ended.seen, plain)
            return
        judge_error(judge, ended, plain)
        return
    if reader is None:
        raise Unavailable(f"a {of.name} cannot be read")
    reading = bench.call(bench.other(fmt, 2), f"{of.name}.{reader}", obj.ref, probe=True)
    if judge.refused(reading, f"{of.name}.{reader} of what the task ended"):
        bench.stock.forget(obj)
    else:
        bench.stock.remove(obj)


def _error(bench: Bench, of: ApiClass, fmt: Format, judge: Judge) -> None:
    """Of a made-up ref, and over one format of one that has ended, the task or the call fails as the plain form."""
    ref = _ended(bench, of) if fmt is bench.formats[bench.seed % len(bench.formats)] else unknown_ref()
    plain = bench.call(bench.other(fmt), destructor(of).full_name, ref, probe=True)
    outcome = plain.reply.outcome
    if isinstance(outcome, Success):
        raise Unavailable(f"{plain.message} of a made-up ref succeeds; counted under the clauses on objects")
    if isinstance(outcome, Breach) or outcome.code in MISSING_CODES:
        raise Unanswered(plain, missing=isinstance(outcome, Failure))
    ended = Async(bench, judge, fmt, destructor(of)).run(ref)
    if ended is not None:
        judge_error(judge, ended, plain)


def _ended(bench: Bench, of: ApiClass) -> Ref:
    """Return the ref of an object that was made and ended, a made-up one where none can be."""
    with suppress(Unavailable):
        return obj.ref if bench.stock.remove(obj := bench.stock.make(of.name)) else unknown_ref()
    return unknown_ref()


# ------------------------------------------------------------------------------------------------------------ accessors


def setters(bench: Bench, of: ApiClass) -> Iterator[Message]:
    """Return the explicit setters of scalars, sets or maps, which have an asynchronous form as any explicit message."""
    for message in of.messages.values():
        field = of.fields.get(message.field)
        if message.implicit or message.verb != "set" or field is None or len(message.params) != 2:
            continue
        there = message.lifecycle.state is not State.REMOVED and f"get_{field.name}" in of.messages
        there = there and not bench.profile.domain(of.name, field.name).skip
        if there and message.params[1].type == field.type and message.full_name not in bench.profile.never:
            yield message


def _setter(message: Message) -> Act:
    """Return the act that judges an explicit setter on an object of our own."""

    def act(bench: Bench, of: ApiClass, fmt: Format, judge: Judge) -> None:
        obj, field = bench.stock.own(of.name), of.fields[message.field]
        before, _ = _shown(bench, obj, field.name, fmt)
        values = plain_values(bench, of.name, field, field.type, 3)
        values += [NULL_REF] if isinstance(field.type, RefTo) else []
        if not values:
            raise Unavailable(f"no value of {of.name}.{field.name} is known")
        value = next((each for each in values if not same(field.type, each, before)), values[0])
        ended = Async(bench, judge, fmt, message).run(obj.ref, value)
        if ended is None:
            return
        if ended.succeeded:
            _judge_written(bench, judge, message, (obj, value), ended)
            return
        plain = bench.call(fmt, message.full_name, obj.ref, value)
        if isinstance(plain.reply.outcome, Success):
            judge.fail(f"success, as the plain form: {describe(plain)}", ended.describe(), *ended.seen, plain)
        else:
            judge_error(judge, ended, plain)

    return act


def _shown(bench: Bench, obj: Obj, name: str, fmt: Format) -> tuple[Value, Exchange]:
    """Return what a field shows over another format than a task was begun over: in the record, or by its getter."""
    over = bench.other(fmt, 2)
    if bench.formats.index(fmt) % 2 == 0 and "get_record" in bench.api.classes[obj.cls].messages:
        record, seen = bench.ask(over, f"{obj.cls}.get_record", obj.ref)
        if name in record:
            return record[name], seen
    return bench.ask(over, f"{obj.cls}.get_{name}", obj.ref)


def _judge_written(bench: Bench, judge: Judge, message: Message, wrote: tuple[Obj, Value], ended: Ended) -> None:
    """The field has the value, as after the plain form; a server whose plain form shows another is let alone."""
    (obj, value), fmt = wrote, judge_format(judge)
    of = bench.api.classes[obj.cls].fields[message.field].type
    seen, reading = _shown(bench, obj, message.field, fmt)
    if same(of, value, seen):
        judge.true(True, "", "")
        return
    bench.ask(fmt, message.full_name, obj.ref, value)
    plainly, _ = _shown(bench, obj, message.field, fmt)
    if same(of, plainly, seen):
        raise Unavailable(f"after the plain {message.full_name} the field is {show(plainly)} too")
    judge.fail(f"{message.field} {show(value)}", show(seen), *ended.seen, reading)


def _getter(bench: Bench, of: ApiClass, fmt: Format, judge: Judge) -> None:
    """Accessors need have no asynchronous form: a server refuses, or gives a task with the getter's value."""
    message, obj = of.messages["get_uuid"], bench.stock.own(of.name)
    plain, _ = bench.ask(fmt, message.full_name, obj.ref)
    try:
        ended = Async(bench, judge, fmt, message).run(obj.ref)
    except Unanswered as why:
        if not is_refusal(why.exchange):
            raise
        judge.true(True, "", "")
        return
    if ended is None:
        return
    if ended.succeeded:
        judge.true(ended.value == plain, f"the result {plain!r}", ended.describe(), *ended.seen)
    else:
        judge.true(True, "", "")


def something(bench: Bench) -> Obj:
    """Return a new object of a plain class.

    Raises:
        Unavailable: none can be made, with the last reason.
    """
    why = Unavailable("no class in the model")
    for cls in SEEN_ON:
        try:
            return bench.stock.make(cls)
        except Unavailable as reason:
            why = reason
    raise why


CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_class=asynchronous_calls_end_as_plain_ones, applies=has_tasks),)
