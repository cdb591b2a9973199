"""How a comparison is told: the command and its exit codes, the forms, the schema, and the jobs of the examples."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result
from rich.console import Console

from xenconform.conformance.cli import xenconform
from xenconform.conformance.cli.logs import read_log
from xenconform.models.calls import Breach, Format, Reply
from xenconform.models.difference import Asked, Kind, compare
from xenconform.models.exchange import Exchange
from xenconform.models.run import Run, RunEnd, RunStart
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.difference_machine import schema, to_json
from xenconform.reports.difference_markdown import render_markdown
from xenconform.reports.difference_terminal import print_difference
from xenconform.reports.difference_words import groups_of
from xenconform.reports.write import LOG

P, F, U, W, N, E = Verdict
HOSTILE = "\x1b[31m]]>&<b>\x00|`````\u202e$(x)"
EXAMPLES = Path(__file__).parent.parent / "examples"
START = RunStart("1.0", 7, "http://h", "24.18.0", "xapi", "own", "quick", ("xmlrpc",), (), "2026-01-02T03:04:05Z")


def exchange(seq: int) -> Exchange:
    return Exchange(seq, f"VM.{HOSTILE}", (), Format.XMLRPC, b"<q/>", b"<r/>", 200, (), Reply(Breach("x", "")), 0.5)


def run(*judgements: Judgement, start: RunStart = START, end: RunEnd | None = None) -> Run:
    return Run(start, {3: exchange(3), 4: exchange(4)}, judgements, end or RunEnd(100, 10.0), 2)


PASSES = tuple(Judgement("SET-VALUE", f"VM.f{at}", "xmlrpc", P) for at in range(60))
FAILURES = tuple(
    Judgement("SET-VALUE", f"VM.f{at}", "xmlrpc", F, "", "no change", f"added [red]{at}[/]", (3,)) for at in range(60)
)
OLD = run(*PASSES, Judgement("WHERE", "VM", "xmlrpc", P))
NEW = run(*FAILURES, Judgement("WHERE", "VM", "xmlrpc", F, "", HOSTILE, HOSTILE, (3,)))
EVERYTHING = (
    run(
        *(Judgement("SET-VALUE", f"VM.{name}", "xmlrpc", verdict, HOSTILE * (verdict in {U, W}), "e", "a")
          for name, verdict in (("new", P), ("unwaived", W), ("untested", P), ("lost", P), ("still", F), ("fixed", F),
                                ("waived", P), ("won", U), ("flaky", P))),
        Judgement("WHERE", "VM", "xmlrpc", P),
    ),
    run(
        *(Judgement("SET-VALUE", f"VM.{name}", "xmlrpc", verdict, HOSTILE * (verdict in {U, W}), "e", "a")
          for name, verdict in (("new", F), ("unwaived", F), ("untested", U), ("still", F), ("fixed", P),
                                ("waived", W), ("won", P), ("flaky", P), ("flaky", F))),
        start=replace(START, target=HOSTILE),
        end=RunEnd(100, 99.0),
    ),
)  # fmt: skip
"""Two runs with a change of every kind that there is with one seed."""
REDRAWN = (
    run(Judgement("SET-VALUE", "VM.a", "xmlrpc", P), Judgement("SET-VALUE", "VM.b", "xmlrpc", P)),
    run(Judgement("SET-VALUE", "VM.a", "xmlrpc", P), start=replace(START, seed=8)),
)
CUT = (OLD, replace(NEW, end=None))


def write(folder: Path, run: Run, *, cut: int = 0) -> Path:
    """Write a report folder that holds a log alone, its end cut by some characters."""
    folder.mkdir(parents=True)
    text = "".join(f"{line}\n" for line in run.lines())
    (folder / LOG).write_text(text[: len(text) - cut], "utf-8")
    return folder


def diff(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(xenconform, ["diff", *map(str, arguments)])


def printed(old: Run, new: Run, width: int = 80) -> str:
    out = io.StringIO()
    print_difference(compare(old, new), Console(file=out, width=width, highlight=False))
    return out.getvalue()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Report folders of a run and of one that is worse."""
    return write(tmp_path / "old", OLD), write(tmp_path / "new", NEW)


