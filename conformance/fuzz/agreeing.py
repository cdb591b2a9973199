"""What a call reads of an object, read over the other formats too: all of them show the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import show
from xenconform.conformance.checks.wire_agree import ROUNDS, differing
from xenconform.conformance.client import Client
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.models.api import Message
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.types import RecordOf
from xenconform.models.values import Ref, Value, same

CLAUSE: Final = "WIRE-AGREE"
WHOLE: Final = ""
"""The name of what a getter shows, which is a value alone."""


def is_read_alone(message: Message) -> bool:
    """Whether a message reads one object, or a field of it, and does nothing else."""
    return message.implicit and (message.verb == "get" or message.name == "get_record") and len(message.params) == 1


def disagreements(
    bench: Bench, client: Client, message: Message, ref: Ref, seen: Exchange
) -> Iterator[tuple[Wrong, Exchange]]:
    """Yield what another format shows in another way than a good reply `seen` over its own, each time that one looks.

    Source: the clause WIRE-AGREE.
    """
    first, others = _shown(message, seen), [fmt for fmt in bench.formats if fmt is not seen.format]
    odd: dict[str, dict[Format, tuple[Value, Exchange]]] = {}
    for fmt in others if first else ():
        other = client.call(fmt, message.full_name, (ref,))
        second = _shown(message, other)
        for name in _stay_odd(bench, client, message, ref, {seen.format: first, fmt: second}):
            odd.setdefault(name, {})[fmt] = (second[name], other)
    for name, guilty in sorted(odd.items()):
        what = f"{message.cls}.{name}" if name else message.full_name
        alone = len(guilty) == len(others) > 1
        for fmt, (value, other) in list(guilty.items())[: 1 if alone else None]:
            cause = "the formats differ" if len(others) == 1 else f"{seen.format if alone else fmt} shows it otherwise"
            said = f"{what}: {show(first[name])}, as over {seen.format}"
            yield Wrong(CLAUSE, cause, said, f"{show(value)} over {fmt}"), other


def _stay_odd(
    bench: Bench, client: Client, message: Message, ref: Ref, shown: Mapping[Format, Mapping[str, Value]]
) -> set[str]:
    """Return what two formats show in different ways, and each in the same way as before whenever it is read again.

    A value that changes by itself agrees with itself now and then.
    """
    odd = _odd(bench, message, *shown.values())
    for _ in range(ROUNDS if odd else 0):
        for fmt, before in shown.items():
            again = _shown(message, client.call(fmt, message.full_name, (ref,)))
            odd = {name for name in odd if name in again} - _odd(bench, message, before, again)
    return odd


def _shown(message: Message, exchange: Exchange) -> Mapping[str, Value]:
    """Return what a good reply shows, by field; nothing of any other."""
    outcome = exchange.reply.outcome
    if not isinstance(outcome, Success) or exchange.reply.flaws:
        return {}
    if isinstance(message.result, RecordOf):
        return outcome.value if isinstance(outcome.value, Mapping) else {}
    return {WHOLE: outcome.value}


def _odd(bench: Bench, message: Message, one: Mapping[str, Value], other: Mapping[str, Value]) -> set[str]:
    """Return what both show, and not alike."""
    if isinstance(message.result, RecordOf):
        return differing(bench.api.classes[message.result.cls], one, other)
    both = WHOLE in one and WHOLE in other
    return {WHOLE} if both and not same(message.result, one[WHOLE], other[WHOLE]) else set()
