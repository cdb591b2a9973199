"""Defects of objects, look-ups, bound fields and sessions."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tests.strangers.base import around, defect
from tests.strangers.plain_server import Plain
from tests.strangers.store import NULL, Refusal
from xenconform.models import types as t


@defect("CREATE-FIELDS", also="WIRE-SET SET-NO-DUPLICATES")
def create_ignores_tags(s: Plain) -> None:
    """create ignores tags."""
    around(s, "create", lambda old, of, raw: old(of, {k: v for k, v in raw.items() if k != "tags"}))


@defect("CREATE-FIELDS")
def create_over_json1_ignores_managed(s: Plain) -> None:
    """create over JSON-RPC 1.0 ignores managed."""
    around(s, "create", lambda old, of, raw: old(of, {
        k: v for k, v in raw.items() if k != "managed" or s.fmt != "json1"}))  # fmt: skip


@defect("CREATE-BAD", cls="VIF", also="BIND-CREATE BIND-SYMMETRY WIRE-TYPE")
def create_takes_unknown_refs(s: Plain) -> None:
    """A record may name objects that are not there."""
    around(s, "create", lambda old, of, raw: old(of, raw | {k: NULL for k, v in raw.items() if isinstance(
        of.fields[k].type, t.RefTo) and v not in s.objects[of.fields[k].type.cls]}))  # fmt: skip


@defect("CREATE-BAD", also="CREATE-DEFAULTS")
def refused_create_leaves_an_object(s: Plain) -> None:
    """A refused create leaves an object behind."""

    def create(old: Any, of: Any, raw: Any) -> Any:
        try:
            return old(of, raw)
        except Refusal:
            s.make(of, {k: v for k, v in raw.items() if k in of.fields and isinstance(v, str | dict)
                        and type(v) is type(s.default(of.fields[k]))})  # fmt: skip
            raise

    around(s, "create", create)


@defect("CREATE-DEFAULTS")
def a_default_is_wrong(s: Plain) -> None:
    """managed is false where it is left out."""
    around(s, "create", lambda old, of, raw: old(of, {"managed": False} | raw if of.name == "network" else raw))


@defect("CREATE-NEW", also="GET-BAD-REF DESTROY-GONE UUID-UNKNOWN DESTROY-AGAIN GET-BAD-REF-CODE DESTROY-NO-CASCADE")
def refs_used_again(s: Plain) -> None:
    """The ref of a destroyed object is given to the next one."""
    free: dict[str, list[str]] = defaultdict(list)
    around(s, "destroy", lambda old, of, ref: (old(of, ref), free[of.name].append(ref))[0])
    around(s, "new_ref", lambda old, cls: free[cls].pop() if free[cls] else old(cls))


@defect("CREATE-NEW", also="UUID-UNKNOWN")
def uuids_used_again(s: Plain) -> None:
    """The uuid of a destroyed object is given to the next one."""
    free: list[str] = []

    def destroy(old: Any, of: Any, ref: str) -> None:
        text = s.object(of, ref)["uuid"]
        old(of, ref)
        free.append(text)

    around(s, "destroy", destroy)
    around(s, "new_uuid", lambda old: free.pop() if free else old())


@defect("CREATE-NEW UUID-FORM", also="UUID-LOOKUP WHERE")
def one_uuid_for_all_over_json(s: Plain) -> None:
    """Objects made over JSON have one uuid."""
    text = s.new_uuid()
    around(s, "new_uuid", lambda old: text if s.fmt in {"json1", "json2"} else old())


@defect("UUID-LOOKUP", also="UUID-UNKNOWN WHERE")
def look_up_finds_the_newest(s: Plain) -> None:
    """get_by_uuid gives the newest object when there are many."""
    around(s, "by_uuid", lambda old, of, text: (old(of, text), list(s.objects[of.name])[-1])[1])


@defect("UUID-UNKNOWN")
def look_up_takes_refs(s: Plain) -> None:
    """get_by_uuid takes a ref."""
    around(s, "by_uuid", lambda old, of, text: text if text in s.objects[of.name] else old(of, text))


@defect("UUID-UNKNOWN")
def look_up_of_any_class(s: Plain) -> None:
    """get_by_uuid of another class's uuid gives that object."""

    def find(old: Any, of: Any, text: str) -> Any:
        found = [r for rows in s.objects.values() for r, row in rows.items() if row.get("uuid") == text]
        return found[0] if found else old(of, text)

    around(s, "by_uuid", find)


@defect("UUID-UNKNOWN")
def destroyed_uuid_is_found(s: Plain) -> None:
    """get_by_uuid finds destroyed objects."""
    gone: dict[str, str] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        text = s.object(of, ref).get("uuid", "")
        old(of, ref)
        gone[text] = ref

    around(s, "destroy", destroy)
    around(s, "by_uuid", lambda old, of, text: gone[text] if text in gone else old(of, text))


@defect("UUID-FORM", also="UUID-LOOKUP")
def uuids_without_dashes(s: Plain) -> None:
    """New uuids have no dashes."""
    around(s, "new_uuid", lambda old: old().replace("-", ""))


@defect("LABEL-LOOKUP")
def rename_not_indexed(s: Plain) -> None:
    """get_by_name_label knows the label that an object was made with."""
    first: dict[str, str] = {}

    def make(old: Any, of: Any, given: Any) -> Any:
        ref = old(of, given)
        first[ref] = s.objects[of.name][ref].get("name_label", "")
        return ref

    around(s, "make", make)
    around(s, "by_label", lambda _old, of, label: [
        r for r, row in s.objects[of.name].items() if first.get(r, row["name_label"]) == label])  # fmt: skip


