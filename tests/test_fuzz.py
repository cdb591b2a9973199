"""`xenconform fuzz` as a user runs it: what it finds, makes small and saves, and what it does not find."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sampling import LONG
from strangers.defects import DEFECTS
from strangers.plain_server import Plain
from strangers.values import PASSWORD

from xenconform.conformance.fuzz.footprint import Footprint
from xenconform.conformance.reference import embedded
from xenconform.models.calls import Format
from xenconform.models.rawcases import RawCase, from_json, is_raw, to_json
from xenconform.reports.machine import schema

FREELY = ("--profile", "reference", "--scope", "all")
COMMAND = [sys.executable, "-m", "xenconform"]


def run(*said: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XENCONFORM_")}
    if any(each.startswith("http") for each in said):  # a stranger; the embedded server has a password of its own
        environment["XENCONFORM_PASSWORD"] = PASSWORD
    return subprocess.run(
        [*COMMAND, *said], env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )


def results(out: Path) -> dict[str, Any]:
    """What results.json holds; it is valid."""
    found: dict[str, Any] = json.loads((out / "results.json").read_text())
    Draft202012Validator(schema()).validate(found)
    return found


@pytest.mark.parametrize("start", [Plain, partial(Plain, {"polite", "chunked"})], ids=["plain", "tastes"])
def test_what_is_made_finds_nothing_on_a_server_that_conforms(start: Callable[[], Plain], tmp_path: Path) -> None:
    """Another design of server bears a few seconds of what is made, of the layers that it is sound in."""
    with start() as server:
        layers = [each for name in ("json", "call", "session") for each in ("--layer", name)]
        done = run("fuzz", server.url, *FREELY, "--time", "9s", "--seed", "5", *layers, "--out", str(tmp_path))
    told = results(tmp_path)
    assert [(each["clause"], each["element"], each["actual"]) for each in told["findings"]] == []
    assert done.returncode in {0, 4}, done.stdout + done.stderr
    assert {each["verdict"] for each in told["clauses"] if each["id"].startswith("ROBUST-ALIVE")} == {"PASS"}


def test_the_embedded_server_bears_every_case(tmp_path: Path) -> None:
    """All cases by hand, over every format, in less than a minute, and then some seconds of what is made of them."""
    began = time.monotonic()
    done = run("fuzz", "--time", "60s", "--seed", "3", "--corpus", str(tmp_path / "corpus"), "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < 100
    told = results(tmp_path)
    assert told["findings"] == []
    assert told["verdict"] == "NOTHING FOUND"
    verdicts = {each["id"]: each["verdict"] for each in told["clauses"] if each["severity"] != "SHOULD"}
    assert set(verdicts.values()) == {"PASS"}, verdicts
    by_hand = int(done.stdout.partition(" of them by hand")[0].rpartition(" ")[2].replace(",", ""))
    assert by_hand > 6_000
    kept = list((tmp_path / "corpus").glob("*.json"))
    assert len(kept) > 20
    pieces = [json.loads(path.read_text())["pieces"] for path in kept if is_raw(path.read_text())]
    assert len(pieces) == len(kept)
    # What is the server's own stands in them by its name.
    assert any("⟦session⟧" in piece for each in pieces for piece in each)


PLANTED = {
    "numbers_may_begin_with_zeros": "WIRE-MALFORMED",
    "error_pages_show_the_stack": "ROBUST-NO-LEAK",
    "empty_text_is_an_empty_map": "WIRE-TYPE",
    "json_int_keys_with_point": "WIRE-MAP",
}


@pytest.mark.parametrize(("fault", "clause"), PLANTED.items())
def test_a_fault_is_found_made_small_and_found_again(fault: str, clause: str, tmp_path: Path) -> None:
    """A fault is found under its clause; its case shows it on the faulty server, and not on the sound one."""
    done = run("fuzz", "--time", "50s", "-x", "--seed", "2", "--fault", fault, "--out", str(tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    told = results(tmp_path)
    assert clause in {each["clause"] for each in told["findings"]}
    case = tmp_path / "cases" / next(each["case"] for each in told["findings"] if each["clause"] == clause)
    path = case.with_name(f"{case.name}.json")
    assert run("replay", str(path)).returncode == 0
    small = from_json(path.read_text())
    assert sum(map(len, small.pieces)) < 2_000
    assert {each.suffix for each in case.parent.glob(f"{case.name}.*")} == {".json", ".py", ".sh"}


KNOWN = {
    ("WIRE-MALFORMED", "an element within a text"),
    ("WIRE-MALFORMED", "text among elements"),
    ("WIRE-MALFORMED", "text beside a typed value"),
    ("WIRE-MALFORMED", "a part of a call twice"),
    ("WIRE-METHOD-UNKNOWN", "a method with Async over and over"),
    ("ROBUST-AUTH", "an element within a text"),
    ("ROBUST-UNICODE", "half a pair of surrogates in UTF-16"),
    ("ROBUST-XML-ENTITIES", "an entity that is acted on"),
}
"""What the stranger's own reader of documents is known to get wrong."""


