"""Defects of reading that an audit of level 2 thought of: each a dimension that its checks had not varied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from strangers.base import after, around, defect
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal

Record = dict[str, Any]


def replaced(s: Plain, name: str, new: Callable[..., Any]) -> None:
    """Put `new(old value, ref)` in place of what one message answers, or `new(old value, "")` where it takes none."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        value = old(message, args)
        return new(value, args[0] if args else "") if message.full_name == name else value

    around(s, "run", run)


def record_keeps(s: Plain, cls: str, field: str, *, until: str = "none") -> None:
    """get_record shows what a field was when it was first read, `until` a generic setter or for good."""
    kept: dict[str, Any] = {}
    replaced(s, f"{cls}.get_record", lambda row, ref: {**row, field: kept.setdefault(ref, row[field])})

    def forget(of: Any, ref: str, _obj: Any, f: Any, *_: Any) -> None:
        if of.name == cls and f.qualifier == until:
            kept.pop(ref, None)

    after(s, "do_set", forget)


def listing_keeps(s: Plain, cls: str, field: str, *, until: str = "none") -> None:
    """get_all_records shows what a field was when it was first listed, `until` a generic setter or for good."""
    kept: dict[str, Any] = {}

    def listed(rows: dict[str, Record], _ref: str) -> dict[str, Record]:
        return {ref: {**row, field: kept.setdefault(ref, row[field])} for ref, row in rows.items()}

    def forget(of: Any, ref: str, _obj: Any, f: Any, *_: Any) -> None:
        if of.name == cls and f.qualifier == until:
            kept.pop(ref, None)

    replaced(s, f"{cls}.get_all_records", listed)
    after(s, "do_set", forget)


def broken(value: Any, why: bool) -> Any:
    """Return the value, or fail as an exception in a getter does."""
    if why:
        raise Refusal("INTERNAL_ERROR", "exception in a getter")
    return value


# ------------------------------------------------------------------------------------------------------------- getters


@defect("GET-EVERY-FIELD", cls="VM")
def boot_parameters_of_the_running(s: Plain) -> None:
    """VM.get_HVM_boot_params looks into the domain of a VM that runs, and finds no key there."""
    replaced(s, "VM.get_HVM_boot_params", lambda v, ref: broken(v, s.objects["VM"][ref]["power_state"] == "Running"))


@defect("GET-EVERY-FIELD", cls="task")
def types_of_failed_tasks(s: Plain) -> None:
    """task.get_type raises for a task that has failed."""
    replaced(s, "task.get_type", lambda v, ref: broken(v, s.objects["task"][ref]["status"] == "failure"))


@defect("GET-EVERY-FIELD", cls="VM")
def reference_not_loaded(s: Plain) -> None:
    """VM.get_affinity raises where the reference is set: the row behind it is not loaded."""
    replaced(s, "VM.get_affinity", lambda v, _ref: broken(v, v != NULL))


@defect("GET-EVERY-FIELD", cls="VM")
def one_row_expected(s: Plain) -> None:
    """VM.get_VIFs asks for the one row that there is, and raises where there are more."""
    replaced(s, "VM.get_VIFs", lambda v, _ref: broken(v, len(v) > 1))


@defect("GET-EVERY-FIELD", cls="blob")
def no_attribute_in_what_json_made(s: Plain) -> None:
    """The JSON side makes blobs without a size, and blob.get_size raises for them."""
    lacking: set[str] = set()

    def make(old: Any, of: Any, given: Record) -> str:
        ref: str = old(of, given)
        lacking.update({ref} if of.name == "blob" and s.fmt != "xml" else set())
        return ref

    around(s, "make", make)
    replaced(s, "blob.get_size", lambda v, ref: broken(v, ref in lacking))


@defect("GET-EVERY-FIELD", cls="VM_appliance")
def no_column_for_an_empty_text(s: Plain) -> None:
    """VM_appliance.get_name_description raises where it is empty: there is no such member in the document."""
    replaced(s, "VM_appliance.get_name_description", lambda v, _ref: broken(v, not v))


# ------------------------------------------------------------------------------------------------------------- records


@defect("GET-RECORD-AGREES", cls="VM")
def join_gives_one_row(s: Plain) -> None:
    """VM.get_record has the first VIF alone, as the join is read as one row."""
    replaced(s, "VM.get_record", lambda row, _ref: {**row, "VIFs": row["VIFs"][:1]})


@defect("GET-RECORD-AGREES", cls="VM")
def power_state_of_the_first_record(s: Plain) -> None:
    """VM.get_record keeps the power state until a field is set: the messages that move VMs do not clear its cache."""
    record_keeps(s, "VM", "power_state", until="RW")


@defect("GET-RECORD-AGREES", also="BIND-CREATE", cls="VDI")
def record_before_the_drive(s: Plain) -> None:
    """VDI.get_record keeps VBDs until the VDI is written; a new VBD is a row of another table."""
    record_keeps(s, "VDI", "VBDs", until="RW")


@defect("GET-RECORD-AGREES", cls="network")
def managed_by_a_constant(s: Plain) -> None:
    """network.get_record has true for managed, which a constructor alone sets to false."""
    replaced(s, "network.get_record", lambda row, _ref: {**row, "managed": True})


@defect("GET-RECORD-AGREES", cls="VMSS")
def explicit_setter_clears_no_cache(s: Plain) -> None:
    """VMSS.get_record keeps retained_snapshots until a generic setter writes: the explicit one clears no cache."""
    record_keeps(s, "VMSS", "retained_snapshots", until="RW")


