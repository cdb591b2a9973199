"""How a page of ours is seen in a headless browser, and what must hold in each form in which it is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from from_npm import told_by

LOOK_SECONDS = 240


def seen_by(installed: Path, browser: str, page: Path, ways: str = "") -> Any:
    """Return what the script saw of a page from disk, with pictures of it beside the page; `ways` is "use" or ""."""
    return told_by(installed / "look.mjs", browser, str(page), str(page.parent), ways, seconds=LOOK_SECONDS)


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
