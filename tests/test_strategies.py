"""Claims about the strategies for values."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from xenconform.models import types as t
from xenconform.models.types import NULL_REF, Type
from xenconform.models.values import canonical, same
from xenconform.strategies import seeded
from xenconform.strategies import values as v
from xenconform.strategies.wrong import debatable_ints

if TYPE_CHECKING:
    from collections.abc import Mapping

COLOURS = t.Enum("colour", ("red", "green", "Blue"))
REFS: Mapping[str, tuple[str, ...]] = {"VM": ("OpaqueRef:a", "OpaqueRef:b", "OpaqueRef:c")}
SCALARS: tuple[Type, ...] = (t.Str(), t.Int(), t.Float(), t.Bool(), t.DateTime(), COLOURS)
COLLECTIONS: tuple[Type, ...] = (
    *(t.SetOf(item) for item in SCALARS),
    *(t.MapOf(key, item) for key in (t.Str(), t.Int(), COLOURS) for item in SCALARS),
    t.MapOf(t.Str(), t.SetOf(t.Str())),
    t.SetOf(t.SetOf(t.Str())),
)
WITH_REFS: tuple[Type, ...] = (
    t.RefTo("VM"),
    t.SetOf(t.RefTo("VM")),
    t.MapOf(t.RefTo("VM"), t.Str()),
    t.MapOf(t.Str(), t.RefTo("VM")),
)
ALL = (*SCALARS, *COLLECTIONS, t.Option(t.Int()), *WITH_REFS)


def all_differ(of: Type, members: tuple[Any, ...]) -> bool:
    return len({canonical(of, each) for each in members}) == len(members)


def is_of(of: Type, value: Any) -> bool:  # noqa: PLR0911 - one return a type
    match of:
        case t.Str():
            return isinstance(value, str)
        case t.Int():
            return type(value) is int and t.INT_MIN <= value <= t.INT_MAX
        case t.Float():
            return type(value) is float
        case t.Bool():
            return type(value) is bool
        case t.DateTime():
            return isinstance(value, datetime) and value.tzinfo is not None and value.microsecond == 0
        case t.Enum(_, names):
            return value in names
        case t.RefTo(cls):
            return value in REFS[cls]
        case t.SetOf(item):
            return isinstance(value, tuple) and all(is_of(item, one) for one in value) and all_differ(item, value)
        case t.MapOf(key, item):
            return isinstance(value, dict) and all(is_of(key, k) and is_of(item, one) for k, one in value.items())
        case t.Option(item):
            return value is None or is_of(item, value)
        case _:
            return False


def xml_carries(text: str) -> bool:
    escaped = "".join(f"&#{ord(char)};" for char in text)
    try:
        return (ET.fromstring(f"<a>{escaped}</a>").text or "") == text
    except (ET.ParseError, UnicodeEncodeError):
        return False


@pytest.mark.parametrize("of", ALL, ids=str)
def test_every_boundary_is_of_its_type_and_there_once(of: Type) -> None:
    """A boundary value is a value of the type, and none is given twice."""
    found = v.boundaries(of)
    assert all(is_of(of, value) for value in found)
    assert len({canonical(of, value) for value in found}) == len(found)


@pytest.mark.parametrize("of", ALL, ids=str)
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_every_drawn_value_is_of_its_type(of: Type, data: st.DataObject) -> None:
    """Whatever is drawn is a value of the type, sets without repetition."""
    assert is_of(of, data.draw(v.values(of, refs=REFS)))


@pytest.mark.parametrize(
    ("of", "plainest"),
    [
        (t.Str(), ""),
        (t.Int(), 0),
        (t.Float(), 0.0),
        (t.Bool(), False),
        (t.DateTime(), datetime(1970, 1, 1, tzinfo=UTC)),
        (COLOURS, "red"),
        (t.SetOf(t.Str()), ()),
        (t.MapOf(t.Str(), t.Int()), {}),
        (t.RefTo("VM"), "OpaqueRef:a"),
        (t.Option(t.Int()), None),
    ],
    ids=str,
)
def test_shrinking_ends_at_the_plainest_boundary(of: Type, plainest: Any) -> None:
    """The smallest value is the type's plainest, and the plainest is the first boundary where there are any."""
    smallest = find(v.values(of, refs=REFS), lambda _: True, settings=settings(database=None, deadline=None))
    assert same(of, smallest, plainest)
    assert not v.boundaries(of) or same(of, v.boundaries(of)[0], plainest)


def test_the_texts_that_servers_trip_over_are_among_the_boundaries() -> None:
    """Markup, escapes, white space, normal forms, look-alikes and lengths are all there."""
    texts = v.boundaries(t.Str())
    assert {
        "",
        " ",
        "\r\n",
        "x&",
        "a<b&c < d\t&\n> ' \" \\ e",
        "]]>",
        "&amp;",
        "%2F",
        "\u2028",
        "\ufffd",
        NULL_REF,
        "00",
    } <= set(texts)
    assert {"\u00e9", "e\u0301", "case", "CASE"} <= set(texts)
    assert {255, 256, 257, 65536} <= {len(text.encode()) for text in texts}
    assert any(ord(char) > 0xFFFF for text in texts for char in text)


def test_collections_have_empty_single_many_and_look_alike_members() -> None:
    """Sets and maps come empty, with one, with 300 members, and with members that differ only in case or space."""
    for of in (t.SetOf(t.Str()), t.MapOf(t.Str(), t.Str())):
        found = [list(value) for value in v.boundaries(of)]
        assert {0, 1, 300} <= {len(members) for members in found}
        assert any({"case", "CASE"} <= set(members) for members in found)
    spaced = (set(value) for value in v.boundaries(t.SetOf(t.Str())))
    assert any({"space", " space", "space "} <= members for members in spaced)
    assert not any("" in value for value in v.boundaries(t.MapOf(t.Str(), t.Str())))
    assert v.hostile_keys()[0] == ""


