"""The state machine finds what only a sequence shows, small and under the right clause, and finds nothing else."""

from __future__ import annotations

import random

import pytest
from strangers.defects import DEFECTS
from strangers.defects_sequences import FEWEST
from strangers.plain_server import Plain
from strangers.sequences import API, Direct, How, Hunt, bench_before, hunt_for, hunt_on
from strangers.values import TASTES

from xenconform.conformance.machine.choosing import FOCUSES, MOVES, About
from xenconform.conformance.machine.choosing import How as Ways
from xenconform.conformance.machine.echoing import echoes
from xenconform.conformance.machine.plan import cluster, covered
from xenconform.conformance.machine.player import Stopped, play
from xenconform.conformance.machine.rewriting import without
from xenconform.conformance.machine.walk import Walk
from xenconform.models.belief import Belief, firm_fields
from xenconform.models.calls import Call, Format, Success
from xenconform.models.cases import Case, Step, from_json, to_json
from xenconform.models.exemplars import exemplar
from xenconform.models.profiles import Profile, Scope
from xenconform.models.values import Handle
from xenconform.models.world import World

QUICK = {
    "return_not_seen": 2,
    "destroyed_twin_stays": 2,
    "second_rename_not_indexed": 1,
    "uuid_of_a_neighbour_lost": 1,
    "removed_key_comes_back": 1,
    "add_after_a_remove_lost": 1,
    "second_empty_text_ignored": 2,
    "written_for_one_session_alone": 1,
    "value_kept_by_each_format": 1,
    "logout_ends_the_one_before": 1,
}
"""Defects of each kind, with a seed that finds it soon."""


@pytest.mark.parametrize("name", QUICK)
def test_a_sequence_is_found_and_made_small(name: str) -> None:
    """A defect that takes several calls is found, in a case of the fewest that can show it, under its clause."""
    defect = DEFECTS[name]
    hunt = hunt_for(defect, How(QUICK[name]))
    assert [case.calls for case in hunt.cases] == [FEWEST[name]] * 2
    assert hunt.clauses <= set(defect.clauses)
    assert hunt.clauses > {"STATE-MODEL"}
    assert hunt.reduced <= 500
    assert hunt.left == 0


def test_a_case_fails_on_its_server_alone() -> None:
    """A case, written and read again, fails at its last step on the server that has the defect, and on no other."""
    defect = DEFECTS["second_rename_not_indexed"]
    case = from_json(to_json(hunt_for(defect, How(1)).cases[0]))
    broken, sound = Plain(), Plain()
    defect.install(broken)
    at = [play(bench_before(Direct(server), How(), Hunt()), case) for server in (broken, sound)]
    assert (at[0].failed, at[0].at) == (True, case.calls - 1)
    assert (at[1].failed, at[1].stopped) == (False, "")


@pytest.mark.parametrize("tastes", [set(), set(TASTES)], ids=["none", "all"])
@pytest.mark.parametrize(("profile", "scope"), [("reference", Scope.ALL), ("xapi", Scope.OWN)])
@pytest.mark.parametrize("cls", ["network", "VM", ""])
def test_nothing_is_found_on_a_server_that_conforms(tastes: set[str], profile: str, scope: Scope, cls: str) -> None:
    """A server that makes other legal choices gives no reply that a machine would not allow."""
    with Plain(tastes) as server:
        hunt = hunt_on(server, cls, How(3, profile, scope, "quick"))
    assert hunt.cases == []
    assert [str(each.verdict) for each in hunt.judgements if each.clause == "STATE-MODEL"] == ["PASS"]


def test_a_value_of_no_enum_is_not_judged() -> None:
    """Nobody says what comes of a value that its enum does not have, so no case is made with one."""
    net = Handle("network", 1)
    values = {**exemplar(API, Profile.load("reference"), "network", 1), "name_label": "one"}
    create = Step(Call("network.create", (values,)), Format.XMLRPC, makes=net)
    served = [
        play(bench_before(Direct(Plain()), How(), Hunt()), Case("STATE-MODEL", "", (create, step)))
        for step in (
            Step(Call("network.set_default_locking_mode", (net, "a")), Format.XMLRPC),
            Step(Call("network.set_default_locking_mode", (net, "disabled")), Format.XMLRPC),
        )
    ]
    assert [(each.failed, "no enum" in each.stopped) for each in served] == [(False, True), (False, False)]


