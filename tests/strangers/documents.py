"""How a stranger reads documents, and writes text into them."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from strangers.values import Malformed


class NoTypes(ET.TreeBuilder):
    """A tree of a document without a document type, whatever it is written in."""

    def doctype(self, name: str, _pubid: str | None, _system: str | None) -> None:
        """Refuse the document."""
        raise Malformed(f"a DTD of {name}")


def xml_text(text: str) -> str:
    return escape(text, {"\r": "&#13;"})


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Malformed("a key twice")
    return found


def no_constant(name: str) -> Any:
    raise Malformed(f"{name} is no JSON")


def read_json(body: bytes) -> tuple[str, str, list[Any], Any]:
    """Return the version, the method, the parameters and the id of a JSON-RPC call.

    Raises:
        Malformed, ValueError, RecursionError: it is none.
    """
    call = json.loads(body.decode(), object_pairs_hook=once, parse_constant=no_constant)
    if not isinstance(call, dict) or not isinstance(call.get("method"), str):
        raise Malformed("no call")
    version, ident, params = call.get("jsonrpc", "1.0"), call.get("id"), call.get("params")
    if version not in {"1.0", "2.0"} or ("jsonrpc" in call and version == "1.0"):
        raise Malformed("another version")
    if isinstance(ident, bool) or not isinstance(ident, str | int) or not isinstance(params, list | None):
        raise Malformed("no id, or no parameters")
    return version, call["method"], params or [], ident


def read_call(body: bytes) -> tuple[str, list[Any]]:
    """Return the method and the parameters of an XML-RPC call.

    Raises:
        Malformed: it is none.
    """
    root = ET.fromstring(body, ET.XMLParser(target=NoTypes()))
    parts = {child.tag: child for child in root}
    if (
        len(parts) < len(root)
        or root.tag != "methodCall"
        or "methodName" not in parts
        or not parts.keys() <= {"methodName", "params"}
    ):
        raise Malformed("no call")
    params = []
    for param in parts.get("params", ()):
        if param.tag != "param" or [child.tag for child in param] != ["value"]:
            raise Malformed("no parameter")
        params.append(read_value(param[0], 0))
    return (parts["methodName"].text or "").strip(), params


def read_value(value: ET.Element, depth: int) -> Any:
    if depth > 100 or len(value) > 1 or value.tag != "value":
        raise Malformed("too deep, or no value")
    if not len(value):
        return value.text or ""
    (child,) = value
    text = child.text or ""
    match child.tag:
        case "string":
            return text
        case "int" | "i4" | "i8":
            return int(text)
        case "double":
            return float(text)
        case "boolean" if text.strip() in {"0", "1"}:
            return text.strip() == "1"
        case "dateTime.iso8601":
            return datetime.fromisoformat(text.strip())
        case "base64":
            return base64.b64decode(text)
        case "nil":
            return None
        case "array" if [each.tag for each in child] == ["data"]:
            return [read_value(each, depth + 1) for each in child[0]]
        case "struct":
            return once([read_member(member, depth) for member in child])
        case _:
            raise Malformed(f"<{child.tag}>")


def read_member(member: ET.Element, depth: int) -> tuple[str, Any]:
    if member.tag != "member" or [each.tag for each in member] != ["name", "value"]:
        raise Malformed("no member")
    return member[0].text or "", read_value(member[1], depth + 1)
