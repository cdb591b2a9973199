"""The suite's pytest items: one a clause × class, or one a clause for what belongs to no class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from xenconform.conformance.checks.check import Check
from xenconform.conformance.suite.one import SERVER, judge
from xenconform.conformance.suite.selection import selection
from xenconform.conformance.suite.settings import Settings
from xenconform.models.api import ApiClass
from xenconform.models.clauses import catalogue
from xenconform.models.results import Results
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.allure.labels import description_of, filed

if TYPE_CHECKING:
    from xenconform.conformance.suite.run import Run

COST = "xenconform"
"""The user property in which an item tells what it took: its calls and its findings."""
SHOWN = 10
"""How many findings of an item its report shows; the log has all."""


class ClauseFailed(AssertionError):  # noqa: N818 - what pytest reports: the server failed the clause
    """The server broke a clause; the text lists the findings."""


class ClauseFile(pytest.File):
    """The suite as one file of items."""

    def collect(self) -> Iterator[ClauseItem]:
        """Make the items that the settings select."""
        settings: Settings = self.config.stash[SETTINGS]
        for check, of in selection(settings.api, settings.clauses, settings.classes):
            name = f"{check.clause}[{of.name if of else SERVER}]"
            item = ClauseItem.from_parent(self, name=name, check=check, of=of)
            item.add_marker(pytest.mark.xdist_group(of.name if of else SERVER))
            if self.config.getoption("--alluredir", default=None):
                item.file_in_allure()
            yield item


class ClauseItem(pytest.Item):
    """One check on one class of the server under test."""

    def __init__(self, *, check: Check, of: ApiClass | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check
        self.of = of

    def file_in_allure(self) -> None:
        """Give pytest's plugin for Allure the labels and the description that our own results for Allure have."""
        clause = catalogue()[self.check.clause]
        for name, value in filed(clause, self.of.name if self.of else SERVER):
            self.add_marker(pytest.mark.allure_label(value, label_type=name))
        self.add_marker(pytest.mark.allure_description(description_of(clause)))

    def runtest(self) -> None:
        """Run the check; fail with its findings, skip where nothing of it could be exercised."""
        if SHUT_OUT in self.config.stash:
            pytest.fail(self.config.stash[SHUT_OUT], pytrace=False)
        run: Run = self.config.stash[RUN]
        before, calls, findings = len(run.judgements), run.calls, run.findings
        try:
            run.begin(self.check, self.of)
            judge(run, self.check, self.of)
        finally:
            self.user_properties.append((COST, {"calls": run.calls - calls, "findings": run.findings - findings}))
        mine = [each for each in run.judgements[before:] if each.verdict is not Verdict.PASS]
        failed = [each for each in mine if each.verdict in {Verdict.FAIL, Verdict.ERROR}]
        if failed:
            raise ClauseFailed("\n".join([_line(each) for each in failed[:SHOWN]] + _more(len(failed) - SHOWN)))
        if len(mine) == len(run.judgements) - before and mine:
            pytest.skip(mine[0].reason or mine[0].verdict)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the findings alone for what the server did, and the whole traceback for what we did."""
        if isinstance(excinfo.value, ClauseFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where the item is told to be: the suite's file and its own name."""
        return self.path, None, self.name


def _line(each: Judgement) -> str:
    over = f" over {each.format}" if each.format else ""
    said = each.reason or f"expected {each.expected}; actual {each.actual}"
    return f"{each.clause} {each.element}{over}: {said}"


def _more(count: int) -> list[str]:
    return [f"and {count} more; the run's log has them all"] if count > 0 else []


SETTINGS = pytest.StashKey[Settings]()
RUN = pytest.StashKey["Run"]()
LEFT_BEHIND = pytest.StashKey[tuple[str, ...]]()
"""What a run made and could not remove, or wrote and could not put back, once it is closed."""
RESULTS = pytest.StashKey[Results]()
"""The results of the whole run, once the reports are written."""
SHUT_OUT = pytest.StashKey[str]()
"""Why the run could not begin, where it could not."""
