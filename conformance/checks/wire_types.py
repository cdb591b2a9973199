"""Level 1, parameters of another type: refused wherever they stand and whatever the message, and nothing changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self, TypeAlias

from xenconform.conformance.checks.arguments import good_args
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, is_http_refusal, show
from xenconform.conformance.checks.lost import is_refused
from xenconform.conformance.checks.wire_calls import NIL, field_shown, with_code
from xenconform.conformance.codec import Array, Node, Param, Scalar, Struct, plain
from xenconform.models.api import Api, ApiClass, Message
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import (
    INT_MAX,
    INT_MIN,
    Bool,
    DateTime,
    Enum,
    Float,
    Int,
    MapOf,
    Option,
    RefTo,
    SetOf,
    Str,
    Type,
    refs_in,
)
from xenconform.models.values import Ref, Value, same
from xenconform.strategies.plain import tame
from xenconform.strategies.wrong import is_a_name, wrong_typed

At: TypeAlias = tuple[Format, Ref, Value]
"""A format, the object that is written, and what its field showed."""
_NO_BOOLS = (
    (Scalar("int", "2"), Scalar("int", "-1")),
    tuple(Scalar("boolean", text) for text in ("2", "-1", "10", "", "yes")),
)
"""What is no boolean in JSON and in XML-RPC, though it has a boolean's form or is a number that is not 0."""
_BYTES = Scalar("base64", "eGMx")
"""Bytes, which are no text, though these are those of one; JSON has no such type."""
LOOKING = ("get_by_uuid", "get_by_name_label", "get_record")
"""Messages that write nothing, and yet act on whatever they take their parameter for."""


def typed_messages(of: ApiClass) -> list[Message]:
    """Return the implicit messages that write a value into a field."""
    return [m for m in of.messages.values() if m.implicit and m.verb in {"set", "add", "add_to"}]


def asking_messages(of: ApiClass) -> list[Message]:
    """Return the messages that look something up or take it away, one of a kind."""
    found = {m.name: m for m in of.messages.values() if m.implicit and m.name in LOOKING}
    for m in of.messages.values():
        removes = m.verb in {"remove", "remove_from"} and not refs_in(m.params[1].type)
        if m.implicit and (removes or m.verb == "get"):
            found.setdefault(m.verb, m)
    return list(found.values())


def has_typed_messages(_api: Api, of: ApiClass) -> bool:
    """Whether a class has messages of which the types of parameters are judged."""
    return bool(typed_messages(of) or asking_messages(of))


def wrong_type_fails(bench: Bench, of: ApiClass) -> None:
    """A value of another type fails and changes nothing; SHOULD: FIELD_TYPE_ERROR. Source: error list."""
    for message in typed_messages(of):
        with _Filled(bench, message) as filled:
            for fmt in bench.formats:
                with with_code(bench, "WIRE-TYPE", message.full_name, fmt) as (judge, coded):
                    ref = bench.stock.writable(of.name).ref
                    before = filled.shown(fmt, ref)
                    wrong = _wrong_params(message, (fmt, ref))
                    _judge_types(bench, (message, wrong), (fmt, ref, before), judge, coded)
    for message in asking_messages(of):
        for fmt in bench.formats:
            with with_code(bench, "WIRE-TYPE", message.full_name, fmt) as (judge, coded):
                args, _ = good_args(bench, message)
                _judge_asking(bench, message, (fmt, args), judge, coded)


@dataclass(slots=True)
class _Filled:
    """A field that a message writes: a set or map that is empty has a member for as long, so that a loss is seen.

    Nobody finds it there afterwards: it may mean something, as operations do that are blocked.
    """

    bench: Bench
    message: Message
    was: tuple[Ref, Value] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.was is not None:
            with suppress(Unavailable):
                self.bench.call(self.bench.formats[0], self.message.full_name, *self.was)

    def shown(self, fmt: Format, ref: Ref) -> Value:
        """Return what the field shows.

        Raises:
            Unavailable: it cannot be read.
        """
        bench, message = self.bench, self.message
        shown = field_shown(bench, message, (ref,), fmt)
        if shown is None:
            raise Unavailable(f"{message.cls}.{message.field} cannot be read; counted under GET-EVERY-FIELD")
        of = bench.api.classes[message.cls].fields[message.field].type
        if shown[0] or message.verb != "set" or not isinstance(of, SetOf | MapOf) or refs_in(of) or self.was:
            return shown[0]
        self.was = (ref, shown[0])
        bench.call(fmt, message.full_name, ref, tame(of, 5))
        return (field_shown(bench, message, (ref,), fmt) or shown)[0]


def _judge_types(bench: Bench, call: tuple[Message, list[list[Param]]], at: At, judge: Judge, coded: Judge) -> None:
    (message, wrong), (fmt, ref, before) = call, at
    for params in wrong[: None if bench.budget.boundaries else 2]:
        if not _judge_one(bench, (message, fmt), params, judge, coded):
            _put_back(bench, message, at)
            return
    after = bench.call(fmt, f"{message.cls}.get_{message.field}", ref)
    outcome = after.reply.outcome
    of = bench.api.classes[message.cls].fields[message.field].type
    if isinstance(outcome, Success) and not same(of, before, outcome.value):
        judge.fail(f"{show(before)} stays after values of other types", describe(after), after)
        _put_back(bench, message, at)


def _judge_one(bench: Bench, call: tuple[Message, Format], params: list[Param], judge: Judge, coded: Judge) -> bool:
    """Send parameters of which one is of another type; return whether the call did not succeed."""
    message, fmt = call
    exchange = bench.call(fmt, message.full_name, probe=True, params=params)
    value = next(_told(*typed) for p, typed in zip(message.params, params, strict=True) if typed[0] != p.type)
    if judge.refused(exchange, f"{message.full_name} of {value}"):
        if _may_be_called_otherwise(bench, message, params, exchange):
            coded.asserted += 1
        else:
            coded.code(exchange, "FIELD_TYPE_ERROR")
        return True
    return not isinstance(exchange.reply.outcome, Success)


