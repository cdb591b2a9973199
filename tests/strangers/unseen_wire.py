"""Defects of the wire that were written without a look at the checks: documents, bodies and values."""

from __future__ import annotations

import json
import re
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from strangers.base import around, defect
from strangers.documents import read_json
from strangers.events import WAITING
from strangers.plain_server import Handler, Plain
from strangers.values import Malformed
from xenconform.models import types as t

PIECE = 16_384
FAILED = re.compile(rb"[^S]*Status</name><value>Failure")
EVENTS = (t.RecordOf(""), t.RecordOf("event"))


def handled(s: Plain, handler: type[Handler]) -> None:
    """Let another handler take the connections."""

    def serve(old: Any) -> None:
        old()
        s.http.RequestHandlerClass = handler

    around(s, "serve", serve)


# ----------------------------------------------------------------------------------------------- envelopes and bodies


@defect("WIRE-XML-CONTENT-TYPE")
def failures_of_another_type(s: Plain) -> None:
    """An XML-RPC reply that is a Failure is said to be application/xml, as the servlet's error path has it."""

    class Mislabelling(Handler):
        def reply(self, status: int, kind: str, body: bytes) -> None:
            super().reply(status, "application/xml" if FAILED.match(body) else kind, body)

    handled(s, Mislabelling)


@defect("WIRE-JSON2-ENVELOPE WIRE-JSON1-ENVELOPE", also="WIRE-ARITY WIRE-AGREE")
def counts_travel_as_numbers(s: Plain) -> None:
    """Over JSON, the counts of a parameter count mismatch are numbers among the texts."""

    def fail(old: Any, fmt: str, said: list[Any], ident: Any) -> Any:
        if said[0] == "MESSAGE_PARAMETER_COUNT_MISMATCH":
            said = said[:2] + [int(each) for each in said[2:]]
        return old(fmt, said, ident)

    around(s, "json_failure", fail)


@defect("WIRE-STRING WIRE-XML-ENVELOPE", also="WIRE-AGREE SET-VALUE MAP-ADD SET-ADD CREATE-FIELDS")
def lengths_in_characters(s: Plain) -> None:
    """The length of an XML reply is counted in characters of 16 bits, and what exceeds it is not sent."""

    class Counting(Handler):
        def reply(self, status: int, kind: str, body: bytes) -> None:
            characters = len(body.decode().encode("utf-16-le")) // 2
            super().reply(status, kind, body[:characters] if kind == "text/xml" else body)

    handled(s, Counting)


@defect("WIRE-MALFORMED")
def first_value_of_a_body(s: Plain) -> None:
    """A JSON body is read by a stream decoder: one value is taken, whatever follows it is never looked at."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            text = body.decode().lstrip(" \t\r\n")
            _, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            return old(body)
        return old(text[:end].encode())

    around(s, "answer_json", answer)


@defect("ROBUST-BATCH", also="ROBUST-NO-EFFECT")
def batch_until_the_bad_call(s: Plain) -> None:
    """A batch is carried out call by call; a member that is no call refuses the whole, after the ones before it."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            calls = json.loads(body)
        except (ValueError, RecursionError):
            return old(body)
        if not isinstance(calls, list) or not calls:
            return old(body)
        return f"[{', '.join([old(json.dumps(each).encode()) for each in calls])}]"

    around(s, "answer_json", answer)


@defect("WIRE-JSON-ID-ECHO")
def ids_of_who_came_last(s: Plain) -> None:
    """The id of a request is kept in one place for all: a call that waited answers with the id of a later request."""
    latest: list[Any] = [None]
    mine = threading.local()

    def answer(old: Any, body: bytes) -> Any:
        mine.waits = False
        try:
            _, method, _, latest[0] = read_json(body)
            mine.waits = method in WAITING
        except (Malformed, ValueError, UnicodeError, RecursionError):
            pass
        return old(body)

    def success(old: Any, fmt: str, result: Any, ident: Any) -> Any:
        return old(fmt, result, latest[0] if mine.waits else ident)

    around(s, "answer_json", answer)
    around(s, "json_success", success)


# -------------------------------------------------------------------------------------------------------------- values


@defect("WIRE-INT-XML SET-VALUE", also="WIRE-AGREE GET-RECORD-AGREES CREATE-FIELDS GET-ALL-AGREES", cls="VM")
def twenty_bytes_for_an_int(s: Plain) -> None:
    """Over XML an int is printed into twenty bytes with the closing NUL: of twenty characters the last is lost."""
    around(s, "xml", lambda old, of, value: old(of, str(value)[:19] if of == t.Int() else value))


class Nil(list[Any]):
    """A set that was never allocated."""


