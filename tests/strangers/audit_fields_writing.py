"""Defects of writing that an audit of level 2 thought of: each a dimension that its checks had not varied."""

from __future__ import annotations

from typing import Any

from strangers.audit_fields import replaced
from strangers.base import around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal


def copied_by_format(s: Plain, cls: str, field: str) -> None:
    """Each format adds to and takes from a copy of its own, which a set alone renews."""
    mine: dict[tuple[str, str], Any] = {}

    def renew(old: Any, ref: str, _obj: Any, value: Any) -> None:
        for at in [at for at in mine if at[1] == ref]:
            del mine[at]
        old(value)

    def change(old: Any, ref: str, obj: Any, *values: Any) -> None:
        obj[field] = mine.setdefault((s.fmt, ref), obj[field])
        old(*values)
        mine[s.fmt, ref] = obj[field]

    doing(s, "set", cls, field, renew)
    for verb in ("add", "remove", "add_to", "remove_from"):
        doing(s, verb, cls, field, change)


def added_stays(s: Plain, cls: str, field: str, adding: str, removing: str) -> None:
    """What was added is not found by a removal, which looks among what was set."""
    added: set[Any] = set()

    def renew(old: Any, _ref: str, _obj: Any, value: Any) -> None:
        added.clear()
        old(value)

    def add(old: Any, _ref: str, _obj: Any, *values: Any) -> None:
        old(*values)
        added.add(values[0])

    doing(s, "set", cls, field, renew)
    doing(s, adding, cls, field, add)
    doing(s, removing, cls, field, lambda old, _ref, _obj, value: None if value in added else old(value))


# ------------------------------------------------------------------------------------------------------ scalar setters


@defect("SET-VALUE", cls="VM_appliance")
def labels_made_unique(s: Plain) -> None:
    """VM_appliance.set_name_label to a label that another one has adds a number to it."""

    def write(old: Any, ref: str, _obj: Any, value: str) -> None:
        taken = any(r != ref and row["name_label"] == value for r, row in s.objects["VM_appliance"].items())
        old(f"{value} (1)" if taken else value)

    doing(s, "set", "VM_appliance", "name_label", write)


@defect("SET-VALUE", cls="VM_appliance")
def not_while_it_is_used(s: Plain) -> None:
    """VM_appliance.set_name_description updates where no VM refers to the appliance, and says nothing else."""

    def write(old: Any, ref: str, _obj: Any, value: str) -> None:
        if not any(row["appliance"] == ref for row in s.objects["VM"].values()):
            old(value)

    doing(s, "set", "VM_appliance", "name_description", write)


@defect("SET-VALUE", cls="VBD")
def first_drive_boots(s: Plain) -> None:
    """VBD.set_bootable(true) does nothing where another VBD of the VM is bootable."""

    def write(old: Any, ref: str, obj: Any, value: bool) -> None:
        rows = s.objects["VBD"].items()
        if not value or not any(r != ref and row["VM"] == obj["VM"] and row["bootable"] for r, row in rows):
            old(value)

    doing(s, "set", "VBD", "bootable", write)


@defect("SET-VALUE", cls="VM")
def running_keeps_its_label(s: Plain) -> None:
    """VM.set_name_label of a VM that runs is accepted and forgotten."""
    doing(s, "set", "VM", "name_label", lambda old, _r, obj, v: None if obj["power_state"] == "Running" else old(v))


@defect("SET-VALUE", cls="blob")
def value_of_a_session(s: Plain) -> None:
    """Each session keeps the name_description of a blob that it has read, until it writes the blob itself."""
    kept: dict[tuple[str, str], str] = {}

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        at = (s.session, str(args[0]) if args else "")
        if message.full_name == "blob.get_name_description":
            value = old(message, args)
            return kept.setdefault(at, value)
        if message.cls == "blob" and not message.name.startswith("get"):
            kept.pop(at, None)
        return old(message, args)

    around(s, "run", run)


# ------------------------------------------------------------------------------------------------------- nothing else


@defect("SET-ONLY-THAT", also="BIND-SYMMETRY", cls="VM_appliance")
def replaced_row_sets_null(s: Plain) -> None:
    """VM_appliance.set_name_description replaces the row: ON DELETE SET NULL empties VM.appliance."""

    def write(old: Any, ref: str, _obj: Any, value: str) -> None:
        old(value)
        for row in s.objects["VM"].values():
            row["appliance"] = NULL if row["appliance"] == ref else row["appliance"]

    doing(s, "set", "VM_appliance", "name_description", write)


@defect("SET-ONLY-THAT", cls="USB_group")
def replaced_row_cascades(s: Plain) -> None:
    """USB_group.set_name_label replaces the row: ON DELETE CASCADE destroys the VUSBs."""

    def write(old: Any, ref: str, _obj: Any, value: str) -> None:
        old(value)
        rows = s.objects["VUSB"]
        s.objects["VUSB"] = {r: row for r, row in rows.items() if row["USB_group"] != ref}

    doing(s, "set", "USB_group", "name_label", write)


@defect("SET-ONLY-THAT", cls="GPU_group")
def empty_texts_go_together(s: Plain) -> None:
    """Emptying a GPU_group's name_description deletes the row of texts, and so its name_label."""

    def write(old: Any, _ref: str, obj: Any, value: str) -> None:
        old(value)
        obj["name_label"] = obj["name_label"] if value else ""

    doing(s, "set", "GPU_group", "name_description", write)


