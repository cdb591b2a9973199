"""Defects of fields and objects, written without a look at the checks, to learn what the suite misses."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from strangers.base import after, around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.store import plain
from strangers.values import NULL, Refusal
from xenconform.models import types as t
from xenconform.models.api import Parameter, Qualifier

# ------------------------------------------------------------------------------ easy: everything of a kind shows it


@defect("SET-REMOVE", cls="pool")
def splice_at_minus_one(s: Plain) -> None:
    """Removing a value that a set does not hold takes the set's last member away (splice(indexOf(v), 1))."""

    def do_remove(old: Any, of: Any, ref: str, obj: Any, field: Any, value: Any) -> None:
        held = obj[field.name]
        old(of, ref, obj, field, held[-1] if held and value not in held else value)

    around(s, "do_remove", do_remove)


@defect("LABEL-LOOKUP", cls="VM_appliance")
def labels_under_a_collation(s: Plain) -> None:
    """get_by_name_label also finds labels that differ in case or in spaces at the end, as an SQL collation does."""

    def folded(text: str) -> Any:
        return text.rstrip(" ").casefold()

    def by_label(_old: Any, of: Any, label: str) -> list[str]:
        return [ref for ref, row in s.objects[of.name].items() if folded(row["name_label"]) == folded(label)]

    around(s, "by_label", by_label)


@defect("DESTROY-AGAIN", also="DESTROY-GONE CALL-BAD-REF CALL-BAD-REF-CODE", cls="PVS_proxy")
def delete_of_no_row_succeeds(s: Plain) -> None:
    """A second destroy of an object succeeds, since DELETE of no row is no error."""
    gone: set[tuple[str, str]] = set()
    after(s, "destroy", lambda of, ref: gone.add((of.name, ref)))

    def again(no: Refusal, cls: str, name: str, ref: Any) -> Any:
        known = isinstance(ref, str) and (cls, ref) in gone
        return known and no.args[0] == "HANDLE_INVALID" and name == s.api.classes[cls].destructor

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            cls, _, name = method.partition(".")
            if len(raw) == 2 and cls in s.api.classes and again(no, cls, name, raw[1]):
                return t.Void(), None
            raise

    def carry_out(old: Any, job: Any) -> Any:
        try:
            return old(job)
        except Refusal as no:
            if len(job.raw) == 1 and again(no, job.message.cls, job.message.name, job.raw[0]):
                return None
            raise

    around(s, "call", call)
    around(s, "carry_out", carry_out)


@defect("CREATE-BAD", also="ROBUST-NO-EFFECT", cls="VBD")
def insert_then_foreign_keys(s: Plain) -> None:
    """A create whose record holds a ref to no object fails, yet a row with the record's other values stays behind."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        try:
            return old(of, raw)
        except Refusal as no:
            if no.args[0] == "HANDLE_INVALID":
                fields = [f for n, f in of.fields.items() if n in raw and f.qualifier is not Qualifier.RUNTIME]
                kept = [f for f in fields if not t.refs_in(f.type)]
                s.make(of, {f.name: s.read(f.type, raw[f.name]) for f in kept})
            raise

    around(s, "create", create)


@defect("QUAL-NO-WRONG-ACCESSOR", cls="tunnel")
def add_is_short_for_add_to(s: Plain) -> None:
    """add_f(self, key, value) and remove_f(self, key) work on maps, as a dispatcher takes them for add_to and more."""

    def find(old: Any, method: str) -> Any:
        found = old(method)
        like = re.fullmatch(r"(\w+)\.(add|remove)_(\w+)", method)
        if found is not None or like is None:
            return found
        cls, verb, name = like.groups()
        of = s.api.classes.get(cls)
        if of is None or name not in of.fields or not isinstance(of.fields[name].type, t.MapOf):
            return None
        return old(f"{cls}.{verb}_{'to' if verb == 'add' else 'from'}_{name}")

    around(s, "find", find)


@defect("CREATE-DEFAULTS", cls="network")
def zero_values_for_defaults(s: Plain) -> None:
    """What a create leaves out becomes 0, false or empty, the language's zero value, not the published default."""

    def default(old: Any, field: Any) -> Any:
        return old(field) if field.qualifier is Qualifier.RUNTIME else plain(field.type)

    around(s, "default", default)


