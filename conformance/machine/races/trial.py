"""One try of a race on a server: objects made, calls made at the same time, the reads after them, the judgement.

What was seen is kept so that less of it can be judged again without the server: reads change nothing, so a history
without some of them is as true as the whole.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.machine.player import Mismatch, Player, Stopped
from xenconform.conformance.machine.races.crew import Crew, Sent
from xenconform.conformance.machine.rewriting import renewed
from xenconform.models.belief import Belief, firm_fields
from xenconform.models.calls import Breach, Failure, Outcome, Success
from xenconform.models.cases import Expect, Step, Wanted
from xenconform.models.exchange import Exchange
from xenconform.models.linear import Answer, Linear, Op, linearize, unordered, with_uuids
from xenconform.models.matching import handles_in
from xenconform.models.types import MapOf, SetOf, Void
from xenconform.models.values import Handle, UuidOf
from xenconform.models.world import World

SECONDS: Final = 5.0
"""Seconds for the search of one history."""


@dataclass(frozen=True, slots=True)
class Race:
    """What is tried: the steps before, the branches that race, the reads once all is quiet, each thread's delay."""

    prefix: tuple[Step, ...]
    branches: tuple[tuple[Step, ...], ...]
    together: tuple[Step, ...]
    delays: tuple[int, ...] = (0, 0, 0, 0)

    @property
    def racing(self) -> tuple[Step, ...]:
        """The concurrent steps, branch by branch."""
        return tuple(step for branch in self.branches for step in branch)


@dataclass(frozen=True, slots=True)
class Told:
    """A step of the prefix and what came of it, refs turned inward."""

    step: Step
    outcome: Success | Failure


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a try. `stopped` says why it could not be judged, "" where it was.

    Attributes:
        race: what was tried.
        linear: the judgement of the history; None where there is none.
        told: the prefix and its outcomes.
        history: the racing calls and the reads after them; those that could not be sent are not in it.
        uuids: of each object, as first read.
        exchanges: all of the try, the objects' removal left out.
    """

    race: Race
    stopped: str = ""
    linear: Linear | None = None
    told: tuple[Told, ...] = field(default=(), repr=False)
    history: tuple[Op, ...] = field(default=(), repr=False)
    uuids: tuple[tuple[Handle, str], ...] = field(default=(), repr=False)
    exchanges: tuple[Exchange, ...] = field(default=(), repr=False)

    @property
    def failed(self) -> bool:
        """Whether no order explains what came."""
        return self.linear is not None and self.linear.answer is Answer.NO

    @property
    def spent(self) -> int:
        """How many calls it took, about, the objects' removal among them."""
        return len(self.exchanges) + sum(op.step.makes is not None for op in self.history) + len(self.race.prefix)


def attempt(bench: Bench, crew: Crew, race: Race) -> Trial:
    """Try a race from the start, with objects of its own, and remove them."""
    player = Player(bench)
    try:
        try:
            for step in renewed(bench.api, race.prefix):
                player.play(step)
        except Mismatch as wrong:
            return _stopped(race, player, f"{wrong}; counted under STATE-MODEL")
        except Stopped as why:
            return _stopped(race, player, str(why))
        return run(player, crew, race)
    finally:
        player.close()


def run(player: Player, crew: Crew, race: Race) -> Trial:
    """Race, once the prefix was played, and judge what came; the caller closes the player."""
    told = tuple(_told(player))
    try:
        sent = crew.run(race.branches, player.names, race.delays)
        _name(player, sent)
        broken = [each for each in sent if isinstance(each.exchange.reply.outcome, Breach)]
        if broken:
            return _stopped(race, player, f"no readable answer to {broken[0].step.call.message}")
        if any(_lost_session(each.exchange.reply.outcome) for each in sent):
            crew.forget_sessions()
            return _stopped(race, player, "the server ended a thread's session meanwhile")
        player.exchanges += [each.exchange for each in sent]
        reads = _read(player, race.together)
    except Stopped as why:
        return _stopped(race, player, str(why))
    history = tuple(
        Op(each.step, outcome, each.invoked, each.responded)
        for each in (*sent, *reads)
        if not isinstance(outcome := player.inward(each.step, each.exchange.reply.outcome), Breach)
    )
    race = replace(race, prefix=tuple(each.step for each in told))
    trial = Trial(race, told=told, history=history, exchanges=tuple(player.exchanges))
    trial = replace(trial, uuids=tuple(uuids_in(trial).items()))
    trial = replace(trial, linear=judge(player.bench, trial))
    ended = _ended(player) if trial.failed else ""
    return _stopped(race, player, ended) if ended else trial


