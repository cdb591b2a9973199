"""Faults of constructors: what they keep of a record, what they make of it, and what they do with a bad one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xenconform.conformance.codec import Node, Scalar, Struct
from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, fault
from xenconform.conformance.reference.faults.objects import ended, given, made, member, refused, result
from xenconform.conformance.reference.faults.seams import after, calls, code_of, fields_of, putting
from xenconform.models.calls import Call, Format
from xenconform.models.types import INT_MAX, NULL_REF, Enum
from xenconform.models.values import Handle, Value, null
from xenconform.models.world import Branch

# ------------------------------------------------------------------------------------------------------ CREATE-FIELDS


@fault("CREATE-FIELDS", "VM", MEDIUM)
def create_keeps_eight_tags(s: Server) -> None:
    """A VM that is created with more than eight tags has the first eight."""
    made(s, "VM.create", lambda f: {"tags": f["tags"][:8]} if len(f["tags"]) > 8 else {})


@fault("CREATE-FIELDS", "network", MEDIUM)
def mtu_of_zero_counts_as_left_out(s: Server) -> None:
    """A network that is created with an MTU of 0 has the default of 1500."""
    made(s, "network.create", lambda f: {} if f["MTU"] else {"MTU": 1500})


@fault("CREATE-FIELDS", "VM", HARD, also="WIRE-INT-JSON WIRE-INT-XML")
def create_keeps_32_bits_of_user_version(s: Server) -> None:
    """A user_version beyond 32 bits is cut to them when a VM is created over JSON-RPC 2.0, not when it is set."""

    def cut(value: int) -> int:
        return (value + 2**31) % 2**32 - 2**31

    made(s, "VM.create", lambda f: {"user_version": cut(f["user_version"])}, Format.JSONRPC2)


@fault("CREATE-FIELDS", "VM_appliance", MEDIUM)
def create_trims_the_description(s: Server) -> None:
    """The name_description of a new VM_appliance has lost the spaces at its ends."""
    made(s, "VM_appliance.create", lambda f: {"name_description": f["name_description"].strip(" ")})


@fault("CREATE-FIELDS", "secret", MEDIUM, also="WIRE-STRING")
def create_folds_keys_that_differ_in_case(s: Server) -> None:
    """Of keys of other_config that differ in case alone a new secret has only the last."""

    def fold(config: dict[str, str]) -> dict[str, str]:
        last = {key.casefold(): key for key in config}
        return {key: value for key, value in config.items() if last[key.casefold()] == key}

    made(s, "secret.create", lambda f: {"other_config": fold(dict(f["other_config"]))})


@fault("CREATE-FIELDS", "VM", MEDIUM)
def create_drops_the_appliance(s: Server) -> None:
    """A VM that is created with an appliance has none."""

    def drop(record: dict[str, Value]) -> dict[str, Value]:
        given_one = record.get("appliance")
        known = isinstance(given_one, Handle) and given_one.cls == "VM_appliance"
        return {**record, "appliance": null("VM_appliance")} if known else record

    given(s, "VM.create", drop)


@fault("CREATE-FIELDS", "VM", HARD)
def jsonrpc1_drops_the_affinity(s: Server) -> None:
    """A VM that is created over JSON-RPC 1.0 with a host as its affinity has none."""
    made(s, "VM.create", lambda _: {"affinity": null("host")}, Format.JSONRPC1)


@fault("CREATE-FIELDS", "USB_group", MEDIUM)
def usb_group_keeps_one_pair(s: Server) -> None:
    """A new USB_group has only the first pair of the other_config that it is given."""
    made(s, "USB_group.create", lambda f: {"other_config": dict(list(f["other_config"].items())[:1])})


@fault("CREATE-FIELDS", "VDI", MEDIUM)
def introduced_vdi_may_be_shared(s: Server) -> None:
    """A VDI that is introduced, not created, is sharable, whatever is asked for."""
    made(s, "VDI.introduce", lambda _: {"sharable": True})


@fault("CREATE-FIELDS", "VIF", HARD)
def second_vif_loses_its_locking_mode(s: Server) -> None:
    """A VIF of a VM that has one already is created with the default locking_mode, whatever is asked for."""

    def change(f: dict[str, Value]) -> dict[str, Value]:
        return {"locking_mode": "network_default"} if len(fields_of(s, f["VM"]).get("VIFs", ())) > 0 else {}

    made(s, "VIF.create", lambda f: change(dict(f)))


# --------------------------------------------------------------------------------------------------------- CREATE-NEW


@fault("CREATE-NEW", "secret", MEDIUM)
def equal_secrets_are_one(s: Server) -> None:
    """Creating a secret with the value and other_config of one that exists returns the ref of that one."""

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        for handle in s.state.world.handles("secret"):
            fields = fields_of(s, handle)
            if all(fields[name] == call.args[0].get(name) for name in ("value", "other_config")):
                return s.state.world.stay(handle)
        return old(call)

    calls(s, rule, "secret.create")


@fault("CREATE-NEW", "VM_appliance", MEDIUM)
def freed_uuid_is_used_again(s: Server) -> None:
    """A new VM_appliance gets the uuid of the one that was destroyed last."""
    free: list[str] = []

    def freed(call: Call, branch: Branch) -> Branch:
        free.append(fields_of(s, call.args[0])["uuid"])
        return branch

    after(s, freed, "VM_appliance.destroy")
    made(s, "VM_appliance.create", lambda _: {"uuid": free.pop()} if free else {})


@fault("CREATE-NEW", "network", MEDIUM, also="QUAL-RO-RUNTIME")
def uuid_in_the_record_is_taken(s: Server) -> None:
    """A network that is created with a uuid in its record gets that uuid, also where another one has it."""

    def taken(call: Call, branch: Branch) -> Branch:
        uuid = call.args[0].get("uuid")
        return putting(branch, result(branch), uuid=uuid) if uuid else branch

    after(s, taken, "network.create")


@fault("CREATE-NEW", "VMSS", HARD)
def name_in_use_is_overwritten(s: Server) -> None:
    """Creating a VMSS over JSON-RPC 2.0 with the label of one that exists writes to that one and returns its ref."""

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        branch, world = old(call), s.state.world
        twin = [h for h in world.handles("VMSS") if fields_of(s, h)["name_label"] == call.args[0].get("name_label")]
        if not twin or code_of(branch) or not s.is_over(Format.JSONRPC2):
            return branch
        record = dict(branch.world.record(result(branch)) or {})
        kept = {name: value for name, value in record.items() if name not in {"uuid", "VMs"}}
        return putting(world.stay(twin[0]), twin[0], **kept)

    calls(s, rule, "VMSS.create")


# ---------------------------------------------------------------------------------------------------- CREATE-DEFAULTS


@fault("CREATE-DEFAULTS", "secret", HARD)
def left_out_maps_are_shared(s: Server) -> None:
    """A secret that is created without other_config gets the pairs that were since added to the last such secret's."""
    last: list[Handle] = []

    def share(call: Call, branch: Branch) -> Branch:
        if "other_config" in call.args[0]:
            return branch
        shared = fields_of(s, last[-1]).get("other_config", {}) if last else {}
        last.append(result(branch))
        return putting(branch, result(branch), other_config=shared)

    after(s, share, "secret.create")


