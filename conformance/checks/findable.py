"""Whether an object can be found: by the readers that take its ref, by its uuid and by its name."""

from __future__ import annotations

from typing import TypeAlias

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.lost import READERS
from xenconform.conformance.checks.snapshots import Record
from xenconform.models.api import ApiClass
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Ref

KEYS = ("uuid", "name_label")
UNKNOWN = frozenset({"UUID_INVALID", "HANDLE_INVALID"})
"""With these the server says that there is no such object."""

Ways: TypeAlias = dict[str, tuple[bool, Exchange]]
"""By the name of each message that was tried: whether it found the object, and the exchange that says so."""


def ways(bench: Bench, of: ApiClass, fmt: Format, ref: Ref, record: Record) -> Ways:
    """Ask for an object in every way that its class has; what is refused for another reason is left out.

    `record` has the uuid and the name to look it up by.
    """
    found: Ways = {}
    for reader in READERS:
        if reader in of.messages:
            _note(found, bench.call(fmt, f"{of.name}.{reader}", ref, probe=True))
    for key in KEYS:
        if f"get_by_{key}" in of.messages and key in record:
            _note(found, bench.call(fmt, f"{of.name}.get_by_{key}", record[key], probe=True), ref)
    return found


def _note(found: Ways, seen: Exchange, ref: Ref | None = None) -> None:
    match seen.reply.outcome:
        case Success(value):
            hit = ref is None or (value == ref if isinstance(value, str) else ref in value)
            found[seen.message] = (hit, seen)
        case Failure(code) if code in UNKNOWN:
            found[seen.message] = (False, seen)
        case _:
            pass
