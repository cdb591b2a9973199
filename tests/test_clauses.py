"""The clause catalogue: complete, well formed, and selected by pattern."""

from __future__ import annotations

import re

import pytest

from xenconform.models.clauses import LEVELS, Clause, Severity, catalogue, select


def test_every_level_has_clauses_in_order() -> None:
    """The catalogue holds all five levels, in ascending order."""
    levels = [clause.level for clause in catalogue().values()]
    assert levels == sorted(levels)
    assert set(levels) == set(LEVELS)


def test_ids_are_names_of_rules() -> None:
    """An id is upper-case words joined by hyphens, and equals the key it is found under."""
    for name, clause in catalogue().items():
        assert clause.id == name
        assert re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)*", name)


def test_rules_are_sentences_with_a_source() -> None:
    """Every rule is a sentence of its own, said once, and names where it comes from."""
    rules = [clause.rule for clause in catalogue().values()]
    assert len(set(rules)) == len(rules)
    for clause in catalogue().values():
        assert clause.rule.endswith(".")
        assert len(clause.rule) <= 240
        assert clause.source


def test_an_exact_code_is_a_should_beside_its_must() -> None:
    """That a call fails is a MUST; with which code is a SHOULD of the same level under the same name and -CODE."""
    codes = [clause for clause in catalogue().values() if clause.id.endswith("-CODE")]
    assert len(codes) == 6
    for code in codes:
        failing = catalogue()[code.id.removesuffix("-CODE")]
        assert (code.severity, failing.severity) == (Severity.SHOULD, Severity.MUST)
        assert code.level == failing.level


def test_only_should_clauses_are_not_required() -> None:
    """MUST and ROBUST clauses decide the certificate, SHOULD clauses do not."""
    assert {each.severity for each in catalogue().values() if each.required} == {Severity.MUST, Severity.ROBUST}
    assert {each.severity for each in catalogue().values() if not each.required} == {Severity.SHOULD}


def test_level_five_is_robustness() -> None:
    """ROBUST clauses are those of level 5, and no others."""
    robust = {each.id for each in catalogue().values() if each.severity is Severity.ROBUST}
    assert robust == {each.id for each in catalogue().values() if each.level == 5}


def _ids(clauses: tuple[Clause, ...]) -> list[str]:
    return [each.id for each in clauses]


def test_globs_select_in_catalogue_order_and_once() -> None:
    """Overlapping patterns in any order and case select each clause once, in the catalogue's order."""
    assert _ids(select(["map-remove", "MAP-*"])) == [
        "MAP-ADD",
        "MAP-DUPLICATE-KEY",
        "MAP-DUPLICATE-UNCHANGED",
        "MAP-DUPLICATE-PARAMS",
        "MAP-REMOVE",
    ]


def test_an_id_selects_itself_alone() -> None:
    """A whole id is no prefix: WIRE-ARITY does not select WIRE-ARITY-CODE."""
    assert _ids(select(["WIRE-ARITY"])) == ["WIRE-ARITY"]


def test_no_pattern_selects_everything() -> None:
    """Without a pattern the whole catalogue is selected."""
    assert select([]) == tuple(catalogue().values())


def test_an_unknown_pattern_is_refused_with_near_ids() -> None:
    """A pattern that matches nothing is an error that names what was probably meant."""
    with pytest.raises(ValueError, match=r"no clause matches 'SET-VALU'; did you mean .*SET-VALUE"):
        select(["SET-*", "SET-VALU"])
    with pytest.raises(ValueError, match=r"no clause matches 'zzzzzz'$"):
        select(["zzzzzz"])
