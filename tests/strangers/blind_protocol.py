"""Blind defects of the protocol: envelopes, HTTP, errors, arity, types, bad documents, refs and sessions.

They were written from the clauses and the server alone, without a look at the suite, to learn what it misses.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

from strangers.base import after, around, defect
from strangers.documents import no_constant, once
from strangers.plain_server import Handler, Plain
from strangers.roles import USERS
from strangers.values import NULL, Malformed, Refusal
from xenconform.models import types as t

MAP_VERBS = frozenset({"add_to", "remove_from"})
WRITERS = MAP_VERBS | {"set", "add", "remove"}
TRACE = (
    "java.lang.ClassCastException: class java.util.HashMap cannot be cast to class java.lang.String\n"
    "\tat com.poolserver.rpc.Marshaller.unmarshal(Marshaller.java:214)\n"
    "\tat com.poolserver.rpc.Dispatcher.dispatch(Dispatcher.java:97)"
)


def parsed(body: bytes) -> Any:
    """Return what a JSON document says, or None if it is none."""
    try:
        return json.loads(body.decode(), object_pairs_hook=once, parse_constant=no_constant)
    except (Malformed, ValueError, RecursionError):
        return None


def handled_by(s: Plain, handler: type[Handler]) -> None:
    """Serve connections by another handler, also after a restart."""

    def put() -> None:
        s.http.RequestHandlerClass = handler

    after(s, "serve", put)
    if hasattr(s, "http"):
        put()


def refused_as(s: Plain, name: str, other: Callable[..., Refusal]) -> None:
    """Put `other(refusal, *args)` in place of the refusals of a method."""

    def both(old: Callable[..., Any], *args: Any) -> Any:
        try:
            return old(*args)
        except Refusal as no:
            raise other(no, *args) from None

    around(s, name, both)


# ---------------------------------------------------------------------------------------------------------------- easy


@defect("WIRE-JSON1-ENVELOPE", cls="network")
def null_error_is_omitted(s: Plain) -> None:
    """A JSON-RPC 1.0 reply to a call that succeeds has no error member (omitempty)."""

    def success(old: Any, fmt: str, result: Any, ident: Any) -> Any:
        return {k: v for k, v in old(fmt, result, ident).items() if k != "error"}

    around(s, "json_success", success)


@defect("WIRE-JSON2-ENVELOPE", cls="secret")
def failure_has_null_result(s: Plain) -> None:
    """A JSON-RPC 2.0 failure has a result member too, null (the serialiser writes every property)."""

    def failure(old: Any, fmt: str, said: list[str], ident: Any) -> Any:
        return old(fmt, said, ident) | ({"result": None} if fmt == "json2" else {})

    around(s, "json_failure", failure)


@defect("WIRE-JSON-ID-ECHO", cls="VUSB")
def failure_forgets_id(s: Plain) -> None:
    """A JSON-RPC reply to a call that fails has the id null (the error handler does not know the request)."""
    around(s, "json_failure", lambda old, fmt, said, _ident: old(fmt, said, None))


@defect("WIRE-JSON-NO-NOTIFICATION", cls="SDN_controller")
def no_id_is_served(s: Plain) -> None:
    """A JSON-RPC call without id, or with id null, is carried out and answered with id null."""

    def answer(old: Any, body: bytes) -> str:
        call = parsed(body)
        if not isinstance(call, dict) or call.get("id") is not None:
            return str(old(body))
        reply = json.loads(old(json.dumps(call | {"id": 0}).encode()))
        return s.dump(reply | {"id": None})

    around(s, "answer_json", answer)


@defect("WIRE-ARITY", cls="VDI")
def surplus_is_ignored(s: Plain) -> None:
    """Parameters after the last that a message takes are ignored."""

    def perform(old: Any, fmt: str, method: str, params: list[Any]) -> Any:
        message = s.find(method)
        if message and message.takes_session:
            params = params[: 1 + (0 if message.full_name == "session.logout" else len(message.params))]
        return old(fmt, method, params)

    around(s, "perform", perform)


@defect("WIRE-ARITY-CODE", cls="SR")
def counts_change_places(s: Plain) -> None:
    """MESSAGE_PARAMETER_COUNT_MISMATCH says how many came where it should say how many are taken, and the reverse."""
    refused_as(s, "check_arity", lambda no, *_: Refusal(no.args[0], no.args[1], no.args[3], no.args[2]))


@defect("CALL-BAD-REF", cls="USB_group")
def update_of_no_rows(s: Plain) -> None:
    """A setter, adder or remover that is called on a ref to no object succeeds (UPDATE ... WHERE ref = ?)."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            message = s.find(method)
            if message and message.verb in WRITERS and no.args == ("HANDLE_INVALID", message.cls, raw[1] or NULL):
                return t.Void(), None
            raise

    around(s, "call", call)


