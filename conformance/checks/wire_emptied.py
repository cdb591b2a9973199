"""Level 1, sets and maps whose last member was taken away: none has its form too, whoever made it so."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import plain_values
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.roundtrip import writer
from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass, Field
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange

KINDS = ((t.SetOf, "WIRE-SET", "remove"), (t.MapOf, "WIRE-MAP", "remove_from"))
"""The kinds of collections: the clause on each, and the verb that takes a member away."""


def fields_of(of: ApiClass, kind: type[t.Type], verb: str) -> list[Field]:
    """Return the fields of a kind that are set as a whole and have members taken away."""
    fields = [field for field in of.fields.values() if isinstance(field.type, kind)]
    return [f for f in fields if {f"set_{f.name}", f"{verb}_{f.name}", f"get_{f.name}"} <= of.messages.keys()]


def can_be_emptied(_api: Api, of: ApiClass, *, kind: type[t.Type], verb: str) -> bool:
    """Whether a class has such fields."""
    return bool(fields_of(of, kind, verb))


def none_has_its_form(bench: Bench, of: ApiClass, *, kind: type[t.Type], clause: str, verb: str) -> None:
    """What is emptied member by member is shown as none in every format. Source: wire protocol.

    Where nothing can be emptied nothing is told: each field's form is judged by the checks of values.
    """
    for at, field in enumerate(fields_of(of, kind, verb)):
        fmt = bench.formats[at % len(bench.formats)]
        with suppress(Unavailable, Unanswered):
            obj = bench.stock.writable(of.name)
            with bench.restoring(obj, field.name):
                taken = _emptied(bench, (of, field, verb), (obj.ref, fmt))
                for over in bench.formats if taken else ():
                    with bench.judging(clause, f"{of.name}.{field.name}", over) as judge:
                        shown, seen = bench.ask(over, f"{of.name}.get_{field.name}", obj.ref)
                        judge.same(field.type, {} if kind is t.MapOf else (), shown, *taken, seen)


def _emptied(bench: Bench, what: tuple[ApiClass, Field, str], where: tuple[str, Format]) -> tuple[Exchange, ...]:
    """Give a field members and take them away; return the last call, none where some member is left."""
    (of, field, verb), (ref, fmt) = what, where
    members = next((value for value in plain_values(bench, of.name, field, field.type, 2) if value), None)
    setter, taker = (writer(bench, of, field.name, each) for each in ("set", verb))
    if members is None or setter is None or taker is None:
        return ()
    calls = [bench.call(fmt, setter.full_name, ref, members)]
    calls += [bench.call(fmt, taker.full_name, ref, each) for each in members]
    done = all(isinstance(each.reply.outcome, Success) for each in calls)
    left = bench.call(fmt, f"{of.name}.get_{field.name}", ref).reply.outcome
    return () if not done or (isinstance(left, Success) and left.value) else (calls[-1],)


CHECKS: tuple[Check, ...] = tuple(
    Check(
        clause,
        per_class=partial(none_has_its_form, kind=kind, clause=clause, verb=verb),
        applies=partial(can_be_emptied, kind=kind, verb=verb),
    )
    for kind, clause, verb in KINDS
)
