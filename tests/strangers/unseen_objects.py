"""Unseen defects of objects, their fields and their look-ups: written without a look at the checks or other defects."""

from __future__ import annotations

import time
import uuid
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing, made
from strangers.plain_server import Plain
from strangers.values import Refusal

# ---------------------------------------------------------------------------------------------------- fields and values


@defect("SET-VALUE GET-RECORD-AGREES", cls="host")
def getter_of_the_neighbour_column(s: Plain) -> None:
    """host.get_crash_dump_sr was copied from that of suspend_image_sr, and reads its field; records are right."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.full_name == "host.get_crash_dump_sr":
            return s.object(s.api.classes["host"], args[0])["suspend_image_sr"]
        return old(message, args)

    around(s, "run", run)


@defect("SET-VALUE")
def nothing_in_place_of_falsy(s: Plain) -> None:
    """A setter of network stores `value || old`: the empty text, 0 and false leave what was there."""

    def do_set(old: Any, of: Any, ref: str, obj: Any, field: Any, value: Any) -> None:
        if of.name != "network" or isinstance(value, list | dict) or value:
            old(of, ref, obj, field, value)

    around(s, "do_set", do_set)


@defect("CREATE-FIELDS", cls="subject")
def only_known_facts_of_a_subject(s: Plain) -> None:
    """subject.create keeps those pairs of other_config that a directory would give: keys that begin with subject-."""

    def change(given: dict[str, Any]) -> dict[str, Any]:
        facts = {k: v for k, v in given.get("other_config", {}).items() if k.startswith("subject-")}
        return given | {"other_config": facts}

    made(s, "subject", change)


@defect("CREATE-DEFAULTS", cls="PVS_cache_storage")
def default_of_a_narrow_constant(s: Plain) -> None:
    """The default of PVS_cache_storage.size is worked out in 32 bits, where it is 0; sizes that are given are kept."""
    made(s, "PVS_cache_storage", lambda given: {"size": (20 << 30) & 0xFFFFFFFF} | given)


@defect("CREATE-FIELDS", cls="VLAN")
def tag_in_a_bit_field(s: Plain) -> None:
    """VLAN.tag is a bit field of twelve bits: what is over 4095 or under 0 loses its upper bits."""
    made(s, "VLAN", lambda given: {n: v & 0xFFF if n == "tag" else v for n, v in given.items()})


@defect("MAP-ADD", cls="VMSS")
def removed_pairs_rise_as_they_were(s: Plain) -> None:
    """Removing a pair of VMSS.schedule marks its row; adding the key again takes the mark away, with the old value."""
    marked: dict[tuple[str, str], str] = {}

    def remove(old: Any, ref: str, obj: Any, key: str) -> None:
        if key in obj["schedule"]:
            marked[ref, key] = obj["schedule"][key]
        old(key)

    def add(old: Any, ref: str, _obj: Any, key: str, value: str) -> None:
        old(key, marked.get((ref, key), value))
        marked.pop((ref, key), None)

    def write(old: Any, ref: str, _obj: Any, value: dict[str, str]) -> None:
        for at in [at for at in marked if at[0] == ref]:
            del marked[at]
        old(value)

    doing(s, "remove_from", "VMSS", "schedule", remove)
    doing(s, "add_to", "VMSS", "schedule", add)
    doing(s, "set", "VMSS", "schedule", write)


@defect("MAP-REMOVE", cls="Bond")
def keys_compared_as_far_as_the_buffer(s: Plain) -> None:
    """Bond.remove_from_other_config compares the first 32 characters: keys that begin alike go together."""

    def remove(_old: Any, _ref: str, obj: Any, key: str) -> None:
        obj["other_config"] = {k: v for k, v in obj["other_config"].items() if k[:32] != key[:32]}

    doing(s, "remove_from", "Bond", "other_config", remove)


@defect("SET-ONLY-THAT", cls="VM_appliance")
def written_by_the_natural_key(s: Plain) -> None:
    """VM_appliance.set_name_description updates every row with the name_label of that one."""

    def write(old: Any, _ref: str, obj: Any, value: str) -> None:
        for row in s.objects["VM_appliance"].values():
            if row["name_label"] == obj["name_label"]:
                row["name_description"] = value
        old(value)

    doing(s, "set", "VM_appliance", "name_description", write)


@defect("QUAL-RO-CONSTRUCTOR SET-ONLY-THAT", also="STATE-MODEL", cls="VBD")
def discs_are_made_read_only(s: Plain) -> None:
    """VBD.set_type to CD makes VBD.mode RO."""

    def write(old: Any, _ref: str, obj: Any, value: str) -> None:
        old(value)
        if value == "CD":
            obj["mode"] = "RO"

    doing(s, "set", "VBD", "type", write)


@defect("STATE-READ-ONLY-READS GET-RECORD-AGREES", also="GET-ALL-AGREES QUAL-RO-CONSTRUCTOR STATE-MODEL", cls="blob")
def reading_touches_the_file(s: Plain) -> None:
    """Each record of a blob that is read opens its file, which moves last_updated on by a second."""

    def get_record(old: Any, of: Any, ref: str) -> dict[str, Any]:
        record: dict[str, Any] = old(of, ref)
        if of.name == "blob":
            row = s.objects["blob"][ref]
            row["last_updated"] = s.moved(of.fields["last_updated"], row["last_updated"])
        return record

    around(s, "get_record", get_record)


# ------------------------------------------------------------------------------------------------- identity, look-ups


@defect("UUID-FORM", cls="console")
def hexadecimal_without_zeros(s: Plain) -> None:
    """The five numbers of a console's uuid are printed without the zeros that they begin with."""

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref: str = old(of, given)
        if of.name == "console":
            row = s.objects["console"][ref]
            row["uuid"] = "-".join(f"{int(part, 16):x}" for part in row["uuid"].split("-"))
        return ref

    around(s, "make", make)


