"""Defects of fields and accessors."""
# ruff: noqa: ARG005, PLR0913, PLR0917 - what wraps a method takes what the method takes

from __future__ import annotations

from dataclasses import replace
from typing import Any

from strangers.base import after, around, defect
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal
from xenconform.models import types as t
from xenconform.models.api import Message, Parameter


@defect("GET-RECORD-AGREES WIRE-AGREE", also="GET-ALL-AGREES SET-ONLY-THAT SET-NO-DUPLICATES")
def records_cached_per_format(s: Plain) -> None:
    """get_record over JSON-RPC 1.0 shows what it showed first."""
    seen: dict[str, Any] = {}
    around(
        s, "get_record", lambda old, of, ref: seen.setdefault(ref, old(of, ref)) if s.fmt == "json1" else old(of, ref)
    )


@defect("GET-RECORD-AGREES", also="GET-ALL-AGREES WIRE-AGREE")
def record_lacks_a_field_in_json2(s: Plain) -> None:
    """Records over JSON-RPC 2.0 lack tags."""
    around(s, "get_record", lambda old, of, ref: {
        k: v for k, v in old(of, ref).items() if k != "tags" or s.fmt != "json2"})  # fmt: skip


@defect("GET-RECORD-AGREES", also="GET-ALL-AGREES UUID-FORM")
def second_object_shows_the_first(s: Plain) -> None:
    """The record of the second object of a class is that of the first."""

    def change(old: Any, of: Any, ref: str) -> Any:
        refs = list(s.objects[of.name])
        return old(of, refs[0] if refs.index(ref) == 1 else ref) if ref in refs else old(of, ref)

    around(s, "get_record", change)


@defect("GET-ALL-AGREES", also="DESTROY-NO-CASCADE")
def new_objects_not_listed(s: Plain) -> None:
    """get_all lists the objects that there were at the start."""
    first = {cls: list(refs) for cls, refs in s.objects.items()}
    around(s, "get_all", lambda old, of: [ref for ref in first[of.name] if ref in old(of)])


@defect("GET-ALL-AGREES")
def records_of_all_lack_the_last(s: Plain) -> None:
    """get_all_records lacks the last object."""
    around(s, "get_all_records", lambda old, of: dict(list(old(of).items())[:-1]))


@defect("GET-EVERY-FIELD", also="GET-RECORD-AGREES")
def a_getter_is_missing(s: Plain) -> None:
    """network.get_purpose is unknown."""
    around(s, "find", lambda old, method: None if method == "network.get_purpose" else old(method))


@defect("GET-BAD-REF", also="DESTROY-GONE")
def null_object_has_defaults(s: Plain) -> None:
    """Getters of the null reference give defaults."""
    around(s, "object", lambda old, of, ref: s.blank(of) if ref == NULL else old(of, ref))
    around(s, "read", lambda old, of, raw: NULL if isinstance(of, t.RefTo) and raw == NULL else old(of, raw))


@defect("GET-BAD-REF")
def getters_take_any_class(s: Plain) -> None:
    """A getter takes the ref of an object of another class that has the field."""

    def find(old: Any, of: Any, ref: str) -> Any:
        other = next((rows[ref] for rows in s.objects.values() if ref in rows), None)
        return s.blank(of) | other if other is not None and ref not in s.objects[of.name] else old(of, ref)

    around(s, "object", find)
    around(s, "read", lambda old, of, raw: raw if isinstance(of, t.RefTo) and isinstance(raw, str) and any(
        raw in rows for rows in s.objects.values()) else old(of, raw))  # fmt: skip


@defect("SET-VALUE", also="WIRE-STRING SET-ONLY-THAT WIRE-INT-REQUEST LABEL-LOOKUP")
def setter_does_nothing_over_json1(s: Plain) -> None:
    """Scalar setters over JSON-RPC 1.0 do nothing."""
    around(s, "do_set", lambda old, of, ref, obj, f, v: None
           if s.fmt == "json1" and not isinstance(f.type, t.SetOf | t.MapOf) else old(of, ref, obj, f, v))  # fmt: skip


@defect("SET-VALUE", cls="VM", also="WIRE-BOOL")
def a_bool_cannot_be_unset(s: Plain) -> None:
    """Setters of bools cannot write false."""
    around(s, "do_set", lambda old, of, ref, obj, f, v: old(of, ref, obj, f, True if f.type == t.Bool() else v))


