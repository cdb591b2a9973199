"""From a reply's tree to typed values, seeing every departure from the wire's rules.

What can be read is read, and its departures are noted as flaws; what cannot be read at all raises. Inside a record, a
set or a map one unreadable value is left out and noted, so that the others can still be judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from xenconform.conformance.codec.times import parse_datetime
from xenconform.conformance.codec.tree import Array, Node, Scalar, Struct, describe
from xenconform.models.api import Api, State
from xenconform.models.calls import Flaw
from xenconform.models.types import (
    INT_MAX,
    INT_MIN,
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
from xenconform.models.values import Value, canonical

_DIGITS = re.compile(r"-?[0-9]+")
_LOOSE_DIGITS = re.compile(r"\s*[-+]?[0-9]+\s*", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
_MOST_DIGITS = 400
_INT_TAGS = frozenset({"int", "i4", "i8", "i1", "i2"})
_TRUTH = {"1": True, "0": False, "true": True, "false": False}


class Unreadable(Exception):  # noqa: N818 - it is the value that cannot be read; nothing here went wrong
    """A value from which nothing of its type can be read. `kind` is a name in `models.flaws.KINDS`."""

    def __init__(self, kind: str, detail: str, where: str) -> None:
        """Take what a `Flaw` needs."""
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.where = where


@dataclass(frozen=True, slots=True)
class Spelling:
    """The tags that a format allows for each kind of value."""

    text: frozenset[str]
    int: frozenset[str]
    float: frozenset[str]
    datetime: frozenset[str]
    key_tag: str


XML_SPELLING = Spelling(
    text=frozenset({"", "string"}),
    int=frozenset({"", "string"}),
    float=frozenset({"double"}),
    datetime=frozenset({"dateTime.iso8601"}),
    key_tag="",
)
JSON_SPELLING = Spelling(
    text=frozenset({"string"}),
    int=frozenset({"int", "string"}),
    float=frozenset({"int", "double"}),
    datetime=frozenset({"string"}),
    key_tag="string",
)


@dataclass(slots=True)
class StrictReader:
    """Reads one reply's values; `flaws` grows as it does."""

    spelling: Spelling
    api: Api | None
    flaws: list[Flaw] = field(default_factory=list)

    def read(self, of: Type, node: Node, where: str = "") -> Value:
        """Return the value of the type `of` that a node holds.

        Raises:
            Unreadable: the node holds nothing of the type.
        """
        return _READERS[type(of)](self, of, node, where)

    def note(self, kind: str, detail: str, where: str) -> None:
        """Add a flaw."""
        self.flaws.append(Flaw(kind, detail, where))

    def read_or_note(self, of: Type, node: Node, where: str) -> tuple[bool, Value]:
        """Return whether a value could be read, and the value; note it where not."""
        try:
            return True, _READERS[type(of)](self, of, node, where)
        except Unreadable as bad:
            self.note(bad.kind, bad.detail, bad.where)
            return False, None

    def _text(self, name: str, node: Node, where: str) -> str:
        if type(node) is Scalar:
            if node.tag in self.spelling.text:
                return node.text
            self.note(f"{name}-tag", f"{describe(node)} where text belongs", where)
            return node.text
        raise Unreadable(f"{name}-unreadable", f"{describe(node)} where text belongs", where)

    def _str(self, _: Type, node: Node, where: str) -> str:
        return self._text("string", node, where)

    def _ref(self, _: Type, node: Node, where: str) -> str:
        return self._text("ref", node, where)

    def _enum(self, of: Enum, node: Node, where: str) -> str:
        text = self._text("enum", node, where)
        if of.values and text not in of.values:
            self.note("enum-value", f"{text!r} is no value of the enum {of.name}", where)
        return text

    def _int(self, _: Type, node: Node, where: str) -> int:
        if type(node) is not Scalar:
            raise Unreadable("int-unreadable", f"{describe(node)} where an int belongs", where)
        text = node.text
        if node.tag not in self.spelling.int:
            kind = "int-as-float" if node.tag == "double" else "int-tag"
            self.note(kind, f"{describe(node)} where an int belongs", where)
        elif not _DIGITS.fullmatch(text) and _LOOSE_DIGITS.fullmatch(text):
            self.note("int-form", f"{describe(node)}: not plain decimal digits", where)
        value = _number_of(node)
        if value is None:
            raise Unreadable("int-unreadable", f"{describe(node)} where an int belongs", where)
        if not INT_MIN <= value <= INT_MAX:
            self.note("int-range", f"{describe(node)} is outside 64 bits", where)
        return value

    def _float(self, _: Type, node: Node, where: str) -> float:
        if type(node) is not Scalar:
            raise Unreadable("float-unreadable", f"{describe(node)} where a float belongs", where)
        text = node.text
        if node.tag not in self.spelling.float:
            self.note("float-tag", f"{describe(node)} where a float belongs", where)
        bare = text.strip(" \t\r\n")
        if bare != text:
            self.note("float-form", f"{describe(node)}: white space around the number", where)
        if _SPECIAL.fullmatch(bare):
            self.note("float-special", f"{describe(node)} is no finite number", where)
        elif not _DECIMAL.fullmatch(bare):
            raise Unreadable("float-unreadable", f"{describe(node)} where a float belongs", where)
        value = float(bare)
        if value in {float("inf"), float("-inf")} and not _SPECIAL.fullmatch(bare):
            self.note("float-special", f"{describe(node)} is beyond the range of a double", where)
        return value

    def _bool(self, _: Type, node: Node, where: str) -> bool:
        value = _TRUTH.get(node.text.strip().lower()) if type(node) is Scalar else None
        if value is None:
            raise Unreadable("bool-unreadable", f"{describe(node)} where a bool belongs", where)
        assert isinstance(node, Scalar)
        if node.tag != "boolean":
            self.note("bool-tag", f"{describe(node)} where a bool belongs", where)
        elif node.text not in {"0", "1"}:
            self.note("bool-form", f"{describe(node)} is neither 0 nor 1", where)
        return value

    def _datetime(self, _: Type, node: Node, where: str) -> Value:
        if type(node) is not Scalar:
            raise Unreadable("datetime-unreadable", f"{describe(node)} where a datetime belongs", where)
        try:
            value = parse_datetime(node.text)
        except ValueError as error:
            raise Unreadable("datetime-unreadable", f"{describe(node)}: {error}", where) from None
        if node.tag not in self.spelling.datetime:
            self.note("datetime-tag", f"{describe(node)} where a datetime belongs", where)
        return value

    def _void(self, _: Type, node: Node, where: str) -> None:
        if type(node) is not Scalar or node.tag not in self.spelling.text or node.text:
            self.note("void-not-empty", f"{describe(node)} where the empty string belongs", where)

    def _set(self, of: SetOf, node: Node, where: str) -> tuple[Value, ...]:
        if type(node) is not Array:
            if not _is_empty(node):
                raise Unreadable("set-not-array", f"{describe(node)} where an array belongs", where)
            self.note("set-not-array", f"{describe(node)} where an array belongs", where)
            return ()
        values = []
        for at, each in enumerate(node.items):
            readable, value = self.read_or_note(of.item, each, f"{where}[{at}]")
            if readable:
                values.append(value)
        if len(values) > 1:
            self._note_duplicates(of.item, values, where)
        return tuple(values)

    def _note_duplicates(self, item: Type, values: list[Value], where: str) -> None:
        forms: set[Any] = set()
        for at, value in enumerate(values):
            form = canonical(item, value)
            if form in forms:
                self.note("set-duplicate", f"{str(value)[:60]!r} occurs twice in a set", f"{where}[{at}]")
            forms.add(form)

    def _map(self, of: MapOf, node: Node, where: str) -> dict[Value, Value]:
        if type(node) is not Struct:
            if not _is_empty(node):
                raise Unreadable("map-not-struct", f"{describe(node)} where a struct belongs", where)
            self.note("map-not-struct", f"{describe(node)} where a struct belongs", where)
            return {}
        found: dict[Value, Value] = {}
        for name, each in node.members:
            inner = f"{where}[{name[:60]}]"
            readable, key = self._key(of.key, name, inner)
            if not readable:
                continue
            readable, value = self.read_or_note(of.value, each, inner)
            if key in found:
                self.note("map-duplicate-key", f"the key {name[:60]!r} occurs twice", inner)
            elif readable:
                found[key] = value
        return found

    def _key(self, of: Type, name: str, where: str) -> tuple[bool, Value]:
        try:
            key = read_key(of, name)
        except ValueError as error:
            self.note("map-key-form", str(error), where)
            return False, None
        if isinstance(of, Int) and not _DIGITS.fullmatch(name):
            self.note("map-key-form", f"the key {name[:60]!r} is not plain decimal digits", where)
        if isinstance(of, Enum) and of.values and key not in of.values:
            self.note("enum-value", f"the key {name[:60]!r} is no value of the enum {of.name}", where)
        return True, key

    def _record(self, of: RecordOf, node: Node, where: str) -> dict[str, Value]:
        if type(node) is not Struct:
            raise Unreadable("record-not-struct", f"{describe(node)} where a {of.cls} record belongs", where)
        cls = self.api.classes.get(of.cls) if self.api else None
        if cls is None or not cls.fields:
            return {name: plain(each) for name, each in node.members}
        found: dict[str, Value] = {}
        seen: set[str] = set()
        for name, each in node.members:
            inner = f"{where}.{name}" if where else name
            known = cls.fields.get(name)
            if known is None:
                self.note("record-extra-field", f"{name[:60]!r} is no field of {of.cls}", inner)
            elif name in seen:
                self.note("record-duplicate-member", f"the field {name} occurs twice", inner)
            else:
                seen.add(name)
                readable, value = self.read_or_note(known.type, each, inner)
                if readable:
                    found[name] = value
        if len(seen) != len(cls.fields):
            self._note_missing(of.cls, cls.fields, seen, where)
        return found

    def _note_missing(self, cls: str, fields: Mapping[str, Any], seen: set[str], where: str) -> None:
        for name, known in fields.items():
            if name not in seen and known.lifecycle.state is not State.REMOVED:
                self.note("record-missing-field", f"a {cls} record lacks {name}", f"{where}.{name}" if where else name)

    def _option(self, of: Option, node: Node, where: str) -> Value:
        if type(node) is Scalar and node.tag == "nil":
            return None
        if type(node) is Array and not isinstance(of.item, SetOf) and len(node.items) <= 1:
            return self.read(of.item, node.items[0], where) if node.items else None
        return self.read(of.item, node, where)

    def _events(self, _: Type, node: Node, where: str) -> dict[str, Value]:
        members = dict(node.members) if type(node) is Struct else {}
        events, counts, token = (members.get(name) for name in ("events", "valid_ref_counts", "token"))
        if not isinstance(events, Array) or counts is None or token is None:
            raise Unreadable("events-shape", f"{describe(node)} where events, token and counts belong", where)
        return {
            "events": tuple([self._event(each, f"events[{at}]") for at, each in enumerate(events.items)]),
            "valid_ref_counts": self.read(MapOf(Str(), Int()), counts, "valid_ref_counts"),
            "token": self.read(Str(), token, "token"),
        }

    def _event(self, node: Node, where: str) -> dict[str, Value]:
        event: Value = plain(node)
        if type(node) is not Struct or not isinstance(event, dict):
            raise Unreadable("events-shape", f"{describe(node)} where an event belongs", where)
        named = str(event.get("class", "")).lower()
        cls = next((name for name in (self.api.classes if self.api else ()) if name.lower() == named), None)
        snapshot = dict(node.members).get("snapshot")
        if cls is not None and type(snapshot) is Struct:
            inner = StrictReader(self.spelling, self.api)
            event["snapshot"] = inner.read(RecordOf(cls), snapshot, f"{where}.snapshot")
            # A snapshot may come from another release's record: what its values are counts, not which there are.
            self.flaws += [flaw for flaw in inner.flaws if not flaw.kind.startswith("record-")]
        return event


