"""What of a reply a shell can tell: pieces of its text that it must have, and pieces that it must not have.

A piece is in the form that `shell.py` brings replies into: no white space between parts, no <string> tags, quotes
and > in XML as they are. A value that servers may spell in several ways has several spellings, of which a reply must
have one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import permutations

from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.types import Bool, DateTime, Enum, Float, Int, MapOf, RecordOf, RefTo, SetOf, Str, Type
from xenconform.models.values import Handle, UuidOf, Value

FEW = 3
"""Sets and maps inside of records are spelled in every order up to so many members."""
ALWAYS = frozenset({"Success", "Failure", "Status", "Value", "result", "error", "id", "jsonrpc", "2.0"})
"""Texts of the envelopes: they are in replies whatever the value is."""
_SPACE = r"[ \t\n\r\f\v]*"
_JSON_NAMES: Mapping[str, str] = {"\b": "\\u0008", "\f": "\\u000c", "\n": "\\u000a", "\r": "\\u000d", "\t": "\\u0009"}


@dataclass(slots=True)
class Told:
    """The pieces of one reply.

    Each of `must` is a list of spellings, one of which must be there, and whether any other spelling would be wrong;
    `must_not` are pieces that may not be there. `whole` says whether that is all there is to judge.
    """

    must: list[tuple[tuple[str, ...], bool]] = field(default_factory=list)
    must_not: list[str] = field(default_factory=list)
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Speller:
    """Spells values in one format; `name` gives the text that stands for an object's ref or its uuid."""

    format: Format
    api: Api
    name: Callable[[Handle | UuidOf], str]

    @property
    def is_xml(self) -> bool:
        """Whether the format is XML-RPC."""
        return self.format is Format.XMLRPC

    def tell(self, of: Type, value: Value, others: Sequence[str], objects: Sequence[Handle]) -> Told:
        """Return the pieces of a successful reply with a value.

        `others` are texts that the case uses and `objects` the objects that it names: none may be in a set or map
        that is not to have it.
        """
        told = Told()
        before = "<name>Value</name>" if self.is_xml else '"result":'
        match of, value:
            case SetOf(item), tuple() if isinstance(item, RefTo | Str | Enum):
                told.must += [(self.spellings(item, each)[0], True) for each in value]
                if not value and not isinstance(item, RefTo):
                    told.must.append(((before + self._empty("array"),), True))
                absent = objects if isinstance(item, RefTo) else others
                wrong = [self.spellings(item, each)[0][0] for each in absent if each not in value]
                told.must_not += [piece for piece, each in zip(wrong, absent, strict=False) if each not in ALWAYS]
                told.whole = not any(isinstance(each, str) and (each in ALWAYS or not each.strip()) for each in value)
            case MapOf(key, item), dict() if not isinstance(item, RecordOf) and isinstance(key, Str | Enum):
                for name, each in value.items():
                    self._member(told, item, name, each)
                if not value:
                    told.must.append(((before + self._empty("struct"),), True))
                told.must_not += [self.key(each) for each in others if each not in value and each not in ALWAYS]
            case RecordOf(cls), dict():
                fields = self.api.classes[cls].fields
                for name, each in value.items():
                    self._member(told, fields[name].type, name, each)
            case _:
                spelled, sure = self.spellings(of, value)
                told.must += [(tuple([before + each for each in spelled]), sure)] if spelled else []
                told.whole = bool(spelled)
        return told

    def _member(self, told: Told, of: Type, name: str, value: Value) -> None:
        match of, value:
            case SetOf(RefTo()), tuple():
                told.must += [(self.spellings(of.item, each)[0], True) for each in value]
                told.whole = False
            case _:
                spelled, sure = self.spellings(of, value)
                told.must += [(tuple([self.key(name) + each for each in spelled]), sure)] if spelled else []
                told.whole = told.whole and bool(spelled)

    def key(self, name: str) -> str:
        """Return a member's name as it stands before its value."""
        return f"<name>{_xml_texts(name)[0]}</name>" if self.is_xml else f"{_json_texts(name)[0]}:"

    def _empty(self, tag: str) -> str:
        if self.is_xml:
            return f"<value><{tag}>{'<data></data>' if tag == 'array' else ''}</{tag}></value>"
        return "[]" if tag == "array" else "{}"

    def spellings(self, of: Type, value: Value) -> tuple[tuple[str, ...], bool]:
        """Return how a value may be spelled, and whether those are all the ways; none where it cannot be told."""
        match of, value:
            case RefTo(), Handle() if value.is_null:
                return (*self._texts("OpaqueRef:NULL"), *self._texts("")), True
            case _, Handle() | UuidOf():
                return self._texts(self.name(value)), True
            case Str() | Enum(), str():
                return self._texts(value), not value or bool(value.strip())
            case Int(), int():
                digits = str(int(value))
                tags = [f"<value><{tag}>{digits}</{tag}></value>" for tag in ("i8", "i4", "int")]
                xml = (*self._texts(digits), *tags)
                return xml if self.is_xml else (*self._texts(digits), *_ended(digits)), True
            case Bool(), bool():
                return (
                    (f"<value><boolean>{value:d}</boolean></value>",) if self.is_xml else _ended(str(value).lower())
                ), True
            case Float(), float():
                numbers = dict.fromkeys((repr(value), f"{value:.17g}", f"{value:g}", f"{value:f}"))
                tags = [f"<value><double>{each}</double></value>" for each in numbers]
                return tuple(tags) if self.is_xml else tuple([s for each in numbers for s in _ended(each)]), False
            case DateTime(), datetime():
                return tuple(self._times(value)), False
            case SetOf(item), tuple():
                return self._orders("array", [self.spellings(item, each) for each in value])
            case MapOf(Str() | Enum(), item), dict():
                members = [(self.key(name), *self.spellings(item, each)) for name, each in value.items()]
                return self._orders("struct", [(tuple([k + s for s in spelled]), sure) for k, spelled, sure in members])
            case _:
                return (), False

    def _texts(self, text: str) -> tuple[str, ...]:
        return tuple([f"<value>{each}</value>" for each in _xml_texts(text)]) if self.is_xml else _json_texts(text)

    def _orders(self, tag: str, parts: list[tuple[tuple[str, ...], bool]]) -> tuple[tuple[str, ...], bool]:
        """Return a set or map in every order, where its members have few spellings."""
        if not parts:
            return (self._empty(tag),), True
        if len(parts) > FEW or any(len(spelled) != 1 for spelled, _ in parts) or not self.is_xml:
            return (), False
        found = []
        for order in permutations([spelled[0] for spelled, _ in parts]):
            members = [f"<member>{each}</member>" if tag == "struct" else each for each in order]
            inner = f"<data>{''.join(members)}</data>" if tag == "array" else "".join(members)
            found.append(f"<value><{tag}>{inner}</{tag}></value>")
        return tuple(found), all(sure for _, sure in parts)

    def _times(self, at: datetime) -> Iterator[str]:
        at = at.astimezone(UTC)
        clock = f"T{at.hour:02d}:{at.minute:02d}:{at.second:02d}{f'.{at.microsecond:06d}' if at.microsecond else ''}"
        for dash in ("", "-"):
            for zone in ("Z", "", "+00:00"):
                text = f"{at.year:04d}{dash}{at.month:02d}{dash}{at.day:02d}{clock}{zone}"
                tag = "dateTime.iso8601"
                yield f"<value><{tag}>{text}</{tag}></value>" if self.is_xml else f'"{text}"'


