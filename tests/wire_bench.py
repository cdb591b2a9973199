"""A bench against a reference service without sockets, whose bytes a planted defect may change on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from xenconform.conformance.checks import (
    sessions,
    wire_agree,
    wire_calls,
    wire_envelope,
    wire_forms,
    wire_json,
    wire_malformed,
    wire_media,
    wire_notifications,
    wire_odd,
    wire_types,
    wire_values,
    wire_void,
)
from xenconform.conformance.checks.bench import BUDGETS, Bench, Budget
from xenconform.conformance.checks.check import Check
from xenconform.conformance.client import Client
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import HttpAnswer, Service
from xenconform.conformance.reference.state import State
from xenconform.conformance.transport import HttpReply, Result
from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.clauses import catalogue
from xenconform.models.profiles import Profile
from xenconform.models.target import Target
from xenconform.models.verdicts import Judgement, Verdict

API = Api.load()
CHECKS: tuple[Check, ...] = tuple(
    check
    for module in (
        wire_values,
        wire_odd,
        wire_calls,
        wire_types,
        wire_envelope,
        wire_media,
        wire_json,
        wire_notifications,
        wire_forms,
        wire_void,
        wire_agree,
        wire_malformed,
        sessions,
    )
    for check in module.CHECKS
)
SMALL = replace(BUDGETS["standard"], name="small", examples=1)

Serve = Callable[[bytes], Result]
Defect = Callable[[bytes, Serve], Result]
"""Takes a request's body and the way to the sound server, and gives what the defective server answers."""


def sound(body: bytes, serve: Serve) -> Result:
    """No defect."""
    return serve(body)


@dataclass(slots=True)
class InProcess:
    """A transport into a service, through a defect."""

    service: Service
    defect: Defect = sound
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, path: str, body: bytes, content_type: str, deadline: float) -> Result:
        del deadline
        self.calls += 1

        def serve(changed: bytes) -> Result:
            with self.lock:
                answer = self.service.begin(path, content_type, changed)
                done = answer if isinstance(answer, HttpAnswer) else answer.resume(True)
            assert done is not None, "a call whose time is over at once has its answer"
            return HttpReply(done.status, "OK", (("Content-Type", done.content_type),), done.body, 0.0)

        return self.defect(body, serve)

    def close(self) -> None:
        pass


@dataclass(slots=True)
class Ran:
    """What checks judged, the number of calls that they took, and what they left behind."""

    judgements: list[Judgement] = field(default_factory=list)
    calls: int = 0
    left: int = 0

    def clauses(self, verdict: Verdict, *, severities: Iterable[str] = ("MUST", "SHOULD")) -> set[str]:
        """The clauses that came out so."""
        wanted = set(severities)
        known = catalogue()
        return {j.clause for j in self.judgements if j.verdict is verdict and known[j.clause].severity in wanted}

    def failed(self, clause: str) -> list[Judgement]:
        """The findings of a clause."""
        return [j for j in self.judgements if j.verdict is Verdict.FAIL and j.clause == clause]


def run(
    classes: Iterable[str] = API.classes,
    *,
    defect: Defect = sound,
    only: Iterable[str] = (),
    budget: Budget = SMALL,
    server: bool = True,
) -> Ran:
    """Run the wire and session checks of some classes against a new reference server with a defect."""
    transport = InProcess(Service(State(seeded(API, 0))))
    client = Client(Target("http", "127.0.0.1", 1), API, make_transport=lambda _: transport)
    client.login(Format.XMLRPC, "root", "password")
    transport.defect = defect
    ran = Ran()
    bench = Bench(
        api=API,
        client=client,
        profile=Profile.load("reference"),
        formats=tuple(Format),
        budget=budget,
        seed=7,
        record=ran.judgements.append,
        clauses=catalogue(),
    )
    wanted = set(only)
    for check in CHECKS:
        if wanted and not wanted & set(check.clauses):
            continue
        if check.per_server is not None:
            if server:
                check.per_server(bench)
            continue
        for name in classes:
            of = API.classes[name]
            if check.per_class is not None and check.applies(API, of):
                check.per_class(bench, of)
    ran.calls = transport.calls
    transport.defect = sound
    ran.left = len(bench.stock.clear())
    return ran
