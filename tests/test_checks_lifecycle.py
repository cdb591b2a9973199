"""The power states of a VM: each fault of one is found where it is, and refusals of the server's domain are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from object_faults import Fault, FaultyWorld, code_of, ok, on, other_failure, put
from state_bench import Stage

from xenconform.models.calls import Call, Failure, Success
from xenconform.models.power import ALL_STATES, TRANSITIONS
from xenconform.models.values import null
from xenconform.models.verdicts import Verdict
from xenconform.models.world import Branch

CLAUSE = "LIFECYCLE-VM"
STATES = 4


def power(change: Callable[[FaultyWorld, Call, Branch], Branch]) -> Fault:
    """A fault in every message that changes a power state."""
    names = {f"VM.{name}" for name in TRANSITIONS}
    return lambda world, call, branch: change(world, call, branch) if call.message in names else branch


def failed(stage: Stage) -> set[str]:
    return {judgement.element for judgement in stage.ran.failed(CLAUSE)}


def test_a_sound_server_passes_in_every_state_and_keeps_no_vm() -> None:
    """Each message is judged from each state, paused starts and templates besides, and no VM is left behind."""
    stage = Stage(CLAUSE)
    before = stage.service.state.world.handles("VM")
    ran = stage.run("VM")
    assert ran.clauses(Verdict.FAIL) | ran.clauses(Verdict.UNTESTED) == set()
    elements = {judgement.element for judgement in ran.judgements}
    assert {f"VM.{name} from {state}" for name in TRANSITIONS for state in ("Halted", "Suspended")} < elements
    assert {"VM.start paused from Halted", "VM.resume_on paused from Suspended", "VM.start of a template"} < elements
    assert len(elements) >= len(TRANSITIONS) * STATES
    written = {each for each in elements if each.endswith(" written")}  # over one format each
    assert len(written) == len(ALL_STATES)
    assert len(ran.judgements) == len(elements - written) * 3 + len(written)
    assert stage.service.state.world.handles("VM") == before


def works_from_halted(world: FaultyWorld, call: Call, branch: Branch) -> Branch:
    """What is refused for the power state is done all the same."""
    if code_of(branch) != "VM_BAD_POWER_STATE":
        return branch
    return Branch(Success(None), put(world, call.args[0], power_state="Paused"), (call.args[0],))


def lives_on(_world: FaultyWorld, call: Call, branch: Branch) -> Branch:
    """A suspended VM stays where it was."""
    host = branch.world.handles("host")[0]
    return replace(branch, world=put(branch.world, call.args[0], resident_on=host)) if ok(branch) else branch


def starts_nowhere(_world: FaultyWorld, call: Call, branch: Branch) -> Branch:
    """A started VM has no host."""
    return replace(branch, world=put(branch.world, call.args[0], resident_on=null("host"))) if ok(branch) else branch


def refused_and_changed(world: FaultyWorld, call: Call, branch: Branch) -> Branch:
    """A refused start counts in the VM's user_version."""
    if ok(branch):
        return branch
    version = (world.record(call.args[0]) or {})["user_version"] + 1
    return Branch(branch.outcome, put(world, call.args[0], user_version=version), (call.args[0],))


def backwards(_world: FaultyWorld, _call: Call, branch: Branch) -> Branch:
    """VM_BAD_POWER_STATE has the actual state before the expected one."""
    match branch.outcome:
        case Failure("VM_BAD_POWER_STATE", (vm, expected, actual)):
            return replace(branch, outcome=Failure("VM_BAD_POWER_STATE", (vm, actual, expected)))
    return branch


FAULTS: dict[str, tuple[Fault, str]] = {
    "pause of a halted VM": (on("VM.pause", works_from_halted), "VM.pause from Halted"),
    "suspended on a host": (on("VM.suspend", lives_on), "VM.suspend from Running"),
    "started nowhere": (on("VM.start_on", starts_nowhere), "VM.start_on from Halted"),
    "refused and changed": (on("VM.start", refused_and_changed), "VM.start from Paused"),
    "backwards": (on("VM.resume", backwards), "VM.resume from Running"),
    "refused though allowed": (
        on("VM.unpause", lambda world, call, _b: Branch(
            Failure("VM_BAD_POWER_STATE", (call.args[0], "paused", "running")), world)),
        "VM.unpause from Paused",
    ),
    "an error of the server": (
        on("VM.clean_reboot", lambda world, _c, _b: Branch(Failure("INTERNAL_ERROR", ("oops",)), world)),
        "VM.clean_reboot from Running",
    ),
    "another code": (
        other_failure("VM.suspend", "VM_BAD_POWER_STATE", Failure("OPERATION_NOT_ALLOWED", ("no",))),
        "VM.suspend from Halted",
    ),
    "a template starts": (
        on("VM.start", lambda world, call, branch: branch if code_of(branch) != "VM_IS_TEMPLATE" else Branch(
            Success(None), put(world, call.args[0], power_state="Running"), (call.args[0],))),
        "VM.start of a template",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_where_it_is(name: str) -> None:
    """The element that names the message and the state fails, over every format, and no other message does."""
    fault, element = FAULTS[name]
    stage = Stage(CLAUSE)
    ran = stage.run("VM", fault=fault)
    assert {judgement.format for judgement in ran.failed(CLAUSE) if judgement.element == element} == {
        "xmlrpc", "jsonrpc1", "jsonrpc2",
    }  # fmt: skip
    assert {each.split()[0] for each in failed(stage)} == {element.split()[0]}
    assert ran.clauses(Verdict.ERROR) == set()


@pytest.mark.parametrize("code", ["NO_HOSTS_AVAILABLE", "HOST_NOT_ENOUGH_FREE_MEMORY", "LICENCE_RESTRICTION"])
def test_a_refusal_of_the_domain_is_untested_with_its_reason(code: str) -> None:
    """A VM that cannot be started leaves what starts elsewhere untested; what is refused when halted is judged."""
    stage = Stage(CLAUSE)
    refusal = Failure(code, ("x",))
    ran = stage.run("VM", fault=power(lambda world, _c, branch: Branch(refusal, world) if ok(branch) else branch))
    assert failed(stage) == set()
    passed = {judgement.element for judgement in ran.judgements if judgement.verdict is Verdict.PASS}
    assert {"VM.pause from Halted", "VM.resume from Halted"} <= passed
    assert all(element.endswith(("from Halted", "a template", "a snapshot", "Halted written")) for element in passed)
    untested = [judgement for judgement in ran.judgements if judgement.verdict is Verdict.UNTESTED]
    assert {"VM.pause from Running", "VM.start from Halted"} <= {judgement.element for judgement in untested}
    assert all(code in judgement.reason for judgement in untested)


def test_states_are_named_in_any_case_and_number() -> None:
    """VM_BAD_POWER_STATE may name states as the enum does, and one of several that it expects."""

    def shout(_world: FaultyWorld, _call: Call, branch: Branch) -> Branch:
        match branch.outcome:
            case Failure("VM_BAD_POWER_STATE", (vm, str(expected), str(actual))):
                said = (vm, expected.split(", ")[0].upper(), actual.capitalize())
                return replace(branch, outcome=Failure("VM_BAD_POWER_STATE", said))
        return branch

    stage = Stage(CLAUSE)
    ran = stage.run("VM", fault=power(shout))
    assert failed(stage) == set()
    assert ran.clauses(Verdict.PASS) == {CLAUSE}
