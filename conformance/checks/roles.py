"""Level 4, roles: the whole matrix of messages and roles, judged without a lasting effect.

A cell is a message × a role, called over one format, which moves on from role to role. Refs are made up, so that a
call that is let through finds no object. What the answer tells:

    allowed   any answer but RBAC_PERMISSION_DENIED is right
    denied    RBAC_PERMISSION_DENIED is right and success is wrong; another error tells nothing, for a server may look
              at other things first. If the same call tells another role that it is denied, this one was let in.
              Else it is made once more with nothing else wrong with it: on an object of our own, with the value that
              is there, or with what ends and is removed anyway. What the run's own user may do then is to be denied.

A message that names no object is called where it only reads or makes something that can be removed; a denied one
also in scope all; others are told to be not called. One part is a class × role.
"""

from __future__ import annotations

from contextlib import nullcontext

from xenconform.conformance.checks.aimed import (
    ENDS_SESSIONS,
    HARMFUL,
    WAITS,
    Aim,
    blind,
    is_harmless,
    is_maker,
    undo,
    why_not,
)
from xenconform.conformance.checks.arguments import WRITING
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe
from xenconform.conformance.checks.logins import FIX, RoleSessions, roles_of
from xenconform.conformance.checks.role_cells import DENIED, Cell, Row, be_refused, call_as, is_let_in, real
from xenconform.conformance.checks.roles_tasks import judge_async
from xenconform.conformance.checks.tally import Tally, draw, sampled
from xenconform.models.api import Api, ApiClass, Message, State
from xenconform.models.calls import Breach, Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.profiles import Scope
from xenconform.models.refusals import MISSING_CODES
from xenconform.models.values import is_null_text

NO_ROLES = f"no credentials for any role: {FIX}"
UNDECIDED = "refused for another reason before the role could count"


def role_messages(of: ApiClass) -> list[Message]:
    """Return the messages of a class that a role decides about: those that take a session and are not removed."""
    left_out = ENDS_SESSIONS | WAITS
    return [
        message
        for message in of.messages.values()
        if message.takes_session and message.full_name not in left_out and message.lifecycle.state is not State.REMOVED
    ]


def has_role_messages(_api: Api, of: ApiClass) -> bool:
    """Whether a class has such messages."""
    return bool(role_messages(of))


def each_role_runs_what_is_published_for_it(bench: Bench, of: ApiClass) -> None:
    """A role runs its messages, and all others fail with RBAC_PERMISSION_DENIED. Source: class reference (SHOULD)."""
    if not bench.roles.logins:
        with bench.judging("RBAC", of.name) as judge:
            judge.untested(NO_ROLES)
        return
    messages = sampled(bench, role_messages(of))
    for number, role in enumerate(roles_of(bench.api)):
        if role not in bench.roles.logins:
            continue  # told once, for the server
        try:
            bench.roles.session(bench, role)
        except Unavailable as why:
            with bench.judging("RBAC", f"{of.name} as {role}") as judge:
                judge.untested(str(why))
            continue
        with Tally(bench, "RBAC", f"{of.name} as {role}") as tally:
            row = Row(tally)
            for place, message in enumerate(messages):
                at = (bench.seed + place + number) % len(bench.formats)
                _judge_cell(bench, Cell(message, role, bench.formats[at]), row)
            judge_async(bench, role, role_messages(of), number, row)
            row.close(bench, role)


def _judge_cell(bench: Bench, cell: Cell, row: Row) -> None:
    message, tally = cell.message, row.tally
    if not message.roles and cell.role == roles_of(bench.api)[0]:
        return  # published for no role: whether the mightiest may run it is left open
    why = why_not(bench, message) or _why_not_as(bench, cell)
    if why:
        tally.skip(message, why)
        return
    try:
        _judge_answer(bench, cell, row)
    except Unavailable as unavailable:
        tally.skip(message, str(unavailable))


def _why_not_as(bench: Bench, cell: Cell) -> str:
    """Return why a message is not called as this role, or "": a sound server may carry out what is allowed."""
    if is_harmless(bench, cell.message) or (not cell.allowed and bench.profile.scope is Scope.ALL):
        return ""
    return HARMFUL


