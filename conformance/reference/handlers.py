"""The messages that the World alone cannot answer: sessions, tasks, events, clocks, and what is of no class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from xenconform.conformance.codec import encode_xml_value
from xenconform.conformance.reference import watching
from xenconform.conformance.reference.sessions import Session
from xenconform.conformance.reference.state import Refusal, State
from xenconform.models.api import Message
from xenconform.models.calls import Call, Failure, Success
from xenconform.models.types import Void
from xenconform.models.values import Handle, Value, null

Handler: TypeAlias = Callable[[State, Any, tuple[Value, ...]], Any]


def async_call(state: State, session: Session, message: Message, args: tuple[Value, ...]) -> str:
    """Run a message as a task, which is finished when its ref is returned; what is wrong is the task's error."""
    began = _now()
    outcome = state.refs.outcome(_plainly(state, session, message, args), message.result)
    fields: dict[str, Value] = {
        "name_label": f"Async.{message.full_name}",
        "created": began,
        "finished": _now(),
        "progress": 1.0,
        "type": "<none/>",
        "resident_on": next(iter(state.world.handles("host")), null("host")),
        "allowed_operations": ("destroy",),
    }
    if isinstance(outcome, Success):
        void = isinstance(message.result, Void)
        text = "" if void else encode_xml_value(message.result, outcome.value, state.world.api)
        fields |= {"status": "success", "result": text}
    else:
        fields |= {"status": "failure", "error_info": (outcome.code, *map(str, outcome.params))}
    made = state.world.create("task", fields)
    state.adopt(made.world, made.touched)
    return state.refs.ref(Handle("task", made.world.last))


def _plainly(state: State, session: Session, message: Message, args: tuple[Value, ...]) -> Success | Failure:
    """Do what the plain form does and return its outcome."""
    handler = state.handlers.get(message.full_name)
    if handler is None:
        branch = state.predict(Call(message.full_name, args))
        # The outcome may name an object that is made here, so that one gets its ref first.
        state.adopt(branch.world, branch.touched)
        return branch.outcome
    try:
        return Success(handler(state, session, args))
    except Refusal as refused:
        return refused.failure


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _login(state: State, _session: None, args: tuple[Value, ...]) -> Handle:
    return state.login(args[0], args[1], args[3] if len(args) > 3 else "")


def _logout(state: State, session: Session, _args: tuple[Value, ...]) -> None:
    state.logout(session.handle)


def _no_subjects(_state: State, _session: Session, _args: tuple[Value, ...]) -> tuple[str, ...]:
    return ()


def _list_methods(state: State, _session: None, _args: tuple[Value, ...]) -> tuple[str, ...]:
    return state.plans.names()


def _is_alive(_state: State, _session: None, _args: tuple[Value, ...]) -> bool:
    return True


def _servertime(state: State, _session: Session, args: tuple[Value, ...]) -> datetime:
    if args[0] not in state.world.handles("host"):
        raise Refusal("HANDLE_INVALID", "host", args[0])
    return _now()


def _stamped(message: str, field: str) -> Handler:
    """Return a handler that lets the World make objects and then writes the time into one field of each that has it."""

    def handler(state: State, _session: Session, args: tuple[Value, ...]) -> Handle:
        branch = state.predict(Call(message, args))
        if not isinstance(branch.outcome, Success):
            raise Refusal(branch.outcome.code, *branch.outcome.params)
        world, touched, now = branch.world, branch.touched, _now()
        for handle in branch.touched:
            if state.world.record(handle) is None and field in world.api.classes[handle.cls].fields:
                written = world.write(handle, field, now)
                world, touched = written.world, (*touched, *written.touched)
        state.adopt(world, touched)
        made: Handle = branch.outcome.value
        return made

    return handler


_WITH_BLOBS = ("SR", "VM", "host", "network", "pool")

HANDLERS: Mapping[str, Handler] = {
    "session.login_with_password": _login,
    "session.slave_local_login_with_password": _login,
    "session.logout": _logout,
    "session.local_logout": _logout,
    "session.get_all_subject_identifiers": _no_subjects,
    "host.get_servertime": _servertime,
    "host.get_server_localtime": _servertime,
    "message.create": _stamped("message.create", "timestamp"),
    "task.create": _stamped("task.create", "created"),
    "blob.create": _stamped("blob.create", "last_updated"),
    **{f"{cls}.create_new_blob": _stamped(f"{cls}.create_new_blob", "last_updated") for cls in _WITH_BLOBS},
    **{name: _stamped(name, "snapshot_time") for name in ("VM.snapshot", "VM.checkpoint", "VDI.snapshot")},
    "system.listMethods": _list_methods,
    "system.isAlive": _is_alive,
    "event.from": watching.event_from,
    "event.next": watching.event_next,
    "event.register": watching.register,
    "event.unregister": watching.unregister,
    "event.inject": watching.inject,
    "event.get_current_id": watching.current_id,
}