def _may_be_called_otherwise(bench: Bench, message: Message, params: list[Param], exchange: Exchange) -> bool:
    """Whether a server may refuse a parameter of another type by another code than the one of types.

    What is no ref or uuid may as well be called a bad one. Where no object is to be had the call is about none, which
    a server may see first. Bytes are no type of the API's, and a boolean of other digits is none of XML-RPC's: a
    library may refuse the document.
    """
    (first, ref), names = params[0], message.verb == "get" or message.name in {"get_record", "get_by_uuid"}
    return (
        names
        or first != message.params[0].type
        or (is_http_refusal(exchange) and any(value in (_BYTES, *_NO_BOOLS[True]) for _, value in params))
        or (is_refused(exchange, "HANDLE_INVALID") and ref not in bench.stock.all_refs(message.cls))
    )


def _told(of: Type | None, value: Value) -> str:
    return f"{show(plain(value))} as it stands" if of is None else f"{show(value)} as {of}"


def _wrong_params(message: Message, at_: tuple[Format, Ref]) -> list[list[Param]]:
    """Return parameter lists in which a single value is of another type."""
    fmt, ref = at_
    good: list[Param] = [(RefTo(message.cls), ref)]
    good += [(p.type, _plain(p.type, ref)) for p in message.params[1:]]
    found: list[list[Param]] = []
    for at in range(len(good) - 1, 0, -1):
        of = message.params[at].type
        wrong: list[Param] = [typed for typed in wrong_typed(of) if not is_a_name(of, typed[0])]
        wrong += [(None, node) for node in _NO_BOOLS[fmt is Format.XMLRPC] if of == Bool()]
        wrong += [(None, _BYTES)] if (fmt, of, message.verb) == (Format.XMLRPC, Str(), "set") else []
        chosen = [*wrong, *odd_nodes(of)] if at == len(good) - 1 else wrong[:2]
        found += [[*good[:at], typed, *good[at + 1 :]] for typed in chosen]
    # A server may unwrap what stands for an object, too: an array or a struct of its ref is none.
    inside = Scalar("string", ref)
    found += [[(None, node), *good[1:]] for node in (Array((inside,)), Struct((("ref", inside),)))]
    return [params for params in found if any(of != p.type for p, (of, _) in zip(message.params, params, strict=True))]


def odd_nodes(of: Type) -> Iterator[Param]:
    """Yield what no type of the API writes: null, and members of which the second alone is of another type."""
    if not refs_in(of) and not isinstance(of, Option):
        yield None, NIL
    match of:
        case SetOf(item) if (pair := _good_and_bad(item)) is not None:
            yield None, Array(pair)
            yield None, Array((pair[0], NIL))
        case Int():
            # As text they are among the values of other types; read as the format's own they may wrap around.
            yield from ((None, Scalar("int", str(number))) for number in (INT_MAX + 1, INT_MIN - 1, 2**64 + 5))
        case Enum() | Str():
            yield None, Scalar("int", "1")  # in the format's own form: written as the API does it would be text
        case MapOf(Str(), item) if (pair := _good_and_bad(item)) is not None:
            yield None, Struct(tuple(zip(("xc1", "xc2"), pair, strict=True)))
            yield None, Struct((("xc1", pair[0]), ("xc2", NIL)))


def _good_and_bad(of: Type) -> tuple[Node, Node] | None:
    """Return nodes of a value of a type and of none; None for types of which it takes too much to write one."""
    yes, no = Scalar("boolean", "1"), Scalar("string", "nine")
    match of:
        case Str():
            return Scalar("string", "xc1"), yes
        case Enum(_, names) if names:
            return Scalar("string", names[0]), yes
        case Int():
            return Scalar("string", "1"), no
        case Float():
            return Scalar("double", "0.5"), no
        case Bool():
            return yes, no
        case DateTime():
            return Scalar("dateTime.iso8601", "20240101T12:00:00Z"), no
        case _:
            return None


def _plain(of: Type, ref: Ref) -> Value:
    return ref if isinstance(of, RefTo) else tame(of, 3)


def _put_back(bench: Bench, message: Message, at: At) -> None:
    fmt, ref, before = at
    if f"set_{message.field}" in bench.api.classes[message.cls].messages:
        bench.call(fmt, f"{message.cls}.set_{message.field}", ref, before)


def _judge_asking(
    bench: Bench, message: Message, call: tuple[Format, Sequence[Value]], judge: Judge, coded: Judge
) -> None:
    """Judge other types of the last parameter: above all the right value in an array of its own."""
    fmt, args = call
    of = message.params[-1].type
    good: list[Param] = [(p.type, value) for p, value in zip(message.params, args, strict=True)]
    text = Scalar("string", args[-1]) if isinstance(args[-1], str) else Scalar("int", str(args[-1]))
    wrong: list[Param] = [(Bool(), True), (None, Array((text,)))]
    wrong += [(Float(), 1.5)] if isinstance(of, Str) else []
    wrong += [] if refs_in(of) else [(None, NIL)]
    for typed in wrong:
        if (typed[0], of) != (Bool(), Bool()):
            _judge_one(bench, (message, fmt), [*good[:-1], typed], judge, coded)


CHECKS: tuple[Check, ...] = (
    Check("WIRE-TYPE", per_class=wrong_type_fails, applies=has_typed_messages, also=("WIRE-TYPE-CODE",)),
)
