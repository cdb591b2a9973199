"""Level 4, sessions: good credentials open one, bad ones do not, nothing goes without one, an ended one is dead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from xenconform.conformance.checks.aimed import aim, blind
from xenconform.conformance.checks.arguments import WRITING, good_args, made_up
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, is_http_refusal, show
from xenconform.conformance.checks.lost import is_refused
from xenconform.conformance.checks.opening import LOGIN, log_in, opened
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.wire_calls import NIL
from xenconform.conformance.checks.wire_envelope import a_listing
from xenconform.conformance.codec import Array, Node, Param, Scalar, Struct
from xenconform.models.api import Api, ApiClass, Message, Qualifier, State
from xenconform.models.calls import Breach, Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.profiles import Scope
from xenconform.models.types import NULL_REF, Str, refs_in
from xenconform.models.values import Ref, Value, is_null_text, same

PATIENCE = 10.0
"""Seconds for a call that should be refused at once."""
KINDS = ("made up", "missing", "logged out", "null", "another kind of ref")
INVALID = "SESSION_INVALID"
"""The code of a call in what is no session."""
NO_PASSWORDS: Sequence[Node] = (Array(()), Struct(()), Scalar("boolean", "1"), Scalar("boolean", "0"), NIL)
"""What is no text, and in careless comparisons equal to one."""
NO_SESSIONS: Mapping[str, Node] = MappingProxyType(
    {
        "nothing": NIL,
        "nought": Scalar("int", "0"),
        "one": Scalar("int", "1"),
        "minus one": Scalar("int", "-1"),
        "a float": Scalar("double", "0.0"),
        "false": Scalar("boolean", "0"),
        "true": Scalar("boolean", "1"),
        "an empty array": Array(()),
        "an empty struct": Struct(()),
    }
)
"""What is no text in a session's place, by what it is: databases and languages cast and look up each anyhow."""


def credentials_decide(bench: Bench) -> None:
    """Good credentials give a session that serves, bad ones SESSION_AUTHENTICATION_FAILED. Source: error list."""
    for fmt in bench.formats:
        with bench.judging("SESSION-LOGIN", "server", fmt) as judge:
            login = log_in(bench, fmt)
            outcome = login.reply.outcome
            if isinstance(outcome, Breach):
                raise Unavailable(f"{describe(login)}; counted under the wire clauses")
            good = isinstance(outcome, Success) and not is_null_text(outcome.value)
            judge.true(good, "good credentials give a session", describe(login), login)
            if isinstance(outcome, Success) and good:
                message, _ = a_listing(bench)
                used = bench.call(fmt, message, session=outcome.value)
                serves = not is_refused(used, INVALID)
                judge.true(serves, "the new session serves", describe(used), login, used)
                bench.call(fmt, "session.logout", session=outcome.value)
            _judge_bad(bench, judge, fmt)


def _judge_bad(bench: Bench, judge: Judge, fmt: Format) -> None:
    known = bench.client.credentials
    assert known is not None
    for what, pair in _bad_pairs(known.user, known.password).items():
        if pair == (known.user, known.password):
            continue
        if known.password[:-1].casefold() in pair[1].casefold():  # else it tells nothing, and is a word of ours
            bench.client.secrets.add_password(pair[1])
        exchange = bench.call(fmt, LOGIN, *pair, known.version, known.originator, session=None)
        outcome = exchange.reply.outcome
        if isinstance(outcome, Breach) and not is_http_refusal(exchange):
            raise Unavailable(f"{describe(exchange)}; counted under the wire clauses")
        fits = isinstance(outcome, Failure) and outcome.code == "SESSION_AUTHENTICATION_FAILED"
        judge.true(fits, f"{what} fails with SESSION_AUTHENTICATION_FAILED", describe(exchange), exchange)
    for count in (2, 3):
        # Clients of every age are let in: a login of fewer parameters is to look at the password as well.
        few = (known.user, f"{known.password}-not", known.version)[:count]
        exchange = bench.call(fmt, LOGIN, *few, session=None, probe=True)
        judge.refused(exchange, f"a wrong password in a login of {count} parameters")
    for end in ("\n", *(["\0", "\0x"] if fmt is not Format.XMLRPC else [])):
        # Where a text of C ends, or a line, a password does not: what is behind it counts.
        exchange = bench.call(fmt, LOGIN, known.user, known.password + end, session=None, probe=True)
        judge.refused(exchange, f"the password with {end!r} behind it")
    for node in NO_PASSWORDS:
        said: list[Param] = [(Str(), known.user), (None, node), (Str(), known.version), (Str(), known.originator)]
        exchange = bench.call(fmt, LOGIN, params=said, session=None, probe=True)
        judge.refused(exchange, f"a password that is a {node.tag if isinstance(node, Scalar) else 'collection'}")
    again = log_in(bench, fmt)
    good = isinstance(again.reply.outcome, Success) and not is_null_text(again.reply.outcome.value)
    judge.true(good, "good credentials give a session, bad ones before or not", describe(again), again)
    if isinstance(again.reply.outcome, Success):
        bench.call(fmt, "session.logout", session=again.reply.outcome.value)


