"""Faults of set fields: adding, removing, and what occurs twice."""
