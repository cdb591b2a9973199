"""Defects of objects that a second audit thought of: what is made otherwise, many at once, in a row, once more."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from strangers.base import after, around, defect
from strangers.heldout_base import doing, made
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal
from xenconform.models import types as t

SHELF = 12
MANY = 10


@defect("CREATE-FIELDS", also="STATE-MODEL", cls="VMSS")
def members_come_in_the_order_of_the_class(s: Plain) -> None:
    """VMSS.create binds the texts of a record by their places: in another order they go to each other's fields."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        if of.name == "VMSS":
            texts = [n for n in raw if n in {"name_label", "name_description"}]
            values = [raw[n] for n in texts]
            raw = {**raw, **dict(zip([n for n in of.fields if n in texts], values, strict=True))}
        return old(of, raw)

    around(s, "create", create)


@defect("CREATE-FIELDS", also="STATE-MODEL SET-ONLY-THAT", cls="secret")
def numeric_keys_are_renumbered(s: Plain) -> None:
    """secret.create merges other_config with its default as an array: keys that are numbers count from 0."""

    def change(given: dict[str, Any]) -> dict[str, Any]:
        pairs = given.get("other_config", {})
        numbers = [k for k in pairs if k.isdigit()]
        kept = {str(numbers.index(k)) if k in numbers else k: v for k, v in pairs.items()}
        return {**given, "other_config": kept} if pairs else given

    made(s, "secret", change)


@defect("CREATE-BAD", also="BIND-SYMMETRY ROBUST-NO-EFFECT", cls="VIF")
def far_ends_are_entered_before_the_rest_is_read(s: Plain) -> None:
    """VIF.create enters the VIF into network.VIFs, then looks up the VM: refused there, the network keeps a ghost."""
    ghosts: dict[str, list[str]] = {}

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        try:
            return old(of, raw)
        except Refusal:
            network = raw.get("network")
            if of.name == "VIF" and isinstance(network, str) and network in s.objects["network"]:
                ghosts.setdefault(network, []).append(s.new_ref("VIF"))
            raise

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        return [*value, *ghosts.get(ref, ())] if (of.name, field.name) == ("network", "VIFs") else value

    around(s, "create", create)
    around(s, "get", get)


@defect("CREATE-BAD", also="ASYNC-TASK", cls="VMSS")
def workers_trust_enums(s: Plain) -> None:
    """A task to create a VMSS takes any text for the type and the frequency."""
    busy = {"task": False}

    def carry_out(old: Any, job: Any) -> Any:
        busy["task"] = True
        try:
            return old(job)
        finally:
            busy["task"] = False

    def read(old: Any, of: Any, raw: Any) -> Any:
        return raw if busy["task"] and isinstance(of, t.Enum) and isinstance(raw, str) else old(of, raw)

    around(s, "carry_out", carry_out)
    around(s, "read", read)


@defect("UUID-LOOKUP", also="STATE-MODEL", cls="blob")
def index_of_uuids_holds_a_shelf(s: Plain) -> None:
    """blob.get_by_uuid asks a cache of the newest alone: with more than twelve blobs the oldest is not found."""

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        ref = old(of, text)
        if of.name == "blob" and ref not in list(s.objects["blob"])[-SHELF:]:
            raise Refusal("UUID_INVALID", of.name, text)
        return ref

    around(s, "by_uuid", by_uuid)


@defect("UUID-UNKNOWN DESTROY-GONE", also="STATE-MODEL", cls="secret")
def uuids_of_the_dead_find_who_has_their_place(s: Plain) -> None:
    """The index of secrets' uuids leads to places: the uuid of a dead one finds the next that was made."""
    dead: list[str] = []
    heirs: dict[str, str] = {}

    def make(old: Any, of: Any, given: dict[str, Any]) -> Any:
        ref = old(of, given)
        if of.name == "secret" and dead:
            heirs[dead.pop()] = ref
        return ref

    def destroy(old: Any, of: Any, ref: str) -> None:
        text = s.objects["secret"].get(ref, {}).get("uuid", "") if of.name == "secret" else ""
        old(of, ref)
        if text:
            dead.append(text)

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        heir = heirs.get(text)
        return heir if of.name == "secret" and heir in s.objects["secret"] else old(of, text)

    around(s, "make", make)
    around(s, "destroy", destroy)
    around(s, "by_uuid", by_uuid)


