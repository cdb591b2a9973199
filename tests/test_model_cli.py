"""The command `xenconform model`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from xenconform import __version__
from xenconform.conformance.cli import xenconform
from xenconform.models.load import DATA

SECRET = (DATA / "classes" / "secret.json").read_text(encoding="utf-8")


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(xenconform, [str(each) for each in args], catch_exceptions=False)


def refused(result: Result, *told: str) -> None:
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for each in told:
        assert each in result.stderr


def test_version_and_help() -> None:
    """The command names its version and its sub-commands."""
    assert run("--version").stdout.strip() == f"xenconform, version {__version__}"
    assert "model " in run("--help").stdout


def test_the_model_command_imports_no_server_and_no_engine() -> None:
    """A sub-command's modules are imported only when it is asked for."""
    code = (
        "import sys; from xenconform.conformance.cli import xenconform; "
        "xenconform(['model', 'list'], standalone_mode=False);"
        "print(sorted({'hypothesis', 'requests', 'uvicorn', 'pytest', 'lxml'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_list_shows_every_class() -> None:
    """Every class of the release is listed, with totals."""
    lines = run("model", "list").stdout.splitlines()
    assert lines[-1] == "67 classes, 846 fields, 1835 messages, 56 relations, 551 errors"
    assert len(lines) == 3 + 67 + 1
    assert run("model", "list", "--release", "rio").stdout.splitlines()[-1].startswith("26 classes, 294 fields")


@pytest.mark.parametrize("name", [file.stem for file in (DATA / "classes").glob("*.json")])
def test_show_shows_every_field_of_any_class(name: str) -> None:
    """Each class can be shown, and each of its fields is there."""
    done = run("model", "show", name)
    assert done.exit_code == 0
    fields = [field["name"] for field in json.loads((DATA / "classes" / f"{name}.json").read_text())["fields"]]
    words = {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
    assert set(fields) <= words


def test_show_tells_types_defaults_relations_and_constructors() -> None:
    """The parts of a class's page, line by line."""
    out = " ".join(run("model", "show", "vtpm").stdout.split())
    assert "VTPM in 24.18.0: prototyped, prototyped 22.26.0" in out
    assert "is_unique bool RO/constructor false prototyped 22.26.0" in out
    assert "VTPM.VM VM.VTPMs many to one" in out
    assert "create vM -> VM, is_unique -> is_unique" in out
    assert "create(vM: VM ref, is_unique: bool) VTPM ref vm-admin" in out


def test_show_offers_near_names() -> None:
    """A misspelt class is told with what may have been meant."""
    refused(run("model", "show", "VIFF"), "no class 'VIFF' in 24.18.0; did you mean VIF")
    refused(run("model", "show", "VTPM", "--release", "8.2"), "no class 'VTPM' in stockholm")


def test_diff_lists_and_counts_changes() -> None:
    """Changes come with how, and a line of totals."""
    out = run("model", "diff", "7.6", "8.0").stdout
    assert "From lima to naples" in out
    assert out.splitlines()[-1] == "4 added"
    out = " ".join(run("model", "diff", "8.2", "24.18").stdout.split())
    assert "added class Observer prototyped 23.14.0" in out
    assert run("model", "diff", "8.2", "8.2").stdout.strip() == "From stockholm to stockholm: nothing changed"
    refused(run("model", "diff", "8.2", "nonsense"), "no release 'nonsense'; near names")


def test_check_passes_good_files(tmp_path: Path) -> None:
    """Our own files are good wherever they lie."""
    file = tmp_path / "secret.json"
    file.write_text(SECRET)
    for each in (file, DATA / "classes" / "VM.json"):
        assert run("model", "check", each).stdout.strip() == f"{each}: good"


def changed(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SECRET) | changes
    return found


def field(**changes: Any) -> dict[str, Any]:
    first = {"name": "uuid", "type": "string", "qualifier": "RO/runtime", "lifecycle": [["published", "rio"]]}
    return changed(fields=[first | changes])


def message(**changes: Any) -> dict[str, Any]:
    whole = {"name": "go", "params": [], "result": "void", "roles": "all", "lifecycle": [["published", "rio"]]}
    return changed(messages=[whole | changes])


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (field(type="strnig"), "secret.uuid: 'strnig' is no type; write it like"),
        (field(type="enum colour"), "secret.uuid: enum colour is declared nowhere; add it"),
        (field(type="VMM ref"), "secret.uuid: there is no class VMM; correct the name"),
        (field(qualifier="RX"), "at fields[0].qualifier: 'RX' is not one of"),
        (field(default=3), "secret.uuid: default 3 is no string; correct or remove it"),
        (field(type="bool", default=0), "secret.uuid: default 0 is no bool"),
        (field(type="int", default=True), "secret.uuid: default True is no int"),
        (field(type="datetime", default="1970-01-01"), "secret.uuid: default '1970-01-01' is no datetime"),
        (field(lifecycle=[["published", "nowhere"]]), "secret.uuid: release 'nowhere' is not known"),
        (field(lifecycle=[["born", "rio"]]), "at fields[0].lifecycle[0][0]: 'born' is not one of"),
        (field(set_roles="nobody"), "secret.uuid: set_roles: 'nobody' is no set of roles; write one of"),
        (changed(roles={}), 'secret: roles say nothing of "get"; add'),
        (changed(implicit=["get_record", "get_by_name_label"]), "get_by_name_label without a field name_label"),
        (message(params=[["a", "b c"]]), "secret.go: parameter a: 'b c' is no type"),
        (message(name="destroy"), "secret.destroy: both implicit and among the messages; leave one out"),
        (message() | {"constructors": [{"message": "gone", "fields": []}]}, "constructor gone: no such message"),
        (message() | {"constructors": [{"message": "go", "fields": ["x"]}]}, "1 fields for 0 parameters"),
        (
            message(params=[["x", "int"]]) | {"constructors": [{"message": "go", "fields": ["value"]}]},
            "parameter x is a int, field value is not",
        ),
        ({}, "'name' is a required property"),
        (3, "3 is not of type 'object'"),
        (changed(colour="red"), "'colour' was unexpected"),
        (changed(name="other"), "the class is called other; call the file other.json"),
        ([], "no list of classes"),
        ([{"name": "thing"}], "class thing: no lifecycle; give its transitions"),
    ],
)
def test_check_tells_the_place_and_the_fix(tmp_path: Path, document: Any, told: str) -> None:
    """A wrong file ends with 2 and plain lines that name file, place and fix."""
    file = tmp_path / "secret.json"
    file.write_text(json.dumps(document))
    refused(run("model", "check", file), f"{file}: ", told)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """A missing file, a directory and a file that is no JSON end with 2."""
    refused(run("model", "check", tmp_path / "gone.json"), "No such file")
    refused(run("model", "check", tmp_path))
    (tmp_path / "bad.json").write_text("{")
    refused(run("model", "check", tmp_path / "bad.json"), "not JSON", "correct the file at that place")
    refused(run("model", "import", tmp_path / "bad.json", "--out", tmp_path / "out"), "not JSON")
    refused(run("model", "--model", tmp_path, "list"), "no class files")


