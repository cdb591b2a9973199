"""A run judged again from its log: the same suite says the same, another differs, each difference has a cause."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import in_process
import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from xenconform.conformance.checks import labels, nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.cli.rejudge import rejudge
from xenconform.conformance.client import client, reading
from xenconform.conformance.suite import selection as selecting
from xenconform.conformance.suite import table
from xenconform.models import clauses, rejudgement
from xenconform.models.api import ApiClass
from xenconform.models.calls import Flaw, Success
from xenconform.models.clauses import Severity, catalogue
from xenconform.reports import progress
from xenconform.reports.machine import schema as results_schema
from xenconform.reports.rejudgement_machine import schema
from xenconform.reports.write import RENDERERS

CLAUSES = ("GET-EVERY-FIELD", "LABEL-LOOKUP", "SET-VALUE", "UUID-*", "SESSION-LOGIN", "WIRE-STRING", "WIRE-VOID")

FAULT, IDS = "ids_are_in_lower_case", ("WIRE-JSON-ID-ECHO", "WIRE-VOID")


def certify(out: Path, *, fault: str = "", clauses: tuple[str, ...] = CLAUSES) -> Path:
    """Run some clauses on two classes, and write the reports."""
    return in_process.certify(out, classes=("secret", "network"), clauses=clauses, fault=fault)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certify(tmp_path_factory.mktemp("rejudge") / "sound")


def again(*said: str | Path) -> Result:
    return CliRunner().invoke(rejudge, [str(each) for each in said])


def told(folder: Path, *said: str | Path) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON of a rejudgement, which is valid."""
    done = again(*said, "--json", folder / "told.json")
    assert done.exit_code in {0, 1}, done.output
    found = json.loads((folder / "told.json").read_text())
    Draft202012Validator(schema()).validate(found)
    assert found["exit_code"] == done.exit_code
    return done.exit_code, found


def events(out: Path, kind: str) -> list[dict[str, Any]]:
    every = map(json.loads, (out / "run.jsonl").read_text().splitlines())
    return [each for each in every if each["event"] == kind]


def rewritten(out: Path, new: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Path:
    """A copy of a log with its events changed; None leaves one out. The end counts what is there."""
    kept = [data for line in (out / "run.jsonl").read_text().splitlines() if (data := change(json.loads(line)))]
    kept[-1]["judgements"] = sum(each["event"] == "judgement" for each in kept)
    new.write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in kept))
    return new


def test_the_same_suite_judges_a_log_as_it_did(sound: Path, tmp_path: Path) -> None:
    """No part differs, every check is judged from bytes, and log and reports are the same but for who they are of."""
    code, found = told(tmp_path, sound, "--out", tmp_path / "now")
    assert (code, found["differences"]) == (0, [])
    (log,) = found["logs"]
    assert (log["asked_again"], log["judged_from_bytes"]) == (log["exchanges"], len(events(sound, "item")) - 2)
    assert (log["taken_over"]["checks"], log["asked_otherwise"]) == ([], [])
    assert events(tmp_path / "now", "exchange") == events(sound, "exchange")
    assert events(tmp_path / "now", "judgement") == events(sound, "judgement")
    results = json.loads((tmp_path / "now/results.json").read_text())
    Draft202012Validator(results_schema()).validate(results)
    assert results["rejudged"] == {"sha256": log["sha256"], "version": results["version"]}
    before = json.loads((sound / "results.json").read_text())
    assert results | {"rejudged": None} == before
    assert {path.name for path in (tmp_path / "now").iterdir()} == {"run.jsonl", *RENDERERS}
    for name in ("report.html", "summary.md"):
        assert log["sha256"] in (tmp_path / "now" / name).read_text(), "who reads it learns what it is"


def test_a_log_is_judged_again_the_same_byte_for_byte(sound: Path, tmp_path: Path) -> None:
    """Twice the same files; and what comes of it can be judged again in its turn."""
    for name in ("one", "two"):
        assert again(sound, "--out", tmp_path / name, "-q").exit_code == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
    assert again(tmp_path / "one", "-q").exit_code == 0