@defect("LABEL-LOOKUP", cls="USB_group")
def rename_drops_the_whole_bucket(s: Plain) -> None:
    """Renaming a USB_group deletes the index entry of its old label, and so hides the others that have it."""
    lost: set[str] = set()

    def rename(old: Any, ref: str, obj: Any, label: str) -> None:
        lost.update(each for each, row in s.objects["USB_group"].items() if row["name_label"] == obj["name_label"])
        lost.discard(ref)
        old(label)

    def by_label(old: Any, of: Any, label: str) -> list[str]:
        return [ref for ref in old(of, label) if ref not in lost]

    doing(s, "set", "USB_group", "name_label", rename)
    around(s, "by_label", by_label)


@defect("GET-ALL-AGREES DESTROY-GONE", also="STATE-MODEL", cls="secret")
def list_as_good_as_its_length(s: Plain) -> None:
    """secret.get_all answers from a cache that is held to be fresh while the number of secrets is what it was."""
    cache: list[str] = []

    def get_all(old: Any, of: Any) -> list[str]:
        if of.name != "secret":
            return list(old(of))
        if len(cache) != len(s.objects["secret"]):
            cache[:] = old(of)
        return list(cache)

    def get_all_records(old: Any, of: Any) -> dict[str, Any]:
        if of.name != "secret":
            return dict(old(of))
        return {ref: s.get_record(of, ref) for ref in list(s.objects["secret"])}

    around(s, "get_all", get_all)
    around(s, "get_all_records", get_all_records)


@defect("CREATE-NEW", cls="PVS_site")
def counter_starts_over_the_highest(s: Plain) -> None:
    """A PVS_site's ref is a number over the highest on the disk when the server starts: the newest, gone, is reused."""
    last = [0]
    base = uuid.uuid4().int >> 32 << 32

    def new_ref(old: Any, cls: str) -> str:
        if cls != "PVS_site":
            return str(old(cls))
        last[0] += 1
        return f"OpaqueRef:{uuid.UUID(int=base + last[0])}"

    def load(old: Any, objects: dict[str, Any]) -> Any:
        numbers = [uuid.UUID(ref.removeprefix("OpaqueRef:")).int - base for ref in objects["PVS_site"]]
        last[0] = max(numbers, default=0)
        return old(objects)

    around(s, "new_ref", new_ref)
    around(s, "load", load)


# -------------------------------------------------------------------------------------------- over time, side by side


@defect("PERSIST", cls="tunnel")
def nothing_on_disk_is_the_default(s: Plain) -> None:
    """An empty tunnel.status leaves no rows on the disk, and a tunnel without rows starts with the default."""

    def revived(old: Any, cls: str, ref: str, row: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = old(cls, ref, row)
        if cls == "tunnel" and not kept["status"]:
            return kept | {"status": s.default(s.api.classes["tunnel"].fields["status"])}
        return kept

    around(s, "revived", revived)


@defect("CONC-LINEARIZABLE", cls="GPU_group")
def whole_rows_written_back(s: Plain) -> None:
    """A setter of GPU_group reads the row and, a moment later, writes all of its columns: it undoes another's work."""

    def do_set(old: Any, of: Any, ref: str, obj: dict[str, Any], field: Any, value: Any) -> None:
        if of.name == "GPU_group":
            row, here = dict(obj), (s.fmt, s.session)
            s.lock.release()
            time.sleep(0.003)
            s.lock.acquire()
            s.fmt, s.session = here
            if ref not in s.objects["GPU_group"]:
                raise Refusal("HANDLE_INVALID", "GPU_group", ref)
            obj = s.objects["GPU_group"][ref]
            obj.update(row)
        old(of, ref, obj, field, value)

    around(s, "do_set", do_set)
