"""Level 3, bound fields: the two ends of a pair agree at every moment, whoever changed what.

A relation is judged in the class that owns it: the class of the end that is written.
"""

from __future__ import annotations

from collections.abc import Iterator

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.destroying import destroy
from xenconform.conformance.checks.judging import Judge, Unavailable, show
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Api, ApiClass, Message, Relation, State
from xenconform.models.calls import Format
from xenconform.models.exchange import Exchange
from xenconform.models.types import NULL_REF, RefTo
from xenconform.models.values import Ref, Value


def owned(api: Api, of: ApiClass) -> Iterator[Relation]:
    """Return the relations whose written end is in the class."""
    return (relation for relation in api.relations if relation.owner_cls == of.name)


def owns_any(api: Api, of: ApiClass) -> bool:
    """Whether a relation's written end is in the class."""
    return any(True for _ in owned(api, of))


def _by_constructor(api: Api, of: ApiClass) -> Iterator[tuple[Relation, str]]:
    """Return the relations that the class's constructor sets, each with the name of the value there."""
    if not of.constructors:
        return
    names = {field.name: name for name, field in given_fields(of) if isinstance(field.type, RefTo)}
    for relation in owned(api, of):
        if relation.owner_field in names:
            yield relation, names[relation.owner_field]


def is_bound_by_constructor(api: Api, of: ApiClass) -> bool:
    """Whether making an object of the class binds it to another."""
    return any(True for _ in _by_constructor(api, of))


def is_bound_and_destroyed(api: Api, of: ApiClass) -> bool:
    """Whether an object of the class can be bound by its constructor, and be ended."""
    return is_bound_by_constructor(api, of) and bool(of.destructor)


def create_binds_the_far_end(bench: Bench, of: ApiClass) -> None:
    """Making an object updates the bound field of the one it points at, at once, over every format.

    Source: introduction, relations.
    """
    for relation, name in _by_constructor(bench.api, of):
        for fmt in bench.formats:
            with bench.judging("BIND-CREATE", str(relation), fmt) as judge:
                target = _target(bench, relation)
                obj = bench.stock.make(of.name, {name: target}, fmt=fmt)
                for read in bench.formats:
                    _near(bench, relation, read, obj.ref, target)
                    members, seen = _far(bench, relation, read, target)
                    judge.true(obj.ref in members, f"{obj.ref} in the far end", show(members), seen)
                    judge.true(members.count(obj.ref) <= 1, "it is there once", show(members), seen)
                bench.stock.remove(obj)


def _near(bench: Bench, relation: Relation, fmt: Format, ref: Ref, target: Ref) -> None:
    value, _ = bench.ask(fmt, f"{relation.owner_cls}.get_{relation.owner_field}", ref)
    if value != target:
        raise Unavailable("the constructor did not take the reference; counted under CREATE-FIELDS")


def _target(bench: Bench, relation: Relation) -> Ref:
    """Return an object to bind to: one of our own where there can be one."""
    try:
        return bench.stock.make(relation.derived_cls).ref
    except Unavailable:
        return bench.stock.readable(relation.derived_cls)[0].ref


def _far(bench: Bench, relation: Relation, fmt: Format, ref: Ref) -> tuple[list[Ref], Exchange]:
    value, exchange = bench.ask(fmt, f"{relation.derived_cls}.get_{relation.derived_field}", ref)
    return list(value), exchange


def destroy_unbinds_the_far_end(bench: Bench, of: ApiClass) -> None:
    """Destroying an object takes it out of every bound field. Source: introduction, relations."""
    for relation, name in _by_constructor(bench.api, of):
        for fmt in bench.formats:
            with bench.judging("BIND-DESTROY", str(relation), fmt) as judge:
                target = _target(bench, relation)
                obj = bench.stock.make(of.name, {name: target})
                keep = bench.stock.make(of.name, {name: target})
                gone = destroy(bench, fmt, obj)
                for read in bench.formats:
                    members, seen = _far(bench, relation, read, target)
                    judge.true(
                        obj.ref not in members, "the far end without the destroyed object", show(members), gone, seen
                    )
                    judge.true(
                        keep.ref in members,
                        f"the far end with {keep.ref}, which is not destroyed",
                        show(members),
                        gone,
                        seen,
                    )
                bench.stock.remove(keep)


def both_ends_agree(bench: Bench, of: ApiClass) -> None:
    """Both ends of every pair name each other, for every object there is. Source: introduction, relations.

    The two ends are read one after the other; a difference is read again before it is called one.
    """
    for fmt in bench.formats:
        records = _Records(bench, fmt)
        for relation in owned(bench.api, of):
            with bench.judging("BIND-SYMMETRY", str(relation), fmt) as judge:
                one_sided, seen = _one_sided(records, relation, judge)
                if one_sided:
                    again, later = _one_sided(_Records(bench, fmt), relation, judge)
                    still = sorted(set(one_sided) & set(again))
                    judge.true(not still, "both ends of each pair", "; ".join(still[:5]), *seen, *later)


