"""Faults that only a history of calls brings out: each call by itself, on a new object, does what it should."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from xenconform.conformance.reference.faults.base import HARD, Server, fault
from xenconform.conformance.reference.faults.objects import spared
from xenconform.conformance.reference.faults.seams import after, calls, code_of, fields_of, handled, put, putting
from xenconform.models.calls import Call, Success
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch

Old = Callable[[Call], Branch]


def told(branch: Branch, value: Value) -> Branch:
    """Return a branch that answers something else and does the same."""
    return replace(branch, outcome=Success(value))


def passed_over(branch: Branch) -> Branch:
    """Return a branch that says it is done and has done nothing."""
    return replace(branch, outcome=Success(None), touched=())


# ------------------------------------------------------------------------------------------------ copies that are tied


@fault("STATE-MODEL", "VM", HARD, also="SET-ONLY-THAT")
def clone_shares_a_map_with_its_source(s: Server) -> None:
    """After a VM was cloned, a key that is added to the source's platform appears in the clone's too."""
    clones: dict[Handle, Handle] = {}

    def note(call: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        clones[call.args[0]] = branch.outcome.value
        return branch

    def share(call: Call, branch: Branch) -> Branch:
        clone = clones.get(call.args[0])
        if clone is None or branch.world.record(clone) is None:
            return branch
        return putting(branch, clone, platform=(branch.world.record(call.args[0]) or {})["platform"])

    after(s, note, "VM.clone")
    after(s, share, "VM.add_to_platform")


@fault("STATE-MODEL", "VDI", HARD)
def snapshot_grows_with_its_disk(s: Server) -> None:
    """Resizing a VDI that has snapshots gives them the new virtual size too."""

    def resize(call: Call, branch: Branch) -> Branch:
        disk = branch.world.record(call.args[0]) or {}
        for snapshot in disk["snapshots"]:
            branch = putting(branch, snapshot, virtual_size=disk["virtual_size"])
        return branch

    after(s, resize, "VDI.resize*")


@fault("STATE-MODEL", "VM", HARD)
def second_clone_is_the_first_again(s: Server) -> None:
    """A VM that is cloned a second time gives a clone with the tags that it had at the first time."""
    kept: dict[Handle, Value] = {}

    def clone(call: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        tags = kept.setdefault(call.args[0], fields_of(s, call.args[0])["tags"])
        return putting(branch, branch.outcome.value, tags=tags)

    after(s, clone, "VM.clone")


@fault("STATE-MODEL", "VDI", HARD)
def clone_of_a_snapshot_is_a_snapshot(s: Server) -> None:
    """A clone of a VDI that is a snapshot says that it is a snapshot itself."""

    def clone(call: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        if not fields_of(s, call.args[0])["is_a_snapshot"]:
            return branch
        return putting(branch, branch.outcome.value, is_a_snapshot=True)

    after(s, clone, "VDI.clone")


# ----------------------------------------------------------------------------------------- what was refused comes back


@fault("STATE-MODEL", "network", HARD, also="DESTROY-NO-CASCADE")
def refused_destroy_is_done_later(s: Server) -> None:
    """A network whose destruction was refused because of a VIF goes by itself when its last VIF is destroyed."""
    doomed = spared(s, "network.destroy")

    def leave(old: Old, call: Call) -> Branch:
        network = fields_of(s, call.args[0]).get("network")
        branch = old(call)
        left = branch.world.record(network) if network in doomed and branch.touched else None
        if network is None or left is None or left["VIFs"] or left["PIFs"]:
            return branch
        gone = branch.world.destroy(network)
        return replace(branch, world=gone.world, touched=(*branch.touched, *gone.touched))

    calls(s, leave, "VIF.destroy")


@fault("STATE-MODEL", "VM_appliance", HARD, also="SET-VALUE")
def refused_destroy_freezes_the_object(s: Server) -> None:
    """After its destruction was refused, an appliance takes a new description and keeps the old one."""
    frozen = spared(s, "VM_appliance.destroy")

    def write(old: Old, call: Call) -> Branch:
        branch = old(call)
        return passed_over(branch) if call.args[0] in frozen and branch.touched else branch

    calls(s, write, "VM_appliance.set_name_description")


@fault("STATE-MODEL", "network", HARD, also="MAP-ADD")
def duplicate_key_stops_the_next_key(s: Server) -> None:
    """After a key was refused because it was there, a network's next new key is taken and lost."""
    stopped: set[Handle] = set()

    def add(old: Old, call: Call) -> Branch:
        branch = old(call)
        if code_of(branch) == "MAP_DUPLICATE_KEY":
            stopped.add(call.args[0])
        elif branch.touched and call.args[0] in stopped:
            stopped.discard(call.args[0])
            return passed_over(branch)
        return branch

    calls(s, add, "network.add_to_other_config")


