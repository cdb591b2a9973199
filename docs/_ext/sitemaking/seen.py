"""What servers of this API have really done: docs/_data/seen.toml, and how it is told."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sitemaking import labels
from sitemaking.markdown import items, link, text, title
from xenconform.models.clauses import LEVELS, catalogue

FILE = Path(__file__).parents[2] / "_data" / "seen.toml"
"""One table a defect; the file says what its keys mean."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A defect that a server really had.

    Attributes:
        what: what a client saw.
        when: what set it off.
        clauses: those that speak of it; none where nothing in the suite can judge it.
        server: which kind of server had it; empty where that is not known.
        sources: where it was told, by name and number; empty where no number is known.
        apart: why no clause judges it; empty where one does.
    """

    what: str
    when: str
    clauses: tuple[str, ...] = ()
    server: str = ""
    sources: tuple[str, ...] = ()
    apart: str = ""


def load(file: Path = FILE) -> tuple[Seen, ...]:
    """Return all defects in the order of the file.

    Raises:
        TypeError: a table lacks a key, or has one that does not exist.
    """
    tables = tomllib.loads(file.read_text("utf-8"))["seen"]
    return tuple(Seen(**{key: _frozen(value) for key, value in each.items()}) for each in tables)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def told(each: Seen) -> str:
    """Return a defect as one item: what, when, on which server, told where."""
    server = each.server or "a server in use"
    source = "; ".join(map(_source, each.sources)) or "no number is known to us"
    return f"{text(each.what)} *Set off by:* {text(each.when)} *Server:* {text(server)} ({source})."


def _source(number: str) -> str:
    """Return a number such as `xapi-project/xen-api #3001 (CA-171948)` with its link; a host of code finds it."""
    found = re.fullmatch(r"([\w.-]+/[\w.-]+) #(\d+)(.*)", number)
    if found is None:
        raise ValueError(f"no number of a source: {number!r}; write OWNER/REPOSITORY #NUMBER")
    return f"[{text(found[1])} {text('#' + found[2])}](https://github.com/{found[1]}/issues/{found[2]}){text(found[3])}"


def of_clause(name: str, seen: Sequence[Seen]) -> list[str]:
    """Return the section of a clause's page."""
    mine = [told(each) for each in seen if name in each.clauses]
    nothing = ["No defect of a real server under this clause is known to us.", ""]
    return ["## What real servers do", "", *(items(mine) or nothing)]


def _level(level: int, seen: Sequence[Seen]) -> list[str]:
    """Return the section of a level: the defects whose first clause is of it."""
    mine = [each for each in seen if each.clauses and catalogue()[each.clauses[0]].level == level]
    judged = (f"{told(each)} *Judged by:* {labels.clauses(each.clauses)}." for each in mine)
    return [f"## Level {level}: {LEVELS[level]}", "", *items(judged)] if mine else []


def page(seen: Sequence[Seen]) -> str:
    """Return the page of all defects, with those that no clause judges at the end."""
    lines = [
        *title("What real servers do", "seen"),
        f"{len(seen)} defects that servers of this API really had, from their histories, in our words. They say what",
        "is worth a check, not how good a server is now: most were mended, and long ago. A clause's page repeats those",
        "that it speaks of.",
        "",
        f"{sum(bool(each.sources) for each in seen)} have a source by number. The others are known to us without one.",
        "",
        *(line for level in LEVELS for line in _level(level, seen)),
        "## Not judged",
        "",
        f"What follows is outside of what the suite can judge. See {link('honesty', 'what never counts as a pass')}.",
        "",
        *items(f"{told(each)} *Why not:* {text(each.apart)}" for each in seen if not each.clauses),
    ]
    return "\n".join(lines)
