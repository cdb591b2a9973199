"""Faults of map fields: adding, removing, and keys that are there already."""
