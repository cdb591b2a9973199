"""Blind defects of the wire: 25 that were written without a look at the checks, to learn what the suite misses."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from typing import Any

from strangers.base import around, defect
from strangers.documents import xml_text
from strangers.heldout_base import stored
from strangers.plain_server import Plain
from strangers.values import Malformed, Refusal
from xenconform.models import types as t

# -------------------------------------------------------------------------------- easy: all of a kind, in any class


@defect("WIRE-STRING", also="SET-VALUE CREATE-FIELDS MAP-ADD SET-ADD LABEL-LOOKUP STATE-MODEL", cls="VM_appliance")
def texts_composed_on_entry(s: Plain) -> None:
    """Text with combining marks comes back composed (NFC): an e with a mark of its own returns as one character."""
    around(s, "text", lambda old, raw: unicodedata.normalize("NFC", old(raw)))


@defect("WIRE-JSON2-ENVELOPE", cls="host")
def null_error_beside_results(s: Plain) -> None:
    """Successes over JSON-RPC 2.0 have a member error, null, beside their result (a struct without omitempty)."""

    def success(old: Any, fmt: str, result: Any, ident: Any) -> dict[str, Any]:
        reply: dict[str, Any] = old(fmt, result, ident)
        return reply | {"error": None}

    around(s, "json_success", success)


@defect("WIRE-XML-ENVELOPE", cls="VBD")
def failures_with_an_empty_value(s: Plain) -> None:
    """Failures over XML-RPC have an empty Value beside their ErrorDescription (one class for both replies)."""

    def failure(_old: Any, said: list[str]) -> str:
        error = s.xml(t.SetOf(t.Str()), said)
        status, value = s.xml(t.Str(), "Failure"), s.xml(t.Str(), "")
        return s.struct([("Status", status), ("Value", value), ("ErrorDescription", error)])

    around(s, "xml_failure", failure)


@defect("WIRE-SET", also="GET-EVERY-FIELD GET-RECORD-AGREES WIRE-AGREE", cls="Observer")
def empty_sets_are_null(s: Plain) -> None:
    """Empty sets are null in JSON replies, as a slice that nothing was appended to is in Go."""
    around(s, "json", lambda old, of, value: None if isinstance(of, t.SetOf) and not value else old(of, value))


@defect("WIRE-TYPE", also="CREATE-BAD STATE-MODEL ROBUST-NO-EFFECT", cls="subject")
def numbers_read_as_text(s: Plain) -> None:
    """A number where a string is due is accepted and stored as its digits (a mapper that coerces scalars)."""

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        number = isinstance(raw, int | float) and not isinstance(raw, bool)
        return old(of, str(raw) if of == t.Str() and number else raw)

    around(s, "read", read)


@defect("WIRE-MALFORMED", also="ROBUST-NO-EFFECT", cls="task")
def only_the_first_json_value_is_read(s: Plain) -> None:
    """A JSON call with anything behind its closing brace is carried out (a stream decoder asked for one value)."""

    def answer(old: Any, body: bytes) -> str:
        try:
            text = body.decode().lstrip()
            body = text[: json.JSONDecoder().raw_decode(text)[1]].encode()
        except (ValueError, RecursionError):
            pass
        return str(old(body))

    around(s, "answer_json", answer)


@defect("WIRE-SESSION-SHARED", also="WIRE-AGREE STATE-MODEL", cls="pool")
def sessions_shared_at_first_use(s: Plain) -> None:
    """A new session is SESSION_INVALID at the other endpoint until it was used at its own (a write-behind cache)."""
    fresh: dict[str, bool] = {}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if raw and isinstance(raw[0], str) and fresh.get(raw[0], fmt == "xml") != (fmt == "xml"):
            raise Refusal("SESSION_INVALID", raw[0])
        if raw and isinstance(raw[0], str):
            fresh.pop(raw[0], None)
        of, value = old(fmt, method, raw)
        if method == "session.login_with_password":
            fresh[value] = fmt == "xml"
        return of, value

    around(s, "call", call)


# ------------------------------------------------------------------------- medium: one format, or one kind of value


@defect("WIRE-JSON-ID-ECHO", cls="network")
def ids_pass_through_a_double(s: Plain) -> None:
    """Integer ids beyond 2**53 come back rounded, beyond 1e21 with an exponent (ids decoded as any number)."""

    def seen(ident: Any) -> Any:
        if not isinstance(ident, int) or not 2**53 < abs(ident) < 10**300:
            return ident
        return int(float(ident)) if abs(ident) < 10**21 else float(ident)

    around(s, "json_success", lambda old, fmt, result, ident: old(fmt, result, seen(ident)))
    around(s, "json_failure", lambda old, fmt, said, ident: old(fmt, said, seen(ident)))


@defect("WIRE-JSON-NO-NOTIFICATION", also="ROBUST-NO-EFFECT STATE-MODEL", cls="secret")
def notifications_run_before_the_refusal(s: Plain) -> None:
    """A JSON-RPC 2.0 call without an id is refused, yet it was carried out: the library's notifications are on."""

    def answer(old: Any, body: bytes) -> str:
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            return str(old(body))
        if isinstance(request, dict) and request.get("jsonrpc") == "2.0" and "id" not in request:
            old(json.dumps(request | {"id": 0}).encode())
            raise Malformed("no id to answer to")
        return str(old(body))

    around(s, "answer_json", answer)


