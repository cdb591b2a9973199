"""Defects of roles, and of explicit messages that take what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from strangers.base import after, around, defect
from strangers.plain_server import Plain
from strangers.roles import ADMIN
from strangers.values import NULL, Refusal
from xenconform.models import types as t
from xenconform.models.api import Message

VOID = (t.Void(), None)
Test = Callable[[str, Message], bool]


def let(s: Plain, test: Test) -> None:
    """Let a role run what it may not where a test of the role and the message says so."""
    around(s, "may", lambda old, role, message: test(role, message) or old(role, message))


def forbid(s: Plain, test: Test) -> None:
    """Deny a role what it may run where a test says so."""
    around(s, "may", lambda old, role, message: old(role, message) and not test(role, message))


def named(name: str, role: str) -> Test:
    """Return a test for one message and one role."""
    return lambda who, message: (who, message.full_name) == (role, name)


@defect("RBAC", cls="VM")
def read_only_may_rename(s: Plain) -> None:
    """Who may only read may rename VMs."""
    let(s, named("VM.set_name_label", "read-only"))


@defect("RBAC", cls="VM")
def read_only_may_start(s: Plain) -> None:
    """Who may only read may start VMs."""
    let(s, named("VM.start", "read-only"))


@defect("RBAC", cls="secret")
def read_only_may_destroy_secrets(s: Plain) -> None:
    """Who may only read may destroy secrets."""
    let(s, named("secret.destroy", "read-only"))


@defect("RBAC")
def operators_may_make_networks(s: Plain) -> None:
    """VM operators may make networks."""
    let(s, named("network.create", "vm-operator"))


@defect("RBAC", cls="VM")
def operators_may_not_start(s: Plain) -> None:
    """VM operators are denied the start of VMs."""
    forbid(s, named("VM.start", "vm-operator"))


@defect("RBAC", cls="VM")
def a_getter_is_denied(s: Plain) -> None:
    """Who may only read is denied one getter."""
    forbid(s, named("VM.get_name_label", "read-only"))


@defect("RBAC")
def roles_count_over_xml_alone(s: Plain) -> None:
    """Over JSON anybody may do anything."""
    let(s, lambda _role, _message: s.fmt != "xml")


@defect("RBAC")
def denied_over_json2_alone(s: Plain) -> None:
    """Over JSON-RPC 2.0 pool operators are denied what they may."""
    forbid(s, lambda role, message: s.fmt == "json2" and role == "pool-operator" and message.verb == "set")


@defect("RBAC")
def one_role_is_taken_for_another(s: Plain) -> None:
    """VM admins may do what pool operators may."""
    around(s, "may", lambda old, role, m: old("pool-operator" if role == "vm-admin" else role, m))


@defect("RBAC", cls="VM")
def denied_with_another_code(s: Plain) -> None:
    """Who is denied reads of a session."""

    def deny(_old: Any, message: Message) -> None:
        raise Refusal("OPERATION_NOT_ALLOWED", message.full_name)

    around(s, "deny", deny)


@defect("RBAC")
def denied_in_silence(s: Plain) -> None:
    """What is denied is answered with success, and not done."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            if no.args[0] == "RBAC_PERMISSION_DENIED":
                return VOID
            raise

    around(s, "call", call)


@defect("RBAC")
def tasks_need_no_role(s: Plain) -> None:
    """Asynchronous calls are open to all."""
    asked: list[bool] = [False]

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        with s.lock:
            asked[0] = method.startswith("Async.")
            return old(fmt, method, raw)

    around(s, "call", call)
    let(s, lambda _role, _message: asked[0])


@defect("RBAC", cls="host")
def listing_needs_an_admin(s: Plain) -> None:
    """Hosts are listed to admins alone."""
    forbid(s, lambda role, message: message.full_name == "host.get_all" and role != ADMIN)


# -------------------------------------------------------------------------------------------------- explicit messages


