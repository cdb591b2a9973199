"""Level 4, what is done without a session: every way to have none, and nothing made or ended on the way.

`sessions` calls every message of a class with one kind of bad session a format. Here a few messages of the class, a
listing, a getter and a setter, are called with every kind over every format, those among them that are nearly a
session that lives. Then an object is made and one is ended without a session: both must fail and change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from xenconform.conformance.checks.aimed import aim
from xenconform.conformance.checks.arguments import good_args
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.good_calls import free_members, on, readings
from xenconform.conformance.checks.judging import Judge, Unavailable, describe
from xenconform.conformance.checks.opening import opened
from xenconform.conformance.checks.querying import is_listed
from xenconform.conformance.checks.sessions import KINDS, NO_SESSIONS, PATIENCE, bad_sessions, takes_sessions
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.stops import Stop
from xenconform.conformance.checks.tally import draw
from xenconform.conformance.checks.wire_envelope import a_listing
from xenconform.conformance.codec import Param
from xenconform.models.api import Api, ApiClass, Message
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Str
from xenconform.models.values import Ref, Value

CLAUSE = "SESSION-REQUIRED"
QUERY = "get_all_records_where"
WORDS = MappingProxyType(
    {"what every object has": "constructor", "a pattern": "%", "a number": "0", "a word for nothing": "null"}
)
"""Kinds of bad sessions that are no refs: they are found where sessions are members of something, or matched."""
NEARLY = ("empty", "with text behind", "cut short", "between spaces", "in the other case", "the uuid")
"""Kinds of bad sessions that are made of one that lives."""
NEAR = ("pool", "host", "user", "subject", "role", "task", "VM")
"""Classes whose refs are tried in a session's place over every format: who or what acts on a server."""


def none_of_all_kinds_serves(bench: Bench, of: ApiClass) -> None:
    """Whatever is in a session's place, a listing, a getter and a setter of a class fail. Source: error list."""
    calls = _calls(bench, of)
    living = ""
    try:
        living = opened(bench, bench.formats[0])
        bad = {**bad_sessions(bench), **nearly(bench, living)}
    except Unavailable:
        bad = bad_sessions(bench)
    for at, fmt in enumerate(bench.formats):
        for message, args in calls:
            with bench.judging(CLAUSE, f"{message.full_name} of all kinds", fmt) as judge:
                if message.name == "get_all":
                    _judge_query(bench, judge, (of, fmt), list(bad.items())[(bench.seed + at) % len(bad)])
                for number, (kind, session) in enumerate(bad.items()):
                    if message.name == "get_all" and kind != "missing" and len(calls) > 1:
                        continue  # alone among them it can be called with nothing at all
                    if message.verb == "set" and kind in NEARLY and (number + at) % 2:
                        continue  # over the next format it is its turn; who can read has shown the rest
                    _judge_none(bench, judge, fmt, (message, args), (kind, session))
                if (message, args) == calls[-1]:
                    _judge_no_text(bench, judge, fmt, (message, args))
    if living:
        bench.call(bench.formats[0], "session.logout", session=living)
    for kind in NEARLY:
        bench.client.secrets.end_session(bad.get(kind) or "")


def nearly(bench: Bench, living: Ref) -> Mapping[str, str]:
    """Return texts that are nearly a living session's ref; a session's own uuid where that is not the ref itself."""
    uuid = bench.call(bench.formats[0], "session.get_uuid", living, session=living).reply.outcome
    known = str(uuid.value) if isinstance(uuid, Success) else ""
    texts = ("", f"{living}0", living[:-1], f" {living} ", living.swapcase(), known)
    for text in filter(None, texts):
        bench.client.secrets.add_session(text)
    return {
        kind: text for kind, text in zip(NEARLY, texts, strict=True) if text != living and (text or kind == "empty")
    }