@defect("GET-BAD-REF", also="GET-BAD-REF-CODE", cls="PBD")
def null_object(s: Plain) -> None:
    """A getter of the null ref answers with an empty value (the null-object pattern) in place of an error."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.verb == "get" and message.field and args and args[0] == NULL:
            return plain(message.result)
        return old(message, args)

    around(s, "run", run)


@defect("SET-NO-DUPLICATES", cls="VDI")
def a_list_for_a_set(s: Plain) -> None:
    """A create or set_f that gives a value twice is shown with the value twice, since sets are kept as lists."""
    around(s, "set", lambda _old, values: values)


@defect("DESTROY-REFERENCED-UNCHANGED", also="ROBUST-NO-EFFECT", cls="SR")
def child_rows_first(s: Plain) -> None:
    """A destroy that is refused because of a reference has emptied the object's other_config all the same."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        try:
            old(of, ref)
        except Refusal as no:
            if no.args[0] == "OBJECT_IN_USE" and "other_config" in of.fields:
                s.objects[of.name][ref]["other_config"] = {}
            raise

    around(s, "destroy", destroy)


@defect("DESTROY-GONE", also="GET-ALL-AGREES", cls="blob")
def list_cache_forgets_to_forget(s: Plain) -> None:
    """get_all still names a destroyed object if it was asked before, until the next create of the class."""
    cache: dict[str, list[str]] = {}

    def get_all(old: Any, of: Any) -> list[str]:
        if of.name not in cache:
            cache[of.name] = old(of)
        return list(cache[of.name])

    def records(_old: Any, of: Any) -> dict[str, Any]:
        return {ref: s.get_record(of, ref) for ref in list(s.objects[of.name])}

    around(s, "get_all", get_all)
    around(s, "get_all_records", records)
    after(s, "make", lambda of, _given: cache.pop(of.name, None))


# ------------------------------------------------------------------- medium: one format, or one class, or one field


@defect("GET-RECORD-AGREES", also="WIRE-AGREE", cls="PVS_cache_storage")
def nulls_left_out_of_records(s: Plain) -> None:
    """Over JSON-RPC 2.0 a record lacks its fields that hold the null ref (a serializer that leaves nulls out)."""

    def lean(of: Any, record: dict[str, Any]) -> dict[str, Any]:
        return {n: v for n, v in record.items() if v != NULL or not isinstance(of.fields[n].type, t.RefTo)}

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        result, of = old(message, args), s.api.classes[message.cls]
        if s.fmt != "json2":
            return result
        if message.name == "get_record":
            return lean(of, result)
        if message.name in {"get_all_records", "get_all_records_where"}:
            return {ref: lean(of, record) for ref, record in result.items()}
        return result

    around(s, "run", run)


@defect("BIND-MOVE", also="BIND-SYMMETRY", cls="VM")
def moved_but_not_moved_out(s: Plain) -> None:
    """A VM that is moved from one appliance straight to another stays in the VMs of the first as well."""
    left: dict[str, set[str]] = {}

    def set_appliance(old: Any, ref: str, obj: Any, value: str) -> None:
        before = obj["appliance"]
        old(value)
        if NULL in {before, value}:
            left.pop(ref, None)
        elif before != value:
            left.setdefault(ref, set()).add(before)
            left[ref].discard(value)

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) != ("VM_appliance", "VMs"):
            return value
        return [*value, *(vm for vm, old_ones in left.items() if ref in old_ones and vm in s.objects["VM"])]

    doing(s, "set", "VM", "appliance", set_appliance)
    around(s, "get", get)


@defect("BIND-DESTROY", also="DESTROY-GONE BIND-SYMMETRY", cls="VUSB")
def one_far_end_of_two(s: Plain) -> None:
    """A destroyed VUSB leaves the VUSBs of its VM, but not those of its USB_group."""
    stale: dict[str, list[str]] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        group = s.objects["VUSB"].get(ref, {}).get("USB_group")
        old(of, ref)
        if of.name == "VUSB" and group:
            stale.setdefault(group, []).append(ref)

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        return [*value, *stale.get(ref, [])] if (of.name, field.name) == ("USB_group", "VUSBs") else value

    around(s, "destroy", destroy)
    around(s, "get", get)


