"""The pages of both matrices in a real browser: of implementations, and of faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matrix_runs
import pytest
from in_browser import nothing_is_wrong, seen_by

from xenconform.reports.kills.heat import heat_map
from xenconform.reports.kills.write import render_html as render_kills
from xenconform.reports.vendors.grid import grid_of
from xenconform.reports.vendors.page import render_html as render_vendors

PAGES: dict[str, Callable[[], str]] = {
    "two implementations": lambda: render_vendors(matrix_runs.grid()),
    "one implementation": lambda: render_vendors(grid_of([matrix_runs.told("A", matrix_runs.run(1))])),
    "hostile names": lambda: render_vendors(matrix_runs.hostile_grid()),
    "faults": lambda: render_kills(matrix_runs.kills(), heat_map(matrix_runs.kills())),
}


@pytest.mark.parametrize("name", PAGES)
def test_it_fits_and_nothing_is_wrong_with_it(name: str, installed: Path, browser: str, tmp_path: Path) -> None:
    """In every form: no violation, nothing wider than the screen, no request and no complaint of the policy."""
    page = tmp_path / "matrix.html"
    page.write_text(PAGES[name](), "utf-8")
    seen: Any = seen_by(installed, browser, page)
    nothing_is_wrong(seen["forms"])
