"""Defects of a server in a dynamic language: an ORM, middlewares, caches, workers; written without the checks."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing, made, stored
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal

TRACE = """Traceback (most recent call last):
  File "/srv/xapisim/app/dispatch.py", line 212, in __call__
    return handler(session, *self.cast(params))
  File "/srv/xapisim/app/columns.py", line 88, in process_bind_param
    raise StatementError(f"cannot bind {value!r}")
sqlalchemy.exc.StatementError: cannot bind"""
BLOB_COLUMNS = ("name_label", "name_description", "public")
PROCESSES = {"xml": "xml", "json1": "json", "json2": "json"}

# -------------------------------------------------------------------------------------------------------- the language


class Gapped(list[Any]):
    """A list out of whose middle something was taken; `at` are the places of those that stayed."""

    at: tuple[int, ...] = ()


@defect("WIRE-SET", also="SET-REMOVE WIRE-AGREE GET-EVERY-FIELD GET-RECORD-AGREES", cls="host")
def a_removed_tag_leaves_a_gap(s: Plain) -> None:
    """host.tags is an object over JSON after a tag before the last was removed: the array has a gap in its indexes."""

    def remove(old: Any, _ref: str, obj: dict[str, Any], value: Any) -> None:
        before = obj["tags"]
        places = getattr(before, "at", tuple(range(len(before))))
        old(value)
        left = Gapped(obj["tags"])
        left.at = tuple(at for at, each in zip(places, before, strict=True) if each != value)
        obj["tags"] = list(left) if left.at == tuple(range(len(left))) else left

    def encode(old: Any, of: Any, value: Any) -> Any:
        if isinstance(value, Gapped):
            return {str(at): each for at, each in zip(value.at, value, strict=True)}
        return old(of, value)

    doing(s, "remove", "host", "tags", remove)
    around(s, "json", encode)


@defect("WIRE-MAP", also="MAP-ADD WIRE-AGREE CREATE-FIELDS SET-VALUE GET-EVERY-FIELD", cls="USB_group")
def maps_that_count_from_zero_are_arrays(s: Plain) -> None:
    """JSON writes a map as an array where its keys are 0, 1, 2 … in order: the language has one type for both."""

    def encode(old: Any, of: Any, value: Any) -> Any:
        members = old(of, value)
        if isinstance(value, dict) and members and list(members) == [str(at) for at in range(len(members))]:
            return list(members.values())
        return members

    around(s, "json", encode)


@defect("WIRE-VOID", cls="PBD")
def removing_a_pair_answers_with_its_value(s: Plain) -> None:
    """PBD.remove_from_other_config answers with the value that it removed: the last expression is what is returned."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.full_name != "PBD.remove_from_other_config":
            return old(message, args)
        held = s.objects["PBD"].get(args[0], {}).get("other_config", {}).get(args[1])
        old(message, args)
        return held

    around(s, "run", run)


@defect("CREATE-DEFAULTS STATE-MODEL", also="SET-ONLY-THAT MAP-ADD MAP-REMOVE EVENT-FROM", cls="secret")
def secrets_share_one_default_map(s: Plain) -> None:
    """Secrets made without other_config share the one dict of a default argument: what one adds, the next one has."""
    default: dict[str, str] = {}

    def make(old: Any, of: Any, given: dict[str, Any]) -> Any:
        ref = old(of, given)
        if of.name == "secret" and "other_config" not in given:
            s.objects["secret"][ref]["other_config"] = default
        return ref

    def add(old: Any, _ref: str, obj: dict[str, Any], key: str, value: str) -> None:
        if obj["other_config"] is default and key not in default:
            default[key] = value
        else:
            old(key, value)

    def remove(old: Any, _ref: str, obj: dict[str, Any], key: str) -> None:
        if obj["other_config"] is default:
            default.pop(key, None)
        else:
            old(key)

    def load(old: Any, objects: Any) -> Any:
        default.clear()
        return old(objects)

    around(s, "make", make)
    doing(s, "add_to", "secret", "other_config", add)
    doing(s, "remove_from", "secret", "other_config", remove)
    around(s, "load", load)


# --------------------------------------------------------------------------------------------- the framework's wire


