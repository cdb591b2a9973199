"""The tests of a run as Allure knows them: one a clause × element, with a step for each wire format.

A whole run judges some 44,000 parts. A test for each would be three times as many files for what a person reads as one
thing, a field or a message under one rule; a test for a clause × class would hide findings of several causes behind one
message and give a field no history of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from allure_commons.model2 import Parameter, Status, StatusDetails, TestResult, TestStepResult

from xenconform.models.api import Api
from xenconform.models.clauses import Clause
from xenconform.models.events import RunStart
from xenconform.models.results import NOT_RUN, ClauseResult, Part, Results
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.allure.evidence import Evidence
from xenconform.reports.allure.ids import OURS, id_of
from xenconform.reports.allure.labels import description_of, labels_of, links_of, path_of
from xenconform.reports.allure.plain import plain_test
from xenconform.reports.allure.told import LINE, causes, cut, details_of, first_of, over, status_of, words
from xenconform.reports.page.heat import SERVER, api_of, class_of
from xenconform.reports.words import printable

TOLD = 5
"""Judgements of a part that are told each in a step of its own."""


def run_of(results: Results) -> UUID:
    """Return what the ids of a run's own results are made of."""
    start = results.start
    when = (start.started, results.calls, results.seconds)
    return id_of(OURS, start.version, start.kind, start.target, start.seed, *when)


@dataclass(frozen=True, slots=True)
class Tests:
    """The tests of a run: what they are made of. `clause_url` is where the pages of clauses are, or ""."""

    results: Results
    run: UUID
    evidence: Evidence
    clause_url: str
    api: Api
    begun: float | None

    @classmethod
    def of(cls, results: Results, clause_url: str = "") -> Tests:
        """Return the tests of a run."""
        run, api = run_of(results), api_of(results.start.release)
        return cls(results, run, Evidence(results, run), clause_url, api, _instant(results.start))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield each test, in the order of the clauses, as its file has it; attachments are added to the evidence."""
        for each in self.results.clauses:
            if not each.parts:
                yield self._not_run(each)
            for element, parts in _by_element(each).items():
                yield self._judged(each.clause, element, parts)

    def _judged(self, clause: Clause, element: str, parts: list[Part]) -> dict[str, Any]:
        verdicts = list(dict.fromkeys(part.verdict.value for part in parts if part.verdict is not Verdict.PASS))
        test = self._test(clause, element, class_of(element, self.api.classes), verdicts)
        test.status = status_of(first_of(parts).verdict)
        test.steps = [self._step(part) for part in parts]
        formats = printable(", ".join(filter(None, (part.format for part in parts))))
        test.parameters += [Parameter(name="formats", value=formats, excluded=True)] if formats else []
        test.start, test.stop = self._times(max(part.at for part in parts), sum(part.seconds for part in parts))
        return plain_test(test, details_of(parts))

    def _not_run(self, result: ClauseResult) -> dict[str, Any]:
        test = self._test(result.clause, SERVER, SERVER, [Verdict.UNTESTED.value])
        test.status = Status.SKIPPED
        return plain_test(test, {"message": f"{result.clause.id} {Verdict.UNTESTED}: {NOT_RUN}"})

    def _test(self, clause: Clause, element: str, of: str, verdicts: list[str]) -> TestResult:
        same = id_of(OURS, clause.id, element).hex
        shown = printable(element)
        seed = Parameter(name="seed", value=str(self.results.start.seed), excluded=True)
        return TestResult(
            uuid=str(id_of(self.run, clause.id, element)),
            historyId=same,
            testCaseId=same,
            fullName=f"{printable(clause.id)} {shown}",
            name=shown,
            stage="finished",
            description=description_of(clause),
            labels=labels_of(clause, of, shown, verdicts),
            links=links_of(clause, self.clause_url),
            titlePath=path_of(clause, of),
            parameters=[Parameter(name="element", value=shown), seed],
        )

    def _step(self, part: Part) -> TestStepResult:
        start, stop = self._times(part.at, part.seconds)
        step = TestStepResult(
            name=f"{over(part)}: {part.verdict}",
            status=status_of(part.verdict),
            stage="finished",
            start=start,
            stop=stop,
        )
        told = causes(part)
        step.steps = [self._told(part, each) for each in told[:TOLD]]
        if len(told) > TOLD:
            more = f"{len(told) - TOLD} more judgements, see results.json"
            step.steps.append(TestStepResult(name=more, status=step.status, start=stop, stop=stop))
        return step

    def _told(self, part: Part, judged: Judgement) -> TestStepResult:
        named, attached = self.evidence.of(part, judged)
        at, _ = self._times(judged.seconds, 0.0)
        said = words(judged)
        return TestStepResult(
            name=cut(said, LINE),
            status=status_of(part.verdict),
            statusDetails=StatusDetails(message=said) if len(said) > LINE else None,
            stage="finished",
            parameters=named,
            attachments=attached,
            start=at,
            stop=at,
        )

    def _times(self, at: float, took: float) -> tuple[int | None, int | None]:
        """Return when something began and ended, in milliseconds of the epoch; None where the log does not say."""
        if self.begun is None or not at:
            return None, None
        return round(1000 * (self.begun + at - took)), round(1000 * (self.begun + at))


def _by_element(result: ClauseResult) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    for part in result.parts:
        found.setdefault(part.element, []).append(part)
    return found


def _instant(start: RunStart) -> float | None:
    """Return when a run began, in seconds of the epoch, None where its log does not say."""
    try:
        begun = datetime.fromisoformat(start.started)
    except ValueError:
        return None
    return (begun if begun.tzinfo else begun.replace(tzinfo=UTC)).timestamp()
