"""Blind defects of fields and objects, written without a look at how the suite tests."""

from __future__ import annotations

import re
from typing import Any

from strangers.base import after, around, defect
from strangers.heldout_base import doing, made, told
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal
from xenconform.models import types as t

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


# ------------------------------------------------------------------------------------------------- easy: all of a kind


@defect("LABEL-LOOKUP", cls="VM_appliance")
def labels_pad_space(s: Plain) -> None:
    """get_by_name_label finds labels that differ in trailing spaces, as an SQL collation with PAD SPACE compares."""

    def by_label(_old: Any, of: Any, label: str) -> list[str]:
        return [ref for ref, obj in s.objects[of.name].items() if obj["name_label"].rstrip(" ") == label.rstrip(" ")]

    around(s, "by_label", by_label)


@defect("UUID-UNKNOWN", also="UUID-UNKNOWN-CODE", cls="SR")
def one_uuid_index_for_all_classes(s: Plain) -> None:
    """get_by_uuid of one class answers the ref of another class's object, since one index holds all uuids."""

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        try:
            return old(of, text)
        except Refusal:
            for rows in s.objects.values():
                for ref, obj in rows.items():
                    if obj.get("uuid") == text:
                        return ref
            raise

    around(s, "by_uuid", by_uuid)


@defect("SET-REMOVE", cls="network")
def splice_at_minus_one_too(s: Plain) -> None:
    """Removing a value that a set does not hold takes out its last member, as splice(indexOf(v), 1) does."""

    def do_remove(old: Any, of: Any, ref: str, obj: Any, f: Any, value: Any) -> None:
        if value not in obj[f.name]:
            obj[f.name] = obj[f.name][:-1]
        old(of, ref, obj, f, value)

    around(s, "do_remove", do_remove)


@defect("DESTROY-AGAIN", also="CALL-BAD-REF CALL-BAD-REF-CODE DESTROY-GONE", cls="user")
def delete_is_idempotent(s: Plain) -> None:
    """A second destroy of an object succeeds, as a repeated HTTP DELETE does."""
    gone: set[str] = set()

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            ends = method.endswith((".destroy", ".forget")) and not method.startswith("Async.")
            if ends and no.args[0] == "HANDLE_INVALID" and raw[1] in gone:
                return t.Void(), None
            raise

    after(s, "destroy", lambda _of, ref: gone.add(ref))
    around(s, "call", call)


@defect("SET-VALUE", cls="blob")
def zero_values_are_not_updated(s: Plain) -> None:
    """Setting a field to "", 0 or false succeeds and changes nothing: the ORM's update skips zero values."""

    def do_set(old: Any, of: Any, ref: str, obj: Any, f: Any, value: Any) -> None:
        if value or not isinstance(value, str | int | float):
            old(of, ref, obj, f, value)

    around(s, "do_set", do_set)


@defect("CREATE-DEFAULTS", cls="network")
def left_out_bools_are_false(s: Plain) -> None:
    """A bool left out of a create record is false though its default is true: the record is decoded into a struct."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        ref = old(of, raw)
        for name, field in of.fields.items():
            if field.type == t.Bool() and field.qualifier.name != "RUNTIME" and name not in raw:
                s.objects[of.name][ref][name] = False
        return ref

    around(s, "create", create)


@defect("GET-BAD-REF", also="GET-BAD-REF-CODE CALL-BAD-REF CALL-BAD-REF-CODE", cls="VDI")
def label_is_in_the_base_table(s: Plain) -> None:
    """get_name_label and get_name_description answer for an object of another class: one table holds all labels."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            field = method.partition(".get_")[2]
            if field in {"name_label", "name_description"} and no.args[0] == "HANDLE_INVALID":
                for rows in s.objects.values():
                    if field in rows.get(raw[1], {}):
                        return t.Str(), rows[raw[1]][field]
            raise

    around(s, "call", call)


# ---------------------------------------------------------------------------------- medium: one class, field or format


@defect("CREATE-NEW", also="UUID-FORM UUID-LOOKUP", cls="VMSS")
def create_keeps_the_records_uuid(s: Plain) -> None:
    """VMSS.create with the record of another VMSS makes an object of the same uuid: mass assignment takes uuid too."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        ref = old(of, raw)
        if of.name == "VMSS" and UUID.fullmatch(str(raw.get("uuid"))):
            s.objects["VMSS"][ref]["uuid"] = raw["uuid"]
        return ref

    around(s, "create", create)


@defect("QUAL-RO-CONSTRUCTOR", also="SET-ONLY-THAT", cls="VBD")
def userdevice_renames_the_device(s: Plain) -> None:
    """VBD.set_userdevice of a number changes the constructor's device to xvda, xvdb and so on."""

    def set_it(old: Any, _ref: str, obj: Any, value: str) -> None:
        old(value)
        if re.fullmatch("[0-9]|1[0-5]", value):
            obj["device"] = f"xvd{'abcdefghijklmnop'[int(value)]}"

    doing(s, "set", "VBD", "userdevice", set_it)


