"""What moves are made of: objects as needed, values filled in, steps played, and what they changed read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.judging import Unavailable
from xenconform.conformance.checks.stock import TAG
from xenconform.conformance.machine.choosing import (
    LABELS,
    About,
    How,
    act_values,
    meeting,
    near,
)
from xenconform.conformance.machine.echoing import echoes
from xenconform.conformance.machine.plan import Abilities
from xenconform.conformance.machine.player import Player, Stopped
from xenconform.models.api import Message, Parameter
from xenconform.models.belief import Belief
from xenconform.models.calls import Call, Failure, Format, Outcome, Success
from xenconform.models.cases import Step
from xenconform.models.exemplars import Need, constructor_of, exemplar
from xenconform.models.types import RefTo, Str, Type, refs_in
from xenconform.models.values import Handle, UuidOf, Value
from xenconform.strategies.pools import members, pool, with_refs

SESSIONS: Final = 3
"""The run's own session and two more."""
WHOLE: Final = 4
"""Once in so many moves whole records are read back in place of fields."""


class Making:
    """One sequence under way. `moves` counts the moves that made a step, `refused` has why a class cannot be made."""

    def __init__(self, bench: Bench, plan: Mapping[str, Abilities], about: About) -> None:
        self.player = Player(bench)
        self.moves = 0
        self.refused: dict[str, str] = {}
        self._bench = bench
        self._plan = plan
        self._about = about
        self._near = near(bench.api, plan, about.cls)
        self._touched: dict[Handle, None] = {}
        self._gone: list[Handle] = []
        self._last: Handle | None = None

    @property
    def belief(self) -> Belief:
        """What is known now."""
        return self.player.belief

    def objects(self, cls: str = "") -> tuple[Handle, ...]:
        """Return our own objects that are there, of one class or of all, oldest first."""
        known = self.belief.known - self.belief.found
        alive = (h for h in sorted(known, key=lambda h: h.n) if h.cls == (cls or h.cls) and self.belief.alive(h))
        return tuple(h for h in alive if h.cls in self._plan)

    def _act_call(self, handle: Handle, message: Message, number: int) -> Call | None:
        args = [self._act_arg(message, param, number + at) for at, param in enumerate(message.params[1:])]
        return None if None in args else Call(message.full_name, (handle, *args))

    def _act_arg(self, message: Message, param: Parameter, number: int) -> Value:
        values = act_values(self._plan[message.cls], param, self._values(param.type, whole=True))
        return self._filled(values[number % len(values)], number, How(0, 0)) if values else None

    def _format(self, how: How) -> Format:
        return self._bench.formats[how.fmt % len(self._bench.formats)]

    def _session(self, how: How) -> int:
        """Return the number of the session that a move is made in: the run's own half of the time."""
        return how.session if how.session < SESSIONS else 0

    def _by_class(self, classes: frozenset[str]) -> dict[str, tuple[Handle, ...]]:
        found = sorted(self.belief.found, key=lambda h: h.n)
        return {cls: (*self.objects(cls), *(h for h in found if h.cls == cls)) for cls in classes}

    def _values(self, of: Type, *, whole: bool) -> tuple[Value, ...]:
        plain = pool(of) if whole else members(of)
        return with_refs(of, self._by_class(refs_in(of))) if refs_in(of) else plain

    def _args(self, handle: Handle, message: Message, number: int, how: How) -> tuple[Value, ...] | None:
        """Return values of a writer's parameters after self, None where there are none of a type."""
        domain = self._plan[message.cls].domains.get(message.field)
        args: list[Value] = []
        for at, param in enumerate(message.params[1:]):
            if domain and message.verb == "set":
                values = domain
            elif message.field == "name_label" and isinstance(param.type, Str):
                values = LABELS
            else:
                values = self._values(param.type, whole=message.verb == "set" or at > 0)
            if isinstance(param.type, RefTo) and message.verb in {"add", "remove"}:
                values = tuple(each for each in values if not each.is_null)
            if not values:
                return None
            few = self._about.values(values)
            if at == 0:
                few = meeting(message, (self.belief.world.record(handle) or {}).get(message.field), few, values, number)
            args.append(self._filled(few[(number >> (3 * at)) % len(few)], number, how))
        return tuple(args)

    def _make(self, cls: str, value: int, how: How) -> Handle:
        """Make an object of a class.

        Raises:
            Stopped: it cannot be made here.
        """
        if cls in self._about.muted:
            raise Stopped(f"{cls} is left out")
        constructor = constructor_of(self._bench.api, self._bench.profile, cls)
        if constructor is None:
            raise Stopped(f"{cls} has no constructor")
        how = replace(how, session=0) if self.player.has_ended(self._session(how)) else how
        number = self._bench.stock.number()
        given = exemplar(self._bench.api, self._bench.profile, cls, number, tag=TAG, constructor=constructor)
        given = {name: self._filled(each, value, how) for name, each in given.items()}
        if "name_label" in given:
            given["name_label"] = LABELS[value % len(LABELS)]
        if "uuid" in given:
            given["uuid"] = nature.new_uuid()
        handle = self.player.next_handle(cls)
        args = (given,) if constructor.record else tuple(given[p.name] for p in constructor.message.params)
        outcome = self._do(Call(constructor.message.full_name, args), how, makes=handle)
        if not isinstance(outcome, Success):
            code = outcome.code if isinstance(outcome, Failure) else ""
            self.refused[cls] = f"{constructor.message.full_name} refused: {code}"
            raise Stopped(self.refused[cls])
        return handle

    def _filled(self, value: Value, number: int, how: How) -> Value:
        match value:
            case Need(as_uuid=True):
                handle = self._need(replace(value, as_uuid=False), number, how)
                if handle not in self.player.names.uuids:
                    self._do(Call(f"{handle.cls}.get_uuid", (handle,)), how)
                return UuidOf(handle)
            case Need():
                return self._need(value, number, how)
            case tuple():
                return tuple(self._filled(each, number, how) for each in value)
            case dict():
                return {self._filled(k, number, how): self._filled(v, number, how) for k, v in value.items()}
            case _:
                return value

    def _need(self, need: Need, number: int, how: How) -> Handle:
        there = self._by_class(frozenset({need.cls}))[need.cls]
        if there:
            return there[number % len(there)]
        if need.prefer_existing:
            try:
                if self._bench.stock.existing(need.cls) or need.cls in self._bench.profile.known:
                    return self._found(need.cls, how)
            except Unavailable as why:
                raise Stopped(str(why)) from why
        return self._make(need.cls, number, how)

    def _found(self, cls: str, how: How) -> Handle:
        """Take an object of the server's own into the sequence."""
        handle = self.player.next_handle(cls)
        known = self._bench.profile.known.get(cls)
        call = Call(f"{cls}.get_all") if "get_all" in self._bench.api.classes[cls].messages else None
        if call is None and known is not None:
            call = Call(f"{cls}.get_by_uuid", (known,))
        if call is None:
            raise Stopped(f"no message lists a {cls}")
        self._play(Step(call, self._format(how), makes=handle))
        return handle

    def _do(
        self, call: Call, how: How, place: tuple[Handle, str] | None = None, makes: Handle | None = None
    ) -> Outcome:
        before = self.belief
        session = self._session(how)
        ended = self.player.has_ended(session)
        outcome = self._play(Step(call, self._format(how), session, makes))
        self.moves += 1
        if not ended or place is not None:
            self._echo(before, place, how, makes)
        return outcome

    def _play(self, step: Step) -> Outcome:
        return self.player.play(step)

    def _echo(self, before: Belief, place: tuple[Handle, str] | None, how: How, makes: Handle | None) -> None:
        """Read back what a step changed or was about, over other formats, and now and then in another session."""
        for at, call in enumerate(echoes(before, self.belief, place, makes, whole=self.moves % WHOLE == 0)):
            if call.args and isinstance(call.args[0], Handle):
                self._touched[call.args[0]] = None
            self._ask(call.message, call.args, how.fmt + 1 + at, how.session - SESSIONS)

    def _ask(self, message: str, args: tuple[Value, ...], fmt: int, session: int = 0) -> None:
        if (
            self._bench.api.message(message) is None
            or message in self._about.muted
            or message in self._bench.profile.never
        ):
            return
        session = session if 0 < session < SESSIONS and not self.player.has_ended(session) else 0
        self._play(Step(Call(message, args), self._bench.formats[fmt % len(self._bench.formats)], session))
