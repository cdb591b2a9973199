"""Faults of writing fields that are neither sets nor maps, and of what such a write changes besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, fault
from xenconform.conformance.reference.faults.seams import after, calls, code_of, fields_of, putting, refusing
from xenconform.models.calls import Call, Format, Success
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch

Old = Callable[[Call], Branch]


def lost(s: Server, call: Call) -> Branch:
    """Return what a server does that says it has written and has not; a bad ref is refused as ever."""
    return s.state.world.stay(None) if present(s, call) else s.state.world.predict(call).first


def present(s: Server, call: Call) -> Mapping[str, Value]:
    """Return the fields of the object that a call is about; nothing where there is no such object."""
    return fields_of(s, call.args[0]) if isinstance(call.args[0], Handle) else {}


# --------------------------------------------------------------------------------------------------- the value written


@fault("SET-VALUE", "PVS_site", MEDIUM)
def writing_the_present_value_fails(s: Server) -> None:
    """Setting a PVS_site's description to what it is already fails."""

    def write(old: Old, call: Call) -> Branch:
        branch = old(call)
        idle = not code_of(branch) and not branch.touched
        return refusing(s, "INTERNAL_ERROR", "no row was changed") if idle else branch

    calls(s, write, "PVS_site.set_name_description")


@fault("SET-VALUE", "VM", MEDIUM, also="CALL-BAD-REF")
def null_reference_is_not_written(s: Server) -> None:
    """A VM's affinity can be changed, but setting it to the null reference does nothing."""

    def write(old: Old, call: Call) -> Branch:
        value = call.args[1]
        return lost(s, call) if isinstance(value, Handle) and value.is_null else old(call)

    calls(s, write, "VM.set_affinity")


@fault("SET-VALUE", "VMSS", HARD)
def going_back_to_the_first_value_is_no_change(s: Server) -> None:
    """A VMSS's description cannot go back to what it was when the object was made: that is taken for no change."""
    first: dict[Handle, object] = {}

    def write(old: Old, call: Call) -> Branch:
        here = present(s, call).get("name_description")
        return lost(s, call) if first.setdefault(call.args[0], here) == call.args[1] else old(call)

    calls(s, write, "VMSS.set_name_description")


@fault("SET-VALUE", "VM", HARD)
def one_column_is_narrow(s: Server) -> None:
    """A VM's legacy arguments are cut after 255 characters where they are set, and not where the VM is made."""

    def write(old: Old, call: Call) -> Branch:
        return old(replace(call, args=(call.args[0], call.args[1][:255])))

    calls(s, write, "VM.set_PV_legacy_args")


@fault("SET-VALUE", "blob", HARD, also="WIRE-STRING")
def change_of_case_is_no_change(s: Server) -> None:
    """Over JSON-RPC 1.0 setting a blob's name to one that differs in case alone does nothing."""

    def write(old: Old, call: Call) -> Branch:
        here = str(present(s, call).get("name_label", ""))
        alike = s.is_over(Format.JSONRPC1) and here.lower() == call.args[1].lower()
        return lost(s, call) if alike else old(call)

    calls(s, write, "blob.set_name_label")


@fault("SET-VALUE", "GPU_group", MEDIUM, also="WIRE-ENUM")
def enum_falls_back_over_json2(s: Server) -> None:
    """Over JSON-RPC 2.0 every allocation algorithm that is set on a GPU_group is stored as the first of its enum."""

    def write(old: Old, call: Call) -> Branch:
        first = s.api.classes["GPU_group"].enums["allocation_algorithm"][0]
        return old(Call(call.message, (call.args[0], first))) if s.is_over(Format.JSONRPC2) else old(call)

    calls(s, write, "GPU_group.set_allocation_algorithm")


@fault("SET-VALUE", "pool", HARD)
def ref_is_looked_up_by_its_label(s: Server) -> None:
    """Setting a pool's default SR to one of several SRs with one name takes the oldest of them."""

    def write(old: Old, call: Call) -> Branch:
        label = fields_of(s, call.args[1]).get("name_label") if isinstance(call.args[1], Handle) else None
        alike = (h for h in s.state.world.handles("SR") if fields_of(s, h)["name_label"] == label)
        return old(Call(call.message, (call.args[0], next(alike, call.args[1]))))

    calls(s, write, "pool.set_*_SR")


