"""What the state machines find: `PYTHONPATH=tests python -m strangers.sequences [NAME ...]`, a row a defect and seed.

The check of a class runs in this process, through a transport without sockets, so that its calls can be counted: until
something was found, and for making it small. Options: `--seeds N`, `--profile NAME`, `--all` (every finding that
a run makes, not the first alone), `--old` (the defects of fields, objects and bonds in place of those of sequences).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from hypothesis.database import ExampleDatabase

from strangers import defects_bonds, defects_fields, defects_objects
from strangers.defects import DEFECTS, Defect
from strangers.defects_sequences import FEWEST
from strangers.plain_server import Plain
from strangers.values import PASSWORD, USER, Malformed
from xenconform.conformance.checks.bench import BUDGETS, Bench
from xenconform.conformance.client import Client
from xenconform.conformance.machine import exploring
from xenconform.conformance.transport import HttpReply, Result, TransportTrouble, Trouble
from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.cases import Case
from xenconform.models.clauses import catalogue
from xenconform.models.exchange import Exchange
from xenconform.models.profiles import Profile, Scope
from xenconform.models.target import Target
from xenconform.models.verdicts import Judgement, Verdict

API = Api.load()
OLD = tuple(module.__name__.rpartition(".")[2] for module in (defects_fields, defects_objects, defects_bonds))


@dataclass(slots=True)
class Direct:
    """A transport into a stranger in this process."""

    server: Plain
    calls: int = 0

    def post(self, path: str, body: bytes, content_type: str, deadline: float) -> Result:
        del content_type, deadline
        self.calls += 1
        try:
            text = self.server.answer_json(body) if path == "/jsonrpc" else self.server.answer_xml(body)
        except Malformed:
            return HttpReply(500, "no", (("Content-Type", "text/html"),), b"<html>no</html>", 0.0)
        except Exception as why:  # noqa: BLE001 - a server that breaks breaks its connection
            return TransportTrouble(Trouble.RESET, repr(why), 0.0)
        kind = "application/json" if path == "/jsonrpc" else "text/xml"
        return HttpReply(200, "OK", (("Content-Type", kind),), text.encode(), 0.0)

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class Hunt:
    """One run of a machine. `found` and `reduced` are counts of calls: to the first finding, and to make it small."""

    judgements: list[Judgement] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    calls: int = 0
    found: int = 0
    reduced: int = 0
    seconds: float = 0.0
    left: int = 0

    @property
    def clauses(self) -> set[str]:
        """The clauses that something was told under."""
        return {each.clause for each in self.judgements if each.verdict is Verdict.FAIL}

    @property
    def verdicts(self) -> list[str]:
        """What was judged, a line each."""
        return [f"{j.verdict} {j.clause} {j.element} {j.reason}{j.expected} | {j.actual}" for j in self.judgements]


@dataclass(frozen=True, slots=True)
class How:
    """How a machine is run: `first` ends it with its first finding; `keep` keeps every exchange."""

    seed: int = 1
    profile: str = "reference"
    scope: Scope = Scope.ALL
    budget: str = "standard"
    first: bool = True
    keep: bool = False
    database: ExampleDatabase | None = None


def bench_before(transport: Direct, how: How, hunt: Hunt) -> Bench:
    """Return a bench, logged in, that writes into a hunt."""
    client = Client(
        Target("http", "127.0.0.1", 1),
        API,
        make_transport=lambda _: transport,
        on_exchange=hunt.exchanges.append if how.keep else None,
    )
    client.login(Format.XMLRPC, USER, PASSWORD)

    def save(case: Case) -> str:
        hunt.cases.append(case)
        return f"case {len(hunt.cases)}"

    return Bench(
        api=API,
        client=client,
        profile=replace(Profile.load(how.profile), scope=how.scope),
        formats=tuple(Format),
        budget=BUDGETS[how.budget],
        seed=how.seed,
        record=hunt.judgements.append,
        clauses=catalogue(),
        database=how.database,
        save_case=save,
    )


@contextmanager
def counted(hunt: Hunt, transport: Direct, how: How) -> Iterator[None]:
    """Count the calls of the first finding and of its reduction; let a machine end with it if that is wanted."""
    real = exploring._tell

    def tell(*args: Any) -> None:
        before = transport.calls
        real(*args)
        if not hunt.found:
            hunt.found, hunt.reduced = before, transport.calls - before

    efforts = exploring.EFFORTS
    if how.first:
        efforts = {name: (replace(of, findings=1), replace(whole, findings=1)) for name, (of, whole) in efforts.items()}
    with patch.object(exploring, "_tell", tell), patch.object(exploring, "EFFORTS", efforts):
        yield


def hunt_on(server: Plain, cls: str, how: How) -> Hunt:
    """Run the machine of a class, or of the whole model for "", on a stranger; scope all but where `how` says else."""
    hunt, transport = Hunt(), Direct(server)
    bench = bench_before(transport, how, hunt)
    start = time.monotonic()
    with counted(hunt, transport, how):
        if cls:
            exploring.sequences_of_a_class(bench, API.classes[cls])
        else:
            exploring.sequences_of_everything(bench)
    hunt.calls, hunt.seconds, hunt.left = transport.calls, time.monotonic() - start, len(bench.stock.clear())
    return hunt


def hunt_for(defect: Defect, how: How) -> Hunt:
    """Run the machine of a defect's class on a stranger that has it."""
    server = Plain()
    defect.install(server)
    return hunt_on(server, defect.cls, how)


