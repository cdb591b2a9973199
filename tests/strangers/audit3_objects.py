"""Defects of fields and objects that a third audit thought of."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from strangers.base import after, around, defect
from strangers.heldout_base import doing, told
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal
from xenconform.models import types as t


def terms(s: Plain, combine: Any) -> None:
    """Let queries combine several conditions on fields: `combine` gets the words and the truths between them."""
    one = re.compile(r'field "(\w+)" = "([^"]*)"')

    def where(old: Any, of: Any, query: str) -> Any:
        found = one.findall(query)
        if len(found) < 2:
            return old(of, query)
        words = re.findall(r"\b(and|or)\b", one.sub("", query))
        rows = s.get_all_records(of)
        return {
            ref: row
            for ref, row in rows.items()
            if combine(words, [str(row.get(name)) == text for name, text in found])
        }

    around(s, "where", where)


def read_as(s: Plain, cls: str, change: Any) -> None:
    """Take refs of a class for others before they are looked up."""

    def read(old: Any, of: Any, raw: Any) -> Any:
        return old(of, change(raw) if of == t.RefTo(cls) and isinstance(raw, str) else raw)

    around(s, "read", read)


@defect("WHERE", cls="VMSS")
def the_first_condition_decides(s: Plain) -> None:
    """get_all_records_where looks at the first of the conditions alone."""
    terms(s, lambda _words, truths: truths[0])


@defect("WHERE", cls="VMSS")
def and_is_or(s: Plain) -> None:
    """Conditions are joined with or, whatever stands between them."""
    terms(s, lambda _words, truths: any(truths))


@defect("WHERE", cls="network")
def numbers_match_by_their_beginning(s: Plain) -> None:
    """A query of a number compares texts: MTU 15 finds those of 1500 too."""

    def where(old: Any, of: Any, query: str) -> Any:
        asked = re.fullmatch(r'field "MTU" = "(.*)"', query)
        if of.name != "network" or not asked:
            return old(of, query)
        return {ref: row for ref, row in s.get_all_records(of).items() if str(row["MTU"]).startswith(asked[1])}

    around(s, "where", where)


@defect("WHERE", cls="VIF")
def queries_of_refs_find_all(s: Plain) -> None:
    """A condition on a field that is no text is left out: all records come."""

    def where(old: Any, of: Any, query: str) -> Any:
        asked = re.fullmatch(r'field "(\w+)" = "(.*)"', query)
        field = of.fields.get(asked[1]) if asked else None
        if field is not None and not isinstance(field.type, t.Str):
            return s.get_all_records(of)
        return old(of, query)

    around(s, "where", where)


@defect("WHERE", cls="blob")
def empty_text_finds_all(s: Plain) -> None:
    """A condition on an empty text is no condition."""

    def where(old: Any, of: Any, query: str) -> Any:
        return s.get_all_records(of) if query.endswith('= ""') else old(of, query)

    around(s, "where", where)


@defect("WHERE", cls="VMSS")
def queries_are_patterns(s: Plain) -> None:
    """The text of a condition is a pattern with % and _."""

    def where(old: Any, of: Any, query: str) -> Any:
        asked = re.fullmatch(r'field "(\w+)" = "(.*)"', query)
        if not asked:
            return old(of, query)
        like = re.compile("".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in asked[2]))
        return {ref: row for ref, row in s.get_all_records(of).items() if like.fullmatch(str(row.get(asked[1])))}

    around(s, "where", where)


@defect("MESSAGE-REMOVED", cls="host")
def workers_run_what_is_removed(s: Plain) -> None:
    """The asynchronous form of a removed message is a task that succeeds."""

    def carry_out(old: Any, job: Any) -> Any:
        return None if job.message.lifecycle.state.name == "REMOVED" else old(job)

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.lifecycle.state.name == "REMOVED" and not message.implicit:
            raise Refusal("MESSAGE_REMOVED")
        return old(message, args)

    around(s, "carry_out", carry_out)
    around(s, "run", run)


def flat(text: str) -> str:
    return "".join("\ufffd" if c > "\uffff" else c for c in text)


@defect("LABEL-LOOKUP", cls="VMSS")
def astral_letters_are_all_the_same(s: Plain) -> None:
    """The index of labels has a collation in which all characters beyond 16 bits are equal."""
    around(
        s,
        "by_label",
        lambda _old, of, label: [
            ref for ref, row in s.objects[of.name].items() if flat(row["name_label"]) == flat(label)
        ],
    )


@defect("LABEL-LOOKUP", cls="VMSS")
def labels_are_found_by_what_they_look_like(s: Plain) -> None:
    """The index of labels is of compatibility forms: a full-width letter is the letter, a ligature its letters."""

    def norm(text: str) -> str:
        found = unicodedata.normalize("NFKC", text)
        return found if unicodedata.normalize("NFC", text) != found else text

    around(
        s,
        "by_label",
        lambda _old, of, label: [
            ref for ref, row in s.objects[of.name].items() if norm(row["name_label"]) == norm(label)
        ],
    )


@defect("LABEL-LOOKUP", cls="VMSS")
def no_label_finds_nobody(s: Plain) -> None:
    """get_by_name_label of the empty text finds nobody, though some have no name."""
    around(s, "by_label", lambda old, of, label: old(of, label) if label else [])


@defect("LABEL-LOOKUP", cls="VMSS")
def tabs_are_spaces(s: Plain) -> None:
    """White space of any kind is one space to the index of labels, at the inside alone."""
    around(
        s,
        "by_label",
        lambda _old, of, label: [
            ref
            for ref, row in s.objects[of.name].items()
            if re.sub(r"[\t\n\u00a0]", " ", row["name_label"]) == re.sub(r"[\t\n\u00a0]", " ", label)
        ],
    )


@defect("SET-ADD", also="SET-ADD-DEDUP SET-REMOVE STATE-MODEL", cls="network")
def astral_tags_are_all_the_same(s: Plain) -> None:
    """network.add_tags of a tag that differs in a character beyond 16 bits alone is there already."""

    def add(old: Any, _ref: str, obj: dict[str, Any], tag: str) -> None:
        if not any(flat(each) == flat(tag) for each in obj["tags"]):
            old(tag)

    doing(s, "add", "network", "tags", add)


@defect("MAP-ADD MAP-REMOVE", also="MAP-DUPLICATE-KEY STATE-MODEL", cls="network")
def astral_keys_are_all_the_same(s: Plain) -> None:
    """network.add_to_other_config of a key that differs in a character beyond 16 bits alone is a duplicate."""

    def add(old: Any, ref: str, obj: dict[str, Any], key: str, value: str) -> None:
        if any(flat(each) == flat(key) for each in obj["other_config"]):
            raise Refusal("MAP_DUPLICATE_KEY", "network", "other_config", ref, key)
        old(key, value)

    doing(s, "add_to", "network", "other_config", add)


@defect("DESTROY-REFERENCED-UNCHANGED DESTROY-REFERENCED DESTROY-NO-CASCADE", also="STATE-MODEL", cls="VM_appliance")
def refused_destroys_are_made_up_for(s: Plain) -> None:
    """An appliance whose destroy was refused is marked, and goes by itself when the last VM has left it."""
    marked: set[str] = set()

    def destroy(old: Any, of: Any, ref: str) -> None:
        try:
            old(of, ref)
        except Refusal:
            if of.name == "VM_appliance" and ref in s.objects["VM_appliance"]:
                marked.add(ref)
            raise
        sweep()

    def sweep() -> None:
        for ref in list(marked):
            if not s.users_of(s.api.classes["VM_appliance"], ref):
                s.objects["VM_appliance"].pop(ref, None)
                marked.discard(ref)

    around(s, "destroy", destroy)
    after(s, "do_set", lambda *_: sweep())


@defect("DESTROY-REFERENCED-UNCHANGED", also="BIND-SYMMETRY STATE-MODEL", cls="VDI")
def refused_destroy_leaves_the_sr(s: Plain) -> None:
    """VDI.destroy takes the VDI out of SR.VDIs, and then is refused as a VBD has it."""
    out: set[str] = set()

    def destroy(old: Any, of: Any, ref: str) -> None:
        if of.name == "VDI":
            out.add(ref)
        old(of, ref)

    around(s, "destroy", destroy)
    told(s, "SR", "VDIs", lambda refs: [ref for ref in refs if ref not in out])


@defect("DESTROY-REFERENCED", also="STATE-MODEL", cls="VM_appliance")
def clones_do_not_count(s: Plain) -> None:
    """An appliance counts the VMs that were set to it or made with it; a VM.clone is in it and does not count."""
    clones: set[str] = set()

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.full_name != "VM.clone":
            return old(message, args)
        of = s.api.classes["VM"]
        row = {n: v for n, v in s.object(of, args[0]).items() if n != "uuid"}
        ref = s.make(of, {**row, "name_label": args[1]})
        clones.add(ref)
        return ref

    around(s, "run", run)
    around(s, "users_of", lambda old, of, ref: [each for each in old(of, ref) if each not in clones])


@defect("CREATE-BAD", also="ROBUST-NO-EFFECT STATE-MODEL", cls="VM")
def metrics_come_first(s: Plain) -> None:
    """VM.create makes the VM_metrics first: they stay when it is refused."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        try:
            return old(of, raw)
        except Refusal:
            if of.name == "VM":
                s.make(s.api.classes["VM_metrics"], {})
            raise

    around(s, "create", create)


