"""Level 1, documents that are no calls: each is answered with an HTTP error or a failure, none is carried out."""

from __future__ import annotations

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, describe, is_refusal
from xenconform.conformance.checks.malformed import malformed
from xenconform.conformance.checks.wire_envelope import a_listing, send
from xenconform.models.calls import Breach
from xenconform.models.exchange import Exchange


def malformed_documents_are_refused(bench: Bench) -> None:
    """A malformed document is answered with an HTTP error or a structured failure. Source: error handling."""
    for fmt in bench.formats:
        with bench.judging("WIRE-MALFORMED", "server", fmt) as judge:
            message, _ = a_listing(bench)
            for what, body in malformed(fmt, message, bench.client.session):
                _judge_refused(judge, send(bench, fmt, body), what)


def _judge_refused(judge: Judge, exchange: Exchange, what: str) -> None:
    outcome = exchange.reply.outcome
    if isinstance(outcome, Breach) and not exchange.status:
        judge.true(False, f"an answer to {what}", describe(exchange), exchange)
        return
    refused = is_refusal(exchange) or (isinstance(outcome, Breach) and outcome.kind == "xml-fault")
    judge.true(refused, f"{what} is refused by an HTTP error or a failure", _said(exchange), exchange)


def _said(exchange: Exchange) -> str:
    return f"HTTP {exchange.status}, {describe(exchange)}"


CHECKS: tuple[Check, ...] = (Check("WIRE-MALFORMED", per_server=malformed_documents_are_refused),)
