"""What an audit of the clauses on objects asked for: how objects end and what is bound, where nobody had looked."""

from __future__ import annotations

from typing import Any

from strangers.audit_objects import by_task
from strangers.audit_objects_found import note_made_by_tasks
from strangers.base import around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.values import Refusal
from xenconform.models import types as t

# ---------------------------------------------------------------------------------------------------- what is gone


@defect("DESTROY-GONE", also="GET-ALL-AGREES", cls="VMSS")
def workers_leave_the_listing(s: Plain) -> None:
    """VMSS.get_all still lists what a task destroyed."""
    now, ghosts = by_task(s), list[str]()

    def destroy(old: Any, of: Any, ref: str) -> None:
        old(of, ref)
        if now and of.name == "VMSS":
            ghosts.append(ref)

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        result = old(message, args)
        return [*result, *ghosts] if message.full_name == "VMSS.get_all" else result

    around(s, "destroy", destroy)
    around(s, "run", run)


@defect("DESTROY-GONE", also="GET-BAD-REF CREATE-NEW DESTROY-AGAIN CALL-BAD-REF", cls="blob")
def slots_are_used_again(s: Plain) -> None:
    """The ref of a destroyed blob reads the blob that is made next: it is the number of a slot in a table."""
    free: list[str] = []
    moved: dict[str, str] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        old(of, ref)
        if of.name == "blob":
            free.append(ref)

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref = str(old(of, given))
        if of.name == "blob" and free:
            moved[free.pop()] = ref
        return ref

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.cls == "blob" and message.verb == "get" and args[0] in moved:
            args = [moved[args[0]], *args[1:]]
        return old(message, args)

    def read(old: Any, of: Any, raw: Any) -> Any:
        there = of == t.RefTo("blob") and isinstance(raw, str) and moved.get(raw) in s.objects["blob"]
        return raw if there else old(of, raw)

    for name, new in (("destroy", destroy), ("make", make), ("run", run), ("read", read)):
        around(s, name, new)


@defect("DESTROY-GONE", also="GET-BAD-REF STATE-MODEL", cls="secret")
def written_behind(s: Plain) -> None:
    """A secret whose value was set since it was made is written once more after its end: get_record still reads it."""
    dirty: set[str] = set()
    kept: dict[str, dict[str, Any]] = {}

    def write(old: Any, ref: str, _obj: Any, value: str) -> None:
        dirty.add(ref)
        old(value)

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = s.objects[of.name].get(ref)
        old(of, ref)
        if ref in dirty and row:
            kept[ref] = row

    def get_record(old: Any, of: Any, ref: str) -> dict[str, Any]:
        return dict(kept[ref]) if ref in kept else dict(old(of, ref))

    def read(old: Any, of: Any, raw: Any) -> Any:
        return raw if isinstance(raw, str) and raw in kept else old(of, raw)

    doing(s, "set", "secret", "value", write)
    around(s, "destroy", destroy)
    around(s, "get_record", get_record)
    around(s, "read", read)


@defect("DESTROY-GONE", also="STATE-MODEL GET-BAD-REF", cls="VM_appliance")
def sessions_hold_records_of_the_dead(s: Plain) -> None:
    """A session that read an appliance's record reads it still when another session has destroyed the appliance."""
    seen: dict[tuple[str, str], dict[str, Any]] = {}

    def get_record(old: Any, of: Any, ref: str) -> dict[str, Any]:
        if ref not in s.objects[of.name] and (s.session, ref) in seen:
            return seen[s.session, ref]
        record: dict[str, Any] = old(of, ref)
        if of.name == "VM_appliance":
            seen[s.session, ref] = record
        return record

    def destroy(old: Any, of: Any, ref: str) -> None:
        old(of, ref)
        seen.pop((s.session, ref), None)

    def read(old: Any, of: Any, raw: Any) -> Any:
        return raw if isinstance(raw, str) and (s.session, raw) in seen else old(of, raw)

    around(s, "get_record", get_record)
    around(s, "destroy", destroy)
    around(s, "read", read)


