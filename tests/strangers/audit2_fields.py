"""Defects of level 2 that a second audit thought of: caches and sessions by front end, values that look alike."""

from __future__ import annotations

from typing import Any

from strangers.audit_fields import replaced
from strangers.base import after, around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.values import Refusal
from xenconform.models import types as t

WRITERS = ("set", "add", "remove", "add_to", "remove_from")


# ------------------------------------------------------------------------------------------------ caches and sessions


def kept_by_front_end(s: Plain, cls: str, field: str) -> None:
    """Each front end keeps what it has read; a write sends word to the other ones and not to its own."""
    kept: dict[tuple[str, str], Any] = {}

    def tell_others(of: Any, ref: str, _obj: Any, f: Any, *_: Any) -> None:
        for fmt in {"xml", "json1", "json2"} - {s.fmt} if (of.name, f.name) == (cls, field) else ():
            kept.pop((fmt, ref), None)

    for verb in WRITERS:
        after(s, f"do_{verb}", tell_others)
    replaced(s, f"{cls}.get_{field}", lambda value, ref: kept.setdefault((s.fmt, ref), value))
    replaced(s, f"{cls}.get_record", lambda row, ref: {**row, field: kept.setdefault((s.fmt, ref), row[field])})


@defect("SET-VALUE", also="STATE-MODEL WIRE-STRING", cls="USB_group")
def front_end_does_not_hear_itself(s: Plain) -> None:
    """A USB_group's name_description is shown as it was by the front end over which it was written."""
    kept_by_front_end(s, "USB_group", "name_description")


@defect("MAP-ADD MAP-REMOVE", also="STATE-MODEL", cls="PBD")
def pairs_are_not_heard_by_their_front_end(s: Plain) -> None:
    """A PBD's other_config is shown as it was by the front end over which it was written."""
    kept_by_front_end(s, "PBD", "other_config")


@defect("SET-ONLY-THAT", also="STATE-MODEL", cls="USB_group")
def rows_of_a_session_are_written_whole(s: Plain) -> None:
    """A session that has read a USB_group writes the whole row as it knows it: what others wrote since is undone."""
    known: dict[tuple[str, str], dict[str, Any]] = {}

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        result = old(message, args)
        if message.cls == "USB_group" and args and args[0] in s.objects["USB_group"]:
            row = s.objects["USB_group"][args[0]]
            mine = known.setdefault((s.session, args[0]), dict(row)) if message.name == "get_record" else None
            mine = mine or known.get((s.session, args[0]))
            if mine and message.verb in WRITERS:
                mine[message.field] = row[message.field]
                row.update(mine)
        return result

    around(s, "run", run)


@defect("GET-ALL-AGREES", also="WHERE STATE-MODEL", cls="USB_group")
def listing_is_flushed_by_a_getter(s: Plain) -> None:
    """USB_group.get_all_records shows an object as it was before it was written, until the object itself is read."""
    rows: dict[str, dict[str, Any]] = {}

    def keep(old: Any, of: Any, ref: str, obj: dict[str, Any], *rest: Any) -> None:
        if of.name == "USB_group":
            rows.setdefault(ref, dict(obj))
        old(of, ref, obj, *rest)

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        value = old(message, args)
        if message.full_name == "USB_group.get_all_records":
            return {ref: rows.pop(ref, row) for ref, row in value.items()}
        if message.cls == "USB_group" and message.name.startswith("get_") and args:
            rows.pop(args[0], None)
        return value

    for verb in ("set", "add_to", "remove_from"):
        around(s, f"do_{verb}", keep)
    around(s, "run", run)


@defect("GET-ALL-AGREES", also="DESTROY-GONE DESTROY-NO-CASCADE CREATE-NEW STATE-MODEL", cls="GPU_group")
def place_of_the_last_is_forgotten(s: Plain) -> None:
    """The last GPU_group of the list takes the place of a destroyed one, and is destroyed at its old place."""
    refs = list(s.objects["GPU_group"])
    place = {ref: at for at, ref in enumerate(refs)}

    def make(old: Any, of: Any, given: Any) -> str:
        ref = str(old(of, given))
        if of.name == "GPU_group":
            place[ref] = len(refs)
            refs.append(ref)
        return ref

    def destroy(of: Any, ref: str) -> None:
        at = place.pop(ref, len(refs)) if of.name == "GPU_group" else len(refs)
        if at < len(refs):
            refs[at] = refs[-1]
            refs.pop()

    around(s, "make", make)
    after(s, "destroy", destroy)
    replaced(s, "GPU_group.get_all", lambda _refs, _ref: list(refs))


# ------------------------------------------------------------------------------------------------------------ bad refs


