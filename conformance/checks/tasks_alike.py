"""Level 4, tasks beside the plain form: what is made, ended or refused asynchronously is so in all that can be seen.

An object is made by a task and another of the same values by a plain call: both have the same fields, those that were
given as those that were not, and are found in the same ways; ended by a task they are found in none. Where the
two differ a second plain call is the control.
"""

from __future__ import annotations

from xenconform.conformance.checks.awaiting import Async
from xenconform.conformance.checks.awkward import LARGE, awkward_values
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.creating import given_fields, make_by
from xenconform.conformance.checks.findable import ways
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, is_refusal, show
from xenconform.conformance.checks.sessionless import can_come_and_go
from xenconform.conformance.checks.snapshots import Record
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.tally import draw
from xenconform.conformance.checks.tasks import CLAUSE, destructor
from xenconform.models.api import ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.lasting import lasting_fields, stands
from xenconform.models.types import MapOf, SetOf, Str
from xenconform.models.values import Ref, Value, is_null_text

KINDS = (LARGE, 3, 2)
"""The kinds of the values that the objects are made of, by the turn of the format (checks/awkward.py)."""
_ANY = (Str(), SetOf(Str()), MapOf(Str(), Str()))
"""Types of which a server that refuses some values takes most others."""
LISTED = "listed"
"""The way in which an object is found in what its class has."""


def tasks_make_and_end_alike(bench: Bench, of: ApiClass) -> None:
    """What a task makes and ends is as if by plain calls, whatever it is made of. Source: wire protocol."""
    formats = bench.formats if bench.budget.boundaries else bench.formats[:1]
    for fmt, kind in zip(formats, KINDS, strict=False):
        with bench.judging(CLAUSE, f"{of.name} alike", fmt) as judge:
            story = _Story(bench, judge, of, fmt)
            story.run(awkward_values(bench, of, kind))
            if kind == KINDS[draw(bench.seed, CLAUSE, of.name) % len(KINDS)]:
                story.run_left_out()


