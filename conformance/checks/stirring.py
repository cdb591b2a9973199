"""Objects of ours that were moved, copied and taken back: states that no constructor and no setter leads to.

Whether the messages do what they are for is not judged here, and a server may refuse any of them; what it shows of the
objects afterwards has to fit together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import MappingProxyType

from xenconform.conformance.checks.aimed import takes_self, why_not, without_refs
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.births import COPIES
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.destroying import own_targets
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.power_walk import Walk
from xenconform.conformance.checks.relations import movers, owned
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import ApiClass, Message, Qualifier, Relation, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.power import PAUSED, RUNNING, SUSPENDED
from xenconform.models.types import NULL_REF, Bool, RefTo, Type
from xenconform.models.values import Ref, Value, is_null_text

COPYING = COPIES - {"snapshot_with_quiesce"}
"""Messages that make an object of their class out of another, and need no guest that quiesces."""
EMPTY: Mapping[str, Mapping[str, Value]] = MappingProxyType(
    {"VBD": {"type": "CD", "mode": "RO", "empty": True, "VDI": NULL_REF, "bootable": False}}
)
"""What an object is made with that is to be bound later, by class."""

STATES = (RUNNING, PAUSED, SUSPENDED)
"""The power states besides the one in which a VM is made."""


@contextmanager
def stirred(bench: Bench, of: ApiClass) -> Iterator[None]:
    """Move and copy objects of a class, and those that own objects of it; remove them afterwards.

    Objects of the class itself over each format, what owns them over one or another. One has all its switches turned.
    VMs are brought into each power state.
    """
    made: list[Obj] = []
    turned: list[tuple[str, Ref, Value]] = []
    near = {r.derived_cls for r in bench.api.relations if r.owner_cls == of.name}
    for cls in dict.fromkeys((of.name, *sorted(near))) if bench.budget.boundaries else ():
        for at, message in enumerate(explicit_of(bench, cls)):
            for fmt in bench.formats if cls == of.name else (bench.formats[at % len(bench.formats)],):
                with suppress(Unavailable):
                    if message.name in COPYING:
                        copy(bench, of, message, fmt, made)
                    elif cls == of.name and _moves(message, near):
                        _move(bench, message, fmt, made)
    with suppress(Unavailable):
        _switch(bench, of, made, turned)
    walks = [Walk(bench, of) for _ in STATES] if of.name == "VM" and bench.budget.boundaries else []
    for walk, state in zip(walks, STATES, strict=False):
        with suppress(Unavailable, Unanswered):
            walk.reach(state)
    with ExitStack() as stack:
        if bench.budget.boundaries:
            rebound(bench, of, made, stack)
        yield
    for walk in walks:
        walk.end()
    for setter, ref, value in turned:
        bench.call(bench.formats[0], setter, ref, value, probe=True)
    for obj in reversed(made):
        bench.stock.remove(obj)


def rebound(bench: Bench, of: ApiClass, made: list[Obj], stack: ExitStack) -> None:
    """Bind anew, by the setters and their like, an object of a class, one that was there where we can make none.

    What refers to many loses one of its members to a setter and another to a removal, and takes a new one; what refers
    to one goes on to another, and a second object to none. `stack` puts back what is not ours.
    """
    for at, relation in enumerate(owned(bench.api, of, {each.name for each in bench.classes})):
        writers = {m.verb: m.full_name for m, is_owner in movers(bench.api, relation) if is_owner and m.verb}
        if not writers or not bench.profile.never.isdisjoint(writers.values()):
            continue
        fmt = bench.formats[at % len(bench.formats)]
        with suppress(Unavailable):
            obj = bench.stock.writable(of.name)
            stack.enter_context(bench.restoring(obj, relation.owner_field))
            if relation.many_owner:
                _change_members(bench, relation, obj, fmt)
            elif "set" in writers:
                made += (ends := [bench.stock.make(relation.derived_cls), bench.stock.make(relation.derived_cls)])
                made += (new := [bench.stock.make(of.name), bench.stock.make(of.name)] if obj.own else [])
                for each, last in zip(new or [obj], (ends[1].ref, NULL_REF), strict=False):
                    bench.call(fmt, writers["set"], each.ref, ends[0].ref, probe=True)
                    bench.call(fmt, writers["set"], each.ref, last, probe=True)


def _change_members(bench: Bench, relation: Relation, obj: Obj, fmt: Format) -> None:
    """Let an object refer to two members at least, take two out, one by a setter, and let it refer to a new one."""
    name, messages = relation.owner_field, bench.api.classes[obj.cls].messages
    outcome = bench.call(fmt, f"{obj.cls}.get_{name}", obj.ref).reply.outcome
    before = list(outcome.value) if isinstance(outcome, Success) else []
    fresh = [each.ref for each in bench.stock.readable(relation.derived_cls, 5) if each.ref not in before]
    held = [*before, *fresh[: max(0, 2 - len(before))]]
    ways = [("set", value) for value in (tuple(held), tuple(held[1:] or held)) if value != tuple(before)]
    ways += [("remove", each) for each in held[-1:]] + [("add", each) for each in fresh[-1:]]
    for verb, value in ways:
        if f"{verb}_{name}" in messages:
            bench.call(
                bench.other(fmt, ways.index((verb, value))), f"{obj.cls}.{verb}_{name}", obj.ref, value, probe=True
            )


def explicit_of(bench: Bench, cls: str) -> list[Message]:
    """Return the messages of a class that follow from no field, take an object of it and may be called."""
    found = bench.api.classes[cls].messages.values()
    live = (m for m in found if not (m.implicit or m.verb) and m.lifecycle.state is not State.REMOVED)
    return [message for message in live if takes_self(message) and not why_not(bench, message)]


def _moves(message: Message, near: set[str]) -> bool:
    """Whether a message takes an object and one of those that it may be bound to."""
    target = message.params[1].type if len(message.params) == 2 else None
    return isinstance(target, RefTo) and target.cls in near


def copy(bench: Bench, of: ApiClass, message: Message, fmt: Format, made: list[Obj]) -> None:
    """Copy a new object of ours, to which one of the class belongs where that is another class; go back to a snapshot.

    `made` takes up what there is more of, what belongs to a thing behind it.

    Raises:
        Unavailable: what it needs cannot be had.
    """
    if not bench.api.classes[message.cls].destructor:
        return
    rest = [copied_with(bench, message.cls, param.type) for param in message.params[1:]]
    made.append(base := bench.stock.make(message.cls))
    if of.name != message.cls:
        _bind(bench, of, base, made)
    outcome = bench.call(fmt, message.full_name, base.ref, *rest, probe=True).reply.outcome
    if not isinstance(outcome, Success) or not isinstance(outcome.value, str) or is_null_text(outcome.value):
        return
    made.append(bench.stock.adopt_ref(message.cls, outcome.value))
    revert = bench.api.message(f"{message.cls}.revert")
    if revert is not None and message.name == "snapshot" and not why_not(bench, revert):
        bench.call(fmt, revert.full_name, outcome.value, probe=True)
    for ref in (outcome.value, base.ref):
        made += _parts(bench, message.cls, ref)


def copied_with(bench: Bench, cls: str, of: Type) -> Value:
    """Return what a copy is made with besides what is copied: one that is there of another class, none of its own."""
    if not isinstance(of, RefTo):
        return without_refs(of)
    return NULL_REF if of.cls == cls else bench.stock.readable(of.cls)[0].ref


def _bind(bench: Bench, of: ApiClass, base: Obj, made: list[Obj]) -> None:
    """Make an object of a class that refers to a given one, and to new ones of ours besides."""
    if not of.constructors or not of.destructor:
        return
    names = [name for name, field in given_fields(of) if field.type == RefTo(base.cls)]
    targets = own_targets(bench, of) if names else {}
    classes = {name: field.type for name, field in given_fields(of)}
    for name, ref in targets.items():
        target = classes[name]
        assert isinstance(target, RefTo)
        made.append(bench.stock.object_of(target.cls, ref))
    if names:
        exchange = bench.stock.try_make(of.name, {**targets, names[0]: base.ref})
        if isinstance(exchange.reply.outcome, Success):
            made.append(bench.stock.adopt(of.name, exchange))


def _switch(bench: Bench, of: ApiClass, made: list[Obj], turned: list[tuple[str, Ref, Value]]) -> None:
    """Make an object that refers to all that it may, and turn its switches one after another: no bond hangs on one.

    `turned` takes up what puts them back.
    """
    if not of.constructors or not of.destructor:
        return
    targets = {**own_targets(bench, of, empty=True), **own_targets(bench, of)}
    types = {name: field.type for name, field in given_fields(of)}
    made += [bench.stock.object_of(kind.cls, ref) for n, ref in targets.items() if isinstance(kind := types[n], RefTo)]
    exchange = bench.stock.try_make(of.name, targets)
    made.append(obj := bench.stock.adopt(of.name, exchange) if is_success(exchange) else bench.stock.make(of.name))
    for field in of.fields.values():
        getter, setter = f"{of.name}.get_{field.name}", f"{of.name}.set_{field.name}"
        free = bench.profile.domain(of.name, field.name).is_free and field.qualifier is Qualifier.RW
        if not free or not isinstance(field.type, Bool | RefTo) or setter in bench.profile.never:
            continue
        now = bench.call(bench.formats[0], getter, obj.ref).reply.outcome
        if not isinstance(now, Success):
            continue
        if isinstance(field.type, Bool):
            turned.append((setter, obj.ref, now.value))
            bench.call(bench.formats[0], setter, obj.ref, not now.value, probe=True)
        elif is_null_text(now.value):
            made.append(end := bench.stock.make(field.type.cls))
            bench.call(bench.formats[0], setter, obj.ref, end.ref, probe=True)


def is_success(exchange: Exchange) -> bool:
    """Whether a call was carried out."""
    return isinstance(exchange.reply.outcome, Success)


def _parts(bench: Bench, cls: str, ref: Ref) -> list[Obj]:
    """Take into the stock what shows at an object of ours and is not ours yet: that was made along with a copy."""
    found: list[Obj] = []
    for relation in bench.api.relations:
        part = bench.api.classes[relation.owner_cls]
        if relation.derived_cls != cls or relation.many_owner or not (part.destructor and part.constructors):
            continue
        outcome = bench.call(bench.formats[0], f"{cls}.get_{relation.derived_field}", ref).reply.outcome
        members = outcome.value if isinstance(outcome, Success) else ()
        for each in members:
            if each not in bench.stock.known_refs(part.name) | set(bench.stock.existing(part.name)):
                found += [*_needs(bench, part, each), bench.stock.adopt_ref(part.name, each)]
    return found


def _needs(bench: Bench, of: ApiClass, ref: Ref) -> list[Obj]:
    """Take into the stock the disks that a drive of a copy came with."""
    if "get_VDI" not in of.messages:
        return []
    outcome = bench.call(bench.formats[0], f"{of.name}.get_VDI", ref).reply.outcome
    disk = outcome.value if isinstance(outcome, Success) else NULL_REF
    known = bench.stock.known_refs("VDI") | set(bench.stock.existing("VDI"))
    return [] if is_null_text(disk) or disk in known else [bench.stock.adopt_ref("VDI", disk)]


def _move(bench: Bench, message: Message, fmt: Format, made: list[Obj]) -> None:
    """Bind a new object of ours to another one, and to a third where that goes."""
    target = message.params[1].type
    assert isinstance(target, RefTo)
    ends = [bench.stock.make(target.cls), bench.stock.make(target.cls)]
    made += ends
    exchange = bench.stock.try_make(message.cls, EMPTY.get(message.cls, {}))
    if not isinstance(exchange.reply.outcome, Success):
        return
    made.append(obj := bench.stock.adopt(message.cls, exchange))
    for end in ends:
        bench.call(fmt, message.full_name, obj.ref, end.ref, probe=True)
    out = bench.api.message(f"{message.cls}.eject")
    if out is not None and fmt == bench.formats[-1]:
        bench.call(fmt, out.full_name, obj.ref, probe=True)
