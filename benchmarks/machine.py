"""How many steps the state machine judges in a minute: `python benchmarks/machine.py [SECONDS] [WORKERS]`.

Each worker explores the whole model on an embedded server of its own, both on one core. A step is a move of a sequence
with all that is read back after it; a reply is any answer that was judged.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from xenconform.conformance.checks.bench import BUDGETS, Bench
from xenconform.conformance.client import Client
from xenconform.conformance.machine.plan import covered, creatable
from xenconform.conformance.machine.sequences import Exploration, explore
from xenconform.conformance.reference import embedded
from xenconform.models.api import Api
from xenconform.models.calls import Format
from xenconform.models.profiles import Profile
from xenconform.models.target import parse_target
from xenconform.models.verdicts import Judgement

SECONDS = 60.0
WORKERS = 2


def work(worker: int, seconds: float) -> tuple[int, int, float, list[str]]:
    """Explore for so long; return the steps, the replies, the seconds it took, and what was found."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[worker % len(cores)]})
    api, profile = Api.load(), Profile.load("reference")
    failed: list[Judgement] = []
    with embedded.start(["--seed", str(worker)]) as server:
        client = Client(parse_target(server.url), api)
        client.login(Format.XMLRPC, "root", "password")
        bench = Bench(
            api=api,
            client=client,
            profile=profile,
            formats=tuple(Format),
            budget=BUDGETS["standard"],
            seed=worker,
            record=failed.append,
            clauses=["STATE-MODEL"],
        )
        plan = covered(api, profile, creatable(api, profile))
        this = Exploration(bench, plan, "", 10**6, 50, seconds, worker)
        start = time.monotonic()
        found = [str(each.mismatch) for each in explore(this)]
        return this.moves, this.replies, time.monotonic() - start, found + [each.actual for each in failed]


def main(seconds: float, workers: int) -> int:
    """Run the workers, print the sums; return 1 where anything was found, for then it is no measure."""
    with ProcessPoolExecutor(workers) as pool:
        done = list(pool.map(work, range(workers), [seconds] * workers))
    took = max(each[2] for each in done)
    steps, replies = sum(each[0] for each in done), sum(each[1] for each in done)
    print(f"{workers} workers, {took:.1f} s: {steps:,} steps, {replies:,} replies, all judged")
    print(f"{steps / took * 60:,.0f} steps and {replies / took * 60:,.0f} replies a minute")
    for finding in (each for done_by in done for each in done_by[3]):
        print(f"found: {finding}")
    return int(any(each[3] for each in done))


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(float(given[0]) if given else SECONDS, int(given[1]) if len(given) > 1 else WORKERS))
