"""One sequence: each move makes a step of a few small numbers, plays it, and reads back what it changed.

The numbers are all that is drawn. What they stand for (which object, which message, which value) follows from what is
believed at that moment, so that no move is ever impossible and nothing of the server's enters what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from xenconform.conformance.machine.choosing import (
    LABELS,
    How,
    likely,
    made_by,
    picked,
)
from xenconform.conformance.machine.making import SESSIONS, Making
from xenconform.conformance.machine.player import LOGOUT, Stopped
from xenconform.models.acts import changes_power
from xenconform.models.api import Message
from xenconform.models.calls import Call
from xenconform.models.cases import Step
from xenconform.models.exemplars import Need
from xenconform.models.values import Handle, UuidOf, Value

FILLING: Final = frozenset({"set", "add", "add_to"})
"""The verbs of writers that put something into a field."""

CROWD: Final = 9
"""How many objects are written before one of them is looked at."""

STATES: Final = ("start", "pause", "unpause", "suspend", "resume", "hard_shutdown")
"""Messages that lead a VM through all its power states and back."""


class Walk(Making):
    """The moves of one sequence; see the module."""

    def make(self, cls: int, value: int, how: How) -> None:
        """Make one more object of a class of the plan, and what it needs."""
        names = tuple(self._plan)
        self._make(names[cls % len(names)], value, how)

    def make_more(self, cls: int, value: int, how: How) -> None:
        """Make an object of a class that the sequence is about, or of any, unless it has enough of them."""
        names = tuple(self._plan) if cls % 2 else self._near
        name = names[cls // 2 % len(names)]
        if len(self.objects(name)) < self._about.most:
            self._make(name, value, how)

    def move(self, kind: int, numbers: tuple[int, int, int], how: How) -> None:
        """Make the move that a number stands for; the others are of an object, a message and a value."""
        obj, message, value = numbers
        own = self._plan.get(self._about.cls)
        match self._about.move(kind, acts=own is not None and bool(own.acts)):
            case "make":
                self.make_more(obj, value, how)
            case "look_up":
                self.look_up(obj, message, how)
            case "read":
                self.read(obj, message, how)
            case "destroy":
                self.destroy(obj, how)
            case "log_out":
                self.log_out(how)
            case "act" if any(each.acts for each in self._plan.values()):
                self.act(obj, message, how)
            case _:
                self.write(obj, message, value, how)

    def write(self, obj: int, message: int, value: int, how: How) -> None:
        """Call a writing accessor of an object, sometimes of one that is gone."""
        handle = self._pick(obj)
        writers = self._focused(handle.cls, self._plan[handle.cls].writers) if handle else ()
        if handle and writers:
            chosen = writers[message % len(writers)]
            args = self._args(handle, chosen, value, how)
            if args is not None:
                self._do(Call(chosen.full_name, (handle, *args)), how, (handle, chosen.field))

    def read(self, obj: int, message: int, how: How) -> None:
        """Call a getter, or get_record, of an object, sometimes of one that is gone."""
        handle = self._pick(obj)
        if handle:
            readers = self._focused(handle.cls, self._plan[handle.cls].readers)
            if readers:
                self._do(Call(readers[message % len(readers)].full_name, (handle,)), how)

    def look_up(self, obj: int, message: int, how: How) -> None:
        """Look objects up: by the uuid or the name of one, or list them all."""
        handle = self._pick(obj)
        every = self._plan[handle.cls].lookups if handle else ()
        lookups = tuple(m for m in every if m.full_name not in self._about.muted)
        if handle and lookups:
            chosen = lookups[message % len(lookups)]
            args: tuple[Value, ...] = ()
            if chosen.name == "get_by_uuid":
                if handle not in self.player.names.uuids:
                    self._do(Call(f"{handle.cls}.get_uuid", (handle,)), how)
                args = (UuidOf(handle),)
            elif chosen.name == "get_by_name_label":
                args = (LABELS[obj % len(LABELS)],)
            self._do(Call(chosen.full_name, args), how)

    def destroy(self, obj: int, how: How) -> None:
        """Destroy an object, sometimes one that is referred to or gone."""
        handle = self._pick(obj)
        if handle:
            self._destroy(handle, how)

    def act(self, obj: int, message: int, how: How) -> None:
        """Call an explicit message that changes an object's state: start a VM, pause it."""
        able = [h for h in self.objects() if self._plan[h.cls].acts]
        if able:
            handle = picked(obj, [h for h in able if h.cls in self._near], able, self._last) or able[0]
            self._last = handle
            if handle.cls == "VM":
                self._need(Need("host", prefer_existing=True), 0, how)
            acts = [m for m in self._plan[handle.cls].acts if m.full_name not in self._about.muted]
            acts = [m for m in acts if self._about.only_power and changes_power(m)] or acts
            calls = [call for act in acts if (call := self._act_call(handle, act, message)) is not None]
            chosen = likely(self.belief, calls, message)
            if chosen is not None:
                self._do(chosen, how, makes=made_by(self.belief, chosen))

    def tour(self, copying: Message | None, cls: str, how: How) -> None:
        """Write every field of an object that has a twin, then every field of the twin, and make the twin anew between.

        The twin is a copy, or an object made alike; it is written in a session of its own, which then ends. What keeps
        one value for both, or the value of once, or goes with a session, is seen in the end, when both are compared
        whole.
        """
        source = self._make(cls, 0, how)
        twin = self._twin(source, copying, how)
        self._write_all(source, how)
        later = self._twin(source, copying, how)
        if twin is not None:
            session = self._further_session(f"{cls}.get_record", twin, how)
            self._write_all(twin, how, session=session)
            if session:
                self.log_out(How(how.fmt, session - 1))
        if later is not None:
            self._touched[later] = None

    def states(self, cls: str, how: How) -> None:
        """Take an object through its power states, and in each write every field and look at all of it."""
        handle = self._make(cls, 0, how)
        self._need(Need("host", prefer_existing=True), 0, how)
        acts = {each.name: each for each in self._plan[cls].acts if each.full_name not in self._about.muted}
        for name in STATES:
            call = self._act_call(handle, acts[name], 0) if name in acts else None
            if call is not None:
                self._do(call, how)
                self._ask(f"{cls}.get_record", (handle,), how.fmt)
                self._write_all(handle, how, leaving="is_a_template")
                self._ask(f"{cls}.get_record", (handle,), how.fmt + 1)

    def around(self, cls: str, how: How) -> None:
        """Write every field of what an object needs, ask for the end of each while it is needed, then end the object.

        The object itself is not written: what its neighbours' fields spill into it is seen when it is compared whole,
        and so is a refused end that comes true once nothing stands in its way.
        """
        handle = self._make(cls, 0, how)
        needed = [each for each in self.objects() if each != handle]
        for each in needed:
            self._write_all(each, how)
        self._ask(f"{cls}.get_record", (handle,), how.fmt)
        for each in (*needed, handle):
            self._destroy(each, how)

    def crowd(self, cls: str, how: How) -> None:
        """Write many objects one after another, twice, and look at none of them before the end.

        Whatever a server keeps of a few that were written last has to give way to the next: what gave way is there.
        """
        many = [self._make(cls, at, how) for at in range(CROWD)]
        writers = [m for m in self._plan[cls].writers if m.verb in FILLING and m.full_name not in self._about.muted]
        for turn in range(2 * CROWD if writers else 0):
            handle, at = many[turn % CROWD], turn + turn // CROWD
            self._put(handle, writers[at % len(writers)], 32 + turn, replace(how, fmt=how.fmt + at))

    def _destroy(self, handle: Handle, how: How) -> None:
        destructor = self._plan[handle.cls].destructor
        if destructor and f"{handle.cls}.{destructor}" not in self._about.muted:
            self._do(Call(f"{handle.cls}.{destructor}", (handle,)), how)
            if not self.belief.alive(handle) and handle not in self._gone:
                self._gone.append(handle)

    def _twin(self, source: Handle, copying: Message | None, how: How) -> Handle | None:
        if copying is None:
            return self._make(source.cls, 0, how)
        call = self._act_call(source, copying, 0)
        makes = made_by(self.belief, call) if call is not None else None
        if call is None or makes is None:
            return None
        self._do(call, how, makes=makes)
        return makes if self.belief.alive(makes) else None

    def _further_session(self, reader: str, handle: Handle, how: How) -> int:
        """Read an object in a further session; return its number, or the run's own where the server opens no other."""
        try:
            self._ask(reader, (handle,), how.fmt, 1)
        except Stopped:
            self._ask(reader, (handle,), how.fmt)
            return 0
        return 1

    def _write_all(self, handle: Handle, how: How, *, leaving: str = "", session: int = 0) -> None:
        """Put something into every field of an object but one that may be left; nothing is read back yet."""
        self._touched[handle] = None
        for at, message in enumerate(self._plan[handle.cls].writers):
            if message.verb in FILLING and message.field != leaving and message.full_name not in self._about.muted:
                self._put(handle, message, 32 + at % 16, replace(how, fmt=at), session)

    def _put(self, handle: Handle, message: Message, value: int, how: How, session: int = 0) -> None:
        """Call a writing accessor, and read nothing back."""
        args = self._args(handle, message, value, how)
        if args is not None:
            self._play(Step(Call(message.full_name, (handle, *args)), self._format(how), session))

    def log_out(self, how: How) -> None:
        """End a further session; calls with it must fail from then on."""
        session = 1 + how.session % (SESSIONS - 1)
        if not self.player.has_ended(session):
            self._play(Step(Call(LOGOUT), self._format(how), session))
            self.moves += 1

    def finish(self) -> None:
        """Compare every object that was touched, whole, with what is believed of it, and list its class."""
        listed: dict[str, None] = {}
        for at, handle in enumerate(self._touched):
            if handle.cls not in self._plan or handle in self.belief.found or not self.belief.alive(handle):
                continue
            listed[handle.cls] = None
            self._ask(f"{handle.cls}.get_record", (handle,), at)
        for at, cls in enumerate(listed):
            self._ask(f"{cls}.get_all", (), at)

    def _pick(self, number: int) -> Handle | None:
        """Return an own object, or, at the end of the count, the one that went last."""
        every = self.objects()
        near = [h for h in every if h.cls in self._near]
        self._last = picked(number, near, (*every, *self._gone[-1:]), self._last)
        return self._last

    def _focused(self, cls: str, messages: Sequence[Message]) -> tuple[Message, ...]:
        fields = self._about.fields(self._bench.api, cls, self._plan[cls].writers)
        chosen = tuple(m for m in messages if m.field in fields or not m.field) or tuple(self._about.values(messages))
        return tuple(m for m in chosen if m.full_name not in self._about.muted)
