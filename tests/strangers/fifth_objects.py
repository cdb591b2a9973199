"""Defects of fields, maps, sets, constructors and look-ups that were written without a look at the checks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from strangers.base import after, around, defect
from strangers.heldout_base import doing, made
from strangers.plain_server import Plain
from strangers.values import Refusal
from xenconform.models import types as t
from xenconform.models.api import Message, Parameter, Qualifier

# ---------------------------------------------------------------------------------------------------------- maps, sets


@defect("MAP-DUPLICATE-UNCHANGED", cls="Cluster")
def a_refused_pair_of_a_cluster_rolls_the_old_one_back(s: Plain) -> None:
    """Cluster.add_to_other_config refuses a key that is there, and its rollback deletes the pair that was there."""

    def add_to(old: Any, _ref: str, obj: Any, key: str, value: str) -> None:
        try:
            old(key, value)
        except Refusal:
            obj["other_config"] = {k: v for k, v in obj["other_config"].items() if k != key}
            raise

    doing(s, "add_to", "Cluster", "other_config", add_to)


@defect("MAP-DUPLICATE-KEY", cls="VLAN")
def an_empty_value_of_a_vlan_counts_as_no_pair(s: Plain) -> None:
    """VLAN.add_to_other_config takes a key for absent whose value is empty, and overwrites it without an error."""

    def add_to(old: Any, _ref: str, obj: Any, key: str, value: str) -> None:
        if obj["other_config"].get(key):
            old(key, value)
        else:
            obj["other_config"] = {**obj["other_config"], key: value}

    doing(s, "add_to", "VLAN", "other_config", add_to)


@defect("MAP-ADD", cls="host_cpu")
def a_host_cpu_has_no_row_once_its_map_was_emptied(s: Plain) -> None:
    """host_cpu.other_config loses its row with its last pair; pairs added later update no row, and are not there."""
    gone: set[str] = set()

    def remove_from(old: Any, ref: str, obj: Any, key: str) -> None:
        some = bool(obj["other_config"])
        old(key)
        if some and not obj["other_config"]:
            gone.add(ref)

    def add_to(old: Any, ref: str, _obj: Any, key: str, value: str) -> None:
        if ref not in gone:
            old(key, value)

    def put(old: Any, ref: str, _obj: Any, value: Any) -> None:
        gone.discard(ref)
        old(value)

    doing(s, "remove_from", "host_cpu", "other_config", remove_from)
    doing(s, "add_to", "host_cpu", "other_config", add_to)
    doing(s, "set", "host_cpu", "other_config", put)


@defect("MAP-REMOVE", cls="VM")
def a_vm_loses_the_keys_below_a_removed_one(s: Plain) -> None:
    """VM.remove_from_xenstore_data of vm-data takes out vm-data/ip as well, as removing a node of xenstore does."""

    def remove_from(old: Any, _ref: str, obj: Any, key: str) -> None:
        old(key)
        kept = {k: v for k, v in obj["xenstore_data"].items() if not k.startswith(f"{key}/")}
        obj["xenstore_data"] = kept

    doing(s, "remove_from", "VM", "xenstore_data", remove_from)


@defect("SET-REMOVE", cls="pool")
def a_tag_of_a_pool_is_cut_out_of_the_others(s: Plain) -> None:
    """pool.tags is one text with separators, from which remove_tags cuts the tag wherever it stands: web, webserver."""

    def remove(_old: Any, _ref: str, obj: Any, tag: str) -> None:
        text = "\x1f".join(obj["tags"]).replace(tag, "")
        obj["tags"] = list(dict.fromkeys(each for each in text.split("\x1f") if each))

    doing(s, "remove", "pool", "tags", remove)


# -------------------------------------------------------------------------------------------------------------- fields


@defect("SET-VALUE", cls="GPU_group")
def a_gpu_group_never_goes_back_to_its_first_algorithm(s: Plain) -> None:
    """GPU_group.set_allocation_algorithm skips what looks unchanged, by the value that the group was made with."""
    loaded: dict[str, str] = {}

    def put(old: Any, ref: str, obj: Any, value: str) -> None:
        if loaded.setdefault(ref, obj["allocation_algorithm"]) != value:
            old(value)

    doing(s, "set", "GPU_group", "allocation_algorithm", put)


@defect("SET-ONLY-THAT", cls="USB_group")
def renaming_a_usb_group_renames_its_namesakes(s: Plain) -> None:
    """USB_group.set_name_label updates the rows by the old label, and so every group that has the same one."""

    def put(old: Any, _ref: str, obj: Any, value: str) -> None:
        before = obj["name_label"]
        old(value)
        for row in s.objects["USB_group"].values():
            if row["name_label"] == before:
                row["name_label"] = value

    doing(s, "set", "USB_group", "name_label", put)


@defect("QUAL-RO-CONSTRUCTOR SET-ONLY-THAT", cls="VBD")
def the_device_of_a_vbd_follows_its_user_device(s: Plain) -> None:
    """VBD.set_userdevice writes the field device too, which the constructor alone may set."""

    def both(of: Any, _ref: str, obj: Any, field: Any, value: Any) -> None:
        if (of.name, field.name) == ("VBD", "userdevice"):
            obj["device"] = value

    after(s, "do_set", both)


@defect("QUAL-RO-RUNTIME", cls="PIF")
def addresses_of_a_pif_can_be_set_over_json2(s: Plain) -> None:
    """The JSON-RPC 2.0 router makes setters of a PIF's texts without a look at their qualifier: PIF.set_IP works."""
    like = s.api.classes["PIF"].messages["set_disallow_unplug"]

    def find(old: Any, method: str) -> Message | None:
        found: Message | None = old(method)
        field = s.api.classes["PIF"].fields.get(method.removeprefix("PIF.set_"))
        if found or s.fmt != "json2" or field is None or field.type != t.Str():
            return found
        if field.qualifier is not Qualifier.RUNTIME or field.name == "uuid":
            return None
        params = (Parameter("self", t.RefTo("PIF")), Parameter("value", field.type))
        return replace(like, name=f"set_{field.name}", params=params, field=field.name)

    around(s, "find", find)


