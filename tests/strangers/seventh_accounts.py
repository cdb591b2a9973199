"""Defects of a server with a handler of its own for each class; written without a look at the checks."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing, made
from strangers.plain_server import Plain
from strangers.values import NULL, PASSWORD, USER, Refusal

CHUNK = 4096
TRACE = (
    "runtime error: invalid memory address or nil pointer dereference",
    "goroutine 41 [running]:",
    "main.(*decoder).scalar(0xc000184000, 0x0)",
    "\tsrc/xapid/decode.go:118 +0x1d",
)

# ------------------------------------------------------------------------------------------- the wire, and sessions


@defect("WIRE-INT-JSON CREATE-FIELDS", cls="VDI")
def numbers_of_a_json_record_are_doubles(s: Plain) -> None:
    """VDI.create over JSON reads numbers as doubles: a virtual_size of 2^53 + 1 comes back as 2^53."""

    def rounded(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**63 - 1:
            return value
        return min(int(float(value)), 2**63 - 1)

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        if of.name == "VDI" and s.fmt != "xml":
            raw = {name: rounded(value) for name, value in raw.items()}
        return old(of, raw)

    around(s, "create", create)


@defect("WIRE-STRING", cls="VM_appliance")
def characters_split_between_reads_are_lost(s: Plain) -> None:
    """An XML body is decoded 4 KiB at a time: a character of several bytes that lies across two reads is replaced."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            body.decode()
        except UnicodeError:
            return old(body)
        parts = [body[at : at + CHUNK].decode(errors="replace") for at in range(0, len(body), CHUNK)]
        return old("".join(parts).encode())

    around(s, "answer_xml", answer)


@defect("WIRE-STRING", also="CREATE-FIELDS SET-VALUE LABEL-LOOKUP WIRE-AGREE", cls="VMPP")
def texts_of_spaces_alone_are_dropped(s: Plain) -> None:
    """The XML reader skips text nodes of white space alone: a value of two spaces arrives as the empty string."""

    def kept(value: Any) -> Any:
        if isinstance(value, list):
            return [kept(each) for each in value]
        if isinstance(value, dict):
            return {key: kept(each) for key, each in value.items()}
        return "" if isinstance(value, str) and value.isspace() else value

    around(s, "call", lambda old, fmt, method, raw: old(fmt, method, kept(raw) if fmt == "xml" else raw))


@defect("WIRE-FLOAT WIRE-AGREE", also="CREATE-FIELDS SET-VALUE", cls="VM")
def doubles_leave_with_fifteen_digits(s: Plain) -> None:
    """XML doubles are written with 15 digits, as an old runtime does by default: 0.1 + 0.2 comes back as 0.3."""
    around(s, "float_text", lambda _old, value: f"{value:.15g}")


class Nil(list[Any]):
    """A list that was cut down to nothing."""


@defect("WIRE-SET", also="SET-REMOVE WIRE-AGREE GET-EVERY-FIELD", cls="VDI")
def the_last_tag_leaves_a_null(s: Plain) -> None:
    """VDI.tags is null in JSON, not an empty array, once remove_tags has taken the last one; before that it is []."""

    def remove(old: Any, _ref: str, obj: dict[str, Any], value: Any) -> None:
        held = bool(obj["tags"])
        old(value)
        if held and not obj["tags"]:
            obj["tags"] = Nil()

    doing(s, "remove", "VDI", "tags", remove)
    around(s, "json", lambda old, of, value: None if isinstance(value, Nil) else old(of, value))


@defect("SESSION-LOGOUT SESSION-REQUIRED", also="ROBUST-AUTH", cls="network")
def asynchronous_calls_remember_sessions(s: Plain) -> None:
    """A session that has made an asynchronous call is good for more of them after its logout: a cache is not purged."""
    seen: set[str] = set()
    asked = {"async": False}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        with s.lock:
            asked["async"] = method.startswith("Async.")
            try:
                return old(fmt, method, raw)
            finally:
                asked["async"] = False

    def check(old: Any, session: Any) -> None:
        if asked["async"] and isinstance(session, str) and session in seen:
            return
        old(session)
        if asked["async"]:
            seen.add(session)

    around(s, "call", call)
    around(s, "check_session", check)


