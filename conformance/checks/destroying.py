"""Level 3, destructors: what is gone is gone everywhere, and nothing else goes."""

from __future__ import annotations

from contextlib import suppress

from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, unheard
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.surrounding import holders, is_destroyed, takers
from xenconform.models.api import Api, ApiClass, Message
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import NULL_REF, RefTo, SetOf
from xenconform.models.values import Ref, Value


def is_held(api: Api, of: ApiClass) -> bool:
    """Whether an object of another class can be made that refers to one of this class."""
    return is_destroyed(api, of) and any(True for _ in holders(api, of))


def destroy(bench: Bench, fmt: Format, obj: Obj) -> Exchange:
    """Destroy an object of our own, which nothing refers to.

    Raises:
        Unanswered: the server would not; for an explicit destructor, or one that the profile knows to refuse, that is
            the server's own domain.
    """
    message = bench.api.classes[obj.cls].messages[bench.api.classes[obj.cls].destructor]
    exchange = bench.call(fmt, message.full_name, obj.ref)
    if isinstance(exchange.reply.outcome, Success):
        bench.stock.forget(obj)
        return exchange
    lenient = not message.implicit or obj.cls in bench.profile.may_refuse or bench.is_domain_refusal(exchange)
    raise Unanswered(exchange, domain=lenient and isinstance(exchange.reply.outcome, Failure))


def refused_as_task(bench: Bench, fmt: Format, obj: Obj) -> tuple[bool, Exchange | None]:
    """Ask a task to destroy an object; return whether it is not done, and the telling exchange.

    A server without the asynchronous form, and a task that does not end, have not done it: that is for ASYNC-TASK.
    """
    of = bench.api.classes[obj.cls]
    with suppress(Unanswered, Unavailable):
        ended = Async(bench, unheard(fmt), fmt, of.messages[of.destructor]).run(obj.ref)
        if ended is not None:
            return not ended.succeeded, ended.seen[0]
    return True, None


def destroy_as_task(bench: Bench, fmt: Format, obj: Obj) -> Exchange:
    """Destroy an object of our own by a task; where that does not get it done, by the plain form.

    Raises:
        Unanswered: as `destroy`.
    """
    refused, call = refused_as_task(bench, fmt, obj)
    if refused or call is None:
        return destroy(bench, fmt, obj)
    bench.stock.forget(obj)
    return call


def value_of(bench: Bench, fmt: Format, message: str, *args: Value) -> Value:
    """Return what a call answers, None where there is no such message or it fails."""
    if bench.api.message(message) is None:
        return None
    outcome = bench.call(fmt, message, *args).reply.outcome
    return outcome.value if isinstance(outcome, Success) else None


def second_destroy_fails(bench: Bench, of: ApiClass) -> None:
    """A second destroy fails with HANDLE_INVALID. Source: error list (SHOULD).

    Over another format and the same one, and once more when a newcomer is there that may have taken the place.
    """
    again = f"{of.name}.{of.destructor}"
    for fmt in bench.formats:
        with bench.judging("DESTROY-AGAIN", of.name, fmt) as judge:
            obj = bench.stock.make(of.name)
            destroy(bench, fmt, obj)
            for over in dict.fromkeys((bench.other(fmt), fmt)):
                judge.code(bench.call(over, again, obj.ref, probe=True), "HANDLE_INVALID", of.name, obj.ref)
            newcomer = bench.stock.make(of.name)
            judge.code(bench.call(fmt, again, obj.ref, probe=True), "HANDLE_INVALID", of.name, obj.ref)
            bench.stock.remove(newcomer)
    for fmt in in_turn(bench, of):
        with bench.judging("DESTROY-AGAIN", of.name, fmt) as judge:
            obj = bench.stock.make(of.name)
            destroy_as_task(bench, fmt, obj)
            judge.code(bench.call(fmt, again, obj.ref, probe=True), "HANDLE_INVALID", of.name, obj.ref)


def only_that_object_goes(bench: Bench, of: ApiClass) -> None:
    """Destroy removes that object only: not its neighbours, nor what it refers to. Source: introduction."""
    for fmt in bench.formats:
        with bench.judging("DESTROY-NO-CASCADE", of.name, fmt) as judge:
            older = bench.stock.make(of.name)
            obj, newer = _twins(bench, of)
            near = _referred(bench, of, fmt, obj)
            before = bench.stock.known_refs(of.name) & set(bench.stock.all_refs(of.name))
            gone = destroy(bench, fmt, obj)
            if "get_all" in of.messages:
                # Objects of others may end at any time by themselves; ours do not.
                after, seen = bench.ask(bench.other(fmt), f"{of.name}.get_all")
                lost = before - set(after) - {obj.ref}
                judge.true(not lost, "every other object of ours", f"without {sorted(lost)[:3]}", gone, seen)
            _are_there(bench, judge, fmt, [*near, (of.name, older.ref), (of.name, newer.ref)], gone)
            if judge.failed:
                bench.stock.remove(newer)
            else:
                # What two referred to may go with the last of them.
                _are_there(bench, judge, fmt, near, destroy(bench, fmt, newer))
            bench.stock.remove(older)
    for fmt in in_turn(bench, of):
        with bench.judging("DESTROY-NO-CASCADE", of.name, fmt) as judge:
            obj, twin = _twins(bench, of)
            near = _referred(bench, of, fmt, obj)
            _are_there(bench, judge, fmt, [*near, (of.name, twin.ref)], destroy_as_task(bench, fmt, obj))
            left = _once_bound(bench, of, fmt, twin)
            gone = destroy(bench, fmt, twin)
            _are_there(bench, judge, fmt, [(each.cls, each.ref) for each in left], gone)
            for each in reversed(left):
                bench.stock.remove(each)


