"""report.html in a real browser: it works from disk and by keyboard, fits, and an accessibility checker finds nothing.

Runs in a tox environment of its own, `tox -e browser`, because it installs packages from npm. What is seen in each form
is kept as pictures in the test's folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import page_runs
import pytest
from from_npm import packages_of
from in_browser import nothing_is_wrong, seen_by

from xenconform.models.results import summarise
from xenconform.models.run import Run
from xenconform.reports.page import render_html

HERE = Path(__file__).parent
RUNS: dict[str, Any] = {"none": page_runs.sound, "sixty": page_runs.sixty, "hostile": page_runs.hostile, "empty": Run}


@pytest.fixture(scope="module", params=RUNS)
def seen(
    request: pytest.FixtureRequest, installed: Path, browser: str, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """What was seen of the page of a run, with the run's name."""
    folder = tmp_path_factory.mktemp(f"page-{request.param}")
    page = folder / "report.html"
    page.write_text(render_html(summarise(RUNS[request.param]())), "utf-8")
    return {**seen_by(installed, browser, page, "use"), "name": request.param}


def test_it_fits_and_nothing_is_wrong_with_it(seen: Any) -> None:
    """At 1400 and 400 pixels, light and dark: no violation, nothing wider than the screen, no request, no complaint."""
    nothing_is_wrong(seen["forms"])
    assert seen["used"]["problems"] == []
    assert seen["used"]["pwned"] == "undefined"


def test_it_is_searched_and_filtered_by_keyboard(seen: Any) -> None:
    """What does not have the words, the verdict or the level is hidden, and how much is shown is said."""
    used, name = seen["used"], seen["name"]
    if name == "sixty":
        assert used["before"] == {"cards": 60, "clauses": 89, "messages": 0, "said": ""}
        assert 0 < used["typed"]["cards"] < 60
        assert 0 < used["failed"]["clauses"] == 40
        assert 0 < used["level"]["clauses"] < 40
        assert used["keys"] == ["finding-1", "finding-2", "finding-1"]
        assert used["linked"] is True
    if name in {"none", "sixty"}:
        assert used["nothing"]["cards"] == used["nothing"]["clauses"] == used["nothing"]["messages"] == 0
        assert used["message"]["messages"] == 1
        assert "1 of 1,8" in used["message"]["said"].replace("of 18", "of 1,8")
    assert used["after"] == used["before"] == used["cleared"]


def test_what_is_offered_is_copied(seen: Any) -> None:
    """Each button that can be seen copies; without scripts there is no button and no search, and all can be read."""
    used = seen["used"]
    assert used["copied"]
    assert set(used["copied"]) == {"copied"}
    assert used["plain"]["buttons"] == 0
    assert not used["plain"]["tools"]
    assert used["plain"]["verdict"]


def test_it_is_printed_with_its_findings_open(seen: Any) -> None:
    """On paper every finding is open and the search is gone."""
    assert seen["used"]["printed"]["closed"] == 0
    assert not seen["used"]["printed"]["tools"]
    assert seen["used"]["printed"]["bytes"] > 10_000


def test_lock_file_names_no_host() -> None:
    """The lock file pins every package by its hash and names no registry."""
    packages = packages_of(HERE)
    assert packages
    assert not [path for path, package in packages.items() if "resolved" in package]
    assert not [path for path, package in packages.items() if not package.get("integrity")]
