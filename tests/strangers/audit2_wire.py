"""Defects of levels 1 and 5 that a second audit thought of: another shape, place, spelling or order of what is sent."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from strangers.audit_wire import json_calls, json_replies
from strangers.base import around, defect
from strangers.plain_server import Handler, Plain
from strangers.unseen_wire import handled
from strangers.values import Malformed, Refusal
from xenconform.models import types as t

NODE = (
    "TypeError: no value\n    at Decoder.read (file:///srv/poold/src/decode.js:118:21)\n    at async call (rpc.js:40:5)"
)
CLR = "System.FormatException: no date\n   at Poold.Wire.Dates.Read(String text) in Dates.vb:line 31"
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(Z|[+-][0-9:]{5})")
MOST_CALLS = 20
SECONDS = 5.0

# ---------------------------------------------------------------------------------------------------- values in replies


@defect("WIRE-SET", also="GET-RECORD-AGREES WIRE-AGREE GET-ALL-AGREES", cls="VDI")
def records_show_a_set_of_one_as_its_member(s: Plain) -> None:
    """A record over JSON-RPC has a set of one member as that member: it was converted from XML."""

    def converted(old: Any, of: t.Type, value: Any) -> Any:
        found = old(of, value)
        if isinstance(of, t.RecordOf) and isinstance(found, dict):
            return {n: v[0] if isinstance(v, list) and len(v) == 1 else v for n, v in found.items()}
        return found

    around(s, "json", converted)


@defect("WIRE-SET", also="LABEL-LOOKUP", cls="network")
def who_has_a_label_alone_is_no_set(s: Plain) -> None:
    """get_by_name_label over JSON-RPC is the reference itself where one object has the label."""
    json_replies(s, lambda reply, method: reply | {"result": reply["result"][0]} if (
        method.endswith(".get_by_name_label") and len(reply.get("result") or ()) == 1) else reply)  # fmt: skip


@defect("WIRE-SET", also="SET-VALUE SET-ADD SET-REMOVE WIRE-STRING", cls="VM")
def sets_are_joined_by_commas_and_split(s: Plain) -> None:
    """A set is kept as its members with line ends between: that of the empty text alone is empty."""
    around(s, "set", lambda old, values: [] if values == [""] else old(values))


@defect("WIRE-STRING", also="SET-VALUE LABEL-LOOKUP WIRE-AGREE CREATE-FIELDS STATE-MODEL", cls="network")
def texts_like_instants_are_rewritten(s: Plain) -> None:
    """The JSON reader takes texts that look like instants for such, and writes them back in UTC, as Json.NET does."""

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        found = old(of, raw)
        if isinstance(of, t.Str) and s.fmt != "xml" and INSTANT.fullmatch(found):
            with suppress(ValueError):
                return datetime.fromisoformat(found).astimezone(UTC).strftime("%m/%d/%Y %H:%M:%S")
        return found

    around(s, "read", read)


# ------------------------------------------------------------------------------------------------- calls and parameters


@defect("WIRE-JSON-VERSION", cls="network")
def versions_are_compared_loosely(s: Plain) -> None:
    """A version of JSON-RPC is compared as a text: an array of "2.0" is "2.0"."""
    json_calls(s, lambda call, _method: call | {"jsonrpc": "2.0"} if call.get("jsonrpc") == ["2.0"] else call)


@defect("WIRE-METHOD-UNKNOWN", cls="VDI")
def methods_may_be_abbreviated(s: Plain) -> None:
    """The beginning of a method's name is enough where one name alone begins so, as commands may be abbreviated."""

    def find(old: Any, method: str) -> Any:
        found = old(method)
        cls, _, name = method.partition(".")
        if found is not None or cls not in s.api.classes or not name:
            return found
        meant = [m for n, m in s.api.classes[cls].messages.items() if n.startswith(name)]
        return meant[0] if len(meant) == 1 else None

    around(s, "find", find)


