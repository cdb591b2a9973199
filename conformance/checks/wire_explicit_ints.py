"""Level 1, ints that explicit messages take: as decimal text and as the format's own they mean the same."""

from __future__ import annotations

from xenconform.conformance.checks.aimed import blind, names_objects, why_not
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import describe
from xenconform.models.api import ApiClass, Message, State
from xenconform.models.calls import Breach, Failure
from xenconform.models.exchange import Exchange
from xenconform.models.types import Int


def _messages(of: ApiClass) -> list[Message]:
    """Return the explicit messages that take an int and name an object, which can be one that there is not."""
    found = [m for m in of.messages.values() if not m.implicit and m.takes_session and names_objects(m)]
    return [m for m in found if any(p.type == Int() for p in m.params) and m.lifecycle.state is not State.REMOVED]


def has_explicit_ints(of: ApiClass) -> bool:
    """Whether a class has such messages."""
    return bool(_messages(of))


def ints_of_explicit_messages(bench: Bench, of: ApiClass) -> None:
    """Call each on what does not exist: a server says the same, whichever way the ints are written.

    Each over one of the formats, by turns.
    """
    for number, message in enumerate(_messages(of)):
        if why_not(bench, message):
            continue
        fmt = bench.formats[(bench.seed + number) % len(bench.formats)]
        with bench.judging("WIRE-INT-REQUEST", message.full_name, fmt) as judge:
            args = blind(message).args
            text = bench.call(fmt, message.full_name, *args, probe=True, ints="text")
            native = bench.call(fmt, message.full_name, *args, probe=True, ints="native")
            if _said(text) is None:
                judge.asserted += 1  # No readable answer is another clause's matter.
                continue
            alike = _said(text) == _said(native)
            told = f"{describe(text)}, as with ints as text"
            judge.true(alike, told, f"{describe(native)} with ints in the format's own form", text, native)


def _said(exchange: Exchange) -> str | None:
    """Return the code with which a call failed, "" where it did not; None where there is no readable answer."""
    outcome = exchange.reply.outcome
    if isinstance(outcome, Breach):
        return None
    return outcome.code if isinstance(outcome, Failure) else ""
