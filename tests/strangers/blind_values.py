"""Blind defects in values on the wire, written without a look at the checks, to learn what the suite misses."""

from __future__ import annotations

import itertools
import json
import math
import re
import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.sax.saxutils import escape

from strangers.base import around, defect
from strangers.documents import xml_text
from strangers.heldout_base import doing, made, written
from strangers.plain_server import Plain
from strangers.values import NULL
from xenconform.models import types as t

# ---------------------------------------------------------------------------------------------------------------- easy


@defect("WIRE-INT-JSON", also="WIRE-AGREE SET-VALUE CREATE-FIELDS", cls="VM")
def blind_json_ints_through_doubles(s: Plain) -> None:
    """A Node proxy parses and writes JSON ints as doubles: those beyond 2**53 come back as their neighbours."""
    around(s, "json", lambda old, of, v: int(float(v)) if of == t.Int() else old(of, v))


@defect("WIRE-STRING", also="WIRE-AGREE SET-VALUE CREATE-FIELDS", cls="VM_appliance")
def blind_xml_texts_trimmed(s: Plain) -> None:
    """The XML writer normalises text nodes: spaces and line ends around a text are gone in XML-RPC replies."""
    around(s, "xml_string", lambda old, text: old(text.strip()))


@defect("WIRE-BOOL", also="WIRE-AGREE GET-EVERY-FIELD", cls="blob")
def blind_json_bools_are_bits(s: Plain) -> None:
    """Bools are bit columns and reach JSON replies as 0 and 1 instead of false and true."""
    around(s, "json", lambda old, of, v: int(v) if of == t.Bool() else old(of, v))


@defect("WIRE-FLOAT", also="WIRE-AGREE CREATE-FIELDS", cls="Cluster")
def blind_xml_floats_with_six_decimals(s: Plain) -> None:
    """XML-RPC replies print floats with %f: all beyond the sixth decimal is lost."""
    around(s, "float_text", lambda _old, v: f"{v:f}")


@defect("WIRE-VOID", cls="secret")
def blind_json2_void_is_null(s: Plain) -> None:
    """A setter that succeeds answers null over JSON-RPC 2.0 where the empty string is due."""
    around(s, "json", lambda old, of, v: None if of == t.Void() and s.fmt == "json2" else old(of, v))


@defect("WIRE-ENUM", also="WIRE-AGREE GET-EVERY-FIELD SET-VALUE", cls="VMPP")
def blind_json_enums_are_ordinals(s: Plain) -> None:
    """The JSON serializer of C# writes enums by its default: as numbers, not as their names."""

    def ordinal(old: Any, of: Any, v: Any) -> Any:
        return of.values.index(v) if isinstance(of, t.Enum) and v in of.values else old(of, v)

    around(s, "json", ordinal)


@defect("WIRE-SET", also="WIRE-AGREE GET-EVERY-FIELD", cls="network")
def blind_json_lone_member_unwrapped(s: Plain) -> None:
    """A gateway makes JSON of XML: a set of texts with one member comes as that text, not as an array."""

    def unwrap(old: Any, of: Any, v: Any) -> Any:
        return v[0] if of == t.SetOf(t.Str()) and len(v) == 1 else old(of, v)

    around(s, "json", unwrap)


@defect("WIRE-MAP", also="WIRE-AGREE GET-EVERY-FIELD", cls="PBD")
def blind_json_empty_map_is_array(s: Plain) -> None:
    """PHP knows one kind of array: an empty map of texts is [] in JSON replies, not {}."""
    around(s, "json", lambda old, of, v: [] if of == t.MapOf(t.Str(), t.Str()) and not v else old(of, v))


@defect("GET-RECORD-AGREES", also="WIRE-AGREE EVENT-FROM", cls="GPU_group")
def blind_json_records_omit_empty(s: Plain) -> None:
    """Records are structs tagged omitempty: members whose text is empty are missing from records over JSON."""

    def omit(old: Any, of: Any, v: Any) -> Any:
        out = old(of, v)
        if isinstance(of, t.RecordOf) and of.cls not in {"", "event"}:
            return {n: each for n, each in out.items() if each != ""}
        return out

    around(s, "json", omit)


@defect("WIRE-DATETIME", also="WIRE-AGREE SET-VALUE", cls="VMSS")
def blind_xml_dates_in_local_time(s: Plain) -> None:
    """XML-RPC replies show dates in the server's own time (UTC+1) without saying so; JSON shows UTC."""

    def local(old: Any, of: Any, v: Any) -> Any:
        return (
            old(of, v + timedelta(hours=1)).replace("Z<", "<") if of == t.DateTime() and v.year < 9999 else old(of, v)
        )

    around(s, "xml", local)


# -------------------------------------------------------------------------------------------------------------- medium


@defect("WIRE-MAP", also="WIRE-AGREE WIRE-STRING MAP-ADD CREATE-FIELDS", cls="tunnel")
def blind_xml_map_keys_escaped_twice(s: Plain) -> None:
    """The map writer and the member writer both escape: key a&b of a map is read as a&amp;b over XML-RPC."""
    around(s, "struct", lambda old, members: old([(xml_text(name), value) for name, value in members]))