@defect("WIRE-MALFORMED", also="ROBUST-BATCH ROBUST-NO-EFFECT", cls="subject")
def what_follows_a_json_call_is_ignored(s: Plain) -> None:
    """A streaming JSON parser reads the first document of a body; whatever stands after it is not looked at."""

    def answer(old: Any, body: bytes) -> Any:
        with suppress(ValueError, RecursionError):
            text = body.decode().lstrip()
            body = text[: json.JSONDecoder().raw_decode(text)[1]].encode()
        return old(body)

    around(s, "answer_json", answer)


@defect("ROBUST-BATCH", also="WIRE-MALFORMED", cls="task")
def of_a_batch_the_first_call_is_answered(s: Plain) -> None:
    """A JSON array of calls is taken for its first call: that one is carried out and answered, the others are lost."""

    def answer(old: Any, body: bytes) -> Any:
        with suppress(ValueError, RecursionError):
            calls = json.loads(body)
            if isinstance(calls, list) and calls and isinstance(calls[0], dict):
                body = json.dumps(calls[0]).encode()
        return old(body)

    around(s, "answer_json", answer)


@defect("ROBUST-NO-LEAK", also="WIRE-TYPE", cls="Observer")
def wrong_types_show_the_traceback(s: Plain) -> None:
    """The middleware of errors is left in its debug mode: a value of the wrong type is answered with a traceback."""
    around(s, "bad", lambda _old, _of, _raw: Refusal("INTERNAL_ERROR", TRACE))


@defect("SESSION-REQUIRED ROBUST-AUTH", cls="network")
def a_session_of_zero_is_anyones(s: Plain) -> None:
    """The session 0 (or false) is good while there is any: SQL casts each text to a number, and refs make 0."""

    def is_zero(session: Any) -> bool:
        return isinstance(session, int) and session == 0

    def check(old: Any, session: Any) -> None:
        if not is_zero(session) or not s.objects["session"]:
            old(session)

    def logout(old: Any, session: Any) -> None:
        if is_zero(session):
            raise Refusal("SESSION_INVALID", str(session))
        old(session)

    around(s, "check_session", check)
    around(s, "logout", logout)


@defect("RBAC", cls="VM_appliance")
def asynchronous_calls_pass_the_policy(s: Plain) -> None:
    """The middleware of roles matches the method's name at its start: Async.c.m matches no rule, and every role may."""
    doing_async = {"now": False}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        with s.lock:
            doing_async["now"] = method.startswith("Async.")
            try:
                return old(fmt, method, raw)
            finally:
                doing_async["now"] = False

    around(s, "call", call)
    around(s, "check_role", lambda old, message: None if doing_async["now"] else old(message))


@defect("CREATE-FIELDS", cls="VIF")
def arrays_are_not_permitted_parameters(s: Plain) -> None:
    """VIF.create drops ipv6_allowed, and an empty set comes back: it was permitted as a scalar, which no array is."""
    made(s, "VIF", lambda given: {name: value for name, value in given.items() if name != "ipv6_allowed"})


# ------------------------------------------------------------------------------------------------------- the database


@defect("WIRE-FLOAT", also="CREATE-FIELDS", cls="Cluster")
def token_timeouts_are_floats_of_32_bits(s: Plain) -> None:
    """Cluster.token_timeout and its coefficient are in FLOAT columns: 0.1 comes back as 0.10000000149011612."""

    def rounded(value: Any) -> Any:
        try:
            return struct.unpack("f", struct.pack("f", value))[0]
        except OverflowError:
            return value

    made(s, "Cluster", lambda given: {n: rounded(v) if isinstance(v, float) else v for n, v in given.items()})


@defect("SET-ADD", also="WIRE-STRING SET-VALUE SET-REMOVE SET-ADD-DEDUP CREATE-FIELDS WIRE-AGREE", cls="VM")
def tags_are_kept_with_commas_between(s: Plain) -> None:
    """VM.tags is one column of texts with commas between: the tag "a,b" comes back as two tags."""

    def split(tags: list[str]) -> list[str]:
        return list(dict.fromkeys(",".join(tags).split(","))) if tags else []

    def add(old: Any, _ref: str, obj: dict[str, Any], tag: str) -> None:
        old(tag)
        obj["tags"] = split(obj["tags"])

    stored(s, "VM", "tags", split)
    doing(s, "add", "VM", "tags", add)


