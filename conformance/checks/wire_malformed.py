"""Level 1, documents that are no calls: each is answered with an HTTP error or a failure, none is carried out."""

from __future__ import annotations

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, is_refusal
from xenconform.conformance.checks.malformed import malformed, malformed_inside
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.wire_envelope import a_listing, send
from xenconform.models.calls import Breach, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, Str


def malformed_documents_are_refused(bench: Bench) -> None:
    """A malformed document is answered with an HTTP error or a structured failure. Source: error handling."""
    for fmt in bench.formats:
        with bench.judging("WIRE-MALFORMED", "server", fmt) as judge:
            message, _ = a_listing(bench)
            for what, body in malformed(fmt, message, bench.client.session):
                _judge_refused(judge, send(bench, fmt, body), what)
            _judge_inside(bench, judge, fmt)


def _judge_inside(bench: Bench, judge: Judge, fmt: Format) -> None:
    """Judge documents that are malformed deep inside, or at the end of a call that writes: nothing is written."""
    found = _a_map_setter(bench)
    if found is None:
        return
    obj, setter = found
    getter = setter.replace(".set_", ".get_")
    with bench.restoring(obj, getter.partition(".get_")[2]):
        before, _ = bench.ask(fmt, getter, obj.ref)
        for what, body in malformed_inside(fmt, setter, bench.client.session, obj.ref):
            exchange = send(bench, fmt, body)
            _judge_refused(judge, exchange, what)
            after, seen = bench.ask(fmt, getter, obj.ref)
            if not isinstance(exchange.reply.outcome, Success):
                judge.same(MapOf(Str(), Str()), before, after, exchange, seen)
            if after != before:
                bench.call(fmt, setter, obj.ref, before)


def _a_map_setter(bench: Bench) -> tuple[Obj, str] | None:
    """Return an object that may be written and a setter of a map of texts, None where there is none."""
    preferred = [name for name in ("network", "VM", "secret") if name in bench.api.classes]
    for cls in (*preferred, *bench.api.classes):
        setter = bench.api.classes[cls].messages.get("set_other_config")
        if setter is not None and setter.implicit:
            try:
                return bench.stock.writable(cls), setter.full_name
            except Unavailable:
                continue
    return None


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
