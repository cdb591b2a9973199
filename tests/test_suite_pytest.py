"""The suite as plain pytest: selection, workers, JUnit, Allure, and what a failing item says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from turncoat import PASSWORD, TREASONS, fails, turncoat

from xenconform.reports.write import LOG, RENDERERS

PYTEST = [sys.executable, "-m", "pytest", "--pyargs", "xenconform.conformance.suite", "-p", "no:cacheprovider"]
OPTIONS = ("--xenconform-class=network", "--xenconform-budget=quick", "--xenconform-scope=own", "-q")


def run(url: str, *options: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run pytest on the suite in an empty folder."""
    return subprocess.run(
        [*PYTEST, f"--xenconform-url={url}", *OPTIONS, *options],
        env={**os.environ, "XENCONFORM_PASSWORD": PASSWORD},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_k_selects_items_and_each_is_in_junit_and_allure_once(tmp_path: Path) -> None:
    """-k, --junitxml and --alluredir work as ever: one case and one result an item, each with its own name."""
    options = ("-k", "GET- and network", "--junitxml=junit.xml", "--alluredir=allure", "--xenconform-out=out")
    with turncoat() as server:
        done = run(server.url, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    cases = [case.attrib["name"] for case in ET.parse(tmp_path / "junit.xml").iter("testcase")]
    told = [json.loads(path.read_text()) for path in (tmp_path / "allure").glob("*-result.json")]
    assert sorted(cases) == [
        f"GET-{name}[network]" for name in ("ALL-AGREES", "BAD-REF", "EVERY-FIELD", "RECORD-AGREES")
    ]
    assert sorted(each["name"] for each in told) == sorted(cases)
    assert len({each["historyId"] for each in told}) == len(cases)
    assert {each["status"] for each in told} == {"passed"}
    labels = {each["name"]: {label["name"]: label["value"] for label in each["labels"]} for each in told}
    of = labels["GET-BAD-REF[network]"]
    assert [of[name] for name in ("parentSuite", "suite", "subSuite")] == ["Level 2: fields", "GET-BAD-REF", "network"]
    assert [of[name] for name in ("epic", "feature", "story")] == ["network", "Level 2: fields", "GET-BAD-REF"]
    assert [of[name] for name in ("severity", "tag")] == ["critical", "MUST"]
    assert all(each["description"].startswith(f"**{labels[each['name']]['suite']}** (MUST, level 2)") for each in told)
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    judged = {each["id"] for each in results["clauses"] if each["counts"]["PASS"]}
    assert judged >= {"GET-ALL-AGREES", "GET-BAD-REF", "GET-EVERY-FIELD", "GET-RECORD-AGREES"}


def test_two_workers_judge_what_one_does_and_leave_nothing(tmp_path: Path) -> None:
    """With -n 2 the items are shared out, the logs become one, and every object and session is gone at the end."""
    one, two = ("--xenconform-clause=CREATE-*", "--xenconform-clause=MAP-*"), ("-n", "2", "--xenconform-out=two")
    with turncoat() as server:
        world = server.service.state.world
        before = world.handles("network")
        single = run(server.url, *one, "--xenconform-out=one", cwd=tmp_path)
        shared = run(server.url, *one, *two, cwd=tmp_path)
        after = server.service.state.world.handles("network")
    assert single.returncode == shared.returncode == 0, single.stdout + shared.stdout + shared.stderr
    assert before == after
    counts = [
        {
            each["id"]: each["counts"]["PASS"]
            for each in json.loads((tmp_path / name / "results.json").read_text())["clauses"]
        }
        for name in ("one", "two")
    ]
    assert counts[0] == counts[1]
    assert sum(counts[0].values()) > 20
    assert {path.name for path in (tmp_path / "two").iterdir()} == {LOG, *RENDERERS}


def test_a_failing_item_says_what_is_wrong(tmp_path: Path) -> None:
    """An item fails with clause, element, format, expected and actual, and pytest ends with its own status 1."""
    with turncoat(fails("MESSAGE_METHOD_UNKNOWN", "network.get_managed"), only="network.get_managed") as server:
        done = run(server.url, "-k", "GET-EVERY-FIELD", cwd=tmp_path)
    assert done.returncode == 1
    assert re.search(r"GET-EVERY-FIELD network\.managed over \w+: expected .+; actual .+", done.stdout), done.stdout
    assert "items.py" not in done.stdout, "the suite's own code is no part of a finding"


def test_a_server_that_goes_away_leaves_the_rest_skipped_and_no_green(tmp_path: Path) -> None:
    """What is left when the server is gone is skipped with the reason; the results are incomplete."""
    with turncoat(TREASONS["closes at once"], after=60) as server:
        done = run(server.url, "-k", "GET- or SET- or MAP-", "-rs", "--xenconform-out=out", cwd=tmp_path)
    assert "no longer answers" in done.stdout
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["exit_code"] == 3


def test_wrong_options_are_pytests_usage_error(tmp_path: Path) -> None:
    """An option that cannot be used ends pytest with its own status for usage, and a line that names it."""
    done = run("http://127.0.0.1:1", "--xenconform-clause=NO-SUCH", cwd=tmp_path)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "NO-SUCH" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    """No server: status 3 and the reason, no item run."""
    done = run("http://127.0.0.1:1", cwd=tmp_path)
    assert done.returncode == 3
    assert "cannot log in" in done.stdout + done.stderr
