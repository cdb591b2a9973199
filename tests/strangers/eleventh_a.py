"""Defects of a server of generated code, typed decoders and indexes; written without a look at the checks."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing, made
from strangers.plain_server import Plain
from strangers.roles import USERS
from strangers.values import NULL, Refusal
from xenconform.models import types as t

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = datetime(2024, 1, 1, tzinfo=UTC)
WORD = 2**64
SAVING = 0.01
BESIDE_ENTITIES = re.compile(r"[ \t\r\n]*([&<])[ \t\r\n]*")


def method_told(s: Plain) -> threading.local:
    """Return what holds, as `method`, the name of the message that the present thread answers."""
    here = threading.local()

    def perform(old: Any, fmt: str, method: str, params: list[Any]) -> Any:
        here.method = method
        return old(fmt, method, params)

    around(s, "perform", perform)
    return here


# ------------------------------------------------------------------------------------------------------------ the wire


@defect("WIRE-VOID", also="WIRE-AGREE", cls="SR")
def what_removers_return_is_null(s: Plain) -> None:
    """The generator's template of remove_ and remove_from_ returns nothing at all: null in JSON, where "" is due."""
    here = method_told(s)

    def of_json(old: Any, of: t.Type, value: Any) -> Any:
        return None if of == t.Void() and ".remove_" in here.method else old(of, value)

    around(s, "json", of_json)


@defect("WIRE-JSON-ID-ECHO", cls="USB_group")
def ids_that_are_digits_come_back_as_numbers(s: Plain) -> None:
    """An id is kept as a JSON number whenever it can be one: a call of id "7" is answered with id 7."""

    def echoed(old: Any, fmt: str, told: Any, ident: Any) -> Any:
        digits = isinstance(ident, str) and ident.isascii() and ident.isdigit() and len(ident) < 19
        return old(fmt, told, int(ident) if digits else ident)

    around(s, "json_success", echoed)
    around(s, "json_failure", echoed)


@defect("WIRE-SET", also="LABEL-LOOKUP WIRE-AGREE", cls="Repository")
def a_lookup_that_finds_nothing_is_null(s: Plain) -> None:
    """get_by_name_label appends to a slice that was never made: where nothing has the label, JSON tells null."""
    here = method_told(s)

    def of_json(old: Any, of: t.Type, value: Any) -> Any:
        return None if value == [] and here.method.endswith(".get_by_name_label") else old(of, value)

    around(s, "json", of_json)


@defect("WIRE-STRING", also="SET-VALUE CREATE-FIELDS LABEL-LOOKUP WIRE-AGREE SET-ADD MAP-ADD WIRE-MAP", cls="blob")
def spaces_beside_an_entity_are_trimmed(s: Plain) -> None:
    """A pull parser trims each run of XML text, and an entity ends a run: "a &amp; b" is read as "a&b"."""

    def trimmed(value: Any) -> Any:
        match value:
            case str():
                return BESIDE_ENTITIES.sub(r"\1", value)
            case list():
                return [trimmed(each) for each in value]
            case dict():
                return {trimmed(key): trimmed(each) for key, each in value.items()}
            case _:
                return value

    around(s, "call", lambda old, fmt, method, raw: old(fmt, method, trimmed(raw) if fmt == "xml" else raw))


