"""Defects that show over time: tasks, events, power, roles, restarts, clients at once; written without the checks."""

from __future__ import annotations

import copy
import struct
import time
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.values import Refusal

PAUSE = 0.004
WRITES = frozenset({"set", "add", "remove", "add_to", "remove_from"})

# ------------------------------------------------------------------------------------------------ sequences and reads


@defect("STATE-MODEL ROBUST-NO-EFFECT MAP-DUPLICATE-UNCHANGED", also="SET-VALUE", cls="GPU_group")
def a_refusal_rolls_back_the_call_before(s: Plain) -> None:
    """A setter of GPU_group is committed by the next write: a refused call before that rolls it back with itself."""
    open_: dict[str, tuple[dict[str, Any], str, Any]] = {}

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.cls != "GPU_group":
            return old(message, args)
        if message.verb == "set" and args[0] in s.objects["GPU_group"]:
            row, field = s.objects["GPU_group"][args[0]], message.field
            change = row, field, row[field]
            old(message, args)
            open_["change"] = change
            return None
        try:
            result = old(message, args)
        except Refusal:
            if "change" in open_:
                row, field, before = open_.pop("change")
                row[field] = before
            raise
        if message.verb in WRITES or not message.name.startswith("get"):
            open_.clear()
        return result

    around(s, "run", run)


@defect(
    "STATE-READ-ONLY-READS", also="GET-RECORD-AGREES GET-ALL-AGREES WIRE-AGREE SET-ONLY-THAT STATE-MODEL", cls="PBD"
)
def reads_are_counted_in_the_object(s: Plain) -> None:
    """PBD.get_record counts how often it was read, in the other_config of the object."""
    reads: dict[str, int] = {}

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        result = old(message, args)
        if message.full_name == "PBD.get_record":
            reads[args[0]] = reads.get(args[0], 0) + 1
            row = s.objects["PBD"][args[0]]
            row["other_config"] = {**row["other_config"], "reads": str(reads[args[0]])}
        return result

    around(s, "run", run)


# ---------------------------------------------------------------------------------------------------- tasks and events


@defect("ASYNC-TASK DESTROY-REFERENCED", also="STATE-MODEL", cls="VM_appliance")
def workers_destroy_without_a_question(s: Plain) -> None:
    """The check for references stands in the handler, not the worker: Async.VM_appliance.destroy ends one in use."""
    working = {"now": False}

    def carry_out(old: Any, job: Any) -> Any:
        working["now"] = True
        try:
            return old(job)
        finally:
            working["now"] = False

    def users_of(old: Any, of: Any, ref: str) -> Any:
        return [] if working["now"] and of.name == "VM_appliance" else old(of, ref)

    around(s, "carry_out", carry_out)
    around(s, "users_of", users_of)


@defect("EVENT-FROM", cls="VBD")
def changes_of_maps_are_no_news(s: Plain) -> None:
    """The row of a VBD is compared without its maps, which have tables of their own: their changes make no event."""

    def jot(old: Any, cls: str, operation: str, ref: str) -> None:
        if cls == "VBD" and operation == "mod":
            before, now = s.shadow["VBD"][ref], s.objects["VBD"][ref]
            changed = [name for name in now if now[name] != before[name]]
            if changed and all(isinstance(now[name], dict) for name in changed):
                return
        old(cls, operation, ref)

    around(s, "jot", jot)


@defect("EVENT-FROM", cls="network")
def the_watch_of_an_object_ends_with_it(s: Plain) -> None:
    """The watchers of one network are listed in the network: who watches class/ref alone is not told that it ended."""

    def since(old: Any, number: int, wanted: Any) -> Any:
        whole = {each.lower() for each in wanted} & {"*", "network"}
        found = old(number, wanted)
        return [each for each in found if whole or (each.cls, each.operation) != ("network", "del")]

    around(s, "since", since)


# ---------------------------------------------------------------------------------------------------- power and roles


@defect("LIFECYCLE-VM", also="STATE-MODEL", cls="VM")
def the_suspended_can_be_started(s: Plain) -> None:
    """VM.start asks only whether the VM is on: a suspended one starts too, its memory is lost."""
    around(s, "move", lambda old, name: ("Halted Suspended", "Running") if name == "start" else old(name))


@defect("RBAC", cls="blob")
def the_queue_asks_for_no_role(s: Plain) -> None:
    """Roles are asked for where calls are answered at once: Async.blob.create and destroy are for everybody."""
    asked = {"async": False}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        with s.lock:
            asked["async"] = method.startswith("Async.blob.")
            try:
                return old(fmt, method, raw)
            finally:
                asked["async"] = False

    around(s, "call", call)
    around(s, "check_role", lambda old, message: None if asked["async"] else old(message))


# ------------------------------------------------------------------------------------------- restarts, clients at once


@defect("PERSIST", cls="Cluster")
def doubles_are_kept_in_four_bytes(s: Plain) -> None:
    """The columns of a Cluster's floats are single precision: token_timeout 20.1 is 20.10000038 after a restart."""

    def single(value: Any) -> Any:
        if not isinstance(value, float):
            return value
        try:
            return float(struct.unpack("<f", struct.pack("<f", value))[0])
        except OverflowError:
            return value

    def revived(old: Any, cls: str, ref: str, row: dict[str, Any]) -> Any:
        row = old(cls, ref, row)
        return {name: single(value) for name, value in row.items()} if cls == "Cluster" else row

    around(s, "revived", revived)


@defect("PERSIST", cls="Repository")
def what_was_loaded_is_never_written_again(s: Plain) -> None:
    """A Repository read from the disk is not tracked for changes: what is set after a restart is lost in the next."""
    loaded: dict[str, dict[str, Any]] = {}

    def kept(old: Any, objects: Any) -> Any:
        found = old(objects)
        rows = found["Repository"]
        rows.update({ref: copy.deepcopy(row) for ref, row in loaded.items() if ref in rows})
        return found

    def load(old: Any, objects: Any) -> Any:
        found = old(objects)
        loaded.clear()
        loaded.update(copy.deepcopy(found["Repository"]))
        return found

    around(s, "kept", kept)
    around(s, "load", load)


@defect("CONC-LINEARIZABLE", cls="VDI")
def tags_are_read_long_before_they_are_written(s: Plain) -> None:
    """VDI.add_tags reads the tags, asks a quota without the lock, then writes them all: of adds at once one stays."""

    def add(_old: Any, _ref: str, obj: dict[str, Any], value: Any) -> None:
        tags = obj["tags"] if value in obj["tags"] else [*obj["tags"], value]
        who, fmt = s.session, s.fmt
        s.lock.release()
        time.sleep(PAUSE)
        s.lock.acquire()
        s.session, s.fmt, s.dirty = who, fmt, True
        obj["tags"] = tags

    doing(s, "add", "VDI", "tags", add)
