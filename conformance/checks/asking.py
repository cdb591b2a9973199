"""Level 3, look-ups by query: asking, and what is found by one condition."""

from __future__ import annotations

from collections.abc import Sequence

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Judge, show
from xenconform.models.api import ApiClass
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import Str
from xenconform.models.values import Ref


def query(bench: Bench, of: ApiClass, fmt: Format, text: str) -> Exchange:
    """Ask for the records of a class that match a query; return the exchange, whatever came."""
    records = of.messages["get_all_records"].result
    message = f"{of.name}.get_all_records_where"
    return bench.call(fmt, message, probe=True, params=[(Str(), text)], result=records)


def find(
    bench: Bench, judge: Judge, by: tuple[tuple[ApiClass, Format], str], steps: Sequence[tuple[str, set[Ref]]]
) -> None:
    """Judge which objects are found by each of some texts in a field."""
    (of, fmt), field = by
    for asked, expected in steps:
        exchange = query(bench, of, fmt, f'field "{field}" = "{asked}"')
        outcome = exchange.reply.outcome
        if isinstance(outcome, Success):
            judge.true(set(outcome.value) == expected, f"{sorted(expected)}", show(sorted(outcome.value)), exchange)
