"""A sixth blind set, levels 1 and 2: servers on an SQL database, behind a translation layer, or out of a generator."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing, stored, written
from strangers.plain_server import Plain
from xenconform.models import types as t

NOTHING = object()
"""What a method that returns nothing gives to the encoder of a generated server."""

# ------------------------------------------------------------------------------------------------------ level 1: wire


@defect("WIRE-INT-JSON", also="EVENT-FROM", cls="network")
def snapshots_keep_the_ints_of_the_event_store(s: Plain) -> None:
    """Over JSON the snapshots of event.from have ints as text, as the event store has them; getters give JSON ints."""

    def json(old: Any, of: t.Type, value: Any) -> Any:
        told = old(of, value)
        if of == t.RecordOf("") and "snapshot" in told:
            fields = s.api.classes[value["of"].cls].fields
            for name, each in told["snapshot"].items():
                told["snapshot"][name] = str(each) if fields[name].type == t.Int() else each
        return told

    around(s, "json", json)


@defect("WIRE-DATETIME SET-VALUE", cls="VMSS")
def summer_times_go_through_local_time(s: Plain) -> None:
    """VMSS.set_last_run_time with an instant of summer reads an hour later: the column keeps the local wall clock."""
    hour = timedelta(hours=1)

    def as_local(value: datetime) -> datetime:
        return value + hour if 4 <= value.month <= 9 else value

    written(s, "VMSS", "last_run_time", as_local)


@defect("WIRE-JSON-ID-ECHO", cls="network")
def failures_drop_a_falsy_id(s: Plain) -> None:
    """A JSON-RPC 2.0 failure of the call with id 0 or "" has the id null: `id or None` in the error handler."""

    def failure(old: Any, fmt: str, said: list[str], ident: Any) -> Any:
        return old(fmt, said, ident if fmt == "json1" else ident or None)

    around(s, "json_failure", failure)


@defect("WIRE-MAP WIRE-AGREE", also="WIRE-STRING MAP-ADD CREATE-FIELDS", cls="secret")
def keys_are_trimmed_in_xml(s: Plain) -> None:
    """In XML-RPC replies the keys of maps lose their outer white space, for the writer tidies the names of members."""
    around(s, "struct", lambda old, members: old([(name.strip(), value) for name, value in members]))


@defect("WIRE-ENUM", also="CREATE-BAD WIRE-TYPE", cls="VM")
def names_of_operations_go_unchecked(s: Plain) -> None:
    """VM.blocked_operations takes any text as a key: the generator knows enums as fields, not as keys of maps."""

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        match of:
            case t.Enum("vm_operations", _) if isinstance(raw, str):
                return raw
            case _:
                return old(of, raw)

    around(s, "read", read)


@defect("WIRE-VOID", cls="VM")
def explicit_messages_return_null(s: Plain) -> None:
    """Over JSON the explicit messages that return nothing, VM.start or VM.set_appliance, have the result null."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> tuple[t.Type, Any]:
        of, value = old(fmt, method, raw)
        message = s.find(method)
        explicit = message is not None and not message.implicit
        return of, NOTHING if explicit and of == t.Void() and fmt != "xml" else value

    around(s, "call", call)
    around(s, "json", lambda old, of, value: None if value is NOTHING else old(of, value))


# ----------------------------------------------------------------------------------------------------- level 2: fields


@defect("SET-VALUE", cls="blob")
def empty_values_are_left_out_of_the_patch(s: Plain) -> None:
    """blob.public cannot be set to false again, nor a name or description to "": PATCH omits what is empty."""
    for field in ("public", "name_label", "name_description"):
        doing(s, "set", "blob", field, lambda old, _ref, _obj, value: old(value) if value else None)


@defect("SET-ONLY-THAT MAP-ADD", cls="tunnel")
def pairs_have_one_table_without_the_field(s: Plain) -> None:
    """A key added to tunnel.status leaves tunnel.other_config, and back: the upsert's key is the object and the key."""

    def add_to(field: str, other: str) -> None:
        def new(old: Any, _ref: str, obj: Any, key: str, value: str) -> None:
            old(key, value)
            obj[other] = {k: v for k, v in obj[other].items() if k != key}

        doing(s, "add_to", "tunnel", field, new)

    add_to("status", "other_config")
    add_to("other_config", "status")


@defect("SET-REMOVE", cls="SR")
def tags_are_removed_with_like(s: Plain) -> None:
    """SR.remove_tags of a_b removes a-b and axb as well, and % all tags: the statement has LIKE in place of =."""

    def remove(_old: Any, _ref: str, obj: Any, value: str) -> None:
        like = re.escape(value).replace("%", ".*").replace("_", ".")
        obj["tags"] = [each for each in obj["tags"] if not re.fullmatch(like, each, re.DOTALL)]

    doing(s, "remove", "SR", "tags", remove)


@defect("GET-RECORD-AGREES", cls="PVS_server")
def a_record_maps_two_members_to_one_column(s: Plain) -> None:
    """PVS_server.get_record shows the first port as last_port too; get_last_port is right."""

    def get_record(old: Any, of: Any, ref: str) -> dict[str, Any]:
        record: dict[str, Any] = old(of, ref)
        return record | {"last_port": record["first_port"]} if of.name == "PVS_server" else record

    around(s, "get_record", get_record)


@defect("GET-ALL-AGREES", cls="VM_appliance")
def rows_of_a_join_overwrite_each_other(s: Plain) -> None:
    """VM_appliance.get_all_records shows one VM of an appliance of many: each row of the join replaces the last."""

    def get_all_records(old: Any, of: Any) -> dict[str, Any]:
        found: dict[str, Any] = old(of)
        if of.name != "VM_appliance":
            return found
        return {ref: row | {"VMs": row["VMs"][-1:]} for ref, row in found.items()}

    around(s, "get_all_records", get_all_records)


@defect("QUAL-RO-CONSTRUCTOR SET-ONLY-THAT", cls="VBD")
def the_device_is_a_generated_column(s: Plain) -> None:
    """VBD.set_userdevice changes VBD.device, which only the constructor sets."""

    def new(old: Any, _ref: str, obj: Any, value: str) -> None:
        old(value)
        obj["device"] = f"xvd{chr(ord('a') + int(value) % 16)}" if value.isdecimal() else value

    doing(s, "set", "VBD", "userdevice", new)


@defect("GET-BAD-REF", also="STATE-MODEL", cls="PVS_site")
def common_getters_look_into_all_tables(s: Plain) -> None:
    """get_uuid, get_name_label and get_name_description, of the base class, answer for the ref of another class."""
    common = ("uuid", "name_label", "name_description")

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        cls, _, name = method.partition(".")
        field = name.removeprefix("get_")
        if field in common and name != field and len(raw) == 2 and isinstance(raw[1], str) and s.find(method):
            owners = (each for each, rows in s.objects.items() if raw[1] in rows)
            owner = next(owners, cls)
            method = f"{owner}.{name}" if s.find(f"{owner}.{name}") else method
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("SET-ADD WIRE-STRING", also="CREATE-FIELDS STATE-MODEL", cls="VDI")
def tags_are_one_text_with_commas(s: Plain) -> None:
    """A tag of a VDI with a comma in it comes back as two tags: the column has the set as text, joined by commas."""

    def split(tags: list[str]) -> list[str]:
        return list(dict.fromkeys(part for tag in tags for part in tag.split(",")))

    def add(old: Any, _ref: str, _obj: Any, tag: str) -> None:
        for part in tag.split(","):
            old(part)

    stored(s, "VDI", "tags", split)
    doing(s, "add", "VDI", "tags", add)
