"""Calls made at the same time: conforming servers pass, lost races are caught and made small, nothing hangs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from strangers import defects_races
from strangers.base import TABLE, around
from strangers.defects import DEFECTS
from strangers.plain_server import Plain
from strangers.values import PASSWORD, TASTES, USER, Malformed

from xenconform.conformance.checks.bench import BUDGETS, Bench
from xenconform.conformance.client import Client
from xenconform.conformance.machine.parallel import CHECKS, EFFORTS, race, races_of_a_class, schedule
from xenconform.conformance.machine.plan import cluster, covered
from xenconform.conformance.machine.races.crew import Crew
from xenconform.conformance.machine.races.shapes import drawn
from xenconform.conformance.machine.races.sites import sites
from xenconform.conformance.machine.races.smaller import WAYS
from xenconform.conformance.machine.races.trial import Race, attempt, overlaps, start_of
from xenconform.conformance.machine.races.witness import CLAUSE, element_of
from xenconform.models.api import Api
from xenconform.models.calls import Call, Format, Success
from xenconform.models.cases import Case, Step, from_json, to_json
from xenconform.models.joint import joint_outcomes
from xenconform.models.linear import Op
from xenconform.models.profiles import Profile
from xenconform.models.target import parse_target
from xenconform.models.values import Handle
from xenconform.models.verdicts import Judgement, Verdict

API = Api.load()
PROFILE = Profile.load("reference")
RACES = sorted(name for name, defect in TABLE.items() if defect.install.__module__ == defects_races.__name__)


@dataclass(slots=True)
class Stage:
    """A bench before a stranger, and what it recorded of the clause."""

    server: Plain
    bench: Bench
    judgements: list[Judgement] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)

    def verdicts(self, *classes: str) -> list[Verdict]:
        """Race on objects of these classes; return every verdict."""
        for cls in classes:
            races_of_a_class(self.bench, API.classes[cls])
        return [each.verdict for each in self.judgements]


@contextmanager
def stage(server: Plain, budget: str = "standard", seed: int = 7) -> Iterator[Stage]:
    """Serve, log in, and leave nothing behind."""
    judgements: list[Judgement] = []
    cases: list[Case] = []

    def save(case: Case) -> str:
        cases.append(case)
        return f"case {len(cases)}"

    with server:
        client = Client(parse_target(server.url), API)
        client.login(Format.XMLRPC, USER, PASSWORD)
        bench = Bench(
            api=API,
            client=client,
            profile=PROFILE,
            formats=tuple(Format),
            budget=BUDGETS[budget],
            seed=seed,
            record=judgements.append,
            clauses=[CLAUSE],
            save_case=save,
        )
        before = len(server.objects["network"])
        try:
            yield Stage(server, bench, judgements, cases)
            assert "churn" in server.tastes or len(server.objects["network"]) == before
        finally:
            client.logout_all()
            client.close()
        assert "churn" in server.tastes or server.objects["session"] == {}


@pytest.mark.parametrize("tastes", [set(), set(TASTES) - {"no_hardware", "bare"}], ids=["none", "all"])
@pytest.mark.parametrize("seed", [1, 2])
def test_conforming_servers_pass(tastes: set[str], seed: int) -> None:
    """A server that carries out one call after the other passes, whatever its legal choices; nothing stays behind."""
    with stage(Plain(tastes), "quick", seed) as on:
        assert on.verdicts("network", "VIF", "VM_appliance", "VDI") == [Verdict.PASS] * 4, on.judgements


def test_calls_do_overlap() -> None:
    """Most of the racing calls that succeed are under way together with a call of another thread."""
    with stage(Plain()) as on:
        tally = race(on.bench, "network", EFFORTS["quick"])
    assert tally.judged == EFFORTS["quick"].races
    assert (tally.failed, tally.left, tally.reasons) == ([], [], [])
    assert tally.overlapping > tally.calls / 3


@pytest.mark.parametrize("name", RACES)
def test_lost_races_are_caught(name: str) -> None:
    """Each defect of races is found with the standard budget, and its case tells replies that no order gives."""
    defect = TABLE[name]
    for seed in (7, 8, 9):  # a race needs luck: threads that meet where it hurts
        server = Plain()
        defect.install(server)
        with stage(server, seed=seed) as on:
            verdicts = set(on.verdicts(defect.cls))
        if verdicts != {Verdict.PASS}:
            break
    assert verdicts == {Verdict.FAIL}
    assert len(on.cases) == len(on.judgements)
    for case, judgement in zip(on.cases, on.judgements, strict=True):
        assert from_json(to_json(case)) == case
        assert (case.clause, case.element) == (CLAUSE, judgement.element)
        assert " || " in case.element or case.element == defect.cls
        racing = [step for step in case.steps if step.thread or step.together]
        assert len(case.came) == len(case.spans) == len(racing)
        assert {step.thread for step in racing} - {0} == set(range(1, 1 + len({s.thread for s in racing} - {0})))
        assert case.came not in case.joint
        assert all(begun <= ended for begun, ended in case.spans)


def test_a_lost_addition_is_told_by_the_fewest_calls() -> None:
    """One object, two threads of one addition each, one read: and the outcome that it should have had."""
    server = Plain()
    DEFECTS_OF_RACES["lost_set_addition"].install(server)
    with stage(server) as on:
        assert on.verdicts("network") == [Verdict.FAIL]
    (case,) = on.cases
    made, first, second, read = case.steps
    network = made.makes
    assert isinstance(network, Handle)
    assert made.call.message == "network.create"
    assert {(step.call.message, step.call.args[0], step.thread) for step in (first, second)} == {
        ("network.add_tags", network, 1),
        ("network.add_tags", network, 2),
    }
    assert (read.call, read.together) == (Call("network.get_tags", (network,)), True)
    both = {first.call.args[1], second.call.args[1]}
    ((*_, told),) = case.joint
    assert isinstance(told, Success)
    assert set(told.value) == both
    assert 3 <= case.repeats <= 200
    assert case.element == "network.add_tags || network.add_tags"
    assert on.judgements[0].exchanges
    assert on.judgements[0].case == "case 1"


def test_a_case_fails_again_when_it_is_tried_again() -> None:
    """The race of a case, tried as often as it says, fails on the faulty server and never on a sound one."""
    server = Plain()
    DEFECTS_OF_RACES["one_key_added_twice"].install(server)
    with stage(server) as on:
        on.verdicts("network")
        again = race_of(on.cases[0])
        with Crew(on.bench) as crew:
            assert any(attempt(on.bench, crew, again).failed for _ in range(on.cases[0].repeats))
    with stage(Plain()) as on, Crew(on.bench) as crew:
        trials = [attempt(on.bench, crew, again) for _ in range(10)]
        assert not any(trial.failed or trial.stopped for trial in trials)
        assert joint_outcomes(start_of(on.bench, trials[0]), [op.step for op in trials[0].history])


def race_of(case: Case) -> Race:
    """Return the race of a case."""
    before = tuple(step for step in case.steps if not step.thread and not step.together)
    threads = sorted({step.thread for step in case.steps} - {0})
    branches = tuple(tuple(step for step in case.steps if step.thread == thread) for thread in threads)
    return Race(before, branches, tuple(step for step in case.steps if step.together))


DEFECTS_OF_RACES = {name: TABLE[name] for name in RACES}


@pytest.mark.parametrize("name", ["equal_pair_taken", "setter_writes_all_objects"])
def test_what_fails_in_turn_too_is_for_other_clauses(name: str) -> None:
    """What is wrong without any concurrency is not told as a lost race."""
    server = Plain()
    DEFECTS[name].install(server)
    with stage(server, "quick") as on:
        assert Verdict.FAIL not in on.verdicts("network"), on.judgements


def test_what_cannot_be_made_is_untested() -> None:
    """A class of which no object can be made is untested, with the server's refusal as the reason."""
    with stage(Plain({"no_hardware"})) as on:
        assert on.verdicts("PIF") == [Verdict.UNTESTED]
    assert "refused" in on.judgements[0].reason


