"""report.html as text: the page's values laid out, its style and its script inside, and a policy that allows no other.

Whatever a server sent reaches the page through the template alone, which escapes it; what cannot be printed stands as
its escape. The policy names the style and the script by their hashes and forbids every address.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from xenconform.models.results import Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.page.heat import GLYPHS, SHADES
from xenconform.reports.page.view import page_of
from xenconform.reports.words import plural, printable

ONLY = (
    "default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
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
    pages = Environment(
        loader=PackageLoader("xenconform.reports", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _own("page.css"), _own("page.js")
    return pages.get_template("page.html").render(
        page=page_of(results),
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - a file of this package
        policy=ONLY.format(style=_hash(style), script=_hash(script)),
        tones=TONES,
        glyphs=GLYPHS,
        shades=SHADES,
        plural=plural,
        kept=_kept,
    )


def _own(name: str) -> str:
    return files("xenconform.reports").joinpath("page", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _shown(value: object) -> object:
    """Return what a template puts out: texts with every character that cannot be printed as its escape."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _kept(text: str) -> Markup:
    """Return a text that is copied from the page, escaped and with its tabs; `copyable` has seen to the rest."""
    return Markup.escape(text)
