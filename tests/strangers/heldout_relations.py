"""Held-out defects of references, bound fields and qualifiers, and of setters that reach too far."""

from __future__ import annotations

from typing import Any

from strangers.base import after, around, defect
from strangers.heldout_base import doing, told
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal
from xenconform.models import types as t
from xenconform.models.api import ApiClass, Message, Parameter

# ---------------------------------------------------------------------------------------------------------- destroying


def unseen(s: Plain, cls: str, user: str, field: str) -> None:
    """Let objects of a class be destroyed though a field of another class names them."""

    def users(old: Any, of: ApiClass, ref: str) -> Any:
        if of.name != cls:
            return old(of, ref)
        rows = s.objects[user]
        kept = {other: row[field] for other, row in rows.items()}
        for row in rows.values():
            row[field] = [] if isinstance(row[field], list) else NULL
        found = old(of, ref)
        for other, value in kept.items():
            rows[other][field] = value
        return found

    around(s, "users_of", users)


@defect("DESTROY-REFERENCED", cls="Repository")
def named_in_a_set(s: Plain) -> None:
    """A repository can be forgotten though pool.repositories names it."""
    unseen(s, "Repository", "pool", "repositories")


@defect("DESTROY-REFERENCED", cls="SR")
def named_by_the_pool(s: Plain) -> None:
    """An SR can be destroyed though pool.suspend_image_SR names it."""
    unseen(s, "SR", "pool", "suspend_image_SR")


@defect("DESTROY-REFERENCED", cls="VDI")
def suspend_image_destroyed(s: Plain) -> None:
    """A VDI can be destroyed though VM.suspend_VDI names it."""
    unseen(s, "VDI", "VM", "suspend_VDI")


@defect("DESTROY-REFERENCED", cls="VIF")
def proxied_interface_destroyed(s: Plain) -> None:
    """A VIF can be destroyed though a PVS_proxy names it."""
    unseen(s, "VIF", "PVS_proxy", "VIF")


@defect("DESTROY-REFERENCED-UNCHANGED", cls="VM")
def refused_destroy_clears_a_disk(s: Plain) -> None:
    """A VM whose destroy is refused has VBDs that are not bootable."""

    def destroy(old: Any, of: ApiClass, ref: str) -> None:
        try:
            old(of, ref)
        except Refusal:
            for row in s.objects["VBD"].values():
                row["bootable"] = row["bootable"] and row["VM"] != ref
            raise

    around(s, "destroy", destroy)


@defect("DESTROY-NO-CASCADE", cls="PVS_cache_storage")
def storage_of_a_site_ends_together(s: Plain) -> None:
    """The destroy of a cache storage takes those of the same host along."""

    def destroy(old: Any, of: ApiClass, ref: str) -> None:
        host = s.objects[of.name].get(ref, {}).get("host") if of.name == "PVS_cache_storage" else None
        old(of, ref)
        if host is not None:
            s.objects[of.name] = {r: row for r, row in s.objects[of.name].items() if row["host"] != host}

    around(s, "destroy", destroy)


@defect("DESTROY-NO-CASCADE", cls="VBD")
def disk_goes_with_its_device(s: Plain) -> None:
    """The destroy of a VBD takes along a VDI that no other VBD names."""

    def destroy(old: Any, of: ApiClass, ref: str) -> None:
        vdi = s.objects[of.name].get(ref, {}).get("VDI") if of.name == "VBD" else None
        old(of, ref)
        if vdi is not None and not any(row["VDI"] == vdi for row in s.objects["VBD"].values()):
            s.objects["VDI"].pop(vdi, None)

    around(s, "destroy", destroy)


# -------------------------------------------------------------------------------------------------------- bound fields


@defect("BIND-CREATE BIND-SYMMETRY", cls="VBD")
def drives_not_shown_by_their_disk(s: Plain) -> None:
    """VDI.VBDs lacks VBDs of the type CD."""
    told(s, "VDI", "VBDs", lambda refs: [ref for ref in refs if s.objects["VBD"][ref]["type"] != "CD"])


