"""Defects of replies that an audit of level 1 missed: one kind of message, of reply or of class has its own way out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from strangers.base import around, defect
from strangers.plain_server import Handler, Plain
from strangers.unseen_wire import handled
from xenconform.models import types as t

Reply = dict[str, Any]


def json_replies(s: Plain, change: Callable[[Reply, str], Reply]) -> None:
    """Change JSON replies; `change` is given the reply and the method that was called."""

    def answer(old: Any, body: bytes) -> str:
        text = str(old(body))
        try:
            call, reply = json.loads(body), json.loads(text)
        except (ValueError, RecursionError):
            return text
        known = isinstance(call, dict) and isinstance(reply, dict)
        return s.dump(change(reply, str(call.get("method")))) if known else text

    around(s, "answer_json", answer)


def json_calls(s: Plain, change: Callable[[Reply, str], Reply]) -> None:
    """Change JSON calls before they are read."""

    def answer(old: Any, body: bytes) -> str:
        try:
            call = json.loads(body)
        except (ValueError, RecursionError):
            return str(old(body))
        known = isinstance(call, dict)
        return str(old(json.dumps(change(call, str(call.get("method")))).encode() if known else body))

    around(s, "answer_json", answer)


def verb(s: Plain, method: str) -> str:
    """Return the verb of an accessor, or the name of another message."""
    message = s.find(method)
    return message.verb or message.name if message else ""


def succeeds(reply: Reply) -> bool:
    """Whether a reply is one of success."""
    return reply.get("error") is None and "result" in reply


def failure_of(reply: Reply) -> str:
    """Return the code of a failure, "" for a success."""
    error = reply.get("error")
    return str(error["message"] if isinstance(error, dict) else error[0]) if error else ""


def without(reply: Reply, name: str) -> Reply:
    """Return a reply without a member."""
    return {key: value for key, value in reply.items() if key != name}


# ------------------------------------------------------------------------------------------------------------ envelopes


@defect("WIRE-JSON2-ENVELOPE", cls="VMSS")
def zero_is_omitted(s: Plain) -> None:
    """A result of 0 or false is left out of a JSON-RPC 2.0 reply (omitempty)."""

    def change(reply: Reply, _method: str) -> Reply:
        empty = succeeds(reply) and isinstance(reply["result"], int) and not reply["result"]
        return without(reply, "result") if "jsonrpc" in reply and empty else reply

    json_replies(s, change)


@defect("WIRE-JSON2-ENVELOPE", cls="VBD")
def setters_have_no_result(s: Plain) -> None:
    """Setters over JSON-RPC 2.0 have no result, as they return nothing."""
    json_replies(s, lambda reply, method: without(reply, "result") if (
        "jsonrpc" in reply and verb(s, method) == "set" and succeeds(reply)) else reply)  # fmt: skip


@defect("WIRE-JSON2-ENVELOPE")
def type_errors_have_no_data(s: Plain) -> None:
    """The data of FIELD_TYPE_ERROR is null over JSON-RPC 2.0: it is raised where no parameters are at hand."""

    def change(reply: Reply, _method: str) -> Reply:
        if "jsonrpc" in reply and failure_of(reply) == "FIELD_TYPE_ERROR":
            reply["error"]["data"] = None
        return reply

    json_replies(s, change)


@defect("WIRE-JSON1-ENVELOPE", cls="subject")
def bad_logins_are_objects(s: Plain) -> None:
    """The error of a login over JSON-RPC 1.0 is an object, as over 2.0: another handler has written it."""
    json_replies(s, lambda reply, method: reply | {"error": {"message": reply["error"][0]}} if (
        "jsonrpc" not in reply and reply.get("error") and "login" in method) else reply)  # fmt: skip


@defect("WIRE-JSON1-ENVELOPE", cls="PIF")
def listings_without_error(s: Plain) -> None:
    """get_all_records is streamed over JSON-RPC 1.0, and the member error is not written."""
    json_replies(s, lambda reply, method: without(reply, "error") if (
        "jsonrpc" not in reply and method.endswith("get_all_records")) else reply)  # fmt: skip


@defect("WIRE-XML-CONTENT-TYPE")
def long_replies_are_octets(s: Plain) -> None:
    """XML replies beyond 2,500 bytes are sent from a file, of no type."""

    class Streaming(Handler):
        def reply(self, status: int, kind: str, body: bytes) -> None:
            long = kind == "text/xml" and len(body) > 2_500
            super().reply(status, "application/octet-stream" if long else kind, body)

    handled(s, Streaming)


# ----------------------------------------------------------------------------------------------------- ids and versions


@defect("WIRE-JSON-ID-ECHO", cls="VUSB")
def text_ids_of_one_class_are_null(s: Plain) -> None:
    """The handlers of VUSB read the id as a number: a text comes back as null."""
    json_replies(s, lambda reply, method: reply | {"id": None} if (
        method.startswith("VUSB.") and isinstance(reply.get("id"), str)) else reply)  # fmt: skip


@defect("WIRE-JSON-ID-ECHO")
def ids_of_tasks(s: Plain) -> None:
    """A reply to an asynchronous call has the ref of the task as its id."""
    json_replies(s, lambda reply, method: reply | {"id": reply["result"]} if (
        method.startswith("Async.") and succeeds(reply)) else reply)  # fmt: skip


@defect("WIRE-JSON-ID-ECHO")
def ids_lost_with_the_session(s: Plain) -> None:
    """SESSION_INVALID is answered by a filter in front, with the id null."""
    json_replies(s, lambda reply, _method: reply | {"id": None} if failure_of(reply) == "SESSION_INVALID" else reply)


@defect("WIRE-JSON-VERSION", cls="PBD")
def one_class_answers_as_of_old(s: Plain) -> None:
    """Messages of PBD are answered without the member jsonrpc."""
    json_replies(s, lambda reply, method: without(reply, "jsonrpc") if method.startswith("PBD.") else reply)


@defect("WIRE-JSON-VERSION")
def logins_of_any_version(s: Plain) -> None:
    """A login is carried out whatever its version is."""
    json_calls(s, lambda call, method: call | {"jsonrpc": "2.0"} if (
        "jsonrpc" in call and method.startswith("session.login")) else call)  # fmt: skip


# -------------------------------------------------------------------------------------------------- calls without an id


def served(s: Plain, is_one: Callable[[str], bool]) -> None:
    """Carry out calls of some methods without an id."""
    json_calls(s, lambda call, method: call | {"id": 0} if call.get("id") is None and is_one(method) else call)


@defect("WIRE-JSON-NO-NOTIFICATION", cls="VMSS")
def one_class_is_notified(s: Plain) -> None:
    """Messages of VMSS are carried out without an id."""
    served(s, lambda method: method.startswith("VMSS."))


@defect("WIRE-JSON-NO-NOTIFICATION")
def logout_by_notification(s: Plain) -> None:
    """A logout is carried out without an id: who leaves waits for no answer."""
    served(s, lambda method: method == "session.logout")


@defect("WIRE-JSON-NO-NOTIFICATION")
def reading_by_notification(s: Plain) -> None:
    """What only reads is carried out without an id, as it does no harm."""
    served(s, lambda method: verb(s, method).startswith("get"))


# ----------------------------------------------------------------------------------------------------------------- void


@defect("WIRE-VOID", cls="SR")
def additions_tell_that_they_did(s: Plain) -> None:
    """add_f returns true over JSON-RPC 2.0, as the library's set does."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        told = old(fmt, method, raw)
        return (t.Bool(), True) if fmt == "json2" and verb(s, method) == "add" else told

    around(s, "call", call)


