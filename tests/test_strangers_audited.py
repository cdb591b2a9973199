"""Defects that audits of the clauses thought of, each in a dimension that no check had: caught by its own clause."""

from __future__ import annotations

import pytest
from sampling import sampled
from strangers.defects import DEFECTS
from strangers.matrix import run

AUDIT_STATE = (
    "false_is_taken_for_unset",
    "search_uses_up_what_it_finds",
    "look_at_the_pool_is_noted",
    "queue_has_doubles",
    "power_tasks_never_fail",
    "tasks_do_not_index_uuids",
    "tasks_know_no_defaults",
    "task_hides_why_nothing_was_made",
    "setter_is_written_with_the_next",
    "last_pair_stays_on_disk",
    "tasks_end_in_memory",
    "state_is_looked_at_before_the_lock",
    "queue_takes_the_last_task",
    "first_change_of_a_batch_stands",
)
"""The harder ones that an audit of the clauses on state over time thought of."""
AUDIT_WIRE = (
    "zero_is_omitted",
    "bad_logins_are_objects",
    "text_ids_of_one_class_are_null",
    "logout_by_notification",
    "rows_that_changed",
    "nobody_of_that_label_is_null",
    "nulls_at_the_end",
    "objects_in_arrays",
    "sections_are_skipped",
    "records_kept_by_session",
    "rolled_back_too_far",
    "records_are_repaired",
)
"""The harder ones that an audit of levels 1 and 5 and of sessions has found; the others are in audit_wire*.py."""
AUDIT_OBJECTS = (
    "workers_read_no_maps",
    "first_slot_for_all",
    "newcomer_takes_the_others_pairs",
    "a_counter_for_each_class",
    "first_of_the_refs_is_looked_at",
    "uncommitted_until_the_next",
    "uuids_are_parsed",
    "buckets_of_folded_names",
    "slots_are_used_again",
    "counted_up_and_never_down",
    "refused_but_for_the_second",
    "shared_disks_are_elsewhere",
    "taken_out_before_it_is_looked_at",
)
"""Those of an audit of the clauses on objects: a dimension each that no check had."""
AUDIT_FIELDS = (
    "boot_parameters_of_the_running",
    "one_row_expected",
    "explicit_setter_clears_no_cache",
    "rows_of_a_session",
    "made_over_json_and_not_listed",
    "place_of_the_dead_is_taken",
    "labels_made_unique",
    "replaced_row_cascades",
    "tag_removed_without_the_owner",
    "tags_copied_by_format",
    "added_pairs_stay",
    "keys_of_a_session",
    "locking_mode_from_the_record",
    "task_sets_the_type",
)
"""What an audit of level 2 thought of, a dimension that its checks had not varied each."""
AUDIT2_WIRE = (
    "records_show_a_set_of_one_as_its_member",
    "texts_like_instants_are_rewritten",
    "nothing_is_an_array_and_an_object",
    "introduced_and_then_counted",
    "a_bad_query_keeps_the_lock",
    "sessions_are_parsed",
)
"""Those of a second audit of levels 1 and 5; the others are in audit2_wire.py."""
AUDIT2_FIELDS = (
    "front_end_does_not_hear_itself",
    "rows_of_a_session_are_written_whole",
    "place_of_the_last_is_forgotten",
    "loosely_equal_is_no_change",
    "repetition_is_taken_for_a_retry",
    "operation_added_and_refused",
)
"""The harder ones that a second audit of level 2 thought of."""
AUDIT2_STATE = (
    "lists_are_kept_through_tasks",
    "waiting_call_revives_its_session",
    "states_are_kept_by_session",
    "look_at_a_paused_vm_halts_it",
    "denied_destroy_ends",
    "old_labels_find_after_a_restart",
)
"""What a second audit of level 4 thought of; the others are in audit2_state.py."""
AUDIT2_OBJECTS = (
    "members_come_in_the_order_of_the_class",
    "far_ends_are_entered_before_the_rest_is_read",
    "index_of_uuids_holds_a_shelf",
    "bucket_goes_with_its_first",
    "sessions_keep_far_ends",
    "clones_share_their_maps",
)
"""What a second audit of level 3 thought of; the others are in audit2_objects.py."""
AUDIT3_OBJECTS = (
    "the_first_condition_decides",
    "astral_letters_are_all_the_same",
    "refused_destroys_are_made_up_for",
    "clones_do_not_count",
    "metrics_come_first",
    "whole_records_are_read_from_the_wrong_end",
)
"""Those of a third audit of levels 2 and 3; the others are in audit3_objects.py."""
AUDIT3_STATE = (
    "tasks_count_the_living",
    "explicit_failures_are_swallowed",
    "refused_pairs_are_replayed",
    "refused_records_are_made_by_the_replay",
    "both_ends_succeed",
    "renamed_ones_are_nowhere",
)
"""What a third audit of level 4 thought of; the others are in audit3_state.py."""
AUDIT3_WIRE = (
    "sessions_keep_the_version_of_their_login",
    "queries_serve_the_dead",
    "registered_sessions_live_on",
    "tasks_keep_the_trace",
    "other_media_are_turned_down_unread",
    "a_class_is_a_set_of_classes",
)
"""Those of a third audit of levels 1 and 5; the others are in audit3_wire.py."""
NINTH = (
    "bad_members_of_a_batch_are_left_out",
    "lookups_that_find_nothing_are_null",
    "xml_dates_have_whole_seconds",
    "only_added_values_are_in_the_index",
    "a_rollback_takes_the_last_statement_too",
    "a_view_of_all_sites_is_renewed_by_sites",
    "members_remember_where_they_were_put",
    "orphans_of_a_stale_collection_are_deleted",
    "removal_of_no_rows_is_success",
    "a_coefficient_is_a_single",
    "pooled_records_keep_their_maps",
    "results_of_queries_outlive_writes",
    "starting_paused_is_running_inside",
)
"""What the checks missed of the ninth set, which was written blind."""
TENTH = (
    "the_media_type_is_the_requests",
    "a_look_up_reads_behind_the_writes",
    "an_overflow_tells_its_trace",
)
"""What the checks missed of the tenth set, which was written blind."""
ELEVENTH = (
    "spaces_beside_an_entity_are_trimmed",
    "dates_are_nanoseconds_in_a_word",
    "a_session_of_zero_is_anyones",
    "a_removed_tag_leaves_a_gap",
    "tags_are_kept_with_commas_between",
    "objects_share_their_default_map",
    "a_task_of_undecodable_parameters_stays_pending",
)
"""What the checks missed of the eleventh set, which was written blind."""
FOREIGN = (
    "a_moved_vif_is_in_two_networks",
    "a_removed_type_keeps_its_gpu",
    "one_drive_of_a_vm_is_the_one_to_boot_from",
    "the_last_schedule_stays_on",
    "one_group_alone_is_filled_up",
    "a_far_end_is_known_by_its_size",
    "a_listing_is_known_by_its_size",
    "a_batch_has_sixteen_events",
    "what_was_born_and_changed_has_changed",
    "a_purpose_is_no_purpose_of_itself",
    "a_refused_sr_is_the_default_all_the_same",
    "a_refused_introduction_takes_the_uuid_out",
    "a_drive_with_nothing_in_it_is_not_listed",
)
"""Of the kinds that the checks missed in three servers of other designs and languages."""
AGAIN = (
    "task_adds_a_label",
    "userdevice_renames_the_device",
    "blind_xml_map_keys_escaped_twice",
    "what_was_loaded_is_never_written_again",
    "counted_when_done",
)
"""What earlier states of the checks caught, a later one did not, and this one does."""
AUDITED = (
    *AUDIT_STATE,
    *AUDIT_WIRE,
    *AUDIT_OBJECTS,
    *AUDIT_FIELDS,
    *AUDIT2_WIRE,
    *AUDIT2_FIELDS,
    *AUDIT2_STATE,
    *AUDIT2_OBJECTS,
    *AUDIT3_OBJECTS,
    *AUDIT3_STATE,
    *AUDIT3_WIRE,
    *NINTH,
    *TENTH,
    *ELEVENTH,
    *FOREIGN,
    *AGAIN,
)


@pytest.mark.parametrize("name", sampled(AUDITED))
def test_defects_are_caught(name: str) -> None:
    """A defect is caught by the clause that speaks of it, run alone on one class in the standard budget."""
    defect = DEFECTS[name]
    clauses = [option for clause in defect.clauses for option in ("--clause", clause)]
    failed, results = run(defect, "--budget", "standard", *clauses, with_roles="RBAC" in defect.clauses)
    assert failed, results
    assert failed <= set(defect.clauses)
    assert results["errors"] == []
