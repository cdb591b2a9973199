"""Defects that only a sequence of calls shows, with the fewest calls that can, logins left out.

What a defect remembers, it remembers by ref, so that a case shows it by its own objects alone. `fewest` counts the
case's calls, the last of which is the reply that is wrong; the docstring says which they are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from strangers.base import Install, after, around, defect
from strangers.defects_bonds import far
from strangers.plain_server import Plain
from strangers.values import NULL, Refusal

FEWEST: dict[str, int] = {}
"""By a defect's name, how many calls its smallest case has."""


def sequence(clauses: str, fewest: int, *, cls: str = "network") -> Callable[[Install], Install]:
    """Enter a defect that the machine of the class `cls` finds, told under STATE-MODEL and one of `clauses`."""

    def enter(install: Install) -> Install:
        FEWEST[install.__name__] = fewest
        return defect(f"STATE-MODEL {clauses}".strip(), cls=cls)(install)

    return enter


def writing(s: Plain, verb: str, field: str, new: Callable[..., Any], cls: str = "network") -> None:
    """Put `new(old, ref, obj, *values)` in place of what a verb does to a class's field; `old()` does it."""

    def both(old: Any, of: Any, ref: str, obj: Any, f: Any, *values: Any) -> None:
        if (of.name, f.name) != (cls, field):
            old(of, ref, obj, f, *values)
        else:
            new(lambda *others: old(of, ref, obj, f, *(others or values)), ref, obj, *values)

    around(s, f"do_{verb}", both)


def shown(s: Plain, cls: str, field: str, new: Callable[[Any, str], Any]) -> None:
    """Change what every reader tells of a field: `new(value, ref)`."""

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        value = old(of, obj, ref, f)
        return new(value, ref) if (of.name, f.name) == (cls, field) else value

    around(s, "get", get)


def making(s: Plain, cls: str, then: Callable[[str], Any]) -> None:
    """Do something more with the ref of each new object of a class."""

    def make(old: Any, of: Any, given: Any) -> Any:
        ref = old(of, given)
        if of.name == cls:
            then(ref)
        return ref

    around(s, "make", make)


# -------------------------------------------------------------------------------------------------------- bound fields


@sequence("BIND-MOVE", 6, cls="VM_appliance")
def second_leave_not_seen(s: Plain) -> None:
    """An appliance that a VM leaves for the second time keeps it.

    Create an appliance and a VM in it, null, set, null, read the appliance.
    """
    ghosts: dict[str, list[str]] = defaultdict(list)
    left: Counter[tuple[str, str]] = Counter()

    def set_appliance(old: Any, ref: str, obj: Any, value: str) -> None:
        was = obj["appliance"]
        old()
        if was not in {NULL, value}:
            left[ref, was] += 1
            if left[ref, was] == 2:
                ghosts[was].append(ref)

    writing(s, "set", "appliance", set_appliance, "VM")
    shown(s, "VM_appliance", "VMs", lambda found, ref: [*found, *(g for g in ghosts[ref] if g not in found)])


@sequence("BIND-MOVE", 5, cls="VM_appliance")
def return_not_seen(s: Plain) -> None:
    """An appliance does not show a VM that comes back to it.

    Create an appliance and a VM in it, null, set, read the appliance.
    """
    left: set[tuple[str, str]] = set()

    def set_appliance(old: Any, ref: str, obj: Any, value: str) -> None:
        if obj["appliance"] != value:
            left.add((ref, obj["appliance"]))
        old()

    writing(s, "set", "appliance", set_appliance, "VM")
    shown(s, "VM_appliance", "VMs", lambda found, ref: [vm for vm in found if (vm, ref) not in left])


@sequence("BIND-CREATE", 6, cls="VIF")
def network_forgets_after_a_destroy(s: Plain) -> None:
    """A network from which a VIF was destroyed does not show the VIFs that come later.

    Create the network, the VM and a VIF, destroy it, create another, read the network.
    """
    lost: set[str] = set()
    had: set[str] = set()

    def destroy(old: Any, of: Any, ref: str) -> None:
        network = s.object(of, ref).get("network", "") if of.name == "VIF" else ""
        old(of, ref)
        had.add(network)

    around(s, "destroy", destroy)
    making(s, "VIF", lambda ref: lost.add(ref) if s.objects["VIF"][ref]["network"] in had else None)
    far(s, lambda r, _ref, found: [v for v in found if v not in lost] if r.derived_cls == "network" else found)


@sequence("BIND-DESTROY DESTROY-GONE", 6, cls="VIF")
def destroyed_twin_stays(s: Plain) -> None:
    """A VM keeps a destroyed VIF as long as it has a newer one.

    Create the network, the VM and two VIFs, destroy the first, read the VM.
    """
    ghosts: dict[str, list[str]] = defaultdict(list)

    def destroy(old: Any, of: Any, ref: str) -> None:
        vm = s.object(of, ref).get("VM", NULL) if of.name == "VIF" else NULL
        old(of, ref)
        if vm != NULL:
            ghosts[vm].append(ref)

    around(s, "destroy", destroy)
    shown(s, "VM", "VIFs", lambda found, ref: [*ghosts[ref], *found] if found else found)


