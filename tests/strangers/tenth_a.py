"""Defects of a server as decoders, row mappers and protocol adapters make it; written without a look at the checks."""

from __future__ import annotations

import json
import math
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC
from typing import Any

from strangers.base import around, defect
from strangers.documents import no_constant, once
from strangers.heldout_base import doing, told
from strangers.plain_server import Handler, Plain
from strangers.values import Malformed, Refusal
from xenconform.models import types as t

QUOTED = r'"(?:\\.|[^"\\])*"'
LENIENT = re.compile(rf"({QUOTED})|//[^\n]*|/\*.*?\*/|,(?=\s*[\]}}])", re.DOTALL)
DOCTYPE = re.compile(r"<!DOCTYPE\s+\w+\s*\[(?P<inner>[^\]]*)\]\s*>")
ENTITY = re.compile(r"""<!ENTITY\s+(\w+)\s+["']([^"']*)["']\s*>""")
SAFE = 2**53 - 1
EXPANSIONS = 100
LEASE_SECONDS = 4.0
BYTES_A_SECOND = 20_000_000
SCAN_SECONDS = 40.0
OVERFLOW = (
    "System.OverflowException: Value was either too large or too small for an Int64.\n"
    "   at System.Convert.ToInt64(String value)\n"
    "   at Xapi.Wire.ParameterReader.ReadInt(Object raw) in /build/src/Xapi.Wire/ParameterReader.cs:line 214"
)


def reading(s: Plain, kind: type[t.Type], change: Callable[[Any], Any]) -> None:
    """Change what arrives where a parameter, or a part of one, of a kind of type is wanted."""
    around(s, "read", lambda old, of, raw: old(of, change(raw) if isinstance(of, kind) else raw))


def rows_of(s: Plain, cls: str, ref: Any) -> dict[str, Any] | None:
    return s.objects[cls].get(ref) if isinstance(ref, str) else None


# ------------------------------------------------------------------------------------------------------------ the wire


@defect("WIRE-TYPE", also="ROBUST-NO-EFFECT CREATE-BAD", cls="GPU_group")
def an_empty_array_is_an_empty_map(s: Plain) -> None:
    """An empty array passes for an empty map, as languages with one kind of table write it: it wipes the map."""
    reading(s, t.MapOf, lambda raw: {} if raw == [] else raw)


class Mirror(Handler):
    """A connection whose replies have the media type of the request."""

    def reply(self, status: int, kind: str, body: bytes) -> None:
        asked = self.headers.get("Content-Type")
        super().reply(status, asked if asked and kind == "text/xml" else kind, body)


@defect("WIRE-XML-CONTENT-TYPE", cls="network")
def the_media_type_is_the_requests(s: Plain) -> None:
    """An XML reply has the Content-Type of its request: a client that posts a form's is answered with a form's."""

    def serve(old: Any) -> None:
        old()
        s.http.RequestHandlerClass = Mirror

    around(s, "serve", serve)


@defect("WIRE-JSON-ID-ECHO", also="WIRE-JSON1-ENVELOPE WIRE-JSON2-ENVELOPE", cls="console")
def failures_lose_falsy_ids(s: Plain) -> None:
    """The error path answers with `request.id || null`: the failure of a call with id 0 or "" has the id null."""
    around(s, "json_failure", lambda old, fmt, said, ident: old(fmt, said, ident or None))


@defect("WIRE-INT-JSON", also="WIRE-AGREE CREATE-FIELDS", cls="PVS_cache_storage")
def unsafe_integers_become_texts(s: Plain) -> None:
    """JSON ints leave as numbers while a double holds them, and as decimal strings beyond 2^53: two forms at once."""

    def written(old: Any, of: Any, value: Any) -> Any:
        return str(value) if isinstance(of, t.Int) and abs(value) > SAFE else old(of, value)

    around(s, "json", written)


@defect("WIRE-MALFORMED", cls="user")
def json_may_have_comments_and_commas(s: Plain) -> None:
    """The JSON reader is set up as for configuration files: it skips comments, and commas before a closing bracket."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            text = body.decode()
        except UnicodeError:
            return old(body)
        return old(LENIENT.sub(lambda found: found[1] or "", text).encode())

    around(s, "answer_json", answer)


@defect("WIRE-JSON-VERSION", cls="subject")
def the_major_version_decides(s: Plain) -> None:
    """Of "jsonrpc" the number before the point counts: "2.1", "2" and the number 2 are all answered as 2.0."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            call = json.loads(body.decode(), object_pairs_hook=once, parse_constant=no_constant)
        except (Malformed, ValueError, RecursionError):
            return old(body)
        version = call.get("jsonrpc", "2.0") if isinstance(call, dict) else "2.0"
        if version != "2.0" and not isinstance(version, bool) and re.fullmatch(r"2(\..*)?", str(version)):
            body = json.dumps(call | {"jsonrpc": "2.0"}).encode()
        return old(body)

    around(s, "answer_json", answer)


