"""`xenconform certify` against servers that turn bad: it ends by itself, with no traceback, and says what was wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from turncoat import HARMLESS, PASSWORD, TREASONS, Turncoat, turncoat

SECONDS = 60.0
"""The longest that any of these runs may take; most take a few."""
UNSURE = (
    "stalls",
    "never reads",
    "closes",
    "resets",
    "length long",
    "drips",
    "dripped",
    "cut",
    "chunk",
    "interim",
    "endless body",
    "65 MiB",
)
"""Parts of the names of treasons after which nobody can tell whether the server is there at all, or was in time."""
NARROW = ("--class", "secret", "--clause", "GET-*", "--clause", "WIRE-*-ENVELOPE", "--clause", "WIRE-STRING")
ENVELOPES = {"WIRE-XML-ENVELOPE", "WIRE-JSON1-ENVELOPE", "WIRE-JSON2-ENVELOPE", "WIRE-STRING"}


@dataclass(frozen=True)
class Told:
    """What a run of the command came to."""

    code: int
    said: str
    results: dict[str, Any]
    seconds: float

    def clauses(self) -> set[str]:
        return {finding["clause"] for finding in self.results["findings"]}


def certify(server: Turncoat, out: Path, *options: str, deadline: str = "0.3") -> Told:
    """Run the command on a server, with a short deadline and few clauses."""
    command = [sys.executable, "-m", "xenconform", "certify", server.url, "--out", str(out), "--seed", "1"]
    began = time.monotonic()
    done = subprocess.run(
        [*command, "--budget", "quick", "--deadline", deadline, *options],
        env={**os.environ, "XENCONFORM_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    told = out / "results.json"
    results = json.loads(told.read_text()) if told.exists() else {}
    return Told(done.returncode, done.stdout + done.stderr, results, time.monotonic() - began)


@pytest.fixture(scope="module")
def betrayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Told]]]:
    """A run for each treason, several at a time, for they wait more than they work."""

    def run(name: str, out: Path) -> Told:
        with turncoat(TREASONS[name], after=15) as server:
            return certify(server, out, *NARROW)

    with ThreadPoolExecutor(4) as pool:
        yield {name: pool.submit(run, name, tmp_path_factory.mktemp("out")) for name in TREASONS}


@pytest.mark.parametrize("name", TREASONS)
def test_a_server_that_turns_bad_is_told_so(name: str, betrayed: dict[str, Future[Told]]) -> None:
    """Whatever a server begins to do, the run ends soon, and the trouble is a finding or the reason of the end."""
    told = betrayed[name].result()
    assert "Traceback" not in told.said
    assert told.results["errors"] == []
    if told.code == 3:
        assert any(part in name for part in UNSURE)
        problem = told.results["problem"]
        if problem.startswith("cannot log in"):  # on a slow machine it turns bad before the run has begun
            return
        assert "no longer answers" in problem
        assert {each["reason"] for each in told.results["untested"]} >= {told.results["problem"]}
    else:
        assert told.code == 1
        assert told.clauses() & ENVELOPES


@pytest.mark.parametrize("name", ["stalls", "closes at once", "garbage status line", "HTTP 204", "invalid UTF-8"])
def test_one_message_that_is_never_answered_ends_nothing_but_itself(name: str, tmp_path: Path) -> None:
    """A server that never answers one message, and all others, fails for it, and the others are judged."""
    with turncoat(TREASONS[name], only="secret.get_value") as server:
        told = certify(server, tmp_path, *NARROW)
    assert told.code == 1
    assert told.results["problem"] == ""
    assert told.clauses() & ENVELOPES
    assert {finding["element"] for finding in told.results["findings"]} <= {"secret.get_value", "secret.value"}
    passed = {each["id"]: each["counts"]["PASS"] for each in told.results["clauses"]}
    assert passed["GET-RECORD-AGREES"] + passed["GET-ALL-AGREES"] > 0


@pytest.mark.parametrize("name", HARMLESS)
def test_habits_that_no_rule_forbids_are_no_findings(name: str, tmp_path: Path) -> None:
    """A server that closes connections or sends many headers passes like any other."""
    with turncoat(HARMLESS[name]) as server:
        told = certify(server, tmp_path, *NARROW, deadline="10")
    assert told.code == 0, told.said
    assert told.results["findings"] == []


@pytest.mark.parametrize("name", ["stalls", "closes at once", "HTTP 500 for all", "a web page", "http/2", "redirects"])
def test_a_server_that_lets_nobody_in_cannot_be_certified(name: str, tmp_path: Path) -> None:
    """A server that never answered well is exit code 3, in a line that says what came over each format."""
    with turncoat(TREASONS[name]) as server:
        told = certify(server, tmp_path, *NARROW)
    if name == "redirects":  # the login itself is answered, if with a wrong status
        assert told.code == 1
        return
    assert told.code == 3
    assert "Traceback" not in told.said
    assert "cannot log in" in told.said
    for fmt in ("xmlrpc", "jsonrpc1", "jsonrpc2"):
        # The same answer over several formats is told once, with their names.
        assert re.search(rf"{fmt}(, jsonrpc\d)*: no answer", told.said)
