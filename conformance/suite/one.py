"""One check on one class: whatever comes of it is told to the run."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Protocol

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.health import TargetGoneError
from xenconform.conformance.checks.judging import NotOffered, Unanswered, Unavailable
from xenconform.conformance.suite.dying import Recent, judge_death
from xenconform.models.api import ApiClass
from xenconform.models.verdicts import ANYTHING, Judgement, Verdict

SERVER = "server"
"""The element of what belongs to no class."""


class Judging(Protocol):
    """What a run is to those who judge; `gone` says why its server no longer answers, "" while it does.

    `silent` has the clauses whose checks were through, each with why nothing came to be judged, if nothing did, and
    `recent` the last checks that were begun while the server answered.
    """

    gone: str
    silent: dict[str, str]
    recent: Recent

    @property
    def bench(self) -> Bench:
        """The bench of the run."""
        ...

    def record(self, judgement: Judgement) -> None:
        """Note a judgement."""
        ...


def judge(run: Judging, check: Check, of: ApiClass | None) -> None:
    """Run a check on a class, or on the server for None, and note what comes of it.

    Raises:
        Exception: whatever went wrong on our side, once it is noted as an ERROR: the run is then no certificate.
    """
    run.bench.aside = ""
    if run.gone:
        _untested(run, check, of, run.gone)
    else:
        if run.bench.health.answers:
            run.recent.begin(_name(check, of), check.clause, partial(_perform, run, check, of))
        _judge(run, check, of)
    for clause in set(check.clauses) & run.bench.clauses:
        run.silent.setdefault(clause, run.bench.aside)


def tell_silent(run: Judging, judged: Collection[str]) -> None:
    """Note of each clause whose checks were through and of which nothing was judged that it is untested, and why."""
    for clause in sorted(run.silent.keys() - set(judged)):
        reason = run.silent[clause] or "nothing came up that it speaks of"
        run.record(Judgement(clause, ANYTHING, "", Verdict.UNTESTED, reason=reason))


def _judge(run: Judging, check: Check, of: ApiClass | None) -> None:
    try:
        _perform(run, check, of)
    except TargetGoneError as why:
        run.gone = str(why)
        _untested(run, check, of, run.gone)
        judge_death(run.bench, run.recent)
    except NotOffered as why:
        _untested(run, check, of, str(why), Verdict.UNSUPPORTED)
    except (Unanswered, Unavailable) as why:
        # What a check prepares with is another clause's to judge; without it there is nothing to judge here.
        _untested(run, check, of, str(why))
    except Exception as why:
        reason = f"{type(why).__name__}: {why}"
        run.record(Judgement(check.clause, of.name if of else SERVER, "", Verdict.ERROR, reason=reason[:500]))
        raise


def _perform(run: Judging, check: Check, of: ApiClass | None) -> None:
    if of is not None and check.per_class is not None:
        check.per_class(run.bench, _as_offered(run, check, of))
    elif check.per_server is not None:
        check.per_server(run.bench)


def _name(check: Check, of: ApiClass | None) -> str:
    return f"{check.clause} on {of.name if of else SERVER}"


def _as_offered(run: Judging, check: Check, of: ApiClass) -> ApiClass:
    """Return a class as far as the server has it.

    Raises:
        NotOffered: what the check is about is removed in the server's release.
    """
    here = run.bench.api.classes[of.name]
    if here != of and not check.speaks_of(run.bench.api, here, run.bench.selected):
        raise NotOffered(f"{of.name}: what this is about is removed in this release, and the server has it no more")
    return here


def _untested(
    run: Judging, check: Check, of: ApiClass | None, reason: str, verdict: Verdict = Verdict.UNTESTED
) -> None:
    for clause in check.clauses:
        run.bench.record(Judgement(clause, of.name if of else SERVER, "", verdict, reason=reason))