def test_its_progress_is_told(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each item that was played is told on the error stream, its calls and what is left of them; quiet, nothing is."""
    monkeypatch.setattr(progress, "EVERY", 0.0)
    lines = again(sound).stderr.splitlines()
    items = len(events(sound, "item"))
    assert len(lines) == items
    assert lines[-1].startswith(f"{items}/{items} items (100 %), ")
    assert " calls/s, 0 findings, 0:00 left" in lines[-1]
    assert again(sound, "--quiet").stderr == ""


def test_faults_are_found_again(tmp_path: Path) -> None:
    """A log of a faulty server has the same findings, with the same exchanges."""
    out = certify(tmp_path / "faulty", fault=FAULT, clauses=IDS)
    was = [each for each in events(out, "judgement") if each["verdict"] == "FAIL"]
    assert was, "the fault shows"
    assert again(out, "--out", tmp_path / "now", "-q").exit_code == 0
    is_now = [each for each in events(tmp_path / "now", "judgement") if each["verdict"] == "FAIL"]
    untimed = [each | {"seconds": 0} for each in was]
    assert [each | {"seconds": 0} for each in is_now] == untimed


def test_a_stricter_check_is_by_the_suite(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a check that asks the same judges otherwise, each part says so, with both verdicts and the new reason."""
    real = labels._find

    def strict(bench: Bench, judge: Any, *rest: Any) -> None:
        real(bench, judge, *rest)
        judge.true(False, "no label", "a label")

    monkeypatch.setattr(labels, "_find", strict)
    code, found = told(tmp_path, sound)
    differences = [each for each in found["differences"] if each["clause"] == "LABEL-LOOKUP"]
    assert (code, len(found["differences"])) == (1, len(differences))
    assert {(each["cause"], each["was"], each["now"], each["why"]) for each in differences} == {
        ("by the suite", "PASS", "FAIL", "expected no label; actual a label")
    }
    assert found["logs"][0]["then"]["verdict"] == "CONFORMANT"
    assert found["logs"][0]["now"]["verdict"] == "NOT CONFORMANT"


def test_a_stricter_codec_is_by_the_suite(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What today's codec finds in yesterday's bytes is told under its clause, and its exchanges show it."""
    real = reading.read_result

    def strict(got: Any, expected: Any, api: Any) -> Any:
        reply = real(got, expected, api)
        odd = isinstance(reply.outcome, Success) and reply.outcome.value == ""
        return replace(reply, flaws=(*reply.flaws, Flaw("string-tag", "is empty"))) if odd else reply

    monkeypatch.setattr(client, "read_result", strict)
    code, found = told(tmp_path, sound, "--out", tmp_path / "now")
    assert code == 1
    assert {(each["cause"], each["clause"], each["now"]) for each in found["differences"]} == {
        ("by the suite", "WIRE-STRING", "FAIL")
    }
    assert "string-tag: is empty" in found["differences"][0]["why"]
    (seq,) = next(each for each in events(tmp_path / "now", "judgement") if each["verdict"] == "FAIL")["exchanges"]
    evidence = next(each for each in events(tmp_path / "now", "exchange") if each["seq"] == seq)
    assert evidence["flaws"] == [["string-tag", "is empty", "", -1]]


def test_what_two_logs_differ_in_is_by_the_server(tmp_path: Path) -> None:
    """Both are judged by one suite; what is left between them is what the servers answered."""
    old = certify(tmp_path / "old", clauses=IDS)
    new = certify(tmp_path / "new", clauses=IDS, fault=FAULT)
    code, found = told(tmp_path, old, "--against", new, "--out", tmp_path / "now")
    assert code == 1
    assert {each["cause"] for each in found["differences"]} == {"by the server"}
    assert ("WIRE-JSON-ID-ECHO", "server", "jsonrpc2", "PASS", "FAIL") in {
        tuple(each[name] for name in ("clause", "element", "format", "was", "now")) for each in found["differences"]
    }
    assert [each["then"]["verdict"] for each in found["logs"]] == ["CONFORMANT", "NOT CONFORMANT"]
    assert json.loads((tmp_path / "now/results.json").read_text())["verdict"] == "NOT CONFORMANT"
    shown = again(old, "--against", new)
    assert "By the server" in shown.output
    assert "By the suite" not in shown.output


def test_what_is_asked_anew_is_untested(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that asks more than the log holds judges nothing by it; what it asks as before is judged as before."""
    real = labels.by_label_finds_exactly_those

    def more(bench: Bench, of: ApiClass) -> None:
        with bench.judging("LABEL-LOOKUP", f"{of.name} more", "xmlrpc") as judge:
            seen = bench.call(bench.formats[0], f"{of.name}.get_by_name_label", "never asked for")
            judge.true(True, "", "", seen)
        real(bench, of)

    more.__module__, more.__qualname__ = real.__module__, real.__qualname__
    _replace(monkeypatch, labels, real, more)
    code, found = told(tmp_path, sound)
    assert code == 1
    assert [(each["clause"], each["element"], each["was"], each["now"]) for each in found["differences"]] == [
        ("LABEL-LOOKUP", "network more", None, "UNTESTED")
    ]
    assert found["differences"][0]["why"] == "not asked in that run: network.get_by_name_label"
    (log,) = found["logs"]
    assert [each["missed"] for each in log["asked_otherwise"]] == ["not asked in that run: network.get_by_name_label"]


def test_what_is_written_anew_leaves_the_rest_of_its_block_untested(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that the log does not hold would change what follows: nothing of that block is a pass or a finding."""
    real = labels._find

    def other(bench: Bench, judge: Any, at: Any, *rest: Any) -> None:
        of, fmt = at
        bench.call(fmt, f"{of.name}.create", {"name_label": "another"})
        judge.true(False, "never", "seen")
        real(bench, judge, at, *rest)

    monkeypatch.setattr(labels, "_find", other)
    _, found = told(tmp_path, sound)
    assert found["differences"]
    assert {(each["clause"], each["now"]) for each in found["differences"]} == {("LABEL-LOOKUP", "UNTESTED")}
    assert all(each["why"].startswith("not asked in that run") for each in found["differences"])


def test_clauses_come_and_go(sound: Path, tmp_path: Path) -> None:
    """A clause that is gone is told to be; one that is new is untested: it was not asked in that run."""

    def older(event: dict[str, Any]) -> dict[str, Any] | None:
        if event["event"] == "run_start":
            rules = {name: text for name, text in event["rules"].items() if name in event["clauses"]}
            new = {"clauses": [each for each in event["clauses"] if each != "UUID-FORM"] + ["OLD-RULE"]}
            rules.pop("UUID-FORM")
            return event | new | {"rules": rules | {"OLD-RULE": "MUST 00000000"}, "version": "0.0.9"}
        if event.get("clause") == "UUID-FORM":
            return event | {"clause": "OLD-RULE", "by": "gone.gone"} if event["event"] == "item" else {
                **event, "clause": "OLD-RULE"}  # fmt: skip
        return event

    log = rewritten(sound, tmp_path / "old.jsonl", older)
    code, found = told(tmp_path, log)
    assert code == 1
    rows = {(each["clause"], each["was"], each["now"], each["why"]) for each in found["differences"]}
    assert ("OLD-RULE", "PASS", None, "the clause is no longer in the catalogue") in rows
    assert ("UUID-FORM", None, "UNTESTED", "the clause is new since; not asked in that run") in rows
    assert {each["clause"] for each in found["differences"]} >= {"OLD-RULE", "UUID-FORM"}
    (log_told,) = found["logs"]
    assert {"clause": "OLD-RULE", "was": "MUST", "now": "", "reworded": False} in log_told["rules"]
    assert log_told["checks_gone"]


def test_a_severity_that_changed_changes_the_verdict_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict then is by the severities of then, and the clause is named; its parts are judged as they were."""
    out = certify(tmp_path / "faulty", clauses=IDS, fault=FAULT)
    milder = {
        name: replace(each, severity=Severity.SHOULD) if each.required else each for name, each in catalogue().items()
    }
    for module in (clauses, rejudgement):
        monkeypatch.setattr(module, "catalogue", lambda: milder)
    monkeypatch.setattr("xenconform.models.results.catalogue", lambda: milder)
    code, found = told(tmp_path, out)
    (log,) = found["logs"]
    assert (code, log["then"]["verdict"], log["now"]["verdict"]) == (0, "NOT CONFORMANT", "CONFORMANT")
    assert {"clause": "WIRE-JSON-ID-ECHO", "was": "MUST", "now": "SHOULD", "reworded": False} in log["rules"]


def test_logs_that_cannot_be_judged_again_say_why(sound: Path, tmp_path: Path) -> None:
    """A cut log, one of a newer version, one with lines taken out, of another time, no log: each has its reason."""
    whole = (sound / "run.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    cases = {
        "breaks off at line": whole[:-20],
        "before the run's end": b"".join(lines[:-1]),
        "newer than this": whole.replace(b'"version":"0.1.0"', b'"version":"99.1"', 1),
        "lines are missing": b"".join(line for line in lines if b'"seq":4,' not in line),
        "does not tell which check asked what": b"".join(line for line in lines if b'"event":"item"' not in line),
        "is no event of a log": b"".join([*lines[:3], b'{"event":"strange"}\n', *lines[3:]]),
        "the log is empty": b"",
        "no log of a run": b"hello\n",
        "keeps few of its exchanges": whole.replace(b'"kind":"certify"', b'"kind":"fuzz"', 1),
        "does not have": whole.replace(b'"release":"24.18.0"', b'"release":"99.9"', 1),
    }
    for words, content in cases.items():
        (tmp_path / "log.jsonl").write_bytes(content)
        done = again(tmp_path / "log.jsonl")
        assert (done.exit_code, words in done.stderr) == (3, True), (words, done.output, done.stderr)
    for words, said in {
        "No such file": (tmp_path / "nothing",),
        "--profile": (rewritten(sound, tmp_path / "own.jsonl", _of_another_profile),),
        "give another folder": (sound, "--out", sound),
    }.items():
        done = again(*said)
        assert (done.exit_code, words in done.stderr) == (2, True), (words, done.output, done.stderr)


def _of_another_profile(event: dict[str, Any]) -> dict[str, Any]:
    return event | {"profile": "mine"} if event["event"] == "run_start" else event


def _replace(monkeypatch: pytest.MonkeyPatch, module: Any, real: Any, other: Any) -> None:
    """Put another function in the place of a check's, in the suite's table too."""
    monkeypatch.setattr(module, real.__name__, other)
    rows = tuple(replace(row, per_class=other) if row.per_class is real else row for row in table.CHECKS)
    monkeypatch.setattr(selecting, "CHECKS", rows)


def test_checks_take_time_and_names_from_nature_alone() -> None:
    """Else a log would not tell them again; what hangs on time is taken over and may look at the clock."""
    root = Path(table.__file__).parents[1]
    own = {
        "nature.py",
        "hostile_waiting.py",
        "parallel.py",
        *(path.name for path in (root / "machine/races").iterdir()),
    }
    taken = re.compile(r"\b(?:uuid4|time\.monotonic|time\.sleep|time\.time|tempfile\.\w+)\(")
    found = [
        f"{path.name}: {match[0]}"
        for room in ("checks", "machine")
        for path in sorted((root / room).rglob("*.py"))
        for match in taken.finditer(path.read_text())
        if path.name not in own
    ]
    assert found == []


def test_what_comes_after_a_run_is_no_part_of_its_log(tmp_path: Path) -> None:
    """A time that is over once a run has ended is told to nobody, and the log is as it was."""
    log = certify(tmp_path / "ended", clauses=("SESSION-LOGIN",)) / "run.jsonl"
    before = log.read_bytes()
    assert nature.over(nature.now() - 1)
    assert log.read_bytes() == before
