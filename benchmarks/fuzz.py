"""How many calls a second the fuzzer sustains, against a bare client of the same HTTP library on the same server.

Its calls are the hostile requests and what it asks to judge them: fields before and after, records, others' good calls.

Both take turns on one embedded server, so that what else the machine does falls on both:

    python benchmarks/fuzz.py [SECONDS]
"""

from __future__ import annotations

import statistics
import sys
import time
from itertools import islice

from xenconform.conformance.fuzz.generating import Source
from xenconform.conformance.fuzz.hunt import Hunt
from xenconform.conformance.fuzz.onlooker import Onlooker
from xenconform.conformance.fuzz.stage import Stage, staged
from xenconform.conformance.suite.run import Run
from xenconform.conformance.suite.settings import Options, Settings
from xenconform.conformance.transport import SocketTransport
from xenconform.models.calls import Format

ROUNDS = 6
LAYERS = ("xml", "json", "call", "session", "http")


def bare(stage: Stage, seconds: float) -> float:
    """Return how many good calls a second a bare transport gets answered."""
    target, names = stage.bench.client.target, stage.names(Format.JSONRPC2)
    transport = SocketTransport(target)
    count, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        transport.post(names["path"].decode(), names["ask"], names["type"].decode(), 10.0)
        count += 1
    transport.close()
    return count / (time.monotonic() - began)


def main(seconds: float) -> None:
    """Take turns, and print the medians and their ratio."""
    run = Run(Settings.of(Options(profile="reference", seed=1, clauses=("ROBUST-*",)), {}), None, kind="fuzz")
    run.open()
    try:
        with staged(run.bench) as stage, Onlooker(run.bench.client, Format.XMLRPC, stage.listing) as onlooker:
            hunt = Hunt(stage, onlooker)
            attempts = Source(stage, LAYERS, 1, hunt.corpus.pool).attempts()
            hunt.run(islice(attempts, 3_000))  # arguments are made when they are first asked for
            rounds = []
            for _ in range(ROUNDS):
                alone = bare(stage, seconds)
                sent, called, began = hunt.sender.sent, run.calls, time.monotonic()
                hunt.run(attempts, began + seconds)
                took = time.monotonic() - began
                rounds.append((alone, (run.calls - called) / took, (hunt.sender.sent - sent) / took))
    finally:
        run.close()
    alone, calls, requests = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = [each / bare_one for bare_one, each, _ in rounds]
    print(f"bare client {alone:,.0f} calls/s, fuzzer {calls:,.0f} calls/s, {requests:,.0f} of them hostile; "
          f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")  # fmt: skip


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
