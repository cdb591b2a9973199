"""Defects of a server of actors over a table store; written without a look at the checks."""

from __future__ import annotations

import time
from typing import Any

from strangers.base import after, around, defect
from strangers.heldout_base import doing, made
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal

STUBS = frozenset({"host.reset_cpu_features", "host.set_cpu_features", "host.license_apply"})
FLIGHT_SECONDS = 2.0
SAVE_SECONDS = 0.004

# ------------------------------------------------------------------------------------------------ making and looking up


@defect("CREATE-BAD", also="DESTROY-GONE", cls="Observer")
def a_join_drops_what_it_does_not_know(s: Plain) -> None:
    """Observer.create fills its join table by a select over host: an unknown ref in hosts is left out in silence."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        if of.name == "Observer" and isinstance(raw.get("hosts"), list):
            known = ("", NULL, *s.objects["host"])
            raw = {**raw, "hosts": [each for each in raw["hosts"] if not isinstance(each, str) or each in known]}
        return old(of, raw)

    around(s, "create", create)


@defect("CREATE-NEW", also="UUID-UNKNOWN DESTROY-GONE", cls="blob")
def a_recycled_row_keeps_its_uuid(s: Plain) -> None:
    """Rows of ended blobs go to a free list, and the next blob takes one of them with the uuid that it had."""
    free: list[str] = []

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = s.objects[of.name].get(ref, {})
        old(of, ref)
        if of.name == "blob":
            free.append(row["uuid"])

    def make(old: Any, of: Any, given: dict[str, Any]) -> Any:
        return old(of, given | {"uuid": free.pop()} if of.name == "blob" and free else given)

    around(s, "destroy", destroy)
    around(s, "make", make)


@defect("CREATE-FIELDS", also="WIRE-SET GET-RECORD-AGREES STATE-MODEL", cls="VIF")
def no_addresses_are_split_into_one(s: Plain) -> None:
    """VIF.create joins ipv4_allowed with commas into one column: an empty set that was given comes back as one ""."""
    made(s, "VIF", lambda given: {n: [""] if n == "ipv4_allowed" and v == [] else v for n, v in given.items()})


@defect("UUID-FORM", also="GET-EVERY-FIELD", cls="VTPM")
def the_last_dash_is_not_written(s: Plain) -> None:
    """The uuid of a VTPM is printed in four groups, clock sequence and node together: 8-4-4-16 digits."""

    def make(old: Any, of: Any, given: dict[str, Any]) -> Any:
        ref = old(of, given)
        if of.name == "VTPM":
            row = s.objects["VTPM"][ref]
            head, _, node = row["uuid"].rpartition("-")
            row["uuid"] = head + node
        return ref

    around(s, "make", make)


def listed(s: Plain, cls: str, hidden: set[str]) -> None:
    """Keep some objects out of the look-up by label, until they get a label again."""
    around(s, "by_label", lambda old, of, text: [each for each in old(of, text) if each not in hidden])

    def name(old: Any, ref: str, _obj: dict[str, Any], value: Any) -> None:
        old(value)
        hidden.discard(ref)

    doing(s, "set", cls, "name_label", name)


@defect("LABEL-LOOKUP", also="DESTROY-NO-CASCADE", cls="VM_appliance")
def a_namesake_takes_the_label_along(s: Plain) -> None:
    """VM_appliance.destroy deletes the index entry of its label, not its own member: namesakes are found no more."""
    hidden: set[str] = set()
    listed(s, "VM_appliance", hidden)

    def destroy(old: Any, of: Any, ref: str) -> None:
        label = s.objects[of.name].get(ref, {}).get("name_label")
        old(of, ref)
        if of.name == "VM_appliance":
            hidden.update(each for each, row in s.objects[of.name].items() if row["name_label"] == label)

    around(s, "destroy", destroy)


# ----------------------------------------------------------------------------------------------------- ending objects


@defect("DESTROY-REFERENCED-UNCHANGED", also="LABEL-LOOKUP", cls="USB_group")
def the_index_goes_before_the_row(s: Plain) -> None:
    """USB_group.destroy leaves the label index first: after a refusal no look-up finds it any more."""
    hidden: set[str] = set()
    listed(s, "USB_group", hidden)

    def destroy(old: Any, of: Any, ref: str) -> None:
        if of.name == "USB_group":
            hidden.add(ref)
        old(of, ref)

    around(s, "destroy", destroy)


@defect("DESTROY-NO-CASCADE", also="BIND-DESTROY STATE-MODEL", cls="VBD")
def disks_are_counted_by_their_devices(s: Plain) -> None:
    """VBD.destroy counts the users of its VDI down: with the last VBD the VDI is reclaimed."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        vdi = s.objects[of.name].get(ref, {}).get("VDI", NULL)
        old(of, ref)
        if of.name == "VBD" and vdi in s.objects["VDI"] and not s.users_of(s.api.classes["VDI"], vdi):
            del s.objects["VDI"][vdi]

    around(s, "destroy", destroy)


