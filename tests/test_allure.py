"""The folder for Allure: made of the log alone, complete, known again from run to run, and nothing in it is untrue."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import page_runs
import pytest
from allure_commons import model2
from allure_commons.types import Severity

from xenconform.models.clauses import Clause, catalogue
from xenconform.models.clauses import Severity as Duty
from xenconform.models.results import summarise
from xenconform.models.run import Run
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.allure import clear_allure, write_allure
from xenconform.reports.allure.labels import severity_of

RUNS = {
    "none": page_runs.sound,
    "sixty": page_runs.sixty,
    "hostile": page_runs.hostile,
    "empty": Run,
    "every verdict": page_runs.every_verdict,
}
every_run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


def files_of(run: Run, folder: Path, clause_url: str = "") -> dict[str, bytes]:
    write_allure(summarise(run), folder, clause_url)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def told_of(run: Run, folder: Path, clause_url: str = "") -> dict[str, dict[str, Any]]:
    """The tests of a run by their full names."""
    files = files_of(run, folder, clause_url)
    tests = [json.loads(content) for name, content in files.items() if name.endswith("-result.json")]
    return {test["fullName"]: test for test in tests}


def labels(test: dict[str, Any], name: str) -> list[str]:
    return [label["value"] for label in test["labels"] if label["name"] == name]


def steps_of(test: dict[str, Any]) -> list[dict[str, Any]]:
    """All steps of a test, those within others too."""
    return [each for step in test.get("steps", ()) for each in (step, *steps_of(step))]


@every_run
def test_the_same_log_gives_the_same_bytes(run: Callable[[], Run], tmp_path: Path) -> None:
    """From one log come the same files with the same bytes, and all but attachments are ASCII."""
    again = Run.from_lines(run().lines())
    first, second = files_of(run(), tmp_path / "first"), files_of(again, tmp_path / "second")
    assert first == second
    assert all(content.isascii() for name, content in first.items() if "-attachment" not in name)


@every_run
def test_every_part_is_a_step_of_one_test(run: Callable[[], Run], tmp_path: Path) -> None:
    """A test a clause × element, a step a format: as many steps of each verdict as there are parts."""
    results = summarise(run())
    tests = told_of(run(), tmp_path)
    told = Counter(step["name"].rpartition(": ")[2] for test in tests.values() for step in test.get("steps", ()))
    parts = Counter(part.verdict.value for each in results.clauses for part in each.parts)
    assert told == parts
    not_run = [each.clause.id for each in results.clauses if not each.parts]
    silent = [test["fullName"] for test in tests.values() if not test.get("steps")]
    assert sorted(silent) == sorted(f"{name} server" for name in not_run)
    elements = {(part.clause.id, part.element) for each in results.clauses for part in each.parts}
    assert len(tests) == len(elements) + len(not_run)


def test_each_verdict_has_its_status(tmp_path: Path) -> None:
    """Passed is what passed; what fails fails, our own error is broken, and all else is skipped with its reason."""
    tests = told_of(page_runs.every_verdict(), tmp_path)
    told = {name.partition(" ")[0]: (test["status"], test.get("statusDetails", {})) for name, test in tests.items()}
    assert {name: (status, details.get("message", "")) for name, (status, details) in told.items()} == {
        "SET-VALUE": ("passed", ""),
        "SET-ADD": ("failed", "SET-ADD (MUST) not met: got <…>, expected <…>"),
        "SET-REMOVE": ("skipped", "SET-REMOVE UNTESTED: nothing to remove"),
        "MAP-ADD": ("skipped", "MAP-ADD WAIVED: known <…>"),
        "MAP-REMOVE": ("skipped", "MAP-REMOVE UNSUPPORTED: not offered"),
        "WHERE": ("failed", "WHERE (SHOULD) not met: got none, expected one record"),
        "CREATE-NEW": ("broken", "CREATE-NEW ERROR: KeyError: …"),
        "PERSIST": ("skipped", "PERSIST UNTESTED: not run"),
    }
    assert (told["SET-ADD"][1]["expected"], told["SET-ADD"][1]["actual"]) == ("['a']", "[]")
    assert "expected ['a'], got ['b']" in told["SET-ADD"][1]["trace"]
    assert told["MAP-ADD"][1]["known"] is True


@pytest.mark.parametrize("verdict", [Verdict.UNTESTED, Verdict.UNSUPPORTED, Verdict.WAIVED])
def test_a_test_of_which_a_format_did_not_pass_did_not_pass(verdict: Verdict, tmp_path: Path) -> None:
    """What passed over one format and was not tested over another is skipped, and its steps tell them apart."""
    judged = (
        Judgement("SET-VALUE", "VM.tags", "xmlrpc", Verdict.PASS),
        Judgement("SET-VALUE", "VM.tags", "jsonrpc1", verdict, "why"),
    )
    run = Run(page_runs.start(clauses=("SET-VALUE",)), judgements=judged)
    test = told_of(run, tmp_path)["SET-VALUE VM.tags"]
    assert (test["status"], test["statusDetails"]["message"]) == ("skipped", f"SET-VALUE {verdict}: why")
    assert {step["name"]: step["status"] for step in test["steps"]} == {
        f"jsonrpc1: {verdict}": "skipped",
        "xmlrpc: PASS": "passed",
    }
    assert labels(test, "tag") == ["MUST", verdict.value]


@every_run
def test_each_that_did_not_pass_is_in_one_category(run: Callable[[], Run], tmp_path: Path) -> None:
    """Each message is of the one category that has its status too, for Allure 2 as a whole and for Allure 3 in part."""
    tests = told_of(run(), tmp_path)
    told = json.loads((tmp_path / "categories.json").read_text())
    assert told == json.loads((tmp_path / "allurerc.json").read_text())["categories"]
    for test in tests.values():
        message = test.get("statusDetails", {}).get("message", "")
        whole = [each["name"] for each in told if re.fullmatch(each["messageRegex"], message)]
        part = [each["name"] for each in told if re.search(each["messageRegex"], message)]
        assert whole == part
        assert len(whole) == (test["status"] != "passed")
        assert all(test["status"] in each["matchedStatuses"] for each in told if each["name"] in whole)


def test_history_is_known_again_and_results_are_not_mixed_up(tmp_path: Path) -> None:
    """Another seed, order, time and number of workers change no history id; the results of two runs have ids apart."""
    run = page_runs.every_verdict()
    later = replace(
        run,
        start=replace(run.start, seed=8, started="2026-02-02T00:00:00Z", formats=("xmlrpc",)),
        judgements=run.judgements[::-1],
    )
    one, two = told_of(run, tmp_path / "one"), told_of(later, tmp_path / "two")
    for name in ("historyId", "testCaseId"):
        assert {test: told[name] for test, told in one.items()} == {test: told[name] for test, told in two.items()}
    assert not {test["uuid"] for test in one.values()} & {test["uuid"] for test in two.values()}
    kept = {each["name"] for test in one.values() for each in test["parameters"] if not each.get("excluded")}
    assert kept == {"element"}
    assert len({test["historyId"] for test in one.values()}) == len(one)


@every_run
def test_each_attachment_is_there_and_shown_once(run: Callable[[], Run], tmp_path: Path) -> None:
    """Every file that a step names is in the folder, every file is named once, and bodies are as the log has them."""
    tests = told_of(run(), tmp_path)
    named = [each for test in tests.values() for step in steps_of(test) for each in step.get("attachments", ())]
    there = {path.name for path in tmp_path.glob("*-attachment.*")}
    assert Counter(each["source"] for each in named) == Counter(there)
    bodies = {body for each in run().exchanges.values() for body in (each.sent, each.received)}
    requests = [each for each in named if each["name"].startswith(("request", "reply"))]
    assert {(tmp_path / each["source"]).read_bytes() for each in requests} <= bodies


def test_a_finding_has_its_exchange_and_a_line_that_sends_it_again(tmp_path: Path) -> None:
    """The telling exchange is attached as it was, typed by what it is, with a case where there is one or else curl."""
    tests = told_of(page_runs.sixty(), tmp_path)
    finding = next(step for step in steps_of(tests["WIRE-XML-ENVELOPE VM.f0"]) if step.get("attachments"))
    assert [(each["name"], each["type"]) for each in finding["attachments"]] == [
        ("request: VM.get_record over xmlrpc", "application/xml"),
        ("reply: HTTP 200", "application/xml"),
    ]
    named = {each["name"]: each["value"] for each in finding["parameters"]}
    assert named["exchange in run.jsonl"] == "1"
    assert named["first seen"] == "call 1, 1.5 s into the run"
    cases = told_of(page_runs.hostile(), tmp_path / "hostile")
    attached = [each for test in cases.values() for step in steps_of(test) for each in step.get("attachments", ())]
    assert {"case saved.py", "case saved.sh", "case saved.json"} <= {each["name"] for each in attached}
    assert "application/octet-stream" in {each["type"] for each in attached}


def test_a_cause_that_shows_everywhere_has_ten_exchanges_attached(tmp_path: Path) -> None:
    """What is not attached names its exchange and says so; the findings of another cause have theirs."""
    exchanges = {seq: page_runs.exchange(seq, b"<r/>") for seq in range(1, 31)}
    found = [
        Judgement("SET-VALUE", f"VM.f{seq}", "xmlrpc", Verdict.FAIL, "", "a" if seq < 30 else "none", "b", (seq,))
        for seq in exchanges
    ]
    run = Run(page_runs.start(clauses=("SET-VALUE",)), exchanges, tuple(found))
    told = [step for test in told_of(run, tmp_path).values() for step in steps_of(test) if step.get("parameters")]
    with_bytes = [step for step in told if step.get("attachments")]
    assert len(told) == 30
    assert len(with_bytes) == 11
    for step in told:
        named = {each["name"] for each in step["parameters"]}
        assert "exchange in run.jsonl" in named
        assert ("not attached" in named) == (step not in with_bytes)


@pytest.mark.parametrize(
    ("duty", "level", "name", "severity"),
    [
        (Duty.MUST, 1, "WIRE-VOID", Severity.BLOCKER),
        (Duty.MUST, 2, "GET-EVERY-FIELD", Severity.CRITICAL),
        (Duty.MUST, 3, "CREATE-NEW", Severity.CRITICAL),
        (Duty.MUST, 4, "SESSION-LOGIN", Severity.CRITICAL),
        (Duty.ROBUST, 5, "ROBUST-ALIVE", Severity.NORMAL),
        (Duty.SHOULD, 3, "WHERE", Severity.MINOR),
        (Duty.SHOULD, 1, "WIRE-ARITY-CODE", Severity.TRIVIAL),
        (Duty.MUST, 0, "OF-ANOTHER-VERSION", Severity.NORMAL),
    ],
)
def test_severity_goes_by_level_and_duty(duty: Duty, level: int, name: str, severity: Severity) -> None:
    """The lower the level, the graver the breach; what is only recommended is minor, an error's code alone trivial."""
    clause = Clause(name, level, duty, "", "")
    assert severity_of(catalogue().get(name, clause)) is severity_of(clause) is severity


