"""Faults that only a restart brings out."""
