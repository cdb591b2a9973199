"""The label of each thing that has a place in the site. A label is where links lead, so it stays as it is."""

from __future__ import annotations

from collections.abc import Iterable

from sitemaking.markdown import code, link, text
from xenconform.models.types import Enum, MapOf, Option, RecordOf, RefTo, SetOf, Type


def of_clause(name: str) -> str:
    """Return the label of a clause's page."""
    return f"clause-{name.lower()}"


def of_class(name: str) -> str:
    """Return the label of a class's page."""
    return f"class-{name.lower()}"


def of_fault(name: str) -> str:
    """Return the label of a fault."""
    return f"fault-{name}"


def clauses(names: Iterable[str]) -> str:
    """Return links to clauses, with commas between."""
    return ", ".join(link(of_clause(name), name) for name in names)


def classes(names: Iterable[str]) -> str:
    """Return links to classes, with commas between."""
    return ", ".join(link(of_class(name), text(name)) for name in names)


def type_(of: Type) -> str:
    """Return a type as the model writes it, linked to the class that it speaks of."""
    name = _class_in(of)
    # A record may be of any class: `<class> record`.
    return link(of_class(name), code(str(of))) if name.isidentifier() else code(str(of))


def _class_in(of: Type) -> str:
    match of:
        case RefTo(cls=cls) | RecordOf(cls=cls):
            return cls
        case SetOf(item=item) | Option(item=item):
            return _class_in(item)
        case MapOf(key=key, value=value):
            return _class_in(value) or _class_in(key)
        case Enum():
            return ""
    return ""
