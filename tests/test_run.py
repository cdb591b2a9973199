"""The run's log: lossless, tolerant of a hard stop, mergeable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenconform.models.calls import Breach, Failure, Flaw, Format, Outcome, Reply, Success
from xenconform.models.exchange import Exchange
from xenconform.models.plain import from_plain, to_plain
from xenconform.models.run import Event, Run, RunEnd, RunStart, cited, decode_event, encode_event, merge
from xenconform.models.values import Handle
from xenconform.models.verdicts import Judgement, Verdict

TEXT = st.text(st.characters(), max_size=8) | st.sampled_from(["\ud83d\ude00", "\ud800", "\x00\r\n", "$int", "\u2028"])
LEAVES = (
    TEXT
    | st.integers()
    | st.floats(allow_nan=False)
    | st.booleans()
    | st.none()
    | st.binary(max_size=8)
    | st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=-3, minutes=-30)))).map(
        lambda at: at.replace(fold=0)
    )
    | st.builds(Handle, TEXT, st.integers(0, 99))
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, max_size=3)
        | st.dictionaries(TEXT | st.integers() | st.builds(Handle, TEXT, st.integers(0, 9)), inner, max_size=3)
    ),
    max_leaves=6,
)
OUTCOMES: st.SearchStrategy[Outcome] = (
    st.builds(Success, VALUES)
    | st.builds(Failure, TEXT, st.lists(TEXT | st.builds(Handle, TEXT, st.integers(0, 9)), max_size=3).map(tuple))
    | st.builds(Breach, TEXT, TEXT, st.integers(-1, 10**9))
)
EXCHANGES = st.builds(
    Exchange,
    seq=st.integers(1, 2**40),
    message=TEXT,
    args=st.lists(VALUES, max_size=3).map(tuple),
    format=st.sampled_from(Format),
    sent=st.binary(max_size=20) | TEXT.map(lambda text: text.encode(errors="replace")),
    received=st.binary(max_size=20),
    status=st.integers(0, 599),
    headers=st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple),
    reply=st.builds(Reply, OUTCOMES, st.lists(st.builds(Flaw, TEXT, TEXT, TEXT, st.integers(-1, 99))).map(tuple)),
    elapsed=st.floats(0, 1e6),
)
JUDGEMENTS = st.builds(
    Judgement,
    TEXT,
    TEXT,
    TEXT,
    st.sampled_from(Verdict),
    TEXT,
    TEXT,
    TEXT,
    st.lists(st.integers(1, 2**40), max_size=3).map(tuple),
)
NAMES = st.lists(TEXT, max_size=2).map(tuple)
STARTS = st.builds(RunStart, TEXT, st.integers(), TEXT, TEXT, TEXT, TEXT, TEXT, NAMES, NAMES, TEXT)
ENDS = st.builds(RunEnd, st.integers(0, 2**40), st.floats(0, 1e9), st.booleans(), TEXT, st.none() | NAMES)


def exchange(seq: int, received: bytes = b"") -> Exchange:
    return Exchange(seq, "VM.get_all", (), Format.XMLRPC, b"<a/>", received, 200, (), Reply(Success(())), 0.5)


def judgement(*exchanges: int, verdict: Verdict = Verdict.FAIL) -> Judgement:
    return Judgement("SET-VALUE", "VM.name_label", "xmlrpc", verdict, "", "a", "b", exchanges)


@given(STARTS | EXCHANGES | JUDGEMENTS | ENDS)
def test_an_event_survives_its_line(event: Event) -> None:
    """Each event comes back equal from one line of printable ASCII, whatever its texts and bytes are."""
    line = encode_event(event)
    assert line.isascii()
    assert line.isprintable()
    again = decode_event(line)
    assert again == event
    assert repr(again) == repr(event)


@given(VALUES)
def test_a_value_survives_json(value: Any) -> None:
    """A value and the types inside it come back from JSON as they were."""
    again = from_plain(json.loads(json.dumps(to_plain(value))))
    assert again == value
    assert repr(again) == repr(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -0.0, 5e-324])
def test_special_floats_survive(value: float) -> None:
    """NaN, the infinities, minus zero and the least double come back."""
    assert repr(from_plain(json.loads(json.dumps(to_plain(value), allow_nan=False)))) == repr(value)


def test_a_value_of_no_known_type_is_logged_as_its_repr() -> None:
    """A log never fails on a strange value: it keeps the value's repr."""
    assert from_plain(to_plain(object)) == "<class 'object'>"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"event":"party"}',
        '{"event":"run_end"}',
        '{"event":"judgement","clause":"A"}',
        '{"event":"run_end","calls":1,"seconds":1,"colour":2}',
        '{"event":"exchange","seq":1}',
        '{"event":"run_start","seed":{"$what":1}}',
    ],
)
def test_a_line_that_is_no_event_is_refused(line: str) -> None:
    """Whatever is no event raises ValueError and nothing else."""
    with pytest.raises(ValueError, match=r".+"):
        decode_event(line)


