"""Which tests are long: others that always run show the same on other cases. `tox -e long` runs the long ones."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from _pytest.mark import ParameterSet

LONG = pytest.mark.long


def sampled(names: Sequence[str], every: int = 3) -> list[ParameterSet]:
    """Parameters of a test, a name each: the first of each few of them runs every time, the others are long."""
    return [pytest.param(name, marks=[LONG] if at % every else []) for at, name in enumerate(names)]
