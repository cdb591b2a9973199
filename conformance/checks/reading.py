"""Level 2, reading: every field has its getter, and all the ways to read an object agree."""

from __future__ import annotations

from collections.abc import Iterator

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.fields import plain_values, written
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, is_refusal, show
from xenconform.conformance.checks.refs import BAD_REFS, bad_ref
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Api, ApiClass, Field, Qualifier, State
from xenconform.models.calls import Breach, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import RefTo
from xenconform.models.values import Ref, Value, same

STILL = 6
"""So many further readings show that a field which the server may change itself stands still."""


def has_getters(_api: Api, of: ApiClass) -> bool:
    """Whether any field of the class has a getter by the model."""
    return any(message.verb == "get" for message in of.messages.values())


def is_listed(_api: Api, of: ApiClass) -> bool:
    """Whether the class publishes both ways to list its objects."""
    return {"get_all", "get_all_records", "get_record"} <= of.messages.keys()


def getters(of: ApiClass) -> Iterator[tuple[Field, str]]:
    """Return each field that has a getter, with the getter's full name."""
    for field in of.fields.values():
        message = of.messages.get(f"get_{field.name}")
        if message is not None and message.verb == "get":
            yield field, message.full_name


def every_field_has_a_getter_of_its_type(bench: Bench, of: ApiClass) -> None:
    """get_f of every field answers with a value of the declared type. Source: introduction, accessors."""
    for fmt in bench.formats:
        for field, message in getters(of):
            with bench.judging("GET-EVERY-FIELD", f"{of.name}.{field.name}", fmt) as judge:
                (obj,) = bench.stock.readable(of.name)
                exchange = bench.call(fmt, message, obj.ref)
                outcome = exchange.reply.outcome
                if field.lifecycle.state is State.REMOVED and is_refusal(exchange):
                    judge.unsupported(f"removed in this release: {describe(exchange)}")
                elif isinstance(outcome, Breach) and not exchange.status:
                    judge.untested(f"no answer: {outcome.kind}; counted under the wire clauses")
                else:
                    judge.true(
                        isinstance(outcome, Success), f"a value of type {field.type}", describe(exchange), exchange
                    )


def record_agrees_with_the_getters(bench: Bench, of: ApiClass) -> None:
    """get_record has exactly the class's fields, each equal to get_f. Source: introduction, accessors.

    A field that changes by itself is read before and after the record; only a field that stood still is compared.
    """
    for fmt in bench.formats:
        for obj in bench.stock.readable(of.name, 2 if bench.budget.boundaries else 1):
            _compare_record(bench, of, obj, fmt)
    records_follow_a_write(bench, of)


def records_follow_a_write(bench: Bench, of: ApiClass) -> None:
    """After a write, get_record shows what get_f shows, over every format. Source: introduction, accessors.

    Every format reads the record before the write, so that one that keeps what it once read is found out.
    """
    field = next((each for each in written(of) if not isinstance(each.type, RefTo)), None)
    if field is None or "get_record" not in of.messages:
        return
    for fmt in bench.formats:
        with bench.judging("GET-RECORD-AGREES", f"{of.name}.{field.name}", fmt) as judge:
            obj = bench.stock.writable(of.name)
            with bench.restoring(obj, field.name):
                _follow_writes(bench, judge, (of, field, fmt), obj)


def _follow_writes(bench: Bench, judge: Judge, at: tuple[ApiClass, Field, Format], obj: Obj) -> None:
    of, field, fmt = at
    for value in plain_values(bench, of.name, field, field.type, 2):
        bench.ask(fmt, f"{of.name}.get_record", obj.ref)
        _, wrote = bench.ask(bench.other(fmt), f"{of.name}.set_{field.name}", obj.ref, value)
        single, one = bench.ask(fmt, f"{of.name}.get_{field.name}", obj.ref)
        record, whole = bench.ask(fmt, f"{of.name}.get_record", obj.ref)
        if field.name in record:
            judge.same(field.type, single, record[field.name], wrote, one, whole)


