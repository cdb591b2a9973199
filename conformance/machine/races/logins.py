"""Logins made at the same time: as one after the other, each gives a session of its own.

A server may have one session for all logins of a user: where two in a row give one, nothing is said of those at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, result_of
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.client import Client
from xenconform.conformance.machine.player import LOGIN, LOGOUT
from xenconform.conformance.machine.races.at_once import all_at_once, clients
from xenconform.conformance.machine.races.witness import CLAUSE
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Ref

TIMES: Final = 12
"""How often the threads log in at once."""
PROBE: Final = "session.get_uuid"
"""What a session that lives answers about itself."""


def logins_are_each_their_own(bench: Bench) -> None:
    """Sessions opened at the same time are different, and ending some leaves the others. Source: introduction."""
    with bench.judging(CLAUSE, LOGIN) as judge:
        fmt = bench.formats[0]
        pair = opened(bench, fmt), opened(bench, fmt)
        for session in dict.fromkeys(pair):
            _log_out(bench, fmt, session)
        if pair[0] == pair[1]:
            raise Unavailable("two logins in a row give one session")
        with clients(bench) as several:
            for turn in range(TIMES):
                if not judge.failed:
                    _meet(bench, judge, several, turn)


def _meet(bench: Bench, judge: Judge, several: Sequence[Client], turn: int) -> None:
    fmt, known = bench.formats[0], bench.client.credentials
    if known is None:
        raise Unavailable("the run has no credentials to open a session with")
    words = (known.user, known.password, known.version, known.originator)
    # In every third turn some end a session at the same time: the new ones are there all the same.
    ending = {at: opened(bench, fmt) for at in range(0, len(several) - 2, 2)} if turn % 3 == 2 else {}
    calls = [
        partial(client.call, bench.other(fmt, turn + at), LOGOUT, (), session=ending[at])
        if at in ending
        else partial(client.call, bench.other(fmt, turn + at), LOGIN, words, session=None)
        for at, client in enumerate(several)
    ]
    told = all_at_once(bench, calls)
    try:
        _judge(bench, judge, told)
    finally:
        for each in dict.fromkeys(_sessions(told)):
            _log_out(bench, fmt, each)


def _judge(bench: Bench, judge: Judge, told: Sequence[Exchange]) -> None:
    sessions = _sessions(told)
    if len(sessions) < 2:
        raise Unavailable(f"logins at the same time: {describe(told[0])}; counted under SESSION-LOGIN")
    judge.true(len(set(sessions)) == len(sessions), "a session for each login", "one session for two", *told)
    # Each is used over the format that opened it: that it serves over the others too is WIRE-SESSION-SHARED's.
    every = {str(result_of(each)): each.format for each in told if _opened(each)}
    (first, fmt), *others = every.items()
    if all(each.message == LOGIN for each in told):
        _log_out(bench, fmt, first)
    for session, fmt in others:
        seen = bench.call(fmt, PROBE, session, session=session, probe=True)
        outcome = seen.reply.outcome
        ended = isinstance(outcome, Failure) and outcome.code == "SESSION_INVALID"
        judge.true(not ended, "the other sessions live when one is logged out", describe(seen), seen)


def _opened(exchange: Exchange) -> bool:
    return exchange.message == LOGIN and isinstance(exchange.reply.outcome, Success)


def _sessions(told: Sequence[Exchange]) -> list[Ref]:
    return [str(result_of(each)) for each in told if _opened(each)]


def _log_out(bench: Bench, fmt: Format, session: Ref) -> None:
    if session != bench.client.session:
        bench.call(fmt, LOGOUT, session=session, probe=True)
