"""Blind defects of state over time: sessions, tasks, events, roles, power, restarts, calls at once, and histories.

Written without a look at the checks: the first ten are easy, the next ten medium, the last ten hard.
"""

from __future__ import annotations

import struct
import threading
import time
from contextlib import suppress
from typing import Any

from strangers.base import after, around, defect
from strangers.plain_server import Plain
from strangers.roles import USERS
from strangers.values import NULL, Refusal
from xenconform.models import types as t


def asked_over(s: Plain) -> threading.local:
    """Return what knows, as its `fmt`, the format of the call that this thread is about."""
    here = threading.local()
    here.fmt = ""

    def perform(old: Any, fmt: str, method: str, params: Any) -> Any:
        here.fmt = fmt
        return old(fmt, method, params)

    around(s, "perform", perform)
    return here


def breathe(s: Plain) -> None:
    """Let other calls in, as a server does that holds no lock here."""
    fmt, session = s.fmt, s.session
    s.lock.release()
    time.sleep(0.005)
    s.lock.acquire()
    s.fmt, s.session = fmt, session


# ---------------------------------------------------------------------------------------------------------------- easy


@defect("SESSION-LOGOUT")
def logout_of_the_user(s: Plain) -> None:
    """A logout ends every session of the same user: sessions are deleted by the name of their user."""
    users: dict[str, str] = {}

    def login(old: Any, raw: Any) -> Any:
        ref = old(raw)
        users[ref] = raw[0]
        return ref

    def logout(old: Any, session: Any) -> None:
        old(session)
        for ref in [ref for ref in s.objects["session"] if users.get(ref) == users.get(session)]:
            del s.objects["session"][ref]

    around(s, "login", login)
    around(s, "logout", logout)


@defect("WIRE-SESSION-SHARED", also="WIRE-AGREE STATE-MODEL")
def sessions_of_the_json_service(s: Plain) -> None:
    """A session that was opened over JSON-RPC fails with SESSION_INVALID over XML-RPC: two services, two tables."""
    here = asked_over(s)
    ours: set[str] = set()

    def login(old: Any, raw: Any) -> Any:
        ref = old(raw)
        ours.update([ref] if here.fmt != "xml" else [])
        return ref

    def check(old: Any, session: Any) -> None:
        old(session)
        if here.fmt == "xml" and session in ours:
            raise Refusal("SESSION_INVALID", session)

    around(s, "login", login)
    around(s, "check_session", check)


@defect("SESSION-REQUIRED", also="ROBUST-AUTH")
def logout_is_a_delete(s: Plain) -> None:
    """session.logout of a session that is not there succeeds: a DELETE of no rows is no error."""

    def logout(old: Any, session: Any) -> None:
        if isinstance(session, str) and session not in s.objects["session"]:
            return
        old(session)

    around(s, "logout", logout)


@defect("ASYNC-TASK", cls="VMPP")
def task_keeps_the_code_only(s: Plain) -> None:
    """error_info of a failed task is the error's code without its parameters."""
    around(s, "error_info", lambda old, no: old(no)[:1])


@defect("EVENT-FROM", cls="network")
def token_is_inclusive(s: Plain) -> None:
    """event.from tells the last event of the batch before once more: the query says >= where it means >."""
    around(s, "number_of", lambda old, token: max(old(token) - 1, 0))


@defect("LIFECYCLE-VM", cls="VM")
def suspends_what_is_paused(s: Plain) -> None:
    """VM.suspend of a paused VM succeeds: the guard asks only whether the VM has a domain."""
    around(s, "move", lambda old, name: ("Running Paused", "Suspended") if name == "suspend" else old(name))


@defect("PERSIST", cls="VDI")
def tags_stay_behind(s: Plain) -> None:
    """After a restart every object's tags are empty: their side table is not flushed."""
    around(s, "revived", lambda old, cls, ref, row: old(cls, ref, row) | ({"tags": []} if "tags" in row else {}))


