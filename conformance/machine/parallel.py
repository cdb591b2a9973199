"""Level 4, CONC-LINEARIZABLE: calls made at the same time act as if one came after the other.

For each class whose objects can be made: threads that write the same fields of the same objects, and threads that make,
name, look up and end them. What comes back, and what is read once all is quiet, must be what some order of the calls
gives. A race that fails is made small and saved as a case.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.machine.plan import Abilities, can_begin_and_end, cluster, covered, creatable
from xenconform.conformance.machine.player import Mismatch, Stopped
from xenconform.conformance.machine.races import tasks
from xenconform.conformance.machine.races.composing import Composer
from xenconform.conformance.machine.races.crew import Crew
from xenconform.conformance.machine.races.introducing import is_introduced, one_of_them_gets_the_uuid
from xenconform.conformance.machine.races.logins import logins_are_each_their_own
from xenconform.conformance.machine.races.shapes import DUELS, MEETINGS, SPREAD, Shape, drawn
from xenconform.conformance.machine.races.sites import Site, sites, wide_sites
from xenconform.conformance.machine.races.small import fails_in_turn, make_small
from xenconform.conformance.machine.races.trial import Race, Trial, overlaps, run
from xenconform.conformance.machine.races.witness import CLAUSE, case_of
from xenconform.models.api import ApiClass
from xenconform.models.linear import Answer
from xenconform.models.verdicts import Judgement, Verdict


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried: races for each site of a class, and at most for the class; seconds; findings at most.

    `wide` is how many races at most have a field for each thread.
    """

    rounds: int
    races: int
    seconds: float
    findings: int
    wide: int = 0


EFFORTS: Final = {
    "quick": Effort(1, 3, 5.0, 1),
    "standard": Effort(7, 220, 30.0, 2, 16),
    "thorough": Effort(60, 2000, 300.0, 5, 200),
}
"""By budget, for each class."""


MORE: Final = 20
"""How many races more are tried where no two calls met in those that were planned."""


@dataclass(slots=True)
class Tally:
    """What came of the races of a class.

    Attributes:
        judged: how many had an answer.
        calls: the racing calls of those.
        overlapping: how many of these succeeded while a call of another thread was under way.
        reasons: why others were not judged.
        failed: the sites that failed.
        left: the sites where calls made one after the other fail too, which is for other clauses to tell.
    """

    judged: int = 0
    calls: int = 0
    overlapping: int = 0
    reasons: list[str] = field(default_factory=list)
    failed: list[Site] = field(default_factory=list)
    left: list[Site] = field(default_factory=list)

    @property
    def why_untested(self) -> str:
        """Why nothing can be said of the class, where no call that counts overlapped another."""
        if self.judged:
            return f"of {self.calls} calls none succeeded while another was under way"
        if self.left:
            return "the calls fail one after the other too; counted under the clauses on fields and objects"
        return next(iter(self.reasons), "no race could begin")

    def add(self, trial: Trial) -> None:
        """Count a trial."""
        if trial.linear is None:
            self.reasons.append(trial.stopped)
        elif trial.linear.answer is Answer.UNKNOWN:
            self.reasons.append(f"no order was found and none ruled out within {trial.linear.states} states")
        elif trial.linear.answer is Answer.YES:
            self.judged += 1
            self.calls += len(trial.race.racing)
            self.overlapping += overlaps(trial.history)


def races_of_a_class(bench: Bench, of: ApiClass) -> None:
    """Calls made at the same time on objects of a class act as in some order. Source: introduction."""
    if of.name not in creatable(bench.api, bench.profile):
        reason = f"no {of.name} can be made with what the profile {bench.profile.name} allows"
        bench.record(Judgement(CLAUSE, of.name, "", Verdict.UNTESTED, reason=reason))
        return
    tally = race(bench, of.name, EFFORTS[bench.budget.name])
    if tally.failed:
        return
    if tally.overlapping:
        bench.record(Judgement(CLAUSE, of.name, "", Verdict.PASS))
    else:
        bench.record(Judgement(CLAUSE, of.name, "", Verdict.UNTESTED, reason=tally.why_untested))


