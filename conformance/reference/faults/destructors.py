"""Faults of destroying: what stays, what goes with it, what is refused."""
