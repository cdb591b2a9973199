"""Held-out defects of numbers, dates, bools and enums."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import Change, doing, made, stored, written
from strangers.plain_server import Plain
from strangers.values import Malformed, Refusal
from xenconform.models import types as t

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def reading(s: Plain, of: t.Type, change: Change) -> None:
    """Change what a parameter of a type is before it is read."""
    around(s, "read", lambda old, what, raw: old(what, change(raw) if what == of else raw))


# ------------------------------------------------------------------------------------------------------------- numbers


@defect("CREATE-FIELDS", cls="VLAN")
def tag_zero_is_none(s: Plain) -> None:
    """A VLAN that is made with the tag 0 has the tag -1."""
    made(s, "VLAN", lambda given: {**given, "tag": given.get("tag") or -1})


@defect("SET-VALUE WIRE-INT-JSON", cls="VM")
def negative_ints_lose_their_sign(s: Plain) -> None:
    """A negative VM.user_version is stored without its sign."""
    written(s, "VM", "user_version", abs)


@defect("SET-VALUE WIRE-INT-JSON", cls="VM")
def ints_of_63_bits(s: Plain) -> None:
    """VM.user_version has 63 bits, and wraps beyond."""
    stored(s, "VM", "user_version", lambda value: (value + 2**62) % 2**63 - 2**62)


@defect("SET-VALUE WIRE-INT-JSON", cls="VM")
def smallest_int_refused(s: Plain) -> None:
    """The smallest int is refused as none."""

    def read(old: Any, raw: Any) -> Any:
        if str(raw) == str(-(2**63)):
            raise s.bad(t.Int(), raw)
        return old(raw)

    around(s, "int", read)


@defect("WIRE-INT-REQUEST")
def i4_refused(s: Plain) -> None:
    """An int in an <i4> tag is refused, one in an <int> tag is taken."""

    def answer(old: Any, body: bytes) -> Any:
        if b"<i4>" in body:
            raise Malformed("<i4>")
        return old(body)

    around(s, "answer_xml", answer)


@defect("WIRE-INT-REQUEST", cls="VM")
def int_as_text_refused_over_json2(s: Plain) -> None:
    """An int as text is refused over JSON-RPC 2.0."""

    def read(old: Any, raw: Any) -> Any:
        if s.fmt == "json2" and isinstance(raw, str):
            raise s.bad(t.Int(), raw)
        return old(raw)

    around(s, "int", read)


@defect("WIRE-FLOAT", cls="task")
def whole_numbers_are_no_floats(s: Plain) -> None:
    """A JSON number without a point is refused as a float."""

    def read(old: Any, of: Any, raw: Any) -> Any:
        if of == t.Float() and isinstance(raw, int):
            raise s.bad(of, raw)
        return old(of, raw)

    around(s, "read", read)


@defect("WIRE-FLOAT", cls="VM")
def floats_of_15_digits(s: Plain) -> None:
    """A float leaves with 15 digits over JSON-RPC 1.0."""
    around(s, "get_record", lambda old, of, ref: rounded(s, old(of, ref)))
    around(s, "get", lambda old, of, obj, ref, f: rounded(s, {"": old(of, obj, ref, f)})[""])


def rounded(s: Plain, row: dict[str, Any]) -> dict[str, Any]:
    return {n: float(f"{v:.15g}") if isinstance(v, float) and s.fmt == "json1" else v for n, v in row.items()}


@defect("WIRE-FLOAT-SPECIAL", cls="task")
def nan_is_zero(s: Plain) -> None:
    """NaN is stored as 0 over XML."""
    reading(s, t.Float(), lambda raw: 0.0 if isinstance(raw, float) and raw != raw else raw)  # noqa: PLR0124 - NaN


@defect("CREATE-FIELDS", cls="Cluster")
def timeouts_mixed_up(s: Plain) -> None:
    """A cluster has its token timeout for the coefficient and the coefficient for the timeout."""
    made(s, "Cluster", lambda given: {
        **given, "token_timeout": given["token_timeout_coefficient"],
        "token_timeout_coefficient": given["token_timeout"]})  # fmt: skip


@defect("CREATE-FIELDS", cls="SDN_controller")
def ports_of_15_bits(s: Plain) -> None:
    """A port above 32,767 of an SDN controller is negative."""
    made(s, "SDN_controller", lambda given: {**given, "port": (given.get("port", 0) + 2**15) % 2**16 - 2**15})


@defect("CREATE-FIELDS WIRE-INT-JSON", cls="VM")
def order_of_32_bits_at_create(s: Plain) -> None:
    """VM.create keeps 31 bits of the memory that a VM may have at most."""
    made(s, "VM", lambda given: {n: v % 2**31 if n == "memory_static_max" else v for n, v in given.items()})


@defect("WIRE-INT-JSON", cls="VM")
def large_ints_as_text(s: Plain) -> None:
    """Ints that a double cannot hold leave as text in JSON, the others as numbers."""
    around(s, "json", lambda old, of, value: str(value) if of == t.Int() and abs(value) > 2**53 else old(of, value))


# --------------------------------------------------------------------------------------------------------------- dates


def dates(s: Plain, change: Change) -> None:
    """Change a datetime that is written."""
    around(s, "date", lambda old, raw: change(old(raw)))


@defect("WIRE-DATETIME", cls="VMSS")
def no_time_before_1970(s: Plain) -> None:
    """A datetime before 1970 is stored as the beginning of 1970."""
    dates(s, lambda at: max(at, EPOCH))


@defect("WIRE-DATETIME", cls="VMSS")
def zones_dropped(s: Plain) -> None:
    """The zone of a datetime is dropped."""

    def read(old: Any, raw: Any) -> Any:
        at = raw if isinstance(raw, datetime) else old(raw) if not isinstance(raw, str) else naive(old, raw)
        return old(at.replace(tzinfo=None))

    def naive(old: Any, raw: str) -> datetime:
        old(raw)
        return datetime.fromisoformat(raw)

    around(s, "date", read)


@defect("WIRE-DATETIME", cls="VMSS")
def fractions_not_padded(s: Plain) -> None:
    """A datetime of 50 milliseconds past a second leaves as of half a second past."""
    around(s, "date_text", lambda old, at: old(at.replace(microsecond=0)).replace(
        "Z", f".{at.microsecond // 1000}Z" if at.microsecond else "Z"))  # fmt: skip


@defect("WIRE-DATETIME", cls="VMSS")
def seconds_of_32_bits(s: Plain) -> None:
    """A datetime after January 2038 is one of the year 1901 and later."""
    dates(s, lambda at: EPOCH + timedelta(0, ((at - EPOCH).total_seconds() + 2**31) % 2**32 - 2**31))


# ------------------------------------------------------------------------------------------------------ bools and enums


@defect("WIRE-TYPE", cls="VBD")
def numbers_are_bools(s: Plain) -> None:
    """A JSON number is taken for a bool."""
    reading(s, t.Bool(), lambda raw: bool(raw) if isinstance(raw, int | float) and s.fmt != "xml" else raw)


@defect("WIRE-TYPE WIRE-INT-REQUEST")
def empty_text_is_zero(s: Plain) -> None:
    """The empty text is taken for the int 0."""
    around(s, "int", lambda old, raw: 0 if raw == "" else old(raw))


@defect("WIRE-TYPE")
def fractions_cut_off(s: Plain) -> None:
    """A JSON number with a fraction is taken for an int, without the fraction."""
    around(s, "int", lambda old, raw: old(int(raw) if isinstance(raw, float) and s.fmt == "json2" else raw))


@defect("WIRE-ENUM SET-VALUE", cls="VIF")
def last_name_is_the_first(s: Plain) -> None:
    """VIF.set_locking_mode stores the last mode, disabled, as the first."""
    doing(s, "set", "VIF", "locking_mode", lambda old, _ref, _obj, value: old(
        "network_default" if value == "disabled" else value))  # fmt: skip


@defect("WIRE-ENUM", cls="GPU_group")
def numbers_of_enums_taken(s: Plain) -> None:
    """The algorithm of a GPU group can be given by its number."""

    def read(old: Any, of: Any, raw: Any) -> Any:
        numbered = isinstance(of, t.Enum) and of.name == "allocation_algorithm" and raw in {"0", "1"}
        return of.values[int(raw)] if numbered else old(of, raw)

    around(s, "read", read)


@defect("WIRE-ENUM", cls="VM")
def any_operation_can_be_blocked(s: Plain) -> None:
    """VM.add_to_blocked_operations takes names of no operation."""

    def find(old: Any, method: str) -> Any:
        message = old(method)
        if message is None or method != "VM.add_to_blocked_operations":
            return message
        return replace(message, params=tuple(
            replace(p, type=t.Str()) if isinstance(p.type, t.Enum) else p for p in message.params))  # fmt: skip

    around(s, "find", find)


@defect("CREATE-BAD WIRE-ENUM", cls="VMSS")
def frequency_of_a_new_schedule_not_checked(s: Plain) -> None:
    """VMSS.create takes any text for the frequency."""

    def read(old: Any, of: Any, raw: Any) -> Any:
        try:
            return old(of, raw)
        except Refusal:
            if isinstance(of, t.Enum) and of.name == "vmss_frequency" and isinstance(raw, str):
                return of.values[0]
            raise

    around(s, "read", read)


@defect("GET-EVERY-FIELD WIRE-ENUM", cls="VDI")
def no_name_for_an_enum(s: Plain) -> None:
    """VDI.on_boot of a new disk is the empty text."""
    made(s, "VDI", lambda given: {**given, "on_boot": ""})
