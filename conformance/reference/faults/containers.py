"""Faults of how sets, maps and records travel, and of formats that disagree."""