@defect("GET-RECORD-AGREES", cls="secret")
def rows_of_a_session(s: Plain) -> None:
    """Each session keeps the records of secrets that it has read, until it writes them itself."""
    kept: dict[tuple[str, str], Record] = {}

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        at = (s.session, str(args[0]) if args else "")
        if message.full_name == "secret.get_record":
            row = dict(old(message, args))
            return kept.setdefault(at, row)
        if message.cls == "secret" and not message.name.startswith("get"):
            kept.pop(at, None)
        return old(message, args)

    around(s, "run", run)


# ------------------------------------------------------------------------------------------------------------ listings


@defect("GET-ALL-AGREES", cls="PVS_site")
def made_over_json_and_not_listed(s: Plain) -> None:
    """The JSON-RPC 1.0 side does not enter the sites that it makes into the index of get_all."""
    hidden: set[str] = set()

    def make(old: Any, of: Any, given: Record) -> str:
        ref: str = old(of, given)
        hidden.update({ref} if of.name == "PVS_site" and s.fmt == "json1" else set())
        return ref

    around(s, "make", make)
    replaced(s, "PVS_site.get_all", lambda refs, _ref: [ref for ref in refs if ref not in hidden])


@defect("GET-ALL-AGREES", also="CREATE-NEW", cls="GPU_group")
def each_session_lists_its_own(s: Plain) -> None:
    """GPU_group.get_all lists what this session made and what was there, get_all_records all."""
    maker: dict[str, str] = {}

    def make(old: Any, of: Any, given: Record) -> str:
        ref: str = old(of, given)
        maker.update({ref: s.session} if of.name == "GPU_group" else {})
        return ref

    around(s, "make", make)
    replaced(s, "GPU_group.get_all", lambda refs, _ref: [r for r in refs if maker.get(r, s.session) == s.session])


@defect("GET-ALL-AGREES", cls="console")
def added_pairs_not_listed(s: Plain) -> None:
    """console.get_all_records keeps other_config until it is set: add_to and remove_from clear no cache."""
    listing_keeps(s, "console", "other_config", until="RW")


@defect("GET-ALL-AGREES", cls="tunnel")
def third_field_listed_as_it_was(s: Plain) -> None:
    """tunnel.get_all_records keeps the protocol that it listed first."""
    listing_keeps(s, "tunnel", "protocol")


@defect("GET-ALL-AGREES", cls="VM")
def listed_as_halted(s: Plain) -> None:
    """VM.get_all_records reads the power state of the configuration, which is Halted."""

    def listed(rows: dict[str, Record], _ref: str) -> dict[str, Record]:
        return {ref: {**row, "power_state": "Halted"} for ref, row in rows.items()}

    replaced(s, "VM.get_all_records", listed)


@defect("GET-ALL-AGREES", cls="VDI")
def left_out_by_an_anti_join(s: Plain) -> None:
    """VDI.get_all_records has those VDIs alone that no VBD has."""

    def listed(rows: dict[str, Record], _ref: str) -> dict[str, Record]:
        return {ref: row for ref, row in rows.items() if not row["VBDs"]}

    replaced(s, "VDI.get_all_records", listed)


# ------------------------------------------------------------------------------------------------------------ bad refs


@defect("GET-BAD-REF", also="GET-BAD-REF-CODE", cls="USB_group")
def place_of_the_dead_is_taken(s: Plain) -> None:
    """The place of a destroyed USB_group is given to the next one, whom the old ref then denotes."""
    gone: list[str] = []
    heir: dict[str, str] = {}

    def make(old: Any, of: Any, given: Record) -> str:
        ref: str = old(of, given)
        if of.name == "USB_group" and gone:
            heir[gone.pop()] = ref
        return ref

    def read(old: Any, of: Any, raw: Any) -> Any:
        mine = getattr(of, "cls", "") == "USB_group" and isinstance(raw, str)
        return heir[raw] if mine and heir.get(raw) in s.objects["USB_group"] else old(of, raw)

    around(s, "make", make)
    around(s, "read", read)
    after(s, "destroy", lambda of, ref: gone.append(ref) if of.name == "USB_group" else None)


@defect("GET-BAD-REF", also="GET-BAD-REF-CODE", cls="VBD")
def devices_in_one_table(s: Plain) -> None:
    """VBDs and VIFs lie in one table of devices: VBD.get_uuid and get_device answer for a VIF."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.full_name in {"VBD.get_uuid", "VBD.get_device"} and args[0] in s.objects["VIF"]:
            return s.objects["VIF"][args[0]][message.field]
        return old(message, args)

    def read(old: Any, of: Any, raw: Any) -> Any:
        is_device = getattr(of, "cls", "") == "VBD" and isinstance(raw, str) and raw in s.objects["VIF"]
        return raw if is_device else old(of, raw)

    around(s, "run", run)
    around(s, "read", read)


@defect("GET-BAD-REF", also="GET-BAD-REF-CODE", cls="SR")
def no_tags_of_nothing(s: Plain) -> None:
    """SR.get_tags of the null ref is the empty set over JSON-RPC 1.0 alone."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        null = message.full_name == "SR.get_tags" and args[0] == NULL and s.fmt == "json1"
        return [] if null else old(message, args)

    around(s, "run", run)
