"""Level 4, tasks that are refused: what the plain form does not do, a task does not do either, and it ends.

What is wrong stands in a constructor's values, in what a setter is given, or in what an explicit message is called on
or with: a ref to no object, or a value that cannot be read as one of its type. A server that reads parameters in the
task itself has to end it all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from xenconform.conformance.checks.aimed import Aim, blind, takes_self, undo, why_not
from xenconform.conformance.checks.awaiting import Async, judge_error
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.creating_nothing import bad_values, bent
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.tally import draw
from xenconform.conformance.checks.tasks import CLAUSE, setters
from xenconform.conformance.codec import Param
from xenconform.models.api import Api, ApiClass, Message, State
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.exemplars import constructor_of
from xenconform.models.types import NULL_REF, MapOf, RefTo, SetOf, Str, Type, refs_in
from xenconform.models.values import Value
from xenconform.strategies.wrong import Typed

FEW = 3
"""So many explicit messages of a class are called by tasks on what there is not, the second of them with it."""


class _How(TypedDict, total=False):
    """How values are sent that are none of their types: by another model, or as they stand."""

    api: Api | None
    params: list[Param] | None


def has_refusals(_api: Api, of: ApiClass) -> bool:
    """Whether a class has a constructor."""
    return bool(of.constructors)


def tasks_are_refused_alike(bench: Bench, of: ApiClass) -> None:
    """What the plain constructor or setter refuses a task refuses too, with its error. Source: wire protocol."""
    maker = constructor_of(bench.api, bench.profile, of.name)
    fields = [field for _, field in given_fields(of, maker)] if maker is not None else []
    everywhere = maker is not None and (maker.record or any(isinstance(field.type, RefTo) for field in fields))
    formats = list(bench.formats if everywhere else in_turn(bench, of)) if fields else []
    for number, fmt in enumerate(formats if bench.budget.boundaries else formats[:1]):
        with bench.judging(CLAUSE, f"{of.name} bad create", fmt) as judge:
            _judge_bad_create(bench, judge, (of, fmt), number)
    for at, message in enumerate(setters(bench, of)):
        fmt = bench.formats[(bench.seed + at) % len(bench.formats)]
        with bench.judging(CLAUSE, f"{of.name} {message.name} error", fmt) as judge:
            obj, getter = bench.stock.own(of.name), f"{of.name}.get_{message.field}"
            value, _ = bench.ask(fmt, getter, obj.ref)
            bad = _unreadable(message.params[1].type)
            how: _How = {"params": [(RefTo(of.name), obj.ref), bad[at % len(bad)]]} if at % 2 else {}
            args: tuple[Value, ...] = () if how else (unknown_ref(), value)
            plain = bench.call(bench.other(fmt), message.full_name, *args, probe=True, **how)
            _must_be_refused(bench, plain)
            ended = Async(bench, judge, fmt, message).run(*args, **how)
            if ended is not None:
                judge.true(not ended.succeeded, f"a failure, as {describe(plain)}", ended.describe(), *ended.seen)


def takes_self_explicitly(_api: Api, of: ApiClass) -> bool:
    """Whether a class has an explicit message that is called on an object of it."""
    return any(_is_act(message) for message in of.messages.values())


def _is_act(message: Message) -> bool:
    there = message.lifecycle.state is not State.REMOVED
    return there and not (message.implicit or message.verb) and takes_self(message)


def messages_of_nothing_fail_alike(bench: Bench, of: ApiClass) -> None:
    """Of explicit messages, called on what there is not, a few are refused by tasks as plainly. Source: protocol."""
    acts = [m for m in of.messages.values() if _is_act(m) and m.name != of.destructor]
    turn = draw(bench.seed, CLAUSE, of.name)
    with_more = [each for each in acts if any(refs_in(param.type) for param in each.params[1:])]
    for at in range(min(FEW, len(acts)) if bench.budget.boundaries else 1 if acts else 0):
        some, fmt = (with_more if at == 1 and with_more else acts), bench.formats[at % len(bench.formats)]
        message = some[(turn + at * max(1, len(some) // FEW)) % len(some)]
        with bench.judging(CLAUSE, f"{of.name} {message.name} of nothing", fmt) as judge:
            if why := why_not(bench, message):
                raise Unavailable(why)
            aimed = _at_one(bench, message) if at == 1 else blind(message)
            plain = bench.call(fmt, message.full_name, *aimed.args, probe=True)
            undo(bench, message, aimed, plain)
            if not bench.is_missing(plain):  # what there is not plainly no task does either
                _must_be_refused(bench, plain)
            ended = Async(bench, judge, fmt, message).run(*aimed.args)
            if ended is not None:
                failed = f"a failure, as {describe(plain)}"
                judge.true(not ended.succeeded, failed, ended.describe(), *ended.seen, plain)
                if ended.succeeded and aimed.live is not None:
                    bench.stock.remove(aimed.live)  # whatever became of it


def _at_one(bench: Bench, message: Message) -> Aim:
    """Aim a message at an object of ours, where what else it takes is no object; else at nothing."""
    aimed = blind(message)
    if not any(refs_in(param.type) for param in message.params[1:]):
        return aimed
    try:
        obj = bench.stock.own(message.cls)
    except Unavailable:
        return aimed
    return Aim((obj.ref, *aimed.args[1:]), obj)


def _judge_bad_create(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], number: int) -> None:
    """Call a constructor with one thing wrong, a made-up ref by turns where it is given any.

    Of such a ref the error is the plain form's; of what is of another type it is only to be one.
    """
    of, fmt = at
    constructor, good = bench.stock.constructor(of.name), bench.stock.exemplar(of.name)
    message = constructor.message
    if message.full_name in bench.profile.never:
        raise Unavailable(f"the profile {bench.profile.name} says never to call {message.full_name}")
    given, how, exact = _spoilt(bench, of, good, number)
    args: tuple[Value, ...] = (given,) if constructor.record else tuple(given[p.name] for p in message.params)
    plain = bench.call(fmt, message.full_name, *args, probe=True, **how)
    if isinstance(plain.reply.outcome, Success):
        bench.stock.remove(bench.stock.adopt(of.name, plain))
    _must_be_refused(bench, plain)
    before = set(bench.stock.all_refs(of.name))
    ended = Async(bench, judge, fmt, message).run(*args, **how)
    if ended is None:
        return
    if exact:
        judge_error(judge, ended, plain)
    else:
        judge.true(not ended.succeeded, f"a failure, as {describe(plain)}", ended.describe(), *ended.seen, plain)
    if ended.succeeded and isinstance(ended.value, str) and ended.value not in {"", NULL_REF, *before}:
        bench.stock.remove(bench.stock.adopt_ref(of.name, ended.value))


def _spoilt(bench: Bench, of: ApiClass, good: dict[str, Value], number: int) -> tuple[dict[str, Value], _How, bool]:
    """Return what a constructor is to refuse, how it is sent, and whether its error is told by the document."""
    constructor = bench.stock.constructor(of.name)
    fields, turn = list(given_fields(of, constructor)), draw(bench.seed, CLAUSE, of.name) + number
    refs = [name for name, field in fields if isinstance(field.type, RefTo)]
    if refs and number % 2 == 0:
        return {**good, refs[turn % len(refs)]: unknown_ref()}, {}, True
    bad = [(name, each) for name, field in fields for each in _unreadable(field.type)]
    name, (as_type, value) = bad[turn % len(bad)]
    given = {**good, name: value}
    if constructor.record:
        return given, {"api": bent(bench.api, of, name, as_type)}, False
    typed: list[Param] = [
        (as_type if each.name == name else each.type, given[each.name]) for each in constructor.message.params
    ]
    return given, {"params": typed}, False


def _unreadable(of: Type) -> list[Typed]:
    """Return values of other types, which no server can read as one of this."""
    if not refs_in(of):
        return list(bad_values(of, {}))
    wrong: list[Typed] = [(SetOf(Str()), ("a",)), (MapOf(Str(), Str()), {"a": "b"})]
    return [each for each in wrong if type(each[0]) is not type(of)]


def spoilt_records(
    bench: Bench, of: ApiClass, good: dict[str, Value]
) -> Iterator[tuple[dict[str, Value], Api | None, bool]]:
    """Yield what a constructor is to refuse, the model to write it by, and whether its error is told by the document.

    Only a record can be written by another model.
    """
    constructor = bench.stock.constructor(of.name)
    fields = list(given_fields(of, constructor))
    for name, field in fields:
        if isinstance(field.type, RefTo):
            yield {**good, name: unknown_ref()}, None, True
    for name, field in fields if constructor.record else ():
        for as_type, value in bad_values(field.type, {}):
            yield {**good, name: value}, bent(bench.api, of, name, as_type), False


def _must_be_refused(bench: Bench, plain: Exchange) -> None:
    """Go on only where the plain form was refused for what was wrong with it."""
    outcome = plain.reply.outcome
    if isinstance(outcome, Success):
        raise Unavailable(f"{plain.message} succeeds; counted under the clauses on wrong calls")
    if not isinstance(outcome, Failure) or bench.is_missing(plain):
        raise Unanswered(plain, missing=bench.is_missing(plain))


CHECKS: tuple[Check, ...] = (
    Check(CLAUSE, per_class=tasks_are_refused_alike, applies=has_refusals),
    Check(CLAUSE, per_class=messages_of_nothing_fail_alike, applies=takes_self_explicitly),
)