@defect("GET-BAD-REF", also="GET-BAD-REF-CODE", cls="VM_appliance")
def refs_are_parsed(s: Plain) -> None:
    """A ref of a VM_appliance is taken without its dashes too, as what stands behind the colon is parsed as a uuid."""

    def read(old: Any, of: Any, raw: Any) -> Any:
        if getattr(of, "cls", "") == "VM_appliance":
            raw = next((ref for ref in s.objects["VM_appliance"] if ref.replace("-", "") == raw), raw)
        return old(of, raw)

    around(s, "read", read)


@defect("GET-BAD-REF", also="GET-BAD-REF-CODE", cls="VIF")
def own_or_that_of_the_network(s: Plain) -> None:
    """VIF.get_MTU falls back on the network, and answers for the ref of one."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        row = s.objects["network"].get(args[0]) if message.full_name == "VIF.get_MTU" else None
        return row["MTU"] if row else old(message, args)

    def read(old: Any, of: Any, raw: Any) -> Any:
        either = getattr(of, "cls", "") == "VIF" and isinstance(raw, str) and raw in s.objects["network"]
        return raw if either else old(of, raw)

    around(s, "run", run)
    around(s, "read", read)


# ------------------------------------------------------------------------------------------------------------- scalars


def number(text: str) -> Any:
    """Return what a language with loose comparison takes a text for."""
    try:
        return float(text)
    except ValueError:
        return text


@defect("SET-VALUE", also="STATE-MODEL WIRE-STRING", cls="PVS_site")
def loosely_equal_is_no_change(s: Plain) -> None:
    """PVS_site.set_name_description passes over what is loosely equal to what is there: of "1" and "01" the second."""

    def do_set(old: Any, _ref: str, obj: dict[str, Any], value: str) -> None:
        if number(value) != number(obj["name_description"]):
            old(value)

    doing(s, "set", "PVS_site", "name_description", do_set)


@defect("SET-VALUE", also="STATE-MODEL WIRE-STRING", cls="PVS_site")
def compared_as_far_as_the_old_one(s: Plain) -> None:
    """PVS_site.set_name_description compares as many characters as the old text has: a longer one is no change."""

    def do_set(old: Any, _ref: str, obj: dict[str, Any], value: str) -> None:
        if not obj["name_description"] or not value.startswith(obj["name_description"]):
            old(value)

    doing(s, "set", "PVS_site", "name_description", do_set)


@defect("SET-VALUE", also="STATE-MODEL", cls="GPU_group")
def second_of_two_writes_is_dropped(s: Plain) -> None:
    """GPU_group.set_allocation_algorithm is dropped where nothing was read since the one before."""
    written: set[str] = set()

    def do_set(old: Any, ref: str, _obj: Any, value: str) -> None:
        if ref not in written:
            old(value)
        written.add(ref)

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.name.startswith("get"):
            written.clear()
        return old(message, args)

    doing(s, "set", "GPU_group", "allocation_algorithm", do_set)
    around(s, "run", run)


@defect("SET-VALUE", also="STATE-MODEL", cls="VM")
def paused_keeps_its_description(s: Plain) -> None:
    """VM.set_name_description of a VM that pauses is accepted and forgotten."""

    def do_set(old: Any, _ref: str, obj: dict[str, Any], value: str) -> None:
        if obj["power_state"] != "Paused":
            old(value)

    doing(s, "set", "VM", "name_description", do_set)


# ------------------------------------------------------------------------------------------------------- sets and maps


@defect("SET-ONLY-THAT", also="STATE-MODEL", cls="VIF")
def last_pair_takes_the_document(s: Plain) -> None:
    """VIF.remove_from_other_config of the last pair drops the document, with qos_algorithm_params in it."""

    def remove_from(old: Any, _ref: str, obj: dict[str, Any], key: str) -> None:
        old(key)
        if not obj["other_config"]:
            obj["qos_algorithm_params"] = {}

    doing(s, "remove_from", "VIF", "other_config", remove_from)


@defect("SET-ONLY-THAT", also="SET-ADD STATE-MODEL", cls="SR")
def empty_slices_have_one_array(s: Plain) -> None:
    """The empty tags of new SRs are slices of one array: what is added to one replaces what was added to another."""
    shared: set[str] = set()

    def make(old: Any, of: Any, given: Any) -> str:
        ref = str(old(of, given))
        shared.update({ref} if of.name == "SR" and not s.objects["SR"][ref]["tags"] else ())
        return ref

    def add(old: Any, ref: str, obj: dict[str, Any], tag: str) -> None:
        at = len(obj["tags"])
        old(tag)
        for other in s.objects["SR"].keys() & shared if ref in shared and len(obj["tags"]) > at else ():
            row = s.objects["SR"][other]
            if len(row["tags"]) > at:
                row["tags"] = [*row["tags"][:at], tag, *row["tags"][at + 1 :]]

    def do_set(old: Any, ref: str, _obj: Any, value: list[str]) -> None:
        shared.discard(ref)
        old(value)

    around(s, "make", make)
    doing(s, "add", "SR", "tags", add)
    doing(s, "set", "SR", "tags", do_set)


@defect("SET-ADD", also="STATE-MODEL", cls="SR")
def removal_of_nothing_comes_later(s: Plain) -> None:
    """SR.remove_tags of a tag that is not there leaves a mark, which takes out the next one that is added."""
    marks: set[tuple[str, str]] = set()

    def remove(old: Any, ref: str, obj: dict[str, Any], tag: str) -> None:
        marks.update({(ref, tag)} if tag not in obj["tags"] else ())
        old(tag)

    def add(old: Any, ref: str, _obj: Any, tag: str) -> None:
        if (ref, tag) not in marks:
            old(tag)
        marks.discard((ref, tag))

    doing(s, "remove", "SR", "tags", remove)
    doing(s, "add", "SR", "tags", add)


@defect("MAP-DUPLICATE-KEY", also="STATE-MODEL", cls="PBD")
def repetition_is_taken_for_a_retry(s: Plain) -> None:
    """A PBD.add_to_other_config that says what the one before it said is answered as that was, and not carried out."""
    seen: set[tuple[str, str]] = set()

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        again = (fmt, repr(raw))
        if method == "PBD.add_to_other_config" and again in seen:
            return t.Void(), None
        result = old(fmt, method, raw)
        seen.clear()
        seen.update({again} if method == "PBD.add_to_other_config" else ())
        return result

    around(s, "call", call)


@defect("MAP-DUPLICATE-UNCHANGED", also="STATE-MODEL", cls="PBD")
def listing_has_what_was_refused(s: Plain) -> None:
    """PBD.get_all_records has the value that was refused for a key of other_config; the record has the right one."""
    refused: dict[tuple[str, str], str] = {}

    def add_to(old: Any, ref: str, _obj: Any, key: str, value: str) -> None:
        try:
            old(key, value)
        except Refusal:
            refused[ref, key] = value
            raise

    def listed(rows: dict[str, Any], _ref: str) -> dict[str, Any]:
        shown = {r: {k: refused.get((r, k), v) for k, v in row["other_config"].items()} for r, row in rows.items()}
        return {ref: {**row, "other_config": shown[ref]} for ref, row in rows.items()}

    doing(s, "add_to", "PBD", "other_config", add_to)
    replaced(s, "PBD.get_all_records", listed)


@defect("SET-REMOVE", also="STATE-MODEL", cls="SR")
def tags_with_an_apostrophe_stay(s: Plain) -> None:
    """SR.remove_tags of a tag with an apostrophe finds none: it is doubled for a statement that binds it as well."""
    doing(s, "remove", "SR", "tags", lambda old, _ref, _obj, tag: old(tag.replace("'", "''")))


@defect("MAP-ADD", also="MAP-REMOVE STATE-MODEL", cls="PBD")
def values_have_types(s: Plain) -> None:
    """PBD.add_to_other_config writes a document that has types: "1e3" comes back as 1000.0, "01" as 1."""

    def add_to(old: Any, _ref: str, _obj: Any, key: str, value: str) -> None:
        found = number(value)
        old(key, value if isinstance(found, str) else f"{found if 'e' in value else int(found)}")

    doing(s, "add_to", "PBD", "other_config", add_to)


# ---------------------------------------------------------------------------------------------------------- qualifiers


@defect("QUAL-NO-WRONG-ACCESSOR", also="WIRE-METHOD-UNKNOWN", cls="SR")
def tags_can_be_added_to(s: Plain) -> None:
    """SR.add_to_tags adds a tag, as add_tags does."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        alias = method == "SR.add_to_tags" and len(raw) == 3
        return old(fmt, "SR.add_tags" if alias else method, raw)

    around(s, "call", call)


@defect("QUAL-RO-RUNTIME", also="ROBUST-NO-EFFECT STATE-MODEL", cls="network")
def operation_added_and_refused(s: Plain) -> None:
    """network.add_allowed_operations adds the operation, and then does not exist."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        row = s.objects["network"].get(raw[1]) if len(raw) == 3 and isinstance(raw[1], str) else None
        if method == "network.add_allowed_operations" and row is not None:
            row["allowed_operations"] = [*row["allowed_operations"], raw[2]]
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("QUAL-RO-RUNTIME", also="ASYNC-TASK", cls="VIF")
def task_makes_it_of_the_whole_record(s: Plain) -> None:
    """Async.VIF.create stores status_detail from its record, which VIF.create does not."""

    def carry_out(old: Any, job: Any) -> Any:
        value = old(job)
        if job.message.full_name == "VIF.create":
            s.objects["VIF"][value]["status_detail"] = job.raw[0].get("status_detail", "")
        return value

    around(s, "carry_out", carry_out)
