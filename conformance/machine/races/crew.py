"""Threads that call a server at the same time: each over a connection of its own, and in a session of its own.

The threads do nothing but call: what came is told to the run's log and its watchers when all are through, so that
neither takes turns out of the race.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import describe
from xenconform.conformance.client import Client
from xenconform.conformance.machine.player import LOGIN, LOGOUT, Names, Stopped
from xenconform.models.calls import Breach, Success
from xenconform.models.cases import Step
from xenconform.models.exchange import Exchange
from xenconform.models.matching import outward
from xenconform.models.values import Handle, Ref

THREADS: Final = 4
"""How many threads there are."""
PATIENCE: Final = 30.0
"""Seconds that a thread waits for the others at the start; it never takes that long unless one of them is lost."""
DELAY: Final = 0.0002
"""Seconds by which a delay of 1 puts a thread behind the others."""
SWITCHING: Final = 0.0005
"""Seconds after which Python lets another thread go on: its usual 5 ms are as long as several calls take."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that a thread made: the step, the exchange, and when it was sent and answered, in nanoseconds."""

    step: Step
    exchange: Exchange
    invoked: int
    responded: int


class Crew:
    """The threads of one check; a context manager that ends them and their sessions."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="crew")
        self._clients = [_quiet(bench.client) for _ in range(THREADS)]
        self._sessions: dict[int, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _why: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        for client in self._clients:
            client.close()
        self.forget_sessions()

    def forget_sessions(self) -> None:
        """End the threads' sessions; the next calls are made in new ones."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            self._bench.call(self._bench.formats[0], LOGOUT, session=session, probe=True)

    def run(self, branches: Sequence[Sequence[Step]], names: Names, delays: Sequence[int]) -> tuple[Sent, ...]:
        """Make the calls of each branch in a thread of its own, all threads from one moment on.

        A branch ends where a call is not answered, and where an object that it needs was not made.

        Args:
            branches: the steps of each thread, four at most.
            names: the refs and uuids known before; what the threads make is not noted there.
            delays: by how much each thread starts behind the others.

        Returns:
            What was sent, branch by branch, each in its order.

        Raises:
            Stopped: a thread's session cannot be opened.
        """
        sessions = {step.session: self._session(step) for branch in branches for step in branch}
        barrier = threading.Barrier(len(branches))
        before = sys.getswitchinterval()
        sys.setswitchinterval(SWITCHING)
        try:
            running = [
                self._pool.submit(_work, _Work(client, branch, dict(names.refs), names.uuids, sessions), barrier, delay)
                for client, branch, delay in zip(self._clients, branches, delays, strict=False)
            ]
            done = [each.result() for each in running]
        finally:
            sys.setswitchinterval(before)
        sent = tuple(each for branch in done for each in branch)
        for each in sorted(sent, key=lambda each: each.responded):
            self._tell(each.exchange)
        return sent

    def _tell(self, exchange: Exchange) -> None:
        client = self._bench.client
        if client.on_exchange is not None:
            client.on_exchange(client.secrets.redact_exchange(exchange))
        self._bench.watch(exchange)

    def _session(self, step: Step) -> str:
        """Return the session that a step is made in; the run's own is number 0."""
        if not step.session:
            return self._bench.client.session
        if step.session not in self._sessions:
            known = self._bench.client.credentials
            if known is None:
                raise Stopped("the run has no credentials to open a session with")
            words = (known.user, known.password, known.version, known.originator)
            exchange = self._bench.call(step.format, LOGIN, *words, session=None)
            if not isinstance(exchange.reply.outcome, Success):
                raise Stopped(f"no further session: {describe(exchange)}; counted under SESSION-LOGIN")
            self._sessions[step.session] = str(exchange.reply.outcome.value)
        return self._sessions[step.session]


@dataclass(frozen=True, slots=True)
class _Work:
    """What one thread does; `refs` is its own and learns what it makes."""

    client: Client
    steps: Sequence[Step]
    refs: dict[Handle, Ref]
    uuids: Mapping[Handle, str]
    sessions: Mapping[int, str]


def _work(work: _Work, barrier: threading.Barrier, delay: int) -> list[Sent]:
    sent: list[Sent] = []
    barrier.wait(PATIENCE)
    if delay:
        time.sleep(delay * DELAY)
    for step in work.steps:
        try:
            args = tuple([outward(arg, work.refs.__getitem__, work.uuids.__getitem__) for arg in step.call.args])
        except KeyError:
            break  # An object that it needs was not made: what refused that is in the history.
        invoked = time.perf_counter_ns()
        exchange = work.client.call(step.format, step.call.message, args, session=work.sessions[step.session])
        sent.append(Sent(step, exchange, invoked, time.perf_counter_ns()))
        outcome = exchange.reply.outcome
        if isinstance(outcome, Breach):
            break
        if step.makes is not None and isinstance(outcome, Success):
            work.refs[step.makes] = str(outcome.value)
    return sent


def _quiet(client: Client) -> Client:
    return replace(client, on_exchange=None)
