"""Defects of documents and values: what codecs get wrong."""

from __future__ import annotations

import json
import struct
import unicodedata
from datetime import timedelta
from typing import Any

from tests.strangers.base import around, defect
from tests.strangers.plain_server import Plain
from tests.strangers.store import Malformed, Refusal
from xenconform.models import types as t

# ---------------------------------------------------------------------------------------------------------------- text


def text_out(s: Plain, change: Any, *, xml: bool = True, json_: bool = True) -> None:
    """Change each text on its way out."""
    if xml:
        around(s, "xml_string", lambda old, text: old(change(text)))
    if json_:
        around(s, "json", lambda old, of, v: old(of, change(v) if isinstance(of, t.Str) and v is not None else v))


def text_in(s: Plain, change: Any) -> None:
    """Change each text on its way in."""
    around(s, "text", lambda old, raw: old(change(raw)))


@defect("WIRE-STRING WIRE-XML-ENVELOPE", also="WIRE-MAP WIRE-SET")
def xml_last_character_not_escaped(s: Plain) -> None:
    """A text that ends in & or < is not escaped at its end."""
    around(s, "xml_string", lambda old, x: old(x[:-1]) + x[-1] if x[-1:] in {"&", "<"} else old(x))


@defect("WIRE-STRING", also="WIRE-MAP WIRE-SET")
def xml_text_after_last_escape_lost(s: Plain) -> None:
    """Text after the last escaped character is lost."""

    def cut(x: str) -> str:
        last = max(x.rfind("&"), x.rfind("<"))
        return x[: last + 1] if last >= 0 else x

    text_out(s, cut, json_=False)


@defect("WIRE-STRING", also="WIRE-MAP WIRE-SET")
def xml_carriage_return_raw(s: Plain) -> None:
    """CR is written raw in XML, where parsers read it as LF."""
    around(s, "xml_string", lambda old, x: old(x).replace("&#13;", "\r"))


@defect("WIRE-STRING", also="WIRE-MAP WIRE-SET")
def trailing_space_trimmed(s: Plain) -> None:
    """One trailing space is lost when a text is stored."""
    text_in(s, lambda x: x.removesuffix(" "))


@defect("WIRE-STRING", also="WIRE-MAP WIRE-SET")
def lone_space_becomes_empty(s: Plain) -> None:
    """A text of white space alone is stored as the empty text."""
    text_in(s, lambda x: x if x.strip() else "")


@defect("WIRE-STRING", also="WIRE-MAP WIRE-SET")
def text_normalised(s: Plain) -> None:
    """Text is stored in normal form C."""
    text_in(s, lambda x: unicodedata.normalize("NFC", x))


@defect("WIRE-STRING", also="WIRE-MAP WIRE-SET")
def astral_replaced_in_json2(s: Plain) -> None:
    """Characters beyond the 16-bit plane are shown as ? over JSON-RPC 2.0 alone."""
    text_out(s, lambda x: "".join(c if c < "\U00010000" or s.fmt != "json2" else "?" for c in x), xml=False)


@defect("WIRE-STRING", also="WIRE-MAP WIRE-SET")
def long_text_cut(s: Plain) -> None:
    """Text is cut after 32,767 characters."""
    text_in(s, lambda x: x[:32767])


@defect("WIRE-STRING", also="WIRE-MAP WIRE-SET")
def backslash_doubled_in_json1(s: Plain) -> None:
    """A backslash comes out twice over JSON-RPC 1.0."""
    text_out(s, lambda x: x.replace("\\", "\\\\") if s.fmt == "json1" else x, xml=False)


@defect("WIRE-STRING", also="WIRE-MAP WIRE-SET")
def entities_read_twice(s: Plain) -> None:
    """Text that looks like an entity is decoded once more."""
    text_in(s, lambda x: x.replace("&amp;", "&").replace("&lt;", "<"))


@defect("WIRE-STRING WIRE-MAP", also="WIRE-AGREE WIRE-SET")
def digits_in_maps_become_numbers(s: Plain) -> None:
    """Texts of digits in a map's values leave as JSON numbers."""

    def change(old: Any, of: t.Type, value: Any) -> Any:
        told = old(of, value)
        if isinstance(of, t.MapOf) and isinstance(told, dict):
            return {k: int(v) if isinstance(v, str) and v.isascii() and v.isdigit() else v for k, v in told.items()}
        return told

    around(s, "json", change)


