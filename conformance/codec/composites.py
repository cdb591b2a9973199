"""Strict readers of the types with parts: sets, maps, records, options, event batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xenconform.conformance.codec.spelling import DIGITS, Reader, Unreadable, plain, read_key
from xenconform.conformance.codec.tree import Array, Node, Scalar, Struct, describe
from xenconform.models.api import State
from xenconform.models.types import Enum, EventBatch, Int, MapOf, Option, RecordOf, SetOf, Str, Type
from xenconform.models.values import Value, canonical


def _set(reader: Reader, of: SetOf, node: Node, where: str) -> tuple[Value, ...]:
    if type(node) is not Array:
        if not _is_empty(node):
            raise Unreadable("set-not-array", f"{describe(node)} where an array belongs", where)
        reader.note("set-not-array", f"{describe(node)} where an array belongs", where)
        return ()
    values = []
    for at, each in enumerate(node.items):
        readable, value = reader.read_or_note(of.item, each, f"{where}[{at}]")
        if readable:
            values.append(value)
    if len(values) > 1:
        _note_duplicates(reader, of.item, values, where)
    return tuple(values)


def _note_duplicates(reader: Reader, item: Type, values: list[Value], where: str) -> None:
    forms: set[Any] = set()
    for at, value in enumerate(values):
        form = canonical(item, value)
        if form in forms:
            reader.note("set-duplicate", f"{str(value)[:60]!r} occurs twice in a set", f"{where}[{at}]")
        forms.add(form)


def _map(reader: Reader, of: MapOf, node: Node, where: str) -> dict[Value, Value]:
    if type(node) is not Struct:
        if not _is_empty(node):
            raise Unreadable("map-not-struct", f"{describe(node)} where a struct belongs", where)
        reader.note("map-not-struct", f"{describe(node)} where a struct belongs", where)
        return {}
    found: dict[Value, Value] = {}
    for name, each in node.members:
        inner = f"{where}[{name[:60]}]"
        readable, key = _key(reader, of.key, name, inner)
        if not readable:
            continue
        readable, value = reader.read_or_note(of.value, each, inner)
        if key in found:
            reader.note("map-duplicate-key", f"the key {name[:60]!r} occurs twice", inner)
        elif readable:
            found[key] = value
    return found


def _key(reader: Reader, of: Type, name: str, where: str) -> tuple[bool, Value]:
    try:
        key = read_key(of, name)
    except ValueError as error:
        reader.note("map-key-form", str(error), where)
        return False, None
    if isinstance(of, Int) and not DIGITS.fullmatch(name):
        reader.note("map-key-form", f"the key {name[:60]!r} is not plain decimal digits", where)
    if isinstance(of, Enum) and of.values and key not in of.values:
        reader.note("enum-value", f"the key {name[:60]!r} is no value of the enum {of.name}", where)
    return True, key


def _record(reader: Reader, of: RecordOf, node: Node, where: str) -> dict[str, Value]:
    if type(node) is not Struct:
        raise Unreadable("record-not-struct", f"{describe(node)} where a {of.cls} record belongs", where)
    cls = reader.api.classes.get(of.cls) if reader.api else None
    if cls is None or not cls.fields:
        return {name: plain(each) for name, each in node.members}
    found: dict[str, Value] = {}
    seen: set[str] = set()
    for name, each in node.members:
        inner = f"{where}.{name}" if where else name
        known = cls.fields.get(name)
        if known is None:
            reader.note("record-extra-field", f"{name[:60]!r} is no field of {of.cls}", inner)
        elif name in seen:
            reader.note("record-duplicate-member", f"the field {name} occurs twice", inner)
        else:
            seen.add(name)
            readable, value = reader.read_or_note(known.type, each, inner)
            if readable:
                found[name] = value
    if len(seen) != len(cls.fields):
        _note_missing(reader, of.cls, cls.fields, seen, where)
    return found


def _note_missing(reader: Reader, cls: str, fields: Mapping[str, Any], seen: set[str], where: str) -> None:
    for name, known in fields.items():
        optional = known.lifecycle.state is State.REMOVED or isinstance(known.type, Option)
        if name not in seen and not optional:
            reader.note("record-missing-field", f"a {cls} record lacks {name}", f"{where}.{name}" if where else name)


def _option(reader: Reader, of: Option, node: Node, where: str) -> Value:
    if type(node) is Scalar and node.tag == "nil":
        return None
    if type(node) is Array and not isinstance(of.item, SetOf) and len(node.items) <= 1:
        return reader.read(of.item, node.items[0], where) if node.items else None
    return reader.read(of.item, node, where)


def _events(reader: Reader, _: Type, node: Node, where: str) -> dict[str, Value]:
    members = dict(node.members) if type(node) is Struct else {}
    events, counts, token = (members.get(name) for name in ("events", "valid_ref_counts", "token"))
    if not isinstance(events, Array) or counts is None or token is None:
        raise Unreadable("events-shape", f"{describe(node)} where events, token and counts belong", where)
    # The counts are no field of a class: a live server sends them as <i4>, and no clause forbids it.
    quiet = reader.another()
    return {
        "events": tuple([_event(reader, each, f"events[{at}]") for at, each in enumerate(events.items)]),
        "valid_ref_counts": quiet.read(MapOf(Str(), Int()), counts, "valid_ref_counts"),
        "token": reader.read(Str(), token, "token"),
    }


def _event(reader: Reader, node: Node, where: str) -> dict[str, Value]:
    event: Value = plain(node)
    if type(node) is not Struct or not isinstance(event, dict):
        raise Unreadable("events-shape", f"{describe(node)} where an event belongs", where)
    named = str(event.get("class", "")).lower()
    cls = next((name for name in (reader.api.classes if reader.api else ()) if name.lower() == named), None)
    snapshot = dict(node.members).get("snapshot")
    if cls is not None and type(snapshot) is Struct:
        inner = reader.another()
        event["snapshot"] = inner.read(RecordOf(cls), snapshot, f"{where}.snapshot")
        # A snapshot may come from another release's record: what its values are counts, not which there are.
        reader.flaws += [flaw for flaw in inner.flaws if not flaw.kind.startswith("record-")]
    return event


def _is_empty(node: Node) -> bool:
    return not node.text.strip() if type(node) is Scalar else not node[0]


COMPOSITES: Mapping[type, Callable[[Reader, Any, Node, str], Value]] = {
    EventBatch: _events,
    RecordOf: _record,
    SetOf: _set,
    Option: _option,
    MapOf: _map,
}
"""The reader of each type."""