@defect("UUID-UNKNOWN", cls="VIF")
def devices_share_a_table(s: Plain) -> None:
    """VIFs and VBDs are rows of one table of devices: VIF.get_by_uuid finds a VBD."""

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        if of.name == "VIF":
            for ref, row in s.objects["VBD"].items():
                if row["uuid"] == text:
                    return ref
        return old(of, text)

    around(s, "by_uuid", by_uuid)


@defect("UUID-FORM", also="STATE-MODEL CREATE-NEW", cls="network")
def leading_zeros_are_dropped(s: Plain) -> None:
    """The last group of a uuid is printed as a number: one in sixteen is a digit short."""

    def new_uuid(old: Any) -> Any:
        head, _, tail = old().rpartition("-")
        return f"{head}-{tail.lstrip('0')}"

    around(s, "new_uuid", new_uuid)


@defect("LABEL-LOOKUP", cls="VMSS")
def names_are_one_index_for_all_classes(s: Plain) -> None:
    """VMSS.get_by_name_label goes by an index that all classes share: it finds what has the label in any class."""

    def by_label(old: Any, of: Any, label: str) -> Any:
        if of.name != "VMSS":
            return old(of, label)
        return [ref for rows in s.objects.values() for ref, row in rows.items() if row.get("name_label") == label]

    around(s, "by_label", by_label)


@defect("LABEL-LOOKUP", cls="VM_appliance")
def bucket_goes_with_its_first(s: Plain) -> None:
    """When the first VM_appliance of a label is renamed or ends, all others of that label are found no more."""
    first: dict[str, str] = {}
    lost: set[str] = set()

    def leave(ref: str, label: str) -> None:
        rows = s.objects["VM_appliance"]
        if first.get(label) == ref:
            lost.update(r for r, row in rows.items() if row["name_label"] == label and r != ref)
            del first[label]

    def make(old: Any, of: Any, given: dict[str, Any]) -> Any:
        ref = old(of, given)
        if of.name == "VM_appliance":
            first.setdefault(s.objects[of.name][ref]["name_label"], ref)
        return ref

    def rename(old: Any, ref: str, obj: dict[str, Any], label: str) -> None:
        if obj["name_label"] != label:
            leave(ref, obj["name_label"])
            lost.discard(ref)
        old(label)
        first.setdefault(label, ref)

    def destroy(old: Any, of: Any, ref: str) -> None:
        label = s.objects[of.name].get(ref, {}).get("name_label", "")
        old(of, ref)
        if of.name == "VM_appliance":
            leave(ref, label)

    around(s, "make", make)
    doing(s, "set", "VM_appliance", "name_label", rename)
    around(s, "destroy", destroy)
    around(s, "by_label", lambda old, of, label: [ref for ref in old(of, label) if ref not in lost])


@defect("WHERE DESTROY-GONE", also="STATE-MODEL", cls="secret")
def queries_for_all_show_the_last_dead(s: Plain) -> None:
    """secret.get_all_records_where of true reads the table with the rows that are marked as deleted."""
    dead: dict[str, Any] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = dict(s.objects["secret"].get(ref, {})) if of.name == "secret" else {}
        old(of, ref)
        if row:
            dead[ref] = row

    def where(old: Any, of: Any, query: str) -> Any:
        return {**old(of, query), **dead} if of.name == "secret" and query == "true" else old(of, query)

    around(s, "destroy", destroy)
    around(s, "where", where)


@defect("DESTROY-GONE", also="CALL-BAD-REF STATE-MODEL", cls="VM_appliance")
def setters_take_refs_of_the_dead(s: Plain) -> None:
    """VM.set_appliance remembers every appliance it has seen: one that is gone is taken."""
    known: set[str] = set()
    after(s, "object", lambda of, ref: known.add(ref) if of.name == "VM_appliance" else None)

    def read(old: Any, of: Any, raw: Any) -> Any:
        return raw if of == t.RefTo("VM_appliance") and raw in known else old(of, raw)

    around(s, "read", read)


