"""Level 3, bound fields: the two ends of a pair agree at every moment, whoever changed what.

A relation is judged in the class that owns it: the class of the end that is written. A run of the other end's class
alone judges it too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn, made_by_task
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating_fields import as_usual, varied
from xenconform.conformance.checks.destroying import destroy, destroy_as_task
from xenconform.conformance.checks.judging import Judge, Unavailable, show
from xenconform.conformance.checks.relations import (
    by_constructor,
    far_end,
    is_bound_by_constructor,
    judged,
    names,
    owns_any,
    target_of,
)
from xenconform.conformance.checks.stirring import stirred
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Api, ApiClass, Relation, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import NULL_REF
from xenconform.models.values import Ref, Value


def is_bound_and_destroyed(api: Api, of: ApiClass, classes: Collection[str] = ()) -> bool:
    """Whether an object of the class can be bound by its constructor, and be ended."""
    return is_bound_by_constructor(api, of, classes) and bool(of.destructor)


def create_binds_the_far_end(bench: Bench, of: ApiClass) -> None:
    """Making an object updates the bound field of the one it points at, at once, over every format.

    Source: introduction, relations.
    """
    for relation, name in by_constructor(bench.api, of, names(bench)):
        for fmt in bench.formats:
            with bench.judging("BIND-CREATE", str(relation), fmt) as judge:
                target = target_of(bench, relation)
                for read in bench.formats:
                    far_end(bench, relation, read, target)  # What is read before may be shown for ever after.
                far_end(bench, relation, fmt, target, elsewhere=True)
                made = [bench.stock.make(of.name, {name: target}, fmt=fmt)]
                for read in bench.formats:
                    far_end(bench, relation, read, target)  # And what is read between may lack what comes after.
                made += _of_other_kinds(bench, of, fmt, {name: target})
                for read in bench.formats:
                    _are_in(bench, judge, relation, (read, target), made)
                members, seen = far_end(bench, relation, fmt, target, elsewhere=True)
                lost = {obj.ref for obj in made} - set(members)
                judge.true(not lost, f"{sorted(lost)} in the far end, to another session too", show(members), seen)
                for obj in made:
                    bench.stock.remove(obj)


def _of_other_kinds(bench: Bench, of: ApiClass, fmt: Format, given: Mapping[str, Value]) -> Iterator[Obj]:
    """Make more objects with a reference: one like the first, two of other values, some that tasks make and as usual.

    In the two each switch is on in one and off in the other, so that no bond hangs on one. What the server refuses is
    left out.
    """
    at = 2 * bench.formats.index(fmt)
    kinds: list[Mapping[str, Value]] = [{}]
    with suppress(Unavailable):
        kinds += [varied(bench, of, at, mixed=True), varied(bench, of, at + 1, mixed=True)]
        kinds += [usual] if (usual := as_usual(bench, of.name)) else []
    for kind in kinds:
        exchange = bench.stock.try_make(of.name, {**kind, **given}, fmt=bench.other(fmt))
        if isinstance(exchange.reply.outcome, Success):
            yield bench.stock.adopt(of.name, exchange)
    if fmt in in_turn(bench, of):
        with suppress(Unavailable):
            yield made_by_task(bench, of, fmt, given)


def _are_in(bench: Bench, judge: Judge, relation: Relation, at: tuple[Format, Ref], made: list[Obj]) -> None:
    read, target = at
    for obj in made:
        _near(bench, relation, read, obj.ref, target)
    members, seen = far_end(bench, relation, read, target)
    for obj in made:
        judge.true(obj.ref in members, f"{obj.ref} in the far end", show(members), seen)
        judge.true(members.count(obj.ref) <= 1, "it is there once", show(members), seen)


def _near(bench: Bench, relation: Relation, fmt: Format, ref: Ref, target: Ref) -> None:
    value, _ = bench.ask(fmt, f"{relation.owner_cls}.get_{relation.owner_field}", ref)
    if value != target:
        raise Unavailable("the constructor did not take the reference; counted under CREATE-FIELDS")


def destroy_unbinds_the_far_end(bench: Bench, of: ApiClass) -> None:
    """Destroying an object takes it out of every bound field, and nothing else. Source: introduction, relations.

    Destroyed are the older and the newer of two objects, one that was bound after it was made, and one by a task.
    """
    for relation, name in by_constructor(bench.api, of, names(bench)):
        for fmt in bench.formats:
            with bench.judging("BIND-DESTROY", str(relation), fmt) as judge:
                target = target_of(bench, relation)
                made = [bench.stock.make(of.name, {name: target}) for _ in range(3)]
                _destroy_and_see(bench, judge, (relation, fmt), target, (made[0], made[1:]))
                _destroy_and_see(bench, judge, (relation, fmt), target, (made[2], made[1:2]))
                _destroy_and_see(bench, judge, (relation, fmt), target, (made[1], []), as_task=True)
                _one_for_another(bench, judge, (relation, fmt), {name: target})
                setter = bench.api.message(f"{of.name}.set_{relation.owner_field}")
                if setter is not None and setter.lifecycle.state is not State.REMOVED:
                    moved = bench.stock.make(of.name)
                    if isinstance(bench.call(fmt, setter.full_name, moved.ref, target).reply.outcome, Success):
                        _destroy_and_see(bench, judge, (relation, fmt), target, (moved, []))
    for fmt in in_turn(bench, of):
        with suppress(Unavailable):
            _destroy_of_all_bonds(bench, of, fmt)


def _one_for_another(bench: Bench, judge: Judge, at: tuple[Relation, Format], given: Mapping[str, Ref]) -> None:
    """Destroy an object and bind another at once, before anybody looks: the far end has as many as before, and it."""
    relation, fmt = at
    ((_, target),) = given.items()
    old = bench.stock.make(relation.owner_cls, given)
    for read in bench.formats:
        far_end(bench, relation, read, target)
    gone = destroy(bench, fmt, old)
    new = bench.stock.make(relation.owner_cls, given)
    for read in bench.formats:
        members, seen = far_end(bench, relation, read, target)
        judge.true(old.ref not in members, "the far end without the destroyed object", show(members), gone, seen)
        expected = f"the far end with {new.ref}, which was bound as soon as another had gone"
        there = new.ref in members or _has_gone(bench, relation, read, new)
        judge.true(there, expected, show(members), gone, seen)
    bench.stock.remove(new)


def _destroy_of_all_bonds(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Bind an object to all that its constructor takes, and destroy it: it leaves each far end, not the first alone."""
    bonds = list(by_constructor(bench.api, of, ()))
    targets = dict[str, Ref]()
    for relation, name in bonds:
        with suppress(Unavailable):
            targets[name] = target_of(bench, relation)
    made = bench.stock.try_make(of.name, targets, fmt=fmt)
    if len(bonds) < 2 or not isinstance(made.reply.outcome, Success):
        return
    obj = bench.stock.adopt(of.name, made)
    bound = [(relation, targets[name]) for relation, name in bonds if name in targets]
    wanted = set(judged(bench, of))
    shown = [(r, target) for r, target in bound if r in wanted and obj.ref in far_end(bench, r, fmt, target)[0]]
    gone = bench.call(fmt, f"{of.name}.{of.destructor}", obj.ref)
    if not isinstance(gone.reply.outcome, Success):
        return
    bench.stock.forget(obj)
    for relation, target in shown:
        with bench.judging("BIND-DESTROY", str(relation), fmt) as judge:
            members, seen = far_end(bench, relation, bench.other(fmt), target)
            expected = "the far end without the destroyed object, which had others"
            judge.true(obj.ref not in members, expected, show(members), gone, seen)


