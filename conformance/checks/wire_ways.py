"""Level 1, values by other ways than set_f and get_f: in records, by constructors, one by one, in other notations.

A server may read and write a value in one way well and in another badly: a record's members have an escaping of their
own, a constructor its own parser. A plain value always goes the same way first or besides, so that what is broken for
every value is left to the clauses of records, constructors and adding.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from xenconform.conformance.checks.judging import Unanswered, Unavailable, describe, show
from xenconform.conformance.checks.roundtrip import Spot, Trial, constructor_place, spot, writer
from xenconform.conformance.checks.wire_kinds import Batch, Kind
from xenconform.conformance.codec import Scalar
from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass, Field
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Ref, Value, same
from xenconform.strategies.boundary import numbered

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench

ODD_TEXTS = (" \t<&>\"'\\ e\u0301 \u00e9 \U0001f600 ]]> &amp; %2F a+b \u0093\r\n ", "&")
"""Texts to add to sets and maps: outer spaces, markup and all planes in one, and one that begins and ends in markup."""
Wrong: TypeAlias = tuple[str, Format, str, Exchange]
"""A field that does not show its value, the format at fault, what is shown, and where."""
WHOLE_NUMBERS = (("3", 3.0), ("25E-1", 2.5))
"""JSON numbers without a point, one with a capital exponent, and the doubles that they are."""


# --------------------------------------------------------------------------------------------------------- in a record


def stands_in_record(trial: Trial, value: Value, plain: Value) -> None:
    """Judge how the record shows a value that the getter shows as it was written, over the writing format."""
    holder, of = trial.holder, trial.spot.of
    if holder is None or trial.fmt in trial.blamed or "get_record" not in of.messages:
        return
    trial.record = seen = _record(trial, holder.ref)
    if _shows(trial, seen, value) or (trial.sizes_alone and _is_as_large(trial, seen, value)):
        return
    for each, well in ((plain, True), (value, False)):
        wrote, _ = trial.spot.put(trial.fmt, each, holder)
        seen = _record(trial, holder.ref)
        if not isinstance(wrote.reply.outcome, Success) or _shows(trial, seen, each) is not well:
            return
    trial.judge.fail(f"{show(value)} in the record, as get_{trial.spot.field.name} says", _told(trial, seen), seen)
    trial.blamed.add(trial.fmt)


def _record(trial: Trial, ref: Ref) -> Exchange:
    return trial.spot.bench.call(trial.fmt, f"{trial.spot.of.name}.get_record", ref)


def _shows(trial: Trial, seen: Exchange, value: Value) -> bool:
    outcome, field = seen.reply.outcome, trial.spot.field
    return isinstance(outcome, Success) and _holds(field, outcome.value, value)


def _is_as_large(trial: Trial, seen: Exchange, value: Value) -> bool:
    """Whether a record shows as many members, without a flaw: what they are is then another clause's matter."""
    outcome, name = seen.reply.outcome, trial.spot.field.name
    flawed = any(flaw.where.startswith(name) for flaw in seen.reply.flaws)
    return isinstance(outcome, Success) and not flawed and len(outcome.value.get(name, ())) == len(value)


def _told(trial: Trial, seen: Exchange) -> str:
    outcome = seen.reply.outcome
    return show(outcome.value.get(trial.spot.field.name)) if isinstance(outcome, Success) else describe(seen)


# ------------------------------------------------------------------------------------------------------ ints in replies


def spelling(value: object) -> str:
    """Return how an int is written in JSON, "" for what is none."""
    if isinstance(value, str):
        return "decimal strings" if value.removeprefix("-").isdecimal() else ""
    return "integers" if isinstance(value, int) and not isinstance(value, bool) else ""


def ints_in(of: t.Type, value: object, api: Api, most: int | None = None) -> Iterator[object]:
    """Yield the ints of a JSON value of a type, as they were written, of `most` members of a set or map where given."""
    match of, value:
        case t.Int(), _:
            yield value
        case t.SetOf(item), list():
            for each in value[:most]:
                yield from ints_in(item, each, api, most)
        case t.MapOf(_, item), dict():
            for each in list(value.values())[:most]:
                yield from ints_in(item, each, api, most)
        case t.RecordOf(cls), dict():
            for field in api.classes[cls].fields.values():
                if field.name in value and not isinstance(field.type, t.RecordOf):
                    yield from ints_in(field.type, value[field.name], api, most)
        case _:
            return


