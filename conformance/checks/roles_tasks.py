"""Roles and tasks: what a role may not call it may not begin as a task either.

The call may be refused at once, or its task fails for the role.
"""

from __future__ import annotations

from collections.abc import Sequence

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.aimed import blind, is_maker, names_objects, why_not
from xenconform.conformance.checks.awaiting import UNDER_WAY
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unavailable, result_of
from xenconform.conformance.checks.role_cells import DENIED, Cell, Row, call_as, real
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.tally import draw
from xenconform.conformance.codec import decode_xml_value
from xenconform.models.api import Message
from xenconform.models.calls import Failure, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import is_null_text

MOST, PAUSE = 1.0, 0.02
"""Seconds for a task that was begun for a role, and between two looks at it."""


def judge_async(bench: Bench, role: str, messages: Sequence[Message], number: int, row: Row) -> None:
    """Judge the asynchronous form of one message that is published for the role, and of some that are not.

    Of those that are not these are taken by which it can be seen that they were let through: the end of an object of
    our own, the making of one, and a setter with the value that is there; of the rest one.
    """
    destructor = bench.api.classes[messages[0].cls].destructor
    for allowed in (True, False):
        found = [m for m in messages if (role in m.roles) is allowed and m.roles and not why_not(bench, m)]
        plain = [message for message in found if _may_wait(message, destructor)]
        start = draw(bench.seed, role, allowed)
        seen = () if allowed else (
            *(message for message in plain if message.name == destructor),
            *[message for message in found if is_maker(bench, message)][:1],
            *_turned([message for message in plain if message.verb == "set"], start)[:1],
        )  # fmt: skip
        for message in seen or _turned(plain, start)[:1]:
            at = draw(bench.seed, message.cls, number, allowed) % len(bench.formats)
            cell = Cell(message, role, bench.formats[at])
            try:
                _begin(bench, cell, row, good=bool(seen))
            except Unavailable:
                continue  # no object to end; the plain form tells why


def _turned(messages: Sequence[Message], start: int) -> Sequence[Message]:
    at = start % max(1, len(messages))
    return (*messages[at:], *messages[:at])


def _may_wait(message: Message, destructor: str) -> bool:
    return names_objects(message) and message.verb != "get" and (not message.implicit or message.name == destructor)


def _begin(bench: Bench, cell: Cell, row: Row, *, good: bool) -> None:
    aimed = (real(bench, cell.message) if good else None) or blind(cell.message)
    exchange = call_as(bench, cell, f"Async.{cell.message.full_name}", aimed)
    outcome = exchange.reply.outcome
    if isinstance(outcome, Failure) and outcome.code == DENIED:
        row.count(cell, exchange, right=not cell.allowed)
    elif isinstance(outcome, Success) and isinstance(outcome.value, str) and not is_null_text(outcome.value):
        _judge_task(bench, cell, row, exchange)
    ends = cell.message.name == bench.api.classes[cell.message.cls].destructor
    if ends and aimed.live is not None and bench.stock.remove(aimed.live):
        bench.stock.forget(aimed.live)


def _judge_task(bench: Bench, cell: Cell, row: Row, begun: Exchange) -> None:
    """Judge a task that a role was let begin: it may fail for the role as the plain form does."""
    task = bench.stock.adopt_ref("task", result_of(begun))
    try:
        reading = _ended(bench, cell, task)
        if reading is None:
            return
        record = result_of(reading)
        denied = DENIED in record.get("error_info", ())
        if denied or (record.get("status") == "success" and not cell.allowed):
            row.count(cell, reading, right=denied and not cell.allowed)
        if record.get("status") == "success" and is_maker(bench, cell.message):
            made = decode_xml_value(str(record["result"]), cell.message.result, bench.api).outcome
            if isinstance(made, Success) and isinstance(made.value, str) and not is_null_text(made.value):
                bench.stock.remove(bench.stock.adopt_ref(cell.message.cls, made.value))
    finally:
        bench.stock.remove(task)


def _ended(bench: Bench, cell: Cell, task: Obj) -> Exchange | None:
    """Return the reading that shows a task ended, None where it does not end in `MOST` seconds."""
    until = nature.now() + MOST
    while True:
        reading = bench.call(cell.fmt, "task.get_record", task.ref)
        if not isinstance(reading.reply.outcome, Success):
            return None
        if result_of(reading).get("status") not in UNDER_WAY:
            return reading
        if nature.over(until):
            return None
        nature.pause(PAUSE)