def test_import_makes_a_model_that_the_other_commands_take(tmp_path: Path) -> None:
    """An imported model can be listed, checked and compared; it never overwrites another."""
    since = {"state": "published", "transitions": [{"transition": "published", "release": "rio", "description": "x"}]}
    thing = {"name": "thing", "lifecycle": since, "fields": [], "messages": [], "enums": []}
    source, out = tmp_path / "xenapi.json", tmp_path / "out"
    source.write_text(json.dumps([thing]))
    done = run("model", "import", source, "--out", out)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(f"{out}: 1 classes, 0 messages; use it with")
    assert run("model", "--model", out, "list").stdout.splitlines()[-1].startswith("1 classes, 0 fields")
    assert run("model", "check", out / "classes" / "thing.json").exit_code == 0
    refused(run("model", "import", source, "--out", out), "there is a model already; remove it or give another")


def test_diagram_writes_text_or_a_file(tmp_path: Path) -> None:
    """Mermaid on the standard output, SVG into a file."""
    assert run("model", "diagram", "--class", "cluster").stdout == (
        'erDiagram\n    Cluster |o--o{ Cluster_host : "cluster_hosts / cluster"\n'
    )
    out = tmp_path / "all.svg"
    assert run("model", "diagram", "--format", "svg", "--out", out).exit_code == 0
    assert out.read_text().startswith("<svg ")
    refused(run("model", "diagram", "--class", "nothing"), "no class 'nothing'")
    refused(run("model", "diagram", "--out", tmp_path / "no" / "dir.svg"), "No such file or directory")
