"""Level 3, destructors: what is gone is gone everywhere, what is referred to stays, and nothing else goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe
from xenconform.conformance.checks.reading import getters
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.writing import changed_by_clients
from xenconform.models.api import Api, ApiClass
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import NULL_REF, RefTo
from xenconform.models.values import Ref, Value


@dataclass(frozen=True, slots=True)
class Holder:
    """A constructor's value, `name`, that makes an object of class `cls` refer to one of class `target`."""

    cls: str
    name: str
    field: str
    target: str


def is_destroyed(_api: Api, of: ApiClass) -> bool:
    """Whether the model knows how an object of the class is made and how it is ended."""
    return bool(of.constructors) and bool(of.destructor)


def is_held(api: Api, of: ApiClass) -> bool:
    """Whether an object of another class can be made that refers to one of this class."""
    return is_destroyed(api, of) and any(True for _ in holders(api, of))


def holders(api: Api, of: ApiClass) -> Iterator[Holder]:
    """Return each way to make an object that refers, by a field that owns the reference, to one of this class."""
    derived = {(r.derived_cls, r.derived_field) for r in api.relations}
    for cls in api.classes.values():
        if not is_destroyed(api, cls):
            continue
        for name, field in given_fields(cls):
            if field.type == RefTo(of.name) and (cls.name, field.name) not in derived:
                yield Holder(cls.name, name, field.name, of.name)


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


def destroyed_is_gone(bench: Bench, of: ApiClass) -> None:
    """After destroy every call with the ref fails, and no listing or look-up shows the object. Source: introduction."""
    for fmt in bench.formats:
        with bench.judging("DESTROY-GONE", of.name, fmt) as judge:
            obj = bench.stock.make(of.name)
            uuid = _value(bench, fmt, f"{of.name}.get_uuid", obj.ref)
            label = _value(bench, fmt, f"{of.name}.get_name_label", obj.ref)
            gone = destroy(bench, fmt, obj)
            _every_call_fails(bench, judge, of, obj)
            _no_list_shows(bench, judge, of, (obj, uuid, label), gone)


def _value(bench: Bench, fmt: Format, message: str, *args: Value) -> Value:
    if bench.api.message(message) is None:
        return None
    outcome = bench.call(fmt, message, *args).reply.outcome
    return outcome.value if isinstance(outcome, Success) else None


def _every_call_fails(bench: Bench, judge: Judge, of: ApiClass, obj: Obj) -> None:
    messages = [name for _, name in getters(of)] + [f"{of.name}.get_record"] * ("get_record" in of.messages)
    for at, message in enumerate(messages):
        fmt = bench.formats[at % len(bench.formats)]
        judge.refused(bench.call(fmt, message, obj.ref, probe=True), f"{message} of a destroyed object")


def _no_list_shows(bench: Bench, judge: Judge, of: ApiClass, was: tuple[Obj, Value, Value], gone: Exchange) -> None:
    obj, uuid, label = was
    for fmt in bench.formats:
        for name in ("get_all", "get_all_records"):
            if name in of.messages:
                listed, seen = bench.ask(fmt, f"{of.name}.{name}")
                judge.true(
                    obj.ref not in listed, f"{name} without the destroyed object", f"it shows {obj.ref}", gone, seen
                )
        if uuid is not None and "get_by_uuid" in of.messages:
            seen = bench.call(fmt, f"{of.name}.get_by_uuid", uuid, probe=True)
            judge.refused(seen, "get_by_uuid of a destroyed object's uuid")
        if label is not None and "get_by_name_label" in of.messages:
            found, seen = bench.ask(fmt, f"{of.name}.get_by_name_label", label)
            judge.true(
                obj.ref not in found, "a look-up without the destroyed object", f"it shows {obj.ref}", gone, seen
            )


def second_destroy_fails(bench: Bench, of: ApiClass) -> None:
    """A second destroy fails with HANDLE_INVALID. Source: error list (SHOULD)."""
    for fmt in bench.formats:
        with bench.judging("DESTROY-AGAIN", of.name, fmt) as judge:
            obj = bench.stock.make(of.name)
            destroy(bench, fmt, obj)
            exchange = bench.call(bench.other(fmt), f"{of.name}.{of.destructor}", obj.ref, probe=True)
            judge.code(exchange, "HANDLE_INVALID", of.name, obj.ref)


def destroy_of_a_referenced_object_fails(bench: Bench, of: ApiClass) -> None:
    """Destroy of an object that another one refers to fails and changes nothing. Source: introduction, destructors."""
    for at, holder in enumerate(holders(bench.api, of)):
        formats = bench.formats if bench.budget.boundaries else (bench.formats[at % len(bench.formats)],)
        for fmt in formats:
            element = f"{of.name}<-{holder.cls}.{holder.field}"
            with bench.judging("DESTROY-REFERENCED", element, fmt) as judge:
                target = bench.stock.make(of.name)
                other = bench.stock.make(holder.cls, {holder.name: target.ref})
                _refuses_referenced(bench, judge, (of, fmt), (target, other, holder.field))
                bench.stock.remove(other)
                bench.stock.remove(target)


