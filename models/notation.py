"""The published notation of default values: `{}`, `""`, `0.`, `OpaqueRef:NULL`, `{"a" -> "b"}`, `19700101T00:00:00Z`.

Source: seen in the published list of fields.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from xenconform.models import types as t
from xenconform.models.types import NULL_REF

_NULLS = frozenset({NULL_REF, "Null", ""})
_TEXT = r'"(?:[^"\\]|\\.)*"'
_PART = re.compile(rf"(?:{_TEXT}|[^,\"])+")
_ARROW = re.compile(rf"\s*({_TEXT}|[^\"]*?)\s*->\s*({_TEXT}|[^\"]*?)\s*")
_BOOLS = {"true": True, "false": False}


class NoDefault(ValueError):  # noqa: N818 - it says that there is none; nothing is wrong
    """The text names an object of one installation: no default that a server could have."""


def parse_default(of: t.Type, text: str) -> Any:
    """Return the default as JSON, in the form that class files hold.

    Raises:
        NoDefault: it is a reference to some object.
        ValueError: the text is none of a value of this type; the message names the text and the form expected.
    """
    match of:
        case t.RefTo():
            if text in _NULLS:
                return NULL_REF
            raise NoDefault(f"a reference to an object of one installation: {text}")
        case t.SetOf(item):
            return [parse_default(item, part.strip()) for part in _parts(text)]
        case t.MapOf(key, item):
            return dict(_pair(key, item, part) for part in _parts(text))
        case _:
            return _plain(of, text)


def _parts(text: str) -> list[str]:
    if not (text.startswith("{") and text.endswith("}")):
        raise ValueError(f"{text!r} is no set or map; write it in braces, like {{}}")
    return [part for part in _PART.findall(text[1:-1]) if part.strip()]


def _pair(key: t.Type, item: t.Type, text: str) -> tuple[str, Any]:
    found = _ARROW.fullmatch(text)
    if not found:
        raise ValueError(f'{text!r} is no pair of a map; write key -> value, like "a" -> "b"')
    return str(parse_default(key, found[1])), parse_default(item, found[2])


def _plain(of: t.Type, text: str) -> Any:
    try:
        match of:
            case t.Bool():
                return _BOOLS[text]
            case t.Int():
                return int(text)
            case t.Float():
                return float(text)
            case t.DateTime():
                return datetime.fromisoformat(text).isoformat().replace("+00:00", "Z")
            case t.Str():
                return json.loads(text) if text.startswith('"') else text
            case _:
                return text
    except (KeyError, ValueError) as error:
        raise ValueError(f"{text!r} is no value of the type {of}") from error