@defect("WIRE-METHOD-UNKNOWN", also="ROBUST-AUTH ROBUST-UNICODE", cls="VMSS")
def names_of_methods_end_at_the_null(s: Plain) -> None:
    """The name of a method counts up to its first NUL, as texts of C do."""
    around(s, "find", lambda old, method: old(method.partition("\0")[0]))


@defect("WIRE-ARITY", also="WHERE", cls="network")
def queries_take_whatever_else_comes(s: Plain) -> None:
    """get_all_records_where ignores parameters behind its query."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        return old(fmt, method, raw[:2] if method.endswith(".get_all_records_where") else raw)

    around(s, "call", call)


@defect("WIRE-TYPE", also="CREATE-BAD", cls="VMSS")
def numbers_are_instants(s: Plain) -> None:
    """A JSON number in the place of a datetime is the seconds since 1970."""

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        if isinstance(of, t.DateTime) and isinstance(raw, int | float) and not isinstance(raw, bool):
            return datetime.fromtimestamp(raw, UTC)
        return old(of, raw)

    around(s, "read", read)


@defect("WIRE-TYPE", also="CREATE-BAD WIRE-MAP WIRE-SET", cls="VM")
def nothing_is_an_array_and_an_object(s: Plain) -> None:
    """An empty array is taken for an empty map, and an empty object for an empty set: a script knows one kind."""

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        if isinstance(of, t.MapOf) and raw == []:
            return {}
        return [] if isinstance(of, t.SetOf) and raw == {} else old(of, raw)

    around(s, "read", read)


@defect("WIRE-TYPE", also="CREATE-BAD WIRE-SET", cls="VM")
def objects_numbered_from_zero_are_arrays(s: Plain) -> None:
    """A struct whose names are "0", "1" and so on is taken for an array, and an array for such a map."""

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        if isinstance(of, t.SetOf) and isinstance(raw, dict) and raw and list(raw) == [str(n) for n in range(len(raw))]:
            return old(of, list(raw.values()))
        return old(of, raw)

    around(s, "read", read)


@defect("WIRE-MALFORMED", also="ROBUST-NO-EFFECT", cls="network")
def what_stands_before_the_object_is_skipped(s: Plain) -> None:
    """A JSON body is read from its first brace on."""
    around(s, "answer_json", lambda old, body: old(body[body.find(b"{") :] if b"{" in body else body))


@defect("WIRE-MALFORMED", also="ROBUST-NO-EFFECT", cls="network")
def bodies_end_at_the_null(s: Plain) -> None:
    """A body counts up to its first NUL, as texts of C do."""
    for name in ("answer_json", "answer_xml"):
        around(s, name, lambda old, body: old(body.partition(b"\0")[0]))


# -------------------------------------------------------------------------------------------------------- hostile input


@defect("ROBUST-NO-LEAK", cls="network")
def a_type_error_shows_a_stack_of_javascript(s: Plain) -> None:
    """A value of another type is refused with the stack of an exception of JavaScript."""

    def bad(old: Any, of: t.Type, raw: Any) -> Any:
        return Refusal("INTERNAL_ERROR", NODE) if isinstance(raw, list | dict) else old(of, raw)

    around(s, "bad", bad)


@defect("ROBUST-NO-LEAK", cls="VMSS")
def a_bad_date_shows_the_stack(s: Plain) -> None:
    """What is no datetime is refused with the text of the parser's exception and the lines that it came through."""

    def bad(old: Any, of: t.Type, raw: Any) -> Any:
        return Refusal("INTERNAL_ERROR", CLR) if isinstance(of, t.DateTime) and isinstance(raw, str) else old(of, raw)

    around(s, "bad", bad)


