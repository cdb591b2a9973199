"""Level 1, envelopes: what stands around every result and error, the media type, ids and versions of JSON-RPC."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, show
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.codec import codec_for
from xenconform.models.api import Api, ApiClass, Message
from xenconform.models.calls import Breach, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Str
from xenconform.models.values import Ref

JSON = (Format.JSONRPC1, Format.JSONRPC2)
ENVELOPES = {
    Format.XMLRPC: "WIRE-XML-ENVELOPE",
    Format.JSONRPC1: "WIRE-JSON1-ENVELOPE",
    Format.JSONRPC2: "WIRE-JSON2-ENVELOPE",
}
IDS: tuple[int | str, ...] = (
    0,
    1,
    -1,
    7,
    2**31,
    -(2**31) - 1,
    2**53 + 1,
    "",
    "x",
    "7",
    " ",
    "null",
    'quo"te\\',
    "\u00e9\u65e5\U0001f600",
    "i" * 1000,
)
WRONG_VERSIONS: tuple[object, ...] = ("1.0", "3.0", "2", "", "2.0 ", 2, 3)


def first_getter(of: ApiClass) -> Message | None:
    """Return a getter of the class, of the uuid where it has one."""
    getters = [message for message in of.messages.values() if message.verb == "get"]
    return next((message for message in getters if message.field == "uuid"), next(iter(getters), None))


def has_getter(_api: Api, of: ApiClass) -> bool:
    """Whether the class has a getter."""
    return first_getter(of) is not None


def replies_have_their_envelope(bench: Bench, of: ApiClass, *, fmt: Format) -> None:
    """Replies of success and of failure stand in the format's envelope. Source: wire protocol."""
    if fmt not in bench.formats:
        return
    clause = ENVELOPES[fmt]
    getter = first_getter(of)
    assert getter is not None
    with bench.judging(clause, of.name, fmt) as judge:
        names = [getter.full_name, *(f"{of.name}.{name}" for name in ("get_record",) if name in of.messages)]
        for name in names:
            failing = bench.call(fmt, name, unknown_ref())
            _judge_envelope(bench, judge, failing)
            (obj,) = bench.stock.readable(of.name)
            _judge_envelope(bench, judge, bench.call(fmt, name, obj.ref))
        if "get_all" in of.messages:
            _judge_envelope(bench, judge, bench.call(fmt, f"{of.name}.get_all"))


def _judge_envelope(bench: Bench, judge: Judge, exchange: Exchange) -> None:
    """Assert a reply's envelope; what is wrong with it was recorded when it came, under the message."""
    if bench.flawed(judge.clause, exchange.message, exchange.format):
        judge.fail("a reply as the clause says", f"see {exchange.message}: {describe(exchange)}", exchange)
    elif not isinstance(exchange.reply.outcome, Breach):
        judge.asserted += 1


def content_type_is_xml(bench: Bench) -> None:
    """XML-RPC replies, of success and of failure, name text/xml. Source: XML-RPC specification."""
    if Format.XMLRPC not in bench.formats:
        return
    with bench.judging("WIRE-XML-CONTENT-TYPE", "server", Format.XMLRPC) as judge:
        message, refs = a_listing(bench)
        for exchange in (
            bench.call(Format.XMLRPC, message),
            bench.call(Format.XMLRPC, message.replace(".get_all", ".get_uuid"), refs[0]),
            bench.call(Format.XMLRPC, message.replace(".get_all", ".get_uuid"), unknown_ref()),
        ):
            named = next((value for name, value in exchange.headers if name.lower() == "content-type"), "")
            if exchange.status == 200:
                media = named.partition(";")[0].strip().lower()
                judge.true(media == "text/xml", "text/xml", named or "no content type", exchange)