def test_it_is_filed_by_level_clause_and_class(tmp_path: Path) -> None:
    """Suites go by level, clause and class, behaviors by class; the rule with its source is the description."""
    test = told_of(page_runs.sound(), tmp_path)["WIRE-VOID VM.name_label"]
    assert test["titlePath"] == ["Level 1: wire", "WIRE-VOID", "VM"]
    filed = {name: labels(test, name) for name in ("parentSuite", "suite", "subSuite", "epic", "feature", "story")}
    assert filed == {
        "parentSuite": ["Level 1: wire"],
        "suite": ["WIRE-VOID"],
        "subSuite": ["VM"],
        "epic": ["VM"],
        "feature": ["Level 1: wire"],
        "story": ["WIRE-VOID"],
    }
    assert labels(test, "package") == ["xenconform.wire.WIRE-VOID"]
    assert labels(test, "severity") == ["blocker"]
    assert not labels(test, "host") + labels(test, "thread")
    assert catalogue()["WIRE-VOID"].source in test["description"]
    assert "links" not in test


def test_a_test_links_to_its_clause_where_there_is_an_address(tmp_path: Path) -> None:
    """With the address of the clauses' pages each test has a link of the kind tms to its own."""
    test = told_of(page_runs.sound(), tmp_path, "https://example.org/c/{clause}.html")["WIRE-VOID VM.name_label"]
    assert test["links"] == [{"type": "tms", "url": "https://example.org/c/WIRE-VOID.html", "name": "WIRE-VOID"}]


