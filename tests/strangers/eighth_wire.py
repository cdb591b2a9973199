"""Defects of a server behind gateways and decoders written by hand; written without a look at the checks."""

from __future__ import annotations

import json
import re
import uuid
from contextlib import suppress
from typing import Any

from strangers.base import around, defect
from strangers.plain_server import Handler, Plain
from strangers.roles import USERS
from strangers.values import Malformed, Refusal
from xenconform.models import types as t

PATHS = {"/", "/RPC2", "/jsonrpc"}
CRYPTED = 8
TRACE = """Traceback (most recent call last):
  File "/opt/poold/lib/poold/lookup.py", line 88, in by_uuid
    key = uuid.UUID(text)
  File "/usr/lib/python3.11/uuid.py", line 177, in __init__
ValueError: badly formed hexadecimal UUID string"""

# ------------------------------------------------------------------------------------------------------------ the wire


def is_number(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch("-?[0-9]{1,18}", text) is not None


@defect("WIRE-JSON-ID-ECHO", cls="VM_appliance")
def ids_of_digits_become_numbers(s: Plain) -> None:
    """A JSON id that is a string of digits comes back as a number: the gateway guesses the types of scalars."""

    def guessed(old: Any, fmt: str, what: Any, ident: Any) -> Any:
        return old(fmt, what, int(ident) if is_number(ident) else ident)

    around(s, "json_success", guessed)
    around(s, "json_failure", guessed)


@defect("WIRE-JSON-NO-NOTIFICATION", also="ROBUST-NO-EFFECT", cls="secret")
def calls_with_a_null_id_are_carried_out(s: Plain) -> None:
    """A JSON call whose id is null is refused when its reply is written, once the call has had its effect."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            return old(body)
        except Malformed:
            with suppress(ValueError, RecursionError, Malformed):
                call = json.loads(body)
                if isinstance(call, dict) and "id" in call and call["id"] is None:
                    old(json.dumps(call | {"id": 0}).encode())
            raise

    around(s, "answer_json", answer)


@defect("WIRE-INT-XML", also="WIRE-AGREE", cls="PVS_cache_storage")
def ints_beyond_32_bits_have_a_tag(s: Plain) -> None:
    """In XML an int that 32 bits do not hold leaves as <i8>, as the library has it; smaller ones are digits."""

    def tagged(old: Any, of: t.Type, value: Any) -> Any:
        large = isinstance(of, t.Int) and not -(2**31) <= value < 2**31
        return f"<value><i8>{value}</i8></value>" if large else old(of, value)

    around(s, "xml", tagged)


@defect("WIRE-VOID", cls="VMPP")
def destructors_tell_that_a_row_went(s: Plain) -> None:
    """A destructor answers true, as the row count of its statement is not 0, where the result is void."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        of, value = old(fmt, method, raw)
        cls, _, name = method.rpartition(".")
        ends = cls in s.api.classes and name and s.api.classes[cls].destructor == name
        return (t.Bool(), True) if ends else (of, value)

    around(s, "call", call)


@defect(
    "WIRE-MAP", also="WIRE-AGREE MAP-ADD SET-VALUE GET-EVERY-FIELD GET-RECORD-AGREES CREATE-FIELDS", cls="USB_group"
)
def maps_numbered_from_zero_become_arrays(s: Plain) -> None:
    """A map whose keys are "0", "1" and so on leaves as a JSON array, as a PHP array does; the empty one as {}."""

    def listed(old: Any, of: t.Type, value: Any) -> Any:
        found = old(of, value)
        if isinstance(of, t.MapOf) and found and list(found) == [str(at) for at in range(len(found))]:
            return list(found.values())
        return found

    around(s, "json", listed)


@defect("WIRE-ENUM", also="WIRE-TYPE CREATE-BAD", cls="VM")
def keys_that_are_no_operations_are_kept(s: Plain) -> None:
    """The keys of a map are read as texts whatever their type: VM.set_blocked_operations takes any word for one."""

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        if isinstance(of, t.MapOf) and isinstance(of.key, t.Enum):
            return old(t.MapOf(t.Str(), of.value), raw)
        return old(of, raw)

    around(s, "read", read)


@defect("WIRE-MALFORMED", also="ROBUST-NO-EFFECT", cls="network")
def what_follows_the_document_is_not_read(s: Plain) -> None:
    """A streaming decoder takes the first JSON value of the body, and nobody looks at what follows it."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            text = body.decode().lstrip(" \t\r\n")
            _, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            return old(body)
        return old(text[:end].encode())

    around(s, "answer_json", answer)


@defect("WIRE-AGREE GET-RECORD-AGREES", also="GET-ALL-AGREES SET-VALUE MAP-ADD MAP-REMOVE SET-ONLY-THAT", cls="secret")
def the_json_gateway_keeps_records(s: Plain) -> None:
    """The JSON gateway keeps the records of secrets that it has sent, and hears only of changes made through itself."""
    kept: dict[str, dict[str, Any]] = {}

    def get_record(old: Any, of: Any, ref: str) -> Any:
        if of.name != "secret" or s.fmt == "xml":
            return old(of, ref)
        s.object(of, ref)
        if ref not in kept:
            kept[ref] = old(of, ref)
        return kept[ref]

    def write(old: Any, message: Any, field: Any, args: list[Any]) -> None:
        if message.cls == "secret" and s.fmt != "xml":
            kept.pop(args[0], None)
        old(message, field, args)

    around(s, "get_record", get_record)
    around(s, "write", write)


# ------------------------------------------------------------------------------------------------------------ sessions


@defect("SESSION-LOGIN", cls="network")
def passwords_count_to_their_eighth_character(s: Plain) -> None:
    """Passwords are compared as the old crypt does: what follows the eighth character does not matter."""

    def role_for(old: Any, raw: list[Any]) -> Any:
        known = USERS.get(raw[0]) if isinstance(raw[0], str) else None
        if known is not None and isinstance(raw[1], str) and raw[1][:CRYPTED] == known[0][:CRYPTED]:
            return known[1]
        return old(raw)

    around(s, "role_for", role_for)


@defect("SESSION-REQUIRED", also="SESSION-LOGOUT ROBUST-AUTH", cls="network")
def logout_never_fails(s: Plain) -> None:
    """session.logout is a DELETE that may match nothing: with a made-up or an ended session it succeeds too."""

    def logout(old: Any, session: Any) -> None:
        if not isinstance(session, str) or session in s.objects["session"]:
            old(session)

    around(s, "logout", logout)


@defect("SESSION-REQUIRED", also="ROBUST-NO-EFFECT ROBUST-AUTH SESSION-LOGOUT", cls="VM_appliance")
def tasks_are_queued_before_the_session_is_checked(s: Plain) -> None:
    """Async.c.create without a valid session is refused, but its work was queued before and is done all the same."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            with s.lock:
                message = s.find(method) if method.startswith("Async.") else None
                queued = message is not None and message.implicit and message.name == "create" and len(raw) == 2
                if message is not None and queued and no.args[0] == "SESSION_INVALID":
                    s.dirty = True
                    s.begin(message, raw[1:])
            raise

    around(s, "call", call)


@defect("ROBUST-AUTH SESSION-REQUIRED", cls="VMPP")
def the_beginning_of_a_session_is_enough(s: Plain) -> None:
    """Sessions are compared over the length of the one given: whatever one of them begins with is good for calls."""

    def check(old: Any, session: Any) -> None:
        known = s.objects["session"]
        if not isinstance(session, str) or not session or not any(each.startswith(session) for each in known):
            old(session)

    def logout(old: Any, session: Any) -> None:
        if isinstance(session, str) and session not in s.objects["session"]:
            raise Refusal("SESSION_INVALID", session)
        old(session)

    around(s, "check_session", check)
    around(s, "logout", logout)


# ---------------------------------------------------------------------------------------------------------- robustness


@defect("ROBUST-NO-EFFECT WIRE-TYPE", also="CREATE-BAD WIRE-ENUM ROBUST-UNICODE", cls="VBD")
def maps_are_written_while_they_are_read(s: Plain) -> None:
    """The setter of a map empties it and stores pair by pair: a bad pair is refused, the ones before it are there."""

    def begin(message: Any, session: Any, ref: Any, pairs: Any) -> None:
        of = s.api.classes[message.cls]
        field = of.fields.get(message.field)
        if field is None or not isinstance(field.type, t.MapOf) or not isinstance(pairs, dict):
            return
        s.check_session(session)
        s.session = session
        s.check_role(message)
        row = s.object(of, s.read(t.RefTo(of.name), ref))
        row[field.name] = {}
        s.dirty = True
        for key, value in pairs.items():
            row[field.name] = {**row[field.name], **s.read(field.type, {key: value})}

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal:
            with s.lock, suppress(Refusal):
                message = s.find(method)
                if message is not None and message.verb == "set" and len(raw) == 3 and "Async." not in method:
                    begin(message, *raw)
            raise

    around(s, "call", call)


@defect("ROBUST-NO-LEAK", also="UUID-UNKNOWN", cls="VMSS")
def texts_that_are_no_uuid_end_in_a_trace(s: Plain) -> None:
    """get_by_uuid of a text that is no uuid fails with the trace of the uuid library, paths and all."""

    def by_uuid(old: Any, of: Any, text: str) -> Any:
        try:
            uuid.UUID(text)
        except ValueError:
            raise Refusal("INTERNAL_ERROR", TRACE) from None
        return old(of, text)

    around(s, "by_uuid", by_uuid)


class Unread(Handler):
    """A handler that knows no other path, and does not read what is sent there."""

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        if self.path in PATHS:
            super().do_POST()
        else:
            self.reply(404, "text/html", b"<html>no such page</html>")


@defect("ROBUST-HTTP", also="ROBUST-AUTH", cls="network")
def bodies_of_unknown_paths_are_taken_for_requests(s: Plain) -> None:
    """A POST to an unknown path gets a 404 and the connection stays, its body unread: that is the next request."""

    def serve(old: Any) -> None:
        old()
        s.http.RequestHandlerClass = Unread

    around(s, "serve", serve)


@defect("ROBUST-UNICODE", also="WIRE-MALFORMED WIRE-STRING", cls="VM_appliance")
def bytes_that_are_no_utf8_are_read_as_latin1(s: Plain) -> None:
    """A JSON body that is not valid UTF-8 is read as Latin-1 instead: a stray byte turns the whole body's texts."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            body.decode()
        except UnicodeError:
            body = body.decode("latin-1").encode()
        return old(body)

    around(s, "answer_json", answer)


@defect("ROBUST-BATCH", also="WIRE-MALFORMED ROBUST-NO-EFFECT WIRE-JSON-NO-NOTIFICATION", cls="network")
def batches_are_refused_half_way(s: Plain) -> None:
    """An array of calls is answered one by one; one that is no call has the whole refused, after those before it."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            calls = json.loads(body)
        except (ValueError, RecursionError):
            return old(body)
        if not isinstance(calls, list) or not calls:
            return old(body)
        try:
            bodies = [json.dumps(each).encode() for each in calls]
        except RecursionError:
            return old(body)
        return f"[{', '.join(old(each) for each in bodies)}]"

    around(s, "answer_json", answer)