@defect("WIRE-XML-ENVELOPE", cls="VBD")
def library_answers_unknown(s: Plain) -> None:
    """An unknown method over XML-RPC is answered with the library's own fault, not with Status and ErrorDescription."""

    def failure(old: Any, said: list[str]) -> str:
        return f"\0{said[1]}\0" if said[0] == "MESSAGE_METHOD_UNKNOWN" else str(old(said))

    def answer(old: Any, body: bytes) -> str:
        text = str(old(body))
        found = re.search("\0(.*)\0", text, re.DOTALL)
        if not found:
            return text
        why = s.xml(t.Str(), f"No such handler: {found[1]}")
        fault = s.struct([("faultCode", "<value><int>-32601</int></value>"), ("faultString", why)])
        return f"<?xml version='1.0'?><methodResponse><fault>{fault}</fault></methodResponse>"

    around(s, "xml_failure", failure)
    around(s, "answer_xml", answer)


@defect("ROBUST-NO-LEAK", cls="VM")
def wrong_type_is_traced(s: Plain) -> None:
    """The error for a parameter of the wrong type carries the server's stack trace as its last parameter."""
    around(s, "bad", lambda old, of, raw: Refusal(*old(of, raw).args, TRACE))


@defect("GET-BAD-REF-CODE", cls="blob")
def ref_before_class(s: Plain) -> None:
    """HANDLE_INVALID of a getter has the ref first and the class second."""

    def other(no: Refusal, _fmt: str, method: str, *_: Any) -> Refusal:
        message = s.find(method)
        getter = message is not None and (message.verb == "get" or message.name == "get_record")
        return Refusal(no.args[0], no.args[2], no.args[1]) if getter and no.args[0] == "HANDLE_INVALID" else no

    refused_as(s, "perform", other)


# -------------------------------------------------------------------------------------------------------------- medium


@defect("WIRE-MALFORMED", cls="tunnel")
def rest_is_not_read(s: Plain) -> None:
    """A JSON body with more text after the end of its call is taken as if that were not there (a streaming decoder)."""

    def answer(old: Any, body: bytes) -> str:
        try:
            text = body.decode().lstrip()
            _, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            return str(old(body))
        return str(old(text[:end].encode()))

    around(s, "answer_json", answer)