@defect("DESTROY-REFERENCED", also="DESTROY-REFERENCED-UNCHANGED DESTROY-NO-CASCADE", cls="VDI")
def disks_are_nulled_on_delete(s: Plain) -> None:
    """VDI.destroy succeeds while a VBD refers to it, and nulls VBD.VDI: the key says ON DELETE SET NULL."""

    def users(old: Any, of: Any, ref: str) -> Any:
        return [user for user in old(of, ref) if of.name != "VDI" or user not in s.objects["VBD"]]

    def destroy(old: Any, of: Any, ref: str) -> None:
        old(of, ref)
        for row in s.objects["VBD"].values() if of.name == "VDI" else ():
            if row["VDI"] == ref:
                row["VDI"] = NULL

    around(s, "users_of", users)
    around(s, "destroy", destroy)


@defect("DESTROY-REFERENCED-UNCHANGED", also="ROBUST-NO-EFFECT EVENT-FROM", cls="network")
def a_refused_destroy_has_emptied_the_network(s: Plain) -> None:
    """network.destroy deletes the rows of tags and other_config, then the key of a VIF refuses, in no transaction."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        if of.name == "network" and ref in s.objects["network"]:
            s.objects["network"][ref] |= {"tags": [], "other_config": {}}
        old(of, ref)

    around(s, "destroy", destroy)


@defect("WHERE DESTROY-GONE", cls="GPU_group")
def a_query_finds_the_softly_deleted(s: Plain) -> None:
    """GPU_group.get_all_records_where has SQL of its own, which forgets deleted_at: it shows destroyed groups."""
    deleted: dict[str, dict[str, Any]] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = s.objects[of.name].get(ref)
        old(of, ref)
        if of.name == "GPU_group" and row is not None:
            deleted[ref] = row

    def where(old: Any, of: Any, query: str) -> Any:
        if of.name != "GPU_group":
            return old(of, query)
        living = s.objects["GPU_group"]
        s.objects["GPU_group"] = living | deleted
        try:
            return old(of, query)
        finally:
            s.objects["GPU_group"] = living

    around(s, "destroy", destroy)
    around(s, "where", where)


@defect("PERSIST", cls="VDI")
def changes_in_place_are_never_flushed(s: Plain) -> None:
    """VDI.add_to_xenstore_data changes the mapped dict in place, which the ORM does not see: a restart undoes it."""
    flushed: dict[str, dict[str, str]] = {}

    def change(old: Any, ref: str, obj: dict[str, Any], *values: Any) -> None:
        before = obj["xenstore_data"]
        old(*values)
        flushed.setdefault(ref, before)

    def do_set(old: Any, ref: str, _obj: dict[str, Any], value: Any) -> None:
        old(value)
        flushed.pop(ref, None)

    def kept(old: Any, objects: Any) -> Any:
        rows = old(objects)
        for ref, before in flushed.items():
            if ref in rows["VDI"]:
                rows["VDI"][ref]["xenstore_data"] = dict(before)
        flushed.clear()
        return rows

    doing(s, "add_to", "VDI", "xenstore_data", change)
    doing(s, "remove_from", "VDI", "xenstore_data", change)
    doing(s, "set", "VDI", "xenstore_data", do_set)
    around(s, "kept", kept)


@defect("STATE-READ-ONLY-READS", also="STATE-MODEL EVENT-FROM GET-ALL-AGREES GET-RECORD-AGREES", cls="VBD")
def listing_disks_notes_their_names(s: Plain) -> None:
    """VBD.get_all_records memoises each disk's display name in its other_config, and the ORM saves what was touched."""

    def listed(old: Any, of: Any) -> Any:
        found = old(of)
        for row in s.objects["VBD"].values() if of.name == "VBD" else ():
            row["other_config"] = {**row["other_config"], "display_name": row["device"] or row["userdevice"]}
        return found

    around(s, "get_all_records", listed)


# ------------------------------------------------------------------------------------------- caches, hooks and workers


