"""Arguments for messages that a check calls for another reason than what they do."""

from __future__ import annotations

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.models import types as t
from xenconform.models.api import Message
from xenconform.models.calls import Success
from xenconform.models.types import Type
from xenconform.models.values import Ref, Value
from xenconform.strategies.plain import tame

WRITING = frozenset({"set", "add", "remove", "add_to", "remove_from"})
"""The verbs of accessors that write."""


def self_ref(bench: Bench, message: Message) -> tuple[Ref, bool]:
    """Return the object that a message is called on, and whether there is one: else a made-up ref.

    Messages that write or destroy get an object that may be written.
    """
    stock = bench.stock
    try:
        if message.verb in WRITING:
            return stock.writable(message.cls).ref, True
        if message.name == "destroy" or not (message.implicit or message.verb):
            return stock.own(message.cls).ref, True
        return stock.readable(message.cls)[0].ref, True
    except Unavailable:
        return unknown_ref(), False


def good_args(bench: Bench, message: Message) -> tuple[list[Value], bool]:
    """Return valid arguments of an implicit message or accessor, and whether every object in them is there."""
    if message.name == "create" and message.implicit:
        try:
            return [bench.stock.exemplar(message.cls)], True
        except Unavailable:
            return [{}], False
    if message.name == "get_by_uuid":
        return _uuid(bench, message)
    if message.name == "get_all_records_where":
        return ["true"], True
    args: list[Value] = []
    real = True
    for at, param in enumerate(message.params):
        if at == 0 and param.type == t.RefTo(message.cls):
            ref, real = self_ref(bench, message)
            args.append(ref)
        else:
            args.append(made_up(param.type))
    return args, real


def _uuid(bench: Bench, message: Message) -> tuple[list[Value], bool]:
    try:
        ref = bench.stock.readable(message.cls)[0].ref
    except Unavailable:
        return [unknown_ref()], False
    outcome = bench.call(bench.formats[0], f"{message.cls}.get_uuid", ref).reply.outcome
    return ([outcome.value], True) if isinstance(outcome, Success) else ([unknown_ref()], False)


def made_up(of: Type) -> Value:
    """Return a plain value of a type in which every reference is made up, so that no object can be touched."""
    if isinstance(of, t.RecordOf | t.EventBatch):
        return {}
    return tame(of, 1, refs={cls: (unknown_ref(), unknown_ref()) for cls in sorted(t.refs_in(of))})
