"""Pools of values: few, different, of their type, and made so that they meet."""

from __future__ import annotations

import pytest

from xenconform.models import types as t
from xenconform.models.api import Api
from xenconform.models.types import Type
from xenconform.models.values import Handle, canonical
from xenconform.strategies.pools import MEMBERS, SIZE, TEXTS, members, pool, with_refs

API = Api.load()
TYPES = sorted(
    {str(f.type): f.type for cls in API.classes.values() for f in cls.fields.values() if not t.refs_in(f.type)}.items()
)
TYPES = [(name, of) for name, of in TYPES if not isinstance(of, t.RecordOf)]
NETS = (Handle("network", 1), Handle("network", 2))


@pytest.mark.parametrize("of", [of for _, of in TYPES], ids=[name for name, _ in TYPES])
def test_a_pool_is_small_and_different(of: Type) -> None:
    """Every type of a field without references has a pool of at most SIZE values, each another."""
    values = pool(of)
    assert 0 < len(values) <= SIZE
    assert len({canonical(of, each) for each in values}) == len(values)
    assert members(of) == values[:MEMBERS]


def test_keys_and_members_meet_texts() -> None:
    """What is added to a set or map is of the texts that whole ones are made of; case tells two of them apart."""
    few = members(t.Str())
    assert few == TEXTS[:MEMBERS]
    assert {each for value in pool(t.SetOf(t.Str())) for each in value} == set(few)
    assert {key for value in pool(t.MapOf(t.Str(), t.Str())) for key in value} == set(few)
    assert {"a", "A"} <= set(few)
    assert "" in few


def test_ints_reach_both_ends() -> None:
    """Ints have both ends of 64 bits, and one that a float cannot hold."""
    assert {t.INT_MIN, t.INT_MAX, 2**53 + 1} <= set(pool(t.Int()))


def test_types_with_references_have_no_pool() -> None:
    """Values with references depend on the objects that there are."""
    assert pool(t.RefTo("VM")) == pool(t.SetOf(t.RefTo("VM"))) == pool(t.MapOf(t.RefTo("VM"), t.Str())) == ()


def test_references_are_to_what_is_there() -> None:
    """A single reference is to each object or null; sets are empty, of one and of two; maps have no null key."""
    objects = {"network": NETS}
    assert with_refs(t.RefTo("network"), objects) == (*NETS, Handle("network", 0))
    assert set(with_refs(t.SetOf(t.RefTo("network")), objects)) == {NETS[:1], (), NETS, NETS[1:]}
    maps = with_refs(t.MapOf(t.RefTo("network"), t.Str()), objects)
    assert {key for value in maps for key in value} == set(NETS)
    assert with_refs(t.MapOf(t.RefTo("VM"), t.Str()), objects) == ({},)
    assert with_refs(t.Option(t.RefTo("VM")), objects) == (None, Handle("VM", 0))
    assert with_refs(t.Str(), objects) == ()
