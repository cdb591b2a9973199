"""Level 5, hostile calls: several in one body, and calls that try to get through without a session."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.hostile_scene import Scene, scene, succeeded
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, show
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.sessions import NO_SESSIONS
from xenconform.conformance.checks.wire_envelope import json_formats
from xenconform.conformance.checks.wire_uncounted import is_there
from xenconform.conformance.codec import Array, Param, Scalar, codec_for
from xenconform.models.calls import Format
from xenconform.models.exchange import Exchange
from xenconform.models.types import RefTo

MANY = 120
"""So many calls are many for a batch, and not too many."""


def batches_are_whole(bench: Bench) -> None:
    """A JSON array of calls is answered whole or refused whole. Source: JSON-RPC 2.0, section 6."""
    for fmt in json_formats(bench):
        with bench.judging("ROBUST-BATCH", "server", fmt) as judge, scene(bench, judge) as here:
            ask, write = (json.loads(each) for each in (here.asking(), here.writing("by a batch")))
            for what, calls in {
                "a read and a write": [ask | {"id": 1}, write | {"id": 2}],
                "a write and a read": [write | {"id": 1}, ask | {"id": 2}],
                "a write alone": [write | {"id": 1}],
                "a write and what is no call": [write | {"id": 1}, 7],
                "what is no call, before a write and behind it": [None, [], write | {"id": 2}, "no call", False],
                "a write, a call of no method and one without a method": [
                    write | {"id": 1},
                    ask | {"id": 2, "method": "no.such"},
                    {"jsonrpc": "2.0", "id": 3, "params": []},
                ],
                "a read of nobody's session and a write": [
                    json.loads(here.asking("OpaqueRef:none")) | {"id": 1},
                    write | {"id": 2},
                ],
                "a write and five reads": [write | {"id": 1}, *(ask | {"id": n} for n in range(2, 7))],
                "a write and many reads": [write | {"id": 1}, *(ask | {"id": n} for n in range(2, MANY))],
                "calls whose ids are alike": [write | {"id": 1}, ask | {"id": "1"}, write | {"id": 1}],
            }.items():
                _judge_whole(judge, here, what, calls)
            bare = {name: each for name, each in write.items() if name != "id"}
            for what, calls in {
                "a write without an id and a read": [bare, ask | {"id": 2}],
                "a read and a write whose id is null": [ask | {"id": 1}, bare | {"id": None}],
            }.items():
                _judge_unwritten(judge, here, what, calls)


def _judge_whole(judge: Judge, here: Scene, what: str, calls: list[Any]) -> None:
    exchange = here.send(json.dumps(calls).encode())
    now, seen = here.read()
    written = now == "by a batch"
    answers = _answers(exchange)
    if answers is None:
        judge.true(not written, f"a batch of {what} that is refused writes nothing", f"the text is {show(now)}",
                   exchange, seen)  # fmt: skip
    else:
        ids = sorted(str(each.get("id")) for each in answers if isinstance(each, dict))
        missing = Counter(str(each["id"]) for each in calls if _is_call(each)) - Counter(ids)
        # What is no call is no notification either: it gets an answer as well, to the id null.
        whole = not missing and len(answers) >= len(calls)
        judge.true(whole, f"a batch of {what} gets an answer to each of its {len(calls)} members",
                   f"answers to {ids}", exchange)  # fmt: skip
        wrote = next((each for each in answers if _is_of(each, calls)), None)
        if wrote is not None:
            judge.true(written == _is_success(wrote), f"the answers to a batch of {what} tell what was done",
                       f"the text is {show(now)}", exchange, seen)  # fmt: skip
    here.write("xenconform")


def _judge_unwritten(judge: Judge, here: Scene, what: str, calls: list[Any]) -> None:
    """Send a batch with a write that is no call, as it has no id: whatever is answered, it has written nothing."""
    exchange = here.send(json.dumps(calls).encode())
    now, seen = here.read()
    judge.true(now == "xenconform", f"a batch of {what} writes nothing", f"the text is {show(now)}", exchange, seen)
    here.write("xenconform")


def _answers(exchange: Exchange) -> list[Any] | None:
    """Return the answers to a batch; None where it was refused as a whole."""
    if exchange.status != 200:
        return None
    try:
        found = json.loads(exchange.received)
    except ValueError:
        return None
    if isinstance(found, dict):
        # A lone error is a refusal of all; a lone result is the answer to one call of several.
        return None if found.get("error") is not None else [found]
    return found if isinstance(found, list) else None


def _is_call(member: Any) -> bool:
    return isinstance(member, dict) and "method" in member


def _is_of(answer: Any, calls: list[Any]) -> bool:
    write = next(each for each in calls if _is_call(each) and ".set_" in each["method"])
    return isinstance(answer, dict) and answer.get("id") == write["id"]


def _is_success(answer: dict[str, Any]) -> bool:
    return answer.get("error") is None and "result" in answer


def nothing_gets_through_without_a_session(bench: Bench) -> None:
    """No odd spelling of a session, a method or a path reaches a message. Source: good practice in security."""
    for fmt in bench.formats:
        with bench.judging("ROBUST-AUTH", "server", fmt) as judge, scene(bench, judge) as here:
            for what, body, path in _attempts(here):
                exchange = here.send(body, path)
                judge.true(not succeeded(exchange), f"{what} does not get through", describe(exchange), exchange)
            _judge_ends(judge, here)
            now, seen = here.read()
            judge.true(now == "xenconform", "nothing was written without a session", show(now), seen)


def _judge_ends(judge: Judge, here: Scene) -> None:
    """Try to end an object, and to begin a task, with what is nearly a session: each message may look at it anew."""
    bench = here.bench
    of = bench.api.classes[here.obj.cls]
    try:
        spare = bench.stock.make(of.name)
    except Unavailable:
        return
    name = f"{of.name}.{of.destructor}"
    for what, spelled in _spellings(here.fmt, bench.client.session).items():
        if spelled == bench.client.session:
            continue
        for message, ref in ((name, spare.ref), (f"Async.{name}", unknown_ref())):
            params: list[Param] = [(RefTo("session"), spelled), (RefTo(of.name), ref)]
            exchange = here.send(codec_for(here.fmt).encode_call(message, params))
            told = f"{message} with a session {what} does not get through"
            judge.true(not succeeded(exchange), told, describe(exchange), exchange)
    if is_there(bench, spare):
        bench.stock.remove(spare)
    else:
        judge.true(False, f"the {of.name} that is to end without a session is there", "it is gone")
        bench.stock.forget(spare)


def _attempts(here: Scene) -> Iterator[tuple[str, bytes, str | None]]:
    session, good = here.bench.client.session, here.asking()
    spellings = _spellings(here.fmt, session)
    for what in TELLING:
        here.bench.client.secrets.add_session(spellings.get(what, ""))
    for what, spelled in spellings.items():
        if spelled == session:
            continue
        yield f"a session {what}", here.asking(spelled), None
        written = here.writing("without a session").replace(session.encode(), _inside(here.fmt, spelled), 1)
        yield f"a write with a session {what}", written, None
    # A session that is nearly one, and a call that is nearly named: what looks at one may forget the other.
    none = here.asking("OpaqueRef:none")
    cls, _, name = here.listing.partition(".")
    for spelled in (f"{cls}_{name}", f"{cls}.{name} ", f" {here.listing}", here.listing.upper(), f"{cls}..{name}",
                    f"{here.listing}:x", f"{cls}/{name}", f"/{here.listing}", f"internal.{here.listing}"):  # fmt: skip
        yield f"the method {spelled!r} without a session", none.replace(here.listing.encode(), spelled.encode()), None
    own = here.bench.client.target.path_for(here.fmt)
    for path in (f"{own}?session_id={session}", f"{own}#x", f"/{own}", f"{own}/", f"{own}/..{own}", "/%2e%2e" + own,
                 f"{own};x=y", f"{own}?x=../..", own.replace("j", "%6a"),
                 *([own.upper()] if own.upper() != own else []), f"/.{own}", f"{own}%00"):  # fmt: skip
        yield f"the path {path.partition('?')[0]!r} without a session", none, path
    for what, node in {**NO_SESSIONS, "an array with it": Array((Scalar("string", session),))}.items():
        yield f"{what} for a session", codec_for(here.fmt).encode_call(here.listing, [(None, node)]), None
    if here.fmt is Format.XMLRPC:
        bare = f"<value><string>{session}</string></value>"
        yield "an empty value for a session", good.replace(bare.encode(), b"<value/>"), None
    yield "no parameter at all", codec_for(here.fmt).encode_call(here.listing, []), None
    null = codec_for(here.fmt).encode_call(here.listing, [(RefTo("session"), "OpaqueRef:NULL")])
    yield "the null reference for a session", null, None


TELLING = ("in other case", "whose own part is in other case", "without its prefix", "in percent signs",
           "without dashes", "in braces")  # fmt: skip
"""The spellings that tell a session and do not show it as it is."""


def _spellings(fmt: Format, session: str) -> dict[str, str]:
    """Return texts that are nearly a session: refs are compared exactly."""
    prefix, colon, tail = session.rpartition(":")
    changed = session.swapcase()
    return {
        "that is empty": "",
        **({"in other case": changed} if changed != session else {}),
        **({"without its prefix": tail} if colon else {}),
        **({"with a prefix of its own": f"Other{colon}{tail}"} if colon else {}),
        **({"whose own part is in other case": f"{prefix}{colon}{tail.swapcase()}"} if colon else {}),
        "without dashes": session.replace("-", ""),
        "in braces": f"{prefix}{colon}{{{tail}}}",
        **({"with a NUL behind it": f"{session}\0"} if fmt is not Format.XMLRPC else {}),
        **({"that is a prefix alone": f"{prefix}{colon}"} if colon else {}),
        "with a space behind it": f"{session} ",
        "with a space before it": f" {session}",
        "with a line end behind it": f"{session}\n",
        "cut by a character": session[:-1],
        "with a character more": f"{session}0",
        "in percent signs": session.replace(":", "%3A").replace("-", "%2D"),
        "that is a pattern": "%",
        "that is a star": "*",
        "with a quote": "' or '1'='1",
        "of two": f"{session},{session}",
    }  # fmt: skip


def _inside(fmt: Format, text: str) -> bytes:
    """Return text as it stands inside a document."""
    return json.dumps(text)[1:-1].encode() if fmt is not Format.XMLRPC else text.encode()


CHECKS: tuple[Check, ...] = (
    Check("ROBUST-BATCH", per_server=batches_are_whole),
    Check("ROBUST-AUTH", per_server=nothing_gets_through_without_a_session),
)