@defect("WIRE-VOID", also="STATE-MODEL", cls="console")
def destroy_results_in_null(s: Plain) -> None:
    """Destroy over JSON-RPC 2.0 has the result null, while all other void messages have the empty string."""

    def answer(old: Any, body: bytes) -> str:
        text = str(old(body))
        ends = re.search(rb'"method"\s*:\s*"\w+\.destroy"', body) and b'"jsonrpc"' in body
        return text.replace('"result": ""', '"result": null', 1) if ends else text

    around(s, "answer_json", answer)


@defect("WIRE-INT-REQUEST", also="CREATE-FIELDS STATE-MODEL", cls="PVS_cache_storage")
def json_ints_of_32_bits_only(s: Plain) -> None:
    """A JSON integer beyond 32 bits is refused as of the wrong type, while the same as decimal text is accepted."""

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        native = isinstance(raw, int) and not isinstance(raw, bool) and s.fmt != "xml"
        if of == t.Int() and native and not -(2**31) <= raw < 2**31:
            raise s.bad(of, raw)
        return old(of, raw)

    around(s, "read", read)


@defect("WIRE-FLOAT-SPECIAL", also="WIRE-MALFORMED GET-EVERY-FIELD", cls="Cluster")
def nan_taken_over_xml(s: Plain) -> None:
    """NaN and the infinities are stored when they come over XML-RPC; JSON replies then hold a bare NaN."""

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        return raw if of == t.Float() and isinstance(raw, float) and not math.isfinite(raw) else old(of, raw)

    def seconds(old: Any, *args: Any) -> float:
        wanted = float(old(*args))
        return wanted if math.isfinite(wanted) else 0.0

    around(s, "read", read)
    around(s, "seconds", seconds)


@defect("WIRE-DATETIME", also="WIRE-AGREE ASYNC-TASK", cls="VMSS")
def json_dates_on_a_dial(s: Plain) -> None:
    """Datetimes in JSON count the hours from 1 to 12 (hh for HH): midnight reads as noon, 15:00 as 03:00."""

    def tell(old: Any, of: t.Type, value: Any) -> Any:
        text = old(of, value)
        if not isinstance(of, t.DateTime):
            return text
        return re.sub(r"T(\d\d)", lambda hour: f"T{(int(hour[1]) - 1) % 12 + 1:02}", text)

    around(s, "json", tell)


@defect("WIRE-MAP", also="WIRE-AGREE MAP-ADD SET-VALUE CREATE-FIELDS STATE-MODEL", cls="PBD")
def map_keys_follow_the_naming_policy(s: Plain) -> None:
    """Keys of string maps begin with a small letter in JSON replies (a camel-case policy for dictionary keys)."""

    def tell(old: Any, of: t.Type, value: Any) -> Any:
        if of == t.MapOf(t.Str(), t.Str()):
            value = {k[:1].lower() + k[1:]: v for k, v in value.items()}
        return old(of, value)

    around(s, "json", tell)


@defect("WIRE-AGREE", also="WIRE-INT-XML SET-VALUE CREATE-FIELDS STATE-MODEL", cls="VM")
def xml_ints_without_sign(s: Plain) -> None:
    """Negative ints are written over XML-RPC as if they had no sign: -1 reads as 18446744073709551615."""

    def tell(old: Any, of: t.Type, value: Any) -> Any:
        return old(of, value % 2**64 if of == t.Int() and isinstance(value, int) else value)

    around(s, "xml", tell)


