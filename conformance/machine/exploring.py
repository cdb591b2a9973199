"""Level 4, STATE-MODEL: sequences of calls, over all formats and several sessions, get only replies that are allowed.

One machine for the whole model, and one for each class with what it needs and is bound to. Whatever is found is made
small, saved as a case, and told under STATE-MODEL and under the clause that speaks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.machine.memory import Part
from xenconform.conformance.machine.plan import can_begin_and_end, cluster, covered, creatable
from xenconform.conformance.machine.player import Played, play
from xenconform.conformance.machine.reducing import reduce
from xenconform.conformance.machine.sequences import Exploration, Found, explore
from xenconform.models.api import ApiClass
from xenconform.models.blame import Blame, Story, blame, plainer_reader
from xenconform.models.calls import Format
from xenconform.models.cases import Case, Step
from xenconform.models.clauses import Severity, catalogue
from xenconform.models.verdicts import Judgement, Verdict

CLAUSE: Final = "STATE-MODEL"
FEW: Final = 10
"""Up to how many calls of a case that could not be made any smaller still tell what is to blame."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a machine tries: sequences, moves in each, seconds at most, and after how many findings it stops."""

    examples: int
    length: int
    seconds: float
    findings: int


EFFORTS: Final = {
    "quick": (Effort(10, 30, 10.0, 3), Effort(20, 40, 20.0, 3)),
    "standard": (Effort(78, 40, 60.0, 5), Effort(100, 50, 120.0, 5)),
    "thorough": (Effort(400, 60, 900.0, 10), Effort(2000, 100, 1800.0, 10)),
}
"""By budget: of a class's machine, and of the whole model's."""


def sequences_of_a_class(bench: Bench, of: ApiClass) -> None:
    """Sequences around one class get replies that the rules allow. Source: introduction."""
    if of.name not in creatable(bench.api, bench.profile):
        reason = f"no {of.name} can be made with what the profile {bench.profile.name} allows"
        bench.record(Judgement(CLAUSE, of.name, "", Verdict.UNTESTED, reason=reason))
        return
    _explore(bench, of.name, cluster(bench.api, bench.profile, of.name), EFFORTS[bench.budget.name][0])


def sequences_of_everything(bench: Bench) -> None:
    """Sequences over the whole model get replies that the rules allow. Source: introduction."""
    _explore(bench, "server", creatable(bench.api, bench.profile), EFFORTS[bench.budget.name][1])


def _explore(bench: Bench, element: str, classes: Sequence[str], effort: Effort) -> None:
    this = Exploration(
        bench,
        covered(bench.api, bench.profile, classes),
        element if element in bench.api.classes else "",
        effort.examples,
        effort.length,
        effort.seconds,
        bench.seed,
        Part(bench.database, element) if bench.database is not None else None,
        bench.muted,
    )
    findings = 0
    for found in explore(this):
        _tell(bench, this, found)
        findings += 1
        if findings >= effort.findings:
            break
    if findings:
        return
    if element in this.made or (element not in bench.api.classes and this.made):
        bench.record(Judgement(CLAUSE, element, "", Verdict.PASS))
    else:
        reason = this.refused.get(element) or next(iter(this.stopped), "no sequence could begin")
        bench.record(Judgement(CLAUSE, element, "", Verdict.UNTESTED, reason=reason))


def _tell(bench: Bench, this: Exploration, found: Found) -> None:
    """Make a finding small, record it with its case, and mute what would find it again."""

    def again(steps: tuple[Step, ...]) -> Played:
        return play(bench, Case(CLAUSE, "", steps))

    reduction = reduce(found.steps, found.mismatch, again)
    last = reduction.best
    wrong = last.mismatch if last is not None and last.mismatch is not None else found.mismatch
    steps = last.steps if last is not None else found.steps
    beliefs = last.beliefs if last is not None else found.beliefs
    story = Story(bench.api, steps, beliefs, wrong.outcome, _formats_matter(steps, again, bench.formats))
    blamed = blame(replace(story, plainer_is_right=_plainer_is_right(story, again)))
    if reduction.spent >= reduction.limit and len(steps) > FEW:
        # What is left may hold calls that have nothing to do with it: no single clause is blamed by them.
        blamed = replace(blamed, clause="")
    note = "" if last is not None else "it did not happen again when the sequence was played anew"
    exchanges = tuple(each.seq for each in last.exchanges) if last is not None else (wrong.exchange.seq,)
    for clause in _clauses(bench, blamed):
        case = Case(
            clause=clause,
            element=blamed.element,
            steps=steps,
            expected=wrong.expected,
            actual=wrong.actual,
            release=bench.api.release,
            note=note,
        )
        bench.record(
            Judgement(
                clause,
                blamed.element,
                str(wrong.step.format),
                Verdict.FAIL,
                expected=f"{wrong.step.call.message}: {wrong.expected}",
                actual=wrong.actual + (f"; {note}" if note else ""),
                exchanges=exchanges,
                case=bench.save_case(case),
            )
        )
    this.muted.update(_to_mute(steps))


def _formats_matter(
    steps: tuple[Step, ...], again: Callable[[tuple[Step, ...]], Played], formats: Sequence[Format]
) -> bool:
    """Whether the last step, asked over another format after the same steps, tells the truth."""
    others = (replace(steps[-1], format=fmt) for fmt in formats if fmt != steps[-1].format)
    asked = (again((*steps[:-1], last)) for last in others)
    return any(not each.failed and not each.stopped for each in asked) and again(steps).failed


def _plainer_is_right(story: Story, again: Callable[[tuple[Step, ...]], Played]) -> bool:
    """Whether a plainer reader than the one that told wrong tells the truth."""
    call = plainer_reader(story)
    if call is None:
        return False
    told = again((*story.steps[:-1], replace(story.last, call=call)))
    return not told.failed and not told.stopped


def _clauses(bench: Bench, told: Blame) -> tuple[str, ...]:
    """Return the clauses that a finding is told under: a SHOULD alone, a MUST with STATE-MODEL beside it."""
    if told.clause and catalogue()[told.clause].severity is Severity.SHOULD:
        return (told.clause,)
    return tuple(dict.fromkeys(each for each in (told.clause, CLAUSE) if each in bench.clauses)) or (CLAUSE,)


def _to_mute(steps: tuple[Step, ...]) -> set[str]:
    """Return what to leave out from now on: the message that told wrong, and the one that caused it."""
    writers = [s.call.message for s in steps[:-1] if not s.call.message.partition(".")[2].startswith("get_")]
    causes = [name for name in writers if ".create" not in name][-1:]
    return {steps[-1].call.message, *causes}


CHECKS: tuple[Check, ...] = (
    Check(CLAUSE, per_class=sequences_of_a_class, applies=can_begin_and_end),
    Check(CLAUSE, per_server=sequences_of_everything, whole=True),
)
"""The rows of the suite's table."""
