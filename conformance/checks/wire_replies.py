"""Level 1, every kind of reply: its envelope, its media type, the id and the version of its call.

The first checks of these rules look at a getter, a listing and the commonest errors. Here each kind of message that a
class has is called, in good calls and in such as are turned down, and so is the door of the server, login and logout.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from xenconform.conformance.checks import good_calls
from xenconform.conformance.checks.bad_calls import refusals
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, show
from xenconform.conformance.checks.opening import LOGIN, opened
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.stops import Stop, take, take_json, writable
from xenconform.conformance.checks.wire_envelope import ENVELOPES, a_text_setter, json_formats
from xenconform.conformance.checks.wire_json import parsed
from xenconform.conformance.checks.wire_media import judge_media
from xenconform.models.api import Api, ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Str
from xenconform.models.values import is_null_text
from xenconform.strategies.texts import LONG_PLAIN

IDS: tuple[int | str, ...] = ("Request-A", 2**53 + 1, "", 0, "7", -1)
"""Ids of both types by turns; what has a text over one format has a number over another."""
FEW = 6
"""So many explicit messages are on a tour that is not the whole one."""
DOOR = "server, login and logout"
"""The name of the part that judges the replies about sessions."""


def element(of: ApiClass) -> str:
    """Return the name of the part that judges all kinds of replies of a class."""
    return f"{of.name}, each kind of reply"


def has_messages(_api: Api, of: ApiClass) -> bool:
    """Whether a class has any message."""
    return bool(of.messages)


def tour(bench: Bench, of: ApiClass, *, whole: bool = False) -> Iterator[Stop]:
    """Yield calls of every kind that a class has; the whole tour goes to every getter and explicit message."""
    yield from good_calls.readings(bench, of, every_field=whole)
    yield from good_calls.writings(bench, of)
    yield from good_calls.comings_and_goings(bench, of)
    yield from good_calls.explicit_calls(bench, of, None if whole else FEW)
    yield from good_calls.tasks_begun(bench, of)
    yield from refusals(bench, of, writable(bench, of))


# ------------------------------------------------------------------------------------------------------------ the door


def door(bench: Bench, fmt: Format) -> Iterator[Stop]:
    """Yield calls about sessions: a good login, a bad one, one without parameters, and the end of a session, twice."""
    known = bench.client.credentials
    if known is None:
        return
    given = tuple((Str(), each) for each in (known.user, known.password, known.version, known.originator))
    yield Stop(LOGIN, given, session=None)
    bad = f"{known.password}-not"
    bench.client.secrets.add_password(bad)
    yield Stop(LOGIN, (given[0], (Str(), bad), *given[2:]), "a bad password", None, good=False)
    yield Stop(LOGIN, (), "no parameters", None, good=False)
    with suppress(Unavailable):
        session = opened(bench, fmt)
        yield Stop("session.logout", session=session)
        yield Stop("session.logout", what="a session that has ended", session=session, good=False)
    yield Stop("session.logout", what="an unknown session", session=unknown_ref(), good=False)


def leave(bench: Bench, stop: Stop, exchange: Exchange) -> None:
    """Log a session out that a call has opened."""
    outcome = exchange.reply.outcome
    if stop.message == LOGIN and isinstance(outcome, Success) and not is_null_text(outcome.value):
        bench.call(exchange.format, "session.logout", session=str(outcome.value))


# ------------------------------------------------------------------------------------------------------------ envelopes


def every_reply_has_its_envelope(bench: Bench, of: ApiClass, *, fmt: Format) -> None:
    """Replies of every kind stand in the format's envelope. Source: wire protocol."""
    if fmt in bench.formats:
        with bench.judging(ENVELOPES[fmt], element(of), fmt) as judge:
            for stop in tour(bench, of, whole=bench.budget.boundaries):
                if (exchange := take(bench, fmt, stop)) is not None:
                    _judge_envelope(bench, judge, exchange)


def the_door_has_its_envelope(bench: Bench, *, fmt: Format) -> None:
    """Replies about sessions stand in the format's envelope. Source: wire protocol."""
    if fmt in bench.formats:
        with bench.judging(ENVELOPES[fmt], DOOR, fmt) as judge:
            for stop in door(bench, fmt):
                if (exchange := take(bench, fmt, stop)) is not None:
                    _judge_envelope(bench, judge, exchange)
                    leave(bench, stop, exchange)


def _judge_envelope(bench: Bench, judge: Judge, exchange: Exchange) -> None:
    """Assert a reply's envelope; what is wrong with it was recorded when it came, under the message."""
    if bench.flawed(judge.clause, exchange.message, exchange.format):
        judge.failed = True
    elif exchange.status:
        judge.asserted += 1


# ----------------------------------------------------------------------------------------------------------- media type


def every_reply_is_xml(bench: Bench, of: ApiClass) -> None:
    """XML-RPC replies of every kind name text/xml. Source: XML-RPC specification."""
    if Format.XMLRPC in bench.formats:
        with bench.judging("WIRE-XML-CONTENT-TYPE", element(of), Format.XMLRPC) as judge:
            for stop in tour(bench, of):
                if (exchange := take(bench, Format.XMLRPC, stop)) is not None:
                    judge_media(judge, exchange)


