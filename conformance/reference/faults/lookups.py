"""Faults of look-ups: by uuid, by label, by query."""

from __future__ import annotations

from collections.abc import Callable
from unicodedata import normalize

from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, fault
from xenconform.conformance.reference.faults.objects import ended, failing, found, made, refused, result
from xenconform.conformance.reference.faults.seams import after, calls, fields_of
from xenconform.models.binding import Record
from xenconform.models.calls import Call, Format
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch


def _by_uuid(s: Server, cls: str, text: str) -> Handle | None:
    return next((h for h in s.state.world.handles(cls) if fields_of(s, h).get("uuid") == text), None)


def _instead(s: Server, cls: str, other: Callable[[str], Handle | None]) -> None:
    """Let a look-up by uuid that fails find something else."""

    def change(call: Call, branch: Branch) -> Branch:
        handle = other(call.args[0])
        return branch if handle is None else s.state.world.stay(handle)

    refused(s, f"{cls}.get_by_uuid", change)


# -------------------------------------------------------------------------------------------------------- UUID-LOOKUP


@fault("UUID-LOOKUP", "VM_appliance", HARD)
def index_forgets_the_neighbour(s: Server) -> None:
    """Once a VM_appliance was destroyed, a look-up by uuid does not find the one that was made after it."""
    lost: set[Handle] = set()

    def note(call: Call, branch: Branch) -> Branch:
        lost.update([h for h in s.state.world.handles("VM_appliance") if h.n > call.args[0].n][:1])
        return branch

    after(s, note, "VM_appliance.destroy")
    after(s, lambda call, b: failing(b, "UUID_INVALID", "VM_appliance", call.args[0]) if result(b) in lost else b,
          "VM_appliance.get_by_uuid")  # fmt: skip


@fault("UUID-LOOKUP", "secret", MEDIUM, also="WIRE-AGREE")
def jsonrpc1_looks_at_the_first_only(s: Server) -> None:
    """A look-up of a secret by uuid over JSON-RPC 1.0 finds the oldest one, whichever of them has the uuid."""
    after(s, lambda _, b: s.state.world.stay(s.state.world.handles("secret")[0]) if s.is_over(Format.JSONRPC1) else b,
          "secret.get_by_uuid")  # fmt: skip


@fault("UUID-LOOKUP", "network", HARD)
def renamed_network_has_no_uuid_any_more(s: Server) -> None:
    """A network whose label was set over JSON-RPC 1.0 is not found by its uuid."""
    lost: set[Handle] = set()

    def note(call: Call, branch: Branch) -> Branch:
        if s.is_over(Format.JSONRPC1):
            lost.add(call.args[0])
        return branch

    after(s, note, "network.set_name_label")
    after(s, lambda call, b: failing(b, "UUID_INVALID", "network", call.args[0]) if result(b) in lost else b,
          "network.get_by_uuid")  # fmt: skip


# ------------------------------------------------------------------------------------------------------- UUID-UNKNOWN


@fault("UUID-UNKNOWN", "VBD", MEDIUM)
def beginning_of_a_uuid_is_enough(s: Server) -> None:
    """A look-up of a VBD finds it by the first groups of its uuid too."""
    _instead(s, "VBD", lambda text: next(
        (h for h in s.state.world.handles("VBD") if len(text) >= 8 and fields_of(s, h)["uuid"].startswith(text)),
        None))  # fmt: skip


@fault("UUID-UNKNOWN", "SR", MEDIUM)
def spaces_around_a_uuid_are_ignored(s: Server) -> None:
    """A look-up of an SR finds it although there is a space behind the uuid."""
    _instead(s, "SR", lambda text: _by_uuid(s, "SR", text.strip()))


@fault("UUID-UNKNOWN", "VIF", HARD)
def uuid_of_the_vm_finds_its_vif(s: Server) -> None:
    """A look-up of a VIF by the uuid of a VM finds the first VIF of that VM."""

    def first(text: str) -> Handle | None:
        vm = _by_uuid(s, "VM", text)
        return next(iter(fields_of(s, vm)["VIFs"]), None) if vm else None

    _instead(s, "VIF", first)


@fault("UUID-UNKNOWN", "VM_appliance", HARD, also="DESTROY-GONE")
def what_was_looked_up_is_found_for_ever(s: Server) -> None:
    """A VM_appliance that was once looked up over JSON-RPC 2.0 is found there by its uuid after it was destroyed."""
    known: dict[str, Handle] = {}
    ended(s)

    def keep(call: Call, branch: Branch) -> Branch:
        if s.is_over(Format.JSONRPC2):
            known[call.args[0]] = result(branch)
        return branch

    _instead(s, "VM_appliance", lambda text: known.get(text) if s.is_over(Format.JSONRPC2) else None)
    after(s, keep, "VM_appliance.get_by_uuid")


# -------------------------------------------------------------------------------------------------- UUID-UNKNOWN-CODE


@fault("UUID-UNKNOWN-CODE", "role", EASY)
def unknown_uuid_is_a_bad_handle(s: Server) -> None:
    """A look-up of a role by an unknown uuid fails with HANDLE_INVALID."""
    refused(s, "role.get_by_uuid", lambda call, b: failing(b, "HANDLE_INVALID", "role", call.args[0]))