@fault("CREATE-DEFAULTS", "network", HARD)
def left_out_mtu_is_zero_over_jsonrpc2(s: Server) -> None:
    """A network that is created over JSON-RPC 2.0 without an MTU has one of 0 in place of the published default."""
    after(
        s,
        lambda call, b: putting(b, result(b), MTU=0) if "MTU" not in call.args[0] and s.is_over(Format.JSONRPC2) else b,
        "network.create",
    )


@fault("CREATE-DEFAULTS", "VMSS", EASY)
def type_may_be_left_out(s: Server) -> None:
    """A VMSS can be created without the type, for which no default is published."""
    given(s, "VMSS.create", lambda record: {"type": "snapshot", **record})


@fault("CREATE-DEFAULTS", "VBD", HARD)
def two_left_out_fields_spoil_a_default(s: Server) -> None:
    """A VBD that is created with neither device nor unpluggable is not unpluggable, against the published default."""

    def spoil(call: Call, branch: Branch) -> Branch:
        both = not {"device", "unpluggable"} & call.args[0].keys()
        return putting(branch, result(branch), unpluggable=False) if both else branch

    after(s, spoil, "VBD.create")


# --------------------------------------------------------------------------------------------------------- CREATE-BAD


@fault("CREATE-BAD", "VIF", MEDIUM)
def unknown_network_is_taken_as_null(s: Server) -> None:
    """A VIF is created over JSON-RPC 2.0 although its network does not exist; it has none."""

    def change(record: dict[str, Value]) -> dict[str, Value]:
        unknown = isinstance(record.get("network"), str) and s.is_over(Format.JSONRPC2)
        return {**record, "network": null("network")} if unknown else record

    given(s, "VIF.create", change)


