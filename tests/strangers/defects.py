"""Every switchable defect of the strangers, by name."""

from __future__ import annotations

from strangers import (
    blind_objects,
    blind_objects_hard,
    blind_time,
    blind_time_hard,
    blind_values,
    defects_bonds,
    defects_envelopes,
    defects_fields,
    defects_objects,
    defects_races,
    defects_roles,
    defects_sequences,
    defects_states,
    defects_tasks,
    defects_values_over_time,
    defects_wire,
    heldout_broken,
    heldout_collections,
    heldout_life,
    heldout_limits,
    heldout_numbers,
    heldout_objects,
    heldout_relations,
    heldout_texts,
    heldout_wire,
)
from strangers.base import TABLE, Defect

__all__ = ["DEFECTS", "MODULES", "Defect"]
MODULES = (
    blind_objects,
    blind_objects_hard,
    blind_time,
    blind_time_hard,
    blind_values,
    defects_wire,
    defects_envelopes,
    defects_fields,
    defects_objects,
    defects_bonds,
    defects_states,
    defects_tasks,
    defects_sequences,
    defects_values_over_time,
    defects_roles,
    defects_races,
    heldout_texts,
    heldout_collections,
    heldout_numbers,
    heldout_wire,
    heldout_broken,
    heldout_objects,
    heldout_relations,
    heldout_life,
    heldout_limits,
)
DEFECTS: dict[str, Defect] = TABLE
