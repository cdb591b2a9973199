"""What is looked at is sent beside others about other objects; findings are made small within their time."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from random import Random
from typing import Any

import pytest
from stages import plain_stage

from xenconform.conformance.client import Client
from xenconform.conformance.codec import Param, codec_for
from xenconform.conformance.fuzz import effects, sending
from xenconform.conformance.fuzz.agreeing import is_read_alone
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.effects import Wrote, clause_on
from xenconform.conformance.fuzz.shrinking import smaller
from xenconform.conformance.fuzz.stage import Stage
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.exchange import Exchange
from xenconform.models.types import Float, Int, MapOf, RefTo, SetOf, Str, Type
from xenconform.models.values import Value
from xenconform.strategies.hostile import Owed
from xenconform.strategies.hostile.calling import bounds_of
from xenconform.strategies.hostile.dice import Dealt, pick

FMT = Format.JSONRPC2


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A stage on a server of another design."""
    with plain_stage() as stage:
        yield stage


@pytest.fixture
def sender(stage: Stage) -> Iterator[sending.Sender]:
    """What sends attempts there."""
    sender = sending.Sender(stage)
    yield sender
    sender.close()


def named(stage: Stage, cls: str, ref: str, value: str, *, read_back: str = "") -> Attempt:
    """A call that names an object, with what is to be read back."""
    session = stage.bench.client.session
    params: list[Param] = [(RefTo("session"), session), (RefTo(cls), ref), (Str(), value)]
    body = codec_for(FMT).encode_call(f"{cls}.set_name_label", params)
    wrote = Wrote(ref, f"{cls}.get_name_label", "set", Str(), read_back or value)
    what = f"{cls}.set_name_label"
    return Attempt("", "call", what, FMT, Owed.EITHER, "ROBUST-ALIVE", what, (body,), message=what, wrote=wrote)


def own(stage: Stage, *classes: str) -> list[tuple[str, str]]:
    return [(cls, stage.bench.stock.own(cls).ref) for cls in classes]


def test_each_object_shows_what_was_written_to_it_last(stage: Stage, sender: sending.Sender) -> None:
    """Writes to one object keep their order, those to others go on beside them, and every one is read back."""
    pairs = own(stage, "network", "VM", "SR")
    tried = sender.send_apart([named(stage, cls, ref, f"xc {n}") for n in range(5) for cls, ref in pairs])
    assert [each.wrongs + each.doubts for each in tried] == [()] * 15
    for cls, ref in pairs:
        assert stage.bench.ask(FMT, f"{cls}.get_name_label", ref)[0] == "xc 4"


def test_what_shows_again_alone_is_wrong(stage: Stage, sender: sending.Sender) -> None:
    """An object that shows another value than the one written is told, under the clause on values of its type."""
    (network, vm) = own(stage, "network", "VM")
    odd = named(stage, *network, "what was sent", read_back="something else")
    tried = {each.attempt.what: each for each in sender.send_apart([odd, named(stage, *vm, "xc")])}
    assert "WIRE-STRING" in {wrong.clause for wrong in tried["network.set_name_label"].wrongs}
    assert tried["network.set_name_label"].doubts == ()
    assert tried["VM.set_name_label"].wrongs == ()


