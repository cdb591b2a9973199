"""What a switchable defect is: a few lines that wrap methods of a stranger, and the clauses that must catch it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from strangers.plain_server import Plain

Install = Callable[[Plain], None]


@dataclass(frozen=True, slots=True)
class Defect:
    """A defect: any of `clauses` must catch it when the suite runs on the class `cls`; `also` may fail as well."""

    name: str
    what: str
    clauses: tuple[str, ...]
    also: tuple[str, ...]
    cls: str
    install: Install


TABLE: dict[str, Defect] = {}


def defect(clauses: str, *, also: str = "", cls: str = "network") -> Callable[[Install], Install]:
    """Enter a defect into the table under its function's name."""

    def enter(install: Install) -> Install:
        name = install.__name__
        assert name not in TABLE, f"two defects are named {name}"
        TABLE[name] = Defect(
            name, (install.__doc__ or "").strip(), tuple(clauses.split()), tuple(also.split()), cls, install
        )
        return install

    return enter


def after(server: Plain, name: str, effect: Callable[..., Any]) -> None:
    """Do something more with a method's arguments once the method is through."""

    def both(old: Callable[..., Any], *args: Any) -> Any:
        result = old(*args)
        effect(*args)
        return result

    around(server, name, both)


def around(server: Plain, name: str, new: Callable[..., Any]) -> None:
    """Put `new(old, *args)` in place of a method."""
    old = getattr(server, name)
    setattr(server, name, lambda *args: new(old, *args))
