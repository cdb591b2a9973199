"""Defects of a server with typed decoders before a relational store; written without a look at the checks."""

from __future__ import annotations

import bisect
import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from strangers.base import around, defect
from strangers.heldout_base import doing
from strangers.plain_server import Handler, Plain
from strangers.values import Malformed, Refusal
from xenconform.models import types as t
from xenconform.models.api import State

SAFE = 2**53
SHOWN = 1024


class Nil(list[Any]):
    """A list that was never allocated: JSON's null."""


class Nothing:
    """What a handler that returns no value leaves for JSON: null."""


def json_reads(s: Plain, new: Callable[[Callable[[bytes], str], bytes, Any], str]) -> None:
    """Put `new(old, body, document)` before the reading of JSON documents; of what is none, `document` is None."""

    def answer(old: Any, body: bytes) -> str:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            document = None
        return new(old, body, document)

    around(s, "answer_json", answer)


# ------------------------------------------------------------------------------------------------------ reading calls


@defect("WIRE-JSON-VERSION", cls="network")
def no_version_is_an_empty_version(s: Plain) -> None:
    """A typed decoder gives "" for a version that is left out; so null and "" are answered as 1.0."""

    def answer(old: Any, body: bytes, document: Any) -> str:
        version = document.get("jsonrpc", "1.0") if isinstance(document, dict) else "1.0"
        if version is None or version == "":
            del document["jsonrpc"]
            body = json.dumps(document).encode()
        return str(old(body))

    json_reads(s, answer)


@defect("WIRE-JSON-NO-NOTIFICATION", also="ROBUST-NO-EFFECT WIRE-MALFORMED", cls="secret")
def null_ids_are_refused_when_the_reply_is_written(s: Plain) -> None:
    """A call whose id is null is carried out, and refused by the writer of its reply. One without an id is not."""

    def answer(old: Any, body: bytes, document: Any) -> str:
        if isinstance(document, dict) and document.get("id", 0) is None:
            old(json.dumps(document | {"id": 0}).encode())
        return str(old(body))

    json_reads(s, answer)


@defect("WIRE-MALFORMED", also="ROBUST-NO-EFFECT ROBUST-HTTP", cls="VM_appliance")
def calls_are_made_at_the_end_of_their_parameters(s: Plain) -> None:
    """A reader of XML events makes the call at </params> and never reads the rest: a document cut off there is good."""

    def answer(old: Any, body: bytes) -> Any:
        head, end, _ = body.partition(b"</params>")
        return old(head + end + b"</methodCall>" if end else body)

    around(s, "answer_xml", answer)


@defect("ROBUST-BATCH", also="WIRE-MALFORMED WIRE-JSON-NO-NOTIFICATION", cls="network")
def bad_members_of_a_batch_are_left_out(s: Plain) -> None:
    """A batch is answered, but a member that is no call gets no reply: three calls, two replies."""

    def answer(old: Any, body: bytes, document: Any) -> str:
        if not isinstance(document, list):
            return str(old(body))
        replies = []
        for each in document:
            try:
                replies.append(old(json.dumps(each).encode()))
            except Malformed:
                continue
        if not replies:
            raise Malformed("no call at all")
        return f"[{', '.join(replies)}]"

    json_reads(s, answer)


@defect("WIRE-ARITY", also="ASYNC-TASK", cls="VM_appliance")
def asynchronous_calls_drop_what_is_too_much(s: Plain) -> None:
    """Async.c.m copies as many arguments as c.m takes into its job: surplus ones are dropped, and the task succeeds."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        message = s.find(method)
        if method.startswith("Async.") and message is not None:
            raw = raw[: 1 + len(message.params)]
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("WIRE-METHOD-UNKNOWN", cls="SR")
def methods_are_found_whatever_their_case(s: Plain) -> None:
    """Handlers are looked up by reflection, without regard to case: network.Get_All and vm.get_all_records work."""
    names = {m.full_name.lower(): m.full_name for of in s.api.classes.values() for m in of.messages.values()}

    def find(old: Any, method: str) -> Any:
        found = old(method)
        if found is None and not method.startswith("Async."):
            return old(names.get(method.lower(), method))
        return found

    around(s, "find", find)


@defect("ROBUST-AUTH", also="SESSION-REQUIRED WIRE-METHOD-UNKNOWN", cls="network")
def padded_names_pass_the_filter(s: Plain) -> None:
    """The filter asks for a session by the method's name as sent; the dispatcher, after it, trims the name in JSON."""
    here = threading.local()

    def perform(old: Any, fmt: str, method: str, params: list[Any]) -> Any:
        trimmed = method.strip()
        here.free = fmt != "xml" and trimmed not in {method, "session.logout"}
        try:
            return old(fmt, method if fmt == "xml" else trimmed, params)
        finally:
            here.free = False

    def check(old: Any, session: Any) -> None:
        if not (getattr(here, "free", False) and isinstance(session, str)):
            old(session)

    around(s, "perform", perform)
    around(s, "check_session", check)


