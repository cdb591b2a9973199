"""Level 1, envelopes: what stands around every result and error, and the media type."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Api, ApiClass, Field, Message
from xenconform.models.calls import Breach, Format
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, Str
from xenconform.models.values import Ref

ENVELOPES = {
    Format.XMLRPC: "WIRE-XML-ENVELOPE",
    Format.JSONRPC1: "WIRE-JSON1-ENVELOPE",
    Format.JSONRPC2: "WIRE-JSON2-ENVELOPE",
}

AWKWARD = "a&b<c>]]>\"d'\\e%s\u00e9\u65e5\U0001f600&"
"""Text that shows whether errors are escaped, at its end too."""


KEY = "xenconform-twice"
"""A key that is added when it is there."""


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
        # Errors repeat what was sent, so they carry any text that a client thinks of.
        for name, ref in ((getter.full_name, AWKWARD), (f"{of.name}.get_{AWKWARD}", unknown_ref())):
            _judge_envelope(bench, judge, bench.call(fmt, name, ref, probe=True))
        _judge_refusals(bench, judge, getter, fmt)
        _judge_duplicate(bench, judge, of, fmt)


def _judge_refusals(bench: Bench, judge: Judge, getter: Message, fmt: Format) -> None:
    """Refusals of each kind: their parameters may be counts, names or nothing at all."""
    ref = unknown_ref()
    for args in ((), (ref, ref), (ref, ref, ref)):
        _judge_envelope(bench, judge, bench.call(fmt, getter.full_name, *args, probe=True))
    _judge_envelope(bench, judge, bench.call(fmt, getter.full_name, ref, probe=True, session=unknown_ref()))
    finder = f"{getter.cls}.get_by_uuid"
    if bench.api.message(finder) is not None:
        _judge_envelope(bench, judge, bench.call(fmt, finder, "xenconform", probe=True))


def _judge_duplicate(bench: Bench, judge: Judge, of: ApiClass, fmt: Format) -> None:
    """A key that is there already is refused; it is added to an object of ours, and taken out again."""
    field = next((f for f in of.fields.values() if _takes_keys(bench, of, f)), None)
    if field is None:
        return
    with suppress(Unavailable):
        obj = bench.stock.own(of.name)
        for _ in range(2):
            seen = bench.call(fmt, f"{of.name}.add_to_{field.name}", obj.ref, KEY, KEY, probe=True)
            _judge_envelope(bench, judge, seen)
        bench.call(fmt, f"{of.name}.remove_from_{field.name}", obj.ref, KEY)


def _takes_keys(bench: Bench, of: ApiClass, field: Field) -> bool:
    """Whether any key and value can be added to a field and taken out."""
    both = {f"add_to_{field.name}", f"remove_from_{field.name}"} <= of.messages.keys()
    return both and field.type == MapOf(Str(), Str()) and bench.profile.domain(of.name, field.name).is_free


def _judge_envelope(bench: Bench, judge: Judge, exchange: Exchange) -> None:
    """Assert a reply's envelope; what is wrong with it was recorded when it came, under the message."""
    if bench.flawed(judge.clause, exchange.message, exchange.format):
        judge.fail("a reply as the clause says", f"see {exchange.message}: {describe(exchange)}", exchange)
    elif not isinstance(exchange.reply.outcome, Breach):
        judge.asserted += 1


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


def json_formats(bench: Bench) -> list[Format]:
    """Return the formats of a run that are JSON-RPC."""
    return [fmt for fmt in bench.formats if fmt is not Format.XMLRPC]


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


def a_text_setter(bench: Bench) -> tuple[Obj, str]:
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


def _per_format(fmt: Format) -> Callable[[Bench, ApiClass], None]:
    return partial(replies_have_their_envelope, fmt=fmt)


CHECKS: tuple[Check, ...] = (
    *(Check(clause, per_class=_per_format(fmt), applies=has_getter) for fmt, clause in ENVELOPES.items()),
)
