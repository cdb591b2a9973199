"""Level 1, sets and maps that members were taken from: what is left has its form too, and none at all has it.

What tells a list by its places, and a map by its keys, may take either for the other once there is a gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.roundtrip import writer
from xenconform.conformance.checks.twins import twins
from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass, Field
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Value, is_null_text, same

KINDS = ((t.SetOf, "WIRE-SET", "remove"), (t.MapOf, "WIRE-MAP", "remove_from"))
"""The kinds of collections: the clause on each, and the verb that takes a member away."""
SEVERAL = 3
"""So many objects are made, of which the second ends."""


def fields_of(of: ApiClass, kind: type[t.Type], verb: str) -> list[Field]:
    """Return the fields of a kind that are set as a whole and have members taken away."""
    fields = [field for field in of.fields.values() if isinstance(field.type, kind)]
    return [f for f in fields if {f"set_{f.name}", f"{verb}_{f.name}", f"get_{f.name}"} <= of.messages.keys()]


def can_be_emptied(_api: Api, of: ApiClass, *, kind: type[t.Type], verb: str) -> bool:
    """Whether a class has such fields."""
    return bool(fields_of(of, kind, verb))


def what_is_left_has_its_form(bench: Bench, of: ApiClass, *, kind: type[t.Type], clause: str, verb: str) -> None:
    """What loses a member between others, and then each other one, has its form in every format. Source: protocol.

    Where nothing can be taken away nothing is told: each field's form is judged by the checks of values. That the
    members which are left are the right ones is for the clauses on fields.
    """
    for at, field in enumerate(fields_of(of, kind, verb)):
        fmt = bench.formats[at % len(bench.formats)]
        with suppress(Unavailable, Unanswered):
            obj = bench.stock.writable(of.name)
            with bench.restoring(obj, field.name):
                for left, last in _taken_away(bench, (of, field, verb), (obj.ref, fmt)):
                    # What is left is looked at over all formats once a class, and else over two that differ.
                    formats = bench.formats if not (left and at) else dict.fromkeys((fmt, bench.other(fmt, 2)))
                    shown = {over: bench.call(over, f"{of.name}.get_{field.name}", obj.ref) for over in formats}
                    own = shown[fmt].reply.outcome
                    if not isinstance(own, Success) or same(field.type, left, own.value):
                        _judge(bench, clause, (of, field, left), shown, last)


def _judge(
    bench: Bench,
    clause: str,
    what: tuple[ApiClass, Field, Value],
    shown: Mapping[Format, Exchange],
    last: Exchange,
) -> None:
    of, field, left = what
    for over, seen in shown.items():
        with bench.judging(clause, f"{of.name}.{field.name}", over) as judge:
            if not isinstance(seen.reply.outcome, Success):
                raise Unanswered(seen)
            judge.same(field.type, left, seen.reply.outcome.value, last, seen)


def _taken_away(
    bench: Bench, what: tuple[ApiClass, Field, str], where: tuple[str, Format]
) -> Iterator[tuple[Value, Exchange]]:
    """Give a field members and take them away, first one between others; yield what is left then, and none at last.

    With it comes the last call. It ends where one is refused.
    """
    (of, field, verb), (ref, fmt) = what, where
    members, (setter, taker) = _several(bench, of, field), (writer(bench, of, field.name, v) for v in ("set", verb))
    if not members or setter is None or taker is None:
        return
    first, *others = members
    left, last = members, bench.call(fmt, setter.full_name, ref, members)
    for number, each in enumerate((*others, first)):
        if not isinstance(last.reply.outcome, Success):
            return
        kept = tuple(other for other in left if other != each)
        left = {key: left[key] for key in kept} if isinstance(left, dict) else kept
        last = bench.call(fmt, taker.full_name, ref, each)
        if isinstance(last.reply.outcome, Success) and (not left or not number):
            yield left, last


def _several(bench: Bench, of: ApiClass, field: Field) -> tuple[Value, ...] | dict[Value, Value]:
    """Return three members where the field takes what it is given, those of its domain elsewhere, else none.

    Texts that are keys are the places of an array: what is left of them may be as well.
    """
    if not bench.profile.domain(of.name, field.name).is_free:
        return next((value for value in plain_values(bench, of.name, field, field.type, 2) if value), ())
    match field.type:
        case t.SetOf(item):
            return tuple(plain_values(bench, of.name, field, item, 3))
        case t.MapOf(t.Str(), item):
            return dict.fromkeys(("0", "1", "2"), *plain_values(bench, of.name, field, item, 1))
        case _:
            return next((value for value in plain_values(bench, of.name, field, field.type, 2) if value), ())


def comes_and_goes(_api: Api, of: ApiClass) -> bool:
    """Whether objects of a class are made, ended and listed."""
    return bool(of.constructors and of.destructor) and "get_all" in of.messages


def who_is_left_is_told_in_a_set(bench: Bench, of: ApiClass) -> None:
    """Once one between others has ended, lists, look-ups and far ends that showed it are sets. Source: wire protocol.

    What a reply's form breaks is recorded as it comes; that the right objects are in it is for other clauses.
    """
    for fmt in in_turn(bench, of):
        with suppress(Unavailable):
            made = twins(bench, of.name, SEVERAL)
            record = bench.call(fmt, f"{of.name}.get_record", made[0].ref).reply.outcome
            if len(made) == SEVERAL and bench.stock.remove(made[1]) and isinstance(record, Success):
                for message, args in _who_shows(bench, of, record.value):
                    for over in (fmt, bench.other(fmt)):
                        bench.call(over, message, *args)
            for obj in (each for each in made if each in bench.stock.made):
                bench.stock.remove(obj)


def _who_shows(bench: Bench, of: ApiClass, record: Mapping[str, Value]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Yield the messages that answer with a set in which an object of this record is, each with its arguments."""
    yield f"{of.name}.get_all", ()
    if "get_by_name_label" in of.messages and "name_label" in record:
        yield f"{of.name}.get_by_name_label", (record["name_label"],)
    for each in bench.api.relations:
        target = record.get(each.owner_field) if each.owner_cls == of.name else None
        if isinstance(target, str) and not is_null_text(target):
            yield f"{each.derived_cls}.get_{each.derived_field}", (target,)


CHECKS: tuple[Check, ...] = (
    *(
        Check(
            clause,
            per_class=partial(what_is_left_has_its_form, kind=kind, clause=clause, verb=verb),
            applies=partial(can_be_emptied, kind=kind, verb=verb),
        )
        for kind, clause, verb in KINDS
    ),
    Check("WIRE-SET", per_class=who_is_left_is_told_in_a_set, applies=comes_and_goes),
)