@defect("SESSION-LOGOUT SESSION-REQUIRED", also="ROBUST-AUTH", cls="network")
def logout_deletes_without_a_look(s: Plain) -> None:
    """session.logout is a DELETE whose count of rows nobody reads: a dead or made-up session is logged out too."""

    def logout(old: Any, session: Any) -> None:
        if not isinstance(session, str) or session in s.objects["session"]:
            old(session)

    around(s, "logout", logout)


class Undrained(Handler):
    """Answers an unknown path at once."""

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server asks for
        if self.path in {"/", "/RPC2", "/jsonrpc"}:
            return super().do_POST()
        return self.reply(404, "text/html", b"<html>no such path</html>")


@defect("ROBUST-HTTP", cls="network")
def the_body_of_an_unknown_path_stays_in_the_pipe(s: Plain) -> None:
    """A POST to an unknown path is a 404 on a connection that lives on; its body is taken for the next request."""

    def serve(old: Any) -> None:
        old()
        s.http.RequestHandlerClass = Undrained

    around(s, "serve", serve)


@defect("ROBUST-NO-LEAK", cls="secret")
def buffers_come_back_uncleared(s: Plain) -> None:
    """Buffers are pooled: the error of a malformed JSON document quotes its buffer, with the end of an earlier call."""
    buffer = bytearray()

    def answer(old: Any, body: bytes) -> Any:
        with s.lock:
            buffer[: len(body)] = body
            quoted = buffer[:SHOWN].decode(errors="replace")
        try:
            return old(body)
        except Malformed:
            error = {"code": -32700, "message": "INTERNAL_ERROR", "data": [f"cannot parse: {quoted}"]}
            return s.dump({"jsonrpc": "2.0", "error": error, "id": None})

    around(s, "answer_json", answer)


# ---------------------------------------------------------------------------------------------------- writing replies


@defect("WIRE-XML-ENVELOPE", also="WIRE-METHOD-UNKNOWN", cls="VMSS")
def the_library_knows_no_such_handler(s: Plain) -> None:
    """An XML-RPC library dispatches: an unknown method gets its <fault>, not a struct with Status = Failure."""
    here = threading.local()

    def failure(old: Any, said: list[str]) -> Any:
        here.unknown = said[0] == "MESSAGE_METHOD_UNKNOWN"
        return old(said)

    def answer(old: Any, body: bytes) -> Any:
        here.unknown = False
        text = old(body)
        if not here.unknown:
            return text
        code, why = "<value><int>0</int></value>", s.xml(t.Str(), "No such handler")
        fault = s.struct([("faultCode", code), ("faultString", why)])
        return f"<?xml version='1.0'?><methodResponse><fault>{fault}</fault></methodResponse>"

    around(s, "xml_failure", failure)
    around(s, "answer_xml", answer)


@defect("WIRE-JSON-ID-ECHO", cls="GPU_group")
def the_ids_of_failures_are_text(s: Plain) -> None:
    """The type of a failed reply has a text for its id: 7 comes back as "7". Successes are right."""
    around(s, "json_failure", lambda old, fmt, said, ident: old(fmt, said, str(ident)))


