"""Faults of what may be written: accessors that should not be there."""