def test_xml_can_carry_every_boundary_text() -> None:
    """Boundary texts are all texts that a server must keep, in every format."""
    assert [text for text in v.boundaries(t.Str()) if not xml_carries(text)] == []


@given(v.carriable_texts())
@settings(max_examples=100, deadline=None, database=None)
def test_xml_can_carry_every_carriable_text(text: str) -> None:
    """A parser of XML gives back each text that is drawn as carriable."""
    assert xml_carries(text)


@given(v.uncarriable_texts())
@settings(max_examples=100, deadline=None, database=None)
def test_xml_can_carry_no_uncarriable_text(text: str) -> None:
    """Each text that is drawn as uncarriable is refused by a parser of XML."""
    assert not xml_carries(text)


def test_uncarriable_texts_shrink_to_nul() -> None:
    """The smallest text that XML cannot carry is a lone NUL."""
    assert find(v.uncarriable_texts(), lambda _: True, settings=settings(database=None)) == "\0"


def test_special_floats_are_the_three_that_json_lacks() -> None:
    """Infinities and a NaN are kept apart: no other float is without notation."""
    assert not any(math.isfinite(value) for value in v.special_floats())
    assert len(v.special_floats()) == 3
    assert all(math.isfinite(value) for value in v.boundaries(t.Float()))


@pytest.mark.parametrize("of", ALL, ids=str)
def test_plain_values_of_neighbouring_numbers_differ(of: Type) -> None:
    """tame(n) is of the type, the same each time, not empty, and another value than tame(n + 1)."""
    series = [v.tame(of, n, refs=REFS) for n in range(12)]
    assert series == [v.tame(of, n, refs=REFS) for n in range(12)]
    assert all(is_of(of, value) for value in series)
    assert all(not same(of, left, right) for left, right in pairwise(series))
    assert all(value not in ("", (), {}) for value in series)


@pytest.mark.parametrize("of", [t.RefTo("SR"), t.Enum("bare"), t.RecordOf("VM"), t.Void()], ids=str)
def test_what_cannot_be_drawn_is_said_at_once(of: Type) -> None:
    """values() raises when it is called, not when a value is drawn, and names what is missing."""
    with pytest.raises(ValueError, match=r"SR|bare|VM|void"):
        v.values(of, refs=REFS)


@pytest.mark.parametrize("of", [t.RefTo("SR"), t.Enum("bare")], ids=str)
def test_plain_values_without_their_source_are_refused(of: Type) -> None:
    """tame() names the class or the enum that it lacks, and refuses negative numbers."""
    with pytest.raises(ValueError, match=r"SR|bare"):
        v.tame(of, 0)
    with pytest.raises(ValueError, match="starts at 0"):
        v.tame(t.Int(), -1)


def test_sets_of_unknown_references_are_empty() -> None:
    """Where no object of the class is known, the only set of its references is the empty one."""
    drawn = v.values(t.SetOf(t.RefTo("SR")))
    assert find(drawn, lambda _: True, settings=settings(database=None)) == ()
    assert v.tame(t.SetOf(t.RefTo("SR")), 0) == ()


@pytest.mark.parametrize("of", [*ALL, t.RecordOf("VM")], ids=str)
def test_wrong_values_are_encodable_and_not_of_the_type(of: Type) -> None:
    """Each wrong value fits the type that it is encoded as, and that type's wire form is not one of the right type."""
    wrong = v.wrong_typed(of)
    assert len(wrong) >= 4
    for other, value in wrong:
        assert is_of(other, value), (other, value)
        assert not reads_as(of, other, value), (other, value)


def reads_as(of: Type, other: Type, value: Any) -> bool:
    """Whether a tolerant reader of the wire could take the value for one of the type `of`."""
    match of, other:
        case ((t.Int() | t.Float()), t.Str()):
            return value.strip().lstrip("+-").isdigit() and t.INT_MIN <= int(value) <= t.INT_MAX
        case t.Float(), (t.Int() | t.Float()):
            return True
        case t.Enum(_, names), t.Str():
            return value.lower() in {name.lower() for name in names}
        case ((t.Str() | t.RefTo()), (t.Str() | t.Int() | t.DateTime() | t.RefTo() | t.Enum())):
            return True
        case t.SetOf(item), t.SetOf(of_items):
            return all(reads_as(item, of_items, one) for one in value)
        case t.MapOf(key, item), t.MapOf(_, of_items):
            keys_read = all(reads_as(key, t.Str(), str(one)) or is_of(key, one) for one in value)
            return keys_read and all(reads_as(item, of_items, one) or is_of(item, one) for one in value.values())
        case t.Option(item), _:
            return reads_as(item, other, value)
        case _:
            return type(of) is type(other)


def test_no_numeral_in_doubt_is_called_wrong() -> None:
    """What some number parsers take for an int is kept apart from what nobody may take for one."""
    assert not set(debatable_ints()) & {pair for pair in v.wrong_typed(t.Int()) if isinstance(pair[1], str)}


def test_draws_follow_from_the_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No constants of loaded modules are drawn in the block, and after it they are again; another version is left."""
    local = seeded.NAMES[0]
    before = getattr(providers, local)
    assert seeded.can_be_held()
    with seeded.by_seed_alone():
        assert not any(getattr(getattr(providers, local)(), kind) for kind in ("integers", "floats", "strings"))
    assert getattr(providers, local) is before
    monkeypatch.setattr(seeded, "NAMES", ("no_such_name", "CONSTANTS_CACHE"))
    assert not seeded.can_be_held()
    with seeded.by_seed_alone():
        assert getattr(providers, local) is before
