"""Held-out defects of roles, of restarts, and of what happens at the same time."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any

from strangers.base import around, defect
from strangers.defects_races import pause
from strangers.heldout_base import doing
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# --------------------------------------------------------------------------------------------------------------- roles


def let(s: Plain, role: str, test: Any) -> None:
    """Let a role run the messages of a test."""
    around(s, "may", lambda old, who, message: old(who, message) or (who == role and test(message)))


@defect("RBAC", cls="SR")
def read_only_may_tag(s: Plain) -> None:
    """Who may only read may add tags to SRs."""
    let(s, "read-only", lambda message: message.full_name == "SR.add_tags")


@defect("RBAC")
def read_only_may_remove_keys(s: Plain) -> None:
    """Who may only read may remove keys of networks."""
    let(s, "read-only", lambda message: message.full_name == "network.remove_from_other_config")


@defect("RBAC", cls="PVS_site")
def introduction_open_to_operators(s: Plain) -> None:
    """VM operators may introduce sites."""
    let(s, "vm-operator", lambda message: message.full_name == "PVS_site.introduce")


@defect("RBAC", cls="VDI")
def disks_closed_to_vm_admins(s: Plain) -> None:
    """VM admins are denied the destroy of VDIs."""
    around(s, "may", lambda old, who, message: old(who, message) and (
        who, message.full_name) != ("vm-admin", "VDI.destroy"))  # fmt: skip


@defect("RBAC", cls="secret")
def denied_and_done(s: Plain) -> None:
    """A setter that is denied to a role that may only read is carried out all the same."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            message = s.api.message(method)
            if no.args[0] == "RBAC_PERMISSION_DENIED" and message and message.verb == "set":
                s.run(message, [s.read(p.type, each) for p, each in zip(message.params, raw[1:], strict=True)])
            raise

    around(s, "call", call)


# ------------------------------------------------------------------------------------------------------------ restarts


def kept(s: Plain, change: Any, cls: str = "") -> None:
    """Change the values that are on the disk: `change(value)`, of one class or of all."""

    def revived(old: Any, name: str, ref: str, row: dict[str, Any]) -> Any:
        found = old(name, ref, row)
        return {n: change(v) for n, v in found.items()} if cls in {"", name} else found

    around(s, "revived", revived)


def lost(s: Plain, test: Any) -> None:
    """Lose the objects of a test of class, ref and row."""
    around(s, "load", lambda old, objects: {
        cls: {ref: row for ref, row in rows.items() if not test(cls, ref, row)}
        for cls, rows in old(objects).items()})  # fmt: skip


@defect("PERSIST")
def empty_key_lost_on_disk(s: Plain) -> None:
    """The empty key of a map is lost by a restart."""
    kept(s, lambda value: {k: v for k, v in value.items() if k != ""} if isinstance(value, dict) else value)


@defect("PERSIST", cls="VM")
def sign_lost_on_disk(s: Plain) -> None:
    """Negative ints lose their sign by a restart."""
    kept(s, lambda value: abs(value) if type(value) is int else value)


@defect("PERSIST", cls="VBD")
def last_enum_lost_on_disk(s: Plain) -> None:
    """A VBD of the type Floppy is a Disk after a restart."""
    kept(s, lambda value: "Disk" if value == "Floppy" else value, "VBD")


@defect("PERSIST")
def line_ends_changed_on_disk(s: Plain) -> None:
    """CR LF in a text is LF after a restart."""
    kept(s, lambda value: value.replace("\r\n", "\n") if isinstance(value, str) else value)


@defect("PERSIST", cls="secret")
def normal_form_on_disk(s: Plain) -> None:
    """Text is in normal form C after a restart."""
    kept(s, lambda value: unicodedata.normalize("NFC", value) if isinstance(value, str) else value)


@defect("PERSIST", cls="VM_appliance")
def nameless_lost_on_disk(s: Plain) -> None:
    """Appliances without a label are gone after a restart."""
    lost(s, lambda cls, _ref, row: cls == "VM_appliance" and not row["name_label"])


@defect("PERSIST", cls="secret")
def setters_lost_on_disk(s: Plain) -> None:
    """After a restart a secret has the value that it was made with."""
    born: dict[str, Any] = {}

    def make(old: Any, of: Any, given: Any) -> Any:
        ref = old(of, given)
        born.update({ref: given.get("value", "")} if of.name == "secret" else {})
        return ref

    around(s, "make", make)
    around(s, "revived", lambda old, cls, ref, row: {**old(cls, ref, row), "value": born[ref]} if (
        cls == "secret" and ref in born) else old(cls, ref, row))  # fmt: skip


@defect("PERSIST", cls="PVS_site")
def introduced_lost_on_disk(s: Plain) -> None:
    """Sites are gone after a restart."""
    lost(s, lambda cls, _ref, _row: cls == "PVS_site")


@defect("PERSIST", cls="VM")
def affinity_lost_on_disk(s: Plain) -> None:
    """VM.affinity is the null reference after a restart."""
    around(s, "revived", lambda old, cls, ref, row: {**old(cls, ref, row), "affinity": NULL} if (
        cls == "VM") else old(cls, ref, row))  # fmt: skip


@defect("PERSIST", cls="VMSS")
def old_dates_lost_on_disk(s: Plain) -> None:
    """Datetimes before 1970 are the beginning of 1970 after a restart."""
    kept(s, lambda value: max(value, EPOCH) if isinstance(value, datetime) else value)


# --------------------------------------------------------------------------------------------------- at the same time


@defect("CONC-LINEARIZABLE", cls="secret")
def table_written_back(s: Plain) -> None:
    """An addition to a map of one secret writes back the maps of the others as they were when the call began."""

    def add_to(old: Any, ref: str, _obj: Any, key: str, value: str) -> None:
        before = {other: row["other_config"] for other, row in s.objects["secret"].items() if other != ref}
        pause(s)
        old(key, value)
        for other, was in before.items():
            if other in s.objects["secret"]:
                s.objects["secret"][other]["other_config"] = was

    doing(s, "add_to", "secret", "other_config", add_to)


@defect("CONC-LINEARIZABLE", cls="secret")
def uuid_not_found_while_one_is_made(s: Plain) -> None:
    """While an object is made, get_by_uuid finds none of its class."""
    making: set[str] = set()

    def make(old: Any, of: Any, given: Any) -> Any:
        making.add(of.name)
        pause(s)
        making.discard(of.name)
        return old(of, given)

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        return old(of, "" if of.name in making else text)

    around(s, "make", make)
    around(s, "by_uuid", by_uuid)


@defect("CONC-LINEARIZABLE", cls="SR")
def removal_from_one_of_two_fields(s: Plain) -> None:
    """A removal of a tag of an SR writes back sm_config as it was when the call began."""

    def remove(old: Any, of: Any, ref: str, obj: Any, field: Any, value: Any) -> None:
        before = dict(obj.get("sm_config", {}))
        if of.name == "SR":
            pause(s)
        old(of, ref, obj, field, value)
        if of.name == "SR":
            obj["sm_config"] = before

    around(s, "do_remove", remove)


@defect("CONC-LINEARIZABLE SESSION-LOGIN")
def logins_at_once_share_a_session(s: Plain) -> None:
    """Two logins at the same moment get one session."""
    under_way: list[str] = []

    def login(old: Any, raw: Any) -> Any:
        mine = old(raw)
        under_way.append(mine)
        first = under_way[0]  # looked for before the pause: who began first ends first
        pause(s)
        under_way.remove(mine)
        return first if first in s.objects["session"] else mine

    around(s, "login", login)
