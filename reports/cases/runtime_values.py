"""Part of every script of a case: what replies must be, and the three formats. See `script.py`.

Standard library alone, for Python 3.8 and newer. What is above the line of equal signs goes to the head of a script,
what is below it to its end.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

# ======================================================================================================================
# Part 1 of what every such script has: what replies must be, and how calls are written in each of the three formats.

ANYTHING = object()
NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
TRUTH = {"1": True, "true": True, "0": False, "false": False}
INSTANT = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):?(\d\d)?)?", re.ASCII
)


class Null(str):
    """The reference to no object."""

    __slots__ = ()


NULL = Null("OpaqueRef:NULL")


class Set(NamedTuple):
    """Values in any order."""

    items: Sequence[Any]


class Refs(NamedTuple):
    """Objects in any order; objects that this script did not make may be listed besides."""

    items: Sequence[str]


class ByRef(NamedTuple):
    """Values by object; objects that this script did not make may be listed besides."""

    members: dict[str, Any]


class Record(NamedTuple):
    """Some members of a record; the others may be anything."""

    members: dict[str, Any]


class Wanted(NamedTuple):
    """What a reply must be: a success with this value or with a new one, or a failure with one of the codes."""

    succeeds: bool
    value: Any
    is_new: bool
    codes: Sequence[str]

    def __str__(self) -> str:
        """Say it for people."""
        value = "" if self.value is ANYTHING else f" {shown(self.value)}"
        good = "success with a new one" if self.is_new else f"success{value}" if self.succeeds else ""
        codes = (
            " or ".join(self.codes).replace("*", "with any code") if self.codes == ["*"] else " or ".join(self.codes)
        )
        return " or ".join(each for each in (good, f"failure {codes}" if codes else "") if each)


class Reply(NamedTuple):
    """What came back: an error code and its parameters, or no code and a value."""

    code: str
    value: Any

    def __str__(self) -> str:
        """Say it for people."""
        return f"failure {self.code} {shown(self.value)}" if self.code else f"success {shown(self.value)}"


def success(value: Any = ANYTHING, or_failure: Sequence[str] = ()) -> Wanted:
    """Want a success: with any value, or with this one."""
    return Wanted(True, value, False, list(or_failure))


def a_new_one(or_failure: Sequence[str] = ()) -> Wanted:
    """Want a reference, or a uuid, that no other object has or had."""
    return Wanted(True, ANYTHING, True, list(or_failure))


def failure(*codes: str) -> Wanted:
    """Want a failure: with any code, or with one of these; `X*` stands for every code that begins so."""
    return Wanted(False, ANYTHING, False, list(codes or ("*",)))


def shown(value: Any) -> str:
    """Return a value as text for people."""
    if isinstance(value, (Set, Refs)):
        return "{" + ", ".join([shown(each) for each in value.items]) + "}"
    if isinstance(value, (ByRef, Record)):
        return shown(value.members)
    if isinstance(value, dict):
        return "{" + ", ".join([f"{shown(key)}: {shown(each)}" for key, each in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([shown(each) for each in value]) + "]"
    return (
        time_text(value) if isinstance(value, datetime) else str(value) if isinstance(value, Decimal) else ascii(value)
    )


def allowed(want: Wanted, reply: Reply, made: Sequence[str] = (), taken: Sequence[str] = ()) -> bool:
    """Whether a reply is one that is wanted.

    `made` are the references of the objects that this script made, `taken` those and uuids that cannot be new.
    """
    if reply.code:
        return any(reply.code == code or (code[-1:] == "*" and reply.code.startswith(code[:-1])) for code in want.codes)
    if want.is_new:
        return isinstance(reply.value, str) and reply.value not in {"", str(NULL), *taken}
    return want.succeeds and (want.value is ANYTHING or fits(want.value, reply.value, made))


def fits(want: Any, got: Any, made: Sequence[str] = ()) -> bool:
    """Whether a value came back as it must. Objects that are not ours may be listed anywhere."""
    if isinstance(want, (Set, Refs)):
        found = got if isinstance(got, list) else [] if got in ("", None, {}) else None
        if found is None or isinstance(want, Refs):
            return found is not None and {*want.items} == {ref for ref in found if ref in want.items or ref in made}
        return all(any(fits(w, g, made) for g in found) for w in want.items) and all(
            any(fits(w, g, made) for w in want.items) for g in found
        )
    if isinstance(want, (dict, Record, ByRef)):
        members = want if isinstance(want, dict) else want.members
        there = got if isinstance(got, dict) else {} if got in ("", None, []) else None
        if there is None or isinstance(want, Record):
            return there is not None and all(n in there and fits(v, there[n], made) for n, v in members.items())
        names = [name for name in there if name in members or name in made or not isinstance(want, ByRef)]
        return len(names) == len(members) and all(
            any(is_same(key, name) and fits(value, there[name], made) for name in names)
            for key, value in members.items()
        )
    return is_same(want, got)


def is_same(want: Any, got: Any) -> bool:
    """Whether a value without parts came back: ints as text or number, floats by their bits, datetimes by instant."""
    if want is None:
        return got is None or got == []
    if isinstance(got, (list, dict)) or got is None:
        return False
    text = str(got)
    if isinstance(want, Null):
        return text in {"", str(want)}
    if isinstance(want, bool):
        return TRUTH.get(text.strip().lower()) is want
    if isinstance(want, (int, float)):
        if isinstance(got, bool) or not NUMBER.fullmatch(text.strip()):
            return False
        came = Decimal(text.strip())
        return struct.pack("<d", float(came)) == struct.pack("<d", want) if isinstance(want, float) else came == want
    if isinstance(want, datetime):
        try:
            return instant(text) == want
        except (ValueError, OverflowError):
            return False
    return not isinstance(got, bool) and text == want


def instant(text: str) -> datetime:
    """Return the instant that a text like 20240101T12:00:00Z denotes; ValueError where it denotes none."""
    found = INSTANT.match(text)
    if found is None or found.end() != len(text):
        raise ValueError(f"no datetime: {text!a}")
    fraction, sign, hours, minutes = found.group(7, 8, 9, 10)
    zone = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    year, month, day, hour, minute, second = (int(each) for each in found.group(1, 2, 3, 4, 5, 6))
    micro = int((fraction or "")[:6].ljust(6, "0"))
    return datetime(year, month, day, hour, minute, second, micro, timezone.utc) - zone  # noqa: UP017 - not before Python 3.11


def time_text(at: datetime) -> str:
    """Return an instant as the formats write it."""
    fraction = f".{at.microsecond:06d}" if at.microsecond else ""
    return f"{at.year:04d}{at.month:02d}{at.day:02d}T{at.hour:02d}:{at.minute:02d}:{at.second:02d}{fraction}Z"


def key_text(key: Any) -> str:
    """Return a map's key as text."""
    if isinstance(key, bool):
        return "true" if key else "false"
    return time_text(key) if isinstance(key, datetime) else str(key)


