"""Faults of asynchronous calls: tasks, their results, errors and ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import fields_of, handled, put, results
from xenconform.models.api import Message
from xenconform.models.calls import Call, Format
from xenconform.models.types import RefTo
from xenconform.models.values import Handle, Value

JSON1, JSON2 = Format.JSONRPC1, Format.JSONRPC2
Ending = Callable[[Message, Mapping[str, Value]], Mapping[str, Value]]
"""Takes an asynchronous call's message and its task's fields; gives those of them that are otherwise."""


def endings(s: Server, change: Ending) -> None:
    """Change what a task shows when it has ended."""

    def task(old: Any, session: Any, message: Message, args: tuple[Value, ...]) -> str:
        ref: str = old(session, message, args)
        handle = s.state.refs.handle(ref)
        changed = change(message, fields_of(s, handle)) if handle is not None else {}
        if handle is not None and changed:
            s.state.adopt(put(s.state.world, handle, **changed), (handle,))
        return ref

    around(s.service, "_task", task)


def asynchronously(s: Server, change: Callable[[Message, tuple[Value, ...]], tuple[Value, ...] | None]) -> None:
    """Change the arguments with which a task does its work; None lets it do nothing."""
    idle: list[bool] = []

    def task(old: Any, session: Any, message: Message, args: tuple[Value, ...]) -> str:
        changed = change(message, args)
        idle[:] = [True] if changed is None else []
        try:
            ref: str = old(session, message, args if changed is None else changed)
        finally:
            idle.clear()
        return ref

    def predict(old: Any, call: Call) -> Any:
        branch = old(call)
        return s.state.world.stay(branch.outcome.value) if idle and hasattr(branch.outcome, "value") else branch

    around(s.service, "_task", task)
    around(s.state, "predict", predict)


@fault("ASYNC-TASK", "network", EASY)
def progress_stays_at_half(s: Server) -> None:
    """A task that has succeeded shows a progress of one half."""
    endings(s, lambda _, task: {"progress": 0.5} if task["status"] == "success" else {})


@fault("ASYNC-TASK", "VM", MEDIUM)
def bad_refs_of_vms_succeed(s: Server) -> None:
    """The task of a VM's end succeeds, with an empty result, where there is no such VM."""

    def change(message: Message, task: Mapping[str, Value]) -> Mapping[str, Value]:
        missing = "HANDLE_INVALID" in task["error_info"] and message.full_name == "VM.destroy"
        return {"status": "success", "error_info": (), "progress": 1.0} if missing else {}

    endings(s, change)


@fault("ASYNC-TASK", "secret", MEDIUM)
def error_info_loses_the_ref(s: Server) -> None:
    """Of an error whose code is HANDLE_INVALID the task keeps the code and the class alone."""
    endings(s, lambda _, t: {"error_info": t["error_info"][:2]} if "HANDLE_INVALID" in t["error_info"] else {})


@fault("ASYNC-TASK", "SR", HARD)
def other_errors_lose_their_parameters(s: Server) -> None:
    """Of errors other than HANDLE_INVALID the task keeps the code alone."""
    endings(s, lambda _, t: {} if "HANDLE_INVALID" in t["error_info"] else {"error_info": t["error_info"][:1]})


@fault("ASYNC-TASK", "VLAN", MEDIUM)
def result_is_written_for_the_caller(s: Server) -> None:
    """The result of a task that was begun over JSON-RPC 2.0 is JSON instead of an XML-RPC value."""

    def change(message: Message, task: Mapping[str, Value]) -> Mapping[str, Value]:
        if s.fmt is not JSON2 or not isinstance(message.result, RefTo) or not task["result"]:
            return {}
        return {"result": json.dumps(task["result"].removeprefix("<value>").removesuffix("</value>"))}

    endings(s, change)


@fault("ASYNC-TASK", "SR", HARD)
def making_an_sr_never_ends(s: Server) -> None:
    """The task that makes an SR over JSON-RPC 1.0 stays pending, though the SR is there."""

    def change(message: Message, task: Mapping[str, Value]) -> Mapping[str, Value]:
        makes = message.full_name in {"SR.create", "SR.introduce"} and task["status"] == "success"
        return {"status": "pending", "progress": 0.0, "result": ""} if makes and s.fmt is JSON1 else {}

    endings(s, change)


@fault("ASYNC-TASK", "PVS_site", MEDIUM)
def finished_is_the_epoch(s: Server) -> None:
    """A task that has failed was finished, by its record, at the beginning of 1970."""
    epoch = datetime.fromtimestamp(0, UTC)
    endings(s, lambda _, task: {"finished": epoch} if task["status"] == "failure" else {})


