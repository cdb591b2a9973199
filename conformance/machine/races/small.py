"""Makes a failing race small: reads are dropped without asking the server again, calls and objects by trying.

What a race does follows from luck too, so each smaller race is tried several times before it is said not to fail, as
often as the first ones needed. Bounded: some hundred calls, then the smallest that was seen to fail is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log
from typing import Final

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.machine.races.crew import Crew
from xenconform.conformance.machine.races.smaller import WAYS, Smaller
from xenconform.conformance.machine.races.trial import Race, Trial, attempt, judge, uuids_in
from xenconform.conformance.machine.reducing import reads
from xenconform.models.cases import Step
from xenconform.models.linear import Answer
from xenconform.models.values import Handle, UuidOf, Value

CALLS: Final = 500
"""How many calls making small may take, the objects' removal among them."""
KEPT: Final = 120
"""How many of them are kept for measuring how often the smallest race fails."""
AGAIN: Final = 16
"""How often a race that failed once is tried before it is said not to happen again."""
AT_ONCE: Final = 8
"""How often it is tried until it fails whichever of its calls came first."""
MEASURED: Final = 20
"""How often the smallest race is tried at most to see how often it fails."""
MISSED: Final = 0.001
"""How likely a case may be to miss a defect that is there, at the rate that was measured."""
SPARE: Final = 5
"""How many times as often a case is tried: whoever runs it has threads of another pace."""
LEAST_REPEATS: Final = 20
MOST_REPEATS: Final = 200
MOST_STEPS: Final = 64
"""How many smaller races of one kind are tried in a row."""


@dataclass(frozen=True, slots=True)
class Small:
    """A race made small.

    `trial` is one that failed; `rate` is how often such a race fails, 0.0 where it never did again. `at_once` says that
    it fails whichever of its calls came first.
    """

    trial: Trial
    rate: float
    at_once: bool

    @property
    def repeats(self) -> int:
        """How often the race is to be tried so that it is all but sure to fail once."""
        if not self.rate:
            return MOST_REPEATS
        enough = 1 if self.rate == 1 else ceil(log(MISSED) / log(1 - self.rate))
        return min(MOST_REPEATS, max(LEAST_REPEATS, SPARE * enough))


def make_small(bench: Bench, crew: Crew, trial: Trial, *, limit: int = CALLS) -> Small:
    """Return the smallest race found that fails as `trial` did."""
    at_once = judge(bench, trial, at_once=True).answer is Answer.NO
    run = _Run(bench, crew, at_once, slim(bench, trial, at_once=at_once), limit - KEPT)
    if not run.happens_again(trial.race):
        return Small(run.best, 0.0, at_once)
    for smaller in WAYS:
        run.descend(smaller)
    run.limit += KEPT
    return Small(run.best, run.measure(), run.at_once)


def fails_in_turn(bench: Bench, crew: Crew, trial: Trial) -> bool:
    """Whether the calls of a trial fail one after the other too: then it is no race that is lost.

    Tried branch after branch, the other way round, and in the order in which they were answered.
    """
    race = trial.race
    answered = [op.step for op in sorted(trial.history, key=lambda op: op.responded) if op.step.thread]
    turned = [step for branch in race.branches[::-1] for step in branch]
    for steps in (race.racing, turned, answered):
        alone = tuple(replace(step, thread=1) for step in steps)
        if attempt(bench, crew, Race(race.prefix, (alone,), race.together)).failed:
            return True
    return False