@sequence("DESTROY-REFERENCED", 5, cls="VM_appliance")
def reference_forgotten_on_return(s: Plain) -> None:
    """An appliance that a VM left and came back to can be destroyed.

    Create an appliance and a VM in it, null, set, destroy the appliance.
    """
    left: set[tuple[str, str]] = set()

    def set_appliance(old: Any, ref: str, obj: Any, value: str) -> None:
        if obj["appliance"] != value:
            left.add((ref, obj["appliance"]))
        old()

    writing(s, "set", "appliance", set_appliance, "VM")
    around(s, "users_of", lambda old, of, ref: [user for user in old(of, ref) if (user, ref) not in left])


@sequence("", 4, cls="VM_appliance")
def reference_counted_for_ever(s: Plain) -> None:
    """An appliance that a VM left cannot be destroyed.

    Create an appliance and a VM in it, null, destroy the appliance.
    """
    left: dict[str, list[str]] = defaultdict(list)

    def set_appliance(old: Any, ref: str, obj: Any, value: str) -> None:
        if obj["appliance"] != value and ref in s.objects["VM"]:
            left[obj["appliance"]].append(ref)
        old()

    writing(s, "set", "appliance", set_appliance, "VM")
    around(s, "users_of", lambda old, of, ref: [*old(of, ref), *(vm for vm in left[ref] if vm in s.objects["VM"])])


@sequence("DESTROY-REFERENCED-UNCHANGED", 4, cls="VM_appliance")
def refused_destroy_unlinks(s: Plain) -> None:
    """An appliance whose destroy is refused has lost its VMs.

    Create an appliance and a VM in it, destroy the appliance, read either.
    """

    def destroy(old: Any, of: Any, ref: str) -> None:
        try:
            old(of, ref)
        except Refusal:
            for vm in s.objects["VM"].values():
                if of.name == "VM_appliance" and vm["appliance"] == ref:
                    vm["appliance"] = NULL
            raise

    around(s, "destroy", destroy)


# ------------------------------------------------------------------------------------------------------------ look-ups


def indexed(s: Plain, follows: Callable[[str, str], bool]) -> None:
    """Look labels up in an index that follows a rename only if `follows(ref, label)`."""
    index: dict[str, str] = {}
    making(s, "network", lambda ref: index.update({ref: s.objects["network"][ref]["name_label"]}))

    def rename(old: Any, ref: str, _obj: Any, label: str) -> None:
        old()
        if follows(ref, label):
            index[ref] = label

    writing(s, "set", "name_label", rename)
    around(s, "by_label", lambda _old, of, label: [
        r for r, row in s.objects[of.name].items() if index.get(r, row["name_label"]) == label])  # fmt: skip


@sequence("LABEL-LOOKUP", 4)
def second_rename_not_indexed(s: Plain) -> None:
    """get_by_name_label misses the second rename of an object.

    Create, rename, rename, look up.
    """
    times: Counter[str] = Counter()

    def follows(ref: str, _label: str) -> bool:
        times[ref] += 1
        return times[ref] != 2

    indexed(s, follows)


@sequence("LABEL-LOOKUP", 4)
def old_name_not_indexed(s: Plain) -> None:
    """get_by_name_label misses a rename to a name that the object had before.

    Create, rename, rename back, look up.
    """
    had: dict[str, set[str]] = defaultdict(set)
    making(s, "network", lambda ref: had[ref].add(s.objects["network"][ref]["name_label"]))

    def follows(ref: str, label: str) -> bool:
        old = label in had[ref]
        had[ref].add(label)
        return not old

    indexed(s, follows)


@sequence("LABEL-LOOKUP", 3)
def rename_over_another_format_not_indexed(s: Plain) -> None:
    """get_by_name_label misses a rename over another format than the object was made over.

    Create, rename over another, look up.
    """
    made: dict[str, str] = {}
    making(s, "network", lambda ref: made.update({ref: s.fmt}))
    indexed(s, lambda ref, _label: made.get(ref) == s.fmt)


@sequence("LABEL-LOOKUP DESTROY-NO-CASCADE", 4)
def namesake_lost_from_the_index(s: Plain) -> None:
    """With one of two objects of one name destroyed, get_by_name_label misses the other.

    Create, create with the same name, destroy one, look up.
    """
    lost: dict[str, str] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        label = s.object(of, ref).get("name_label", "")
        old(of, ref)
        rows = s.objects[of.name].items()
        lost.update({r: label for r, row in rows if of.name == "network" and row["name_label"] == label})

    around(s, "destroy", destroy)
    around(s, "by_label", lambda old, of, label: [ref for ref in old(of, label) if lost.get(ref) != label])


