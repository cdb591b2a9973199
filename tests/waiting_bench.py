"""A bench against a reference service without sockets, in which calls may wait for events and threads may meet."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from wire_bench import Ran

from xenconform.conformance.checks.bench import BUDGETS, Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.client import Client
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import HttpAnswer, Service
from xenconform.conformance.reference.state import State
from xenconform.conformance.transport import HttpReply, Result
from xenconform.conformance.transport.base import TransportTrouble, Trouble
from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.clauses import catalogue
from xenconform.models.profiles import Profile
from xenconform.models.target import Target

API = Api.load()
POLL = 0.002


@dataclass(slots=True)
class Waiting:
    """A transport into a service; `hang` lets a waiting call that has nothing to tell come back too late."""

    service: Service
    hang: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, path: str, body: bytes, content_type: str, deadline: float) -> Result:
        began = time.monotonic()
        with self.lock:
            answer = self.service.begin(path, content_type, body)
        while not isinstance(answer, HttpAnswer):
            waited = time.monotonic() - began
            if self.hang:
                return TransportTrouble(Trouble.TIMEOUT, "no reply", deadline)
            with self.lock:
                answer = answer.resume(waited >= answer.seconds) or answer
            time.sleep(POLL)
        headers = (("Content-Type", answer.content_type),)
        return HttpReply(answer.status, "OK", headers, answer.body, time.monotonic() - began)

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Server:
    """A service, the bench that judges it, and what was judged."""

    service: Service
    bench: Bench
    ran: Ran

    def judge(self, checks: Iterable[Check], *classes: str) -> Ran:
        """Run checks on classes, those of no class too, and remove what they made."""
        for check in checks:
            if check.per_server is not None:
                check.per_server(self.bench)
            for cls in classes if check.per_class is not None else ():
                assert check.per_class is not None
                check.per_class(self.bench, API.classes[cls])
        self.ran.left = len(self.bench.stock.clear())
        return self.ran


def server(
    service: Service | None = None,
    *,
    budget: str = "standard",
    deadline: float = 10.0,
    hang: bool = False,
    clauses: Iterable[str] = (),
) -> Server:
    """Return a server with a session on it, a new one where no service is given; all clauses count unless some do."""
    transport = Waiting(service or Service(State(seeded(API, 0))), hang)
    client = Client(Target("http", "127.0.0.1", 1), API, make_transport=lambda _: transport, deadline=deadline)
    client.login(Format.XMLRPC, "root", "password")
    ran = Ran()
    bench = Bench(
        api=API,
        client=client,
        profile=Profile.load("reference"),
        formats=tuple(Format),
        budget=BUDGETS[budget],
        seed=7,
        record=ran.judgements.append,
        clauses=tuple(clauses) or catalogue(),
    )
    return Server(transport.service, bench, ran)
