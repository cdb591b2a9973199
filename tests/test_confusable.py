"""Values that are easily confused: different all the same, more than 8 of them, and paired with values that recur."""

from __future__ import annotations

from itertools import pairwise
from unicodedata import normalize

import pytest

from xenconform.models import types as t
from xenconform.models.values import canonical
from xenconform.strategies.confusable import boldest_first, confusables, crowd, lookalikes, paired

WIDE = (t.Str(), t.Int(), t.Float(), t.DateTime())
"""Types with more values than any limit of one byte."""


@pytest.mark.parametrize("of", WIDE, ids=str)
def test_values_differ(of: t.Type) -> None:
    """No value is there twice in the API's sense; there are more than 8, and in a crowd more than 256."""
    for values, least in ((confusables(of), 9), (crowd(of), 257)):
        assert len({canonical(of, each) for each in values}) == len(values) >= least


def test_texts_are_confused() -> None:
    """Each way to confuse texts has two of them: case, spaces, a part, a list, a pattern, a number."""
    texts = confusables(t.Str())
    assert len({each.lower() for each in texts}) < len(texts)
    assert len({each.strip() for each in texts}) < len(texts)
    assert any(one in other for one in texts for other in texts if one != other)
    assert any(set(each.split(",")) <= set(texts) for each in texts if "," in each)
    numbers = [int(each) for each in texts if each.isdecimal()]
    assert len(set(numbers)) < len(numbers)


def test_the_boldest_stand_first() -> None:
    """Each further way leaves out what a server may refuse, and the last one is what is confused and no more."""
    ways = boldest_first(t.Str())
    assert [set(one) > set(other) for one, other in pairwise(ways)] == [True, True]
    assert ways[0][-1] == ""
    assert ways[-1] == confusables(t.Str())
    assert {normalize("NFC", str(each)) for each in ways[1]} < set(ways[1])


def test_lookalikes_follow_one_another() -> None:
    """Texts and ints have rows of values of which each differs from the one before it; other types have none."""
    for of in (t.Str(), t.Int()):
        rows = lookalikes(of)
        assert rows
        assert all(one != other for row in rows for one, other in pairwise(row))
    assert lookalikes(t.Bool()) == ()


def test_small_types_give_what_they_have() -> None:
    """A type with few values gives all of them, and no more."""
    assert confusables(t.Bool()) == (False, True)
    assert confusables(t.Enum("e", ("a", "b", "c"))) == ("a", "b", "c")


def test_pairs_recur() -> None:
    """A map has every key once; one value is empty, and values come twice, so that none of them tells the key."""
    found = paired(confusables(t.Str()), t.Str())
    assert tuple(found) == confusables(t.Str())
    assert "" in found.values()
    assert len(set(found.values())) < len(found)