def _judge_answer(bench: Bench, cell: Cell, row: Row) -> None:
    aimed = blind(cell.message)
    if not cell.allowed and draw(bench.seed, cell.message.full_name, cell.role) % 3 == 0:
        be_refused(bench, cell)
    exchange = call_as(bench, cell, cell.message.full_name, aimed)
    match exchange.reply.outcome:
        case Failure(code, _) if code == DENIED:
            row.count(cell, exchange, right=not cell.allowed)
        case Breach(kind, _, _):
            row.tally.skip(cell.message, f"no readable answer ({kind}), counted under the wire clauses")
        case Failure(code, _) if code in MISSING_CODES and not cell.message.implicit:
            row.tally.missing(cell.message)
        case Success() | Failure() if cell.allowed:
            row.tally.fine()
        case Success():
            row.count(cell, exchange, right=False)
        case _ if is_let_in(bench, cell, aimed):
            row.count(cell, exchange, right=False)
        case _:
            _judge_again(bench, cell, row)
    undo(bench, cell.message, aimed, exchange)


def _judge_again(bench: Bench, cell: Cell, row: Row) -> None:
    """Call what is denied with nothing else wrong, where that has no lasting effect."""
    message = cell.message
    aimed = real(bench, message)
    if aimed is None:
        row.tally.skip(message, UNDECIDED)
        return
    theirs = aimed.live is not None and not aimed.live.own and message.verb in WRITING
    with bench.restoring(aimed.live, message.field) if theirs and aimed.live else nullcontext():
        _judge_real(bench, cell, row, aimed)


def _judge_real(bench: Bench, cell: Cell, row: Row, aimed: Aim) -> None:
    message = cell.message
    be_refused(bench, cell)
    exchange = call_as(bench, cell, message.full_name, aimed)
    outcome = exchange.reply.outcome
    if isinstance(outcome, Success):
        row.count(cell, exchange, right=False)
        undo(bench, message, aimed, exchange)
    elif isinstance(outcome, Failure) and outcome.code == DENIED:
        row.count(cell, exchange, right=True)
    elif isinstance(outcome, Failure) and _works_for_us(bench, cell, aimed):
        row.count(cell, exchange, right=False)
    else:
        row.tally.skip(message, UNDECIDED)


def _works_for_us(bench: Bench, cell: Cell, aimed: Aim) -> bool:
    """Whether the run's own user may do what was refused with another error; only for what leaves nothing behind."""
    message = cell.message
    if message.name == bench.api.classes[message.cls].destructor:
        return aimed.live is not None and bench.stock.remove(aimed.live)
    if not aimed.right or (message.verb not in {*WRITING, "get"} and not is_maker(bench, message)):
        return False
    exchange = bench.call(cell.fmt, message.full_name, *aimed.args, probe=True)
    undo(bench, message, aimed, exchange)
    return isinstance(exchange.reply.outcome, Success)


# ------------------------------------------------------------------------------------------------------- the server


def each_role_may_log_in_and_out(bench: Bench) -> None:
    """The user of each role may log in and out, over some format. Source: class reference (SHOULD)."""
    for number, role in enumerate(roles_of(bench.api)):
        fmt = bench.formats[number % len(bench.formats)]
        with bench.judging("RBAC", f"server as {role}") as judge:
            _judge_login(bench, judge, bench.roles, (role, fmt))


def _judge_login(bench: Bench, judge: Judge, roles: RoleSessions, who: tuple[str, Format]) -> None:
    role, fmt = who
    login = roles.log_in(bench, fmt, role)
    outcome = login.reply.outcome
    if isinstance(outcome, Success) and not is_null_text(outcome.value):
        logout = bench.call(fmt, "session.logout", session=outcome.value)
        judge.true(not _is_denied(logout), f"{role} may log out", describe(logout), login, logout)
    elif not judge.true(not _is_denied(login), f"{role} may log in", describe(login), login):
        return
    else:
        raise Unavailable(f"the user for {role} cannot log in: {describe(login)}; check the file of --roles")


def _is_denied(exchange: Exchange) -> bool:
    outcome = exchange.reply.outcome
    return isinstance(outcome, Failure) and outcome.code == DENIED


CHECKS: tuple[Check, ...] = (
    Check("RBAC", per_server=each_role_may_log_in_and_out),
    Check("RBAC", per_class=each_role_runs_what_is_published_for_it, applies=has_role_messages),
)