@defect("WIRE-FLOAT", also="WIRE-AGREE CREATE-FIELDS", cls="Cluster")
def the_negative_zero_loses_its_sign(s: Plain) -> None:
    """The JSON writer takes whole doubles for whole numbers: -0.0 leaves as 0.0, over XML-RPC it keeps its sign."""
    around(s, "json", lambda old, of, value: old(of, value + 0.0 if isinstance(of, t.Float) else value))


@defect("WIRE-FLOAT-SPECIAL", also="CREATE-BAD", cls="VM")
def infinities_are_cut_to_the_largest_double(s: Plain) -> None:
    """A float beyond all doubles, 1e999 or INF, is stored as the largest one; NaN is refused."""

    def cut(raw: Any) -> Any:
        return math.copysign(sys.float_info.max, raw) if isinstance(raw, float) and math.isinf(raw) else raw

    reading(s, t.Float, cut)


@defect("WIRE-DATETIME WIRE-AGREE", also="GET-RECORD-AGREES", cls="VMPP")
def json_dates_have_a_clock_of_twelve_hours(s: Plain) -> None:
    """The JSON writer's format has hh for HH: midnight leaves as 12:00, and 15:00 as 03:00; XML-RPC is right."""

    def written(old: Any, of: Any, value: Any) -> Any:
        text = old(of, value)
        if not isinstance(of, t.DateTime):
            return text
        return re.sub(r"T\d\d", f"T{value.astimezone(UTC).hour % 12 or 12:02}", text)

    around(s, "json", written)


@defect("WIRE-SESSION-SHARED", also="SESSION-LOGIN", cls="SDN_controller")
def sessions_are_saved_with_their_first_call(s: Plain) -> None:
    """A session that JSON-RPC 1.0 opened is that adapter's own until it was used there once; then others know it."""
    unsaved: set[str] = set()

    def login(old: Any, raw: list[Any]) -> Any:
        ref = old(raw)
        if s.fmt == "json1":
            unsaved.add(ref)
        return ref

    def check(old: Any, session: Any) -> None:
        old(session)
        if session in unsaved and s.fmt != "json1":
            raise Refusal("SESSION_INVALID", session)
        unsaved.discard(session)

    def logout(old: Any, session: Any) -> None:
        if isinstance(session, str):
            unsaved.discard(session)
        old(session)

    around(s, "login", login)
    around(s, "check_session", check)
    around(s, "logout", logout)


# -------------------------------------------------------------------------------------------------------------- fields


@defect("GET-EVERY-FIELD", also="WIRE-DATETIME GET-RECORD-AGREES WIRE-AGREE", cls="VMSS")
def a_schedule_that_never_ran_has_no_date(s: Plain) -> None:
    """VMSS.last_run_time is an empty column until the schedule runs: an empty date in XML, "" in JSON."""
    told(s, "VMSS", "last_run_time", lambda _value: None)
    around(s, "date_text", lambda old, value: "" if value is None else old(value))


@defect("SET-ADD-DEDUP", also="STATE-MODEL", cls="VDI")
def a_tag_of_create_is_no_tag_to_add(s: Plain) -> None:
    """add_tags knows what it added itself; for a tag that create or set_tags brought, the unique index complains."""
    added: set[tuple[str, str]] = set()

    def add(old: Any, ref: str, obj: dict[str, Any], value: str) -> None:
        if value in obj["tags"] and (ref, value) not in added:
            raise Refusal("DB_UNIQUENESS_CONSTRAINT_VIOLATION", "VDI_tags", "tag", value)
        old(value)
        added.add((ref, value))

    doing(s, "add", "VDI", "tags", add)


@defect("SET-VALUE", also="STATE-MODEL WIRE-AGREE", cls="secret")
def each_adapter_skips_what_it_wrote_last(s: Plain) -> None:
    """secret.set_value does nothing if its format wrote that value last, though another format has changed it since."""
    last: dict[tuple[str, str], str] = {}

    def write(old: Any, ref: str, _obj: Any, value: str) -> None:
        if last.get((ref, s.fmt)) != value:
            last[ref, s.fmt] = value
            old(value)

    doing(s, "set", "secret", "value", write)


@defect("SET-ONLY-THAT", also="STATE-MODEL", cls="VM_appliance")
def descriptions_are_updated_by_name(s: Plain) -> None:
    """VM_appliance.set_name_description updates the rows with the object's name: namesakes are described anew too."""

    def write(old: Any, _ref: str, obj: dict[str, Any], value: str) -> None:
        old(value)
        for row in s.objects["VM_appliance"].values():
            if row["name_label"] == obj["name_label"]:
                row["name_description"] = value

    doing(s, "set", "VM_appliance", "name_description", write)