@defect("BIND-CREATE BIND-SYMMETRY", cls="PVS_server")
def site_shows_the_newest_server(s: Plain) -> None:
    """PVS_site.servers shows the newest server alone."""
    told(s, "PVS_site", "servers", lambda refs: refs[-1:])


@defect("BIND-MOVE", cls="VM")
def schedule_keeps_who_left(s: Plain) -> None:
    """VMSS.VMs keeps a VM whose schedule is set to the null reference."""
    left: dict[str, str] = {}

    def write(old: Any, ref: str, obj: Any, value: str) -> None:
        was = obj["snapshot_schedule"]
        old(value)
        left.update({ref: was} if value == NULL else {})

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        value = old(of, obj, ref, f)
        if (of.name, f.name) != ("VMSS", "VMs"):
            return value
        return [*value, *(vm for vm, was in left.items() if was == ref and vm not in value and vm in s.objects["VM"])]

    doing(s, "set", "VM", "snapshot_schedule", write)
    around(s, "get", get)


@defect("BIND-CREATE BIND-SYMMETRY", cls="VUSB")
def group_shows_the_first(s: Plain) -> None:
    """USB_group.VUSBs shows the first VUSB alone."""
    told(s, "USB_group", "VUSBs", lambda refs: refs[:1])


@defect("BIND-DESTROY", cls="PBD")
def sr_keeps_its_destroyed_pbds(s: Plain) -> None:
    """SR.PBDs shows destroyed PBDs over JSON-RPC 1.0."""
    gone: dict[str, list[str]] = {}

    def destroy(old: Any, of: ApiClass, ref: str) -> None:
        sr = s.objects["PBD"][ref]["SR"] if of.name == "PBD" and ref in s.objects["PBD"] else ""
        old(of, ref)
        gone.setdefault(sr, []).append(ref)

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        value = old(of, obj, ref, f)
        return [*value, *gone.get(ref, ())] if (of.name, f.name, s.fmt) == ("SR", "PBDs", "json1") else value

    around(s, "destroy", destroy)
    around(s, "get", get)


@defect("BIND-CREATE BIND-SYMMETRY", cls="tunnel")
def tunnel_shown_at_the_wrong_end(s: Plain) -> None:
    """The PIF that carries a tunnel shows it as the one that gives access."""

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        other = {"tunnel_access_PIF_of": "tunnel_transport_PIF_of", "tunnel_transport_PIF_of": "tunnel_access_PIF_of"}
        return old(of, obj, ref, of.fields[other[f.name]] if of.name == "PIF" and f.name in other else f)

    around(s, "get", get)


# ---------------------------------------------------------------------------------------------------------- qualifiers


def given_an_accessor(s: Plain, cls: str, verb: str, name: str, *more: Parameter) -> None:
    """Let an accessor work that the model does not have."""
    method, of = f"{cls}.{verb}_{name}", s.api.classes[cls]
    kinds = more or (Parameter("value", of.fields[name].type),)
    message = Message(
        cls=cls, name=f"{verb}_{name}", params=(Parameter("self", t.RefTo(cls)), *kinds), result=t.Void(),
        lifecycle=of.fields[name].lifecycle, implicit=True, takes_session=True, errors=(), roles=frozenset(),
        field=name, verb=verb,
    )  # fmt: skip
    around(s, "find", lambda old, asked: message if asked == method else old(asked))


KEY_AND_VALUE = (Parameter("key", t.Str()), Parameter("value", t.Str()))


@defect("QUAL-RO-CONSTRUCTOR", cls="VBD")
def device_can_be_set(s: Plain) -> None:
    """VBD.set_device works."""
    given_an_accessor(s, "VBD", "set", "device")


