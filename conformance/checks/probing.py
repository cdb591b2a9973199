"""Calls of explicit messages that must fail, each with one thing wrong, and what is made of the answers.

One part is a class × format; a finding names its message. Each message is called over every format in all the ways to
be wrong; in the quick budget in one or two of them, in turn, so that over all formats none is left out.

Where several things are wrong with a call, any error is right: only where nothing else is wrong can its code be judged,
and only there does it show whether a server looks at what is wrong at all. A server that answers that it does not have
a message need not have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

from xenconform.conformance.checks.aimed import ENDS_SESSIONS, Aim, undo, why_not
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unavailable, is_http_refusal
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.sessions import PATIENCE
from xenconform.conformance.checks.tally import Tally, draw
from xenconform.conformance.client import UNSET, Unset
from xenconform.conformance.codec import Param
from xenconform.models.api import ApiClass, Message
from xenconform.models.calls import Breach, Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.refusals import MISSING_CODES

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Probe:
    """A call that must fail. `what` says what is wrong with it.

    `aimed` has its arguments and what it may touch; `params` are sent in their place. `code` is the error and its
    parameters if nothing else is wrong; None says that any error is right. `strict` makes another error a finding of
    the clause itself.
    """

    what: str
    aimed: Aim
    params: Sequence[Param] | None = None
    session: str | Unset | None = UNSET
    code: tuple[str | None, ...] | None = None
    strict: bool = False
    is_async: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a message stands in the rotation of what is wrong: `at` grows by one from format to format."""

    number: int
    at: int
    formats: int
    all_of_them: bool

    def take(self, ways: Sequence[Kind], count: int = 1) -> list[Kind]:
        """Return `count` of the ways in turn, so that over all formats as many as possible are taken."""
        if self.all_of_them:
            return list(ways)
        first = self.number + count * self.at
        return [ways[(first + n) % len(ways)] for n in range(min(count, len(ways)))]

    def has_come(self, after: int = 0) -> bool:
        """Whether it is the turn of what is done over one format alone."""
        return (self.number + self.at + after) % self.formats == 0


Ways = Callable[[Bench, Message, Turn], Iterator[Probe]]


def judge_messages(bench: Bench, of: ApiClass, clause: str, ways: Ways, messages: Sequence[Message]) -> None:
    """Judge a clause, and that on its exact code, on some messages of a class, over each format."""
    coded_clause = f"{clause}-CODE"
    for at, fmt in enumerate(bench.formats):
        with ExitStack() as stack:
            tally = stack.enter_context(Tally(bench, clause, of.name, fmt))
            coded = stack.enter_context(Tally(bench, coded_clause, of.name, fmt))
            for message in messages:
                turn = Turn(draw(bench.seed, message.name), at, len(bench.formats), bench.budget.boundaries)
                why = why_not(bench, message)
                if why:
                    tally.skip(message, why)
                    continue
                try:
                    _judge_message(bench, message, fmt, (tally, coded), list(ways(bench, message, turn)))
                except Unavailable as unavailable:
                    tally.skip(message, str(unavailable))


def _judge_message(
    bench: Bench, message: Message, fmt: Format, tallies: tuple[Tally, Tally], probes: Sequence[Probe]
) -> None:
    tally, _ = tallies
    for probe in probes:
        name = f"Async.{message.full_name}" if probe.is_async else message.full_name
        session = opened(bench, fmt) if probe.session is UNSET and name in ENDS_SESSIONS else probe.session
        exchange = bench.call(
            fmt, name, *probe.aimed.args, probe=True, params=probe.params, session=session, deadline=PATIENCE
        )
        outcome = exchange.reply.outcome
        match outcome:
            case Success():
                tally.finding(message, f"{name} with {probe.what} fails", exchange)
                undo(bench, message, probe.aimed, exchange)
                return
            case Breach() if not is_http_refusal(exchange):
                tally.skip(message, f"no readable answer ({outcome.kind}), counted under the wire clauses")
                return
            case Failure(code, _) if code in MISSING_CODES and not probe.is_async:
                tally.missing(message)
                return
            case _:
                _judge_code(bench, message, probe, exchange, tallies)


def _judge_code(bench: Bench, message: Message, probe: Probe, exchange: Exchange, tallies: tuple[Tally, Tally]) -> None:
    tally, coded = tallies
    outcome = exchange.reply.outcome
    if probe.code is None or bench.is_domain_refusal(exchange):
        tally.fine()
        return
    want, *params = probe.code
    fits = isinstance(outcome, Failure) and outcome.code == want and len(outcome.params) >= len(params)
    fits = (
        fits
        and isinstance(outcome, Failure)
        and all(p is None or p == seen for p, seen in zip(params, outcome.params, strict=False))
    )
    shown = f" [{', '.join(p or '…' for p in params)}]" if params else ""
    expected = f"{message.full_name} with {probe.what} fails with {want}{shown}"
    if fits or not probe.strict:
        tally.fine()
    else:
        tally.finding(message, expected, exchange)
    if probe.strict:
        return
    if fits:
        coded.fine()
    else:
        coded.finding(message, expected, exchange)
