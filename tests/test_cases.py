"""A case as data: its JSON form loses nothing, and its files never change what it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from case_samples import API, NUMBERS, SAMPLES, hostile
from hypothesis import given, settings
from hypothesis import strategies as st

from xenconform.conformance.codec import codec_for
from xenconform.models import types as t
from xenconform.models.calls import Call, Failure, Format, Success
from xenconform.models.cases import FORM, Case, Expect, Step, Wanted, from_json, to_json
from xenconform.models.values import Handle, UuidOf, same
from xenconform.reports.cases import runtime_values
from xenconform.reports.cases.expressions import Expressions
from xenconform.reports.cases.folding import LINE, fold
from xenconform.reports.cases.runtime_values import Record, Refs, Reply, Set, allowed, fits, success
from xenconform.strategies.values import values

TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
HANDLES = st.builds(Handle, st.sampled_from(sorted(API.classes)), st.integers(0, 9))
ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
SCALARS = st.one_of(
    TEXT,
    st.booleans(),
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES).map(lambda at: at.replace(fold=0)),  # noqa: DTZ001 - bounds have no zone
    HANDLES,
    HANDLES.map(UuidOf),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(TEXT | HANDLES, inner, max_size=3),
    max_leaves=6,
)
FIELD_TYPES = {str(f.type): f.type for cls in API.classes.values() for f in cls.fields.values()}
TYPES = st.sampled_from([t.parse(text) for text in sorted(FIELD_TYPES) if "<" not in text])
CODES = st.lists(st.sampled_from(["*", "HANDLE_INVALID", "LICENCE_*"]), max_size=3).map(tuple)
EXPECTS = st.one_of(
    st.builds(Expect, TYPES, st.just(Wanted.VALUE), VALUES, CODES),
    st.builds(Expect, TYPES, st.sampled_from([Wanted.ANY, Wanted.NEW, Wanted.NOTHING]), codes=CODES),
)
STEPS = st.builds(
    Step,
    st.builds(Call, TEXT, st.lists(VALUES, max_size=3).map(tuple)),
    st.sampled_from(Format),
    st.integers(0, 3),
    st.none() | HANDLES,
    st.none() | EXPECTS,
    st.integers(0, 3),
    st.booleans(),
    st.booleans(),
)
OUTCOMES = st.lists(st.builds(Success, VALUES) | st.builds(Failure, st.text("ABC_*", min_size=1)), max_size=3).map(
    tuple
)
SPANS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=3).map(tuple)
CASES = st.builds(
    Case,
    st.text(max_size=9),
    st.text(max_size=9),
    st.lists(STEPS, max_size=4).map(tuple),
    TEXT,
    TEXT,
    st.sampled_from(["", "8.2", API.release]),
    st.lists(OUTCOMES, max_size=2).map(tuple),
    st.integers(1, 500),
    st.text(max_size=9),
    OUTCOMES,
    SPANS,
)


@given(CASES)
@settings(max_examples=300, deadline=None)
def test_the_json_form_loses_nothing(of: Case) -> None:
    """Every case is the same after it was written and read, down to the bits of its floats."""
    text = to_json(of)
    again = from_json(text)
    assert again == of
    assert repr(again) == repr(of)
    assert text.isascii()
    assert to_json(again) == text


@pytest.mark.parametrize("of", [*[each.case for each in SAMPLES], *NUMBERS, *[hostile(f, last="tags") for f in Format]])
def test_the_samples_come_back(of: Case) -> None:
    """Cases as they are written by hand come back as they were."""
    assert from_json(to_json(of)) == of


@pytest.mark.parametrize("broken", ["steps", "clause", "joint", "expected", "repeats"])
def test_a_case_without_a_member_is_refused(broken: str) -> None:
    """A file that lacks a member, or has one of another kind, is no case: the error names it."""
    data = json.loads(to_json(SAMPLES[0].case))
    del data[broken]
    with pytest.raises(ValueError, match=f"no case: .*{broken}"):
        from_json(json.dumps(data))
    with pytest.raises(ValueError, match="no case"):
        from_json(json.dumps({"form": FORM + 1}))


@given(st.lists(st.text("ab ,'\"\\()[]{}\n", max_size=30), max_size=12))
def test_folding_changes_no_value(texts: list[str]) -> None:
    """A long expression folded into lines is the same value, and each line that can be broken is short."""
    whole = {"all": texts, "more": {text: [text] for text in texts}}
    folded = fold(f"value = {whole!a}", 4)
    assert eval(folded.strip().removeprefix("value = ")) == whole
    assert all(len(line) <= LINE for line in folded.splitlines())


@pytest.mark.parametrize(
    ("want", "got", "is_same"),
    [
        (2**53 + 1, "9007199254740993", True),
        (2**53 + 1, 9007199254740993, True),
        (2**53 + 1, "9007199254740992", False),
        (1, True, False),
        (1, "1.5", False),
        (True, "1", True),
        (True, "0", False),
        (-0.0, "-0.0", True),
        (-0.0, "0.0", False),
        (5e-324, "4.9406564584124654e-324", True),
        (0.5, "5e-1", True),
        (0.1, "0.1000000000000001", False),
        ("1", "1", True),
        ("a", "a ", False),
        ("", None, False),
        (None, None, True),
        (datetime(2024, 1, 1, tzinfo=UTC), "20240101T00:00:00Z", True),
        (datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T01:00:00+01:00", True),
        (datetime(2024, 1, 1, tzinfo=UTC), "20240101T00:00:01Z", False),
        (datetime(2024, 1, 1, 0, 0, 0, 1, UTC), "20240101T00:00:00.000001", True),
        (Set(["a", "b"]), ["b", "a"], True),
        (Set(["a"]), ["a", "b"], False),
        (Set(["a", "b"]), ["a"], False),
        (Set([]), "", True),
        (Set([-0.0]), ["0.0"], False),
        (Refs(["r1"]), ["r1", "other"], True),
        (Refs(["r1"]), ["r1", "r2"], False),
        (Refs([]), ["r2"], False),
        (Refs(["r1"]), [], False),
        ({"a": 1}, {"a": "1"}, True),
        ({"a": 1}, {"a": "1", "b": "2"}, False),
        ({}, {"b": "2"}, False),
        ({1: "x"}, {"1": "x"}, True),
        (Record({"a": 1}), {"a": "1", "b": "2"}, True),
        (Record({"a": 1}), {"b": "2"}, False),
        (Record({"a": 1}), "", False),
    ],
)
def test_a_script_compares_by_type(want: object, got: object, is_same: bool) -> None:
    """In a script, values are compared as their types say; r1 and r2 are objects of the script's own."""
    assert fits(want, got, ["r1", "r2"]) is is_same
    assert allowed(success(want), Reply("", got), ["r1", "r2"]) is is_same