@defect("CONC-LINEARIZABLE", cls="GPU_group")
def looks_before_it_locks(s: Plain) -> None:
    """Several add_to_ of one key at the same time all succeed: the key is looked for before the row is locked."""

    def add_to(old: Any, of: Any, ref: str, obj: Any, *more: Any) -> None:
        field, key, value = more
        if key in obj[field.name]:
            old(of, ref, obj, field, key, value)
        breathe(s)
        obj[field.name] = {**obj[field.name], key: value}

    around(s, "do_add_to", add_to)


@defect("GET-ALL-AGREES", cls="blob")
def list_from_the_cache(s: Plain) -> None:
    """get_all misses what was made in the last second, get_all_records has it: creates do not clear its cache."""
    cache: dict[str, tuple[float, list[str]]] = {}

    def run(old: Any, message: Any, args: Any) -> Any:
        if message.name != "get_all":
            return old(message, args)
        now = time.monotonic()
        if now - cache.get(message.cls, (-1.0, []))[0] > 1:
            cache[message.cls] = now, old(message, args)
        return list(cache[message.cls][1])

    around(s, "run", run)
    after(s, "destroy", lambda of, _ref: cache.pop(of.name, None))


@defect("BIND-CREATE", also="BIND-SYMMETRY STATE-MODEL", cls="PVS_server")
def far_ends_by_a_worker(s: Plain) -> None:
    """A new object comes into the bound fields that should show it a third of a second late: a worker fills them."""
    born: dict[str, float] = {}

    def make(old: Any, of: Any, given: Any) -> Any:
        ref = old(of, given)
        born[ref] = time.monotonic()
        return ref

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) not in s.derived:
            return value
        late = {each for each, at in born.items() if time.monotonic() - at < 0.3}
        return (
            [each for each in value if each not in late]
            if isinstance(value, list)
            else NULL
            if value in late
            else value
        )

    around(s, "make", make)
    around(s, "get", get)


# -------------------------------------------------------------------------------------------------------------- medium


@defect("SESSION-LOGOUT", also="SESSION-REQUIRED")
def gateway_remembers_sessions(s: Plain) -> None:
    """A session once used over JSON-RPC 2.0 still works there when it was logged out over another format."""
    here = asked_over(s)
    seen: dict[str, str] = {}

    def check(old: Any, session: Any) -> None:
        if here.fmt == "json2" and isinstance(session, str) and session in seen:
            return
        old(session)
        if here.fmt == "json2":
            seen[session] = s.role_of(session)

    def logout(old: Any, session: Any) -> None:
        if here.fmt == "json2" and isinstance(session, str):
            seen.pop(session, None)
        old(session)

    around(s, "check_session", check)
    around(s, "logout", logout)
    around(s, "role_of", lambda old, session: seen.get(session) or old(session))


@defect("SESSION-LOGIN", also="ROBUST-AUTH")
def empty_password_binds(s: Plain) -> None:
    """A login with a known name and an empty password succeeds: the directory takes it for an anonymous bind."""
    around(s, "role_for", lambda old, raw: USERS[raw[0]][1] if raw[1] == "" and raw[0] in USERS else old(raw))


@defect("RBAC", cls="Repository")
def jobs_without_roles(s: Plain) -> None:
    """Any role may run any message in its asynchronous form: only the synchronous dispatcher checks roles."""
    here = threading.local()

    def call(old: Any, fmt: str, method: str, raw: Any) -> Any:
        here.later = method.startswith("Async.")
        return old(fmt, method, raw)

    around(s, "call", call)
    around(s, "check_role", lambda old, message: None if here.later else old(message))


@defect("EVENT-FROM", cls="VM")
def tags_without_events(s: Plain) -> None:
    """A change of a VM's tags gives no mod event: the trigger is on the VMs' table, tags are in one of their own."""

    def quiet(old: Any, of: Any, ref: str, obj: Any, field: Any, value: Any) -> None:
        old(of, ref, obj, field, value)
        if (of.name, field.name) == ("VM", "tags") and ref in s.shadow.get("VM", {}):
            s.shadow["VM"][ref]["tags"] = obj["tags"]

    for verb in ("set", "add", "remove"):
        around(s, f"do_{verb}", quiet)


