"""Level 5, refused calls of every class: they change nothing, give nothing away, and hold nobody up.

Each kind of message of a class is called wrongly for each kind of reason, on an object of ours that is full of values
that could get lost; what is turned down lets go of all that it took, and nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import chain

from xenconform.conformance.checks.aimed import why_not
from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.awkward import fill
from xenconform.conformance.checks.bad_calls import BAD_RECORD, refusals
from xenconform.conformance.checks.bad_parts import bad_parts
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.by_task import in_turn
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.hostile_behind import NO_EFFECT, judge_existing, judge_several, turned_down
from xenconform.conformance.checks.hostile_leaks import judge_silent
from xenconform.conformance.checks.hostile_scene import ALIVE, patience_after
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, is_refusal, unheard
from xenconform.conformance.checks.opening import LOGIN
from xenconform.conformance.checks.refs import unknown_ref
from xenconform.conformance.checks.sessionless import is_it
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.stops import Stop, own, take, writable
from xenconform.conformance.checks.wire_envelope import a_listing
from xenconform.conformance.checks.wire_replies import DOOR, door, has_messages, leave
from xenconform.conformance.checks.wire_uncounted import is_there, judge_same_record, record_of
from xenconform.models.api import Api, ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Str
from xenconform.models.values import Ref, Value

NO_LEAK = "ROBUST-NO-LEAK"
KIND = 2
"""The kind of awkward values with which the object is full that refused calls are aimed at."""


# ------------------------------------------------------------------------------------------------------------ no effect


def _full(bench: Bench, of: ApiClass) -> Obj | None:
    """Return an object of ours that is full of values, None where there can be none."""
    obj: Obj | None = None
    with suppress(Unavailable, Unanswered):
        obj = bench.stock.make(of.name)
        fill(bench, of, obj, KIND)
    return obj or own(bench, of)


def refusals_change_and_tell_nothing(bench: Bench, of: ApiClass) -> None:
    """Refused calls of every kind change no object and show no trace, path or source. Source: error handling."""
    obj = _full(bench, of)
    for fmt in bench.formats:
        with bench.judging(NO_LEAK, of.name, fmt) as silent:
            before, refs = record_of(bench, obj, fmt), set(bench.stock.all_refs(of.name))
            refused = list(turned_down(bench, chain(refusals(bench, of, obj), bad_parts(bench, of, fmt)), fmt))
            for stop, exchange in refused:
                judge_silent(silent, f"{stop.message} with {stop.what}", exchange)
            _judge_failed_task(bench, silent, of)
        if obj is None:
            judge_existing(bench, of, fmt)
            continue
        with bench.judging(NO_EFFECT, of.name, fmt) as still:
            still.asserted += len(refused)
            if not is_there(bench, obj):
                still.fail(f"the {of.name} that refused calls were about is there", "it is gone", *_seen(refused))
                bench.stock.forget(obj)
                return
            judge_same_record(bench, still, of, obj, (before, record_of(bench, obj, fmt)))
            _judge_unmade(bench, still, of, refs, [stop for stop, _ in refused])
        judge_several(bench, of, fmt)
    if obj is not None:
        bench.stock.remove(obj)


def _seen(refused: list[tuple[Stop, Exchange]]) -> list[Exchange]:
    return [exchange for stop, exchange in refused if stop.ends is not None]


def _judge_failed_task(bench: Bench, judge: Judge, of: ApiClass) -> None:
    """Let a task fail, over one format in turn, and see what it says of that: `backtrace` alone is for traces."""
    message = of.messages.get(of.destructor)
    if message is None or why_not(bench, message) or Format(judge.format) not in list(in_turn(bench, of)):
        return

    def look(ref: Ref) -> None:
        seen = bench.call(Format(judge.format), "task.get_error_info", ref, probe=True)
        judge_silent(judge, f"what a task says of a failed {message.full_name}", seen)

    with suppress(Unavailable, Unanswered):
        Async(bench, unheard(judge.format), Format(judge.format), message, look).run(unknown_ref())


def _given(of: ApiClass, stop: Stop) -> Mapping[str, Value]:
    """Return what a call gives a constructor for the fields: its record, or its parameters."""
    maker = next((each for each in of.constructors if each.message.full_name == stop.message), None)
    if maker is None or maker.record:
        record = stop.params[0][1]
        return record if isinstance(record, dict) else {}
    return {name: value for name, (_, value) in zip(maker.fields, stop.params, strict=False) if name}


def _judge_unmade(bench: Bench, judge: Judge, of: ApiClass, refs: set[Ref], stops: list[Stop]) -> None:
    """Assert that no new object is what a refused call was to make."""
    given = [_given(of, stop) for stop in stops if stop.makes == of.name and BAD_RECORD not in stop.params]
    given = [each for each in given if any(each.get(n) and f.type == Str() for n, f in of.fields.items())]
    if not given or not {"get_all", "get_record"} <= of.messages.keys():
        return
    new = [ref for ref in bench.stock.all_refs(of.name) if ref not in refs | bench.stock.known_refs(of.name)]
    ours = [ref for ref in new if any(is_it(bench, of, ref, each) for each in given)]
    judge.true(not ours, f"no {of.name} is made by what is refused", f"{len(ours)} made")
    for ref in ours:
        bench.stock.remove(bench.stock.adopt_ref(of.name, ref))


# ---------------------------------------------------------------------------------------------------------------- alive


def refusals_hold_nobody_up(bench: Bench, of: ApiClass) -> None:
    """After a refused call the next one on the class is answered as usual. Source: error handling.

    Each reason to refuse each kind of message comes over one of the formats, by turns.
    """
    for at, fmt in enumerate(bench.formats):
        with bench.judging(ALIVE, of.name, fmt) as judge:
            usual = _next(bench, of, fmt)
            if not isinstance(usual.reply.outcome, Success):
                raise Unavailable(f"{usual.message} is not answered to begin with")
            patience = patience_after(usual.elapsed)
            for number, stop in enumerate(refusals(bench, of, writable(bench, of))):
                if (bench.seed + number + at) % len(bench.formats) and bench.budget.name != "thorough":
                    continue
                if not _judge_next(bench, judge, (of, fmt), stop, patience):
                    break


def _judge_next(bench: Bench, judge: Judge, at: tuple[ApiClass, Format], stop: Stop, patience: float) -> bool:
    of, fmt = at
    slow = _slow(bench, of, (fmt, stop), patience)
    # Each time after this call, and never without it: another client is no such thing.
    if len(slow) == 2 and not _is_slow(_next(bench, of, fmt), patience):
        said = f"{describe(slow[-1])[:80]} after {slow[-1].elapsed:.1f} s"
        judge.fail(f"a good call is answered as usual after {stop.message} with {stop.what}", said, *slow)
        return False
    judge.asserted += 1
    return True


def _slow(bench: Bench, of: ApiClass, call: tuple[Format, Stop], patience: float) -> list[Exchange]:
    """Call a message in vain, twice if need be; return the calls behind it that were slow."""
    fmt, stop = call
    found: list[Exchange] = []
    for _ in range(2):
        refused = take(bench, fmt, stop)
        if refused is None or not is_refusal(refused):
            break
        after = _next(bench, of, fmt)
        if not _is_slow(after, patience):
            break
        found.append(after)
    return found


def _is_slow(exchange: Exchange, patience: float) -> bool:
    return exchange.elapsed > patience or not isinstance(exchange.reply.outcome, Success)


def _next(bench: Bench, of: ApiClass, fmt: Format) -> Exchange:
    return bench.call(bench.other(fmt), f"{of.name}.get_all")


def is_listed(_api: Api, of: ApiClass) -> bool:
    """Whether the objects of a class are listed."""
    return "get_all" in of.messages


# ---------------------------------------------------------------------------------------------------------- at the door


def the_door_does_no_harm(bench: Bench) -> None:
    """A bad login or logout shows nothing and holds up nobody. Source: good practice in security."""
    for fmt in bench.formats:
        with bench.judging(NO_LEAK, DOOR, fmt) as silent:
            for stop in door(bench, fmt):
                exchange = take(bench, fmt, stop)
                if exchange is not None and is_refusal(exchange):
                    judge_silent(silent, f"{stop.message} with {stop.what}", exchange)
                elif exchange is not None:
                    leave(bench, stop, exchange)
            _judge_secret(bench, silent, fmt)
        with bench.judging(ALIVE, DOOR, fmt) as alive:
            _judge_door(bench, alive, fmt)


def _judge_secret(bench: Bench, judge: Judge, fmt: Format) -> None:
    """Assert that a bad login tells the right password no more often than that of a user who is not there does."""
    known = bench.client.credentials
    if known is None:
        return
    users = (known.user, "xenconform-nobody")
    both = [bench.call(fmt, LOGIN, user, "xenconform-not", known.version, known.originator, session=None, probe=True)
            for user in users]  # fmt: skip
    mine, nobodys = (each.received.count(known.password.encode()) for each in both)
    judge.true(mine <= nobodys, "the reply to a bad login shows no password", "it shows the right one", *both)


def _judge_door(bench: Bench, judge: Judge, fmt: Format) -> None:
    message, _ = a_listing(bench)
    patience = patience_after(bench.call(fmt, message).elapsed)
    for stop in [each for each in door(bench, fmt) if not each.good]:
        slow: list[Exchange] = []
        for _ in range(2):
            if take(bench, fmt, stop) is None:
                break
            after = bench.call(bench.other(fmt), message)
            if not _is_slow(after, patience):
                break
            slow.append(after)
        well = len(slow) < 2 or _is_slow(bench.call(bench.other(fmt), message), patience)
        judge.true(well, f"a good call is answered as usual after {stop.message} with {stop.what}", "it waits", *slow)


CHECKS: tuple[Check, ...] = (
    Check(NO_EFFECT, per_class=refusals_change_and_tell_nothing, applies=has_messages, also=(NO_LEAK,)),
    Check(ALIVE, per_class=refusals_hold_nobody_up, applies=is_listed),
    Check(NO_LEAK, per_server=the_door_does_no_harm, also=(ALIVE,)),
)
"""The rows of the suite's table."""
