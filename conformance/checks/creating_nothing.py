"""Level 3, constructors: bad values to give them, and that one that fails leaves nothing behind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn, made_by_task
from xenconform.conformance.checks.creating import given_fields
from xenconform.conformance.checks.destroying import value_of
from xenconform.conformance.checks.judging import Judge, Unavailable, is_refusal, show
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.tally import draw
from xenconform.models.api import Api, ApiClass, Constructor, Parameter, Relation, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Bool, Enum, Int, MapOf, RefTo, SetOf, Str, Type, refs_in
from xenconform.models.values import Ref, Value, is_null_text
from xenconform.strategies.wrong import Typed, nearly_names

KIN = 4
"""So many other classes that name objects of one are asked for an object of theirs."""
AGAIN = 8
"""So often a call that fails has to leave an object, each time and never in between, before it is blamed for it."""


def bad_parameters_create_nothing(bench: Bench, of: ApiClass) -> None:
    """Give each parameter of each constructor that takes no record a value that is wrong: it creates nothing."""
    for constructor in of.constructors:
        message = constructor.message
        forbidden = message.full_name in bench.profile.never or message.lifecycle.state is State.REMOVED
        if constructor.record or forbidden:
            continue
        others = no_objects(bench, of, constructor)
        for param in message.params:
            near = near_names(param.type)
            for at, fmt in enumerate(bench.formats):
                bad = [*bad_values(param.type, others, at), *near[at :: len(bench.formats)]]
                with bench.judging("CREATE-BAD", f"{of.name}.{param.name}", fmt) as judge:
                    good = bench.stock.exemplar(of.name, constructor)
                    ends = far_ends(bench, fmt, of, good) if refs_in(param.type) else {}
                    calls = [partial(_send, bench, fmt, constructor, (param, each, good)) for each in bad]
                    _create_nothing(bench, judge, (of, param), calls, [value for _, value in bad])
                    no_ghosts(bench, judge, of, good, ends)
    for fmt in in_turn(bench, of):
        _tasks_create_nothing(bench, of, fmt)


def _tasks_create_nothing(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Give a constructor a ref to no object in each place of one, and no name of an enum, for a task: it fails."""
    constructor = bench.stock.constructor(of.name)
    for name, field in given_fields(of, constructor):
        bad: Value = None
        match field.type:
            case RefTo():
                bad = unknown_ref()
            case SetOf(RefTo()):
                bad = (unknown_ref(),)
            case Enum() if constructor.record:
                bad = "no such value"
        if bad is not None:
            api = bent(bench.api, of, name, Str()) if isinstance(field.type, Enum) else None
            with bench.judging("CREATE-BAD", f"{of.name}.{field.name}", fmt) as judge:
                judge.asserted += 1
                with suppress(Unavailable):
                    obj = made_by_task(bench, of, fmt, {name: bad}, api=api)
                    judge.fail(f"a task to create with {name} = {show(bad)} fails", f"it made {obj.ref}")
                    bench.stock.remove(obj)


def _send(
    bench: Bench, fmt: Format, constructor: Constructor, what: tuple[Parameter, Typed, Mapping[str, Value]]
) -> Exchange:
    """Call a constructor with one value that is wrong, and is sent as what it is."""
    param, bad, good = what
    params = [bad if each is param else (each.type, good[each.name]) for each in constructor.message.params]
    return bench.call(fmt, constructor.message.full_name, probe=True, params=params)


def _create_nothing(
    bench: Bench,
    judge: Judge,
    at: tuple[ApiClass, Parameter],
    calls: Sequence[Callable[[], Exchange]],
    values: Sequence[Value],
) -> None:
    of, param = at
    before = bench.stock.all_refs(of.name)
    for call, value in zip(calls, values, strict=True):
        exchange = call()
        if isinstance(param.type, Enum) or refs_in(param.type):
            judge.refused(exchange, f"{exchange.message} with {param.name} = {show(value)}")
        if isinstance(exchange.reply.outcome, Success):
            bench.stock.remove(bench.stock.adopt(of.name, exchange))
    judge.asserted += 1
    if set(bench.stock.all_refs(of.name)) - set(before) and not judge.failed:
        nothing_is_left(bench, judge, of, calls)


def far_ends(bench: Bench, fmt: Format, of: ApiClass, good: Mapping[str, Value]) -> dict[Relation, Value]:
    """Return what the far ends show now of the objects that a constructor is given, by relation."""
    found: dict[Relation, Value] = {}
    for relation in bench.api.relations:
        target = good.get(relation.owner_field)
        if relation.owner_cls == of.name and isinstance(target, str) and not is_null_text(target):
            message = f"{relation.derived_cls}.get_{relation.derived_field}"
            found[relation] = value_of(bench, fmt, message, target) or ()
    return found


def no_ghosts(
    bench: Bench, judge: Judge, of: ApiClass, good: Mapping[str, Value], before: Mapping[Relation, Value]
) -> None:
    """Judge that no far end shows an object that is none, as a create may leave there that failed behind it."""
    for fmt in bench.formats[:1] if before else ():
        for relation, members in far_ends(bench, fmt, of, good).items():
            for ref in [each for each in members if each not in before.get(relation, members)]:
                name = "get_uuid" if "get_uuid" in of.messages else "get_record"
                seen = bench.call(fmt, f"{of.name}.{name}", ref, probe=True)
                if is_refusal(seen) and ref in far_ends(bench, fmt, of, good)[relation]:
                    judge.fail("nothing is created", f"{relation.derived_field} names {ref}, which is none", seen)


