"""Level 3, destructors: what copies and maps refer to stays too; what was refused is not ended later by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.destroying import reader, value_of
from xenconform.conformance.checks.judging import Judge, Unavailable
from xenconform.conformance.checks.stirring import COPYING, copied_with, explicit_of
from xenconform.conformance.checks.surrounding import Holder, holders, is_destroyed
from xenconform.models.api import Api, ApiClass, Field, Message, State
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, RefTo
from xenconform.models.values import Ref, Value, is_null_text


def refers(value: Value, ref: Ref) -> bool:
    """Whether a value of a field is a ref, or a set with it."""
    return bool(value == ref or (isinstance(value, tuple) and ref in value))


def refuses_of_copies(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], holder: Holder) -> None:
    """Judge that what a copy alone refers to is not destroyed, once what it was copied from has gone.

    A server may refuse to copy, and a copy need not refer to what its original does.
    """
    of, fmt = at
    for message in explicit_of(bench, holder.cls) if bench.api.classes[holder.cls].destructor else ():
        if message.name not in COPYING:
            continue
        with suppress(Unavailable):
            target = bench.stock.make(of.name)
            base = bench.stock.make(holder.cls, {holder.name: target.ref})
            rest = [copied_with(bench, holder.cls, param.type) for param in message.params[1:]]
            outcome = bench.call(fmt, message.full_name, base.ref, *rest, probe=True).reply.outcome
            if isinstance(outcome, Success) and isinstance(outcome.value, str) and not is_null_text(outcome.value):
                made = bench.stock.adopt_ref(holder.cls, outcome.value)
                named = value_of(bench, bench.other(fmt), f"{holder.cls}.get_{holder.field}", made.ref)
                if bench.stock.remove(base) and refers(named, target.ref):
                    exchange = bench.call(fmt, f"{of.name}.{of.destructor}", target.ref)
                    judge.refused(exchange, f"destroy of a {of.name} that a copy of a {holder.cls} refers to")
                bench.stock.remove(made)
            if base in bench.stock.made:
                bench.stock.remove(base)
            bench.stock.remove(target)


def keepers(api: Api, of: ApiClass) -> Iterator[tuple[Message, Field]]:
    """Return each message that makes an object of this class for one of another, with the map that then has it.

    Those of classes that can be made and ended alone: what is ended first is what refers to the new object.
    """
    for cls in api.classes.values():
        maps = [f for f in cls.fields.values() if isinstance(f.type, MapOf) and f.type.value == RefTo(of.name)]
        offered = (m for m in cls.messages.values() if not m.implicit and m.lifecycle.state is not State.REMOVED)
        for message in offered if cls is not of and maps and is_destroyed(api, cls) else ():
            if message.result == RefTo(of.name) and [p.type for p in message.params[:1]] == [RefTo(cls.name)]:
                yield from ((message, field) for field in maps)


def refuses_of_kept(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Judge that what a map of another object refers to is not destroyed.

    A server may refuse to make it, or not offer the message, and need not note it in a map.
    """
    for message, field in keepers(bench.api, of):
        if message.full_name in bench.profile.never:
            continue
        with suppress(Unavailable):
            holder = bench.stock.make(message.cls)
            ending = [holder]  # what refers to the other goes first
            rest = [copied_with(bench, message.cls, param.type) for param in message.params[1:]]
            outcome = bench.call(fmt, message.full_name, holder.ref, *rest, probe=True).reply.outcome
            if isinstance(outcome, Success) and isinstance(outcome.value, str) and not is_null_text(outcome.value):
                made = bench.stock.adopt_ref(of.name, outcome.value)
                ending.append(made)
                shown = value_of(bench, bench.other(fmt), f"{message.cls}.get_{field.name}", holder.ref) or {}
                if made.ref in shown.values():
                    with bench.judging("DESTROY-REFERENCED", f"{of.name}<-{message.cls}.{field.name}", fmt) as judge:
                        exchange = bench.call(fmt, f"{of.name}.{of.destructor}", made.ref)
                        judge.refused(exchange, f"destroy of a {of.name} that {message.cls}.{field.name} refers to")
            for obj in ending:
                bench.stock.remove(obj)


def goes_by_itself(bench: Bench, of: ApiClass, element: str, refused: Exchange, seen: Exchange) -> None:
    """Judge an object whose destroy was refused, and that is not there any more once nothing refers to it.

    `seen` is the destroy after that. Where an object that was not to be destroyed goes in that way too, that is for
    DESTROY-NO-CASCADE.
    """
    outcome, ref = seen.reply.outcome, seen.args[0]
    if not isinstance(outcome, Failure) or outcome.code != "HANDLE_INVALID" or ref not in outcome.params:
        return
    for holder in holders(bench.api, of):
        if element == f"{of.name}<-{holder.cls}.{holder.field}":
            with suppress(Unavailable):
                target = bench.stock.make(of.name)
                bench.stock.remove(bench.stock.make(holder.cls, {holder.name: target.ref}))
                there = bench.call(seen.format, f"{of.name}.{reader(bench, of.name)}", target.ref, probe=True)
                bench.stock.remove(target)
                if isinstance(there.reply.outcome, Success):
                    with bench.judging("DESTROY-REFERENCED-UNCHANGED", element, seen.format) as still:
                        expected = f"the {of.name}, whose destroy was refused, there until it is destroyed"
                        still.fail(expected, "it is gone with what referred to it", refused, seen)
