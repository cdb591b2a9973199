"""What makes the comparison of two runs weak, and whether one was slower.

A setting that differs is no regression by itself: what it takes away shows as coverage lost. It is told, so that
nobody takes another profile's or another version's difference for the server's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xenconform.models.events import RunStart
from xenconform.models.results import Results

MEANING: Mapping[str, str] = MappingProxyType(
    {
        "version": "another version of the suite: parts may have other names, and checks may be stricter",
        "target": "another target: this compares two servers, not one server with itself",
        "release": "another release: other messages and fields are due",
        "profile": "another profile: other claims, values and waivers",
        "profile_digest": "the profile is another file or has changed: other claims, values and waivers",
        "fault": "another fault of the embedded server was switched on",
        "scope": "another scope: other objects may be written",
        "budget": "another budget: more or fewer values are tried",
        "formats": "other wire formats were selected",
        "clauses": "other clauses were selected",
        "classes": "other classes were selected; where none is named, all were",
        "seed": "another seed: other values, messages and formats were drawn",
    }
)
"""Each setting that two runs should share, by its name in the log's start, and what it means where they do not."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """One setting that differs, or a run that is not whole (`old run`, `new run`): both values, and what it means."""

    name: str
    old: str
    new: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Slower:
    """One measure by which the new run is slower: `calls a second` or `seconds`; the factor is above 1."""

    measure: str
    old: float
    new: float
    factor: float


def weaknesses_of(old: Results, new: Results) -> tuple[Weakness, ...]:
    """Return what makes the comparison weak: runs that are not whole first, then settings in the table's order."""
    found = [
        Weakness(f"{name} run", old.problem if name == "old" else "", new.problem if name == "new" else "", _CUT)
        for name, each in (("old", old), ("new", new))
        if each.problem
    ]
    for name, meaning in MEANING.items():
        was, now = getattr(old.start, name), getattr(new.start, name)
        if isinstance(was, tuple):
            was, now = _unlike(was, now)
        if was != now:
            found.append(Weakness(name, str(was), str(now), meaning))
    return tuple(found)


_CUT = "not whole: it shows what failed until then, and cannot show that anything is fixed or lost"


def _unlike(old: Iterable[str], new: Iterable[str]) -> tuple[str, str]:
    """Return the names that only one of two selections has."""
    old, new = tuple(old), tuple(new)
    return (
        ", ".join(each for each in old if each not in new),
        ", ".join(each for each in new if each not in old),
    )


def slower_of(old: Results, new: Results, factor: float) -> tuple[Slower, ...]:
    """Return the measures by which the new run is slower by more than a factor; none where a run took no time.

    Raises:
        ValueError: the factor is not above 1.
    """
    if not factor > 1:
        raise ValueError(f"slower by a factor of {factor:g}: it must be above 1")
    if not (old.seconds > 0 and new.seconds > 0 and old.calls and new.calls):
        return ()
    rates = (old.calls / old.seconds, new.calls / new.seconds)
    found = (
        Slower("calls a second", *rates, rates[0] / rates[1]),
        Slower("seconds", old.seconds, new.seconds, new.seconds / old.seconds),
    )
    return tuple(each for each in found if each.factor > factor)


def settings_of(start: RunStart) -> Mapping[str, str]:
    """Return the settings of a run by their names in the table, lists with commas."""
    return {
        name: ", ".join(value) if isinstance(value := getattr(start, name), tuple) else str(value) for name in MEANING
    }
