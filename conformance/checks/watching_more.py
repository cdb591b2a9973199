"""Level 4, events of a class: every way to change an object is told, and so is what follows at the far end of a bond.

`watching` tells one story of a class, with one change in it. Here each field of an object of ours is changed with each
of its accessors, and an object is made and ended that is bound to another. A watch of single objects, of all formats
one, tells of each change; its record then has what was written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import plain_values, written
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.watch import Watch, describe_all
from xenconform.conformance.checks.watching import CLAUSE, MOMENT, can_be_told
from xenconform.models.api import Api, ApiClass, Field, Relation
from xenconform.models.calls import Format, Success
from xenconform.models.profiles import Scope
from xenconform.models.types import MapOf, RefTo, SetOf
from xenconform.models.values import Ref, Value, is_null_text, same

UNTOLD = frozenset({"session"})
"""Classes whose changes a server may keep to itself: what is a user's own is of interest to nobody's cache."""


def can_be_changed(_api: Api, of: ApiClass) -> bool:
    """Whether objects of a class can be made, or be there, and have a field to write."""
    return of.name not in UNTOLD and "get_record" in of.messages and any(True for _ in written(of))


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a field: the accessor's verb, its arguments, and what the field then has."""

    field: Field
    verb: str
    args: tuple[Value, ...]
    value: Value


def every_change_is_told(bench: Bench, of: ApiClass) -> None:
    """A change by any accessor of any field is told, with what was written. Source: class reference, event (SHOULD).

    Where no object of ours can be had, one that is there is changed and put back, if the scope allows it.
    """
    if not can_be_told(bench.api, of) and bench.profile.scope is Scope.OWN:
        return
    watches: dict[Format, Watch] = {}
    tried: set[str] = set()
    for at, field in enumerate(written(of)):
        for verbs in _rounds(of, field):
            first = verbs[0] not in tried
            tried.add(verbs[0])
            if not first and not bench.budget.boundaries:
                continue  # a small budget changes one field with each accessor
            turn = bench.formats[(bench.seed + at) % len(bench.formats)]
            for fmt in bench.formats if first else (turn,):
                with bench.judging(CLAUSE, f"{of.name}.{field.name} {verbs[0]}", fmt) as judge:
                    obj = bench.stock.writable(of.name)
                    watch = _watch(bench, judge, watches.get(fmt), obj, fmt)
                    watches[fmt] = watch
                    with bench.restoring(obj, field.name):
                        for verb in verbs:
                            _judge_step(bench, judge, watch, obj, _step(bench, obj, field, verb))


def _watch(bench: Bench, judge: Judge, watch: Watch | None, obj: Obj, fmt: Format) -> Watch:
    """Return a watch of an object that knows all there is: the one there is, or another where that is of another."""
    wanted = (f"{obj.cls}/{obj.ref}",)
    if watch is None or watch.wanted != wanted:
        watch = Watch(bench, judge, fmt, wanted)
    watch.judge = judge
    watch.read(MOMENT)
    return watch


def _rounds(of: ApiClass, field: Field) -> Iterator[tuple[str, ...]]:
    """Return the verbs to try, those together that undo each other."""
    for verbs in (("set",), ("add", "remove"), ("add_to", "remove_from")):
        if all(f"{verb}_{field.name}" in of.messages for verb in verbs):
            yield verbs


def _step(bench: Bench, obj: Obj, field: Field, verb: str) -> Step:
    """Return a change that is one: what is set is not there yet, what is removed is.

    Raises:
        Unavailable: the field takes no other value.
    """
    now, _ = bench.ask(bench.formats[0], f"{obj.cls}.get_{field.name}", obj.ref)
    match field.type, verb:
        case SetOf(), "remove" if now:
            return Step(field, verb, (now[-1],), now[:-1])
        case MapOf(), "remove_from" if now:
            key = list(now)[-1]
            return Step(field, verb, (key,), {k: v for k, v in now.items() if k != key})
        case SetOf(item), "add":
            for value in plain_values(bench, obj.cls, field, item, 3):
                if value not in now:
                    return Step(field, verb, (value,), (*now, value))
        case MapOf(key, item), "add_to":
            for name in plain_values(bench, obj.cls, field, key, 3):
                for value in plain_values(bench, obj.cls, field, item, 1) if name not in now else ():
                    return Step(field, verb, (name, value), {**now, name: value})
        case _, "set":
            for value in plain_values(bench, obj.cls, field, field.type, 3):
                if not same(field.type, now, value):
                    return Step(field, verb, (value,), value)
    raise Unavailable(f"no way was found to {verb} {obj.cls}.{field.name}")