def judge(bench: Bench, trial: Trial, *, at_once: bool = False) -> Linear:
    """Judge what is in a trial; `at_once` judges it as a case is: by the replies alone.

    All racing calls then count as having been under way at once, and a uuid is an object's own where it is looked up.
    """
    until = time.monotonic() + SECONDS
    history = unordered(trial.history) if at_once else trial.history
    return linearize(start_of(bench, trial, doubles=at_once), history, late=lambda: time.monotonic() > until)


def start_of(bench: Bench, trial: Trial, *, doubles: bool = False) -> Belief:
    """Return what is believed when the race begins, the uuids of all its objects known; `doubles` lets two have one."""
    belief = Belief(World(bench.api, salt="case"), firm_fields(bench.api, bench.profile))
    for told in trial.told:
        belief = _believed(belief, told)
    return replace(belief, uuids=trial.uuids) if doubles else with_uuids(belief, dict(trial.uuids))


def overlaps(history: Sequence[Op]) -> int:
    """Return how many of the racing calls that succeeded were under way together with a call of another thread."""
    racing = [op for op in history if op.step.thread]
    return sum(
        isinstance(op.outcome, Success)
        and any(
            other.step.thread != op.step.thread and other.invoked < op.responded and op.invoked < other.responded
            for other in racing
        )
        for op in racing
    )


def _believed(belief: Belief, told: Told) -> Belief:
    """Return what is believed after a step of the prefix, as the player does."""
    step, outcome = told.step, told.outcome
    if not isinstance(outcome, Success):
        return belief
    message = belief.message(step.call)
    if step.makes is not None:
        listed = message is not None and isinstance(message.result, SetOf | MapOf)
        if listed or not belief.branch(step.call, step.makes).touched:
            return belief.adopt(step.makes)
    return belief.follow(step.call, outcome, step.makes)


def _told(player: Player) -> list[Told]:
    pairs = zip(player.steps, player.exchanges, strict=True)
    return [
        Told(step, outcome)
        for step, exchange in pairs
        if not isinstance(outcome := player.inward(step, exchange.reply.outcome), Breach)
    ]


def _name(player: Player, sent: Sequence[Sent]) -> None:
    """Note the objects that were made, the first answered first; of two with one ref the first has the name."""
    for each in sorted(sent, key=lambda each: each.responded):
        outcome = each.exchange.reply.outcome
        if each.step.makes is None or not isinstance(outcome, Success):
            continue
        if outcome.value in player.names.handles:
            player.names.refs[each.step.makes] = outcome.value
            continue
        player.names.bind(each.step.makes, outcome.value)
        player.bench.stock.adopt_ref(each.step.makes.cls, outcome.value)


def _read(player: Player, steps: Sequence[Step]) -> list[Sent]:
    """Make the reads once all is quiet; what is about an object that was not made is left out."""
    found = []
    for step in steps:
        if any(handle not in player.names.refs for handle in handles_in(step.call.args)):
            continue
        if any(handle not in player.names.uuids for handle in _uuids_wanted(step)):
            continue
        exchange, outcome = player.send(replace(step, expect=Expect(Void(), Wanted.ANY)))
        if isinstance(outcome, Breach):
            raise Stopped(f"no readable answer to {step.call.message}")
        if _lost_session(outcome):
            raise Stopped("the server ended the session meanwhile")
        now = time.perf_counter_ns()
        found.append(Sent(step, exchange, now - int(exchange.elapsed * 1e9), now))
        if isinstance(outcome, Success) and step.call.message.endswith(".get_record"):
            player.names.uuids.setdefault(step.call.args[0], str(outcome.value.get("uuid", "")))
    return found


def _uuids_wanted(step: Step) -> tuple[Handle, ...]:
    return tuple(each.handle for each in step.call.args if isinstance(each, UuidOf))


def _ended(player: Player) -> str:
    """Return which object of another client, if any, ended meanwhile: what follows from that is no defect."""
    gone = (h for h in player.belief.found if player.bench.stock.has_vanished(h.cls, (player.names.refs[h],)))
    return next((f"a {handle.cls} that the calls name ended meanwhile" for handle in gone), "")


def uuids_in(trial: Trial) -> dict[Handle, str]:
    """Return the uuids of the objects that a trial tells of, as first read."""
    found: dict[Handle, str] = {}
    for step, outcome in (*((t.step, t.outcome) for t in trial.told), *((o.step, o.outcome) for o in trial.history)):
        if not isinstance(outcome, Success):
            continue
        if step.call.message.endswith(".get_uuid"):
            found.setdefault(step.call.args[0], str(outcome.value))
        elif step.call.message.endswith(".get_record") and "uuid" in outcome.value:
            found.setdefault(step.call.args[0], str(outcome.value["uuid"]))
    return found


def _lost_session(outcome: Outcome) -> bool:
    return isinstance(outcome, Failure) and outcome.code == "SESSION_INVALID"


def _stopped(race: Race, player: Player, why: str) -> Trial:
    return Trial(race, why, exchanges=tuple(player.exchanges))