@defect("WIRE-DATETIME", also="SET-VALUE CREATE-FIELDS", cls="VMSS")
def dates_are_nanoseconds_in_a_word(s: Plain) -> None:
    """A date is kept as 64 bits of nanoseconds since 1970: one before 1678 or after 2262 comes back centuries off."""

    def date(old: Any, raw: Any) -> datetime:
        since = (old(raw) - EPOCH) // timedelta(microseconds=1) * 1000
        return EPOCH + timedelta(microseconds=((since + WORD // 2) % WORD - WORD // 2) // 1000)

    around(s, "date", date)


@defect("ROBUST-UNICODE", also="WIRE-STRING WIRE-AGREE", cls="secret")
def lone_surrogates_are_replaced(s: Plain) -> None:
    """The JSON library puts U+FFFD for half of a surrogate pair, and the call goes on with that text."""

    def text(old: Any, raw: str) -> Any:
        return old("".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in raw) if s.fmt != "xml" else raw)

    around(s, "text", text)


@defect("ROBUST-BATCH", also="ROBUST-NO-EFFECT WIRE-MALFORMED", cls="secret")
def a_batch_is_carried_out_up_to_its_bad_call(s: Plain) -> None:
    """The calls of a batch are carried out one by one; at one that is no call the whole is refused, half done."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            calls = json.loads(body)
        except (ValueError, RecursionError):
            return old(body)
        if not isinstance(calls, list) or not calls:
            return old(body)
        return f"[{','.join([old(json.dumps(each).encode()) for each in calls])}]"

    around(s, "answer_json", answer)


# -------------------------------------------------------------------------------------------------------------- fields


@defect("SET-ONLY-THAT", also="CREATE-DEFAULTS MAP-ADD MAP-REMOVE MAP-DUPLICATE-KEY EVENT-FROM", cls="VDI")
def objects_share_their_default_map(s: Plain) -> None:
    """VDIs made without xenstore_data all hold the one map that is its default: a key added to one is in each."""
    hub: dict[str, dict[str, Any]] = {"map": {}}
    made(s, "VDI", lambda given: {"xenstore_data": hub["map"], **given})

    def follow(old: Any, _ref: str, obj: dict[str, Any], *values: Any) -> None:
        before = obj["xenstore_data"]
        old(*values)
        if before is not hub["map"]:
            return
        hub["map"] = obj["xenstore_data"]
        for row in s.objects["VDI"].values():
            if row["xenstore_data"] is before:
                row["xenstore_data"] = hub["map"]

    doing(s, "add_to", "VDI", "xenstore_data", follow)
    doing(s, "remove_from", "VDI", "xenstore_data", follow)


@defect("MAP-DUPLICATE-KEY", also="MAP-DUPLICATE-UNCHANGED MAP-DUPLICATE-PARAMS", cls="VBD")
def keys_with_empty_values_count_as_absent(s: Plain) -> None:
    """add_to_ asks whether the key's value is empty, not whether the key is there: a pair with "" is overwritten."""

    def add_to(old: Any, of: Any, ref: str, obj: dict[str, Any], f: Any, *pair: Any) -> None:
        if of.name == "VBD" and obj[f.name].get(pair[0]) == "":
            obj[f.name] = {**obj[f.name], pair[0]: pair[1]}
        else:
            old(of, ref, obj, f, *pair)

    around(s, "do_add_to", add_to)


@defect("QUAL-RO-CONSTRUCTOR", cls="user")
def the_generator_makes_a_setter_of_a_constructors_field(s: Plain) -> None:
    """user.set_short_name is there and works: the generator skips the setters of RO/runtime fields alone."""
    like = s.api.message("user.set_fullname")
    assert like is not None
    extra = replace(like, name="set_short_name", field="short_name")
    around(s, "find", lambda old, method: extra if method == "user.set_short_name" else old(method))


# ------------------------------------------------------------------------------------------------------------- objects


@defect("CREATE-FIELDS", cls="network")
def zero_members_of_a_record_count_as_absent(s: Plain) -> None:
    """network.create cannot tell a zero value from a member left out: managed false and MTU 0 take the defaults."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        if of.name == "network":
            raw = {name: value for name, value in raw.items() if value not in (False, 0, "0")}
        return old(of, raw)

    around(s, "create", create)


@defect("UUID-FORM", also="GET-EVERY-FIELD", cls="Observer")
def uuids_lose_leading_zeros(s: Plain) -> None:
    """An Observer's uuid is written from five numbers without padding: a group that begins with 0 is too short."""

    def blank(old: Any, of: Any) -> dict[str, Any]:
        record: dict[str, Any] = old(of)
        if of.name == "Observer":
            record["uuid"] = "-".join(f"{int(group, 16):x}" for group in record["uuid"].split("-"))
        return record

    around(s, "blank", blank)


@defect("LABEL-LOOKUP", also="SET-VALUE", cls="GPU_group")
def a_label_set_to_what_it_is_leaves_the_index(s: Plain) -> None:
    """A rename enters the new label into the index, then takes the old one out: with both the same, none is left."""
    lost: set[str] = set()

    def rename(old: Any, ref: str, obj: dict[str, Any], value: Any) -> None:
        (lost.add if obj["name_label"] == value else lost.discard)(ref)
        old(value)

    def load(old: Any, objects: Any) -> Any:
        lost.clear()
        return old(objects)

    doing(s, "set", "GPU_group", "name_label", rename)
    around(s, "by_label", lambda old, of, label: [ref for ref in old(of, label) if ref not in lost])
    around(s, "load", load)


@defect("DESTROY-REFERENCED-UNCHANGED", also="ROBUST-NO-EFFECT LABEL-LOOKUP", cls="network")
def a_refused_destroy_has_left_the_label_index(s: Plain) -> None:
    """network.destroy takes the label out of its index before it looks for users: once refused, no lookup finds it."""
    lost: set[str] = set()

    def destroy(old: Any, of: Any, ref: str) -> None:
        try:
            old(of, ref)
        except Refusal:
            if of.name == "network":
                lost.add(ref)
            raise

    def rename(old: Any, ref: str, _obj: dict[str, Any], value: Any) -> None:
        lost.discard(ref)
        old(value)

    around(s, "destroy", destroy)
    doing(s, "set", "network", "name_label", rename)
    around(s, "by_label", lambda old, of, label: [ref for ref in old(of, label) if ref not in lost])


@defect("BIND-MOVE BIND-SYMMETRY", also="DESTROY-GONE", cls="VM")
def a_null_end_does_not_leave_the_old_set(s: Plain) -> None:
    """VM.set_appliance to null returns before the index is seen to: the old appliance goes on showing the VM."""
    left: dict[str, list[str]] = {}

    def rebind(old: Any, ref: str, obj: dict[str, Any], value: Any) -> None:
        if value == NULL != obj["appliance"]:
            left.setdefault(obj["appliance"], []).append(ref)
        old(value)

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        value = old(of, obj, ref, f)
        if (of.name, f.name) != ("VM_appliance", "VMs"):
            return value
        return list(dict.fromkeys([*value, *(each for each in left.get(ref, ()) if each in s.objects["VM"])]))

    doing(s, "set", "VM", "appliance", rebind)
    around(s, "get", get)


# ----------------------------------------------------------------------------------------------------- state over time


@defect("SESSION-LOGIN", cls="VMSS")
def an_empty_password_is_good(s: Plain) -> None:
    """Passwords go to a directory, which takes a bind with a known name and no password for an anonymous one: good."""

    def role_for(old: Any, raw: list[Any]) -> Any:
        known = raw[1] == "" and isinstance(raw[0], str) and raw[0] in USERS
        return USERS[raw[0]][1] if known else old(raw)

    around(s, "role_for", role_for)


@defect("SESSION-REQUIRED", also="ROBUST-AUTH", cls="task")
def a_tasks_ref_passes_for_a_session(s: Plain) -> None:
    """What a task calls in turn is called in the task's name, so a task's ref is taken for a session from anyone."""

    def check(old: Any, session: Any) -> None:
        if not isinstance(session, str) or session not in s.objects["task"]:
            old(session)

    def logout(old: Any, session: Any) -> None:
        if session in s.objects["task"]:
            raise Refusal("SESSION_INVALID", session)
        old(session)

    around(s, "check_session", check)
    around(s, "logout", logout)


@defect("ASYNC-TASK", cls="SDN_controller")
def a_task_of_undecodable_parameters_stays_pending(s: Plain) -> None:
    """The worker returns when a parameter of its task is of a wrong type, and nobody ends the task: it is pending."""

    def work(old: Any, job: Any) -> Any:
        try:
            s.parameters(job.message, job.raw)
        except Refusal as no:
            if no.args[0] != "HANDLE_INVALID":
                return {"finished": NEVER}
        return old(job)

    around(s, "work", work)


@defect("EVENT-FROM", cls="USB_group")
def what_is_watched_by_ref_must_be_there(s: Plain) -> None:
    """A watch of one object, "USB_group/ref", looks the object up when events are told: its end is never told of."""

    def is_wanted(old: Any, cls: str, ref: str, wanted: Any) -> bool:
        there = ref in s.objects[cls]
        return bool(old(cls, ref, wanted if there else [each for each in wanted if "/" not in each]))

    around(s, "is_wanted", is_wanted)


@defect("RBAC", cls="VM_appliance")
def asynchronous_forms_are_not_in_the_roles_table(s: Plain) -> None:
    """The table of roles has no entry for Async.c.m, and what is not in it is free: a reader makes objects with it."""
    asked = {"async": False}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        with s.lock:
            asked["async"] = method.startswith("Async.")
            return old(fmt, method, raw)

    around(s, "call", call)
    around(s, "check_role", lambda old, message: None if asked["async"] else old(message))


@defect("PERSIST", cls="VIF")
def pairs_that_were_removed_come_back(s: Plain) -> None:
    """The writer behind the store only inserts and updates a map's rows: removed pairs are back after a restart."""
    gone: dict[tuple[str, str], dict[Any, Any]] = {}

    def remove_from(old: Any, of: Any, ref: str, obj: dict[str, Any], f: Any, key: Any) -> None:
        if key in obj[f.name]:
            gone.setdefault((ref, f.name), {})[key] = obj[f.name][key]
        old(of, ref, obj, f, key)

    def do_set(old: Any, of: Any, ref: str, obj: dict[str, Any], f: Any, value: Any) -> None:
        gone.pop((ref, f.name), None)
        old(of, ref, obj, f, value)

    def kept(old: Any, objects: Any) -> Any:
        found = old(objects)
        for rows in found.values():
            for (ref, name), pairs in gone.items():
                if ref in rows:
                    rows[ref][name] = pairs | rows[ref][name]
        return found

    around(s, "do_remove_from", remove_from)
    around(s, "do_set", do_set)
    around(s, "kept", kept)


@defect("CONC-LINEARIZABLE", also="SET-ONLY-THAT STATE-MODEL", cls="PVS_site")
def a_setter_writes_the_whole_row_back(s: Plain) -> None:
    """A setter of PVS_site copies the row and saves all of it, unlocked: of two fields set at once one is undone."""

    def do_set(old: Any, of: Any, ref: str, obj: dict[str, Any], f: Any, value: Any) -> None:
        if of.name != "PVS_site":
            old(of, ref, obj, f, value)
            return
        row = obj | {f.name: value}
        caller = s.fmt, s.session
        s.lock.release()
        time.sleep(SAVING)
        s.lock.acquire()
        s.fmt, s.session = caller
        obj.update(row)

    around(s, "do_set", do_set)