@fault("CREATE-BAD", "PBD", HARD)
def destroyed_sr_is_taken_as_null(s: Server) -> None:
    """A PBD is created although its SR was destroyed; an SR that never was is refused."""
    book = ended(s)
    given(s, "PBD.create", lambda record: {**record, "SR": null("SR")} if record.get("SR") in book else record)


@fault("CREATE-BAD", "VIF", MEDIUM)
def class_of_a_ref_is_not_looked_at(s: Server) -> None:
    """A VIF is created although its network is a ref of another class; it is then in no network."""

    def change(record: dict[str, Value]) -> dict[str, Value]:
        network = record.get("network")
        other = isinstance(network, Handle) and network.cls != "network"
        return {**record, "network": null("network")} if other else record

    given(s, "VIF.create", change)


@fault("CREATE-BAD", "VMSS", MEDIUM)
def bad_frequency_becomes_daily(s: Server) -> None:
    """A VMSS with a frequency that does not exist is created, and is a daily one."""
    of = s.api.classes["VMSS"].fields["frequency"].type
    assert isinstance(of, Enum)
    names = of.values
    member(s, "VMSS", "frequency", lambda node: (
        Scalar("string", "daily") if isinstance(node, Scalar) and node.text not in names else node))  # fmt: skip


@fault("CREATE-BAD", "VM", HARD)
def bad_keys_of_blocked_operations_are_dropped(s: Server) -> None:
    """A VM is created although a key of its blocked_operations is no operation; it does without that pair."""
    allowed = s.api.classes["VM"].fields["allowed_operations"].type
    names = allowed.item.values  # type: ignore[union-attr]  # a set of the enum that are the keys

    def change(node: Node) -> Node:
        return Struct(tuple((k, v) for k, v in node.members if k in names)) if isinstance(node, Struct) else node

    member(s, "VM", "blocked_operations", change)


@fault("CREATE-BAD", "network", HARD)
def mtu_out_of_range_is_clamped(s: Server) -> None:
    """A network is created although its MTU, as text, is beyond 64 bits; it gets the greatest int."""

    def change(node: Node) -> Node:
        digits = isinstance(node, Scalar) and node.text.isdecimal()
        return Scalar("string", str(INT_MAX)) if digits and int(node.text) > INT_MAX else node  # type: ignore[union-attr]

    member(s, "network", "MTU", change)


@fault("CREATE-BAD", "PBD", MEDIUM)
def refused_create_leaves_an_object(s: Server) -> None:
    """Creating a PBD with an SR that does not exist fails, but the PBD is there."""

    def leave(call: Call, branch: Branch) -> Branch:
        if not isinstance(call.args[0].get("SR"), str):
            return branch
        left = s.state.world.create("PBD", {"other_config": call.args[0].get("other_config", {})})
        return replace(left, outcome=branch.outcome)

    refused(s, "PBD.create", leave)


@fault("CREATE-BAD", "Observer", MEDIUM)
def unknown_hosts_are_left_out(s: Server) -> None:
    """An Observer is created although one of its hosts does not exist; it has the others."""
    given(s, "Observer.create", lambda record: {
        **record, "hosts": tuple(h for h in record.get("hosts", ()) if not isinstance(h, str))})  # fmt: skip


@fault("CREATE-BAD", "PVS_server", MEDIUM)
def server_of_an_unknown_site_is_introduced(s: Server) -> None:
    """A PVS_server is introduced although its site does not exist; it has none."""

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        *rest, site = call.args
        unknown = isinstance(site, str) and site != NULL_REF
        return old(Call(call.message, (*rest, null("PVS_site") if unknown else site)))

    calls(s, rule, "PVS_server.introduce")