# ------------------------------------------------------------------------ hard: one class, one format, one condition


@defect("WIRE-STRING", also="WIRE-MALFORMED WIRE-AGREE", cls="PVS_site")
def cdata_that_ends_early(s: Plain) -> None:
    """Text with ]]> in it makes an XML reply that is not well formed, for markup is wrapped in CDATA as it is."""

    def write(_old: Any, text: str) -> str:
        return f"<![CDATA[{text}]]>" if re.search("[<>&]", text) and "\r" not in text else xml_text(text)

    around(s, "xml_string", write)


@defect("WIRE-STRING", also="SET-VALUE CREATE-FIELDS STATE-MODEL", cls="user")
def full_names_in_a_varchar(s: Plain) -> None:
    """user.fullname keeps the first 255 characters of a longer text and says nothing (VARCHAR(255), lax mode)."""
    stored(s, "user", "fullname", lambda text: text[:255])


@defect("WIRE-JSON2-ENVELOPE", also="MAP-DUPLICATE-KEY", cls="GPU_group")
def duplicate_keys_have_no_number(s: Plain) -> None:
    """MAP_DUPLICATE_KEY over JSON-RPC 2.0 has the error code 0: the table of numbers lacks it, a miss gives zero."""

    def failure(old: Any, fmt: str, said: list[str], ident: Any) -> dict[str, Any]:
        reply: dict[str, Any] = old(fmt, said, ident)
        if fmt == "json2" and said[0] == "MAP_DUPLICATE_KEY":
            reply["error"]["code"] = 0
        return reply

    around(s, "json_failure", failure)


@defect("WIRE-INT-JSON", also="GET-RECORD-AGREES WIRE-AGREE CREATE-FIELDS STATE-MODEL", cls="VDI")
def sizes_in_records_are_doubles(s: Plain) -> None:
    """Ints beyond 2**53 in a VDI's record are rounded in JSON, while their getters are exact (an untyped row)."""
    ints = {name for name, field in s.api.classes["VDI"].fields.items() if field.type == t.Int()}

    def tell(old: Any, of: t.Type, value: Any) -> Any:
        if of == t.RecordOf("VDI"):
            value = {n: int(float(v)) if n in ints else v for n, v in value.items()}
        return old(of, value)

    around(s, "json", tell)


@defect("WIRE-FLOAT", also="WIRE-AGREE CREATE-FIELDS STATE-MODEL", cls="VM")
def json_zero_has_no_sign(s: Plain) -> None:
    """A float of -0.0 reads as 0 in JSON, as JavaScript writes it; over XML-RPC it keeps its sign."""
    around(s, "json", lambda old, of, value: 0 if of == t.Float() and value == 0.0 else old(of, value))


@defect("WIRE-BOOL", also="GET-ALL-AGREES WIRE-AGREE WHERE", cls="VMPP")
def listed_policies_have_bits(s: Plain) -> None:
    """The bools of VMPPs are 0 and 1 in get_all_records over JSON, where rows are passed on as SQL gives them."""

    def records(old: Any, of: Any) -> dict[str, Any]:
        found: dict[str, Any] = old(of)
        if of.name != "VMPP" or s.fmt == "xml":
            return found
        return {ref: {n: int(v) if isinstance(v, bool) else v for n, v in row.items()} for ref, row in found.items()}

    around(s, "get_all_records", records)


@defect("WIRE-ARITY", also="WIRE-ARITY-CODE ROBUST-NO-EFFECT STATE-MODEL", cls="SR")
def a_map_left_out_is_empty(s: Plain) -> None:
    """A setter of a map field that is called without its value empties the map (a parameter's zero value)."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        message = s.find(method)
        if message and message.verb == "set" and isinstance(message.params[-1].type, t.MapOf) and len(raw) == 2:
            raw = [*raw, {}]
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("WIRE-TYPE", also="CREATE-BAD STATE-MODEL ROBUST-NO-EFFECT", cls="VIF")
def nulls_in_sets_are_skipped(s: Plain) -> None:
    """A null among the strings of a set is no error: the call succeeds and the set is stored without it."""

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        if of == t.SetOf(t.Str()) and isinstance(raw, list):
            raw = [each for each in raw if each is not None]
        return old(of, raw)

    around(s, "read", read)