@defect("CREATE-FIELDS", also="STATE-MODEL", cls="network")
def whole_records_are_read_from_the_wrong_end(s: Plain) -> None:
    """A record that has the uuid of an object is taken for that object's: what else it says is read from there."""

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        if of.name == "network" and raw.get("uuid"):
            raw = {n: v for n, v in raw.items() if n == "name_label" or not of.fields[n].has_default}
        return old(of, raw)

    around(s, "create", create)


@defect("GET-BAD-REF", also="GET-BAD-REF-CODE STATE-MODEL", cls="VDI")
def a_drive_stands_for_its_disk(s: Plain) -> None:
    """The getters of a VDI take the ref of a VBD for that of its VDI."""
    read_as(s, "VDI", lambda ref: s.objects["VBD"][ref]["VDI"] if ref in s.objects["VBD"] else ref)


@defect("UUID-LOOKUP", also="STATE-MODEL", cls="VMSS")
def uuids_that_begin_with_zero_are_lost(s: Plain) -> None:
    """The index has uuids without leading zeros: one in sixteen is not found."""

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        if of.name == "VMSS" and text.startswith("0"):
            raise Refusal("UUID_INVALID", of.name, text)
        return old(of, text)

    around(s, "by_uuid", by_uuid)


@defect("SET-NO-DUPLICATES", also="STATE-MODEL", cls="network")
def workers_keep_doubles(s: Plain) -> None:
    """A network that a task made shows a tag twice that was given twice."""
    busy = {"task": False}

    def carry_out(old: Any, job: Any) -> Any:
        busy["task"] = True
        try:
            return old(job)
        finally:
            busy["task"] = False

    around(s, "carry_out", carry_out)
    around(s, "set", lambda old, values: values if busy["task"] else old(values))