def _ended(number: str) -> tuple[str, ...]:
    """Return a JSON number or word with what may stand behind it."""
    return tuple([number + each for each in ",}]\n "])


def _xml_texts(text: str) -> tuple[str, ...]:
    """Return text as XML may have it: characters beyond ASCII as they are or by their numbers."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;")
    forms = [plain.replace("\r", "&#13;")]
    forms += [
        "".join([form.format(ord(each)) if each > "~" or each == "\r" else each for each in plain])
        for form in ("&#{:d};", "&#x{:X};", "&#x{:x};")
    ]
    return tuple(dict.fromkeys(re.sub(f">{_SPACE}<", "><", each) for each in forms if _is_utf8(each)))


def _json_texts(text: str) -> tuple[str, ...]:
    """Return text as JSON may have it, in quotes: with short escapes or long ones, in ASCII or not."""
    forms = [json.dumps(text), json.dumps(text, ensure_ascii=False)]
    forms.append(re.sub(r"\\u[0-9a-f]{4}", lambda found: "\\u" + found[0][2:].upper(), forms[0]))
    forms.append(forms[0].replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
    forms.append('"' + "".join([_JSON_NAMES.get(each) or json.dumps(each)[1:-1] for each in text]) + '"')
    return tuple(dict.fromkeys(_json_flat(each) for each in forms if _is_utf8(each)))


def _json_flat(text: str) -> str:
    """Bring text into the form that the shell brings replies into."""
    text = re.sub(f'"{_SPACE}:{_SPACE}', '":', text)
    text = re.sub(rf"\[{_SPACE}\]", "[]", text)
    return re.sub(rf"\{{{_SPACE}\}}", "{}", text)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