def test_the_exit_code_tells(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """0 without regressions, 1 with, 3 where either run is not whole; folders and their logs are the same."""
    old, new = folders
    cut = write(tmp_path / "cut", OLD, cut=9)
    stopped = write(tmp_path / "stopped", replace(OLD, end=RunEnd(1, 1.0, interrupted=True)))
    assert diff(old, old).exit_code == 0
    assert diff(new, old).exit_code == 0
    assert (diff(old, new).exit_code, diff(old / LOG, new / LOG).exit_code) == (1, 1)
    assert diff(old, new).output == diff(old / LOG, new).output
    for broken in (cut, stopped):
        assert (diff(old, broken).exit_code, diff(broken, old).exit_code, diff(new, broken).exit_code) == (3, 3, 3)
    assert "NOT COMPARABLE" in diff(old, cut).output
    assert "the new run is not whole: the log breaks off" in " ".join(diff(old, cut).output.replace("│", "").split())


def test_every_cut_of_a_log_is_no_whole_run(tmp_path: Path) -> None:
    """Wherever a log is cut, the comparison is 3, or 2 where not even its start is there; never 0 or 1."""
    whole = write(tmp_path / "whole", run(FAILURES[0]))
    text = (whole / LOG).read_text("utf-8")
    last = text.rindex('{"event":"run_end"')
    start = text.index("\n")
    for at in (*range(0, len(text) - 1, 7), start - 1, start, last, len(text) - 2):
        (tmp_path / "cut.jsonl").write_text(text[:at], "utf-8")
        assert diff(whole, tmp_path / "cut.jsonl").exit_code == (3 if at >= start else 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "No such file or directory"),
        ("", "no log of a run, for it has no start"),
        ("no\nlog\n", "line 1 of the log is no event"),
        ('{\n "verdict": "CONFORMANT"\n}\n', "line 1 of the log is no event"),
        ('{"event":"run_end","calls":1,"seconds":1.0,"interrupted":false,"error":""}', "no log of a run"),
    ],
)
def test_what_is_no_log_is_wrong_usage(folders: tuple[Path, Path], tmp_path: Path, text: str | None, why: str) -> None:
    """A path without a log ends with 2, and the error names the path, what is wrong and the fix."""
    log = tmp_path / "some" / LOG
    log.parent.mkdir()
    if text is not None:
        log.write_text(text, "utf-8")
    for given in ((folders[0], log.parent), (log.parent, folders[0])):
        found = diff(*given)
        assert found.exit_code == 2
        assert str(log) in found.stderr
        assert why in found.stderr
        assert "give a report folder of xenconform certify or fuzz, or its run.jsonl" in found.stderr
        assert found.stdout == ""