def result_of(exchange: Exchange) -> Any:
    """Return the result of a JSON reply as it was written, None where there is none."""
    try:
        reply = json.loads(exchange.received)
    except (ValueError, RecursionError):
        return None
    return reply.get("result") if isinstance(reply, dict) else None


def keeps_to_one_spelling(trial: Trial, spelled: dict[str, Exchange]) -> None:
    """Judge that getter and record write a value in JSON as they wrote those before; `spelled` remembers them."""
    for seen, within in ((trial.back, ""), (trial.record, trial.spot.field.name)):
        if seen is None or seen.format is Format.XMLRPC or not isinstance(seen.reply.outcome, Success):
            continue
        result = result_of(seen)
        how = spelling(result.get(within) if within and isinstance(result, dict) else result)
        if not how or trial.fmt in trial.blamed:
            continue
        spelled.setdefault(how, seen)
        if len(spelled) > 1:
            told = "; ".join(f"{each} in {at.message}" for each, at in spelled.items())
            with trial.spot.bench.judging("WIRE-INT-JSON", trial.spot.element, seen.format) as judge:
                judge.fail("ints in one spelling, whatever their size", told, *spelled.values())
            trial.blamed.add(trial.fmt)


# -------------------------------------------------------------------------------------------------------- one by one


def texts_are_added(trial: Trial) -> None:
    """Add odd texts to a set, or as keys and values to a map, one by one: they come back as they are."""
    spot_ = trial.spot
    verb = {t.SetOf: "add", t.MapOf: "add_to"}.get(type(spot_.field.type), "")
    adder = writer(spot_.bench, spot_.of, spot_.field.name, verb) if verb else None
    if adder is None or trial.holder is None or not spot_.is_free or trial.over:
        return
    added = list(_additions(spot_.field.type))
    if not added or _comes_back(trial, adder.full_name, added[1:]):
        return
    seen = trial.back
    if seen is not None and _comes_back(trial, adder.full_name, added[:1]):
        told = show([each[0] for each in added[1:]])
        trial.judge.fail(f"{told}, as added by {adder.full_name} over {trial.fmt}", describe(seen), seen)
        trial.blamed.add(trial.fmt)


def _additions(of: t.Type) -> Iterator[tuple[Value, ...]]:
    texts = ("xc", *ODD_TEXTS)
    match of:
        case t.SetOf(t.Str()):
            yield from ((text,) for text in texts)
        case t.MapOf(t.Str(), t.Str()):
            yield from ((text, text) for text in texts)


def _comes_back(trial: Trial, adder: str, added: list[tuple[Value, ...]]) -> bool:
    """Empty the field, add, and return whether it shows what was added; a refusal of the server's domain passes."""
    spot_, holder = trial.spot, trial.holder
    assert holder is not None
    empty: Value = () if isinstance(spot_.field.type, t.SetOf) else {}
    spot_.put(trial.fmt, empty, holder)
    for args in added:
        wrote = spot_.bench.call(trial.fmt, adder, holder.ref, *args)
        if not isinstance(wrote.reply.outcome, Success):
            trial.back = wrote
            return spot_.bench.is_domain_refusal(wrote)
    expected: Value = tuple(args[0] for args in added) if empty == () else dict(added)
    trial.back = spot_.get(spot_.bench.other(trial.fmt), holder.ref)
    outcome = trial.back.reply.outcome
    return isinstance(outcome, Success) and same(spot_.field.type, expected, outcome.value)


# ------------------------------------------------------------------------------------------------- whole JSON numbers


def whole_numbers_are_floats(trial: Trial) -> None:
    """JSON has one kind of number: a float may be sent without a point. Source: wire protocol; RFC 8259, section 6."""
    spot_, holder = trial.spot, trial.holder
    if trial.fmt is Format.XMLRPC or spot_.how != "set" or not spot_.is_free or trial.over or holder is None:
        return
    self = (t.RefTo(spot_.of.name), holder.ref)
    for lexeme, value in WHOLE_NUMBERS:
        message = f"{spot_.of.name}.set_{spot_.field.name}"
        wrote = spot_.bench.call(trial.fmt, message, params=[self, (None, Scalar("int", lexeme))])
        if spot_.bench.is_domain_refusal(wrote):
            continue
        if not isinstance(wrote.reply.outcome, Success):
            trial.judge.fail(f"the JSON number {lexeme} is taken for a float", describe(wrote), wrote)
            trial.blamed.add(trial.fmt)
            return
        back = spot_.get(trial.fmt, holder.ref)
        if isinstance(back.reply.outcome, Success):
            trial.judge.same(t.Float(), value, back.reply.outcome.value, wrote, back)