@defect("WIRE-VOID", also="WIRE-AGREE", cls="PVS_site")
def handlers_by_hand_return_null(s: Plain) -> None:
    """Handlers written by hand (forget, set_PVS_uuid) return nothing, null in JSON; generated setters return ""."""

    def perform(old: Any, fmt: str, method: str, params: list[Any]) -> Any:
        of, value = old(fmt, method, params)
        message = s.find(method)
        by_hand = message is not None and not message.implicit and message.cls not in {"session", "event"}
        return of, Nothing if by_hand and of == t.Void() else value

    around(s, "perform", perform)
    around(s, "json", lambda old, of, value: None if value is Nothing else old(of, value))
    around(s, "xml", lambda old, of, value: old(of, None if value is Nothing else value))


@defect("WIRE-SET", also="LABEL-LOOKUP WIRE-AGREE", cls="blob")
def lookups_that_find_nothing_are_null(s: Plain) -> None:
    """get_by_name_label appends to a list that is not there yet: with no match it is null in JSON, not []."""
    around(s, "by_label", lambda old, of, label: old(of, label) or Nil())
    around(s, "json", lambda old, of, value: None if isinstance(value, Nil) else old(of, value))


@defect("WIRE-INT-JSON", also="WIRE-AGREE", cls="VM")
def long_numbers_are_text_for_browsers(s: Plain) -> None:
    """JSON ints beyond 2^53 leave as strings, so that no browser rounds them; all others are numbers."""

    def as_json(old: Any, of: Any, value: Any) -> Any:
        return str(value) if isinstance(of, t.Int) and abs(value) > SAFE else old(of, value)

    around(s, "json", as_json)


@defect("WIRE-STRING", also="ROBUST-ALIVE", cls="VM_appliance")
def markup_goes_into_sections(s: Plain) -> None:
    """XML texts with markup stand in a CDATA section, and one that holds ]]> ends it: the reply is no XML."""

    def text_of(old: Any, text: str) -> str:
        marked = any(each in text for each in "<&>") and "\r" not in text
        return f"<![CDATA[{text}]]>" if marked else str(old(text))

    around(s, "xml_string", text_of)


@defect("WIRE-BOOL", also="GET-ALL-AGREES WIRE-AGREE WHERE GET-EVERY-FIELD", cls="Observer")
def bools_of_whole_tables_are_bits(s: Plain) -> None:
    """Observer.get_all_records takes rows as the database has them: bools are 1 and 0 in JSON, there alone."""

    def as_json(old: Any, of: Any, value: Any) -> Any:
        found = old(of, value)
        if isinstance(of, t.MapOf) and of.value == t.RecordOf("Observer"):
            for row in found.values():
                row |= {name: int(each) for name, each in row.items() if isinstance(each, bool)}
        return found

    around(s, "json", as_json)


@defect("WIRE-AGREE", also="WIRE-DATETIME", cls="task")
def xml_dates_have_whole_seconds(s: Plain) -> None:
    """The XML writer formats dates to the second, the JSON writer as they are: task.created differs between them."""

    def as_xml(old: Any, of: Any, value: Any) -> Any:
        return old(of, value.replace(microsecond=0) if isinstance(value, datetime) else value)

    around(s, "xml", as_xml)


# ------------------------------------------------------------------------------------------------------------- fields


@defect("GET-EVERY-FIELD", also="GET-RECORD-AGREES", cls="host")
def deprecated_fields_have_no_getters(s: Plain) -> None:
    """The code generator skips deprecated fields where it writes getters; records still have them."""

    def find(old: Any, method: str) -> Any:
        message = old(method)
        if message is None or message.verb != "get":
            return message
        field = s.api.classes[message.cls].fields.get(message.field)
        return None if field is not None and field.lifecycle.state is State.DEPRECATED else message

    around(s, "find", find)


