"""The documentation: its examples run, its commands and links exist, and its reference speaks of all there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from contextlib import ExitStack
from pathlib import Path

import click
import pytest
from conftest import serving
from doc_blocks import Block, blocks, commands, missing, parse

from sitemaking import seen
from sitemaking.drawing import lines_of, svg
from sitemaking.markdown import text
from sitemaking.wholeness import problems
from sitemaking.writing import write
from xenconform.conformance.reference.faults import load as load_faults
from xenconform.models.api import Api
from xenconform.models.clauses import catalogue

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
RUN = [DOCS / "tutorial.md", *sorted((DOCS / "guides").glob("*.md"))]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")),
    *(DOCS / "reference").glob("*.md"),
    *(DOCS / "explanation").glob("*.md"),
    *RUN,
]
PLACEHOLDERS = re.compile(r"https://my-server\.example(?=\s)|http://127\.0\.0\.1:8080(?=\s)")
ELIDED = re.compile(r"""(?<=[='"])\.\.\.""")
"""How a page writes a secret of the reader's."""
BLOCK_SECONDS = 300.0

NARROW = f"""#!{sys.executable}
import os, sys
words = sys.argv[1:]
if words[:1] == ["certify"] and "--fault" not in words:
    words += ["--budget", "quick"]
    words += [] if "--class" in words else ["--class", "network"]
    words += [] if "--clause" in words else ["--clause", "SET-*"]
os.execv(sys.executable, [sys.executable, "-m", "xenconform", *words])
"""
"""The command `xenconform`, except that a run with no fault is a quick one of one class and few clauses."""


def _id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


class Reader:
    """Somebody who follows a page: all its blocks in one folder, one after the other, in one environment."""

    def __init__(self, folder: Path, url: str, stack: ExitStack) -> None:
        """Begin in an empty folder; `url` is the server that the page calls https://my-server.example."""
        tools = folder / "bin"
        tools.mkdir()
        (tools / "xenconform").write_text(NARROW)
        (tools / "xenconform").chmod(0o755)
        self.folder, self.url, self.stack = folder, url, stack
        self.printed = ""
        self.exported: list[str] = []
        path = f"{tools}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "XENCONFORM_PASSWORD": "password", "COLUMNS": "120"}

    def follow(self, block: Block) -> str:
        """Do what a block says, and return what was wrong with it; nothing where all came as it is told."""
        if block.kind == "text":
            gone = missing(block.text, self.printed) if block.mark == "shows" else []
            return f"not printed: {gone}; printed was:\n{self.printed}" if gone else ""
        if block.mark.startswith("not run"):
            return ""
        if block.mark == "serves":
            words = next(commands(block.text))
            at = words.index("--port")
            self.url = self.stack.enter_context(serving(*words[1:at], *words[at + 2 :]))
            return ""
        shell = ELIDED.sub("password", PLACEHOLDERS.sub(self.url, block.text))
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join([*self.exported, shell])],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=BLOCK_SECONDS,
        )
        self.exported += [line for line in shell.splitlines() if line.startswith("export ")]
        self.printed = ended.stdout
        wrong = ended.returncode not in block.codes
        return f"ended with {ended.returncode}, and {block.codes} is told; it printed:\n{self.printed}" if wrong else ""


@pytest.mark.parametrize("page", RUN, ids=_id)
def test_whoever_follows_a_page_sees_what_it_tells(page: Path, tmp_path: Path, served_url: str) -> None:
    """Each shell block of the tutorial and the guides runs and ends as told, and prints what is quoted below it."""
    with ExitStack() as stack:
        reader = Reader(tmp_path, served_url, stack)
        for block in blocks(page):
            wrong = reader.follow(block)
            assert not wrong, f"{_id(page)}:{block.line}: {wrong}\n{block.text}"


