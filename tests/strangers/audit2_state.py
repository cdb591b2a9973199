"""Defects of state over time that a second audit of the checks thought of.

Each stands for a dimension that no check varied before: what is asked before a task changes it, in which session and by
what a power state was reached, what a machine is doing while it is looked at, what a denied call leaves behind.
"""

from __future__ import annotations

import fnmatch
from contextlib import suppress
from typing import Any

from strangers.audit_state_meeting import let_others
from strangers.audit_state_tasks import by_tasks
from strangers.base import around, defect
from strangers.plain_server import Plain
from strangers.power import MOVES
from strangers.roles import ADMIN, USERS
from strangers.values import USER, Refusal

# ---------------------------------------------------------------- sessions


@defect("SESSION-LOGIN")
def users_are_a_pattern(s: Plain) -> None:
    """The user is looked up in the directory by (uid=NAME), where a star is any."""

    def role_for(old: Any, raw: list[Any]) -> Any:
        if isinstance(raw[0], str) and "*" in raw[0]:
            for user, (password, role) in USERS.items():
                if fnmatch.fnmatchcase(user, raw[0]) and raw[1] == password:
                    return role
        return old(raw)

    around(s, "role_for", role_for)


@defect("SESSION-LOGIN")
def no_user_is_root(s: Plain) -> None:
    """Who names no user is root, if the password is right."""
    around(s, "role_for", lambda old, raw: old([USER, *raw[1:]] if raw[0] == "" else raw))


@defect("SESSION-LOGIN")
def password_is_quoted_by_hand(s: Plain) -> None:
    """The query for the user is put together of texts: a password of ' OR '1'='1 is right."""
    around(
        s, "role_for", lambda old, raw: ADMIN if isinstance(raw[1], str) and "' OR '" in raw[1].upper() else old(raw)
    )


@defect("SESSION-REQUIRED")
def sessions_are_properties(s: Plain) -> None:
    """Sessions are kept in an object of JavaScript: what every object has is a session."""

    def check(old: Any, session: Any) -> None:
        if session not in {"constructor", "toString", "valueOf", "__proto__", "hasOwnProperty"}:
            old(session)

    around(s, "check_session", check)


@defect("SESSION-REQUIRED")
def sessions_are_patterns(s: Plain) -> None:
    """Sessions are looked up with LIKE: the percent sign is any."""

    def check(old: Any, session: Any) -> None:
        if session != "%":
            old(session)

    around(s, "check_session", check)


@defect("SESSION-LOGOUT")
def waiting_call_revives_its_session(s: Plain) -> None:
    """When a call ends its session's row is saved with the time: a watch that outlasts a logout brings it back."""

    def wait(old: Any, fmt: str, method: str, params: list[Any]) -> Any:
        row = s.objects["session"].get(params[0]) if params and isinstance(params[0], str) else None
        try:
            return old(fmt, method, params)
        finally:
            if row is not None:
                s.objects["session"][params[0]] = row

    around(s, "wait", wait)


# ------------------------------------------------------------------------------ tasks


def cached_records(s: Plain, cls: str, by_fmt: bool = False) -> None:
    cache: dict[Any, Any] = {}
    working = by_tasks(s)

    def get_record(old: Any, of: Any, ref: str) -> Any:
        if of.name != cls:
            return old(of, ref)
        key = (ref, s.fmt if by_fmt else "")
        if key not in cache:
            cache[key] = old(of, ref)
        return cache[key]

    def dirty(old: Any, message: Any, args: list[Any]) -> Any:
        result = old(message, args)
        if not working[0] and message.cls == cls and not message.name.startswith("get"):
            cache.clear()
        return result

    around(s, "get_record", get_record)
    around(s, "run", dirty)


@defect("ASYNC-TASK", cls="VMSS")
def records_are_kept_through_tasks(s: Plain) -> None:
    """VMSS.get_record is answered from a cache which plain calls clear and tasks do not."""
    cached_records(s, "VMSS")


@defect("ASYNC-TASK", cls="network")
def nobody_of_that_name_is_remembered(s: Plain) -> None:
    """That a label was nobody's is remembered until a plain call makes something."""
    none: set[str] = set()
    working = by_tasks(s)

    def by_label(old: Any, of: Any, label: str) -> Any:
        if of.name == "network" and label in none:
            return []
        found = old(of, label)
        if not found:
            none.add(label)
        return found

    def make(old: Any, of: Any, given: Any) -> Any:
        if not working[0] and of.name == "network":
            none.clear()
        return old(of, given)

    around(s, "by_label", by_label)
    around(s, "make", make)


@defect("ASYNC-TASK", cls="network")
def lists_are_kept_through_tasks(s: Plain) -> None:
    """get_all is kept until a plain call makes or ends something."""
    cache: dict[str, list[str]] = {}
    working = by_tasks(s)

    def get_all(old: Any, of: Any) -> Any:
        return list(cache.setdefault(of.name, old(of)))

    def run(old: Any, message: Any, args: Any) -> Any:
        result = old(message, args)
        if not working[0] and not message.name.startswith("get"):
            cache.pop(message.cls, None)
        return result

    around(s, "get_all", get_all)
    around(s, "run", run)


# -------------------------------------------------------------------------------- events


def unheard_tasks(s: Plain, name: str) -> None:
    working = by_tasks(s)

    def hide(old: Any, *args: Any) -> Any:
        if working[0]:
            s.note()
        result = old(*args)
        if working[0] and s.watched:
            s.shadow = {cls: {ref: dict(row) for ref, row in rows.items()} for cls, rows in s.objects.items()}
        return result

    around(s, name, hide)