def _once_bound(bench: Bench, of: ApiClass, fmt: Format, obj: Obj) -> list[Obj]:
    """Make objects that refer to one of ours and then no more, by each field that may: one to none, one to another.

    The latter is made so where the constructor takes the reference. What they refer to in the end comes first.
    """
    found: list[Obj] = []
    for cls, field, setter in takers(bench, of):
        with suppress(Unavailable):
            names = [name for name, each in given_fields(cls) if each.name == field.name] if cls.constructors else []
            found = found or [bench.stock.make(of.name)]
            for end in (NULL_REF, found[0].ref):
                made = bench.stock.try_make(cls.name, {names[0]: obj.ref} if names and end != NULL_REF else {})
                if isinstance(made.reply.outcome, Success):
                    holder = bench.stock.adopt(cls.name, made)
                    if _goes_over(bench, fmt, setter, (holder.ref, obj.ref, end)):
                        found.append(holder)
                    else:
                        bench.stock.remove(holder)
    return found


def _goes_over(bench: Bench, fmt: Format, setter: Message, refs: tuple[Ref, Ref, Ref]) -> bool:
    """Let an object refer to a second one and then to a third, or to none; return whether the server let it."""
    holder, old, new = refs
    message = setter.full_name
    calls: list[tuple[str, Value]] = [(message, old), (message, new)]
    if setter.verb == "add":
        calls = [(message, old), (f"{setter.cls}.remove_{setter.field}", old)]
    elif isinstance(setter.params[1].type, SetOf):
        calls = [(message, (old,)), (message, () if new == NULL_REF else (new,))]
    done = (bench.call(fmt, name, holder, value).reply.outcome for name, value in calls)
    return all(isinstance(each, Success) for each in done)


def _are_there(bench: Bench, judge: Judge, fmt: Format, objects: list[tuple[str, Ref]], gone: Exchange) -> None:
    for cls, ref in objects:
        # A probe where it is ours: that it is listed no longer is here no excuse but the very fault.
        ours = ref in bench.stock.known_refs(cls)
        seen = bench.call(bench.other(fmt), f"{cls}.{reader(bench, cls)}", ref, probe=ours)
        there = isinstance(seen.reply.outcome, Success)
        judge.true(there, f"the {cls} {ref} is still there", describe(seen), gone, seen)


def _twins(bench: Bench, of: ApiClass) -> tuple[Obj, Obj]:
    """Make an object that refers to new ones of ours, and another that is like it in all that its constructor takes.

    Where a server lets it, they refer to something in places that may be left empty as well. Where it has a reason to
    refuse the second, that is made of other values.
    """
    values = {**bench.stock.exemplar(of.name), **own_targets(bench, of)}
    full = {**values, **own_targets(bench, of, empty=True)}
    made = bench.stock.try_make(of.name, full) if full != values else None
    if made is not None and isinstance(made.reply.outcome, Success):
        obj, values = bench.stock.adopt(of.name, made), full
    else:
        obj = bench.stock.make(of.name, values)
    twin = bench.stock.try_make(of.name, values)
    if isinstance(twin.reply.outcome, Success) and twin.reply.outcome.value != obj.ref:
        return obj, bench.stock.adopt(of.name, twin)
    return obj, bench.stock.make(of.name)


def own_targets(bench: Bench, of: ApiClass, *, empty: bool = False) -> dict[str, Ref]:
    """Return objects of our own for the references that a constructor takes, as far as they can be made.

    `empty`: for those that it needs not have, and may have, instead of for those that it needs.
    """
    found = {}
    for name, field in given_fields(of) if of.constructors else ():
        if isinstance(field.type, RefTo) and field.type.cls != of.name:
            needed = bench.stock.exemplar(of.name).get(name) not in {None, NULL_REF, ""}
            domain = bench.profile.domain(of.name, field.name)
            if needed == empty or (empty and (domain.skip or not domain.is_free)):
                continue
            with suppress(Unavailable):
                found[name] = bench.stock.make(field.type.cls).ref
    return found


def _referred(bench: Bench, of: ApiClass, fmt: Format, obj: Obj) -> list[tuple[str, Ref]]:
    """Return the objects that an object's constructor made it refer to."""
    found = []
    for _, field in given_fields(of):
        if isinstance(field.type, RefTo):
            ref = value_of(bench, fmt, f"{of.name}.get_{field.name}", obj.ref)
            there = f"{field.type.cls}.{reader(bench, field.type.cls)}"
            if ref is not None and value_of(bench, fmt, there, ref) is not None:
                found.append((field.type.cls, ref))
    return found


def reader(bench: Bench, cls: str) -> str:
    """Return the name of the cheapest message that tells whether an object of a class is there."""
    return "get_uuid" if "get_uuid" in bench.api.classes[cls].messages else "get_record"


CHECKS = (
    Check("DESTROY-AGAIN", per_class=second_destroy_fails, applies=is_destroyed),
    Check("DESTROY-NO-CASCADE", per_class=only_that_object_goes, applies=is_destroyed),
)
