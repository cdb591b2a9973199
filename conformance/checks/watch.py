"""A watch: event.from called again and again from the token of the call before, and what it told.

The law of a watch (class reference, event): each call gives a batch of events, a token that covers them, and how many
objects there are of each class; the next call goes on from the token, so that nothing is lost and nothing is told
twice. Changes of one object within a batch may be merged into its latest state. Others' objects are of no concern.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.fields import plain_values, written
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, result_of, show
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.wire_ways import ints_in, spelling
from xenconform.conformance.checks.wire_ways import result_of as result_as_written
from xenconform.models.api import ApiClass, Field
from xenconform.models.calls import Breach, Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import RecordOf
from xenconform.models.values import Ref, Value, same

FROM = "event.from"
WAIT = 1.0
"""Seconds that event.from may wait where something is to be told; what was done before it is told at once."""
SLACK = 5.0
"""Seconds more than it was asked to that a server may take to answer."""
ALOFT, SHORT = 2.0, 0.1
"""Seconds after which what was done and is still not told counts as lost, and once several events were lost."""
MOST = 3
"""After so many calls that did not come back none is made; after so many events that were lost each is awaited less."""
WRITTEN_FIRST = ("name_description", "name_label", "other_config", "tags")
"""Fields that a change is made to, the harmless ones before any other."""


@dataclass(slots=True)
class Memory:
    """How many calls of a run that wait did not come back, and how many events were awaited in vain."""

    hung: int = 0
    lost: int = 0


_MEMORIES: WeakKeyDictionary[Bench, Memory] = WeakKeyDictionary()


def call_waiting(
    bench: Bench, judge: Judge, fmt: Format, seconds: float, message: str, *args: Value, **options: Any
) -> Exchange:
    """Call what may wait for `seconds`, with a deadline of its own: not coming back is a finding of this clause.

    Raises:
        Unavailable: the profile does not allow it, or it did not come back.
        Unanswered: the server does not offer it, refuses, or gave no readable answer.
    """
    if message in bench.profile.never:
        raise Unavailable(f"the profile {bench.profile.name} says never to call {message}")
    memory = _MEMORIES.setdefault(bench, Memory())
    if memory.hung >= MOST:
        raise Unavailable(f"{memory.hung} calls that wait for events did not come back, so no more are made")
    limit = seconds + min(SLACK, bench.client.deadline)
    exchange = bench.client.call(fmt, message, args, deadline=limit, **options)
    if "session" not in options and bench.client.ensure_session(exchange):
        exchange = bench.client.call(fmt, message, args, deadline=limit, **options)
    if _is_late(exchange):  # twice, and longer: a machine that is busy for once is no server that hangs
        limit *= 2
        exchange = bench.client.call(fmt, message, args, deadline=limit, **options)
    if _is_late(exchange):
        memory.hung += 1
        judge.fail(f"{message} comes back within {limit:g} s", describe(exchange), exchange)
        raise Unavailable(f"{message} did not come back")
    outcome = exchange.reply.outcome
    if message == FROM:
        bench.watch(exchange)
    if not isinstance(outcome, Success):
        raise Unanswered(exchange, domain=bench.is_domain_refusal(exchange), missing=bench.is_missing(exchange))
    return exchange


def _is_late(exchange: Exchange) -> bool:
    outcome = exchange.reply.outcome
    return isinstance(outcome, Breach) and outcome.kind == "http-timeout"


@dataclass(frozen=True, slots=True)
class Told:
    """One event: the class as it was written, add, mod or del, the ref, the object's record, and where it stands.

    `ident` is the event's id, "" where there is none. `snapshot` is empty where there is none.
    """

    cls: str
    operation: str
    ref: Ref
    ident: str
    snapshot: Mapping[str, Any]
    exchange: Exchange

    def describe(self) -> str:
        """Return it in one line."""
        return f"{self.operation} of {self.cls} {self.ref}"


@dataclass(slots=True)
class Watch:
    """One client's watch over one format; `told` is all that was told since it began, `token` where it stands.

    `judge` is told of a call that does not come back: the block that is being judged. `counts` is the last batch's
    valid_ref_counts, `last` its exchange; `began` the token that it began with. `session` is given where it
    is another than the run's own.
    """

    bench: Bench
    judge: Judge
    fmt: Format
    wanted: tuple[str, ...]
    token: str = ""
    began: str = field(init=False)
    told: list[Told] = field(default_factory=list)
    counts: Mapping[str, int] = field(default_factory=dict)
    last: Exchange | None = None
    session: Ref = ""

    def __post_init__(self) -> None:
        self.began = self.token

    def read(self, seconds: float) -> list[Told]:
        """Call event.from once and go on from its token; return what it told.

        Raises:
            Unanswered: it failed.
        """
        options = {"session": self.session} if self.session else {}
        args = (self.wanted, self.token, seconds)
        exchange = call_waiting(self.bench, self.judge, self.fmt, seconds, FROM, *args, **options)
        batch = result_of(exchange)
        self.token, self.counts, self.last = batch["token"], batch["valid_ref_counts"], exchange
        news = [_told(event, exchange) for event in batch["events"]]
        self.told += news
        return news

    def until(self, done: Callable[[Sequence[Told]], bool]) -> list[Told]:
        """Read until what was told since this call began is enough, or it has taken too long; return that.

        Raises:
            Unanswered: event.from failed.
        """
        memory = _MEMORIES.setdefault(self.bench, Memory())
        patience = min(ALOFT if memory.lost < MOST else SHORT, self.bench.client.deadline)
        limit = nature.now() + patience
        news: list[Told] = []
        while True:
            news += self.read(min(WAIT, patience))
            if done(news):
                return news
            if nature.over(limit):
                memory.lost += 1
                return news

    def until_told(self, operation: str, ref: Ref) -> list[Told]:
        """Read until an operation on an object is told, or it has taken too long; return what was told of it."""
        news = self.until(lambda told: any((each.operation, each.ref) == (operation, ref) for each in told))
        return [each for each in news if each.ref == ref]

    @property
    def exchange(self) -> Exchange:
        """The last call's exchange."""
        assert self.last is not None, "nothing was read yet"
        return self.last


