"""The hostile cases by hand, their little language, and what is made of good documents and calls."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stages import plain_stage

from xenconform.conformance.codec import codec_for
from xenconform.conformance.fuzz.attempts import attempt
from xenconform.conformance.fuzz.stage import Stage
from xenconform.models.api import Api
from xenconform.models.calls import Breach, Format
from xenconform.models.types import RefTo, Str
from xenconform.strategies.hostile import load
from xenconform.strategies.hostile.calling import KINDS, hostile_call
from xenconform.strategies.hostile.cases import Owed, read
from xenconform.strategies.hostile.dice import Numbers, Thrown
from xenconform.strategies.hostile.mutating import HTTP, JSON, XML, is_surely_malformed, mutate
from xenconform.strategies.hostile.template import expand, places, templated
from xenconform.strategies.plain import tame

LAYERS = {"xml": 250, "json": 250, "http": 230, "envelope": 130, "session": 110, "call": 240}
"""The layers, each with the fewest cases that it may have."""
GOOD = {
    fmt: codec_for(fmt).encode_call("network.set_name_label", [(RefTo("session"), "OpaqueRef:1"), (Str(), 'a"<b')])
    for fmt in Format
}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A stage on a server of another design."""
    with plain_stage() as stage:
        yield stage


def test_there_are_many_cases_of_every_layer() -> None:
    """Each layer has its cases, some of which are to be refused and some to be answered, and no two say the same."""
    counts = Counter(case.layer for case in load())
    assert counts.keys() == LAYERS.keys()
    assert all(counts[layer] >= least for layer, least in LAYERS.items())
    assert len({case.id for case in load()}) == len(load()) >= 1_000
    owed = {(case.layer, case.owed) for case in load()}
    assert {(layer, each) for layer in LAYERS for each in (Owed.REFUSED, Owed.EITHER)} <= owed


def test_every_case_becomes_bytes_over_each_of_its_formats(stage: Stage) -> None:
    """No place names nothing, what is to be swapped is there, and no two cases of a layer send the same."""
    sent: dict[tuple[object, ...], str] = {}
    twins: list[tuple[str, str]] = []
    for case in load():
        for fmt in case.formats:
            made = attempt(case, fmt, stage.names(fmt))
            key = (case.layer, fmt, made.pieces, made.content_type, made.path, made.end, made.drip)
            if key in sent:
                twins.append((sent[key], case.id))
            sent[key] = case.id
    assert twins == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"case": [{"what": "a", "body": "x", "clause": "NO-SUCH"}]}, "NO-SUCH"),
        ({"clause": "ROBUST-HTTP", "case": [{"what": "a"}]}, "give one of body"),
        ({"clause": "ROBUST-HTTP", "case": [{"what": "a", "body": "x", "head": "y"}]}, "give one of body"),
        ({"clause": "ROBUST-HTTP", "case": [{"what": "a", "body": "x", "spare": 1}]}, "spare"),
        ({"clause": "ROBUST-HTTP", "case": [{"what": "a", "body": "x"}, {"what": "a", "body": "y"}]}, "says the same"),
        ({"clause": "ROBUST-HTTP", "case": [{"what": "a", "method": "x", "params": [{"text": "y"}]}]}, "text"),
        ({"spare": 1}, "spare"),
    ],
)
def test_a_bad_file_is_told_by_its_case(said: dict[str, object], told: str) -> None:
    """What a file must not say is named in the error."""
    with pytest.raises(ValueError, match=told):
        read("sample", said)


def test_templates_become_bytes() -> None:
    """Names, hexadecimal digits, repetitions, sizes and other encodings stand for what they say."""
    names = {"session": b"S:1", "ask": b"<a/>"}
    assert expand("a⟦session⟧b⟦hex:ff 00⟧⟦3*[⟧⟦size:ask⟧é", names) == b"aS:1b\xff\x00[[[4\xc3\xa9"
    assert expand("⟦utf-16-le:ask⟧", names) == "<a/>".encode("utf-16-le")
    assert places("⟦session⟧⟦hex:00⟧⟦9*x⟧⟦size:ask⟧") == {"session", "ask"}
    with pytest.raises(ValueError, match="no_such"):
        expand("⟦no_such⟧", names)
    with pytest.raises(ValueError, match="bytes"):
        expand("⟦999999999*x⟧", names)


