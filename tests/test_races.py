"""What is raced for: any two fields of an object, and logins at the same time."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from strangers.base import around
from strangers.defects import DEFECTS
from strangers.defects_races import pause
from strangers.plain_server import Plain
from strangers.values import Refusal
from test_parallel import API, PROFILE, stage

from xenconform.conformance.machine.parallel import EFFORTS, schedule
from xenconform.conformance.machine.plan import cluster, covered
from xenconform.conformance.machine.races.introducing import one_of_them_gets_the_uuid
from xenconform.conformance.machine.races.logins import logins_are_each_their_own
from xenconform.conformance.machine.races.shapes import DUELS, MEETINGS
from xenconform.conformance.machine.races.sites import WIDE, blocks, sites, wide_sites
from xenconform.models.verdicts import Verdict


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5, 9, 20])
def test_any_two_names_meet_in_a_block(number: int) -> None:
    """Blocks have as many names as there are threads, where there are so many, and no two names are left out."""
    names = tuple(f"f{at}" for at in range(number))
    found = tuple(blocks(names))
    assert {pair for some in found for pair in combinations(sorted(some), 2)} == set(combinations(sorted(names), 2))
    assert {len(some) for some in found} <= {min(WIDE, number)}
    assert all(len(set(some)) == len(some) for some in found)


@pytest.mark.parametrize("cls", ["network", "secret"])
def test_every_known_collision_is_had(cls: str) -> None:
    """With the standard budget each field is raced for in each known way, and so are the objects."""
    plan = covered(API, PROFILE, cluster(API, PROFILE, cls))
    with stage(Plain()) as on:
        planned = [(site, shape) for yes, site, shape in schedule(on.bench, plan, cls, EFFORTS["standard"]) if yes]
    objects, *fields = sites(API, plan, cls)
    assert {shape for site, shape in planned if site == objects} >= set(MEETINGS)
    assert all({shape for site, shape in planned if site == each} >= set(DUELS) for each in fields)
    apart = [site for site, shape in planned if shape.apart]
    assert all(site in apart for site in wide_sites(API, plan, cls))


@pytest.mark.parametrize(("name", "wanted"), [("", Verdict.PASS), ("logins_at_once_share_a_session", Verdict.FAIL)])
def test_logins_at_the_same_time(name: str, wanted: Verdict) -> None:
    """Sessions that are each their own pass; one session for two logins at once fails."""
    server = Plain({"churn"} if name else set())  # with churn the stage does not ask for sessions that nobody knows of
    if name:
        DEFECTS[name].install(server)
    with stage(server) as on:
        logins_are_each_their_own(on.bench)
    assert [each.verdict for each in on.judgements] == [wanted]


@pytest.mark.parametrize(("gap", "wanted"), [(False, Verdict.PASS), (True, Verdict.FAIL)], ids=["one", "several"])
def test_introductions_at_the_same_time(gap: bool, wanted: Verdict) -> None:
    """Where one uuid is taken but once, it is so at once too; with a gap between looking and taking it is not."""
    server, taken = Plain(), set[str]()

    def run(old: Any, message: Any, args: list[Any]) -> Any:
        if message.full_name != "SR.introduce":
            return old(message, args)
        if args[0] in taken:
            raise Refusal("SR_UUID_EXISTS", args[0])
        if gap:
            pause(server)
        taken.add(args[0])
        return old(message, args)

    around(server, "run", run)
    with stage(server) as on:
        one_of_them_gets_the_uuid(on.bench, API.classes["SR"])
    assert [each.verdict for each in on.judgements] == [wanted]


def test_of_introductions_that_go_twice_in_a_row_nothing_is_said() -> None:
    """A server that gives each a uuid of its own may do so at once."""
    with stage(Plain()) as on:
        one_of_them_gets_the_uuid(on.bench, API.classes["SR"])
    assert on.judgements == []
