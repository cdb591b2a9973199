"""What the codec's tests share: a small API with a field of every type, and strategies of types with their values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from xenconform.models.api import Api, ApiClass, Field, Lifecycle, Qualifier, State
from xenconform.models.types import (
    INT_MAX,
    INT_MIN,
    Bool,
    DateTime,
    Enum,
    Float,
    Int,
    MapOf,
    Option,
    RecordOf,
    RefTo,
    SetOf,
    Str,
    Type,
)
from xenconform.models.values import canonical

MODE = Enum("mode", ("on", "off", "auto"))
FIELDS: dict[str, Type] = {
    "uuid": Str(),
    "size": Int(),
    "ratio": Float(),
    "live": Bool(),
    "born": DateTime(),
    "owner": RefTo("thing"),
    "mode": MODE,
    "tags": SetOf(Str()),
    "extra": MapOf(Str(), Str()),
    "counts": MapOf(Int(), Float()),
    "note": Option(Str()),
}
GONE = Lifecycle(State.REMOVED)
HERE = Lifecycle(State.PUBLISHED)


def small_api() -> Api:
    """An API of one class, whose field `old` was removed."""
    fields = {name: Field(name, of, Qualifier.RW, HERE) for name, of in FIELDS.items()}
    fields["old"] = Field("old", Str(), Qualifier.RW, GONE)
    return Api("1.0", {"thing": ApiClass("thing", fields, {}, HERE, {"mode": MODE.values})}, (), {}, ())


API = small_api()

CARRIABLE = st.text(
    st.one_of(
        st.sampled_from("\t\n\r <>&\"'\\]/ü漢😀\u0301\u2028\ufffd\x7f\x85"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff", min_codepoint=0x20),
    )
)
"""Text that XML can carry."""

ANY_TEXT = st.text(st.characters())
"""All text of Python, NUL and lone surrogates included."""

FINITE = st.floats(allow_nan=False, allow_infinity=False)
INTS = st.integers(INT_MIN, INT_MAX) | st.sampled_from([INT_MIN, INT_MAX, 0, -1, 2**31, -(2**31), 2**53 + 1])
INSTANTS = st.datetimes(
    datetime(1, 1, 2),  # noqa: DTZ001 - the strategy takes bounds without zone
    datetime(9999, 12, 30),  # noqa: DTZ001 - the strategy takes bounds without zone
    timezones=st.just(UTC),
)


def _values(of: Type, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    match of:
        case Int():
            return INTS
        case Float():
            return FINITE
        case Bool():
            return st.booleans()
        case DateTime():
            return INSTANTS
        case Enum(_, values):
            return st.sampled_from(values)
        case SetOf(item):
            return st.lists(_values(item, text), max_size=4, unique_by=lambda one: canonical(item, one)).map(tuple)
        case MapOf(key, value):
            return st.dictionaries(_values(key, text), _values(value, text), max_size=4)
        case Option(item):
            return st.none() | _values(item, text)
        case RecordOf():
            return st.fixed_dictionaries({name: _values(each, text) for name, each in FIELDS.items()})
        case _:
            return text


_LEAVES: list[Type] = [Str(), Int(), Float(), Bool(), DateTime(), RefTo("thing"), MODE, RecordOf("thing")]
_KEYS: list[Type] = [Str(), Int(), RefTo("thing"), MODE]
TYPES: st.SearchStrategy[Type] = st.recursive(
    st.sampled_from(_LEAVES),
    lambda inner: inner.map(SetOf) | st.builds(MapOf, st.sampled_from(_KEYS), inner),
    max_leaves=3,
)


@st.composite
def typed(draw: st.DrawFn, text: st.SearchStrategy[str] = CARRIABLE) -> tuple[Type, Any]:
    """A type and a value of it; shrinks towards the empty string."""
    of = draw(TYPES)
    return of, draw(_values(of, text))


SAMPLE: dict[str, Any] = {
    "uuid": "u",
    "size": 2**53 + 1,
    "ratio": 0.1,
    "live": True,
    "born": datetime(2024, 1, 1, 12, tzinfo=UTC) + timedelta(microseconds=5),
    "owner": "OpaqueRef:1",
    "mode": "on",
    "tags": ("a", "b"),
    "extra": {"k": "v"},
    "counts": {7: 0.5},
    "note": "n",
}
"""A record of the class."""


def exact(of: Type, value: Any) -> Any:
    """A form in which two values are equal exactly when they are the same to the last bit, records field by field."""
    match of:
        case RecordOf():
            return {name: exact(FIELDS[name], each) for name, each in value.items()}
        case SetOf(item):
            return [exact(item, each) for each in value]
        case MapOf(_, item):
            return {key: exact(item, each) for key, each in value.items()}
        case Option(item):
            return None if value is None else exact(item, value)
        case _:
            return canonical(of, value)