class _Story:
    """Two objects of the same values, one made by a task, and their end."""

    def __init__(self, bench: Bench, judge: Judge, of: ApiClass, fmt: Format) -> None:
        self.bench, self.judge, self.of, self.fmt = bench, judge, of, fmt
        self.read = bench.other(fmt, 2)

    def run(self, full: dict[str, Value]) -> None:
        """Make both of awkward values and compare them, then let tasks end both.

        Raises:
            Unavailable: no two can be made alike.
            Unanswered: the server does not have the asynchronous form, or gave no readable answer.
        """
        given, plain = self._plain(full)
        self._go_on(given, plain)

    def run_left_out(self) -> None:
        """The same with all left out that has a default, where the server takes that."""
        constructor, given = self.bench.stock.constructor(self.of.name), self.bench.stock.exemplar(self.of.name)
        if not constructor.record:
            return
        given = {name: value for name, value in given.items() if not self.of.fields[name].has_default}
        plain = self.bench.call(self.fmt, constructor.message.full_name, given, probe=True)
        if isinstance(plain.reply.outcome, Success):
            self._go_on(given, self.bench.stock.adopt(self.of.name, plain))

    def _go_on(self, given: dict[str, Value], plain: Obj) -> None:
        try:
            made = self._by_task(given)
            if made is None:
                return
            self._compare(made, plain, given)
            for obj in (made, plain):
                self._end(obj)
        finally:
            self.bench.stock.remove(plain)

    def _plain(self, full: dict[str, Value]) -> tuple[dict[str, Value], Obj]:
        """Make the plain one, of awkward values where the server takes them."""
        exemplar = self.bench.stock.exemplar(self.of.name)
        fields = dict(given_fields(self.of, self.bench.stock.constructor(self.of.name)))
        some = {name: value for name, value in full.items() if fields[name].type in _ANY}
        for values in (full, some, {}):
            given = {**exemplar, **values}
            exchange = self.bench.stock.try_make(self.of.name, given, fmt=self.fmt)
            if isinstance(exchange.reply.outcome, Success):
                return given, self.bench.stock.adopt(self.of.name, exchange)
        raise Unavailable(self.bench.stock.refusal(self.of.name, exchange))

    def _by_task(self, given: dict[str, Value]) -> Obj | None:
        constructor = self.bench.stock.constructor(self.of.name)
        args = (given,) if constructor.record else tuple(given[p.name] for p in constructor.message.params)
        ended = Async(self.bench, self.judge, self.fmt, constructor.message).run(*args)
        if ended is None:
            return None
        if ended.succeeded and isinstance(ended.value, str) and not is_null_text(ended.value):
            return self.bench.stock.adopt_ref(self.of.name, ended.value)
        again = self.bench.call(self.fmt, constructor.message.full_name, *args)
        if not isinstance(again.reply.outcome, Success):
            raise Unavailable(f"the server takes no two alike: {describe(again)}")
        self.bench.stock.remove(self.bench.stock.adopt(self.of.name, again))
        self.judge.fail(f"a new {self.of.name}, as the plain form: {describe(again)}", ended.describe(), *ended.seen)
        return None

    def _make(self, given: dict[str, Value]) -> Exchange:
        constructor = self.bench.stock.constructor(self.of.name)
        exchange = make_by(self.bench, constructor, self.fmt, given)
        if not isinstance(exchange.reply.outcome, Success):
            raise Unavailable(f"the server takes no third one alike: {describe(exchange)}")
        return exchange

    def _record(self, obj: Obj) -> tuple[Record, Exchange]:
        return self.bench.ask(self.read, f"{self.of.name}.get_record", obj.ref)

    def _compare(self, made: Obj, plain: Obj, given: dict[str, Value]) -> None:
        try:
            record, seen = self._record(made)
        except Unanswered as why:
            if is_refusal(why.exchange):
                self.bench.stock.forget(made)
            raise
        like = self._record(plain)[0]
        odd = self._odd(record, like)
        lost = [way for way, found in self._found(made.ref, record).items() if not found]
        self.judge.asserted += 1
        if not odd and not lost:
            return
        control = self.bench.stock.adopt(self.of.name, self._make(given))
        again = self._record(control)[0]
        odd -= self._odd(again, like)
        kept = {way for way, found in self._found(control.ref, again).items() if found}
        self.bench.stock.remove(control)
        for name in sorted(odd & again.keys()):
            expected = f"{name} {show(again[name])}, as the plain form gives it"
            self.judge.fail(expected, f"{show(record[name])}, of what a task made", seen)
        for way in lost:
            if way in kept:
                self.judge.fail(f"{made.ref}, which a task made, found", f"not by {way}", seen)

    def _odd(self, one: Record, other: Record) -> set[str]:
        """Return the settled fields that differ between two records of objects made alike."""
        fields = [f for f in lasting_fields(self.bench.api, self.of, own=True) if f.name != "uuid"]
        both = [f for f in fields if f.name in one and f.name in other]
        return {f.name for f in both if not stands(self.of, f, one[f.name], other[f.name])}

    def _found(self, ref: Ref, record: Record) -> dict[str, bool]:
        found = {way: hit for way, (hit, _) in ways(self.bench, self.of, self.read, ref, record).items()}
        return found | ({LISTED: ref in self.bench.stock.all_refs(self.of.name)} if self._lists else {})

    @property
    def _lists(self) -> bool:
        return "get_all" in self.of.messages

    def _end(self, obj: Obj) -> None:
        record = self._record(obj)[0]
        ended = Async(self.bench, self.judge, self.fmt, destructor(self.of)).run(obj.ref)
        if ended is None or not ended.succeeded:
            self.bench.stock.remove(obj)  # counted under the end of one
            return
        left = [way for way, found in self._found(obj.ref, record).items() if found]
        self.judge.asserted += 1
        if not left:
            self.bench.stock.forget(obj)
            return
        self.bench.stock.remove(obj)
        control = self.bench.stock.make(self.of.name)
        was = self._record(control)[0]
        stays = self._found(control.ref, was) if self.bench.stock.remove(control) else dict.fromkeys(left, True)
        for way in left:
            if not stays.get(way):
                self.judge.fail(f"{obj.ref}, which a task ended, found in no way", f"found by {way}", *ended.seen)


CHECKS: tuple[Check, ...] = (Check(CLAUSE, per_class=tasks_make_and_end_alike, applies=can_come_and_go),)
