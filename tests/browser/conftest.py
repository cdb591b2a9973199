"""What the tests in a browser share: the scripts that look, with what they need from npm, and the browser."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from from_npm import install

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> str:
    """The path of a Chromium; the test is skipped where there is none, or nobody asked for it."""
    if not os.environ.get("XENCONFORM_BROWSER"):
        pytest.skip("installs packages from npm: run it with `tox -e browser`")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium is installed: no report was seen in a browser")
    return found


@pytest.fixture(scope="session")
def installed(browser: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the scripts that look, with what they need installed beside them."""
    assert browser
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node or npm is not installed: no report was seen in a browser")
    return install(HERE, "look.mjs", tmp_path_factory.mktemp("browser")).parent
