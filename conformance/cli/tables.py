"""Tables for the terminal, and the same as plain aligned text where the output is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import click
from rich import box
from rich.console import Console
from rich.table import Table

from xenconform.models.api import ApiClass, Field, Lifecycle, Relation
from xenconform.models.values import Handle

_ROLES = ("pool-admin", "pool-operator", "vm-power-admin", "vm-admin", "vm-operator", "read-only")
"""From the mightiest down; whoever may do what a lower one may."""


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str = "") -> None:
    """Print a table; without rows the text `empty`, or nothing. No text is cut where the output is no terminal."""
    if not rows:
        if empty:
            click.echo(empty)
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        click.echo(_plain(title, columns, rows))
        return
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_safe(cell) for cell in row))
    console.print(table)


def _safe(text: str) -> str:
    return text.replace("[", "\\[")


def _plain(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    table = [columns, *rows]
    widths = [max(len(row[at]) for row in table) for at in range(len(columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([f"\n{title}", *lines])


def life(lifecycle: Lifecycle) -> str:
    """Return a lifecycle in words: where it began, and what became of it."""
    first, *later = lifecycle.transitions
    start = first[1] if first[0] == "published" else f"{first[0]} {first[1]}"
    return ", ".join([start, *(f"{kind} {release}" for kind, release in later)])


def field_rows(each: ApiClass) -> list[tuple[str, ...]]:
    """Return the rows of a class's fields."""
    return [(f.name, str(f.type), f.qualifier.value, default(f), life(f.lifecycle)) for f in each.fields.values()]


def default(field: Field) -> str:
    """Return a field's default as text, nothing where it has none."""
    return _text(field.default) if field.has_default else ""


def _text(value: object) -> str:
    match value:
        case Handle():
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case tuple():
            return "{" + ", ".join(_text(each) for each in value) + "}"
        case dict():
            return "{" + ", ".join(f"{_text(key)} -> {_text(item)}" for key, item in value.items()) + "}"
        case _:
            return str(value)


def message_rows(each: ApiClass) -> list[tuple[str, ...]]:
    """Return the rows of a class's messages: the accessors of all fields in few rows, the others one by one."""
    verbs: dict[str, int] = {}
    rows: list[tuple[str, ...]] = []
    for message in each.messages.values():
        if message.implicit and message.field:
            verbs[message.verb] = verbs.get(message.verb, 0) + 1
            continue
        params = ", ".join(f"{param.name}: {param.type}" for param in message.params)
        rows.append(
            (
                f"{message.name}({params})",
                str(message.result),
                lowest(message.roles),
                ", ".join(message.errors),
                life(message.lifecycle),
            )
        )
    rows += [(f"{verb}_F of {count} fields", "", "", "", "") for verb, count in verbs.items()]
    return rows


def lowest(roles: Iterable[str]) -> str:
    """Return the least of the roles that may do something, and the client certificate where it may too."""
    found = set(roles)
    least = next((role for role in reversed(_ROLES) if role in found), "")
    other = sorted(found.difference(_ROLES)) if least != "read-only" else []
    return ", ".join([least, *other]) if least else ", ".join(other)


def relation_row(each: Relation) -> tuple[str, str, str]:
    """Return a relation's row."""
    kind = "many to many" if each.many_owner else "many to one"
    return (f"{each.owner_cls}.{each.owner_field}", f"{each.derived_cls}.{each.derived_field}", kind)


def constructor_rows(each: ApiClass) -> list[tuple[str, str]]:
    """Return the rows of a class's constructors: which parameter sets which field."""
    rows = []
    for made in each.constructors:
        pairs = zip(made.message.params, made.fields, strict=False)
        fields = ", ".join(f"{param.name} -> {field or '(none)'}" for param, field in pairs)
        rows.append((made.message.name, "a record: every RW and RO/constructor field" if made.record else fields))
    return rows
