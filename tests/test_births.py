"""What a run remembers of refs and uuids: what is given twice is told once, and what may be is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.births import Births
from xenconform.models.api import Api
from xenconform.models.calls import Format, Reply, Success
from xenconform.models.exchange import Exchange
from xenconform.models.verdicts import Judgement

API = Api.load()
UUID = "0a1b2c3d-0000-1111-2222-333344445555"


@dataclass
class Recorder:
    """As much of a bench as births ask for."""

    api: Api = API
    judgements: list[Judgement] = field(default_factory=list)

    def record(self, judgement: Judgement) -> None:
        self.judgements.append(judgement)


def told(*calls: tuple[str, tuple[Any, ...], Any]) -> list[str]:
    """The clauses of what is told of calls, each a message, its arguments and its result."""
    births, bench = Births(), Recorder()
    for seq, (message, args, result) in enumerate(calls):
        reply = Reply(Success(result))
        births.note(cast("Bench", bench), Exchange(seq, message, args, Format.XMLRPC, b"", b"", 200, (), reply, 0.1))
    return [each.clause for each in bench.judgements]


@pytest.mark.parametrize(
    ("calls", "clauses"),
    [
        ([("network.create", ({},), "r1"), ("network.create", ({},), "r2")], []),
        ([("network.create", ({},), "r1"), ("network.create", ({},), "r1")], ["CREATE-NEW"]),
        ([("network.create", ({},), "r1"), ("VM.create", ({},), "r1")], []),
        ([("VM.clone", ("r0", "x"), "r1"), ("VM.snapshot", ("r0", "x"), "r1")], ["CREATE-NEW"]),
        ([("VDI.snapshot", ("r0", {}), "r1"), ("VDI.copy", ("r0", "", "r0", "r1"), "r1")], []),
        ([("VDI.snapshot", ("r0", {}), "r1"), ("VDI.copy", ("r0", "", "r0", "r2"), "r1")], ["CREATE-NEW"]),
        ([("blob.create", ("",), "r1"), ("blob.destroy", ("r1",), ""), ("blob.create", ("",), "r1")], ["CREATE-NEW"]),
        ([("network.create", ({},), "r1"), ("network.get_uuid", ("r1",), UUID)], []),
        ([("network.create", ({},), "r1"), ("network.get_uuid", ("r1",), UUID[1:])], ["UUID-FORM"]),
        ([("network.get_uuid", ("r1",), "of a server's own")], []),
    ],
)  # fmt: skip
def test_what_is_given_twice_is_told(calls: list[tuple[str, tuple[Any, ...], Any]], clauses: list[str]) -> None:
    """A ref that was given before fails, unless the call was told it: a copy goes into a disk that is there."""
    assert told(*calls) == clauses