def _bad_pairs(user: str, password: str) -> dict[str, tuple[str, str]]:
    """Return users and passwords that are nearly right; text is compared exactly, so none of them will do."""
    return {
        "a wrong password": (user, f"{password}-not"),
        "an unknown user": ("xenconform-nobody", f"{password}-not"),
        "an unknown user with a password that is another's": ("xenconform-nobody", password),
        "a password in the other case": (user, password.swapcase()),
        "a password between spaces": (user, f" {password} "),
        "a password cut short": (user, password[:-1]),
        "a password that is the user's name": (user, user),
        "an empty password": (user, ""),
        "no user and no password": ("", ""),
        "no user": ("", password),
        "a user that is a pattern of a directory": (f"{user[:1]}*", password),
        "a user that is a pattern of a database": (f"{user[:1]}%", password),
        "a user with what ends a text of a database": (f"{user}' --", f"{password}-not"),
        "a password that is a condition of a database": (user, "' OR '1'='1"),
    }


def uses(bench: Bench, session: Ref) -> list[tuple[str, tuple[Value, ...]]]:
    """Return calls of many kinds that serve with a session: a reading, a setter, a task, a watch, one on a session."""
    message, _ = a_listing(bench)
    setter, ender = bench.api.message("network.set_name_description"), bench.api.message("network.destroy")
    found: list[tuple[str, tuple[Value, ...]]] = [(message, ()), ("session.get_uuid", (session,))]
    if setter is not None and ender is not None:
        found += [(setter.full_name, aim(bench, setter).args), (f"Async.{ender.full_name}", blind(ender).args)]
    if bench.api.message("event.from") is not None and "event.from" not in bench.profile.never:
        found.append(("event.from", (("session",), "", 0.0)))
    return found


def use(bench: Bench, fmt: Format, call: tuple[str, tuple[Value, ...]], session: Ref | None) -> Exchange:
    """Make one of those calls; a task that it begins is removed."""
    exchange = bench.call(fmt, call[0], *call[1], probe=True, session=session, deadline=PATIENCE)
    task = exchange.reply.outcome
    if call[0].startswith("Async.") and isinstance(task, Success) and not is_null_text(task.value):
        bench.stock.remove(bench.stock.adopt_ref("task", str(task.value)))
    return exchange


def logged_out_sessions_are_dead(bench: Bench) -> None:
    """A session that was logged out over one format is dead over all; others live on. Source: wire protocol."""
    for fmt in bench.formats:
        with bench.judging("SESSION-LOGOUT", "server", fmt) as judge:
            _judge_logout(bench, judge, fmt)


def _judge_logout(bench: Bench, judge: Judge, fmt: Format) -> None:
    older, ended, newer = (opened(bench, each) for each in (bench.other(fmt), fmt, bench.other(fmt, 2)))
    calls = uses(bench, older)
    bench.call(fmt, calls[0][0])
    mine = bench.client.session  # by name, for the bench would log in again for a call without one
    # So that whatever a server keeps by format is kept; which sessions a format serves at all is another clause's.
    live = {"an older": older, "a newer": newer, "the run's own": mine}
    first = [(over, ref) for over in bench.formats * 2 for ref in (ended, *live.values())]
    served = set(first) - {(over, ref) for over, ref in first if is_refused(use(bench, over, calls[0], ref), INVALID)}
    for call in calls:  # and what it keeps by kind of call
        use(bench, fmt, call, ended)
    out = bench.call(fmt, "session.logout", session=ended)
    judge.true(isinstance(out.reply.outcome, Success), "session.logout succeeds", describe(out), out)
    for over in bench.formats:
        for call in calls:
            judge.refused(use(bench, over, call, ended), f"{call[0]} over {over} with a session logged out over {fmt}")
        for what, session in live.items():
            if (over, session) not in served:
                continue
            lives = bench.call(over, calls[0][0], session=session)
            judge.true(
                not is_refused(lives, INVALID), f"{what} session lives on over {over}", describe(lives), out, lives
            )
    again = bench.call(fmt, "session.logout", session=ended, probe=True)
    judge.refused(again, "session.logout of a session that was logged out")
    fresh = opened(bench, fmt)
    for over in bench.formats:
        used = use(bench, over, calls[0], ended)
        judge.refused(used, f"{calls[0][0]} over {over} with a session logged out over {fmt}, after another login")
    for session in (older, newer, fresh):
        bench.call(fmt, "session.logout", session=session)


# ---------------------------------------------------------------------------------------------------- SESSION-REQUIRED


