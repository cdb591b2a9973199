"""Level 1, values among those of all objects: a listing of records is often written by other code than one record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import Any

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unanswered, Unavailable, show
from xenconform.conformance.checks.roundtrip import Spot, spot
from xenconform.conformance.checks.wire_kinds import ALL_TEXTS, INT, Kind
from xenconform.conformance.checks.wire_ways import result_of, spelling
from xenconform.models.api import ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.types import Str
from xenconform.models.values import Value, same

LISTING = "get_all_records"


def values_stand_in_listings(bench: Bench, of: ApiClass, kind: Kind, fmt: Format) -> None:
    """Hard values that an object's record shows as they were written are shown so by the listing of all records."""
    if not {LISTING, "get_record"} <= of.messages.keys():
        return
    with suppress(Unavailable, Unanswered), ExitStack() as afterwards:
        obj = bench.stock.writable(of.name)
        hard: dict[str, Value] = {}
        for found, value in _hard(bench, of, kind, fmt):
            afterwards.enter_context(bench.restoring(obj, found.field.name))
            before = found.get(fmt, obj.ref).reply.outcome
            wrote, _ = found.put(fmt, value, obj)
            if isinstance(before, Success) and isinstance(wrote.reply.outcome, Success):
                hard[found.field.name] = value
                afterwards.callback(found.put, fmt, before.value, obj)
        if not hard:
            return
        record, alone = bench.ask(fmt, f"{of.name}.get_record", obj.ref)
        listed, seen = bench.ask(fmt, f"{of.name}.{LISTING}")
        shown = listed.get(obj.ref)
        if shown is None:
            return  # what is not listed is told under GET-ALL-AGREES
        for name, value in hard.items():
            well = _holds(of, name, record, value)
            if well and not _holds(of, name, shown, value):
                with bench.judging(kind.clause(fmt), f"{of.name}.{name}", fmt) as judge:
                    judge.fail(f"{show(value)} in {LISTING}, as in the record", show(shown.get(name)), seen)
            elif kind is INT and fmt is not Format.XMLRPC:
                rows: Mapping[str, Any] = result_of(seen) or {}
                ways = [spelling(row.get(name)) for row in (result_of(alone) or {}, rows.get(obj.ref) or {})]
                if all(ways) and len(set(ways)) > 1:
                    with bench.judging(kind.clause(fmt), f"{of.name}.{name}", fmt) as judge:
                        judge.fail(f"{ways[0]} in {LISTING}, as in the record", ways[1], alone, seen)


def _hard(bench: Bench, of: ApiClass, kind: Kind, fmt: Format) -> Iterator[tuple[Spot, Value]]:
    """Yield the fields of a kind that a setter writes, each with a hard value, another one over each format."""
    turn = bench.formats.index(fmt)
    for at, field in enumerate(kind.fields(of)):
        found = spot(bench, of, field.name)
        if found is None or found.how != "set" or not found.is_free:
            continue
        batches = [batch for batch in kind.hard(field.type) if not batch.refusable]
        chosen = [batch for batch in batches if batch.singles] or batches
        if field.type == Str():
            yield found, f" {ALL_TEXTS}\n "  # with what is lost at the ends of a text
        elif chosen:
            yield found, chosen[-1 - (at + turn) % len(chosen)].value


def _holds(of: ApiClass, name: str, record: Mapping[str, Value], value: Value) -> bool:
    return name in record and same(of.fields[name].type, value, record[name])
