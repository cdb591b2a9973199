"""Faults of finding a message: method names, parameter counts, parameter types, and the codes that tell of them."""
