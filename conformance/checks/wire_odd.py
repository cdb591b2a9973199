"""Level 1, values that a server may turn down: text that XML cannot carry, NaN."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from types import MappingProxyType

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, is_refusal, show
from xenconform.conformance.checks.roundtrip import Spot, Trial, spot
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.codec import Param, Scalar
from xenconform.models import types as t
from xenconform.models.api import Api, ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Type
from xenconform.models.values import Ref, Value, same
from xenconform.strategies.boundary import special_floats

BEYOND: Mapping[str, float] = MappingProxyType({"1e999": inf, "-1e999": -inf, f"1{'0' * 400}.0": inf})
"""Numbers beyond doubles, as a format writes them, and what a parser may make of them."""
UNCARRIABLE = ("a\0b", "\x01", "a\x1f", "\ufffe", "a\ud800b", "\uffff", "\x0bz")


def is_refused(trial: Trial, value: Value) -> bool:
    """Whether a value is turned down, in whatever way."""
    wrote, ref = trial.spot.put(trial.fmt, value, trial.holder, probe=True)
    trial.drop(ref)
    return is_refusal(wrote)


def uncarriable_text_is_kept_or_refused(trial: Trial, turn: int) -> None:
    """Write text over JSON that XML cannot carry: it is turned down, or comes back exactly over the same format."""
    spot_ = trial.spot
    if trial.fmt is Format.XMLRPC or spot_.how != "set" or not spot_.is_free or trial.over:
        return
    texts = (UNCARRIABLE[turn % len(UNCARRIABLE)], UNCARRIABLE[(turn + 3) % len(UNCARRIABLE)])
    refused: tuple[Value, Exchange] | None = None
    for value in [each for text in texts for each in _holding(spot_.field.type, text)]:
        if trial.fmt not in trial.blamed:
            refused = _kept_or_refused(trial, value) or refused
    if refused is not None and trial.fmt not in trial.blamed:
        judge_kept(trial, *refused)


def _holding(of: Type, text: str) -> tuple[Value, ...]:
    match of:
        case t.Str():
            return (text,)
        case t.SetOf(t.Str()):
            return ((text,),)
        case t.MapOf(t.Str(), t.Str()):
            return ({text: "x"}, {"key": text})
        case _:
            return ()


def _kept_or_refused(trial: Trial, value: Value) -> tuple[Value, Exchange] | None:
    """Write a text; return it where it was refused, so that one look tells of all of them."""
    spot_, judge = trial.spot, trial.judge
    wrote, ref = spot_.put(trial.fmt, value, trial.holder, probe=True)
    if is_refusal(wrote):
        judge.asserted += 1
        return value, wrote
    if isinstance(wrote.reply.outcome, Success):
        back = spot_.get(trial.fmt, ref)
        kept = isinstance(back.reply.outcome, Success) and same(spot_.field.type, value, back.reply.outcome.value)
        spot_.put(trial.fmt, trial.kept, trial.holder)
        if not judge.true(kept, f"{show(value)} is refused or kept", describe(back), wrote, back):
            trial.blamed.add(trial.fmt)
    return None


def judge_kept(trial: Trial, value: Value, wrote: Exchange) -> None:
    """Assert that a refused write left the field as it was."""
    holder: Obj | None = trial.holder
    if holder is None or not trial.accepted:
        return
    now = trial.spot.get(trial.fmt, holder.ref)
    outcome = now.reply.outcome
    if isinstance(outcome, Success) and not same(trial.spot.field.type, trial.kept, outcome.value):
        trial.judge.fail(
            f"{show(value)} is refused and {show(trial.kept)} stays", f"refused, then {describe(now)}", wrote, now
        )
        trial.blamed.add(trial.fmt)


def float_spots(bench: Bench, of: ApiClass) -> list[Spot]:
    """Return the float fields of a class that clients can write."""
    found = (spot(bench, of, name) for name, field in of.fields.items() if isinstance(field.type, t.Float))
    return [each for each in found if each is not None]


def has_written_floats(_api: Api, of: ApiClass) -> bool:
    """Whether a class has a float that clients can write, by a setter or a constructor."""
    return any(
        isinstance(field.type, t.Float)
        and (f"set_{name}" in of.messages or any(name in c.fields for c in of.constructors))
        for name, field in of.fields.items()
    )


def special_floats_are_kept_or_refused(bench: Bench, of: ApiClass) -> None:
    """NaN and the infinities are turned down, or come back as they were in a reply that parses. Source: RFC 8259."""
    for spot_ in float_spots(bench, of):
        for fmt in bench.formats:
            with bench.judging("WIRE-FLOAT-SPECIAL", spot_.element, fmt) as judge:
                holder = spot_.holder()
                before = spot_.get(fmt, holder.ref).reply.outcome if holder else None
                if holder is not None and not isinstance(before, Success):
                    raise Unavailable(f"{spot_.element} cannot be read; counted under GET-EVERY-FIELD")
                trial = Trial(spot_, judge, fmt, lambda _: "WIRE-FLOAT-SPECIAL", holder)
                if isinstance(before, Success):
                    trial.attempt(spot_.plain()[0], quiet=True)
                for value in special_floats():
                    _judge_special(trial, judge, value, *spot_.put(fmt, value, holder, probe=True))
                if holder is not None and spot_.how == "set":
                    _judge_beyond(trial, judge, holder)
                if isinstance(before, Success):
                    spot_.put(fmt, before.value, holder)


def _judge_beyond(trial: Trial, judge: Judge, holder: Obj) -> None:
    """Write numbers that no double is as large as: a server that takes them for infinities holds to that."""
    spot_ = trial.spot
    for text, value in BEYOND.items():
        params: list[Param] = [(t.RefTo(spot_.of.name), holder.ref), (None, Scalar("double", text))]
        setter = f"{spot_.of.name}.set_{spot_.field.name}"
        _judge_special(trial, judge, value, spot_.bench.call(trial.fmt, setter, params=params, probe=True), holder.ref)


def _judge_special(trial: Trial, judge: Judge, value: float, wrote: Exchange, ref: Ref) -> None:
    if is_refusal(wrote):
        judge.asserted += 1
        judge_kept(trial, value, wrote)
        return
    if not isinstance(wrote.reply.outcome, Success):
        judge.untested(f"no readable answer to {wrote.message}: {describe(wrote)}")
        return
    # Once taken, it is read over every format: one that has no notation for it must still make replies that parse.
    for fmt in (trial.fmt, *(each for each in trial.spot.bench.formats if each is not trial.fmt)):
        back = trial.spot.get(fmt, ref)
        outcome = back.reply.outcome
        judge.asserted += 1
        if not (isinstance(outcome, Success) and same(t.Float(), value, outcome.value)):
            judge.fail(f"{value} is refused or comes back", f"{describe(back)} over {fmt}", wrote, back)
            break
    trial.kept = value
    trial.drop(ref)


CHECKS: tuple[Check, ...] = (
    Check("WIRE-FLOAT-SPECIAL", per_class=special_floats_are_kept_or_refused, applies=has_written_floats),
)
