"""What an audit of the clauses on objects asked for: how objects are found and called, where nobody had looked."""

from __future__ import annotations

import re
from typing import Any

from strangers.audit_objects import by_task
from strangers.base import around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.values import Refusal

# ------------------------------------------------------------------------------------------------------------ by uuid


def lost(s: Plain, cls: str, refs: Any) -> None:
    """Hide those of a class that `refs` holds from get_by_uuid."""

    def by_uuid(old: Any, of: Any, text: str) -> str:
        ref = str(old(of, text))
        if of.name == cls and ref in refs:
            raise Refusal("UUID_INVALID", cls, text)
        return ref

    around(s, "by_uuid", by_uuid)


def note_made_by_tasks(s: Plain, cls: str) -> set[str]:
    """Return a set that takes up the refs of what tasks make of a class."""
    now, refs = by_task(s), set[str]()

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref = str(old(of, given))
        if now and of.name == cls:
            refs.add(ref)
        return ref

    around(s, "make", make)
    return refs


@defect("UUID-LOOKUP", cls="VMSS")
def workers_index_no_uuids(s: Plain) -> None:
    """get_by_uuid does not find a VMSS that a task made."""
    lost(s, "VMSS", note_made_by_tasks(s, "VMSS"))


@defect("UUID-LOOKUP", cls="secret")
def written_rows_are_not_indexed_again(s: Plain) -> None:
    """A secret whose value is set is taken out of the index of uuids, and not put in again."""
    gone: set[str] = set()

    def write(old: Any, ref: str, _obj: Any, value: str) -> None:
        gone.add(ref)
        old(value)

    doing(s, "set", "secret", "value", write)
    lost(s, "secret", gone)


@defect("UUID-LOOKUP LABEL-LOOKUP", also="GET-ALL-AGREES", cls="VM_appliance")
def uncommitted_until_the_next(s: Plain) -> None:
    """The newest appliance is found by its uuid and its name in the session that made it alone."""
    newest = ["", ""]

    def make(old: Any, of: Any, given: dict[str, Any]) -> str:
        ref = str(old(of, given))
        if of.name == "VM_appliance":
            newest[:] = [ref, s.session]
        return ref

    def hidden(ref: str) -> bool:
        return ref == newest[0] and s.session != newest[1]

    def by_uuid(old: Any, of: Any, text: str) -> str:
        ref = str(old(of, text))
        if hidden(ref):
            raise Refusal("UUID_INVALID", of.name, text)
        return ref

    around(s, "make", make)
    around(s, "by_uuid", by_uuid)
    around(s, "by_label", lambda old, of, label: [ref for ref in old(of, label) if not hidden(ref)])


def looked_up(s: Plain, cls: str, mend: Any) -> None:
    """Change what a look-up by uuid is given."""
    around(s, "by_uuid", lambda old, of, text: old(of, mend(text) if of.name == cls else text))


@defect("UUID-UNKNOWN", cls="VIF")
def uuids_are_parsed(s: Plain) -> None:
    """VIF.get_by_uuid takes a uuid without dashes and in braces, as the library that parses it does."""

    def parsed(text: str) -> str:
        digits = re.sub(r"^urn:uuid:|[{}-]", "", text)
        whole = re.fullmatch("[0-9a-f]{32}", digits)
        return re.sub("(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", digits) if whole else text

    looked_up(s, "VIF", parsed)


@defect("UUID-UNKNOWN", cls="VMSS")
def names_or_uuids(s: Plain) -> None:
    """VMSS.get_by_uuid takes the name of a VMSS too."""

    def named(text: str) -> str:
        rows = s.objects["VMSS"].values()
        return next((row["uuid"] for row in rows if text and row["name_label"] == text), text)

    looked_up(s, "VMSS", named)


@defect("UUID-UNKNOWN", cls="tunnel")
def uuids_are_matched_by_like(s: Plain) -> None:
    """A % in the uuid that tunnel.get_by_uuid is given stands for anything."""

    def like(text: str) -> str:
        pattern = re.escape(text).replace("%", ".*")
        return next((row["uuid"] for row in s.objects["tunnel"].values() if re.fullmatch(pattern, row["uuid"])), text)

    looked_up(s, "tunnel", like)


# ----------------------------------------------------------------------------------------------------------- by label


