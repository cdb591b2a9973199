"""Every check of the suite: the clause checks and what the state machines and the races find."""

from xenconform.conformance import checks
from xenconform.conformance.checks.check import Check
from xenconform.conformance.machine import exploring, parallel

CHECKS: tuple[Check, ...] = (*checks.CHECKS, *exploring.CHECKS, *parallel.CHECKS)
"""By level within each module."""