def row(defect: Defect, how: How, hunt: Hunt) -> tuple[str, bool]:
    """Return what is said of a hunt, and whether it is as it should be."""
    fewest, calls = FEWEST.get(defect.name, 0), hunt.cases[0].calls if hunt.cases else 0
    specific = set(defect.clauses) - {"STATE-MODEL"}
    wrong = hunt.clauses - set(defect.clauses) - set(defect.also) - {"STATE-MODEL"}
    right = not wrong and (not fewest or not specific or bool(hunt.clauses & specific))
    told = ", ".join(sorted(hunt.clauses)) or "-"
    verdict = "found" if hunt.cases else "MISSED"
    length = f"{calls} of {fewest}" if fewest else str(calls)
    return (
        f"{verdict:6} {defect.name:44} seed {how.seed} after {hunt.found or hunt.calls:6} calls, "
        f"reduced in {hunt.reduced:4} to {length:7} {hunt.seconds:5.1f} s  {told}"
        f"{'' if right or not hunt.cases else '  WRONG CLAUSE'}{'  LEFT ' + str(hunt.left) if hunt.left else ''}"
        f"{'  LONG' if fewest and calls > fewest else '  SHORT' if hunt.cases and calls < fewest else ''}"
    ), bool(hunt.cases) and right and hunt.reduced <= 500


def main(given: list[str]) -> int:
    """Run the named defects, or all of sequences; print a row each; return 1 where one is not as it should be."""
    parser = argparse.ArgumentParser(prog="strangers.sequences")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--profile", default="reference")
    parser.add_argument("--budget", default="standard")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--old", action="store_true")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args(given)
    old = [d.name for d in DEFECTS.values() if d.install.__module__.rpartition(".")[2] in OLD]
    good = exact = rows = 0
    for name in options.names or (old if options.old else FEWEST):
        for seed in range(1, options.seeds + 1):
            how = How(seed, options.profile, budget=options.budget, first=not options.all)
            hunt = hunt_for(DEFECTS[name], how)
            text, fine = row(DEFECTS[name], how, hunt)
            rows, good = rows + 1, good + fine
            exact += bool(hunt.cases) and hunt.cases[0].calls == FEWEST.get(name)
            sys.stdout.write(f"{text}\n")
            for case in hunt.cases if options.show else ():
                sys.stdout.write(f"    {case.clause} {case.element}: {case.expected} | {case.actual}\n")
                sys.stdout.writelines(
                    f"      {step.format:8} {step.session} {step.call} -> {step.makes}\n" for step in case.steps
                )
            sys.stdout.flush()
    sys.stdout.write(f"{rows} runs, {good} as they should be, {exact} of the fewest calls\n")
    return int(good < rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
