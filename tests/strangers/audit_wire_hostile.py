"""Defects under hostile input that an audit of level 5 missed: another class, place, or kind of what is refused."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree as ET

from strangers.base import around, defect
from strangers.plain_server import Handler, Plain
from strangers.roles import USERS
from strangers.unseen_wire import handled
from strangers.values import Refusal
from xenconform.models import types as t

PATH = "/usr/lib/pool/db.py"
SECONDS = 5.0
WRONG = "FIELD_TYPE_ERROR"

# ------------------------------------------------------------------------------------------------ what refusals let out


@defect("ROBUST-NO-LEAK", cls="VMSS")
def duplicates_tell_where(s: Plain) -> None:
    """The refusal of a key that is there names the file that has found it out."""

    def add_to(old: Any, *args: Any) -> None:
        try:
            old(*args)
        except Refusal as no:
            raise Refusal(*no.args, PATH) from no

    around(s, "do_add_to", add_to)


@defect("ROBUST-NO-LEAK")
def bad_logins_tell_the_password(s: Plain) -> None:
    """The refusal of a user who is known says what was expected."""

    def role_for(old: Any, raw: list[Any]) -> Any:
        try:
            return old(raw)
        except Refusal as no:
            known = USERS.get(raw[0]) if isinstance(raw[0], str) else None
            raise Refusal(*no.args, *([f"not {known[0]}"] if known else [])) from no

    around(s, "role_for", role_for)


# ------------------------------------------------------------------------------------------------- what refusals change


def done_all_the_same(s: Plain, is_one: Callable[[str], bool]) -> None:
    """Carry out calls of some methods with a parameter too many, and refuse them then."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal:
            message = s.find(method)
            if message and is_one(method) and len(raw) == 2 + len(message.params):
                with suppress(Refusal):
                    old(fmt, method, raw[:-1])
            raise

    around(s, "call", call)


@defect("ROBUST-NO-EFFECT", cls="VMSS")
def one_class_writes_first(s: Plain) -> None:
    """Setters of VMSS write, and count their parameters then."""
    done_all_the_same(s, lambda method: method.startswith("VMSS.set_"))


@defect("ROBUST-NO-EFFECT", cls="VIF")
def refused_and_made(s: Plain) -> None:
    """A create with a parameter too many is refused, and the object is there."""
    done_all_the_same(s, lambda method: method.endswith(".create"))


@defect("ROBUST-NO-EFFECT", cls="VIF")
def refused_and_ended(s: Plain) -> None:
    """A destroy with a parameter too many is refused, and the object is gone."""
    done_all_the_same(s, lambda method: method.endswith(".destroy"))


