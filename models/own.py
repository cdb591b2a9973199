"""Explicit messages that write fields: those shaped like an accessor, those of several fields, and plain switches.

The rule: an explicit setter named for a field sets that field, both ends of a bound pair following, and an explicit
add_ or remove_ named for a field adds to it or takes from it, all with the laws of the implicit ones. models/rules.py
finds them by their shape; the tables below are the messages that have another shape, and the exceptions.

Laws beyond that (the messages' own descriptions, the errors that they declare):
1. A message of SETTERS writes each of its parameters into the fields that its row names for it.
2. A message of ALIASES does what the accessor of its row does.
3. A message of SWITCHES gives a field one value; one of NOTHING changes nothing that a client wrote.
4. BIOS strings are written once: a second, different value fails. A network with a purpose takes no other purpose that
   contradicts it: NBD with and without TLS.
5. create_new_blob makes a blob and puts it into the object's blobs under its name.
What is named like a setter and has no rule stands in WITHOUT_RULE, with the reason; the World says NOT_IMPLEMENTED.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from xenconform.models.calls import Failure
from xenconform.models.steps import OwnRule, Steps, named
from xenconform.models.values import Handle, Value

if TYPE_CHECKING:
    from xenconform.models.api import Message
    from xenconform.models.world import Branch, World

SETTERS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "VM.set_memory": {"value": ("memory_static_max", "memory_dynamic_min", "memory_dynamic_max")},
    "VM.set_memory_dynamic_range": {"min": ("memory_dynamic_min",), "max": ("memory_dynamic_max",)},
    "VM.set_memory_static_range": {"min": ("memory_static_min",), "max": ("memory_static_max",)},
    "VM.set_memory_limits": {
        "static_min": ("memory_static_min",),
        "static_max": ("memory_static_max",),
        "dynamic_min": ("memory_dynamic_min",),
        "dynamic_max": ("memory_dynamic_max",),
    },
    "VM.set_shadow_multiplier_live": {"multiplier": ("HVM_shadow_multiplier",)},
    "VIF.move": {"network": ("network",)},
    "host.set_hostname_live": {"hostname": ("hostname",)},
    "host.set_power_on_mode": {"power_on_mode": ("power_on_mode",), "power_on_config": ("power_on_config",)},
}
"""By full name: the fields of the object that each parameter after the first is written into."""

ALIASES: Final[Mapping[str, tuple[str, str]]] = {
    "VM.add_to_VCPUs_params_live": ("add_to", "VCPUs_params"),
    "pool.add_repository": ("add", "repositories"),
    "pool.remove_repository": ("remove", "repositories"),
}
"""By full name: the verb and the field of the accessor that a message is another name of."""

SWITCHES: Final[Mapping[str, tuple[str, Value]]] = {
    "PBD.plug": ("currently_attached", True),
    "PBD.unplug": ("currently_attached", False),
    "VDI.disable_cbt": ("cbt_enabled", False),
    "VDI.enable_cbt": ("cbt_enabled", True),
    "host.disable": ("enabled", False),
    "host.enable": ("enabled", True),
}
"""By full name: a field of the object, and the value that it has afterwards."""

NOTHING: Final = frozenset({"SR.scan", "SR.update", "VDI.update", "VM.update_allowed_operations"})
"""Messages that let the server look at what is there."""

WITHOUT_RULE: Final[Mapping[str, str]] = {
    "VM.set_VCPUs_number_live": "which field shows the number is not said",
    "VM.set_memory_target_live": "deprecated; live servers take it and do nothing",
    "VM.set_uefi_mode": "the mode is of no field, and the text that it answers is not said",
    "host.set_sched_gran": "the scheduler's granularity is of no field",
    "pool.set_https_only": "the pool has no such field, and what becomes of its hosts' is not said",
    "pool.set_vswitch_controller": "deprecated; it names no pool, and the controller is an object of its own now",
}
"""Live messages named like a setter, by full name, that have no rule, and why."""

_INCOMPATIBLE: Final = (frozenset({"nbd", "insecure_nbd"}),)
"""Purposes of which a network has at most one."""
_BLOBS: Final = ("SR", "VM", "host", "network", "pool")


def _set_each(world: World, message: Message, args: tuple[Value, ...]) -> Branch | Failure:
    fields = SETTERS[message.full_name]
    values = {name: arg for param, arg in named(message, args).items() for name in fields.get(param, ())}
    for value in values.values():
        if isinstance(value, Handle) and value.is_null:
            return Failure("HANDLE_INVALID", (value.cls, value))
    steps = Steps(world)
    steps.write(args[0], values)
    return steps.done()


def _switch(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    name, value = SWITCHES[message.full_name]
    steps = Steps(world)
    steps.write(args[0], {name: value})
    return steps.done()


def _nothing(world: World, _message: Message, _args: tuple[Value, ...]) -> Branch:
    return world.stay(None)


def _set_property(world: World, _message: Message, args: tuple[Value, ...]) -> Branch:
    steps = Steps(world)
    steps.write(args[0], {"properties": {**steps.fields(args[0])["properties"], args[1]: args[2]}})
    return steps.done()


def _configure_ip(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    family, steps = message.name.removeprefix("configure_"), Steps(world)
    vif, mode, address, gateway = args
    static = mode == "Static"
    steps.write(
        vif,
        {
            f"{family}_configuration_mode": mode,
            f"{family}_addresses": (address,) if static else (),
            f"{family}_gateway": gateway if static else "",
        },
    )
    return steps.done()


def _set_bios_strings(world: World, _message: Message, args: tuple[Value, ...]) -> Branch | Failure:
    steps = Steps(world)
    if steps.fields(args[0])["bios_strings"] not in ({}, args[1]):
        return Failure("VM_BIOS_STRINGS_ALREADY_SET")
    steps.write(args[0], {"bios_strings": args[1]})
    return steps.done()


def _add_purpose(world: World, _message: Message, args: tuple[Value, ...]) -> Branch | Failure:
    steps, (network, new) = Steps(world), args
    present: tuple[str, ...] = steps.fields(network)["purpose"]
    for one in present:
        if new != one and any({new, one} <= pair for pair in _INCOMPATIBLE):
            return Failure("NETWORK_INCOMPATIBLE_PURPOSES", (new, one))
    steps.write(network, {"purpose": (*present, new)})
    return steps.done()


def _create_new_blob(world: World, message: Message, args: tuple[Value, ...]) -> Branch:
    steps, given = Steps(world), named(message, args)
    fields = {"name_label": given["name"], "mime_type": given["mime_type"], "public": given["public"]}
    made = steps.create("blob", fields)
    steps.write(args[0], {"blobs": {**steps.fields(args[0])["blobs"], given["name"]: made}})
    return steps.done(made)


RULES: Final[dict[str, OwnRule]] = {
    **dict.fromkeys(SETTERS, _set_each),
    **dict.fromkeys(SWITCHES, _switch),
    **dict.fromkeys(NOTHING, _nothing),
    "PIF.set_property": _set_property,
    "Bond.set_property": _set_property,
    "VIF.configure_ipv4": _configure_ip,
    "VIF.configure_ipv6": _configure_ip,
    "VM.set_bios_strings": _set_bios_strings,
    "network.add_purpose": _add_purpose,
    **{f"{cls}.create_new_blob": _create_new_blob for cls in _BLOBS},
}
"""By full name, the aliases left out."""
