"""Faults of sessions: logging in, and what may be done without one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from xenconform.conformance.codec import Codec, DecodedCall, Scalar
from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.objects import carrying_out
from xenconform.conformance.reference.faults.seams import failures, sessions
from xenconform.conformance.reference.sessions import Session
from xenconform.conformance.reference.state import Refusal
from xenconform.conformance.reference.users import ADMIN, User
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.types import NULL_REF
from xenconform.models.values import null

XML, JSON1, JSON2 = Format.XMLRPC, Format.JSONRPC1, Format.JSONRPC2


def superuser() -> Session:
    """Return a session that may do everything, of nobody who logged in."""
    return Session(null("session"), "root", User("", frozenset({ADMIN})))


def lets_in(s: Server, who: Callable[[str], Session | None]) -> None:
    """Let calls whose session is none go on with the one that is given for its text, if any."""

    def change(find: Callable[[], Session], text: str) -> Session:
        try:
            return find()
        except Refusal as no:
            found = who(text) if no.failure.code == "SESSION_INVALID" else None
            if found is None:
                raise
            return found

    sessions(s, change)


def remembered(s: Server) -> dict[str, Session]:
    """Return a book, kept from now on, of the sessions that calls had, by their refs; it keeps those that ended."""
    book: dict[str, Session] = {}

    def change(find: Callable[[], Session], text: str) -> Session:
        book[text] = found = find()
        return found

    sessions(s, change)
    return book


def passwords(s: Server, will_do: Callable[[str, str, dict[str, str]], str]) -> None:
    """Log users in with another password than they gave: of the user, the password, those right before."""
    right: dict[str, str] = {}

    def user(old: Any, name: str, password: str) -> User | None:
        found: User | None = old(name, password) or old(name, will_do(name, password, right))
        if old(name, password):
            right[name] = password
        return found

    around(s.state.sessions, "user", user)


# ----------------------------------------------------------------------------------------------------------- logging in


@fault("SESSION-LOGIN", "session", MEDIUM)
def xml_password_is_trimmed(s: Server) -> None:
    """Over XML-RPC a password with spaces around it logs in."""
    passwords(s, lambda _, given, __: given.strip() if s.fmt is XML else given)


@fault("SESSION-LOGIN", "session", MEDIUM)
def password_case_does_not_count(s: Server) -> None:
    """A password in capitals logs in where the right one is in small letters."""
    passwords(s, lambda _, given, __: given.lower())


@fault("SESSION-LOGIN", "session", HARD)
def a_part_of_the_password_will_do(s: Server) -> None:
    """Once a user has logged in, the first half of the password, or more of it, logs in too."""

    def will_do(name: str, given: str, right: dict[str, str]) -> str:
        known = right.get(name, "")
        return known if known.startswith(given) and len(given) * 2 >= len(known) > 0 else given

    passwords(s, will_do)


@fault("SESSION-LOGIN", "session", MEDIUM)
def empty_password_is_no_password(s: Server) -> None:
    """Over JSON-RPC 1.0 an empty password logs in as any user who has logged in before."""
    passwords(s, lambda name, given, right: right.get(name, given) if not given and s.fmt is JSON1 else given)


@fault("SESSION-LOGIN", "session", HARD)
def good_login_after_a_bad_one_fails(s: Server) -> None:
    """The first right login of a user after a wrong password fails; the second opens a session."""
    failed: set[str] = set()

    def user(old: Any, name: str, password: str) -> User | None:
        found: User | None = old(name, password)
        late = name in failed
        failed.discard(name)
        if found is None:
            failed.add(name)
        return None if late else found

    around(s.state.sessions, "user", user)


@fault("SESSION-LOGIN", "session", MEDIUM)
def unknown_user_is_told_apart(s: Server) -> None:
    """Logging in as a user that there is none of fails with HANDLE_INVALID."""

    def change(no: Failure) -> Failure:
        unknown = no.code == "SESSION_AUTHENTICATION_FAILED" and no.params[0] not in {"root", ""}
        return Failure("HANDLE_INVALID", ("user", no.params[0])) if unknown else no

    failures(s, change)


@fault("SESSION-LOGIN", "session", MEDIUM)
def bad_login_gives_the_null_session(s: Server) -> None:
    """Over JSON-RPC 2.0 wrong credentials succeed with the null reference."""
    failures(s, lambda no: Success(NULL_REF) if s.fmt is JSON2 and no.code == "SESSION_AUTHENTICATION_FAILED" else no)


# ---------------------------------------------------------------------------------------------------- without a session


@fault("SESSION-REQUIRED", "VM", HARD)
def null_session_reads_vms(s: Server) -> None:
    """Over JSON-RPC 2.0 the getters of VM answer where the session is the null reference."""
    lets_in(s, lambda text: superuser() if text == NULL_REF and s.fmt is JSON2 and "VM.get_" in s.method else None)


@fault("SESSION-REQUIRED", "SR", MEDIUM)
def any_living_ref_is_a_session(s: Server) -> None:
    """Messages of SR take the ref of any object in place of a session's."""
    known = s.state.refs
    lets_in(s, lambda text: superuser() if s.method.startswith("SR.") and known.handle(text) else None)


