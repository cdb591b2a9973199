"""Faults of the power states of VMs."""
