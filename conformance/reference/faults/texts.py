"""Faults of text and of names: escaping, decoding twice, white space, planes of Unicode, lengths, look-alikes."""

from __future__ import annotations

import json
import re
import unicodedata
from html import unescape
from urllib.parse import unquote

from xenconform.conformance.codec import Scalar
from xenconform.conformance.reference.faults.base import HARD, MEDIUM, Server, fault
from xenconform.conformance.reference.faults.spelling import JSON, ONE, TWO, XML, Kind, read_as, shown, spelled, taken
from xenconform.models.types import Enum, MapOf, Str
from xenconform.models.values import Value

# -------------------------------------------------------------------------------------------------------- on the way in


@fault("WIRE-STRING", "network", MEDIUM)
def xml_byte_order_mark_dropped(s: Server) -> None:
    """Over XML-RPC a text that begins with U+FEFF is kept without it."""
    taken(s, Kind(Str, (XML,)), lambda v: v.removeprefix("\ufeff"))


@fault("WIRE-STRING", "secret", MEDIUM)
def json1_percent_codes_decoded(s: Server) -> None:
    """Over JSON-RPC 1.0 the percent codes of a text, as %2F, are kept as what they stand for."""
    taken(s, Kind(Str, (ONE,)), unquote)


@fault("WIRE-STRING", "VDI", HARD)
def constructor_decodes_entities_twice(s: Server) -> None:
    """VDI.create decodes once more what looks like an entity of XML; the setters keep it."""
    taken(s, Kind(Str, (), "VDI.create"), unescape)


@fault("WIRE-STRING", "SR", MEDIUM, also="MAP-ADD MAP-DUPLICATE-KEY")
def added_text_trimmed(s: Server) -> None:
    """SR.add_to_other_config trims the value that it adds; SR.set_other_config does not."""
    taken(s, Kind(Str, (), "SR.add_to_other_config"), str.strip)


@fault("WIRE-STRING", "network", HARD)
def added_tag_normalised(s: Server) -> None:
    """network.add_tags over JSON-RPC 2.0 brings text into its composed form; network.set_tags keeps it."""
    taken(s, Kind(Str, (TWO,), "network.add_tags"), lambda v: unicodedata.normalize("NFC", v))


@fault("WIRE-STRING", "VM_appliance", MEDIUM)
def xml_line_ends_folded(s: Server) -> None:
    """Over XML-RPC a carriage return and line feed in a text are kept as a line feed alone."""
    taken(s, Kind(Str, (XML,)), lambda v: v.replace("\r\n", "\n"))


@fault("WIRE-STRING", "VMSS", MEDIUM)
def no_break_space_made_plain(s: Server) -> None:
    """A no-break space in a text is kept as a plain one."""
    taken(s, Kind(Str), lambda v: v.replace("\u00a0", " "))


@fault("WIRE-STRING", "PVS_site", HARD)
def xml_pieces_of_4096_bytes(s: Server) -> None:
    """Over XML-RPC text is read in pieces of 4,096 bytes, and a character that lies across two of them is lost."""

    def pieces(text: str) -> str:
        raw = text.encode()
        return "".join(raw[at : at + 4096].decode(errors="ignore") for at in range(0, len(raw), 4096))

    taken(s, Kind(Str, (XML,)), pieces)


@fault("WIRE-STRING", "VIF", MEDIUM)
def doubled_percent_made_one(s: Server) -> None:
    """A text goes through a format string: two percent signs are kept as one."""
    taken(s, Kind(Str, JSON), lambda v: v.replace("%%", "%"))


@fault("WIRE-STRING", "blob", HARD)
def json_escapes_decoded_twice(s: Server) -> None:
    """A text that holds the six letters of a JSON escape, a backslash and u0041, is kept as what that stands for."""

    def again(text: str) -> str:
        try:
            return str(json.loads(f'"{text}"')) if "\\u" in text else text
        except ValueError:
            return text

    taken(s, Kind(Str, (TWO,)), again)


@fault("WIRE-STRING", "host", MEDIUM)
def long_text_cut_in_json(s: Server) -> None:
    """Over JSON a text longer than 65,535 bytes is cut there."""
    taken(s, Kind(Str, JSON), lambda v: v.encode()[:65535].decode(errors="ignore"))


@fault("WIRE-STRING", "subject", HARD, also="MAP-ADD WIRE-MAP")
def map_keys_composed(s: Server) -> None:
    """The keys of a subject's other_config are kept in their composed form, so that look-alikes become one."""

    def compose(value: dict[str, Value]) -> Value:
        return {unicodedata.normalize("NFC", key): each for key, each in value.items()}

    taken(s, Kind(MapOf, (), "subject.*"), compose)


@fault("WIRE-STRING", "VBD", HARD, also="WIRE-MAP")
def map_keys_hashed_by_255_letters(s: Server) -> None:
    """Two keys of a map that share their first 255 letters are taken for one; the later value stays."""

    def merge(value: dict[str, Value]) -> Value:
        firsts = {key[:255]: key for key in value}
        return {firsts[key[:255]]: each for key, each in value.items()}

    taken(s, Kind(MapOf, (), "VBD.*"), merge)


@fault("WIRE-STRING", "host", HARD)
def dots_in_keys_replaced(s: Server) -> None:
    """A dot in a key of a host's map is kept as a line below, which may be another key."""
    taken(s, Kind(MapOf, (), "host.set_logging"), lambda v: {k.replace(".", "_"): each for k, each in v.items()})


