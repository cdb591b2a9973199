"""Level 1, the formats together: they show the same values, and a session of one serves over all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from xenconform.conformance.checks.awkward import make_awkward
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import see_one_ended
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, show
from xenconform.conformance.checks.opening import LOGIN, opened
from xenconform.conformance.checks.roundtrip import spot, writer
from xenconform.conformance.checks.sessions import use, uses
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.watching_server import sibling
from xenconform.models.api import Api, ApiClass, Field
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import MapOf, SetOf, Str
from xenconform.models.values import Ref, Value, is_null_text, same

ROUNDS = 6
"""How often a difference must show itself again: a value that changes by itself agrees with itself now and then."""

_TURNED_AWAY = ("SESSION_INVALID", "RBAC_PERMISSION_DENIED")
"""What a call fails with whose session does not serve."""

AWKWARD_KINDS = (0, 3)
"""Kinds of awkward objects that are compared."""
ADDED = "xc-added"
"""What is added to sets and maps, and taken out again."""


def can_be_read(_api: Api, of: ApiClass) -> bool:
    """Whether a class has get_record."""
    return "get_record" in of.messages


@dataclass(frozen=True, slots=True)
class Difference:
    """A field's value over the first format and over another one."""

    first: Exchange
    other: Exchange
    expected: Value
    actual: Value


@dataclass(slots=True)
class Comparison:
    """What two formats showed of a class's objects: the fields that both gave, those that differ, why there is none."""

    compared: set[str] = field(default_factory=set)
    differing: dict[str, Difference] = field(default_factory=dict)
    reason: str = ""


def formats_agree(bench: Bench, of: ApiClass) -> None:
    """An object shows equal values in all fields over every format. Source: introduction.

    What differs is read over both formats in turn, several times: only what stands still over each is judged.
    """
    first, *others = bench.formats
    awkward = _awkward(bench, of)
    found = {fmt: _compare_all(bench, of, first, fmt, awkward) for fmt in others}
    for obj in awkward:
        bench.stock.remove(obj)
    if of.name == "task" and bench.budget.boundaries:
        see_one_ended(bench, first, lambda ref: _compare_ended(bench, of, (ref, first), found))
    for name in of.fields:
        guilty = {fmt for fmt, each in found.items() if name in each.differing}
        alone = len(guilty) > 1 and len(guilty) == len(others) and _alike(of, name, found)
        for fmt, each in found.items():
            with bench.judging("WIRE-AGREE", f"{of.name}.{name}", first if alone else fmt) as judge:
                difference = each.differing.get(name)
                if difference is not None:
                    judge.fail(
                        f"{show(difference.expected)}, as over {first}",
                        f"{show(difference.actual)} over {fmt}",
                        difference.first,
                        difference.other,
                    )
                elif name in each.compared:
                    judge.asserted += 1
                else:
                    judge.untested(each.reason or "no two records have the field; counted under other clauses")
            if alone:
                break


def _compare_ended(bench: Bench, of: ApiClass, at: tuple[Ref, Format], found: Mapping[Format, Comparison]) -> None:
    """Compare what a server made and dated by itself: what clients give is seldom as fine as its clock."""
    for fmt, each in found.items():
        with suppress(Unavailable, Unanswered):
            _compare(bench, of, (*at, fmt), each)


def _alike(of: ApiClass, name: str, found: Mapping[Format, Comparison]) -> bool:
    """Whether the other formats agree among themselves, so that the first one is the odd one."""
    one, *others = [each.differing[name].actual for each in found.values()]
    return all(same(of.fields[name].type, one, other) for other in others)


def _awkward(bench: Bench, of: ApiClass) -> tuple[Obj, ...]:
    """Return objects of ours that are full of values which one format may write otherwise than another."""
    made: list[Obj] = []
    with suppress(Unavailable, Unanswered):
        made.extend(make_awkward(bench, of, kind) for kind in AWKWARD_KINDS if bench.budget.boundaries)
    return tuple(made)


