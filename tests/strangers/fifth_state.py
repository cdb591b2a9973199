"""Defects of state over time, written without a look at the checks: sessions, tasks, events, roles, restarts."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from strangers.base import around, defect
from strangers.plain_server import Plain
from strangers.roles import USERS
from xenconform.models import types as t
from xenconform.models.api import ApiClass, Message

# --------------------------------------------------------------------------------------------------- level 4: sessions


@defect("SESSION-LOGIN", cls="session")
def passwords_compared_as_crypt_does(s: Plain) -> None:
    """Passwords are compared by their first eight characters: the right one with anything after it opens a session."""

    def role_for(old: Any, raw: list[Any]) -> Any:
        known = USERS.get(raw[0]) if isinstance(raw[0], str) else None
        if known and isinstance(raw[1], str) and raw[1][:8] == known[0][:8]:
            return known[1]
        return old(raw)

    around(s, "role_for", role_for)


@defect("SESSION-LOGOUT", cls="session")
def each_format_remembers_good_sessions(s: Plain) -> None:
    """Each wire format remembers the sessions it let in, and forgets them at its own logouts only: the others go on."""
    good: set[tuple[str, Any]] = set()

    def check(old: Any, session: Any) -> None:
        if not isinstance(session, str) or (s.fmt, session) not in good:
            old(session)
            good.add((s.fmt, session))

    def perform(old: Any, fmt: str, method: str, params: list[Any]) -> Any:
        if method != "session.logout" or len(params) != 1:
            return old(fmt, method, params)
        with s.lock:
            s.fmt = ""
            good.difference_update({(each, params[0]) for each in (fmt, "") if isinstance(params[0], str)})
            result = old(fmt, method, params)
            good.discard(("", params[0]))
            return result

    around(s, "check_session", check)
    around(s, "perform", perform)


@defect("SESSION-REQUIRED", cls="task")
def task_serves_as_a_session(s: Plain) -> None:
    """Background work passes its task in place of a session, so every message takes a task's ref as a session."""

    def check(old: Any, session: Any) -> None:
        if not isinstance(session, str) or session not in s.objects["task"]:
            old(session)

    around(s, "check_session", check)


# ------------------------------------------------------------------------------------------------------ level 4: state


@defect("STATE-MODEL CREATE-DEFAULTS", cls="VMSS")
def row_of_a_destroyed_policy_is_used_again(s: Plain) -> None:
    """Rows of destroyed VMSS are used again and not wiped: one made without a schedule has that of the destroyed."""
    free: list[dict[str, Any]] = []

    def destroy(old: Any, of: ApiClass, ref: str) -> None:
        row = s.objects[of.name].get(ref)
        old(of, ref)
        if of.name == "VMSS" and row:
            free.append(row)

    def make(old: Any, of: ApiClass, given: dict[str, Any]) -> Any:
        used = free.pop() if of.name == "VMSS" and free else {}
        return old(of, {name: value for name, value in used.items() if name == "schedule"} | given)

    around(s, "destroy", destroy)
    around(s, "make", make)


@defect("STATE-MODEL", cls="Observer")
def each_session_keeps_the_records_it_read(s: Plain) -> None:
    """Observer.get_record keeps its answer for a session until that one writes the object: it misses others' writes."""
    seen: dict[tuple[str, str], Any] = {}

    def run(old: Any, message: Message, args: list[Any]) -> Any:
        if message.cls != "Observer" or not args or not isinstance(args[0], str):
            return old(message, args)
        key = s.session, args[0]
        if message.name != "get_record" or args[0] not in s.objects["Observer"]:
            if message.verb != "get":
                seen.pop(key, None)
            return old(message, args)
        return seen[key] if key in seen else seen.setdefault(key, old(message, args))

    around(s, "run", run)


@defect("STATE-READ-ONLY-READS", cls="secret")
def reading_a_secret_leaves_a_trace(s: Plain) -> None:
    """secret.get_value notes for an audit when it was called: each read changes the secret's other_config."""

    def run(old: Any, message: Message, args: list[Any]) -> Any:
        value = old(message, args)
        if message.full_name == "secret.get_value":
            row = s.objects["secret"][args[0]]
            row["other_config"] = {**row["other_config"], "last-read": datetime.now(UTC).isoformat()}
        return value

    around(s, "run", run)


# ------------------------------------------------------------------------------------- level 4: tasks, events, roles


