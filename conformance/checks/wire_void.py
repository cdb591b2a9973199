"""Level 1, the empty result: what returns nothing returns the empty string."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from xenconform.conformance.checks.aimed import aim, why_not
from xenconform.conformance.checks.arguments import made_up
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Judge, Unavailable, describe
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.wire_void_explicit import explicit_calls, void_explicit
from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass, Message, State
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Ref, Value, same
from xenconform.strategies.plain import tame

CLAUSE = "WIRE-VOID"
NO_CHANGE = ("set", "remove", "remove_from")
"""The verbs of which there is a call that is sure to change nothing."""
WRITING = ("set", "add", "remove", "add_to", "remove_from")


def void_messages(of: ApiClass) -> list[Message]:
    """Return the implicit messages that write a field, of which the results are void."""
    live = (message for message in of.messages.values() if message.lifecycle.state is not State.REMOVED)
    return [message for message in live if message.verb in WRITING and message.implicit]


def has_void_messages(_api: Api, of: ApiClass) -> bool:
    """Whether a class has an implicit message that writes, or another one that returns nothing."""
    return bool(void_messages(of) or void_explicit(of) or (of.constructors and of.destructor))


def void_is_the_empty_string(bench: Bench, of: ApiClass) -> None:
    """The result of a message that returns nothing is the empty string. Source: wire protocol.

    First the messages called change nothing: a setter writes what is there, and what is removed is not there. Then, on
    objects of ours, they change something, as a server may tell what it did. Objects that are ended are made for it.
    What follows from no accessor is called on what is ours as well, a VM through its power states.
    """
    seen: set[str] = set()
    found = [each for each in void_messages(of) if each.verb in NO_CHANGE or _takes_members(bench, of, each)]
    for number, message in enumerate(found):
        shape = f"{message.verb} {of.fields[message.field].type if bench.budget.boundaries else ''}"
        first = shape not in seen
        seen.add(shape)
        for at, fmt in enumerate(bench.formats):
            # Of messages that are alike the first goes over every format, each other one over one, by turns.
            if first or (bench.budget.boundaries and (bench.seed + number + at) % len(bench.formats) == 0):
                with bench.judging(CLAUSE, message.full_name, fmt) as judge:
                    _judge_message(bench, judge, of, message)
    _explicit_setters(bench, of)
    for exchange in explicit_calls(bench, of):
        _judge_success(bench, exchange)
    _ends(bench, of)


def _judge_message(bench: Bench, judge: Judge, of: ApiClass, message: Message) -> None:
    fmt, obj = Format(judge.format), bench.stock.writable(of.name)
    removes = message.verb in {"remove", "remove_from"}
    now = None if removes else bench.ask(fmt, f"{of.name}.get_{message.field}", obj.ref)[0]
    if message.verb in NO_CHANGE:
        exchange = bench.call(fmt, message.full_name, obj.ref, _absent(message) if removes else now)
        if isinstance(exchange.reply.outcome, Failure):
            raise Unavailable(f"what changes nothing is refused: {describe(exchange)}; counted under level 2")
        _judge(bench, judge, exchange)
    if removes:
        return  # What is there is taken away where it is added.
    with bench.restoring(obj, message.field):
        for name, args in _changes(bench, of, message, now):
            exchange = bench.call(fmt, f"{of.name}.{name}", obj.ref, *args)
            if name != message.name:
                _judge_success(bench, exchange)
            elif isinstance(exchange.reply.outcome, Success):
                _judge(bench, judge, exchange)


def _takes_members(bench: Bench, of: ApiClass, message: Message) -> bool:
    """Whether a set or map takes any member of its type, and gives it back."""
    field = of.fields[message.field]
    free = bench.profile.domain(of.name, field.name).is_free and not t.refs_in(field.type)
    return free and {f"{verb}_{field.name}" for verb in _verbs(field.type)} <= of.messages.keys()


def _verbs(of: t.Type) -> tuple[str, str]:
    return ("add_to", "remove_from") if isinstance(of, t.MapOf) else ("add", "remove")


def _changes(bench: Bench, of: ApiClass, message: Message, now: Value) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Yield calls, of which those of the message change something, and in the end have nothing changed."""
    field = of.fields[message.field]
    if message.verb == "set":
        for value in (*_others(bench, of, message, now), now):
            yield message.name, (value,)
        return
    if not _takes_members(bench, of, message):
        return
    add, remove = (f"{verb}_{field.name}" for verb in _verbs(field.type))
    member = tuple(tame(p.type, 40) for p in of.messages[add].params[1:])
    if member[0] not in now:
        yield add, member
        if isinstance(field.type, t.SetOf):
            yield add, member
        yield remove, member[:1]


