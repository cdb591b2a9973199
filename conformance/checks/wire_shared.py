"""Level 1, sessions of another format, class by class: the messages of each know them all."""

from __future__ import annotations

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.good_calls import readings, writings
from xenconform.conformance.checks.judging import describe
from xenconform.conformance.checks.lost import is_refused
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.sessions import INVALID
from xenconform.conformance.checks.wire_replies import has_messages
from xenconform.models.api import ApiClass

CLAUSE = "WIRE-SESSION-SHARED"
READERS = frozenset({"get_record", "get_all", "get_all_records"})


def sessions_serve_each_class(bench: Bench, of: ApiClass) -> None:
    """A session of each format serves over the others for the messages of every class. Source: wire protocol."""
    found = list(readings(bench, of))
    stops = [*found[:1], *(each for each in found[1:] if each.message.partition(".")[2] in READERS)]
    stops += list(writings(bench, of))[:1]
    if not stops or len(bench.formats) < 2:
        return
    for at, over in enumerate(bench.formats):
        with bench.judging(CLAUSE, of.name, over) as judge:
            session = opened(bench, over)
            for number, stop in enumerate(stops):
                used = bench.formats[(at + 1 + number % (len(bench.formats) - 1)) % len(bench.formats)]
                exchange = bench.call(used, stop.message, params=stop.params, probe=True, session=session)
                serves = not is_refused(exchange, INVALID)
                judge.true(
                    serves, f"a session of {over} serves {stop.message} over {used}", describe(exchange), exchange
                )
            bench.call(over, "session.logout", session=session, probe=True)


CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_class=sessions_serve_each_class, applies=has_messages),)