@defect("ASYNC-TASK", cls="Observer")
def blind_task_result_in_the_callers_format(s: Plain) -> None:
    """A task begun over JSON holds its result as JSON text, where an XML-RPC value is due."""

    def result_text(old: Any, of: Any, v: Any) -> Any:
        return json.dumps(s.json(of, v)) if s.fmt != "xml" and of != t.Void() else old(of, v)

    around(s, "result_text", result_text)


@defect("GET-RECORD-AGREES", also="WIRE-AGREE GET-ALL-AGREES EVENT-FROM", cls="VLAN")
def blind_json1_records_null_refs_empty(s: Plain) -> None:
    """Records over JSON-RPC 1.0 come of a LEFT JOIN: null refs are empty there, and OpaqueRef:NULL by getters."""

    def joined(old: Any, of: Any, v: Any) -> Any:
        out = old(of, v)
        if isinstance(of, t.RecordOf) and of.cls not in {"", "event"} and s.fmt == "json1":
            return {n: "" if each == NULL else each for n, each in out.items()}
        return out

    around(s, "json", joined)


@defect("WIRE-INT-REQUEST", also="CREATE-FIELDS WIRE-INT-JSON", cls="VDI")
def blind_json_ints_of_32_bits_only(s: Plain) -> None:
    """An int beyond 32 bits is refused when it comes as a JSON integer, and taken as decimal text."""

    def read(old: Any, of: Any, raw: Any) -> Any:
        if of == t.Int() and s.fmt != "xml" and isinstance(raw, int) and not -(2**31) <= raw < 2**31:
            raise s.bad(of, raw)
        return old(of, raw)

    around(s, "read", read)


@defect("SET-VALUE", also="STATE-MODEL WIRE-STRING", cls="PVS_site")
def blind_setting_empty_text_ignored(s: Plain) -> None:
    """Setters skip zero values as a partial update would: setting a text to the empty one leaves the old text."""
    around(s, "do_set", lambda old, of, ref, obj, f, v: None if v == "" else old(of, ref, obj, f, v))


@defect("WIRE-ENUM", also="CREATE-BAD", cls="VBD")
def blind_enums_parsed_ignoring_case(s: Plain) -> None:
    """Enum.Parse with ignoreCase: a name in another case (ro for RO) is taken, where it should be refused."""

    def read(old: Any, of: Any, raw: Any) -> Any:
        if isinstance(of, t.Enum) and isinstance(raw, str):
            raw = next((v for v in of.values if v.lower() == raw.lower()), raw)
        return old(of, raw)

    around(s, "read", read)


@defect("ROBUST-UNICODE", cls="user")
def blind_lone_surrogates_replaced(s: Plain) -> None:
    """Go's JSON decoder turns a lone surrogate into U+FFFD: the text is stored altered, and no error is given."""
    around(s, "text", lambda old, raw: old(re.sub("[\ud800-\udfff]", "\ufffd", raw)))


@defect("WIRE-JSON2-ENVELOPE", also="WIRE-ARITY-CODE", cls="role")
def blind_json2_counts_are_numbers_in_errors(s: Plain) -> None:
    """The data of a parameter-count error over JSON-RPC 2.0 has numbers among its strings."""

    def failure(old: Any, fmt: str, said: list[str], ident: Any) -> Any:
        reply = old(fmt, said, ident)
        if fmt == "json2" and said[0] == "MESSAGE_PARAMETER_COUNT_MISMATCH":
            reply["error"]["data"] = [said[1], int(said[2]), int(said[3])]
        return reply

    around(s, "json_failure", failure)


@defect("SET-NO-DUPLICATES", cls="host")
def blind_only_neighbours_deduplicated(s: Plain) -> None:
    """Rust's Vec::dedup without a sort: a set written as a, b, a comes back with a twice."""
    around(s, "set", lambda _old, values: [each for each, _ in itertools.groupby(values)])


@defect("WIRE-TYPE", also="ROBUST-NO-EFFECT CREATE-BAD", cls="network")
def blind_json_fractions_cut_to_ints(s: Plain) -> None:
    """A JSON number with a fraction is taken for an int parameter and cut: MTU 1500.7 becomes 1500."""

    def read(old: Any, of: Any, raw: Any) -> Any:
        cut = of == t.Int() and s.fmt != "xml" and isinstance(raw, float) and math.isfinite(raw)
        return old(of, int(raw) if cut else raw)

    around(s, "read", read)


# ---------------------------------------------------------------------------------------------------------------- hard


@defect("WIRE-DATETIME", also="WIRE-AGREE SET-VALUE", cls="VMPP")
def blind_xml_dates_with_week_year(s: Plain) -> None:
    """Java's YYYY for yyyy: over XML-RPC a date in the last days of December is often a year ahead."""

    def week_year(old: Any, of: Any, v: Any) -> Any:
        if of == t.DateTime() and v.month == 12 and v.year < 9999:
            saturday = v + timedelta(days=(5 - v.weekday()) % 7)
            v = v.replace(year=saturday.year)
        return old(of, v)

    around(s, "xml", week_year)


