"""Objects introduced at the same time under one uuid: as one after the other, one of them gets it.

Where a server takes the same uuid twice in a row, nothing is said of two at once.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from functools import partial
from typing import Final

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.introduced import introducers, under
from xenconform.conformance.checks.judging import Judge, Unavailable, is_refusal, show
from xenconform.conformance.machine.races.at_once import all_at_once, clients
from xenconform.conformance.machine.races.witness import CLAUSE
from xenconform.models.api import Api, ApiClass, Constructor
from xenconform.models.calls import Success
from xenconform.models.exchange import Exchange

TIMES: Final = 6
"""How often the threads introduce one thing at once."""


def is_introduced(_api: Api, of: ApiClass) -> bool:
    """Whether objects of the class come under a uuid that the caller gives."""
    return any(True for _ in introducers(of))


def one_of_them_gets_the_uuid(bench: Bench, of: ApiClass) -> None:
    """Of introductions under one uuid at the same time one succeeds at most. Source: introduction, identity."""
    constructor = next(introducers(of))
    message = constructor.message.full_name
    with suppress(Unavailable):
        if message not in bench.profile.never and _goes_but_once(bench, of, constructor):
            with bench.judging(CLAUSE, message) as judge:
                for turn in range(TIMES):
                    if not judge.failed:
                        _meet(bench, judge, of, constructor, turn)


def _goes_but_once(bench: Bench, of: ApiClass, constructor: Constructor) -> bool:
    """Whether the second of two introductions in a row under one uuid is refused."""
    given, name = under(bench, of, constructor, nature.new_uuid()), constructor.message.full_name
    in_a_row = [bench.call(bench.formats[0], name, *given, probe=True) for _ in range(2)]
    return _clear(bench, of, in_a_row) == 1 and is_refusal(in_a_row[1])


def _meet(bench: Bench, judge: Judge, of: ApiClass, constructor: Constructor, turn: int) -> None:
    uuid, name = nature.new_uuid(), constructor.message.full_name
    given = under(bench, of, constructor, uuid)
    with clients(bench) as several:
        calls = [
            partial(client.call, bench.formats[(turn + at) % len(bench.formats)], name, given)
            for at, client in enumerate(several)
        ]
        told = all_at_once(bench, calls)
    refs = [str(each.reply.outcome.value) for each in told if isinstance(each.reply.outcome, Success)]
    _clear(bench, of, told)
    expected = f"one {of.name} of uuid {uuid}, the other calls refused"
    judge.true(len(refs) < 2, expected, f"{len(refs)} calls succeed: {show(tuple(refs))}", *told)


def _clear(bench: Bench, of: ApiClass, told: Collection[Exchange]) -> int:
    """Remove what was made, and return how many objects that were."""
    refs = dict.fromkeys(each.reply.outcome.value for each in told if isinstance(each.reply.outcome, Success))
    for ref in refs:
        bench.stock.remove(bench.stock.adopt_ref(of.name, ref))
    return len(refs)
