"""The seams of the reference server that faults wrap; the one place that knows which methods those are.

Each function takes the server first. A change is asked at every call, so it may look at `s.fmt`, `s.method` and
`s.session`, and may remember what it saw. The seams, from the wire inwards:

    requests   bytes of a body, before it is read           replies   a whole HTTP answer, before it is sent
    params     each value of a call, typed, refs as handles  results   each value of a result, typed, refs as text
    failures   a code with its parameters, before it is written
    calls      a call and what the World says of it          handled   a message that the World alone cannot answer
    writes     each field's new value, before it is kept     on_disk   the records that a restart brings back
    sessions   the session of a call                         arrivals  the time before a call is begun
    torn       the world that a call read before others wrote
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from xenconform.conformance.reference.faults.base import Server, around
from xenconform.conformance.reference.service import HttpAnswer, Parked
from xenconform.conformance.reference.sessions import Session
from xenconform.models.api import Field
from xenconform.models.calls import Call, Failure, Format, Success
from xenconform.models.types import EventBatch, MapOf, Option, RecordOf, RefTo, SetOf, Type
from xenconform.models.values import Handle, Value, same
from xenconform.models.world import Branch, World

Rule: TypeAlias = Callable[[Callable[[Call], Branch], Call], Branch]
"""Takes what asks the World, and a call; gives what the faulty server does."""
Change: TypeAlias = Callable[[Type, Value], Value]
"""Takes a type and a value of it; gives the value that takes its place."""

WINDOW = 0.02
"""Seconds between reading and writing, in a server that has forgotten a lock."""


# ----------------------------------------------------------------------------------------------------------- the wire


def requests(s: Server, change: Callable[[bytes], bytes]) -> None:
    """Change the body of each request before it is read."""

    def begin(old: Any, path: str, content_type: str, body: bytes, http_method: str = "POST") -> Any:
        return old(path, content_type, change(body), http_method)

    around(s.service, "begin", begin)


def replies(s: Server, change: Callable[[HttpAnswer, bytes], HttpAnswer]) -> None:
    """Change each HTTP answer, given the body that it answers."""

    def begin(old: Any, path: str, content_type: str, body: bytes, http_method: str = "POST") -> Any:
        answer = old(path, content_type, body, http_method)
        if isinstance(answer, HttpAnswer):
            return change(answer, body)

        def resume(last: bool) -> HttpAnswer | None:
            late = answer.resume(last)
            return None if late is None else change(late, body)

        return Parked(answer.seconds, resume)

    around(s.service, "begin", begin)


def bodies(s: Server, change: Callable[[bytes], bytes], *formats: Format) -> None:
    """Change the body of each reply of some formats, or of all; error pages are left alone."""
    replies(s, lambda a, _: replace(a, body=change(a.body)) if a.status == 200 and s.is_over(*formats) else a)


def json_replies(s: Server, change: Callable[[dict[str, Any]], dict[str, Any]], *formats: Format) -> None:
    """Change the members of each JSON reply of some formats, or of both."""

    def changed(body: bytes) -> bytes:
        return json.dumps(change(json.loads(body)), separators=(",", ":")).encode()

    bodies(s, changed, *(formats or (Format.JSONRPC1, Format.JSONRPC2)))


# ------------------------------------------------------------------------------------------------------------- values


def params(s: Server, change: Change) -> None:
    """Change each value that a call brings, its parts first; references are handles, unknown ones text."""
    around(s.service, "_read", lambda old, name, of, node: deep(s, of, old(name, of, node), change))


def results(s: Server, change: Change) -> None:
    """Change each value of a successful result, its parts first; references are text."""

    def shown(old: Any, outcome: Success | Failure, of: Type | None) -> Success | Failure:
        found: Success | Failure = old(outcome, of)
        return Success(deep(s, of, found.value, change)) if of is not None and isinstance(found, Success) else found

    around(s.service, "_shown", shown)


def failures(s: Server, change: Callable[[Failure], Failure | Success]) -> None:
    """Change each failure; its parameters are text by then."""

    def shown(old: Any, outcome: Success | Failure, of: Type | None) -> Success | Failure:
        found: Success | Failure = old(outcome, of)
        return change(found) if isinstance(found, Failure) else found

    around(s.service, "_shown", shown)


def deep(s: Server, of: Type, value: Value, change: Change) -> Value:
    """Return a value with a change made to each of its parts, and then to the whole."""
    match of:
        case SetOf(item):
            value = tuple(deep(s, item, each, change) for each in value)
        case MapOf(key, item):
            value = {deep(s, key, k, change): deep(s, item, v, change) for k, v in value.items()}
        case RecordOf(cls) if cls in s.api.classes:
            value = _record(s, cls, value, change)
        case Option(item) if value is not None:
            return deep(s, item, value, change)
        case EventBatch():
            value = value | {"events": tuple(_event(s, each, change) for each in value["events"])}
    return change(of, value)


def _record(s: Server, cls: str, record: Mapping[str, Value], change: Change) -> dict[str, Value]:
    fields = s.api.classes[cls].fields
    return {n: deep(s, fields[n].type, v, change) if n in fields else v for n, v in record.items()}


def _event(s: Server, event: Mapping[str, Value], change: Change) -> dict[str, Value]:
    cls = next((name for name in s.api.classes if name.lower() == event["class"]), "")
    shown = {"snapshot": _record(s, cls, event["snapshot"], change)} if cls and "snapshot" in event else {}
    return {**event, **shown}


# ----------------------------------------------------------------------------------------------------------- messages


def calls(s: Server, rule: Rule, names: str = "*") -> None:
    """Put a rule in the place of the World's for the messages whose full names fit a glob: `network.add_*`."""

    def predict(old: Any, call: Call) -> Branch:
        return rule(old, call) if fnmatchcase(call.message, names) else old(call)

    around(s.state, "predict", predict)


