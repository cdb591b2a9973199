"""Faults of reads that change something."""