@defect("GET-BAD-REF", also="DESTROY-GONE", cls="SR")
def tags_of_nothing_are_none(s: Plain) -> None:
    """SR.get_tags reads a table of its own and never looks for the SR: of an unknown or destroyed one it is []."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            if method != "SR.get_tags" or no.args[0] != "HANDLE_INVALID":
                raise
            return t.SetOf(t.Str()), []

    around(s, "call", call)


@defect("SET-VALUE", also="STATE-MODEL LABEL-LOOKUP PERSIST WIRE-STRING", cls="GPU_group")
def what_the_collation_calls_equal_is_not_written(s: Plain) -> None:
    """An UPDATE of a GPU_group's texts has `AND name <> ?`: a new value that differs in case or end spaces is lost."""

    def folded(text: str) -> str:
        return text.rstrip(" ").casefold()

    for name in ("name_label", "name_description"):

        def do_set(old: Any, _ref: str, obj: dict[str, Any], value: str, name: str = name) -> None:
            if folded(obj[name]) != folded(value):
                old(value)

        doing(s, "set", "GPU_group", name, do_set)


@defect("SET-ADD-DEDUP SET-NO-DUPLICATES", also="STATE-MODEL", cls="VIF")
def only_added_values_are_in_the_index(s: Plain) -> None:
    """VIF.add_ipv4_allowed asks an index that it alone fills: a value that create or set put there is added again."""
    index: dict[str, set[str]] = {}

    def add(_old: Any, ref: str, obj: dict[str, Any], value: str) -> None:
        if value not in index.setdefault(ref, set()):
            index[ref].add(value)
            obj["ipv4_allowed"] = [*obj["ipv4_allowed"], value]

    def remove(old: Any, ref: str, _obj: dict[str, Any], value: str) -> None:
        index.setdefault(ref, set()).discard(value)
        old(value)

    def do_set(old: Any, ref: str, _obj: dict[str, Any], value: list[str]) -> None:
        index[ref] = set()
        old(value)

    doing(s, "add", "VIF", "ipv4_allowed", add)
    doing(s, "remove", "VIF", "ipv4_allowed", remove)
    doing(s, "set", "VIF", "ipv4_allowed", do_set)


@defect("SET-REMOVE", also="STATE-MODEL", cls="VDI")
def a_search_gives_the_place_to_insert(s: Plain) -> None:
    """VDI.remove_tags takes the place that a binary search gives; of an absent tag that is the next greater one's."""

    def remove(_old: Any, _ref: str, obj: dict[str, Any], value: str) -> None:
        ordered = sorted(obj["tags"])
        at = bisect.bisect_left(ordered, value)
        obj["tags"] = ordered[:at] + ordered[at + 1 :]

    doing(s, "remove", "VDI", "tags", remove)


@defect("MAP-DUPLICATE-UNCHANGED", also="MAP-DUPLICATE-KEY STATE-MODEL", cls="pool")
def a_rollback_takes_the_last_statement_too(s: Plain) -> None:
    """Each add to pool.gui_config is committed by the next: the rollback of a present key undoes the add before it."""
    saved: dict[str, dict[str, str]] = {}

    def add_to(old: Any, ref: str, obj: dict[str, Any], key: str, value: str) -> None:
        before = obj["gui_config"]
        try:
            old(key, value)
        except Refusal:
            obj["gui_config"] = saved.pop(ref, before)
            raise
        saved[ref] = before

    def committed(old: Any, ref: str, _obj: dict[str, Any], *values: Any) -> None:
        saved.pop(ref, None)
        old(*values)

    doing(s, "add_to", "pool", "gui_config", add_to)
    for verb in ("set", "remove_from"):
        doing(s, verb, "pool", "gui_config", committed)


@defect("ROBUST-ALIVE", also="WIRE-TYPE WIRE-ENUM ROBUST-NO-EFFECT STATE-MODEL SET-VALUE", cls="VMSS")
def the_transaction_stays_aborted(s: Plain) -> None:
    """A value of a wrong type in VMSS.set_f fails in the database; the next call on that connection, any, fails too."""
    aborted: set[str] = set()

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        with s.lock:
            try:
                return old(fmt, method, raw)
            except Refusal as no:
                typed = no.args[0] == ("INTERNAL_ERROR" if "internal_errors" in s.tastes else "FIELD_TYPE_ERROR")
                if typed and method.startswith("VMSS.set_"):
                    aborted.add("the connection")
                raise

    def check_role(old: Any, message: Any) -> None:
        if aborted:
            aborted.clear()
            raise Refusal("INTERNAL_ERROR", "current transaction is aborted, commands ignored until its end")
        old(message)

    around(s, "call", call)
    around(s, "check_role", check_role)
