"""A run of the fuzzer: the server, the stage and the hunt, from start to end, within bounds that are told before."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from random import Random

from rich.console import Console

from xenconform.conformance.checks.bench import ENVELOPES, Bench
from xenconform.conformance.fuzz.attempts import Attempt, attempts
from xenconform.conformance.fuzz.corpus import Corpus
from xenconform.conformance.fuzz.footprint import Footprint
from xenconform.conformance.fuzz.generating import CLAUSES, Source
from xenconform.conformance.fuzz.hunt import ALWAYS, TYPED, Hunt
from xenconform.conformance.fuzz.judging import BY_TYPE, Wrong
from xenconform.conformance.fuzz.onlooker import Onlooker
from xenconform.conformance.fuzz.raw import raw_case
from xenconform.conformance.fuzz.sending import Sender
from xenconform.conformance.fuzz.shrinking import smaller
from xenconform.conformance.fuzz.stage import Stage, staged
from xenconform.conformance.suite.interrupts import terminable
from xenconform.conformance.suite.run import Run
from xenconform.conformance.suite.settings import Settings
from xenconform.models.exemplars import Need, constructor_of, exemplar
from xenconform.models.rawcases import RawCase
from xenconform.models.target import Target
from xenconform.models.values import Value
from xenconform.reports.cases import Scenery, save_raw_case
from xenconform.strategies.hostile import load
from xenconform.strategies.hostile.template import places

EVERY = 2.0
"""Seconds between two lines of progress, where no terminal redraws them."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much hostile input: for how many seconds, of which layers, how many requests a second at most.

    `corpus` is the folder of what gave new kinds of replies, `pid` the server's process, each None where there is none.
    `first` ends it with the first finding.
    """

    seconds: float
    layers: tuple[str, ...]
    rate: float | None = None
    corpus: Path | None = None
    pid: int | None = None
    first: bool = False

    def announcement(self, settings: Settings) -> str:
        """Return what is about to be done, in a line."""
        target = settings.target or "the embedded reference server" + f" with the fault {settings.fault}" * bool(
            settings.fault
        )
        rate = f"at most {self.rate:g} requests a second" if self.rate else "as many requests as it takes"
        return (
            f"Fuzzing {target} for {self.seconds:g} s: layers {', '.join(self.layers)}, {rate}, over "
            f"{', '.join(settings.formats)}, profile {settings.profile.name}, seed {settings.seed}"
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run came to, besides its log."""

    hunt: Hunt
    seconds: float
    cases: int

    def remarks(self) -> Iterator[str]:
        """Yield lines for people."""
        hunt, sender = self.hunt, self.hunt.sender
        rate = sender.sent / self.seconds if self.seconds else 0.0
        yield (
            f"{sender.sent:,} requests in {self.seconds:.1f} s ({rate:,.0f} a second), {self.cases:,} of them by hand; "
            f"{len(sender.classes):,} kinds of replies; {hunt.onlooker.questions:,} good calls beside them"
        )
        for found in hunt.found.values():
            if found.times > 1:
                over = ", ".join(sorted(found.formats))
                yield f"{found.wrong.clause}, {found.wrong.cause}: seen {found.times:,} times, over {over}"


def clauses_of(layers: Collection[str]) -> tuple[str, ...]:
    """Return the ids of the clauses that hostile input of some layers is judged by."""
    found = {case.clause for case in load() if case.layer in layers} | {*ALWAYS, *CLAUSES}
    found |= {ENVELOPES[fmt] for case in load() if case.layer in layers for fmt in case.formats}
    if "call" in layers:
        found |= {*BY_TYPE.values(), *(clause for clauses in TYPED.values() for clause in clauses)}
        found |= {f"{clause}-CODE" for clause in ("WIRE-ARITY", "WIRE-TYPE")}
    return tuple(sorted(found))


def fuzz_run(settings: Settings, bounds: Bounds, log: Path, console: Console) -> Ended:
    """Run the fuzzer and return what it came to; the log is whole then.

    Raises:
        CannotStartError: nothing answers there, or nobody is let in.
        Unavailable: there is nothing to be hostile about.
        TargetGoneError: the server went away while nothing hostile was sent.
    """
    run = Run(settings, log, sparse=True)
    writer = CaseWriter(settings, log.parent)
    error = "the run broke off"
    try:
        with terminable():
            run.open()
            ended = _hunt(run.bench, bounds, writer, console)
            for judgement in ended.hunt.passes():
                run.record(judgement)
            error = ""
    except KeyboardInterrupt:
        run.interrupted, error = True, ""
        raise
    finally:
        run.close(error)
    return ended


