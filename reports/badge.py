"""badge.svg: the verdict of a run at a glance, to be shown on a page of the server's makers."""

from __future__ import annotations

from xml.sax.saxutils import escape

from xenconform.models.levels import level_reached
from xenconform.models.results import Overall, Results
from xenconform.reports.words import printable

COLOURS = {
    Overall.CONFORMANT: "#14683d",
    Overall.NOTHING_FOUND: "#14683d",
    Overall.NOT_CONFORMANT: "#b3261e",
    Overall.INCOMPLETE: "#5b6472",
    Overall.UNTESTED_PARTS: "#8a4b00",
}
"""The colour of each verdict: white text on it has a contrast of 4.5 to 1 or more."""
_LETTER, _PAD, _HEIGHT = 6.6, 8, 20
_LONGEST = 40


def render_badge(results: Results) -> str:
    """Return the badge as SVG: what was judged on the left, the verdict and the level that was reached on the right."""
    start = results.start
    left = f"XenAPI {printable(start.release)}"[:_LONGEST].strip()
    level = level_reached(results)
    right = results.verdict.lower() + (f", level {level}" if level else "")
    first, second = (round(len(text) * _LETTER + 2 * _PAD) for text in (left, right))
    told = escape(f"{left}: {right}", {'"': "&quot;"})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{first + second}" height="{_HEIGHT}" role="img" '
        f'aria-label="{told}"><title>{told}</title>'
        f'<rect width="{first}" height="{_HEIGHT}" fill="#333b47"/>'
        f'<rect x="{first}" width="{second}" height="{_HEIGHT}" fill="{COLOURS[results.verdict]}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(left, _PAD, first)}{_text(right, first + _PAD, second)}</g></svg>\n"
    )


def _text(text: str, x: int, width: int) -> str:
    return f'<text x="{x}" y="14" textLength="{width - 2 * _PAD}">{escape(text)}</text>'
