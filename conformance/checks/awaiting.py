"""How an asynchronous call is made, its task awaited, and what it came to read.

The law of a task (wire protocol; class reference of task): `Async.c.m` takes the parameters of `c.m` and gives a task's
ref; the task's status is pending (or cancelling) until it is success, failure or cancelled, and then stays; `result`
is the plain form's value as an XML-RPC value in every format, `error_info` the plain form's code and parameters, as
a set. A server may also refuse a call at once, with the plain form's error, or not have the asynchronous form at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary
from zlib import crc32

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, show
from xenconform.conformance.codec import Param, decode_xml_value
from xenconform.models.api import Api, Message
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.refusals import MISSING_CODES
from xenconform.models.types import Type, Void
from xenconform.models.values import Ref, Value, is_null_text

PATIENCE = 3.0
"""How many of the client's deadlines a task may take."""
SHORT = 1.0
"""Seconds for a task once another of the run never ended."""
MOST_ENDLESS = 3
"""After so many tasks that did not end no more are begun."""
FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.25
UNDER_WAY = frozenset({"pending", "cancelling"})
STEADY = ("status", "result", "error_info")
"""What of an ended task stays as it is."""
_ENDLESS: WeakKeyDictionary[Bench, int] = WeakKeyDictionary()
"""How many tasks of a run did not end: a server without a working queue must not cost a minute a message."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What an asynchronous call came to.

    `value` is the typed result of a success; `error` the code and parameters of a failure, without order, as a task
    has them; `code` the code where the server refused at once. `seen` are the telling exchanges.
    """

    succeeded: bool
    value: Value
    error: frozenset[str]
    seen: tuple[Exchange, ...]

    def describe(self) -> str:
        """Return it in one line."""
        return f"success, result {show(self.value)}" if self.succeeded else f"failure, {sorted(self.error)}"


Look = Callable[[Ref], None]