@defect("SET-ADD-DEDUP", cls="VIF")
def allowed_address_is_a_unique_row(s: Plain) -> None:
    """VIF.add_ipv4_allowed of an address that the set holds fails, by the unique key of the table of addresses."""

    def add(old: Any, _ref: str, obj: Any, value: str) -> None:
        if value in obj["ipv4_allowed"]:
            raise Refusal("DB_UNIQUENESS_CONSTRAINT_VIOLATION", "VIF", "ipv4_allowed", value)
        old(value)

    doing(s, "add", "VIF", "ipv4_allowed", add)


@defect("DESTROY-REFERENCED-UNCHANGED", also="ROBUST-NO-EFFECT", cls="VDI")
def tags_go_before_the_row(s: Plain) -> None:
    """VDI.destroy of a VDI in use fails, but its tags are gone: their rows are deleted first, in no transaction."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        try:
            old(of, ref)
        except Refusal as no:
            if of.name == "VDI" and no.args[0] == "OBJECT_IN_USE":
                s.objects["VDI"][ref]["tags"] = []
            raise

    around(s, "destroy", destroy)


@defect("SET-NO-DUPLICATES", cls="Observer")
def components_are_a_list_at_create(s: Plain) -> None:
    """Observer.create with a component twice shows it twice: the constructor keeps the array as it is."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        ref = old(of, raw)
        if of.name == "Observer" and "components" in raw:
            s.objects["Observer"][ref]["components"] = list(raw["components"])
        return ref

    around(s, "create", create)


