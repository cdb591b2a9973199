"""A watch: event.from called again and again from the token of the call before, and what it told.

The law of a watch (class reference, event): each call gives a batch of events, a token that covers them, and how many
objects there are of each class; the next call goes on from the token, so that nothing is lost and nothing is told
twice. Changes of one object within a batch may be merged into its latest state. Others' objects are of no concern.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.fields import plain_values, written
from xenconform.conformance.checks.judging import Unanswered, Unavailable, show
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import ApiClass, Field
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Ref, Value, same

FROM = "event.from"
WAIT = 2.0
"""Seconds that event.from may wait where something is to be told; what was done before it is told at once."""
ALOFT = 5.0
"""Seconds after which what was done and is still not told counts as lost."""
WRITTEN_FIRST = ("name_description", "name_label", "other_config", "tags")
"""Fields that a change is made to, the harmless ones before any other."""


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

    `counts` is the last batch's valid_ref_counts, `last` its exchange.
    """

    bench: Bench
    fmt: Format
    wanted: tuple[str, ...]
    token: str = ""
    told: list[Told] = field(default_factory=list)
    counts: Mapping[str, int] = field(default_factory=dict)
    last: Exchange | None = None

    def read(self, seconds: float) -> list[Told]:
        """Call event.from once and go on from its token; return what it told.

        Raises:
            Unanswered: it failed.
        """
        batch, exchange = self.bench.ask(self.fmt, FROM, self.wanted, self.token, seconds)
        self.token, self.counts, self.last = batch["token"], batch["valid_ref_counts"], exchange
        news = [_told(event, exchange) for event in batch["events"]]
        self.told += news
        return news

    def until(self, done: Callable[[Sequence[Told]], bool]) -> list[Told]:
        """Read until what was told since this call began is enough, or it has taken too long; return that.

        Raises:
            Unanswered: event.from failed.
        """
        limit = time.monotonic() + min(ALOFT, self.bench.client.deadline)
        news: list[Told] = []
        while True:
            news += self.read(min(WAIT, self.bench.client.deadline / 3))
            if done(news) or time.monotonic() >= limit:
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
