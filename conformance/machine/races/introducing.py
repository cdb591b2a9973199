"""Objects introduced at the same time under one uuid: as one after the other, one of them gets it.

Where a server takes the same uuid twice in a row, nothing is said of two at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Judge, Unavailable, is_refusal, show
from xenconform.conformance.machine.races.at_once import all_at_once, clients
from xenconform.conformance.machine.races.witness import CLAUSE
from xenconform.models.api import Api, ApiClass, Constructor, State
from xenconform.models.calls import Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Value

TIMES: Final = 6
"""How often the threads introduce one thing at once."""


def is_introduced(_api: Api, of: ApiClass) -> bool:
    """Whether objects of the class come under a uuid that the caller gives."""
    return _introducer(of) is not None


def _introducer(of: ApiClass) -> Constructor | None:
    open_ones = (each for each in of.constructors if each.message.lifecycle.state is not State.REMOVED)
    return next((each for each in open_ones if "uuid" in [param.name for param in each.message.params]), None)


def one_of_them_gets_the_uuid(bench: Bench, of: ApiClass) -> None:
    """Of introductions under one uuid at the same time one succeeds at most. Source: introduction, identity."""
    constructor = _introducer(of)
    assert constructor is not None, f"nothing introduces a {of.name}"
    message = constructor.message.full_name
    with suppress(Unavailable):
        if message not in bench.profile.never and _goes_but_once(bench, of, constructor):
            with bench.judging(CLAUSE, message) as judge:
                for turn in range(TIMES):
                    if not judge.failed:
                        _meet(bench, judge, of, constructor, turn)


def _goes_but_once(bench: Bench, of: ApiClass, constructor: Constructor) -> bool:
    """Whether the second of two introductions in a row under one uuid is refused."""
    given, name = _given(bench, of, constructor), constructor.message.full_name
    in_a_row = [bench.call(bench.formats[0], name, *given.values(), probe=True) for _ in range(2)]
    return _clear(bench, of, in_a_row) == 1 and is_refusal(in_a_row[1])


def _given(bench: Bench, of: ApiClass, constructor: Constructor) -> Mapping[str, Value]:
    values = bench.stock.exemplar(of.name, constructor) | {"uuid": nature.new_uuid()}
    return {param.name: values[param.name] for param in constructor.message.params}


def _meet(bench: Bench, judge: Judge, of: ApiClass, constructor: Constructor, turn: int) -> None:
    given, name = _given(bench, of, constructor), constructor.message.full_name
    with clients(bench) as several:
        calls = [
            partial(client.call, bench.formats[(turn + at) % len(bench.formats)], name, tuple(given.values()))
            for at, client in enumerate(several)
        ]
        told = all_at_once(bench, calls)
    refs = [str(each.reply.outcome.value) for each in told if isinstance(each.reply.outcome, Success)]
    _clear(bench, of, told)
    expected = f"one {of.name} of uuid {given['uuid']}, the other calls refused"
    judge.true(len(refs) < 2, expected, f"{len(refs)} calls succeed: {show(tuple(refs))}", *told)


def _clear(bench: Bench, of: ApiClass, told: Collection[Exchange]) -> int:
    """Remove what was made, and return how many objects that were."""
    refs = dict.fromkeys(each.reply.outcome.value for each in told if isinstance(each.reply.outcome, Success))
    for ref in refs:
        bench.stock.remove(bench.stock.adopt_ref(of.name, ref))
    return len(refs)