def the_door_and_long_replies_are_xml(bench: Bench) -> None:
    """XML-RPC replies about sessions, and long ones, name text/xml. Source: XML-RPC specification."""
    if Format.XMLRPC not in bench.formats:
        return
    with bench.judging("WIRE-XML-CONTENT-TYPE", "server, login, logout and long replies", Format.XMLRPC) as judge:
        for stop in door(bench, Format.XMLRPC):
            if (exchange := take(bench, Format.XMLRPC, stop)) is not None:
                judge_media(judge, exchange)
                leave(bench, stop, exchange)
        with suppress(Unavailable):
            obj, setter = a_text_setter(bench)
            with bench.restoring(obj, setter.partition(".set_")[2]):
                bench.call(Format.XMLRPC, setter, obj.ref, LONG_PLAIN)
                judge_media(judge, bench.call(Format.XMLRPC, setter.replace(".set_", ".get_"), obj.ref))


# ---------------------------------------------------------------------------------------------------- ids and versions


def every_reply_has_its_id(bench: Bench, of: ApiClass) -> None:
    """JSON-RPC replies of every kind have the id of their call. Source: wire protocol."""
    for fmt in json_formats(bench):
        with bench.judging("WIRE-JSON-ID-ECHO", element(of), fmt) as judge:
            for at, stop in enumerate(tour(bench, of)):
                _judge_id(bench, judge, fmt, stop, at)


def the_door_gives_ids_back(bench: Bench) -> None:
    """JSON-RPC replies about sessions have the id of their call. Source: wire protocol."""
    for fmt in json_formats(bench):
        with bench.judging("WIRE-JSON-ID-ECHO", DOOR, fmt) as judge:
            for at, stop in enumerate(door(bench, fmt)):
                _judge_id(bench, judge, fmt, stop, at)


def _judge_id(bench: Bench, judge: Judge, fmt: Format, stop: Stop, at: int) -> None:
    ident = IDS[(at + bench.formats.index(fmt)) % len(IDS)]
    exchange = take_json(bench, fmt, stop, id=ident)
    leave(bench, stop, exchange)
    seen = parsed(exchange)
    if seen is not None:  # what is no JSON is told under the envelopes
        same = type(seen.get("id")) is type(ident) and seen["id"] == ident
        told = f"id {show(seen.get('id', 'left out'))}: {describe(exchange)}"
        judge.true(same, f"id {show(ident)} of {_named(stop)}", told, exchange)


def every_reply_is_of_its_version(bench: Bench, of: ApiClass) -> None:
    """JSON-RPC replies of every kind are of their call's version. Source: wire protocol."""
    for fmt in json_formats(bench):
        with bench.judging("WIRE-JSON-VERSION", element(of), fmt) as judge:
            for stop in tour(bench, of):
                if (exchange := take(bench, fmt, stop)) is not None:
                    _judge_version(judge, exchange, stop)


def the_door_keeps_versions(bench: Bench) -> None:
    """JSON-RPC replies about sessions are of their call's version. Source: wire protocol."""
    for fmt in json_formats(bench):
        with bench.judging("WIRE-JSON-VERSION", DOOR, fmt) as judge:
            for stop in door(bench, fmt):
                if (exchange := take(bench, fmt, stop)) is not None:
                    _judge_version(judge, exchange, stop)
                    leave(bench, stop, exchange)


def _judge_version(judge: Judge, exchange: Exchange, stop: Stop) -> None:
    seen = parsed(exchange)
    if seen is None:
        return  # what is no JSON is told under the envelopes
    version = seen.get("jsonrpc", "1.0")
    want = "2.0" if exchange.format is Format.JSONRPC2 else "1.0"
    judge.true(version == want, f"a {want} reply to {_named(stop)}", f"{version}: {describe(exchange)}", exchange)


def _named(stop: Stop) -> str:
    return f"{stop.message}{f' with {stop.what}' if stop.what else ''}"


CHECKS: tuple[Check, ...] = (
    *(
        Check(clause, per_class=partial(every_reply_has_its_envelope, fmt=fmt), applies=has_messages)
        for fmt, clause in ENVELOPES.items()
    ),
    *(Check(clause, per_server=partial(the_door_has_its_envelope, fmt=fmt)) for fmt, clause in ENVELOPES.items()),
    Check("WIRE-XML-CONTENT-TYPE", per_class=every_reply_is_xml, applies=has_messages),
    Check("WIRE-XML-CONTENT-TYPE", per_server=the_door_and_long_replies_are_xml),
    Check("WIRE-JSON-ID-ECHO", per_class=every_reply_has_its_id, applies=has_messages),
    Check("WIRE-JSON-ID-ECHO", per_server=the_door_gives_ids_back),
    Check("WIRE-JSON-VERSION", per_class=every_reply_is_of_its_version, applies=has_messages),
    Check("WIRE-JSON-VERSION", per_server=the_door_keeps_versions),
)
