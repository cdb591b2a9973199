"""What the repository promises of itself: its commands are the ones it tells, its files are as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BEGIN = "python3 -m venv .venv && .venv/bin/pip install "
NOT_OURS = re.compile(
    r"/(\.git|\.tox|\.venv|build|_build|dist|node_modules|__pycache__|\.\w+_cache|\.hypothesis|\w+\.egg-info)/"
)
LINES, LINES_OF_TESTS = 300, 500


def _tracked() -> list[Path]:
    """The files of the repository; in an unpacked source distribution, every file but caches."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        names = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        names = [path for path in ROOT.rglob("*") if not NOT_OURS.search(f"/{path.relative_to(ROOT).as_posix()}")]
    return [path for path in names if path.is_file() and not path.is_symlink()]


def _texts() -> Iterator[tuple[str, str]]:
    for path in _tracked():
        if path != Path(__file__):
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8", errors="replace")


def _marked(name: str) -> str:
    """The one command of the README's code block that follows the mark `name`."""
    found = re.search(rf"<!-- {name} -->\n```sh\n(.+)\n```\n", README)
    assert found, f"README.md has no one-line command marked {name!r}"
    return found[1]


def test_two_commands_do_everything() -> None:
    """The README has one command that installs and certifies, one that installs and tests; each is one line."""
    assert _marked("certify") == BEGIN + ". && .venv/bin/xenconform certify"
    assert _marked("tests") == BEGIN + "tox && .venv/bin/tox"
    assert README.index("<!-- tests -->") < README.index("\n## "), "both stand on the first screen"


def test_ci_runs_the_command_of_the_readme(tmp_path: Path) -> None:
    """`.ci/run` runs the README's test command, with only the virtual environment's place put outside the tree."""
    said = tmp_path / "said"
    stand_in = tmp_path / "python3"
    stand_in.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >{said}\nexit 7\n')
    stand_in.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        [ROOT / ".ci" / "run"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": path, "TMPDIR": str(tmp_path)},
        timeout=30,
    )
    assert ended.returncode == 7, "a step that fails ends it with that step's code"
    shown = ended.stdout.splitlines()[0].removeprefix("+ ")
    assert re.sub(r"/\S+?/venv", ".venv", shown) == _marked("tests")
    venv = Path(said.read_text().split()[-1])
    assert venv.name == "venv"
    assert not venv.is_relative_to(ROOT)
    assert not venv.parent.exists(), "it leaves nothing behind"


def test_plain_tox_runs_all_there_is() -> None:
    """Plain `tox` has linter, types, layers, documentation, npm client, browser and tests, each an environment here."""
    tox = ConfigParser()
    tox.read(ROOT / "tox.ini", "utf-8")
    named = re.split(r",\s*", tox["tox"]["env_list"])
    assert named == ["lint", "types", "layers", "docs", "npm", "browser", "tests"]
    assert [name for name in named if f"testenv:{name}" not in tox] == []


def test_options_of_the_readme_exist() -> None:
    """Each option in the README's table is one of `xenconform certify`, and the other way round."""
    helped = subprocess.run(
        [sys.executable, "-m", "xenconform", "certify", "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    table = README[README.index("| option |") : README.index("| exit code |")]
    shown = set(re.findall(r"`(--[a-z][a-z-]+)", table))
    assert shown == set(re.findall(r"^\s+(?:-\w, )?(--[a-z-]+)", helped, re.MULTILINE)) - {"--help"}


def test_no_place_of_one_machine() -> None:
    """No file names a folder that only one machine has."""
    places = re.compile(r"(?<![\w.-])/(work|root|opt/xc|home/\w+)/|\.\./shared\b")
    assert [(name, found[0]) for name, text in _texts() if (found := places.search(text))] == []


def test_no_notes_to_self() -> None:
    """No file holds a note of what is still to be done."""
    notes = re.compile(r"\b(TODO|FIXME|XXX)\b")
    assert [name for name, text in _texts() if notes.search(text) and not name.endswith((".json", ".jsonl"))] == []


def test_files_are_short() -> None:
    """A Python file has 300 lines at most, one of the tests 500."""
    lengths = {name: len(text.splitlines()) for name, text in _texts() if name.endswith(".py")}
    limits = {name: LINES_OF_TESTS if name.startswith("tests/") else LINES for name in lengths}
    assert {name: lines for name, lines in lengths.items() if lines > limits[name]} == {}


def test_links_between_pages_lead_somewhere() -> None:
    """Each relative link of a Markdown page leads to a file that is there."""
    broken = [
        (name, target)
        for name, text in _texts()
        if name.endswith(".md")
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
        if not (ROOT / name).parent.joinpath(target).exists()
    ]
    assert broken == []


def test_every_exception_to_a_rule_has_a_reason() -> None:
    """Each `noqa` and each ignored type error names its rule, and a `noqa` says why."""
    bare = re.compile(r"#\s*noqa(?!: [A-Z]+\d+(, ?[A-Z]+\d+)* - \w)|#\s*type:\s*ignore(?!\[)")
    found = [
        f"{name}:{number}"
        for name, text in _texts()
        if name.endswith(".py")
        for number, line in enumerate(text.splitlines(), 1)
        if bare.search(line)
    ]
    assert found == []