def escaped(text: str) -> str:
    """Return text as XML writes it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def xml_value(value: Any) -> str:
    """Return a value as XML-RPC writes it; ints travel as text, for they have 64 bits."""
    if value is None:
        inner = "<nil/>"
    elif isinstance(value, bool):
        inner = f"<boolean>{value:d}</boolean>"
    elif isinstance(value, float):
        inner = f"<double>{value!r}</double>"
    elif isinstance(value, datetime):
        inner = f"<dateTime.iso8601>{time_text(value)}</dateTime.iso8601>"
    elif isinstance(value, dict):
        members = [f"<member><name>{escaped(key_text(k))}</name>{xml_value(v)}</member>" for k, v in value.items()]
        inner = f"<struct>{''.join(members)}</struct>"
    elif isinstance(value, list):
        inner = f"<array><data>{''.join([xml_value(each) for each in value])}</data></array>"
    else:
        inner = f"<string>{escaped(str(value))}</string>"
    return f"<value>{inner}</value>"


def json_value(value: Any) -> Any:
    """Return a value as JSON-RPC writes it; ints travel as text, for they have 64 bits."""
    if isinstance(value, dict):
        return {key_text(key): json_value(each) for key, each in value.items()}
    if isinstance(value, list):
        return [json_value(each) for each in value]
    if isinstance(value, datetime):
        return time_text(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def request(wire: str, ident: int, method: str, params: Sequence[Any]) -> str:
    """Return the body of a call."""
    if wire == "xmlrpc":
        written = "".join([f"<param>{xml_value(each)}</param>" for each in params])
        name = escaped(method)
        return (
            f"<?xml version='1.0'?><methodCall><methodName>{name}</methodName><params>{written}</params></methodCall>"
        )
    version = {"jsonrpc": "2.0"} if wire == "jsonrpc2" else {}
    return json.dumps({**version, "method": method, "params": [json_value(each) for each in params], "id": ident})


def xml_said(element: ET.Element) -> Any:
    """Return what a <value> holds; ints, floats, bools and datetimes as their text."""
    if not len(element):
        return element.text or ""
    inner = element[0]
    if inner.tag == "struct":
        return first_of([(each.findtext("name") or "", xml_said(each[1])) for each in inner])
    if inner.tag == "array":
        return [xml_said(each) for each in inner[0]]
    return None if inner.tag == "nil" else inner.text or ""


def first_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of a struct, the first of those with one name."""
    return dict(reversed(pairs))


def read_reply(wire: str, body: bytes) -> Reply:
    """Return what a reply says; ValueError where it is no reply."""
    if wire == "xmlrpc":
        if b"<!DOCTYPE" in body:
            raise ValueError("a document type declaration")
        value = ET.fromstring(body).find("params/param/value")  # noqa: S314 - it has no DOCTYPE
        said = xml_said(value) if value is not None else None
        said = said if isinstance(said, dict) else {}
        if said.get("Status") not in {"Success", "Failure"}:
            raise ValueError("no struct with a Status")
        return failed(said.get("ErrorDescription")) if said["Status"] == "Failure" else Reply("", said.get("Value", ""))
    said = json.loads(body.decode(), parse_float=Decimal, object_pairs_hook=first_of)
    if not isinstance(said, dict) or (said.get("error") is None and "result" not in said):
        raise ValueError("neither a result nor an error")
    error = said.get("error")
    if isinstance(error, dict):
        return failed([error.get("message"), *(error.get("data") or [])])
    return Reply("", said["result"]) if error is None else failed(error)


def failed(words: Any) -> Reply:
    """Return the failure that a code and its parameters are."""
    if not isinstance(words, list) or not words or not isinstance(words[0], str):
        raise ValueError("an error without a code")
    return Reply(words[0] or "?", words[1:])
