"""Level 5, refused calls of every class: what is turned down lets go of all that it took, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator

from xenconform.conformance.checks.arguments import made_up
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.hostile_scene import patience_after
from xenconform.conformance.checks.judging import Unavailable, describe, is_refusal
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.codec import Param
from xenconform.models.api import Api, ApiClass, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Bool, MapOf, RefTo, Str

CLAUSE = "ROBUST-ALIVE"
KINDS = ("get_record", "destroy", "set", "add_to", "create")
"""Names or verbs of the messages of a class that are called to be refused, one of each."""

BAD_RECORD: Param = (MapOf(Str(), Bool()), {"name_label": True, "other_config": True})
"""A record for a constructor, with members that have no such type in any class."""


def refusals_hold_nobody_up(bench: Bench, of: ApiClass) -> None:
    """After a refused call the next one on the class is answered as usual. Source: error handling."""
    for fmt in bench.formats:
        with bench.judging(CLAUSE, of.name, fmt) as judge:
            usual = _next(bench, of, fmt)
            if not isinstance(usual.reply.outcome, Success):
                raise Unavailable(f"{usual.message} is not answered to begin with")
            patience = patience_after(usual.elapsed)
            for name in (each for each in _messages(of) if f"{of.name}.{each}" not in bench.profile.never):
                slow = _slow(bench, of, (fmt, name), patience)
                # Each time after this call, and never without it: another client is no such thing.
                if len(slow) == 2 and not _is_slow(_next(bench, of, fmt), patience):
                    said = f"{describe(slow[-1])[:80]} after {slow[-1].elapsed:.1f} s"
                    judge.fail(f"a good call is answered as usual after a refused {name}", said, *slow)
                    break
                judge.asserted += 1


def _slow(bench: Bench, of: ApiClass, call: tuple[Format, str], patience: float) -> list[Exchange]:
    """Call a message in vain, twice if need be; return the calls behind it that were slow."""
    fmt, name = call
    found: list[Exchange] = []
    for _ in range(2):
        others: list[Param] = [(each.type, made_up(each.type)) for each in of.messages[name].params[1:]]
        params: list[Param] = [BAD_RECORD] if name == "create" else [(RefTo(of.name), unknown_ref()), *others]
        refused = bench.call(fmt, f"{of.name}.{name}", probe=True, params=params)
        if name == "create" and isinstance(refused.reply.outcome, Success):
            bench.stock.remove(bench.stock.adopt(of.name, refused))
        if not is_refusal(refused):
            break
        after = _next(bench, of, fmt)
        if not _is_slow(after, patience):
            break
        found.append(after)
    return found


def _is_slow(exchange: Exchange, patience: float) -> bool:
    return exchange.elapsed > patience or not isinstance(exchange.reply.outcome, Success)


def _next(bench: Bench, of: ApiClass, fmt: Format) -> Exchange:
    return bench.call(bench.other(fmt), f"{of.name}.get_all")


def _messages(of: ApiClass) -> Iterator[str]:
    for kind in KINDS:
        names = (m for m in of.messages.values() if m.implicit and kind in {m.name, m.verb})
        yield from [m.name for m in names if m.lifecycle.state is not State.REMOVED][:1]


def is_listed_and_refuses(_api: Api, of: ApiClass) -> bool:
    """Whether the objects of a class are listed, and there is a message that is called to be refused."""
    return "get_all" in of.messages and any(True for _ in _messages(of))


CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_class=refusals_hold_nobody_up, applies=is_listed_and_refuses),)
"""The rows of the suite's table."""