@given(st.binary(max_size=60), st.lists(st.sampled_from([b"S:1", b"S:12", b"\xe2\x9f\xa6", b"x"]), max_size=4))
def test_bytes_become_templates_and_back(data: bytes, parts: list[bytes]) -> None:
    """Whatever the bytes, the template with the names put back becomes the same bytes again."""
    names = {"session": b"S:1", "ref": b"S:12"}
    whole = data.join([b"", *parts, b""])
    template = templated(whole, names)
    assert expand(template, names) == whole
    assert "S:1" not in template


# ------------------------------------------------------------------------------------------------------- what is made


def test_good_documents_are_not_malformed() -> None:
    """What the codecs write is never called malformed, nor are other ways to write it."""
    assert not is_surely_malformed(GOOD[Format.XMLRPC], XML)
    for fmt in (Format.JSONRPC1, Format.JSONRPC2):
        assert not is_surely_malformed(GOOD[fmt], JSON)
        assert not is_surely_malformed(json.dumps(json.loads(GOOD[fmt]), indent=2).encode(), JSON)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(Format)), st.lists(st.integers(0, 2**32 - 1), max_size=24))
def test_what_is_surely_malformed_no_strict_reader_takes(fmt: Format, numbers: list[int]) -> None:
    """A document that the fuzzer holds against every server is none to a strict reader of the format."""
    language = XML if fmt is Format.XMLRPC else JSON
    made = mutate(Numbers(numbers), GOOD[fmt], language, [GOOD[fmt]])
    assert mutate(Numbers(numbers), GOOD[fmt], language, [GOOD[fmt]]) == made
    if is_surely_malformed(made, language):
        assert isinstance(codec_for(fmt).decode_call(made), Breach)


def test_documents_are_changed_in_many_ways() -> None:
    """Of a thousand documents nearly all are different, some well-formed, and most short."""
    for language, good in (
        (XML, GOOD[Format.XMLRPC]),
        (JSON, GOOD[Format.JSONRPC2]),
        (HTTP, b"POST / HTTP/1.1\r\n\r\n"),
    ):
        dice = Thrown(Random(7))
        made = [mutate(dice, good, language, [good]) for _ in range(1_000)]
        assert len(set(made)) > (300 if language is HTTP else 600)
        if language is not HTTP:
            assert 50 < sum(is_surely_malformed(each, language) for each in made) < 990
        assert sorted(map(len, made))[500] < 4 * len(good)


def test_calls_are_refused_for_a_reason() -> None:
    """A call that must be refused has a parameter of another type or null, too many, too few, no such name or no id."""
    api, dice = Api.load(), Thrown(Random(3))
    message = api.message("network.set_name_label")
    assert message is not None
    args = [tame(param.type, 1, refs={"network": ("OpaqueRef:1",)}) for param in message.params]
    made = [hostile_call(dice, message, args, KINDS[at % len(KINDS)], free=True) for at in range(300)]
    right = [param.type for param in message.params]
    for call in made:
        types = [of for of, _ in call.params]
        named = call.method != message.full_name
        odd = named or not call.has_id or call.null_at >= 0
        assert call.owed is Owed.EITHER or types != right or odd, call
        assert call.owed is Owed.REFUSED or len(types) == len(right), call
    clauses = {"WIRE-TYPE", "WIRE-ARITY", "WIRE-METHOD-UNKNOWN", "WIRE-JSON-NO-NOTIFICATION", "ROBUST-ALIVE"}
    assert {call.clause for call in made} == clauses
    bound = [hostile_call(dice, message, args, KINDS[at % len(KINDS)], free=False) for at in range(100)]
    assert not any("boundaries" in call.what for call in bound)
