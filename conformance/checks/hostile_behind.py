"""Level 5, what is behind a refused call: the field that it is about, and the objects that it names, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from xenconform.conformance.checks.aimed import why_not
from xenconform.conformance.checks.bad_calls import refused_refs
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unavailable, describe, is_refusal, show
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.stops import Stop, take, writable
from xenconform.conformance.checks.wire_uncounted import is_there
from xenconform.models.api import ApiClass, Qualifier, State
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import RefTo, SetOf
from xenconform.models.values import same

NO_EFFECT = "ROBUST-NO-EFFECT"


def judge_existing(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Have refs of nothing refused of an object that is not ours: a made-up ref that it then shows is no one else's."""
    obj = writable(bench, of)
    for _ in turned_down(bench, refused_refs(bench, of, obj), fmt) if obj is not None else ():
        pass  # judged one by one


def turned_down(bench: Bench, stops: Iterable[Stop], fmt: Format) -> Iterator[tuple[Stop, Exchange]]:
    """Yield the calls that were refused; that others were not is told elsewhere, and nothing follows from it here.

    The field that a call is about is looked at before it and after it: what it does the next one may undo.
    """
    for stop in stops:
        before = _shown(bench, stop, fmt)
        exchange = take(bench, fmt, stop)
        if exchange is not None and is_refusal(exchange):
            if before is not None:
                _judge_field(bench, stop, before, exchange)
            yield stop, exchange


def _shown(bench: Bench, stop: Stop, fmt: Format) -> Exchange | None:
    """Return the reading of the field that a call is about, None where it has none or its field is not to be read."""
    obj = stop.writes
    if obj is None or not stop.field or bench.api.classes[obj.cls].fields[stop.field].qualifier is Qualifier.RUNTIME:
        return None
    getter = f"{obj.cls}.get_{stop.field}"
    with suppress(Unavailable):
        return bench.call(fmt, getter, obj.ref) if bench.api.message(getter) is not None else None
    return None


def _judge_field(bench: Bench, stop: Stop, before: Exchange, refused: Exchange) -> None:
    """Assert that a field is as it was before a refused call; of an object of others, not what the call gave."""
    obj, seen = stop.writes, _shown(bench, stop, before.format)
    was, now = before.reply.outcome, seen.reply.outcome if seen is not None else None
    if obj is None or seen is None or not isinstance(was, Success) or not isinstance(now, Success):
        return
    kind = bench.api.classes[obj.cls].fields[stop.field].type
    of, given = stop.params[-1]
    changed = not same(kind, was.value, now.value) and (obj.own or (of == kind and same(kind, given, now.value)))
    if obj.own and not changed:
        return  # asserted once of the whole object
    with bench.judging(NO_EFFECT, obj.cls, before.format) as still:
        expected = f"{stop.field} as before {stop.message} with {stop.what}, which was refused: {describe(before)}"
        still.true(not changed, expected, describe(seen), before, refused, seen)


def judge_several(bench: Bench, of: ApiClass, fmt: Format) -> None:
    """Have several objects ended by one call, one of which there is not: where it fails, the others are there."""
    for message in of.messages.values():
        several = [p.type for p in message.params] == [SetOf(RefTo(of.name))] and message.name.startswith("destroy")
        if not several or message.lifecycle.state is State.REMOVED or why_not(bench, message):
            continue
        with suppress(Unavailable):
            ours = [bench.stock.make(of.name) for _ in range(2)]
            refs = (ours[0].ref, unknown_ref(), ours[1].ref)
            exchange = bench.call(fmt, message.full_name, refs, probe=True)
            lost = [obj for obj in ours if not is_there(bench, obj)]
            if is_refusal(exchange):
                with bench.judging(NO_EFFECT, of.name, fmt) as still:
                    still.true(not lost, "each object there that was to end with one that is not", show(refs), exchange)
            for obj in ours:
                bench.stock.remove(obj)
