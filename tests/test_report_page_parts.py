"""The pieces of report.html: marks in bytes, commands that can be copied, what was called, made and left."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import page_runs
import pytest
from page_runs import exchange, ref, start

from xenconform.models.calls import Breach, Failure, Flaw, Format, Reply, Success
from xenconform.models.clauses import catalogue
from xenconform.models.events import SavedCase, decode_event, encode_event
from xenconform.models.exchange import Exchange
from xenconform.models.results import summarise
from xenconform.models.run import Run, RunEnd, merge
from xenconform.models.traffic import BUCKETS, OTHER, STRETCHES, Traffic, bucket_of, end_of, quantile
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.causes import Cause, Finding
from xenconform.reports.page.cards import card_of, within
from xenconform.reports.page.commands import curl_of, script_of
from xenconform.reports.page.harm import harm_of
from xenconform.reports.page.marks import SHOWN, marks_of, pieces_of

CLAUSE = catalogue()["SET-VALUE"]


def finding(expected: str = "'a'", actual: str = "'b'") -> Finding:
    return Finding(CLAUSE, "VM.tags", "xmlrpc", expected, actual, (1,))


def said(reply: bytes, outcome: Success | Failure | Breach, *offsets: int) -> Exchange:
    flaws = tuple(Flaw("k", "d", "", offset) for offset in offsets)
    return replace(exchange(1, reply), reply=Reply(outcome, flaws))


@pytest.mark.parametrize(
    ("told", "words", "marked"),
    [
        (said(b"<v><i4>5</i4></v>", Success(5), 3), ("", ""), [b"<i4>5"]),
        (said(b'{"result": "1"}', Success("1"), 11), ("", ""), [b'"1"']),
        (said(b"<v>1</x>", Breach("k", "d", 6)), ("", ""), [b"</x>"]),
        (said(b"abc", Breach("k", "d", 3)), ("", ""), []),
        (said(b"<v>WRONG_CODE</v>", Failure("WRONG_CODE")), ("OTHER_CODE", ""), [b"WRONG_CODE"]),
        (said(b"<v>a &amp; b</v>", Success("a & b")), ("'x'", "'a & b'"), [b"a &amp; b"]),
        (said(b"<v>one</v><v>two</v>", Success("")), ("'one'", "'one', 'two'"), [b"two"]),
        (said(b"<v>one</v>", Success("")), ("'x'", "'y'"), []),
        (said(b'{"b":"b","abc":"b"}', Success("b")), ("'a'", "'b'"), [b"b", b"b", b"b"]),
        (said(b"<b>ab</b><v>b</v>", Success("b")), ("'a'", "'b'"), [b"b"]),
        (
            said(b'{"result":9007199254740992,"id":1}', Success(0)),
            ("success 9007199254740993", "success 9007199254740992"),
            [b"9007199254740992"],
        ),
        (said(b"OpaqueRef:1234 12345 x123 123", Success(0)), ("", "success 123"), [b"123"]),
        (said(b"", Success("")), ("'x'", "'y'"), []),
    ],
)
def test_marks_are_where_the_reply_is_wrong(told: Exchange, words: tuple[str, str], marked: list[bytes]) -> None:
    """The decoder's offsets are marked, else a code or value that the finding names and nobody expected; else none."""
    assert [told.received[start:end] for start, end in marks_of(told, finding(*words))] == marked


@pytest.mark.parametrize("size", [0, 1, SHOWN - 1, SHOWN, SHOWN + 1, 50_000])
@pytest.mark.parametrize("at", [0, 100, SHOWN - 5, SHOWN + 5, 30_000])
def test_every_byte_is_shown_or_counted(size: int, at: int) -> None:
    """What a body's pieces show and what they say is left out add up to the body; the mark is among what is shown."""
    body = bytes(97 + number % 26 for number in range(size))
    marks = ((at, at + 8),) if at + 8 <= size else ()
    pieces = pieces_of(body, marks)
    shown = sum(len(each.text) for each in pieces if each.kind != "cut")
    out = [each.text for each in pieces if each.kind == "cut"]
    assert shown + sum(int(text.split()[1].replace(",", "")) for text in out) == size
    assert [each.text for each in pieces if each.kind == "mark"] == [body[a:b].decode() for a, b in marks]
    assert shown <= 2 * SHOWN


def test_broken_utf_8_is_shown_as_its_bytes() -> None:
    """Bytes that are no text, and characters that cannot be printed, stand as escapes."""
    assert pieces_of(b"a\xff\x00\r\nb")[0].text == "a\\xff\\x00\nb"


# ------------------------------------------------------------------------------------------------- what can be copied