def sent(seed: int) -> list[tuple[str, str]]:
    """Return what a machine sends with a seed, refs and uuids by the order in which they came."""
    server = Plain({"bare_refs"})
    numbers = random.Random(1)
    vars(server)["new_uuid"] = lambda: f"{numbers.getrandbits(128):032x}"
    hunt = hunt_on(server, "network", How(seed, budget="quick", keep=True))
    return [(each.message, repr(each.args)) for each in hunt.exchanges]


def test_a_seed_repeats_a_run() -> None:
    """The same seed makes the very same calls, another seed makes others."""
    first = sent(11)
    assert len(first) > 200
    assert sent(11) == first
    assert sent(12) != first


def walked(server: Plain, cls: str, number: int) -> tuple[Step, ...]:
    """Return the steps of a sequence of random moves on a server that conforms."""
    bench = bench_before(Direct(server), How(number), Hunt())
    draw = random.Random(number)
    plan = covered(API, bench.profile, cluster(API, bench.profile, cls))
    walk = Walk(bench, plan, About(cls, draw.randrange(FOCUSES), frozenset()))
    try:
        for at in range(40):
            how = Ways(draw.randrange(3), draw.randrange(6))
            if at < 2:
                walk.make_more(0, draw.randrange(64), how)
            walk.move(draw.randrange(32), (draw.randrange(32), draw.randrange(64), draw.randrange(64)), how)
        walk.finish()
    except Stopped:
        pass
    finally:
        walk.player.close()
    return tuple(walk.player.steps)


@pytest.mark.parametrize("cls", ["network", "VM", "VM_appliance", "VIF"])
def test_a_part_of_a_sequence_is_no_finding(cls: str) -> None:
    """What is left of a sequence when steps are taken out tells nothing of a server that conforms."""
    draw = random.Random(5)
    server = Plain()
    parts = 0
    for number in range(4):
        steps = walked(server, cls, number)
        bench = bench_before(Direct(server), How(), Hunt())
        for _ in range(8):
            part = without(steps, {at for at in range(len(steps)) if draw.random() < draw.choice((0.2, 0.6))})
            played = play(bench, Case("STATE-MODEL", "", part))
            assert not played.failed, (played.said, part[: played.at + 1])
            parts += played.stopped == ""
    assert parts > 15


@pytest.mark.parametrize("focus", [0, 1, 77, 4**7, 3 * 4**7 + 5, FOCUSES - 1])
def test_a_focus_is_narrow(focus: int) -> None:
    """A sequence writes a few fields and values, has few objects, and its moves are of 32 parts."""
    plan = covered(API, Profile.load("reference"), ("VM", "VM_appliance"))
    about = About("VM_appliance", focus, frozenset())
    fields = about.fields(API, "VM", plan["VM"].writers)
    assert "appliance" in fields, "what binds the class that it is about is always among them"
    assert len(fields & {m.field for m in plan["VM"].writers}) <= 7
    assert 1 <= len(about.values(range(30))) <= 12
    assert 2 <= about.most <= 6
    assert {about.move(n) for n in range(32)} == set(MOVES[focus // 4**7 % 4])


def test_moves_add_up() -> None:
    """Every table of moves has 32 parts, and each has writes and ends of sessions."""
    assert [sum(moves.values()) for moves in MOVES] == [32] * 4
    assert all({"write", "log_out"} <= moves.keys() for moves in MOVES)


def test_echoes_read_what_changed() -> None:
    """A new object is read whole and by its name; a rename by both; the end of an object by the name that it had."""
    profile = Profile.load("reference")
    net = Handle("network", 1)
    nothing = Belief(World(API), firm_fields(API, profile))
    values = {**exemplar(API, profile, "network", 1), "name_label": "one"}
    there = nothing.follow(Call("network.create", (values,)), Success(net), net)
    made = [call.message for call in echoes(nothing, there, None, net, whole=False)]
    assert made == ["network.get_uuid", "network.get_record", "network.get_by_name_label"]
    named = there.follow(Call("network.set_name_label", (net, "two")), Success(None))
    assert list(echoes(there, named, (net, "name_label"), None, whole=False)) == [
        Call("network.get_name_label", (net,)),
        Call("network.get_by_name_label", ("two",)),
    ]
    whole = list(echoes(there, named, (net, "name_label"), None, whole=True))
    assert whole[0] == Call("network.get_record", (net,))
    gone = named.follow(Call("network.destroy", (net,)), Success(None))
    assert list(echoes(named, gone, None, None, whole=False)) == [Call("network.get_by_name_label", ("two",))]
