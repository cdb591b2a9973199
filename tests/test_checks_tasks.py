"""The checks of asynchronous calls: a sound server passes, each fault fails, and what is left open passes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from waiting_bench import API, Server, server

from xenconform.conformance.checks.awaiting import MOST_ENDLESS
from xenconform.conformance.checks.tasks import CHECKS
from xenconform.conformance.reference import service as reference
from xenconform.conformance.reference.handlers import async_call
from xenconform.conformance.reference.sessions import Session
from xenconform.conformance.reference.state import Refusal, State
from xenconform.models.api import Message
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.values import Value
from xenconform.models.verdicts import Verdict

Change = Callable[[dict[str, Any], Message], dict[str, Any]]
Begin = Callable[[State, Session, Message, tuple[Value, ...]], str]


def tasks_become(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """Let each task of the reference server have the fields that `change` gives for those it should have."""

    def begin(state: State, session: Session, message: Message, args: tuple[Value, ...]) -> str:
        ref = async_call(state, session, message, args)
        handle = state.refs.handle(ref)
        assert handle is not None
        record = dict(state.world.record(handle) or {})
        for name, value in change(record, message).items():
            state.adopt(state.world.write(handle, name, value).world, (handle,))
        return ref

    monkeypatch.setattr(reference, "async_call", begin)


def begin_with(monkeypatch: pytest.MonkeyPatch, begin: Begin) -> None:
    monkeypatch.setattr(reference, "async_call", begin)


def tasks_of(judged: Server) -> set[str]:
    return {str(handle) for handle in judged.service.state.world.handles("task")}


@pytest.mark.parametrize("budget", ["quick", "standard"])
@pytest.mark.parametrize("cls", ["network", "VIF", "VM", "PVS_site", "host"])
def test_a_sound_server_passes(cls: str, budget: str) -> None:
    """Nothing fails, nothing is untested, and neither an object nor a task is left behind."""
    judged = server(budget=budget)
    before = tasks_of(judged)
    ran = judged.judge(CHECKS, cls)
    assert [each for each in ran.judgements if each.verdict is not Verdict.PASS] == []
    assert {each.format for each in ran.judgements} == {str(fmt) for fmt in Format}
    assert ran.left == 0
    assert tasks_of(judged) == before


EARLY = datetime(2001, 1, 1, tzinfo=UTC)
FAULTS: dict[str, Change] = {
    "the result lacks the ref": lambda _record, _message: {"result": ""},
    "the result is no XML": lambda _record, _message: {"result": "OpaqueRef:1"},
    "the error is lost": lambda _record, _message: {"error_info": ()},
    "another code": lambda r, _message: {"error_info": ("INTERNAL_ERROR", *r["error_info"][1:])},
    "the code alone": lambda r, _message: {"error_info": r["error_info"][:1]},
    "refused, and success": lambda _record, _message: {"status": "success"},
    "done, and failure": lambda _record, _message: {"status": "failure", "error_info": ("INTERNAL_ERROR", "why")},
    "no progress": lambda _record, _message: {"progress": 0.0},
    "progress in percent": lambda _record, _message: {"progress": 100.0},
    "finished before it was created": lambda _record, _message: {"finished": EARLY},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_task_fails(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """A task that ends otherwise than its call does is a finding over every format."""
    tasks_become(monkeypatch, FAULTS[fault])
    ran = server(budget="quick").judge(CHECKS, "network")
    assert {each.format for each in ran.failed("ASYNC-TASK")} == {str(fmt) for fmt in Format}


def test_a_call_that_does_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that ends with success, its work undone, is a finding for an end and for a setter."""

    def begin(state: State, session: Session, message: Message, args: tuple[Value, ...]) -> str:
        lazy = API.message("network.get_MTU") if message.name != "create" else message
        assert lazy is not None
        ref = async_call(state, session, lazy, args[:1])
        handle = state.refs.handle(ref)
        assert handle is not None
        if lazy is not message:
            state.adopt(state.world.write(handle, "result", "").world, (handle,))
        return ref

    begin_with(monkeypatch, begin)
    failed = {each.element for each in server().judge(CHECKS, "network").failed("ASYNC-TASK")}
    assert failed >= {"network destroy", "network set_default_locking_mode"}


