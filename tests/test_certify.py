"""`xenconform certify` as a user runs it: exit codes, files, what it says, and what it leaves of secrets."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from turncoat import PASSWORD, Turncoat, turncoat

from xenconform.conformance.cli.watch import told_left
from xenconform.models.api import Api
from xenconform.models.clauses import catalogue
from xenconform.models.results import summarise
from xenconform.models.run import Run
from xenconform.reports.machine import schema
from xenconform.reports.write import RENDERERS

FILES = {"run.jsonl", *RENDERERS}
COMMAND = [sys.executable, "-m", "xenconform", "certify"]


def run(
    *options: str,
    password: str | None = PASSWORD,
    seconds: float = 120,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *options],
        env=_environment(password) | (environment or {}),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def _environment(password: str | None) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("XENCONFORM_")}
    return plain | ({"XENCONFORM_PASSWORD": password} if password is not None else {})


def results(out: Path) -> dict[str, Any]:
    """What results.json holds; it is valid."""
    found: dict[str, Any] = json.loads((out / "results.json").read_text())
    Draft202012Validator(schema()).validate(found)
    return found


def judgements(out: Path) -> list[tuple[str, ...]]:
    """Every part that a run's log comes to, whichever worker judged it, sorted."""
    with (out / "run.jsonl").open() as lines:
        found = summarise(Run.from_lines(lines))
    parts = [part for clause in found.clauses for part in clause.parts]
    return sorted((part.clause.id, part.element, part.format, part.verdict.name) for part in parts)


def test_the_embedded_server_is_certified_with_every_field_of_the_chosen_classes(tmp_path: Path) -> None:
    """Without a URL the embedded server passes, and the counts are those that the model gives, over three formats."""
    done = run("--class", "network", "--class", "VM", "--clause", "GET-*", "--budget", "quick", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in tmp_path.iterdir()} == FILES
    told = results(tmp_path)
    api = Api.load()
    fields = sum(
        f"get_{name}" in api.classes[cls].messages for cls in ("network", "VM") for name in api.classes[cls].fields
    )
    counts = {each["id"]: each["counts"] for each in told["clauses"]}
    assert counts["GET-EVERY-FIELD"]["PASS"] == fields * 3
    assert all(not count["FAIL"] and not count["UNTESTED"] and not count["ERROR"] for count in counts.values())
    assert set(counts) == {name for name in catalogue() if name.startswith("GET-")}
    assert (told["verdict"], told["exit_code"]) == ("CONFORMANT", 0)


