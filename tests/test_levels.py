"""Which levels a run shows a server to reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from xenconform.models.clauses import LEVELS, catalogue
from xenconform.models.levels import RESTARTED, Standing, level_reached, levels_of
from xenconform.models.results import Results, summarise
from xenconform.models.run import Run, RunEnd, RunStart
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.words import level

ALL = tuple(catalogue())


def results(
    but: Mapping[str, Verdict] | None = None, clauses: Collection[str] = ALL, *, missing: Collection[str] = ()
) -> Results:
    """The results of a run of some clauses, of which all passed but some; nothing was recorded of the missing ones."""
    verdicts = {name: (but or {}).get(name, Verdict.PASS) for name in clauses if name not in missing}
    judgements = tuple(Judgement(name, "VM", "xmlrpc", verdict) for name, verdict in verdicts.items())
    return summarise(Run(RunStart(clauses=tuple(clauses)), {}, judgements, RunEnd(1, 1.0), 1))


def one_of(number: int, *, required: bool = True) -> str:
    """A clause of a level."""
    return next(
        each.id
        for each in catalogue().values()
        if each.level == number and each.required is required and each.id not in RESTARTED
    )


def test_all_that_passes_reaches_the_highest_level() -> None:
    """Waived and unsupported parts keep a level."""
    assert level_reached(results()) == max(LEVELS)
    assert level_reached(results({one_of(2): Verdict.WAIVED, one_of(3): Verdict.UNSUPPORTED})) == max(LEVELS)
    assert level(results()) == f"{max(LEVELS)} of {len(LEVELS)}"


def test_what_failed_or_is_untested_keeps_its_level_from_being_met() -> None:
    """Each level, by each of what can keep it: the levels below stay reached, those above do not count."""
    for number in LEVELS:
        name = one_of(number)
        for but, standing in (
            (results({name: Verdict.FAIL}), Standing.FAILED),
            (results({name: Verdict.UNTESTED}), Standing.UNTESTED),
            (results(missing={name}), Standing.UNTESTED),
            (results(clauses=[each for each in ALL if each != name]), Standing.UNTESTED),
        ):
            assert level_reached(but) == number - 1
            found = levels_of(but)[number - 1]
            assert (found.standing, found.because) == (standing, (name,))
            assert all(each.standing is Standing.MET for each in levels_of(but) if each.number != number)
            assert level(but).startswith(f"{number - 1} of ")
            assert level(but).endswith(f"is {standing}: {name}")


def test_recommendations_decide_no_level() -> None:
    """A SHOULD clause that failed keeps nothing from being met."""
    assert level_reached(results({one_of(1, required=False): Verdict.FAIL})) == max(LEVELS)


def test_who_cannot_restart_a_server_may_reach_every_level() -> None:
    """PERSIST counts where it was run, and is not missed where it was not."""
    assert level_reached(results(clauses=[each for each in ALL if each not in RESTARTED])) == max(LEVELS)
    assert level_reached(results(dict.fromkeys(RESTARTED, Verdict.FAIL))) < max(LEVELS)


def test_half_a_run_and_one_of_the_fuzzer_reach_none() -> None:
    """Nothing is reached by what was not finished, or by hostile input alone."""
    whole = results()
    for half in (replace(whole, problem="stopped"), replace(whole, start=replace(whole.start, kind="fuzz"))):
        assert level_reached(half) == 0
        assert level(half) == ""