def _calls(bench: Bench, of: ApiClass) -> list[tuple[Message, tuple[Value, ...]]]:
    """Return a listing, a getter and a setter of a class with good arguments, those that there are."""
    found: list[tuple[Message, tuple[Value, ...]]] = []
    reader = next((n for n in ("get_record", "get_uuid") if n in of.messages), "")
    setter = next((m.name for m in of.messages.values() if m.implicit and m.verb == "set"), "")
    for name in ("get_all", reader, setter):
        message = of.messages.get(name)
        if message is None or message.full_name in bench.profile.never:
            continue
        if message.verb == "set":
            aimed = aim(bench, message)
            found += [(message, aimed.args)] if aimed.right else []
            continue
        args, real = good_args(bench, message)
        found += [(message, tuple(args))] if real else []
    return found


def _judge_none(
    bench: Bench, judge: Judge, fmt: Format, call: tuple[Message, tuple[Value, ...]], bad: tuple[str, str | None]
) -> None:
    (message, args), (kind, session) = call, bad
    exchange = bench.call(fmt, message.full_name, *args, probe=True, session=session, deadline=PATIENCE)
    outcome = exchange.reply.outcome
    told = judge.refused(exchange, f"{message.full_name} with a session that is {kind}")
    if told and kind in KINDS and kind != "missing" and isinstance(outcome, Failure):
        fits = outcome.code == "SESSION_INVALID"
        judge.true(fits, f"SESSION_INVALID for a session that is {kind}", describe(exchange), exchange)


def _judge_no_text(bench: Bench, judge: Judge, fmt: Format, call: tuple[Message, tuple[Value, ...]]) -> None:
    """Put what is no text in the session's place, one such value over each format."""
    message, args = call
    turn = draw(bench.seed, message.cls) + bench.formats.index(fmt)
    kind, node = list(NO_SESSIONS.items())[turn % len(NO_SESSIONS)]
    params: list[Param] = [(None, node), *((p.type, arg) for p, arg in zip(message.params, args, strict=False))]
    exchange = bench.call(fmt, message.full_name, params=params, probe=True, session=None, deadline=PATIENCE)
    judge.refused(exchange, f"{message.full_name} with {kind} as session")


def _judge_query(bench: Bench, judge: Judge, where: tuple[ApiClass, Format], bad: tuple[str, str | None]) -> None:
    """Put a query to a class in what is no session: no list of messages has it, so what guards those may forget it."""
    (of, fmt), (kind, session) = where, bad
    if is_listed(bench.api, of):
        name = f"{of.name}.{QUERY}"
        exchange = bench.call(fmt, name, "true", probe=True, session=session, deadline=PATIENCE)
        judge.refused(exchange, f"{name} with a session that is {kind}")


def nothing_else_is_a_session(bench: Bench) -> None:
    """The ref of no object of another class serves as a session, whatever it is. Source: error list."""
    try:
        message, _ = a_listing(bench)
    except Unavailable:
        return  # told where every message is called without a session
    classes = dict.fromkeys((*(cls for cls in NEAR if cls in bench.api.classes), *(of.name for of in bench.classes)))
    refs = {cls: bench.stock.existing(cls)[:1] for cls in classes if cls != "session"}
    for at, fmt in enumerate(bench.formats):
        with bench.judging(CLAUSE, "server, refs of other classes", fmt) as judge:
            for kind, text in WORDS.items():
                exchange = bench.call(fmt, message, probe=True, session=text, deadline=PATIENCE)
                judge.refused(exchange, f"{message} with {text!r} as session, {kind}")
            for kind, node in NO_SESSIONS.items():
                exchange = bench.call(fmt, message, params=[(None, node)], probe=True, session=None, deadline=PATIENCE)
                judge.refused(exchange, f"{message} with {kind} as session")
            for number, (cls, found) in enumerate(refs.items()):
                if cls not in NEAR and (number + at) % len(bench.formats):
                    continue  # tried over another format
                for ref in found or _own(bench, cls):
                    what = f"{message} with the ref of a {cls} as session"
                    exchange = bench.call(fmt, message, probe=True, session=ref, deadline=PATIENCE)
                    judge.refused(exchange, what)