@defect("ROBUST-ALIVE", also="EVENT-FROM ROBUST-HTTP")
def waits_with_the_lock(s: Plain) -> None:
    """While one client waits in event.from no other call is answered: the wait holds the lock of the database."""

    def wait(old: Any, fmt: str, method: str, params: Any) -> Any:
        if method != "event.from":
            return old(fmt, method, params)
        with s.lock:
            return old(fmt, method, params)

    around(s, "wait", wait)


@defect("PERSIST", cls="Cluster")
def timeouts_in_a_real_column(s: Plain) -> None:
    """After a restart a Cluster's token timeouts are rounded to single precision: the columns are REAL."""

    def revived(old: Any, cls: str, ref: str, row: Any) -> Any:
        row = old(cls, ref, row)
        if cls == "Cluster":
            for name in ("token_timeout", "token_timeout_coefficient"):
                with suppress(OverflowError):
                    row[name] = struct.unpack("f", struct.pack("f", row[name]))[0]
        return row

    around(s, "revived", revived)


@defect("LIFECYCLE-VM", also="STATE-MODEL", cls="VM")
def operation_stays_locked(s: Plain) -> None:
    """After one refused power operation a VM refuses all others until a hard shutdown: the error path frees no lock."""
    held: set[str] = set()

    def power(old: Any, name: str, ref: str, rest: Any) -> None:
        forced = name in {"hard_shutdown", "power_state_reset"}
        if ref in held and not forced:
            raise Refusal("OTHER_OPERATION_IN_PROGRESS", "VM", ref)
        try:
            old(name, ref, rest)
        except Refusal:
            held.add(ref)
            raise
        held.discard(ref)

    around(s, "power", power)


@defect("WIRE-AGREE", also="STATE-MODEL", cls="pool")
def gateway_sees_its_own_writes(s: Plain) -> None:
    """A pool's maps read over JSON-RPC 1.0 lack what other formats wrote since the last read: its cache is its own."""
    cache: dict[tuple[str, str], Any] = {}

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if of.name == "pool" and isinstance(field.type, t.MapOf) and s.fmt == "json1":
            return cache.setdefault((ref, field.name), value)
        return value

    def write(old: Any, message: Any, field: Any, args: Any) -> None:
        if s.fmt == "json1":
            cache.pop((args[0], field.name), None)
        old(message, field, args)

    around(s, "get", get)
    around(s, "write", write)


@defect("DESTROY-GONE", also="GET-BAD-REF STATE-MODEL", cls="Observer")
def reads_from_the_heap(s: Plain) -> None:
    """Getters of a destroyed Observer go on if its record was read before: destroy leaves the read cache alone."""
    cache: dict[str, dict[str, Any]] = {}

    def call(old: Any, fmt: str, method: str, raw: Any) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            of, _, verb = method.partition(".get_")
            if of != "Observer" or no.args[0] != "HANDLE_INVALID" or raw[1] not in cache:
                raise
            field = s.api.classes[of].fields.get(verb)
            return (field.type, cache[raw[1]][verb]) if field else (t.RecordOf(of), cache[raw[1]])

    def get_record(old: Any, of: Any, ref: str) -> Any:
        found = old(of, ref)
        if of.name == "Observer":
            cache[ref] = found
        return found

    around(s, "call", call)
    around(s, "get_record", get_record)


@defect("EVENT-FROM STATE-MODEL")
def unregisters_from_all(s: Plain) -> None:
    """event.unregister of one class ends the watch of the others too: event.next says SESSION_NOT_REGISTERED."""

    def unregister(old: Any, wanted: Any) -> None:
        old(wanted)
        s.registered[s.session] = frozenset(), s.registered[s.session][1]

    around(s, "event_unregister", unregister)
