"""Faults of qualifiers: what no client may write can be written after all, or accessors do not fit their field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import after, fields_of, putting
from xenconform.conformance.reference.sessions import Session
from xenconform.conformance.reference.state import Refusal
from xenconform.models import types as t
from xenconform.models.api import Lifecycle, Message, Parameter, State
from xenconform.models.calls import Call, Format, Success
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch


def offer(
    s: Server, full_name: str, field: str, types: tuple[t.Type, ...], kept: Callable[..., Value], *formats: Format
) -> None:
    """Offer an accessor that no model publishes: `kept(old, *args)` gives what the field of its object becomes."""
    cls, _, name = full_name.partition(".")
    params = (Parameter("self", t.RefTo(cls)), *(Parameter(f"value{n}", of) for n, of in enumerate(types)))
    roles = s.api.classes[cls].messages[f"get_{field}"].roles
    message = Message(cls, name, params, t.Void(), Lifecycle(State.PUBLISHED), roles=roles)

    def run(state: Any, _session: Session, args: tuple[Value, ...]) -> None:
        if not isinstance(args[0], Handle) or not fields_of(s, args[0]):
            raise Refusal("HANDLE_INVALID", cls, args[0])
        if not s.is_over(*formats):
            raise Refusal("MESSAGE_METHOD_UNKNOWN", full_name)
        branch = state.world.write(args[0], field, kept(fields_of(s, args[0])[field], *args[1:]))
        state.adopt(branch.world, branch.touched)

    around(s.state.plans, "_find", lambda old, wanted: message if wanted == full_name else old(wanted))
    s.state.handlers[full_name] = run


def new(_old: Value, value: Value) -> Value:
    """Return what a plain setter leaves."""
    return value


def writes_and_refuses(s: Server, full_name: str, field: str, of: t.Type) -> None:
    """Let a setter that is not there write its value before it is refused."""
    offer(s, full_name, field, (of,), new)
    run = s.state.handlers[full_name]

    def refused(*args: Any) -> None:
        run(*args)
        raise Refusal("MESSAGE_METHOD_UNKNOWN", full_name)

    s.state.handlers[full_name] = refused


# -------------------------------------------------------------------------------------------------- read-only for ever


@fault("QUAL-RO-RUNTIME", "secret", EASY)
def uuid_can_be_set(s: Server) -> None:
    """secret.set_uuid is there and works."""
    offer(s, "secret.set_uuid", "uuid", (t.Str(),), new)


@fault("QUAL-RO-RUNTIME", "VDI", MEDIUM)
def used_space_can_be_set_over_json1(s: Server) -> None:
    """Over JSON-RPC 1.0 VDI.set_physical_utilisation works."""
    offer(s, "VDI.set_physical_utilisation", "physical_utilisation", (t.Int(),), new, Format.JSONRPC1)


@fault("QUAL-RO-RUNTIME", "VM_guest_metrics", MEDIUM)
def versions_take_pairs(s: Server) -> None:
    """VM_guest_metrics.add_to_os_version adds a pair to a map that no client may write."""
    two = (t.Str(), t.Str())
    offer(s, "VM_guest_metrics.add_to_os_version", "os_version", two, lambda old, key, value: {**old, key: value})


@fault("QUAL-RO-RUNTIME", "blob", HARD)
def size_is_set_before_it_is_refused(s: Server) -> None:
    """blob.set_size fails as an unknown method and has written the size."""
    writes_and_refuses(s, "blob.set_size", "size", t.Int())


@fault("QUAL-RO-RUNTIME", "task", HARD)
def tasks_lose_operations(s: Server) -> None:
    """task.remove_allowed_operations takes an operation out; the other accessors of that field are unknown."""
    of = s.api.classes["task"].fields["allowed_operations"].type
    assert isinstance(of, t.SetOf)
    offer(
        s, "task.remove_allowed_operations", "allowed_operations", (of.item,),
        lambda old, value: tuple(each for each in old if each != value),
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------- from the constructor


@fault("QUAL-RO-CONSTRUCTOR", "network", EASY)
def bridge_can_be_set(s: Server) -> None:
    """network.set_bridge is there and works."""
    offer(s, "network.set_bridge", "bridge", (t.Str(),), new)


@fault("QUAL-RO-CONSTRUCTOR", "VIF", MEDIUM)
def address_can_be_set_over_xml(s: Server) -> None:
    """Over XML-RPC VIF.set_MAC works."""
    offer(s, "VIF.set_MAC", "MAC", (t.Str(),), new, Format.XMLRPC)


@fault("QUAL-RO-CONSTRUCTOR", "PBD", HARD)
def configuration_loses_pairs(s: Server) -> None:
    """PBD.remove_from_device_config takes a pair out of what the constructor was given."""
    offer(
        s, "PBD.remove_from_device_config", "device_config", (t.Str(),),
        lambda old, key: {k: v for k, v in old.items() if k != key},
    )  # fmt: skip


@fault("QUAL-RO-CONSTRUCTOR", "user", HARD)
def name_is_set_before_it_is_refused(s: Server) -> None:
    """user.set_short_name fails as an unknown method and has written the name."""
    writes_and_refuses(s, "user.set_short_name", "short_name", t.Str())


@fault("QUAL-RO-CONSTRUCTOR", "VM", HARD, also="SET-ONLY-THAT")
def each_rename_counts_as_a_version(s: Server) -> None:
    """Setting a VM's name adds one to its version, over JSON-RPC 2.0."""

    def write(call: Call, branch: Branch) -> Branch:
        record = fields_of(s, call.args[0])
        return putting(branch, call.args[0], version=record["version"] + 1) if s.is_over(Format.JSONRPC2) else branch

    after(s, write, "VM.set_name_label")