def _compare_record(bench: Bench, of: ApiClass, obj: Obj, fmt: Format) -> None:
    message = f"{of.name}.get_record"
    with bench.judging("GET-RECORD-AGREES", of.name, fmt) as judge:
        before = {field.name: _peek(bench, fmt, name, obj.ref) for field, name in getters(of)}
        record, exchange = bench.ask(fmt, message, obj.ref)
        required = {name for name, field in of.fields.items() if field.lifecycle.state is not State.REMOVED}
        missing, extra = required - record.keys(), record.keys() - of.fields.keys()
        judge.true(not missing, "every field of the class", f"without {sorted(missing)}", exchange)
        judge.true(not extra, "no field that the class has not", f"with {sorted(extra)}", exchange)
        for field, name in getters(of):
            seen = before[field.name]
            if seen is None or field.name not in record or same(field.type, seen[0], record[field.name]):
                continue
            _confirm(bench, judge, (fmt, name, obj.ref), field, record[field.name], exchange)


def _confirm(
    bench: Bench, judge: Judge, ask: tuple[Format, str, Ref], field: Field, in_record: Value, exchange: Exchange
) -> None:
    """Read a field and the record again: judge only what stands still on both sides."""
    fmt, name, ref = ask
    again = _peek(bench, fmt, name, ref)
    cls = name.partition(".")[0]
    record, later = bench.ask(fmt, f"{cls}.get_record", ref)
    if again is None or field.name not in record:
        return
    # Few values by turns may look still by chance: a field that the server may change itself is read more often.
    for _ in range(STILL if field.qualifier is Qualifier.RUNTIME else 1):
        after = _peek(bench, fmt, name, ref)
        record, later = bench.ask(fmt, f"{cls}.get_record", ref)
        if after is None or not same(field.type, again[0], after[0]):
            return
        moved = not same(field.type, in_record, record.get(field.name))
        if moved and field.qualifier is Qualifier.RUNTIME:
            return
    agrees = field.name in record and same(field.type, again[0], record[field.name])
    judge.true(
        agrees,
        f"{field.name} = {show(again[0])}, as get_{field.name} says",
        f"{field.name} = {show(record.get(field.name, in_record))} in the record",
        exchange,
        later,
        again[1],
    )


def _peek(bench: Bench, fmt: Format, message: str, ref: Ref) -> tuple[Value, Exchange] | None:
    exchange = bench.call(fmt, message, ref)
    outcome = exchange.reply.outcome
    return (outcome.value, exchange) if isinstance(outcome, Success) else None


def all_ways_to_list_agree(bench: Bench, of: ApiClass) -> None:
    """get_all and get_all_records name the same objects, each record equal to get_record. Source: introduction."""
    for fmt in bench.formats:
        with bench.judging("GET-ALL-AGREES", of.name, fmt) as judge:
            refs, listed = bench.ask(fmt, f"{of.name}.get_all")
            records, exchange = bench.ask(fmt, f"{of.name}.get_all_records")
            again, later = bench.ask(fmt, f"{of.name}.get_all")
            steady = set(refs) & set(again)
            judge.true(
                steady <= records.keys() and records.keys() <= set(refs) | set(again),
                f"the {len(steady)} objects of get_all",
                _difference(steady, set(records)),
                listed,
                exchange,
                later,
            )
            own = bench.stock.known_refs(of.name)
            judge.true(own <= set(again), "every object that was created", f"without {sorted(own - set(again))}", later)
            for ref in [ref for ref in again if ref in records][: bench.budget.objects]:
                _same_record(bench, judge, of, (fmt, ref), records[ref], exchange)


def _difference(listed: set[Ref], records: set[Ref]) -> str:
    return f"get_all_records lacks {sorted(listed - records)[:3]}, has besides {sorted(records - listed)[:3]}"


