"""The bound relations as a picture: which classes, which ends, and Mermaid's text. models/diagram_svg.py draws it.

Crow's foot: the many end is the fork, the end that is none or one is the circle and bar. An object's single ref may
be null, so no end is ever exactly one.
"""

from __future__ import annotations

from collections.abc import Sequence

from xenconform.models.api import Api, Relation


def relations_about(api: Api, cls: str = "") -> tuple[Relation, ...]:
    """Return the relations in which a class takes part, or all if no class is named.

    Raises:
        ValueError: there is no such class.
    """
    if cls and cls not in api.classes:
        raise ValueError(f"no class {cls!r}; `xenconform model list` shows them")
    return tuple(each for each in api.relations if not cls or cls in {each.owner_cls, each.derived_cls})


def mermaid(relations: Sequence[Relation]) -> str:
    """Return the relations as the text of a Mermaid entity-relationship diagram."""
    lines = ["erDiagram"]
    for each in relations:
        near = "}o" if each.many_owner else "|o"
        label = f"{each.derived_field} / {each.owner_field}"
        lines.append(f'    {each.derived_cls} {near}--o{{ {each.owner_cls} : "{label}"')
    return "\n".join(lines) + "\n"


def rows_of(relations: Sequence[Relation]) -> dict[str, list[str]]:
    """Return the bound fields of each class that takes part, in the order of the relations."""
    rows: dict[str, list[str]] = {}
    for each in relations:
        for cls, field in ((each.derived_cls, each.derived_field), (each.owner_cls, each.owner_field)):
            fields = rows.setdefault(cls, [])
            if field not in fields:
                fields.append(field)
    return rows
