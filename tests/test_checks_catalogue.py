"""The checks and the catalogue of clauses belong together."""

from __future__ import annotations

from xenconform.conformance.suite.table import CHECKS
from xenconform.models.clauses import catalogue

OF_LATER_LEVELS = {"ROBUST-"}
"""What the clauses begin with that state machines, faults over time and the fuzzer are to judge."""


def test_every_clause_has_a_check_but_those_of_later_work() -> None:
    """No clause is in the catalogue without a check, and no check judges a clause that is not."""
    checked = {clause for check in CHECKS for clause in check.clauses}
    expected = {
        clause.id
        for clause in catalogue().values()
        if not any(clause.id.startswith(head) for head in OF_LATER_LEVELS)
    }  # fmt: skip
    assert checked == expected
    assert all(clause.level > 3 for clause in catalogue().values() if clause.id not in expected)


def test_each_check_is_for_a_class_or_for_the_server() -> None:
    """A check is for every class in turn or for the server as a whole, never for both or neither."""
    assert all((check.per_class is None) != (check.per_server is None) for check in CHECKS)