@pytest.mark.parametrize("wire", Format)
def test_the_script_and_the_curl_line_send_the_request_again(served_url: str, wire: Format) -> None:
    """Both log in, put the session into the request, and print the server's reply, over each format."""
    name = "session.get_this_user"
    if wire is Format.XMLRPC:
        values = "<param><value><string>SESSION-1</string></value></param>" * 2
        sent = f"<?xml version='1.0'?><methodCall><methodName>{name}</methodName><params>{values}</params></methodCall>"
    else:
        version = '"jsonrpc":"2.0",' * (wire is Format.JSONRPC2)
        sent = f'{{{version}"method":"{name}","params":["SESSION-1","SESSION-1"],"id":1}}'
    again = replace(exchange(1, b""), sent=sent.encode(), format=wire)
    environment = {"XENCONFORM_PASSWORD": "password", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    commands = [[sys.executable, "-c", script_of(again, served_url)], ["sh", "-c", curl_of(again, served_url)]]
    for command in commands:
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stderr
        assert "OpaqueRef:" in ran.stdout
        assert "200" in ran.stdout.splitlines()[0]


@pytest.mark.parametrize("body", [b"", b"\xff", b"a\x00b", b"x" * 10_000])
def test_what_cannot_be_copied_has_no_button(body: bytes) -> None:
    """An empty request, one that is no text, and one that is too long are given as no command."""
    told = replace(exchange(1, b""), sent=body)
    assert (curl_of(told, "http://h"), script_of(told, "http://h")) == ("", "")


def test_a_request_cannot_leave_its_quotes() -> None:
    """A request with quotes, substitutions and an @ in front goes to the server as it is and runs nothing."""
    body = "@/etc/hostname '\"; echo $(echo pwned) `echo pwned` \\ % %s"
    line = curl_of(replace(exchange(1, b""), sent=body.encode()), "http://h").splitlines()[1:]
    shown = subprocess.run(
        ["sh", "-c", "\n".join(line).partition("|")[0]], capture_output=True, text=True, timeout=60, check=True
    )
    assert shown.stdout == body
    compile(script_of(replace(exchange(1, b""), sent=body.encode()), "http://h"), "script", "exec")


def test_a_case_that_the_log_quotes_is_on_its_card() -> None:
    """The files of a case travel in the log: the card has its script and shell file, whoever of the cause has it."""
    case = SavedCase("SET-VALUE-x", {".py": "print(1)\n", ".sh": "echo 1\n", ".json": "{}"})
    found = [
        Judgement("SET-VALUE", "VM.a", "xmlrpc", Verdict.FAIL, "", "a", "b", (1,)),
        Judgement("SET-VALUE", "VM.b", "xmlrpc", Verdict.FAIL, "", "a", "b", (1,), case.name),
    ]
    run = Run(start(), {1: exchange(1, b"")}, tuple(found), RunEnd(1, 1.0), 1, cases={case.name: case})
    again = Run.from_lines(run.lines())
    assert again == run
    assert decode_event(encode_event(case)) == case
    assert Run.from_lines(merge([run.lines()])).cases == run.cases
    both = Cause(tuple(replace(finding(), element=each.element, case=each.case) for each in found))
    card = card_of(1, both, summarise(again))
    assert (card.script, card.curl) == ("print(1)\n", "echo 1\n")
    assert (card.case, card.case_of) == ("SET-VALUE-x", "VM.b[xmlrpc]")


# ------------------------------------------------------------------------------------------------------------ traffic


def seen(exchanges: Iterator[Exchange] | list[Exchange]) -> Traffic:
    traffic = Traffic()
    for line in page_runs.lines_of(exchanges):
        traffic.note(line)
    return traffic


def call(message: str, *args: object, value: object = "", seq: int = 1, elapsed: float = 0.001) -> Exchange:
    said = exchange(seq, b'],"format":"xmlrpc","status":1,"elapsed":9,"sent":', message=message)
    return replace(said, args=args, reply=Reply(Success(value)), elapsed=elapsed)


def test_calls_are_counted_by_their_lines() -> None:
    """Message, format, outcome and time of each exchange are read from its line, whatever its bodies hold."""
    refused = replace(call("VM.start"), reply=Reply(Failure("X")), format=Format.JSONRPC2)
    unread = replace(call("VM.start"), reply=Reply(Breach("k", "d")), elapsed=0.5)
    traffic = seen([call("VM.start"), refused, unread, call("no.such"), call('x"y\\')])
    tally = traffic.tallies["VM.start", "xmlrpc"]
    assert (tally.calls, tally.done, tally.refused, tally.unread, tally.longest) == (2, 1, 0, 1, 0.5)
    assert traffic.tallies["VM.start", "jsonrpc2"].refused == 1
    assert traffic.tallies[OTHER, "xmlrpc"].calls == 2
    assert (traffic.unread, sum(map(sum, traffic.times.values()))) == (0, 5)


def test_memory_is_bounded() -> None:
    """Of many calls there is a fixed number of stretches and of slowest ones, and no call is lost from their sums."""
    traffic = seen(call(f"wrong.{seq}", seq=seq, elapsed=seq / 1e6) for seq in range(1, 40_001))
    assert len(traffic.stretches) <= STRETCHES
    assert sum(each.calls for each in traffic.stretches) == 40_000
    assert {each.calls for each in traffic.stretches[:-1]} == {traffic.stretch}
    assert max(traffic.slowest)[:2] == (0.04, 40_000)
    assert len(traffic.tallies) == 1


@pytest.mark.parametrize("seconds", [0.0, 1e-7, 1e-6, 0.00123, 0.5, 59.0, 1e6])
def test_a_bucket_holds_its_times(seconds: float) -> None:
    """A time lies below the end of its bucket, and not a quarter of an octave below; the last bucket has no end."""
    bucket = bucket_of(seconds)
    assert 0 <= bucket < BUCKETS
    if 1e-6 < seconds < 60:
        assert end_of(bucket) / 1.2 < seconds <= end_of(bucket) * 1.0001


def test_quantiles_are_those_of_the_histogram() -> None:
    """Half of the calls, and most, end within the bounds that are told; without calls the bound is 0."""
    histogram = [0] * BUCKETS
    histogram[10], histogram[20] = 90, 10
    assert [quantile(histogram, share) for share in (0.5, 0.9, 0.95)] == [end_of(10), end_of(10), end_of(20)]
    assert quantile([0] * BUCKETS, 0.5) == 0.0


def test_objects_are_followed_from_their_making_to_their_end() -> None:
    """Made, ended, ended though made by nobody here, and not seen ended, each by class; sessions are counted."""
    traffic = seen(
        [
            call("VM.create", {}, value=ref(1)),
            call("VM.create", {}, value=ref(2)),
            call("VM.destroy", ref(1)),
            call("network.destroy", ref(9)),
            replace(call("VM.destroy", ref(2)), reply=Reply(Failure("X"))),
            call("session.login_with_password", "root", value="SESSION-1"),
            call("session.logout"),
        ]
    )
    assert (traffic.made["VM"], traffic.ended["VM"], traffic.strangers["network"]) == (2, 1, 1)
    assert traffic.left == {"VM": 1}
    assert (traffic.logins, traffic.logouts) == (1, 1)


@pytest.mark.parametrize(
    ("end", "clean", "words"),
    [
        (RunEnd(1, 1.0, left=()), True, "nothing of it was left"),
        (RunEnd(1, 1.0, left=("made by this run and not removed: VM x",)), False, "1 thing of this run"),
        (RunEnd(1, 1.0), None, "Not known"),
        (None, None, "Not known"),
    ],
)
def test_harm_is_told_as_far_as_the_log_tells_it(end: RunEnd | None, clean: bool | None, words: str) -> None:
    """A run that looked at its end says what is left; of one that did not, nothing is claimed."""
    harm = harm_of(summarise(Run(start(), end=end)))
    assert harm.clean is clean
    assert words in harm.told
    assert harm.scope.startswith("own: only objects that the run made itself were written")


def test_what_workers_left_behind_is_added_up() -> None:
    """Merged, the logs of two workers tell what both left; where one does not say, nobody knows."""
    one, two = (Run(start(), end=RunEnd(1, 1.0, left=(name,))) for name in ("a", "b"))
    silent = Run(start(), end=RunEnd(1, 1.0))
    assert Run.from_lines(merge([one.lines(), two.lines()])).end == RunEnd(2, 1.0, left=("a", "b"))
    assert Run.from_lines(merge([one.lines(), silent.lines()])).end == RunEnd(2, 1.0)


def test_scripts_take_no_more_room_than_there_is() -> None:
    """A hundred cards with long scripts have as many of them as the page may hold, the first ones first."""
    saved = {".py": "print('<>')\n" * 5_000, ".sh": "echo\n" * 100}
    cases = {"x": SavedCase("x", saved)}
    results = replace(summarise(page_runs.sound()), cases=cases)
    cards = [card_of(at, Cause((replace(finding(), case="x"),)), results) for at in range(100)]
    kept = within(cards)
    shown = [bool(each.script) for each in kept]
    assert shown == sorted(shown, reverse=True)
    assert 0 < sum(shown) < 20
    assert [each.case for each in kept] == ["x"] * 100
