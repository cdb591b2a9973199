"""Level 2, writing: what setters of a class do to objects of other classes, which is nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.fields import Place, written
from xenconform.conformance.checks.judging import Unanswered, Unavailable, describe
from xenconform.conformance.checks.lost import is_refused
from xenconform.conformance.checks.snapshots import Record, Snapshot, changes
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import ApiClass
from xenconform.models.exchange import Exchange
from xenconform.models.lasting import may_end
from xenconform.models.types import refs_in
from xenconform.models.values import Ref, same


def nothing_elsewhere(bench: Bench, of: ApiClass, obj: Obj, before: Snapshot, after: Snapshot) -> None:
    """After setters of `obj`, every object of another class is as it was and those of ours are there.

    What others write is no setter's doing: of an object that is not ours, a setter has to be found that does it again.
    """
    made = {(each.cls, each.ref) for each in bench.stock.made}
    _ours_are_there(bench, of, made, before, after)
    for cls in before.keys() & after.keys() - {of.name}:
        for ref in before[cls].keys() & after[cls].keys():
            other = Obj(cls, ref, own=(cls, ref) in made)
            told = list(_changes(bench, of, other, before[cls][ref], after[cls][ref]))
            if told and not _blamed(bench, of, obj, other) and other.own and not may_end(cls, own=True):
                # Nobody else writes what is ours, though it takes more than two writes to see it again.
                with bench.judging("SET-ONLY-THAT", of.name) as judge:
                    judge.fail(f"the setters of {of.name} change nothing of a {cls}", "; ".join(told))


def _blamed(bench: Bench, of: ApiClass, obj: Obj, other: Obj) -> bool:
    """Find the setters that change another object once more; return whether there is any."""
    found = False
    for each in written(of):
        place = Place(bench, of, each, obj, bench.formats[0])
        for told, wrote in _does_it_again(place, other):
            found = True
            with bench.judging("SET-ONLY-THAT", f"{of.name}.{each.name}", place.fmt) as judge:
                judge.fail(f"set_{each.name} changes nothing of a {other.cls}", told, wrote)
    return found


def _ours_are_there(
    bench: Bench, of: ApiClass, made: Collection[tuple[str, Ref]], before: Snapshot, after: Snapshot
) -> None:
    """No object of ours ended along with what setters wrote."""
    gone = [
        (cls, ref)
        for cls in before.keys() & after.keys() - {of.name}
        for ref in sorted(before[cls].keys() - after[cls].keys())
        if (cls, ref) in made and not may_end(cls, own=True)
    ]
    for cls, ref in gone:
        # A reading decides: that an object is not listed is another clause's.
        seen = bench.call(bench.formats[0], f"{cls}.get_record", ref, probe=True)
        if is_refused(seen, "HANDLE_INVALID"):
            with bench.judging("SET-ONLY-THAT", of.name, seen.format) as judge:
                judge.fail(f"the setters of {of.name} end no {cls}", describe(seen), seen)


def _changes(bench: Bench, of: ApiClass, obj: Obj, before: Record, after: Record) -> Iterator[str]:
    ends = {end for r in bench.api.relations for end in (
        (r.owner_cls, r.owner_field, r.derived_cls), (r.derived_cls, r.derived_field, r.owner_cls))}  # fmt: skip
    # The far end of a field that a setter writes may follow it; no other bound field has a reason to change.
    written_ends = {far for field in written(of) if refs_in(field.type) for far in refs_in(field.type)}
    bound = {name for cls, name, far in ends if cls == obj.cls and far == of.name and cls in written_ends}
    yield from changes(bench.api, bench.api.classes[obj.cls], before, after, own=obj.own, without=bound)


AGAIN = 3
"""So often a suspect does both of its writes again, with as many looks at the object before each."""


def _does_it_again(place: Place, obj: Obj) -> Sequence[tuple[str, Exchange]]:
    """Return what the last of several writes changes of an object that stands still but for each of them, else nothing.

    Another client that writes that object all the time is not to meet every one of them by chance.
    """
    bench, read = place.bench, partial(place.bench.ask, place.fmt, f"{obj.cls}.get_record", obj.ref)
    told: list[tuple[str, Exchange]] = []
    try:
        values, (now, _) = place.plain(2), place.read()
        turns = values[::-1] if values and same(place.field.type, values[0], now) else values
        for value in turns * AGAIN:
            first, still = [read()[0] for _ in range(AGAIN)][:: AGAIN - 1]
            wrote = place.do("set", value)
            after, _ = read()
            moved = list(_changes(bench, place.of, obj, first, still))
            said = list(_changes(bench, place.of, obj, still, after))
            if moved or not said:
                return ()
            told = [("; ".join(said), wrote)]
    except (Unanswered, Unavailable):
        return ()
    return told