@pytest.mark.parametrize("page", sorted(PAGES), ids=_id)
def test_every_command_of_a_page_exists(page: Path) -> None:
    """Each call of `xenconform` in a shell block, run or not, has commands, options and values that there are."""
    wrong = []
    for block in blocks(page):
        for words in commands(block.text) if block.kind == "sh" else ():
            try:
                parse(words)
            except click.UsageError as why:
                wrong.append(f"{_id(page)}:{block.line}: {why.format_message()}: {words}")
    assert wrong == []


def test_a_renamed_option_is_seen() -> None:
    """The parser above refuses what is not there: a command, an option, a value out of a list."""
    for words in (["certifi"], ["certify", "--no-such"], ["certify", "--budget", "huge"], ["model", "list", "x"]):
        with pytest.raises(click.UsageError):
            parse(words)
    parse(["certify", "https://my-server.example", "--budget", "quick", "--class", "VM", "--roles", "no-such-file"])


def test_quoted_output_is_compared() -> None:
    """A line that was not printed, or in another order, is missed; numbers and frames do not matter."""
    printed = "│ 12 PASS  3 FAIL │\n  exit code 1\nNOT CONFORMANT\n"
    assert missing("7 PASS\n…\nexit code 4\n", printed) == []
    assert missing("exit code 1\n7 PASS\n", printed) == ["9 PASS"]
    assert missing("CONFORMANT\n", printed) == ["CONFORMANT"]


WITH_THE_CHECK = """
import sys
from xenconform.conformance.cli import main
from xenconform.conformance.suite import selection
guide = {"__name__": "guide"}
exec(sys.argv.pop(1), guide)
selection.CHECKS = guide["CHECKS"]
main()
"""
WITH_THE_FAULT = """
import sys
from xenconform.conformance.cli import main
exec(sys.argv.pop(1), {"__name__": "xenconform.conformance.reference.faults.setters"})
main()
"""


