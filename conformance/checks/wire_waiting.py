"""Level 1, the call that waits for events: it counts its parameters, and minds their types, as every other call does.

A server often answers it by a way of its own, past what reads the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from xenconform.conformance.checks.aimed import why_not
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Unavailable, describe
from xenconform.conformance.checks.watch import FROM, SLACK
from xenconform.conformance.codec import Array, Param, Scalar
from xenconform.models.calls import Format, Success
from xenconform.models.types import Float, SetOf, Str

CURRENT = "event.get_current_id"
_CLASSES: Param = (SetOf(Str()), ("task",))
_TOKEN: Param = (Str(), "")
_NO_WAIT: Param = (Float(), 0.0)
_YES = Scalar("boolean", "1")
GOOD: tuple[Param, ...] = (_CLASSES, _TOKEN, _NO_WAIT)
NUMBERS: Mapping[str, Sequence[Param]] = MappingProxyType(
    {
        "no timeout": GOOD[:2],
        "classes alone": GOOD[:1],
        "no parameters but the session": (),
        "a parameter too many": (*GOOD, (Str(), "extra")),
        "an empty text too many": (*GOOD, (Str(), "")),
    }
)
TYPES: Mapping[str, Sequence[Param]] = MappingProxyType(
    {
        "a text for classes": ((Str(), "task"), *GOOD[1:]),
        "a boolean for classes": ((None, _YES), *GOOD[1:]),
        "a boolean among classes": ((None, Array((Scalar("string", "task"), _YES))), *GOOD[1:]),
        "a boolean for a token": (_CLASSES, (None, _YES), _NO_WAIT),
        "an array for a token": (_CLASSES, (None, Array((Scalar("string", ""),))), _NO_WAIT),
        "a word for a timeout": (*GOOD[:2], (Str(), "nine")),
        "a boolean for a timeout": (*GOOD[:2], (None, _YES)),
    }
)
"""What is wrong with the parameters, and they."""


def waiting_minds_its_parameters(bench: Bench) -> None:
    """A wrong number of parameters for event.from fails, and a value of another type. Source: error list."""
    message = bench.api.message(FROM)
    if message is None or why_not(bench, message):
        return
    for clause, ways in (("WIRE-ARITY", NUMBERS), ("WIRE-TYPE", TYPES)):
        for fmt in bench.formats:
            with bench.judging(clause, FROM, fmt) as judge:
                good = bench.call(fmt, FROM, params=GOOD, probe=True, deadline=SLACK)
                if not isinstance(good.reply.outcome, Success):
                    raise Unavailable("it is not answered when it is called well; counted under EVENT-FROM")
                for what, params in ways.items():
                    exchange = bench.call(fmt, FROM, params=params, probe=True, deadline=SLACK)
                    judge.refused(exchange, f"{FROM} with {what}")


def numbers_of_events_are_texts(bench: Bench) -> None:
    """The number of the last event travels as every int does over XML-RPC. Source: wire protocol."""
    message, fmt = bench.api.message(CURRENT), Format.XMLRPC
    if fmt not in bench.formats or message is None or why_not(bench, message):
        return
    exchange = bench.call(fmt, CURRENT, probe=True)
    flawed = bench.flawed("WIRE-INT-XML", CURRENT, fmt)
    if flawed or isinstance(exchange.reply.outcome, Success):  # A server need not have it.
        with bench.judging("WIRE-INT-XML", CURRENT, fmt) as judge:
            judge.true(not flawed, "a string of decimal digits", describe(exchange), exchange)


CHECKS: tuple[Check, ...] = (
    Check("WIRE-ARITY", per_server=waiting_minds_its_parameters, also=("WIRE-TYPE",)),
    Check("WIRE-INT-XML", per_server=numbers_of_events_are_texts),
)