@defect("QUAL-RO-CONSTRUCTOR", cls="host")
def version_can_be_added_to(s: Plain) -> None:
    """host.add_to_software_version works."""
    given_an_accessor(s, "host", "add_to", "software_version", *KEY_AND_VALUE)


@defect("QUAL-RO-RUNTIME", cls="SR")
def utilisation_can_be_set(s: Plain) -> None:
    """SR.set_physical_utilisation works."""
    given_an_accessor(s, "SR", "set", "physical_utilisation")


@defect("QUAL-NO-WRONG-ACCESSOR", cls="secret")
def text_taken_for_a_map(s: Plain) -> None:
    """secret.add_to_value succeeds and appends."""
    given_an_accessor(s, "secret", "add_to", "value", *KEY_AND_VALUE)
    doing(s, "add_to", "secret", "value", lambda _old, _ref, obj, key, value: obj.update(value=f"{key}={value}"))


@defect("SET-ONLY-THAT QUAL-RO-CONSTRUCTOR", cls="VBD")
def type_decides_the_mode(s: Plain) -> None:
    """VBD.set_type of CD makes the mode RO."""
    doing(s, "set", "VBD", "type", lambda old, _ref, obj, value: (
        old(value), obj.update({"mode": "RO"} if value == "CD" else {})))  # fmt: skip


# -------------------------------------------------------------------------------------------------- what setters reach


@defect("SET-ONLY-THAT", cls="network")
def mtu_pushed_to_interfaces(s: Plain) -> None:
    """network.set_MTU sets the MTU of the network's VIFs."""

    def write(old: Any, ref: str, _obj: Any, value: int) -> None:
        old(value)
        for row in s.objects["VIF"].values():
            row["MTU"] = value if row["network"] == ref else row["MTU"]

    doing(s, "set", "network", "MTU", write)


@defect("SET-ONLY-THAT", cls="pool")
def pool_renames_its_host(s: Plain) -> None:
    """pool.set_name_label renames the master."""
    after(s, "do_set", lambda of, _ref, obj, f, value: s.objects["host"][obj["master"]].update(name_label=value) if (
        of.name, f.name) == ("pool", "name_label") and obj["master"] in s.objects["host"] else None)  # fmt: skip


@defect("SET-VALUE SET-ONLY-THAT", cls="GPU_group")
def third_is_written_for_the_second(s: Plain) -> None:
    """GPU_group.set_name_description of the third group writes the second."""

    def write(old: Any, ref: str, obj: Any, value: str) -> None:
        rows = s.objects["GPU_group"]
        if list(rows).index(ref) == 2:
            list(rows.values())[1]["name_description"] = value
        else:
            old(value)
        del obj

    doing(s, "set", "GPU_group", "name_description", write)


@defect("STATE-READ-ONLY-READS", cls="VM_appliance")
def look_up_makes_what_is_missing(s: Plain) -> None:
    """A look-up of an appliance by a label of none makes one without telling it."""

    def by_label(old: Any, of: ApiClass, label: str) -> Any:
        found = old(of, label)
        if of.name == "VM_appliance" and label and not found:
            s.make(of, {})
        return found

    around(s, "by_label", by_label)


@defect("STATE-READ-ONLY-READS", cls="SR")
def queries_clear_tags(s: Plain) -> None:
    """get_all_records_where takes the tags off the SRs that match."""

    def where(old: Any, of: ApiClass, query: str) -> Any:
        found = old(of, query)
        for ref in found if of.name == "SR" else ():
            s.objects["SR"][ref]["tags"] = []
        return found

    around(s, "where", where)


@defect("STATE-READ-ONLY-READS", cls="VBD")
def reading_a_record_unboots(s: Plain) -> None:
    """get_record of a VBD turns bootable off."""

    def get_record(old: Any, of: ApiClass, ref: str) -> Any:
        row = old(of, ref)
        if of.name == "VBD":
            s.objects["VBD"][ref]["bootable"] = False
        return row

    around(s, "get_record", get_record)
