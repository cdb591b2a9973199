"""Making a finding small, against servers that are one function: what is found, in how many calls, and what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xenconform.conformance.machine.player import Mismatch, Played
from xenconform.conformance.machine.reducing import reduce
from xenconform.conformance.machine.rewriting import folded, renamed, renewed, tail, texts, without, writers
from xenconform.models.api import Api
from xenconform.models.calls import Call, Failure, Format, Outcome, Success
from xenconform.models.cases import Expect, Step, Wanted
from xenconform.models.matching import handles_in
from xenconform.models.types import SetOf, Str
from xenconform.models.values import Handle, UuidOf, Value

Steps = tuple[Step, ...]
TOLD = Expect(SetOf(Str()), Wanted.VALUE, ())
A, B = Handle("network", 1), Handle("network", 2)


def step(message: str, *args: Value, makes: Handle | None = None, fmt: Format = Format.XMLRPC) -> Step:
    return Step(Call(message, args), fmt, makes=makes)


def create(handle: Handle, **fields: Value) -> Step:
    return step(f"{handle.cls}.create", {"name_label": "n", "tags": (), **fields}, makes=handle)


def mismatch(of: Step, outcome: Outcome | None = None) -> Mismatch:
    return Mismatch(replace(of, expect=TOLD), outcome or Success(()), cast(Any, None), ("this", "that"))


class Server:
    """Tells the tags of a network wrong once the tags of `core` were added to it in their order."""

    def __init__(self, core: Sequence[str]) -> None:
        self.core = list(core)
        self.plays: list[Steps] = []

    def play(self, steps: Steps) -> Played:
        self.plays.append(steps)
        made: set[Handle] = set()
        read: set[Handle] = set()
        added: dict[Handle, list[str]] = {}
        for at, each in enumerate(steps):
            used = set(handles_in(each.call.args))
            assert used <= made, f"{each} uses what was not made"
            assert all(named.handle in read for named in each.call.args if isinstance(named, UuidOf)), each
            made |= {each.makes} if each.makes else set()
            read |= used if each.call.message.endswith(("get_uuid", "get_record")) else set()
            if each.call.message.endswith("add_tags"):
                added.setdefault(each.call.args[0], []).append(each.call.args[1])
            if each.call.message == "network.get_tags" and self.holds(added.get(each.call.args[0], [])):
                return Played(True, at, mismatch=mismatch(each), steps=steps[: at + 1])
        return Played(False, steps=steps)

    def holds(self, added: list[str]) -> bool:
        rest = iter(added)
        return all(tag in rest for tag in self.core)


@st.composite
def hidden(draw: st.DrawFn) -> tuple[list[str], Steps]:
    """Draw a core of one to four tags, and up to sixty steps that end with the first reply that is wrong."""
    core = draw(st.lists(st.sampled_from(["p", "q", "r", "s", "t"]), min_size=1, max_size=4))
    others = [Handle("network", n) for n in range(2, 5)]
    made = [A]
    steps = [create(A)]
    places = sorted(draw(st.lists(st.integers(0, 54), min_size=len(core), max_size=len(core))))
    for at in range(draw(st.integers(max(places) + 1, 55))):
        steps += [step("network.add_tags", A, tag) for tag, place in zip(core, places, strict=True) if place == at]
        kind, obj, tag = draw(st.tuples(st.integers(0, 6), st.sampled_from(made), st.sampled_from("pqxyz")))
        if kind == 0 and others:
            made.append(others.pop())
            steps.append(create(made[-1]))
        elif kind == 1 and Handle("VIF", 9) not in made:
            made.append(Handle("VIF", 9))
            steps.append(step("VIF.create", {"network": obj}, makes=made[-1]) if obj.cls == "network" else create(A))
        elif kind == 2:
            steps += [step(f"{obj.cls}.get_uuid", obj), step(f"{obj.cls}.get_by_uuid", UuidOf(obj))]
        elif kind < 5:
            steps.append(step(f"{obj.cls}.remove_tags", obj, tag, fmt=draw(st.sampled_from(list(Format)))))
        else:
            steps.append(step(f"{obj.cls}.get_record", obj))
    return core, (*steps[:59], *(step("network.add_tags", A, tag) for tag in core), step("network.get_tags", A))


@settings(max_examples=150, deadline=None)
@given(hidden())
def test_a_hidden_core_is_found(drawn: tuple[list[str], Steps]) -> None:
    """One to four steps among sixty are all that is left, in at most 500 calls, and none of them can be spared."""
    core, steps = drawn
    server = Server(core)
    first = server.play(steps)
    run = reduce(first.steps, mismatch(first.steps[-1]), server.play)
    assert run.best is not None
    assert run.spent <= 500
    assert [each.call.message for each in run.steps[1:-1]] == ["network.add_tags"] * len(core)
    assert [each.call.args[1] for each in run.steps[1:-1]] == core
    for at in range(len(run.steps) - 1):
        spared = without(run.steps, {at})
        assert not spared or not server.play(spared).failed


def test_what_does_not_fail_again_is_not_made_small() -> None:
    """A sequence that never fails again leaves no smaller one, and is tried twice as it was."""
    steps = (create(A), step("network.get_tags", A))
    tried: list[Steps] = []

    def never(candidate: Steps) -> Played:
        tried.append(candidate)
        return Played(False, steps=candidate)

    run = reduce(steps, mismatch(steps[-1]), never)
    assert run.best is None
    assert tried.count(steps) >= 2


def test_another_failure_is_another_finding() -> None:
    """A candidate that fails by a refusal where a wrong value was seen is not taken for the finding."""
    steps = (create(A), step("network.add_tags", A, "p"), step("network.get_tags", A))

    def play(candidate: Steps) -> Played:
        wrong = mismatch(candidate[-1], None if len(candidate) == 3 else Failure("HANDLE_INVALID"))
        return Played(True, len(candidate) - 1, mismatch=wrong, steps=candidate)

    run = reduce(steps, mismatch(steps[-1]), play)
    assert len(run.steps) == 3


def test_the_limit_holds() -> None:
    """No more calls are made than the limit says, whatever is left then."""
    steps = (create(A), *(step("network.add_tags", A, "p") for _ in range(30)), step("network.get_tags", A))
    server = Server(["p"] * 15)
    run = reduce(steps, mismatch(steps[-1]), server.play, limit=40)
    assert run.spent <= 4 * len(steps)
    assert sum(len(each) for each in server.plays) <= 4 * len(steps)


def test_without_takes_what_depends_along() -> None:
    """With a maker go all steps that use its object; with the reading of a uuid those that use the uuid."""
    vif = Handle("VIF", 3)
    steps = (
        create(A),
        step("network.get_uuid", A),
        step("network.get_record", A),
        step("VIF.create", {"network": A}, makes=vif),
        step("VIF.get_MAC", vif),
        step("network.get_by_uuid", UuidOf(A)),
    )
    assert without(steps, {0}) == ()
    assert without(steps, {3}) == (*steps[:3], steps[5])
    assert without(steps, {1}) == (steps[0], *steps[2:])
    assert without(steps, {1, 2}) == (steps[0], steps[3], steps[4])


def test_writers_keep_the_uuids_that_count() -> None:
    """Readers go, but for the last step and for those that read a uuid which is looked up."""
    steps = (
        create(A),
        step("network.get_uuid", A),
        step("network.get_tags", A),
        step("network.get_by_uuid", UuidOf(A)),
    )
    assert writers(steps) == (steps[0], steps[1], steps[3])
    assert writers(steps[:3]) == (steps[0], steps[2])


def test_tail_brings_its_makers() -> None:
    """The end of a sequence has the makers of its objects, and of what these need, and nothing else before it."""
    vif = Handle("VIF", 3)
    steps = (create(A), create(B), step("VIF.create", {"network": A}, makes=vif), step("network.get_tags", B),
             step("VIF.get_MAC", vif))  # fmt: skip
    assert tail(steps, 1) == (steps[0], steps[2], steps[4])
    assert tail(steps, 9) == steps


@pytest.mark.parametrize(
    ("write", "tags"),
    [
        (step("network.set_tags", A, ("p", "q")), ("p", "q")),
        (step("network.add_tags", A, "p"), ("p",)),
        (step("network.remove_tags", A, "p"), None),
        (step("network.add_tags", B, "p"), None),
    ],
)
def test_folding(write: Step, tags: tuple[str, ...] | None) -> None:
    """What is set or added later can be given when the object is made; what is removed, or another's, cannot."""
    steps = (create(A), write, step("network.get_tags", A))
    found = list(folded(steps))
    assert found == ([(create(A, tags=tags), steps[2])] if tags is not None else [])