class _Records:
    """The records of whole classes over one format, each class read once."""

    def __init__(self, bench: Bench, fmt: Format) -> None:
        self._bench, self._fmt = bench, fmt
        self._read: dict[str, tuple[Value, Exchange]] = {}

    def ends(self, cls: str, field: str) -> tuple[dict[Ref, list[Ref]], Exchange]:
        """Return what a field of each object of a class refers to."""
        if cls not in self._read:
            self._read[cls] = self._bench.ask(self._fmt, f"{cls}.get_all_records")
        records, exchange = self._read[cls]
        ends = {}
        for ref, record in records.items():
            if field not in record:
                raise Unavailable(f"records of {cls} lack {field}; counted under GET-RECORD-AGREES")
            value = record[field]
            many = value if isinstance(value, tuple | list) else [value]
            ends[ref] = [each for each in many if each not in {NULL_REF, ""}]
        return ends, exchange


def _one_sided(records: _Records, relation: Relation, judge: Judge) -> tuple[list[str], tuple[Exchange, Exchange]]:
    owners, near = records.ends(relation.owner_cls, relation.owner_field)
    derived, far = records.ends(relation.derived_cls, relation.derived_field)
    if not owners and not derived:
        raise Unavailable("the server has no object of either class")
    forth = {(a, b) for a, refs in owners.items() for b in refs}
    back = {(a, b) for b, refs in derived.items() for a in refs}
    judge.asserted += 1
    found = [f"{a}.{relation.owner_field} names {b}, whose {relation.derived_field} lacks it" for a, b in forth - back]
    found += [f"{b}.{relation.derived_field} names {a}, whose {relation.owner_field} does not" for a, b in back - forth]
    return found, (near, far)


def _movers(api: Api, relation: Relation) -> Iterator[tuple[Message, bool]]:
    """Return the messages that write an end of a relation; true where it is the owner's end."""
    ends = ((relation.owner_cls, relation.owner_field, True), (relation.derived_cls, relation.derived_field, False))
    for cls, field, is_owner in ends:
        for message in api.classes[cls].messages.values():
            if (
                message.field == field
                and message.verb in {"set", "add"}
                and message.lifecycle.state is not State.REMOVED
            ):
                yield message, is_owner


def is_moved(api: Api, of: ApiClass) -> bool:
    """Whether a message re-binds an object of the class after it was made."""
    return any(True for relation in owned(api, of) for _ in _movers(api, relation))


def moving_changes_both_far_ends(bench: Bench, of: ApiClass) -> None:
    """Changing one end takes the object out of the old far end and puts it into the new. Source: introduction."""
    for relation in owned(bench.api, of):
        for message, is_owner in _movers(bench.api, relation):
            if not is_owner:
                continue
            for fmt in bench.formats:
                with bench.judging("BIND-MOVE", f"{relation} by {message.name}", fmt) as judge:
                    obj = bench.stock.writable(of.name)
                    with bench.restoring(obj, relation.owner_field):
                        _move(bench, judge, (relation, message, fmt), obj)


def _move(bench: Bench, judge: Judge, at: tuple[Relation, Message, Format], obj: Obj) -> None:
    relation, message, fmt = at
    first, second = _two_targets(bench, relation)
    if message.verb == "add":
        _move_by_adding(bench, judge, at, (obj, first))
        return
    many = relation.many_owner
    for old, new in ((None, first), (first, second), (second, None)):
        value: Value = ((new,) if new else ()) if many else (new or NULL_REF)
        wrote = bench.ask(fmt, message.full_name, obj.ref, value)[1]
        for read in bench.formats:
            if old is not None:
                members, seen = _far(bench, relation, read, old)
                judge.true(obj.ref not in members, "the old far end without the object", show(members), wrote, seen)
            if new is not None:
                members, seen = _far(bench, relation, read, new)
                judge.true(
                    members.count(obj.ref) == 1, "the new far end with the object, once", show(members), wrote, seen
                )


def _move_by_adding(bench: Bench, judge: Judge, at: tuple[Relation, Message, Format], ends: tuple[Obj, Ref]) -> None:
    relation, _, fmt = at
    obj, far = ends
    for verb, present in (("remove", False), ("add", True), ("remove", False)):
        name = f"{relation.owner_cls}.{verb}_{relation.owner_field}"
        if bench.api.message(name) is None:
            continue
        wrote = bench.ask(fmt, name, obj.ref, far)[1]
        for read in bench.formats:
            members, seen = _far(bench, relation, read, far)
            said = "with" if present else "without"
            judge.true((obj.ref in members) == present, f"the far end {said} the object", show(members), wrote, seen)


def _two_targets(bench: Bench, relation: Relation) -> tuple[Ref, Ref]:
    try:
        return bench.stock.make(relation.derived_cls).ref, bench.stock.make(relation.derived_cls).ref
    except Unavailable:
        found = bench.stock.existing(relation.derived_cls)
        if len(found) < 2:
            raise
        return found[0], found[1]


def are_listed(api: Api, of: ApiClass) -> bool:
    """Whether the class owns a relation and lists its objects."""
    return owns_any(api, of) and "get_all_records" in of.messages


CHECKS = (
    Check("BIND-CREATE", per_class=create_binds_the_far_end, applies=is_bound_by_constructor),
    Check("BIND-SYMMETRY", per_class=both_ends_agree, applies=are_listed),
    Check("BIND-MOVE", per_class=moving_changes_both_far_ends, applies=is_moved),
    Check("BIND-DESTROY", per_class=destroy_unbinds_the_far_end, applies=is_bound_and_destroyed),
)
