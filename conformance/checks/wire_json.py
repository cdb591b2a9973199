"""Level 1, what JSON-RPC adds to a call: its id, which comes back, and its version, which the reply keeps."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, TypeAlias

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, is_refusal, show
from xenconform.conformance.checks.opening import another_session
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.watch import FROM
from xenconform.conformance.checks.watching_server import sibling
from xenconform.conformance.checks.wire_envelope import a_listing, a_text_setter, json_call, json_formats
from xenconform.conformance.codec import Param, codec_for
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Float, RefTo, SetOf, Str

IDS: tuple[int | str, ...] = (
    0,
    1,
    -1,
    7,
    2**31,
    -(2**31) - 1,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    "",
    "2024-07-01T10:00:00+02:00",
    "7",
    "007",
    "-1",
    "1.0",
    " ",
    " Request-A\t",
    "null",
    "true",
    'quo"te\\',
    "a\\n\\u0041/<&>'%20",
    "\u00e9e\u0301\u65e5\U0001f600",
    "i" * 1000,
)
WIDE: tuple[int, ...] = (2**63 + 1025, -(2**64) - 1)
"""Integers that a server may have no room for: it may refuse them, and may not change them."""
WRONG_VERSIONS: tuple[object, ...] = (
    "1.0",
    "1.1",
    "2.1",
    "3.0",
    "2",
    "",
    "2.0 ",
    " 2.0",
    "v2.0",
    2,
    2.0,
    3,
    True,
    ["2.0"],
)
IN_PARAMETERS: tuple[Any, ...] = ('"jsonrpc":"2.0"', {"jsonrpc": "2.0"}, {"jsonrpc": "1.0", "id": 5})
"""What looks like a version, standing where it is none."""
WAIT = 0.5
"""Seconds that a call for events is to wait."""
Sent: TypeAlias = tuple[str, list[Any]]


def parsed(exchange: Exchange) -> dict[str, Any] | None:
    """Return a reply's JSON object, None where it is none."""
    try:
        found = json.loads(exchange.received)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


# ---------------------------------------------------------------------------------------------------------------- ids


def id_comes_back(bench: Bench) -> None:
    """The reply's id is the request's, type and value, of success and failure alike. Source: wire protocol."""
    for fmt in json_formats(bench):
        with bench.judging("WIRE-JSON-ID-ECHO", "server", fmt) as judge:
            always, in_turn = _kinds(bench, fmt)
            for at, ident in enumerate((*IDS, *WIDE)):
                for message, params in (*always, in_turn[at % len(in_turn)]):
                    _judge_id(judge, json_call(bench, fmt, message, params, id=ident), ident)
            with suppress(Unavailable):
                _while_another_waits(bench, judge, fmt)
            with suppress(Unavailable):
                _asked_with_the_same_id(bench, fmt)


def _asked_with_the_same_id(bench: Bench, fmt: Format) -> None:
    """Ask for a value twice by the same bytes, the id too, and set it between: clients count from one, or not at all.

    Raises:
        Unavailable: there is no text that may be written.
    """
    obj, setter = a_text_setter(bench)
    cls, _, field = setter.partition(".set_")
    with bench.judging("SET-VALUE", f"{cls}.{field}", fmt) as judge, bench.restoring(obj, field):
        for text in ("before", "after"):
            wrote = bench.call(fmt, setter, obj.ref, text)
            if isinstance(wrote.reply.outcome, Success):
                seen = json_call(bench, fmt, f"{cls}.get_{field}", [obj.ref], id="the same")
                shown = (parsed(seen) or {}).get("result")
                told = shown.get("Value") if isinstance(shown, dict) else shown
                judge.true(told == text, f"{text!r}, by a call with an id that was used", show(told), wrote, seen)


def _while_another_waits(bench: Bench, judge: Judge, fmt: Format) -> None:
    """Let a call wait for events while others are answered: each keeps its own id.

    Raises:
        Unavailable: the server has no call that waits, or it does not wait.
    """
    waiting = bench.api.message(FROM)
    listing, _ = a_listing(bench)
    if waiting is None or FROM in bench.profile.never:
        raise Unavailable(f"no {FROM}")
    began = bench.call(fmt, FROM, (), "", 0.0).reply.outcome
    token = began.value.get("token") if isinstance(began, Success) and isinstance(began.value, dict) else None
    if not isinstance(token, str):
        raise Unavailable(f"{FROM} gives no token; counted under EVENT-FROM")
    params: list[Param] = [(RefTo("session"), bench.client.session), (SetOf(Str()), ("task/xenconform",))]
    body = codec_for(fmt).encode_call(FROM, [*params, (Str(), token), (Float(), WAIT)], "who waits")
    with sibling(bench, []) as client, ThreadPoolExecutor(1) as thread:
        answer = thread.submit(client.raw, fmt, body)
        while not wait([answer], WAIT / 10).done:
            _judge_id(judge, json_call(bench, fmt, listing, [], id="who comes later"), "who comes later")
    if isinstance(answer.result().reply.outcome, Success):
        _judge_id(judge, answer.result(), "who waits")


