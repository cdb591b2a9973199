"""Level 2, scalars: what is set is read back, over every format.

Only plain values are used here, and those that count as none: what hard values do on the wire is level 1's business,
so that a finding names the rule that is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import (
    Place,
    compare,
    has_scalars,
    is_free,
    is_scalar,
    over_fields,
    readily,
    turned,
    written,
)
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, show
from xenconform.conformance.checks.power_walk import Walk
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.twins import twins
from xenconform.models.api import ApiClass
from xenconform.models.calls import Success
from xenconform.models.power import RUNNING
from xenconform.models.types import Bool, Float, Int, RefTo, Str, Type
from xenconform.models.values import Ref, Value, is_null_text, same

NOTHING: Sequence[tuple[Type, Value]] = ((Str(), ""), (Int(), 0), (Float(), 0.0), (Bool(), False))
"""By type, the value that counts as false."""


def set_value_is_read_back(place: Place, judge: Judge) -> None:
    """After set_f(r, v), get_f(r) is v. Source: introduction, accessors of scalar fields.

    Values come after one another that a server may take for no change: the same again, one that differs in case
    alone, one that was there before, and at last the one that was there first.
    """
    first, _ = place.read()
    now = first
    plain = place.plain(3)
    turns = [*plain, plain[-1]] if plain else []
    if plain and isinstance(place.field.type, Str) and is_free(place):
        turns.append(str(plain[-1]).swapcase())
    refused: Unanswered | None = None
    accepted = False
    for value in (*turns, *_namesakes(place), *plain[:1], first):
        try:
            wrote = place.do("set", value)
        except Unanswered as why:
            if not why.domain and not (isinstance(place.field.type, RefTo) and is_null_text(value)):
                raise
            refused = why
            after, seen = place.read()
            judge.same(place.field.type, now, after, why.exchange, seen)
            continue
        accepted = True
        now, seen = place.read()
        compare(place, judge, value, now, (wrote, seen))
    if refused is not None and not accepted and not judge.failed:
        raise Unavailable(f"no value was ever accepted: {describe(refused.exchange)}")
    with readily():
        _over_two_formats(place, judge, plain[1::-1])
    _nothing_is_a_value(place, judge)


def _nothing_is_a_value(place: Place, judge: Judge) -> None:
    """Write what a language may take for no value at all: it is not to leave what was there.

    How such a value travels is the wire's matter: all that is judged is whether the one before it still shows.
    """
    nothing = next((value for of, value in NOTHING if of == place.field.type), None)
    if nothing is None or not is_free(place):
        return
    for value in place.plain(3):
        if same(place.field.type, value, nothing):
            continue
        wrote = [place.bench.call(place.fmt, place.message("set"), place.obj.ref, each) for each in (value, nothing)]
        if all(isinstance(each.reply.outcome, Success) for each in wrote):
            actual, seen = place.read()
            lost = same(place.field.type, actual, value)
            judge.true(not lost, f"{show(nothing)}, which was written", show(actual), *wrote, seen)
        return


def _over_two_formats(place: Place, judge: Judge, values: Sequence[Value]) -> None:
    """Write over another format and then over this one again."""
    for each, value in zip((turned(place, 1), place), values, strict=False):
        wrote = each.do("set", value)
        actual, seen = each.read()
        compare(each, judge, value, actual, (wrote, seen))


def _namesakes(place: Place) -> tuple[Ref, ...]:
    """Return refs of objects that nothing but their refs tells apart, where the field refers to such."""
    if not isinstance(place.field.type, RefTo) or not is_free(place):
        return ()
    try:
        return tuple(obj.ref for obj in twins(place.bench, place.field.type.cls))
    except Unavailable:
        return ()


def values_are_read_back(bench: Bench, of: ApiClass) -> None:
    """Judge SET-VALUE on each scalar field of a class, and of a machine that runs as well."""
    over_fields(bench, of, clause="SET-VALUE", kind=None, act=set_value_is_read_back)
    if of.name != "VM" or not bench.budget.boundaries:
        return
    walk = Walk(bench, of)
    try:
        with suppress(Unavailable, Unanswered):
            walk.reach(RUNNING)
            _while_it_runs(bench, of, walk.vm)
    finally:
        walk.end()


def _while_it_runs(bench: Bench, of: ApiClass, obj: Obj) -> None:
    """Write each field over one format or another; a server may have its reasons to refuse that while a machine runs.

    What it takes it shows.
    """
    for at, field in enumerate(each for each in written(of) if is_scalar(each)):
        place = Place(bench, of, field, obj, bench.formats[at % len(bench.formats)])
        with suppress(Unavailable):
            for value in place.plain(2):
                wrote = place.call("set", value)
                if not isinstance(wrote.reply.outcome, Success):
                    continue
                with bench.judging("SET-VALUE", f"{of.name}.{field.name}", place.fmt) as judge:
                    actual, seen = place.read()
                    compare(place, judge, value, actual, (wrote, seen))


CHECKS = (
    Check(
        "SET-VALUE",
        per_class=values_are_read_back,
        applies=has_scalars,
    ),
)