def _others(bench: Bench, of: ApiClass, message: Message, now: Value) -> list[Value]:
    field = of.fields[message.field]
    with suppress(Unavailable):
        return [v for v in plain_values(bench, of.name, field, field.type, 2) if not same(field.type, v, now)][:1]
    return []


def _absent(message: Message) -> Value:
    of = message.params[1].type
    return "xenconform-absent" if isinstance(of, t.Str) else made_up(of)


def _judge(bench: Bench, judge: Judge, exchange: Exchange) -> None:
    flawed = bench.flawed(CLAUSE, exchange.message, exchange.format)
    judge.true(not flawed, "the empty string", "another result", exchange)


def _explicit_setters(bench: Bench, of: ApiClass) -> None:
    """Call explicit setters of fields, over one format each, by turns."""
    found = [m for m in of.messages.values() if m.verb == "set" and not m.implicit and m.result == t.Void()]
    found = [m for m in found if f"get_{m.field}" in of.messages and m.lifecycle.state is not State.REMOVED]
    found = [m for m in found if not why_not(bench, m)]
    for at, message in enumerate(found if bench.budget.boundaries else found[:1]):
        fmt, aimed = bench.formats[(bench.seed + at) % len(bench.formats)], aim(bench, message)
        if aimed.right:
            _judge_success(bench, bench.call(fmt, message.full_name, *aimed.args, probe=True))


def _ends(bench: Bench, of: ApiClass) -> None:
    """End an object over each format."""
    message = of.messages.get(of.destructor)
    if not of.constructors or message is None or message.result != t.Void() or why_not(bench, message):
        return
    for fmt in bench.formats:
        with suppress(Unavailable):
            obj = bench.stock.make(of.name)
            exchange = bench.call(fmt, message.full_name, obj.ref)
            if isinstance(exchange.reply.outcome, Success):
                bench.stock.forget(obj)
            _judge_success(bench, exchange)


def _judge_success(bench: Bench, exchange: Exchange) -> None:
    """Judge what was carried out; what is refused, and why, is counted elsewhere."""
    flawed = bench.flawed(CLAUSE, exchange.message, exchange.format)
    if flawed or isinstance(exchange.reply.outcome, Success):
        with bench.judging(CLAUSE, exchange.message, exchange.format) as judge:
            _judge(bench, judge, exchange)


def _registering(bench: Bench, fmt: Format, session: Ref) -> None:
    """Register a session for events, and take that back: a server need not know these messages."""
    for name in ("event.register", "event.unregister"):
        message = bench.api.message(name)
        if message is not None and not why_not(bench, message):
            _judge_success(bench, bench.call(fmt, name, ("task",), session=session, probe=True))


def the_end_of_a_session_is_void(bench: Bench) -> None:
    """The result of session.logout is the empty string. Source: wire protocol."""
    for fmt in bench.formats:
        with bench.judging(CLAUSE, "session.logout", fmt) as judge:
            session = opened(bench, fmt)
            _registering(bench, fmt, session)
            exchange = bench.call(fmt, "session.logout", session=session)
            if not isinstance(exchange.reply.outcome, Success):
                raise Unavailable(f"{describe(exchange)}; counted under SESSION-LOGOUT")
            _judge(bench, judge, exchange)


CHECKS: tuple[Check, ...] = (
    Check(CLAUSE, per_class=void_is_the_empty_string, applies=has_void_messages),
    Check(CLAUSE, per_server=the_end_of_a_session_is_void),
)