def labels(s: Plain, matches: Any) -> None:
    """Look labels up by another test."""
    around(s, "by_label", lambda _old, of, x: [r for r, o in s.objects[of.name].items() if matches(o["name_label"], x)])


@defect("LABEL-LOOKUP")
def labels_without_case(s: Plain) -> None:
    """Labels are looked up without regard to case."""
    labels(s, lambda has, label: has.lower() == label.lower())


@defect("LABEL-LOOKUP")
def labels_by_prefix(s: Plain) -> None:
    """Labels are looked up by their beginning."""
    labels(s, lambda has, label: has.startswith(label))


@defect("LABEL-LOOKUP")
def labels_trimmed(s: Plain) -> None:
    """Labels are looked up without the spaces around them."""
    labels(s, lambda has, label: has.strip() == label.strip())


@defect("LABEL-LOOKUP")
def one_of_many_labels(s: Plain) -> None:
    """A look-up by label gives one object."""
    around(s, "by_label", lambda old, of, label: old(of, label)[:1])


@defect("DESTROY-GONE", also="UUID-UNKNOWN GET-BAD-REF DESTROY-AGAIN DESTROY-REFERENCED CREATE-BAD")
def destroyed_still_read_over_json2(s: Plain) -> None:
    """Getters over JSON-RPC 2.0 still show a destroyed object."""
    gone: dict[str, Any] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        obj = s.object(of, ref)
        old(of, ref)
        gone[ref] = obj

    around(s, "destroy", destroy)
    around(s, "object", lambda old, of, ref: gone[ref] if ref in gone and s.fmt == "json2" else old(of, ref))
    around(s, "read", lambda old, of, raw: raw if isinstance(of, t.RefTo) and isinstance(raw, str) and raw in gone
           and s.fmt == "json2" else old(of, raw))  # fmt: skip


@defect("DESTROY-GONE", also="GET-ALL-AGREES")
def destroyed_still_listed(s: Plain) -> None:
    """get_all still lists a destroyed object."""
    gone: dict[str, list[str]] = defaultdict(list)
    around(s, "destroy", lambda old, of, ref: (old(of, ref), gone[of.name].append(ref))[0])
    around(s, "run", lambda old, m, args: [*old(m, args), *gone[m.cls]] if m.name == "get_all" else old(m, args))


@defect("DESTROY-NO-CASCADE", also="DESTROY-GONE UUID-FORM LABEL-LOOKUP SET-VALUE")
def destroy_of_one_destroys_all(s: Plain) -> None:
    """destroy removes every object of the class."""
    around(s, "destroy", lambda old, of, ref: (old(of, ref), s.objects[of.name].clear())[0])


@defect("DESTROY-NO-CASCADE", cls="VIF")
def destroy_takes_what_it_refers_to(s: Plain) -> None:
    """destroy of a VIF destroys its network."""
    around(s, "destroy", lambda old, of, ref: (
        s.objects["network"].pop(s.object(of, ref)["network"], 0) if of.name == "VIF" else 0, old(of, ref))[1])  # fmt: skip


@defect("DESTROY-REFERENCED", also="BIND-SYMMETRY", cls="VM")
def referenced_can_be_destroyed(s: Plain) -> None:
    """destroy does not mind references."""
    s.users_of = lambda _of, _ref: []  # type: ignore[method-assign]


@defect("DESTROY-REFERENCED")
def destroy_cascades_to_referrers(s: Plain) -> None:
    """destroy of a network destroys its VIFs."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        for user in s.users_of(of, ref) if of.name == "network" else ():
            s.objects["VIF"].pop(user, None)
        old(of, ref)

    around(s, "destroy", destroy)


@defect("DESTROY-REFERENCED-UNCHANGED")
def refused_destroy_half_done(s: Plain) -> None:
    """A refused destroy has emptied other_config."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        if "other_config" in s.object(of, ref):
            s.object(of, ref)["other_config"] = {"destroying": "true"}
        old(of, ref)

    around(s, "destroy", destroy)


@defect("DESTROY-AGAIN", also="GET-BAD-REF")
def second_destroy_succeeds(s: Plain) -> None:
    """destroy of a destroyed object succeeds."""
    gone: set[str] = set()
    around(s, "destroy", lambda old, of, ref: None if ref in gone else (old(of, ref), gone.add(ref))[0])
    around(s, "read", lambda old, of, raw: raw if isinstance(of, t.RefTo) and isinstance(raw, str) and raw in gone else old(of, raw))


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
    far(s, lambda r, _ref, found: [x for x in found if x in there or (r.owner_cls, r.owner_field) != ("VIF", "network")])


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
    far(s, lambda r, ref, found: [*found, *(g for g in ghosts[ref] if g not in found)] if r.owner_field == "appliance" else found)


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
    around(s, "logout", lambda old, session: (old(session), ended.add(session))[0])
    around(s, "check_session", lambda old, x: None if s.fmt == "xml" and x in ended else old(x))


@defect("SESSION-LOGOUT")
def logout_ends_all(s: Plain) -> None:
    """Logging one session out ends the others that were opened over the same format."""
    around(s, "logout", lambda old, session: (old(session), [s.objects["session"].pop(k) for k in
                                                            list(s.objects["session"])[1:]])[0])  # fmt: skip


@defect("SESSION-REQUIRED", also="SESSION-LOGOUT WIRE-ARITY")
def getters_need_no_session(s: Plain) -> None:
    """get_ messages serve without a session."""
    now: list[str] = [""]
    around(s, "find", lambda old, method: (now.__setitem__(0, method), old(method))[1])
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
