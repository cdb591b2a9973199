"""Defects of documents and values: what codecs get wrong."""

from __future__ import annotations

import struct
import unicodedata
from datetime import timedelta
from typing import Any

from strangers.base import around, defect
from strangers.plain_server import Plain
from xenconform.models import types as t

LIKE = "WIRE-MAP WIRE-SET SET-NO-DUPLICATES LABEL-LOOKUP"
"""What texts that change show as well: sets that have a value twice, keys, labels."""

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


@defect("WIRE-STRING WIRE-XML-ENVELOPE", also=LIKE)
def xml_last_character_not_escaped(s: Plain) -> None:
    """A text that ends in & or < is not escaped at its end."""
    around(s, "xml_string", lambda old, x: old(x[:-1]) + x[-1] if x[-1:] in {"&", "<"} else old(x))


@defect("WIRE-STRING", also=LIKE)
def xml_text_after_last_escape_lost(s: Plain) -> None:
    """Text after the last escaped character is lost."""

    def cut(x: str) -> str:
        last = max(x.rfind("&"), x.rfind("<"))
        return x[: last + 1] if last >= 0 else x

    text_out(s, cut, json_=False)


@defect("WIRE-STRING", also=LIKE)
def xml_carriage_return_raw(s: Plain) -> None:
    """CR is written raw in XML, where parsers read it as LF."""
    around(s, "xml_string", lambda old, x: old(x).replace("&#13;", "\r"))


@defect("WIRE-STRING", also=LIKE)
def trailing_space_trimmed(s: Plain) -> None:
    """One trailing space is lost when a text is stored."""
    text_in(s, lambda x: x.removesuffix(" "))


@defect("WIRE-STRING", also=LIKE)
def lone_space_becomes_empty(s: Plain) -> None:
    """A text of white space alone is stored as the empty text."""
    text_in(s, lambda x: x if x.strip() else "")


@defect("WIRE-STRING", also=LIKE)
def text_normalised(s: Plain) -> None:
    """Text is stored in normal form C."""
    text_in(s, lambda x: unicodedata.normalize("NFC", x))


@defect("WIRE-STRING", also=LIKE)
def astral_replaced_in_json2(s: Plain) -> None:
    """Characters beyond the 16-bit plane are shown as ? over JSON-RPC 2.0 alone."""
    text_out(s, lambda x: "".join(c if c < "\U00010000" or s.fmt != "json2" else "?" for c in x), xml=False)


@defect("WIRE-STRING", also=LIKE)
def long_text_cut(s: Plain) -> None:
    """Text is cut after 32,767 characters."""
    text_in(s, lambda x: x[:32767])


@defect("WIRE-STRING", also=LIKE)
def backslash_doubled_in_json1(s: Plain) -> None:
    """A backslash comes out twice over JSON-RPC 1.0."""
    text_out(s, lambda x: x.replace("\\", "\\\\") if s.fmt == "json1" else x, xml=False)


@defect("WIRE-STRING", also=LIKE)
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


@defect("WIRE-FLOAT", cls="task", also="WIRE-AGREE")
def floats_with_six_digits(s: Plain) -> None:
    """Floats leave with six significant digits over XML."""
    around(s, "float_text", lambda _old, v: f"{v:g}")


@defect("WIRE-FLOAT", cls="task")
def floats_of_32_bits(s: Plain) -> None:
    """Floats are stored with 32 bits."""

    def change(old: Any, of: t.Type, raw: Any) -> Any:
        value = old(of, raw)
        return struct.unpack("f", struct.pack("f", value))[0] if of == t.Float() and abs(value) < 1e38 else value

    around(s, "read", change)


@defect("WIRE-FLOAT", cls="task")
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
    around(
        s,
        "xml",
        lambda old, of, v: old(of, v).replace("1", "true").replace("0", "false") if of == t.Bool() else old(of, v),
    )


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
        return (
            {min(v for v in value if v.lower() == k.lower()): v for k, v in value.items()}
            if isinstance(of, t.MapOf) and of.key == t.Str()
            else value
        )

    around(s, "read", change)


@defect("WIRE-MAP")
def empty_key_lost(s: Plain) -> None:
    """The empty key of a map is lost on its way out over JSON."""
    around(
        s,
        "json",
        lambda old, of, v: {k: e for k, e in old(of, v).items() if k} if isinstance(of, t.MapOf) else old(of, v),
    )


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