def _destroy_and_see(
    bench: Bench,
    judge: Judge,
    at: tuple[Relation, Format],
    target: Ref,
    objects: tuple[Obj, list[Obj]],
    *,
    as_task: bool = False,
) -> None:
    """Destroy an object: the far end is without it, over every format, and still with those that it showed besides."""
    relation, fmt = at
    obj, others = objects
    before = far_end(bench, relation, fmt, target)[0]
    far_end(bench, relation, fmt, target, elsewhere=True)
    gone = (destroy_as_task if as_task else destroy)(bench, fmt, obj)
    for read in bench.formats:
        # The format of the call is the other session's to read: what that saw before it may go on to see.
        members, seen = far_end(bench, relation, read, target, elsewhere=read is fmt)
        judge.true(obj.ref not in members, "the far end without the destroyed object", show(members), gone, seen)
        if read is fmt and not as_task and others:
            records, listed = bench.ask(read, f"{relation.derived_cls}.get_all_records")
            named = records.get(target, {}).get(relation.derived_field, ())
            judge.true(obj.ref not in named, "its record, listed, without the destroyed object", show(named), listed)
        for keep in others:
            expected = f"the far end with {keep.ref}, which is not destroyed"
            shown = keep.ref in members or keep.ref not in before or _has_gone(bench, relation, read, keep)
            judge.true(shown, expected, show(members), gone, seen)


def _has_gone(bench: Bench, relation: Relation, fmt: Format, obj: Obj) -> bool:
    """Whether an object that should be there is not: that is for DESTROY-NO-CASCADE."""
    near = bench.call(fmt, f"{obj.cls}.get_{relation.owner_field}", obj.ref, probe=True)
    return not isinstance(near.reply.outcome, Success)


def both_ends_agree(bench: Bench, of: ApiClass) -> None:
    """Both ends of every pair name each other, for every object there is. Source: introduction, relations.

    Before, objects of ours are moved and copied by the messages that do so. The two ends are read one after the other;
    a difference is read again before it is called one.
    """
    with stirred(bench, of):
        _both_ends_agree(bench, of)


def _both_ends_agree(bench: Bench, of: ApiClass) -> None:
    for fmt in bench.formats:
        records = _Records(bench, fmt)
        for relation in judged(bench, of):
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


def are_listed(api: Api, of: ApiClass, classes: Collection[str] = ()) -> bool:
    """Whether the class owns a relation and lists its objects."""
    return owns_any(api, of, classes) and "get_all_records" in of.messages


CHECKS = tuple(
    Check(clause, per_class=judge, applies=applies, reaches=applies)
    for clause, judge, applies in (
        ("BIND-CREATE", create_binds_the_far_end, is_bound_by_constructor),
        ("BIND-SYMMETRY", both_ends_agree, are_listed),
        ("BIND-DESTROY", destroy_unbinds_the_far_end, is_bound_and_destroyed),
    )
)
