"""Defects of qualifiers that an audit of level 2 thought of: fields written in ways that nobody had looked at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.values import Refusal
from xenconform.models import types as t

Row = dict[str, Any]


def done_by_a_task(s: Plain, name: str, effect: Callable[[Row, list[Any]], None]) -> None:
    """The asynchronous form of an accessor that does not exist does its work."""
    cls = name.partition(".")[0]

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> tuple[t.Type, Any]:
        if method != f"Async.{name}":
            of, value = old(fmt, method, raw)
            return of, value
        with s.lock:
            s.check_session(raw[0])
            effect(s.object(s.api.classes[cls], raw[1]), raw[2:])
            return t.RefTo("task"), s.make(s.api.classes["task"], {"name_label": method, "status": "success"})

    around(s, "call", call)


def refused_and_done(s: Plain, name: str, effect: Callable[[Row, list[Any]], None]) -> None:
    """An accessor that does not exist does its work before it is refused."""
    cls = name.partition(".")[0]

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if method == name and len(raw) > 2 and raw[1] in s.objects[cls]:
            effect(s.objects[cls][raw[1]], raw[2:])
        return old(fmt, method, raw)

    around(s, "call", call)


def taken_from_the_record(s: Plain, cls: str, field: str) -> None:
    """A constructor stores a member of its record that is none of its fields."""

    def create(old: Any, of: Any, raw: Row) -> str:
        ref: str = old(of, raw)
        if of.name == cls and field in raw:
            with suppress(Refusal):
                s.objects[cls][ref][field] = s.read(of.fields[field].type, raw[field])
        return ref

    around(s, "create", create)


@defect("QUAL-RO-CONSTRUCTOR", cls="VDI")
def task_sets_the_type(s: Plain) -> None:
    """Async.VDI.set_type works, though VDI.set_type does not exist."""
    done_by_a_task(s, "VDI.set_type", lambda row, rest: row.update(type=rest[0]))


@defect("QUAL-RO-RUNTIME", cls="VIF")
def task_sets_the_status(s: Plain) -> None:
    """Async.VIF.set_status_detail works, though VIF.set_status_detail does not exist."""
    done_by_a_task(s, "VIF.set_status_detail", lambda row, rest: row.update(status_detail=rest[0]))


@defect("QUAL-NO-WRONG-ACCESSOR", cls="host")
def task_adds_a_label(s: Plain) -> None:
    """Async.host.add_name_label works, though a label is no set."""
    done_by_a_task(s, "host.add_name_label", lambda row, rest: row.update(name_label=rest[0]))


@defect("QUAL-RO-RUNTIME", cls="VM")
def control_domains_made_by_clients(s: Plain) -> None:
    """VM.create stores is_control_domain from its record."""
    taken_from_the_record(s, "VM", "is_control_domain")


@defect("QUAL-RO-RUNTIME", cls="network")
def locking_mode_from_the_record(s: Plain) -> None:
    """network.create stores default_locking_mode from its record."""
    taken_from_the_record(s, "network", "default_locking_mode")


@defect("QUAL-RO-RUNTIME", cls="VDI")
def parent_from_the_record(s: Plain) -> None:
    """VDI.create stores parent from its record."""
    taken_from_the_record(s, "VDI", "parent")


@defect("QUAL-RO-CONSTRUCTOR", cls="host")
def version_added_and_refused(s: Plain) -> None:
    """host.add_to_software_version stores the pair, and then does not exist."""
    refused_and_done(
        s,
        "host.add_to_software_version",
        lambda row, rest: row.update(software_version={**row["software_version"], rest[0]: rest[1]}),
    )


@defect("QUAL-NO-WRONG-ACCESSOR", cls="VM")
def label_grown_and_refused(s: Plain) -> None:
    """VM.add_name_label appends to the label, and then does not exist."""
    refused_and_done(s, "VM.add_name_label", lambda row, rest: row.update(name_label=row["name_label"] + rest[0]))


@defect("QUAL-RO-CONSTRUCTOR SET-ONLY-THAT", cls="network")
def managed_while_it_is_tagged(s: Plain) -> None:
    """network.set_tags to none makes the network one that is not managed."""
    doing(s, "set", "network", "tags", lambda old, _ref, obj, v: (old(v), obj.update(managed=bool(v))))
