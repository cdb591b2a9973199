"""The hard ones of the blind defects of objects: written without a look at the checks."""

from __future__ import annotations

import re
from typing import Any

from strangers.base import after, around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from xenconform.models import types as t

# ------------------------------------------------------------------------------ easy: everything of a kind shows it


@defect("MAP-REMOVE", cls="host")
def keys_matched_by_like(s: Plain) -> None:
    """remove_from_f of a key with _ or % removes the keys too that match it as an SQL pattern (a_c also abc)."""

    def do_remove_from(_old: Any, _of: Any, _ref: str, obj: Any, field: Any, key: Any) -> None:
        pattern = re.escape(str(key)).replace("%", ".*").replace("_", ".")
        kept = {k: v for k, v in obj[field.name].items() if not re.fullmatch(pattern, str(k), re.DOTALL)}
        obj[field.name] = kept

    around(s, "do_remove_from", do_remove_from)


@defect("GET-ALL-AGREES", also="WIRE-AGREE", cls="VIF")
def first_page_alone(s: Plain) -> None:
    """Over JSON-RPC get_all_records shows the first 20 objects of a class, a page, while get_all names them all."""

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        result = old(message, args)
        if message.name == "get_all_records" and s.fmt.startswith("json"):
            return dict(list(result.items())[:20])
        return result

    around(s, "run", run)


@defect("LABEL-LOOKUP", cls="PVS_site")
def rename_drops_the_index_entry(s: Plain) -> None:
    """After one of several objects with one label is renamed, get_by_name_label finds none of the others any more."""
    lost: set[str] = set()

    def do_set(old: Any, of: Any, ref: str, obj: Any, field: Any, value: Any) -> None:
        before = obj[field.name]
        old(of, ref, obj, field, value)
        if field.name == "name_label" and before not in {"", value}:
            lost.update(each for each, row in s.objects[of.name].items() if row["name_label"] == before)
        if field.name == "name_label" and before != value:
            lost.discard(ref)

    def by_label(old: Any, of: Any, label: str) -> list[str]:
        return [ref for ref in old(of, label) if not label or ref not in lost]

    around(s, "do_set", do_set)
    around(s, "by_label", by_label)


@defect("SET-VALUE", cls="USB_group")
def dirty_check_ignores_case(s: Plain) -> None:
    """A setter of a text that differs from the present one in case alone has no effect, as nothing looks changed."""

    def do_set(old: Any, of: Any, ref: str, obj: Any, field: Any, value: Any) -> None:
        if field.type != t.Str() or value.casefold() != obj[field.name].casefold():
            old(of, ref, obj, field, value)

    around(s, "do_set", do_set)


@defect("MAP-DUPLICATE-KEY", also="MAP-DUPLICATE-UNCHANGED", cls="VM")
def empty_value_counts_as_none(s: Plain) -> None:
    """add_to_f of a key whose present value is the empty string succeeds and overwrites it (if map.get(key))."""

    def do_add_to(old: Any, of: Any, ref: str, obj: Any, *more: Any) -> None:
        field, key, value = more
        if obj[field.name].get(key) == "":
            obj[field.name] = {**obj[field.name], key: value}
        else:
            old(of, ref, obj, field, key, value)

    around(s, "do_add_to", do_add_to)


@defect("CREATE-FIELDS", cls="VMSS")
def omitempty(s: Plain) -> None:
    """Over JSON-RPC a create that gives false, 0 or nothing for a field with another default gets the default."""

    def is_zero(of: t.Type, value: Any) -> Any:
        match of:
            case t.Bool():
                return value is False
            case t.Int() | t.Float():
                return not isinstance(value, bool) and value in (0, "0")
            case t.Str():
                return value == ""
            case t.MapOf():
                return value == {}
            case _:
                return False

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        if s.fmt.startswith("json"):
            omitted = {n for n, f in of.fields.items() if f.has_default and n in raw and is_zero(f.type, raw[n])}
            raw = {n: v for n, v in raw.items() if n not in omitted}
        return old(of, raw)

    around(s, "create", create)


@defect("BIND-CREATE", also="BIND-SYMMETRY", cls="VTPM")
def lazily_loaded_collection(s: Plain) -> None:
    """A VM's second VTPM is not in VM.VTPMs if that was read when it held the first, until a VTPM is destroyed."""
    loaded: dict[str, list[str]] = {}

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        if (of.name, field.name) != ("VM", "VTPMs"):
            return old(of, obj, ref, field)
        if not loaded.get(ref):
            loaded[ref] = old(of, obj, ref, field)
        return list(loaded[ref])

    around(s, "get", get)
    after(s, "destroy", lambda of, _ref: loaded.clear() if of.name == "VTPM" else None)


@defect("QUAL-RO-CONSTRUCTOR", also="SET-ONLY-THAT", cls="VBD")
def device_follows_userdevice(s: Plain) -> None:
    """Setting a VBD's userdevice to a number from 0 to 15 changes its RO/constructor device to xvda to xvdp."""

    def set_userdevice(old: Any, _ref: str, obj: Any, value: str) -> None:
        old(value)
        if re.fullmatch("[0-9]|1[0-5]", value):
            obj["device"] = f"xvd{'abcdefghijklmnop'[int(value)]}"

    doing(s, "set", "VBD", "userdevice", set_userdevice)


@defect("BIND-SYMMETRY", also="BIND-MOVE BIND-CREATE", cls="VMSS")
def templates_are_no_vms(s: Plain) -> None:
    """A VM with is_a_template that names a snapshot_schedule is not in the VMs of that VMSS."""

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) != ("VMSS", "VMs"):
            return value
        return [vm for vm in value if not s.objects["VM"][vm]["is_a_template"]]

    around(s, "get", get)


@defect("DESTROY-NO-CASCADE", cls="secret")
def removed_by_equality(s: Plain) -> None:
    """Destroying a secret also removes every secret of equal value and other_config (removeIf(equals))."""

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = s.objects[of.name].get(ref)
        old(of, ref)
        if of.name == "secret" and row is not None:
            rows = s.objects["secret"]
            same = [n for n, r in rows.items() if all(r[f] == row[f] for f in ("value", "other_config"))]
            for each in same:
                del rows[each]

    around(s, "destroy", destroy)
