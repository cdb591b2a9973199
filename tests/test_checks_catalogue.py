"""The checks and the catalogue of clauses belong together."""

from __future__ import annotations

from xenconform.conformance.suite.table import CHECKS
from xenconform.models.clauses import catalogue


def test_every_clause_has_a_check() -> None:
    """No clause is in the catalogue without a check, and no check judges a clause that is not."""
    assert {clause for check in CHECKS for clause in check.clauses} == set(catalogue())


def test_each_check_is_for_a_class_or_for_the_server() -> None:
    """A check is for every class in turn or for the server as a whole, never for both or neither."""
    assert all((check.per_class is None) != (check.per_server is None) for check in CHECKS)