@defect("WIRE-STRING")
def control_characters_dropped(s: Plain) -> None:
    """Characters that XML cannot carry are dropped in silence."""
    around(s, "text", lambda old, x: old("".join(c for c in x if c >= " " or c in "\t\r\n")))


# ------------------------------------------------------------------------------------------------------------- numbers


@defect("WIRE-INT-XML")
def xml_ints_as_i4(s: Plain) -> None:
    """Ints leave as <i4>."""
    around(s, "xml", lambda old, of, v: f"<value><i4>{v}</i4></value>" if of == t.Int() else old(of, v))


@defect("WIRE-INT-JSON", cls="VM", also="WIRE-AGREE")
def json_ints_rounded(s: Plain) -> None:
    """Ints above 2 to the 53 are rounded in JSON."""
    around(s, "json", lambda old, of, v: int(float(v)) if of == t.Int() and abs(v) > 2**53 else old(of, v))


@defect("WIRE-INT-JSON")
def json1_ints_as_text(s: Plain) -> None:
    """Ints leave as texts over JSON-RPC 1.0 and as numbers over 2.0."""
    around(s, "json", lambda old, of, v: str(v) if of == t.Int() and s.fmt == "json1" else old(of, v))


@defect("WIRE-INT-JSON WIRE-INT-XML", cls="VM")
def ints_wrap_at_32_bits(s: Plain) -> None:
    """Ints keep their low 32 bits."""
    around(s, "int", lambda old, raw: (old(raw) + 2**31) % 2**32 - 2**31)


@defect("WIRE-INT-JSON", cls="host")
def json_ints_with_point(s: Plain) -> None:
    """Ints leave as 5.0."""
    around(s, "json", lambda old, of, v: float(v) if of == t.Int() else old(of, v))


@defect("WIRE-FLOAT", cls="VM", also="WIRE-AGREE")
def floats_with_six_digits(s: Plain) -> None:
    """Floats leave with six significant digits over XML."""
    around(s, "float_text", lambda _old, v: f"{v:g}")


@defect("WIRE-FLOAT", cls="VM")
def floats_of_32_bits(s: Plain) -> None:
    """Floats are stored with 32 bits."""

    def change(old: Any, of: t.Type, raw: Any) -> Any:
        value = old(of, raw)
        return struct.unpack("f", struct.pack("f", value))[0] if of == t.Float() and abs(value) < 1e38 else value

    around(s, "read", change)


@defect("WIRE-FLOAT", cls="VM")
def negative_zero_lost(s: Plain) -> None:
    """The float -0.0 is stored as 0.0."""
    around(s, "read", lambda old, of, raw: old(of, raw) + 0.0 if of == t.Float() else old(of, raw))


@defect("WIRE-BOOL", cls="VM")
def bools_as_text_in_json2(s: Plain) -> None:
    """Bools leave as the texts true and false over JSON-RPC 2.0."""
    around(s, "json", lambda old, of, v: str(v).lower() if of == t.Bool() and s.fmt == "json2" else old(of, v))


@defect("WIRE-BOOL")
def xml_bools_as_words(s: Plain) -> None:
    """Bools leave as <boolean>true</boolean>."""
    around(s, "xml", lambda old, of, v: old(of, v).replace("1", "true").replace("0", "false") if of == t.Bool() else old(of, v))


@defect("WIRE-DATETIME WIRE-AGREE", cls="VM", also="GET-RECORD-AGREES")
def json_datetimes_of_another_zone(s: Plain) -> None:
    """Datetimes in JSON are those of a zone an hour ahead."""
    around(s, "json", lambda old, of, v: old(of, v + timedelta(hours=1)) if of == t.DateTime() else old(of, v))


@defect("WIRE-DATETIME", cls="VM")
def xml_datetimes_as_text(s: Plain) -> None:
    """Datetimes leave as texts over XML."""
    around(s, "xml", lambda old, of, v: old(t.Str(), s.date_text(v)) if of == t.DateTime() else old(of, v))


@defect("WIRE-ENUM", also="GET-EVERY-FIELD")
def enums_in_lower_case_in_json(s: Plain) -> None:
    """Names of enums leave in another case over JSON."""
    around(s, "json", lambda old, of, v: old(of, v.upper()) if isinstance(of, t.Enum) else old(of, v))


@defect("WIRE-ENUM WIRE-TYPE CREATE-BAD", cls="VM")
def unknown_enum_stored(s: Plain) -> None:
    """Any text is taken for an enum."""
    around(s, "read", lambda old, of, raw: raw if isinstance(of, t.Enum) and isinstance(raw, str) else old(of, raw))


