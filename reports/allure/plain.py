"""Allure's own objects as plain values, made so by Allure's own writer."""

from __future__ import annotations

from typing import Any

from allure_commons.logger import AllureMemoryLogger
from allure_commons.model2 import Globals, TestResult


def plain_test(test: TestResult, details: dict[str, Any] | None) -> dict[str, Any]:
    """Return a test as its file has it, with its status details, of which the writer does not know all members."""
    writer = AllureMemoryLogger()
    writer.report_result(test)
    plain: dict[str, Any] = writer.test_cases[0]
    return plain | {"statusDetails": details} if details else plain


def plain_globals(told: Globals) -> dict[str, Any]:
    """Return what is said of the run as a whole as its file has it."""
    writer = AllureMemoryLogger()
    writer.report_globals(told)
    plain: dict[str, Any] = writer.globals[0]
    return plain