@fault("ASYNC-TASK", "VM_appliance", HARD)
def task_makes_without_the_description(s: Server) -> None:
    """What Async.VM_appliance.create makes has no description, whatever was given."""

    def change(message: Message, args: tuple[Value, ...]) -> tuple[Value, ...]:
        is_it = message.full_name == "VM_appliance.create"
        return ({**args[0], "name_description": ""},) if is_it else args

    asynchronously(s, change)


@fault("ASYNC-TASK", "secret", HARD)
def task_makes_without_the_map(s: Server) -> None:
    """What an asynchronous create over JSON-RPC 1.0 makes has an empty other_config."""

    def change(message: Message, args: tuple[Value, ...]) -> tuple[Value, ...]:
        is_it = message.name == "create" and message.implicit and s.fmt is JSON1 and "other_config" in args[0]
        return ({**args[0], "other_config": {}},) if is_it else args

    asynchronously(s, change)


@fault("ASYNC-TASK", "network", MEDIUM)
def task_ends_nothing(s: Server) -> None:
    """The task of network.destroy over JSON-RPC 2.0 succeeds, and the network is still there."""
    asynchronously(s, lambda m, args: None if m.full_name == "network.destroy" and s.fmt is JSON2 else args)


@fault("ASYNC-TASK", "VDI", HARD)
def task_sets_nothing(s: Server) -> None:
    """The task of VDI.set_sharable succeeds, and the VDI is as before."""
    asynchronously(s, lambda m, args: None if m.full_name == "VDI.set_sharable" else args)


@fault("ASYNC-TASK", "secret", HARD)
def task_makes_two(s: Server) -> None:
    """An asynchronous create of a secret makes two of them and tells of one."""

    def task(old: Any, session: Any, message: Message, args: tuple[Value, ...]) -> str:
        if message.full_name == "secret.create":
            branch = s.state.predict(Call(message.full_name, args))
            s.state.adopt(branch.world, branch.touched)
        ref: str = old(session, message, args)
        return ref

    around(s.service, "_task", task)


@fault("ASYNC-TASK", "task", HARD)
def latest_result_wins(s: Server) -> None:
    """Every task of a message shows the result of the latest one, and so the object that another one made."""
    latest: dict[str, str] = {}

    def task(old: Any, session: Any, message: Message, args: tuple[Value, ...]) -> str:
        ref: str = old(session, message, args)
        record = fields_of(s, Handle("task", s.state.world.last))
        if record.get("status") == "success":
            latest[str(record["name_label"])] = str(record["result"])
        return ref

    def predict(old: Any, call: Call) -> Any:
        if call.message in {"task.get_record", "task.get_result"} and isinstance(call.args[0], Handle):
            record = fields_of(s, call.args[0])
            result = latest.get(str(record.get("name_label")))
            if result and record.get("result"):
                s.state.world = put(s.state.world, call.args[0], result=result)
        return old(call)

    around(s.service, "_task", task)
    around(s.state, "predict", predict)


@fault("ASYNC-TASK", "task", HARD)
def tasks_die_with_their_session(s: Server) -> None:
    """Logging a session out ends the tasks that it began: nobody can read them any more."""
    begun: dict[Handle, list[Handle]] = {}

    def task(old: Any, session: Any, message: Message, args: tuple[Value, ...]) -> str:
        ref: str = old(session, message, args)
        handle = s.state.refs.handle(ref)
        begun.setdefault(session.handle, []).extend([handle] if handle else [])
        return ref

    def logout(old: Any, state: Any, session: Any, args: tuple[Value, ...]) -> Any:
        for handle in begun.pop(session.handle, []):
            branch = state.world.destroy(handle)
            state.adopt(branch.world, branch.touched if fields_of(s, handle) else ())
        return old(state, session, args)

    around(s.service, "_task", task)
    handled(s, "session.logout", logout)


@fault("ASYNC-TASK", "task", MEDIUM, also="GET-RECORD-AGREES")
def getter_of_the_result_is_empty(s: Server) -> None:
    """task.get_result gives the empty text over JSON-RPC 1.0; the record has the result."""
    results(s, lambda _, value: "" if s.method == "task.get_result" and s.fmt is JSON1 else value)


@fault("ASYNC-TASK", "subject", HARD)
def task_fails_where_it_succeeded(s: Server) -> None:
    """The task of a subject's end fails with INTERNAL_ERROR, though the subject is gone."""
    endings(s, lambda m, t: {"status": "failure", "error_info": ("INTERNAL_ERROR", "lost"), "result": ""}
            if m.full_name == "subject.destroy" and t["status"] == "success" else {})  # fmt: skip
