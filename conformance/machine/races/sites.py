"""What calls may race for: the fields of a class that clients write, and the coming and going of its objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from xenconform.conformance.machine.plan import Abilities
from xenconform.models.api import Api, Message
from xenconform.models.own import RULES
from xenconform.models.semantics import has_rule
from xenconform.models.types import RefTo, SetOf, refs_in

AT_ONCE = 2
"""How many fields one race is for, where its threads meet at them."""
WIDE = 4
"""How many fields one race is for, where each thread keeps to its own."""


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
    writers = _writers(api, plan, cls)
    names = tuple(writers)
    pairs = (names[at : at + AT_ONCE] for at in range(0, len(names), AT_ONCE))
    return (Site(cls, (), {}), *(_site(api, cls, some, writers) for some in pairs))


def wide_sites(api: Api, plan: Mapping[str, Abilities], cls: str) -> tuple[Site, ...]:
    """Return sites of a field for each thread, any two fields in one of them."""
    writers = _writers(api, plan, cls)
    return tuple(_site(api, cls, some, writers) for some in blocks(tuple(writers)))


def blocks(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield groups of as many names as there are threads, until any two names have been in one together."""
    left = {frozenset(pair) for pair in combinations(names, 2)}
    for pair in combinations(names, 2):
        if frozenset(pair) not in left:
            continue
        some: tuple[str, ...] = pair
        while len(some) < min(WIDE, len(names)):
            new = {name: sum(frozenset((name, each)) in left for each in some) for name in names if name not in some}
            some = (*some, max(new, key=new.__getitem__))
        left -= {frozenset(each) for each in combinations(some, 2)}
        yield some


def _writers(api: Api, plan: Mapping[str, Abilities], cls: str) -> dict[str, tuple[Message, ...]]:
    """Return the messages that write each field which can be raced for."""
    writers: dict[str, tuple[Message, ...]] = {}
    for message in plan[cls].writers:
        wanted = {c for param in message.params[1:] for c in refs_in(param.type)}
        # A message with a rule of its own may refuse for reasons that another server does not share.
        if has_rule(api, message) and message.full_name not in RULES and wanted <= plan.keys():
            writers[message.field] = (*writers.get(message.field, ()), message)
    return {name: able for name, able in writers.items() if any(m.verb != "remove" for m in able)}


def _site(api: Api, cls: str, names: tuple[str, ...], writers: Mapping[str, tuple[Message, ...]]) -> Site:
    types = [api.classes[cls].fields[name].type for name in names]
    targets = {c for of in types if isinstance(of, RefTo | SetOf) for c in refs_in(of)}
    return Site(cls, names, {name: writers[name] for name in names}, tuple(sorted(targets - {cls})))
