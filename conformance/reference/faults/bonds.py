"""Faults of bound fields: ends that do not follow each other."""