@sequence("LABEL-LOOKUP DESTROY-GONE", 4)
def destroyed_found_by_a_new_bearer_of_its_name(s: Plain) -> None:
    """get_by_name_label tells of a destroyed object once another bears its name.

    Create, destroy, create with the same name, look up.
    """
    gone: dict[str, list[str]] = defaultdict(list)

    def destroy(old: Any, of: Any, ref: str) -> None:
        label = s.object(of, ref).get("name_label", "")
        old(of, ref)
        gone[of.name + label].append(ref)

    def by_label(old: Any, of: Any, label: str) -> Any:
        found = old(of, label)
        return [*gone[of.name + label], *found] if found else found

    around(s, "destroy", destroy)
    around(s, "by_label", by_label)


@sequence("UUID-LOOKUP", 5)
def uuid_of_a_neighbour_lost(s: Plain) -> None:
    """get_by_uuid does not find the object that was made after a destroyed one.

    Create, create, read the second's uuid, destroy the first, look up.
    """
    lost: set[str] = set()

    def destroy(old: Any, of: Any, ref: str) -> None:
        refs = list(s.objects[of.name])
        after_it = refs[refs.index(ref) + 1 :][:1] if ref in refs else []
        old(of, ref)
        lost.update(after_it)

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        found = old(of, text)
        if found in lost:
            raise Refusal("UUID_INVALID", of.name, text)
        return found

    around(s, "destroy", destroy)
    around(s, "by_uuid", by_uuid)


@sequence("UUID-LOOKUP", 5)
def uuid_lost_by_two_renames(s: Plain) -> None:
    """get_by_uuid does not find an object that was renamed twice.

    Create, read the uuid, rename, rename, look up.
    """
    times: Counter[str] = Counter()

    def rename(old: Any, ref: str, _obj: Any, _label: str) -> None:
        old()
        times[ref] += 1

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        found = old(of, text)
        if times[found] > 1:
            raise Refusal("UUID_INVALID", of.name, text)
        return found

    writing(s, "set", "name_label", rename)
    around(s, "by_uuid", by_uuid)


@sequence("DESTROY-GONE", 4)
def destroyed_listed_after_a_create(s: Plain) -> None:
    """get_all tells of a destroyed object once another was made.

    Create, destroy, create, list.
    """
    gone: list[str] = []
    back: set[str] = set()
    after(s, "destroy", lambda of, ref: gone.append(ref) if of.name == "network" else None)
    making(s, "network", lambda _ref: back.update(gone))
    around(s, "get_all", lambda old, of: [*old(of), *(back if of.name == "network" else ())])
    around(s, "get_all_records", lambda _old, of: {ref: s.get_record(of, ref) for ref in s.objects[of.name]})


# ---------------------------------------------------------------------------------------------------- refs and records


@sequence("CREATE-NEW", 5)
def last_but_one_ref_used_again(s: Plain) -> None:
    """The ref of the object that was destroyed before the last is given to the next one.

    Create, create, destroy, destroy, create.
    """
    free: list[str] = []
    after(s, "destroy", lambda of, ref: free.append(ref) if of.name == "network" else None)
    around(s, "new_ref", lambda old, cls: free.pop(-2) if cls == "network" and len(free) > 1 else old(cls))


@sequence("CREATE-NEW", 5)
def uuid_goes_with_the_name(s: Plain) -> None:
    """An object with the name of a destroyed one has its uuid.

    Create, read the uuid, destroy, create with the same name, read the uuid.
    """
    had: dict[str, str] = {}

    def destroy(old: Any, of: Any, ref: str) -> None:
        row = s.object(of, ref)
        old(of, ref)
        if of.name == "network":
            had[row["name_label"]] = row["uuid"]

    def inherit(ref: str) -> None:
        row = s.objects["network"][ref]
        row["uuid"] = had.pop(row["name_label"], row["uuid"])

    around(s, "destroy", destroy)
    making(s, "network", inherit)


@sequence("CREATE-FIELDS", 3)
def tags_go_with_the_name(s: Plain) -> None:
    """A new object has the tags of an older one of its name.

    Create with tags, create with the same name, read its tags.
    """

    def inherit(ref: str) -> None:
        rows = s.objects["network"]
        olds = [row for r, row in rows.items() if r != ref and row["name_label"] == rows[ref]["name_label"]]
        if olds and olds[-1]["tags"]:
            rows[ref]["tags"] = [*olds[-1]["tags"]]

    making(s, "network", inherit)


@sequence("SET-ONLY-THAT", 4)
def namesakes_share_tags(s: Plain) -> None:
    """A tag added to one object is added to those of its name.

    Create, create with the same name, tag one, read the other's tags.
    """

    def add(old: Any, ref: str, obj: Any, value: str) -> None:
        old()
        for other, row in s.objects["network"].items():
            if other != ref and row["name_label"] == obj.get("name_label") and value not in row["tags"]:
                row["tags"] = [*row["tags"], value]

    writing(s, "add", "tags", add)


@sequence("SET-VALUE", 5)
def third_object_cannot_be_described(s: Plain) -> None:
    """A description is not written while three objects that clients made are there.

    Create three, set, read.
    """
    ours: set[str] = set()
    making(s, "network", ours.add)
    writing(s, "set", "name_description", lambda old, _ref, _obj, _value: (
        old() if len(ours & s.objects["network"].keys()) < 3 else None))  # fmt: skip