def test_times_are_those_of_the_judgements(tmp_path: Path) -> None:
    """A test ends with its last judgement and took the time of all of its own; a log that does not say gives none."""
    run = page_runs.every_verdict()
    began = 1767323045000
    test = told_of(run, tmp_path / "timed")["SET-ADD network.tags"]
    assert (test["start"] - began, test["stop"] - began) == (1000, 3000)
    silent = replace(run, judgements=tuple(replace(each, seconds=0.0) for each in run.judgements))
    assert not {"start", "stop"} & set(told_of(silent, tmp_path / "silent")["SET-ADD network.tags"])


def test_the_run_as_a_whole_is_told(tmp_path: Path) -> None:
    """The environment has verdict, counts and settings; a run that is INCOMPLETE is an error as a whole."""
    build = {"name": "GitLab CI", "type": "gitlab", "buildOrder": "12", "buildUrl": "https://ci.example/12"}
    run = replace(page_runs.every_verdict(), start=page_runs.start(build=build, clauses=()))
    told_of(run, tmp_path)
    told = dict(line.split(" = ", 1) for line in (tmp_path / "environment.properties").read_text().splitlines())
    assert told["verdict"] == "INCOMPLETE"
    assert told["parts\\ FAIL"] == "2"
    assert (told["seed"], told["target"]) == ("7", "http://h.example:80")
    assert json.loads((tmp_path / "executor.json").read_text()) == {**build, "buildOrder": 12}
    (wrong,) = tmp_path.glob("*-globals.json")
    assert "errors of our own in 1 part" in json.loads(wrong.read_text())["errors"][0]["message"]
    assert json.loads((tmp_path / "allurerc.json").read_text())["name"] == "INCOMPLETE: http://h.example:80"
    assert "executor.json" not in files_of(page_runs.sound(), tmp_path / "none")


@every_run
def test_files_are_of_allures_own_form(run: Callable[[], Run], tmp_path: Path) -> None:
    """No file has a member that Allure does not know; those of details are two more than its writer for Python has."""

    def known(kind: type) -> set[str]:
        return set(vars(kind()))

    for test in told_of(run(), tmp_path).values():
        assert set(test) <= known(model2.TestResult)
        assert set(test.get("statusDetails", ())) <= known(model2.StatusDetails) | {"expected", "actual"}
        assert test["status"] in {"passed", "failed", "broken", "skipped"}
        for step in steps_of(test):
            assert set(step) <= known(model2.TestStepResult)
            assert all(set(each) == {"name", "source", "type"} for each in step.get("attachments", ()))


def test_an_older_runs_results_are_removed_and_nothing_else(tmp_path: Path) -> None:
    """What Allure would read as results goes; its history, and what is not of its making, stays."""
    files_of(page_runs.sixty(), tmp_path)
    (tmp_path / "history").mkdir()
    for name in ("history/history.json", "notes.txt"):
        (tmp_path / name).write_text("kept")
    clear_allure(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history", "notes.txt"]
    assert (tmp_path / "history" / "history.json").read_text() == "kept"
