"""Level 4, the messages that are about sessions, called without one: they take a session as any other does.

To end a session, to look at one and to write to one are calls in a session themselves, and so is a watch. What ends a
session ends the one that it is called in: where that is none there is nothing to end, and the call fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.hostile_scene import timed_out
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, show, unheard
from xenconform.conformance.checks.lost import is_refused
from xenconform.conformance.checks.opening import LOGIN, opened
from xenconform.conformance.checks.sessionless import CLAUSE, NEARLY, nearly
from xenconform.conformance.checks.sessions import INVALID, KINDS, PATIENCE, bad_sessions, use, uses
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.tasks import something
from xenconform.conformance.checks.watch import FROM, SLACK, Watch
from xenconform.conformance.checks.watching import MOMENT
from xenconform.conformance.checks.watching_server import sibling
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, RefTo, Str
from xenconform.models.values import Ref, Value

Called = tuple[str, tuple[Value, ...]]
LOGOUT = "session.logout"
WAITED = 0.3
"""Seconds for which a call waits that a logout overtakes."""
PAIR = "xenconform", "without a session"


def sessions_are_ended_and_seen_in_one(bench: Bench) -> None:
    """What is about sessions fails without a valid one, and no session is ended or written so. Source: error list.

    A logout is tried with whatever is in a session's place over each format, the other messages in turn.
    """
    living = ""
    for at, fmt in enumerate(bench.formats):
        with bench.judging(CLAUSE, "server, messages of sessions", fmt) as judge:
            living = living or opened(bench, bench.formats[0])
            bad = {**bad_sessions(bench), **nearly(bench, living)}
            for kind, session in bad.items():
                _judge_refused(bench, judge, fmt, (LOGOUT, ()), (kind, session))
            kinds = list(bad.items())
            for number, call in enumerate(_others(bench, living)):
                if (number + at) % len(bench.formats) == 0:
                    _judge_refused(bench, judge, fmt, call, kinds[(bench.seed + number + at) % len(kinds)])
            _judge_living(bench, judge, fmt, living)
            for kind in NEARLY:
                bench.client.secrets.end_session(bad.get(kind) or "")
    if living:
        bench.call(bench.formats[0], LOGOUT, session=living)


def _others(bench: Bench, living: Ref) -> Iterator[Called]:
    """Return calls that are about a session that lives, or of a kind that has an entrance of its own."""
    yield from uses(bench, living)
    given: Mapping[object, tuple[Value, ...]] = {
        (): (),
        (Str(), Str()): PAIR,
        (Str(),): PAIR[:1],
        (MapOf(Str(), Str()),): (dict([PAIR]),),
    }
    of = bench.api.classes["session"]
    for message in of.messages.values():
        rest = tuple(param.type for param in message.params[1:])
        about = message.implicit and message.takes_session and message.params[0].type == RefTo("session")
        if about and rest in given and message.full_name not in bench.profile.never:
            yield message.full_name, (living, *given[rest])


def _judge_refused(bench: Bench, judge: Judge, fmt: Format, call: Called, bad: tuple[str, str | None]) -> None:
    kind, session = bad
    exchange = use(bench, fmt, call, session)
    told = judge.refused(exchange, f"{call[0]} with a session that is {kind}")
    outcome = exchange.reply.outcome
    if told and call[0] == LOGOUT and kind in KINDS and kind != "missing" and isinstance(outcome, Failure):
        fits = outcome.code == INVALID
        judge.true(fits, f"{INVALID} for a session that is {kind}", describe(exchange), exchange)


def _judge_living(bench: Bench, judge: Judge, fmt: Format, living: Ref) -> None:
    """The session that lives goes on, and has nothing of what was to be written to it."""
    getter = next(name for name in ("get_other_config", "get_uuid") if name in bench.api.classes["session"].messages)
    seen = bench.call(fmt, f"session.{getter}", living, session=living, probe=True)
    judge.true(not is_refused(seen, INVALID), "a session that lives goes on", describe(seen), seen)
    outcome = seen.reply.outcome
    if isinstance(outcome, Success) and isinstance(outcome.value, dict):
        judge.true(PAIR[0] not in outcome.value, f"no {PAIR[0]!r} in its other_config", show(outcome.value), seen)


# -------------------------------------------------------------------------------------------------------- what waits


def what_waits_keeps_no_session(bench: Bench) -> None:
    """A session that is logged out while a call waits in it is dead once that has ended. Source: wire protocol."""
    if bench.api.message(FROM) is None or FROM in bench.profile.never:
        return
    for fmt in bench.formats:
        with bench.judging("SESSION-LOGOUT", "server, while a call waits", fmt) as judge:
            obj, session = something(bench), opened(bench, fmt)
            try:
                _judge_waiting(bench, judge, obj, session)
            finally:
                bench.stock.remove(obj)


def _judge_waiting(bench: Bench, judge: Judge, obj: Obj, session: Ref) -> None:
    fmt, heard = Format(judge.format), list[Exchange]()
    watch = Watch(bench, unheard(fmt), fmt, (f"{obj.cls}/{obj.ref}",), session=session)
    try:
        watch.read(MOMENT)
    except Unanswered as why:
        raise Unavailable(f"{why}; counted under EVENT-FROM") from why
    args = (watch.wanted, watch.token, WAITED)
    with sibling(bench, heard) as waiting, ThreadPoolExecutor(1) as pool:
        later = pool.submit(waiting.call, fmt, FROM, args, session=session, deadline=WAITED + SLACK)
        use(bench, fmt, uses(bench, session)[0], session)
        bench.call(fmt, LOGOUT, session=session, probe=True)
        later.result()
    for over in bench.formats:
        dead = use(bench, over, uses(bench, session)[0], session)
        what = f"{dead.message} over {over} with a session logged out while {FROM} waited in it"
        judge.refused(dead, what)


# ---------------------------------------------------------------------------------------------------- who is registered


def who_registered_is_logged_out_too(bench: Bench) -> None:
    """A session that has registered for events is dead for these messages too once it ended. Source: wire protocol."""
    calls: tuple[Called, ...] = (
        ("event.next", ()), ("event.get_current_id", ()), ("event.register", (("task",),)),
        ("event.unregister", (("task",),)),
    )  # fmt: skip
    known = [call for call in calls if bench.api.message(call[0]) and call[0] not in bench.profile.never]
    for fmt in bench.formats if len(known) == len(calls) else ():
        with bench.judging("SESSION-LOGOUT", "server, registered for events", fmt) as judge:
            session = opened(bench, fmt)
            for name, args in calls[:0:-1]:
                bench.call(fmt, name, *args, session=session, probe=True)
            bench.call(fmt, "event.register", ("task",), session=session, probe=True)
            bench.call(fmt, LOGOUT, session=session, probe=True)
            for name, args in calls:
                dead = bench.call(fmt, name, *args, session=session, probe=True, deadline=PATIENCE)
                what = f"{name} with a session that registered and was logged out"
                if judge.true(not timed_out(dead), f"{what} fails at once", describe(dead), dead):
                    judge.refused(dead, what)


# ------------------------------------------------------------------------------------------------------- other logins


def other_logins_ask_for_the_password(bench: Bench) -> None:
    """No other message that opens a session does so with bad credentials. Source: error list."""
    credentials = bench.client.credentials
    doors = [m for m in bench.api.classes["session"].messages.values() if m.result == RefTo("session")]
    doors = [m for m in doors if not m.takes_session and m.full_name not in {LOGIN, *bench.profile.never}]
    doors = [m for m in doors if all(param.type == Str() for param in m.params)]
    if credentials is None or not doors:
        return
    for fmt in bench.formats:
        with bench.judging("SESSION-LOGIN", "server, other logins", fmt) as judge:
            for message in doors:
                for bad in (f"{credentials.password}-not", "", "xenconform"):
                    if bad == credentials.password:
                        continue
                    if credentials.password in bad:  # to hide a plain word of ours would hide it wherever it is
                        bench.client.secrets.add_password(bad)
                    args = (credentials.user, bad, *("",) * len(message.params))[: len(message.params)]
                    exchange = bench.call(fmt, message.full_name, *args, session=None, probe=True)
                    opens = exchange.reply.outcome
                    judge.refused(exchange, f"{message.full_name} with a bad password")
                    if isinstance(opens, Success):
                        bench.call(fmt, LOGOUT, session=str(opens.value), probe=True)


CHECKS: tuple[Check, ...] = (
    Check("SESSION-LOGIN", per_server=other_logins_ask_for_the_password),
    Check("SESSION-LOGOUT", per_server=who_registered_is_logged_out_too),
    Check(CLAUSE, per_server=sessions_are_ended_and_seen_in_one),
    Check("SESSION-LOGOUT", per_server=what_waits_keeps_no_session),
)