def test_results_for_allure_are_written_where_it_is_asked_for_and_again_of_the_log(tmp_path: Path) -> None:
    """--allure writes a folder, with the job that ran the suite, and `report` makes the same bytes of the log."""
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "old-result.json").write_text("{}")
    options = ("--class", "network", "--clause", "SET-ADD", "--budget", "quick", "--out", str(tmp_path / "out"))
    ours = {"GITLAB_CI": "true", "CI_JOB_NAME": "nightly", "CI_JOB_ID": "7", "CI_JOB_URL": "https://u:p@ci.example/7"}
    done = run(*options, "--allure", str(tmp_path / "first"), environment=ours)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Results for Allure are in" in done.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    again = [sys.executable, "-m", "xenconform", "report", str(tmp_path / "out"), "--allure", str(tmp_path / "second")]
    subprocess.run([*again, "--out", str(tmp_path / "reports")], check=True, timeout=60)
    for one, two in (("first", "second"), ("out", "reports")):
        made = {path.name: path.read_bytes() for path in (tmp_path / one).iterdir() if path.name != "run.jsonl"}
        assert made == {path.name: path.read_bytes() for path in (tmp_path / two).iterdir()}
    (test,) = (json.loads(path.read_text()) for path in (tmp_path / "first").glob("*-result.json"))
    assert (test["fullName"], test["status"]) == ("SET-ADD network.tags", "passed")
    lines = [json.loads(line) for line in (tmp_path / "out" / "run.jsonl").read_text().splitlines()]
    times = [each["seconds"] for each in lines if each["event"] == "judgement"]
    assert 0 < min(times) < max(times) <= lines[-1]["seconds"]
    assert test["start"] <= test["stop"] <= time.time() * 1000
    assert json.loads((tmp_path / "first" / "executor.json").read_text()) == {
        "name": "GitLab CI",
        "type": "gitlab",
        "buildName": "nightly #7",
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--clause-url", "https://e/{clause}"), "give --allure DIR too"),
        (("--allure", "a", "--clause-url", "https://e/"), "no address with {clause} in it"),
        (("--allure", "a", "--clause-url", "javascript:{clause}"), "no address with {clause} in it"),
        (("--allure", "{out}/run.jsonl/a"), "give a folder that can be written"),
    ],
)
def test_allure_options_that_cannot_be_used_are_told(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """A wrong address of clauses and a folder that cannot be are usage errors, before anything is sent."""
    (tmp_path / "run.jsonl").write_text("")
    options = tuple(option.replace("{out}", str(tmp_path)) for option in options)
    done = run(*options, "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert said in done.stderr


def test_a_run_of_one_format_and_an_older_release_speaks_of_these_alone(tmp_path: Path) -> None:
    """--format and --release narrow what is judged, and the results say so."""
    options = ("--class", "VM", "--clause", "GET-EVERY-FIELD", "--format", "jsonrpc1", "--release", "8.2")
    done = run(*options, "--budget", "quick", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    told = results(tmp_path)
    old = Api.load().at("8.2")
    assert told["formats"] == ["jsonrpc1"]
    assert told["release"] == old.release
    assert len(judgements(tmp_path)) == sum(
        f"get_{name}" in old.classes["VM"].messages for name in old.classes["VM"].fields
    )


def test_a_seed_repeats_a_run(tmp_path: Path) -> None:
    """Two runs with one seed give the same judgements."""
    options = ("--class", "network", "--seed", "5", "--clause", "SET-*", "--clause", "MAP-*", "--clause", "CREATE-*")
    for name in ("a", "b"):
        assert run(*options, "--out", str(tmp_path / name)).returncode == 0
    assert judgements(tmp_path / "a") == judgements(tmp_path / "b")
    assert results(tmp_path / "a")["seed"] == 5


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "clause": (("--clause", "GET-NOTHING"), "GET-NOTHING"),
    "class": (("--class", "nonsense"), "nonsense"),
    "format": (("--format", "soap"), "soap"),
    "release": (("--release", "99.9"), "99.9"),
    "scope": (("--scope", "mine"), "mine"),
    "budget": (("--budget", "huge"), "huge"),
    "profile": (("--profile", "nowhere.toml"), "nowhere.toml"),
    "credentials in the URL": (("http://root:secretword@127.0.0.1:9",), "credentials"),
    "scheme": (("ftp://127.0.0.1",), "ftp"),
    "password file": (("http://127.0.0.1:9", "--password-file", "nowhere.txt"), "nowhere.txt"),
    "CA file": (("https://127.0.0.1:9", "--ca-file", "nowhere.pem"), "nowhere.pem"),
    "deadline of nothing": (("--deadline", "0"), "deadline"),
    "deadline that is none": (("--deadline", "nan"), "deadline"),
    "seed": (("--seed", "x"), "x"),
    "proxy": (("http://127.0.0.1:9", "--proxy", "ftp://nonsense"), "ftp://nonsense"),
}


@pytest.mark.parametrize("content", [b"\0word", b"\xff\xfe"], ids=["NUL", "not UTF-8"])
def test_a_password_that_cannot_be_sent_is_wrong_usage(content: bytes, tmp_path: Path) -> None:
    """A password file that holds no text that a call could carry is told before anything is sent."""
    (tmp_path / "password").write_bytes(content)
    done = run("http://127.0.0.1:9", "--password-file", str(tmp_path / "password"), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "password" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_ca_file_that_holds_no_certificate_is_wrong_usage(tmp_path: Path) -> None:
    """A CA file of another content is told with its name."""
    (tmp_path / "ca.pem").write_text("no certificate")
    done = run("https://127.0.0.1:9", "--ca-file", str(tmp_path / "ca.pem"), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "ca.pem" in done.stderr


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_is_told_in_a_line_that_names_it(name: str, tmp_path: Path) -> None:
    """What cannot be used is exit code 2, said on the error stream with the value, before anything is written."""
    options, named = WRONG[name]
    done = run(*options, "--out", str(tmp_path / "out"))
    assert done.returncode == 2, done.stdout + done.stderr
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert "secretword" not in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


def test_a_url_without_a_password_is_wrong_usage(tmp_path: Path) -> None:
    """A server by URL needs a password that was given; the default of the embedded server is never tried."""
    done = run("http://127.0.0.1:9", "--out", str(tmp_path / "out"), password=None)
    assert done.returncode == 2
    assert "--password-file" in done.stderr
    assert "XENCONFORM_PASSWORD" in done.stderr


def test_a_broken_profile_is_told_with_its_line(tmp_path: Path) -> None:
    """A profile that is no TOML names file and line."""
    broken = tmp_path / "mine.toml"
    broken.write_text('name = "mine"\nscope = \n')
    done = run("--profile", str(broken), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "mine.toml" in done.stderr
    assert re.search(r"\b(line )?2\b", done.stderr)


def test_a_folder_that_cannot_be_made_is_wrong_usage(tmp_path: Path) -> None:
    """--out below a file names the path."""
    (tmp_path / "file").write_text("")
    done = run("--class", "secret", "--out", str(tmp_path / "file" / "out"))
    assert done.returncode == 2
    assert str(tmp_path / "file" / "out") in done.stderr


def test_a_server_that_is_not_there_ends_the_run_soon(tmp_path: Path) -> None:
    """Nobody at the address: exit code 3 with the reason, within a few seconds."""
    began = time.monotonic()
    done = run("http://127.0.0.1:1", "--out", str(tmp_path))
    assert done.returncode == 3
    assert "refused" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 10


def test_secrets_are_in_no_file_and_no_word(tmp_path: Path) -> None:
    """Neither a password nor a session's ref is told or stored, whether the run passes or cannot log in."""
    with turncoat() as server:
        options = ("--class", "secret", "--budget", "quick")
        good = run(server.url, *options, "--clause", "SESSION-*", "--clause", "GET-*", "--out", str(tmp_path / "good"))
        bad = run(server.url, *options, "--out", str(tmp_path / "bad"), password="wrong-Geheimnis-7")
        seen = [answer.body.decode() for name, _, answer in server.calls if name == "session.login_with_password"]
    assert good.returncode in {0, 4}, good.stdout + good.stderr
    assert bad.returncode == 3
    assert "cannot log in" in bad.stderr
    refs = {ref for body in seen for ref in re.findall(r"OpaqueRef:[0-9a-f-]{36}", body)}
    assert refs
    told = [done.stdout + done.stderr for done in (good, bad)]
    told += [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    for text in told:
        assert "wrong-Geheimnis-7" not in text
        assert not [ref for ref in refs if ref in text]
    assert f"<string>{PASSWORD}</string>" not in "".join(told)
    assert server.service.state.sessions is not None


def snapshot(server: Turncoat) -> dict[str, Any]:
    """Every object of a server, by class and uuid; tasks and sessions come and go."""
    world = server.service.state.world
    return {
        str(handle): dict(world.record(handle) or {})
        for cls in world.api.classes
        if cls not in {"session", "task", "message"}
        for handle in world.handles(cls)
    }


RW_ONLY = ("--class", "network", "--class", "VIF", "--class", "SM", "--class", "VMSS", "--budget", "quick")


@pytest.mark.parametrize("scope", ["own", "restore", "all"])
def test_nothing_is_left_and_nothing_changed(scope: str, tmp_path: Path) -> None:
    """After a run, in every scope, the server has the objects that it had, each as it was."""
    with turncoat() as server:
        before = snapshot(server)
        done = run(server.url, "--scope", scope, *RW_ONLY, "--out", str(tmp_path))
        after = snapshot(server)
        sessions = len(server.service.state.world.handles("session"))
    assert done.returncode in {0, 4}, done.stdout + done.stderr
    assert set(after) == set(before)
    assert {name: after[name] for name in after if after[name] != before[name]} == {}
    assert "not removed" not in done.stdout
    assert sessions <= 1


def test_a_few_of_what_is_left_are_told() -> None:
    """The verdict stays in sight above them."""
    assert told_left(["made by this run: VM x"]) == ["Made by this run: VM x"]
    assert told_left([f"vm {number}" for number in range(7)])[3:] == [
        "Vm 3",
        "Vm 4",
        "So were 2 more, which the report names",
    ]


_REF = re.compile(r"OpaqueRef:[0-9a-f-]{36}")
_REFUSED = re.compile(rb'ErrorDescription|"error": ?[\[{]')
_MAKES = re.compile(r"Async\.|\w+\.(create|introduce|clone|copy|snapshot)|task\.get_(result|record)")
_DEVICES = {"VM.get_VIFs", "VM.get_VBDs", "VBD.get_VDI"}
_WRITES = re.compile(r"\w+\.(set_|add_|remove_|destroy|forget)")


def test_scope_own_writes_to_its_own_objects_alone(tmp_path: Path) -> None:
    """Against a server that it did not start, every write of a run names an object that the run made."""
    with turncoat() as server:
        done = run(server.url, *RW_ONLY, "--out", str(tmp_path))
        calls = list(server.calls)
    assert done.returncode in {0, 4}, done.stdout + done.stderr
    made: set[str] = set()
    written = 0
    for message, body, answer in calls:
        refs = _REF.findall(body.decode(errors="replace"))
        refused = answer.status != 200 or _REFUSED.search(answer.body) is not None
        # A copy of a VM brings devices with it.
        if _MAKES.match(message) or (message in _DEVICES and refs[1] in made):
            made |= set(_REF.findall(answer.body.decode()))
        elif _WRITES.match(message) and len(refs) > 1 and not refused:
            written += 1
            assert refs[1] in made, f"{message}: {body.decode()[:400]}"
    assert written > 20


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_and_a_cancelled_job_remove_what_was_made(tmp_path: Path, number: signal.Signals, workers: str) -> None:
    """A run that is stopped removes its objects, logs out, says so and is no certificate."""
    with turncoat() as server:
        before = snapshot(server)
        command = [
            *COMMAND,
            server.url,
            "--scope",
            "all",
            "--out",
            str(tmp_path),
            "--clause",
            "CREATE-*",
            "--clause",
            "SET-*",
            "--clause",
            "MAP-*",
            "--clause",
            "GET-*",
            "--workers",
            workers,
        ]
        going = subprocess.Popen(
            command, env=_environment(PASSWORD), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        until = time.monotonic() + 60
        made = False
        while not made and time.monotonic() < until and going.poll() is None:
            time.sleep(0.01)
            made = len(server.asked) > 400 and set(snapshot(server)) != set(before)
        assert made, "nothing was made yet"
        going.send_signal(number)
        said, _ = going.communicate(timeout=60)
        after = snapshot(server)
    assert set(after) == set(before), said
    assert going.returncode == 3, said
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert results(tmp_path)["problem"] == "the run was interrupted"