def _told(event: Mapping[str, Any], exchange: Exchange) -> Told:
    snapshot = event.get("snapshot")
    named = {name: str(event.get(name, "")) for name in ("class", "operation", "ref", "id")}
    return Told(
        named["class"],
        named["operation"],
        named["ref"],
        named["id"],
        snapshot if isinstance(snapshot, dict) else {},
        exchange,
    )


def spelled_alike(bench: Bench, of: ApiClass, told: Told, reading: Exchange) -> None:
    """Judge that a server stays with the spelling of ints in JSON that it chose, in the records of events too."""
    fmt = reading.format
    batch = result_as_written(told.exchange) if fmt is not Format.XMLRPC else None
    events = batch.get("events", []) if isinstance(batch, dict) else []
    shown = next((each.get("snapshot") for each in events if told.ref == each.get("ref")), None)
    kinds = (
        {*map(spelling, ints_in(RecordOf(of.name), each, bench.api))} for each in (result_as_written(reading), shown)
    )
    read, seen = kinds
    if len(read) == 1 and seen:
        with bench.judging("WIRE-INT-JSON", of.name, fmt) as judge:
            said = f"{', '.join(sorted(seen))} in an event's record"
            judge.true(seen == read, f"{', '.join(read)}, as in get_record", said, told.exchange, reading)


def describe_all(told: Sequence[Told]) -> str:
    """Return events in one line."""
    return show([each.describe() for each in told])


def changeable(of: ApiClass) -> list[Field]:
    """Return the fields of a class that a change can be made to as a whole, the harmless first."""
    fields = [each for each in written(of) if f"set_{each.name}" in of.messages]
    return sorted(fields, key=lambda f: WRITTEN_FIRST.index(f.name) if f.name in WRITTEN_FIRST else len(WRITTEN_FIRST))


def change(bench: Bench, fmt: Format, obj: Obj) -> tuple[Field, Value]:
    """Write another value to a field of an object of ours; return both.

    Raises:
        Unavailable: no field takes another value.
    """
    of = bench.api.classes[obj.cls]
    for each in changeable(of):
        try:
            before, _ = bench.ask(fmt, f"{obj.cls}.get_{each.name}", obj.ref)
            values = plain_values(bench, obj.cls, each, each.type, 3)
        except (Unavailable, Unanswered):
            continue
        for value in values:
            if same(each.type, before, value):
                continue
            outcome = bench.call(fmt, f"{obj.cls}.set_{each.name}", obj.ref, value).reply.outcome
            if isinstance(outcome, Success):
                return each, value
            if isinstance(outcome, Failure) and outcome.code == "HANDLE_INVALID":
                break
    raise Unavailable(f"no field of a {obj.cls} takes another value")
