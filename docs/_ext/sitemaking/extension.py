"""An extension of Sphinx that makes the reference of the site out of the product, and looks the finished site over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from sitemaking.commands import as_it_reads
from sitemaking.drawing import svg
from sitemaking.wholeness import problems
from sitemaking.writing import write

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

_LOG = logging.getLogger(__name__)


class Flowchart(SphinxDirective):
    """A flowchart in Mermaid's text, drawn when the site is built."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the picture."""
        try:
            picture = svg("\n".join(self.content), "Arrows point from what uses to what is used")
        except ValueError as why:
            raise self.error(str(why)) from why
        return [nodes.raw("", f'<div class="flowchart">{picture}</div>', format="html")]


def make_pages(app: Sphinx) -> None:
    """Write the generated pages before the sources are read."""
    _LOG.info("%s generated pages", write(Path(app.srcdir) / "reference"))


def look_over(app: Sphinx, broken: Exception | None) -> None:
    """Fail the build where the site has a link that leads nowhere, or needs a network."""
    if broken is None and app.builder.name in {"html", "dirhtml"}:
        found = problems(Path(app.outdir))
        if found:
            raise ExtensionError("\n".join(found))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Put all this into a build."""
    app.setup_extension("sphinx_click")
    app.add_directive("mermaid", Flowchart)
    app.connect("builder-inited", make_pages)
    app.connect("build-finished", look_over)
    for part in ("description", "options", "arguments"):
        app.connect(f"sphinx-click-process-{part}", as_it_reads)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
