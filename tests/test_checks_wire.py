"""The checks of level 1 and of sessions: a sound server passes them all, and each clause catches what breaks it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from wire_bench import CHECKS, Defect, run
from wire_defects import refuses
from wire_planted import Planted, choices, planted

from xenconform.conformance.checks.bench import BUDGETS
from xenconform.conformance.checks.drawing import MOST_AFTER_FAILURE, failing_value
from xenconform.conformance.checks.judging import Unavailable
from xenconform.models.verdicts import Verdict

PLANTED = tuple(planted())
OF_VALUES = frozenset({
    "WIRE-BOOL", "WIRE-DATETIME", "WIRE-ENUM", "WIRE-FLOAT", "WIRE-FLOAT-SPECIAL", "WIRE-INT-JSON", "WIRE-INT-XML",
    "WIRE-MAP", "WIRE-SET", "WIRE-STRING",
})  # fmt: skip
"""What changes a value over one format makes it another than over the others: WIRE-AGREE may say so as well."""


def test_the_reference_server_passes_every_check_with_nothing_untested() -> None:
    """Every check of every class passes on the reference server in the standard budget, and leaves nothing behind."""
    ran = run(budget=BUDGETS["standard"])
    odd = [judgement for judgement in ran.judgements if judgement.verdict is not Verdict.PASS]
    assert odd == []
    assert ran.left == 0
    assert len(ran.judgements) > 15_000
    assert ran.calls < 135_000


def test_the_quick_budget_judges_every_clause_too() -> None:
    """The quick budget takes a fraction of the calls and passes every clause of the checks."""
    ran = run(["network", "VM", "secret", "VMSS", "tunnel"], budget=BUDGETS["quick"])
    assert ran.clauses(Verdict.PASS) == {clause for check in CHECKS for clause in check.clauses}
    assert ran.clauses(Verdict.FAIL) == set()


@pytest.mark.parametrize("case", PLANTED, ids=lambda case: f"{case.clause}: {case.name}")
def test_a_planted_defect_is_caught_by_its_clause_and_no_other(case: Planted) -> None:
    """A defect on the wire fails the clause that speaks of it, and apart from what it implies no other clause."""
    ran = run([case.cls], defect=case.defect())
    assert ran.failed(case.clause), f"passed; others: {ran.clauses(Verdict.FAIL)}"
    implied = {"WIRE-AGREE"} if case.clause in OF_VALUES else set()
    assert ran.clauses(Verdict.FAIL) <= {case.clause, *case.also, *implied}


def test_every_clause_of_the_checks_has_a_planted_defect() -> None:
    """No clause that these checks judge is without a defect that it catches."""
    assert {case.clause for case in PLANTED} == {clause for check in CHECKS for clause in check.clauses}


@pytest.mark.parametrize(
    ("name", "formats"),
    [
        ("& dropped", {"xmlrpc"}),
        ("floats with six digits", {"xmlrpc"}),
        ("local time", {"jsonrpc2"}),
        ("ints through a double", {"jsonrpc1", "jsonrpc2"}),
        ("astral dropped", {"jsonrpc1", "jsonrpc2"}),
    ],
)
def test_the_guilty_format_is_named(name: str, formats: set[str]) -> None:
    """A value that was changed on its way is held against the format that changed it, whichever the other one was."""
    case = next(each for each in PLANTED if each.name == name)
    ran = run([case.cls], defect=case.defect(), only=[case.clause, "WIRE-INT-XML"], server=False)
    assert {judgement.format for judgement in ran.failed(case.clause)} == formats
    assert ran.clauses(Verdict.FAIL) == {case.clause}


@pytest.mark.parametrize(("name", "cls", "only", "make"), [pytest.param(*each, id=each[0]) for each in choices()])
def test_what_the_documents_leave_open_is_no_finding(
    name: str, cls: str, only: tuple[str, ...], make: Callable[[], Defect]
) -> None:
    """A server that conforms in another way than the reference server fails no clause."""
    ran = run([cls], defect=make(), only=only)
    assert [judgement for judgement in ran.judgements if judgement.verdict is Verdict.FAIL] == [], name


def test_a_field_that_takes_nothing_is_untested_with_the_reason() -> None:
    """Where the server's domain refuses every value, the field is untested and the reason quotes the refusal."""
    ran = run(["network"], defect=refuses("network.set_name_label", "INVALID_VALUE"), only=["WIRE-STRING"])
    verdicts = {(j.verdict, "INVALID_VALUE" in j.reason) for j in ran.judgements if j.element == "network.name_label"}
    assert verdicts == {(Verdict.UNTESTED, True)}


def test_a_failing_value_is_made_plain_within_bounds() -> None:
    """The search for a failing value gives a plain one and takes a bounded number of tries."""
    tried: list[str] = []

    def passes(text: str) -> bool:
        tried.append(text)
        return "&" not in text

    found = failing_value(st.text("ab&c", min_size=3, max_size=30), passes, examples=50, number=1)
    assert found is not None
    assert "&" in found[0]
    assert len(found[0]) <= 4
    assert len(tried) <= 50 + MOST_AFTER_FAILURE + 1


def test_what_a_test_raises_comes_out_of_the_search() -> None:
    """An exception of the test is raised to the caller as it is, not wrapped."""

    def broken(_: int) -> bool:
        raise Unavailable("no object")

    with pytest.raises(Unavailable, match="no object"):
        failing_value(st.integers(), broken, examples=5, number=1)
