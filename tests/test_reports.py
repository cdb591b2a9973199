"""The report files: valid, complete, safe against what a server sends, and the same for the same log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from xenconform.models.calls import Breach, Format, Reply
from xenconform.models.exchange import Exchange
from xenconform.models.results import Results, summarise
from xenconform.models.run import Run, RunEnd, RunStart, encode_event
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.causes import causes_of, findings_of, pattern_of, reasons_of, remarks_of
from xenconform.reports.machine import schema, to_json
from xenconform.reports.markdown import render_markdown
from xenconform.reports.write import LOG, RENDERERS, read_run, write_all

HOSTILE = "\x1b[31m]]>&<b>\x00\ud800|`````\u202e$(x)"
CLAUSES = ("WIRE-VOID", "SET-VALUE", "SET-ADD", "SET-ADD-DEDUP", "WHERE", "SESSION-LOGIN")


def exchange(seq: int, reply: bytes) -> Exchange:
    outcome = Breach("nonsense", HOSTILE)
    return Exchange(seq, f"VM.{HOSTILE}", (), Format.XMLRPC, b"<a>\r\n</a>", reply, 200, (), Reply(outcome), 0.5)


def made_up(*, formats: tuple[Format, ...] = tuple(Format)) -> Run:
    """A run with findings of two causes in a MUST, one in a SHOULD, and parts of every other verdict."""
    judgements: list[Judgement] = []
    for cls in ("VM", "SR", "network"):
        for wire in formats:
            judgements += [
                Judgement("SET-VALUE", f"{cls}.name_label", wire, Verdict.PASS),
                Judgement(
                    "SET-ADD-DEDUP", f"{cls}.tags", wire, Verdict.FAIL, "", "['a']", f"['a', 'a'] of {cls}.tags", (2,)
                ),
                Judgement("SET-ADD", f"{cls}.tags", wire, Verdict.UNTESTED, f"no {cls}.tags accepted: {cls}#1"),
            ]
    judgements += [
        Judgement("SET-ADD-DEDUP", "VM.tags", "xmlrpc", Verdict.FAIL, "", HOSTILE, HOSTILE, (1, 2)),
        Judgement("SET-ADD-DEDUP", "VM.blocked", "", Verdict.WAIVED, "known"),
        Judgement("WHERE", "VM", "xmlrpc", Verdict.FAIL, "", "one record", "none", (9,)),
        Judgement("WHERE", "SR", "xmlrpc", Verdict.UNSUPPORTED, HOSTILE),
        Judgement("SESSION-LOGIN", "server", "", Verdict.PASS),
    ]
    start = RunStart("1.0", 7, "http://h", "24.18.0", "xapi", "own", "quick", formats, CLAUSES, "2026-01-02T03:04:05Z")
    exchanges = {1: exchange(1, b"\xff\x00" * 40_000), 2: exchange(2, HOSTILE.encode(errors="replace"))}
    return Run(start, exchanges, tuple(judgements), RunEnd(2, 1.5), 2)


@pytest.fixture
def results() -> Results:
    return summarise(made_up())


def test_the_files_are_made_of_the_log_alone_and_repeatable(tmp_path: Path) -> None:
    """From one run.jsonl come the same bytes of each file, into any folder, any number of times."""
    log = tmp_path / LOG
    log.write_text("".join(f"{line}\n" for line in made_up().lines()))
    for name in ("a/b", "c", "c"):
        assert write_all(read_run(log), tmp_path / name).verdict == "NOT CONFORMANT"
    first, second = ({each.name: each.read_bytes() for each in (tmp_path / name).iterdir()} for name in ("a/b", "c"))
    assert first == second
    assert set(first) == set(RENDERERS)
    assert set(RENDERERS) == {
        "results.json", "junit.xml", "summary.md", "badge.svg", "report.html", "results.sarif", "metrics.txt",
    }  # fmt: skip


def test_a_log_is_read_with_the_cited_exchanges_alone(tmp_path: Path) -> None:
    """Of a long log only what the findings cite is held, and the reports are the same as with all of it."""
    run = made_up()
    log = tmp_path / LOG
    noise = [encode_event(exchange(seq, b"")) for seq in range(100, 150)]
    head, *rest = run.lines()
    log.write_text("\n".join([head, *noise, *rest]))
    assert set(read_run(log).exchanges) == {1, 2}
    assert to_json(summarise(read_run(log))) == to_json(summarise(run))


@pytest.mark.parametrize("run", [made_up(), Run(), made_up(formats=())], ids=["findings", "empty", "no formats"])
def test_results_json_is_valid(run: Run) -> None:
    """results.json of any run, the empty one included, is as its schema says, and the schema is a schema."""
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(json.loads(json.dumps(to_json(summarise(run)))), schema())


def test_results_json_says_everything(results: Results) -> None:
    """Findings carry the telling exchange, untested parts their reason, clauses their counts."""
    told: dict[str, Any] = to_json(results)
    assert (told["verdict"], told["exit_code"], told["seed"], told["calls"]) == ("NOT CONFORMANT", 1, 7, 2)
    assert [each["id"] for each in told["clauses"]] == list(CLAUSES)
    by_clause = {each["id"]: each for each in told["clauses"]}
    assert by_clause["SET-ADD"]["counts"]["UNTESTED"] == 9
    assert by_clause["WIRE-VOID"]["verdict"] == "UNTESTED"
    assert {"clause": "WIRE-VOID", "element": "", "format": "", "reason": "not run"} in told["untested"]
    assert len(told["untested"]) == 10
    strange = next(each for each in told["findings"] if each["exchanges"] == [1, 2])
    assert strange["actual"] == HOSTILE
    assert strange["exchange"]["seq"] == 2
    assert strange["exchange"]["status"] == 200
    assert strange["exchange"]["reply"].startswith("\\x1b[31m")
    assert next(each for each in told["findings"] if each["clause"] == "WHERE")["exchange"] is None


def test_summary_leads_with_the_verdict_and_the_causes(results: Results) -> None:
    """summary.md starts with the verdict and why; findings of one cause are one paragraph."""
    text = render_markdown(results)
    assert text.startswith("# NOT CONFORMANT\n\n1 required clause failed: SET-ADD-DEDUP.\n")
    assert "## Findings: 11 of 3 causes" in text
    assert "**9 findings** on `SR.tags`, `VM.tags`, `network.tags` over jsonrpc1, jsonrpc2, xmlrpc" in text
    assert text.index("### SET-ADD-DEDUP") < text.index("### WHERE")
    assert "| 9 | no SR.tags accepted: SR\\#1 | SET-ADD (9) |" in text


def test_summary_is_safe_against_what_a_server_sends(results: Results) -> None:
    """No control character, markup or fence of a server's making gets into summary.md unescaped."""
    text = render_markdown(results)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "<b>" not in text.replace("\n``````\n\\x1b[31m]]>&<b>", "")
    assert len(text) < 20_000


