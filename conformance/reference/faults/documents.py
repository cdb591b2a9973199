"""Faults of reading documents: what is malformed and yet taken, what is well formed and yet refused."""