@defect("SET-ONLY-THAT STATE-MODEL", also="SET-VALUE EVENT-FROM", cls="blob")
def two_processes_save_whole_blobs(s: Plain) -> None:
    """The processes of XML and of JSON each hold a blob as they saw it first, and a setter saves all of its columns."""
    held: dict[tuple[str, str], dict[str, Any]] = {}

    def mine(ref: str) -> dict[str, Any]:
        row = s.objects["blob"][ref]
        return held.setdefault((PROCESSES[s.fmt], ref), {name: row[name] for name in BLOB_COLUMNS})

    def record(old: Any, of: Any, ref: str) -> Any:
        if of.name == "blob" and ref in s.objects["blob"] and s.fmt:
            mine(ref)
        return old(of, ref)

    def do_set(old: Any, of: Any, ref: str, obj: dict[str, Any], field: Any, value: Any) -> None:
        if of.name != "blob" or field.name not in BLOB_COLUMNS:
            old(of, ref, obj, field, value)
            return
        copy = mine(ref)
        old(of, ref, obj, field, value)
        copy[field.name] = obj[field.name]
        obj.update(copy)

    def load(old: Any, objects: Any) -> Any:
        held.clear()
        return old(objects)

    around(s, "get_record", record)
    around(s, "do_set", do_set)
    around(s, "load", load)


@defect("LABEL-LOOKUP", cls="PVS_site")
def labels_that_were_not_found_stay_so(s: Plain) -> None:
    """PVS_site.get_by_name_label caches that it found none; renaming a site to it ends that, a new site does not."""
    none: set[str] = set()

    def lookup(old: Any, of: Any, label: str) -> Any:
        if of.name != "PVS_site":
            return old(of, label)
        found = [] if label in none else old(of, label)
        none.update(() if found else (label,))
        return found

    def rename(old: Any, _ref: str, _obj: dict[str, Any], label: str) -> None:
        old(label)
        none.discard(label)

    def load(old: Any, objects: Any) -> Any:
        none.clear()
        return old(objects)

    around(s, "by_label", lookup)
    doing(s, "set", "PVS_site", "name_label", rename)
    around(s, "load", load)


@defect("BIND-MOVE BIND-SYMMETRY", also="STATE-MODEL GET-RECORD-AGREES", cls="VMSS")
def the_old_schedule_keeps_its_cache(s: Plain) -> None:
    """VMSS.VMs is cached at its first read; VM.set_snapshot_schedule expires the new schedule's, not the old one's."""
    cache: dict[str, list[str]] = {}

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        if (of.name, field.name) != ("VMSS", "VMs"):
            return old(of, obj, ref, field)
        if ref not in cache:
            cache[ref] = old(of, obj, ref, field)
        return [vm for vm in cache[ref] if vm in s.objects["VM"]]

    def move(old: Any, _ref: str, _obj: dict[str, Any], schedule: str) -> None:
        old(schedule)
        cache.pop(schedule, None)

    def make(old: Any, of: Any, given: dict[str, Any]) -> Any:
        if of.name == "VM":
            cache.pop(given.get("snapshot_schedule", NULL), None)
        return old(of, given)

    def load(old: Any, objects: Any) -> Any:
        cache.clear()
        return old(objects)

    around(s, "get", get)
    doing(s, "set", "VM", "snapshot_schedule", move)
    around(s, "make", make)
    around(s, "load", load)


@defect("EVENT-FROM", cls="SR")
def pairs_are_saved_without_callbacks(s: Plain) -> None:
    """SR.add_to_other_config and remove_from_other_config update the column past the callbacks: no mod event."""

    def change(old: Any, ref: str, obj: dict[str, Any], *values: Any) -> None:
        old(*values)
        if ref in s.shadow.get("SR", {}):
            s.shadow["SR"][ref]["other_config"] = obj["other_config"]

    doing(s, "add_to", "SR", "other_config", change)
    doing(s, "remove_from", "SR", "other_config", change)


@defect("ASYNC-TASK", also="CREATE-FIELDS WIRE-AGREE", cls="VMSS")
def blank_arguments_are_not_queued(s: Plain) -> None:
    """Async.VMSS.create queues its record without blank members: enabled false and retained_snapshots 0 are lost."""

    def begin(old: Any, message: Any, raw: list[Any]) -> Any:
        if message.full_name == "VMSS.create" and raw and isinstance(raw[0], dict):
            raw = [{n: v for n, v in raw[0].items() if isinstance(v, list | dict) or v not in {"", "0", 0}}, *raw[1:]]
        return old(message, raw)

    around(s, "begin", begin)
