"""What a server shows of its objects at one moment, and what of it differs at another though nobody changed it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unanswered, show
from xenconform.models.api import Api, ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.lasting import lasting_fields, stands
from xenconform.models.values import Ref, Value

Record: TypeAlias = Mapping[str, Value]
Records: TypeAlias = Mapping[Ref, Record]
Snapshot: TypeAlias = Mapping[str, Records]
"""The records of every class that can be read, by class and ref."""


def has_objects(of: ApiClass) -> bool:
    """Whether objects of a class can be read; sessions are left out, which are the run's own way in."""
    return "get_record" in of.messages and of.name != "session"


def take(bench: Bench, fmt: Format) -> Snapshot:
    """Read every object of every class over a format; a class that cannot be read is left out."""
    found: dict[str, Records] = {}
    for of in bench.api.classes.values():
        if has_objects(of):
            try:
                found[of.name] = read_all(bench, of, fmt)[0]
            except Unanswered:
                continue
    return found


def read_all(bench: Bench, of: ApiClass, fmt: Format) -> tuple[Records, tuple[Exchange, ...]]:
    """Read every object of a class that is listed; of a class that lists none, those that are known.

    Raises:
        Unanswered: the server refused or did not answer.
    """
    if "get_all_records" in of.messages:
        value, seen = bench.ask(fmt, f"{of.name}.get_all_records")
        return value, (seen,)
    records: dict[Ref, Record] = {}
    exchanges = []
    for ref in bench.stock.all_refs(of.name):
        seen = bench.call(fmt, f"{of.name}.get_record", ref, probe=True)
        exchanges.append(seen)
        if isinstance(seen.reply.outcome, Success):
            records[ref] = seen.reply.outcome.value
    return records, tuple(exchanges)


def busy_classes(first: Snapshot, last: Snapshot, own: Collection[tuple[str, Ref]]) -> set[str]:
    """Return the classes of which others made or ended objects between two snapshots; `own` are not theirs."""
    return {
        cls
        for cls in first.keys() | last.keys()
        if any((cls, ref) not in own for ref in first.get(cls, {}).keys() ^ last.get(cls, {}).keys())
    }


def changes(
    api: Api, of: ApiClass, before: Record, after: Record, *, own: bool, without: Collection[str] = ()
) -> Iterator[str]:
    """Return, in words, each field that stands still by the table of models/lasting.py and is not as it was.

    `without` names fields that are not compared.
    """
    for field in lasting_fields(api, of, own=own):
        name = field.name
        if name in without or name not in before:
            continue
        if name not in after:
            yield f"{name} {show(before[name])} before, and no such field now"
        elif not stands(of, field, before[name], after[name]):
            yield f"{name} {show(before[name])} before, {show(after[name])} now"
