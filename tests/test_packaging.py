"""What is built: the wheel from the tree, the sdist, and the wheel from the sdist."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("models", "strategies", "reports", "conformance")
LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "*.egg-info", ".git", ".tox", ".venv", "build", "_build", "dist", ".*_cache", "node_modules"
)
MADE = ("docs/_build/html/index.html", "docs/reference/clauses/SET-VALUE.md")
"""What is made of the tree and belongs in no distribution."""


def _build(source: Path, out: Path, *what: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "build", *what, "--outdir", str(out), str(source)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the work tree, so that nothing is built inside it."""
    copy = tmp_path_factory.mktemp("tree") / "xenconform"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=LEFT_OUT)
    for made in MADE:
        (copy / made).parent.mkdir(parents=True, exist_ok=True)
        (copy / made).write_text("made when the documentation is built")
    return copy


@pytest.fixture(scope="module")
def sdist(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""
    out = tmp_path_factory.mktemp("sdist")
    _build(tree, out, "--sdist")
    (found,) = out.iterdir()
    return found


@pytest.fixture(scope="module", params=["from the tree", "from the sdist"])
def wheel(request: pytest.FixtureRequest, tree: Path, sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built both ways."""
    out = tmp_path_factory.mktemp("wheel")
    source = tree
    if request.param == "from the sdist":
        with tarfile.open(sdist) as archive:
            archive.extractall(out / "unpacked", filter="data")
        (source,) = (out / "unpacked").iterdir()
    _build(source, out / "built", "--wheel")
    (found,) = (out / "built").iterdir()
    return found


def _expected(tree: Path) -> set[str]:
    """Every file of the rooms and of the package itself, as it is to be named inside the wheel."""
    rooms = {f"xenconform/{path.relative_to(tree).as_posix()}" for room in ROOMS for path in _files(tree / room)}
    return rooms | {f"xenconform/{name}" for name in ("__init__.py", "__main__.py", "py.typed")}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_wheel_holds_every_file_once(wheel: Path, tree: Path) -> None:
    """The wheel holds each module and each data file of the rooms, once, and nothing else of ours."""
    names = [name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("xenconform/")]
    assert {name: count for name, count in Counter(names).items() if count > 1} == {}
    assert set(names) == _expected(tree)


def test_wheel_puts_one_name_into_site_packages(wheel: Path) -> None:
    """Beside its metadata the wheel installs `xenconform` and nothing else: no `models`, no `tests`."""
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"xenconform"}


def test_wheel_declares_what_it_offers(wheel: Path) -> None:
    """The wheel declares the command `xenconform` and the plugin for pytest, and carries the licence."""
    archive = zipfile.ZipFile(wheel)
    by_tail = {name.partition(".dist-info/")[2]: name for name in archive.namelist() if ".dist-info/" in name}
    offers = ConfigParser()
    offers.read_string(archive.read(by_tail["entry_points.txt"]).decode())
    assert dict(offers["console_scripts"]) == {"xenconform": "xenconform.conformance.cli:main"}
    assert dict(offers["pytest11"]) == {"xenconform": "xenconform.conformance.plugin"}
    assert "Apache License" in archive.read(by_tail["licenses/LICENSE"]).decode()


def test_sdist_holds_what_a_packager_needs(sdist: Path, tree: Path) -> None:
    """The source distribution has the rooms, the tests and the project's papers, once; no links, nothing made."""
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    names = [member.name.partition("/")[2] for member in members if member.isfile()]
    assert {name for name, count in Counter(names).items() if count > 1} == set()
    assert [member.name for member in members if member.issym() or member.islnk()] == []
    papers = {"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "pyproject.toml", "setup.py", "tox.ini"}
    ours = {path.relative_to(tree).as_posix() for folder in (*ROOMS, "tests") for path in _files(tree / folder)}
    assert (papers | ours | {"docs/conf.py", "docs/reference/results.md"}) - set(names) == set()
    assert set(MADE) & set(names) == set()