class _Run:
    """Making small under way. `best` is the smallest trial that failed.

    Once one failed whichever of its calls came first, smaller ones must too: such a case tells more to whoever runs it.
    """

    def __init__(self, bench: Bench, crew: Crew, at_once: bool, best: Trial, limit: int) -> None:
        self.best = best
        self.limit = limit
        self.spent = 0
        self._bench = bench
        self._crew = crew
        self.at_once = at_once
        self._tries = AGAIN

    def happens_again(self, whole: Race) -> bool:
        """Try the race until it failed twice; from how long that takes follows how often smaller ones are tried.

        It is tried a little longer until it fails whichever of its calls came first.
        Without some of its reads it may take other turns, so the whole race is tried by turns with what is left of it.
        """
        failures = tries = 0
        race = self.best.race
        while tries < AGAIN and (failures < 2 or (not self.at_once and tries < AT_ONCE)):
            tries += 1
            failures += self._fails_once(race if tries % 2 else whole)
        self._tries = min(8, ceil(2 * tries / failures)) if failures else 0
        return bool(failures)

    def descend(self, smaller: Smaller) -> None:
        """Try what is smaller than the best, once each, until nothing of it fails any more."""
        moved = True
        tried: list[Race] = []
        while moved:
            moved = False
            for at in range(MOST_STEPS):
                race = smaller(self.best.race, at)
                if race is None:
                    break
                if race != self.best.race and race not in tried:
                    tried.append(race)
                    moved |= self._fails(race)

    def measure(self) -> float:
        """Return how often the smallest race fails, the trial that is kept left out."""
        failures = tries = 0
        race = self.best.race
        while tries < MEASURED and self.spent < self.limit:
            tries += 1
            failures += self._fails_once(race)
        return failures / tries if failures else 1 / (tries + 2)

    def _fails(self, race: Race) -> bool:
        return any(self.spent < self.limit and self._fails_once(race) for _ in range(self._tries))

    def _fails_once(self, race: Race) -> bool:
        trial = attempt(self._bench, self._crew, race)
        self.spent += trial.spent
        if not trial.failed:
            return False
        if fails(self._bench, trial, at_once=True):
            self.at_once = True
        elif self.at_once:
            return False
        self.best = slim(self._bench, trial, at_once=self.at_once)
        return True


def fails(bench: Bench, trial: Trial, *, at_once: bool) -> bool:
    """Whether what is in a trial has no order."""
    return judge(bench, trial, at_once=at_once).answer is Answer.NO


def slim(bench: Bench, trial: Trial, *, at_once: bool) -> Trial:
    """Return what is left of a failing trial without the reads that it fails without."""
    sent = {id(op.step) for op in trial.history}
    race = trial.race
    trial = replace(
        trial,
        race=replace(
            race,
            branches=tuple(tuple(step for step in branch if id(step) in sent) for branch in race.branches),
            together=tuple(step for step in race.together if id(step) in sent),
        ),
    )
    for step in sorted(_reads(trial), key=lambda step: (not step.together, -_breadth(step))):
        less = _without(trial, step)
        if less is not None and fails(bench, less, at_once=at_once):
            trial = less
    return trial


def _reads(trial: Trial) -> list[Step]:
    told = [each.step for each in trial.told]
    return [step for step in (*trial.race.together, *trial.race.racing, *told) if reads(step)]


def _breadth(step: Step) -> int:
    """Return how much a read tells: what tells most is dropped first, so that what tells least remains."""
    name = step.call.message.partition(".")[2]
    return {"get_all_records": 4, "get_all": 3, "get_record": 2, "get_by_name_label": 1}.get(name, 0)


def _without(trial: Trial, step: Step) -> Trial | None:
    """Return a trial without one read, None where a later step needs it."""
    race = trial.race
    less = replace(
        trial,
        told=tuple(each for each in trial.told if each.step is not step),
        history=tuple(op for op in trial.history if op.step is not step),
        race=Race(
            tuple(each for each in race.prefix if each is not step),
            tuple(tuple(each for each in branch if each is not step) for branch in race.branches),
            tuple(each for each in race.together if each is not step),
            race.delays,
        ),
    )
    if any(not branch for branch in less.race.branches):
        return None
    uuids = uuids_in(less)
    wanted = {
        handle
        for each in (*(t.step for t in less.told), *(o.step for o in less.history))
        for handle in _uuids_of(each.call.args)
    }
    return None if wanted - uuids.keys() else replace(less, uuids=tuple(uuids.items()))


def _uuids_of(value: Value) -> frozenset[Handle]:
    """Return the objects whose uuid a value names."""
    match value:
        case UuidOf(handle):
            return frozenset({handle})
        case tuple():
            return frozenset(each for item in value for each in _uuids_of(item))
        case dict():
            return _uuids_of((*value, *value.values()))
        case _:
            return frozenset()
