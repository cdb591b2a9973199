"""Level 2, machines: what is written to one that runs, that pauses or that is suspended is read back too.

A server may have its reasons to refuse a write then; what it takes it shows.
"""

from __future__ import annotations

from contextlib import suppress

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import Place, is_scalar, one_by_one, written
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.lifecycle import has_power
from xenconform.conformance.checks.own_field import OWN, expected, once
from xenconform.conformance.checks.power_walk import Walk
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import ApiClass
from xenconform.models.calls import Success
from xenconform.models.power import PAUSED, RUNNING, SUSPENDED
from xenconform.models.types import Bool


def machines_are_written_in_every_state(bench: Bench, of: ApiClass) -> None:
    """Each way to write a field does so whatever the machine's power state. Source: introduction, accessors."""
    if not bench.budget.boundaries:
        return
    walk = Walk(bench, of)
    try:
        for number, state in enumerate((RUNNING, PAUSED, SUSPENDED)):
            with suppress(Unavailable, Unanswered):
                walk.reach(state)
                _write_all(bench, of, walk.vm, number)
    finally:
        walk.end()


def _write_all(bench: Bench, of: ApiClass, obj: Obj, number: int) -> None:
    """Write each field over one format or another."""
    for at, field in enumerate(written(of)):
        place = Place(bench, of, field, obj, bench.formats[(number + at) % len(bench.formats)])
        with suppress(Unavailable, Unanswered):
            first, _ = place.read()
            now = first
            for verb, args in one_by_one(place, now):
                wrote = place.call(verb, *args)
                if not isinstance(wrote.reply.outcome, Success):
                    continue
                before, (now, seen) = now, place.read()
                wanted = expected(place, verb, args, before)
                if wanted is not None:
                    with bench.judging(OWN[verb], f"{of.name}.{field.name}", place.fmt) as judge:
                        judge.same(field.type, wanted, once(place, now), wrote, seen)
            if field.type == Bool() or not is_scalar(field):
                place.call("set", first)  # a template, or what has blocked operations, may not go on to the next state


CHECKS = (
    Check(
        "SET-VALUE",
        per_class=machines_are_written_in_every_state,
        applies=has_power,
        also=tuple(clause for clause in OWN.values() if clause != "SET-VALUE"),
    ),
)