@defect("CREATE-BAD", cls="PBD")
def pbd_points_at_any_object(s: Plain) -> None:
    """PBD.create takes the ref of any object as its SR: the foreign key goes to the table of all objects."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        sr = raw.get("SR")
        stray = of.name == "PBD" and any(sr in rows for cls, rows in s.objects.items() if cls not in {"SR", "session"})
        ref = old(of, {**raw, "SR": NULL} if stray else raw)
        if stray:
            s.objects["PBD"][ref]["SR"] = sr
        return ref

    around(s, "create", create)


@defect("DESTROY-REFERENCED", cls="Repository")
def sets_have_no_foreign_key(s: Plain) -> None:
    """Repository.forget succeeds while pool.repositories holds it: refs in sets and maps have no foreign key."""

    def users_of(old: Any, of: Any, ref: str) -> list[str]:
        plain = [user for rows in s.objects.values() for user, row in rows.items() if ref in column_values(row)]
        return [user for user in old(of, ref) if user in plain]

    around(s, "users_of", users_of)


def column_values(row: dict[str, Any]) -> list[Any]:
    return [value for value in row.values() if isinstance(value, str)]


@defect("GET-ALL-AGREES", also="WHERE", cls="VM")
def listing_hides_templates(s: Plain) -> None:
    """VM.get_all_records leaves out the templates that VM.get_all names, by the default scope of the entity."""

    def get_all_records(old: Any, of: Any) -> dict[str, Any]:
        return {ref: row for ref, row in old(of).items() if of.name != "VM" or not row["is_a_template"]}

    around(s, "get_all_records", get_all_records)


# ---------------------------------------------------------------------------------------- hard: only under a condition


@defect("SET-ONLY-THAT", cls="VBD")
def one_boot_disk_a_vm(s: Plain) -> None:
    """VBD.set_bootable(true) makes the other VBDs of the same VM not bootable."""

    def set_it(old: Any, ref: str, obj: Any, value: bool) -> None:
        old(value)
        for other, row in s.objects["VBD"].items():
            if value and other != ref and row["VM"] == obj["VM"] != NULL:
                row["bootable"] = False

    doing(s, "set", "VBD", "bootable", set_it)


@defect("MAP-REMOVE", cls="VM")
def xenstore_rm_is_recursive(s: Plain) -> None:
    """VM.remove_from_xenstore_data of a key takes out the keys below it as well: of vm-data also vm-data/ip."""

    def remove(old: Any, _ref: str, obj: Any, key: str) -> None:
        obj["xenstore_data"] = {k: v for k, v in obj["xenstore_data"].items() if not k.startswith(f"{key}/")}
        old(key)

    doing(s, "remove_from", "VM", "xenstore_data", remove)


@defect("GET-RECORD-AGREES", also="MAP-ADD", cls="secret")
def add_to_forgets_the_record_cache(s: Plain) -> None:
    """secret.get_record shows the other_config of the last get_record after an add_to_other_config, until a set."""
    cache: dict[str, Any] = {}

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        result = old(message, args)
        if message.full_name == "secret.get_record":
            return {**result, "other_config": cache.setdefault(args[0], result["other_config"])}
        if message.cls == "secret" and message.verb in {"set", "remove_from"}:
            cache.pop(args[0], None)
        return result

    around(s, "run", run)


@defect("UUID-LOOKUP", cls="GPU_group")
def swap_remove_leaves_the_index(s: Plain) -> None:
    """After a GPU_group that is not the newest is destroyed, the newest is no longer found by its uuid."""
    lost: set[str] = set()

    def destroy(old: Any, of: Any, ref: str) -> None:
        last = next(reversed(s.objects[of.name]), ref)
        old(of, ref)
        if of.name == "GPU_group" and last != ref:
            lost.add(last)

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        ref = old(of, text)
        if ref in lost:
            raise Refusal("UUID_INVALID", of.name, text)
        return ref

    around(s, "destroy", destroy)
    around(s, "by_uuid", by_uuid)


@defect("BIND-CREATE", also="BIND-SYMMETRY WIRE-AGREE", cls="VTPM")
def replica_lags_by_one_read(s: Plain) -> None:
    """VM.VTPMs first read over JSON-RPC 1.0 lacks a VTPM made over another format; the second read has it."""
    fresh: set[str] = set()

    def make(old: Any, of: Any, given: dict[str, Any]) -> Any:
        ref = old(of, given)
        if of.name == "VTPM" and s.fmt != "json1":
            fresh.add(ref)
        return ref

    def shown(refs: list[str]) -> list[str]:
        late = [ref for ref in refs if ref in fresh]
        fresh.difference_update(late)
        return [ref for ref in refs if ref not in late]

    around(s, "make", make)
    told(s, "VM", "VTPMs", shown, "json1")


@defect("BIND-DESTROY", also="DESTROY-GONE BIND-SYMMETRY", cls="tunnel")
def worker_evicts_no_collection(s: Plain) -> None:
    """A tunnel destroyed by Async.tunnel.destroy stays in tunnel_transport_PIF_of of its PIF."""
    ghosts: list[tuple[str, str]] = []

    def carry_out(old: Any, job: Any) -> Any:
        rows = s.objects["tunnel"]
        was = {ref: row["transport_PIF"] for ref, row in rows.items()}
        result = old(job)
        ghosts.extend((pif, ref) for ref, pif in was.items() if ref not in rows)
        return result

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        value = old(of, obj, ref, f)
        mine = (of.name, f.name) == ("PIF", "tunnel_transport_PIF_of")
        return [*value, *(ghost for pif, ghost in ghosts if pif == ref)] if mine else value

    around(s, "carry_out", carry_out)
    around(s, "get", get)


@defect("BIND-SYMMETRY", also="BIND-CREATE", cls="PVS_server")
def servers_keyed_by_port(s: Plain) -> None:
    """PVS_site.servers shows one of two servers with the same first_port: the collection is a map by port."""

    def shown(refs: list[str]) -> list[str]:
        return list({s.objects["PVS_server"][ref]["first_port"]: ref for ref in refs}.values())

    told(s, "PVS_site", "servers", shown)


@defect("CREATE-FIELDS", cls="PVS_cache_storage")
def size_is_a_32_bit_column(s: Plain) -> None:
    """PVS_cache_storage.create with a size of 2 GiB or more shows it wrapped to 32 bits."""

    def narrow(given: dict[str, Any]) -> dict[str, Any]:
        return given | {n: (given[n] + 2**31) % 2**32 - 2**31 for n in ("size",) if n in given}

    made(s, "PVS_cache_storage", narrow)


@defect("DESTROY-GONE", also="GET-BAD-REF GET-BAD-REF-CODE CALL-BAD-REF CALL-BAD-REF-CODE", cls="SDN_controller")
def front_end_caches_getters(s: Plain) -> None:
    """A getter read over XML-RPC still answers there after SDN_controller.forget over JSON: each front has a cache."""
    cache: dict[tuple[str, str], Any] = {}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if fmt != "xml" or not method.startswith("SDN_controller.") or len(raw) != 2:
            return old(fmt, method, raw)
        key = method, str(raw[1])
        try:
            result = old(fmt, method, raw)
        except Refusal as no:
            if no.args[0] == "HANDLE_INVALID" and key in cache:
                return cache[key]
            raise
        if method == "SDN_controller.forget":
            for each in [each for each in cache if each[1] == raw[1]]:
                del cache[each]
        elif method.partition(".get_")[2] in s.api.classes["SDN_controller"].fields:
            cache[key] = result
        return result

    around(s, "call", call)
