"""The checks of levels 2 and 3: each clause catches the fault that it is about, and the others let it pass."""

from __future__ import annotations

import pytest
from object_faults import Faulted, faults, faulty
from wire_bench import InProcess, Ran

from xenconform.conformance.checks import CHECKS
from xenconform.conformance.checks.bench import BUDGETS, Bench
from xenconform.conformance.client import Client
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import Service
from xenconform.conformance.reference.state import State
from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.clauses import catalogue
from xenconform.models.profiles import Profile
from xenconform.models.target import Target
from xenconform.models.verdicts import Verdict

API = Api.load()
FAULTS = tuple(faults(API))
SOUND = Faulted("", "network", lambda _world, _call, branch: branch)
LEVELS = {2, 3}


def run(faulted: Faulted) -> Ran:
    """Judge the clauses of levels 2 and 3 on one class of a server with a fault."""
    service = Service(State(seeded(API, 0)))
    client = Client(Target("http", "127.0.0.1", 1), API, make_transport=lambda _: InProcess(service))
    client.login(Format.XMLRPC, "root", "password")
    ran = Ran()
    known = catalogue()
    bench = Bench(
        api=API,
        client=client,
        profile=Profile.load("reference"),
        formats=tuple(Format),
        budget=BUDGETS["quick"],
        seed=7,
        record=ran.judgements.append,
        clauses=[name for name, clause in known.items() if clause.level in LEVELS],
    )
    service.state.world = faulty(service.state.world, faulted.fault)
    of = API.classes[faulted.cls]
    for check in CHECKS:
        if check.per_class is not None and known[check.clause].level in LEVELS and check.applies(API, of):
            check.per_class(bench, of)
    return ran


@pytest.mark.parametrize("cls", ["network", "secret", "VIF", "PVS_server"])
def test_a_sound_server_passes(cls: str) -> None:
    """Without a fault nothing fails, and nothing is untested."""
    ran = run(Faulted("", cls, SOUND.fault))
    assert ran.clauses(Verdict.FAIL) == set()
    assert ran.clauses(Verdict.UNTESTED) == set()
    assert len(ran.clauses(Verdict.PASS)) > 15


@pytest.mark.parametrize("faulted", FAULTS, ids=lambda each: each.clause)
def test_a_fault_is_caught_by_its_clause_and_no_other(faulted: Faulted) -> None:
    """The clause that speaks of a fault fails; no other MUST clause does but those that the fault breaks too."""
    ran = run(faulted)
    assert ran.failed(faulted.clause), f"not caught; instead {ran.clauses(Verdict.FAIL)}"
    assert ran.clauses(Verdict.FAIL, severities=["MUST"]) <= {faulted.clause, *faulted.also}