def _is_empty(node: Node) -> bool:
    return not node.text.strip() if type(node) is Scalar else not node[0]


def _number_of(node: Scalar) -> int | None:
    """Return the whole number that a scalar denotes however it is spelled, or None."""
    text = node.text
    if len(text) > _MOST_DIGITS:
        return None
    if _LOOSE_DIGITS.fullmatch(text):
        return int(text)
    if node.tag == "boolean" and text in _TRUTH:
        return int(_TRUTH[text])
    if _DECIMAL.fullmatch(text) and abs(float(text)) < 1e19 and float(text).is_integer():
        try:
            exact = Decimal(text)
            return int(exact) if exact == int(exact) else None
        except ArithmeticError:  # an exponent beyond what Decimal takes
            return None
    return None


def read_key(of: Type, name: str) -> Value:
    """Return the value of a map's key from its text.

    Raises:
        ValueError: the text denotes no value of the key's type.
    """
    match of:
        case Int():
            if len(name) > _MOST_DIGITS or not _LOOSE_DIGITS.fullmatch(name):
                raise ValueError(f"the key {name[:60]!r} is no int")
            return int(name)
        case Float():
            if not _DECIMAL.fullmatch(name):
                raise ValueError(f"the key {name[:60]!r} is no float")
            return float(name)
        case Bool():
            if name not in _TRUTH:
                raise ValueError(f"the key {name[:60]!r} is no bool")
            return _TRUTH[name]
        case DateTime():
            return parse_datetime(name)
        case _:
            return name


