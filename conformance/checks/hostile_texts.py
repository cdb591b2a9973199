"""Level 5, broken text elsewhere than in a text: in a set, as a key and a value of a map, in a constructor's record.

Each place has a reader of its own, which may repair what another one turns down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TypeAlias

from xenconform.conformance.checks.good_calls import free_members
from xenconform.conformance.checks.hostile_scene import Scene, succeeded
from xenconform.conformance.checks.judging import Judge, Unavailable, describe, show
from xenconform.conformance.checks.roundtrip import constructor_place
from xenconform.conformance.checks.stops import NO_SUCH
from xenconform.conformance.codec import Param, codec_for
from xenconform.models.calls import Format, Success
from xenconform.models.types import MapOf, RefTo, Str
from xenconform.models.values import Value, same

MARK = "BROKEN"
"""What stands in a document in the place of broken text."""
Broken: TypeAlias = tuple[str, bytes, str | None]
"""What is broken, the bytes of it inside a document, and what it is where it is kept."""


def broken_text_elsewhere(here: Scene, judge: Judge, broken: Sequence[Broken]) -> None:
    """Put broken text into each other place, and judge that it is refused or kept."""
    for field, value in _places(here):
        message = f"{here.obj.cls}.set_{field}"
        with here.bench.restoring(here.obj, field):
            for each in broken:
                _judge_set(here, judge, (message, field, value), each)
            here.bench.call(here.fmt, message, here.obj.ref, {} if isinstance(value, dict) else ())
    with suppress(Unavailable):
        _judge_made(here, judge, broken)


def _places(here: Scene) -> Iterator[tuple[str, Value]]:
    of = here.bench.api.classes[here.obj.cls]
    for field, *_ in free_members(here.bench, of):
        if f"set_{field.name}" not in of.messages:
            continue
        if isinstance(field.type, MapOf):
            yield field.name, {MARK: NO_SUCH}
            yield field.name, {NO_SUCH: MARK}
        else:
            yield field.name, (NO_SUCH, MARK)


def _judge_set(here: Scene, judge: Judge, place: tuple[str, str, Value], broken: Broken) -> None:
    (message, field, value), (what, raw, kept) = place, broken
    bench, of = here.bench, here.bench.api.classes[here.obj.cls].fields[field].type
    plain = _with(value, "xenconform")
    bench.call(here.fmt, message, here.obj.ref, plain)
    params: list[Param] = [(RefTo("session"), bench.client.session), (RefTo(here.obj.cls), here.obj.ref), (of, value)]
    exchange = here.send(codec_for(here.fmt).encode_call(message, params).replace(MARK.encode(), raw))
    seen = bench.call(_reader(here), f"{here.obj.cls}.get_{field}", here.obj.ref)
    outcome = seen.reply.outcome
    now = outcome.value if isinstance(outcome, Success) else None
    if succeeded(exchange):
        well = kept is not None and same(of, _with(value, kept), now)
        judge.true(well, f"{what} in {field} is refused, or kept", describe(seen)[:200], exchange, seen)
    elif now is not None:
        well = same(of, plain, now)
        judge.true(well, f"{what} in {field} is refused and writes nothing", show(now), exchange, seen)


def _with(value: Value, text: str) -> Value:
    if isinstance(value, dict):
        return {text if k == MARK else k: text if v == MARK else v for k, v in value.items()}
    return tuple(text if each == MARK else each for each in value)


def _reader(here: Scene) -> Format:
    """Return a format that can carry any text, where there is one."""
    if here.fmt is not Format.XMLRPC:
        return here.fmt
    return next((fmt for fmt in here.bench.formats if fmt is not Format.XMLRPC), here.fmt)


def _judge_made(here: Scene, judge: Judge, broken: Sequence[Broken]) -> None:
    """Make objects whose field is broken text, and judge what those show that were made.

    Raises:
        Unavailable: none can be made.
    """
    bench, cls = here.bench, here.obj.cls
    constructor = bench.stock.constructor(cls)
    of = bench.api.classes[cls]
    if not constructor.record or constructor_place(of, of.fields[here.field]) is None:
        return
    given = bench.stock.exemplar(cls) | {here.field: MARK}
    message = constructor.message
    params: list[Param] = [(RefTo("session"), bench.client.session), (message.params[0].type, given)]
    body = codec_for(here.fmt).encode_call(message.full_name, params, api=bench.api)
    for what, raw, kept in broken:
        exchange = here.send(body.replace(MARK.encode(), raw))
        outcome = exchange.reply.outcome
        if not isinstance(outcome, Success) or not isinstance(outcome.value, str):
            continue
        obj = bench.stock.adopt_ref(cls, outcome.value)
        seen = bench.call(_reader(here), f"{cls}.get_{here.field}", obj.ref)
        shown = seen.reply.outcome
        well = kept is not None and isinstance(shown, Success) and same(Str(), kept, shown.value)
        judge.true(well, f"{what} given to {message.full_name} is refused, or kept", describe(seen)[:200],
                   exchange, seen)  # fmt: skip
        bench.stock.remove(obj)
