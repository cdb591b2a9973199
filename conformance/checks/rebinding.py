"""Level 3, bound fields: an object that is bound anew leaves one far end and enters another."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, is_refusal, show, unheard
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.relations import by_constructor, far_end, judged, movers, owned
from xenconform.conformance.checks.stirring import EMPTY
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Api, ApiClass, Message, Relation
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.refusals import refuses_null
from xenconform.models.types import NULL_REF
from xenconform.models.values import Ref, Value

LEAVES = 4
"""The step at which the other object leaves, before the one that is moved, which came after it."""

DISC = "VDI"
"""The field of a drive that says what is in it."""


def is_moved(api: Api, of: ApiClass, classes: Collection[str] = ()) -> bool:
    """Whether a message re-binds an object of the class after it was made; the classes are those of `owned`."""
    return any(True for relation in owned(api, of, classes) for _ in movers(api, relation))


def moving_changes_both_far_ends(bench: Bench, of: ApiClass) -> None:
    """Changing one end takes the object out of the old far end and puts it into the new. Source: introduction.

    It may be the same one, or one that it was in before; another object that is in the first stays there until it
    leaves itself, as one that came before the one that leaves next. What has a name of its own moves over one format;
    over all of them it does for BIND-SYMMETRY.
    """
    for relation in judged(bench, of):
        for message, is_owner in movers(bench.api, relation):
            if not is_owner:
                continue
            for fmt in bench.formats if message.verb else in_turn(bench, of):
                with bench.judging("BIND-MOVE", f"{relation} by {message.name}", fmt) as judge:
                    obj = bench.stock.writable(of.name) if message.verb else bench.stock.own(of.name)
                    with bench.restoring(obj, relation.owner_field):
                        _move(bench, judge, (relation, message, fmt), obj)


def _move(bench: Bench, judge: Judge, at: tuple[Relation, Message, Format], obj: Obj) -> None:
    relation, message, fmt = at
    first, second = _two_targets(bench, relation)
    if message.verb == "add":
        _move_by_adding(bench, judge, at, (obj, first))
        return
    many = relation.many_owner
    stays, gone = _another_in(bench, at, first), False
    steps = ((None, first), (first, first), (first, second), (second, first), (first, second), (second, None))
    for step, (old, new) in enumerate(steps):
        value: Value = ((new,) if new else ()) if many else (new or NULL_REF)
        if step == LEAVES and stays is not None and (left := _write(bench, at, stays.ref, NULL_REF)) is not None:
            gone = True
            members, seen = far_end(bench, relation, bench.other(fmt), first)
            alone = obj.ref in members and stays.ref not in members
            judge.true(alone, f"{obj.ref} there, and {stays.ref} there no more", show(members), left, seen)
        wrote = _write(bench, at, obj.ref, value)
        if wrote is None:
            continue
        for turn, read in enumerate(bench.formats):
            # One of them is another session's to read, by turns: it sees what it saw before, or what there is.
            away = (step + turn) % 3 == 0
            shown = {end: far_end(bench, relation, read, end, elsewhere=away) for end in (old, new) if end is not None}
            if old is not None and old != new:
                members, seen = shown[old]
                judge.true(obj.ref not in members, "the old far end without the object", show(members), wrote, seen)
            if new is not None:
                members, seen = shown[new]
                judge.true(
                    members.count(obj.ref) == 1, "the new far end with the object, once", show(members), wrote, seen
                )
            if stays is not None and first in shown:
                members, seen = shown[first]
                expected = f"{stays.ref} {'there no more' if gone else 'there, which is not moved'}"
                judge.true((stays.ref in members) is not gone, expected, show(members), wrote, seen)
    if not many:
        _move_otherwise(bench, judge, at, (obj, first, second))
        if fmt in in_turn(bench, bench.api.classes[relation.owner_cls]):
            with suppress(Unavailable):
                _move_from_birth(bench, judge, at, (first, second))
    if stays is not None:
        bench.stock.remove(stays)


def _write(bench: Bench, at: tuple[Relation, Message, Format], ref: Ref, value: Value) -> Exchange | None:
    """Write an end and return the exchange; None where a server that wants an object there refuses the null ref.

    Raises:
        Unanswered: it is refused for another reason.
    """
    _, message, fmt = at
    exchange = bench.call(fmt, message.full_name, ref, value)
    if isinstance(exchange.reply.outcome, Success):
        return exchange
    if value == NULL_REF and refuses_null(message, exchange.reply.outcome):
        return None
    act = not message.verb and is_refusal(exchange)
    raise Unanswered(exchange, domain=act or bench.is_domain_refusal(exchange), missing=bench.is_missing(exchange))


def _move_otherwise(
    bench: Bench, judge: Judge, at: tuple[Relation, Message, Format], ends: tuple[Obj, Ref, Ref]
) -> None:
    """Move an object to what is not there, which is refused and moves nothing; and let a task move it."""
    relation, message, fmt = at
    obj, first, second = ends
    wrote = bench.ask(fmt, message.full_name, obj.ref, first)[1]
    bad = bench.call(fmt, message.full_name, obj.ref, unknown_ref(), probe=True)
    if is_refusal(bad):
        members, seen = far_end(bench, relation, bench.other(fmt), first)
        expected = "the far end with the object, which was not moved"
        judge.true(obj.ref in members, expected, show(members), wrote, bad, seen)
    with suppress(Unanswered, Unavailable):
        ended = Async(bench, unheard(fmt), fmt, message).run(obj.ref, second)
        near = bench.call(fmt, f"{relation.owner_cls}.get_{relation.owner_field}", obj.ref).reply.outcome
        if ended is not None and ended.succeeded and near == Success(second):
            for end, there in ((first, False), (second, True)):
                members, seen = far_end(bench, relation, bench.other(fmt), end)
                expected = f"the far end {'with' if there else 'without'} what a task moved"
                judge.true((obj.ref in members) == there, expected, show(members), *ended.seen, seen)
    bench.call(fmt, message.full_name, obj.ref, NULL_REF)


def _move_from_birth(bench: Bench, judge: Judge, at: tuple[Relation, Message, Format], ends: tuple[Ref, Ref]) -> None:
    """Move an object that its constructor has bound.

    Raises:
        Unavailable: none can be made.
    """
    relation, message, fmt = at
    first, second = ends
    for bond, name in by_constructor(bench.api, bench.api.classes[relation.owner_cls], ()):
        if bond != relation:
            continue
        obj = bench.stock.make(relation.owner_cls, {name: first}, fmt=fmt)
        before = far_end(bench, relation, fmt, first)[0]
        wrote = bench.ask(fmt, message.full_name, obj.ref, second)[1]
        for end, there in ((first, False), (second, True)) if obj.ref in before else ():
            members, seen = far_end(bench, relation, bench.other(fmt), end)
            expected = f"the far end {'with' if there else 'without'} what its constructor had bound"
            judge.true((obj.ref in members) == there, expected, show(members), wrote, seen)
        bench.stock.remove(obj)


def _another_in(bench: Bench, at: tuple[Relation, Message, Format], target: Ref) -> Obj | None:
    """Return another object of ours that is bound to the target, None where none can be."""
    relation, message, fmt = at
    if relation.many_owner:
        return None
    try:
        obj = bench.stock.make(relation.owner_cls)
    except Unavailable:
        return None
    bench.call(fmt, message.full_name, obj.ref, target)
    if obj.ref in far_end(bench, relation, fmt, target)[0]:
        return obj
    bench.stock.remove(obj)
    return None


def _move_by_adding(bench: Bench, judge: Judge, at: tuple[Relation, Message, Format], ends: tuple[Obj, Ref]) -> None:
    relation, _, fmt = at
    obj, far = ends
    for verb, present in (("remove", False), ("add", True), ("remove", False)):
        name = f"{relation.owner_cls}.{verb}_{relation.owner_field}"
        if bench.api.message(name) is None:
            continue
        wrote = bench.ask(fmt, name, obj.ref, far)[1]
        for read in bench.formats:
            members, seen = far_end(bench, relation, read, far)
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


def has_a_drive(api: Api, of: ApiClass, classes: Collection[str] = ()) -> bool:
    """Whether messages of their own put an object into one of the class and take it out again."""
    return {"insert", "eject"} <= of.messages.keys() and any(
        relation.owner_field == DISC for relation in owned(api, of, classes)
    )


def a_disc_changes_both_far_ends(bench: Bench, of: ApiClass) -> None:
    """What is put into a drive, taken out and put in again shows so at every disc. Source: introduction.

    A server may refuse either, as what it does not do for a machine that does not run.
    """
    for relation in (each for each in judged(bench, of) if each.owner_field == DISC):
        for fmt in bench.formats:
            with bench.judging("BIND-MOVE", f"{relation} by insert and eject", fmt) as judge:
                _in_and_out(bench, judge, relation, fmt)


def _in_and_out(bench: Bench, judge: Judge, relation: Relation, fmt: Format) -> None:
    first, second = _two_targets(bench, relation)
    cls = relation.owner_cls
    drive = bench.stock.make(cls, EMPTY.get(cls, {}))
    steps = [step for disc in (first, second, first) for step in ((f"{cls}.insert", (disc,)), (f"{cls}.eject", ()))]
    for message, inside in steps:
        wrote = bench.call(fmt, message, drive.ref, *inside)
        if not isinstance(wrote.reply.outcome, Success):
            raise Unanswered(wrote, domain=is_refusal(wrote), missing=bench.is_missing(wrote))
        for disc in (first, second):
            members, seen = far_end(bench, relation, bench.other(fmt), disc)
            expected = f"{disc} {'with' if disc in inside else 'without'} the drive after {message}"
            judge.true((drive.ref in members) == (disc in inside), expected, show(members), wrote, seen)
    bench.stock.remove(drive)


CHECKS = (
    Check("BIND-MOVE", per_class=moving_changes_both_far_ends, applies=is_moved, reaches=is_moved),
    Check("BIND-MOVE", per_class=a_disc_changes_both_far_ends, applies=has_a_drive, reaches=has_a_drive),
)
