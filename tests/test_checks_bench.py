"""What the bench does with objects that are not the run's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.stock import Obj
from xenconform.models.api import Api
from xenconform.models.calls import Failure, Format, Outcome, Reply, Success
from xenconform.models.exchange import Exchange


def exchange(message: str, outcome: Outcome) -> Exchange:
    return Exchange(1, message, (), Format.XMLRPC, b"", b"", 200, (), Reply(outcome), 0.0)


@pytest.mark.parametrize(
    ("put_back", "told"),
    [
        (Success(None), []),
        (Failure("OPERATION_NOT_ALLOWED", ("no",)), ["host.tags of H: Failure OPERATION_NOT_ALLOWED [no]"]),
    ],
)
def test_a_put_back_that_the_server_refuses_is_told(put_back: Outcome, told: list[str]) -> None:
    """A field of somebody else's object is put back as it was read; where the server refuses, the run says so."""
    calls: list[tuple[str, Any]] = []

    def call(_fmt: Format, message: str, *args: Any) -> Exchange:
        calls.append((message, args))
        return exchange(message, Success(("old",)) if ".get_" in message else put_back)

    stock = SimpleNamespace(not_put_back=[])
    bench = SimpleNamespace(api=Api.load(), formats=(Format.XMLRPC,), call=call, stock=stock)
    with Bench.restoring(cast("Bench", bench), Obj("host", "H", own=False), "tags"):
        pass
    assert calls == [("host.get_tags", ("H",)), ("host.set_tags", ("H", ("old",)))]
    assert stock.not_put_back == told
