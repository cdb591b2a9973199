"""The event messages, read from the log of changes.

A token names the server's run and the last change that it covers, so that a token of an earlier run is told apart.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from xenconform.conformance.reference.changes import Change
from xenconform.conformance.reference.sessions import Session, Watch
from xenconform.conformance.reference.state import Refusal, State, Waiting
from xenconform.models.values import Value

RUN = secrets.token_hex(4)
"""The run of this server that its tokens name."""

NEXT_SECONDS = 30.0
"""How long event.next waits before it answers with nothing."""

MOST_SECONDS = 3600.0


def event_from(state: State, _session: Session, args: tuple[Value, ...]) -> Waiting:
    """Return what changed since a token in the watched classes and objects; at token "" everything there is."""
    classes, token, timeout = args
    since = _since(state, token)
    wanted = frozenset(each.lower() if "/" not in each else _object(each) for each in classes)

    def poll(last: bool) -> Any:
        events = [_event(state, c) for c in _watched(state, wanted, since)]
        if not events and not last:
            return None
        return {"events": events, "valid_ref_counts": _counts(state, wanted), "token": _token(state.version)}

    return Waiting(min(timeout, MOST_SECONDS), poll)


def event_next(state: State, session: Session, _args: tuple[Value, ...]) -> Waiting:
    """Return what changed since the session last asked, as records of events."""
    watch = session.watch
    if watch is None or not watch.classes:
        raise Refusal("SESSION_NOT_REGISTERED", session.handle)

    def poll(last: bool) -> Any:
        found = tuple(_as_record(state, c) for c in _watched(state, watch.classes, watch.seen))
        if not found and not last:
            return None
        watch.seen = state.version
        return found

    return Waiting(NEXT_SECONDS, poll)


def register(state: State, session: Session, args: tuple[Value, ...]) -> None:
    """Watch classes for event.next, beside those watched already."""
    seen, before = (session.watch.seen, session.watch.classes) if session.watch else (state.version, frozenset())
    session.watch = Watch(before | {each.lower() for each in args[0]}, seen)


def unregister(_state: State, session: Session, args: tuple[Value, ...]) -> None:
    """Watch classes no more."""
    if session.watch:
        session.watch.classes -= {each.lower() for each in args[0]}


def inject(state: State, _session: Session, args: tuple[Value, ...]) -> str:
    """Tell of an object as if it had changed; return a token that covers the change."""
    cls, ref = args
    handle = state.refs.handle(ref)
    if handle is None or handle.cls.lower() != cls.lower():
        raise Refusal("HANDLE_INVALID", cls, ref)
    state.changes.note("mod", handle, ref)
    return _token(state.version)


def current_id(state: State, _session: Session, _args: tuple[Value, ...]) -> int:
    """Return the id of the last change."""
    return state.version


def _token(at: int) -> str:
    return f"{RUN}-{at}"


def _since(state: State, token: str) -> int:
    if not token:
        return 0
    run, _, number = token.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 20):
        raise Refusal("EVENT_FROM_TOKEN_PARSE_FAILURE", token)
    since = int(number)
    if run != RUN or state.changes.lost(since) or since > state.version:
        raise Refusal("EVENTS_LOST")
    return since


def _object(text: str) -> str:
    cls, _, ref = text.partition("/")
    return f"{cls.lower()}/{ref}"


def _watched(state: State, wanted: frozenset[str], since: int) -> Iterable[Change]:
    for change in state.changes.since(since):
        cls = change.handle.cls.lower()
        # Who knows of nothing yet need not be told that something has gone.
        told = since or change.operation != "del"
        if told and ("*" in wanted or cls in wanted or f"{cls}/{change.ref}" in wanted):
            yield change


def _event(state: State, change: Change) -> dict[str, Value]:
    event: dict[str, Value] = {
        "id": change.id,
        "timestamp": "0.0",
        "class": change.handle.cls.lower(),
        "operation": change.operation,
        "ref": change.ref,
    }
    record = state.world.record(change.handle)
    if record is not None:
        event["snapshot"] = state.refs.record(change.handle.cls, record)
    return event


def _as_record(state: State, change: Change) -> dict[str, Value]:
    event = _event(state, change)
    record = state.world.record(change.handle) or {}
    return {**event, "timestamp": datetime.fromtimestamp(0, UTC), "obj_uuid": record.get("uuid", "")}


def _counts(state: State, wanted: frozenset[str]) -> dict[str, int]:
    classes = {each.partition("/")[0] for each in wanted}
    counted = {cls.lower(): len(state.world.objects.get(cls, ())) for cls in state.world.api.classes}
    return {cls: n for cls, n in counted.items() if "*" in classes or cls in classes}
