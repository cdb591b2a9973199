"""Faults of histories that cross fields, classes, sessions and power states."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from xenconform.conformance.reference.faults.base import HARD, Server, fault
from xenconform.conformance.reference.faults.histories import Old, passed_over
from xenconform.conformance.reference.faults.seams import after, calls, fields_of, handled, putting
from xenconform.models.calls import Call, Success
from xenconform.models.power import PAUSED
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch


@fault("STATE-MODEL", "VM", HARD, also="SET-VALUE")
def paused_vm_takes_no_description(s: Server) -> None:
    """Setting the description of a VM that is paused succeeds and changes nothing."""

    def write(old: Old, call: Call) -> Branch:
        branch = old(call)
        paused = bool(branch.touched) and fields_of(s, call.args[0])["power_state"] == PAUSED
        return passed_over(branch) if paused else branch

    calls(s, write, "VM.set_name_description")


@fault("STATE-MODEL", "VM", HARD)
def resume_brings_the_description_back(s: Server) -> None:
    """A VM that is resumed has the description that it had when it was suspended, whatever was set since."""
    kept: dict[Handle, Value] = {}

    def suspend(call: Call, branch: Branch) -> Branch:
        kept[call.args[0]] = fields_of(s, call.args[0])["name_description"]
        return branch

    def resume(call: Call, branch: Branch) -> Branch:
        known = call.args[0] in kept
        return putting(branch, call.args[0], name_description=kept.pop(call.args[0])) if known else branch

    after(s, suspend, "VM.suspend")
    after(s, resume, "VM.resume*")


@fault("STATE-MODEL", "VM_appliance", HARD, also="SET-ONLY-THAT")
def renamed_vm_leaves_its_appliance(s: Server) -> None:
    """An appliance no longer shows a VM of it that is given another name; the VM still names the appliance."""

    def rename(call: Call, branch: Branch) -> Branch:
        appliance = fields_of(s, call.args[0])["appliance"]
        left = branch.world.record(appliance)
        if left is None:
            return branch
        return putting(branch, appliance, VMs=tuple(vm for vm in left["VMs"] if vm != call.args[0]))

    after(s, rename, "VM.set_name_label")


@fault("STATE-MODEL", "VMSS", HARD, also="SET-ONLY-THAT")
def frequency_brings_its_old_schedule_back(s: Server) -> None:
    """Setting a frequency that a snapshot schedule had before brings back the schedule that it had then."""
    kept: dict[tuple[Handle, str], Value] = {}

    def write(call: Call, branch: Branch) -> Branch:
        before = fields_of(s, call.args[0])
        if not branch.touched:
            return branch
        kept[call.args[0], before["frequency"]] = before["schedule"]
        schedule = kept.get((call.args[0], call.args[1]))
        return branch if schedule is None else putting(branch, call.args[0], schedule=schedule)

    after(s, write, "VMSS.set_frequency")


@fault("STATE-MODEL", "VIF", HARD, also="SET-ONLY-THAT")
def network_writes_into_its_vifs(s: Server) -> None:
    """A description that a network gets is written into the other_config of its VIFs too."""

    def write(call: Call, branch: Branch) -> Branch:
        for vif in (branch.world.record(call.args[0]) or {}).get("VIFs", ()):
            config = (branch.world.record(vif) or {})["other_config"]
            branch = putting(branch, vif, other_config={**config, "network": call.args[1]})
        return branch

    after(s, write, "network.set_name_description")


@fault("STATE-MODEL", "network", HARD, also="MAP-REMOVE")
def keys_of_before_a_rename_stay(s: Server) -> None:
    """A key that a network's other_config had before the network got another name cannot be taken out any more."""
    old_keys: dict[Handle, set[str]] = defaultdict(set)

    def rename(call: Call, branch: Branch) -> Branch:
        if branch.touched:
            old_keys[call.args[0]] |= set(fields_of(s, call.args[0])["other_config"])
        return branch

    def remove(old: Old, call: Call) -> Branch:
        branch = old(call)
        return passed_over(branch) if branch.touched and call.args[1] in old_keys[call.args[0]] else branch

    after(s, rename, "network.set_name_label")
    calls(s, remove, "network.remove_from_other_config")


@fault("STATE-MODEL", "VIF", HARD, also="BIND-MOVE BIND-SYMMETRY")
def network_keeps_a_vif_that_went_back(s: Server) -> None:
    """A VIF that is moved to another network and back again is shown by both."""
    came_from: dict[Handle, Handle] = {}

    def move(call: Call, branch: Branch) -> Branch:
        vif, here = call.args[0], fields_of(s, call.args[0])["network"]
        back = branch.touched and came_from.get(vif) == call.args[1]
        came_from[vif] = here
        left = branch.world.record(here)
        return putting(branch, here, VIFs=(*left["VIFs"], vif)) if back and left and vif not in left["VIFs"] else branch

    after(s, move, "VIF.move")


@fault("STATE-MODEL", "secret", HARD)
def logout_ends_what_the_session_made(s: Server) -> None:
    """A secret that was made in a session is gone when the session is logged out."""
    made: dict[Handle, list[Handle]] = defaultdict(list)

    def make(_call: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        if s.session is not None:
            made[s.session.handle].append(branch.outcome.value)
        return branch

    def leave(old: Any, state: Any, session: Any, args: Any) -> Any:
        result = old(state, session, args)
        for handle in made.pop(session.handle, []):
            if fields_of(s, handle):
                gone = state.world.destroy(handle)
                state.adopt(gone.world, gone.touched)
        return result

    after(s, make, "secret.create")
    handled(s, "session.logout", leave)