# ------------------------------------------------------------------------------------------------- indexes and caches


@fault("STATE-MODEL", "network", HARD, also="LABEL-LOOKUP")
def name_taken_up_again_is_not_found(s: Server) -> None:
    """A network that is given back a name which it had before is not found by it."""
    had: dict[Handle, set[str]] = defaultdict(set)

    def rename(call: Call, branch: Branch) -> Branch:
        had[call.args[0]].add(fields_of(s, call.args[0])["name_label"])
        return branch

    def look(call: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        found = (h for h in branch.outcome.value if call.args[0] not in had[h])
        return told(branch, tuple(found))

    after(s, rename, "network.set_name_label")
    after(s, look, "network.get_by_name_label")


@fault("STATE-MODEL", "network", HARD, also="GET-ALL-AGREES DESTROY-GONE DESTROY-NO-CASCADE")
def listing_is_kept_while_the_number_is_the_same(s: Server) -> None:
    """get_all lists what it listed before where one object was made and another ended since then."""
    last: list[tuple[str, ...]] = [()]

    def listed(_call: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        now = tuple(s.state.refs.ref(h) for h in branch.outcome.value)
        last[0] = last[0] if len(last[0]) == len(now) else now
        return told(branch, last[0])

    after(s, listed, "network.get_all")


@fault("STATE-MODEL", "secret", HARD, also="UUID-LOOKUP")
def uuid_index_shifts_after_a_destroy(s: Server) -> None:
    """After a secret was destroyed, the uuids of those made after it lead to their elders until one more is made."""
    shifted: set[int] = set()

    def look(_call: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        found: Handle = branch.outcome.value
        elder = [h for h in s.state.world.handles("secret") if h.n < found.n]
        return told(branch, elder[-1]) if elder and any(n < found.n for n in shifted) else branch

    def forget(_call: Call, branch: Branch) -> Branch:
        shifted.clear()
        return branch

    def end(call: Call, branch: Branch) -> Branch:
        shifted.add(call.args[0].n)
        return branch

    after(s, end, "secret.destroy")
    after(s, forget, "secret.create")
    after(s, look, "secret.get_by_uuid")


@fault("STATE-MODEL", "network", HARD, also="SET-ONLY-THAT")
def networks_of_one_name_share_their_mtu(s: Server) -> None:
    """Setting a network's MTU sets that of every other network of the same name."""

    def write(call: Call, branch: Branch) -> Branch:
        mine = branch.world.record(call.args[0]) or {}
        for each in branch.world.handles("network"):
            if each != call.args[0] and (branch.world.record(each) or {})["name_label"] == mine["name_label"]:
                branch = putting(branch, each, MTU=mine["MTU"])
        return branch

    after(s, write, "network.set_MTU")


# ------------------------------------------------------------------------------------------------------- sessions


@fault("STATE-MODEL", "network", HARD)
def logout_takes_the_last_write_back(s: Server) -> None:
    """Logging a session out puts back the description that a network had before the session last set one."""
    undo: dict[Handle, tuple[Handle, str]] = {}

    def write(call: Call, branch: Branch) -> Branch:
        if s.session is not None:
            undo[s.session.handle] = call.args[0], fields_of(s, call.args[0])["name_description"]
        return branch

    def leave(old: Any, state: Any, session: Any, args: Any) -> Any:
        result = old(state, session, args)
        handle, text = undo.pop(session.handle, (None, ""))
        if handle is not None and fields_of(s, handle):
            state.adopt(put(state.world, handle, name_description=text), (handle,))
        return result

    after(s, write, "network.set_name_description")
    handled(s, "session.logout", leave)


@fault("STATE-MODEL", "VM_appliance", HARD, also="SET-VALUE")
def session_reads_what_it_read_before(s: Server) -> None:
    """A session that has read an appliance's description is told the same again after another session changed it."""
    seen: dict[tuple[Handle, Handle], str] = {}

    def read(call: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        key = (s.session.handle if s.session else call.args[0], call.args[0])
        return told(branch, seen.setdefault(key, branch.outcome.value))

    def write(call: Call, branch: Branch) -> Branch:
        if s.session is not None:
            seen.pop((s.session.handle, call.args[0]), None)
        return branch

    after(s, read, "VM_appliance.get_name_description")
    after(s, write, "VM_appliance.set_name_description")
