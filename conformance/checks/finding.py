"""Level 3, look-ups: by uuid, by name, by query."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from contextlib import suppress

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, show
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.writing import changed_by_clients
from xenconform.models.api import Api, ApiClass
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.types import Str
from xenconform.models.values import Ref, Value

DCE = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""The OSF DCE text form of a uuid."""


def has_uuid(_api: Api, of: ApiClass) -> bool:
    """Whether objects of the class have a uuid that can be read and looked up."""
    return {"get_uuid", "get_by_uuid"} <= of.messages.keys()


def has_label(_api: Api, of: ApiClass) -> bool:
    """Whether objects of the class can be looked up by name."""
    return "get_by_name_label" in of.messages


def is_listed(_api: Api, of: ApiClass) -> bool:
    """Whether the class lists its objects with their records."""
    return {"get_all", "get_all_records", "get_uuid"} <= of.messages.keys()


def by_uuid_finds_the_object(bench: Bench, of: ApiClass) -> None:
    """get_by_uuid(get_uuid(r)) denotes the object r. Source: introduction, identity."""
    for fmt in bench.formats:
        with bench.judging("UUID-LOOKUP", of.name, fmt) as judge:
            for obj in _several(bench, of):
                text, asked = bench.ask(fmt, f"{of.name}.get_uuid", obj.ref)
                seen = bench.call(bench.other(fmt), f"{of.name}.get_by_uuid", text)
                if not isinstance(seen.reply.outcome, Success):
                    bench.ask(fmt, f"{of.name}.get_uuid", obj.ref)  # Somebody else's object may have ended meanwhile.
                    raise Unanswered(seen)
                found = seen.reply.outcome.value
                if found == obj.ref:
                    judge.asserted += 1
                    continue
                again, last = bench.ask(fmt, f"{of.name}.get_uuid", found)
                judge.true(again == text, f"the object of uuid {text}", f"{found} of uuid {again}", asked, seen, last)


def _several(bench: Bench, of: ApiClass) -> list[Obj]:
    found = list(bench.stock.readable(of.name, bench.budget.objects))
    with suppress(Unavailable):
        found.append(bench.stock.own(of.name))
    return found


def unknown_uuids_are_refused(bench: Bench, of: ApiClass) -> None:
    """An unknown uuid, another class's, a destroyed object's fail; SHOULD: UUID_INVALID. Source: error list."""
    bad = {"unknown": str(uuid.uuid4()), "the nil uuid": str(uuid.UUID(int=0)), "no uuid at all": "xenconform"}
    (obj,) = bench.stock.readable(of.name)
    bad["a ref"] = obj.ref
    for other in ("pool", "host", "network"):
        if other != of.name and other in bench.api.classes and bench.stock.existing(other):
            ref = bench.stock.existing(other)[0]
            bad["another class's"] = bench.ask(bench.formats[0], f"{other}.get_uuid", ref)[0]
            break
    with suppress(Unavailable):
        gone = bench.stock.make(of.name)
        text = bench.ask(bench.formats[0], f"{of.name}.get_uuid", gone.ref)[0]
        if bench.stock.remove(gone):
            bad["a destroyed object's"] = text
    for fmt in bench.formats:
        with (
            bench.judging("UUID-UNKNOWN", of.name, fmt) as judge,
            bench.judging("UUID-UNKNOWN-CODE", of.name, fmt) as coded,
        ):
            for kind, text in bad.items():
                exchange = bench.call(fmt, f"{of.name}.get_by_uuid", text, probe=True)
                if judge.refused(exchange, f"get_by_uuid of {kind} ({text})"):
                    coded.code(exchange, "UUID_INVALID", of.name, text)


