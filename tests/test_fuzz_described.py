"""The fuzzer's layer that Schemathesis makes: it finds a defect where there is one, and says what it needs."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
import waiting_bench
from click.testing import CliRunner, Result
from schemathesis.checks import CHECKS
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER
from schemathesis.specs.openapi.formats import STRING_FORMATS

from xenconform.conformance.cli import fuzz as command
from xenconform.conformance.cli.fuzz import fuzz
from xenconform.conformance.fuzz.describing import Refs, description, formats_of
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import Service
from xenconform.conformance.reference.state import State
from xenconform.models.api import Api
from xenconform.models.verdicts import Verdict

API = Api.load()


def _fuzz(out: Path, *options: str) -> Result:
    return CliRunner().invoke(fuzz, ["--layer", "openapi", "--seed", "1", "--out", str(out), *options])


def _judgements(out: Path) -> list[dict[str, str]]:
    events = [json.loads(line) for line in (out / "run.jsonl").read_text("utf-8").splitlines()]
    return [each for each in events if each["event"] == "judgement"]


def test_a_planted_defect_is_found(tmp_path: Path) -> None:
    """An error code that is text, over JSON-RPC 2.0 alone, is found, and with -x that is the end."""
    ended = _fuzz(tmp_path, "--time", "20s", "-x", "--fault", "code_of_a_bad_ref_is_text")
    assert ended.exit_code == 1, ended.output
    failed = [each for each in _judgements(tmp_path) if each["verdict"] == Verdict.FAIL]
    assert [(each["clause"], each["element"]) for each in failed] == [("WIRE-JSON2-ENVELOPE", "openapi: error-code")]


def test_a_sound_server_has_no_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference server has no findings; how much was sent is told, and nothing of ours stays in Schemathesis."""
    monkeypatch.chdir(tmp_path)
    before = set(threading.enumerate()), set(CHECKS.get_all_names()), set(STRING_FORMATS)
    ended = _fuzz(tmp_path / "out", "--time", "5s")
    assert ended.exit_code == 0, ended.output
    assert "of them by Schemathesis, of " in ended.output
    assert {each["verdict"] for each in _judgements(tmp_path / "out")} == {Verdict.PASS}
    assert (set(threading.enumerate()), set(CHECKS.get_all_names()), set(STRING_FORMATS)) == before
    assert GLOBAL_HOOK_DISPATCHER.get_all() == {}
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Schemathesis is not installed the layer says what to do, and is no part of a run that names none."""
    monkeypatch.setattr(command, "has_schemathesis", lambda: False)
    ended = _fuzz(tmp_path)
    assert (ended.exit_code, ended.output) == (2, f"xenconform: {command.NO_SCHEMATHESIS}\n")
    assert "pip install 'xenconform[fuzz]'" in ended.output
    assert "openapi" not in command._layers(())


def test_the_layer_needs_its_format(tmp_path: Path) -> None:
    """Over other formats than JSON-RPC 2.0 there is no such layer."""
    ended = _fuzz(tmp_path, "--format", "xmlrpc")
    assert (ended.exit_code, ended.output) == (2, f"xenconform: {command.NO_JSON2}\n")


def test_what_is_described_does_no_harm() -> None:
    """What reads may get anybody's refs, what writes our own, what must not be done none; the rest is not there."""
    bench = waiting_bench.server(Service(State(seeded(API, 0)))).bench
    paths = description(bench, 0)["paths"]
    uses = {
        path.partition("#")[2]: {name.split("-")[1] for name in formats_of(each["post"]["requestBody"])} - {"session"}
        for path, each in paths.items()
    }
    chosen = ("VM.get_record", "VM.set_name_label", "VM.start", "pool.eject")
    assert [uses[name] for name in chosen] == [{"read"}, {"write"}, {"none"}, {"none"}]
    left_out = {"VM.destroy", "VM.clone", "session.logout", "event.next", "event.from", "pool.enable_ha"}
    assert left_out & uses.keys() == set()
    assert [path for path, each in paths.items() if "links" in each["post"]["responses"]["200"]] == []
    refs = Refs(bench)
    assert refs.one("read", "host", 0) in bench.stock.existing("host")
    assert refs.one("write", "host", 0) not in bench.stock.existing("host")
    assert refs.one("none", "VM", 0) not in bench.stock.all_refs("VM")
