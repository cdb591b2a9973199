"""Held-out defects of sets and maps."""

from __future__ import annotations

import unicodedata
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing, pairs, stored, told, written
from strangers.plain_server import Plain
from strangers.values import Refusal
from xenconform.models import types as t

# ---------------------------------------------------------------------------------------------------------------- maps


@defect("MAP-ADD WIRE-MAP", cls="host")
def keys_cut_at_the_dot(s: Plain) -> None:
    """A key of host.logging with a dot is stored as what stands before the dot."""
    pairs(s, "host", "logging", lambda key: key.split(".", maxsplit=1)[0])


@defect("MAP-REMOVE", cls="VDI")
def children_of_a_key_removed(s: Plain) -> None:
    """Removing a key of VDI.xenstore_data removes the keys below it, as of a path."""

    def remove(old: Any, _ref: str, obj: Any, key: str) -> None:
        obj["xenstore_data"] = {k: v for k, v in obj["xenstore_data"].items() if not k.startswith(f"{key}/")}
        old(key)

    doing(s, "remove_from", "VDI", "xenstore_data", remove)


@defect("MAP-ADD WIRE-MAP", cls="console")
def keys_trimmed(s: Plain) -> None:
    """A key of console.other_config loses the spaces around it."""
    pairs(s, "console", "other_config", str.strip)


@defect("MAP-ADD WIRE-MAP", cls="SR")
def long_keys_cut(s: Plain) -> None:
    """A key of SR.sm_config is cut after 255 characters."""
    pairs(s, "SR", "sm_config", lambda key: key[:255])


@defect("MAP-ADD WIRE-MAP", cls="USB_group")
def keys_in_normal_form(s: Plain) -> None:
    """A key of USB_group.other_config is stored in normal form C."""
    pairs(s, "USB_group", "other_config", lambda key: unicodedata.normalize("NFC", key))


@defect("MAP-ADD", cls="PBD")
def keys_unique_in_the_table(s: Plain) -> None:
    """A key that another PBD has in other_config is refused as a duplicate."""

    def add(old: Any, ref: str, _obj: Any, key: str, value: str) -> None:
        if any(key in row["other_config"] for other, row in s.objects["PBD"].items() if other != ref):
            raise Refusal("MAP_DUPLICATE_KEY", "PBD", "other_config", ref, key)
        old(key, value)

    doing(s, "add_to", "PBD", "other_config", add)


@defect("SET-ONLY-THAT", cls="secret")
def empty_maps_are_one(s: Plain) -> None:
    """Secrets whose other_config is empty share it: what is added to one is added to all."""

    def add(old: Any, _ref: str, obj: Any, key: str, value: str) -> None:
        shared = [] if obj["other_config"] else [row for row in s.objects["secret"].values() if not row["other_config"]]
        old(key, value)
        for row in shared:
            row["other_config"] = dict(obj["other_config"])

    doing(s, "add_to", "secret", "other_config", add)


@defect("MAP-DUPLICATE-KEY", cls="SR")
def empty_value_is_no_value(s: Plain) -> None:
    """A key of SR.sm_config whose value is empty can be added again."""

    def add(old: Any, _ref: str, obj: Any, key: str, value: str) -> None:
        if not obj["sm_config"].get(key):
            obj["sm_config"] = {k: v for k, v in obj["sm_config"].items() if k != key}
        old(key, value)

    doing(s, "add_to", "SR", "sm_config", add)


@defect("MAP-DUPLICATE-KEY", cls="VIF")
def keys_of_the_constructor_not_known(s: Plain) -> None:
    """A key that VIF.other_config was made with can be added again."""
    born: dict[str, dict[str, str]] = {}

    def make(old: Any, of: Any, given: Any) -> Any:
        ref = old(of, given)
        born.update({ref: dict(given.get("other_config", {}))} if of.name == "VIF" else {})
        return ref

    def add(old: Any, ref: str, obj: Any, key: str, value: str) -> None:
        if key in born.get(ref, {}):
            obj["other_config"] = {k: v for k, v in obj["other_config"].items() if k != key}
        old(key, value)

    around(s, "make", make)
    doing(s, "add_to", "VIF", "other_config", add)


@defect("MAP-DUPLICATE-PARAMS", cls="VDI")
def duplicate_key_names_the_value(s: Plain) -> None:
    """MAP_DUPLICATE_KEY of a VDI names the value in place of the key."""

    def add(old: Any, ref: str, obj: Any, key: str, value: str) -> None:
        if key in obj["other_config"]:
            raise Refusal("MAP_DUPLICATE_KEY", "VDI", "other_config", ref, f"value {value}")
        old(key, value)

    doing(s, "add_to", "VDI", "other_config", add)


@defect("MAP-DUPLICATE-UNCHANGED", cls="host")
def refused_key_is_lost(s: Plain) -> None:
    """A key of host.other_config whose addition is refused over JSON-RPC 1.0 is gone."""

    def add(old: Any, _ref: str, obj: Any, key: str, value: str) -> None:
        try:
            old(key, value)
        except Refusal:
            if s.fmt == "json1":
                obj["other_config"] = {k: v for k, v in obj["other_config"].items() if k != key}
            raise

    doing(s, "add_to", "host", "other_config", add)