def instead(s: Plain, name: str, change: Callable[[list[Any]], list[Any] | None]) -> None:
    """Change the parameters of one message, the session among them; None in their place is answered with success."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if method != name:
            return old(fmt, method, raw)
        changed = change(raw)
        return VOID if changed is None else old(fmt, method, changed)

    around(s, "call", call)


def is_good(s: Plain, raw: list[Any], count: int) -> bool:
    """Whether parameters are of a number, a living session first and a text next."""
    return len(raw) == count and raw[0] in s.objects["session"] and isinstance(raw[1], str)


@defect("WIRE-ARITY", cls="VM")
def start_ignores_surplus(s: Plain) -> None:
    """VM.start ignores what is beyond its last parameter."""
    instead(s, "VM.start", lambda raw: raw[:4])


@defect("WIRE-ARITY", cls="VM")
def start_ignores_surplus_over_json2(s: Plain) -> None:
    """VM.start ignores what is beyond its last parameter, over JSON-RPC 2.0."""
    around(s, "check_arity", lambda old, m, raw, any_: None if s.fmt == "json2" and m.full_name == "VM.start" and len(
        raw) > 3 else old(m, raw, any_))  # fmt: skip


@defect("WIRE-ARITY", cls="VM")
def start_fills_in(s: Plain) -> None:
    """VM.start takes a parameter that is left out for false."""
    instead(s, "VM.start", lambda raw: [*raw, False] if len(raw) == 3 else raw)


@defect("WIRE-ARITY", cls="VIF")
def explicit_setter_ignores_surplus(s: Plain) -> None:
    """VIF.set_locking_mode ignores what is beyond its last parameter."""
    instead(s, "VIF.set_locking_mode", lambda raw: raw[:3])


@defect("WIRE-TYPE", cls="VM")
def start_takes_anything_for_a_bool(s: Plain) -> None:
    """VM.start takes what is no bool for one."""
    instead(s, "VM.start", lambda raw: [*raw[:2], *map(bool, raw[2:])])


@defect("WIRE-TYPE", cls="VM")
def shutdown_takes_any_type(s: Plain) -> None:
    """VM.hard_shutdown succeeds on what is no ref."""
    instead(s, "VM.hard_shutdown", lambda raw: None if len(raw) == 2 and not isinstance(raw[1], str) else raw)


@defect("WIRE-TYPE", cls="VIF")
def explicit_setter_takes_a_list(s: Plain) -> None:
    """VIF.set_ipv4_allowed takes a text for a set of one."""
    instead(s, "VIF.set_ipv4_allowed", lambda raw: [*raw[:2], [raw[2]]] if len(raw) == 3 and isinstance(
        raw[2], str) else raw)  # fmt: skip


@defect("CALL-BAD-REF", cls="VM")
def start_of_nothing(s: Plain) -> None:
    """VM.start of the null ref succeeds."""
    around(s, "power", lambda old, name, ref, rest: None if ref == NULL and name == "start" else old(name, ref, rest))


@defect("CALL-BAD-REF", also="RBAC", cls="VM")
def shutdown_of_what_there_never_was(s: Plain) -> None:
    """VM.hard_shutdown of a ref that was made up succeeds."""

    def known(ref: str) -> bool:
        return ref in {"", NULL} or any(ref in rows for rows in s.objects.values())

    instead(s, "VM.hard_shutdown", lambda raw: None if is_good(s, raw, 2) and not known(raw[1]) else raw)


@defect("CALL-BAD-REF", also="RBAC", cls="VM")
def start_of_a_network(s: Plain) -> None:
    """VM.start of a network succeeds."""
    instead(s, "VM.start", lambda raw: None if is_good(s, raw, 4) and raw[1] in s.objects["network"] else raw)


@defect("CALL-BAD-REF", also="RBAC", cls="VM")
def pause_of_what_was_destroyed(s: Plain) -> None:
    """VM.pause of a destroyed VM succeeds."""
    gone: set[str] = set()
    after(s, "destroy", lambda _of, ref: gone.add(ref))
    instead(s, "VM.pause", lambda raw: None if is_good(s, raw, 2) and raw[1] in gone else raw)


@defect("CALL-BAD-REF-CODE", cls="VM")
def bad_vm_is_an_internal_error(s: Plain) -> None:
    """VM.start of what is no VM fails with INTERNAL_ERROR."""

    def change(raw: list[Any]) -> list[Any]:
        if raw[1:] and isinstance(raw[1], str) and raw[1] not in s.objects["VM"]:
            raise Refusal("INTERNAL_ERROR", "Not_found")
        return raw

    instead(s, "VM.start", change)


def a_session(s: Plain) -> str:
    """Return any session that there is."""
    return next(iter(s.objects["session"]))


@defect("SESSION-REQUIRED", also="RBAC", cls="VM")
def start_needs_no_session(s: Plain) -> None:
    """VM.start does not look at the session."""
    instead(s, "VM.start", lambda raw: [a_session(s), *raw[1:]] if len(raw) == 4 else raw)


@defect("SESSION-REQUIRED", also="RBAC", cls="VIF")
def explicit_setter_needs_no_session(s: Plain) -> None:
    """VIF.set_locking_mode does not look at the session."""
    instead(s, "VIF.set_locking_mode", lambda raw: [a_session(s), *raw[1:]])


@defect("SESSION-REQUIRED", also="RBAC", cls="VM")
def tasks_need_no_session(s: Plain) -> None:
    """Asynchronous calls do not look at the session."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        return old(fmt, method, [a_session(s), *raw[1:]] if method.startswith("Async.") and raw else raw)

    around(s, "call", call)
