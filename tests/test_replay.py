"""`xenconform replay`: a case again on a server, and whether it still fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from case_samples import NETWORK, NUMBERS, SAMPLES, XML, hostile, make
from click.testing import CliRunner, Result
from strangers.base import around
from strangers.defects import DEFECTS
from strangers.plain_server import Plain
from strangers.values import PASSWORD

from xenconform.conformance.cli import xenconform
from xenconform.conformance.reference import embedded
from xenconform.models.calls import Call, Format, Success
from xenconform.models.cases import Case, Step, to_json

BY_NAME = {each.defect: each for each in SAMPLES}


@pytest.fixture(scope="module")
def reference() -> Iterator[str]:
    """The URL of a reference server."""
    with embedded.start() as server:
        yield server.url


def replay(folder: Path, of: Case, *options: str, password: str | None = PASSWORD, width: int = 80) -> Result:
    """Run the command on a case."""
    file = folder / "case.json"
    file.write_text(to_json(of), "utf-8")
    environment: dict[str, str | None] = {name: None for name in os.environ if name.startswith("XENCONFORM_")}
    environment |= {"XENCONFORM_PASSWORD": password, "COLUMNS": str(width)}
    return CliRunner().invoke(xenconform, ["replay", str(file), *options], env=environment)


def objects(server: Plain) -> dict[str, list[str]]:
    return {cls: list(rows) for cls, rows in server.objects.items()}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_case_still_fails_or_does_not(name: str, tmp_path: Path, reference: str) -> None:
    """Replay ends with 1 where the defect is, with 0 on sound servers, and leaves nothing behind."""
    of = BY_NAME[name].case
    server = Plain()
    DEFECTS[name].install(server)
    with server:
        before = objects(server)
        ended = replay(tmp_path, of, server.url)
        assert ended.exit_code == 1, ended.output
        assert f"STILL FAILS: step {of.calls}, {of.steps[-1].call.message}\n  expected: " in ended.output
        assert objects(server) == before
    with Plain() as sound:
        before = objects(sound)
        ended = replay(tmp_path, of, sound.url)
        assert ended.exit_code == 0, ended.output
        assert "does not fail any more" in ended.output
        assert objects(sound) == before
    assert replay(tmp_path, of, reference, password="password").exit_code == 0


@pytest.mark.parametrize("fmt", Format)
def test_hostile_values_pass(fmt: Format, tmp_path: Path, reference: str) -> None:
    """Values that try to get out of what holds them are played as they are."""
    for of in (hostile(fmt, last="tags"), *NUMBERS):
        ended = replay(tmp_path, of, reference, password="password")
        assert ended.exit_code == 0, ended.output


def test_without_a_url_the_embedded_server_is_asked(tmp_path: Path) -> None:
    """With no URL a server of our own is started for the case, and no password is needed."""
    ended = replay(tmp_path, SAMPLES[0].case, password=None)
    assert ended.exit_code == 0, ended.output
    assert "on the embedded reference server" in ended.output


def test_each_step_is_shown_with_what_came_back(tmp_path: Path) -> None:
    """The table has a row a step: number, call, format and reply, objects by their names."""
    with Plain() as server:
        ended = replay(tmp_path, SAMPLES[0].case, server.url)
    rows = [line.split() for line in ended.output.splitlines() if line[:1].isdigit()]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert rows[0][-2:] == ["xmlrpc", "network#1"]
    assert rows[1] == ["2", "network.set_name_label(network#1,", "'b')", "jsonrpc1", "success"]
    assert rows[2] == ["3", "network.get_by_name_label('b')", "jsonrpc2", "[network#1]"]
    assert "OpaqueRef" not in ended.output


def test_a_case_that_cannot_be_run_says_so(tmp_path: Path, reference: str) -> None:
    """A server that is not there, a password that is wrong, or a step that is refused: exit code 3 and the reason."""
    of = SAMPLES[0].case
    ended = replay(tmp_path, of, "http://127.0.0.1:9")
    assert ended.exit_code == 3
    assert "could not be run: cannot log in at http://127.0.0.1:9" in ended.output
    ended = replay(tmp_path, of, reference, password="far from it")
    assert ended.exit_code == 3
    assert "far from it" not in ended.output
    with Plain({"no_hardware"}) as server:
        ended = replay(tmp_path, BY_NAME["far_end_keeps_the_destroyed"].case, server.url)
    assert ended.exit_code == 3, ended.output
    assert "could not be run: step 3, VIF.create, was refused here: OPERATION_NOT_ALLOWED" in ended.output


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"form": 1}', '{"form": 2}', "\x00", '{"form": 1, "steps": [{}]}'])
def test_a_file_that_is_no_case_is_refused(text: str, tmp_path: Path) -> None:
    """Anything but a case is told with the file's name and what to give, and ends with 2."""
    file = tmp_path / "no.json"
    file.write_text(text)
    ended = CliRunner().invoke(xenconform, ["replay", str(file)])
    assert ended.exit_code == 2
    assert ended.output.startswith(f"xenconform: {file}: no case")
    assert "give a .json file of a report's folder cases" in ended.output
    missing = CliRunner().invoke(xenconform, ["replay", str(tmp_path / "none.json")])
    assert missing.exit_code == 2


def test_a_race_is_played_again(tmp_path: Path) -> None:
    """Concurrent steps are made at the same time, as often as the case says."""
    writes = [Step(Call("network.set_name_label", (NETWORK, text)), XML, thread=at) for at, text in enumerate("ab", 1)]
    read = Step(Call("network.get_name_label", (NETWORK,)), Format.JSONRPC2, together=True)
    joint = tuple((Success(None), Success(None), Success(last)) for last in "ab")
    of = Case("CONC-LINEARIZABLE", "network", (make(NETWORK), *writes, read), joint=joint, repeats=3)
    with Plain() as sound:
        before = objects(sound)
        ended = replay(tmp_path, of, sound.url)
        assert ended.exit_code == 0, ended.output
        assert "does not fail any more: 3 tries" in ended.output
        assert objects(sound) == before
    server = Plain()
    around(server, "get", lambda old, *args: "neither" if args[-1].name == "name_label" else old(*args))
    with server:
        ended = replay(tmp_path, of, server.url)
    assert ended.exit_code == 1, ended.output
    assert "no order of the calls gives these replies" in ended.output
