"""The times of a run as SVG: how long calls took over each format, and how that went on through the run."""

from __future__ import annotations

from collections.abc import Iterable
from math import log10

from markupsafe import Markup

from xenconform.models.traffic import BUCKETS, Stretch, begin_of, bucket_of, end_of
from xenconform.reports.page.units import duration

WIDTH, HEIGHT = 360, 150
LEFT, BOTTOM, TOP = 8, 24, 10
WIDE, LOW, SIDE = 760, 220, 56
FASTEST = bucket_of(2e-5)
"""The bucket before which no axis begins."""
_BAR = Markup('<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
_UPRIGHT = Markup('<line class="tick" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>')
_LEVEL = Markup('<line class="tick" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>')
_TEXT = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
TICKS = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)


def span_of(histograms: Iterable[list[int]]) -> tuple[int, int]:
    """Return the first and the last bucket that plots of some histograms show, so that they can be compared."""
    used = [bucket for counts in histograms for bucket, number in enumerate(counts) if number]
    return max(FASTEST, min(used) - 1), min(BUCKETS - 1, max(*used, FASTEST + 8) + 1)


def histogram(name: str, counts: list[int], span: tuple[int, int], told: str) -> Markup:
    """Return the bars of a format's times, on a logarithmic axis; what is faster than it begins is in its first bar.

    Args:
        name: the format's.
        counts: calls by bucket.
        span: the buckets of the axis, as `span_of` gives them.
        told: what the plot shows, in words.
    """
    first, last = span
    shown = [sum(counts[: first + 1]), *counts[first + 1 : last + 1]]
    wide = (WIDTH - 2 * LEFT) / len(shown)
    floor = HEIGHT - BOTTOM
    parts = [Markup('<line class="axis" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>').format(LEFT, WIDTH - LEFT, floor)]
    for at, number in enumerate(shown):
        if number:
            tall = max(1.0, (floor - TOP) * number / max(shown))
            places = (LEFT + at * wide, floor - tall, max(1.0, wide - 1), tall)
            parts.append(_BAR.format(*places))
    low, high = begin_of(first), end_of(last)
    for tick in TICKS:
        if low <= tick <= high:
            x = LEFT + (WIDTH - 2 * LEFT) * log10(tick / low) / log10(high / low)
            parts.append(_UPRIGHT.format(x, TOP, floor))
            parts.append(_TEXT.format(x, HEIGHT - 8, "middle", _tick(tick)))
    return _svg(WIDTH, HEIGHT, f"Times over {name}: {told}", parts)


def course(stretches: list[Stretch]) -> Markup:
    """Return the mean and the longest time of each stretch of the log, from its first exchange to its last."""
    total = sum(each.calls for each in stretches)
    means = [each.seconds / each.calls for each in stretches]
    tops = [each.longest for each in stretches]
    low, high = 10 ** _floor(min(means)), 10 ** (_floor(max(tops)) + 1)
    floor = LOW - BOTTOM

    def at(seconds: float) -> float:
        return floor - (floor - TOP) * log10(max(low, seconds) / low) / log10(high / low)

    places: list[float] = []
    before = 0
    for each in stretches:
        places.append(SIDE + (WIDE - SIDE - LEFT) * (before + each.calls / 2) / total)
        before += each.calls
    parts: list[Markup] = []
    for tick in TICKS:
        if low <= tick <= high:
            parts.append(_LEVEL.format(SIDE, WIDE - LEFT, at(tick)))
            parts.append(_TEXT.format(SIDE - 6, at(tick) + 4, "end", _tick(tick)))
    for kind, values in (("longest", tops), ("mean", means)):
        points = " ".join(f"{x:.1f},{at(value):.1f}" for x, value in zip(places, values, strict=True))
        parts.append(Markup('<polyline class="{}" points="{}"/>').format(kind, points))
    parts.append(_TEXT.format(SIDE, LOW - 6, "start", "first exchange"))
    parts.append(_TEXT.format(WIDE - LEFT, LOW - 6, "end", f"exchange {total:,}"))
    told = f"Mean time from {duration(min(means))} to {duration(max(means))}, longest {duration(max(tops))}"
    return _svg(WIDE, LOW, told, parts)


def _floor(seconds: float) -> int:
    return int(log10(max(seconds, 1e-6)) // 1)


def _tick(seconds: float) -> str:
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.0f} s"


def _svg(width: int, height: int, told: str, parts: list[Markup]) -> Markup:
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(width, height, told)
    return head + Markup("").join(parts) + Markup("</svg>")