def test_known_defects_of_a_server_are_a_finding_each(tmp_path: Path) -> None:
    """Many cases show the same defect: it is told once, with how often it was seen."""
    with Plain() as server:
        layers = ("--layer", "xml", "--layer", "envelope")
        done = run("fuzz", server.url, *FREELY, "--time", "40s", "--seed", "1", *layers, "--out", str(tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    found = [(each["clause"], each["element"].partition(": ")[2]) for each in results(tmp_path)["findings"]]
    assert len(found) == len(set(found))
    assert set(found) <= KNOWN
    assert len(found) >= len(KNOWN) - 3  # on a busy machine the time may end before the last case
    assert "an element within a text: seen " in done.stdout


REAL = {
    "xml_i8_refused": "WIRE-INT-REQUEST",
    "setters_return_nil_over_xml": "WIRE-VOID",
    "code_of_a_bad_ref_is_text": "WIRE-JSON2-ENVELOPE",
    "json_empty_map_as_array": "WIRE-MAP",
    "end_tags_may_be_missing": "WIRE-MALFORMED",
    "error_pages_show_the_stack": "ROBUST-NO-LEAK",
    "sessions_have_no_case": "ROBUST-AUTH",
}
"""Defects such as servers in use had on the wire, in one server, and the clause that each of them breaks."""


@LONG
def test_the_defects_of_a_server_with_many_are_a_finding_each(tmp_path: Path) -> None:
    """Each of several defects is found under its clause, however often it shows, and no other is told beside them."""
    (password := tmp_path / "password").write_text("password")
    with embedded.start([option for name in REAL for option in ("--fault", name)]) as server:
        login = ("--password-file", str(password))
        done = run("fuzz", server.url, *FREELY, *login, "--time", "60s", "--seed", "1", "--out", str(tmp_path / "out"))
    assert done.returncode == 1, done.stdout + done.stderr
    found = [each["clause"] for each in results(tmp_path / "out")["findings"]]
    assert set(found) <= {*REAL.values()}
    assert len(set(found)) >= len(REAL) - 1  # a busy machine gets to fewer calls in the time
    # A made document may show a defect in a way of its own; Schemathesis tells by its own check what we told by ours.
    assert max(found.count(clause) for clause in found) <= 2


def test_who_holds_up_others_is_told(tmp_path: Path) -> None:
    """A server that is slow after bytes that are no text: the request that did it is named, and so is how long."""
    with Plain() as server:
        DEFECTS["broken_bytes_slow_the_next"].install(server)
        only = ("--layer", "json", "--time", "60s", "-x", "--seed", "1")
        done = run("fuzz", server.url, *FREELY, *only, "--out", str(tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    found = [each for each in results(tmp_path)["findings"] if each["clause"] == "ROBUST-ALIVE"]
    assert len(found) == 1
    assert "as usual after" in found[0]["expected"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("http://192.0.2.1", "--time", "1s"), "--i-own-this-server"),
        (("--time", "soon"), "is no time"),
        (("--pid", "999999999", "--time", "1s"), "999999999"),
        (("--layer", "smoke"), "smoke"),
    ],
)
def test_wrong_usage_says_what_to_do(said: tuple[str, ...], told: str, tmp_path: Path) -> None:
    """What cannot be done is told before anything is sent, with exit code 2."""
    done = run("fuzz", *said, "--out", str(tmp_path))
    assert done.returncode == 2, done.stdout + done.stderr
    assert told in done.stderr


def test_raw_cases_come_back_from_their_json() -> None:
    """Whatever bytes a case has, its JSON gives them back; what is no case is refused by name."""
    case = RawCase("ROBUST-HTTP", "a", "http", "b", "c", "d", Format.XMLRPC, "either", "ROBUST-HTTP",
                   ("⟦session⟧\x00⟦hex:ff⟧é", ""), end="half", value=-0.0)  # fmt: skip
    assert from_json(to_json(case)) == case
    assert is_raw(to_json(case))
    assert not is_raw('{"form": 1}')
    with pytest.raises(ValueError, match="spare"):
        from_json(to_json(case).replace('"raw": 1', '"raw": 1, "spare": 2'))


def test_a_footprint_that_grows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory that grows beyond its bound is a finding; what stays is none."""
    from xenconform.conformance.fuzz import footprint

    monkeypatch.setattr(footprint, "EVERY", 0.0)
    monkeypatch.setattr(footprint, "MEMORY", 32 * 2**20)
    monkeypatch.setattr(footprint, "TIMES", 1)
    watch = Footprint(os.getpid())
    assert [wrong for _ in range(6) for wrong in watch.look()] == []
    ballast = b"x" * (96 * 2**20)
    assert [wrong.cause for wrong in watch.look()] == ["memory grows"]
    del ballast
    with pytest.raises(ValueError, match="999999999"):
        Footprint(999_999_999)
