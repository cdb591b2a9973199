"""Faults of asynchronous calls: tasks, their results, errors and ends."""
