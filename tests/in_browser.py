"""How a page is seen in a headless browser: where there is one, in which forms, and what must hold in each of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from from_npm import told_by

LOOK_SECONDS = 240
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ASKED = bool(os.environ.get("XENCONFORM_BROWSER"))

NEEDS = (
    pytest.mark.skipif(not ASKED, reason="installs packages from npm: run it with `tox -e browser`"),
    pytest.mark.skipif(
        not any(map(shutil.which, BROWSERS)), reason="no Chromium is installed: the pages were seen in no browser"
    ),
    pytest.mark.skipif(
        shutil.which("node") is None or shutil.which("npm") is None,
        reason="node or npm is not installed: the pages were seen in no browser",
    ),
)


def marked(test: Any) -> Any:
    """Skip a test, and say why, where there is no browser to look in."""
    for mark in NEEDS:
        test = mark(test)
    return test


def seen_by(looker: Path, page: Path, ways: str = "") -> Any:
    """Return what a script saw of a page from disk, with pictures of it beside the page; `ways` is "use" or ""."""
    browser = next(filter(None, map(shutil.which, BROWSERS)))
    return told_by(looker, browser, str(page), str(page.parent), ways, seconds=LOOK_SECONDS)


def nothing_is_wrong(forms: list[Any]) -> None:
    """At 1400 and 400 pixels, light and dark: no violation, nothing wider than the screen, no request, no complaint."""
    assert [(form["width"], form["colorScheme"]) for form in forms] == [
        (1400, "light"), (1400, "dark"), (400, "light"), (400, "dark"),
    ]  # fmt: skip
    for form in forms:
        assert form["rules"] > 50
        wrong = [*form["violations"], *form["problems"]]
        wrong += [f"{form['wide']} pixels wide"] if form["wide"] > form["width"] else []
        assert not wrong, f"{form['width']} pixels, {form['colorScheme']}: {'; '.join(wrong)}"
