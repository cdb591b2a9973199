"""Faults of bound fields, of calls on bad refs, and of messages that are removed."""

from __future__ import annotations

from collections.abc import Callable

from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, fault
from xenconform.conformance.reference.faults.objects import (
    ended,
    failing,
    left_behind,
    noting,
    refused,
    result,
    unbound,
    unseen,
)
from xenconform.conformance.reference.faults.seams import after, calls, code_of, fields_of, put, putting
from xenconform.models.calls import Call, Format
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch

# -------------------------------------------------------------------------------------------------------- BIND-CREATE


@fault("BIND-CREATE", "VTPM", MEDIUM, also="BIND-SYMMETRY")
def vtpm_made_over_jsonrpc1_is_not_at_its_vm(s: Server) -> None:
    """A VTPM that is created over JSON-RPC 1.0 is missing in the VTPMs of its VM."""
    unbound(s, "VTPM.create", ("VM", "VTPMs"), lambda _: True, Format.JSONRPC1)


@fault("BIND-CREATE", "VIF", HARD, also="WIRE-AGREE")
def far_end_that_was_read_is_kept(s: Server) -> None:
    """The VIFs of a network that were read over JSON-RPC 2.0 are shown there without those that came later."""
    seen: dict[Handle, tuple[Handle, ...]] = {}

    def keep(call: Call, branch: Branch) -> Branch:
        if not s.is_over(Format.JSONRPC2):
            return branch
        known = seen.setdefault(call.args[0], result(branch))
        return s.state.world.stay(tuple(h for h in known if h in result(branch)))

    after(s, keep, "network.get_VIFs")


@fault("BIND-CREATE", "VBD", HARD, also="BIND-SYMMETRY")
def second_vbd_takes_the_place_of_the_first(s: Server) -> None:
    """The VBDs of a VDI show the newest one alone."""

    def effect(_call: Call, branch: Branch) -> Branch:
        handle = result(branch)
        vdi = (branch.world.record(handle) or {})["VDI"]
        return branch if vdi.is_null else putting(branch, vdi, VBDs=(handle,))

    after(s, effect, "VBD.create")


@fault("BIND-CREATE", "PVS_proxy", HARD, also="BIND-SYMMETRY")
def second_proxy_is_not_at_its_site(s: Server) -> None:
    """A PVS_proxy is missing in the proxies of its PVS_site where that has a proxy already."""
    unbound(s, "PVS_proxy.create", ("site", "proxies"), lambda site: len(fields_of(s, site)["proxies"]) > 0)


# ------------------------------------------------------------------------------------------------------ BIND-SYMMETRY


@fault("BIND-SYMMETRY", "VIF", HARD)
def moved_vif_stays_at_its_old_network(s: Server) -> None:
    """After VIF.move the VIFs of the network that it left still show it."""

    def stay(call: Call, branch: Branch) -> Branch:
        vif = call.args[0]
        old = fields_of(s, vif)["network"]
        if old.is_null or old == call.args[1]:
            return branch
        return putting(branch, old, VIFs=(*(branch.world.record(old) or {})["VIFs"], vif))

    after(s, stay, "VIF.move")


@fault("BIND-SYMMETRY", "VDI", HARD)
def snapshots_lack_what_jsonrpc1_made(s: Server) -> None:
    """The snapshots of a VDI lack a snapshot that was taken over JSON-RPC 1.0."""
    after(s, lambda call, b: unseen(b, call.args[0], "snapshots", result(b)) if s.is_over(Format.JSONRPC1) else b,
          "VDI.snapshot")  # fmt: skip


@fault("BIND-SYMMETRY", "VBD", HARD)
def inserted_vdi_does_not_know_its_drive(s: Server) -> None:
    """After VBD.insert the VBDs of the VDI lack the drive that it was put into."""
    after(s, lambda call, b: unseen(b, call.args[1], "VBDs", call.args[0]), "VBD.insert")


@fault("BIND-SYMMETRY", "PBD", EASY)
def host_lacks_a_pbd_from_the_start(s: Server) -> None:
    """The PBDs of a host lack one that names the host, as the server begins."""
    world = s.state.world
    for host in world.handles("host"):
        s.state.world = put(world, host, PBDs=fields_of(s, host)["PBDs"][1:])


@fault("BIND-SYMMETRY", "VM", HARD)
def checkpoint_over_jsonrpc2_is_not_at_its_vm(s: Server) -> None:
    """The snapshots of a VM lack a checkpoint of it that was taken over JSON-RPC 2.0."""
    after(s, lambda call, b: unseen(b, call.args[0], "snapshots", result(b)) if s.is_over(Format.JSONRPC2) else b,
          "VM.checkpoint")  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- BIND-MOVE


