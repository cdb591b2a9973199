"""`xenconform report`: the reports of a run made again of its log, and what it does not do."""

from __future__ import annotations

from pathlib import Path

import page_runs
import pytest
from click.testing import CliRunner, Result

from xenconform.conformance.cli import xenconform
from xenconform.conformance.cli.alluring import Alluring
from xenconform.conformance.suite.build import build_of
from xenconform.conformance.suite.settings import ConfigError
from xenconform.models.run import Run
from xenconform.reports.write import LOG, RENDERERS


def report(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(xenconform, ["report", *map(str, arguments)])


def logged(run: Run, folder: Path) -> Path:
    folder.mkdir()
    (folder / LOG).write_text("".join(f"{line}\n" for line in run.lines()))
    return folder


def test_it_makes_the_reports_again_with_the_cases_of_the_log(tmp_path: Path) -> None:
    """All files of a report folder but the log are written, of a folder or of its log, and no other."""
    run = logged(page_runs.every_verdict(), tmp_path / "run")
    made = report(run, "--out", tmp_path / "one"), report(run / LOG, "--out", tmp_path / "two", "-q")
    assert [each.exit_code for each in made] == [0, 0]
    assert str(tmp_path / "one") in made[0].output.replace("\n", "")
    assert made[1].output == ""
    texts = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert texts[0] == texts[1]
    assert set(texts[0]) == set(RENDERERS)
    assert sorted(path.name for path in run.iterdir()) == [LOG]


def test_it_says_what_it_needs(tmp_path: Path) -> None:
    """Without anything to write, without a log, and for a signed folder it ends with 2, and writes nothing."""
    run = logged(page_runs.every_verdict(), tmp_path / "run")
    (tmp_path / "signed").mkdir()
    (tmp_path / "signed" / "certificate.json").write_text("{}")
    for arguments, said in (
        ((run,), "nothing to write"),
        ((tmp_path / "none", "--allure", tmp_path / "a"), "give a report folder"),
        ((run, "--out", tmp_path / "signed"), "it holds a signed run"),
        ((run, "--out", run / LOG), "give a folder that can be written"),
    ):
        done = report(*arguments)
        assert (done.exit_code, said in done.output) == (2, True), done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "signed"]


def test_a_folder_that_is_to_be_signed_holds_no_results_for_allure(tmp_path: Path) -> None:
    """They may lie beside a report folder that is signed, and in one that is not, but not in one that is."""
    inside = Alluring.of(str(tmp_path / "out" / "allure"), "")
    inside.make_room(tmp_path / "out", signed=False)
    Alluring.of(str(tmp_path / "beside"), "").make_room(tmp_path / "out", signed=True)
    with pytest.raises(ConfigError, match="which is to be signed; give another folder"):
        inside.make_room(tmp_path / "out", signed=True)


@pytest.mark.parametrize(
    ("environment", "build"),
    [
        ({"PATH": "/bin"}, {}),
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_SERVER_URL": "https://forge.example",
                "GITHUB_REPOSITORY": "a/b",
                "GITHUB_RUN_ID": "99",
                "GITHUB_RUN_NUMBER": "12",
                "GITHUB_WORKFLOW": "nightly",
            },
            {
                "name": "GitHub Actions",
                "type": "github",
                "url": "https://forge.example/a/b",
                "buildOrder": "12",
                "buildName": "nightly #12",
                "buildUrl": "https://forge.example/a/b/actions/runs/99",
            },
        ),
        (
            {"JENKINS_URL": "https://u:secret@ci.example/", "BUILD_NUMBER": "3", "BUILD_TAG": "job-3", "BUILD_URL": ""},
            {"name": "Jenkins", "type": "jenkins", "buildOrder": "3", "buildName": "job-3"},
        ),
    ],
)
def test_the_job_of_a_build_server_is_read_of_its_environment(
    environment: dict[str, str], build: dict[str, str]
) -> None:
    """What a build server tells its jobs is kept by Allure's names, without what is missing or carries a password."""
    assert build_of(environment) == build
