"""Held-out defects of making, finding and ending objects."""

from __future__ import annotations

import uuid
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import made
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal
from xenconform.models import types as t

# -------------------------------------------------------------------------------------------------------------- making


@defect("CREATE-FIELDS", cls="subject")
def subject_without_its_map(s: Plain) -> None:
    """subject.create ignores other_config."""
    made(s, "subject", lambda given: {n: v for n, v in given.items() if n != "other_config"})


@defect("CREATE-FIELDS", cls="PVS_site")
def site_without_its_own_uuid(s: Plain) -> None:
    """PVS_site.introduce ignores PVS_uuid."""
    made(s, "PVS_site", lambda given: {n: v for n, v in given.items() if n != "PVS_uuid"})


@defect("CREATE-FIELDS", cls="PVS_server")
def last_port_is_the_first(s: Plain) -> None:
    """PVS_server.introduce takes the first port for the last."""
    made(s, "PVS_server", lambda given: {**given, "last_port": given["first_port"]})


@defect("CREATE-FIELDS", cls="Repository")
def repositories_never_for_updates(s: Plain) -> None:
    """Repository.introduce ignores update."""
    made(s, "Repository", lambda given: {**given, "update": False})


@defect("CREATE-FIELDS", cls="VDI")
def introduced_disk_mixes_flags_up(s: Plain) -> None:
    """VDI.introduce takes sharable for read_only and read_only for sharable."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.full_name == "VDI.introduce":
            names = [p.name for p in message.params]
            one, two = names.index("sharable"), names.index("read_only")
            args[one], args[two] = args[two], args[one]
        return old(message, args)

    around(s, "run", run)


@defect("CREATE-FIELDS", cls="message")
def body_of_one_line(s: Plain) -> None:
    """The body of a message ends with its first line."""
    made(s, "message", lambda given: {**given, "body": given["body"].split("\n", 1)[0]})


@defect("CREATE-FIELDS", cls="blob")
def blobs_never_public(s: Plain) -> None:
    """blob.create ignores public."""
    made(s, "blob", lambda given: {**given, "public": False})


@defect("CREATE-FIELDS", cls="VMSS")
def schedule_of_one_pair(s: Plain) -> None:
    """VMSS.create keeps one pair of the schedule."""
    made(s, "VMSS", lambda given: {**given, "schedule": dict(list(given.get("schedule", {}).items())[:1])})


@defect("CREATE-DEFAULTS", cls="VM")
def last_enum_is_the_default(s: Plain) -> None:
    """VM.actions_after_softreboot is preserve where it is left out."""
    made(s, "VM", lambda given: {"actions_after_softreboot": "preserve", **given})


@defect("CREATE-DEFAULTS", cls="VBD")
def mode_may_be_left_out(s: Plain) -> None:
    """VBD.create makes do without a mode."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        return old(of, {"mode": "RO", **raw} if of.name == "VBD" else raw)

    around(s, "create", create)


@defect("CREATE-NEW", cls="secret")
def equal_secrets_are_one(s: Plain) -> None:
    """secret.create with the value of a secret that is there gives that secret."""

    def make(old: Any, of: Any, given: Any) -> Any:
        rows = s.objects["secret"].items() if of.name == "secret" else ()
        return next((ref for ref, row in rows if row["value"] == given.get("value")), "") or old(of, given)

    around(s, "make", make)


@defect("CREATE-NEW UUID-FORM", cls="VIF")
def uuid_of_the_address(s: Plain) -> None:
    """The uuid of a VIF follows from its MAC address, so that two may share it."""

    def make(old: Any, of: Any, given: Any) -> Any:
        ref = old(of, given)
        if of.name == "VIF":
            s.objects["VIF"][ref]["uuid"] = str(uuid.uuid5(uuid.NAMESPACE_OID, str(given.get("MAC"))))
        return ref

    around(s, "make", make)


@defect("UUID-FORM", cls="USB_group")
def uuids_in_braces(s: Plain) -> None:
    """The uuid of a USB group stands in braces."""
    around(
        s, "blank", lambda old, of: {**old(of), "uuid": f"{{{uuid.uuid4()}}}"} if of.name == "USB_group" else old(of)
    )


@defect("CREATE-BAD", cls="PVS_cache_storage")
def any_ref_is_an_sr(s: Plain) -> None:
    """PVS_cache_storage.create takes a ref of any class for the SR."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        sr = raw.get("SR")
        if of.name != "PVS_cache_storage" or not any(sr in rows for rows in s.objects.values()):
            return old(of, raw)
        ref = old(of, {**raw, "SR": NULL})
        s.objects[of.name][ref]["SR"] = sr
        return ref

    around(s, "create", create)


@defect("CREATE-BAD", cls="Observer")
def refs_in_sets_not_checked(s: Plain) -> None:
    """Observer.create takes hosts that are not there."""

    def read(old: Any, of: Any, raw: Any) -> Any:
        if of == t.SetOf(t.RefTo("host")) and isinstance(raw, list) and all(isinstance(each, str) for each in raw):
            return list(dict.fromkeys(raw))
        return old(of, raw)

    around(s, "read", read)


@defect("CREATE-BAD", cls="tunnel")
def refused_tunnel_is_made(s: Plain) -> None:
    """tunnel.create with a protocol of no name fails, and leaves a tunnel."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            if method == "tunnel.create" and len(raw) == 4 and no.args[0] == "FIELD_TYPE_ERROR":
                s.make(s.api.classes["tunnel"], {})
            raise

    around(s, "call", call)