def test_what_is_done_twice_fails_and_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A constructor's task that makes two objects is a finding, and both are removed."""

    def begin(state: State, session: Session, message: Message, args: tuple[Value, ...]) -> str:
        if message.name == "create":
            async_call(state, session, message, args)
        return async_call(state, session, message, args)

    begin_with(monkeypatch, begin)
    judged = server(budget="quick")
    networks = len(judged.service.state.world.handles("network"))
    assert {each.element for each in judged.judge(CHECKS, "network").failed("ASYNC-TASK")} == {"network create"}
    assert len(judged.service.state.world.handles("network")) == networks


def test_the_value_itself_is_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is returned must be a task's ref: another object's is a finding."""

    def begin(state: State, _session: Session, _message: Message, _args: tuple[Value, ...]) -> str:
        return state.refs.ref(state.world.handles("network")[0])

    begin_with(monkeypatch, begin)
    assert server(budget="quick").judge(CHECKS, "network").failed("ASYNC-TASK")


def test_tasks_that_never_end_fail_once_and_are_begun_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is a finding after the whole patience; a few more are awaited less, and the rest not begun."""
    tasks_become(monkeypatch, lambda _record, _message: {"status": "pending"})
    ran = server(deadline=0.05).judge(CHECKS, "network", "secret")
    (finding,) = ran.failed("ASYNC-TASK")
    assert finding.actual == "pending after 0.15 s"
    reasons = [each.reason for each in ran.judgements if each.verdict is Verdict.UNTESTED]
    assert sum(reason.startswith("a task never ended before") for reason in reasons) == MOST_ENDLESS
    assert any(reason.startswith("several tasks never ended") for reason in reasons)


def test_a_task_that_somebody_cancelled_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another client may cancel a task at any time: that is no finding."""
    tasks_become(monkeypatch, lambda _record, _message: {"status": "cancelled"})
    assert server(budget="quick").judge(CHECKS, "network").failed("ASYNC-TASK") == []


def test_refusing_at_once_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may refuse a bad call at once, with the plain form's error."""

    def begin(state: State, session: Session, message: Message, args: tuple[Value, ...]) -> str:
        if isinstance(args[0], str):
            raise Refusal("HANDLE_INVALID", message.cls, args[0])
        return async_call(state, session, message, args)

    begin_with(monkeypatch, begin)
    assert server().judge(CHECKS, "network").clauses(Verdict.FAIL) == set()


def test_refusing_at_once_with_another_error_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever it is refused, the error is the plain form's."""

    def begin(state: State, session: Session, message: Message, args: tuple[Value, ...]) -> str:
        if isinstance(args[0], str):
            raise Refusal("UUID_INVALID", message.cls, args[0])
        return async_call(state, session, message, args)

    begin_with(monkeypatch, begin)
    assert {each.element for each in server().judge(CHECKS, "network").failed("ASYNC-TASK")} == {"network error"}


def test_no_asynchronous_form_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    """No document obliges a server to each asynchronous form: an unknown method is no finding, and no pass."""

    def begin(_state: State, _session: Session, message: Message, _args: tuple[Value, ...]) -> str:
        raise Refusal("MESSAGE_METHOD_UNKNOWN", f"Async.{message.full_name}")

    begin_with(monkeypatch, begin)
    ran = server(budget="quick").judge(CHECKS, "network")
    assert {each.verdict for each in ran.judgements} == {Verdict.UNSUPPORTED}


def test_the_reference_server_does_in_a_task_what_the_plain_form_does() -> None:
    """Messages with a handler of their own and explicit setters have an asynchronous form, implicit ones have not."""
    judged = server()
    client = judged.bench.client
    host = judged.bench.stock.existing("host")[0]
    task = client.call(Format.JSONRPC2, "Async.host.get_servertime", (host,)).reply.outcome
    assert isinstance(task, Success)
    record = client.call(Format.JSONRPC2, "task.get_record", (task.value,)).reply.outcome
    assert isinstance(record, Success)
    assert record.value["status"] == "success"
    assert record.value["result"].startswith("<value><dateTime.iso8601>")
    network = judged.bench.stock.own("network").ref
    setter = "Async.network.set_default_locking_mode"
    assert isinstance(client.call(Format.XMLRPC, setter, (network, "disabled")).reply.outcome, Success)
    implicit = client.call(Format.XMLRPC, "Async.network.set_MTU", (network, 1)).reply.outcome
    assert implicit == Failure("MESSAGE_METHOD_UNKNOWN", ("Async.network.set_MTU",))