def test_folding_waits_for_what_is_given() -> None:
    """An object that is given another made after it is made later itself."""
    vm, other = Handle("VM", 1), Handle("VM_appliance", 2)
    made = step("VM.create", {"appliance": Handle("VM_appliance", 0)}, makes=vm)
    steps = (made, create(other), step("VM.set_appliance", vm, other), step("VM_appliance.get_VMs", other))
    later = step("VM.create", {"appliance": other}, makes=vm)
    assert list(folded(steps)) == [(steps[1], later, steps[3])]


def test_texts_by_field() -> None:
    """Texts count by the field that they are given to, names in records too; renaming leaves records alone."""
    steps = (create(A), step("network.set_name_label", A, "m"), step("network.add_tags", A, "p"))
    assert texts(steps) == {"name_label": ["n", "m"], "tags": ["p"]}
    assert renamed(steps, "n", "m") == steps
    assert renamed(steps, "p", "q")[2] == step("network.add_tags", A, "q")


def test_what_is_introduced_again_gets_a_uuid_of_its_own() -> None:
    """A server may take a uuid once for all; what is said of others keeps theirs."""
    api, sr = Api.load(), Handle("SR", 1)
    given: tuple[Value, ...] = ("0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0a", "n", "d", "nfs", "user", True, {})
    steps = (step("SR.introduce", *given, makes=sr), step("SR.get_by_uuid", given[0]), step("SR.introduce", *given))
    first, second = renewed(api, steps), renewed(api, steps)
    assert first[1:] == second[1:] == steps[1:]
    assert first[0].call.args[1:] == given[1:]
    assert len({given[0], first[0].call.args[0], second[0].call.args[0]}) == 3
