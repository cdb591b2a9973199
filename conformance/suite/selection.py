"""Which checks on which classes a run is for."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from xenconform.conformance.checks.check import Check
from xenconform.conformance.suite.table import CHECKS
from xenconform.models.api import Api, ApiClass
from xenconform.models.clauses import Clause, catalogue


def selection(
    api: Api, clauses: Collection[Clause], classes: Collection[str]
) -> Iterator[tuple[Check, ApiClass | None]]:
    """Return each check of the clauses with each class that it is for, level by level.

    Those that must be last are behind all levels. None stands for the server. Where only some classes are wanted, there
    are others besides that a check reaches from these: those whose references are the other ends of their bonds.

    Args:
        api: the model of the release.
        clauses: the clauses that are wanted.
        classes: the classes that are wanted; every class if empty.
    """
    wanted = {clause.id for clause in clauses}
    levels = catalogue()
    for check in sorted(CHECKS, key=lambda each: (each.last, levels[each.clause].level)):
        if not wanted & set(check.clauses):
            continue
        if check.per_server is not None:
            if not (check.whole and classes):
                yield check, None
            continue
        for of in api.classes.values():
            if check.speaks_of(api, of, classes):
                yield check, of


def whole(api: Api) -> frozenset[str]:
    """Return the ids of all clauses that have a check in a release: what a run that leaves nothing out judges."""
    return frozenset(clause.id for clause in offered(api, ()))


def checked(api: Api, clauses: Collection[Clause], classes: Collection[str]) -> tuple[Clause, ...]:
    """Return the clauses of which there is something to check in these classes, in the catalogue's order."""
    found = {clause for check, _ in selection(api, clauses, classes) for clause in check.clauses}
    return tuple(clause for clause in clauses if clause.id in found)


def offered(api: Api, classes: Collection[str]) -> tuple[Clause, ...]:
    """Return every clause of which there is something to check in these classes."""
    return checked(api, tuple(catalogue().values()), classes)