@dataclass(frozen=True, slots=True)
class Async:
    """The asynchronous form of one message over one format, under one judge.

    `look` is called with the task's ref when it has ended and is still there.
    """

    bench: Bench
    judge: Judge
    fmt: Format
    message: Message
    look: Look | None = None

    @property
    def name(self) -> str:
        """The name on the wire."""
        return f"Async.{self.message.full_name}"

    def run(self, *args: Value, api: Api | None = None, params: Sequence[Param] | None = None) -> Ended | None:
        """Call, await the end and judge the task; None where a finding was made that leaves nothing to go on with.

        `api` is another model to write the arguments by; `params` are sent in their place.

        Raises:
            Unavailable: it may not be called, or somebody cancelled the task.
            Unanswered: the server does not have this form, or gave no readable answer.
        """
        bench = self.bench
        if self.message.full_name in bench.profile.never:
            raise Unavailable(f"the profile {bench.profile.name} says never to call {self.message.full_name}")
        if _ENDLESS.get(bench, 0) > MOST_ENDLESS:
            raise Unavailable("several tasks never ended, so no more are begun")
        call = bench.call(self.fmt, self.name, *args, api=api, params=params)
        match call.reply.outcome:
            case Failure(code, _) if code in MISSING_CODES:
                raise Unanswered(call, missing=True)
            case Failure(code, said):
                return Ended(False, None, frozenset({code, *map(str, said)}), (call,))
            case Success(str(ref)) if not is_null_text(ref):
                return self.follow(call, ref)
            case Success():
                self.judge.fail(f"{self.name} returns a task's ref", describe(call), call)
                return None
        raise Unanswered(call)

    def follow(self, call: Exchange, ref: Ref) -> Ended | None:
        """Await the end of a task that a call has begun, judge it, and remove it; None as for `run`."""
        task = self.bench.stock.adopt_ref("task", ref)
        try:
            ended = self._await(call, ref)
            if ended is not None and self.look is not None:
                self.look(ref)
            return ended
        finally:
            if self.bench.stock.remove(task):
                self.bench.stock.forget(task)

    def _await(self, call: Exchange, ref: Ref) -> Ended | None:
        """Read the task over one format after the other until it has ended."""
        bench = self.bench
        limit = min(SHORT, bench.client.deadline) if _ENDLESS.get(bench) else PATIENCE * bench.client.deadline
        until, pause, step = nature.now() + limit, FIRST_PAUSE, 1
        while True:
            late = nature.over(until)
            seen = self._read(call, ref, bench.other(self.fmt, step))
            if seen is None:
                return None
            record, reading = seen
            if record["status"] not in UNDER_WAY:
                return self._judge(ref, record, (call, reading))
            if late:
                self._is_endless(limit, record, (call, reading))
                return None
            nature.pause(pause)
            pause, step = min(2 * pause, LONGEST_PAUSE), step + 1

    def _is_endless(self, limit: float, record: dict[str, Any], seen: tuple[Exchange, ...]) -> None:
        before = _ENDLESS.setdefault(self.bench, 0)
        _ENDLESS[self.bench] = before + 1
        if before:
            raise Unavailable(f"a task never ended before, and this one did not within {limit:g} s")
        self.judge.fail(f"the task of {self.name} ends", f"{record['status']} after {limit:g} s", *seen)

    def _read(self, call: Exchange, ref: Ref, over: Format) -> tuple[dict[str, Any], Exchange] | None:
        reading = self.bench.call(over, "task.get_record", ref)
        outcome = reading.reply.outcome
        if isinstance(outcome, Failure):
            expected = f"task.get_record of what {self.name} over {self.fmt} returned"
            self.judge.fail(expected, describe(reading), call, reading, fmt=over)
            return None
        if not isinstance(outcome, Success):
            raise Unanswered(reading)
        missing = [name for name in (*STEADY, "progress", "created", "finished") if name not in outcome.value]
        if missing:
            raise Unavailable(f"the task's record lacks {', '.join(missing)}; counted under the wire clauses")
        return dict(outcome.value), reading

    def _judge(self, ref: Ref, record: dict[str, Any], seen: tuple[Exchange, ...]) -> Ended | None:
        """Judge an ended task by its record, and that every format shows the same."""
        if record["status"] == "cancelled":
            raise Unavailable("somebody cancelled the task")
        judge, fields = self.judge, self.bench.api.classes["task"].fields
        # A small budget reads once more over the format of the call; a larger one over another in turn, as every
        # message is tried over every format; the largest over all.
        turn = crc32(self.name.encode()) % 2 if self.bench.budget.boundaries else 0
        again_over = (self.fmt, self.bench.other(seen[-1].format))[turn:][:1]
        self._judge_getter(ref, record, seen)  # before it is read again: what is told once is gone then
        for over in self.bench.formats if self.bench.budget.name == "thorough" else again_over:
            again = self._read(seen[0], ref, over) if over is not seen[-1].format else (record, seen[-1])
            if again is None:
                return None
            for name in STEADY:
                judge.same(fields[name].type, record[name], again[0][name], *seen, again[1])
        began, finished = record["created"], record["finished"]
        judge.true(finished >= began, f"finished not before created, {began}", f"{finished}", *seen)
        progress, succeeded = record["progress"], record["status"] == "success"
        judge.true(0.0 <= progress <= 1.0, "a progress from 0 to 1", f"{progress}", *seen)
        if not succeeded:
            return Ended(False, None, frozenset(record["error_info"]), seen)
        judge.true(progress >= 1.0, "the progress of a success is 1", f"{progress}", *seen)
        return self._result(self.message.result, record["result"], seen)

    def _judge_getter(self, ref: Ref, record: dict[str, Any], seen: tuple[Exchange, ...]) -> None:
        """One of the getters, in turn, gives what the record has: clients wait by them."""
        turn = crc32(f"{self.name} {self.fmt}".encode())  # the same in every run, whatever was called before
        name = STEADY[turn % len(STEADY)] if record["status"] == "failure" else STEADY[turn % 2]
        reading = self.bench.call(self.fmt, f"task.get_{name}", ref)
        if isinstance(reading.reply.outcome, Success):
            of = self.bench.api.classes["task"].fields[name].type
            self.judge.same(of, record[name], reading.reply.outcome.value, *seen, reading)

    def _result(self, of: Type, text: str, seen: tuple[Exchange, ...]) -> Ended | None:
        outcome = decode_xml_value(text, of, self.bench.api).outcome
        if isinstance(outcome, Success):
            self.judge.true(True, "", "")
            if isinstance(outcome.value, str):
                self.bench.births.born(self.bench, self.message, outcome.value, seen)
            return Ended(True, outcome.value, frozenset(), seen)
        expected = "an empty result" if of == Void() else f"a result that is a {of} as an XML-RPC value"
        self.judge.fail(expected, f"result {show(text)}: {describe_breach(outcome)}", *seen)
        return None


def describe_breach(outcome: Any) -> str:
    """Return what is wrong with a value that cannot be read."""
    return f"{outcome.kind}, {outcome.detail}"


def judge_error(judge: Judge, ended: Ended, plain: Exchange) -> None:
    """Assert that a call failed as the plain form does: the same code, and for a bad ref the same parameters."""
    outcome = plain.reply.outcome
    if not isinstance(outcome, Failure):
        raise Unanswered(plain)
    if ended.succeeded:
        judge.fail(f"a failure as the plain form's {describe(plain)}", ended.describe(), *ended.seen, plain)
        return
    wanted = {outcome.code, *map(str, outcome.params)} if outcome.code == "HANDLE_INVALID" else {outcome.code}
    judge.true(wanted <= ended.error, f"the error {sorted(wanted)}", ended.describe(), *ended.seen, plain)
