"""The clause catalogue: each rule that a server is held to, by its id.

The rules are data, `data/clauses.toml`, one entry a clause. Checks, faults, verdicts, reports and pages of the
documentation refer to a clause by its id.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType

LEVELS: Mapping[int, str] = MappingProxyType(
    {1: "wire", 2: "fields", 3: "objects", 4: "state over time", 5: "robustness"}
)
"""The name of each level."""


class Severity(StrEnum):
    """What a breach of a clause means for the certificate."""

    MUST = "MUST"
    """The API document states the rule: a breach fails the certificate."""
    SHOULD = "SHOULD"
    """The document leaves it open and clients rely on it: a breach is listed and fails nothing."""
    ROBUST = "ROBUST"
    """Any network server owes it: a breach fails the certificate."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule: its id, level (a key of `LEVELS`), severity, the rule in words, and where it comes from."""

    id: str
    level: int
    severity: Severity
    rule: str
    source: str

    @property
    def required(self) -> bool:
        """Whether a server that breaks the rule, or was not tested on it, gets no certificate."""
        return self.severity is not Severity.SHOULD


@cache
def catalogue() -> Mapping[str, Clause]:
    """Return every clause by its id, in the catalogue's order, which is by level.

    Raises:
        ValueError: an id occurs twice, or a level or severity does not exist.
    """
    text = files("xenconform.models").joinpath("data", "clauses.toml").read_text(encoding="utf-8")
    found: dict[str, Clause] = {}
    for entry in tomllib.loads(text)["clause"]:
        clause = Clause(**{**entry, "severity": Severity(entry["severity"])})
        if clause.id in found or clause.level not in LEVELS:
            raise ValueError(f"clause {clause.id}: the id occurs twice, or level {clause.level} does not exist")
        found[clause.id] = clause
    return MappingProxyType(found)


def mark(clause: Clause) -> str:
    """Return by what a log knows a clause again: its severity, and eight hexadecimal digits of its rule's SHA-256."""
    return f"{clause.severity} {sha256(clause.rule.encode()).hexdigest()[:8]}"


def select(patterns: Iterable[str]) -> tuple[Clause, ...]:
    """Return the clauses that match any of the patterns, in the catalogue's order; all of them for no pattern.

    Args:
        patterns: ids or globs such as `SET-*`, in any case.

    Raises:
        ValueError: a pattern matches no clause; the message names near ids.
    """
    wanted = tuple(patterns) or ("*",)
    ids = tuple(catalogue())
    for pattern in wanted:
        if not any(fnmatchcase(each, pattern.upper()) for each in ids):
            near = get_close_matches(pattern.upper(), ids, n=3, cutoff=0.5)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise ValueError(f"no clause matches {pattern!r}{hint}")
    return tuple(
        clause for clause in catalogue().values() if any(fnmatchcase(clause.id, each.upper()) for each in wanted)
    )
