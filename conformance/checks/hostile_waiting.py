"""Level 5, clients beside each other: who waits for events holds up nobody else, nor do those that were turned down."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from xenconform.conformance.checks.bare import head, talk
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.hostile_leaks import NOWHERE
from xenconform.conformance.checks.hostile_scene import patience_after
from xenconform.conformance.checks.judging import Judge, Unavailable, describe
from xenconform.conformance.checks.watch import FROM, SLACK, Watch
from xenconform.conformance.checks.watching_server import sibling
from xenconform.conformance.checks.wire_envelope import a_listing
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange

CLAUSE = "ROBUST-ALIVE"
WAITS = (1.0, 5.0)
"""Seconds that a call waits. Where others are not answered meanwhile, the longer one tells why: a server that is merely
busy answers them in that time."""
HEAD_START = 0.2
"""Seconds after which the waiting call has surely come to the server, as a part of its time."""
IN_VAIN = 64
"""So many requests are turned down before a newcomer asks; in the quick budget an eighth of them."""
NO_CALL = b"no call"
"""The body of a request that is no document of any format."""
QUIET = "task"
"""The class that is watched: its objects seldom change while nothing else is done."""


def others_are_served_while_one_waits(bench: Bench) -> None:
    """While one call waits for events, others are answered. Source: class reference, event."""
    for fmt in bench.formats:
        with bench.judging(CLAUSE, FROM, fmt) as judge:
            if not any(_served(bench, judge, fmt, wait) for wait in WAITS):
                judge.fail("a call is answered while another one waits for events", "none before that one was over")


def _served(bench: Bench, judge: Judge, fmt: Format, wait: float) -> bool:
    """Whether a call was answered while another one waited so many seconds.

    Raises:
        Unavailable: event.from does not wait.
    """
    watch = Watch(bench, judge, fmt, (QUIET,))
    watch.read(0.0)
    listing, _ = a_listing(bench)
    heard: list[Exchange] = []
    with sibling(bench, heard) as client, ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        waiting = pool.submit(client.call, fmt, FROM, (watch.wanted, watch.token, wait), deadline=wait + SLACK)
        served = False
        while not served and not waiting.done():
            late = time.monotonic() - began > HEAD_START * wait
            bench.call(bench.other(fmt), listing)
            served = late and not waiting.done()
        over = waiting.result()
    judge.asserted += served
    if not served and (not isinstance(over.reply.outcome, Success) or over.elapsed < wait / 2):
        raise Unavailable(f"event.from does not wait: {describe(over)[:80]} after {over.elapsed:.1f} s")
    return served


def many_refusals_leave_room(bench: Bench) -> None:
    """After many requests that were turned down a newcomer is answered, as who was there before is. Source: RFC 9110.

    Each lets go of its connection: half of them are no documents, the others go nowhere.
    """
    listing, _ = a_listing(bench)
    for fmt in bench.formats:
        with bench.judging(CLAUSE, "newcomers", fmt) as judge:
            patience = patience_after(bench.call(fmt, listing).elapsed)
            lines = (f"Content-Length: {len(NO_CALL)}", "Connection: close")
            requests = [head(bench, fmt, *lines, path=path) + NO_CALL for path in ("", NOWHERE)]
            for number in range(IN_VAIN if bench.budget.boundaries else IN_VAIN // 8):
                if talk(bench, fmt, (requests[number % 2],), patience).elapsed >= patience:
                    break  # What is not answered in time is told by the other checks, and each takes its time.
            tried = [_newcomer(bench, fmt, listing) for _ in range(2)]
            answered = any(isinstance(each.reply.outcome, Success) for each in tried)
            # Where nobody is answered any more the run ends: that may be the network's doing.
            bench.call(fmt, listing)
            judge.true(answered, "a newcomer is answered after many requests that were turned down",
                       describe(tried[-1]), *tried)  # fmt: skip


def _newcomer(bench: Bench, fmt: Format, listing: str) -> Exchange:
    """Make a good call as a client does that comes anew."""
    with sibling(bench, []) as client:
        exchange: Exchange = client.call(fmt, listing)
        return exchange


CHECKS: tuple[Check, ...] = (
    Check(CLAUSE, per_server=others_are_served_while_one_waits, timed=True),
    Check(CLAUSE, per_server=many_refusals_leave_room),
)