# ------------------------------------------------------------------------------------------------------------- finding


@defect("UUID-LOOKUP", cls="SR")
def second_look_up_gives_the_first(s: Plain) -> None:
    """A look-up of an SR just after another one gives the SR of that."""
    last: list[str] = []

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if method != "SR.get_by_uuid":
            last.clear()
            return old(fmt, method, raw)
        of, ref = old(fmt, method, raw)
        last.append(ref)
        return of, last[0]

    around(s, "call", call)


def found_by(s: Plain, cls: str, test: Any) -> None:
    """Find an object of a class by another test of the uuid asked for and the uuid there."""

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        rows = s.objects[cls].items() if of.name == cls else ()
        return next((ref for ref, row in rows if test(text, row["uuid"])), "") or old(of, text)

    around(s, "by_uuid", by_uuid)


@defect("UUID-UNKNOWN", cls="VM_appliance")
def uuid_by_its_beginning(s: Plain) -> None:
    """An appliance is found by the beginning of its uuid."""
    found_by(s, "VM_appliance", lambda asked, there: len(asked) >= 8 and there.startswith(asked))


@defect("UUID-UNKNOWN", cls="PVS_site")
def empty_uuid_finds_any(s: Plain) -> None:
    """The empty uuid finds a site."""
    found_by(s, "PVS_site", lambda asked, there: asked in {"", there})


@defect("UUID-UNKNOWN", cls="VDI")
def ref_without_its_prefix_is_a_uuid(s: Plain) -> None:
    """A VDI is found by what follows OpaqueRef: in its ref."""

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        ref = f"OpaqueRef:{text}"
        return ref if of.name == "VDI" and ref in s.objects["VDI"] else old(of, text)

    around(s, "by_uuid", by_uuid)


@defect("GET-BAD-REF", cls="VDI")
def refs_in_any_case(s: Plain) -> None:
    """The ref of a VDI is taken in upper case."""
    around(s, "read", lambda old, of, raw: old(of, next(
        (ref for ref in s.objects["VDI"] if ref.upper() == raw), raw) if of == t.RefTo("VDI") else raw))  # fmt: skip


@defect("DESTROY-GONE GET-BAD-REF", cls="PVS_site")
def uuid_of_a_forgotten_site(s: Plain) -> None:
    """get_uuid still tells the uuid of a site that was forgotten."""
    gone: dict[str, str] = {}

    def destroy(old: Any, of: Any, ref: str) -> Any:
        uid = s.objects[of.name].get(ref, {}).get("uuid", "")
        old(of, ref)
        gone[ref] = uid

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if method == "PVS_site.get_uuid" and len(raw) == 2 and raw[1] in gone:
            s.check_session(raw[0])
            return t.Str(), gone[raw[1]]
        return old(fmt, method, raw)

    around(s, "destroy", destroy)
    around(s, "call", call)


@defect("GET-ALL-AGREES", cls="VM_appliance")
def nameless_not_listed(s: Plain) -> None:
    """get_all_records leaves appliances without a label out."""
    around(s, "get_all_records", lambda old, of: {
        ref: row for ref, row in old(of).items() if of.name != "VM_appliance" or row["name_label"]})  # fmt: skip


@defect("GET-ALL-AGREES", cls="PBD")
def three_listed_at_most(s: Plain) -> None:
    """get_all_records tells of three PBDs at most."""
    around(s, "get_all_records", lambda old, of: dict(
        list(old(of).items())[: 3 if of.name == "PBD" else None]))  # fmt: skip


@defect("GET-RECORD-AGREES", cls="secret")
def record_hides_the_secret(s: Plain) -> None:
    """The record of a secret shows asterisks for the value."""
    around(
        s, "get_record", lambda old, of, ref: {**old(of, ref), "value": "***"} if of.name == "secret" else old(of, ref)
    )


@defect("GET-RECORD-AGREES", cls="VBD")
def record_fills_the_device_in(s: Plain) -> None:
    """The record of a VBD shows the userdevice where it has no device."""

    def get_record(old: Any, of: Any, ref: str) -> Any:
        row = old(of, ref)
        return {**row, "device": row["device"] or row["userdevice"]} if of.name == "VBD" else row

    around(s, "get_record", get_record)


@defect("WHERE", cls="SR")
def queries_without_case(s: Plain) -> None:
    """A query for SRs does not mind case."""

    def where(old: Any, of: Any, query: str) -> Any:
        if of.name != "SR" or " = " not in query:
            return old(of, query)
        field, _, value = query.removeprefix('field "').partition('" = "')
        wanted = value.removesuffix('"').casefold()
        return {ref: row for ref, row in s.get_all_records(of).items() if str(row.get(field)).casefold() == wanted}

    around(s, "where", where)
