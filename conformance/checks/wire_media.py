"""Level 1, the media type of XML-RPC replies: the reply's own, whatever the request says of itself or asks for.

Clients differ in it: curl posts a form's type where nothing else is said, others name a charset, an older media type or
none at all, and browsers prefer HTML. A server may turn such a request down by an HTTP error, of which nothing is said.
"""

from __future__ import annotations

from contextlib import suppress

from xenconform.conformance.checks.bare import head, talk
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.wire_envelope import a_listing
from xenconform.conformance.codec import codec_for
from xenconform.models.calls import Format
from xenconform.models.exchange import Exchange
from xenconform.models.types import RefTo

CLAUSE = "WIRE-XML-CONTENT-TYPE"
MEDIA = "text/xml"
POSTED = (
    "application/x-www-form-urlencoded",
    "text/xml; charset=utf-8",
    "application/xml",
    "text/plain",
)
"""Media types of requests; none is that of another format, by which a server may choose the format of its reply."""
ASKED = (
    ("Accept: application/json",),
    ("Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", f"Content-Type: {MEDIA}"),
)
"""Headers of requests: without a media type of their own, or with a wish for another one."""


def content_type_is_xml(bench: Bench) -> None:
    """XML-RPC replies, of success and of failure, name text/xml. Source: XML-RPC specification."""
    fmt = Format.XMLRPC
    if fmt not in bench.formats:
        return
    with bench.judging(CLAUSE, "server", fmt) as judge:
        message, refs = a_listing(bench)
        getter = message.replace(".get_all", ".get_uuid")
        judge_media(judge, bench.call(fmt, getter, refs[0]))
        cls = RefTo(getter.partition(".")[0])
        session = (RefTo("session"), bench.client.session)
        good, bad = (codec_for(fmt).encode_call(getter, [session, (cls, ref)]) for ref in (refs[0], unknown_ref()))
        for kind in POSTED:
            for body in (good, bad):
                _judge_odd(judge, bench.raw(fmt, body, content_type=kind), f" of a request that is {kind}")
        with suppress(Unavailable):
            for lines, body in zip(ASKED, (good, bad), strict=True):
                _judge_odd(judge, _posted(bench, body, lines), f" of a request with {lines[0]}")


def _judge_odd(judge: Judge, exchange: Exchange, whose: str) -> None:
    """Assert the media type of a reply to an odd request, where it is one of XML-RPC."""
    if b"<methodResponse" in exchange.received:
        judge_media(judge, exchange, whose)


def judge_media(judge: Judge, exchange: Exchange, whose: str = "") -> None:
    """Assert the media type of a reply that is no HTTP error."""
    if exchange.status == 200:
        named = _named(exchange)
        media = named.partition(";")[0].strip().lower()
        judge.true(media == MEDIA, f"{MEDIA} as the type{whose}" if whose else MEDIA, named or "no content type",
                   exchange)  # fmt: skip


def _named(exchange: Exchange) -> str:
    """Return the media type that a reply names; what came over a bare connection has its head before it."""
    lines = exchange.received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    bare = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    headers = exchange.headers or bare
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def _posted(bench: Bench, body: bytes, lines: tuple[str, ...]) -> Exchange:
    """Post a call with headers of our own over a connection of its own.

    Raises:
        Unavailable: no such connection can be made.
    """
    first = head(bench, Format.XMLRPC, "Connection: close", *lines, f"Content-Length: {len(body)}", typed=False)
    return talk(bench, Format.XMLRPC, (first, body), bench.client.deadline)


CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_server=content_type_is_xml),)