@pytest.mark.parametrize(
    ("options", "code"), [((), 0), (("--fault", "same_mtu_is_refused"), 1)], ids=["sound", "wrong"]
)
def test_the_check_and_the_fault_of_the_guide_work(tmp_path: Path, options: tuple[str, ...], code: int) -> None:
    """The guide's example of a check passes on the sound server, and catches the fault that stands beside it."""
    guide = (DOCS / "guides/new-clause.md").read_text("utf-8").replace("SET-SAME", "SET-VALUE")
    check, fault = re.findall(r"^```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    selected = ["--clause", "SET-VALUE", "--class", "network", "--budget", "quick", "--out", str(tmp_path)]
    with serving(*options, program=[sys.executable, "-c", WITH_THE_FAULT, fault]) as url:
        ended = subprocess.run(
            [sys.executable, "-c", WITH_THE_CHECK, check, "certify", url, "--profile", "reference", *selected],
            env={**os.environ, "XENCONFORM_PASSWORD": "password"},
            capture_output=True,
            text=True,
            check=False,
            timeout=BLOCK_SECONDS,
        )
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert ("network.MTU" in ended.stdout) == bool(code)


def test_every_guide_has_something_to_run() -> None:
    """No page of the tutorial and the guides has lost its examples, or marked them all as not to be run."""
    runs = {_id(page): [b for b in blocks(page) if b.kind == "sh" and not b.mark.startswith("not run")] for page in RUN}
    assert [name for name, found in runs.items() if not found] == []


# -------------------------------------------------------------------------------------------------------- the reference


def test_the_reference_has_a_page_for_all_there_is(tmp_path: Path) -> None:
    """Each clause and class has a page, each fault a place; a second writing changes nothing, and old pages go."""
    count = write(tmp_path)
    assert {path.stem for path in (tmp_path / "clauses").glob("*.md")} == {"index", *catalogue()}
    assert {path.stem for path in (tmp_path / "classes").glob("*.md")} == {"index", "errors", *Api.load().classes}
    told = "".join(path.read_text("utf-8") for path in (tmp_path / "faults").glob("*.md"))
    assert set(re.findall(r"^\(fault-(\w+)\)=$", told, re.MULTILINE)) == set(load_faults())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.md")}
    (tmp_path / "clauses" / "GONE.md").write_text("a clause that there is no more")
    assert write(tmp_path) == count
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.md")} == before


def test_a_page_of_a_clause_tells_all_of_it(tmp_path: Path) -> None:
    """A clause's page has rule, source, checks, faults, what real servers did, and neighbours."""
    write(tmp_path)
    for clause in catalogue().values():
        page = (tmp_path / "clauses" / f"{clause.id}.md").read_text("utf-8")
        heads = ["What it is judged on", "Checks", "Faults that prove it", "What real servers do", "Neighbours"]
        assert [head for head in heads if f"\n## {head}\n" not in page] == [], clause.id
        own = [each.name for each in load_faults().values() if each.clause == clause.id]
        assert own
        assert [name for name in own if f"(#fault-{name})" not in page] == [], clause.id
        known = any(clause.id in each.clauses for each in seen.load())
        assert ("is known to us." in page) != known, clause.id
        assert text(clause.rule) in page


def test_what_real_servers_did_is_told_under_clauses_that_exist() -> None:
    """Each defect names clauses of the catalogue, or says why none judges it; none is told twice."""
    defects = seen.load()
    assert len(defects) >= 68
    assert {name for each in defects for name in each.clauses} - set(catalogue()) == set()
    assert [each.what for each in defects if bool(each.clauses) == bool(each.apart)] == []
    assert len({each.what for each in defects}) == len(defects)
    numbered = re.compile(r"[\w-]+/[\w-]+ #\d+( \((CA|XSI)-\d+\))?")
    assert [source for each in defects for source in each.sources if not numbered.fullmatch(source)] == []


def test_a_flowchart_becomes_a_picture() -> None:
    """Each name of a flowchart is in its picture, each arrow a line; what is no flowchart is refused."""
    assert lines_of("flowchart TD\n    a --> b & c --> d") == [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    picture = svg("flowchart TD\n    a --> b & c --> d\n    a --> d", "four")
    assert re.findall(r">(\w)</text>", picture) == ["a", "b", "c", "d"]
    assert picture.count('marker-end="url(#tip)"') == 5
    for wrong in ("graph TD\n a --> b", "flowchart TD\n a --- b", "flowchart TD\n a"):
        with pytest.raises(ValueError, match=r"flowchart|arrow"):
            lines_of(wrong)


def test_the_flowcharts_of_the_layers_are_those_that_are_held() -> None:
    """Each arrow of the page points downwards by import-linter's contracts, and the page leaves no layer out."""
    page = (DOCS / "explanation/layers.md").read_text("utf-8")
    charts = re.findall(r"^```mermaid\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layered = [each["layers"] for each in contracts if each["type"] == "layers"]
    for chart, layers in zip(charts, layered, strict=True):
        height = {name: -at for at, layer in enumerate(layers) for name in re.findall(r"(\w+)\W*(?:\||$)", layer)}
        arrows = lines_of(chart)
        drawn = {name for arrow in arrows for name in arrow} - {"reference"}
        assert drawn == set(height)
        assert [(up, down) for up, down in arrows if up in drawn and height[up] <= height[down]] == []


def test_a_site_with_a_broken_link_is_not_whole(tmp_path: Path) -> None:
    """A link to no file, to no place of a page, and a script from elsewhere are each told; what is whole is not."""
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="b.html#there">x</a><a href="#here">x</a><a href="https://example.org/">x</a>'
        '<a href="gone.html">x</a><a href="b.html#gone">x</a><script src="https://example.org/x.js"></script>'
    )
    (tmp_path / "b.html").write_text('<h1 id="there">b</h1><img src="data:image/png;base64,AA==">')
    assert problems(tmp_path) == [
        "a.html: b.html#gone leads to no place of that page",
        "a.html: gone.html leads to no file",
        "a.html: https://example.org/x.js is fetched from outside; the site must work without a network",
    ]