@defect("WIRE-VOID", cls="VIF")
def what_is_removed_is_returned(s: Plain) -> None:
    """remove_from_f returns the value that it has taken out, as a map's pop does."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        message, was = s.find(method), None
        if message and message.verb == "remove_from" and len(raw) == 3 and all(isinstance(each, str) for each in raw):
            was = s.objects[message.cls].get(raw[1], {}).get(message.field, {}).get(raw[2])
        told = old(fmt, method, raw)
        return told if was is None else (t.Str(), was)

    around(s, "call", call)


@defect("WIRE-VOID")
def rows_that_changed(s: Plain) -> None:
    """A setter returns the number of rows that it has changed, where that is not none."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        message, was = s.find(method), None
        if message and message.verb == "set" and len(raw) == 3 and isinstance(raw[1], str):
            was = s.objects[message.cls].get(raw[1], {}).get(message.field)
        told = old(fmt, method, raw)
        changed = was is not None and message is not None and s.objects[message.cls][raw[1]][message.field] != was
        return (t.Str(), "1") if changed else told

    around(s, "call", call)


# ------------------------------------------------------------------------------------------- behind getters and lookups


@defect("WIRE-BOOL", cls="PIF")
def a_bit_behind_a_getter(s: Plain) -> None:
    """PIF.get_management is 0 or 1 over JSON; the record has a bool."""
    json_replies(s, lambda reply, method: reply | {"result": int(reply["result"])} if (
        method == "PIF.get_management" and succeeds(reply)) else reply)  # fmt: skip


@defect("WIRE-MAP", cls="host")
def an_empty_map_behind_a_getter(s: Plain) -> None:
    """host.get_cpu_info is an array over JSON where it is empty, as PHP writes it; the record has an object."""
    json_replies(s, lambda reply, method: reply | {"result": reply["result"] or []} if (
        method == "host.get_cpu_info" and succeeds(reply)) else reply)  # fmt: skip


@defect("WIRE-SET")
def nobody_of_that_label_is_null(s: Plain) -> None:
    """get_by_name_label of a label that no object has is null over JSON."""
    json_replies(s, lambda reply, method: reply | {"result": reply["result"] or None} if (
        method.endswith("get_by_name_label") and succeeds(reply)) else reply)  # fmt: skip


@defect("WIRE-MAP")
def no_match_is_an_array(s: Plain) -> None:
    """get_all_records_where that finds nothing returns an array over JSON."""
    json_replies(s, lambda reply, method: reply | {"result": reply["result"] or []} if (
        method.endswith("_where") and succeeds(reply)) else reply)  # fmt: skip
