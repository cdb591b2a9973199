"""Faults of destructors: what is left of an object, what keeps it, and what goes with it."""

from __future__ import annotations

from collections.abc import Callable

from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, fault
from xenconform.conformance.reference.faults.objects import (
    destroying,
    ended,
    failing,
    is_held,
    noting,
    refused,
    result,
    twins,
)
from xenconform.conformance.reference.faults.seams import after, calls, code_of, fields_of, putting
from xenconform.models.binding import referrers
from xenconform.models.calls import Call, Format
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch

# ------------------------------------------------------------------------------------------------------- DESTROY-GONE


@fault("DESTROY-GONE", "VMSS", HARD)
def record_that_was_read_outlives_its_object(s: Server) -> None:
    """The record of a VMSS that was read over JSON-RPC 1.0 can still be read there after the VMSS was destroyed."""
    book, known = ended(s), dict[Handle, dict[str, Value]]()

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        branch = old(call)
        if not s.is_over(Format.JSONRPC1):
            return branch
        if not code_of(branch):
            known[call.args[0]] = result(branch)
        cached = known.get(book.get(call.args[0]))  # type: ignore[arg-type]  # None is no key of it
        return branch if cached is None else s.state.world.stay(cached)

    calls(s, rule, "VMSS.get_record")


@fault("DESTROY-GONE", "VM_appliance", HARD, also="WHERE")
def query_finds_what_was_destroyed(s: Server) -> None:
    """get_all_records_where on VM_appliances still finds one that it found before it was destroyed."""
    known: dict[str, dict[Handle, Value]] = {}
    ended(s)

    def cached(call: Call, branch: Branch) -> Branch:
        known[call.args[0]] = {**known.get(call.args[0], {}), **result(branch)}
        return s.state.world.stay(known[call.args[0]])

    after(s, cached, "VM_appliance.get_all_records_where")


@fault("DESTROY-GONE", "PVS_site", MEDIUM, also="LABEL-LOOKUP")
def label_finds_what_was_destroyed_over_jsonrpc2(s: Server) -> None:
    """A look-up of PVS_sites by label still finds one that was forgotten over JSON-RPC 2.0."""
    left: dict[Handle, str] = {}
    ended(s)

    def note(call: Call, branch: Branch) -> Branch:
        if s.is_over(Format.JSONRPC2):
            left[call.args[0]] = fields_of(s, call.args[0])["name_label"]
        return branch

    after(s, note, "PVS_site.forget")
    after(
        s,
        lambda call, b: s.state.world.stay((*result(b), *(h for h in left if left[h] == call.args[0]))),
        "PVS_site.get_by_name_label",
    )


@fault("DESTROY-GONE", "USB_group", MEDIUM)
def last_getter_works_on_what_is_gone(s: Server) -> None:
    """get_other_config of a USB_group that was destroyed over JSON-RPC 1.0 succeeds and gives an empty map."""
    book, over = ended(s), set[Handle]()

    def note(call: Call, branch: Branch) -> Branch:
        if s.is_over(Format.JSONRPC1):
            over.add(call.args[0])
        return branch

    after(s, note, "USB_group.destroy")
    refused(s, "USB_group.get_other_config", lambda call, b: (
        s.state.world.stay({}) if book.get(call.args[0]) in over else b))  # fmt: skip


# ------------------------------------------------------------------------------------------------- DESTROY-REFERENCED


def _regardless(s: Server, name: str, when: Callable[[Handle], bool], *formats: Format) -> None:
    """Let a destructor, by its full name, end an object that another one refers to."""
    ended(s)

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        branch = old(call)
        held = is_held(branch) and s.is_over(*formats)
        return s.state.world.destroy(call.args[0]) if held and when(call.args[0]) else branch

    calls(s, rule, name)


@fault("DESTROY-REFERENCED", "PVS_site", MEDIUM)
def site_is_forgotten_with_its_servers(s: Server) -> None:
    """A PVS_site can be forgotten over XML-RPC while a PVS_server refers to it."""
    _regardless(s, "PVS_site.forget", lambda h: bool(fields_of(s, h)["servers"]), Format.XMLRPC)


@fault("DESTROY-REFERENCED", "network", HARD)
def first_vif_to_go_frees_its_network(s: Server) -> None:
    """Once one of a network's VIFs was destroyed, the network can be destroyed while another VIF is in it."""
    freed: set[Handle] = set()

    noting(s, lambda call, _: freed.add(fields_of(s, call.args[0])["network"]), "VIF.destroy")
    _regardless(s, "network.destroy", freed.__contains__)