@fault("BIND-MOVE", "VM", HARD)
def leaving_vm_empties_the_appliance(s: Server) -> None:
    """When a VM leaves a VM_appliance, the VMs of that appliance show none, also those that stay in it."""

    def empty(call: Call, branch: Branch) -> Branch:
        old = fields_of(s, call.args[0])["appliance"]
        return branch if old.is_null or old == call.args[1] else putting(branch, old, VMs=())

    after(s, empty, "VM.set_appliance")


@fault("BIND-MOVE", "VM", HARD)
def setting_the_same_appliance_takes_the_vm_out(s: Server) -> None:
    """Setting the appliance that a VM has already, over JSON-RPC 1.0, takes the VM out of the appliance's VMs."""

    def toggle(call: Call, branch: Branch) -> Branch:
        vm, appliance = call.args
        same = fields_of(s, vm)["appliance"] == appliance and not appliance.is_null and s.is_over(Format.JSONRPC1)
        return unseen(branch, appliance, "VMs", vm) if same else branch

    after(s, toggle, "VM.set_appliance")


@fault("BIND-MOVE", "VM", HARD)
def vm_that_comes_back_is_not_shown(s: Server) -> None:
    """A VM that goes back to a VM_appliance that it was taken out of is missing in the VMs of that appliance."""
    left: set[tuple[Handle, Handle]] = set()

    def note(call: Call, branch: Branch) -> Branch:
        vm, appliance = call.args
        if fields_of(s, vm)["appliance"] != appliance:
            left.add((vm, fields_of(s, vm)["appliance"]))
        return unseen(branch, appliance, "VMs", vm) if (vm, appliance) in left else branch

    after(s, note, "VM.set_appliance")


# ------------------------------------------------------------------------------------------------------- BIND-DESTROY


@fault("BIND-DESTROY", "VIF", MEDIUM, also="BIND-SYMMETRY")
def network_still_shows_a_vif_that_jsonrpc1_destroyed(s: Server) -> None:
    """The VIFs of a network still show a VIF that was destroyed over JSON-RPC 1.0."""
    left_behind(s, "VIF.destroy", "network", "VIFs", lambda _: True, Format.JSONRPC1)


@fault("BIND-DESTROY", "VM", HARD, also="BIND-SYMMETRY")
def appliance_shows_a_vm_that_was_moved_and_destroyed(s: Server) -> None:
    """The VMs of a VM_appliance still show a destroyed VM that was put into it after its creation."""
    moved: set[Handle] = set()
    noting(s, lambda call, _: moved.add(call.args[0]), "VM.set_appliance")
    left_behind(s, "VM.destroy", "appliance", "VMs", moved.__contains__)


@fault("BIND-DESTROY", "PVS_server", HARD, also="BIND-SYMMETRY")
def older_server_stays_with_its_site(s: Server) -> None:
    """The servers of a PVS_site still show one that was forgotten while the site had a newer one."""

    def newer(server: Handle) -> bool:
        return any(h.n > server.n for h in fields_of(s, fields_of(s, server)["site"])["servers"])

    left_behind(s, "PVS_server.forget", "site", "servers", newer)


@fault("BIND-DESTROY", "VUSB", HARD, also="BIND-SYMMETRY")
def usb_group_loses_all_its_vusbs(s: Server) -> None:
    """When a VUSB is destroyed over JSON-RPC 2.0, the VUSBs of its USB_group show none, also those that are there."""

    def empty(call: Call, branch: Branch) -> Branch:
        group = fields_of(s, call.args[0])["USB_group"]
        return putting(branch, group, VUSBs=()) if s.is_over(Format.JSONRPC2) and not group.is_null else branch

    after(s, empty, "VUSB.destroy")


# ------------------------------------------------------------------------------------------------------- CALL-BAD-REF


def _any(s: Server, name: str, handle: Callable[[Value], Handle | None]) -> None:
    """Let messages, by a glob of full names, take something else for an object's ref."""

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        other = handle(call.args[0]) if call.args else None
        return old(call if other is None else Call(call.message, (other, *call.args[1:])))

    calls(s, rule, name)


@fault("CALL-BAD-REF", "VDI", MEDIUM)
def uuid_does_for_a_ref(s: Server) -> None:
    """VDI.clone takes the uuid of a VDI in the place of its ref."""
    _any(s, "VDI.clone", lambda ref: next(
        (h for h in s.state.world.handles("VDI") if fields_of(s, h)["uuid"] == ref), None))  # fmt: skip


@fault("CALL-BAD-REF", "PBD", HARD, also="DESTROY-GONE")
def setters_take_what_is_gone(s: Server) -> None:
    """What writes the other_config of a PBD succeeds over JSON-RPC 1.0 on one that was destroyed."""
    book = ended(s)
    refused(s, "PBD.*_other_config", lambda call, b: (
        s.state.world.stay(None) if call.args[0] in book and s.is_over(Format.JSONRPC1) else b))  # fmt: skip


