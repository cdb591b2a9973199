"""Defects of bound fields, queries and sessions."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from strangers.base import after, around, defect
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal


def far(s: Plain, change: Any) -> None:
    """Change what derived ends show: `change(relation, ref, found)`."""

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        relation = s.derived.get((of.name, field.name))
        found = old(of, obj, ref, field)
        return found if relation is None or not isinstance(found, list) else change(relation, ref, found)

    around(s, "get", get)


@defect("BIND-CREATE", cls="VIF", also="BIND-SYMMETRY BIND-DESTROY")
def far_end_not_bound_at_create(s: Plain) -> None:
    """A new VIF is missing in its network."""
    there = {ref for rows in s.objects.values() for ref in rows}
    far(
        s, lambda r, _ref, found: [x for x in found if x in there or (r.owner_cls, r.owner_field) != ("VIF", "network")]
    )


@defect("BIND-CREATE", cls="VIF", also="BIND-SYMMETRY BIND-DESTROY WIRE-AGREE GET-RECORD-AGREES")
def far_end_stale_over_json1(s: Plain) -> None:
    """VM.VIFs over JSON-RPC 1.0 lacks the newest VIF."""
    far(s, lambda r, _ref, found: found[:-1] if s.fmt == "json1" and r.derived_field == "VIFs" else found)


@defect("BIND-DESTROY DESTROY-GONE", cls="VIF", also="BIND-SYMMETRY")
def far_end_keeps_the_destroyed(s: Plain) -> None:
    """A VM keeps its destroyed VIFs."""
    ghosts: dict[str, list[str]] = defaultdict(list)

    def destroy(old: Any, of: Any, ref: str) -> None:
        vm = s.object(of, ref).get("VM")
        old(of, ref)
        if of.name == "VIF" and vm:
            ghosts[vm].append(ref)

    around(s, "destroy", destroy)
    far(s, lambda r, ref, found: [*found, *ghosts[ref]] if (r.owner_cls, r.owner_field) == ("VIF", "VM") else found)


@defect("BIND-MOVE", cls="VM", also="BIND-SYMMETRY")
def old_far_end_keeps_the_moved(s: Plain) -> None:
    """An appliance keeps a VM that went to another one."""
    ghosts: dict[str, list[str]] = defaultdict(list)

    def do_set(old: Any, of: Any, ref: str, obj: Any, f: Any, v: Any) -> None:
        if f.name == "appliance":
            ghosts[obj[f.name]].append(ref)
        old(of, ref, obj, f, v)

    around(s, "do_set", do_set)
    far(
        s,
        lambda r, ref, found: (
            [*found, *(g for g in ghosts[ref] if g not in found)] if r.owner_field == "appliance" else found
        ),
    )


@defect("BIND-SYMMETRY", cls="PIF")
def seed_is_one_sided(s: Plain) -> None:
    """A network lacks the PIF that names it, from the start."""
    far(s, lambda r, _ref, found: [] if (r.owner_cls, r.owner_field) == ("PIF", "network") else found)


@defect("WHERE")
def every_query_matches(s: Plain) -> None:
    """get_all_records_where gives all records."""
    around(s, "where", lambda old, of, _query: old(of, "true"))


# ------------------------------------------------------------------------------------------------------------ sessions


@defect("SESSION-LOGIN")
def empty_password_taken(s: Plain) -> None:
    """An empty password is taken."""
    around(s, "login", lambda old, raw: s.make(s.api.classes["session"], {}) if raw[1:2] == [""] else old(raw))


@defect("SESSION-LOGOUT SESSION-REQUIRED")
def logged_out_lives_over_xml(s: Plain) -> None:
    """A session that is logged out over JSON still serves over XML."""
    ended: set[str] = set()
    after(s, "logout", ended.add)
    around(s, "check_session", lambda old, x: None if s.fmt == "xml" and x in ended else old(x))


@defect("SESSION-LOGOUT")
def logout_ends_all(s: Plain) -> None:
    """Logging one session out ends the others that were opened over the same format."""
    after(s, "logout", lambda _session: [s.objects["session"].pop(k) for k in list(s.objects["session"])[1:]])


@defect("SESSION-REQUIRED", also="SESSION-LOGOUT WIRE-ARITY")
def getters_need_no_session(s: Plain) -> None:
    """get_ messages serve without a session."""
    now: list[str] = [""]
    after(s, "find", lambda method: now.insert(0, method))
    around(s, "check_session", lambda old, x: None if ".get_" in now[0] else old(x))


@defect("SESSION-REQUIRED")
def null_session_taken(s: Plain) -> None:
    """The null reference is a session."""
    around(s, "check_session", lambda old, x: None if x == NULL else old(x))


@defect("SESSION-REQUIRED")
def effect_before_the_session(s: Plain) -> None:
    """A setter takes effect, and then the session is checked."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if ".set_" in method and raw and raw[0] not in s.objects["session"]:
            old(fmt, method, [next(iter(s.objects["session"])), *raw[1:]])
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("WIRE-SESSION-SHARED SESSION-LOGOUT", also="SESSION-REQUIRED")
def sessions_of_json_alone(s: Plain) -> None:
    """A session that was opened over JSON-RPC 2.0 does not serve over XML."""
    theirs: set[str] = set()

    def login(old: Any, raw: Any) -> Any:
        session = old(raw)
        if s.fmt == "json2":
            theirs.add(session)
        return session

    def check(old: Any, session: Any) -> None:
        if s.fmt == "xml" and session in theirs:
            raise Refusal("SESSION_INVALID", session)
        old(session)

    around(s, "login", login)
    around(s, "check_session", check)
