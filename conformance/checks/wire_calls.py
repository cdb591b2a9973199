"""Level 1, calls that must be refused: unknown methods, wrong numbers of parameters, parameters of another type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from xenconform.conformance.checks.arguments import WRITING, good_args
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, show
from xenconform.conformance.client import UNSET, Unset
from xenconform.models.api import Api, ApiClass, Message, Qualifier, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Enum, MapOf, RefTo, SetOf, Str, Type
from xenconform.models.values import Ref, Value, same
from xenconform.strategies.plain import tame
from xenconform.strategies.wrong import wrong_typed


def has_messages(_api: Api, of: ApiClass) -> bool:
    """Whether a class has any message."""
    return bool(of.messages)


@contextmanager
def _with_code(bench: Bench, clause: str, element: str, fmt: Format) -> Iterator[tuple[Judge, Judge]]:
    """Open a block that judges a clause and the clause on its exact code; what ends it untested counts for both."""
    with bench.judging(clause, element, fmt) as judge:
        why: Unavailable | Unanswered | None = None
        with bench.judging(f"{clause}-CODE", element, fmt) as coded:
            try:
                yield judge, coded
            except (Unavailable, Unanswered) as ended:
                why = ended
                raise
        if why is not None:
            raise why


def unknown_method_fails(bench: Bench, of: ApiClass) -> None:
    """A method that does not exist fails; SHOULD: MESSAGE_METHOD_UNKNOWN with its name. Source: error list."""
    for fmt in bench.formats:
        with _with_code(bench, "WIRE-METHOD-UNKNOWN", of.name, fmt) as (judge, coded):
            for method in (f"{of.name}.get_no_such_field", f"{of.name}.no_such_message", f"No_such_{of.name}.get_all"):
                exchange = bench.call(fmt, method, probe=True)
                if judge.refused(exchange, f"the unknown method {method}"):
                    coded.code(exchange, "MESSAGE_METHOD_UNKNOWN", method)


# ---------------------------------------------------------------------------------------------- number of parameters


def arity_messages(of: ApiClass) -> list[Message]:
    """Return the messages whose number of parameters is judged: those that follow from fields, and other getters."""
    return [m for m in of.messages.values() if (m.implicit or m.verb == "get") and m.takes_session]


def has_arity_messages(_api: Api, of: ApiClass) -> bool:
    """Whether a class has messages whose number of parameters is judged."""
    return bool(arity_messages(of))


def wrong_number_of_parameters_fails(bench: Bench, of: ApiClass) -> None:
    """Too few or too many parameters fail and change nothing; SHOULD: MESSAGE_PARAMETER_COUNT_MISMATCH.

    Source: error list. One wrong number a message and format, in turn, unless the budget is thorough.
    """
    seen: set[str] = set()
    for number, message in enumerate(arity_messages(of)):
        kind = message.verb or message.name
        if kind in seen and not bench.budget.boundaries:
            continue
        seen.add(kind)
        for at, fmt in enumerate(bench.formats):
            args, real = good_args(bench, message)
            numbers = _wrong_numbers(message, args, real=real)
            chosen = numbers if bench.budget.name == "thorough" else [numbers[(number + at) % len(numbers)]]
            with _with_code(bench, "WIRE-ARITY", message.full_name, fmt) as (judge, coded):
                before = _field(bench, message, args, fmt) if real else None
                for each in chosen:
                    _judge_number(bench, message, (fmt, each), judge, coded)
                _judge_unchanged(bench, message, (fmt, args), before, judge)


@dataclass(frozen=True, slots=True)
class Wrong:
    """Arguments of a wrong number; `sure` tells that nothing else is wrong with the call."""

    what: str
    args: tuple[Value, ...]
    session: str | Unset | None = UNSET
    sure: bool = True


def _wrong_numbers(message: Message, args: Sequence[Value], *, real: bool) -> list[Wrong]:
    sure = real and message.lifecycle.state is not State.REMOVED
    if args:
        few = Wrong("too few parameters", tuple(args[:-1]), sure=sure)
    else:
        few = Wrong("no parameters, not even a session", (), session=None, sure=False)
    if message.name == "destroy" and not real:
        return [few]
    return [Wrong("too many parameters", (*args, "extra"), sure=sure), few]


def _judge_number(bench: Bench, message: Message, call: tuple[Format, Wrong], judge: Judge, coded: Judge) -> None:
    fmt, wrong = call
    exchange = bench.call(fmt, message.full_name, *wrong.args, probe=True, session=wrong.session)
    if judge.refused(exchange, f"{message.full_name} with {wrong.what}"):
        if wrong.sure:
            coded.code(exchange, "MESSAGE_PARAMETER_COUNT_MISMATCH", message.full_name, None, None)
        else:
            coded.asserted += 1
    elif isinstance(exchange.reply.outcome, Success):
        _undo(bench, message, exchange, wrong)


def _undo(bench: Bench, message: Message, exchange: Exchange, wrong: Wrong) -> None:
    """Put right in the stock what a call did that should have failed."""
    outcome = exchange.reply.outcome
    assert isinstance(outcome, Success)
    if message.name == "create" and isinstance(outcome.value, str):
        bench.stock.remove(bench.stock.adopt(message.cls, exchange))
    elif message.name == "destroy" and wrong.args and wrong.args[0] in bench.stock.known_refs(message.cls):
        bench.stock.forget(bench.stock.object_of(message.cls, wrong.args[0]))


def _field(bench: Bench, message: Message, args: Sequence[Value], fmt: Format) -> tuple[Value] | None:
    """Return what the field shows that a message would write, in a tuple; None where there is nothing to see."""
    getter = f"get_{message.field}"
    if message.verb not in WRITING or getter not in bench.api.classes[message.cls].messages:
        return None
    outcome = bench.call(fmt, f"{message.cls}.{getter}", args[0]).reply.outcome
    return (outcome.value,) if isinstance(outcome, Success) else None


def _judge_unchanged(
    bench: Bench, message: Message, call: tuple[Format, Sequence[Value]], before: tuple[Value] | None, judge: Judge
) -> None:
    fmt, args = call
    after = _field(bench, message, args, fmt) if before is not None and not judge.failed else None
    if before is None or after is None:
        return
    of = bench.api.classes[message.cls].fields[message.field]
    if of.qualifier is not Qualifier.RUNTIME:
        judge.same(of.type, before[0], after[0])


# ------------------------------------------------------------------------------------------------ type of parameters


def typed_messages(of: ApiClass) -> list[Message]:
    """Return the implicit messages that write a value into a field."""
    return [m for m in of.messages.values() if m.implicit and m.verb in {"set", "add", "add_to"}]


def has_typed_messages(_api: Api, of: ApiClass) -> bool:
    """Whether a class has implicit messages that write a value."""
    return bool(typed_messages(of))


def wrong_type_fails(bench: Bench, of: ApiClass) -> None:
    """A value of another type fails and changes nothing; SHOULD: FIELD_TYPE_ERROR. Source: error list."""
    for message in typed_messages(of):
        for fmt in bench.formats:
            with _with_code(bench, "WIRE-TYPE", message.full_name, fmt) as (judge, coded):
                ref = bench.stock.writable(of.name).ref
                before = _field(bench, message, (ref,), fmt)
                if before is None:
                    raise Unavailable(f"{of.name}.{message.field} cannot be read; counted under GET-EVERY-FIELD")
                _judge_types(bench, message, (fmt, ref, before[0]), judge, coded)


def _judge_types(bench: Bench, message: Message, at: tuple[Format, Ref, Value], judge: Judge, coded: Judge) -> None:
    fmt, ref, before = at
    for params in _wrong_params(message, ref)[: None if bench.budget.boundaries else 2]:
        exchange = bench.call(fmt, message.full_name, probe=True, params=params)
        value = next(f"{show(v)} as {of}" for p, (of, v) in zip(message.params, params, strict=True) if of != p.type)
        if judge.refused(exchange, f"{message.full_name} of {value}"):
            coded.code(exchange, "FIELD_TYPE_ERROR")
        elif isinstance(exchange.reply.outcome, Success):
            _put_back(bench, message, at)
            return
    after = bench.call(fmt, f"{message.cls}.get_{message.field}", ref)
    outcome = after.reply.outcome
    of = bench.api.classes[message.cls].fields[message.field].type
    if isinstance(outcome, Success) and not same(of, before, outcome.value):
        judge.fail(f"{show(before)} stays after values of other types", describe(after), after)
        _put_back(bench, message, at)


def _wrong_params(message: Message, ref: Ref) -> list[list[tuple[Type, Value]]]:
    """Return parameter lists in which a single value is of another type: any after self."""
    good: list[tuple[Type, Value]] = [(RefTo(message.cls), ref)]
    good += [(p.type, _plain(p.type, ref)) for p in message.params[1:]]
    found = []
    for at in range(len(good) - 1, 0, -1):
        wrong = [
            typed for typed in wrong_typed(message.params[at].type) if not _names(message.params[at].type, typed[0])
        ]
        chosen = wrong if at == len(good) - 1 else wrong[:2]
        found += [[*good[:at], typed, *good[at + 1 :]] for typed in chosen]
    return [params for params in found if any(of != p.type for p, (of, _) in zip(message.params, params, strict=True))]


def _names(of: Type, other: Type) -> bool:
    """Whether a value is text where an enum's name belongs: names that the enum lacks are WIRE-ENUM's business."""
    match of, other:
        case (Enum(), Str()) | (SetOf(Enum()), SetOf(Str())) | (MapOf(Enum(), _), MapOf(Str(), _)):
            return True
        case _:
            return False


def _plain(of: Type, ref: Ref) -> Value:
    return ref if isinstance(of, RefTo) else tame(of, 3)


def _put_back(bench: Bench, message: Message, at: tuple[Format, Ref, Value]) -> None:
    fmt, ref, before = at
    if f"set_{message.field}" in bench.api.classes[message.cls].messages:
        bench.call(fmt, f"{message.cls}.set_{message.field}", ref, before)


CHECKS: tuple[Check, ...] = (
    Check(
        "WIRE-METHOD-UNKNOWN",
        per_class=unknown_method_fails,
        applies=has_messages,
        also=("WIRE-METHOD-UNKNOWN-CODE",),
    ),
    Check(
        "WIRE-ARITY",
        per_class=wrong_number_of_parameters_fails,
        applies=has_arity_messages,
        also=("WIRE-ARITY-CODE",),
    ),
    Check("WIRE-TYPE", per_class=wrong_type_fails, applies=has_typed_messages, also=("WIRE-TYPE-CODE",)),
)
