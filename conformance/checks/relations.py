"""Relations: whose they are in a run, and what their derived ends show."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.onlooker import ask
from xenconform.models.api import Api, ApiClass, Message, Relation, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.own import SETTERS
from xenconform.models.types import NULL_REF, RefTo
from xenconform.models.values import Ref, Value


def owned(api: Api, of: ApiClass, classes: Collection[str] = ()) -> Iterator[Relation]:
    """Return the relations whose written end is in the class.

    Of a class that is none of a run's `classes`, if any are given, those whose other end is in one of them.
    """
    mine = not classes or of.name in classes
    return (r for r in api.relations if r.owner_cls == of.name and (mine or r.derived_cls in classes))


def judged(bench: Bench, of: ApiClass) -> Iterator[Relation]:
    """Return the relations whose written end is in the class, and that the run is about."""
    return owned(bench.api, of, names(bench))


def names(bench: Bench) -> frozenset[str]:
    """Return the names of the classes that the run is about."""
    return frozenset(each.name for each in bench.classes)


def owns_any(api: Api, of: ApiClass, classes: Collection[str] = ()) -> bool:
    """Whether a relation's written end is in the class; the classes are those of `owned`, here as in what follows."""
    return any(True for _ in owned(api, of, classes))


def movers(api: Api, relation: Relation) -> Iterator[tuple[Message, bool]]:
    """Return the messages that write an end of a relation; true where it is the owner's end.

    They are those shaped like an accessor, and those of another name that write the field and nothing else.
    """
    ends = ((relation.owner_cls, relation.owner_field, True), (relation.derived_cls, relation.derived_field, False))
    for cls, field, is_owner in ends:
        for message in api.classes[cls].messages.values():
            writes = message.field == field and message.verb in {"set", "add"}
            otherwise = tuple(SETTERS.get(message.full_name, {}).values()) == ((field,),)
            if (writes or otherwise) and message.lifecycle.state is not State.REMOVED:
                yield message, is_owner


def by_constructor(api: Api, of: ApiClass, classes: Collection[str]) -> Iterator[tuple[Relation, str]]:
    """Return the relations that the class's constructor sets, each with the name of the value there."""
    if not of.constructors:
        return
    given = {field.name: name for name, field in given_fields(of) if isinstance(field.type, RefTo)}
    for relation in owned(api, of, classes):
        if relation.owner_field in given:
            yield relation, given[relation.owner_field]


def is_bound_by_constructor(api: Api, of: ApiClass, classes: Collection[str] = ()) -> bool:
    """Whether making an object of the class binds it to another."""
    return any(True for _ in by_constructor(api, of, classes))


def far_end(
    bench: Bench, relation: Relation, fmt: Format, ref: Ref, *, elsewhere: bool = False
) -> tuple[list[Ref], Exchange]:
    """Return what the derived end of a relation shows at an object, to a second session where `elsewhere` says so."""
    message = f"{relation.derived_cls}.get_{relation.derived_field}"
    value, exchange = ask(bench, fmt, message, ref, elsewhere=elsewhere)
    return list(value), exchange


def target_of(bench: Bench, relation: Relation) -> Ref:
    """Return an object to bind to: one of our own where there can be one.

    Raises:
        Unavailable: there is none and none can be made.
    """
    try:
        return bench.stock.make(relation.derived_cls).ref
    except Unavailable:
        return bench.stock.readable(relation.derived_cls)[0].ref


def all_bound(bench: Bench, of: ApiClass) -> list[dict[str, Value]]:
    """Return what makes objects of a class name what an exemplar leaves empty: one record, none where that cannot be.

    What a first object is made with: the server takes it.
    """
    found: dict[str, Value] = {}
    given = bench.stock.exemplar(of.name)
    for relation, name in by_constructor(bench.api, of, ()):
        domain = bench.profile.domain(of.name, relation.owner_field)
        if given.get(name) in {None, NULL_REF, ""} and domain.is_free and not domain.skip:
            with suppress(Unavailable):
                found[name] = target_of(bench, relation)
    made = bench.stock.try_make(of.name, found) if found else None
    if made is None or not isinstance(made.reply.outcome, Success):
        return []
    bench.stock.remove(bench.stock.adopt(of.name, made))
    return [found]