def nothing_is_left(bench: Bench, judge: Judge, of: ApiClass, calls: Sequence[Callable[[], Exchange]]) -> None:
    """Judge that calls that fail leave no object, be it like what they were given or not.

    Others may make objects meanwhile: a call is blamed where each time it leaves one, and none comes without it.
    """
    for call in calls if "get_all" in of.messages else ():
        first = there = set(bench.stock.all_refs(of.name))
        for _ in range(AGAIN):
            exchange = call()
            after = set(bench.stock.all_refs(of.name))
            quiet = all(set(bench.stock.all_refs(of.name)) <= after for _ in range(2))
            if not is_refusal(exchange) or after <= there or not quiet:
                break
            there = after
        else:
            left = set(bench.stock.all_refs(of.name)) - first
            judge.true(len(left) < AGAIN, "nothing is created", f"{len(left)} new objects: {sorted(left)}", exchange)
            return


def bent(api: Api, of: ApiClass, name: str, as_type: Type) -> Api:
    """Return the model with another type for a field, so that a record is written with a value of that."""
    changed = replace(of, fields={**of.fields, name: replace(of.fields[name], type=as_type)})
    return replace(api, classes={**api.classes, of.name: changed})


@dataclass(frozen=True, slots=True)
class Refs:
    """Refs that denote no object of a class, and one that does, None where that cannot be had.

    `others` are of objects of other classes: one over each format.
    """

    bad: list[Ref]
    good: Ref | None
    others: list[Ref] = dataclasses.field(default_factory=list)

    def all_bad(self, turn: int) -> list[Ref]:
        """Return those of a turn, the number of a format."""
        return [*self.bad, *self.others[turn % len(self.others) :][:1]] if self.others else self.bad


def no_objects(bench: Bench, of: ApiClass, constructor: Constructor) -> dict[str, Refs]:
    """Return, for each class that a constructor is given objects of, refs that denote none of that class.

    That of an object that was destroyed, that of an object of another class, and what is nearly that of one that is
    there: its uuid, and its ref with a space behind it; as far as they can be had.
    """
    types = (
        [f.type for _, f in given_fields(of, constructor)]
        if constructor.record
        else [p.type for p in constructor.message.params]
    )
    found: dict[str, Refs] = {}
    for cls in dict.fromkeys(cls for each in types for cls in refs_in(each)):
        stale = bench.stock.stale(cls)
        found[cls] = Refs([stale] if stale is not None else [], _one_of(bench, cls))
        found[cls].bad.extend(_nearly(bench, cls, found[cls].good))
        found[cls].others.extend(_of_others(bench, of, cls))
    return found


def _one_of(bench: Bench, cls: str) -> Ref | None:
    try:
        return bench.stock.readable(cls)[0].ref
    except Unavailable:
        return None


def _of_others(bench: Bench, of: ApiClass, cls: str) -> list[Ref]:
    """Return refs of objects of other classes, if there can be any: of such as name objects of this class, by turns.

    Who follows refs, whatever their class, comes from there to one that is right.
    """
    kin = sorted({r.owner_cls for r in bench.api.relations if r.derived_cls == cls} - {cls, "session", "task"})
    turn = draw(bench.seed, of.name, cls) % max(1, len(kin))
    asked = (*[*kin[turn:], *kin[:turn]][:KIN], *(each for each in ("network", "secret") if each != cls))
    return list(islice((ref for ref in (_one_of(bench, other) for other in asked) if ref is not None), len(Format)))


def _nearly(bench: Bench, cls: str, ref: Ref | None) -> Iterator[Ref]:
    if ref is None:
        return
    yield f"{ref} "
    text = value_of(bench, bench.formats[0], f"{cls}.get_uuid", ref)
    if text and text.lower() not in ref.lower():  # Where refs are made of uuids, one may be as good as the other.
        yield text


def near_names(of: Type) -> list[Typed]:
    """Return texts that are nearly names of an enum; what differs in letters alone a server may take for the name."""
    if not isinstance(of, Enum) or not of.values:
        return []
    names = {name.lower() for name in of.values}
    return [(Str(), text) for text in nearly_names(of) if text.strip().lower() not in names]


def bad_values(of: Type, others: Mapping[str, Refs], turn: int = 0) -> Iterator[Typed]:
    """Return values that are wrong for a type, each with the type that it is sent as; `turn` is a format's number."""
    match of:
        case RefTo(cls):
            yield from ((of, ref) for ref in (unknown_ref(), *(others[cls].all_bad(turn) if cls in others else ())))
        case Enum(_, _):
            yield Str(), "no such value"
            yield SetOf(Str()), ("a",)
        case Int():
            yield Str(), "nine"
            yield MapOf(Str(), Str()), {"a": "b"}
        case Bool():
            yield Str(), "maybe"
            yield SetOf(Str()), ("a",)
        case SetOf(RefTo(cls)):
            known = others.get(cls, Refs([], None))
            yield from ((of, (ref,)) for ref in (unknown_ref(), *known.all_bad(turn)))
            if known.good is not None:
                yield of, (known.good, unknown_ref())
        case SetOf(_):
            yield MapOf(Str(), Str()), {"a": "b"}
        case MapOf(_, _):
            yield SetOf(Str()), ("a",)
        case Str():
            yield SetOf(Str()), ("a",)
            yield MapOf(Str(), Str()), {"a": "b"}
        case _:
            yield MapOf(Str(), Str()), {"a": "b"}