@dataclass(frozen=True, slots=True)
class Without:
    """A call without a valid session; `sure` tells that nothing else is wrong with it."""

    kind: str
    session: str | None
    args: tuple[Value, ...]
    sure: bool


def takes_sessions(_api: Api, of: ApiClass) -> bool:
    """Whether a class has messages that take a session."""
    return any(message.takes_session for message in of.messages.values())


def no_session_no_service(bench: Bench, of: ApiClass) -> None:
    """Every message that takes a session fails with SESSION_INVALID without a valid one, and has no effect.

    Source: error list. Two kinds of bad session a message and format, in turn; all where the budget is thorough.
    Messages that do more than read or write a field are called with made-up references alone.
    """
    sessions = bad_sessions(bench)
    seen: set[str] = set()
    for number, message in enumerate(m for m in of.messages.values() if m.takes_session):
        shape = message.verb or message.name
        if not bench.budget.boundaries and message.implicit and shape in seen:
            continue
        seen.add(shape)
        for at, fmt in enumerate(bench.formats):
            # Two of them, so that over three formats all five have come, whatever a message forgets to look at.
            turns = [(number + 2 * at + each) % len(KINDS) for each in range(2 if bench.budget.boundaries else 1)]
            kinds = KINDS if bench.budget.name == "thorough" else tuple(KINDS[turn] for turn in turns)
            with bench.judging("SESSION-REQUIRED", message.full_name, fmt) as judge:
                for kind in kinds:
                    args, real = _args(bench, message)
                    _judge_without(bench, message, fmt, judge, Without(kind, sessions[kind], tuple(args), sure=real))


def bad_sessions(bench: Bench) -> dict[str, str | None]:
    """Return what stands in a session's place, by its kind; None for nothing at all."""
    try:
        ended = opened(bench, bench.formats[0])
        bench.call(bench.formats[0], "session.logout", session=ended)
    except Unavailable:
        ended = unknown_ref()
    try:
        other = a_listing(bench)[1][0]
    except Unavailable:
        other = unknown_ref()
    return dict(zip(KINDS, (unknown_ref(), None, ended, NULL_REF, other), strict=True))


def _args(bench: Bench, message: Message) -> tuple[Sequence[Value], bool]:
    """Return the arguments, and whether the call would be right with a session.

    Raises:
        Unavailable: the message could do harm where a server did not ask for a session.
    """
    if (message.implicit and message.name != "destroy") or message.verb:
        args, real = good_args(bench, message)
        return args, real and message.lifecycle.state is not State.REMOVED
    if not any(refs_in(param.type) for param in message.params) and bench.profile.scope is not Scope.ALL:
        raise Unavailable(f"{message.full_name} names no object that could be made up, so it is not called")
    return [made_up(param.type) for param in message.params], False


def _judge_without(bench: Bench, message: Message, fmt: Format, judge: Judge, call: Without) -> None:
    getter = f"{message.cls}.get_{message.field}"
    watched = call.sure and message.verb in WRITING and bench.api.message(getter) is not None
    before = bench.call(fmt, getter, call.args[0]) if watched else None
    exchange = bench.call(fmt, message.full_name, *call.args, probe=True, session=call.session, deadline=PATIENCE)
    if not judge.refused(exchange, f"{message.full_name} with a session that is {call.kind}"):
        _undo(bench, message, exchange)
        return
    outcome = exchange.reply.outcome
    if call.sure and call.kind != "missing" and isinstance(outcome, Failure):
        fits = outcome.code in {"SESSION_INVALID", "MESSAGE_METHOD_UNKNOWN"}
        judge.true(fits, f"SESSION_INVALID for a session that is {call.kind}", describe(exchange), exchange)
    if before is not None:
        _judge_no_effect(bench, message, judge, before, exchange)


def _judge_no_effect(bench: Bench, message: Message, judge: Judge, before: Exchange, exchange: Exchange) -> None:
    field = bench.api.classes[message.cls].fields[message.field]
    after = bench.call(before.format, before.message, *before.args)
    was, now = before.reply.outcome, after.reply.outcome
    if field.qualifier is Qualifier.RUNTIME or not isinstance(was, Success) or not isinstance(now, Success):
        return
    if not same(field.type, was.value, now.value):
        judge.fail(f"{show(was.value)} stays", show(now.value), exchange, after)


def _undo(bench: Bench, message: Message, exchange: Exchange) -> None:
    """Take an object that was made without a session into the stock, so that it is removed."""
    made = exchange.reply.outcome
    if message.name == "create" and message.implicit and isinstance(made, Success) and isinstance(made.value, str):
        bench.stock.remove(bench.stock.adopt_ref(message.cls, made.value))


CHECKS: tuple[Check, ...] = (
    Check("SESSION-LOGIN", per_server=credentials_decide),
    Check("SESSION-REQUIRED", per_class=no_session_no_service, applies=takes_sessions),
    Check("SESSION-LOGOUT", per_server=logged_out_sessions_are_dead),
)
