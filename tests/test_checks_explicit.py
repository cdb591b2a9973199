"""Explicit messages called wrongly: what must fail is found where it does not, and nothing is harmed on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace

import pytest
from strangers.certify import certify
from strangers.defects import DEFECTS
from strangers.matrix import run as run_defect
from strangers.plain_server import Plain
from strangers.values import TASTES
from wire_bench import Defect, InProcess, Ran, Serve, sound
from wire_defects import refuses, succeeds_instead_of

from xenconform.conformance.checks import calling
from xenconform.conformance.checks import explicit as by_name
from xenconform.conformance.checks.aimed import HARMFUL
from xenconform.conformance.checks.bench import BUDGETS, Bench
from xenconform.conformance.checks.explicit import explicit_messages
from xenconform.conformance.client import Client
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import Service
from xenconform.conformance.reference.state import State
from xenconform.conformance.transport import Result
from xenconform.models.api import Api, Message
from xenconform.models.calls import Format
from xenconform.models.clauses import catalogue
from xenconform.models.profiles import Profile, Scope
from xenconform.models.target import Target
from xenconform.models.verdicts import Verdict

API = Api.load()
CHECKS = (*calling.CHECKS, *by_name.CHECKS)
MINE = {"WIRE-ARITY", "WIRE-TYPE", "CALL-BAD-REF", "SESSION-REQUIRED"}
PRUDENT = replace(Profile.load("reference"), scope=Scope.OWN)


class Seen:
    """Passes calls on to a defect and keeps the names of their methods."""

    def __init__(self, defect: Defect = sound) -> None:
        self._defect = defect
        self.called: set[str] = set()

    def __call__(self, body: bytes, serve: Serve) -> Result:
        found = re.search(rb'<methodName>([^<]+)|"method": ?"([^"]+)', body)
        assert found, "every call has a method"
        self.called.add((found[1] or found[2]).decode())
        return self._defect(body, serve)


def judge(
    classes: Iterable[str],
    *,
    defect: Defect = sound,
    only: Iterable[str] = MINE,
    budget: str = "standard",
    profile: Profile | None = None,
) -> Ran:
    """Judge explicit messages of some classes of a reference server with a defect."""
    transport = InProcess(Service(State(seeded(API, 0))))
    client = Client(Target("http", "127.0.0.1", 1), API, make_transport=lambda _: transport)
    client.login(Format.XMLRPC, "root", "password")
    transport.defect = defect
    ran = Ran()
    bench = Bench(
        api=API,
        client=client,
        profile=profile or Profile.load("reference"),
        formats=tuple(Format),
        budget=BUDGETS[budget],
        seed=7,
        record=ran.judgements.append,
        clauses=catalogue(),
    )
    for check in CHECKS:
        for name in classes:
            if check.per_class is not None and check.clause in only and check.applies(API, API.classes[name]):
                check.per_class(bench, API.classes[name])
    ran.calls = transport.calls
    transport.defect = sound
    ran.left = len(bench.stock.clear())
    return ran


def explicit(of: str) -> set[str]:
    return {message.full_name for message in explicit_messages(API.classes[of])}


@pytest.mark.parametrize("budget", ["quick", "standard", "thorough"])
def test_the_reference_server_passes_with_nothing_untested(budget: str) -> None:
    """Every class passes over every format; what the server does not offer is told as that; nothing stays behind."""
    ran = judge(API.classes, budget=budget)
    assert {j.verdict for j in ran.judgements} == {Verdict.PASS, Verdict.UNSUPPORTED}
    assert ran.clauses(Verdict.PASS) >= MINE
    assert {j.format for j in ran.judgements if j.clause == "CALL-BAD-REF" and j.element == "VM"} == set(Format)
    assert ran.left == 0
    assert ran.calls < {"quick": 4_000, "standard": 20_000, "thorough": 28_000}[budget]


def test_every_explicit_message_is_called() -> None:
    """No explicit message of a class is left out, whatever it does."""
    seen = Seen()
    judge(["host", "pool", "VM", "session"], defect=seen, only=["WIRE-ARITY"])
    for name in ("host", "pool", "VM", "session"):
        assert explicit(name) <= seen.called


def test_a_live_server_is_not_harmed() -> None:
    """In scope own no message is sent that names no object and does more than read, unless too few parameters come."""
    sent: list[tuple[str, int]] = []

    def keep(body: bytes, serve: Serve) -> Result:
        if body.startswith(b"{"):
            call = json.loads(body)
            sent.append((call["method"], len(call["params"])))
        return serve(body)

    ran = judge(["pool", "host"], defect=keep, profile=PRUDENT)
    known = {name for name, _ in sent}
    assert not known & {"pool.disable_ha", "host.shutdown_agent", "pool.rotate_secret"}
    assert all(count <= len(_message(name).params) for name, count in sent if name == "pool.emergency_reset_master")
    told = [j for j in ran.judgements if j.verdict is Verdict.UNTESTED]
    assert {j.element for j in told} == {"pool (not called)", "host (not called)"}
    assert all(HARMFUL in j.reason for j in told)


def _message(name: str) -> Message:
    found = API.message(name)
    assert found
    return found


def test_what_the_profile_forbids_is_not_called() -> None:
    """A message that the profile says never to call is told as such and never sent."""
    seen = Seen()
    spared = replace(Profile.load("reference"), never=frozenset({"VM.start"}))
    ran = judge(["VM"], defect=seen, profile=spared)
    assert "VM.start" not in seen.called
    reasons = [j.reason for j in ran.judgements if j.verdict is Verdict.UNTESTED]
    assert reasons
    assert all("never to call it: start" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("code", "clause", "cls", "message"),
    [
        ("MESSAGE_PARAMETER_COUNT_MISMATCH", "WIRE-ARITY", "VM", "VM.start"),
        ("FIELD_TYPE_ERROR", "WIRE-TYPE", "VM", "VM.start"),
        ("HANDLE_INVALID", "CALL-BAD-REF", "VM", "VM.start"),
        ("SESSION_INVALID", "SESSION-REQUIRED", "VM", "VM.start"),
        ("HANDLE_INVALID", "CALL-BAD-REF", "VM", "VM.set_appliance"),
        ("SESSION_INVALID", "SESSION-REQUIRED", "pool", "pool.crl_list"),
    ],
)
def test_success_is_found_and_named(code: str, clause: str, cls: str, message: str) -> None:
    """Where one message succeeds in place of failing, over one format, that message and format are named."""
    ran = judge([cls], defect=succeeds_instead_of(code, "jsonrpc1", to=f'"{message}"'), only=[clause])
    assert {(j.clause, j.element, j.format) for j in ran.failed(clause)} == {(clause, message, "jsonrpc1")}
    assert not [j for j in ran.judgements if j.element == cls and j.format == "jsonrpc1" and j.clause == clause]


@pytest.mark.parametrize("code", ["NOT_IMPLEMENTED", "MESSAGE_METHOD_UNKNOWN", "MESSAGE_REMOVED"])
def test_what_a_server_does_not_offer_is_unsupported(code: str) -> None:
    """A message that is not offered is no finding and no pass: it is named as not offered."""
    ran = judge(["VM"], defect=refuses("VM.start<", code), only=["CALL-BAD-REF"])
    told = [j for j in ran.judgements if j.verdict is Verdict.UNSUPPORTED and j.format == Format.XMLRPC]
    assert [j.element for j in told] == ["VM (not offered)"]
    assert "start" in told[0].reason
    assert ran.clauses(Verdict.FAIL) == set()


def test_an_error_for_another_reason_is_right() -> None:
    """A server may look at other things first: where refs are made up too, any error passes."""
    ran = judge(["host"], defect=refuses("host.disable<", "OTHER_OPERATION_IN_PROGRESS"))
    assert ran.clauses(Verdict.FAIL, severities=["MUST"]) == set()


def test_what_was_carried_out_is_undone() -> None:
    """A server that takes what is wrong with it for good makes objects, and all of them are removed."""

    def forgiving(body: bytes, serve: Serve) -> Result:
        in_xml = rb"(<param><value>(<string>)?(extra)?(</string>)?</value></param>)+(?=</params>)"
        surplus = in_xml + rb"|(, ?\"(extra)?\")+(?=\])"
        return serve(re.sub(surplus, b"", body))

    ran = judge(["task", "blob", "VM", "VLAN"], defect=forgiving, only=["WIRE-ARITY"])
    assert {j.element for j in ran.failed("WIRE-ARITY")} >= {"task.create", "task.destroy", "VM.clone", "VLAN.create"}
    assert ran.left == 0


@pytest.mark.parametrize("tastes", [set(), set(TASTES), set(TASTES) - {"bare"}], ids=["none", "all", "most"])
def test_conforming_strangers_pass(tastes: set[str]) -> None:
    """Whatever a server checks first and however it refuses, no rule that a certificate needs is broken."""
    clauses = [option for clause in MINE for option in ("--clause", clause)]
    with Plain(tastes) as server:
        classes = ("--class", "VM", "--class", "Observer", "--class", "pool")
        _, results = certify(server, "--scope", "all", "--budget", "quick", *classes, *clauses)
    assert results["findings"] == []
    assert results["errors"] == []


@pytest.mark.parametrize(
    "name",
    [
        "start_ignores_surplus",
        "explicit_setter_takes_a_list",
        "start_of_nothing",
        "pause_of_what_was_destroyed",
        "explicit_setter_needs_no_session",
        "tasks_need_no_session",
    ],
)
def test_defects_of_explicit_messages_are_caught(name: str) -> None:
    """What one explicit message takes that is wrong is caught by the clause that speaks of it, and by no other."""
    clauses = [option for clause in MINE for option in ("--clause", clause)]
    failed, results = run_defect(DEFECTS[name], *clauses)
    assert failed == set(DEFECTS[name].clauses), results
