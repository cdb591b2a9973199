"""Level 1, the empty result: what returns nothing returns the empty string."""

from __future__ import annotations

from contextlib import suppress

from xenconform.conformance.checks.aimed import aim, why_not
from xenconform.conformance.checks.arguments import made_up
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe
from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass, Message, State
from xenconform.models.calls import Failure, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Value

CLAUSE = "WIRE-VOID"


def void_messages(of: ApiClass) -> list[Message]:
    """Return one message for each way of writing a field, results of which are void."""
    found: dict[str, Message] = {}
    for message in of.messages.values():
        if message.verb in {"set", "remove", "remove_from"} and message.implicit:
            found.setdefault(message.verb, message)
    return list(found.values())


def has_void_messages(_api: Api, of: ApiClass) -> bool:
    """Whether a class has an implicit message that writes."""
    return bool(void_messages(of))


def void_is_the_empty_string(bench: Bench, of: ApiClass) -> None:
    """The result of a message that returns nothing is the empty string. Source: wire protocol.

    The messages called change nothing: a setter writes what is there, and what is removed is not there. Objects that
    are ended are made for it.
    """
    for message in void_messages(of):
        for fmt in bench.formats:
            with bench.judging(CLAUSE, message.full_name, fmt) as judge:
                obj = bench.stock.writable(of.name)
                now, _ = bench.ask(fmt, f"{of.name}.get_{message.field}", obj.ref)
                arg = now if message.verb == "set" else _absent(message)
                exchange = bench.call(fmt, message.full_name, obj.ref, arg)
                if isinstance(exchange.reply.outcome, Failure):
                    raise Unavailable(f"what changes nothing is refused: {describe(exchange)}; counted under level 2")
                _judge(bench, judge, exchange)
    _explicit_setters(bench, of)
    _ends(bench, of)


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


CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_class=void_is_the_empty_string, applies=has_void_messages),)