def _kinds(bench: Bench, fmt: Format) -> tuple[list[Sent], list[Sent]]:
    """Return calls that are sent with every id, and calls of which one is: each kind of reply has its own way back."""
    listing, refs = a_listing(bench)
    getter = listing.replace(".get_all", ".get_uuid")
    always: list[Sent] = [(listing, []), (listing, ["one too many"])]
    in_turn: list[Sent] = [
        (getter, [refs[0]]),
        (getter, [unknown_ref()]),
        (listing.replace(".get_all", ".no_such_message"), []),
        (listing.replace(".get_all", ".get_record"), [refs[0]]),
        (getter, [{}]),
    ]
    try:
        obj, setter = a_text_setter(bench)
        now, _ = bench.ask(fmt, setter.replace(".set_", ".get_"), obj.ref)
        always.append((setter, [obj.ref, now]))
    except Unavailable:
        pass  # The other kinds of reply are judged all the same.
    return always, in_turn


def _judge_id(judge: Judge, exchange: Exchange, ident: int | str) -> None:
    """Assert that the reply has the id.

    Raises:
        Unavailable: there is no answer at all.
    """
    seen = parsed(exchange)
    wide = ident in WIDE
    if seen is None and not exchange.status:
        raise Unavailable(f"no answer to a call with the id {show(ident)}; counted under the wire clauses")
    if wide and is_refusal(exchange) and (seen is None or seen.get("id") is None):
        return
    shown = f"id {show(seen.get('id', 'left out'))}" if seen is not None else describe(exchange)
    same = seen is not None and type(seen.get("id")) is type(ident) and seen["id"] == ident
    judge.true(same, f"id {show(ident)}", shown, exchange)


# ----------------------------------------------------------------------------------------------------------- versions


def version_is_kept(bench: Bench) -> None:
    """A reply is of its call's version, and other versions than 1.0 and 2.0 are refused. Source: wire protocol."""
    for fmt in json_formats(bench):
        with bench.judging("WIRE-JSON-VERSION", "server", fmt) as judge:
            message, _ = a_listing(bench)
            for params in ([], ["one too many"], *([each] for each in IN_PARAMETERS)):
                _judge_version(judge, json_call(bench, fmt, message, params), fmt)
            for kind, params in (each for kinds in _kinds(bench, fmt) for each in kinds):
                _judge_version(judge, json_call(bench, fmt, kind, params), fmt)
            for session in (unknown_ref(), "OpaqueRef:NULL", ""):
                _judge_version(judge, bench.call(fmt, message, probe=True, session=session), fmt)
            for over in json_formats(bench):  # Of which version the login was is no matter.
                with another_session(bench, over) as session:
                    _judge_version(judge, bench.call(fmt, message, session=session), fmt)
            if fmt is Format.JSONRPC2:
                for version in WRONG_VERSIONS:
                    exchange = json_call(bench, fmt, message, [], jsonrpc=version)
                    judge.refused(exchange, f"a call of the version {version!r}")
                _judge_writing(bench, judge, fmt)


def _judge_writing(bench: Bench, judge: Judge, fmt: Format) -> None:
    """Judge calls of other versions that would write, where an object may be written."""
    try:
        obj, setter = a_text_setter(bench)
        before, _ = bench.ask(fmt, setter.replace(".set_", ".get_"), obj.ref)
    except Unavailable:
        return
    with bench.restoring(obj, setter.partition(".set_")[2]):
        for version in WRONG_VERSIONS:
            exchange = json_call(bench, fmt, setter, [obj.ref, f"version {version!r}"], jsonrpc=version)
            judge.refused(exchange, f"a call of the version {version!r} that writes")
        after, seen = bench.ask(fmt, setter.replace(".set_", ".get_"), obj.ref)
        judge.same(Str(), before, after, seen)


def _judge_version(judge: Judge, exchange: Exchange, fmt: Format) -> None:
    seen = parsed(exchange)
    if seen is None:
        raise Unavailable(f"no readable answer: {describe(exchange)}; counted under the wire clauses")
    if fmt is Format.JSONRPC2:
        judge.true(seen.get("jsonrpc") == "2.0", 'a reply with jsonrpc "2.0"', show(sorted(seen)), exchange)
    else:
        judge.true("jsonrpc" not in seen, "a 1.0 reply, without jsonrpc", show(sorted(seen)), exchange)


CHECKS: tuple[Check, ...] = (
    Check("WIRE-JSON-ID-ECHO", per_server=id_comes_back, also=("SET-VALUE",)),
    Check("WIRE-JSON-VERSION", per_server=version_is_kept),
)