@defect("DESTROY-AGAIN", also="DESTROY-GONE ASYNC-TASK", cls="subject")
def a_second_end_finds_no_uuid(s: Plain) -> None:
    """subject.destroy deletes by uuid and reports no row as UUID_INVALID: so a second destroy fails."""
    ended: set[str] = set()

    def destroy(old: Any, of: Any, ref: str) -> None:
        old(of, ref)
        if of.name == "subject":
            ended.add(ref)

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            if method == "subject.destroy" and no.args[0] == "HANDLE_INVALID" and raw[1] in ended:
                raise Refusal("UUID_INVALID", "subject", raw[1]) from None
            raise

    around(s, "destroy", destroy)
    around(s, "call", call)


@defect("BIND-DESTROY", also="ASYNC-TASK DESTROY-GONE BIND-SYMMETRY", cls="PBD")
def workers_know_no_hooks(s: Plain) -> None:
    """A PBD ended by Async.PBD.destroy stays in SR.PBDs: the worker deletes the row alone."""
    ghosts: list[tuple[str, str]] = []

    def carry_out(old: Any, job: Any) -> Any:
        ref = str(job.raw[0]) if job.raw else ""
        sr = s.objects["PBD"].get(ref, {}).get("SR", NULL)
        value = old(job)
        if job.message.full_name == "PBD.destroy":
            ghosts.append((sr, ref))
        return value

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) != ("SR", "PBDs"):
            return value
        return [*value, *(pbd for sr, pbd in ghosts if sr == ref)]

    around(s, "carry_out", carry_out)
    around(s, "get", get)


# -------------------------------------------------------------------------------------------------------------- bonds


@defect("BIND-MOVE", also="BIND-SYMMETRY", cls="VMSS")
def who_comes_back_is_not_listed(s: Plain) -> None:
    """A VM that was in a VMSS, left it and is set to it again by set_snapshot_schedule is missing in VMSS.VMs."""
    been: set[tuple[str, str]] = set()
    missing: set[tuple[str, str]] = set()

    def move(old: Any, ref: str, obj: dict[str, Any], value: str) -> None:
        before = obj["snapshot_schedule"]
        old(value)
        if value != before:
            been.add((ref, before))
            missing.discard((ref, before))
            missing.update({(ref, value)} & been)

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        return [a for a in value if (a, ref) not in missing] if (of.name, field.name) == ("VMSS", "VMs") else value

    doing(s, "set", "VM", "snapshot_schedule", move)
    around(s, "get", get)


@defect("BIND-SYMMETRY", also="LIFECYCLE-VM STATE-MODEL", cls="VM")
def who_is_paused_is_not_resident(s: Plain) -> None:
    """host.resident_VMs is a view over running VMs: a paused one is not in it, though its resident_on is the host."""

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) != ("host", "resident_VMs"):
            return value
        return [each for each in value if s.objects["VM"][each]["power_state"] == "Running"]

    around(s, "get", get)


# ---------------------------------------------------------------------------------------------------- state over time


