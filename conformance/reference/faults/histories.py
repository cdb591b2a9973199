"""Faults that only a history of calls brings out."""