@fault("SET-VALUE", "VBD", HARD)
def bool_follows_the_write_before(s: Server) -> None:
    """A VBD's bootable flag shows each value one write late if the writes come over different formats."""
    over: dict[Handle, Format] = {}

    def write(old: Old, call: Call) -> Branch:
        before = over.get(call.args[0], s.fmt)
        over[call.args[0]] = s.fmt
        return old(call) if before is s.fmt else lost(s, call)

    calls(s, write, "VBD.set_bootable")


# ------------------------------------------------------------------------------------------------- and nothing besides


@fault("SET-ONLY-THAT", "network", MEDIUM)
def mtu_clears_the_description(s: Server) -> None:
    """Setting a network's MTU empties its description."""
    after(s, lambda call, branch: putting(branch, call.args[0], name_description=""), "network.set_MTU")


@fault("SET-ONLY-THAT", "secret", HARD)
def objects_made_alike_share_a_map(s: Server) -> None:
    """Secrets that were made with no other_config share one: what is set or added to one shows in all of them."""
    alike: list[Handle] = []

    def note(call: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        if not call.args[0].get("other_config"):
            alike.append(branch.outcome.value)
        return branch

    def share(call: Call, branch: Branch) -> Branch:
        if call.args[0] in alike:
            now = (branch.world.record(call.args[0]) or {})["other_config"]
            for other in alike:
                branch = putting(branch, other, other_config=now) if branch.world.record(other) else branch
        return branch

    after(s, note, "secret.create")
    after(s, share, "secret.*other_config")


@fault("SET-ONLY-THAT", "VM", HARD)
def arguments_push_out_the_old_ones(s: Server) -> None:
    """Over JSON-RPC 1.0, setting PV_args of a VM empties PV_legacy_args."""

    def write(call: Call, branch: Branch) -> Branch:
        return putting(branch, call.args[0], PV_legacy_args="") if s.is_over(Format.JSONRPC1) else branch

    after(s, write, "VM.set_PV_args")


@fault("SET-ONLY-THAT", "SR", HARD)
def adding_a_key_unties_the_tags(s: Server) -> None:
    """Adding a key to an SR's sm_config takes away its tags."""
    after(s, lambda call, branch: putting(branch, call.args[0], tags=()), "SR.add_to_sm_config")


@fault("SET-ONLY-THAT", "pool", HARD)
def the_pools_name_goes_to_its_master(s: Server) -> None:
    """Setting the pool's description sets that of its coordinating host too."""

    def write(call: Call, branch: Branch) -> Branch:
        master = fields_of(s, call.args[0])["master"]
        return putting(branch, master, name_description=call.args[1]) if fields_of(s, master) else branch

    after(s, write, "pool.set_name_description")


@fault("SET-ONLY-THAT", "VM_appliance", HARD)
def the_next_row_is_written_too(s: Server) -> None:
    """Over XML-RPC, setting the description of a VM_appliance sets that of the next younger one as well."""

    def write(call: Call, branch: Branch) -> Branch:
        after_it = (h for h in branch.world.handles("VM_appliance") if h.n > call.args[0].n)
        younger = next(after_it, None) if s.is_over(Format.XMLRPC) else None
        return branch if younger is None else putting(branch, younger, name_description=call.args[1])

    after(s, write, "VM_appliance.set_name_description")


@fault("SET-ONLY-THAT", "host", MEDIUM)
def removing_a_key_clears_the_address(s: Server) -> None:
    """Removing a key from a host's logging empties its address."""
    after(s, lambda call, branch: putting(branch, call.args[0], address=""), "host.remove_from_logging")


@fault("SET-ONLY-THAT", "VBD", HARD)
def flags_share_a_word(s: Server) -> None:
    """Clearing a VBD's bootable flag clears its unpluggable flag too; setting it leaves the other alone."""

    def write(call: Call, branch: Branch) -> Branch:
        return branch if call.args[1] else putting(branch, call.args[0], unpluggable=False)

    after(s, write, "VBD.set_bootable")