def _refuses_referenced(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], pair: tuple[Obj, Obj, str]) -> None:
    of, fmt = at
    target, other, field = pair
    if _value(bench, fmt, f"{other.cls}.get_{field}", other.ref) != target.ref:
        raise Unavailable(f"the new {other.cls} does not refer to the {of.name}; counted under CREATE-FIELDS")
    read_over = bench.other(fmt)
    before = [_value(bench, read_over, f"{obj.cls}.get_record", obj.ref) for obj in (target, other)]
    exchange = bench.call(fmt, f"{of.name}.{of.destructor}", target.ref)
    if not judge.refused(exchange, f"destroy of a {of.name} that {other.cls}.{field} refers to"):
        return
    with bench.judging("DESTROY-REFERENCED-UNCHANGED", judge.element, fmt) as still:
        for obj, was in zip((target, other), before, strict=True):
            if was is None:
                continue
            record, seen = bench.ask(read_over, f"{obj.cls}.get_record", obj.ref)
            changed = changed_by_clients(bench.api.classes[obj.cls], was, record)
            still.true(not changed, f"the {obj.cls} as before", f"other {sorted(changed)}", exchange, seen)


def only_that_object_goes(bench: Bench, of: ApiClass) -> None:
    """Destroy removes that object only: not its neighbours, nor what it refers to. Source: introduction."""
    for fmt in bench.formats:
        with bench.judging("DESTROY-NO-CASCADE", of.name, fmt) as judge:
            older = bench.stock.make(of.name)
            obj = bench.stock.make(of.name, _own_targets(bench, of))
            newer = bench.stock.make(of.name)
            near = _referred(bench, of, fmt, obj)
            before = bench.stock.known_refs(of.name)
            gone = destroy(bench, fmt, obj)
            if "get_all" in of.messages:
                # Objects of others may end at any time by themselves; ours do not.
                after, seen = bench.ask(bench.other(fmt), f"{of.name}.get_all")
                lost = before - set(after) - {obj.ref}
                judge.true(not lost, "every other object of ours", f"without {sorted(lost)[:3]}", gone, seen)
            for cls, ref in (*near, (of.name, older.ref), (of.name, newer.ref)):
                # A probe where it is ours: that it is listed no longer is here no excuse but the very fault.
                ours = ref in bench.stock.known_refs(cls)
                seen = bench.call(bench.other(fmt), f"{cls}.{_reader(bench, cls)}", ref, probe=ours)
                judge.true(
                    isinstance(seen.reply.outcome, Success),
                    f"the {cls} {ref} is still there",
                    describe(seen),
                    gone,
                    seen,
                )
            bench.stock.remove(newer)
            bench.stock.remove(older)


def _own_targets(bench: Bench, of: ApiClass) -> dict[str, Ref]:
    """Return objects of our own for the references that a constructor takes, as far as they can be made."""
    found = {}
    for name, field in given_fields(of):
        if isinstance(field.type, RefTo) and field.type.cls != of.name:
            if bench.stock.exemplar(of.name).get(name) in {None, NULL_REF, ""}:
                continue
            with suppress(Unavailable):
                found[name] = bench.stock.make(field.type.cls).ref
    return found


def _referred(bench: Bench, of: ApiClass, fmt: Format, obj: Obj) -> list[tuple[str, Ref]]:
    """Return the objects that an object's constructor made it refer to."""
    found = []
    for _, field in given_fields(of):
        if isinstance(field.type, RefTo):
            ref = _value(bench, fmt, f"{of.name}.get_{field.name}", obj.ref)
            reader = f"{field.type.cls}.{_reader(bench, field.type.cls)}"
            if ref is not None and _value(bench, fmt, reader, ref) is not None:
                found.append((field.type.cls, ref))
    return found


def _reader(bench: Bench, cls: str) -> str:
    """Return the name of the cheapest message that tells whether an object of a class is there."""
    return "get_uuid" if "get_uuid" in bench.api.classes[cls].messages else "get_record"


CHECKS = (
    Check("DESTROY-GONE", per_class=destroyed_is_gone, applies=is_destroyed),
    Check("DESTROY-AGAIN", per_class=second_destroy_fails, applies=is_destroyed),
    Check(
        "DESTROY-REFERENCED",
        per_class=destroy_of_a_referenced_object_fails,
        applies=is_held,
        also=("DESTROY-REFERENCED-UNCHANGED",),
    ),
    Check("DESTROY-NO-CASCADE", per_class=only_that_object_goes, applies=is_destroyed),
)
