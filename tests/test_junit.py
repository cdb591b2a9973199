"""junit.xml: valid against what both schemas in use allow, its counts and times add up, all of it is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import page_runs
import pytest
from lxml import etree

from xenconform.models.results import Results, summarise
from xenconform.models.run import Run
from xenconform.models.verdicts import Verdict
from xenconform.reports.junit import render_junit

SCHEMA = etree.RelaxNG(etree.parse(Path(__file__).parent / "data" / "junit.rng"))
RUNS = {"none": page_runs.sound, "sixty": page_runs.sixty, "hostile": page_runs.hostile, "empty": Run}


def rendered(run: Run) -> ET.Element:
    return ET.fromstring(render_junit(summarise(run)))


@pytest.mark.parametrize("run", [*RUNS.values(), page_runs.every_verdict], ids=[*RUNS, "every verdict"])
def test_it_is_valid_whatever_a_server_sends(run: Callable[[], Run]) -> None:
    """It holds only what the schemas of Ant's reports and of Jenkins both allow."""
    SCHEMA.assertValid(etree.XML(render_junit(summarise(run())).encode()))


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (".", lambda root: root.set("name", "xenconform")),
        ("testsuite", lambda suite: suite.set("timestamp", "2026-01-02T03:04:05Z")),
        ("testsuite", lambda suite: suite.set("file", "x")),
        ("testsuite", lambda suite: suite.remove(suite.find("properties"))),
        ("testsuite", lambda suite: suite.append(suite.find("properties"))),
        (".//testcase[failure]", lambda case: etree.SubElement(case, "system-out")),
        (".//failure", lambda told: told.attrib.pop("type")),
    ],
)
def test_the_schema_refuses_what_one_reader_would(path: str, change: Callable[[Any], object]) -> None:
    """What either of the two schemas forbids is not valid against ours."""
    root = etree.XML(render_junit(summarise(page_runs.every_verdict())).encode())
    assert SCHEMA.validate(root)
    change(root.find(path))
    assert not SCHEMA.validate(root)


@pytest.mark.parametrize("run", [*RUNS.values(), page_runs.every_verdict], ids=[*RUNS, "every verdict"])
def test_the_counts_add_up(run: Callable[[], Run]) -> None:
    """Each suite counts its own cases, and all suites have a case for each part, or for a clause that was not run."""
    results: Results = summarise(run())
    suites = ET.fromstring(render_junit(results)).findall("testsuite")
    for suite in suites:
        for name, path in {
            "tests": "testcase",
            "failures": "testcase/failure",
            "errors": "testcase/error",
            "skipped": "testcase/skipped",
        }.items():
            assert suite.get(name) == str(len(suite.findall(path)))
    told = sum(int(suite.get("tests", "")) for suite in suites)
    assert told == sum(max(1, len(each.parts)) for each in results.clauses)
    required = [part for part in results.parts(Verdict.FAIL) if part.clause.required]
    assert sum(int(suite.get("failures", "")) for suite in suites) == len(required)


def test_what_decides_is_a_failure_and_all_else_is_skipped() -> None:
    """A SHOULD that is not met is skipped with its text, an error is our own, and each skipped case has its reason."""
    cases = {case.get("classname"): list(case) for case in rendered(page_runs.every_verdict()).iter("testcase")}
    kinds = {str(name).partition(".")[2]: [each.tag for each in told] for name, told in cases.items()}
    assert kinds == {
        "SET-VALUE": [],
        "SET-ADD": ["failure"],
        "SET-REMOVE": ["skipped"],
        "MAP-ADD": ["skipped"],
        "MAP-REMOVE": ["skipped"],
        "WHERE": ["skipped"],
        "CREATE-NEW": ["error"],
        "PERSIST": ["skipped"],
    }
    said = {each.get("message") for told in cases.values() for each in told if each.tag == "skipped"}
    assert said == {
        "UNTESTED: nothing to remove",
        "WAIVED: known (until 2027-01-01)",
        "UNSUPPORTED: not offered",
        "SHOULD not met: expected one record, got none",
        "not run",
    }


def test_jenkins_and_gitlab_show_all_of_it() -> None:
    """GitLab passes over messages and takes cases of one name for one; Jenkins wants a package before the last dot."""
    root = rendered(page_runs.every_verdict())
    for told in root.iter("skipped"):
        assert told.text == told.get("message")
    failure = root.find(".//failure")
    assert failure is not None
    assert str(failure.text).startswith(
        "expected: ['a']\nactual: []\nexpected: ['a']\nactual: ['b']\nSET-ADD, a MUST: "
    )
    assert "exchange 5 in run.jsonl" in str(failure.text)
    names = Counter((case.get("classname"), case.get("name")) for case in rendered(page_runs.sixty()).iter("testcase"))
    assert set(names.values()) == {1}
    assert all(str(classname).startswith("level") and str(classname).count(".") == 1 for classname, _ in names)


def test_a_case_took_the_time_since_the_judgement_before_it() -> None:
    """Times are of the log: each part's judgements took the time from the ones before them; suites have the sums."""
    root = rendered(page_runs.every_verdict())
    times = {str(case.get("classname")).partition(".")[2]: case.get("time") for case in root.iter("testcase")}
    assert (times["SET-VALUE"], times["SET-ADD"], times["WHERE"], times["PERSIST"]) == (
        "0.000",
        "2.000",
        "1.000",
        "0.000",
    )
    for suite in root:
        total = sum(float(case.get("time", "")) for case in suite.iter("testcase"))
        assert float(suite.get("time", "")) == pytest.approx(total)
    silent = replace(
        page_runs.every_verdict(),
        judgements=tuple(replace(each, seconds=0.0) for each in page_runs.every_verdict().judgements),
    )
    assert {case.get("time") for case in rendered(silent).iter("testcase")} == {"0.000"}


def test_a_time_has_no_zone_and_is_in_utc() -> None:
    """When the run began is told in UTC; a log that does not say gets the time that stands for none."""
    began = [page_runs.start(started=text) for text in ("2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05Z", "")]
    suites = [rendered(replace(page_runs.every_verdict(), start=start)).find("testsuite") for start in began]
    assert [suite.get("timestamp") for suite in suites if suite is not None] == [
        "2026-01-02T01:04:05",
        "2026-01-02T03:04:05",
        "1970-01-01T00:00:00",
    ]
