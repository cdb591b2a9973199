"""One run: the server, the client, the bench and the log, from start to end.

with a Run: items are judged through `run.bench`; leaving it removes what was made, logs out and ends the log.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import BUDGETS, Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.health import TargetGoneError
from xenconform.conformance.checks.judging import Unavailable, describe
from xenconform.conformance.checks.logins import RoleSessions
from xenconform.conformance.checks.offered import as_offered
from xenconform.conformance.client import Client
from xenconform.conformance.reference import embedded
from xenconform.conformance.suite.beginning import hidden_hosts, start_of, transport_to
from xenconform.conformance.suite.dying import Recent
from xenconform.conformance.suite.interrupts import Interruptible, Interrupts
from xenconform.conformance.suite.one import tell_silent
from xenconform.conformance.suite.restart import Command, Local, Restart
from xenconform.conformance.suite.settings import Settings
from xenconform.conformance.transport.dial import Dialer
from xenconform.models.api import ApiClass
from xenconform.models.calls import Success
from xenconform.models.cases import Case
from xenconform.models.clauses import catalogue
from xenconform.models.events import (
    CLOSING,
    OPENING,
    Event,
    Item,
    RunEnd,
    RunKind,
    SavedCase,
    TimeOver,
    encode_event,
)
from xenconform.models.exchange import Exchange
from xenconform.models.levels import RESTARTED
from xenconform.models.profiles import waived
from xenconform.models.pseudonyms import Pseudonyms
from xenconform.models.rewriting import rewritten
from xenconform.models.target import Target, parse_target
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.cases import read_case, save_case

FLUSH_EVERY = 1.0
"""Seconds after which the log's lines are on disk at the latest, while calls are made."""


HELD = 2_000
"""How many exchanges of a sparse run may still be named."""


class CannotStartError(Exception):
    """The run could not begin: the server is not there, or lets nobody in."""