@defect("SESSION-LOGOUT", also="SESSION-REQUIRED WIRE-SESSION-SHARED", cls="secret")
def logout_ends_the_users_newest_session(s: Plain) -> None:
    """session.logout ends the newest session of the same user, not the one it is given: that one stays good."""

    def logout(old: Any, session: Any) -> None:
        s.check_session(session)
        user = s.objects["session"][session].get("role of the user")
        old([ref for ref, row in s.objects["session"].items() if row.get("role of the user") == user][-1])

    around(s, "logout", logout)


@defect("ROBUST-AUTH SESSION-REQUIRED", cls="user")
def null_is_the_servers_own_session(s: Plain) -> None:
    """A call over JSON-RPC 2.0 whose session is null runs as the server's own work does, with every right."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if fmt == "json2" and raw[:1] == [None] and method != "session.login_with_password":
            raw = [s.login([USER, PASSWORD]), *raw[1:]]
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("ROBUST-BATCH", also="WIRE-MALFORMED", cls="network")
def the_first_of_a_batch_is_answered(s: Plain) -> None:
    """Of a JSON array of calls the first is carried out and answered, by one object; the others are dropped."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            calls = json.loads(body)
            first = json.dumps(calls[0]).encode() if isinstance(calls, list) and calls else body
        except (ValueError, RecursionError):
            return old(body)
        return old(first)

    around(s, "answer_json", answer)


@defect("ROBUST-NO-LEAK", cls="blob")
def a_null_parameter_shows_the_stack(s: Plain) -> None:
    """Null where a text or a number belongs is refused with the text of a caught panic: goroutine, source, line."""

    def bad(old: Any, of: Any, raw: Any) -> Refusal:
        if raw is None:
            return Refusal("INTERNAL_ERROR", "\n".join(TRACE))
        refusal: Refusal = old(of, raw)
        return refusal

    around(s, "bad", bad)


# --------------------------------------------------------------------------------------------- fields, and objects


@defect("MAP-ADD", cls="GPU_group")
def keys_of_gpu_groups_ignore_case(s: Plain) -> None:
    """GPU_group.add_to_other_config refuses "Mode" as a duplicate key when there is a "mode"."""

    def add_to(old: Any, ref: str, obj: dict[str, Any], key: str, value: Any) -> None:
        if any(each.lower() == key.lower() for each in obj["other_config"]):
            raise Refusal("MAP_DUPLICATE_KEY", "GPU_group", "other_config", ref, key)
        old(key, value)

    doing(s, "add_to", "GPU_group", "other_config", add_to)


@defect("SET-VALUE SET-ONLY-THAT", cls="host")
def crash_dumps_go_where_images_go(s: Plain) -> None:
    """host.set_crash_dump_sr was copied from set_suspend_image_sr, and still writes that field."""

    def write(_old: Any, _ref: str, obj: dict[str, Any], value: Any) -> None:
        obj["suspend_image_sr"] = value

    doing(s, "set", "host", "crash_dump_sr", write)


@defect("CREATE-FIELDS", cls="network")
def zeros_in_a_new_network_count_as_left_out(s: Plain) -> None:
    """network.create takes false and 0 as members that were not sent: managed = false comes back as true."""
    made(s, "network", lambda given: {n: v for n, v in given.items() if v or not isinstance(v, int)})


@defect("CREATE-DEFAULTS SET-ONLY-THAT", also="MAP-ADD EVENT-FROM STATE-MODEL", cls="secret")
def secrets_share_their_default_map(s: Plain) -> None:
    """All secrets made without other_config have one map: a pair added to one is in the others, and in new ones."""
    shared: dict[str, str] = {}
    made(s, "secret", lambda given: {"other_config": shared} | given)

    def add_to(old: Any, _ref: str, obj: dict[str, Any], key: str, value: str) -> None:
        common = obj["other_config"] is shared
        old(key, value)
        if common:
            shared[key] = value
            obj["other_config"] = shared

    doing(s, "add_to", "secret", "other_config", add_to)


