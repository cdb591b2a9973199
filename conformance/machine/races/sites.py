"""What calls may race for: the fields of a class that clients write, and the coming and going of its objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xenconform.conformance.machine.plan import Abilities
from xenconform.models.api import Api, Message
from xenconform.models.own import RULES
from xenconform.models.semantics import has_rule
from xenconform.models.types import RefTo, SetOf, refs_in

AT_ONCE = 2
"""How many fields one race is for."""


@dataclass(frozen=True, slots=True)
class Site:
    """What one race is for: a few fields, each with the messages that write it, and the classes that they point at.

    No field stands for the objects themselves: made, named, looked up and ended at the same time.
    """

    cls: str
    fields: tuple[str, ...]
    writers: Mapping[str, tuple[Message, ...]]
    targets: tuple[str, ...] = ()


def sites(api: Api, plan: Mapping[str, Abilities], cls: str) -> tuple[Site, ...]:
    """Return what calls on objects of a class may race for, every writable field in one of them."""
    of = api.classes[cls]
    writers: dict[str, tuple[Message, ...]] = {}
    for message in plan[cls].writers:
        wanted = {c for param in message.params[1:] for c in refs_in(param.type)}
        # A message with a rule of its own may refuse for reasons that another server does not share.
        if has_rule(api, message) and message.full_name not in RULES and wanted <= plan.keys():
            writers[message.field] = (*writers.get(message.field, ()), message)
    names = [name for name, able in writers.items() if any(m.verb != "remove" for m in able)]
    found = [Site(cls, (), {})]
    for at in range(0, len(names), AT_ONCE):
        some = tuple(names[at : at + AT_ONCE])
        targets = {
            c for name in some for c in refs_in(of.fields[name].type) if isinstance(of.fields[name].type, RefTo | SetOf)
        }
        found.append(Site(cls, some, {name: writers[name] for name in some}, tuple(sorted(targets - {cls}))))
    return tuple(found)