@defect("SET-ONLY-THAT", cls="network")
def purpose_is_a_tag(s: Plain) -> None:
    """network.set_tags deletes the network's rows in the table of labels, those of its purposes too."""
    doing(s, "set", "network", "tags", lambda old, _ref, obj, v: (old(v), obj.update(purpose=[])))


@defect("SET-ONLY-THAT", cls="VUSB")
def new_row_new_uuid(s: Plain) -> None:
    """VUSB.set_other_config writes a new row, with a uuid of its own, under the old ref."""
    doing(s, "set", "VUSB", "other_config", lambda old, _ref, obj, v: (old(v), obj.update(uuid=s.new_uuid())))


@defect("SET-ONLY-THAT", cls="VBD")
def number_taken_from_another(s: Plain) -> None:
    """VBD.set_userdevice to the number of another VBD takes it from that one."""

    def write(old: Any, ref: str, _obj: Any, value: str) -> None:
        old(value)
        for other, row in s.objects["VBD"].items():
            row["userdevice"] = "" if other != ref and row["userdevice"] == value else row["userdevice"]

    doing(s, "set", "VBD", "userdevice", write)


@defect("SET-ONLY-THAT", also="SET-REMOVE", cls="VDI")
def tag_removed_without_the_owner(s: Plain) -> None:
    """VDI.remove_tags deletes the tag of every VDI: the statement names no owner."""

    def remove(_old: Any, _ref: str, _obj: Any, value: str) -> None:
        for row in s.objects["VDI"].values():
            row["tags"] = [each for each in row["tags"] if each != value]

    doing(s, "remove", "VDI", "tags", remove)


# ------------------------------------------------------------------------------------------------------- sets and maps


@defect("SET-ADD", cls="host")
def tags_copied_by_format(s: Plain) -> None:
    """Each format has a copy of host.tags of its own that it adds to."""
    copied_by_format(s, "host", "tags")


@defect("SET-REMOVE", cls="SR")
def tags_of_an_sr_copied_by_format(s: Plain) -> None:
    """Each format has a copy of SR.tags of its own that it takes from."""
    copied_by_format(s, "SR", "tags")


@defect("MAP-ADD", cls="host")
def logging_copied_by_format(s: Plain) -> None:
    """Each format has a copy of host.logging of its own that it adds to."""
    copied_by_format(s, "host", "logging")


@defect("SET-REMOVE", cls="pool")
def added_tags_stay(s: Plain) -> None:
    """pool.remove_tags finds what set_tags wrote, not what add_tags did."""
    added_stays(s, "pool", "tags", "add", "remove")


@defect("MAP-REMOVE", cls="pool")
def added_pairs_stay(s: Plain) -> None:
    """pool.remove_from_gui_config finds what set_gui_config wrote, not what add_to_gui_config did."""
    added_stays(s, "pool", "gui_config", "add_to", "remove_from")


@defect("SET-ADD-DEDUP", cls="VM")
def looked_for_among_the_first(s: Plain) -> None:
    """VM.add_tags looks for the tag among the first 64."""

    def add(old: Any, _ref: str, obj: Any, value: str) -> None:
        if value in obj["tags"][64:]:
            obj["tags"] = [*obj["tags"], value]
        old(value)

    doing(s, "add", "VM", "tags", add)


@defect("SET-ADD-DEDUP", cls="VIF")
def address_twice_is_an_error(s: Plain) -> None:
    """VIF.add_ipv6_allowed of an address that is there fails by the unique key."""

    def add(old: Any, _ref: str, obj: Any, value: str) -> None:
        if value in obj["ipv6_allowed"]:
            raise Refusal("INTERNAL_ERROR", "unique key violated")
        old(value)

    doing(s, "add", "VIF", "ipv6_allowed", add)


@defect("SET-NO-DUPLICATES", also="LABEL-LOOKUP", cls="VM_appliance")
def renamed_to_the_same_label(s: Plain) -> None:
    """An appliance that is renamed to what it is called is in the index of labels twice."""
    twice: set[str] = set()

    def write(old: Any, ref: str, obj: Any, value: str) -> None:
        twice.discard(ref)
        twice.update({ref} if obj["name_label"] == value else set())
        old(value)

    doing(s, "set", "VM_appliance", "name_label", write)
    around(s, "by_label", lambda old, of, label: [r for r in old(of, label) for _ in range(2 if r in twice else 1)])


@defect("MAP-DUPLICATE-KEY", cls="console")
def keys_of_a_session(s: Plain) -> None:
    """A key of console.other_config that another session added can be added again."""
    by: dict[tuple[str, str], str] = {}

    def add(old: Any, ref: str, obj: Any, key: str, value: str) -> None:
        if key in obj["other_config"] and by.get((ref, key), s.session) != s.session:
            obj["other_config"] = {k: v for k, v in obj["other_config"].items() if k != key}
        old(key, value)
        by[ref, key] = s.session

    doing(s, "add_to", "console", "other_config", add)


@defect("MAP-DUPLICATE-UNCHANGED", cls="VUSB")
def record_has_the_refused_value(s: Plain) -> None:
    """VUSB.get_record has the value that was refused for a key of other_config, the getter the right one."""
    refused: dict[tuple[str, str], str] = {}

    def add(old: Any, ref: str, obj: Any, key: str, value: str) -> None:
        refused.update({(ref, key): value} if key in obj["other_config"] else {})
        old(key, value)

    def shown(row: dict[str, Any], ref: str) -> dict[str, Any]:
        return {**row, "other_config": {k: refused.get((ref, k), v) for k, v in row["other_config"].items()}}

    doing(s, "add_to", "VUSB", "other_config", add)
    replaced(s, "VUSB.get_record", shown)