def _compare_all(bench: Bench, of: ApiClass, first: Format, fmt: Format, awkward: tuple[Obj, ...]) -> Comparison:
    found = Comparison()
    try:
        for obj in bench.stock.readable(of.name, bench.budget.objects):
            _compare(bench, of, (obj.ref, first, fmt), found)
        for obj in awkward or bench.stock.readable(of.name):
            _compare(bench, of, (obj.ref, first, fmt), found)
            _compare_getters(bench, of, (obj.ref, first, fmt), found)
        _compare_listed(bench, of, (first, fmt), found)
        _compare_after_writing(bench, of, (first, fmt), found)
        _compare_after_adding(bench, of, (first, fmt), found)
    except (Unavailable, Unanswered) as why:
        found.reason = f"{why}; counted under other clauses"
    return found


def _compare_listed(bench: Bench, of: ApiClass, formats: tuple[Format, Format], found: Comparison) -> None:
    """Compare all objects that are listed; the records of those that differ are then compared alone."""
    message = f"{of.name}.get_all_records"
    if "get_all_records" not in of.messages:
        return
    left, right = (bench.ask(fmt, message)[0] for fmt in formats)
    odd = [ref for ref in left if ref in right and differing(of, left[ref], right[ref])]
    for ref in odd[: bench.budget.objects]:
        _compare(bench, of, (ref, *formats), found)


def _compare_getters(bench: Bench, of: ApiClass, at: tuple[Ref, Format, Format], found: Comparison) -> None:
    """Compare what the getters of an object show over two formats."""
    ref, *formats = at
    for name, shown in of.fields.items():
        message = f"{of.name}.get_{name}"
        if f"get_{name}" not in of.messages or name in found.differing:
            continue
        for tries in range(ROUNDS + 1):
            seen = [bench.call(fmt, message, ref) for fmt in formats]
            told = [each.reply.outcome.value for each in seen if isinstance(each.reply.outcome, Success)]
            if len(told) < len(seen) or same(shown.type, *told):
                break
            again = bench.call(formats[0], message, ref).reply.outcome
            if not (isinstance(again, Success) and same(shown.type, told[0], again.value)):
                break
            if tries == ROUNDS:
                found.differing[name] = Difference(seen[0], seen[1], told[0], told[1])


def differing(of: ApiClass, left: Mapping[str, Value], right: Mapping[str, Value]) -> set[str]:
    """Return the fields that two records both have, with values that differ."""
    both = of.fields.keys() & left.keys() & right.keys()
    return {name for name in both if not same(of.fields[name].type, left[name], right[name])}


def _compare_after_adding(bench: Bench, of: ApiClass, formats: tuple[Format, Format], found: Comparison) -> None:
    """Compare an object's records after each of what puts one value into a set and a map, and takes it out again."""
    first, second = formats
    for kind, verbs, args in ((SetOf, ("add", "remove"), (ADDED,)), (MapOf, ("add_to", "remove_from"), (ADDED, ADDED))):
        field = next((each for each in of.fields.values() if _takes_text(bench, of, each, kind)), None)
        if field is None:
            continue
        try:
            obj = bench.stock.writable(of.name)
        except Unavailable:
            return
        for verb, given in zip(verbs, (args, args[:1]), strict=True):
            _compare(bench, of, (obj.ref, first, second), found)
            bench.call(first, f"{of.name}.{verb}_{field.name}", obj.ref, *given)
        _compare(bench, of, (obj.ref, first, second), found)


def _takes_text(bench: Bench, of: ApiClass, field: Field, kind: type) -> bool:
    """Whether text can be added to a field that is a set or map of text, and taken out."""
    if field.type not in (SetOf(Str()), MapOf(Str(), Str())) or not isinstance(field.type, kind):
        return False
    verbs = ("add", "remove") if kind is SetOf else ("add_to", "remove_from")
    return bench.profile.domain(of.name, field.name).is_free and all(writer(bench, of, field.name, v) for v in verbs)


