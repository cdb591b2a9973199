"""Hypothesis at the service of a check: values are drawn, and a failing one is made as plain as it can be."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from xenconform.models.values import Value
from xenconform.strategies.seeded import by_seed_alone

MOST_AFTER_FAILURE = 150
"""How many calls of the test the search for a plainer failing value may take."""


class _Fails(Exception):  # noqa: N818 - it tells Hypothesis that a value fails
    """The drawn value fails the test."""


class _Search:
    """Runs a test on drawn values; never raises out of Hypothesis what the test raised, but keeps it."""

    def __init__(self, test: Callable[[Value], bool]) -> None:
        self._test = test
        self.failing: list[Value] = []
        self.raised: Exception | None = None
        self._after = 0

    def run(self, value: Value) -> None:
        """Test one value; once the search has taken long enough, or the test raised, every value passes."""
        if self.failing:
            self._after += 1
        if self.raised is not None or self._after > MOST_AFTER_FAILURE:
            return
        try:
            passed = self._test(value)
        except Exception as why:  # noqa: BLE001 - kept, and raised again outside of Hypothesis
            self.raised = why
            return
        if not passed:
            self.failing.append(value)
            raise _Fails


def failing_value(
    strategy: SearchStrategy[Value], test: Callable[[Value], bool], *, examples: int, number: int
) -> tuple[Value] | None:
    """Return the plainest value found for which `test` is false, in a tuple, or None where every drawn one passes.

    Args:
        strategy: what to draw from.
        test: whether a value passes; what it raises is raised here.
        examples: how many values to draw.
        number: the seed; the same seed draws the same values.
    """
    if examples < 1:
        return None
    search = _Search(test)

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def drawn(value: Value) -> None:
        search.run(value)

    with suppress(_Fails, Flaky), by_seed_alone():
        drawn()
    if search.raised is not None:
        raise search.raised
    if not search.failing:
        return None
    return (min(search.failing, key=lambda value: len(repr(value))),)
