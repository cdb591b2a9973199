"""Faults of ints, floats, bools and datetimes on their way in and out."""
