"""The kill matrix: what counts as caught, what strays, how rows are kept, and a sample of it made for real."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from matrix_runs import SUBJECT, row

from xenconform.conformance.matrix.run import controls, run_all, sample
from xenconform.conformance.matrix.shelf import Shelf
from xenconform.conformance.matrix.trial import Plan, Trials, subject_of, suite_digest
from xenconform.conformance.reference.faults import find, load
from xenconform.models.kills import Fate, Matrix, Subject, row_from_json, row_to_json
from xenconform.reports.kills.told import cells, summary, to_json
from xenconform.reports.kills.write import write_matrix


@pytest.mark.parametrize(
    ("failed", "problem", "fate"),
    [
        (("SET-VALUE",), "", Fate.CAUGHT),
        (("SET-VALUE",), "the server is gone", Fate.CAUGHT),
        (("CREATE-FIELDS",), "", Fate.ELSEWHERE),
        ((), "", Fate.SURVIVED),
        ((), "no end within 5 s", Fate.UNFINISHED),
        (("CREATE-FIELDS",), "no end within 5 s", Fate.UNFINISHED),
    ],
)
def test_the_fate_of_a_fault(failed: tuple[str, ...], problem: str, fate: Fate) -> None:
    """A fault is caught by its own clause alone; a run without an end proves nothing else."""
    assert row(*failed, problem=problem).fate is fate


def test_strays_and_only_catchers() -> None:
    """What a fault breaks too, and STATE-MODEL, do not stray; every other clause does, and on a sound server all do."""
    assert row("SET-VALUE", "CREATE-FIELDS", "STATE-MODEL").strays == ()
    assert row("SET-VALUE", "MAP-ADD").strays == ("MAP-ADD",)
    assert row("STATE-MODEL", subject=Subject("", cls="network")).strays == ("STATE-MODEL",)
    assert row("SET-VALUE", "STATE-MODEL").is_only_catcher
    assert not row("SET-VALUE", "CREATE-FIELDS").is_only_catcher
    assert not row("STATE-MODEL").is_only_catcher


def test_a_matrix_counts() -> None:
    """The sums of a matrix add up, and one thing amiss makes it unclean."""
    good = row("SET-VALUE")
    sound = row(subject=Subject("", cls="network"))
    matrix = Matrix.of([sound, good], ["SET-VALUE", "MAP-ADD"])
    assert matrix.is_clean
    assert matrix.only_catchers == {"SET-VALUE": ("bent",), "MAP-ADD": ()}
    assert matrix.redundant == ("MAP-ADD",)
    assert (summary(matrix)["faults"], summary(matrix)["caught"], summary(matrix)["sound_runs"]) == (1, 1, 1)
    for bad in (row(), row("SET-VALUE", "MAP-ADD"), row("MAP-ADD", subject=Subject("", cls="VM"))):
        assert not Matrix.of([good, bad], ["SET-VALUE"]).is_clean


def test_cells() -> None:
    """Each clause that failed has a cell of its kind, and a fault that was missed has one of that."""
    found = {cell.clause: cell.kind for cell in cells(row("CREATE-FIELDS", "STATE-MODEL", "MAP-ADD"))}
    assert found == {"CREATE-FIELDS": "also", "STATE-MODEL": "model", "MAP-ADD": "stray", "SET-VALUE": "missed"}


def test_rows_are_kept_and_read_back(tmp_path: Path) -> None:
    """A row that is kept is found again under the same plan alone, and not once the fault is another."""
    shelf, kept = Shelf(tmp_path), row("SET-VALUE")
    assert row_from_json(row_to_json(kept)) == kept
    shelf.keep(kept)
    assert shelf.find(SUBJECT, Plan("quick", 1)) == kept
    assert shelf.find(SUBJECT, Plan("quick", 2)) is None
    assert shelf.find(SUBJECT, Plan("standard", 1)) is None
    assert shelf.find(replace(SUBJECT, symptom="Something else."), Plan("quick", 1)) is None
    assert Shelf(tmp_path, fresh=True).find(SUBJECT, Plan("quick", 1)) is None
    assert shelf.find(SUBJECT, Plan("quick", 1, own=True)) == kept, "all clauses are more than one"
    alone = replace(kept, seed=9, alone=True)
    shelf.keep(alone)
    assert shelf.find(SUBJECT, Plan("quick", 9, own=True)) == alone
    assert shelf.find(SUBJECT, Plan("quick", 9)) is None
    assert not alone.is_only_catcher
    next(tmp_path.rglob("*.own.json")).unlink()
    shelf.keep(replace(kept, suite=suite_digest()))
    assert Shelf(tmp_path, fresh=True).find(SUBJECT, Plan("quick", 1)) is not None
    assert list(shelf.rows()) == [replace(kept, suite=suite_digest())]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"subject": {}}'])
def test_a_broken_row_is_no_row(tmp_path: Path, text: str) -> None:
    """A file that holds no row is made anew, not trusted."""
    with pytest.raises(ValueError, match=r".+"):
        row_from_json(text)
    shelf = Shelf(tmp_path)
    shelf.keep(row("SET-VALUE"))
    next((tmp_path / "rows").iterdir()).write_text(text)
    assert shelf.find(SUBJECT, Plan("quick", 1)) is None


def test_a_sample_is_spread() -> None:
    """A sample has so many subjects, in order, from the whole range; controls are one a class."""
    every = [replace(SUBJECT, name=f"f{n}", cls="VM" if n % 2 else "network") for n in range(100)]
    chosen = sample(every, 10)
    assert [each.name for each in chosen] == [f"f{n}" for n in range(0, 100, 10)]
    assert sample(every, 1000) == tuple(every)
    assert [each.cls for each in controls(every, Plan())] == ["VM", "network"]
    assert [each.cls for each in controls(every, Plan(whole=True))] == [""]


def test_the_files(tmp_path: Path) -> None:
    """The page, the map and the JSON are written; what a server said is escaped, and the map is well formed."""
    matrix = Matrix.of([row("SET-VALUE", "MAP-ADD"), row(subject=Subject("", cls="network"))], ["SET-VALUE"])
    write_matrix(matrix, tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["matrix.html", "matrix.json", "matrix.svg"]
    page = (tmp_path / "matrix.html").read_text()
    assert "What is &lt;set&gt; is bent." in page
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")
    root = ET.fromstring((tmp_path / "matrix.svg").read_text())
    assert root.tag.endswith("svg")
    assert json.loads((tmp_path / "matrix.json").read_text()) == json.loads(json.dumps(to_json(matrix)))


def test_a_trial_for_real(tmp_path: Path) -> None:
    """One fault and the sound server beside it are judged for real; the second time nothing is run again."""
    subject = subject_of(find("mtu_clears_the_description"))
    plan, shelf = Plan("quick", 3), Shelf(tmp_path)
    subjects = (subject, *controls([subject], plan))
    rows = dict(run_all(subjects, Trials(plan), shelf, 2))
    assert set(rows.values()) == {True}
    matrix = Matrix.of(rows, [])
    assert matrix.is_clean, summary(matrix)
    assert len(matrix.rows) == len(matrix.sound) == 1
    assert matrix.rows[0].own is not None
    assert 0 < matrix.rows[0].own.calls <= matrix.rows[0].calls
    assert dict(run_all(subjects, Trials(plan), shelf, 2)) == dict.fromkeys(rows, False)


def test_a_trial_that_does_not_end_is_told(tmp_path: Path) -> None:
    """A run that takes longer than it may is ended, and is no survivor."""
    trials = Trials(Plan("standard", 3, seconds=0.5))
    ended = trials.run(subject_of(find("mtu_clears_the_description")))
    assert ended.fate is Fate.UNFINISHED
    assert ended.problem == "no end within 0.5 s"
    assert not list(tmp_path.iterdir())


def test_the_command_line() -> None:
    """`faults list` tells all of them, `show` one; a name that is none is refused with what may have been meant."""

    def said(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "xenconform", "faults", *args], capture_output=True, text=True, check=False
        )

    listed = json.loads(said("list", "--json").stdout)
    assert [each["name"] for each in listed] == list(load())
    assert "SET-ONLY-THAT" in said("show", "mtu_clears_the_description").stdout
    wrong = said("show", "mtu_clears_the_descriptio")
    assert wrong.returncode == 2
    assert "mtu_clears_the_description" in wrong.stderr
    assert said("matrix", "--area", "nowhere").returncode == 2
