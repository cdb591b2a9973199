"""Faults of answers that lag behind: the first look after a change is answered as it was before."""

from __future__ import annotations

from collections.abc import Callable

from xenconform.conformance.reference.faults.base import HARD, Server, fault
from xenconform.conformance.reference.faults.histories import Old
from xenconform.conformance.reference.faults.objects import result
from xenconform.conformance.reference.faults.seams import after, calls, fields_of, putting
from xenconform.models.calls import Call, Success
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch


def lagging(s: Server, changer: str, near: str, far: tuple[str, str], which: Callable[[Call, Branch], Handle]) -> None:
    """Let the getter of a far end answer from before a change, if it is the first to read that object after it.

    `changer` is the message that changes, `near` the field by which `which` object of its call points at the far end,
    and `far` that one's class and field.
    """
    cls, name = far
    before: dict[Handle, Value] = {}

    def change(call: Call, branch: Branch) -> Branch:
        handle = which(call, branch)
        target = (branch.world.record(handle) or s.state.world.record(handle) or {})[near]
        if not target.is_null:
            before[target] = fields_of(s, target)[name]
        return branch

    def look(call: Call, branch: Branch) -> Branch:
        known = before.get(call.args[0]) if call.message == f"{cls}.get_{name}" else None
        before.clear()
        return branch if known is None else s.state.world.stay(known)

    after(s, change, changer)
    after(s, look, f"{cls}.get_*")


@fault("BIND-CREATE", "PVS_server", HARD)
def new_server_is_at_its_site_from_the_second_look(s: Server) -> None:
    """The servers of a PVS_site that are asked for right after a new one came are answered as they were before."""
    lagging(s, "PVS_server.introduce", "site", ("PVS_site", "servers"), lambda _, branch: result(branch))


@fault("BIND-DESTROY", "VIF", HARD)
def network_shows_a_destroyed_vif_once_more(s: Server) -> None:
    """The VIFs of a network that are asked for right after one was destroyed are answered as they were before."""
    lagging(s, "VIF.destroy", "network", ("network", "VIFs"), lambda call, _: call.args[0])


@fault("BIND-MOVE", "VBD", HARD)
def ejected_disc_shows_its_drive(s: Server) -> None:
    """A VDI that VBD.eject takes out of a drive shows the drive in its VBDs, until something else is put in there."""

    def eject(old: Old, call: Call) -> Branch:
        disc = fields_of(s, call.args[0]).get("VDI")
        branch = old(call)
        if not isinstance(branch.outcome, Success) or disc is None or disc.is_null:
            return branch
        shown = fields_of(s, disc)["VBDs"]
        return putting(branch, disc, VBDs=tuple(dict.fromkeys((*shown, call.args[0]))))

    calls(s, eject, "VBD.eject")
