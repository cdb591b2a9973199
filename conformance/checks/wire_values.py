"""Level 1, values: each kind of value has its form on the wire and is the same after the way there and back.

Every field of the kind is read for its form. Fields that clients can write are also given hard values over each format,
read back over another one; see roundtrip.py for how the guilty format is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.drawing import failing_value
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.roundtrip import Spot, Trial, spot
from xenconform.conformance.checks.wire_dates import instants_stay
from xenconform.conformance.checks.wire_kinds import (
    BOOL,
    DATETIME,
    ENUM,
    FLOAT,
    INT,
    MAP,
    SET,
    STRING,
    Batch,
    Kind,
    holds_longest,
    sizes,
)
from xenconform.conformance.checks.wire_listed import values_stand_in_listings
from xenconform.conformance.checks.wire_names import outside_names_are_refused
from xenconform.conformance.checks.wire_odd import is_refused, uncarriable_text_is_kept_or_refused
from xenconform.conformance.checks.wire_shapes import judge_form, judge_listing, record, shown
from xenconform.conformance.checks.wire_spellings import other_spellings_are_read
from xenconform.conformance.checks.wire_ways import (
    created_values_travel,
    keeps_to_one_spelling,
    stands_in_record,
    texts_are_added,
    whole_numbers_are_floats,
    within,
)
from xenconform.models.api import Api, ApiClass, Field, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, SetOf, Str, Type, refs_in
from xenconform.models.values import Value
from xenconform.strategies.boundary import numbered
from xenconform.strategies.texts import EDGES
from xenconform.strategies.values import values

CREATED_VALUES = 3
"""How many hard values a field gets that only a constructor writes, besides those that hold many in one."""

FEW = 20
"""So many values are tried on each field over each format."""

MANY_MEMBERS = 100
"""A set or map of more members than that is looked at in the record too."""


def has_kind(_api: Api, of: ApiClass, *, kind: Kind) -> bool:
    """Whether a class whose objects can be read has a field of the kind, or messages that answer with such a value."""
    if kind.at_top and not kind.messages.isdisjoint(of.messages):
        return True
    return "get_record" in of.messages and any(True for _ in kind.fields(of))


def values_travel(bench: Bench, of: ApiClass, *, kind: Kind, clause: str) -> None:
    """Values of a kind have their form in every field, and come back as they were written. Source: wire protocol."""
    for at, fmt in enumerate(bench.formats):
        if kind.clause(fmt) != clause:
            continue
        fields = list(kind.fields(of)) if "get_record" in of.messages else []
        seen = record(bench, of, fmt) if fields else Unavailable(f"{of.name} has no field of the kind")
        tried: set[str] = set()
        met: set[str] = set()
        for number, field in enumerate(fields):
            spot_ = _spot(bench, of, field, tried)
            form_alone = spot_ is None or not kind.by_value
            if field.lifecycle.state is State.REMOVED and form_alone and not shown(seen, field):
                continue
            judge_form(bench, of, field, (kind, fmt), seen, passing=form_alone)
            if spot_ is not None:
                first = str(field.type) not in met and spot_.how == "set"
                met |= {str(field.type)} if first else set()
                _judge_values(spot_, kind, fmt, number + at, all_of_them=first and bench.budget.boundaries)
        if kind.by_value:
            created_values_travel(bench, of, kind, fmt)
            values_stand_in_listings(bench, of, kind, fmt)
        judge_listing(bench, of, kind, fmt)


def _spot(bench: Bench, of: ApiClass, field: Field, tried: set[str]) -> Spot | None:
    """Return where hard values go; the quick budget tries the first field of each type alone."""
    found = spot(bench, of, field.name)
    if found is None or (not bench.budget.boundaries and str(field.type) in tried):
        return None
    tried.add(str(field.type))
    return found


def _judge_values(spot_: Spot, kind: Kind, fmt: Format, turn: int, *, all_of_them: bool) -> None:
    """Judge hard values of one field over one writing format."""
    bench = spot_.bench
    with bench.judging(kind.clause(fmt), spot_.element, fmt) as judge:
        plain = spot_.plain()
        holder = spot_.holder()
        trial = Trial(spot_, judge, fmt, kind.clause, holder, sizes_alone=kind.at_top)
        before = spot_.get(fmt, holder.ref).reply.outcome if holder else None
        if holder is not None and not isinstance(before, Success):
            raise Unavailable(f"{spot_.element} cannot be read; counted under GET-EVERY-FIELD")
        try:
            # Of sets and maps one is enough: the sizes that follow differ from it.
            if trial.plain_comes_back(plain[:1] if kind.at_top else plain):
                batches = _chosen(spot_, kind, turn, all_of_them=all_of_them)
                _try_hard(trial, kind, turn, batches, plain[0])
                if kind.at_top and all_of_them:
                    _one_stands_everywhere(trial)
                if kind is STRING and all_of_them:
                    other_spellings_are_read(trial)
        finally:
            if isinstance(before, Success):
                spot_.put(fmt, before.value, holder)
        trial.finish()
        if not judge.asserted and not judge.failed:
            raise Unavailable(
                "a plain value does not come back either: that is for the clauses of setting and creating"
            )


def _try_hard(trial: Trial, kind: Kind, turn: int, batches: Sequence[Batch], plain: Value) -> None:
    spelled: dict[str, Exchange] = {}
    for batch in batches:
        if trial.over:
            return
        _try_batch(trial, kind, batch, plain)
        if kind is INT:
            keeps_to_one_spelling(trial, spelled)
    if trial.spot.is_free and not trial.over and trial.spot.how == "set":
        _try_drawn(trial)
    if kind is FLOAT:
        whole_numbers_are_floats(trial)
    if kind is DATETIME:
        instants_stay(trial)
    if kind is ENUM:
        outside_names_are_refused(trial)
    if kind is STRING:
        uncarriable_text_is_kept_or_refused(trial, turn)
        texts_are_added(trial)


def _one_stands_everywhere(trial: Trial) -> None:
    """Have a set or map of one looked at in the record and in the listing: what is wrong is recorded as it comes."""
    of, holder = trial.spot.of, trial.holder
    one = next((batch.value for batch in sizes(trial.spot.field.type) if len(batch.value) == 1), None)
    if holder is None or one is None or trial.over or not trial.attempt(one, quiet=True):
        return
    for name, args in (("get_record", (holder.ref,)), ("get_all_records", ())):
        if name in of.messages:
            trial.spot.bench.call(trial.fmt, f"{of.name}.{name}", *args)


def _try_batch(trial: Trial, kind: Kind, batch: Batch, plain: Value) -> None:
    if batch.refusable and is_refused(trial, batch.value):
        trial.judge.asserted += 1
    elif not batch.singles:
        large = isinstance(batch.value, tuple | dict) and len(batch.value) > MANY_MEMBERS
        if trial.attempt(batch.value) and (kind.one_by_one or large) and trial.kept is batch.value:
            stands_in_record(trial, batch.value, plain)
    elif not trial.attempt(batch.value, quiet=True):
        _try_singles(trial, batch)
    else:
        trial.judge.asserted += 1
        stands_in_record(trial, batch.value, plain)


def _try_singles(trial: Trial, batch: Batch) -> None:
    """Find what is wrong with many values in one: one of them, or all together where as many plain ones come back."""
    for single in batch.singles:
        if not trial.over:
            trial.attempt(single)
    if trial.blamed:
        return
    if isinstance(batch.value, str) or trial.attempt(_as_many(trial.spot.field.type, len(batch.value)), quiet=True):
        trial.attempt(batch.value)


def _as_many(of: Type, count: int) -> Value:
    """Return a plain set or map with as many members."""
    match of:
        case SetOf(item):
            return numbered(item, count)
        case MapOf(key, item):
            return dict.fromkeys(numbered(key, count), (numbered(item, 1) or (None,))[0])
        case _:
            return None


def _chosen(spot_: Spot, kind: Kind, turn: int, *, all_of_them: bool) -> Sequence[Batch]:
    """Return the values to try: all of them where they are few or the budget is large, else this format's share.

    `all_of_them`: the first field of its type in a class gets every value over every format. Of another field's single
    values each of the formats takes its share, and from field to field the shares move on. The longest texts are dear:
    other fields, and all sets and maps, meet each over one of the formats. What stands at a text's ends alone is as
    likely to be changed in any field, and tried in each over one format.
    """
    if not spot_.is_free:
        return [Batch(value) for value in spot_.plain(10)] + within(spot_)
    batches = list(kind.hard(spot_.field.type))
    if not batches:
        return [Batch(value) for value in spot_.plain()]
    if spot_.bench.budget.name == "thorough":
        return batches
    of_text = kind is STRING and isinstance(spot_.field.type, Str)
    if all_of_them and of_text:
        return batches
    at = turn % len(spot_.bench.formats)
    longest = [batch for batch in batches if holds_longest(batch.value)]
    batches = [batch for batch in batches if not holds_longest(batch.value)]
    longest = [batch for number, batch in enumerate(longest) if number % len(spot_.bench.formats) == at]
    if (spot_.how != "create" and (len(batches) <= FEW or all_of_them)) or (kind.one_by_one and len(batches) <= FEW):
        return [*batches, *longest]
    shares = 4 * len(spot_.bench.formats) if spot_.how != "create" else max(1, len(batches) // CREATED_VALUES)
    edges = [Batch(text) for text in EDGES] if of_text and at == 0 and spot_.how != "create" else []
    return [batches[0], *edges, *batches[1 + turn % shares :: shares], *longest]


def _try_drawn(trial: Trial) -> None:
    """Try values that Hypothesis draws; what fails is tried once more, as plain as it could be made, and judged."""
    if refs_in(trial.spot.field.type):
        return
    found = failing_value(
        values(trial.spot.field.type),
        lambda value: trial.attempt(value, quiet=True),
        examples=trial.spot.bench.budget.examples,
        number=trial.spot.bench.seed,
    )
    if found is not None:
        trial.attempt(found[0])


def _check(kind: Kind, clause: str) -> Check:
    return Check(
        clause, per_class=partial(values_travel, kind=kind, clause=clause), applies=partial(has_kind, kind=kind)
    )


CHECKS: tuple[Check, ...] = tuple(
    _check(kind, clause)
    for kind in (STRING, INT, FLOAT, BOOL, DATETIME, ENUM, SET, MAP)
    for clause in dict.fromkeys(kind.clauses)
)
