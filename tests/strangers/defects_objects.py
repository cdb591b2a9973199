"""Defects of objects, look-ups, bound fields and sessions."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from strangers.base import after, around, defect
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal
from xenconform.models import types as t


@defect("CREATE-FIELDS", also="WIRE-SET SET-NO-DUPLICATES CREATE-BAD")
def create_ignores_tags(s: Plain) -> None:
    """Create ignores tags."""
    around(s, "create", lambda old, of, raw: old(of, {k: v for k, v in raw.items() if k != "tags"}))


@defect("CREATE-FIELDS")
def create_over_json1_ignores_managed(s: Plain) -> None:
    """Create over JSON-RPC 1.0 ignores managed."""
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
    """Managed is false where it is left out."""
    around(s, "create", lambda old, of, raw: old(of, {"managed": False} | raw if of.name == "network" else raw))


@defect("CREATE-NEW", also="GET-BAD-REF DESTROY-GONE UUID-UNKNOWN DESTROY-AGAIN GET-BAD-REF-CODE DESTROY-NO-CASCADE")
def refs_used_again(s: Plain) -> None:
    """The ref of a destroyed object is given to the next one."""
    free: dict[str, list[str]] = defaultdict(list)
    after(s, "destroy", lambda of, ref: free[of.name].append(ref))
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
    after(s, "destroy", lambda of, ref: gone[of.name].append(ref))
    around(s, "run", lambda old, m, args: [*old(m, args), *gone[m.cls]] if m.name == "get_all" else old(m, args))


@defect("DESTROY-NO-CASCADE", also="DESTROY-GONE UUID-FORM LABEL-LOOKUP SET-VALUE")
def destroy_of_one_destroys_all(s: Plain) -> None:
    """Destroy removes every object of the class."""
    after(s, "destroy", lambda of, _ref: s.objects[of.name].clear())


@defect("DESTROY-NO-CASCADE", cls="VIF")
def destroy_takes_what_it_refers_to(s: Plain) -> None:
    """Destroy of a VIF destroys its network."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        network = s.object(of, ref)["network"] if of.name == "VIF" else ""
        old(of, ref)
        s.objects["network"].pop(network, None)

    around(s, "destroy", destroy)


@defect("DESTROY-REFERENCED", also="BIND-SYMMETRY", cls="VM")
def referenced_can_be_destroyed(s: Plain) -> None:
    """Destroy does not mind references."""
    around(s, "users_of", lambda _old, _of, _ref: [])


@defect("DESTROY-REFERENCED")
def destroy_cascades_to_referrers(s: Plain) -> None:
    """Destroy of a network destroys its VIFs."""

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
    """Destroy of a destroyed object succeeds."""
    gone: set[str] = set()
    around(s, "destroy", lambda old, of, ref: None if ref in gone else old(of, ref))
    after(s, "destroy", lambda _of, ref: gone.add(ref))
    around(
        s,
        "read",
        lambda old, of, raw: raw if isinstance(of, t.RefTo) and isinstance(raw, str) and raw in gone else old(of, raw),
    )
