"""The folder for Allure, made of a log alone: from the same log and address of clauses come the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from allure_commons.model2 import TEST_CASE_PATTERN

from xenconform.models.results import Results
from xenconform.reports.allure.about import categories, configuration, environment, executor, problem
from xenconform.reports.allure.ids import id_of
from xenconform.reports.allure.plain import plain_globals
from xenconform.reports.allure.results import Tests

CONFIGURATION = "allurerc.json"
"""The configuration that Allure 3 is to be given: `allure generate FOLDER --config FOLDER/allurerc.json`."""
_WHOLE = ("environment.properties", "categories.json", "executor.json", CONFIGURATION)
_PARTS = ("*-result.json", "*-container.json", "*-globals.json", "*-attachment", "*-attachment.*")


def write_allure(results: Results, folder: Path, clause_url: str = "") -> None:
    """Write the results of a run into a folder, made if need be, for Allure to make a report of.

    Args:
        results: of the run.
        folder: should hold no results of another run; see `clear_allure`.
        clause_url: the address of a clause's page, with `{clause}` for its id; "" where there are no such pages.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _files(results, clause_url):
        (folder / name).write_bytes(content)


def clear_allure(folder: Path) -> None:
    """Remove what Allure reads as results from a folder, if it is there; all else in it, such as `history`, stays.

    Raises:
        OSError: a file cannot be removed.
    """
    old = [folder / name for name in _WHOLE] + [path for pattern in _PARTS for path in folder.glob(pattern)]
    for path in old:
        path.unlink(missing_ok=True)


def _files(results: Results, clause_url: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a folder, by name."""
    tests = Tests.of(results, clause_url)
    for test in tests:
        yield TEST_CASE_PATTERN.format(prefix=test["uuid"]), _json(test)
        # A file is written as soon as its test is: the attachments of a whole run are not held.
        yield from tests.evidence.files.items()
        tests.evidence.files.clear()
    yield "environment.properties", environment(results).encode("ascii")
    yield "categories.json", _json(categories(), indent=1)
    yield CONFIGURATION, _json(configuration(results), indent=1)
    if (who := executor(results)) is not None:
        yield "executor.json", _json(who, indent=1)
    at = None if tests.begun is None else round(1000 * (tests.begun + results.seconds))
    if (wrong := problem(results, at)) is not None:
        yield wrong.file_pattern.format(prefix=id_of(tests.run, "globals")), _json(plain_globals(wrong))


def _json(value: Any, indent: int | None = None) -> bytes:
    return (json.dumps(value, indent=indent) + "\n").encode("ascii")