def race(bench: Bench, cls: str, effort: Effort) -> Tally:
    """Race for everything that objects of a class have, and tell what fails."""
    plan = covered(bench.api, bench.profile, cluster(bench.api, bench.profile, cls))
    tally = Tally()
    until = time.monotonic() + effort.seconds
    with Crew(bench) as crew:
        for planned, site, shape in schedule(bench, plan, cls, effort):
            over = len(tally.failed) >= effort.findings or time.monotonic() > until
            if over or (not planned and (tally.overlapping or not tally.judged)):
                break
            if site in tally.failed or site in tally.left:
                continue
            trial = _race(crew, Composer(bench, plan, site, shape))
            tally.add(trial)
            if trial.failed:
                told = not fails_in_turn(bench, crew, trial) and _tell(bench, crew, trial)
                (tally.failed if told else tally.left).append(site)
    return tally


def schedule(
    bench: Bench, plan: Mapping[str, Abilities], cls: str, effort: Effort
) -> Iterator[tuple[bool, Site, Shape]]:
    """Yield what is raced for and how, each site in turn, the objects more often, known collisions before drawn ones.

    The same for the same seed. The last ones are not planned: they are for where no two calls have met.
    """
    objects, *fields = sites(bench.api, plan, cls)
    wide = wide_sites(bench.api, plan, cls) if effort.wide else ()
    first = bench.seed % max(1, len(fields))
    often = 2 if effort.rounds > 1 else 1
    every = (*[objects] * often, *fields[first:], *fields[:first])
    planned = min(effort.races, effort.rounds * len(every))
    more = drawn(planned + MORE, bench.seed)
    for at in range(planned):
        turn, place = divmod(at, len(every))
        shape = _known(every[place], turn, place, often) or next(more)
        yield True, every[place], shape
    for at in range(min(effort.wide, len(wide))):
        yield True, wide[(bench.seed + at) % len(wide)], replace(SPREAD, fmt=at % 3)
    for shape in more:
        yield False, objects, shape


def _known(site: Site, turn: int, place: int, often: int) -> Shape | None:
    """Return the known collision that a site's race is, None where all were had; objects come first and `often`."""
    if site.fields:
        return DUELS[(turn + place) % len(DUELS)] if turn < len(DUELS) else None
    nth = turn * often + place
    return MEETINGS[nth] if nth < len(MEETINGS) else None


def _race(crew: Crew, composer: Composer) -> Trial:
    try:
        made = composer.compose()
        return run(composer.player, crew, made)
    except Stopped as why:
        return Trial(Race((), (), ()), composer.refused or str(why))
    except Mismatch as wrong:
        return Trial(Race((), (), ()), f"{wrong}; counted under STATE-MODEL")
    finally:
        composer.player.close()


def _tell(bench: Bench, crew: Crew, trial: Trial) -> bool:
    """Make a failing race small, and record it with its case; return whether it is a race that was lost."""
    small = make_small(bench, crew, trial)
    if fails_in_turn(bench, crew, small.trial):
        return False
    case = case_of(bench, small)
    bench.record(
        Judgement(
            CLAUSE,
            case.element,
            "",
            Verdict.FAIL,
            expected=case.expected,
            actual=f"{case.actual}; {case.note}",
            exchanges=tuple(each.seq for each in small.trial.exchanges),
            case=bench.save_case(case),
        )
    )
    return True


CHECKS: tuple[Check, ...] = (
    Check(CLAUSE, per_class=races_of_a_class, applies=can_begin_and_end, timed=True),
    Check(CLAUSE, per_server=logins_are_each_their_own, timed=True),
    Check(CLAUSE, per_class=one_of_them_gets_the_uuid, applies=is_introduced, timed=True),
    *tasks.CHECKS,
)
"""The rows of the suite's table."""