@defect("LABEL-LOOKUP", cls="Repository")
def labels_compare_by_culture(s: Plain) -> None:
    """Repository.get_by_name_label takes a letter with a combining accent for the accented letter, and finds both."""

    def by_label(old: Any, of: Any, label: str) -> Any:
        if of.name != "Repository":
            return old(of, label)
        wanted = unicodedata.normalize("NFC", label)
        rows = s.objects["Repository"].items()
        return [ref for ref, row in rows if unicodedata.normalize("NFC", row["name_label"]) == wanted]

    around(s, "by_label", by_label)


@defect("DESTROY-REFERENCED", also="DESTROY-REFERENCED-UNCHANGED", cls="PVS_site")
def a_site_with_a_cache_is_forgotten(s: Plain) -> None:
    """PVS_site.forget looks for servers and proxies of the site and not for its cache storage, which came later."""

    def users(old: Any, of: Any, ref: str) -> Any:
        found = old(of, ref)
        return found if of.name != "PVS_site" else [a for a in found if a not in s.objects["PVS_cache_storage"]]

    around(s, "users_of", users)


@defect("BIND-MOVE BIND-SYMMETRY", also="STATE-MODEL", cls="VM")
def a_vm_without_schedule_stays_listed(s: Plain) -> None:
    """VM.set_snapshot_schedule to null leaves the VM in its old VMSS's VMs; another schedule takes it out."""
    stale: set[tuple[str, str]] = set()

    def write(old: Any, ref: str, obj: dict[str, Any], value: str) -> None:
        if value != NULL:
            stale.difference_update({pair for pair in stale if pair[1] == ref})
        elif obj["snapshot_schedule"] != NULL:
            stale.add((obj["snapshot_schedule"], ref))
        old(value)

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        found = old(of, obj, ref, field)
        if (of.name, field.name) != ("VMSS", "VMs"):
            return found
        return [*found, *(vm for policy, vm in stale if policy == ref and vm in s.objects["VM"])]

    doing(s, "set", "VM", "snapshot_schedule", write)
    around(s, "get", get)


@defect("GET-RECORD-AGREES", also="WIRE-INT-XML WIRE-INT-JSON GET-ALL-AGREES WHERE", cls="SDN_controller")
def ports_in_records_are_short(s: Plain) -> None:
    """SDN_controller.get_record and get_all_records hold the port in 16 bits with a sign: 40000 reads -25536 there."""

    def record(old: Any, of: Any, ref: str) -> Any:
        row = old(of, ref)
        return row | {"port": (row["port"] + 2**15) % 2**16 - 2**15} if of.name == "SDN_controller" else row

    around(s, "get_record", record)


@defect("CREATE-BAD", cls="VM")
def an_unknown_suspend_sr_is_none(s: Plain) -> None:
    """VM.create takes a suspend_SR that it does not find for the null ref, and makes the VM."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        given = raw.get("suspend_SR")
        if of.name == "VM" and isinstance(given, str) and given not in s.objects["SR"]:
            raw = raw | {"suspend_SR": NULL}
        return old(of, raw)

    around(s, "create", create)


@defect("DESTROY-NO-CASCADE", also="STATE-MODEL", cls="VBD")
def the_last_vbd_takes_its_vdi_along(s: Plain) -> None:
    """VBD.destroy removes the VDI as an orphan when no other object refers to it."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        vdi = s.objects["VBD"].get(ref, {}).get("VDI", NULL)
        old(of, ref)
        if of.name == "VBD" and vdi in s.objects["VDI"] and not s.users_of(s.api.classes["VDI"], vdi):
            del s.objects["VDI"][vdi]

    around(s, "destroy", destroy)