@defect("ROBUST-NO-EFFECT", cls="PBD")
def rolled_back_too_far(s: Plain) -> None:
    """A setter that is given another type takes its object back to an earlier state, without its other_config."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            message = s.find(method)
            row = s.objects[message.cls].get(raw[1]) if message and no.args[0] == WRONG and len(raw) > 1 else None
            if row and row.get("other_config"):
                row["other_config"] = {}
            raise

    around(s, "call", call)


# -------------------------------------------------------------------------------------------------- who waits for whom


def locked_after(s: Plain, code: str, cls: str) -> None:
    """Let the next call about a class wait for a lock that a refusal has kept."""
    kept: list[str] = []

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if kept and method.startswith(f"{cls}."):
            kept.clear()
            time.sleep(SECONDS)
        try:
            return old(fmt, method, raw)
        except Refusal as no:
            kept.extend([code] if no.args[0] == code and method.startswith(f"{cls}.") else [])
            raise

    around(s, "call", call)


@defect("ROBUST-ALIVE", cls="SR")
def types_keep_the_lock(s: Plain) -> None:
    """A value of another type leaves the lock on SRs where it is."""
    locked_after(s, WRONG, "SR")


@defect("ROBUST-ALIVE", cls="VMSS")
def duplicates_keep_the_lock(s: Plain) -> None:
    """A key that is there leaves the lock on VMSSs where it is."""
    locked_after(s, "MAP_DUPLICATE_KEY", "VMSS")


@defect("ROBUST-HTTP")
def long_heads_hold_all(s: Plain) -> None:
    """A request whose head is longer than eight thousand bytes is looked at while nobody else is answered."""

    class Reading(Handler):
        def do_POST(self) -> None:  # noqa: N802 - so http.server names it
            if sum(map(len, self.headers.values())) > 8_000:
                with s.lock:
                    time.sleep(SECONDS)
            super().do_POST()

    handled(s, Reading)


# ------------------------------------------------------------------------------------------------------ texts elsewhere


@defect("ROBUST-UNICODE")
def names_are_repaired(s: Plain) -> None:
    """Bytes in the name of a member that are no UTF-8 become U+FFFD over XML."""
    name = re.compile(rb"<name>(.*?)</name>", re.DOTALL)

    def repaired(found: re.Match[bytes]) -> bytes:
        return b"<name>" + found[1].decode(errors="replace").encode() + b"</name>"

    around(s, "answer_xml", lambda old, body: old(name.sub(repaired, body)))


@defect("ROBUST-UNICODE")
def records_are_repaired(s: Plain) -> None:
    """Lone surrogates in the texts of a record for a constructor become question marks."""

    def create(old: Any, of: Any, raw: Any) -> Any:
        return old(of, {k: re.sub("[\ud800-\udfff]", "?", v) if isinstance(v, str) else v for k, v in raw.items()})

    around(s, "create", create)


@defect("ROBUST-UNICODE")
def members_end_at_the_null(s: Plain) -> None:
    """The members of a set end before their first NUL."""

    def read(old: Any, of: Any, raw: Any) -> Any:
        if of == t.SetOf(t.Str()) and isinstance(raw, list):
            raw = [each.partition("\0")[0] if isinstance(each, str) else each for each in raw]
        return old(of, raw)

    around(s, "read", read)


@defect("ROBUST-XML-ENTITIES")
def structs_expand(s: Plain) -> None:
    """A document with a struct is read by another parser, which expands what its document type declares."""

    def answer(old: Any, body: bytes) -> Any:
        with suppress(ET.ParseError):
            if b"<!DOCTYPE" in body and b"<name>" in body:
                body = ET.tostring(ET.fromstring(body))
        return old(body)

    around(s, "answer_xml", answer)


@defect("ROBUST-XML-ENTITIES")
def types_are_looked_for_as_bytes(s: Plain) -> None:
    """Document types are refused where their bytes are those of UTF-8; a document in UTF-16 has its entities put in."""

    def answer(old: Any, body: bytes) -> Any:
        with suppress(ET.ParseError):
            if b"<!DOCTYPE" not in body:
                body = ET.tostring(ET.fromstring(body))
        return old(body)

    around(s, "answer_xml", answer)


# ------------------------------------------------------------------------------------------------- batches and sessions


@defect("ROBUST-BATCH")
def batches_take_notifications(s: Plain) -> None:
    """Members of a batch that have no id are carried out and not answered."""

    def answer(old: Any, body: bytes) -> Any:
        try:
            calls = json.loads(body)
        except (ValueError, RecursionError):
            return old(body)
        if not isinstance(calls, list) or not calls or not all(isinstance(each, dict) for each in calls):
            return old(body)
        told = [(each, json.loads(old(json.dumps({"id": 0} | each).encode()))) for each in calls]
        return json.dumps([reply for each, reply in told if "id" in each])

    around(s, "answer_json", answer)


@defect("ROBUST-DEPTH-SIZE")
def members_take_square_time(s: Plain) -> None:
    """The time that a struct takes grows with the square of its members."""

    def answer(old: Any, body: bytes) -> Any:
        many = max(body.count(b"<member>"), body.count(b'":')) / 500
        time.sleep(min(many * many / 5, 25.0) if many > 6 else 0.0)
        return old(body)

    around(s, "answer_xml", answer)
    around(s, "answer_json", answer)


@defect("ROBUST-AUTH")
def later_with_half_a_session(s: Plain) -> None:
    """Asynchronous calls look for a session without regard to case and spaces."""

    def call(old: Any, fmt: str, method: str, raw: list[Any]) -> Any:
        if method.startswith("Async.") and raw and isinstance(raw[0], str):
            known = {each.lower(): each for each in s.objects["session"]}
            raw = [known.get(raw[0].strip().lower(), raw[0]), *raw[1:]]
        return old(fmt, method, raw)

    around(s, "call", call)


@defect("WIRE-MALFORMED")
def escapes_of_another_language(s: Plain) -> None:
    r"""JSON with \x41 and \u{41} in its texts is taken."""
    around(s, "answer_json", lambda old, body: old(re.sub(rb"\\u\{0*([0-9a-f]{2})\}|\\x([0-9a-f]{2})", _escape, body)))


def _escape(found: re.Match[bytes]) -> bytes:
    return rb"\u00" + (found[1] or found[2])
