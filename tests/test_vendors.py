"""The matrix of implementations: what is read, what changed, and the page, the JSON and the CSV."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from lxml import html
from matrix_runs import ALL, FORMATS, grid, hostile_grid, run, told

from xenconform.conformance.cli import xenconform
from xenconform.models.results import summarise
from xenconform.models.run import Run, RunStart
from xenconform.models.verdicts import Verdict
from xenconform.reports.badge import COLOURS, render_badge
from xenconform.reports.machine import render_json as render_results
from xenconform.reports.vendors.grid import grid_of
from xenconform.reports.vendors.machine import render_csv, to_json
from xenconform.reports.vendors.page import render_html
from xenconform.reports.write import LOG, write_all


def text_of(element: html.HtmlElement) -> str:
    """All text within an element."""
    return "".join(str(each) for each in element.itertext())


def test_the_last_run_of_a_name_stands_for_it_and_what_changed_is_told() -> None:
    """Runs of one name are in the order in which they began, however they were given."""
    a, b = grid().implementations
    assert (a.name, a.previous, a.changes) == ("A", None, None)
    assert b.latest.about["started"] > str(b.previous and b.previous.about["started"])
    changes = b.changes
    assert changes is not None
    assert [(each.clause.id, each.format) for each in changes.new] == [("SET-VALUE", "xmlrpc")]
    assert [(each.clause.id, each.format) for each in changes.gone] == [("WIRE-SET", "jsonrpc1")]
    assert (changes.untested, changes.tested) == ((), ())
    assert b.verdict("SET-VALUE") is Verdict.FAIL
    assert b.verdict("NO-SUCH") is None


def test_half_a_run_has_nothing_gone_and_nothing_untested() -> None:
    """What a run that broke off did not find again may be there still."""
    before = run(1, {("WIRE-SET", "jsonrpc1"): Verdict.FAIL})
    cut = run(
        2,
        {("SET-VALUE", "xmlrpc"): Verdict.FAIL, **{("WIRE-MAP", fmt): Verdict.UNTESTED for fmt in FORMATS}},
        ended=False,
    )
    changes = grid_of([told("A", before), told("A", cut)]).implementations[0].changes
    assert changes is not None
    assert [each.clause.id for each in changes.new] == ["SET-VALUE"]
    assert not changes.gone
    assert not changes.untested


def test_json_and_csv_have_every_implementation_clause_and_format() -> None:
    """The CSV has a line for each, and both tell the same verdicts."""
    table = list(csv.DictReader(io.StringIO(render_csv(grid()))))
    assert len(table) == 2 * len(ALL) * len(FORMATS)
    data = to_json(grid())
    for line in table:
        of = next(each for each in data["implementations"] if each["name"] == line["implementation"])
        assert of["clauses"][line["clause"]]["formats"][line["format"]] == line["verdict"]
        assert sum(int(line[verdict]) for verdict in Verdict) == 1
    assert {line["verdict"] for line in table} == {"PASS", "FAIL", "WAIVED"}
    assert [each["clause"] for each in data["implementations"][1]["changes"]["new"]] == ["SET-VALUE"]


def test_the_page_shows_verdicts_changes_and_findings_and_needs_nothing_else() -> None:
    """Each cell says its verdicts; a failure leads to its finding; nothing is loaded and no script is there."""
    page = render_html(grid())
    tree = html.document_fromstring(page)
    cells = [each for each in tree.iter("td") if each.get("title")]
    assert len(cells) == 2 * len(ALL)
    titles = {each.get("title", ""): each for each in cells}
    b = titles["B, SET-VALUE: FAIL over xmlrpc, PASS over jsonrpc1, PASS over jsonrpc2; worse since the run before"]
    assert text_of(b).split() == ["X✗", "1✓", "2✓", "▼"]
    assert (
        "B, WIRE-SET: PASS over xmlrpc, PASS over jsonrpc1, PASS over jsonrpc2; better since the run before" in titles
    )
    ids = {each.get("id") for each in tree.iter() if each.get("id")}
    leads = {(each.get("href") or "")[1:] for each in tree.iter("a")}
    assert leads <= ids
    assert {"i1-SET-VALUE", "i0-GET-EVERY-FIELD"} <= leads
    assert not [each for each in tree.iter() if each.tag in {"script", "link", "img", "iframe"} or each.get("src")]
    assert not re.search(r"""url\(|@import|https?://(?!a\b)""", page)
    assert page == render_html(grid())


def test_what_a_server_says_is_text() -> None:
    """No markup and no control character of a server's making gets into the page, whatever it is called."""
    page = render_html(hostile_grid())
    tree = html.document_fromstring(page)
    assert not [each for each in tree.iter() if each.tag == "script" or each.get("onload")]
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", page)
    assert "</script>" in text_of(tree)


def test_twenty_runs_take_less_than_five_seconds(tmp_path: Path) -> None:
    """Report folders of runs of every clause, half of them with dozens of findings."""
    wrong = {(clause, fmt): Verdict.FAIL for clause in ALL[:30] for fmt in FORMATS}
    for day in range(1, 21):
        write_all(run(day, wrong if day % 2 else {}), tmp_path / str(day))
    began = time.process_time()  # of this process alone: the machine may be busy
    said = [f"V{day % 10}={tmp_path / str(day)}" for day in range(1, 21)]
    done = CliRunner().invoke(xenconform, ["matrix", *said, "--out", str(tmp_path / "all.html")])
    assert done.exit_code == 0, done.output
    assert time.process_time() - began < 5
    assert {path.name for path in tmp_path.glob("all.*")} == {"all.html", "all.json", "all.csv"}
    assert len(json.loads((tmp_path / "all.json").read_text())["implementations"]) == 10


def test_a_log_alone_is_read_too(tmp_path: Path) -> None:
    """A folder without results.json, and a run.jsonl, give the same matrix as the results."""
    write_all(run(1), tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / LOG).write_text("".join(f"{line}\n" for line in run(1).lines()))
    for where, out in (("a", "1"), ("b", "2"), (f"b/{LOG}", "3")):
        done = CliRunner().invoke(
            xenconform, ["matrix", f"X={tmp_path / where}", "--out", str(tmp_path / f"{out}.html"), "-q"]
        )
        assert (done.exit_code, done.output) == (0, "")
    assert (tmp_path / "1.csv").read_text() == (tmp_path / "2.csv").read_text() == (tmp_path / "3.csv").read_text()


@pytest.mark.parametrize(
    ("files", "said", "wanted"),
    [
        ({}, ["nowhere"], "No such file"),
        ({"a/results.json": "{"}, ["a"], "no JSON"),
        ({"a/results.json": "{}"}, ["a"], "no results.json of this version"),
        ({"a/results.json": "fuzz"}, ["a"], "a run of the fuzzer"),
        ({"a/results.json": "run", "b/results.json": "run"}, ["a", "b"], "began at 2026-01-01"),
    ],
)
def test_what_cannot_be_compared_is_told(tmp_path: Path, files: dict[str, str], said: list[str], wanted: str) -> None:
    """Each error names the file and the fix, and ends with 2; nothing is written."""
    made = run(1)
    start = RunStart(kind="fuzz", target="http://a", formats=FORMATS, clauses=("WIRE-MAP",), started="2026-01-01")
    texts = {"run": made, "fuzz": Run(start, {}, made.judgements, made.end, 1)}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(render_results(summarise(texts[text])) if text in texts else text)
    out = tmp_path / "m.html"
    done = CliRunner().invoke(xenconform, ["matrix", *(str(tmp_path / each) for each in said), "--out", str(out)])
    assert done.exit_code == 2
    assert wanted in done.output
    assert "give " in done.output or "a matrix is of runs" in done.output
    assert not out.exists()


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_the_page_takes_no_name_of_what_is_written_beside_it(tmp_path: Path, suffix: str) -> None:
    """A page named as its data would be written over, so it is refused before anything is written."""
    (tmp_path / "results.json").write_text(render_results(summarise(run(1))))
    out = tmp_path / f"m{suffix}"
    done = CliRunner().invoke(xenconform, ["matrix", str(tmp_path), "--out", str(out)])
    assert done.exit_code == 2
    assert "--out names the page" in done.output
    assert [each.name for each in tmp_path.iterdir()] == ["results.json"]


def test_a_badge_tells_the_verdict_and_the_level() -> None:
    """It is well-formed, its texts fit, and white stands out on each of its colours."""
    for changed, ended, wanted in (
        ({}, True, "XenAPI 24.18.0: conformant, level 5"),
        ({("SET-VALUE", "xmlrpc"): Verdict.FAIL}, True, "XenAPI 24.18.0: not conformant, level 1"),
        ({}, False, "XenAPI 24.18.0: incomplete"),
    ):
        results = summarise(run(1, changed, ended=ended))
        badge = ET.fromstring(render_badge(results))
        assert badge.get("aria-label") == wanted
        assert sum(float(each.get("width", 0)) for each in badge.iter("{http://www.w3.org/2000/svg}rect")) == float(
            badge.get("width", 0)
        )
    for colour in COLOURS.values():
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        assert 1.05 / (sum(map(float.__mul__, (0.2126, 0.7152, 0.0722), linear)) + 0.05) >= 4.5
