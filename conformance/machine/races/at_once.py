"""Calls that begin at one moment, each over a connection of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.client import Client
from xenconform.conformance.machine.races.crew import PATIENCE, SWITCHING, THREADS
from xenconform.models.exchange import Exchange


@contextmanager
def clients(bench: Bench) -> Iterator[list[Client]]:
    """Give as many clients as there are threads, which are closed afterwards."""
    with ExitStack() as stack:
        found = [replace(bench.client, on_exchange=None) for _ in range(THREADS)]
        for client in found:
            stack.callback(client.close)
        yield found


def all_at_once(bench: Bench, calls: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
    """Make each call in a thread of its own, all from one moment on; return the exchanges, told to the run."""
    barrier = threading.Barrier(len(calls))

    def make(call: Callable[[], Exchange]) -> Exchange:
        barrier.wait(PATIENCE)
        return call()

    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCHING)
    try:
        with ThreadPoolExecutor(len(calls)) as pool:
            told = list(pool.map(make, calls))
    finally:
        sys.setswitchinterval(before)
    for each in told:
        if bench.client.on_exchange is not None:
            bench.client.on_exchange(bench.client.secrets.redact_exchange(each))
        bench.watch(each, probe=True)
    return told
