"""The few pieces of Markdown that generated pages are made of. Cells and items are Markdown already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def text(words: str) -> str:
    """Return words so that they read as they are: nothing in them is markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|$~])", r"\\\1", " ".join(words.split()))


def code(words: str) -> str:
    """Return words as code, also within a table; nothing for no words."""
    if not words:
        return ""
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", words)), default=0))
    pad = " " if len(ticks) > 1 else ""
    return f"{ticks}{pad}{words}{pad}{ticks}".replace("|", "\\|")


def link(label: str, words: str = "") -> str:
    """Return a link to a label of the site, which the build checks; without words it has the title of its target."""
    return f"[{words}](#{label})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table with an empty line behind it; none where it has no rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *lines, ""] if lines else []


def items(each: Iterable[str]) -> list[str]:
    """Return the lines of a list with an empty line behind it; none for no items."""
    lines = [f"- {one}" for one in each]
    return [*lines, ""] if lines else []


def title(words: str, label: str, level: int = 1) -> list[str]:
    """Return a heading with its label."""
    return [f"({label})=", f"{'#' * level} {words}", ""]


def contents(names: Iterable[str], depth: int = 1) -> list[str]:
    """Return a table of contents of pages in the same folder, which is not shown in the page itself."""
    return ["```{toctree}", ":hidden:", f":maxdepth: {depth}", "", *names, "```", ""]