def test_threads_that_get_no_answer_are_not_judged() -> None:
    """A race in which a call has no readable answer says nothing; a class with no other race is untested."""

    def no_answer(*_: object) -> None:
        raise Malformed

    server = Plain()
    for name in ("do_set", "do_add", "do_add_to", "get_all", "by_label"):
        around(server, name, no_answer)
    with stage(server, "quick") as on:
        assert on.verdicts("network") == [Verdict.UNTESTED]
    assert "no readable answer" in on.judgements[0].reason


@pytest.mark.parametrize("cls", ["network", "VM", "message"])
def test_the_same_seed_gives_the_same_schedule(cls: str) -> None:
    """What is raced for, and how, follows from the seed alone; the standard budget takes in every writable field."""
    plan = covered(API, PROFILE, cluster(API, PROFILE, cls))
    with stage(Plain(), seed=3) as on:
        first = list(schedule(on.bench, plan, cls, EFFORTS["standard"]))
        assert first == list(schedule(on.bench, plan, cls, EFFORTS["standard"]))
    with stage(Plain(), seed=4) as on:
        assert first != list(schedule(on.bench, plan, cls, EFFORTS["standard"]))
    wanted = {name for site in sites(API, plan, cls) for name in site.fields}
    assert {name for _, site, _ in first for name in site.fields} == wanted
    assert {site.fields for planned, site, _ in first if not planned} == {()}