@defect("MESSAGE-REMOVED", cls="host")
def removed_messages_are_empty_stubs(s: Plain) -> None:
    """host.reset_cpu_features, set_cpu_features and license_apply, removed long ago, do nothing and succeed."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        return None if message.full_name in STUBS else old(message, args)

    around(s, "run", run)


@defect("STATE-MODEL", also="SET-ONLY-THAT MAP-ADD MAP-REMOVE", cls="secret")
def the_same_setting_is_skipped(s: Plain) -> None:
    """secret.set_other_config of what it was last set to is skipped, though pairs were added or removed since."""
    last: dict[str, Any] = {}

    def put(old: Any, ref: str, _obj: dict[str, Any], value: dict[str, str]) -> None:
        if last.get(ref) != value:
            last[ref] = dict(value)
            old(value)

    doing(s, "set", "secret", "other_config", put)


@defect("STATE-READ-ONLY-READS", also="UUID-LOOKUP STATE-MODEL MAP-ADD", cls="network")
def a_look_up_reads_behind_the_writes(s: Plain) -> None:
    """network.get_by_uuid reloads the cached row: pairs of add_to_other_config, flushed by later writes, are lost."""
    flushed: dict[str, dict[str, str]] = {}

    def add_to(old: Any, ref: str, obj: dict[str, Any], key: str, value: str) -> None:
        before = obj["other_config"]
        old(key, value)
        flushed.setdefault(ref, before)

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        ref = old(of, text)
        if of.name == "network" and ref in flushed:
            s.objects["network"][ref]["other_config"] = flushed.pop(ref)
        return ref

    doing(s, "add_to", "network", "other_config", add_to)
    for verb in ("set", "add", "remove", "remove_from"):
        after(s, f"do_{verb}", lambda _of, ref, *_rest: flushed.pop(ref, None))
    around(s, "by_uuid", by_uuid)


@defect("ASYNC-TASK CREATE-NEW", also="CONC-LINEARIZABLE", cls="VMPP")
def equal_work_is_shared(s: Plain) -> None:
    """Async.VMPP.create of an equal record within two seconds shares the first call's flight: one object, two tasks."""
    flights: dict[str, tuple[float, Any]] = {}

    def carry_out(old: Any, job: Any) -> Any:
        if job.message.full_name != "VMPP.create":
            return old(job)
        began, value = flights.get(repr(job.raw), (0.0, None))
        if value is None or time.monotonic() - began > FLIGHT_SECONDS:
            value = old(job)
            flights[repr(job.raw)] = time.monotonic(), value
        return value

    around(s, "carry_out", carry_out)


@defect("EVENT-FROM", cls="GPU_group")
def what_is_taken_away_is_no_change(s: Plain) -> None:
    """Rows of GPU_group are compared by what the new one adds: a pair taken out of a map makes no mod event."""

    def only_less(before: Any, now: Any) -> bool:
        return bool(before == now or (isinstance(now, dict) and now.items() <= before.items()))

    def note(old: Any) -> None:
        seen = s.shadow.get("GPU_group", {})
        for ref, row in s.objects["GPU_group"].items():
            if ref in seen and all(only_less(seen[ref][name], value) for name, value in row.items()):
                seen[ref] = dict(row)
        old()

    around(s, "note", note)


@defect("LIFECYCLE-VM", cls="VM")
def resume_takes_paused_ones_too(s: Plain) -> None:
    """VM.resume has one clause for all that stand still: a paused VM is resumed, not refused by its power state."""

    def power(old: Any, name: str, ref: str, rest: list[Any]) -> None:
        state = s.objects["VM"].get(ref, {}).get("power_state")
        if (name, state) == ("resume", "Paused"):
            old("unpause", ref, [])
        else:
            old(name, ref, rest)

    around(s, "power", power)


@defect("RBAC", cls="VM")
def a_grant_covers_longer_names(s: Plain) -> None:
    """Grants of VM messages match by prefix: who may run VM.start may run VM.start_on as well."""

    def may(old: Any, role: str, message: Any) -> bool:
        if message.cls != "VM":
            return bool(old(role, message))
        others = s.api.classes["VM"].messages.values()
        return any(old(role, each) for each in others if f"{message.name}_".startswith(f"{each.name}_"))

    around(s, "may", may)


@defect("PERSIST", cls="SR")
def empty_values_are_nulls(s: Plain) -> None:
    """Map pairs of an SR are rows without nulls, and an empty text is one: such pairs do not come back."""

    def revived(old: Any, cls: str, ref: str, row: dict[str, Any]) -> Any:
        row = old(cls, ref, row)
        if cls != "SR":
            return row
        return {
            name: {k: v for k, v in value.items() if v != ""} if isinstance(value, dict) else value
            for name, value in row.items()
        }

    around(s, "revived", revived)


@defect("CONC-LINEARIZABLE", cls="VDI")
def a_setter_saves_the_whole_row(s: Plain) -> None:
    """A setter of a VDI reads the row and saves every column of it: what others wrote to it meanwhile is lost."""

    def do_set(old: Any, of: Any, ref: str, obj: dict[str, Any], field: Any, value: Any) -> None:
        if of.name != "VDI" or (of.name, field.name) in s.derived:
            old(of, ref, obj, field, value)
            return
        row = dict(obj)
        call = s.fmt, s.session
        s.lock.release()
        time.sleep(SAVE_SECONDS)
        s.lock.acquire()
        s.fmt, s.session = call
        obj |= row
        old(of, ref, obj, field, value)

    around(s, "do_set", do_set)
