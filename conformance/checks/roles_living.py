"""Level 4, roles on objects that live: what `roles` asks with made-up refs is asked again of an object of our own.

A server that looks at refs first tells nothing of roles by a call with a made-up one, and one that holds a role to its
messages may do so by the object. So each role reads an object of ours and writes to it, the formats in turn: with the
value that is there where it may, with another where it may not, and then the value must be as it was.
"""

from __future__ import annotations

from collections.abc import Sequence

from xenconform.conformance.checks.aimed import Aim, aim, why_not
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, show
from xenconform.conformance.checks.logins import roles_of
from xenconform.conformance.checks.role_cells import DENIED, Cell, Row, call_as
from xenconform.conformance.checks.sessionless import can_come_and_go, is_it
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.tally import Tally, draw
from xenconform.models.api import Api, ApiClass, Message, State
from xenconform.models.calls import Breach, Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, Str
from xenconform.models.values import Value, same

VERBS = ("get", "set", "add_to")
"""Of which accessors one message each is called."""


def has_accessors(_api: Api, of: ApiClass) -> bool:
    """Whether a class has objects to read."""
    return any(m.implicit and m.verb == "get" for m in of.messages.values())


def roles_hold_for_living_objects(bench: Bench, of: ApiClass) -> None:
    """A role reads and writes a living object as is published, and what is denied is not done (SHOULD)."""
    if not bench.roles.logins:
        return  # told by the matrix
    chosen = [message for verb in VERBS for message in _chosen(bench, of, verb)]
    for number, role in enumerate(roles_of(bench.api)):
        if role not in bench.roles.logins:
            continue
        with Tally(bench, "RBAC", f"living {of.name} as {role}") as tally:
            row = Row(tally)
            for at, message in enumerate(chosen):
                fmt = bench.formats[(bench.seed + number + at) % len(bench.formats)]
                _judge(bench, Cell(message, role, fmt), row)
            row.close(bench, role)


def what_is_denied_makes_and_ends_nothing(bench: Bench, of: ApiClass) -> None:
    """What a role is denied to make is not made, what it is denied to end is not ended (SHOULD).

    One role in turn for each of the two; that the others are denied it is the matrix's.
    """
    if not bench.roles.logins:
        return  # told by the matrix
    constructor = bench.stock.constructor(of.name)
    for message in (constructor.message, of.messages[of.destructor]):
        every = [role for role in roles_of(bench.api) if role in bench.roles.logins and role not in message.roles]
        if not every or not message.roles or why_not(bench, message):
            continue
        turn = draw(bench.seed, message.full_name)
        cell = Cell(message, every[turn % len(every)], bench.formats[turn % len(bench.formats)])
        with bench.judging("RBAC", f"{message.full_name} denied to {cell.role}", cell.fmt) as judge:
            if message is constructor.message:
                _judge_unmade(bench, judge, of, cell)
            else:
                _judge_unended(bench, judge, of, cell)


def _judge_unmade(bench: Bench, judge: Judge, of: ApiClass, cell: Cell) -> None:
    constructor, given = bench.stock.constructor(of.name), bench.stock.exemplar(of.name)
    args = (given,) if constructor.record else tuple(given[each.name] for each in cell.message.params)
    before = set(bench.stock.all_refs(of.name))
    exchange = call_as(bench, cell, cell.message.full_name, Aim(args))
    new = [ref for ref in bench.stock.all_refs(of.name) if ref not in before]
    made = [ref for ref in new if is_it(bench, of, ref, given)]
    for ref in made:
        bench.stock.remove(bench.stock.adopt_ref(of.name, ref))
    _must_be_denied(exchange)
    judge.true(not made, f"no new {of.name}", f"{len(made)} made", exchange)


def _judge_unended(bench: Bench, judge: Judge, of: ApiClass, cell: Cell) -> None:
    obj = bench.stock.make(of.name)
    exchange = call_as(bench, cell, cell.message.full_name, Aim((obj.ref,), obj))
    seen = bench.call(bench.other(cell.fmt), f"{of.name}.get_record", obj.ref, probe=True)
    gone = isinstance(seen.reply.outcome, Failure)
    if gone or bench.stock.remove(obj):
        bench.stock.forget(obj)
    _must_be_denied(exchange)
    judge.true(not gone, f"{obj.ref} stays", describe(seen), exchange, seen)


def _must_be_denied(exchange: Exchange) -> None:
    outcome = exchange.reply.outcome
    if not isinstance(outcome, Failure) or outcome.code != DENIED:
        raise Unavailable(f"it is not denied: {describe(exchange)}; counted in the matrix")


