"""What a stranger's choices are, how it refuses, and how it reads parameters."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from xenconform.models import types as t

NULL = "OpaqueRef:NULL"
USER, PASSWORD = "root", "stranger"
TASTES = {
    "bare_refs": "refs are a class and a number, not OpaqueRef:uuid",
    "int_text": "JSON ints leave as decimal strings",
    "codes": "JSON-RPC 2.0 error codes are -32000",
    "internal_errors": "wrong types fail with INTERNAL_ERROR and a text",
    "session_first": "the session is checked before the method and the parameters",
    "shuffled": "sets and maps come in another order at each read",
    "string_tags": "XML texts stand in <string> tags",
    "spaced": "white space stands between the elements of XML and JSON",
    "http400": "malformed requests get HTTP 400",
    "closing": "each reply closes the connection",
    "dashed": "datetimes are written 2024-01-01T12:00:00Z",
    "no_zone": "datetimes are written without Z",
    "upper_uuids": "uuids are in upper case",
    "refuse_ro": "RO/runtime and unknown members of a record are refused",
    "refuse_doubles": "a set with a value twice is refused",
    "chunked": "replies are chunked",
    "other_params": "errors have other parameters than the error list says",
    "no_where": "get_all_records_where does not exist",
    "volatile": "RO/runtime values change at each read",
    "kept": "the domain refuses to destroy some objects",
    "bare": "explicit messages are not implemented",
    "no_hardware": "constructors of hardware refuse",
    "churn": "other clients make and remove objects all the while",
    "capital_states": "VM_BAD_POWER_STATE names states as the enum does, and one of those it expects",
    "no_room": "VMs start on no host that a client names",
    "sessions_last": "sessions survive a restart",
    "tasks_end": "tasks end with the server",
    "slow_tasks": "tasks take a moment",
    "early_errors": "asynchronous calls with bad references are refused at once",
    "merged_events": "the events of an object in one batch are merged into its latest state",
    "lower_events": "events name classes in lower case",
    "new_events_only": "of the event messages there is event.from alone",
    "role_last": "the role is checked after the parameters and what they refer to",
    "no_more": "what is removed in the release fails with MESSAGE_REMOVED, accessors too",
    "guests_only": "VM.shutdown is for running machines alone",
    "polite": "malformed JSON gets a JSON-RPC error, malformed XML a Failure",
}
KEPT = frozenset({"secret", "VDI", "VMSS"})
HARDWARE = frozenset({"VIF", "VBD", "PBD", "PIF", "VUSB", "VGPU", "console", "Bond", "VLAN", "tunnel", "SR"})


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault
    """The server's refusal: an error code and its parameters."""


class Malformed(Exception):  # noqa: N818 - it is an answer, not a fault
    """The request is no document of its format."""


class Values:
    """Reads parameters by their types, once their document is read."""

    tastes: frozenset[str]
    objects: dict[str, dict[str, dict[str, Any]]]

    def bad(self, of: t.Type, raw: Any) -> Refusal:
        if "internal_errors" in self.tastes:
            return Refusal("INTERNAL_ERROR", f"{str(raw)[:40]!a} is no {of}")
        return Refusal("FIELD_TYPE_ERROR", str(of))

    def read(self, of: t.Type, raw: Any) -> Any:  # noqa: PLR0911, PLR0912 - one case a type
        """Return what a parameter means, once its document is read; `raw` is of Python's plain types."""
        match of:
            case t.Str() if isinstance(raw, str):
                return self.text(raw)
            case t.Enum(_, values) if isinstance(raw, str) and raw in values:
                return raw
            case t.Bool() if isinstance(raw, bool):
                return raw
            case t.Int() if not isinstance(raw, bool):
                return self.int(raw)
            case t.Float() if isinstance(raw, int | float) and not isinstance(raw, bool) and math.isfinite(raw):
                return float(raw)
            case t.DateTime() if isinstance(raw, str | datetime):
                return self.date(raw)
            case t.RefTo(cls) if isinstance(raw, str):
                if raw not in {"", NULL} and raw not in self.objects[cls]:
                    raise Refusal("HANDLE_INVALID", cls, raw)
                return raw or NULL
            case t.SetOf(item) if isinstance(raw, list):
                return self.set([self.read(item, each) for each in raw])
            case t.MapOf(key, value) if isinstance(raw, dict):
                return {self.read(key, k): self.read(value, v) for k, v in raw.items()}
            case t.RecordOf(_) if isinstance(raw, dict):
                return raw
            case t.Option(item):
                return self.read(item, raw)
            case _:
                raise self.bad(of, raw)

    def text(self, raw: str) -> str:
        if any((c < " " and c not in "\t\r\n") or c in "\ufffe\uffff" or "\ud800" <= c <= "\udfff" for c in raw):
            raise Refusal("INVALID_VALUE", "text", "characters that XML cannot carry")
        return raw

    def int(self, raw: Any) -> int:
        whole = isinstance(raw, int) or (isinstance(raw, str) and raw.isascii() and raw.removeprefix("-").isdigit())
        if not whole or not -(2**63) <= int(raw) < 2**63:
            raise self.bad(t.Int(), raw)
        return int(raw)

    def date(self, raw: str | datetime) -> datetime:
        try:
            seen = raw if isinstance(raw, datetime) else datetime.fromisoformat(raw)
        except ValueError:
            raise self.bad(t.DateTime(), raw) from None
        return seen.replace(tzinfo=UTC) if seen.tzinfo is None else seen.astimezone(UTC)

    def set(self, values: list[Any]) -> list[Any]:
        once = list(dict.fromkeys(values))
        if len(once) < len(values) and "refuse_doubles" in self.tastes:
            raise Refusal("INVALID_VALUE", "set", "a value twice")
        return once
