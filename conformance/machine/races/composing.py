"""From the numbers of a shape to a race on a server: the objects made first, what each thread calls, what is read then.

Biased to conflicts throughout: few objects, fields and keys, and threads that are at the same field at the same time,
each with a value of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.stock import TAG
from xenconform.conformance.machine.choosing import LABELS, About, How
from xenconform.conformance.machine.plan import Abilities, needs
from xenconform.conformance.machine.player import Player
from xenconform.conformance.machine.races.reading import quiet_reads
from xenconform.conformance.machine.races.shapes import Move, Shape
from xenconform.conformance.machine.races.sites import Site
from xenconform.conformance.machine.races.trial import Race
from xenconform.conformance.machine.walk import Walk
from xenconform.models.api import Message
from xenconform.models.calls import Call, Format
from xenconform.models.cases import Step
from xenconform.models.exemplars import Need, constructor_of, exemplar
from xenconform.models.types import MapOf, RefTo, SetOf, Str, Type, refs_in
from xenconform.models.values import Handle, UuidOf, Value
from xenconform.strategies.pools import members, pool, with_refs

FEW: Final = 3
"""How many values of a field, or members, there are."""
ROOM: Final = 16
"""How many numbers of handles each thread has."""
VERBS: Final = ("add_to", "add", "set", "remove_from", "remove")
"""The verbs that write, the one that is most likely to be lost first."""
ABOUT_OBJECTS: Final = "mmmmnnlurrmexnel"
"""By its kind, what a move of a race for the objects themselves does: the letters are those of `_call`."""
ABOUT_FIELDS: Final = "wwwwwwddgrlmenww"
"""By its kind, what a move of a race for fields does."""


@dataclass(slots=True)
class _At:
    """Where a move stands: its thread, from 1, its place in it, and the format and object that are its turn."""

    thread: int
    place: int
    format: Format
    handle: Handle


class Composer:
    """Makes the race of one shape, for one site of one class, on one server."""

    def __init__(self, bench: Bench, plan: Mapping[str, Abilities], site: Site, shape: Shape) -> None:
        self._bench = bench
        self._plan = plan
        self._site = site
        self._shape = shape
        self._walk = Walk(bench, plan, About("", 0, frozenset()))
        self._of = bench.api.classes[site.cls]
        self._spare: Handle | None = None

    @property
    def player(self) -> Player:
        """The player that has played the prefix; the caller closes it."""
        return self._walk.player

    @property
    def refused(self) -> str:
        """Why no object of the class could be made, where the server refused it."""
        return self._walk.refused.get(self._site.cls, "")

    def compose(self) -> Race:
        """Play the prefix and return the race.

        Raises:
            Stopped: the objects cannot be made.
            Mismatch: what they were made with did not come back.
        """
        names = tuple(self._plan)
        how = How(self._shape.fmt, 7)
        for at in range(1 + self._shape.objects):
            self._walk.make(names.index(self._site.cls), at, how)
        for target in self._site.targets:
            for at in range(2):
                self._walk.make(names.index(target), at, how)
        kinds = [ABOUT_OBJECTS[kind] for moves in self._shape.branches for kind, _ in moves]
        if not self._site.fields and "x" in kinds:
            self._make_spare(how)
        if self._shape.filled:
            self._fill()
        branches = tuple(self._branch(at + 1, moves) for at, moves in enumerate(self._shape.branches))
        racing = [step for branch in branches for step in branch]
        reads = quiet_reads(self._bench, self._walk, self._site.cls, racing, self._shape.fmt)
        return Race(self._slim(), branches, reads, self._shape.delays)

    def _make_spare(self, how: How) -> None:
        """Make an object that those of the class need, and that nothing refers to yet."""
        constructor = constructor_of(self._bench.api, self._bench.profile, self._site.cls)
        wanted = needs(exemplar(self._bench.api, self._bench.profile, self._site.cls, 1)) if constructor else ()
        able = [each.cls for each in wanted if not each.prefer_existing and each.cls in self._plan]
        if able:
            self._walk.make(tuple(self._plan).index(able[0]), 0, how)
            self._spare = self._walk.objects(able[0])[-1]

    def _fill(self) -> None:
        """Give the sets and maps that are raced for a few members."""
        for field in self._site.fields:
            of = self._of.fields[field].type
            setter = self._of.messages.get(f"set_{field}")
            if not isinstance(of, SetOf | MapOf) or refs_in(of) or setter not in self._site.writers[field]:
                continue
            some = members(of.item if isinstance(of, SetOf) else of.key)[: FEW + 1]
            value = some if isinstance(of, SetOf) else {key: members(of.value)[0] for key in some}
            handle = self._walk.objects(self._site.cls)[0]
            self.player.play(Step(Call(setter.full_name, (handle, value)), self._bench.formats[0]))

    def _slim(self) -> tuple[Step, ...]:
        """Return what was played, without the reads that tell nothing new."""
        read: set[Handle] = set()
        kept = []
        for step in self.player.steps:
            handle = step.call.args[0] if step.call.args else None
            first = step.call.message.endswith((".get_record", ".get_uuid")) and handle not in read
            if step.makes is not None or first or not step.call.message.partition(".")[2].startswith("get_"):
                kept.append(step)
            if first and isinstance(handle, Handle):
                read.add(handle)
        return tuple(kept)

    # ----------------------------------------------------------------------------------------------------- branches

    def _branch(self, thread: int, moves: Sequence[Move]) -> tuple[Step, ...]:
        own = self._walk.objects(self._site.cls)
        formats = self._bench.formats
        steps = []
        for place, (kind, value) in enumerate(moves):
            at = _At(thread, place, formats[(self._shape.fmt + thread) % len(formats)], own[(value >> 4) % len(own)])
            call, makes = self._call(at, kind, value)
            steps.append(Step(call, at.format, session=thread, makes=makes, thread=thread))
        return tuple(steps)

    def _call(self, at: _At, kind: int, value: int) -> tuple[Call, Handle | None]:
        """Return the call of a kind; get_record where the class has no such call."""
        call: Call | None = None
        match (ABOUT_FIELDS if self._site.fields else ABOUT_OBJECTS)[kind]:
            case "w" | "d" as kind_of:  # write a field, delete from it
                call = self._write(at, value, deletes=kind_of == "d")
            case "g":  # get a field
                call = self._ask(at.handle, f"get_{self._field(at)}")
            case "l":  # look up
                call = self._look_up(at, value)
            case "u" if at.handle in self.player.names.uuids:  # look up by uuid
                call = self._by_uuid(at.handle)
            case "e":  # end the object
                call = self._end(at.handle)
            case "x":  # end an object that those of the class need
                call = self._end(self._spare or at.handle)
            case "n":  # name
                call = self._ask(at.handle, "set_name_label", LABELS[(value + at.thread) % 2])
            case "m":  # make one more
                made = self._make(at)
                if made is not None:
                    return made
        return call or Call(f"{self._site.cls}.get_record", (at.handle,)), None

    def _end(self, handle: Handle) -> Call | None:
        destructor = self._bench.api.classes[handle.cls].destructor
        return self._ask(handle, destructor) if destructor else None

    def _ask(self, handle: Handle, name: str, *args: Value) -> Call | None:
        """Return a call on an object, None where its class has no such message that may be called."""
        message = self._bench.api.classes[handle.cls].messages.get(name)
        if message is None or message.full_name in self._bench.profile.never:
            return None
        return Call(message.full_name, (handle, *args))

    def _by_uuid(self, handle: Handle) -> Call | None:
        able = [m for m in self._plan[self._site.cls].lookups if m.name == "get_by_uuid"]
        return Call(able[0].full_name, (UuidOf(handle),)) if able else None

    def _field(self, at: _At) -> str:
        fields = self._site.fields
        if self._shape.apart:
            return fields[(at.thread - 1) % len(fields)]
        turn = at.place + (at.thread if self._shape.crossed else 0)
        return fields[turn % len(fields)]

    def _write(self, at: _At, value: int, *, deletes: bool) -> Call | None:
        able = sorted(self._site.writers[self._field(at)], key=lambda message: VERBS.index(message.verb))
        which = (value >> 2) % (len(able) + 2)
        chosen = able[-1 if deletes else which if which < len(able) else 0]
        args = self._args(chosen, at, value)
        return None if args is None else Call(chosen.full_name, (at.handle, *args))

    def _args(self, message: Message, at: _At, value: int) -> tuple[Value, ...] | None:
        """Return values after self: a key that all threads share or one of each, and a value of the thread's own."""
        args: list[Value] = []
        for place, param in enumerate(message.params[1:]):
            some = self._values(message, param.type, whole=message.verb == "set" or place > 0)
            if not some:
                return None
            keyed = place == 0 and message.verb in {"add_to", "remove_from"}
            turn = (value & 1) + (at.thread if value & 2 else 0) if keyed else (value & 3) + at.thread
            args.append(some[turn % len(some)])
        return tuple(args)

    def _values(self, message: Message, of: Type, *, whole: bool) -> tuple[Value, ...]:
        domain = self._plan[message.cls].domains.get(message.field)
        if domain and message.verb == "set":
            return tuple(domain[:FEW])
        if message.field == "name_label" and isinstance(of, Str):
            return LABELS[:2]
        if refs_in(of):
            some = with_refs(of, {cls: self._objects(cls) for cls in refs_in(of)})
            if not isinstance(of, RefTo):
                return some[:FEW]
            # The null reference first: by their turns the first two threads then point at two different objects.
            null = tuple(each for each in some if each.is_null and message.verb not in {"add", "remove"})
            return (*null, *(each for each in some if not each.is_null))[:FEW]
        return (pool(of) if whole else members(of))[:FEW]

    def _objects(self, cls: str) -> tuple[Handle, ...]:
        belief = self.player.belief
        found = sorted(each for each in belief.found if each.cls == cls)
        return (*self._walk.objects(cls), *found)

    def _look_up(self, at: _At, value: int) -> Call | None:
        able = self._plan[self._site.cls].lookups
        by_label = [m for m in able if m.name == "get_by_name_label"]
        chosen = by_label[0] if by_label and value % 4 else able[value // 4 % len(able)]
        if chosen.name == "get_by_name_label":
            return Call(chosen.full_name, (LABELS[value % 2],))
        if chosen.name == "get_by_uuid":
            return Call(chosen.full_name, (UuidOf(at.handle),)) if at.handle in self.player.names.uuids else None
        return Call(chosen.full_name)

    def _make(self, at: _At) -> tuple[Call, Handle] | None:
        """Return a call that makes an object like the first, of the same name, and the handle of what it makes."""
        bench, cls = self._bench, self._site.cls
        constructor = constructor_of(bench.api, bench.profile, cls)
        if constructor is None:
            return None
        given = exemplar(bench.api, bench.profile, cls, bench.stock.number(), tag=TAG, constructor=constructor)
        try:
            given = {name: self._filled(each) for name, each in given.items()}
        except LookupError:
            return None
        if "name_label" in given:
            given["name_label"] = LABELS[0]
        args = (given,) if constructor.record else tuple(given[p.name] for p in constructor.message.params)
        number = self.player.belief.world.last + 1 + at.thread * ROOM + at.place
        return Call(constructor.message.full_name, args), Handle(cls, number)

    def _filled(self, value: Value) -> Value:
        """Return a value with the prefix's objects for what it needs; LookupError where there is none."""
        match value:
            case Need():
                spare = self._spare if self._spare and self._spare.cls == value.cls else None
                handle = spare or self._objects(value.cls)[0]
                if value.as_uuid and handle not in self.player.names.uuids:
                    raise LookupError(handle)
                return UuidOf(handle) if value.as_uuid else handle
            case tuple():
                return tuple(self._filled(each) for each in value)
            case dict():
                return {self._filled(key): self._filled(each) for key, each in value.items()}
            case _:
                return value
