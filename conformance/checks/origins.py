"""Level 3: what is made in another way than by its class's first constructor is an object as every other.

By its other constructors, by messages that copy one, and what belongs to a copy: each is new, is found and listed, is
in its far ends, shares nothing with what it was copied from, and is gone at the end. Whether the messages do what
they are for is not judged, and a server may refuse any of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress

from xenconform.conformance.checks.asking import query
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn
from xenconform.conformance.checks.check import Check, not_itself
from xenconform.conformance.checks.creating import further, make_by
from xenconform.conformance.checks.creating_badly import fill
from xenconform.conformance.checks.destroying import value_of
from xenconform.conformance.checks.finding import finds_by_uuid, has_uuid
from xenconform.conformance.checks.judging import Unanswered, Unavailable, show
from xenconform.conformance.checks.labels import labelled
from xenconform.conformance.checks.querying import is_listed, shows_alone
from xenconform.conformance.checks.relations import far_end, judged, owns_any
from xenconform.conformance.checks.stirring import COPYING, copy, explicit_of, is_success
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.writing import changed_by_clients
from xenconform.models.api import Api, ApiClass, Relation
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import NULL_REF
from xenconform.models.values import Ref, Value


def is_made_otherwise(api: Api, of: ApiClass) -> bool:
    """Whether there is more than one way in which an object of a class comes to be."""
    copied = any(COPYING & api.classes[cls].messages.keys() for cls in _copied(api, of))
    return bool(of.constructors and of.destructor) and is_listed(api, of) and (len(of.constructors) > 1 or copied)


def _copied(api: Api, of: ApiClass) -> list[str]:
    """Return the classes with whose objects those of a class may be copied: its own, and those they belong to."""
    near = {r.derived_cls for r in api.relations if r.owner_cls == of.name and not r.many_owner}
    return list(dict.fromkeys((of.name, *sorted(near))))


@contextmanager
def _made_otherwise(bench: Bench, of: ApiClass, fmt: Format) -> Iterator[list[Obj]]:
    """Make objects of a class in every way but by its first constructor, as far as the server lets them be made.

    What they are copied from is among them. They end with the block.
    """
    made: list[Obj] = []
    for cls in _copied(bench.api, of):
        for message in explicit_of(bench, cls):
            if message.name in COPYING:
                with suppress(Unavailable):
                    copy(bench, of, message, fmt, made)
    for constructor, values in further(bench, of):
        exchange = make_by(bench, constructor, fmt, values)
        if is_success(exchange):
            made.append(bench.stock.adopt(of.name, exchange))
    try:
        yield [obj for obj in dict.fromkeys(made) if obj.cls == of.name and _is_there(bench, fmt, obj)]
    finally:
        for obj in reversed(made):
            if obj in bench.stock.made:
                bench.stock.remove(obj)


def _is_there(bench: Bench, fmt: Format, obj: Obj) -> bool:
    """Whether an object can be read: what belonged to a thing that went back to an older state ended along with it."""
    return is_success(bench.call(fmt, f"{obj.cls}.get_record", obj.ref, probe=True))


def what_is_made_otherwise_is_an_object(bench: Bench, of: ApiClass) -> None:
    """What another message makes is new, found, listed and bound as what create makes. Source: introduction."""
    for fmt in in_turn(bench, of):
        with _made_otherwise(bench, of, fmt) as made, suppress(Unanswered, Unavailable):
            _are_listed(bench, of, fmt, made)
            for at, obj in enumerate(made):
                _is_found(bench, of, bench.other(fmt, at), obj)
                _is_bound(bench, of, bench.other(fmt, at), obj)
            _share_nothing(bench, of, fmt, made)
            for obj in made:
                _goes_alone(bench, of, fmt, obj)


def far_ends_have_what_is_made_otherwise(bench: Bench, of: ApiClass) -> None:
    """Far ends show what another message makes, and no more once it is destroyed. Source: introduction, relations."""
    for fmt in in_turn(bench, of):
        with _made_otherwise(bench, of, fmt) as made, suppress(Unanswered, Unavailable):
            for at, obj in enumerate(made):
                _is_bound(bench, of, bench.other(fmt, at), obj)
            for obj in made:
                bonds = list(_bonds(bench, of, fmt, obj))
                gone = bench.call(fmt, f"{of.name}.{of.destructor}", obj.ref)
                if is_success(gone):
                    bench.stock.forget(obj)
                    _has_left(bench, bonds, obj, gone)


def _shows_at_others(api: Api, of: ApiClass, classes: Collection[str]) -> bool:
    """Whether what another message makes of a class shows at objects of some other classes."""
    return is_made_otherwise(api, of) and owns_any(api, of, classes)


def _are_listed(bench: Bench, of: ApiClass, fmt: Format, made: list[Obj]) -> None:
    """Judge that objects are in both listings, and that none has the uuid of another, which is there or was."""
    if not made:
        return
    refs, listed = bench.ask(bench.other(fmt), f"{of.name}.get_all")
    records, seen = bench.ask(fmt, f"{of.name}.get_all_records")
    uuids = {ref: record.get("uuid") for ref, record in records.items()}
    with bench.judging("GET-ALL-AGREES", of.name, fmt) as judge:
        for obj in made:
            judge.true(obj.ref in refs, f"{obj.ref} in get_all", show(refs), listed)
            judge.true(obj.ref in records, f"{obj.ref} in get_all_records", show(sorted(records)), seen)
    with bench.judging("CREATE-NEW", of.name, fmt) as judge:
        for obj in made:
            text = uuids.get(obj.ref)
            others = [ref for ref, uuid in uuids.items() if uuid == text is not None and ref != obj.ref]
            was = bench.births.holder(of.name, str(text))
            judge.true(not others, f"a uuid of its own for {obj.ref}", f"{others[:3]} have it", seen)
            judge.true(was in {None, obj.ref}, "a uuid that no object had", f"{text}, as {was}", seen)


def _is_found(bench: Bench, of: ApiClass, fmt: Format, obj: Obj) -> None:
    if has_uuid(bench.api, of):
        with bench.judging("UUID-LOOKUP", of.name, fmt) as judge:
            finds_by_uuid(bench, judge, of, (fmt, bench.other(fmt)), obj.ref)
    if "get_by_name_label" in of.messages:
        with bench.judging("LABEL-LOOKUP", of.name, fmt) as judge:
            label, _ = bench.ask(fmt, f"{of.name}.get_name_label", obj.ref)
            found, seen = bench.ask(bench.other(fmt), f"{of.name}.get_by_name_label", label)
            lost = {obj.ref} | (labelled(bench, of.name, label) & bench.stock.known_refs(of.name)) - set(found)
            judge.true(obj.ref in found, f"{sorted(lost)} by the label {label!r} too", show(found), seen)
    text = value_of(bench, fmt, f"{of.name}.get_uuid", obj.ref)
    exchange = query(bench, of, fmt, f'field "uuid" = "{text}"')
    if text and is_success(exchange):
        with bench.judging("WHERE", of.name, fmt) as judge:
            shows_alone(bench, judge, (of, fmt), obj.ref, exchange)


def _bonds(bench: Bench, of: ApiClass, fmt: Format, obj: Obj) -> Iterator[tuple[Relation, Ref]]:
    """Return the far ends that an object names; where one names several, each."""
    record = value_of(bench, fmt, f"{of.name}.get_record", obj.ref) or {}
    for relation in judged(bench, of):
        value = record.get(relation.owner_field, ())
        for target in value if isinstance(value, tuple) else (value,):
            if target not in {NULL_REF, ""}:
                yield relation, target


def _is_bound(bench: Bench, of: ApiClass, fmt: Format, obj: Obj) -> None:
    for relation, target in _bonds(bench, of, fmt, obj):
        with bench.judging("BIND-CREATE", str(relation), fmt) as judge:
            members, seen = far_end(bench, relation, bench.other(fmt), target)
            judge.true(members.count(obj.ref) == 1, f"{obj.ref} in the far end, once", show(members), seen)


def _share_nothing(bench: Bench, of: ApiClass, fmt: Format, made: list[Obj]) -> None:
    """Add to the collections of each object: that is seen at no other one, such as that which it is a copy of."""
    before = _rows(bench, of, fmt, made)
    for at, obj in enumerate(made):
        fill(bench, (of, fmt), of.fields, obj, at + 2)
        after = _rows(bench, of, bench.other(fmt), made)
        with bench.judging("SET-ONLY-THAT", f"{of.name} (made otherwise)", fmt) as judge:
            judge.asserted += 1
            for ref in before[0].keys() & after[0].keys() - {obj.ref}:
                changed = changed_by_clients(of, before[0][ref], after[0][ref])
                expected = f"{ref} as before, when {obj.ref} was added to"
                judge.true(not changed, expected, f"other {sorted(changed)}", before[1], after[1])
        before = after


def _rows(bench: Bench, of: ApiClass, fmt: Format, made: list[Obj]) -> tuple[dict[Ref, dict[str, Value]], Exchange]:
    records, seen = bench.ask(fmt, f"{of.name}.get_all_records")
    ours = {obj.ref for obj in made}
    return {ref: record for ref, record in records.items() if ref in ours}, seen


def _goes_alone(bench: Bench, of: ApiClass, fmt: Format, obj: Obj) -> None:
    """Destroy an object: no listing, look-up or far end shows it, and every other one of ours is there."""
    bonds = list(_bonds(bench, of, fmt, obj))
    record = value_of(bench, fmt, f"{of.name}.get_record", obj.ref) or {}
    ours = bench.stock.known_refs(of.name) & set(bench.stock.all_refs(of.name))
    gone = bench.call(fmt, f"{of.name}.{of.destructor}", obj.ref)
    if not is_success(gone):
        return
    bench.stock.forget(obj)
    over = bench.other(fmt)
    refs, listed = bench.ask(over, f"{of.name}.get_all")
    with bench.judging("DESTROY-NO-CASCADE", of.name, fmt) as judge:
        lost = ours - set(refs) - {obj.ref}
        judge.true(not lost, "every other object of ours", f"without {sorted(lost)[:3]}", gone, listed)
    with bench.judging("DESTROY-GONE", of.name, fmt) as judge:
        judge.true(obj.ref not in refs, "get_all without the destroyed object", f"it shows {obj.ref}", gone, listed)
        asked = {"get_record": obj.ref, "get_by_uuid": record.get("uuid")}
        for name, value in asked.items():
            if value and name in of.messages:
                seen = bench.call(over, f"{of.name}.{name}", value, probe=True)
                judge.refused(seen, f"{name} of what was made otherwise and is destroyed")
        label = record.get("name_label")
        if label is not None and "get_by_name_label" in of.messages:
            found = bench.call(over, f"{of.name}.get_by_name_label", label).reply.outcome
            there = isinstance(found, Success) and obj.ref in found.value
            judge.true(not there, "a look-up without the destroyed object", f"it shows {obj.ref}", gone)
    _has_left(bench, bonds, obj, gone)


def _has_left(bench: Bench, bonds: Sequence[tuple[Relation, Ref]], obj: Obj, gone: Exchange) -> None:
    """Judge that far ends are without an object that was destroyed."""
    fmt = gone.format
    for relation, target in bonds:
        over = bench.other(fmt)
        members = value_of(bench, over, f"{relation.derived_cls}.get_{relation.derived_field}", target)
        with bench.judging("BIND-DESTROY", str(relation), fmt) as judge:
            judge.true(obj.ref not in (members or ()), "the far end without the destroyed object", show(members), gone)


CHECKS = (
    Check(
        "UUID-LOOKUP",
        per_class=what_is_made_otherwise_is_an_object,
        applies=is_made_otherwise,
        also=(
            "LABEL-LOOKUP",
            "WHERE",
            "CREATE-NEW",
            "GET-ALL-AGREES",
            "SET-ONLY-THAT",
            "BIND-CREATE",
            "BIND-DESTROY",
            "DESTROY-GONE",
            "DESTROY-NO-CASCADE",
        ),
    ),
    Check(
        "BIND-CREATE",
        per_class=far_ends_have_what_is_made_otherwise,
        applies=not_itself,
        reaches=_shows_at_others,
        also=("BIND-DESTROY",),
    ),
)