# ------------------------------------------------------------------------------------------------------- sets and maps


@defect("WIRE-SET", also="GET-ALL-AGREES WIRE-AGREE")
def empty_set_as_null(s: Plain) -> None:
    """The empty set leaves as null over JSON."""
    around(s, "json", lambda old, of, v: old(of, v) or None if isinstance(of, t.SetOf) else old(of, v))


@defect("WIRE-SET", also="GET-ALL-AGREES")
def xml_set_of_one_as_scalar(s: Plain) -> None:
    """A set of one member leaves as that member over XML."""

    def change(old: Any, of: t.Type, value: Any) -> Any:
        return old(of.item, value[0]) if isinstance(of, t.SetOf) and len(value) == 1 else old(of, value)

    around(s, "xml", change)


@defect("WIRE-SET")
def sets_hold_eight(s: Plain) -> None:
    """A set of more than eight members loses the others."""
    around(s, "set", lambda old, values: old(values)[:8])


@defect("WIRE-SET")
def xml_empty_text_in_set_lost(s: Plain) -> None:
    """The empty text as a member of a set is lost."""
    around(s, "set", lambda old, values: [each for each in old(values) if each != ""])


@defect("WIRE-MAP MAP-ADD", also="MAP-DUPLICATE-KEY")
def keys_compared_without_case(s: Plain) -> None:
    """A map's keys that differ in case alone are one key."""

    def change(old: Any, of: t.Type, raw: Any) -> Any:
        value = old(of, raw)
        return {min(v for v in value if v.lower() == k.lower()): v for k, v in value.items()} if isinstance(
            of, t.MapOf
        ) and of.key == t.Str() else value

    around(s, "read", change)


@defect("WIRE-MAP")
def empty_key_lost(s: Plain) -> None:
    """The empty key of a map is lost on its way out over JSON."""
    around(s, "json", lambda old, of, v: {k: e for k, e in old(of, v).items() if k} if isinstance(of, t.MapOf) else old(of, v))


@defect("WIRE-MAP WIRE-XML-ENVELOPE", also="WIRE-STRING")
def xml_keys_not_escaped(s: Plain) -> None:
    """Keys are not escaped in XML."""
    around(s, "struct", lambda _old, members: "<value><struct>" + "".join(
        f"<member><name>{n}</name>{v}</member>" for n, v in members) + "</struct></value>")  # fmt: skip


@defect("WIRE-MAP", cls="VM_metrics", also="WIRE-AGREE GET-EVERY-FIELD")
def json_maps_as_pairs(s: Plain) -> None:
    """Maps leave as arrays of pairs over JSON-RPC 2.0."""
    around(s, "json", lambda old, of, v: [list(p) for p in old(of, v).items()]
           if isinstance(of, t.MapOf) and s.fmt == "json2" else old(of, v))  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- envelopes


@defect("WIRE-VOID")
def json_void_as_null(s: Plain) -> None:
    """Void leaves as null."""
    around(s, "json", lambda old, of, v: None if of == t.Void() else old(of, v))


@defect("WIRE-VOID")
def xml_void_as_nil(s: Plain) -> None:
    """Void leaves as <nil/>."""
    around(s, "xml", lambda old, of, v: "<value><nil/></value>" if of == t.Void() else old(of, v))


def failing(s: Plain, change: Any) -> None:
    """Change JSON-RPC 2.0 failures."""
    around(s, "json_failure", lambda old, fmt, said, i: change(old(fmt, said, i)) if fmt == "json2" else old(fmt, said, i))


@defect("WIRE-JSON2-ENVELOPE")
def error_code_zero(s: Plain) -> None:
    """An error's code is 0."""
    failing(s, lambda r: r | {"error": r["error"] | {"code": 0}})


@defect("WIRE-JSON2-ENVELOPE")
def error_without_data(s: Plain) -> None:
    """An error without parameters has no data."""
    failing(s, lambda r: r | {"error": {k: v for k, v in r["error"].items() if k != "data"}})


@defect("WIRE-JSON2-ENVELOPE", also="WIRE-JSON-VERSION")
def answer_of_version_1(s: Plain) -> None:
    """A call of 2.0 is answered as one of 1.0 when it fails."""
    around(s, "json_failure", lambda old, _fmt, said, i: old("json1", said, i))


@defect("WIRE-JSON1-ENVELOPE")
def no_error_member(s: Plain) -> None:
    """A success over 1.0 has no error member."""
    around(s, "json_success", lambda old, fmt, r, i: {k: v for k, v in old(fmt, r, i).items() if k != "error"})