@fault("CALL-BAD-REF", "pool", MEDIUM)
def null_pool_is_the_pool(s: Server) -> None:
    """Messages that set the pool's properties take the null ref for the one pool over JSON-RPC 2.0."""
    _any(s, "pool.set_*", lambda ref: (
        s.state.world.handles("pool")[0]
        if isinstance(ref, Handle) and ref.is_null and s.is_over(Format.JSONRPC2) else None))  # fmt: skip


@fault("CALL-BAD-REF", "SR", HARD)
def beginning_of_a_ref_is_enough(s: Server) -> None:
    """SR.scan and SR.update find the SR by the beginning of its ref."""

    def whole(ref: Value) -> Handle | None:
        if not isinstance(ref, str) or len(ref) < 20:
            return None
        return next((h for h in s.state.world.handles("SR") if s.state.refs.ref(h).startswith(ref)), None)

    _any(s, "SR.[su][cp]*", whole)


@fault("CALL-BAD-REF", "VMSS", MEDIUM)
def ref_of_another_class_does_nothing(s: Server) -> None:
    """Setters of a VMSS succeed on a ref of another class, and change nothing."""
    refused(s, "VMSS.set_*", lambda call, b: (
        s.state.world.stay(None) if isinstance(call.args[0], Handle) and call.args[0].cls != "VMSS" else b
    ))  # fmt: skip


# -------------------------------------------------------------------------------------------------- CALL-BAD-REF-CODE


def _is_bad(branch: Branch) -> bool:
    return code_of(branch) == "HANDLE_INVALID"


@fault("CALL-BAD-REF-CODE", "VM", MEDIUM)
def bad_vm_is_named_in_small_letters(s: Server) -> None:
    """HANDLE_INVALID names the class vm when the power of a VM that does not exist is switched over JSON-RPC 2.0."""
    refused(s, "VM.*suspend", lambda call, b: (
        failing(b, "HANDLE_INVALID", "vm", call.args[0]) if _is_bad(b) and s.is_over(Format.JSONRPC2) else b
    ))  # fmt: skip


@fault("CALL-BAD-REF-CODE", "VIF", MEDIUM)
def ref_of_another_class_is_a_wrong_type(s: Server) -> None:
    """VIF.plug and VIF.unplug on a ref of another class fail with FIELD_TYPE_ERROR."""
    refused(s, "VIF.*plug*", lambda call, b: (
        failing(b, "FIELD_TYPE_ERROR", "self")
        if isinstance(call.args[0], Handle) and call.args[0].cls != "VIF" else b))  # fmt: skip


@fault("CALL-BAD-REF-CODE", "host", HARD)
def null_host_is_an_internal_error(s: Server) -> None:
    """host.enable and host.disable on the null ref fail over JSON-RPC 1.0 with INTERNAL_ERROR."""
    refused(s, "host.*able", lambda call, b: (
        failing(b, "INTERNAL_ERROR", "Not_found")
        if isinstance(call.args[0], Handle) and call.args[0].is_null and s.is_over(Format.JSONRPC1) else b
    ))  # fmt: skip


# ---------------------------------------------------------------------------------------------------- MESSAGE-REMOVED


def _is_removed(branch: Branch) -> bool:
    return code_of(branch) == "MESSAGE_REMOVED"


@fault("MESSAGE-REMOVED", "VMPP", EASY)
def removed_message_is_unknown(s: Server) -> None:
    """Messages of VMPP that are removed fail with MESSAGE_METHOD_UNKNOWN."""
    refused(s, "VMPP.*", lambda call, b: failing(b, "MESSAGE_METHOD_UNKNOWN", call.message) if _is_removed(b) else b)


@fault("MESSAGE-REMOVED", "host", HARD)
def removed_message_does_nothing_over_xmlrpc(s: Server) -> None:
    """host.reset_cpu_features, which is removed, succeeds over XML-RPC."""
    refused(s, "host.reset_cpu_features", lambda _, b: (
        s.state.world.stay(None) if _is_removed(b) and s.is_over(Format.XMLRPC) else b))  # fmt: skip


@fault("MESSAGE-REMOVED", "VM", MEDIUM)
def removed_message_looks_at_its_object_first(s: Server) -> None:
    """VM.snapshot_with_quiesce, which is removed, fails with NOT_IMPLEMENTED over JSON-RPC 1.0."""
    refused(s, "VM.snapshot_with_quiesce", lambda call, b: (
        failing(b, "NOT_IMPLEMENTED", call.message) if _is_removed(b) and s.is_over(Format.JSONRPC1) else b
    ))  # fmt: skip
