"""Faults of the messages that start, stop and move a VM: power states, their errors, and where a VM lives."""

from __future__ import annotations

from dataclasses import replace

from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, fault
from xenconform.conformance.reference.faults.histories import Old, passed_over
from xenconform.conformance.reference.faults.seams import after, calls, code_of, fields_of, putting
from xenconform.models.calls import Call, Failure, Format
from xenconform.models.power import HALTED, PAUSED, RUNNING, SUSPENDED
from xenconform.models.values import Handle, null
from xenconform.models.world import Branch


def done(s: Server, vm: Handle, **values: object) -> Branch:
    """Return the branch of a message that succeeds and writes fields of a VM."""
    return putting(s.state.world.stay(None), vm, **values)


def state_of(s: Server, call: Call) -> str:
    """Return the power state of the VM of a call, "" where it is gone."""
    state: str = fields_of(s, call.args[0]).get("power_state", "") if isinstance(call.args[0], Handle) else ""
    return state


@fault("LIFECYCLE-VM", "VM")
def paused_vm_shuts_down_cleanly(s: Server) -> None:
    """clean_shutdown of a paused VM halts it, though nobody in it can be asked to stop."""

    def shut(old: Old, call: Call) -> Branch:
        paused = state_of(s, call) == PAUSED
        return done(s, call.args[0], power_state=HALTED, resident_on=null("host")) if paused else old(call)

    calls(s, shut, "VM.clean_shutdown")


@fault("LIFECYCLE-VM", "VM", MEDIUM)
def start_paused_is_ignored_in_json(s: Server) -> None:
    """A VM that is started paused over JSON-RPC 1.0 is running at once."""

    def run(call: Call, branch: Branch) -> Branch:
        return putting(branch, call.args[0], power_state=RUNNING) if s.is_over(Format.JSONRPC1) else branch

    after(s, run, "VM.start")


@fault("LIFECYCLE-VM", "VM", MEDIUM)
def reboot_leaves_a_paused_vm_paused(s: Server) -> None:
    """hard_reboot of a paused VM says that it is done, and the VM is paused still."""
    calls(s, lambda old, call: s.state.world.stay(None) if state_of(s, call) == PAUSED else old(call), "VM.hard_reboot")


@fault("LIFECYCLE-VM", "VM", MEDIUM)
def suspended_vm_keeps_its_host(s: Server) -> None:
    """A VM that was suspended still shows the host that it lived on."""
    after(s, lambda call, branch: putting(branch, call.args[0], resident_on=s.state.world.handles("host")[0]),
          "VM.suspend")  # fmt: skip


@fault("LIFECYCLE-VM", "VM", MEDIUM)
def bad_state_error_names_the_wanted_state_twice(s: Server) -> None:
    """VM_BAD_POWER_STATE of a resume names as the actual state the one that was expected."""

    def refuse(old: Old, call: Call) -> Branch:
        branch = old(call)
        if code_of(branch) != "VM_BAD_POWER_STATE" or not isinstance(branch.outcome, Failure):
            return branch
        vm, expected, _ = branch.outcome.params
        return replace(branch, outcome=Failure("VM_BAD_POWER_STATE", (vm, expected, expected)))

    calls(s, refuse, "VM.resume")


@fault("LIFECYCLE-VM", "VM", HARD)
def force_resumes_a_halted_vm(s: Server) -> None:
    """VM.resume with `force` takes a halted VM and runs it."""

    def resume(old: Old, call: Call) -> Branch:
        if call.args[2] and state_of(s, call) == HALTED:
            return done(s, call.args[0], power_state=RUNNING, resident_on=s.state.world.handles("host")[0])
        return old(call)

    calls(s, resume, "VM.resume")


@fault("LIFECYCLE-VM", "VM", HARD)
def running_vm_is_paused_by_a_paused_start(s: Server) -> None:
    """VM.start with start_paused of a VM that runs pauses it instead of failing."""

    def start(old: Old, call: Call) -> Branch:
        if call.args[1] and state_of(s, call) == RUNNING:
            return done(s, call.args[0], power_state=PAUSED)
        return old(call)

    calls(s, start, "VM.start")


@fault("LIFECYCLE-VM", "VM", HARD)
def pausing_one_vm_pauses_all(s: Server) -> None:
    """Pausing a VM pauses every other VM that is running."""

    def pause(_call: Call, branch: Branch) -> Branch:
        for each in branch.world.handles("VM"):
            record = branch.world.record(each) or {}
            if record["power_state"] == RUNNING and not record["is_control_domain"]:
                branch = putting(branch, each, power_state=PAUSED)
        return branch

    after(s, pause, "VM.pause")


@fault("LIFECYCLE-VM", "VM", HARD)
def once_a_template_never_starts(s: Server) -> None:
    """A VM that was a template and is none any more is refused by start as if it still were."""
    once: set[Handle] = set()

    def mark(call: Call, branch: Branch) -> Branch:
        if call.args[1]:
            once.add(call.args[0])
        return branch

    def start(old: Old, call: Call) -> Branch:
        branch = old(call)
        if call.args[0] in once and branch.touched:
            return Branch(Failure("VM_IS_TEMPLATE", (call.args[0],)), s.state.world)
        return branch

    after(s, mark, "VM.set_is_a_template")
    calls(s, start, "VM.start")


@fault("LIFECYCLE-VM", "VM", HARD)
def snapshot_can_be_started(s: Server) -> None:
    """VM.start_on of a VM's snapshot runs the snapshot."""

    def start(old: Old, call: Call) -> Branch:
        fields = fields_of(s, call.args[0]) if isinstance(call.args[0], Handle) else {}
        if fields.get("is_a_snapshot") and fields["power_state"] == HALTED and isinstance(call.args[1], Handle):
            return done(s, call.args[0], power_state=RUNNING, resident_on=call.args[1])
        return old(call)

    calls(s, start, "VM.start_on")


@fault("LIFECYCLE-VM", "VM", HARD)
def resumed_twice_is_suspended_for_good(s: Server) -> None:
    """A VM that was resumed stays suspended when it is resumed after its next suspension."""
    resumed: set[Handle] = set()

    def resume(call: Call, branch: Branch) -> Branch:
        if call.args[0] in resumed:
            resumed.discard(call.args[0])
            return passed_over(s.state.world.stay(None))
        resumed.add(call.args[0])
        return branch

    after(s, resume, "VM.resume")


@fault("LIFECYCLE-VM", "VM", HARD)
def refused_suspend_halts_what_is_paused(s: Server) -> None:
    """VM.suspend of a paused VM is refused with the right error over JSON-RPC 2.0, and the VM is halted by it."""

    def suspend(old: Old, call: Call) -> Branch:
        branch = old(call)
        if s.is_over(Format.JSONRPC2) and state_of(s, call) == PAUSED:
            return putting(branch, call.args[0], power_state=HALTED)
        return branch

    calls(s, suspend, "VM.suspend")


@fault("LIFECYCLE-VM", "VM", HARD)
def reset_of_a_suspended_vm_does_nothing(s: Server) -> None:
    """power_state_reset of a suspended VM says that it is done, and the VM is suspended still."""
    calls(s, lambda old, call: s.state.world.stay(None) if state_of(s, call) == SUSPENDED else old(call),
          "VM.power_state_reset")  # fmt: skip