def a_listing(bench: Bench) -> tuple[str, tuple[Ref, ...]]:
    """Return a get_all that answers, with refs of at least one object.

    Raises:
        Unavailable: no class shows an object.
    """
    preferred = [name for name in ("pool", "host", "network", "VM") if name in bench.api.classes]
    for cls in (*preferred, *bench.api.classes):
        if {"get_all", "get_uuid"} <= bench.api.classes[cls].messages.keys() and bench.stock.existing(cls):
            return f"{cls}.get_all", bench.stock.existing(cls)
    raise Unavailable("no class of the server shows an object")


# ------------------------------------------------------------------------------------------------------------ JSON-RPC


def json_call(bench: Bench, fmt: Format, message: str, params: list[Any], **changes: Any) -> Exchange:
    """Send a JSON-RPC call with members changed; one that is changed to `...` is left out."""
    call: dict[str, Any] = {"method": message, "params": [bench.client.session, *params], "id": 1}
    if fmt is Format.JSONRPC2:
        call["jsonrpc"] = "2.0"
    call.update(changes)
    return send(bench, fmt, json.dumps({name: value for name, value in call.items() if value is not ...}).encode())


def send(bench: Bench, fmt: Format, body: bytes) -> Exchange:
    """Send a body that the server may refuse by closing the connection; a good call then shows that it lives."""
    exchange = bench.raw(fmt, body)
    if not exchange.status:
        bench.call(fmt, a_listing(bench)[0])
    return exchange


def parsed(exchange: Exchange) -> dict[str, Any] | None:
    """Return a reply's JSON object, None where it is none."""
    try:
        found = json.loads(exchange.received)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def id_comes_back(bench: Bench) -> None:
    """The reply's id is the request's, type and value, of success and failure alike. Source: wire protocol."""
    for fmt in JSON:
        if fmt not in bench.formats:
            continue
        with bench.judging("WIRE-JSON-ID-ECHO", "server", fmt) as judge:
            message, _ = a_listing(bench)
            for ident in IDS:
                for params in ([], ["one too many"]):
                    exchange = json_call(bench, fmt, message, params, id=ident)
                    seen = parsed(exchange)
                    if seen is None and not exchange.status:
                        raise Unavailable(f"no answer to a call with the id {ident!r}; counted under the wire clauses")
                    shown = f"id {show(seen.get('id', 'left out'))}" if seen is not None else describe(exchange)
                    same = seen is not None and type(seen.get("id")) is type(ident) and seen["id"] == ident
                    judge.true(same, f"id {show(ident)}", shown, exchange)


def notifications_are_refused(bench: Bench) -> None:
    """A call whose id is missing or null is refused and has no effect. Source: wire protocol."""
    for fmt in JSON:
        if fmt not in bench.formats:
            continue
        with bench.judging("WIRE-JSON-NO-NOTIFICATION", "server", fmt) as judge:
            obj, setter = _settable(bench)
            getter = setter.replace(".set_", ".get_")
            for what, ident in (("no id", ...), ("the id null", None)):
                before, _ = bench.ask(fmt, getter, obj.ref)
                new = f"xenconform {bench.stock.number()}"
                exchange = json_call(bench, fmt, setter, [obj.ref, new], id=ident)
                _judge_turned_down(judge, exchange, what)
                after, seen = bench.ask(fmt, getter, obj.ref)
                judge.same(Str(), before, after, exchange, seen)
                _judge_creates_nothing(bench, judge, obj.cls, (fmt, what, ident))


def _judge_turned_down(judge: Judge, exchange: Exchange, what: str) -> None:
    """Assert that a call was not carried out; an answer without a body, as to a notification, carries out nothing."""
    judge.true(
        not isinstance(exchange.reply.outcome, Success), f"a call with {what} is refused", describe(exchange), exchange
    )


def _is_made_of(bench: Bench, fmt: Format, obj: tuple[str, Ref], record: dict[str, Any]) -> bool:
    """Whether a new object is the one of a record, and not one that somebody else made meanwhile."""
    cls, ref = obj
    if "name_label" not in record:
        return True
    seen = bench.call(fmt, f"{cls}.get_name_label", ref, probe=True).reply.outcome
    return isinstance(seen, Success) and seen.value == record["name_label"]


