"""Faults of roles: messages that a role may run and should not, or the other way round."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from xenconform.conformance.codec import Codec, DecodedCall
from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.objects import carrying_out
from xenconform.conformance.reference.faults.seams import failures, fields_of, handled
from xenconform.conformance.reference.plans import Plan
from xenconform.conformance.reference.sessions import Session
from xenconform.conformance.reference.state import Refusal
from xenconform.conformance.reference.users import ADMIN
from xenconform.models.calls import Failure, Format
from xenconform.models.values import Handle, Value

DENIED = "RBAC_PERMISSION_DENIED"


def decides(s: Server, change: Callable[[Session, Plan, bool], bool]) -> None:
    """Change whether a session may run a message: given are both, and what is right."""
    around(s.service, "_may", lambda old, session, plan: change(session, plan, old(session, plan)))


def has(session: Session, role: str) -> bool:
    """Whether a session is of a user with this role."""
    return role in session.user.roles


@fault("RBAC", "network", EASY)
def roles_are_not_looked_at(s: Server) -> None:
    """Every role may run every message."""
    decides(s, lambda *_: True)


@fault("RBAC", "network", MEDIUM)
def read_only_writes_tags(s: Server) -> None:
    """The role read-only may add and remove tags of networks."""
    decides(s, lambda who, plan, may: may or (has(who, "read-only") and plan.full_name.endswith("_tags")))


@fault("RBAC", "VM", MEDIUM)
def vm_operator_cannot_start(s: Server) -> None:
    """The role vm-operator is denied VM.start, VM.pause and VM.clean_shutdown, which are published for it."""
    kept = {"VM.start", "VM.pause", "VM.clean_shutdown"}
    decides(s, lambda who, plan, may: may and not (has(who, "vm-operator") and plan.full_name in kept))


@fault("RBAC", "SR", HARD)
def new_json_asks_pool_operators_for_more(s: Server) -> None:
    """Over JSON-RPC 2.0 the role pool-operator is denied the messages that write an SR's maps."""
    decides(s, lambda who, plan, may: may and not (
        has(who, "pool-operator") and s.fmt is Format.JSONRPC2 and fnmatchcase(plan.full_name, "SR.*_other_config")
    ))  # fmt: skip


@fault("RBAC", "VM", MEDIUM)
def asynchronous_forms_skip_the_role(s: Server) -> None:
    """Asynchronous calls are let through whatever the role, and their task succeeds."""
    decides(s, lambda _, plan, may: may or plan.is_async)


@fault("RBAC", "secret", HARD)
def permission_is_kept_by_message(s: Server) -> None:
    """Who may run a message of secret is decided once, by the first who calls it, and then kept for everyone."""
    kept: dict[str, bool] = {}
    decides(s, lambda _, plan, may: kept.setdefault(plan.full_name, may) if plan.message.cls == "secret" else may)


@fault("RBAC", "pool", HARD)
def denial_is_kept_by_message(s: Server) -> None:
    """A message of pool that was denied to one role over JSON-RPC 1.0 is denied to lesser administrators as well."""
    denied: set[str] = set()

    def change(who: Session, plan: Plan, may: bool) -> bool:
        if not may and s.fmt is Format.JSONRPC1 and plan.message.cls == "pool":
            denied.add(plan.full_name)
        return may and not (plan.full_name in denied and has(who, "pool-operator"))

    decides(s, change)


@fault("RBAC", "network", HARD, also="ROBUST-NO-EFFECT")
def denied_and_done(s: Server) -> None:
    """A setter that a role may not run fails with RBAC_PERMISSION_DENIED, and the value is written all the same."""
    do = carrying_out(s)

    def may(old: Any, session: Session, plan: Plan) -> bool:
        allowed = bool(old(session, plan))
        if not allowed and plan.message.verb == "set" and not plan.is_async:
            do(plan)
        return allowed

    around(s.service, "_may", may)


@fault("RBAC", "network", MEDIUM)
def underscored_names_have_no_roles(s: Server) -> None:
    """A message called by its older name, network_set_MTU for network.set_MTU, is let through whatever the role."""
    decides(s, lambda _, __, may: may or "." not in s.method)


@fault("RBAC", "VIF", MEDIUM)
def denied_end_is_not_allowed(s: Server) -> None:
    """Where the role does not allow destroy it fails with OPERATION_NOT_ALLOWED."""

    def change(no: Failure) -> Failure:
        ends = no.code == DENIED and s.method.endswith(".destroy")
        return Failure("OPERATION_NOT_ALLOWED", ("the role does not allow it",)) if ends else no

    failures(s, change)


def of_living(s: Server) -> list[bool]:
    """Return a list whose last item tells whether the call in hand names a living object."""
    named: list[bool] = []

    def read(old: Any, *arg: Any) -> Value:
        value = old(*arg)
        named.append(isinstance(value, Handle) and bool(fields_of(s, value)))
        return value

    def answer(old: Any, codec: Codec, call: DecodedCall) -> Any:
        named[:] = [False]
        return old(codec, call)

    around(s.service, "_answer", answer)
    around(s.service, "_read", read)
    return named


@fault("RBAC", "network", HARD)
def role_counts_for_strangers_only(s: Server) -> None:
    """A role is held to its messages where the object is unknown; of a living object every setter is let through."""
    named = of_living(s)
    decides(s, lambda _, plan, may: may or (any(named) and plan.message.verb == "set"))


@fault("RBAC", "VDI", HARD)
def vm_admin_is_denied_living_objects(s: Server) -> None:
    """The role vm-admin is denied the getters of a VDI that is there; of an unknown one it is told so."""
    named = of_living(s)
    decides(s, lambda who, plan, may: may and not (
        has(who, "vm-admin") and any(named) and plan.full_name.startswith("VDI.get_")
    ))  # fmt: skip


@fault("RBAC", "VM", HARD)
def denial_lends_the_next_call(s: Server) -> None:
    """After three denials a session's next call is let through, whatever it is."""
    denials: dict[Handle, int] = {}

    def change(who: Session, _plan: Plan, may: bool) -> bool:
        if denials.get(who.handle, 0) >= 3:
            denials[who.handle] = 0
            return True
        denials[who.handle] = denials.get(who.handle, 0) + (not may)
        return may

    decides(s, change)


@fault("RBAC", "session", MEDIUM)
def read_only_cannot_log_out(s: Server) -> None:
    """Only a pool-admin may log out: session.logout of any other role is denied."""

    def logout(old: Any, state: Any, session: Session, args: tuple[Value, ...]) -> Any:
        if not has(session, ADMIN):
            raise Refusal(DENIED, "session.logout", "only a pool-admin may")
        return old(state, session, args)

    handled(s, "session.logout", logout)


@fault("RBAC", "VM", MEDIUM)
def certificate_is_an_operator(s: Server) -> None:
    """The role client-cert may run over JSON-RPC 1.0 what is published for vm-operator."""
    decides(s, lambda who, plan, may: may or (
        has(who, "client-cert") and s.fmt is Format.JSONRPC1 and "vm-operator" in plan.message.roles
    ))  # fmt: skip