def uuids_have_their_form(bench: Bench, of: ApiClass) -> None:
    """Uuids are in OSF DCE form, and unique. Source: wire protocol page."""
    for fmt in bench.formats:
        with bench.judging("UUID-FORM", of.name, fmt) as judge:
            seen: Counter[str] = Counter()
            for obj in _several(bench, of):
                text, exchange = bench.ask(fmt, f"{of.name}.get_uuid", obj.ref)
                judge.true(bool(DCE.fullmatch(text)), "32 hex digits in groups of 8-4-4-4-12", show(text), exchange)
            if "get_all_records" in of.messages:
                records, exchange = bench.ask(fmt, f"{of.name}.get_all_records")
                seen.update(str(record.get("uuid")).lower() for record in records.values())
                twice = [text for text, count in seen.items() if count > 1]
                judge.true(not twice, "each uuid once", f"more than once: {twice[:3]}", exchange)


def by_label_finds_exactly_those(bench: Bench, of: ApiClass) -> None:
    """get_by_name_label(l) is exactly the set of objects with that label. Source: introduction, look-ups.

    None, one, two; after a rename and after a destroy; case, spaces and prefixes are significant.
    """
    for fmt in bench.formats:
        with bench.judging("LABEL-LOOKUP", of.name, fmt) as judge:
            try:
                first = bench.stock.make(of.name)
            except Unavailable:
                _existing_labels(bench, judge, of, fmt)
                continue
            _own_labels(bench, judge, of, (fmt, first))


def _find(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], label: str, expected: set[Ref], when: str) -> None:
    of, fmt = at
    found, exchange = bench.ask(fmt, f"{of.name}.get_by_name_label", label)
    odd = {ref for ref in set(found) ^ expected if _is_odd(bench, at, label, ref)}
    judge.true(
        len(found) == len(set(found)) and not odd,
        f"{len(expected)} object(s) {when}: {sorted(expected)}",
        show(found),
        exchange,
    )


def labels(bench: Bench, cls: str) -> dict[Ref, Value]:
    """Return the name_label of every object of a class, as the records have it.

    Raises:
        Unavailable: there are no records to read.
    """
    outcome = bench.call(bench.formats[0], f"{cls}.get_all_records").reply.outcome
    if not isinstance(outcome, Success):
        raise Unavailable(f"{cls}.get_all_records gives no records to compare with")
    return {ref: record.get("name_label") for ref, record in outcome.value.items()}


def labelled(bench: Bench, cls: str, label: str) -> set[Ref]:
    """Return the refs of the objects whose record has exactly that name_label."""
    return {ref for ref, other in labels(bench, cls).items() if other == label}


def _is_odd(bench: Bench, at: tuple[ApiClass, Format], label: str, ref: Ref) -> bool:
    """Whether an object is in a look-up without its label, or missing with it; others' objects are asked once more."""
    of, fmt = at
    if ref in bench.stock.known_refs(of.name):
        return True
    seen = bench.call(fmt, f"{of.name}.get_name_label", ref, probe=True).reply.outcome
    if not isinstance(seen, Success):
        return False
    again, _ = bench.ask(fmt, f"{of.name}.get_by_name_label", label)
    last = bench.call(fmt, f"{of.name}.get_name_label", ref, probe=True).reply.outcome
    return seen == last and bool(seen.value == label) != (ref in again)


def _existing_labels(bench: Bench, judge: Judge, of: ApiClass, fmt: Format) -> None:
    if not bench.stock.existing(of.name):
        raise Unavailable("the server has no object of this class and none can be made")
    for ref in bench.stock.existing(of.name)[: bench.budget.objects]:
        label, _ = bench.ask(fmt, f"{of.name}.get_name_label", ref)
        expected = {
            other
            for other in bench.stock.all_refs(of.name)
            if bench.ask(bench.other(fmt), f"{of.name}.get_name_label", other)[0] == label
        }
        _find(bench, judge, (of, bench.other(fmt)), label, expected, "of that label")
    _find(bench, judge, (of, fmt), f"xenconform none {uuid.uuid4()}", set(), "of a label that none has")


def _rename(bench: Bench, at: tuple[ApiClass, Format], obj: Obj, label: str) -> None:
    """Give an object another label, and see that it has it.

    Raises:
        Unavailable: the setter did not set it, which is for the clauses of setting.
    """
    of, fmt = at
    bench.ask(fmt, f"{of.name}.set_name_label", obj.ref, label)
    if bench.ask(fmt, f"{of.name}.get_name_label", obj.ref)[0] != label:
        raise Unavailable("a rename does not change the label; counted under SET-VALUE")