def _judge_creates_nothing(bench: Bench, judge: Judge, cls: str, how: tuple[Format, str, Any]) -> None:
    fmt, what, ident = how
    create, listing = f"{cls}.create", f"{cls}.get_all"
    of = bench.api.classes[cls]
    if "get_all" not in of.messages or not of.constructors or not of.constructors[0].record:
        return
    before, _ = bench.ask(fmt, listing)
    record = bench.stock.exemplar(cls)
    body = codec_for(fmt).encode_call(create, [(of.constructors[0].message.params[0].type, record)], api=bench.api)
    exchange = json_call(bench, fmt, create, json.loads(body)["params"], id=ident)
    _judge_turned_down(judge, exchange, what)
    after, seen = bench.ask(fmt, listing)
    new = {ref for ref in set(after) - set(before) if _is_made_of(bench, fmt, (cls, ref), record)}
    judge.true(not new, f"{create} with {what} makes nothing", f"it made {len(new)}", exchange, seen)
    for ref in new:
        outcome = exchange.reply.outcome
        if isinstance(outcome, Success) and outcome.value == ref:
            bench.stock.remove(bench.stock.adopt_ref(cls, ref))


def _settable(bench: Bench) -> tuple[Obj, str]:
    """Return an object that may be written, and a setter of free text of it.

    Raises:
        Unavailable: there is none.
    """
    preferred = [name for name in ("network", "VM", "secret") if name in bench.api.classes]
    reason = "no class has a setter of free text"
    for cls in (*preferred, *bench.api.classes):
        setter = bench.api.classes[cls].messages.get("set_name_description")
        if setter is None or not setter.implicit:
            continue
        try:
            return bench.stock.writable(cls), setter.full_name
        except Unavailable as why:
            reason = str(why)
    raise Unavailable(reason)


def version_is_kept(bench: Bench) -> None:
    """A reply is of its call's version, and other versions than 1.0 and 2.0 are refused. Source: wire protocol."""
    for fmt in JSON:
        if fmt not in bench.formats:
            continue
        with bench.judging("WIRE-JSON-VERSION", "server", fmt) as judge:
            message, _ = a_listing(bench)
            for params in ([], ["one too many"]):
                _judge_version(judge, json_call(bench, fmt, message, params), fmt)
            if fmt is Format.JSONRPC2:
                for version in WRONG_VERSIONS:
                    exchange = json_call(bench, fmt, message, [], jsonrpc=version)
                    judge.refused(exchange, f"a call of the version {version!r}")


def _judge_version(judge: Judge, exchange: Exchange, fmt: Format) -> None:
    seen = parsed(exchange)
    if seen is None:
        raise Unavailable(f"no readable answer: {describe(exchange)}; counted under the wire clauses")
    if fmt is Format.JSONRPC2:
        judge.true(seen.get("jsonrpc") == "2.0", 'a reply with jsonrpc "2.0"', show(sorted(seen)), exchange)
    else:
        judge.true("jsonrpc" not in seen, "a 1.0 reply, without jsonrpc", show(sorted(seen)), exchange)


def _per_format(fmt: Format) -> Callable[[Bench, ApiClass], None]:
    return partial(replies_have_their_envelope, fmt=fmt)


CHECKS: tuple[Check, ...] = (
    *(Check(clause, per_class=_per_format(fmt), applies=has_getter) for fmt, clause in ENVELOPES.items()),
    Check("WIRE-XML-CONTENT-TYPE", per_server=content_type_is_xml),
    Check("WIRE-JSON-ID-ECHO", per_server=id_comes_back),
    Check("WIRE-JSON-NO-NOTIFICATION", per_server=notifications_are_refused),
    Check("WIRE-JSON-VERSION", per_server=version_is_kept),
)
