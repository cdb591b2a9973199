"""results.sarif and metrics.txt: what code hosts and dashboards read of a run."""

from __future__ import annotations

import re

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from xenconform.models.results import Results, summarise
from xenconform.models.run import Run, RunEnd, RunStart
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.metrics import render_metrics
from xenconform.reports.sarif import render_sarif, to_sarif

HOSTILE = "\x1b[31m]]>&\"\n\\{}'\u202e\ud800"
CLAUSES = ("SET-VALUE", "WIRE-MAP", "LABEL-LOOKUP", "WHERE")


def results(*, ended: bool = True, started: str = "2026-01-02T03:04:05+00:00", said: str = "") -> Results:
    """The results of a run in which one required clause failed by two causes, and a recommended one."""
    start = RunStart("1.0", 7, f"http://h{said}", "24.18.0", "xapi", "own", "quick", ("xmlrpc",), CLAUSES, started)
    judgements = (
        Judgement("SET-VALUE", "VM.a", "xmlrpc", Verdict.FAIL, expected=f"'b'{said}", actual="'a'", case="one"),
        Judgement("SET-VALUE", "VM.b", "xmlrpc", Verdict.FAIL, expected=f"'c'{said}", actual="'d'"),
        Judgement("SET-VALUE", "VM.c", "xmlrpc", Verdict.FAIL, expected="a value", actual="a failure"),
        Judgement("WIRE-MAP", "VM", "xmlrpc", Verdict.PASS),
        Judgement("WHERE", "server", "xmlrpc", Verdict.FAIL, expected="this", actual="that"),
    )
    return summarise(Run(start, {}, judgements, RunEnd(10, 1.5) if ended else None, 10))


def read(text: str) -> list[Metric]:
    """What another reader of OpenMetrics finds in a text."""
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]  # the library has no type for it


def test_a_code_host_gets_a_rule_for_each_clause_and_a_result_for_each_cause() -> None:
    """Findings of one cause are one result, at the place of its case; what decides nothing is a note."""
    (run,) = to_sarif(results())["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["SET-VALUE", "WHERE"]
    found = [(each["ruleId"], each["level"], each["occurrenceCount"]) for each in run["results"]]
    assert found == [("SET-VALUE", "error", 2), ("SET-VALUE", "error", 1), ("WHERE", "note", 1)]
    first, second, _ = run["results"]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "cases/one.py"
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "run.jsonl"
    named = [each["fullyQualifiedName"] for each in first["locations"][0]["logicalLocations"]]
    assert named == ["VM.a", "VM.b"]
    for each in run["results"]:
        assert run["tool"]["driver"]["rules"][each["ruleIndex"]]["id"] == each["ruleId"]
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]


def test_a_host_knows_a_finding_again() -> None:
    """The same cause has the same fingerprint in another run, with other values; another cause has another."""
    (first,), (again,) = to_sarif(results())["runs"], to_sarif(results(started="2027-01-01T00:00:00+00:00"))["runs"]
    marks = [each["partialFingerprints"]["cause/v1"] for each in first["results"]]
    assert marks == [each["partialFingerprints"]["cause/v1"] for each in again["results"]]
    assert len(set(marks)) == 3


def test_a_run_that_broke_off_is_no_success() -> None:
    """A host is told that the run did not come to its end, and why."""
    (run,) = to_sarif(results(ended=False))["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert "breaks off" in run["invocations"][0]["exitCodeDescription"]


def test_numbers_are_read_back_by_another_reader() -> None:
    """Every clause × verdict is there, and they add up to the parts."""
    families = {each.name: each for each in read(render_metrics(results()))}
    parts = {(s.labels["clause"], s.labels["verdict"]): s.value for s in families["xenconform_parts"].samples}
    assert len(parts) == len(CLAUSES) * len(Verdict)
    assert parts["SET-VALUE", "FAIL"] == 3
    assert sum(parts.values()) == 5
    values = {name: each.samples[0].value for name, each in families.items() if len(each.samples) == 1}
    assert values["xenconform_exit_code"] == 1
    assert values["xenconform_duration_seconds"] == 1.5
    assert values["xenconform_started_timestamp_seconds"] == 1767323045
    assert families["xenconform_run"].samples[0].labels["verdict"] == "NOT CONFORMANT"


@pytest.mark.parametrize("render", [render_sarif, render_metrics])
def test_what_a_server_says_is_carried(render: object) -> None:
    """Nothing of a server's making breaks the form, and no control character gets through; the same bytes each time."""
    assert callable(render)
    text = render(results(said=HOSTILE, started="soon"))
    assert text == render(results(said=HOSTILE, started="soon"))
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)
    text.encode()
    if render is render_metrics:
        assert next(each.name for each in read(text)) == "xenconform_run"
        assert "timestamp" not in text
