"""Checks of states over time against a reference server in this process, its world with or without a fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from object_faults import Fault, faulty
from wire_bench import InProcess, Ran

from xenconform.conformance.checks import CHECKS
from xenconform.conformance.checks.bench import BUDGETS, Bench
from xenconform.conformance.client import Client
from xenconform.conformance.reference.seed import seeded
from xenconform.conformance.reference.service import Service
from xenconform.conformance.reference.state import State
from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.profiles import Profile, Scope
from xenconform.models.target import Target
from xenconform.models.world import World

API = Api.load()


@dataclass(slots=True)
class Stage:
    """A server and a bench before it; `restarted` makes the world that a restart brings back."""

    clause: str
    scope: Scope = Scope.ALL
    ran: Ran = field(default_factory=Ran)
    service: Service = field(default_factory=lambda: Service(State(seeded(API, 0))))
    restarted: Callable[[World], World] = lambda world: world
    bench: Bench = field(init=False)

    def __post_init__(self) -> None:
        client = Client(Target("http", "127.0.0.1", 1), API, make_transport=lambda _: InProcess(self.service))
        client.login(Format.XMLRPC, "root", "password")
        self.bench = Bench(
            api=API,
            client=client,
            profile=replace(Profile.load("reference"), scope=self.scope),
            formats=tuple(Format),
            budget=BUDGETS["quick"],
            seed=7,
            record=self.ran.judgements.append,
            clauses=[self.clause],
        )

    def restart(self) -> None:
        """Make the server anew from its world, as a restart with a state file does, and log in."""
        state = self.service.state
        objects = {cls: rows for cls, rows in state.world.objects.items() if cls != "session"}
        self.service.state = Service(State(self.restarted(replace(state.world, objects=objects)))).state
        self.bench.client.login(Format.XMLRPC, "root", "password")

    def run(self, *classes: str, fault: Fault | None = None) -> Ran:
        """Judge the clause, of a class's checks in these classes alone."""
        if fault is not None:
            self.service.state.world = faulty(self.service.state.world, fault)
        for check in CHECKS:
            if self.clause not in check.clauses:
                continue
            if check.per_server is not None:
                check.per_server(self.bench)
            for cls in classes:
                if check.per_class is not None and check.applies(API, API.classes[cls]):
                    check.per_class(self.bench, API.classes[cls])
        return self.ran