@fault("DESTROY-REFERENCED", "SR", HARD)
def sr_that_was_set_later_is_not_kept(s: Server) -> None:
    """An SR can be destroyed while the suspend_SR of a VM names it, if that was set after the VM was made."""
    by_setter: set[tuple[Handle, Handle]] = set()
    noting(s, lambda call, _: by_setter.add((call.args[0], call.args[1])), "VM.set_suspend_SR")

    def when(sr: Handle) -> bool:
        return all((holder, sr) in by_setter for holder, _ in referrers(s.api, s.state.world.objects, sr))

    _regardless(s, "SR.destroy", when)


@fault("DESTROY-REFERENCED", "VDI", MEDIUM)
def only_vbds_keep_a_vdi(s: Server) -> None:
    """A VDI can be destroyed while the suspend_VDI of a VM names it."""
    _regardless(s, "VDI.destroy", lambda vdi: not fields_of(s, vdi)["VBDs"])


@fault("DESTROY-REFERENCED", "VM_appliance", HARD)
def appliance_of_a_later_vm_can_be_destroyed(s: Server) -> None:
    """A VM_appliance can be destroyed over JSON-RPC 2.0 while a VM names it that was put into it after its creation."""
    set_later: set[Handle] = set()
    noting(s, lambda call, _: set_later.add(call.args[0]), "VM.set_appliance")
    _regardless(s, "VM_appliance.destroy", lambda h: set(fields_of(s, h)["VMs"]) <= set_later, Format.JSONRPC2)


@fault("DESTROY-REFERENCED", "blob", HARD)
def what_a_map_refers_to_is_not_kept(s: Server) -> None:
    """A blob can be destroyed over JSON-RPC 1.0 while it is in the map of blobs of a network."""
    _regardless(s, "blob.destroy", lambda blob: any(
        blob in fields_of(s, network)["blobs"].values() for network in s.state.world.handles("network")),
        Format.JSONRPC1)  # fmt: skip


# --------------------------------------------------------------------------------------- DESTROY-REFERENCED-UNCHANGED


@fault("DESTROY-REFERENCED-UNCHANGED", "VMSS", MEDIUM)
def refused_destroy_switches_it_off(s: Server) -> None:
    """A VMSS that cannot be destroyed because a VM refers to it has other values of enabled and name_description."""
    refused(s, "VMSS.destroy", lambda call, b: (
        putting(b, call.args[0], enabled=False, name_description="") if is_held(b) else b))  # fmt: skip


@fault("DESTROY-REFERENCED-UNCHANGED", "VM_appliance", HARD)
def refused_destroy_empties_the_far_end(s: Server) -> None:
    """A VM_appliance that cannot be destroyed because a VM refers to it shows none of its VMs afterwards."""
    refused(s, "VM_appliance.destroy", lambda call, b: putting(b, call.args[0], VMs=()) if is_held(b) else b)


@fault("DESTROY-REFERENCED-UNCHANGED", "network", HARD, also="LABEL-LOOKUP")
def refused_destroy_takes_it_out_of_the_index(s: Server) -> None:
    """A network that could not be destroyed because a VIF refers to it is not found by its label any more."""
    lost: set[Handle] = set()

    def lose(call: Call, branch: Branch) -> Branch:
        if is_held(branch):
            lost.add(call.args[0])
        return branch

    refused(s, "network.destroy", lose)
    after(s, lambda _, b: s.state.world.stay(tuple(h for h in result(b) if h not in lost)),
          "network.get_by_name_label")  # fmt: skip


@fault("DESTROY-REFERENCED-UNCHANGED", "Cluster", MEDIUM)
def refused_destroy_turns_a_switch(s: Server) -> None:
    """A Cluster that JSON-RPC 1.0 cannot destroy, as a Cluster_host refers to it, has another pool_auto_join."""
    refused(s, "Cluster.destroy", lambda call, b: (
        putting(b, call.args[0], pool_auto_join=not fields_of(s, call.args[0])["pool_auto_join"])
        if is_held(b) and s.is_over(Format.JSONRPC1) else b))  # fmt: skip


# ------------------------------------------------------------------------------------------------- DESTROY-NO-CASCADE