def _own(bench: Bench, cls: str) -> tuple[Ref, ...]:
    """Return the ref of an object of ours, where one can be made."""
    try:
        return (bench.stock.own(cls).ref,)
    except Unavailable:
        return ()


# ------------------------------------------------------------------------------------------------ nothing made or ended


def can_come_and_go(_api: Api, of: ApiClass) -> bool:
    """Whether objects of a class can be made by a record or by parameters, listed, and ended."""
    return bool(of.constructors and of.destructor) and {"get_all", "get_record"} <= set(of.messages)


def nothing_comes_or_goes_without_a_session(bench: Bench, of: ApiClass) -> None:
    """Without a session no object is made and none is ended, whatever the refusal says. Source: error list."""
    bad = list(bad_sessions(bench).items())
    for at, fmt in enumerate(bench.formats):
        kind, session = bad[(bench.seed + at) % len(bad)]
        with bench.judging(CLAUSE, f"{of.name} made", fmt) as judge:
            _judge_unmade(bench, of, judge, fmt, session)
        with bench.judging(CLAUSE, f"{of.name} ended, session {kind}", fmt) as judge:
            _judge_not_ended(bench, of, judge, fmt, session)


def _judge_unmade(bench: Bench, of: ApiClass, judge: Judge, fmt: Format, session: str | None) -> None:
    constructor, given = bench.stock.constructor(of.name), bench.stock.exemplar(of.name)
    before = set(bench.stock.all_refs(of.name))
    args: list[Value] = [given] if constructor.record else [given[p.name] for p in constructor.message.params]
    name = constructor.message.full_name
    refused = bench.call(fmt, name, *args, probe=True, session=session, deadline=PATIENCE)
    _judge_no_task(bench, judge, bench.call(fmt, f"Async.{name}", *args, probe=True, session=session))
    made = [ref for ref in bench.stock.all_refs(of.name) if ref not in before and is_it(bench, of, ref, given)]
    for ref in made:
        bench.stock.remove(bench.stock.adopt_ref(of.name, ref))
    if judge.refused(refused, f"{name} without a session"):
        judge.true(not made, f"no new {of.name}", f"{len(made)} made", refused)


def _judge_no_task(bench: Bench, judge: Judge, later: Exchange) -> None:
    """Assert that a call without a session begins no task."""
    outcome = later.reply.outcome
    if not judge.refused(later, f"{later.message} without a session") and isinstance(outcome, Success):
        bench.stock.remove(bench.stock.adopt_ref("task", str(outcome.value)))


def is_it(bench: Bench, of: ApiClass, ref: Ref, given: Mapping[str, Value]) -> bool:
    """Whether an object is what was to be made, by its texts: others make objects too."""
    outcome = bench.call(bench.formats[0], f"{of.name}.get_record", ref).reply.outcome
    if not isinstance(outcome, Success):
        return False
    texts = [n for n, f in of.fields.items() if f.type == Str() and given.get(n) and n in outcome.value]
    return all(outcome.value[name] == given[name] for name in texts)


def _judge_not_ended(bench: Bench, of: ApiClass, judge: Judge, fmt: Format, session: str | None) -> None:
    obj = bench.stock.make(of.name)
    name = f"{of.name}.{of.destructor}"
    _judge_no_task(bench, judge, bench.call(fmt, f"Async.{name}", obj.ref, probe=True, session=session))
    refused = bench.call(fmt, name, obj.ref, probe=True, session=session, deadline=PATIENCE)
    reading = bench.call(bench.other(fmt), f"{of.name}.get_record", obj.ref, probe=True)
    _forget(bench, obj, there=isinstance(reading.reply.outcome, Success))
    if judge.refused(refused, f"{name} without a session"):
        gone = isinstance(reading.reply.outcome, Failure)
        judge.true(not gone, f"{obj.ref} stays", describe(reading), refused, reading)


def _forget(bench: Bench, obj: Obj, *, there: bool) -> None:
    if there:
        bench.stock.remove(obj)
    else:
        bench.stock.forget(obj)