@dataclass(frozen=True, slots=True)
class CaseWriter:
    """Makes findings small and writes their cases into a report folder."""

    settings: Settings
    folder: Path

    def __call__(self, wrong: Wrong, attempt: Attempt, sender: Sender) -> str:
        """Write a finding's case and return the name of its files."""
        stage, fmt = sender.stage, attempt.format
        attempt = smaller(wrong, attempt, sender)
        case = raw_case(wrong, attempt, stage)
        names = stage.names(fmt)
        scenery = Scenery(
            stage.obj.cls,
            stage.listing,
            names["path"].decode(),
            names["type"].decode(),
            str(self.settings.target or ""),
            _records(stage, case),
        )
        return save_raw_case(case, self.folder, scenery)


def _records(stage: Stage, case: RawCase) -> dict[str, dict[str, object]]:
    """Return what constructors of the objects that a case names are given, as far as that is plain text and truth."""
    api, profile = stage.bench.api, stage.bench.profile
    found: dict[str, dict[str, object]] = {}
    for name in frozenset[str]().union(*map(places, case.pieces)):
        cls = stage.obj.cls if name == "ref" else name.partition("ref.")[2]
        constructor = constructor_of(api, profile, cls) if cls in api.classes else None
        if constructor is None or not constructor.record:
            continue
        record = exemplar(api, profile, cls, 1, tag="xenconform", constructor=constructor)
        plain = {key: _plain(value) for key, value in record.items()}
        if None not in plain.values():
            found[cls] = plain
    return found


def _plain(value: Value) -> object:
    """Return a value as Python's own XML-RPC client takes it, None where it is more than plain."""
    match value:
        case bool() | float():
            return value
        case int():
            return str(value)
        case Need():
            return None
        case str():
            return value
        case tuple():
            return [] if not value else None
        case dict():
            return dict(value) if all(isinstance(each, str) for pair in value.items() for each in pair) else None
        case _:
            return None


def _hunt(bench: Bench, bounds: Bounds, writer: CaseWriter, console: Console) -> Ended:
    began = time.monotonic()
    until = began + bounds.seconds
    chosen = [case for case in load() if case.layer in bounds.layers]
    Random(bench.seed).shuffle(chosen)  # noqa: S311 - so that no layer waits for the end of another
    footprint = Footprint(bounds.pid) if bounds.pid else None
    corpus = Corpus(bounds.corpus)
    with staged(bench) as stage, Onlooker(bench.client.sibling(), bench.formats[0], stage.listing) as onlooker:
        hunt = Hunt(stage, onlooker, writer, corpus, footprint, first=bounds.first)
        given = chain(corpus.load(stage), attempts(chosen, stage))
        hunt.run(_told(_paced(given, bounds.rate), hunt, until, console), until)
        by_hand = hunt.sender.sent
        if time.monotonic() < until and not hunt.is_over:
            source = Source(stage, bounds.layers, bench.seed, corpus.pool)
            hunt.run(_told(_paced(source.attempts(), bounds.rate), hunt, until, console), until)
        hunt.sender.close()
        return Ended(hunt, time.monotonic() - began, by_hand)


def _paced(given: Iterable[Attempt], rate: float | None) -> Iterator[Attempt]:
    """Yield attempts, so many a second at most."""
    began = time.monotonic()
    for at, attempt in enumerate(given):
        if rate:
            time.sleep(max(0.0, began + at / rate - time.monotonic()))  # the rate is what was asked for
        yield attempt


def _told(given: Iterator[Attempt], hunt: Hunt, until: float, console: Console) -> Iterator[Attempt]:
    """Yield attempts, and show the progress meanwhile."""
    began = shown = time.monotonic()
    with console.status("") as status:
        for attempt in given:
            now = time.monotonic()
            if now - shown >= (0.2 if console.is_terminal else EVERY):
                shown = now
                sender, rate = hunt.sender, hunt.sender.sent / (now - began)
                line = (
                    f"{sender.sent:,} requests, {rate:,.0f} a second, {len(sender.classes)} kinds of replies, "
                    f"{len(hunt.found)} findings, {max(0.0, until - now):.0f} s left, {attempt.layer}"
                )
                if console.is_terminal:
                    status.update(line)
                else:
                    console.print(line, highlight=False, soft_wrap=True)
            yield attempt


def is_on_this_machine(target: Target) -> bool:
    """Whether a target is a socket, or an address, of this machine."""
    if target.scheme == "unix":
        return True
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found)
