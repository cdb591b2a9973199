"""What Allure tells of a run as a whole: its environment, its categories, who ran it, and why it is no whole run."""

from __future__ import annotations

from typing import Any

from allure_commons.model2 import GlobalError, Globals, Status

from xenconform.models.clauses import LEVELS, Severity
from xenconform.models.results import Results
from xenconform.models.verdicts import Verdict
from xenconform.reports.words import headline, level, printable, settings, totals

REQUIRED = "|".join(each.value for each in Severity if each is not Severity.SHOULD)
CATEGORIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Required clauses not met", rf"^\S+ \(({REQUIRED})\) not met: ", (Status.FAILED,)),
    ("Recommendations not met (SHOULD)", rf"^\S+ \({Severity.SHOULD}\) not met: ", (Status.FAILED,)),
    ("Errors of the suite itself", rf"^\S+ {Verdict.ERROR}: ", (Status.BROKEN,)),
    ("Untested, with the reason", rf"^\S+ {Verdict.UNTESTED}: ", (Status.SKIPPED,)),
    ("Waived by the profile", rf"^\S+ {Verdict.WAIVED}: ", (Status.SKIPPED,)),
    ("Not offered, and no duty", rf"^\S+ {Verdict.UNSUPPORTED}: ", (Status.SKIPPED,)),
)
"""Each category: its name, how the messages of its tests begin, and their status."""


def categories() -> list[dict[str, Any]]:
    """Return the categories, as Allure 2 reads them of its folder of results and Allure 3 of its configuration."""
    # Allure 2 wants the whole message to match, Allure 3 any part of it.
    return [
        {"name": name, "messageRegex": f"{begins}[\\s\\S]*", "matchedStatuses": list(statuses)}
        for name, begins, statuses in CATEGORIES
    ]


def configuration(results: Results) -> dict[str, Any]:
    """Return a configuration for Allure 3, which takes name, tree and categories of a report from nowhere else."""
    suites = ["parentSuite", "suite", "subSuite"]
    return {
        "name": printable(f"{results.verdict}: {results.start.target}").replace("\n", " "),
        "plugins": {"awesome": {"options": {"groupBy": suites}}},
        "hideLabels": ["framework", "package", "testClass", "testMethod"],
        "categories": categories(),
    }


def environment(results: Results) -> str:
    """Return the environment, as properties of Java."""
    start = results.start
    named = [
        ("verdict", results.verdict.value),
        ("because", headline(results)),
        ("exit code", str(results.verdict.exit_code)),
        ("level", level(results) or f"none of {len(LEVELS)}"),
        *((name, text) for name, text in settings(results) if name != "level"),
        *((f"parts {verdict}", f"{number:,}") for verdict, number in totals(results).items() if number),
        ("started", start.started),
        ("classes", ", ".join(start.classes)),
        ("fault", start.fault),
        ("left on the server", _left(results)),
    ]
    return "".join(f"{_property(name, key=True)} = {_property(text)}\n" for name, text in named if text)


def _left(results: Results) -> str:
    if results.left is None:
        return "not known, for the log does not say"
    return f"{len(results.left)} objects or values" if results.left else "nothing"


def _property(text: str, *, key: bool = False) -> str:
    """Return a text as a key or a value of a file of properties, which is of ASCII alone."""
    text = printable(text).replace("\\", "\\\\").replace("\n", "\\n")
    if key:
        text = text.replace(" ", "\\ ").replace(":", "\\:").replace("=", "\\=")
    units = text.encode("utf-16-be", "surrogatepass")
    codes = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)


def executor(results: Results) -> dict[str, Any] | None:
    """Return the job that ran it, None where the log names none."""
    told: dict[str, Any] = {name: printable(text) for name, text in results.start.build.items()}
    order = told.get("buildOrder", "")
    if order.isascii() and order.isdigit():
        told["buildOrder"] = int(order)
    return told or None


def problem(results: Results, at: int | None) -> Globals | None:
    """Return the error of a run that is incomplete, so that its tests that passed are not taken for a verdict."""
    if not results.problem:
        return None
    told = f"{results.verdict}: {headline(results)}"
    return Globals(errors=[GlobalError(message=printable(told), timestamp=at)])