def _chosen(bench: Bench, of: ApiClass, verb: str) -> Sequence[Message]:
    """Return one accessor of a verb, drawn by the seed, of a field that any plain value may be written to."""
    found = [
        m
        for m in of.messages.values()
        if m.implicit and m.verb == verb and m.roles and m.lifecycle.state is not State.REMOVED
    ]
    found = [m for m in found if not why_not(bench, m) and not bench.profile.domain(of.name, m.field).skip]
    if verb == "add_to":
        found = [m for m in found if of.fields[m.field].type == MapOf(Str(), Str())]
    # What is denied to somebody tells more.
    some = [m for m in found if set(m.roles) != set(roles_of(bench.api))] or found
    return some[draw(bench.seed, of.name, verb) % len(some) :][:1] if some else ()


def _judge(bench: Bench, cell: Cell, row: Row) -> None:
    try:
        if cell.allowed or cell.message.verb == "get":
            _judge_right(bench, cell, row)
        elif bench.api.classes[cell.message.cls].constructors:
            _judge_denied(bench, cell, row, bench.stock.own(cell.message.cls))
    except Unavailable as why:
        row.tally.skip(cell.message, str(why))
    except Unanswered as why:
        row.tally.skip(cell.message, f"{why}; counted under the clauses on fields")


def _judge_right(bench: Bench, cell: Cell, row: Row) -> None:
    """Call with nothing wrong and, where it writes, with what is there; where only the role can be in the way."""
    aimed = aim(bench, cell.message)
    if not aimed.right or cell.message.verb == "add_to":
        return
    exchange = call_as(bench, cell, cell.message.full_name, aimed)
    outcome = exchange.reply.outcome
    denied = isinstance(outcome, Failure) and outcome.code == DENIED
    if isinstance(outcome, Breach):
        row.tally.skip(cell.message, "no readable answer, counted under the wire clauses")
    elif isinstance(outcome, Success) or denied:
        row.count(cell, exchange, right=denied is not cell.allowed)


def _judge_denied(bench: Bench, cell: Cell, row: Row, obj: Obj) -> None:
    """Write what is not there yet, by both spellings of the name: it is denied, and the field stays as it was."""
    message, of = cell.message, bench.api.classes[obj.cls].fields[cell.message.field]
    getter = f"{obj.cls}.get_{of.name}"
    before, _ = bench.ask(cell.fmt, getter, obj.ref)
    args = _others(bench, message, before)
    bench.roles.forget_once(cell.role)  # What a session may is to be known at its first call.
    for name in (message.full_name, f"{obj.cls}_{message.name}"):
        exchange = call_as(bench, cell, name, Aim((obj.ref, *args), obj))
        outcome = exchange.reply.outcome
        if isinstance(outcome, Breach):
            row.tally.skip(message, "no readable answer, counted under the wire clauses")
            return
        denied = isinstance(outcome, Failure) and outcome.code == DENIED
        row.count(cell, exchange, right=denied or (name != message.full_name and isinstance(outcome, Failure)))
        after, _ = bench.ask(cell.fmt, getter, obj.ref)
        if not same(of.type, before, after):
            row.tally.finding(message, f"denied to {cell.role}, and {of.name} stays {show(before)}", exchange)
            _put_back(bench, cell.fmt, obj, message, before)


def _others(bench: Bench, message: Message, before: Value) -> tuple[Value, ...]:
    """Return arguments, the object left out, that change what is there.

    Raises:
        Unavailable: none are known.
    """
    of = bench.api.classes[message.cls].fields[message.field]
    if message.verb == "add_to":
        return ("xenconform-role", "of no role") if "xenconform-role" not in before else ()
    for value in plain_values(bench, message.cls, of, of.type, 3):
        if not same(of.type, before, value):
            return (value,)
    raise Unavailable(f"no other value of {message.cls}.{message.field} is known")


def _put_back(bench: Bench, fmt: Format, obj: Obj, message: Message, before: Value) -> None:
    """Put a field of ours back, so that the next role finds it as the first did."""
    if message.verb == "set":
        bench.call(fmt, message.full_name, obj.ref, before)
    else:
        bench.call(fmt, f"{obj.cls}.remove_from_{message.field}", obj.ref, "xenconform-role")


CHECKS: tuple[Check, ...] = (
    Check("RBAC", per_class=roles_hold_for_living_objects, applies=has_accessors),
    Check("RBAC", per_class=what_is_denied_makes_and_ends_nothing, applies=can_come_and_go),
)