def _same_record(
    bench: Bench, judge: Judge, of: ApiClass, at: tuple[Format, Ref], listed: Value, exchange: Exchange
) -> None:
    fmt, ref = at
    record, single = bench.ask(fmt, f"{of.name}.get_record", ref)
    judge.asserted += 1
    differing = differing_fields(of, listed, record)
    if not differing:
        return
    records, again = bench.ask(fmt, f"{of.name}.get_all_records")
    after, last = bench.ask(fmt, f"{of.name}.get_record", ref)
    for name in differing & differing_fields(of, records.get(ref, {}), after):
        if of.fields[name].qualifier is Qualifier.RUNTIME and not _stands_still(bench, of, (fmt, ref), name, record):
            continue
        if name in record and name in after and same(of.fields[name].type, record[name], after[name]):
            judge.fail(
                f"{name} = {show(after[name])}, as get_record says",
                f"{name} = {show(records.get(ref, {}).get(name))} in get_all_records",
                exchange,
                single,
                last,
                again,
            )


def _stands_still(bench: Bench, of: ApiClass, at: tuple[Format, Ref], name: str, record: dict[str, Value]) -> bool:
    """Whether a field that the server may change itself shows the same value in records read one after the other."""
    fmt, ref = at
    for _ in range(STILL):
        again, _seen = bench.ask(fmt, f"{of.name}.get_record", ref)
        if name not in again or not same(of.fields[name].type, record.get(name), again[name]):
            return False
    return True


def differing_fields(of: ApiClass, left: dict[str, Value], right: dict[str, Value]) -> set[str]:
    """Return the names of the fields whose values differ between two records, or that only one of them has."""
    return {
        name
        for name, field in of.fields.items()
        if (name in left) != (name in right) or (name in left and not same(field.type, left[name], right[name]))
    }


def bad_refs_are_refused(bench: Bench, of: ApiClass) -> None:
    """get_f of an unknown, destroyed, null or other-class ref fails; SHOULD: HANDLE_INVALID. Source: error list.

    get_record and get_uuid are given every kind over every format; each other getter every kind, spread over the
    formats so that none is left out.
    """
    refs = {kind: bad_ref(kind) for kind in BAD_REFS}
    stale = bench.stock.stale(of.name)
    if stale is not None:
        refs["destroyed"] = stale
    other = other_class_ref(bench, of.name)
    if other is not None:
        refs["other class"] = other
    messages = [name for _, name in getters(of)] + [f"{of.name}.get_record"] * ("get_record" in of.messages)
    for turn, fmt in enumerate(bench.formats):
        for at, message in enumerate(messages):
            all_kinds = bench.budget.name == "thorough" or message.endswith((".get_record", ".get_uuid"))
            step = 1 if all_kinds else len(bench.formats) if bench.budget.boundaries else len(refs)
            kinds = [kind for n, kind in enumerate(refs) if (n + at + turn) % step == 0]
            _refuse_all(bench, of, (fmt, message), {kind: refs[kind] for kind in kinds})


def _refuse_all(bench: Bench, of: ApiClass, at: tuple[Format, str], refs: dict[str, Ref]) -> None:
    fmt, message = at
    element = message.replace(".get_", ".", 1)
    with (
        bench.judging("GET-BAD-REF", element, fmt) as judge,
        bench.judging("GET-BAD-REF-CODE", element, fmt) as coded,
    ):
        for kind, ref in refs.items():
            exchange = bench.call(fmt, message, ref, probe=True)
            if judge.refused(exchange, f"{message} of a ref that is {kind}"):
                coded.code(exchange, "HANDLE_INVALID", of.name, None if kind == "empty" else ref)


def other_class_ref(bench: Bench, cls: str) -> Ref | None:
    """Return the ref of an object of another class, or None where the server shows none."""
    for other in ("pool", "host", "network", "VM", "session"):
        if other != cls and other in bench.api.classes:
            try:
                return bench.stock.readable(other)[0].ref
            except Unavailable:
                continue
    return None


CHECKS = (
    Check("GET-EVERY-FIELD", per_class=every_field_has_a_getter_of_its_type, applies=has_getters),
    Check("GET-RECORD-AGREES", per_class=record_agrees_with_the_getters, applies=has_getters),
    Check("GET-ALL-AGREES", per_class=all_ways_to_list_agree, applies=is_listed),
    Check("GET-BAD-REF", per_class=bad_refs_are_refused, applies=has_getters, also=("GET-BAD-REF-CODE",)),
)
