"""Faults of reading: getters, records, listings, and references that denote nothing."""

from __future__ import annotations

from collections.abc import Callable

from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, fault
from xenconform.conformance.reference.faults.seams import (
    after,
    answering,
    calls,
    code_of,
    fields_of,
    refusing,
)
from xenconform.models.calls import Call, Format, Success
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch

Old = Callable[[Call], Branch]
Record = dict[str, Value]


def in_records(s: Server, cls: str, change: Callable[[Record], Record], listed: str = "get_record") -> None:
    """Change the records that a class's get_record, or another message that gives records, shows."""

    def shown(_: Call, branch: Branch) -> Branch:
        value: Value = branch.outcome.value if isinstance(branch.outcome, Success) else {}
        if listed == "get_record":
            return answering(branch, change(dict(value)))
        return answering(branch, {ref: change(dict(record)) for ref, record in value.items()})

    after(s, shown, f"{cls}.{listed}")


# ------------------------------------------------------------------------------------------------------ single getters


@fault("GET-EVERY-FIELD", "VBD", MEDIUM)
def getter_of_a_null_reference_fails(s: Server) -> None:
    """A VBD's getter fails over JSON-RPC 1.0 where the field is a null reference."""

    def get(old: Old, call: Call) -> Branch:
        branch = old(call)
        value = branch.outcome.value if isinstance(branch.outcome, Success) else ""
        missing = s.fmt is Format.JSONRPC1 and isinstance(value, Handle) and value.is_null
        return refusing(s, "INTERNAL_ERROR", "Not_found") if missing else branch

    calls(s, get, "VBD.get_*")


@fault("GET-EVERY-FIELD", "VDI", HARD)
def late_disks_have_no_snapshot_time(s: Server) -> None:
    """get_snapshot_time fails for VDIs that were made since the server started."""
    first = s.state.world.last

    def get(old: Old, call: Call) -> Branch:
        late = isinstance(call.args[0], Handle) and call.args[0].n > first
        return refusing(s, "INTERNAL_ERROR", "no row") if late else old(call)

    calls(s, get, "VDI.get_snapshot_time")


@fault("GET-EVERY-FIELD", "VIF", MEDIUM, also="WIRE-VOID WIRE-SET WIRE-MAP")
def getters_of_empty_sets_fail_over_json2(s: Server) -> None:
    """Over JSON-RPC 2.0 a VIF's getter of an empty set or map fails in place of showing none."""

    def get(old: Old, call: Call) -> Branch:
        branch = old(call)
        empty = isinstance(branch.outcome, Success) and branch.outcome.value in ((), {})
        return refusing(s, "INTERNAL_ERROR", "empty") if empty and s.is_over(Format.JSONRPC2) else branch

    calls(s, get, "VIF.get_*")


# -------------------------------------------------------------------------------------------------------------- records


@fault("GET-RECORD-AGREES", "SR", MEDIUM, also="WIRE-AGREE")
def record_is_kept_until_a_set(s: Server) -> None:
    """Over JSON-RPC 1.0 the record of an SR is one that was read before, until set_ is called; add_ does not count."""
    kept: dict[Handle, Branch] = {}

    def record(old: Old, call: Call) -> Branch:
        branch = old(call)
        if s.fmt is not Format.JSONRPC1 or code_of(branch):
            return branch
        stale = kept.setdefault(call.args[0], branch)
        return answering(branch, stale.outcome.value if isinstance(stale.outcome, Success) else None)

    def forget(call: Call, branch: Branch) -> Branch:
        kept.pop(call.args[0], None)
        return branch

    calls(s, record, "SR.get_record")
    after(s, forget, "SR.set_*")
    after(s, forget, "SR.destroy")


@fault("GET-RECORD-AGREES", "network", HARD)
def records_trim_descriptions(s: Server) -> None:
    """In a network's record over XML-RPC the description has lost white space at its ends; its getter shows all."""

    def trim(record: Record) -> Record:
        over = s.is_over(Format.XMLRPC)
        return {**record, "name_description": record["name_description"].strip()} if over else record

    in_records(s, "network", trim)
    in_records(s, "network", trim, "get_all_records")


@fault("GET-RECORD-AGREES", "pool", HARD, also="WIRE-SET")
def records_cut_long_sets(s: Server) -> None:
    """A pool's records show no more than 128 members of a set; the getter shows them all."""

    def cut(record: Record) -> Record:
        return {name: value[:128] if isinstance(value, tuple) else value for name, value in record.items()}

    in_records(s, "pool", cut)
    in_records(s, "pool", cut, "get_all_records")