@defect("WIRE-SET", also="WIRE-AGREE SET-REMOVE GET-EVERY-FIELD GET-RECORD-AGREES")
def sets_emptied_are_nil(s: Plain) -> None:
    """A set whose last member was removed by remove_ is null over JSON, where a set that was made empty is []."""

    def remove(old: Any, of: Any, ref: str, obj: Any, f: Any, value: Any) -> None:
        before = obj[f.name]
        old(of, ref, obj, f, value)
        if before and not obj[f.name]:
            obj[f.name] = Nil()

    around(s, "do_remove", remove)
    around(s, "json", lambda old, of, value: None if isinstance(value, Nil) else old(of, value))


@defect("WIRE-DATETIME", cls="VMSS")
def minutes_of_a_zone_dropped(s: Plain) -> None:
    """Of the zone of a datetime that comes in, the hours alone are heeded: +05:30 is taken as +05."""

    def date(old: Any, raw: Any) -> Any:
        try:
            seen = raw if isinstance(raw, datetime) else datetime.fromisoformat(raw)
        except ValueError:
            return old(raw)
        if offset := seen.utcoffset():
            seen = seen.replace(tzinfo=timezone(timedelta(hours=int(offset.total_seconds() / 3600))))
        return old(seen)

    around(s, "date", date)


@defect("WIRE-DATETIME", also="WIRE-AGREE SET-VALUE GET-RECORD-AGREES", cls="VMSS")
def years_of_the_week(s: Plain) -> None:
    """Over XML the year of a datetime is that of its week, which around New Year is another."""

    def write(old: Any, of: Any, value: Any) -> Any:
        text = old(of, value)
        if of != t.DateTime():
            return text
        at = value.astimezone(UTC)
        return text.replace(f">{at.year:04}", f">{at.isocalendar().year:04}", 1)

    around(s, "xml", write)


@defect("WIRE-STRING", also="SET-VALUE MAP-ADD SET-ADD CREATE-FIELDS LABEL-LOOKUP ROBUST-UNICODE")
def pieces_decoded_one_by_one(s: Plain) -> None:
    """Each 16 KiB of a body are decoded by themselves: a character across the border becomes U+FFFD, several times."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            body.decode()
        except UnicodeError:
            return old(body)
        pieces = (body[at : at + PIECE].decode(errors="replace") for at in range(0, len(body), PIECE))
        return old("".join(pieces).encode())

    around(s, "answer_xml", answer)
    around(s, "answer_json", answer)


@defect("MAP-ADD WIRE-MAP", also="CREATE-FIELDS SET-VALUE STATE-MODEL MAP-DUPLICATE-KEY")
def prototype_keys_vanish(s: Plain) -> None:
    """Maps are a script's plain objects: what is written under the key __proto__ is accepted and not there."""

    def without(value: Any) -> Any:
        return {k: v for k, v in value.items() if k != "__proto__"} if isinstance(value, dict) else value

    def add_to(old: Any, *args: Any) -> None:
        if args[-2] != "__proto__":
            old(*args)

    around(s, "do_add_to", add_to)
    around(s, "do_set", lambda old, of, ref, obj, f, value: old(of, ref, obj, f, without(value)))
    around(s, "make", lambda old, of, given: old(of, {name: without(value) for name, value in given.items()}))


@defect("WIRE-INT-JSON EVENT-FROM", also="WIRE-AGREE")
def events_without_the_types(s: Plain) -> None:
    """Over JSON the ints in an event's snapshot are texts, while every other reply has them as numbers."""

    def texts(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: texts(v) for k, v in value.items()}
        if isinstance(value, list):
            return [texts(each) for each in value]
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def write(old: Any, of: Any, value: Any) -> Any:
        told = old(of, value)
        return {k: texts(v) if k == "snapshot" else v for k, v in told.items()} if of in EVENTS else told

    around(s, "json", write)


@defect("WIRE-ENUM", also="WIRE-TYPE CREATE-BAD", cls="VM")
def operations_by_any_name(s: Plain) -> None:
    """The keys of VM.blocked_operations are any texts: the map's keys are not held against the enum."""

    def read(old: Any, of: Any, raw: Any) -> Any:
        loose = isinstance(of, t.Enum) and of.name == "vm_operations" and isinstance(raw, str)
        return s.text(raw) if loose else old(of, raw)

    around(s, "read", read)


@defect("WIRE-AGREE GET-RECORD-AGREES STATE-MODEL", also="SET-VALUE MAP-ADD BIND-CREATE BIND-SYMMETRY SET-ADD")
def json_records_kept(s: Plain) -> None:
    """The JSON side keeps each record it has told for two seconds, or until a write over JSON; others write unseen."""
    records: dict[str, tuple[float, Any]] = {}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        fresh = old(fmt, method, raw)
        if fmt == "xml":
            return fresh
        with s.lock:
            if "." in method and not method.partition(".")[2].startswith("get"):
                records.clear()
            if not method.endswith(".get_record"):
                return fresh
            at, known = records.get(raw[1], (0.0, None))
            if time.monotonic() - at < 2.0:
                return known
            records[raw[1]] = time.monotonic(), fresh
        return fresh

    around(s, "call", call)
