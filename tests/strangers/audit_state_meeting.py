"""Defects that an audit of the checks thought of: of calls that meet, of roles, and of what watchers are told.

Each stands for a dimension that no check varied before: tasks and power states that several calls are at; the making
and setting by a task that a role may not; the format of a login; several changes, tasks and power between two looks.
"""

from __future__ import annotations

import time
from typing import Any

from strangers.audit_state_tasks import by_tasks
from strangers.base import around, defect
from strangers.plain_server import Plain

APART = 0.003
"""Seconds for which the lock is given away between a look and what is done by it."""


def let_others(s: Plain) -> None:
    """Give the lock away for a moment."""
    here = s.fmt, s.session
    s.lock.release()
    time.sleep(APART)
    s.lock.acquire()
    s.fmt, s.session = here


@defect("CONC-LINEARIZABLE", cls="VM")
def state_is_looked_at_before_the_lock(s: Plain) -> None:
    """Several calls that start one VM at the same time all find it halted, and all succeed."""

    def power(old: Any, name: str, ref: str, rest: list[Any]) -> None:
        if name == "start" and s.objects["VM"].get(ref, {}).get("power_state") == "Halted":
            let_others(s)
            if ref in s.objects["VM"]:
                s.objects["VM"][ref]["power_state"] = "Halted"
        old(name, ref, rest)

    around(s, "power", power)


@defect("CONC-LINEARIZABLE")
def queue_takes_the_last_task(s: Plain) -> None:
    """A call that begins a task while another does is given the task of the other, and nothing is done for it."""

    def begin(old: Any, message: Any, raw: list[Any]) -> str:
        before = len(s.objects["task"])
        let_others(s)
        return list(s.objects["task"])[-1] if len(s.objects["task"]) > before else str(old(message, raw))

    around(s, "begin", begin)


def without_roles(s: Plain, *ends: str) -> None:
    """Let any role begin tasks of messages whose names end so."""
    method = [""]

    def call(old: Any, fmt: str, name: str, raw: list[Any]) -> Any:
        method[0] = name
        return old(fmt, name, raw)

    def check_role(old: Any, message: Any) -> None:
        if not (method[0].startswith("Async.") and any(end in method[0] for end in ends)):
            old(message)

    around(s, "call", call)
    around(s, "check_role", check_role)


@defect("RBAC", cls="VM")
def any_role_sets_by_task(s: Plain) -> None:
    """Any role may begin the task of a setter."""
    without_roles(s, ".set_")


@defect("RBAC", cls="VM_appliance")
def any_role_makes_by_task(s: Plain) -> None:
    """Any role may begin the task of a create."""
    without_roles(s, ".create")


@defect("RBAC")
def new_json_logs_in_admins(s: Plain) -> None:
    """Who logs in over JSON-RPC 2.0 is an admin, over whatever format the session is used then."""

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        admin = {"role of the user": "pool-admin"} if of.name == "session" and s.fmt == "json2" else {}
        return str(old(of, given | admin))

    around(s, "make", make)


@defect("EVENT-FROM", cls="VM")
def power_is_not_in_the_journal(s: Plain) -> None:
    """That a VM starts or stops is told to nobody."""

    def power(old: Any, name: str, ref: str, rest: list[Any]) -> None:
        old(name, ref, rest)
        if s.watched and ref in s.shadow.get("VM", {}):
            s.shadow["VM"][ref] = dict(s.objects["VM"][ref])

    around(s, "power", power)


@defect("EVENT-FROM")
def tasks_make_unheard(s: Plain) -> None:
    """What a task makes is not told as added."""
    working, quiet = by_tasks(s), set[str]()

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref: str = old(of, given)
        quiet.update({ref} if working[0] else ())
        return ref

    def jot(old: Any, cls: str, operation: str, ref: str) -> None:
        if operation != "add" or ref not in quiet:
            old(cls, operation, ref)

    around(s, "make", make)
    around(s, "jot", jot)


@defect("EVENT-FROM")
def first_change_of_a_batch_stands(s: Plain) -> None:
    """Of several changes of one object in a batch the first is told, with its record of then."""

    def since(old: Any, number: int, wanted: Any) -> list[Any]:
        seen: set[str] = set()
        found = []
        for each in old(number, wanted):
            if each.operation != "mod" or each.ref not in seen:
                found.append(each)
            seen |= {each.ref} if each.operation == "mod" else set()
        return found

    around(s, "since", since)