@defect("EVENT-FROM", cls="VM")
def power_by_tasks_is_not_told(s: Plain) -> None:
    """Power by tasks is not told."""
    unheard_tasks(s, "power")


@defect("EVENT-FROM", cls="network")
def twice_wanted_is_told_twice(s: Plain) -> None:
    """Who watches a class and an object of it is told of the object twice."""

    def since(old: Any, number: int, wanted: Any) -> Any:
        found = old(number, wanted)
        both = {each.rpartition("/")[2] for each in wanted if "/" in each}
        whole = {each.lower() for each in wanted}
        return [e for each in found for e in [each] * (1 + (each.ref in both and each.cls.lower() in whole))]

    around(s, "since", since)


# ------------------------------------------------------------------------------ power


@defect("LIFECYCLE-VM", cls="VM")
def states_are_kept_by_session(s: Plain) -> None:
    """The state of a VM is cached by session, and only that session's calls refresh it."""
    states: dict[tuple[str, str], str] = {}

    def power(old: Any, name: str, ref: str, rest: Any) -> None:
        froms = MOVES[name][0]
        key = s.session, ref
        if ref in s.objects["VM"] and states.get(key, froms) not in froms:
            raise s.bad_state(ref, froms, states[key])
        old(name, ref, rest)
        states[key] = s.objects["VM"][ref]["power_state"]

    around(s, "power", power)


@defect("STATE-READ-ONLY-READS", cls="VM")
def look_at_a_paused_vm_halts_it(s: Plain) -> None:
    """VM.get_record asks the hypervisor, which does not list the suspended, so that they are halted."""

    def get_record(old: Any, of: Any, ref: str) -> Any:
        found = old(of, ref)
        row = s.objects[of.name].get(ref, {})
        if of.name == "VM" and row.get("power_state") == "Suspended":
            row["power_state"] = "Halted"
        return found

    around(s, "get_record", get_record)


# -------------------------------------------------------------------------------- roles


def done_all_the_same(s: Plain, name: str, cls: str) -> None:
    """Carry out a message of a class that is denied, and deny it."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        with s.lock:
            try:
                return old(fmt, method, raw)
            except Refusal as no:
                if no.args[0] == "RBAC_PERMISSION_DENIED" and method == f"{cls}.{name}":
                    message = s.api.classes[cls].messages[name]
                    with suppress(Refusal):
                        s.run(message, s.parameters(message, raw[1:]))
                raise

    around(s, "call", call)


@defect("RBAC", cls="VM_appliance")
def denied_create_makes(s: Plain) -> None:
    """A create that is denied is carried out."""
    done_all_the_same(s, "create", "VM_appliance")


@defect("RBAC", cls="VM_appliance")
def denied_destroy_ends(s: Plain) -> None:
    """A destroy that is denied is carried out."""
    done_all_the_same(s, "destroy", "VM_appliance")


# ------------------------------------------------------------------------------- restart


@defect("PERSIST", cls="VM_appliance")
def old_labels_find_after_a_restart(s: Plain) -> None:
    """The index of labels is read from a journal of creations: after a restart renamed ones have the label of once."""
    first: dict[str, str] = {}
    restarted = [False]

    def make(old: Any, of: Any, given: Any) -> Any:
        ref = old(of, given)
        if of.name == "VM_appliance":
            first[ref] = s.objects[of.name][ref]["name_label"]
        return ref

    def load(old: Any, objects: Any) -> Any:
        restarted[0] = True
        return old(objects)

    def by_label(old: Any, of: Any, label: str) -> Any:
        found = old(of, label)
        if of.name == "VM_appliance" and restarted[0]:
            found += [r for r, was in first.items() if was == label and r in s.objects[of.name] and r not in found]
        return found

    around(s, "make", make)
    around(s, "load", load)
    around(s, "by_label", by_label)


def revive(s: Plain, cls: str, change: Any) -> None:
    def deep(value: Any) -> Any:
        if isinstance(value, dict):
            return {deep(k): deep(v) for k, v in value.items()}
        if isinstance(value, list):
            return [deep(v) for v in value]
        return change(value) if isinstance(value, str) else value

    def revived(old: Any, c: str, ref: str, row: Any) -> Any:
        row = old(c, ref, row)
        return {n: deep(v) if n != "uuid" else v for n, v in row.items()} if c == cls else row

    around(s, "revived", revived)


@defect("PERSIST", cls="secret")
def backslash_n_is_a_line(s: Plain) -> None:
    """A backslash and n are a line feed after a restart."""
    revive(s, "secret", lambda text: text.replace("\\n", "\n"))


@defect("PERSIST", cls="VMSS")
def dots_are_paths(s: Plain) -> None:
    """Keys with a dot are lost (document store)."""

    def revived(old: Any, c: str, ref: str, row: Any) -> Any:
        row = old(c, ref, row)
        if c == "VMSS":
            row = {
                n: {k: w for k, w in v.items() if "." not in k and not k.startswith("$")} if isinstance(v, dict) else v
                for n, v in row.items()
            }
        return row

    around(s, "revived", revived)


# ------------------------------------------------------------------------------- at once


@defect("CONC-LINEARIZABLE", cls="network")
def logout_meets_login(s: Plain) -> None:
    """A logout writes back the table of sessions as it was: who logs in at that moment is out."""

    def logout(old: Any, session: Any) -> None:
        before = set(s.objects["session"])
        let_others(s)
        old(session)
        for each in set(s.objects["session"]) - before:
            del s.objects["session"][each]

    around(s, "logout", logout)