class Run:
    """One run over one server; see the module. `findings` counts the FAILs so far.

    `silent` has the clauses whose checks were through, each with why nothing came to be judged, if nothing did.

    The log of a run of the fuzzer has only those exchanges that a judgement names, of the last `HELD` before it: of so
    many calls few tell anything.
    """

    def __init__(self, settings: Settings, log: Path | None, *, kind: RunKind = "certify") -> None:
        self.settings = settings
        self.judgements: list[Judgement] = []
        self.silent: dict[str, str] = {}
        self.recent = Recent()
        self.findings = 0
        self.calls = 0
        self.gone = ""
        self.interrupted = False
        self.left_behind: tuple[str, ...] = ()
        self._looked = False
        self._marks = 0
        self._cases: set[str] = set()
        self._held: OrderedDict[int, Callable[[], Exchange]] | None = OrderedDict() if kind == "fuzz" else None
        self._kind: RunKind = kind
        self._log: TextIO | None = log.open("w", encoding="utf-8") if log else None
        self._flushed = self._began = time.monotonic()
        self._hosts: Pseudonyms | None = None
        self._interrupts = Interrupts()
        self._server: Local | None = None
        self._client: Client | None = None
        self._bench: Bench | None = None

    @property
    def bench(self) -> Bench:
        """The bench of this run, once it is open."""
        assert self._bench is not None, "the run is not open"
        return self._bench

    def open(self) -> None:
        """Start the embedded server if there is no target, log in, and begin the log.

        Raises:
            CannotStartError: nothing answers there, or no format lets the user in.
        """
        settings = self.settings
        self._interrupts.__enter__()
        try:
            self._start()
        except embedded.NotReady as why:
            raise CannotStartError(str(why)) from why
        assert self._client is not None
        refusals: dict[str, list[str]] = {}
        for fmt in settings.formats:
            exchange = self._client.login(fmt, settings.user, settings.password)
            if isinstance(exchange.reply.outcome, Success):
                break
            refusals.setdefault(describe(exchange), []).append(fmt)
        else:
            said = "; ".join(f"{', '.join(formats)}: {why}" for why, formats in refusals.items())
            raise CannotStartError(
                f"cannot log in at {self._client.target} as {settings.user}: {said}; "
                "check the URL, the user and the password"
            )
        self._bench = Bench(
            api=settings.api,
            client=self._client,
            profile=settings.profile,
            formats=settings.formats,
            budget=BUDGETS[settings.budget],
            seed=settings.seed,
            record=self.record,
            clauses=[clause.id for clause in settings.clauses],
            classes=settings.classes,
            database=settings.database,
            save_case=self._save_case,
        )
        self._bench.hold_to(as_offered(self._client, settings.api, fmt))
        self._bench.restart = self._restart(self._client) or self._bench.restart
        if not settings.proxy:
            self._bench.dial = Dialer(self._client.target, settings.tls)
        self._bench.roles = RoleSessions(settings.roles)

    def _restart(self, client: Client) -> Restart | None:
        """Return how the server is restarted, None where nobody said how."""
        settings = self.settings
        command = Command(settings.restart_command, settings.restart_timeout) if settings.restart_command else None
        again = self._server.restart if self._server else command
        seconds = settings.restart_timeout
        return Restart(again, client, settings.formats, settings.user, settings.password, seconds) if again else None

    def _start(self) -> None:
        settings = self.settings
        if settings.target is None:
            _keep_to_one_core()
            self._server = Local(
                settings.seed, keeps=any(clause.id in RESTARTED for clause in settings.clauses), fault=settings.fault
            )
            self._server.start()
        target = settings.target or parse_target(self._server.url if self._server else "")
        self._hosts = hidden_hosts(settings, self._client_of(target))
        self._write(start_of(settings, self._kind))
        self._write(Item(OPENING, "", "", 0, ""))
        self._client = self._client_of(target)
        if self._held is None:
            self._client.on_exchange = self._on_exchange
        else:
            self._client.on_veiled = self._on_veiled

    def _client_of(self, target: Target) -> Client:
        settings = self.settings
        return Client(
            target,
            settings.api,
            make_transport=lambda target: Interruptible(transport_to(settings, target), self._interrupts),
            formats=settings.formats,
            deadline=settings.deadline,
        )

    def _save_case(self, case: Case) -> str:
        """Write a case's files beside the log and return their name, "" where the run writes no files."""
        settings = self.settings
        if settings.out is None:
            return ""
        hide = self._hosts.line if self._hosts else str
        return save_case(case, settings.out, settings.api, str(settings.target) if settings.target else None, hide)

    def begin(self, check: Check, of: ApiClass | None) -> None:
        """Note in the log that a check on a class, or None for the server, comes next."""
        nature.salted(salt := nature.new_salt())
        nature.told_when_over(lambda: self._write(TimeOver()))
        self._write(Item(check.clause, check.by, of.name if of else "", self.bench.stock.numbered, salt))

    def record(self, judgement: Judgement) -> None:
        """Note a judgement: a failure that a waiver pins is waived."""
        judgement = replace(judgement, seconds=self._seconds())
        if self._client is not None:
            judgement = self._client.secrets.redact_judgement(judgement)
        if judgement.verdict is Verdict.FAIL:
            failure = replace(judgement, calls=self.calls)
            judgement = waived(failure, self.settings.profile.waivers, datetime.now(UTC).date())
            self.findings += judgement.verdict is Verdict.FAIL
        self.judgements.append(judgement)
        if self._held is not None:
            for seq in judgement.exchanges:
                if seq in self._held:
                    self._write(self._held.pop(seq)())
        self._write(judgement)
        if judgement.case and judgement.case not in self._cases and self.settings.out is not None:
            self._cases.add(judgement.case)
            self._write(SavedCase(judgement.case, read_case(self.settings.out, judgement.case)))

    def _seconds(self) -> float:
        return round(time.monotonic() - self._began, 3)

    def close(self, error: str = "") -> None:
        """Remove what was made, log out, end the log, stop the embedded server; always all of it."""
        try:
            if self._bench is not None:
                self._clean_up()
        finally:
            error = error or self._unfinished()
            left = self.left_behind if self._looked else None
            told = len(self.judgements)
            nature.told_when_over(lambda: None)  # whatever comes next in this process is no part of the log
            self._write(RunEnd(self.calls, self._seconds(), self.interrupted, error, told, left, self._marks))
            if self._log is not None:
                self._log.close()
            if self._client is not None:
                self._client.close()
            if self._server is not None:
                self._server.stop()
            self._interrupts.__exit__(None, None, None)

    def _unfinished(self) -> str:
        """Return why the run has no verdict: the server went away, and broke no rule before that."""
        levels = catalogue()
        failed = {each.clause for each in self.judgements if each.verdict is Verdict.FAIL}
        return "" if any(levels[clause].required for clause in failed) else self.gone

    def _clean_up(self) -> None:
        """Remove what was made and log out. From a server that is gone too: it may have come back."""
        assert self._client is not None
        stock = self.bench.stock
        self._write(Item(CLOSING, "", "", stock.numbered, ""))
        tell_silent(self, {each.clause for each in self.judgements})
        try:
            stock.clear()
            self._client.logout_all()
        except (TargetGoneError, Unavailable) as why:
            self.gone = self.gone or str(why)
        self.left_behind = (
            *(f"made by this run and not removed: {obj.cls} {obj.ref}" for obj in stock.made),
            *(f"written by this run and not put back: {each}" for each in stock.not_put_back),
        )
        self._looked = True

    def _on_exchange(self, exchange: Exchange) -> None:
        self.calls += 1
        self._write(exchange)

    def _on_veiled(self, seq: int, unveil: Callable[[], Exchange]) -> None:
        self.calls += 1
        if self._held is not None:
            self._held[seq] = unveil
            if len(self._held) > HELD:
                self._held.popitem(last=False)

    def _write(self, event: Event) -> None:
        if self._log is None:
            return
        line = encode_event(event)
        self._marks += isinstance(event, Item | TimeOver)
        self._log.write((line if self._hosts is None else rewritten(line, event, self._hosts.line)) + "\n")
        now = time.monotonic()
        if now - self._flushed > FLUSH_EVERY:
            self._log.flush()
            self._flushed = now


def _keep_to_one_core() -> None:
    """Keep a worker of several, and the server that it is about to start, to one core, where the system can.

    The two take turns: on one core they need not wake another for each call, and the workers do not get in each
    other's way.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker.startswith("gw") and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker[2:]) % len(cores)]})
