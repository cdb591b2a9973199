"""The power states of a VM: every message from every state, where the VM then lives, and the same over the wire."""

from __future__ import annotations

from typing import Any

import pytest
from reference_caller import API, Caller

from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import Service
from xenconform.conformance.reference.state import State
from xenconform.models.calls import Call, Failure, Format, Success
from xenconform.models.power import TRANSITIONS
from xenconform.models.values import Handle, null
from xenconform.models.world import Branch, World

SEEDED = seeded(API)
FIRST, SECOND = SEEDED.handles("host")
NOWHERE = null("host")
STATES = ("Halted", "Paused", "Running", "Suspended")
REFUSED = "-"

# From Halted, Paused, Running and Suspended; R1 is Running on the first host, P2 Paused on the second, and H or S
# Halted or Suspended on none. A VM that is Paused or Running at first is so on the second host.
EXPECTED: dict[tuple[Any, ...], tuple[str, ...]] = {
    ("start", False, False): ("R1", "-", "-", "-"),
    ("start", True, False): ("P1", "-", "-", "-"),
    ("start", True, True): ("P1", "-", "-", "-"),
    ("start_on", FIRST, False, False): ("R1", "-", "-", "-"),
    ("start_on", SECOND, False, True): ("R2", "-", "-", "-"),
    ("start_on", SECOND, True, False): ("P2", "-", "-", "-"),
    ("pause",): ("-", "-", "P2", "-"),
    ("unpause",): ("-", "R2", "-", "-"),
    ("suspend",): ("-", "-", "S", "-"),
    ("resume", False, False): ("-", "-", "-", "R1"),
    ("resume", True, False): ("-", "-", "-", "P1"),
    ("resume_on", SECOND, False, False): ("-", "-", "-", "R2"),
    ("resume_on", SECOND, True, True): ("-", "-", "-", "P2"),
    ("clean_shutdown",): ("-", "-", "H", "-"),
    ("shutdown",): ("-", "H", "H", "H"),
    ("hard_shutdown",): ("-", "H", "H", "H"),
    ("clean_reboot",): ("-", "-", "R2", "-"),
    ("hard_reboot",): ("-", "R2", "R2", "-"),
    ("power_state_reset",): ("H", "H", "H", "H"),
}
ALLOWED = {
    "start": "halted",
    "start_on": "halted",
    "pause": "running",
    "unpause": "paused",
    "suspend": "running",
    "resume": "suspended",
    "resume_on": "suspended",
    "clean_shutdown": "running",
    "shutdown": "paused, suspended, running",
    "hard_shutdown": "paused, suspended, running",
    "clean_reboot": "running",
    "hard_reboot": "paused, running",
}
UNCHANGED = {"Halted": "H", "Paused": "P2", "Running": "R2", "Suspended": "S"}
MEANING = {"H": "Halted", "P": "Paused", "R": "Running", "S": "Suspended", "": NOWHERE, "1": FIRST, "2": SECOND}
CASES = [
    pytest.param(call, state, after, id=f"{call[0]}-{'-'.join(map(str, call[1:]))}-{state}")
    for call, row in EXPECTED.items()
    for state, after in zip(STATES, row, strict=True)
]


def vm_in(state: str, **more: Any) -> tuple[World, Handle]:
    lives = SECOND if state in {"Paused", "Running"} else NOWHERE
    made = SEEDED.create("VM", {"name_label": "v", "power_state": state, "resident_on": lives, **more})
    assert isinstance(made.outcome, Success)
    return made.world, made.outcome.value


def ask(world: World, vm: Handle, name: str, *rest: Any) -> Branch:
    return world.predict(Call(f"VM.{name}", (vm, *rest))).first


def fields(world: World, handle: Handle) -> dict[str, Any]:
    record = world.record(handle)
    assert record is not None
    return dict(record)


def residents(world: World) -> dict[Handle, tuple[Handle, ...]]:
    """Recompute host.resident_VMs from the VMs alone."""
    homes = {vm: fields(world, vm)["resident_on"] for vm in world.handles("VM")}
    return {host: tuple(vm for vm, home in homes.items() if home == host) for host in world.handles("host")}


def assert_refused(world: World, branch: Branch, code: str, *params: Any) -> None:
    assert branch.outcome == Failure(code, params)
    assert branch.world is world
    assert branch.touched == ()


def test_the_table_is_of_the_messages_of_the_model() -> None:
    """Every row is a message of VM that takes the VM first, and each of them is expected here."""
    assert set(TRANSITIONS) == {call[0] for call in EXPECTED} == {*ALLOWED, "power_state_reset"}
    assert all(API.classes["VM"].messages[name].params[0].name == "vm" for name in TRANSITIONS)


@pytest.mark.parametrize(("call", "state", "after"), CASES)
def test_every_message_from_every_state(call: tuple[Any, ...], state: str, after: str) -> None:
    """The message leads where the table says, both ends of the home agree, and else it is refused without effect."""
    world, vm = vm_in(state)
    branch = ask(world, vm, *call)
    if after == REFUSED:
        assert_refused(world, branch, "VM_BAD_POWER_STATE", vm, ALLOWED[call[0]], state.lower())
        return
    assert branch.outcome == Success(None)
    old, new = fields(world, vm), fields(branch.world, vm)
    assert new == {**old, "power_state": MEANING[after[0]], "resident_on": MEANING[after[1:]]}
    for host, living in residents(branch.world).items():
        assert set(fields(branch.world, host)["resident_VMs"]) == set(living)
        assert len(fields(branch.world, host)["resident_VMs"]) == len(living)


