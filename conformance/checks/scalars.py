"""Level 2, scalars: what is set is read back, over every format.

Only plain values are used here, and those that count as none: what hard values do on the wire is level 1's business,
so that a finding names the rule that is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import (
    Place,
    at_length,
    compare,
    has_scalars,
    is_free,
    over_fields,
    readily,
    turned,
    written,
)
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, show
from xenconform.conformance.checks.twins import twins
from xenconform.models.calls import Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Bool, Float, Int, RefTo, Str, Type
from xenconform.models.values import Ref, Value, is_null_text, same
from xenconform.strategies.confusable import lookalikes

LONG = "0123456789" * 30
NOTHING: Sequence[tuple[Type, Value]] = ((Str(), ""), (Int(), 0), (Float(), 0.0), (Bool(), False))
"""By type, the value that counts as false."""


def set_value_is_read_back(place: Place, judge: Judge) -> None:
    """After set_f(r, v), get_f(r) is v. Source: introduction, accessors of scalar fields.

    Values come after one another that a server may take for no change: the same again, one that differs in case
    alone, one that was there before, and at last the one that was there first, with no look in between.
    """
    first, _ = place.read()
    now = first
    plain = place.plain(2 if isinstance(place.field.type, Str) else 3)
    turns = [*plain, plain[-1]] if plain else []
    if plain and isinstance(place.field.type, Str) and is_free(place):
        turns.append(str(plain[-1]).swapcase())
    refused: Unanswered | None = None
    accepted = False
    turns += _namesakes(place)
    passed = [value for value in plain if not same(place.field.type, value, first)][:1]
    unread = len(turns) if passed else -1
    for at, value in enumerate((*turns, *passed, first)):
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
        if at == unread:
            now = value
            continue
        now, seen = place.read()
        compare(place, judge, value, now, (wrote, seen))
    if refused is not None and not accepted and not judge.failed:
        raise Unavailable(f"no value was ever accepted: {describe(refused.exchange)}")
    with readily():
        _over_two_formats(place, judge, plain[1::-1])
    with readily():
        _is_a_change(place, judge)
    _is_kept_whole(place, judge)
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


def _is_kept_whole(place: Place, judge: Judge) -> None:
    """Write more than a column of a table often holds: what a server takes, it keeps.

    What one format cuts is the wire's matter: it is judged where another one does the same.
    """
    if not isinstance(place.field.type, Str) or not is_free(place) or not at_length(place):
        return
    kept: list[Value] = []
    seen: list[Exchange] = []
    for each in (place, turned(place, 1)):
        wrote = each.bench.call(each.fmt, each.message("set"), each.obj.ref, LONG)
        if isinstance(wrote.reply.outcome, Success):
            shown, read = each.read()
            kept.append(shown)
            seen += (wrote, read)
    if kept:
        judge.true(LONG in kept, f"a text of {len(LONG)} characters", f"{len(str(kept[0]))} of them", *seen)


def _is_a_change(place: Place, judge: Judge) -> None:
    """Write after one another what a server that looks for a change may take for the same, over one format.

    How such a value travels is the wire's matter: where it is not shown after the one before it, it is written after
    another one too, and has to be shown then, or that other one shows that it was passed over.
    """
    formats, alike = place.bench.formats, [each for each in written(place.of) if each.type == place.field.type]
    if not is_free(place) or formats.index(place.fmt) != alike.index(place.field) % len(formats):
        return
    for before, *values in lookalikes(place.field.type):
        place.do("set", before)
        for value in values:
            wrote = place.do("set", value)
            shown, seen = place.read()
            judge.asserted += 1
            if not same(place.field.type, value, shown) and _is_passed_over(place, value, (before, shown)):
                judge.fail(f"{show(value)} after {show(before)}", show(shown), wrote, seen)
            before = value  # noqa: PLW2901 - each is the one before the next


def _is_passed_over(place: Place, value: Value, instead: tuple[Value, Value]) -> bool:
    """Whether a value that did not take the place of another is shown when it is written after a plain one, or that is.

    `instead` are the value before it and what was shown. Words travel well: nothing else is to be shown for them.
    """
    if isinstance(value, str) and value.isascii() and value.isalnum():
        return True
    if not same(place.field.type, *instead):
        return False
    other = place.plain(1)[0]
    place.do("set", other)
    place.do("set", value)
    shown, _ = place.read()
    return same(place.field.type, shown, value) or same(place.field.type, shown, other)


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


CHECKS = (
    Check(
        "SET-VALUE",
        per_class=partial(over_fields, clause="SET-VALUE", kind=None, act=set_value_is_read_back),
        applies=has_scalars,
    ),
)
