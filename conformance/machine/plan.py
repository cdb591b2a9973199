"""What a machine may do with which class: worked out once from the model and the profile, before anything is drawn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from xenconform.models.acts import is_act
from xenconform.models.api import Api, ApiClass, Message, Qualifier, State
from xenconform.models.belief import GOVERNED
from xenconform.models.exemplars import Need, alternatives, constructor_of, exemplar
from xenconform.models.profiles import Profile
from xenconform.models.types import RecordOf
from xenconform.models.values import Value

WRITING = frozenset({"set", "add", "remove", "add_to", "remove_from"})
MORE = 8
"""The members of a cluster at most, the class itself left out."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What may be done with objects of a class. `domains` has the values of fields that a profile narrows."""

    cls: str
    writers: tuple[Message, ...]
    readers: tuple[Message, ...]
    lookups: tuple[Message, ...]
    acts: tuple[Message, ...]
    destructor: str
    domains: Mapping[str, tuple[Value, ...]]


def abilities(api: Api, profile: Profile, of: ApiClass) -> Abilities:
    """Return what may be done with objects of a class that are our own."""
    fields = of.fields
    domains = {name: values for name in fields if (values := alternatives(api, profile, of.name, name))}
    allowed = [m for m in of.messages.values() if m.full_name not in profile.never]
    return Abilities(
        cls=of.name,
        writers=tuple(m for m in of.messages.values() if m.verb in WRITING and _may_write(profile, of, m)),
        readers=tuple(m for m in allowed if m.implicit and (m.verb == "get" or m.name == "get_record")),
        lookups=tuple(m for m in allowed if m.name in LOOKUPS),
        acts=tuple(m for m in allowed if is_act(api, m)),
        destructor=of.destructor,
        domains=domains,
    )


LOOKUPS = ("get_by_uuid", "get_by_name_label", "get_all", "get_all_records")


def _may_write(profile: Profile, of: ApiClass, message: Message) -> bool:
    """Whether a writing accessor may be used: the field is there, and neither fixed nor skipped."""
    name = message.field
    if name not in of.fields or message.full_name in profile.never:
        return False
    if of.fields[name].qualifier is Qualifier.RUNTIME and (of.name, name) not in GOVERNED:
        return False
    domain = profile.domain(of.name, name)
    if message.lifecycle.state is State.REMOVED and not message.implicit:
        return False
    if any(isinstance(param.type, RecordOf) for param in message.params):
        return False
    whole_alone = not domain.is_free and message.verb != "set"
    return not domain.fixed and not domain.skip and not whole_alone


def can_begin_and_end(_api: Api, of: ApiClass) -> bool:
    """Whether objects of the class can be made and ended."""
    return bool(of.constructors) and bool(of.destructor)


def creatable(api: Api, profile: Profile) -> tuple[str, ...]:
    """Return the classes of which objects can be made, with all that they need, and be removed again."""
    return tuple(name for name in api.classes if _chain(api, profile, name, ()) is not None)


def _chain(api: Api, profile: Profile, cls: str, on_the_way: tuple[str, ...]) -> frozenset[str] | None:
    """Return the classes that making an object of a class takes, None where it cannot be made."""
    if cls in on_the_way or constructor_of(api, profile, cls) is None or not api.classes[cls].destructor:
        return None
    found = {cls}
    for need in needs(exemplar(api, profile, cls, 1)):
        if need.prefer_existing:
            found.add(need.cls)
            continue
        inner = _chain(api, profile, need.cls, (*on_the_way, cls))
        if inner is None:
            return None
        found |= inner
    return frozenset(found)


def needs(value: Value) -> tuple[Need, ...]:
    """Return every place in a value that an object must fill."""
    match value:
        case Need():
            return (value,)
        case tuple():
            return tuple(each for item in value for each in needs(item))
        case dict():
            return (*needs(tuple(value)), *needs(tuple(value.values())))
        case _:
            return ()


def cluster(api: Api, profile: Profile, cls: str) -> tuple[str, ...]:
    """Return a class, what its objects need, and the classes bound to it: what a focused machine makes objects of."""
    can = creatable(api, profile)
    chain = _chain(api, profile, cls, ()) or frozenset()
    bound = [
        far
        for relation in api.relations
        for own, far in ((relation.owner_cls, relation.derived_cls), (relation.derived_cls, relation.owner_cls))
        if own == cls
    ]
    others = [name for name in dict.fromkeys((*sorted(chain), *bound)) if name in can and name != cls]
    return (cls, *others[:MORE])


def needing(api: Api, profile: Profile, cls: str, among: Collection[str]) -> tuple[str, ...]:
    """Return a class, and those of some others that cannot be made without an object of it."""
    return (cls, *(name for name in among if name != cls and cls in (_chain(api, profile, name, ()) or ())))


def covered(api: Api, profile: Profile, classes: Collection[str]) -> Mapping[str, Abilities]:
    """Return the abilities of each class of a machine."""
    return {name: abilities(api, profile, api.classes[name]) for name in classes}