@defect("QUAL-NO-WRONG-ACCESSOR", cls="console")
def pairs_of_a_console_go_by_a_short_name_too(s: Plain) -> None:
    """console.remove_other_config does what remove_from_other_config does: the dispatcher takes from_ for optional."""

    def find(old: Any, method: str) -> Message | None:
        short = method == "console.remove_other_config"
        found: Message | None = old("console.remove_from_other_config" if short else method)
        return replace(found, name="remove_other_config") if short and found else found

    around(s, "find", find)


@defect("GET-BAD-REF", cls="VUSB")
def what_is_no_vusb_is_not_attached(s: Plain) -> None:
    """VUSB.get_currently_attached looks a ref up among the attached devices, and says false for one of no VUSB."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            if method == "VUSB.get_currently_attached" and no.args[0] == "HANDLE_INVALID":
                return t.Bool(), False
            raise

    around(s, "call", call)


@defect("GET-ALL-AGREES", also="WHERE", cls="VGPU")
def untyped_vgpus_fall_out_of_a_join(s: Plain) -> None:
    """VGPU.get_all_records joins the VGPUs with their types, so one whose type is null is in get_all alone."""

    def records(old: Any, of: Any) -> dict[str, Any]:
        found: dict[str, Any] = old(of)
        if of.name != "VGPU":
            return found
        return {ref: row for ref, row in found.items() if row["type"] in s.objects["VGPU_type"]}

    around(s, "get_all_records", records)


# ------------------------------------------------------------------------------------------- constructors and look-ups


@defect("CREATE-FIELDS", cls="Repository")
def the_addresses_of_a_repository_are_swapped(s: Plain) -> None:
    """Repository.introduce mistakes the order of its parameters: binary_url is the source's address and vice versa."""

    def change(given: dict[str, Any]) -> dict[str, Any]:
        return given | {"binary_url": given["source_url"], "source_url": given["binary_url"]}

    made(s, "Repository", change)


@defect("UUID-FORM", cls="DR_task")
def the_uuid_of_a_dr_task_has_no_hyphens(s: Plain) -> None:
    """A DR_task's uuid is written as 32 hexadecimal digits in a row."""

    def blank(old: Any, of: Any) -> dict[str, Any]:
        record: dict[str, Any] = old(of)
        return record | ({"uuid": record["uuid"].replace("-", "")} if of.name == "DR_task" else {})

    around(s, "blank", blank)


@defect("LABEL-LOOKUP", cls="SR")
def an_sr_is_found_by_the_label_that_it_was_made_with(s: Plain) -> None:
    """SR.set_name_label, a message of its own, leaves the index alone by which SR.get_by_name_label finds."""
    index = {ref: row["name_label"] for ref, row in s.objects["SR"].items()}

    def make(old: Any, of: Any, given: Any) -> Any:
        ref = old(of, given)
        if of.name == "SR":
            index[ref] = s.objects["SR"][ref]["name_label"]
        return ref

    def by_label(old: Any, of: Any, label: str) -> Any:
        return old(of, label) if of.name != "SR" else [ref for ref in s.objects["SR"] if index[ref] == label]

    around(s, "make", make)
    around(s, "by_label", by_label)
