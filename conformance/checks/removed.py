"""Level 3, messages that the server's release no longer has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from xenconform.conformance.checks.arguments import made_up
from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, unheard
from xenconform.models.api import Api, ApiClass, Message, Parameter, State
from xenconform.models.calls import Format
from xenconform.models.types import NULL_REF, RefTo
from xenconform.models.values import Value


def removed(of: ApiClass) -> Iterator[Message]:
    """Return the explicit messages of a class that are removed; implicit ones live as long as their fields."""
    for message in of.messages.values():
        if message.lifecycle.state is State.REMOVED and not message.implicit:
            yield message


def has_removed(_api: Api, of: ApiClass) -> bool:
    """Whether a message of the class is removed."""
    return any(True for _ in removed(of))


def removed_messages_say_so(bench: Bench, of: ApiClass) -> None:
    """A message removed in the server's release fails with MESSAGE_REMOVED. Source: error list (SHOULD)."""
    for message in removed(of):
        for fmt in bench.formats:
            with bench.judging("MESSAGE-REMOVED", message.full_name, fmt) as judge:
                args = [_argument(bench, of, at, param) for at, param in enumerate(message.params)]
                judge.code(bench.call(fmt, message.full_name, *args, probe=True), "MESSAGE_REMOVED")
                if fmt in in_turn(bench, of):
                    _no_task_does_it(bench, judge, (message, fmt), args)


def _no_task_does_it(bench: Bench, judge: Judge, at: tuple[Message, Format], args: Sequence[Value]) -> None:
    """The asynchronous form is refused, or its task fails; one that does not end has done nothing."""
    message, fmt = at
    with suppress(Unavailable, Unanswered):
        ended = Async(bench, unheard(fmt), fmt, message).run(*args)
        done = ended is not None and ended.succeeded
        judge.true(not done, f"a task of {message.full_name}, which is removed, fails", "it succeeds")


def _argument(bench: Bench, of: ApiClass, at: int, param: Parameter) -> Value:
    """Return a good value of a parameter: an object that may be written as the first, any that is there elsewhere."""
    if not isinstance(param.type, RefTo):
        return made_up(param.type)
    if at == 0 and param.type.cls == of.name:
        return bench.stock.writable(of.name).ref
    try:
        return bench.stock.readable(param.type.cls)[0].ref
    except Unavailable:
        return NULL_REF


CHECKS = (Check("MESSAGE-REMOVED", per_class=removed_messages_say_so, applies=has_removed),)
