"""The checks: every clause of levels 1 to 3 and of sessions, each a plain function in a table of its module."""

from xenconform.conformance.checks import bonds, creating, destroying, finding, qualifiers, reading, writing
from xenconform.conformance.checks.check import Check

CHECKS: tuple[Check, ...] = (
    *reading.CHECKS,
    *writing.CHECKS,
    *qualifiers.CHECKS,
    *creating.CHECKS,
    *finding.CHECKS,
    *destroying.CHECKS,
    *bonds.CHECKS,
)
"""Every check, by level."""
