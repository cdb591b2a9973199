"""Servers that share no code with the product: conforming ones pass, and what is broken is caught by its clause."""

from __future__ import annotations

import pytest
from sampling import sampled
from strangers.certify import certify
from strangers.defects import DEFECTS
from strangers.matrix import run
from strangers.plain_server import Plain
from strangers.values import TASTES

from xenconform.models.clauses import catalogue

CONFORMS = {0, 4}
"""Exit codes of a run without a finding: all of it tested, or some of it not."""

QUICK = (
    "xml_last_character_not_escaped",
    "astral_replaced_in_json2",
    "json_ints_rounded",
    "sets_hold_eight",
    "large_id_rounded",
    "error_code_zero",
    "notification_carried_out",
    "setter_writes_all_objects",
    "equal_pair_taken",
    "refused_pair_is_stored",
    "constructor_field_has_a_setter",
    "create_over_json1_ignores_managed",
    "uuids_used_again",
    "rename_not_indexed",
    "destroy_cascades_to_referrers",
    "far_end_keeps_the_destroyed",
    "logged_out_lives_over_xml",
    "suspended_lives_somewhere",
    "ints_of_53_bits_on_disk",
    "reading_the_uuid_clears_tags",
)
"""One or two defects of each level, the hard ones before the plain ones."""

LAST_FOUND = (
    "nothing_in_place_of_falsy",
    "removed_pairs_rise_as_they_were",
    "written_by_the_natural_key",
    "list_as_good_as_its_length",
    "servers_forgotten_but_in_the_list",
    "paused_guests_live_nowhere",
    "ids_of_who_came_last",
    "pieces_decoded_one_by_one",
    "events_without_the_types",
    "lists_for_passwords",
    "marks_take_square_time",
    "rest_of_the_last_body",
    "end_of_a_watched_object_is_not_told",
    "equals_sign_in_a_key_moves",
    "removals_are_not_written_to_disk",
    "unsafe_integers_go_as_text",
    "locking_mode_checked_as_that_of_a_vif",
    "surplus_of_an_asynchronous_call_is_dropped",
    "overflow_of_the_database_is_told",
    "ports_are_small_ints",
    "a_host_cpu_has_no_row_once_its_map_was_emptied",
    "roles_are_ranks",
    "the_last_tag_leaves_a_null",
    "asynchronous_calls_remember_sessions",
    "a_null_parameter_shows_the_stack",
    "an_observer_that_was_missed_stays_missed",
    "maps_numbered_from_zero_become_arrays",
    "numbers_of_a_json_record_are_doubles",
    "logout_never_fails",
    "what_tasks_do_to_a_vm_is_not_heeded",
    "a_full_cache_forgets_what_was_written",
    "references_of_the_dead_are_given_again",
    "what_is_introduced_is_not_indexed",
    "a_rename_to_the_same_label_unlists",
)
"""Those of the last sets that nobody's check had foreseen, each the proof of what was added since."""


def test_names() -> None:
    """Every defect names clauses of the catalogue, says what it is, and there are many."""
    assert len(DEFECTS) >= 60
    for defect in DEFECTS.values():
        assert defect.what
        assert set(defect.clauses) | set(defect.also) <= catalogue().keys(), defect.name


@pytest.mark.parametrize("tastes", [set(), set(TASTES)], ids=["none", "all"])
def test_conforming_strangers_pass(tastes: set[str]) -> None:
    """A server that makes other legal choices than the reference server breaks no rule that a certificate needs."""
    with Plain(tastes) as server:
        code, results = certify(server, "--scope", "all", "--budget", "quick", "--class", "network", "--class", "PIF")
    should = {each["id"] for each in results["clauses"] if each["severity"] == "SHOULD"}
    assert [each for each in results["findings"] if each["clause"] not in should] == []
    assert code in CONFORMS


def test_what_a_server_has_no_more_leaves_the_rest_judged() -> None:
    """Where removed fields and classes fail with MESSAGE_REMOVED they are unsupported, and all else is judged."""
    clauses = ("--clause", "SET-ONLY-THAT", "--clause", "GET-*", "--clause", "BIND-SYMMETRY")
    with Plain({"no_more"}) as server:
        code, results = certify(
            server, "--scope", "all", "--budget", "quick", "--class", "VM", "--class", "VMPP", *clauses
        )
    assert results["findings"] == []
    assert code in CONFORMS
    counts = {each["id"]: each["counts"] for each in results["clauses"]}
    assert counts["SET-ONLY-THAT"]["PASS"] > 20
    assert all(counts[each]["UNSUPPORTED"] for each in ("GET-EVERY-FIELD", "BIND-SYMMETRY"))


@pytest.mark.parametrize("name", [*QUICK, *sampled(LAST_FOUND)])
def test_defects_are_caught(name: str) -> None:
    """A defect is caught by the clause that speaks of it, run alone on one class; the later ones in standard."""
    defect, budget = DEFECTS[name], "quick" if name in QUICK else "standard"
    clauses = [option for clause in defect.clauses for option in ("--clause", clause)]
    failed, results = run(defect, "--budget", budget, *clauses, with_roles="RBAC" in defect.clauses)
    assert failed, results
    assert failed <= set(defect.clauses)
    assert results["errors"] == []


def test_a_clause_with_nothing_to_judge_says_why() -> None:
    """Where no check comes to judge a clause, it is UNTESTED for the reason that another clause of theirs has."""
    options = ("--scope", "all", "--budget", "quick", "--class", "SR", "--clause", "DESTROY-REFERENCED-UNCHANGED")
    with Plain() as server:
        code, results = certify(server, *options)
    assert code == 4
    assert [each["reason"] for each in results["untested"]] == [
        "no constructor of SR in the model that the profile xapi allows"
    ]