@defect("DESTROY-AGAIN", also="CALL-BAD-REF", cls="VDI")
def ended_by_a_task_ends_again(s: Plain) -> None:
    """VDI.destroy of a VDI that a task destroyed succeeds."""
    now, gone = by_task(s), set[str]()

    def destroy(old: Any, of: Any, ref: str) -> None:
        if ref in gone and not now:
            return
        old(of, ref)
        if now and of.name == "VDI":
            gone.add(ref)

    def read(old: Any, of: Any, raw: Any) -> Any:
        return raw if isinstance(raw, str) and raw in gone else old(of, raw)

    around(s, "destroy", destroy)
    around(s, "read", read)


# ------------------------------------------------------------------------------------------------- what is referred to


@defect("DESTROY-REFERENCED", also="STATE-MODEL", cls="network")
def workers_count_no_references(s: Plain) -> None:
    """A network can be destroyed that a VIF names which a task made."""
    uncounted = note_made_by_tasks(s, "VIF")
    around(s, "users_of", lambda old, of, ref: [user for user in old(of, ref) if user not in uncounted])


@defect("DESTROY-REFERENCED", also="STATE-MODEL", cls="VM_appliance")
def counted_up_and_never_down(s: Plain) -> None:
    """An appliance that a VM was in cannot be destroyed any more, though the VM has left it."""
    named: set[str] = set()

    def write(old: Any, _ref: str, _obj: Any, value: str) -> None:
        named.add(value)
        old(value)

    def users_of(old: Any, of: Any, ref: str) -> list[str]:
        return [*old(of, ref), *([ref] if ref in named else [])]

    doing(s, "set", "VM", "appliance", write)
    around(s, "users_of", users_of)


@defect("DESTROY-REFERENCED", also="DESTROY-NO-CASCADE STATE-MODEL", cls="VDI")
def plugged_in_disks_may_go(s: Plain) -> None:
    """A VDI can be destroyed that a VBD of the type Disk names."""

    def users_of(old: Any, of: Any, ref: str) -> list[str]:
        return [user for user in old(of, ref) if s.objects["VBD"].get(user, {}).get("type") != "Disk"]

    around(s, "users_of", users_of)


@defect("DESTROY-REFERENCED-UNCHANGED", also="STATE-MODEL ROBUST-NO-EFFECT", cls="network")
def refused_but_for_the_second(s: Plain) -> None:
    """network.destroy that is refused for one VIF has emptied the other_config of the VIFs behind it."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        try:
            old(of, ref)
        except Refusal as no:
            if of.name == "network" and no.args[0] == "OBJECT_IN_USE":
                for vif in [r for r, row in s.objects["VIF"].items() if row["network"] == ref][1:]:
                    s.objects["VIF"][vif]["other_config"] = {}
            raise

    around(s, "destroy", destroy)


@defect("DESTROY-REFERENCED-UNCHANGED", also="STATE-MODEL ROBUST-NO-EFFECT", cls="VM")
def refused_tasks_have_begun(s: Plain) -> None:
    """Async.VM.destroy that is refused has emptied the VM's tags and other_config; VM.destroy asks first."""
    now = by_task(s)

    def destroy(old: Any, of: Any, ref: str) -> None:
        try:
            old(of, ref)
        except Refusal as no:
            if of.name == "VM" and now and no.args[0] == "OBJECT_IN_USE":
                s.objects["VM"][ref] |= {"tags": [], "other_config": {}}
            raise

    around(s, "destroy", destroy)


@defect("DESTROY-NO-CASCADE", cls="secret")
def workers_delete_by_value(s: Plain) -> None:
    """Async.secret.destroy destroys every secret of that value."""
    now = by_task(s)

    def destroy(old: Any, of: Any, ref: str) -> None:
        value = s.objects[of.name].get(ref, {}).get("value")
        old(of, ref)
        if of.name == "secret" and now:
            for each in [r for r, row in s.objects["secret"].items() if row["value"] == value]:
                del s.objects["secret"][each]

    around(s, "destroy", destroy)
