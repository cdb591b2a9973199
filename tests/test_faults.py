"""The reference server's faults: each says what it is, each clause has one of its own, and its clause catches it.

Most are judged here in one process, by the checks of their clause on their class. What needs a restart, calls at the
same time or long sequences is sampled with certify; all of it, against all clauses, is `xenconform faults matrix`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import waiting_bench
from wire_bench import Ran

from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.checks.logins import RoleSessions
from xenconform.conformance.reference.faults import AREAS, Difficulty, Fault, Server, load
from xenconform.conformance.reference.faults.documents import outside_texts
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import Service
from xenconform.conformance.reference.state import State
from xenconform.conformance.suite.credentials import embedded_logins
from xenconform.conformance.suite.table import CHECKS
from xenconform.models.api import Api
from xenconform.models.clauses import catalogue

API = Api.load()
FAULTS = load()
JUDGED = {clause for check in CHECKS for clause in check.clauses}
"""The clauses that the suite has a check of."""
NOT_HERE = {"histories", "journeys", "disk", "races", "events", "tasks", "hostile"}
"""Areas whose faults need a server in a process of its own: restarts, threads, waiting, long sequences, HTTP itself."""
PLAIN = {name for name in JUDGED if catalogue()[name].level < 4} | {"LIFECYCLE-VM", "STATE-READ-ONLY-READS"}
"""The clauses whose checks need nothing but calls, one after the other."""
HERE = [each for each in FAULTS.values() if each.area not in NOT_HERE and each.clause != "STATE-MODEL"]
SAMPLED = [next(each for each in FAULTS.values() if each.area == area) for area in sorted(NOT_HERE)]


def judge(fault: Fault, checks: Iterable[Check], budget: str) -> Ran:
    """Judge a fault's clause, on its class, by some checks against a server in this process."""
    server = Server(Service(State(seeded(API, 0))))
    fault.install(server)
    stage = waiting_bench.server(server.service, budget=budget, clauses=[fault.clause])
    bench = stage.bench
    bench.roles = RoleSessions(embedded_logins(API))
    of = API.classes[fault.cls]
    for check in checks:
        with suppress(Unavailable, Unanswered):
            if check.per_server is not None:
                check.per_server(bench)
            elif check.per_class is not None and check.applies(API, of):
                check.per_class(bench, of)
    return stage.ran


def trials(fault: Fault) -> Iterator[Ran]:
    """Yield what comes of a fault: by its clause's own checks, and by all that look at every reply on their way."""
    own = [check for check in CHECKS if fault.clause in check.clauses]
    yield judge(fault, own, "quick")
    yield judge(fault, own, "standard")
    yield judge(fault, [check for check in CHECKS if check.clause in PLAIN], "standard")


def test_there_are_many_and_most_are_not_plain() -> None:
    """There are 200 faults or more, and most take more than one condition to show."""
    assert len(FAULTS) >= 200
    easy = [each for each in FAULTS.values() if each.difficulty is Difficulty.EASY]
    assert len(easy) < len(FAULTS) / 2
    assert {each.area for each in FAULTS.values()} == set(AREAS)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda each: each.name)
def test_a_fault_says_what_it_is(fault: Fault) -> None:
    """A fault names clauses that the suite judges, a class of the model, and its symptom in sentences."""
    assert fault.clause in JUDGED
    assert set(fault.also) <= catalogue().keys() - {fault.clause}
    assert fault.cls in API.classes
    assert fault.symptom.endswith(".")
    assert len(fault.symptom) > 15


@pytest.mark.parametrize("clause", sorted(JUDGED))
def test_a_clause_has_a_fault_that_only_it_catches(clause: str) -> None:
    """Each clause with a check has a fault that breaks no other; the matrix shows that no other fails on it."""
    assert [each.name for each in FAULTS.values() if each.clause == clause and not each.also]


@pytest.mark.parametrize("fault", HERE, ids=lambda each: each.name)
def test_a_fault_is_caught_by_its_clause(fault: Fault) -> None:
    """The checks of a fault's clause find it on its class, in the standard budget at the latest."""
    assert any(ran.failed(fault.clause) for ran in trials(fault)), f"{fault.clause} passes: {fault.symptom}"


@pytest.mark.parametrize("fault", SAMPLED, ids=lambda each: each.name)
def test_certify_catches_a_fault(fault: Fault, tmp_path: Path) -> None:
    """Certify finds one fault of each area that needs a server of its own, and says so with exit code 1."""
    command = [sys.executable, "-m", "xenconform", "certify", "--quiet", "--seed", "7", "--workers", "1"]
    command += ["--fault", fault.name, "--class", fault.cls, "--clause", fault.clause, "--out", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    results = json.loads((tmp_path / "results.json").read_text())
    assert fault.clause in {each["clause"] for each in results["findings"]}, run.stderr
    assert f"with the fault {fault.name}" in results["target"]
    assert run.returncode == (1 if catalogue()[fault.clause].required else 0)


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b'["OpaqueRef:01-02","a\\":03"],"spare":00.5', b'["OpaqueRef:01-02","a\\":03"],"spare":0.5'),
        (b'["07",007,-01,0]', b'["07",7,-1,0]'),
    ],
)
def test_a_ref_of_zeros_is_not_mended(body: bytes, read: bytes) -> None:
    """A fault of numbers leaves texts as they are: a ref that begins with zeros would be another's."""
    assert outside_texts(body, rb"([:,\[]\s*-?)0+(?=\d)", rb"\1") == read