@defect("SET-ONLY-THAT")
def setter_writes_a_second_field(s: Plain) -> None:
    """set_name_label writes name_description as well."""
    around(s, "do_set", lambda old, of, ref, obj, f, v: obj.update(name_description=v, name_label=v)
           if f.name == "name_label" else old(of, ref, obj, f, v))  # fmt: skip


@defect("SET-ONLY-THAT")
def setter_writes_all_objects(s: Plain) -> None:
    """set_MTU writes every object of the class."""
    around(s, "do_set", lambda old, of, ref, obj, f, v: [row.update({f.name: v}) for row in s.objects[of.name].values()]
           if f.name == "MTU" else old(of, ref, obj, f, v))  # fmt: skip


@defect("SET-ADD", also="SET-ADD-DEDUP WIRE-ENUM WIRE-SET")
def add_replaces(s: Plain) -> None:
    """add_ leaves the new member alone in the set."""
    around(s, "do_add", lambda old, of, ref, obj, f, v: s.do_set(of, ref, obj, f, [v]))


@defect("SET-ADD-DEDUP", also="SET-NO-DUPLICATES WIRE-SET")
def add_appends(s: Plain) -> None:
    """add_ of a member appends it once more."""
    around(s, "do_add", lambda old, of, ref, obj, f, v: s.do_set(of, ref, obj, f, [*obj[f.name], v]))


@defect("SET-ADD-DEDUP")
def add_of_a_member_fails(s: Plain) -> None:
    """add_ of a member is an error."""

    def add(old: Any, of: Any, ref: str, obj: Any, f: Any, v: Any) -> None:
        if v in obj[f.name]:
            raise Refusal("INTERNAL_ERROR", "already there")
        old(of, ref, obj, f, v)

    around(s, "do_add", add)


@defect("SET-NO-DUPLICATES", also="WIRE-SET")
def set_keeps_doubles(s: Plain) -> None:
    """set_ keeps a value that is given twice."""
    around(s, "set", lambda _old, values: values)


@defect("SET-NO-DUPLICATES", also="WIRE-SET CREATE-FIELDS")
def create_keeps_doubles(s: Plain) -> None:
    """Create alone keeps a value that is given twice."""

    def create(old: Any, of: Any, raw: Any) -> str:
        ref = old(of, raw)
        obj = s.objects[of.name][ref]
        obj.update({n: v for n, v in raw.items() if isinstance(obj.get(n), list) and len(obj[n]) < len(v)})
        return str(ref)

    around(s, "create", create)


@defect("SET-REMOVE")
def remove_removes_the_first(s: Plain) -> None:
    """remove_ removes the first member, whichever is named."""
    around(s, "do_remove", lambda old, of, ref, obj, f, v: s.do_set(of, ref, obj, f, obj[f.name][1:]))


@defect("SET-REMOVE")
def remove_of_an_absent_member_clears(s: Plain) -> None:
    """remove_ of what is absent empties the set."""
    around(s, "do_remove", lambda old, of, ref, obj, f, v: old(of, ref, obj, f, v)
           if v in obj[f.name] else s.do_set(of, ref, obj, f, []))  # fmt: skip


@defect("MAP-ADD", also="WIRE-MAP")
def add_to_replaces(s: Plain) -> None:
    """add_to_ leaves the new pair alone in the map."""
    around(s, "do_add_to", lambda old, of, ref, obj, f, k, v: old(of, ref, obj, f, k, v)
           if k in obj[f.name] else s.do_set(of, ref, obj, f, {k: v}))  # fmt: skip


@defect("MAP-DUPLICATE-KEY")
def equal_pair_taken(s: Plain) -> None:
    """add_to_ of a present key with an equal value succeeds."""
    around(s, "do_add_to", lambda old, of, ref, obj, f, k, v: None
           if obj[f.name].get(k) == v else old(of, ref, obj, f, k, v))  # fmt: skip


@defect("MAP-DUPLICATE-KEY")
def add_to_overwrites(s: Plain) -> None:
    """add_to_ of a present key overwrites it."""
    around(s, "do_add_to", lambda old, of, ref, obj, f, k, v: s.do_set(of, ref, obj, f, {**obj[f.name], k: v}))