def test_drawing_is_the_same_for_a_seed() -> None:
    """Shapes are drawn in any number; they have two to four threads of one to four moves."""
    some = list(drawn(120, 5))
    assert len(some) == 120
    assert list(drawn(120, 5)) == some != list(drawn(120, 6))
    assert {len(shape.branches) for shape in some} == {2, 3, 4}
    assert {len(moves) for shape in some for moves in shape.branches} == {1, 2, 3, 4}


def test_every_class_that_can_begin_and_end_is_raced() -> None:
    """One row of the suite's table is for the classes with a constructor and a destructor, the next for logins."""
    check, logins, *_ = CHECKS
    assert logins.per_server is not None
    assert logins.clauses == (CLAUSE,)
    assert check.clauses == (CLAUSE,)
    applies = {of.name for of in API.classes.values() if check.applies(API, of)}
    assert {"network", "VM", "VIF"} <= applies
    assert "host" not in applies


N = Handle("network", 1)
MADE = Step(Call("network.create", ({},)), Format.XMLRPC, makes=N)


def step(thread: int, name: str, *args: object, together: bool = False) -> Step:
    """Return a call on the network of these tests."""
    call = Call(f"network.{name}", (N, *args))
    return Step(call, Format.JSONRPC1, session=thread, thread=thread, together=together)


LARGE = Race(
    (MADE, replace(MADE, makes=Handle("network", 2)), step(0, "get_record")),
    ((step(1, "add_tags", "a"), step(1, "set_MTU", 1)), (step(2, "add_tags", "b"),), (step(3, "get_tags"),)),
    (step(0, "get_record", together=True),),
    (0, 1, 2, 3),
)


def test_what_is_smaller_than_a_race() -> None:
    """Each way leaves something out, keeps two threads at least, and comes to an end."""
    for way in WAYS:
        found: list[Race] = []
        while (smaller := way(LARGE, len(found))) is not None:
            found.append(smaller)
        assert len(found) < 20
        for each in found:
            assert len(each.branches) == len(each.delays) or each == LARGE or len(each.delays) == 4
            assert len(each.branches) >= 2
            assert all(each.branches)
            assert len(each.racing) <= len(LARGE.racing)
    one_field, fewer_threads, fewer_calls, fewer_objects, getters, plain = WAYS
    tags = one_field(LARGE, 0)
    assert tags is not None
    assert [s.call.message for s in tags.racing] == ["network.add_tags", "network.add_tags", "network.get_tags"]
    less = fewer_threads(LARGE, 0)
    assert less is not None
    assert (less.branches, less.delays) == (LARGE.branches[1:], (1, 2))
    last = fewer_calls(LARGE, 0)
    assert last is not None
    assert last.branches == LARGE.branches[:2]
    fewer = fewer_objects(LARGE, 0)
    assert fewer is not None
    assert fewer.prefix == (MADE, LARGE.prefix[2])
    read = getters(LARGE, 0)
    assert read is not None
    assert read.together[0].call.message == "network.get_tags"
    simple = plain(LARGE, 0)
    assert simple is not None
    assert {(s.format, s.session) for s in (*simple.prefix, *simple.racing)} == {(Format.XMLRPC, 0)}
    assert set(simple.delays) == {0}


def test_overlaps_and_elements() -> None:
    """Calls overlap where their times do, in other threads; an element names what raced."""
    calls = [step(1, "add_tags", "a"), step(2, "add_tags", "b"), step(2, "set_MTU", 1)]
    times = [(0, 10), (5, 15), (16, 20)]
    ops = [Op(each, Success(None), begun, ended) for each, (begun, ended) in zip(calls, times, strict=True)]
    assert overlaps(ops) == 2
    assert element_of(ops) == "network.add_tags || network.add_tags, network.set_MTU"
    many = [Op(step(thread, f"add_tags{'x' * 40}"), Success(None), 0, 1) for thread in (1, 2, 3)]
    assert element_of(many) == "network"