def _judge_step(bench: Bench, judge: Judge, watch: Watch, obj: Obj, step: Step) -> None:
    name = step.field.name
    exchange = bench.call(bench.other(watch.fmt), f"{obj.cls}.{step.verb}_{name}", obj.ref, *step.args)
    if not isinstance(exchange.reply.outcome, Success):
        raise Unavailable("the change is refused; counted under the clauses on fields")

    def is_it(each: Any) -> bool:
        shown = each.snapshot.get(name, step.value)
        return (each.operation, each.ref) == ("mod", obj.ref) and same(step.field.type, step.value, shown)

    news = watch.until(lambda told: any(is_it(each) for each in told))
    if any(is_it(each) for each in news):
        judge.true(True, "", "")
        return
    seen, _ = bench.ask(bench.other(watch.fmt), f"{obj.cls}.get_{name}", obj.ref)
    if not same(step.field.type, step.value, seen):
        raise Unavailable("the change does not show; counted under the clauses on fields")
    shown = [each.snapshot[name] for each in news if name in each.snapshot]
    told = f"{describe_all(news)}{f' with {shown}' if shown else ''}"
    judge.fail(f"mod of {obj.ref}, {name} {step.value!r} after {step.verb}", told, exchange, watch.exchange)


# ------------------------------------------------------------------------------------------------------------ far ends


def is_bound(api: Api, of: ApiClass) -> bool:
    """Whether objects of a class can be made and are bound to others by a reference of theirs."""
    return can_be_told(api, of) and bool(_bonds(api, of))


def _bonds(api: Api, of: ApiClass) -> list[Relation]:
    """Return the relations whose written end is a single reference of a class."""
    mine = [each for each in api.relations if each.owner_cls == of.name and each.owner_field in of.fields]
    return [each for each in mine if isinstance(of.fields[each.owner_field].type, RefTo)]


def far_ends_are_told(bench: Bench, of: ApiClass) -> None:
    """When an object is made or ended, the object that it is bound to is told as changed (SHOULD)."""
    fmt = bench.formats[(bench.seed + len(of.name)) % len(bench.formats)]
    try:
        fellow = bench.stock.own(of.name)
    except Unavailable:
        return  # told by the story of the class
    for bond in _bonds(bench.api, of):
        if f"get_{bond.derived_field}" not in bench.api.classes[bond.derived_cls].messages:
            continue
        outcome = bench.call(fmt, f"{bond.owner_cls}.get_{bond.owner_field}", fellow.ref).reply.outcome
        if not isinstance(outcome, Success) or is_null_text(outcome.value):
            continue
        with bench.judging(CLAUSE, f"{bond.derived_cls}.{bond.derived_field} of a {of.name}", fmt) as judge:
            _judge_far(bench, judge, fmt, bond, outcome.value)


def _judge_far(bench: Bench, judge: Judge, fmt: Format, bond: Relation, far: Ref) -> None:
    """Make and end an object whose fellow is bound to what is watched, so that it will be bound to it too."""
    watch = Watch(bench, judge, fmt, (f"{bond.derived_cls}/{far}",))
    watch.read(MOMENT)
    made = bench.stock.make(bond.owner_cls, fmt=bench.other(fmt))
    try:
        bound, _ = bench.ask(fmt, f"{bond.owner_cls}.get_{bond.owner_field}", made.ref)
        if bound != far:
            raise Unavailable(f"the new {bond.owner_cls} is bound to another {bond.derived_cls}")
        _await_far(bench, judge, watch, bond, (far, made.ref), there=True)
    finally:
        gone = bench.stock.remove(made)
    if gone:
        _await_far(bench, judge, watch, bond, (far, made.ref), there=False)


def _await_far(bench: Bench, judge: Judge, watch: Watch, bond: Relation, ends: tuple[Ref, Ref], *, there: bool) -> None:
    far, made = ends

    def is_it(each: Any) -> bool:
        shown = each.snapshot.get(bond.derived_field)
        return (each.operation, each.ref) == ("mod", far) and (shown is None or (made in shown) is there)

    try:
        seen, reading = bench.ask(bench.other(watch.fmt), f"{bond.derived_cls}.get_{bond.derived_field}", far)
    except Unanswered as why:
        raise Unavailable(f"{why}; counted under the clauses on bonds") from why
    if isinstance(seen, str) or (made in seen) is not there:
        raise Unavailable("the far end did not follow; counted under the clauses on bonds")
    news = watch.until(lambda told: any(is_it(each) for each in told))
    expected = f"mod of {far}, {bond.derived_field} {'with' if there else 'without'} {made}"
    judge.true(any(is_it(each) for each in news), expected, describe_all(news), watch.exchange, reading)


CHECKS: tuple[Check, ...] = (
    Check(CLAUSE, per_class=every_change_is_told, applies=can_be_changed),
    Check(CLAUSE, per_class=far_ends_are_told, applies=is_bound),
)
