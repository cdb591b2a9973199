"""How every page is made: a template with its style and script inside, and a policy that allows no other.

A page's folder has page.html, page.css and, if it needs one, page.js; colours.css beside this file is of all of them.
Whatever a server sent reaches a page through its template alone, which escapes it; what cannot be printed stands as
its escape. The policy names the style and the script by their hashes and forbids every address.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from xenconform.reports.words import plural, printable

ROOM = "xenconform.reports"


def render_page(folder: str, styles: tuple[str, ...] = (), **values: object) -> str:
    """Return a page as text: the same for the same values.

    Args:
        folder: the page's folder in this room.
        styles: style of what is put into the page as it is, such as a drawing with an element of its own for it.
        values: what the template names, besides `plural`.
    """
    pages = Environment(
        loader=PackageLoader(ROOM, folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _own("colours.css") + _own(folder, "page.css"), _own(folder, "page.js")
    return pages.get_template("page.html").render(
        **values,
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - a file of this package
        policy=_policy([script] if script else [], [style, *styles]),
        plural=plural,
    )


def _own(*path: str) -> str:
    """Return a file of this room; a page without a script has none."""
    file = files(ROOM).joinpath(*path)
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _policy(scripts: list[str], styles: list[str]) -> str:
    allowed = (
        f"{name}-src {' '.join(map(_hash, of))}; " for name, of in (("style", styles), ("script", scripts)) if of
    )
    return (
        f"default-src 'none'; {''.join(allowed)}base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _shown(value: object) -> object:
    """Return what a template puts out: texts with every character that cannot be printed as its escape."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