@defect("SET-ONLY-THAT", cls="VIF")
def tidies_allowed_addresses(s: Plain) -> None:
    """Setting a VIF's locking_mode to anything but locked empties its ipv4_allowed and ipv6_allowed."""

    def set_mode(old: Any, _ref: str, obj: Any, value: str) -> None:
        old(value)
        if value != "locked":
            obj |= {"ipv4_allowed": [], "ipv6_allowed": []}

    doing(s, "set", "VIF", "locking_mode", set_mode)


@defect("UUID-LOOKUP", cls="SDN_controller")
def index_filled_by_create_alone(s: Plain) -> None:
    """get_by_uuid does not know objects that came from a constructor with named parameters, as introduce is one."""
    unknown: set[str] = set()
    inside: list[str] = []

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        inside.append(of.name)
        try:
            return old(of, raw)
        finally:
            inside.pop()

    def make(old: Any, of: Any, given: dict[str, Any]) -> Any:
        ref = old(of, given)
        if not inside and of.name not in {"session", "task"}:
            unknown.add(ref)
        return ref

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        ref = old(of, text)
        if ref in unknown:
            raise Refusal("UUID_INVALID", of.name, text)
        return ref

    around(s, "create", create)
    around(s, "make", make)
    around(s, "by_uuid", by_uuid)


@defect("UUID-UNKNOWN", also="UUID-UNKNOWN-CODE DESTROY-GONE", cls="Observer")
def memo_of_uuids(s: Plain) -> None:
    """get_by_uuid of a destroyed object still gives its ref if it was asked while the object was there."""
    memo: dict[tuple[str, str], str] = {}

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        if (of.name, text) not in memo:
            memo[of.name, text] = old(of, text)
        return memo[of.name, text]

    around(s, "by_uuid", by_uuid)


@defect("QUAL-RO-RUNTIME", cls="VM_metrics")
def setters_for_timestamps(s: Plain) -> None:
    """Fields of type datetime that are RO/runtime have a set_f that works, out of a code generator's template."""

    def find(old: Any, method: str) -> Any:
        found = old(method)
        like = re.fullmatch(r"(\w+)\.set_(\w+)", method)
        if found is not None or like is None:
            return found
        of = s.api.classes.get(like[1])
        field = of.fields.get(like[2]) if of else None
        if field is None or field.type != t.DateTime() or field.qualifier is not Qualifier.RUNTIME:
            return None
        getter = old(f"{like[1]}.get_{like[2]}")
        params = (*getter.params, Parameter("value", field.type))
        return replace(getter, name=f"set_{field.name}", params=params, result=t.Void(), verb="set")

    around(s, "find", find)


@defect("WHERE", cls="GPU_group")
def query_cache(s: Plain) -> None:
    """get_all_records_where repeats its last answer to a query after a setter, until a create or a destroy."""
    cache: dict[tuple[str, str], dict[str, Any]] = {}

    def where(old: Any, of: Any, query: str) -> dict[str, Any]:
        if (of.name, query) not in cache:
            cache[of.name, query] = old(of, query)
        return cache[of.name, query]

    def forget(of: Any, _other: Any) -> None:
        for key in [key for key in cache if key[0] == of.name]:
            del cache[key]

    around(s, "where", where)
    after(s, "make", forget)
    after(s, "destroy", forget)


@defect("DESTROY-REFERENCED", also="DESTROY-GONE", cls="Repository")
def join_tables_unguarded(s: Plain) -> None:
    """An object that others reference from a set alone (pool.repositories) can be destroyed."""

    def users_of(old: Any, of: Any, ref: str) -> list[str]:
        rows = {user: row for each in s.objects.values() for user, row in each.items()}
        return [user for user in old(of, ref) if ref in rows[user].values()]

    around(s, "users_of", users_of)


@defect("CREATE-NEW", cls="subject")
def upsert_by_natural_key(s: Plain) -> None:
    """A second subject.create with one subject_identifier gives the first one's ref, and overwrites that object."""

    def make(old: Any, of: Any, given: dict[str, Any]) -> Any:
        key = given.get("subject_identifier")
        if of.name == "subject" and key:
            for ref, row in s.objects["subject"].items():
                if row["subject_identifier"] == key:
                    row.update(given)
                    return ref
        return old(of, given)

    around(s, "make", make)