def plain(node: Node) -> Value:
    """Return a tree as plain Python, by its tags alone: of a name that occurs twice the first value."""
    if type(node) is Array:
        return tuple([plain(each) for each in node.items])
    if type(node) is Struct:
        found: dict[str, Value] = {}
        for name, each in node.members:
            found.setdefault(name, plain(each))
        return found
    assert isinstance(node, Scalar)
    tag, text = node
    if tag in _INT_TAGS and len(text) <= _MOST_DIGITS and _DIGITS.fullmatch(text):
        return int(text)
    if tag == "double" and _DECIMAL.fullmatch(text):
        return float(text)
    if tag == "boolean" and text in _TRUTH:
        return _TRUTH[text]
    return None if tag == "nil" else text


_READERS: Mapping[type, Callable[[StrictReader, Any, Node, str], Value]] = {
    Str: StrictReader._str,
    Int: StrictReader._int,
    Float: StrictReader._float,
    Bool: StrictReader._bool,
    DateTime: StrictReader._datetime,
    Void: StrictReader._void,
    EventBatch: StrictReader._events,
    RefTo: StrictReader._ref,
    Enum: StrictReader._enum,
    RecordOf: StrictReader._record,
    SetOf: StrictReader._set,
    Option: StrictReader._option,
    MapOf: StrictReader._map,
}
