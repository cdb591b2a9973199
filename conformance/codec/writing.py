"""From typed values to text of either wire: one writer over the types, two ways to spell each.

A spelling says how text, ints, floats, bools, datetimes, arrays and structs are written; the writer knows the types.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

from xenconform.conformance.codec.jsontree import quoted
from xenconform.conformance.codec.times import format_datetime
from xenconform.conformance.codec.xmltree import escaped
from xenconform.models.api import Api
from xenconform.models.types import (
    Bool,
    DateTime,
    Enum,
    EventBatch,
    Float,
    Int,
    MapOf,
    Option,
    RecordOf,
    RefTo,
    SetOf,
    Str,
    Type,
    Void,
)
from xenconform.models.values import Value

Ints: TypeAlias = Literal["text", "native"]
"""How ints are written: as decimal digits in text, or as the format's own integer."""


class Speller(Protocol):
    """How one format writes the parts of values."""

    def text(self, value: str) -> str:
        """Write text."""

    def int(self, value: int) -> str:
        """Write an int."""

    def float(self, value: float) -> str:
        """Write a float so that the same 64 bits are read back."""

    def bool(self, value: bool) -> str:
        """Write a bool."""

    def datetime(self, value: datetime) -> str:
        """Write an instant."""

    def nil(self) -> str:
        """Write the absent value of an option."""

    def array(self, items: Sequence[str]) -> str:
        """Write an array of written values."""

    def struct(self, members: Sequence[tuple[str, str]]) -> str:
        """Write a struct of names and written values."""


@dataclass(frozen=True, slots=True)
class XmlSpeller:
    """XML-RPC; `bare` leaves out the <string> element, as servers do."""

    ints: Ints = "text"
    bare: bool = False

    def text(self, value: str) -> str:
        """Write a <value> of text; `Uncarriable` where XML has no way to."""
        return f"<value>{escaped(value)}</value>" if self.bare else f"<value><string>{escaped(value)}</string></value>"

    def int(self, value: int) -> str:
        """Write digits, or <int> within 32 bits and else <i8>."""
        if self.ints == "native":
            tag = "int" if -(2**31) <= value < 2**31 else "i8"
            return f"<value><{tag}>{value:d}</{tag}></value>"
        return f"<value>{value:d}</value>" if self.bare else f"<value><string>{value:d}</string></value>"

    def float(self, value: float) -> str:
        """Write a <double> by the shortest text that reads back the same."""
        return f"<value><double>{float(value)!r}</double></value>"

    def bool(self, value: bool) -> str:
        """Write a <boolean>."""
        return f"<value><boolean>{1 if value else 0}</boolean></value>"

    def datetime(self, value: datetime) -> str:
        """Write a <dateTime.iso8601>."""
        return f"<value><dateTime.iso8601>{format_datetime(value)}</dateTime.iso8601></value>"

    def nil(self) -> str:
        """Write <nil/>."""
        return "<value><nil/></value>"

    def array(self, items: Sequence[str]) -> str:
        """Write an <array>."""
        return f"<value><array><data>{''.join(items)}</data></array></value>"

    def struct(self, members: Sequence[tuple[str, str]]) -> str:
        """Write a <struct>."""
        parts = [f"<member><name>{escaped(name)}</name>{value}</member>" for name, value in members]
        return f"<value><struct>{''.join(parts)}</struct></value>"


@dataclass(frozen=True, slots=True)
class JsonSpeller:
    """JSON; `special` lets NaN and the infinities through as the tokens that many parsers take, though no JSON."""

    ints: Ints = "text"
    special: bool = False

    def text(self, value: str) -> str:
        """Write a string, in ASCII alone."""
        return quoted(value)

    def int(self, value: int) -> str:
        """Write a string of digits, or an integer."""
        return f"{value:d}" if self.ints == "native" else f'"{value:d}"'

    def float(self, value: float) -> str:
        """Write a number; ValueError for NaN and infinities unless `special`."""
        if not math.isfinite(value):
            if not self.special:
                raise ValueError(f"JSON has no number {value!r}")
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return repr(float(value))

    def bool(self, value: bool) -> str:
        """Write true or false."""
        return "true" if value else "false"

    def datetime(self, value: datetime) -> str:
        """Write a string."""
        return f'"{format_datetime(value)}"'

    def nil(self) -> str:
        """Write null."""
        return "null"

    def array(self, items: Sequence[str]) -> str:
        """Write an array."""
        return f"[{','.join(items)}]"

    def struct(self, members: Sequence[tuple[str, str]]) -> str:
        """Write an object."""
        return "{" + ",".join([f"{quoted(name)}:{value}" for name, value in members]) + "}"