@defect("ROBUST-UNICODE", cls="Repository")
def decoder_replaces(s: Plain) -> None:
    """Over JSON, bytes that are no UTF-8 and lone surrogates are stored as U+FFFD (as Go's encoding/json does)."""

    def text(old: Any, raw: str) -> str:
        return str(old(raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")))

    around(s, "answer_json", lambda old, body: old(body.decode("utf-8", "replace").encode()))
    around(s, "text", lambda old, raw: old(raw) if s.fmt == "xml" else text(old, raw))


@defect("ROBUST-BATCH", cls="VMSS")
def batch_ends_at_error(s: Plain) -> None:
    """A batch is answered up to the first of its calls that fails; the calls after that have no reply."""

    def answer(old: Any, body: bytes) -> str:
        calls = parsed(body)
        if not isinstance(calls, list) or not calls:
            return str(old(body))
        replies: list[Any] = []
        while len(replies) < len(calls) and not (replies and replies[-1].get("error")):
            replies.append(json.loads(old(json.dumps(calls[len(replies)]).encode())))
        return json.dumps(replies)

    around(s, "answer_json", answer)


@defect("WIRE-METHOD-UNKNOWN", cls="VBD")
def class_in_any_case(s: Plain) -> None:
    """A method whose class is written in another case, as vbd.get_all, is carried out (a case-blind route table)."""
    proper = {name.lower(): name for name in s.api.classes}

    def find(old: Any, method: str) -> Any:
        cls, dot, name = method.partition(".")
        return old(proper.get(cls.lower(), cls) + dot + name)

    around(s, "find", find)


@defect("ROBUST-DEPTH-SIZE", cls="task")
def depth_costs_its_square(s: Plain) -> None:
    """A deeply nested JSON document is refused only after a time that grows with the square of its depth."""

    def answer(old: Any, body: bytes) -> str:
        depth = deepest = 0
        for mark in re.findall(rb"[\[{}\]]", re.sub(rb'"(?:\\.|[^"\\])*"', b"", body, flags=re.DOTALL)):
            depth += 1 if mark in b"[{" else -1
            deepest = max(deepest, depth)
        if deepest > 500:
            time.sleep(min(deepest * deepest / 1e7, 30))
        return str(old(body))

    around(s, "answer_json", answer)


@defect("ROBUST-XML-ENTITIES", cls="PVS_site")
def internal_entities_expand(s: Plain) -> None:
    """An XML-RPC call with a DTD is accepted and the entities that the DTD declares are expanded in its parameters."""

    def answer(old: Any, body: bytes) -> str:
        if b"<!DOCTYPE" in body:
            try:
                body = ET.tostring(ET.fromstring(body))
            except ET.ParseError:
                return str(old(body))
        return str(old(body))

    around(s, "answer_xml", answer)


@defect("ASYNC-TASK", cls="GPU_group")
def task_keeps_code_only(s: Plain) -> None:
    """The error_info of a task that failed holds the error's code without its parameters."""
    around(s, "error_info", lambda old, no: old(no)[:1])


@defect("CREATE-BAD", cls="PBD")
def record_refs_of_any_class(s: Plain) -> None:
    """PBD.create takes refs to objects of other classes, as an SR for its host (one table of refs for all classes)."""
    making: list[str] = []

    def create(old: Any, of: Any, raw: Any) -> Any:
        making.append(of.name)
        try:
            return old(of, raw)
        finally:
            making.pop()

    def read(old: Any, of: Any, raw: Any) -> Any:
        known = making == ["PBD"] and isinstance(of, t.RefTo) and isinstance(raw, str)
        return raw if known and any(raw in rows for rows in s.objects.values()) else old(of, raw)

    around(s, "create", create)
    around(s, "read", read)


@defect("ROBUST-HTTP", cls="host")
def lost_path_leaves_body(s: Plain) -> None:
    """A POST to an unknown path gets a 404 on a kept connection, and its unread body is taken for the next request."""

    class Router(Handler):
        def do_POST(self) -> None:  # noqa: N802 - the name that the library calls
            if self.path in {"/", "/RPC2", "/jsonrpc"}:
                super().do_POST()
            else:
                self.reply(404, "text/html", b"<html>not found</html>")

    handled_by(s, Router)


@defect("ROBUST-NO-EFFECT", cls="VIF")
def counted_when_done(s: Plain) -> None:
    """add_to_f and remove_from_f with a parameter too many fail, yet the map has been changed."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            message = s.find(method)
            if message and message.verb in MAP_VERBS and len(raw) > 1 + len(message.params):
                try:
                    old(fmt, method, raw[: 1 + len(message.params)])
                except Refusal:
                    raise no from None
            raise

    around(s, "call", call)


# ---------------------------------------------------------------------------------------------------------------- hard


@defect("WIRE-TYPE", cls="SR")
def first_member_is_checked(s: Plain) -> None:
    """In a set of strings, numbers and bools from the second member on are taken and kept as text."""

    def read(old: Any, of: Any, raw: Any) -> Any:
        if of == t.SetOf(t.Str()) and isinstance(raw, list):
            raw = raw[:1] + [json.dumps(each) if isinstance(each, int | float) else each for each in raw[1:]]
        return old(of, raw)

    around(s, "read", read)


@defect("WIRE-INT-REQUEST", cls="VM")
def ints_through_doubles(s: Plain) -> None:
    """An int that is sent as a JSON number beyond 2^53 is rounded to a double; as decimal text it is exact."""

    def whole(old: Any, raw: Any) -> int:
        big = s.fmt != "xml" and isinstance(raw, int) and 2**53 < abs(raw) < 2**63
        return int(old(min(int(float(raw)), 2**63 - 1) if big else raw))

    around(s, "int", whole)


@defect("GET-BAD-REF", cls="VM_appliance")
def uuid_serves_as_ref(s: Plain) -> None:
    """The getters of VM_appliance take the object's uuid in place of its ref."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        message = s.find(method)
        if message and message.cls == "VM_appliance" and message.verb == "get" and len(raw) == 2:
            with s.lock:
                rows = s.objects["VM_appliance"].items()
                raw = [raw[0], next((ref for ref, row in rows if row["uuid"] == raw[1]), raw[1])]
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("ROBUST-AUTH", cls="Cluster")
def session_by_like(s: Plain) -> None:
    """A session of % or of OpaqueRef:% is valid while anyone is logged in (SELECT ... WHERE ref LIKE ?)."""

    def check(old: Any, session: Any) -> None:
        if isinstance(session, str) and {"%", "_"} & set(session):
            like = re.escape(session).replace("%", ".*").replace("_", ".")
            if any(re.fullmatch(like, each) for each in s.objects["session"]):
                return
        old(session)

    def logout(old: Any, session: Any) -> None:
        s.check_session(session)
        if session in s.objects["session"]:
            old(session)

    around(s, "check_session", check)
    around(s, "logout", logout)


@defect("SESSION-LOGIN", cls="secret")
def eight_letters_count(s: Plain) -> None:
    """A password is right when its first eight characters are, whatever follows them (the old crypt)."""

    def role_for(old: Any, raw: list[Any]) -> str:
        password, role = USERS.get(raw[0], ("", "")) if isinstance(raw[0], str) else ("", "")
        right = role and isinstance(raw[1], str) and raw[1][:8] == password[:8]
        return role if right else str(old(raw))

    around(s, "role_for", role_for)


@defect("WIRE-JSON-VERSION", cls="VGPU")
def filter_speaks_two(s: Plain) -> None:
    """SESSION_INVALID is answered in the 2.0 form to a JSON-RPC 1.0 call (a filter before the codec makes it)."""

    def failure(old: Any, fmt: str, said: list[str], ident: Any) -> Any:
        return old("json2" if said[0] == "SESSION_INVALID" else fmt, said, ident)

    around(s, "json_failure", failure)


@defect("SESSION-REQUIRED", cls="VM_appliance")
def queue_asks_no_session(s: Plain) -> None:
    """The Async forms of messages are carried out with any text for a session (the queue's worker is trusted)."""
    here = threading.local()

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        here.queued = method.startswith("Async.")
        return old(fmt, method, raw)

    def check(old: Any, session: Any) -> None:
        if not (getattr(here, "queued", False) and isinstance(session, str)):
            old(session)

    around(s, "call", call)
    around(s, "check_session", check)


@defect("MAP-DUPLICATE-PARAMS", cls="VIF")
def key_is_quoted(s: Plain) -> None:
    r"""MAP_DUPLICATE_KEY names a key that is not ASCII in escapes, caf\xe9 for café (printed with %+q)."""

    def other(no: Refusal, *_: Any) -> Refusal:
        return Refusal(*no.args[:-1], str(no.args[-1]).encode("ascii", "backslashreplace").decode())

    refused_as(s, "do_add_to", other)


@defect("ROBUST-ALIVE", cls="subject")
def refusal_keeps_lock(s: Plain) -> None:
    """After a refused subject.create the next call on the class subject waits six seconds for a lock that was kept."""
    kept: list[str] = []

    def create(old: Any, of: Any, raw: Any) -> Any:
        try:
            return old(of, raw)
        except Refusal:
            kept.append(of.name)
            raise

    def perform(old: Any, fmt: str, method: str, params: list[Any]) -> Any:
        if "subject" in kept and method.startswith("subject."):
            time.sleep(6)
            kept.clear()
        return old(fmt, method, params)

    around(s, "create", create)
    around(s, "perform", perform)


@defect("SESSION-LOGOUT", cls="network")
def gateway_remembers(s: Plain) -> None:
    """A session that was used over JSON-RPC stays valid there after its logout over XML-RPC (a gateway's cache)."""
    seen: set[str] = set()

    def check(old: Any, session: Any) -> None:
        if s.fmt == "xml" or not isinstance(session, str) or session not in seen:
            old(session)
            seen.update({session} if s.fmt != "xml" else ())

    def perform(old: Any, fmt: str, method: str, params: list[Any]) -> Any:
        if method != "session.logout":
            return old(fmt, method, params)
        with s.lock:
            s.fmt = fmt
            seen.difference_update([each for each in params if isinstance(each, str)] if fmt != "xml" else ())
            try:
                return old(fmt, method, params)
            finally:
                seen.difference_update([each for each in params if isinstance(each, str)] if fmt != "xml" else ())

    around(s, "check_session", check)
    around(s, "perform", perform)
    after(s, "restart", seen.clear)
