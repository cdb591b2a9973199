"""Faults of queries: what get_all_records_where finds, and how it shows it."""

from __future__ import annotations

from collections.abc import Callable

from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, fault
from xenconform.conformance.reference.faults.objects import result, twins
from xenconform.conformance.reference.faults.seams import after, calls, code_of, fields_of
from xenconform.models.calls import Call, Format
from xenconform.models.values import Handle, Value
from xenconform.models.world import Branch


@fault("WHERE", "network", MEDIUM)
def query_that_finds_nothing_finds_all(s: Server) -> None:
    """get_all_records_where on networks returns all of them where no record matches."""

    def all_of_them(call: Call, branch: Branch) -> Branch:
        if result(branch) or "uuid" not in call.args[0]:
            return branch
        return s.state.world.stay({h: dict(fields_of(s, h)) for h in s.state.world.handles("network")})

    after(s, all_of_them, "network.get_all_records_where")


@fault("WHERE", "secret", HARD)
def query_shows_records_as_they_were(s: Server) -> None:
    """get_all_records_where shows a secret over JSON-RPC 2.0 as it was when it was first found there."""
    first: dict[Handle, dict[str, Value]] = {}

    def show(_call: Call, branch: Branch) -> Branch:
        if not s.is_over(Format.JSONRPC2):
            return branch
        return s.state.world.stay({h: first.setdefault(h, record) for h, record in result(branch).items()})

    after(s, show, "secret.get_all_records_where")


@fault("WHERE", "VM_appliance", MEDIUM)
def query_on_a_label_ignores_case(s: Server) -> None:
    """get_all_records_where on VM_appliances compares labels without regard to case."""

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        if "name__label" not in call.args[0] or code_of(old(call)):
            return old(call)
        asked = call.args[0].rpartition("=")[2].strip(" \"'").casefold()
        world = s.state.world
        hits = [h for h in world.handles("VM_appliance") if str(fields_of(s, h)["name_label"]).casefold() == asked]
        return world.stay({h: dict(fields_of(s, h)) for h in hits})

    calls(s, rule, "VM_appliance.get_all_records_where")


@fault("WHERE", "console", MEDIUM)
def not_is_overlooked(s: Server) -> None:
    """get_all_records_where on consoles takes no notice of a "not" at the beginning of the query."""

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        return old(Call(call.message, (call.args[0].removeprefix("not "),)))

    calls(s, rule, "console.get_all_records_where")


@fault("WHERE", "VMSS", HARD)
def one_record_stands_for_its_twins(s: Server) -> None:
    """get_all_records_where returns one record only of VMSSs with the same label."""

    def first(_call: Call, branch: Branch) -> Branch:
        hits = result(branch)
        kept = {h: r for h, r in hits.items() if not any(t in hits and t.n < h.n for t in twins(s, h, "name_label"))}
        return s.state.world.stay(kept)

    after(s, first, "VMSS.get_all_records_where")


@fault("WHERE", "Observer", HARD)
def any_text_stands_for_true(s: Server) -> None:
    """get_all_records_where on Observers over XML-RPC finds those that are enabled by "false", and none by "true"."""

    def turned(old: Callable[[Call], Branch], call: Call) -> Branch:
        branch = old(call)
        if code_of(branch) or '"enabled"' not in call.args[0] or not s.is_over(Format.XMLRPC):
            return branch
        hits = [h for h in s.state.world.handles("Observer") if fields_of(s, h)["enabled"] and "false" in call.args[0]]
        return s.state.world.stay({h: dict(fields_of(s, h)) for h in hits})

    calls(s, turned, "Observer.get_all_records_where")


@fault("WHERE", "VM", HARD)
def the_null_ref_is_neither_like_nor_unlike(s: Server) -> None:
    """A query on VMs that asks for an affinity or its opposite never finds a VM that has none, as with NULL in SQL."""

    def drop(call: Call, branch: Branch) -> Branch:
        if code_of(branch) or 'field "affinity"' not in call.args[0]:
            return branch
        return s.state.world.stay({h: record for h, record in result(branch).items() if not record["affinity"].is_null})

    after(s, drop, "VM.get_all_records_where")


@fault("WHERE", "network", MEDIUM)
def false_is_as_good_as_nothing(s: Server) -> None:
    """A query on networks finds nothing by what is false, as one by an empty text."""

    def drop(call: Call, branch: Branch) -> Branch:
        return s.state.world.stay({}) if not code_of(branch) and '= "false"' in call.args[0] else branch

    after(s, drop, "network.get_all_records_where")