@defect("LABEL-LOOKUP", cls="VM_appliance")
def names_uuids_or_refs(s: Plain) -> None:
    """VM_appliance.get_by_name_label finds by uuid what it does not find by name."""

    def by_label(old: Any, of: Any, label: str) -> list[str]:
        found = list(old(of, label))
        rows = s.objects["VM_appliance"].items() if of.name == "VM_appliance" and not found else ()
        return found or [ref for ref, row in rows if row["uuid"] == label]

    around(s, "by_label", by_label)


@defect("LABEL-LOOKUP", cls="VMSS")
def names_and_descriptions_are_one_index(s: Plain) -> None:
    """VMSS.get_by_name_label finds by description too."""

    def by_label(old: Any, of: Any, label: str) -> list[str]:
        rows = s.objects["VMSS"].items() if of.name == "VMSS" and label else ()
        return list(dict.fromkeys([*old(of, label), *(r for r, row in rows if row["name_description"] == label)]))

    around(s, "by_label", by_label)


@defect("LABEL-LOOKUP", cls="SR")
def one_bucket_for_names_that_differ_in_case(s: Plain) -> None:
    """Of two SRs whose labels differ in case alone the one that was named first is not found."""
    order: dict[str, int] = {}

    def rename(old: Any, ref: str, _obj: Any, label: str) -> None:
        old(label)
        order[ref] = len(order) + sum(order.values())

    def by_label(old: Any, of: Any, label: str) -> list[str]:
        if of.name != "SR":
            return list(old(of, label))
        alike = {
            r: row["name_label"] for r, row in s.objects["SR"].items() if row["name_label"].lower() == label.lower()
        }
        last = max(alike, key=lambda ref: order.get(ref, -1), default="")
        return [ref for ref in old(of, label) if alike[last] == label]

    doing(s, "set", "SR", "name_label", rename)
    around(s, "by_label", by_label)


@defect("LABEL-LOOKUP", cls="VM_appliance")
def buckets_of_folded_names(s: Plain) -> None:
    """Labels of appliances are found in an index by lower case, in which the newest displaces those that are alike."""

    def by_label(old: Any, of: Any, label: str) -> list[str]:
        if of.name != "VM_appliance":
            return list(old(of, label))
        rows = [row["name_label"] for row in s.objects["VM_appliance"].values()]
        newest = next((name for name in reversed(rows) if name.lower() == label.lower()), label)
        return list(old(of, label)) if newest == label else []

    around(s, "by_label", by_label)


@defect("LABEL-LOOKUP", also="ASYNC-TASK", cls="GPU_group")
def workers_index_no_names(s: Plain) -> None:
    """get_by_name_label does not find a GPU group that a task made once a second look is taken at it."""
    refs, looked = note_made_by_tasks(s, "GPU_group"), set[str]()

    def by_label(old: Any, of: Any, label: str) -> list[str]:
        found = [ref for ref in old(of, label) if ref not in refs or ref not in looked]
        looked.update(found)
        return found

    around(s, "by_label", by_label)


@defect("LABEL-LOOKUP", cls="PVS_site")
def pages_of_ten(s: Plain) -> None:
    """PVS_site.get_by_name_label gives ten objects at most."""
    around(s, "by_label", lambda old, of, label: old(of, label)[:10] if of.name == "PVS_site" else old(of, label))


@defect("LABEL-LOOKUP", cls="USB_group")
def nameless_keep_their_entry(s: Plain) -> None:
    """A USB group whose label is set to the empty text is still found by the label before: `if (label) reindex()`."""
    before: dict[str, str] = {}

    def rename(old: Any, ref: str, obj: Any, label: str) -> None:
        before.pop(ref, None)
        if not label:
            before[ref] = obj["name_label"]
        old(label)

    def by_label(old: Any, of: Any, label: str) -> list[str]:
        stale = (ref for ref, was in before.items() if of.name == "USB_group" and was == label)
        return list(dict.fromkeys([*old(of, label), *(ref for ref in stale if ref in s.objects["USB_group"])]))

    doing(s, "set", "USB_group", "name_label", rename)
    around(s, "by_label", by_label)


@defect("LABEL-LOOKUP", cls="task")
def tasks_by_the_normal_form_of_their_names(s: Plain) -> None:
    """task.get_by_name_label compares names without zeros before numbers and double spaces, as people read them."""

    def plainly(text: str) -> str:
        return re.sub(r" +", " ", re.sub(r"\b0+", "", text))

    def by_label(old: Any, of: Any, label: str) -> list[str]:
        rows = s.objects["task"].items() if of.name == "task" else ()
        return [r for r, row in rows if plainly(row["name_label"]) == plainly(label)] or list(old(of, label))

    around(s, "by_label", by_label)
