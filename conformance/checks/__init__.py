"""The checks: every clause of levels 1 to 3 and of sessions, each a plain function in a table of its module."""

from xenconform.conformance.checks import (
    bonds,
    creating,
    destroying,
    finding,
    lifecycle,
    persistence,
    qualifiers,
    reading,
    removed,
    sessions,
    tasks,
    watching,
    wire_agree,
    wire_calls,
    wire_envelope,
    wire_forms,
    wire_malformed,
    wire_odd,
    wire_values,
    writing,
)
from xenconform.conformance.checks.check import Check

CHECKS: tuple[Check, ...] = (
    *wire_envelope.CHECKS,
    *wire_forms.CHECKS,
    *wire_values.CHECKS,
    *wire_odd.CHECKS,
    *wire_agree.CHECKS,
    *wire_calls.CHECKS,
    *wire_malformed.CHECKS,
    *reading.CHECKS,
    *writing.CHECKS,
    *qualifiers.CHECKS,
    *creating.CHECKS,
    *finding.CHECKS,
    *destroying.CHECKS,
    *bonds.CHECKS,
    *removed.CHECKS,
    *sessions.CHECKS,
    *tasks.CHECKS,
    *watching.CHECKS,
    *lifecycle.CHECKS,
    *persistence.CHECKS,
)
"""Every check, by level."""