@defect("SET-VALUE STATE-MODEL", cls="host")
def empty_map_not_written(s: Plain) -> None:
    """host.set_license_server ignores the empty map."""

    def write(old: Any, _ref: str, _obj: Any, value: dict[str, str]) -> None:
        if value:
            old(value)

    doing(s, "set", "host", "license_server", write)


@defect("MAP-DUPLICATE-KEY", cls="VMSS")
def explicit_addition_overwrites(s: Plain) -> None:
    """VMSS.add_to_schedule of a present key overwrites it."""
    doing(s, "add_to", "VMSS", "schedule", lambda _old, _ref, obj, key, value: obj.update(
        schedule={**obj["schedule"], key: value}))  # fmt: skip


@defect("MAP-REMOVE", cls="VM")
def explicit_removal_empties(s: Plain) -> None:
    """VM.remove_from_NVRAM empties the map."""
    doing(s, "remove_from", "VM", "NVRAM", lambda _old, _ref, obj, _key: obj.update(NVRAM={}))


@defect("WIRE-MAP", cls="host")
def empty_map_leaves_as_array(s: Plain) -> None:
    """An empty map leaves as an empty array over JSON-RPC 2.0."""

    def arrays(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: arrays(v) for k, v in value.items()} or []
        return [arrays(each) for each in value] if isinstance(value, list) else value

    around(s, "json_success", lambda old, fmt, result, ident: old(
        fmt, arrays(result) if fmt == "json2" else result, ident))  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------- sets


@defect("WIRE-SET SET-VALUE", cls="VM")
def large_set_cut(s: Plain) -> None:
    """VM.set_tags keeps 255 tags."""
    written(s, "VM", "tags", lambda tags: tags[:255])


@defect("SET-REMOVE", cls="SR")
def removal_by_part(s: Plain) -> None:
    """SR.remove_tags takes out every tag that holds the text."""
    doing(s, "remove", "SR", "tags", lambda _old, _ref, obj, text: obj.update(
        tags=[each for each in obj["tags"] if text not in each]))  # fmt: skip


@defect("SET-REMOVE", cls="pool")
def removal_without_case(s: Plain) -> None:
    """pool.remove_tags does not mind case."""
    doing(s, "remove", "pool", "tags", lambda _old, _ref, obj, text: obj.update(
        tags=[each for each in obj["tags"] if text.casefold() != each.casefold()]))  # fmt: skip


@defect("SET-REMOVE", cls="VDI")
def removal_of_the_empty_text_empties(s: Plain) -> None:
    """VDI.remove_tags of the empty text empties the set."""
    doing(s, "remove", "VDI", "tags", lambda old, _ref, obj, text: old(text) if text else obj.update(tags=[]))


@defect("SET-ADD", cls="VM")
def empty_text_not_added(s: Plain) -> None:
    """VM.add_tags of the empty text does nothing."""
    doing(s, "add", "VM", "tags", lambda old, _ref, _obj, text: old(text) if text else None)


@defect("SET-ADD", cls="VIF")
def explicit_addition_replaces(s: Plain) -> None:
    """VIF.add_ipv6_allowed leaves the new address alone in the set."""
    doing(s, "add", "VIF", "ipv6_allowed", lambda _old, _ref, obj, value: obj.update(ipv6_allowed=[value]))


@defect("SET-NO-DUPLICATES", cls="Observer")
def hosts_named_twice(s: Plain) -> None:
    """Observer.set_hosts keeps a host that is named twice."""
    raw: list[Any] = []

    def read(old: Any, of: Any, value: Any) -> Any:
        if of == t.SetOf(t.RefTo("host")) and isinstance(value, list):
            raw[:] = value
        return old(of, value)

    around(s, "read", read)
    doing(s, "set", "Observer", "hosts", lambda old, _ref, _obj, _value: old(list(raw)))


@defect("WIRE-SET SET-VALUE", cls="pool")
def empty_set_not_written(s: Plain) -> None:
    """pool.set_tags ignores the empty set."""
    doing(s, "set", "pool", "tags", lambda old, _ref, _obj, value: old(value) if value else None)


@defect("SET-NO-DUPLICATES", cls="VM_appliance")
def bound_set_shows_a_vm_twice(s: Plain) -> None:
    """VM_appliance.VMs shows its first VM once more at the end when there are two."""
    told(s, "VM_appliance", "VMs", lambda vms: [*vms, vms[0]] if len(vms) > 1 else vms)


@defect("SET-ADD CREATE-FIELDS", cls="host")
def tags_folded(s: Plain) -> None:
    """Of the tags of a host that differ in case alone the first is kept."""
    stored(s, "host", "tags", lambda tags: list({each.casefold(): each for each in reversed(tags)}.values()))
    doing(s, "add", "host", "tags", lambda old, _ref, obj, text: old(text) if text.casefold() not in {
        each.casefold() for each in obj["tags"]} else None)  # fmt: skip