# ---------------------------------------------------------------------------------------------------- nothing taken out


def nothing_is_taken_out_without_a_session(bench: Bench, of: ApiClass) -> None:
    """Without a session nothing is taken out of a set or map, whatever the refusal says. Source: error list."""
    bad = list(bad_sessions(bench).items())
    for number, (field, add, remove, args) in enumerate(free_members(bench, of)):
        for at, fmt in enumerate(bench.formats):
            kind, session = bad[(bench.seed + number + at) % len(bad)]
            with bench.judging(CLAUSE, f"{of.name}.{remove}_{field.name} of what is there", fmt) as judge:
                obj = bench.stock.writable(of.name)
                bench.call(fmt, f"{of.name}.{add}_{field.name}", params=on(of, obj, *args))
                there, _ = bench.ask(fmt, f"{of.name}.get_{field.name}", obj.ref)
                name, taken = f"{of.name}.{remove}_{field.name}", on(of, obj, args[0])
                refused = bench.call(fmt, name, params=taken, probe=True, session=session, deadline=PATIENCE)
                after, seen = bench.ask(bench.other(fmt), f"{of.name}.get_{field.name}", obj.ref)
                bench.call(fmt, name, params=taken)
                judge.refused(refused, f"{name} with a session that is {kind}")
                stays = args[0][1] not in there or args[0][1] in after
                judge.true(stays, f"{args[0][1]} stays in {field.name}", "it is gone", refused, seen)


def has_members(_api: Api, of: ApiClass) -> bool:
    """Whether a class has a set or map that takes one member after the other."""
    return any(m.implicit and m.verb in {"add", "add_to"} for m in of.messages.values())


# -------------------------------------------------------------------------------------------------- what has been asked


def what_was_asked_before_is_not_told_again(bench: Bench, of: ApiClass) -> None:
    """What a session has read of a class is not told to it once it has ended. Source: wire protocol."""
    names = [n for n in ("get_record", "get_all", "get_all_records", "get_by_uuid") if n in of.messages]
    unasked = (".get_all_records", QUERY)
    for fmt in bench.formats:
        with bench.judging("SESSION-LOGOUT", f"{of.name}, what was asked before", fmt) as judge:
            stops = list(readings(bench, of))
            getter = next((stop for stop in stops if stop.message.partition(".")[2] not in names), None)
            known = [stop for stop in stops if stop is getter or stop.message.partition(".")[2] in names]
            if is_listed(bench.api, of):
                known.append(Stop(f"{of.name}.{QUERY}", ((Str(), "true"),)))
                # Of the two messages that give all records, each has its formats.
                known = [each for each in known if not each.message.endswith(unasked[bench.formats.index(fmt) % 2])]
            session = opened(bench, fmt)
            for over in (fmt, bench.other(fmt)):
                for stop in known:
                    bench.call(over, stop.message, params=stop.params, probe=True, session=session)
            bench.call(bench.other(fmt), "session.logout", session=session)
            for over in (fmt, bench.other(fmt)):
                for stop in known:
                    after = bench.call(over, stop.message, params=stop.params, probe=True, session=session)
                    judge.refused(after, f"{stop.message} over {over} with a session that has asked it, and has ended")


def has_readings(_api: Api, of: ApiClass) -> bool:
    """Whether a class has objects that can be read or listed."""
    return bool({"get_record", "get_all"} & of.messages.keys())


CHECKS: tuple[Check, ...] = (
    Check(CLAUSE, per_class=none_of_all_kinds_serves, applies=takes_sessions),
    Check(CLAUSE, per_server=nothing_else_is_a_session),
    Check(CLAUSE, per_class=nothing_comes_or_goes_without_a_session, applies=can_come_and_go),
    Check(CLAUSE, per_class=nothing_is_taken_out_without_a_session, applies=has_members),
    Check("SESSION-LOGOUT", per_class=what_was_asked_before_is_not_told_again, applies=has_readings),
)
