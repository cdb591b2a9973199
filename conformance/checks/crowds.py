"""Level 3, among many objects: each is found and bound as if there were few."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.bonds import far_end, owned
from xenconform.conformance.checks.finding import finds_by_uuid, has_uuid
from xenconform.conformance.checks.judging import Unanswered, show
from xenconform.conformance.checks.querying import query
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.types import NULL_REF
from xenconform.models.values import Ref, Value


def all_are_found(bench: Bench, of: ApiClass, crowd: Sequence[Obj], fmt: Format) -> None:
    """Judge that the first, a middle and the last of many objects are found, and that far ends show all of them.

    What a cache, a page or a fixed number of places holds is less. Source: introduction, look-ups and relations.
    """
    with suppress(Unanswered):
        records, _ = bench.ask(fmt, f"{of.name}.get_all_records")
        there = [obj for obj in crowd if obj.ref in records]
        some = [there[at] for at in sorted({0, len(there) // 2, len(there) - 1}) if there]
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
    for relation in owned(bench.api, of):
        target = next(reversed(rows.values())).get(relation.owner_field)
        if relation.many_owner or target in {None, NULL_REF, ""}:
            continue
        bound = {ref for ref, row in rows.items() if row.get(relation.owner_field) == target}
        with bench.judging("BIND-SYMMETRY", str(relation), fmt) as judge:
            members, seen = far_end(bench, relation, bench.other(fmt), str(target))
            lost = sorted(bound - set(members))
            judge.true(not lost, f"all {len(bound)} in the far end", f"without {lost[:3]}: {show(members)}", seen)
