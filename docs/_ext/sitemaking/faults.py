"""A page for each area of faults, and the index of the areas."""

from __future__ import annotations

import importlib
from collections import Counter
from itertools import groupby

from sitemaking import labels
from sitemaking.clauses import Facts
from sitemaking.markdown import code, contents, items, link, table, text, title
from xenconform.conformance.reference import faults as package
from xenconform.conformance.reference.faults import Difficulty, Fault


def pages(of: Facts) -> dict[str, str]:
    """Return the text of each page by its file's name."""
    by_area = {area: list(group) for area, group in groupby(of.faults.values(), key=lambda each: each.area)}
    made = {f"{area}.md": _page(area, faults) for area, faults in by_area.items()}
    return {"index.md": _index(by_area), **made}


def _about(area: str) -> str:
    """Return what the module of an area says of itself."""
    words = (importlib.import_module(f"{package.__name__}.{area}").__doc__ or "").strip()
    return words.splitlines()[0] if words else ""


def _index(by_area: dict[str, list[Fault]]) -> str:
    rows = []
    for area, faults in by_area.items():
        count = Counter(each.difficulty for each in faults)
        rows.append((link(f"faults-{area}", area), text(_about(area)), *(str(count[each]) for each in Difficulty)))
    total = sum(map(len, by_area.values()))
    return "\n".join(
        [
            *title("All faults", "all-faults"),
            f"{total} defects that can be switched on in the reference server, by the part of a server that is wrong.",
            "",
            *contents(by_area),
            *table(("area", "what it is", *(each.value for each in Difficulty)), rows),
        ]
    )


def _page(area: str, faults: list[Fault]) -> str:
    lines = [*title(f"Faults: {area}", f"faults-{area}"), text(_about(area)), ""]
    for each in faults:
        lines += title(code(each.name), labels.of_fault(each.name), 2)
        lines += [
            text(each.symptom),
            "",
            *items(
                [
                    f"caught by {labels.clauses([each.clause])}",
                    *([f"breaks too: {labels.clauses(each.also)}"] if each.also else []),
                    f"shows in {labels.classes([each.cls])}; {each.difficulty}",
                ]
            ),
        ]
    return "\n".join(lines)