def within(spot_: Spot) -> list[Batch]:
    """Return a float with many digits between two that a field takes by its profile; a server may turn it down."""
    if not isinstance(spot_.field.type, t.Float):
        return []
    low, *_, high = sorted(spot_.plain(10)) * 2
    return [Batch(low + (high - low) / 3, refusable=True)] if low < high else []


# ------------------------------------------------------------------------------------------------------- constructors


def created_values_travel(bench: Bench, of: ApiClass, kind: Kind, fmt: Format) -> None:
    """Give a constructor a hard value for each field that clients can set as well: each comes back as it was given.

    The record shows them, over another format. What a setter takes and a constructor refuses, or changes, is judged;
    where plain values do not come back either, constructors are at fault, and nothing is.
    """
    hard = dict(_hard_fields(bench, of, kind, fmt))
    if not hard or "get_record" not in of.messages:
        return
    with suppress(Unavailable, Unanswered):
        wrong = _created(bench, of, fmt, hard)
        plain = dict(_plain_fields(bench, of, kind, hard)) if wrong else {}
        if not wrong or _created(bench, of, fmt, plain):
            return
        for name, guilty, told, seen in wrong:
            with bench.judging(kind.clause(guilty), f"{of.name}.{name}", guilty) as judge:
                judge.fail(f"{show(hard[name])}, as {of.name}'s constructor was given over {fmt}", told, seen)


def _hard_fields(bench: Bench, of: ApiClass, kind: Kind, fmt: Format) -> Iterator[tuple[str, Value]]:
    """Yield the fields that a setter writes and the constructor takes, each with a hard value of its kind."""
    turn = bench.formats.index(fmt)
    for at, field in enumerate(kind.fields(of)):
        found = spot(bench, of, field.name)
        if found is None or found.how == "create" or not found.is_free or constructor_place(of, field) is None:
            continue
        batches = [batch for batch in kind.hard(field.type) if not batch.refusable]
        whole = [batch for batch in batches if batch.singles]
        chosen = whole or batches
        if chosen:
            yield field.name, chosen[-1 - (at + turn) % len(chosen)].value


def _plain_fields(bench: Bench, of: ApiClass, kind: Kind, hard: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield a plain value for each field: as many plain members, where it is not the number of them that is hard."""
    for name, value in hard.items():
        found = spot(bench, of, name)
        if found is not None:
            yield name, found.plain()[0] if kind.at_top else _as_many(found, value)


def _as_many(found: Spot, value: Value) -> Value:
    """Return a plain value of a field, a set or map with as many members as another value of it."""
    match found.field.type:
        case t.SetOf(item):
            return numbered(item, len(value))
        case t.MapOf(key, of_value):
            return dict.fromkeys(numbered(key, len(value)), numbered(of_value, 1)[0])
        case _:
            return found.plain()[0]


def _created(bench: Bench, of: ApiClass, fmt: Format, values: Mapping[str, Value]) -> list[Wrong]:
    """Make an object with values; return the fields that do not show theirs, over another format or over all."""
    places = {name: constructor_place(of, of.fields[name]) for name in values}
    made = bench.stock.try_make(of.name, {place[1]: values[n] for n, place in places.items() if place}, fmt=fmt)
    if not isinstance(made.reply.outcome, Success):
        return [] if bench.is_domain_refusal(made) else [(name, fmt, describe(made), made) for name in list(values)[:1]]
    obj = bench.stock.adopt(of.name, made)
    wrong: list[Wrong] = []
    record, seen = bench.ask(bench.other(fmt), f"{of.name}.get_record", obj.ref)
    odd = [name for name in values if not _holds(of.fields[name], record, values[name])]
    shown = {each: bench.ask(each, f"{of.name}.get_record", obj.ref)[0] for each in bench.formats} if odd else {}
    for name in odd:
        bad = [each for each, told in shown.items() if not _holds(of.fields[name], told, values[name])]
        # Where every format shows it changed, the one that wrote it did that.
        guilty = fmt if len(bad) == len(shown) else bench.other(fmt)
        wrong.append((name, guilty, show(record.get(name)), seen))
    bench.stock.remove(obj)
    return wrong


def _holds(field: Field, record: Mapping[str, Value], value: Value) -> bool:
    return field.name in record and same(field.type, value, record[field.name])
