"""Faults that only calls at the same time bring out."""
