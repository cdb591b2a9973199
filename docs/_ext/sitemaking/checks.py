"""What the suite's table of checks says of each clause: which function judges it, and of which classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import FunctionType
from typing import Any

from xenconform.conformance.suite.table import CHECKS
from xenconform.models.api import Api


@dataclass(frozen=True, slots=True)
class Use:
    """A check as a clause has it.

    Attributes:
        clause: the clause that it judges.
        where: the module below the package, as a file.
        function: the name of the function that does the work.
        first: the first line of the function's docstring.
        classes: the classes that it is for, in the model's order; None where it is for the server as a whole.
    """

    clause: str
    where: str
    function: str
    first: str
    classes: tuple[str, ...] | None


def uses(api: Api) -> tuple[Use, ...]:
    """Return every check with each clause that it judges, in the suite's order."""
    found = []
    for check in CHECKS:
        function = _within(check.per_class or check.per_server)
        classes = None
        if check.per_class is not None:
            classes = tuple(of.name for of in api.classes.values() if check.applies(api, of))
        where = function.__module__.removeprefix("xenconform.").replace(".", "/") + ".py"
        first = (function.__doc__ or "").strip().splitlines()[0]
        found += [Use(clause, where, function.__name__, first, classes) for clause in check.clauses]
    return tuple(found)


def _within(check: Any) -> FunctionType:
    """Return the function of a check: where it goes over all fields with another one, that one."""
    while isinstance(check, partial):
        check = check.keywords.get("act", check.func)
    assert isinstance(check, FunctionType), f"a check is a function, and not {check!r}"
    return check
