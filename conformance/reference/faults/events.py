"""Faults of event.from and the older ways to watch: what is told twice, late, or not at all."""