@fault("SESSION-REQUIRED", "pool", MEDIUM, also="SESSION-LOGOUT")
def asynchronous_calls_need_no_session(s: Server) -> None:
    """Asynchronous calls begin their task whatever the session."""
    lets_in(s, lambda _: superuser() if s.method.startswith("Async.") else None)


@fault("SESSION-REQUIRED", "network", MEDIUM, also="ROBUST-AUTH")
def session_is_found_by_its_beginning(s: Server) -> None:
    """A session's ref with more text behind it counts as that session's."""
    book = remembered(s)
    lets_in(s, lambda text: next((one for ref, one in book.items() if text != ref and text.startswith(ref)), None))


@fault("SESSION-REQUIRED", "task", MEDIUM)
def uuid_serves_as_session(s: Server) -> None:
    """The uuid of a session is taken in place of its ref by the messages that read tasks."""

    def who(text: str) -> Session | None:
        world = s.state.world
        there = (h for h in world.handles("session") if (world.record(h) or {}).get("uuid") == text)
        return superuser() if next(there, None) and s.method.startswith("task.get_") else None

    lets_in(s, who)


@fault("SESSION-REQUIRED", "secret", MEDIUM)
def empty_session_serves_xml(s: Server) -> None:
    """Over XML-RPC secrets can be read where the session is the empty text."""
    lets_in(s, lambda text: superuser() if not text and s.fmt is XML and s.method.startswith("secret.get_") else None)


@fault("SESSION-REQUIRED", "host", MEDIUM, also="ROBUST-AUTH WIRE-ARITY")
def listing_needs_no_parameters(s: Server) -> None:
    """Over JSON-RPC 1.0 get_all answers without any parameter."""
    lets_in(s, lambda text: superuser() if not text and s.fmt is JSON1 and s.method.endswith(".get_all") else None)

    def answer(old: Any, codec: Codec, call: DecodedCall) -> Any:
        bare = not call.params and call.method.endswith(".get_all") and codec.format is JSON1
        return old(codec, replace(call, params=(Scalar("string", ""),)) if bare else call)

    around(s.service, "_answer", answer)


def _done_all_the_same(s: Server, name: str) -> None:
    """Let a message of one name do what it does before it is refused for its session."""
    do = carrying_out(s)

    def session(old: Any, plan: Any, call: DecodedCall) -> Session:
        try:
            found: Session = old(plan, call)
        except Refusal:
            if plan.message.name == name and not plan.is_async:
                do(plan)
            raise
        return found

    around(s.service, "_session", session)


@fault("SESSION-REQUIRED", "VM_appliance", HARD, also="ROBUST-NO-EFFECT")
def made_before_the_session_is_looked_at(s: Server) -> None:
    """Without a valid session create fails with SESSION_INVALID, and the object is there all the same."""
    _done_all_the_same(s, "create")


@fault("SESSION-REQUIRED", "secret", HARD, also="ROBUST-NO-EFFECT")
def ended_before_the_session_is_looked_at(s: Server) -> None:
    """Without a valid session destroy fails with SESSION_INVALID, and the object is gone all the same."""
    _done_all_the_same(s, "destroy")


@fault("SESSION-REQUIRED", "VDI", MEDIUM)
def bad_session_is_a_bad_handle(s: Server) -> None:
    """Over JSON-RPC 1.0 setters of VDI fail with HANDLE_INVALID where the session is none."""
    failures(
        s,
        lambda no: (
            Failure("HANDLE_INVALID", ("session", *no.params))
            if no.code == "SESSION_INVALID" and s.fmt is JSON1 and s.method.startswith("VDI.set_")
            else no
        ),
    )
