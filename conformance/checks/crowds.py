"""Level 3, among many objects: each is found and bound as if there were few."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from xenconform.conformance.checks.asking import query
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn
from xenconform.conformance.checks.check import Check, not_itself
from xenconform.conformance.checks.finding import finds_by_uuid, has_uuid
from xenconform.conformance.checks.judging import Unanswered, Unavailable, show
from xenconform.conformance.checks.relations import (
    by_constructor,
    far_end,
    is_bound_by_constructor,
    judged,
    names,
    target_of,
)
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.twins import twins
from xenconform.models.api import ApiClass, Relation
from xenconform.models.calls import Format, Success
from xenconform.models.types import NULL_REF
from xenconform.models.values import Ref, Value

MANY = 10
"""So many objects are bound to one: more than fit where there is place for eight."""


def far_ends_show_crowds(bench: Bench, of: ApiClass) -> None:
    """The far end of a relation shows all of many objects that name it. Source: introduction, relations.

    Where the class of these is one of the run, what lists its objects judges that.
    """
    for fmt in in_turn(bench, of):
        for relation, name in by_constructor(bench.api, of, names(bench)):
            try:
                end = target_of(bench, relation)
                crowd = twins(bench, of.name, MANY, [{name: end}])
            except Unavailable:
                continue  # told where one is bound
            with bench.judging("BIND-SYMMETRY", str(relation), fmt) as judge:
                bound = {obj.ref for obj in crowd if _names(bench, relation, obj.ref) == end}
                members, seen = far_end(bench, relation, fmt, end)
                lost = sorted(bound - set(members))
                judge.true(not lost, f"all {len(bound)} in the far end", f"without {lost[:3]}: {show(members)}", seen)
            for obj in reversed(crowd):
                bench.stock.remove(obj)


def _names(bench: Bench, relation: Relation, ref: Ref) -> Value:
    """Return what the owner's end of a relation refers to, None where that cannot be read."""
    outcome = bench.call(bench.formats[0], f"{relation.owner_cls}.get_{relation.owner_field}", ref).reply.outcome
    return outcome.value if isinstance(outcome, Success) else None


def all_are_found(bench: Bench, of: ApiClass, crowd: Sequence[Obj], fmt: Format) -> None:
    """Judge that the first, a middle and the last of many objects are found, and that far ends show all of them.

    Found by their uuids are those whose uuids begin with the lowest digit and the highest one, too: it may be a zero.
    What a cache, a page or a fixed number of places holds is less. Source: introduction, look-ups and relations.
    """
    with suppress(Unanswered):
        records, _ = bench.ask(fmt, f"{of.name}.get_all_records")
        there = [obj for obj in crowd if obj.ref in records]
        some = [there[at] for at in sorted({0, len(there) // 2, len(there) - 1}) if there]
        ordered = sorted(there, key=lambda obj: str(records[obj.ref].get("uuid")))
        some = list(dict.fromkeys([*some, *ordered[:1], *ordered[-1:]]))
        if some and has_uuid(bench.api, of):
            with bench.judging("UUID-LOOKUP", of.name, fmt) as judge:
                for obj in some:
                    finds_by_uuid(bench, judge, of, (bench.other(fmt), fmt), obj.ref)
        if some:
            _are_labelled(bench, of, fmt, {obj.ref: records[obj.ref] for obj in there})
            _are_queried(bench, of, fmt, there)
            _are_bound(bench, of, fmt, {obj.ref: records[obj.ref] for obj in there})


def _are_labelled(bench: Bench, of: ApiClass, fmt: Format, rows: dict[Ref, dict[str, Value]]) -> None:
    """Judge that a look-up by the label that most have finds all that have it."""
    if "get_by_name_label" in of.messages:
        label = next(reversed(rows.values())).get("name_label")
        alike = {ref for ref, row in rows.items() if row.get("name_label") == label}
        with bench.judging("LABEL-LOOKUP", of.name, fmt) as judge:
            found, seen = bench.ask(fmt, f"{of.name}.get_by_name_label", label)
            lost = sorted(alike - set(found))
            judge.true(not lost, f"all {len(alike)} of the label {label!r}", f"without {lost[:3]}", seen)


def _are_queried(bench: Bench, of: ApiClass, fmt: Format, there: Sequence[Obj]) -> None:
    exchange = query(bench, of, fmt, "true")
    outcome = exchange.reply.outcome
    if isinstance(outcome, Success):
        with bench.judging("WHERE", of.name, fmt) as judge:
            lost = [obj.ref for obj in there if obj.ref not in outcome.value]
            judge.true(not lost, f"all {len(there)} for true", f"without {lost[:3]}", exchange)


def _are_bound(bench: Bench, of: ApiClass, fmt: Format, rows: dict[Ref, dict[str, Value]]) -> None:
    """Judge that the far end that most of the objects name shows them all."""
    for relation in judged(bench, of):
        if relation.many_owner:
            continue
        ends = (row.get(relation.owner_field) for row in reversed(rows.values()))
        target = next((end for end in ends if end not in {None, NULL_REF, ""}), None)
        if target is None:
            continue
        bound = {ref for ref, row in rows.items() if row.get(relation.owner_field) == target}
        with bench.judging("BIND-SYMMETRY", str(relation), fmt) as judge:
            members, seen = far_end(bench, relation, bench.other(fmt), str(target))
            lost = sorted(bound - set(members))
            judge.true(not lost, f"all {len(bound)} in the far end", f"without {lost[:3]}: {show(members)}", seen)


CHECKS = (Check("BIND-SYMMETRY", per_class=far_ends_show_crowds, applies=not_itself, reaches=is_bound_by_constructor),)
