"""The switchable faults of the reference server: small realistic defects, each with the clause that must catch it."""

from __future__ import annotations

from importlib import import_module

from xenconform.conformance.reference.faults.base import TABLE, Difficulty, Fault, Server

__all__ = ["AREAS", "Difficulty", "Fault", "Server", "find", "load"]

AREAS: tuple[str, ...] = (
    "envelopes",
    "documents",
    "dispatch",
    "parameters",
    "numbers",
    "dates",
    "texts",
    "containers",
    "getters",
    "strays",
    "setters",
    "sets",
    "maps",
    "qualifiers",
    "constructors",
    "lookups",
    "queries",
    "destructors",
    "bonds",
    "lags",
    "sessions",
    "logouts",
    "roles",
    "tasks",
    "events",
    "histories",
    "journeys",
    "power",
    "reads",
    "disk",
    "races",
    "hostile",
    "published",
)
"""The modules of this package that hold faults, from the wire inwards."""


def load() -> dict[str, Fault]:
    """Return every fault by its name, area by area; the modules are imported the first time."""
    for area in AREAS:
        import_module(f"{__name__}.{area}")
    return dict(sorted(TABLE.items(), key=lambda item: AREAS.index(item[1].area)))


def find(name: str) -> Fault:
    """Return the fault of a name.

    Raises:
        ValueError: there is none; the message names those that are nearly called so.
    """
    faults = load()
    if name not in faults:
        from difflib import get_close_matches  # noqa: PLC0415 - for the one who mistyped

        near = get_close_matches(name, faults, 3)
        fix = f"do you mean {' or '.join(near)}? See" if near else "see"
        raise ValueError(f"no fault {name!r}; {fix} `xenconform faults list`")
    return faults[name]