@fault("UUID-UNKNOWN-CODE", "PIF", MEDIUM)
def jsonrpc2_names_the_class_in_small_letters(s: Server) -> None:
    """UUID_INVALID names the class pif over JSON-RPC 2.0 when a PIF is looked up."""
    refused(s, "PIF.get_by_uuid", lambda call, b: (
        failing(b, "UUID_INVALID", "pif", call.args[0]) if s.is_over(Format.JSONRPC2) else b))  # fmt: skip


@fault("UUID-UNKNOWN-CODE", "message", MEDIUM)
def text_that_is_no_uuid_is_an_invalid_value(s: Server) -> None:
    """A look-up of a message by text that has not the form of a uuid fails with INVALID_VALUE."""
    refused(s, "message.get_by_uuid", lambda call, b: (
        b if len(call.args[0]) == 36 else failing(b, "INVALID_VALUE", "uuid", call.args[0])))  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- UUID-FORM


@fault("UUID-FORM", "blob", MEDIUM)
def uuid_of_a_blob_has_no_dashes(s: Server) -> None:
    """The uuid of a new blob is 32 digits in one piece."""
    made(s, "blob.create", lambda f: {"uuid": f["uuid"].replace("-", "")})


@fault("UUID-FORM", "VTPM", HARD, also="UUID-UNKNOWN CREATE-NEW")
def vtpm_has_the_uuid_of_its_vm(s: Server) -> None:
    """The first VTPM of a VM has the uuid of that VM."""
    made(
        s,
        "VTPM.create",
        lambda f: {"uuid": fields_of(s, f["VM"])["uuid"]} if not fields_of(s, f["VM"])["VTPMs"] else {},
    )


@fault("UUID-FORM", "subject", HARD)
def fourth_uuid_loses_a_digit(s: Server) -> None:
    """The uuid of a subject lacks its last digit where three others are there when it is created."""
    made(s, "subject.create", lambda f: {"uuid": f["uuid"][:-1]} if len(s.state.world.handles("subject")) >= 3 else {})


# ------------------------------------------------------------------------------------------------------- LABEL-LOOKUP


def _label(fields: Record) -> str:
    return str(fields["name_label"])


@fault("LABEL-LOOKUP", "network", MEDIUM)
def underscore_stands_for_any_letter(s: Server) -> None:
    """A look-up of networks takes an underscore in the label for any one character."""

    def like(fields: Record, text: Value) -> bool:
        label = _label(fields)
        return len(label) == len(text) and all(b in {"_", a} for a, b in zip(label, text, strict=True))

    found(s, "network.get_by_name_label", like)


@fault("LABEL-LOOKUP", "VM", MEDIUM)
def composed_and_decomposed_labels_are_alike(s: Server) -> None:
    """A look-up of VMs finds labels that are the same only after Unicode normalization."""
    found(s, "VM.get_by_name_label", lambda f, text: normalize("NFC", _label(f)) == normalize("NFC", text))


@fault("LABEL-LOOKUP", "VMSS", MEDIUM)
def labels_are_compared_up_to_255_characters(s: Server) -> None:
    """A look-up of VMSSs finds labels that begin with the same 255 characters."""
    found(s, "VMSS.get_by_name_label", lambda f, text: _label(f)[:255] == text[:255])


@fault("LABEL-LOOKUP", "VM_appliance", HARD)
def no_more_than_eight_are_found(s: Server) -> None:
    """A look-up of VM_appliances over JSON-RPC 1.0 gives eight at most."""
    after(s, lambda _, b: s.state.world.stay(result(b)[:8]) if s.is_over(Format.JSONRPC1) else b,
          "VM_appliance.get_by_name_label")  # fmt: skip


@fault("LABEL-LOOKUP", "PVS_site", HARD)
def labels_of_digits_are_compared_as_numbers(s: Server) -> None:
    """A look-up of PVS_sites by a label of digits finds those whose label is the same number."""

    def same(fields: Record, text: Value) -> bool:
        label = _label(fields)
        return label == text or (label.isdecimal() and text.isdecimal() and int(label) == int(text))

    found(s, "PVS_site.get_by_name_label", same)


@fault("LABEL-LOOKUP", "GPU_group", MEDIUM)
def apostrophe_finds_nothing(s: Server) -> None:
    """A look-up of GPU_groups by a label with an apostrophe in it finds none."""
    found(s, "GPU_group.get_by_name_label", lambda f, text: "'" not in text and _label(f) == text)


@fault("LABEL-LOOKUP", "task", MEDIUM)
def sharp_s_and_ss_are_alike(s: Server) -> None:
    """A look-up of tasks folds case."""
    found(s, "task.get_by_name_label", lambda f, text: _label(f).casefold() == text.casefold())


@fault("LABEL-LOOKUP", "Observer", HARD, also="WIRE-AGREE")
def label_over_xmlrpc_is_found_as_it_was_created(s: Server) -> None:
    """A look-up of Observers over XML-RPC goes by the label that an Observer was created with."""
    first: dict[Handle, str] = {}

    def note(_call: Call, branch: Branch) -> Branch:
        first[result(branch)] = _label(branch.world.record(result(branch)) or {})
        return branch

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        if not s.is_over(Format.XMLRPC):
            return old(call)
        world = s.state.world
        named = ((h, first.get(h, _label(fields_of(s, h)))) for h in world.handles("Observer"))
        return world.stay(tuple(h for h, label in named if label == call.args[0]))

    after(s, note, "Observer.create")
    calls(s, rule, "Observer.get_by_name_label")