@defect("ROBUST-NO-EFFECT", also="WIRE-ARITY", cls="SR")
def introduced_and_then_counted(s: Plain) -> None:
    """SR.introduce with a parameter too many is refused, and the SR is there."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal:
            message = s.find(method)
            if message and method == "SR.introduce" and len(raw) == 2 + len(message.params):
                with suppress(Refusal):
                    old(fmt, method, raw[:-1])
            raise

    around(s, "call", call)


@defect("ROBUST-ALIVE", also="WHERE", cls="network")
def a_bad_query_keeps_the_lock(s: Plain) -> None:
    """A query that get_all_records_where cannot read leaves the lock on its class where it is, for some seconds."""
    kept: dict[str, float] = {}

    def where(old: Any, of: Any, query: str) -> Any:
        try:
            return old(of, query)
        except Refusal:
            kept[of.name] = time.monotonic() + SECONDS
            raise

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        until = kept.pop(method.partition(".")[0], 0.0)
        time.sleep(max(0.0, until - time.monotonic()))
        return old(fmt, method, raw)

    around(s, "where", where)
    around(s, "call", call)


def batched(s: Plain, most: int, *, by_id: bool) -> None:
    """Answer batches: so many calls of each, and one answer for an id where they are kept by it."""

    def answer(old: Any, body: bytes) -> str:
        try:
            calls = json.loads(body)
        except (ValueError, RecursionError):
            return str(old(body))
        if not isinstance(calls, list) or not calls:
            return str(old(body))
        if not all(isinstance(each, dict) and each.get("id") is not None for each in calls):
            raise Malformed("no batch")
        answers = [json.loads(old(json.dumps(each).encode())) for each in calls[:most]]
        return json.dumps(list({str(each["id"]): each for each in answers}.values()) if by_id else answers)

    around(s, "answer_json", answer)


@defect("ROBUST-BATCH", cls="network")
def answers_are_kept_by_their_id(s: Plain) -> None:
    """The answers to a batch are kept by their ids: of calls of one id the last alone is answered."""
    batched(s, 10_000, by_id=True)


@defect("ROBUST-BATCH", cls="network")
def a_batch_ends_after_twenty(s: Plain) -> None:
    """Of the calls of a batch the first twenty are carried out and answered."""
    batched(s, MOST_CALLS, by_id=False)


@defect("ROBUST-AUTH", also="SESSION-REQUIRED", cls="network")
def sessions_are_parsed(s: Plain) -> None:
    """A session is read as a UUID behind its prefix: letters of either case, without dashes, or in braces."""

    def check(old: Any, session: Any) -> None:
        if isinstance(session, str):
            plain = re.sub("[-{}]", "", session.removeprefix("OpaqueRef:")).lower()
            if session.startswith("OpaqueRef:") and re.fullmatch("[0-9a-f]{32}", plain):
                for known in s.objects["session"]:
                    if known.removeprefix("OpaqueRef:").replace("-", "") == plain:
                        session = known
        old(session)

    around(s, "check_session", check)


@defect("ROBUST-AUTH", also="SESSION-REQUIRED", cls="network")
def sessions_end_at_the_null(s: Plain) -> None:
    """A session counts up to its first NUL."""
    around(s, "check_session", lambda old, session: old(
        session.partition("\0")[0] if isinstance(session, str) else session))  # fmt: skip


@defect("ROBUST-HTTP", cls="network")
def any_coding_that_names_chunks_is_chunks(s: Plain) -> None:
    """A transfer coding in which the word chunked stands is read as chunks; a length beside it is not looked at."""

    class Loose(Handler):
        def do_POST(self) -> None:  # noqa: N802 - http.server looks for it by that name
            coding = self.headers.get("Transfer-Encoding", "").lower()
            if "chunked" not in coding or coding.strip() == "chunked":
                return super().do_POST()
            body = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            try:
                text = self.server.plain.answer_xml(body)
            except Malformed:
                return self.reply(400, "text/html", b"")
            return self.reply(200, "text/xml", text.encode())

    handled(s, Loose)
