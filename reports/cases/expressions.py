"""Values of a case as expressions of Python, for its script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from xenconform.models.api import Api
from xenconform.models.types import Float, MapOf, Option, RecordOf, RefTo, SetOf, Type
from xenconform.models.values import Handle, UuidOf, Value
from xenconform.reports.cases.naming import variable

_Pair: TypeAlias = tuple[Type | None, Type | None, Value, Value]
"""The types of a key and a value, None where they are not known, and the two."""


@dataclass(slots=True)
class Expressions:
    """Writes values; `known` are the objects that have a name, for none other can be written.

    Raises, in every method:
        ValueError: an object has no name yet, or a value is none of a call.
    """

    api: Api
    known: set[Handle] = field(default_factory=set)

    def given(self, of: Type | None, value: Value) -> str:
        """Return the expression of a value that is sent; where its type is not known, by what it is."""
        match of, value:
            case _, None:
                return "None"
            case Option(item), _:
                return self.given(item, value)
            case _, tuple():
                inner = of.item if isinstance(of, SetOf) else None
                return f"[{', '.join([self.given(inner, each) for each in value])}]"
            case _, dict():
                pairs = [f"{self.given(k, name)}: {self.given(v, each)}" for k, v, name, each in self._pairs(of, value)]
                return "{" + ", ".join(pairs) + "}"
            case Float(), int():
                return repr(float(value))
            case _:
                return self._scalar(value)

    def wanted(self, of: Type, value: Value) -> str:
        """Return the expression of a value that must come back, by its type."""
        match of, value:
            case SetOf(RefTo()), tuple():
                return f"Refs([{', '.join([self._scalar(each) for each in value])}])"
            case SetOf(item), tuple():
                return f"Set([{', '.join([self.wanted(item, each) for each in value])}])"
            case Option(item), _:
                return "None" if value is None else self.wanted(item, value)
            case _, dict():
                pairs = [
                    f"{self.given(k, name)}: {self.wanted(v, each) if v is not None else self.given(v, each)}"
                    for k, v, name, each in self._pairs(of, value)
                ]
                whole = "{" + ", ".join(pairs) + "}"
                kind = "Record" if isinstance(of, RecordOf) else "ByRef" if _is_by_ref(of) else ""
                return f"{kind}({whole})" if kind else whole
            case _:
                return self.given(of, value)

    def _pairs(self, of: Type | None, value: Mapping[Value, Value]) -> Iterator[_Pair]:
        fields = self.api.classes[of.cls].fields if isinstance(of, RecordOf) and of.cls in self.api.classes else {}
        for name, each in value.items():
            if isinstance(of, MapOf):
                yield of.key, of.value, name, each
            else:
                yield None, fields[name].type if name in fields else None, name, each

    def _scalar(self, value: Value) -> str:
        match value:
            case Handle():
                return "NULL" if value.is_null else self._named(value)
            case UuidOf(handle):
                return f"server.uuid_of({self._named(handle)})"
            case str():
                return text_of(value)
            case datetime():
                at = value.astimezone(UTC)
                fraction = f".{at.microsecond:06d}" if at.microsecond else ""
                day = f"{at.year:04d}-{at.month:02d}-{at.day:02d}"
                return f'instant("{day}T{at.hour:02d}:{at.minute:02d}:{at.second:02d}{fraction}Z")'
            case float():
                return repr(value) if value - value == 0.0 else f'float("{value!r}")'
            case bool() | int():
                return repr(value)
            case _:
                raise ValueError(f"no value of a call: {value!r}")

    def _named(self, handle: Handle) -> str:
        if handle not in self.known:
            raise ValueError(f"{handle} is used before a step makes it")
        return variable(handle)


def _is_by_ref(of: Type) -> bool:
    return isinstance(of, MapOf) and isinstance(of.key, RefTo)


def text_of(text: str) -> str:
    """Return a text as a literal in ASCII, in double quotes where nothing in it needs a backslash."""
    written = ascii(text)
    return f'"{text}"' if written == f"'{text}'" and '"' not in text else written


def codes_of(codes: Sequence[str]) -> str:
    """Return error codes as a list of literals."""
    return f"[{', '.join([text_of(code) for code in codes])}]"
