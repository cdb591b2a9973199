"""What of much a sequence is about: a class, a few fields at a time, and those that a step has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from xenconform.conformance.checks.stock import TAG
from xenconform.conformance.machine.plan import Abilities
from xenconform.models.api import Message, Parameter
from xenconform.models.belief import Belief
from xenconform.models.types import Str
from xenconform.models.values import Handle, Value

LABELS: Final = (f"{TAG} a", f"{TAG} b", f"{TAG} A")
"""The names of objects: so few that several objects bear one."""
LIKE: Final = {"size": "virtual_size"}
"""Parameters of acts that take the values of a field of another name."""
NEVER_NULL: Final = frozenset({"host", "network"})
"""Parameters of acts for which a null reference is no choice."""
FIELDS_AT_ONCE: Final = 4
"""How many fields of a class one sequence writes: few, so that it comes back to them."""


@dataclass(frozen=True, slots=True)
class How:
    """Over which format and in which session a move is made, as numbers."""

    fmt: int
    session: int


@dataclass(frozen=True, slots=True)
class About:
    """What a sequence is about: a class before all others ("" for none), a few of its fields by number.

    `muted` are the messages and classes that are left out.
    """

    cls: str
    focus: int
    muted: frozenset[str]


def act_values(able: Abilities, param: Parameter, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return what a parameter of an act may be, `values` being those of its type."""
    if isinstance(param.type, Str):
        return LABELS
    if param.name in NEVER_NULL:
        return tuple(each for each in values if not each.is_null)
    return able.domains.get(LIKE.get(param.name, param.name)) or values


def focused(writers: Sequence[Message], messages: Sequence[Message], focus: int) -> tuple[Message, ...]:
    """Return the messages on the few fields that a sequence of this focus is about, and those on no field."""
    fields = list(dict.fromkeys(m.field for m in writers))
    if not fields:
        return tuple(messages[focus % len(messages) :][:FIELDS_AT_ONCE]) if messages else ()
    first = focus * FIELDS_AT_ONCE
    chosen = {fields[(first + at) % len(fields)] for at in range(FIELDS_AT_ONCE)}
    return tuple(m for m in messages if m.field in chosen or not m.field)


def changed(before: Belief, after: Belief) -> list[tuple[Handle, str]]:
    """Return the firm fields of known objects that differ between two beliefs."""
    found: list[tuple[Handle, str]] = []
    for cls, objects in after.world.objects.items():
        old = before.world.objects.get(cls, {})
        if objects is old:
            continue
        for n, record in objects.items():
            handle, was = Handle(cls, n), old.get(n)
            if record is was or was is None or handle not in after.known:
                continue
            found += [(handle, name) for name, value in record.items() if value is not was[name] and value != was[name]]
    return [(handle, name) for handle, name in found if after.holds(handle, name)]
