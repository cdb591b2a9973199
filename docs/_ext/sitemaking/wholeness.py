"""The finished site as a browser sees it: every link inside leads somewhere, and nothing is fetched from outside.

Sphinx checks the links of the sources; this checks what came out, with what the theme and the extensions put in.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""By element: the attribute by which a browser fetches by itself."""
_NOT_FETCHED = {"canonical", "author", "license", "next", "prev", "search", "index", "genindex"}
"""Relations of `link` that fetch nothing."""


class _Page(HTMLParser):
    """The anchors of a page, its links, and what it fetches."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what an element says."""
        given = {key: value for key, value in attrs if value is not None}
        self.anchors |= {given[key] for key in ("id", "name") if key in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in _FETCHED and _FETCHED[tag] in given and not _NOT_FETCHED & set(given.get("rel", "").split()):
            self.fetched.append(given[_FETCHED[tag]])


def problems(site: Path) -> list[str]:
    """Return a line for each link that leads nowhere and for each thing that is fetched from outside; none is good."""
    return sorted({f"{page.relative_to(site)}: {wrong}" for page, wrong in _wrong(site)})


def _wrong(site: Path) -> Iterator[tuple[Path, str]]:
    pages = {path: _read(path) for path in site.rglob("*.html")}
    for path, page in pages.items():
        for link in (*page.links, *page.fetched):
            there = urlsplit(link)
            if there.scheme or there.netloc:
                if link in page.fetched and there.scheme != "data":
                    yield path, f"{link} is fetched from outside; the site must work without a network"
                continue
            to = Path(os.path.normpath(path.parent / unquote(there.path))) if there.path else path
            if to not in pages and not to.exists():
                yield path, f"{link} leads to no file"
            elif there.fragment and to in pages and unquote(there.fragment) not in {*pages[to].anchors, "top"}:
                yield path, f"{link} leads to no place of that page"


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text("utf-8"))
    return page