@defect("ASYNC-TASK STATE-MODEL", cls="VDI")
def same_asynchronous_call_same_task(s: Plain) -> None:
    """Async calls are known by what they ask for: a session's second call like one before gets its task, undone."""
    known: dict[tuple[str, str, str], str] = {}

    def begin(old: Any, message: Message, raw: list[Any]) -> Any:
        key = s.session, message.full_name, repr(raw)
        if known.get(key) not in s.objects["task"]:
            known[key] = old(message, raw)
        return known[key]

    around(s, "begin", begin)


@defect("EVENT-FROM", cls="VMPP")
def end_of_a_watched_object_is_not_told(s: Plain) -> None:
    """event.from looks up a watched class/ref among the living objects: who watches one object never hears its end."""

    def wanted(old: Any, cls: str, ref: str, asked: Any) -> Any:
        return old(cls, ref, asked if ref in s.objects[cls] else [each for each in asked if "/" not in each])

    around(s, "is_wanted", wanted)


@defect("LIFECYCLE-VM", cls="VM")
def unpause_wakes_the_suspended_too(s: Plain) -> None:
    """VM.unpause only asks whether the VM stands still: it works on a Suspended one, which is then Running."""
    around(s, "move", lambda old, name: ("Paused Suspended", "Running") if name == "unpause" else old(name))


@defect("RBAC")
def rights_remembered_by_class_and_verb(s: Plain) -> None:
    """Rights are remembered by class and verb: after network.add_tags a pool-operator may call add_purpose too."""
    known: dict[tuple[str, str, str], bool] = {}

    def may(old: Any, role: str, message: Message) -> Any:
        key = role, message.cls, message.verb or message.name
        return known[key] if key in known else known.setdefault(key, old(role, message))

    around(s, "may", may)


# --------------------------------------------------------------------------------------- level 4: restarts, concurrency


@defect("PERSIST", cls="SR")
def equals_sign_in_a_key_moves(s: Plain) -> None:
    """Maps of texts are kept on disk as lines key=value: after a restart a key that holds = ends at its first one."""

    def line_read(key: str, value: str) -> tuple[str, str]:
        first, _, rest = f"{key}={value}".partition("=")
        return first, rest

    def revived(old: Any, cls: str, ref: str, row: dict[str, Any]) -> Any:
        row = old(cls, ref, row)
        for name, field in s.api.classes[cls].fields.items():
            if field.type == t.MapOf(t.Str(), t.Str()) and row[name]:
                row[name] = dict(line_read(key, value) for key, value in row[name].items())
        return row

    around(s, "revived", revived)


@defect("PERSIST", cls="GPU_group")
def removals_are_not_written_to_disk(s: Plain) -> None:
    """remove_ and remove_from_ do not mark their object as changed: a restart undoes them if nothing was set since."""
    lost: dict[tuple[str, str], dict[str, Any]] = {}

    def removal(old: Any, of: ApiClass, ref: str, obj: dict[str, Any], *rest: Any) -> None:
        lost.setdefault((of.name, ref), {}).setdefault(rest[0].name, obj[rest[0].name])
        old(of, ref, obj, *rest)

    def other(old: Any, of: ApiClass, ref: str, *rest: Any) -> None:
        old(of, ref, *rest)
        lost.pop((of.name, ref), None)

    def kept(old: Any, objects: dict[str, dict[str, dict[str, Any]]]) -> Any:
        rows = old(objects)
        for (cls, ref), values in lost.items():
            rows[cls].get(ref, {}).update(values)
        lost.clear()
        return rows

    for verb in ("remove", "remove_from"):
        around(s, f"do_{verb}", removal)
    for verb in ("set", "add", "add_to"):
        around(s, f"do_{verb}", other)
    around(s, "kept", kept)


@defect("CONC-LINEARIZABLE", cls="VMSS")
def one_policy_destroyed_by_many(s: Plain) -> None:
    """VMSS.destroy finds the object, lets go of the lock and deletes it if it is still there: many succeed at once."""

    def destroy(old: Any, of: ApiClass, ref: str) -> None:
        if of.name != "VMSS" or s.users_of(of, ref):
            old(of, ref)
            return
        s.object(of, ref)
        s.lock.release()
        try:
            time.sleep(0.01)
        finally:
            s.lock.acquire()
        s.objects[of.name].pop(ref, None)

    around(s, "destroy", destroy)
