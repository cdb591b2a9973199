"""Seconds in the unit that people would take."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return a time with two or three digits: `320 µs`, `4.1 ms`, `2.3 s`, `3 min 7 s`."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.{1 if seconds < 0.1 else 0}f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
