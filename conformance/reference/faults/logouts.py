"""Faults of sessions that live: logging out, and serving over every format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xenconform.conformance.reference.faults.base import EASY, HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import handled, sessions
from xenconform.conformance.reference.faults.sessions import JSON1, JSON2, XML, lets_in, remembered, superuser
from xenconform.conformance.reference.sessions import Session
from xenconform.conformance.reference.state import Refusal
from xenconform.models.calls import Format
from xenconform.models.values import Handle, Value

# ---------------------------------------------------------------------------------------------------------- logging out


@fault("SESSION-LOGOUT", "session", HARD)
def logout_empties_one_cache_only(s: Server) -> None:
    """A session that was used over several formats lives on, after its logout, over those that did not carry it."""
    caches: dict[Format, dict[str, Session]] = {fmt: {} for fmt in Format}

    def change(find: Callable[[], Session], text: str) -> Session:
        cache = caches[s.fmt]
        if text in cache and not s.method.endswith("logout"):
            return cache[text]
        found = find()
        cache[text] = found
        if s.method.endswith("logout"):
            del cache[text]
        return found

    sessions(s, change)


@fault("SESSION-LOGOUT", "session", MEDIUM)
def logout_over_json_ends_nothing(s: Server) -> None:
    """Over JSON-RPC 2.0 session.logout succeeds and the session lives on."""
    handled(s, "session.logout", lambda old, *call: None if s.fmt is JSON2 else old(*call))


@fault("SESSION-LOGOUT", "session", HARD)
def logout_ends_the_one_before_too(s: Server) -> None:
    """Logging a session out over JSON-RPC 1.0 ends the session that was opened just before it as well."""

    def new(old: Any, state: Any, session: Session, args: tuple[Value, ...]) -> Any:
        older = [h for h in state.world.handles("session") if h.n < session.handle.n]
        if older and s.fmt is JSON1:
            state.logout(older[-1])
        return old(state, session, args)

    handled(s, "session.logout", new)


@fault("SESSION-LOGOUT", "session", MEDIUM, also="SESSION-REQUIRED")
def second_logout_succeeds(s: Server) -> None:
    """session.logout succeeds for a session that was logged out already."""
    book = remembered(s)
    lets_in(s, lambda text: book.get(text) if s.method == "session.logout" else None)
    handled(s, "session.logout", lambda old, state, session, args: (
        old(state, session, args) if state.sessions.get(session.handle) else None))  # fmt: skip


@fault("SESSION-LOGOUT", "session", HARD)
def login_revives_dead_sessions(s: Server) -> None:
    """Once the user logs in again, the sessions that were logged out before serve again."""
    book, alive = remembered(s), set[str]()

    def login(old: Any, *args: str) -> Handle:
        alive.update(book)
        found: Handle = old(*args)
        return found

    around(s.state, "login", login)
    lets_in(s, lambda text: book.get(text) if text in alive else None)


@fault("SESSION-LOGOUT", "session", MEDIUM)
def dead_session_still_watches(s: Server) -> None:
    """A session that was logged out can still call event.from."""
    book = remembered(s)
    lets_in(s, lambda text: book.get(text) if s.method == "event.from" else None)


@fault("SESSION-LOGOUT", "session", MEDIUM, also="CONC-LINEARIZABLE")
def logins_share_a_session(s: Server) -> None:
    """Logging in over JSON-RPC 2.0 gives the user's latest session again, so that one logout ends both."""

    def login(old: Any, name: str, password: str, originator: str) -> Handle:
        made: Handle = old(name, password, originator)
        mine = [h for h in s.state.world.handles("session") if h != made and s.state.sessions.get(h)]
        mine = [h for h in mine if (s.state.sessions.get(h) or superuser()).name == name]
        if s.fmt is not JSON2 or not mine:
            return made
        s.state.logout(made)
        return mine[-1]

    around(s.state, "login", login)


# ---------------------------------------------------------------------------------------------------- over every format


def opened_over(s: Server) -> dict[Handle, Format]:
    """Return a book, kept from now on, of the format over which each session was opened."""
    book: dict[Handle, Format] = {}

    def login(old: Any, *args: str) -> Handle:
        made: Handle = old(*args)
        book[made] = s.fmt
        return made

    around(s.state, "login", login)
    return book


def _strangers(s: Server, opened: Format, used: Format, is_one: Callable[[Session], bool]) -> None:
    """Let sessions of one format be none over another, where a condition holds."""
    book = opened_over(s)

    def change(find: Callable[[], Session], text: str) -> Session:
        found = find()
        if book.get(found.handle) is opened and s.fmt is used and is_one(found):
            raise Refusal("SESSION_INVALID", text)
        return found

    sessions(s, change)


@fault("WIRE-SESSION-SHARED", "session", EASY)
def json_sessions_are_unknown_to_xml(s: Server) -> None:
    """A session opened over JSON-RPC 2.0 is none over XML-RPC."""
    _strangers(s, JSON2, XML, lambda _: True)


@fault("WIRE-SESSION-SHARED", "session", HARD)
def sessions_of_old_json_do_not_write_over_new(s: Server) -> None:
    """A session opened over JSON-RPC 1.0 reads over JSON-RPC 2.0, and its setters fail there with SESSION_INVALID."""
    _strangers(s, JSON1, JSON2, lambda _: ".get_" not in s.method)


@fault("WIRE-SESSION-SHARED", "session", HARD)
def shared_session_serves_once(s: Server) -> None:
    """A session opened over JSON-RPC 2.0 serves over JSON-RPC 1.0 for one call, and is none there from then on."""
    used: set[Handle] = set()

    def is_one(found: Session) -> bool:
        late = found.handle in used
        used.add(found.handle)
        return late

    _strangers(s, JSON2, JSON1, is_one)


@fault("WIRE-SESSION-SHARED", "session", HARD)
def xml_does_not_end_json_sessions(s: Server) -> None:
    """A session opened over JSON-RPC 1.0 cannot be logged out over XML-RPC: SESSION_INVALID."""
    _strangers(s, JSON1, XML, lambda _: s.method == "session.logout")


@fault("WIRE-SESSION-SHARED", "session", HARD)
def roles_stay_with_the_format(s: Server) -> None:
    """A session opened over JSON-RPC 2.0 has no role over XML-RPC, so that all but reading is denied there."""
    book = opened_over(s)

    def may(old: Any, session: Session, plan: Any) -> bool:
        foreign = book.get(session.handle) is JSON2 and s.fmt is XML
        return bool(old(session, plan)) and not (foreign and "read-only" not in plan.message.roles)

    around(s.service, "_may", may)


@fault("SESSION-LOGOUT", "session", MEDIUM, also="SESSION-REQUIRED")
def dead_session_reads_sessions(s: Server) -> None:
    """A session that was logged out can still read the fields of the sessions that live."""
    book = remembered(s)
    lets_in(s, lambda text: book.get(text) if s.method.startswith("session.get_") else None)
