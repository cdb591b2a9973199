"""How a server writes ints in JSON: all as integers, or all as decimal text."""

from __future__ import annotations

from collections.abc import Iterator

from xenconform.conformance.checks.wire_ways import ints_in, spelling
from xenconform.conformance.fuzz.attempts import Attempt
from xenconform.conformance.fuzz.batches import as_json
from xenconform.conformance.fuzz.wrong import Wrong
from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.types import Int, MapOf, RecordOf, SetOf, Type

CLAUSE = "WIRE-INT-JSON"
FEW = 3
"""So many members of a set or map are looked at: there are listings of thousands."""


class Spellings:
    """Remembers which messages' replies had which spelling; the first of each."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._seen: dict[str, str] = {}
        self._ints: dict[str, bool] = {}

    def see(self, attempt: Attempt, received: bytes) -> Iterator[Wrong]:
        """Yield that the ints of a reply that was read as a success are written in another way than those before."""
        message = self._api.message(attempt.message)
        if message is None or attempt.format is Format.XMLRPC:
            return
        if message.full_name not in self._ints:
            self._ints[message.full_name] = self._has_ints(message.result)
        if not self._ints[message.full_name]:
            return
        reply = as_json(received)
        result = reply.get("result") if isinstance(reply, dict) else None
        for value in ints_in(message.result, result, self._api, FEW):
            how = spelling(value)
            self._seen.setdefault(how, f"{attempt.message} over {attempt.format}")
            others = {other: at for other, at in self._seen.items() if other not in {"", how}}
            if how and others:
                said = "; ".join(f"{other} in {at}" for other, at in others.items())
                where = f"{attempt.message} over {attempt.format}"
                yield Wrong(CLAUSE, "two spellings of ints", said, f"{how} in {where}")
                return

    def _has_ints(self, of: Type) -> bool:
        match of:
            case Int():
                return True
            case SetOf(item) | MapOf(_, item):
                return self._has_ints(item)
            case RecordOf(cls):
                return any(self._has_ints(field.type) for field in self._api.classes[cls].fields.values())
            case _:
                return False