@pytest.mark.parametrize(("call", "state", "after"), CASES)
def test_touched_is_what_changed(call: tuple[Any, ...], state: str, after: str) -> None:
    """Exactly the objects whose records differ are touched, each once; a reboot of a running VM touches none."""
    world, vm = vm_in(state)
    branch = ask(world, vm, *call)
    everything = [handle for cls in API.classes for handle in world.handles(cls)]
    changed = {handle for handle in everything if fields(world, handle) != fields(branch.world, handle)}
    assert set(branch.touched) == changed
    assert len(branch.touched) == len(changed)
    assert bool(changed) == (after not in {REFUSED, UNCHANGED[state]})


def allowing(call: tuple[Any, ...]) -> str:
    """Return the first power state that allows a message."""
    return next(state for state, after in zip(STATES, EXPECTED[call], strict=True) if after != REFUSED)


def test_a_template_does_not_start() -> None:
    """Where its state would allow the message a template says that it is one; a reset needs no VM."""
    for name, *rest in EXPECTED:
        world, vm = vm_in(allowing((name, *rest)), is_a_template=True)
        branch = ask(world, vm, name, *rest)
        if name == "power_state_reset":
            assert branch.outcome == Success(None)
        else:
            assert_refused(world, branch, "VM_IS_TEMPLATE", vm)


@pytest.mark.parametrize("template", [True, False])
@pytest.mark.parametrize("call", EXPECTED, ids=lambda call: str(call[0]))
def test_a_snapshot_can_only_be_put_down(call: tuple[Any, ...], *, template: bool) -> None:
    """Marked as a template or not: one that holds a VM's memory can be shut down hard, and nothing else be done."""
    world, vm = vm_in(allowing(call), is_a_snapshot=True, is_a_template=template)
    branch = ask(world, vm, *call)
    if call[0] in {"hard_shutdown", "power_state_reset"}:
        assert branch.outcome == Success(None)
        assert fields(branch.world, vm)["power_state"] == "Halted"
    elif template:
        assert_refused(world, branch, "VM_IS_TEMPLATE", vm)
    else:
        assert_refused(world, branch, "OPERATION_NOT_ALLOWED", "the VM is a snapshot")


@pytest.mark.parametrize("call", EXPECTED, ids=lambda call: str(call[0]))
def test_a_control_domain_runs_as_long_as_its_host(call: tuple[Any, ...]) -> None:
    """Where its state would allow the message, it is not for a control domain; the error is one that is declared."""
    world, vm = vm_in(allowing(call), is_control_domain=True)
    if call[0] == "power_state_reset":
        assert_refused(world, ask(world, vm, *call), "CANNOT_RESET_CONTROL_DOMAIN", vm)
    else:
        why = f"VM.{call[0]} is not for control domains"
        assert_refused(world, ask(world, vm, *call), "OPERATION_NOT_ALLOWED", why)


@pytest.mark.parametrize(("name", "state"), [("start_on", "Halted"), ("resume_on", "Suspended")])
@pytest.mark.parametrize("host", [NOWHERE, Handle("host", 10**6), Handle("VM", 1), "OpaqueRef:x"])
def test_a_host_that_is_none_is_refused(name: str, state: str, host: Any) -> None:
    """Null, never made, of another class, or text: HANDLE_INVALID with the class and the reference."""
    world, vm = vm_in(state)
    assert_refused(world, ask(world, vm, name, host, False, False), "HANDLE_INVALID", "host", host)


@pytest.mark.parametrize("call", EXPECTED, ids=lambda call: str(call[0]))
def test_a_vm_that_is_none_is_refused(call: tuple[Any, ...]) -> None:
    """The null reference and one never made: HANDLE_INVALID, whatever the message."""
    for vm in (null("VM"), Handle("VM", 10**6)):
        assert_refused(SEEDED, ask(SEEDED, vm, *call), "HANDLE_INVALID", "VM", vm)


@pytest.mark.parametrize(("name", "state"), [("start", "Halted"), ("resume", "Suspended")])
def test_without_hosts_nothing_starts(name: str, state: str) -> None:
    """A world with no host refuses with NO_HOSTS_AVAILABLE."""
    made = World(API).create("VM", {"name_label": "v", "power_state": state})
    assert isinstance(made.outcome, Success)
    assert_refused(made.world, ask(made.world, made.outcome.value, name, False, False), "NO_HOSTS_AVAILABLE")


def test_a_life_over_the_wire() -> None:
    """Start, pause, unpause, suspend, resume and hard_shutdown, read back after each; an untimely resume is refused."""
    service = Service(State(seeded(API)))
    world, vm_handle = vm_in("Halted")
    service.state.adopt(world, (vm_handle,))
    vm = service.state.refs.ref(vm_handle)
    caller = Caller(service, Format.JSONRPC2)
    home = caller.value("host.get_all")[0]
    for name, rest, state in [
        ("start", (False, False), "Running"),
        ("pause", (), "Paused"),
        ("unpause", (), "Running"),
        ("suspend", (), "Suspended"),
        ("resume", (True, False), "Paused"),
        ("hard_shutdown", (), "Halted"),
    ]:
        assert caller.value(f"VM.{name}", vm, *rest) is None
        assert caller.value("VM.get_power_state", vm) == state
        lives = state in {"Running", "Paused"}
        assert caller.value("VM.get_resident_on", vm) == (home if lives else "OpaqueRef:NULL")
        assert (vm in caller.value("host.get_resident_VMs", home)) == lives
        refused = Failure("VM_BAD_POWER_STATE", (vm, "suspended", state.lower()))
        if state != "Suspended":
            assert caller.ask("VM.resume", vm, False, False) == refused
