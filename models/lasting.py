"""Which objects and fields stand still unless a client changes them: the table behind restarts and pure reads.

Laws:
1. A field that clients write or that the constructor takes (RW, RO/constructor) stands still, and so does the uuid.
2. Of a bound pair both ends stand still where a client has a say in the end that is written: it is of law 1, or a
   constructor or a message gives it its value.
3. Every other RO/runtime field may change at any time by itself; of an object of our own making, those that its
   constructor was given or that a message writes stand still too.
4. Sessions, tasks and events end by themselves; so do, of objects that are not ours, those that a running server
   makes anew to show what it measures. A task that has not ended may end with its server.
5. Of objects that are not ours some fields are a live server's own business although a constructor takes them, and
   some keys of a map although clients write the map.

Source: the API document's introduction (qualifiers of fields, relations); laws 4 and 5 are what live servers do:
`host.other_config` has the times of the last start, a domain's memory and power state are those of the hypervisor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from xenconform.models.api import Api, ApiClass, Field, Qualifier, State
from xenconform.models.types import MapOf
from xenconform.models.values import Value, same

PASSING: Final = frozenset({"session", "task", "event"})
"""Classes whose objects end by themselves, whoever made them."""

REMADE: Final = frozenset(
    {"VM_metrics", "VM_guest_metrics", "VBD_metrics", "VIF_metrics", "PIF_metrics", "host_metrics", "console"}
)
"""Classes whose objects a running server makes anew."""

ENDING: Final = frozenset({"status", "progress", "result", "error_info"})
"""The fields of a task that change when it ends."""

OF_THE_SERVER: Final[Mapping[str, frozenset[str]]] = {
    "VM": frozenset(
        {
            "power_state", "suspend_VDI", "memory_target", "memory_static_max", "memory_static_min",
            "memory_dynamic_max", "memory_dynamic_min", "VCPUs_max", "VCPUs_at_startup", "last_booted_record",
            "last_boot_CPU_flags", "hardware_platform_version", "xenstore_data",
        }
    ),
}  # fmt: skip
"""By class: fields of objects that are not ours which a live server writes."""

KEYS_OF_THE_SERVER: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("host", "other_config"): frozenset({"agent_start_time", "boot_time"}),
}
"""By class and field: keys of maps which a live server writes."""


def may_end(cls: str, *, own: bool) -> bool:
    """Whether an object of a class may be gone without anybody having destroyed it."""
    return cls in PASSING or (not own and cls in REMADE)


def lasting_fields(api: Api, of: ApiClass, *, own: bool) -> tuple[Field, ...]:
    """Return the fields of an object that stand still unless a client changes something; `own`: this run made it."""
    server = frozenset() if own else OF_THE_SERVER.get(of.name, frozenset())
    bound = _bound(api, of)
    ours = _ours(of) if own else set()
    return tuple(
        field
        for field in of.fields.values()
        if field.lifecycle.state is not State.REMOVED and field.name not in server
        if field.qualifier is not Qualifier.RUNTIME or field.name == "uuid" or field.name in bound | ours
    )


def _ours(of: ApiClass) -> set[str]:
    """Return the fields that the first constructor is given or that a message writes."""
    given = {name for maker in of.constructors[:1] for name in maker.fields}
    return given | {message.field for message in of.messages.values() if message.verb not in {"", "get"}}


def has_not_ended(record: Mapping[str, Value]) -> bool:
    """Whether this is the record of a task that may still end."""
    return record.get("status") in {"pending", "cancelling"}


def _bound(api: Api, of: ApiClass) -> set[str]:
    """Return the fields of a class that are ends of bound pairs in which clients have a say."""
    found: set[str] = set()
    for relation in api.relations:
        if has_say(api.classes[relation.owner_cls], relation.owner_field):
            ends = ((relation.owner_cls, relation.owner_field), (relation.derived_cls, relation.derived_field))
            found |= {name for cls, name in ends if cls == of.name}
    return found


def has_say(of: ApiClass, name: str) -> bool:
    """Whether clients give a field its value: by a record, a constructor's parameter or a message that writes it."""
    if of.fields[name].qualifier is not Qualifier.RUNTIME:
        return True
    given = any(name in maker.fields for maker in of.constructors)
    return given or any(m.field == name and m.verb not in {"", "get"} for m in of.messages.values())


def stands(of: ApiClass, field: Field, before: Value, after: Value) -> bool:
    """Whether a field's two values are equal in the API's sense, a live server's own keys aside."""
    keys = KEYS_OF_THE_SERVER.get((of.name, field.name))
    if keys and isinstance(field.type, MapOf):
        before, after = ({k: v for k, v in each.items() if k not in keys} for each in (before, after))
    return same(field.type, before, after)