@fault("GET-RECORD-AGREES", "VM", MEDIUM, also="WHERE WIRE-AGREE")
def records_lack_null_references(s: Server) -> None:
    """A VM's records over JSON-RPC 2.0 leave out each field that is a null reference."""

    def drop(record: Record) -> Record:
        null = {name for name, value in record.items() if isinstance(value, Handle) and value.is_null}
        return {n: v for n, v in record.items() if n not in null} if s.is_over(Format.JSONRPC2) else record

    in_records(s, "VM", drop)
    in_records(s, "VM", drop, "get_all_records")


@fault("GET-RECORD-AGREES", "VMSS", HARD, also="GET-ALL-AGREES")
def record_goes_by_the_label(s: Server) -> None:
    """The record of one of two VMSSs with the same name is that of the older one; getters tell them apart."""

    def record(old: Old, call: Call) -> Branch:
        label = fields_of(s, call.args[0]).get("name_label") if isinstance(call.args[0], Handle) else None
        named = (h for h in s.state.world.handles("VMSS") if fields_of(s, h)["name_label"] == label)
        return old(Call(call.message, (next(named, call.args[0]),)))

    calls(s, record, "VMSS.get_record")


# ------------------------------------------------------------------------------------------------------------- listings


@fault("GET-ALL-AGREES", "secret", HARD)
def listing_of_records_ends_at_eight(s: Server) -> None:
    """secret.get_all_records shows the first 8 secrets and no more."""

    def cut(_: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        return answering(branch, dict(list(branch.outcome.value.items())[:8]))

    after(s, cut, "secret.get_all_records")


@fault("GET-ALL-AGREES", "VM_appliance", HARD)
def all_records_lag_behind_a_write(s: Server) -> None:
    """VM_appliance.get_all_records over JSON-RPC 1.0 shows old values until an object is made or ended."""
    kept: dict[tuple[Handle, ...], Value] = {}

    def listed(_: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        if s.fmt is not Format.JSONRPC1:
            return branch
        return answering(branch, kept.setdefault(tuple(branch.outcome.value), branch.outcome.value))

    after(s, listed, "VM_appliance.get_all_records")


@fault("GET-ALL-AGREES", "VM", MEDIUM, also="BIND-SYMMETRY")
def templates_are_not_in_all_records(s: Server) -> None:
    """VM.get_all_records leaves out the VMs that are templates; VM.get_all lists them."""

    def drop(_: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        kept = {ref: record for ref, record in branch.outcome.value.items() if not record["is_a_template"]}
        return answering(branch, kept)

    after(s, drop, "VM.get_all_records")


@fault("GET-ALL-AGREES", "VBD", HARD)
def empty_drives_are_not_in_all_records(s: Server) -> None:
    """VBD.get_all_records leaves out the VBDs without a VDI, as a listing that joins the two does."""

    def drop(_: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        kept = {ref: record for ref, record in branch.outcome.value.items() if not record["VDI"].is_null}
        return answering(branch, kept)

    after(s, drop, "VBD.get_all_records")


@fault("GET-ALL-AGREES", "VM_appliance", HARD)
def one_record_for_each_name(s: Server) -> None:
    """Of VM_appliances with one name, get_all_records shows the youngest alone."""

    def drop(_: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        found = branch.outcome.value
        last = {record["name_label"]: ref for ref, record in found.items()}
        return answering(branch, {ref: record for ref, record in found.items() if last[record["name_label"]] == ref})

    after(s, drop, "VM_appliance.get_all_records")


@fault("GET-ALL-AGREES", "PVS_site", HARD)
def all_records_lose_spaces(s: Server) -> None:
    """PVS_site.get_all_records over XML-RPC folds several spaces in a text into one."""

    def fold(record: Record) -> Record:
        texts = {name: " ".join(value.split()) for name, value in record.items() if isinstance(value, str)}
        return {**record, **texts} if s.is_over(Format.XMLRPC) else record

    in_records(s, "PVS_site", fold, "get_all_records")


@fault("GET-ALL-AGREES", "blob", HARD)
def ninth_record_is_blank(s: Server) -> None:
    """From the ninth on, the records of blob.get_all_records have no type."""

    def blank(_: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        rows = enumerate(branch.outcome.value.items())
        return answering(branch, {ref: {**row, "mime_type": ""} if at > 7 else row for at, (ref, row) in rows})

    after(s, blank, "blob.get_all_records")