PLAIN_TYPES = st.sampled_from(
    [of for text, of in sorted(FIELD_TYPES.items()) if not t.refs_in(of) and "record" not in text]
)
"""Types whose values hold no references and are no records, as fields have them."""


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_script_writes_and_reads_as_the_product_does(data: st.DataObject) -> None:
    """A script's calls have the same content as the product's own, and it finds replies equal just when they are."""
    of, wire = data.draw(PLAIN_TYPES), data.draw(st.sampled_from(Format))
    codec, expressions = codec_for(wire), Expressions(API)
    sent, other = data.draw(values(of)), data.draw(values(of))
    names = {name: getattr(runtime_values, name) for name in dir(runtime_values)}
    argument = eval(expressions.given(of, sent), dict(names))
    body = runtime_values.request(str(wire), 7, "a.b", ["a session", argument]).encode()
    ours = codec.encode_call("a.b", [(t.Str(), "a session"), (of, sent)], 7, api=API)
    assert codec.decode_call(body) == codec.decode_call(ours)
    wanted = runtime_values.success(eval(expressions.wanted(of, sent), dict(names)))
    for value in (sent, other):
        reply = runtime_values.read_reply(str(wire), codec.encode_reply(Success(value), of, 7, API))
        assert runtime_values.allowed(wanted, reply) is same(of, sent, value)


@pytest.mark.parametrize("wire", Format)
def test_a_script_reads_failures(wire: Format) -> None:
    """A failure is its code and its parameters, and is allowed by its code alone."""
    codec = codec_for(wire)
    reply = runtime_values.read_reply(str(wire), codec.encode_reply(Failure("LICENCE_X", ("a", "<b>")), t.Void(), 7))
    assert reply == Reply("LICENCE_X", ["a", "<b>"])
    assert allowed(runtime_values.failure(), reply)
    assert allowed(runtime_values.success(or_failure=["LICENCE_*"]), reply)
    assert not allowed(runtime_values.success(), reply)
    assert not allowed(runtime_values.failure("LICENCE", "LICENCE_Y*"), reply)
    for bad in (b"", b"{", b"<a", b"null", b"[]", b"{}", b'{"error": [], "id": 1}', b"<methodResponse/>"):
        with pytest.raises((ValueError, SyntaxError)):
            runtime_values.read_reply(str(wire), bad)


def test_a_new_one_is_new() -> None:
    """A new reference is none that is taken, not null and not empty."""
    for value, is_new in (("r3", True), ("r1", False), ("", False), ("OpaqueRef:NULL", False), (None, False)):
        assert allowed(runtime_values.a_new_one(), Reply("", value), [], ["r1", "r2"]) is is_new
