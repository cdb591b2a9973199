"""What the tests of pages share: the script that looks at them."""

from __future__ import annotations

from pathlib import Path

import pytest
from from_npm import install


@pytest.fixture(scope="session")
def looker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script that looks, in a folder of its own with what it needs installed beside it."""
    return install(Path(__file__).parent, "look.mjs", tmp_path_factory.mktemp("browser"))
