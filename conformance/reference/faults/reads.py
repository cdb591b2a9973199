"""Faults of getters, listings and look-ups that change what they read, or something else."""

from __future__ import annotations

from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, fault
from xenconform.conformance.reference.faults.histories import Old
from xenconform.conformance.reference.faults.seams import after, calls, code_of, fields_of, putting
from xenconform.models.calls import Call, Format, Success
from xenconform.models.values import Handle
from xenconform.models.world import Branch


@fault("STATE-READ-ONLY-READS", "network", also="WHERE")
def query_marks_what_it_finds(s: Server) -> None:
    """get_all_records_where leaves the key last_query in the other_config of each network that it finds."""

    def mark(call: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        for each in branch.outcome.value:
            config = (branch.world.record(each) or {})["other_config"]
            branch = putting(branch, each, other_config={**config, "last_query": call.args[0]})
        return branch

    after(s, mark, "network.get_all_records_where")


@fault("STATE-READ-ONLY-READS", "VM_appliance", MEDIUM)
def look_up_tidies_the_description(s: Server) -> None:
    """get_by_name_label takes white space off the ends of the descriptions of the appliances that it finds."""

    def tidy(_call: Call, branch: Branch) -> Branch:
        assert isinstance(branch.outcome, Success)
        for each in branch.outcome.value:
            text: str = (branch.world.record(each) or {})["name_description"]
            branch = branch if text == text.strip() else putting(branch, each, name_description=text.strip())
        return branch

    after(s, tidy, "VM_appliance.get_by_name_label")


@fault("STATE-READ-ONLY-READS", "PVS_site", HARD)
def unknown_uuid_makes_an_empty_object(s: Server) -> None:
    """get_by_uuid of an unknown uuid fails as it should, and from then on get_all lists one more empty PVS site."""

    def look(old: Old, call: Call) -> Branch:
        branch = old(call)
        if code_of(branch) != "UUID_INVALID":
            return branch
        made = s.state.world.create("PVS_site", {})
        return Branch(branch.outcome, made.world, made.touched)

    calls(s, look, "PVS_site.get_by_uuid")


@fault("STATE-READ-ONLY-READS", "VIF", MEDIUM)
def reading_a_vif_writes_to_its_network(s: Server) -> None:
    """VIF.get_network over XML-RPC gives the network the tag `in use`."""

    def tag(call: Call, branch: Branch) -> Branch:
        network = fields_of(s, call.args[0])["network"]
        tags = fields_of(s, network).get("tags", ())
        seen = not s.is_over(Format.XMLRPC) or not fields_of(s, network) or "in use" in tags
        return branch if seen else putting(branch, network, tags=(*tags, "in use"))

    after(s, tag, "VIF.get_network")


@fault("STATE-READ-ONLY-READS", "secret", HARD)
def listing_cuts_the_youngest(s: Server) -> None:
    """secret.get_all over JSON-RPC 2.0 cuts the value of the youngest secret to 255 characters."""

    def cut(_call: Call, branch: Branch) -> Branch:
        last = branch.world.handles("secret")[-1:]
        for each in last if s.is_over(Format.JSONRPC2) else ():
            value = (branch.world.record(each) or {})["value"]
            branch = branch if len(value) < 256 else putting(branch, each, value=value[:255])
        return branch

    after(s, cut, "secret.get_all")


@fault("STATE-READ-ONLY-READS", "VDI", HARD)
def reading_one_disk_writes_to_another(s: Server) -> None:
    """VDI.get_location clears other_config of the VDI that was made just before the one that is read."""

    def clear(call: Call, branch: Branch) -> Branch:
        elder = [h for h in s.state.world.handles("VDI") if h.n < call.args[0].n]
        return putting(branch, elder[-1], other_config={}) if elder else branch

    after(s, clear, "VDI.get_location")


@fault("STATE-READ-ONLY-READS", "VM", HARD)
def failing_getter_still_writes(s: Server) -> None:
    """VM.get_possible_hosts is not implemented, says so, and raises the VM's user_version all the same."""

    def think(old: Old, call: Call) -> Branch:
        branch, fields = old(call), fields_of(s, call.args[0]) if isinstance(call.args[0], Handle) else {}
        return putting(branch, call.args[0], user_version=(fields["user_version"] + 1) % 2**31) if fields else branch

    calls(s, think, "VM.get_possible_hosts")


@fault("STATE-READ-ONLY-READS", "pool", HARD)
def bad_ref_writes_to_the_first_object(s: Server) -> None:
    """Reading a pool that is not there fails as it should, and puts a point behind the real pool's description."""

    def read(old: Old, call: Call) -> Branch:
        branch = old(call)
        if code_of(branch) != "HANDLE_INVALID":
            return branch
        pool = s.state.world.handles("pool")[0]
        return putting(branch, pool, name_description=fields_of(s, pool)["name_description"] + ".")

    calls(s, read, "pool.get_other_config")


@fault("STATE-READ-ONLY-READS", "task", HARD)
def record_of_an_old_task_loses_its_text(s: Server) -> None:
    """The second reading of a task's record empties the map other_config of the task."""
    seen: set[Handle] = set()

    def read(call: Call, branch: Branch) -> Branch:
        if call.args[0] in seen and fields_of(s, call.args[0])["other_config"]:
            return putting(branch, call.args[0], other_config={})
        seen.add(call.args[0])
        return branch

    after(s, read, "task.get_record")


@fault("STATE-READ-ONLY-READS", "message", HARD)
def what_is_older_than_asked_for_goes(s: Server) -> None:
    """message.get_since takes every message away that is older than its date."""

    def prune(call: Call, branch: Branch) -> Branch:
        for each in branch.world.handles("message"):
            if fields_of(s, each)["timestamp"] < call.args[0]:
                gone = branch.world.destroy(each)
                branch = Branch(branch.outcome, gone.world, (*branch.touched, *gone.touched))
        return branch

    after(s, prune, "message.get_since")