# ---------------------------------------------------------------------------------------------------------- robustness


@defect("ROBUST-NO-EFFECT WIRE-TYPE", also="ROBUST-UNICODE STATE-MODEL", cls="VBD")
def a_bad_pair_leaves_half_a_map(s: Plain) -> None:
    """VBD.set_other_config deletes the old pairs and inserts the new ones without a transaction, up to a bad one."""

    def insert(given: dict[str, Any]) -> dict[str, str]:
        kept: dict[str, str] = {}
        for key, value in given.items():
            try:
                kept[s.read(t.Str(), key)] = s.read(t.Str(), value)
            except Refusal:
                break
        return kept

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        with s.lock:
            try:
                return old(fmt, method, raw)
            except Refusal as no:
                if method == "VBD.set_other_config" and no.args[0] in {"FIELD_TYPE_ERROR", "INVALID_VALUE"}:
                    obj = rows_of(s, "VBD", raw[1])
                    if obj is not None and isinstance(raw[2], dict):
                        obj["other_config"] = insert(raw[2])
                raise

    around(s, "call", call)


@defect("ROBUST-ALIVE", also="ROBUST-UNICODE ROBUST-HTTP WIRE-MALFORMED", cls="PBD")
def bad_bytes_keep_the_lock(s: Plain) -> None:
    """A JSON body that is not UTF-8 leaves the reader with its lock held: all calls wait for the end of the lease."""
    free = {"at": 0.0}

    def answer(old: Any, body: bytes) -> Any:
        try:
            body.decode()
        except UnicodeError:
            free["at"] = time.monotonic() + LEASE_SECONDS
        return old(body)

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        while (rest := free["at"] - time.monotonic()) > 0:
            time.sleep(rest)
        return old(fmt, method, raw)

    around(s, "answer_json", answer)
    around(s, "call", call)


def depth_of(body: bytes) -> int:
    """Return how deep the brackets of a JSON document nest at the most."""
    depth = most = 0
    for found in re.finditer(rb"[\[{\]}]", re.sub(QUOTED.encode(), b"", body)):
        depth += 1 if found[0] in b"[{" else -1
        most = max(most, depth)
    return most


@defect("ROBUST-DEPTH-SIZE", also="ROBUST-ALIVE WIRE-MALFORMED", cls="blob")
def each_level_measures_the_document(s: Plain) -> None:
    """Each level of JSON takes the length of the whole text anew: 10,000 levels take ten seconds to be refused."""

    def answer(old: Any, body: bytes) -> Any:
        if body.count(b"[") + body.count(b"{") > 200:
            time.sleep(min(depth_of(body) * len(body) / BYTES_A_SECOND, SCAN_SECONDS))
        return old(body)

    around(s, "answer_json", answer)


@defect("ROBUST-NO-LEAK", cls="PVS_server")
def an_overflow_tells_its_trace(s: Plain) -> None:
    """A decimal string beyond 64 bits is no format error to the reader: the failure tells the exception's trace."""

    def read(old: Any, raw: Any) -> Any:
        try:
            return old(raw)
        except Refusal:
            if isinstance(raw, str) and raw.isascii() and raw.removeprefix("-").isdigit():
                raise Refusal("INTERNAL_ERROR", OVERFLOW) from None
            raise

    around(s, "int", read)


@defect("ROBUST-XML-ENTITIES", also="WIRE-MALFORMED", cls="USB_group")
def a_few_entities_are_expanded(s: Plain) -> None:
    """The parser guards against external entities and floods alone: it expands a DTD's own, up to a hundred times."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            text = body.decode()
        except UnicodeError:
            return old(body)
        found = DOCTYPE.search(text)
        if found is None or "SYSTEM" in found["inner"] or "PUBLIC" in found["inner"] or "%" in found["inner"]:
            return old(body)
        text = text[: found.start()] + text[found.end() :]
        entities = dict(ENTITY.findall(found["inner"]))
        for _ in range(EXPANSIONS):
            name = next((each for each in entities if f"&{each};" in text), None)
            if name is None:
                return old(text.encode())
            text = text.replace(f"&{name};", entities[name], 1)
        raise Malformed("too many entities")

    around(s, "answer_xml", answer)


@defect("ROBUST-AUTH SESSION-REQUIRED", cls="PVS_site")
def the_beginning_of_a_session_will_do(s: Plain) -> None:
    """Sessions are looked up in the cache by prefix: a ref cut short, "OpaqueRef:" alone too, is somebody's session."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        given = raw[0] if raw else None
        if method != "session.login_with_password" and isinstance(given, str) and given:
            with s.lock:
                known = next((ref for ref in s.objects["session"] if ref.startswith(given)), given)
            raw = [known, *raw[1:]]
        return old(fmt, method, raw)

    around(s, "call", call)
