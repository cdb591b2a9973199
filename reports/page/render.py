"""report.html as text: the values of a run laid out."""

from __future__ import annotations

from markupsafe import Markup

from xenconform.models.results import Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.page.heat import GLYPHS, SHADES
from xenconform.reports.page.view import page_of
from xenconform.reports.pages import render_page

TONES = {
    Verdict.PASS: "good",
    Verdict.FAIL: "bad",
    Verdict.UNTESTED: "warn",
    Verdict.WAIVED: "odd",
    Verdict.UNSUPPORTED: "dim",
    Verdict.ERROR: "bad",
}


def render_html(results: Results) -> str:
    """Return report.html as text: the same for the same run."""
    return render_page("page", page=page_of(results), tones=TONES, glyphs=GLYPHS, shades=SHADES, kept=_kept)


def _kept(text: str) -> Markup:
    """Return a text that is copied from the page, escaped and with its tabs; `copyable` has seen to the rest."""
    return Markup.escape(text)