@defect("LABEL-LOOKUP", cls="Repository")
def blind_labels_compared_without_accents(s: Plain) -> None:
    """An accent-insensitive collation: get_by_name_label of Cafe also finds the repository Café."""

    def bare(text: str) -> str:
        return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))

    def by_label(old: Any, of: Any, label: str) -> Any:
        if of.name != "Repository":
            return old(of, label)
        return [ref for ref, obj in s.objects[of.name].items() if bare(obj["name_label"]) == bare(label)]

    around(s, "by_label", by_label)


@defect("MAP-REMOVE", cls="VIF")
def blind_key_removed_by_like(s: Plain) -> None:
    """DELETE ... WHERE key LIKE: VIF.remove_from_other_config of a_b takes a-b out as well."""

    def remove(old: Any, _ref: str, obj: Any, key: str) -> None:
        like = re.escape(key).replace("_", ".").replace("%", ".*")
        for each in list(obj["other_config"]):
            if re.fullmatch(like, each, re.DOTALL):
                old(each)

    doing(s, "remove_from", "VIF", "other_config", remove)


@defect("WIRE-AGREE", also="SET-VALUE STATE-MODEL GET-ALL-AGREES", cls="GPU_group")
def blind_xml_front_end_keeps_its_cache(s: Plain) -> None:
    """Once read over XML-RPC, a GPU group's description stays the same there after it was set over JSON."""
    cache: dict[str, Any] = {}

    def get(old: Any, of: Any, obj: Any, ref: str, f: Any) -> Any:
        value = old(of, obj, ref, f)
        wanted = (of.name, f.name) == ("GPU_group", "name_description") and s.fmt == "xml"
        return cache.setdefault(ref, value) if wanted else value

    def write(old: Any, ref: str, _obj: Any, value: Any) -> None:
        old(value)
        if s.fmt == "xml":
            cache.pop(ref, None)

    around(s, "get", get)
    doing(s, "set", "GPU_group", "name_description", write)


@defect("GET-ALL-AGREES", also="WHERE", cls="USB_group")
def blind_rows_decoded_into_one_map(s: Plain) -> None:
    """Rows are decoded into one variable: in get_all_records a USB group also has the keys of those before it."""

    def every(old: Any, of: Any) -> Any:
        rows = old(of)
        if of.name == "USB_group":
            config: dict[str, str] = {}
            for row in rows.values():
                config = config | row["other_config"]
                row["other_config"] = config
        return rows

    around(s, "get_all_records", every)


@defect("WIRE-FLOAT", also="WIRE-AGREE SET-VALUE", cls="task")
def blind_json_floats_of_15_digits(s: Plain) -> None:
    """JSON floats are printed with 15 digits: a task's progress of 1/3 or of 0.1 + 0.2 loses its last bits."""

    def short(old: Any, of: Any, v: Any) -> Any:
        brief = float(f"{v:.15g}") if of == t.Float() else v
        return brief if of == t.Float() and math.isfinite(brief) else old(of, v)

    around(s, "json", short)


@defect("EVENT-FROM", also="WIRE-STRING", cls="VM_appliance")
def blind_snapshots_of_changes_stay_escaped(s: Plain) -> None:
    """The mod event of an appliance shows a & b as a &amp; b in its snapshot, over every format."""

    def jot(old: Any, cls: str, operation: str, ref: str) -> None:
        old(cls, operation, ref)
        if (cls, operation) == ("VM_appliance", "mod"):
            last = s.journal[-1]
            kept = {n: escape(v) if isinstance(v, str) else v for n, v in (last.snapshot or {}).items()}
            s.journal[-1] = replace(last, snapshot=kept)

    around(s, "jot", jot)


@defect("CREATE-FIELDS", also="WIRE-STRING", cls="message")
def blind_message_body_cut_at_4000_bytes(s: Plain) -> None:
    """The body column is a VARCHAR2: of a message's body message.create keeps the first 4000 bytes of UTF-8."""

    def cut(given: dict[str, Any]) -> dict[str, Any]:
        body = given.get("body", "").encode()[:4000].decode(errors="ignore")
        return given | ({"body": body} if "body" in given else {})

    made(s, "message", cut)


@defect("WIRE-STRING", also="SET-VALUE", cls="Observer")
def blind_description_cut_before_an_emoji(s: Plain) -> None:
    """MySQL's three-byte utf8: Observer.set_name_description stores the text up to the first astral character."""
    written(s, "Observer", "name_description", lambda text: re.split("[\U00010000-\U0010ffff]", text)[0])


@defect("WIRE-JSON-ID-ECHO", cls="console")
def blind_json2_errors_make_digits_a_number(s: Plain) -> None:
    """Failures over JSON-RPC 2.0 guess the type of the id: the id "7" comes back as 7; successes keep it."""

    def failure(old: Any, fmt: str, said: list[str], ident: Any) -> Any:
        digits = fmt == "json2" and isinstance(ident, str) and re.fullmatch("[1-9][0-9]{0,17}", ident)
        return old(fmt, said, int(ident) if digits else ident)

    around(s, "json_failure", failure)