def after(s: Server, effect: Callable[[Call, Branch], Branch], names: str = "*") -> None:
    """Change what comes of each call that succeeds, of the messages whose full names fit a glob."""

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        branch = old(call)
        return effect(call, branch) if isinstance(branch.outcome, Success) else branch

    calls(s, rule, names)


def handled(s: Server, name: str, new: Callable[..., Any]) -> None:
    """Put `new(old, state, session, args)` in the place of a message that the World alone cannot answer."""
    old = s.state.handlers[name]
    s.state.handlers[name] = lambda state, session, args: new(old, state, session, args)


def writes(s: Server, change: Callable[[Handle, Field, Value, Value], Value]) -> None:
    """Change what is kept of each field that a call changes: given are the object, the field, the old and the new.

    Of a new object every field is one that changes, and its old value is None.
    """

    def adopt(old: Any, world: World, touched: tuple[Handle, ...]) -> None:
        for handle in dict.fromkeys(touched):
            before, now = s.state.world.record(handle) or {}, world.record(handle)
            fields = s.api.classes[handle.cls].fields
            for name, value in (now or {}).items():
                if name not in before or not same(fields[name].type, before[name], value):
                    kept = change(handle, fields[name], before.get(name), value)
                    world = world if kept is value else put(world, handle, **{name: kept})
        old(world, touched)

    around(s.state, "adopt", adopt)


def put(world: World, handle: Handle, **values: Value) -> World:
    """Return a world with fields of an object overwritten; no far end follows."""
    records = world.objects[handle.cls]
    changed = {**records, handle.n: {**records[handle.n], **values}}
    return replace(world, objects={**world.objects, handle.cls: changed})


def putting(branch: Branch, handle: Handle, **values: Value) -> Branch:
    """Return a branch after which fields of an object are overwritten too; no far end follows."""
    return replace(branch, world=put(branch.world, handle, **values), touched=(*branch.touched, handle))


def fields_of(s: Server, handle: Handle) -> Mapping[str, Value]:
    """Return the fields of an object, none where it is gone."""
    return s.state.world.record(handle) or {}


def code_of(branch: Branch) -> str:
    """Return the code of a branch that refuses, "" of one that succeeds."""
    return branch.outcome.code if isinstance(branch.outcome, Failure) else ""


def answering(branch: Branch, value: Value) -> Branch:
    """Return a branch that gives another value; its references are handles still."""
    return replace(branch, outcome=Success(value))


def refusing(s: Server, code: str, *params: str | Handle) -> Branch:
    """Return a branch that refuses and changes nothing."""
    return Branch(Failure(code, params), s.state.world)


# --------------------------------------------------------------------------------------------- sessions, disk and time


def sessions(s: Server, change: Callable[[Callable[[], Session], str], Session]) -> None:
    """Change which session a call has: given are what finds it, raising a Refusal, and the text that the call brought.

    A change that returns a session lets the call go on with it.
    """
    around(s.service, "_session", lambda old, plan, call: change(
        lambda: old(plan, call), getattr(call.params[0], "text", "") if call.params else ""))  # fmt: skip


def on_disk(s: Server, change: Callable[[Handle, Mapping[str, Value]], Mapping[str, Value] | None]) -> None:
    """Change each record that a restart brings back; None leaves the object out. Without a restart nothing happens."""
    if not s.restarted:
        return
    world, objects = s.state.world, {}
    for cls in world.objects:
        changed = ((h.n, change(h, world.record(h) or {})) for h in world.handles(cls))
        objects[cls] = {n: record for n, record in changed if record is not None}
    s.state.world = replace(world, objects=objects)


def arrivals(s: Server, wait: Callable[[bytes], Awaitable[None]]) -> None:
    """Wait for something before a call is begun, given its body; other calls are answered meanwhile."""

    async def begin(old: Any, scope: Any, receive: Any, body: bytes) -> HttpAnswer:
        await wait(body)
        answer: HttpAnswer = await old(scope, receive, body)
        return answer

    around(s.app, "_begin", begin)


def torn(s: Server, marker: bytes, rule: Callable[[World, Callable[[Call], Branch], Call], Branch]) -> None:
    """Let calls whose body holds a marker read the world when they arrive and write it a little later.

    The rule is given the world as it was on arrival, what asks the World now, and the call. Where no other call comes
    between, the two worlds are one, so a fault of this kind shows under concurrency alone.
    """
    seen: list[World] = []

    async def begin(old: Any, scope: Any, receive: Any, body: bytes) -> HttpAnswer:
        answer: HttpAnswer
        if marker not in body:
            answer = await old(scope, receive, body)
            return answer
        world = s.state.world
        await asyncio.sleep(WINDOW)
        seen.append(world)
        try:
            answer = await old(scope, receive, body)
        finally:
            seen.clear()
        return answer

    def predict(old: Any, call: Call) -> Branch:
        message = s.api.message(call.message)
        refs = message is not None and message.params and isinstance(message.params[0].type, RefTo)
        nothing = refs and not isinstance(call.args[0], Handle)  # A ref of no object is refused as ever.
        return rule(seen[0], old, call) if seen and not nothing and marker in call.message.encode() else old(call)

    around(s.app, "_begin", begin)
    around(s.state, "predict", predict)