def _own_labels(bench: Bench, judge: Judge, of: ApiClass, at: tuple[Format, Obj]) -> None:
    fmt, first = at
    look = (of, bench.other(fmt))
    rename = "set_name_label" in of.messages
    label, _ = bench.ask(fmt, f"{of.name}.get_name_label", first.ref)
    if rename:
        before, label = label, f"xcLabel {uuid.uuid4()}"
        _rename(bench, (of, fmt), first, label)
        _find(bench, judge, look, before, labelled(bench, of.name, before), "of the label before the rename")
    _find(bench, judge, look, label, labelled(bench, of.name, label) | {first.ref}, "of a new label")
    named = labels(bench, of.name)
    for wrong in (label.swapcase(), f"{label} ", f" {label}", label[:-1], f"{label}x", "%", "*", "", ".*"):
        same_label = {ref for ref, other in named.items() if other == wrong}
        _find(bench, judge, look, wrong, same_label, f"of the label {wrong!r}, which is not {label!r}")
    if rename:
        second = bench.stock.make(of.name)
        _rename(bench, look, second, label)
        _find(bench, judge, look, label, {first.ref, second.ref}, "of a label that two have")
        if bench.stock.remove(second):
            _find(bench, judge, look, label, {first.ref}, "after one of two was destroyed")
    if bench.stock.remove(first):
        left = labelled(bench, of.name, label) - {first.ref}
        _find(bench, judge, look, label, left, "after the destroy")


def queries_return_what_matches(bench: Bench, of: ApiClass) -> None:
    """get_all_records_where returns exactly the records that match. Source: error list (SHOULD)."""
    for fmt in bench.formats:
        with bench.judging("WHERE", of.name, fmt) as judge:
            (obj,) = bench.stock.readable(of.name)
            text, _ = bench.ask(fmt, f"{of.name}.get_uuid", obj.ref)
            query = (Str(), f'field "uuid" = "{text}"')
            records = of.messages["get_all_records"].result
            exchange = bench.call(fmt, f"{of.name}.get_all_records_where", probe=True, params=[query], result=records)
            outcome = exchange.reply.outcome
            if isinstance(outcome, Failure) and outcome.code in {"MESSAGE_METHOD_UNKNOWN", "NOT_IMPLEMENTED"}:
                judge.unsupported(describe(exchange))
                continue
            if not isinstance(outcome, Success):
                judge.true(False, f"the record of uuid {text}", describe(exchange), exchange)
                continue
            nobody = (Str(), f'field "uuid" = "{uuid.uuid4()}"')
            none = bench.call(fmt, exchange.message, probe=True, params=[nobody], result=records)
            found = none.reply.outcome
            judge.true(
                isinstance(found, Success) and not found.value, "no record of an unknown uuid", describe(none), none
            )
            record, seen = bench.ask(fmt, f"{of.name}.get_record", obj.ref)
            judge.true(set(outcome.value) == {obj.ref}, f"{obj.ref} alone", show(sorted(outcome.value)), exchange)
            shown = outcome.value.get(obj.ref, {})
            differ = changed_by_clients(of, shown, record) | (shown.keys() ^ record.keys())
            judge.true(not differ, "the object's record", f"other {sorted(differ)}", exchange, seen)


CHECKS = (
    Check("UUID-LOOKUP", per_class=by_uuid_finds_the_object, applies=has_uuid),
    Check("UUID-UNKNOWN", per_class=unknown_uuids_are_refused, applies=has_uuid, also=("UUID-UNKNOWN-CODE",)),
    Check("UUID-FORM", per_class=uuids_have_their_form, applies=has_uuid),
    Check("LABEL-LOOKUP", per_class=by_label_finds_exactly_those, applies=has_label),
    Check("WHERE", per_class=queries_return_what_matches, applies=is_listed),
)
