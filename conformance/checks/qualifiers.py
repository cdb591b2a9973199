"""Level 2, qualifiers: what no client may write, and accessors that do not exist.

A message that the model does not publish for a field has to fail. It is called on an object that may be written, with
a value other than the field's, and the field is read afterwards: a server that obeys is caught either way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import TypeAlias

from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, is_refusal, show, unheard
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Api, ApiClass, Field, Message, Parameter, Qualifier
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, RefTo, SetOf, Str, Type, Void, refs_in
from xenconform.models.values import Value, is_null_text, same
from xenconform.strategies.plain import tame

VERBS = ("add", "remove", "add_to", "remove_from", "set")
"""The verbs of accessors; the one that shows all by itself stands last, so that a look behind it is one at all."""
SHORT: Mapping[tuple[str, type], str] = MappingProxyType({("add", MapOf): "add_to", ("add_to", SetOf): "add"})
"""By verb and type, the verb that it may be taken for."""
LOOKS = 4
"""So many readings show that a field which the server may change itself stands still."""


def _fields(of: ApiClass, qualifier: Qualifier) -> Iterator[Field]:
    for field in of.fields.values():
        if field.qualifier is qualifier and f"get_{field.name}" in of.messages:
            yield field


def _absent(of: ApiClass, field: Field, turn: int = 0) -> Iterator[tuple[str, tuple[Parameter, ...]]]:
    """Return the accessors that the model does not publish for a field, with the parameters they would have.

    Those that could be short for another verb, or long for it, have its parameters in every other turn.
    """
    for verb in VERBS:
        if f"{verb}_{field.name}" not in of.messages:
            other = SHORT.get((verb, type(field.type)), verb)
            params = _params(other if turn % 2 else verb, field.type)
            if params:
                yield verb, params


def _params(verb: str, of: Type) -> tuple[Parameter, ...]:
    match verb, of:
        case "set", _:
            return (Parameter("value", of),)
        case (("add" | "remove"), SetOf(item)):
            return (Parameter("value", item),)
        case "add_to", MapOf(key, value):
            return (Parameter("key", key), Parameter("value", value))
        case "remove_from", MapOf(key, _):
            return (Parameter("key", key),)
        case (("add" | "remove"), MapOf(key, _)):
            return (Parameter("value", key),)
        case (("add" | "remove"), _):
            return (Parameter("value", of),)
        case "add_to", SetOf(item):
            return (Parameter("key", item), Parameter("value", item))
        case "add_to", _:
            return (Parameter("key", Str()), Parameter("value", Str()))
        case "remove_from", SetOf(item):
            return (Parameter("key", item),)
        case _:
            return (Parameter("key", Str()),)


def runtime_fields_have_no_writer(bench: Bench, of: ApiClass) -> None:
    """A RO/runtime field has no working generic writer. Source: introduction, qualifiers."""
    _no_writer(bench, of, "QUAL-RO-RUNTIME", Qualifier.RUNTIME)


def constructor_fields_have_no_generic_setter(bench: Bench, of: ApiClass) -> None:
    """A RO/constructor field has no working generic writer after the constructor. Source: introduction, qualifiers."""
    _no_writer(bench, of, "QUAL-RO-CONSTRUCTOR", Qualifier.CONSTRUCTOR)


def no_accessor_of_another_kind(bench: Bench, of: ApiClass) -> None:
    """No add_ or remove_ on what is no set, no add_to_ or remove_from_ on what is no map. Source: introduction."""
    for field in _fields(of, Qualifier.RW):
        for fmt in bench.formats:
            with bench.judging("QUAL-NO-WRONG-ACCESSOR", f"{of.name}.{field.name}", fmt) as judge:
                _all_refused(bench, judge, (of, field, fmt))
                no_task_does_it(bench, judge, (of, field, fmt), _absent(of, field))


def _no_writer(bench: Bench, of: ApiClass, clause: str, qualifier: Qualifier) -> None:
    for at, field in enumerate(_fields(of, qualifier)):
        formats = bench.formats if bench.budget.boundaries else (bench.formats[at % len(bench.formats)],)
        for fmt in formats:
            with bench.judging(clause, f"{of.name}.{field.name}", fmt) as judge:
                _all_refused(bench, judge, (of, field, fmt))
                if at % len(bench.formats) == bench.formats.index(fmt):
                    no_task_does_it(bench, judge, (of, field, fmt), _absent(of, field))


def _all_refused(bench: Bench, judge: Judge, at: tuple[ApiClass, Field, Format]) -> None:
    of, field, fmt = at
    obj = bench.stock.writable(of.name)
    read_over = bench.other(fmt)
    before = bench.call(read_over, f"{of.name}.get_{field.name}", obj.ref).reply.outcome
    refused: list[tuple[Exchange, tuple[Parameter, ...]]] = []
    shown: object = before
    for verb, params in _absent(of, field, bench.formats.index(fmt)):
        message = f"{of.name}.{verb}_{field.name}"
        args = arguments(bench, params, before.value if isinstance(before, Success) else None, verb)
        typed = [(RefTo(of.name), obj.ref), *zip((p.type for p in params), args, strict=True)]
        exchange = bench.call(fmt, message, params=typed, probe=True)
        if not judge.refused(exchange, f"{message}, which does not exist,"):
            _show_effect(bench, judge, (obj, field, read_over), before)
            if verb == "set" and isinstance(before, Success):  # Others are to see a value that the server gave.
                bench.call(fmt, message, params=[(RefTo(of.name), obj.ref), (field.type, before.value)], probe=True)
        elif (
            verb == "set"
            and not refs_in(field.type)
            and isinstance(before, Success)
            and not same(field.type, before.value, args[0])
        ):
            shown = _has_no_effect(bench, judge, (obj, field, read_over), args[0], exchange)
        if is_refusal(exchange):
            refused.append((exchange, params))
    _not_applicable(of, field)
    if judge.failed:
        return
    if field.qualifier is not Qualifier.RUNTIME:
        _none_had_an_effect(bench, judge, (obj, field, read_over), before, refused)
    elif _moved(field, before, shown):
        _do_it_again(bench, judge, (obj, field, read_over), refused)


Refused: TypeAlias = Sequence[tuple[Exchange, tuple[Parameter, ...]]]


def _none_had_an_effect(
    bench: Bench, judge: Judge, at: tuple[Obj, Field, Format], before: object, refused: Refused
) -> None:
    """The field is as it was. Of an object that is not ours one of the calls has to do it again, twice."""
    obj, field, fmt = at
    if obj.own:
        _show_effect(bench, judge, at, before, [exchange for exchange, _ in refused])
    elif _moved(field, before, bench.call(fmt, f"{obj.cls}.get_{field.name}", obj.ref).reply.outcome):
        _do_it_again(bench, judge, at, refused)


def _moved(field: Field, before: object, after: object) -> bool:
    if not isinstance(before, Success) or not isinstance(after, Success):
        return False
    return not same(field.type, before.value, after.value)


def _do_it_again(bench: Bench, judge: Judge, at: tuple[Obj, Field, Format], refused: Refused) -> None:
    """Find the refused call that changes the field, which may have been changed by others, once more and again."""
    for exchange, params in refused:
        told = [_effect(bench, at, exchange, (params, shift)) for shift in (5, 9)]
        if all(told):
            judge.fail(f"{exchange.message}, which is refused, changes nothing", str(told[-1]), exchange)


def _effect(
    bench: Bench, at: tuple[Obj, Field, Format], like: Exchange, what: tuple[tuple[Parameter, ...], int]
) -> str:
    """Make a refused call once more with other values; return what it changes of a field that stands still, or ""."""
    (obj, field, fmt), (params, shift) = at, what
    name, shown = f"{obj.cls}.get_{field.name}", []
    looks = LOOKS if field.qualifier is Qualifier.RUNTIME else 2
    for turn in range(looks + looks // 2):
        if turn == looks:
            args = arguments(bench, params, None, "", shift=shift)
            typed = [(RefTo(obj.cls), obj.ref), *zip((p.type for p in params), args, strict=True)]
            bench.call(like.format, like.message, params=typed, probe=True)
        outcome = bench.call(fmt, name, obj.ref).reply.outcome
        if not isinstance(outcome, Success):
            return ""
        shown.append(outcome.value)
    (first, *still), (last, *others) = shown[:looks], shown[looks:]
    moved = any(not same(field.type, first, each) for each in still)
    moved |= any(not same(field.type, last, each) for each in others)
    return "" if moved or same(field.type, first, last) else f"{show(first)} -> {show(last)}"


def _has_no_effect(
    bench: Bench, judge: Judge, at: tuple[Obj, Field, Format], value: Value, exchange: Exchange
) -> object:
    """A call that was refused has not written its value all the same; return what the field shows then.

    A field that the server may change itself shows a value by chance, so the same must come of other values too.
    """
    obj, field, fmt = at
    for number, again in enumerate((value, *_others(field, value), value)):
        if number:
            typed = [(RefTo(obj.cls), obj.ref), (field.type, again)]
            exchange = bench.call(exchange.format, exchange.message, params=typed, probe=True)
        for _ in range(2):
            seen = bench.call(fmt, f"{obj.cls}.get_{field.name}", obj.ref)
            outcome = seen.reply.outcome
            if not isinstance(outcome, Success) or not same(field.type, outcome.value, again):
                return outcome
    judge.fail(f"{field.name} is not what {exchange.message} was refused with", describe(seen), exchange, seen)
    return outcome


def _others(field: Field, value: Value) -> list[Value]:
    """Return two other plain values of a field, fewer where there are no more."""
    drawn = [tame(field.type, n) for n in range(4)]
    return [each for each in drawn if not same(field.type, each, value)][:2]


def _show_effect(
    bench: Bench, judge: Judge, at: tuple[Obj, Field, Format], before: object, wrote: Sequence[Exchange] = ()
) -> None:
    obj, field, fmt = at
    seen = bench.call(fmt, f"{obj.cls}.get_{field.name}", obj.ref)
    after = seen.reply.outcome
    if isinstance(before, Success) and isinstance(after, Success) and not same(field.type, before.value, after.value):
        judge.fail(f"{field.name} stays {show(before.value)}", describe(seen), *wrote, seen)


def _not_applicable(of: ApiClass, field: Field) -> None:
    if not any(True for _ in _absent(of, field)):
        raise Unavailable("every accessor of this field is published")


def arguments(bench: Bench, params: tuple[Parameter, ...], current: Value, verb: str, *, shift: int = 0) -> list[Value]:
    """Return plain arguments for an accessor, which would change the value that is there; others for each shift."""
    if verb in {"remove", "remove_from"} and current and isinstance(current, tuple | dict):
        return [next(iter(current))]
    values = []
    for at, param in enumerate(params):
        refs = {cls: [obj.ref for obj in _some(bench, cls)] for cls in refs_in(param.type)}
        if any(not found for found in refs.values()):
            values.append(_empty(param.type))
            continue
        drawn = [tame(param.type, n + at + 1 + shift, refs=refs) for n in range(2)]
        as_it_is = verb == "set" and current is not None and same(param.type, drawn[0], current)
        values.append(drawn[1] if as_it_is else drawn[0])
    return values


def _some(bench: Bench, cls: str) -> tuple[Obj, ...]:
    try:
        return bench.stock.readable(cls, 2)
    except Unavailable:
        return ()


def _empty(of: Type) -> Value:
    return () if isinstance(of, SetOf) else {} if isinstance(of, MapOf) else "OpaqueRef:NULL"


def has(qualifier: Qualifier) -> Callable[[Api, ApiClass], bool]:
    """Return a test for classes with a readable field of that qualifier."""

    def applies(_api: Api, of: ApiClass) -> bool:
        return any(True for _ in _fields(of, qualifier))

    return applies


def no_task_does_it(
    bench: Bench, judge: Judge, at: tuple[ApiClass, Field, Format], absent: Iterable[tuple[str, tuple[Parameter, ...]]]
) -> None:
    """The asynchronous form of an accessor that does not exist does nothing either.

    A server may answer with a task, which then has to fail; one that does not end has done nothing.
    """
    of, field, fmt = at
    obj = bench.stock.writable(of.name)
    natural = {"set", "add" if isinstance(field.type, SetOf) else "add_to"}
    ways = sorted(absent, key=lambda way: way[0] not in natural)
    usual = sum(verb in natural for verb, _ in ways)  # and of the others one over each format
    for verb, params in (*ways[:usual], *ways[usual:][bench.formats.index(fmt) :][:1]):
        message = Message(of.name, f"{verb}_{field.name}", params, Void(), field.lifecycle)
        args = arguments(bench, params, None, verb)
        typed = [(RefTo(of.name), obj.ref), *zip((p.type for p in params), args, strict=True)]
        call = bench.call(fmt, f"Async.{message.full_name}", params=typed, result=RefTo("task"), probe=True)
        outcome = call.reply.outcome
        if not isinstance(outcome, Success) or not isinstance(outcome.value, str) or is_null_text(outcome.value):
            continue
        with suppress(Unavailable, Unanswered):
            ended = Async(bench, unheard(fmt), fmt, message).follow(call, outcome.value)
            done = ended is not None and ended.succeeded
            judge.true(not done, f"a task of {message.full_name}, which does not exist, fails", "it succeeds", call)


CHECKS = (
    Check("QUAL-RO-RUNTIME", per_class=runtime_fields_have_no_writer, applies=has(Qualifier.RUNTIME)),
    Check(
        "QUAL-RO-CONSTRUCTOR", per_class=constructor_fields_have_no_generic_setter, applies=has(Qualifier.CONSTRUCTOR)
    ),
    Check("QUAL-NO-WRONG-ACCESSOR", per_class=no_accessor_of_another_kind, applies=has(Qualifier.RW)),
)
