"""Defects of a server on an object-relational mapper with a cache; written without a look at the checks."""

from __future__ import annotations

from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.values import NULL
from xenconform.models import types as t

# ------------------------------------------------------------------------------------------------------------- reading


@defect("GET-RECORD-AGREES", also="GET-ALL-AGREES EVENT-FROM", cls="VGPU")
def null_references_in_records_are_empty(s: Plain) -> None:
    """In the records of VGPUs a null reference is the empty string; their getters tell OpaqueRef:NULL."""

    def get_record(old: Any, of: Any, ref: str) -> Any:
        record = old(of, ref)
        if of.name != "VGPU":
            return record
        nulls = {n for n, value in record.items() if value == NULL and isinstance(of.fields[n].type, t.RefTo)}
        return {n: "" if n in nulls else value for n, value in record.items()}

    around(s, "get_record", get_record)


@defect("GET-ALL-AGREES", also="WHERE CREATE-NEW STATE-MODEL", cls="GPU_group")
def records_are_joined_with_their_pairs(s: Plain) -> None:
    """GPU_group.get_all_records joins the table of other_config: groups whose map is empty are not among them."""

    def everything(old: Any, of: Any) -> Any:
        found = old(of)
        return {ref: row for ref, row in found.items() if row["other_config"]} if of.name == "GPU_group" else found

    around(s, "get_all_records", everything)


@defect("GET-BAD-REF DESTROY-GONE", also="STATE-MODEL", cls="VMSS")
def uuids_are_remembered_for_ever(s: Plain) -> None:
    """VMSS.get_uuid is answered from a cache, as a uuid never changes; destroying the object does not empty it."""
    seen: dict[str, str] = {}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if method != "VMSS.get_uuid" or len(raw) != 2 or not isinstance(raw[1], str):
            return old(fmt, method, raw)
        with s.lock:
            s.check_session(raw[0])
            if raw[1] not in seen:
                seen[raw[1]] = old(fmt, method, raw)[1]
            return t.Str(), seen[raw[1]]

    around(s, "call", call)


# ------------------------------------------------------------------------------------------------------------- writing


@defect("SET-VALUE", also="WIRE-STRING WIRE-AGREE LABEL-LOOKUP BIND-MOVE STATE-MODEL", cls="VM_appliance")
def setting_a_field_back_is_no_change(s: Plain) -> None:
    """Setters of VM_appliance skip a value equal to the one first loaded: a field that was changed cannot go back."""
    loaded: dict[tuple[str, str], Any] = {}

    def do_set(old: Any, of: Any, ref: str, obj: dict[str, Any], field: Any, value: Any) -> None:
        if of.name != "VM_appliance" or value != loaded.setdefault((ref, field.name), obj[field.name]):
            old(of, ref, obj, field, value)

    around(s, "do_set", do_set)


@defect("SET-ONLY-THAT", also="STATE-MODEL", cls="USB_group")
def descriptions_are_updated_by_label(s: Plain) -> None:
    """USB_group.set_name_description is an UPDATE by label: every group with the same name_label gets the text."""

    def do_set(old: Any, _ref: str, obj: dict[str, Any], value: Any) -> None:
        old(value)
        for row in s.objects["USB_group"].values():
            if row["name_label"] == obj["name_label"]:
                row["name_description"] = value

    doing(s, "set", "USB_group", "name_description", do_set)


@defect("SET-REMOVE", also="STATE-MODEL", cls="SR")
def tags_are_removed_without_regard_to_case(s: Plain) -> None:
    """SR.remove_tags compares as the database's collation does: of "Tag" and "tag" it takes both."""

    def remove(old: Any, _ref: str, obj: dict[str, Any], value: str) -> None:
        for each in obj["tags"]:
            if each.casefold() == value.casefold():
                old(each)

    doing(s, "remove", "SR", "tags", remove)


@defect("MAP-DUPLICATE-KEY", also="MAP-DUPLICATE-UNCHANGED MAP-DUPLICATE-PARAMS STATE-MODEL", cls="VIF")
def keys_given_at_creation_are_not_indexed(s: Plain) -> None:
    """add_to_ of a VIF's map asks an index of keys that the constructor does not fill: it replaces such a pair."""
    index: dict[tuple[str, str], set[str]] = {}

    def do_set(old: Any, of: Any, ref: str, obj: dict[str, Any], field: Any, value: Any) -> None:
        old(of, ref, obj, field, value)
        if isinstance(value, dict):
            index[ref, field.name] = set(value)

    def add_to(old: Any, of: Any, ref: str, obj: dict[str, Any], field: Any, *pair: Any) -> None:
        key, value = pair
        known = index.setdefault((ref, field.name), set())
        if of.name == "VIF" and key not in known:
            obj[field.name] = {**obj[field.name], key: value}
        else:
            old(of, ref, obj, field, *pair)
        known.add(key)

    def remove_from(old: Any, of: Any, ref: str, obj: dict[str, Any], field: Any, key: str) -> None:
        old(of, ref, obj, field, key)
        index.setdefault((ref, field.name), set()).discard(key)

    around(s, "do_set", do_set)
    around(s, "do_add_to", add_to)
    around(s, "do_remove_from", remove_from)


@defect("QUAL-RO-CONSTRUCTOR", also="SET-ONLY-THAT STATE-MODEL", cls="network")
def another_mtu_makes_another_bridge(s: Plain) -> None:
    """network.set_MTU makes the bridge anew, and under a name of its own: the one given to create is gone."""

    def do_set(old: Any, _ref: str, obj: dict[str, Any], value: int) -> None:
        if value != obj["MTU"]:
            obj["bridge"] = f"xapi{next(s.numbers)}"
        old(value)

    doing(s, "set", "network", "MTU", do_set)