def _compare_after_writing(bench: Bench, of: ApiClass, formats: tuple[Format, Format], found: Comparison) -> None:
    """Compare an object that may be written before and after a write, so that nothing that was kept is shown."""
    spots = (spot(bench, of, name) for name in of.fields)
    one = next((each for each in spots if each is not None and each.how == "set" and each.is_free), None)
    if one is None:
        return
    try:
        obj, values = bench.stock.writable(of.name), one.plain()
    except Unavailable:
        return
    first, second = formats
    before, _ = bench.ask(first, f"{of.name}.get_{one.field.name}", obj.ref)
    for fmt, value in zip((second, first, second), (*values, before), strict=False):
        _compare(bench, of, (obj.ref, first, second), found)
        one.put(fmt, value, obj)
    _compare(bench, of, (obj.ref, first, second), found)
    one.put(first, before, obj)


def _compare(bench: Bench, of: ApiClass, at: tuple[Ref, Format, Format], found: Comparison) -> None:
    """Compare an object's record over two formats."""
    ref, first, second = at
    message = f"{of.name}.get_record"
    (left, one), (right, other) = bench.ask(first, message, ref), bench.ask(second, message, ref)
    both = of.fields.keys() & left.keys() & right.keys()
    odd = differing(of, left, right)
    for _ in range(ROUNDS if odd else 0):
        for fmt, before in ((first, left), (second, right)):
            again, _ = bench.ask(fmt, message, ref)
            odd = {name for name in odd if name in again and same(of.fields[name].type, before[name], again[name])}
    for name in odd:
        found.differing.setdefault(name, Difference(one, other, left[name], right[name]))
    found.compared |= both


def sessions_are_shared(bench: Bench) -> None:
    """A session opened over one format serves over the others, to its end. Source: wire protocol."""
    for over in bench.formats:
        with bench.judging("WIRE-SESSION-SHARED", "server", over) as judge:
            for ender in bench.formats:
                _judge_shared(bench, judge, over, ender)
            _judge_connections(bench, judge, over)


def _judge_shared(bench: Bench, judge: Judge, over: Format, ender: Format) -> None:
    """Use a session of one format over every format and log it out over one; use is made twice, for what is kept."""
    session = opened(bench, over)
    calls = uses(bench, session)
    for used in bench.formats * 2:
        for call in calls:
            exchange = use(bench, used, call, session)
            serves = not _is_turned_away(exchange) or _serves_nobody(bench, used, call, session)
            judge.true(serves, f"a session of {over} serves {call[0]} over {used}", describe(exchange), exchange)
    out = bench.call(ender, "session.logout", session=session)
    judge.true(not _is_turned_away(out), f"a session of {over} can be logged out over {ender}", describe(out), out)


def _judge_connections(bench: Bench, judge: Judge, over: Format) -> None:
    """Open a session over a connection that is then closed: it serves over the others as before."""
    known = bench.client.credentials
    if known is None:
        return
    args = (known.user, known.password, known.version, known.originator)
    with sibling(bench, []) as client:
        outcome = client.call(over, LOGIN, args, session=None).reply.outcome
    if not isinstance(outcome, Success) or is_null_text(outcome.value):
        return
    session = str(outcome.value)
    call = uses(bench, session)[0]
    for used in bench.formats:
        exchange = use(bench, used, call, session)
        serves = not _is_turned_away(exchange) or _serves_nobody(bench, used, call, session)
        judge.true(serves, f"a session of {over} outlives its connection", describe(exchange), exchange)
    bench.call(over, "session.logout", session=session, probe=True)


def _serves_nobody(bench: Bench, used: Format, call: tuple[str, tuple[Value, ...]], session: Ref) -> bool:
    """Whether a call is turned away with a session that was opened over the very format that it is made over, too."""
    fellow = opened(bench, used)
    args = tuple(fellow if arg == session else arg for arg in call[1])
    turned_away = _is_turned_away(use(bench, used, (call[0], args), fellow))
    bench.call(used, "session.logout", session=fellow)
    return turned_away


def _is_turned_away(exchange: Exchange) -> bool:
    """Whether a call failed for its session, and not for what it was about."""
    outcome = exchange.reply.outcome
    mine = exchange.message == "session.get_uuid"
    return isinstance(outcome, Failure) and outcome.code in {*_TURNED_AWAY, *(["HANDLE_INVALID"] if mine else [])}


CHECKS: tuple[Check, ...] = (
    Check("WIRE-AGREE", per_class=formats_agree, applies=can_be_read),
    Check("WIRE-SESSION-SHARED", per_server=sessions_are_shared),
)