@defect("BIND-MOVE", also="BIND-SYMMETRY STATE-MODEL", cls="VM")
def those_who_were_born_there_stay(s: Plain) -> None:
    """A VM that was made in an appliance stays in its VMs when it is moved."""
    born: dict[str, str] = {}

    def make(old: Any, of: Any, given: dict[str, Any]) -> Any:
        ref = old(of, given)
        if of.name == "VM" and given.get("appliance", NULL) != NULL:
            born[ref] = given["appliance"]
        return ref

    def get(old: Any, of: Any, obj: Any, ref: str, field: Any) -> Any:
        value = old(of, obj, ref, field)
        if (of.name, field.name) == ("VM_appliance", "VMs"):
            value = list(dict.fromkeys([*value, *(r for r, a in born.items() if a == ref and r in s.objects["VM"])]))
        return value

    around(s, "make", make)
    around(s, "get", get)


@defect("QUAL-RO-RUNTIME", also="ASYNC-TASK", cls="network")
def workers_add_to_what_is_read_only(s: Plain) -> None:
    """Async.network.add_allowed_operations is a task that succeeds."""

    def find(old: Any, method: str) -> Any:
        if method == "Async.network.add_allowed_operations":
            return s.api.message("network.add_tags")
        return old(method)

    around(s, "find", find)


@defect("CREATE-BAD", also="STATE-MODEL ROBUST-NO-EFFECT", cls="VMSS")
def refused_records_keep_their_names(s: Plain) -> None:
    """A VMSS.create that is refused has reserved the name: no other one gets it."""
    taken: set[str] = set()

    def create(old: Any, of: Any, raw: dict[str, Any]) -> Any:
        label = raw.get("name_label")
        if of.name != "VMSS" or not isinstance(label, str):
            return old(of, raw)
        if label and label in taken:
            raise Refusal("INVALID_VALUE", "name_label", label)
        try:
            return old(of, raw)
        except Refusal:
            taken.add(label)
            raise

    around(s, "create", create)


@defect("GET-ALL-AGREES", also="STATE-MODEL WIRE-STRING", cls="VMSS")
def lists_cut_texts(s: Plain) -> None:
    """VMSS.get_all_records cuts descriptions at 255 characters, as a list does."""

    def records(old: Any, of: Any) -> Any:
        rows = old(of)
        if of.name != "VMSS":
            return rows
        return {ref: {**row, "name_description": row["name_description"][:255]} for ref, row in rows.items()}

    around(s, "get_all_records", records)