def test_other_wrong_usage(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """A folder that is not there, runs of two commands, a factor that slows nothing, a file that cannot be written."""
    old, new = folders
    fuzz = write(tmp_path / "fuzz", replace(OLD, start=replace(START, kind="fuzz")))
    none = tmp_path / "none"
    for arguments, said in (
        ((old, none), str(none)),
        ((old, fuzz), "give two runs of the same command"),
        ((old, new, "--slower", "1"), "--slower"),
        ((old, new, "--markdown", none / "x.md"), str(none / "x.md")),
        ((old, new, "--json", tmp_path), str(tmp_path)),
    ):
        found = diff(*arguments)
        assert (found.exit_code, said in found.stderr) == (2, True), found.stderr


def test_the_options_change_what_counts(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """--strict, --slower with --fail-slower and --quiet do as they say."""
    old, _ = folders
    should = write(tmp_path / "should", run(*PASSES, Judgement("WHERE", "VM", "xmlrpc", F)))
    slow = write(tmp_path / "slow", replace(OLD, end=RunEnd(100, 20.0)))
    assert (diff(old, should).exit_code, diff(old, should, "--strict").exit_code) == (0, 1)
    assert "1 new failure, of SHOULD clauses" in diff(old, should).output
    assert (diff(old, slow).exit_code, diff(old, slow, "--fail-slower").exit_code) == (0, 1)
    assert diff(old, slow, "--fail-slower", "--slower", "2").exit_code == 0
    assert "2.00 times slower" in diff(old, slow).output
    quiet = diff(old, slow, "--fail-slower", "--quiet")
    assert (quiet.exit_code, quiet.output) == (1, "")


def test_the_files_are_repeatable(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """From the same two logs come the same bytes of both files, which stand alone in their folder."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        diff(*folders, "--markdown", tmp_path / name / "x.md", "--json", tmp_path / name / "x.json")
    first, second = ({each.name: each.read_bytes() for each in (tmp_path / name).iterdir()} for name in "ab")
    assert first == second
    assert set(first) == {"x.md", "x.json"}
    assert json.loads(first["x.json"])["exit_code"] == 1


def test_a_long_log_is_read_with_the_cited_exchanges_alone(tmp_path: Path) -> None:
    """Of each log only what the findings cite is held."""
    assert set(read_log(write(tmp_path / "new", NEW)).exchanges) == {3}


@pytest.mark.parametrize("pair", [EVERYTHING, REDRAWN, CUT, (Run(), Run())], ids=["all", "redrawn", "cut", "empty"])
def test_the_json_form_is_valid(pair: tuple[Run, Run]) -> None:
    """Any comparison is as the schema says, and the schema is a schema."""
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(json.loads(json.dumps(to_json(compare(*pair, Asked(slower=2.0))))), schema())


def test_the_json_form_says_everything() -> None:
    """Every kind is counted and each change has its verdicts, its reason, and the evidence of the failure."""
    told: dict[str, Any] = to_json(compare(*EVERYTHING))
    counts = told["counts"]
    assert set(counts) == {str(each) for each in Kind}
    assert counts == {**dict.fromkeys(counts, 1), "new failure": 2, "coverage lost": 2, "drawn otherwise": 0}
    assert (told["outcome"], told["exit_code"], told["regressions"]) == ("REGRESSIONS", 1, 5)
    assert [each["name"] for each in told["weaknesses"]] == ["target"]
    assert [each["measure"] for each in told["slower"]] == ["calls a second", "seconds"]
    assert (told["new"]["target"], told["new"]["seconds"], told["old"]["seed"]) == (HOSTILE, 99.0, 7)
    first = to_json(compare(OLD, NEW))["changes"][0]
    assert first == {
        "kind": "new failure", "regression": True, "clause": "SET-VALUE", "severity": "MUST", "element": "VM.f0",
        "format": "xmlrpc", "was": "PASS", "now": "FAIL", "why": "", "expected": "no change",
        "actual": "added [red]0[/]", "exchange": 3, "case": "",
    }  # fmt: skip


def test_failures_of_one_cause_are_one_paragraph() -> None:
    """Sixty new failures of one cause are told once, with the evidence; a person sees how many there are."""
    for text in (printed(OLD, NEW), render_markdown(compare(OLD, NEW))):
        assert text.count("no change") == 1
        assert "60" in text
        assert "<r/>" in text
        assert "60 new failures" in text
    fixed = groups_of(compare(NEW, OLD), Kind.FIXED)
    assert [(each.clauses, each.required) for each in fixed] == [((("SET-VALUE", 60),), True), ((("WHERE", 1),), False)]
    assert fixed[0].text == "expected no change, got added [red]0[/]"


def test_what_went_as_a_whole_is_one_group() -> None:
    """Lost parts are told by format, by class, all clauses that are gone as one, and the rest clause by clause."""
    clauses = ("WIRE-MAP", "WIRE-SET", "WIRE-BOOL")
    lost = [Judgement(each, "VM.m", "xmlrpc", P) for each in clauses]
    lost += [Judgement("SET-VALUE", f"SR.f{at}", "xmlrpc", P) for at in range(5)]
    lost += [Judgement("SET-VALUE", f"VM.f{at}", "jsonrpc2", P) for at in range(7)]
    groups = groups_of(compare(run(*PASSES, *lost), run(*PASSES[1:])), Kind.LOST)
    assert [(each.text, len(each.changes)) for each in groups] == [
        ("nothing of format jsonrpc2 is judged any more", 7),
        ("nothing of class SR is judged any more", 5),
        ("nothing of these clauses is judged any more", 3),
        ("", 1),
    ]
    assert [name for name, _ in groups[2].clauses] == ["WIRE-BOOL", "WIRE-SET", "WIRE-MAP"]


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize(
    "pair",
    [EVERYTHING, EVERYTHING[::-1], (OLD, NEW), CUT, REDRAWN],
    ids=["all", "all back", "many", "cut", "redrawn"],
)
def test_it_fits_the_terminal(pair: tuple[Run, Run], width: int) -> None:
    """No line is wider than the terminal, no control character gets through, and many failures stay short."""
    text = printed(*pair, width)
    assert max(map(len, text.splitlines())) <= width
    assert all(char.isprintable() or char == "\n" for char in text)
    assert len(text.splitlines()) < 130
    assert f"exit code {compare(*pair).outcome.exit_code}" in text


def test_every_kind_has_a_title() -> None:
    """Each kind that there is a change of stands in both forms, in the order of the rules."""
    for text in (printed(*EVERYTHING), render_markdown(compare(*EVERYTHING))):
        titles = re.findall(rf"^(?:## )?({'|'.join(each.capitalize() for each in Kind)}): \d+ part", text, re.MULTILINE)
        assert titles == [each.capitalize() for each in Kind if each is not Kind.DRAWN]
    assert "Drawn otherwise: 1 part" in printed(*REDRAWN)


def test_the_markdown_is_safe_and_whole() -> None:
    """No markup, fence or cell of a server's making gets in, and every row of a table has its columns."""
    text = render_markdown(compare(*EVERYTHING))
    assert text.startswith("# REGRESSIONS\n\n2 new failures, 1 failure no longer waived, 1 part newly untested, ")
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "<b>" not in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(columns) == 1, table
    many = run(*(Judgement("SET-VALUE", f"VM.f{at}", "xmlrpc", F, "", f"{'x' * at}y", HOSTILE) for at in range(900)))
    assert len(render_markdown(compare(OLD, many))) < 200_000
    fixed = render_markdown(compare(many, OLD))
    assert (fixed.count("| 1 | SET-VALUE |"), "| … | 10 more groups | | |" in fixed) == (50, True)


def certified(folder: Path, *more: str) -> int:
    """Certify the embedded server, a few clauses on one class, into a folder."""
    command = ["certify", "--class", "secret", "--clause", "QUAL-*", "--clause", "SET-VALUE", "--budget", "quick"]
    command += ["--seed", "1", "--workers", "1", "--out", str(folder), "--quiet", *more]
    return subprocess.run([sys.executable, "-m", "xenconform", *command], check=False, timeout=120).returncode


def test_a_fault_of_the_reference_server_is_a_regression(tmp_path: Path) -> None:
    """A server whose uuids can be set is one regression beside the sound one, of the clause that says so."""
    certified(tmp_path / "sound")
    assert certified(tmp_path / "faulty", "--fault", "uuid_can_be_set") == 1
    assert diff(tmp_path / "sound", tmp_path / "sound").exit_code == 0
    found = diff(tmp_path / "sound", tmp_path / "faulty", "--json", tmp_path / "x.json")
    assert found.exit_code == 1
    told = json.loads((tmp_path / "x.json").read_text("utf-8"))
    assert {(each["kind"], each["clause"], each["element"]) for each in told["changes"]} == {
        ("new failure", "QUAL-RO-RUNTIME", "secret.uuid")
    }
    assert re.search(r"^QUAL-RO-RUNTIME  MUST", found.output, re.MULTILINE)
    back = diff(tmp_path / "faulty", tmp_path / "sound")
    assert (back.exit_code, "1 part fixed" in back.output) == (0, True)


def scripts(name: str) -> list[str]:
    """The shell scripts of an example's job, in their order."""
    job = yaml.safe_load((EXAMPLES / name).read_text("utf-8"))
    steps: Iterable[Any] = (
        [each.get("run", "") for each in job["jobs"]["certify"]["steps"]]
        if "jobs" in job
        else job["nightly-certification"]["script"]
    )
    return [each for each in steps if "xenconform " in each and "pip install" not in each]


STAND_IN = """#!/bin/sh
echo "$@" >>calls
case $1 in
  certify) mkdir -p report; echo tonight >report/run.jsonl; echo '# s' >report/summary.md; exit $CERTIFIED ;;
  diff) [ "$(cat $2/run.jsonl $3/run.jsonl | tr '\\n' ' ')" = "before tonight " ] || exit 99
        [ $4 = --markdown ] && echo '# d' >$5; exit $DIFFERS ;;
esac
"""


@pytest.mark.parametrize("name", ["nightly-github.yml", "nightly-gitlab.yml"])
@pytest.mark.parametrize(
    ("codes", "before", "ends", "kept"),
    [
        ((0, 0), True, 0, "tonight"),
        ((1, 0), True, 0, "tonight"),
        ((4, 1), True, 1, "tonight"),
        ((3, 0), True, 3, "before"),
        ((2, 0), True, 2, "before"),
        ((0, 3), True, 3, "tonight"),
        ((1, 1), False, 0, "tonight"),
    ],
)
def test_the_example_jobs_do_as_they_say(
    tmp_path: Path, name: str, *, codes: tuple[int, int], before: bool, ends: int, kept: str
) -> None:
    """A job fails where diff does or certify could not finish, and keeps the log of the last whole run."""
    stand_in = tmp_path / "bin" / "xenconform"
    stand_in.parent.mkdir()
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    if before:
        (tmp_path / "last").mkdir()
        (tmp_path / "last" / LOG).write_text("before\n")
    environment = {
        **os.environ,
        "PATH": f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "CERTIFIED": str(codes[0]),
        "DIFFERS": str(codes[1]),
    }
    ended = None
    for script in scripts(name):
        ended = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=environment, check=False, timeout=30)
        if ended.returncode:
            break
    assert ended is not None
    assert ended.returncode == ends
    assert (tmp_path / "last" / LOG).read_text() == f"{kept}\n"
    calls = [line.split()[0] for line in (tmp_path / "calls").read_text().splitlines()]
    assert calls == (["certify", "diff"] if before and codes[0] in {0, 1, 4} else ["certify"])
    if name.endswith("github.yml"):
        summary = (tmp_path / "summary").read_text()
        assert ("# d" in summary) is ("diff" in calls)


@pytest.mark.parametrize("name", ["nightly-github.yml", "nightly-gitlab.yml"])
def test_the_options_of_the_example_jobs_exist(name: str) -> None:
    """Each option that an example gives to a command is one of that command."""
    lines = re.findall(r"xenconform (\w+) (.*?)(?: \|\| .*)?$", "\n".join(scripts(name)), re.MULTILINE)
    assert [command for command, _ in lines] == ["certify", "diff"]
    for command, rest in lines:
        known = CliRunner().invoke(xenconform, [command, "--help"]).output
        assert [each for each in re.findall(r"--[a-z-]+", rest) if each not in known] == []
