"""Faults of constructors: fields, defaults, identity, and records that are wrong."""