# ------------------------------------------------------------------------------------------------------- on the way out


@fault("WIRE-STRING", "pool", HARD, also="GET-RECORD-AGREES SET-NO-DUPLICATES WIRE-MAP WIRE-SET")
def record_text_cut_at_255(s: Server) -> None:
    """A pool's record shows the first 255 letters of a text; the getter shows all of it."""
    shown(s, Kind(Str, (), "pool.get_record"), lambda v: v[:255])


@fault("WIRE-STRING", "network", HARD, also="GET-RECORD-AGREES GET-ALL-AGREES")
def json2_record_backslashes_doubled(s: Server) -> None:
    """Over JSON-RPC 2.0 a network's record shows each backslash twice; the getters are right."""
    shown(s, Kind(Str, (TWO,), "network.get_record"), lambda v: v.replace("\\", "\\\\"))


@fault("WIRE-STRING", "secret", MEDIUM)
def json_negative_numerals_as_numbers(s: Server) -> None:
    """In JSON a secret's value that reads as a negative whole number comes as a number."""
    spelled(s, Kind(Str, JSON, "secret.get_value"), lambda v, text: v if re.fullmatch("-[1-9][0-9]*", v) else text)


@fault("WIRE-STRING", "network", MEDIUM, also="GET-RECORD-AGREES")
def json2_words_as_literals(s: Server) -> None:
    """Over JSON-RPC 2.0 the texts true, false and null in a map come as JSON's own."""
    words = {"true", "false", "null"}
    spelled(s, Kind(Str, (TWO,), "network.get_other_config"), lambda v, text: v if v in words else text)


@fault("WIRE-STRING", "VM", HARD, also="GET-RECORD-AGREES")
def json1_astral_characters_as_marks(s: Server) -> None:
    """Over JSON-RPC 1.0 a character beyond the basic plane in the maps of a VM comes as U+FFFD."""

    def basic(value: Value) -> Value:
        return {k: "".join("\ufffd" if c > "\uffff" else c for c in v) for k, v in value.items()}

    shown(s, Kind(MapOf, (ONE,), "VM.get_xenstore_data"), basic)


@fault("WIRE-STRING", "SR", MEDIUM, also="SET-NO-DUPLICATES")
def json_text_ends_at_line_separator(s: Server) -> None:
    """In JSON the line separators U+2028 and U+2029 of a text are left out."""
    shown(s, Kind(Str, JSON), lambda v: v.replace("\u2028", "").replace("\u2029", ""))


@fault("WIRE-STRING", "PIF", MEDIUM, also="WIRE-XML-ENVELOPE")
def xml_last_markup_raw(s: Server) -> None:
    """Over XML-RPC the last character of a text of a PIF is written raw, so one that ends in & breaks the reply."""

    def raw(value: str, text: str) -> str:
        last = {"&": "&amp;", "<": "&lt;"}.get(value[-1:], "")
        return text.replace(f"{last}</value>", f"{value[-1]}</value>") if last else text

    spelled(s, Kind(Str, (XML,), "PIF.*"), raw)


# ------------------------------------------------------------------------------------------------------ names of enums


@fault("WIRE-ENUM", "VDI", MEDIUM, also="WIRE-AGREE GET-RECORD-AGREES GET-ALL-AGREES")
def xml_behaviour_as_its_number(s: Server) -> None:
    """Over XML-RPC the enums of a VDI's record come as the number of the value."""

    def number(value: str, text: str) -> str:
        return (
            f"<value><int>{('persist', 'reset').index(value)}</int></value>" if value in {"persist", "reset"} else text
        )

    spelled(s, Kind(Enum, (XML,), "VDI.get_record"), number)


@fault("WIRE-ENUM", "network", HARD, also="GET-ALL-AGREES")
def listed_operations_with_capitals(s: Server) -> None:
    """The allowed operations in network.get_all_records begin with capitals, in every format."""
    shown(s, Kind(Enum, (), "network.get_all_records"), str.capitalize)


@fault("WIRE-ENUM", "VM", MEDIUM, also="WIRE-AGREE GET-RECORD-AGREES GET-ALL-AGREES CREATE-DEFAULTS WHERE")
def json1_underscores_as_dashes(s: Server) -> None:
    """Over JSON-RPC 1.0 the enums of a VM's record have dashes for underscores."""
    shown(s, Kind(Enum, (ONE,), "VM.get_record"), lambda v: v.replace("_", "-"))


@fault("WIRE-ENUM", "host", HARD)
def names_of_other_enums_taken(s: Server) -> None:
    """A setter of a host's enum takes the names that only another enum of hosts has, for its own first name."""
    fields = s.api.classes["host"].fields.values()
    known = {name for field in fields if isinstance(field.type, Enum) for name in field.type.values}

    def foreign(of: Enum, node: Scalar) -> Scalar:
        return Scalar("string", of.values[0]) if node[1] in known - {*of.values} else node

    read_as(s, Kind(Enum, (), "host.set_*"), foreign)


@fault("WIRE-ENUM", "VIF", HARD)
def longer_names_taken(s: Server) -> None:
    """A text that only begins with the name of an enum's value is taken for that value, as unlocked_ for unlocked."""

    def begun(of: Enum, node: Scalar) -> Scalar:
        first = next((each for each in sorted(of.values, key=len, reverse=True) if str(node[1]).startswith(each)), "")
        return Scalar("string", first) if first else node

    read_as(s, Kind(Enum, (), "VIF.set_*"), begun)