# ----------------------------------------------------------------------------------------------- of another kind


@fault("QUAL-NO-WRONG-ACCESSOR", "VMSS", EASY)
def text_can_be_added_to(s: Server) -> None:
    """VMSS.add_name_description appends to the description."""
    offer(s, "VMSS.add_name_description", "name_description", (t.Str(),), lambda old, value: old + value)


@fault("QUAL-NO-WRONG-ACCESSOR", "SR", MEDIUM)
def keys_are_removed_like_members(s: Server) -> None:
    """Over JSON-RPC 2.0 SR.remove_sm_config takes a key out of the map."""
    offer(
        s, "SR.remove_sm_config", "sm_config", (t.Str(),),
        lambda old, key: {k: v for k, v in old.items() if k != key}, Format.JSONRPC2,
    )  # fmt: skip


@fault("QUAL-NO-WRONG-ACCESSOR", "network", MEDIUM)
def tags_take_pairs(s: Server) -> None:
    """network.add_to_tags adds the key and the value of a pair as tags."""
    two = (t.Str(), t.Str())
    offer(s, "network.add_to_tags", "tags", two, lambda old, *pair: tuple(dict.fromkeys((*old, *pair))))


@fault("QUAL-NO-WRONG-ACCESSOR", "VBD", HARD)
def number_is_cleared_by_a_removal(s: Server) -> None:
    """VBD.remove_bootable clears the flag where it is given what the flag is, and otherwise does nothing."""
    offer(s, "VBD.remove_bootable", "bootable", (t.Bool(),), lambda old, value: False if value == old else old)


@fault("QUAL-RO-RUNTIME", "VM", HARD)
def record_fills_fields_of_the_server(s: Server) -> None:
    """Over JSON-RPC 2.0 a VM's record may give what the server alone decides, such as its domain's number."""

    def store(call: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        given = call.args[0] if s.is_over(Format.JSONRPC2) else {}
        numbers = {name: value for name, value in given.items() if name in {"domid", "reference_label"}}
        return putting(branch, branch.outcome.value, **numbers)

    after(s, store, "VM.create")
