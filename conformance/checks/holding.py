"""Level 3, destructors: what another object refers to stays, and stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn, made_by_task
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.creating_fields import as_usual, varied
from xenconform.conformance.checks.creating_nothing import far_ends
from xenconform.conformance.checks.destroying import is_held, refused_as_task, value_of
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.holding_on import goes_by_itself, keepers, refers, refuses_of_copies, refuses_of_kept
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, is_refusal, show
from xenconform.conformance.checks.stock import NOTHING, Obj
from xenconform.conformance.checks.surrounding import Holder, holders, is_destroyed
from xenconform.conformance.checks.writing import changed_by_clients
from xenconform.models.api import Api, ApiClass, Field, Qualifier, State
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, RefTo, SetOf, Str, refs_in
from xenconform.models.values import Value, same


def destroy_of_a_referenced_object_fails(bench: Bench, of: ApiClass) -> None:
    """Destroy of an object that another one refers to fails and changes nothing. Source: introduction, destructors.

    It fails still when a first object no longer refers to it and a second one does.
    """
    for at, holder in enumerate(holders(bench.api, of)):
        formats = bench.formats if bench.budget.boundaries else (bench.formats[at % len(bench.formats)],)
        for fmt in formats:
            element = f"{of.name}<-{holder.cls}.{holder.field}"
            with bench.judging("DESTROY-REFERENCED", element, fmt) as judge:
                variant = at + bench.formats.index(fmt)
                target = _made_full(bench, of, variant)
                other = _made_full(bench, bench.api.classes[holder.cls], variant, {holder.name: target.ref})
                if _refuses_referenced(bench, judge, (of, fmt), (target, other, holder.field)):
                    other = _still_refuses(bench, judge, (of, fmt, holder), (target, other))
                _goes_at_last(bench, judge, fmt, (target, other))
        for fmt in in_turn(bench, bench.api.classes[holder.cls]):
            with (
                bench.judging("DESTROY-REFERENCED", f"{of.name}<-{holder.cls}.{holder.field}", fmt) as judge,
                suppress(Unavailable),
            ):
                judge.asserted += 1
                refuses_of_copies(bench, judge, (of, fmt), holder)
                _refuses_of_others(bench, judge, (of, fmt), holder)
    for at, (cls, field) in enumerate(setters(bench.api, of)):
        for fmt in bench.formats if bench.budget.boundaries else (bench.formats[at % len(bench.formats)],):
            with suppress(Unavailable):
                _refuses_what_is_named(bench, (of, fmt), cls, field)
    for fmt in bench.formats:
        refuses_of_kept(bench, of, fmt)


def is_named(api: Api, of: ApiClass) -> bool:
    """Whether an object of another class can be made to refer to one of this class."""
    if is_held(api, of):
        return True
    return is_destroyed(api, of) and (any(True for _ in setters(api, of)) or any(True for _ in keepers(api, of)))


def setters(api: Api, of: ApiClass) -> Iterator[tuple[ApiClass, Field]]:
    """Return each field that a setter, and no constructor, makes refer to objects of a class, one or a set of them."""
    taken = {(r.derived_cls, r.derived_field) for r in api.relations}
    taken |= {(holder.cls, holder.field) for holder in holders(api, of)}
    for cls in api.classes.values():
        for field in cls.fields.values():
            setter = cls.messages.get(f"set_{field.name}")
            refers = field.type in {RefTo(of.name), SetOf(RefTo(of.name))} and (cls.name, field.name) not in taken
            if setter is None or not refers or len(setter.params) != 2 or setter.params[1].type != field.type:
                continue
            if f"get_{field.name}" in cls.messages and setter.lifecycle.state is not State.REMOVED:
                yield cls, field


def _refuses_what_is_named(bench: Bench, at: tuple[ApiClass, Format], cls: ApiClass, field: Field) -> None:
    """Let an object that may be written refer to one of ours by a setter, where it can; then put it back.

    Raises:
        Unavailable: there is no such object, or the setter is not to be called.
    """
    of, fmt = at
    getter, setter = f"{cls.name}.get_{field.name}", f"{cls.name}.set_{field.name}"
    if setter in bench.profile.never:
        return
    holder = bench.stock.writable(cls.name)
    target = _made_full(bench, of, bench.formats.index(fmt))
    with bench.restoring(holder, field.name):
        was = value_of(bench, fmt, getter, holder.ref)
        bench.call(fmt, setter, holder.ref, (*(was or ()), target.ref) if isinstance(field.type, SetOf) else target.ref)
        if refers(value_of(bench, bench.other(fmt), getter, holder.ref), target.ref):
            with bench.judging("DESTROY-REFERENCED", f"{of.name}<-{cls.name}.{field.name}", fmt) as judge:
                _refuses_referenced(bench, judge, at, (target, holder, field.name))
        if holder.own and was is not None:
            bench.call(fmt, setter, holder.ref, was)
            if value_of(bench, bench.other(fmt), getter, holder.ref) == was:
                with bench.judging("DESTROY-REFERENCED", f"{of.name}<-{cls.name}.{field.name}", fmt) as judge:
                    judge.asserted += 1
                    _goes_at_last(bench, judge, fmt, (target, None))
    bench.stock.remove(target)


def _refuses_of_others(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], holder: Holder) -> None:
    """Let objects of other kinds refer to one of ours: one that a task made, and one as they usually are.

    Raises:
        Unavailable: one of them cannot be made.
    """
    of, fmt = at
    cls, usual = bench.api.classes[holder.cls], as_usual(bench, holder.cls)
    for kind in (None, usual) if usual else (None,):
        target = bench.stock.make(of.name)
        given = {**(kind or {}), holder.name: target.ref}
        made = bench.stock.make(cls.name, given, fmt=fmt) if kind else made_by_task(bench, cls, fmt, given)
        if refers(value_of(bench, fmt, f"{cls.name}.get_{holder.field}", made.ref), target.ref):
            exchange = bench.call(fmt, f"{of.name}.{of.destructor}", target.ref)
            judge.refused(exchange, f"destroy of a {of.name} that {cls.name}.{holder.field} of another kind refers to")
        bench.stock.remove(made)
        bench.stock.remove(target)


def _goes_at_last(bench: Bench, judge: Judge, fmt: Format, pair: tuple[Obj, Obj | None]) -> None:
    """Judge that what nothing refers to any more can be destroyed, if another one of its class can be.

    A server may have reasons of its own to keep it: refused it is to be in the same way as when it was referred to.
    """
    target, other = pair
    message = f"{target.cls}.{bench.api.classes[target.cls].destructor}"
    before = bench.call(fmt, message, target.ref) if other is not None else None
    if other is not None and not bench.stock.remove(other):
        bench.stock.remove(target)
        return
    seen = bench.call(fmt, message, target.ref)
    if before is not None and is_refusal(before):
        goes_by_itself(bench, bench.api.classes[target.cls], judge.element, before, seen)
    again, was = seen.reply.outcome, before.reply.outcome if before is not None else None
    if not isinstance(again, Failure) or again.code == "HANDLE_INVALID":
        bench.stock.forget(target)
        return
    like = was is None or (isinstance(was, Failure) and was.code == again.code)
    with suppress(Unavailable):
        if like and bench.stock.remove(bench.stock.make(target.cls)) and not bench.stock.remove(target):
            judge.fail(f"the {target.cls} is destroyed, as nothing refers to it any more", describe(seen), seen)


def _made_full(bench: Bench, of: ApiClass, variant: int, values: Mapping[str, Value] = NOTHING) -> Obj:
    """Make an object of which clients have set what they can, so that what is lost of it shows; else a plain one.

    Raises:
        Unavailable: none can be made.
    """
    set_later = {
        name
        for name, field in given_fields(of, bench.stock.constructor(of.name))
        if field.qualifier is Qualifier.RW and not refs_in(field.type)
    }
    full = {name: value for name, value in varied(bench, of, variant, mixed=True).items() if name in set_later}
    made = bench.stock.try_make(of.name, {**full, **values})
    done = isinstance(made.reply.outcome, Success)
    obj = bench.stock.adopt(of.name, made) if done else bench.stock.make(of.name, values)
    fmt = bench.formats[variant % len(bench.formats)]
    for field in of.fields.values():
        later = (
            field.qualifier is Qualifier.RW and isinstance(field.type, Str | SetOf | MapOf) and not refs_in(field.type)
        )
        if done and later and field.name not in full:
            with suppress(Unavailable):
                for value in plain_values(bench, of.name, field, field.type, 3)[-1:]:
                    bench.call(fmt, f"{of.name}.set_{field.name}", obj.ref, value)
    return obj


def _refuses_referenced(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], pair: tuple[Obj, Obj, str]) -> bool:
    of, fmt = at
    target, other, field = pair
    if not refers(value_of(bench, fmt, f"{other.cls}.get_{field}", other.ref), target.ref):
        raise Unavailable(f"the new {other.cls} does not refer to the {of.name}; counted under CREATE-FIELDS")
    read_over = bench.other(fmt)
    before = [value_of(bench, read_over, f"{obj.cls}.get_record", obj.ref) for obj in (target, other)]
    found = _found(bench, read_over, target, before[0])
    ends = far_ends(bench, read_over, of, before[0] or {}) if fmt in in_turn(bench, of) else {}
    exchange = bench.call(fmt, f"{of.name}.{of.destructor}", target.ref)
    if not judge.refused(exchange, f"destroy of a {of.name} that {other.cls}.{field} refers to"):
        return False
    with bench.judging("DESTROY-REFERENCED-UNCHANGED", judge.element, fmt) as still:
        _is_as_before(bench, still, read_over, zip((target, other), before, strict=True), exchange)
        lost = found - _found(bench, read_over, target, before[0])
        still.true(not lost, f"the {of.name} is found as before", f"not by {sorted(lost)}", exchange)
        for relation, members in far_ends(bench, read_over, of, before[0] or {}).items() if ends else ():
            stays = target.ref in members or target.ref not in ends.get(relation, ())
            still.true(stays, f"the {of.name} in {relation.derived_field} as before", show(members), exchange)
    # Only now: what two refusals change may be as it was.
    refused, task = refused_as_task(bench, fmt, target) if bench.budget.boundaries else (True, None)
    if task is not None and refused:
        with bench.judging("DESTROY-REFERENCED-UNCHANGED", judge.element, fmt) as still:
            _is_as_before(bench, still, read_over, [(target, before[0])], task)
    expected = f"a task to destroy a {of.name} that {other.cls}.{field} refers to fails"
    return task is None or judge.true(refused, expected, "it succeeds", task)


def _is_as_before(
    bench: Bench, still: Judge, fmt: Format, objects: Iterable[tuple[Obj, Value]], *calls: Exchange
) -> None:
    for obj, was in objects:
        if was is None or not obj.own:
            continue
        record, seen = bench.ask(fmt, f"{obj.cls}.get_record", obj.ref)
        changed = _changed(bench.api, obj.cls, was, record)
        still.true(not changed, f"the {obj.cls} as before", f"other {sorted(changed)}", *calls, seen)


def _changed(api: Api, cls: str, was: dict[str, Value], record: dict[str, Value]) -> set[str]:
    """Return the fields that differ of those that clients change, by themselves or as the far end of a bond."""
    of = api.classes[cls]
    ends = {r.derived_field for r in api.relations if r.derived_cls == cls} & was.keys() & record.keys()
    return changed_by_clients(of, was, record) | {
        name for name in ends if not same(of.fields[name].type, was[name], record[name])
    }


def _found(bench: Bench, fmt: Format, obj: Obj, record: Value) -> set[str]:
    """Return by which messages an object of ours is found."""
    asked: dict[str, tuple[Value, ...]] = {"get_all": ()}
    for name in ("uuid", "name_label"):
        if record is not None and record.get(name):
            asked[f"get_by_{name}"] = (record[name],)
    found = set()
    for name, args in asked.items():
        value = value_of(bench, fmt, f"{obj.cls}.{name}", *args)
        if value is not None and (value == obj.ref or (not isinstance(value, str) and obj.ref in value)):
            found.add(name)
    return found


def _still_refuses(bench: Bench, judge: Judge, at: tuple[ApiClass, Format, Holder], pair: tuple[Obj, Obj]) -> Obj:
    """Let a second object refer to the same one, and the first go; return which of the two is left.

    The second refers to it by a setter where there is one, so that both ways are tried.
    """
    of, fmt, holder = at
    target, first = pair
    setter = f"{holder.cls}.set_{holder.field}"
    later = bench.api.message(setter) is not None
    variant = bench.formats.index(fmt) + 1
    try:
        second = _made_full(bench, bench.api.classes[holder.cls], variant, {} if later else {holder.name: target.ref})
    except Unavailable:
        return first
    for _ in range(2 if later else 0):  # The same again counts for nothing.
        bench.call(fmt, setter, second.ref, target.ref)
    referred = value_of(bench, fmt, f"{holder.cls}.get_{holder.field}", second.ref) == target.ref
    if referred:
        _leaves_the_second(bench, judge, (of, fmt), (target, second))
    if not referred or not bench.stock.remove(first):
        bench.stock.remove(second)
        return first
    exchange = bench.call(fmt, f"{of.name}.{of.destructor}", target.ref)
    judge.refused(exchange, f"destroy of a {of.name} that a second {holder.cls}.{holder.field} refers to")
    return second


def _leaves_the_second(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], pair: tuple[Obj, Obj]) -> None:
    """Judge that a destroy that is refused while two objects refer to one changes the second as little as the first."""
    of, fmt = at
    target, second = pair
    was = value_of(bench, fmt, f"{second.cls}.get_record", second.ref)
    exchange = bench.call(fmt, f"{of.name}.{of.destructor}", target.ref)
    if not isinstance(exchange.reply.outcome, Success):
        with bench.judging("DESTROY-REFERENCED-UNCHANGED", judge.element, fmt) as still:
            _is_as_before(bench, still, bench.other(fmt), [(second, was)], exchange)


CHECKS = (
    Check(
        "DESTROY-REFERENCED",
        per_class=destroy_of_a_referenced_object_fails,
        applies=is_named,
        also=("DESTROY-REFERENCED-UNCHANGED",),
    ),
)
