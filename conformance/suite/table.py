"""Every check of the suite: the clause checks and what the state machines find."""

from xenconform.conformance import checks
from xenconform.conformance.checks.check import Check
from xenconform.conformance.machine import exploring

CHECKS: tuple[Check, ...] = (*checks.CHECKS, *exploring.CHECKS)
"""By level within each module."""
