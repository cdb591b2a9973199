"""Held-out defects of texts, and of the look-up of labels."""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from urllib.parse import unquote

from strangers.base import around, defect
from strangers.heldout_base import members, pairs, stored, told
from strangers.plain_server import Plain

# --------------------------------------------------------------------------------------------------------------- texts


@defect("WIRE-STRING SET-VALUE", cls="secret")
def secret_cut_at_255(s: Plain) -> None:
    """A secret is cut after 255 characters."""
    stored(s, "secret", "value", lambda text: text[:255])


@defect("WIRE-STRING", cls="VM_appliance")
def length_of_16_bits(s: Plain) -> None:
    """The length of an appliance's description is kept in 16 bits, so that 65,536 characters are none."""
    stored(s, "VM_appliance", "name_description", lambda text: text[: len(text) % 65536])


@defect("WIRE-STRING")
def cdata_end_shortened(s: Plain) -> None:
    """The end of a CDATA section in a text comes out without its > over XML."""
    around(s, "xml_string", lambda old, text: old(text.replace("]]>", "]]")))


@defect("WIRE-STRING", cls="blob")
def percent_signs_decoded(s: Plain) -> None:
    """A blob's description is percent-decoded when it comes over JSON-RPC 1.0."""
    stored(s, "blob", "name_description", lambda text: unquote(text) if s.fmt == "json1" else text)


@defect("WIRE-STRING SET-ADD", cls="SR")
def plus_in_tags_is_a_space(s: Plain) -> None:
    """A plus sign in a tag of an SR is stored as a space."""
    members(s, "SR", "tags", lambda text: text.replace("+", " "))


@defect("WIRE-STRING", cls="user")
def null_is_no_name(s: Plain) -> None:
    """A user whose full name is the text null or None has no name."""
    stored(s, "user", "fullname", lambda text: "" if text in {"null", "None"} else text)


@defect("WIRE-STRING WIRE-MAP", cls="VM")
def true_in_maps_is_a_bool(s: Plain) -> None:
    """The texts true and false in a map's values leave as JSON booleans."""

    def json(old: Any, of: Any, value: Any) -> Any:
        found = old(of, value)
        if isinstance(value, dict) and isinstance(found, dict):
            return {k: {"true": True, "false": False}.get(v, v) if isinstance(v, str) else v for k, v in found.items()}
        return found

    around(s, "json", json)


@defect("WIRE-STRING MAP-ADD", cls="VM")
def leading_zeros_lost(s: Plain) -> None:
    """Digits in a value of VM.platform lose their leading zeros."""
    pairs(s, "VM", "platform", lambda key: key, lambda text: str(int(text)) if re.fullmatch("[0-9]+", text) else text)


@defect("WIRE-STRING MAP-ADD", cls="VBD")
def line_ends_of_dos_lost_in_a_map(s: Plain) -> None:
    """CR LF in a value of VBD.qos_algorithm_params becomes LF."""
    pairs(s, "VBD", "qos_algorithm_params", lambda key: key, lambda text: text.replace("\r\n", "\n"))


@defect("WIRE-STRING", cls="pool")
def tabs_expanded(s: Plain) -> None:
    """A tab in the pool's description becomes spaces."""
    stored(s, "pool", "name_description", lambda text: text.replace("\t", "        "))


@defect("WIRE-STRING", cls="PVS_site")
def byte_order_mark_dropped(s: Plain) -> None:
    """A byte order mark at the start of a site's description is dropped."""
    stored(s, "PVS_site", "name_description", lambda text: text.removeprefix("\ufeff"))


@defect("WIRE-STRING", cls="Observer")
def invisible_characters_dropped(s: Plain) -> None:
    """Joiners and other characters of no width are dropped from an observer's label."""
    stored(s, "Observer", "name_label", lambda text: re.sub("[\u200b-\u200f\u2060]", "", text))


@defect("WIRE-STRING", cls="VM")
def backslash_n_ends_a_line(s: Plain) -> None:
    """A backslash and an n in VM.PV_args become a line end."""
    stored(s, "VM", "PV_args", lambda text: text.replace("\\n", "\n"))


@defect("WIRE-STRING WIRE-AGREE", cls="Repository")
def quotes_escaped_for_html(s: Plain) -> None:
    """A repository's description has quotes as &quot; over JSON-RPC 2.0."""
    told(s, "Repository", "name_description", lambda text: text.replace('"', "&quot;"), "json2")


@defect("WIRE-STRING")
def c1_read_as_windows_1252(s: Plain) -> None:
    """Characters from U+0080 to U+009F of a network's description are read as those of Windows."""

    def read(text: str) -> str:
        return "".join(bytes([ord(c)]).decode("cp1252", "replace") if "\x80" <= c <= "\x9f" else c for c in text)

    stored(s, "network", "name_description", read)


@defect("WIRE-STRING SET-VALUE", cls="secret")
def last_line_end_lost(s: Plain) -> None:
    """A line end at the end of a secret is lost."""
    stored(s, "secret", "value", lambda text: text.removesuffix("\n"))


@defect("WIRE-STRING SET-ADD", cls="VDI")
def tags_split_at_commas(s: Plain) -> None:
    """A tag of a VDI that has a comma is two."""
    told(s, "VDI", "tags", lambda tags: list(dict.fromkeys(part for each in tags for part in each.split(","))))


# ------------------------------------------------------------------------------------------------ labels looked up


def matching(s: Plain, cls: str, test: Any) -> None:
    """Look the labels of a class up by another test of the label asked for and the label there."""

    def by_label(old: Any, of: Any, label: str) -> Any:
        if of.name != cls:
            return old(of, label)
        return [ref for ref, obj in s.objects[cls].items() if test(label, obj["name_label"])]

    around(s, "by_label", by_label)


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


@defect("LABEL-LOOKUP", cls="VM_appliance")
def labels_by_compatible_form(s: Plain) -> None:
    """Labels of appliances are looked up in a normal form of Unicode."""
    matching(s, "VM_appliance", lambda asked, there: folded(asked) == folded(there))


@defect("LABEL-LOOKUP", cls="SR")
def labels_by_pattern(s: Plain) -> None:
    """A percent sign or an underscore in the label of an SR that is looked up stands for anything."""

    def like(asked: str, there: str) -> bool:
        pattern = re.escape(asked).replace("%", ".*").replace("_", ".")
        return re.fullmatch(pattern, there, re.DOTALL) is not None

    matching(s, "SR", like)


@defect("LABEL-LOOKUP", cls="PVS_site")
def labels_with_quotes_not_found(s: Plain) -> None:
    """A site whose label has an apostrophe is not found by it."""
    matching(s, "PVS_site", lambda asked, there: asked == there and "'" not in asked)


@defect("LABEL-LOOKUP", cls="VDI")
def empty_label_not_found(s: Plain) -> None:
    """VDIs without a label are not found by the empty one."""
    matching(s, "VDI", lambda asked, there: bool(asked) and asked == there)


@defect("LABEL-LOOKUP", cls="GPU_group")
def labels_by_64_characters(s: Plain) -> None:
    """Labels of GPU groups are looked up by their first 64 characters."""
    matching(s, "GPU_group", lambda asked, there: asked[:64] == there[:64])


@defect("LABEL-LOOKUP", cls="VMSS")
def third_namesake_not_found(s: Plain) -> None:
    """A look-up by label of schedules gives two of them at most."""
    around(s, "by_label", lambda old, of, label: old(of, label)[:2] if of.name == "VMSS" else old(of, label))
