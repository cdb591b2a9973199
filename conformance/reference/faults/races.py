"""Faults that only calls made at the same time bring out: what was read before others wrote is written back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.histories import Old, told
from xenconform.conformance.reference.faults.seams import putting, torn
from xenconform.conformance.reference.service import HttpAnswer
from xenconform.models.binding import Draft
from xenconform.models.calls import Call, Success
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch, World


def written_back(name: str, world: World, old: Old, call: Call) -> Branch:
    """Return the branch that writes a field as it comes of what was read before; all else is as it is now."""
    branch, stale = old(call), world.predict(call).first
    record = stale.world.record(call.args[0]) if isinstance(call.args[0], Handle) else None
    alive = isinstance(call.args[0], Handle) and branch.world.record(call.args[0]) is not None
    if record is None or not alive or not isinstance(stale.outcome, Success) or not stale.touched:
        return branch
    return putting(replace(branch, outcome=stale.outcome), call.args[0], **{name: record[name]})


@fault("CONC-LINEARIZABLE", "network", MEDIUM)
def concurrent_tags_overwrite_each_other(s: Server) -> None:
    """Of two tags that are added to a network at the same time one is lost."""
    torn(s, b"network.add_tags", partial(written_back, "tags"))


@fault("CONC-LINEARIZABLE", "VM", MEDIUM)
def key_is_added_by_everyone(s: Server) -> None:
    """Of several additions of one key to a VM's other_config at the same time all succeed."""
    torn(s, b"VM.add_to_other_config", partial(written_back, "other_config"))


@fault("CONC-LINEARIZABLE", "VDI", HARD)
def removal_brings_other_keys_back(s: Server) -> None:
    """A key that is taken out of a VDI's other_config while another one is taken out is there again."""
    torn(s, b"VDI.remove_from_other_config", partial(written_back, "other_config"))


@fault("CONC-LINEARIZABLE", "VM_appliance", HARD)
def name_and_description_are_written_as_one(s: Server) -> None:
    """Setting an appliance's name writes back the description that it had a moment before."""

    def write(world: World, old: Old, call: Call) -> Branch:
        branch, was = old(call), world.record(call.args[0])
        if was is None or branch.world.record(call.args[0]) is None:
            return branch
        return putting(branch, call.args[0], name_description=was["name_description"])

    torn(s, b"VM_appliance.set_name_label", write)


@fault("CONC-LINEARIZABLE", "secret", HARD)
def two_objects_get_one_uuid(s: Server) -> None:
    """Secrets that are made at the same time have the same uuid."""

    def make(world: World, old: Old, call: Call) -> Branch:
        branch = old(call)
        if not isinstance(branch.outcome, Success):
            return branch
        return putting(branch, branch.outcome.value, uuid=world.uuid_of(world.last + 1))

    torn(s, b"secret.create", make)


@fault("CONC-LINEARIZABLE", "VIF", HARD)
def network_misses_one_of_two_new_vifs(s: Server) -> None:
    """Of two VIFs that are made on one network at the same time the network shows one."""

    def make(world: World, old: Old, call: Call) -> Branch:
        branch = old(call)
        record = branch.world.record(branch.outcome.value) if isinstance(branch.outcome, Success) else None
        was = world.record(record["network"]) if record else None
        if record is None or was is None or not isinstance(branch.outcome, Success):
            return branch
        gone = tuple(h for h in was["VIFs"] if branch.world.record(h))
        return putting(branch, record["network"], VIFs=(*gone, branch.outcome.value))

    torn(s, b"VIF.create", make)


@fault("CONC-LINEARIZABLE", "VIF", HARD)
def network_goes_while_a_vif_comes(s: Server) -> None:
    """A network is destroyed though a VIF on it was made while that was being looked up."""

    def destroy(world: World, old: Old, call: Call) -> Branch:
        branch, stale = old(call), world.predict(call).first
        handle = call.args[0]
        if isinstance(branch.outcome, Success) or not isinstance(stale.outcome, Success):
            return branch
        if not isinstance(handle, Handle) or s.state.world.record(handle) is None:
            return branch
        draft = Draft(s.api, s.state.world.objects)
        draft.delete(handle)
        return Branch(Success(None), replace(s.state.world, objects=draft.objects), draft.touched())

    torn(s, b"network.destroy", destroy)


@fault("CONC-LINEARIZABLE", "network", HARD)
def record_is_read_in_two_halves(s: Server) -> None:
    """A network's record has the name as it was when the call came and the rest as it was when it was answered."""

    def read(world: World, old: Old, call: Call) -> Branch:
        branch, was = old(call), world.record(call.args[0])
        if was is None or not isinstance(branch.outcome, Success):
            return branch
        return told(branch, {**branch.outcome.value, "name_label": was["name_label"], "MTU": was["MTU"]})

    torn(s, b"network.get_record", read)


@fault("CONC-LINEARIZABLE", "VMSS", HARD)
def whole_record_is_written_back(s: Server) -> None:
    """Enabling a snapshot schedule writes all its fields back as they were a moment before."""

    def write(world: World, old: Old, call: Call) -> Branch:
        branch, was = old(call), world.record(call.args[0])
        if was is None or branch.world.record(call.args[0]) is None:
            return branch
        return putting(branch, call.args[0], **{n: v for n, v in was.items() if n not in {"enabled", "VMs"}})

    torn(s, b"VMSS.set_enabled", write)


@fault("CONC-LINEARIZABLE", "VM", HARD)
def vm_is_shown_by_two_appliances(s: Server) -> None:
    """A VM that is put into two appliances at the same time is shown by both."""

    def move(world: World, old: Old, call: Call) -> Branch:
        branch = old(call)
        if not isinstance(call.args[0], Handle):
            return branch
        was, now = world.record(call.args[0]), s.state.world.record(call.args[0])
        if was is None or now is None or now["appliance"] in {was["appliance"], call.args[1]}:
            return branch
        left = branch.world.record(now["appliance"])
        return branch if left is None else putting(branch, now["appliance"], VMs=(*left["VMs"], call.args[0]))

    torn(s, b"VM.set_appliance", move)


@fault("CONC-LINEARIZABLE", "PVS_site", HARD)
def listing_has_only_the_last_new_object(s: Server) -> None:
    """Of the PVS sites that are made while get_all lists them it lists the last one only."""

    def listed(world: World, old: Old, call: Call) -> Branch:
        branch = old(call)
        if call.message != "PVS_site.get_all" or not isinstance(branch.outcome, Success):
            return branch
        new: list[Value] = [h for h in branch.outcome.value if world.record(h) is None]
        return told(branch, tuple(h for h in branch.outcome.value if h not in new[:-1]))

    torn(s, b"PVS_site.get_all", listed)


@fault("ROBUST-HTTP", "network", HARD, also="ROBUST-ALIVE")
def cut_senders_use_up_the_workers(s: Server) -> None:
    """A sender that hangs up within a body keeps one of two workers: after two nobody is answered any more."""
    lost = [0]

    async def answer(old: Any, scope: Any, receive: Any) -> HttpAnswer:
        whole: list[bool] = []

        async def watched() -> Any:
            message = await receive()
            lost[0] += message["type"] == "http.disconnect" and not whole
            if not message.get("more_body", False):
                whole.append(True)
            return message

        if lost[0] >= 2:
            await asyncio.Event().wait()  # which nobody sets
        answered: HttpAnswer = await old(scope, watched)
        return answered

    around(s.app, "_answer", answer)