def test_what_shows_beside_others_alone_is_a_doubt(
    stage: Stage, sender: sending.Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another value that only shows while other objects are written is no finding, and does not go under either."""
    was = effects.Effects.after

    def after(self: effects.Effects, exchange: Exchange, clause: str) -> object:
        yield from was(self, exchange, clause)
        if threading.current_thread().name.startswith("lane"):
            yield Wrong("WIRE-STRING", "another string", "one", "two"), exchange

    monkeypatch.setattr(effects.Effects, "after", after)
    tried = sender.send_apart([named(stage, *each, "xc") for each in own(stage, "network", "VM")])
    assert [each.wrongs for each in tried] == [(), ()]
    assert [[doubt.actual for doubt in each.doubts] for each in tried] == [["two"], ["two"]]


def test_a_large_finding_takes_no_longer_than_its_time() -> None:
    """Where the time is over nothing more is tried, however much there is to leave out."""

    class Shows:
        """A sender to whom every attempt shows the same."""

        sent = 0

        def send(self, attempt: Attempt) -> object:
            self.sent += 1
            return type("Tried", (), {"wrongs": (Wrong("WIRE-MALFORMED", "it", "", ""),), "attempt": attempt})

    body = b"[" + b"1," * 500_000 + b"1]"
    attempt = Attempt("", "json", "a", FMT, Owed.EITHER, "WIRE-MALFORMED", "it", (body,))
    began, sender = time.monotonic(), Shows()
    small = smaller(Wrong("WIRE-MALFORMED", "it", "", ""), attempt, sender, 3)  # type: ignore[arg-type]
    assert time.monotonic() - began < 20
    assert sender.sent > 1
    assert 0 < len(small.data) < len(body)


def test_what_is_dealt_comes_once_before_it_comes_again() -> None:
    """Every value at a boundary comes in as many deals as there are, and in another order the next time."""
    dealt, values = Dealt(Random(1)), bounds_of(Str())
    first, second = ([pick(dealt.anew(), values) for _ in values] for _ in range(2))
    assert sorted(first) == sorted(second) == sorted(values)
    assert first != second


def test_what_is_compared_over_the_formats_reads_one_object() -> None:
    """Getters and records are; lists, look-ups and what has another argument are not."""
    api = Api.load()
    compared = {m.full_name for of in api.classes.values() for m in of.messages.values() if is_read_alone(m)}
    assert {"VM.get_record", "VM.get_name_label", "PIF.get_device"} <= compared
    assert not compared & {"VM.get_all", "VM.get_by_uuid", "VM.set_name_label", "VM.get_all_records", "host.get_log"}


@pytest.mark.parametrize(
    ("of", "value", "shown", "clause"),
    [
        (Str(), "a", "b", "WIRE-STRING"),
        (SetOf(Str()), ("a", "b"), ("a", "c"), "WIRE-STRING"),
        (SetOf(Str()), ("a", "b"), ("a",), "WIRE-SET"),
        (SetOf(Int()), (1, 2), (1, 3), "WIRE-INT-JSON"),
        (MapOf(Str(), Float()), {"a": 1.5}, {"a": 2.5}, "WIRE-FLOAT"),
        (MapOf(Str(), Float()), {"a": math.nan}, {"a": 0.0}, "WIRE-FLOAT-SPECIAL"),
        (MapOf(Str(), Int()), {"a": 1}, {"b": 1}, "WIRE-STRING"),
        (MapOf(Str(), Str()), {"a": "1", "A": "1"}, {"a": "1"}, "WIRE-MAP"),
    ],
)
def test_what_stands_in_a_collection_has_a_clause_of_its_own(of: Type, value: Value, shown: Value, clause: str) -> None:
    """As many members, but other ones, are a matter of their type; more or fewer are one of the set or map."""
    assert clause_on(of, value, FMT, shown) == clause


def test_what_a_refused_call_left_does_not_hide_it(
    stage: Stage, sender: sending.Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that empties the field of a refused call shows no change the second time, unless it is filled before."""
    (network, vm) = own(stage, "network", "VM")
    client = type(stage.bench.client)
    plainly = client.raw

    def empties(self: Client, fmt: Format, body: bytes, *said: Any, **more: Any) -> Exchange:
        if b'"poison"' not in body:
            return plainly(self, fmt, body, *said, **more)
        with closing(stage.bench.client.sibling()) as other:
            other.call(fmt, "network.set_name_label", (network[1], ""))
        return plainly(self, fmt, body.replace(b"network.set_name_label", b"network.no_such"), *said, **more)

    stage.bench.ask(FMT, "network.set_name_label", network[1], "what was there")
    monkeypatch.setattr(client, "raw", empties)
    sent = sender.send_apart([named(stage, *network, "poison"), named(stage, *vm, "xc")])
    tried = {each.attempt.what: each for each in sent}
    assert "ROBUST-NO-EFFECT" in {wrong.clause for wrong in tried["network.set_name_label"].wrongs}
    assert tried["network.set_name_label"].doubts == ()