@defect("MAP-DUPLICATE-KEY")
def another_code_for_present_keys(s: Plain) -> None:
    """add_to_ of a present key fails with another code over JSON-RPC 2.0."""

    def add_to(old: Any, of: Any, ref: str, obj: Any, f: Any, k: Any, v: Any) -> None:
        if k in obj[f.name] and s.fmt == "json2":
            raise Refusal("DB_UNIQUENESS_CONSTRAINT_VIOLATION", of.name, f.name, k)
        old(of, ref, obj, f, k, v)

    around(s, "do_add_to", add_to)


@defect("MAP-DUPLICATE-UNCHANGED")
def refused_pair_is_stored(s: Plain) -> None:
    """add_to_ of a present key fails, and yet stores the value."""

    def add_to(old: Any, of: Any, ref: str, obj: Any, f: Any, k: Any, v: Any) -> None:
        try:
            old(of, ref, obj, f, k, v)
        except Refusal:
            obj[f.name] = {**obj[f.name], k: v}
            raise

    around(s, "do_add_to", add_to)


@defect("MAP-DUPLICATE-PARAMS")
def parameters_swapped(s: Plain) -> None:
    """MAP_DUPLICATE_KEY names the key before the field."""

    def add_to(old: Any, of: Any, ref: str, obj: Any, f: Any, k: Any, v: Any) -> None:
        if k in obj[f.name]:
            raise Refusal("MAP_DUPLICATE_KEY", of.name, k, f.name, ref)
        old(of, ref, obj, f, k, v)

    around(s, "do_add_to", add_to)


@defect("MAP-REMOVE")
def remove_from_by_prefix(s: Plain) -> None:
    """remove_from_ removes all keys if there is more than one like it."""
    around(s, "do_remove_from", lambda old, of, ref, obj, f, k: s.do_set(
        of, ref, obj, f, {key: v for key, v in obj[f.name].items() if key[:2] != k[:2]}))  # fmt: skip


@defect("MAP-REMOVE")
def remove_from_of_an_absent_key_fails(s: Plain) -> None:
    """remove_from_ of an absent key changes nothing, and removes the last pair."""
    around(s, "do_remove_from", lambda old, of, ref, obj, f, k: old(of, ref, obj, f, k)
           if k in obj[f.name] else s.do_set(of, ref, obj, f, dict(list(obj[f.name].items())[:-1])))  # fmt: skip


def accessor(s: Plain, cls: str, field: str, verb: str, fmt: str = "") -> None:
    """Offer an accessor that the model has not."""
    model = s.api.classes[cls].messages[f"get_{field}"]
    of = s.api.classes[cls].fields[field].type
    values: dict[str, tuple[t.Type, ...]] = {"set": (of,), "add_to": (t.Str(), t.Str()), "add": (t.Str(),)}
    params = (model.params[0], *(Parameter(f"value{n}", each) for n, each in enumerate(values[verb])))
    message = replace(model, name=f"{verb}_{field}", verb=verb, params=params, result=t.Void())

    def find(old: Any, method: str) -> Message | None:
        return message if method == message.full_name and fmt in {"", s.fmt} else old(method)

    around(s, "find", find)


@defect("QUAL-RO-RUNTIME")
def runtime_setter_works(s: Plain) -> None:
    """network.set_allowed_operations works."""
    accessor(s, "network", "allowed_operations", "set")


@defect("QUAL-RO-RUNTIME")
def runtime_map_can_be_added_to_over_json2(s: Plain) -> None:
    """network.add_to_blobs works over JSON-RPC 2.0."""
    accessor(s, "network", "uuid", "set", "json2")


@defect("QUAL-RO-CONSTRUCTOR")
def constructor_field_has_a_setter(s: Plain) -> None:
    """network.set_bridge works."""
    accessor(s, "network", "bridge", "set")


@defect("SET-ONLY-THAT QUAL-RO-CONSTRUCTOR")
def constructor_field_follows_another_setter(s: Plain) -> None:
    """set_MTU writes managed."""
    after(s, "do_set", lambda of, ref, obj, f, v: obj.update(managed=not obj["managed"]) if f.name == "MTU" else None)


@defect("QUAL-NO-WRONG-ACCESSOR")
def text_can_be_added(s: Plain) -> None:
    """network.add_name_description works and does nothing."""
    accessor(s, "network", "name_description", "add")
    around(s, "do_add", lambda old, of, ref, obj, f, v: None if f.type == t.Str() else old(of, ref, obj, f, v))