def _taking(s: Server, name: str, others: Callable[[Handle], list[Handle]], *formats: Format) -> None:
    """Let a destructor, by its full name, take other objects along where nothing refers to them."""
    after(s, lambda call, b: destroying(s, b, others(call.args[0])) if s.is_over(*formats) else b, name)


@fault("DESTROY-NO-CASCADE", "VM_appliance", MEDIUM)
def namesakes_go_too(s: Server) -> None:
    """Destroying a VM_appliance over JSON-RPC 2.0 destroys every other one with the same label."""
    _taking(s, "VM_appliance.destroy", lambda h: twins(s, h, "name_label"), Format.JSONRPC2)


@fault("DESTROY-NO-CASCADE", "secret", HARD)
def secrets_of_equal_value_go_too(s: Server) -> None:
    """Destroying a secret over JSON-RPC 2.0 destroys the other secrets of the same value."""
    _taking(s, "secret.destroy", lambda h: twins(s, h, "value"), Format.JSONRPC2)


@fault("DESTROY-NO-CASCADE", "PVS_server", MEDIUM)
def site_goes_with_its_last_server(s: Server) -> None:
    """Forgetting the last PVS_server of a PVS_site forgets the site."""
    _taking(s, "PVS_server.forget", lambda h: [fields_of(s, h)["site"]])


@fault("DESTROY-NO-CASCADE", "VBD", HARD)
def disk_goes_with_its_last_drive(s: Server) -> None:
    """Destroying the only VBD of a VDI over XML-RPC destroys the VDI."""
    _taking(s, "VBD.destroy", lambda h: [fields_of(s, h)["VDI"]], Format.XMLRPC)


@fault("DESTROY-NO-CASCADE", "console", MEDIUM)
def newest_console_goes_too(s: Server) -> None:
    """Destroying a console over JSON-RPC 2.0 destroys the newest one as well."""
    _taking(s, "console.destroy", lambda _: list(s.state.world.handles("console")[-1:]), Format.JSONRPC2)


@fault("DESTROY-NO-CASCADE", "VUSB", HARD)
def siblings_on_the_vm_go_too(s: Server) -> None:
    """Destroying a VUSB over JSON-RPC 1.0 destroys the other VUSBs of the same VM and USB_group."""
    _taking(s, "VUSB.destroy", lambda h: twins(s, h, "VM", "USB_group"), Format.JSONRPC1)


# ------------------------------------------------------------------------------------------------------ DESTROY-AGAIN


@fault("DESTROY-AGAIN", "secret", EASY)
def second_destroy_says_that_the_uuid_is_invalid(s: Server) -> None:
    """Destroying a secret for the second time fails with UUID_INVALID."""
    book = ended(s)
    refused(s, "secret.destroy", lambda call, b: (
        failing(b, "UUID_INVALID", "secret", call.args[0]) if call.args[0] in book else b))  # fmt: skip


@fault("DESTROY-AGAIN", "VM_appliance", HARD)
def second_destroy_over_the_same_format_succeeds(s: Server) -> None:
    """Destroying a VM_appliance again succeeds over the format that it was destroyed over."""
    book, over = ended(s), dict[Handle, Format]()
    noting(s, lambda call, _: over.update({call.args[0]: s.fmt}), "VM_appliance.destroy")
    refused(s, "VM_appliance.destroy", lambda call, b: (
        s.state.world.stay(None) if over.get(book.get(call.args[0])) is s.fmt else b))  # type: ignore[arg-type]  # fmt: skip


@fault("DESTROY-AGAIN", "console", HARD)
def second_destroy_hits_the_newcomer(s: Server) -> None:
    """Destroying a console again, once another one was made, destroys that one."""
    book = ended(s)

    def hit(call: Call, branch: Branch) -> Branch:
        gone = book.get(call.args[0])
        newer = [h for h in s.state.world.handles("console") if gone and gone.cls == "console" and h.n > gone.n]
        return s.state.world.destroy(newer[0]) if newer else branch

    refused(s, "console.destroy", hit)


@fault("DESTROY-AGAIN", "network", MEDIUM)
def second_destroy_names_no_class(s: Server) -> None:
    """HANDLE_INVALID of a second destroy of a network over JSON-RPC 1.0 has the ref alone, without the class."""
    book = ended(s)
    refused(s, "network.destroy", lambda call, b: (
        failing(b, "HANDLE_INVALID", call.args[0]) if call.args[0] in book and s.is_over(Format.JSONRPC1) else b
    ))  # fmt: skip
