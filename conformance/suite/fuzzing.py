"""A run of the fuzzer: the server, the stage and the hunt, from start to end, within bounds that are told before."""

from __future__ import annotations

import importlib.util
import ipaddress
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from random import Random

from rich.console import Console

from xenconform.conformance.checks.bench import ENVELOPES, Bench
from xenconform.conformance.checks.health import TargetGoneError
from xenconform.conformance.checks.judging import Unanswered, Unavailable
from xenconform.conformance.fuzz.attempts import attempts
from xenconform.conformance.fuzz.corpus import Corpus
from xenconform.conformance.fuzz.footprint import Footprint
from xenconform.conformance.fuzz.found import APART, Enough
from xenconform.conformance.fuzz.generating import Source
from xenconform.conformance.fuzz.hunt import Hunt
from xenconform.conformance.fuzz.judging import ALWAYS, BESIDE, BY_THEMSELVES
from xenconform.conformance.fuzz.onlooker import Onlooker
from xenconform.conformance.fuzz.sending import LANES
from xenconform.conformance.fuzz.shrinking import MOST_SECONDS, Shrinker
from xenconform.conformance.fuzz.stage import staged
from xenconform.conformance.suite.interrupts import terminable
from xenconform.conformance.suite.pacing import Pace
from xenconform.conformance.suite.rawcases import CaseWriter
from xenconform.conformance.suite.run import Run
from xenconform.conformance.suite.settings import Settings
from xenconform.models.calls import Format
from xenconform.models.flaws import wire_values
from xenconform.models.target import Target
from xenconform.strategies.hostile import Owed, load

OPENAPI = "openapi"
"""The layer that Schemathesis makes, of the description of the JSON-RPC 2.0 endpoint."""
CODED = ("WIRE-METHOD-UNKNOWN", "WIRE-ARITY", "WIRE-TYPE")
CALLS = (*CODED, "WIRE-INT-REQUEST", "WIRE-SESSION-SHARED")
"""The clauses that calls of every message are judged by."""
GIGABYTE = 10**9
BESIDE_THEM = 4
"""Connections beside those that carry attempts: of good calls, of who looks on, and of what is asked at once."""
SHRINKING = 0.3
"""The part of the time that may go into making findings small."""
SHARE = 0.15
"""The part of the time that this layer gets, where there are others."""


