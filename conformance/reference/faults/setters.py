"""Faults of setters of single values, and of what they change besides."""

from __future__ import annotations

from xenconform.conformance.reference.faults.base import MEDIUM, Server, fault
from xenconform.conformance.reference.faults.seams import after, putting


@fault("SET-ONLY-THAT", "network", MEDIUM)
def mtu_clears_the_description(s: Server) -> None:
    """Setting a network's MTU empties its description."""
    after(s, lambda call, branch: putting(branch, call.args[0], name_description=""), "network.set_MTU")
