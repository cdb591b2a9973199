"""Faults of getters, records and lists: what is read is stale, missing, or another object's."""