def has_schemathesis() -> bool:
    """Whether the extra is installed that the layer openapi needs."""
    return importlib.util.find_spec("schemathesis") is not None


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much hostile input: for how many seconds, of which layers, how many requests a second at most.

    `corpus` is the folder of what gave new kinds of replies, `pid` the server's process, each None where there is none.
    `first` ends it with the first finding, `size` after so many bytes.
    """

    seconds: float
    layers: tuple[str, ...]
    rate: float | None = None
    corpus: Path | None = None
    pid: int | None = None
    first: bool = False
    size: float = 10 * GIGABYTE

    def announcement(self, settings: Settings) -> str:
        """Return what is about to be done, in a line."""
        target = settings.target or "the embedded reference server" + f" with the fault {settings.fault}" * bool(
            settings.fault
        )
        rate = f"at most {self.rate:g} requests a second" if self.rate else "as many requests as it takes"
        return (
            f"Fuzzing {target} for {self.seconds:g} s: layers {', '.join(self.layers)}, {rate}, "
            f"{self.size / GIGABYTE:g} GB at most, {LANES + BESIDE_THEM} connections at most, over "
            f"{', '.join(settings.formats)}, profile {settings.profile.name}, seed {settings.seed}"
        )


@dataclass(slots=True)
class Ended:
    """What a run came to, besides its log: the hunt, None where it did not begin; seconds; requests by hand."""

    hunt: Hunt | None = None
    seconds: float = 0.0
    by_hand: int = 0
    described: tuple[str, ...] = ()

    def remarks(self) -> Iterator[str]:
        """Yield lines for people."""
        if self.hunt is None:
            return
        hunt, sender = self.hunt, self.hunt.sender
        rate = sender.sent / self.seconds if self.seconds else 0.0
        yield (
            f"{sender.sent:,} requests in {self.seconds:.1f} s ({rate:,.0f} a second), {self.by_hand:,} of them by "
            f"hand; {len(sender.classes):,} kinds of replies; {hunt.onlooker.questions:,} good calls beside them"
        )
        if sender.size >= hunt.enough.size:
            yield f"over before its time: {sender.size / GIGABYTE:.3g} GB were sent, which --size allows"
        yield from self.described
        if hunt.slow:
            yield f"{hunt.slow:,} times a good call took long, and no request before it that was sent again did it"
        for found in hunt.found.values():
            if found.times > 1:
                over = ", ".join(sorted(found.formats))
                yield f"{found.wrong.clause}, {found.wrong.cause}: seen {found.times:,} times, over {over}"


def clauses_of(layers: Collection[str], formats: Collection[Format]) -> tuple[str, ...]:
    """Return the ids of the clauses that hostile input of some layers is judged by over some formats."""
    cases = [case for case in load() if case.layer in layers and set(case.formats) & set(formats)]
    found = {case.clause for case in cases if case.owed is not Owed.EITHER or case.clause in BY_THEMSELVES} | {*ALWAYS}
    posted = {fmt for case in cases if case.http is None for fmt in case.formats}
    if OPENAPI in layers:
        posted.add(Format.JSONRPC2)
    found |= {clause for fmt in posted & set(formats) for clause in (ENVELOPES[fmt], BESIDE[fmt])}
    if "http" in layers:
        found.add("ROBUST-HTTP")
    if "call" in layers:
        found |= {"WIRE-AGREE"} if len(formats) > 1 else set()
        found |= {*CALLS, *(f"{clause}-CODE" for clause in CODED), *wire_values(formats)}
    elif OPENAPI in layers:
        found |= wire_values([Format.JSONRPC2])
    return tuple(sorted(found))


def fuzz_run(settings: Settings, bounds: Bounds, log: Path, console: Console) -> Ended:
    """Run the fuzzer and return what it came to; the log is whole then, and says so where somebody pressed ctrl-C.

    Raises:
        CannotStartError: nothing answers there, or nobody is let in.
        Unavailable: there is nothing to be hostile about.
        TargetGoneError: the server went away while nothing hostile was sent.
        ValueError: a file of the corpus is none.
    """
    run, ended = Run(settings, log, kind="fuzz"), Ended()
    writer = CaseWriter(settings, log.parent, Shrinker(max(bounds.seconds * SHRINKING, MOST_SECONDS)))
    error = "the run broke off"
    try:
        with terminable():
            run.open()
            _hunt(run.bench, bounds, writer, console, ended)
        error = ""
    except KeyboardInterrupt:
        run.interrupted, error = True, ""
    except (TargetGoneError, Unavailable, Unanswered) as why:
        if ended.hunt is None:
            raise
        run.gone, error = str(why), ""
    finally:
        for judgement in ended.hunt.passes() if ended.hunt else ():
            run.record(judgement)
        run.close(error)
    return ended


def _hunt(bench: Bench, bounds: Bounds, writer: CaseWriter, console: Console, ended: Ended) -> None:
    began = time.monotonic()
    until = began + bounds.seconds
    chosen = [case for case in load() if case.layer in bounds.layers]
    Random(bench.seed).shuffle(chosen)  # noqa: S311 - so that no layer waits for the end of another
    chosen.sort(key=lambda case: case.http is not None and case.http.is_slow)  # all at once, at the end
    others = tuple(layer for layer in bounds.layers if layer != OPENAPI)
    footprint = Footprint(bounds.pid) if bounds.pid else None
    corpus = Corpus(bounds.corpus)
    at_once = APART if bounds.rate is None else max(1, min(APART, int(bounds.rate)))  # a rate is kept in each second
    enough = Enough(bounds.first, bounds.size, at_once)
    with (
        staged(bench) as stage,
        Onlooker(bench.client, bench.formats[0], stage.listing) as onlooker,
        closing(Hunt(stage, onlooker, writer, corpus, footprint, enough)) as hunt,
        Pace(hunt, until, bounds.rate, console) as pace,
    ):
        ended.hunt = hunt
        try:
            hunt.run(pace.kept(chain(corpus.load(stage), attempts(chosen, stage))), until)
            ended.by_hand = hunt.sender.sent
            share = 0.0 if OPENAPI not in bounds.layers else SHARE if others else 1.0
            made_until = until - share * max(0.0, until - time.monotonic())
            if others and time.monotonic() < made_until and not hunt.is_over:
                with closing(Source(stage, others, bench.seed, corpus.pool)) as source:
                    hunt.run(pace.kept(source.attempts()), made_until)
            if share and time.monotonic() < until and not hunt.is_over:
                ended.described = _describe(hunt, pace, until)
        finally:
            ended.seconds = time.monotonic() - began


def _describe(hunt: Hunt, pace: Pace, until: float) -> tuple[str, ...]:
    """Let Schemathesis hunt for a while; return lines for people."""
    from xenconform.conformance.fuzz.described import Described  # noqa: PLC0415 - an extra that may not be there

    layer = Described(hunt, hunt.stage.bench.seed, lambda: pace.step(OPENAPI))
    layer.run(until)
    said = f"{layer.sent:,} of them by Schemathesis, of {len(layer.operations):,} messages"
    if not layer.given_up:
        return (said,)
    name, why = next(iter(layer.given_up.items()))
    return said, f"Schemathesis made no requests of {len(layer.given_up):,} messages; of {name}: {why}"


def is_on_this_machine(target: Target) -> bool:
    """Whether a target is a socket, or an address, of this machine."""
    if target.scheme == "unix":
        return True
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found)
