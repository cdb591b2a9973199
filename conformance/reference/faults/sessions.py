"""Faults of sessions: logging in, logging out, and what may be done without one."""
