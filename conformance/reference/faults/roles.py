"""Faults of roles: messages that a role may run and should not, or the other way round."""
