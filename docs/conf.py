"""How the site is built: `tox -e docs`, or `sphinx-build -W -n docs docs/_build/html`."""

from __future__ import annotations

import sys
from pathlib import Path

from xenconform import __version__

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "xenconform"
version = release = __version__
copyright = "the xenconform authors; Apache-2.0"  # noqa: A001 - Sphinx's name for it
extensions = ["myst_parser", "sphinx_click", "sphinx_copybutton", "sitemaking.extension"]
exclude_patterns = ["_build", "_ext", "_data"]
nitpicky = True

myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]
# No domain of a programming language is asked for each link, which takes most of the time.
myst_ref_domains = ["std"]

html_theme = "furo"
html_title = f"xenconform {__version__}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp, .go"
# Some hosts limit how often they answer a checker, and some addresses are of nobody.
linkcheck_ignore = [r"https?://my-server\.example.*", r"https?://127\.0\.0\.1.*"]
linkcheck_timeout = 20