def test_findings_of_one_cause_are_one(results: Results) -> None:
    """Findings that differ in class, field, format, ref, number and value alone have one cause."""
    causes = causes_of(findings_of(results))
    assert [(each.example.clause.id, len(each.findings)) for each in causes] == [
        ("SET-ADD-DEDUP", 9),
        ("SET-ADD-DEDUP", 1),
        ("WHERE", 1),
    ]
    assert causes[0].elements == ("SR.tags", "VM.tags", "network.tags")


def test_reasons_that_differ_in_names_alone_are_one(results: Results) -> None:
    """Untested parts are grouped by reason, the most frequent first, with how many of which clause."""
    reasons = reasons_of(remarks_of(results, Verdict.UNTESTED))
    assert [(each.text, each.parts, each.clauses) for each in reasons] == [
        ("no SR.tags accepted: SR#1", 9, (("SET-ADD", 9),)),
        ("not run", 1, (("WIRE-VOID", 1),)),
    ]


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("VM.tags is ['a']", "SR.tags is ['b', 'c']", True),
        ("OpaqueRef:1-2 is 17", "OpaqueRef:abc is -3.5e7", True),
        ("refused by HANDLE_INVALID", "refused by UUID_INVALID", False),
        ("Failure('HANDLE_INVALID', ['VM'])", "Failure('UUID_INVALID', ['VM'])", False),
        ("Failure(code='HANDLE_INVALID', params=('VM',))", "Failure(code='HANDLE_INVALID', params=('SR',))", True),
        ("['INTERNAL_ERROR', 'x']", "['INTERNAL_ERROR', 'y', 'z']", True),
        ("a set", "a map", False),
        ("network#3 gone", "VM#12 gone", True),
    ],
)
def test_patterns_tell_causes_apart(left: str, right: str, same: bool) -> None:
    """A pattern drops names and values and keeps words and error codes."""
    assert (pattern_of(left) == pattern_of(right)) is same