def write(of: Type, value: Value, by: Speller, api: Api | None) -> str:
    """Return the text of a value of the type `of`, refs given as text.

    Members of a record that its class does not have are written by their Python type.
    """
    return _WRITERS[type(of)](of, value, by, api)


def write_plain(value: Value, by: Speller) -> str:
    """Return the text of a value by its Python type alone."""
    match value:
        case bool():
            return by.bool(value)
        case int():
            return by.int(value)
        case float():
            return by.float(value)
        case datetime():
            return by.datetime(value)
        case None:
            return by.text("")
        case Mapping():
            return by.struct([(str(name), write_plain(each, by)) for name, each in value.items()])
        case tuple() | list() | set() | frozenset():
            return by.array([write_plain(each, by) for each in value])
        case _:
            return by.text(str(value))


def key_text(of: Type, key: Value) -> str:
    """Return the text of a map's key."""
    match of:
        case DateTime():
            return format_datetime(key)
        case Float():
            return repr(float(key))
        case Bool():
            return "true" if key else "false"
        case _:
            return str(key)


def _map(of: MapOf, value: Value, by: Speller, api: Api | None) -> str:
    inner = _WRITERS[type(of.value)]
    return by.struct([(key_text(of.key, key), inner(of.value, each, by, api)) for key, each in value.items()])


def _set(of: SetOf, value: Value, by: Speller, api: Api | None) -> str:
    inner = _WRITERS[type(of.item)]
    return by.array([inner(of.item, each, by, api) for each in value])


def _record(of: RecordOf, value: Value, by: Speller, api: Api | None) -> str:
    fields = api.classes[of.cls].fields if api and of.cls in api.classes else {}
    members = []
    for name, each in value.items():
        known = fields.get(name)
        members.append((name, write(known.type, each, by, api) if known else write_plain(each, by)))
    return by.struct(members)


def _events(_: Type, value: Value, by: Speller, api: Api | None) -> str:
    written = [by.struct([_event_member(event, name, by, api) for name in event]) for event in value["events"]]
    counts = by.struct([(str(cls), by.int(count)) for cls, count in value["valid_ref_counts"].items()])
    return by.struct([("events", by.array(written)), ("valid_ref_counts", counts), ("token", by.text(value["token"]))])


def _event_member(event: Mapping[str, Value], name: str, by: Speller, api: Api | None) -> tuple[str, str]:
    if name != "snapshot":
        # The id and the timestamp of an event travel as text in every format.
        return name, by.text(str(event[name]))
    named = str(event.get("class", "")).lower()
    cls = next((each for each in (api.classes if api else ()) if each.lower() == named), "")
    return name, _record(RecordOf(cls), event[name], by, api)


_WRITERS: Mapping[type, Callable[[Any, Value, Speller, Api | None], str]] = {
    Str: lambda _, value, by, __: by.text(value),
    Int: lambda _, value, by, __: by.int(value),
    Float: lambda _, value, by, __: by.float(value),
    Bool: lambda _, value, by, __: by.bool(value),
    DateTime: lambda _, value, by, __: by.datetime(value),
    Void: lambda _, __, by, ___: by.text(""),
    EventBatch: _events,
    RefTo: lambda _, value, by, __: by.text(value),
    Enum: lambda _, value, by, __: by.text(value),
    RecordOf: _record,
    SetOf: _set,
    Option: lambda of, value, by, api: by.nil() if value is None else write(of.item, value, by, api),
    MapOf: _map,
}