WHOLE = Run(
    RunStart(version="1", seed=7, target="http://h", formats=("xmlrpc",), clauses=("SET-VALUE",)),
    {1: exchange(1), 2: exchange(2, b"\xff")},
    (judgement(1, 2),),
    RunEnd(2, 1.5),
    calls=2,
)


def test_a_run_is_its_log() -> None:
    """A run read back from its log equals the run that wrote it."""
    assert Run.from_lines(WHOLE.lines()) == WHOLE
    assert not WHOLE.incomplete


def test_every_cut_of_a_log_reads_as_incomplete() -> None:
    """Cut after any byte, a log gives a run that says it is incomplete, and never an error."""
    log = "\n".join(WHOLE.lines())
    for at in range(len(log)):
        run = Run.from_lines(log[:at].split("\n"))
        assert run.incomplete
        assert set(run.exchanges.items()) <= set(WHOLE.exchanges.items())


def test_a_broken_line_inside_a_log_is_an_error() -> None:
    """Only the last line may be cut; any other that cannot be read is an error with its number."""
    lines = list(WHOLE.lines())
    lines[1] = lines[1][:20]
    with pytest.raises(ValueError, match="line 2 of the log"):
        Run.from_lines(lines)


def test_exchanges_that_nobody_cites_need_not_be_held() -> None:
    """With `keep` the cited exchanges are held and all are counted."""
    lines = [encode_event(exchange(seq)) for seq in range(1, 10)] + [encode_event(judgement(3, 7))]
    run = Run.from_lines(lines, keep=cited(lines))
    assert (set(run.exchanges), run.calls) == ({3, 7}, 9)


def test_workers_logs_merge_with_new_numbers() -> None:
    """Merged, the same numbers of two workers become different ones, and each judgement cites its own exchanges."""
    other = replace(
        WHOLE,
        start=replace(WHOLE.start, formats=("jsonrpc1",)),
        exchanges={1_000_001: exchange(1_000_001), 1: exchange(1, b"other")},
        judgements=(judgement(1),),
        end=RunEnd(5, 0.5, interrupted=True, error="x"),
    )
    merged = Run.from_lines(merge([WHOLE.lines(), other.lines()]))
    assert list(merged.exchanges) == [1, 2, 3, 4]
    assert [each.exchanges for each in merged.judgements] == [(1, 2), (4,)]
    assert merged.exchanges[4].received == b"other"
    assert merged.start == replace(WHOLE.start, formats=("xmlrpc", "jsonrpc1"))
    assert merged.end == RunEnd(7, 1.5, interrupted=True, error="x")


def test_one_log_merges_to_itself() -> None:
    """Merging a single log whose numbers start at 1 changes nothing."""
    assert list(merge([WHOLE.lines()])) == list(WHOLE.lines())


def test_logs_merge_a_line_at_a_time() -> None:
    """A merged log is passed on as it is read: at no time is more of a log held than two lines of it."""
    read = 0

    def log() -> Iterator[str]:
        nonlocal read
        for line in (encode_event(exchange(seq)) for seq in range(1, 500)):
            read += 1
            yield line

    for passed, _ in enumerate(merge([log(), log()]), 1):
        assert read - passed <= 3
    assert passed == 998


def test_who_led_the_workers_may_have_been_stopped() -> None:
    """Logs that are all whole give an interrupted run where the one who led the workers was stopped."""
    merged = Run.from_lines(merge([WHOLE.lines(), WHOLE.lines()], interrupted=True))
    assert merged.end is not None
    assert merged.end.interrupted


def test_a_cut_worker_makes_the_whole_incomplete() -> None:
    """Where one worker's log is cut or lacks its end, so does the merged one."""
    lines = list(WHOLE.lines())
    assert Run.from_lines(merge([lines, lines[:-1]])).incomplete
    assert Run.from_lines(merge([lines, [*lines[:-1], lines[-1][:9]]])).incomplete
    assert Run.from_lines(merge([lines, lines[1:2]])).end == WHOLE.end
