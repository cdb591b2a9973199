"""Faults of finding objects: by uuid, by name, by query, and by references that denote nothing."""