@defect("WIRE-JSON-ID-ECHO")
def id_as_text(s: Plain) -> None:
    """The id comes back as text."""
    around(s, "json_success", lambda old, fmt, r, i: old(fmt, r, str(i)))


@defect("WIRE-JSON-ID-ECHO")
def large_id_rounded(s: Plain) -> None:
    """A large id comes back rounded."""
    around(s, "json_success", lambda old, fmt, r, i: old(fmt, r, int(float(i)) if isinstance(i, int) else i))


@defect("WIRE-JSON-ID-ECHO")
def empty_id_as_null(s: Plain) -> None:
    """The empty id comes back as null."""
    around(s, "json_success", lambda old, fmt, r, i: old(fmt, r, None if i == "" else i))


def json_requests(s: Plain, change: Any) -> None:
    """Change each JSON call before it is judged."""

    def answer(old: Any, body: bytes) -> str:
        try:
            call = json.loads(body)
        except ValueError:
            call = None
        return old(json.dumps(change(call)).encode() if isinstance(call, dict) else body)

    around(s, "answer_json", answer)


@defect("WIRE-JSON-NO-NOTIFICATION")
def notification_carried_out(s: Plain) -> None:
    """A call without an id is carried out."""
    json_requests(s, lambda call: {**call, "id": call.get("id", 0)})


@defect("WIRE-JSON-NO-NOTIFICATION")
def null_id_carried_out(s: Plain) -> None:
    """A call whose id is null is carried out."""
    json_requests(s, lambda call: {**call, "id": 1} if "id" in call and call["id"] is None else call)


@defect("WIRE-JSON-VERSION")
def any_version_taken(s: Plain) -> None:
    """Any version is taken for 2.0."""
    json_requests(s, lambda call: {**call, "jsonrpc": "2.0"} if "jsonrpc" in call else call)


@defect("WIRE-XML-ENVELOPE")
def xml_error_nested(s: Plain) -> None:
    """ErrorDescription is the code and an array of the parameters."""
    pair = "<value><array><data><value>{}</value>{}</data></array></value>"
    s.xml_failure = lambda said: s.struct([  # type: ignore[method-assign]
        ("Status", "<value>Failure</value>"),
        ("ErrorDescription", pair.format(said[0], s.xml(t.SetOf(t.Str()), said[1:]))),
    ])  # fmt: skip


@defect("WIRE-XML-ENVELOPE")
def xml_status_in_lower_case(s: Plain) -> None:
    """Status is success."""
    around(s, "xml_success", lambda old, of, v: old(of, v).replace(">Success<", ">success<", 1))


@defect("WIRE-MALFORMED", also="WIRE-XML-ENVELOPE")
def cut_documents_taken(s: Plain) -> None:
    """JSON with text after its end is taken."""

    def answer(old: Any, body: bytes) -> str:
        try:
            text = body.decode()
            return old(text[: json.JSONDecoder().raw_decode(text)[1]].encode())
        except ValueError as why:
            raise Malformed from why

    around(s, "answer_json", answer)


@defect("WIRE-METHOD-UNKNOWN", also="GET-EVERY-FIELD QUAL-RO-RUNTIME QUAL-RO-CONSTRUCTOR QUAL-NO-WRONG-ACCESSOR")
def unknown_method_succeeds(s: Plain) -> None:
    """An unknown method gives Success and the empty text."""
    around(s, "call", lambda old, fmt, method, raw: old(fmt, method, raw) if s.find(method) else (t.Str(), ""))


@defect("WIRE-ARITY")
def extra_parameters_ignored(s: Plain) -> None:
    """Parameters beyond the last are ignored."""
    around(s, "check_arity", lambda old, m, raw, some: old(m, raw[: len(m.params)], some) if some else old(m, raw, some))


@defect("WIRE-TYPE", also="CREATE-BAD")
def numbers_taken_for_text(s: Plain) -> None:
    """A JSON number given for a text is stored as its digits."""
    around(s, "read", lambda old, of, raw: old(of, str(raw)) if of == t.Str() and type(raw) in {int, float} else old(of, raw))


@defect("WIRE-TYPE", also="CREATE-BAD")
def wrong_types_stored(s: Plain) -> None:
    """A refused value of a scalar's type is stored as the empty text, and then refused."""

    def change(old: Any, of: t.Type, raw: Any) -> Any:
        try:
            return old(of, raw)
        except Refusal:
            return "" if of == t.Str() else old(of, raw)

    around(s, "read", change)