@defect("DESTROY-REFERENCED", also="STATE-MODEL", cls="VM_appliance")
def set_again_counts_again(s: Plain) -> None:
    """VM.set_appliance counts its appliance up, the same one again too; so it is in use when the VM has left it."""
    extra: dict[str, int] = {}

    def move(old: Any, _ref: str, obj: dict[str, Any], to: str) -> None:
        if to not in {NULL, obj["appliance"]} or obj["appliance"] == to != NULL:
            extra[to] = extra.get(to, 0) + (obj["appliance"] == to)
        old(to)

    def users_of(old: Any, of: Any, ref: str) -> Any:
        found = old(of, ref)
        return found or (["VM"] if of.name == "VM_appliance" and extra.get(ref) else [])

    doing(s, "set", "VM", "appliance", move)
    around(s, "users_of", users_of)


@defect("BIND-CREATE BIND-SYMMETRY", also="STATE-MODEL", cls="VIF")
def far_ends_hold_ten(s: Plain) -> None:
    """network.VIFs is told as far as a page of ten goes."""

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        return value[:MANY] if (of.name, field.name) == ("network", "VIFs") else value

    around(s, "get", get)


@defect("BIND-CREATE", also="STATE-MODEL BIND-SYMMETRY BIND-MOVE", cls="VBD")
def sessions_keep_far_ends(s: Plain) -> None:
    """A session keeps VM.VBDs as it read them first, until it makes or ends a VBD by itself."""
    kept: dict[tuple[str, str], Any] = {}

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) != ("VM", "VBDs"):
            return value
        return list(kept.setdefault((s.session, ref), value))

    def forget(of: Any, _any: Any) -> None:
        if of.name == "VBD":
            for key in [key for key in kept if key[0] == s.session]:
                del kept[key]

    around(s, "get", get)
    after(s, "make", forget)
    after(s, "destroy", forget)


@defect("CREATE-NEW", also="UUID-FORM", cls="VMSS")
def each_session_counts_for_itself(s: Plain) -> None:
    """Refs of VMSS are numbered in the session that makes them, with the class alone before the number."""
    counts: dict[str, int] = {}

    def new_ref(old: Any, cls: str) -> Any:
        if cls != "VMSS":
            return old(cls)
        counts[s.session] = counts.get(s.session, 0) + 1
        return f"OpaqueRef:00000000-0000-0000-0000-{counts[s.session]:012}"

    around(s, "new_ref", new_ref)


@defect("CREATE-NEW", also="UUID-LOOKUP UUID-FORM", cls="VDI")
def clones_keep_the_uuid(s: Plain) -> None:
    """VDI.clone copies the row with its uuid."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.full_name != "VDI.clone":
            return old(message, args)
        of = s.api.classes["VDI"]
        row = dict(s.object(of, args[0]))
        ref = s.make(of, {})
        s.objects["VDI"][ref] |= row
        return ref

    around(s, "run", run)


@defect("SET-ONLY-THAT", also="STATE-MODEL", cls="VDI")
def clones_share_their_maps(s: Plain) -> None:
    """VDI.clone copies the row and not what is in it: a pair that is added to the clone is in the original too."""
    same: dict[str, str] = {}

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.full_name != "VDI.clone":
            return old(message, args)
        of = s.api.classes["VDI"]
        row = {n: v for n, v in s.object(of, args[0]).items() if n != "uuid"}
        ref = s.make(of, row)
        same[ref] = args[0]
        return ref

    def add(old: Any, ref: str, obj: dict[str, Any], key: str, value: str) -> None:
        old(key, value)
        origin = s.objects["VDI"].get(same.get(ref, ""))
        if origin is not None:
            origin["other_config"] = obj["other_config"]

    around(s, "run", run)
    doing(s, "add_to", "VDI", "other_config", add)


@defect("LABEL-LOOKUP", cls="VDI")
def clones_are_not_in_the_index_of_names(s: Plain) -> None:
    """VDI.clone does not enter its name: get_by_name_label finds a clone once it was renamed."""
    unlisted: OrderedDict[str, None] = OrderedDict()

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.full_name != "VDI.clone":
            return old(message, args)
        of = s.api.classes["VDI"]
        row = {n: v for n, v in s.object(of, args[0]).items() if n != "uuid"}
        ref = s.make(of, row)
        unlisted[ref] = None
        return ref

    around(s, "run", run)
    doing(s, "set", "VDI", "name_label", lambda old, ref, _obj, label: (unlisted.pop(ref, None), old(label)))
    around(s, "by_label", lambda old, of, label: [ref for ref in old(of, label) if ref not in unlisted])
